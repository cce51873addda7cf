/**
 * @file cmd_wait.c  Commands that hold back the lines behind them
 *
 * `wait` and `expect` sit on events with a bound, `assert` looks at a figure
 * now.  Nothing polls.  Main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include "priv.h"

enum { WAIT_MS = 30000, FIELDS_MAX = 16 };

struct waiting {
	uint64_t bound_ms;
	enum call_state state;           /* wait call                        */
	enum event_type type;            /* wait EVENT                       */
	size_t n;
	struct {
		char name[48];
		char value[EVENT_TEXT];
	} field[FIELDS_MAX];
	char digits[DIGITS_MAX + 1];     /* expect dtmf                      */
};


static struct waiting *waiting_make(struct cmd *x)
{
	struct waiting *w = mem_zalloc(sizeof(*w), NULL);

	if (!w)
		cmd_fail(x, ENOMEM, NULL);
	else
		w->bound_ms = WAIT_MS;

	x->state = w;
	reply_silent(x->reply);

	return w;
}


static void wrong(struct cmd *x, const char *token, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void wrong(struct cmd *x, const char *token, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	reply_error(x->reply, token, "%s", text);
	reply_usage(x->reply);
}


static const char *bound_text(const struct cmd *x, char *buf, size_t sz)
{
	const struct waiting *w = x->state;

	text_duration_print(buf, sz, w->bound_ms);

	return buf;
}


/* wait call STATE -------------------------------------------------------- */

static const char *state_h(size_t i, const void *arg)
{
	(void)arg;

	return i + 1 < CALL_STATES ?
		call_state_name((enum call_state)(i + 1)) : NULL;
}


static void reply_ended(struct cmd *x, unsigned id)
{
	const struct call_record *r = ua_call_record(x->ph->ua, id);

	reply_int(x->reply, "call", id);
	reply_str(x->reply, "state", "ended");
	if (!r)
		return;

	if (r->result.code)
		reply_int(x->reply, "code", r->result.code);
	if (r->result.reason[0])
		reply_str(x->reply, "reason", r->result.reason);
	reply_str(x->reply, "cause", sip_cause_name(r->result.cause));
}


/* The call ended without it: say why */
static void fail_ended(struct cmd *x, unsigned id, const char *text)
{
	const struct call_record *r = ua_call_record(x->ph->ua, id);
	const struct waiting *w = x->state;
	char why[256] = "";

	if (text && *text)
		snprintf(why, sizeof(why), ": %s", text);
	else if (r && r->result.code)
		snprintf(why, sizeof(why), ": %u %s", r->result.code,
			 r->result.reason);
	else if (r)
		snprintf(why, sizeof(why), ": %s",
			 sip_cause_name(r->result.cause));

	reply_ended(x, id);
	reply_error(x->reply, "call-ended", "call %u ended and was never "
		    "%s%s", id, call_state_name(w->state), why);
}


static void wait_call_event(struct cmd *x, const struct event *ev)
{
	const struct waiting *w = x->state;
	const char *state = ev->u.call_state.state;

	if (ev->call != client_about(x->cl))
		return;

	if (!strcmp(state, call_state_name(w->state))) {
		if (w->state == CALL_ENDED) {
			client_set_over(x->cl);
			reply_ended(x, ev->call);
		}
		else {
			reply_int(x->reply, "call", ev->call);
			reply_str(x->reply, "state", state);
		}
	}
	else if (!strcmp(state, "ended")) {
		fail_ended(x, ev->call, ev->u.call_state.text);
	}
	else {
		return;
	}

	cmd_done(x);
}


static void wait_call_late(struct cmd *x)
{
	const struct waiting *w = x->state;
	const unsigned id = client_about(x->cl);
	struct call *c = ua_call(x->ph->ua, id);
	char t[32];

	if (c)
		reply_error(x->reply, "timeout", "call %u is %s, not %s "
			    "within %s", id, call_state_name(call_state(c)),
			    call_state_name(w->state),
			    bound_text(x, t, sizeof(t)));
	else
		reply_error(x->reply, "timeout", "no call is %s within %s",
			    call_state_name(w->state),
			    bound_text(x, t, sizeof(t)));
}


static void wait_call(struct cmd *x)
{
	struct waiting *w = x->state;
	const unsigned id = client_about(x->cl);
	const struct call_record *r = ua_call_record(x->ph->ua, id);
	struct call *c = ua_call(x->ph->ua, id);
	unsigned seen = c ? call_seen(c) : r ? r->seen : 0;

	if (r && !c)
		seen |= 1u << CALL_ENDED;

	/* a script that waited for the end of a call means the next one */
	if (!c && client_over(x->cl) && w->state == CALL_INCOMING)
		seen = 0;

	if (seen & 1u << w->state) {
		if (w->state == CALL_ENDED) {
			client_set_over(x->cl);
			reply_ended(x, id);
		}
		else {
			reply_int(x->reply, "call", id);
			reply_str(x->reply, "state",
				  call_state_name(w->state));
		}
		return;
	}

	if (seen & 1u << CALL_ENDED) {
		fail_ended(x, id, NULL);
		return;
	}

	cmd_wait(x, w->bound_ms, wait_call_late);
	cmd_wait_events(x, 1u << EVENT_CALL_STATE, wait_call_event);
}


static int wait_call_args(struct cmd *x, size_t n)
{
	struct waiting *w = x->state;
	const char *name, *near;
	char show[80];

	if (n != 1) {
		wrong(x, n ? "too-many-arguments" : "missing-argument",
		      "write: wait call STATE [T], with a state of calling, "
		      "ringing, early, incoming, active, ended");
		return EINVAL;
	}

	name = cmd_value(x, "match", 0)->s;
	w->state = call_state_find(name);
	if (w->state != CALL_STATES && w->state != CALL_IDLE)
		return 0;

	near = text_nearest(name, state_h, NULL);
	wrong(x, "bad-argument", "a call is never '%s'; %s%s%s",
	      text_escape(show, sizeof(show), name, strlen(name)),
	      near ? "did you mean '" : "its states are calling, ringing, "
	      "early, incoming, active, ended", near ? near : "",
	      near ? "'?" : "");

	return EINVAL;
}


/* wait EVENT ------------------------------------------------------------- */

static bool field_matches(const struct event *ev, const char *name,
			  const char *value)
{
	char text[512];

	if (!strcmp(name, "call") || !strcmp(name, "account")) {
		snprintf(text, sizeof(text), "%u",
			 *name == 'c' ? ev->call : ev->account);
		return !strcmp(text, value);
	}

	return !event_field_text(ev, name, text, sizeof(text)) &&
		!strcmp(text, value);
}


static void wait_event_event(struct cmd *x, const struct event *ev)
{
	const struct waiting *w = x->state;
	const struct event_row *row = event_row(ev->type);

	for (size_t i = 0; i < w->n; i++) {
		if (!field_matches(ev, w->field[i].name, w->field[i].value))
			return;
	}

	reply_str(x->reply, "event", row->name);
	if (ev->call)
		reply_int(x->reply, "call", ev->call);

	for (const struct event_field *f = row->fields; f->name; f++) {

		char text[512];

		if (!event_field_text(ev, f->name, text, sizeof(text)))
			reply_str(x->reply, f->name, text);
	}

	cmd_done(x);
}


static void wait_event_late(struct cmd *x)
{
	const struct waiting *w = x->state;
	char t[32];

	reply_error(x->reply, "timeout", "no such event %s within %s",
		    event_row(w->type)->name, bound_text(x, t, sizeof(t)));
}


static const char *event_h_name(size_t i, const void *arg)
{
	(void)arg;

	return i == 0 ? "call" : i <= EVENT_TYPES ?
		event_row((enum event_type)(i - 1))->name : NULL;
}


static const char *field_h(size_t i, const void *arg)
{
	return ((const struct event_row *)arg)->fields[i].name;
}


static int wait_field(struct cmd *x, const char *s)
{
	struct waiting *w = x->state;
	const struct event_row *row = event_row(w->type);
	const char *eq = strchr(s, '='), *near;
	const struct event_field *f;
	char show[80], *name;

	if (!eq || eq == s || (size_t)(eq - s) >= sizeof(w->field[0].name)) {
		wrong(x, "bad-argument", "'%s' is no field=value and no "
		      "time", text_escape(show, sizeof(show), s, strlen(s)));
		return EINVAL;
	}
	if (w->n == FIELDS_MAX || strlen(eq + 1) >= EVENT_TEXT) {
		wrong(x, "bad-argument", "at most %d fields of %d bytes",
		      FIELDS_MAX, EVENT_TEXT - 1);
		return EINVAL;
	}

	name = w->field[w->n].name;
	snprintf(name, sizeof(w->field[0].name), "%.*s", (int)(eq - s), s);
	snprintf(w->field[w->n].value, EVENT_TEXT, "%s", eq + 1);
	++w->n;

	if (!strcmp(name, "call") || !strcmp(name, "account"))
		return 0;

	for (f = row->fields; f->name; f++) {
		if (!strcmp(f->name, name))
			return 0;
	}

	near = text_nearest(name, field_h, row);
	wrong(x, "bad-argument", "%s has no field '%s'%s%s%s", row->name,
	      text_escape(show, sizeof(show), name, strlen(name)),
	      near ? "; did you mean '" : "", near ? near : "",
	      near ? "'?" : "");

	return EINVAL;
}


static int wait_event_args(struct cmd *x, const char *name, size_t n)
{
	struct waiting *w = x->state;
	const char *near;
	char show[80];

	w->type = event_type_find(name);
	if (w->type == EVENT_TYPES) {
		near = text_nearest(name, event_h_name, NULL);
		wrong(x, "bad-argument", "there is no event '%s'%s%s%s",
		      text_escape(show, sizeof(show), name, strlen(name)),
		      near ? "; did you mean '" : "; see 'help wait'",
		      near ? near : "", near ? "'?" : "");
		return EINVAL;
	}

	for (size_t i = 0; i < n; i++) {

		int err = wait_field(x, cmd_value(x, "match", i)->s);

		if (err)
			return err;
	}

	return 0;
}


void cmd_wait_line(struct cmd *x)
{
	struct waiting *w = waiting_make(x);
	const char *name = cmd_str(x, "event");
	size_t n = 0;

	if (!w)
		return;

	while (cmd_value(x, "match", n))
		++n;

	/* the last word may be the time */
	if (cmd_has(x, "timeout"))
		w->bound_ms = cmd_ms(x, "timeout", WAIT_MS);
	else if (n && !text_duration(&w->bound_ms,
				     cmd_value(x, "match", n - 1)->s))
		--n;

	if (!strcmp(name, "call")) {
		if (!wait_call_args(x, n))
			wait_call(x);
		return;
	}

	if (wait_event_args(x, name, n))
		return;

	cmd_wait(x, w->bound_ms, wait_event_late);
	cmd_wait_events(x, 1u << w->type, wait_event_event);
}


/* expect ----------------------------------------------------------------- */

/* Enough digits, or a wrong one? @return true: decided */
static bool digits_decide(struct cmd *x)
{
	const struct waiting *w = x->state;
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
	const struct waiting *w = x->state;

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
	const struct waiting *w = x->state;
	char t[32];

	reply_error(x->reply, "expect-failed", "digits are '%s', not %s, "
		    "within %s", client_digits(x->cl), w->digits,
		    bound_text(x, t, sizeof(t)));
}


void cmd_expect(struct cmd *x)
{
	struct waiting *w = waiting_make(x);
	const struct bound *v0 = cmd_value(x, "within", 0);
	const struct bound *v1 = cmd_value(x, "within", 1);
	const struct call_record *r;
	const char *s = cmd_str(x, "digits");

	if (!w)
		return;

	if (s[strspn(s, "0123456789*#ABCDabcd")]) {
		wrong(x, "bad-argument", "digits come as 0-9 * # A-D");
		return;
	}
	for (size_t i = 0; s[i]; i++)
		w->digits[i] = (char)toupper((unsigned char)s[i]);

	if (v0 && v1 && !strcmp(v0->s, "within"))
		v0 = v1;
	else if (v1)
		v0 = NULL;
	if (cmd_has(x, "within") &&
	    (!v0 || cmd_value(x, "within", 2) ||
	     text_duration(&w->bound_ms, v0->s))) {
		wrong(x, "bad-argument", "write: expect dtmf DIGITS within "
		      "T, as in: expect dtmf 12 within 10s");
		return;
	}

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
	cmd_wait_events(x, 1u << EVENT_CALL_DTMF | 1u << EVENT_CALL_STATE,
			expect_event);
}


/* assert ----------------------------------------------------------------- */

enum relation { REL_LT, REL_LE, REL_GT, REL_GE, REL_EQ, REL_NE, REL_NONE };

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
	case REL_NONE: break;
	}

	return false;
}


