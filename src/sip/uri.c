/**
 * @file sip/uri.c  URIs taken apart
 *
 * Pure functions, any thread.  libre's decoder is a search: it finds a URI
 * somewhere in the text and lets port numbers wrap.  What comes from outside
 * or from a user goes through here first.  Nothing is copied or unescaped;
 * the parts are slices of the text.
 */
#include "priv.h"


static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}


static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}


static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}


/* What may stand in any part; the finer grammar is not ours to police */
static bool is_uric(char c)
{
	static const bool no[256] = {
		[0 ... ' '] = true, [0x7f] = true, ['<'] = true,
		['>'] = true, ['"'] = true,
	};

	return !no[(uint8_t)c];
}


static bool is_sip(const char *p)
{
	return (p[0] | 0x20) == 's' && (p[1] | 0x20) == 'i' &&
		(p[2] | 0x20) == 'p';
}


static int scheme_parse(struct pl *scheme, const char *p, const char *end)
{
	scheme->p = p;

	if (p == end || !is_alpha(*p))
		return EBADMSG;

	while (p < end && (is_alpha(*p) || is_digit(*p) || *p == '+' ||
			   *p == '-' || *p == '.'))
		++p;

	if (p == end || *p != ':')
		return EBADMSG;

	scheme->l = (size_t)(p - scheme->p);

	return 0;
}


/* @return behind the host and port, NULL: bad */
static const char *hostport_parse(struct suri *u, const char *p,
				  const char *end)
{
	const char *start;
	uint32_t port;

	if (p < end && *p == '[') {

		start = ++p;
		while (p < end && (is_hex(*p) || *p == ':' || *p == '.'))
			++p;

		if (p == start || p == end || *p != ']')
			return NULL;

		u->host.p = start;
		u->host.l = (size_t)(p++ - start);
		u->v6 = true;
	}
	else {
		start = p;
		while (p < end && (is_alpha(*p) || is_digit(*p) ||
				   *p == '-' || *p == '.' || *p == '_'))
			++p;

		if (p == start)
			return NULL;

		u->host.p = start;
		u->host.l = (size_t)(p - start);
	}

	if (p == end || *p != ':')
		return p;

	start = ++p;
	while (p < end && is_digit(*p))
		++p;

	if (text_u32(&port, start, (size_t)(p - start), 65535) || !port)
		return NULL;

	u->port = (uint16_t)port;

	return p;
}


int suri_parse(struct suri *u, const struct pl *text)
{
	const char *p, *end, *at, *q;

	memset(u, 0, sizeof(*u));

	if (!text->p || scheme_parse(&u->scheme, text->p, text->p + text->l))
		return EBADMSG;

	p = u->scheme.p + u->scheme.l + 1;
	end = text->p + text->l;

	for (q = p; q < end; q++) {
		if (!is_uric(*q))
			return EBADMSG;
	}

	u->sips = u->scheme.l == 4 && is_sip(u->scheme.p) &&
		(u->scheme.p[3] | 0x20) == 's';
	u->sip = u->sips || (u->scheme.l == 3 && is_sip(u->scheme.p));
	if (!u->sip)
		return p < end ? 0 : EBADMSG;

	at = memchr(p, '@', (size_t)(end - p));
	if (at) {
		const char *colon = memchr(p, ':', (size_t)(at - p));

		u->user.p = p;
		u->user.l = (size_t)((colon ? colon : at) - p);
		if (!u->user.l)
			return EBADMSG;

		p = at + 1;
	}

	p = hostport_parse(u, p, end);
	if (!p)
		return EBADMSG;

	if (p < end && *p == ';') {
		q = memchr(p, '?', (size_t)(end - p));

		u->params.p = p;
		u->params.l = (size_t)((q ? q : end) - p);
		p += u->params.l;
	}

	if (p < end && *p == '?') {
		u->headers.p = p;
		u->headers.l = (size_t)(end - p);
		p = end;
	}

	return p == end ? 0 : EBADMSG;
}


int suri_parse_str(struct suri *u, const char *text)
{
	struct pl pl;

	pl_set_str(&pl, text);

	return suri_parse(u, &pl);
}


static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static struct pl pl_strip(const char *p, const char *end)
{
	struct pl pl;

	while (p < end && is_lws(*p))
		++p;
	while (p < end && is_lws(end[-1]))
		--end;

	pl.p = p;
	pl.l = (size_t)(end - p);

	return pl;
}


