/**
 * @file dtmf.c  Digits as telephone-events (RFC 4733)
 *
 * Pure; media thread.  A digit is named by the RTP time stamp of its begin.
 * Whatever is lost or repeated of its packets, one of them is enough to hear
 * it, and it is heard once; it ends with its end packet, with the next
 * digit, or when no more of it comes.
 */
#include "priv.h"


enum {
	ENDS = 3,                /* end packets sent                        */
	VOLUME_MAX = 63,
	SILENT_US = 150000,      /* no packet for so long: it has ended     */
	OLD_US = 10000000,
	COMMA_MS = 1000,
	WAIT_MS = 500,
	HOOK = 16,
};

/* by event code; 16 is the hook (RFC 4733 3.2) */
static const char names[] = "0123456789*#ABCD!";


static int digit_event(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'd')
		c = (char)(c - 'a' + 'A');

	at = c ? strchr(names, c) : NULL;

	return at ? (int)(at - names) : -1;
}


static uint32_t pause_ms(char c)
{
	switch (c) {

	case ',': return COMMA_MS;
	case 'w':
	case 'W': return WAIT_MS;
	default:  return 0;
	}
}


/* Sending --------------------------------------------------------------- */

void dtmf_tx_duration(struct dtmf_tx *d, uint32_t ms)
{
	/* RFC 4733 leaves it to us; shorter than 40 ms nobody hears */
	d->on_ms = (uint16_t)(ms < 40 ? 40 : ms > 10000 ? 10000 : ms);
}


void dtmf_tx_begin(struct dtmf_tx *d, uint32_t on_ms, uint32_t off_ms,
		   unsigned volume)
{
	memset(d, 0, sizeof(*d));

	dtmf_tx_duration(d, on_ms);
	d->off_ms = off_ms < 40 ? 40 : off_ms > 10000 ? 10000 : off_ms;
	d->volume = (uint8_t)(volume > VOLUME_MAX ? VOLUME_MAX : volume);
	d->clock_hz = 8000;
	d->told = true;
}


int dtmf_check(const char *digits)
{
	size_t n = 0;

	if (!digits || !*digits)
		return EINVAL;

	for (; digits[n]; n++) {
		if (digit_event(digits[n]) < 0 && !pause_ms(digits[n]))
			return EINVAL;
	}

	return n > DTMF_QUEUE ? ENOSPC : 0;
}


static int queue_add(struct dtmf_tx *d, const char *digits, bool band)
{
	const int err = dtmf_check(digits);
	const size_t n = err ? 0 : strlen(digits);

	if (err)
		return err;
	if (d->count + n > DTMF_QUEUE)
		return ENOSPC;

	for (size_t i = 0; i < n; i++) {
		const unsigned at = (d->head + d->count++) % DTMF_QUEUE;

		d->queue[at] = digits[i];
		d->band[at] = band;
		d->on[at] = d->on_ms;
	}

	d->told = false;

	return 0;
}


int dtmf_tx_add(struct dtmf_tx *d, const char *digits)
{
	return queue_add(d, digits, false);
}


int dtmf_tx_add_band(struct dtmf_tx *d, const char *digits)
{
	return queue_add(d, digits, true);
}


/* A duration has 16 bits: what is longer goes on in another segment, whose
 * time stamp is that of the one before and its duration (RFC 4733 2.5.1.3) */
static void event_write(struct dtmf_tx *d, struct dtmf_event *ev, int event,
			uint32_t units)
{
	const bool end = d->ends > 0;

	units -= d->before;
	if (units > UINT16_MAX) {
		d->before += UINT16_MAX;
		units -= UINT16_MAX;
		ev->ahead = UINT16_MAX;
	}

	ev->payload[0] = (uint8_t)event;
	ev->payload[1] = (uint8_t)((end ? 0x80 : 0) | d->volume);
	ev->payload[2] = (uint8_t)(units >> 8);
	ev->payload[3] = (uint8_t)units;
}


static uint32_t done_units(const struct dtmf_tx *d)
{
	return (uint32_t)((uint64_t)d->done_ms * d->clock_hz / 1000);
}


/* The queue's head is over */
static void queue_next(struct dtmf_tx *d)
{
	d->head = (d->head + 1) % DTMF_QUEUE;
	--d->count;
	++d->taken;
}


/* Nothing waits any more: @return true the first time */
static bool queue_over(struct dtmf_tx *d)
{
	const bool news = !d->told;

	d->told = true;

	return news;
}


/* The same in the sound: as long, and its pause follows */
static enum dtmf_step band_step(struct dtmf_tx *d, uint32_t ms,
				struct dtmf_event *ev, char key,
				bool *all_sent)
{
	d->done_ms += ms;
	ev->key = key;

	if (d->done_ms >= d->on[d->head]) {
		d->active = false;
		d->pause_ms = d->off_ms;
		queue_next(d);
		++d->sent;
		if (!d->count)
			*all_sent = queue_over(d);
	}

	return DTMF_TONE;
}


