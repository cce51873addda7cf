/**
 * @file pane_home.c  Home: accounts, calls, what happened
 *
 * The selected call shows all of itself, the others one row each.  Main
 * thread.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "tui.h"

enum { CALLS_MAX = 64 };

struct home {
	unsigned at[200];        /* call at each row of the pane, 0: none    */
	struct rows last;        /* calls that have ended                    */
	int last_y;              /* where they begin, -1: they are not shown */
};


/* Calls ------------------------------------------------------------------ */

static const char *security(const struct call *c)
{
	const char *how = call_security(c);

	return !*how || !strcmp(how, "none") ? NULL :
		!strcmp(how, "sdes") ? "srtp" : !strcmp(how, "dtls") ?
		"dtls-srtp" : how;
}


static void draw_flags(const struct area *a, int x, int y,
		       const struct call *c)
{
	if (call_recording(c))
		x = area_text(a, area_text(a, x, y, STYLE_BAD, sign(a->cv,
			SIGN_RECORD)), y, STYLE_BAD, "REC") + 1;
	if (call_muted(c))
		area_text(a, x, y, STYLE_BAD, "MUTED");
}


/* One row: who, state, since when, codec, lock, quality */
static void draw_call(struct tui *t, const struct area *a, int y,
		      struct call *c, bool selected)
{
	const struct media_plan *plan = call_plan(c);
	const struct trend *tr = tui_trend(t, call_id(c));
	char who[256], took[32], codec[64] = "", id[16];
	const int third = a->w / 3;
	const int mid = third < 20 ? 20 : third > 40 ? 40 : third;
	const char *lock = security(c);
	enum style st;
	const char *state = show_state(c, &st);
	int x;

	if (selected)
		area_text(a, 0, y, STYLE_TITLE, sign(a->cv, SIGN_SELECT));
	snprintf(id, sizeof(id), "%u", call_id(c));
	x = area_text(a, 1, y, selected ? STYLE_KEY : STYLE_DIM, id) + 1;
	area_cut(a, x, y, mid - x - 1, selected ? STYLE_BOLD : STYLE_NORMAL,
		 tui_peer(t, who, sizeof(who), c));

	x = area_text(a, mid, y, st, state) + 1;
	if (call_was_active(c)) {
		x = x > mid + 12 ? x : mid + 12;
		x = area_text(a, x, y, STYLE_BOLD, show_duration(
			took, sizeof(took), call_duration_ms(c)));
	}
	x = (x > mid + 20 ? x : mid + 20) + 1;

	if (plan && plan->codec) {
		snprintf(codec, sizeof(codec), "%s %uk", plan->codec->name,
			 plan->codec->rate_hz / 1000);
		x = area_cut(a, x, y, 10, STYLE_DIM, codec);
		x = (x > mid + 31 ? x : mid + 31) + 1;
		if (lock) {
			x = area_text(a, x, y, STYLE_OK, sign(a->cv,
							     SIGN_LOCK)) + 1;
			x = area_text(a, x, y, STYLE_OK, lock) + 2;
		}
		else {
			x = area_text(a, x, y, STYLE_DIM, "no lock") + 2;
		}
	}

	if (!selected && tr && tr->mos > 0 && x + 8 < a->w) {
		const char *word = show_mos(tr->mos, &st);

		x = area_printf(a, x, y, st, "%.1f %s", tr->mos, word) + 2;
	}
	if (!selected)
		draw_flags(a, x, y, c);
}


static int draw_figures(const struct area *a, int y, const struct trend *tr)
{
	enum style st;
	const char *word = show_mos(tr->mos, &st);
	int x = 4;

	if (!(tr->mos > 0) && tr->jitter_ms == EVENT_NONE)
		return y;

	if (tr->mos > 0) {
		x = area_text(a, x, y, STYLE_DIM, "quality ");
		x = area_printf(a, x, y, st, "%.1f %s", tr->mos, word) + 2;
	}
	if (isfinite(tr->loss_pct)) {
		x = area_text(a, x, y, STYLE_DIM, "loss ");
		x = area_printf(a, x, y, tr->loss_pct >= 1 ? STYLE_WORK :
				STYLE_NORMAL, "%.1f %%", tr->loss_pct) + 2;
	}
	if (tr->jitter_ms != EVENT_NONE) {
		x = area_text(a, x, y, STYLE_DIM, "jitter ");
		x = area_printf(a, x, y, STYLE_NORMAL, "%lld ms",
				(long long)tr->jitter_ms) + 2;
	}
	if (tr->delay_ms != EVENT_NONE) {
		const int64_t net = tr->rtt_ms != EVENT_NONE ?
			tr->rtt_ms / 2 : 0;

		x = area_text(a, x, y, STYLE_DIM, "delay ");
		if (net)
			area_printf(a, x, y, STYLE_NORMAL, "%lld ms = net "
				    "%lld + buffer %lld",
				    (long long)(tr->delay_ms + net),
				    (long long)net, (long long)tr->delay_ms);
		else
			area_printf(a, x, y, STYLE_NORMAL, "%lld ms",
				    (long long)tr->delay_ms);
	}

	return y + 1;
}


