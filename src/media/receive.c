/**
 * @file receive.c  Packets into samples
 *
 * Media thread; owned by its flow.  Packets of our peer go to the jitter
 * buffer, events aside; blocks of any length are taken out at the flow's
 * rate.  The jitter buffer says what is to be done, this file does it:
 * decode, make up, merge, or be silent.
 */
#include <math.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "priv.h"


enum {
	PIECE = CODEC_FRAME_MAX,
	RAMP_US = 2500,           /* of an abrupt begin                     */
	LOOK_US = 1000000,        /* how often loss is looked at            */
};

/* share lost, averaged over some five seconds, that is worth delay: two
 * packets in that time; and that is not */
#define LOSS_ON  0.005
#define LOSS_OFF 0.001


static struct rx_codec *codec_by_pt(struct receiver *r, uint8_t pt)
{
	for (unsigned i = 0; i < r->codec_count; i++) {
		if (r->codecs[i].pt == pt)
			return &r->codecs[i];
	}

	return NULL;
}


/* The clock of a telephone-event, 0: it is none */
static uint32_t event_clock(const struct receiver *r, uint8_t pt)
{
	for (unsigned i = 0; i < r->te_count; i++) {
		if (r->te[i].pt == pt)
			return r->te[i].clock_hz;
	}

	return 0;
}


bool receive_knows(const struct receiver *r, uint8_t pt)
{
	return event_clock(r, pt) || codec_by_pt((struct receiver *)r, pt);
}


/* Start, stop ----------------------------------------------------------- */

static bool codecs_same(const struct receiver *r,
			const struct media_plan *plan)
{
	if (!r->codec_count || r->codecs[0].pt != plan->pt_recv ||
	    r->codecs[0].codec != plan->codec ||
	    r->codec_count != plan->also_count + 1)
		return false;

	for (unsigned i = 0; i < plan->also_count; i++) {
		if (r->codecs[i + 1].pt != plan->also_recv[i] ||
		    r->codecs[i + 1].codec != plan->also_codec[i])
			return false;
	}

	return true;
}


static void events_start(struct receiver *r, const struct media_plan *plan)
{
	const uint32_t own_hz = plan->codec->clock_hz;
	const struct media_events first = {
		.pt = (uint8_t)plan->te_recv,
		.clock_hz = plan->te_clock_hz ? plan->te_clock_hz : own_hz,
	};

	r->te_count = 0;
	if (plan->te_recv >= 0)
		r->te[r->te_count++] = first;
	for (unsigned i = 0; i < plan->te_also_count; i++)
		r->te[r->te_count++] = plan->te_also[i];

	r->dtmf.clock_hz = r->te_count ? r->te[0].clock_hz : own_hz;
}


int receive_start(struct receiver *r, const struct media_plan *plan,
		  const struct media_conf *mc)
{
	const struct codec *c = plan->codec;
	const struct jitter_conf conf = {
		.clock_hz = c->clock_hz,
		.min_ms = mc->jitter_min_ms,
		.max_ms = mc->jitter_max_ms ? mc->jitter_max_ms : 200,
	};
	struct jitter *jitter = NULL;
	int err;

	events_start(r, plan);

	if (r->jitter && codecs_same(r, plan) && r->rate_hz == c->rate_hz)
		return 0;

	if (plan->also_count >= RX_CODECS)
		return EINVAL;

	err = jitter_alloc(&jitter, &conf);
	if (err)
		return err;

	receive_stop(r);

	r->jitter = jitter;
	r->clock_hz = c->clock_hz;
	r->rate_hz = c->rate_hz;
	r->param = plan->param;
	r->codecs[0].pt = plan->pt_recv;
	r->codecs[0].codec = c;
	for (unsigned i = 0; i < plan->also_count; i++) {
		r->codecs[i + 1].pt = plan->also_recv[i];
		r->codecs[i + 1].codec = plan->also_codec[i];
	}
	r->codec_count = plan->also_count + 1;
	r->quiet = r->silent = true;
	level_init(&r->level, r->rate_hz);

	return 0;
}


void receive_stop(struct receiver *r)
{
	if (r->jitter) {
		struct jitter_stats st;

		jitter_stats(r->jitter, &st);
		r->late += st.late;
		r->duplicate += st.duplicate;
		r->reordered += st.reordered;
		r->discarded += st.refused + st.overflow;
		r->concealed_ms += st.concealed_us / 1000;
	}

	for (unsigned i = 0; i < r->codec_count; i++)
		r->codecs[i].dec = mem_deref(r->codecs[i].dec);

	r->codec_count = 0;
	r->cur = NULL;
	r->jitter = mem_deref(r->jitter);
	r->plc = mem_deref(r->plc);
	r->resampler = mem_deref(r->resampler);
	r->left = mem_deref(r->left);
	r->left_n = r->left_at = r->left_max = 0;
	r->ahead = mem_deref(r->ahead);
	r->ahead_n = r->ahead_max = 0;
}


