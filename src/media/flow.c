/**
 * @file flow.c  The media thread's half of a stream
 *
 * Made on main, handed over with flow_attach and then touched by the media
 * thread only, until flow_close takes it out of the engine.  The steps of a
 * cycle for one flow are here, in the order the engine calls them.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "callprog.h"
#include "dtls.h"
#include "nat.h"
#include "priv.h"


enum {
	RTCP_LOOK_US = 200000,       /* how often RTCP is read              */
	BAND_AFTER_US = 500000,      /* of an event no key is looked for    */
};

#define TONE_DBFS (-10.0)


static void destructor(void *arg)
{
	struct flow *f = arg;

	list_unlink(&f->le);
	transport_close(&f->tp);
	mem_deref(f->tp.shield);
	mem_deref(f->tp.shake);
	explicit_bzero(&f->plan.secure, sizeof(f->plan.secure));
	receive_stop(&f->rx);
	send_stop(&f->tx);
	mem_deref(f->edge);
	mem_deref(f->ear);
	mem_deref(f->prog);
	mem_deref(f->talk);
	free(f->play.v);
}


int flow_alloc(struct flow **fp, uint32_t id, const struct stream_conf *sc,
	       const struct media_conf *mc)
{
	struct flow *f;
	int err = 0;

	f = mem_zalloc(sizeof(*f), destructor);
	if (!f)
		return ENOMEM;

	f->id = id;
	f->tp.rtp = f->tp.rtcp = -1;
	f->device = sc->device;
	f->tp.fixed = sc->fixed_peer;
	f->source = sc->device ? SOURCE_DEVICE : SOURCE_SILENCE;
	f->timeout_ms = sc->timeout_ms;
	gain_init(&f->mic_gain);
	gain_init(&f->spk_gain);
	dtmf_tx_begin(&f->tx.dtmf, sc->dtmf_ms, sc->dtmf_pause_ms);
	dtmf_rx_begin(&f->rx.dtmf, 8000);

	send_init(&f->tx);
	if (mc)
		err = transport_open(&f->tp, &sc->local, mc->port_min,
				     mc->port_max);
	if (!err && mc)
		transport_mark(&f->tp, mc->dscp);

	if (err)
		mem_deref(f);
	else
		*fp = f;

	return err;
}


static void fault_handler(const struct fault_done *d, void *arg)
{
	const struct stream_event ev = {
		.type = STREAM_FAULT,
		.fault = {
			.name = d->fault, .out = d->out, .rtcp = d->rtcp,
			.seq = d->seq, .untold = d->untold,
			.remote = d->remote,
		},
	};

	flow_post(arg, &ev);
}


void flow_attach(struct flow *f, struct engine *e)
{
	assert_media();

	f->eng = e;
	f->tp.sniff = &e->sniff;
	f->tp.impair = &e->impair;
	f->tp.fault_h = fault_handler;
	f->tp.fault_arg = f;
	f->rx.scratch = e->scratch;
}


static void flow_stop(struct flow *f)
{
	list_unlink(&f->le);
	f->started = false;
	f->plan.dir = MEDIA_INACTIVE;
	receive_stop(&f->rx);
	send_stop(&f->tx);
	engine_retime(f->eng);
}


/* Whom we do not send to we do not miss; from now on we do */
static void flow_trust(struct flow *f, bool proven)
{
	const bool shut = f->tp.shut;

	transport_trust(&f->tp, proven);

	if (shut && !f->tp.shut)
		f->listen_us = clock_us();
}


void flow_prove_way(struct flow *f)
{
	flow_trust(f, true);
}


void flow_prove(struct flow *f, const struct sa *from)
{
	if (transport_names(&f->tp, from))
		flow_trust(f, true);
}


