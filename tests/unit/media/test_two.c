/**
 * @file test_two.c  Two channels: from the wire to the loudspeaker
 *
 * What is sent left is heard left, at every rate of the device, through loss
 * and jitter; and who has one channel pays for one.  And from a microphone of
 * two channels onto the wire.
 */
#include <math.h>
#include "rig.h"


enum { SECONDS = 4, MAX = 48000 * SECONDS };

struct audio_dev {
	uint32_t rate_hz;
	size_t n, twos;                  /* samples, blocks with a side     */
	size_t in;                       /* captured                        */
	bool alike;                      /* both channels capture the same  */
	int16_t left[MAX], right[MAX];
};


static size_t dev_read(struct audio_dev *d, int16_t *v, size_t n)
{
	(void)d;
	memset(v, 0, n * sizeof(*v));

	return n;
}


static size_t dev_read_two(struct audio_dev *d, int16_t *left, int16_t *right,
			   size_t n)
{
	sine(left, n, d->in, 500.0, d->rate_hz, 5000.0);
	sine(right, n, d->in, d->alike ? 500.0 : 1100.0, d->rate_hz, 5000.0);
	d->in += n;

	return n;
}


static size_t dev_write_two(struct audio_dev *d, const int16_t *v,
			    const int16_t *side, size_t n)
{
	++d->twos;
	for (size_t i = 0; i < n && d->n < MAX; i++, d->n++) {
		d->left[d->n] = (int16_t)(v[i] + side[i]);
		d->right[d->n] = (int16_t)(v[i] - side[i]);
	}

	return n;
}


static size_t dev_write(struct audio_dev *d, const int16_t *v, size_t n)
{
	for (size_t i = 0; i < n && d->n < MAX; i++, d->n++)
		d->left[d->n] = d->right[d->n] = v[i];

	return n;
}


static const struct audio_driver driver = {
	.name = "two", .read = dev_read, .write = dev_write,
	.write_two = dev_write_two, .read_two = dev_read_two
};

static struct audio_dev dev;


static void device(struct rig *r, uint32_t rate_hz, unsigned channels)
{
	const struct audio_info info = {
		.rate_hz = rate_hz, .has_in = true, .has_out = true,
		.channels = channels
	};

	memset(&dev, 0, sizeof(dev));
	dev.rate_hz = rate_hz;
	assert_int_equal(engine_attach(r->e, &driver, &dev, &info, -1), 0);
}


/* A file of 500 Hz on the left and 1100 Hz on the right, again and again */
static void play_two(struct flow *f)
{
	const size_t n = f->rate_hz;
	struct play p = { .n = n, .loop = true, .serial = 1 };
	int16_t *l = malloc(n * sizeof(*l)), *r = malloc(n * sizeof(*r));

	p.v = malloc(2 * n * sizeof(*p.v));
	assert_true(l && r && p.v);
	p.side = p.v + n;
	sine(l, n, 0, 500.0, f->rate_hz, 10000.0);
	sine(r, n, 0, 1100.0, f->rate_hz, 10000.0);
	for (size_t i = 0; i < n; i++) {
		p.v[i] = (int16_t)((l[i] + r[i]) / 2);
		p.side[i] = (int16_t)((l[i] - r[i]) / 2);
	}
	free(l);
	free(r);
	flow_play(f, &p);
}


/* Flow 0 meets the device, flow 1 sends */
static struct rig *call_of(bool two)
{
	struct rig *r = rig_new();

	for (unsigned i = 0; i < 2; i++) {
		struct media_plan plan = rig_plan("opus", 1 - i);

		plan.param.stereo = two;
		plan.param.bitrate = 96000;
		(void)rig_flow(r, 1 - i);
		rig_start(r, i, &plan);
		r->ends[i].f->device = !i;
	}
	engine_retime(r->e);

	return r;
}