void receive_pause(struct receiver *r)
{
	if (r->jitter)
		jitter_reset(r->jitter, 0);

	/* what comes meanwhile is not lost */
	r->lost_before += source_lost(&r->source);
	r->source.known = false;
	r->left_n = 0;
	r->silent = r->quiet = true;
}


/* Packets --------------------------------------------------------------- */

/* @return whether the packet is of the source we listen to */
static bool source_check(struct receiver *r, const struct rtp *h)
{
	struct source *s = &r->source;

	if (s->known && h->ssrc == s->ssrc) {
		r->probe = false;
		return true;
	}

	if (s->known) {
		/* two in a row make a change; one may be a stray */
		const bool again = r->probe && r->probe_ssrc == h->ssrc &&
			(uint16_t)(h->seq - r->probe_seq) - 1u < 4;

		r->probe = true;
		r->probe_ssrc = h->ssrc;
		r->probe_seq = h->seq;

		if (!again)
			return false;

		++r->ssrc_changes;
		r->lost_before += source_lost(s);
		jitter_reset(r->jitter, 0);
		dtmf_rx_begin(&r->dtmf, r->dtmf.clock_hz);
	}

	source_init(s, h->ssrc, r->clock_hz, h->seq);
	r->probe = false;

	return true;
}


static void digit_tell(struct flow *f, const struct dtmf_digit *d)
{
	const struct stream_event ev = {
		.type = STREAM_DTMF, .digit = d->digit,
		.duration_ms = d->duration_ms
	};

	flow_post(f, &ev);
}


static void event_packet(struct flow *f, const struct rtp *h,
			 uint64_t arrival_us)
{
	struct dtmf_digit d[2];
	const unsigned n = dtmf_rx_put(&f->rx.dtmf, h->ts, h->payload,
				       h->len, arrival_us, d);

	for (unsigned i = 0; i < n; i++)
		digit_tell(f, &d[i]);
}


/* A packet that brings no sound, though it has a number */
static void mute_packet(struct receiver *r, const struct rtp *h,
			uint64_t arrival_us)
{
	if (jitter_mark(r->jitter, h->seq))
		source_heard(&r->source, h->seq, h->ts, arrival_us, false);
}


static void sound_packet(struct receiver *r, const struct rx_codec *c,
			 const struct rtp *h, size_t samples,
			 uint64_t arrival_us)
{
	const struct codec *codec = c->codec;
	const uint32_t dur = (uint32_t)((uint64_t)samples * codec->clock_hz /
					codec->rate_hz);
	enum jitter_put put;

	if (codec->clock_hz != r->clock_hz) {
		r->clock_hz = codec->clock_hz;
		jitter_reset(r->jitter, r->clock_hz);
		r->source.clock_hz = r->clock_hz;
		r->source.transit_us = INT64_MIN;
	}

	r->dur = dur;
	put = jitter_put(r->jitter, arrival_us, h->seq, h->ts, dur, h->pt,
			 h->payload, h->len);

	switch (put) {

	case JITTER_RESTARTED:
		r->lost_before += source_lost(&r->source);
		source_init(&r->source, h->ssrc, r->clock_hz, h->seq);
		/*@fallthrough@*/
	case JITTER_TAKEN:
	case JITTER_LATE:
		source_heard(&r->source, h->seq, h->ts, arrival_us, true);
		break;

	case JITTER_SUSPECT:
		++r->discarded;
		break;

	case JITTER_DUPLICATE:
	case JITTER_REFUSED:
		break;
	}
}


void receive_packet(struct flow *f, const struct rtp *h, uint64_t arrival_us)
{
	struct receiver *r = &f->rx;
	const uint32_t event_hz = event_clock(r, h->pt);
	struct rx_codec *c;
	size_t samples;

	assert_media();

	if (!source_check(r, h)) {
		++r->discarded;
		return;
	}

	++r->packets;
	r->bytes += h->len;
	r->last_us = arrival_us;
	if (!r->first_us)
		r->first_us = arrival_us;

	if (event_hz) {
		r->dtmf.clock_hz = event_hz;
		mute_packet(r, h, arrival_us);
		event_packet(f, h, arrival_us);
		return;
	}

	c = codec_by_pt(r, h->pt);
	samples = c && h->len ? c->codec->samples(h->payload, h->len) : 0;

	if (samples && samples <= PIECE) {
		sound_packet(r, c, h, samples, arrival_us);
	}
	else {
		mute_packet(r, h, arrival_us);
		++r->discarded;
	}
}


