/**
 * @file turn.c  A relay's client (RFC 8656): one allocation
 *
 * Media thread.  Requests are few and each is known by its number, sent again
 * over UDP as RFC 8489 says and given up after a while.  The password goes
 * into a hash and nowhere else.
 */
#include <offhook/clock.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "stun.h"
#include "turn.h"


enum {
	REQUESTS     = TURN_PEERS + 2,
	RTO_US       = 300000,
	TRIES        = 7,
	STREAM_US    = 10000000, /* an answer over a connection             */
	LIFETIME_S   = 600,
	CHANNEL_S    = 240,      /* a permission lasts five minutes         */
	CHANNEL_MIN  = 0x4000,
	FRAME_HEAD   = 4,
	AUTH_TRIES   = 3,
};

#define SECOND_US 1000000ull

struct request {
	unsigned method;         /* 0: this one is free                     */
	int peer;                /* of a channel                            */
	uint32_t lifetime;
	struct stun_out msg;
	unsigned tries, auths;
	uint64_t due_us, end_us;
};

struct peer {
	struct sa addr;
	bool bound;
	uint64_t refresh_us;     /* 0: a request is under way               */
};

struct turn {
	struct media_nat conf;
	struct turn_stream *stream;      /* NULL: over UDP                  */
	turn_send_h *send_h;
	turn_data_h *data_h;
	void *arg;
	struct request requests[REQUESTS];
	struct peer peers[TURN_PEERS];
	unsigned peerc;
	bool keyed;
	uint8_t key[16];
	char realm[STUN_TEXT], nonce[STUN_TEXT];
	bool reclaims;           /* it had one for our port: given back     */
	int state;
	char why[TURN_ERR];
	struct sa relayed, mapped, alternate;
	uint64_t refresh_us;
};


static void destructor(void *arg)
{
	struct turn *t = arg;

	mem_deref(t->stream);
	explicit_bzero(&t->conf, sizeof(t->conf));
	explicit_bzero(t->key, sizeof(t->key));
}


static void fail(struct turn *t, const char *fmt, const char *what)
{
	if (t->state && t->state != EAGAIN)
		return;

	t->state = ECONNREFUSED;
	(void)snprintf(t->why, sizeof(t->why), "%s%s", fmt, what);
}


static void out(struct turn *t, const uint8_t *p, size_t len)
{
	if (t->stream)
		turn_stream_send(t->stream, p, len);
	else
		t->send_h(p, len, t->arg);
}


/* Requests --------------------------------------------------------------- */

static void request_write(struct turn *t, struct request *r)
{
	struct stun_out *o = &r->msg;
	const uint8_t udp[4] = { 17 };
	const uint8_t v6[4] = { 2 };

	stunmsg_begin(o, r->method, SC_REQUEST, NULL);

	switch (r->method) {

	case SM_ALLOCATE:
		stunmsg_attr(o, SA_TRANSPORT, udp, sizeof(udp));
		stunmsg_u32(o, SA_LIFETIME, LIFETIME_S);
		if (sa_af(&t->conf.turn) == AF_INET6)
			stunmsg_attr(o, SA_FAMILY, v6, sizeof(v6));
		break;

	case SM_REFRESH:
		stunmsg_u32(o, SA_LIFETIME, r->lifetime);
		break;

	case SM_CHANNEL:
		stunmsg_u32(o, SA_CHANNEL,
			    (uint32_t)(CHANNEL_MIN + r->peer) << 16);
		stunmsg_addr(o, SA_PEER, &t->peers[r->peer].addr);
		break;
	}

	if (t->keyed) {
		stunmsg_attr(o, SA_USERNAME, t->conf.turn_user,
			     strlen(t->conf.turn_user));
		stunmsg_attr(o, SA_REALM, t->realm, strlen(t->realm));
		stunmsg_attr(o, SA_NONCE, t->nonce, strlen(t->nonce));
	}
	(void)stunmsg_end(o, t->keyed ? t->key : NULL, sizeof(t->key), true);
}


