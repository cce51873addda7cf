/**
 * @file sip/message_value.c  What stands in a plainly written header
 *
 * Main thread, no state.  Addresses, Via, CSeq and the like in the one form in
 * which nearly all are written, read into the structs that libre would have
 * filled; see message.c.
 */
#include "message_value.h"


enum {
	PORT_DIGITS = 5,
	CSEQ_DIGITS = 9,
};

const uint8_t value_kinds[256] = {
	['0' ... '9'] = HOST | USER | PARAM | TOKEN | DIGIT,
	['A' ... 'Z'] = HOST | USER | PARAM | TOKEN | ALPHA,
	['a' ... 'z'] = HOST | USER | PARAM | TOKEN | ALPHA,
	['-'] = HOST | USER | PARAM | TOKEN,
	['.'] = HOST | USER | PARAM | TOKEN,
	['_'] = USER | PARAM | TOKEN,
	['!'] = USER | PARAM | TOKEN,
	['~'] = USER | PARAM | TOKEN,
	['*'] = USER | PARAM | TOKEN,
	['+'] = USER | PARAM | TOKEN,
	['%'] = USER | PARAM | TOKEN,
	['\''] = USER | PARAM | TOKEN,
	['`'] = TOKEN,
	['('] = USER | PARAM, [')'] = USER | PARAM,
	['&'] = USER | PARAM, ['$'] = USER | PARAM,
	['='] = USER | PARAM,
	[';'] = PARAM, [':'] = PARAM, ['/'] = PARAM,
	['['] = PARAM, [']'] = PARAM,
};


/* `host` or `host:port`. @return behind it, NULL: not plain */
static const char *hostport(struct pl *host, uint16_t *port, const char *p,
			    const char *end)
{
	const char *q = span(p, end, HOST);

	if (q == p)
		return NULL;

	piece(host, p, q);
	*port = 0;

	if (q < end && *q == ':') {
		p = q + 1;
		q = span(p, end, DIGIT);
		if (q == p || q - p > PORT_DIGITS)
			return NULL;
		*port = (uint16_t)number(p, q);
	}

	return q;
}


/* What begins with a letter is a name: only digits are worth a look */
static bool address(struct sa *sa, const struct pl *host)
{
	return is(host->p[0], DIGIT) && !sa_set(sa, host, 0);
}


bool value_uri(struct uri *u, const char *p, const char *end)
{
	const char *q = span(p, end, ALPHA);
	struct sa sa;

	memset(u, 0, sizeof(*u));
	if (q == p || q == end || *q != ':')
		return false;

	piece(&u->scheme, p, q);
	p = q + 1;

	q = span(p, end, USER);
	if (q < end && *q == '@') {
		if (q == p)
			return false;
		piece(&u->user, p, q);
		/* as libre says that there is no password */
		piece(&u->password, q, q);
		p = q + 1;
	}

	q = hostport(&u->host, &u->port, p, end);
	if (!q || (q < end && *q != ';') || span(q, end, PARAM) != end)
		return false;

	piece(&u->params, q, end);
	piece(&u->headers, end, end);
	u->af = address(&sa, &u->host) ? sa_af(&sa) : AF_UNSPEC;

	return true;
}


/* The value of `;name=value` in params of that kind; name in small letters.
 * @return false: there is none, or it is written in another way */
static bool param(struct pl *val, const struct pl *params, const char *name,
		  size_t n)
{
	const char *p = params->p, *end = p + params->l;

	while (p < end) {
		const char *next;

		++p;                                    /* ';' */
		next = memchr(p, ';', (size_t)(end - p));
		if (!next)
			next = end;

		if ((size_t)(next - p) > n && p[n] == '=' &&
		    text_caseeq(p, n, name)) {
			piece(val, p + n + 1, next);
			return val->l > 0;
		}
		p = next;
	}

	return false;
}