/* FIGURE OP VALUE, with or without spaces */
static const struct figure *assert_parse(struct cmd *x, const char *s,
					 char *name, size_t namesz,
					 size_t *rel, const char **value)
{
	const struct figure *f;
	const char *near;
	size_t n, i;
	char show[80];

	s += strspn(s, " ");
	n = strcspn(s, " <>=!");
	snprintf(name, namesz, "%.*s", (int)n, s);
	s += n;
	s += strspn(s, " ");

	f = figure_find(name);
	if (!f) {
		near = text_nearest(name, figure_h, NULL);
		wrong(x, "bad-argument", "there is no figure '%s'%s%s%s",
		      text_escape(show, sizeof(show), name, strlen(name)),
		      near ? "; did you mean '" : "; see 'help assert'",
		      near ? near : "", near ? "'?" : "");
		return NULL;
	}

	for (i = 0; i < ARRAY_SIZE(relations); i++) {
		if (!strncmp(s, relations[i].text,
			     strlen(relations[i].text)))
			break;
	}
	if (i == ARRAY_SIZE(relations)) {
		wrong(x, "bad-argument", "write: assert %s OP VALUE, with "
		      "an OP of < <= > >= = !=", name);
		return NULL;
	}
	*rel = i;

	s += strlen(relations[i].text);
	s += strspn(s, " ");
	if (!*s) {
		wrong(x, "bad-argument", "%s %s what?", name,
		      relations[i].text);
		return NULL;
	}
	*value = s;

	return f;
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


void cmd_assert(struct cmd *x)
{
	const unsigned id = client_selected(x->cl) ?
		client_selected(x->cl) : client_about(x->cl);
	char name[48], text[EVENT_TEXT] = "", show[80];
	const struct figure *f;
	double num = 0.0, want = 0.0;
	const char *value;
	bool ok = false;
	size_t rel;
	int err;

	reply_silent(x->reply);

	f = assert_parse(x, cmd_str(x, "expr"), name, sizeof(name), &rel,
			 &value);
	if (!f)
		return;

	text_escape(show, sizeof(show), value, strlen(value));

	if (f->number && assert_number(&want, f, value)) {
		wrong(x, "bad-argument", "%s is a number, '%s' is none",
		      name, show);
		return;
	}
	if (!f->number && relations[rel].rel != REL_EQ &&
	    relations[rel].rel != REL_NE) {
		wrong(x, "bad-argument", "%s is a word; compare it with = "
		      "or !=", name);
		return;
	}

	err = figure_get(x->ph, id, f, &num, text, sizeof(text));
	if (err) {
		reply_error(x->reply, "assert-failed", err == ENOENT ?
			    "there is no call to ask for %s" :
			    "%s is not known", name);
		return;
	}

	if (f->number) {
		figure_print(text, sizeof(text), num);
		ok = holds(num, relations[rel].rel, want);
	}
	else {
		ok = !strcmp(text, value) == (relations[rel].rel == REL_EQ);
	}

	reply_str(x->reply, name, text);
	if (!ok)
		reply_error(x->reply, "assert-failed", "%s is %s%s, not %s "
			    "%s", name, text, f->unit, relations[rel].text,
			    show);
}
