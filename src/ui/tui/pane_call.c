/**
 * @file pane_call.c  In a call: all about the selected one
 *
 * Big state and time, digits both ways, where media goes, and the quality of
 * the last minute as a plot; below, the other calls.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/text.h"
#include "call_rows.h"

enum {
	BIG_W = 4, BIG_H = 3, VALUE_X = 14,
	PLOT_MIN = 3, PLOT_MAX = 5,
	PLOTS_H = PLOT_MAX + 2 * (1 + PLOT_MIN),         /* all of them      */
};

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

/* What one second was like, the bounds of the scale, and its style */
struct plot {
	const char *name;
	double low, high;
	int decimals;            /* of a bound                               */
	/** NAN: not known */
	double (*value)(const struct trend *tr, unsigned k);
	enum style (*style)(double v);
};


static double mos_value(const struct trend *tr, unsigned k)
{
	return tr->q[k].mos10 ? tr->q[k].mos10 / 10.0 : (double)NAN;
}


static enum style mos_style(double v)
{
	enum style st;

	show_mos(v, &st);

	return st == STYLE_OK ? STYLE_PLOT : st;
}


static double loss_value(const struct trend *tr, unsigned k)
{
	return tr->q[k].loss_pct;
}


static enum style loss_style(double v)
{
	return v > 5 ? STYLE_BAD : v > 1 ? STYLE_WORK : STYLE_PLOT;
}


static double jitter_value(const struct trend *tr, unsigned k)
{
	return tr->q[k].jitter_ms;
}


static enum style jitter_style(double v)
{
	return v > 50 ? STYLE_BAD : v > 20 ? STYLE_WORK : STYLE_PLOT;
}


/* The scale of what has no end reaches as far as what was measured */
static const struct plot plots[] = {
	{ "mos", 1.0, 4.5, 1, mos_value, mos_style },
	{ "loss %", 0.0, 5.0, 0, loss_value, loss_style },
	{ "jitter ms", 0.0, 20.0, 0, jitter_value, jitter_style },
};


static void draw_column(const struct area *a, int x, int h, double share,
			enum style st)
{
	int eighths = (int)(share * h * 8 + 0.5);

	/* nothing is a line: it was measured */
	eighths = eighths > 0 ? eighths : 1;
	/* what is as it should be is only an outline */
	for (int y = h - 1; y >= 0 && eighths > 0; y--, eighths -= 8)
		area_text(a, x, y, eighths > 8 && st == STYLE_PLOT ?
			  STYLE_RULE : st, block(a->cv, eighths));
}


static void draw_scale(const struct area *a, int y, int h,
		       const struct plot *p, double high)
{
	const bool ascii = a->cv->ascii;
	char text[24];

	/* a long one has no room beside the bound */
	area_text(a, 3, p == plots ? y : y + 1, STYLE_DIM, p->name);
	for (int i = 0; i < h; i++)
		area_text(a, VALUE_X - 1, y + i, STYLE_RULE, ascii ? "|" :
			  i && i < h - 1 ? "\u2502" : "\u2524");

	snprintf(text, sizeof(text), "%.*f", p->decimals, high);
	area_right(a, VALUE_X - 1, y, STYLE_DIM, text);
	snprintf(text, sizeof(text), "%.*f", p->decimals, p->low);
	area_right(a, VALUE_X - 1, y + h - 1, STYLE_DIM, text);
}


/* Columns a second: as many as the page has room for */
static int each_second(const struct area *a)
{
	const int w = a->w - VALUE_X - 2;

	return w < TREND_S ? 1 : w / TREND_S;
}


static int seconds_shown(const struct area *a)
{
	const int w = a->w - VALUE_X - 2;

	return w < TREND_S ? w : TREND_S;
}


/* @return row below */
static int draw_plot(const struct area *a, int y, int h,
		     const struct trend *tr, const struct plot *plot)
{
	const int each = each_second(a), seconds = seconds_shown(a);
	const struct area p = area_sub(a, VALUE_X, y, seconds * each, h);
	double high = plot->high;

	if (p.w < 10 || p.h < h)
		return y;

	for (unsigned k = 0; plot != plots && k < TREND_S && k < tr->n; k++)
		high = fmax(high, plot->value(tr, k));
	draw_scale(a, y, h, plot, high);

	for (int i = 0; i < p.w; i++) {

		const unsigned back = (unsigned)(seconds - i / each);
		const unsigned k = (tr->n - back) % TREND_S;
		double v;

		if (back > tr->n || back > TREND_S)
			continue;
		v = plot->value(tr, k);
		if (v == v)
			draw_column(&p, i, h, (v - plot->low) /
				    (high - plot->low), plot->style(v));
	}

	return y + h;
}


