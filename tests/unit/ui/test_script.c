/**
 * @file test_script.c  A script from its first line to its end
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "phone_rig.h"


struct fix {
	struct phone ph;
	struct ui_script *u;
	FILE *out, *err;
	int in_w;                /* writer's end of the input, -1: closed    */
	int ends;
	bool failed;
	int lost;
	char text[8192];
};


static void end_handler(bool failed, void *arg)
{
	struct fix *f = arg;

	++f->ends;
	f->failed = failed;
	re_cancel();
}


static void lost_handler(int err, void *arg)
{
	struct fix *f = arg;

	f->lost = err;
	re_cancel();
}


static void stop(void *arg)
{
	(void)arg;
	re_cancel();
}


static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	phone_rig_open(&f->ph);
	f->ph.answer = fake_answer();
	f->out = tmpfile();
	f->err = tmpfile();
	f->in_w = -1;
	assert_non_null(f->out);
	assert_non_null(f->err);
	*state = f;

	return 0;
}


static int teardown(void **state)
{
	struct fix *f = *state;

	mem_deref(f->u);
	fclose(f->out);
	fclose(f->err);
	if (f->in_w >= 0)
		close(f->in_w);
	phone_rig_close(&f->ph);
	free(f);

	return 0;
}


static void start(struct fix *f, bool json, bool person)
{
	struct ui_conf conf = {
		.in_name = "s", .json = json, .person = person,
		.keep = json || person,
		.out_fd = fileno(f->out), .err_fd = fileno(f->err),
		.end_h = end_handler, .lost_h = lost_handler, .arg = f,
	};
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	conf.in_fd = fds[0];
	f->in_w = fds[1];
	assert_int_equal(ui_script_alloc(&f->u, &f->ph, &conf), 0);
}


static void give(struct fix *f, const char *text)
{
	assert_int_equal(write(f->in_w, text, strlen(text)), strlen(text));
}


static void end_input(struct fix *f)
{
	close(f->in_w);
	f->in_w = -1;
}


/* Until the script ends, or for so long. @return did it end? */
static bool loop(struct fix *f, uint64_t ms)
{
	struct timer t = { 0 };
	const int ends = f->ends;

	timer_start(&t, ms, stop, NULL);
	assert_int_equal(re_main(NULL), 0);
	timer_cancel(&t);

	return f->ends > ends;
}


static const char *written(struct fix *f, FILE *file)
{
	const ssize_t n = pread(fileno(file), f->text, sizeof(f->text) - 1,
				0);

	assert_true(n >= 0);
	f->text[n] = '\0';

	return f->text;
}


static void test_run(void **state)
{
	struct fix *f = *state;

	start(f, false, false);
	assert_int_equal(ui_script_line(f->u, "print first", "-e"), 0);
	give(f, "print one\n# nothing\nsleep 10ms\nprint two");
	end_input(f);
	assert_int_equal(ui_script_start(f->u), 0);
	assert_true(loop(f, 5000));

	assert_false(f->failed);
	assert_int_equal(f->ends, 1);
	assert_int_equal(ui_script_exit(f->u), 0);
	assert_true(ui_script_ended(f->u));
	assert_string_equal(written(f, f->out), "first\none\ntwo\n");
	assert_string_equal(written(f, f->err), "");
}


static void test_failure(void **state)
{
	struct fix *f = *state;

	start(f, false, false);
	give(f, "-hangup\nprint one\nnonsense\nprint never\n");
	assert_int_equal(ui_script_start(f->u), 0);
	assert_true(loop(f, 5000));

	assert_true(f->failed);
	assert_int_equal(ui_script_exit(f->u), 2);
	assert_string_equal(written(f, f->out), "one\n");
	assert_string_equal(written(f, f->err),
			    "error: no-call: there is no call (s:1)\n"
			    "error: unknown-command: there is no command "
			    "'nonsense'; see 'help' (s:3)\n");
}


static void test_first_line_fails(void **state)
{
	struct fix *f = *state;

	start(f, false, false);
	assert_int_equal(ui_script_line(f->u, "hangup", "-e"), 0);
	assert_int_equal(ui_script_line(f->u, "print never", "-e"), 0);
	give(f, "print never\n");
	assert_int_equal(ui_script_start(f->u), 0);
	assert_true(loop(f, 5000));
	assert_true(f->failed);
	assert_string_equal(written(f, f->out), "");
}


