/**
 * @file sip/strans.c  Server transactions, RFC 3261 17.2 and RFC 6026
 *
 * Main thread.  A transaction is known by a keyed hash of what tells it from
 * all others, so that nothing of the request is held longer than its user
 * wants it.  It absorbs copies, repeats its last response to them, takes the
 * ACK of a refusal and answers CANCEL.  Its user holds it until the final
 * response; from then on it belongs to the stack, until its time is over.
 */
#include "conn.h"


enum { BUCKETS = 2048 };

enum state {
	TRYING,
	PROCEEDING,                 /* a 1xx went out                        */
	ACCEPTED,                   /* INVITE: 2xx; copies are absorbed      */
	COMPLETED,                  /* final; repeated to copies             */
	CONFIRMED,                  /* INVITE: the ACK came                  */
};

struct strans {
	struct le he;               /* by key                              */
	struct le me;               /* by merge                            */
	struct sip_stack *stack;    /* NULL: gone                          */
	struct leg *leg;
	uint64_t key;               /* branch, sent-by, Call-ID, From tag  */
	uint64_t merge;             /* what is alike on all ways, 8.2.2.2  */
	uint64_t tag;               /* of To                               */
	bool invite;
	bool kept;                  /* by the stack                        */
	enum state state;
	struct mbuf *mb;            /* the last response                   */
	struct target way;          /* back                                */
	uint32_t wait_ms;
	struct timer tmr;           /* the end                             */
	struct timer again;         /* Timer G                             */
	strans_cancel_h *cancel_h;
	void *arg;
};

struct stranss {
	struct hash *keys;
	struct hash *merges;
};


static uint32_t t1(const struct strans *st)
{
	return stack_trans_t1(st->stack);
}


static void table_destructor(void *arg)
{
	struct stranss *ts = arg;

	mem_deref(ts->keys);
	mem_deref(ts->merges);
}


int stranss_alloc(struct stranss **tp)
{
	struct stranss *ts = mem_zalloc(sizeof(*ts), table_destructor);
	int err;

	if (!ts)
		return ENOMEM;

	err = hash_alloc(&ts->keys, BUCKETS);
	if (!err)
		err = hash_alloc(&ts->merges, BUCKETS);

	if (err)
		mem_deref(ts);
	else
		*tp = ts;

	return err;
}


static void strans_destructor(void *arg)
{
	struct strans *st = arg;

	timer_cancel(&st->tmr);
	timer_cancel(&st->again);
	hash_unlink(&st->he);
	hash_unlink(&st->me);
	mem_deref(st->mb);
}


int strans_alloc(struct strans **stp, struct leg *l,
		 const struct sip_msg *msg, strans_cancel_h *h, void *arg)
{
	struct stranss *ts = l->stack->stranss;
	struct strans *st;

	st = mem_zalloc(sizeof(*st), strans_destructor);
	if (!st)
		return ENOMEM;

	st->stack = l->stack;
	st->leg = l;
	st->invite = !pl_strcmp(&msg->met, "INVITE");
	st->key = reply_key_of(l->stack, msg, &msg->met);
	st->merge = reply_merge_key(l->stack, msg);
	st->tag = msg->tag;
	st->cancel_h = h;
	st->arg = arg;
	reply_way(&st->way, l, msg);

	hash_append(ts->keys, (uint32_t)st->key, &st->he, st);
	hash_append(ts->merges, (uint32_t)st->merge, &st->me, st);

	*stp = st;

	return 0;
}


/* Its response, the first time or again */
static int transmit(struct strans *st)
{
	st->mb->pos = 0;

	return reply_transmit(&st->way, st->mb);
}


static void end_h(void *arg)
{
	struct strans *st = arg;

	/* whoever still holds it has nothing to do with it */
	if (st->kept)
		mem_deref(st);
}


static void again_h(void *arg)
{
	struct strans *st = arg;

	(void)transmit(st);

	st->wait_ms = st->wait_ms < SIP_T2_MS / 2 ? 2 * st->wait_ms :
		SIP_T2_MS;
	timer_start(&st->again, st->wait_ms, again_h, st);
}


/* The stack keeps it now, or it is over */
static void finish(struct strans *st, uint16_t code)
{
	const bool reliable = st->way.tp != SIP_TRANSP_UDP;

	st->kept = true;
	st->cancel_h = NULL;

	if (st->invite && code < 300) {
		/* RFC 6026: the 2xx is its user's */
		st->state = ACCEPTED;
		st->mb = mem_deref(st->mb);
	}
	else if (!st->invite && reliable) {
		mem_deref(st);
		return;
	}
	else {
		st->state = COMPLETED;
		mbuf_trim(st->mb);
		if (st->invite && !reliable) {
			st->wait_ms = t1(st);
			timer_start(&st->again, st->wait_ms, again_h, st);
		}
	}

	timer_start(&st->tmr, 64 * t1(st), end_h, st);
}


