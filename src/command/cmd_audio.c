/**
 * @file cmd_audio.c  Commands for the sound of a call
 *
 * What starts here begins when media flows and ends with an event; none of
 * it ends a call.  The rows of the devices are here too.  Main thread.
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


static const struct command rows[] = {
	{
		.name = "play",
		.args = ARGS(
			{ .name = "file", .type = ARG_FILE,
			  .summary = "WAV, FLAC, Ogg, AIFF or AU" },
			THE_CALL
		),
		.options = ARGS(
			{ .name = "loop", .type = ARG_NONE,
			  .summary = "again and again, until `stop`" },
			{ .name = "queue", .type = ARG_NONE,
			  .summary = "behind what plays already" },
			{ .name = "mix", .type = ARG_NONE,
			  .summary = "together with what we say" }
		),
		.summary = "Play a sound file into a call",
		.help = "Begins when media flows and takes the place of the "
			"microphone; ends with event play.done. The call goes "
			"on. `stop` ends it, and what waits behind it.",
		.run = cmd_play,
	},
	{
		.name = "stop",
		.args = ARGS(THE_CALL),
		.summary = "Stop playing, tone and echo",
		.help = "The microphone, or what --audio says, is sent "
			"again. A recording goes on: `record stop` ends it.",
		.run = cmd_stop,
	},
	{
		.name = "record",
		.args = ARGS(
			{ .name = "file", .type = ARG_FILE,
			  .summary = "a file to write (.wav, .flac, .opus), or "
				     "`stop`, `pause`, `resume`" },
			THE_CALL
		),
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
		.args = ARGS(
			{ .name = "state", .type = ARG_CHOICE,
			  .choices = "on,off", .summary = "on or off" },
			THE_CALL
		),
		.summary = "Send back what is heard",
		.help = "The other side hears itself, without the sound "
			"device.",
		.run = cmd_echo,
	},
	{
		.name = "tone",
		.args = ARGS(
			{ .name = "hz", .type = ARG_DOUBLE,
			  .word = "HZ", .min = 20,
			  .max = 20000, .summary = "frequency" },
			THE_CALL
		),
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
		.args = ARGS(
			{ .name = "side", .type = ARG_CHOICE,
			  .choices = "mic,speaker",
			  .summary = "what we say, or what we hear" },
			{ .name = "db", .type = ARG_DOUBLE,
			  .word = "DB", .min = -60,
			  .max = 30, .optional = true,
			  .summary = "how much louder, in dB; below 0: less" },
			THE_CALL
		),
		.summary = "Make a call louder or quieter",
		.help = "The microphone as it goes into the call, or the call "
			"as it comes out of the loudspeaker; without a number "
			"it is shown. What would be too loud is cut, and "
			"call.level tells so. Options mic-gain and "
			"speaker-gain are for the calls to come.",
		.run = cmd_gain,
	},
	{
		.name = "pan",
		.args = ARGS(
			{ .name = "place", .type = ARG_WORD, .word = "PLACE",
			  .optional = true,
			  .summary = "left, right, centre, or -100 (left) to "
				     "100 (right)" },
			THE_CALL
		),
		.summary = "Hear a call from the left or the right",
		.help = "Where the loudspeaker has two channels; with one "
			"nothing changes. What moves stays as loud as it is. "
			"Without a place it is shown. Several calls, and those "
			"of a conference, are told apart easily so; option "
			"conference-spread does it by itself. Event call.place "
			"tells.",
		.run = cmd_pan,
	},
	{
		.name = "device",
		.args = ARGS(
			{ .name = "use", .type = ARG_CHOICE,
			  .choices = "mic,speaker,ring,monitor",
			  .optional = true,
			  .summary = "what for" },
			{ .name = "name", .type = ARG_DEVICE, .optional = true,
			  .summary = "a part of the device's name, or "
				     "`default`" }
		),
		.summary = "Choose microphone, loudspeaker, ringer or monitor",
		.help = "Also during a call, which goes on meanwhile. "
			"Without a name those chosen are shown; `devices` "
			"lists what there is. The monitor is a second "
			"loudspeaker that hears the calls as well (option "
			"monitor-hears); `device monitor default` is none. "
			"Options audio-mic, audio-speaker, audio-ring and "
			"audio-monitor are for the next start.",
		.run = cmd_device,
	},
	{
		.name = "devices",
		.args = ARGS(
			{ .name = "what", .type = ARG_CHOICE,
			  .choices = "test", .optional = true,
			  .summary = "try those that are chosen" }
		),
		.options = ARGS(
			{ .name = "tone", .type = ARG_DOUBLE,
			  .word = "HZ", .min = 100,
			  .max = 8000, .summary = "Hz to play (1000)" },
			{ .name = "level", .type = ARG_DOUBLE,
			  .word = "DBFS", .min = -60,
			  .max = -3, .summary = "how loud, in dBFS (-20)" },
			{ .name = "for", .type = ARG_TIME, .min = 1000,
			  .max = 600000,
			  .summary = "how long (3 s), at least 2.2 s for all "
				     "there is to know" },
			{ .name = "mute", .type = ARG_NONE,
			  .summary = "play nothing, only measure the "
				     "microphone" }
		),
		.summary = "List sound devices, or try them",
		.help = "What --audio portaudio:NAME and `device` can name; a "
			"part of the name is enough. used-for says what each "
			"is chosen for, in-use whether it is open now. "
			"`devices test` plays a sweep and a tone and says how "
			"loud they come back through the microphone and how "
			"late; event device.level tells the levels meanwhile.",
		.alone = true,
		.run = cmd_devices,
	},
};

const struct command_group group_sound = {
	"sound in a call", rows, ARRAY_SIZE(rows)
};
