/**
 * @file sip/registration_way.c  Where a REGISTER goes
 *
 * The Request-URI names the registrar (RFC 3261 10.2), the next hop may be a
 * proxy before it; a redirection changes either until the next failure.
 * Service-Route is for other requests.  Also the question without a Contact,
 * which changes nothing at the registrar.  Main thread.
 */
#include <offhook/random.h>
#include "registration.h"


struct sip_reg_query {
	struct reg_way way;
	struct sip_ident *id;
	struct request *req;
	struct digest *digest;
	sip_reg_fetch_h *h;
	void *arg;
};


/* "sip:host:port" of a URI: no user, nothing about the way there */
static int domain_uri(char **dst, const char *uri)
{
	struct suri u;

	if (suri_parse_str(&u, uri) || !u.sip)
		return EINVAL;

	return re_sdprintf(dst, u.port ? "%r:%s%r%s:%u" : "%r:%s%r%s",
			   &u.scheme, u.v6 ? "[" : "", &u.host,
			   u.v6 ? "]" : "", u.port);
}


void reg_way_reset(struct reg_way *w)
{
	w->uri = mem_deref(w->uri);
	w->hop = mem_deref(w->hop);
}


int reg_way_home(struct reg_way *w)
{
	const struct ident_flow *f = &w->id->flowv[w->flow];
	const char *server = f->server ? f->server : w->id->aor;
	int err;

	reg_way_reset(w);
	w->proxied = f->hop != NULL;
	w->moved = false;

	err = domain_uri(&w->uri, server);
	if (err)
		return err;

	/* a domain is looked up without what else is in our address */
	return str_dup(&w->hop, f->hop ? f->hop : f->server ? f->server :
		       w->uri);
}


int reg_way_init(struct reg_way *w, const struct sip_ident *id, unsigned flow)
{
	w->id = id;
	w->flow = flow;
	w->cseq = random_u16();
	(void)snprintf(w->callid, sizeof(w->callid), "%016llx%016llx",
		       (unsigned long long)random_u64(),
		       (unsigned long long)random_u64());
	(void)snprintf(w->tag, sizeof(w->tag), "%016llx",
		       (unsigned long long)random_u64());

	return reg_way_home(w);
}


int reg_way_follow(struct reg_way *w, const struct sip_msg *msg)
{
	const bool proxy = msg->scode == 305;
	char *uri = NULL, *hop = NULL;
	struct suri u;
	struct pl pl;
	int err;

	err = header_contact(msg, &pl);
	if (!err && (pl.l > SIP_URI_MAX || suri_parse(&u, &pl) || !u.sip))
		err = EBADMSG;
	if (!err)
		err = pl_strdup(&hop, &pl);
	if (!err && !proxy)
		err = domain_uri(&uri, hop);
	if (err)
		goto out;

	if (proxy ? !strcmp(hop, w->hop) : !strcmp(uri, w->uri)) {
		err = ELOOP;
		goto out;
	}

	if (proxy) {
		w->proxied = true;
	}
	else {
		mem_deref(w->uri);
		w->uri = mem_ref(uri);
	}

	w->moved = true;

	/* our own proxy stays between us and another registrar */
	if (proxy || !w->proxied) {
		mem_deref(w->hop);
		w->hop = mem_ref(hop);
	}

 out:
	mem_deref(uri);
	mem_deref(hop);

	return err;
}


/* Which bindings are there? ------------------------------------------------ */

static void query_destructor(void *arg)
{
	struct sip_reg_query *q = arg;

	mem_deref(q->req);
	mem_deref(q->digest);
	reg_way_reset(&q->way);
	mem_deref(q->id);
}


static int query_head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct sip_reg_query *q = arg;
	(void)tg;

	return reg_way_head(&q->way, mb);
}


static void query_resp_h(bool final, const struct sip_result *res,
			 const struct sip_msg *msg, void *arg)
{
	const struct binding_ask ask = {.uri = NULL};
	struct sip_reg_query *q = arg;
	struct binding_list *list;

	if (!final)
		return;

	list = mem_zalloc(sizeof(*list), NULL);
	if (!list || res->code < 200 || res->code > 299) {
		q->h(res, NULL, 0, q->arg);
	}
	else {
		binding_read(list, msg, &ask);
		q->h(res, list->v, list->n, q->arg);
	}

	mem_deref(list);
}


int sip_reg_fetch(struct sip_reg_query **qp, struct sip_stack *s,
		  struct sip_ident *ident, sip_reg_fetch_h *h, void *arg)
{
	struct request_conf conf = {.method = "REGISTER"};
	struct sip_reg_query *q;
	int err;

	if (!qp || !s || !ident || !h)
		return EINVAL;

	q = mem_zalloc(sizeof(*q), query_destructor);
	if (!q)
		return ENOMEM;

	q->id = mem_ref(ident);
	q->h = h;
	q->arg = arg;

	err = reg_way_init(&q->way, ident, ident->flow);
	if (!err)
		err = ident_digest(&q->digest, ident, q->way.hop);
	if (err)
		goto out;

	conf.uri = q->way.uri;
	conf.hop = q->way.hop;
	conf.transport = ident->transport;
	conf.tls = ident->tls;
	conf.digest = q->digest;

	err = request_send(&q->req, s, &conf, query_head_h, query_resp_h, q);

 out:
	if (err)
		mem_deref(q);
	else
		*qp = q;

	return err;
}