enum dtmf_step dtmf_tx_step(struct dtmf_tx *d, uint32_t ms,
			    struct dtmf_event *ev, bool *all_sent)
{
	enum dtmf_step step = DTMF_PACKET;
	uint32_t on_ms;
	int event;

	*all_sent = false;
	ev->marker = false;
	ev->ahead = 0;

	if (!d->active) {

		if (d->pause_ms) {
			d->pause_ms = d->pause_ms > ms ? d->pause_ms - ms : 0;
			return DTMF_SOUND;
		}

		if (!d->count) {
			*all_sent = queue_over(d);
			return DTMF_SOUND;
		}

		d->pause_ms = pause_ms(d->queue[d->head]);
		if (d->pause_ms) {
			d->pause_ms = d->pause_ms > ms ? d->pause_ms - ms : 0;
			queue_next(d);
			return DTMF_SOUND;
		}

		d->active = true;
		d->done_ms = 0;
		d->before = 0;
		d->ends = 0;
		ev->marker = true;
		step = DTMF_FIRST;
	}

	event = digit_event(d->queue[d->head]);
	on_ms = d->on[d->head];

	/* a hook has no tone */
	if (d->band[d->head] && event < HOOK)
		return band_step(d, ms, ev, names[event], all_sent);

	if (d->ends < ENDS && d->done_ms < on_ms) {
		d->done_ms += ms;
		if (d->done_ms > on_ms)
			d->done_ms = on_ms;
	}

	/* the end is said three times, a packet time apart, so that it gets
	 * through a short burst of loss; the pause has begun then */
	if (d->done_ms >= on_ms)
		++d->ends;

	event_write(d, ev, event, done_units(d));

	if (d->ends >= ENDS) {
		const uint32_t used = (ENDS - 1) * ms;

		d->active = false;
		d->pause_ms = d->off_ms > used ? d->off_ms - used : 0;
		queue_next(d);
		++d->sent;

		/* the pause is owed to the next digit only */
		if (!d->count)
			*all_sent = queue_over(d);
	}

	return step;
}


/* Receiving ------------------------------------------------------------- */

void dtmf_rx_begin(struct dtmf_rx *d, uint32_t clock_hz)
{
	memset(d, 0, sizeof(*d));

	d->clock_hz = clock_hz ? clock_hz : 8000;
}


static bool done_has(const struct dtmf_rx *d, uint32_t ts)
{
	for (unsigned i = 0; i < d->done_count; i++) {
		if (d->done[i] == ts)
			return true;
	}

	return false;
}


static void done_add(struct dtmf_rx *d, uint32_t ts)
{
	d->done[d->done_pos] = ts;
	d->done_pos = (d->done_pos + 1) % COUNT(d->done);
	if (d->done_count < COUNT(d->done))
		++d->done_count;
}


static void digit_end(struct dtmf_rx *d, struct dtmf_digit *out)
{
	const uint64_t units = (uint64_t)d->before + d->duration;

	out->digit = names[d->event];
	out->duration_ms = (uint32_t)(units * 1000 / d->clock_hz);

	done_add(d, d->ts);
	d->active = false;
	++d->received;
}


unsigned dtmf_rx_put(struct dtmf_rx *d, uint32_t ts, const uint8_t *p,
		     size_t len, uint64_t now_us, struct dtmf_digit out[2])
{
	unsigned n = 0;
	uint16_t duration;
	uint8_t event;
	bool end;

	if (len < 4)
		return 0;

	event = p[0];
	end = p[1] >> 7;
	duration = (uint16_t)(p[2] << 8 | p[3]);

	if (event >= sizeof(names) - 1)
		return 0;

	/* over already: a repeated end, or one that came late */
	if (done_has(d, ts))
		return 0;

	if (d->active && ts != d->ts) {

		/* a long digit goes on in another segment */
		if (event == d->event && ts == d->ts + UINT16_MAX) {
			done_add(d, d->ts);
			d->before += UINT16_MAX;
			d->duration = 0;
			d->ts = ts;
		}
		/* older than the one that sounds: all its packets were
		 * overtaken. Heard late is better than never */
		else if ((int32_t)(ts - d->ts) < 0) {

			if ((uint64_t)(d->ts - ts) * 1000000 / d->clock_hz >
			    OLD_US)
				return 0;

			out[0].digit = names[event];
			out[0].duration_ms = (uint32_t)
				(duration * 1000u / d->clock_hz);
			done_add(d, ts);
			++d->received;
			return 1;
		}
		else {
			digit_end(d, &out[n++]);
		}
	}

	if (!d->active) {
		d->active = true;
		d->event = event;
		d->ts = ts;
		d->duration = 0;
		d->before = 0;
	}

	if (duration > d->duration)
		d->duration = duration;
	d->heard_us = now_us;

	if (end)
		digit_end(d, &out[n++]);

	return n;
}


unsigned dtmf_rx_poll(struct dtmf_rx *d, uint64_t now_us,
		      struct dtmf_digit *out)
{
	if (!d->active || now_us < d->heard_us + SILENT_US)
		return 0;

	digit_end(d, out);

	return 1;
}
