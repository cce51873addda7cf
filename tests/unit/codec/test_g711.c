/**
 * @file test_g711.c  Every sample and every byte of both laws
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/codec.h>


static const struct codec_param param = { .ptime_ms = 20 };


/* encode one, decode it: how far off, and is the code stable? */
static int through(struct codec_enc *e, struct codec_dec *d,
		   const struct codec *c, int16_t v, uint8_t *byte)
{
	size_t len = 1, n = 1;
	int16_t back;

	assert_int_equal(0, c->encode(e, byte, &len, &v, 1));
	assert_int_equal(1, len);
	assert_int_equal(0, c->decode(d, &back, &n, byte, 1));
	assert_int_equal(1, n);

	return back;
}


static void every_sample(const char *name, int limit, int smallest)
{
	const struct codec *c = codec_find(name);
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;
	int last = -40000;

	assert_int_equal(0, c->enc_alloc(&e, c, &param));
	assert_int_equal(0, c->dec_alloc(&d, c, &param));

	for (int v = -32768; v <= 32767; v++) {
		uint8_t byte, again;
		const int back = through(e, d, c, (int16_t)v, &byte);
		const int mag = abs(v) > limit ? limit : abs(v);

		/* never falls, and within half of a step, 1/16 or less */
		assert_true(back >= last);
		assert_true(abs(back - (v < 0 ? -mag : mag)) <=
			    mag / 31 + smallest);
		assert_true(!back || (back < 0) == (v < 0));

		/* decoded and coded again it is the same */
		assert_int_equal(back, through(e, d, c, (int16_t)back,
					       &again));
		if (back)
			assert_int_equal(byte, again);
		last = back;
	}

	mem_deref(e);
	mem_deref(d);
}


static void test_ulaw(void **state)
{
	(void)state;
	every_sample("pcmu", 32124, 4);
}


static void test_alaw(void **state)
{
	(void)state;
	every_sample("pcma", 32256, 8);
}


static void test_silence_is_silence(void **state)
{
	const struct codec *c = codec_find("pcmu");
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;
	uint8_t byte;
	(void)state;

	assert_int_equal(0, c->enc_alloc(&e, c, &param));
	assert_int_equal(0, c->dec_alloc(&d, c, &param));
	assert_int_equal(0, through(e, d, c, 0, &byte));
	assert_int_equal(0xff, byte);
	mem_deref(e);
	mem_deref(d);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ulaw),
		cmocka_unit_test(test_alaw),
		cmocka_unit_test(test_silence_is_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
