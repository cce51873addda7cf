/**
 * @file app/wire.c  Looking at the text of a SIP message
 *
 * It is text from the network that may be anything: every step stays inside
 * its bounds, and what does not look like SIP has no headers.  Pure.
 */
#include <stdio.h>
#include <string.h>
#include "offhook/text.h"
#include "wire.h"

enum {
	HEADERS_MAX = 512,
	FORMATS_MAX = 32,
	PARTS_MAX   = 32,
	NEST_MAX    = 3,
};


bool piece_is(struct piece s, const char *text)
{
	return s.p && text_caseeq(s.p, s.n, text);
}


static struct piece trimmed(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		++p;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t' ||
			   end[-1] == '\r'))
		--end;

	return (struct piece){ p, (size_t)(end - p) };
}


/* The line at p, and where the next one begins */
static struct piece line_at(const char *p, const char *end, const char **next)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));
	const char *stop = nl ? nl : end;

	*next = nl ? nl + 1 : end;

	while (stop > p && stop[-1] == '\r')
		--stop;

	return (struct piece){ p, (size_t)(stop - p) };
}


static struct piece word(struct piece *rest)
{
	const char *p = rest->p, *end = p + rest->n, *q;
	struct piece w;

	while (p < end && *p == ' ')
		++p;
	for (q = p; q < end && *q != ' '; q++)
		;

	w = (struct piece){ p, (size_t)(q - p) };
	*rest = (struct piece){ q, (size_t)(end - q) };

	return w;
}


bool wire_start(struct wire_start *st, const char *p, size_t len)
{
	struct piece line, first, second;
	const char *next;
	uint32_t code;

	memset(st, 0, sizeof(*st));

	if (!p || !len)
		return false;

	line = line_at(p, p + len, &next);
	first = word(&line);
	second = word(&line);

	if (piece_is(first, "SIP/2.0")) {

		if (text_u32(&code, second.p, second.n, 699) || code < 100)
			return false;

		st->code = (uint16_t)code;
		st->reason = trimmed(line.p, line.p + line.n);

		return true;
	}

	if (!first.n || !piece_is(word(&line), "SIP/2.0"))
		return false;

	st->method = first;
	st->uri = second;

	return true;
}


/* The short form of a name (RFC 3261 7.3.3 and others), 0 none */
static char short_form(const char *name)
{
	static const struct { const char *name; char c; } forms[] = {
		{ "Call-ID", 'i' }, { "Contact", 'm' }, { "From", 'f' },
		{ "To", 't' }, { "Via", 'v' }, { "Subject", 's' },
		{ "Supported", 'k' }, { "Content-Type", 'c' },
		{ "Content-Length", 'l' }, { "Content-Encoding", 'e' },
		{ "Event", 'o' }, { "Allow-Events", 'u' },
		{ "Refer-To", 'r' }, { "Referred-By", 'b' },
		{ "Session-Expires", 'x' }, { "Identity", 'y' },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text_caseeq(name, strlen(name), forms[i].name))
			return forms[i].c;
	}

	return 0;
}


static bool is_short(struct piece key, const char *name)
{
	return key.n == 1 && (*key.p | ' ') == short_form(name);
}


/* Most lines are of another name: seen at their first two letters */
static bool may_be(struct piece line, const char *name)
{
	const char c = *line.p | ' ';

	return c == (*name | ' ') || c < 'a' || c > 'z' || line.n < 2 ||
		line.p[1] <= ' ' || line.p[1] == ':';
}


struct piece wire_header(const char *p, size_t len, const char *name,
			 unsigned i)
{
	static const struct piece none = { NULL, 0 };
	const char *end = p + len, *next = p;
	struct piece line;

	if (!p || !len)
		return none;

	(void)line_at(p, end, &next);

	for (unsigned n = 0; next < end && n < HEADERS_MAX; n++) {

		const char *colon, *stop;
		struct piece key;

		line = line_at(next, end, &next);
		if (!line.n)
			return none;
		if (!may_be(line, name))
			continue;

		colon = memchr(line.p, ':', line.n);
		if (!colon)
			continue;

		key = trimmed(line.p, colon);
		if (!piece_is(key, name) && !is_short(key, name))
			continue;

		/* what is folded belongs to it */
		stop = line.p + line.n;
		while (next < end && (*next == ' ' || *next == '\t')) {
			line = line_at(next, end, &next);
			stop = line.p + line.n;
		}

		if (!i--)
			return trimmed(colon + 1, stop);
	}

	return none;
}


