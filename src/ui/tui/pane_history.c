/**
 * @file pane_history.c  History: calls that have ended, the last one first
 *
 * Missed ones are marked until somebody has looked at this page.  Enter
 * calls back.  Main thread.
 */
#include <stdio.h>
#include <time.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "lists.h"

enum { WIDE = 110, WIDER = 150, WIDE_X = 76, URI_W = 34 };

struct history_pane {
	struct found found;
	struct rows rows;
};

static const struct key_row history_keys[] = {
	{ "Enter", "screen choose", "call", "Call this one" },
	{ "m", "screen own message", "message", "Write a message" },
	{ "c", "screen own contact", "to contacts", "Keep this one as a "
	  "contact" },
	{ "/", "screen search", "find", "Show only calls with a "
	  "text" },
	{ NULL, NULL, NULL, NULL }
};


static bool fits(size_t i, const char *find, void *arg)
{
	struct history_call c;

	return history_at(&c, arg, i) && history_score(&c, find) >= 0;
}


static enum sign call_sign(const struct history_call *c, enum style *st)
{
	const bool good = !strcmp(c->outcome, "answered");

	*st = good ? STYLE_DIM : !strcmp(c->outcome, "missed") ? STYLE_BAD :
		STYLE_WORK;
	if (!strcmp(c->outcome, "missed"))
		return SIGN_BAD;

	return c->outgoing ? SIGN_OUT : SIGN_IN;
}


static void draw_row(struct tui *t, const struct area *a, int y,
		     const struct history_call *c)
{
	const int mid = a->w > 70 ? 44 : a->w * 6 / 10;
	char buf[300];
	enum style st;
	const enum sign s = call_sign(c, &st);
	int x;

	area_text(a, 1, y, STYLE_DIM, show_when(buf, sizeof(buf), c->time_ms,
						clock_wall_ms()));
	x = area_text(a, 12, y, st, sign(a->cv, s)) + 1;
	area_cut(a, x, y, mid - x - 1, c->unseen ? STYLE_BOLD : STYLE_NORMAL,
		 tui_who(t, buf, sizeof(buf), c->peer, c->name));

	if (c->duration_ms)
		x = area_text(a, mid, y, STYLE_NORMAL, show_duration(
			buf, sizeof(buf), c->duration_ms));
	else
		x = area_cut(a, mid, y, 12, st, c->outcome);

	x = x > mid + 10 ? x : mid + 10;
	if (c->codec[0])
		area_cut(a, x, y, 8, STYLE_DIM, c->codec);
	if (c->mos > 0) {
		const char *word = show_mos(c->mos, &st);

		area_printf(a, x + 9, y, st, "%.1f %s", c->mos, word);
	}

	/* what stands below for the selected one, where there is room */
	x = WIDE_X;
	if (a->w < WIDE)
		return;
	if (a->w >= WIDER) {
		area_cut(a, x, y, URI_W, STYLE_INFO,
			 show_uri(buf, sizeof(buf), c->peer));
		x += URI_W + 2;
	}
	area_cut(a, x, y, a->w - x - 1, STYLE_DIM, c->text);
}


