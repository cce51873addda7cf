/**
 * @file sip/salvage.c  An answer to what is no message
 *
 * Pure functions.  A request that libre cannot decode is read here line by
 * line, as far as it goes, only to say what is wrong with it: the reply
 * repeats its lines as they came (RFC 3261 8.2.6.2) and is hardly longer than
 * the request, so nobody gains by sending such things in others' names.
 * One thing can be mended: the requests of peers that know RFC 2543 only.
 */
#include <offhook/random.h>
#include "priv.h"


enum { REPLY_MAX = 4096 };

/* The lines of a message that a reply repeats, as they came */
struct scraps {
	struct pl method, version;
	struct pl top;              /* top Via value                       */
	struct pl from, to, callid, cseq;
	struct pl via[32];          /* whole lines                         */
	unsigned viac;
	const char *headers;        /* where they begin                    */
	bool line_ok;               /* of the request                      */
	bool contact;               /* there is one                        */
};


static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static bool is_name(const struct pl *name, const char *full, char compact)
{
	if (name->l == 1)
		return (name->p[0] | 0x20) == compact;

	return text_caseeq(name->p, name->l, full);
}


static struct pl strip(const char *p, const char *end)
{
	while (p < end && is_lws(*p))
		++p;
	while (p < end && is_lws(end[-1]))
		--end;

	return (struct pl){.p = p, .l = (size_t)(end - p)};
}


/* Exactly "METHOD SP URI SP VERSION"; what can be read is read */
static bool start_line(struct scraps *sc, const char *p, const char *end)
{
	const char *sp = memchr(p, ' ', (size_t)(end - p));
	const char *q = end;
	struct suri u;
	struct pl uri;

	if (!sp)
		return false;

	sc->method = (struct pl){.p = p, .l = (size_t)(sp - p)};

	while (q > sp && is_lws(q[-1]))
		--q;
	sc->version.p = q;
	while (sc->version.p > sp && !is_lws(sc->version.p[-1]))
		--sc->version.p;
	sc->version.l = (size_t)(q - sc->version.p);

	uri.p = sp + 1;
	uri.l = sc->version.p > uri.p + 1 ?
		(size_t)(sc->version.p - 1 - uri.p) : 0;

	sc->line_ok = q == end && uri.l && !suri_parse(&u, &uri);

	return true;
}


static void header_line(struct scraps *sc, const char *p, const char *end)
{
	const char *colon = memchr(p, ':', (size_t)(end - p));
	const struct pl line = {.p = p, .l = (size_t)(end - p)};
	struct pl name, val;

	if (!colon)
		return;

	name = strip(p, colon);
	val = strip(colon + 1, end);

	if (is_name(&name, "Via", 'v')) {
		if (!sc->viac)
			sc->top = val;
		if (sc->viac < COUNTOF(sc->via))
			sc->via[sc->viac++] = line;
	}
	else if (is_name(&name, "From", 'f'))
		sc->from = val;
	else if (is_name(&name, "To", 't'))
		sc->to = val;
	else if (is_name(&name, "Call-ID", 'i'))
		sc->callid = val;
	else if (is_name(&name, "CSeq", 0))
		sc->cseq = val;
	else if (is_name(&name, "Contact", 'm'))
		sc->contact = true;
}


/* @return behind the line with its folded continuations; *stop: its end */
static const char *next_line(const char *start, const char *end,
			     const char **stop)
{
	const char *p = start, *lf;

	do {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf) {
			*stop = end;
			return end;
		}

		p = lf + 1;
	} while (p < end && (*p == ' ' || *p == '\t'));

	*stop = lf;
	if (lf > start && lf[-1] == '\r')
		--*stop;

	return p;
}


static bool scraps_gather(struct scraps *sc, const char *p, size_t len)
{
	const char *end = p + len, *stop, *start = p;

	memset(sc, 0, sizeof(*sc));

	p = next_line(p, end, &stop);
	if (!start_line(sc, start, stop))
		return false;

	sc->headers = p;

	while (p < end) {
		start = p;
		p = next_line(p, end, &stop);
		if (stop <= start)
			break;
		header_line(sc, start, stop);
	}

	return true;
}


/* Top Via: where a reply goes, RFC 3261 18.2.2 and 3581. @return 0, EBADMSG */
static int via_parse(const struct pl *top, const struct sa *src,
		     struct sa *dst, bool *branch)
{
	const char *p = top->p, *end = p + top->l, *comma, *semi;
	struct pl sentby, params = PL_INIT, val;
	uint32_t port = SIP_PORT;
	unsigned slash = 0;

