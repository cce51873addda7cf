/**
 * @file app/answer_rules.c  Which calls `listen` takes how: lines
 *
 * Lines come from files: every word is checked against its row, every value
 * has a limit, and what is wrong is told with what would be right.  No state
 * but the counts.  Main thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include "answer_words.h"
#include "offhook/path.h"
#include "offhook/text.h"

enum {
	MATCHES_MAX = 8,         /* of a rule                                */
	FILE_MAX    = 1 << 20,
	WORD_MAX    = 512,
};

struct rule {
	struct le le;
	char *text;
	struct match v[MATCHES_MAX];
	size_t n;
	uint64_t nth;            /* 0: any of those that all else holds for  */
	bool every;              /* ... and each so-manieth again            */
	uint64_t held;           /* how often all else did                   */
	uint64_t hits;
	struct answer_rule act;
};

struct answer_rules {
	struct list list;        /* struct rule                              */
	size_t n;
};

/* A word "NAME=VALUE" as it is taken apart */
struct word {
	char name[WORD_MAX], value[ANSWER_VALUE];
	bool given;              /* there is a '='                           */
};


/* Lines ---------------------------------------------------------------------------- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}


/* The next word; quotes as in a script. @return 0, ENOENT, EINVAL */
static int word_next(struct word *w, const char **pp, const char *end,
		     char *err)
{
	char text[WORD_MAX + ANSWER_VALUE], quote = 0, *eq;
	const char *p = *pp;
	size_t n = 0;

	while (p < end && blank(*p))
		++p;
	if (p == end || *p == '#')
		return ENOENT;

	for (; p < end && (quote || !blank(*p)); p++) {

		char c = *p;

		if (quote && c == quote) {
			quote = 0;
			continue;
		}
		if (!quote && (c == '\'' || c == '"')) {
			quote = c;
			continue;
		}
		if (c == '\\' && quote != '\'' && p + 1 < end)
			c = *++p;
		if ((unsigned char)c < ' ' || c == 127)
			return answer_wrong(err, "there is a control character in "
				     "it");
		if (n + 1 >= sizeof(text))
			return answer_wrong(err, "a word is too long");
		text[n++] = c;
	}
	if (quote)
		return answer_wrong(err, "a %c is not closed", quote);

	text[n] = '\0';
	*pp = p;

	eq = strchr(text, '=');
	w->given = eq != NULL;
	if (eq)
		*eq++ = '\0';
	if (strlen(text) >= sizeof(w->name) ||
	    (eq && strlen(eq) >= sizeof(w->value)))
		return answer_wrong(err, "a word is too long");

	memcpy(w->name, text, strlen(text) + 1);
	snprintf(w->value, sizeof(w->value), "%s", eq ? eq : "");

	return 0;
}


static const char *matcher_name(size_t i, const void *arg)
{
	const struct answer_word *w = answer_matcher(i);
	(void)arg;

	return w ? w->name : NULL;
}


static const char *action_name(size_t i, const void *arg)
{
	const struct answer_word *w = answer_action(i);
	(void)arg;

	return w ? w->name : NULL;
}


static int no_such(const char *kind, const char *name, text_name_h *h,
		   char *err)
{
	const char *near = text_nearest(name, h, NULL);
	char show[64];

	text_escape(show, sizeof(show), name, strlen(name));

	return near ? answer_wrong(err, "there is no %s '%s'; did you mean '%s'?",
			    kind, show, near) :
		answer_wrong(err, "there is no %s '%s'; see 'help listen'", kind,
		      show);
}


static int count_of(uint64_t *out, const char *value, char *err)
{
	uint32_t n;

	if (text_u32(&n, value, strlen(value), 1000000000) || !n)
		return answer_wrong(err, "'%.40s' is no count, which begins at 1",
			     value);
	*out = n;

	return 0;
}


static int add_match(struct rule *r, const struct word *w, char *err)
{
	const struct matcher_row *row = matcher_find(w->name);
	struct match *m;
	int e;

	if (!row)
		return no_such("matcher", w->name, matcher_name, err);
	if (!w->value[0])
		return answer_wrong(err, "%s=%s is missing", w->name,
			     row->word.value);

	if (!row->is) {
		if (r->nth)
			return answer_wrong(err, "nth and every are said once, one "
				     "of them");
		r->every = !strcmp(w->name, "every");
		return count_of(&r->nth, w->value, err);
	}

	if (r->n == MATCHES_MAX)
		return answer_wrong(err, "a rule has at most %d matchers",
			     MATCHES_MAX);

	m = &r->v[r->n];
	e = row->take(m, w->value, err);
	if (e)
		return e;

	m->is = row->is;
	++r->n;

	return 0;
}


static int add_action(struct rule *r, const struct word *w, char *err)
{
	const struct action_row *row = action_find(w->name);

	if (!row)
		return no_such("action", w->name, action_name, err);

	if (w->given && !*row->word.value)
		return answer_wrong(err, "%s takes no value", w->name);
	if (!w->value[0] && *row->word.value && !row->maybe)
		return answer_wrong(err, "%s=%s is missing", w->name,
			     row->word.value);

	return row->act(&r->act, w->value, err);
}


/* Is there a word `then`? */
static int has_then(bool *then, const char *p, const char *end, char *err)
{
	struct word w;
	int e;

	*then = false;
	while (!(e = word_next(&w, &p, end, err))) {
		if (!w.given && !strcmp(w.name, "then"))
			*then = true;
	}

	return e == ENOENT ? 0 : e;
}


static bool only_refuses(const struct rule *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (match_is_method(&r->v[i]) &&
		    strcasecmp(r->v[i].text, "INVITE"))
			return true;
	}

	return false;
}


