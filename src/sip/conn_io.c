/**
 * @file sip/conn_io.c  What goes over a connection
 *
 * Main thread.  Bytes come from the socket, through TLS where there is some,
 * are cut into messages and go up; messages go the other way and wait while
 * the connection is being made.  What waits to be sent and what is half
 * received is bounded.
 */
#include <sys/socket.h>
#include "conn.h"


enum {
	READ_SIZE     = 16384,
	READS_MAX     = 8,          /* on one turn of the loop             */
	IN_MAX        = FRAME_HEAD_MAX + FRAME_BODY_MAX + READ_SIZE,
	OUT_MAX       = 1 << 20,
};

/* A message that waits for the connection */
struct waiting {
	struct le le;
	struct mbuf *mb;
};

static void io_h(int flags, void *arg);


/* Sending -------------------------------------------------------------------- */

int conn_listen(struct conn *c, int flags)
{
	int err = 0;

	if (c->fd_flags != flags) {
		err = compat_fd_listen(&c->fdw, c->fd, flags, io_h, c);
		c->fd_flags = flags;
	}

	return err;
}


static int out_keep(struct conn *c, const uint8_t *p, size_t n)
{
	size_t pos;
	int err;

	if (!c->out) {
		c->out = mbuf_alloc(n);
		if (!c->out)
			return ENOMEM;
	}
	else if (c->out->pos == c->out->end) {
		c->out->pos = c->out->end = 0;
	}

	if (mbuf_get_left(c->out) + n > OUT_MAX)
		return ENOBUFS;

	pos = c->out->pos;
	c->out->pos = c->out->end;
	err = mbuf_write_mem(c->out, p, n);
	c->out->pos = pos;

	return err ? err : conn_listen(c, FD_READ | FD_WRITE);
}


/*
 * The peer takes no more: it may have said why.  In TLS 1.3 it is only now
 * that a server tells that it wants to see a certificate.
 */
static const char *last_news(struct conn *c)
{
	uint8_t buf[4096];
	size_t got;
	ssize_t n;

	if (!c->pipe)
		return NULL;

	while ((n = recv(c->fd, buf, sizeof(buf), 0)) > 0) {
		if (tlspipe_feed(c->pipe, buf, (size_t)n))
			break;
	}

	while (!tlspipe_read(c->pipe, buf, sizeof(buf), &got))
		;

	return tlspipe_why(c->pipe);
}


static int write_raw(struct conn *c, const uint8_t *p, size_t n)
{
	ssize_t done = 0;
	int err = 0;

	if (!n)
		return 0;

	if (!c->out || !mbuf_get_left(c->out)) {
		do {
			done = send(c->fd, p, n, MSG_NOSIGNAL);
		} while (done < 0 && errno == EINTR);

		if (done < 0 && errno != EAGAIN)
			err = errno;
		if (done < 0)
			done = 0;
	}

	if (!err && (size_t)done < n)
		err = out_keep(c, p + done, n - (size_t)done);
	if (err)
		conn_end(c, err, err == ENOBUFS ?
			 "the peer does not take what is sent" :
			 last_news(c));

	return err;
}


/* What TLS has to say */
static int flush(struct conn *c)
{
	const uint8_t *p;
	const size_t n = tlspipe_out(c->pipe, &p);
	int err;

	err = write_raw(c, p, n);
	tlspipe_out_done(c->pipe);

	return err;
}


static int write_clear(struct conn *c, const uint8_t *p, size_t n)
{
	int err;

	if (!c->pipe)
		return write_raw(c, p, n);

	err = tlspipe_write(c->pipe, p, n);
	if (err) {
		conn_end(c, err, tlspipe_why(c->pipe));
		return err;
	}

	return flush(c);
}


static int send_now(struct conn *c, const struct mbuf *mb)
{
	trace_wire(c->leg, true, c->tp, &c->laddr, &c->peer,
		      mbuf_buf(mb), mbuf_get_left(mb));

	return write_clear(c, mbuf_buf(mb), mbuf_get_left(mb));
}


static void waiting_destructor(void *arg)
{
	struct waiting *w = arg;

	list_unlink(&w->le);
	mem_deref(w->mb);
}


int conn_send(struct conn *c, struct mbuf *mb)
{
	struct waiting *w;

	if (c->state == CONN_GONE)
		return ENOTCONN;
	if (c->state == CONN_UP)
		return send_now(c, mb);

	if (c->queued + mbuf_get_left(mb) > OUT_MAX)
		return ENOBUFS;

	w = mem_zalloc(sizeof(*w), waiting_destructor);
	if (!w)
		return ENOMEM;

	w->mb = mem_ref(mb);
	c->queued += mbuf_get_left(mb);
	list_append(&c->queue, &w->le, w);

	return 0;
}


