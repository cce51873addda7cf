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
#include "locate.h"


enum {
	HOPS_MAX  = 16,             /* machines to look at                  */
	WAYS_MAX  = 6,              /* SRV names of NAPTR records           */
	SHARE     = 3,              /* of the time for each of two steps    */
	GRACE_MS  = 500,            /* for those behind the first           */
};

enum stage { STAGE_NAPTR, STAGE_SRV, STAGE_ADDR };

/* One question of a stage */
struct look {
	struct target_query *query;
	enum name_type type;
	char name[NAME_LEN];
	struct name_ask *ask;
	struct name_answer *answer;
	bool known;
	unsigned hop;               /* SRV: the way, ADDR: the hop          */
};

/* A machine and how to speak to it */
struct hop {
	enum sip_transp tp;
	bool named;                 /* tp cannot be another                 */
	char host[NAME_LEN];
	uint16_t port;
};

struct target_query {
	struct le le;
	struct sip_stack *stack;
	struct way way;
	struct trail *trail;        /* NULL: nobody reads it                */
	bool log;                   /* ... but the log                      */
	bool inside;                /* not on a turn of its own             */
	bool ended;
	enum stage stage;
	uint64_t due_ms;
	struct look *lookv;
	unsigned lookc, pending;
	enum sip_transp wayv[WAYS_MAX];
	struct hop hopv[HOPS_MAX];
	unsigned hopc;
	struct timer tmr;           /* the grace; the turn it ends in       */
	struct sip_result res;      /* why there is no target               */
	struct target_list tl;
	target_h *h;
	void *arg;
};

static int stage_done(struct target_query *q);


static void looks_drop(struct target_query *q)
{
	unsigned i;

	for (i = 0; i < q->lookc; i++) {
		mem_deref(q->lookv[i].ask);
		mem_deref(q->lookv[i].answer);
	}

	q->lookv = mem_deref(q->lookv);
	q->lookc = q->pending = 0;
}