int flow_start(struct flow *f, const struct media_plan *plan,
	       const struct media_conf *conf)
{
	const enum media_dir was = f->started ? f->plan.dir : MEDIA_INACTIVE;
	const struct codec_enc *enc = f->tx.enc;
	const uint64_t now_us = clock_us();
	int err;

	assert_media();

	if (!plan->codec) {
		if (f->started)
			flow_stop(f);
		f->plan = *plan;
		return 0;
	}

	err = f->tp.nat ? nat_agree(f->tp.nat, &plan->ice) : 0;
	if (!err)
		err = flow_secure(f, &plan->secure);
	if (err)
		return err;

	err = send_start(&f->tx, plan);
	if (err)
		return err;

	err = receive_start(&f->rx, plan, conf);
	if (err)
		return err;

	/* with another encoder the way is still the same */
	if (f->tx.enc != enc) {
		adapt_want(&f->adapt, plan->param.bitrate);
		adapt_packets(&f->adapt, f->tx.ptime_ms,
			      plan->param.ptime_max_ms);
		flow_adapt(f);
	}

	transport_aim(&f->tp, &plan->rtp, &plan->rtcp, plan->rtcp_mux);
	flow_trust(f, !plan->unproven);

	if (f->rate_hz != plan->codec->rate_hz) {
		f->rate_hz = plan->codec->rate_hz;
		tone_init(&f->tone, f->tone_hz, f->rate_hz);
	}

	/* what comes while we do not listen is void */
	if (!(plan->dir & MEDIA_RECVONLY) || !(was & MEDIA_RECVONLY))
		receive_pause(&f->rx);

	if (plan->dir == MEDIA_SENDRECV && was != MEDIA_SENDRECV) {
		f->listen_us = now_us;
		f->timed_out = false;
	}

	f->plan = *plan;

	if (!f->rtcp.due_us)
		report_init(&f->rtcp, plan->cname, now_us);

	if (!f->started) {
		list_append(&f->eng->flows, &f->le, f);
		f->started = true;
	}
	engine_retime(f->eng);

	return 0;
}


void flow_set_source(struct flow *f, enum stream_source src, double hz)
{
	f->source = src;
	f->tone_hz = hz;

	if (src == SOURCE_TONE && f->rate_hz)
		tone_init(&f->tone, hz, f->rate_hz);
	if (f->eng)
		engine_retime(f->eng);
}


bool flow_meets(const struct flow *f)
{
	return f->eng->dev && f->device && f->source == SOURCE_DEVICE;
}


bool flow_bound(const struct flow *f)
{
	return f->member ? room_bound(f->member) : flow_meets(f);
}


void flow_post(struct flow *f, const struct stream_event *ev)
{
	struct post p = { .id = f->id, .type = ev->type, .ev = *ev };

	if (ev->type == STREAM_PLAY_DONE)
		p.serial = f->play.serial;

	f->eng->post_h(&p, f->eng->post_arg);
}


/* Files ----------------------------------------------------------------- */

static void play_end(struct flow *f, bool stopped)
{
	const struct stream_event ev = {
		.type = STREAM_PLAY_DONE, .stopped = stopped,
		.duration_ms = f->rate_hz ? (unsigned)
			(f->play.played * 1000 / f->rate_hz) : 0
	};

	free(f->play.v);
	f->play.v = NULL;
	flow_post(f, &ev);
}


void flow_play(struct flow *f, const struct play *play)
{
	free(f->play.v);
	f->play = *play;
}


void flow_play_stop(struct flow *f)
{
	if (f->play.v)
		play_end(f, true);
}


/* @return samples played */
static size_t play_take(struct flow *f, int16_t *v, size_t n)
{
	struct play *p = &f->play;
	size_t have = 0;

	while (p->v && have < n) {
		size_t k = p->n - p->pos;

		if (k > n - have)
			k = n - have;

		memcpy(v + have, p->v + p->pos, k * sizeof(*v));
		have += k;
		p->pos += k;
		p->played += k;

		if (p->pos >= p->n) {
			p->pos = 0;
			if (!p->loop)
				play_end(f, false);
		}
	}

	return have;
}


/* The steps of a cycle -------------------------------------------------- */

static void moved_tell(struct flow *f, const struct sa *was)
{
	struct post p = {
		.id = f->id, .type = STREAM_MOVED, .ev.type = STREAM_MOVED
	};

	(void)re_snprintf(p.text, sizeof(p.text),
			  "its sound comes from %s port %u now, not from"
			  " %s port %u", address_text(&f->tp.from).s,
			  sa_port(&f->tp.from), address_text(was).s,
			  sa_port(was));
	f->eng->post_h(&p, f->eng->post_arg);
}


