/**
 * @file tui.c  The full-screen phone: keys become lines, events make it paint
 *
 * It has no model of its own: events say that something has changed, and
 * painting asks what is true now.  A terminal may come and go; without one
 * nothing is painted, and without anything new nothing runs at all.  Main
 * thread, never blocks.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include "offhook/clock.h"
#include "offhook/contact.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "tui.h"

#define LOG_MODULE "tui"
#include "offhook/log.h"

static void paint(void *arg);


/* Painting --------------------------------------------------------------- */

void tui_dirty(struct tui *t)
{
	const uint64_t now = clock_ms();
	const uint64_t due = t->painted_ms + FRAME_MS;

	t->dirty = true;
	if (!t->term || timer_running(&t->tmr_paint))
		return;

	timer_start(&t->tmr_paint, due > now ? due - now : 0, paint, t);
}


static void tick(void *arg)
{
	tui_dirty(arg);
}


/* Meters move only while they are looked at */
static void levels(struct tui *t)
{
	const uint64_t now = clock_ms();
	struct call *c = NULL;

	if (!t->tick_ms || t->tick_ms > 250 || now - t->level_ms < 90)
		return;

	t->level_ms = now;
	while ((c = ua_call_next(t->ph->ua, c)))
		trends_levels(t->trends, c);
}


static uint64_t next_tick(struct tui *t)
{
	const uint64_t wall = clock_wall_ms();
	uint64_t ms = 60000 - wall % 60000 + 1;

	t->tick_ms = t->pane->tick_ms ?
		t->pane->tick_ms(t, tui_state(t, t->pane)) : 0;
	if (t->ringing && (!t->tick_ms || t->tick_ms > 1000))
		t->tick_ms = 1000;
	if (t->tick_ms && t->tick_ms < ms)
		ms = t->tick_ms;

	return ms;
}


static void title(struct tui *t)
{
	struct call *c = ua_call(t->ph->ua, t->ringing);
	char who[100], text[160] = "offhook";

	if (c) {
		snprintf(text, sizeof(text), "%s calls - offhook",
			 tui_peer(t, who, sizeof(who), c));
	}
	else if ((c = tui_call(t))) {
		snprintf(text, sizeof(text), "%s - offhook",
			 tui_peer(t, who, sizeof(who), c));
	}

	if (strcmp(t->title, text)) {
		snprintf(t->title, sizeof(t->title), "%s", text);
		term_title(t->term, text);
	}
}


/* CPU of this thread: a busy machine makes no paint dearer */
static uint64_t cpu_us(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}


static void paint(void *arg)
{
	struct tui *t = arg;
	const uint64_t start = cpu_us();
	uint64_t took;
	int w, h;

	/* a stopped terminal: once it has taken this, all of it at once */
	if (!t->term || term_behind(t->term))
		return;

	term_size(t->term, &w, &h);
	if (canvas_resize(&t->canvas, w, h))
		return;

	t->dirty = false;
	popup_update(t);
	levels(t);
	layout_draw(t);
	title(t);
	paint_show(&t->paint, t->term, &t->canvas);

	t->painted_ms = clock_ms();
	took = cpu_us() - start;
	++t->paints;
	t->paint_us += took;
	if (took > t->paint_us_max)
		t->paint_us_max = took;

	timer_start(&t->tmr_tick, next_tick(t), tick, t);
}


/* What panes ask --------------------------------------------------------- */

const struct phone *tui_phone(const struct tui *t)
{
	return t->ph;
}


void *tui_state(struct tui *t, const struct pane *p)
{
	for (size_t i = 0; pane_at(i) && i < PANES_MAX; i++) {
		if (pane_at(i) != p || !p->state)
			continue;
		if (!t->states[i])
			t->states[i] = mem_zalloc(p->state, NULL);
		return t->states[i];
	}

	return NULL;
}


void tui_show(struct tui *t, const struct pane *p)
{
	if (t->pane != p) {
		if (t->pane != &pane_reply && t->pane != &pane_help)
			t->before = t->pane;
		t->pane = p;
		t->fresh = true;
	}
	if (p->shown)
		p->shown(t, tui_state(t, p));
	tui_dirty(t);
}


struct call *tui_call(const struct tui *t)
{
	struct call *c = ua_call(t->ph->ua,
				 client_selected(t->runners[0].client));

	return c && call_state(c) != CALL_ENDED ? c : NULL;
}