/* Blocks ---------------------------------------------------------------- */

static uint32_t dec_hz(const struct receiver *r)
{
	return r->cur ? r->cur->codec->rate_hz : r->rate_hz;
}


static size_t units_samples(const struct receiver *r, uint32_t units)
{
	const size_t n = (size_t)((uint64_t)units * dec_hz(r) / r->clock_hz);

	return n > PIECE ? PIECE : n;
}


/* The decoder of a payload type, ready */
static int codec_use(struct receiver *r, uint8_t pt)
{
	struct rx_codec *c = r->cur;
	int err = 0;

	if (c && c->pt == pt && c->dec)
		return 0;

	c = codec_by_pt(r, pt);
	if (!c)
		return ENOENT;

	if (!c->dec)
		err = c->codec->dec_alloc(&c->dec, c->codec, &r->param);
	if (err)
		return err;

	if (!c->codec->conceal && r->plc_hz != c->codec->rate_hz) {
		r->plc = mem_deref(r->plc);
		r->plc_hz = 0;

		err = plc_alloc(&r->plc, c->codec->rate_hz);
		if (err)
			return err;
		r->plc_hz = c->codec->rate_hz;
	}

	r->cur = c;

	return 0;
}


/* Room for n samples; what was there is void. @return false: no memory */
static bool room_need(int16_t **vp, size_t *max, size_t n)
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


/* Decode the packet behind a gap before its turn */
static bool look_ahead(struct receiver *r, const struct jitter_frame *jf)
{
	const struct rx_codec *c = r->cur;
	size_t n = c->codec->samples(jf->payload, jf->len);

	if (!n || !room_need(&r->ahead, &r->ahead_max, n) ||
	    c->codec->decode(c->dec, r->ahead, &n, jf->payload, jf->len))
		return false;

	r->ahead_n = n;

	return true;
}


