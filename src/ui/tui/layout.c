/**
 * @file layout.c  Header, pane, line and hints in their places
 *
 * Works from 40 columns and 10 rows up: rules and the last news fold away
 * first, then hints, never the pane.  Main thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "tui.h"

enum { FOLD_H = 16, HINTS_MAX = 8 };


/* Header ----------------------------------------------------------------- */

static enum sign account_sign(const struct account *acc, enum style *st)
{
	const char *state = account_state(acc);

	if (!strcmp(state, "registered")) {
		*st = STYLE_OK;
		return SIGN_OK;
	}
	if (!strcmp(state, "failed")) {
		*st = STYLE_BAD;
		return SIGN_BAD;
	}
	if (!strcmp(state, "off")) {
		*st = STYLE_DIM;
		return SIGN_OFF;
	}
	*st = STYLE_WORK;

	return SIGN_WORK;
}


static int transports(const struct tui *t, char *buf, size_t sz)
{
	static const struct {
		enum sip_transp tp;
		const char *name;
	} names[] = {
		{ SIP_TRANSP_UDP, "udp" }, { SIP_TRANSP_TCP, "tcp" },
		{ SIP_TRANSP_TLS, "tls" },
	};
	int n = 0;

	buf[0] = '\0';
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {

		enum sip_transp tp;
		struct sa sa;

		for (size_t i = 0; ua_listener(t->ph->ua, i, &sa, &tp); i++) {
			if (tp != names[k].tp)
				continue;
			n += snprintf(buf + n, sz - (size_t)n, "%s%s",
				      n ? " " : "", names[k].name);
			break;
		}
	}

	return n;
}


static void draw_header(struct tui *t, const struct area *a)
{
	const struct account *acc;
	char right[80], clock[16], name[CONFIG_STR], tp[32];
	int x, end;

	show_clock(clock, sizeof(clock), clock_wall_ms(), false);
	transports(t, tp, sizeof(tp));
	snprintf(right, sizeof(right), "%s%s%s%s  %s ",
		 t->ph->forward && forward_dnd(t->ph->forward) ?
		 "do not disturb  " : "",
		 t->ph->answer && answer_on(t->ph->answer) ?
		 "auto-answer  " : "", a->w >= 60 ? tp : "", "", clock);
	end = area_right(a, a->w, 0, STYLE_DIM, right);

	x = area_text(a, 1, 0, STYLE_TITLE, "offhook");

	for (size_t i = 0; (acc = ua_account(t->ph->ua, i)); i++) {

		enum style st;
		const enum sign s = account_sign(acc, &st);

		show_uri(name, sizeof(name), account_config(acc)->aor);
		if (x + 5 + text_columns(name) > end) {
			if (x + 4 < end && i)
				area_text(a, x + 2, 0, STYLE_DIM,
					  sign(a->cv, SIGN_ELLIPSIS));
			else
				area_cut(a, area_text(a, x + 2, 0, st, sign(
					a->cv, s)) + 1, 0, end - x - 5,
					 STYLE_NORMAL, name);
			break;
		}
		x = area_text(a, x + 2, 0, st, sign(a->cv, s));
		x = area_text(a, x + 1, 0, st == STYLE_DIM ? STYLE_DIM :
			      STYLE_NORMAL, name);
	}
}


/* News and hints --------------------------------------------------------- */

static void draw_news(const struct tui *t, const struct area *a)
{
	const struct news *n = newses_at(t->newses, 0);
	char clock[16];
	int x;

	if (t->said[0]) {
		show_clock(clock, sizeof(clock), t->said_ms, false);
		x = area_text(a, 1, 0, STYLE_DIM, clock) + 1;
		area_cut(a, x, 0, a->w - x, t->said_style, t->said);
		return;
	}
	if (!n)
		return;

	show_clock(clock, sizeof(clock), n->time, false);
	x = area_text(a, 1, 0, STYLE_DIM, clock) + 1;
	area_cut(a, x, 0, a->w - x, n->style == STYLE_ALERT ? STYLE_BOLD :
		 n->style == STYLE_BAD ? STYLE_BAD : STYLE_NORMAL, n->text);
}


