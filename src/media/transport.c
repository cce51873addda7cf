/**
 * @file transport.c  The sockets of a stream, and RTP's header
 *
 * The sockets are not in the poll: the engine reads them at each step, many
 * packets with one call, and the kernel's time stamps tell when they came, so
 * that being read late does not look like jitter.  Whom we listen to is
 * decided in transport_peer.c.
 *
 * Opened and closed on either thread, used on the media thread.  Nothing here
 * blocks.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include <offhook/dscp.h>
#include <offhook/random.h>
#include "bytes.h"
#include "priv.h"
#include "nat.h"
#include "srtp.h"


enum {
	ARRIVAL_NS = 1000000000,  /* what waited longer is of now            */
	BIND_TRIES = 4096,
};

struct inbox {
	struct mmsghdr msg[PACKETS_TICK];
	struct iovec iov[PACKETS_TICK];
	struct sa from[PACKETS_TICK];
	struct packet packet[PACKETS_TICK];
	union {
		struct cmsghdr hdr;      /* alignment */
		uint8_t buf[CMSG_SPACE(sizeof(struct timespec)) +
			    CMSG_SPACE(sizeof(int))];
	} ctl[PACKETS_TICK];
	uint8_t data[PACKETS_TICK][PACKET_MAX];
	int64_t wall_ns;                 /* our clock less the wall clock */
	uint64_t now_ns;
};


/* RTP ------------------------------------------------------------------- */

int rtp_read(struct rtp *h, const uint8_t *p, size_t len)
{
	size_t head;

	if (len < RTP_HEADER || p[0] >> 6 != 2)
		return EBADMSG;

	h->marker = p[1] >> 7;
	h->pt     = p[1] & 0x7f;
	h->seq    = get_u16(p + 2);
	h->ts     = get_u32(p + 4);
	h->ssrc   = get_u32(p + 8);

	head = RTP_HEADER + 4 * (size_t)(p[0] & 0x0f);

	if (p[0] & 0x10) {                             /* extension */

		if (len < head + 4)
			return EBADMSG;

		head += 4 + 4 * (size_t)(p[head + 2] << 8 | p[head + 3]);
	}

	if (len < head)
		return EBADMSG;

	if (p[0] & 0x20) {                             /* padding */

		const size_t pad = p[len - 1];

		if (!pad || pad > len - head)
			return EBADMSG;

		len -= pad;
	}

	h->payload = p + head;
	h->len = len - head;

	return 0;
}


void rtp_write(uint8_t p[RTP_HEADER], const struct rtp *h)
{
	p[0] = 0x80;
	p[1] = (uint8_t)((h->marker ? 0x80 : 0) | (h->pt & 0x7f));
	put_u16(p + 2, h->seq);
	put_u32(p + 4, h->ts);
	put_u32(p + 8, h->ssrc);
}


bool rtp_is_rtcp(const uint8_t *p, size_t len)
{
	return len >= 2 && p[0] >> 6 == 2 && p[1] >= 192 && p[1] <= 223;
}


/* Inbox ----------------------------------------------------------------- */

int inbox_alloc(struct inbox **ip)
{
	/* pages that no burst ever reaches are never touched: so no zalloc */
	struct inbox *in = mem_alloc(sizeof(*in), NULL);

	if (!in)
		return ENOMEM;

	memset(in->msg, 0, sizeof(in->msg));

	for (unsigned i = 0; i < PACKETS_TICK; i++) {
		struct msghdr *h = &in->msg[i].msg_hdr;

		in->iov[i].iov_base = in->data[i];
		in->iov[i].iov_len = PACKET_MAX;
		h->msg_iov = &in->iov[i];
		h->msg_iovlen = 1;
		h->msg_name = &in->from[i].u;
		h->msg_namelen = sizeof(in->from[i].u);
		h->msg_control = &in->ctl[i];
		h->msg_controllen = sizeof(in->ctl[i]);
	}

	inbox_sync(in);
	*ip = in;

	return 0;
}