void flow_packet(struct flow *f, struct packet *p)
{
	const unsigned changes = f->tp.changes;
	const struct sa was = f->tp.from;
	struct receiver *r = &f->rx;
	const uint32_t sources = r->ssrc_changes;
	struct rtp h;

	if (rtp_is_rtcp(p->p, p->len)) {
		if (f->tp.mux)
			flow_report_packet(f, p);
		return;
	}

	if (f->tp.nat && nat_packet(f->tp.nat, p))
		return;
	if (dtls_is(p->p, p->len)) {
		flow_secure_packet(f, p);
		return;
	}

	/* its counters go on while nobody listens */
	if (!flow_open(f, false, p))
		return;

	transport_sniff(&f->tp, true, false, false, p->from, p->p, p->len);

	if (!(f->plan.dir & MEDIA_RECVONLY))
		return;

	/* what is no speech of ours must not tell us where the peer is */
	if (rtp_read(&h, p->p, p->len) ||
	    (!f->tp.latched && !receive_knows(r, h.pt))) {
		++r->discarded;
		return;
	}

	if (!transport_accepts(&f->tp, p->from, h.ssrc, p->arrival_us))
		return;
	if (f->tp.changes != changes)
		moved_tell(f, &was);
	flow_prove(f, p->from);

	receive_packet(f, &h, p->arrival_us);

	/* the good-bye was the old source's */
	if (r->ssrc_changes != sources)
		f->rtcp.bye = false;

	if (!f->flowing && r->first_us) {
		const struct stream_event ev = { .type = STREAM_FIRST_PACKET };

		f->flowing = true;
		flow_post(f, &ev);
	}

	if (f->timed_out) {
		const struct stream_event ev = { .type = STREAM_RESUMED };

		f->timed_out = false;
		flow_post(f, &ev);
	}
}


/* Heard now, or held on its way by a bad network */
static void packet_take(struct flow *f, bool rtcp, struct packet *p)
{
	transport_sniff(&f->tp, false, false, rtcp, p->from, p->p, p->len);

	if (impair_hold(&f->tp, rtcp, p))
		return;

	if (rtcp)
		flow_report_packet(f, p);
	else
		flow_packet(f, p);
}


void flow_drain(struct flow *f, uint64_t now_us)
{
	struct packet *pv;
	unsigned n;

	n = transport_recv(&f->tp, false, f->eng->inbox, &pv);
	for (unsigned i = 0; i < n; i++)
		packet_take(f, false, &pv[i]);

	while (f->tp.in.list.head && (pv = impair_due(&f->tp, false, now_us)))
		flow_packet(f, pv);

	/* nothing in RTCP is urgent, and the kernel says when it came */
	if (now_us - f->rtcp_look_us < RTCP_LOOK_US)
		return;
	f->rtcp_look_us = now_us;

	n = transport_recv(&f->tp, true, f->eng->inbox, &pv);
	for (unsigned i = 0; i < n; i++)
		packet_take(f, true, &pv[i]);

	while (f->tp.in.list.head && (pv = impair_due(&f->tp, true, now_us)))
		flow_report_packet(f, pv);
}


/* A key that came as an event is not told again for what is heard of it */
static void band_listen(struct flow *f, const int16_t *v, size_t n,
			uint64_t now_us)
{
	struct dtmf_digit d[4];
	unsigned count;

	if (f->band.rate_hz != f->rate_hz)
		dtmf_band_begin(&f->band, f->rate_hz);

	count = dtmf_band_put(&f->band, v, n, d, COUNT(d));
	if (f->rx.dtmf.heard_us &&
	    now_us < f->rx.dtmf.heard_us + BAND_AFTER_US)
		return;

	for (unsigned i = 0; i < count; i++) {
		const struct stream_event ev = {
			.type = STREAM_DTMF, .digit = d[i].digit,
			.duration_ms = d[i].duration_ms, .band = true
		};

		flow_post(f, &ev);
	}
}


static void tone_listen(struct flow *f, const int16_t *v, size_t n)
{
	const struct stream_event ev = {
		.type = STREAM_TONE,
		.tone = callprog_put(f->prog, v, n, f->rate_hz)
	};

	if (ev.tone)
		flow_post(f, &ev);
}


