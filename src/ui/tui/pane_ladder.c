/**
 * @file pane_ladder.c  Ladder: who said what to whom in SIP, and when
 *
 * The messages that are kept (capture.h) as arrows between us and the peer,
 * of the selected call or of all.  Enter opens one, d marks one and compares
 * it with another.  Only numbers of messages are kept here: the capture may
 * drop them at any time.  Main thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "offhook/capture.h"
#include "offhook/text.h"
#include "lists.h"
#include "message_text.h"

enum {
	TIME_W = 14, ARROW_MIN = 26, ARROW_MAX = 44,
	BESIDE_W = 150,          /* the selected message has room beside it  */
};

struct ladder_pane {
	struct found found;      /* seq of what is shown, oldest first       */
	unsigned call;           /* 0: all                                   */
	bool all;                /* by wish, not of the selected call        */
	struct rows rows;
	bool away;               /* not at the end: new ones do not scroll   */

	uint64_t open;           /* the one that is read, 0: none            */
	uint64_t with;           /* compared with it, 0: none                */
	uint64_t mark;           /* the first of two, 0: none                */
	int top, lines, height;  /* of what is read                          */
	int beside;              /* column it begins in beside the arrows    */
};

static const struct key_row ladder_keys[] = {
	{ "Enter", "screen choose", "open", "Read this message" },
	{ "a", "screen own all", "all / call", "All messages, or those of the "
	  "selected call" },
	{ "d", "screen own compare", "compare", "Mark this message; on another "
	  "one: compare the two" },
	{ "w", "screen own save", "save", "Save what is drawn as text" },
	{ "p", "screen line 'pcap --past '", "pcap", "Save a file for "
	  "Wireshark, and go on writing it" },
	{ "/", "screen search", "find", "Show only messages with "
	  "a text" },
	{ NULL, NULL, NULL, NULL }
};

/* While one is read; digits, hang-up and the like go on as everywhere */
static const struct key_row reading_keys[] = {
	{ "Esc", "screen back", "back", "Back to the arrows" },
	{ "Left", "screen left", "before", "The message before" },
	{ "Right", "screen right", "after", "The one after" },
	{ "d", "screen own compare", "compare", "Mark this message; on another "
	  "one: compare the two" },
	{ NULL, NULL, NULL, NULL }
};


/* What is shown ------------------------------------------------------------ */

static bool fits(const struct ladder_pane *p, const struct capture_msg *m)
{
	return (!p->call || m->call == p->call) &&
		(!p->found.find[0] || strcasestr(m->text, p->found.find));
}


static void collect(struct tui *t, struct ladder_pane *p)
{
	struct capture *c = t->ph->capture;
	const struct call *sel = tui_call(t);
	const unsigned call = p->all || !sel ? 0 : call_id(sel);
	const struct capture_msg *m = NULL;
	struct capture_stats st;

	/* a call that has ended stays to be looked at */
	if ((p->all || sel) && p->call != call) {
		p->call = call;
		p->found.valid = false;
	}

	/* what comes and what goes counts up, each on its own */
	capture_stats(c, &st);
	if (!found_begin(&p->found, st.seen << 24 ^ st.dropped))
		return;

	while ((m = capture_next(c, m))) {
		if (fits(p, m) && !found_add(&p->found, m->seq))
			break;
	}
}


static const struct capture_msg *at(struct tui *t,
				    const struct ladder_pane *p, int i)
{
	return i >= 0 && (size_t)i < p->found.n ?
		capture_find(t->ph->capture, p->found.v[i]) : NULL;
}


static void peer_text(char *buf, size_t sz, const struct capture_msg *m)
{
	if (re_snprintf(buf, sz, "%J", &m->peer) < 0)
		buf[0] = '\0';
}


/* Rows ----------------------------------------------------------------------- */

