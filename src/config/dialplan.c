/**
 * @file dialplan.c  The dial plan: numbers as they are dialled, and as they
 * are meant
 *
 * Lines `PATTERN = WHAT`; the first pattern that fits the whole number counts.
 * A pattern is an extended regular expression.  What becomes of the number is
 * said in words: `strip N`, `prefix DIGITS`, `keep`, or a number with \1 ...
 * for the parts in brackets; `account NAME` chooses who calls.  Main thread.
 */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <offhook/contact.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include "priv.h"

enum {
	RULES_MAX = 500, GROUPS = 10, NUMBER_MAX = 64,
	PATTERN_MAX = 80,
	TREE_MAX = 500,                  /* parts that a pattern unfolds to  */
};

struct rule {
	regex_t re;
	unsigned line;
	unsigned strip;
	char prefix[NUMBER_MAX];
	char replace[NUMBER_MAX];        /* "" : strip and prefix            */
	char account[64];
};

struct dialplan {
	struct rule *v;
	size_t n;
};


/* What may be dialled */
static bool is_number(const char *s)
{
	return *s && !s[strspn(s, "+0123456789*#")];
}


static bool is_replacement(const char *s)
{
	return *s && !s[strspn(s, "+0123456789*#\\")];
}


/* The next word of a value. @return its length, 0: none */
static size_t word_next(const char **p)
{
	*p += strspn(*p, " \t");

	return strcspn(*p, " \t");
}


static bool word_is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && !memcmp(p, word, n);
}


static int word_take(char *dst, size_t sz, const char **p)
{
	const size_t n = word_next(p);
	int err;

	if (!n)
		return EINVAL;

	err = text_copy(dst, sz, *p, n);
	*p += n;

	return err;
}


static int action_read(struct rule *r, const char *p, char *err)
{
	bool any = false, replaces = false;
	size_t n;

	while ((n = word_next(&p))) {

		char text[NUMBER_MAX];
		uint32_t strip;

		any = true;
		if (word_is(p, n, "keep")) {
			p += n;
		}
		else if (word_is(p, n, "strip")) {
			p += n;
			if (word_take(text, sizeof(text), &p) ||
			    text_u32(&strip, text, strlen(text), NUMBER_MAX))
				return conf_error(err, EINVAL, "strip takes "
						  "how many digits, as in "
						  "strip 1");
			r->strip = strip;
		}
		else if (word_is(p, n, "prefix")) {
			p += n;
			if (word_take(r->prefix, sizeof(r->prefix), &p) ||
			    !is_number(r->prefix))
				return conf_error(err, EINVAL, "prefix takes "
						  "digits, as in prefix +49");
		}
		else if (word_is(p, n, "account")) {
			p += n;
			if (word_take(r->account, sizeof(r->account), &p))
				return conf_error(err, EINVAL, "account takes "
						  "a name");
		}
		else if (!word_take(r->replace, sizeof(r->replace), &p) &&
			 is_replacement(r->replace) && !replaces) {
			replaces = true;
		}
		else {
			return conf_error(err, EINVAL, "a number becomes "
					  "`strip N`, `prefix DIGITS`, "
					  "`keep`, or a number with \\1 in "
					  "it; `account NAME` may follow");
		}
	}

	if (replaces && (r->strip || r->prefix[0]))
		return conf_error(err, EINVAL, "strip and prefix change the "
				  "number; there is another one already");

	return any ? 0 : conf_error(err, EINVAL, "there is nothing behind the "
				    "'='; `keep` leaves a number as it is");
}


/* What a repeat asks for: how many copies are written out, and is there no
 * end of them? */
static size_t repeats(const char **p, bool *endless)
{
	size_t most = 0;

	*endless = **p == '+' || **p == '*';
	if (**p != '{')
		return *(*p)++ == '+' ? 2 : 1;

	while (**p && **p != '}') {

		const unsigned long n = strtoul(++*p, NULL, 10);

		if (n > TREE_MAX)
			return TREE_MAX + 1;
		if (n > most)
			most = n;
		*endless = **p == '}' && (*p)[-1] == ',';
	}
	if (**p)
		++*p;

	return most + 1;
}


/* Behind the ']': one that stands first is no end */
static const char *class_end(const char *p)
{
	p += 1 + (p[1] == '^');
	p += *p == ']';
	p += strcspn(p, "]");

	return *p ? p + 1 : p;
}


/*
 * regcomp() writes out what is repeated, and that once more for each repeat
 * around it; what is without end within what is without end it follows in
 * every way there is.  Thirty signs can take all the memory, or all the time.
 * Is the pattern little enough, and of nothing like that?
 */
