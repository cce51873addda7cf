/**
 * @file sip/locate_helper.c  STUN and TURN servers by name: RFC 8489 8.1, 5928
 *
 * Main thread.  A name alone is a domain: its SRV records say which machines
 * there are, for TURN NAPTR before them which transports.  With none of them
 * the name is that of the server.  The order in which they are to be tried is
 * that of the records; who tries them goes on with the next when one fails.
 */
#include "locate.h"


enum {
	PORT      = 3478,
	PORT_TLS  = 5349,
	SHARE     = 3,              /* of the time for each of two steps    */
	BOUND_MS  = 4000,           /* a call waits for it                  */
};

enum stage { STAGE_NAPTR, STAGE_SRV, STAGE_ADDR };

/** A machine; its addresses are asked for under the number it has here */
struct machine {
	enum sip_transp tp;
	char host[NAME_LEN];
	uint16_t port;
};

struct sip_helpers {
	struct sip_stack *stack;
	bool turn;
	char host[NAME_LEN];
	uint16_t port;
	enum sip_transp tp;
	int af;
	enum stage stage;
	struct looks looks;
	enum sip_transp wayv[SIP_HELPERS];       /* of SRV questions        */
	struct machine machinev[SIP_HELPERS];
	unsigned machinec;
	struct sip_helper v[SIP_HELPERS];
	unsigned n;
	char why[128];
	uint32_t bound_ms;
	uint64_t due_ms;
	struct timer tmr;           /* the turn it ends in                  */
	sip_helpers_h *h;
	void *arg;
};

static int stage_done(struct sip_helpers *q);


static void end_h(void *arg)
{
	struct sip_helpers *q = arg;

	/* the owner may let go inside */
	mem_ref(q);
	q->h(q->v, q->n, q->n ? "" : q->why, q->arg);
	mem_deref(q);
}


static int finish(struct sip_helpers *q)
{
	timer_start(&q->tmr, 0, end_h, q);

	return 0;
}


static void answered_h(void *arg)
{
	struct sip_helpers *q = arg;
	const int err = stage_done(q);

	if (err) {
		(void)snprintf(q->why, sizeof(q->why), "%s", strerror(err));
		(void)finish(q);
	}
}


static int stage_run(struct sip_helpers *q, enum stage stage)
{
	const uint64_t now = clock_ms();
	uint64_t ms = q->due_ms > now ? q->due_ms - now : 1;
	int err;

	if (stage != STAGE_ADDR && ms > q->bound_ms / SHARE)
		ms = q->bound_ms / SHARE;

	q->stage = stage;
	err = looks_start(&q->looks, true, (uint32_t)ms, answered_h, q);

	return err ? err : q->looks.pending ? 0 : stage_done(q);
}


static uint16_t usual_port(enum sip_transp tp)
{
	return tp == SIP_TRANSP_TLS ? PORT_TLS : PORT;
}


static void machine_add(struct sip_helpers *q, enum sip_transp tp,
			const char *host, uint16_t port)
{
	struct machine *m;

	if (q->machinec == SIP_HELPERS || !port)
		return;

	m = &q->machinev[q->machinec++];
	m->tp = tp;
	m->port = port;
	(void)text_copy(m->host, sizeof(m->host), host, strlen(host));
}


/* Addresses ---------------------------------------------------------------- */

static void helper_add(struct sip_helpers *q, const struct machine *m,
		       const struct sa *addr)
{
	struct sip_helper *h = &q->v[q->n];
	struct sa sa = *addr;

	sa_set_port(&sa, m->port);
	if (sa_af(&sa) != q->af || q->n == SIP_HELPERS)
		return;
	for (unsigned i = 0; i < q->n; i++) {
		if (q->v[i].tp == m->tp && sa_cmp(&q->v[i].addr, &sa, SA_ALL))
			return;
	}

	h->tp = m->tp;
	h->addr = sa;
	/* the domain, not what insecure records made of it (RFC 5928 4) */
	(void)text_copy(h->name, sizeof(h->name), q->host, strlen(q->host));
	++q->n;
}


static int addr_start(struct sip_helpers *q)
{
	const bool dns = names_by_dns(q->stack->names);
	int err;

	err = looks_alloc(&q->looks, q->stack, SIP_HELPERS);
	if (err)
		return err;

	q->looks.grace = true;
	for (unsigned i = 0; i < q->machinec; i++) {
		const char *host = q->machinev[i].host;

		looks_add(&q->looks, !dns || hop_is_local(host) ? NAME_HOST :
			  q->af == AF_INET6 ? NAME_AAAA : NAME_A, i, host);
	}

	return stage_run(q, STAGE_ADDR);
}


