/**
 * @file call_rows.c  A call in a few rows: what home and its own page share
 *
 * Main thread.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "offhook/text.h"
#include "call_rows.h"

enum { INDENT = 4, LINES_W = 20 };


const char *call_lock(const struct call *c)
{
	const char *how = call_security(c);

	return !*how || !strcmp(how, "none") ? NULL :
		!strcmp(how, "sdes") ? "srtp" : !strcmp(how, "dtls") ?
		"dtls-srtp" : how;
}


int call_flags(const struct area *a, int x, int y, const struct call *c)
{
	if (call_recording(c)) {
		x = area_text(a, x, y, STYLE_BAD, sign(a->cv, SIGN_RECORD));
		x = area_text(a, x, y, STYLE_BAD, " REC") + 2;
	}
	if (call_muted(c))
		x = area_text(a, x, y, STYLE_BAD, "MUTED") + 2;
	if (call_conference(c))
		x = area_printf(a, x, y, STYLE_WORK, "CONFERENCE %u",
				call_conference(c)) + 2;
	if (call_place(c))
		x = area_printf(a, x, y, STYLE_WORK, "%s %d",
				call_place(c) < 0 ? "LEFT" : "RIGHT",
				abs(call_place(c))) + 2;
	if (call_playing(c))
		x = area_text(a, x, y, STYLE_WORK, "PLAYS A FILE") + 2;

	return x;
}


void call_row(struct tui *t, const struct area *a, int y, struct call *c,
	      bool selected)
{
	const struct media_plan *plan = call_plan(c);
	const struct trend *tr = tui_trend(t, call_id(c));
	char who[256], took[32], codec[64] = "", id[16];
	const int third = a->w / 3;
	const int mid = third < 20 ? 20 : third > 40 ? 40 : third;
	const char *lock = call_lock(c);
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

	if (selected)
		return;

	if (tr && tr->mos > 0 && x + 8 < a->w) {
		const char *word = show_mos(tr->mos, &st);

		x = area_printf(a, x, y, st, "%.1f %s", tr->mos, word) + 2;
	}
	call_flags(a, x, y, c);
}


/* Figures ---------------------------------------------------------------- */

bool call_budget(struct budget *b, const struct trend *tr, struct call *c)
{
	const struct media_plan *plan = call_plan(c);
	const int64_t *part[] = { &b->net, &b->buffer, &b->packet,
				  &b->device };

	b->net = tr->rtt_ms != EVENT_NONE ? tr->rtt_ms / 2 : EVENT_NONE;
	b->buffer = tr->delay_ms;
	b->packet = plan && plan->codec && plan->param.ptime_ms ?
		(int64_t)plan->param.ptime_ms : EVENT_NONE;
	b->device = tr->device_ms;
	b->total = 0;
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		b->total += *part[i] != EVENT_NONE ? *part[i] : 0;

	return b->buffer != EVENT_NONE;
}


const char *budget_text(char *buf, size_t sz, const struct budget *b)
{
	const struct { const char *name; int64_t ms; } parts[] = {
		{ "net", b->net }, { "buffer", b->buffer },
		{ "packet", b->packet }, { "device", b->device },
	};
	const char *sep = " = ";
	int n = snprintf(buf, sz, "%lld ms", (long long)b->total);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].ms == EVENT_NONE || n >= (int)sz)
			continue;
		n += snprintf(buf + n, sz - (size_t)n, "%s%s %lld", sep,
			      parts[i].name, (long long)parts[i].ms);
		sep = " + ";
	}

	return buf;
}


/* A second as eighths of a row; *st: how good it was. -1: not known */
static int trend_eighths(const struct trend *tr, unsigned k,
			 enum trend_kind kind, enum style *st)
{
	const double mos = tr->q[k].mos10 / 10.0;
	const unsigned loss = tr->q[k].loss_pct, jitter = tr->q[k].jitter_ms;

