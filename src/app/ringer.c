/**
 * @file ringer.c  What is to be heard beside the calls: ringing and tones
 *
 * A subscriber of the event bus.  Each time something happens it looks at
 * all calls and decides what ought to sound, so that no order of events can
 * leave a tone behind.  Ringback follows RFC 3960 section 3.2: never before a
 * 180, and not beside the sound that the other side sends itself.  Main
 * thread.
 */
#include <stdlib.h>
#include "offhook/app.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "tones.h"

#define LOG_MODULE "ringer"
#include "offhook/log.h"


struct ringer {
	struct ua *ua;
	struct media *media;
	const struct config *config;
	bool device;                 /* somebody listens at a sound device   */
	struct event_sub *states, *progress, *holds;
	enum tone_kind speaker, room;    /* what is heard, TONE_KINDS: none  */
	enum tone_kind end;          /* how the last call ended              */
	struct timer tmr;            /* of that                              */
	unsigned hushed;             /* calls up to this one ring no more    */
};


static void ringer_destructor(void *data)
{
	struct ringer *r = data;

	mem_deref(r->states);
	mem_deref(r->progress);
	mem_deref(r->holds);
	timer_cancel(&r->tmr);
	media_hush(r->media, MEDIA_SPEAKER);
	media_hush(r->media, MEDIA_RING);
}


static bool audible(const struct ringer *r)
{
	return r->config->tones == TONES_ON ||
		(r->config->tones == TONES_AUTO && r->device);
}


/* A file of the user's instead; @return 0, ENOENT: there is none */
static int own_sound(const struct ringer *r, enum tone_kind kind,
		     int16_t **vp, size_t *np, uint32_t *rate_hz)
{
	char path[1024], name[32], err[UA_ERR];
	int e;

	if (!r->config->tone_files[0])
		return ENOENT;

	snprintf(name, sizeof(name), "%s.wav", tone_name(kind));
	e = path_join(path, sizeof(path), r->config->tone_files, name);
	if (e)
		return e;

	e = sound_read_at(vp, np, TONE_RATE_HZ, path, err, sizeof(err));
	if (e && e != ENOENT)
		log_warn("%s", err);
	*rate_hz = TONE_RATE_HZ;

	return e;
}


static void play(struct ringer *r, enum media_out out, enum tone_kind kind)
{
	uint32_t rate_hz = TONE_RATE_HZ;
	int16_t *v = NULL;
	size_t n = 0;
	int err;

	if (kind == TONE_KINDS) {
		media_hush(r->media, out);
		return;
	}

	err = own_sound(r, kind, &v, &n, &rate_hz);
	if (err)
		err = tone_make(&v, &n, kind, r->config->tone_country);
	if (!err)
		err = media_sound(r->media, out, v, n, rate_hz, 0);
	free(v);

	if (err)
		log_warn("no %s is heard: %s", tone_name(kind),
			 strerror(err));
	else
		log_debug("%s", tone_name(kind));
}


static void set(struct ringer *r, enum media_out out, enum tone_kind *now,
		enum tone_kind want)
{
	if (*now == want)
		return;

	*now = want;
	play(r, out, want);
}


/* What all calls together ask for */
static void look(struct ringer *r)
{
	enum tone_kind speaker = TONE_KINDS, room = TONE_KINDS;
	bool rings = false, back = false, talks = false;
	const struct call *c = NULL;

	/* with nobody to hear it, calls by the hundred need no looking at */
	while (audible(r) && (c = ua_call_next(r->ua, c))) {

		switch (call_state(c)) {

		case CALL_INCOMING:
			rings = rings || call_id(c) > r->hushed;
			break;

		case CALL_RINGING:
		case CALL_EARLY:
			if (call_outgoing(c) && call_rung(c) &&
			    !call_flows(c) && call_id(c) > r->hushed)
				back = true;
			/* what it sends itself is not to be disturbed */
			talks = talks || call_flows(c);
			break;

		case CALL_ACTIVE:
			talks = talks || !call_held(c);
			break;

		default:
			break;
		}
	}

	if (rings && talks)
		speaker = TONE_WAITING;
	else if (rings)
		room = TONE_RING;

	if (back)
		speaker = TONE_RINGBACK;
	else if (speaker == TONE_KINDS && !talks && !rings)
		speaker = r->end;

	if (!audible(r))
		speaker = room = TONE_KINDS;

	set(r, MEDIA_SPEAKER, &r->speaker, speaker);
	set(r, MEDIA_RING, &r->room, room);
}


static void end_handler(void *arg)
{
	struct ringer *r = arg;

	r->end = TONE_KINDS;
	look(r);
}


/* How it ended is heard for a while, unless we ended it */
static void ended(struct ringer *r, const struct event *ev)
{
	const int64_t ms = r->config->end_tone_ms;
	const int64_t code = ev->u.call_state.code;
	const bool out = !strcmp(ev->u.call_state.direction, "out");
	const struct call_record *rec = ua_call_record(r->ua, ev->call);
	const bool answered = rec && rec->was_active;

	if (!ms || strcmp(ev->u.call_state.by, "remote") ||
	    (!answered && !out))
		return;

	r->end = answered || code == 486 || code == 600 ? TONE_BUSY :
		TONE_CONGESTION;
	timer_start(&r->tmr, (uint64_t)ms, end_handler, r);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct ringer *r = arg;

	if (ev->type == EVENT_CALL_STATE) {
		const enum call_state st =
			call_state_find(ev->u.call_state.state);

		if (st == CALL_ENDED)
			ended(r, ev);
		else if (st == CALL_CALLING || st == CALL_INCOMING)
			r->end = TONE_KINDS;
	}

	look(r);
}


int ringer_alloc(struct ringer **rp, struct ua *ua, struct event_bus *bus,
		 struct media *media, const struct config *config)
{
	struct ringer *r;
	int err;

	if (!rp || !ua || !bus || !media || !config)
		return EINVAL;

	r = mem_zalloc(sizeof(*r), ringer_destructor);
	if (!r)
		return ENOMEM;

	r->ua = ua;
	r->media = media;
	r->config = config;
	r->device = true;
	r->speaker = r->room = r->end = TONE_KINDS;

	err = event_subscribe_type(&r->states, bus, EVENT_CALL_STATE,
				   event_handler, r);
	if (!err)
		err = event_subscribe_type(&r->progress, bus,
					   EVENT_CALL_PROGRESS,
					   event_handler, r);
	if (!err)
		err = event_subscribe_type(&r->holds, bus, EVENT_CALL_HOLD,
					   event_handler, r);

	if (err)
		mem_deref(r);
	else
		*rp = r;

	return err;
}


void ringer_set_device(struct ringer *r, bool device)
{
	if (!r)
		return;

	r->device = device;
	look(r);
}


bool ringer_hush(struct ringer *r)
{
	const struct call *c = NULL;
	bool any;

	if (!r)
		return false;

	any = r->speaker != TONE_KINDS || r->room != TONE_KINDS;

	while ((c = ua_call_next(r->ua, c))) {
		if (call_id(c) > r->hushed)
			r->hushed = call_id(c);
	}

	r->end = TONE_KINDS;
	look(r);

	return any;
}


const char *ringer_sound(const struct ringer *r, bool room)
{
	const enum tone_kind kind = !r ? TONE_KINDS :
		room ? r->room : r->speaker;

	return kind == TONE_KINDS ? "" : tone_name(kind);
}
