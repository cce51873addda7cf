/**
 * @file band.h  Keys as tones in the sound itself (dtmf_band.c)
 *
 * Pure; media thread.
 */
#ifndef MEDIA_BAND_H
#define MEDIA_BAND_H

#include "mix.h"

struct dtmf_digit;

enum {
	DTMF_BAND_STEP_MAX = 6,  /* 48 kHz to 8                             */
	DTMF_BAND_TAPS = 40,
};

struct dtmf_band_rx {
	uint32_t rate_hz;        /* 0: it does not listen                   */
	unsigned step;           /* samples for one of the filters'         */
	size_t half;             /* of a window, in those of the filters    */
	size_t pos;              /* samples in this half window             */
	float coef[8], sine[8];  /* of the filters                          */
	float turn_re[8], turn_im[8];    /* half a window on                */
	float s1[8], s2[8];
	float was_re[8], was_im[8];      /* what the last half window had   */
	uint64_t sum, sum_was;   /* of squares                              */
	int16_t taps[DTMF_BAND_TAPS];    /* Q15                             */
	int16_t past[DTMF_BAND_TAPS];    /* the samples before              */
	char key;                /* heard now, 0: none                      */
	unsigned on, off;        /* half windows with it, without it        */
	float energy;            /* of the last window                      */
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
