/**
 * @file press.c  What a key does: in the line, in the box, in the pane, bound
 *
 * Main thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "tui.h"


/* The command line ------------------------------------------------------- */

static void hint_handler(const char *text, const char *about, void *arg)
{
	line_hint_add(arg, text, about);
}


static void targets(const char *typed, complete_h *h, void *h_arg, void *arg)
{
	const struct tui *t = arg;

	targets_offer(t->ph, t->line, typed, h, h_arg);
}


static void suggest(struct tui *t)
{
	char expects[COMPLETE_EXPECTS] = "";
	size_t from = 0;

	if (t->ask) {
		line_hints_clear(t->line, 0, "");
		return;
	}

	/* first what is expected, which clears, then what there is */
	line_hints_clear(t->line, 0, "");
	if (!line_at(t->line))
		return;
	command_complete(t->ph, line_text(t->line), line_at(t->line), &from,
			 expects, targets, t, hint_handler, t->line);
	line_hints_from(t->line, from, expects);
}


void tui_line(struct tui *t, const char *text)
{
	if (t->ask)
		return;

	line_start(t->line, "", text, false);
	suggest(t);
	tui_dirty(t);
}


void tui_ask(struct tui *t, const char *prompt, const char *text,
	     bool secret, ask_h *h, void *arg)
{
	t->ask = h;
	t->ask_arg = arg;
	line_start(t->line, prompt, text, secret);
	tui_dirty(t);
}


/* What a page is to look for ---------------------------------------------- */

static void search(struct tui *t, const char *text)
{
	if (t->pane->act)
		(void)t->pane->act(t, tui_state(t, t->pane), ACT_FIND, text);
}


/* Esc: all is shown again */
static void search_handler(const char *answer, void *arg)
{
	search(arg, answer ? answer : "");
}


void press_search(struct tui *t)
{
	if (!t->ask)
		tui_ask(t, "find", "", false, search_handler, t);
}


/* A message that is written ------------------------------------------------ */

/* The other side may be told that we write (RFC 3994) */
static void writing(struct tui *t, const char *text, bool goes_on)
{
	char line[LINE_BYTES + 700];

	snprintf(line, sizeof(line), "message %s x%s", t->to, text);
	if (*text || !goes_on)
		command_typing(t->ph, line, goes_on);
}


static void write_handler(const char *answer, void *arg)
{
	char word[CLIENT_LINE_MAX], line[CLIENT_LINE_MAX];
	struct tui *t = arg;

	if (!answer || !answer[strspn(answer, " ")]) {
		writing(t, "", false);
		return;
	}

	t->said[0] = '\0';
	snprintf(line, sizeof(line), "message %s -- %s", t->to,
		 tui_quote(answer, word, sizeof(word) - 700));
	runner_submit(t, line, false);
}


void tui_write(struct tui *t, const char *uri, const char *who)
{
	char prompt[100];

	if (t->ask)
		return;

	tui_quote(uri, t->to, sizeof(t->to));
	snprintf(prompt, sizeof(prompt), "to %.60s", who);
	tui_ask(t, prompt, "", false, write_handler, t);
}


/* A search shows what it finds while it is typed */
static void changed(struct tui *t)
{
	if (t->ask == search_handler)
		search(t, line_text(t->line));
	if (t->ask == write_handler)
		writing(t, line_text(t->line), true);
	suggest(t);
	if (!t->ask)
		command_typing(t->ph, line_text(t->line), true);
}


void press_line_done(struct tui *t, bool entered)
{
	char text[LINE_BYTES];
	ask_h *h = t->ask;

	snprintf(text, sizeof(text), "%s", line_text(t->line));
	line_close(t->line);
	t->ask = NULL;

	if (h) {
		h(entered ? text : NULL, t->ask_arg);
		explicit_bzero(text, sizeof(text));
		return;
	}

	if (!entered)
		command_typing(t->ph, text, false);
	if (!entered || !text[strspn(text, " ")])
		return;

	t->said[0] = '\0';
	line_keep(t->line, text);
	runner_submit(t, text, true);
}


static bool key_line(struct tui *t, const struct key *k)
{
	switch (line_key(t->line, k)) {

	case LINE_IGNORED: return false;
	case LINE_MOVED:   break;
	case LINE_CHANGED: changed(t); break;
	case LINE_ENTERED: press_line_done(t, true); break;
	case LINE_LEFT:    press_line_done(t, false); break;
	}

	return true;
}


