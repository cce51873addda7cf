/**
 * @file reason.c  Why a call ends: the Reason header (RFC 3326)
 *
 * Of BYE, CANCEL and the refusal of an INVITE, both ways.  Main thread.
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


void reason_default(struct sip_call *c, uint16_t code, const char *text)
{
	if (!c->reason)
		(void)re_sdprintf(&c->reason, "SIP;cause=%u;text=\"%s\"",
				  code, text);
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