struct piece wire_body(const char *p, size_t len)
{
	static const struct piece none = { NULL, 0 };
	const char *end = p + len, *next = p;

	if (!p)
		return none;

	while (next < end) {
		if (!line_at(next, end, &next).n)
			return next < end ?
				(struct piece){ next, (size_t)(end - next) } :
				none;
	}

	return none;
}


struct piece wire_line(struct piece body, const char *begin, unsigned i)
{
	static const struct piece none = { NULL, 0 };
	const size_t n = strlen(begin);
	const char *next = body.p, *end;

	if (!body.p)
		return none;

	end = body.p + body.n;

	while (next < end) {

		struct piece line = line_at(next, end, &next);

		if (line.n >= n && !memcmp(line.p, begin, n) && !i--)
			return (struct piece){ line.p + n, line.n - n };
	}

	return none;
}


/* Bodies ------------------------------------------------------------------ */

/* "TYPE/SUBTYPE; ..." */
static bool type_is(struct piece type, const char *what, bool whole)
{
	const char *semi = type.n ? memchr(type.p, ';', type.n) : NULL;
	const size_t n = strlen(what);

	if (semi)
		type = trimmed(type.p, semi);
	if (!whole && type.n > n)
		type.n = n;

	return piece_is(type, what);
}


/* The value of a parameter of a header, without its quotes */
static struct piece param(struct piece hdr, const char *name)
{
	static const struct piece none = { NULL, 0 };
	const char *p = hdr.p, *end = p ? p + hdr.n : NULL;
	const char *eq, *stop;

	while (p && p < end) {

		p = memchr(p, ';', (size_t)(end - p));
		if (!p)
			return none;
		++p;
		eq = memchr(p, '=', (size_t)(end - p));
		if (!eq)
			return none;
		if (!piece_is(trimmed(p, eq), name))
			continue;

		p = eq + 1;
		while (p < end && (*p == ' ' || *p == '\t'))
			++p;
		if (p < end && *p == '"') {
			++p;
			stop = memchr(p, '"', (size_t)(end - p));
		}
		else {
			stop = memchr(p, ';', (size_t)(end - p));
		}

		return trimmed(p, stop ? stop : end);
	}

	return none;
}


/* The next line that is "--BOUNDARY", perhaps with "--" behind. @return where
 * it begins, or end */
static const char *delimiter(const char *p, const char *end,
			     struct piece boundary)
{
	while (p < end) {

		const char *next;
		const struct piece line = line_at(p, end, &next);

		if (line.n >= boundary.n + 2 && line.p[0] == '-' &&
		    line.p[1] == '-' &&
		    !memcmp(line.p + 2, boundary.p, boundary.n))
			return p;
		p = next;
	}

	return end;
}


/* May it be read as it stands? */
static bool is_plain(const char *p, size_t len)
{
	const struct piece coding = wire_header(
		p, len, "Content-Transfer-Encoding", 0);

	return !coding.p || piece_is(coding, "binary") ||
		piece_is(coding, "8bit") || piece_is(coding, "7bit");
}


/* The headers begin with the second line: in a part that is the one behind
 * the delimiter */
static struct piece description(const char *p, size_t len, unsigned depth)
{
	static const struct piece none = { NULL, 0 };
	const struct piece type = wire_header(p, len, "Content-Type", 0);
	const struct piece body = wire_body(p, len);
	struct piece boundary, found = none;
	const char *at, *end;

	if (!body.p || !type.p || !is_plain(p, len))
		return none;
	if (type_is(type, "application/sdp", true))
		return body;

	boundary = param(type, "boundary");
	if (!type_is(type, "multipart/", false) || !boundary.n ||
	    depth == NEST_MAX)
		return none;

	end = body.p + body.n;
	at = delimiter(body.p, end, boundary);
	for (unsigned n = 0; at < end && !found.p && n < PARTS_MAX; n++) {

		const char *begin = at, *next;

		(void)line_at(begin, end, &next);
		at = delimiter(next, end, boundary);
		found = description(begin, (size_t)(at - begin), depth + 1);
	}

	return found;
}


struct piece wire_description(const char *p, size_t len)
{
	static const struct piece none = { NULL, 0 };

