/**
 * @file test_opus.c  fmtp, settings, concealment and FEC of Opus
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <opus/opus.h>
#include <offhook/compat.h>
#include <offhook/codec.h>
#include "wave.h"


enum { FRAME = 960, FRAMES = 150 };

static const struct codec_param plain = { .ptime_ms = 20, .complexity = -1 };


static const char *printed(const struct codec_param *prm)
{
	static char buf[200];

	codec_find("opus")->fmtp_print(buf, sizeof(buf), prm);

	return buf;
}


static struct codec_param parsed(struct codec_param ours, const char *fmtp)
{
	assert_int_equal(0, codec_find("opus")->fmtp_parse(&ours, fmtp));

	return ours;
}


static void test_fmtp_print(void **state)
{
	struct codec_param prm = plain;
	char tiny[5] = "xxxx";
	(void)state;

	assert_string_equal("", printed(&prm));
	prm.fec = true;
	assert_string_equal("useinbandfec=1", printed(&prm));
	prm.dtx = prm.cbr = true;
	prm.max_rate_hz = 16000;
	prm.bitrate = 1000000;
	assert_string_equal("useinbandfec=1;usedtx=1;cbr=1;"
			    "maxplaybackrate=16000", printed(&prm));

	/* all or nothing */
	codec_find("opus")->fmtp_print(tiny, sizeof(tiny), &prm);
	assert_string_equal("", tiny);
}


static void test_fmtp_parse(void **state)
{
	struct codec_param ours = plain, p;
	(void)state;

	ours.fec = true;

	p = parsed(ours, NULL);
	assert_false(p.fec);
	assert_int_equal(0, p.max_rate_hz);
	assert_int_equal(0, p.bitrate);

	p = parsed(ours, "useinbandfec=1");
	assert_true(p.fec);
	p = parsed(plain, "useinbandfec=1");      /* we do not want it */
	assert_false(p.fec);

	p = parsed(ours, " stereo=1 ; sprop-stereo=0;UseInbandFEC = 1;"
			 "minptime=10;\tusedtx=1;cbr=1;;x-y");
	assert_true(p.fec);
	assert_true(p.dtx);
	assert_true(p.cbr);

	p = parsed(ours, "maxplaybackrate=16000; maxaveragebitrate=20000");
	assert_int_equal(16000, p.max_rate_hz);
	assert_int_equal(20000, p.bitrate);

	/* the lower of ours and theirs */
	ours.bitrate = 16000;
	p = parsed(ours, "maxaveragebitrate=20000");
	assert_int_equal(16000, p.bitrate);
	ours.bitrate = 0;
	p = parsed(ours, "maxaveragebitrate=500000");
	assert_int_equal(0, p.bitrate);

	/* not numbers, out of range, far too long */
	p = parsed(ours, "maxplaybackrate=99999999999999999999;"
			 "maxaveragebitrate=-1;useinbandfec=yes;cbr=2;"
			 "maxplaybackrate=7999;maxaveragebitrate=5999;"
			 "maxplaybackrate=;=;useinbandfec;usedtx=1x");
	assert_int_equal(0, p.max_rate_hz);
	assert_int_equal(0, p.bitrate);
	assert_false(p.fec);
	assert_false(p.cbr);
	assert_false(p.dtx);
}


/* what was sent; the caller frees */
static struct packets {
	uint8_t b[FRAMES][CODEC_BYTES_MAX];
	size_t len[FRAMES];
	size_t sum;
	int16_t in[FRAMES * FRAME];
	int16_t out[FRAMES * FRAME];
} *sent(const struct codec_param *prm)
{
	const struct codec *c = codec_find("opus");
	struct packets *p = calloc(1, sizeof(*p));
	struct codec_enc *e = NULL;

	assert_non_null(p);
	wave_voice(p->in, FRAMES * FRAME, 48000);
	assert_int_equal(0, c->enc_alloc(&e, c, prm));
	for (size_t i = 0; i < FRAMES; i++) {
		p->len[i] = CODEC_BYTES_MAX;
		assert_int_equal(0, c->encode(e, p->b[i], &p->len[i],
					      p->in + i * FRAME, FRAME));
		p->sum += p->len[i];
	}
	mem_deref(e);

	return p;
}


static void test_bitrate(void **state)
{
	struct codec_param prm = plain;
	struct packets *p;
	(void)state;

	/* bytes in 3 s; VBR may do with less, the average is kept */
	prm.bitrate = 16000;
	p = sent(&prm);
	assert_in_range(p->sum, 16000 * 3 / 8 / 2, 16000 * 3 / 8 * 6 / 5);
	free(p);

	prm.bitrate = 64000;
	p = sent(&prm);
	assert_in_range(p->sum, 64000 * 3 / 8 / 2, 64000 * 3 / 8 * 6 / 5);
	free(p);

	prm.bitrate = 24000;
	prm.cbr = true;
	p = sent(&prm);
	for (size_t i = 0; i < FRAMES; i++)
		assert_int_equal(60, p->len[i]);
	free(p);
}


