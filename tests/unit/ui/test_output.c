/**
 * @file test_output.c  Lines out, to readers quick, slow and gone
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/clock.h"
#include "offhook/log.h"
#include "offhook/timer.h"
#include "priv.h"


struct fix {
	int r, w;
	struct output *out;
	unsigned warnings;
	unsigned losses;
	int lost;
	size_t got;
	struct compat_fd watch;
};


static void log_handler(enum log_level level, const char *module,
			const char *text, void *arg)
{
	struct fix *f = arg;
	(void)module;

	if (level == LOGL_WARN && strstr(text, "left out"))
		++f->warnings;
}


static void lost_handler(int err, void *arg)
{
	struct fix *f = arg;

	++f->losses;
	f->lost = err;
}


static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	int fds[2];

	assert_non_null(f);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(libre_init(), 0);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(pipe(fds), 0);
	f->r = fds[0];
	f->w = fds[1];
	assert_int_equal(output_alloc(&f->out, f->w, lost_handler, f), 0);
	log_set_handler(log_handler, f);
	*state = f;

	return 0;
}


static int teardown(void **state)
{
	struct fix *f = *state;

	log_set_handler(NULL, NULL);
	mem_deref(f->out);
	if (f->r >= 0)
		close(f->r);
	close(f->w);
	timers_close();
	libre_close();
	free(f);

	return 0;
}


static void test_quick(void **state)
{
	struct fix *f = *state;
	char buf[16];

	output_write(f->out, "one\n", 4, false);
	output_write(f->out, "two\n", 4, true);
	assert_int_equal(read(f->r, buf, sizeof(buf)), 8);
	assert_memory_equal(buf, "one\ntwo\n", 8);
	assert_false(output_behind(f->out));
}


static void stop(void *arg)
{
	(void)arg;
	re_cancel();
}


static void reader(int flags, void *arg)
{
	struct fix *f = arg;
	char buf[65536];
	const ssize_t n = read(f->r, buf, sizeof(buf));
	(void)flags;

	assert_true(n > 0);
	f->got += (size_t)n;
	if (buf[n - 1] == 'E')
		re_cancel();
}


/* A stopped reader holds up nobody, and gets all that matters afterwards */
static void test_slow(void **state)
{
	struct fix *f = *state;
	const uint64_t start = clock_ms();
	struct timer t = { 0 };
	size_t minor = 0;
	char text[1000];

	memset(text, 'x', sizeof(text));

	/* 1 MB, every other line may be dropped */
	for (size_t i = 0; i < 1000; i++)
		output_write(f->out, text, sizeof(text), i % 2);
	output_write(f->out, "E", 1, false);

	assert_true(clock_ms() - start < 2000);
	assert_true(output_behind(f->out));

	/* then it reads */
	assert_int_equal(compat_fd_listen(&f->watch, f->r, FD_READ, reader,
					  f), 0);
	timer_start(&t, 20000, stop, NULL);
	assert_int_equal(re_main(NULL), 0);
	assert_true(timer_running(&t));
	timer_cancel(&t);
	compat_fd_close(&f->watch);

	/* nothing that matters is lost */
	assert_true(f->got >= 500 * sizeof(text) + 1);
	minor = (f->got - 1) / sizeof(text) - 500;
	assert_true(minor < 400);
	assert_int_equal(f->warnings, 1);
	assert_false(output_behind(f->out));
}


/* There is an end to patience */
static void test_stopped(void **state)
{
	struct fix *f = *state;
	char *text = calloc(1, 1 << 20);
	uint64_t start;

	assert_non_null(text);
	for (size_t i = 0; i < 20; i++)
		output_write(f->out, text, 1 << 20, false);
	free(text);

	start = clock_ms();
	output_flush(f->out, 100);
	assert_in_range(clock_ms() - start, 90, 2000);
}


static void test_gone(void **state)
{
	struct fix *f = *state;

	close(f->r);
	f->r = -1;
	output_write(f->out, "one\n", 4, false);
	output_write(f->out, "two\n", 4, false);
	assert_false(output_behind(f->out));
	output_flush(f->out, 10000);
	assert_int_equal(f->losses, 1);
	assert_int_equal(f->lost, EPIPE);
}


