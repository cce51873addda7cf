/**
 * @file receive.c  Packets of the peer on their way to the jitter buffer
 *
 * Media thread; owned by its flow.  What comes is checked and counted, events
 * are taken aside, and sound is left in the jitter buffer, from where
 * playout.c takes it.
 */
#include "priv.h"
#include "red.h"


enum {
	MAX_MS = 200,            /* of delay, when nobody says otherwise    */
};


struct rx_codec *receive_codec(struct receiver *r, uint8_t pt)
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
	return (pt && (pt == r->red_pt || pt == r->cn_pt)) ||
		event_clock(r, pt) || receive_codec((struct receiver *)r, pt);
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


static void limits_set(struct receiver *r)
{
	unsigned min_ms = r->hold_ms > r->min_ms ? r->hold_ms : r->min_ms;

	if (min_ms > r->max_ms)
		min_ms = r->max_ms;
	if (r->jitter)
		jitter_limit(r->jitter, min_ms, r->max_ms);
}


void receive_limit(struct receiver *r, const struct media_conf *mc)
{
	r->min_ms = mc->jitter_min_ms;
	r->max_ms = mc->jitter_max_ms ? mc->jitter_max_ms : MAX_MS;
	limits_set(r);
}


void receive_hold(struct receiver *r, unsigned ms)
{
	if (r->hold_ms == ms)
		return;

	r->hold_ms = ms;
	limits_set(r);
}


/* May the peer be asked for what is lost? */
static int nack_start(struct receiver *r, bool on)
{
	r->hold_ms = 0;

	if (!on)
		r->nack = mem_deref(r->nack);
	else if (!r->nack)
		r->nack = mem_zalloc(sizeof(*r->nack), NULL);
	else
		nack_reset(r->nack);

	return on && !r->nack ? ENOMEM : 0;
}


int receive_start(struct receiver *r, const struct media_plan *plan,
		  const struct media_conf *mc)
{
	const struct codec *c = plan->codec;
	const struct jitter_conf conf = {
		.clock_hz = c->clock_hz,
		.min_ms = mc->jitter_min_ms,
		.max_ms = mc->jitter_max_ms ? mc->jitter_max_ms : MAX_MS,
	};
	struct jitter *jitter = NULL;
	int err;

	err = nack_start(r, plan->nack);
	if (err)
		return err;

	receive_limit(r, mc);
	events_start(r, plan);
	r->red_pt = plan->red_recv;
	r->cn_pt = plan->cn_recv;

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
		jitter_stats_add(&r->past, &st);
	}

	for (unsigned i = 0; i < r->codec_count; i++) {
		r->codecs[i].dec = mem_deref(r->codecs[i].dec);
		r->codecs[i].two = false;
	}

	r->codec_count = 0;
	r->cur = NULL;
	r->jitter = mem_deref(r->jitter);
	r->plc = mem_deref(r->plc);
	r->plc_hz = 0;
	r->resampler = mem_deref(r->resampler);
	r->resampler_hz = 0;
	r->left = mem_deref(r->left);
	r->left_n = r->left_at = r->left_max = 0;
	r->ahead = mem_deref(r->ahead);
	r->ahead_n = r->ahead_max = 0;
	mem_deref(r->side.v);
	mem_deref(r->side.left);
	memset(&r->side, 0, sizeof(r->side));
}


void receive_pause(struct receiver *r)
{
	if (r->jitter)
		jitter_reset(r->jitter, 0);

	if (r->nack)
		nack_reset(r->nack);

	/* what comes meanwhile is not lost */
	r->lost_before += source_lost(&r->source);
	r->source.known = false;
	r->left_n = 0;
	r->silent = r->quiet = true;
	r->noise.on = false;
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
		burst_restart(&r->burst);
		jitter_reset(r->jitter, 0);
		if (r->nack)
			nack_reset(r->nack);
		r->noise.on = false;
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
	if (!jitter_mark(r->jitter, h->seq))
		return;

	source_heard(&r->source, h->seq, h->ts, arrival_us, false);
	burst_packet(&r->burst, h->seq, false);
}


/* It was asked for: when it came says nothing of the way, and it may be too
 * late, as if it had never come */
static void again_packet(struct receiver *r, const struct rtp *h, uint32_t dur)
{
	if (!jitter_fill(r->jitter, h->seq, h->ts, dur, h->pt, h->payload,
			 h->len))
		return;

	source_heard(&r->source, h->seq, h->ts, 0, false);
	burst_packet(&r->burst, h->seq, false);
}