	*st = STYLE_PLOT;
	switch (kind) {

	case TREND_MOS:
		if (!(mos > 0))
			return -1;
		(void)show_mos(mos, st);
		*st = *st == STYLE_OK ? STYLE_PLOT : *st;
		/* below 3.0 it hardly matters how bad it is */
		return mos <= 3.1 ? 1 : (int)((mos - 3.0) * 8 / 1.5 + 0.5);

	case TREND_LOSS:
		*st = loss >= 5 ? STYLE_BAD : loss >= 2 ? STYLE_WORK :
			STYLE_PLOT;
		return loss ? 1 + (int)(loss < 14 ? loss / 2 : 7) : 1;

	default:
		*st = jitter >= 60 ? STYLE_BAD : jitter >= 30 ? STYLE_WORK :
			STYLE_PLOT;
		return 1 + (int)(jitter < 70 ? jitter / 10 : 7);
	}
}


void trend_line(const struct area *a, int x, int y, int n,
		const struct trend *tr, enum trend_kind kind)
{
	for (int i = 0; i < n; i++) {

		const unsigned back = (unsigned)(n - i);
		enum style st;
		int eighths;

		if (back > tr->n || back > TREND_S)
			continue;
		eighths = trend_eighths(tr, (tr->n - back) % TREND_S, kind,
					&st);
		if (eighths > 0)
			area_text(a, x + i, y, st, block(a->cv, eighths));
	}
}


/* Left out where it does not fit */
static int figure(const struct area *a, int x, int y, const char *name,
		  const char *value, enum style st)
{
	if (x + text_columns(name) + 1 + text_columns(value) > a->w)
		return x;

	x = area_text(a, x, y, STYLE_DIM, name) + 1;

	return area_text(a, x, y, st, value) + 2;
}


/* Of the seconds there are */
static int spark(const struct area *a, int x, int y, const struct trend *tr,
		 enum trend_kind kind)
{
	const int n = tr->n < LINES_W ? (int)tr->n : LINES_W;

	trend_line(a, x - 1, y, n, tr, kind);

	return x + n + 1;
}


/* mos, loss, jitter, delay; where there is room, how they were lately */
static int draw_figures(const struct area *a, int y, const struct trend *tr,
			struct call *c)
{
	const bool roomy = a->w >= 3 * (LINES_W + 14);
	char text[160];
	enum style st;
	const char *word = show_mos(tr->mos, &st);
	struct budget b;
	int x = INDENT;

	if (!(tr->mos > 0) && tr->jitter_ms == EVENT_NONE)
		return y;

	if (tr->mos > 0) {
		snprintf(text, sizeof(text), "%.1f %s", tr->mos, word);
		x = figure(a, x, y, "mos", text, st);
		if (roomy)
			x = spark(a, x, y, tr, TREND_MOS);
	}
	if (isfinite(tr->loss_pct)) {
		snprintf(text, sizeof(text), "%.1f %%", tr->loss_pct);
		x = figure(a, x, y, "loss", text, tr->loss_pct >= 1 ?
			   STYLE_WORK : STYLE_NORMAL);
		if (roomy)
			x = spark(a, x, y, tr, TREND_LOSS);
	}
	if (tr->jitter_ms != EVENT_NONE) {
		snprintf(text, sizeof(text), "%lld ms",
			 (long long)tr->jitter_ms);
		x = figure(a, x, y, "jitter", text, STYLE_NORMAL);
		if (roomy)
			x = spark(a, x, y, tr, TREND_JITTER);
	}

	if (!call_budget(&b, tr, c))
		return y + 1;
	budget_text(text, sizeof(text), &b);
	if (y + 8 < a->h && x + 6 + text_columns(text) > a->w) {
		x = INDENT;
		++y;
	}
	if (x + 6 + text_columns(text) >= a->w)
		snprintf(text, sizeof(text), "%lld ms", (long long)b.total);
	figure(a, x, y, "delay", text, STYLE_NORMAL);

