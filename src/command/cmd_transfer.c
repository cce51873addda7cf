/**
 * @file cmd_transfer.c  `transfer`: done when it is known what became of it
 *
 * Main thread; the line waits for call.transfer of its call.
 */
#include <stdio.h>
#include "priv.h"

enum { PATIENCE_MS = 180000 };   /* the new call may ring for long           */

struct handing {
	unsigned id;             /* of the call                              */
};


static void failed(struct cmd *x, const struct event *ev)
{
	const struct handing *w = x->state;
	const int64_t code = ev->u.call_transfer.code;
	const char *reason = ev->u.call_transfer.reason;

	if (code != EVENT_NONE)
		reply_error(x->reply, "refused", "call %u is not transferred:"
			    " %lld %s", w->id, (long long)code, reason[0] ?
			    reason : sip_phrase((uint16_t)code));
	else
		reply_error(x->reply, "failed", "call %u is not transferred:"
			    " %s", w->id, reason[0] ? reason :
			    ev->u.call_transfer.cause);
}


static void event_handler(struct cmd *x, const struct event *ev)
{
	const struct handing *w = x->state;
	const char *state = ev->u.call_transfer.state;

	/* the call may end before the last report: that still comes */
	if (ev->call != w->id || strcmp(ev->u.call_transfer.by, "local"))
		return;
	if (!strcmp(state, "failed"))
		failed(x, ev);
	else if (strcmp(state, "done"))
		return;

	cmd_told(x, ev);
	cmd_done(x);
}


static void late_handler(struct cmd *x)
{
	const struct handing *w = x->state;

	reply_error(x->reply, "timeout", "call %u: it is not known what "
		    "became of the transfer", w->id);
}


static void decide(struct cmd *x, bool accept)
{
	char err[UA_ERR] = "";
	int e;

	e = ua_transfer_decide(x->ph->ua, (unsigned)cmd_int(x, "call", 0),
			       accept, err);
	if (e)
		cmd_missing(x, e, "wrong-state", err);
}


void cmd_transfer(struct cmd *x)
{
	const char *target = cmd_str(x, "target");
	const bool attended = cmd_has(x, "to");
	const bool answer = cmd_has(x, "accept") || cmd_has(x, "refuse");
	char err[UA_ERR] = "";
	struct call *c, *other = NULL;
	struct handing *w;
	int e;

	if ((target != NULL) + attended + answer != 1 ||
	    (cmd_has(x, "accept") && cmd_has(x, "refuse"))) {
		(void)cmd_wrong(x, "missing-argument", "give a target, --to CALL, "
				"--accept or --refuse");
		return;
	}

	if (answer) {
		decide(x, cmd_has(x, "accept"));
		return;
	}

	c = cmd_call(x);
	if (!c)
		return;

	if (attended) {
		const int64_t to = cmd_int(x, "to", 0);

		other = ua_call(x->ph->ua, (unsigned)to);
		if (!other) {
			reply_error(x->reply, "no-such-call", "there is no "
				    "call %lld", (long long)to);
			return;
		}
	}

	w = cmd_state(x, sizeof(*w), NULL);
	if (!w)
		return;
	w->id = call_id(c);

	/* before, because the first event comes from inside */
	cmd_wait(x, PATIENCE_MS, late_handler);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_TRANSFER), event_handler);

	if (attended)
		e = call_transfer_to(c, other, err);
	else
		e = call_transfer(c, target, err);
	if (e) {
		cmd_missing(x, e, "wrong-state", err);
		cmd_done(x);
	}
}
