/**
 * @file test_clock.c  The two clocks, and the one that tests move
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>
#include <offhook/clock.h>


static void test_monotonic(void **state)
{
	uint64_t last = clock_ns();
	(void)state;

	assert_int_equal(clock_fake_now(), 0);
	assert_true(last > 0);

	for (int i = 0; i < 1000; i++) {
		const uint64_t now = clock_ns();

		assert_true(now >= last);
		last = now;
	}

	/* the units agree with each other */
	assert_in_range(clock_us(), last / 1000, last / 1000 + 1000000);
	assert_in_range(clock_ms(), last / 1000000, last / 1000000 + 1000);
}


static void test_wall(void **state)
{
	const uint64_t now = (uint64_t)time(NULL);
	(void)state;

	assert_in_range(clock_wall_ms() / 1000, now, now + 1);
}


static void test_iso8601(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{0,                 "1970-01-01T00:00:00.000Z"},
		{951782399999ULL,   "2000-02-28T23:59:59.999Z"},
		{951782400000ULL,   "2000-02-29T00:00:00.000Z"},
		{951868800000ULL,   "2000-03-01T00:00:00.000Z"},
		{1709164800000ULL,  "2024-02-29T00:00:00.000Z"},
		{4107542400000ULL,  "2100-03-01T00:00:00.000Z"},
		{1795255200123ULL,  "2026-11-21T10:00:00.123Z"},
		{253402300799999ULL, "9999-12-31T23:59:59.999Z"},
		{UINT64_MAX,        "9999-12-31T23:59:59.999Z"},
	};
	char buf[CLOCK_ISO8601_SIZE];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ptr_equal(clock_iso8601(buf, cases[i].ms), buf);
		assert_string_equal(buf, cases[i].text);
	}
}


/* Every day of 400 years, against the C library */
static void test_iso8601_days(void **state)
{
	char buf[CLOCK_ISO8601_SIZE], want[CLOCK_ISO8601_SIZE];
	(void)state;

	for (time_t day = 0; day < 146097; day++) {
		const time_t t = day * 86400 + 86399;
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		(void)strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.007Z",
			       &tm);
		assert_string_equal(
			clock_iso8601(buf, (uint64_t)t * 1000 + 7), want);
	}
}


static void test_fake(void **state)
{
	(void)state;

	clock_fake_start(5000000000ULL);
	assert_int_equal(clock_ns(), 5000000000ULL);
	assert_int_equal(clock_ns(), 5000000000ULL);
	assert_int_equal(clock_us(), 5000000);
	assert_int_equal(clock_ms(), 5000);
	assert_int_equal(clock_fake_now(), 5000000000ULL);

	clock_fake_set(5000000001ULL);
	assert_int_equal(clock_ns(), 5000000001ULL);

	/* a fake clock at 0 is still fake */
	clock_fake_start(0);
	assert_true(clock_fake_now() != 0);
	assert_int_equal(clock_ms(), 0);

	clock_fake_stop();
	assert_int_equal(clock_fake_now(), 0);
	assert_true(clock_ns() > 1);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_wall),
		cmocka_unit_test(test_iso8601),
		cmocka_unit_test(test_iso8601_days),
		cmocka_unit_test(test_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
