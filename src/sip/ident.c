/**
 * @file sip/ident.c  Who we are to the network
 *
 * The identity of an account: From, the way out, credentials and Contact.
 * Credentials go to the account's own servers only: an agent that answers a
 * stranger's challenge hands him a digest of the password to work on.  Main
 * thread.
 */
#include <strings.h>
#include "session.h"
#include "ident.h"
#include "offhook/sip_caller.h"


static void flow_reset(struct ident_flow *f)
{
	unsigned i;

	for (i = 0; i < f->routec; i++)
		mem_deref(f->routev[i]);

	mem_deref(f->hop);
	mem_deref(f->server);
	mem_deref(f->service);
}


static void ident_destructor(void *arg)
{
	struct sip_ident *id = arg;
	unsigned i;

	for (i = 0; i < id->flowc; i++)
		flow_reset(&id->flowv[i]);
	for (i = 0; i < id->aliasc; i++)
		mem_deref(id->aliasv[i]);
	for (i = 0; i < id->realmc; i++)
		mem_deref(id->realmv[i]);

	mem_deref(id->aor);
	mem_deref(id->name);
	mem_deref(id->transport);
	mem_deref(id->user);
	mem_deref(id->headers);
	mem_deref(id->creds);
	mem_deref(id->tls);
	mem_deref(id->gruu);
	mem_deref(id->temp_gruu);
}


/* What a user calls a proxy is a loose router */
static int hop_set(char **hop, const char *uri)
{
	struct suri u;

	if (strlen(uri) > SIP_URI_MAX || suri_parse_str(&u, uri) || !u.sip ||
	    u.headers.p)
		return EINVAL;

	return re_sdprintf(hop, "%s%s", uri,
			   param_find(&u.params, "lr", NULL) ? "" : ";lr");
}


static int server_set(char **uri, const char *server)
{
	const bool scheme = !strncasecmp(server, "sip:", 4) ||
		!strncasecmp(server, "sips:", 5);
	struct suri u;
	int err;

	err = re_sdprintf(uri, "%s%s", scheme ? "" : "sip:", server);
	if (err)
		return err;

	return strlen(*uri) > SIP_URI_MAX || suri_parse_str(&u, *uri) ?
		EINVAL : 0;
}


/* A display name that header_print_addr would refuse is refused now */
static int name_set(struct sip_ident *id, const char *name)
{
	return header_text_ok(name) ? str_dup(&id->name, name) : EINVAL;
}


static bool given(const char *s)
{
	return s && *s;
}


/* The i-th that is given, or the last one there is; NULL: none at all */
static const char *pick(const char *const v[SIP_FLOWS], unsigned i,
			unsigned *n)
{
	const char *one = NULL;
	unsigned k, found = 0;

	for (k = 0; k < SIP_FLOWS; k++) {
		if (given(v[k]) && found++ <= i)
			one = v[k];
	}

	if (found > *n)
		*n = found;

	return one;
}


static int flows_set(struct sip_ident *id, const struct sip_ident_conf *conf)
{
	unsigned i;
	int err = 0;

	id->flowc = 1;

	for (i = 0; i < id->flowc && !err; i++) {
		struct ident_flow *f = &id->flowv[i];
		const char *hop = pick(conf->routev, i, &id->flowc);
		const char *server = pick(conf->serverv, i, &id->flowc);

		if (hop)
			err = hop_set(&f->hop, hop);
		if (!err && server)
			err = server_set(&f->server, server);
	}

	return err;
}


int sip_ident_alloc(struct sip_ident **ip, const struct sip_ident_conf *conf)
{
	struct sip_ident *id;
	struct suri u;
	struct pl user;
	int err;

	if (!ip || !conf || !conf->aor || strlen(conf->aor) > SIP_URI_MAX ||
	    suri_parse_str(&u, conf->aor) ||
	    (given(conf->headers) && !header_lines_ok(conf->headers)) ||
	    (given(conf->user) && !header_text_ok(conf->user)))
		return EINVAL;

	id = mem_zalloc(sizeof(*id), ident_destructor);
	if (!id)
		return ENOMEM;

	id->creds = mem_ref(conf->creds);
	id->tls = mem_ref(conf->tls);

	if (given(conf->user))
		pl_set_str(&user, conf->user);
	else
		user = u.user;

	err = str_dup(&id->aor, conf->aor);
	if (!err)
		err = user.l ? pl_strdup(&id->user, &user) :
			str_dup(&id->user, "");
	if (!err && given(conf->name))
		err = name_set(id, conf->name);
	if (!err)
		err = flows_set(id, conf);
	if (!err && given(conf->transport))
		err = str_dup(&id->transport, conf->transport);
	if (!err && given(conf->headers))
		err = str_dup(&id->headers, conf->headers);

	if (err)
		mem_deref(id);
	else
		*ip = id;

	return err;
}


const char *sip_ident_aor(const struct sip_ident *id)
{
	return id ? id->aor : "";
}


