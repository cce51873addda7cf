/**
 * @file canvas.h  The picture of a screen in memory
 *
 * Panes paint here, tests read it, paint.c shows the difference to what the
 * terminal has.  A cell is a character with its marks, how wide it is and a
 * style, which is a meaning ("bad", "selected"), not a colour.  Every text is
 * taken for hostile: what is no printable UTF-8 becomes '?', nothing leaves
 * its area, no character ever moves the cursor.  Main thread.
 */
#ifndef OFFHOOK_TUI_CANVAS_H
#define OFFHOOK_TUI_CANVAS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CANVAS_W_MAX = 1000, CANVAS_H_MAX = 500,
	CELL_BYTES = 12,         /* a character of 4 bytes and two marks     */
};

enum style {
	STYLE_NORMAL = 0,
	STYLE_DIM,               /* said in passing                          */
	STYLE_BOLD,
	STYLE_TITLE,             /* of a part of the screen                  */
	STYLE_RULE,              /* lines and frames                         */
	STYLE_OK,                /* lamps and figures that are as they should */
	STYLE_WORK,              /* under way, not so good                   */
	STYLE_BAD,               /* failed, missing, muted                   */
	STYLE_ALERT,             /* needs a hand now                         */
	STYLE_ALERT_RULE,        /* the frame around that                    */
	STYLE_SELECTED,          /* the row the keys act on                  */
	STYLE_KEY,               /* a key in a hint                          */
	STYLE_INFO,              /* names, addresses: what one looks for     */
	STYLE_GHOST,             /* text not typed: a suggestion             */
	STYLE_METER,             /* sound that is there                      */
	STYLE_PLOT,              /* a second that was as it should           */
	STYLES
};

struct cell {
	char s[CELL_BYTES];      /* UTF-8, not terminated when full          */
	uint8_t len;             /* bytes of s; 0: right half of a wide one  */
	uint8_t width;           /* 1, 2; 0: right half                      */
	uint8_t style;           /* enum style                               */
	uint8_t spare;           /* 0, so that cells compare as memory       */
};

struct canvas {
	int w, h;
	struct cell *v;          /* h rows of w                              */
	bool ascii;              /* nothing but ASCII: signs have two forms  */
	int cursor_x, cursor_y;  /* -1: hidden                               */
};

/** A part of a canvas; all drawing is relative to it and clipped by it */
struct area {
	struct canvas *cv;
	int x, y, w, h;
};

/** @return 0, ENOMEM, EINVAL (no such size); free: canvas_free */
int  canvas_resize(struct canvas *cv, int w, int h);
void canvas_free(struct canvas *cv);
void canvas_clear(struct canvas *cv);
struct area canvas_area(struct canvas *cv);
/** A row as text, for tests; trailing spaces are cut. @return buf */
char *canvas_row(const struct canvas *cv, int y, char *buf, size_t sz);

/** Part of an area; what would be outside of it is cut off */
struct area area_sub(const struct area *a, int x, int y, int w, int h);
/** Blanks in a style */
void area_fill(const struct area *a, enum style st);
/** The same cells in another style: a row that is selected */
void area_paint(const struct area *a, int x, int y, int w, enum style st);

/**
 * Text at x, y up to the right edge; bytes of strangers are welcome.
 * @return the column behind it
 */
int  area_text(const struct area *a, int x, int y, enum style st,
	       const char *s);
/** At most w columns; what is cut off ends in "…". @return column behind */
int  area_cut(const struct area *a, int x, int y, int w, enum style st,
	      const char *s);
/** Ends in column x (exclusive). @return the column it begins in */
int  area_right(const struct area *a, int x, int y, enum style st,
		const char *s);
int  area_printf(const struct area *a, int x, int y, enum style st,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** A line across, w columns */
void area_rule(const struct area *a, int x, int y, int w, enum style st);
/** Frame around the whole area */
void area_frame(const struct area *a, enum style st);
/** Lines of at most w columns, broken at blanks; '\n' breaks too.
 *  @param y0 first line shown at y; @return lines there are in all */
int  area_wrap(const struct area *a, int x, int y, int w, enum style st,
	       const char *s, int skip);
/** The same for what is made of lists: all lines but the first begin indent
 *  columns further right, and a line may end behind ',' and ';' too */
int  area_wrap_in(const struct area *a, int x, int y, int w, int indent,
		  enum style st, const char *s, int skip);
/** Put the cursor of the terminal here, if it is inside */
void area_cursor(const struct area *a, int x, int y);

/** Columns a text takes, as area_text() would show it */
int  text_columns(const char *s);
/** Columns of one character: 1, 2, 0 (a mark), -1: cannot be shown */
int  cell_width(uint32_t cp);

/** A sign in its UTF-8 or ASCII form */
enum sign {
	SIGN_OK, SIGN_WORK, SIGN_OFF, SIGN_BAD, SIGN_IN, SIGN_OUT,
	SIGN_SELECT, SIGN_PHONE, SIGN_LOCK, SIGN_ELLIPSIS, SIGN_RECORD,
	SIGN_HOLD, SIGN_MUTE, SIGN_DOT, SIGN_PROMPT, SIGN_UP, SIGN_DOWN,
	SIGNS
};
const char *sign(const struct canvas *cv, enum sign s);
/** A block of 0..8 eighths: " ▁▂▃▄▅▆▇█" or " ._-=+*#@" */
const char *block(const struct canvas *cv, int eighths);

#endif
