/**
 * @file test_file.c  WAV files as microphone and loudspeaker
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/audio.h>
#include <offhook/log.h>
#include "tools.h"


static char err[256];
static unsigned errors, warnings;
static char last[256];


static void on_log(enum log_level level, const char *module,
		   const char *text, void *arg)
{
	(void)module;
	(void)arg;
	errors += level == LOGL_ERROR;
	warnings += level == LOGL_WARN;
	(void)snprintf(last, sizeof(last), "%s", text);
}


static int open_pair(struct audio_dev **devp, struct audio_info *info,
		     const char *in, const char *out, uint32_t rate_hz)
{
	struct audio_param prm = { .rate_hz = rate_hz, .wake_fd = -1 };

	(void)snprintf(prm.in, sizeof(prm.in), "%s", in);
	(void)snprintf(prm.out, sizeof(prm.out), "%s", out);
	err[0] = '\0';

	return audio_driver_find("file")->open(devp, info, &prm, err,
					       sizeof(err));
}


static void save(const char *name, const int16_t *v, size_t n, uint32_t rate)
{
	struct sound_file *f = NULL;

	assert_int_equal(0, sound_open_write(&f, tools_path(name), rate, 1,
					     err, sizeof(err)));
	assert_int_equal(0, sound_write(f, v, n));
	mem_deref(f);
}


static void test_in_is_played_once(void **state)
{
	const struct audio_driver *d = audio_driver_find("file");
	struct audio_dev *dev = NULL;
	struct audio_info info;
	int16_t in[1000], v[480];
	size_t n = 0;
	(void)state;

	for (int i = 0; i < 1000; i++)
		in[i] = (int16_t)(i + 1);
	save("in.wav", in, 1000, 48000);

	assert_int_equal(0, open_pair(&dev, &info, tools_path("in.wav"), "",
				      48000));
	assert_true(info.has_in);
	assert_false(info.has_out);
	assert_string_equal("in.wav", info.in_name);
	assert_string_equal("null", info.out_name);
	assert_int_equal(48000, info.rate_hz);
	assert_int_equal(1000, d->in_fill(dev));

	/* it has not begun before the first read */
	assert_int_equal(0, d->service(dev, err,
							 sizeof(err)));
	for (int k = 0; k < 5; k++) {
		memset(v, 1, sizeof(v));
		assert_int_equal(480, d->read(dev, v, 480));
		for (int i = 0; i < 480; i++, n++)
			assert_int_equal(n < 1000 ? n + 1 : 0, v[i]);
	}
	assert_int_equal(0, d->in_fill(dev));
	assert_true(d->alive(dev));
	assert_int_equal(480, d->write(dev, v, 480));
	d->close(dev);
}


static void test_in_is_resampled(void **state)
{
	const struct audio_driver *d = audio_driver_find("file");
	struct audio_dev *dev = NULL;
	struct audio_info info;
	int16_t in[8000], v[16000];
	(void)state;

	tools_sine(in, 8000, 8000, 440, 8000);
	save("8k.wav", in, 8000, 8000);
	assert_int_equal(0, open_pair(&dev, &info, tools_path("8k.wav"), "",
				      16000));
	assert_int_equal(16000, info.rate_hz);
	assert_int_equal(16000, d->in_fill(dev));
	assert_int_equal(16000, d->read(dev, v, 16000));
	assert_in_range((int)tools_level(v, 16000, 16000, 440), 7800, 8100);
	d->close(dev);
}


