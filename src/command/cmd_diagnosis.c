/**
 * @file cmd_diagnosis.c  Commands that say why: rows
 *
 * The functions are in files of their own.  Const data.
 */
#include "priv.h"


static const struct command rows[] = {
	{
		.name = "ladder",
		.args = {
			{ .name = "what", .type = ARG_WORD, .optional = true,
			  .summary = "a call's number, or all; without it "
				     "the selected call" },
		},
		.options = {
			{ .name = "to", .type = ARG_FILE,
			  .summary = "write it there" },
		},
		.summary = "Draw who said what to whom in SIP, and when",
		.help = "One line a message, with an arrow from us or to us, "
			"the seconds since the first, session descriptions "
			"in short, retransmissions dotted, and what became "
			"of the sound and of keys. Of calls that have ended "
			"too, as long as the messages are kept (options "
			"capture-messages, capture-bytes). `all` has "
			"registrations and the rest as well. With --json "
			"one record a message.",
		.run = cmd_ladder,
	},
};

const struct command_group group_diagnosis = {
	"diagnosis", rows, ARRAY_SIZE(rows)
};
