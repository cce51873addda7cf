/**
 * @file test_sound.c  Sound files: read whole, written bit by bit
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sndfile.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/audio.h>
#include "tools.h"


static char err[256];


static struct sound_file *create(const char *path, uint32_t rate_hz,
				 unsigned channels)
{
	struct sound_file *f = NULL;

	err[0] = '\0';
	if (sound_open_write(&f, path, rate_hz, channels, err, sizeof(err)))
		fail_msg("%s", err);

	return f;
}


/* a file of any format libsndfile can write */
static void make(const char *path, int format, int rate, int channels,
		 const float *v, size_t frames)
{
	SF_INFO info = { .samplerate = rate, .channels = channels,
			 .format = format };
	SNDFILE *sf = sf_open(path, SFM_WRITE, &info);

	assert_non_null(sf);
	assert_int_equal(frames, sf_writef_float(sf, v, (sf_count_t)frames));
	assert_int_equal(0, sf_close(sf));
}


static size_t load(int16_t **vp, const char *path, uint32_t *rate)
{
	size_t n = 0;

	err[0] = '\0';
	*vp = NULL;
	if (sound_read(vp, &n, rate, path, err, sizeof(err)))
		fail_msg("%s", err);

	return n;
}


static void refused(int e, const char *path, const char *because)
{
	int16_t *v = NULL;
	size_t n = 77;
	uint32_t rate = 77;

	err[0] = '\0';
	assert_int_equal(e, sound_read(&v, &n, &rate, path, err,
				       sizeof(err)));
	assert_null(v);
	assert_int_equal(77, n);
	assert_int_equal(77, rate);
	if (!strstr(err, because) || strchr(err, '\n'))
		fail_msg("%s", err);
}


static void test_there_and_back(void **state)
{
	const char *path = tools_path("a.wav");
	struct sound_file *f = create(path, 16000, 1);
	int16_t in[1000], *out;
	uint32_t rate;
	(void)state;

	for (int i = 0; i < 1000; i++)
		in[i] = (int16_t)(i * 65 - 32768);
	assert_int_equal(0, sound_write(f, in, 1000));
	assert_int_equal(1000, sound_frames(f));
	mem_deref(f);

	assert_int_equal(1000, load(&out, path, &rate));
	assert_int_equal(16000, rate);
	assert_memory_equal(in, out, sizeof(in));
	free(out);
}


/* two channels: their mean, and what they differ by */
static void test_two(void **state)
{
	const char *path = tools_path("two.wav");
	struct sound_file *f = create(path, 16000, 2);
	int16_t in[2000], *mid, *side = NULL;
	uint32_t rate;
	size_t n;
	(void)state;

	for (int i = 0; i < 1000; i++) {
		in[2 * i] = (int16_t)(20 * i);
		in[2 * i + 1] = (int16_t)(-10 * i);
	}
	assert_int_equal(0, sound_write(f, in, 1000));
	mem_deref(f);
	assert_int_equal(0, sound_read_two(&mid, &side, &n, &rate, path, err,
					   sizeof(err)));
	assert_int_equal(1000, n);
	assert_non_null(side);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(mid[i], 5 * i);
		assert_int_equal(side[i], 15 * i);
	}
	free(mid);
	free(side);

	/* that are alike: as if there were one */
	f = create(path, 16000, 2);
	for (int i = 0; i < 2000; i++)
		in[i] = (int16_t)(i / 2);
	assert_int_equal(0, sound_write(f, in, 1000));
	mem_deref(f);
	assert_int_equal(0, sound_read_two(&mid, &side, &n, &rate, path, err,
					   sizeof(err)));
	assert_null(side);
	free(mid);
}


/* a crash now would keep what has been written so far */
static void test_header_right_at_any_moment(void **state)
{
	const char *path = tools_path("live.wav");
	struct sound_file *f = create(path, 8000, 1);
	int16_t v[160] = {0}, *out;
	uint32_t rate;
	(void)state;

	assert_int_equal(0, load(&out, path, &rate));
	free(out);
	for (size_t i = 1; i < 20; i++) {
		v[0] = (int16_t)i;
		assert_int_equal(0, sound_write(f, v, 160));
		assert_int_equal(i * 160, load(&out, path, &rate));
		assert_int_equal(i, out[(i - 1) * 160]);
		free(out);
	}
	mem_deref(f);
}