/* What the columns below each other mean. @return row below */
static int draw_time(const struct area *a, int y)
{
	const int w = seconds_shown(a) * each_second(a);

	if (w < 10)
		return y;

	area_printf(a, VALUE_X, y, STYLE_DIM, "%d s ago", seconds_shown(a));
	area_right(a, VALUE_X + w, y, STYLE_DIM, "now");

	return y + 1;
}


/* The quality; where there is room, what makes it, too. @return row below */
static int draw_plots(const struct area *a, int y, int h,
		      const struct trend *tr)
{
	const bool all = h > PLOT_MAX;

	y = draw_plot(a, y, all ? PLOT_MAX : h, tr, &plots[0]);
	for (size_t i = 1; all && i < ARRAY_SIZE(plots); i++)
		y = draw_plot(a, y + 1, PLOT_MIN, tr, &plots[i]);

	return draw_time(a, y);
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

	area_cut(a, VALUE_X, y, a->w - VALUE_X - 1, st, text);

	return y + 1;
}


/* The rest --------------------------------------------------------------- */

static int pair(const struct area *a, int y, const char *name,
		const char *value, enum style st)
{
	if (!*value || y >= a->h)
		return y;

	area_text(a, 3, y, STYLE_DIM, name);
	area_cut(a, VALUE_X, y, a->w - VALUE_X - 1, st, value);

	return y + 1;
}


static int draw_top(const struct tui *t, const struct area *a,
		    const struct call *c)
{
	char who[256], uri[300], took[32], text[320];
	const bool roomy = a->h >= 12 && a->w >= 60;
	const int room = roomy ? a->w - 34 : a->w - 6;
	enum style st;
	const char *state = show_state(c, &st);
	int y = 0, x;

	show_duration(took, sizeof(took), call_duration_ms(c));
	if (roomy && call_was_active(c) && !a->cv->ascii)
		draw_big(a, a->w - 2 - (int)strlen(took) * BIG_W, y, st, took);
	else if (call_was_active(c))
		area_right(a, a->w - 2, y, STYLE_BOLD, took);

	x = area_text(a, 3, y++, st, state) + 2;
	x = call_flags(a, x, 0, c);
	if (x + 8 < room)
		area_printf(a, x, 0, STYLE_DIM, "call %u", call_id(c));

	area_cut(a, 3, y++, room, STYLE_BOLD, tui_peer(t, who, sizeof(who),
						       c));
	text_escape(uri, sizeof(uri), call_peer(c), strlen(call_peer(c)));
	snprintf(text, sizeof(text), "<%s>", uri);
	area_cut(a, 3, y++, room, STYLE_INFO, text);

	return roomy ? y + 1 : y;
}


static int line_account(const struct area *a, int y, struct call *c,
			const struct trend *tr)
{
	const struct account *acc = call_account(c);
	char aor[CONFIG_STR];
	(void)tr;

	return !acc ? y : pair(a, y, "account", show_uri(
		aor, sizeof(aor), account_config(acc)->aor), STYLE_NORMAL);
}


static int line_codec(const struct area *a, int y, struct call *c,
		      const struct trend *tr)
{
	const struct media_plan *plan = call_plan(c);
	char text[200];
	(void)tr;

	if (!plan || !plan->codec)
		return y;

	snprintf(text, sizeof(text), "%s at %u Hz, packets of %u ms%s%s",
		 plan->codec->name, plan->codec->rate_hz,
		 plan->param.ptime_ms, plan->dir != MEDIA_SENDRECV ? ", " :
		 "", plan->dir != MEDIA_SENDRECV ? media_dir_name(plan->dir) :
		 "");

	return pair(a, y, "codec", text, STYLE_NORMAL);
}


static int line_secrecy(const struct area *a, int y, struct call *c,
			const struct trend *tr)
{
	const char *lock = call_lock(c);
	char text[200];
	(void)tr;

	if (!*call_security(c))
		return y;

	snprintf(text, sizeof(text), "%s%s%s%s%s", lock ?
		 sign(a->cv, SIGN_LOCK) : "", lock ? " " : "",
		 lock ? lock : "no lock: who is on the way can listen",
		 *call_suite(c) ? ", " : "", call_suite(c));

	return pair(a, y, "secrecy", text, lock ? STYLE_OK : STYLE_DIM);
}


static int line_path(const struct area *a, int y, struct call *c,
		     const struct trend *tr)
{
	char text[240];
	(void)c;

	if (!tr || !tr->local[0])
		return y;

	snprintf(text, sizeof(text), "%s %s %s%s%s", tr->local,
		 a->cv->ascii ? "<->" : "\u21c4", tr->remote,
		 tr->path[0] ? ", " : "", tr->path);

	return pair(a, y, "path", text, STYLE_NORMAL);
}