static bool bounded(const char *p)
{
	struct {
		size_t size;
		bool endless;            /* something in it is               */
	} in[PATTERN_MAX] = { { 0, false } }, last = { 0, false };
	size_t depth = 0;
	bool repeat = false;             /* the sign before was one          */

	while (*p) {
		if (*p == '(') {
			in[++depth].size = 0;
			in[depth].endless = repeat = false;
			++p;
		}
		else if (strchr("*+?{", *p)) {
			bool endless;
			const size_t n = repeats(&p, &endless);

			if (repeat || (endless && last.endless))
				return false;

			in[depth].size += last.size * n - last.size;
			in[depth].endless = in[depth].endless || endless;
			last.size *= n;
			repeat = true;
		}
		else {
			last.size = 1;
			last.endless = repeat = false;
			if (*p == ')' && depth) {
				last.size += in[depth].size;
				last.endless = in[depth].endless;
				--depth;
			}
			in[depth].size += last.size;
			in[depth].endless = in[depth].endless || last.endless;
			p = *p == '[' ? class_end(p) :
				*p == '\\' && p[1] ? p + 2 : p + 1;
		}

		if (in[depth].size > TREE_MAX)
			return false;
	}

	return true;
}


static int rule_read(struct rule *r, const struct conf_lines *l, char *err)
{
	char text[PATTERN_MAX], why[80];
	int e;

	memset(r, 0, sizeof(*r));
	r->line = l->line;

	if (action_read(r, l->value, err))
		return EINVAL;

	(void)snprintf(text, sizeof(text), "^(%s)$", l->name);
	if (!bounded(text))
		return conf_error(err, EINVAL, "the pattern repeats too often "
				  "what is repeated already: one + or {N} is "
				  "enough");

	e = regcomp(&r->re, text, REG_EXTENDED);
	if (!e)
		return 0;

	(void)regerror(e, &r->re, why, sizeof(why));

	return conf_error(err, EINVAL, "the pattern cannot be used: %s", why);
}


void dialplan_free(struct dialplan *d)
{
	if (!d)
		return;

	for (size_t i = 0; i < d->n; i++)
		regfree(&d->v[i].re);
	free(d->v);
	free(d);
}


int dialplan_parse(struct dialplan **dp, const char *path, const char *text,
		   size_t len, char *err)
{
	struct dialplan *d = calloc(1, sizeof(*d));
	char why[CONFIG_ERR] = "";
	enum conf_line_type type;
	struct conf_lines l;
	int e = 0;

	if (!d)
		return ENOMEM;
	d->v = calloc(RULES_MAX, sizeof(*d->v));
	if (!d->v) {
		free(d);
		return ENOMEM;
	}

	conf_lines_init(&l, text, len);
	l.plain = true;

	while (!e && (type = conf_lines_next(&l)) != CONF_LINE_END) {

		if (type == CONF_LINE_EMPTY)
			continue;

		if (type != CONF_LINE_PAIR)
			e = conf_error(err, EINVAL, "%.200s:%u: %s", path,
				       l.line, l.value);
		else if (d->n == RULES_MAX)
			e = conf_error(err, EFBIG, "%.200s: more than %d "
				       "rules", path, RULES_MAX);
		else if (rule_read(&d->v[d->n], &l, why))
			e = conf_error(err, EINVAL, "%.200s:%u: %.200s", path,
				       l.line, why);
		else
			++d->n;
	}

	if (e)
		dialplan_free(d);
	else
		*dp = d;

	return e;
}


int dialplan_load(struct dialplan **dp, const char *path, char *err)
{
	char *text = NULL;
	size_t len = 0;
	int e;

	if (!dp || !path)
		return EINVAL;

	e = path_read(&text, &len, path, CONF_FILE_MAX);
	if (e && e != ENOENT)
		return conf_error(err, e, "cannot read %.200s: %s", path,
				  strerror(e));

	e = dialplan_parse(dp, path, text ? text : "", len, err);
	free(text);

	return e;
}


/* \1 ... in it stand for what the brackets held; \0 for all of it */
static int replace(char *buf, size_t sz, const struct rule *r,
		   const char *number, const regmatch_t *m)
{
	struct text_buf b = { .max = sz - 1 };
	int err;

	for (const char *p = r->replace; *p; p++) {

		/* the pattern itself stands in brackets of ours */
		const unsigned i = p[0] == '\\' && p[1] >= '0' && p[1] <= '8' ?
			(unsigned)(p[1] - '0') + 1 : 0;

		if (!i) {
			if (*p != '\\')
				text_add_mem(&b, p, 1);
			continue;
		}

		++p;
		if (m[i].rm_so >= 0)
			text_add_mem(&b, number + m[i].rm_so,
				     (size_t)(m[i].rm_eo - m[i].rm_so));
	}

	err = b.err || !b.len ? EINVAL : text_copy(buf, sz, b.s, b.len);
	text_buf_reset(&b);

	return err;
}


bool dialplan_apply(const struct dialplan *d, const char *number, char *buf,
		    size_t sz, const char **account, unsigned *line)
{
	if (!d || !number || strlen(number) >= NUMBER_MAX || !sz)
		return false;

	for (size_t i = 0; i < d->n; i++) {

		const struct rule *r = &d->v[i];
		const size_t len = strlen(number);
		regmatch_t m[GROUPS];

		if (regexec(&r->re, number, GROUPS, m, 0))
			continue;

		if (r->replace[0]) {
			if (replace(buf, sz, r, number, m))
				return false;
		}
		else if (snprintf(buf, sz, "%s%s", r->prefix, number +
				  (r->strip < len ? r->strip : len)) >=
			 (int)sz || !buf[0]) {
			return false;
		}

		*account = r->account;
		*line = r->line;

		return true;
	}

	return false;
}