/* dB of a tone on one side */
static double at(const int16_t *v, double hz)
{
	return goertzel(v, dev.n, hz, dev.rate_hz);
}


static void heard_apart(double apart_db)
{
	print_message("%u Hz: left %.1f and %.1f, right %.1f and %.1f dB\n",
		      (unsigned)dev.rate_hz, at(dev.left, 500.0),
		      at(dev.left, 1100.0), at(dev.right, 500.0),
		      at(dev.right, 1100.0));
	assert_true(fabs(at(dev.left, 500.0) + 10.3) < 1.0);
	assert_true(fabs(at(dev.right, 1100.0) + 10.3) < 1.0);
	assert_true(at(dev.left, 1100.0) < -10.3 - apart_db);
	assert_true(at(dev.right, 500.0) < -10.3 - apart_db);
}


static void test_apart(void **state)
{
	static const uint32_t rates[] = { 48000, 44100, 16000, 8000 };
	(void)state;

	for (unsigned i = 0; i < COUNT(rates); i++) {
		struct rig *r = call_of(true);

		device(r, rates[i], 2);
		play_two(r->ends[1].f);
		rig_run(r, 1000);
		dev.n = 0;
		rig_run(r, 2000);
		assert_in_range(dev.n, 2 * rates[i] - rates[i] / 50,
				2 * rates[i]);
		heard_apart(25.0);
		rig_free(r);
	}
}


/* Lost packets and late ones: what is made up, left out and put in is so on
 * both sides alike */
static int64_t rough(struct rig *r, unsigned from, bool rtcp,
		     const uint8_t *p, size_t len)
{
	(void)from;
	(void)p;
	(void)len;

	if (!rtcp && rig_rnd(r) < 0.05)
		return -1;

	return (int64_t)(30000.0 * rig_rnd(r));
}


static void test_rough(void **state)
{
	struct rig *r = call_of(true);
	(void)state;

	device(r, 48000, 2);
	r->net_h = rough;
	play_two(r->ends[1].f);
	rig_run(r, 2000);
	dev.n = 0;
	rig_run(r, 3900);
	print_message("5 of 100 lost: left %.1f and %.1f dB, right %.1f and"
		      " %.1f dB\n", at(dev.left, 500.0), at(dev.left, 1100.0),
		      at(dev.right, 500.0), at(dev.right, 1100.0));
	assert_true(purity(dev.left, dev.n, 500.0, 48000) >
		    30.0 * purity(dev.left, dev.n, 1100.0, 48000));
	assert_true(purity(dev.right, dev.n, 1100.0, 48000) >
		    30.0 * purity(dev.right, dev.n, 500.0, 48000));
	rig_free(r);
}


/* The file ends: what follows has no side again, and before it there was none.
 * Who has one channel hears both in it, and pays for one */
static void test_only_then(void **state)
{
	struct rig *r = call_of(true);
	struct receiver *rx = &r->ends[0].f->rx;
	(void)state;

	device(r, 48000, 2);
	flow_set_source(r->ends[1].f, SOURCE_TONE, 500.0);
	rig_run(r, 1000);
	assert_int_equal(dev.twos, 0);
	assert_null(rx->side.v);
	assert_int_equal(rx->codecs[0].two, false);

	play_two(r->ends[1].f);
	rig_run(r, 1000);
	assert_true(dev.twos > 40);
	assert_int_equal(rx->codecs[0].two, true);

	flow_play_stop(r->ends[1].f);
	rig_run(r, 1000);
	dev.twos = dev.n = 0;
	rig_run(r, 1000);
	assert_int_equal(dev.twos, 0);
	assert_true(dev.n > 47000);
	assert_memory_equal(dev.left, dev.right, dev.n * sizeof(int16_t));
	assert_true(at(dev.left, 500.0) > -11.0);
	rig_free(r);

	r = call_of(true);
	rx = &r->ends[0].f->rx;
	device(r, 48000, 1);
	play_two(r->ends[1].f);
	rig_run(r, 1000);
	dev.n = 0;
	rig_run(r, 1000);
	assert_int_equal(dev.twos, 0);
	assert_null(rx->side.v);
	assert_int_equal(rx->codecs[0].two, false);
	assert_true(fabs(at(dev.left, 500.0) + 16.3) < 1.0);
	assert_true(fabs(at(dev.left, 1100.0) + 16.3) < 1.0);
	rig_free(r);
}


