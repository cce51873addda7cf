/**
 * @file trace.c  SIP messages as sent and received, into the log or a file
 *
 * The stack hands them over with their credentials masked; here they are
 * escaped line by line.  A reader of the log who stopped loses messages, the
 * phone does not wait for him.  Main thread.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/log.h"
#include "offhook/text.h"
#include "main.h"

struct trace {
	bool on;
	int fd;                  /* a file of ours, -1: the log              */
};


static void trace_destructor(void *arg)
{
	struct trace *t = arg;

	if (t->fd >= 0)
		close(t->fd);
}


int trace_alloc(struct trace **tp)
{
	struct trace *t = mem_zalloc(sizeof(*t), trace_destructor);

	if (!t)
		return ENOMEM;

	t->fd = -1;
	*tp = t;

	return 0;
}


int trace_to(struct trace *t, const char *path)
{
	int fd = -1;

	if (path && *path) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			  0600);
		if (fd < 0)
			return errno;
	}

	if (t->fd >= 0)
		close(t->fd);

	t->fd = fd;
	t->on = !path || *path;

	return 0;
}


bool trace_on(const struct trace *t)
{
	return t->on;
}


/* Each line of the message, safe for a terminal */
static void add_lines(struct text_buf *b, const char *p, size_t len)
{
	while (len) {

		const char *nl = memchr(p, '\n', len);
		const size_t n = nl ? (size_t)(nl - p) : len;
		const size_t text = n && p[n - 1] == '\r' ? n - 1 : n;
		char line[2048];

		text_add(b, "  %s\n", text_escape(line, sizeof(line), p,
						  text));
		p += n + (nl ? 1 : 0);
		len -= n + (nl ? 1 : 0);
	}
}


/* As much as is taken at once, in pieces a pipe takes whole */
static void put(int fd, const char *p, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	while (len) {

		const size_t part = len < PIPE_BUF ? len : PIPE_BUF;
		ssize_t n;

		if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
			return;

		n = write(fd, p, part);
		if (n <= 0)
			return;

		p += n;
		len -= (size_t)n;
	}
}


static void add_head(struct text_buf *b, bool tx, enum sip_transp tp,
		     const char *from, const char *to)
{
	text_add(b, "%s %s %s -> %s\n", tx ? "sent" : "received",
		 tp == SIP_TRANSP_TLS ? "tls" :
		 tp == SIP_TRANSP_TCP ? "tcp" : "udp", from, to);
}


/* A log whose lines have a form: each is one of its own */
static void note_lines(char *text)
{
	char *next;

	for (char *p = text; *p; p = next) {

		next = p + strcspn(p, "\n");
		if (*next)
			*next++ = '\0';
		log_note("trace", "%s", p);
	}
}


static void put_message(const struct trace *t, const char *text, size_t len)
{
	struct text_buf b = { .max = 512 << 10 };
	char when[CLOCK_ISO8601_SIZE];

	text_add(&b, "%s ", clock_iso8601(when, clock_wall_ms()));
	text_add_mem(&b, text, len);
	text_add(&b, "\n");
	if (b.s && t->fd >= 0) {
		put(t->fd, b.s, b.len);
	}
	else if (b.s) {
		log_row(true);
		put(log_fd(), b.s, b.len);
		log_row(false);
	}
	text_buf_reset(&b);
}


void trace_message(const struct trace *t, bool tx, enum sip_transp tp,
		   const struct sa *local, const struct sa *peer,
		   const char *text, size_t len)
{
	struct text_buf b = { .max = 256 << 10 };
	char from[80] = "", to[80] = "";

	if (!t->on)
		return;

	(void)re_snprintf(from, sizeof(from), "%J", tx ? local : peer);
	(void)re_snprintf(to, sizeof(to), "%J", tx ? peer : local);

	add_head(&b, tx, tp, from, to);
	add_lines(&b, text, len);

	if (!b.s || b.err)
		;
	else if (t->fd < 0 && !log_is_plain())
		note_lines(b.s);
	else
		put_message(t, b.s, b.len);

	text_buf_reset(&b);
}
