/**
 * @file cmd_conference.c  `conference`: several calls in one, `gain`, `pan`
 *
 * Calls on hold are taken back, which their other sides may refuse; the line
 * is done when each of them has answered.  Main thread.
 */
#include <stdio.h>
#include "offhook/text.h"
#include "priv.h"

enum {
	CALLS_MAX = 64,
	SLACK_MS = 8000,         /* another try after 491, RFC 3261 14.1     */
};

struct waiting {
	unsigned id[CALLS_MAX];  /* calls that are on hold yet               */
	size_t n;
};


/* The members of all, or of one; @return how many there were */
static unsigned list(struct cmd *x)
{
	struct call *c = NULL;
	unsigned n = 0;

	reply_list(x->reply, "member");

	while ((c = ua_call_next(x->ph->ua, c))) {
		bool mute;
		const double db = call_part_db(c, &mute);

		if (!call_conference(c) || call_state(c) == CALL_ENDED)
			continue;

		++n;
		reply_row(x->reply, "member");
		reply_int(x->reply, "conference", call_conference(c));
		reply_int(x->reply, "call", call_id(c));
		reply_str(x->reply, "peer", call_peer(c));
		reply_double(x->reply, "gain", db);
		reply_int(x->reply, "place", call_place(c));
		reply_bool(x->reply, "muted", mute);
		reply_bool(x->reply, "held", call_held(c));
	}

	if (!n)
		reply_text(x->reply, "there is no conference; `conference 1 "
			   "2` puts calls 1 and 2 into one");

	return n;
}


/* The calls that are named; what is wrong is replied. @return 0, EINVAL */
static int named(struct cmd *x, struct call **cv, size_t *np)
{
	const struct bound *v;
	size_t n = 0;

	for (size_t i = 0; (v = cmd_value(x, "call", i)); i++) {
		struct call *c = ua_call(x->ph->ua, (unsigned)v->i);

		if (!c) {
			reply_error(x->reply, "no-such-call", "there is no "
				    "call %lld", (long long)v->i);
			return EINVAL;
		}
		if (n == CALLS_MAX)
			return cmd_wrong(x, "bad-argument", "at most %d calls "
					 "at once", CALLS_MAX);
		cv[n++] = c;
	}

	*np = n;

	return 0;
}


/* Nobody said with whom: with those of the conference there is, else with
 * the selected call. @return 0, EINVAL */
static int partner(struct cmd *x, struct call **cv, size_t *np)
{
	struct call *c = NULL;

	while ((c = ua_call_next(x->ph->ua, c))) {
		if (c != cv[0] && call_conference(c)) {
			cv[(*np)++] = c;
			return 0;
		}
	}

	c = ua_call(x->ph->ua, client_about(x->cl));
	if (c && c != cv[0]) {
		cv[(*np)++] = c;
		return 0;
	}

	reply_error(x->reply, "bad-argument", "a conference has at least two "
		    "calls: name them, as in `conference 1 2`");

	return EINVAL;
}


/* What is said of members. @return true: that was what was wanted */
static bool change(struct cmd *x, struct call **cv, size_t n)
{
	const bool leave = cmd_has(x, "leave");
	const bool mute = cmd_has(x, "mute"), unmute = cmd_has(x, "unmute");
	const bool gain = cmd_has(x, "gain");
	char err[UA_ERR] = "";
	int e = 0;

	if (!leave && !mute && !unmute && !gain)
		return false;

	if (!n) {
		cmd_wrong(x, "bad-argument", "which call? as in `conference "
			  "2 --mute`");
		return true;
	}

	for (size_t i = 0; i < n && !e; i++) {
		bool is;
		const double db = call_part_db(cv[i], &is);

		e = leave ? call_conference_leave(cv[i], err) :
			call_part(cv[i], cmd_double(x, "gain", db),
				  (is || mute) && !unmute, err);
	}
	if (e)
		cmd_fail(x, e, err);

	return true;
}


