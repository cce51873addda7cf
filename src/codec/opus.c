/**
 * @file opus.c  Opus by libopus: 48 kHz, tuned for speech (RFC 7587)
 *
 * SDP always says opus/48000/2; what a peer sends in stereo is mixed down by
 * the decoder, unless both channels can be heard.  We send both channels of
 * what has two (a file that is played) when the options allow it and the peer's
 * fmtp asks for it, each packet for itself: a voice stays mono.  libopus' state
 * lies in ours, one piece of memory (44 kB to encode, 18 kB to decode; two
 * channels take 26); nothing is allocated after the alloc functions.  Media
 * thread, but for the fmtp functions: main.
 *
 * Lost packets: with in-band FEC the packet after the gap carries a poorer
 * copy of the last one lost, else libopus makes something up.
 */
#include <opus/opus.h>
#include <offhook/compat.h>
#include <offhook/text.h>
#include "priv.h"


enum {
	RATE = 48000,
	STEP = RATE / 400,            /* 2.5 ms: what libopus counts in     */
	BITRATE_DEFAULT = 40000,      /* the upper end of what RFC 7587
				       * 3.1.1 calls right for full band
				       * speech; heard in STOI, not in CPU  */
	BITRATE_MIN = 6000,
	BITRATE_MAX = 510000,
	COMPLEXITY_DEFAULT = 5,       /* half the CPU of 9, hardly audible  */
	RATE_LIMIT_MIN = 8000,        /* maxplaybackrate                    */
};

struct codec_enc {
	bool dtx;
	int channels;
	bool two;                     /* they differ in this packet         */
	uint64_t state[];             /* an OpusEncoder, aligned            */
};

struct codec_dec {
	int channels;
	uint64_t state[];             /* an OpusDecoder, aligned            */
};


/* 1 kHz */
static const int16_t vec_pcm[] = {
	0, 1044, 2071, 3061, 4000, 4870, 5657, 6347,
	6928, 7391, 7727, 7932, 8000, 7932, 7727, 7391,
	6928, 6347, 5657, 4870, 4000, 3061, 2071, 1044,
	0, -1044, -2071, -3061, -4000, -4870, -5657, -6347,
	-6928, -7391, -7727, -7932, -8000, -7932, -7727, -7391,
	-6928, -6347, -5657, -4870, -4000, -3061, -2071, -1044,
};

static const struct codec_vector vector = {
	vec_pcm, sizeof(vec_pcm) / sizeof(vec_pcm[0]), NULL, 0, 15.0
};


static inline OpusEncoder *encoder(struct codec_enc *e)
{
	return (OpusEncoder *)(void *)e->state;
}


static inline OpusDecoder *decoder(struct codec_dec *d)
{
	return (OpusDecoder *)(void *)d->state;
}


static int clamp(int v, int lo, int hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}


static int errno_of(int opus_err)
{
	switch (opus_err) {

	case OPUS_OK:               return 0;
	case OPUS_ALLOC_FAIL:       return ENOMEM;
	case OPUS_BUFFER_TOO_SMALL: return EOVERFLOW;
	default:                    return EINVAL;
	}
}


/* the least bandwidth that still fills what the peer can play */
static int bandwidth(int max_rate_hz)
{
	if (max_rate_hz <= 0 || max_rate_hz > 24000)
		return OPUS_BANDWIDTH_FULLBAND;
	if (max_rate_hz > 16000)
		return OPUS_BANDWIDTH_SUPERWIDEBAND;
	if (max_rate_hz > 12000)
		return OPUS_BANDWIDTH_WIDEBAND;
	if (max_rate_hz > 8000)
		return OPUS_BANDWIDTH_MEDIUMBAND;

	return OPUS_BANDWIDTH_NARROWBAND;
}


