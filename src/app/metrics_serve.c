/**
 * @file app/metrics_serve.c  Where monitors find the figures
 *
 * As little HTTP as a monitor needs: any GET is answered once, then the
 * connection is closed.  Loopback or a socket of this user's only; few
 * clients at a time, each with a bound.  Main thread; nothing here waits.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "offhook/metrics.h"
#include "offhook/path.h"
#include "offhook/timer.h"

#define LOG_MODULE "metrics"
#include "offhook/log.h"

enum {
	FILE_MS     = 15000,
	CLIENTS     = 8,
	CLIENT_MS   = 5000,
	REQUEST_MAX = 4096,
};

struct client {
	struct le le;
	struct metrics_server *s;
	int fd;
	struct compat_fd watch;
	struct timer tmr;
	size_t got;              /* of the request                           */
	char tail[4];            /* its last characters                      */
	struct text_buf out;
	size_t sent;
};

struct metrics_server {
	const struct metrics *m;
	char path[256];          /* of a file or a socket, "" none           */
	int fd;                  /* listens, -1: a file                      */
	struct compat_fd watch;
	struct list clients;
	struct timer tmr;
	bool told;               /* that the file cannot be written          */
};


/* Clients ---------------------------------------------------------------------- */

static void client_destructor(void *arg)
{
	struct client *c = arg;

	list_unlink(&c->le);
	timer_cancel(&c->tmr);
	compat_fd_close(&c->watch);
	close(c->fd);
	text_buf_reset(&c->out);
}


static void client_late(void *arg)
{
	mem_deref(arg);
}


static void client_writable(int flags, void *arg)
{
	struct client *c = arg;
	ssize_t n;
	(void)flags;

	n = send(c->fd, c->out.s + c->sent, c->out.len - c->sent,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;

	if (n > 0)
		c->sent += (size_t)n;
	if (n <= 0 || c->sent == c->out.len)
		mem_deref(c);
}


static void answer(struct client *c)
{
	struct text_buf b = { .max = 4 << 20 };

	metrics_print(&b, c->s->m);
	text_add(&c->out, "HTTP/1.1 200 OK\r\nContent-Type: "
		 "application/openmetrics-text; version=1.0.0; "
		 "charset=utf-8\r\nContent-Length: %zu\r\n"
		 "Connection: close\r\n\r\n", b.len);
	c->out.max = 4 << 20;
	if (b.s)
		text_add_mem(&c->out, b.s, b.len);
	text_buf_reset(&b);

	compat_fd_close(&c->watch);
	if (c->out.err || compat_fd_listen(&c->watch, c->fd, FD_WRITE,
					   client_writable, c))
		mem_deref(c);
}


static void client_readable(int flags, void *arg)
{
	struct client *c = arg;
	char buf[512];
	ssize_t n;
	(void)flags;

	n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || c->got + (size_t)n > REQUEST_MAX) {
		mem_deref(c);
		return;
	}

	if (!c->got && *buf != 'G') {
		mem_deref(c);
		return;
	}
	c->got += (size_t)n;

	/* an empty line ends it */
	for (ssize_t i = 0; i < n; i++) {
		memmove(c->tail, c->tail + 1, 3);
		c->tail[3] = buf[i];
		if (!memcmp(c->tail, "\r\n\r\n", 4) ||
		    !memcmp(c->tail + 2, "\n\n", 2)) {
			answer(c);
			return;
		}
	}
}


static void accepted(int flags, void *arg)
{
	struct metrics_server *s = arg;
	struct client *c;
	int fd;
	(void)flags;

	fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;

	c = list_count(&s->clients) < CLIENTS ?
		mem_zalloc(sizeof(*c), client_destructor) : NULL;
	if (!c) {
		close(fd);
		return;
	}

	c->s = s;
	c->fd = fd;
	list_append(&s->clients, &c->le, c);
	timer_start(&c->tmr, CLIENT_MS, client_late, c);
	if (compat_fd_listen(&c->watch, fd, FD_READ, client_readable, c))
		mem_deref(c);
}