/* What is on the left alone leaves the right one at zero, through a gain, a
 * resampler and the mixer, not at next to nothing */
static void test_silent_side(void **state)
{
	static const uint32_t rates[] = { 48000, 44100, 16000 };
	static int16_t v[960];
	(void)state;

	for (unsigned k = 0; k < COUNT(rates); k++) {
		struct rig *r = call_of(false);
		struct flow *f = r->ends[0].f;

		device(r, rates[k], 2);
		gain_set(&f->spk_gain, -7.0);
		for (unsigned i = 0; i < 50; i++) {
			sine(v, 960, i * 960, 500.0, 48000, 9001.0);
			engine_capture(r->e, 20);
			engine_mix(f, v, v, 960);
			engine_play(r->e);
		}
		assert_in_range(dev.n, rates[k] - 2, rates[k]);
		assert_int_equal(dev.twos, 50);
		for (size_t i = 0; i < dev.n; i++)
			assert_int_equal(dev.right[i], 0);
		assert_true(fabs(at(dev.left, 500.0) + 12.2) < 1.0);
		rig_free(r);
	}
}


/* As the law says: what is in the middle is untouched, power stays what it is,
 * and at an end the other channel is zero */
static void test_place(void **state)
{
	int16_t v[480], side[480];
	struct pan p;
	(void)state;

	pan_init(&p);
	assert_true(pan_centred(&p));
	for (int at = -100; at <= 100; at += 5) {
		double l, r;

		pan_set(&p, at);
		assert_int_equal(pan_centred(&p), at == 0 && p.mean == 1.0f);
		for (int k = 0; k < 2; k++) {
			for (int i = 0; i < 480; i++)
				v[i] = 10000;
			pan_run(&p, v, side, false, 480);
		}
		l = (v[479] + side[479]) / 10000.0;
		r = (v[479] - side[479]) / 10000.0;
		assert_true(fabs(l * l + r * r - 2.0) < 0.001);
		assert_true(at < 0 ? l > r : at > 0 ? l < r : l == r);
		if (at == -100)
			assert_true(r == 0.0);
		if (at == 100)
			assert_true(l == 0.0);
	}

	/* without a click: no step is larger than what the way takes */
	pan_set(&p, -100);
	for (int i = 0; i < 480; i++)
		v[i] = 10000;
	pan_run(&p, v, side, false, 480);
	for (int i = 1; i < 480; i++)
		assert_true(abs(v[i] + side[i] - v[i - 1] - side[i - 1]) < 50);

	/* what has two channels moves with both of them */
	for (int i = 0; i < 480; i++) {
		v[i] = 5000;
		side[i] = -5000;                     /* on the right */
	}
	pan_run(&p, v, side, true, 480);
	assert_int_equal(v[479] + side[479], 0);
	assert_int_equal(v[479] - side[479], 0);

	pan_set(&p, 0);
	pan_run(&p, v, side, true, 480);
	assert_true(pan_centred(&p));
}


/* Two members of a conference and a third: each from its own side, whatever
 * their rates; and with one channel as loud as ever */
