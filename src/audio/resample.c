/**
 * @file resample.c  From one sample rate to another, by speexdsp
 *
 * Mono.  One thread at a time; allocates in resampler_alloc only.
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
};

struct resampler {
	SpeexResamplerState *st;     /* NULL: the rates are equal */
	uint32_t near_hz;            /* 0: of one that is not near */
	int ppm;
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
		r->st = speex_resampler_init_frac(1, num, den, in_hz, out_hz,
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