static size_t conceal(struct receiver *r, int16_t *v,
		      const struct jitter_frame *jf)
{
	const size_t n = units_samples(r, jf->dur);
	const struct codec *c = r->cur ? r->cur->codec : NULL;

	/* what follows helps, if it is of the same kind */
	const bool next = c && jf->payload && jf->pt == r->cur->pt;

	if (jf->payload)
		r->ahead_n = 0;

	if (!c) {
		memset(v, 0, n * sizeof(*v));
	}
	else if (c->conceal) {
		/* codecs make whole steps of 2.5 ms */
		const size_t step = c->rate_hz / 400;
		const size_t whole = (n + step - 1) / step * step;

		if (whole > PIECE ||
		    c->conceal(r->cur->dec, v, whole,
			       next ? jf->payload : NULL,
			       next ? jf->len : 0))
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


/* A packet whose turn it is. @return samples, 0: it cannot be decoded */
static size_t decode_whole(struct receiver *r, const struct jitter_frame *jf,
			   int16_t *v)
{
	size_t n = PIECE;

	if (codec_use(r, jf->pt))
		return 0;

	if (jf->shown && r->ahead_n) {
		n = r->ahead_n;
		memcpy(v, r->ahead, n * sizeof(*v));
	}
	else if (r->cur->codec->decode(r->cur->dec, v, &n, jf->payload,
				       jf->len)) {
		return 0;
	}

	if (!r->cur->codec->conceal)
		plc_good(r->plc, v, n);

	return n;
}


static size_t decode(struct receiver *r, const struct jitter_frame *jf,
		     int16_t *v)
{
	size_t n = decode_whole(r, jf, v), skip;

	r->ahead_n = 0;
	if (!n) {
		const struct jitter_frame lost = { .dur = jf->dur };

		++r->decode_errors;
		n = conceal(r, v, &lost);
	}

	skip = units_samples(r, jf->skip);
	if (skip > n)
		skip = n;
	if (skip)
		memmove(v, v + skip, (n - skip) * sizeof(*v));

	return n - skip;
}


static void fade(int16_t *v, size_t n, bool in)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (int16_t)(v[i] * (int32_t)(in ? i : n - i) /
				 (int32_t)n);
}


/* From a into b, in place of both */
static void merge(const int16_t *a, size_t na, int16_t *b, size_t nb,
		  uint32_t rate_hz)
{
	size_t n = rate_hz / 100;

	if (n > na)
		n = na;
	if (n > nb)
		n = nb;

	for (size_t i = 0; i < n; i++)
		b[i] = (int16_t)((a[i] * (int32_t)(n - i) +
				  b[i] * (int32_t)i) / (int32_t)n);
}


static size_t packet_play(struct receiver *r, struct jitter_frame *jf,
			  uint64_t now_us, int16_t *v)
{
	size_t n = decode(r, jf, v);

	if (jf->merge) {
		const uint32_t dur = jf->dur;
		int16_t *b = (*r->scratch)[1];
		size_t m = 0;

		if (jitter_get(r->jitter, now_us, dur, true, jf) ==
		    JITTER_PACKET)
			m = decode(r, jf, b);

		if (m) {
			merge(v, n, b, m, dec_hz(r));
			memcpy(v, b, m * sizeof(*v));
			n = m;
		}
	}

	if (r->silent) {
		const size_t ramp = (uint64_t)dec_hz(r) * RAMP_US / 1000000;

		fade(v, n < ramp ? n : ramp, true);
	}
	r->silent = false;

	return n;
}


/* About want samples at the flow's rate, in scratch; at least one */
static size_t piece_get(struct receiver *r, size_t want, uint64_t now_us,
			const int16_t **vp)
{
	uint32_t units = (uint32_t)((uint64_t)want * r->clock_hz /
				    r->rate_hz);
	struct jitter_frame jf;
	int16_t *v = (*r->scratch)[0];
	size_t n = 0;

	if (!units)
		units = 1;

	switch (jitter_get(r->jitter, now_us, units, r->quiet, &jf)) {

	case JITTER_PACKET:
		n = packet_play(r, &jf, now_us, v);
		break;

	case JITTER_LOST:
		n = conceal(r, v, &jf);
		break;

	case JITTER_SILENCE:
		if (r->silent) {
			n = units_samples(r, jf.dur);
			memset(v, 0, n * sizeof(*v));
		}
		else {
			n = conceal(r, v, &jf);
			fade(v, n, false);
			r->silent = true;
		}
		break;
	}

	if (n && dec_hz(r) != r->rate_hz) {
		size_t made = PIECE;

		if (r->resampler_hz != dec_hz(r)) {
			r->resampler = mem_deref(r->resampler);
			r->resampler_hz = 0;
			if (!resampler_alloc(&r->resampler, dec_hz(r),
					     r->rate_hz, 3))
				r->resampler_hz = dec_hz(r);
		}

		v = (*r->scratch)[1];
		if (!r->resampler_hz ||
		    resampler_run(r->resampler, (*r->scratch)[0], &n, v, &made))
			made = 0;
		n = made;
	}

	*vp = v;

	return n;
}


/* Keep what the block had no room for */
static void left_keep(struct receiver *r, const int16_t *v, size_t n)
{
	if (!room_need(&r->left, &r->left_max, n))
		return;

	if (n)
		memcpy(r->left, v, n * sizeof(*v));
	r->left_n = n;
	r->left_at = 0;
}


static size_t left_take(struct receiver *r, int16_t *v, size_t n)
{
	const size_t k = r->left_n < n ? r->left_n : n;

	if (k)
		memcpy(v, r->left + r->left_at, k * sizeof(*v));
	r->left_at += k;
	r->left_n -= k;

	return k;
}


/*
 * What is behind a gap tells much of what was in it: in-band FEC, or sound to
 * go back from.  So it has to be here when the gap is played, which is worth a
 * packet's delay while packets are lost, and only then.
 */
static void loss_look(struct receiver *r, uint64_t now_us)
{
	uint64_t lost, all;

	if (now_us - r->look_us < LOOK_US)
		return;
	r->look_us = now_us;

	lost = r->lost_before + source_lost(&r->source);
	all = lost + r->packets;

	r->loss = 0.8 * r->loss;
	if (all > r->all_then && lost > r->lost_then)
		r->loss += 0.2 * (double)(lost - r->lost_then) /
			(double)(all - r->all_then);
	r->lost_then = lost;
	r->all_then = all;

	if (r->loss > LOSS_ON)
		jitter_set_extra(r->jitter, r->dur);
	else if (r->loss < LOSS_OFF)
		jitter_set_extra(r->jitter, 0);
}


void receive_block(struct receiver *r, int16_t *v, size_t n, uint64_t now_us)
{
	size_t have = 0;
	double power;

	assert_media();

	loss_look(r, now_us);

	have = left_take(r, v, n);

	/* each turn brings at least a sample, unless something is broken */
	for (unsigned turns = 0; have < n && turns < n; turns++) {
		const int16_t *p;
		const size_t k = piece_get(r, n - have, now_us, &p);
		const size_t take = k < n - have ? k : n - have;

		memcpy(v + have, p, take * sizeof(*v));
		have += take;
		left_keep(r, p + take, k - take);
	}

	memset(v + have, 0, (n - have) * sizeof(*v));

	/* next to nothing, or far below what was loud lately */
	power = level_add(&r->level, v, n);
	r->peak = power > r->peak ? power : r->peak * 0.9995;
	r->quiet = power < 30.0 || power < r->peak * 3e-4;
}