static void test_channels_are_averaged(void **state)
{
	const char *path = tools_path("st.wav");
	const int16_t in[] = { 100, 300, -32768, -32768, 32767, 32767, 5, 6 };
	struct sound_file *f = create(path, 48000, 2);
	int16_t *out;
	uint32_t rate;
	(void)state;

	assert_int_equal(0, sound_write(f, in, 4));
	assert_int_equal(4, sound_frames(f));
	mem_deref(f);

	assert_int_equal(4, load(&out, path, &rate));
	assert_int_equal(48000, rate);
	assert_int_equal(200, out[0]);
	assert_int_equal(-32768, out[1]);
	assert_int_equal(32767, out[2]);
	free(out);
}


static void test_formats(void **state)
{
	static const int formats[] = {
		SF_FORMAT_WAV | SF_FORMAT_PCM_16,
		SF_FORMAT_WAV | SF_FORMAT_PCM_24,
		SF_FORMAT_WAV | SF_FORMAT_FLOAT,
		SF_FORMAT_WAV | SF_FORMAT_ULAW,
		SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
		SF_FORMAT_OGG | SF_FORMAT_VORBIS,
		SF_FORMAT_AIFF | SF_FORMAT_PCM_16,
		SF_FORMAT_AU | SF_FORMAT_PCM_16,
	};
	static float v[2 * 8000];
	(void)state;

	for (int i = 0; i < 8000; i++)
		v[2 * i] = v[2 * i + 1] = (float)(0.25 *
			sin(2 * M_PI * 500 * i / 8000));

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		int16_t *out;
		uint32_t rate;
		double level;

		make(tools_path("f"), formats[i], 8000, 2, v, 8000);
		assert_int_equal(8000, load(&out, tools_path("f"), &rate));
		assert_int_equal(8000, rate);
		level = tools_level(out + 800, 6400, 8000, 500);
		if (level < 8000 || level > 8400)
			fail_msg("format %x: level %f", formats[i], level);
		free(out);
	}
}


static void test_floats_out_of_range(void **state)
{
	const float v[] = { 1.0f, 2.5f, -1.0f, -7.0f, NAN, INFINITY, 0.5f };
	const int16_t want[] = { 32767, 32767, -32768, -32768, 0, 32767,
				 16384 };
	int16_t *out;
	uint32_t rate;
	(void)state;

	make(tools_path("x.wav"), SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, v,
	     7);
	assert_int_equal(7, load(&out, tools_path("x.wav"), &rate));
	assert_memory_equal(want, out, sizeof(want));
	free(out);
}


static void test_refused(void **state)
{
	static const int16_t zeros[60000];
	const char *path;
	struct sound_file *f;
	(void)state;

	refused(ENOENT, tools_path("none.wav"), "No such file");
	refused(EINVAL, tools_path("."), "is a directory");

	tools_write(tools_path("t\033[1m.txt"), "hello\n", 6);
	refused(EINVAL, tools_path("t\033[1m.txt"),
		"t?[1m.txt is not a sound file");
	tools_write(tools_path("empty.wav"), "", 0);
	refused(EINVAL, tools_path("empty.wav"), "is not a sound file");
	tools_write(tools_path("cut.wav"), "RIFF\xff\xff\xff\xffWAVEfmt ", 16);
	refused(EINVAL, tools_path("cut.wav"), "is not a sound file");

	/* nobody writes to it: must not wait */
	assert_int_equal(0, mkfifo(tools_path("fifo"), 0600));
	refused(EINVAL, tools_path("fifo"), "a device");

	/* 30 minutes and a bit */
	path = tools_path("long.wav");
	f = create(path, 1000, 1);
	for (int i = 0; i < 30; i++)
		assert_int_equal(0, sound_write(f, zeros, 60000));
	assert_int_equal(0, sound_write(f, zeros, 1));
	mem_deref(f);
	refused(EFBIG, path, "at most 30 minutes");
}


/* what the header claims is not what is there */
static void test_header_lies(void **state)
{
	uint8_t wav[64] =
		"RIFF\xff\xff\xff\x7fWAVE"
		"fmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0"
		"data\xff\xff\xff\x7f";
	int16_t *out = NULL;
	uint32_t rate;
	size_t n;
	(void)state;

	wav[44] = 1;
	tools_write(tools_path("lie.wav"), wav, sizeof(wav));
	if (!sound_read(&out, &n, &rate, tools_path("lie.wav"), err,
			sizeof(err))) {
		assert_int_equal(10, n);
		assert_int_equal(1, out[0]);
	}
	free(out);
}


