/**
 * @file pane.h  A pane: one page of the full-screen phone
 *
 * A pane is a const struct in the array of panes.c.  It paints itself into an
 * area from what is true now (const accessors of ua.h and app.h), keeps no
 * copy of the model, and acts by submitting command lines.  It never touches
 * the terminal.  Everything on main; nothing may block.
 *
 * To add one: write pane_NAME.c, name it in panes.c and in meson.build, and
 * give it a canvas test.
 */
#ifndef OFFHOOK_TUI_PANE_H
#define OFFHOOK_TUI_PANE_H

#include "offhook/ui.h"
#include "canvas.h"
#include "keys.h"

struct tui;

/** What keys and the mouse ask a pane to do; as `screen ACTION` calls them */
enum act {
	ACT_UP, ACT_DOWN, ACT_PAGE_UP, ACT_PAGE_DOWN, ACT_TOP, ACT_BOTTOM,
	ACT_LEFT, ACT_RIGHT,
	ACT_CHOOSE,              /* Enter                                    */
	ACT_BACK,                /* Esc                                      */
	ACT_FIND,                /* text: what is looked for; "" no longer   */
	ACT_USER,                /* any other word of the pane's own: text   */
	ACTS
};

struct pane {
	const char *name;        /* `view NAME`                              */
	const char *title;
	const char *summary;     /* for `?` and completion                   */
	int min_w, min_h;        /* below them only a line says so           */
	size_t state;            /* bytes of its own, zeroed at the start;
				    they live as long as the phone, through
				    detach and attach                        */
	const struct key_row *keys;  /* its own; NULL: none                  */
	/** Those that count just now, if they are not always the same; or NULL */
	const struct key_row *(*keys_now)(const void *state);
	const char *help;        /* a paragraph or two for `?`               */

	/** Paint; the area is blank */
	void (*draw)(struct tui *t, void *state, const struct area *a);
	/** @return false: nothing to do, others may */
	bool (*act)(struct tui *t, void *state, enum act act,
		    const char *text);
	/** Left button, in the area as it was painted; or NULL */
	bool (*click)(struct tui *t, void *state, int x, int y);
	/** Before any binding, e.g. while a field is edited; or NULL.
	 *  @return true: taken */
	bool (*key)(struct tui *t, void *state, const struct key *k);
	/** Every event, also while another pane is shown; or NULL. Whatever
	 *  happens, the screen is painted anew */
	void (*event)(struct tui *t, void *state, const struct event *ev);
	/** Paint again after so many ms though nothing happened; 0: no need.
	 *  Asked after each paint; or NULL */
	unsigned (*tick_ms)(struct tui *t, void *state);
	/** It is shown now; or NULL */
	void (*shown)(struct tui *t, void *state);
	/** Free what state points to; or NULL */
	void (*close)(struct tui *t, void *state);
};

/** The array; NULL ends it */
const struct pane *pane_at(size_t i);
const struct pane *pane_find(const char *name);

/* What a pane may ask of the screen -------------------------------------- */

const struct phone *tui_phone(const struct tui *t);
/** Run a command line, as if it had been typed */
void tui_submit(struct tui *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Quote a word of strangers for such a line. @return buf */
const char *tui_quote(const char *word, char *buf, size_t sz);
/** Open the command line with this text in it */
void tui_line(struct tui *t, const char *text);
/** Say something in the row above the command line */
void tui_say(struct tui *t, enum style st, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Something has changed that no event told: paint */
void tui_dirty(struct tui *t);
void tui_show(struct tui *t, const struct pane *p);
/** The selected call, or NULL */
struct call *tui_call(const struct tui *t);

/* trend.c: how a call went lately, kept by the screen -------------------- */

enum { TREND_S = 60, TREND_LEVELS = 64 };

struct trend {
	unsigned call;
	/* a second each, the last one at (n - 1) % TREND_S */
	struct {
		uint8_t mos10;           /* 0: not known                     */
		uint8_t loss_pct;
		uint16_t jitter_ms;
	} q[TREND_S];
	unsigned n;
	uint64_t last_ms;        /* wall clock of the last one               */
	/* loudness in dBFS, painted one after the other */
	int8_t in[TREND_LEVELS], out[TREND_LEVELS];
	unsigned levels;
	double mos, loss_pct;            /* of the last second, NAN          */
	int64_t jitter_ms, delay_ms, rtt_ms;   /* EVENT_NONE: not known      */
	int64_t device_ms;               /* microphone and loudspeaker       */
	uint32_t cut;                    /* samples of ours at the limit, in the
					    last second                      */
	uint32_t cut_now;                /* ... so far                       */
	char digits_in[64], digits_out[64];    /* the last ones              */
	char local[80], remote[80];      /* of call.media                    */
	char path[24];                   /* direct, relay                    */
};
/** NULL: nothing is known of it */
const struct trend *tui_trend(const struct tui *t, unsigned call);

/* news.c: what happened, in words ---------------------------------------- */

enum { NEWS_MAX = 200, NEWS_TEXT = 300 };

struct news {
	uint64_t time;           /* wall ms                                  */
	enum style style;
	enum sign sign;          /* SIGNS: none                              */
	unsigned call;
	char text[NEWS_TEXT];
};
/** i: 0 is the newest. NULL: no more */
const struct news *tui_news(const struct tui *t, size_t i);

/* show.c: values as people read them -------------------------------------- */

/** "sip:bob@example.com;x=y" as "bob@example.com". @return buf */
const char *show_uri(char *buf, size_t sz, const char *uri);
/** Whose address it is: by the contacts, else the name that came with it,
 *  else the address. @return buf */
const char *tui_who(const struct tui *t, char *buf, size_t sz,
		    const char *uri, const char *name);
/** The same of a call's peer */
const char *tui_peer(const struct tui *t, char *buf, size_t sz,
		     const struct call *c);
/** "3:27", "1:02:03" */
const char *show_duration(char *buf, size_t sz, uint64_t ms);
/** Time of day of a wall clock "10:43"; seconds: "10:43:20" */
const char *show_clock(char *buf, size_t sz, uint64_t wall_ms, bool seconds);
/** "10:31", "yesterday", "Mon", "3 Nov", "2025-11-03": as seen from now */
const char *show_when(char *buf, size_t sz, uint64_t wall_ms,
		      uint64_t now_ms);
/** "good", "fair", "poor", "bad"; the style it is shown in */
const char *show_mos(double mos, enum style *st);
/** "ACTIVE", "HELD by us" ...; the style */
const char *show_state(const struct call *c, enum style *st);
/** "-18 dB", "silent". @return buf */
const char *show_level(char *buf, size_t sz, int dbfs);
/** n columns of a meter of what is said: -60 to 0 dBFS, newest right */
void show_levels(const struct area *a, int x, int y, int n, const int8_t *v,
		 unsigned count);

/* rows.c: a list that scrolls, with one row selected ----------------------- */

struct rows {
	int count;               /* set before each use                      */
	int cur;                 /* selected, -1: none                       */
	int top;                 /* first one shown                          */
	int height;              /* as painted last                          */
};
/** Before painting: set count, keep cur in it and in sight */
void rows_fit(struct rows *r, int count, int height);
/** The usual actions. @return false: not one of them */
bool rows_act(struct rows *r, enum act act);
/** Row of the list at line y as painted last, -1: none */
int  rows_at(const struct rows *r, int y);
/** Arrows at the right edge when there is more above or below */
void rows_marks(const struct rows *r, const struct area *a);

#endif
