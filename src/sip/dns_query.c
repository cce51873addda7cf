/**
 * @file sip/dns_query.c  One DNS question over the wire
 *
 * Main thread, never blocks.  One server is asked after the other, each try
 * from a socket of its own: the port and the number of the question are by
 * chance and the kernel lets through what the server sends only, so an answer
 * is hard to forge.  Too large for a datagram: the same server over TCP.
 * Bounded by the time its owner gives it.
 */
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>
#include <unistd.h>
#include <offhook/random.h>
#include "locate.h"


enum {
	PORT        = 53,
	TRY_MS      = 1000,         /* first round; later ones wait longer  */
	ROUNDS      = 3,
	DATAGRAM    = 4096,
	TCP_MAX     = 16384,        /* NAME_RECS_MAX need no more           */
};

struct name_query {
	enum name_type type;
	char name[NAME_LEN];
	struct name_servers servers;
	unsigned tries;             /* so far: which server, which round    */
	unsigned off;               /* a bit for each server that refused   */
	bool heard;                 /* somebody answered something          */
	bool edns;
	bool tcp;
	uint16_t id;
	uint64_t due_ms;
	struct timer tmr;           /* this try, or the turn it ends in     */
	int fd;                     /* -1: none                             */
	struct compat_fd watch;
	struct mbuf *in, *out;      /* TCP: with the length before it       */
	struct name_answer *answer; /* what it ended with                   */
	char why[64];               /* why the last server was of no use    */
	name_query_h *h;
	void *arg;
};

static void try_next(struct name_query *q, bool tcp);


int name_servers_parse(struct name_servers *ns, const char *list,
		       const char **bad)
{
	const char *p = list ? list : "";

	memset(ns, 0, sizeof(*ns));

	while (*p) {
		char addr[64];
		uint16_t port;
		size_t len;

		p += strspn(p, " \t,");
		len = strcspn(p, " \t,");
		if (!len)
			break;

		*bad = p;
		if (ns->n == NAME_SERVERS ||
		    text_addr(addr, sizeof(addr), &port, p, len) ||
		    sa_set_str(&ns->v[ns->n], addr, port ? port : PORT))
			return EINVAL;

		++ns->n;
		p += len;
	}

	return 0;
}


void name_servers_system(struct name_servers *ns)
{
	struct __res_state *rs;
	int i;

	memset(ns, 0, sizeof(*ns));

	rs = mem_zalloc(sizeof(*rs), NULL);
	if (!rs || res_ninit(rs))
		goto out;

	/* IPv6 ones have an empty place there and stand beside */
	for (i = 0; i < rs->nscount && i < MAXNS && ns->n < NAME_SERVERS;
	     i++) {
		const struct sockaddr_in6 *six = rs->_u._ext.nsaddrs[i];
		struct sa *sa = &ns->v[ns->n];
		int err;

		if (rs->nsaddr_list[i].sin_family == AF_INET)
			err = sa_set_sa(sa, (struct sockaddr *)
					&rs->nsaddr_list[i]);
		else if (six)
			err = sa_set_sa(sa, (const struct sockaddr *)six);
		else
			continue;

		/* a scope is lost by this, and with it the way */
		if (!err && !sa_is_linklocal(sa))
			++ns->n;
	}

	res_nclose(rs);

 out:
	mem_deref(rs);
}


static void socket_close(struct name_query *q)
{
	if (q->fd < 0)
		return;

	compat_fd_close(&q->watch);
	(void)close(q->fd);
	q->fd = -1;
	q->in = mem_deref(q->in);
	q->out = mem_deref(q->out);
}


static void done_h(void *arg)
{
	struct name_query *q = arg;
	struct name_answer *a = q->answer;

	q->answer = NULL;
	q->h(a, q->arg);
	mem_deref(a);
}


/* The handler is called on the next turn, out of reach of sockets */
static void done(struct name_query *q, struct name_answer *a)
{
	socket_close(q);
	q->answer = a;
	timer_start(&q->tmr, 0, done_h, q);
}


