/**
 * @file devices.c  An account with a microphone, a loudspeaker, a bell of its own
 *
 * There is one sound device for all calls, so whose it is now is a matter of
 * who talks: the account of the call that was first to, for as long as it
 * does; before that the one whose phone rings, so that its devices are there
 * when it is answered.  What it does not name is as it was before, and comes
 * back when it is over, unless somebody has chosen another meanwhile: then
 * that is what counts.  Main thread.
 */
#include "offhook/app.h"

#define LOG_MODULE "devices"
#include "offhook/log.h"


enum { NAME = 512 };

/** What one device was before an account took it */
struct taken {
	bool fixed;                  /* by --audio: nobody takes it          */
	bool on;
	char wanted[NAME];           /* by the account, "" : nothing         */
	char before[NAME];
};

struct devices {
	struct ua *ua;
	struct media *media;
	struct event_sub *states, *holds;
	unsigned talks;              /* account whose call does, 0: none     */
	bool wanted;                 /* some call has devices of its own     */
	struct taken taken[MEDIA_ROLES]; /* by enum media_role                   */
};


static void destructor(void *arg)
{
	struct devices *d = arg;

	mem_deref(d->states);
	mem_deref(d->holds);
}


/* What an account wants of it, "" nothing. @return whether another device is
 * to be taken: name */
static bool take(struct devices *d, enum media_role role, const char *wanted,
		 char *name)
{
	struct taken *t = &d->taken[role];
	char now[NAME];

	str_ncpy(now, media_device(d->media, role), NAME);
	str_ncpy(name, now, NAME);
	if (t->fixed || !strcmp(t->wanted, wanted))
		return false;

	/* somebody has chosen another than ours: it is to stay */
	if (!t->on || strcmp(now, t->wanted))
		str_ncpy(t->before, now, NAME);

	t->on = *wanted;
	str_ncpy(t->wanted, wanted, NAME);
	str_ncpy(name, t->on ? wanted : t->before, NAME);

	return strcmp(name, now);
}


static void take_one(struct devices *d, enum media_role role,
		     const char *wanted, const char *what)
{
	char name[NAME], err[UA_ERR] = "";

	if (take(d, role, wanted, name) &&
	    media_set_device(d->media, role, name, err, sizeof(err)))
		log_warn("the %s of an account cannot be taken: %s", what,
			 err);
}


/* Both at once: a card is opened once */
static void take_talk(struct devices *d, const struct account_conf *ac)
{
	struct audio_spec as = { .driver = "auto" };
	char err[UA_ERR] = "";
	bool other;

	other = take(d, MEDIA_ROLE_MIC, ac ? ac->audio_mic : "", as.in);
	other = take(d, MEDIA_ROLE_SPEAKER, ac ? ac->audio_speaker : "",
		     as.out) || other;
	take_one(d, MEDIA_ROLE_MONITOR, ac ? ac->audio_monitor : "",
		 "monitor");
	if (!other)
		return;

	if (as.in[0] || as.out[0])
		(void)strcpy(as.driver, "portaudio");
	if (media_set_audio(d->media, &as, err, sizeof(err)))
		log_warn("the devices of an account cannot be taken: %s",
			 err);
}


static void take_bell(struct devices *d, const struct account_conf *ac)
{
	take_one(d, MEDIA_ROLE_RING, ac ? ac->audio_ring : "", "ringer");
}


static unsigned account_of(const struct call *c)
{
	const struct account *a = call_account(c);

	return a ? account_id(a) : 0;
}


static bool is_talk(const struct call *c)
{
	switch (call_state(c)) {

	case CALL_CALLING:
	case CALL_RINGING:
	case CALL_EARLY:
	case CALL_ACTIVE:
		return !call_held(c);

	default:
		return false;
	}
}


/* The call whose account has the devices, NULL: none; *rings: that has the
 * bell */
static const struct call *whose(const struct devices *d,
				const struct call **rings)
{
	const struct call *c = NULL, *talks = NULL;

	*rings = NULL;
	while ((c = ua_call_next(d->ua, c))) {

		if (call_state(c) == CALL_INCOMING && !*rings)
			*rings = c;
		if (!is_talk(c))
			continue;
		if (!talks || account_of(talks) != d->talks)
			talks = c;
	}

	return talks ? talks : *rings;
}


static const struct account_conf *conf_of(const struct call *c)
{
	const struct account *a = call_account(c);

	return a ? account_config(a) : NULL;
}


static bool has_own(const struct account_conf *ac)
{
	return ac && (ac->audio_mic[0] || ac->audio_speaker[0] ||
		      ac->audio_ring[0] || ac->audio_monitor[0]);
}


/* Does any call have devices of its own, or are some taken still? */
static bool any_own(const struct devices *d)
{
	const struct call *c = NULL;

	for (size_t i = 0; i < MEDIA_ROLES; i++) {
		if (d->taken[i].on)
			return true;
	}

	while ((c = ua_call_next(d->ua, c))) {
		if (has_own(conf_of(c)))
			return true;
	}

	return false;
}


static void event_handler(const struct event *ev, void *arg)
{
	struct devices *d = arg;
	const struct call *rings, *c = ua_call(d->ua, ev->call);

	/* calls by the hundred without any are not looked at each time */
	d->wanted = d->wanted || (c && has_own(conf_of(c)));
	if (!d->wanted)
		return;

	c = whose(d, &rings);
	d->talks = account_of(c);
	take_talk(d, conf_of(c));
	take_bell(d, conf_of(rings));
	d->wanted = any_own(d);
}


int devices_alloc(struct devices **dp, struct ua *ua, struct event_bus *bus,
		  struct media *media, const struct audio_spec *given)
{
	struct devices *d;
	int err;

	if (!dp || !ua || !bus || !media || !given)
		return EINVAL;

	d = mem_zalloc(sizeof(*d), destructor);
	if (!d)
		return ENOMEM;

	d->ua = ua;
	d->media = media;
	d->taken[MEDIA_ROLE_MIC].fixed = given->in[0];
	d->taken[MEDIA_ROLE_SPEAKER].fixed = given->out[0];

	err = event_subscribe_type(&d->states, bus, EVENT_CALL_STATE,
				   event_handler, d);
	if (!err)
		err = event_subscribe_type(&d->holds, bus, EVENT_CALL_HOLD,
					   event_handler, d);
	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}
