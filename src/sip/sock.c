/**
 * @file sip/sock.c  Sockets of connections
 *
 * Main thread, no state.  All are non-blocking and closed on exec.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <offhook/dscp.h>
#include "conn.h"


enum {
	/* as many as the system allows: a burst must not wait for SYNs to be
	   sent again */
	BACKLOG      = SOMAXCONN,
	KEEPIDLE_S   = 60,
	KEEPINTVL_S  = 15,
	KEEPCNT      = 4,
	UNACKED_MS   = 32000,       /* as long as a transaction lasts      */
};

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif


static void opt(int fd, int level, int name, int val)
{
	(void)setsockopt(fd, level, name, &val, sizeof(val));
}


/* A peer that is silently gone is found out by the system */
void sock_tune(int fd)
{
	opt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	opt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	opt(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPIDLE_S);
	opt(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPINTVL_S);
	opt(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPCNT);
	opt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS);
}


int sock_local(int fd, struct sa *sa)
{
	sa_init(sa, AF_UNSPEC);
	sa->len = sizeof(sa->u);

	return getsockname(fd, &sa->u.sa, &sa->len) ? errno : 0;
}


static int sock_new(int *fdp, const struct sa *addr)
{
	const int fd = socket(sa_af(addr), SOCK_STREAM | SOCK_CLOEXEC |
			      SOCK_NONBLOCK, IPPROTO_TCP);

	if (fd < 0)
		return errno;

	*fdp = fd;

	return 0;
}


int sock_connect(int *fdp, const struct sa *laddr, const struct sa *dst,
		 unsigned dscp)
{
	struct sa from = *laddr;
	int fd = -1, err;

	err = sock_new(&fd, dst);
	if (err)
		return err;

	sock_tune(fd);
	dscp_set(fd, sa_af(dst), dscp);

	/* from the address that our Via and Contact tell; the port is chosen
	   when the peer is known, so that many may share it */
	opt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	sa_set_port(&from, 0);

	if (bind(fd, &from.u.sa, from.len) ||
	    (connect(fd, &dst->u.sa, dst->len) && errno != EINPROGRESS)) {
		err = errno;
		(void)close(fd);
		return err;
	}

	*fdp = fd;

	return 0;
}


int sock_listen(int *fdp, const struct sa *laddr, struct sa *got)
{
	int fd = -1, err;

	err = sock_new(&fd, laddr);
	if (err)
		return err;

	/* what was closed lately does not count */
	opt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (sa_af(laddr) == AF_INET6)
		opt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	if (bind(fd, &laddr->u.sa, laddr->len) || listen(fd, BACKLOG))
		err = errno;
	else
		err = sock_local(fd, got);

	if (err)
		(void)close(fd);
	else
		*fdp = fd;

	return err;
}
