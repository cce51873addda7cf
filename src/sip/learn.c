/**
 * @file sip/learn.c  What a registrar's answer teaches
 *
 * Service-Route (RFC 3608), P-Associated-URI (RFC 7315), GRUU (RFC 5627),
 * outbound (RFC 5626), and how the server sees us (RFC 3581).  All of it is
 * the server's word about itself and us; each piece is taken if it can stand
 * in a message, and forgotten with the next answer that lacks it.  Main
 * thread.
 */
#include "registration.h"


static int str_set(char **dst, const char *text)
{
	char *copy = NULL;
	int err = text && *text ? str_dup(&copy, text) : 0;

	if (!err) {
		mem_deref(*dst);
		*dst = copy;
	}

	return err;
}


static void routes_clear(struct ident_flow *f)
{
	while (f->routec) {
		--f->routec;
		f->routev[f->routec] = mem_deref(f->routev[f->routec]);
	}

	f->service = mem_deref(f->service);
}


struct routes {
	struct ident_flow *flow;
	int err;
};


static bool route_h(const struct pl *val, void *arg)
{
	struct routes *r = arg;
	struct ident_flow *f = r->flow;
	struct addr_parts a;
	struct suri u;

	/* a list with a hole in it would lead elsewhere */
	if (f->routec == IDENT_ROUTES_MAX || val->l > SIP_URI_MAX ||
	    addr_parse(&a, val) || suri_parse(&u, &a.uri) || !u.sip)
		r->err = EBADMSG;
	if (!r->err && !f->routec)
		r->err = pl_strdup(&f->service, &a.uri);
	if (!r->err)
		r->err = re_sdprintf(&f->routev[f->routec], "<%r>%r", &a.uri,
				     &a.params);
	if (!r->err)
		++f->routec;

	return r->err != 0;
}


static int routes_learn(struct ident_flow *f, const struct sip_msg *msg)
{
	struct routes r = {.flow = f};

	routes_clear(f);
	(void)header_values(msg, "Service-Route", 0, route_h, &r);

	if (r.err) {
		routes_clear(f);
		if (r.err == EBADMSG) {
			log_info("register: a Service-Route that is none");
			r.err = 0;
		}
	}

	return r.err;
}


static void aliases_clear(struct sip_ident *id)
{
	while (id->aliasc) {
		--id->aliasc;
		id->aliasv[id->aliasc] = mem_deref(id->aliasv[id->aliasc]);
	}
}


static bool alias_h(const struct pl *val, void *arg)
{
	struct sip_ident *id = arg;
	struct addr_parts a;
	struct suri u;

	if (id->aliasc < IDENT_ALIASES_MAX && val->l <= SIP_URI_MAX &&
	    !addr_parse(&a, val) && !suri_parse(&u, &a.uri) && u.sip &&
	    !pl_strdup(&id->aliasv[id->aliasc], &a.uri))
		++id->aliasc;

	return false;
}


/* Where a response says that its request came from. @return false: it does
 *  not say */
static bool via_seen(struct sa *seen, const struct sip_msg *msg)
{
	struct pl addr, port;
	uint32_t n = 0;

	if (param_find(&msg->via.params, "rport", &port) && port.p &&
	    text_u32(&n, port.p, port.l, 65535))
		return false;

	if (param_find(&msg->via.params, "received", &addr) && addr.p) {

		if (addr.l > 2 && addr.p[0] == '[') {
			++addr.p;
			addr.l -= 2;
		}
		if (sa_set(seen, &addr, (uint16_t)n))
			return false;
	}

	if (n)
		sa_set_port(seen, (uint16_t)n);

	return sa_port(seen) && !sa_is_any(seen);
}


/*
 * On UDP another address or port is a NAT's.  A connection leaves from a port
 * of its own anyway, so there only another address tells; it is then worth
 * naming although nobody listens there, because the server finds the
 * connection by it.  Over TLS it is named from the start (seen_as_conn).
 */
static void seen_learn(struct ident_flow *f, const struct sip_msg *msg,
		       const struct target *tg)
{
	const struct sa *local = leg_laddr(tg->leg, tg->tp);
	const bool conn = tg->tp == SIP_TRANSP_TLS &&
		sa_isset(&f->seen, SA_ALL);
	const int how = tg->tp == SIP_TRANSP_UDP || conn ? SA_ALL : SA_ADDR;
	struct sa seen = *local, none;

	sa_init(&none, AF_UNSPEC);

	/* without its port a connection is not found again */
	if (tg->tp != SIP_TRANSP_UDP)
		sa_set_port(&seen, 0);

	f->local = *local;

	/* a server that says nothing may find it all the same */
	if (conn && !via_seen(&seen, msg))
		return;

	if (!via_seen(&seen, msg) || sa_af(&seen) != sa_af(local) ||
	    sa_cmp(&seen, local, how)) {
		f->seen = none;
		return;
	}

	if (!sa_cmp(&f->seen, &seen, SA_ALL)) {
		char text[160];

		(void)re_snprintf(text, sizeof(text), "the server sees %J,"
				  " not %J: Contact names that", &seen,
				  local);
		log_info("register: %s", text);
	}
	f->seen = seen;
}


int learn(struct sip_ident *id, const struct learn_ask *ask,
	  const struct sip_msg *msg, const struct target *tg,
	  const struct binding_list *list)
{
	struct ident_flow *f = &id->flowv[ask->flow];
	int err, e;

	f->tp = tg->tp;
	f->addr = tg->dst;
	f->ob = ask->outbound && header_has(msg, "Require", 0, "outbound");

	if (ask->nat)
		seen_learn(f, msg, tg);

	err = routes_learn(f, msg);

	e = str_set(&id->gruu, ask->gruu ? list->gruu : NULL);
	if (!err)
		err = e;
	e = str_set(&id->temp_gruu, ask->gruu ? list->temp_gruu : NULL);
	if (!err)
		err = e;

	aliases_clear(id);
	(void)header_values(msg, "P-Associated-URI", 0, alias_h, id);

	return err;
}


void learn_realm(struct sip_ident *id, const char *realm)
{
	unsigned i;

	for (i = 0; i < id->realmc; i++) {
		if (!strcmp(id->realmv[i], realm))
			return;
	}

	/* the oldest makes way */
	if (id->realmc == IDENT_REALMS_MAX) {
		mem_deref(id->realmv[0]);
		--id->realmc;
		memmove(&id->realmv[0], &id->realmv[1],
			id->realmc * sizeof(id->realmv[0]));
	}

	if (!str_dup(&id->realmv[id->realmc], realm))
		++id->realmc;
}


void unlearn(struct sip_ident *id, unsigned flow)
{
	struct ident_flow *f = &id->flowv[flow];
	bool other = false;
	unsigned i;

	routes_clear(f);
	sa_init(&f->addr, AF_UNSPEC);
	sa_init(&f->seen, AF_UNSPEC);
	f->ob = false;

	for (i = 0; i < id->flowc; i++)
		other = other || sa_isset(&id->flowv[i].addr, SA_ADDR);

	if (!other) {
		id->gruu = mem_deref(id->gruu);
		id->temp_gruu = mem_deref(id->temp_gruu);
		aliases_clear(id);
	}
}
