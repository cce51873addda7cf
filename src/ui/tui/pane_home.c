/**
 * @file pane_home.c  Home: calls, accounts, people, what happened
 *
 * The selected call shows all of itself, the others one row each.  On a wide
 * screen accounts, people and messages stand in a column of their own, else
 * the last two are side by side below.  Main thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "call_rows.h"
#include "home.h"

enum {
	WIDE = 110, SIDE_MAX = 64,
	TIGHT_H = 10,            /* below: no titles but one                 */
	BELOW_MIN = 3, BELOW_MAX = 6, LAST_MIN = 4,
};

struct home {
	unsigned at[200];        /* call at each row of the pane, 0: none    */
	struct rows last;        /* calls that have ended                    */
	int last_y;              /* where they begin, -1: they are not shown */
	int left_w;              /* columns of calls and last                */
	struct area people, messages;    /* as painted, w 0: not             */
	struct home_side side;
	unsigned missed;
	uint64_t missed_version;
};


/* Calls ------------------------------------------------------------------ */

static int draw_calls(struct tui *t, struct home *h, const struct area *a,
		      int y)
{
	const struct call *sel = tui_call(t);
	struct call *c = NULL;

	while ((c = ua_call_next(t->ph->ua, c)) && y < a->h) {

		const int from = y;

		if (call_state(c) == CALL_ENDED)
			continue;
		if (c == sel)
			y = call_block(t, a, y, c);
		else
			call_row(t, a, y++, c, false);

		for (int i = from; i < y && i < (int)ARRAY_SIZE(h->at); i++)
			h->at[i] = call_id(c);
	}

	return y;
}


/* What happened ---------------------------------------------------------- */

/* How a call went, in two words, or in one sentence */
static void draw_outcome(const struct area *a, int x, int y,
			 const struct history_call *c, int end)
{
	const bool missed = !strcmp(c->outcome, "missed");
	char took[32];
	enum style st;

	if (strcmp(c->outcome, "answered")) {
		/* the sentence says it, where there is room */
		if (!missed && c->text[0] && end - x > 24)
			area_cut(a, x, y, end - x, STYLE_DIM, c->text);
		else
			area_text(a, x, y, missed ? STYLE_BAD : STYLE_DIM,
				  c->outcome);
		return;
	}

	area_text(a, x, y, STYLE_NORMAL, show_duration(took, sizeof(took),
						       c->duration_ms));
	area_cut(a, x + 8, y, 8, STYLE_DIM, c->codec);
	if (c->mos > 0 && x + 26 < end) {
		const char *word = show_mos(c->mos, &st);

		area_printf(a, x + 17, y, st == STYLE_OK ? STYLE_DIM : st,
			    "%.1f %s", c->mos, word);
	}
}


static void draw_history(const struct tui *t, struct home *h,
			 const struct area *a, bool pick)
{
	const bool narrow = a->w < 60;
	const int half = narrow ? a->w * 6 / 10 : a->w / 2;
	const int mid = half < 36 || a->w > 100 ? half : 36;
	const int who_x = narrow ? 9 : 13;
	static const char *const hint = "[Enter] call back";
	const uint64_t now = clock_wall_ms();
	struct history_call c;
	char when[32], who[256];

	rows_fit(&h->last, (int)history_count(t->ph->history), a->h);
	for (int y = 0; y < a->h; y++) {

		const int i = rows_at(&h->last, y);
		bool missed;
		int x;

		if (i < 0 || !history_at(&c, t->ph->history, (size_t)i))
			break;

		missed = !strcmp(c.outcome, "missed");
		(void)area_cut(a, 3, y, who_x - 3 - narrow, STYLE_DIM,
			       show_when(when, sizeof(when), c.time_ms, now));
		x = who_x;
		area_text(a, x, y, missed ? STYLE_BAD : STYLE_DIM,
			  sign(a->cv, missed ? SIGN_BAD : c.outgoing ?
			       SIGN_OUT : SIGN_IN));
		area_cut(a, x + 2, y, mid - x - 3, c.unseen ? STYLE_BOLD :
			 STYLE_NORMAL, tui_who(t, who, sizeof(who), c.peer,
					       c.name));
		if (!pick || i != h->last.cur) {
			draw_outcome(a, mid, y, &c, a->w - 2);
			continue;
		}
		x = a->w - 2 - (int)strlen(hint);
		draw_outcome(a, mid, y, &c, x - 1);
		if (x > mid + 9)
			area_text(a, x, y, STYLE_DIM, hint);
		area_paint(a, 1, y, a->w - 2, STYLE_SELECTED);
	}
	rows_marks(&h->last, a);
}


