/**
 * @file control.c  NOTIFY that nobody asked for: `talk`, `hold`, voice mail
 *
 * A server that shows a call on a screen lets its user answer or hold it
 * there: it sends NOTIFY with Event talk or hold inside the dialog of the
 * call.  That is done where the account says so, for it opens a microphone.
 * Voice mail is told by many servers without a subscription (RFC 3842 leaves
 * it to them); it is believed from the account's own.  All others are 481, as
 * RFC 6665 has it.  Main thread.
 */
#include "priv.h"
#include "requests.h"
#include "mailbox.h"


static bool event_is(const struct sip_info *in, const char *name)
{
	char event[64];

	return !sip_info_header(in, "Event", event, sizeof(event)) &&
		text_caseeq(event, strcspn(event, "; \t"), name);
}


/* Answer it, or talk again */
static int talk(struct call *c)
{
	char why[UA_ERR] = "";
	int err = 0;

	if (c->state == CALL_INCOMING)
		err = call_answer(c, why);
	else if (c->state == CALL_ACTIVE && c->hold)
		err = call_resume(c, why);
	if (err)
		log_warn("call %u: talk: %s", c->id, why);

	return err ? 500 : 200;
}


static int hold(struct call *c)
{
	char why[UA_ERR] = "";
	int err = 0;

	if (c->state != CALL_ACTIVE)
		return 481;
	if (!c->hold)
		err = call_hold(c, why);
	if (err)
		log_warn("call %u: hold: %s", c->id, why);

	return err ? 500 : 200;
}


int control_notify(struct ua *ua, struct call *c, struct sip_rx *rx,
		   const struct sip_info *in)
{
	const bool is_talk = event_is(in, "talk");

	if (event_is(in, "message-summary"))
		return mailbox_notify(ua, c ? c->acc : account_match(ua, in),
				      rx, in);

	if (!c || !(is_talk || event_is(in, "hold")))
		return 481;
	if (!c->acc || !c->acc->conf.remote_control)
		return 489;

	log_info("call %u: %s, says the server", c->id, is_talk ? "talk" :
		 "hold");

	/* before what it sets off */
	if (sip_rx_reply(rx, 200, NULL, NULL, NULL, NULL))
		return 0;
	(void)(is_talk ? talk(c) : hold(c));

	return 0;
}


/* Allow-Events tells it while any account wants it */
void control_settle(struct ua *ua)
{
	bool any = false;
	struct le *le;

	LIST_FOREACH(&ua->accounts, le) {
		const struct account *a = le->data;

		any = any || a->conf.remote_control;
	}

	(void)sip_stack_able(ua->sip, SIP_AB_EVENT, "talk", any);
	(void)sip_stack_able(ua->sip, SIP_AB_EVENT, "hold", any);
}
