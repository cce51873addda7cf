/**
 * @file cmd_swap.c  `swap`: from the call we talk in to the one that is held
 *
 * One after the other: nobody hears what is not meant for him, and when the
 * first refuses to be held nothing has changed.  Main thread.
 */
#include "priv.h"

enum { SLACK_MS = 8000 };        /* another try after 491, RFC 3261 14.1 */

struct swap {
	unsigned from, to;       /* calls                                    */
	bool held;               /* `from` has agreed                        */
};


static unsigned now(const struct swap *w)
{
	return w->held ? w->to : w->from;
}


static const char *done_text(const struct swap *w)
{
	return w->held ? "resumed" : "put on hold";
}


static void refused(struct cmd *x, const struct event *ev)
{
	const struct swap *w = x->state;
	const int64_t code = ev->u.call_hold.code;

	if (code == EVENT_NONE)
		reply_error(x->reply, "timeout", "call %u is not %s: no "
			    "answer (%s)", now(w), done_text(w),
			    ev->u.call_hold.cause);
	else
		reply_error(x->reply, "refused", "call %u is not %s: the "
			    "other side refuses (%lld %s)", now(w),
			    done_text(w), (long long)code,
			    sip_phrase((uint16_t)code));
}


/* @return false: the line is not done */
static bool resume(struct cmd *x)
{
	struct swap *w = x->state;
	struct call *c = ua_call(x->ph->ua, w->to);
	char err[UA_ERR] = "";
	int e;

	w->held = true;

	e = c ? call_resume(c, err) : ENOTCONN;
	if (e)
		cmd_fail(x, e, err);
	else
		client_select(x->cl, w->to);

	return e != 0;
}


static void event_handler(struct cmd *x, const struct event *ev)
{
	struct swap *w = x->state;

	if (ev->type == EVENT_CALL_STATE) {
		if (strcmp(ev->u.call_state.state, "ended") ||
		    (ev->call != w->from && ev->call != w->to))
			return;
		/* who was held has gone meanwhile: as good as held */
		if (ev->call == w->from && !w->held && !resume(x))
			return;
		if (ev->call == w->from && w->held && reply_ok(x->reply))
			return;
		if (reply_ok(x->reply))
			reply_error(x->reply, "call-ended", "call %u ended "
				    "before it was resumed", w->to);
	}
	else if (ev->call != now(w)) {
		return;
	}
	else if (ev->u.call_hold.cause[0]) {
		refused(x, ev);
	}
	else if (ev->u.call_hold.local == w->held) {
		/* the other side holds us meanwhile */
		return;
	}
	else if (!w->held && !resume(x)) {
		return;
	}

	cmd_told(x, ev);
	cmd_done(x);
}


static void late_handler(struct cmd *x)
{
	const struct swap *w = x->state;

	reply_error(x->reply, "timeout", "call %u is not %s: no answer",
		    now(w), done_text(w));
}


/* Which two; what is wrong is replied. @return 0, EINVAL */
static int pick(struct cmd *x, struct swap *w)
{
	struct call *c = NULL;
	unsigned talking = 0, held = 0;

	while ((c = ua_call_next(x->ph->ua, c))) {
		if (call_state(c) != CALL_ACTIVE)
			continue;
		if (call_held(c)) {
			++held;
			w->to = call_id(c);
		}
		else {
			++talking;
			w->from = call_id(c);
		}
	}

	if (talking == 1 && held == 1)
		return 0;

	reply_error(x->reply, "wrong-state", "swap needs one call to talk in "
		    "and one that is held; there are %u and %u", talking,
		    held);

	return EINVAL;
}


void cmd_swap(struct cmd *x)
{
	char err[UA_ERR] = "";
	struct swap *w;
	int e;

	w = cmd_state(x, sizeof(*w), NULL);
	if (!w)
		return;

	if (pick(x, w))
		return;

	e = call_hold(ua_call(x->ph->ua, w->from), err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	cmd_wait_peer(x, 2 * ((uint64_t)x->ph->config->sip_timeout_ms +
			      SLACK_MS), late_handler);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_HOLD) | EVENT_BIT(EVENT_CALL_STATE),
			event_handler);
}
