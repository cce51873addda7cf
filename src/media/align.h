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

enum align_seen {
	ALIGN_NOTHING,
	ALIGN_THERE,             /* searched for: it is where it was         */
	ALIGN_MOVED,             /* the reference follows it elsewhere       */
};

struct align_figures {
	size_t delay;            /* as told last                             */
	uint64_t slips;          /* times it made a jump                     */
	bool sure;               /* the echo has been seen,                  */
	double lag_ms;           /* so long behind the reference             */
	double ppm;              /* what is captured has so many less        */
	bool doubt;              /* the device has had a hiccup              */
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
enum align_seen align_look(struct align *a, const int16_t *mic,
			   const int16_t *ref);
/** The echo seems to have gone: look oftener, until it is found */
void align_search(struct align *a);
/** The reference of a block that is past, as it would be now. back 0: the last
 *  one; as many as FAR_MS of what was played allow, else silence */
void align_past(const struct align *a, unsigned back, int16_t *ref);
void align_figures(const struct align *a, struct align_figures *f);

#endif
