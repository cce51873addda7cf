/**
 * @file cancel.h  Echo cancellers: the slot, and what is in it
 *
 * A canceller is a row of the table in cancel.c and a name of the option
 * echo-canceller.  It gets the microphone, and beside it what was played as
 * it went into the room at that time, in blocks of 10 ms; delays of devices,
 * residual echo, noise and levels are dsp.c's.  Media thread.
 */
#ifndef MEDIA_CANCEL_H
#define MEDIA_CANCEL_H

#include <stddef.h>
#include <stdint.h>
#include <offhook/media.h>

struct canceller {
	const char *name;        /* as the option has it                     */
	const char *summary;
	/** May allocate. @return its state, NULL: no memory */
	void *(*start)(uint32_t rate_hz, size_t frame);
	void  (*stop)(void *state);
	/** One block: out = mic without what it has of far; never waits */
	void  (*run)(void *state, const int16_t *mic, const int16_t *far,
		     int16_t *out);
	/**
	 * The SpeexEchoState by which speexdsp's noise suppressor takes away
	 * what is left; NULL: it has none, and leaves nothing behind itself
	 */
	void *(*residual)(void *state);
};

/** @return its row; of one that is not known the first */
const struct canceller *canceller(enum media_canceller which);

#endif
