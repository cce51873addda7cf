/**
 * @file test_edit.c  What is typed at the prompt, on a terminal of our own
 */
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>
#include "phone_rig.h"

#define ROW_AWAY "\r\033[K"

struct fix {
	struct phone ph;
	struct edit *e;
	struct output *out;
	int master, slave, rd;
	struct termios was;
	char seen[16384];
	size_t len;
};


static void open_edit(struct fix *f, const char *term)
{
	struct winsize ws = { .ws_row = 24, .ws_col = 40 };

	assert_int_equal(setenv("TERM", term, 1), 0);
	assert_int_equal(openpty(&f->master, &f->slave, NULL, NULL, &ws), 0);
	assert_int_equal(fcntl(f->master, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(tcgetattr(f->slave, &f->was), 0);
	assert_int_equal(output_alloc(&f->out, f->slave, NULL, NULL), 0);
	assert_int_equal(edit_alloc(&f->e, &f->ph, dup(f->slave), f->out, NULL,
				    &f->rd), 0);
}


static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	phone_rig_open(&f->ph);
	*state = f;

	return 0;
}


static int teardown(void **state)
{
	struct fix *f = *state;
	struct termios now;

	mem_deref(f->e);
	/* the terminal is as it was */
	assert_int_equal(tcgetattr(f->slave, &now), 0);
	assert_int_equal(now.c_lflag, f->was.c_lflag);
	assert_int_equal(now.c_iflag, f->was.c_iflag);
	mem_deref(f->out);
	close(f->rd);
	close(f->slave);
	close(f->master);
	phone_rig_close(&f->ph);
	free(f);

	return 0;
}


static void stop(void *arg)
{
	(void)arg;
	re_cancel();
}


static void look(struct fix *f)
{
	const ssize_t n = read(f->master, f->seen + f->len,
			       sizeof(f->seen) - f->len - 1);

	f->len += n > 0 ? (size_t)n : 0;
	f->seen[f->len] = '\0';
}


/* Until the terminal has been told that at the end, 10 s at most */
static void told(struct fix *f, const char *want)
{
	struct timer t = { 0 };
	const size_t n = strlen(want);

	for (int i = 0; i < 1000; i++) {
		look(f);
		if (f->len >= n && !strcmp(f->seen + f->len - n, want))
			return;
		timer_start(&t, 10, stop, NULL);
		assert_int_equal(re_main(NULL), 0);
		timer_cancel(&t);
	}
	fail_msg("not told '%s' but '%s'", want, f->seen);
}


/* ... and nothing else */
static void only(struct fix *f, const char *want)
{
	told(f, want);
	if (strcmp(f->seen, want))
		fail_msg("not only '%s' but '%s'", want, f->seen);
	f->len = 0;
}


static void type(struct fix *f, const char *keys)
{
	assert_int_equal(write(f->master, keys, strlen(keys)), strlen(keys));
}


/* What the script reads */
static void given(struct fix *f, const char *want)
{
	char buf[256] = "";
	const ssize_t n = read(f->rd, buf, sizeof(buf) - 1);

	assert_int_equal(n, (ssize_t)strlen(want));
	assert_string_equal(buf, want);
}


/* A character is just written; news take the row away and bring it back */
static void test_row(void **state)
{
	struct fix *f = *state;

	open_edit(f, "xterm-256color");
	edit_show(f->e);
	only(f, "offhook> ");
	edit_show(f->e);
	type(f, "a");
	only(f, "a");
	type(f, "\u00e9\u65e5");
	only(f, "\u00e9\u65e5");
	edit_hide(f->e);
	edit_hide(f->e);
	only(f, ROW_AWAY);
	/* typed meanwhile: seen when the prompt is there again */
	type(f, "b\033[D");
	edit_show(f->e);
	told(f, "offhook> a\u00e9\u65e5");
	f->len = 0;
	told(f, ROW_AWAY "offhook> a\u00e9\u65e5b\b");
	f->len = 0;
	/* in the middle: a wide one takes two columns back */
	type(f, "\033[D");
	only(f, ROW_AWAY "offhook> a\u00e9\u65e5b\b\b\b");
	type(f, "x");
	only(f, ROW_AWAY "offhook> a\u00e9x\u65e5b\b\b\b");
	type(f, "\r");
	only(f, ROW_AWAY "offhook> a\u00e9x\u65e5b\r\n");
	given(f, "a\u00e9x\u65e5b\n");
}


/* Longer than the row: what is around the cursor */
static void test_long(void **state)
{
	struct fix *f = *state;

	open_edit(f, "xterm-256color");
	edit_show(f->e);
	only(f, "offhook> ");
	type(f, "0123456789012345678901234567");
	told(f, "67");
	f->len = 0;
	type(f, "890123");
	told(f, "890123");
	f->len = 0;
	type(f, "\001");
	only(f, ROW_AWAY "offhook> 012345678901234567890123456789"
	     "\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b"
	     "\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b");
	type(f, "\r");
	told(f, "offhook> 0123456789012345678901234567890123\r\n");
	given(f, "0123456789012345678901234567890123\n");
}


/* Several lines at once, and what is no text */
static void test_paste(void **state)
{
	struct fix *f = *state;

	open_edit(f, "xterm-256color");
	edit_show(f->e);
	only(f, "offhook> ");
	type(f, "one\ntwo\nthr");
	told(f, "two\r\n");
	given(f, "one\ntwo\n");
	f->len = 0;
	edit_show(f->e);
	only(f, "offhook> thr");
	type(f, "\002\003\033]0;evil\007\xff\xfe");
	type(f, "\r");
	told(f, "\r\n");
	assert_null(strstr(f->seen, "\033]"));
	assert_null(strchr(f->seen, '\007'));
}


/* One that can take away no row is given blanks */
static void test_dumb(void **state)
{
	struct fix *f = *state;

	open_edit(f, "dumb");
	edit_show(f->e);
	type(f, "ab");
	only(f, "offhook> ab");
	edit_hide(f->e);
	only(f, "\r                                       \r");
	edit_show(f->e);
	only(f, "offhook> ab");
}


/* Ctrl-D on an empty line is the end of the input */
static void test_end(void **state)
{
	struct fix *f = *state;
	struct termios now;
	char c;

	open_edit(f, "xterm-256color");
	edit_show(f->e);
	type(f, "x\004");
	told(f, "x");
	type(f, "\025\004");
	for (int i = 0; i < 1000 && read(f->rd, &c, 1) != 0; i++) {
		struct timer t = { 0 };

		timer_start(&t, 10, stop, NULL);
		assert_int_equal(re_main(NULL), 0);
		timer_cancel(&t);
	}
	assert_int_equal(read(f->rd, &c, 1), 0);
	assert_int_equal(tcgetattr(f->slave, &now), 0);
	assert_true(now.c_lflag & ICANON && now.c_lflag & ECHO);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paste, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dumb, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
