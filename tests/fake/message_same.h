/**
 * @file message_same.h  Are two decoded messages one and the same?
 */
#ifndef FAKE_MESSAGE_SAME_H
#define FAKE_MESSAGE_SAME_H

#include "priv.h"


/* Slices of the same text: the same place where there is something */
static inline bool pl_same(const struct pl *a, const struct pl *b)
{
	return a->l == b->l && (!a->l || a->p == b->p) && !a->p == !b->p;
}


static inline bool uri_same(const struct uri *a, const struct uri *b)
{
	return pl_same(&a->scheme, &b->scheme) && pl_same(&a->user, &b->user) &&
		pl_same(&a->password, &b->password) &&
		pl_same(&a->host, &b->host) && a->af == b->af &&
		a->port == b->port && pl_same(&a->params, &b->params) &&
		pl_same(&a->headers, &b->headers);
}


static inline bool taddr_same(const struct sip_taddr *a,
			      const struct sip_taddr *b)
{
	return pl_same(&a->dname, &b->dname) && pl_same(&a->auri, &b->auri) &&
		uri_same(&a->uri, &b->uri) && pl_same(&a->params, &b->params) &&
		pl_same(&a->tag, &b->tag) && pl_same(&a->val, &b->val);
}


static inline bool via_same(const struct sip_via *a, const struct sip_via *b)
{
	return a->tp == b->tp && pl_same(&a->sentby, &b->sentby) &&
		!memcmp(&a->addr, &b->addr, sizeof(a->addr)) &&
		pl_same(&a->params, &b->params) &&
		pl_same(&a->branch, &b->branch) && pl_same(&a->val, &b->val);
}


static inline bool header_same(const struct sip_hdr *a,
			       const struct sip_hdr *b)
{
	return a->id == b->id && pl_same(&a->name, &b->name) &&
		pl_same(&a->val, &b->val);
}


static inline bool lines_same(const struct sip_msg *a,
			      const struct sip_msg *b)
{
	const struct le *le = list_head(&a->hdrl), *me = list_head(&b->hdrl);

	for (; le && me; le = le->next, me = me->next) {
		if (!header_same(le->data, me->data))
			return false;
	}

	return !le && !me;
}


struct values {
	const struct sip_hdr *v[512];
	size_t n;
};


static inline bool value_put(const struct sip_hdr *hdr,
			     const struct sip_msg *msg, void *arg)
{
	struct values *v = arg;
	(void)msg;

	if (v->n < COUNTOF(v->v))
		v->v[v->n++] = hdr;

	return false;
}


/* What is found by its number */
static inline bool values_same(const struct sip_msg *a,
			       const struct sip_msg *b)
{
	for (int id = -1; id < 4096; id++) {
		struct values va = {.n = 0}, vb = {.n = 0};

		sip_msg_hdr_apply(a, true, (enum sip_hdrid)id, value_put, &va);
		sip_msg_hdr_apply(b, true, (enum sip_hdrid)id, value_put, &vb);
		if (va.n != vb.n)
			return false;
		for (size_t i = 0; i < va.n; i++) {
			if (!header_same(va.v[i], vb.v[i]))
				return false;
		}
	}

	return true;
}


/** @return what is not the same, NULL: nothing */
static inline const char *message_differs(const struct sip_msg *a,
					  const struct sip_msg *b)
{
	return a->req != b->req ? "kind" :
		!pl_same(&a->ver, &b->ver) ? "version" :
		!pl_same(&a->met, &b->met) ? "method" :
		!pl_same(&a->ruri, &b->ruri) ? "Request-URI" :
		!uri_same(&a->uri, &b->uri) ? "URI" :
		a->scode != b->scode ? "status" :
		!pl_same(&a->reason, &b->reason) ? "reason" :
		!via_same(&a->via, &b->via) ? "Via" :
		!taddr_same(&a->to, &b->to) ? "To" :
		!taddr_same(&a->from, &b->from) ? "From" :
		a->cseq.num != b->cseq.num ||
		!pl_same(&a->cseq.met, &b->cseq.met) ? "CSeq" :
		!pl_same(&a->ctyp.type, &b->ctyp.type) ||
		!pl_same(&a->ctyp.subtype, &b->ctyp.subtype) ||
		!pl_same(&a->ctyp.params, &b->ctyp.params) ? "Content-Type" :
		!pl_same(&a->callid, &b->callid) ? "Call-ID" :
		!pl_same(&a->maxfwd, &b->maxfwd) ? "Max-Forwards" :
		!pl_same(&a->expires, &b->expires) ? "Expires" :
		!pl_same(&a->clen, &b->clen) ? "Content-Length" :
		!lines_same(a, b) ? "headers" :
		!values_same(a, b) ? "values" : NULL;
}

#endif