/* What does not go together */
static int rule_check(const struct rule *r, size_t words, char *err)
{
	const struct answer_rule *a = &r->act;

	if (!words)
		return answer_wrong(err, "what is to be done? Write: MATCHER... then "
			     "ACTION...");
	if (only_refuses(r) && a->code < 300)
		return answer_wrong(err, "of this method only code= can be chosen");
	if (a->reason[0] && a->code < 300)
		return answer_wrong(err, "reason= needs a code=");
	if (a->early && !a->after_ms)
		return answer_wrong(err, "early needs an after=");
	if (a->transfer_ms && !a->transfer[0])
		return answer_wrong(err, "transfer-after= needs a transfer=");
	if (a->code >= 300 && (a->dtmf[0] || a->transfer[0] || a->record[0] ||
			       a->for_ms || a->reinvite_code ||
			       (a->sound != ANSWER_DEVICE && !a->early)))
		return answer_wrong(err, "a call that is refused has no sound, keys "
			     "or transfer");

	return 0;
}


static int rule_read(struct rule *r, const char *p, const char *end,
		     char *err)
{
	size_t words = 0;
	struct word w;
	bool before;
	int e;

	e = has_then(&before, p, end, err);
	if (e)
		return e;

	while (!(e = word_next(&w, &p, end, err))) {

		if (!w.given && !strcmp(w.name, "then")) {
			if (!before)
				return answer_wrong(err, "`then` is there twice");
			before = false;
			continue;
		}

		e = before ? add_match(r, &w, err) : add_action(r, &w, err);
		if (e)
			return e;
		words += !before;
	}

	return e == ENOENT ? rule_check(r, words, err) : e;
}


static void rule_destructor(void *arg)
{
	struct rule *r = arg;

	list_unlink(&r->le);
	mem_deref(r->text);
}


int answer_rules_line(struct answer_rules *rs, const char *text, size_t len,
		      char *err)
{
	const char *p = text, *end = text + len;
	struct rule *r;
	int e;

	err[0] = '\0';
	while (p < end && blank(*p))
		++p;
	while (end > p && (blank(end[-1]) || end[-1] == '\n'))
		--end;
	if (p == end || *p == '#')
		return 0;

	if (end - p > ANSWER_LINE_MAX)
		return answer_wrong(err, "a rule is longer than %d bytes",
			     ANSWER_LINE_MAX);
	if (rs->n >= ANSWER_RULES_MAX) {
		(void)answer_wrong(err, "there are more than %d rules",
			    ANSWER_RULES_MAX);
		return ENOSPC;
	}

	r = mem_zalloc(sizeof(*r), rule_destructor);
	if (!r)
		return ENOMEM;

	r->act.on = true;
	r->act.code = 200;
	e = rule_read(r, p, end, err);
	if (!e) {
		r->text = mem_alloc((size_t)(end - p) + 1, NULL);
		e = r->text ? 0 : ENOMEM;
	}
	if (e) {
		mem_deref(r);
		return e;
	}

	memcpy(r->text, p, (size_t)(end - p));
	r->text[end - p] = '\0';
	list_append(&rs->list, &r->le, r);
	++rs->n;

	return 0;
}


int answer_rules_file(struct answer_rules *r, const char *path, char *err)
{
	char *text = NULL, why[UA_ERR] = "";
	const char *p, *end;
	unsigned n = 0;
	size_t len;
	int e;

	err[0] = '\0';
	e = path_read(&text, &len, path, FILE_MAX);
	if (e)
		return e;

	p = text + text_bom(text, len);
	end = text + len;
	while (p < end && !e) {

		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;

		++n;
		e = answer_rules_line(r, p, (size_t)(stop - p), why);
		p = nl ? nl + 1 : end;
	}

	if (e && e != ENOMEM)
		snprintf(err, UA_ERR, "%.80s:%u: %.160s", path, n, why);
	free(text);

	return e;
}


static void rules_destructor(void *arg)
{
	struct answer_rules *r = arg;

	list_flush(&r->list);
}


int answer_rules_alloc(struct answer_rules **rp)
{
	*rp = mem_zalloc(sizeof(**rp), rules_destructor);

	return *rp ? 0 : ENOMEM;
}


const struct answer_rule *answer_rules_act(const struct answer_rules *r,
					   size_t i)
{
	const struct le *le = r ? list_head(&r->list) : NULL;

	while (le && i--)
		le = le->next;

	return le ? &((const struct rule *)le->data)->act : NULL;
}


size_t answer_rules_count(const struct answer_rules *r)
{
	return r ? r->n : 0;
}


bool answer_rules_at(const struct answer_rules *r, size_t i,
		     const char **text, uint64_t *hits)
{
	const struct le *le = r ? list_head(&r->list) : NULL;
	const struct rule *ru;

	while (le && i--)
		le = le->next;
	if (!le)
		return false;

	ru = le->data;
	*text = ru->text;
	*hits = ru->hits;

	return true;
}


static bool holds(struct rule *r, const struct answer_subject *s)
{
	bool method = false;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->v[i].is(&r->v[i], s))
			return false;
		method = method || match_is_method(&r->v[i]);
	}

	/* who names none means calls */
	if (!method && strcmp(s->method, "INVITE"))
		return false;

	++r->held;
	if (!r->nth)
		return true;

	return r->every ? r->held % r->nth == 0 : r->held == r->nth;
}


const struct answer_rule *answer_rules_find(struct answer_rules *r,
					    const struct answer_subject *s)
{
	struct le *le;

	for (le = r ? list_head(&r->list) : NULL; le; le = le->next) {

		struct rule *ru = le->data;

		if (holds(ru, s)) {
			++ru->hits;
			return &ru->act;
		}
	}

	return NULL;
}