static void test_conference(void **state)
{
	(void)state;

	for (unsigned channels = 1; channels <= 2; channels++) {
		static const char *const codecs[] = { "pcmu", "l16", "opus" };
		static const double hz[] = { 500.0, 1100.0, 1700.0 };
		struct rig *r = rig_new();

		for (unsigned i = 0; i < 6; i++) {
			struct media_plan plan = rig_plan(codecs[i % 3],
							  (i + 3) % 6);

			(void)rig_flow(r, (i + 3) % 6);
			rig_start(r, i, &plan);
			r->ends[i].f->device = i < 3;
			if (i < 3)
				assert_int_equal(room_join(r->ends[i].f, 1),
						 0);
			else
				flow_set_source(r->ends[i].f, SOURCE_TONE,
						hz[i - 3]);
		}
		pan_set(&r->ends[0].f->pan, -100);
		pan_set(&r->ends[1].f->pan, 100);
		device(r, 48000, channels);
		rig_run(r, 1000);
		dev.n = 0;
		rig_run(r, 1000);

		if (channels == 1) {
			assert_int_equal(dev.twos, 0);
			for (unsigned i = 0; i < 3; i++)
				assert_true(fabs(at(dev.left, hz[i]) + 10.0) <
					    1.0);
		}
		else {
			assert_true(fabs(at(dev.left, 500.0) + 7.0) < 1.0);
			assert_true(fabs(at(dev.right, 1100.0) + 7.0) < 1.0);
			assert_true(at(dev.right, 500.0) < -60.0);
			assert_true(at(dev.left, 1100.0) < -60.0);
			assert_true(fabs(at(dev.left, 1700.0) + 10.0) < 1.0);
			assert_true(fabs(at(dev.right, 1700.0) + 10.0) < 1.0);
		}
		rig_free(r);
	}
}


/* Both ends meet the device: what its microphone has goes over the wire twice
 * and is heard twice */
static struct rig *said(bool two, bool alike)
{
	const struct audio_info info = {
		.rate_hz = 48000, .has_in = true, .has_out = true,
		.channels = 2, .in_channels = 2
	};
	struct rig *r = call_of(two);

	r->ends[1].f->device = true;
	memset(&dev, 0, sizeof(dev));
	dev.rate_hz = info.rate_hz;
	dev.alike = alike;
	assert_int_equal(engine_attach(r->e, &driver, &dev, &info, -1), 0);
	rig_run(r, 1000);
	dev.n = dev.twos = 0;
	rig_run(r, 2000);

	return r;
}


static void test_two_mics(void **state)
{
	struct rig *r = said(true, false);
	(void)state;

	heard_apart(25.0);

	/* their volume is one, and so is being muted */
	gain_set(&r->ends[0].f->mic_gain, -20);
	gain_set(&r->ends[1].f->mic_gain, -20);
	rig_run(r, 500);
	dev.n = 0;
	rig_run(r, 1000);
	assert_true(fabs(at(dev.left, 500.0) + 30.3) < 1.0);
	assert_true(at(dev.left, 1100.0) < -50.0);

	r->ends[0].f->muted = r->ends[1].f->muted = true;
	rig_run(r, 500);
	dev.n = 0;
	rig_run(r, 500);
	assert_true(at(dev.left, 500.0) < -80.0);
	assert_true(at(dev.right, 1100.0) < -80.0);
	rig_free(r);
}


/* To who wants one channel goes the mean of both; and a voice that is the same
 * on both costs one */
static void test_two_mics_in_one(void **state)
{
	struct rig *r = said(false, false);
	(void)state;

	assert_int_equal(dev.twos, 0);
	assert_true(fabs(at(dev.left, 500.0) + 16.3) < 1.0);
	assert_true(fabs(at(dev.left, 1100.0) + 16.3) < 1.0);
	rig_free(r);

	r = said(true, true);
	assert_int_equal(dev.twos, 0);
	assert_true(fabs(at(dev.right, 500.0) + 10.3) < 1.0);
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_rough),
		cmocka_unit_test(test_only_then),
		cmocka_unit_test(test_silent_side),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_conference),
		cmocka_unit_test(test_two_mics),
		cmocka_unit_test(test_two_mics_in_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
