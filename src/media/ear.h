/**
 * @file media/ear.h  Is a tone, a voice or nothing to be heard?
 *
 * For a script that expects it.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_EAR_H
#define OFFHOOK_MEDIA_EAR_H

#include <offhook/media.h>

struct ear {
	double hz;               /* 0: no tone is listened for               */
	uint32_t rate_hz;        /* of what is heard                         */
	double coef;             /* of the filter at hz                      */
	double s1, s2, sum;      /* of the frame under way                   */
	uint32_t n;              /* its samples so far                       */
	struct stream_heard heard;
};

void ear_init(struct ear *e, double hz);
void ear_hear(struct ear *e, const int16_t *v, size_t n, uint32_t rate_hz);

#endif