	comma = memchr(p, ',', top->l);
	if (comma)
		end = comma;

	/* "SIP / 2.0 / UDP" and the blank behind it */
	while (p < end && slash < 2) {
		if (*p++ == '/')
			++slash;
	}
	while (p < end && is_lws(*p))
		++p;
	while (p < end && !is_lws(*p))
		++p;
	if (slash < 2 || p == end)
		return EBADMSG;

	semi = memchr(p, ';', (size_t)(end - p));
	sentby = strip(p, semi ? semi : end);
	if (!sentby.l)
		return EBADMSG;

	if (semi)
		params = (struct pl){.p = semi, .l = (size_t)(end - semi)};

	for (p = params.p; p && p + 1 < end; p++) {
		if (p[0] == ';' && p[1] == ';')
			return EBADMSG;
	}
	if (params.l && end[-1] == ';')
		return EBADMSG;

	p = sentby.p + sentby.l;
	while (p > sentby.p && p[-1] >= '0' && p[-1] <= '9')
		--p;
	if (p > sentby.p && p[-1] == ':' && (sentby.p[0] != '[' ||
					     (p - 1 > sentby.p &&
					      p[-2] == ']'))) {
		if (text_u32(&port, p, (size_t)(sentby.p + sentby.l - p),
			     65535))
			return EBADMSG;
	}

	*branch = param_find(&params, "branch", &val) && val.l;
	*dst = *src;
	if (!param_find(&params, "rport", NULL))
		sa_set_port(dst, (uint16_t)port);

	return 0;
}


static bool cseq_ok(const struct pl *cseq)
{
	size_t n = 0;
	uint32_t num;

	while (n < cseq->l && cseq->p[n] >= '0' && cseq->p[n] <= '9')
		++n;

	return n < cseq->l && is_lws(cseq->p[n]) &&
		!text_u32(&num, cseq->p, n, 0x7fffffff);
}


/* The end of the top Via value, which may not be alone in its header */
static const char *top_end(const struct scraps *sc)
{
	const char *comma = memchr(sc->top.p, ',', sc->top.l);

	return comma ? comma : sc->top.p + sc->top.l;
}


static int reply_write(struct mbuf *mb, const struct scraps *sc,
		       uint16_t code, const char *reason,
		       const struct sa *src)
{
	const struct pl *rest[] = {&sc->from, &sc->to, &sc->callid, &sc->cseq};
	static const char *const names[] = {"From", "To", "Call-ID", "CSeq"};
	struct addr_parts a;
	unsigned i;
	int err;

	err = mbuf_printf(mb, "SIP/2.0 %u %s\r\n", code, reason);

	for (i = 0; i < sc->viac && !err; i++) {

		const struct pl *l = &sc->via[i];

		/* behind the first value, which may not be the last */
		if (i == 0) {
			const char *cut = top_end(sc);

			err = mbuf_write_mem(mb, (const uint8_t *)l->p,
					     (size_t)(cut - l->p));
			if (!err)
				err = mbuf_printf(mb, ";received=%j", src);
			if (!err)
				err = mbuf_write_mem(
					mb, (const uint8_t *)cut,
					(size_t)(l->p + l->l - cut));
		}
		else {
			err = mbuf_write_pl(mb, l);
		}
		if (!err)
			err = mbuf_write_str(mb, "\r\n");
	}

	for (i = 0; i < COUNTOF(rest) && !err; i++) {

		if (!rest[i]->l)
			continue;

		err = mbuf_printf(mb, "%s: %r", names[i], rest[i]);
		if (!err && rest[i] == &sc->to && !addr_parse(&a, &sc->to) &&
		    !param_find(&a.params, "tag", NULL))
			err = mbuf_printf(mb, ";tag=%016llx", random_u64());
		if (!err)
			err = mbuf_write_str(mb, "\r\n");
	}

	if (!err)
		err = mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");

	return err;
}


/* What was wrong with it? @return a status, 0: nothing we would answer */
static uint16_t verdict(const struct scraps *sc, bool branch, bool via_ok,
			const char **reason)
{
	struct addr_parts a;

	if (!pl_strcasecmp(&sc->method, "ACK") || !sc->viac)
		return 0;

	if (sc->version.l > 4 && text_caseeq(sc->version.p, 4, "SIP/") &&
	    pl_strcasecmp(&sc->version, "SIP/2.0")) {
		*reason = "Version Not Supported";
		return 505;
	}

	*reason = "Bad Request";
	if (!sc->line_ok || !via_ok)
		return 400;
	if (addr_parse(&a, &sc->from) || addr_parse(&a, &sc->to) ||
	    !cseq_ok(&sc->cseq))
		return 400;

	/* no branch, else well: salvage_elder has let it be */
	return branch ? 400 : 0;
}


