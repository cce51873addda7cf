/**
 * @file test_shelf.c  What is kept lies apart, and its pages are given back
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <re.h>
#include "offhook/shelf.h"

enum { KEPT = 500, SIZES = 3000 };


static void fill(uint8_t *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(p[i], 0);
		p[i] = (uint8_t)(seed + i);
	}
}


static void look(const uint8_t *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], (uint8_t)(seed + i));
}


static size_t size_of(unsigned i)
{
	return 1 + i * 7919u % SIZES;
}


/* The oldest goes: nothing of another is touched, and it does not grow */
static void test_first_out(void **state)
{
	uint8_t *v[KEPT] = { NULL };
	struct shelf *s;
	(void)state;

	assert_int_equal(shelf_alloc(&s), 0);
	for (unsigned i = 0; i < 20 * KEPT; i++) {
		const unsigned k = i % KEPT;

		if (v[k]) {
			look(v[k], size_of(i - KEPT), i - KEPT);
			shelf_drop(v[k]);
		}
		v[k] = shelf_put(s, size_of(i));
		assert_non_null(v[k]);
		assert_int_equal((uintptr_t)v[k] % _Alignof(max_align_t), 0);
		fill(v[k], size_of(i), i);
	}
	assert_in_range(shelf_size(s), KEPT * SIZES / 2,
			KEPT * SIZES / 2 + (1 << 20));
	mem_deref(s);
}


/* All gone: one board is kept, and used anew */
static void test_all_gone(void **state)
{
	struct shelf *s;
	(void)state;

	assert_int_equal(shelf_alloc(&s), 0);
	assert_int_equal(shelf_size(s), 0);

	for (unsigned round = 0; round < 3; round++) {
		void *v[KEPT];

		for (unsigned i = 0; i < KEPT; i++) {
			v[i] = shelf_put(s, SIZES);
			assert_non_null(v[i]);
		}
		assert_true(shelf_size(s) >= (size_t)KEPT * SIZES);

		for (unsigned i = 0; i < KEPT; i++)
			shelf_drop(v[round == 1 ? KEPT - 1 - i : i]);
		assert_in_range(shelf_size(s), 1, 2 * (256 << 10));
	}

	/* one that is larger than all of it */
	fill(shelf_put(s, 3 << 20), 3 << 20, 5);
	assert_in_range(shelf_size(s), 3 << 20, 4 << 20);
	shelf_drop(NULL);
	mem_deref(s);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_out),
		cmocka_unit_test(test_all_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
