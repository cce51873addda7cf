/**
 * @file test_device.c  What -A may say, and the table of drivers
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/audio.h>


static char err[256];


static struct audio_spec good(const char *text)
{
	struct audio_spec as;

	err[0] = '\0';
	if (audio_spec_parse(&as, text, err, sizeof(err)))
		fail_msg("%s: %s", text, err);

	return as;
}


static void bad(const char *text, const char *because)
{
	struct audio_spec as = { "x", "y", "z" };

	err[0] = '\0';
	assert_int_equal(EINVAL, audio_spec_parse(&as, text, err,
						  sizeof(err)));
	if (!strstr(err, because))
		fail_msg("'%s': %s", text, err);
	assert_string_equal("x", as.driver);
	assert_null(strchr(err, '\n'));
}


static void check(const char *text, const char *driver, const char *in,
		  const char *out)
{
	const struct audio_spec as = good(text);

	assert_string_equal(driver, as.driver);
	assert_string_equal(in, as.in);
	assert_string_equal(out, as.out);
}


static void test_good(void **state)
{
	(void)state;

	check("auto", "auto", "", "");
	check("portaudio", "portaudio", "", "");
	check("portaudio:", "portaudio", "", "");
	check("portaudio:HDA Intel: ALC257 (hw:0,0)", "portaudio",
	      "HDA Intel: ALC257 (hw:0,0)", "HDA Intel: ALC257 (hw:0,0)");
	check("null", "null", "", "");
	check("silence", "silence", "", "");
	check("tone:440", "tone", "440", "");
	check("tone:697.5", "tone", "697.5", "");
	check("file:a.wav", "file", "a.wav", "");
	check("file:a.wav,", "file", "a.wav", "");
	check("file:a.wav,b.wav", "file", "a.wav", "b.wav");
	check("file:,b.wav", "file", "", "b.wav");
	check("file:a\\,b\\\\c\\d.wav,e:f", "file", "a,b\\c\\d.wav", "e:f");
	check("pipe:/tmp/i,/tmp/o", "pipe", "/tmp/i", "/tmp/o");
	check("pipe:,/tmp/o", "pipe", "", "/tmp/o");
}


static void test_bad(void **state)
{
	char longest[600];
	(void)state;

	bad("", "there are auto, portaudio");
	bad("tnoe:440", "did you mean 'tone'");
	bad("Tone:440", "did you mean 'tone'");
	bad("dsp\033[31m", "no kind of sound 'dsp?[31m'");
	bad("auto:x", "right is auto");
	bad("null:x", "right is null");
	bad("silence:1", "right is silence");
	bad("tone", "tone:HZ");
	bad("tone:", "tone:HZ");
	bad("tone:19", "20 to 20000");
	bad("tone:20001", "20 to 20000");
	bad("tone:440x", "tone:HZ");
	bad("tone:nan", "tone:HZ");
	bad("file", "file:IN.wav");
	bad("file:", "file:IN.wav");
	bad("file:,", "file:IN.wav");
	bad("file:a,b,c", "file:IN.wav");
	bad("pipe:", "pipe:IN,OUT");

	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	bad(longest, "no kind of sound");
	memcpy(longest, "file:", 5);
	bad(longest, "longer than 511 characters");
	memcpy(longest, "pipe:,", 6);
	bad(longest, "longer than 511 characters");
	memcpy(longest, "portaudio:", 10);
	bad(longest, "longer than 511 characters");
}


static void test_table(void **state)
{
	const struct audio_driver *const *t = audio_table();
	size_t n = 0;
	(void)state;

	for (; *t; t++, n++) {
		const struct audio_driver *d = *t;

		assert_ptr_equal(d, audio_driver_find(d->name));
		assert_true(strlen(d->summary) > 10);
		assert_non_null(d->open);
		assert_non_null(d->read);
		assert_non_null(d->write);
		assert_non_null(d->in_fill);
		assert_non_null(d->out_fill);
		assert_non_null(d->alive);
		assert_non_null(d->close);

		/* each can be named after -A */
		if (0 == strcmp(d->name, "tone"))
			good("tone:440");
		else if (0 == strcmp(d->name, "file"))
			good("file:x");
		else if (0 == strcmp(d->name, "pipe"))
			good("pipe:x");
		else
			good(d->name);
	}

	assert_int_equal(6, n);
	assert_string_equal("portaudio", audio_driver_find("auto")->name);
	assert_null(audio_driver_find("oss"));
	assert_null(audio_driver_find(""));
	assert_null(audio_driver_find(NULL));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