int conn_blank(struct conn *c, enum conn_blank what)
{
	int err;

	if (c->state != CONN_UP)
		return ENOTCONN;

	err = write_clear(c, (const uint8_t *)"\r\n\r\n",
			  what == CONN_PONG ? 2 : 4);
	if (!err && what == CONN_PING)
		c->pinged = true;

	return err;
}



/* What is still to go out goes if the socket takes it; nobody waits */
void conn_last_words(struct conn *c)
{
	const uint8_t *p;
	size_t n;

	if (c->state != CONN_UP && c->state != CONN_SHAKING)
		return;
	if (c->out && mbuf_get_left(c->out))
		return;

	if (c->pipe) {
		tlspipe_shut(c->pipe);
		n = tlspipe_out(c->pipe, &p);
		if (n)
			(void)send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}


/* Receiving ------------------------------------------------------------------ */

/* One \r\n is the answer to a ping, two in a row are a ping (RFC 5626 4.4.1) */
static void blank(struct conn *c)
{
	if (c->pinged) {
		c->pinged = false;
		c->blanks = 0;
	}
	else if (++c->blanks == 2) {
		c->blanks = 0;
		(void)conn_blank(c, CONN_PONG);
	}
}


static struct mbuf *cut(const struct mbuf *mb, size_t len)
{
	struct mbuf *one = mbuf_alloc(len + 1);

	if (one && mbuf_write_mem(one, mbuf_buf(mb), len))
		one = mem_deref(one);
	if (one)
		one->pos = 0;

	return one;
}


static void message(struct conn *c, size_t head)
{
	struct mbuf *one = cut(c->in, c->frame.len);

	c->blanks = 0;
	c->in->pos += c->frame.len;

	if (one)
		receive_stream(c->leg, c, one, head);

	mem_deref(one);
}


/* Whatever follows, it cannot be told apart any more */
static void misframed(struct conn *c)
{
	char why[80];

	(void)snprintf(why, sizeof(why), "what came is no SIP: %s",
		       c->frame.why);

	if (c->frame.len)
		receive_broken(c->leg, c, (const char *)mbuf_buf(c->in),
			       c->frame.len);

	if (c->state != CONN_GONE)
		conn_gone(c, EBADMSG, why, true);
}


/* @return true: something was whole */
static bool messages(struct conn *c)
{
	struct mbuf *in = c->in;
	bool any = false;

	while (mbuf_get_left(in) && c->state == CONN_UP) {

		frame_look(&c->frame, (const char *)mbuf_buf(in),
			   mbuf_get_left(in));

		switch (c->frame.kind) {

		case FRAME_MORE:
			return any;

		case FRAME_BLANK:
			in->pos += c->frame.len;
			blank(c);
			break;

		case FRAME_MESSAGE:
			message(c, c->frame.head);
			break;

		case FRAME_BAD:
			misframed(c);
			return any;
		}

		any = true;
		memset(&c->frame, 0, sizeof(c->frame));
	}

	return any;
}


static int in_add(struct conn *c, const uint8_t *p, size_t n)
{
	struct mbuf *in = c->in;
	size_t pos;
	int err;

	if (!in) {
		in = c->in = mbuf_alloc(n);
		if (!in)
			return ENOMEM;
	}
	else if (in->pos) {
		memmove(in->buf, mbuf_buf(in), mbuf_get_left(in));
		in->end -= in->pos;
		in->pos = 0;
	}

	if (in->end + n > IN_MAX)
		return EOVERFLOW;

	pos = in->pos;
	in->pos = in->end;
	err = mbuf_write_mem(in, p, n);
	in->pos = pos;

	return err;
}


static void clear_text(struct conn *c, const uint8_t *p, size_t n)
{
	const bool half = c->in != NULL;
	bool any;
	int err;

	err = in_add(c, p, n);
	if (err) {
		conn_end(c, err, NULL);
		return;
	}

	any = messages(c);
	if (c->state != CONN_UP)
		return;

	if (!mbuf_get_left(c->in)) {
		c->in = mem_deref(c->in);
		conn_wait(c, CONN_WAIT_IDLE);
	}
	else if (any || !half) {
		conn_wait(c, CONN_WAIT_HALF);
	}
}


void conn_up(struct conn *c)
{
	struct waiting *w;

	c->state = CONN_UP;
	conn_wait(c, c->incoming ? CONN_WAIT_FIRST : CONN_WAIT_IDLE);

	if (c->pipe && log_wanted(LOG_MODULE, LOGL_DEBUG)) {
		char text[80];

		log_debug("connection %llu: %s%s", (unsigned long long)c->id,
			  tlspipe_print(text, sizeof(text), c->pipe),
			  tlspipe_resumed(c->pipe) ? ", resumed" : "");
	}

	while (c->state == CONN_UP && (w = list_ledata(c->queue.head))) {
		list_unlink(&w->le);
		c->queued -= mbuf_get_left(w->mb);
		(void)send_now(c, w->mb);
		mem_deref(w);
	}
}


static void refused(const struct conn *c)
{
	const struct tls_refusal *why = tlspipe_refusal(c->pipe);
	const struct sip_stack *s = c->leg->stack;
	struct sip_refusal r;

	if (!why || !s->h.refused_h)
		return;

	r.domain = tlspipe_domain(c->pipe);
	r.addr = c->peer;
	r.subject = why->subject;
	r.issuer = why->issuer;
	r.flaw = why->flaw;

	s->h.refused_h(&r, s->arg);
}


/* Let TLS work with what came, both ways */
static void pump(struct conn *c)
{
	uint8_t buf[READ_SIZE];
	size_t n = 0;
	int err;

	if (c->state == CONN_SHAKING) {
		err = tlspipe_shake(c->pipe);
		if (flush(c) || err == EAGAIN)
			return;
		if (err) {
			refused(c);
			conn_end(c, err, tlspipe_why(c->pipe));
			return;
		}
		conn_up(c);
	}

	while (c->state == CONN_UP) {
		err = tlspipe_read(c->pipe, buf, sizeof(buf), &n);
		if (err == EAGAIN) {
			(void)flush(c);
			return;
		}
		if (err) {
			(void)flush(c);
			conn_end(c, err == ENOTCONN ? ECONNRESET : err,
				 err == ENOTCONN ?
				 "the peer has closed the connection" :
				 tlspipe_why(c->pipe));
			return;
		}

		clear_text(c, buf, n);
	}
}


static void opened(struct conn *c)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	if (!err)
		err = sock_local(c->fd, &c->laddr);
	if (!err)
		err = conn_listen(c, FD_READ);
	if (err) {
		conn_end(c, err, NULL);
		return;
	}

	if (c->pipe) {
		c->state = CONN_SHAKING;
		pump(c);
	}
	else {
		conn_up(c);
	}
}


