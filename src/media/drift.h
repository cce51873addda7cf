/**
 * @file drift.h  Two clocks: what is mixed by one is played by the other
 */
#ifndef OFFHOOK_MEDIA_DRIFT_H
#define OFFHOOK_MEDIA_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drift;

/**
 * Media thread.
 * @param tells  the device says how much it missed
 * @return 0, EINVAL, ENOMEM. Free: mem_deref
 */
int drift_alloc(struct drift **dp, uint32_t rate_hz, bool tells);
/**
 * A block is to be played.
 * @param fill    samples that still wait to be played before it
 * @param side    beside v and out alike; NULL: both channels are alike
 * @param missed  samples of silence that the device has played for want of
 *                others, since it began; of one that does not tell always 0
 * @return samples put to out (max: a few more than n), and to side_out when
 * two says so; fewer, or none, when
 * too much is waiting and nobody would hear what is left out
 */
size_t drift_play(struct drift *d, size_t fill, size_t missed,
		  const int16_t *v, const int16_t *side, size_t n,
		  int16_t *out, int16_t *side_out, size_t max, bool *two);

struct drift_figures {
	int ppm;                 /* samples made more, in a million          */
	double fill_ms;          /* waiting, on average                      */
	double low_ms;           /* ... and at the least, as a rule          */
	double want_ms;          /* what is aimed at for low_ms              */
	double dip_ms;           /* what is feared: so far below it          */
};
void drift_figures(const struct drift *d, struct drift_figures *f);

#endif
