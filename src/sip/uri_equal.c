/**
 * @file sip/uri_equal.c  Are two URIs the same? RFC 3261 19.1.4
 *
 * Pure functions, any thread.  Escapes mean what they stand for, hosts and
 * parameters know no case, a user part does; of the parameters some must be
 * in both or in none, others only must not contradict each other.
 */
#include "priv.h"


static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}


/* The next character of pl at *i, unescaped. @return -1: the end */
static int next_char(const struct pl *pl, size_t *i)
{
	int hi, lo;

	if (*i >= pl->l)
		return -1;

	if (pl->p[*i] == '%' && *i + 2 < pl->l) {
		hi = hex_value(pl->p[*i + 1]);
		lo = hex_value(pl->p[*i + 2]);
		if (hi >= 0 && lo >= 0) {
			*i += 3;
			return 16 * hi + lo;
		}
	}

	return (uint8_t)pl->p[(*i)++];
}


static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}


static bool text_same(const struct pl *a, const struct pl *b, bool cased)
{
	size_t i = 0, k = 0;
	int x, y;

	do {
		x = next_char(a, &i);
		y = next_char(b, &k);
		if (!cased) {
			x = lower(x);
			y = lower(y);
		}
		if (x != y)
			return false;
	} while (x >= 0);

	return true;
}


/* In both or in none */
static bool is_strict(const struct pl *name)
{
	static const char *const v[] = {
		"user", "ttl", "method", "maddr", "transport",
	};
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		if (text_caseeq(name->p, name->l, v[i]))
			return true;
	}

	return false;
}


static bool host_same(const struct suri *a, const struct suri *b)
{
	struct sa x, y;

	if (a->v6 && b->v6 && !sa_set(&x, &a->host, 0) &&
	    !sa_set(&y, &b->host, 0))
		return sa_cmp(&x, &y, SA_ADDR);

	return a->v6 == b->v6 && text_same(&a->host, &b->host, false);
}


/* Does what stands in a agree with b? */
static bool params_agree(const struct pl *a, const struct pl *b)
{
	const char *p = a->p, *end = p ? p + a->l : NULL;

	while (p < end && *p == ';') {
		const char *start = ++p, *eq;
		struct pl name, mine, theirs;
		char key[64];

		while (p < end && *p != ';')
			++p;

		eq = memchr(start, '=', (size_t)(p - start));
		name.p = start;
		name.l = (size_t)((eq ? eq : p) - start);
		mine.p = eq ? eq + 1 : p;
		mine.l = (size_t)(p - mine.p);

		if (!name.l)
			continue;
		if (text_copy(key, sizeof(key), name.p, name.l))
			return false;

		if (!param_find(b, key, &theirs)) {
			if (is_strict(&name))
				return false;
			continue;
		}

		if (!text_same(&mine, &theirs, false))
			return false;
	}

	return true;
}


bool suri_equal(const struct suri *a, const struct suri *b)
{
	return a->sip && b->sip && a->sips == b->sips && a->port == b->port &&
		!a->user.p == !b->user.p &&
		text_same(&a->user, &b->user, true) && host_same(a, b) &&
		params_agree(&a->params, &b->params) &&
		params_agree(&b->params, &a->params);
}


bool suri_user_equal(const struct pl *a, const struct pl *b)
{
	return text_same(a, b, true);
}
