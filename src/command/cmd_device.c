/**
 * @file cmd_device.c  Sound devices: which there are, which to take, a test
 *
 * The list comes from a worker; a test runs on the media thread and is looked
 * at now and then.  Main thread; the rows are in cmd_audio.c.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/clock.h"
#include "priv.h"

enum {
	TEST_MS      = 3000,
	TEST_OPEN_MS = 10000,    /* a device may take its time               */
	TEST_LOOK_MS = 100,
};


/* The list may come after the command is gone: both hold this */
struct list_job {
	struct cmd *x;
	bool any;
};

struct list_hold {
	struct list_job *job;
};


static void hold_destructor(void *arg)
{
	struct list_hold *hold = arg;

	if (hold->job)
		hold->job->x = NULL;
	mem_deref(hold->job);
}


static const char *used_for(const struct media_listed *ml, char *buf,
			    size_t sz)
{
	snprintf(buf, sz, "%s%s%s%s", ml->mic ? ",mic" : "",
		 ml->speaker ? ",speaker" : "", ml->ring ? ",ring" : "",
		 ml->monitor ? ",monitor" : "");

	/* less the comma in front */
	if (*buf)
		memmove(buf, buf + 1, strlen(buf));

	return buf;
}


static void device_handler(const struct media_listed *ml, void *arg)
{
	const struct audio_listed *al = &ml->dev;
	const bool in = al->in_channels, out = al->out_channels;
	struct list_job *job = arg;
	struct reply *r;
	char text[32];

	if (!job->x)
		return;

	job->any = true;
	r = job->x->reply;
	reply_row(r, "device");
	reply_str(r, "driver", ml->driver);
	reply_str(r, "name", al->name);
	reply_str(r, "kind", in && out ? "both" : in ? "mic" : "speaker");
	reply_int(r, "rate-hz", al->rate_hz);
	reply_int(r, "channels", al->in_channels > al->out_channels ?
		  al->in_channels : al->out_channels);
	reply_int(r, "latency-ms", al->in_latency_ms > al->out_latency_ms ?
		  al->in_latency_ms : al->out_latency_ms);
	reply_bool(r, "default", al->default_in || al->default_out);
	reply_str(r, "used-for", used_for(ml, text, sizeof(text)));
	reply_bool(r, "in-use", ml->open);
}


static void list_done(int err, void *arg)
{
	struct list_job *job = arg;
	struct cmd *x = job->x;

	if (x) {
		if (err)
			cmd_fail(x, err, NULL);
		else if (!job->any)
			reply_text(x->reply, "no sound device; calls go on "
				   "without sound, or with --audio "
				   "file:IN.wav,OUT.wav");
		cmd_done(x);
	}

	mem_deref(job);
}


/* Which device is what now */
static void device_now(struct cmd *x)
{
	const struct media *m = x->ph->media;

	reply_str(x->reply, "mic", media_device(m, MEDIA_ROLE_MIC));
	reply_str(x->reply, "speaker", media_device(m, MEDIA_ROLE_SPEAKER));
	reply_str(x->reply, "ring", media_device(m, MEDIA_ROLE_RING));
	reply_str(x->reply, "monitor", media_device(m, MEDIA_ROLE_MONITOR));
}


/* What is chosen must be there: the list is asked first */
struct choice {
	struct cmd *x;           /* NULL: the line is gone                   */
	enum media_role role;
	bool found;
};

struct choice_hold {
	struct choice *ch;
};


static void choice_destructor(void *arg)
{
	struct choice_hold *hold = arg;

	if (hold->ch)
		hold->ch->x = NULL;
	mem_deref(hold->ch);
}


static void choice_handler(const struct media_listed *ml, void *arg)
{
	struct choice *ch = arg;
	const bool fits = ch->role == MEDIA_ROLE_MIC ? ml->dev.in_channels :
		ml->dev.out_channels;

	if (ch->x && fits && strcasestr(ml->dev.name, cmd_str(ch->x, "name")))
		ch->found = true;
}


