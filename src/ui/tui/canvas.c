/**
 * @file canvas.c  The picture of a screen in memory
 *
 * Pure: no terminal, no clock.  Here is the one place where text of
 * strangers becomes characters of a screen.  Main thread.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "offhook/text.h"
#include "canvas.h"

enum { MARKS_MAX = 2 };          /* on one character                         */

/* Signs of equal width in both forms, so that nothing moves */
static const char *const signs[SIGNS][2] = {
	[SIGN_OK]       = {"\u25cf", "*"},
	[SIGN_WORK]     = {"\u25d0", "~"},
	[SIGN_OFF]      = {"\u25cb", "-"},
	[SIGN_BAD]      = {"\u2715", "x"},
	[SIGN_IN]       = {"\u2190", "<"},
	[SIGN_OUT]      = {"\u2192", ">"},
	[SIGN_SELECT]   = {"\u25b6", ">"},
	[SIGN_PHONE]    = {"\u260e", "#"},
	[SIGN_LOCK]     = {"\u25a3", "@"},
	[SIGN_ELLIPSIS] = {"\u2026", "~"},
	[SIGN_RECORD]   = {"\u25cf", "*"},
	[SIGN_HOLD]     = {"\u2016", "="},
	[SIGN_MUTE]     = {"\u2300", "0"},
	[SIGN_DOT]      = {"\u00b7", "-"},
	[SIGN_PROMPT]   = {"\u203a", ">"},
	[SIGN_UP]       = {"\u2191", "^"},
	[SIGN_DOWN]     = {"\u2193", "v"},
};


const char *sign(const struct canvas *cv, enum sign s)
{
	return signs[s][cv->ascii];
}


const char *block(const struct canvas *cv, int eighths)
{
	static const char *const blocks[9][2] = {
		{" ", " "}, {"\u2581", "."}, {"\u2582", "_"},
		{"\u2583", "-"}, {"\u2584", "="}, {"\u2585", "+"},
		{"\u2586", "*"}, {"\u2587", "#"}, {"\u2588", "@"},
	};

	eighths = eighths < 0 ? 0 : eighths > 8 ? 8 : eighths;

	return blocks[eighths][cv->ascii];
}


/* Characters ------------------------------------------------------------- */

/* Formats that join, hide or turn round: a mark that shows nothing is not a
 * mark here, or two names that look alike could differ */
