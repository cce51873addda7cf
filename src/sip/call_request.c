/**
 * @file call_request.c  Requests of the user's inside a call: INFO, OPTIONS ...
 *
 * The request belongs to the user and may outlive the call: it holds the
 * dialog, which sends nothing more once the call has let go of it.  What
 * changes the call itself (INVITE, BYE ...) is not for here.  Main thread.
 */
#include "session.h"
#include "ident.h"


struct extra {
	struct dialog *dlg;
	char *headers;
	char method[];
};


static void extra_destructor(void *arg)
{
	struct extra *x = arg;

	mem_deref(x->dlg);
	mem_deref(x->headers);
}


static int extra_head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct extra *x = arg;
	int err;

	if (!x->dlg->stack)
		return ENOTCONN;

	err = dialog_head(x->dlg, mb, tg, x->method, ++x->dlg->lseq, true);
	if (!err && x->headers)
		err = mbuf_write_str(mb, x->headers);

	return err;
}


static bool extra_method_ok(const char *method)
{
	static const char *const ours[] = {
		"INVITE", "ACK", "CANCEL", "BYE", "PRACK",
	};
	const size_t len = strlen(method);
	size_t i;

	for (i = 0; i < COUNTOF(ours); i++) {
		if (!strcmp(method, ours[i]))
			return false;
	}

	return len && len < 32 &&
		strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		       "abcdefghijklmnopqrstuvwxyz0123456789"
		       "-.!%*_+`'~") == len;
}


/* The dialog that counts, early ones too */
static const struct branch *call_branch(const struct sip_call *c)
{
	switch (c->phase) {

	case PHASE_UP:
	case PHASE_ANSWERED:
		return c->br;

	case PHASE_INCOMING:
		return c->prov_code ? c->br : NULL;

	case PHASE_CALLING:
		return c->told_br ? c->told_br :
			list_ledata(list_head(&c->branches));

	default:
		return NULL;
	}
}


int sip_call_request(struct sip_req **rp, struct sip_call *c,
		     const char *method, const char *headers,
		     const char *ctype, const char *body,
		     sip_req_h *h, void *arg)
{
	struct request_conf conf = {.method = method, .ctype = ctype};
	struct target_list tl;
	struct sip_result res;
	struct extra *x = NULL;
	const struct branch *br;
	struct mbuf *mb = NULL;
	char *uri = NULL, *hop = NULL;
	int err;

	if (!rp || !c || !method || !h || !extra_method_ok(method) ||
	    (headers && !header_lines_ok(headers)) ||
	    (ctype && !header_text_ok(ctype)) || (body && !ctype))
		return EINVAL;
	/* an offer of the user's own would go past the session */
	if (!strcmp(method, "UPDATE") && ctype &&
	    !strncasecmp(ctype, SIP_ACCEPT, strlen(SIP_ACCEPT)))
		return EINVAL;

	br = call_branch(c);
	if (!br)
		return ENOTCONN;

	x = mem_zalloc(sizeof(*x) + strlen(method) + 1, extra_destructor);
	if (!x)
		return ENOMEM;

	x->dlg = mem_ref(br->dlg);
	memcpy(x->method, method, strlen(method) + 1);

	err = headers ? str_dup(&x->headers, headers) : 0;
	if (!err && body) {
		mb = mbuf_alloc(strlen(body) + 1);
		err = mb ? mbuf_write_str(mb, body) : ENOMEM;
		if (!err)
			mb->pos = 0;
	}
	if (!err)
		err = dialog_uris(x->dlg, &uri, &hop);
	if (err)
		goto out;

	conf.uri = uri;
	conf.hop = hop;
	conf.domain = dialog_domain(x->dlg, hop);
	conf.digest = x->dlg->digest;
	conf.tls = ident_tls(x->dlg->ident);
	conf.body = mb;
	if (!dialog_targets(x->dlg, hop, &tl, &res))
		conf.targets = &tl;

	err = sip_req_alloc(rp, c->stack, &conf, extra_head_h, x, h, arg);

 out:
	mem_deref(uri);
	mem_deref(hop);
	mem_deref(mb);
	mem_deref(x);

	return err;
}
