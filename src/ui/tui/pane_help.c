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


static void put_title(struct put *p, const char *text)
{
	++p->y;
	if (p->y >= p->top)
		area_text(p->a, 1, p->y - p->top, STYLE_TITLE, text);
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


static void put_keys(const struct tui *t, struct put *p, enum key_when when,
		     const char *pane_name, const struct key_row *r)
{
	char key[24];

	for (; r && r->key; r++) {

		if (!r->summary || !*keys_bound(t->keys, when, pane_name, r,
						key, sizeof(key)))
			continue;
		if (p->y >= p->top) {
			area_text(p->a, 3, p->y - p->top, STYLE_KEY, key);
			area_cut(p->a, 15, p->y - p->top, p->a->w - 16,
				 STYLE_NORMAL, r->summary);
		}
		++p->y;
	}
}


static void put_panes(struct put *p)
{
	const struct pane *v;

	for (size_t i = 0; (v = pane_at(i)); i++) {
		if (p->y >= p->top) {
			area_printf(p->a, 3, p->y - p->top, STYLE_KEY,
				    "view %s", v->name);
			area_cut(p->a, 19, p->y - p->top, p->a->w - 20,
				 STYLE_NORMAL, v->summary);
		}
		++p->y;
	}
}


static void help_draw(struct tui *t, void *state, const struct area *a)
{
	static const struct {
		enum key_when when;
		const char *title;
	} parts[] = {
		{ WHEN_CALL, "IN A CALL" },
		{ WHEN_CALLS, "WITH SEVERAL CALLS" },
		{ WHEN_HELD, "WHEN IT IS ON HOLD" },
		{ WHEN_MUTED, "WHEN YOU ARE MUTED" },
		{ WHEN_RECORDING, "WHILE IT IS RECORDED" },
		{ WHEN_INCOMING, "WHEN A CALL COMES IN" },
		{ WHEN_ALWAYS, "EVERYWHERE" },
	};
	struct text_pane *s = state;
	const struct pane *of = t->before;
	struct put p = { .a = a, .top = s->top, .y = -1 };
	char title[80];

	snprintf(title, sizeof(title), "HELP for %s: %s", of->title,
		 of->summary);
	put_title(&p, title);
	put_text(&p, of->help);
	if (of->keys) {
		put_title(&p, "ON THIS PAGE");
		put_keys(t, &p, WHEN_PANE, of->name, of->keys);
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		put_title(&p, parts[i].title);
		if (parts[i].when == WHEN_CALL) {
			if (p.y >= p.top) {
				area_text(a, 3, p.y - p.top, STYLE_KEY,
					  "0-9 * #");
				area_text(a, 15, p.y - p.top, STYLE_NORMAL,
					  "Send keys (DTMF)");
			}
			++p.y;
		}
		put_keys(t, &p, parts[i].when, "", key_rows(parts[i].when));
	}
	put_title(&p, "PAGES");
	put_panes(&p);
	put_title(&p, "COMMANDS");
	put_text(&p, "Every key is a command line; `:` opens one, Tab "
		 "completes it, Up brings back an older one. `help` lists "
		 "all commands, `help dial` tells about one. Your own keys "
		 "go into the file `keys` beside offhook.conf, as in\n"
		 "[call]\nF5 = dtmf 1234#");

	s->lines = p.y + 1;
	s->height = a->h;
	if (s->top > 0 && s->top > s->lines - s->height) {
		s->top = s->lines > s->height ? s->lines - s->height : 0;
		tui_dirty(t);
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

static void reply_draw(struct tui *t, void *state, const struct area *a)
{
	struct text_pane *s = state;
	const char *p = t->reply ? t->reply : "";
	int y = 0;

	for (; *p; y++) {

		const size_t n = strcspn(p, "\n");
		char line[1024];

		if (y >= s->top && y - s->top < a->h) {
			snprintf(line, sizeof(line), "%.*s", (int)n, p);
			area_cut(a, 1, y - s->top, a->w - 2, STYLE_NORMAL,
				 line);
		}
		p += n + (p[n] == '\n');
	}

	s->lines = y;
	s->height = a->h;
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
