/**
 * @file resample.c  From one sample rate to another, by speexdsp
 *
 * Mono.  One thread at a time; allocates in resampler_alloc only.
 */
#include <speex/speex_resampler.h>
#include <offhook/compat.h>
#include "priv.h"


enum { RATE_MIN = 1000, RATE_MAX = 384000 };

struct resampler {
	SpeexResamplerState *st;     /* NULL: the rates are equal */
};


static void destructor(void *data)
{
	struct resampler *r = data;

	if (r->st)
		speex_resampler_destroy(r->st);
}


int resampler_alloc(struct resampler **rp, uint32_t in_hz, uint32_t out_hz,
		    int quality)
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

	if (in_hz != out_hz) {
		r->st = speex_resampler_init(1, in_hz, out_hz, quality, &e);
		if (!r->st) {
			mem_deref(r);
			return e == RESAMPLER_ERR_ALLOC_FAILED ? ENOMEM
							       : EINVAL;
		}
	}

	*rp = r;

	return 0;
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
