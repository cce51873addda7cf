/**
 * @file control.c  Programs that talk to the phone over a socket
 *
 * A Unix socket that only its owner can open, and, when that was configured,
 * TCP for who knows the token.  It accepts and keeps the connections; what
 * one of them says is peer.c's.  Main thread.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/timer.h"
#include "priv.h"

#define LOG_MODULE "control"
#include "offhook/log.h"

enum {
	BACKLOG  = 256,
	TURN     = 32,           /* accepted at once                         */
	PAUSE_MS = 200,          /* no descriptors: look again               */
	STOP_MS  = 500,
};

struct listener {
	struct ui_control *c;
	int fd;
	bool tcp, watched;
	struct compat_fd watch;
	struct timer pause;
};

struct connection {
	struct le le;
	struct peer *peer;
};

struct ui_control {
	struct phone *ph;
	struct replay *replay;
	struct listener unx, tcp;
	char *path, *token;
	struct list connections;
};


static void connection_destructor(void *arg)
{
	struct connection *cn = arg;

	list_unlink(&cn->le);
	mem_deref(cn->peer);
}


static void gone_handler(struct peer *p, void *arg)
{
	struct connection *cn = arg;
	(void)p;

	mem_deref(cn);
}


static void connection_add(struct ui_control *c, int fd, bool tcp)
{
	const struct peer_conf conf = {
		.ph = c->ph, .replay = c->replay,
		.token = tcp ? c->token : NULL,
	};
	struct connection *cn;
	int err;

	if (list_count(&c->connections) >= CONTROL_CLIENTS_MAX) {
		peer_turn_away(fd, "busy", "there are too many clients");
		return;
	}

	cn = mem_zalloc(sizeof(*cn), connection_destructor);
	if (!cn) {
		close(fd);
		return;
	}

	err = peer_alloc(&cn->peer, &conf, fd, gone_handler, cn);
	if (err) {
		log_warn("a client of the control socket: %s", strerror(err));
		mem_deref(cn);
		return;
	}

	list_append(&c->connections, &cn->le, cn);
}


/* Only we ourselves, and who may do anything anyhow */
static bool is_ours(int fd)
{
	struct ucred cr;
	socklen_t len = sizeof(cr);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) &&
		(cr.uid == geteuid() || cr.uid == 0);
}


static void watch(struct listener *l, bool on);


static void again(void *arg)
{
	watch(arg, true);
}


/* @return false: nobody waits */
static bool accept_one(struct listener *l)
{
	const int fd = accept4(l->fd, NULL, NULL,
			       SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		/* it would be told at once again */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			watch(l, false);
			timer_start(&l->pause, PAUSE_MS, again, l);
		}
		return false;
	}

	if (!l->tcp && !is_ours(fd)) {
		log_warn("somebody else's program was refused");
		peer_turn_away(fd, "no-access", "this phone is not yours");
		return true;
	}

	connection_add(l->c, fd, l->tcp);

	return true;
}


static void accept_handler(int flags, void *arg)
{
	(void)flags;

	for (unsigned n = 0; n < TURN && accept_one(arg); n++)
		;
}


static void watch(struct listener *l, bool on)
{
	if (on == l->watched || l->fd < 0)
		return;

	if (on)
		l->watched = !compat_fd_listen(&l->watch, l->fd, FD_READ,
					       accept_handler, l);
	else
		compat_fd_close(&l->watch);

	if (!on)
		l->watched = false;
}


static void listener_close(struct listener *l)
{
	timer_cancel(&l->pause);
	watch(l, false);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}


/* Nobody may connect before the mode is right: it is made under a mask */
static int unix_open(struct ui_control *c, const char *path, char *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	mode_t old;
	int e = 0;

	if (strlen(path) >= sizeof(un.sun_path)) {
		snprintf(err, UA_ERR, "%.150s: the path is too long for a "
			 "socket", path);
		return ENAMETOOLONG;
	}
	memcpy(un.sun_path, path, strlen(path) + 1);

	c->unx.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
			   SOCK_NONBLOCK, 0);
	if (c->unx.fd < 0)
		e = errno;

	(void)unlink(path);
	old = umask(0177);
	if (!e && bind(c->unx.fd, (struct sockaddr *)&un, sizeof(un)))
		e = errno;
	umask(old);

	if (!e && str_dup(&c->path, path))
		e = ENOMEM;
	if (!e && listen(c->unx.fd, BACKLOG))
		e = errno;
	if (e)
		snprintf(err, UA_ERR, "%.150s: %s", path, strerror(e));

	return e;
}


static int tcp_open(struct ui_control *c, const struct sa *sa, char *err)
{
	const int on = 1;
	int e = 0;

	c->tcp.fd = socket(sa_af(sa), SOCK_STREAM | SOCK_CLOEXEC |
			   SOCK_NONBLOCK, 0);
	if (c->tcp.fd < 0 ||
	    setsockopt(c->tcp.fd, SOL_SOCKET, SO_REUSEADDR, &on,
		       sizeof(on)) ||
	    bind(c->tcp.fd, &sa->u.sa, sa->len) ||
	    listen(c->tcp.fd, BACKLOG))
		e = errno;
	if (e)
		re_snprintf(err, UA_ERR, "control-tcp %J: %s", sa,
			    strerror(e));

	return e;
}


bool ui_control_tcp(const struct ui_control *c, struct sa *sa)
{
	if (!c || c->tcp.fd < 0)
		return false;

	sa->len = sizeof(sa->u);

	return !getsockname(c->tcp.fd, &sa->u.sa, &sa->len);
}


unsigned ui_control_clients(const struct ui_control *c)
{
	return c ? list_count(&c->connections) : 0;
}


void ui_control_stop(struct ui_control *c)
{
	const uint64_t end = clock_ms() + STOP_MS;
	struct le *le;

	if (!c)
		return;

	listener_close(&c->unx);
	listener_close(&c->tcp);
	if (c->path)
		(void)unlink(c->path);
	c->path = mem_deref(c->path);

	LIST_FOREACH(&c->connections, le) {
		struct connection *cn = le->data;
		const uint64_t now = clock_ms();

		peer_stop(cn->peer, now < end ? (uint32_t)(end - now) : 0);
	}
}


static void destructor(void *arg)
{
	struct ui_control *c = arg;

	ui_control_stop(c);
	list_flush(&c->connections);
	mem_deref(c->replay);
	if (c->token)
		explicit_bzero(c->token, strlen(c->token));
	mem_deref(c->token);
}


int ui_control_alloc(struct ui_control **cp, struct phone *ph,
		     const struct ui_control_conf *conf, char *err)
{
	struct ui_control *c;
	int e;

	if (!cp || !ph || !conf || !conf->path ||
	    (conf->tcp && (!conf->token || strlen(conf->token) < 16)))
		return EINVAL;

	c = mem_zalloc(sizeof(*c), destructor);
	if (!c)
		return ENOMEM;

	c->ph = ph;
	c->unx.c = c->tcp.c = c;
	c->unx.fd = c->tcp.fd = -1;
	c->tcp.tcp = true;

	e = replay_alloc(&c->replay, ph->bus);
	if (!e)
		e = unix_open(c, conf->path, err);
	if (!e && conf->tcp) {
		e = str_dup(&c->token, conf->token);
		if (!e)
			e = tcp_open(c, conf->tcp, err);
	}
	if (e) {
		mem_deref(c);
		return e;
	}

	watch(&c->unx, true);
	watch(&c->tcp, true);

	*cp = c;

	return 0;
}
