/**
 * @file pane_call.c  In a call: all about the selected one
 *
 * Big state and time, digits both ways, where media goes, and the quality of
 * the last minute as a plot.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/text.h"
#include "tui.h"

enum { BIG_W = 4, BIG_H = 3, PLOT_H = 5 };

/* Three rows of half blocks a figure, ':' last */
static const char *const big[11][BIG_H] = {
	{"\u2588\u2580\u2588", "\u2588 \u2588", "\u2588\u2584\u2588"},
	{"\u2580\u2588 ", " \u2588 ", "\u2584\u2588\u2584"},
	{"\u2580\u2580\u2588", "\u2588\u2580\u2580", "\u2588\u2584\u2584"},
	{"\u2580\u2580\u2588", " \u2580\u2588", "\u2584\u2584\u2588"},
	{"\u2588 \u2588", "\u2580\u2580\u2588", "  \u2588"},
	{"\u2588\u2580\u2580", "\u2580\u2580\u2588", "\u2584\u2584\u2588"},
	{"\u2588\u2580\u2580", "\u2588\u2580\u2588", "\u2588\u2584\u2588"},
	{"\u2580\u2580\u2588", "  \u2588", "  \u2588"},
	{"\u2588\u2580\u2588", "\u2588\u2580\u2588", "\u2588\u2584\u2588"},
	{"\u2588\u2580\u2588", "\u2580\u2580\u2588", "\u2584\u2584\u2588"},
	{" \u2580 ", "   ", " \u2584 "},
};


static int draw_big(const struct area *a, int x, int y, enum style st,
		    const char *s)
{
	for (; *s; s++) {

		const int i = *s == ':' ? 10 : *s - '0';

		if (i < 0 || i > 10)
			continue;
		for (int r = 0; r < BIG_H; r++)
			area_text(a, x, y + r, st, big[i][r]);
		x += BIG_W;
	}

	return x;
}


/* Plot ------------------------------------------------------------------- */

static void draw_column(const struct area *a, int x, int h, double mos,
			enum style st)
{
	/* 1.0 to 4.5 over h rows of eighths */
	int eighths = (int)((mos - 1.0) / 3.5 * h * 8 + 0.5);

	for (int y = h - 1; y >= 0 && eighths > 0; y--, eighths -= 8)
		area_text(a, x, y, st, block(a->cv, eighths));
}


static int draw_plot(const struct area *a, int y, const struct trend *tr)
{
	const struct area p = area_sub(a, 8, y, a->w - 10 < TREND_S ?
				       a->w - 10 : TREND_S, PLOT_H);
	const char *bar = a->cv->ascii ? "|" : "\u2502";
	char note[40];

	if (p.w < 10 || p.h < PLOT_H)
		return y;

	for (int i = 0; i < PLOT_H; i++)
		area_text(a, 7, y + i, STYLE_RULE, bar);
	area_text(a, 3, y, STYLE_DIM, "4.5");
	area_text(a, 3, y + PLOT_H / 2, STYLE_DIM, "2.8");
	area_text(a, 3, y + PLOT_H - 1, STYLE_DIM, "1.0");

	for (int i = 0; i < p.w; i++) {

		const unsigned back = (unsigned)(p.w - i);
		const unsigned k = (tr->n - back) % TREND_S;
		enum style st;
		double mos;

		if (back > tr->n || back > TREND_S)
			continue;
		mos = tr->q[k].mos10 / 10.0;
		if (!(mos > 0))
			continue;
		show_mos(mos, &st);
		draw_column(&p, i, PLOT_H, mos, st == STYLE_OK ? STYLE_METER :
			    st);
	}

	y += PLOT_H;
	snprintf(note, sizeof(note), "%d s ago", p.w);
	area_text(a, 8, y, STYLE_DIM, note);
	area_right(a, 8 + p.w, y, STYLE_DIM, "now");

	return y + 1;
}


