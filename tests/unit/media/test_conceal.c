/**
 * @file test_conceal.c  Concealment of G.711 beside Appendix I of its
 *                       recommendation
 *
 * The same speech loses the same packets of 20 ms; what each makes of it is
 * judged by intelligibility (STOI) and by how far the level of what was made
 * up is from that of what was lost.  Three voices, several seeds.  Ours twice:
 * knowing nothing of what follows, as Appendix I, and as the jitter buffer has
 * it, with the packet behind the gap when that one has come.
 */
#include <math.h>
#include <stdio.h>
#include "rig.h"
#include "conceal.h"
#include "appendix_i.h"
#include "../../bench/stoi.h"


enum { HZ = 8000, PACKET = 160, SEEDS = 2, VOICES = 3 };

/* read at this rate and played at HZ: as it is, higher, lower */
static const uint32_t read_hz[VOICES] = { 8000, 6700, 9600 };

static uint32_t seed;


static double rnd(void)
{
	seed = seed * 1664525u + 1013904223u;

	return (double)(seed >> 8) / 16777216.0;
}


static const struct way {
	double loss;             /* share                                    */
	double burst;            /* packets in a row, on average             */
} ways[] = {
	{ 0.01, 1 }, { 0.03, 1 }, { 0.05, 1 }, { 0.10, 1 }, { 0.20, 1 },
	{ 0.05, 3 }, { 0.10, 3 },
};

enum { APPENDIX, BLIND, BRIDGED, MAKERS };


static void lose(bool *lost, size_t n, const struct way *w)
{
	const double begin = w->loss / w->burst / (1 - w->loss);
	bool gone = false;

	for (size_t i = 0; i < n; i++) {
		gone = rnd() < (gone ? 1 - 1 / w->burst :
				w->burst > 1 ? begin : w->loss);
		lost[i] = gone && i > 25;
	}
}


static void run_appendix(int16_t *out, const int16_t *in, const bool *lost,
			 size_t n)
{
	struct appendix_i a;
	int16_t *v = calloc((n + 1) * PACKET, sizeof(*v));

	assert_non_null(v);
	memset(&a, 0, sizeof(a));
	for (size_t i = 0; i < 2 * n; i++)
		appendix_i(&a, v + i * APPENDIX_I_FRAME, lost[i / 2] ? NULL :
			   in + i * APPENDIX_I_FRAME);
	memcpy(out, v + APPENDIX_I_DELAY, n * PACKET * sizeof(*v));
	free(v);
}


static void run_ours(int16_t *out, const int16_t *in, const bool *lost,
		     size_t n, bool bridge)
{
	struct plc *p = NULL;

	assert_int_equal(plc_alloc(&p, HZ), 0);
	memcpy(out, in, n * PACKET * sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		int16_t *v = out + i * PACKET;

		if (!lost[i])
			plc_good(p, v, PACKET);
		else if (bridge && i + 1 < n && !lost[i + 1])
			plc_bridge(p, v, PACKET, in + (i + 1) * PACKET,
				   PACKET);
		else
			plc_lost(p, v, PACKET);
	}
	mem_deref(p);
}


static float *at_stoi_rate(const int16_t *v, size_t n, size_t *got)
{
	struct resampler *r = NULL;
	size_t in = n, out = n * STOI_HZ / HZ;
	int16_t *w = calloc(out, sizeof(*w));
	float *f = calloc(out, sizeof(*f));

	assert_true(w && f);
	assert_int_equal(resampler_alloc(&r, HZ, STOI_HZ, 5), 0);
	assert_int_equal(resampler_run(r, v, &in, w, &out), 0);
	mem_deref(r);
	for (size_t i = 0; i < out; i++)
		f[i] = w[i];
	free(w);
	*got = out;

	return f;
}


static double judge(const int16_t *ref, const int16_t *got, size_t n)
{
	size_t a, b;
	float *x = at_stoi_rate(ref, n, &a), *y = at_stoi_rate(got, n, &b);
	const double s = stoi(x, y, (long)min(a, b));

	free(x);
	free(y);

	return s;
}


static double power(const int16_t *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];

	return sum / (double)n;
}


/* Mean distance of the levels, dB, in pieces of 10 ms of what was lost */
static double level_error(const int16_t *ref, const int16_t *got,
			  const bool *lost, size_t n)
{
	double sum = 0;
	size_t count = 0;

	for (size_t i = 0; i < 2 * n; i++) {
		const double a = power(ref + i * 80, 80);

		/* what nobody would miss is no matter; nor are far ends */
		if (!lost[i / 2] || a < 1e4)
			continue;
		sum += fmin(30, fabs(10 * log10((power(got + i * 80, 80) + 1) /
						a)));
		++count;
	}

	return count ? sum / (double)count : 0;
}


/* The mark itself is what its description says */
static void test_mark(void **state)
{
	int16_t in[8000], out[8000];
	struct appendix_i a;
	double error = 0;
	(void)state;

	for (size_t i = 0; i < 8000; i++)
		in[i] = (int16_t)lrint(8000 * sin(2 * M_PI * 100 * (double)i /
						  HZ));

	/* untouched, 3.75 ms later */
	memset(&a, 0, sizeof(a));
	for (size_t i = 0; i < 8000; i += 80)
		appendix_i(&a, out + i, in + i);
	assert_memory_equal(out + 30, in, 7970 * sizeof(*out));

	/* a steady tone goes on in phase through 10 ms, and through 20 ms at
	 * nine tenths of its level; after 60 ms there is nothing */
	memset(&a, 0, sizeof(a));
	for (size_t i = 0; i < 4000; i += 80)
		appendix_i(&a, out + i, in + i);
	for (size_t i = 4000; i < 4800; i += 80)
		appendix_i(&a, out + i, NULL);
	for (size_t i = 4000; i < 4080; i++)
		error = fmax(error, fabs((double)out[i + 30] - in[i]));
	assert_true(error < 80);
	assert_true(power(out + 4110, 80) > 0.78 * power(in, 80));
	assert_true(power(out + 4110, 80) < 0.84 * power(in, 80));
	for (size_t i = 4000 + 480 + 30; i < 4800; i++)
		assert_int_equal(out[i], 0);
}


