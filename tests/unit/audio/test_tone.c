/**
 * @file test_tone.c  The sources and sinks that need nothing: tone, silence,
 * null
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/audio.h>
#include "tools.h"


static struct audio_dev *opened(const struct audio_driver *d,
				const char *in, uint32_t rate_hz,
				struct audio_info *info)
{
	struct audio_param prm = { .rate_hz = rate_hz, .wake_fd = -1 };
	struct audio_dev *dev = NULL;
	char err[256] = "";

	(void)snprintf(prm.in, sizeof(prm.in), "%s", in);
	assert_int_equal(0, d->open(&dev, info, &prm, err, sizeof(err)));
	assert_non_null(dev);
	assert_int_equal(rate_hz, info->rate_hz);
	assert_true(d->alive(dev));
	assert_false(d->clock);
	assert_false(d->blocks);

	return dev;
}


static void test_tone(void **state)
{
	static const uint32_t rates[] = { 8000, 16000, 44100, 48000 };
	const struct audio_driver *d = audio_driver_find("tone");
	(void)state;

	for (size_t r = 0; r < 4; r++) {
		const uint32_t rate = rates[r];
		struct audio_info info;
		struct audio_dev *dev = opened(d, "440", rate, &info);
		static int16_t v[48000];
		size_t n = 0;

		/* blocks of all sizes: not one break between them */
		for (size_t k = 1; n < rate; k++) {
			size_t m = k % 700;

			if (m > rate - n)
				m = rate - n;
			assert_int_equal(m, d->read(dev, v + n, m));
			n += m;
		}
		assert_int_equal(0, tools_breaks(v, n, rate, 440));
		assert_in_range((int)tools_level(v, n, rate, 440), 8200, 8260);
		assert_in_range((int)tools_level(v, n, rate, 880), 0, 5);
		assert_true(info.has_in);
		assert_string_equal("tone 440 Hz", info.in_name);
		assert_int_equal(100, d->write(dev, v, 100));
		assert_int_equal(0, d->out_fill(dev));
		d->close(dev);
	}
}


static void refused(const char *in, uint32_t rate, const char *because)
{
	const struct audio_driver *d = audio_driver_find("tone");
	struct audio_param prm = { .rate_hz = rate };
	struct audio_dev *dev = NULL;
	struct audio_info info;
	char err[256] = "";

	(void)snprintf(prm.in, sizeof(prm.in), "%s", in);
	assert_int_equal(EINVAL, d->open(&dev, &info, &prm, err, sizeof(err)));
	assert_null(dev);
	assert_non_null(strstr(err, because));
}


static void test_tone_refused(void **state)
{
	(void)state;
	refused("", 48000, "from 20 to 20000");
	refused("abc", 48000, "from 20 to 20000");
	refused("440", 0, "from 20 to 20000");
	refused("4000", 8000, "at most 3999 Hz");
}


static void test_silence(void **state)
{
	static const char *const names[] = { "silence", "null" };
	(void)state;

	for (int i = 0; i < 2; i++) {
		const struct audio_driver *d = audio_driver_find(names[i]);
		struct audio_info info;
		struct audio_dev *dev = opened(d, "", 16000, &info);
		int16_t v[160];

		memset(v, 1, sizeof(v));
		assert_int_equal(160, d->read(dev, v, 160));
		for (int k = 0; k < 160; k++)
			assert_int_equal(0, v[k]);
		assert_int_equal(160, d->write(dev, v, 160));
		assert_int_equal(0, d->in_fill(dev));
		assert_int_equal(0, d->out_fill(dev));
		assert_string_equal(names[i], info.in_name);
		assert_int_equal(i == 0, info.has_in);
		assert_false(info.has_out);
		d->close(dev);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tone),
		cmocka_unit_test(test_tone_refused),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