static void test_bandwidth(void **state)
{
	static const struct {
		int rate, want;
	} rows[] = {
		{ 8000, OPUS_BANDWIDTH_NARROWBAND },
		{ 12000, OPUS_BANDWIDTH_MEDIUMBAND },
		{ 16000, OPUS_BANDWIDTH_WIDEBAND },
		{ 24000, OPUS_BANDWIDTH_SUPERWIDEBAND },
		{ 48000, OPUS_BANDWIDTH_FULLBAND },
		{ 0, OPUS_BANDWIDTH_FULLBAND },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct codec_param prm = plain;
		struct packets *p;

		prm.max_rate_hz = rows[i].rate;
		prm.bitrate = 48000;
		p = sent(&prm);
		assert_int_equal(rows[i].want,
				 opus_packet_get_bandwidth(p->b[FRAMES - 1]));
		free(p);
	}
}


static void test_dtx(void **state)
{
	const struct codec *c = codec_find("opus");
	struct codec_param prm = plain;
	struct codec_enc *e = NULL;
	int16_t v[FRAME] = {0};
	int nothing[2] = {0, 0};
	(void)state;

	/* in silence: with DTX most packets are left out, without none */
	for (int on = 0; on < 2; on++) {
		prm.dtx = on;
		prm.bitrate = 16000;
		assert_int_equal(0, c->enc_alloc(&e, c, &prm));
		for (int i = 0; i < 100; i++) {
			uint8_t buf[CODEC_BYTES_MAX];
			size_t len = sizeof(buf);

			assert_int_equal(0, c->encode(e, buf, &len, v, FRAME));
			nothing[on] += !len;
		}
		e = mem_deref(e);
	}

	assert_int_equal(0, nothing[0]);
	assert_true(nothing[1] > 50);
}


/* decode with every tenth packet lost; how much voice is in its place? */
static double lost_snr(struct packets *p, bool use_next)
{
	const struct codec *c = codec_find("opus");
	struct codec_dec *d = NULL;
	double sum = 0;
	int k = 0;

	assert_int_equal(0, c->dec_alloc(&d, c, &plain));
	for (size_t i = 0; i < FRAMES; i++) {
		int16_t *v = p->out + i * FRAME;
		size_t n = FRAME;

		if (i % 10 == 9 && i + 1 < FRAMES)
			assert_int_equal(0, c->conceal(d, v, n,
				use_next ? p->b[i + 1] : NULL,
				use_next ? p->len[i + 1] : 0));
		else
			assert_int_equal(0, c->decode(d, v, &n, p->b[i],
						      p->len[i]));
	}
	mem_deref(d);

	for (size_t i = 19; i + 1 < FRAMES; i += 10) {
		const int16_t *v = p->in + i * FRAME - c->delay_samples;

		if (wave_rms(v, FRAME) < 300)
			continue;
		sum += wave_snr(v, p->out + i * FRAME, FRAME);
		k++;
	}
	assert_true(k > 5);

	return sum / k;
}


static void test_fec(void **state)
{
	struct codec_param prm = plain;
	struct packets *p;
	double plc, fec;
	(void)state;

	prm.fec = true;
	prm.loss_pct = 10;
	p = sent(&prm);
	plc = lost_snr(p, false);
	fec = lost_snr(p, true);
	if (fec < plc + 3)
		fail_msg("plc %.1f dB, fec %.1f dB", plc, fec);
	free(p);

	/* without copies in it the next packet changes nothing */
	prm.fec = false;
	p = sent(&prm);
	assert_true(lost_snr(p, true) < fec - 2);
	free(p);
}


/* a report of loss in mid-call switches the copies on */
static void test_tune(void **state)
{
	const struct codec *c = codec_find("opus");
	struct codec_param prm = plain;
	struct codec_enc *e = NULL;
	int16_t *v = calloc(FRAMES * FRAME, sizeof(*v));
	uint8_t buf[CODEC_BYTES_MAX];
	size_t sum[2] = {0, 0};
	(void)state;

	assert_non_null(v);
	wave_voice(v, FRAMES * FRAME, 48000);
	prm.bitrate = 64000;
	assert_int_equal(0, c->enc_alloc(&e, c, &prm));
	for (size_t i = 0; i < FRAMES; i++) {
		size_t len = sizeof(buf);

		if (i == FRAMES / 2) {
			prm.bitrate = 12000;
			assert_int_equal(0, c->tune(e, &prm));
		}
		assert_int_equal(0, c->encode(e, buf, &len, v + i * FRAME,
					      FRAME));
		sum[i >= FRAMES / 2] += len;
	}
	assert_true(sum[1] < sum[0] / 2);
	mem_deref(e);
	free(v);
}


