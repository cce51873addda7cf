/**
 * @file reason.c  Why a call ends: the Reason header (RFC 3326)
 *
 * Over a connection libre makes the CANCEL by itself, and it hands one that
 * comes in to nobody.  So there a CANCEL that is to say why goes out by our
 * own hand first, and libre's comes as its copy; of one that comes in the
 * tracer sees the text, right before libre serves it.  Main thread.
 */
#include "session.h"


enum { REASON_MAX = 256 };


/* Copied as it came, bounded; what could end a line becomes a space */
static void keep(char **dst, const char *p, size_t len)
{
	char buf[REASON_MAX];
	size_t i, n = 0;

	for (i = 0; i < len && n + 1 < sizeof(buf); i++)
		buf[n++] = (uint8_t)p[i] < ' ' || p[i] == 0x7f ? ' ' : p[i];
	while (n && buf[n - 1] == ' ')
		--n;
	buf[n] = '\0';

	*dst = mem_deref(*dst);
	if (n)
		(void)str_dup(dst, buf);
}


void reason_take(char **dst, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = header_find_name(msg, "Reason");

	if (hdr)
		keep(dst, hdr->val.p, hdr->val.l);
}


void reason_take_cancel(char **dst, const struct sip_stack *s)
{
	if (s->cancel_reason) {
		mem_deref(*dst);
		*dst = mem_ref(s->cancel_reason);
	}
}


void reason_note(struct sip_stack *s, const char *text, size_t len)
{
	static const char name[] = "Reason";
	const char *p = text, *end = text + len;

	if (len < 7 || memcmp(text, "CANCEL ", 7))
		return;

	s->cancel_reason = mem_deref(s->cancel_reason);

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		const char *q = ++p, *stop;

		/* the end of the headers */
		if (p == end || *p == '\r' || *p == '\n')
			return;

		if ((size_t)(end - q) < sizeof(name) ||
		    strncasecmp(q, name, sizeof(name) - 1))
			continue;

		q += sizeof(name) - 1;
		while (q < end && (*q == ' ' || *q == '\t'))
			++q;
		if (q == end || *q != ':')
			continue;
		for (++q; q < end && (*q == ' ' || *q == '\t'); q++)
			;

		stop = memchr(q, '\n', (size_t)(end - q));
		keep(&s->cancel_reason, q, (size_t)((stop ? stop : end) - q));
		return;
	}
}


void reason_default(struct sip_call *c, uint16_t code, const char *text)
{
	if (!c->reason)
		(void)re_sdprintf(&c->reason, "SIP;cause=%u;text=\"%s\"",
				  code, text);
}


void reason_cancel(struct sip_call *c)
{
	const struct target *tg = &c->flow;
	char *uri = NULL, *hop = NULL;
	struct mbuf *mb;
	int err;

	if (!tg->leg || !c->reason || !c->via ||
	    dialog_uris(c->tmpl, &uri, &hop))
		return;

	mb = mbuf_alloc(512);
	if (!mb) {
		err = ENOMEM;
		goto out;
	}

	err = mbuf_printf(mb, "CANCEL %s SIP/2.0\r\n"
			  "Via: SIP/2.0/%s %J;branch=%s;rport\r\n"
			  "Max-Forwards: 70\r\n",
			  uri, sip_transp_name(tg->tp),
			  leg_laddr(tg->leg, tg->tp), c->via);
	if (!err)
		err = dialog_head(c->tmpl, mb, tg, "CANCEL", c->tmpl->lseq,
				  false);
	if (!err)
		err = mbuf_printf(mb, "Reason: %s\r\nUser-Agent: %s\r\n"
				  "Content-Length: 0\r\n\r\n", c->reason,
				  c->stack->user_agent);
	if (!err) {
		mb->pos = 0;
		err = sip_send(tg->leg->sip, NULL, tg->tp, &tg->dst, mb);
	}

 out:
	if (err)
		log_info("call: the CANCEL does not say why: %s",
			 strerror(err));

	mem_deref(uri);
	mem_deref(hop);
	mem_deref(mb);
}


/* One of "SIP;cause=200;text=\"a, b\", Q.850;cause=16" */
static const char *value_end(const char *p)
{
	bool quote = false;

	for (; *p; p++) {
		if (quote && *p == '\\' && p[1])
			++p;
		else if (*p == '"')
			quote = !quote;
		else if (*p == ',' && !quote)
			break;
	}

	return p;
}


static void text_take(char *text, size_t sz, const struct pl *val)
{
	size_t i, n = 0;

	for (i = 0; i < val->l && n + 1 < sz; i++) {
		if (val->p[i] == '"')
			continue;
		if (val->p[i] == '\\' && i + 1 < val->l)
			++i;
		text[n++] = val->p[i];
	}
	text[n] = '\0';
}


int sip_reason_parse(const char *value, const char *protocol,
		     uint32_t *cause, char *text, size_t sz)
{
	const char *p = value, *end;

	if (!value || !protocol || !cause)
		return EINVAL;

	for (; *p; p = *end ? end + 1 : end) {
		struct pl params, val;
		size_t n;

		while (*p == ' ' || *p == '\t')
			++p;
		end = value_end(p);
		n = strcspn(p, "; \t,");

		if (!text_caseeq(p, n, protocol))
			continue;

		params.p = p + n;
		params.l = (size_t)(end - params.p);
		while (params.l && *params.p != ';') {
			++params.p;
			--params.l;
		}

		if (text && sz) {
			*text = '\0';
			if (param_find(&params, "text", &val))
				text_take(text, sz, &val);
		}

		*cause = 0;
		if (param_find(&params, "cause", &val) &&
		    text_u32(cause, val.p, val.l, 65535))
			return EBADMSG;

		return 0;
	}

	return ENOENT;
}
