/**
 * @file cmd_flow.c  `if` and `repeat`: all that a script has of a program
 *
 * Each puts lines before those that wait; what needs more than one line is in
 * a file of its own (`source`).  Main thread.
 */
#include <stdio.h>
#include "priv.h"


/* In front of all other lines, as if it stood where this line stands */
static void line_insert(struct cmd *x, const char *line)
{
	char err[UA_ERR] = "";
	const int e = client_insert_at(x->cl, line, strlen(line), x->where,
				       err);

	cmd_fail(x, e, err);
}


void cmd_if(struct cmd *x)
{
	char expr[TEXT_MAX / 16];
	bool ok;

	snprintf(expr, sizeof(expr), "%s %s %s", cmd_str(x, "figure"),
		 cmd_str(x, "op"), cmd_str(x, "value"));

	reply_silent(x->reply);

	/* what is not known is not so */
	if (assert_holds(x, expr, &ok))
		return;

	reply_bool(x->reply, "so", ok);
	if (ok)
		line_insert(x, cmd_str(x, "line"));
}


void cmd_repeat(struct cmd *x)
{
	const int64_t times = cmd_int(x, "times", 0);
	const char *line = cmd_str(x, "line");
	struct text_buf b = { .max = 2 * CLIENT_LINE_MAX + 64 };

	reply_silent(x->reply);
	if (!times)
		return;

	/* one time now, the others behind it */
	text_add(&b, "%s\n", line);
	if (times > 1)
		text_add(&b, "repeat %lld %s\n", (long long)times - 1, line);
	if (b.err)
		cmd_fail(x, b.err, NULL);
	else
		line_insert(x, b.s);
	text_buf_reset(&b);
}
