/**
 * @file test_codec.c  What must hold for every codec of the table
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/codec.h>
#include "wave.h"


static const struct codec_param param = { .ptime_ms = 20, .complexity = -1 };


static size_t frame(const struct codec *c, unsigned ms)
{
	return (size_t)c->rate_hz * ms / 1000;
}


/* code n samples (a multiple of 20 ms) there and back */
static void round_trip(const struct codec *c, const int16_t *in, int16_t *out,
		       size_t n)
{
	const size_t f = frame(c, 20);
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;

	assert_int_equal(0, c->enc_alloc(&e, c, &param));
	assert_int_equal(0, c->dec_alloc(&d, c, &param));

	for (size_t i = 0; i + f <= n; i += f) {
		uint8_t buf[CODEC_BYTES_MAX];
		size_t len = sizeof(buf), got = f;

		assert_int_equal(0, c->encode(e, buf, &len, in + i, f));
		assert_true(len > 0 && len <= sizeof(buf));
		assert_int_equal(f, c->samples(buf, len));
		assert_int_equal(0, c->decode(d, out + i, &got, buf, len));
		assert_int_equal(f, got);
	}

	mem_deref(d);
	mem_deref(e);
}


static void known_bytes(const struct codec *c)
{
	const struct codec_vector *v = c->vector;
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;
	uint8_t buf[CODEC_BYTES_MAX];
	int16_t pcm[CODEC_FRAME_MAX];
	size_t len = sizeof(buf), n = CODEC_FRAME_MAX;

	assert_int_equal(0, c->enc_alloc(&e, c, &param));
	assert_int_equal(0, c->dec_alloc(&d, c, &param));

	assert_int_equal(0, c->encode(e, buf, &len, v->pcm, v->samples));
	assert_int_equal(v->len, len);
	assert_memory_equal(v->bytes, buf, len);

	assert_int_equal(0, c->decode(d, pcm, &n, v->bytes, v->len));
	assert_int_equal(v->samples, n);
	assert_true(wave_snr(v->pcm, pcm, n) >= v->min_snr_db);

	mem_deref(d);
	mem_deref(e);
}


/* a delay need not be a whole sample, nor the same at every frequency */
static size_t slack(const struct codec *c)
{
	return c->rate_hz / 5000;
}


static void steady_sound(const struct codec *c)
{
	const struct codec_vector *v = c->vector;
	const size_t n = c->rate_hz, from = n / 2, some = slack(c);
	int16_t *in = calloc(n, sizeof(*in)), *out = calloc(n, sizeof(*out));
	double snr = -99;

	assert_non_null(in);
	assert_non_null(out);

	for (size_t i = 0; i < n; i++)
		in[i] = v->pcm[i % v->samples];

	round_trip(c, in, out, n);

	for (size_t i = 0; i <= 2 * some; i++)
		snr = fmax(snr, wave_snr(in + from, out + from - some + i +
					   c->delay_samples, n / 4));
	if (snr < v->min_snr_db)
		fail_msg("%s: %.1f dB", c->name, snr);

	free(in);
	free(out);
}


static void test_vectors(void **state)
{
	size_t n = 0;
	(void)state;

	for (const struct codec *const *c = codec_table(); *c; c++, n++) {
		assert_non_null((*c)->vector);
		if ((*c)->vector->bytes)
			known_bytes(*c);
		else
			steady_sound(*c);
	}

	assert_true(n >= 4);
}


/* the delay each codec claims is the one it has */
static void test_delay(void **state)
{
	(void)state;

	for (const struct codec *const *p = codec_table(); *p; p++) {
		const struct codec *c = *p;
		const size_t n = c->rate_hz, w = n / 2, most = 500;
		int16_t *in = calloc(n, sizeof(*in));
		int16_t *out = calloc(n, sizeof(*out));
		double best = -1;
		size_t at = 0;

		assert_non_null(in);
		assert_non_null(out);
		wave_voice(in, n, c->rate_hz);
		round_trip(c, in, out, n);

		for (size_t lag = 0; lag < most; lag++) {
			double xy = 0, yy = 1;

			for (size_t i = n / 4; i < n / 4 + w; i++) {
				const double y = out[i + lag];

				xy += in[i] * y;
				yy += y * y;
			}
			if (xy / sqrt(yy) > best) {
				best = xy / sqrt(yy);
				at = lag;
			}
		}

		/* the delay to 0.2 ms, the level to half a dB */
		if (at + slack(c) < c->delay_samples ||
		    at > c->delay_samples + slack(c))
			fail_msg("%s: delay %zu", c->name, at);
		assert_true(fabs(20 * log10(wave_rms(out + n / 4 + at, w) /
					    wave_rms(in + n / 4, w))) < 0.5);
		free(in);
		free(out);
	}
}


static void test_every_packet_time(void **state)
{
	int16_t v[CODEC_FRAME_MAX], back[CODEC_FRAME_MAX];
	uint8_t buf[CODEC_BYTES_MAX];
	(void)state;

	for (const struct codec *const *p = codec_table(); *p; p++) {
		const struct codec *c = *p;
		struct codec_enc *e = NULL;
		struct codec_dec *d = NULL;

		assert_int_equal(0, c->enc_alloc(&e, c, &param));
		assert_int_equal(0, c->dec_alloc(&d, c, &param));
		wave_voice(v, CODEC_FRAME_MAX, c->rate_hz);

		for (unsigned ms = 1; ms <= 200; ms++) {
			const unsigned got = codec_ptime(c, ms);
			size_t n = frame(c, got), len = sizeof(buf);
			size_t m = CODEC_FRAME_MAX;

			assert_true(got >= 10 && got <= c->ptime_max_ms);
			assert_true(got <= ms ||
				    got == (c->ptime_min_ms ?
					    c->ptime_min_ms : 10));
			assert_int_equal(0, c->encode(e, buf, &len, v, n));
			assert_int_equal(0, c->decode(d, back, &m, buf, len));
			assert_int_equal(n, m);
		}
		assert_int_equal(20, codec_ptime(c, 0));
		assert_int_equal(20, codec_ptime(c, 20));

		mem_deref(e);
		mem_deref(d);
	}
}


