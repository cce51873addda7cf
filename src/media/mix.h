/**
 * @file mix.h  Samples: sums, how loud, tones (mixer.c, meter.c, tone.c)
 *
 * Pure; media thread.
 */
#ifndef MEDIA_MIX_H
#define MEDIA_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void mixer_add(int16_t *sum, const int16_t *v, size_t n);   /* saturates */
/** out = sum without v: all but oneself, saturated */
void mixer_others(int16_t *out, const int32_t *sum, const int16_t *v,
		  size_t n);

/** A factor that moves smoothly: a step would be heard as a click */
struct gain {
	float now, want;
};

enum { GAIN_MIN_DB = -60, GAIN_MAX_DB = 30 };

void gain_init(struct gain *g);
/** db below GAIN_MIN_DB: silence */
void gain_set(struct gain *g, double db);
void gain_run(struct gain *g, int16_t *v, size_t n);        /* saturates */
/** out = v at that volume */
void gain_copy(struct gain *g, int16_t *out, const int16_t *v, size_t n);

/**
 * Where between left and right it is heard, by the law of constant power:
 * what is in the middle is as loud as it is, what moves keeps its power, and
 * at the very left it is left alone, 3 dB louder. Moves smoothly
 */
struct pan {
	float mean, side;        /* of the gains of left and right, now     */
	float mean_want, side_want;
};

enum { PAN_MAX = 100 };    /* the very right; the very left below 0 */

void pan_init(struct pan *p);
void pan_set(struct pan *p, int percent);
/** It is in the middle, and stays there: nothing to do */
bool pan_centred(const struct pan *p);
/** n samples and what is beside them; has: something is, else side is room for
 *  it */
void pan_run(struct pan *p, int16_t *v, int16_t *side, bool has, size_t n);

struct tone {
	double re, im;           /* where the pointer is                    */
	double cos, sin;         /* how it turns each sample                */
};

void tone_init(struct tone *t, double hz, uint32_t rate_hz);
void tone_fill(struct tone *t, int16_t *v, size_t n, double dbfs);

/** Between two looks of somebody who watches */
struct meter {
	bool on;
	double sum;
	uint32_t n, peak;        /* samples, their largest                  */
	uint32_t clipped;        /* as loud as can be                       */
};

/** Nobody has looked for 3 s: it stands */
void meter_add(struct meter *m, const int16_t *v, size_t n, uint32_t rate_hz);
/** Begins anew. @return false: nothing was measured yet */
bool meter_read(struct meter *m, double *rms_dbfs, double *peak_dbfs,
		uint32_t *clipped);

#endif