static int tune(struct codec_enc *e, const struct codec_param *prm)
{
	OpusEncoder *o = encoder(e);
	const int bitrate = prm->bitrate > 0
		? clamp(prm->bitrate, BITRATE_MIN, BITRATE_MAX)
		: BITRATE_DEFAULT;
	const int complexity = prm->complexity < 0
		? COMPLEXITY_DEFAULT : clamp(prm->complexity, 0, 10);
	const int loss = prm->fec ? clamp(prm->loss_pct, 0, 100) : 0;
	int r;

	e->dtx = prm->dtx;

	/* the copies of FEC are only made when loss is expected */
	if (OPUS_OK != (r = opus_encoder_ctl(o, OPUS_SET_BITRATE(bitrate))) ||
	    OPUS_OK != (r = opus_encoder_ctl(o,
				OPUS_SET_COMPLEXITY(complexity))) ||
	    OPUS_OK != (r = opus_encoder_ctl(o, OPUS_SET_VBR(!prm->cbr))) ||
	    OPUS_OK != (r = opus_encoder_ctl(o, OPUS_SET_DTX(prm->dtx))) ||
	    OPUS_OK != (r = opus_encoder_ctl(o,
				OPUS_SET_INBAND_FEC(prm->fec))) ||
	    OPUS_OK != (r = opus_encoder_ctl(o,
				OPUS_SET_PACKET_LOSS_PERC(loss))) ||
	    OPUS_OK != (r = opus_encoder_ctl(o,
		OPUS_SET_MAX_BANDWIDTH(bandwidth(prm->max_rate_hz)))))
		return errno_of(r);

	return 0;
}


static int enc_alloc(struct codec_enc **ep, const struct codec *c,
		     const struct codec_param *prm)
{
	const int channels = prm->stereo ? 2 : 1;
	struct codec_enc *e;
	int err;
	(void)c;

	e = mem_zalloc(sizeof(*e) + (size_t)opus_encoder_get_size(channels),
		       NULL);
	if (!e)
		return ENOMEM;

	e->channels = channels;
	err = errno_of(opus_encoder_init(encoder(e), RATE, channels,
					 OPUS_APPLICATION_VOIP));
	if (!err && channels == 2)
		err = errno_of(opus_encoder_ctl(encoder(e),
						OPUS_SET_FORCE_CHANNELS(1)));
	if (!err)
		err = tune(e, prm);
	if (err) {
		mem_deref(e);
		return err;
	}

	*ep = e;

	return 0;
}


static int dec_alloc(struct codec_dec **dp, const struct codec *c,
		     const struct codec_param *prm)
{
	const int channels = prm->two ? 2 : 1;
	struct codec_dec *d;
	int err;
	(void)c;

	d = mem_zalloc(sizeof(*d) + (size_t)opus_decoder_get_size(channels),
		       NULL);
	if (!d)
		return ENOMEM;

	d->channels = channels;
	err = errno_of(opus_decoder_init(decoder(d), RATE, channels));
	if (err) {
		mem_deref(d);
		return err;
	}

	*dp = d;

	return 0;
}


/* From now on both channels, or one. What is sent in mono costs and weighs as
 * in a call that is mono all along */
static void channels_use(struct codec_enc *e, bool two)
{
	if (two == e->two)
		return;

	e->two = two;
	(void)opus_encoder_ctl(encoder(e), OPUS_SET_FORCE_CHANNELS(two ? 2 :
								   1));
}


static inline int16_t clip(int v)
{
	return (int16_t)clamp(v, INT16_MIN, INT16_MAX);
}


static int encode_two(struct codec_enc *e, uint8_t *buf, size_t *len,
		      const int16_t *v, const int16_t *side, size_t n)
{
	int16_t both[2 * CODEC_FRAME_MAX];
	int r;

	if (n > CODEC_FRAME_MAX)
		return EINVAL;
	if (!*len)
		return EOVERFLOW;

	if (e->channels == 2) {
		channels_use(e, side);
		for (size_t i = 0; i < n; i++) {
			const int s = side ? side[i] : 0;

			both[2 * i] = clip(v[i] + s);
			both[2 * i + 1] = clip(v[i] - s);
		}
		v = both;
	}

	r = opus_encode(encoder(e), v, (int)n, buf,
			(opus_int32)(*len < CODEC_BYTES_MAX ? *len
							    : CODEC_BYTES_MAX));
	if (r < 0)
		return errno_of(r);

	/* libopus says: one or two bytes need not be sent */
	*len = e->dtx && r <= 2 ? 0 : (size_t)r;

	return 0;
}


