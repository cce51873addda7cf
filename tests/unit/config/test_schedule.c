/**
 * @file test_schedule.c  Times of the week
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <offhook/config.h>

enum { SUN, MON, TUE, WED, THU, FRI, SAT };


static bool on(const char *text, int day, int hour, int min)
{
	const struct tm tm = {
		.tm_wday = day, .tm_hour = hour, .tm_min = min,
	};
	char err[CONFIG_ERR] = "";

	if (schedule_check(text, err))
		fail_msg("%s", err);

	return schedule_on(text, &tm);
}


static void spans(void **state)
{
	(void)state;

	assert_true(on("9:00-17:00", MON, 9, 0));
	assert_true(on("9:00-17:00", SUN, 16, 59));
	assert_false(on("9:00-17:00", MON, 17, 0));
	assert_false(on("9:00-17:00", MON, 8, 59));
	assert_true(on("9-17", MON, 12, 0));
	assert_true(on(" 18:30 - 24 ", MON, 23, 59));
	assert_true(on("0-0", MON, 0, 0));

	/* over midnight */
	assert_true(on("22:00-07:00", MON, 22, 0));
	assert_true(on("22:00-07:00", TUE, 6, 59));
	assert_false(on("22:00-07:00", TUE, 7, 0));
	assert_false(on("22:00-07:00", MON, 21, 59));
}


static void days(void **state)
{
	(void)state;

	assert_true(on("Sat,Sun", SUN, 3, 0));
	assert_true(on("sat, sun", SAT, 23, 59));
	assert_false(on("Sat,Sun", FRI, 23, 59));
	assert_true(on("Mon-Fri", WED, 0, 0));
	assert_false(on("Mon-Fri", SUN, 0, 0));
	assert_true(on("Fri-Mon", SUN, 0, 0));
	assert_true(on("Fri-Mon", MON, 0, 0));
	assert_false(on("Fri-Mon", TUE, 0, 0));

	/* a night belongs to the day it began on */
	assert_true(on("Mon-Fri 18:00-08:00, Sat", SAT, 7, 59));
	assert_true(on("Fri 18:00-08:00", SAT, 7, 59));
	assert_false(on("Fri 18:00-08:00", FRI, 7, 59));
	assert_false(on("Fri 18:00-08:00", SAT, 8, 0));
	assert_true(on("Sat 22-6", SUN, 5, 0));
}


static void wrong(void **state)
{
	static const char *const bad[] = {
		"x", "9", "9-", "-9", "9:60-10", "25-26", "24:01-1", "Mo",
		"Monday", "Mon-", "Mon-9", "9-10 Mon", "9-10-11", "Mon Tue",
		"9-10,,x", ",", "24-1",
	};
	const struct tm tm = { .tm_wday = MON };
	char err[CONFIG_ERR];
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!schedule_check(bad[i], err))
			fail_msg("%s", bad[i]);
		assert_false(schedule_on(bad[i], &tm));
	}
	assert_false(schedule_on("", &tm));
	assert_false(schedule_on(NULL, &tm));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(days),
		cmocka_unit_test(wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
