/**
 * @file app/stun_nat.c  What a NAT in between does: RFC 5780
 *
 * One socket asks a STUN server under its two addresses.  What comes back to
 * us without having been asked from there tells how the NAT filters, so that
 * is tried first; which address we have as seen from each of them tells how
 * it maps.  A client of our own: bounded, believes only answers to its own
 * questions.  Main thread.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <offhook/random.h>
#include "offhook/clock.h"
#include "offhook/timer.h"
#include "stun_nat.h"

enum {
	HEAD = 20,
	BINDING = 0x0001, ANSWER = 0x0101, REFUSAL = 0x0111,
	MAPPED = 0x0001, CHANGE = 0x0003, XOR_MAPPED = 0x0020,
	CHANGED = 0x0005, OTHER = 0x802c,
	CHANGE_IP = 4, CHANGE_PORT = 2,
	TRIES = 3,
	TRY_MS = 500,
};

#define COOKIE 0x2112a442u

/* In this order */
enum step {
	STEP_FIRST,
	STEP_FILTER_BOTH,        /* answer from the other address and port   */
	STEP_FILTER_PORT,        /* answer from the other port               */
	STEP_MAP_ADDRESS,        /* ask the other address                    */
	STEP_MAP_BOTH,           /* ask the other address and port           */
	STEP_DONE,
};

struct stun_nat {
	struct nat_result res;
	struct sa server, other, seen;   /* seen: from the other address     */
	enum step step;
	unsigned tries;
	uint64_t sent_us;
	uint8_t tid[12];
	int fd;
	struct compat_fd read;
	struct timer tmr;
	stun_nat_h *done_h;
	void *arg;
};


const char *nat_kind_name(enum nat_kind kind)
{
	switch (kind) {

	case NAT_UNKNOWN:      return "unknown";
	case NAT_INDEPENDENT:  return "endpoint-independent";
	case NAT_ADDRESS:      return "address-dependent";
	case NAT_ADDRESS_PORT: return "address-and-port-dependent";
	}

	return "?";
}


/* Answers -------------------------------------------------------------------- */

static uint32_t get(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;

	return v;
}


static void address(struct sa *sa, const uint8_t *p, size_t n, bool xor,
		    const uint8_t *head)
{
	uint8_t a[16];
	uint16_t port;
	const size_t an = n == 8 ? 4 : 16;

	if ((n != 8 || p[1] != 1) && (n != 20 || p[1] != 2))
		return;

	port = (uint16_t)(get(p + 2, 2) ^ (xor ? COOKIE >> 16 : 0));
	memcpy(a, p + 4, an);
	for (size_t i = 0; xor && i < an; i++)
		a[i] ^= head[4 + i];             /* cookie, then the id */

	if (an == 4)
		sa_set_in(sa, get(a, 4), port);
	else
		sa_set_in6(sa, a, port);
}


int stun_answer_read(const uint8_t *p, size_t len, const uint8_t tid[12],
		     struct sa *mapped, struct sa *other)
{
	struct sa plain;
	uint32_t type, body;

	sa_init(mapped, AF_UNSPEC);
	sa_init(other, AF_UNSPEC);
	sa_init(&plain, AF_UNSPEC);

	if (len < HEAD || get(p + 4, 4) != COOKIE || memcmp(p + 8, tid, 12))
		return EBADMSG;

	type = get(p, 2);
	body = get(p + 2, 2);
	if (body & 3 || body > len - HEAD)
		return EBADMSG;
	if (type == REFUSAL)
		return EPROTO;
	if (type != ANSWER)
		return EBADMSG;

	for (size_t at = HEAD; at + 4 <= HEAD + body; ) {

		const uint32_t kind = get(p + at, 2);
		const uint32_t n = get(p + at + 2, 2);
		const uint8_t *v = p + at + 4;

		if (at + 4 + n > HEAD + body)
			return EBADMSG;

		if (kind == XOR_MAPPED)
			address(mapped, v, n, true, p);
		else if (kind == MAPPED)
			address(&plain, v, n, false, p);
		else if (kind == OTHER || kind == CHANGED)
			address(other, v, n, false, p);

		at += 4 + ((n + 3) & ~3u);
	}

	/* an old server */
	if (!sa_isset(mapped, SA_ADDR))
		*mapped = plain;

	return sa_isset(mapped, SA_ADDR) ? 0 : EBADMSG;
}


/* Questions ------------------------------------------------------------------- */

static void step_begin(struct stun_nat *s, enum step step);


static void finish(struct stun_nat *s, int err)
{
	s->res.err = err;
	s->step = STEP_DONE;
	timer_cancel(&s->tmr);
	s->done_h(&s->res, s->arg);
}


static struct sa target(const struct stun_nat *s)
{
	struct sa sa = s->server;

	if (s->step == STEP_MAP_BOTH)
		return s->other;
	if (s->step == STEP_MAP_ADDRESS) {
		sa = s->other;
		sa_set_port(&sa, sa_port(&s->server));
	}

	return sa;
}


static void late(void *arg);


static void ask(struct stun_nat *s)
{
	const struct sa dst = target(s);
	const uint8_t flags = s->step == STEP_FILTER_BOTH ?
		CHANGE_IP | CHANGE_PORT :
		s->step == STEP_FILTER_PORT ? CHANGE_PORT : 0;
	uint8_t p[HEAD + 8] = { 0, BINDING, 0, flags ? 8 : 0,
				0x21, 0x12, 0xa4, 0x42 };

	memcpy(p + 8, s->tid, sizeof(s->tid));
	p[HEAD + 1] = CHANGE;
	p[HEAD + 3] = 4;
	p[HEAD + 7] = flags;

	++s->tries;
	s->sent_us = clock_us();
	timer_start(&s->tmr, TRY_MS * s->tries, late, s);

	/* what cannot be sent is not answered either */
	(void)!sendto(s->fd, p, HEAD + (flags ? 8 : 0),
		      MSG_DONTWAIT | MSG_NOSIGNAL, &dst.u.sa, dst.len);
}


