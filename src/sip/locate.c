/**
 * @file sip/locate.c  From a name to addresses, RFC 3263 4
 *
 * Main thread.  NAPTR says which transports there are, SRV which machines and
 * ports, A and AAAA where they are; each step is left out when the URI says it
 * already.  A step that gets no answer in its share of the time counts as one
 * without records: name services that drop what they do not know are many, and
 * the address may be had all the same.  What has been asked lately is known and
 * costs no turn of the loop.  A query belongs to who asked.
 */
#include "ident.h"
#include "locate.h"


enum {
	WAYS_MAX = 6,               /* SRV names of NAPTR records           */
	SHARE    = 3,               /* of the time for each of two steps    */
};

enum stage { STAGE_NAPTR, STAGE_SRV, STAGE_ADDR };

struct target_query {
	struct le le;
	struct sip_stack *stack;
	struct way way;
	struct trail *trail;        /* NULL: nobody reads it                */
	bool log;                   /* ... but the log                      */
	bool inside;                /* not on a turn of its own             */
	bool ended;
	enum stage stage;
	struct looks looks;         /* of the stage                         */
	struct name_answer *naptr;  /* NULL: there are none                 */
	int naptr_order;            /* that was looked at last, -1: none    */
	enum sip_transp wayv[WAYS_MAX];  /* of SRV questions, by group      */
	struct hops hops;
	uint64_t due_ms;
	struct timer tmr;           /* the turn it ends in                  */
	struct sip_result res;      /* why there is no target               */
	struct target_list tl;
	target_h *h;
	void *arg;
};

static int stage_done(struct target_query *q);


static void query_end(struct target_query *q)
{
	target_h *h = q->h;

	timer_cancel(&q->tmr);
	list_unlink(&q->le);
	looks_reset(&q->looks);
	q->h = NULL;

	if (q->log)
		trail_log(q->trail);

	/* the owner may let go inside */
	mem_ref(q);
	if (h)
		h(q->tl.n ? NULL : &q->res, q->tl.n ? &q->tl : NULL, q->arg);
	mem_deref(q);
}


static void end_h(void *arg)
{
	query_end(arg);
}


static int finish(struct target_query *q)
{
	q->ended = true;

	dead_sort(q->stack->deads, &q->tl);
	trail_targets(q->trail, q->stack, &q->tl);
	if (!q->tl.n)
		trail_note(q->trail, "%s", q->res.reason);

	if (!q->inside)
		query_end(q);

	return 0;
}


static void answered_h(void *arg)
{
	struct target_query *q = arg;
	const int err = stage_done(q);

	if (!err)
		return;

	(void)way_fail(&q->res, SIP_CAUSE_RESOLVE, err, "%.64s: %s",
		       q->way.host, strerror(err));
	(void)finish(q);
}


/* Ask what is not known, and go on if that was nothing */
static int stage_run(struct target_query *q, enum stage stage)
{
	const uint64_t now = clock_ms();
	uint64_t ms = q->due_ms > now ? q->due_ms - now : 1;
	int err;

	if (stage != STAGE_ADDR && ms > q->stack->resolve_ms / SHARE)
		ms = q->stack->resolve_ms / SHARE;

	q->stage = stage;
	err = looks_start(&q->looks, q->h != NULL, (uint32_t)ms, answered_h,
			  q);

	return err ? err : q->looks.pending ? 0 : stage_done(q);
}


/* Addresses ----------------------------------------------------------------- */

static int addr_start(struct target_query *q)
{
	const int err = hops_ask(&q->hops, &q->looks, q->stack);

	return err ? err : stage_run(q, STAGE_ADDR);
}


static int addr_done(struct target_query *q)
{
	looks_tell(&q->looks, q->trail);
	hops_take(&q->hops, &q->looks, &q->way, &q->tl, &q->res);

	return finish(q);
}


/* SRV ---------------------------------------------------------------------- */

static uint32_t srv_rand_h(void *arg)
{
	return names_rand(arg);
}


