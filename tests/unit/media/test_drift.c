/**
 * @file test_drift.c  Microphone and speaker that do not keep the same time
 */
#include <math.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "drift.h"
#include "rig.h"

enum { HZ = 48000 };

/* Its speaker takes so much in each 10 ms of the microphone */
struct audio_dev {
	int16_t ring[HZ];
	size_t head, fill;
	double owed, rate;       /* samples to be played; in 10 ms          */
	double hz;               /* of its samples                          */
	unsigned dry, blocks, settle;
	double step;             /* how far off the tone it was, at most    */
	int16_t last[2];
	size_t most, least;      /* fill, once it has settled               */
	double sum;
};


/* 10 ms of the other clock */
static void dev_play(struct audio_dev *d)
{
	const double c = 2.0 * cos(2.0 * M_PI * 440.0 / d->hz);

	d->owed += d->rate;
	for (; d->owed >= 1.0; d->owed -= 1.0) {
		double e;

		if (!d->fill) {
			++d->dry;
			continue;
		}
		e = fabs(d->ring[d->head] - c * d->last[0] + d->last[1]);
		if (d->blocks > 100 && e > d->step)
			d->step = e;
		d->last[1] = d->last[0];
		d->last[0] = d->ring[d->head];
		d->head = (d->head + 1) % HZ;
		--d->fill;
	}
	if (++d->blocks > d->settle) {
		d->most = d->fill > d->most ? d->fill : d->most;
		d->least = d->fill < d->least ? d->fill : d->least;
		d->sum += (double)d->fill;
	}
}


static size_t dev_read(struct audio_dev *d, int16_t *v, size_t n)
{
	(void)d;
	memset(v, 0, n * sizeof(*v));

	return n;
}


static size_t dev_write(struct audio_dev *d, const int16_t *v, size_t n)
{
	const size_t room = (size_t)d->hz / 10 - d->fill;

	n = n < room ? n : room;
	for (size_t i = 0; i < n; i++)
		d->ring[(d->head + d->fill++) % HZ] = v[i];

	return n;
}


static size_t dev_in(const struct audio_dev *d)
{
	(void)d;

	return 0;
}


static size_t dev_out(const struct audio_dev *d)
{
	return d->fill;
}


static bool dev_alive(const struct audio_dev *d)
{
	(void)d;

	return true;
}


static const struct audio_driver driver = {
	.name = "drifts", .clock = true, .read = dev_read,
	.write = dev_write, .in_fill = dev_in, .out_fill = dev_out,
	.alive = dev_alive,
};


struct world {
	struct rig *r;
	struct audio_dev *d;
	int fd;
};


/* A tone that never stops: no silence to put anything right in */
static struct world world_of(const struct audio_driver *drv, uint32_t hz,
			     double ppm, unsigned fill_ms)
{
	const struct audio_info info = {
		.rate_hz = hz, .has_in = true, .has_out = true
	};
	struct world w = { .r = rig_new() };
	struct local *l = &w.r->e->local[MEDIA_SPEAKER];

	w.d = calloc(1, sizeof(*w.d));
	assert_non_null(w.d);
	w.fd = eventfd(0, EFD_NONBLOCK);
	w.d->hz = hz;
	w.d->rate = hz / 100 * (1.0 + ppm * 1e-6);
	w.d->fill = (size_t)hz * fill_ms / 1000;
	w.d->settle = 4000;
	w.d->least = SIZE_MAX;

	l->n = hz;
	l->v = malloc(l->n * sizeof(*l->v));
	assert_non_null(l->v);
	sine(l->v, l->n, 0, 440.0, hz, 10000.0);
	l->rate_hz = hz;

	assert_int_equal(engine_attach(w.r->e, drv, w.d, &info, w.fd), 0);

	return w;
}


static struct world world(uint32_t hz, double ppm, unsigned fill_ms)
{
	return world_of(&driver, hz, ppm, fill_ms);
}


static void world_end(struct world *w)
{
	engine_detach(w->r->e);
	rig_free(w->r);
	(void)close(w->fd);
	free(w->d);
}


/* Seconds; each `every` blocks (0: never) it comes so many blocks late */
static void world_run(struct world *w, unsigned s, unsigned every,
		      unsigned late)
{
	for (unsigned i = 0; i < s * 100;) {
		const unsigned n = every && i % every < late ? late : 1;

		for (unsigned k = 0; k < n; k++)
			dev_play(w->d);
		for (unsigned k = 0; k < n; k++)
			engine_cycle(w->r->e, true, 10, clock_us());
		i += n;
	}
}


static double ms(const struct audio_dev *d, size_t n)
{
	return (double)n * 1000.0 / d->hz;
}


