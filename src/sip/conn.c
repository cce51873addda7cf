/**
 * @file sip/conn.c  Connections: who has which, and how long
 *
 * Main thread.  The table owns them.  Each state has a deadline.  A connection
 * that ends is closed at once and found by nobody any more; those who watch it
 * are told on a turn of the loop of its own, and then it is freed.  What goes
 * over it is conn_io.c's.
 */
#include <sys/socket.h>
#include <unistd.h>
#include "conn.h"


enum {
	BUCKETS       = 256,
	INCOMING_MAX  = 4096,
	OPEN_MS       = 10000,      /* TCP and TLS together                */
	FIRST_MS      = 32000,      /* a peer who came says something      */
	HALF_MS       = 32000,      /* ... and what it began is finished   */
	IDLE_MS       = 900000,
	LINGER_MS     = 2000,
};

struct conns {
	struct hash *peers;
	struct hash *ids;
	struct list all;            /* those that are gone, too            */
	uint64_t last_id;
	unsigned count, incoming;
};


/* The table ------------------------------------------------------------------ */

static void conns_destructor(void *arg)
{
	struct conns *cs = arg;

	mem_deref(cs->peers);
	mem_deref(cs->ids);
}


int conns_alloc(struct conns **cp)
{
	struct conns *cs = mem_zalloc(sizeof(*cs), conns_destructor);
	int err;

	if (!cs)
		return ENOMEM;

	err = hash_alloc(&cs->peers, BUCKETS);
	if (!err)
		err = hash_alloc(&cs->ids, BUCKETS);

	if (err)
		mem_deref(cs);
	else
		*cp = cs;

	return err;
}


static void socket_close(struct conn *c)
{
	if (c->fd < 0)
		return;

	if (c->fd_flags)
		compat_fd_close(&c->fdw);
	c->fd_flags = 0;
	(void)close(c->fd);
	c->fd = -1;
}


static void conn_destructor(void *arg)
{
	struct conn *c = arg;

	timer_cancel(&c->tmr);
	timer_cancel(&c->turn);
	list_unlink(&c->le);
	hash_unlink(&c->pe);
	hash_unlink(&c->ie);
	list_clear(&c->watches);
	list_flush(&c->queue);
	socket_close(c);
	mem_deref(c->pipe);
	mem_deref(c->in);
	mem_deref(c->out);
}


static int conn_new(struct conn **cp, struct leg *l, enum sip_transp tp,
		    const struct sa *peer, bool incoming)
{
	struct conns *cs = l->stack->conns;
	struct conn *c = mem_zalloc(sizeof(*c), conn_destructor);

	if (!c)
		return ENOMEM;

	c->leg = l;
	c->tp = tp;
	c->peer = *peer;
	c->incoming = incoming;
	c->fd = -1;
	c->id = ++cs->last_id;

	*cp = c;

	return 0;
}


/* From now on the table owns it */
static void conn_link(struct conn *c)
{
	struct conns *cs = c->leg->stack->conns;

	list_append(&cs->all, &c->le, c);
	hash_append(cs->peers, sa_hash(&c->peer, SA_ALL), &c->pe, c);
	hash_append(cs->ids, (uint32_t)c->id, &c->ie, c);
	++cs->count;
	cs->incoming += c->incoming;
}


static bool id_h(struct le *le, void *arg)
{
	const struct conn *c = le->data;

	return c->id == *(const uint64_t *)arg;
}


struct conn *conn_find(const struct sip_stack *s, uint64_t id)
{
	if (!id || !s->conns)
		return NULL;

	return list_ledata(hash_lookup(s->conns->ids, (uint32_t)id, id_h,
				       &id));
}


unsigned conns_count(const struct sip_stack *s)
{
	return s->conns ? s->conns->count : 0;
}


/* The end -------------------------------------------------------------------- */

/* The connection is freed when all were told and its socket is closed */
static void release(struct conn *c)
{
	if (c->fd < 0 && !timer_running(&c->turn))
		mem_deref(c);
}