static void step_begin(struct stun_nat *s, enum step step)
{
	s->step = step;
	s->tries = 0;

	if (step == STEP_DONE) {
		finish(s, 0);
		return;
	}

	random_fill(s->tid, sizeof(s->tid));
	ask(s);
}


/* No answer to this question: what does that mean? */
static void unanswered(struct stun_nat *s)
{
	switch (s->step) {

	case STEP_FIRST:
		finish(s, ETIMEDOUT);
		break;

	case STEP_FILTER_BOTH:
		step_begin(s, STEP_FILTER_PORT);
		break;

	case STEP_FILTER_PORT:
		s->res.filtering = NAT_ADDRESS_PORT;
		step_begin(s, s->res.behind ? STEP_MAP_ADDRESS : STEP_DONE);
		break;

	case STEP_MAP_ADDRESS:
	case STEP_MAP_BOTH:
	case STEP_DONE:
		step_begin(s, STEP_DONE);
		break;
	}
}


static void late(void *arg)
{
	struct stun_nat *s = arg;

	if (s->tries < TRIES)
		ask(s);
	else
		unanswered(s);
}


static void answered(struct stun_nat *s, const struct sa *mapped,
		     const struct sa *other)
{
	const bool same = sa_cmp(mapped, &s->res.mapped, SA_ALL);

	switch (s->step) {

	case STEP_FIRST:
		s->res.mapped = *mapped;
		s->res.rtt_us = (uint32_t)(clock_us() - s->sent_us);
		s->res.behind = !sa_cmp(mapped, &s->res.local, SA_ADDR);
		s->other = *other;

		/* a server with one address cannot tell more */
		step_begin(s, sa_isset(other, SA_ALL) &&
			   !sa_cmp(other, &s->server, SA_ADDR) ?
			   STEP_FILTER_BOTH : STEP_DONE);
		break;

	case STEP_FILTER_BOTH:
		s->res.filtering = NAT_INDEPENDENT;
		step_begin(s, s->res.behind ? STEP_MAP_ADDRESS : STEP_DONE);
		break;

	case STEP_FILTER_PORT:
		s->res.filtering = NAT_ADDRESS;
		step_begin(s, s->res.behind ? STEP_MAP_ADDRESS : STEP_DONE);
		break;

	case STEP_MAP_ADDRESS:
		if (same) {
			s->res.mapping = NAT_INDEPENDENT;
			step_begin(s, STEP_DONE);
			break;
		}
		s->seen = *mapped;
		step_begin(s, STEP_MAP_BOTH);
		break;

	case STEP_MAP_BOTH:
		s->res.mapping = sa_cmp(mapped, &s->seen, SA_ALL) ?
			NAT_ADDRESS : NAT_ADDRESS_PORT;
		step_begin(s, STEP_DONE);
		break;

	case STEP_DONE:
		break;
	}
}


static void readable(int flags, void *arg)
{
	struct stun_nat *s = arg;
	struct sa mapped, other;
	uint8_t p[1500];
	ssize_t n;
	int err;
	(void)flags;

	n = recv(s->fd, p, sizeof(p), MSG_DONTWAIT);
	if (n < 0 || s->step == STEP_DONE)
		return;

	err = stun_answer_read(p, (size_t)n, s->tid, &mapped, &other);
	if (!err)
		answered(s, &mapped, &other);
	else if (err == EPROTO)
		unanswered(s);
}


static void destructor(void *arg)
{
	struct stun_nat *s = arg;

	timer_cancel(&s->tmr);
	if (s->fd >= 0) {
		compat_fd_close(&s->read);
		close(s->fd);
	}
}


/* Which address of ours would it be? */
static int local_find(struct sa *local, const struct sa *dst)
{
	const int fd = socket(sa_af(dst), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(local->u);
	int err = 0;

	if (fd < 0)
		return errno;

	if (connect(fd, &dst->u.sa, dst->len) ||
	    getsockname(fd, &local->u.sa, &len))
		err = errno;
	local->len = len;
	close(fd);

	return err;
}


int stun_nat_start(struct stun_nat **np, const struct sa *server,
		   stun_nat_h *done_h, void *arg)
{
	struct stun_nat *s = mem_zalloc(sizeof(*s), destructor);
	struct sa any;
	int err;

	if (!s)
		return ENOMEM;

	s->fd = -1;
	s->server = *server;
	s->done_h = done_h;
	s->arg = arg;

	err = local_find(&s->res.local, server);
	if (err)
		goto out;

	s->fd = socket(sa_af(server), SOCK_DGRAM | SOCK_CLOEXEC |
		       SOCK_NONBLOCK, 0);
	if (s->fd < 0) {
		err = errno;
		goto out;
	}

	any = s->res.local;
	sa_set_port(&any, 0);
	if (bind(s->fd, &any.u.sa, any.len))
		err = errno;
	if (!err)
		err = compat_fd_listen(&s->read, s->fd, FD_READ, readable, s);
	if (err) {
		close(s->fd);
		s->fd = -1;
		goto out;
	}

	/* on a turn of its own: done is never called from inside */
	random_fill(s->tid, sizeof(s->tid));
	ask(s);

 out:
	if (err)
		mem_deref(s);
	else
		*np = s;

	return err;
}
