/**
 * @file cmd_wait.c  `wait`: hold back the lines behind it until an event
 *
 * It sits on events with a bound; nothing polls.  Main thread.
 */
#include <stdio.h>
#include "priv.h"
#include "account.h"

enum { WAIT_MS = 30000, FIELDS_MAX = 16 };

#define STATES "calling, ringing, early, incoming, active, ended"

struct waiting {
	uint64_t bound_ms;
	enum call_state state;           /* wait call                        */
	enum event_type type;            /* wait EVENT                       */
	size_t n;
	struct {
		char name[48];
		char value[EVENT_TEXT];
	} field[FIELDS_MAX];
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
	reply_str(x->reply, "cause", call_record_cause(r));
}


/* The call ended without it: say why */
static void fail_ended(struct cmd *x, unsigned id)
{
	const struct call_record *r = ua_call_record(x->ph->ua, id);
	const struct waiting *w = x->state;
	const char *why = r ? r->text : "";

	reply_ended(x, id);
	reply_error(x->reply, "call-ended", "call %u was never %s%s%s", id,
		    call_state_name(w->state), *why ? ": " : "", why);
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
		fail_ended(x, ev->call);
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
		fail_ended(x, id);
		return;
	}

	cmd_wait(x, w->bound_ms, wait_call_late);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_STATE), wait_call_event);
}


static int wait_call_args(struct cmd *x, size_t n)
{
	struct waiting *w = x->state;
	char show[80], hint[128];
	const char *name;

	if (n != 1)
		return cmd_wrong(x, n ? "too-many-arguments" :
				 "missing-argument", "write: wait call STATE "
				 "[T], with a state of " STATES);

	name = cmd_value(x, "match", 0)->s;
	w->state = call_state_find(name);
	if (w->state != CALL_STATES && w->state != CALL_IDLE)
		return 0;

	return cmd_wrong(x, "bad-argument", "a call is never '%s'; %s",
			 text_escape(show, sizeof(show), name, strlen(name)),
			 hint_text(hint, sizeof(hint), name, state_h, NULL,
				   "its states are " STATES));
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


/* The event as it is, each field of its own type; absent ones left out */
static void reply_event(struct reply *r, const struct event *ev)
{
	const struct event_row *row = event_row(ev->type);

	reply_str(r, "event", row->name);
	if (ev->call)
		reply_int(r, "call", ev->call);
	if (ev->account)
		reply_int(r, "account", ev->account);

	for (const struct event_field *f = row->fields; f->name; f++) {

		const void *p = (const char *)ev + f->offset;
		char text[EVENT_TEXT];

		switch (f->type) {

		case EVF_STR:
			if (!event_field_text(ev, f->name, text,
					      sizeof(text)))
				reply_str(r, f->name, text);
			break;
		case EVF_INT:
			if (*(const int64_t *)p != EVENT_NONE)
				reply_int(r, f->name, *(const int64_t *)p);
			break;
		case EVF_DOUBLE:
			reply_double(r, f->name, *(const double *)p);
			break;
		case EVF_BOOL:
			reply_bool(r, f->name, *(const bool *)p);
			break;
		}
	}
}


static bool event_matches(const struct waiting *w, const struct event *ev)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!field_matches(ev, w->field[i].name, w->field[i].value))
			return false;
	}

	return ev->type == w->type;
}


static void wait_event_event(struct cmd *x, const struct event *ev)
{
	if (!event_matches(x->state, ev))
		return;

	reply_event(x->reply, ev);
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

	return i == 0 ? "call" : i == 1 ? "registered" :
		i - 2 < EVENT_TYPES ?
		event_row((enum event_type)(i - 2))->name : NULL;
}


static const char *field_h(size_t i, const void *arg)
{
	return ((const struct event_row *)arg)->fields[i].name;
}


static int wait_field(struct cmd *x, const char *s)
{
	struct waiting *w = x->state;
	const struct event_row *row = event_row(w->type);
	const char *eq = strchr(s, '=');
	const struct event_field *f;
	char show[80], hint[128], *name;

	if (!eq || eq == s || (size_t)(eq - s) >= sizeof(w->field[0].name))
		return cmd_wrong(x, "bad-argument", "'%s' is no field=value "
				 "and no time",
				 text_escape(show, sizeof(show), s,
					     strlen(s)));
	if (w->n == FIELDS_MAX || strlen(eq + 1) >= EVENT_TEXT)
		return cmd_wrong(x, "bad-argument", "at most %d fields of %d "
				 "bytes", FIELDS_MAX, EVENT_TEXT - 1);

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

	return cmd_wrong(x, "bad-argument", "%s has no field '%s'; %s",
			 row->name,
			 text_escape(show, sizeof(show), name, strlen(name)),
			 hint_text(hint, sizeof(hint), name, field_h, row,
				   "see the list of events in the manual"));
}


static int wait_event_args(struct cmd *x, const char *name, size_t n)
{
	struct waiting *w = x->state;
	char show[80], hint[128];

	w->type = event_type_find(name);
	if (w->type == EVENT_TYPES)
		return cmd_wrong(x, "bad-argument", "there is no event '%s'; "
				 "%s", text_escape(show, sizeof(show), name,
						   strlen(name)),
				 hint_text(hint, sizeof(hint), name,
					   event_h_name, NULL,
					   "see 'help wait'"));

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
	const struct event *fresh = client_fresh(x->cl);
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

	if (!strcmp(name, "registered")) {
		if (n > 1)
			(void)cmd_wrong(x, "too-many-arguments", "write: wait "
					"registered [ACCOUNT] [T]");
		else
			cmd_wait_registered(x, n ? cmd_value(x, "match", 0)->s
					    : NULL, w->bound_ms);
		return;
	}

	if (wait_event_args(x, name, n))
		return;

	if (fresh && event_matches(w, fresh)) {
		reply_event(x->reply, fresh);
		return;
	}

	cmd_wait(x, w->bound_ms, wait_event_late);
	cmd_wait_events(x, EVENT_BIT(w->type), wait_event_event);
}