void inbox_sync(struct inbox *in)
{
	struct timespec wall;

	(void)clock_gettime(CLOCK_REALTIME, &wall);
	in->now_ns = clock_ns();
	in->wall_ns = (int64_t)in->now_ns -
		((int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec);
}


/* On our clock; a wall clock that was just set must not confuse us */
static uint64_t arrival_us(const struct inbox *in, const struct timespec *ts)
{
	const int64_t now = (int64_t)clock_ns();
	int64_t t;

	t = (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec + in->wall_ns;
	if (!ts->tv_sec || t > now || t < now - ARRIVAL_NS)
		t = now;

	return (uint64_t)t / 1000;
}


/* What the kernel says of a packet: when it came, and how it was marked */
static void control_read(const struct inbox *in, struct msghdr *h,
			 struct packet *p)
{
	struct timespec ts = { 0 };
	struct cmsghdr *c;
	int class;

	p->mark = 0;
	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {

		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPNS &&
		    c->cmsg_len >= CMSG_LEN(sizeof(ts))) {
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		}
		else if (c->cmsg_level == IPPROTO_IP &&
			 c->cmsg_type == IP_TOS &&
			 c->cmsg_len >= CMSG_LEN(1)) {
			p->mark = (uint8_t)((*CMSG_DATA(c) >> 2) + 1);
		}
		else if (c->cmsg_level == IPPROTO_IPV6 &&
			 c->cmsg_type == IPV6_TCLASS &&
			 c->cmsg_len >= CMSG_LEN(sizeof(class))) {
			memcpy(&class, CMSG_DATA(c), sizeof(class));
			p->mark = (uint8_t)((class >> 2 & 63) + 1);
		}
	}

	p->arrival_us = arrival_us(in, &ts);
}


/* Sockets --------------------------------------------------------------- */

static int socket_bind(int *fdp, const struct sa *addr)
{
	const int on = 1;
	const int af = sa_af(addr);
	int fd, err;

	fd = socket(af, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;

	if (af == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(fd, af == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
			 af == AF_INET6 ? IPV6_RECVTCLASS : IP_RECVTOS, &on,
			 sizeof(on));

	if (bind(fd, &addr->u.sa, addr->len)) {
		err = errno;
		(void)close(fd);
		return err;
	}

	*fdp = fd;

	return 0;
}


int stamps_keep(void)
{
	const int on = 1;
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on,
				 sizeof(on));

	return fd;
}


static int pair_bind(struct transport *t, const struct sa *local,
		     uint16_t port)
{
	struct sa addr = *local, next = *local;
	int rtp = -1, rtcp = -1, err;

	sa_set_port(&addr, port);
	sa_set_port(&next, (uint16_t)(port + 1));

	err = socket_bind(&rtp, &addr);
	if (err)
		return err;

	err = socket_bind(&rtcp, &next);
	if (err) {
		(void)close(rtp);
		return err;
	}

	t->rtp = rtp;
	t->rtcp = rtcp;
	t->local = addr;

	return 0;
}


int transport_open(struct transport *t, const struct sa *local,
		   uint16_t port_min, uint16_t port_max)
{
	const uint32_t first = (port_min + 1u) & ~1u;
	uint32_t pairs, at;

	t->rtp = t->rtcp = -1;

	if (!sa_isset(local, SA_ADDR) || port_max < first + 1)
		return EINVAL;

	pairs = (port_max - first + 1) / 2;

	/* a port nobody can guess, then the ones after it */
	at = random_u32() % pairs;

	for (uint32_t i = 0; i < pairs && i < BIND_TRIES; i++) {
		const uint32_t port = first + 2 * ((at + i) % pairs);
		const int err = pair_bind(t, local, (uint16_t)port);

		if (err != EADDRINUSE && err != EACCES)
			return err;
	}

	return EADDRINUSE;
}


void transport_mark(const struct transport *t, unsigned dscp)
{
	const int af = sa_af(&t->local);

	dscp_set(t->rtp, af, dscp);
	dscp_set(t->rtcp, af, dscp);
}


void transport_close(struct transport *t)
{
	impair_flush(t);

	if (t->rtp >= 0)
		(void)close(t->rtp);
	if (t->rtcp >= 0)
		(void)close(t->rtcp);

	t->rtp = t->rtcp = -1;
}


unsigned transport_recv(const struct transport *t, bool rtcp,
			struct inbox *in, struct packet **pv)
{
	const int fd = rtcp ? t->rtcp : t->rtp;
	unsigned count = 0;
	int n;

	if (fd < 0)
		return 0;

	n = recvmmsg(fd, in->msg, PACKETS_TICK, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++) {
		struct msghdr *h = &in->msg[i].msg_hdr;

		if (!(h->msg_flags & MSG_TRUNC)) {
			struct packet *p = &in->packet[count++];

			in->from[i].len = h->msg_namelen;
			p->p = in->data[i];
			p->len = in->msg[i].msg_len;
			p->from = &in->from[i];
			control_read(in, h, p);
		}

		h->msg_namelen = sizeof(in->from[i].u);
		h->msg_controllen = sizeof(in->ctl[i]);
		h->msg_flags = 0;
	}

	*pv = in->packet;

	return count;
}


struct shield *transport_shield(const struct transport *t, bool rtcp)
{
	return rtcp && t->shield_rtcp ? t->shield_rtcp : t->shield;
}


int transport_send_raw(struct transport *t, bool rtcp, const struct sa *dst,
		       const uint8_t *p, size_t len)
{
	const int fd = rtcp ? t->rtcp : t->rtp;

	if (t->send_h)
		return t->send_h(rtcp, dst, p, len, t->send_arg);
	if (fd < 0)
		return EBADF;

	return sendto(fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		      &dst->u.sa, dst->len) < 0 ? errno : 0;
}


/* Where to. @return 0, EPERM, EDESTADDRREQ */
static int goal(const struct transport *t, bool rtcp, const struct sa **dst)
{
	const bool mux = rtcp && t->mux;

	*dst = &t->peer;

	if (nat_rules(t->nat)) {
		if (rtcp && !mux)
			return EDESTADDRREQ;
	}
	else if (rtcp && !mux) {
		*dst = &t->peer_rtcp;
	}
	else if (t->latched && !t->fixed) {
		*dst = &t->from;
	}

	if (t->shut)
		return EPERM;

	return sa_isset(*dst, SA_ALL) ? 0 : EDESTADDRREQ;
}


int transport_send(struct transport *t, bool rtcp, const uint8_t *p,
		   size_t len)
{
	_Alignas(8) uint8_t sealed[PACKET_MAX + SHIELD_ROOM];
	struct shield *s = transport_shield(t, rtcp);
	const struct sa *dst;
	int err;

	err = goal(t, rtcp, &dst);
	if (err)
		return err;

	transport_sniff(t, true, true, rtcp, dst, p, len);

	if (s) {
		if (len > PACKET_MAX)
			return EMSGSIZE;

		memcpy(sealed, p, len);
		err = shield_seal(s, rtcp, sealed, &len);
		if (err)
			return err;
		p = sealed;
	}

	if (t->again && !rtcp)
		again_keep(t->again, p, len);

	if (impair_send(t, rtcp, dst, p, len))
		return 0;

	return transport_put(t, rtcp, dst, p, len);
}


int transport_send_again(struct transport *t, uint16_t seq)
{
	const struct sa *dst;
	const uint8_t *p;
	size_t len = 0;
	int err;

	err = goal(t, false, &dst);
	if (err)
		return err;

	p = t->again ? again_take(t->again, seq, &len) : NULL;
	if (!p)
		return ENOENT;

	if (impair_send(t, false, dst, p, len))
		return 0;

	return transport_put(t, false, dst, p, len);
}


int transport_put(const struct transport *t, bool rtcp, const struct sa *dst,
		  const uint8_t *p, size_t len)
{
	const int fd = rtcp && !t->mux ? t->rtcp : t->rtp;

	transport_sniff(t, false, true, rtcp, dst, p, len);

	if (nat_rules(t->nat))
		return nat_send(t->nat, p, len);

	if (t->send_h)
		return t->send_h(rtcp, dst, p, len, t->send_arg);

	if (fd < 0)
		return EBADF;

	return sendto(fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL, &dst->u.sa,
		      dst->len) < 0 ? errno : 0;
}
