/**
 * @file flow_report.c  Reports of a flow, those that come and those that go
 *
 * Media thread.  The packets themselves are rtcp.c's; here they meet the
 * flow's sender, receiver and transport.
 */
#include "priv.h"


enum { REPORT_MAX = 256 };


void flow_report_packet(struct flow *f, const struct packet *p)
{
	const uint32_t ssrc = f->rx.source.known ? f->rx.source.ssrc : 0;
	const bool bye = f->rtcp.bye;
	int loss;

	if (!transport_accepts_rtcp(&f->tp, p->from)) {
		++f->tp.foreign;
		return;
	}

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

	/* the encoder spends on redundancy what the loss is worth */
	loss = (int)(f->rtcp.remote_fraction * 100 / 256);
	if (f->rtcp.remote_known && loss != f->tx.loss_pct && f->tx.enc &&
	    f->tx.codec->tune) {
		f->tx.loss_pct = loss;
		f->tx.param.loss_pct = loss;
		(void)f->tx.codec->tune(f->tx.enc, &f->tx.param);
	}
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
