/**
 * @file cmd_control.c  Commands of programs: which events a client hears, how
 * replies are written, and what only the program itself can do
 *
 * Main thread.
 */
#include <stdio.h>
#include "client.h"


/* Which events ------------------------------------------------------------- */

/* "call", "call.*", "call.state". @return bits, 0: there is no such */
static event_set types_of(const char *word, size_t len)
{
	event_set types = 0;

	if (len == 1 && *word == '*')
		return EVENT_ALL;
	if (len > 2 && !memcmp(word + len - 2, ".*", 2))
		len -= 2;

	for (unsigned i = 0; i < EVENT_TYPES; i++) {
		const char *name = event_row((enum event_type)i)->name;

		if (!strncmp(name, word, len) &&
		    (!name[len] || name[len] == '.'))
			types |= EVENT_BIT(i);
	}

	return types;
}


static const char *event_name_h(size_t i, const void *arg)
{
	(void)arg;

	return i < EVENT_TYPES ? event_row((enum event_type)i)->name : NULL;
}


/* Words with blanks or commas between them; one behind a '-' is left out */
static int filter_parse(struct cmd *x, event_set *types, const char *filter)
{
	const char *p = filter + strspn(filter, " ,");
	const bool minus = *p == '-';

	*types = minus ? EVENT_ALL : 0;

	while (*p) {

		const bool out = *p == '-';
		const char *word = p + (out ? 1 : 0);
		const size_t len = strcspn(word, " ,");
		const event_set bits = types_of(word, len);
		char show[64], name[64], hint[128];

		if (!bits || !len) {
			snprintf(name, sizeof(name), "%.*s", (int)len, word);
			return cmd_wrong(x, "bad-argument", "there is no "
					 "event '%s'; %s",
					 text_escape(show, sizeof(show), name,
						     strlen(name)),
					 hint_text(hint, sizeof(hint), name,
						   event_name_h, NULL, "see 'help "
						   "wait'"));
		}

		*types = out ? *types & ~bits : *types | bits;
		p = word + len + strspn(word + len, " ,");
	}

	return 0;
}


static void cmd_events(struct cmd *x)
{
	const char *filter = cmd_str(x, "filter");
	event_set types = 0;
	int64_t since = cmd_int(x, "since", 0);
	uint64_t first = 0;
	int e;

	if (!strcmp(cmd_str(x, "what"), "off")) {
		client_events(x->cl, 0);
		return;
	}

	types = EVENT_ALL;
	if (filter && filter_parse(x, &types, filter))
		return;

	if (!x->cl->h.event_h || (since && !x->cl->h.replay_h)) {
		cmd_fail(x, ENOTSUP, "this client is told of no events");
		return;
	}

	x->cl->events_call = (unsigned)cmd_int(x, "call", 0);
	client_events(x->cl, types);

	if (!cmd_has(x, "since"))
		return;

	e = x->cl->h.replay_h((uint64_t)since, types, x->cl->events_call,
			      &first, x->cl->arg);
	reply_int(x->reply, "first", (int64_t)first);
	reply_bool(x->reply, "complete", e != ENODATA);
	reply_silent(x->reply);
}


static void cmd_output(struct cmd *x)
{
	const char *form = cmd_str(x, "form");

	if (!x->cl->h.form_h) {
		cmd_fail(x, ENOTSUP, "only clients of the control socket "
			 "choose that");
		return;
	}

	x->cl->h.form_h(!strcmp(form, "print") ? CLIENT_PRINT :
			!strcmp(form, "exit") ? CLIENT_EXIT : CLIENT_JSON,
			x->cl->arg);
}


/* Who gets here has shown the token, or needs none */
static void cmd_auth(struct cmd *x)
{
	(void)x;
}


static void cmd_program(struct cmd *x)
{
	reply_error(x->reply, "not-supported", "that is for the shell: "
		    "offhook %s", x->command->name);
}


