/**
 * @file sip/flow.c  A way to a server, kept open and watched
 *
 * A NAT forgets who speaks to whom, and a connection may close without our
 * asking.  On UDP we send CRLF CRLF, or STUN when the server must answer; on
 * connections CRLF CRLF, and when it must answer, CRLF must come back in ten
 * seconds (RFC 5626 4.4).  The owner hears once that the flow is lost, on a
 * turn of the loop of its own.  Main thread.
 */
#include <offhook/random.h>
#include "registration.h"
#include "conn.h"


enum { PONG_MS = 10000 };       /* RFC 5626 4.4.1 */

struct flow {
	struct leg *leg;
	struct sip_stack *stack;
	enum sip_transp tp;
	enum flow_ping ping;
	uint32_t interval_ms;
	uint64_t conn;              /* others than UDP                     */
	struct conn_watch watch;
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
	conn_unwatch(&f->watch);
	mem_deref(f->stun);
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

	timer_start(&f->tmr, ms * (800u + random_u16() % 201u) / 1000u, ping_h,
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


/* Its end comes back to us, and to all who use it */
static void pong_h(void *arg)
{
	struct flow *f = arg;
	struct conn *c = conn_find(f->stack, f->conn);

	if (c && c->pinged)
		conn_end(c, ETIMEDOUT, "the peer does not answer keep-alives");
	else
		ping_later(f);
}


static void ping_conn(struct flow *f)
{
	struct conn *c = conn_find(f->stack, f->conn);
	const bool must = f->ping == FLOW_PING;

	/* what fails here the connection tells by itself */
	if (c && !conn_blank(c, must ? CONN_PING : CONN_TOUCH) && must)
		timer_start(&f->tmr, PONG_MS, pong_h, f);
	else
		ping_later(f);
}


static void ping_h(void *arg)
{
	struct flow *f = arg;
	int err;

	if (f->tp != SIP_TRANSP_UDP) {
		ping_conn(f);
	}
	else if (f->ping == FLOW_PING) {
		err = stun_ping_send(&f->stun, f->leg, &f->dst,
				     stack_t1(f->stack), stun_h, f);
		if (err)
			lost_later(f, err);
	}
	else {
		/* a network that is away for a moment is no lost flow */
		(void)dgram_send(f->leg->dgram, &f->dst,
				 (const uint8_t *)"\r\n\r\n", 4);
		ping_later(f);
	}
}


static void gone_h(int err, const char *why, void *arg)
{
	struct flow *f = arg;

	log_debug("flow: %s", why);
	timer_cancel(&f->tmr);
	f->h(err ? err : ECONNRESET, f->arg);
}


int flow_keep(struct flow **fp, struct leg *l, const struct sip_msg *msg,
	      enum flow_ping ping, uint32_t interval_ms, flow_lost_h *h,
	      void *arg)
{
	struct conn *c = NULL;
	struct flow *f;

	if (!fp || !l || !msg || !h)
		return EINVAL;

	if (msg->tp != SIP_TRANSP_UDP) {
		c = msg->sock;
		if (!c || c->state == CONN_GONE)
			return ENOTCONN;
	}

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

	if (c) {
		f->conn = c->id;
		conn_watch(c, &f->watch, gone_h, f);
	}

	if (ping != FLOW_WATCH)
		ping_later(f);

	*fp = f;

	return 0;
}
