/**
 * @file popup.c  A call that rings asks for an answer
 *
 * Over whatever is on the screen, in the one loud colour.  While somebody
 * types, the box only tells: keys go to the line until it is left.  Main
 * thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "tui.h"

enum { BOX_W = 70, BOX_H = 10, BOX_LOW = 6, TWO_ROWS_W = 56 };


static bool hushed(const struct tui *t, unsigned call)
{
	for (unsigned i = 0; i < t->hushc; i++) {
		if (t->hushed[i] == call)
			return true;
	}

	return false;
}


/* A rule takes it: nobody has to */
static bool taken(const struct tui *t)
{
	return t->ph->answer && answer_on(t->ph->answer);
}


void popup_update(struct tui *t)
{
	struct call *c = ua_call(t->ph->ua, t->ringing);

	if (c && call_state(c) == CALL_INCOMING && !hushed(t, call_id(c)))
		return;

	t->ringing = 0;
	c = NULL;
	while (!taken(t) && (c = ua_call_next(t->ph->ua, c))) {
		if (call_state(c) == CALL_INCOMING &&
		    !hushed(t, call_id(c))) {
			t->ringing = call_id(c);
			t->ringing_ms = clock_ms();
			return;
		}
	}
}


void popup_hush(struct tui *t)
{
	if (!t->ringing)
		return;

	/* the oldest of many is forgotten */
	if (t->hushc == ARRAY_SIZE(t->hushed)) {
		memmove(t->hushed, t->hushed + 1,
			sizeof(t->hushed) - sizeof(t->hushed[0]));
		--t->hushc;
	}
	t->hushed[t->hushc++] = t->ringing;
	t->ringing = 0;
	if (t->ph->ringer && *ringer_sound(t->ph->ringer, true))
		tui_submit(t, "silence");
	tui_dirty(t);
}


void popup_ring(struct tui *t, const struct event *ev)
{
	char who[EVENT_TEXT];

	if (!t->ph->config->screen_bell || term_behind(t->term) || taken(t))
		return;

	term_notice(t->term, "Incoming call", tui_who(
		t, who, sizeof(who), ev->u.call_state.peer,
		ev->u.call_state.name));
}


/* Columns of "[a] answer", 0: it is on no key */
static int key_columns(const struct tui *t, const struct key_row *r, char *key,
		       size_t sz)
{
	if (!r->hint || !*keys_bound(t->keys, WHEN_INCOMING, "", r, key, sz))
		return 0;

	return text_columns(key) + text_columns(r->hint) + 3;
}


/* In the last row; where it is narrow closer together, and in the row above
 * too, which is kept for that */
static void draw_keys(struct tui *t, const struct area *a, int y)
{
	const struct key_row *rows = key_rows(WHEN_INCOMING);
	char key[24];
	int x = 3, all = 3, gap = 3;

	for (const struct key_row *r = rows; r->key; r++) {
		const int w = key_columns(t, r, key, sizeof(key));

		all += w ? w + gap : 0;
	}
	if (all > a->w)
		gap = 1;
	if (a->w < TWO_ROWS_W)
		--y;

	t->popup_keyc = 0;
	for (const struct key_row *r = rows; r->key; r++) {

		const int w = key_columns(t, r, key, sizeof(key));
		const int from = x + w + 1 > a->w ? 3 : x;

		if (!w || t->popup_keyc == ARRAY_SIZE(t->popup_keys))
			continue;
		y += from < x;
		if (y > a->h - 2 || from + w + 1 > a->w)
			break;

		x = area_text(a, from, y, STYLE_NORMAL, "[");
		x = area_text(a, x, y, STYLE_KEY, key);
		x = area_text(a, x, y, STYLE_NORMAL, "]") + 1;
		x = area_text(a, x, y, STYLE_NORMAL, r->hint);

		t->popup_keys[t->popup_keyc].x = a->x + from;
		t->popup_keys[t->popup_keyc].y = a->y + y;
		t->popup_keys[t->popup_keyc].w = x - from;
		t->popup_keys[t->popup_keyc].when = WHEN_INCOMING;
		t->popup_keys[t->popup_keyc++].row = r;
		x += gap;
	}
}


/* "to alice@example.com, diverted by Reception (busy)" */
static void way(char *buf, size_t sz, const struct call *c)
{
	static const struct {
		const char *reason, *words;
	} reasons[] = {
		{ "user-busy", "busy" }, { "no-answer", "no answer" },
		{ "unconditional", "always" },
		{ "do-not-disturb", "do not disturb" },
	};
	const struct sip_caller *caller = call_caller(c);
	const struct account *acc = call_account(c);
	char aor[CONFIG_STR] = "", by[CONFIG_STR] = "";
	const struct sip_diverter *d = caller && caller->divertc ?
		&caller->divertv[0] : NULL;
	const char *why = d ? d->reason : "";

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (!strcmp(why, reasons[i].reason))
			why = reasons[i].words;
	}
	if (acc)
		show_uri(aor, sizeof(aor), account_config(acc)->aor);
	if (d && d->by.name[0])
		text_escape(by, sizeof(by), d->by.name,
			    strlen(d->by.name));
	else if (d)
		show_uri(by, sizeof(by), d->by.uri);

	snprintf(buf, sz, "%s%s%s%s%s%s%.40s%s", acc ? "to " : "", aor,
		 d ? (acc ? ", " : "") : "", d ? "diverted by " : "", by,
		 *why ? " (" : "", why, *why ? ")" : "");
}


