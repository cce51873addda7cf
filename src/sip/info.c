/**
 * @file sip/info.c  What a message says, for those who know no libre
 *
 * Main thread, no state.  Text is copied as it came, cut to its field:
 * whoever shows it escapes it.
 */
#include "priv.h"


/* Copy what fits; line folding becomes a space */
static void take(char *dst, size_t sz, const struct pl *pl)
{
	const char *const p = pl->p;
	size_t i, n = 0;

	/* as it is, nearly always up to its end */
	while (p && n < pl->l && n + 1 < sz &&
	       ((uint8_t)p[n] > ' ' ||
		(p[n] == ' ' && n && p[n - 1] != ' ')))
		++n;
	if (n)
		memcpy(dst, p, n);

	for (i = n; pl->p && i < pl->l && n + 1 < sz; i++) {
		char c = pl->p[i];

		if (c == '\r' || c == '\n' || c == '\t')
			c = ' ';
		if (c == ' ' && n && dst[n - 1] == ' ')
			continue;
		dst[n++] = c;
	}

	dst[n] = '\0';
}


/* A display name without its backslashes */
static void take_name(char *dst, size_t sz, const struct pl *pl)
{
	char *r, *w;

	take(dst, sz, pl);

	for (r = w = dst; *r; r++) {
		if (*r == '\\' && r[1])
			++r;
		*w++ = *r;
	}

	*w = '\0';
}


static void take_header(char *dst, size_t sz, const struct sip_hdr *hdr)
{
	if (hdr)
		take(dst, sz, &hdr->val);
	else
		*dst = '\0';
}


void sip_info_fill(struct sip_info *in, const struct sip_msg *msg)
{
	const struct sip_hdr *ua = NULL;
	struct addr_parts a;
	struct suri u;
	struct pl uri;

	in->msg = msg;
	in->src = msg->src;
	in->tp = msg->tp;
	in->code = msg->scode;

	take(in->method, sizeof(in->method),
	     msg->req ? &msg->met : &msg->cseq.met);

	if (addr_parse(&a, &msg->from.val))
		memset(&a, 0, sizeof(a));
	take(in->from_uri, sizeof(in->from_uri), &a.uri);
	take_name(in->from_name, sizeof(in->from_name), &a.name);

	if (addr_parse(&a, &msg->to.val))
		memset(&a, 0, sizeof(a));
	take(in->to_uri, sizeof(in->to_uri), &a.uri);

	memset(&u, 0, sizeof(u));
	if (msg->req && suri_parse(&u, &msg->ruri))
		memset(&u, 0, sizeof(u));
	take(in->ruri_user, sizeof(in->ruri_user), &u.user);
	take(in->ruri_host, sizeof(in->ruri_host), &u.host);

	if (header_contact(msg, &uri))
		uri = (struct pl)PL_INIT;
	take(in->contact, sizeof(in->contact), &uri);

	take(in->callid, sizeof(in->callid), &msg->callid);
	take(in->reason, sizeof(in->reason), &msg->reason);

	if (!msg->req)
		ua = header_find(msg, SIP_HDR_SERVER, "Server", 0);
	if (!ua)
		ua = header_find(msg, SIP_HDR_USER_AGENT, "User-Agent", 0);
	take_header(in->user_agent, sizeof(in->user_agent), ua);
}


int sip_info_header(const struct sip_info *in, const char *name,
		    char *buf, size_t sz)
{
	const struct sip_hdr *hdr;

	if (!in || !in->msg || !name || !buf || !sz)
		return EINVAL;

	hdr = header_find_name(in->msg, name);
	if (!hdr)
		return ENOENT;
	if (hdr->val.l >= sz)
		return EOVERFLOW;

	take(buf, sz, &hdr->val);

	return 0;
}


bool sip_info_sips(const struct sip_info *in)
{
	return in && in->msg && in->msg->ruri.l > 5 &&
		!strncasecmp(in->msg->ruri.p, "sips:", 5);
}


/* Who warns is told by a pseudonym: the address may be none of his business */
bool sip_warning(char *buf, size_t sz, uint16_t code, const char *text)
{
	const int n = snprintf(buf, sz, "Warning: %u offhook \"%s\"\r\n",
			       code, text);

	if (n > 0 && (size_t)n < sz)
		return true;

	*buf = '\0';

	return false;
}


void sip_result_status(struct sip_result *res, const struct sip_msg *msg)
{
	uint32_t s;

	memset(res, 0, sizeof(*res));

	res->remote = true;
	res->code = msg->scode;
	take(res->reason, sizeof(res->reason), &msg->reason);

	if (msg->scode >= 300) {
		res->cause = SIP_CAUSE_STATUS;

		if (!header_u32(msg, "Retry-After", UINT32_MAX, &s))
			res->retry_after_s = s;
	}
}


const char *sip_cause_name(enum sip_cause cause)
{
	switch (cause) {

	case SIP_CAUSE_NONE:      return "none";
	case SIP_CAUSE_RESOLVE:   return "resolve";
	case SIP_CAUSE_TRANSPORT: return "transport";
	case SIP_CAUSE_TIMEOUT:   return "timeout";
	case SIP_CAUSE_AUTH:      return "auth";
	case SIP_CAUSE_STATUS:    return "status";
	case SIP_CAUSE_CANCELLED: return "cancelled";
	case SIP_CAUSE_NO_ANSWER: return "no-answer";
	case SIP_CAUSE_MEDIA:     return "media";
	case SIP_CAUSE_PROTOCOL:  return "protocol";
	case SIP_CAUSE_LOCAL:     return "local";
	}

	return "unknown";
}


enum sip_cause sip_cause_find(const char *name)
{
	for (int i = SIP_CAUSE_NONE; i <= SIP_CAUSE_LOCAL; i++) {
		if (!strcmp(name, sip_cause_name((enum sip_cause)i)))
			return (enum sip_cause)i;
	}

	return SIP_CAUSE_NONE;
}


static const struct phrase {
	uint16_t code;
	const char *text;
} phrases[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{181, "Call Is Being Forwarded"},
	{182, "Queued"},
	{183, "Session Progress"},
	{199, "Early Dialog Terminated"},
	{200, "OK"},
	{202, "Accepted"},
	{204, "No Notification"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{305, "Use Proxy"},
	{380, "Alternative Service"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{412, "Conditional Request Failed"},
	{413, "Request Entity Too Large"},
	{414, "Request-URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{422, "Session Interval Too Small"},
	{423, "Interval Too Brief"},
	{430, "Flow Failed"},
	{433, "Anonymity Disallowed"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{484, "Address Incomplete"},
	{485, "Ambiguous"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{469, "Bad Info Package"},
	{489, "Bad Event"},
	{491, "Request Pending"},
	{493, "Undecipherable"},
	{494, "Security Agreement Required"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
	{580, "Precondition Failure"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
	{607, "Unwanted"},
	{608, "Rejected"},
};


const char *sip_phrase(uint16_t code)
{
	size_t lo = 0, hi = COUNTOF(phrases);

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (phrases[mid].code == code)
			return phrases[mid].text;
		if (phrases[mid].code < code)
			lo = mid + 1;
		else
			hi = mid;
	}

	return "Unknown";
}
