/**
 * @file app/hep.c  A copy of every SIP message to a Homer server
 *
 * HEP version 3: chunks of vendor, type, length and value in one datagram a
 * message.  What the network does not take is lost, nobody waits.  Main
 * thread.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "offhook/pcap.h"

enum {
	DATAGRAM_MAX = 65000,
	CHUNK = 6,               /* its head                                 */
	/* types of vendor 0 */
	FAMILY = 1, PROTOCOL, SRC4, DST4, SRC6, DST6, SRC_PORT, DST_PORT,
	SECONDS, MICROSECONDS, PAYLOAD_KIND, AGENT,
	PAYLOAD = 15, CORRELATION = 17,
};

struct hep {
	struct capture_tap *tap;
	int fd;
	uint32_t id;
	uint8_t buf[DATAGRAM_MAX];
};

struct building {
	uint8_t *p;
	size_t n, max;
	bool full;
};


static void chunk(struct building *b, unsigned type, const void *v, size_t n)
{
	uint8_t *p = b->p + b->n;

	if (b->full || b->n + CHUNK + n > b->max || CHUNK + n > 65535) {
		b->full = true;
		return;
	}

	p[0] = p[1] = 0;
	p[2] = (uint8_t)(type >> 8);
	p[3] = (uint8_t)type;
	p[4] = (uint8_t)((CHUNK + n) >> 8);
	p[5] = (uint8_t)(CHUNK + n);
	memcpy(p + CHUNK, v, n);
	b->n += CHUNK + n;
}


static void number(struct building *b, unsigned type, uint32_t v, size_t n)
{
	const uint8_t p[4] = {
		(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
		(uint8_t)v,
	};

	chunk(b, type, p + sizeof(p) - n, n);
}


size_t hep_build(uint8_t *buf, size_t sz, const struct capture_msg *m,
		 uint32_t id)
{
	const struct sa *src = m->tx ? &m->local : &m->peer;
	const struct sa *dst = m->tx ? &m->peer : &m->local;
	const bool v6 = sa_af(src) == AF_INET6;
	struct building b = { buf, 6, sz, sz < 6 };

	number(&b, FAMILY, v6 ? 10 : 2, 1);
	number(&b, PROTOCOL, m->tp == SIP_TRANSP_UDP ? IPPROTO_UDP :
	       IPPROTO_TCP, 1);
	if (v6) {
		chunk(&b, SRC6, &src->u.in6.sin6_addr, 16);
		chunk(&b, DST6, &dst->u.in6.sin6_addr, 16);
	}
	else {
		chunk(&b, SRC4, &src->u.in.sin_addr, 4);
		chunk(&b, DST4, &dst->u.in.sin_addr, 4);
	}
	number(&b, SRC_PORT, sa_port(src), 2);
	number(&b, DST_PORT, sa_port(dst), 2);
	number(&b, SECONDS, (uint32_t)(m->time_us / 1000000), 4);
	number(&b, MICROSECONDS, (uint32_t)(m->time_us % 1000000), 4);
	number(&b, PAYLOAD_KIND, 1, 1);          /* SIP */
	number(&b, AGENT, id, 4);
	if (m->callid[0])
		chunk(&b, CORRELATION, m->callid, strlen(m->callid));
	chunk(&b, PAYLOAD, m->text, m->len);

	if (b.full)
		return 0;

	memcpy(buf, "HEP3", 4);
	buf[4] = (uint8_t)(b.n >> 8);
	buf[5] = (uint8_t)b.n;

	return b.n;
}


static void message_handler(const struct capture_msg *m, void *arg)
{
	struct hep *h = arg;
	size_t n;

	if (m->kind != CAPTURE_SIP)
		return;

	n = hep_build(h->buf, sizeof(h->buf), m, h->id);
	if (n)
		(void)!send(h->fd, h->buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}


static void hep_destructor(void *arg)
{
	struct hep *h = arg;

	mem_deref(h->tap);
	if (h->fd >= 0)
		close(h->fd);
}


int hep_open(struct hep **hp, struct capture *c, const struct sa *server,
	     uint32_t id)
{
	struct hep *h = mem_zalloc(sizeof(*h), hep_destructor);
	int err = 0;

	if (!h)
		return ENOMEM;

	h->id = id;
	h->fd = socket(sa_af(server), SOCK_DGRAM | SOCK_CLOEXEC |
		       SOCK_NONBLOCK, 0);
	if (h->fd < 0 || connect(h->fd, &server->u.sa, server->len))
		err = errno;
	if (!err)
		err = capture_listen(&h->tap, c, message_handler, h);

	if (err)
		mem_deref(h);
	else
		*hp = h;

	return err;
}
