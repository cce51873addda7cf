/**
 * @file cmd_screen.c  Commands about the full-screen phone itself
 *
 * What its keys are bound to, so that each can be bound anew.  The screen
 * takes them through a handler in struct phone; without one there is none.
 * Main thread.
 */
#include <stdio.h>
#include "priv.h"


static void ask_screen(struct cmd *x, enum screen_verb verb, const char *what)
{
	const char *text = cmd_str(x, "text");
	char err[UA_ERR] = "";
	int e;

	if (!x->ph->screen_h) {
		reply_error(x->reply, "no-screen", "'%s' is for the "
			    "full-screen phone, and this is none",
			    x->command->name);
		return;
	}

	e = x->ph->screen_h(verb, what, text ? text : "", err,
			    x->ph->screen_arg);
	if (e == ENOENT)
		(void)cmd_wrong(x, "bad-argument", "%s", err);
	else if (e)
		cmd_fail(x, e, err);
}


static void cmd_view(struct cmd *x)
{
	ask_screen(x, SCREEN_VIEW, cmd_str(x, "page"));
}


static void cmd_screen(struct cmd *x)
{
	ask_screen(x, SCREEN_ACT, cmd_str(x, "action"));
}


static const struct command rows_screen[] = {
	{
		.name = "view", .alias = "v",
		.args = ARGS(
			{ .name = "page", .type = ARG_WORD,
			  .summary = "its name, as `?` tells them" }
		),
		.summary = "Show a page of the full-screen phone",
		.help = "Such as home, call, log or help.",
		.alone = true,
		.run = cmd_view,
	},
	{
		.name = "screen",
		.args = ARGS(
			{ .name = "action", .type = ARG_CHOICE,
			  .choices = SCREEN_ACTIONS,
			  .summary = "what a key of the screen does" },
			{ .name = "text", .type = ARG_WORD, .optional = true,
			  .summary = "of line: what stands in it; of find: "
				     "what is looked for" }
		),
		.summary = "What the keys of the full-screen phone do",
		.help = "Keys are bound to command lines; those that move "
			"about on the screen are bound to these. `screen "
			"line 'dial '` opens the command line with a text "
			"in it. The user's own keys are in the file `keys` "
			"of the configuration directory: lines KEY = COMMAND "
			"LINE, below [call], [incoming] or another section "
			"for when they count.",
		.alone = true,
		.run = cmd_screen,
	},
};

const struct command_group group_screen = {
	"the screen", rows_screen, ARRAY_SIZE(rows_screen)
};
