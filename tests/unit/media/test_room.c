/**
 * @file test_room.c  Conferences, gain and meters, by hand
 */
#include <math.h>
#include <string.h>
#include "rig.h"


static int16_t v[48000 * 4], w[48000 * 4];


/*
 * Flows 0, 2, 4 are ours; 1, 3, 5 are their peers, each with a tone of its
 * own: what peer 1 sends comes to flow 0, and so on.
 */
static struct rig *three(const char *const codecs[3])
{
	static const double hz[3] = { 400.0, 700.0, 1100.0 };
	struct rig *r = rig_new();

	for (unsigned i = 0; i < 3; i++) {
		struct media_plan a = rig_plan(codecs[i], 2 * i + 1);
		struct media_plan b = rig_plan(codecs[i], 2 * i);

		(void)rig_flow(r, 2 * i + 1);
		(void)rig_flow(r, 2 * i);
		rig_start(r, 2 * i, &a);
		rig_start(r, 2 * i + 1, &b);
		flow_set_source(r->ends[2 * i + 1].f, SOURCE_TONE, hz[i]);
	}

	return r;
}


static void join(struct rig *r, unsigned no, unsigned room)
{
	assert_int_equal(room_join(r->ends[no].f, room), 0);
}


/* What peer no hears of the three tones, dB */
static void hears(struct rig *r, unsigned no, double db[3])
{
	static const double hz[3] = { 400.0, 700.0, 1100.0 };
	const uint32_t rate = r->ends[no].f->rate_hz;
	size_t n;

	rig_run(r, 400);
	if (!r->ends[no].f->tap)
		rig_listen(r, no, 8);
	(void)rig_heard(r, no, v, NULL, COUNT(v));
	rig_run(r, 1000);
	n = rig_heard(r, no, v, NULL, COUNT(v));
	assert_true(n > rate / 2);

	for (unsigned i = 0; i < 3; i++)
		db[i] = goertzel(v, n, hz[i], rate);
}


static bool is(double db, double want)
{
	return fabs(db - want) < 1.5;
}


/* Each hears all others, and never itself */
static void test_three(void **state)
{
	static const char *const codecs[][3] = {
		{ "pcmu", "pcma", "pcmu" },
		{ "pcmu", "l16", "opus" },
		{ "opus", "opus", "opus" },
	};
	(void)state;

	for (unsigned k = 0; k < COUNT(codecs); k++) {
		struct rig *r = three(codecs[k]);

		for (unsigned i = 0; i < 3; i++)
			join(r, 2 * i, 1);

		for (unsigned i = 0; i < 3; i++) {
			double db[3];

			hears(r, 2 * i + 1, db);
			for (unsigned j = 0; j < 3; j++) {
				if (i == j)
					assert_true(db[j] < -45.0);
				else
					assert_true(is(db[j], -10.0));
			}
		}
		rig_free(r);
	}
}


static void test_apart(void **state)
{
	static const char *const codecs[3] = { "pcmu", "opus", "pcmu" };
	struct rig *r = three(codecs);
	double db[3];
	(void)state;

	/* two conferences do not hear each other */
	join(r, 0, 1);
	join(r, 2, 1);
	join(r, 4, 2);
	hears(r, 1, db);
	assert_true(db[0] < -45.0 && is(db[1], -10.0) && db[2] < -45.0);
	hears(r, 5, db);
	assert_true(db[0] < -45.0 && db[1] < -45.0 && db[2] < -45.0);

	/* from one into the other */
	join(r, 0, 2);
	hears(r, 5, db);
	assert_true(is(db[0], -10.0) && db[1] < -45.0);
	hears(r, 3, db);
	assert_true(db[0] < -45.0 && db[2] < -45.0);
	assert_int_equal(list_count(&r->e->rooms), 2);

	/* out; the last one takes the room with it */
	join(r, 0, 0);
	join(r, 2, 0);
	hears(r, 5, db);
	assert_true(db[0] < -45.0 && db[1] < -45.0);
	assert_int_equal(list_count(&r->e->rooms), 1);
	join(r, 4, 0);
	assert_true(list_isempty(&r->e->rooms));
	rig_free(r);
}


