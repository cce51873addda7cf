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
	char tone[CONFIG_STR];       /* what it rings with                   */
	struct contacts *contacts;   /* NULL: nobody is known                */
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


/* A file of the user's; @return 0, ENOENT: there is none */
static int file_sound(const char *path, int16_t **vp, size_t *np)
{
	char err[UA_ERR];
	const int e = sound_read_at(vp, np, TONE_RATE_HZ, path, err,
				    sizeof(err));

	if (e && e != ENOENT)
		log_warn("%s", err);

	return e;
}


/* One that lies where the others do: NAME, or NAME.wav */
static int own_sound(const struct ringer *r, const char *name, int16_t **vp,
		     size_t *np)
{
	static const char *const ends[] = { ".wav", "" };
	char path[1024], file[CONFIG_STR + 8];
	int e = ENOENT;

	if (!r->config->tone_files[0])
		return ENOENT;

	for (size_t i = 0; e == ENOENT && i < ARRAY_SIZE(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", name, ends[i]);
		e = path_join(path, sizeof(path), r->config->tone_files,
			      file);
		if (!e)
			e = file_sound(path, vp, np);
	}

	return e;
}


/*
 * What somebody chose for this call: a name of ours, a file by its path or by
 * its name among the others.  One that is not there is no reason to be silent.
 */
static int ring_sound(const struct ringer *r, int16_t **vp, size_t *np)
{
	const char *country = r->config->tone_country;
	char show[96];
	int err;

	/* the file that stands in for the usual bell */
	if (!strcmp(r->tone, tone_ring_name(0)) &&
	    !own_sound(r, tone_name(TONE_RING), vp, np))
		return 0;

	err = tone_make_ring(vp, np, r->tone, country);
	if (err == ENOENT)
		err = strchr(r->tone, '/') ? file_sound(r->tone, vp, np) :
			own_sound(r, r->tone, vp, np);
	if (!err)
		return 0;

	log_warn("the ring tone '%s' cannot be had (%s): the usual one is "
		 "taken", text_escape(show, sizeof(show), r->tone,
				      strlen(r->tone)), strerror(err));

	return tone_make(vp, np, TONE_RING, country);
}


static void play(struct ringer *r, enum media_out out, enum tone_kind kind)
{
	int16_t *v = NULL;
	size_t n = 0;
	int err;

	if (kind == TONE_KINDS) {
		media_hush(r->media, out);
		return;
	}

	if (kind == TONE_RING) {
		err = ring_sound(r, &v, &n);
	}
	else {
		err = own_sound(r, tone_name(kind), &v, &n);
		if (err)
			err = tone_make(&v, &n, kind,
					r->config->tone_country);
	}
	if (!err)
		err = media_sound(r->media, out, v, n, TONE_RATE_HZ, 0);
	free(v);

	if (err)
		log_warn("no %s is heard: %s", tone_name(kind),
			 strerror(err));
	else
		log_debug("%s%s%s", tone_name(kind), kind == TONE_RING ?
			  ": " : "", kind == TONE_RING ? r->tone : "");
}


static void set(struct ringer *r, enum media_out out, enum tone_kind *now,
		enum tone_kind want)
{
	if (*now == want)
		return;

	*now = want;
	play(r, out, want);
}


/* Who says what this call rings with? The nearest to it that says anything */
static const char *tone_of(const struct ringer *r, const struct call *c)
{
	const struct contact_conf *known = r->contacts ?
		contacts_by_uri(r->contacts, call_peer(c)) : NULL;
	const struct account *a = call_account(c);

	if (*call_ring_tone(c))
		return call_ring_tone(c);
	if (known && known->ring[0])
		return known->ring;
	if (a && account_config(a)->ring_tone[0])
		return account_config(a)->ring_tone;

	return r->config->ring_tone[0] ? r->config->ring_tone :
		tone_ring_name(0);
}


static bool silent(const char *tone)
{
	return !strcmp(tone, "none");
}


/* Two calls may ring: it is the first one's tone, unless that is to be quiet.
 * @return is it another one than before? */
static bool tone_take(struct ringer *r, const char *tone)
{
	if (!strcmp(r->tone, tone))
		return false;

	snprintf(r->tone, sizeof(r->tone), "%s", tone);

	return true;
}


/* What all calls together ask for */
void ringer_look(struct ringer *r)
{
	const char *tone = NULL;
	enum tone_kind speaker = TONE_KINDS, room = TONE_KINDS;
	bool rings = false, back = false, talks = false;
	const struct call *c = NULL;

	if (!r)
		return;

	/* with nobody to hear it, calls by the hundred need no looking at */
	while (audible(r) && (c = ua_call_next(r->ua, c))) {

		switch (call_state(c)) {

		case CALL_INCOMING:
			if (call_id(c) <= r->hushed || silent(tone_of(r, c)))
				break;
			if (!rings)
				tone = tone_of(r, c);
			rings = true;
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

	/* another one in the middle of ringing begins at once */
	if (tone && tone_take(r, tone) && room == TONE_RING)
		r->room = TONE_KINDS;

	set(r, MEDIA_SPEAKER, &r->speaker, speaker);
	set(r, MEDIA_RING, &r->room, room);
}


static void end_handler(void *arg)
{
	struct ringer *r = arg;

	r->end = TONE_KINDS;
	ringer_look(r);
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

	ringer_look(r);
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


void ringer_set_contacts(struct ringer *r, struct contacts *cs)
{
	if (r)
		r->contacts = cs;
}


const char *ringer_tone(const struct ringer *r)
{
	return r && r->room == TONE_RING ? r->tone : "";
}


void ringer_set_device(struct ringer *r, bool device)
{
	if (!r)
		return;

	r->device = device;
	ringer_look(r);
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
	ringer_look(r);

	return any;
}


const char *ringer_sound(const struct ringer *r, bool room)
{
	const enum tone_kind kind = !r ? TONE_KINDS :
		room ? r->room : r->speaker;

	return kind == TONE_KINDS ? "" : tone_name(kind);
}
