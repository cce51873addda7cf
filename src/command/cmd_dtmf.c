/**
 * @file cmd_dtmf.c  `dtmf`: the line is done when the digits are out
 *
 * Digits take their time, and what comes behind in a script (the next key,
 * `hangup`) means to come after them.  The wait has the digits' own length as
 * its bound.  Main thread.
 */
#include "priv.h"


enum { SLACK_MS = 2000 };


static void ended(struct cmd *x, long long sent, long long lost)
{
	reply_error(x->reply, "call-ended", "the call ended when %lld of %lld "
		    "digits were out", sent, sent + lost);
}


static void event_handler(struct cmd *x, const struct event *ev)
{
	const unsigned *id = x->state;

	if (ev->call != *id)
		return;

	if (ev->type == EVENT_DTMF_DONE) {

		reply_int(x->reply, "sent", ev->u.dtmf_done.sent);
		if (ev->u.dtmf_done.lost)
			ended(x, (long long)ev->u.dtmf_done.sent,
			      (long long)ev->u.dtmf_done.lost);
		cmd_told(x, ev);
		cmd_done(x);
	}
	else if (!strcmp(ev->u.call_state.state, "ended")) {

		reply_error(x->reply, "call-ended", "the call ended before "
			    "the digits were out");
		cmd_done(x);
	}
}


static void late_handler(struct cmd *x)
{
	const struct call *c = ua_call(x->ph->ua, *(unsigned *)x->state);

	reply_error(x->reply, "timeout", c && call_held(c) ?
		    "the digits wait: the call is on hold" :
		    "the digits wait: nothing can be sent now");
}


void cmd_dtmf(struct cmd *x)
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";
	unsigned *id;
	int e;

	if (!c)
		return;

	if (cmd_has(x, "via") && !strcmp(cmd_str(x, "via"), "info")) {
		cmd_dtmf_info(x, c);
		return;
	}

	id = cmd_state(x, sizeof(*id), NULL);
	if (!id)
		return;
	*id = call_id(c);

	e = call_dtmf_via(c, cmd_str(x, "digits"), cmd_has(x, "via") &&
			  !strcmp(cmd_str(x, "via"), "inband"),
			  (unsigned)cmd_ms(x, "for", 0), err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	cmd_wait(x, call_dtmf_ms(c) + SLACK_MS, late_handler);
	cmd_wait_events(x, EVENT_BIT(EVENT_DTMF_DONE) | EVENT_BIT(EVENT_CALL_STATE),
			event_handler);
}
