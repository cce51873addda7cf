/**
 * @file flow_report.c  Reports of a flow, those that come and those that go
 *
 * Media thread.  The packets themselves are rtcp.c's; here they meet the
 * flow's sender, receiver and transport.
 */
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


void flow_report_packet(struct flow *f, struct packet *p)
{
	const uint32_t ssrc = f->rx.source.known ? f->rx.source.ssrc : 0;
	const uint64_t count = f->rtcp.remote_count;
	const bool bye = f->rtcp.bye;

	if (!transport_accepts_rtcp(&f->tp, p->from)) {
		++f->tp.foreign;
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

	if (f->rtcp.bye && !bye) {
		const struct stream_event ev = { .type = STREAM_REMOTE_BYE };

		flow_post(f, &ev);
	}

	if (f->rtcp.remote_count != count &&
	    adapt_report(&f->adapt, f->rtcp.remote_fraction, f->tx.packets))
		flow_adapt(f);
}


void flow_report_send(struct flow *f, uint64_t now_us, bool bye)
{
	struct sender *s = &f->tx;
	const struct report_out o = {
		.now_us = now_us,
		.wall_ms = clock_wall_ms(),
		.ssrc = s->ssrc,
		.sender = s->packets > s->reported,
		.rtp_ts = s->ts,
		.packets = (uint32_t)s->packets,
		.bytes = (uint32_t)s->bytes,
		.source = f->rx.source.known ? &f->rx.source : NULL,
	};
	uint8_t p[REPORT_MAX];
	const size_t n = bye ? report_bye(&f->rtcp, p, sizeof(p), &o)
			     : report_build(&f->rtcp, p, sizeof(p), &o);

	s->reported = s->packets;
	(void)transport_send(&f->tp, true, p, n);
}
