/**
 * @file place.c  Where calls are heard: from left to right
 *
 * Of one's own, or side by side when they are in a conference.  A place means
 * something where the loudspeaker has two channels; it is kept in any case,
 * since the device may change in mid-call.  Main thread.
 */
#include "priv.h"


static void move(struct call *c, int place)
{
	struct event ev;

	if (c->room.place == place)
		return;

	c->room.place = place;
	call_media_settle(c);

	call_event(&ev, EVENT_CALL_PLACE, c);
	ev.u.call_place.place = place;
	event_publish(c->ua->bus, &ev);
}


int call_pan(struct call *c, int place, char *err)
{
	if (!call_living(c))
		return call_gone(c, err);
	if (place < PLACE_LEFT || place > PLACE_RIGHT)
		return call_error(err, EINVAL, "A place is from %d (left) to"
				  " %d (right).", PLACE_LEFT, PLACE_RIGHT);

	/* the middle is where others may put it again */
	c->room.placed = place != 0;
	move(c, place);

	return 0;
}


int call_place(const struct call *c)
{
	return c ? c->room.place : 0;
}


/* So many beside each other have equal parts of the way, each in the middle of
 * its own */
static int share(unsigned i, unsigned n)
{
	return n > 1 ? PLACE_LEFT + (int)((PLACE_RIGHT - PLACE_LEFT) *
					  (2 * i + 1) / (2 * n)) : 0;
}


static bool spreads(const struct call *c, unsigned no)
{
	return c->room.no == no && !c->room.placed && call_living(c);
}


void place_spread(struct ua *ua, unsigned no)
{
	unsigned n = 0, i = 0;
	struct le *le;

	LIST_FOREACH(&ua->calls, le)
		n += spreads(le->data, no);

	LIST_FOREACH(&ua->calls, le) {
		struct call *c = le->data;

		if (!call_living(c) || c->room.placed)
			continue;
		if (!c->room.no)
			move(c, 0);
		else if (spreads(c, no))
			move(c, ua->config->conference_spread ?
			     share(i++, n) : 0);
	}
}
