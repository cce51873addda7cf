/**
 * @file cmd_log.c  `log`: how much which module says, and where
 *
 * Main thread.
 */
#include <stdio.h>
#include "offhook/log.h"
#include "priv.h"

enum { KILO = 1024 };


void phone_log_conf(const struct config *config)
{
	/* they were checked when they were set */
	(void)log_levels_set(config->log_levels, true, NULL, 0);
	log_set_format((enum log_format)config->log_format);
	log_set_limit((uint64_t)config->log_size * KILO,
		      (unsigned)config->log_keep);
}


static void log_show(struct cmd *x)
{
	const struct log_module *m;
	char text[1024];

	log_levels_print(text, sizeof(text));
	reply_str(x->reply, "levels", text);
	log_where(text, sizeof(text));
	reply_str(x->reply, "where", text);
	reply_int(x->reply, "missing", (int64_t)log_missing());
	reply_list(x->reply, "module");

	for (size_t i = 0; (m = log_module_at(i)); i++) {
		reply_row(x->reply, "module");
		reply_str(x->reply, "name", m->name);
		reply_str(x->reply, "level",
			  log_level_name(log_level_of(m->name)));
		reply_str(x->reply, "about", m->summary);
	}
}


void cmd_log(struct cmd *x)
{
	const char *what = cmd_str(x, "what");
	char err[UA_ERR] = "";

	if (!what)
		log_show(x);
	else if (!strcmp(what, "reopen"))
		cmd_fail(x, log_reopen(), NULL);
	else if (!strcmp(what, "default"))
		phone_log_conf(x->ph->config);
	else if (log_levels_set(what, false, err, sizeof(err)))
		(void)cmd_wrong(x, "bad-argument", "%s", err);
}
