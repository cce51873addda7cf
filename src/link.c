/**
 * @file link.c  The phone's end of a terminal that may come and go
 *
 * Whoever holds a terminal (holder.c: the process the user started, or
 * `offhook attach`) hands its descriptors over and stays in between: it tells
 * of its size and of signals, and learns when it may leave.  The phone goes
 * on without any of them.  One terminal at a time: a new one takes the
 * screen.  Main thread.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "offhook/log.h"
#include "offhook/text.h"
#include "link.h"
#include "main.h"

#define LOG_MODULE "link"

enum { LOOK_MS = 1000, LEAVE_MS = 2000 };

struct link {
	struct app *a;
	int listener;            /* -1: nobody can attach                    */
	struct compat_fd listen_watch;
	char path[108];

	int fd;                  /* to the holder, -1: no terminal           */
	struct compat_fd watch;
	int in, out;             /* the terminal's                           */
	struct link_hello hello;
	struct timer alone;
};


static void holder_tell(struct link *l, char what, const char *text)
{
	char msg[LINK_MSG];
	const int n = snprintf(msg, sizeof(msg), "%c%s", what, text);

	if (l->fd >= 0 && n > 0)
		(void)send(l->fd, msg, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}


static void terminal_close(struct link *l)
{
	if (l->in >= 0)
		close(l->in);
	if (l->out >= 0)
		close(l->out);
	l->in = l->out = -1;
}


/* Without a listener nobody can come back: then the last call is the end */
static void alone(void *arg)
{
	struct link *l = arg;

	if (l->fd >= 0 || l->a->ending)
		return;

	if (ua_call_count(l->a->ph.ua))
		timer_start(&l->alone, LOOK_MS, alone, l);
	else
		app_end(l->a, 0);
}


/* The holder is told nothing any more */
static void drop(struct link *l)
{
	if (l->fd < 0)
		return;

	screen_hide(l->a);
	compat_fd_close(&l->watch);
	close(l->fd);
	l->fd = -1;
	terminal_close(l);

	if (l->listener < 0 && !l->a->ending)
		timer_start(&l->alone, 0, alone, l);
}


/* First the screen as it was before us, then why: the other way round the
 * holder's line would stand on the screen that is taken away */
static void leave(struct link *l, const char *why)
{
	screen_hide(l->a);
	holder_tell(l, LINK_DETACHED, why);
	drop(l);
}


static int show(struct link *l, char *err)
{
	const struct tui_terminal term = {
		.in_fd = l->in, .out_fd = l->out,
		.term = l->hello.term,
		.lang = l->hello.lang[0] ? l->hello.lang : NULL,
		.colorfgbg = l->hello.colorfgbg[0] ? l->hello.colorfgbg : NULL,
		.no_color = l->hello.no_color,
	};

	return screen_show(l->a, &term, err);
}


/* Messages of the holder ---------------------------------------------------- */

static void hello(struct link *l, const struct link_hello *h, int in, int out)
{
	char err[UA_ERR] = "";

	terminal_close(l);
	l->in = in;
	l->out = out;
	l->hello = *h;
	l->hello.term[sizeof(h->term) - 1] = '\0';
	l->hello.lang[sizeof(h->lang) - 1] = '\0';
	l->hello.colorfgbg[sizeof(h->colorfgbg) - 1] = '\0';

	if (show(l, err)) {
		holder_tell(l, LINK_END, "1");
		holder_tell(l, LINK_WORD, err);
		drop(l);
	}
}


static void message(struct link *l, const char *msg, size_t len, int in,
		    int out)
{
	const struct link_hello *h = (const void *)(msg + LINK_HEAD);
	char err[UA_ERR] = "";

	if (msg[0] == LINK_HELLO && len == LINK_HEAD + sizeof(*h) &&
	    in >= 0 && out >= 0) {
		hello(l, h, in, out);
		return;
	}

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);

	switch (msg[0]) {

	case LINK_SIZE:
		if (l->a->tui)
			tui_resized(l->a->tui);
		break;

	case LINK_CONTINUE:
		if (l->in >= 0 && show(l, err)) {
			log_warn("the screen cannot be shown: %s", err);
			drop(l);
		}
		break;

	case LINK_LEAVE:
		app_end(l->a, 0);
		break;

	default:
		break;
	}
}


/* @return bytes, 0: the holder is gone, -1: nothing now */
static ssize_t receive(int fd, void *buf, size_t sz, int *in, int *out)
{
	union {
		char buf[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = { 0 } };
	struct iovec iov = { .iov_base = buf, .iov_len = sz };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c;
	ssize_t n;

	*in = *out = -1;
	n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : 0;

	for (c = CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c)) {
		int fds[2] = { -1, -1 };

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0) <
		       sizeof(fds) ? c->cmsg_len - CMSG_LEN(0) : sizeof(fds));
		*in = fds[0];
		*out = fds[1];
	}

	return n;
}


