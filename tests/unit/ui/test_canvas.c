/**
 * @file test_canvas.c  Text of strangers becomes characters of a screen
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tui/canvas.h"

static struct canvas cv;
static char buf[4096];


static const char *row(int y)
{
	return canvas_row(&cv, y, buf, sizeof(buf));
}


static struct area fresh(int w, int h)
{
	assert_int_equal(canvas_resize(&cv, w, h), 0);

	return canvas_area(&cv);
}


static int teardown(void **state)
{
	(void)state;
	canvas_free(&cv);

	return 0;
}


static void test_size(void **state)
{
	(void)state;
	assert_int_equal(canvas_resize(&cv, 0, 5), EINVAL);
	assert_int_equal(canvas_resize(&cv, 5, CANVAS_H_MAX + 1), EINVAL);
	assert_int_equal(canvas_resize(&cv, CANVAS_W_MAX, CANVAS_H_MAX), 0);
	(void)fresh(3, 2);
	assert_string_equal(row(0), "");
	assert_string_equal(row(7), "");
}


static void test_text(void **state)
{
	struct area a = fresh(10, 2), s;
	(void)state;

	assert_int_equal(area_text(&a, 2, 0, STYLE_OK, "hello"), 7);
	assert_string_equal(row(0), "  hello");
	assert_int_equal(cv.v[2].style, STYLE_OK);

	/* clipped at every side */
	area_text(&a, 8, 0, STYLE_NORMAL, "world");
	assert_string_equal(row(0), "  hello wo");
	area_text(&a, -2, 1, STYLE_NORMAL, "abcd");
	assert_string_equal(row(1), "cd");
	area_text(&a, 0, 2, STYLE_NORMAL, "below");
	area_text(&a, 0, -1, STYLE_NORMAL, "above");

	s = area_sub(&a, 4, 0, 3, 9);
	assert_int_equal(s.h, 2);
	area_text(&s, 0, 0, STYLE_NORMAL, "12345");
	assert_string_equal(row(0), "  he123 wo");
	s = area_sub(&a, -3, -3, 5, 4);
	assert_int_equal(s.w, 2);
	assert_int_equal(s.h, 1);
	s = area_sub(&a, 20, 20, 5, 5);
	assert_int_equal(s.w, 0);
	area_text(&s, 0, 0, STYLE_NORMAL, "x");
}


static void test_cut(void **state)
{
	struct area a = fresh(12, 1);
	(void)state;

	assert_int_equal(area_cut(&a, 0, 0, 5, STYLE_NORMAL, "short"), 5);
	area_cut(&a, 6, 0, 5, STYLE_NORMAL, "longer");
	assert_string_equal(row(0), "short long\u2026");
	canvas_clear(&cv);
	/* a wide one is not halved */
	area_cut(&a, 0, 0, 4, STYLE_NORMAL, "\u65e5\u672c\u8a9e");
	assert_string_equal(row(0), "\u65e5\u2026");
	canvas_clear(&cv);
	assert_int_equal(area_right(&a, 12, 0, STYLE_NORMAL, "end"), 9);
	assert_string_equal(row(0), "         end");
}


static void test_wide(void **state)
{
	struct area a = fresh(6, 1);
	(void)state;

	assert_int_equal(text_columns("a\u65e5b"), 4);
	assert_int_equal(area_text(&a, 0, 0, STYLE_NORMAL, "a\u65e5b"), 4);
	assert_string_equal(row(0), "a\u65e5b");
	assert_int_equal(cv.v[1].width, 2);
	assert_int_equal(cv.v[2].width, 0);

	/* what covers half of it takes away all of it */
	area_text(&a, 2, 0, STYLE_NORMAL, "x");
	assert_string_equal(row(0), "a xb");
	area_text(&a, 0, 0, STYLE_NORMAL, "\u65e5\u65e5\u65e5");
	area_text(&a, 1, 0, STYLE_NORMAL, "\u65e5");
	assert_string_equal(row(0), " \u65e5 \u65e5");

	/* it does not stand out at the edge */
	canvas_clear(&cv);
	area_text(&a, 5, 0, STYLE_NORMAL, "\u65e5");
	assert_string_equal(row(0), "");
}


