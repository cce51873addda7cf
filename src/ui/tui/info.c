/**
 * @file info.c  What this kind of terminal can do, from terminfo
 *
 * The one file that sees ncursesw.  Every style is made into bytes once, when
 * the terminal is opened: reset, then attributes, then colours.  Colour is
 * never the only difference, so mono looks right too.  Main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "offhook/ui.h"
#include "info.h"
#include <curses.h>
#include <term.h>

/* term.h makes macros of common words */
#undef lines
#undef columns
#undef buttons

enum { STYLE_BYTES = 96, CAP_BYTES = 96 };

enum look { LOOK_BOLD = 1, LOOK_DIM = 2, LOOK_REVERSE = 4, LOOK_UNDER = 8 };

/* Colours: -1 the terminal's own. Dark and light backgrounds, in 256 colours
 * and in the first eight */
struct look_row {
	int attr;
	int mono;                /* attributes when there is no colour       */
	short fg256, bg256;      /* on dark                                  */
	short lfg256, lbg256;    /* on light                                 */
	short fg8, bg8;
	short lfg8, lbg8;
};

static const struct look_row looks[STYLES] = {
	[STYLE_NORMAL]   = { 0, 0, -1, -1, -1, -1, -1, -1, -1, -1 },
	[STYLE_DIM]      = { 0, LOOK_DIM, 245, -1, 243, -1, -1, -1, -1, -1 },
	[STYLE_BOLD]     = { LOOK_BOLD, LOOK_BOLD, -1, -1, -1, -1, -1, -1,
			     -1, -1 },
	[STYLE_TITLE]    = { LOOK_BOLD, LOOK_BOLD, 110, -1, 25, -1, 6, -1,
			     4, -1 },
	[STYLE_RULE]     = { 0, LOOK_DIM, 239, -1, 250, -1, -1, -1, -1, -1 },
	[STYLE_OK]       = { 0, 0, 114, -1, 28, -1, 2, -1, 2, -1 },
	/* on light not yellow, which nobody can read there */
	[STYLE_WORK]     = { 0, 0, 221, -1, 130, -1, 3, -1, 5, -1 },
	[STYLE_BAD]      = { LOOK_BOLD, LOOK_BOLD, 203, -1, 160, -1, 1, -1,
			     1, -1 },
	[STYLE_ALERT]    = { LOOK_BOLD, LOOK_REVERSE | LOOK_BOLD, 231, 160,
			     231, 160, 7, 1, 7, 1 },
	[STYLE_ALERT_RULE] = { LOOK_BOLD, LOOK_BOLD, 203, -1, 160, -1, 1, -1,
			       1, -1 },
	[STYLE_SELECTED] = { 0, LOOK_REVERSE, 231, 24, 16, 153, 7, 4, 0, 6 },
	[STYLE_KEY]      = { LOOK_BOLD, LOOK_BOLD, 152, -1, 24, -1, 6, -1,
			     4, -1 },
	[STYLE_INFO]     = { 0, 0, 152, -1, 24, -1, 6, -1, 4, -1 },
	[STYLE_GHOST]    = { 0, LOOK_DIM, 242, -1, 245, -1, -1, -1, -1, -1 },
	[STYLE_METER]    = { 0, 0, 79, -1, 30, -1, 2, -1, 2, -1 },
	[STYLE_PLOT]     = { 0, 0, 66, -1, 66, -1, 6, -1, 6, -1 },
};

struct info {
	bool xterm;
	int colours;
	char move[CAP_BYTES];    /* cup, with its parameters                 */
	char caps[INFO_CAPS][CAP_BYTES];
	char styles[2][STYLES][STYLE_BYTES];     /* on dark, on light        */
	bool light;
};


/* A capability without the delays of paper terminals, "$<5>" */
static void cap_copy(char *dst, size_t sz, const char *name)
{
	const char *s = tigetstr(name);
	size_t at = 0;

	if (!s || s == (char *)-1)
		s = "";

	while (*s && at + 1 < sz) {
		if (s[0] == '$' && s[1] == '<') {
			const char *end = strchr(s, '>');

			if (end) {
				s = end + 1;
				continue;
			}
		}
		dst[at++] = *s++;
	}
	dst[at] = '\0';
}


static void add(char *dst, size_t sz, const char *s)
{
	const size_t n = strlen(dst);

	if (s && s != (char *)-1)
		snprintf(dst + n, sz - n, "%s", s);
}


static void add_cap(char *dst, size_t sz, const char *name)
{
	char cap[CAP_BYTES];

	cap_copy(cap, sizeof(cap), name);
	add(dst, sz, cap);
}


static void add_colour(char *dst, size_t sz, const char *name, int colour)
{
	const char *s = tigetstr(name);

	if (colour < 0 || !s || s == (char *)-1)
		return;

	add(dst, sz, tiparm(s, colour));
}