/* Where the quality was worst, in words */
static int draw_verdict(const struct area *a, int y, const struct trend *tr)
{
	const unsigned n = tr->n < TREND_S ? tr->n : TREND_S;
	unsigned bad = 0, lossy = 0, worst = 0;
	enum style st = STYLE_OK;
	char text[160];

	for (unsigned i = 0; i < n; i++) {
		const unsigned mos10 = tr->q[i].mos10;

		bad += mos10 && mos10 < 36;
		lossy += tr->q[i].loss_pct > 1;
		worst = tr->q[i].loss_pct > worst ? tr->q[i].loss_pct : worst;
	}

	if (!n)
		return y;

	if (!bad && !lossy) {
		snprintf(text, sizeof(text), "The sound has been good.");
	}
	else if (!bad) {
		st = STYLE_WORK;
		snprintf(text, sizeof(text), "Some packets were lost (at "
			 "worst %u %% in a second), hardly audible.", worst);
	}
	else {
		st = STYLE_BAD;
		snprintf(text, sizeof(text), "The sound was bad for %u of the "
			 "last %u s: %s.", bad, n, lossy ?
			 "packets are lost on the way" :
			 "it takes too long to come");
	}

	area_cut(a, 3, y, a->w - 4, st, text);

	return y + 1;
}


/* The rest --------------------------------------------------------------- */

static int pair(const struct area *a, int y, const char *name,
		const char *value, enum style st)
{
	if (!*value || y >= a->h)
		return y;

	area_text(a, 3, y, STYLE_DIM, name);
	area_cut(a, 14, y, a->w - 15, st, value);

	return y + 1;
}


static int draw_top(const struct tui *t, const struct area *a,
		    const struct call *c)
{
	char who[256], uri[300], took[32], text[320];
	const bool roomy = a->h >= 14 && !a->cv->ascii;
	enum style st;
	const char *state = show_state(c, &st);
	int y = roomy ? 1 : 0, x;

	show_duration(took, sizeof(took), call_duration_ms(c));
	if (roomy && call_was_active(c) && a->w >= 60)
		draw_big(a, a->w - 2 - (int)strlen(took) * BIG_W, y, st, took);
	else if (call_was_active(c))
		area_right(a, a->w - 2, y, STYLE_BOLD, took);

	x = area_text(a, 3, y, st, state) + 2;
	if (call_muted(c))
		x = area_text(a, x, y, STYLE_BAD, "MUTED") + 2;
	if (call_recording(c))
		x = area_printf(a, x, y, STYLE_BAD, "%s REC", sign(a->cv,
			SIGN_RECORD)) + 2;
	if (call_playing(c))
		area_text(a, x, y, STYLE_WORK, "PLAYS A FILE");
	++y;

	area_cut(a, 3, y++, a->w / 2, STYLE_BOLD, tui_peer(
		t, who, sizeof(who), c));
	text_escape(uri, sizeof(uri), call_peer(c), strlen(call_peer(c)));
	snprintf(text, sizeof(text), "<%s>", uri);
	area_cut(a, 3, y++, a->w - 30 > 20 ? a->w - 30 : a->w - 4, STYLE_INFO,
		 text);

	return roomy ? y + 1 : y;
}