static void test_hostile(void **state)
{
	static const char *const texts[] = {
		"\033[2J", "\r\n", "\x7f", ("\xc2\x9b" "31m"), "\u202e",
		"\u2066", "\u200b", "\ufeff", "\u200d", "\xff\xfe", "\xc3",
		"\xed\xa0\x80", "\ufe0f", "\u061c", "\u3164", "\u00ad",
		"\xf3\xa0\x80\xa1",
	};
	struct area a = fresh(40, 1);
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {

		canvas_clear(&cv);
		area_text(&a, 0, 0, STYLE_NORMAL, texts[i]);
		row(0);
		assert_int_equal(buf[0], '?');
		for (const char *p = buf; *p; p++)
			assert_true(*p >= 0x20 && *p < 0x7f);
	}
}


static void test_marks(void **state)
{
	struct area a = fresh(4, 1);
	(void)state;

	assert_int_equal(area_text(&a, 0, 0, STYLE_NORMAL,
				   "e\u0301\u0302\u0303\u0304\u0305x"), 2);
	/* two marks, no more */
	assert_string_equal(row(0), "e\u0301\u0302x");
	/* one with nothing before it */
	canvas_clear(&cv);
	area_text(&a, 0, 0, STYLE_NORMAL, "\u0301");
	assert_string_equal(row(0), "");
}


static void test_ascii(void **state)
{
	struct area a = fresh(20, 3);
	(void)state;

	cv.ascii = true;
	area_text(&a, 0, 0, STYLE_NORMAL, "Gr\u00fc\u00dfe \u65e5.");
	assert_string_equal(row(0), "Gr??e ??.");
	area_frame(&a, STYLE_RULE);
	assert_string_equal(row(0), "+------------------+");
	assert_string_equal(row(1), "|                  |");
	for (int s = 0; s < SIGNS; s++) {
		assert_int_equal(strlen(sign(&cv, (enum sign)s)), 1);
		cv.ascii = false;
		assert_int_equal(text_columns(sign(&cv, (enum sign)s)), 1);
		cv.ascii = true;
	}
	for (int i = -1; i < 10; i++)
		assert_int_equal(strlen(block(&cv, i)), 1);
	cv.ascii = false;
}


static void test_wrap(void **state)
{
	struct area a = fresh(10, 4);
	(void)state;

	assert_int_equal(area_wrap(&a, 0, 0, 10, STYLE_NORMAL,
				   "one two three four", 0), 2);
	assert_string_equal(row(0), "one two");
	assert_string_equal(row(1), "three four");
	canvas_clear(&cv);
	assert_int_equal(area_wrap(&a, 0, 0, 5, STYLE_NORMAL,
				   "abcdefghij\nk", 1), 3);
	assert_string_equal(row(0), "fghij");
	assert_string_equal(row(1), "k");
	assert_int_equal(area_wrap(&a, 0, 0, 0, STYLE_NORMAL, "x", 0), 0);
	assert_int_equal(area_wrap(&a, 0, 0, 1, STYLE_NORMAL,
				   "\u65e5\u672c", 0), 2);
}


/* Lists break behind their commas, long words where there is room */
static void test_wrap_in(void **state)
{
	struct area a = fresh(12, 4);
	(void)state;

	assert_int_equal(area_wrap_in(&a, 0, 0, 12, 2, STYLE_NORMAL,
				      "Via: a;b=cd;ef=gh i", 0), 2);
	assert_string_equal(row(0), "Via: a;b=cd;");
	assert_string_equal(row(1), "  ef=gh i");
	a = fresh(12, 4);
	assert_int_equal(area_wrap_in(&a, 0, 0, 12, 2, STYLE_NORMAL,
				      "a: 0123456789abcdefghij", 1), 3);
	assert_string_equal(row(0), "  9abcdefghi");
	assert_string_equal(row(1), "  j");
	/* no room to the right of it */
	a = fresh(12, 4);
	assert_int_equal(area_wrap_in(&a, 0, 0, 2, 4, STYLE_NORMAL, "abcd",
				      0), 2);
	assert_string_equal(row(1), "cd");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_size, teardown),
		cmocka_unit_test_teardown(test_text, teardown),
		cmocka_unit_test_teardown(test_cut, teardown),
		cmocka_unit_test_teardown(test_wide, teardown),
		cmocka_unit_test_teardown(test_hostile, teardown),
		cmocka_unit_test_teardown(test_marks, teardown),
		cmocka_unit_test_teardown(test_ascii, teardown),
		cmocka_unit_test_teardown(test_wrap, teardown),
		cmocka_unit_test_teardown(test_wrap_in, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
