/**
 * @file cmd_script.c  Commands that make scripts
 *
 * Main thread; a file sourced is read in full, at most 1 MiB.
 */
#include <stdio.h>
#include "offhook/path.h"
#include "priv.h"

enum { SOURCE_MAX = 1 << 20 };


static void sleep_over(struct cmd *x)
{
	(void)x;
}


static void cmd_sleep(struct cmd *x)
{
	cmd_wait(x, cmd_ms(x, "time", 0), sleep_over);
}


static void cmd_print(struct cmd *x)
{
	const char *text = cmd_str(x, "text");

	reply_text(x->reply, "%s", text ? text : "");
}


static void cmd_source(struct cmd *x)
{
	const char *file = cmd_str(x, "file");
	char err[UA_ERR] = "", show[160];
	char *text = NULL;
	size_t len = 0;
	int e;

	if (cmd_file_check(x, file))
		return;

	e = path_read(&text, &len, file, SOURCE_MAX);
	if (e) {
		cmd_fail(x, e, e == EFBIG ? "a script is at most 1 MiB" :
			 NULL);
		return;
	}

	e = client_insert(x->cl, text, len,
			  text_escape(show, sizeof(show), file,
				      strlen(file)), err);
	cmd_fail(x, e, err);
	free(text);
}


static void cmd_quit(struct cmd *x)
{
	if (x->ph->quit_h)
		x->ph->quit_h((int)cmd_int(x, "code", -1), x->ph->arg);
}


/* Options ---------------------------------------------------------------- */

/* "toggle" is the other one of yes and no: one key is enough for both */
static const char *toggled(const struct cmd *x, const char *name,
			   const char *value)
{
	const struct option *o = option_find(name);
	char now[16];

	if (!value || strcmp(value, "toggle") || !o || o->type != OPT_BOOL ||
	    config_get(x->ph->config, name, now, sizeof(now)))
		return value;

	return strcmp(now, "yes") ? "yes" : "no";
}


static void cmd_set(struct cmd *x)
{
	const char *given = cmd_str(x, "option");
	const char *eq = strchr(given, '=');
	const char *given_value = eq ? eq + 1 : cmd_str(x, "value");
	const char *value;
	char name[64], err[CONFIG_ERR] = "";
	struct media_conf mc;
	int e;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="),
		 given);
	value = toggled(x, name, given_value);

	if (!value || (eq && cmd_has(x, "value"))) {
		(void)cmd_wrong(x, value ? "too-many-arguments" :
				"missing-argument",
				"write: set %s VALUE (or %s=VALUE)", name,
				name);
		return;
	}

	e = config_set(x->ph->config, name, value, err);
	if (e) {
		(void)cmd_wrong(x, "bad-argument", "%s", err);
		return;
	}

	if (x->ph->media) {
		phone_media_conf(&mc, x->ph->config);
		media_configure(x->ph->media, &mc);
	}
	if (!strncmp(name, "log-", 4))
		phone_log_conf(x->ph->config);

	if (value != given_value)
		reply_text(x->reply, "%s is %s now", name,
			   *value == 'y' ? "on" : "off");
	if (option_find(name)->restart)
		reply_text(x->reply, "%s takes effect at the next start",
			   name);
}


static void option_reply(struct cmd *x, const struct option *o)
{
	char value[1024];

	if (config_get(x->ph->config, o->name, value, sizeof(value)))
		return;

	reply_row(x->reply, "option");
	reply_str(x->reply, "name", o->name);
	reply_str(x->reply, "value", value);
}


static void cmd_show(struct cmd *x)
{
	const char *name = cmd_str(x, "option");
	const struct option *o;
	size_t n;

	reply_list(x->reply, "option");

	if (name) {
		option_reply(x, option_find(name));
		return;
	}

	o = option_table(&n);
	for (size_t i = 0; i < n; i++)
		option_reply(x, &o[i]);
}