static void turn_h(void *arg)
{
	struct conn *c = arg;
	struct conn_watch *w;

	while ((w = list_ledata(c->watches.head))) {
		list_unlink(&w->le);
		w->h(c->err, *c->why ? c->why : strerror(c->err), w->arg);
	}

	release(c);
}


void conn_lingered(struct conn *c)
{
	timer_cancel(&c->tmr);
	socket_close(c);
	release(c);
}


static void lingered_h(void *arg)
{
	conn_lingered(arg);
}


void conn_gone(struct conn *c, int err, const char *why, bool linger)
{
	struct conns *cs;

	if (c->state == CONN_GONE)
		return;

	log_debug("connection %llu to a peer: %s", (unsigned long long)c->id,
		  why && *why ? why : strerror(err));

	conn_last_words(c);
	c->state = CONN_GONE;
	c->err = err;
	(void)snprintf(c->why, sizeof(c->why), "%s", why ? why : "");

	cs = c->leg->stack->conns;
	hash_unlink(&c->pe);
	hash_unlink(&c->ie);
	--cs->count;
	cs->incoming -= c->incoming;

	list_flush(&c->queue);
	c->queued = 0;
	timer_start(&c->turn, 0, turn_h, c);

	if (linger) {
		c->lingers = true;
		(void)conn_listen(c, FD_READ);
		(void)shutdown(c->fd, SHUT_WR);
		timer_start(&c->tmr, LINGER_MS, lingered_h, c);
	}
	else {
		timer_cancel(&c->tmr);
		socket_close(c);
	}
}


void conn_end(struct conn *c, int err, const char *why)
{
	conn_gone(c, err, why, false);
}


void conns_end(struct sip_stack *s, bool all, int err, const char *why)
{
	struct le *le = list_head(&s->conns->all);

	/* they are freed on turns of their own */
	while (le) {
		struct conn *c = le->data;

		le = le->next;
		if (all || c->leg->gone)
			conn_gone(c, err, why, false);
	}
}


/* Nobody is told: they are all about to be freed */
void conns_stack_gone(struct sip_stack *s)
{
	struct conn *c;

	while (s->conns && (c = list_ledata(s->conns->all.head))) {

		if (c->state != CONN_GONE)
			conn_last_words(c);
		c->state = CONN_GONE;
		list_unlink(&c->le);
		hash_unlink(&c->pe);
		hash_unlink(&c->ie);
		list_clear(&c->watches);
		timer_cancel(&c->tmr);
		timer_cancel(&c->turn);
		socket_close(c);
		c->leg = NULL;
		mem_deref(c);
	}
}


/* Deadlines ------------------------------------------------------------------ */

static bool uses_h(struct le *le, void *arg)
{
	const struct dialog *d = le->data;

	return d->flow.flow == *(const uint64_t *)arg;
}


static void idle_h(void *arg)
{
	struct conn *c = arg;

	/* it may be the only way back to the peer of a call */
	if (c->watches.head || hash_apply(c->leg->stack->dialogs, uses_h,
					  &c->id)) {
		timer_start(&c->tmr, IDLE_MS, idle_h, c);
		return;
	}

	conn_end(c, ETIMEDOUT, "nothing was said for a long time");
}


static void late_h(void *arg)
{
	struct conn *c = arg;

	conn_end(c, ETIMEDOUT, c->state == CONN_OPENING ?
		 "no connection in time" : c->state == CONN_SHAKING ?
		 "no TLS handshake in time" :
		 "half a message, and nothing more");
}


void conn_wait(struct conn *c, enum conn_wait_for what)
{
	switch (what) {

	case CONN_WAIT_OPEN:
		timer_start(&c->tmr, OPEN_MS, late_h, c);
		break;

	case CONN_WAIT_FIRST:
		timer_start(&c->tmr, FIRST_MS, idle_h, c);
		break;

	case CONN_WAIT_HALF:
		timer_start(&c->tmr, HALF_MS, late_h, c);
		break;

	case CONN_WAIT_IDLE:
		timer_start(&c->tmr, IDLE_MS, idle_h, c);
		break;
	}
}


/* Making them ---------------------------------------------------------------- */