static int addr_done(struct sip_helpers *q)
{
	for (unsigned i = 0; i < q->machinec; i++) {
		for (unsigned k = 0; k < q->looks.n; k++) {
			const struct look *lk = &q->looks.v[k];

			if (lk->group != i || !lk->answer)
				continue;
			for (unsigned j = 0; j < lk->answer->n; j++)
				helper_add(q, &q->machinev[i],
					   &lk->answer->v[j].u.addr);
		}
	}

	(void)snprintf(q->why, sizeof(q->why), "%.64s has no address",
		       q->host);

	return finish(q);
}


/* SRV ----------------------------------------------------------------------- */

static uint32_t srv_rand_h(void *arg)
{
	return names_rand(arg);
}


static int srv_done(struct sip_helpers *q)
{
	const enum sip_transp tp = q->tp == SIP_TRANSP_NONE ?
		SIP_TRANSP_UDP : q->tp;
	bool denied = false;

	for (unsigned i = 0; i < q->looks.n; i++) {
		const struct name_answer *a = q->looks.v[i].answer;
		unsigned order[NAME_RECS_MAX];

		if (!a)
			continue;
		order_srv(order, a->v, a->n, srv_rand_h, q->stack->names);
		for (unsigned k = 0; k < a->n; k++) {
			const struct name_srv *srv = &a->v[order[k]].u.srv;

			denied = denied || !*srv->target;
			if (*srv->target)
				machine_add(q, q->wayv[q->looks.v[i].group],
					    srv->target, srv->port);
		}
	}

	/* "." is no service, by intent (RFC 2782) */
	if (!q->machinec && denied) {
		(void)snprintf(q->why, sizeof(q->why), "%.64s has no such"
			       " service", q->host);
		return finish(q);
	}
	if (!q->machinec)
		machine_add(q, tp, q->host, usual_port(tp));

	return addr_start(q);
}


static void srv_ask(struct sip_helpers *q, enum sip_transp tp,
		    const char *name)
{
	if (!name_ok(name) || q->looks.n == SIP_HELPERS)
		return;

	q->wayv[q->looks.n] = tp;
	looks_add(&q->looks, NAME_SRV, q->looks.n, name);
}


static int srv_start(struct sip_helpers *q)
{
	static const struct {
		bool turn;
		enum sip_transp tp;
		const char *prefix;
	} v[] = {
		{ false, SIP_TRANSP_UDP, "_stun._udp" },
		{ true, SIP_TRANSP_UDP, "_turn._udp" },
		{ true, SIP_TRANSP_TCP, "_turn._tcp" },
		{ true, SIP_TRANSP_TLS, "_turns._tcp" },
	};
	char name[NAME_LEN + 16];
	int err;

	err = looks_alloc(&q->looks, q->stack, SIP_HELPERS);
	if (err)
		return err;

	for (size_t i = 0; i < COUNTOF(v); i++) {
		if (v[i].turn != q->turn || (q->tp != SIP_TRANSP_NONE &&
					     q->tp != v[i].tp))
			continue;

		(void)snprintf(name, sizeof(name), "%s.%s", v[i].prefix,
			       q->host);
		srv_ask(q, v[i].tp, name);
	}

	return stage_run(q, STAGE_SRV);
}


/* NAPTR (RFC 5928, 3958) ------------------------------------------------------ */

/* "RELAY:turn.udp:turn.tcp": the first protocol that we speak */
static bool relay_service(enum sip_transp *tp, const char *service)
{
	static const struct {
		const char *name;
		enum sip_transp tp;
	} v[] = {
		{ "turn.udp", SIP_TRANSP_UDP },
		{ "turn.tcp", SIP_TRANSP_TCP },
		{ "turn.tls", SIP_TRANSP_TLS },
	};

	if (strncasecmp(service, "RELAY:", 6))
		return false;

	for (service += 5; *service == ':'; ) {
		const size_t n = strcspn(++service, ":");

		for (size_t i = 0; i < COUNTOF(v); i++) {
			if (text_caseeq(service, n, v[i].name)) {
				*tp = v[i].tp;
				return true;
			}
		}
		service += n;
	}

	return false;
}


