/**
 * @file test_local.c  Sounds of the phone itself, at the speaker or the ringer
 */
#include <math.h>
#include <string.h>
#include "rig.h"

enum { HZ = 48000 };

/* A device without a clock that keeps what it is given */
struct audio_dev {
	int16_t v[HZ * 4];
	size_t n;
	bool gone;
};

static struct audio_dev speaker, bell;


static size_t dev_read(struct audio_dev *dev, int16_t *v, size_t n)
{
	(void)dev;
	memset(v, 0, n * sizeof(*v));

	return n;
}


static size_t dev_write(struct audio_dev *dev, const int16_t *v, size_t n)
{
	if (dev->n + n > COUNT(dev->v))
		return 0;

	memcpy(dev->v + dev->n, v, n * sizeof(*v));
	dev->n += n;

	return n;
}


static size_t dev_fill(const struct audio_dev *dev)
{
	(void)dev;

	return 0;
}


static bool dev_alive(const struct audio_dev *dev)
{
	return !dev->gone;
}


static const struct audio_driver driver = {
	.name = "kept", .read = dev_read, .write = dev_write,
	.in_fill = dev_fill, .out_fill = dev_fill, .alive = dev_alive,
};

static const struct audio_info info = { .rate_hz = HZ, .has_out = true };


static struct rig *rig(void)
{
	struct rig *r = rig_new();

	memset(&speaker, 0, sizeof(speaker));
	memset(&bell, 0, sizeof(bell));
	assert_int_equal(engine_attach(r->e, &driver, &speaker, &info, -1),
			 0);

	return r;
}


/* seconds of a tone of that many Hz */
static void sound(struct rig *r, enum media_out out, double hz,
		  uint32_t rate_hz, unsigned ms, unsigned times)
{
	struct local *l = &r->e->local[out];

	local_clear(l);
	l->n = rate_hz / 1000 * ms;
	l->v = malloc(l->n * sizeof(*l->v));
	assert_non_null(l->v);
	sine(l->v, l->n, 0, hz, rate_hz, 8000.0);
	l->rate_hz = rate_hz;
	l->times = times;
	l->serial = 7;
	engine_retime(r->e);
}


static unsigned posts(const struct rig *r, int type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->post_count; i++)
		n += r->posts[i].type == type;

	return n;
}


/* Without a call, at other rates, again and again */
static void test_speaker(void **state)
{
	static const uint32_t rates[] = { 8000, 16000, 48000 };
	(void)state;

	for (unsigned i = 0; i < COUNT(rates); i++) {
		struct rig *r = rig();

		sound(r, MEDIA_SPEAKER, 500.0, rates[i], 100, 0);
		rig_run(r, 1100);
		assert_in_range(speaker.n, HZ, HZ * 11 / 10);
		assert_true(fabs(goertzel(speaker.v + HZ / 10, HZ / 2, 500.0,
					  HZ) + 12.2) < 1.0);
		assert_true(purity(speaker.v + HZ / 10, HZ / 2, 500.0, HZ) >
			    0.98);
		assert_int_equal(posts(r, POST_SOUND_DONE), 0);
		rig_free(r);
	}
}


static void test_times(void **state)
{
	struct rig *r = rig();
	(void)state;

	sound(r, MEDIA_RING, 500.0, 16000, 200, 2);
	rig_run(r, 1000);
	assert_int_equal(posts(r, POST_SOUND_DONE), 1);
	assert_null(r->e->local[MEDIA_RING].v);
	assert_true(goertzel(speaker.v + HZ / 10, HZ / 10, 500.0, HZ) > -14);
	for (size_t i = HZ / 2; i < speaker.n; i++)
		assert_int_equal(speaker.v[i], 0);
	rig_free(r);
}


/* It rings at its own device and not in the ear; when that one goes it is the
 * speaker's again */
static void test_ringer(void **state)
{
	struct rig *r = rig();
	(void)state;

	assert_int_equal(ringer_attach(r->e, &driver, &bell, &info), 0);
	sound(r, MEDIA_RING, 700.0, 16000, 100, 0);
	sound(r, MEDIA_SPEAKER, 400.0, 16000, 100, 0);
	rig_run(r, 1000);
	assert_true(goertzel(bell.v, HZ / 2, 700.0, HZ) > -14.0);
	assert_true(goertzel(bell.v, HZ / 2, 400.0, HZ) < -60.0);
	assert_true(goertzel(speaker.v + HZ / 10, HZ / 2, 400.0, HZ) > -14.0);
	assert_true(goertzel(speaker.v + HZ / 10, HZ / 2, 700.0, HZ) < -60.0);

	bell.gone = true;
	rig_run(r, 100);
	assert_int_equal(posts(r, POST_RINGER_LOST), 1);
	speaker.n = 0;
	rig_run(r, 1000);
	assert_true(goertzel(speaker.v + HZ / 10, HZ / 2, 700.0, HZ) > -14.0);
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_speaker),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ringer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
