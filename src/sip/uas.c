/**
 * @file sip/uas.c  What comes in, in the order of RFC 3261 8.2
 *
 * Main thread, no state.  Behind the gate: a request goes to its dialog, or
 * is inspected (method, Require, body) and refused statelessly, or goes on to
 * who serves it.  Everything ends here: libre's own fallback must never see a
 * message, it prints to the terminal.
 */
#include "priv.h"


enum { UNSUPPORTED_MAX = 1024 };

/* Methods that exist; those not in SIP_ALLOW get 405, all others 501 */
static const char *const known[] = {
	"REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "MESSAGE",
	"INFO", "PRACK", "UPDATE",
};

static const char *const allowed[] = {
	"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS",
};


static bool is_one(const struct pl *met, const char *const *v, size_t n)
{
	while (n--) {
		if (!pl_strcmp(met, v[n]))
			return true;
	}

	return false;
}


static bool refuse(struct leg *l, const struct sip_msg *msg, uint16_t code,
		   const char *hdrs)
{
	++l->stack->stats.refused;
	(void)stack_reply(l, msg, code, NULL, hdrs);

	return true;
}


static bool method_check(struct leg *l, const struct sip_msg *msg)
{
	if (is_one(&msg->met, allowed, COUNTOF(allowed)))
		return false;

	return refuse(l, msg, is_one(&msg->met, known, COUNTOF(known)) ?
		      405 : 501, "Allow: " SIP_ALLOW "\r\n");
}


/* We support no extension that may be required */
static bool require_h(const struct pl *val, void *arg)
{
	struct mbuf *mb = arg;

	if (mb->end + val->l > UNSUPPORTED_MAX)
		return true;

	(void)mbuf_printf(mb, "%s%r", mb->end ? ", " : "Unsupported: ", val);

	return false;
}


static bool require_check(struct leg *l, const struct sip_msg *msg)
{
	struct mbuf *mb;
	char *lines = NULL;

	if (!header_find(msg, SIP_HDR_REQUIRE, "Require", 0))
		return false;

	mb = mbuf_alloc(256);
	if (!mb)
		return true;

	(void)header_values(msg, "Require", 0, require_h, mb);

	if (mb->end) {
		(void)mbuf_write_str(mb, "\r\n");
		mb->pos = 0;
		(void)mbuf_strdup(mb, &lines, mb->end);
		(void)refuse(l, msg, 420, lines);
		mem_deref(lines);
	}

	mem_deref(mb);

	/* an empty Require requires nothing */
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


/* Bodies matter in INVITE only: no other method we serve uses one */
static bool body_check(struct leg *l, const struct sip_msg *msg)
{
	if (!mbuf_get_left(msg->mb))
		return false;

	if (header_values(msg, "Content-Encoding", 'e', identity_h, NULL))
		return body_optional(msg) ? false :
			refuse(l, msg, 415, "Accept-Encoding: identity\r\n");

	if (pl_strcasecmp(&msg->ctyp.type, "application") ||
	    pl_strcasecmp(&msg->ctyp.subtype, "sdp"))
		return body_optional(msg) ? false :
			refuse(l, msg, 415, "Accept: " SIP_ACCEPT "\r\n");

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

	(void)stack_reply_body(l, msg, (uint16_t)code, NULL,
			       "Allow: " SIP_ALLOW "\r\n"
			       "Accept: " SIP_ACCEPT "\r\n"
			       "Accept-Encoding: identity\r\n"
			       "Supported: " SIP_SUPPORTED "\r\n",
			       sdp ? SIP_ACCEPT : NULL, sdp);

	mem_deref(sdp);
}


static void invite(struct leg *l, const struct sip_msg *msg)
{
	if (body_check(l, msg) || accept_check(l, msg))
		return;

	if (l->stack->closing)
		(void)refuse(l, msg, 503, NULL);
	else
		invite_server_request(l, msg);
}


bool uas_request(const struct sip_msg *msg, void *arg)
{
	struct leg *l = arg;
	const bool ack = !pl_strcmp(&msg->met, "ACK");
	const bool cancel = !pl_strcmp(&msg->met, "CANCEL");
	struct dialog *d;

	/* a transaction would have taken it */
	if (cancel)
		return refuse(l, msg, 481, NULL);

	/* the dialog of a BYE is gone, or will not take it twice */
	if ((!pl_strcmp(&msg->met, "BYE") || !pl_strcmp(&msg->met, "INVITE"))
	    && keep_repeat(l, msg))
		return true;

	d = dialog_find(l->stack, msg);

	if (ack) {
		if (!d || !d->request_h || !d->request_h(msg, d->arg))
			++l->stack->stats.discarded;
		return true;
	}

	if (method_check(l, msg))
		return true;

	if (!d && pl_isset(&msg->to.tag))
		return refuse(l, msg, 481, NULL);

	if (require_check(l, msg))
		return true;

	if (d) {
		const bool inv = !pl_strcmp(&msg->met, "INVITE");

		if (inv && (body_check(l, msg) || accept_check(l, msg)))
			return true;

		if (d->request_h && d->request_h(msg, d->arg))
			return true;

		return refuse(l, msg, 481, NULL);
	}

	if (!pl_strcmp(&msg->met, "INVITE"))
		invite(l, msg);
	else if (!pl_strcmp(&msg->met, "OPTIONS"))
		options(l, msg);
	else
		(void)refuse(l, msg, 481, NULL);     /* BYE */

	return true;
}


/* What no transaction took; the gate has looked at it */
static bool response_h(const struct sip_msg *msg, void *arg)
{
	struct leg *l = arg;

	if (msg->scode < 200 || msg->scode > 299 ||
	    pl_strcmp(&msg->cseq.met, "INVITE") ||
	    !invite_client_response(l, msg))
		++l->stack->stats.discarded;

	return true;
}


int uas_listen(struct leg *l)
{
	int err = sip_listen(NULL, l->sip, true, uas_request, l);

	return err ? err : sip_listen(NULL, l->sip, false, response_h, l);
}