static int encode(struct codec_enc *e, uint8_t *buf, size_t *len,
		  const int16_t *v, size_t n)
{
	return encode_two(e, buf, len, v, NULL, n);
}


/* v: as many channels as the decoder has, by turns */
static int packet_decode(struct codec_dec *d, int16_t *v, size_t *n,
			 const uint8_t *buf, size_t len)
{
	int r;

	if (!len || len > INT32_MAX)      /* no bytes would mean: conceal */
		return EINVAL;

	r = opus_decode(decoder(d), buf, (opus_int32)len, v,
			*n < CODEC_FRAME_MAX ? (int)*n : CODEC_FRAME_MAX, 0);
	if (r < 0)
		return errno_of(r);

	*n = (size_t)r;

	return 0;
}


/* Towards zero both, or the silence of one channel would be a bit of noise */
static void sides_make(int16_t *v, int16_t *side, const int16_t *both,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const int l = both[2 * i], r = both[2 * i + 1];

		v[i] = (int16_t)((l + r) / 2);
		side[i] = (int16_t)((l - r) / 2);
	}
}


static int decode(struct codec_dec *d, int16_t *v, size_t *n,
		  const uint8_t *buf, size_t len)
{
	return d->channels == 1 ? packet_decode(d, v, n, buf, len) : EINVAL;
}


static int decode_two(struct codec_dec *d, int16_t *v, int16_t *side,
		      size_t *n, const uint8_t *buf, size_t len)
{
	int16_t both[2 * CODEC_FRAME_MAX];
	int err;

	if (d->channels != 2)
		return EINVAL;

	err = packet_decode(d, both, n, buf, len);
	if (!err)
		sides_make(v, side, both, *n);

	return err;
}


static int gap_fill(struct codec_dec *d, int16_t *v, size_t n,
		    const uint8_t *next, size_t nextlen)
{
	const size_t channels = (size_t)d->channels;
	int r = OPUS_INVALID_PACKET;

	if (!n || n % STEP || n > CODEC_FRAME_MAX)
		return EINVAL;

	/* of a gap longer than the packet libopus makes up the first part
	 * and takes the last from the packet */
	if (next && nextlen && nextlen <= INT32_MAX)
		r = opus_decode(decoder(d), next, (opus_int32)nextlen, v,
				(int)n, 1);
	if (r < 0)
		r = opus_decode(decoder(d), NULL, 0, v, (int)n, 0);
	if (r < 0)
		return errno_of(r);

	/* never less than asked for */
	if ((size_t)r < n)
		memset(v + channels * (size_t)r, 0,
		       channels * (n - (size_t)r) * sizeof(*v));

	return 0;
}


static int conceal(struct codec_dec *d, int16_t *v, size_t n,
		   const uint8_t *next, size_t nextlen)
{
	return d->channels == 1 ? gap_fill(d, v, n, next, nextlen) : EINVAL;
}


static int conceal_two(struct codec_dec *d, int16_t *v, int16_t *side,
		       size_t n, const uint8_t *next, size_t nextlen)
{
	int16_t both[2 * CODEC_FRAME_MAX];
	int err;

	if (d->channels != 2)
		return EINVAL;

	err = gap_fill(d, both, n, next, nextlen);
	if (!err)
		sides_make(v, side, both, n);

	return err;
}


static unsigned channels(const uint8_t *buf, size_t len)
{
	return len && opus_packet_get_nb_channels(buf) == 2 ? 2 : 1;
}


static size_t samples(const uint8_t *buf, size_t len)
{
	int r;

	if (!len || len > INT32_MAX)
		return 0;

	r = opus_packet_get_nb_samples(buf, (opus_int32)len, RATE);

	return r > 0 && r <= CODEC_FRAME_MAX ? (size_t)r : 0;
}


