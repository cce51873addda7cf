/**
 * @file sip/dgram.c  The UDP socket of a leg
 *
 * Main thread.  Datagrams are read as long as there are some, but not for
 * ever.  What the network reports of those that could not be delivered (ICMP)
 * is read too: RFC 3261 18.4 counts it as a failure of the transport, and the
 * requests under way to there need not wait 32 s for what cannot come.
 */
#include <time.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <offhook/dscp.h>
#include "priv.h"


enum {
	DGRAM_MAX   = 65536,
	READS_MAX   = 64,           /* on one turn of the loop             */
	ERRORS_MAX  = 64,
	RCVBUF_SIZE = 1 << 20,      /* a burst of requests; what we get    */
};

struct dgram {
	struct leg *leg;
	int fd;
	struct compat_fd fdw;
	bool watched;
};


static void dgram_destructor(void *arg)
{
	struct dgram *d = arg;

	if (d->watched)
		compat_fd_close(&d->fdw);
	if (d->fd >= 0)
		(void)close(d->fd);
}


/* Where could it not be delivered, and why? @return false: not about that */
static bool error_read(const struct msghdr *mh, const struct sa *dst, int *err)
{
	const struct sock_extended_err *ee = NULL;
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR((struct msghdr *)mh,
							 cm)) {
		if ((cm->cmsg_level == IPPROTO_IP &&
		     cm->cmsg_type == IP_RECVERR) ||
		    (cm->cmsg_level == IPPROTO_IPV6 &&
		     cm->cmsg_type == IPV6_RECVERR))
			ee = (const struct sock_extended_err *)CMSG_DATA(cm);
	}

	if (!ee || (ee->ee_origin != SO_EE_ORIGIN_ICMP &&
		    ee->ee_origin != SO_EE_ORIGIN_ICMP6) ||
	    !sa_isset(dst, SA_ALL))
		return false;

	switch (ee->ee_errno) {

	case ECONNREFUSED: case EHOSTUNREACH: case ENETUNREACH:
		*err = (int)ee->ee_errno;
		return true;

	default:
		return false;
	}
}


static void errors_read(struct dgram *d)
{
	unsigned i;

	for (i = 0; i < ERRORS_MAX; i++) {
		union {
			struct cmsghdr align;
			char buf[512];
		} control;
		char data[64];
		struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
		struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
		struct sa dst;
		int err;

		sa_init(&dst, AF_UNSPEC);
		mh.msg_name = &dst.u.sa;
		mh.msg_namelen = sizeof(dst.u);
		mh.msg_control = &control;
		mh.msg_controllen = sizeof(control);

		if (recvmsg(d->fd, &mh, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;

		dst.len = mh.msg_namelen;
		if (error_read(&mh, &dst, &err))
			trans_dst_failed(d->leg, &dst, err);
	}
}


static void io_h(int flags, void *arg)
{
	struct dgram *d = arg;
	uint8_t buf[DGRAM_MAX];
	unsigned i;

	if (flags & FD_EXCEPT)
		errors_read(d);

	for (i = 0; i < READS_MAX; i++) {
		struct mbuf *mb;
		struct sa src;
		ssize_t n;

		sa_init(&src, AF_UNSPEC);
		src.len = sizeof(src.u);
		n = recvfrom(d->fd, buf, sizeof(buf), 0, &src.u.sa, &src.len);
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			errors_read(d);
			continue;
		}

		/* room to mend what an elder peer sends */
		mb = mbuf_alloc((size_t)n + 1);
		if (!mb)
			return;

		(void)mbuf_write_mem(mb, buf, (size_t)n);
		mb->pos = 0;
		receive_dgram(d->leg, &src, mb);
		mem_deref(mb);
	}
}


static int socket_open(struct dgram *d, const struct sa *addr, struct sa *got)
{
	const bool v6 = sa_af(addr) == AF_INET6;
	const int on = 1, size = RCVBUF_SIZE;

	d->fd = socket(sa_af(addr), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       IPPROTO_UDP);
	if (d->fd < 0)
		return errno;

	if (v6)
		(void)setsockopt(d->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	(void)setsockopt(d->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			 v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof(on));
	/* a wish: the system bounds it */
	(void)setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	dscp_set(d->fd, sa_af(addr), d->leg->stack->dscp);

	if (bind(d->fd, &addr->u.sa, addr->len))
		return errno;

	sa_init(got, AF_UNSPEC);
	got->len = sizeof(got->u);

	return getsockname(d->fd, &got->u.sa, &got->len) ? errno : 0;
}


int dgram_open(struct dgram **dp, struct leg *l, const struct sa *addr,
	       struct sa *got)
{
	struct dgram *d;
	int err;

	d = mem_zalloc(sizeof(*d), dgram_destructor);
	if (!d)
		return ENOMEM;

	d->leg = l;
	d->fd = -1;

	err = socket_open(d, addr, got);
	if (!err)
		err = compat_fd_listen(&d->fdw, d->fd, FD_READ, io_h, d);
	d->watched = !err;

	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


int dgram_send(struct dgram *d, const struct sa *dst, const uint8_t *p,
	       size_t len)
{
	unsigned i;
	int err = 0;

	if (!d)
		return EPROTONOSUPPORT;

	/* the error told may be that of a datagram sent before */
	for (i = 0; i < 2; i++) {
		if (sendto(d->fd, p, len, 0, &dst->u.sa, dst->len) >= 0)
			return 0;
		err = errno;
		if (err != ECONNREFUSED && err != EHOSTUNREACH &&
		    err != ENETUNREACH)
			break;

		errors_read(d);
	}

	/* the system's queue is full: the same as lost on the way */
	return err == EAGAIN || err == ENOBUFS ? 0 : err;
}
