/**
 * @file call_digits.c  Telephone keys, both ways
 *
 * What is given goes out one after the other, which takes its time; when all
 * of it is out, or the call has ended before, dtmf.done says how many went.
 * Main thread.
 */
#include "priv.h"


enum { SLACK_MS = 120 };         /* a digit is a whole number of packets */


void call_digits_heard(const struct call *c, const struct stream_event *se)
{
	struct event ev;

	call_event(&ev, EVENT_CALL_DTMF, c);
	ev.u.call_dtmf.digit[0] = se->digit;
	ev.u.call_dtmf.digit[1] = '\0';
	UTF8_PUT(ev.u.call_dtmf.via, se->band ? "inband" : "rtp");
	ev.u.call_dtmf.duration_ms = se->duration_ms;

	event_publish(c->ua->bus, &ev);
}


static void done(struct call *c, unsigned sent)
{
	struct call_digits *d = &c->digits;
	const unsigned lost = d->count - sent;
	struct event ev;

	call_event(&ev, EVENT_DTMF_DONE, c);
	UTF8_PUT(ev.u.dtmf_done.result, lost ? "lost" : "done");
	ev.u.dtmf_done.sent = sent;
	ev.u.dtmf_done.lost = lost;

	if (lost)
		log_warn("call %u: %u of %u digits were lost, the call ended"
			 " before", c->id, lost, d->count);

	d->open = false;
	d->before += sent;
	d->count = 0;
	d->until_ms = 0;

	event_publish(c->ua->bus, &ev);
}


void call_digits_sent(struct call *c, unsigned count)
{
	/* more may have been given while this was on its way to us */
	if (c->digits.open && count == c->digits.given)
		done(c, c->digits.count);
}


void call_digits_end(struct call *c)
{
	struct call_digits *d = &c->digits;
	uint64_t sent = 0;

	if (!d->open)
		return;

	if (c->last_known && c->last.dtmf_sent > d->before)
		sent = c->last.dtmf_sent - d->before;

	done(c, sent < d->count ? (unsigned)sent : d->count);
}


/* @return how long it takes at most */
static uint64_t length_ms(const struct config *conf, char c, unsigned ms)
{
	switch (c) {

	case ',':           return 1000 + SLACK_MS;
	case 'w': case 'W': return 500 + SLACK_MS;
	default:
		return ms + (uint64_t)conf->dtmf_pause_ms + SLACK_MS;
	}
}


static void given(struct call *c, const char *digits, unsigned ms)
{
	struct call_digits *d = &c->digits;
	const uint64_t now = clock_ms();

	d->open = true;
	if (d->until_ms < now)
		d->until_ms = now;

	for (; *digits; digits++) {
		++d->given;
		d->count += !strchr(",wW", *digits);
		d->until_ms += length_ms(c->ua->config, *digits, ms);
	}
}


uint64_t call_dtmf_ms(const struct call *c)
{
	const uint64_t now = clock_ms();

	return c && c->digits.until_ms > now ? c->digits.until_ms - now : 0;
}


int call_dtmf(struct call *c, const char *digits, char *err)
{
	return call_dtmf_via(c, digits, false, 0, err);
}


int call_dtmf_via(struct call *c, const char *digits, bool band, unsigned ms,
		  char *err)
{
	int e;

	if (!call_living(c))
		return call_gone(c, err);
	if (!digits || !digits[0])
		return call_error(err, EINVAL, "No digits.");

	for (const char *p = digits; *p; p++) {
		if (!strchr("0123456789*#ABCDabcd!,wW", *p))
			return call_error(err, EINVAL, "'%c' is not a digit:"
				" 0-9 * # A-D, ! for the hook, and ',' or"
				" 'w' for pauses.",
				(unsigned char)*p > 0x20 &&
				(unsigned char)*p < 0x7f ? *p : '?');
	}

	if (!c->started)
		return call_error(err, ENOTCONN,
				  "Call %u has no media yet.", c->id);

	if (band && strchr(digits, '!'))
		return call_error(err, EINVAL, "The hook has no tone: it goes"
				  " as an event alone.");

	if (!ms)
		ms = (unsigned)c->ua->config->dtmf_duration_ms;
	stream_dtmf_duration(c->stream, ms);
	e = band ? stream_dtmf_band(c->stream, digits)
		 : stream_dtmf(c->stream, digits);
	if (!e) {
		given(c, digits, ms);
		return 0;
	}

	return e == ENOTSUP ?
		call_error(err, e, "The peer of call %u takes no digits"
			   " (no telephone-event in its SDP).", c->id) :
		e == ENOSPC ?
		call_error(err, e, "Call %u: too many digits wait.", c->id) :
		call_error(err, e, "Call %u: %s.", c->id, strerror(e));
}
