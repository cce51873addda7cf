/**
 * @file test_drift.c  Microphone and speaker that do not keep the same time
 */
#include <math.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "rig.h"

enum { HZ = 48000, BLOCK = HZ / 100 };

/* Its speaker takes so much in each 10 ms of the microphone */
struct audio_dev {
	int16_t ring[HZ];
	size_t head, fill;
	double owed, rate;       /* samples to be played; in 10 ms          */
	unsigned dry, blocks;
	int step;                /* largest between two that were played    */
	int16_t last;
	size_t most, least;      /* fill, once it has settled               */
};


static size_t dev_read(struct audio_dev *d, int16_t *v, size_t n)
{
	memset(v, 0, n * sizeof(*v));

	/* meanwhile the other clock has played */
	d->owed += d->rate;
	for (; d->owed >= 1.0; d->owed -= 1.0) {
		if (!d->fill) {
			++d->dry;
			continue;
		}
		if (abs(d->ring[d->head] - d->last) > d->step)
			d->step = abs(d->ring[d->head] - d->last);
		d->last = d->ring[d->head];
		d->head = (d->head + 1) % HZ;
		--d->fill;
	}
	if (++d->blocks > 2000) {
		d->most = d->fill > d->most ? d->fill : d->most;
		d->least = d->fill < d->least ? d->fill : d->least;
	}

	return n;
}


static size_t dev_write(struct audio_dev *d, const int16_t *v, size_t n)
{
	const size_t room = HZ / 10 - d->fill;

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


static void drift(double ppm)
{
	const struct audio_info info = {
		.rate_hz = HZ, .has_in = true, .has_out = true
	};
	struct rig *r = rig_new();
	struct media_plan plan = rig_plan("opus", RIG_FLOWS - 1);
	struct audio_dev *d = calloc(1, sizeof(*d));
	const int fd = eventfd(0, EFD_NONBLOCK);
	struct local *l = &r->e->local[MEDIA_SPEAKER];

	assert_non_null(d);
	d->rate = BLOCK * (1.0 + ppm * 1e-6);
	d->fill = HZ * 3 / 100;
	d->least = SIZE_MAX;
	(void)plan;

	/* a tone that never stops: no silence to put it right in */
	l->n = HZ;
	l->v = malloc(l->n * sizeof(*l->v));
	assert_non_null(l->v);
	sine(l->v, l->n, 0, 440.0, HZ, 10000.0);
	l->rate_hz = HZ;

	assert_int_equal(engine_attach(r->e, &driver, d, &info, fd), 0);
	for (unsigned i = 0; i < 20 * 100 + 40 * 100; i++)
		engine_cycle(r->e, true, 10, clock_us());

	print_message("%+.0f ppm: %u samples missing, fill %.1f to %.1f ms,"
		      " step %d\n", ppm, d->dry, (double)d->least * 1000 / HZ,
		      (double)d->most * 1000 / HZ, d->step);
	assert_int_equal(d->dry, 0);
	assert_true(d->most < HZ * 70 / 1000);
	/* the steepest of the tone is 576: nothing was cut out */
	assert_true(d->step < 650);

	engine_detach(r->e);
	rig_free(r);
	(void)close(fd);
	free(d);
}


static void test_drift(void **state)
{
	static const double ppm[] = { 0.0, 200.0, -200.0, 1000.0, -1000.0 };
	(void)state;

	for (unsigned i = 0; i < COUNT(ppm); i++)
		drift(ppm[i]);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
