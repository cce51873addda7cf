/**
 * @file l16.c  L16: the samples themselves, in network byte order
 *
 * 16 kHz with a dynamic payload type: wide band without coding, for machines
 * that talk to machines.  The static types of RFC 3551 (10, 11) are 44.1 kHz
 * music and not offered.  Stateless.  Media thread.
 */
#include <offhook/compat.h>
#include "priv.h"


struct codec_enc {
	int unused;
};

struct codec_dec {
	int unused;
};


static const int16_t vec_pcm[] = { 0, 1, -1, 256, 4660, -32768, 32767, -2 };

static const uint8_t vec_bytes[] = {
	0x00, 0x00, 0x00, 0x01, 0xff, 0xff, 0x01, 0x00,
	0x12, 0x34, 0x80, 0x00, 0x7f, 0xff, 0xff, 0xfe,
};

static const struct codec_vector vector = {
	vec_pcm, sizeof(vec_pcm) / sizeof(vec_pcm[0]),
	vec_bytes, sizeof(vec_bytes), 90.0
};


static int enc_alloc(struct codec_enc **ep, const struct codec *c,
		     const struct codec_param *prm)
{
	struct codec_enc *e;
	(void)c;
	(void)prm;

	e = mem_zalloc(sizeof(*e), NULL);
	if (!e)
		return ENOMEM;

	*ep = e;

	return 0;
}


static int dec_alloc(struct codec_dec **dp, const struct codec *c,
		     const struct codec_param *prm)
{
	struct codec_dec *d;
	(void)c;
	(void)prm;

	d = mem_zalloc(sizeof(*d), NULL);
	if (!d)
		return ENOMEM;

	*dp = d;

	return 0;
}


static int encode(struct codec_enc *e, uint8_t *buf, size_t *len,
		  const int16_t *v, size_t n)
{
	(void)e;

	if (n > *len / 2)
		return EOVERFLOW;

	for (size_t i = 0; i < n; i++) {
		const uint16_t u = (uint16_t)v[i];

		buf[2 * i]     = (uint8_t)(u >> 8);
		buf[2 * i + 1] = (uint8_t)u;
	}

	*len = 2 * n;

	return 0;
}


static int decode(struct codec_dec *d, int16_t *v, size_t *n,
		  const uint8_t *buf, size_t len)
{
	const size_t k = len / 2;
	(void)d;

	if (!len || len % 2)
		return EINVAL;
	if (k > *n)
		return EOVERFLOW;

	for (size_t i = 0; i < k; i++)
		v[i] = (int16_t)(uint16_t)(buf[2 * i] << 8 | buf[2 * i + 1]);

	*n = k;

	return 0;
}


static size_t samples(const uint8_t *buf, size_t len)
{
	(void)buf;

	return len % 2 || len / 2 > CODEC_FRAME_MAX ? 0 : len / 2;
}


const struct codec codec_l16 = {
	.name = "l16", .sdp_name = "L16",
	.rate_hz = 16000, .clock_hz = 16000, .sdp_channels = 1, .pt = -1,
	.ptime_max_ms = 40,      /* 1280 bytes; 50 ms would not fit a packet */
	.ptime_step_ms = 10,
	.vector = &vector,
	.enc_alloc = enc_alloc, .dec_alloc = dec_alloc,
	.encode = encode, .decode = decode, .samples = samples,
};
