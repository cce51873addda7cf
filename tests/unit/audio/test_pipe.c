/**
 * @file test_pipe.c  Raw samples through FIFOs: late, slow, odd and gone peers
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <offhook/audio.h>
#include "tools.h"


enum { RATE = 8000, N = 80 };

static const struct audio_driver *d;
static struct audio_dev *dev;
static struct audio_info info;
static char err[256];
static int16_t v[N];


static int open_pair(const char *in, const char *out)
{
	struct audio_param prm = { .rate_hz = 48000, .pipe_rate_hz = RATE,
				   .wake_fd = -1 };

	(void)snprintf(prm.in, sizeof(prm.in), "%s", in);
	(void)snprintf(prm.out, sizeof(prm.out), "%s", out);
	dev = NULL;
	err[0] = '\0';

	return d->open(&dev, &info, &prm, err, sizeof(err));
}


static int set_up(void **state)
{
	(void)state;
	d = audio_driver_find("pipe");
	(void)signal(SIGPIPE, SIG_IGN);

	return mkfifo(tools_path("i"), 0600) || mkfifo(tools_path("o"), 0600);
}


static int tear_down(void **state)
{
	(void)state;
	d->close(dev);
	dev = NULL;

	return unlink(tools_path("i")) || unlink(tools_path("o"));
}


static void reads_silence(unsigned blocks)
{
	while (blocks--) {
		memset(v, 1, sizeof(v));
		assert_int_equal(N, d->read(dev, v, N));
		for (int i = 0; i < N; i++)
			assert_int_equal(0, v[i]);
	}
}


/* samples counting up from 1, as bytes */
static void put(int fd, int from, int n)
{
	for (int i = from; i < from + n; i++) {
		const uint8_t b[2] = { (uint8_t)i, (uint8_t)(i >> 8) };

		assert_int_equal(2, write(fd, b, 2));
	}
}