static int line_quality(const struct area *a, int y, struct call *c,
			const struct trend *tr)
{
	char text[120];
	enum style st;
	const char *word;
	(void)c;

	if (!tr || !(tr->mos > 0))
		return y;

	word = show_mos(tr->mos, &st);
	snprintf(text, sizeof(text), "%.1f %s; loss %.1f %%, jitter %lld ms",
		 tr->mos, word, tr->loss_pct > 0 ? tr->loss_pct : 0.0,
		 tr->jitter_ms != EVENT_NONE ? (long long)tr->jitter_ms : 0);

	return pair(a, y, "quality", text, st);
}


/* Behind a comma, if it is not the first */
static void join(char *text, size_t sz, const char *one)
{
	const size_t n = strlen(text);

	snprintf(text + n, sz - n, "%s%s", n ? ", " : "", one);
}


static int line_delay(const struct area *a, int y, struct call *c,
		      const struct trend *tr)
{
	struct budget b;
	char text[160];

	if (!tr || !call_budget(&b, tr, c))
		return y;

	return pair(a, y, "delay", budget_text(text, sizeof(text), &b),
		    STYLE_NORMAL);
}


static int line_packets(const struct area *a, int y, struct call *c,
			const struct trend *tr)
{
	struct stream_stats st;
	char text[200];
	(void)tr;

	if (call_stats(c, &st))
		return y;

	snprintf(text, sizeof(text), "%llu received, %llu lost, %llu late; "
		 "%llu sent", (unsigned long long)st.packets_received,
		 (unsigned long long)st.lost, (unsigned long long)st.late,
		 (unsigned long long)st.packets_sent);

	return pair(a, y, "packets", text, STYLE_NORMAL);
}


static int line_keys(const struct area *a, int y, struct call *c,
		     const struct trend *tr)
{
	char text[200];
	(void)c;

	if (!tr || (!tr->digits_out[0] && !tr->digits_in[0]))
		return y;

	snprintf(text, sizeof(text), "%s%s%s%s%s", tr->digits_out[0] ?
		 "sent " : "", tr->digits_out, tr->digits_out[0] &&
		 tr->digits_in[0] ? "   " : "", tr->digits_in[0] ?
		 "received " : "", tr->digits_in);

	return pair(a, y, "keys", text, STYLE_BOLD);
}


static enum style way_style(const struct media_pair *p)
{
	return p->chosen ? STYLE_OK : !strcmp(p->state, "checking") ?
		STYLE_WORK : !strcmp(p->state, "works") ? STYLE_NORMAL :
		STYLE_DIM;
}


/* What ICE has tried, a row a pair, the best first. @return row below */
static int draw_ways(const struct area *a, int y, const struct call *c)
{
	const struct media_plan *plan = call_plan(c);
	struct media_ways w;
	char text[240], took[32];

	if (y >= a->h || !plan || !plan->ice.on || call_ways(c, &w))
		return y;

	snprintf(text, sizeof(text), "%s; %s", w.state, w.controlling ?
		 "we choose" : "they choose");
	y = pair(a, y, "ways", text, !strcmp(w.state, "failed") ||
		 !strcmp(w.state, "lost") ? STYLE_BAD : STYLE_NORMAL);

	for (unsigned i = 0; i < w.pairc; i++) {

		const struct media_pair *p = &w.pairv[i];

		took[0] = '\0';
		if (p->rtt_us)
			snprintf(took, sizeof(took), ", %.1f ms",
				 p->rtt_us / 1000.0);
		(void)re_snprintf(text, sizeof(text), "%s %J %s %s %J%s%s",
				  media_cand_name(p->local_type), &p->local,
				  a->cv->ascii ? "<->" : "\u21c4",
				  media_cand_name(p->remote_type), &p->remote,
				  took, p->chosen ? ", chosen" : "");
		y = pair(a, y, p->state, text, way_style(p));
	}

	return y;
}


/* What is done to the microphone, and how well it goes */
static int line_room(struct tui *t, const struct area *a, int y,
		     const struct call *c, const struct trend *tr)
{
	struct media_room_figures f;
	char text[200] = "", one[64];

	if (!t->ph->media || call_state(c) != CALL_ACTIVE)
		return y;

	media_room_look(t->ph->media, &f);
	if (!f.running)
		return y;

	if (tr && tr->cut)
		snprintf(text, sizeof(text), "too loud: samples are cut");
	if (isfinite(f.noise_dbfs)) {
		snprintf(one, sizeof(one), "noise %.0f dB", f.noise_dbfs);
		join(text, sizeof(text), one);
	}
	if (isfinite(f.noise_less_db)) {
		snprintf(one, sizeof(one), "noise less by %.0f dB",
			 fmax(0.0, f.noise_less_db));
		join(text, sizeof(text), one);
	}
	if (isfinite(f.erle_db)) {
		snprintf(one, sizeof(one), "echo less by %.0f dB",
			 fmax(0.0, f.erle_db));
		join(text, sizeof(text), one);
	}
	if (f.agc) {
		snprintf(one, sizeof(one), "gain %+d dB", f.agc_db);
		join(text, sizeof(text), one);
	}
	if (f.limited)
		join(text, sizeof(text), "turned down while they speak");

	return pair(a, y, "room", text, tr && tr->cut ? STYLE_BAD :
		    STYLE_NORMAL);
}


