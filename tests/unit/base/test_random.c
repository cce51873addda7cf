/**
 * @file test_random.c  Numbers that nobody can guess
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <pthread.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/random.h>


/* No two alike, whatever the pieces they come in */
static void test_all_new(void **state)
{
	enum { N = 4096 };
	static uint64_t v[N];
	(void)state;

	for (unsigned i = 0; i < N; i++) {
		(void)random_u16();
		v[i] = random_u64();
	}
	for (unsigned i = 0; i < N; i++)
		for (unsigned k = i + 1; k < N; k++)
			assert_true(v[i] != v[k]);
}


/* libre's numbers come from here, too */
static void test_of_libre(void **state)
{
	(void)state;

	assert_ptr_equal(dlsym(RTLD_DEFAULT, "rand_u64"), rand_u64);
	assert_true(rand_u64() != rand_u64());
}


/* All of it is filled and nothing beside it: every bit is once set, and once
 * not */
static void test_sizes(void **state)
{
	uint8_t v[602];
	(void)state;

	for (size_t n = 0; n <= 600; n++) {
		uint8_t any[602] = {0}, all[602];

		memset(all, 0xff, sizeof(all));
		for (unsigned k = 0; k < 40; k++) {
			memset(v, 0xa5, sizeof(v));
			random_fill(v + 1, n);
			assert_int_equal(v[0], 0xa5);
			assert_int_equal(v[n + 1], 0xa5);
			for (size_t i = 1; i <= n; i++) {
				any[i] |= v[i];
				all[i] &= v[i];
			}
		}
		for (size_t i = 1; i <= n; i++) {
			assert_int_equal(any[i], 0xff);
			assert_int_equal(all[i], 0);
		}
	}
}


static void *other(void *arg)
{
	random_fill(arg, 64);

	return NULL;
}


/* What a thread has in hand is its own */
static void test_threads(void **state)
{
	uint8_t mine[64], theirs[64];
	pthread_t t;
	(void)state;

	random_fill(mine, sizeof(mine));
	assert_int_equal(pthread_create(&t, NULL, other, theirs), 0);
	(void)pthread_join(t, NULL);
	assert_memory_not_equal(mine, theirs, sizeof(mine));
}


/* Whoever draws meanwhile gets numbers; whoever ends it twice no harm */
static void test_begin(void **state)
{
	uint8_t a[16], b[16];
	(void)state;

	random_end();
	random_begin();
	random_begin();
	rand_bytes(a, sizeof(a));
	rand_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	random_end();
	random_end();
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_new),
		cmocka_unit_test(test_of_libre),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