static void choice_set(struct cmd *x, enum media_role role, const char *name)
{
	char err[UA_ERR] = "";
	const int e = media_set_device(x->ph->media, role, name, err,
				       sizeof(err));

	if (e)
		cmd_fail(x, e, err);
}


static void choice_done(int err, void *arg)
{
	struct choice *ch = arg;
	struct cmd *x = ch->x;

	if (x) {
		if (err)
			cmd_fail(x, err, NULL);
		else if (!ch->found)
			reply_error(x->reply, "no-such-device", "no %s is "
				    "called '%s'; see 'devices'",
				    cmd_str(x, "use"), cmd_str(x, "name"));
		else
			choice_set(x, ch->role, cmd_str(x, "name"));
		cmd_done(x);
	}

	mem_deref(ch);
}


void cmd_device(struct cmd *x)
{
	const char *use = cmd_str(x, "use"), *name = cmd_str(x, "name");
	const enum media_role role = !use ? MEDIA_ROLE_MIC :
		!strcmp(use, "mic") ? MEDIA_ROLE_MIC :
		!strcmp(use, "speaker") ? MEDIA_ROLE_SPEAKER :
		!strcmp(use, "ring") ? MEDIA_ROLE_RING : MEDIA_ROLE_MONITOR;
	struct choice_hold *hold;
	struct choice *ch;
	int err;

	if (!use || !name) {
		device_now(x);
		return;
	}
	if (!strcmp(name, "default")) {
		choice_set(x, role, "");
		return;
	}

	hold = mem_zalloc(sizeof(*hold), choice_destructor);
	ch = mem_zalloc(sizeof(*ch), NULL);
	if (!hold || !ch) {
		mem_deref(hold);
		mem_deref(ch);
		cmd_fail(x, ENOMEM, NULL);
		return;
	}

	ch->x = x;
	ch->role = role;
	hold->ch = mem_ref(ch);
	x->state = hold;
	cmd_wait(x, 30000, NULL);

	err = media_list_devices(x->ph->media, choice_handler, choice_done,
				 ch);
	if (err) {
		mem_deref(ch);
		cmd_fail(x, err, NULL);
		cmd_done(x);
	}
}


/* The test --------------------------------------------------------------- */

struct test_hold {
	struct cmd *x;
	uint64_t until_ms;       /* of the microphone's time                 */
	uint64_t late_ms;        /* of ours: the device does not come        */
	bool mute;
	bool begun;              /* it is ours                               */
	struct timer tmr;
};


static void test_destructor(void *arg)
{
	struct test_hold *h = arg;

	timer_cancel(&h->tmr);
	if (h->begun)
		media_probe_end(h->x->ph->media, NULL);
}


static void test_event(struct cmd *x, const struct media_probe_look *l)
{
	struct event ev;

	event_init(&ev, EVENT_DEVICE_LEVEL);
	ev.u.device_level.mic_dbfs = l->mic_dbfs;
	ev.u.device_level.mic_peak_dbfs = l->mic_peak_dbfs;
	ev.u.device_level.speaker_dbfs = l->speaker_dbfs;
	ev.u.device_level.clipped = l->clipped;
	event_publish(x->ph->bus, &ev);
}


/* What a person is to make of it */
static void test_verdict(struct reply *r, const struct media_probe_look *l,
			 const struct media_probe_result *res, bool mute)
{
	if (!l->dev.has_in)
		reply_text(r, "there is no microphone: nothing was measured");
	else if (!res->alive)
		reply_text(r, "the microphone gives nothing but zeros: it is "
			   "switched off, or another program's mixer has it "
			   "muted");
	else if (res->clipped)
		reply_text(r, "the microphone is too loud: %u samples are at "
			   "the limit", (unsigned)res->clipped);
	else if (mute)
		reply_text(r, "the microphone works");
	else if (!l->dev.has_out)
		reply_text(r, "there is no loudspeaker: nothing was played");
	else if (!isfinite(res->loop_db) && !isfinite(res->loop_ms))
		reply_text(r, "the microphone works, and does not hear the "
			   "loudspeaker: so it should be with a headset; if "
			   "you heard no tone, see `device speaker`");
	else
		reply_text(r, "the microphone hears the loudspeaker");
}