static struct sip_tls *tls_of(const struct leg *l,
			      const struct conn_want *want)
{
	return want->tls ? want->tls : l->stack->tls;
}


/* May what is wanted go by this one? Only a peer that was verified for the
 *  domain will do, not one that came by itself */
static bool conn_fits(const struct conn *c, const struct leg *l,
		      const struct conn_want *want)
{
	if (c->leg != l || c->tp != want->tp ||
	    !sa_cmp(&c->peer, &want->dst, SA_ALL))
		return false;

	if (want->tp != SIP_TRANSP_TLS)
		return true;

	return !c->incoming &&
		tlspipe_tls(c->pipe) == tls_of(l, want) &&
		tlspipe_names(c->pipe, want->domain);
}


struct seek {
	const struct leg *leg;
	const struct conn_want *want;
};


static bool seek_h(struct le *le, void *arg)
{
	const struct seek *s = arg;

	return conn_fits(le->data, s->leg, s->want);
}


static int conn_open(struct conn **cp, struct leg *l,
		     const struct conn_want *want)
{
	struct conn *c;
	int err;

	err = conn_new(&c, l, want->tp, &want->dst, false);
	if (err)
		return err;

	if (want->tp == SIP_TRANSP_TLS) {
		char *who = NULL;

		err = re_sdprintf(&who, "%s %J", want->domain, &want->dst);
		if (!err)
			err = tlspipe_alloc(&c->pipe, tls_of(l, want),
					    want->domain, who);
		mem_deref(who);
	}

	if (!err)
		err = sock_connect(&c->fd, &l->addr, &want->dst,
				   l->stack->dscp);
	if (!err)
		err = sock_local(c->fd, &c->laddr);
	if (!err)
		err = conn_listen(c, FD_READ | FD_WRITE);

	if (err) {
		mem_deref(c);
		return err;
	}

	conn_link(c);
	conn_wait(c, CONN_WAIT_OPEN);
	*cp = c;

	return 0;
}


int conn_get(struct conn **cp, struct leg *l, const struct conn_want *want)
{
	struct seek s = {.leg = l, .want = want};
	struct conn *c;

	if (!cp || !l || (want->tp != SIP_TRANSP_TCP &&
			  want->tp != SIP_TRANSP_TLS))
		return EPROTONOSUPPORT;
	if (want->tp == SIP_TRANSP_TLS && (!tls_of(l, want) ||
					   !want->domain || !*want->domain))
		return EPROTONOSUPPORT;

	c = list_ledata(hash_lookup(l->stack->conns->peers,
				    sa_hash(&want->dst, SA_ALL), seek_h, &s));
	if (c) {
		*cp = c;
		return 0;
	}

	return conn_open(cp, l, want);
}


int conn_accepted(struct leg *l, enum sip_transp tp, int fd,
		  const struct sa *peer)
{
	struct conn *c = NULL;
	int err;

	if (l->stack->conns->incoming >= INCOMING_MAX) {
		log_debug("a connection too many");
		(void)close(fd);
		return EUSERS;
	}

	err = conn_new(&c, l, tp, peer, true);
	if (err) {
		(void)close(fd);
		return err;
	}

	c->fd = fd;
	sock_tune(fd);

	err = sock_local(fd, &c->laddr);
	if (!err && tp == SIP_TRANSP_TLS)
		err = tlspipe_alloc(&c->pipe, l->stack->tls, NULL, NULL);
	if (!err)
		err = conn_listen(c, FD_READ);
	if (err) {
		mem_deref(c);
		return err;
	}

	conn_link(c);

	if (c->pipe) {
		c->state = CONN_SHAKING;
		conn_wait(c, CONN_WAIT_OPEN);
	}
	else {
		conn_up(c);
	}

	return 0;
}


void conn_watch(struct conn *c, struct conn_watch *w,
		void (*h)(int err, const char *why, void *arg), void *arg)
{
	w->h = h;
	w->arg = arg;
	list_append(&c->watches, &w->le, w);
}


void conn_unwatch(struct conn_watch *w)
{
	list_unlink(&w->le);
}
