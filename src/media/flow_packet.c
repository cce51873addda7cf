/**
 * @file flow_packet.c  What comes for a flow, and what does not
 *
 * Media thread: the first step of a cycle, and the last, in which a flow looks
 * after what has its time.
 */
#include "dtls.h"
#include "nat.h"
#include "priv.h"


enum {
	RTCP_LOOK_US = 200000,       /* how often RTCP is read              */
	UNEVEN_LOOK_US = 500000,
	UNEVEN_US = 15000,           /* between quickest and latest, ...    */
	EVEN_US = 8000,              /* ... and less than that is not       */
};


static void moved_tell(struct flow *f, const struct sa *was)
{
	const struct stream_event ev = {
		.type = STREAM_MOVED, .from = f->tp.from, .was = *was
	};

	flow_post(f, &ev);
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
		flow_secure_packet(f, false, p);
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

	if (p->mark)
		r->mark = p->mark;
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


void flow_arrived(struct flow *f, struct packet *p)
{
	packet_take(f, false, p);
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

	/* nothing in RTCP is urgent but what is missed, and the kernel says
	 * when it came */
	if (!f->tp.again && now_us - f->rtcp_look_us < RTCP_LOOK_US)
		return;
	f->rtcp_look_us = now_us;

	n = transport_recv(&f->tp, true, f->eng->inbox, &pv);
	for (unsigned i = 0; i < n; i++)
		packet_take(f, true, &pv[i]);

	while (f->tp.in.list.head && (pv = impair_due(&f->tp, true, now_us)))
		flow_report_packet(f, pv);
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


/* Do its packets come so unevenly that the length of turns matters? */
static void uneven_look(struct flow *f, uint64_t now_us)
{
	int64_t spread;
	bool uneven;

	if (!f->rx.jitter || now_us - f->uneven_look_us < UNEVEN_LOOK_US)
		return;
	f->uneven_look_us = now_us;

	spread = jitter_spread(f->rx.jitter);
	uneven = spread > (f->uneven ? EVEN_US : UNEVEN_US);
	if (uneven == f->uneven)
		return;

	f->uneven = uneven;
	engine_retime_flow(f->eng, f);
}


void flow_tend(struct flow *f, uint64_t now_us)
{
	struct dtmf_digit d;

	uneven_look(f, now_us);
	flow_secure_tend(f, now_us);
	flow_keep_open(f, now_us);
	flow_report_nack(f, now_us);
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