const char *sip_ident_hop(const struct sip_ident *id, const char *uri)
{
	const struct ident_flow *f = id ? &id->flowv[id->flow] : NULL;

	return !f ? uri : f->hop ? f->hop : f->service ? f->service : uri;
}


/* bare: a URI that needs its brackets */
static int route_add(char *v[], unsigned *n, unsigned max, const char *text,
		     bool bare)
{
	int err;

	if (*n >= max)
		return 0;

	err = re_sdprintf(&v[*n], "%s%s%s", bare ? "<" : "", text,
			  bare ? ">" : "");
	if (!err)
		++*n;

	return err;
}


/* A proxy that puts itself into the Service-Route need not be there twice */
static bool is_hop(const struct ident_flow *f, const char *uri)
{
	struct suri a, b;

	return f->hop && uri && !suri_parse_str(&a, f->hop) &&
		!suri_parse_str(&b, uri) && a.port == b.port &&
		!pl_casecmp(&a.host, &b.host);
}


int ident_routes(const struct sip_ident *id, char *v[], unsigned *n,
		 unsigned max)
{
	const struct ident_flow *f = &id->flowv[id->flow];
	unsigned i = is_hop(f, f->service) ? 1 : 0;
	int err = 0;

	if (f->hop)
		err = route_add(v, n, max, f->hop, true);

	for (; i < f->routec && !err; i++)
		err = route_add(v, n, max, f->routev[i], false);

	return err;
}


/* The host a request to this URI goes to */
static int uri_host(struct pl *host, const char *uri)
{
	struct pl maddr;
	struct suri u;

	if (!uri || suri_parse_str(&u, uri) || !u.sip)
		return EINVAL;

	*host = u.host;
	if (param_find(&u.params, "maddr", &maddr))
		*host = maddr;

	return pl_isset(host) ? 0 : EINVAL;
}


static bool same_host(const struct pl *host, const char *uri)
{
	struct pl mine;

	return !uri_host(&mine, uri) && !pl_casecmp(&mine, host);
}


static bool route_host(const struct pl *host, const char *route)
{
	struct addr_parts a;
	struct suri u;
	struct pl pl;

	pl_set_str(&pl, route);

	return !addr_parse(&a, &pl) && !suri_parse(&u, &a.uri) &&
		!pl_casecmp(&u.host, host);
}


static bool flow_knows(const struct ident_flow *f, const struct pl *host)
{
	struct sa sa;
	unsigned i;

	if (same_host(host, f->hop) || same_host(host, f->server))
		return true;

	for (i = 0; i < f->routec; i++) {
		if (route_host(host, f->routev[i]))
			return true;
	}

	return sa_isset(&f->addr, SA_ADDR) && !sa_set(&sa, host, 0) &&
		sa_cmp(&sa, &f->addr, SA_ADDR);
}


struct sip_creds *ident_creds(const struct sip_ident *id, const char *hop)
{
	struct pl host;
	unsigned i;

	if (!id || !id->creds || uri_host(&host, hop))
		return NULL;

	if (same_host(&host, id->aor))
		return id->creds;

	for (i = 0; i < id->flowc; i++) {
		if (flow_knows(&id->flowv[i], &host))
			return id->creds;
	}

	return NULL;
}


/* Given as an address, not as a name */
static bool is_numeric(const char *uri, const struct sa *addr)
{
	struct pl host;
	struct sa sa;

	return !uri_host(&host, uri) && !sa_set(&sa, &host, 0) &&
		sa_cmp(&sa, addr, SA_ADDR);
}


bool ident_serves(const struct sip_ident *id, const struct sa *addr)
{
	unsigned i;

	for (i = 0; id && i < id->flowc; i++) {
		const struct ident_flow *f = &id->flowv[i];

		if ((sa_isset(&f->addr, SA_ADDR) &&
		     sa_cmp(&f->addr, addr, SA_ADDR)) ||
		    is_numeric(f->hop, addr) || is_numeric(f->server, addr))
			return true;
	}

	return false;
}


bool sip_ident_serves(const struct sip_ident *id, const struct sip_info *in)
{
	return id && in && ident_serves(id, &in->src);
}


int ident_digest(struct digest **dp, const struct sip_ident *id,
		 const char *hop)
{
	struct sip_creds *creds = ident_creds(id, hop);
	int err = creds ? digest_alloc(dp, creds) : 0;

	if (creds && !err)
		digest_limit(*dp, id->realmv, id->realmc);

	return err;
}


static const struct sa *seen_as(const struct ident_flow *f,
				const struct sa *local, enum sip_transp tp)
{
	return tp == f->tp && sa_isset(&f->seen, SA_ALL) &&
		sa_cmp(&f->local, local, SA_ALL) ? &f->seen : local;
}


