/**
 * @file sip/challenge.c  Challenge lists read
 *
 * Pure functions.  One header may hold several challenges, parameters and
 * challenges alike separated by commas, and quoted strings may hold commas
 * too (RFC 7235 4.1).  What is not Digest, or not well formed, is skipped;
 * a list that cannot be followed any more ends there.
 */
#include "priv.h"
#include "digest.h"


static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static bool is_token(char c)
{
	const uint8_t u = (uint8_t)c;

	return u > ' ' && u < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}


struct reader {
	const char *p, *end;
};


static void skip(struct reader *r, bool commas)
{
	while (r->p < r->end && (is_lws(*r->p) || (commas && *r->p == ',')))
		++r->p;
}


static bool token(struct reader *r, struct pl *out)
{
	out->p = r->p;
	while (r->p < r->end && is_token(*r->p))
		++r->p;
	out->l = (size_t)(r->p - out->p);

	return out->l > 0;
}


/* A quoted string without its quotes, escapes left as they are; or a token */
static bool value(struct reader *r, struct pl *out)
{
	if (r->p == r->end || *r->p != '"') {

		/* "/" and the like are no token, but some send them bare */
		out->p = r->p;
		while (r->p < r->end && (is_token(*r->p) ||
					 (*r->p && strchr("/:=?", *r->p))))
			++r->p;
		out->l = (size_t)(r->p - out->p);
		return out->l > 0;
	}

	out->p = ++r->p;
	for (; r->p < r->end && *r->p != '"'; r->p++) {

		const uint8_t c = (uint8_t)*r->p;

		if (c == '\\' && r->p + 1 < r->end)
			++r->p;
		else if (c < ' ' && c != '\t')
			return false;
	}

	if (r->p == r->end)
		return false;

	out->l = (size_t)(r->p++ - out->p);

	return true;
}


static enum digest_algo algo_parse(const struct pl *val, bool *sess)
{
	static const struct {
		const char *name;
		enum digest_algo algo;
	} algos[] = {
		{"MD5",         DIGEST_MD5},
		{"SHA-256",     DIGEST_SHA256},
		{"SHA-512-256", DIGEST_SHA512_256},
	};
	struct pl name = *val;
	size_t i;

	*sess = name.l > 5 && text_caseeq(name.p + name.l - 5, 5, "-sess");
	if (*sess)
		name.l -= 5;

	for (i = 0; i < COUNTOF(algos); i++) {
		if (!pl_strcasecmp(&name, algos[i].name))
			return algos[i].algo;
	}

	return DIGEST_UNKNOWN;
}


static void qop_parse(struct challenge *c, const struct pl *val)
{
	struct reader r = {.p = val->p, .end = val->p + val->l};
	struct pl one;

	c->qop_told = true;

	for (skip(&r, true); token(&r, &one); skip(&r, true)) {

		if (!pl_strcasecmp(&one, "auth"))
			c->qop_auth = true;
		else if (!pl_strcasecmp(&one, "auth-int"))
			c->qop_int = true;
	}
}


/* @return false: the same parameter twice */
static bool param_set(struct challenge *c, const struct pl *name,
		      const struct pl *val)
{
	struct pl *slot = NULL;

	if (!pl_strcasecmp(name, "realm"))
		slot = &c->realm;
	else if (!pl_strcasecmp(name, "nonce"))
		slot = &c->nonce;
	else if (!pl_strcasecmp(name, "opaque"))
		slot = &c->opaque;
	else if (!pl_strcasecmp(name, "algorithm"))
		slot = &c->algorithm;
	else if (!pl_strcasecmp(name, "stale"))
		c->stale = !pl_strcasecmp(val, "true");
	else if (!pl_strcasecmp(name, "userhash"))
		c->userhash = !pl_strcasecmp(val, "true");
	else if (!pl_strcasecmp(name, "qop"))
		qop_parse(c, val);

	if (!slot)
		return true;
	if (slot->p)
		return false;

	*slot = *val;

	return true;
}