static int hint(struct tui *t, const struct area *a, int x, enum key_when when,
		const struct key_row *row, int end)
{
	char key[24];
	int w;

	keys_bound(t->keys, when, t->pane->name, row, key, sizeof(key));
	if (!key[0])
		return x;

	w = text_columns(key) + 1 + text_columns(row->hint);
	if (x + w > end || t->buttonc == ARRAY_SIZE(t->buttons))
		return -1;

	t->buttons[t->buttonc].x = a->x + x;
	t->buttons[t->buttonc].w = w;
	t->buttons[t->buttonc].when = when;
	t->buttons[t->buttonc++].row = row;

	area_text(a, area_text(a, x, 0, STYLE_KEY, key) + 1, 0, STYLE_DIM,
		  row->hint);

	return x + w + 2;
}


/* A row above has the same key: that one acts */
static bool hidden(const struct key_row *pane_keys, unsigned whens,
		   enum key_when upto, const struct key_row *row)
{
	for (enum key_when w = WHEN_INCOMING; w < upto; w++) {

		const struct key_row *r = w == WHEN_PANE ? pane_keys :
			key_rows(w);

		for (; (whens & 1u << w) && r && r->key; r++) {
			if (!strcmp(r->key, row->key))
				return true;
		}
	}

	return false;
}


static void draw_hints(struct tui *t, const struct area *a)
{
	const struct key_row *pane_keys = tui_pane_keys(t);
	const unsigned whens = tui_whens(t);
	int x = 1;

	t->buttonc = 0;
	t->buttons_y = a->y;

	if (whens & 1u << WHEN_CALL)
		x = area_text(a, area_text(a, 1, 0, STYLE_KEY, "0-9") + 1, 0,
			      STYLE_DIM, "digits") + 2;

	for (enum key_when w = WHEN_INCOMING; w < WHENS && x > 0; w++) {

		const struct key_row *r = w == WHEN_PANE ? pane_keys :
			key_rows(w);

		for (; (whens & 1u << w) && r && r->key && x > 0; r++) {
			if (r->hint && !hidden(pane_keys, whens, w, r))
				x = hint(t, a, x, w, r, a->w - 1);
		}
	}
}


/* All of it -------------------------------------------------------------- */

static void draw_pane(struct tui *t, const struct area *a)
{
	const struct pane *p = t->pane;

	t->pane_area = *a;

	if (a->w < p->min_w || a->h < p->min_h) {
		area_wrap(a, 1, 0, a->w - 2, STYLE_DIM, "There is no room for "
			  "this page here. Make the window larger.", 0);
		return;
	}

	p->draw(t, tui_state(t, p), a);
}


void layout_draw(struct tui *t)
{
	const struct area a = canvas_area(&t->canvas);
	const bool fold = a.h < FOLD_H;
	const int line = line_rows(t->line, a.h > 12 ? a.h / 3 : 3);
	struct area part;
	int top = 1, bottom = a.h;

	part = area_sub(&a, 0, 0, a.w, 1);
	draw_header(t, &part);
	if (!fold)
		area_rule(&a, 0, top++, a.w, STYLE_RULE);

	part = area_sub(&a, 0, --bottom, a.w, 1);
	draw_hints(t, &part);

	bottom -= line;
	t->line_area = area_sub(&a, 0, bottom, a.w, line);
	part = area_sub(&a, 0, --bottom, a.w, 1);
	draw_news(t, &part);
	if (!fold)
		area_rule(&a, 0, --bottom, a.w, STYLE_RULE);

	part = area_sub(&a, 0, top, a.w, bottom - top);
	draw_pane(t, &part);
	popup_draw(t, &a);

	t->fresh = false;
	/* last: its cursor counts */
	line_draw(t->line, &t->line_area);
}
