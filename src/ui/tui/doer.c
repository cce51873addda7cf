/**
 * @file doer.c  What `view` and `screen` do
 *
 * Keys that move about on the screen are command lines like all others; here
 * they arrive.  Main thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "tui.h"


static void next_pane(struct tui *t, int step)
{
	const struct pane *p;
	int n = 0, at = 0;

	for (size_t i = 0; (p = pane_at(i)) && p != &pane_reply; i++) {
		if (p == t->pane)
			at = (int)i;
		++n;
	}

	tui_show(t, pane_at((size_t)((at + step + n) % n)));
}


static void back(struct tui *t)
{
	const struct pane *to = t->before;

	if (t->pane == pane_at(0)) {
		t->said[0] = '\0';
		tui_dirty(t);
		return;
	}

	/* from a page that was looked up, to where one was; else home */
	if (t->pane != &pane_reply && t->pane != &pane_help)
		to = pane_at(0);
	tui_show(t, to == t->pane ? pane_at(0) : to);
}


static int act_of(const char *what)
{
	static const char *const names[ACTS] = {
		[ACT_UP] = "up", [ACT_DOWN] = "down",
		[ACT_PAGE_UP] = "page-up", [ACT_PAGE_DOWN] = "page-down",
		[ACT_TOP] = "top", [ACT_BOTTOM] = "bottom",
		[ACT_LEFT] = "left", [ACT_RIGHT] = "right",
		[ACT_CHOOSE] = "choose", [ACT_BACK] = "back",
		[ACT_FIND] = "find", [ACT_USER] = "own",
	};

	for (int i = 0; i < ACTS; i++) {
		if (!strcmp(names[i], what))
			return i;
	}

	return ACTS;
}


static int view(struct tui *t, const char *name, char *err)
{
	const struct pane *p = pane_find(name);

	if (!p) {
		char list[300] = "";

		for (size_t i = 0; (p = pane_at(i)); i++) {
			const size_t n = strlen(list);

			snprintf(list + n, sizeof(list) - n, "%s%s",
				 n ? ", " : "", p->name);
		}
		snprintf(err, UA_ERR, "there is no page '%.40s'; there are "
			 "%s", name, list);
		return ENOENT;
	}

	tui_show(t, p);

	return 0;
}


/* What a key is about is known once a page was painted: one that was typed
 * ahead of that is about what will be there */
static void look_ahead(struct tui *t)
{
	if (t->fresh && t->canvas.w > 0 &&
	    !canvas_resize(&t->canvas, t->canvas.w, t->canvas.h))
		layout_draw(t);
}


int doer(enum screen_verb verb, const char *what, const char *text, char *err,
	 void *arg)
{
	struct tui *t = arg;
	const int act = verb == SCREEN_ACT ? act_of(what) : ACTS;

	if (verb == SCREEN_VIEW)
		return view(t, what, err);

	if (act < ACTS) {

		bool did;

		look_ahead(t);
		did = t->pane->act && t->pane->act(t, tui_state(t, t->pane),
						   (enum act)act, text);
		if (!did && act == ACT_BACK)
			back(t);
		tui_dirty(t);
		return 0;
	}

	if (!strcmp(what, "next"))
		next_pane(t, 1);
	else if (!strcmp(what, "previous"))
		next_pane(t, -1);
	else if (!strcmp(what, "line"))
		tui_line(t, text);
	else if (!strcmp(what, "search"))
		press_search(t);
	else if (!strcmp(what, "hush"))
		popup_hush(t);
	else if (!strcmp(what, "redraw"))
		paint_forget(&t->paint);
	else if (!strcmp(what, "suspend"))
		tui_leave(t, TUI_SUSPEND);

	tui_dirty(t);

	return 0;
}
