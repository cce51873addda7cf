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
	char text[256];          /* of a message                             */
	unsigned others;         /* messages that were not it                */
	char last[128];          /* ... and what the last one said           */
};


/* The words behind WHAT, however they are given */
static const struct bound *word_at(const struct cmd *x, size_t i)
{
	const struct bound *v = cmd_value(x, "value", 0);

	if (v && !i)
		return v;

	return cmd_value(x, "within", v ? i - 1 : i);
}


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


/* What is behind: `within T`, or T alone; i: of the words, where it begins */
static int expect_bound(struct cmd *x, uint64_t *ms, size_t i)
{
	const struct bound *v = word_at(x, i);
	const struct bound *next = word_at(x, i + 1);

	*ms = EXPECT_MS;
	if (!v)
		return 0;

	if (next && !strcmp(v->s, "within") && !word_at(x, i + 2)) {
		v = next;
		next = NULL;
	}

	if (next || text_duration(ms, v->s))
		return cmd_wrong(x, "bad-argument", "write: expect dtmf "
				 "DIGITS within T, as in: expect dtmf 12 "
				 "within 10s");

	return 0;
}


static int check_keys(struct cmd *x, const char *s)
{
	if (*s && strlen(s) <= DIGITS_MAX &&
	    !s[strspn(s, "0123456789*#ABCDabcd")])
		return 0;

	return cmd_wrong(x, "bad-argument", "digits come as 1 to %d of 0-9 * "
			 "# A-D", DIGITS_MAX);
}


static void expect_dtmf(struct cmd *x, const char *s)
{
	struct expecting *w = x->state;
	const struct call_record *r;

	if (check_keys(x, s))
		return;

	for (size_t i = 0; s[i]; i++)
		w->digits[i] = (char)toupper((unsigned char)s[i]);

	if (digits_decide(x))
		return;

	r = ua_call_record(x->ph->ua, client_about(x->cl));
	if (r && !ua_call(x->ph->ua, r->id)) {
		reply_error(x->reply, "expect-failed", "call %u has ended; "
			    "digits are '%s', not %s", r->id,
			    client_digits(x->cl), w->digits);
		return;
	}

	cmd_wait(x, w->bound_ms, expect_late);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_DTMF) |
			EVENT_BIT(EVENT_CALL_STATE), expect_event);
}


/* A text ------------------------------------------------------------------- */

static void message_event(struct cmd *x, const struct event *ev)
{
	struct expecting *w = x->state;
	const char *text = ev->u.message_received.text;

	++w->others;
	snprintf(w->last, sizeof(w->last), "%.120s", text);
	client_message_take(x->cl);
	if (!strstr(text, w->text))
		return;

	reply_str(x->reply, "from", ev->u.message_received.from);
	reply_str(x->reply, "text", text);
	cmd_done(x);
}


static void message_late(struct cmd *x)
{
	const struct expecting *w = x->state;
	char t[32];

	text_duration_print(t, sizeof(t), w->bound_ms);
	if (w->others)
		reply_error(x->reply, "expect-failed", "expected a message "
			    "with '%s' within %s, but %u came, the last one "
			    "'%s'", w->text, t, w->others, w->last);
	else
		reply_error(x->reply, "expect-failed", "expected a message "
			    "with '%s' within %s, but none came", w->text, t);
}


static void expect_message(struct cmd *x, const char *s)
{
	struct expecting *w = x->state;
	const struct event *ev = client_message(x->cl);

	snprintf(w->text, sizeof(w->text), "%s", s);

	/* it may have come before the line */
	if (ev && strstr(ev->u.message_received.text, s)) {
		reply_str(x->reply, "from", ev->u.message_received.from);
		reply_str(x->reply, "text", ev->u.message_received.text);
		client_message_take(x->cl);
		return;
	}

	cmd_wait(x, w->bound_ms, message_late);
	cmd_wait_events(x, EVENT_BIT(EVENT_MESSAGE_RECEIVED), message_event);
}


/* What is expected --------------------------------------------------------- */

static void expect_tone(struct cmd *x, const char *s)
{
	const struct expecting *w = x->state;
	double hz;

	if (cmd_hear_named(x, s, w->bound_ms))
		return;

	if (text_double(&hz, s, 20.0, 20000.0)) {
		(void)cmd_wrong(x, "bad-argument", "a tone has 20 to 20000 "
				"Hz, or is dial, ringback, busy, congestion, "
				"sit or fax");
		return;
	}

	cmd_hear(x, HEAR_TONE, hz, w->bound_ms);
}