static void cmd_detach(struct cmd *x)
{
	char err[UA_ERR] = "";
	int e;

	if (!x->ph->detach_h) {
		reply_error(x->reply, "no-screen", "this phone has no "
			    "terminal to leave");
		return;
	}

	e = x->ph->detach_h(err, x->ph->detach_arg);
	cmd_fail(x, e, err);
}


/* Rows --------------------------------------------------------------------- */

static const struct command control_commands[] = {
	{
		.name = "events",
		.args = ARGS(
			{ .name = "what", .type = ARG_CHOICE,
			  .choices = "on,off", .summary = "on or off" },
			{ .name = "filter", .type = ARG_REST,
			  .optional = true,
			  .summary = "names of events, or what they begin "
				     "with: call, call.*, call.state; one "
				     "behind a '-' is left out" }
		),
		.options = ARGS(
			{ .name = "since", .type = ARG_INT, .min = 0,
			  .max = INT64_MAX,
			  .summary = "first those from this number (seq) on" },
			{ .name = "call", .type = ARG_CALL,
			  .summary = "only of this call, and those of none" }
		),
		.summary = "Choose which events this client is told of",
		.help = "`events on` all, `events on call -call.level` those "
			"of calls without levels. A client of the control "
			"socket hears none before. With --since 1 it is told "
			"again of what the phone still has of its last 4096 "
			"events, statistics and log lines left out; complete "
			"says whether that is all. A client that reads too "
			"slowly misses statistics and log lines, never a "
			"state; one that does not read at all is let go.",
		.run = cmd_events,
	},
	{
		.name = "output",
		.args = ARGS(
			{ .name = "form", .type = ARG_CHOICE,
			  .choices = "json,exit,print",
			  .summary = "json, with the exit code, or with the "
				     "words for people too" }
		),
		.summary = "Choose how replies and events are written",
		.help = "On the control socket. With exit, each reply has a "
			"field exit, what the COMMAND would exit with, and so "
			"has the event that ends a call or a registration; "
			"with print also a field print, what a person would "
			"read.",
		.run = cmd_output,
	},
	{
		.name = "auth",
		.args = ARGS(
			{ .name = "token", .type = ARG_WORD,
			  .summary = "what is in the file control-token" }
		),
		.summary = "Show the token, on the control socket over TCP",
		.help = "The first line of such a connection, within 10 s; "
			"elsewhere it is not needed. The phone makes the "
			"token, in the file control-token beside its "
			"configuration.",
		.run = cmd_auth,
	},
	{
		.name = "detach",
		.summary = "Leave the terminal; the phone and its calls go on",
		.help = "`offhook attach` brings the screen back, in any "
			"terminal. A terminal that is lost, with a dead ssh, "
			"is left in the same way.",
		.run = cmd_detach,
	},
	{
		.name = "attach",
		.summary = "Bring the screen of the running phone here",
		.help = "From the shell: `offhook attach`. Another terminal "
			"that shows it is left. `offhook` alone does the same "
			"when a phone runs with this configuration.",
		.alone = true,
		.run = cmd_program,
	},
	{
		.name = "ctl",
		.args = ARGS(
			{ .name = "line", .type = ARG_REST, .optional = true,
			  .summary = "a command, run by the phone that runs" }
		),
		.options = ARGS(
			{ .name = "follow",
			  .summary = "print its events until interrupted" },
			{ .name = "filter", .type = ARG_WORD,
			  .summary = "only these events, as `events` has it" },
			{ .name = "since", .type = ARG_INT, .min = 0,
			  .max = INT64_MAX,
			  .summary = "first those from this number on" }
		),
		.summary = "Talk to the phone that is running",
		.help = "`offhook ctl hangup` runs a line there and exits "
			"with its outcome; the line may also be one word, as "
			"in `offhook ctl 'hangup 2'`, or a request in JSON, "
			"which is answered so. Without a line requests are taken "
			"from stdin as they are, and replies come as JSON "
			"lines. A COMMAND goes there by itself when there is "
			"such a phone.",
		.alone = true,
		.run = cmd_program,
	},
};

const struct command_group group_control = {
	"programs", control_commands, ARRAY_SIZE(control_commands),
};
