/**
 * @file fake_calls.c  What a fake user agent says of voice mail and of calls
 * that are taken
 */
#include "fake_ua.h"


bool account_mailbox(struct account_mail *mail, const struct account *a)
{
	(void)a;

	memset(mail, 0, sizeof(*mail));

	return false;
}


int call_early(struct call *c, char *err)
{
	(void)err;
	asked("call_early %u", call_id(c));

	return 0;
}


int ua_pickup(struct ua_pickup **pp, struct ua *ua, const char *target,
	      const char *account, ua_pickup_h *h, void *arg, char *err)
{
	(void)ua;
	(void)account;
	(void)err;

	*pp = NULL;
	asked("ua_pickup %s", target);
	h(7, 0, "", arg);

	return 0;
}


void ua_message_displayed(struct ua *ua, const char *peer)
{
	(void)ua;
	(void)peer;
}