static void test_conceal_sizes(void **state)
{
	const struct codec *c = codec_find("opus");
	struct packets *p = sent(&plain);
	struct codec_dec *d = NULL;
	int16_t v[CODEC_FRAME_MAX];
	size_t n = FRAME;
	(void)state;

	assert_int_equal(0, c->dec_alloc(&d, c, &plain));
	assert_int_equal(0, c->decode(d, v, &n, p->b[20], p->len[20]));

	for (n = 120; n <= CODEC_FRAME_MAX; n += 120) {
		assert_int_equal(0, c->conceal(d, v, n, NULL, 0));
		assert_int_equal(0, c->conceal(d, v, n, p->b[30],
					       p->len[30]));
	}
	assert_int_equal(EINVAL, c->conceal(d, v, 0, NULL, 0));
	assert_int_equal(EINVAL, c->conceal(d, v, 100, NULL, 0));
	assert_int_equal(EINVAL, c->conceal(d, v, CODEC_FRAME_MAX + 120,
					    NULL, 0));
	mem_deref(d);
	free(p);
}


/* a peer may send stereo, we hear both sides */
static void test_stereo_in(void **state)
{
	const struct codec *c = codec_find("opus");
	OpusEncoder *o = opus_encoder_create(48000, 2, OPUS_APPLICATION_AUDIO,
					     NULL);
	struct codec_dec *d = NULL;
	int16_t side[FRAME], both[2 * FRAME], v[FRAME];
	uint8_t buf[CODEC_BYTES_MAX];
	(void)state;

	assert_non_null(o);
	assert_int_equal(0, c->dec_alloc(&d, c, &plain));
	wave_sine(side, FRAME, 48000, 500, 8000);
	for (size_t i = 0; i < FRAME; i++) {
		both[2 * i] = side[i];
		both[2 * i + 1] = 0;
	}
	for (int k = 0; k < 20; k++) {
		const int len = opus_encode(o, both, FRAME, buf, sizeof(buf));
		size_t n = FRAME;

		assert_true(len > 0);
		assert_int_equal(FRAME, c->samples(buf, (size_t)len));
		assert_int_equal(0, c->decode(d, v, &n, buf, (size_t)len));
		assert_int_equal(FRAME, n);
	}
	assert_true(wave_rms(v, FRAME) > 2000);
	opus_encoder_destroy(o);
	mem_deref(d);
}


/* a decoder of two keeps them apart, also where it has to make something up;
 * what has one channel has no side at all */
static void test_stereo_heard(void **state)
{
	const struct codec *c = codec_find("opus");
	OpusEncoder *o = opus_encoder_create(48000, 2, OPUS_APPLICATION_AUDIO,
					     NULL);
	struct codec_param prm = plain;
	struct codec_dec *d = NULL;
	static int16_t tone[60 * FRAME], v[FRAME], side[FRAME], r[FRAME];
	int16_t both[2 * FRAME];
	uint8_t buf[CODEC_BYTES_MAX];
	(void)state;

	assert_non_null(o);
	prm.two = true;
	assert_int_equal(0, c->dec_alloc(&d, c, &prm));
	wave_sine(tone, 60 * FRAME, 48000, 500, 8000);
	for (size_t k = 0; k < 60; k++) {
		const bool two = k < 40, lost = two && k % 10 == 9;
		size_t n = FRAME;
		int len;

		assert_int_equal(0, opus_encoder_ctl(o,
			OPUS_SET_FORCE_CHANNELS(two ? 2 : 1)));
		for (size_t i = 0; i < FRAME; i++) {
			both[2 * i] = 0;
			both[2 * i + 1] = tone[k * FRAME + i];
		}
		len = opus_encode(o, both, FRAME, buf, sizeof(buf));
		assert_true(len > 0);
		assert_int_equal(two ? 2 : 1, c->channels(buf, (size_t)len));
		if (lost)
			assert_int_equal(0, c->conceal_two(d, v, side, n,
							   NULL, 0));
		else
			assert_int_equal(0, c->decode_two(d, v, side, &n, buf,
							  (size_t)len));
		assert_int_equal(FRAME, n);

		/* it is on the right, or in the middle */
		for (size_t i = 0; i < FRAME; i++) {
			r[i] = (int16_t)(v[i] - side[i]);
			v[i] = (int16_t)(v[i] + side[i]);
		}
		if (k < 5 || (k >= 40 && k < 45))
			continue;
		if (two) {
			assert_true(wave_rms(r, FRAME) > 3000);
			assert_true(wave_rms(v, FRAME) < 300);
		}
		else {
			assert_memory_equal(v, r, sizeof(v));
			assert_true(wave_rms(v, FRAME) > 1500);
		}
	}

	/* each kind of decoder has its own functions */
	{
		size_t n = FRAME;

		assert_int_equal(EINVAL, c->decode(d, v, &n, buf, 1));
		assert_int_equal(EINVAL, c->conceal(d, v, FRAME, NULL, 0));
		d = mem_deref(d);
		assert_int_equal(0, c->dec_alloc(&d, c, &plain));
		assert_int_equal(EINVAL, c->decode_two(d, v, side, &n, buf,
						       1));
		assert_int_equal(EINVAL, c->conceal_two(d, v, side, FRAME,
							NULL, 0));
	}
	opus_encoder_destroy(o);
	mem_deref(d);
}