/* `SIP/2.0/TCP host:port;params` */
static bool via(struct sip_via *v, const struct pl *val)
{
	static const struct {
		char name[5];
		enum sip_transp tp;
	} names[] = {
		{"UDP ", SIP_TRANSP_UDP}, {"TCP ", SIP_TRANSP_TCP},
		{"TLS ", SIP_TRANSP_TLS},
	};
	const char *p = val->p, *end = p + val->l, *q;
	struct pl host;
	uint16_t port;
	size_t i;

	if (val->l < 12 || memcmp(p, "SIP/2.0/", 8))
		return false;

	p += 8;
	for (i = 0; i < COUNTOF(names); i++) {
		if (!memcmp(p, names[i].name, 4))
			break;
	}
	if (i == COUNTOF(names))
		return false;

	p += 4;
	q = hostport(&host, &port, p, end);
	if (!q || q == end || *q != ';' || span(q, end, PARAM) != end)
		return false;

	v->tp = names[i].tp;
	piece(&v->sentby, p, q);
	piece(&v->params, q, end);
	sa_init(&v->addr, AF_INET);
	(void)address(&v->addr, &host);
	if (port)
		sa_set_port(&v->addr, port);
	v->val = *val;

	return param(&v->branch, &v->params, "branch", 6);
}


/* `<uri>;tag=x` or `"name" <uri>;tag=x` */
static bool taddr(struct sip_taddr *a, const struct pl *val)
{
	const char *p = val->p, *end = p + val->l, *q;

	memset(a, 0, sizeof(*a));
	a->val = *val;

	if (*p == '"') {
		for (q = ++p; q < end && (is(*q, TOKEN) || *q == ' '); q++)
			;
		if (q == p || end - q < 3 || memcmp(q, "\" <", 3))
			return false;
		piece(&a->dname, p, q);
		p = q + 2;
	}

	if (p == end || *p != '<')
		return false;

	++p;
	q = memchr(p, '>', (size_t)(end - p));
	if (!q || !value_uri(&a->uri, p, q))
		return false;

	piece(&a->auri, p, q);

	p = q + 1;
	if (p < end) {
		if (*p != ';' || span(p, end, PARAM) != end)
			return false;
		piece(&a->params, p, end);
		if (!param(&a->tag, &a->params, "tag", 3))
			return false;
	}

	return true;
}


static bool cseq(struct sip_cseq *c, const struct pl *val)
{
	const char *p = val->p, *end = p + val->l;
	const char *q = span(p, end, DIGIT);

	if (q == p || q - p > CSEQ_DIGITS || end - q < 2 || *q != ' ' ||
	    span(q + 1, end, TOKEN) != end)
		return false;

	c->num = number(p, q);
	piece(&c->met, q + 1, end);

	return true;
}


static bool ctype(struct msg_ctype *c, const struct pl *val)
{
	const char *p = val->p, *end = p + val->l;
	const char *q = span(p, end, TOKEN), *r;

	if (q == p || q == end || *q != '/')
		return false;

	r = span(q + 1, end, TOKEN);
	if (r == q + 1 || (r < end && *r != ';'))
		return false;

	piece(&c->type, p, q);
	piece(&c->subtype, q + 1, r);
	piece(&c->params, r, end);

	return true;
}


bool value_keep(struct sip_msg *m, enum sip_hdrid id, const struct pl *val)
{
	switch (id) {

	case SIP_HDR_VIA:
		return m->via.sentby.p || via(&m->via, val);

	case SIP_HDR_TO:
		return !m->to.auri.p && taddr(&m->to, val);

	case SIP_HDR_FROM:
		return !m->from.auri.p && taddr(&m->from, val);

	case SIP_HDR_CSEQ:
		return !m->cseq.met.p && cseq(&m->cseq, val);

	case SIP_HDR_CONTENT_TYPE:
		return !m->ctyp.type.p && ctype(&m->ctyp, val);

	case SIP_HDR_CALL_ID:
		m->callid = *val;
		return true;

	case SIP_HDR_MAX_FORWARDS:
		m->maxfwd = *val;
		return true;

	case SIP_HDR_EXPIRES:
		m->expires = *val;
		return true;

	case SIP_HDR_CONTENT_LENGTH:
		m->clen = *val;
		return true;

	default:
		return true;
	}
}