const char *tui_who(const struct tui *t, char *buf, size_t sz,
		    const char *uri, const char *name)
{
	const struct contact_conf *cc = t->ph->contacts ?
		contacts_by_uri(t->ph->contacts, uri) : NULL;

	if (cc)
		name = cc->name;
	if (!*name)
		return show_uri(buf, sz, uri);

	return text_escape(buf, sz, name, strlen(name));
}


const char *tui_peer(const struct tui *t, char *buf, size_t sz,
		     const struct call *c)
{
	const struct sip_party *now = call_peer_now(c);

	return now ? tui_who(t, buf, sz, now->uri, now->name) :
		tui_who(t, buf, sz, call_peer(c), call_peer_name(c));
}


const struct trend *tui_trend(const struct tui *t, unsigned call)
{
	return trends_find(t->trends, call);
}


const struct news *tui_news(const struct tui *t, size_t i)
{
	return newses_at(t->newses, i);
}


/* The terminal ----------------------------------------------------------- */

static void key_handler(const struct key *k, void *arg)
{
	struct tui *t = arg;

	/* the key before may have ended it */
	if (t->term)
		tui_key(t, k);
}


static void esc_late(void *arg)
{
	struct tui *t = arg;

	decode_late(&t->decode, key_handler, t);
}


static void read_handler(const char *p, size_t len, void *arg)
{
	struct tui *t = arg;

	timer_cancel(&t->tmr_esc);
	decode_bytes(&t->decode, p, len, key_handler, t);
	if (t->term && decode_waits(&t->decode))
		timer_start(&t->tmr_esc, ESC_MS, esc_late, t);

	/* the key is on the screen before anything else happens */
	if (t->term && t->dirty &&
	    clock_ms() - t->painted_ms >= FRAME_MS) {
		timer_cancel(&t->tmr_paint);
		paint(t);
	}
}


static void drained_handler(void *arg)
{
	struct tui *t = arg;

	tui_dirty(t);
}


static void gone(void *arg)
{
	struct tui *t = arg;

	if (t->conf.end_h)
		t->conf.end_h(t->gone, t->conf.arg);
}


void tui_leave(struct tui *t, enum tui_end why)
{
	t->gone = why;
	timer_start(&t->tmr_gone, 0, gone, t);
}


static void lost_handler(int err, void *arg)
{
	struct tui *t = arg;

	log_info("the terminal is gone: %s", strerror(err));
	tui_leave(t, TUI_LOST);
}


static bool is_utf8(const char *lang)
{
	return lang && (strcasestr(lang, "utf-8") || strcasestr(lang,
								"utf8"));
}


/* "15;0": white on black */
static bool is_light(const char *colorfgbg)
{
	const char *bg = colorfgbg ? strrchr(colorfgbg, ';') : NULL;

	return bg && (!strcmp(bg, ";7") || !strcmp(bg, ";15"));
}


static int colours_most(const struct tui *t, const struct tui_terminal *term)
{
	static const int most[] = {
		[SCREEN_COLOURS_AUTO] = -1, [SCREEN_COLOURS_256] = 256,
		[SCREEN_COLOURS_16] = 16, [SCREEN_COLOURS_8] = 8,
		[SCREEN_COLOURS_MONO] = 0,
	};
	const int option = t->ph->config->screen_colours;

	return option == SCREEN_COLOURS_AUTO && term->no_color ? 0 :
		most[option];
}


/* Files of what is kept are read when somebody asks first: now, so that no
 * paint has to wait for ten thousand lines */
static void kept_read(struct tui *t)
{
	(void)history_count(t->ph->history);
	(void)contacts_count(t->ph->contacts);
	if (t->ph->messages)
		(void)messages_count(t->ph->messages);
}


int tui_start(struct tui *t, const struct tui_terminal *term, char *err)
{
	const struct config *conf = t->ph->config;
	const int back = conf->screen_background;
	struct term_conf tc = {
		.in_fd = term->in_fd,
		.out_fd = term->out_fd,
		.name = term->term,
		.colours = colours_most(t, term),
		.light = back == SCREEN_BACKGROUND_LIGHT ||
			(back == SCREEN_BACKGROUND_AUTO &&
			 is_light(term->colorfgbg)),
		.ask = back == SCREEN_BACKGROUND_AUTO && !term->colorfgbg,
		.mouse = conf->screen_mouse,
		.read_h = read_handler,
		.drained_h = drained_handler,
		.lost_h = lost_handler,
		.arg = t,
	};
	char text[256] = "";
	int e;

	if (t->term)
		return EBUSY;

	e = term_open(&t->term, &tc, text);
	if (e) {
		snprintf(err, UA_ERR, "%s", text);
		return e;
	}

	kept_read(t);
	t->canvas.ascii = conf->screen_signs == SCREEN_SIGNS_ASCII ||
		(conf->screen_signs == SCREEN_SIGNS_AUTO &&
		 !is_utf8(term->lang));
	memset(&t->decode, 0, sizeof(t->decode));
	t->title[0] = '\0';
	t->painted_ms = 0;
	paint_forget(&t->paint);
	tui_dirty(t);

	return 0;
}


