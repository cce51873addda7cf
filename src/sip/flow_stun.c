/**
 * @file sip/flow_stun.c  STUN on the SIP socket, RFC 5626 4.4.2
 *
 * A binding request of twenty bytes, sent again like any request over UDP,
 * and its answer: the address the server sees.  Whoever asks us is told, too.
 * Main thread.
 */
#include <offhook/random.h>
#include "registration.h"


enum {
	HEAD_LEN      = 20,
	TID_LEN       = 12,
	TRIES         = 7,          /* RFC 5389 7.2.1                      */
	LAST_WAIT     = 16,         /* T1, after the last one              */

	BINDING_REQ   = 0x0001,
	BINDING_OK    = 0x0101,
	BINDING_ERR   = 0x0111,
	MAPPED        = 0x0001,
	XOR_MAPPED    = 0x0020,
};

#define COOKIE 0x2112a442u

struct stun_ping {
	struct le le;               /* stack->pings                        */
	struct leg *leg;
	struct sa dst, seen;
	uint8_t tid[TID_LEN];
	struct timer tmr;
	uint32_t t1_ms;
	unsigned tries;
	int err;                    /* to tell on the next turn            */
	bool done;
	stun_ping_h *h;
	void *arg;
};


static void stun_ping_destructor(void *arg)
{
	struct stun_ping *p = arg;

	timer_cancel(&p->tmr);
	list_unlink(&p->le);
}


static void done_h(void *arg)
{
	struct stun_ping *p = arg;

	/* who asked lets go inside */
	mem_ref(p);
	p->h(p->err, p->err ? NULL : &p->seen, p->arg);
	mem_deref(p);
}


static void done_later(struct stun_ping *p, int err)
{
	p->err = err;
	p->done = true;
	timer_start(&p->tmr, 0, done_h, p);
}


/* The attribute that tells our address. @return false: nonsense */
static bool mapped_read(struct sa *seen, const uint8_t *v, size_t len,
			bool xored, const uint8_t *tid)
{
	const bool v6 = len == 20 && v[1] == 2;
	uint8_t addr[16], key[16];
	uint16_t port;
	size_t i;

	if (!v6 && !(len == 8 && v[1] == 1))
		return false;

	for (i = 0; i < 4; i++)
		key[i] = (uint8_t)(COOKIE >> (24 - 8 * i));
	memcpy(key + 4, tid, TID_LEN);

	port = (uint16_t)(v[2] << 8 | v[3]);
	if (xored)
		port ^= (uint16_t)(COOKIE >> 16);

	for (i = 0; i < len - 4; i++)
		addr[i] = xored ? v[4 + i] ^ key[i] : v[4 + i];

	if (v6)
		sa_set_in6(seen, addr, port);
	else
		sa_set_in(seen, (uint32_t)addr[0] << 24 |
			  (uint32_t)addr[1] << 16 | (uint32_t)addr[2] << 8 |
			  addr[3], port);

	return port != 0;
}


static bool answer_read(struct sa *seen, const uint8_t *p, size_t len)
{
	const uint8_t *tid = p + 8;
	bool found = false;

	for (p += HEAD_LEN, len -= HEAD_LEN; len >= 4; ) {
		const unsigned type = (unsigned)(p[0] << 8 | p[1]);
		const size_t n = (size_t)(p[2] << 8 | p[3]);
		const size_t padded = (n + 3) & ~(size_t)3;

		if (n > len - 4)
			return false;

		/* what NATs like to rewrite counts for less */
		if (type == XOR_MAPPED &&
		    mapped_read(seen, p + 4, n, true, tid))
			return true;
		if (type == MAPPED && !found)
			found = mapped_read(seen, p + 4, n, false, tid);

		if (padded > len - 4)
			break;
		p += 4 + padded;
		len -= 4 + padded;
	}

	return found;
}


static void answer_take(struct sip_stack *s, struct leg *l,
			const struct sa *src, const uint8_t *m, size_t len)
{
	struct le *le;

	for (le = s->pings.head; le; le = le->next) {
		struct stun_ping *p = le->data;

		if (p->leg != l || !sa_cmp(src, &p->dst, SA_ALL) ||
		    memcmp(m + 8, p->tid, TID_LEN))
			continue;

		if (p->done)
			return;

		if (m[1] == (BINDING_OK & 0xff) &&
		    answer_read(&p->seen, m, len))
			done_later(p, 0);
		else
			done_later(p, EPROTO);
		return;
	}
}


