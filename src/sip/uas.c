/**
 * @file sip/uas.c  What comes in, in the order of RFC 3261 8.2
 *
 * Main thread, no state.  Behind the gate: a request goes to its dialog, or
 * is inspected (method, Require, body) and refused statelessly, or goes on to
 * who serves it.  Everything ends here.
 */
#include "priv.h"


enum { UNSUPPORTED_MAX = 1024 };

/* What is known of a method, whether we serve it or not */
static const struct method {
	const char *name;
	bool ours;              /* of sessions or of this file; others are
				   for request_h                           */
	bool lone;              /* makes sense outside of a dialog         */
	bool sdp;               /* has no other body                       */
} methods[] = {
	{"INVITE",    true,  true,  true},
	{"BYE",       true,  false, false},
	{"OPTIONS",   true,  true,  false},
	{"INFO",      false, true,  false},
	{"MESSAGE",   false, true,  false},
	{"NOTIFY",    false, true,  false},
	{"PRACK",     true,  false, true},
	{"PUBLISH",   false, true,  false},
	{"REFER",     false, true,  false},
	{"REGISTER",  false, true,  false},
	{"SUBSCRIBE", false, true,  false},
	{"UPDATE",    true,  false, true},
};


/* Names know upper and lower case. @return NULL: nobody has heard of it */
static const struct method *method_find(const struct pl *met)
{
	size_t i;

	for (i = 0; i < COUNTOF(methods); i++) {
		if (!pl_strcmp(met, methods[i].name))
			return &methods[i];
	}

	return NULL;
}


bool method_sdp(const struct pl *met)
{
	const struct method *m = method_find(met);

	return (m && m->sdp) || !pl_strcmp(met, "ACK");
}


uint16_t uas_method_status(const struct pl *met)
{
	return method_find(met) ? 405 : 501;
}


static bool refuse(struct leg *l, const struct sip_msg *msg, uint16_t code,
		   const char *hdrs)
{
	++l->stack->stats.refused;
	(void)stack_reply(l, msg, code, NULL, hdrs);

	return true;
}


static bool refuse_able(struct leg *l, const struct sip_msg *msg,
			uint16_t code, unsigned kinds)
{
	char *lines = NULL;

	(void)ability_lines(&lines, l->stack, kinds);
	(void)refuse(l, msg, code, lines);
	mem_deref(lines);

	return true;
}


/* Is there anybody to serve it? */
static bool method_check(struct leg *l, const struct sip_msg *msg,
			 const struct method *m, const struct dialog *d)
{
	if ((m && m->ours) || (d ? d->request_h || !list_isempty(&d->usages) :
			       l->stack->h.request_h && (!m || m->lone)))
		return false;

	return refuse_able(l, msg, m ? 405 : 501, AB_ALLOW);
}


struct require {
	const struct sip_stack *stack;
	struct mbuf *mb;
};


static bool require_h(const struct pl *val, void *arg)
{
	const struct require *r = arg;
	struct mbuf *mb = r->mb;

	if (ability_has(r->stack, SIP_AB_OPTION, val))
		return false;
	if (mb->end + val->l > UNSUPPORTED_MAX)
		return true;

	(void)mbuf_printf(mb, "%s%r", mb->end ? ", " : "Unsupported: ", val);

	return false;
}


static bool require_check(struct leg *l, const struct sip_msg *msg)
{
	struct require r = {.stack = l->stack};
	struct mbuf *mb;
	char *lines = NULL;

	if (!header_find(msg, SIP_HDR_REQUIRE, "Require", 0))
		return false;

	r.mb = mb = mbuf_alloc(256);
	if (!mb)
		return true;

	(void)header_values(msg, "Require", 0, require_h, &r);

	if (mb->end) {
		(void)mbuf_write_str(mb, "\r\n");
		mb->pos = 0;
		(void)mbuf_strdup(mb, &lines, mb->end);
		(void)refuse(l, msg, 420, lines);
		mem_deref(lines);
	}

	mem_deref(mb);

	/* an empty Require requires nothing, nor does what we support */
	return lines != NULL;
}


static bool identity_h(const struct pl *val, void *arg)
{
	(void)arg;

	return pl_strcasecmp(val, "identity") != 0;
}


/* A body the sender lets us ignore is taken away. @return true: it is */
static bool body_optional(const struct sip_msg *msg)
{
	const struct sip_hdr *h;
	struct pl params, val;
	const char *semi;

	h = header_find(msg, SIP_HDR_CONTENT_DISPOSITION,
			"Content-Disposition", 0);
	semi = h ? memchr(h->val.p, ';', h->val.l) : NULL;
	if (!semi)
		return false;

	params.p = semi;
	params.l = (size_t)(h->val.p + h->val.l - semi);

	if (!param_find(&params, "handling", &val) ||
	    pl_strcasecmp(&val, "optional"))
		return false;

	msg->mb->end = msg->mb->pos;

	return true;
}


