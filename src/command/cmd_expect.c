/**
 * @file cmd_expect.c  What a script demands: `expect`, `assert`
 *
 * `expect` sits on events with a bound, `assert` looks at a figure now.  Main
 * thread.
 */
#include <ctype.h>
#include <stdio.h>
#include "priv.h"

enum { EXPECT_MS = 30000 };

struct expecting {
	uint64_t bound_ms;
	char digits[DIGITS_MAX + 1];
};


/* expect ----------------------------------------------------------------- */

/* Enough digits, or a wrong one? @return true: decided */
static bool digits_decide(struct cmd *x)
{
	const struct expecting *w = x->state;
	const char *got = client_digits(x->cl);
	const size_t n = strlen(w->digits), m = strlen(got);

	if (strncmp(got, w->digits, n < m ? n : m)) {
		reply_error(x->reply, "expect-failed", "digits are %s, not "
			    "%s", got, w->digits);
		return true;
	}

	if (m < n)
		return false;

	client_digits_take(x->cl, n);
	reply_str(x->reply, "digits", w->digits);

	return true;
}


static void expect_event(struct cmd *x, const struct event *ev)
{
	const struct expecting *w = x->state;

	if (ev->call != client_about(x->cl))
		return;

	if (ev->type == EVENT_CALL_DTMF) {
		if (digits_decide(x))
			cmd_done(x);
		return;
	}

	if (strcmp(ev->u.call_state.state, "ended"))
		return;

	reply_error(x->reply, "expect-failed", "call %u ended; digits are "
		    "'%s', not %s", ev->call, client_digits(x->cl),
		    w->digits);
	cmd_done(x);
}


static void expect_late(struct cmd *x)
{
	const struct expecting *w = x->state;
	char t[32];

	text_duration_print(t, sizeof(t), w->bound_ms);
	reply_error(x->reply, "expect-failed", "digits are '%s', not %s, "
		    "within %s", client_digits(x->cl), w->digits, t);
}


/* What is behind the digits: `within T`, or T alone */
static int expect_bound(struct cmd *x, uint64_t *ms)
{
	const struct bound *v = cmd_value(x, "within", 0);
	const struct bound *next = cmd_value(x, "within", 1);

	*ms = EXPECT_MS;
	if (!v)
		return 0;

	if (next && !strcmp(v->s, "within") && !cmd_value(x, "within", 2)) {
		v = next;
		next = NULL;
	}

	if (next || text_duration(ms, v->s))
		return cmd_wrong(x, "bad-argument", "write: expect dtmf "
				 "DIGITS within T, as in: expect dtmf 12 "
				 "within 10s");

	return 0;
}


void cmd_expect(struct cmd *x)
{
	struct expecting *w = mem_zalloc(sizeof(*w), NULL);
	const char *s = cmd_str(x, "digits");
	const struct call_record *r;

	if (!w) {
		cmd_fail(x, ENOMEM, NULL);
		return;
	}

	x->state = w;
	reply_silent(x->reply);

	if (s[strspn(s, "0123456789*#ABCDabcd")]) {
		(void)cmd_wrong(x, "bad-argument", "digits come as 0-9 * # "
				"A-D");
		return;
	}
	for (size_t i = 0; s[i]; i++)
		w->digits[i] = (char)toupper((unsigned char)s[i]);

	if (expect_bound(x, &w->bound_ms) || digits_decide(x))
		return;

	r = ua_call_record(x->ph->ua, client_about(x->cl));
	if (r && !ua_call(x->ph->ua, r->id)) {
		reply_error(x->reply, "expect-failed", "call %u has ended; "
			    "digits are '%s', not %s", r->id,
			    client_digits(x->cl), w->digits);
		return;
	}

	cmd_wait(x, w->bound_ms, expect_late);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_DTMF) | EVENT_BIT(EVENT_CALL_STATE),
			expect_event);
}


/* assert ----------------------------------------------------------------- */

enum relation { REL_LT, REL_LE, REL_GT, REL_GE, REL_EQ, REL_NE };

static const struct { const char *text; enum relation rel; } relations[] = {
	{ "<=", REL_LE }, { ">=", REL_GE }, { "!=", REL_NE },
	{ "==", REL_EQ }, { "<",  REL_LT }, { ">",  REL_GT },
	{ "=",  REL_EQ },
};


static const char *figure_h(size_t i, const void *arg)
{
	const struct figure *f = figure_at(i);
	(void)arg;

	return f ? f->name : NULL;
}