void tui_stop(struct tui *t)
{
	if (!t || !t->term)
		return;

	log_info("the screen was painted %llu times, by %llu us of CPU each, "
		 "%llu at most", (unsigned long long)t->paints,
		 (unsigned long long)(t->paints ? t->paint_us / t->paints :
				      0), (unsigned long long)t->paint_us_max);
	t->paints = t->paint_us = t->paint_us_max = 0;
	timer_cancel(&t->tmr_esc);
	timer_cancel(&t->tmr_paint);
	timer_cancel(&t->tmr_tick);
	timer_cancel(&t->tmr_gone);
	term_close(t->term);
	t->term = NULL;
	paint_free(&t->paint);

	/* a question that nobody sees any more; a half typed line stays */
	if (t->ask)
		press_line_done(t, false);
}


bool tui_running(const struct tui *t)
{
	return t && t->term;
}


void tui_resized(struct tui *t)
{
	if (t)
		tui_dirty(t);
}


void tui_restore(void)
{
	term_restore();
}


struct client *tui_client(struct tui *t)
{
	return t ? t->runners[0].client : NULL;
}


/* Life ------------------------------------------------------------------- */

static void event_handler(const struct event *ev, void *arg)
{
	struct tui *t = arg;
	const struct pane *p;

	trends_event(t->trends, ev);
	if (newses_event(t->newses, t, ev) && ev->type != EVENT_LOG)
		t->said[0] = '\0';

	for (size_t i = 0; (p = pane_at(i)); i++) {
		if (p->event)
			p->event(t, tui_state(t, p), ev);
	}

	if (ev->type == EVENT_CALL_STATE && t->term &&
	    !strcmp(ev->u.call_state.state, "incoming"))
		popup_ring(t, ev);

	tui_dirty(t);
}


/* All but the loudness, which is measured only for who asks: a meter that is
 * looked at asks by itself */
static int subscribe(struct tui *t)
{
	int err = 0;

	for (size_t i = 0; i < EVENT_TYPES && !err; i++) {
		if (i != EVENT_CALL_LEVEL)
			err = event_subscribe_type(&t->subs[i], t->ph->bus,
						   (enum event_type)i,
						   event_handler, t);
	}

	return err;
}


static void destructor(void *arg)
{
	struct tui *t = arg;

	tui_stop(t);
	t->ph->screen_h = NULL;
	for (size_t i = 0; i < EVENT_TYPES; i++)
		mem_deref(t->subs[i]);
	for (size_t i = 0; i < RUNNERS; i++)
		mem_deref(t->runners[i].client);
	for (size_t i = 0; pane_at(i) && i < PANES_MAX; i++) {
		if (t->states[i] && pane_at(i)->close)
			pane_at(i)->close(t, t->states[i]);
		mem_deref(t->states[i]);
	}
	mem_deref(t->line);
	mem_deref(t->keys);
	mem_deref(t->trends);
	mem_deref(t->newses);
	canvas_free(&t->canvas);
	free(t->reply);
}


int tui_alloc(struct tui **tp, struct phone *ph, const struct tui_conf *conf,
	      char *err)
{
	struct tui *t = mem_zalloc(sizeof(*t), destructor);
	int e;

	if (!t)
		return ENOMEM;

	t->ph = ph;
	t->conf = *conf;
	t->pane = t->before = pane_at(0);

	e = keys_load(&t->keys, conf->keys, err);
	if (!e)
		e = line_alloc(&t->line, conf->lines);
	if (!e)
		e = trends_alloc(&t->trends);
	if (!e)
		e = newses_alloc(&t->newses);
	if (!e)
		e = runner_start(&t->runners[0], t);
	if (!e)
		e = subscribe(t);
	if (e) {
		mem_deref(t);
		return e;
	}

	if (start_wanted(t))
		t->pane = &pane_start;

	ph->screen_h = doer;
	ph->screen_arg = t;
	*tp = t;

	return 0;
}