/* Can we answer it? */
static bool usable(struct challenge *c)
{
	if (!c->realm.p || !c->nonce.p || !c->nonce.l)
		return false;

	c->algo = c->algorithm.p ? algo_parse(&c->algorithm, &c->sess) :
		DIGEST_MD5;

	return c->algo != DIGEST_UNKNOWN &&
		(!c->qop_told || c->qop_auth || c->qop_int);
}


unsigned challenge_parse(struct challenge *v, unsigned max,
			 const struct pl *val)
{
	struct reader r = {.p = val->p, .end = val->p + val->l};
	struct challenge cur;
	bool digest = false, ok = false;
	unsigned n = 0;

	memset(&cur, 0, sizeof(cur));

	for (skip(&r, true); r.p < r.end; skip(&r, true)) {

		struct pl name, val1;

		if (!token(&r, &name))
			break;
		skip(&r, false);

		if (r.p < r.end && *r.p == '=') {

			++r.p;
			skip(&r, false);
			if (!value(&r, &val1)) {
				ok = false;
				break;
			}
			ok = ok && param_set(&cur, &name, &val1);
			continue;
		}

		/* a token alone is the scheme of the next challenge */
		if (digest && ok && n < max && usable(&cur))
			v[n++] = cur;

		memset(&cur, 0, sizeof(cur));
		digest = ok = !pl_strcasecmp(&name, "Digest");
	}

	if (digest && ok && n < max && usable(&cur))
		v[n++] = cur;

	return n;
}


bool challenge_nextnonce(struct pl *nonce, const struct pl *val)
{
	struct reader r = {.p = val->p, .end = val->p + val->l};
	bool found = false;

	for (skip(&r, true); r.p < r.end; skip(&r, true)) {

		struct pl name, v;

		if (!token(&r, &name))
			return false;
		skip(&r, false);
		if (r.p == r.end || *r.p++ != '=')
			return false;
		skip(&r, false);
		if (!value(&r, &v))
			return false;

		if (pl_strcasecmp(&name, "nextnonce"))
			continue;
		if (found)
			return false;
		found = v.l > 0;
		*nonce = v;
	}

	return found;
}


static uint32_t hex8(const struct pl *val)
{
	uint32_t n = 0;
	size_t i;

	if (val->l != 8)
		return 0;

	for (i = 0; i < 8; i++) {
		const char c = val->p[i];

		if (c >= '0' && c <= '9')
			n = n << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			n = n << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return 0;
	}

	return n;
}


/* @return false: the same parameter twice */
static bool answer_set(struct authorization *a, const struct pl *name,
		       const struct pl *val)
{
	const struct {
		const char *name;
		struct pl *slot;
	} v[] = {
		{"username", &a->user},   {"realm", &a->realm},
		{"nonce", &a->nonce},     {"uri", &a->uri},
		{"response", &a->response}, {"cnonce", &a->cnonce},
		{"qop", &a->qop},
	};
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		if (pl_strcasecmp(name, v[i].name))
			continue;
		if (v[i].slot->p)
			return false;
		*v[i].slot = *val;
	}

	if (!pl_strcasecmp(name, "nc"))
		a->nc = hex8(val);
	else if (!pl_strcasecmp(name, "algorithm"))
		a->algo = algo_parse(val, &a->sess);

	return true;
}


bool authorization_parse(struct authorization *a, const struct pl *val)
{
	struct reader r = {.p = val->p, .end = val->p + val->l};
	struct pl name, v;

	memset(a, 0, sizeof(*a));
	a->algo = DIGEST_MD5;

	skip(&r, false);
	if (!token(&r, &name) || pl_strcasecmp(&name, "Digest"))
		return false;

	for (skip(&r, true); r.p < r.end; skip(&r, true)) {

		if (!token(&r, &name))
			return false;
		skip(&r, false);
		if (r.p == r.end || *r.p++ != '=')
			return false;
		skip(&r, false);
		if (!value(&r, &v) || !answer_set(a, &name, &v))
			return false;
	}

	return a->user.p && a->realm.p && a->nonce.p && a->uri.p &&
		a->response.p;
}