static void test_resampled(void **state)
{
	static int16_t in[8000];
	const char *path = tools_path("8k.wav");
	struct sound_file *f = create(path, 8000, 1);
	int16_t *out = NULL;
	size_t n = 0;
	(void)state;

	tools_sine(in, 8000, 8000, 500, 8000);
	assert_int_equal(0, sound_write(f, in, 8000));
	mem_deref(f);

	assert_int_equal(0, sound_read_at(&out, &n, 48000, path, err,
					  sizeof(err)));
	assert_int_equal(48000, n);
	assert_in_range((int)tools_level(out, n, 48000, 500), 7900, 8100);

	/* not late: the sine is where it was */
	for (size_t i = 10; i < 90; i++)
		assert_true(abs(out[i * 480 + 24] - in[i * 80 + 4]) < 400);
	free(out);

	/* the same rate: the same samples */
	assert_int_equal(0, sound_read_at(&out, &n, 8000, path, err,
					  sizeof(err)));
	assert_int_equal(8000, n);
	assert_memory_equal(in, out, sizeof(in));
	free(out);

	/* no sound in it is no error */
	mem_deref(create(path, 8000, 1));
	assert_int_equal(0, sound_read_at(&out, &n, 48000, path, err,
					  sizeof(err)));
	assert_int_equal(0, n);
	free(out);
}


static void test_cannot_write(void **state)
{
	struct sound_file *f = NULL;
	(void)state;

	assert_int_equal(ENOENT, sound_open_write(&f,
			tools_path("no/such/dir.wav"), 8000, 1, err,
			sizeof(err)));
	assert_non_null(strstr(err, "cannot write"));
	assert_non_null(strstr(err, "No such file"));
	assert_int_equal(EISDIR, sound_open_write(&f, tools_path("."), 8000,
						  1, err, sizeof(err)));
	assert_int_equal(EINVAL, sound_open_write(&f, tools_path("a"), 8000,
						  3, err, sizeof(err)));
	assert_int_equal(EINVAL, sound_open_write(&f, tools_path("a"), 0, 1,
						  err, sizeof(err)));
	assert_null(f);
}


/* the disk is full: said once and for all, and the file can be played */
static void test_disk_full(void **state)
{
	const char *path = tools_path("full.wav");
	struct sound_file *f = create(path, 8000, 1);
	struct rlimit old, small;
	int16_t v[4000], *out;
	uint32_t rate;
	int e = 0;
	(void)state;

	tools_sine(v, 4000, 8000, 440, 8000);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &old));
	small = old;
	small.rlim_cur = 20000;
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &small));
	for (int i = 0; i < 10 && !e; i++)
		e = sound_write(f, v, 4000);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &old));

	assert_int_equal(EFBIG, e);
	assert_int_equal(EFBIG, sound_write(f, v, 4000));
	assert_in_range(sound_frames(f), 9900, 10000);
	mem_deref(f);

	assert_in_range(load(&out, path, &rate), 9900, 10000);
	assert_memory_equal(v, out, sizeof(v));
	free(out);
}


/* Not even the header, or the first sample, fits: nothing is left */
static void test_nothing_left(void **state)
{
	static const rlim_t limits[] = { 0, 20, 44 };
	struct rlimit old, small;
	int16_t v[4000] = {0};
	(void)state;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &old));
	small = old;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const char *path = tools_path("nothing.wav");
		struct sound_file *f = NULL;
		int e;

		small.rlim_cur = limits[i];
		assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &small));
		e = sound_open_write(&f, path, 8000, 1, err, sizeof(err));
		if (!e)
			e = sound_write(f, v, 4000);
		mem_deref(f);
		assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &old));

		assert_int_not_equal(0, e);
		assert_int_equal(-1, access(path, F_OK));
	}
}


static unsigned bad_closes;


/* In place of libc's, also for libsndfile */
int close(int fd)
{
	const long r = syscall(SYS_close, fd);

	if (r < 0 && errno == EBADF)
		++bad_closes;

	return (int)r;
}


/* What is no sound leaves no descriptor open and closes none of others */
static void test_descriptors(void **state)
{
	int16_t *v = NULL;
	uint32_t hz;
	size_t n;
	const char *path = tools_path("text.wav");
	int before, after;
	(void)state;

	before = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(4, write(before, "text", 4));
	(void)close(before);

	bad_closes = 0;
	before = open("/dev/null", O_RDONLY);
	assert_true(before >= 0);
	(void)close(before);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(EINVAL, sound_read(&v, &n, &hz, path, err,
						    sizeof(err)));
	after = open("/dev/null", O_RDONLY);
	assert_int_equal(before, after);
	assert_int_equal(0, bad_closes);
	(void)close(after);
}


