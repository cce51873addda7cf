/**
 * @file cmd_session.c  `redirect`, `update`, `reinvite`: the session by hand
 *
 * A change is done when the other side has agreed, and fails when it refuses
 * or says nothing; the call goes on as before.  Main thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include "priv.h"

enum { SLACK_MS = 8000 };        /* another try after 491, RFC 3261 14.1 */

struct change {
	unsigned id;             /* of the call                              */
	const char *method;
};


static void refused(struct cmd *x, const struct event *ev)
{
	const struct change *w = x->state;
	const int64_t code = ev->u.call_update.code;
	const char *reason = ev->u.call_update.reason;

	if (code == EVENT_NONE)
		reply_error(x->reply, "timeout", "call %u: no answer to %s "
			    "(%s)", w->id, w->method, reason[0] ? reason :
			    ev->u.call_update.cause);
	else
		reply_error(x->reply, "refused", "call %u: the other side "
			    "refuses %s (%lld %s)", w->id, w->method,
			    (long long)code, reason[0] ? reason :
			    sip_phrase((uint16_t)code));
}


static void event_handler(struct cmd *x, const struct event *ev)
{
	const struct change *w = x->state;

	if (ev->call != w->id)
		return;

	if (ev->type == EVENT_CALL_STATE) {
		if (strcmp(ev->u.call_state.state, "ended"))
			return;
		reply_error(x->reply, "call-ended", "call %u ended before %s "
			    "was answered", w->id, w->method);
	}
	else if (ev->u.call_update.cause[0]) {
		refused(x, ev);
	}

	cmd_told(x, ev);
	cmd_done(x);
}


static void late_handler(struct cmd *x)
{
	const struct change *w = x->state;

	reply_error(x->reply, "timeout", "call %u: no answer to %s", w->id,
		    w->method);
}


static void change(struct cmd *x, const char *method, const char *bare,
		   int (*h)(struct call *c, bool bare, char *err))
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "", why[UA_ERR], *sdp = NULL;
	struct change *w;
	int e;

	if (!c)
		return;

	w = cmd_state(x, sizeof(*w), NULL);
	if (!w)
		return;
	w->id = call_id(c);
	w->method = method;

	if (cmd_has(x, "codecs") || cmd_has(x, "direction")) {
		e = call_wish(c, cmd_str(x, "codecs"), cmd_str(x, "direction"),
			      err);
		if (e) {
			(void)cmd_wrong(x, "bad-argument", "%s", err);
			return;
		}
	}

	if (cmd_sdp_next(x, c, &sdp))
		return;

	e = h(c, cmd_has(x, bare), err);
	if (e) {
		if (sdp)
			(void)call_describe(c, NULL, why);
		cmd_fail(x, e, err);
	}
	else {
		cmd_sdp_lint(x, sdp);
	}
	free(sdp);
	if (e)
		return;

	cmd_wait_peer(x, (uint64_t)x->ph->config->sip_timeout_ms + SLACK_MS,
		      late_handler);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_UPDATE) | EVENT_BIT(EVENT_CALL_STATE),
			event_handler);
}


void cmd_update(struct cmd *x)
{
	change(x, "UPDATE", "bare", call_update);
}


void cmd_reinvite(struct cmd *x)
{
	change(x, "INVITE", "late-offer", call_reinvite);
}


/* A target: for the call that rings here; else for the one of ours */
void cmd_redirect(struct cmd *x)
{
	const char *target = cmd_str(x, "target");
	const bool follow = cmd_has(x, "follow");
	char err[UA_ERR] = "";
	struct call *c;
	int e;

	if ((target != NULL) + follow + cmd_has(x, "refuse") != 1) {
		(void)cmd_wrong(x, "missing-argument", "give a target, "
				"--follow or --refuse");
		return;
	}

	c = target && !cmd_has(x, "call") ? cmd_any_ringing(x) : NULL;
	if (!c)
		c = cmd_call(x);
	if (!c)
		return;

	e = target ? call_redirect(c, target, err) :
		call_redirect_decide(c, follow, err);

	if (e == EINVAL)
		(void)cmd_wrong(x, "bad-target", "%s", err);
	else
		cmd_missing(x, e, "wrong-state", err);
}
