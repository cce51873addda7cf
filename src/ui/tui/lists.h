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
	uint64_t *v;             /* their indices, or what else names them   */
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
/** The same by hand, for a store that is no array: begin, add each. begin
 *  @return false: it is up to date; add @return false: no memory */
bool found_begin(struct found *f, uint64_t version);
bool found_add(struct found *f, uint64_t i);
void found_set(struct found *f, const char *find);
void found_free(struct found *f);

/**
 * What all of them do alike: look for a text, show all again (Esc), move.
 * @return false: something else was asked for
 */
bool found_act(struct found *f, struct rows *r, enum act act,
	       const char *text);
/** The entry that is selected. @return its index in the store, -1: none */
int64_t found_at(const struct found *f, const struct rows *r);

/** A click at line y of the list selects that row; on the selected one it is
 *  the key Enter. @return false: there is no row */
bool rows_click(struct tui *t, const struct pane *p, void *state,
		struct rows *r, int y);

/** The first row of such a pane: title, how many, what is looked for */
void found_head(const struct area *a, const char *title, const char *what,
	       size_t shown, const char *find);

#endif