bool salvage_plausible(const char *text, size_t len)
{
	const char *lf = memchr(text, '\n', len), *end, *sp;

	/* STUN */
	if ((uint8_t)text[0] < 4)
		return true;

	if (!lf)
		return false;

	end = lf > text && lf[-1] == '\r' ? lf - 1 : lf;
	len = (size_t)(end - text);

	if (len < 12)
		return false;
	if (!memcmp(text, "SIP/2.0 ", 8))
		return true;

	sp = memchr(text, ' ', len);

	return sp && sp > text && !memcmp(end - 8, " SIP/2.0", 8) &&
		end - 8 > sp + 1 &&
		!memchr(sp + 1, ' ', (size_t)(end - 8 - sp - 1));
}


uint16_t salvage(struct mbuf *mb, struct sa *dst, const char *text,
		 size_t len, const struct sa *src)
{
	struct scraps sc;
	const char *reason = "";
	bool branch = false, via_ok;
	uint16_t code;

	/* STUN, keep-alives and broken responses get nothing */
	if (len < 16 || text[0] < '!' || text[0] > '~' ||
	    text_caseeq(text, 4, "SIP/") || !scraps_gather(&sc, text, len))
		return 0;

	via_ok = sc.viac && !via_parse(&sc.top, src, dst, &branch);
	if (!via_ok)
		*dst = *src;

	code = verdict(&sc, branch, via_ok, &reason);
	if (!code)
		return 0;

	if (reply_write(mb, &sc, code, reason, src) || mb->end > REPLY_MAX)
		return 0;

	mb->pos = 0;

	return code;
}


static int insert(struct mbuf *mb, size_t off, const char *text)
{
	const size_t len = strlen(text);
	int err;

	err = mbuf_resize(mb, mb->end + len);
	if (err)
		return err;

	memmove(mb->buf + off + len, mb->buf + off, mb->end - off);
	memcpy(mb->buf + off, text, len);
	mb->end += len;

	return 0;
}


/* Nearly all say so in the line behind the first, and need no closer look */
static bool branched(const char *text, size_t len)
{
	const char *end = text + len, *p = memchr(text, '\n', len), *e;

	if (!p || end - ++p < 5 || strncasecmp(p, "Via:", 4))
		return false;

	e = memchr(p, '\n', (size_t)(end - p));
	if (!e || e + 1 == end || e[1] == ' ' || e[1] == '\t')
		return false;

	len = (size_t)(e - p);

	return !memchr(p, ',', len) && !memchr(p, '"', len) &&
		memmem(p, len, ";branch=z9hG4bK", 15);
}


void salvage_elder(struct mbuf *mb)
{
	const char *text = (const char *)mbuf_buf(mb);
	const size_t len = mbuf_get_left(mb);
	char param[80], contact[300] = "";
	size_t headers, via;
	struct addr_parts from;
	struct scraps sc;
	struct sa sa;
	bool branch;

	if (len < 16 || text[0] < '!' || text[0] > '~' ||
	    text_caseeq(text, 4, "SIP/") || branched(text, len) ||
	    !scraps_gather(&sc, text, len))
		return;

	sa_init(&sa, AF_INET);
	if (!sc.line_ok || !sc.viac || pl_strcasecmp(&sc.version, "SIP/2.0") ||
	    via_parse(&sc.top, &sa, &sa, &branch) || branch ||
	    !cseq_ok(&sc.cseq) || addr_parse(&from, &sc.from))
		return;

	/* the same for INVITE, its CANCEL and its ACK (RFC 3261 17.2.3) */
	(void)snprintf(param, sizeof(param), ";branch=rfc2543-%x-%x-%x-%u",
		       hash_joaat_pl(&sc.callid), hash_joaat_pl(&sc.from),
		       hash_joaat_pl(&sc.top),
		       (unsigned)strtoul(sc.cseq.p, NULL, 10));

	/* then, the caller was where its From says */
	if (!sc.contact && !pl_strcmp(&sc.method, "INVITE") &&
	    from.uri.l < sizeof(contact) - 20)
		(void)snprintf(contact, sizeof(contact),
			       "Contact: <%.*s>\r\n", (int)from.uri.l,
			       from.uri.p);

	/* the first makes the text move */
	headers = (size_t)((const uint8_t *)sc.headers - mb->buf);
	via = (size_t)((const uint8_t *)top_end(&sc) - mb->buf);

	if (!insert(mb, via, param) && *contact)
		(void)insert(mb, headers, contact);
}
