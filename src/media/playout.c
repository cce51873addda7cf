/**
 * @file playout.c  What waits in the jitter buffer into samples
 *
 * Media thread; part of a receiver.  Blocks of any length are taken out at the
 * flow's rate.  The jitter buffer says what is to be done, this file does it:
 * decode, make up, make shorter or longer, or be silent.
 *
 * Who sends two channels to somebody who can hear them gets a decoder of two,
 * for good; what it makes has a side in r->side, which goes the same way.  As
 * long as nobody does, one channel is all there is.
 */
#include "conceal.h"
#include "outlook.h"
#include "tsm.h"


enum {
	PIECE = CODEC_FRAME_MAX,
	RAMP_US = 2500,           /* of an abrupt begin                     */
	ENOUGH_MS = 20,           /* to find a cycle in                     */
	LIKE_QUIET = 88,          /* of a seam, where speech begins         */
};


static uint32_t dec_hz(const struct receiver *r)
{
	return r->cur ? r->cur->codec->rate_hz : r->rate_hz;
}


static size_t units_samples(const struct receiver *r, uint32_t units)
{
	const size_t n = (size_t)((uint64_t)units * dec_hz(r) / r->clock_hz);

	return n > PIECE ? PIECE : n;
}


static int32_t samples_units(const struct receiver *r, size_t n)
{
	return (int32_t)((uint64_t)n * r->clock_hz / dec_hz(r));
}


/* The decoder of a payload type, ready */
static int codec_use(struct receiver *r, uint8_t pt)
{
	struct rx_codec *c = r->cur;
	int err = 0;

	if (c && c->pt == pt && c->dec)
		return 0;

	c = receive_codec(r, pt);
	if (!c)
		return ENOENT;

	if (!c->dec)
		err = c->codec->dec_alloc(&c->dec, c->codec, &r->param);
	if (err)
		return err;

	r->cur = c;

	return c->codec->conceal || conceal_ready(r) ? 0 : ENOMEM;
}


/* What comes has two channels, and they are heard: without memory for that it
 * stays one */
static void two_need(struct receiver *r, const struct jitter_frame *jf)
{
	struct codec_param prm = r->param;
	struct rx_codec *c = r->cur;
	struct codec_dec *dec;

	if (c->two || !r->side.wanted || !c->codec->channels ||
	    c->codec->channels(jf->payload, jf->len) < 2)
		return;

	if (!r->side.v)
		r->side.v = mem_zalloc(sizeof(*r->side.v), NULL);
	prm.two = true;
	if (!r->side.v || c->codec->dec_alloc(&dec, c->codec, &prm))
		return;

	mem_deref(c->dec);
	c->dec = dec;
	c->two = true;
}


static int16_t *side_of(const struct receiver *r, unsigned i)
{
	return r->side.v ? (*r->side.v)[i] : NULL;
}


static int decode_now(struct receiver *r, const struct jitter_frame *jf,
		      int16_t *v, int16_t *side, size_t *n)
{
	const struct rx_codec *c = r->cur;
	int err;

	if (!c->two)
		return c->codec->decode(c->dec, v, n, jf->payload, jf->len);

	err = c->codec->decode_two(c->dec, v, side, n, jf->payload, jf->len);
	if (!err)
		conceal_side(r, side, *n);

	return err;
}


/* A packet whose turn it is. @return samples, 0: it cannot be decoded */
static size_t decode_whole(struct receiver *r, const struct jitter_frame *jf,
			   int16_t *v, unsigned i)
{
	size_t n = PIECE;

	r->side.has = false;
	if (codec_use(r, jf->pt))
		return 0;
	two_need(r, jf);

	if (jf->shown && r->ahead_n) {
		n = r->ahead_n;
		memcpy(v, r->ahead, n * sizeof(*v));
	}
	else if (decode_now(r, jf, v, side_of(r, i), &n)) {
		return 0;
	}

	conceal_heard(r, v, n);

	return n;
}


/* Into the scratch of that number */
static size_t decode(struct receiver *r, const struct jitter_frame *jf,
		     unsigned i)
{
	int16_t *v = (*r->scratch)[i];
	size_t n = decode_whole(r, jf, v, i), skip;
	int16_t *side = side_of(r, i);

	r->ahead_n = 0;
	if (!n) {
		const struct jitter_frame lost = { .dur = jf->dur };

		++r->decode_errors;
		n = conceal_gap(r, v, side, &lost);
	}

	skip = units_samples(r, jf->skip);
	if (skip > n)
		skip = n;
	if (skip)
		memmove(v, v + skip, (n - skip) * sizeof(*v));
	if (skip && r->side.has)
		memmove(side, side + skip, (n - skip) * sizeof(*side));

	return n - skip;
}