static void sound_packet(struct receiver *r, const struct rx_codec *c,
			 const struct rtp *h, size_t samples,
			 uint64_t arrival_us, bool again)
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
	if (again) {
		again_packet(r, h, dur);
		return;
	}

	put = jitter_put(r->jitter, arrival_us, h->seq, h->ts, dur, h->pt,
			 h->payload, h->len);

	if (r->source.known && (uint16_t)(h->seq - r->seq_last - 1) < 64)
		r->runs += h->seq != (uint16_t)(r->seq_last + 1);
	r->seq_last = h->seq;

	switch (put) {

	case JITTER_RESTARTED:
		r->lost_before += source_lost(&r->source);
		source_init(&r->source, h->ssrc, r->clock_hz, h->seq);
		burst_restart(&r->burst);
		if (r->nack)
			nack_reset(r->nack);
		/*@fallthrough@*/
	case JITTER_TAKEN:
	case JITTER_LATE:
		source_heard(&r->source, h->seq, h->ts, arrival_us, true);
		burst_packet(&r->burst, h->seq, put == JITTER_LATE);
		break;

	case JITTER_SUSPECT:
		++r->discarded;
		break;

	case JITTER_DUPLICATE:
	case JITTER_REFUSED:
		break;
	}
}


/* Redundancy (RFC 2198): what came before, in case it did not, and then the
 * packet itself, into in. @return false: malformed */
static bool red_packet(struct receiver *r, const struct rtp *h,
		       struct rtp *in)
{
	struct red_block b[RED_BLOCKS];
	const unsigned n = red_read(b, h->payload, h->len);

	if (!n || b[n - 1].pt == r->red_pt)
		return false;

	r->reach = 0;

	for (unsigned i = 0; i + 1 < n; i++) {
		const struct rx_codec *c = receive_codec(r, b[i].pt);
		const size_t k = c && b[i].len ?
			c->codec->samples(b[i].p, b[i].len) : 0;
		uint32_t dur;

		if (!k || k > CODEC_FRAME_MAX || !b[i].back ||
		    c->codec->clock_hz != r->clock_hz)
			continue;

		if (b[i].back > r->reach && b[i].back <= RED_BLOCKS * r->dur)
			r->reach = b[i].back;

		/* how many packets ago, if all are as long */
		dur = (uint32_t)((uint64_t)k * c->codec->clock_hz /
				 c->codec->rate_hz);
		(void)jitter_fill(r->jitter, (uint16_t)
				  (h->seq - (b[i].back + dur / 2) / dur),
				  h->ts - b[i].back, dur, b[i].pt, b[i].p,
				  b[i].len);
	}

	*in = *h;
	in->pt = b[n - 1].pt;
	in->payload = b[n - 1].p;
	in->len = b[n - 1].len;

	return true;
}


static void noise_packet(struct receiver *r, const struct rtp *h,
			 uint64_t arrival_us)
{
	mute_packet(r, h, arrival_us);

	if (!noise_read(&r->noise, h->payload, h->len))
		++r->discarded;
}


void receive_packet(struct flow *f, const struct rtp *h, uint64_t arrival_us)
{
	struct receiver *r = &f->rx;
	struct rtp inner;
	struct rx_codec *c;
	uint32_t event_hz;
	bool again = false;
	size_t samples;

	assert_media();

	if (!source_check(r, h)) {
		++r->discarded;
		return;
	}

	if (r->nack)
		again = nack_heard(r->nack, h->seq, arrival_us,
				   f->rtcp.rtt_us);

	++r->packets;
	r->bytes += h->len;
	r->last_us = arrival_us;
	if (!r->first_us)
		r->first_us = arrival_us;

	if (r->red_pt && h->pt == r->red_pt) {
		if (!red_packet(r, h, &inner)) {
			mute_packet(r, h, arrival_us);
			++r->discarded;
			return;
		}
		h = &inner;
	}

	event_hz = event_clock(r, h->pt);
	if (event_hz) {
		r->dtmf.clock_hz = event_hz;
		mute_packet(r, h, arrival_us);
		event_packet(f, h, arrival_us);
		return;
	}

	if (r->cn_pt && h->pt == r->cn_pt) {
		noise_packet(r, h, arrival_us);
		return;
	}

	c = receive_codec(r, h->pt);
	samples = c && h->len ? c->codec->samples(h->payload, h->len) : 0;

	if (samples && samples <= CODEC_FRAME_MAX) {
		sound_packet(r, c, h, samples, arrival_us, again);
	}
	else {
		mute_packet(r, h, arrival_us);
		++r->discarded;
	}
}
