/**
 * @file offer.c  Who owes whom an answer
 *
 * The offer/answer model of one dialog (RFC 3264) in all its ways through SIP
 * (RFC 6337, table 1), as one table: which message may carry an offer, and
 * which messages bring the answer to it.  What carries what is asked here by
 * the INVITE client and server, PRACK and UPDATE; what stands in it is for
 * the user.  Pure, main thread.  It must never look into SDP.
 */
#include "priv.h"


#define BIT(x) (1u << (x))

static const struct way {
	unsigned offers;       /* states in which SDP in it is an offer      */
	unsigned answers;      /* it answers the offer of these messages ... */
	unsigned previews;     /* ... or only hints at the answer to these   */
	bool request;          /* an offer at the wrong time is refused      */
	bool last;             /* no later message brings what is due        */
} ways[] = {
	[BY_INVITE]     = {.offers = BIT(OFFER_NONE) | BIT(OFFER_STABLE),
			   .request = true},
	[BY_1XX]        = {.previews = BIT(BY_INVITE)},
	[BY_1XX_REL]    = {.offers = BIT(OFFER_ASKED) | BIT(OFFER_OWED),
			   .answers = BIT(BY_INVITE)},
	[BY_2XX]        = {.offers = BIT(OFFER_ASKED) | BIT(OFFER_OWED),
			   .answers = BIT(BY_INVITE), .last = true},
	[BY_ACK]        = {.answers = BIT(BY_2XX), .last = true},
	[BY_PRACK]      = {.offers = BIT(OFFER_STABLE),
			   .answers = BIT(BY_1XX_REL), .request = true,
			   .last = true},
	[BY_PRACK_2XX]  = {.answers = BIT(BY_PRACK), .last = true},
	[BY_UPDATE]     = {.offers = BIT(OFFER_STABLE), .request = true},
	[BY_UPDATE_2XX] = {.answers = BIT(BY_UPDATE), .last = true},
};


static void stable(struct offer *o)
{
	o->state = OFFER_STABLE;
	o->agreed = true;
}


/*
 * due: the state in which the other side's offer waits for this side;
 * asked: in which this side must offer; mine: once this side has offered
 */
static enum offer_means step(struct offer *o, enum offer_by by, bool sdp,
			     enum offer_state due, enum offer_state asked,
			     enum offer_state mine)
{
	const struct way *w = &ways[by];

	if (!sdp) {
		/* who gets it is to make the offer */
		if (by == BY_INVITE && w->offers & BIT(o->state)) {
			o->state = mine == OFFER_LOCAL ? OFFER_ASKED :
				OFFER_OWED;
			return MEANS_NOTHING;
		}

		if (w->last && ((o->state == due && w->answers & BIT(o->by)) ||
				(o->state == asked && w->offers & BIT(asked))))
			return MEANS_MISSING;

		return MEANS_NOTHING;
	}

	if (o->state == due && w->answers & BIT(o->by)) {
		stable(o);
		return MEANS_ANSWER;
	}

	if (o->state == due && w->previews & BIT(o->by))
		return MEANS_PREVIEW;

	if (w->offers & BIT(o->state) &&
	    (o->state == OFFER_NONE || o->state == OFFER_STABLE ||
	     o->state == asked)) {
		o->state = mine;
		o->by = by;
		return MEANS_OFFER;
	}

	if (!w->request)
		return MEANS_NOTHING;

	/* RFC 3311 5.2: two offers meet, or the first one is not answered */
	return o->state == due || (o->state == OFFER_ASKED &&
				   asked == OFFER_ASKED) ?
		MEANS_GLARE : MEANS_EARLY;
}


enum offer_means offer_recv(struct offer *o, enum offer_by by, bool sdp)
{
	return step(o, by, sdp, OFFER_LOCAL, OFFER_ASKED, OFFER_REMOTE);
}


enum offer_means offer_send(struct offer *o, enum offer_by by, bool sdp)
{
	return step(o, by, sdp, OFFER_REMOTE, OFFER_OWED, OFFER_LOCAL);
}


void offer_cancel(struct offer *o)
{
	o->state = o->agreed ? OFFER_STABLE : OFFER_NONE;
}


bool offer_open(const struct offer *o)
{
	return o->state != OFFER_NONE && o->state != OFFER_STABLE;
}


uint16_t offer_status(enum offer_means m)
{
	switch (m) {

	case MEANS_GLARE:   return 491;
	case MEANS_EARLY:   return 500;
	case MEANS_MISSING: return 400;
	default:            return 0;
	}
}


const char *offer_state_name(enum offer_state st)
{
	switch (st) {

	case OFFER_NONE:   return "none";
	case OFFER_ASKED:  return "asked";
	case OFFER_OWED:   return "owed";
	case OFFER_LOCAL:  return "local";
	case OFFER_REMOTE: return "remote";
	case OFFER_STABLE: return "stable";
	}

	return "?";
}