static void fade(int16_t *v, size_t n, bool in)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (int16_t)(v[i] * (int32_t)(in ? i : n - i) /
				 (int32_t)n);
}


/* Next to nothing, or far below what was loud lately? */
static bool power_quiet(const struct receiver *r, double power)
{
	return power < 30.0 || power < r->peak * 3e-4;
}


/* It was quiet until now; is this, too, or does somebody begin to speak? */
static bool faint(const struct receiver *r, const int16_t *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];

	return !n || power_quiet(r, sum / (double)n);
}


/* Make it shorter or longer, when there is a place for it */
static size_t retime(struct receiver *r, const struct pace_step *p,
		     uint64_t now_us, int16_t *v, size_t n)
{
	const size_t room = units_samples(r, p->room);
	const unsigned like = p->like_pct || faint(r, v, n) ? p->like_pct
							    : LIKE_QUIET;
	int16_t *side = r->side.has ? side_of(r, 0) : NULL;
	size_t m;

	if (p->tempo == TEMPO_FASTER)
		m = tsm_shorten(v, side, n, room, dec_hz(r), like);
	else
		m = tsm_lengthen(v, side, n, room, PIECE, dec_hz(r), like);

	if (m != n)
		jitter_retimed(r->jitter, now_us, samples_units(r, m) -
			       samples_units(r, n));

	return m;
}


/* m samples behind n: one of the two may have no side */
static void side_join(struct receiver *r, bool had, size_t n, size_t m)
{
	int16_t *a = side_of(r, 0), *b = side_of(r, 1);

	if (!had && !r->side.has)
		return;

	if (!had)
		memset(a, 0, n * sizeof(*a));
	if (r->side.has)
		memcpy(a + n, b, m * sizeof(*a));
	else
		memset(a + n, 0, m * sizeof(*a));
	r->side.has = true;
}


/* In a short packet there is not room for a cycle: take what follows, too */
static size_t packet_more(struct receiver *r, struct jitter_frame *jf,
			  uint64_t now_us, int16_t *v, size_t n)
{
	const size_t enough = dec_hz(r) / 1000 * ENOUGH_MS;

	while (jf->more && n < enough) {
		const struct rx_codec *cur = r->cur;
		const int16_t *b = (*r->scratch)[1];
		const bool had = r->side.has;
		size_t m;

		if (jitter_get(r->jitter, now_us, 0, false, jf) !=
		    JITTER_PACKET)
			break;
		m = decode(r, jf, 1);

		/* of another rate: it cannot be joined, and is let go */
		if (r->cur != cur || n + m > PIECE) {
			r->side.has = had;
			break;
		}
		memcpy(v + n, b, m * sizeof(*v));
		side_join(r, had, n, m);
		n += m;
	}

	return n;
}


static size_t packet_play(struct receiver *r, struct jitter_frame *jf,
			  uint64_t now_us, int16_t *v)
{
	const struct pace_step pace = jf->pace;
	size_t n = decode(r, jf, 0);

	if (pace.tempo != TEMPO_KEEP) {
		n = packet_more(r, jf, now_us, v, n);
		n = retime(r, &pace, now_us, v, n);
	}

	/* noise leads into speech by itself */
	if (r->silent && !r->noise.on) {
		const size_t ramp = (uint64_t)dec_hz(r) * RAMP_US / 1000000;

		fade(v, n < ramp ? n : ramp, true);
		if (r->side.has)
			fade(side_of(r, 0), n < ramp ? n : ramp, true);
	}
	r->silent = false;

	return n;
}


/* Nothing is due: what is heard then */
static size_t silence_play(struct receiver *r, const struct jitter_frame *jf,
			   int16_t *v)
{
	const bool noise = r->noise.on && dec_hz(r) == NOISE_HZ;

	/* of a sender that is silent on purpose the decoder knows how its
	 * silence sounds */
	const bool own = r->param.dtx && r->cur && r->cur->codec->conceal;
	int16_t *b = (*r->scratch)[1];
	size_t n = units_samples(r, jf->dur);

	r->side.has = false;
	if (r->silent) {
		if (noise)
			noise_fill(&r->noise, v, n);
		else if (own)
			n = conceal_silence(r, v, side_of(r, 0), jf->dur);
		else
			memset(v, 0, n * sizeof(*v));
		return n;
	}

	if (own) {
		r->silent = true;
		return conceal_silence(r, v, side_of(r, 0), jf->dur);
	}
	n = conceal_gap(r, v, side_of(r, 0), jf);
	fade(v, n, false);
	if (r->side.has)
		fade(side_of(r, 0), n, false);
	if (noise) {
		noise_fill(&r->noise, b, n);
		fade(b, n, true);
		mixer_add(v, b, n);
	}
	r->silent = true;

	return n;
}