static void srv_take(struct target_query *q, const struct look *lk)
{
	const struct name_answer *a = lk->answer;
	const enum sip_transp tp = q->wayv[lk->group];
	unsigned order[NAME_RECS_MAX], i;

	order_srv(order, a->v, a->n, srv_rand_h, q->stack->names);

	for (i = 0; i < a->n; i++) {
		const struct name_srv *srv = &a->v[order[i]].u.srv;

		if (*srv->target)
			hop_add(&q->hops, tp, q->way.tp_named, srv->target,
				srv->port);
	}

	if (a->n > 1)
		trail_note(q->trail, "%s: first %s:%u, by priority and, where"
			   " equal, by weight and chance",
			   sip_transp_name(tp), a->v[order[0]].u.srv.target,
			   a->v[order[0]].u.srv.port);
}


/* RFC 2782: one record with the target "." says that there is no service */
static bool srv_denied(const struct name_answer *a)
{
	return a && a->n == 1 && !*a->v[0].u.srv.target;
}


static int naptr_next(struct target_query *q, bool *more);


static int srv_done(struct target_query *q)
{
	enum sip_transp denied = SIP_TRANSP_NONE;
	unsigned i, found = 0;

	looks_tell(&q->looks, q->trail);

	for (i = 0; i < q->looks.n; i++) {
		const struct look *lk = &q->looks.v[i];

		if (srv_denied(lk->answer))
			denied = q->wayv[lk->group];
		else if (lk->answer && lk->answer->n)
			found += lk->answer->n;
	}

	if (!found && q->naptr) {
		bool more = false;
		const int err = naptr_next(q, &more);

		if (more || err)
			return err;
	}

	if (!found && denied != SIP_TRANSP_NONE) {
		(void)way_fail(&q->res, SIP_CAUSE_RESOLVE, ENOENT,
			       "%.64s has no SIP service over %s", q->way.host,
			       sip_transp_name(denied));
		return finish(q);
	}

	for (i = 0; i < q->looks.n; i++) {
		if (q->looks.v[i].answer && q->looks.v[i].answer->n &&
		    !srv_denied(q->looks.v[i].answer))
			srv_take(q, &q->looks.v[i]);
	}

	if (!q->hops.n) {
		const uint16_t port = way_port(q->way.tp);

		trail_note(q->trail, "no SRV record: the addresses of %s, "
			   "port %u, %s", q->way.host, port,
			   sip_transp_name(q->way.tp));
		hop_add(&q->hops, q->way.tp, q->way.tp_named, q->way.host, port);
	}

	return addr_start(q);
}


/* What to ask for when no NAPTR says so */
static void srv_usual(struct target_query *q)
{
	static const struct {
		enum sip_transp tp;
		const char *prefix;
	} v[] = {
		{SIP_TRANSP_UDP, "_sip._udp"},
		{SIP_TRANSP_TCP, "_sip._tcp"},
		{SIP_TRANSP_TLS, "_sips._tcp"},
	};
	const struct way *w = &q->way;
	unsigned i;

	for (i = 0; i < COUNTOF(v); i++) {
		char name[NAME_LEN + 16];

		/* without being told, TLS is for sips: only */
		if (w->tp_named ? w->tp != v[i].tp :
		    v[i].tp == SIP_TRANSP_TLS)
			continue;
		if (!way_speaks(q->stack, v[i].tp))
			continue;

		(void)snprintf(name, sizeof(name), "%s.%s", v[i].prefix,
			       w->host);
		if (!name_ok(name))
			continue;            /* too long by now */

		q->wayv[q->looks.n] = v[i].tp;
		looks_add(&q->looks, NAME_SRV, q->looks.n, name);
	}
}


static int srv_start(struct target_query *q)
{
	const int err = looks_alloc(&q->looks, q->stack, WAYS_MAX);

	if (err)
		return err;

	srv_usual(q);

	return stage_run(q, STAGE_SRV);
}


/* NAPTR -------------------------------------------------------------------- */

static bool usable_h(enum sip_transp tp, void *arg)
{
	const struct target_query *q = arg;

	if (q->way.secure && tp != SIP_TRANSP_TLS)
		return false;

	return way_speaks(q->stack, tp);
}