static void test_gain(void **state)
{
	static const char *const codecs[3] = { "l16", "l16", "l16" };
	struct rig *r = three(codecs);
	double db[3];
	(void)state;

	for (unsigned i = 0; i < 3; i++)
		join(r, 2 * i, 1);

	room_gain(r->ends[0].f, -20.0);
	room_gain(r->ends[2].f, -INFINITY);
	hears(r, 5, db);
	assert_true(is(db[0], -30.0) && db[1] < -60.0 && db[2] < -60.0);
	/* their own ears are not concerned */
	hears(r, 3, db);
	assert_true(is(db[0], -30.0) && is(db[2], -10.0));

	/* our mute is ours alone: the others are still heard */
	r->ends[4].f->muted = true;
	room_gain(r->ends[0].f, 0.0);
	hears(r, 5, db);
	assert_true(is(db[0], -10.0));

	/* who is on hold neither hears nor is heard */
	r->ends[0].f->plan.dir = MEDIA_INACTIVE;
	hears(r, 5, db);
	assert_true(db[0] < -60.0);
	hears(r, 1, db);
	assert_true(db[1] < -60.0 && db[2] < -60.0);
	rig_free(r);
}


/* A sum that is too loud is cut: no wrap from the top to the bottom */
static void test_no_wrap(void **state)
{
	static const char *const codecs[3] = { "l16", "l16", "l16" };
	struct rig *r = three(codecs);
	int most = 0, step = 0;
	size_t n;
	(void)state;

	for (unsigned i = 0; i < 3; i++)
		join(r, 2 * i, 1);
	room_gain(r->ends[0].f, 20.0);
	room_gain(r->ends[2].f, 20.0);
	rig_run(r, 500);
	rig_listen(r, 5, 2);
	rig_run(r, 1000);

	n = rig_heard(r, 5, v, NULL, COUNT(v));
	for (size_t i = 1; i < n; i++) {
		const int d = abs(v[i] - v[i - 1]);

		if (abs(v[i]) > most)
			most = abs(v[i]);
		if (d > step)
			step = d;
	}
	assert_true(most >= 32767);
	/* two tones of 10 x their amplitude; a wrap would step by 65535 */
	assert_true(step < 64000);
	rig_free(r);
}


static void test_mixer(void **state)
{
	int32_t sum[3] = { 70000, -70000, 1000 };
	int16_t part[3] = { 30000, -30000, 400 };
	const int16_t loud[2] = { 32767, -32768 };
	int16_t out[3], a[2] = { 32767, -32768 };
	struct gain g;
	(void)state;

	mixer_others(out, sum, part, 3);
	assert_int_equal(out[0], 32767);
	assert_int_equal(out[1], -32768);
	assert_int_equal(out[2], 600);

	mixer_add(a, loud, 2);
	assert_int_equal(a[0], 32767);
	assert_int_equal(a[1], -32768);

	gain_init(&g);
	gain_set(&g, 99.0);              /* as much as there is: 30 dB */
	gain_copy(&g, a, loud, 2);
	assert_int_equal(a[0], 32767);
	assert_int_equal(a[1], -32768);
	a[0] = 100;
	gain_run(&g, a, 1);
	assert_int_equal(a[0], 3162);
	gain_set(&g, -61.0);
	gain_run(&g, a, 2);
	a[0] = 1000;
	gain_run(&g, a, 1);
	assert_int_equal(a[0], 0);
}


/* No step when it changes: the loudest difference is that of the tone */
static void test_gain_is_smooth(void **state)
{
	struct gain g;
	int step = 0;
	(void)state;

	sine(v, 4800, 0, 100.0, 48000, 8000.0);
	gain_init(&g);
	for (unsigned i = 0; i < 10; i++) {
		if (i == 5)
			gain_set(&g, 6.0);
		gain_copy(&g, w + 480 * i, v + 480 * i, 480);
	}
	for (size_t i = 1; i < 4800; i++) {
		if (abs(w[i] - w[i - 1]) > step)
			step = abs(w[i] - w[i - 1]);
	}
	assert_true(step < 2 * 105 + 40);
	assert_true(fabs(goertzel(w + 2880, 1920, 100.0, 48000) -
			 goertzel(v, 1920, 100.0, 48000) - 6.0) < 0.2);
}


