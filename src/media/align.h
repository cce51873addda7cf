/**
 * @file align.h  What was played, beside what is captured of it
 *
 * Media thread.
 */
#ifndef MEDIA_ALIGN_H
#define MEDIA_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct align;

struct align_figures {
	size_t delay;            /* as told last                             */
	uint64_t slips;          /* times it made a jump                     */
	bool sure;               /* the echo has been seen,                  */
	double lag_ms;           /* so long behind the reference             */
	double ppm;              /* what is captured has so many less        */
};

/** Blocks of frame samples. @return 0, EINVAL, ENOMEM.
 *  Free: mem_deref */
int  align_alloc(struct align **ap, uint32_t rate_hz, size_t frame);
/** These are to be played, behind those before */
void align_played(struct align *a, const int16_t *v, size_t n);
/** So many samples of silence came between them, in all */
void align_missed(struct align *a, size_t missed);
/**
 * A block of what was played, as it went into the room a little before the
 * one that was captured. delay: samples played and not yet heard, as the
 * device has it.
 */
void align_reference(struct align *a, size_t delay, int16_t *ref);
/** The block that was captured: is the echo where it should be? */
void align_look(struct align *a, const int16_t *mic, const int16_t *ref);
void align_figures(const struct align *a, struct align_figures *f);

#endif