/* Those of the next order. more: there are some, and they are looked up */
static int naptr_next(struct target_query *q, bool *more)
{
	const struct name_answer *a = q->naptr;
	const bool first = q->naptr_order < 0;
	unsigned order[NAME_RECS_MAX], n, i;
	int err;

	n = order_naptr(order, a->v, a->n, q->naptr_order, usable_h, q);
	*more = n > 0;
	if (!n)
		return 0;

	if (!first)
		trail_note(q->trail, "nothing is there: the next order");
	q->naptr_order = a->v[order[0]].u.naptr.order;

	err = looks_alloc(&q->looks, q->stack, WAYS_MAX);
	if (err)
		return err;

	for (i = 0; i < n && i < WAYS_MAX; i++) {
		const struct name_naptr *na = &a->v[order[i]].u.naptr;

		(void)order_naptr_service(&q->wayv[i], na->service);
		looks_add(&q->looks, NAME_SRV, i, na->replace);
		trail_note(q->trail, "%s %s by %s",
			   i ? "then" : "first",
			   sip_transp_name(q->wayv[i]), na->replace);
	}

	/* without SRV behind any of them the first one tells the transport */
	if (first && !q->way.tp_named)
		q->way.tp = q->wayv[0];

	return stage_run(q, STAGE_SRV);
}


static int naptr_done(struct target_query *q)
{
	bool more;
	int err;

	q->naptr = mem_ref(q->looks.v[0].answer);
	looks_tell(&q->looks, q->trail);

	err = naptr_next(q, &more);
	if (more || err)
		return err;

	if (q->naptr->n)
		trail_note(q->trail, "none of them is for us");
	q->naptr = mem_deref(q->naptr);

	return srv_start(q);
}


static int naptr_start(struct target_query *q)
{
	const int err = looks_alloc(&q->looks, q->stack, 1);

	if (err)
		return err;

	looks_add(&q->looks, NAME_NAPTR, 0, q->way.host);

	return stage_run(q, STAGE_NAPTR);
}


static int stage_done(struct target_query *q)
{
	switch (q->stage) {

	case STAGE_NAPTR: return naptr_done(q);
	case STAGE_SRV:   return srv_done(q);
	default:          return addr_done(q);
	}
}


/* The whole --------------------------------------------------------------- */

static int query_run(struct target_query *q)
{
	const struct way *w = &q->way;

	if (!way_speaks(q->stack, w->tp) &&
	    (w->tp_named || !way_speaks(q->stack, SIP_TRANSP_TCP))) {
		(void)way_fail(&q->res, SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
			       "%s is not spoken here: nothing listens for it",
			       sip_transp_name(w->tp));
		return finish(q);
	}

	if (sa_isset(&w->addr, SA_ADDR)) {
		trail_note(q->trail, "a numeric address, port %u: %s",
			   sa_port(&w->addr), sip_transp_name(w->tp));
		if (!way_target_add(&q->tl, q->stack, w->tp, w->tp_named,
				    &w->addr, sa_port(&w->addr)))
			(void)way_unreachable(&q->res, w);
		return finish(q);
	}

	if (!name_ok(w->host)) {
		(void)way_fail(&q->res, SIP_CAUSE_RESOLVE, EINVAL,
			       "%.64s is no name a host can have", w->host);
		return finish(q);
	}

	if (w->port || hop_is_local(w->host)) {
		const uint16_t port = w->port ? w->port : way_port(w->tp);

		trail_note(q->trail, w->port ? "port %u is given: no SRV, %s" :
			   "a local name: no SRV, port %u, %s", port,
			   sip_transp_name(w->tp));
		hop_add(&q->hops, w->tp, w->tp_named, w->host, port);
		return addr_start(q);
	}

	if (w->tp_named && !w->secure) {
		trail_note(q->trail, "%s is given: no NAPTR",
			   sip_transp_name(w->tp));
		return srv_start(q);
	}

	return naptr_start(q);
}


static void query_destructor(void *arg)
{
	struct target_query *q = arg;

	timer_cancel(&q->tmr);
	list_unlink(&q->le);
	looks_reset(&q->looks);
	mem_deref(q->naptr);
	mem_deref(q->trail);
}