static void test_out_is_written(void **state)
{
	const struct audio_driver *d = audio_driver_find("file");
	struct audio_dev *dev = NULL;
	struct audio_info info;
	int16_t v[160], *out = NULL;
	uint32_t rate = 0;
	size_t n = 0;
	(void)state;

	assert_int_equal(0, open_pair(&dev, &info, "",
				      tools_path("out.wav"), 16000));
	assert_false(info.has_in);
	assert_true(info.has_out);
	assert_string_equal("out.wav", info.out_name);

	/* no source is silence */
	assert_int_equal(160, d->read(dev, v, 160));
	assert_int_equal(0, v[0]);

	for (int k = 1; k <= 100; k++) {
		for (int i = 0; i < 160; i++)
			v[i] = (int16_t)k;
		assert_int_equal(160, d->write(dev, v, 160));
		if (k % 5 == 0)
			assert_int_equal(0, d->service(dev, err,
						       sizeof(err)));
	}

	/* on disk already, and the rest with the end */
	assert_int_equal(0, sound_read(&out, &n, &rate,
				       tools_path("out.wav"), err,
				       sizeof(err)));
	assert_int_equal(16000, n);
	free(out);
	for (int i = 0; i < 160; i++)
		v[i] = 101;
	assert_int_equal(160, d->write(dev, v, 160));
	assert_int_equal(0, d->service(dev, err, sizeof(err)));
	d->close(dev);

	assert_int_equal(0, sound_read(&out, &n, &rate,
				       tools_path("out.wav"), err,
				       sizeof(err)));
	assert_int_equal(16160, n);
	assert_int_equal(16000, rate);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(i / 160 + 1, out[i]);
	free(out);
}


/* In two: what has no side is the same left and right, and what is on the left
 * only leaves nothing at all on the right */
static void test_two_channels(void **state)
{
	const struct audio_driver *d = audio_driver_find("file");
	struct audio_param prm = { .rate_hz = 16000, .channels = 2 };
	struct audio_dev *dev = NULL;
	struct audio_info info;
	int16_t v[800], *mid = NULL, *side = NULL;
	uint32_t rate = 0;
	size_t n = 0;
	(void)state;

	(void)snprintf(prm.out, sizeof(prm.out), "%s", tools_path("two.wav"));
	assert_int_equal(0, d->open(&dev, &info, &prm, err, sizeof(err)));
	assert_int_equal(2, info.channels);
	for (int i = 0; i < 800; i++)
		v[i] = (int16_t)(10 * i);
	assert_int_equal(800, d->write(dev, v, 800));
	assert_int_equal(800, d->write_two(dev, v, v, 800));
	for (int i = 0; i < 800; i++)
		v[i] = 20000;
	assert_int_equal(800, d->write_two(dev, v, v, 800));
	assert_int_equal(0, d->service(dev, err, sizeof(err)));
	d->close(dev);

	assert_int_equal(0, sound_read_two(&mid, &side, &n, &rate,
					   tools_path("two.wav"), err,
					   sizeof(err)));
	assert_int_equal(2400, n);
	assert_non_null(side);
	for (int i = 0; i < 800; i++) {
		assert_int_equal(10 * i, mid[i]);
		assert_int_equal(0, side[i]);
		assert_int_equal(10 * i, mid[800 + i]);
		assert_int_equal(10 * i, side[800 + i]);
		/* cut, not wrapped */
		assert_in_range(mid[1600 + i] + side[1600 + i], 32766, 32768);
	}
	free(mid);
	free(side);

	/* one is what it is when nobody says otherwise */
	assert_int_equal(0, open_pair(&dev, &info, "", tools_path("one.wav"),
				      16000));
	assert_int_equal(1, info.channels);
	d->close(dev);
}


static void test_refused(void **state)
{
	struct audio_dev *dev = NULL;
	struct audio_info info;
	(void)state;

	assert_int_equal(EINVAL, open_pair(&dev, &info, "", "", 48000));
	assert_non_null(strstr(err, "file:IN.wav,OUT.wav"));

	/* IN is looked at first: no empty OUT is left behind */
	assert_int_equal(ENOENT, open_pair(&dev, &info,
			tools_path("none.wav"), tools_path("new.wav"), 48000));
	assert_non_null(strstr(err, "none.wav: No such file"));
	assert_int_not_equal(0, access(tools_path("new.wav"), F_OK));

	assert_int_equal(ENOENT, open_pair(&dev, &info, "",
			tools_path("no/dir.wav"), 48000));
	assert_non_null(strstr(err, "cannot write"));
	assert_null(dev);
}


