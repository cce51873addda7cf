/**
 * @file callprog.h  Tones by which a network says what becomes of a call
 */
#ifndef OFFHOOK_MEDIA_CALLPROG_H
#define OFFHOOK_MEDIA_CALLPROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CALLPROG_HZ     = 8000,
	CALLPROG_FRAME  = 320,   /* 40 ms, every 20 ms: 25 Hz between bins   */
	CALLPROG_FIRST  = 10,    /* bins of 250 to 2200 Hz                   */
	CALLPROG_BINS   = 79,
	CALLPROG_PARTS  = 8,     /* of a cadence that are remembered         */
};

/** What is to be heard in 20 ms */
enum callprog_part {
	PART_OTHER, PART_QUIET,
	PART_LOW,                /* one or two tones of 300 to 680 Hz        */
	PART_SIT1, PART_SIT2, PART_SIT3,
	PART_CNG, PART_ANS,      /* fax: who calls, who answers              */
};

struct callprog {
	uint32_t rate_hz;        /* of what comes; 0: nothing yet            */
	unsigned step;           /* samples that become one                  */
	int32_t acc;
	unsigned acc_n;
	int16_t v[CALLPROG_FRAME];
	size_t n;
	struct {
		enum callprog_part part;
		unsigned frames;
	} past[CALLPROG_PARTS];  /* the last one goes on                     */
	unsigned strange;        /* frames of a part that may not last       */
	enum callprog_part other;
	const char *told;        /* NULL: nothing since the pattern changed  */
};

/**
 * @return the tone that has just been recognised, told once as long as it
 * goes on: "dial", "ringback", "busy", "congestion", "sit", "fax"; or NULL.
 * Media thread; no allocation
 */
const char *callprog_put(struct callprog *c, const int16_t *v, size_t n,
			 uint32_t rate_hz);

#endif