static void query_end(struct target_query *q)
{
	target_h *h = q->h;

	timer_cancel(&q->tmr);
	list_unlink(&q->le);
	looks_drop(q);
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


static void finish(struct target_query *q)
{
	q->ended = true;

	dead_sort(q->stack->deads, &q->tl);
	trail_targets(q->trail, q->stack, &q->tl);
	if (!q->tl.n)
		trail_note(q->trail, "%s", q->res.reason);

	if (!q->inside)
		query_end(q);
}


/* Questions ---------------------------------------------------------------- */

static void stage_next(struct target_query *q)
{
	const int err = stage_done(q);

	if (!err)
		return;

	(void)way_fail(&q->res, SIP_CAUSE_RESOLVE, err, "%.64s: %s",
		       q->way.host, strerror(err));
	finish(q);
}


static void grace_h(void *arg)
{
	stage_next(arg);
}


static void look_h(struct name_answer *a, void *arg)
{
	struct look *lk = arg;
	struct target_query *q = lk->query;

	lk->ask = mem_deref(lk->ask);
	lk->answer = mem_ref(a);

	if (!--q->pending) {
		stage_next(q);
		return;
	}

	if (q->stage != STAGE_ADDR || a->state != NAME_FOUND)
		return;

	/* there is somewhere to go: the others get a little more time */
	if (!lk->hop)
		timer_start(&q->tmr, GRACE_MS, grace_h, q);
	else if (!timer_running(&q->tmr))
		timer_start(&q->tmr, 4 * GRACE_MS, grace_h, q);
}


/*
 * Ask what is not known. @return 0: answers come or are all there, which
 * pending tells; EAGAIN: only what is known was wanted, or too much is under
 * way
 */
static int looks_start(struct target_query *q)
{
	struct names *names = q->stack->names;
	const uint64_t now = clock_ms();
	uint64_t ms = q->due_ms > now ? q->due_ms - now : 1;
	unsigned i;

	if (q->stage != STAGE_ADDR && ms > q->stack->resolve_ms / SHARE)
		ms = q->stack->resolve_ms / SHARE;

	for (i = 0; i < q->lookc; i++) {
		struct look *lk = &q->lookv[i];
		struct name_answer *a = names_known(names, lk->type,
						    lk->name);

		if (a) {
			lk->answer = mem_ref(a);
			lk->known = true;
		}
		else if (!q->h) {
			return EAGAIN;
		}
		else {
			int err = names_ask(&lk->ask, names, lk->type,
					    lk->name, (uint32_t)ms, look_h,
					    lk);
			if (err)
				return err;
			++q->pending;
		}
	}

	return 0;
}


static int looks_alloc(struct target_query *q, enum stage stage,
		       unsigned room)
{
	looks_drop(q);
	timer_cancel(&q->tmr);
	q->stage = stage;
	q->lookv = mem_zalloc(room * sizeof(*q->lookv), NULL);

	return q->lookv ? 0 : ENOMEM;
}


static struct look *look_add(struct target_query *q, enum name_type type,
			     unsigned hop, const char *name)
{
	struct look *lk = &q->lookv[q->lookc++];

	lk->query = q;
	lk->type = type;
	lk->hop = hop;
	(void)text_copy(lk->name, sizeof(lk->name), name, strlen(name));

	return lk;
}


/* Silence that we made ourselves by not waiting longer counts as such */
static void looks_tell(struct target_query *q)
{
	unsigned i;

	for (i = 0; i < q->lookc; i++) {
		const struct look *lk = &q->lookv[i];

		if (lk->answer)
			trail_answer(q->trail, lk->name, lk->answer,
				     lk->known);
		else
			trail_note(q->trail, "%s %s: not waited for",
				   name_type_text(lk->type), lk->name);
	}
}


/* Addresses ----------------------------------------------------------------- */

/* Names that no DNS server knows anything of */
static bool is_local(const char *host)
{
	const char *dot = strrchr(host, '.');

	return !dot || !strcasecmp(dot, ".local") ||
		!strcasecmp(dot, ".localhost");
}


static void hop_add(struct target_query *q, enum sip_transp tp, bool named,
		    const char *host, uint16_t port)
{
	struct hop *hop;

	if (q->hopc == HOPS_MAX)
		return;

	hop = &q->hopv[q->hopc++];
	hop->tp = tp;
	hop->named = named;
	hop->port = port;
	(void)snprintf(hop->host, sizeof(hop->host), "%s", host);
}


static int addr_start(struct target_query *q)
{
	const bool dns = names_by_dns(q->stack->names);
	unsigned i;
	int err;

	err = looks_alloc(q, STAGE_ADDR, 2 * HOPS_MAX);
	if (err)
		return err;

	for (i = 0; i < q->hopc; i++) {
		const char *host = q->hopv[i].host;
		struct sa sa;

		if (!sa_set_str(&sa, host, 0))
			continue;

		if (dns && !is_local(host)) {
			(void)look_add(q, NAME_AAAA, i, host);
			(void)look_add(q, NAME_A, i, host);
		}
		else {
			(void)look_add(q, NAME_HOST, i, host);
		}
	}

	err = looks_start(q);

	return err ? err : q->pending ? 0 : stage_done(q);
}


/* Why there is no address at all: the worst that was said of the last one */
static void addr_none(struct target_query *q, bool unreachable)
{
	struct sip_result *res = &q->res;
	enum name_state worst = NAME_EMPTY;
	const struct look *at = NULL;
	char whose[80] = "";
	unsigned i;

	for (i = 0; i < q->lookc; i++) {
		const struct look *lk = &q->lookv[i];
		const enum name_state st = lk->answer ? lk->answer->state :
			NAME_SILENT;

		if (st >= worst) {
			worst = st;
			at = lk;
		}
	}

	if (unreachable || !at) {
		(void)way_unreachable(res, &q->way);
		return;
	}

	if (strcmp(at->name, q->way.host))
		(void)snprintf(whose, sizeof(whose), ", the server of %.50s,",
			       q->way.host);

	switch (worst) {

	case NAME_ABSENT:
		(void)way_fail(res, SIP_CAUSE_RESOLVE, ENOENT,
			       "there is no such name as %.64s%s", at->name,
			       whose);
		break;

	case NAME_SILENT:
		(void)way_fail(res, SIP_CAUSE_RESOLVE, ETIMEDOUT,
			       "no answer from the name service about "
			       "%.64s%s", at->name, whose);
		break;

	case NAME_FAILED:
		(void)way_fail(res, SIP_CAUSE_RESOLVE, EIO, "the name service"
			       " cannot tell about %.50s: %.40s", at->name,
			       at->answer ? at->answer->why : "");
		break;

	default:
		(void)way_fail(res, SIP_CAUSE_RESOLVE, ENOENT,
			       "%.64s%s has no address", at->name, whose);
		break;
	}

	for (i = (unsigned)strlen(res->reason); i &&
	     res->reason[i - 1] == ','; i--)
		res->reason[i - 1] = '\0';
}


static int addr_done(struct target_query *q)
{
	bool unreachable = false;
	unsigned i, k, m;

	looks_tell(q);

	for (i = 0; i < q->hopc; i++) {
		const struct hop *hop = &q->hopv[i];
		struct sa sa;

		if (!sa_set_str(&sa, hop->host, 0))
			unreachable |= !way_target_add(&q->tl, q->stack,
						       hop->tp, hop->named,
						       &sa, hop->port);

		for (k = 0; k < q->lookc; k++) {
			const struct look *lk = &q->lookv[k];

			for (m = 0; lk->hop == i && lk->answer &&
			     m < lk->answer->n; m++)
				unreachable |= !way_target_add(&q->tl,
					q->stack, hop->tp, hop->named,
					&lk->answer->v[m].u.addr, hop->port);
		}
	}

	if (!q->tl.n)
		addr_none(q, unreachable);

	finish(q);

	return 0;
}


/* SRV ---------------------------------------------------------------------- */

static uint32_t srv_rand_h(void *arg)
{
	return names_rand(arg);
}


static void srv_take(struct target_query *q, const struct look *lk)
{
	const struct name_answer *a = lk->answer;
	const enum sip_transp tp = q->wayv[lk->hop];
	unsigned order[NAME_RECS_MAX], i;

	order_srv(order, a->v, a->n, srv_rand_h, q->stack->names);

	for (i = 0; i < a->n; i++) {
		const struct name_srv *srv = &a->v[order[i]].u.srv;

		if (*srv->target)
			hop_add(q, tp, q->way.tp_named, srv->target,
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


static int srv_done(struct target_query *q)
{
	enum sip_transp denied = SIP_TRANSP_NONE;
	unsigned i, found = 0;

	looks_tell(q);

	for (i = 0; i < q->lookc; i++) {
		const struct look *lk = &q->lookv[i];

		if (srv_denied(lk->answer))
			denied = q->wayv[lk->hop];
		else if (lk->answer && lk->answer->n)
			found += lk->answer->n;
	}

	if (!found && denied != SIP_TRANSP_NONE) {
		(void)way_fail(&q->res, SIP_CAUSE_RESOLVE, ENOENT,
			       "%.64s has no SIP service over %s", q->way.host,
			       sip_transp_name(denied));
		finish(q);
		return 0;
	}

	for (i = 0; i < q->lookc; i++) {
		if (q->lookv[i].answer && q->lookv[i].answer->n &&
		    !srv_denied(q->lookv[i].answer))
			srv_take(q, &q->lookv[i]);
	}

	if (!q->hopc) {
		const uint16_t port = way_port(q->way.tp);

		trail_note(q->trail, "no SRV record: the addresses of %s, "
			   "port %u, %s", q->way.host, port,
			   sip_transp_name(q->way.tp));
		hop_add(q, q->way.tp, q->way.tp_named, q->way.host, port);
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

		q->wayv[q->lookc] = v[i].tp;
		(void)look_add(q, NAME_SRV, q->lookc, name);
	}
}


static int srv_run(struct target_query *q)
{
	int err = looks_start(q);

	return err ? err : q->pending ? 0 : stage_done(q);
}


static int srv_start(struct target_query *q)
{
	int err = looks_alloc(q, STAGE_SRV, WAYS_MAX);

	if (err)
		return err;

	srv_usual(q);

	return srv_run(q);
}


/* NAPTR -------------------------------------------------------------------- */

static bool usable_h(enum sip_transp tp, void *arg)
{
	const struct target_query *q = arg;

	if (q->way.secure && tp != SIP_TRANSP_TLS)
		return false;

	return way_speaks(q->stack, tp);
}


static int naptr_done(struct target_query *q)
{
	struct name_answer *a = mem_ref(q->lookv[0].answer);
	unsigned order[NAME_RECS_MAX], n, i;
	int err;

	looks_tell(q);

	n = order_naptr(order, a->v, a->n, usable_h, q);
	if (!n) {
		if (a->n)
			trail_note(q->trail, "none of them is for us");
		err = srv_start(q);
		goto out;
	}

	err = looks_alloc(q, STAGE_SRV, WAYS_MAX);
	if (err)
		goto out;

	for (i = 0; i < n && i < WAYS_MAX; i++) {
		const struct name_naptr *na = &a->v[order[i]].u.naptr;

		(void)order_naptr_service(&q->wayv[i], na->service);
		(void)look_add(q, NAME_SRV, i, na->replace);
		trail_note(q->trail, "%s %s by %s",
			   i ? "then" : "first",
			   sip_transp_name(q->wayv[i]), na->replace);
	}

	/* without SRV behind them the first one tells the transport */
	if (!q->way.tp_named)
		q->way.tp = q->wayv[0];

	err = srv_run(q);

 out:
	mem_deref(a);

	return err;
}


static int naptr_start(struct target_query *q)
{
	int err = looks_alloc(q, STAGE_NAPTR, 1);

	if (err)
		return err;

	(void)look_add(q, NAME_NAPTR, 0, q->way.host);
	err = looks_start(q);

	return err ? err : q->pending ? 0 : stage_done(q);
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
		finish(q);
		return 0;
	}

	if (sa_isset(&w->addr, SA_ADDR)) {
		trail_note(q->trail, "a numeric address, port %u: %s",
			   sa_port(&w->addr), sip_transp_name(w->tp));
		if (!way_target_add(&q->tl, q->stack, w->tp, w->tp_named,
				    &w->addr, sa_port(&w->addr)))
			(void)way_unreachable(&q->res, w);
		finish(q);
		return 0;
	}

	if (!name_ok(w->host)) {
		(void)way_fail(&q->res, SIP_CAUSE_RESOLVE, EINVAL,
			       "%.64s is no name a host can have", w->host);
		finish(q);
		return 0;
	}

	if (w->port || is_local(w->host)) {
		const uint16_t port = w->port ? w->port : way_port(w->tp);

		trail_note(q->trail, w->port ? "port %u is given: no SRV, %s" :
			   "a local name: no SRV, port %u, %s", port,
			   sip_transp_name(w->tp));
		hop_add(q, w->tp, w->tp_named, w->host, port);
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
	looks_drop(q);
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

	q->log = log_get_level() >= LOGL_DEBUG;
	if (trail || q->log) {
		err = trail_alloc(&q->trail);
		if (err)
			goto out;
	}

	trail_note(q->trail, "%s%s%s", hop_uri, transport && *transport ?
		   " over " : "", transport ? transport : "");

	if (way_parse(&q->way, hop_uri, transport, &q->res))
		finish(q);
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
		looks_drop(q);
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

	err = find(&l->query, s, conf->route && *conf->route ? conf->route :
		   conf->uri, conf->transport, true, located_h, l);
	if (err)
		mem_deref(l);
	else
		*lp = l;

	return err;
}
