/**
 * @file sip/locate_rewrite.c  What a NAPTR record makes of a number: !ERE!URI!
 *
 * Pure functions, any thread.  The expression is a stranger's.  The C library's
 * takes all the memory and time that a pattern of forty bytes may ask for; this
 * one matches the little that is needed here by backtracking, with a bound on
 * its steps, its depth and its size.  POSIX extended expressions, but for
 * back-references inside them; of two alternatives that fit, the first one
 * counts.  RFC 3402 3.2.
 */
#include <ctype.h>
#include "locate.h"


enum {
	NODES_MAX  = 256,
	GROUPS_MAX = 10,            /* \0 is the whole                      */
	NEST_MAX   = 16,
	STEPS_MAX  = 20000,
	DEPTH_MAX  = 1000,
	REPEAT_MAX = 255,
	FOREVER    = 256,
	NONE       = -1,
};

enum kind { CHAR, ANY, SET, BOL, EOL, GROUP };

struct node {
	enum kind kind;
	unsigned char c;
	int min, max;
	int next;                   /* what follows it                      */
	int branch;                 /* GROUP: its first alternative         */
	int group;                  /* GROUP: its number                    */
	uint32_t set[8];
};

/* Alternatives of a group: heads of sequences */
struct branch {
	int head, next;
};

struct pattern {
	const char *p, *end;        /* what is left to read                 */
	bool nocase;
	int nodec, branchc, groupc;
	struct node nodev[NODES_MAX];
	struct branch branchv[NODES_MAX];
};

/* What is to be matched once a group's content has been */
struct goal {
	int node;
	int count;
	const char *start;
	const struct goal *then;
};

struct match {
	const struct pattern *pat;
	const char *text, *end;
	unsigned steps, depth;
	bool tired;
	struct pl group[GROUPS_MAX];
};

static int parse_branches(struct pattern *pat, int *first, unsigned nest);
static bool seq(struct match *m, int node, const char *p,
		const struct goal *then);


/* The expression ---------------------------------------------------------- */

static void set_add(struct node *n, unsigned char c)
{
	n->set[c / 32] |= 1u << c % 32;
}


static bool set_has(const struct node *n, unsigned char c)
{
	return n->set[c / 32] >> c % 32 & 1;
}


/* [:digit:] and its like. @return EINVAL: no such */
static int class_add(struct node *n, const char *p, size_t len)
{
	static const struct {
		const char *name;
		int (*is)(int c);
	} v[] = {
		{"digit", isdigit}, {"alpha", isalpha}, {"alnum", isalnum},
		{"lower", islower}, {"upper", isupper}, {"xdigit", isxdigit},
		{"punct", ispunct}, {"space", isspace},
	};

	for (size_t i = 0; i < COUNTOF(v); i++) {
		if (strlen(v[i].name) != len || memcmp(v[i].name, p, len))
			continue;

		for (int c = 1; c < 128; c++) {
			if (v[i].is(c))
				set_add(n, (unsigned char)c);
		}
		return 0;
	}

	return EINVAL;
}


/* Behind '[' */
static int parse_set(struct pattern *pat, struct node *n)
{
	const bool negative = pat->p < pat->end && *pat->p == '^';
	bool first = true;

	n->kind = SET;
	pat->p += negative;

	for (;; first = false) {
		unsigned char from, to;

		if (pat->p >= pat->end)
			return EINVAL;
		if (*pat->p == ']' && !first)
			break;

		if (*pat->p == '[' && pat->end - pat->p > 3 &&
		    pat->p[1] == ':') {
			const char *colon = memchr(pat->p + 2, ':',
						   (size_t)(pat->end -
							    pat->p - 2));

			if (!colon || colon + 1 >= pat->end ||
			    colon[1] != ']' ||
			    class_add(n, pat->p + 2,
				      (size_t)(colon - pat->p - 2)))
				return EINVAL;
			pat->p = colon + 2;
			continue;
		}

		/* collating symbols and equivalences are not for numbers */
		if (*pat->p == '[' && pat->end - pat->p > 1 &&
		    (pat->p[1] == '.' || pat->p[1] == '='))
			return EINVAL;

		from = to = (unsigned char)*pat->p++;
		if (pat->end - pat->p > 1 && *pat->p == '-' &&
		    pat->p[1] != ']') {
			to = (unsigned char)pat->p[1];
			pat->p += 2;
		}
		if (to < from)
			return EINVAL;
		for (unsigned c = from; c <= to; c++) {
			set_add(n, (unsigned char)c);
			if (pat->nocase && isalpha((int)c)) {
				set_add(n, (unsigned char)toupper((int)c));
				set_add(n, (unsigned char)tolower((int)c));
			}
		}
	}

	++pat->p;

	for (unsigned i = 0; negative && i < COUNTOF(n->set); i++)
		n->set[i] = ~n->set[i];

	return 0;
}