/* To the flow's rate, from one scratch to the other. @return samples */
static size_t piece_convert(struct receiver *r, size_t n)
{
	const int16_t *side = r->side.has ? side_of(r, 0) : NULL;
	size_t made = PIECE;

	if (r->resampler_hz != dec_hz(r)) {
		r->resampler = mem_deref(r->resampler);
		r->resampler_hz = 0;
		if (!resampler_alloc(&r->resampler, dec_hz(r), r->rate_hz, 3))
			r->resampler_hz = dec_hz(r);
	}

	if (!r->resampler_hz ||
	    resampler_run_two(r->resampler, (*r->scratch)[0], side_of(r, 1) ?
			      side : NULL, &n, (*r->scratch)[1],
			      side_of(r, 1), &made, &r->side.has))
		made = 0;

	return made;
}


/* About want samples at the flow's rate, in scratch, with their side; at least
 * one */
static size_t piece_get(struct receiver *r, size_t want, uint64_t now_us,
			const int16_t **vp, const int16_t **sidep)
{
	uint32_t units = (uint32_t)((uint64_t)want * r->clock_hz /
				    r->rate_hz);
	struct jitter_frame jf;
	int16_t *v = (*r->scratch)[0];
	unsigned at = 0;
	size_t n = 0;

	if (!units)
		units = 1;

	switch (jitter_get(r->jitter, now_us, units, r->quiet, &jf)) {

	case JITTER_PACKET:
		n = packet_play(r, &jf, now_us, v);
		break;

	case JITTER_LOST:
		n = conceal_gap(r, v, side_of(r, 0), &jf);
		break;

	case JITTER_SILENCE:
		n = silence_play(r, &jf, v);
		break;
	}

	if (n && dec_hz(r) != r->rate_hz) {
		n = piece_convert(r, n);
		at = 1;
	}

	*vp = (*r->scratch)[at];
	*sidep = r->side.has ? side_of(r, at) : NULL;

	return n;
}


/* Keep what the block had no room for */
static void left_keep(struct receiver *r, const int16_t *v,
		      const int16_t *side, size_t n)
{
	r->side.left_has = n && side && conceal_room(&r->side.left,
						  &r->side.left_max, n);
	if (r->side.left_has)
		memcpy(r->side.left, side, n * sizeof(*side));
	if (!conceal_room(&r->left, &r->left_max, n))
		return;

	if (n)
		memcpy(r->left, v, n * sizeof(*v));
	r->left_n = n;
	r->left_at = 0;
}


/* Beside the n samples from at on, of which there is room in side if it is
 * heard. NULL: there is nothing */
static bool side_put(int16_t *side, bool has, const int16_t *from, size_t at,
		     size_t n)
{
	if (!side || (!has && !from))
		return false;

	if (!has)
		memset(side, 0, at * sizeof(*side));
	if (from)
		memcpy(side + at, from, n * sizeof(*side));
	else
		memset(side + at, 0, n * sizeof(*side));

	return true;
}


static size_t left_take(struct receiver *r, int16_t *v, int16_t *side,
			size_t n, bool *has)
{
	const size_t k = r->left_n < n ? r->left_n : n;

	*has = k && side_put(side, false, r->side.left_has ?
			     r->side.left + r->left_at : NULL, 0, k);

	if (k)
		memcpy(v, r->left + r->left_at, k * sizeof(*v));
	r->left_at += k;
	r->left_n -= k;

	return k;
}


bool playout_block(struct receiver *r, int16_t *v, int16_t *side, size_t n,
		   uint64_t now_us)
{
	size_t have = 0;
	double power;
	bool has;

	assert_media();

	outlook_look(r, now_us);
	jitter_set_block(r->jitter, (uint32_t)((uint64_t)n * r->clock_hz /
					       r->rate_hz));

	r->side.wanted = side != NULL;
	have = left_take(r, v, side, n, &has);

	/* each turn brings at least a sample, unless something is broken */
	for (unsigned turns = 0; have < n && turns < n; turns++) {
		const int16_t *p, *s;
		const size_t k = piece_get(r, n - have, now_us, &p, &s);
		const size_t take = k < n - have ? k : n - have;

		memcpy(v + have, p, take * sizeof(*v));
		has = side_put(side, has, s, have, take);
		have += take;
		left_keep(r, p + take, s ? s + take : NULL, k - take);
	}

	memset(v + have, 0, (n - have) * sizeof(*v));
	if (has)
		memset(side + have, 0, (n - have) * sizeof(*side));

	power = level_add(&r->level, v, n);
	r->peak = power > r->peak ? power : r->peak * 0.9995;
	r->quiet = power_quiet(r, power);

	return has;
}