static bool has_history(const struct tui *t)
{
	return t->ph->history && history_count(t->ph->history);
}


/* Counted when there is something new, not with each paint */
static unsigned missed_calls(const struct tui *t, struct home *h)
{
	struct history *hist = t->ph->history;
	const uint64_t version = (uint64_t)history_version(hist) << 32 |
		history_count(hist);

	if (h->missed_version != version) {
		h->missed_version = version;
		h->missed = history_missed(hist);
	}

	return h->missed;
}


static void draw_last(struct tui *t, struct home *h, const struct area *a)
{
	const bool history = has_history(t);
	const unsigned n = history ? missed_calls(t, h) : 0;
	const int room = a->h - 1;
	const int half = !history ? 0 : !tui_news(t, 0) || a->h < 7 ? room :
		(room - 1) * 3 / 5;
	struct area part;
	int x;

	h->last_y = -1;
	if (room < 1)
		return;

	x = area_text(a, 1, 0, STYLE_TITLE, history ? "LAST" : "NEWS");
	if (n)
		area_printf(a, x + 2, 0, STYLE_BAD, "%u missed", n);

	if (!history) {
		part = area_sub(a, 0, 1, a->w, room);
		home_news(t, &part);
		return;
	}

	part = area_sub(a, 0, 1, a->w, half);
	h->last_y = part.y - t->pane_area.y;
	draw_history(t, h, &part, !ua_call_count(t->ph->ua));

	if (half + 2 < room && tui_news(t, 0)) {
		const int y = 1 + ((int)h->last.count < half ?
				   (int)h->last.count : half) + 1;

		area_text(a, 1, y, STYLE_TITLE, "NEWS");
		part = area_sub(a, 0, y + 1, a->w, a->h - y - 1);
		home_news(t, &part);
	}
}


static bool has_people(const struct tui *t)
{
	return (t->ph->contacts && contacts_count(t->ph->contacts)) ||
		(t->ph->messages && messages_count(t->ph->messages));
}


/* People and messages beside each other, at the bottom. @return rows */
static int draw_below(struct tui *t, struct home *h, const struct area *a,
		      int y)
{
	const int room = a->h - y - LAST_MIN - 1;
	int n = room / 2 + 1;

	if (room < BELOW_MIN || a->w < 60 || !has_people(t))
		return 0;

	n = n < BELOW_MIN ? BELOW_MIN : n > BELOW_MAX ? BELOW_MAX : n;
	h->people = area_sub(a, 0, a->h - n, a->w / 2 - 2, n);
	h->messages = area_sub(a, a->w / 2 - 2, a->h - n, a->w - a->w / 2 + 2,
			       n);
	home_people(t, &h->side, &h->people);
	home_messages(t, &h->side, &h->messages);

	return n + 1;
}


/* Accounts, people, messages below each other */
static void draw_side(struct tui *t, struct home *h, const struct area *a)
{
	const int people = t->ph->contacts ?
		(int)contacts_count(t->ph->contacts) : 0;
	int y = home_accounts(t, a, 0, true, 8) + 1, n;

	n = (a->h - y) / 2 - 1;
	n = n > people + 1 ? people + (people ? 1 : 2) : n;
	if (n < 2)
		return;

	h->people = area_sub(a, 0, y, a->w, n);
	h->messages = area_sub(a, 0, y + n + 1, a->w, a->h - y - n - 1);
	home_people(t, &h->side, &h->people);
	home_messages(t, &h->side, &h->messages);
}


static void home_draw(struct tui *t, void *state, const struct area *a)
{
	struct home *h = state;
	const unsigned calls = ua_call_count(t->ph->ua);
	const bool tight = a->h < TIGHT_H;
	const bool wide = a->w >= WIDE && !tight;
	const int side = wide ? a->w * 2 / 5 > SIDE_MAX ? SIDE_MAX :
		a->w * 2 / 5 : 0;
	struct area left = area_sub(a, 0, 0, a->w - side - 2 * wide, a->h);
	struct area part;
	int y = 0;

	memset(h->at, 0, sizeof(h->at));
	memset(&h->people, 0, sizeof(h->people));
	memset(&h->messages, 0, sizeof(h->messages));
	h->left_w = left.w;

	if (wide) {
		part = area_sub(a, a->w - side, 0, side, a->h);
		draw_side(t, h, &part);
	}

	if (!tight || !calls) {
		area_text(&left, 1, y, STYLE_TITLE, "CALLS");
		if (!calls)
			area_right(&left, left.w - 1, y, STYLE_DIM,
				   "no calls");
		++y;
	}
	if (calls)
		y = draw_calls(t, h, &left, y);

	if (!tight)
		++y;
	if (!wide && y < a->h && (!calls || (!tight &&
					     home_accounts_bad(t)))) {
		y = home_accounts(t, &left, y, !tight, !tight ? 6 :
				  !home_accounts_bad(t) ? 1 :
				  ua_account(t->ph->ua, 1) ? 3 : 2);
		y += !tight;
	}
	if (!wide && !tight)
		left.h -= draw_below(t, h, &left, y);
	if (y + 1 < left.h) {
		part = area_sub(&left, 0, y, left.w, left.h - y);
		draw_last(t, h, &part);
	}
}


