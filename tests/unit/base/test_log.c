/**
 * @file test_log.c  Lines written by main and by others, and by too many
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/log.h>
#include <offhook/path.h>

#define LOG_MODULE "test"


static char path[64];

/* what the handler heard */
static unsigned heard;
static enum log_level heard_level;
static char heard_module[32];
static char heard_text[1024];


static void heard_h(enum log_level level, const char *module,
		    const char *text, void *arg)
{
	assert_ptr_equal(arg, path);
	++heard;
	heard_level = level;
	(void)snprintf(heard_module, sizeof(heard_module), "%s", module);
	(void)snprintf(heard_text, sizeof(heard_text), "%s", text);
}


static int setup(void **state)
{
	int fd;
	(void)state;

	(void)snprintf(path, sizeof(path), "/tmp/offhook-log-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	(void)close(fd);

	heard = 0;
	log_set_level(LOGL_DEBUG);
	log_set_handler(heard_h, path);

	return log_open(path);
}


static int teardown(void **state)
{
	(void)state;

	log_set_wake(NULL, NULL);
	log_set_handler(NULL, NULL);
	log_close();
	log_set_level(LOGL_WARN);

	return unlink(path);
}


static char *file_text(void)
{
	char *text = NULL;

	assert_int_equal(path_read(&text, NULL, path, 10000000), 0);

	return text;
}


static void test_levels(void **state)
{
	char *text;
	(void)state;

	log_set_level(LOGL_WARN);
	assert_int_equal(log_get_level(), LOGL_WARN);
	log_error("e %d", 1);
	log_warn("w %s", "two");
	log_info("i");
	log_debug("d");
	assert_int_equal(heard, 2);
	assert_int_equal(heard_level, LOGL_WARN);
	assert_string_equal(heard_module, "test");
	assert_string_equal(heard_text, "w two");

	log_set_level(LOGL_DEBUG);
	log_debug("d2");
	assert_int_equal(heard, 3);

	text = file_text();
	assert_non_null(strstr(text, "Z error test: e 1\n"));
	assert_non_null(strstr(text, "Z warn  test: w two\n"));
	assert_non_null(strstr(text, "Z debug test: d2\n"));
	assert_null(strstr(text, "test: i"));
	free(text);

	assert_string_equal(log_level_name(LOGL_INFO), "info");
	assert_string_equal(log_level_name((enum log_level)99), "?");
}


static void test_escaped_and_cut(void **state)
{
	char big[3000];
	char *text;
	(void)state;

	log_warn("%s", "a\x1b[2J\r\nforged: line\xff");
	assert_string_equal(heard_text, "a?[2J??forged: line?");

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_warn("%s", big);
	assert_true(strlen(heard_text) < 500);
	assert_string_equal(heard_text + strlen(heard_text) - 4, "x...");

	text = file_text();
	assert_null(strchr(text, '\x1b'));
	assert_non_null(strstr(text, "x...\n"));
	free(text);
}


static void test_open(void **state)
{
	(void)state;

	assert_int_equal(log_open("/nonexistent/dir/log"), ENOENT);
	log_warn("still here");               /* the old one stays */
	assert_int_not_equal(log_fd(), STDERR_FILENO);

	assert_int_equal(log_open(NULL), 0);
	assert_int_equal(log_fd(), STDERR_FILENO);

	/* appended, not replaced */
	assert_int_equal(log_open(path), 0);
	log_warn("and here");
	char *text = file_text();
	assert_non_null(strstr(text, "still here"));
	assert_non_null(strstr(text, "and here"));
	free(text);
}


static void loud_h(enum log_level level, const char *module,
		   const char *text, void *arg)
{
	(void)level;
	(void)module;
	(void)text;
	(void)arg;

	++heard;
	log_warn("from the handler");
}


static void test_handler_may_log(void **state)
{
	char *text;
	(void)state;

	log_set_handler(loud_h, NULL);
	log_warn("once");
	assert_int_equal(heard, 1);

	text = file_text();
	assert_non_null(strstr(text, "from the handler"));
	free(text);
}


static atomic_uint wakes;


static void wake_h(void *arg)
{
	assert_ptr_equal(arg, &wakes);
	atomic_fetch_add(&wakes, 1);
}


static void *log_two(void *arg)
{
	log_info("one from afar");
	log_info("two from afar");

	return arg;
}


static void run_thread(void *(*fn)(void *))
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, fn, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}