static void test_done(struct cmd *x, const struct media_probe_look *l)
{
	struct test_hold *h = x->state;
	struct media_probe_result res;
	struct reply *r = x->reply;

	media_probe_end(x->ph->media, &res);
	h->begun = false;
	reply_str(r, "mic", l->dev.has_in ? l->dev.in_name : "");
	reply_str(r, "speaker", l->dev.has_out ? l->dev.out_name : "");
	reply_int(r, "rate-hz", l->dev.rate_hz);
	reply_int(r, "latency-ms", l->dev.in_latency_ms +
		  l->dev.out_latency_ms);
	reply_double(r, "noise-dbfs", res.noise_dbfs);
	reply_double(r, "tone-dbfs", res.tone_dbfs);
	reply_double(r, "loop-db", res.loop_db);
	reply_double(r, "loop-ms", res.loop_ms);
	reply_int(r, "clipped", res.clipped);
	reply_bool(r, "mic-alive", res.alive);
	test_verdict(r, l, &res, h->mute);
	cmd_done(x);
}


static void test_timer(void *arg)
{
	struct test_hold *h = arg;
	struct media_probe_look l;
	struct cmd *x = h->x;

	if (media_probe_look(x->ph->media, &l))
		return;

	if (l.err == ENODEV || (!l.ms && clock_ms() > h->late_ms)) {
		reply_error(x->reply, "no-device", "there is no sound device "
			    "to try; see 'devices'");
		cmd_done(x);
		return;
	}

	if (l.ms >= h->until_ms) {
		test_done(x, &l);
		return;
	}

	if (l.ms && event_wanted(x->ph->bus, EVENT_DEVICE_LEVEL))
		test_event(x, &l);
	timer_start(&h->tmr, TEST_LOOK_MS, test_timer, h);
}


static void devices_test(struct cmd *x)
{
	const struct media_probe_conf conf = {
		.hz = cmd_double(x, "tone", 1000.0),
		.dbfs = cmd_double(x, "level", -20.0),
		.mute = cmd_has(x, "mute"),
	};
	struct test_hold *h = mem_zalloc(sizeof(*h), test_destructor);
	int err = h ? media_probe(x->ph->media, &conf) : ENOMEM;

	if (err) {
		mem_deref(h);
		if (err == EALREADY)
			reply_error(x->reply, "busy", "the devices are being "
				    "tried already");
		else
			cmd_fail(x, err, NULL);
		return;
	}

	h->begun = true;
	h->x = x;
	h->mute = conf.mute;
	h->until_ms = cmd_ms(x, "for", TEST_MS);
	h->late_ms = clock_ms() + TEST_OPEN_MS;
	x->state = h;
	cmd_wait(x, h->until_ms + 2 * TEST_OPEN_MS, NULL);
	timer_start(&h->tmr, TEST_LOOK_MS, test_timer, h);
}


static void devices_list(struct cmd *x)
{
	struct list_hold *hold = mem_zalloc(sizeof(*hold),
					    hold_destructor);
	struct list_job *job = mem_zalloc(sizeof(*job), NULL);
	int err;

	if (!hold || !job) {
		mem_deref(hold);
		mem_deref(job);
		cmd_fail(x, ENOMEM, NULL);
		return;
	}

	reply_list(x->reply, "device");

	job->x = x;
	hold->job = mem_ref(job);
	x->state = hold;

	cmd_wait(x, 30000, NULL);

	err = media_list_devices(x->ph->media, device_handler, list_done,
				 job);
	if (err) {
		mem_deref(job);
		cmd_fail(x, err, NULL);
		cmd_done(x);
	}
}


void cmd_devices(struct cmd *x)
{
	if (cmd_has(x, "what"))
		devices_test(x);
	else
		devices_list(x);
}
