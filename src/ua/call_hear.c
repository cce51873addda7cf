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