static bool naptr_flag(const struct name_naptr *na, const char *flag)
{
	return text_caseeq(na->flags, strlen(na->flags), flag);
}


static bool naptr_fits(const struct name_naptr *na)
{
	enum sip_transp tp;

	return (naptr_flag(na, "s") || naptr_flag(na, "a")) &&
		!*na->regexp && *na->replace &&
		relay_service(&tp, na->service);
}


static bool naptr_before(const struct name_naptr *a,
			 const struct name_naptr *b)
{
	return a->order != b->order ? a->order < b->order : a->pref < b->pref;
}


static int naptr_done(struct sip_helpers *q)
{
	const struct name_answer *a = q->looks.v[0].answer;
	struct name_naptr v[SIP_HELPERS];
	unsigned n = 0, k;
	int err;

	for (unsigned i = 0; a && i < a->n; i++) {
		const struct name_naptr *na = &a->v[i].u.naptr;

		if (!naptr_fits(na) || n == SIP_HELPERS)
			continue;
		for (k = n++; k > 0 && naptr_before(na, &v[k - 1]); k--)
			v[k] = v[k - 1];
		v[k] = *na;
	}

	if (!n)
		return srv_start(q);

	/* the answer goes with the questions */
	err = looks_alloc(&q->looks, q->stack, SIP_HELPERS);
	if (err)
		return err;

	for (unsigned i = 0; i < n; i++) {
		enum sip_transp tp = SIP_TRANSP_UDP;

		(void)relay_service(&tp, v[i].service);
		if (naptr_flag(&v[i], "s"))
			srv_ask(q, tp, v[i].replace);
		else
			machine_add(q, tp, v[i].replace, usual_port(tp));
	}

	return stage_run(q, STAGE_SRV);
}


static int stage_done(struct sip_helpers *q)
{
	switch (q->stage) {

	case STAGE_NAPTR: return naptr_done(q);
	case STAGE_SRV:   return srv_done(q);
	default:          return addr_done(q);
	}
}


/* The whole --------------------------------------------------------------- */

static int run(struct sip_helpers *q)
{
	const enum sip_transp tp = q->tp == SIP_TRANSP_NONE ?
		SIP_TRANSP_UDP : q->tp;
	const uint16_t port = q->port ? q->port : usual_port(tp);
	int err;

	machine_add(q, tp, q->host, port);
	if (!sa_set_str(&q->v[0].addr, q->host, port)) {
		const struct sa sa = q->v[0].addr;

		helper_add(q, &q->machinev[0], &sa);
		(void)snprintf(q->why, sizeof(q->why), "its address is of"
			       " the other family");
		return finish(q);
	}

	if (!name_ok(q->host)) {
		(void)snprintf(q->why, sizeof(q->why), "%.64s is no name a"
			       " host can have", q->host);
		return finish(q);
	}

	if (q->port || hop_is_local(q->host))
		return addr_start(q);

	q->machinec = 0;
	if (!q->turn || q->tp != SIP_TRANSP_NONE)
		return srv_start(q);

	err = looks_alloc(&q->looks, q->stack, 1);
	if (err)
		return err;
	looks_add(&q->looks, NAME_NAPTR, 0, q->host);

	return stage_run(q, STAGE_NAPTR);
}


static void destructor(void *arg)
{
	struct sip_helpers *q = arg;

	timer_cancel(&q->tmr);
	looks_reset(&q->looks);
}


int sip_helpers_find(struct sip_helpers **hp, struct sip_stack *s,
		     const struct sip_helpers_conf *conf, sip_helpers_h *h,
		     void *arg)
{
	struct sip_helpers *q;
	int err;

	if (!hp || !s || !conf || !conf->host || !h)
		return EINVAL;

	q = mem_zalloc(sizeof(*q), destructor);
	if (!q)
		return ENOMEM;

	q->stack = s;
	q->turn = conf->turn;
	q->port = conf->port;
	q->tp = conf->tp;
	q->af = conf->af;
	q->h = h;
	q->arg = arg;
	q->bound_ms = s->resolve_ms < BOUND_MS ? s->resolve_ms : BOUND_MS;
	q->due_ms = clock_ms() + q->bound_ms;
	err = text_copy(q->host, sizeof(q->host), conf->host,
			strlen(conf->host));
	if (!err)
		err = run(q);
	if (err)
		mem_deref(q);
	else
		*hp = q;

	return err;
}