/* Where ------------------------------------------------------------------------ */

static void file_write(void *arg)
{
	struct metrics_server *s = arg;
	struct text_buf b = { .max = 4 << 20 };
	int err;

	timer_start(&s->tmr, FILE_MS, file_write, s);

	metrics_print(&b, s->m);
	err = b.err ? b.err : path_write(s->path, b.s, b.len, 0644);
	text_buf_reset(&b);

	if (err && !s->told)
		log_warn("%s: %s", s->path, strerror(err));
	s->told = err != 0;
}


static int serve(struct metrics_server *s, int af, const void *addr,
		 size_t len)
{
	const int on = 1;

	s->fd = socket(af, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return errno;

	(void)setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s->fd, addr, (socklen_t)len) || listen(s->fd, CLIENTS))
		return errno;

	return compat_fd_listen(&s->watch, s->fd, FD_READ, accepted, s);
}


static int serve_http(struct metrics_server *s, const char *where, char *err)
{
	const bool port_only = !strchr(where, ':');
	char addr[64] = "127.0.0.1";
	uint32_t only = 0;
	uint16_t port = 0;
	struct sa sa;
	int e;

	e = port_only ? text_u32(&only, where, strlen(where), 65535) :
		text_addr(addr, sizeof(addr), &port, where, strlen(where));
	if (!e)
		e = sa_set_str(&sa, addr, port_only ? (uint16_t)only : port);
	if (e || !sa_port(&sa)) {
		snprintf(err, UA_ERR, "write http:PORT or http:ADDR:PORT");
		return EINVAL;
	}
	if (!sa_is_loopback(&sa)) {
		snprintf(err, UA_ERR, "%s is no address of loopback; who is "
			 "elsewhere must not read it", addr);
		return EINVAL;
	}

	return serve(s, sa_af(&sa), &sa.u.sa, sa.len);
}


static int serve_unix(struct metrics_server *s, char *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t was;
	int e;

	if (text_copy(un.sun_path, sizeof(un.sun_path), s->path,
		      strlen(s->path))) {
		snprintf(err, UA_ERR, "the path is longer than %zu bytes",
			 sizeof(un.sun_path) - 1);
		return EINVAL;
	}

	/* one that is left from a run before; nothing else is removed */
	if (!lstat(s->path, &st) && S_ISSOCK(st.st_mode))
		(void)unlink(s->path);

	was = umask(0177);
	e = serve(s, AF_UNIX, &un, sizeof(un));
	(void)umask(was);

	return e;
}


static void destructor(void *arg)
{
	struct metrics_server *s = arg;

	timer_cancel(&s->tmr);
	while (s->clients.head)
		mem_deref(s->clients.head->data);

	if (s->fd >= 0) {
		compat_fd_close(&s->watch);
		close(s->fd);
		if (s->path[0])
			(void)unlink(s->path);
	}
}


int metrics_serve(struct metrics_server **sp, const struct metrics *m,
		  const char *where, char *err)
{
	struct metrics_server *s = mem_zalloc(sizeof(*s), destructor);
	const char *rest = strchr(where, ':');
	int e;

	err[0] = '\0';
	if (!s)
		return ENOMEM;

	s->m = m;
	s->fd = -1;
	if (rest)
		snprintf(s->path, sizeof(s->path), "%s", rest + 1);

	if (!strncmp(where, "http:", 5)) {
		s->path[0] = '\0';
		e = serve_http(s, rest + 1, err);
	}
	else if (!strncmp(where, "unix:", 5) && s->path[0]) {
		e = serve_unix(s, err);
	}
	else if (!strncmp(where, "file:", 5) && s->path[0]) {
		e = 0;
		file_write(s);
	}
	else {
		snprintf(err, UA_ERR, "write http:PORT, unix:PATH or "
			 "file:PATH");
		e = EINVAL;
	}

	if (e)
		mem_deref(s);
	else
		*sp = s;

	return e;
}