static void style_make(struct info *i, enum style st, bool light)
{
	const struct look_row *r = &looks[st];
	char *s = i->styles[light][st];
	const int attr = i->colours ? r->attr : r->mono;
	int fg, bg;

	add_cap(s, STYLE_BYTES, "sgr0");
	if (attr & LOOK_BOLD)
		add_cap(s, STYLE_BYTES, "bold");
	if (attr & LOOK_DIM)
		add_cap(s, STYLE_BYTES, "dim");
	if (attr & LOOK_REVERSE)
		add_cap(s, STYLE_BYTES, "rev");
	if (attr & LOOK_UNDER)
		add_cap(s, STYLE_BYTES, "smul");

	if (!i->colours)
		return;

	if (i->colours >= 256) {
		fg = light ? r->lfg256 : r->fg256;
		bg = light ? r->lbg256 : r->bg256;
	}
	else {
		fg = light ? r->lfg8 : r->fg8;
		bg = light ? r->lbg8 : r->bg8;
		/* 16 colours have a grey of their own */
		if (i->colours >= 16 && (st == STYLE_DIM || st == STYLE_RULE ||
					 st == STYLE_GHOST))
			fg = 8;
	}

	add_colour(s, STYLE_BYTES, "setaf", fg);
	add_colour(s, STYLE_BYTES, "setab", bg);
}


static bool is_xterm(const char *name)
{
	static const char *const names[] = {
		"xterm", "screen", "tmux", "rxvt", "alacritty", "kitty",
		"foot", "st", "konsole", "gnome", "vte", "wezterm", "iterm",
		"ghostty", "contour", "mintty", "putty",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const size_t n = strlen(names[i]);

		if (!strncmp(name, names[i], n) &&
		    (!name[n] || name[n] == '-'))
			return true;
	}

	return false;
}


static int load(struct info *i, const char *name, int colours)
{
	static const char *const caps[INFO_CAPS] = {
		[INFO_CLEAR] = "clear", [INFO_SHOW] = "cnorm",
		[INFO_HIDE] = "civis", [INFO_ENTER] = "smcup",
		[INFO_LEAVE] = "rmcup", [INFO_KEYPAD_ON] = "smkx",
		[INFO_KEYPAD_OFF] = "rmkx", [INFO_RESET] = "sgr0",
	};
	const char *cup = tigetstr("cup");

	if (!cup || cup == (char *)-1 || strlen(cup) >= sizeof(i->move))
		return ENOENT;
	memcpy(i->move, cup, strlen(cup) + 1);

	for (size_t n = 0; n < INFO_CAPS; n++)
		cap_copy(i->caps[n], CAP_BYTES, caps[n]);
	if (!i->caps[INFO_CLEAR][0])
		return ENOENT;

	i->xterm = is_xterm(name);
	i->colours = tigetnum("colors");
	if (colours >= 0 && colours < i->colours)
		i->colours = colours;
	if (i->colours < 8)
		i->colours = 0;

	for (size_t st = 0; st < STYLES; st++) {
		style_make(i, (enum style)st, false);
		style_make(i, (enum style)st, true);
	}

	return 0;
}


int info_alloc(struct info **ip, const char *name, int fd, int colours,
	       char *err)
{
	struct info *i = calloc(1, sizeof(*i));
	TERMINAL *was = cur_term;
	int what = 0, e = 0;

	if (!i)
		return ENOMEM;

	if (!name || !*name)
		name = "dumb";
	if (setupterm(name, fd, &what) != OK)
		e = ENOENT;
	if (!e) {
		e = load(i, name, colours);
		if (cur_term && cur_term != was)
			(void)del_curterm(cur_term);
	}
	if (e) {
		snprintf(err, 256, "the terminal '%.40s' (TERM) is not known "
			 "or cannot move its cursor; --plain needs nothing "
			 "of it", name);
		free(i);
		return e;
	}

	*ip = i;

	return 0;
}


bool tui_term_known(const char *term)
{
	struct info *i;
	char err[256];

	if (info_alloc(&i, term, 1, -1, err))
		return false;
	info_free(i);

	return true;
}


void info_free(struct info *i)
{
	free(i);
}


const char *info_cap(const struct info *i, enum info_cap cap)
{
	return i->caps[cap];
}


const char *info_move(const struct info *i, char *buf, size_t sz, int x,
		      int y)
{
	const char *s = tiparm(i->move, y, x);
	size_t at = 0;

	for (; s && *s && at + 1 < sz; s++) {
		if (s[0] == '$' && s[1] == '<' && strchr(s, '>'))
			s = strchr(s, '>');
		else
			buf[at++] = *s;
	}
	buf[at] = '\0';

	return buf;
}


const char *info_style(const struct info *i, enum style st)
{
	return i->styles[i->light][st];
}


bool info_xterm(const struct info *i)
{
	return i->xterm;
}


void info_set_light(struct info *i, bool light)
{
	i->light = light;
}


int info_colours(const struct info *i)
{
	return i->colours;
}