static void test_no_space(void **state)
{
	struct sound_file *f = NULL;
	int16_t v[4000] = {0};
	int e;
	(void)state;

	if (access("/dev/full", W_OK))
		skip();

	e = sound_open_write(&f, "/dev/full", 8000, 1, err, sizeof(err));
	if (!e)
		e = sound_write(f, v, 4000);
	assert_int_equal(ENOSPC, e);
	mem_deref(f);
}


/* By the end of the name; the channels stay apart */
static void test_forms(void **state)
{
	static const struct {
		const char *name;
		uint32_t rate;
		int format;
	} v_form[] = {
		{ "form.flac", 16000, SF_FORMAT_FLAC | SF_FORMAT_PCM_16 },
		{ "form.opus", 48000, SF_FORMAT_OGG | SF_FORMAT_OPUS },
		{ "form.OGG", 8000, SF_FORMAT_OGG | SF_FORMAT_OPUS },
		{ "form.wave", 8000, SF_FORMAT_WAV | SF_FORMAT_PCM_16 },
	};
	static int16_t both[2 * 48000];
	(void)state;

	for (size_t i = 0; i < sizeof(v_form) / sizeof(v_form[0]); i++) {
		const char *path = tools_path(v_form[i].name);
		const uint32_t rate = v_form[i].rate;
		struct sound_file *f = create(path, rate, 2);
		SF_INFO info = { 0 };
		SNDFILE *sf;
		double left = 0, right = 0;

		for (uint32_t k = 0; k < rate; k++) {
			both[2 * k] = (int16_t)(8000 * sin(2 * M_PI * 440 *
							   k / rate));
			both[2 * k + 1] = 0;
		}
		for (uint32_t k = 0; k < rate; k += rate / 10)
			assert_int_equal(0, sound_write(f, both + 2 * k,
							rate / 10));
		assert_int_equal(rate, sound_frames(f));
		mem_deref(f);

		sf = sf_open(path, SFM_READ, &info);
		assert_non_null(sf);
		assert_int_equal(v_form[i].format, info.format &
				 (SF_FORMAT_TYPEMASK | SF_FORMAT_SUBMASK));
		assert_int_equal(2, info.channels);
		memset(both, 0, sizeof(both));
		assert_in_range(sf_readf_short(sf, both, rate),
				rate * 95 / 100, rate);
		for (uint32_t k = 0; k < rate; k++) {
			left += (double)both[2 * k] * both[2 * k];
			right += (double)both[2 * k + 1] * both[2 * k + 1];
		}
		assert_true(left / rate > 0.9 * 32e6);
		assert_true(right / rate < 1e-3 * left / rate);
		(void)sf_close(sf);
	}
}


/* A disk that fills up leaves what fits, to be played */
static void test_forms_disk_full(void **state)
{
	static const char *const names[] = { "half.flac", "half.opus" };
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		const char *path = tools_path(names[i]);
		struct sound_file *f = create(path, 48000, 1);
		struct rlimit old, small;
		static int16_t v[48000];
		int16_t *out;
		uint32_t rate;
		int e = 0;

		/* noise: nothing that could be made small */
		for (size_t k = 0; k < 48000; k++)
			v[k] = (int16_t)(rand() % 20000 - 10000);
		(void)signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &old));
		small = old;
		small.rlim_cur = 60000;
		assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &small));
		for (int k = 0; k < 60 && !e; k++)
			e = sound_write(f, v, 48000);
		assert_int_not_equal(0, e);
		assert_int_equal(e, sound_write(f, v, 4000));
		mem_deref(f);
		assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &old));

		assert_true(load(&out, path, &rate) > 10000);
		free(out);
	}
}


/* Somebody has removed it, or its folder: said at once */
static void test_taken_away(void **state)
{
	const char *path = tools_path("away.wav");
	struct sound_file *f = create(path, 8000, 1);
	int16_t v[800] = { 0 };
	(void)state;

	assert_int_equal(0, sound_write(f, v, 800));
	assert_int_equal(0, unlink(path));
	assert_int_equal(ENOENT, sound_write(f, v, 800));
	assert_int_equal(ENOENT, sound_write(f, v, 800));
	mem_deref(f);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_header_right_at_any_moment),
		cmocka_unit_test(test_channels_are_averaged),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_floats_out_of_range),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_header_lies),
		cmocka_unit_test(test_resampled),
		cmocka_unit_test(test_cannot_write),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_taken_away),
		cmocka_unit_test(test_forms_disk_full),
	};

	return cmocka_run_group_tests(tests, tools_enter, tools_leave);
}