static void writable(struct conn *c)
{
	struct mbuf *out = c->out;
	ssize_t n;

	n = send(c->fd, mbuf_buf(out), mbuf_get_left(out), MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			conn_end(c, errno, NULL);
		return;
	}

	out->pos += (size_t)n;
	if (!mbuf_get_left(out)) {
		c->out = mem_deref(out);
		(void)conn_listen(c, FD_READ);
	}
}


static void readable(struct conn *c)
{
	uint8_t buf[READ_SIZE];
	unsigned i;

	for (i = 0; i < READS_MAX && c->fd >= 0; i++) {
		const ssize_t n = recv(c->fd, buf, sizeof(buf), 0);

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				conn_end(c, errno, NULL);
			return;
		}
		if (!n) {
			conn_end(c, ECONNRESET,
				 "the peer has closed the connection");
			return;
		}

		if (c->pipe) {
			if (tlspipe_feed(c->pipe, buf, (size_t)n)) {
				conn_end(c, ENOMEM, NULL);
				return;
			}
			pump(c);
		}
		else {
			clear_text(c, buf, (size_t)n);
		}

		if (c->state == CONN_GONE)
			return;

		/* less than there was room for: that was all, and what comes
		 * now, or the end, is told by the loop */
		if ((size_t)n < sizeof(buf))
			return;
	}
}


/* What comes after the end is thrown away, so that the peer reads ours */
static void lingering(struct conn *c)
{
	char buf[4096];
	ssize_t n;

	do {
		n = recv(c->fd, buf, sizeof(buf), 0);
	} while (n > 0);

	if (!n || (errno != EAGAIN && errno != EINTR))
		conn_lingered(c);
}


static void io_h(int flags, void *arg)
{
	struct conn *c = arg;

	if (c->lingers) {
		lingering(c);
		return;
	}

	mem_ref(c);

	if (c->state == CONN_OPENING) {
		if (flags & (FD_WRITE | FD_EXCEPT))
			opened(c);
	}
	else {
		if (c->out && flags & FD_WRITE)
			writable(c);
		if (c->fd >= 0 && flags & (FD_READ | FD_EXCEPT))
			readable(c);
	}

	mem_deref(c);
}