void cmd_expect(struct cmd *x)
{
	const char *what = cmd_str(x, "what");
	const struct bound *v = word_at(x, 0);
	const bool sound = !strcmp(what, "speech") || !strcmp(what, "silence");
	struct expecting *w = cmd_state(x, sizeof(*w), NULL);

	if (!w)
		return;

	reply_silent(x->reply);

	if (!sound && !v) {
		(void)cmd_wrong(x, "missing-argument", "expect %s what?",
				what);
		return;
	}

	if (expect_bound(x, &w->bound_ms, sound ? 0 : 1))
		return;

	if (!strcmp(what, "dtmf")) {
		expect_dtmf(x, v->s);
	}
	else if (!strcmp(what, "message")) {
		expect_message(x, v->s);
	}
	else {
		/* it has a state of its own */
		if (!strcmp(what, "tone"))
			expect_tone(x, v->s);
		else
			cmd_hear(x, *what == 's' && what[1] == 'p' ?
				 HEAR_SPEECH : HEAR_SILENCE, 0.0,
				 w->bound_ms);
		if (x->state != w)
			mem_deref(w);
	}
}


/* assert ----------------------------------------------------------------- */

enum relation { REL_LT, REL_LE, REL_GT, REL_GE, REL_EQ, REL_NE, REL_HAS };

static const struct { const char *text; enum relation rel; } relations[] = {
	{ "<=", REL_LE }, { ">=", REL_GE }, { "!=", REL_NE },
	{ "==", REL_EQ }, { "<",  REL_LT }, { ">",  REL_GT },
	{ "=",  REL_EQ }, { "~",  REL_HAS },
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
	case REL_HAS: break;
	}

	return false;
}


/* FIGURE OP VALUE, with or without spaces, as it was written */
struct demand {
	char name[64];
	const struct figure *figure;     /* NULL: a header, by name          */
	const char *op;
	enum relation rel;
	const char *value;
};


static int demand_parse(struct cmd *x, struct demand *d, const char *s)
{
	char show[80], hint[128];
	size_t n, i;

	s += strspn(s, " ");
	n = strcspn(s, " <>=!~");
	snprintf(d->name, sizeof(d->name), "%.*s", (int)n, s);
	s += n;
	s += strspn(s, " ");

	d->figure = figure_find(d->name);
	if (!d->figure && !message_figure_named(d->name))
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
				 "VALUE, with an OP of < <= > >= = != ~",
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
	const bool number = d->figure && d->figure->number;
	char show[80];

	if (number && assert_number(want, d->figure, d->value))
		return cmd_wrong(x, "bad-argument", "%s is a number, '%s' is "
				 "none", d->name,
				 text_escape(show, sizeof(show), d->value,
					     strlen(d->value)));

	if (number && d->rel == REL_HAS)
		return cmd_wrong(x, "bad-argument", "%s is a number; ~ is "
				 "for words", d->name);

	if (!number && d->rel != REL_EQ && d->rel != REL_NE &&
	    d->rel != REL_HAS)
		return cmd_wrong(x, "bad-argument", "%s is a word; compare "
				 "it with =, != or ~ (has in it)", d->name);

	return 0;
}


/* The figure as it is. @return 0, ENOENT (no call), ENODATA */
static int demand_get(struct cmd *x, const struct demand *d, double *num,
		      char *text, size_t sz)
{
	const unsigned id = client_selected(x->cl) ?
		client_selected(x->cl) : client_about(x->cl);

	if (!d->figure)
		return message_figure(x->ph, id, d->name, text, sz);

	return figure_get(x->ph, id, d->figure, num, text, sz);
}


static bool demand_holds(const struct demand *d, double num, double want,
			 const char *text)
{
	if (d->figure && d->figure->number)
		return holds(num, d->rel, want);
	if (d->rel == REL_HAS)
		return strstr(text, d->value) != NULL;

	return !strcmp(text, d->value) == (d->rel == REL_EQ);
}


int assert_holds(struct cmd *x, const char *expr, bool *ok)
{
	char text[EVENT_TEXT] = "";
	double num = 0.0, want = 0.0;
	struct demand d;

	if (demand_parse(x, &d, expr) || demand_value(x, &d, &want))
		return EINVAL;

	*ok = !demand_get(x, &d, &num, text, sizeof(text)) &&
		demand_holds(&d, num, want, text);

	return 0;
}


void cmd_assert(struct cmd *x)
{
	char text[EVENT_TEXT] = "", show[80], seen[160];
	double num = 0.0, want = 0.0;
	const char *unit;
	struct demand d;
	int err;

	reply_silent(x->reply);

	if (demand_parse(x, &d, cmd_str(x, "expr")) ||
	    demand_value(x, &d, &want))
		return;

	err = demand_get(x, &d, &num, text, sizeof(text));
	if (err) {
		reply_error(x->reply, "assert-failed", err == ENOENT ?
			    "there is no call to ask for %s" :
			    "%s is not known", d.name);
		return;
	}

	if (d.figure && d.figure->number)
		figure_print(text, sizeof(text), num);

	reply_str(x->reply, d.name, text);
	if (demand_holds(&d, num, want, text))
		return;

	unit = d.figure ? d.figure->unit : "";
	reply_error(x->reply, "assert-failed", "%s is %s%s, not %s %s", d.name,
		    text_escape(seen, sizeof(seen), text, strlen(text)), unit,
		    d.op, text_escape(show, sizeof(show), d.value,
				      strlen(d.value)));
}
