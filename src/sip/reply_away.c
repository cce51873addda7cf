/**
 * @file sip/reply_away.c  A response whose way back is gone
 *
 * The connection that a request came by has ended before its answer: a new one
 * is made to the address that it came from, at the port where the sender
 * listens (RFC 3261 18.2.2), and when that fails to where the name in its Via
 * leads (RFC 3263 5).  The latter only for servers of ours: a stranger's Via
 * names whom he likes, and we would knock there for him.  TLS has the name
 * alone to be known by, so there is no other way.  Main thread.
 */
#include "conn.h"
#include "filter.h"
#include "ident.h"


enum {
	AWAYS_MAX = 32,
	LOOK_MS   = 100,            /* is the connection up?               */
	OPEN_MS   = 5000,           /* ... it has so long                  */
};

struct away {
	struct le le;               /* stack->aways                        */
	struct sip_stack *stack;
	enum sip_transp tp;
	char *hop, *domain;         /* hop NULL: there is no name          */
	struct sip_tls *tls;        /* of whose server it is; NULL: ours   */
	struct mbuf *mb;
	struct target_query *query;
	struct target_list tl;
	unsigned next;
	uint64_t conn;              /* under way                           */
	uint64_t until_ms;
	struct timer tmr;
};


static void away_destructor(void *arg)
{
	struct away *a = arg;

	timer_cancel(&a->tmr);
	list_unlink(&a->le);
	mem_deref(a->query);
	mem_deref(a->mb);
	mem_deref(a->hop);
	mem_deref(a->domain);
	mem_deref(a->tls);
}


/* @return false: it has none */
static bool sentby_find(struct pl *sentby, const struct mbuf *mb)
{
	struct pl rest = {(const char *)mb->buf, mb->end}, val;
	struct sip_via via;

	/* lines of ours, made from a message that was parsed */
	while (rest.l) {
		const char *nl = memchr(rest.p, '\n', rest.l);
		const size_t n = nl ? (size_t)(nl - rest.p) + 1 : rest.l;
		const char *colon = memchr(rest.p, ':', n);

		if (n <= 2)
			return false;
		if (colon) {
			size_t l = (size_t)(colon - rest.p);

			while (l && (rest.p[l - 1] == ' ' ||
				     rest.p[l - 1] == '\t'))
				--l;
			if (text_caseeq(rest.p, l, "Via") ||
			    text_caseeq(rest.p, l, "v")) {
				val.p = colon + 1;
				val.l = (size_t)(rest.p + n - val.p);
				while (val.l && (*val.p == ' ' ||
						 *val.p == '\t'))
					pl_advance(&val, 1);
				if (sip_via_decode(&via, &val))
					return false;
				*sentby = via.sentby;
				return pl_isset(sentby);
			}
		}
		pl_advance(&rest, (ssize_t)n);
	}

	return false;
}


static int name_take(struct away *a, const struct mbuf *mb)
{
	const bool tls = a->tp == SIP_TRANSP_TLS;
	struct pl sentby;
	int err;

	if (!sentby_find(&sentby, mb))
		return ENOENT;

	err = re_sdprintf(&a->hop, "sip%s:%r", tls ? "s" : "", &sentby);
	if (!err && tls) {
		char name[256];

		err = target_domain(name, sizeof(name), a->hop);
		if (!err)
			err = str_dup(&a->domain, name);
	}

	return err;
}


static void look_h(void *arg);


/* @return false: nobody is left */
static bool go_on(struct away *a)
{
	while (a->next < a->tl.n) {
		struct target *tg = &a->tl.v[a->next++];

		if (tg->tp != a->tp || target_open(tg, a->tls, a->domain))
			continue;

		a->mb->pos = 0;
		if (target_send(tg, a->mb))
			continue;

		a->conn = tg->flow;
		a->until_ms = clock_ms() + OPEN_MS;
		timer_start(&a->tmr, LOOK_MS, look_h, a);
		return true;
	}

	return false;
}


static void found_h(const struct sip_result *err,
		    const struct target_list *tl, void *arg)
{
	struct away *a = arg;

	a->query = mem_deref(a->query);
	a->next = 0;
	a->tl.n = 0;
	if (!err)
		a->tl = *tl;

	if (!go_on(a)) {
		log_debug("a response finds nobody");
		mem_deref(a);
	}
}


/* The next address, or where the name leads. @return false: neither */
static bool another(struct away *a)
{
	char *hop = a->hop;
	int err;

	if (go_on(a))
		return true;
	if (!hop)
		return false;

	a->hop = NULL;
	err = target_find(&a->query, a->stack, hop, transport_name(a->tp),
			  found_h, a);
	mem_deref(hop);

	return !err;
}


static void look_h(void *arg)
{
	struct away *a = arg;
	const struct conn *c = conn_find(a->stack, a->conn);

	if (c && c->state == CONN_UP) {
		mem_deref(a);
		return;
	}
	if (c && clock_ms() < a->until_ms)
		timer_start(&a->tmr, LOOK_MS, look_h, a);
	else if (!another(a))
		mem_deref(a);
}


int reply_away(const struct target *way, struct mbuf *mb)
{
	struct sip_stack *s = way->leg ? way->leg->stack : NULL;
	const struct sip_ident *id;
	struct away *a;
	int err = 0;

	if (!s || way->tp == SIP_TRANSP_UDP ||
	    list_count(&s->aways) >= AWAYS_MAX)
		return ENOTCONN;

	a = mem_zalloc(sizeof(*a), away_destructor);
	if (!a)
		return ENOMEM;

	a->stack = s;
	a->tp = way->tp;
	a->mb = mem_ref(mb);
	list_append(&s->aways, &a->le, a);

	/* the peer's certificate was not asked for on the connection that is
	   gone: by address one could not be told from a stranger's */
	if (way->tp == SIP_TRANSP_TCP) {
		a->tl.v[0] = *way;
		a->tl.v[0].flow = 0;
		a->tl.v[0].flow_only = false;
		a->tl.n = 1;
	}

	/* the account has its own idea of whom to trust */
	id = filter_ident(s, &way->dst);
	a->tls = mem_ref(ident_tls(id));
	if (id)
		err = name_take(a, mb);

	if (err == ENOMEM || !another(a)) {
		mem_deref(a);
		return err == ENOMEM ? err : ENOTCONN;
	}

	return 0;
}


void reply_stack_gone(struct sip_stack *s)
{
	list_flush(&s->aways);
}
