/**
 * @file duplex.h  One at a time: what is left of an echo is turned down
 */
#ifndef OFFHOOK_MEDIA_DUPLEX_H
#define OFFHOOK_MEDIA_DUPLEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <offhook/media.h>

/** Frames of 10 ms; zeroed is a fresh one */
struct duplex {
	/* loudness of both, dB, smoothed; their moments over some seconds */
	double far_db, mic_db;
	double mf, mm, ff, mmm, fm;
	bool begun;
	unsigned frames;         /* while they spoke, up to as many as count */
	double room_db;          /* far_db, as it dies away                  */
	double leak_db;          /* what comes back, against what is played  */
	bool engaged;            /* there is something to turn down          */
	unsigned hold;           /* frames that the room rings on            */
	float gain;              /* 1 - what it is, so that zero is none     */
};

/**
 * far: what was played as this was captured; v: what is to be sent, with the
 * echo as far as it could be taken away
 */
void duplex_run(struct duplex *d, enum media_limiter mode, const int16_t *far,
		int16_t *v, size_t n);

#endif
