/**
 * @file offer.c  Who owes whom an answer
 *
 * The offer/answer state of one session as a table of state and event, and
 * nothing else: which message carries what is decided by the INVITE client
 * and server and by the session, which ask here whether it may be done.
 * Pure, main thread.  It must never look into SDP.
 */
#include "priv.h"


enum {
	OFFER_STATES = OFFER_STABLE + 1,
	OFFER_EVENTS = OFFER_EV_CANCEL + 1,

	BACK = -1,           /* to what was agreed before, or to none */
	NO   = -2,           /* not allowed here                      */
	MEET = -3,           /* both offered at once                  */
};

static const int moves[OFFER_STATES][OFFER_EVENTS] = {
	[OFFER_NONE] = {
		[OFFER_EV_SEND_OFFER]  = OFFER_LOCAL,
		[OFFER_EV_SEND_ANSWER] = NO,
		[OFFER_EV_RECV_OFFER]  = OFFER_REMOTE,
		[OFFER_EV_RECV_ANSWER] = NO,
		[OFFER_EV_CANCEL]      = BACK,
	},
	[OFFER_LOCAL] = {
		[OFFER_EV_SEND_OFFER]  = NO,
		[OFFER_EV_SEND_ANSWER] = NO,
		[OFFER_EV_RECV_OFFER]  = MEET,
		[OFFER_EV_RECV_ANSWER] = OFFER_STABLE,
		[OFFER_EV_CANCEL]      = BACK,
	},
	[OFFER_REMOTE] = {
		[OFFER_EV_SEND_OFFER]  = NO,
		[OFFER_EV_SEND_ANSWER] = OFFER_STABLE,
		[OFFER_EV_RECV_OFFER]  = NO,
		[OFFER_EV_RECV_ANSWER] = NO,
		[OFFER_EV_CANCEL]      = BACK,
	},
	[OFFER_STABLE] = {
		[OFFER_EV_SEND_OFFER]  = OFFER_LOCAL,
		[OFFER_EV_SEND_ANSWER] = NO,
		[OFFER_EV_RECV_OFFER]  = OFFER_REMOTE,
		[OFFER_EV_RECV_ANSWER] = NO,
		[OFFER_EV_CANCEL]      = BACK,
	},
};


int offer_step(struct offer *o, enum offer_event ev)
{
	int next;

	if ((unsigned)o->state >= OFFER_STATES || (unsigned)ev >= OFFER_EVENTS)
		return EINVAL;

	next = moves[o->state][ev];

	switch (next) {

	case NO:
		return EPROTO;

	case MEET:
		return EALREADY;

	case BACK:
		next = o->agreed ? OFFER_STABLE : OFFER_NONE;
		break;
	}

	o->state = (enum offer_state)next;
	if (o->state == OFFER_STABLE)
		o->agreed = true;

	return 0;
}


const char *offer_state_name(enum offer_state st)
{
	switch (st) {

	case OFFER_NONE:   return "none";
	case OFFER_LOCAL:  return "local";
	case OFFER_REMOTE: return "remote";
	case OFFER_STABLE: return "stable";
	}

	return "?";
}
