/**
 * @file test_rota.c  Each call has its turn, and none has two
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "priv.h"

enum { CALLS = 1000, FIRST = 7 };


/* Calls with numbers in a row. @return turns of the round */
static unsigned round_of(struct rota *r, size_t n, uint64_t interval_ms,
			 unsigned *most)
{
	unsigned seen[CALLS] = { 0 }, turns = 0;
	uint64_t sum = 0;

	*most = 0;
	do {
		const uint64_t ms = rota_turn(r, n, interval_ms);
		unsigned now = 0;

		assert_true(ms > 0);
		sum += ms;
		for (unsigned i = 0; i < n; i++) {
			if (rota_has(r, FIRST + i)) {
				++seen[i];
				++now;
			}
		}
		if (now > *most)
			*most = now;
		++turns;
	} while (r->turn + 1 < r->turns);

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(sum, interval_ms);

	return turns;
}


static void test_rounds(void **state)
{
	struct rota r = { 0 };
	unsigned most;
	(void)state;

	/* few are told together, and with their old rhythm */
	for (size_t n = 1; n <= 8; n++)
		assert_int_equal(round_of(&r, n, 1000, &most), 1);

	/* they become many, and few again */
	for (size_t n = 9; n <= CALLS; n += 13) {
		const unsigned turns = round_of(&r, n, 1000, &most);

		assert_true(turns > 1 && turns <= 50);
		assert_true(most <= (n + turns - 1) / turns);
		if (n <= 400)
			assert_true(most <= 8);
	}
	assert_int_equal(round_of(&r, 1, 1000, &most), 1);
}


/* An interval that leaves no time for turns */
static void test_short(void **state)
{
	struct rota r = { 0 };
	unsigned most;
	(void)state;

	assert_int_equal(round_of(&r, 100, 1, &most), 1);
	assert_int_equal(most, 100);
	assert_int_equal(round_of(&r, 100, 39, &most), 1);
	assert_int_equal(round_of(&r, 100, 40, &most), 2);
	assert_int_equal(round_of(&r, 100, 60000, &most), 13);
}


/* The number of calls changes while a round is under way */
static void test_changes(void **state)
{
	struct rota r = { 0 };
	uint64_t sum;
	(void)state;

	sum = rota_turn(&r, 100, 1000);
	assert_int_equal(r.turns, 13);
	while (r.turn + 1 < r.turns)
		sum += rota_turn(&r, 3, 1000);
	assert_int_equal(sum, 1000);
	assert_int_equal(rota_turn(&r, 3, 1000), 1000);
	assert_true(rota_has(&r, 1) && rota_has(&r, 2) && rota_has(&r, 3));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