bool param_find(const struct pl *params, const char *name, struct pl *val)
{
	const char *p = params->p, *end = p ? p + params->l : NULL;

	while (p < end && *p == ';') {

		const char *start = ++p, *eq = NULL;
		bool quote = false;
		struct pl key;

		for (; p < end && (quote || *p != ';'); p++) {

			if (*p == '"')
				quote = !quote;
			else if (quote && *p == '\\' && p + 1 < end)
				++p;
			else if (*p == '=' && !eq)
				eq = p;
		}

		key = pl_strip(start, eq ? eq : p);
		if (!text_caseeq(key.p, key.l, name))
			continue;

		if (val) {
			if (eq)
				*val = pl_strip(eq + 1, p);
			else
				*val = (struct pl)PL_INIT;
		}

		return true;
	}

	return false;
}


int sip_uri_parts(const char *uri, char *user, size_t usersz,
		  char *host, size_t hostsz, uint16_t *port)
{
	struct suri u;
	int err;

	if (!uri || suri_parse_str(&u, uri) || !u.sip)
		return EINVAL;

	err = user ? text_copy(user, usersz, u.user.p ? u.user.p : "",
			       u.user.l) : 0;
	if (!err && host)
		err = text_copy(host, hostsz, u.host.p, u.host.l);
	if (err)
		return EINVAL;

	if (port)
		*port = u.port;

	return 0;
}


/* Percent-escapes must be whole, and what is not ASCII must be escaped */
static const char *uri_flaw(const char *p)
{
	for (; *p; p++) {

		if ((uint8_t)*p >= 0x80)
			return "write letters outside ASCII as %XX";
		if (*p == '%' && !(is_hex(p[1]) && is_hex(p[2])))
			return "% must be followed by two hex digits";
	}

	return NULL;
}


/* "word:" is a scheme unless it is a host with its port or a password */
static bool scheme_told(const struct pl *text)
{
	const char *p, *end = text->p + text->l;
	struct pl scheme;

	if (scheme_parse(&scheme, text->p, end))
		return false;

	p = scheme.p + scheme.l + 1;

	if (text_caseeq(scheme.p, scheme.l, "sip") ||
	    text_caseeq(scheme.p, scheme.l, "sips") ||
	    text_caseeq(scheme.p, scheme.l, "tel"))
		return true;

	if (memchr(scheme.p, '.', scheme.l) || memchr(p, '@',
						      (size_t)(end - p)))
		return false;

	while (p < end && is_digit(*p))
		++p;

	return p < end && *p != ';';
}


int sip_uri_check(char *buf, size_t sz, const char *text,
		  char *err, size_t errsz)
{
	const char *why = NULL;
	struct suri u;
	char esc[128];
	struct pl pl;
	int n;

	pl = pl_strip(text, text + strlen(text));
	if (pl.l > 2 && pl.p[0] == '<' && pl.p[pl.l - 1] == '>')
		pl = pl_strip(pl.p + 1, pl.p + pl.l - 1);

	(void)text_escape(esc, sizeof(esc), pl.p, pl.l);

	if (!pl.l) {
		why = "is empty";
		goto out;
	}
	if (pl.l > SIP_URI_MAX - 8) {
		why = "is longer than 1000 characters";
		goto out;
	}

	n = snprintf(buf, sz, "%s%.*s", scheme_told(&pl) ? "" : "sip:",
		     (int)pl.l, pl.p);
	if (n < 0 || (size_t)n >= sz) {
		why = "is too long";
		goto out;
	}

	if (suri_parse_str(&u, buf)) {
		why = "is not of the form sip:user@host[:port]";
		goto out;
	}

	if (!u.sip) {
		(void)snprintf(err, errsz, "%s: %.*s: is not spoken here, "
			       "only sip: and sips: are", esc,
			       (int)(u.scheme.l > 16 ? 16 : u.scheme.l),
			       u.scheme.p);
		return EPROTONOSUPPORT;
	}

	if (u.headers.l)
		why = "must not carry headers (what begins with ?)";
	else
		why = uri_flaw(buf);

 out:
	if (!why)
		return 0;

	(void)snprintf(err, errsz, "%s%s%s", esc,
		       *esc ? ": the address " : "the address ", why);

	return EINVAL;
}