static int draw_levels(const struct area *a, int y, const struct call *c,
		       const struct trend *tr)
{
	const int n = (a->w - 30) / 2 < 24 ? (a->w - 30) / 2 : 24;
	const unsigned last = (tr->levels - 1) % TREND_LEVELS;
	char db[16];
	int x = 4;

	if (!tr->levels || n < 4)
		return y;

	x = area_text(a, x, y, STYLE_DIM, "you  ");
	if (call_muted(c)) {
		area_text(a, x, y, STYLE_BAD, "MUTED");
		x += n + 8;
	}
	else {
		show_levels(a, x, y, n, tr->out, tr->levels);
		area_text(a, x + n + 1, y, STYLE_DIM,
			  show_level(db, sizeof(db), tr->out[last]));
		x += n + 9;
	}
	x = area_text(a, x, y, STYLE_DIM, "them ");
	show_levels(a, x, y, n, tr->in, tr->levels);
	area_text(a, x + n + 1, y, STYLE_DIM,
			  show_level(db, sizeof(db), tr->in[last]));

	return y + 1;
}


/* Quality of the last minute, a second a column, newest right */
static int draw_plot(const struct area *a, int y, const struct trend *tr)
{
	const int n = a->w - 10 < TREND_S ? a->w - 10 : TREND_S;
	unsigned worst = 0;
	int at = -1;

	if (!tr->n || n < 10)
		return y;

	area_text(a, 4, y, STYLE_DIM, a->cv->ascii ? "mos |" :
		  "mos \u2502");
	for (int i = 0; i < n; i++) {

		const unsigned back = (unsigned)(n - i);
		enum style st;
		double mos;
		unsigned k;

		if (back > tr->n || back > TREND_S)
			continue;
		k = (tr->n - back) % TREND_S;
		mos = tr->q[k].mos10 / 10.0;
		if (!(mos > 0))
			continue;
		show_mos(mos, &st);
		/* 1.0 to 4.5 */
		area_text(a, 9 + i, y, st == STYLE_OK ? STYLE_METER : st,
			  block(a->cv, (int)((mos - 1.0) * 8 / 3.5 + 0.5)));
		if (tr->q[k].loss_pct > worst) {
			worst = tr->q[k].loss_pct;
			at = (int)back;
		}
	}

	if (worst >= 2 && y + 1 < a->h) {
		area_printf(a, 9 + n - at, y + 1, STYLE_WORK, "%s %u %% loss",
			    sign(a->cv, SIGN_UP), worst);
		return y + 2;
	}

	return y + 1;
}


/* Everything about the selected call. @return row below */
static int draw_selected(struct tui *t, const struct area *a, int y,
			 struct call *c)
{
	const struct trend *tr = tui_trend(t, call_id(c));
	char uri[300];
	int x;

	draw_call(t, a, y++, c, true);

	text_escape(uri, sizeof(uri), call_peer(c), strlen(call_peer(c)));
	if (y < a->h) {
		x = area_printf(a, 4, y, STYLE_INFO, "<%s>", uri) + 2;
		draw_flags(a, x, y++, c);
	}

	if (!tr || call_state(c) != CALL_ACTIVE)
		return y;

	if (y < a->h)
		y = draw_levels(a, y, c, tr);
	if (y < a->h)
		y = draw_figures(a, y, tr);
	if (y < a->h && a->h - y > 4)
		y = draw_plot(a, y, tr);
	if ((tr->digits_in[0] || tr->digits_out[0]) && y < a->h) {
		x = 4;
		if (tr->digits_out[0]) {
			x = area_text(a, x, y, STYLE_DIM, "sent ");
			x = area_text(a, x, y, STYLE_BOLD,
				      tr->digits_out) + 2;
		}
		if (tr->digits_in[0]) {
			x = area_text(a, x, y, STYLE_DIM, "received ");
			area_text(a, x, y, STYLE_BOLD, tr->digits_in);
		}
		++y;
	}

	return y;
}


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
			y = draw_selected(t, a, y, c);
		else
			draw_call(t, a, y++, c, false);

		for (int i = from; i < y && i < (int)ARRAY_SIZE(h->at); i++)
			h->at[i] = call_id(c);
	}

	return y;
}


