/**
 * @file call_hear.c  What is to be heard in a call, for who expects it
 *
 * Main thread.
 */
#include "priv.h"


int call_listen(struct call *c, bool on, double hz)
{
	if (!c || !c->stream)
		return ENOTCONN;

	return stream_listen(c->stream, on, hz);
}


int call_heard(struct call *c, struct stream_heard *h)
{
	if (!c || !c->stream)
		return ENOTCONN;

	return stream_heard(c->stream, h);
}


/* Before the answer a tone is the only word there is; afterwards it is rare,
 * and looking for it is not free */
int call_tones_settle(struct call *c)
{
	const int policy = c->ua->config->call_tones;
	const bool want = c->tones_asked || policy == CALL_TONES_ON ||
		(policy == CALL_TONES_EARLY && c->outgoing &&
		 c->state == CALL_EARLY);
	int err;

	if (!c->stream || !c->started)
		return ENOTCONN;
	if (want == c->tones_told)
		return 0;

	err = stream_tones(c->stream, want);
	if (!err)
		c->tones_told = want;

	return err;
}


int call_tones(struct call *c, bool on)
{
	if (!c)
		return ENOTCONN;

	c->tones_asked = on;

	return call_tones_settle(c);
}


const char *call_tone_heard(const struct call *c)
{
	return c && c->tone_heard ? c->tone_heard : "";
}


void call_tone_event(struct call *c, const char *tone)
{
	struct event ev;

	c->tone_heard = tone;
	call_event(&ev, EVENT_CALL_TONE, c);
	UTF8_PUT(ev.u.call_tone.tone, tone);
	event_publish(c->ua->bus, &ev);
}


/* Muted ----------------------------------------------------------------- */

void call_talk_settle(struct call *c)
{
	const bool want = c->muted && !c->hold &&
		c->source == SOURCE_DEVICE && c->ua->config->mute_warning;

	if (!c->stream || want == c->talk_told)
		return;

	if (stream_talk(c->stream, want)) {
		log_warn("call %u: nobody looks whether you talk while it is"
			 " muted", c->id);
		return;
	}

	c->talk_told = want;
	c->talks = false;
}


/* Is the same microphone open for somebody else? */
static bool heard_elsewhere(const struct call *c)
{
	struct le *le;

	LIST_FOREACH(&c->ua->calls, le) {
		const struct call *o = le->data;

		if (o != c && o->state == CALL_ACTIVE && call_living(o) &&
		    o->source == SOURCE_DEVICE && !o->hold && !o->muted)
			return true;
	}

	return false;
}


void call_talk(struct call *c, bool talks)
{
	struct event ev;

	if (c->state != CALL_ACTIVE || !c->muted || !c->talk_told)
		return;

	c->talks = talks && !heard_elsewhere(c);
	if (!c->talks)
		return;

	call_event(&ev, EVENT_CALL_UNHEARD, c);
	UTF8_PUT(ev.u.call_unheard.peer, c->peer);
	event_publish(c->ua->bus, &ev);
}


bool call_talks_unheard(const struct call *c)
{
	return c && c->muted && c->talks;
}