static int draw_media(const struct area *a, int y, struct call *c,
		      const struct trend *tr)
{
	const struct media_plan *plan = call_plan(c);
	const struct account *acc = call_account(c);
	struct stream_stats st;
	char text[400], aor[CONFIG_STR];

	if (acc)
		y = pair(a, y, "account", show_uri(aor, sizeof(aor),
			 account_config(acc)->aor), STYLE_NORMAL);

	if (plan && plan->codec) {
		snprintf(text, sizeof(text), "%s at %u Hz, packets of %u ms",
			 plan->codec->name, plan->codec->rate_hz,
			 plan->param.ptime_ms);
		y = pair(a, y, "codec", text, STYLE_NORMAL);
	}

	if (*call_security(c)) {
		const bool none = !strcmp(call_security(c), "none");

		snprintf(text, sizeof(text), "%s%s%s%s%s", none ? "" :
			 sign(a->cv, SIGN_LOCK), none ? "" : " ",
			 none ? "no lock: who is on the way can listen" :
			 call_security(c), *call_suite(c) ? ", " : "",
			 call_suite(c));
		y = pair(a, y, "secrecy", text, none ? STYLE_DIM : STYLE_OK);
	}

	if (tr && tr->local[0]) {
		snprintf(text, sizeof(text), "%s %s %s", tr->local,
			 a->cv->ascii ? "<->" : "\u21c4", tr->remote);
		y = pair(a, y, "path", text, STYLE_NORMAL);
	}

	if (tr && tr->mos > 0) {
		enum style mst;
		const char *word = show_mos(tr->mos, &mst);

		snprintf(text, sizeof(text), "%.1f %s; loss %.1f %%, jitter "
			 "%lld ms", tr->mos, word, tr->loss_pct > 0 ?
			 tr->loss_pct : 0.0, tr->jitter_ms != EVENT_NONE ?
			 (long long)tr->jitter_ms : 0);
		y = pair(a, y, "quality", text, mst);
	}

	if (tr && tr->delay_ms != EVENT_NONE) {
		const long long buf = tr->delay_ms;
		const long long net = tr->rtt_ms != EVENT_NONE ?
			tr->rtt_ms / 2 : 0;
		const long long pkt = plan ? plan->param.ptime_ms : 0;

		snprintf(text, sizeof(text), "%lld ms = net %lld + buffer "
			 "%lld + packet %lld", net + buf + pkt, net, buf,
			 pkt);
		y = pair(a, y, "delay", text, STYLE_NORMAL);
	}

	if (!call_stats(c, &st) && y < a->h) {
		snprintf(text, sizeof(text), "%llu packets received, %llu "
			 "lost, %llu late; %llu sent",
			 (unsigned long long)st.packets_received,
			 (unsigned long long)st.lost,
			 (unsigned long long)st.late,
			 (unsigned long long)st.packets_sent);
		y = pair(a, y, "packets", text, STYLE_NORMAL);
	}

	return y;
}


static int draw_digits(const struct area *a, int y, const struct trend *tr)
{
	y = pair(a, y, "sent keys", tr->digits_out, STYLE_BOLD);

	return pair(a, y, "got keys", tr->digits_in, STYLE_BOLD);
}


static int draw_levels(const struct area *a, int y, const struct trend *tr)
{
	const int n = a->w - 26 < TREND_LEVELS ? a->w - 26 : TREND_LEVELS;
	const unsigned last = (tr->levels - 1) % TREND_LEVELS;
	char db[16];

	if (!tr->levels || n < 4 || y + 1 >= a->h)
		return y;

	area_text(a, 3, y, STYLE_DIM, "you");
	show_levels(a, 14, y, n, tr->out, tr->levels);
	area_text(a, 14 + n + 1, y, STYLE_DIM,
			  show_level(db, sizeof(db), tr->out[last]));
	++y;
	area_text(a, 3, y, STYLE_DIM, "them");
	show_levels(a, 14, y, n, tr->in, tr->levels);
	area_text(a, 14 + n + 1, y, STYLE_DIM,
			  show_level(db, sizeof(db), tr->in[last]));

	return y + 1;
}


static void call_draw(struct tui *t, void *state, const struct area *a)
{
	struct call *c = tui_call(t);
	const struct trend *tr;
	int y;
	(void)state;

	if (!c) {
		area_text(a, 3, 1, STYLE_DIM, "There is no call.");
		return;
	}

	tr = tui_trend(t, call_id(c));
	y = draw_top(t, a, c);
	if (tr)
		y = draw_digits(a, y, tr);
	if (tr)
		y = draw_levels(a, y, tr);
	y = draw_media(a, y, c, tr);
	if (!tr || !tr->n)
		return;

	++y;
	if (a->h - y >= PLOT_H + 2)
		y = draw_plot(a, y, tr);
	if (y < a->h)
		draw_verdict(a, y, tr);
}


static unsigned call_tick(struct tui *t, void *state)
{
	const struct call *c = tui_call(t);
	(void)state;

	return !c ? 0 : call_state(c) == CALL_ACTIVE ? 100 : 1000;
}


const struct pane pane_call = {
	.name = "call", .title = "Call",
	.summary = "all about the selected call",
	.min_w = 30, .min_h = 3,
	.help = "What is negotiated, where media goes, how it sounds. The "
		"plot is the quality (MOS) of the last minute, a second a "
		"column. The delay is the way through the network as RTCP "
		"tells it, the jitter buffer and one packet.",
	.draw = call_draw,
	.tick_ms = call_tick,
};
