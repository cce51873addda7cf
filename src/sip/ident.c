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


static void ident_destructor(void *arg)
{
	struct sip_ident *id = arg;
	unsigned i;

	for (i = 0; i < id->hopc; i++)
		mem_deref(id->hopv[i]);

	mem_deref(id->aor);
	mem_deref(id->name);
	mem_deref(id->transport);
	mem_deref(id->user);
	mem_deref(id->server);
	mem_deref(id->headers);
	mem_deref(id->creds);
	mem_deref(id->gruu);
}


/* What a user calls a proxy is a loose router */
static int hop_add(struct sip_ident *id, const char *uri)
{
	struct suri u;
	int err;

	if (strlen(uri) > SIP_URI_MAX || suri_parse_str(&u, uri) || !u.sip ||
	    u.headers.p)
		return EINVAL;

	err = re_sdprintf(&id->hopv[id->hopc], "%s%s", uri,
			  param_find(&u.params, "lr", NULL) ? "" : ";lr");
	if (!err)
		++id->hopc;

	return err;
}


static int server_set(struct sip_ident *id, const char *server)
{
	const bool scheme = !strncasecmp(server, "sip:", 4) ||
		!strncasecmp(server, "sips:", 5);
	struct suri u;
	int err;

	err = re_sdprintf(&id->server, "%s%s", scheme ? "" : "sip:", server);
	if (err)
		return err;

	return suri_parse_str(&u, id->server) ? EINVAL : 0;
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


int sip_ident_alloc(struct sip_ident **ip, const struct sip_ident_conf *conf)
{
	struct sip_ident *id;
	struct suri u;
	struct pl user;
	unsigned i;
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
	for (i = 0; i < COUNTOF(conf->routev) && !err; i++) {
		if (given(conf->routev[i]))
			err = hop_add(id, conf->routev[i]);
	}
	if (!err && given(conf->transport))
		err = str_dup(&id->transport, conf->transport);
	if (!err && given(conf->server))
		err = server_set(id, conf->server);
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
	return id && id->hopc ? id->hopv[id->flow] : uri;
}


int ident_routes(const struct sip_ident *id, char *v[], unsigned *n,
		 unsigned max)
{
	int err;

	if (!id->hopc || *n >= max)
		return 0;

	err = re_sdprintf(&v[*n], "<%s>", id->hopv[id->flow]);
	if (!err)
		++*n;

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


struct sip_creds *ident_creds(const struct sip_ident *id, const char *hop)
{
	struct pl host;
	unsigned i;

	if (!id || !id->creds || uri_host(&host, hop))
		return NULL;

	for (i = 0; i < id->hopc; i++) {
		if (same_host(&host, id->hopv[i]))
			return id->creds;
	}

	return same_host(&host, id->aor) || same_host(&host, id->server) ?
		id->creds : NULL;
}


int ident_digest(struct digest **dp, const struct sip_ident *id,
		 const char *hop)
{
	struct sip_creds *creds = ident_creds(id, hop);

	return creds ? digest_alloc(dp, creds) : 0;
}


static const struct sa *seen_as(const struct sip_ident *id,
				const struct sa *local, enum sip_transp tp)
{
	unsigned i;

	for (i = 0; i < id->publicc; i++) {
		const struct ident_public *p = &id->publicv[i];

		if (p->tp == tp && sa_cmp(&p->local, local, SA_ALL))
			return &p->seen;
	}

	return local;
}


int ident_contact(struct mbuf *mb, const struct sip_ident *id,
		  const struct leg *l, enum sip_transp tp)
{
	if (id->gruu)
		return mbuf_printf(mb, "<%s>", id->gruu);

	return mbuf_printf(mb, "<sip:%s%s%J%s%s>", id->user,
			   *id->user ? "@" : "",
			   seen_as(id, leg_laddr(l, tp), tp),
			   sip_transp_param(tp), id->ob ? ";ob" : "");
}


const char *ident_transport(const struct sip_ident *id)
{
	return id ? id->transport : NULL;
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