static const struct command rows[] = {
	{
		.name = "wait",
		.args = ARGS(
			{ .name = "event", .type = ARG_WORD,
			  .summary = "`call`, or an event such as "
				     "call.dtmf" },
			{ .name = "match", .type = ARG_WORD, .many = true,
			  .optional = true,
			  .summary = "a call's state, or field=value; last "
				     "the longest time, 30s without it" }
		),
		.options = ARGS(
			{ .name = "timeout", .type = ARG_TIME,
			  .summary = "the longest time, in another form" }
		),
		.summary = "Wait for a call's state or an event",
		.help = "`wait registered 10s` waits for all accounts, or the "
			"one that is named, and ends with the first failure. "
			"`wait call active 20s` is true at once if the call "
			"is or has been in that state, and fails at once, "
			"with the cause, when the call ends without it. "
			"`wait call.dtmf digit=5 10s` waits for the next such "
			"event; that for which the line before waited (hold, "
			"dtmf) counts. States: calling, ringing, early, incoming, "
			"active, ended. Events: @events@.",
		.run = cmd_wait_line,
	},
	{
		.name = "expect",
		.args = ARGS(
			{ .name = "what", .type = ARG_CHOICE,
			  .choices = "dtmf,tone,speech,silence,message",
			  .summary = "what must come" },
			{ .name = "value", .type = ARG_WORD, .optional = true,
			  .summary = "the keys, the frequency in Hz or the "
				     "name of a tone, or what the message "
				     "must say" },
			{ .name = "within", .type = ARG_WORD, .many = true,
			  .optional = true,
			  .summary = "`within T`, 30s without it" }
		),
		.summary = "Wait for keys, a tone, speech, silence, a message",
		.help = "`expect dtmf 12 within 10s` takes the digits "
			"received since the last `expect dtmf`; it fails at "
			"once when another key comes or the call ends. "
			"`expect tone 1000`: 200 ms of that tone and little "
			"else. `expect tone busy`, or dial, ringback, "
			"congestion, sit, fax: what the network plays in "
			"place of a status; before the answer too. "
			"`expect speech`: 300 ms of sound louder than "
			"-45 dBFS; `expect silence`: one second without. "
			"`expect message hello`: a message, from now or since "
			"the last one that was expected, that has these words "
			"in it.",
		.run = cmd_expect,
	},
	{
		.name = "assert",
		.args = ARGS(
			{ .name = "expr", .type = ARG_REST,
			  .summary = "FIGURE OP VALUE, as in mos > 3.8" }
		),
		.summary = "Fail unless a figure of the call is right",
		.help = "Of the selected call, or of the last one after its "
			"end. OP is < <= > >= = != or, for words, ~ (has it "
			"in it). Figures: @figures@. Also registration, the "
			"state of the account in use; and headers of its last "
			"message: request.NAME and response.NAME that came, "
			"sent-request.NAME and sent-response.NAME that went "
			"(no ACK), "
			"as in response.User-Agent ~ Asterisk.",
		.run = cmd_assert,
	},
	{
		.name = "if",
		.args = ARGS(
			{ .name = "figure", .type = ARG_WORD,
			  .summary = "as of assert" },
			{ .name = "op", .type = ARG_WORD,
			  .summary = "< <= > >= = != ~" },
			{ .name = "value", .type = ARG_WORD,
			  .summary = "what it is compared with" },
			{ .name = "line", .type = ARG_REST,
			  .summary = "a command line" }
		),
		.summary = "Run a line if a figure is so",
		.help = "`if code = 486 print busy`. With blanks around OP. A "
			"figure that is not known is never so. For more than "
			"one line: `if state = active source more.offhook`.",
		.line = true,
		.run = cmd_if,
	},
	{
		.name = "repeat",
		.args = ARGS(
			{ .name = "times", .type = ARG_INT, .min = 0,
			  .max = 1000000, .summary = "how often" },
			{ .name = "line", .type = ARG_REST,
			  .summary = "a command line" }
		),
		.summary = "Run a line again and again",
		.help = "`repeat 3 source one-call.offhook`. Variables in the "
			"line are put in once, before the first time; those "
			"in a file that it sources each time. A line that "
			"fails ends the script, unless a `-` is before it.",
		.alone = true,
		.line = true,
		.run = cmd_repeat,
	},
	{
		.name = "run",
		.args = ARGS(
			{ .name = "shell", .type = ARG_REST,
			  .summary = "a command of the shell" }
		),
		.options = ARGS(
			{ .name = "timeout", .type = ARG_TIME, .min = 1,
			  .max = 3600000,
			  .summary = "kill it after so long, 60s without" }
		),
		.summary = "Run a command of the shell",
		.help = "The lines behind it wait for its end; calls go on. "
			"What it prints is printed. It fails when its exit "
			"code is not 0. Quote what the shell shall see, as in "
			"run 'test -s \"$HOME/x.wav\"'. With option sandbox "
			"at strict nothing is run.",
		.alone = true,
		.run = cmd_run_shell,
	},
	{
		.name = "sleep",
		.args = ARGS(
			{ .name = "time", .type = ARG_TIME,
			  .summary = "10, 10s, 500ms, 2m or 1h" }
		),
		.summary = "Do nothing for a time",
		.help = "The lines behind it wait; calls go on.",
		.alone = true,
		.run = cmd_sleep,
	},
	{
		.name = "print",
		.args = ARGS(
			{ .name = "text", .type = ARG_REST, .optional = true,
			  .summary = "words" }
		),
		.summary = "Print a line",
		.help = "Variables are put in: $HOME of the environment, "
			"$call.code of the last event with that field.",
		.alone = true,
		.run = cmd_print,
	},
	{
		.name = "set",
		.args = ARGS(
			{ .name = "option", .type = ARG_OPTION,
			  .summary = "its name, or NAME=VALUE" },
			{ .name = "value", .type = ARG_REST,
			  .optional = true, .summary = "new value" }
		),
		.summary = "Set an option for this run",
		.help = "`show` lists all options with their values; `config "
			"save` writes what was set into offhook.conf. An "
			"option that is yes or no takes `toggle`, too, for "
			"the other of the two.",
		.alone = true,
		.run = cmd_set,
	},
	{
		.name = "show",
		.args = ARGS(
			{ .name = "option", .type = ARG_OPTION,
			  .optional = true,
			  .summary = "one only" }
		),
		.summary = "Show options and their values",
		.help = "All of them, or one.",
		.alone = true,
		.run = cmd_show,
	},
	{
		.name = "source",
		.args = ARGS(
			{ .name = "file", .type = ARG_FILE,
			  .summary = "a script" }
		),
		.summary = "Run the lines of a file",
		.help = "They run before the lines that already wait.",
		.run = cmd_source,
	},
	{
		.name = "quit",
		.args = ARGS(
			{ .name = "code", .type = ARG_INT, .min = 0,
			  .max = 255, .optional = true,
			  .summary = "exit code" }
		),
		.summary = "Hang up and end the program",
		.help = "Without a code: 0, or 1 when a line or a request "
			"failed. It comes in its turn, but does not wait "
			"longer than four seconds for what the other side "
			"of a call has still to agree to: a `hold`, "
			"`resume`, `swap`, `update` or `reinvite` right "
			"before it.",
		.run = cmd_quit,
	},
};

const struct command_group group_scripts = {
	"scripts", rows, ARRAY_SIZE(rows)
};