static int query_alloc(struct target_query **qp, struct sip_stack *s,
		       target_h *h, void *arg)
{
	struct target_query *q;

	q = mem_zalloc(sizeof(*q), query_destructor);
	if (!q)
		return ENOMEM;

	q->stack = s;
	q->naptr_order = -1;
	q->h = h;
	q->arg = arg;
	q->due_ms = clock_ms() + s->resolve_ms;
	q->inside = true;

	*qp = q;

	return 0;
}


int target_numeric(struct target_list *tl, struct sip_stack *s,
		   const char *hop_uri, const char *transport,
		   struct sip_result *res)
{
	struct target_query *q = NULL;
	struct way w;
	int err;

	err = way_parse(&w, hop_uri, transport, res);
	if (err)
		return err;

	err = query_alloc(&q, s, NULL, NULL);
	if (err)
		return way_fail(res, SIP_CAUSE_LOCAL, err, "%s",
				strerror(err));

	q->way = w;

	if (query_run(q) || !q->ended) {
		err = ENOENT;
	}
	else if (q->tl.n) {
		*tl = q->tl;
	}
	else {
		*res = q->res;
		err = res->err == ENOENT ? EHOSTUNREACH : res->err;
	}

	mem_deref(q);

	return err;
}


static int find(struct target_query **qp, struct sip_stack *s,
		const char *hop_uri, const char *transport, bool trail,
		target_h *h, void *arg)
{
	struct target_query *q;
	int err;

	err = query_alloc(&q, s, h, arg);
	if (err)
		return err;

	q->log = log_wanted(LOG_MODULE, LOGL_DEBUG);
	if (trail || q->log) {
		err = trail_alloc(&q->trail);
		if (err)
			goto out;
	}

	trail_note(q->trail, "%s%s%s", hop_uri, transport && *transport ?
		   " over " : "", transport ? transport : "");

	if (way_parse(&q->way, hop_uri, transport, &q->res))
		err = finish(q);
	else
		err = query_run(q);

 out:
	if (err) {
		mem_deref(q);
		return err;
	}

	q->inside = false;
	if (q->ended)
		timer_start(&q->tmr, 0, end_h, q);

	list_append(&s->queries, &q->le, q);
	*qp = q;

	return 0;
}


int target_find(struct target_query **qp, struct sip_stack *s,
		const char *hop_uri, const char *transport, target_h *h,
		void *arg)
{
	if (!qp || !s || !hop_uri || !h)
		return EINVAL;

	return find(qp, s, hop_uri, transport, false, h, arg);
}


void target_stack_gone(struct sip_stack *s)
{
	struct target_query *q;

	while ((q = list_ledata(list_head(&s->queries)))) {

		timer_cancel(&q->tmr);
		list_unlink(&q->le);
		looks_reset(&q->looks);
		q->h = NULL;
	}
}


/* For those who want to see it ---------------------------------------------- */

struct sip_locate {
	struct target_query *query;
	sip_locate_h *h;
	void *arg;
};


static void located_h(const struct sip_result *err,
		      const struct target_list *tl, void *arg)
{
	struct sip_locate *l = arg;
	(void)tl;

	l->h(err, trail_steps(l->query->trail), l->arg);
}


static void locate_destructor(void *arg)
{
	struct sip_locate *l = arg;

	mem_deref(l->query);
}


int sip_locate(struct sip_locate **lp, struct sip_stack *s,
	       const struct sip_locate_conf *conf, sip_locate_h *h, void *arg)
{
	struct sip_locate *l;
	char *hop = NULL;
	int err;

	if (!lp || !s || !conf || !conf->uri || !h)
		return EINVAL;

	l = mem_zalloc(sizeof(*l), locate_destructor);
	if (!l)
		return ENOMEM;

	l->h = h;
	l->arg = arg;

	if (conf->fresh)
		names_forget(s->names);

	err = target_hop(&hop, conf->uri,
			 sip_ident_hop(conf->ident, conf->uri));
	if (!err)
		err = find(&l->query, s, hop, conf->transport ?
			   conf->transport : ident_transport(conf->ident),
			   true, located_h, l);
	mem_deref(hop);
	if (err)
		mem_deref(l);
	else
		*lp = l;

	return err;
}
