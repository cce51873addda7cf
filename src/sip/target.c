/**
 * @file sip/target.c  From a URI to addresses
 *
 * Main thread; only resolve_h runs on the resolver's, and touches nothing but
 * its job.  Numeric hosts are answered at once; names go to getaddrinfo on
 * the worker, and the wait for it has a bound of our own, because the
 * system's may be minutes.  A query belongs to who asked; its job belongs to
 * the worker and comes back even when nobody waits any more.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "priv.h"
#include "ident.h"


/* What the URI says about the way */
struct way {
	char host[256];
	uint16_t port;
	enum sip_transp tp;
	bool tp_named;
};

struct job {
	struct target_query *query;     /* NULL: nobody waits. Main only   */
	char host[256];
	struct sa addrv[TARGETS_MAX];
	unsigned addrc;
	int gai;                        /* of getaddrinfo                  */
	int err;                        /* errno for EAI_SYSTEM            */
};

struct target_query {
	struct le le;
	struct sip_stack *stack;
	struct way way;
	struct job *job;
	struct timer tmr;
	struct sip_result res;          /* of a numeric host               */
	struct target_list tl;
	target_h *h;
	void *arg;
};


static int fail(struct sip_result *res, enum sip_cause cause, int err,
		const char *text)
{
	memset(res, 0, sizeof(*res));
	res->cause = cause;
	res->err = err;
	(void)snprintf(res->reason, sizeof(res->reason), "%s", text);

	return err;
}


static int transp_parse(struct way *w, const char *name, size_t len,
			struct sip_result *res)
{
	w->tp_named = true;

	if (text_caseeq(name, len, "udp"))
		w->tp = SIP_TRANSP_UDP;
	else if (text_caseeq(name, len, "tcp"))
		w->tp = SIP_TRANSP_TCP;
	else
		return fail(res, SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
			    "this transport is not spoken, only udp and tcp");

	return 0;
}


static int way_parse(struct way *w, const char *uri, const char *transport,
		     struct sip_result *res)
{
	struct pl host, val;
	struct suri u;

	memset(w, 0, sizeof(*w));
	w->tp = SIP_TRANSP_UDP;

	if (suri_parse_str(&u, uri))
		return fail(res, SIP_CAUSE_LOCAL, EINVAL,
			    "the next hop is no valid URI");
	if (!u.sip || u.sips)
		return fail(res, SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
			    "only sip: is spoken");

	host = u.host;
	if (param_find(&u.params, "maddr", &val) && val.l)
		host = val;
	if (host.l > 2 && host.p[0] == '[') {
		++host.p;
		host.l -= 2;
	}

	if (text_copy(w->host, sizeof(w->host), host.p, host.l))
		return fail(res, SIP_CAUSE_RESOLVE, EINVAL,
			    "the host name is too long");

	w->port = u.port ? u.port : SIP_PORT;

	if (transport && *transport)
		return transp_parse(w, transport, strlen(transport), res);
	if (param_find(&u.params, "transport", &val))
		return transp_parse(w, val.p ? val.p : "", val.l, res);

	return 0;
}


/* Append what one of our legs can reach */
static void target_add(struct target_list *tl, const struct sip_stack *s,
		       const struct way *w, const struct sa *addr)
{
	struct target *t = &tl->v[tl->n];
	enum sip_transp tp = w->tp;
	struct leg *l;

	if (tl->n == TARGETS_MAX)
		return;

	l = stack_leg(s, addr, tp);
	if (!l && !w->tp_named) {
		tp = tp == SIP_TRANSP_UDP ? SIP_TRANSP_TCP : SIP_TRANSP_UDP;
		l = stack_leg(s, addr, tp);
	}
	if (!l)
		return;

	t->tp = tp;
	t->tp_named = w->tp_named;
	t->dst = *addr;
	sa_set_port(&t->dst, w->port);
	t->leg = l;
	++tl->n;
}


static int unreachable(struct sip_result *res, const struct way *w)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "no way to %.64s over %s from "
		       "where we listen", w->host,
		       !w->tp_named ? "UDP or TCP" :
		       w->tp == SIP_TRANSP_TCP ? "TCP" : "UDP");

	return fail(res, SIP_CAUSE_TRANSPORT, ENETUNREACH, text);
}


static int numeric(struct target_list *tl, struct sip_stack *s,
		   const struct way *w, struct sip_result *res)
{
	struct sa sa;

	if (sa_set_str(&sa, w->host, w->port))
		return ENOENT;

	tl->n = 0;
	target_add(tl, s, w, &sa);

	return tl->n ? 0 : unreachable(res, w);
}


int target_numeric(struct target_list *tl, struct sip_stack *s,
		   const char *hop_uri, const char *transport,
		   struct sip_result *res)
{
	struct way w;
	int err;

	err = way_parse(&w, hop_uri, transport, res);

	return err ? err : numeric(tl, s, &w, res);
}


/* Names -------------------------------------------------------------------- */

/* The resolver's thread */
static void resolve_h(void *arg)
{
	const struct addrinfo hints = {
		.ai_family   = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
	};
	struct addrinfo *list = NULL, *ai;
	struct job *j = arg;

	j->gai = getaddrinfo(j->host, NULL, &hints, &list);
	j->err = errno;

	for (ai = list; ai && j->addrc < TARGETS_MAX; ai = ai->ai_next) {
		if (!sa_set_sa(&j->addrv[j->addrc], ai->ai_addr))
			++j->addrc;
	}

	if (list)
		freeaddrinfo(list);
}