/* Keys ------------------------------------------------------------------- */

static unsigned calls(const struct tui *t)
{
	struct call *c = NULL;
	unsigned n = 0;

	while ((c = ua_call_next(t->ph->ua, c)))
		n += call_state(c) == CALL_ACTIVE;

	return n;
}


unsigned tui_whens(const struct tui *t)
{
	const struct call *c = tui_call(t);
	unsigned w = 1u << WHEN_PANE | 1u << WHEN_ALWAYS;

	if (t->ringing)
		return 1u << WHEN_INCOMING;
	if (!c)
		return w | 1u << WHEN_IDLE;

	w |= 1u << WHEN_CALL;
	if (call_held(c))
		w |= 1u << WHEN_HELD;
	if (call_muted(c))
		w |= 1u << WHEN_MUTED;
	if (call_recording(c))
		w |= 1u << WHEN_RECORDING;
	if (calls(t) > 1)
		w |= 1u << WHEN_CALLS;

	return w;
}


const struct key_row *tui_pane_keys(struct tui *t)
{
	const struct pane *p = t->pane;

	return p->keys_now ? p->keys_now(tui_state(t, p)) : p->keys;
}


static void key_mouse(struct tui *t, const struct key *k)
{
	const struct area *p = &t->pane_area;
	void *state = tui_state(t, t->pane);

	if (k->button == MOUSE_WHEEL_UP || k->button == MOUSE_WHEEL_DOWN) {
		for (int i = 0; i < 3; i++)
			(void)t->pane->act(t, state, k->button ==
					   MOUSE_WHEEL_UP ? ACT_UP : ACT_DOWN,
					   "");
		return;
	}
	if (k->button != MOUSE_LEFT)
		return;

	for (size_t i = 0; t->ringing && i < t->popup_keyc; i++) {
		if (k->y == t->popup_keys[i].y &&
		    k->x >= t->popup_keys[i].x &&
		    k->x < t->popup_keys[i].x + t->popup_keys[i].w) {
			runner_bound(t, t->popup_keys[i].row->line);
			return;
		}
	}
	if (t->ringing)
		return;

	for (size_t i = 0; i < t->buttonc; i++) {
		if (k->y == t->buttons_y && k->x >= t->buttons[i].x &&
		    k->x < t->buttons[i].x + t->buttons[i].w) {
			runner_bound(t, t->buttons[i].row->line);
			return;
		}
	}

	if (k->y >= t->line_area.y &&
	    k->y < t->line_area.y + t->line_area.h) {
		if (!line_open(t->line))
			tui_line(t, "");
		return;
	}

	if (t->pane->click && k->x >= p->x && k->y >= p->y &&
	    k->x < p->x + p->w && k->y < p->y + p->h)
		(void)t->pane->click(t, state, k->x - p->x, k->y - p->y);
}


/* A number from elsewhere is there to be dialled */
static void key_paste(struct tui *t, const struct key *k)
{
	if (!line_open(t->line) && !t->ringing && k->cp != ' ')
		tui_line(t, "dial ");
	if (line_open(t->line))
		(void)key_line(t, k);
}


void tui_key(struct tui *t, const struct key *k)
{
	const char *line;

	tui_dirty(t);

	if (k->code == KEY_LIGHT) {
		if (t->ph->config->screen_background ==
		    SCREEN_BACKGROUND_AUTO && t->term) {
			term_set_light(t->term, k->cp);
			paint_forget(&t->paint);
		}
		return;
	}
	if (k->code == KEY_MOUSE) {
		key_mouse(t, k);
		return;
	}
	if (k->code == KEY_PASTE) {
		key_paste(t, k);
		return;
	}

	if (line_open(t->line) && key_line(t, k))
		return;

	popup_update(t);
	if (t->ringing && clock_ms() - t->ringing_ms < GUARD_MS)
		return;

	if (!t->ringing && t->pane->key &&
	    t->pane->key(t, tui_state(t, t->pane), k))
		return;

	line = keys_line(t->keys, tui_pane_keys(t), t->pane->name,
			 tui_whens(t), k);
	if (line)
		runner_bound(t, line);
}