static void test_appendix_i(void **state)
{
	double score[COUNT(ways)][MAKERS] = {{ 0 }};
	double error[COUNT(ways)][MAKERS] = {{ 0 }};
	char err[256];
	(void)state;

	for (unsigned k = 0; k < VOICES; k++) {
		int16_t *in = NULL, *out;
		size_t n;
		bool *lost;

		assert_int_equal(sound_read_at(&in, &n, read_hz[k], SPEECH,
					       err, sizeof(err)), 0);
		n /= PACKET;
		out = calloc(n * PACKET, sizeof(*out));
		lost = calloc(n, sizeof(*lost));
		assert_true(out && lost);
		for (unsigned j = 0; j < COUNT(ways) * SEEDS; j++) {
			const unsigned w = j / SEEDS;

			seed = 1000 * k + j + 1;
			lose(lost, n, &ways[w]);
			for (unsigned m = 0; m < MAKERS; m++) {
				if (m == APPENDIX)
					run_appendix(out, in, lost, n);
				else
					run_ours(out, in, lost, n,
						 m == BRIDGED);
				score[w][m] += judge(in, out, n * PACKET) /
					SEEDS / VOICES;
				error[w][m] += level_error(in, out, lost, n) /
					SEEDS / VOICES;
			}
		}
		free(in);
		free(out);
		free(lost);
	}

	for (unsigned w = 0; w < COUNT(ways); w++) {
		print_message("%4.0f %%, %.0f in a row: STOI %.4f, ours %.4f "
			      "and %.4f; off by %.2f dB, ours %.2f and %.2f\n",
			      100 * ways[w].loss, ways[w].burst,
			      score[w][APPENDIX], score[w][BLIND],
			      score[w][BRIDGED], error[w][APPENDIX],
			      error[w][BLIND], error[w][BRIDGED]);

		/* understood better, though no more is known; and better
		 * still, and closer in level, when what follows is here */
		assert_true(score[w][BLIND] > score[w][APPENDIX]);
		assert_true(score[w][BRIDGED] > score[w][BLIND]);
		assert_true(error[w][BLIND] < error[w][APPENDIX] + 0.8);
		assert_true(error[w][BRIDGED] < error[w][APPENDIX] - 0.5);
	}
}


enum { OPUS_N = 960, OPUS_PACKETS = 30, GONE = 20 };

/* A receiver of Opus that has heard all up to a packet, which is gone */
static void opus_hear(struct receiver *r, uint8_t p[][400], const size_t *len)
{
	int16_t v[CODEC_FRAME_MAX];

	memset(r, 0, sizeof(*r));
	r->codecs[0].codec = codec_find("opus");
	r->cur = &r->codecs[0];
	r->clock_hz = r->rate_hz = 48000;
	assert_int_equal(r->cur->codec->dec_alloc(&r->cur->dec, r->cur->codec,
						  &r->param), 0);
	for (unsigned i = 0; i < GONE; i++) {
		size_t n = CODEC_FRAME_MAX;

		assert_int_equal(r->cur->codec->decode(r->cur->dec, v, &n,
						       p[i], len[i]), 0);
	}
}


/* Whatever part of a packet is missing, its end is what the packet behind
 * it says of it */
static void test_end_of_gap(void **state)
{
	static uint8_t p[OPUS_PACKETS][400];
	const struct codec *c = codec_find("opus");
	const struct codec_param prm = { .ptime_ms = 20, .fec = true,
		.loss_pct = 20, .bitrate = 28000, .complexity = 5 };
	static int16_t all[CODEC_FRAME_MAX], v[CODEC_FRAME_MAX];
	size_t len[OPUS_PACKETS], n;
	struct codec_enc *enc;
	struct receiver r;
	char err[256];
	int16_t *in = NULL;
	(void)state;

	assert_int_equal(sound_read_at(&in, &n, 48000, SPEECH, err,
				       sizeof(err)), 0);
	assert_true(n > 48000 + OPUS_PACKETS * OPUS_N);
	assert_int_equal(c->enc_alloc(&enc, c, &prm), 0);
	for (unsigned i = 0; i < OPUS_PACKETS; i++) {
		len[i] = sizeof(p[i]);
		assert_int_equal(c->encode(enc, p[i], &len[i], in + 48000 +
					   i * OPUS_N, OPUS_N), 0);
	}

	for (uint32_t dur = OPUS_N; dur >= 100; dur -= 43) {
		const struct jitter_frame jf = {
			.payload = p[GONE + 1], .len = len[GONE + 1],
			.dur = dur,
		};

		opus_hear(&r, p, len);
		assert_int_equal(conceal_gap(&r, v, NULL, &jf), dur);
		if (dur == OPUS_N)
			memcpy(all, v, sizeof(all));
		assert_true(power(v, dur) > 1000);
		assert_memory_equal(v, all + OPUS_N - dur,
				    dur * sizeof(*v));
		mem_deref(r.cur->dec);
	}
	mem_deref(enc);
	free(in);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_appendix_i),
		cmocka_unit_test(test_end_of_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