/* The seconds in full when they are not those of the row before */
static void draw_time(const struct area *a, int y,
		      const struct capture_msg *m,
		      const struct capture_msg *before)
{
	const time_t s = (time_t)(m->time_us / 1000000);
	const unsigned ms = (unsigned)(m->time_us / 1000 % 1000);
	struct tm tm;

	if (before && (time_t)(before->time_us / 1000000) == s) {
		area_printf(a, 9, y, STYLE_DIM, ".%03u", ms);
		return;
	}
	if (localtime_r(&s, &tm))
		area_printf(a, 1, y, STYLE_DIM, "%02d:%02d:%02d.%03u",
			    tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
}


static enum style message_style(const struct capture_msg *m)
{
	if (m->again)
		return STYLE_DIM;
	if (!m->code)
		return STYLE_INFO;

	return m->code < 200 ? STYLE_DIM : m->code < 300 ? STYLE_OK :
		m->code < 400 || m->code == 401 || m->code == 407 ?
		STYLE_WORK : STYLE_BAD;
}


/* "│──── INVITE ───▶│" */
static void draw_arrow(const struct area *a, int x, int y, int w,
		       const struct capture_msg *m)
{
	const bool ascii = a->cv->ascii;
	const char *line = m->again ? (ascii ? "." : "┄") :
		ascii ? "-" : "─";
	const char *life = ascii ? "|" : "│";
	const enum style st = message_style(m);
	char label[80];
	int n, lx;

	capture_label(label, sizeof(label), m);
	area_text(a, x, y, STYLE_RULE, life);
	area_text(a, x + w - 1, y, STYLE_RULE, life);

	for (int i = 1; i < w - 1; i++)
		area_text(a, x + i, y, STYLE_RULE, line);
	if (m->tx)
		area_text(a, x + w - 2, y, STYLE_RULE, ascii ? ">" : "▶");
	else
		area_text(a, x + 1, y, STYLE_RULE, ascii ? "<" : "◀");

	n = text_columns(label);
	n = n > w - 8 ? w - 8 : n;
	lx = x + (w - n) / 2;
	area_text(a, lx - 1, y, st, " ");
	lx = area_cut(a, lx, y, n, st, label);
	area_text(a, lx, y, st, " ");
}


/* What became of the sound: a double arrow when it began to flow */
static void draw_note(const struct area *a, int x, int y, int w,
		      const char *text)
{
	const bool ascii = a->cv->ascii;
	const char *life = ascii ? "|" : "│", *line = ascii ? "=" : "═";
	const bool flows = !strncmp(text, "sound: ", 7) && strchr(text, '/');
	char label[48];
	int n, lx;

	area_text(a, x, y, STYLE_RULE, life);
	if (!flows) {
		/* a long one goes across the other line */
		if (text_columns(text) <= w - 4)
			area_text(a, x + w - 1, y, STYLE_RULE, life);
		area_cut(a, x + 2, y, a->w - x - 2, STYLE_DIM, text);
		return;
	}
	area_text(a, x + w - 1, y, STYLE_RULE, life);

	snprintf(label, sizeof(label), "rtp %.*s", (int)strcspn(text + 7,
								","),
		 text + 7);
	text += 7 + strcspn(text + 7, ",");
	text += strspn(text, ", ");
	for (int i = 1; i < w - 1; i++)
		area_text(a, x + i, y, STYLE_RULE, line);
	area_text(a, x + 1, y, STYLE_RULE, ascii ? "<" : "◀");
	area_text(a, x + w - 2, y, STYLE_RULE, ascii ? ">" : "▶");
	n = text_columns(label) < w - 8 ? text_columns(label) : w - 8;
	lx = x + (w - n) / 2;
	area_text(a, lx - 1, y, STYLE_METER, " ");
	lx = area_cut(a, lx, y, n, STYLE_METER, label);
	area_text(a, lx, y, STYLE_METER, " ");
	area_cut(a, x + w + 1, y, a->w - x - w - 1, STYLE_DIM, text);
}


/* The one that all in sight are with, NULL: there are several */
static const struct capture_msg *only_peer(struct tui *t,
					   const struct ladder_pane *p,
					   int height)
{
	const struct capture_msg *only = NULL, *m;

	for (int y = 0; y < height && y + p->rows.top < p->rows.count; y++) {
		m = at(t, p, p->rows.top + y);
		if (!m || m->kind != CAPTURE_SIP)
			continue;
		if (only && !sa_cmp(&only->peer, &m->peer, SA_ALL))
			return NULL;
		only = m;
	}

	return only;
}


static void draw_remark(const struct ladder_pane *p, const struct area *a,
			int x, int y, const struct capture_msg *m, bool whom)
{
	char buf[320];

	if (whom) {
		peer_text(buf, sizeof(buf), m);
		x = area_text(a, x, y, STYLE_DIM, buf) + 1;
	}

	capture_sdp(buf, sizeof(buf), m);
	if (m->seq == p->mark)
		x = area_text(a, x, y, STYLE_ALERT, " marked ") + 1;
	if (m->again)
		x = area_text(a, x, y, STYLE_WORK, "sent again") + 1;
	if (m->code && strcmp(m->method, "INVITE"))
		x = area_printf(a, x, y, STYLE_DIM, "(%s) ", m->method);
	if (!p->call && m->call)
		x = area_printf(a, x, y, STYLE_DIM, "call %u ", m->call);
	if (buf[0]) {
		x = area_text(a, x, y, STYLE_NORMAL, "sdp ");
		area_cut(a, x, y, a->w - x, STYLE_NORMAL, buf);
	}
}


static void draw_rows(struct tui *t, struct ladder_pane *p,
		      const struct area *a)
{
	const int free_w = a->w - TIME_W;
	const int w = free_w / 2 > ARROW_MAX ? ARROW_MAX :
		free_w / 2 < ARROW_MIN ? ARROW_MIN : free_w / 2;
	const struct capture_msg *m, *before = NULL;
	const struct area list = area_sub(a, 0, 1, a->w, a->h - 1);
	const struct capture_msg *only = only_peer(t, p, list.h);
	char peer[64] = "them";
	int x;

	/* over the two lines of life */
	area_text(a, TIME_W - 1, 0, STYLE_DIM, "us");
	if (only)
		peer_text(peer, sizeof(peer), only);
	x = TIME_W + w - 1 - text_columns(peer) / 2;
	area_text(a, x + text_columns(peer) < a->w ? x :
		  a->w - text_columns(peer), 0, STYLE_DIM, peer);

	for (int y = 0; y < list.h; y++) {

		const int i = rows_at(&p->rows, y);

		m = i < 0 ? NULL : at(t, p, i);
		if (i < 0)
			break;
		if (!m) {
			area_text(&list, 1, y, STYLE_DIM, "no longer kept");
			before = NULL;
			continue;
		}

		draw_time(&list, y, m, before);
		if (m->kind == CAPTURE_NOTE) {
			draw_note(&list, TIME_W, y, w, m->text);
		}
		else {
			draw_arrow(&list, TIME_W, y, w, m);
			draw_remark(p, &list, TIME_W + w + 1, y, m, !only);
		}
		if (i == p->rows.cur)
			area_paint(&list, 0, y, list.w, STYLE_SELECTED);
		before = m;
	}
	rows_marks(&p->rows, &list);
}


/* One message, or two ------------------------------------------------------ */

static const char *origin(char *buf, size_t sz, const struct capture_msg *m)
{
	char peer[64];

	peer_text(peer, sizeof(peer), m);
	snprintf(buf, sz, "%s %s %s%s", m->tx ? "sent to" : "came from", peer,
		 m->tp == SIP_TRANSP_TLS ? "over tls" :
		 m->tp == SIP_TRANSP_TCP ? "over tcp" : "over udp",
		 m->again ? " (again)" : "");

	return buf;
}


static void open_head(const struct area *a, const struct capture_msg *m)
{
	const int x = area_text(a, 1, 0, STYLE_TITLE, "MESSAGE") + 2;
	char text[128];

	area_cut(a, x, 0, a->w - x, STYLE_DIM, origin(text, sizeof(text), m));
}


/* Which is which of two */
static void pair_head(const struct area *a, int y, enum style st,
		      const char *mark, const struct capture_msg *m)
{
	char text[240], label[80], from[128];

	capture_label(label, sizeof(label), m);
	snprintf(text, sizeof(text), "%s %s %s", mark, label,
		 origin(from, sizeof(from), m));
	area_cut(a, 1, y, a->w - 1, st, text);
}


/* The selected one, while all of them are shown */
static void draw_beside(const struct area *a, const struct capture_msg *m)
{
	const struct area body = area_sub(a, 0, 1, a->w, a->h - 1);
	struct lines l;

	if (!m || m->kind != CAPTURE_SIP || lines_split(&l, m->text, m->len))
		return;

	open_head(a, m);
	if (message_draw(&body, &l, 0) > body.h)
		area_text(&body, body.w - 1, body.h - 1, STYLE_DIM,
			  sign(a->cv, SIGN_DOWN));
	lines_free(&l);
}


static void draw_open(struct tui *t, struct ladder_pane *p,
		      const struct area *a)
{
	const struct capture_msg *m = capture_find(t->ph->capture, p->open);
	const struct capture_msg *w = p->with ?
		capture_find(t->ph->capture, p->with) : NULL;
	const int head = p->with ? 3 : a->h < 10 ? 1 : 2;
	const struct area body = area_sub(a, 0, head, a->w, a->h - head);
	const struct area none = area_sub(&body, 0, 0, body.w, 0);
	struct lines l = { .n = 0 }, k = { .n = 0 };
	struct diff_line *v = NULL;
	int n = 0;

	if (!m || (p->with && !w)) {
		area_text(a, 1, 0, STYLE_DIM, "This message is no longer kept."
			  " Esc goes back.");
		return;
	}
	if (lines_split(&l, m->text, m->len) ||
	    (w && lines_split(&k, w->text, w->len)))
		goto out;

	if (w && (n = diff_lines(&v, &k, &l)) < 0)
		goto out;
	p->height = body.h;
	p->lines = w ? diff_draw(&none, v, n, &k, &l, 0) :
		message_draw(&none, &l, 0);
	p->top = p->top > p->lines - body.h ? p->lines - body.h : p->top;
	p->top = p->top < 0 ? 0 : p->top;

	if (w) {
		area_text(a, 1, 0, STYLE_TITLE, "TWO MESSAGES");
		pair_head(a, 1, STYLE_BAD, "-", w);
		pair_head(a, 2, STYLE_OK, "+", m);
		diff_draw(&body, v, n, &k, &l, p->top);
	}
	else {
		open_head(a, m);
		message_draw(&body, &l, p->top);
	}
	if (p->top > 0)
		area_text(&body, body.w - 1, 0, STYLE_DIM,
			  sign(a->cv, SIGN_UP));
	if (p->top + body.h < p->lines)
		area_text(&body, body.w - 1, body.h - 1, STYLE_DIM,
			  sign(a->cv, SIGN_DOWN));

 out:
	free(v);
	lines_free(&l);
	lines_free(&k);
}


static void ladder_draw(struct tui *t, void *state, const struct area *a)
{
	struct ladder_pane *p = state;
	struct area list, beside;
	int x;

	p->beside = 0;
	if (!t->ph->capture) {
		area_text(a, 1, 0, STYLE_DIM, "No messages are kept "
			  "(capture-messages is 0).");
		return;
	}
	if (p->open) {
		draw_open(t, p, a);
		return;
	}

	p->beside = a->w >= BESIDE_W ? a->w * 11 / 20 : a->w;
	list = area_sub(a, 0, 1, p->beside, a->h - 1);
	beside = area_sub(a, p->beside + 1, 0, a->w - p->beside - 1, a->h);

	collect(t, p);
	if (!p->away)
		p->rows.cur = (int)p->found.n - 1;
	rows_fit(&p->rows, (int)p->found.n, list.h - 1);

	x = area_text(a, 1, 0, STYLE_TITLE, "LADDER") + 2;
	if (p->call)
		x = area_printf(a, x, 0, STYLE_NORMAL, "call %u", p->call);
	else
		x = area_text(a, x, 0, STYLE_NORMAL, "all");
	x = area_printf(a, x + 2, 0, STYLE_DIM, "%zu %s", p->found.n,
			p->found.n == 1 ? "message" : "messages");
	if (p->found.find[0]) {
		x = area_text(a, x, 0, STYLE_DIM, " with ");
		area_text(a, x, 0, STYLE_WORK, p->found.find);
	}

	if (!p->found.n)
		area_text(&list, 1, 1, STYLE_DIM, p->found.find[0] ?
			  "No message fits. Esc shows all." :
			  "Nothing has been said yet.");
	else
		draw_rows(t, p, &list);

	for (int y = 0; p->beside < a->w && y < a->h; y++)
		area_text(a, p->beside, y, STYLE_RULE, a->cv->ascii ? "|" :
			  "│");
	if (p->beside < a->w)
		draw_beside(&beside, at(t, p, p->rows.cur));
}


/* Keys ------------------------------------------------------------------- */

static bool open_act(struct ladder_pane *p, enum act act)
{
	switch (act) {

	case ACT_UP:        p->top -= 1; break;
	case ACT_DOWN:      p->top += 1; break;
	case ACT_PAGE_UP:   p->top -= p->height; break;
	case ACT_PAGE_DOWN: p->top += p->height; break;
	case ACT_TOP:       p->top = 0; break;
	case ACT_BOTTOM:    p->top = p->lines; break;
	case ACT_BACK:
	case ACT_CHOOSE:
		p->open = p->with = 0;
		break;
	default:
		return false;
	}

	return true;
}


static void move(struct ladder_pane *p, int step)
{
	const int to = p->rows.cur + step;

	if (to < 0 || (size_t)to >= p->found.n)
		return;
	p->rows.cur = to;
	p->away = (size_t)to + 1 < p->found.n;
	p->open = p->found.v[to];
	p->with = 0;
	p->top = 0;
}


static bool own(struct tui *t, struct ladder_pane *p, const char *what)
{
	const int64_t at_cur = found_at(&p->found, &p->rows);
	const uint64_t cur = at_cur > 0 ? (uint64_t)at_cur : 0;
	char line[64];

	if (!strcmp(what, "all")) {
		p->all = !p->all;
		p->found.valid = p->away = false;
	}
	else if (!strcmp(what, "save")) {
		if (p->call)
			snprintf(line, sizeof(line), "ladder %u --to ladder-"
				 "%u.txt", p->call, p->call);
		else
			snprintf(line, sizeof(line), "ladder all --to "
				 "ladder.txt");
		tui_line(t, line);
	}
	else if (!strcmp(what, "compare") && cur) {
		const struct capture_msg *m = capture_find(t->ph->capture,
							   cur);

		if (!m || m->kind != CAPTURE_SIP)
			return true;
		if (!p->mark || p->mark == cur) {
			p->mark = p->mark ? 0 : cur;
			tui_say(t, STYLE_NORMAL, p->mark ? "Marked. d on "
				"another message compares them." :
				"No longer marked.");
		}
		else {
			p->with = p->mark;
			p->open = cur;
			p->mark = 0;
			p->top = 0;
		}
	}

	return true;
}


static bool ladder_act(struct tui *t, void *state, enum act act,
		       const char *text)
{
	struct ladder_pane *p = state;

	if (p->open && act == ACT_LEFT)
		move(p, -1);
	else if (p->open && act == ACT_RIGHT)
		move(p, 1);
	else if (p->open && open_act(p, act))
		return true;
	else if (act == ACT_BACK && p->mark)
		p->mark = 0;
	else if (act == ACT_CHOOSE) {
		const struct capture_msg *m = at(t, p, p->rows.cur);

		if (!m || m->kind != CAPTURE_SIP)
			return false;
		p->open = m->seq;
		p->with = 0;
		p->top = 0;
	}
	else if (act == ACT_USER) {
		return own(t, p, text);
	}
	else if (found_act(&p->found, &p->rows, act, text)) {
		/* what is found is read from its end, where the newest is */
		p->away = act != ACT_FIND && act != ACT_BACK &&
			p->rows.cur < p->rows.count - 1;
		p->open = 0;
	}
	else {
		return false;
	}

	return true;
}


static bool ladder_click(struct tui *t, void *state, int x, int y)
{
	struct ladder_pane *p = state;

	if (!p->open && p->beside && x >= p->beside)
		return ladder_act(t, state, ACT_CHOOSE, "");
	if (p->open || !rows_click(t, &pane_ladder, state, &p->rows, y - 2))
		return false;
	p->away = p->rows.cur < p->rows.count - 1;

	return true;
}


static const struct key_row *ladder_keys_now(const void *state)
{
	const struct ladder_pane *p = state;

	return p && p->open ? reading_keys : ladder_keys;
}


static void ladder_close(struct tui *t, void *state)
{
	struct ladder_pane *p = state;
	(void)t;

	found_free(&p->found);
}


const struct pane pane_ladder = {
	.name = "ladder", .title = "Ladder",
	.summary = "who said what to whom in SIP, and when",
	.min_w = 40, .min_h = 4,
	.state = sizeof(struct ladder_pane),
	.keys = ladder_keys,
	.keys_now = ladder_keys_now,
	.help = "One row a message, from us or to us; what was sent again is "
		"dotted. Enter opens a message, Left and Right go to the one "
		"before and after. d marks one, and on another one compares "
		"the two. Passwords and keys are masked; what TLS hides on "
		"the wire is shown, since we are one end of it.",
	.draw = ladder_draw,
	.act = ladder_act,
	.click = ladder_click,
	.close = ladder_close,
};
