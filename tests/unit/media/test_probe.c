/**
 * @file test_probe.c  A test of the device, in rooms of known size
 */
#include <math.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "probe.h"
#include "rig.h"

enum { HZ = 48000, BLOCK = HZ / 100 };

/* What is played comes back late and weaker, with noise */
struct audio_dev {
	int16_t way[2 * HZ];
	uint64_t said, heard;
	size_t delay;
	double gain, noise;
	uint32_t rnd;
	bool dead;
	uint64_t stale;          /* samples of before that are captured first */
};


static size_t dev_read(struct audio_dev *d, int16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint64_t at = d->heard++;
		double x = at < d->delay ? 0.0 : d->gain *
			d->way[(at - d->delay) % COUNT(d->way)];

		d->rnd = d->rnd * 1664525 + 1013904223;
		x += d->noise * ((d->rnd >> 8) / 8388608.0 - 1.0);
		x = at < d->stale ? 8000.0 * sin(0.1309 * (double)at) : x;
		x = fmax(-32768.0, fmin(32767.0, x));
		v[i] = d->dead ? 0 : (int16_t)lrint(x);
	}

	return n;
}


static size_t dev_write(struct audio_dev *d, const int16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		d->way[d->said++ % COUNT(d->way)] = v[i];

	return n;
}


static size_t dev_fill(const struct audio_dev *d)
{
	(void)d;

	return 0;
}


static bool dev_alive(const struct audio_dev *d)
{
	(void)d;

	return true;
}


static const struct audio_driver driver = {
	.name = "room", .clock = true, .read = dev_read, .write = dev_write,
	.in_fill = dev_fill, .out_fill = dev_fill, .alive = dev_alive,
};


static struct media_probe_result tried(struct audio_dev *d, bool mute,
				       unsigned ms)
{
	const struct media_probe_conf conf = {
		.hz = 1000.0, .dbfs = -20.0, .mute = mute
	};
	const struct audio_info info = {
		.rate_hz = HZ, .has_in = true, .has_out = true
	};
	struct rig *r = rig_new();
	const int fd = eventfd(0, EFD_NONBLOCK);
	struct media_probe_result res;
	struct media_probe_look l;
	struct probe p;

	probe_init(&p, &conf);
	r->e->probe = &p;
	assert_int_equal(engine_attach(r->e, &driver, d, &info, fd), 0);
	for (unsigned i = 0; i < ms / 10; i++)
		engine_cycle(r->e, true, 10, clock_us());

	memset(&l, 0, sizeof(l));
	probe_look(&p, &l);
	assert_in_range(l.ms, ms - 10, ms + 10);
	if (!mute && ms > 1000)
		assert_true(l.speaker_dbfs > -30.0);
	probe_look(&p, &l);
	assert_true(isnan(l.mic_dbfs));
	probe_result(&p, &res);

	r->e->probe = NULL;
	engine_detach(r->e);
	rig_free(r);
	(void)close(fd);

	return res;
}


static struct audio_dev room(size_t delay, double gain, double noise)
{
	return (struct audio_dev) {
		.delay = delay, .gain = gain, .noise = noise, .rnd = 1
	};
}


static void test_rooms(void **state)
{
	static const struct { unsigned ms; double db, noise; } rooms[] = {
		{ 10, 0.0, 1.0 }, { 63, -12.0, 30.0 }, { 250, -30.0, 30.0 },
		{ 600, -20.0, 3.0 },
	};
	(void)state;

	for (unsigned i = 0; i < COUNT(rooms); i++) {
		static struct audio_dev d;
		struct media_probe_result res;

		d = room(rooms[i].ms * (HZ / 1000),
			 pow(10.0, rooms[i].db / 20.0), rooms[i].noise);
		res = tried(&d, false, 3000);
		print_message("%u ms, %.0f dB: %.2f ms, %.2f dB, noise %.1f\n",
			      rooms[i].ms, rooms[i].db, res.loop_ms,
			      res.loop_db, res.noise_dbfs);
		/* the resampler of the speaker's clock is in it */
		assert_true(fabs(res.loop_ms - rooms[i].ms - 0.83) < 0.3);
		assert_true(fabs(res.loop_db - rooms[i].db) < 1.0);
		assert_true(res.alive);
		assert_int_equal(res.clipped, 0);
	}
}


/* A headset: nothing comes back, however long it is looked for */
static void test_headset(void **state)
{
	static struct audio_dev d;
	struct media_probe_result res;
	(void)state;

	d = room(0, 0.0, 100.0);
	res = tried(&d, false, 3000);
	assert_true(isnan(res.loop_ms) && isnan(res.loop_db));
	assert_true(res.alive && res.noise_dbfs > -60.0);

	/* the same with a loudspeaker, but nothing is to be played */
	d = room(1000, 1.0, 100.0);
	res = tried(&d, true, 3000);
	assert_true(isnan(res.loop_ms) && isnan(res.loop_db));
}


static void test_faults(void **state)
{
	static struct audio_dev d;
	struct media_probe_result res;
	(void)state;

	d = room(0, 0.0, 0.0);
	d.dead = true;
	res = tried(&d, false, 3000);
	assert_false(res.alive);

	/* too loud */
	d = room(480, 20.0, 0.0);
	res = tried(&d, false, 3000);
	assert_true(res.clipped > 1000);

	/* what the sound server still held is not the room */
	d = room(480, 1.0, 1.0);
	d.stale = HZ / 5;
	res = tried(&d, false, 3000);
	assert_true(res.noise_dbfs < -80.0);
	assert_true(fabs(res.loop_db) < 1.0);

	/* ended too early: what was not measured is not known */
	d = room(480, 1.0, 0.0);
	res = tried(&d, false, 300);
	assert_true(isnan(res.loop_ms) && isnan(res.tone_dbfs));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rooms),
		cmocka_unit_test(test_headset),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