static void fmtp_print(char *buf, size_t sz, const struct codec_param *prm)
{
	struct text_buf b = { .max = 256 };

	if (!sz)
		return;

	/* What we like to be sent, where it differs from the defaults. The bit
	 * rate is what we send ourselves and no limit for the peer. */
	if (prm->fec)
		text_add(&b, ";useinbandfec=1");
	if (prm->dtx)
		text_add(&b, ";usedtx=1");
	if (prm->cbr)
		text_add(&b, ";cbr=1");
	if (prm->stereo_in)
		text_add(&b, ";stereo=1");
	if (prm->stereo)
		text_add(&b, ";sprop-stereo=1");
	if (prm->max_rate_hz > 0)
		text_add(&b, ";maxplaybackrate=%d",
			 clamp(prm->max_rate_hz, RATE_LIMIT_MIN, RATE));

	buf[0] = '\0';
	if (!b.err && b.len && b.len <= sz)
		memcpy(buf, b.s + 1, b.len);      /* less the first ';' */

	text_buf_reset(&b);
}


/* One parameter of the peer. What is malformed or out of range is as if it
 * had not been said; what we do not know does not concern us. */
static void parse_param(struct codec_param *prm, bool *fec, bool *stereo,
			const char *name, size_t nlen,
			const char *val, size_t vlen)
{
	uint32_t v;

	if (text_u32(&v, val, vlen, BITRATE_MAX))
		return;

	if (text_caseeq(name, nlen, "useinbandfec")) {
		if (v <= 1)
			*fec = v;
	}
	else if (text_caseeq(name, nlen, "stereo")) {
		if (v <= 1)
			*stereo = v;
	}
	else if (text_caseeq(name, nlen, "usedtx")) {
		if (v == 1)
			prm->dtx = true;
	}
	else if (text_caseeq(name, nlen, "cbr")) {
		if (v == 1)
			prm->cbr = true;
	}
	else if (text_caseeq(name, nlen, "maxplaybackrate")) {
		if (v >= RATE_LIMIT_MIN && v <= RATE)
			prm->max_rate_hz = (int)v;
	}
	else if (text_caseeq(name, nlen, "maxaveragebitrate")) {
		if (v >= BITRATE_MIN &&
		    v < (prm->bitrate > 0 ? (uint32_t)prm->bitrate
					  : BITRATE_DEFAULT))
			prm->bitrate = (int)v;
	}

	/* sprop-stereo: we take what comes */
}


static void trim(const char **p, size_t *len)
{
	while (*len && strchr(" \t", **p)) {
		++*p;
		--*len;
	}
	while (*len && strchr(" \t", (*p)[*len - 1]))
		--*len;
}


static int fmtp_parse(struct codec_param *prm, const char *fmtp)
{
	bool fec = false, stereo = false;

	while (fmtp && *fmtp) {
		const size_t plen = strcspn(fmtp, ";");
		const char *eq = memchr(fmtp, '=', plen);

		if (eq) {
			const char *name = fmtp, *val = eq + 1;
			size_t nlen = (size_t)(eq - fmtp);
			size_t vlen = plen - nlen - 1;

			trim(&name, &nlen);
			trim(&val, &vlen);
			parse_param(prm, &fec, &stereo, name, nlen, val,
				    vlen);
		}

		fmtp += plen;
		if (*fmtp)
			++fmtp;
	}

	/* copies are made only when we want to and the peer can use them */
	prm->fec = prm->fec && fec;
	prm->stereo = prm->stereo && stereo;

	return 0;
}


const struct codec codec_opus = {
	.name = "opus", .sdp_name = "opus",
	.rate_hz = RATE, .clock_hz = RATE, .sdp_channels = 2, .pt = -1,
	.ptime_max_ms = 120,
	.ptime_step_ms = 20,          /* no 30, 50, ... ms in one packet    */
	.delay_samples = 312,         /* 6.5 ms of look-ahead               */
	.vector = &vector,
	.enc_alloc = enc_alloc, .dec_alloc = dec_alloc,
	.encode = encode, .encode_two = encode_two, .tune = tune,
	.decode = decode, .conceal = conceal, .samples = samples,
	.channels = channels,
	.decode_two = decode_two, .conceal_two = conceal_two,
	.fmtp_print = fmtp_print, .fmtp_parse = fmtp_parse,
};