static void request_send(struct turn *t, struct request *r)
{
	const uint64_t now = clock_us();

	request_write(t, r);
	r->tries = 1;
	r->due_us = now + RTO_US;
	r->end_us = now + STREAM_US;
	out(t, r->msg.p, r->msg.len);
}


static int request(struct turn *t, unsigned method, int peer,
		   uint32_t lifetime)
{
	for (unsigned i = 0; i < REQUESTS; i++) {
		struct request *r = &t->requests[i];

		if (r->method)
			continue;

		memset(r, 0, sizeof(*r));
		r->method = method;
		r->peer = peer;
		r->lifetime = lifetime;
		request_send(t, r);
		return 0;
	}

	return ENOSPC;
}


static void peer_lost(struct turn *t, int peer)
{
	struct peer *p = &t->peers[peer];

	p->bound = false;
	p->refresh_us = clock_us() + 10 * SECOND_US;
}


/* What was left over from before is gone, or was not ours */
static void reclaimed(struct turn *t)
{
	if (t->state == EAGAIN && t->reclaims &&
	    request(t, SM_ALLOCATE, 0, LIFETIME_S))
		fail(t, "the TURN server ", "cannot be asked");
}


static void request_end(struct turn *t, struct request *r, const char *why)
{
	const unsigned method = r->method;

	r->method = 0;

	if (method == SM_CHANNEL)
		peer_lost(t, r->peer);
	else if (method == SM_REFRESH && !r->lifetime)
		reclaimed(t);
	else
		fail(t, "the TURN server ", why);
}


/* Answers ---------------------------------------------------------------- */

static void text_take(char *dst, const struct pl *src)
{
	memcpy(dst, src->p, src->l);     /* STUN_TEXT was checked           */
	dst[src->l] = '\0';
}


/* @return true: it was sent once more, with what they asked for */
static bool challenged(struct turn *t, struct request *r,
		       const struct stun_in *m)
{
	if ((m->error != 401 && m->error != 438) || !m->realm.l ||
	    !m->nonce.l || !t->conf.turn_user[0] || ++r->auths > AUTH_TRIES ||
	    memchr(m->realm.p, '\0', m->realm.l) ||
	    memchr(m->nonce.p, '\0', m->nonce.l))
		return false;

	/* the same nonce once more: the password is wrong */
	if (m->error == 401 && t->keyed && m->nonce.l == strlen(t->nonce) &&
	    !memcmp(t->nonce, m->nonce.p, m->nonce.l))
		return false;

	text_take(t->realm, &m->realm);
	text_take(t->nonce, &m->nonce);
	if (stunmsg_long_key(t->key, t->conf.turn_user, &m->realm,
			     t->conf.turn_password))
		return false;

	t->keyed = true;
	request_send(t, r);

	return true;
}


static const char *refusal(unsigned method, unsigned error)
{
	static const struct {
		unsigned error;
		const char *text;
	} v[] = {
		{ 401, "does not take the name and password" },
		{ 403, "forbids it" },
		{ 441, "has this port for somebody else" },
		{ 486, "gives this account no more relays" },
		{ 508, "has no room for another relay" },
	};

	if (error == 437)
		return method == SM_ALLOCATE ?
			"has a relay for this port already" :
			"has forgotten us";

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if (v[i].error == error)
			return v[i].text;
	}

	return "refuses";
}


/* An allocation of the same port, from before we lost sight of the server, is
 * in the way (RFC 8656 7.2): once it is given back.
 * @return true: that is asked */
static bool in_the_way(struct turn *t, struct request *r,
		       const struct stun_in *m)
{
	if (m->error != 437 || r->method != SM_ALLOCATE || t->reclaims)
		return false;

	t->reclaims = true;
	r->method = 0;

	return !request(t, SM_REFRESH, 0, 0);
}


static void refused(struct turn *t, struct request *r,
		    const struct stun_in *m)
{
	char text[80];

	if (challenged(t, r, m) || in_the_way(t, r, m))
		return;

	/* RFC 8489 10: to another of its kind; our peers could not be there */
	if (m->error == 300 && r->method == SM_ALLOCATE &&
	    sa_af(&m->alternate) == sa_af(&t->conf.turn) &&
	    sa_isset(&m->alternate, SA_ALL) &&
	    !sa_is_any(&m->alternate) &&
	    (!t->keyed || !stunmsg_check(m, t->key, sizeof(t->key))))
		t->alternate = m->alternate;

	(void)snprintf(text, sizeof(text), "%s (%u)",
		       refusal(r->method, m->error), m->error);
	request_end(t, r, text);
}