static void test_meter(void **state)
{
	struct meter m = { 0 };
	double rms, peak;
	uint32_t clipped;
	(void)state;

	sine(v, 8000, 0, 1000.0, 8000, 32767.0 / 2.0);
	meter_add(&m, v, 8000, 8000);    /* nobody looks */
	assert_int_equal(m.n, 0);
	assert_false(meter_read(&m, &rms, &peak, &clipped));

	meter_add(&m, v, 8000, 8000);
	assert_true(meter_read(&m, &rms, &peak, &clipped));
	assert_true(fabs(rms + 9.03) < 0.1);
	assert_true(fabs(peak + 6.02) < 0.1);
	assert_int_equal(clipped, 0);

	v[5] = 32767;
	v[6] = -32768;
	meter_add(&m, v, 8000, 8000);
	assert_true(meter_read(&m, &rms, &peak, &clipped));
	assert_int_equal(clipped, 2);
	assert_true(fabs(peak) < 0.01);

	/* nobody looks any more */
	for (unsigned i = 0; i < 5; i++)
		meter_add(&m, v, 8000, 8000);
	assert_false(m.on);
	assert_false(meter_read(&m, &rms, &peak, &clipped));
}


/* Who is recorded hears so, once in a while; a pause leaves out sound, and
 * the beep */
static void test_beep(void **state)
{
	struct rig *r = rig_call("pcmu");
	size_t n, on = 0;
	(void)state;

	rig_run(r, 200);
	rig_listen(r, 0, 4);     /* that is what a recording is */
	rig_listen(r, 1, 4);
	r->ends[0].f->beep.every_ms = 1000;
	rig_run(r, 3000);
	n = rig_heard(r, 1, v, NULL, COUNT(v));
	for (size_t i = 0; i + 160 <= n; i += 160)
		on += goertzel(v + i, 160, 1400.0, 8000) > -34.0;
	/* three of 160 ms, in windows of 20 */
	assert_in_range(on, 22, 30);

	(void)rig_heard(r, 0, v, NULL, COUNT(v));
	r->ends[0].tap.paused = true;
	rig_run(r, 1500);
	assert_int_equal(rig_heard(r, 0, v, NULL, COUNT(v)), 0);
	r->ends[0].tap.paused = false;
	rig_run(r, 500);
	assert_in_range(rig_heard(r, 0, v, NULL, COUNT(v)), 3800, 4200);
	rig_free(r);
}


/* A file with what is said, not in place of it */
static void test_mix(void **state)
{
	struct rig *r = rig_call("l16");
	const uint32_t hz = r->ends[0].f->rate_hz;
	struct play p = { .n = hz, .loop = true };
	size_t n;
	(void)state;

	flow_set_source(r->ends[0].f, SOURCE_TONE, 400.0);
	for (unsigned mix = 0; mix < 2; mix++) {
		p.v = malloc(p.n * sizeof(*p.v));
		assert_non_null(p.v);
		sine(p.v, p.n, 0, 900.0, hz, 8000.0);
		p.mix = mix;
		p.serial = mix + 1;
		flow_play(r->ends[0].f, &p);
		rig_run(r, 400);
		if (!mix)
			rig_listen(r, 1, 6);
		(void)rig_heard(r, 1, v, NULL, COUNT(v));
		rig_run(r, 1000);
		n = rig_heard(r, 1, v, NULL, COUNT(v));
		assert_true(is(goertzel(v, n, 900.0, hz), -12.2));
		if (mix)
			assert_true(is(goertzel(v, n, 400.0, hz), -10.0));
		else
			assert_true(goertzel(v, n, 400.0, hz) < -60.0);
	}
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_gain),
		cmocka_unit_test(test_no_wrap),
		cmocka_unit_test(test_mixer),
		cmocka_unit_test(test_gain_is_smooth),
		cmocka_unit_test(test_meter),
		cmocka_unit_test(test_beep),
		cmocka_unit_test(test_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
