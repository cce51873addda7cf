/**
 * @file test_input.c  Lines from pipes and files
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/timer.h"
#include "priv.h"


struct fix {
	int w;                   /* the writer's end                         */
	struct input *in;
	unsigned calls;
};


static void stop(void *arg)
{
	(void)arg;
	re_cancel();
}


static void input_handler(void *arg)
{
	struct fix *f = arg;

	++f->calls;
	re_cancel();
}


static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	int fds[2];

	assert_non_null(f);
	assert_int_equal(libre_init(), 0);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(pipe(fds), 0);
	f->w = fds[1];
	assert_int_equal(input_alloc(&f->in, fds[0], input_handler, f), 0);
	*state = f;

	return 0;
}


static int teardown(void **state)
{
	struct fix *f = *state;

	mem_deref(f->in);
	if (f->w >= 0)
		close(f->w);
	timers_close();
	libre_close();
	free(f);

	return 0;
}


static void give(struct fix *f, const char *text, size_t len)
{
	assert_int_equal(write(f->w, text, len), len);
}


static void end(struct fix *f)
{
	close(f->w);
	f->w = -1;
}


/* Until the handler is called, 5 s at most */
static void loop(void)
{
	struct timer t = { 0 };

	timer_start(&t, 5000, stop, NULL);
	assert_int_equal(re_main(NULL), 0);
	assert_true(timer_running(&t));
	timer_cancel(&t);
}


static void line_is(struct fix *f, const char *want, unsigned number)
{
	const char *line = NULL;
	size_t len = 0;

	assert_int_equal(input_line(f->in, &line, &len), 0);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(line, want, len);
	assert_int_equal(input_number(f->in), number);
}


static int no_line(struct fix *f)
{
	const char *line;
	size_t len;

	return input_line(f->in, &line, &len);
}


static void test_pipe(void **state)
{
	struct fix *f = *state;

	assert_int_equal(no_line(f), EAGAIN);
	give(f, "one\ntwo\r\n\nth", 12);
	loop();
	assert_int_equal(f->calls, 1);
	line_is(f, "one", 1);
	assert_true(input_ready(f->in));
	line_is(f, "two", 2);
	line_is(f, "", 3);

	/* half a line waits for its other half */
	assert_int_equal(no_line(f), EAGAIN);
	give(f, "ree\n", 4);
	loop();
	line_is(f, "three", 4);

	/* the last one may lack its end */
	give(f, "four", 4);
	end(f);
	line_is(f, "four", 5);
	assert_int_equal(no_line(f), ENODATA);
	assert_true(input_ended(f->in));
	assert_int_equal(no_line(f), ENODATA);
}


static void test_nothing(void **state)
{
	struct fix *f = *state;

	end(f);
	assert_int_equal(no_line(f), ENODATA);
}


/* A byte order mark at the beginning is none of the first line */
static void test_bom(void **state)
{
	struct fix *f = *state;

	give(f, "\xef\xbb", 2);
	assert_int_equal(no_line(f), EAGAIN);
	give(f, "\xbfone\n\xef\xbb\xbftwo\n", 12);
	loop();
	line_is(f, "one", 1);
	line_is(f, "\xef\xbb\xbftwo", 2);
}


static void test_nul(void **state)
{
	struct fix *f = *state;
	const char *line;
	size_t len;

	give(f, "a\0b\nc\n", 6);
	assert_int_equal(input_line(f->in, &line, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(line, "a\0b", 3);
	line_is(f, "c", 2);
}


static void test_long(void **state)
{
	struct fix *f = *state;
	char text[CLIENT_LINE_MAX + 1];

	memset(text, 'x', sizeof(text));

	/* the longest that is taken */
	give(f, text, CLIENT_LINE_MAX);
	give(f, "\r\nnext\n", 7);
	assert_int_equal(no_line(f), 0);
	line_is(f, "next", 2);

	/* a byte more */
	give(f, text, CLIENT_LINE_MAX + 1);
	give(f, "\nnext\n", 6);
	assert_int_equal(no_line(f), E2BIG);
	line_is(f, "next", 4);

	/* much more: told once, its rest skipped */
	for (size_t i = 0; i < 5; i++)
		give(f, text, CLIENT_LINE_MAX);
	give(f, "\nnext\n", 6);
	assert_int_equal(no_line(f), E2BIG);
	line_is(f, "next", 6);

	/* and without an end */
	for (size_t i = 0; i < 3; i++)
		give(f, text, CLIENT_LINE_MAX);
	end(f);
	assert_int_equal(no_line(f), E2BIG);
	assert_int_equal(no_line(f), ENODATA);
}


/* epoll refuses both */
static void test_files(void **state)
{
	struct fix *f = *state;
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_true(fputs("one\ntwo", file) >= 0);
	assert_int_equal(fflush(file), 0);
	rewind(file);

	mem_deref(f->in);
	assert_int_equal(input_alloc(&f->in, dup(fileno(file)),
				     input_handler, f), 0);
	line_is(f, "one", 1);
	line_is(f, "two", 2);
	assert_int_equal(no_line(f), ENODATA);
	assert_int_equal(fclose(file), 0);

	mem_deref(f->in);
	assert_int_equal(input_alloc(&f->in, open("/dev/null", O_RDONLY),
				     input_handler, f), 0);
	assert_int_equal(no_line(f), ENODATA);

	/* what cannot be read says so */
	mem_deref(f->in);
	assert_int_equal(input_alloc(&f->in, open("/", O_RDONLY),
				     input_handler, f), 0);
	assert_int_equal(no_line(f), EISDIR);
	assert_int_equal(no_line(f), ENODATA);
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_pipe), T(test_nothing), T(test_bom), T(test_nul), T(test_long),
		T(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