/* All about the selected one, below */
static void draw_detail(struct tui *t, const struct area *a,
			const struct history_call *c)
{
	char buf[300], when[40];
	const time_t at = (time_t)(c->time_ms / 1000);
	struct tm tm;
	int x;

	when[0] = '\0';
	if (localtime_r(&at, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);

	area_rule(a, 0, 0, a->w, STYLE_RULE);
	x = area_text(a, 1, 1, STYLE_INFO, show_uri(buf, sizeof(buf),
						    c->peer)) + 2;
	x = area_text(a, x, 1, STYLE_DIM, when) + 2;
	if (c->account[0])
		x = area_printf(a, x, 1, STYLE_DIM, "by %s", c->account) + 2;
	if (c->pdd_ms != EVENT_NONE && x + 16 < a->w)
		x = area_printf(a, x, 1, STYLE_DIM, "rang after %.1f s",
				(double)c->pdd_ms / 1000.0) + 2;
	if (c->setup_ms != EVENT_NONE && x + 20 < a->w)
		area_printf(a, x, 1, STYLE_DIM, "answered after %.1f s",
			    (double)c->setup_ms / 1000.0);
	area_wrap(a, 1, 2, a->w - 2, STYLE_NORMAL, c->text, 0);
	(void)t;
}


static void history_draw(struct tui *t, void *state, const struct area *a)
{
	struct history_pane *p = state;
	struct history *h = t->ph->history;
	const int below = a->h >= 12 ? 4 : 0;
	const struct area list = area_sub(a, 0, 1, a->w, a->h - 1 - below);
	struct history_call c;

	if (!h) {
		area_text(a, 1, 0, STYLE_DIM, "No calls are kept "
			  "(history-max is 0).");
		return;
	}

	{
		const size_t count = history_count(h);

		found_update(&p->found, (uint64_t)history_version(h) << 32 |
			     count, count, fits, h);
	}
	rows_fit(&p->rows, (int)p->found.n, list.h);
	found_head(a, "HISTORY", p->found.n == 1 ? "call" : "calls",
		  p->found.n, p->found.find);

	if (!p->found.n)
		area_text(&list, 1, 0, STYLE_DIM, p->found.find[0] ?
			  "No call fits. Esc shows all." :
			  "No calls yet.");

	for (int y = 0; y < list.h; y++) {

		const int i = rows_at(&p->rows, y);

		if (i < 0 || !history_at(&c, h, (size_t)p->found.v[i]))
			break;
		draw_row(t, &list, y, &c);
		if (i == p->rows.cur)
			area_paint(&list, 0, y, list.w, STYLE_SELECTED);
	}
	rows_marks(&p->rows, &list);

	if (below && p->rows.cur >= 0 &&
	    history_at(&c, h, (size_t)p->found.v[p->rows.cur])) {
		const struct area low = area_sub(a, 0, a->h - below, a->w,
						 below);

		draw_detail(t, &low, &c);
	}
}


static bool history_act(struct tui *t, void *state, enum act act,
			const char *text)
{
	struct history_pane *p = state;
	struct history_call c;
	char line[700], word[600], name[300];
	int64_t i;

	if (found_act(&p->found, &p->rows, act, text))
		return true;

	i = found_at(&p->found, &p->rows);
	if ((act != ACT_CHOOSE && act != ACT_USER) || !t->ph->history ||
	    i < 0 || !history_at(&c, t->ph->history, (size_t)i))
		return false;

	tui_quote(c.peer, word, sizeof(word));
	if (act == ACT_CHOOSE) {
		tui_submit(t, "dial %s", word);
	}
	else if (!strcmp(text, "message")) {
		tui_write(t, c.peer, tui_who(t, name, sizeof(name), c.peer,
					     c.name));
	}
	else if (!strcmp(text, "contact")) {
		tui_quote(c.name[0] ? c.name : "NAME", name, sizeof(name));
		snprintf(line, sizeof(line), "contact add %.80s %.580s", name,
			 word);
		tui_line(t, line);
	}

	return true;
}


static bool history_click(struct tui *t, void *state, int x, int y)
{
	struct history_pane *p = state;
	(void)x;

	return rows_click(t, &pane_history, state, &p->rows, y - 1);
}


static void history_shown(struct tui *t, void *state)
{
	(void)state;

	if (t->ph->history)
		history_seen(t->ph->history);
}


static void history_close(struct tui *t, void *state)
{
	struct history_pane *p = state;
	(void)t;

	found_free(&p->found);
}


const struct pane pane_history = {
	.name = "history", .title = "History",
	.summary = "calls that have ended",
	.min_w = 30, .min_h = 3,
	.state = sizeof(struct history_pane),
	.keys = history_keys,
	.help = "The last call stands first. A cross marks a missed one, bold "
		"what nobody has looked at yet. Below stands how the selected "
		"call ended.",
	.draw = history_draw,
	.act = history_act,
	.click = history_click,
	.shown = history_shown,
	.close = history_close,
};