/* It leaves while something waits for it: the flush finds out */
static void test_gone_later(void **state)
{
	struct fix *f = *state;
	char *text = calloc(1, 1 << 20);

	assert_non_null(text);
	output_write(f->out, text, 1 << 20, false);
	free(text);
	assert_int_equal(f->losses, 0);
	close(f->r);
	f->r = -1;
	output_flush(f->out, 10000);
	assert_int_equal(f->losses, 1);
	assert_int_equal(f->lost, EPIPE);
}


static void test_full(void **state)
{
	struct fix *f = *state;
	const int fd = open("/dev/full", O_WRONLY);

	assert_true(fd >= 0);
	mem_deref(f->out);
	assert_int_equal(output_alloc(&f->out, fd, lost_handler, f), 0);
	output_write(f->out, "one\n", 4, false);
	output_write(f->out, "two\n", 4, false);
	assert_int_equal(f->losses, 1);
	assert_int_equal(f->lost, ENOSPC);
	close(fd);
}


/* A file takes everything at once, epoll or not */
static void test_file(void **state)
{
	struct fix *f = *state;
	FILE *file = tmpfile();
	char text[10000];

	assert_non_null(file);
	memset(text, 'x', sizeof(text));
	mem_deref(f->out);
	assert_int_equal(output_alloc(&f->out, fileno(file), lost_handler,
				      f), 0);

	for (size_t i = 0; i < 50; i++)
		output_write(f->out, text, sizeof(text), false);
	assert_int_equal(lseek(fileno(file), 0, SEEK_END), 500000);
	assert_int_equal(fclose(file), 0);
}


/* Programs on a socket: the first line at once, what follows in the same turn
 * of the loop with one system call, in its order; statistics at its end */
static void test_gathered(void **state)
{
	struct timer t = { 0 };
	struct output *o;
	char buf[256];
	int fds[2];
	ssize_t n;
	(void)state;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
				    0, fds), 0);
	assert_int_equal(output_alloc(&o, fds[0], NULL, NULL), 0);

	output_write(o, "one\n", 4, false);
	assert_int_equal(recv(fds[1], buf, sizeof(buf), 0), 4);

	output_write(o, "two\n", 4, false);
	output_write(o, "three\n", 6, true);
	output_write(o, "four\n", 5, false);

	timer_start(&t, 0, stop, NULL);
	assert_int_equal(re_main(NULL), 0);
	assert_true(output_empty(o));

	/* each send was a packet: a slow machine may have made them two */
	for (size_t got = 0; got < 15; got += (size_t)n) {
		n = recv(fds[1], buf + got, sizeof(buf) - got, 0);
		assert_true(n > 0);
	}
	assert_memory_equal(buf, "two\nthree\nfour\n", 15);

	/* the next turn begins anew; what waits when it ends goes out */
	output_write(o, "five\n", 5, false);
	assert_int_equal(recv(fds[1], buf, sizeof(buf), 0), 5);
	output_write(o, "six\n", 4, false);
	output_flush(o, 1000);
	assert_int_equal(recv(fds[1], buf, sizeof(buf), 0), 4);
	timer_start(&t, 0, stop, NULL);
	assert_int_equal(re_main(NULL), 0);

	/* statistics have no need to hurry: they wait for its end at once */
	output_write(o, "seven\n", 6, true);
	assert_int_equal(recv(fds[1], buf, sizeof(buf), 0), -1);
	timer_start(&t, 0, stop, NULL);
	assert_int_equal(re_main(NULL), 0);
	assert_int_equal(recv(fds[1], buf, sizeof(buf), 0), 6);

	timer_cancel(&t);
	mem_deref(o);
	close(fds[0]);
	close(fds[1]);
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_quick), T(test_gathered), T(test_slow), T(test_stopped),
		T(test_gone),
		T(test_gone_later), T(test_full), T(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
