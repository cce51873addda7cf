/**
 * @file output.c  Lines out, never blocking the loop
 *
 * A reader may stop (a full pipe, Ctrl-S, a dead ssh): what it does not take
 * waits in a bounded buffer.  Behind 256 KiB statistics and log lines are
 * dropped, behind 8 MiB everything, and it is said how much.  The descriptor
 * is somebody else's too, so it is not made non-blocking: we ask poll first
 * and write no more than a pipe takes in one piece.
 *
 * Programs on a socket are told at once, and of what follows so soon after it
 * in the same turn of the loop together at its end, or with the next line:
 * when much happens and many listen, a system call for each line and each of
 * them would be what the phone does most.  A turn may be long, with many
 * calls that begin or end in it: what comes later in it does not wait.
 * Statistics wait for the end of the turn from the first: they come many at a
 * time.  Main thread.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/log.h"
#include "offhook/timer.h"
#include "priv.h"

#define LOG_MODULE "ui"

enum {
	MINOR_MAX  = 256 << 10,
	BUFFER_MAX = 8 << 20,
	CHUNK      = PIPE_BUF,
	GATHER_MAX = 32 << 10,   /* bytes, and how long they may wait        */
	WAIT_NS    = 1000000,
	GAP_NS     = 400000,     /* between two writes in one turn           */
};

struct output {
	int fd;
	bool always;             /* a file: it never refuses                 */
	int err;                 /* nothing can be written any more: why     */
	bool watched;
	output_lost_h *lost_h;
	void *arg;
	struct compat_fd watch;
	char *buf;
	size_t pos, len, cap;
	uint64_t dropped;
	bool sock;               /* asks nobody before it writes             */
	bool inside;             /* the last byte written ended no line      */
	bool gathers;            /* written in this turn already             */
	uint64_t since_ns;       /* the first byte that waits for its end    */
	uint64_t sent_ns;        /* the last that did not wait               */
	struct timer turn;       /* its end                                  */
	size_t max;              /* bytes that may wait                      */
	output_full_h *full_h;
};


static void watch(struct output *o, bool on);


/* What the reader takes now. @return 0, or why it takes nothing any more */
static int drain(struct output *o)
{
	while (o->pos < o->len) {

		const size_t left = o->len - o->pos;
		struct pollfd p = { .fd = o->fd, .events = POLLOUT };
		ssize_t n;

		if (!o->always && !o->sock && poll(&p, 1, 0) != 1)
			return 0;
		if (!o->always && !o->sock &&
		    !(p.revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL)))
			return 0;

		n = o->sock ? send(o->fd, o->buf + o->pos, left,
				   MSG_DONTWAIT | MSG_NOSIGNAL) :
			write(o->fd, o->buf + o->pos,
			      left < CHUNK ? left : CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return errno;

		o->pos += (size_t)n;
		o->inside = n > 0 && o->buf[o->pos - 1] != '\n';
	}

	o->pos = o->len = 0;

	return 0;
}


static void lose(struct output *o, int err)
{
	o->err = err;
	o->pos = o->len = 0;
	watch(o, false);

	if (o->lost_h)
		o->lost_h(err, o->arg);
}


static void write_now(struct output *o)
{
	const int err = drain(o);

	if (err) {
		lose(o, err);
		return;
	}

	if (o->len == 0 && o->dropped) {
		log_warn("the reader of the output was slow: %llu lines were "
			 "left out", (unsigned long long)o->dropped);
		o->dropped = 0;
	}

	watch(o, o->len > 0);

	/* a burst is over: give its memory back */
	if (o->len == 0 && o->cap > MINOR_MAX) {
		free(o->buf);
		o->buf = NULL;
		o->cap = 0;
	}
}


static void ready(int flags, void *arg)
{
	(void)flags;
	write_now(arg);
}


static void watch(struct output *o, bool on)
{
	int err;

	if (on == o->watched || o->always)
		return;

	if (!on) {
		compat_fd_close(&o->watch);
		o->watched = false;
		return;
	}

	/* epoll refuses files: those take everything at once */
	if (compat_fd_listen(&o->watch, o->fd, FD_WRITE, ready, o) == 0) {
		o->watched = true;
		return;
	}

	o->always = true;
	err = drain(o);
	if (err)
		lose(o, err);
}


