/**
 * @file conference.c  Several calls in which each hears all others
 *
 * A conference is a number that calls have in common; the mixing is the
 * media engine's.  A call on hold keeps its place and is not heard until it
 * is taken back.  With the last but one call the conference ends.  Main
 * thread.
 */
#include "priv.h"


static unsigned members(const struct ua *ua, unsigned no)
{
	struct le *le;
	unsigned n = 0;

	LIST_FOREACH(&ua->calls, le) {
		const struct call *c = le->data;

		n += c->room.no == no;
	}

	return n;
}


static void tell(const struct call *c, const char *state, unsigned no)
{
	const unsigned n = members(c->ua, no);
	struct event ev;

	log_info("call %u %s conference %u, %u calls in it", c->id, state,
		 no, n);

	call_event(&ev, EVENT_CALL_CONFERENCE, c);
	UTF8_PUT(ev.u.call_conference.state, state);
	ev.u.call_conference.conference = no;
	ev.u.call_conference.members = n;
	event_publish(c->ua->bus, &ev);
}


void conference_settle(struct call *c)
{
	struct call_room *r = &c->room;
	const bool part = c->state == CALL_ACTIVE && !c->hold;
	const unsigned no = part ? r->no : 0;
	const double db = r->mute ? -INFINITY : r->db;

	if (no != r->no_told) {
		const int err = stream_conference(c->stream, no);

		if (err)
			log_warn("call %u: not in conference %u: %s", c->id,
				 no, strerror(err));
		r->no_told = err ? 0 : no;
	}

	if (db != r->db_told) {
		stream_part(c->stream, db);
		r->db_told = db;
	}

	if (r->mic_db != r->mic_told || r->speaker_db != r->speaker_told) {
		stream_gain(c->stream, r->mic_db, r->speaker_db);
		r->mic_told = r->mic_db;
		r->speaker_told = r->speaker_db;
	}

	if (r->place != r->place_told) {
		stream_place(c->stream, r->place);
		r->place_told = r->place;
	}
}


/* Out of it, and whoever would be alone in it */
static void leave(struct call *c)
{
	const unsigned no = c->room.no;
	struct call *last = NULL;
	struct le *le;

	c->room.no = 0;
	c->room.no_then = 0;
	c->room.mute = false;
	place_spread(c->ua, no);
	call_media_settle(c);
	tell(c, "left", no);

	if (members(c->ua, no) != 1)
		return;

	LIST_FOREACH(&c->ua->calls, le) {
		struct call *other = le->data;

		if (other->room.no == no)
			last = other;
	}
	if (last)
		leave(last);
}


void conference_end(struct call *c)
{
	if (c->room.no)
		leave(c);
}


static bool number_taken(const struct ua *ua, unsigned no)
{
	return members(ua, no) > 0;
}


/* That of the first who is in one, else a new one */
static unsigned number(const struct ua *ua, struct call *const *cv, size_t n)
{
	unsigned no = 1;

	for (size_t i = 0; i < n; i++) {
		if (cv[i]->room.no)
			return cv[i]->room.no;
	}

	while (number_taken(ua, no))
		++no;

	return no;
}


int ua_conference(unsigned *nop, struct ua *ua, struct call *const *cv,
		  size_t n, char *err)
{
	struct le *le;
	unsigned no;
	int e = 0;

	for (size_t i = 0; i < n; i++) {
		if (!call_living(cv[i]))
			return call_gone(cv[i], err);
		if (cv[i]->state != CALL_ACTIVE)
			return call_error(err, ENOTCONN, "Call %u is not"
					  " answered yet.", cv[i]->id);
	}

	no = number(ua, cv, n);

	/* another conference that one of them is in comes as a whole */
	for (size_t i = 0; i < n; i++) {
		const unsigned other = cv[i]->room.no;

		if (other == no)
			continue;

		cv[i]->room.no = no;
		LIST_FOREACH(&ua->calls, le) {
			struct call *c = le->data;

			if (other && c->room.no == other)
				c->room.no = no;
		}
	}

	if (members(ua, no) < 2) {
		for (size_t i = 0; i < n; i++)
			cv[i]->room.no = 0;
		return call_error(err, EINVAL, "A conference has at least two"
				  " calls.");
	}

	LIST_FOREACH(&ua->calls, le) {
		struct call *c = le->data;

		if (c->room.no != no || c->room.no_then == no)
			continue;
		c->room.no_then = no;
		call_media_settle(c);
		tell(c, "joined", no);
	}

	place_spread(ua, no);

	/* all that have their place know each other: none holds another */
	for (size_t i = 0; i < n; i++) {
		if (call_living(cv[i]) && cv[i]->hold)
			e = call_resume(cv[i], err);
	}

	if (nop)
		*nop = no;

	return e;
}


int call_conference_leave(struct call *c, char *err)
{
	if (!call_living(c))
		return call_gone(c, err);
	if (!c->room.no)
		return call_error(err, EALREADY, "Call %u is in no"
				  " conference.", c->id);

	leave(c);

	return 0;
}


int call_part(struct call *c, double db, bool mute, char *err)
{
	if (!call_living(c))
		return call_gone(c, err);
	if (!c->room.no)
		return call_error(err, ENOTCONN, "Call %u is in no"
				  " conference.", c->id);
	if (!(db >= GAIN_DB_MIN && db <= GAIN_DB_MAX))
		return call_error(err, EINVAL, "A gain has %d to %d dB.",
				  GAIN_DB_MIN, GAIN_DB_MAX);

	c->room.db = db;
	c->room.mute = mute;
	call_media_settle(c);

	return 0;
}


int call_gain(struct call *c, bool mic, double db, char *err)
{
	if (!call_living(c))
		return call_gone(c, err);
	if (!(db >= GAIN_DB_MIN && db <= GAIN_DB_MAX))
		return call_error(err, EINVAL, "A gain has %d to %d dB.",
				  GAIN_DB_MIN, GAIN_DB_MAX);

	if (mic)
		c->room.mic_db = db;
	else
		c->room.speaker_db = db;
	call_media_settle(c);

	return 0;
}


double call_gain_db(const struct call *c, bool mic)
{
	return !c ? 0.0 : mic ? c->room.mic_db : c->room.speaker_db;
}


unsigned call_conference(const struct call *c)
{
	return c ? c->room.no : 0;
}


double call_part_db(const struct call *c, bool *mute)
{
	*mute = c && c->room.mute;

	return c ? c->room.db : 0.0;
}
