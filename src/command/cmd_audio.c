/**
 * @file cmd_audio.c  Commands for the sound of a call, and devices
 *
 * What starts here begins when media flows and ends with an event; none of
 * it ends a call.  Main thread; the list of devices comes from a worker.
 */
#include <stdio.h>
#include "priv.h"


static void cmd_play(struct cmd *x)
{
	const char *file = cmd_str(x, "file");
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (!c || cmd_play_check(x, file))
		return;

	cmd_fail(x, call_play_as(c, file, cmd_has(x, "loop"),
				 cmd_has(x, "queue"), cmd_has(x, "mix"), err),
		 err);
}


static void cmd_stop(struct cmd *x)
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (c)
		cmd_fail(x, call_stop(c, err), err);
}


static void cmd_record(struct cmd *x)
{
	const char *file = cmd_str(x, "file");
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (!c)
		return;

	if (!strcmp(file, "stop"))
		cmd_fail(x, call_record_stop(c, err), err);
	else if (!strcmp(file, "pause") || !strcmp(file, "resume"))
		cmd_fail(x, call_record_pause(c, *file == 'p', err), err);
	else if (!cmd_record_check(x, file, true))
		cmd_fail(x, call_record(c, file, err), err);
}


static void cmd_echo(struct cmd *x)
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (c)
		cmd_fail(x, call_echo(c, !strcmp(cmd_str(x, "state"), "on"),
				      err), err);
}


static void cmd_tone(struct cmd *x)
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (c)
		cmd_fail(x, call_tone(c, cmd_double(x, "hz", 0.0), err), err);
}


static void cmd_silence(struct cmd *x)
{
	if (!ringer_hush(x->ph->ringer))
		reply_text(x->reply, "nothing rings");
}


/* Devices ---------------------------------------------------------------- */

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


static void device_handler(const char *driver, const char *name, bool in,
			   bool out, bool is_default, void *arg)
{
	struct list_job *job = arg;
	struct reply *r;

	if (!job->x)
		return;

	job->any = true;
	r = job->x->reply;
	reply_row(r, "device");
	reply_str(r, "driver", driver);
	reply_str(r, "name", name);
	reply_str(r, "use", in && out ? "both" : in ? "mic" : "speaker");
	reply_bool(r, "default", is_default);
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


static void choice_handler(const char *driver, const char *name, bool in,
			   bool out, bool is_default, void *arg)
{
	struct choice *ch = arg;
	const bool fits = ch->role == MEDIA_ROLE_MIC ? in : out;
	(void)driver;
	(void)is_default;

	if (ch->x && fits && strcasestr(name, cmd_str(ch->x, "name")))
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
		!strcmp(use, "speaker") ? MEDIA_ROLE_SPEAKER : MEDIA_ROLE_RING;
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


void cmd_devices(struct cmd *x)
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


static const struct command rows[] = {
	{
		.name = "play",
		.args = {
			{ .name = "file", .type = ARG_FILE,
			  .summary = "WAV, FLAC, Ogg, AIFF or AU" },
			THE_CALL,
		},
		.options = {
			{ .name = "loop", .type = ARG_NONE,
			  .summary = "again and again, until `stop`" },
			{ .name = "queue", .type = ARG_NONE,
			  .summary = "behind what plays already" },
			{ .name = "mix", .type = ARG_NONE,
			  .summary = "together with what we say" },
		},
		.summary = "Play a sound file into a call",
		.help = "Begins when media flows and takes the place of the "
			"microphone; ends with event play.done. The call goes "
			"on. `stop` ends it, and what waits behind it.",
		.run = cmd_play,
	},
	{
		.name = "stop",
		.args = { THE_CALL },
		.summary = "Stop playing, tone and echo",
		.help = "The microphone, or what --audio says, is sent "
			"again. A recording goes on: `record stop` ends it.",
		.run = cmd_stop,
	},
	{
		.name = "record",
		.args = {
			{ .name = "file", .type = ARG_FILE,
			  .summary = "a file to write (.wav, .flac, .opus), or "
				     "`stop`, `pause`, `resume`" },
			THE_CALL,
		},
		.summary = "Record a call",
		.help = "Writes both sides as option record-layout says, "
			"until `record stop` or the end of the call; ends "
			"with event record.done, which tells a full disk "
			"too. In the name %n is the call's number, %d the "
			"date, %t the time, %p the other side. What is said "
			"between `record pause` and `record resume` is left "
			"out. Options record-notes and record-beep.",
		.run = cmd_record,
	},
	{
		.name = "echo",
		.args = {
			{ .name = "state", .type = ARG_CHOICE,
			  .choices = "on,off", .summary = "on or off" },
			THE_CALL,
		},
		.summary = "Send back what is heard",
		.help = "The other side hears itself, without the sound "
			"device.",
		.run = cmd_echo,
	},
	{
		.name = "tone",
		.args = {
			{ .name = "hz", .type = ARG_DOUBLE, .min = 20,
			  .max = 20000, .summary = "frequency" },
			THE_CALL,
		},
		.summary = "Send a tone",
		.help = "Until `stop` or the end of the call.",
		.run = cmd_tone,
	},
	{
		.name = "silence", .alias = "hush",
		.summary = "Ring no more",
		.help = "Stops the ringing, and the tone that is heard, of "
			"the calls there are; they can be answered all the "
			"same, and the next one rings again. Options tones, "
			"tone-country and tone-files say what is heard.",
		.run = cmd_silence,
	},
	{
		.name = "gain",
		.args = {
			{ .name = "side", .type = ARG_CHOICE,
			  .choices = "mic,speaker",
			  .summary = "what we say, or what we hear" },
			{ .name = "db", .type = ARG_DOUBLE, .min = -60,
			  .max = 30, .optional = true,
			  .summary = "how much louder, in dB; below 0: less" },
			THE_CALL,
		},
		.summary = "Make a call louder or quieter",
		.help = "The microphone as it goes into the call, or the call "
			"as it comes out of the loudspeaker; without a number "
			"it is shown. What would be too loud is cut, and "
			"call.level tells so. Options mic-gain and "
			"speaker-gain are for the calls to come.",
		.run = cmd_gain,
	},
	{
		.name = "device",
		.args = {
			{ .name = "use", .type = ARG_CHOICE,
			  .choices = "mic,speaker,ring", .optional = true,
			  .summary = "what for" },
			{ .name = "name", .type = ARG_DEVICE, .optional = true,
			  .summary = "a part of the device's name, or "
				     "`default`" },
		},
		.summary = "Choose microphone, loudspeaker or ringer",
		.help = "Also during a call, which goes on meanwhile. "
			"Without a name those chosen are shown; `devices` "
			"lists what there is. Options audio-mic, "
			"audio-speaker and audio-ring are for the next start.",
		.run = cmd_device,
	},
	{
		.name = "devices",
		.summary = "List sound devices",
		.help = "What --audio portaudio:NAME can name; a part of the "
			"name is enough.",
		.alone = true,
		.run = cmd_devices,
	},
};

const struct command_group group_sound = {
	"sound in a call", rows, ARRAY_SIZE(rows)
};