static void event_handler(struct cmd *x, const struct event *ev)
{
	struct waiting *w = x->state;
	const int64_t code = ev->u.call_hold.code;
	size_t i;

	for (i = 0; i < w->n && w->id[i] != ev->call; i++)
		;
	if (i == w->n)
		return;

	if (ev->type == EVENT_CALL_STATE) {
		if (strcmp(ev->u.call_state.state, "ended"))
			return;
		reply_error(x->reply, "call-ended", "call %u ended before it "
			    "was resumed", ev->call);
	}
	else if (ev->u.call_hold.cause[0]) {
		if (code == EVENT_NONE)
			reply_error(x->reply, "timeout", "call %u is not "
				    "resumed: no answer (%s)", ev->call,
				    ev->u.call_hold.cause);
		else
			reply_error(x->reply, "refused", "call %u is not "
				    "resumed: the other side refuses (%lld "
				    "%s)", ev->call, (long long)code,
				    sip_phrase((uint16_t)code));
	}
	else if (ev->u.call_hold.local) {
		return;
	}

	w->id[i] = w->id[--w->n];
	if (w->n)
		return;

	cmd_told(x, ev);
	cmd_done(x);
}


static void late_handler(struct cmd *x)
{
	const struct waiting *w = x->state;

	reply_error(x->reply, "timeout", "call %u is not resumed: no answer",
		    w->id[0]);
}


void cmd_conference(struct cmd *x)
{
	struct call *cv[CALLS_MAX + 1];
	char err[UA_ERR] = "";
	struct waiting *w;
	unsigned no = 0;
	size_t n = 0;
	int e;

	if (named(x, cv, &n) || change(x, cv, n))
		return;
	if (!n) {
		(void)list(x);
		return;
	}
	if (n == 1 && partner(x, cv, &n))
		return;

	w = cmd_state(x, sizeof(*w), NULL);
	if (!w)
		return;

	for (size_t i = 0; i < n; i++) {
		if (call_held(cv[i]) && w->n < CALLS_MAX)
			w->id[w->n++] = call_id(cv[i]);
	}

	e = ua_conference(&no, x->ph->ua, cv, n, err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	reply_int(x->reply, "conference", no);
	reply_silent(x->reply);
	if (!w->n)
		return;

	cmd_wait(x, (uint64_t)x->ph->config->sip_timeout_ms + SLACK_MS,
		 late_handler);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_HOLD) |
			EVENT_BIT(EVENT_CALL_STATE), event_handler);
}


void cmd_gain(struct cmd *x)
{
	const bool mic = !strcmp(cmd_str(x, "side"), "mic");
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (!c)
		return;

	if (!cmd_has(x, "db"))
		reply_double(x->reply, "gain", call_gain_db(c, mic));
	else
		cmd_fail(x, call_gain(c, mic, cmd_double(x, "db", 0.0), err),
			 err);
}


/* A word, or how far to the right. @return 0, EINVAL */
static int place_read(int *place, const char *text)
{
	static const struct {
		const char *word;
		int place;
	} words[] = {
		{ "left", PLACE_LEFT }, { "right", PLACE_RIGHT },
		{ "centre", 0 }, { "center", 0 }, { "middle", 0 },
	};
	double v;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(words[i].word, text)) {
			*place = words[i].place;
			return 0;
		}
	}

	if (text_double(&v, text, PLACE_LEFT, PLACE_RIGHT))
		return EINVAL;
	*place = (int)v;

	return 0;
}


void cmd_pan(struct cmd *x)
{
	const char *text = cmd_str(x, "place");
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";
	int place;

	if (!c)
		return;

	if (!cmd_has(x, "place"))
		reply_int(x->reply, "place", call_place(c));
	else if (place_read(&place, text))
		cmd_wrong(x, "bad-argument", "a place is left, right, centre,"
			  " or from %d (left) to %d (right)", PLACE_LEFT,
			  PLACE_RIGHT);
	else
		cmd_fail(x, call_pan(c, place, err), err);
}
