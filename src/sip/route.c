/**
 * @file route.c  Where requests of a dialog go, RFC 3261 12.2.1.1
 *
 * The route set and remote target as messages tell them, the Request-URI and
 * next hop that follow, and the addresses to try.  A first route without `lr`
 * is a strict router: it becomes the Request-URI and the target goes last.
 * What is copied from a message is bounded and can end no header line.
 * Main thread, no state of its own.
 */
#include <strings.h>
#include "session.h"
#include "conn.h"


enum { ADDR_MAX = 2 * SIP_URI_MAX };    /* a name-addr */


/* One token or URI of a message: no spaces, no controls, bounded */
int route_word_dup(char **dst, const struct pl *pl, size_t max)
{
	size_t i;

	if (!pl->p || !pl->l)
		return EBADMSG;
	if (pl->l > max)
		return EOVERFLOW;

	for (i = 0; i < pl->l; i++) {
		const uint8_t c = (uint8_t)pl->p[i];

		if (c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"')
			return EBADMSG;
	}

	return pl_strdup(dst, pl);
}


/*
 * The value of a From, To or Record-Route, checked, with the line folding that
 * the parser leaves in place taken out. bare: without its
 * parameters, the tag among them.
 */
int route_value_dup(char **dst, const struct pl *val, bool bare)
{
	struct addr_parts a;
	struct pl pl = *val;
	size_t i;
	int err;

	err = addr_parse(&a, &pl);
	if (err)
		return err;

	if (bare && a.params.p)
		pl.l = (size_t)(a.params.p - pl.p);
	while (pl.l && strchr(" \t\r\n", pl.p[pl.l - 1]))
		--pl.l;

	if (pl.l > ADDR_MAX || a.uri.l > SIP_URI_MAX)
		return EOVERFLOW;

	for (i = 0; i < pl.l; i++) {
		if ((uint8_t)pl.p[i] < ' ' && !strchr("\t\r\n", pl.p[i]))
			return EBADMSG;
		if (!pl.p[i] || pl.p[i] == 0x7f)
			return EBADMSG;
	}

	err = pl_strdup(dst, &pl);
	if (err)
		return err;

	for (i = 0; i < pl.l; i++) {
		if ((uint8_t)(*dst)[i] < ' ')
			(*dst)[i] = ' ';
	}

	return 0;
}


/*
 * A URI as it may stand in a Request-URI (19.1.1): no headers and no method.
 * In a To it must not tell where to go either.
 */
int route_uri_strip(char **dst, const struct pl *text, bool to)
{
	static const char *const drops[] = {
		"method", "transport", "maddr", "ttl", "lr"};
	const size_t dropc = to ? COUNTOF(drops) : 1;
	const char *p, *end;
	struct mbuf *mb;
	struct suri u;
	int err;

	if (text->l > SIP_URI_MAX)
		return EOVERFLOW;
	if (suri_parse(&u, text))
		return EINVAL;

	mb = mbuf_alloc(text->l + 1);
	if (!mb)
		return ENOMEM;

	end = u.headers.p ? u.headers.p : text->p + text->l;
	p = u.params.p ? u.params.p : end;

	err = mbuf_write_mem(mb, (const uint8_t *)text->p,
			     (size_t)(p - text->p));

	while (!err && p < end) {
		const char *next = memchr(p + 1, ';', (size_t)(end - p - 1));
		struct pl one = {.p = p};
		size_t i;

		p = next ? next : end;
		one.l = (size_t)(p - one.p);

		for (i = 0; i < dropc; i++) {
			if (param_find(&one, drops[i], NULL))
				break;
		}

		if (i == dropc && one.l > 1)
			err = mbuf_write_pl(mb, &one);
	}

	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, dst, mb->end);
	}

	mem_deref(mb);

	return err;
}


bool route_loose(const char *route)
{
	struct addr_parts a;
	struct suri u;
	struct pl pl;

	pl_set_str(&pl, route);

	return !addr_parse(&a, &pl) && !suri_parse(&u, &a.uri) &&
		param_find(&u.params, "lr", NULL);
}


void route_clear(struct dialog *d)
{
	while (d->routec) {
		--d->routec;
		d->routev[d->routec] = mem_deref(d->routev[d->routec]);
	}
}


struct routes {
	struct dialog *dlg;
	int err;
};


static bool route_add_h(const struct pl *val, void *arg)
{
	struct routes *r = arg;
	struct dialog *d = r->dlg;

	if (d->routec >= SIP_ROUTES_MAX)
		r->err = EOVERFLOW;
	else
		r->err = route_value_dup(&d->routev[d->routec], val, false);
	if (!r->err)
		++d->routec;

	return r->err != 0;
}


/* The route set: in order as callee, in reverse as caller (12.1) */
int route_take_set(struct dialog *d, const struct sip_msg *msg)
{
	struct routes r = {.dlg = d};
	unsigned i;

	route_clear(d);
	(void)header_values(msg, "Record-Route", 0, route_add_h, &r);
	if (r.err) {
		route_clear(d);
		return r.err;
	}

	if (msg->req)
		return 0;

	for (i = 0; i < d->routec / 2; i++) {
		char *tmp = d->routev[i];

		d->routev[i] = d->routev[d->routec - 1 - i];
		d->routev[d->routec - 1 - i] = tmp;
	}

	return 0;
}


