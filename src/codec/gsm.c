/**
 * @file gsm.c  GSM 06.10 at 13 kbit/s, by spandsp
 *
 * For old gateways and thin lines.  A frame is 20 ms in 33 bytes, which begin
 * with a signature of four bits (RFC 3551 4.5.8).  The sound is plainly worse
 * than G.711's, so it is spoken only where somebody names it.  Media thread;
 * allocates only in the two alloc functions.
 */
#include <offhook/compat.h>
#include <spandsp/telephony.h>
#include <spandsp/gsm0610.h>
#include "priv.h"


enum {
	FRAME = 160,             /* samples                                 */
	BYTES = 33,
	SIGNATURE = 0xd,
};

/* Both ways have the same state */
struct gsm {
	gsm0610_state_t *st;
};

struct codec_enc {
	struct gsm gsm;
};

struct codec_dec {
	struct gsm gsm;
};


/* 500 Hz */
static const int16_t vec_pcm[] = {
	0, 3061, 5657, 7391, 8000, 7391, 5657, 3061,
	0, -3061, -5657, -7391, -8000, -7391, -5657, -3061,
};

static const struct codec_vector vector = {
	vec_pcm, sizeof(vec_pcm) / sizeof(vec_pcm[0]), NULL, 0, 15.0
};


static void destructor(void *data)
{
	struct gsm *g = data;

	if (g->st)
		(void)gsm0610_free(g->st);
}


/* NULL: no memory, or spandsp, which may be loaded late, is not there */
static void *state_alloc(void)
{
	struct gsm *g = mem_zalloc(sizeof(*g), destructor);

	if (!g)
		return NULL;

	g->st = gsm0610_init(NULL, GSM0610_PACKING_VOIP);

	return g->st ? g : mem_deref(g);
}


static bool ready(void)
{
	void *state = state_alloc();
	const bool is = state != NULL;

	mem_deref(state);

	return is;
}


static int enc_alloc(struct codec_enc **ep, const struct codec *c,
		     const struct codec_param *prm)
{
	(void)c;
	(void)prm;

	*ep = state_alloc();

	return *ep ? 0 : ENOMEM;
}


static int dec_alloc(struct codec_dec **dp, const struct codec *c,
		     const struct codec_param *prm)
{
	(void)c;
	(void)prm;

	*dp = state_alloc();

	return *dp ? 0 : ENOMEM;
}


static int encode(struct codec_enc *e, uint8_t *buf, size_t *len,
		  const int16_t *v, size_t n)
{
	int r;

	if (!n || n % FRAME || n > CODEC_FRAME_MAX)
		return EINVAL;
	if (n / FRAME * BYTES > *len)
		return EOVERFLOW;

	r = gsm0610_encode(e->gsm.st, buf, v, (int)n);
	if (r < 0)
		return EINVAL;

	*len = (size_t)r;

	return 0;
}


static size_t samples(const uint8_t *buf, size_t len)
{
	const size_t frames = len / BYTES;

	if (len % BYTES || frames > CODEC_FRAME_MAX / FRAME)
		return 0;

	for (size_t i = 0; i < frames; i++) {
		if (buf[i * BYTES] >> 4 != SIGNATURE)
			return 0;
	}

	return frames * FRAME;
}


static int decode(struct codec_dec *d, int16_t *v, size_t *n,
		  const uint8_t *buf, size_t len)
{
	const size_t made = samples(buf, len);
	int r;

	if (!made)
		return EINVAL;
	if (made > *n)
		return EOVERFLOW;

	r = gsm0610_decode(d->gsm.st, v, buf, (int)len);
	if (r < 0 || (size_t)r > made)
		return EINVAL;

	*n = (size_t)r;

	return 0;
}


const struct codec codec_gsm = {
	.name = "gsm", .sdp_name = "GSM",
	.rate_hz = 8000, .clock_hz = 8000, .sdp_channels = 1, .pt = 3,
	.ptime_min_ms = 20, .ptime_max_ms = 120, .ptime_step_ms = 20,
	.vector = &vector,
	.ready = ready, .enc_alloc = enc_alloc, .dec_alloc = dec_alloc,
	.encode = encode, .decode = decode, .samples = samples,
};
