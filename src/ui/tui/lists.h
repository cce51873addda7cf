/**
 * @file lists.h  What panes that list kept things share
 *
 * Main thread.
 */
#ifndef OFFHOOK_TUI_LISTS_H
#define OFFHOOK_TUI_LISTS_H

#include "tui.h"

enum { FIND_MAX = 80 };

/** Which entries of a store are shown, and in which order they stand there.
 *  Zero before first use; found_free() */
struct found {
	int *v;                  /* their indices                            */
	size_t n, cap;
	char find[FIND_MAX];     /* what they must fit, "" all               */
	bool valid;
	uint64_t version;        /* of the store when it was looked through  */
};

/** Does entry i fit? find is never "" */
typedef bool (found_h)(size_t i, const char *find, void *arg);
/** Look through count entries again if they or find have changed; without
 *  memory what was found stays */
void found_update(struct found *f, uint64_t version, size_t count,
		  found_h *h, void *arg);
void found_set(struct found *f, const char *find);
void found_free(struct found *f);

/** The first row of such a pane: title, how many, what is looked for */
void found_head(const struct area *a, const char *title, const char *what,
	       size_t shown, const char *find);

#endif
