/**
 * @file drift.h  Two clocks: what is mixed by one is played by the other
 */
#ifndef OFFHOOK_MEDIA_DRIFT_H
#define OFFHOOK_MEDIA_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drift;

/** Media thread. @return 0, EINVAL, ENOMEM. Free: mem_deref */
int drift_alloc(struct drift **dp, uint32_t rate_hz);
/**
 * A block is to be played.
 * @param fill  samples that still wait to be played before it
 * @return samples put to out (max: a few more than n), 0: this block is left
 * out, there is far too much waiting and nobody would hear it
 */
size_t drift_play(struct drift *d, size_t fill, const int16_t *v, size_t n,
		  int16_t *out, size_t max);

struct drift_figures {
	int ppm;                 /* samples made more, in a million          */
	double fill_ms;          /* waiting, on average                      */
	double want_ms;          /* what is aimed at                         */
	double dip_ms;           /* how far it falls below its average       */
};
void drift_figures(const struct drift *d, struct drift_figures *f);

#endif
