/**
 * @file appendix_i.h  Concealment as ITU-T G.711 Appendix I describes it
 */
#ifndef TEST_APPENDIX_I_H
#define TEST_APPENDIX_I_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	APPENDIX_I_FRAME = 80,       /* 10 ms at 8 kHz                       */
	APPENDIX_I_DELAY = 30,       /* so many samples later it comes out   */
};

struct appendix_i {
	float past[390];             /* what was heard, the newest last      */
	float cycle[390];            /* the same when the erasure began      */
	float end[30];               /* the last quarter cycle of it         */
	size_t pitch, quarter;
	size_t have, at;             /* of cycle's end: repeated; where in it */
	unsigned erased;             /* frames in a row                      */
};

/** in NULL: the frame is erased */
void appendix_i(struct appendix_i *p, int16_t *out, const int16_t *in);

#endif