int ident_address(struct mbuf *mb, const struct sip_ident *id, unsigned flow,
		  const struct leg *l, enum sip_transp tp, bool secure)
{
	const struct sa *sa = seen_as(&id->flowv[flow], leg_laddr(l, tp), tp);
	char text[TEXT_IPV4];
	int err;

	err = mbuf_printf(mb, "sip%s:%s%s", secure ? "s" : "", id->user,
			  *id->user ? "@" : "");
	if (!err && sa_af(sa) == AF_INET)
		err = mbuf_write_mem(mb, (const uint8_t *)text,
				     text_ipv4(text, sa_in(sa), sa_port(sa)));
	else if (!err)
		err = mbuf_printf(mb, "%J", sa);
	if (!err && !secure)
		err = mbuf_write_str(mb, sip_transp_param(tp));

	return err;
}


int ident_contact(struct mbuf *mb, const struct sip_ident *id,
		  const struct leg *l, enum sip_transp tp, bool secure)
{
	int err;

	if (id->gruu)
		return mbuf_printf(mb, "<%s>", id->gruu);

	err = mbuf_write_u8(mb, '<');
	if (!err)
		err = ident_address(mb, id, id->flow, l, tp, secure);
	if (!err)
		err = mbuf_write_str(mb, id->flowv[id->flow].ob ? ";ob>" :
				     ">");

	return err;
}


int ident_contact_hidden(struct mbuf *mb, const struct sip_ident *id,
			 const struct leg *l, enum sip_transp tp, bool secure)
{
	const struct ident_flow *f = &id->flowv[id->flow];

	/* a temporary one is made for this (RFC 5627 3.1) */
	if (id->temp_gruu)
		return mbuf_printf(mb, "<%s>", id->temp_gruu);

	return mbuf_printf(mb, "<sip%s:%J%s%s>", secure ? "s" : "",
			   seen_as(f, leg_laddr(l, tp), tp),
			   secure ? "" : sip_transp_param(tp),
			   f->ob ? ";ob" : "");
}


const char *ident_transport(const struct sip_ident *id)
{
	return id ? id->transport : NULL;
}


static bool same_uri(const struct suri *u, const char *uri)
{
	struct suri mine;

	return uri && !suri_parse_str(&mine, uri) && suri_equal(u, &mine);
}


static bool same_user(const struct suri *u, const char *uri, bool host)
{
	struct suri mine;

	return !suri_parse_str(&mine, uri) && mine.user.l &&
		suri_user_equal(&u->user, &mine.user) &&
		(!host || !pl_casecmp(&u->host, &mine.host));
}


static bool contact_user(const struct suri *u, const char *user)
{
	struct pl pl;

	pl_set_str(&pl, user);

	return *user && suri_user_equal(&u->user, &pl);
}


/*
 * The Request-URI is our GRUU, one of our names, or what we told as Contact:
 * then its user part is ours, and To or the server it came from tells which
 * account is meant when two have the same one.
 */
unsigned sip_ident_match(const struct sip_ident *id, const struct sip_info *in)
{
	struct suri u, to;
	unsigned score = 0, i;

	if (!id || !in || !in->msg || suri_parse(&u, &in->msg->ruri))
		return 0;

	if (same_uri(&u, id->gruu) || same_uri(&u, id->temp_gruu))
		return 100;

	if (same_user(&u, id->aor, true))
		score = 50;
	for (i = 0; i < id->aliasc && !score; i++)
		score = same_user(&u, id->aliasv[i], true) ? 40 : 0;
	if (!score && (contact_user(&u, id->user) ||
		       same_user(&u, id->aor, false)))
		score = 10;
	if (!score)
		return 0;

	if (!suri_parse_str(&to, in->to_uri) && same_user(&to, id->aor, true))
		score += 20;
	if (ident_serves(id, &in->src))
		score += 10;

	return score;
}


struct sip_tls *ident_tls(const struct sip_ident *id)
{
	return id ? id->tls : NULL;
}


/* Whoever is the next hop now may challenge, if it is ours */
static int dialog_digest(struct dialog *d)
{
	char *uri = NULL, *hop = NULL;
	int err;

	d->digest = mem_deref(d->digest);

	err = dialog_uris(d, &uri, &hop);
	if (!err)
		err = ident_digest(&d->digest, d->ident, hop);

	mem_deref(uri);
	mem_deref(hop);

	return err;
}


int ident_dialog(struct dialog **dp, struct sip_stack *s,
		 struct sip_ident *id, const char *uri)
{
	struct dialog *d;
	int err;

	err = dialog_alloc_uac(&d, s, uri, id);
	if (err)
		return err;

	err = dialog_digest(d);
	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


void ident_apply(struct sip_ident *id, struct dialog *d)
{
	if (!id || !d)
		return;

	mem_ref(id);
	mem_deref(d->ident);
	d->ident = id;

	if (dialog_digest(d))
		log_info("a dialog without credentials: no memory");
}


void sip_call_set_ident(struct sip_call *c, struct sip_ident *id)
{
	if (c && c->br)
		ident_apply(id, c->br->dlg);
}