static bool reserve(struct output *o, size_t n)
{
	size_t cap = o->cap ? o->cap : CHUNK;
	char *buf;

	if (o->pos) {
		memmove(o->buf, o->buf + o->pos, o->len - o->pos);
		o->len -= o->pos;
		o->pos = 0;
	}

	while (cap < o->len + n)
		cap *= 2;

	if (cap == o->cap)
		return true;

	buf = realloc(o->buf, cap);
	if (!buf)
		return false;

	o->buf = buf;
	o->cap = cap;

	return true;
}


static void turn_over(void *arg)
{
	struct output *o = arg;

	o->gathers = false;
	if (!o->err && !o->watched && o->len > o->pos)
		write_now(o);
}


/* Until the end of this turn. waiting: bytes that did before */
static bool may_wait(struct output *o, size_t waiting, bool minor)
{
	uint64_t now;

	if (!o->sock)
		return false;

	now = clock_ns();
	if (!waiting)
		o->since_ns = now;
	if (!o->gathers) {
		o->gathers = true;
		o->sent_ns = 0;
		timer_start(&o->turn, 0, turn_over, o);
	}

	if (o->len - o->pos < GATHER_MAX && now - o->since_ns < WAIT_NS &&
	    (minor || now - o->sent_ns < GAP_NS))
		return true;

	o->sent_ns = now;

	return false;
}


void output_write(struct output *o, const char *text, size_t len, bool minor)
{
	const size_t waiting = o->len - o->pos;

	if (o->err || !len)
		return;

	if (waiting + len > (minor ? MINOR_MAX : o->max) ||
	    !reserve(o, len)) {
		++o->dropped;
		if (!minor && o->full_h)
			o->full_h(o->arg);
		return;
	}

	memcpy(o->buf + o->len, text, len);
	o->len += len;

	if (!o->watched && !may_wait(o, waiting, minor))
		write_now(o);
}


void output_limit(struct output *o, size_t max, output_full_h *h)
{
	o->max = max;
	o->full_h = h;
}


void output_cut(struct output *o, const char *text, size_t len)
{
	const char *nl = o->inside && o->pos < o->len ?
		memchr(o->buf + o->pos, '\n', o->len - o->pos) : NULL;

	if (o->err)
		return;

	/* the line that is half out is finished */
	o->len = nl ? (size_t)(nl + 1 - o->buf) : o->pos;
	if (reserve(o, len)) {
		memcpy(o->buf + o->len, text, len);
		o->len += len;
	}
	write_now(o);
}


size_t output_waiting(const struct output *o)
{
	return o->len - o->pos;
}


bool output_empty(const struct output *o)
{
	return o->err || o->pos == o->len;
}


bool output_behind(const struct output *o)
{
	return o->len - o->pos > MINOR_MAX / 4;
}


void output_flush(struct output *o, uint32_t ms)
{
	const uint64_t end = clock_ms() + ms;

	while (!o->err && o->pos < o->len) {

		struct pollfd p = { .fd = o->fd, .events = POLLOUT };
		const uint64_t now = clock_ms();
		int err;

		if (!o->always && now < end)
			(void)poll(&p, 1, (int)(end - now));

		err = drain(o);
		if (err)
			lose(o, err);
		if (now >= end)
			return;
	}
}


static void destructor(void *arg)
{
	struct output *o = arg;

	watch(o, false);
	timer_cancel(&o->turn);
	free(o->buf);
}


int output_alloc(struct output **op, int fd, output_lost_h *h, void *arg)
{
	struct output *o = mem_zalloc(sizeof(*o), destructor);
	socklen_t len = sizeof(int);
	int type;

	if (!o)
		return ENOMEM;

	o->fd = fd;
	o->sock = !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	o->max = BUFFER_MAX;
	o->lost_h = h;
	o->arg = arg;
	*op = o;

	return 0;
}