static bool invisible(uint32_t cp)
{
	return cp == 0x00ad || cp == 0x034f || cp == 0x115f || cp == 0x1160 ||
		cp == 0x17b4 || cp == 0x17b5 || cp == 0x3164 || cp == 0xffa0 ||
		(cp >= 0x180b && cp <= 0x180f) ||
		(cp >= 0x200b && cp <= 0x200f) ||
		(cp >= 0x2028 && cp <= 0x202e) ||
		(cp >= 0x2060 && cp <= 0x206f) ||
		(cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xfeff ||
		(cp >= 0xfff0 && cp <= 0xfffb) ||
		(cp >= 0x1d173 && cp <= 0x1d17a) ||
		(cp >= 0xe0000 && cp <= 0xe0fff);
}


/* The tables of the C library, whatever locale the user has */
static int width_of(uint32_t cp)
{
	static locale_t utf8;
	static bool tried;
	locale_t old;
	int w;

	if (!tried) {
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
		tried = true;
	}
	if (!utf8)
		return 1;

	old = uselocale(utf8);
	w = wcwidth((wchar_t)cp);
	(void)uselocale(old);

	return w;
}


int cell_width(uint32_t cp)
{
	if (cp >= 0x20 && cp < 0x7f)
		return 1;
	if (text_is_unsafe(cp) || invisible(cp))
		return -1;
	/* ours: the same on every terminal */
	if (cp >= 0x2500 && cp < 0x2600)
		return 1;

	return width_of(cp);
}


/* One character of a text. @return bytes taken; *w -1: show '?' */
static size_t next_char(const char *s, size_t len, uint32_t *cp, int *w)
{
	const size_t n = text_utf8_decode(cp, s, len);

	if (!n) {
		*cp = '?';
		*w = 1;
		return 1;
	}

	*w = cell_width(*cp);

	return n;
}


int text_columns(const char *s)
{
	size_t len = strlen(s);
	int x = 0;

	while (len) {
		uint32_t cp;
		int w;
		const size_t n = next_char(s, len, &cp, &w);

		x += w < 0 ? 1 : w;
		s += n;
		len -= n;
	}

	return x;
}


/* Canvas ----------------------------------------------------------------- */

static void cell_blank(struct cell *c, enum style st)
{
	memset(c, 0, sizeof(*c));
	c->s[0] = ' ';
	c->len = c->width = 1;
	c->style = (uint8_t)st;
}


void canvas_clear(struct canvas *cv)
{
	for (int i = 0; i < cv->w * cv->h; i++)
		cell_blank(&cv->v[i], STYLE_NORMAL);

	cv->cursor_x = cv->cursor_y = -1;
}


int canvas_resize(struct canvas *cv, int w, int h)
{
	struct cell *v;

	if (w < 1 || h < 1 || w > CANVAS_W_MAX || h > CANVAS_H_MAX)
		return EINVAL;

	if (w != cv->w || h != cv->h) {
		v = realloc(cv->v, (size_t)(w * h) * sizeof(*v));
		if (!v)
			return ENOMEM;
		cv->v = v;
		cv->w = w;
		cv->h = h;
	}

	canvas_clear(cv);

	return 0;
}


void canvas_free(struct canvas *cv)
{
	free(cv->v);
	memset(cv, 0, sizeof(*cv));
}


struct area canvas_area(struct canvas *cv)
{
	return (struct area){ cv, 0, 0, cv->w, cv->h };
}


char *canvas_row(const struct canvas *cv, int y, char *buf, size_t sz)
{
	size_t at = 0, end = 0;

	for (int x = 0; x < cv->w && y >= 0 && y < cv->h; x++) {

		const struct cell *c = &cv->v[y * cv->w + x];

		if (at + c->len >= sz)
			break;
		memcpy(buf + at, c->s, c->len);
		at += c->len;
		if (c->len && !(c->len == 1 && c->s[0] == ' '))
			end = at;
	}

	if (sz)
		buf[end] = '\0';

	return buf;
}


/* Areas ------------------------------------------------------------------ */

struct area area_sub(const struct area *a, int x, int y, int w, int h)
{
	struct area s = *a;

	if (x < 0) {
		w += x;
		x = 0;
	}
	if (y < 0) {
		h += y;
		y = 0;
	}

	w = x + w > a->w ? a->w - x : w;
	h = y + h > a->h ? a->h - y : h;
	s.x = a->x + x;
	s.y = a->y + y;
	s.w = w < 0 ? 0 : w;
	s.h = h < 0 ? 0 : h;

	return s;
}


static struct cell *cell_at(const struct area *a, int x, int y)
{
	if (x < 0 || y < 0 || x >= a->w || y >= a->h)
		return NULL;

	return &a->cv->v[(a->y + y) * a->cv->w + a->x + x];
}


/* What stood here may have been half of a wide character */
static void cell_free(const struct area *a, int x, int y)
{
	const int cx = a->x + x, cy = a->y + y;
	struct cell *row = &a->cv->v[cy * a->cv->w];
	struct cell *c = &row[cx];

	if (c->width == 2 && cx + 1 < a->cv->w)
		cell_blank(&row[cx + 1], (enum style)c->style);
	if (c->width == 0 && cx > 0)
		cell_blank(&row[cx - 1], (enum style)row[cx - 1].style);
}


static void put_char(const struct area *a, int x, int y, enum style st,
		     const char *s, size_t len, int w)
{
	struct cell *c = cell_at(a, x, y);

	if (!c)
		return;

	cell_free(a, x, y);
	if (w == 2)
		cell_free(a, x + 1, y);

	memset(c, 0, sizeof(*c));
	memcpy(c->s, s, len);
	c->len = (uint8_t)len;
	c->width = (uint8_t)w;
	c->style = (uint8_t)st;

	if (w == 2) {
		memset(&c[1], 0, sizeof(c[1]));
		c[1].style = (uint8_t)st;
	}
}


static void put_mark(const struct area *a, int x, int y, const char *s,
		     size_t len)
{
	struct cell *c;
	unsigned marks = 0;

	if (x > 0 && cell_at(a, x - 1, y) && !cell_at(a, x - 1, y)->width)
		--x;
	c = x > 0 ? cell_at(a, x - 1, y) : NULL;
	if (!c || !c->len || c->len + len > sizeof(c->s))
		return;

	for (size_t i = 0; i < c->len; i++)
		marks += ((uint8_t)c->s[i] & 0xc0) != 0x80;
	if (marks > MARKS_MAX)
		return;

	memcpy(c->s + c->len, s, len);
	c->len = (uint8_t)(c->len + len);
}


/* At most to column end. @return column behind; *left: bytes not shown */
static int put_text(const struct area *a, int x, int y, int end,
		    enum style st, const char *s, size_t *left)
{
	size_t len = *left;

	while (len) {
		uint32_t cp;
		int w;
		const size_t n = next_char(s, len, &cp, &w);
		const bool odd = w < 0 || (cp == '?' && n == 1) ||
			(a->cv->ascii && cp >= 0x80);

		if (odd)
			w = w == 2 ? 2 : w == 0 ? 0 : 1;
		if (x + w > end)
			break;

		if (w && x >= 0 && y >= 0 && y < a->h) {
			if (odd && w == 2) {
				put_char(a, x, y, st, "?", 1, 1);
				put_char(a, x + 1, y, st, "?", 1, 1);
			}
			else {
				put_char(a, x, y, st, odd ? "?" : s,
					 odd ? 1 : n, w);
			}
		}
		else if (!w && !odd && y >= 0 && y < a->h) {
			put_mark(a, x, y, s, n);
		}

		x += w;
		s += n;
		len -= n;
	}

	*left = len;

	return x;
}


int area_text(const struct area *a, int x, int y, enum style st,
	      const char *s)
{
	size_t left = strlen(s);

	return put_text(a, x, y, a->w, st, s, &left);
}


int area_cut(const struct area *a, int x, int y, int w, enum style st,
	     const char *s)
{
	const int end = x + w < a->w ? x + w : a->w;
	size_t left = strlen(s);

	if (end <= x)
		return x;
	if (text_columns(s) <= end - x)
		return put_text(a, x, y, end, st, s, &left);

	x = put_text(a, x, y, end - 1, st, s, &left);

	return area_text(a, x, y, st, sign(a->cv, SIGN_ELLIPSIS));
}


int area_right(const struct area *a, int x, int y, enum style st,
	       const char *s)
{
	const int from = x - text_columns(s);

	(void)area_text(a, from, y, st, s);

	return from;
}


int area_printf(const struct area *a, int x, int y, enum style st,
		const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	return area_text(a, x, y, st, text);
}


void area_fill(const struct area *a, enum style st)
{
	for (int y = 0; y < a->h; y++) {
		for (int x = 0; x < a->w; x++) {
			struct cell *c = cell_at(a, x, y);

			cell_free(a, x, y);
			if (c)
				cell_blank(c, st);
		}
	}
}


void area_paint(const struct area *a, int x, int y, int w, enum style st)
{
	for (int i = x; i < x + w; i++) {

		struct cell *c = cell_at(a, i, y);

		if (c)
			c->style = (uint8_t)st;
	}
}


void area_rule(const struct area *a, int x, int y, int w, enum style st)
{
	for (int i = x; i < x + w && i < a->w; i++)
		(void)area_text(a, i, y, st, a->cv->ascii ? "-" : "\u2500");
}


void area_frame(const struct area *a, enum style st)
{
	static const char *const corners[4][2] = {
		{"\u256d", "+"}, {"\u256e", "+"}, {"\u2570", "+"},
		{"\u256f", "+"},
	};
	const bool ascii = a->cv->ascii;
	const int r = a->w - 1, b = a->h - 1;

	if (a->w < 2 || a->h < 2)
		return;

	area_rule(a, 1, 0, a->w - 2, st);
	area_rule(a, 1, b, a->w - 2, st);
	for (int y = 1; y < b; y++) {
		(void)area_text(a, 0, y, st, ascii ? "|" : "\u2502");
		(void)area_text(a, r, y, st, ascii ? "|" : "\u2502");
	}

	(void)area_text(a, 0, 0, st, corners[0][ascii]);
	(void)area_text(a, r, 0, st, corners[1][ascii]);
	(void)area_text(a, 0, b, st, corners[2][ascii]);
	(void)area_text(a, r, b, st, corners[3][ascii]);
}


/* Bytes of s that make a line of w columns; *step: with the blank behind.
 * lists: it may also end behind ',' and ';', and a word that no line holds
 * begins where there is room */
static size_t wrap_line(const char *s, int w, bool lists, size_t *step)
{
	size_t at = 0, fits = 0, len = strcspn(s, "\n");
	int x = 0;

	while (at < len) {
		uint32_t cp;
		int cw;
		const size_t n = next_char(s + at, len - at, &cp, &cw);

		if (cp == ' ')
			fits = at;
		x += cw < 0 ? 1 : cw;
		if (x > w && cp != ' ') {
			/* a word longer than the line is broken */
			if (!fits || (lists && fits < at / 2))
				fits = at ? at : n;
			*step = fits + strspn(s + fits, " ");
			return fits;
		}
		at += n;
		if (lists && x <= w && (cp == ',' || cp == ';'))
			fits = at;
	}

	*step = len + (s[len] == '\n');

	return len;
}


int area_wrap_in(const struct area *a, int x, int y, int w, int indent,
		 enum style st, const char *s, int skip)
{
	int lines = 0;

	w = x + w > a->w ? a->w - x : w;
	indent = indent > 0 && indent < w ? indent : 0;
	if (w < 1)
		return 0;

	while (*s) {
		const int in = lines ? indent : 0;
		size_t step, n = wrap_line(s, w - in, indent > 0, &step);

		if (lines >= skip && y + lines - skip < a->h)
			(void)put_text(a, x + in, y + lines - skip, x + w, st,
				       s, &n);
		++lines;
		s += step;
	}

	return lines;
}


int area_wrap(const struct area *a, int x, int y, int w, enum style st,
	      const char *s, int skip)
{
	return area_wrap_in(a, x, y, w, 0, st, s, skip);
}


void area_cursor(const struct area *a, int x, int y)
{
	if (!cell_at(a, x, y))
		return;

	a->cv->cursor_x = a->x + x;
	a->cv->cursor_y = a->y + y;
}