/* Accounts, how one is reached -------------------------------------------- */

static int draw_account(struct tui *t, const struct area *a, int y,
			const struct account *acc)
{
	const char *state = account_state(acc);
	const struct sip_result *res = account_result(acc);
	const bool failed = !strcmp(state, "failed");
	const bool ok = !strcmp(state, "registered");
	char aor[CONFIG_STR];
	int x;

	x = area_text(a, 1, y, failed ? STYLE_BAD : ok ? STYLE_OK :
		      !strcmp(state, "off") ? STYLE_DIM : STYLE_WORK,
		      sign(a->cv, failed ? SIGN_BAD : ok ? SIGN_OK :
			   !strcmp(state, "off") ? SIGN_OFF : SIGN_WORK)) + 1;
	show_uri(aor, sizeof(aor), account_config(acc)->aor);
	x = area_text(a, x, y, STYLE_NORMAL, aor) + 2;
	x = x > 34 ? x : 34;
	if (x > a->w / 2 && x + 12 > a->w)
		return y + 1;
	x = area_text(a, x, y, failed ? STYLE_BAD : STYLE_DIM, state) + 1;

	if (failed && res && (res->code || res->reason[0])) {
		char why[400];

		if (res->code)
			snprintf(why, sizeof(why), "%u %s", res->code,
				 res->reason);
		else
			snprintf(why, sizeof(why), "%s", res->reason);
		area_cut(a, x, y, a->w - x, STYLE_BAD, why);
	}
	else if (acc == ua_account_default(t->ph->ua) &&
		 ua_account(t->ph->ua, 1)) {
		area_text(a, x, y, STYLE_DIM, "(default)");
	}

	return y + 1;
}


/* Without an account: others call an address of this machine */
static int draw_reach(struct tui *t, const struct area *a, int y)
{
	const char *user = getenv("USER");
	enum sip_transp tp;
	struct sa sa;
	int x;

	x = area_text(a, 1, y, STYLE_DIM, "no account; you can be called at");
	for (size_t i = 0; ua_listener(t->ph->ua, i, &sa, &tp); i++) {

		char addr[80];

		if (tp != SIP_TRANSP_UDP || re_snprintf(addr, sizeof(addr),
							"%J", &sa) < 0)
			continue;
		if (x + 2 + text_columns(addr) > a->w && x > 4) {
			++y;
			x = 3;
		}
		if (y >= a->h)
			return y;
		x = area_printf(a, x + 1, y, STYLE_INFO, "sip:%s@%s",
				user && *user ? user : "me", addr) + 1;
	}

	return y + 1;
}


static int draw_accounts(struct tui *t, const struct area *a, int y, int most)
{
	const struct account *acc;
	const int end = y + most < a->h ? y + most : a->h;

	if (!ua_account(t->ph->ua, 0))
		return draw_reach(t, a, y);

	for (size_t i = 0; y < end && (acc = ua_account(t->ph->ua, i)); i++)
		y = draw_account(t, a, y, acc);

	return y;
}


/* What happened ---------------------------------------------------------- */

static void draw_news(const struct tui *t, const struct area *a)
{
	const struct news *n;
	char clock[16];

	for (int y = 0; y < a->h && (n = tui_news(t, (size_t)y)); y++) {

		int x = 3;

		show_clock(clock, sizeof(clock), n->time, false);
		x = area_text(a, x, y, STYLE_DIM, clock) + 2;
		if (n->sign < SIGNS)
			area_text(a, x, y, n->style == STYLE_ALERT ?
				  STYLE_BOLD : n->style, sign(a->cv, n->sign));
		area_cut(a, x + 2, y, a->w - x - 2, n->style == STYLE_ALERT ||
			 n->style == STYLE_OK || n->style == STYLE_WORK ?
			 STYLE_NORMAL : n->style, n->text);
	}
}


/* How a call went, in two words */
static int draw_outcome(const struct area *a, int x, int y,
			const struct history_call *c)
{
	const bool missed = !strcmp(c->outcome, "missed");
	char took[32];
	enum style st;

	if (strcmp(c->outcome, "answered")) {
		area_text(a, x, y, missed ? STYLE_BAD : STYLE_DIM,
			  c->outcome);
		return x;
	}

	area_text(a, x, y, STYLE_NORMAL, show_duration(took, sizeof(took),
						       c->duration_ms));
	area_cut(a, x + 8, y, 8, STYLE_DIM, c->codec);
	if (c->mos > 0) {
		const char *word = show_mos(c->mos, &st);

		area_printf(a, x + 17, y, st, "%.1f %s", c->mos, word);
	}

	return x;
}