	return p && len ? description(p, len, 0) : none;
}


/* Codecs ------------------------------------------------------------------ */

static const char *static_name(uint32_t pt)
{
	switch (pt) {

	case 0:  return "pcmu";
	case 3:  return "gsm";
	case 4:  return "g723";
	case 8:  return "pcma";
	case 9:  return "g722";
	case 10:
	case 11: return "l16";
	case 13: return "cn";
	case 15: return "g728";
	case 18: return "g729";
	}

	return NULL;
}


static void lower(char *dst, size_t sz, struct piece s)
{
	size_t i;

	for (i = 0; i < s.n && i + 1 < sz; i++)
		dst[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ?
				s.p[i] + 'a' - 'A' : s.p[i]);
	dst[i] = '\0';
}


/* Name of a payload type, by its rtpmap or by itself */
static void format_name(char *buf, size_t sz, struct piece media,
			struct piece fmt)
{
	struct piece map;
	uint32_t pt;

	for (unsigned i = 0; (map = wire_line(media, "a=rtpmap:", i)).p; i++) {

		const struct piece key = word(&map);
		struct piece name = word(&map);
		const char *slash;

		if (key.n != fmt.n || memcmp(key.p, fmt.p, fmt.n))
			continue;

		slash = memchr(name.p, '/', name.n);
		if (slash)
			name.n = (size_t)(slash - name.p);
		lower(buf, sz, name);
		return;
	}

	if (!text_u32(&pt, fmt.p, fmt.n, 127) && static_name(pt))
		snprintf(buf, sz, "%s", static_name(pt));
	else
		lower(buf, sz, fmt);
}


static void add_codecs(struct wire_sdp *s, struct piece media,
		       struct piece fmts)
{
	for (unsigned i = 0; i < FORMATS_MAX; i++) {

		const struct piece fmt = word(&fmts);
		const size_t n = strlen(s->codecs);
		char name[24];

		if (!fmt.n)
			return;

		format_name(name, sizeof(name), media, fmt);

		/* keys have no sound; more of one name says nothing new */
		if (!strcmp(name, "telephone-event") ||
		    strstr(s->codecs, name) || n + strlen(name) + 2 >
		    sizeof(s->codecs))
			continue;

		snprintf(s->codecs + n, sizeof(s->codecs) - n, "%s%s",
			 n ? " " : "", name);
	}
}


static void put(char *dst, size_t sz, struct piece s)
{
	snprintf(dst, sz, "%.*s", (int)(s.n < sz ? s.n : sz - 1), s.p);
}


bool wire_sdp(struct wire_sdp *s, struct piece body)
{
	static const char *const dirs[] = {
		"sendrecv", "sendonly", "recvonly", "inactive",
	};
	struct piece line = wire_line(body, "m=audio ", 0), first;
	struct piece conn, media;
	const char *next_m;
	uint32_t port;

	memset(s, 0, sizeof(*s));

	if (!line.p)
		return false;

	/* its lines end where the next description begins */
	media = (struct piece){ line.p, (size_t)(body.p + body.n - line.p) };
	next_m = memmem(media.p, media.n, "\nm=", 3);
	if (next_m)
		media.n = (size_t)(next_m + 1 - media.p);

	first = word(&line);
	if (!text_u32(&port, first.p, first.n, 65535))
		s->port = (uint16_t)port;
	put(s->proto, sizeof(s->proto), word(&line));
	add_codecs(s, media, line);

	conn = wire_line(media, "c=IN IP", 0);
	if (!conn.p)
		conn = wire_line(body, "c=IN IP", 0);
	if (conn.p && conn.n > 2)
		put(s->addr, sizeof(s->addr),
		    trimmed(conn.p + 2, conn.p + conn.n));

	snprintf(s->direction, sizeof(s->direction), "sendrecv");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {

		char attr[16];

		snprintf(attr, sizeof(attr), "a=%s", dirs[i]);
		if (wire_line(media, attr, 0).p)
			snprintf(s->direction, sizeof(s->direction), "%s",
				 dirs[i]);
	}

	s->crypto = wire_line(media, "a=crypto:", 0).p != NULL;
	s->dtls = wire_line(body, "a=fingerprint:", 0).p != NULL;
	s->ice = wire_line(media, "a=candidate:", 0).p != NULL;

	return true;
}
