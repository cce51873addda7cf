/**
 * @file passport.c  What an Identity header claims (RFC 8224, 8225, 8588)
 *
 * The token is three parts in base64url: a JSON header, the JSON claims, a
 * signature.  The claims are shown; the signature is not checked, so nothing
 * here is a reason to trust anybody.  Of JSON only as much is read as the
 * claims need: members by name, strings, numbers, nesting of a few levels,
 * all within bounds.  Pure.
 */
#include <ctype.h>
#include "priv.h"
#include "caller.h"

enum {
	TOKEN_MAX = 4096,            /* decoded claims                       */
	DEPTH_MAX = 8,
};


/* base64url without padding; @return length, -1: no such thing */
static ssize_t decode64(char *dst, size_t sz, const char *p, size_t len)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char ch = p[i];
		uint32_t v;

		if (ch >= 'A' && ch <= 'Z')
			v = (uint32_t)(ch - 'A');
		else if (ch >= 'a' && ch <= 'z')
			v = (uint32_t)(ch - 'a') + 26;
		else if (ch >= '0' && ch <= '9')
			v = (uint32_t)(ch - '0') + 52;
		else if (ch == '-' || ch == '+')
			v = 62;
		else if (ch == '_' || ch == '/')
			v = 63;
		else if (ch == '=')
			break;
		else
			return -1;

		acc = acc << 6 | v;
		bits += 6;
		if (bits < 8)
			continue;

		bits -= 8;
		if (n >= sz)
			return -1;
		dst[n++] = (char)(acc >> bits & 0xff);
	}

	return (ssize_t)n;
}


/* JSON ----------------------------------------------------------------------- */

struct js {
	const char *p, *end;
};


static void js_space(struct js *j)
{
	while (j->p < j->end && strchr(" \t\r\n", *j->p))
		++j->p;
}


static bool js_eat(struct js *j, char ch)
{
	js_space(j);
	if (j->p >= j->end || *j->p != ch)
		return false;
	++j->p;

	return true;
}


/* A string into dst, cut when it is longer; escapes but \u are undone, and
   what is no printable ASCII becomes '?'. dst NULL: passed over */
static bool js_string(struct js *j, char *dst, size_t sz)
{
	size_t n = 0;

	if (!js_eat(j, '"'))
		return false;

	for (; j->p < j->end && *j->p != '"'; j->p++) {
		char ch = *j->p;

		if (ch == '\\') {
			if (++j->p >= j->end)
				return false;
			ch = *j->p;
		}
		if (dst && n + 1 < sz)
			dst[n++] = ch < ' ' || ch == 0x7f ? '?' : ch;
	}
	if (dst && sz)
		dst[n] = '\0';

	return js_eat(j, '"');
}


static bool js_skip(struct js *j, unsigned depth);


/* Members or elements up to the closing one */
static bool js_skip_all(struct js *j, char close, unsigned depth)
{
	const bool object = close == '}';

	if (js_eat(j, close))
		return true;

	do {
		if (object && (!js_string(j, NULL, 0) || !js_eat(j, ':')))
			return false;
		if (!js_skip(j, depth + 1))
			return false;
	} while (js_eat(j, ','));

	return js_eat(j, close);
}


static bool js_skip(struct js *j, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return false;

	js_space(j);
	if (j->p >= j->end)
		return false;

	if (*j->p == '"')
		return js_string(j, NULL, 0);
	if (js_eat(j, '{'))
		return js_skip_all(j, '}', depth);
	if (js_eat(j, '['))
		return js_skip_all(j, ']', depth);

	if (!strchr("-0123456789tfn", *j->p))
		return false;
	while (j->p < j->end && (isalnum((unsigned char)*j->p) ||
				 strchr("+-.", *j->p)))
		++j->p;

	return true;
}


/* A whole number; others are passed over */
static bool js_number(struct js *j, uint64_t *num)
{
	uint64_t v = 0;
	unsigned n = 0;

	js_space(j);
	while (j->p < j->end && isdigit((unsigned char)*j->p) && n < 15) {
		v = 10 * v + (uint64_t)(*j->p - '0');
		++j->p;
		++n;
	}
	if (!n)
		return false;
	*num = v;

	/* a fraction says nothing here */
	while (j->p < j->end && (isdigit((unsigned char)*j->p) ||
				 *j->p == '.'))
		++j->p;

	return true;
}


