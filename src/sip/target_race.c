/**
 * @file sip/target_race.c  The same server by IPv6 and by IPv4
 *
 * Main thread.  A connection that does not come up costs seconds, and where
 * one family leads nowhere the other one does as a rule.  So when a name has
 * led to both, the first gets a head start, then the other is connected to as
 * well, and which is there first is used (RFC 8305, RFC 6555 of old).  That is
 * found out before anything is written: what an offer says of our address must
 * fit the way.  The slower one counts as dead for a while, so that others go
 * the same way.  Over UDP only silence tells that nobody is there: not here.
 */
#include "locate.h"
#include "conn.h"


enum {
	HEAD_START = 2,             /* T1 divided by it: 250 ms, RFC 8305 5  */
	PATIENCE   = 10,            /* T1: with an address, as request_try.c */
	LOOK_MIN_MS = 2,
	LOOK_MAX_MS = 32,
};

struct target_race {
	struct le le;
	struct sip_stack *stack;    /* NULL: gone                            */
	struct target_list tl;
	struct sip_tls *tls;
	char *domain;
	struct timer tmr;
	uint64_t began_ms;
	uint32_t look_ms;
	bool both;                  /* the second has begun, too             */
	target_race_h *h;
	void *arg;
};


static void race_destructor(void *arg)
{
	struct target_race *r = arg;

	timer_cancel(&r->tmr);
	list_unlink(&r->le);
	mem_deref(r->tls);
	mem_deref(r->domain);
}


static bool rivals(const struct target *a, const struct target *b)
{
	return a->tp == b->tp && a->tp != SIP_TRANSP_UDP &&
		!a->flow_only && !b->flow_only &&
		sa_af(&a->dst) != sa_af(&b->dst) &&
		sa_port(&a->dst) == sa_port(&b->dst);
}


static struct conn *conn_of(const struct target_race *r, unsigned i)
{
	return conn_find(r->stack, r->tl.v[i].flow);
}


/* @return false: not (yet), or not any more */
static bool is_there(const struct conn *c)
{
	return c && (c->state == CONN_SHAKING || c->state == CONN_UP);
}


/* Somebody else may wait for it; else it is of no use */
static void let_go(struct conn *c)
{
	if (c && c->state == CONN_OPENING && !c->watches.head &&
	    !c->queue.head)
		conn_end(c, ETIMEDOUT, "the other family is faster");
}


static void second_won(struct target_race *r)
{
	struct target *tg = r->tl.v;
	const struct target slow = tg[0];

	dead_mark(r->stack->deads, slow.tp, &slow.dst, 0,
		  "the other family is faster");
	let_go(conn_of(r, 0));
	tg[0] = tg[1];
	tg[1] = slow;
	tg[1].flow = 0;
}


static void done(struct target_race *r)
{
	timer_cancel(&r->tmr);
	list_unlink(&r->le);
	r->h(&r->tl, r->arg);
}


static void look_h(void *arg)
{
	struct target_race *r = arg;
	const struct conn *c = conn_of(r, 0), *other;
	const uint32_t t1 = stack_t1(r->stack);
	const uint64_t ms = clock_ms() - r->began_ms;

	if (is_there(c)) {
		if (r->both)
			let_go(conn_of(r, 1));
		done(r);
		return;
	}

	if (!r->both && (!c || ms >= t1 / HEAD_START)) {
		r->both = true;
		if (target_open(&r->tl.v[1], r->tls, r->domain))
			r->tl.v[1].flow = 0;
	}

	other = r->both ? conn_of(r, 1) : NULL;
	if (is_there(other))
		second_won(r);

	/* both fail: whoever asks goes through them, and tells why */
	if (is_there(other) || (r->both && !c && !other) ||
	    ms >= (uint64_t)PATIENCE * t1) {
		done(r);
		return;
	}

	if (r->look_ms < LOOK_MAX_MS)
		r->look_ms *= 2;
	timer_start(&r->tmr, r->look_ms, look_h, r);
}


int target_race(struct target_race **rp, struct sip_stack *s,
		const struct target_list *tl, struct sip_tls *tls,
		const char *domain, target_race_h *h, void *arg)
{
	struct target_race *r;
	int err;

	if (!rp || !s || !tl || !h)
		return EINVAL;

	if (tl->n < 2 || !rivals(&tl->v[0], &tl->v[1]) ||
	    dead_is(s->deads, tl->v[1].tp, &tl->v[1].dst, NULL, NULL))
		return ENOENT;

	r = mem_zalloc(sizeof(*r), race_destructor);
	if (!r)
		return ENOMEM;

	r->stack = s;
	r->tl = *tl;
	r->tls = mem_ref(tls);
	r->began_ms = clock_ms();
	r->look_ms = LOOK_MIN_MS;
	r->h = h;
	r->arg = arg;
	err = domain ? str_dup(&r->domain, domain) : 0;

	/* there is one, or it cannot be had: nothing to wait for */
	if (!err && (target_open(&r->tl.v[0], tls, domain) ||
		     is_there(conn_of(r, 0))))
		err = ENOENT;
	if (err) {
		mem_deref(r);
		return err;
	}

	timer_start(&r->tmr, r->look_ms, look_h, r);
	list_append(&s->races, &r->le, r);
	*rp = r;

	return 0;
}


void target_races_gone(struct sip_stack *s)
{
	struct target_race *r;

	while ((r = list_ledata(list_head(&s->races)))) {

		timer_cancel(&r->tmr);
		list_unlink(&r->le);
		r->stack = NULL;
		r->tls = mem_deref(r->tls);
	}
}
