/**
 * @file fuzz_config.c  A configuration file
 *
 * Each line is empty, a section, a pair or wrong; a value that an option
 * takes is printed in a form that gives the same again.
 */
#include <errno.h>
#include "fuzz.h"
#include "priv.h"
#include "offhook/compat.h"


static void pair(struct config *c, const char *name, const char *value)
{
	char err[CONFIG_ERR] = "", got[CONF_VALUE], again[CONF_VALUE];

	if (config_set(c, name, value, err)) {
		must(*err);
		return;
	}
	must(!config_get(c, name, got, sizeof(got)));
	must(!config_set(c, name, got, err));
	must(!config_get(c, name, again, sizeof(again)));
	must(!strcmp(got, again));
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_lines l;
	struct config *c = NULL;
	enum conf_line_type type;
	unsigned last = 0;

	must(!config_alloc(&c));
	conf_lines_init(&l, (const char *)data, size);
	while ((type = conf_lines_next(&l)) != CONF_LINE_END) {
		must(l.line > last);
		last = l.line;
		must(l.comment <= l.raw_len);
		if (type == CONF_LINE_BAD)
			must(*l.value);
		if (type == CONF_LINE_PAIR)
			pair(c, l.name, l.value);
	}
	mem_deref(c);

	return 0;
}
