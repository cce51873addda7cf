/**
 * @file test_filewatch.c  A file that others change
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/filewatch.h>
#include <offhook/timer.h>


enum { LONG_MS = 20000 };

static char dir[] = "/tmp/offhook-watch-XXXXXX", path[64], other[64];
static struct filewatch *w, *second;
static struct timer guard;
static unsigned times, times_second;


static void told_h(void *arg)
{
	(void)arg;
	++times;
	re_cancel();
}


static void second_h(void *arg)
{
	(void)arg;
	++times_second;
	re_cancel();
}


static void gone_h(void *arg)
{
	(void)arg;
	++times;
	w = mem_deref(w);
	re_cancel();
}


static void guard_h(void *arg)
{
	(void)arg;
	re_cancel();
}


static void loop_run(void)
{
	timer_start(&guard, LONG_MS, guard_h, NULL);
	assert_int_equal(re_main(NULL), 0);
	timer_cancel(&guard);
}


static void put(const char *to, const char *text)
{
	FILE *f = fopen(to, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}


static int setup(void **state)
{
	(void)state;
	times = times_second = 0;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(other, sizeof(other), "%s/file2", dir);

	return libre_init() || timers_open();
}


static int teardown(void **state)
{
	(void)state;
	w = mem_deref(w);
	second = mem_deref(second);
	timers_close();
	libre_close();
	(void)unlink(path);
	(void)unlink(other);
	(void)rmdir(dir);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);

	return 0;
}


static void test_changes(void **state)
{
	(void)state;
	assert_int_equal(filewatch_alloc(&w, path, told_h, NULL), 0);

	/* written where there was none */
	put(path, "a");
	loop_run();
	assert_int_equal(times, 1);

	/* put in the place of the other */
	put(other, "b");
	assert_int_equal(rename(other, path), 0);
	loop_run();
	assert_int_equal(times, 2);

	assert_int_equal(unlink(path), 0);
	loop_run();
	assert_int_equal(times, 3);
}


/* Its neighbour's changes come first, and are not told */
static void test_others(void **state)
{
	(void)state;
	assert_int_equal(filewatch_alloc(&w, path, told_h, NULL), 0);
	assert_int_equal(filewatch_alloc(&second, other, second_h, NULL), 0);

	put(other, "b");
	loop_run();
	assert_int_equal(times, 0);
	assert_int_equal(times_second, 1);

	/* nor is looking at it a change */
	put(path, "a");
	loop_run();
	assert_int_equal(times, 1);
	assert_int_equal(times_second, 1);
}


static void test_gone_in_handler(void **state)
{
	(void)state;
	assert_int_equal(filewatch_alloc(&w, path, gone_h, NULL), 0);
	put(path, "a");
	loop_run();
	assert_int_equal(times, 1);
	assert_null(w);
}


static void test_no_folder(void **state)
{
	char where[80];

	(void)state;
	snprintf(where, sizeof(where), "%s/none/file", dir);
	assert_int_equal(filewatch_alloc(&w, where, told_h, NULL), ENOENT);
	assert_null(w);
	assert_int_equal(filewatch_alloc(&w, NULL, told_h, NULL), EINVAL);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone_in_handler, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_folder, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
