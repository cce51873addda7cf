/**
 * @file test_urgent.c  A thread that is to run soon, and those it starts
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/urgent.h>


static int nice_now(void)
{
	return getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
}


static void *child(void *arg)
{
	*(int *)arg = nice_now();

	return NULL;
}


static void *parent(void *arg)
{
	int *nice = arg;
	pthread_t t;

	nice[0] = urgent_thread();
	nice[1] = nice_now();
	nice[3] = urgent_thread();       /* once more changes nothing */
	if (pthread_create(&t, NULL, child, &nice[2]))
		return NULL;
	(void)pthread_join(t, NULL);

	return NULL;
}


/* What the system allows is taken, the thread's children have it too, and the
 * rest of the program stays as it was */
static void test_urgent(void **state)
{
	const int before = nice_now();
	int nice[4] = { -99, -99, -99, -99 };
	pthread_t t;
	(void)state;

	assert_int_equal(0, pthread_create(&t, NULL, parent, nice));
	assert_int_equal(0, pthread_join(t, NULL));

	assert_in_range(nice[0], URGENT_NO, URGENT_NICE);
	if (nice[0] == URGENT_NICE)
		assert_true(nice[1] < before);
	else
		assert_int_equal(before, nice[1]);
	assert_int_equal(nice[1], nice[2]);
	assert_true(nice[3] == URGENT_NO || nice[3] == URGENT_SLICE);
	assert_int_equal(before, nice_now());
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urgent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
