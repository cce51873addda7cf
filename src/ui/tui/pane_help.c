/**
 * @file pane_help.c  `?`: what the keys do, from the tables they are in
 *
 * Help for the page that was shown before, then for what goes everywhere.
 * pane_reply shows what a command told, when that is more than a line.  Main
 * thread.
 */
#include <stdio.h>
#include "offhook/text.h"
#include "tui.h"

enum { TEXT_W = 96 };

struct text_pane {
	int top, lines, height;
};


static void scroll(struct text_pane *p, enum act act)
{
	const int page = p->height > 1 ? p->height - 1 : 1;

	switch (act) {

	case ACT_UP:        --p->top; break;
	case ACT_DOWN:      ++p->top; break;
	case ACT_PAGE_UP:   p->top -= page; break;
	case ACT_PAGE_DOWN: p->top += page; break;
	case ACT_TOP:       p->top = 0; break;
	case ACT_BOTTOM:    p->top = p->lines; break;
	default:            break;
	}

	if (p->top > p->lines - p->height)
		p->top = p->lines - p->height;
	if (p->top < 0)
		p->top = 0;
}


static bool text_act(struct tui *t, void *state, enum act act,
		     const char *text)
{
	(void)t;
	(void)text;

	if (act > ACT_BOTTOM)
		return false;
	scroll(state, act);

	return true;
}


static void marks(const struct text_pane *p, const struct area *a)
{
	const struct rows r = {
		.count = p->lines, .top = p->top, .height = p->height,
	};

	rows_marks(&r, a);
}


/* Help ------------------------------------------------------------------- */

/* Rows of text as they are made, those in sight painted */
struct put {
	const struct area *a;
	int top, y;
};

enum { COLUMN_W = 60, COLUMNS = 4, KEY_X = 13, NAME_X = 19, BLOCKS = 10 };


static void put_title(struct put *p, const char *text)
{
	++p->y;
	if (p->y >= p->top)
		area_cut(p->a, 1, p->y - p->top, p->a->w - 2, STYLE_TITLE,
			 text);
	++p->y;
}


static void put_text(struct put *p, const char *text)
{
	const int at = p->y - p->top;

	/* a longer line is hard to read */
	p->y += area_wrap(p->a, 3, at > 0 ? at : 0, p->a->w - 5 < TEXT_W ?
			  p->a->w - 5 : TEXT_W, STYLE_NORMAL, text,
			  at < 0 ? -at : 0);
}


static void put_pair(struct put *p, int x, const char *name, const char *text)
{
	if (p->y >= p->top) {
		area_text(p->a, 3, p->y - p->top, STYLE_KEY, name);
		area_cut(p->a, x, p->y - p->top, p->a->w - x, STYLE_NORMAL,
			 text);
	}
	++p->y;
}


/* Keys that do the same stand in one row */
static void put_keys(const struct tui *t, struct put *p, enum key_when when,
		     const char *pane_name, const struct key_row *rows)
{
	const struct key_row *r, *k;
	char keys[64], key[24], last[24];

	for (r = rows; r && r->key; r++) {

		for (k = rows; k != r && strcmp(k->line, r->line); k++)
			;
		if (!r->summary || k != r)
			continue;

		keys[0] = last[0] = '\0';
		for (; k->key; k++) {

			const size_t n = strlen(keys);

			if (strcmp(k->line, r->line))
				continue;
			keys_bound(t->keys, when, pane_name, k, key,
				   sizeof(key));
			/* one of the user's own stands for all of them */
			if (!*key || !strcmp(key, last))
				continue;
			snprintf(keys + n, sizeof(keys) - n, "%s%s", n ?
				 " " : "", key);
			snprintf(last, sizeof(last), "%s", key);
		}
		if (keys[0])
			put_pair(p, KEY_X, keys, r->summary);
	}
}


static void put_panes(struct put *p)
{
	const struct pane *v;
	char name[40];

	for (size_t i = 0; (v = pane_at(i)); i++) {
		snprintf(name, sizeof(name), "view %s", v->name);
		put_pair(p, NAME_X, name, v->summary);
	}
}


/* What belongs together. @return false: there is no such block */
static bool put_block(const struct tui *t, struct put *p, size_t i)
{
	static const struct {
		enum key_when when;
		const char *title;
	} parts[] = {
		{ WHEN_PANE, "ON THIS PAGE" },
		{ WHEN_CALL, "IN A CALL" },
		{ WHEN_CALLS, "WITH SEVERAL CALLS" },
		{ WHEN_HELD, "WHEN IT IS ON HOLD" },
		{ WHEN_MUTED, "WHEN YOU ARE MUTED" },
		{ WHEN_RECORDING, "WHILE IT IS RECORDED" },
		{ WHEN_INCOMING, "WHEN A CALL COMES IN" },
		{ WHEN_ALWAYS, "EVERYWHERE" },
	};
	const struct pane *of = t->before;

	if (i < ARRAY_SIZE(parts)) {
		const bool own = parts[i].when == WHEN_PANE;

		if (own && !of->keys)
			return true;
		put_title(p, parts[i].title);
		if (parts[i].when == WHEN_CALL)
			put_pair(p, KEY_X, "0-9 * #", "Send keys (DTMF)");
		put_keys(t, p, parts[i].when, own ? of->name : "", own ?
			 of->keys : key_rows(parts[i].when));
		return true;
	}

	switch (i - ARRAY_SIZE(parts)) {

	case 0:
		put_title(p, "PAGES");
		put_panes(p);
		return true;

	case 1:
		put_title(p, "COMMANDS");
		put_text(p, "Every key is a command line; `:` opens one, Tab "
			 "completes it, Up brings back an older one. `help` "
			 "lists all commands, `help dial` tells about one. "
			 "Your own keys go into the file `keys` beside "
			 "offhook.conf, as in\n[call]\nF5 = dtmf 1234#");
		return true;

	default:
		return false;
	}
}


