/**
 * @file sip/flow.c  A way to a server, kept open and watched
 *
 * A NAT forgets who speaks to whom, and a connection may close without our
 * asking.  On UDP we send CRLF CRLF, or STUN when the server must answer; on
 * connections CRLF CRLF, with libre watching for the pong and for the end
 * (RFC 5626 4.4).  The owner hears once that the flow is lost, never from
 * inside libre, which walks its lists while it tells us.  Main thread.
 */
#include "registration.h"


enum {
	/* pings of libre's that never come: about a month */
	NEVER_S = 2500000,
};

struct flow {
	struct leg *leg;
	struct sip_stack *stack;
	enum sip_transp tp;
	enum flow_ping ping;
	uint32_t interval_ms;
	struct udp_sock *us;        /* UDP                                 */
	struct sip_msg *msg;        /* others: keeps the connection known  */
	struct sip_keepalive *ka;
	struct sa dst;
	struct sa seen;             /* by STUN; unset: not yet             */
	struct stun_ping *stun;
	struct timer tmr, tmr_lost;
	int err;
	flow_lost_h *h;
	void *arg;
};


static void flow_destructor(void *arg)
{
	struct flow *f = arg;

	timer_cancel(&f->tmr);
	timer_cancel(&f->tmr_lost);
	mem_deref(f->stun);
	mem_deref(f->ka);
	mem_deref(f->us);
	mem_deref(f->msg);
}


static void lost_h(void *arg)
{
	struct flow *f = arg;

	f->h(f->err, f->arg);
}


static void lost_later(struct flow *f, int err)
{
	timer_cancel(&f->tmr);
	f->err = err;
	timer_start(&f->tmr_lost, 0, lost_h, f);
}


static void ping_h(void *arg);


/* 80 to 100 %, so that phones of one kind do not ping in step */
static void ping_later(struct flow *f)
{
	const uint64_t ms = f->interval_ms;

	timer_start(&f->tmr, ms * (800u + rand_u16() % 201u) / 1000u, ping_h,
		    f);
}


static void stun_h(int err, const struct sa *seen, void *arg)
{
	struct flow *f = arg;

	f->stun = mem_deref(f->stun);

	if (err) {
		lost_later(f, err);
		return;
	}

	/* the NAT has begun anew: nobody outside can reach us as told */
	if (sa_isset(&f->seen, SA_ALL) && !sa_cmp(&f->seen, seen, SA_ALL)) {
		lost_later(f, EADDRNOTAVAIL);
		return;
	}

	f->seen = *seen;
	ping_later(f);
}


static void ping_h(void *arg)
{
	static uint8_t crlf[4] = {'\r', '\n', '\r', '\n'};
	struct mbuf mb = {.buf = crlf, .size = 4, .end = 4};
	struct flow *f = arg;
	int err = 0;

	if (f->tp != SIP_TRANSP_UDP) {
		err = sip_send(f->leg->sip, f->msg->sock, f->tp, &f->dst,
			       &mb);
	}
	else if (f->ping == FLOW_PING) {
		err = stun_ping_send(&f->stun, f->us, &f->dst,
				     stack_t1(f->stack), stun_h, f);
		if (!err)
			return;
	}
	else {
		/* a network that is away for a moment is no lost flow */
		(void)udp_send(f->us, &f->dst, &mb);
	}

	if (err)
		lost_later(f, err);
	else
		ping_later(f);
}


static void ka_h(int err, void *arg)
{
	lost_later(arg, err ? err : ECONNRESET);
}


/* Pings that want a pong are libre's; its intervals vary by themselves */
static int conn_keep(struct flow *f, const struct sip_msg *msg)
{
	const uint32_t s = f->ping == FLOW_PING ?
		(f->interval_ms + 999) / 1000 : NEVER_S;

	f->msg = mem_ref((void *)msg);

	return sip_keepalive_start(&f->ka, f->leg->sip, msg, s, ka_h, f);
}


int flow_keep(struct flow **fp, struct leg *l, const struct sip_msg *msg,
	      enum flow_ping ping, uint32_t interval_ms, flow_lost_h *h,
	      void *arg)
{
	struct flow *f;
	int err = 0;

	if (!fp || !l || !msg || !h || !msg->sock)
		return EINVAL;

	f = mem_zalloc(sizeof(*f), flow_destructor);
	if (!f)
		return ENOMEM;

	f->leg = l;
	f->stack = l->stack;
	f->tp = msg->tp;
	f->ping = ping;
	f->interval_ms = interval_ms;
	f->dst = msg->src;
	sa_init(&f->seen, AF_UNSPEC);
	f->h = h;
	f->arg = arg;

	if (f->tp == SIP_TRANSP_UDP)
		f->us = mem_ref(msg->sock);
	else
		err = conn_keep(f, msg);

	if (err) {
		mem_deref(f);
		return err;
	}

	if (ping == FLOW_CRLF ||
	    (ping == FLOW_PING && f->tp == SIP_TRANSP_UDP))
		ping_later(f);

	*fp = f;

	return 0;
}