static void holder_handler(int flags, void *arg)
{
	struct link *l = arg;
	_Alignas(struct link_hello) char msg[LINK_MSG];
	int in, out;
	ssize_t n;
	(void)flags;

	n = receive(l->fd, msg, sizeof(msg), &in, &out);
	if (n < 0)
		return;

	if (n == 0) {
		log_info("the terminal is gone; the phone goes on");
		drop(l);
		return;
	}

	message(l, msg, (size_t)n, in, out);
}


static int adopt(struct link *l, int fd)
{
	int err;

	if (l->fd >= 0)
		leave(l, "another terminal has the phone now");

	timer_cancel(&l->alone);
	err = compat_fd_listen(&l->watch, fd, FD_READ, holder_handler, l);
	if (err) {
		close(fd);
		return err;
	}
	l->fd = fd;

	return 0;
}


/* Whoever attaches ---------------------------------------------------------- */

static void accept_handler(int flags, void *arg)
{
	struct link *l = arg;
	struct ucred cr;
	socklen_t len = sizeof(cr);
	int fd;
	(void)flags;

	fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) ||
	    (cr.uid != geteuid() && cr.uid != 0) || l->a->ending) {
		log_warn("somebody else's terminal was refused");
		close(fd);
		return;
	}

	(void)adopt(l, fd);
}


static int listener_open(struct link *l)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char path[1024];
	mode_t old;
	int err;

	err = control_path(l->a, path, sizeof(path), ".tty");
	if (!err && strlen(path) >= sizeof(un.sun_path))
		err = ENAMETOOLONG;
	if (err)
		return err;

	memcpy(un.sun_path, path, strlen(path) + 1);
	memcpy(l->path, path, strlen(path) + 1);
	l->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
			     SOCK_NONBLOCK, 0);
	if (l->listener < 0)
		return errno;

	(void)unlink(path);
	old = umask(0177);
	if (bind(l->listener, (struct sockaddr *)&un, sizeof(un)))
		err = errno;
	umask(old);
	if (!err && listen(l->listener, 4))
		err = errno;
	if (!err)
		err = compat_fd_listen(&l->listen_watch, l->listener, FD_READ,
				       accept_handler, l);
	if (err) {
		close(l->listener);
		l->listener = -1;
	}

	return err;
}


/* For the others ------------------------------------------------------------ */

static int detach_handler(char *err, void *arg)
{
	struct link *l = arg;

	if (l->fd < 0) {
		snprintf(err, UA_ERR, "no terminal shows this phone");
		return EALREADY;
	}
	if (l->listener < 0) {
		snprintf(err, UA_ERR, "nobody could attach again: another "
			 "phone of this configuration has the socket");
		return EBUSY;
	}

	leave(l, "");

	return 0;
}


void link_suspend(struct app *a)
{
	screen_hide(a);
	if (a->link)
		holder_tell(a->link, LINK_SUSPEND, "");
}


void link_lost(struct app *a)
{
	if (a->link)
		leave(a->link, "the terminal was lost");
}


bool link_held(const struct app *a)
{
	return a->link && a->link->fd >= 0;
}


int link_start(struct app *a)
{
	struct link *l;
	int err;

	if (a->lock_fd < 0 && a->holder_fd < 0)
		return 0;

	l = calloc(1, sizeof(*l));
	if (!l)
		return ENOMEM;

	l->a = a;
	l->fd = l->listener = l->in = l->out = -1;
	a->link = l;
	a->ph.detach_h = detach_handler;
	a->ph.detach_arg = l;

	if (a->lock_fd >= 0) {
		err = listener_open(l);
		if (err)
			log_warn("no terminal can be attached: %s",
				 strerror(err));
	}

	if (a->holder_fd >= 0) {
		err = adopt(l, a->holder_fd);
		a->holder_fd = -1;
		if (err)
			return err;
	}

	return 0;
}


void link_stop(struct app *a)
{
	struct link *l = a->link;

	if (!l)
		return;

	timer_cancel(&l->alone);
	if (l->listener >= 0) {
		compat_fd_close(&l->listen_watch);
		close(l->listener);
		(void)unlink(l->path);
		l->listener = -1;
	}
	if (l->fd >= 0)
		compat_fd_close(&l->watch);
}


void link_end(struct app *a, int code)
{
	struct link *l = a->link;
	char text[16];

	if (!l)
		return;

	if (l->fd >= 0) {
		snprintf(text, sizeof(text), "%d", code);
		holder_tell(l, LINK_END, text);
		close(l->fd);
	}
	terminal_close(l);
	free(l);
	a->link = NULL;
}