static bool holds(double a, enum relation rel, double b)
{
	switch (rel) {

	case REL_LT: return a < b;
	case REL_LE: return a <= b;
	case REL_GT: return a > b;
	case REL_GE: return a >= b;
	case REL_EQ: return a >= b && a <= b;
	case REL_NE: return a < b || a > b;
	}

	return false;
}


/* FIGURE OP VALUE, with or without spaces, as it was written */
struct demand {
	char name[48];
	const struct figure *figure;
	const char *op;
	enum relation rel;
	const char *value;
};


static int demand_parse(struct cmd *x, struct demand *d, const char *s)
{
	char show[80], hint[128];
	size_t n, i;

	s += strspn(s, " ");
	n = strcspn(s, " <>=!");
	snprintf(d->name, sizeof(d->name), "%.*s", (int)n, s);
	s += n;
	s += strspn(s, " ");

	d->figure = figure_find(d->name);
	if (!d->figure)
		return cmd_wrong(x, "bad-argument", "there is no figure "
				 "'%s'; %s",
				 text_escape(show, sizeof(show), d->name,
					     strlen(d->name)),
				 hint_text(hint, sizeof(hint), d->name,
					   figure_h, NULL,
					   "see 'help assert'"));

	for (i = 0; i < ARRAY_SIZE(relations); i++) {
		if (!strncmp(s, relations[i].text,
			     strlen(relations[i].text)))
			break;
	}
	if (i == ARRAY_SIZE(relations))
		return cmd_wrong(x, "bad-argument", "write: assert %s OP "
				 "VALUE, with an OP of < <= > >= = !=",
				 d->name);
	d->op = relations[i].text;
	d->rel = relations[i].rel;

	s += strlen(d->op);
	d->value = s + strspn(s, " ");
	if (!*d->value)
		return cmd_wrong(x, "bad-argument", "%s %s what?", d->name,
				 d->op);

	return 0;
}


/* A number, with a unit of time where the figure is one */
static int assert_number(double *num, const struct figure *f, const char *s)
{
	char *end;
	uint64_t ms;
	double scale;

	errno = 0;
	*num = strtod(s, &end);
	if (end != s && !errno && (!*end || (!strcmp(end, "%") &&
					     !strcmp(f->unit, "%"))))
		return 0;

	scale = !strcmp(f->unit, "ms") ? 1.0 :
		!strcmp(f->unit, "s") ? 1000.0 : 0.0;
	if (!(scale > 0.0) || text_duration(&ms, s))
		return EINVAL;

	*num = (double)ms / scale;

	return 0;
}


/* What the figure is compared with must fit it */
static int demand_value(struct cmd *x, const struct demand *d, double *want)
{
	char show[80];

	if (d->figure->number && assert_number(want, d->figure, d->value))
		return cmd_wrong(x, "bad-argument", "%s is a number, '%s' is "
				 "none", d->name,
				 text_escape(show, sizeof(show), d->value,
					     strlen(d->value)));

	if (!d->figure->number && d->rel != REL_EQ && d->rel != REL_NE)
		return cmd_wrong(x, "bad-argument", "%s is a word; compare "
				 "it with = or !=", d->name);

	return 0;
}


void cmd_assert(struct cmd *x)
{
	const unsigned id = client_selected(x->cl) ?
		client_selected(x->cl) : client_about(x->cl);
	char text[EVENT_TEXT] = "", show[80];
	double num = 0.0, want = 0.0;
	const struct figure *f;
	struct demand d;
	bool ok;
	int err;

	reply_silent(x->reply);

	if (demand_parse(x, &d, cmd_str(x, "expr")) ||
	    demand_value(x, &d, &want))
		return;

	f = d.figure;
	err = figure_get(x->ph, id, f, &num, text, sizeof(text));
	if (err) {
		reply_error(x->reply, "assert-failed", err == ENOENT ?
			    "there is no call to ask for %s" :
			    "%s is not known", d.name);
		return;
	}

	if (f->number) {
		figure_print(text, sizeof(text), num);
		ok = holds(num, d.rel, want);
	}
	else {
		ok = !strcmp(text, d.value) == (d.rel == REL_EQ);
	}

	reply_str(x->reply, d.name, text);
	if (!ok)
		reply_error(x->reply, "assert-failed", "%s is %s%s, not %s "
			    "%s", d.name, text, f->unit, d.op,
			    text_escape(show, sizeof(show), d.value,
					strlen(d.value)));
}
