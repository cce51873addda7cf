/**
 * @file tui.h  Inside the full-screen phone
 *
 * tui.c is its life: the terminal comes and goes, keys become lines, events
 * mark it dirty, a timer paints.  layout.c puts header, pane, line and hints
 * in their places, popup.c asks about a call that rings.  Main thread.
 */
#ifndef OFFHOOK_TUI_TUI_H
#define OFFHOOK_TUI_TUI_H

#include "offhook/timer.h"
#include "line.h"
#include "paint.h"
#include "pane.h"

enum {
	PANES_MAX = 24,
	FRAME_MS = 16,           /* between two paints                       */
	ESC_MS = 25,             /* a lone ESC is the key                    */
	RUNNERS = 8,             /* lines that may wait at a time            */
	REPLY_MAX = 1 << 20,
	GUARD_MS = 300,          /* keys on their way are no answer to a call */
	SAY_MAX = 600,
};

/* trend.c */
struct trends;
int  trends_alloc(struct trends **tp);                   /* mem_deref */
void trends_event(struct trends *ts, const struct event *ev);
void trends_levels(struct trends *ts, struct call *c);
void trends_digits_out(struct trends *ts, unsigned call, const char *digits);
const struct trend *trends_find(const struct trends *ts, unsigned call);

/* news.c */
struct newses;
int  newses_alloc(struct newses **np);                   /* mem_deref */
/** @return true: there is something to tell */
bool newses_event(struct newses *ns, const struct tui *t,
		  const struct event *ev);
const struct news *newses_at(const struct newses *ns, size_t i);

/** A question in the command line; answer NULL: it was left */
typedef void (ask_h)(const char *answer, void *arg);

/** Who runs lines: a client, and the line it runs */
struct runner {
	struct tui *t;
	struct client *client;
	unsigned selected;       /* when the line began                      */
	bool typed;
	char line[LINE_BYTES];
};

struct tui {
	struct phone *ph;
	struct tui_conf conf;
	struct runner runners[RUNNERS];  /* the first one knows the selected
					    call                             */
	struct event_sub *subs[EVENT_TYPES];
	struct line *line;
	struct keys *keys;
	struct trends *trends;
	struct newses *newses;

	const struct pane *pane, *before;
	bool fresh;              /* it is shown, but was not painted yet     */
	void *states[PANES_MAX];

	/* the terminal, while there is one */
	struct term *term;
	struct paint paint;
	struct canvas canvas;
	struct decode decode;
	char title[160];
	struct timer tmr_esc, tmr_paint, tmr_tick, tmr_gone;
	enum tui_end gone;
	bool dirty;
	uint64_t painted_ms, paints;
	uint64_t paint_us, paint_us_max; /* of CPU                           */
	uint64_t level_ms;       /* meters were read last                    */
	unsigned tick_ms;        /* somebody wants to be painted so often    */

	/* where things were painted, for the mouse */
	struct area pane_area, popup_area, line_area;
	struct { int x, w; enum key_when when; const struct key_row *row; }
		buttons[24];
	size_t buttonc;
	int buttons_y;
	struct { int x, y, w; enum key_when when; const struct key_row *row; }
		popup_keys[8];
	size_t popup_keyc;

	/* the row above the command line */
	char said[SAY_MAX];
	enum style said_style;
	uint64_t said_ms;        /* wall clock                               */

	unsigned ringing;        /* the call the box asks about, 0: none     */
	uint64_t ringing_ms;     /* since when                               */
	unsigned hushed[16];     /* calls whose box was put away             */
	unsigned hushc;

	char *reply;             /* of the last command, several lines       */

	ask_h *ask;
	void *ask_arg;
	char to[600];            /* who is written to, quoted                */
};

/* runner.c: command lines */
int  runner_start(struct runner *run, struct tui *t);
void runner_submit(struct tui *t, const char *line, bool typed);
/** A line of a key: %c in it is the number of the call it is about */
void runner_bound(struct tui *t, const char *line);

/* press.c: keys and the mouse */
/** Rows of keys of the page that is shown, as they count now; NULL: none */
const struct key_row *tui_pane_keys(struct tui *t);
/** The line is left, entered or not */
void press_line_done(struct tui *t, bool entered);
/** Ask what the page is to look for; it does while that is typed */
void press_search(struct tui *t);
void tui_key(struct tui *t, const struct key *k);
/** What is true now of the times of key_when, bits */
unsigned tui_whens(const struct tui *t);
/** Its end_h, on the next turn */
void tui_leave(struct tui *t, enum tui_end why);
void *tui_state(struct tui *t, const struct pane *p);

/** Ask for a value in the command line; one question at a time */
void tui_ask(struct tui *t, const char *prompt, const char *text,
	     bool secret, ask_h *h, void *arg);

/** Ask what to write to somebody, as plain text: no quotes, no options */
void tui_write(struct tui *t, const char *uri, const char *who);

/* pane_start.c */
/** Is nothing configured, and nothing has happened yet? */
bool start_wanted(const struct tui *t);

/* layout.c: paint all of it */
void layout_draw(struct tui *t);

/* popup.c */
/** Which call is to be asked about now */
void popup_update(struct tui *t);
void popup_hush(struct tui *t);
/** Tell it by bell and notice */
void popup_ring(struct tui *t, const struct event *ev);
void popup_draw(struct tui *t, const struct area *screen);

/* doer.c: what `view` and `screen` do */
int  doer(enum screen_verb verb, const char *what, const char *text,
	  char *err, void *arg);

extern const struct pane pane_home, pane_call, pane_people, pane_messages,
	pane_history, pane_ladder, pane_devices, pane_settings, pane_log,
	pane_help,
	pane_reply, pane_start;

#endif