static void granted(struct turn *t, const struct request *r,
		    const struct stun_in *m)
{
	const uint64_t now = clock_us();
	const uint32_t life = m->has_lifetime ? m->lifetime : LIFETIME_S;

	switch (r->method) {

	case SM_ALLOCATE:
		if (!sa_isset(&m->relayed, SA_ALL)) {
			fail(t, "the TURN server tells no address", "");
			break;
		}
		t->relayed = m->relayed;
		t->mapped = m->mapped;
		t->state = 0;
		/*@fallthrough@*/
	case SM_REFRESH:
		if (r->method == SM_REFRESH && !r->lifetime) {
			reclaimed(t);
			break;
		}
		t->state = 0;
		t->refresh_us = now + SECOND_US *
			(life > 120 ? life - 60 : life / 2 + 1);
		break;

	case SM_CHANNEL:
		t->peers[r->peer].bound = true;
		t->peers[r->peer].refresh_us = now + CHANNEL_S * SECOND_US;
		break;
	}
}


static struct request *request_find(struct turn *t, const uint8_t *tid)
{
	for (unsigned i = 0; i < REQUESTS; i++) {
		struct request *r = &t->requests[i];

		if (r->method && !memcmp(r->msg.p + 8, tid, STUN_TID))
			return r;
	}

	return NULL;
}


static void message(struct turn *t, uint8_t *p, size_t len)
{
	struct request *r;
	struct stun_in m;

	if (stunmsg_read(&m, p, len))
		return;

	if (m.cls == SC_INDICATION && m.method == SM_DATA && m.data.l &&
	    sa_isset(&m.peer, SA_ALL)) {
		t->data_h(&m.peer, p + (m.data.p - (const char *)p), m.data.l,
			  t->arg);
		return;
	}

	r = request_find(t, m.tid);
	if (!r || r->method != m.method)
		return;

	/* who has our password knows it; errors may come before that */
	if (m.cls == SC_SUCCESS &&
	    (!t->keyed || !stunmsg_check(&m, t->key, sizeof(t->key)))) {
		const struct request done = { .method = r->method,
			.peer = r->peer, .lifetime = r->lifetime };

		r->method = 0;
		granted(t, &done, &m);
	}
	else if (m.cls == SC_ERROR) {
		refused(t, r, &m);
	}
}


void turn_recv(struct turn *t, uint8_t *p, size_t len)
{
	size_t n;
	int no;

	if (len < FRAME_HEAD)
		return;

	if (p[0] < 0x40) {
		message(t, p, len);
		return;
	}

	no = (p[0] << 8 | p[1]) - CHANNEL_MIN;
	n = (size_t)(p[2] << 8 | p[3]);
	if (no < 0 || no >= (int)t->peerc || n > len - FRAME_HEAD)
		return;

	t->data_h(&t->peers[no].addr, p + FRAME_HEAD, n, t->arg);
}


/* Time ------------------------------------------------------------------- */

void turn_tick(struct turn *t, uint64_t now_us)
{
	for (unsigned i = 0; i < REQUESTS; i++) {
		struct request *r = &t->requests[i];

		if (!r->method)
			continue;

		if (t->stream ? now_us > r->end_us :
		    now_us > r->due_us && r->tries >= TRIES) {
			request_end(t, r, "does not answer");
		}
		else if (!t->stream && now_us > r->due_us) {
			r->due_us = now_us + ((uint64_t)RTO_US << r->tries);
			++r->tries;
			out(t, r->msg.p, r->msg.len);
		}
	}

	if (t->state)
		return;

	if (t->refresh_us && now_us > t->refresh_us) {
		t->refresh_us = 0;
		(void)request(t, SM_REFRESH, 0, LIFETIME_S);
	}

	for (unsigned i = 0; i < t->peerc; i++) {
		struct peer *p = &t->peers[i];

		if (p->refresh_us && now_us > p->refresh_us) {
			p->refresh_us = 0;
			(void)request(t, SM_CHANNEL, (int)i, 0);
		}
	}
}