int strans_send(struct strans **stp, uint16_t code, struct mbuf *mb)
{
	struct strans *st = *stp;
	int err;

	mem_deref(st->mb);
	st->mb = mem_ref(mb);

	err = transmit(st);
	if (err) {
		*stp = mem_deref(st);
		return err;
	}

	if (code < 200) {
		st->state = PROCEEDING;
	}
	else {
		*stp = NULL;
		finish(st, code);
	}

	return 0;
}


int strans_reply(struct strans **stp, struct mbuf **mbp, struct leg *l,
		 const struct sip_msg *msg, bool rec_route, uint16_t code,
		 const char *reason, const struct mbuf *rest)
{
	struct strans *st = stp ? *stp : NULL;
	struct mbuf *mb = NULL;
	int err;

	err = reply_make(&mb, l->stack, msg, rec_route, code, reason, rest);
	if (!err && !st)
		err = strans_alloc(&st, l, msg, NULL, NULL);
	if (err) {
		if (stp)
			*stp = mem_deref(*stp);
		mem_deref(mb);
		return err;
	}

	err = strans_send(&st, code, mb);
	if (stp)
		*stp = st;
	else if (st)
		mem_deref(st);       /* a 1xx that nobody will follow up */

	if (!err && mbp)
		*mbp = mb;
	else
		mem_deref(mb);

	return err;
}


/* What comes ------------------------------------------------------------------ */



static bool key_h(struct le *le, void *arg)
{
	const struct strans *st = le->data;

	return st->key == *(const uint64_t *)arg;
}


static bool merge_h(struct le *le, void *arg)
{
	const struct strans *st = le->data;

	return st->merge == *(const uint64_t *)arg;
}


static struct strans *seek_key(const struct sip_stack *s,
			       const struct sip_msg *msg, const char *method)
{
	struct pl met = msg->met;
	uint64_t key;

	if (method)
		pl_set_str(&met, method);
	key = reply_key_of(s, msg, &met);

	return list_ledata(hash_lookup(s->stranss->keys, (uint32_t)key,
				       key_h, &key));
}


/* @return false: the ACK of a 2xx, or of nothing we know */
static bool ack_take(struct sip_stack *s, const struct sip_msg *msg)
{
	struct strans *st = seek_key(s, msg, "INVITE");

	if (!st || st->state == ACCEPTED)
		return false;

	if (st->state == COMPLETED) {
		timer_cancel(&st->again);
		if (st->way.tp != SIP_TRANSP_UDP) {
			mem_deref(st);
		}
		else {
			st->state = CONFIRMED;
			st->mb = mem_deref(st->mb);
			timer_start(&st->tmr, SIP_T4_MS, end_h, st);
		}
	}

	return true;
}


/* 9.2: 200 whatever becomes of the INVITE. @return false: there is none */
static bool cancel_take(struct leg *l, const struct sip_msg *msg)
{
	struct strans *st = seek_key(l->stack, msg, "INVITE");

	if (!st)
		return false;

	((struct sip_msg *)msg)->tag = st->tag;
	(void)stack_reply_tagged(l, msg, 200);

	if (st->state <= PROCEEDING && st->cancel_h)
		st->cancel_h(msg, st->arg);

	return true;
}


bool strans_request(struct leg *l, const struct sip_msg *msg)
{
	struct sip_stack *s = l->stack;
	struct strans *st;
	uint64_t merge;

	if (!pl_strcmp(&msg->met, "ACK"))
		return ack_take(s, msg);

	st = seek_key(s, msg, NULL);
	if (st) {
		if (st->mb && (st->state == PROCEEDING ||
			       st->state == COMPLETED))
			(void)transmit(st);
		return true;
	}

	if (!pl_isset(&msg->to.tag)) {
		merge = reply_merge_key(s, msg);
		if (hash_lookup(s->stranss->merges, (uint32_t)merge, merge_h,
				&merge)) {
			++s->stats.refused;
			(void)stack_reply(l, msg, 482, "Loop Detected", NULL);
			return true;
		}
	}

	return !pl_strcmp(&msg->met, "CANCEL") && cancel_take(l, msg);
}


static bool moved_h(struct le *le, void *arg)
{
	struct strans *st = le->data;
	struct leg *l;
	(void)arg;

	if (!st->leg->gone)
		return false;

	l = stack_leg(st->stack, &st->way.dst, st->way.tp);
	if (l)
		st->leg = st->way.leg = l;

	return false;
}


void strans_moved(struct sip_stack *s)
{
	(void)hash_apply(s->stranss->keys, moved_h, NULL);
}


static bool all_h(struct le *le, void *arg)
{
	(void)arg;

	return le->data != NULL;
}


void strans_stack_gone(struct sip_stack *s)
{
	struct le *le;

	if (!s->stranss)
		return;

	while ((le = hash_apply(s->stranss->keys, all_h, NULL))) {
		struct strans *st = le->data;

		timer_cancel(&st->tmr);
		timer_cancel(&st->again);
		hash_unlink(&st->he);
		hash_unlink(&st->me);
		st->stack = NULL;
		if (st->kept)
			mem_deref(st);
	}
}