void flow_hear(struct flow *f, int16_t *v, size_t n, uint64_t now_us)
{
	if (f->plan.dir & MEDIA_RECVONLY)
		playout_block(&f->rx, v, n, now_us);
	else
		memset(v, 0, n * sizeof(*v));

	meter_add(&f->meter_in, v, n, f->rate_hz);
	if (f->ear)
		ear_hear(f->ear, v, n, f->rate_hz);
	if (f->band_wanted)
		band_listen(f, v, n, now_us);
	if (f->prog)
		tone_listen(f, v, n);
}


static void source_take(struct flow *f, const int16_t *heard,
			const int16_t *mic, int16_t *v, size_t n)
{
	switch (f->source) {

	case SOURCE_TONE:
		tone_fill(&f->tone, v, n, TONE_DBFS);
		break;

	case SOURCE_ECHO:
		memcpy(v, heard, n * sizeof(*v));
		break;

	case SOURCE_DEVICE:
		if (mic) {
			gain_copy(&f->mic_gain, v, mic, n);
			break;
		}
		/*@fallthrough@*/
	case SOURCE_SILENCE:
		memset(v, 0, n * sizeof(*v));
		break;
	}
}


/* What nobody hears */
static void talk_listen(struct flow *f, const int16_t *mic,
			const int16_t *heard, size_t n)
{
	const enum talk_step step = talk_hear(f->talk, mic, heard, n,
					      f->rate_hz);
	const struct stream_event ev = {
		.type = STREAM_TALK, .talks = step == TALK_BEGINS
	};

	if (step != TALK_SAME)
		flow_post(f, &ev);
}


bool flow_speaks(const struct flow *f)
{
	return f->plan.dir & MEDIA_SENDONLY && !f->tp.shut && flow_keyed(f);
}


void flow_say(struct flow *f, const int16_t *heard, const int16_t *mic,
	      const int16_t *others, int16_t *v, size_t n)
{
	const bool speaks = flow_speaks(f);
	int16_t *file = f->play.mix ? f->eng->beep : v;
	size_t have = 0;

	/* a file waits while we may not speak */
	if (speaks && f->play.v)
		have = play_take(f, file, n);

	if (have)
		memset(file + have, 0, (n - have) * sizeof(*v));
	if (!have || file != v)
		source_take(f, heard, mic, v, n);
	if (have && file != v)
		mixer_add(v, file, n);

	if (f->muted && f->talk && mic)
		talk_listen(f, mic, heard, n);

	/* muted are we alone: the others of a conference are still heard */
	if (f->muted || !speaks)
		memset(v, 0, n * sizeof(*v));
	if (others && speaks)
		mixer_add(v, others, n);
	if (beep_take(f, f->eng->beep, n) && speaks)
		mixer_add(v, f->eng->beep, n);

	meter_add(&f->meter_out, v, n, f->rate_hz);
	send_block(f, v, n);
}


/*
 * Should something have come by now?  Who is not known to be there cannot be
 * missed; on hold, theirs or ours, nobody need send; and who says that it
 * sends nothing is there.
 */
static bool misses(const struct flow *f, uint64_t now_us)
{
	uint64_t last = f->listen_us;

	if (!f->timeout_ms || f->timed_out || f->tp.shut ||
	    f->plan.dir != MEDIA_SENDRECV)
		return false;

	if (last < f->rx.last_us)
		last = f->rx.last_us;
	if (last < f->rtcp.idle_us)
		last = f->rtcp.idle_us;

	return now_us > last + 1000ULL * f->timeout_ms;
}


void flow_tend(struct flow *f, uint64_t now_us)
{
	struct dtmf_digit d;

	flow_secure_tend(f, now_us);
	flow_keep_open(f, now_us);
	if (!f->tp.shut && flow_keyed(f) && report_due(&f->rtcp, now_us))
		flow_report_send(f, now_us, false);

	if (dtmf_rx_poll(&f->rx.dtmf, now_us, &d)) {
		const struct stream_event ev = {
			.type = STREAM_DTMF, .digit = d.digit,
			.duration_ms = d.duration_ms
		};

		flow_post(f, &ev);
	}

	if (misses(f, now_us)) {
		const struct stream_event ev = {
			.type = STREAM_TIMEOUT, .duration_ms = f->timeout_ms
		};

		f->timed_out = true;
		flow_post(f, &ev);
	}
}


/* End, figures ---------------------------------------------------------- */