/* The allocation --------------------------------------------------------- */

static void frame_h(uint8_t *p, size_t len, void *arg)
{
	turn_recv(arg, p, len);
}


static void lost_h(const char *why, void *arg)
{
	struct turn *t = arg;

	if (!t->state)
		t->state = EAGAIN;       /* it was, and is not any more     */
	fail(t, "the TURN server ", why);
}


int turn_alloc(struct turn **tp, const struct media_nat *conf,
	       turn_send_h *send_h, turn_data_h *data_h, void *arg)
{
	struct turn *t = mem_zalloc(sizeof(*t), destructor);
	int err = 0;

	if (!t)
		return ENOMEM;

	t->conf = *conf;
	t->send_h = send_h;
	t->data_h = data_h;
	t->arg = arg;
	t->state = EAGAIN;
	sa_init(&t->relayed, AF_UNSPEC);
	sa_init(&t->mapped, AF_UNSPEC);
	sa_init(&t->alternate, AF_UNSPEC);

	if (conf->relay != RELAY_UDP)
		err = turn_stream_open(&t->stream, conf, frame_h, lost_h, t);
	if (!err)
		err = request(t, SM_ALLOCATE, 0, LIFETIME_S);
	if (err)
		mem_deref(t);
	else
		*tp = t;

	return err;
}


int turn_state(const struct turn *t)
{
	return t->state;
}


const char *turn_error(const struct turn *t)
{
	return t->why;
}


const struct sa *turn_alternate(const struct turn *t)
{
	return &t->alternate;
}


const struct sa *turn_relayed(const struct turn *t)
{
	return &t->relayed;
}


const struct sa *turn_mapped(const struct turn *t)
{
	return &t->mapped;
}


static struct peer *peer_find(struct turn *t, const struct sa *addr)
{
	for (unsigned i = 0; i < t->peerc; i++) {
		if (sa_cmp(&t->peers[i].addr, addr, SA_ALL))
			return &t->peers[i];
	}

	return NULL;
}


int turn_permit(struct turn *t, const struct sa *peer)
{
	if (peer_find(t, peer))
		return 0;
	if (t->peerc == TURN_PEERS || t->state ||
	    sa_af(peer) != sa_af(&t->relayed))
		return ENOSPC;

	t->peers[t->peerc].addr = *peer;
	t->peers[t->peerc].bound = false;
	t->peers[t->peerc].refresh_us = 0;

	return request(t, SM_CHANNEL, (int)t->peerc++, 0);
}


int turn_send(struct turn *t, const struct sa *peer, const uint8_t *p,
	      size_t len)
{
	uint8_t frame[FRAME_HEAD + 2048] = { 0 };
	struct peer *to = peer_find(t, peer);
	unsigned no;

	if (!to || !to->bound || t->state)
		return ENOTCONN;
	if (len > sizeof(frame) - FRAME_HEAD - 3)
		return EMSGSIZE;

	no = CHANNEL_MIN + (unsigned)(to - t->peers);
	frame[0] = (uint8_t)(no >> 8);
	frame[1] = (uint8_t)no;
	frame[2] = (uint8_t)(len >> 8);
	frame[3] = (uint8_t)len;
	memcpy(frame + FRAME_HEAD, p, len);
	len += FRAME_HEAD;

	/* on a connection all begins at a multiple of four */
	out(t, frame, t->stream ? (len + 3) & ~(size_t)3 : len);

	return 0;
}


void turn_check(struct turn *t)
{
	if (t->state)
		return;

	t->state = EAGAIN;
	t->refresh_us = 0;
	if (request(t, SM_REFRESH, 0, LIFETIME_S))
		fail(t, "the TURN server ", "cannot be asked");
}


void turn_end(struct turn *t)
{
	if (!t->state)
		(void)request(t, SM_REFRESH, 0, 0);
}