static void test_no_room(void **state)
{
	int16_t v[CODEC_FRAME_MAX] = {0};
	uint8_t buf[CODEC_BYTES_MAX];
	(void)state;

	for (const struct codec *const *p = codec_table(); *p; p++) {
		const struct codec *c = *p;
		struct codec_enc *e = NULL;
		struct codec_dec *d = NULL;
		size_t n = frame(c, 20), len = 0;

		assert_int_equal(0, c->enc_alloc(&e, c, &param));
		assert_int_equal(0, c->dec_alloc(&d, c, &param));

		assert_int_equal(EOVERFLOW, c->encode(e, buf, &len, v, n));
		len = sizeof(buf);
		assert_int_equal(0, c->encode(e, buf, &len, v, n));

		n = frame(c, 20) - 1;
		assert_int_equal(EOVERFLOW, c->decode(d, v, &n, buf, len));
		n = CODEC_FRAME_MAX;
		assert_int_equal(EINVAL, c->decode(d, v, &n, buf, 0));
		assert_int_equal(0, c->samples(buf, 0));

		mem_deref(e);
		mem_deref(d);
	}
}


/* bytes from outside may be anything */
static void test_garbage(void **state)
{
	int16_t v[CODEC_FRAME_MAX];
	uint8_t buf[2000];
	uint32_t s = 7;
	(void)state;

	for (const struct codec *const *p = codec_table(); *p; p++) {
		const struct codec *c = *p;
		struct codec_dec *d = NULL;

		assert_int_equal(0, c->dec_alloc(&d, c, &param));

		for (int k = 0; k < 3000; k++) {
			size_t n = CODEC_FRAME_MAX, len;

			s = s * 1664525u + 1013904223u;
			len = 1 + (s >> 16) % (k % 10 ? 60 : sizeof(buf));
			for (size_t i = 0; i < len; i++) {
				s = s * 1664525u + 1013904223u;
				buf[i] = (uint8_t)(s >> 24);
			}

			assert_true(c->samples(buf, len) <= CODEC_FRAME_MAX);
			if (!c->decode(d, v, &n, buf, len))
				assert_int_equal(c->samples(buf, len), n);
			if (c->conceal)
				assert_int_equal(0, c->conceal(d, v,
						frame(c, 20), buf, len));
		}

		mem_deref(d);
	}
}


static void test_find(void **state)
{
	const struct codec *const *t = codec_table();
	(void)state;

	for (; *t; t++) {
		const struct codec *c = *t;

		assert_ptr_equal(c, codec_find(c->name));
		assert_ptr_equal(c, codec_find_sdp(c->sdp_name, c->clock_hz,
						   c->sdp_channels));
		assert_ptr_equal(c, codec_find_sdp(c->sdp_name, c->clock_hz,
						   0));
		assert_null(codec_find_sdp(c->sdp_name, c->clock_hz + 1, 0));
		assert_null(codec_find_sdp(c->sdp_name, c->clock_hz, 7));
		if (c->pt >= 0)
			assert_ptr_equal(c, codec_find_pt(c->pt));
		assert_true(c->rate_hz <= CODEC_RATE_MAX_HZ);
	}

	assert_string_equal("PCMU", codec_find("PcmU")->sdp_name);
	assert_ptr_equal(codec_find("opus"), codec_find_sdp("OPUS", 48000, 2));
	assert_int_equal(0, codec_find("pcmu")->pt);
	assert_int_equal(8, codec_find("pcma")->pt);
	assert_null(codec_find("g729"));
	assert_null(codec_find(""));
	assert_null(codec_find(NULL));
	assert_null(codec_find_sdp(NULL, 8000, 1));
	assert_null(codec_find_pt(-1));
	assert_null(codec_find_pt(18));
	assert_null(codec_find_sdp("opus", 48000, 1));
}


/* a frame that is not signed as one is none, wherever it stands */
static void test_gsm(void **state)
{
	const struct codec *c = codec_find("gsm");
	uint8_t buf[3 * 33] = { 0 };
	struct codec_dec *d = NULL;
	int16_t v[3 * 160];
	size_t n = 3 * 160;
	(void)state;

	if (!c)
		skip();

	assert_ptr_equal(c, codec_find_pt(3));
	assert_int_equal(20, codec_ptime(c, 10));
	assert_int_equal(40, codec_ptime(c, 50));

	for (size_t i = 0; i < sizeof(buf); i += 33)
		buf[i] = 0xd0;
	assert_int_equal(3 * 160, c->samples(buf, sizeof(buf)));
	assert_int_equal(0, c->samples(buf, sizeof(buf) - 1));

	assert_int_equal(0, c->dec_alloc(&d, c, &param));
	assert_int_equal(0, c->decode(d, v, &n, buf, sizeof(buf)));
	assert_int_equal(3 * 160, n);

	buf[66] = 0xc0;
	assert_int_equal(0, c->samples(buf, sizeof(buf)));
	assert_int_equal(EINVAL, c->decode(d, v, &n, buf, sizeof(buf)));
	mem_deref(d);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_every_packet_time),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_gsm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
