/**
 * @file panes.c  The array of panes, in the order of Tab
 */
#include <string.h>
#include "tui.h"

static const struct pane *const panes[] = {
	&pane_home, &pane_call, &pane_people, &pane_messages, &pane_history,
	&pane_ladder, &pane_devices, &pane_settings, &pane_log, &pane_help,
	/* what a command told, the first steps: not on the way of Tab */
	&pane_reply, &pane_start,
};


const struct pane *pane_at(size_t i)
{
	return i < ARRAY_SIZE(panes) ? panes[i] : NULL;
}


const struct pane *pane_find(const char *name)
{
	const struct pane *p;

	for (size_t i = 0; (p = pane_at(i)); i++) {
		if (!strcmp(p->name, name))
			return p;
	}

	return NULL;
}