/* Who says who it is: only a server of ours is believed */
static void asserted(char *buf, size_t sz, const struct call *c)
{
	const struct sip_caller *caller = call_caller(c);
	const struct account *acc = call_account(c);
	char uri[CONFIG_STR], aor[CONFIG_STR] = "";
	const char *host;

	buf[0] = '\0';
	if (!caller)
		return;
	if (acc)
		show_uri(aor, sizeof(aor), account_config(acc)->aor);
	host = strchr(aor, '@');
	if (caller->asserted.uri[0])
		snprintf(buf, sz, "asserted by %s: %s", host ? host + 1 :
			 "a server", show_uri(uri, sizeof(uri),
					      caller->asserted.uri));
	else if (caller->privacy[0])
		snprintf(buf, sz, "the caller wants to stay unknown");
}


/* Call waiting: whom we talk to, and what becomes of that; or "" */
static void other(struct tui *t, char *buf, size_t sz)
{
	const char *driver = t->ph->audio.driver;
	const bool holds = t->ph->config->hold_others &&
		(!strcmp(driver, "auto") || !strcmp(driver, "portaudio"));
	struct call *c = NULL;
	char who[128];

	buf[0] = '\0';
	while ((c = ua_call_next(t->ph->ua, c))) {
		if (call_state(c) != CALL_ACTIVE || call_held(c))
			continue;
		tui_peer(t, who, sizeof(who), c);
		if (holds)
			snprintf(buf, sz, "%s goes on hold when you answer.",
				 who);
		else
			snprintf(buf, sz, "You are in a call with %s.", who);
		return;
	}
}


static unsigned waiting(const struct tui *t)
{
	struct call *c = NULL;
	unsigned n = 0;

	while ((c = ua_call_next(t->ph->ua, c)))
		n += call_state(c) == CALL_INCOMING;

	return n;
}


void popup_draw(struct tui *t, const struct area *screen)
{
	struct call *c = ua_call(t->ph->ua, t->ringing);
	const int w = screen->w - 2 < BOX_W ? screen->w - 2 : BOX_W;
	const int h = screen->h >= 14 ? BOX_H : BOX_LOW + (w < TWO_ROWS_W);
	const int x = (screen->w - w) / 2, top = (screen->h - h) / 3;
	char text[600], uri[EVENT_TEXT], took[32];
	struct area a;
	int y = 1, end;

	if (!c)
		return;

	/* what is behind steps back */
	for (int i = 0; i < screen->h; i++)
		area_paint(screen, 0, i, screen->w, STYLE_GHOST);

	a = area_sub(screen, x, top > 0 ? top : 0, w, h);
	t->popup_area = a;
	area_fill(&a, STYLE_NORMAL);
	area_frame(&a, STYLE_ALERT_RULE);
	area_text(&a, 2, 0, STYLE_ALERT, " INCOMING CALL ");
	if (waiting(t) > 1)
		area_printf(&a, 18, 0, STYLE_ALERT_RULE, " 1 of %u ",
			    waiting(t));

	if (h >= BOX_H)
		++y;
	area_text(&a, 3, y, STYLE_ALERT_RULE, sign(a.cv, SIGN_PHONE));
	snprintf(text, sizeof(text), "ring %s",
		 show_duration(took, sizeof(took),
			       clock_ms() - t->ringing_ms));
	end = area_right(&a, a.w - 3, y, STYLE_DIM, text);
	area_cut(&a, 6, y++, end - 7, STYLE_BOLD,
		 tui_peer(t, uri, sizeof(uri), c));

	text_escape(uri, sizeof(uri), call_peer(c), strlen(call_peer(c)));
	snprintf(text, sizeof(text), "<%s>", uri);
	area_cut(&a, 6, y++, a.w - 8, STYLE_INFO, text);

	asserted(text, sizeof(text), c);
	if (text[0] && h >= BOX_H)
		area_cut(&a, 6, y++, a.w - 8, STYLE_OK, text);
	way(text, sizeof(text), c);
	if (text[0])
		area_cut(&a, 6, y++, a.w - 8, STYLE_NORMAL, text);
	other(t, text, sizeof(text));
	if (text[0] && y < h - 2 - (w < TWO_ROWS_W))
		area_cut(&a, 6, y, a.w - 8, STYLE_WORK, text);
	y = h - 2;

	if (line_open(t->line))
		area_cut(&a, 3, y, a.w - 5, STYLE_WORK,
			 "You are typing: Esc, then answer.");
	else
		draw_keys(t, &a, y);
}
