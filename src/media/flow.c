/**
 * @file flow.c  The media thread's half of a stream
 *
 * Made on main, handed over with flow_attach and then touched by the media
 * thread only, until flow_close takes it out of the engine.  The steps of a
 * cycle for one flow are in flow_packet.c and flow_sound.c, its figures in
 * flow_stats.c.
 */
#include "callprog.h"
#include "dtls.h"
#include "nat.h"
#include "priv.h"


static void destructor(void *arg)
{
	struct flow *f = arg;

	list_unlink(&f->le);
	transport_close(&f->tp);
	mem_deref(f->tp.shield);
	mem_deref(f->tp.shake);
	mem_deref(f->tp.shield_rtcp);
	mem_deref(f->tp.shake_rtcp);
	mem_deref(f->tp.again);
	explicit_bzero(&f->plan.secure, sizeof(f->plan.secure));
	receive_stop(&f->rx);
	mem_deref(f->rx.nack);
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
	pan_init(&f->pan);
	dtmf_tx_begin(&f->tx.dtmf, sc->dtmf_ms, sc->dtmf_pause_ms,
		      sc->dtmf_volume);
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


/* In a room it may be what brings the others to the device */
static void flow_retime(struct flow *f)
{
	engine_retime_flow(f->eng, f);
	if (f->member)
		engine_retime(f->eng);
}


static void flow_stop(struct flow *f)
{
	list_unlink(&f->le);
	f->started = false;
	f->plan.dir = MEDIA_INACTIVE;
	receive_stop(&f->rx);
	send_stop(&f->tx);
	flow_retime(f);
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
		err = flow_secure(f, plan);
	if (err)
		return err;

	err = send_start(&f->tx, plan);
	if (err)
		return err;

	err = receive_start(&f->rx, plan, conf);
	if (err)
		return err;

	if (!plan->nack)
		f->tp.again = mem_deref(f->tp.again);
	else if (!f->tp.again)
		err = again_alloc(&f->tp.again);
	if (err)
		return err;

	/* with another encoder the way is still the same */
	if (f->tx.enc != enc) {
		adapt_want(&f->adapt, plan->param.bitrate);
		adapt_in_band(&f->adapt, plan->codec->tune && plan->param.fec);
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
	flow_retime(f);

	return 0;
}


void flow_set_source(struct flow *f, enum stream_source src, double hz)
{
	f->source = src;
	f->tone_hz = hz;

	if (src == SOURCE_TONE && f->rate_hz)
		tone_init(&f->tone, hz, f->rate_hz);
	if (f->eng)
		flow_retime(f);
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


/* The end --------------------------------------------------------------- */

void flow_close(struct flow *f)
{
	assert_media();

	if (f->member)
		(void)room_join(f, 0);
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