static void give_up(struct name_query *q)
{
	struct name_answer *a = NULL;

	if (name_answer_alloc(&a, q->type)) {
		/* without memory there is only the owner's own deadline */
		socket_close(q);
		return;
	}

	a->state = q->heard ? NAME_FAILED : NAME_SILENT;
	(void)snprintf(a->why, sizeof(a->why), "%s", q->why);
	done(q, a);
}


/* The same server again, in another way */
static void again(struct name_query *q, bool tcp)
{
	--q->tries;
	try_next(q, tcp);
}


/* This server is of no use for this question */
static void refused(struct name_query *q, const char *why)
{
	q->heard = true;
	q->off |= 1u << (q->tries - 1) % q->servers.n;
	(void)snprintf(q->why, sizeof(q->why), "%s", why);
	try_next(q, false);
}


static void unreachable(struct name_query *q, int err)
{
	(void)snprintf(q->why, sizeof(q->why), "%s", strerror(err));
	try_next(q, false);
}


static void received(struct name_query *q, const uint8_t *buf, size_t len)
{
	struct name_answer *a = NULL;

	if (name_answer_alloc(&a, q->type)) {
		unreachable(q, ENOMEM);
		return;
	}

	switch (name_answer_read(a, buf, len, q->id, q->name)) {

	case NAME_V_DONE:
		done(q, a);
		return;

	case NAME_V_STRANGE:
		/* the right one may still come, but not on a stream */
		if (q->tcp)
			refused(q, "malformed answer");
		break;

	case NAME_V_CUT:
		if (q->tcp)
			refused(q, "answer cut short");
		else
			again(q, true);
		break;

	case NAME_V_NO_EDNS:
		if (q->edns) {
			q->edns = false;
			again(q, q->tcp);
		}
		else {
			refused(q, a->why);
		}
		break;

	case NAME_V_NEXT:
		refused(q, a->why);
		break;
	}

	mem_deref(a);
}


