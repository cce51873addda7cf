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
	      const char *account, enum ua_pickup_kind kind, ua_pickup_h *h,
	      void *arg, char *err)
{
	(void)ua;
	(void)account;
	(void)err;

	*pp = NULL;
	asked(kind ? "ua_pickup %s %d" : "ua_pickup %s", target, (int)kind);
	h(7, 0, "", arg);

	return 0;
}


void ua_message_displayed(struct ua *ua, const char *peer)
{
	(void)ua;
	(void)peer;
}


int ua_typing(struct ua *ua, const char *target, unsigned call,
	      const char *account)
{
	(void)ua;
	(void)account;
	asked("ua_typing %s %u", target ? target : "-", call);

	return 0;
}


void ua_typing_end(struct ua *ua, const char *target, unsigned call)
{
	(void)ua;
	asked("ua_typing_end %s %u", target, call);
}


int ua_resubscribe(struct ua *ua, unsigned id)
{
	(void)ua;
	asked("ua_resubscribe %u", id);

	return 0;
}


int call_describe(struct call *c, const char *sdp, char *err)
{
	(void)err;
	asked("call_describe %u %s", call_id(c), sdp ? sdp : "-");

	return 0;
}


int call_wish(struct call *c, const char *codecs, const char *direction,
	      char *err)
{
	(void)err;
	asked("call_wish %u %s %s", call_id(c), codecs ? codecs : "-",
	      direction ? direction : "-");

	return 0;
}
