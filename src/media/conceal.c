/**
 * @file conceal.c  What was lost is made up
 *
 * Media thread; part of a receiver.  By the codec, when it knows how (Opus),
 * else by struct plc, from what is heard around a gap.
 */
#include "conceal.h"


void conceal_side(struct receiver *r, const int16_t *side, size_t n)
{
	r->side.has = false;
	for (size_t i = 0; i < n && !r->side.has; i++)
		r->side.has = side[i] != 0;
}


bool conceal_room(int16_t **vp, size_t *max, size_t n)
{
	int16_t *v;

	if (n <= *max)
		return true;

	v = mem_alloc(n * sizeof(*v), NULL);
	if (!v)
		return false;

	mem_deref(*vp);
	*vp = v;
	*max = n;

	return true;
}


static uint32_t rate_of(const struct receiver *r)
{
	return r->cur ? r->cur->codec->rate_hz : r->rate_hz;
}


bool conceal_ready(struct receiver *r)
{
	const uint32_t hz = rate_of(r);

	if (r->plc_hz == hz)
		return true;

	r->plc = mem_deref(r->plc);
	r->plc_hz = 0;
	if (plc_alloc(&r->plc, hz))
		return false;
	r->plc_hz = hz;

	return true;
}


void conceal_heard(struct receiver *r, int16_t *v, size_t n)
{
	if (!r->cur->codec->conceal)
		plc_good(r->plc, v, n);
}


/* Decode the packet behind a gap before its turn */
static bool look_ahead(struct receiver *r, const struct jitter_frame *jf)
{
	const struct rx_codec *c = r->cur;
	size_t n = c->codec->samples(jf->payload, jf->len);

	if (!n || !conceal_room(&r->ahead, &r->ahead_max, n) ||
	    c->codec->decode(c->dec, r->ahead, &n, jf->payload, jf->len))
		return false;

	r->ahead_n = n;

	return true;
}


/* By the codec. codecs make whole steps of 2.5 ms */
static int conceal_own(struct receiver *r, int16_t *v, int16_t *side,
		       size_t n, const uint8_t *next, size_t nextlen)
{
	const struct codec *c = r->cur->codec;
	const size_t step = c->rate_hz / 400;
	const size_t of_next = next ? c->samples(next, nextlen) : 0;
	const size_t need = n < of_next ? of_next : n;
	const size_t whole = (need + step - 1) / step * step;
	int err;

	if (whole > CODEC_FRAME_MAX)
		return EINVAL;
	if (!r->cur->two)
		err = c->conceal(r->cur->dec, v, whole, next, nextlen);
	else
		err = c->conceal_two(r->cur->dec, v, side, whole, next,
				     nextlen);
	if (err)
		return err;

	/* what is behind a gap restores its end, whole or not at all: when
	 * the first of it has been made up already only the rest is wanted */
	if (n < of_next)
		memmove(v, v + whole - n, n * sizeof(*v));
	if (!r->cur->two)
		return 0;

	if (n < of_next)
		memmove(side, side + whole - n, n * sizeof(*side));
	conceal_side(r, side, n);

	return 0;
}


size_t conceal_silence(struct receiver *r, int16_t *v, int16_t *side,
		       uint32_t units)
{
	const size_t n = (size_t)((uint64_t)units * rate_of(r) / r->clock_hz);

	r->side.has = false;
	if (n > CODEC_FRAME_MAX || conceal_own(r, v, side, n, NULL, 0))
		memset(v, 0, n * sizeof(*v));

	return n;
}


size_t conceal_gap(struct receiver *r, int16_t *v, int16_t *side,
		   const struct jitter_frame *jf)
{
	const uint64_t all = (uint64_t)jf->dur * rate_of(r) / r->clock_hz;
	const size_t n = all < CODEC_FRAME_MAX ? (size_t)all
						: CODEC_FRAME_MAX;
	const struct codec *c = r->cur ? r->cur->codec : NULL;

	/* what follows helps, if it is of the same kind */
	const bool next = c && jf->payload && jf->pt == r->cur->pt;

	r->side.has = false;
	if (jf->payload)
		r->ahead_n = 0;

	if (!c) {
		memset(v, 0, n * sizeof(*v));
	}
	else if (c->conceal) {
		const uint8_t *p = next ? jf->payload : NULL;

		if (conceal_own(r, v, side, n, p, next ? jf->len : 0))
			memset(v, 0, n * sizeof(*v));
	}
	else if (next && look_ahead(r, jf)) {
		plc_bridge(r->plc, v, n, r->ahead, r->ahead_n);
	}
	else {
		plc_lost(r->plc, v, n);
	}

	return n;
}