static void test_json(void **state)
{
	struct fix *f = *state;

	start(f, true, false);
	give(f, "{\"id\":1,\"command\":\"hangup\"}\n"
	     "{\"id\":2,\"command\":\"print\",\"args\":{\"text\":\"x\"}}\n"
	     "print y\nhangup\nprint on\n");
	end_input(f);
	assert_int_equal(ui_script_start(f->u), 0);
	assert_true(loop(f, 5000));
	/* what failed is remembered */
	assert_true(f->failed);
	assert_string_equal(written(f, f->err), "");
	assert_string_equal(written(f, f->out),
			    "{\"reply\":1,\"ok\":false,\"error\":\"no-call\","
			    "\"text\":\"there is no call\",\"where\":\"s:1\"}"
			    "\n{\"reply\":2,\"ok\":true,\"text\":\"x\"}\n"
			    "{\"reply\":null,\"ok\":true,\"text\":\"y\"}\n"
			    "{\"reply\":null,\"ok\":false,\"error\":"
			    "\"no-call\",\"text\":\"there is no call\","
			    "\"where\":\"s:4\"}\n"
			    "{\"reply\":null,\"ok\":true,\"text\":\"on\"}"
			    "\n");
}


static void test_events(void **state)
{
	struct fix *f = *state;

	start(f, true, false);
	assert_int_equal(ui_script_start(f->u), 0);
	(void)fake_incoming("sip:a@b");
	assert_non_null(strstr(written(f, f->out),
			       "{\"event\":\"call.state\",\"seq\":1,"));

	mem_deref(f->u);
	close(f->in_w);
	start(f, false, false);
	(void)fake_incoming("sip:c@d");
	assert_non_null(strstr(written(f, f->out), "call 2"));
}


static void test_long_line(void **state)
{
	struct fix *f = *state;
	char line[9001];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';

	start(f, false, false);
	give(f, "print one\n");
	give(f, line);
	give(f, "print never\n");
	assert_int_equal(ui_script_start(f->u), 0);
	assert_true(loop(f, 5000));
	assert_true(f->failed);
	assert_string_equal(written(f, f->out), "one\n");
	assert_string_equal(written(f, f->err), "error: line-too-long: the "
			    "line is longer than 8192 bytes (s:2)\n");
}


/* At a terminal a mistake is no end */
static void test_person(void **state)
{
	struct fix *f = *state;
	const char *text;

	start(f, false, true);
	give(f, "nonsense\nprint on\n");
	assert_int_equal(ui_script_start(f->u), 0);
	assert_false(loop(f, 100));
	text = written(f, f->out);
	assert_non_null(strstr(text, "on\n"));
	assert_non_null(strstr(text, "offhook> "));
	assert_non_null(strstr(written(f, f->err), "unknown-command"));

	end_input(f);
	assert_true(loop(f, 5000));
}


static void test_stop(void **state)
{
	struct fix *f = *state;

	start(f, false, false);
	give(f, "sleep 10ms\nprint never\n");
	assert_int_equal(ui_script_start(f->u), 0);
	assert_false(loop(f, 5));
	ui_script_stop(f->u);
	assert_false(loop(f, 50));
	assert_int_equal(f->ends, 0);
	assert_string_equal(written(f, f->out), "");
}


/* Nobody can be told any more: one line on stderr, and the owner hears it */
static void test_output_lost(void **state)
{
	struct fix *f = *state;

	fclose(f->out);
	f->out = fopen("/dev/full", "w");
	assert_non_null(f->out);
	start(f, false, false);
	give(f, "print one\nprint two\nsleep 5\n");
	assert_int_equal(ui_script_start(f->u), 0);
	assert_false(loop(f, 4000));
	assert_int_equal(f->lost, ENOSPC);
	assert_int_equal(ui_script_flush(f->u, 100), ENOSPC);
	assert_string_equal(written(f, f->err), "error: no-output: the "
			    "output cannot be written: No space left on "
			    "device\n");
}


/* A reader who leaves knows it */
static void test_reader_gone(void **state)
{
	struct fix *f = *state;
	int fds[2];

	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	fclose(f->out);
	f->out = fdopen(fds[1], "w");
	assert_non_null(f->out);
	start(f, true, false);
	close(fds[0]);
	give(f, "print one\nsleep 5\n");
	assert_int_equal(ui_script_start(f->u), 0);
	assert_false(loop(f, 4000));
	assert_int_equal(f->lost, EPIPE);
	assert_string_equal(written(f, f->err), "");
}


static void test_directory(void **state)
{
	struct fix *f = *state;
	struct ui_conf conf = {
		.in_fd = open("/", O_RDONLY), .in_name = "/",
		.out_fd = fileno(f->out), .err_fd = fileno(f->err),
	};

	assert_int_equal(ui_script_alloc(&f->u, &f->ph, &conf), EISDIR);
	close(conf.in_fd);
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_run), T(test_failure), T(test_first_line_fails),
		T(test_json), T(test_events), T(test_long_line),
		T(test_person), T(test_stop), T(test_output_lost),
		T(test_reader_gone), T(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
