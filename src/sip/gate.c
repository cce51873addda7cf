/**
 * @file sip/gate.c  Before libre reads a datagram
 *
 * Main thread.  libre drops what it cannot decode without a word to anybody;
 * RFC 3261 wants a 400 or 505 for most of it.  A helper on the UDP socket
 * sees each datagram first and remembers it until the tracer has seen the
 * message it became.  If that does not happen, the pieces are looked at
 * (salvage.c) and refused, as far as they tell where to answer.  On TCP the
 * connection is closed by libre, and there is no way in before its first
 * message.
 *
 * libre does not hand out the socket of a transport, but every message
 * carries it: the first datagram is one to ourselves.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "priv.h"


enum {
	HELPER_LAYER = 0,
	LOST_MS      = 100,         /* to find that nothing came of it; a
				       wake-up for many datagrams          */
	RCVBUF_SIZE  = 1 << 20,     /* a burst of requests; what we get    */
};

struct gate {
	struct leg *leg;
	struct udp_sock *us;
	struct udp_helper *uh;
	struct mbuf *mb;            /* went in, not yet seen as a message  */
	size_t pos;
	struct sa src;
	struct timer tmr;
};

static void refuse(struct gate *g, const char *text, size_t len)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sa dst;

	if (!mb)
		return;

	if (salvage(mb, &dst, text, len, &g->src)) {
		++g->leg->stack->stats.refused;
		(void)sip_send(g->leg->sip, g->us, SIP_TRANSP_UDP, &dst, mb);
	}
	else {
		++g->leg->stack->stats.discarded;
	}

	mem_deref(mb);
}


/* Nothing is wrong with it: memory was short, and it will come again */
static bool is_whole(struct mbuf *mb, size_t pos)
{
	const size_t was = mb->pos;
	struct sip_msg *msg = NULL;
	int err;

	mb->pos = pos;
	err = sip_msg_decode(&msg, mb);
	mem_deref(msg);
	mb->pos = was;

	return !err;
}


static void lost_h(void *arg)
{
	struct gate *g = arg;
	struct mbuf *mb = g->mb;

	timer_cancel(&g->tmr);
	g->mb = NULL;

	if (mb && !is_whole(mb, g->pos))
		refuse(g, (const char *)mb->buf + g->pos, mb->end - g->pos);

	mem_deref(mb);
}


/*
 * libre answers copies of a request, and CANCELs, before any of us sees them,
 * and sends the answer to where a maddr says.
 */
static bool answer_led_away(struct mbuf *mb, const struct sa *src)
{
	const size_t pos = mb->pos, end = mb->end;
	const char *p = (const char *)mbuf_buf(mb);
	struct sip_msg *msg;
	struct pl val;
	struct sa sa;
	bool away = false;
	size_t left;

	for (left = mbuf_get_left(mb); left >= 5; left--, p++) {
		if (!strncasecmp(p, "maddr", 5))
			break;
	}

	if (left < 5 || sip_msg_decode(&msg, mb))
		goto out;

	if (msg->req && !msg_param_decode(&msg->via.params, "maddr", &val))
		away = sa_set(&sa, &val, 0) || !sa_cmp(&sa, src, SA_ADDR);

	mem_deref(msg);

 out:
	mb->pos = pos;
	mb->end = end;

	return away;
}


static bool recv_h(struct sa *src, struct mbuf *mb, void *arg)
{
	struct gate *g = arg;
	const char *text = (const char *)mbuf_buf(mb);
	const size_t len = mbuf_get_left(mb);

	/* nothing came of the one before */
	if (g->mb)
		lost_h(g);

	/* keep-alives */
	if (len <= 4)
		return false;

	/* libre would only print that it cannot read this */
	if (!salvage_plausible(text, len)) {
		g->src = *src;
		refuse(g, text, len);
		return true;
	}

	if (answer_led_away(mb, src)) {
		g->src = *src;
		refuse(g, text, len);
		return true;
	}

	salvage_elder(mb);

	g->mb = mem_ref(mb);
	g->pos = mb->pos;
	g->src = *src;
	timer_start(&g->tmr, LOST_MS, lost_h, g);

	return false;
}


void gate_decoded(struct gate *g)
{
	if (!g || !g->mb)
		return;

	timer_cancel(&g->tmr);
	g->mb = mem_deref(g->mb);
}


static void gate_destructor(void *arg)
{
	struct gate *g = arg;

	timer_cancel(&g->tmr);
	mem_deref(g->mb);
	mem_deref(g->uh);
	mem_deref(g->us);
}


static void gate_open(struct leg *l, void *sock)
{
	const int size = RCVBUF_SIZE;
	struct gate *g;

	g = mem_zalloc(sizeof(*g), gate_destructor);
	if (!g)
		return;

	g->leg = l;
	g->us = mem_ref(sock);

	/* a wish: the system bounds it */
	(void)setsockopt(compat_udp_fd(g->us, sa_af(&l->addr)), SOL_SOCKET,
			 SO_RCVBUF, &size, sizeof(size));

	if (udp_register_helper(&g->uh, g->us, HELPER_LAYER, NULL, recv_h, g))
		mem_deref(g);
	else
		l->gate = g;
}


bool gate_is_prime(const struct leg *l, const char *text, size_t len)
{
	return !l->gate && *l->cookie &&
		memmem(text, len, l->cookie, strlen(l->cookie));
}


bool gate_first(struct leg *l, const struct sip_msg *msg)
{
	if (!l->gate && msg->tp == SIP_TRANSP_UDP && msg->sock)
		gate_open(l, msg->sock);

	return !msg->req && *l->cookie &&
		!pl_strcmp(&msg->via.branch, l->cookie);
}


void gate_prime(struct leg *l)
{
	char buf[128];
	int fd, n;

	if (!sa_isset(&l->udp, SA_ADDR))
		return;

	fd = socket(sa_af(&l->udp), SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return;

	(void)snprintf(l->cookie, sizeof(l->cookie), "z9hG4bK%016llx",
		       (unsigned long long)rand_u64());

	n = snprintf(buf, sizeof(buf), "SIP/2.0 100 -\r\n"
		     "Via: SIP/2.0/UDP self;branch=%s\r\n\r\n", l->cookie);

	/* if it is lost, the first message from outside does as well */
	(void)sendto(fd, buf, (size_t)n, MSG_DONTWAIT, &l->udp.u.sa,
		     l->udp.len);

	(void)close(fd);
}
