/**
 * @file g722.c  G.722 at 64 kbit/s: wide band in G.711's bandwidth, by spandsp
 *
 * The RTP clock is 8000 by an old mistake that became the rule (RFC 3551):
 * the samples are at 16000.  Two samples make a byte.  Media thread;
 * allocates only in the two alloc functions.
 */
#include <offhook/compat.h>
#include <spandsp/telephony.h>
#include <spandsp/g722.h>
#include "priv.h"


enum { BITRATE = 64000 };

struct codec_enc {
	g722_encode_state_t *st;
};

struct codec_dec {
	g722_decode_state_t *st;
};


/* 1 kHz */
static const int16_t vec_pcm[] = {
	0, 3061, 5657, 7391, 8000, 7391, 5657, 3061,
	0, -3061, -5657, -7391, -8000, -7391, -5657, -3061,
};

static const struct codec_vector vector = {
	vec_pcm, sizeof(vec_pcm) / sizeof(vec_pcm[0]), NULL, 0, 25.0
};


static void enc_destructor(void *data)
{
	struct codec_enc *e = data;

	if (e->st)
		(void)g722_encode_free(e->st);
}


static void dec_destructor(void *data)
{
	struct codec_dec *d = data;

	if (d->st)
		(void)g722_decode_free(d->st);
}


/* spandsp may be loaded late, and not be there */
static bool ready(void)
{
	g722_encode_state_t *st = g722_encode_init(NULL, BITRATE, 0);

	if (st)
		(void)g722_encode_free(st);

	return st != NULL;
}


static int enc_alloc(struct codec_enc **ep, const struct codec *c,
		     const struct codec_param *prm)
{
	struct codec_enc *e;
	(void)c;
	(void)prm;

	e = mem_zalloc(sizeof(*e), enc_destructor);
	if (!e)
		return ENOMEM;

	e->st = g722_encode_init(NULL, BITRATE, 0);
	if (!e->st) {
		mem_deref(e);
		return ENOMEM;
	}

	*ep = e;

	return 0;
}


static int dec_alloc(struct codec_dec **dp, const struct codec *c,
		     const struct codec_param *prm)
{
	struct codec_dec *d;
	(void)c;
	(void)prm;

	d = mem_zalloc(sizeof(*d), dec_destructor);
	if (!d)
		return ENOMEM;

	d->st = g722_decode_init(NULL, BITRATE, 0);
	if (!d->st) {
		mem_deref(d);
		return ENOMEM;
	}

	*dp = d;

	return 0;
}


static int encode(struct codec_enc *e, uint8_t *buf, size_t *len,
		  const int16_t *v, size_t n)
{
	int r;

	if (n % 2 || n > CODEC_FRAME_MAX)
		return EINVAL;
	if (n / 2 > *len)
		return EOVERFLOW;

	r = g722_encode(e->st, buf, v, (int)n);
	if (r < 0)
		return EINVAL;

	*len = (size_t)r;

	return 0;
}


static int decode(struct codec_dec *d, int16_t *v, size_t *n,
		  const uint8_t *buf, size_t len)
{
	int r;

	if (!len || len > CODEC_FRAME_MAX / 2)
		return EINVAL;
	if (2 * len > *n)
		return EOVERFLOW;

	r = g722_decode(d->st, v, buf, (int)len);
	if (r < 0)
		return EINVAL;

	*n = (size_t)r;

	return 0;
}


static size_t samples(const uint8_t *buf, size_t len)
{
	(void)buf;

	return len <= CODEC_FRAME_MAX / 2 ? 2 * len : 0;
}


const struct codec codec_g722 = {
	.name = "g722", .sdp_name = "G722",
	.rate_hz = 16000, .clock_hz = 8000, .sdp_channels = 1, .pt = 9,
	.ptime_max_ms = 120, .ptime_step_ms = 10,
	.delay_samples = 22,     /* of the two QMF banks */
	.vector = &vector,
	.ready = ready, .enc_alloc = enc_alloc, .dec_alloc = dec_alloc,
	.encode = encode, .decode = decode, .samples = samples,
};