/* The most wanted first: what has no room is left out */
static int (*const lines[])(const struct area *a, int y, struct call *c,
			    const struct trend *tr) = {
	line_keys, line_quality, line_delay, line_path, line_codec,
	line_secrecy, line_account, line_packets,
};


static int draw_levels(const struct area *a, int y, const struct call *c,
		       const struct trend *tr)
{
	const int n = a->w - 26 < TREND_LEVELS ? a->w - 26 : TREND_LEVELS;
	const unsigned last = (tr->levels - 1) % TREND_LEVELS;
	char db[16];

	if (!tr->levels || n < 4 || y + 1 >= a->h)
		return y;

	area_text(a, 3, y, STYLE_DIM, "you");
	if (call_muted(c)) {
		area_text(a, VALUE_X, y, STYLE_BAD, call_talks_unheard(c) ?
			  "MUTED, and you talk" : "MUTED");
	}
	else {
		show_levels(a, VALUE_X, y, n, tr->out, tr->levels);
		area_text(a, VALUE_X + n + 1, y, STYLE_DIM,
			  show_level(db, sizeof(db), tr->out[last]));
	}
	++y;
	area_text(a, 3, y, STYLE_DIM, "them");
	show_levels(a, VALUE_X, y, n, tr->in, tr->levels);
	area_text(a, VALUE_X + n + 1, y, STYLE_DIM,
		  show_level(db, sizeof(db), tr->in[last]));

	return y + 1;
}


/* The others, below. @return rows they take */
static int draw_others(struct tui *t, const struct area *a,
		       const struct call *sel)
{
	const int most = a->h >= 14 ? 3 : a->h >= 8 ? 1 : 0;
	struct call *c = NULL;
	int n = 0, y;

	while ((c = ua_call_next(t->ph->ua, c)))
		n += c != sel && call_state(c) != CALL_ENDED;
	n = n < most ? n : most;

	y = a->h - n;
	while (n && (c = ua_call_next(t->ph->ua, c)) && y < a->h) {
		if (c != sel && call_state(c) != CALL_ENDED)
			call_row(t, a, y++, c, false);
	}

	return n;
}


static void call_draw(struct tui *t, void *state, const struct area *a)
{
	struct call *c = tui_call(t);
	const struct trend *tr;
	struct area body;
	int y, h;
	(void)state;

	if (!c) {
		area_text(a, 3, 1, STYLE_DIM, "There is no call.");
		return;
	}

	body = area_sub(a, 0, 0, a->w, a->h - draw_others(t, a, c));
	tr = tui_trend(t, call_id(c));
	y = draw_top(t, &body, c);
	if (tr)
		y = draw_levels(&body, y, c, tr);
	if (tr && tr->n) {
		/* what is left when every line of the rest has its row */
		h = body.h - y - 2 - (int)ARRAY_SIZE(lines);
		h = h > PLOTS_H + 2 ? PLOTS_H : h > PLOT_MAX ? PLOT_MAX :
			h < PLOT_MIN ? PLOT_MIN : h;
		if (body.h - y >= h + 8 + (int)ARRAY_SIZE(lines))
			++y;
		if (body.h - y >= h + 5)
			y = draw_plots(&body, y, h, tr);
		if (y < body.h - 2)
			y = draw_verdict(&body, y, tr);
	}
	if (body.h - y > (int)ARRAY_SIZE(lines))
		++y;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		y = lines[i](&body, y, c, tr);
	y = line_room(t, &body, y, c, tr);
	(void)draw_ways(&body, y, c);
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
		"plot is the quality (MOS) of the last minute, with loss and "
		"jitter where there is room; the newest second stands on the "
		"right. The delay is from mouth to ear: the way through the "
		"network as RTCP tells it, the jitter buffer, one packet, "
		"and the buffers of the sound device. Below stand the other "
		"calls: s talks to the other of two, Alt+digit selects. With "
		"ICE the ways between the two phones are listed where there "
		"is room, as by command ice.",
	.draw = call_draw,
	.tick_ms = call_tick,
};