/* Which block stands in which column, in their order, so that the longest
 * column is as short as can be. @return its rows */
static int spread(const int *heights, size_t n, int columns, int *column)
{
	int most = 0, x, y;

	for (size_t i = 0; i < n; i++)
		most = heights[i] > most ? heights[i] : most;

	for (;; most++) {
		x = y = 0;
		for (size_t i = 0; i < n; i++) {
			if (y + heights[i] > most) {
				++x;
				y = 0;
			}
			column[i] = x;
			y += heights[i];
		}
		if (x < columns)
			return most;
	}
}


static void help_draw(struct tui *t, void *state, const struct area *a)
{
	const int columns = a->w / COLUMN_W < 1 ? 1 :
		a->w / COLUMN_W > COLUMNS ? COLUMNS : a->w / COLUMN_W;
	const int w = a->w / columns;
	const struct area none = area_sub(a, 0, 0, w, 0);
	struct text_pane *s = state;
	const struct pane *of = t->before;
	struct put p = { .a = a, .top = s->top, .y = -1 };
	int heights[BLOCKS], column[BLOCKS], first;
	char title[80];
	size_t n = 0;

	snprintf(title, sizeof(title), "HELP for %s: %s", of->title,
		 of->summary);
	put_title(&p, title);
	put_text(&p, of->help);
	first = p.y;

	while (n < BLOCKS) {
		struct put dry = { .a = &none };

		if (!put_block(t, &dry, n))
			break;
		heights[n++] = dry.y;
	}

	s->lines = first + spread(heights, n, columns, column);
	s->height = a->h;
	if (s->top > 0 && s->top > s->lines - s->height) {
		s->top = s->lines > s->height ? s->lines - s->height : 0;
		tui_dirty(t);
	}

	for (size_t i = 0; i < n; i++) {
		const struct area part = area_sub(a, column[i] * w, 0, w,
						  a->h);

		p.y = i && column[i] == column[i - 1] ? p.y : first;
		p.a = &part;
		(void)put_block(t, &p, i);
	}
	marks(s, a);
}


static void help_shown(struct tui *t, void *state)
{
	struct text_pane *s = state;
	(void)t;

	s->top = 0;
}


const struct pane pane_help = {
	.name = "help", .title = "Help",
	.summary = "what the keys do",
	.min_w = 30, .min_h = 2,
	.state = sizeof(struct text_pane),
	.help = "Esc goes back to where you were.",
	.draw = help_draw,
	.act = text_act,
	.shown = help_shown,
};


/* What a command told ------------------------------------------------------ */

/* What a line of a table has in front, its next rows have too: "  --for T  "
 * and blanks up to where the text begins */
static int indent_of(const char *line)
{
	const char *gap = strstr(line + strspn(line, " "), "  ");

	return (int)(gap ? gap + strspn(gap, " ") - line :
		     (ptrdiff_t)strspn(line, " "));
}


static void reply_draw(struct tui *t, void *state, const struct area *a)
{
	struct text_pane *s = state;
	const char *p = t->reply ? t->reply : "";
	int y = 0;

	while (*p) {

		const size_t n = strcspn(p, "\n");
		const int at = y - s->top;
		char line[1024];
		int in;

		snprintf(line, sizeof(line), "%.*s", (int)n, p);
		in = indent_of(line);
		in = in < a->w / 2 ? in : 2;
		in = area_wrap_in(a, 1, at > 0 ? at : 0, a->w - 2, in,
				  STYLE_NORMAL, line, at < 0 ? -at : 0);
		y += in > 0 ? in : 1;
		p += n + (p[n] == '\n');
	}

	s->lines = y;
	s->height = a->h;
	if (s->top > 0 && s->top > s->lines - s->height) {
		s->top = s->lines > s->height ? s->lines - s->height : 0;
		tui_dirty(t);
	}
	marks(s, a);
}


const struct pane pane_reply = {
	.name = "reply", .title = "Reply",
	.summary = "what the last command told",
	.min_w = 20, .min_h = 1,
	.state = sizeof(struct text_pane),
	.help = "Up and Down scroll, Esc goes back.",
	.draw = reply_draw,
	.act = text_act,
	.shown = help_shown,
};
