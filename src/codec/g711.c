/**
 * @file g711.c  G.711 µ-law and A-law: one sample, one byte
 *
 * The tables are librem's (but see ulaw_pcm).  Stateless but for the choice
 * of law.  Media thread; allocates only in the two alloc functions.
 */
#include <offhook/compat.h>
#include "priv.h"


struct codec_enc {
	bool alaw;
};

struct codec_dec {
	bool alaw;
};


/*
 * Expected bytes: from the formulas of ITU-T G.711, worked out apart from
 * librem.  The first and the last value are the ends of the range.  None lies
 * between two steps: releases of librem round such values differently.
 */
static const int16_t vec_pcm[] = {
	-32768, -32124, -30000, -16000, -8031, -4191, -2000, -1000,
	-500, -250, -100, -50, -17, -9, -1, 0,
	2, 9, 17, 50, 100, 250, 500, 1000,
	2000, 4191, 8031, 16000, 30000, 32124, 32767,
};

static const uint8_t vec_ulaw[] = {
	0x00, 0x00, 0x02, 0x10, 0x20, 0x2f, 0x3f, 0x4e,
	0x5c, 0x68, 0x72, 0x79, 0x7d, 0x7e, 0x7f, 0xff,
	0xff, 0xfe, 0xfd, 0xf9, 0xf2, 0xe8, 0xdc, 0xce,
	0xbf, 0xaf, 0xa0, 0x90, 0x82, 0x80, 0x80,
};

static const uint8_t vec_alaw[] = {
	0x2a, 0x2a, 0x28, 0x3a, 0x0a, 0x05, 0x6a, 0x7a,
	0x4a, 0x5a, 0x53, 0x56, 0x54, 0x55, 0x55, 0xd5,
	0xd5, 0xd5, 0xd4, 0xd6, 0xd3, 0xda, 0xca, 0xfa,
	0xea, 0x85, 0x8a, 0xba, 0xa8, 0xaa, 0xaa,
};

static const struct codec_vector vector_ulaw = {
	vec_pcm, sizeof(vec_pcm) / sizeof(vec_pcm[0]),
	vec_ulaw, sizeof(vec_ulaw), 30.0
};

static const struct codec_vector vector_alaw = {
	vec_pcm, sizeof(vec_pcm) / sizeof(vec_pcm[0]),
	vec_alaw, sizeof(vec_alaw), 30.0
};


/* librem negates the sample before it looks it up: -32768 would end as
 * near-silence */
static inline int16_t symmetric(int16_t v)
{
	return v == -32768 ? -32767 : v;
}


/* The value in the middle of the step; librem's table has 2 instead of 0 for
 * the smallest one, and silence should be silence. Bytes are inverted, so the
 * first half of them is negative, and the last of each half is 0. */
#define MAG(c)  ((((2 * ((c) & 15) + 33) << ((c) >> 4)) - 33) * 4)
#define NEG(b)  -MAG(127 - (b))
#define POS(b)  MAG(127 - (b))
#define FOUR(of, b)  of(b), of(b + 1), of(b + 2), of(b + 3)
#define ROW(of, b)   FOUR(of, b), FOUR(of, b + 4), FOUR(of, b + 8), \
		     FOUR(of, b + 12)
#define HALF(of)     ROW(of, 0), ROW(of, 16), ROW(of, 32), ROW(of, 48), \
		     ROW(of, 64), ROW(of, 80), ROW(of, 96), ROW(of, 112)

static const int16_t ulaw_pcm[256] = { HALF(NEG), HALF(POS) };


/* 13 bits and a sign into segment and step; what lies between two values
 * goes to the nearer to zero on both sides. The releases of librem differ
 * there, and a byte should not depend on the release. */
static inline uint8_t alaw_from_pcm(int16_t v)
{
	unsigned mag = (unsigned)(v < 0 ? ~v : v) >> 4, segment = 0;

	if (mag > 15) {
		segment = 28 - (unsigned)__builtin_clz(mag);
		mag = (mag >> (segment - 1)) & 0x0f;
	}

	return (uint8_t)((segment << 4 | mag | (v < 0 ? 0 : 0x80)) ^ 0x55);
}


static int enc_alloc(struct codec_enc **ep, const struct codec *c,
		     const struct codec_param *prm)
{
	struct codec_enc *e;
	(void)prm;

	e = mem_zalloc(sizeof(*e), NULL);
	if (!e)
		return ENOMEM;

	e->alaw = c == &codec_pcma;
	*ep = e;

	return 0;
}


static int dec_alloc(struct codec_dec **dp, const struct codec *c,
		     const struct codec_param *prm)
{
	struct codec_dec *d;
	(void)prm;

	d = mem_zalloc(sizeof(*d), NULL);
	if (!d)
		return ENOMEM;

	d->alaw = c == &codec_pcma;
	*dp = d;

	return 0;
}


static int encode(struct codec_enc *e, uint8_t *buf, size_t *len,
		  const int16_t *v, size_t n)
{
	if (n > *len)
		return EOVERFLOW;

	if (e->alaw) {
		for (size_t i = 0; i < n; i++)
			buf[i] = alaw_from_pcm(v[i]);
	}
	else {
		for (size_t i = 0; i < n; i++)
			buf[i] = g711_pcm2ulaw(symmetric(v[i]));
	}

	*len = n;

	return 0;
}


static int decode(struct codec_dec *d, int16_t *v, size_t *n,
		  const uint8_t *buf, size_t len)
{
	if (!len)
		return EINVAL;
	if (len > *n)
		return EOVERFLOW;

	if (d->alaw) {
		for (size_t i = 0; i < len; i++)
			v[i] = g711_alaw2pcm(buf[i]);
	}
	else {
		for (size_t i = 0; i < len; i++)
			v[i] = ulaw_pcm[buf[i]];
	}

	*n = len;

	return 0;
}


static size_t samples(const uint8_t *buf, size_t len)
{
	(void)buf;

	return len <= CODEC_FRAME_MAX ? len : 0;
}


const struct codec codec_pcmu = {
	.name = "pcmu", .sdp_name = "PCMU",
	.rate_hz = 8000, .clock_hz = 8000, .sdp_channels = 1, .pt = 0,
	.ptime_max_ms = 120, .ptime_step_ms = 10,
	.vector = &vector_ulaw,
	.enc_alloc = enc_alloc, .dec_alloc = dec_alloc,
	.encode = encode, .decode = decode, .samples = samples,
};

const struct codec codec_pcma = {
	.name = "pcma", .sdp_name = "PCMA",
	.rate_hz = 8000, .clock_hz = 8000, .sdp_channels = 1, .pt = 8,
	.ptime_max_ms = 120, .ptime_step_ms = 10,
	.vector = &vector_alaw,
	.enc_alloc = enc_alloc, .dec_alloc = dec_alloc,
	.encode = encode, .decode = decode, .samples = samples,
};