static int parse_number(struct pattern *pat, int *out)
{
	const char *start = pat->p;
	uint32_t v;

	while (pat->p < pat->end && isdigit((unsigned char)*pat->p))
		++pat->p;

	if (text_u32(&v, start, (size_t)(pat->p - start), REPEAT_MAX))
		return EINVAL;

	*out = (int)v;

	return 0;
}


/* *, +, ?, {m}, {m,} or {m,n}; none of them: once */
static int parse_repeat(struct pattern *pat, struct node *n)
{
	n->min = n->max = 1;

	if (pat->p >= pat->end || !strchr("*+?{", *pat->p) || !*pat->p)
		return 0;

	if (n->kind == BOL || n->kind == EOL)
		return EINVAL;

	switch (*pat->p++) {

	case '*':
		n->min = 0;
		n->max = FOREVER;
		break;

	case '+':
		n->max = FOREVER;
		break;

	case '?':
		n->min = 0;
		break;

	default:
		if (parse_number(pat, &n->min))
			return EINVAL;
		n->max = n->min;

		if (pat->p < pat->end && *pat->p == ',') {
			++pat->p;
			n->max = FOREVER;
			if (pat->p < pat->end && *pat->p != '}' &&
			    (parse_number(pat, &n->max) || n->max < n->min))
				return EINVAL;
		}
		if (pat->p >= pat->end || *pat->p++ != '}')
			return EINVAL;
		break;
	}

	/* a second one has no meaning */
	return pat->p < pat->end && *pat->p && strchr("*+?{", *pat->p) ?
		EINVAL : 0;
}


/* One atom with its repetition. @return EINVAL, E2BIG */
static int parse_atom(struct pattern *pat, int *index, unsigned nest)
{
	const char c = *pat->p++;
	struct node *n;
	int err = 0;

	if (pat->nodec == NODES_MAX)
		return E2BIG;

	*index = pat->nodec;
	n = &pat->nodev[pat->nodec++];
	n->next = n->branch = NONE;

	switch (c) {

	case '.':
		n->kind = ANY;
		break;

	case '^':
		n->kind = BOL;
		break;

	case '$':
		n->kind = EOL;
		break;

	case '[':
		err = parse_set(pat, n);
		break;

	case '(':
		n->kind = GROUP;
		n->group = ++pat->groupc;
		err = parse_branches(pat, &n->branch, nest + 1);
		if (!err && (pat->p >= pat->end || *pat->p++ != ')'))
			err = EINVAL;
		break;

	case '*': case '+': case '?': case '{': case ')':
		return EINVAL;

	case '\\':
		/* before a letter or digit it would mean something else */
		if (pat->p >= pat->end || isalnum((unsigned char)*pat->p))
			return EINVAL;
		n->kind = CHAR;
		n->c = (unsigned char)*pat->p++;
		break;

	default:
		n->kind = CHAR;
		n->c = (unsigned char)c;
		break;
	}

	return err ? err : parse_repeat(pat, n);
}


/* Alternatives, up to a ')' or the end */
static int parse_branches(struct pattern *pat, int *first, unsigned nest)
{
	int *link = first;

	if (nest > NEST_MAX)
		return E2BIG;

	for (;;) {
		int *next, index, err;

		if (pat->branchc == NODES_MAX)
			return E2BIG;

		*link = pat->branchc;
		pat->branchv[pat->branchc].head = NONE;
		pat->branchv[pat->branchc].next = NONE;
		next = &pat->branchv[pat->branchc].head;
		link = &pat->branchv[pat->branchc].next;
		++pat->branchc;

		while (pat->p < pat->end && *pat->p != '|' &&
		       *pat->p != ')') {

			err = parse_atom(pat, &index, nest);
			if (err)
				return err;
			*next = index;
			next = &pat->nodev[index].next;
		}

		if (pat->p >= pat->end || *pat->p == ')')
			return 0;
		++pat->p;
	}
}


/* The match ---------------------------------------------------------------- */

static bool one(const struct match *m, const struct node *n, const char *p)
{
	const unsigned char c = (unsigned char)*p;

	if (p >= m->end)
		return false;

	switch (n->kind) {

	case ANY:
		return true;

	case SET:
		return set_has(n, c);

	default:
		return c == n->c || (m->pat->nocase &&
				     tolower(c) == tolower(n->c));
	}
}


