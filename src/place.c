/**
 * @file place.c  Where this phone keeps what it keeps, and who that is
 *
 * A phone is known by its configuration directory: "default", or the
 * directory's own name with a number made of all of its path.  History,
 * messages and the control socket follow that name, so phones that were
 * started with different directories do not meet.  Main thread.
 */
#include <limits.h>
#include <stdio.h>
#include "offhook/path.h"
#include "offhook/text.h"
#include "main.h"


/* The directory nobody has to name */
static bool is_default(const struct app *a, const char *dir)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char usual[PATH_MAX];

	if (!a->args.config_dir && (!xdg || !*xdg))
		return true;
	if (!home || !*home || snprintf(usual, sizeof(usual),
					"%s/.config/offhook", home) >=
	    (int)sizeof(usual))
		return false;

	return !strcmp(dir, usual);
}


void place_name(const struct app *a, char buf[PLACE_NAME])
{
	char real[PATH_MAX];
	const char *dir = a->ph.config_dir, *base;
	uint32_t hash = 2166136261u;
	size_t n = 0;

	if (!*dir || is_default(a, dir)) {
		snprintf(buf, PLACE_NAME, "default");
		return;
	}

	if (realpath(dir, real))
		dir = real;
	if (is_default(a, dir)) {
		snprintf(buf, PLACE_NAME, "default");
		return;
	}

	for (const char *p = dir; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;

	base = strrchr(dir, '/');
	base = base ? base + 1 : dir;
	for (; *base && n < 24; base++) {
		if ((*base >= 'a' && *base <= 'z') ||
		    (*base >= 'A' && *base <= 'Z') ||
		    (*base >= '0' && *base <= '9') || strchr("-_.", *base))
			buf[n++] = *base;
	}

	snprintf(buf + n, PLACE_NAME - n, "-%08x", hash);
}


int place_state_dir(const struct app *a, char *buf, size_t sz)
{
	char name[PLACE_NAME];

	place_name(a, name);

	return path_base(buf, sz, PATH_STATE,
			 strcmp(name, "default") ? name : NULL);
}


int place_kept(struct app *a)
{
	char buf[1024];
	const char *dir = buf;
	int err;

	if (place_state_dir(a, buf, sizeof(buf)))
		dir = NULL;

	err = contacts_alloc(&a->ph.contacts, a->ph.config_dir);
	if (!err)
		err = history_alloc(&a->ph.history, a->ph.ua, a->ph.bus,
				    a->ph.config, dir);
	if (!err)
		err = messages_alloc(&a->ph.messages, a->ph.bus,
				     a->ph.config, dir);
	if (!err)
		err = numbers_alloc(&a->ph.numbers, a->ph.contacts,
				    a->ph.config, a->ph.config_dir);
	if (!err && a->ph.ua)
		err = hooks_alloc(&a->ph.hooks, a->ph.ua, a->ph.bus,
				  a->ph.config, a->ph.answer,
				  a->ph.config_dir);
	if (err || !a->ph.ua)
		return err ? 1 : 0;

	/* a command that ends with its answer sends nothing again */
	if (!a->args.command || command_lasting(a->args.command))
		err = outbox_alloc(&a->ph.outbox, a->ph.ua, a->ph.bus, dir);
	if (err)
		return 1;
	messages_set_ua(a->ph.messages, a->ph.ua);
	ringer_set_contacts(a->ph.ringer, a->ph.contacts);
	hooks_set_ringer(a->ph.hooks, a->ph.ringer);

	ua_set_lookup(a->ph.ua, numbers_lookup, a->ph.numbers);
	ua_set_known(a->ph.ua, contacts_known, a->ph.contacts);

	/* a command that soon ends watches nobody */
	err = lamps_alloc(&a->ph.lamps, a->ph.ua, a->ph.bus, a->ph.contacts,
			  !a->args.command);

	return err ? 1 : 0;
}