/* Who asks is told how we see him */
static void serve(struct leg *l, const struct sa *src, const uint8_t *m)
{
	const bool v6 = sa_af(src) == AF_INET6;
	const size_t n = v6 ? 20 : 8;
	const uint16_t port = sa_port(src) ^ (uint16_t)(COOKIE >> 16);
	uint8_t out[HEAD_LEN + 4 + 20], key[16], addr[16];
	uint8_t *p = out + HEAD_LEN;
	size_t i;

	memcpy(out, m, HEAD_LEN);
	out[0] = BINDING_OK >> 8;
	out[1] = BINDING_OK & 0xff;
	out[2] = 0;
	out[3] = (uint8_t)(4 + n);

	*p++ = XOR_MAPPED >> 8;
	*p++ = XOR_MAPPED & 0xff;
	*p++ = 0;
	*p++ = (uint8_t)n;
	*p++ = 0;
	*p++ = v6 ? 2 : 1;
	*p++ = (uint8_t)(port >> 8);
	*p++ = (uint8_t)port;

	memcpy(key, m + 4, sizeof(key));
	if (v6) {
		sa_in6(src, addr);
	}
	else {
		for (i = 0; i < 4; i++)
			addr[i] = (uint8_t)(sa_in(src) >> (24 - 8 * i));
	}
	for (i = 0; i < n - 4; i++)
		*p++ = addr[i] ^ key[i];

	(void)dgram_send(l->dgram, src, out, (size_t)(p - out));
}


bool flow_stun(struct leg *l, const struct sa *src, const uint8_t *m,
	       size_t len)
{
	static const uint8_t cookie[] = {
		COOKIE >> 24, (COOKIE >> 16) & 0xff, (COOKIE >> 8) & 0xff,
		COOKIE & 0xff,
	};
	unsigned type;

	if (len < HEAD_LEN || m[0] > 3 || memcmp(m + 4, cookie, 4))
		return false;

	type = (unsigned)(m[0] << 8 | m[1]);
	if (len > 1500 || (size_t)(m[2] << 8 | m[3]) != len - HEAD_LEN)
		return true;

	if (type == BINDING_REQ)
		serve(l, src, m);
	else if (type == BINDING_OK || type == BINDING_ERR)
		answer_take(l->stack, l, src, m, len);

	return true;
}


static void send_h(void *arg)
{
	struct stun_ping *p = arg;
	uint8_t head[HEAD_LEN] = {
		0, BINDING_REQ, 0, 0, COOKIE >> 24, (COOKIE >> 16) & 0xff,
		(COOKIE >> 8) & 0xff, COOKIE & 0xff,
	};

	if (p->tries == TRIES) {
		done_later(p, ETIMEDOUT);
		return;
	}

	memcpy(head + 8, p->tid, TID_LEN);

	/* an error may pass, as the datagram may be lost */
	(void)dgram_send(p->leg->dgram, &p->dst, head, sizeof(head));

	++p->tries;
	timer_start(&p->tmr, p->tries == TRIES ? LAST_WAIT * p->t1_ms :
		    p->t1_ms << (p->tries - 1), send_h, p);
}


int stun_ping_send(struct stun_ping **pp, struct leg *l,
		   const struct sa *dst, uint32_t t1_ms, stun_ping_h *h,
		   void *arg)
{
	struct stun_ping *p;

	if (!pp || !l || !dst || !h)
		return EINVAL;

	p = mem_zalloc(sizeof(*p), stun_ping_destructor);
	if (!p)
		return ENOMEM;

	p->leg = l;
	p->dst = *dst;
	p->t1_ms = t1_ms;
	p->h = h;
	p->arg = arg;
	random_fill(p->tid, sizeof(p->tid));
	list_append(&l->stack->pings, &p->le, p);

	timer_start(&p->tmr, 0, send_h, p);
	*pp = p;

	return 0;
}
