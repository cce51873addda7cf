/**
 * @file test_monitor.c  A second loudspeaker that hears the calls as well
 */
#include <math.h>
#include "rig.h"


enum { MAX = 48000 * 4 };

struct audio_dev {
	uint32_t rate_hz;
	bool mic, gone;
	size_t at, n;
	int16_t v[MAX];
	/* of one with a clock: since when, how fast, what it lacked */
	uint64_t from_us;
	double ppm;
	size_t wrote;
	size_t lacked;
};

static struct audio_dev dev, mon;


static size_t dev_read(struct audio_dev *d, int16_t *v, size_t n)
{
	memset(v, 0, n * sizeof(*v));
	if (d->mic)
		sine(v, n, d->at, 2000.0, d->rate_hz, 6000.0);
	d->at += n;

	return n;
}


static size_t dev_write(struct audio_dev *d, const int16_t *v, size_t n)
{
	d->wrote += n;
	for (size_t i = 0; i < n; i++)
		d->v[d->n++ % MAX] = v[i];

	return n;
}


/* What it has played by its clock, and what was not there to be played */
static size_t clock_fill(const struct audio_dev *c)
{
	struct audio_dev *d = c == &mon ? &mon : &dev;
	const double s = (double)(clock_us() - d->from_us) * 1e-6;
	const size_t played = (size_t)(s * d->rate_hz *
				       (1.0 + d->ppm * 1e-6));

	if (played > d->wrote + d->lacked)
		d->lacked = played - d->wrote;

	return d->wrote + d->lacked - played;
}


static size_t clock_missed(const struct audio_dev *d)
{
	return d->lacked;
}


static size_t none(const struct audio_dev *d)
{
	(void)d;

	return 0;
}


static bool dev_alive(const struct audio_dev *d)
{
	return !d->gone;
}


static const struct audio_driver plain = {
	.name = "plain", .read = dev_read, .write = dev_write,
	.in_fill = none, .out_fill = none, .alive = dev_alive
};

static const struct audio_driver clocked = {
	.name = "clocked", .clock = true, .read = dev_read,
	.write = dev_write, .in_fill = none, .out_fill = clock_fill,
	.missed = clock_missed, .alive = dev_alive
};


static void attach_monitor(struct rig *r, const struct audio_driver *drv,
			   uint32_t rate_hz, double ppm)
{
	const struct audio_info info = { .rate_hz = rate_hz, .has_out = true };

	memset(&mon, 0, sizeof(mon));
	mon.rate_hz = rate_hz;
	mon.ppm = ppm;
	mon.from_us = clock_us();
	assert_int_equal(monitor_attach(r->e, drv, &mon, &info), 0);
}


/* A call of 500 Hz at a device of 48 kHz that has no clock of its own */
static struct rig *call(bool mic)
{
	const struct audio_info info = {
		.rate_hz = 48000, .has_in = true, .has_out = true
	};
	struct rig *r = rig_call("opus");

	memset(&dev, 0, sizeof(dev));
	dev.rate_hz = 48000;
	dev.mic = mic;
	r->ends[1].f->device = false;
	flow_set_source(r->ends[1].f, SOURCE_TONE, 500.0);
	assert_int_equal(engine_attach(r->e, &plain, &dev, &info, -1), 0);

	return r;
}


static double at(double hz)
{
	return goertzel(mon.v, mon.n < MAX ? mon.n : MAX, hz, mon.rate_hz);
}


/* Both hear the other side; our microphone only when that was asked for, and
 * not while we are muted; the phone's own tones never */
static void test_hears(void **state)
{
	static const uint32_t rates[] = { 48000, 44100, 16000, 8000 };
	(void)state;

	for (unsigned k = 0; k < COUNT(rates); k++) {
		struct rig *r = call(true);
		struct local *l = &r->e->local[MEDIA_SPEAKER];

		attach_monitor(r, &plain, rates[k], 0.0);
		l->n = 48000;
		l->v = malloc(l->n * sizeof(*l->v));
		assert_non_null(l->v);
		sine(l->v, l->n, 0, 3000.0, 48000, 6000.0);
		l->rate_hz = 48000;
		rig_run(r, 500);

		mon.n = 0;
		rig_run(r, 1000);
		assert_in_range(mon.n, rates[k] - rates[k] / 50, rates[k]);
		assert_true(fabs(at(500.0) + 10.0) < 1.0);
		assert_true(at(2000.0) < -60.0);
		assert_true(at(3000.0) < -60.0);

		r->e->monitor.both = true;
		mon.n = 0;
		rig_run(r, 1000);
		assert_true(fabs(at(500.0) + 10.0) < 1.0);
		assert_true(fabs(at(2000.0) + 14.8) < 1.0);

		r->ends[0].f->muted = true;
		mon.n = 0;
		rig_run(r, 1000);
		assert_true(at(2000.0) < -60.0);
		rig_free(r);
	}
}


/* Its clock is another one: no gap, and no more delay than there must be */
static void test_clock(void **state)
{
	static const double ppms[] = { -300.0, 0.0, 300.0 };
	(void)state;

	for (unsigned k = 0; k < COUNT(ppms); k++) {
		struct rig *r = call(false);
		size_t lacked, fill;

		attach_monitor(r, &clocked, 48000, ppms[k]);
		rig_run(r, 30000);
		lacked = mon.lacked;
		mon.n = 0;
		rig_run(r, 15000);
		fill = clock_fill(&mon);
		print_message("%+.0f ppm: %.1f ms wait, lacked %zu\n", ppms[k],
			      (double)fill / 48.0, mon.lacked - lacked);
		assert_int_equal(mon.lacked, lacked);
		assert_in_range(fill, 1, 48 * 80);
		assert_true(purity(mon.v, MAX, 500.0, 48000) > 0.98);
		rig_free(r);
	}
}


/* Gone: it is told once, and the call goes on; with the next it is there */
static void test_gone(void **state)
{
	struct rig *r = call(false);
	unsigned told = 0;
	(void)state;

	attach_monitor(r, &clocked, 48000, 0.0);
	rig_run(r, 500);
	mon.gone = true;
	rig_run(r, 200);
	assert_null(r->e->monitor.dev);
	mon.n = dev.n = 0;
	rig_run(r, 1000);
	assert_int_equal(mon.n, 0);
	assert_in_range(dev.n, 47000, 48000);
	for (unsigned i = 0; i < r->post_count; i++)
		told += r->posts[i].type == POST_MONITOR_LOST;
	assert_int_equal(told, 1);

	attach_monitor(r, &clocked, 16000, 0.0);
	rig_run(r, 1000);
	assert_true(mon.n > 15000);
	assert_true(purity(mon.v + 8000, 7000, 500.0, 16000) > 0.9);
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hears),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