static void test_drift(void **state)
{
	static const double ppm[] = { 0.0, 200.0, -200.0, 1000.0, -1000.0 };
	static const uint32_t hz[] = { 8000, 16000, 48000 };
	(void)state;

	for (unsigned i = 0; i < COUNT(ppm); i++) {
		for (unsigned k = 0; k < COUNT(hz); k++) {
			struct world w = world(hz[k], ppm[i], 30);
			struct drift_figures f;

			world_run(&w, 120, 0, 0);
			drift_figures(w.r->e->drift, &f);
			print_message("%5u Hz %+5.0f ppm: %u missing, fill "
				      "%.1f to %.1f ms, off by %.1f; %+d ppm,"
				      " wants %.1f ms\n", (unsigned)hz[k],
				      ppm[i], w.d->dry, ms(w.d, w.d->least),
				      ms(w.d, w.d->most), w.d->step, f.ppm,
				      f.want_ms);
			assert_int_equal(w.d->dry, 0);
			/* no cut: a sample left out of this tone is 330 to
			 * 3400 off, rounding 2 */
			assert_true(w.d->step < 40);
			assert_true(fabs(f.ppm - ppm[i]) < 60.0);
			assert_true(w.d->most < w.d->hz * 0.030);
			world_end(&w);
		}
	}
}


/* Nothing is kept for a machine that is punctual, enough for one that is not,
 * and what it has done again and again is remembered */
static void test_busy(void **state)
{
	struct world w = world(HZ, 50.0, 30);
	struct drift_figures quiet, busy, later;
	unsigned dry;
	(void)state;

	world_run(&w, 60, 0, 0);
	drift_figures(w.r->e->drift, &quiet);
	assert_int_equal(w.d->dry, 0);

	/* now and then it is 30 ms late: that is learnt at once */
	world_run(&w, 20, 200, 3);
	dry = w.d->dry;
	world_run(&w, 120, 200, 3);
	drift_figures(w.r->e->drift, &busy);
	assert_int_equal(w.d->dry, dry);

	/* five quiet minutes, and it happens again */
	world_run(&w, 300, 0, 0);
	world_run(&w, 20, 200, 3);
	assert_int_equal(w.d->dry, dry);
	drift_figures(w.r->e->drift, &later);

	print_message("level %.1f, %.1f and %.1f ms; %u samples missing "
		      "while it was learnt\n", quiet.fill_ms, busy.fill_ms,
		      later.fill_ms, dry);
	assert_true(quiet.fill_ms < 4.0);
	assert_true(busy.fill_ms > 20.0 && busy.fill_ms < 45.0);
	world_end(&w);
}


/* What happened once is forgotten soon */
static void test_once(void **state)
{
	struct world w = world(HZ, 0.0, 30);
	struct drift_figures before, then, later;
	(void)state;

	world_run(&w, 60, 0, 0);
	drift_figures(w.r->e->drift, &before);
	world_run(&w, 1, 100, 5);
	world_run(&w, 5, 0, 0);
	drift_figures(w.r->e->drift, &then);
	world_run(&w, 40, 0, 0);
	drift_figures(w.r->e->drift, &later);

	print_message("feared %.1f, %.1f and %.1f ms; level %.1f, %.1f and "
		      "%.1f ms\n", before.dip_ms, then.dip_ms, later.dip_ms,
		      before.fill_ms, then.fill_ms, later.fill_ms);
	assert_true(before.dip_ms < 2.0);
	assert_true(then.dip_ms > 10.0);
	assert_true(later.dip_ms < 2.0);
	assert_true(later.fill_ms < 4.0);
	world_end(&w);
}


static size_t dev_missed(const struct audio_dev *d)
{
	return d->dry;
}


static const struct audio_driver tells = {
	.name = "tells", .clock = true, .read = dev_read,
	.write = dev_write, .in_fill = dev_in, .out_fill = dev_out,
	.missed = dev_missed, .alive = dev_alive,
};


/* Who tells how much was missing is believed: after two times it is known */
static void test_missed(void **state)
{
	struct world w = world_of(&tells, HZ, 0.0, 30);
	struct drift_figures f;
	unsigned dry;
	(void)state;

	world_run(&w, 60, 0, 0);
	assert_int_equal(w.d->dry, 0);
	world_run(&w, 8, 400, 4);
	dry = w.d->dry;
	drift_figures(w.r->e->drift, &f);
	print_message("%u samples missing, feared %.1f ms\n", dry, f.dip_ms);
	assert_true(dry > HZ / 50);
	assert_in_range((unsigned)f.dip_ms, 29, 33);

	world_run(&w, 20, 400, 4);
	assert_int_equal(w.d->dry, dry);
	world_end(&w);
}


/* A speaker that stood still leaves too much: it goes with the next silence,
 * not with what is heard */
static void test_excess(void **state)
{
	struct world w = world(HZ, 0.0, 30);
	struct local *l = &w.r->e->local[MEDIA_SPEAKER];
	struct drift_figures f;
	(void)state;

	world_run(&w, 30, 0, 0);
	for (unsigned i = 0; i < 5; i++)
		engine_cycle(w.r->e, true, 10, clock_us());
	world_run(&w, 3, 0, 0);
	drift_figures(w.r->e->drift, &f);
	assert_true(f.fill_ms > 30.0);
	assert_true(w.d->step < 40);

	memset(l->v, 0, l->n * sizeof(*l->v));
	world_run(&w, 3, 0, 0);
	drift_figures(w.r->e->drift, &f);
	print_message("after silence: %.1f ms, wanted %.1f\n", f.fill_ms,
		      f.want_ms);
	assert_int_equal(w.d->dry, 0);
	assert_true(f.fill_ms < f.want_ms + 5.0);
	world_end(&w);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_excess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