static void udp_h(int flags, void *arg)
{
	struct name_query *q = arg;
	uint8_t buf[DATAGRAM];
	ssize_t n;
	(void)flags;

	n = recv(q->fd, buf, sizeof(buf), 0);

	if (n >= 0)
		received(q, buf, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		unreachable(q, errno);
}


static int tcp_write(struct name_query *q)
{
	while (mbuf_get_left(q->out)) {
		const ssize_t n = send(q->fd, mbuf_buf(q->out),
				       mbuf_get_left(q->out), MSG_NOSIGNAL);

		if (n < 0)
			return errno;

		mbuf_advance(q->out, n);
	}

	return 0;
}


/* @return 0: all of it is there, EAGAIN, or another errno */
static int tcp_read(struct name_query *q)
{
	struct mbuf *mb = q->in;
	size_t want = 2;

	for (;;) {
		ssize_t n;

		if (mb->end >= 2) {
			want = 2u + (mb->buf[0] << 8 | mb->buf[1]);
			if (want > TCP_MAX)
				return EOVERFLOW;
			if (mb->end >= want)
				return 0;
		}

		if (want > mb->size && mbuf_resize(mb, want))
			return ENOMEM;

		n = recv(q->fd, mb->buf + mb->end, want - mb->end, 0);
		if (n < 0)
			return errno == EINTR ? EAGAIN : errno;
		if (!n)
			return ECONNRESET;

		mb->end += (size_t)n;
	}
}


static void tcp_h(int flags, void *arg)
{
	struct name_query *q = arg;
	struct mbuf *in;
	int err;

	if (flags & FD_WRITE) {
		err = tcp_write(q);
		if (!err)
			err = compat_fd_listen(&q->watch, q->fd, FD_READ,
					       tcp_h, q);
		if (err && err != EAGAIN)
			goto failed;
	}

	if (!(flags & (FD_READ | FD_EXCEPT)))
		return;

	err = tcp_read(q);
	if (err == EAGAIN)
		return;
	if (err)
		goto failed;

	in = mem_ref(q->in);
	received(q, in->buf + 2, in->end - 2);
	mem_deref(in);
	return;

 failed:
	unreachable(q, err);
}


static int try_start(struct name_query *q, const struct sa *server)
{
	uint8_t buf[DNS_QUERY_MAX];
	size_t len;
	int err = 0;

	q->id = random_u16();
	len = name_question_write(buf, q->id, q->type, q->name, q->edns);
	if (!len)
		return EINVAL;

	q->fd = socket(sa_af(server), (q->tcp ? SOCK_STREAM : SOCK_DGRAM) |
		       SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->fd < 0)
		return errno;

	if (connect(q->fd, &server->u.sa, server->len) &&
	    errno != EINPROGRESS) {
		err = errno;
		goto out;
	}

	if (q->tcp) {
		q->in = mbuf_alloc(512);
		q->out = mbuf_alloc(len + 2);
		err = q->in && q->out ?
			mbuf_write_u16(q->out, htons((uint16_t)len)) : ENOMEM;
		if (!err)
			err = mbuf_write_mem(q->out, buf, len);
		if (!err) {
			q->out->pos = 0;
			err = compat_fd_listen(&q->watch, q->fd,
					       FD_READ | FD_WRITE, tcp_h, q);
		}
	}
	else {
		if (send(q->fd, buf, len, MSG_NOSIGNAL) < 0)
			err = errno;
		else
			err = compat_fd_listen(&q->watch, q->fd, FD_READ,
					       udp_h, q);
	}

 out:
	if (err) {
		(void)close(q->fd);
		q->fd = -1;
		q->in = mem_deref(q->in);
		q->out = mem_deref(q->out);
	}

	return err;
}


static void late_h(void *arg)
{
	struct name_query *q = arg;

	*q->why = '\0';
	try_next(q, false);
}


/* The next server, or the first one again with more patience */
static void try_next(struct name_query *q, bool tcp)
{
	const unsigned n = q->servers.n;

	socket_close(q);
	q->tcp = tcp;

	while (n && q->tries / n < ROUNDS) {
		const uint64_t now = clock_ms();
		const unsigned i = q->tries % n;
		uint64_t ms = (uint64_t)TRY_MS << q->tries / n;
		int err;

		if (now >= q->due_ms)
			break;
		if (ms > q->due_ms - now)
			ms = q->due_ms - now;

		/* some drop what they do not know */
		if (q->tries++ >= n)
			q->edns = false;
		if (q->off & 1u << i)
			continue;

		err = try_start(q, &q->servers.v[i]);
		if (!err) {
			timer_start(&q->tmr, ms, late_h, q);
			return;
		}

		q->tcp = false;
		(void)snprintf(q->why, sizeof(q->why), "%s", strerror(err));
	}

	give_up(q);
}


static void query_destructor(void *arg)
{
	struct name_query *q = arg;

	timer_cancel(&q->tmr);
	socket_close(q);
	mem_deref(q->answer);
}


int name_query_start(struct name_query **qp, const struct name_servers *ns,
		     enum name_type type, const char *name, uint32_t ms,
		     name_query_h *h, void *arg)
{
	struct name_query *q;

	if (!qp || !ns || !name || !h || !name_ok(name))
		return EINVAL;

	q = mem_zalloc(sizeof(*q), query_destructor);
	if (!q)
		return ENOMEM;

	q->fd = -1;
	q->type = type;
	q->servers = *ns;
	q->edns = true;
	q->due_ms = clock_ms() + ms;
	q->h = h;
	q->arg = arg;
	(void)snprintf(q->name, sizeof(q->name), "%s", name);

	if (!ns->n)
		(void)snprintf(q->why, sizeof(q->why),
			       "no name server is known");

	try_next(q, false);
	*qp = q;

	return 0;
}