	return y + 1;
}


static int draw_levels(const struct area *a, int y, const struct call *c,
		       const struct trend *tr)
{
	const int n = (a->w - 30) / 2 < 24 ? (a->w - 30) / 2 : 24;
	const unsigned last = (tr->levels - 1) % TREND_LEVELS;
	char db[16];
	int x = INDENT;

	if (!tr->levels || n < 4)
		return y;

	x = area_text(a, x, y, STYLE_DIM, "you  ");
	if (call_muted(c)) {
		area_cut(a, x, y, n + 7, STYLE_BAD, call_talks_unheard(c) ?
			 "MUTED, you talk" : "MUTED");
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


/* The worst of the last minute, under its second */
static void draw_note(const struct area *a, int x, int y, int n,
		      const struct trend *tr)
{
	unsigned worst = 0, at = 0, secs = 0;
	char text[80], clock[16];
	int col, w;

	for (unsigned back = 1; back <= tr->n && back <= (unsigned)n; back++) {
		const unsigned loss = tr->q[(tr->n - back) % TREND_S].loss_pct;

		secs += loss >= 2;
		if (loss > worst) {
			worst = loss;
			at = back;
		}
	}
	if (worst < 2)
		return;

	show_clock(clock, sizeof(clock), tr->last_ms - (at - 1) * 1000ull,
		   true);
	snprintf(text, sizeof(text), "%u s of loss, %u %% at %s", secs, worst,
		 clock);
	w = text_columns(text);
	col = x + n - (int)at;
	area_text(a, col, y, STYLE_WORK, a->cv->ascii ? "'" : "\u2575");
	area_text(a, col + 2 + w < a->w ? col + 2 : col - 1 - w, y,
		  STYLE_WORK, text);
}


/* Quality of the last minute, a second a column, newest right */
static int draw_plot(const struct area *a, int y, const struct trend *tr)
{
	const int n = a->w - 10 < TREND_S ? a->w - 10 : TREND_S;
	const char *tick = a->cv->ascii ? "|" : "\u2524";

	if (!tr->n || n < 10)
		return y;

	area_text(a, area_text(a, INDENT, y, STYLE_DIM, "4.5"), y,
		  STYLE_RULE, tick);
	area_text(a, area_text(a, INDENT, y + 1, STYLE_DIM, "3.0"), y + 1,
		  STYLE_RULE, tick);
	trend_line(a, INDENT + 4, y, n, tr, TREND_MOS);
	draw_note(a, INDENT + 4, y + 1, n, tr);

	return y + 2;
}


static int draw_digits(const struct area *a, int y, const struct trend *tr)
{
	int x = INDENT;

	if (!tr->digits_in[0] && !tr->digits_out[0])
		return y;

	if (tr->digits_out[0])
		x = figure(a, x, y, "sent", tr->digits_out, STYLE_BOLD);
	if (tr->digits_in[0])
		figure(a, x, y, "received", tr->digits_in, STYLE_BOLD);

	return y + 1;
}


int call_block(struct tui *t, const struct area *a, int y, struct call *c)
{
	const struct trend *tr = tui_trend(t, call_id(c));
	char uri[300];

	call_row(t, a, y++, c, true);

	text_escape(uri, sizeof(uri), call_peer(c), strlen(call_peer(c)));
	if (y < a->h)
		call_flags(a, area_printf(a, INDENT, y, STYLE_INFO, "<%s>",
					  uri) + 2, y, c);
	++y;

	if (!tr || call_state(c) != CALL_ACTIVE)
		return y;

	if (y < a->h)
		y = draw_levels(a, y, c, tr);
	if (y < a->h)
		y = draw_figures(a, y, tr, c);
	if (y < a->h && a->h - y > 4)
		y = draw_plot(a, y, tr);
	if (y < a->h)
		y = draw_digits(a, y, tr);

	return y;
}
