/**
 * @file sip/filter.c  What strangers may send
 *
 * Before anything is made of a request outside of dialogs: an address that is
 * no server of ours may send only so much, an account may want requests from
 * its own servers alone, or that the sender proves who he is.  Requests that
 * belong to a dialog have passed already.  Main thread.
 */
#include <offhook/random.h>
#include "filter.h"
#include "registration.h"


enum { RETRY_S = 60 };


static struct filter *filter_get(struct sip_stack *s)
{
	if (!s->filter)
		s->filter = mem_zalloc(sizeof(*s->filter), NULL);
	if (s->filter && !s->filter->buckets.key)
		s->filter->buckets.key = random_u64() | 1;

	return s->filter;
}


int sip_stack_limit(struct sip_stack *s, unsigned per_min)
{
	struct filter *f = s ? filter_get(s) : NULL;

	if (!f)
		return s ? ENOMEM : EINVAL;

	f->per_min = per_min;

	return 0;
}


static bool is_loopback(const struct sa *sa)
{
	return sa_af(sa) == AF_INET ? sa_in(sa) >> 24 == 127 :
		sa_is_loopback(sa);
}


const struct sip_ident *filter_ident(const struct sip_stack *s,
				     const struct sa *addr)
{
	struct le *le;

	for (le = list_head(&s->regs); le; le = le->next) {
		const struct sip_reg *r = le->data;

		if (ident_serves(r->id, addr))
			return r->id;
	}

	return NULL;
}


bool filter_server(const struct sip_stack *s, const struct sa *addr)
{
	return filter_ident(s, addr) != NULL;
}


/* What is too much is answered once, then dropped: an answer to each would
 * only double it */
static bool too_much(struct leg *l, const struct sip_msg *msg)
{
	struct filter *f = l->stack->filter;
	char line[40];

	if (!f || !f->per_min || is_loopback(&msg->src) ||
	    filter_server(l->stack, &msg->src))
		return false;

	switch (bucket_take(&f->buckets, &msg->src, f->per_min,
			    clock_ms())) {

	case BUCKET_FINE:
		return false;

	case BUCKET_FIRST_OVER:
		(void)snprintf(line, sizeof(line), "Retry-After: %u\r\n",
			       RETRY_S);
		(void)stack_reply(l, msg, 503, NULL, line);
		log_info("too many requests from one address: dropped");
		break;

	default:
		break;
	}

	++l->stack->stats.refused;

	return true;
}


static bool refuse(struct leg *l, const struct sip_msg *msg, uint16_t code,
		   const char *lines)
{
	++l->stack->stats.refused;
	(void)stack_reply(l, msg, code, NULL, lines);

	return true;
}


/* Those that ring, write, or want to hear from us */
static bool is_personal(const struct sip_msg *msg)
{
	static const char *const v[] = {
		"INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH",
	};
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		if (!pl_strcmp(&msg->met, v[i]))
			return true;
	}

	return false;
}


static bool unproven(struct leg *l, const struct sip_msg *msg,
		     const struct sip_guard *g)
{
	struct filter *f = filter_get(l->stack);
	const uint64_t now = clock_ms();
	enum auth_verdict v;
	char *lines = NULL;

	if (!f)
		return refuse(l, msg, 500, NULL);

	v = auth_check(&f->nonces, msg, g->creds, g->realm, now);
	if (v == AUTH_GOOD)
		return false;

	if (auth_challenge(&lines, &f->nonces, g->creds, g->realm, msg,
			   v == AUTH_STALE, now)) {
		(void)refuse(l, msg, 500, NULL);
	}
	else {
		if (v == AUTH_WRONG)
			log_info("a sender could not prove who he is");
		(void)refuse(l, msg, 401, lines);
	}
	mem_deref(lines);

	return true;
}


bool filter_request(struct leg *l, const struct sip_msg *msg)
{
	struct sip_stack *s = l->stack;
	struct sip_guard g;
	struct sip_info in;

	if (too_much(l, msg))
		return true;

	if (!s->h.guard_h || !is_personal(msg))
		return false;

	memset(&g, 0, sizeof(g));
	sip_info_fill(&in, msg);
	s->h.guard_h(&in, &g, s->arg);

	if (g.origin && !ident_serves(g.ident, &msg->src))
		return refuse(l, msg, 403, NULL);
	if (g.status)
		return refuse(l, msg, g.status, NULL);

	return g.creds && unproven(l, msg, &g);
}
