/**
 * @file test_lists.c  What the pages of kept things share
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "offhook/compat.h"
#include "tui/lists.h"
#include "tui/message_text.h"


static unsigned asked;

static bool even(size_t i, const char *find, void *arg)
{
	(void)find;
	(void)arg;
	++asked;

	return !(i % 2);
}


static void test_found(void **state)
{
	struct found f;
	(void)state;

	memset(&f, 0, sizeof(f));
	found_update(&f, 1, 1000, even, NULL);
	assert_int_equal(f.n, 1000);
	assert_int_equal(asked, 0);

	found_set(&f, "x");
	found_update(&f, 1, 1000, even, NULL);
	assert_int_equal(f.n, 500);
	assert_int_equal(f.v[499], 998);
	assert_int_equal(asked, 1000);

	/* the same again costs nothing */
	found_update(&f, 1, 1000, even, NULL);
	assert_int_equal(asked, 1000);
	found_update(&f, 2, 10, even, NULL);
	assert_int_equal(f.n, 5);

	found_free(&f);
	assert_null(f.v);
}


static uint64_t at(int year, int mon, int day, int hour)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = mon - 1,
			 .tm_mday = day, .tm_hour = hour, .tm_isdst = -1 };

	return (uint64_t)mktime(&tm) * 1000;
}


static void test_when(void **state)
{
	const uint64_t now = at(2026, 3, 30, 1);
	char buf[40];
	(void)state;

	assert_string_equal(show_when(buf, 40, at(2026, 3, 30, 0), now),
			    "00:00");
	/* the night when the clock is put forward has 23 hours */
	assert_string_equal(show_when(buf, 40, at(2026, 3, 29, 0), now),
			    "yesterday");
	assert_string_equal(show_when(buf, 40, at(2026, 3, 24, 23), now),
			    "Tue");
	assert_string_equal(show_when(buf, 40, at(2026, 3, 23, 23), now),
			    "23 Mar");
	assert_string_equal(show_when(buf, 40, at(2025, 12, 31, 12), now),
			    "2025-12-31");
	/* a clock that was wrong */
	assert_string_equal(show_when(buf, 40, at(2026, 4, 2, 12), now),
			    "02 Apr");
}


static void split(struct lines *l, const char *text)
{
	assert_int_equal(lines_split(l, text, strlen(text)), 0);
}


static void signs(const char *a, const char *b, const char *want)
{
	struct lines x, y;
	struct diff_line *v = NULL;
	char got[64];
	int n;

	split(&x, a);
	split(&y, b);
	n = diff_lines(&v, &x, &y);
	assert_true(n >= 0 && n < 63);
	for (int i = 0; i < n; i++)
		got[i] = v[i].sign;
	got[n] = '\0';
	assert_string_equal(got, want);
	free(v);
	lines_free(&x);
	lines_free(&y);
}


static void test_lines(void **state)
{
	struct lines l;
	(void)state;

	split(&l, "one\r\ntwo\n\nfour");
	assert_int_equal(l.n, 4);
	assert_int_equal(l.len[0], 3);
	assert_int_equal(l.len[2], 0);
	assert_memory_equal(l.v[3], "four", 4);
	lines_free(&l);
	split(&l, "");
	assert_int_equal(l.n, 0);
	lines_free(&l);
}


static void test_diff(void **state)
{
	char *long_a = malloc(20000), *p = long_a;
	struct lines x, y;
	struct diff_line *v = NULL;
	int n;
	(void)state;

	signs("", "", "");
	signs("a\nb\n", "a\nb\n", "  ");
	signs("a\nb\nc\n", "a\nx\nc\n", " -+ ");
	signs("a\nc\n", "a\nb\nc\n", " + ");
	signs("a\nb\nc\nd\n", "c\nd\n", "--  ");
	signs("", "a\n", "+");

	/* longer than is compared: the rest is told as different */
	for (int i = 0; i < 1000; i++)
		p += sprintf(p, "%d\n", i);
	split(&x, long_a);
	split(&y, long_a);
	n = diff_lines(&v, &x, &y);
	assert_int_equal(n, DIFF_LINES + 2 * (1000 - DIFF_LINES));
	free(v);
	lines_free(&x);
	lines_free(&y);
	free(long_a);
}


static void test_message(void **state)
{
	static const char text[] = "INVITE sip:b@x SIP/2.0\r\nTo: <sip:b@x>"
		"\r\n folded\r\nX-Odd\r\nEvil: \033[2J\r\n\r\nv=0\r\n"
		"m=audio 1 RTP/AVP 0\r\n";
	struct canvas cv = { 0 };
	struct area a;
	struct lines l;
	char row[100];
	(void)state;

	assert_int_equal(canvas_resize(&cv, 40, 9), 0);
	canvas_clear(&cv);
	a = canvas_area(&cv);
	split(&l, text);
	message_draw(&a, &l, 0);
	assert_string_equal(canvas_row(&cv, 0, row, sizeof(row)),
			    " INVITE sip:b@x SIP/2.0");
	assert_int_equal(cv.v[40 + 1].style, STYLE_INFO);
	assert_int_equal(cv.v[40 + 5].style, STYLE_NORMAL);
	assert_null(strchr(canvas_row(&cv, 4, row, sizeof(row)), '\033'));
	assert_string_equal(canvas_row(&cv, 7, row, sizeof(row)),
			    " m=audio 1 RTP/AVP 0");
	assert_int_equal(cv.v[7 * 40 + 1].style, STYLE_BOLD);

	/* where it is narrow lines go on below, and nothing is cut off; a
	 * row above the area is none that is painted */
	for (int top = 0; top < 3; top++) {
		assert_int_equal(canvas_resize(&cv, 16, 9), 0);
		a = canvas_area(&cv);
		assert_int_equal(message_draw(&a, &l, top), 10);
		assert_string_equal(canvas_row(&cv, 2 - top, row, sizeof(row)),
				    " To: <sip:b@x>");
		assert_int_equal(cv.v[(2 - top) * 16 + 1].style, STYLE_INFO);
		assert_string_equal(canvas_row(&cv, 8 - top, row, sizeof(row)),
				    " m=audio 1");
		if (!top)
			continue;
		assert_string_equal(canvas_row(&cv, 9 - top, row, sizeof(row)),
				    "     RTP/AVP 0");
		assert_int_equal(cv.v[(9 - top) * 16 + 6].style, STYLE_BOLD);
	}
	lines_free(&l);
	canvas_free(&cv);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_message),
	};

	setenv("TZ", "Europe/Berlin", 1);
	tzset();

	return cmocka_run_group_tests(tests, NULL, NULL);
}
