/**
 * @file test_info.c  What terminals are told: every style can be read
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tui/info.h"

enum { BLACK = 16, WHITE = 231 };

/* Lines and what is not meant just now: to be seen, not to be read */
static bool decoration(enum style st)
{
	return st == STYLE_RULE || st == STYLE_GHOST || st == STYLE_PLOT ||
		st == STYLE_METER;
}


/* One of three parts of a colour of 256, linear */
static double part(int v)
{
	const double s = v / 255.0;

	return s <= 0.03928 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4);
}


/* Relative luminance, as WCAG 2 has it, of the colours above the first 16 */
static double luminance(int colour)
{
	int rgb[3];

	assert_true(colour >= 16 && colour < 256);
	for (int i = 2, n = colour - 16; i >= 0; i--, n /= 6)
		rgb[i] = colour >= 232 ? 8 + 10 * (colour - 232) :
			n % 6 ? 55 + 40 * (n % 6) : 0;

	return 0.2126 * part(rgb[0]) + 0.7152 * part(rgb[1]) +
		0.0722 * part(rgb[2]);
}


static double contrast(int a, int b)
{
	const double x = luminance(a), y = luminance(b);

	return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}


/* The number behind "38;5;" or "48;5;", else what is there anyway */
static int colour_in(const char *style, const char *what, int other)
{
	const char *p = strstr(style, what);

	return p ? atoi(p + strlen(what)) : other;
}


static void test_contrast(void **state)
{
	char err[256] = "";
	struct info *i;
	(void)state;

	assert_int_equal(info_alloc(&i, "xterm-256color", 1, -1, err), 0);
	assert_int_equal(info_colours(i), 256);

	for (int light = 0; light < 2; light++) {
		info_set_light(i, light);
		for (enum style st = STYLE_NORMAL; st < STYLES; st++) {

			const char *s = info_style(i, st);
			const int fg = colour_in(s, "38;5;", light ? BLACK :
						 WHITE);
			const int bg = colour_in(s, "48;5;", light ? WHITE :
						 BLACK);
			const double least = st == STYLE_RULE ? 1.7 :
				decoration(st) ? 3.0 : 4.5;

			if (contrast(fg, bg) < least)
				fail_msg("style %d, %s: %d on %d has only "
					 "%.1f", (int)st, light ? "light" :
					 "dark", fg, bg, contrast(fg, bg));
		}
	}
	info_free(i);
}


/* Eight colours: no yellow on white, no white on what is light */
static void test_eight(void **state)
{
	char err[256] = "";
	struct info *i;
	(void)state;

	assert_int_equal(info_alloc(&i, "xterm-256color", 1, 8, err), 0);
	info_set_light(i, true);
	for (enum style st = STYLE_NORMAL; st < STYLES; st++) {
		assert_null(strstr(info_style(i, st), "[33m"));
		assert_true(!strstr(info_style(i, st), "[37m") ||
			    strstr(info_style(i, st), "[41m"));
	}
	info_free(i);

	/* none at all: what counts differs in its attributes */
	assert_int_equal(info_alloc(&i, "xterm-256color", 1, 0, err), 0);
	for (enum style st = STYLE_NORMAL; st < STYLES; st++)
		assert_null(strstr(info_style(i, st), "\033[3"));
	assert_string_not_equal(info_style(i, STYLE_SELECTED),
				info_style(i, STYLE_NORMAL));
	assert_string_not_equal(info_style(i, STYLE_BAD),
				info_style(i, STYLE_NORMAL));
	assert_string_not_equal(info_style(i, STYLE_ALERT),
				info_style(i, STYLE_BAD));
	info_free(i);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contrast),
		cmocka_unit_test(test_eight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