static void test_in(void **state)
{
	int fd, next = 1;
	(void)state;

	assert_int_equal(0, open_pair(tools_path("i"), ""));
	assert_int_equal(RATE, info.rate_hz);
	assert_true(info.has_in);
	assert_false(info.has_out);
	assert_true(d->alive(dev));
	reads_silence(3);                /* no writer yet */

	fd = open(tools_path("i"), O_WRONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	reads_silence(2);                /* a writer, but nothing written */

	/* a block alone is not enough to begin; three are */
	put(fd, 1, N);
	assert_int_equal(N, d->in_fill(dev));
	reads_silence(1);
	put(fd, 1 + N, 3 * N);
	for (int k = 0; k < 4; k++) {
		assert_int_equal(N, d->read(dev, v, N));
		for (int i = 0; i < N; i++)
			assert_int_equal(next++, v[i]);
	}

	/* dry: silence, and it begins anew with a cushion */
	reads_silence(1);
	put(fd, 1, N);
	reads_silence(1);
	put(fd, 1 + N, 2 * N);
	assert_int_equal(N, d->read(dev, v, N));
	assert_int_equal(1, v[0]);

	/* the writer ends: what it left is played, then silence */
	assert_int_equal(0, close(fd));
	for (int k = 0; k < 2; k++)
		assert_int_equal(N, d->read(dev, v, N));
	assert_int_equal(3 * N, v[N - 1]);
	reads_silence(10);

	/* another one comes */
	fd = open(tools_path("i"), O_WRONLY | O_NONBLOCK);
	put(fd, 500, 3 * N);
	assert_int_equal(N, d->read(dev, v, N));
	assert_int_equal(500, v[0]);
	assert_int_equal(0, close(fd));
}


/* a last word shorter than the cushion is heard, if a little late */
static void test_in_short(void **state)
{
	int fd, blocks = 0;
	(void)state;

	assert_int_equal(0, open_pair(tools_path("i"), ""));
	fd = open(tools_path("i"), O_WRONLY | O_NONBLOCK);
	put(fd, 1, N / 2);
	assert_int_equal(0, close(fd));
	do {
		assert_int_equal(N, d->read(dev, v, N));
		assert_true(++blocks < 10);
	} while (!v[0]);
	assert_int_equal(1, v[0]);
	assert_int_equal(N / 2, v[N / 2 - 1]);
	assert_int_equal(0, v[N / 2]);
	reads_silence(2);
}


/* bytes that come in odd numbers stay samples */
static void test_in_odd(void **state)
{
	uint8_t b[2 * 8 * N];
	size_t done = 0;
	int fd, next = 1, blocks = 0;
	(void)state;

	for (int i = 0; i < 8 * N; i++) {
		b[2 * i] = (uint8_t)(i + 1);
		b[2 * i + 1] = (uint8_t)((i + 1) >> 8);
	}
	assert_int_equal(0, open_pair(tools_path("i"), ""));
	fd = open(tools_path("i"), O_WRONLY | O_NONBLOCK);

	while (next <= 8 * N) {
		size_t k = 2 * N - 17;

		if (k > sizeof(b) - done)
			k = sizeof(b) - done;
		if (k)
			assert_int_equal(k, write(fd, b + done, k));
		done += k;
		assert_int_equal(N, d->read(dev, v, N));
		for (int i = 0; i < N; i++) {
			if (v[i])
				assert_int_equal(next++, v[i]);
		}
		assert_true(++blocks < 60);
	}
	assert_int_equal(0, close(fd));
}


/* neither is there yet, not even its name */
static void test_late(void **state)
{
	uint8_t b[2 * N + 10];
	int fd;
	(void)state;

	assert_int_equal(0, unlink(tools_path("i")));
	assert_int_equal(0, unlink(tools_path("o")));
	assert_int_equal(0, open_pair(tools_path("i"), tools_path("o")));
	assert_true(info.has_in);
	assert_true(info.has_out);
	(void)d->service(dev, err, sizeof(err));
	reads_silence(2);
	assert_int_equal(N, d->write(dev, v, N));
	assert_int_equal(0, d->in_fill(dev));

	assert_int_equal(0, mkfifo(tools_path("i"), 0600));
	assert_int_equal(0, mkfifo(tools_path("o"), 0600));
	(void)d->service(dev, err, sizeof(err));
	assert_int_equal(N, d->write(dev, v, N));     /* nobody reads */

	fd = open(tools_path("o"), O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	(void)d->service(dev, err, sizeof(err));
	for (int i = 0; i < N; i++)
		v[i] = (int16_t)(i - 300);
	assert_int_equal(N, d->write(dev, v, N));
	assert_int_equal(2 * N, read(fd, b, sizeof(b)));
	for (int i = 0; i < N; i++)
		assert_int_equal(v[i], (int16_t)(b[2 * i] |
						 b[2 * i + 1] << 8));

	/* the reader goes and another one comes */
	assert_int_equal(0, close(fd));
	assert_int_equal(N, d->write(dev, v, N));
	fd = open(tools_path("o"), O_RDONLY | O_NONBLOCK);
	assert_int_equal(N, d->write(dev, v, N));
	assert_int_equal(2 * N, read(fd, b, sizeof(b)));
	assert_int_equal(0, close(fd));
}


/* a reader that sleeps costs samples, never time, and stays aligned */
static void test_slow_reader(void **state)
{
	static uint8_t b[400000];
	ssize_t k;
	int fd;
	(void)state;

	fd = open(tools_path("o"), O_RDONLY | O_NONBLOCK);
	assert_int_equal(0, open_pair("", tools_path("o")));
	for (int i = 0; i < N; i++)
		v[i] = (int16_t)0xab12;
	for (int i = 0; i < 2000; i++)
		assert_int_equal(N, d->write(dev, v, N));

	/* 20 s were written: no more than about 0.5 s waits */
	k = read(fd, b, sizeof(b));
	assert_in_range(k, 2 * N, RATE);
	assert_int_equal(0, k % 2);
	for (ssize_t i = 0; i < k; i += 2) {
		assert_int_equal(0x12, b[i]);
		assert_int_equal(0xab, b[i + 1]);
	}
	assert_int_equal(0, close(fd));
}


static void test_devices(void **state)
{
	(void)state;
	assert_int_equal(0, open_pair("/dev/zero", "/dev/null"));
	reads_silence(3);
	assert_int_equal(N, d->write(dev, v, N));
}


static void test_refused(void **state)
{
	(void)state;

	assert_int_equal(EINVAL, open_pair("", ""));
	assert_non_null(strstr(err, "pipe:IN,OUT"));
	tools_write(tools_path("plain.raw"), "abcd", 4);
	assert_int_equal(EINVAL, open_pair(tools_path("plain.raw"), ""));
	assert_non_null(strstr(err, "not a pipe: make one with mkfifo"));
	assert_int_equal(EINVAL, open_pair(tools_path("i"),
					   tools_path("plain.raw")));
	assert_int_equal(EISDIR, open_pair("", tools_path(".")));
	assert_int_equal(ENOTDIR, open_pair(tools_path("plain.raw/x"), ""));
	assert_null(dev);

	/* for the tear-down */
	assert_int_equal(0, open_pair(tools_path("i"), ""));
}


static int checked(const char *in, const char *out)
{
	struct audio_spec as = { .driver = "pipe" };

	(void)snprintf(as.in, sizeof(as.in), "%s", in);
	(void)snprintf(as.out, sizeof(as.out), "%s", out);
	err[0] = '\0';

	return d->check(&as, err, sizeof(err));
}


/* Before anything starts: a FIFO nobody holds is fine and is left alone */
static void test_check(void **state)
{
	(void)state;

	assert_int_equal(0, checked(tools_path("i"), tools_path("o")));
	assert_int_equal(0, checked("", tools_path("o")));
	assert_int_equal(0, checked("/dev/zero", "/dev/null"));

	assert_int_equal(ENOENT, checked(tools_path("none"), ""));
	assert_non_null(strstr(err, "none: No such file"));
	assert_int_equal(ENOENT, checked(tools_path("i"), "/no/such/pipe"));
	assert_non_null(strstr(err, "/no/such/pipe"));
	assert_int_equal(EINVAL, checked("/", ""));

	tools_write(tools_path("plain"), "x", 1);
	assert_int_equal(EINVAL, checked(tools_path("plain"), ""));
	assert_non_null(strstr(err, "is not a pipe"));
	assert_int_equal(EINVAL, checked("", tools_path("plain")));

	/* for the tear-down */
	assert_int_equal(0, open_pair(tools_path("i"), ""));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_short,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_odd,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_late,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_reader,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_devices,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_check,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, tools_enter, tools_leave);
}