static void draw_history(const struct tui *t, struct home *h,
			 const struct area *a, bool pick)
{
	const int half = a->w / 2, mid = half < 35 || a->w > 100 ? half : 35;
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
		x = area_cut(a, 3, y, 10, STYLE_DIM, show_when(
			when, sizeof(when), c.time_ms, now));
		x = x > 13 ? x : 13;
		area_text(a, x, y, missed ? STYLE_BAD : STYLE_DIM,
			  sign(a->cv, missed ? SIGN_BAD : c.outgoing ?
			       SIGN_OUT : SIGN_IN));
		area_cut(a, x + 2, y, mid - x - 3, c.unseen ? STYLE_BOLD :
			 STYLE_NORMAL, tui_who(t, who, sizeof(who), c.peer,
					       c.name));
		draw_outcome(a, mid, y, &c);
		if (pick && i == h->last.cur) {
			area_right(a, a->w - 2, y, STYLE_DIM,
				   "[Enter] call back");
			area_paint(a, 1, y, a->w - 2, STYLE_SELECTED);
		}
	}
	rows_marks(&h->last, a);
}


static bool has_history(const struct tui *t)
{
	return t->ph->history && history_count(t->ph->history);
}


static void draw_last(struct tui *t, struct home *h, const struct area *a)
{
	const bool history = has_history(t);
	const unsigned missed = history ? history_missed(t->ph->history) : 0;
	const int room = a->h - 1;
	const int half = !history ? 0 : a->h < 7 ? room : (room - 1) * 3 / 5;
	struct area part;
	int x;

	h->last_y = -1;
	if (room < 1)
		return;

	x = area_text(a, 1, 0, STYLE_TITLE, "LAST");
	if (missed)
		area_printf(a, x + 2, 0, STYLE_BAD, "%u missed", missed);

	if (!history) {
		part = area_sub(a, 0, 1, a->w, room);
		draw_news(t, &part);
		return;
	}

	part = area_sub(a, 0, 1, a->w, half);
	h->last_y = part.y - t->pane_area.y;
	draw_history(t, h, &part, !ua_call_count(t->ph->ua));

	if (half + 2 < room) {
		const int y = 1 + ((int)h->last.count < half ?
				   (int)h->last.count : half) + 1;

		area_text(a, 1, y, STYLE_TITLE, "NEWS");
		part = area_sub(a, 0, y + 1, a->w, a->h - y - 1);
		draw_news(t, &part);
	}
}


static void home_draw(struct tui *t, void *state, const struct area *a)
{
	struct home *h = state;
	const unsigned calls = ua_call_count(t->ph->ua);
	const bool tight = a->h < 10;
	int y = 0;

	memset(h->at, 0, sizeof(h->at));

	if (!tight || !calls) {
		area_text(a, 1, y, STYLE_TITLE, "CALLS");
		if (!calls)
			area_right(a, a->w - 1, y, STYLE_DIM, "no calls");
		++y;
	}
	if (calls)
		y = draw_calls(t, h, a, y);

	if (!tight)
		++y;
	if (y < a->h && (!tight || !calls)) {
		if (!tight)
			area_text(a, 1, y++, STYLE_TITLE, "ACCOUNTS");
		y = draw_accounts(t, a, y, tight ? 1 : 6);
	}
	if (!tight)
		++y;
	if (y + 1 < a->h) {
		const struct area part = area_sub(a, 0, y, a->w, a->h - y);

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


static bool home_click(struct tui *t, void *state, int x, int y)
{
	struct home *h = state;
	const struct call *sel = tui_call(t);
	const unsigned id = y >= 0 && y < (int)ARRAY_SIZE(h->at) ? h->at[y] :
		0;
	(void)x;

	if (!id && h->last_y >= 0 && !ua_call_count(t->ph->ua)) {

		const int i = rows_at(&h->last, y - h->last_y);

		/* a second click calls back */
		if (i >= 0 && i == h->last.cur)
			call_back(t, h);
		else if (i >= 0)
			h->last.cur = i;
		return i >= 0;
	}
	if (!id)
		return false;

	/* a second click opens it */
	if (call_id(sel) == id)
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


const struct pane pane_home = {
	.name = "home", .title = "Home",
	.summary = "accounts, calls, what happened",
	.min_w = 20, .min_h = 1,
	.state = sizeof(struct home),
	.help = "Digits call somebody, or are sent as keys while you are in "
		"a call. Up and Down select a call, Enter shows all about "
		"it; without a call they select one of the last, and Enter "
		"calls back. A click selects, a second one opens.",
	.draw = home_draw,
	.act = home_act,
	.click = home_click,
	.tick_ms = home_tick,
};