static void test_foreign_thread(void **state)
{
	(void)state;

	wakes = 0;
	log_set_wake(wake_h, &wakes);

	run_thread(log_two);
	assert_int_equal(heard, 0);           /* main has not looked yet */
	assert_int_equal(wakes, 1);           /* one wake-up for both    */

	log_drain();
	assert_int_equal(heard, 2);
	assert_string_equal(heard_text, "two from afar");
	log_drain();
	assert_int_equal(heard, 2);

	run_thread(log_two);
	assert_int_equal(wakes, 2);           /* empty again: woken again */

	/* a line of main comes behind what was there before */
	log_info("main");
	assert_int_equal(heard, 5);
	assert_string_equal(heard_text, "main");
}


static void *log_1000(void *arg)
{
	for (int i = 0; i < 1000; i++)
		log_debug("line %d", i);

	return arg;
}


static void test_full(void **state)
{
	char *text;
	(void)state;

	run_thread(log_1000);
	log_drain();

	/* as many as fit, the first ones, and one line that says so */
	assert_int_equal(heard, 257);
	assert_string_equal(heard_module, "log");
	assert_non_null(strstr(heard_text, "744 lines"));

	text = file_text();
	assert_non_null(strstr(text, "line 255\n"));
	assert_null(strstr(text, "line 256\n"));
	free(text);

	/* and then it works as before */
	run_thread(log_two);
	log_drain();
	assert_int_equal(heard, 259);
}


enum { WRITERS = 3, LINES = 3000 };

static unsigned next_line[WRITERS];
static unsigned told_lost;
static unsigned got;


static void count_h(enum log_level level, const char *module,
		    const char *text, void *arg)
{
	unsigned writer, line, lost;
	(void)level;
	(void)module;
	(void)arg;

	if (sscanf(text, "%u lines of other", &lost) == 1) {
		told_lost += lost;
		return;
	}

	/* whole, and in the order of its writer */
	assert_int_equal(sscanf(text, "writer %u line %u end", &writer,
				&line), 2);
	assert_true(writer < WRITERS);
	assert_true(line >= next_line[writer]);
	assert_non_null(strstr(text, " end"));
	next_line[writer] = line + 1;
	++got;
}


static void *log_many(void *arg)
{
	const unsigned writer = *(unsigned *)arg;

	for (unsigned i = 0; i < LINES; i++) {
		log_debug("writer %u line %u end", writer, i);
		if (i % 64 == 0)
			(void)sched_yield();
	}

	return NULL;
}


static void test_many_writers(void **state)
{
	pthread_t thread[WRITERS];
	unsigned id[WRITERS];
	(void)state;

	memset(next_line, 0, sizeof(next_line));
	got = told_lost = 0;
	wakes = 0;
	log_set_wake(wake_h, &wakes);
	log_set_handler(count_h, NULL);

	for (unsigned i = 0; i < WRITERS; i++) {
		id[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, log_many,
						&id[i]), 0);
	}

	/* until every line has come or is known to be lost */
	while (got + told_lost < WRITERS * LINES) {
		log_drain();
		(void)sched_yield();
	}

	for (unsigned i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);

	log_drain();
	assert_int_equal(got + told_lost, WRITERS * LINES);
	assert_true(got >= 256);
	assert_true(wakes > 0);
}


int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_levels),
		T(test_escaped_and_cut),
		T(test_open),
		T(test_handler_may_log),
		T(test_foreign_thread),
		T(test_full),
		T(test_many_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