int route_take_target(struct dialog *d, const struct sip_msg *msg)
{
	char *target = NULL;
	struct pl uri;
	int err;

	err = header_contact(msg, &uri);
	if (!err)
		err = route_word_dup(&target, &uri, SIP_URI_MAX);
	if (err)
		return err;

	if (d->target && !strcmp(d->target, target)) {
		mem_deref(target);
		return EALREADY;
	}

	mem_deref(d->target);
	d->target = target;

	return 0;
}


static int route_uri(char **dst, const char *route, bool strip)
{
	struct addr_parts a;
	struct pl pl;
	int err;

	pl_set_str(&pl, route);
	err = addr_parse(&a, &pl);
	if (err)
		return err;

	return strip ? route_uri_strip(dst, &a.uri, false) :
		pl_strdup(dst, &a.uri);
}


int dialog_uris(const struct dialog *d, char **urip, char **hopp)
{
	char *uri = NULL, *hop = NULL;
	int err;

	if (!d->routec) {
		uri = mem_ref(d->target);
		hop = mem_ref(d->target);
		err = 0;
	}
	else {
		err = route_uri(&hop, d->routev[0], false);
		if (err)
			goto out;

		if (route_loose(d->routev[0]))
			uri = mem_ref(d->target);
		else
			err = route_uri(&uri, d->routev[0], true);
	}

 out:
	if (err) {
		mem_deref(uri);
		mem_deref(hop);
		return err;
	}

	/* sips: means TLS, whatever the proxies and the peer call themselves */
	if (d->sips && !strncasecmp(hop, "sip:", 4)) {
		char *sips = NULL;

		err = target_hop(&sips, "sips:", hop);
		mem_deref(hop);
		hop = sips;
		if (err) {
			mem_deref(uri);
			return err;
		}
	}

	*urip = uri;
	*hopp = hop;

	return 0;
}


/* Does the URI ask for a transport other than this one? */
static bool other_transport(const struct suri *u, enum sip_transp tp)
{
	struct pl want;

	if (u->sips)
		return tp != SIP_TRANSP_TLS;

	/* TLS keeps more secret than was asked for */
	return param_find(&u->params, "transport", &want) &&
		!text_caseeq(want.p, want.l, tp == SIP_TRANSP_TLS ? "tls" :
			     "tcp");
}


/* Is it plainly the next hop that is at the other end? */
static bool way_leads(const struct dialog *d, const struct target *way,
		      const char *hop, bool incoming, bool direct)
{
	struct sa addr;
	struct suri u;

	if (suri_parse_str(&u, hop) || other_transport(&u, way->tp))
		return false;

	/* nobody but the peer itself, or our own proxy by the connection that
	   we keep with it */
	if (incoming && (d->routec ? !way->flow_only : direct))
		return true;

	return !sa_set(&addr, &u.host, u.port ? u.port :
		       sip_transp_port(way->tp, 0)) &&
		sa_cmp(&addr, &way->dst, incoming ? SA_ADDR : SA_ALL);
}


static void domain_learn(struct dialog *d, const struct target *way)
{
	const struct conn *c = conn_find(d->stack, way->flow);

	if (!c || c->incoming || !c->pipe)
		return;

	d->domain = mem_deref(d->domain);
	(void)str_dup(&d->domain, tlspipe_domain(c->pipe));
}


const char *dialog_domain(const struct dialog *d, const char *hop)
{
	struct sa addr;
	struct suri u;

	if (!d->domain || suri_parse_str(&u, hop) ||
	    sa_set(&addr, &u.host, 0) ||
	    !sa_cmp(&addr, &d->flow.dst, SA_ADDR))
		return NULL;

	return d->domain;
}


/*
 * A connection is worth more than an address: behind a NAT it is the only way
 * back.  It is taken for the dialog when the next hop is plainly the one at
 * its other end.  A request that came by it tells no listening port, so there
 * the address alone must do; direct: nobody else has handled it.
 */
void dialog_pin(struct dialog *d, const struct target *way, bool incoming,
		bool direct)
{
	char *uri = NULL, *hop = NULL;

	d->flow_pinned = false;
	d->flow.leg = NULL;

	if (way->tp == SIP_TRANSP_UDP || dialog_uris(d, &uri, &hop))
		return;

	d->flow_pinned = way_leads(d, way, hop, incoming, direct);
	if (d->flow_pinned) {
		d->flow = *way;
		d->flow.tp_named = true;
		if (way->tp == SIP_TRANSP_TLS)
			domain_learn(d, way);
	}

	mem_deref(uri);
	mem_deref(hop);
}


int dialog_targets(const struct dialog *d, const char *hop,
		   struct target_list *tl, struct sip_result *res)
{
	struct target_list more = {.n = 0};
	unsigned i;
	int err;

	tl->n = 0;

	if (d->flow.leg) {
		tl->v[tl->n++] = d->flow;
		if (!d->flow_pinned)
			return 0;
	}

	err = target_numeric(&more, d->stack, hop, NULL, res);
	if (err)
		return tl->n ? 0 : err;

	/* should the connection be gone, the address remains */
	for (i = 0; i < more.n && tl->n < TARGETS_MAX; i++)
		tl->v[tl->n++] = more.v[i];

	return 0;
}