/* Types are looked at where only SDP can be meant; others look themselves */
static bool body_check(struct leg *l, const struct sip_msg *msg,
		       const struct method *m)
{
	if (!mbuf_get_left(msg->mb) || (m && m->ours && !m->sdp))
		return false;

	if (header_values(msg, "Content-Encoding", 'e', identity_h, NULL))
		return body_optional(msg) ? false :
			refuse(l, msg, 415, "Accept-Encoding: identity\r\n");

	if (!m || !m->sdp)
		return false;

	if (pl_strcasecmp(&msg->ctyp.type, "application") ||
	    pl_strcasecmp(&msg->ctyp.subtype, "sdp"))
		return body_optional(msg) ? false :
			refuse(l, msg, 415, "Accept: " SIP_ACCEPT ", "
			       SIP_PARTS "\r\n");

	return false;
}


static bool accept_h(const struct pl *val, void *arg)
{
	const char *semi = memchr(val->p, ';', val->l);
	struct pl type = *val;
	(void)arg;

	if (semi)
		type.l = (size_t)(semi - val->p);
	while (type.l && (type.p[type.l - 1] == ' ' ||
			  type.p[type.l - 1] == '\t'))
		--type.l;

	return !pl_strcasecmp(&type, SIP_ACCEPT) ||
		!pl_strcasecmp(&type, "application/*") ||
		!pl_strcasecmp(&type, "*/*");
}


static bool accept_check(struct leg *l, const struct sip_msg *msg)
{
	/* absent: application/sdp is meant */
	if (!header_find(msg, SIP_HDR_ACCEPT, "Accept", 0) ||
	    header_values(msg, "Accept", 0, accept_h, NULL))
		return false;

	return refuse(l, msg, 406, "Accept: " SIP_ACCEPT "\r\n");
}


/* RFC 3261 11.2: the status an INVITE would get, and what we can do */
static void options(struct leg *l, const struct sip_msg *msg)
{
	struct sip_stack *s = l->stack;
	struct mbuf *sdp = NULL;
	struct sip_info in;
	char *lines = NULL;
	int code = 200;

	sip_info_fill(&in, msg);

	if (s->closing)
		code = 503;
	else if (s->h.options_h)
		code = s->h.options_h(&in, s->arg);
	if (code < 200 || code > 699)
		code = 200;

	if (code == 200 && s->h.ability_h &&
	    s->h.ability_h(&sdp, leg_laddr(l, msg->tp), s->arg))
		sdp = NULL;

	(void)ability_lines(&lines, s, AB_ALLOW | AB_ACCEPT | AB_SUPPORTED |
			    AB_EVENTS);
	(void)stack_reply_body(l, msg, (uint16_t)code, NULL, lines,
			       sdp ? SIP_ACCEPT : NULL, sdp);

	mem_deref(lines);
	mem_deref(sdp);
}


static void invite(struct leg *l, const struct sip_msg *msg)
{
	if (l->stack->closing)
		(void)refuse(l, msg, 503, NULL);
	else
		invite_server_request(l, msg);
}


static int other_h(struct sip_rx *rx, const struct sip_info *in, void *arg)
{
	const struct sip_stack *s = arg;

	return in ? s->h.request_h(rx, in, s->arg) : 500;
}


static void other(struct leg *l, const struct sip_msg *msg)
{
	if (l->stack->closing)
		(void)refuse(l, msg, 503, NULL);
	else
		rx_dispatch(l, msg, other_h, l->stack);
}


/* A dialog, or the template that this request makes one of */
static struct dialog *dialog_of(struct sip_stack *s,
				const struct sip_msg *msg)
{
	struct dialog *d = dialog_find(s, msg);

	if (d)
		return d;

	d = dialog_find_template(s, msg);

	return d && d->request_h ? d : NULL;
}


bool uas_request(const struct sip_msg *msg, void *arg)
{
	struct leg *l = arg;
	const bool ack = !pl_strcmp(&msg->met, "ACK");
	const struct method *m;
	struct dialog *d;
	bool inv;

	/* a transaction would have taken it */
	if (!pl_strcmp(&msg->met, "CANCEL"))
		return refuse(l, msg, 481, NULL);

	/* answered for good, and no transaction repeats it */
	if (!ack && keep_repeat(l, msg))
		return true;

	d = dialog_of(l->stack, msg);

	if (ack) {
		if (!d || !d->request_h || !d->request_h(msg, d->arg))
			++l->stack->stats.discarded;
		return true;
	}

	if (!d && filter_request(l, msg))
		return true;

	m = method_find(&msg->met);
	inv = !pl_strcmp(&msg->met, "INVITE");

	if (method_check(l, msg, m, d))
		return true;

	if (!d && (pl_isset(&msg->to.tag) || (m && !m->lone)))
		return refuse(l, msg, 481, NULL);

	if (require_check(l, msg) || body_check(l, msg, m) ||
	    (inv && accept_check(l, msg)))
		return true;

	if (d) {
		if (usage_request(l, d, msg))
			return true;
		if (d->request_h && d->request_h(msg, d->arg))
			return true;

		return refuse(l, msg, 481, NULL);
	}

	if (inv)
		invite(l, msg);
	else if (m && m->ours)
		options(l, msg);
	else
		other(l, msg);

	return true;
}


/* The gate has looked at it */
void uas_response(const struct sip_msg *msg, void *arg)
{
	struct leg *l = arg;

	if (trans_response(l, msg))
		return;

	if (msg->scode < 200 || msg->scode > 299 ||
	    pl_strcmp(&msg->cseq.met, "INVITE") ||
	    !invite_client_response(l, msg))
		++l->stack->stats.discarded;
}