static void query_done(struct target_query *q, const struct sip_result *err)
{
	target_h *h = q->h;

	timer_cancel(&q->tmr);
	list_unlink(&q->le);
	q->h = NULL;

	if (q->job) {
		q->job->query = NULL;
		q->job = NULL;
	}

	/* the owner may let go inside */
	mem_ref(q);
	if (h)
		h(err, err ? NULL : &q->tl, q->arg);
	mem_deref(q);
}


static void resolved_h(void *arg)
{
	struct job *j = arg;
	struct target_query *q = j->query;
	char text[128];
	unsigned i;

	if (!q)
		goto out;

	q->job = NULL;
	q->tl.n = 0;
	for (i = 0; i < j->addrc; i++)
		target_add(&q->tl, q->stack, &q->way, &j->addrv[i]);

	if (j->gai) {
		(void)snprintf(text, sizeof(text), "%.64s: %s", j->host,
			       j->gai == EAI_SYSTEM ? strerror(j->err) :
			       gai_strerror(j->gai));
		(void)fail(&q->res, SIP_CAUSE_RESOLVE, ENOENT, text);
	}
	else if (!q->tl.n)
		(void)unreachable(&q->res, &q->way);

	query_done(q, q->tl.n ? NULL : &q->res);

 out:
	mem_deref(j);
}


static void job_drop_h(void *arg)
{
	struct job *j = arg;

	if (j->query)
		j->query->job = NULL;

	mem_deref(j);
}


static void late_h(void *arg)
{
	struct target_query *q = arg;
	char text[128];

	(void)snprintf(text, sizeof(text), "%.64s: no answer from the name "
		       "service in %u ms", q->way.host, q->stack->resolve_ms);
	(void)fail(&q->res, SIP_CAUSE_RESOLVE, ETIMEDOUT, text);

	query_done(q, &q->res);
}


static void now_h(void *arg)
{
	struct target_query *q = arg;

	query_done(q, q->tl.n ? NULL : &q->res);
}


static int resolve(struct target_query *q)
{
	struct job *j;
	int err;

	j = mem_zalloc(sizeof(*j), NULL);
	if (!j)
		return ENOMEM;

	memcpy(j->host, q->way.host, sizeof(j->host));
	j->query = q;

	err = worker_post(q->stack->resolver, resolve_h, resolved_h,
			  job_drop_h, j);
	if (err) {
		mem_deref(j);
		return err;
	}

	q->job = j;
	timer_start(&q->tmr, q->stack->resolve_ms, late_h, q);

	return 0;
}


static void query_destructor(void *arg)
{
	struct target_query *q = arg;

	timer_cancel(&q->tmr);
	list_unlink(&q->le);
	if (q->job)
		q->job->query = NULL;
}


int target_find(struct target_query **qp, struct sip_stack *s,
		const char *hop_uri, const char *transport, target_h *h,
		void *arg)
{
	struct target_query *q;
	int err;

	if (!qp || !s || !hop_uri || !h)
		return EINVAL;

	q = mem_zalloc(sizeof(*q), query_destructor);
	if (!q)
		return ENOMEM;

	q->stack = s;
	q->h = h;
	q->arg = arg;

	err = way_parse(&q->way, hop_uri, transport, &q->res);
	if (!err)
		err = numeric(&q->tl, s, &q->way, &q->res);

	if (err == ENOENT) {
		err = resolve(q);
		if (err) {
			mem_deref(q);
			return err;
		}
	}
	else {
		timer_start(&q->tmr, 0, now_h, q);
	}

	list_append(&s->queries, &q->le, q);
	*qp = q;

	return 0;
}


void target_stack_gone(struct sip_stack *s)
{
	struct target_query *q;

	while ((q = list_ledata(list_head(&s->queries)))) {

		timer_cancel(&q->tmr);
		list_unlink(&q->le);
		q->h = NULL;
		if (q->job)
			q->job->query = NULL;
		q->job = NULL;
	}
}


/* Where would a call go? --------------------------------------------------- */

struct sip_target {
	struct target_query *query;
	sip_target_h *h;
	void *arg;
};


static void found_h(const struct sip_result *err,
		    const struct target_list *tl, void *arg)
{
	struct sip_target *t = arg;

	t->h(err, err ? NULL : &tl->v[0].leg->addr, t->arg);
}


static void sip_target_destructor(void *arg)
{
	struct sip_target *t = arg;

	mem_deref(t->query);
}


int sip_target_find(struct sip_target **tp, struct sip_stack *s,
		    const char *uri, const struct sip_ident *ident,
		    sip_target_h *h, void *arg)
{
	struct sip_target *t;
	int err;

	if (!tp || !s || !uri || !h)
		return EINVAL;

	t = mem_zalloc(sizeof(*t), sip_target_destructor);
	if (!t)
		return ENOMEM;

	t->h = h;
	t->arg = arg;

	err = target_find(&t->query, s, sip_ident_hop(ident, uri),
			  ident ? ident->transport : NULL, found_h, t);
	if (err)
		mem_deref(t);
	else
		*tp = t;

	return err;
}