/* The call above or below becomes the selected one */
static bool home_move(struct tui *t, int step)
{
	const struct call *sel = tui_call(t);
	struct call *c = NULL, *before = NULL;

	while ((c = ua_call_next(t->ph->ua, c))) {
		if (call_state(c) == CALL_ENDED)
			continue;
		if ((step < 0 && c == sel) || (step > 0 && before == sel))
			break;
		before = c;
	}
	c = step < 0 ? before : before == sel ? c : NULL;
	if (c && c != sel)
		tui_submit(t, "select %u", call_id(c));

	return true;
}


static void call_back(struct tui *t, const struct home *h)
{
	struct history_call c;
	char quoted[600];

	if (h->last_y >= 0 && h->last.cur >= 0 &&
	    history_at(&c, t->ph->history, (size_t)h->last.cur))
		tui_submit(t, "dial %s", tui_quote(c.peer, quoted,
						   sizeof(quoted)));
	else
		tui_line(t, "dial ");
}


static bool home_act(struct tui *t, void *state, enum act act,
		     const char *text)
{
	struct home *h = state;
	(void)text;

	if (act < ACT_LEFT && act != ACT_UP && act != ACT_DOWN)
		return rows_act(&h->last, act);

	switch (act) {

	case ACT_UP:
		return ua_call_count(t->ph->ua) ? home_move(t, -1) :
			rows_act(&h->last, act);
	case ACT_DOWN:
		return ua_call_count(t->ph->ua) ? home_move(t, 1) :
			rows_act(&h->last, act);

	case ACT_CHOOSE:
		/* a box that was put away comes back */
		if (t->hushc) {
			t->hushc = 0;
			popup_update(t);
			if (t->ringing)
				return true;
		}
		if (tui_call(t))
			tui_show(t, &pane_call);
		else
			call_back(t, h);
		return true;

	default:
		return false;
	}
}


static bool inside(const struct tui *t, const struct area *a, int x, int y)
{
	x += t->pane_area.x - a->x;
	y += t->pane_area.y - a->y;

	return x >= 0 && y >= 0 && x < a->w && y < a->h;
}


static bool home_click(struct tui *t, void *state, int x, int y)
{
	struct home *h = state;
	const struct call *sel = tui_call(t);
	const unsigned id = y >= 0 && y < (int)ARRAY_SIZE(h->at) ? h->at[y] :
		0;

	if (inside(t, &h->people, x, y)) {
		tui_show(t, &pane_people);
		return true;
	}
	if (inside(t, &h->messages, x, y)) {
		tui_show(t, &pane_messages);
		return true;
	}
	if (x >= h->left_w)
		return false;

	if (!id && h->last_y >= 0 && !ua_call_count(t->ph->ua))
		return rows_click(t, &pane_home, state, &h->last,
				  y - h->last_y);
	if (!id)
		return false;

	/* a second click opens it */
	if (sel && call_id(sel) == id)
		tui_show(t, &pane_call);
	else
		tui_submit(t, "select %u", id);

	return true;
}


static unsigned home_tick(struct tui *t, void *state)
{
	const struct call *sel = tui_call(t);
	(void)state;

	/* its meters */
	if (sel && call_state(sel) == CALL_ACTIVE)
		return 100;

	/* how long it rings, how long the others talk */
	return ua_call_count(t->ph->ua) ? 1000 : 0;
}


static void home_close(struct tui *t, void *state)
{
	struct home *h = state;
	(void)t;

	found_free(&h->side.people);
}


const struct pane pane_home = {
	.name = "home", .title = "Home",
	.summary = "accounts, calls, what happened",
	.min_w = 20, .min_h = 1,
	.state = sizeof(struct home),
	.help = "Digits call somebody, or are sent as keys while you are in "
		"a call. Up and Down select a call, Enter shows all about "
		"it; without a call they select one of the last, and Enter "
		"calls back. A click selects, a second one opens; one on "
		"people or messages shows their page.",
	.draw = home_draw,
	.act = home_act,
	.click = home_click,
	.tick_ms = home_tick,
	.close = home_close,
};
