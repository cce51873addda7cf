/**
 * @file band.h  Keys as tones in the sound itself (dtmf_band.c)
 *
 * Pure; media thread.
 */
#ifndef MEDIA_BAND_H
#define MEDIA_BAND_H

#include "mix.h"

struct dtmf_digit;

struct dtmf_window {
	float s1[8], s2[8];      /* of the filters                          */
	float energy;
	size_t n;
};

struct dtmf_band_rx {
	uint32_t rate_hz;        /* 0: it does not listen                   */
	size_t size;             /* of a window                             */
	float coef[8];
	struct dtmf_window w[2];
	char key;                /* heard now, 0: none                      */
	unsigned on, off;        /* half windows with it, without it        */
	float energy;            /* of the last one                         */
	uint64_t received;
};

/** The tones of a key. @return false: it has none */
bool dtmf_band_tones(char key, double *low, double *high);
void dtmf_band_begin(struct dtmf_band_rx *d, uint32_t rate_hz);
/** @return keys that ended, at most max */
unsigned dtmf_band_put(struct dtmf_band_rx *d, const int16_t *v, size_t n,
		       struct dtmf_digit *out, unsigned max);

struct dtmf_band_tx {
	struct tone low, high;
};
/** n samples of that key; begin: its first */
void dtmf_band_fill(struct dtmf_band_tx *t, int16_t *v, size_t n, char key,
		    bool begin, uint32_t rate_hz);

#endif