/* one sentence, and the call goes on */
static void test_disk_full(void **state)
{
	const struct audio_driver *d = audio_driver_find("file");
	struct audio_dev *dev = NULL;
	struct audio_info info;
	struct rlimit old, small;
	int16_t v[800] = {0};
	unsigned failed = 0;
	(void)state;

	assert_int_equal(0, open_pair(&dev, &info, "",
				      tools_path("full.wav"), 8000));
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &old));
	small = old;
	small.rlim_cur = 20000;
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &small));
	errors = warnings = 0;
	for (int k = 0; k < 50; k++) {
		assert_int_equal(800, d->write(dev, v, 800));
		failed += d->service(dev, err, sizeof(err)) == EFBIG;
		assert_true(d->alive(dev));
	}
	d->close(dev);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &old));

	assert_int_equal(1, failed);
	assert_int_equal(0, errors + warnings);
	assert_non_null(strstr(err, "full.wav: File too large; the file "
			       "ends after 1."));
}


/* main did not come for three seconds */
static void test_too_slow(void **state)
{
	const struct audio_driver *d = audio_driver_find("file");
	struct audio_dev *dev = NULL;
	struct audio_info info;
	int16_t v[800] = {0};
	(void)state;

	assert_int_equal(0, open_pair(&dev, &info, "",
				      tools_path("slow.wav"), 8000));
	errors = warnings = 0;
	for (int k = 0; k < 30; k++)
		assert_int_equal(800, d->write(dev, v, 800));
	d->close(dev);
	assert_int_equal(0, errors);
	assert_int_equal(1, warnings);
	assert_non_null(strstr(last, "s are missing"));
}


static int checked(const char *in, const char *out)
{
	struct audio_spec as = { .driver = "file" };

	(void)snprintf(as.in, sizeof(as.in), "%s", in);
	(void)snprintf(as.out, sizeof(as.out), "%s", out);
	err[0] = '\0';

	return audio_driver_find("file")->check(&as, err, sizeof(err));
}


/* Before anything starts: nothing waits, nothing is made, nothing is lost */
static void test_check(void **state)
{
	const int16_t v[80] = {0};
	struct stat st;
	(void)state;

	save("in.wav", v, 80, 8000);
	save("old.wav", v, 80, 8000);
	assert_int_equal(0, checked(tools_path("in.wav"),
				    tools_path("new.wav")));
	assert_int_equal(-1, stat(tools_path("new.wav"), &st));
	assert_int_equal(0, checked("", tools_path("old.wav")));
	assert_int_equal(0, stat(tools_path("old.wav"), &st));
	assert_int_equal(44 + 160, st.st_size);

	assert_int_equal(ENOENT, checked(tools_path("none.wav"), ""));
	assert_non_null(strstr(err, "none.wav: No such file"));
	tools_write(tools_path("text.wav"), "no sound", 8);
	assert_int_equal(EINVAL, checked(tools_path("text.wav"), ""));
	assert_int_equal(ENOENT, checked("", "/no/such/out.wav"));
	assert_non_null(strstr(err, "cannot write /no/such/out.wav"));
	assert_int_not_equal(0, checked("", "/"));

	assert_int_equal(0, mkfifo(tools_path("fifo"), 0600));
	assert_int_not_equal(0, checked("", tools_path("fifo")));
	assert_non_null(strstr(err, "it is no file"));
	assert_int_equal(EINVAL, checked(tools_path("fifo"), ""));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_is_played_once),
		cmocka_unit_test(test_in_is_resampled),
		cmocka_unit_test(test_out_is_written),
		cmocka_unit_test(test_two_channels),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_too_slow),
		cmocka_unit_test(test_check),
	};

	log_set_handler(on_log, NULL);

	return cmocka_run_group_tests(tests, tools_enter, tools_leave);
}
