/**
 * @file sip/standalone.c  A request with one answer
 *
 * Main thread.  Outside of dialogs the lines that name the parties are made
 * here; inside, the dialog's user brings them.  The handler gets the final
 * result once; letting go of the request silences it.
 */
#include <ctype.h>
#include <offhook/random.h>
#include "ident.h"


struct sip_req {
	struct request *req;
	request_head_h *head_h;
	void *head_arg;
	sip_req_h *h;
	void *arg;
};

/* What names the parties outside of a dialog */
struct parties {
	char *from, *to;            /* name-addr, From with its tag        */
	char *routev[SIP_ROUTES_MAX];   /* name-addrs                      */
	unsigned routec;
	struct sip_ident *ident;
	bool contact;
	bool secure;                /* sips: all the way                   */
	char *headers;
	char callid[33];
	uint32_t cseq;
	char name[];                /* of the method                       */
};


static void parties_destructor(void *arg)
{
	struct parties *p = arg;
	unsigned i;

	for (i = 0; i < p->routec; i++)
		mem_deref(p->routev[i]);

	mem_deref(p->from);
	mem_deref(p->to);
	mem_deref(p->ident);
	mem_deref(p->headers);
}


static void sip_req_destructor(void *arg)
{
	struct sip_req *q = arg;

	mem_deref(q->req);
	mem_deref(q->head_arg);
}


static int head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct sip_req *q = arg;

	return q->head_h(mb, tg, q->head_arg);
}


static void resp_h(bool final, const struct sip_result *res,
		   const struct sip_msg *msg, void *arg)
{
	struct sip_req *q = arg;
	struct sip_info in;

	if (!final)
		return;

	if (msg)
		sip_info_fill(&in, msg);

	q->h(res, msg ? &in : NULL, q->arg);
}


int sip_req_alloc(struct sip_req **rp, struct sip_stack *s,
		  const struct request_conf *conf, request_head_h *headh,
		  void *head_arg, sip_req_h *h, void *arg)
{
	struct sip_req *q;
	int err;

	if (!rp || !h || !headh)
		return EINVAL;

	q = mem_zalloc(sizeof(*q), sip_req_destructor);
	if (!q)
		return ENOMEM;

	q->head_h = headh;
	q->head_arg = mem_ref(head_arg);
	q->h = h;
	q->arg = arg;

	err = request_send(&q->req, s, conf, head_h, resp_h, q);
	if (err)
		mem_deref(q);
	else
		*rp = q;

	return err;
}


static int parties_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct parties *p = arg;
	unsigned i;
	int err = 0;

	for (i = 0; i < p->routec && !err; i++)
		err = mbuf_printf(mb, "Route: %s\r\n", p->routev[i]);
	if (!err)
		err = mbuf_printf(mb, "From: %s\r\nTo: %s\r\n"
				  "Call-ID: %s\r\nCSeq: %u %s\r\n",
				  p->from, p->to, p->callid, ++p->cseq,
				  p->name);
	if (!err && p->contact) {
		err = mbuf_write_str(mb, "Contact: ");
		if (!err)
			err = ident_contact(mb, p->ident, tg->leg, tg->tp,
					    p->secure);
		if (!err)
			err = mbuf_write_str(mb, "\r\n");
	}
	if (!err && p->ident->headers)
		err = mbuf_write_str(mb, p->ident->headers);
	if (!err && p->headers)
		err = mbuf_write_str(mb, p->headers);

	return err;
}


static int addr_dup(char **dst, const char *name, const char *uri, bool tag)
{
	struct mbuf *mb = mbuf_alloc(256);
	int err;

	if (!mb)
		return ENOMEM;

	err = header_print_addr(mb, name, uri);
	if (!err && tag)
		err = mbuf_printf(mb, ";tag=%016llx", random_u64());
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, dst, mb->end);
	}

	mem_deref(mb);

	return err;
}


/* Methods whose peer may want to reach us afterwards */
static bool wants_contact(const char *method)
{
	return !strcmp(method, "OPTIONS") || !strcmp(method, "SUBSCRIBE") ||
		!strcmp(method, "REFER");
}


static bool method_ok(const char *method)
{
	const char *p;

	/* INVITE makes dialogs, ACK and CANCEL belong to one */
	if (!strcmp(method, "INVITE") || !strcmp(method, "ACK") ||
	    !strcmp(method, "CANCEL"))
		return false;

	for (p = method; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("-.!%*_+`'~", *p))
			return false;
	}

	return p > method && p - method < 32;
}


static int parties_alloc(struct parties **pp, const struct sip_req_conf *c)
{
	struct parties *p;
	struct suri u;
	int err = 0;

	if (!method_ok(c->method) || suri_parse_str(&u, c->uri) ||
	    (c->to && suri_parse_str(&u, c->to)) ||
	    (c->headers && !header_lines_ok(c->headers)) ||
	    (c->ctype && !header_text_ok(c->ctype)))
		return EINVAL;

	p = mem_zalloc(sizeof(*p) + strlen(c->method) + 1,
		       parties_destructor);
	if (!p)
		return ENOMEM;

	strcpy(p->name, c->method);
	p->ident = mem_ref(c->ident);
	p->contact = wants_contact(c->method) && !c->anonymous;
	p->secure = !strncasecmp(c->uri, "sips:", 5) ||
		!strncasecmp(sip_ident_hop(c->ident, c->uri), "sips:", 5);
	p->cseq = random_u16();
	(void)snprintf(p->callid, sizeof(p->callid), "%016llx%016llx",
		       (unsigned long long)random_u64(),
		       (unsigned long long)random_u64());

	err = c->anonymous ?
		addr_dup(&p->from, "Anonymous",
			 "sip:anonymous@anonymous.invalid", true) :
		addr_dup(&p->from, c->ident->name, c->ident->aor, true);
	if (!err)
		err = addr_dup(&p->to, NULL, c->to ? c->to : c->uri, false);

	if (!err)
		err = ident_routes(c->ident, p->routev, &p->routec,
				   SIP_ROUTES_MAX);
	if (!err && c->headers)
		err = str_dup(&p->headers, c->headers);

	if (err)
		mem_deref(p);
	else
		*pp = p;

	return err;
}


int sip_req_send(struct sip_req **rp, struct sip_stack *s,
		 const struct sip_req_conf *c, sip_req_h *h, void *arg)
{
	struct request_conf conf = {0};
	struct digest *digest = NULL;
	struct parties *p = NULL;
	struct mbuf *body = NULL;
	char *hop = NULL;
	int err;

	if (!rp || !s || !c || !c->method || !c->uri || !c->ident || !h)
		return EINVAL;

	err = parties_alloc(&p, c);
	if (err)
		return err;

	if (c->body) {
		body = mbuf_alloc(strlen(c->body) + 1);
		err = body ? mbuf_write_str(body, c->body) : ENOMEM;
		if (err)
			goto out;
		body->pos = 0;
	}

	conf.method = c->method;
	conf.uri = c->uri;
	err = target_hop(&hop, c->uri, sip_ident_hop(c->ident, c->uri));
	if (err)
		goto out;
	conf.hop = hop;
	conf.transport = c->ident->transport;
	conf.tls = c->ident->tls;
	conf.ctype = c->ctype;
	conf.body = body;
	conf.timeout_ms = c->timeout_ms;

	err = ident_digest(&digest, c->ident, conf.hop);
	if (err)
		goto out;
	conf.digest = digest;

	err = sip_req_alloc(rp, s, &conf, parties_h, p, h, arg);

 out:
	mem_deref(p);
	mem_deref(hop);
	mem_deref(body);
	mem_deref(digest);

	return err;
}
