/**
 * @file sip/message.c  A message that is written plainly, decoded at once
 *
 * Main thread, no state.  libre's decoder takes every form that the grammar
 * has, with a search for each piece of each header, and most of the work of a
 * call was in it.  Nearly all messages are written in one form, though: no
 * folded lines, no quotes where none are needed, one blank where there may be
 * many.  Those are read here, each byte once or twice, into the very struct
 * that libre would have made; what is written in any other way, or is wrong,
 * is libre's as before.  So there is one meaning of a message, libre's: a
 * test and a fuzzer hold both beside each other.
 */
#include "priv.h"
#include "message.h"
#include "offhook/random.h"


enum {
	HEADERS_MAX  = 256,      /* more is not what is written plainly     */
	HASH_BUCKETS = 32,
	PORT_DIGITS  = 5,
	CSEQ_DIGITS  = 9,
};

/* Where a character may stand */
enum { HOST = 1, USER = 2, PARAM = 4, TOKEN = 8, DIGIT = 16, ALPHA = 32 };

static const uint8_t kinds[256] = {
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

/* the message first: who has it frees it with mem_deref */
struct message {
	struct sip_msg m;
	struct sip_hdr hdr[];
};


static bool is(char c, uint8_t kind)
{
	return kinds[(uint8_t)c] & kind;
}


/* @return behind the characters of that kind */
static const char *span(const char *p, const char *end, uint8_t kind)
{
	while (p < end && is(*p, kind))
		++p;

	return p;
}


static void piece(struct pl *pl, const char *p, const char *end)
{
	pl->p = p;
	pl->l = (size_t)(end - p);
}


/* At most nine digits: they fit */
static uint32_t number(const char *p, const char *end)
{
	uint32_t n = 0;

	while (p < end)
		n = 10 * n + (uint32_t)(*p++ - '0');

	return n;
}


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


/* `sip:user@host:port;params`, where all but the host may be missing */
static bool uri(struct uri *u, const char *p, const char *end)
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
	if (!q || !uri(&a->uri, p, q))
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


/* What libre keeps of a header beside the list. @return false: not plain */
static bool known(struct sip_msg *m, enum sip_hdrid id, const struct pl *val)
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


/* libre's number of a header: of a short name its long one's, else a hash;
 * none of what is private */
static enum sip_hdrid header_id(const char *p, size_t n)
{
	static const enum sip_hdrid brief['z' - 'a' + 1] = {
		['a' - 'a'] = SIP_HDR_ACCEPT_CONTACT,
		['b' - 'a'] = SIP_HDR_REFERRED_BY,
		['c' - 'a'] = SIP_HDR_CONTENT_TYPE,
		['d' - 'a'] = SIP_HDR_REQUEST_DISPOSITION,
		['e' - 'a'] = SIP_HDR_CONTENT_ENCODING,
		['f' - 'a'] = SIP_HDR_FROM,
		['i' - 'a'] = SIP_HDR_CALL_ID,
		['j' - 'a'] = SIP_HDR_REJECT_CONTACT,
		['k' - 'a'] = SIP_HDR_SUPPORTED,
		['l' - 'a'] = SIP_HDR_CONTENT_LENGTH,
		['m' - 'a'] = SIP_HDR_CONTACT,
		['n' - 'a'] = SIP_HDR_IDENTITY_INFO,
		['o' - 'a'] = SIP_HDR_EVENT,
		['r' - 'a'] = SIP_HDR_REFER_TO,
		['s' - 'a'] = SIP_HDR_SUBJECT,
		['t' - 'a'] = SIP_HDR_TO,
		['u' - 'a'] = SIP_HDR_ALLOW_EVENTS,
		['v' - 'a'] = SIP_HDR_VIA,
		['x' - 'a'] = SIP_HDR_SESSION_EXPIRES,
		['y' - 'a'] = SIP_HDR_IDENTITY,
	};
	uint32_t hash = 0;
	size_t i;

	if (n == 1)
		return is(*p, ALPHA) && brief[(*p | 0x20) - 'a'] ?
			brief[(*p | 0x20) - 'a'] : SIP_HDR_NONE;
	if ((*p | 0x20) == 'x' && p[1] == '-')
		return SIP_HDR_NONE;

	/* Jenkins' one at a time, of small letters */
	for (i = 0; i < n; i++) {
		hash += (uint8_t)(is(p[i], ALPHA) ? p[i] | 0x20 : p[i]);
		hash += hash << 10;
		hash ^= hash >> 6;
	}
	hash += hash << 3;
	hash ^= hash >> 11;
	hash += hash << 15;

	return (enum sip_hdrid)(hash & 0xfff);
}


/* Those whose values libre splits at commas */
static bool is_list(enum sip_hdrid id)
{
	switch (id) {

	case SIP_HDR_ACCEPT:
	case SIP_HDR_ACCEPT_CONTACT:
	case SIP_HDR_ACCEPT_ENCODING:
	case SIP_HDR_ACCEPT_LANGUAGE:
	case SIP_HDR_ACCEPT_RESOURCE_PRIORITY:
	case SIP_HDR_ALERT_INFO:
	case SIP_HDR_ALLOW:
	case SIP_HDR_ALLOW_EVENTS:
	case SIP_HDR_AUTHENTICATION_INFO:
	case SIP_HDR_CALL_INFO:
	case SIP_HDR_CONTACT:
	case SIP_HDR_CONTENT_ENCODING:
	case SIP_HDR_CONTENT_LANGUAGE:
	case SIP_HDR_ERROR_INFO:
	case SIP_HDR_HISTORY_INFO:
	case SIP_HDR_IN_REPLY_TO:
	case SIP_HDR_P_ASSERTED_IDENTITY:
	case SIP_HDR_P_ASSOCIATED_URI:
	case SIP_HDR_P_EARLY_MEDIA:
	case SIP_HDR_P_MEDIA_AUTHORIZATION:
	case SIP_HDR_P_PREFERRED_IDENTITY:
	case SIP_HDR_P_REFUSED_URI_LIST:
	case SIP_HDR_P_VISITED_NETWORK_ID:
	case SIP_HDR_PATH:
	case SIP_HDR_PERMISSION_MISSING:
	case SIP_HDR_PROXY_REQUIRE:
	case SIP_HDR_REASON:
	case SIP_HDR_RECORD_ROUTE:
	case SIP_HDR_REJECT_CONTACT:
	case SIP_HDR_REQUEST_DISPOSITION:
	case SIP_HDR_REQUIRE:
	case SIP_HDR_RESOURCE_PRIORITY:
	case SIP_HDR_ROUTE:
	case SIP_HDR_SECURITY_CLIENT:
	case SIP_HDR_SECURITY_SERVER:
	case SIP_HDR_SECURITY_VERIFY:
	case SIP_HDR_SERVICE_ROUTE:
	case SIP_HDR_SUPPORTED:
	case SIP_HDR_TRIGGER_CONSENT:
	case SIP_HDR_UNSUPPORTED:
	case SIP_HDR_VIA:
	case SIP_HDR_WARNING:
		return true;

	default:
		return false;
	}
}


/* The first line. @return false: not plain */
static bool start(struct sip_msg *m, const char *p, const char *end)
{
	const char *q = memchr(p, ' ', (size_t)(end - p)), *r;

	r = q ? memchr(q + 1, ' ', (size_t)(end - q - 1)) : NULL;
	if (!r || q == p || r == q + 1)
		return false;

	if (end - r == 8 && !memcmp(r, " SIP/2.0", 8)) {
		m->req = true;
		piece(&m->met, p, q);
		piece(&m->ruri, q + 1, r);
		piece(&m->ver, r + 1, end);

		return span(p, q, TOKEN) == q && uri(&m->uri, q + 1, r);
	}

	if (q - p != 7 || memcmp(p, "SIP/2.0", 7) || r - q != 4 ||
	    q[1] == '0' || span(q + 1, r, DIGIT) != r)
		return false;

	piece(&m->ver, p, q);
	m->scode = (uint16_t)number(q + 1, r);
	piece(&m->reason, r + 1, end);

	return true;
}


/* How many headers there can be, at most. @return 0: not plain, or not all
 *  is there */
static size_t count(const char *p, const char *end, const char **body)
{
	size_t n = 0;

	for (;;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *c;
		size_t commas = 0;

		/* each line is ended by both, and is not folded */
		if (!nl || nl == p || nl[-1] != '\r' ||
		    memchr(p, '\r', (size_t)(nl - p - 1)))
			return 0;

		if (nl - p == 1) {
			*body = nl + 1;
			return n;
		}

		if (*p == ' ' || *p == '\t')
			return 0;

		for (c = p; (c = memchr(c, ',', (size_t)(nl - c))); c++)
			++commas;

		n += commas ? commas + 2 : 1;
		if (n > HEADERS_MAX)
			return 0;
		p = nl + 1;
	}
}


struct filling {
	struct sip_msg *m;
	struct sip_hdr *next;
	struct pl name;
	enum sip_hdrid id;
};


/* whole: it is a line; single: it is a value, which is looked up */
static bool put(struct filling *f, const char *p, const char *end,
		bool single, bool whole)
{
	struct sip_hdr *h = f->next++;

	/* each value of these is in the list, not their line */
	if (f->id == SIP_HDR_VIA || f->id == SIP_HDR_ROUTE)
		whole = single;

	memset(h, 0, sizeof(*h));
	h->name = f->name;
	h->id = f->id;
	piece(&h->val, p, end);

	if (single)
		hash_append(f->m->hdrht, (uint32_t)f->id, &h->he, h);
	if (whole)
		list_append(&f->m->hdrl, &h->le, h);

	return known(f->m, f->id, &h->val);
}


static const char *blanks_back(const char *p, const char *end)
{
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		--end;

	return end;
}


/* A line with commas in it, of a header that is a list */
static bool split(struct filling *f, const char *p, const char *end)
{
	const char *v = p, *q;
	bool quote = false, several = false;

	for (q = p; q < end; q++) {
		const char *stop;

		if (*q == '"')
			quote = !quote;
		if (*q != ',' || quote)
			continue;

		stop = blanks_back(v, q);
		if (stop == v || !put(f, v, stop, true, false))
			return false;

		several = true;
		for (v = q + 1; v < end && (*v == ' ' || *v == '\t'); v++)
			;
		q = v - 1;
	}

	/* nothing behind the last comma: libre makes something of it */
	if (v == end || !put(f, v, end, true, !several))
		return false;

	return !several || put(f, p, end, false, true);
}


/* One header; end is before its line break. @return false: not plain */
static bool line(struct filling *f, const char *p, const char *end)
{
	const char *colon = span(p, end, TOKEN);

	if (colon == p || colon == end || *colon != ':')
		return false;

	piece(&f->name, p, colon);
	f->id = header_id(p, f->name.l);

	for (p = colon + 1; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	end = blanks_back(p, end);
	if (p == end)
		return false;

	if (is_list(f->id) && memchr(p, ',', (size_t)(end - p)))
		return split(f, p, end);

	return put(f, p, end, true, true);
}


static void destructor(void *arg)
{
	struct sip_msg *m = arg;

	mem_deref(m->hdrht);
	mem_deref(m->sock);
	mem_deref(m->mb);
}


/* @return 0; EAGAIN: not plain, ask libre */
static int plain(struct sip_msg **mp, struct mbuf *mb)
{
	const char *p = (const char *)mbuf_buf(mb), *body, *nl;
	const char *end = p + mbuf_get_left(mb);
	struct filling f = {0};
	struct message *ms;
	size_t n;

	nl = memchr(p, '\n', (size_t)(end - p));
	if (!nl || nl - p < 2 || nl[-1] != '\r' ||
	    memchr(p, '\r', (size_t)(nl - p - 1)) ||
	    memchr(p, '\t', (size_t)(nl - p)))
		return EAGAIN;

	n = count(nl + 1, end, &body);
	if (!n)
		return EAGAIN;

	ms = mem_alloc(sizeof(*ms) + n * sizeof(ms->hdr[0]), destructor);
	if (!ms)
		return ENOMEM;

	memset(&ms->m, 0, sizeof(ms->m));
	f.m = &ms->m;
	f.next = ms->hdr;
	f.m->tag = random_u64();
	f.m->mb = mem_ref(mb);
	if (hash_alloc(&f.m->hdrht, HASH_BUCKETS)) {
		mem_deref(ms);
		return ENOMEM;
	}

	if (!start(f.m, p, nl - 1))
		goto odd;

	for (p = nl + 1; ; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl + 1 == body)
			break;
		if (!line(&f, p, nl - 1))
			goto odd;
	}

	mb->pos += (size_t)(body - (const char *)mbuf_buf(mb));
	*mp = f.m;

	return 0;

 odd:
	mem_deref(ms);

	return EAGAIN;
}


int message_decode(struct sip_msg **mp, struct mbuf *mb)
{
	const int err = plain(mp, mb);

	return err == EAGAIN ? sip_msg_decode(mp, mb) : err;
}


int message_plain(struct sip_msg **mp, struct mbuf *mb)
{
	return plain(mp, mb);
}
