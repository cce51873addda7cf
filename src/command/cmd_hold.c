/**
 * @file cmd_hold.c  `hold` and `resume`: done when the other side has agreed
 *
 * What the user wants is asked in a re-INVITE, which the peer may refuse or
 * leave without an answer; then the call goes on as before, and the line
 * fails.  Main thread.
 */
#include "priv.h"

enum { SLACK_MS = 8000 };        /* another try after 491, RFC 3261 14.1 */

struct wish {
	unsigned id;             /* of the call                              */
	bool hold;
};


static const char *done_text(const struct wish *w)
{
	return w->hold ? "put on hold" : "resumed";
}


static void refused(struct cmd *x, const struct event *ev)
{
	const struct wish *w = x->state;
	const int64_t code = ev->u.call_hold.code;

	if (code == EVENT_NONE)
		reply_error(x->reply, "timeout", "call %u is not %s: no "
			    "answer (%s)", w->id, done_text(w),
			    ev->u.call_hold.cause);
	else
		reply_error(x->reply, "refused", "call %u is not %s: the "
			    "other side refuses (%lld %s)", w->id,
			    done_text(w), (long long)code,
			    sip_phrase((uint16_t)code));
}


static void event_handler(struct cmd *x, const struct event *ev)
{
	const struct wish *w = x->state;

	if (ev->call != w->id)
		return;

	if (ev->type == EVENT_CALL_STATE) {
		if (strcmp(ev->u.call_state.state, "ended"))
			return;
		reply_error(x->reply, "call-ended", "call %u ended before it "
			    "was %s", w->id, done_text(w));
	}
	else if (ev->u.call_hold.cause[0]) {
		refused(x, ev);
	}
	else if (ev->u.call_hold.local != w->hold) {
		/* the other side holds us meanwhile */
		return;
	}

	cmd_told(x, ev);
	cmd_done(x);
}


static void late_handler(struct cmd *x)
{
	const struct wish *w = x->state;

	reply_error(x->reply, "timeout", "call %u is not %s: no answer",
		    w->id, done_text(w));
}


static void wish(struct cmd *x, bool hold)
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";
	struct wish *w;
	int e;

	if (!c)
		return;

	w = cmd_state(x, sizeof(*w), NULL);
	if (!w)
		return;
	w->id = call_id(c);
	w->hold = hold;

	e = hold ? call_hold(c, err) : call_resume(c, err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	cmd_wait_peer(x, (uint64_t)x->ph->config->sip_timeout_ms + SLACK_MS,
		      late_handler);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_HOLD) | EVENT_BIT(EVENT_CALL_STATE),
			event_handler);
}


void cmd_hold(struct cmd *x)
{
	wish(x, true);
}


void cmd_resume(struct cmd *x)
{
	wish(x, false);
}
