/**
 * @file sip/conn_listen.c  Connections that others make
 *
 * Main thread.  A listener belongs to its leg.  When there are no descriptors
 * left it rests for a moment: what waits in the system's queue would wake it
 * over and over.
 */
#include <sys/socket.h>
#include <unistd.h>
#include <offhook/dscp.h>
#include "conn.h"


enum {
	ACCEPTS_MAX = 64,           /* on one turn of the loop             */
	REST_MS     = 200,
};

struct listener {
	struct leg *leg;
	enum sip_transp tp;
	int fd;
	struct compat_fd fdw;
	bool watched;
	struct timer tmr;
};

static int watch(struct listener *ls);


static void unwatch(struct listener *ls)
{
	if (ls->watched)
		compat_fd_close(&ls->fdw);
	ls->watched = false;
}


static void listener_destructor(void *arg)
{
	struct listener *ls = arg;

	timer_cancel(&ls->tmr);
	unwatch(ls);
	if (ls->fd >= 0)
		(void)close(ls->fd);
}


static void rested_h(void *arg)
{
	if (watch(arg))
		log_warn("connections are not taken any more: no descriptor");
}


static void rest(struct listener *ls, int err)
{
	log_info("no connection can be taken: %s", strerror(err));
	unwatch(ls);
	timer_start(&ls->tmr, REST_MS, rested_h, ls);
}


static void accept_h(int flags, void *arg)
{
	struct listener *ls = arg;
	unsigned i;
	(void)flags;

	for (i = 0; i < ACCEPTS_MAX; i++) {
		struct sa peer;
		int fd;

		sa_init(&peer, AF_UNSPEC);
		peer.len = sizeof(peer.u);

		fd = accept4(ls->fd, &peer.u.sa, &peer.len,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			(void)conn_accepted(ls->leg, ls->tp, fd, &peer);
			continue;
		}

		switch (errno) {

		case EMFILE: case ENFILE: case ENOBUFS: case ENOMEM:
			rest(ls, errno);
			return;

		/* it was taken back meanwhile */
		case ECONNABORTED: case EINTR: case EPROTO:
			continue;

		default:
			return;
		}
	}
}


static int watch(struct listener *ls)
{
	const int err = compat_fd_listen(&ls->fdw, ls->fd, FD_READ, accept_h,
					 ls);

	ls->watched = !err;

	return err;
}


int listener_open(struct listener **lp, struct leg *l, enum sip_transp tp,
		  const struct sa *addr, struct sa *got)
{
	struct listener *ls;
	int err;

	ls = mem_zalloc(sizeof(*ls), listener_destructor);
	if (!ls)
		return ENOMEM;

	ls->leg = l;
	ls->tp = tp;
	ls->fd = -1;

	err = sock_listen(&ls->fd, addr, got);
	if (!err) {
		dscp_set(ls->fd, sa_af(addr), l->stack->dscp);
		err = watch(ls);
	}

	if (err)
		mem_deref(ls);
	else
		*lp = ls;

	return err;
}