/* what has two sides goes out with both, and what has none as cheap as ever */
static void test_stereo_out(void **state)
{
	const struct codec *c = codec_find("opus");
	OpusDecoder *o = opus_decoder_create(48000, 2, NULL);
	struct codec_param prm = plain;
	struct codec_enc *e = NULL;
	int16_t mid[FRAME], side[FRAME], both[2 * FRAME];
	int16_t left[FRAME], right[FRAME];
	uint8_t buf[CODEC_BYTES_MAX];
	char fmtp[64];
	size_t len;
	(void)state;

	/* as the peer's words have it */
	prm.stereo = true;
	assert_true(parsed(prm, "useinbandfec=1;stereo=1").stereo);
	assert_false(parsed(prm, "stereo=0;sprop-stereo=1").stereo);
	assert_false(parsed(prm, "stereo=2").stereo);
	assert_false(parsed(prm, NULL).stereo);
	assert_false(parsed(plain, "stereo=1").stereo);
	c->fmtp_print(fmtp, sizeof(fmtp), &prm);
	assert_string_equal(fmtp, "sprop-stereo=1");
	prm.stereo_in = true;
	c->fmtp_print(fmtp, sizeof(fmtp), &prm);
	assert_string_equal(fmtp, "stereo=1;sprop-stereo=1");
	prm.stereo_in = false;

	assert_non_null(o);
	assert_int_equal(0, c->enc_alloc(&e, c, &prm));
	for (int k = 0; k < 60; k++) {
		const bool two = k < 30;
		int got;

		/* all of it is on the left */
		wave_sine(mid, FRAME, 48000, 500, 8000);
		memcpy(side, mid, sizeof(side));
		len = sizeof(buf);
		assert_int_equal(0, c->encode_two(e, buf, &len, mid, two ?
						  side : NULL, FRAME));
		/* it takes libopus a moment to fade the sides out */
		if (two || k >= 35)
			assert_int_equal(opus_packet_get_nb_channels(buf),
					 two ? 2 : 1);
		got = opus_decode(o, buf, (opus_int32)len, both, FRAME, 0);
		assert_int_equal(got, FRAME);
		for (size_t i = 0; i < FRAME; i++) {
			left[i] = both[2 * i];
			right[i] = both[2 * i + 1];
		}
		if (k == 29) {
			assert_true(wave_rms(left, FRAME) > 9000);
			assert_true(wave_rms(right, FRAME) < 900);
		}
	}
	assert_true(wave_rms(left, FRAME) > 4500);
	assert_true(fabs(wave_rms(left, FRAME) - wave_rms(right, FRAME)) < 50);

	/* the loudest there is must not wrap round */
	for (size_t i = 0; i < FRAME; i++)
		mid[i] = side[i] = i % 96 < 48 ? INT16_MAX : INT16_MIN;
	len = sizeof(buf);
	assert_int_equal(0, c->encode_two(e, buf, &len, mid, side, FRAME));
	mem_deref(e);

	/* who was not made for two sends one */
	e = NULL;
	assert_int_equal(0, c->enc_alloc(&e, c, &plain));
	len = sizeof(buf);
	assert_int_equal(0, c->encode_two(e, buf, &len, mid, side, FRAME));
	assert_int_equal(opus_packet_get_nb_channels(buf), 1);
	opus_decoder_destroy(o);
	mem_deref(e);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fmtp_print),
		cmocka_unit_test(test_fmtp_parse),
		cmocka_unit_test(test_bitrate),
		cmocka_unit_test(test_bandwidth),
		cmocka_unit_test(test_dtx),
		cmocka_unit_test(test_fec),
		cmocka_unit_test(test_tune),
		cmocka_unit_test(test_conceal_sizes),
		cmocka_unit_test(test_stereo_in),
		cmocka_unit_test(test_stereo_heard),
		cmocka_unit_test(test_stereo_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