void flow_close(struct flow *f)
{
	assert_media();

	f->member = mem_deref(f->member);
	if (f->started) {
		if (flow_keyed(f))
			flow_report_send(f, clock_us(), true);
		flow_secure_end(f);
		flow_stop(f);
	}
	if (f->tp.nat) {
		nat_end(f->tp.nat);
		f->tp.nat = mem_deref(f->tp.nat);
	}
	impair_flush(&f->tp);
}


void flow_stats(const struct flow *f, struct stream_stats *st)
{
	const struct receiver *r = &f->rx;
	const struct sender *s = &f->tx;
	struct jitter_stats js = { 0 };
	struct burst_figures b;
	double packet_ms;

	memset(st, 0, sizeof(*st));
	if (r->jitter)
		jitter_stats(r->jitter, &js);

	st->packets_sent = s->packets;
	st->bytes_sent = s->bytes;
	st->packets_received = r->packets;
	st->bytes_received = r->bytes;
	st->lost = r->lost_before + source_lost(&r->source);
	jitter_stats_add(&js, &r->past);
	st->late = js.late;
	st->duplicate = js.duplicate;
	st->reordered = js.reordered;
	st->concealed_ms = js.concealed_us / 1000;
	st->recovered = js.recovered;
	st->stretched_ms = js.stretched_us / 1000;
	st->compressed_ms = js.compressed_us / 1000;
	st->skipped_ms = js.skipped_us / 1000;
	st->resyncs = js.resyncs;
	st->discarded = r->discarded + js.refused + js.overflow +
		f->tp.foreign;
	st->foreign = f->tp.foreign;
	st->moves = f->tp.changes;
	st->decode_errors = r->decode_errors;
	st->jitter_us = (uint32_t)r->source.jitter_us;
	st->delay_ms = js.delay_us / 1000;
	st->delay_target_ms = js.target_us / 1000;
	st->rtt_us = f->rtcp.rtt_us;
	st->remote_known = f->rtcp.remote_known;
	st->remote_lost = f->rtcp.remote_lost;
	st->remote_loss_256 = f->rtcp.remote_fraction;
	if (f->plan.codec)
		st->remote_jitter_us = (uint32_t)
			((uint64_t)f->rtcp.remote_jitter * 1000000 /
			 f->plan.codec->clock_hz);
	st->send_bitrate = f->adapt.bitrate;
	st->send_loss_pct = f->adapt.loss_pct;
	st->first_packet_ms = r->first_us / 1000;
	st->last_packet_ms = r->last_us / 1000;
	st->ssrc_remote = r->source.ssrc;
	st->ssrc_changes = r->ssrc_changes;
	st->remote = f->tp.latched ? f->tp.from : f->tp.peer;
	st->level_in_dbfs = r->level.dbfs;
	st->level_out_dbfs = s->level.dbfs;
	st->dtmf_sent = s->dtmf.sent;
	st->dtmf_received = r->dtmf.received;
	burst_read(&b, &r->burst);
	packet_ms = r->clock_hz ? 1000.0 * r->dur / r->clock_hz : 0.0;
	st->burst_pct = b.burst_pct;
	st->gap_pct = b.gap_pct;
	st->burst_ms = (uint32_t)(b.burst_packets * packet_ms);
	st->gap_ms = (uint32_t)(b.gap_packets * packet_ms);
	st->burst_ratio = b.ratio;
	st->xr_known = f->rtcp.xr_known;
	st->xr_r = f->rtcp.xr.r;
	st->xr_mos_lq = f->rtcp.xr.mos_lq;
	st->xr_mos_cq = f->rtcp.xr.mos_cq;
	st->xr_loss_pct = f->rtcp.xr.loss_pct;
	st->xr_discard_pct = f->rtcp.xr.discard_pct;
	st->xr_burst_pct = f->rtcp.xr.burst_pct;
	st->xr_gap_pct = f->rtcp.xr.gap_pct;
	st->xr_burst_ms = (uint32_t)f->rtcp.xr.burst_ms;
	st->xr_gap_ms = (uint32_t)f->rtcp.xr.gap_ms;
	st->xr_end_delay_ms = (uint32_t)f->rtcp.xr.end_delay_ms;
	flow_secure_stats(f, st);
	st->packet_ms = (uint32_t)(packet_ms + 0.5);
	st->device = f->eng && flow_meets(f);
	if (st->device)
		engine_delays(f->eng, &st->mic_ms, &st->speaker_ms);
}
