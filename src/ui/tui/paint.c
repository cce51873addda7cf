/**
 * @file paint.c  Show a canvas: the difference to what the terminal has
 *
 * A run of cells that differ is written in one piece; a short stretch that
 * does not is written again when that takes fewer bytes than moving the
 * cursor over it.  The last cell of the screen is left alone: writing it
 * scrolls some terminals.  Main thread.
 */
#include <string.h>
#include "paint.h"

enum { SKIP_MIN = 6 };           /* cells not worth a jump                   */


static bool same(const struct cell *a, const struct cell *b)
{
	return !memcmp(a, b, sizeof(*a));
}


/* May the terminal think otherwise of how wide this is? Then it spoils one
 * cell, not the row: the cursor is told where the next one is */
static bool width_sure(const struct cell *c)
{
	const unsigned char *s = (const unsigned char *)c->s;

	return c->len == 1 || (c->len == 2 && s[0] < 0xcc) ||
		(c->len == 3 && s[0] == 0xe2 && s[1] >= 0x94 && s[1] < 0x98);
}


/* Does anything differ in the next few cells? @return where, or -1 */
static int next_change(const struct cell *was, const struct cell *now, int x,
		       int end)
{
	for (; x < end; x++) {
		if (!same(&was[x], &now[x]))
			return x;
	}

	return -1;
}


static void put_row(struct term *t, const struct cell *was,
		    const struct cell *now, int y, int end)
{
	int at = -1;             /* where the cursor is, -1: not known       */
	bool sure;

	for (int x = next_change(was, now, 0, end); x >= 0 && x < end;
	     x = next_change(was, now, x, end)) {

		/* a wide one is written from its left half */
		if (x > 0 && !now[x].width)
			--x;

		if (at >= 0 && x > at && x - at < SKIP_MIN && now[at].width)
			x = at;
		if (x != at)
			term_move(t, x, y);

		do {
			term_style(t, (enum style)now[x].style);
			term_put(t, now[x].s, now[x].len);
			x += now[x].width ? now[x].width : 1;
			sure = width_sure(&now[x - 1]);
		} while (sure && x < end && !same(&was[x], &now[x]) &&
			 now[x].width);
		at = sure ? x : -1;
	}
}


void paint_show(struct paint *p, struct term *t, const struct canvas *cv)
{
	const int w = cv->w, h = cv->h;

	term_cursor(t, false);

	if (p->all || p->shown.w != w || p->shown.h != h) {
		if (canvas_resize(&p->shown, w, h))
			return;
		p->all = false;
		term_clear(t);
	}

	for (int y = 0; y < h; y++) {

		struct cell *was = &p->shown.v[y * w];
		const struct cell *now = &cv->v[y * w];

		if (!memcmp(was, now, (size_t)w * sizeof(*now)))
			continue;

		put_row(t, was, now, y, y == h - 1 ? w - 1 : w);
		memcpy(was, now, (size_t)w * sizeof(*now));
	}

	if (cv->cursor_x >= 0) {
		term_move(t, cv->cursor_x, cv->cursor_y);
		term_cursor(t, true);
	}
	term_flush(t);
}


void paint_forget(struct paint *p)
{
	p->all = true;
}


void paint_free(struct paint *p)
{
	canvas_free(&p->shown);
}