/* A node that has been matched count times up to p: again, or what follows */
static bool repeat(struct match *m, int node, int count, const char *p,
		   const struct goal *then)
{
	const struct node *n = &m->pat->nodev[node];
	bool ok = false;
	int b;

	if (++m->steps > STEPS_MAX || m->depth >= DEPTH_MAX) {
		m->tired = true;
		return false;
	}

	++m->depth;

	if (n->max == FOREVER || count < n->max) {

		if (n->kind == GROUP) {
			const struct goal goal = {node, count, p, then};

			for (b = n->branch; b != NONE && !ok && !m->tired;
			     b = m->pat->branchv[b].next)
				ok = seq(m, m->pat->branchv[b].head, p,
					 &goal);
		}
		else if (n->kind == BOL || n->kind == EOL) {
			ok = p == (n->kind == BOL ? m->text : m->end) &&
				seq(m, n->next, p, then);
		}
		else if (one(m, n, p)) {
			ok = repeat(m, node, count + 1, p + 1, then);
		}
	}

	if (!ok && !m->tired && count >= n->min &&
	    n->kind != BOL && n->kind != EOL)
		ok = seq(m, n->next, p, then);

	--m->depth;

	return ok;
}


/* The content of a group ended at p */
static bool group_end(struct match *m, const struct goal *g, const char *p)
{
	const struct node *n = &m->pat->nodev[g->node];
	struct pl *pl = n->group < GROUPS_MAX ? &m->group[n->group] : NULL;
	const struct pl old = pl ? *pl : (struct pl)PL_INIT;
	bool ok;

	/* what matches nothing could do so for ever */
	if (p == g->start && g->count >= n->min)
		return false;

	if (pl) {
		pl->p = g->start;
		pl->l = (size_t)(p - g->start);
	}

	if (p == g->start)
		ok = seq(m, n->next, p, g->then);
	else
		ok = repeat(m, g->node, g->count + 1, p, g->then);

	if (!ok && pl)
		*pl = old;

	return ok;
}


static bool seq(struct match *m, int node, const char *p,
		const struct goal *then)
{
	if (node != NONE)
		return repeat(m, node, 0, p, then);

	if (then)
		return group_end(m, then, p);

	m->group[0].l = (size_t)(p - m->group[0].p);

	return true;
}


/* @return 0, ENOENT: no match, E2BIG: too much work */
static int search(struct match *m, const struct pattern *pat, int first,
		  const char *text)
{
	const char *p;
	int b;

	memset(m, 0, sizeof(*m));
	m->pat = pat;
	m->text = text;
	m->end = text + strlen(text);

	for (p = m->text; p <= m->end; p++) {

		for (b = first; b != NONE; b = pat->branchv[b].next) {

			memset(m->group, 0, sizeof(m->group));
			m->group[0].p = p;

			if (seq(m, pat->branchv[b].head, p, NULL))
				return 0;
			if (m->tired)
				return E2BIG;
		}
	}

	return ENOENT;
}


/* The whole ---------------------------------------------------------------- */

/* Up to the delimiter, which a backslash takes its meaning from */
static int part(char *dst, size_t sz, const char **pp, char delim)
{
	const char *p = *pp;
	size_t n = 0;

	for (; *p && *p != delim; p++) {

		if (*p == '\\' && p[1] == delim)
			++p;
		else if (*p == '\\' && p[1] && n + 1 < sz)
			dst[n++] = *p++;

		if (n + 1 >= sz)
			return EOVERFLOW;
		dst[n++] = *p;
	}

	dst[n] = '\0';
	if (*p != delim)
		return EINVAL;

	*pp = p + 1;

	return 0;
}


static int substitute(char *dst, size_t sz, const struct match *m,
		      const char *repl)
{
	size_t n = 0;

	for (; *repl; repl++) {
		struct pl add = {.p = repl, .l = 1};

		if (*repl == '\\' && repl[1]) {
			++repl;
			add.p = repl;

			if (isdigit((unsigned char)*repl)) {
				if (*repl - '0' > m->pat->groupc)
					return EINVAL;
				add = m->group[*repl - '0'];
			}
		}

		if (n + add.l >= sz)
			return EOVERFLOW;
		if (add.l)
			memcpy(dst + n, add.p, add.l);
		n += add.l;
	}

	dst[n] = '\0';

	return 0;
}


int rewrite(char *dst, size_t sz, const char *regexp, const char *text)
{
	const char delim = *regexp, *p = regexp + 1;
	char ere[256], repl[256];
	struct pattern *pat;
	int err, first = NONE;
	struct match m;

	if (!delim || delim == '\\' || delim == 'i' ||
	    isdigit((unsigned char)delim) || strlen(text) > 64)
		return EINVAL;

	err = part(ere, sizeof(ere), &p, delim);
	if (!err)
		err = part(repl, sizeof(repl), &p, delim);
	if (!err && *p && strcmp(p, "i"))
		err = EINVAL;
	if (err)
		return err;

	pat = mem_zalloc(sizeof(*pat), NULL);
	if (!pat)
		return ENOMEM;

	pat->p = ere;
	pat->end = ere + strlen(ere);
	pat->nocase = *p == 'i';

	err = parse_branches(pat, &first, 0);
	if (!err && pat->p < pat->end)
		err = EINVAL;                   /* a ')' too many */
	if (!err)
		err = search(&m, pat, first, text);
	if (!err)
		err = substitute(dst, sz, &m, repl);

	mem_deref(pat);

	return err;
}
