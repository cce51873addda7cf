/**
 * @file media/talk.h  Somebody talks into a microphone that is muted
 *
 * Only while one is, and somebody wants to know.  Pure; media thread.
 */
#ifndef OFFHOOK_MEDIA_TALK_H
#define OFFHOOK_MEDIA_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TALK_FRAME = 160,        /* samples at about 8 kHz: 20 ms           */
	TALK_SPAN  = 2 * TALK_FRAME,  /* a voice is looked for in so many   */
};

struct talk {
	uint32_t rate_hz;        /* of the microphone                       */
	unsigned step;           /* so many of its samples make one         */
	int32_t sum;             /* of those                                */
	unsigned summed;
	double in, out;          /* of the filter that takes hum away       */
	float v[TALK_SPAN];      /* the newest last                         */
	unsigned n;              /* of this frame                           */
	double played;           /* sum of squares of what is heard in it   */
	size_t played_n;
	double echo;             /* mean square of it, dying away           */
	double floor;            /* mean square of what is always there     */
	double top;              /* of the syllable                         */
	bool low;                /* it is over                              */
	double bottom;           /* the faintest since                      */
	uint64_t voiced, begun;  /* a bit a frame, the newest is 1: a voice;
				    a syllable begins                       */
	unsigned frames;
	unsigned quiet_ms;       /* since a voice was heard                 */
	bool talks;
};

enum talk_step { TALK_SAME, TALK_BEGINS, TALK_ENDS };

void talk_init(struct talk *t);
/**
 * n samples (at most 65535) of the microphone, and of what the loudspeaker
 * plays of the other side meanwhile: what is 9 dB less than that, or lower, is
 * taken for its echo. A spell ends after five seconds without a voice.
 */
enum talk_step talk_hear(struct talk *t, const int16_t *mic,
			 const int16_t *heard, size_t n, uint32_t rate_hz);

#endif
