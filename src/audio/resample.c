/**
 * @file resample.c  From one sample rate to another, by speexdsp
 *
 * One thread at a time; allocates in resampler_alloc only.  A side is resampled
 * by the same filter at the same places, or left and right would not be what
 * they were: when one begins both channels begin anew, with what was heard last
 * in front.
 */
#include <speex/speex_resampler.h>
#include <offhook/compat.h>
#include "priv.h"


enum {
	RATE_MIN = 1000, RATE_MAX = 384000,
	/* a prime: no ratio to it can be made simpler, so that where between
	 * two samples one is keeps its place when the ratio changes; and its
	 * square has 32 bits, as speexdsp needs it */
	NEAR = 49999,
	NEAR_MAX = 50000,
	/* kept of what was heard last: a block of the engine, so that where
	 * between two samples it is stays the same; more than any filter */
	PAST = 960,
	SCRATCH = 512,
};

struct resampler {
	SpeexResamplerState *st;     /* NULL: the rates are equal */
	uint32_t near_hz;            /* 0: of one that is not near */
	int ppm;
	bool two;                    /* the side runs, too */
	size_t quiet;                /* samples since there was one */
	size_t past_n;
	int16_t past[PAST];
};


static void destructor(void *data)
{
	struct resampler *r = data;

	if (r->st)
		speex_resampler_destroy(r->st);
}


/* num samples become den: what the rates say, or nearly so */
static int make(struct resampler **rp, uint32_t num, uint32_t den,
		uint32_t in_hz, uint32_t out_hz, int quality)
{
	struct resampler *r;
	int e = RESAMPLER_ERR_SUCCESS;

	if (!rp || in_hz < RATE_MIN || in_hz > RATE_MAX ||
	    out_hz < RATE_MIN || out_hz > RATE_MAX ||
	    quality < SPEEX_RESAMPLER_QUALITY_MIN ||
	    quality > SPEEX_RESAMPLER_QUALITY_MAX)
		return EINVAL;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;

	if (num != den) {
		r->st = speex_resampler_init_frac(2, num, den, in_hz, out_hz,
						  quality, &e);
		if (!r->st) {
			mem_deref(r);
			return e == RESAMPLER_ERR_ALLOC_FAILED ? ENOMEM
							       : EINVAL;
		}
	}

	*rp = r;

	return 0;
}


int resampler_alloc(struct resampler **rp, uint32_t in_hz, uint32_t out_hz,
		    int quality)
{
	return make(rp, in_hz, out_hz, in_hz, out_hz, quality);
}


int resampler_run(struct resampler *r, const int16_t *in, size_t *n_in,
		  int16_t *out, size_t *n_out)
{
	spx_uint32_t a, b;

	if (*n_in > UINT32_MAX || *n_out > UINT32_MAX)
		return EINVAL;

	if (!r->st) {
		const size_t n = *n_in < *n_out ? *n_in : *n_out;

		memcpy(out, in, n * sizeof(*out));
		*n_in = *n_out = n;
		return 0;
	}

	a = (spx_uint32_t)*n_in;
	b = (spx_uint32_t)*n_out;
	if (speex_resampler_process_int(r->st, 0, in, &a, out, &b))
		return EINVAL;

	*n_in  = a;
	*n_out = b;

	return 0;
}


/* Forget what comes out of n samples */
static int warm(struct resampler *r, unsigned channel, const int16_t *v,
		size_t n)
{
	int16_t out[SCRATCH];

	while (n) {
		spx_uint32_t a = (spx_uint32_t)n, b = SCRATCH;

		if (speex_resampler_process_int(r->st, channel, v, &a, out,
						&b) || (!a && !b))
			return EINVAL;
		v += a;
		n -= a;
	}

	return 0;
}


static int side_begin(struct resampler *r)
{
	static const int16_t zeros[PAST];
	int err;

	if (speex_resampler_reset_mem(r->st))
		return EINVAL;

	err = warm(r, 0, r->past, r->past_n);
	if (!err)
		err = warm(r, 1, zeros, r->past_n);

	return err;
}


/* @return the side to resample, NULL: none */
static const int16_t *side_take(struct resampler *r, const int16_t *side,
				size_t n)
{
	static const int16_t zeros[PAST];

	if (side) {
		r->quiet = 0;
		return side;
	}
	if (!r->two || n > PAST || r->quiet >= PAST)
		return NULL;

	/* what is still in the filter */
	r->quiet += n;

	return zeros;
}


static void past_keep(struct resampler *r, const int16_t *v, size_t n)
{
	const size_t keep = n < PAST ? n : PAST;

	if (n)
		memcpy(r->past, v + n - keep, keep * sizeof(*v));
	r->past_n = keep;
}


int resampler_run_two(struct resampler *r, const int16_t *in,
		      const int16_t *side, size_t *n_in, int16_t *out,
		      int16_t *side_out, size_t *n_out, bool *two)
{
	const int16_t *s = side_take(r, side, *n_in);
	spx_uint32_t used = (spx_uint32_t)*n_in, made = (spx_uint32_t)*n_out;
	int err = 0;

	*two = s != NULL;
	if (s && !r->two && r->st)
		err = side_begin(r);
	r->two = *two;

	if (!err)
		err = resampler_run(r, in, n_in, out, n_out);
	if (err)
		return err;

	if (!r->st) {
		if (s)
			memcpy(side_out, s, *n_out * sizeof(*s));
		return 0;
	}

	past_keep(r, in, *n_in);
	if (s && speex_resampler_process_int(r->st, 1, s, &used, side_out,
					     &made))
		return EINVAL;

	return 0;
}


size_t resampler_delay(const struct resampler *r)
{
	return r->st ? (size_t)speex_resampler_get_output_latency(r->st) : 0;
}


/* By steps of 20 ppm; exactly 1 would be a simple ratio, and another kind of
 * filter */
static uint32_t near_by(int ppm)
{
	const int k = (ppm * (NEAR / 100) + (ppm < 0 ? -5000 : 5000)) / 10000;

	return (uint32_t)(NEAR + (k ? k : ppm < 0 ? -1 : 1));
}


int resampler_alloc_near(struct resampler **rp, uint32_t rate_hz, int quality)
{
	/* the filter is as long at any ratio that is near: room for it is
	 * made here */
	const int err = make(rp, NEAR, near_by(0), rate_hz, rate_hz, quality);

	if (!err)
		(*rp)->near_hz = rate_hz;

	return err;
}


int resampler_tune(struct resampler *r, int ppm)
{
	if (!r->near_hz || ppm < -NEAR_MAX || ppm > NEAR_MAX)
		return EINVAL;
	if (ppm == r->ppm)
		return 0;

	if (speex_resampler_set_rate_frac(r->st, NEAR, near_by(ppm),
					  r->near_hz, r->near_hz))
		return EINVAL;
	r->ppm = ppm;

	return 0;
}
