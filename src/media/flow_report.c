/**
 * @file flow_report.c  Reports of a flow, those that come and those that go
 *
 * Media thread.  The packets themselves are rtcp.c's; here they meet the
 * flow's sender, receiver and transport.
 */
#include "dtls.h"
#include "priv.h"


enum { REPORT_MAX = 256 };


void flow_adapt(struct flow *f)
{
	const struct sender *s = &f->tx;
	struct codec_param prm = s->param;

	if (!s->enc || !s->codec->tune)
		return;

	/* what was negotiated stays in s->param, to be compared with */
	prm.loss_pct = f->adapt.loss_pct;
	prm.bitrate = f->adapt.bitrate;
	(void)s->codec->tune(s->enc, &prm);
	send_ptime(&f->tx, f->adapt.ptime_ms);
}


/* What the peer has missed */
static void send_again(struct flow *f)
{
	struct report *r = &f->rtcp;

	if (!flow_speaks(f))
		r->nackn = 0;
	for (unsigned i = 0; i < r->nackn; i++)
		f->tx.again += !transport_send_again(&f->tp, r->nackv[i]);
	r->nackn = 0;
}


void flow_report_packet(struct flow *f, struct packet *p)
{
	const uint32_t ssrc = f->rx.source.known ? f->rx.source.ssrc : 0;
	const uint64_t count = f->rtcp.remote_count;
	const bool bye = f->rtcp.bye;

	if (!transport_accepts_rtcp(&f->tp, p->from)) {
		++f->tp.foreign;
		return;
	}

	/* keys of its own (RFC 5764 3) */
	if (dtls_is(p->p, p->len)) {
		flow_secure_packet(f, true, p);
		return;
	}
	if (!flow_open(f, true, p))
		return;

	transport_sniff(&f->tp, true, false, true, p->from, p->p, p->len);

	if (report_read(&f->rtcp, p->p, p->len, p->arrival_us,
			clock_wall_ms(), clock_us(), f->tx.ssrc, ssrc)) {
		++f->rx.discarded;
		return;
	}

	flow_prove(f, p->from);
	send_again(f);

	if (f->rtcp.bye && !bye) {
		const struct stream_event ev = { .type = STREAM_REMOTE_BYE };

		flow_post(f, &ev);
	}

	if (f->rtcp.xr_known)
		adapt_burst(&f->adapt, f->rtcp.xr.burst_pct);
	if (f->rtcp.remote_count != count &&
	    adapt_report(&f->adapt, f->rtcp.remote_fraction, f->tx.packets))
		flow_adapt(f);
}


/* How it sounds here, for the peer to know (RFC 3611 4.7) */
static void voip_metrics(struct flow *f, struct xr_voip *v)
{
	const struct receiver *r = &f->rx;
	const struct codec *c = f->plan.codec;
	const uint32_t rtt_us = f->rtcp.rtt_us;
	struct jitter_stats js = { 0 };
	struct burst_figures b;
	double packet_ms, delay_ms, rating;

	memset(v, 0, sizeof(*v));
	if (r->jitter)
		jitter_stats(r->jitter, &js);
	burst_read(&b, &r->burst);
	packet_ms = r->clock_hz ? 1000.0 * r->dur / r->clock_hz : 0.0;
	delay_ms = (double)(js.delay_us / 1000) + packet_ms;

	v->ssrc = r->source.ssrc;
	v->gmin = BURST_GMIN;
	v->loss_pct = b.loss_pct;
	v->discard_pct = b.discard_pct;
	v->burst_pct = b.burst_pct;
	v->gap_pct = b.gap_pct;
	v->burst_ms = b.burst_packets * packet_ms;
	v->gap_ms = b.gap_packets * packet_ms;
	v->rtt_ms = rtt_us / 1000.0;
	v->end_delay_ms = delay_ms;
	v->signal_dbm = r->level.dbfs + 3.0;
	v->buffer_ms = (double)(js.target_us / 1000);
	v->buffer_max_ms = v->buffer_limit_ms = r->max_ms;

	/* what is heard alone, and in a conversation */
	rating = media_r(c, b.loss_pct + b.discard_pct, b.ratio, 0.0);
	v->mos_lq = media_mos_of(rating);
	rating = media_r(c, b.loss_pct + b.discard_pct, b.ratio,
			 delay_ms + rtt_us / 2000.0);
	v->r = rating == rating ? rating : 0.0;
	v->mos_cq = media_mos_of(rating);
}


void flow_report_nack(struct flow *f, uint64_t now_us)
{
	struct receiver *r = &f->rx;
	const struct report_out o = {
		.ssrc = f->tx.ssrc,
		.source = r->source.known ? &r->source : NULL,
		.reduced = f->plan.rtcp_rsize,
	};
	uint16_t seqv[NACK_MOST];
	uint8_t p[REPORT_MAX];
	struct jitter_stats js;
	unsigned n, packet_ms;

	if (!r->nack || !r->jitter || !r->clock_hz || f->tp.shut ||
	    !flow_keyed(f))
		return;

	packet_ms = 1000u * r->dur / r->clock_hz;
	receive_hold(r, nack_hold_ms(r->nack, now_us, f->rtcp.rtt_us,
				     packet_ms));

	if (!r->nack->n)
		return;

	jitter_stats(r->jitter, &js);
	n = nack_due(r->nack, now_us, f->rtcp.rtt_us, js.delay_us, seqv);
	n = n ? (unsigned)report_nack(&f->rtcp, p, sizeof(p), &o, seqv, n) : 0;
	if (n)
		(void)transport_send(&f->tp, true, p, n);
}


void flow_report_send(struct flow *f, uint64_t now_us, bool bye)
{
	struct sender *s = &f->tx;
	struct xr_voip xr;
	struct report_out o = {
		.now_us = now_us,
		.wall_ms = clock_wall_ms(),
		.ssrc = s->ssrc,
		.sender = s->packets > s->reported,
		.rtp_ts = s->ts,
		.packets = (uint32_t)s->packets,
		.bytes = (uint32_t)s->bytes,
		.source = f->rx.source.known ? &f->rx.source : NULL,
		.reduced = f->plan.rtcp_rsize,
	};
	uint8_t p[REPORT_MAX];
	size_t n;

	/* who was never heard of does not say good-bye (RFC 3550 6.3.7) */
	if (bye && !s->packets && f->rtcp.first)
		return;

	if (f->plan.xr && o.source) {
		voip_metrics(f, &xr);
		o.xr = &xr;
	}
	n = bye ? report_bye(&f->rtcp, p, sizeof(p), &o)
		: report_build(&f->rtcp, p, sizeof(p), &o);

	s->reported = s->packets;
	(void)transport_send(&f->tp, true, p, n);
}
