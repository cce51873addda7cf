/**
 * @file table.c  Every option
 *
 * One row an option; everything that knows options reads it from here.  The
 * rows lie in files by topic, of which nobody else knows: one const table.
 */
#include <stddef.h>
#include <string.h>
#include <offhook/config.h>


#define FIELD(f) .offset = offsetof(struct config, f),			\
		.size = sizeof(((struct config *)0)->f)

static const struct option options[] = {
#include "rows_media.h"
#include "rows_sound.h"
#include "rows_calls.h"
#include "rows_phone.h"
};

_Static_assert(offsetof(struct config, port_max) ==
	       offsetof(struct config, port_min) + sizeof(int64_t),
	       "OPT_PORTS writes two neighbours");


const struct option *option_table(size_t *n)
{
	if (n)
		*n = sizeof(options) / sizeof(options[0]);

	return options;
}


const struct option *option_find(const char *name)
{
	size_t n;
	const struct option *o = option_table(&n);

	for (; name && n > 0; n--, o++) {
		if (!strcmp(o->name, name))
			return o;
	}

	return NULL;
}
