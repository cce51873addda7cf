/**
 * @file sip/target.c  What a URI says about the way, without asking anybody
 *
 * Main thread.  The host, port and transport that a URI names (RFC 3263 4),
 * and which of our legs reaches an address.  Numbers are dealt with here;
 * names are locate.c's.
 */
#include <stdarg.h>
#include "locate.h"


enum { SIPS_PORT = 5061 };

#include "ident.h"

int way_fail(struct sip_result *res, enum sip_cause cause, int err,
	     const char *fmt, ...)
{
	va_list ap;

	memset(res, 0, sizeof(*res));
	res->cause = cause;
	res->err = err;

	va_start(ap, fmt);
	(void)vsnprintf(res->reason, sizeof(res->reason), fmt, ap);
	va_end(ap);

	return err;
}


int way_unreachable(struct sip_result *res, const struct way *w)
{
	return way_fail(res, SIP_CAUSE_TRANSPORT, ENETUNREACH,
			"no way to %.64s over %s from where we listen",
			w->host, w->tp_named ? sip_transp_name(w->tp) :
			"UDP or TCP");
}


uint16_t way_port(enum sip_transp tp)
{
	return tp == SIP_TRANSP_TLS ? SIPS_PORT : SIP_PORT;
}


bool way_speaks(const struct sip_stack *s, enum sip_transp tp)
{
	struct le *le;

	if (tp == SIP_TRANSP_TLS)
		return list_head(&s->legl) != NULL;

	for (le = list_head(&s->legl); le; le = le->next) {
		const struct leg *l = le->data;
		const struct sa *sa = leg_laddr(l, tp);

		if (sa != &l->addr && sa_isset(sa, SA_ADDR))
			return true;
	}

	return false;
}


static int transp_parse(struct way *w, const char *name, size_t len,
			struct sip_result *res)
{
	w->tp_named = true;

	if (text_caseeq(name, len, "udp"))
		w->tp = SIP_TRANSP_UDP;
	else if (text_caseeq(name, len, "tcp"))
		w->tp = SIP_TRANSP_TCP;
	else if (text_caseeq(name, len, "tls"))
		w->tp = SIP_TRANSP_TLS;
	else
		return way_fail(res, SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
				"this transport is not spoken, only udp, tcp "
				"and tls");

	return 0;
}


/* sips: is TLS on every hop; it says nothing of what is below, which is TCP */
static int secure_parse(struct way *w, struct sip_result *res)
{
	w->secure = true;

	if (w->tp_named && w->tp == SIP_TRANSP_UDP)
		return way_fail(res, SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
				"sips: goes over TLS, not over UDP");

	w->tp = SIP_TRANSP_TLS;
	w->tp_named = true;

	return 0;
}


int way_parse(struct way *w, const char *uri, const char *transport,
	      struct sip_result *res)
{
	struct pl host, val;
	struct suri u;
	int err = 0;

	memset(w, 0, sizeof(*w));
	w->tp = SIP_TRANSP_UDP;

	if (suri_parse_str(&u, uri))
		return way_fail(res, SIP_CAUSE_LOCAL, EINVAL,
				"the next hop is no valid URI");
	if (!u.sip)
		return way_fail(res, SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
				"only sip: and sips: can be sent to");

	host = u.host;
	if (param_find(&u.params, "maddr", &val) && val.l)
		host = val;
	if (host.l > 2 && host.p[0] == '[') {
		++host.p;
		host.l -= 2;
	}

	if (text_copy(w->host, sizeof(w->host), host.p, host.l))
		return way_fail(res, SIP_CAUSE_RESOLVE, EINVAL,
				"the host name is too long");

	w->port = u.port;

	if (transport && *transport)
		err = transp_parse(w, transport, strlen(transport), res);
	else if (param_find(&u.params, "transport", &val))
		err = transp_parse(w, val.p ? val.p : "", val.l, res);
	if (!err && u.sips)
		err = secure_parse(w, res);

	if (!err && sa_set_str(&w->addr, w->host,
			       w->port ? w->port : way_port(w->tp)))
		sa_init(&w->addr, AF_UNSPEC);

	return err;
}


bool way_target_add(struct target_list *tl, const struct sip_stack *s,
		    enum sip_transp tp, bool named, const struct sa *addr,
		    uint16_t port)
{
	struct target *t;
	struct leg *l;
	unsigned i;

	if (tl->n == TARGETS_MAX)
		return false;

	l = way_speaks(s, tp) ? stack_leg(s, addr, tp) : NULL;
	if (!l && !named && tp == SIP_TRANSP_UDP) {
		tp = SIP_TRANSP_TCP;
		l = stack_leg(s, addr, tp);
	}
	if (!l)
		return false;

	t = &tl->v[tl->n];
	t->tp = tp;
	t->tp_named = named;
	t->dst = *addr;
	sa_set_port(&t->dst, port);
	t->leg = l;

	/* two names of one server */
	for (i = 0; i < tl->n; i++) {
		if (tl->v[i].tp == tp &&
		    sa_cmp(&tl->v[i].dst, &t->dst, SA_ALL))
			return true;
	}

	++tl->n;

	return true;
}


/* Where would a call go? --------------------------------------------------- */

struct sip_target {
	struct sip_stack *stack;
	struct target_query *query;
	struct target_race *race;
	struct sip_tls *tls;
	char domain[256];           /* whom TLS must find there              */
	sip_target_h *h;
	void *arg;
};


static void raced_h(const struct target_list *tl, void *arg)
{
	struct sip_target *t = arg;

	t->h(NULL, &tl->v[0].leg->addr, t->arg);
}


/* An offer is made for the way that will be used: which that is comes first */
static void found_h(const struct sip_result *err,
		    const struct target_list *tl, void *arg)
{
	struct sip_target *t = arg;

	if (err || target_race(&t->race, t->stack, tl, t->tls, t->domain,
			       raced_h, t))
		t->h(err, err ? NULL : &tl->v[0].leg->addr, t->arg);
}


static void sip_target_destructor(void *arg)
{
	struct sip_target *t = arg;

	mem_deref(t->query);
	mem_deref(t->race);
	mem_deref(t->tls);
}


int sip_target_find(struct sip_target **tp, struct sip_stack *s,
		    const char *uri, const struct sip_ident *ident,
		    sip_target_h *h, void *arg)
{
	struct sip_target *t;
	char *hop = NULL;
	int err;

	if (!tp || !s || !uri || !h)
		return EINVAL;

	t = mem_zalloc(sizeof(*t), sip_target_destructor);
	if (!t)
		return ENOMEM;

	t->stack = s;
	t->tls = mem_ref(ident_tls(ident));
	t->h = h;
	t->arg = arg;

	err = target_hop(&hop, uri, sip_ident_hop(ident, uri));
	if (!err && target_domain(t->domain, sizeof(t->domain), hop))
		t->domain[0] = '\0';
	if (!err)
		err = target_find(&t->query, s, hop, ident_transport(ident),
				  found_h, t);
	mem_deref(hop);
	if (err)
		mem_deref(t);
	else
		*tp = t;

	return err;
}