/* {"tn":"..."}, {"uri":"..."}, or lists of them: the first one */
static bool js_party(struct js *j, char *dst, size_t sz)
{
	char name[16];

	if (!js_eat(j, '{'))
		return js_skip(j, 0);
	if (js_eat(j, '}'))
		return true;

	do {
		if (!js_string(j, name, sizeof(name)) || !js_eat(j, ':'))
			return false;

		if (dst[0] || (strcmp(name, "tn") && strcmp(name, "uri"))) {
			if (!js_skip(j, 1))
				return false;
			continue;
		}

		if (js_eat(j, '[')) {
			js_space(j);
			if (j->p < j->end && *j->p == '"' &&
			    !js_string(j, dst, sz))
				return false;
			while (js_eat(j, ',')) {
				if (!js_skip(j, 1))
					return false;
			}
			if (!js_eat(j, ']'))
				return false;
		}
		else if (!js_string(j, dst, sz)) {
			return false;
		}
	} while (js_eat(j, ','));

	return js_eat(j, '}');
}


static bool claims(struct sip_passport *p, const char *text, size_t len)
{
	struct js j = { text, text + len };
	char name[16];

	if (!js_eat(&j, '{'))
		return false;

	do {
		bool ok;

		if (!js_string(&j, name, sizeof(name)) || !js_eat(&j, ':'))
			return false;

		if (!strcmp(name, "attest"))
			ok = js_string(&j, p->attest, sizeof(p->attest));
		else if (!strcmp(name, "origid"))
			ok = js_string(&j, p->origid, sizeof(p->origid));
		else if (!strcmp(name, "iat"))
			ok = js_number(&j, &p->iat_s);
		else if (!strcmp(name, "orig"))
			ok = js_party(&j, p->orig, sizeof(p->orig));
		else if (!strcmp(name, "dest"))
			ok = js_party(&j, p->dest, sizeof(p->dest));
		else
			ok = js_skip(&j, 1);

		if (!ok)
			return false;
	} while (js_eat(&j, ','));

	return js_eat(&j, '}');
}


/* The header of the token may name the type where the parameter does not */
static void type_from_header(struct sip_passport *p, const char *text,
			     size_t len)
{
	struct js j = { text, text + len };
	char name[16];

	if (!js_eat(&j, '{'))
		return;

	do {
		if (!js_string(&j, name, sizeof(name)) || !js_eat(&j, ':'))
			return;
		if (!strcmp(name, "ppt")) {
			(void)js_string(&j, p->type, sizeof(p->type));
			return;
		}
		if (!js_skip(&j, 1))
			return;
	} while (js_eat(&j, ','));
}


static void unquote(char *dst, size_t sz, const struct pl *val)
{
	size_t n = 0;

	for (size_t i = 0; i < val->l && n + 1 < sz; i++) {
		const char ch = val->p[i];

		if (ch != '"' && ch != '<' && ch != '>' && ch > ' ' &&
		    ch != 0x7f)
			dst[n++] = ch;
	}
	dst[n] = '\0';
}


int sip_passport_parse(struct sip_passport *p, const char *value, size_t len)
{
	const char *semi, *dot1, *dot2, *end;
	struct pl params = PL_INIT, v;
	char *buf;
	ssize_t n;

	if (!p || !value)
		return EINVAL;

	memset(p, 0, sizeof(*p));
	p->there = true;

	semi = memchr(value, ';', len);
	end = semi ? semi : value + len;
	if (semi) {
		params.p = semi;
		params.l = len - (size_t)(semi - value);
	}
	if (param_find(&params, "ppt", &v) && v.p)
		unquote(p->type, sizeof(p->type), &v);
	if (param_find(&params, "info", &v) && v.p)
		unquote(p->info, sizeof(p->info), &v);

	dot1 = memchr(value, '.', (size_t)(end - value));
	dot2 = dot1 ? memchr(dot1 + 1, '.', (size_t)(end - dot1 - 1)) : NULL;

	/* the compact form says nothing that From, To and Date do not */
	if (!dot2 || dot2 == dot1 + 1)
		return EBADMSG;

	buf = mem_zalloc(TOKEN_MAX, NULL);
	if (!buf)
		return ENOMEM;

	n = decode64(buf, TOKEN_MAX, dot1 + 1, (size_t)(dot2 - dot1 - 1));
	p->readable = n > 0 && claims(p, buf, (size_t)n);

	if (!p->type[0]) {
		n = decode64(buf, TOKEN_MAX, value, (size_t)(dot1 - value));
		if (n > 0)
			type_from_header(p, buf, (size_t)n);
	}
	mem_deref(buf);

	if (!p->readable) {
		p->attest[0] = p->orig[0] = p->dest[0] = p->origid[0] = '\0';
		p->iat_s = 0;
	}

	return p->readable ? 0 : EBADMSG;
}
