/**
 * @file test_dsp.c  Echo, noise and level, in a room that is made up
 *
 * Far and near end are noise with the rhythm and the colour of speech; the
 * room is a delay and a tail that dies away within a quarter of a second.
 */
#include <math.h>
#include <string.h>
#include "cancel.h"
#include "rig.h"
#include "voice.h"

enum { HZ = VOICE_HZ, FRAME = 160, SECONDS = 20, N = HZ * SECONDS,
	ROOM = HZ / 4, TAPS = 200, DEVICE = HZ * 80 / 1000 };

static int16_t far[N], near[N], mic[N], out[N];
static struct {
	size_t at;
	double gain;
} room[TAPS];


static void room_make(uint32_t s, double gain)
{
	double sum = 0.0;

	voice_seed(s);
	for (size_t i = 0; i < TAPS; i++) {
		room[i].at = (size_t)((ROOM - 1) * fabs(voice_random()));
		room[i].gain = voice_random() *
			pow(10.0, -3.0 * (double)room[i].at / ROOM);
		sum += room[i].gain * room[i].gain;
	}
	for (size_t i = 0; i < TAPS; i++)
		room[i].gain *= gain / sqrt(sum);
}


/* What the microphone gets: far through buffers and room, near, noise */
static void room_run(double near_gain, double noise)
{
	voice_seed(99);
	for (size_t i = 0; i < N; i++) {
		double x = near_gain * near[i] + noise * voice_random();

		for (size_t k = 0; k < TAPS; k++) {
			if (i >= DEVICE + room[k].at)
				x += room[k].gain *
					far[i - DEVICE - room[k].at];
		}
		mic[i] = (int16_t)lrint(x > 32767 ? 32767 : x < -32768 ?
					-32768 : x);
	}
}


static double db(const int16_t *v, size_t from, size_t to)
{
	double sum = 1.0;

	for (size_t i = from; i < to; i++)
		sum += (double)v[i] * v[i];

	return 10.0 * log10(sum / (double)(to - from));
}


static void hush(int16_t *v, size_t from, size_t to)
{
	while (from < to)
		v[from++] = 0;
}


static struct dsp *dsp(const struct media_room *conf)
{
	struct dsp *d = NULL;

	assert_int_equal(dsp_alloc(&d, HZ, conf), 0);

	return d;
}


static void frames(struct dsp *d, size_t from, size_t to)
{
	for (size_t i = from; i + FRAME <= to; i += FRAME) {
		memcpy(out + i, mic + i, FRAME * sizeof(*out));
		/* what is captured now left the mixer DEVICE samples ago */
		dsp_played(d, far + i, FRAME);
		dsp_captured(d, out + i, FRAME, DEVICE);
	}
}


static void test_echo(void **state)
{
	const struct media_room conf = { .echo = true };
	struct media_room_figures f;
	struct dsp *d = dsp(&conf);
	double erle;
	(void)state;

	voice_speak(far, N, 1);
	memset(near, 0, sizeof(near));
	room_make(7, 0.5);
	room_run(0.0, 8.0);

	/* heard as it is while it learns nothing yet, gone when it has */
	frames(d, 0, N);
	erle = db(mic, 10 * HZ, N) - db(out, 10 * HZ, N);
	print_message("echo return loss enhancement %.1f dB (first 4 s %.1f)"
		      "\n", erle, db(mic, 0, 4 * HZ) - db(out, 0, 4 * HZ));
	assert_true(erle > 20.0);

	dsp_figures(d, &f);
	assert_true(f.running && f.erle_db > 15.0);
	assert_int_equal(f.delay_ms, 80);
	assert_int_equal(f.slips, 0);
	mem_deref(d);
}


static void test_double_talk(void **state)
{
	const struct media_room conf = { .echo = true };
	struct dsp *d = dsp(&conf);
	double kept, after;
	(void)state;

	/* somebody talks here from 10 to 15 s, while they do */
	voice_speak(far, N, 1);
	voice_speak(near, N, 2);
	hush(near, 0, 10 * HZ);
	hush(near, 15 * HZ, N);
	room_make(7, 0.5);
	room_run(1.0, 8.0);
	frames(d, 0, N);

	kept = db(out, 10 * HZ, 15 * HZ) - db(near, 10 * HZ, 15 * HZ);
	after = db(mic, 16 * HZ, N) - db(out, 16 * HZ, N);
	print_message("near speech %.1f dB in double talk, then %.1f dB of "
		      "echo taken away\n", kept, after);
	assert_true(kept > -4.0 && kept < 2.0);
	assert_true(after > 15.0);
	mem_deref(d);
}


/* The buffers of the device have changed: it finds the echo again */
static void test_delay_changes(void **state)
{
	const struct media_room conf = { .echo = true };
	struct media_room_figures f;
	struct dsp *d = dsp(&conf);
	(void)state;

	voice_speak(far, N, 1);
	memset(near, 0, sizeof(near));
	room_make(7, 0.5);
	room_run(0.0, 8.0);
	frames(d, 0, 5 * HZ);

	/* a moment's hiccup is not followed, a new delay is */
	for (size_t i = 5 * HZ; i < 8 * HZ; i += FRAME) {
		memcpy(out + i, mic + i, FRAME * sizeof(*out));
		dsp_played(d, far + i, FRAME);
		dsp_captured(d, out + i, FRAME, i < 5 * HZ + 10 * FRAME ?
			     DEVICE + HZ / 10 : DEVICE);
	}
	dsp_figures(d, &f);
	assert_int_equal(f.slips, 0);
	for (size_t i = 8 * HZ; i < 9 * HZ; i += FRAME) {
		memcpy(out + i, mic + i - HZ / 10, FRAME * sizeof(*out));
		dsp_played(d, far + i, FRAME);
		dsp_captured(d, out + i, FRAME, DEVICE + HZ / 10);
	}
	dsp_figures(d, &f);
	assert_int_equal(f.slips, 1);
	mem_deref(d);
}


static void test_noise(void **state)
{
	const struct media_room on = { .noise = true }, off = { .agc = false };
	struct media_room_figures f;
	struct dsp *d = dsp(&on);
	double less, kept, noise;
	(void)state;

	memset(far, 0, sizeof(far));
	voice_speak(near, N, 3);
	hush(near, 0, 5 * HZ);
	room_make(7, 0.0001);
	room_run(1.0, 300.0);
	frames(d, 0, N);

	less = db(mic, 2 * HZ, 5 * HZ) - db(out, 2 * HZ, 5 * HZ);
	kept = db(out, 8 * HZ, N) - db(near, 8 * HZ, N);
	print_message("noise %.1f dB less, speech %.1f dB\n", less, kept);
	assert_true(less > 9.0);
	assert_true(kept > -3.0 && kept < 2.0);

	/* what is told of it is what it is, though somebody has spoken since */
	dsp_figures(d, &f);
	noise = db(mic, 2 * HZ, 5 * HZ) - 20.0 * log10(32768.0);
	print_message("noise of %.1f dBFS told as %.1f, %.1f dB less\n", noise,
		      f.noise_dbfs, f.noise_less_db);
	assert_true(fabs(f.noise_dbfs - noise) < 3.0);
	assert_true(fabs(f.noise_less_db - less) < 4.0);

	/* switched off in the middle it is as it was */
	dsp_configure(d, &off);
	frames(d, 2 * HZ, 5 * HZ);
	assert_memory_equal(out + 3 * HZ, mic + 3 * HZ, HZ * sizeof(*out));
	dsp_figures(d, &f);
	assert_true(fabs(f.noise_dbfs - noise) < 3.0);
	assert_true(isnan(f.noise_less_db));
	mem_deref(d);
}


static void test_gain(void **state)
{
	const struct media_room conf = { .agc = true };
	struct dsp *d = dsp(&conf);
	int most = 0;
	double up;
	(void)state;

	memset(far, 0, sizeof(far));
	voice_speak(near, N, 4);
	for (size_t i = 0; i < 14 * HZ; i++)
		near[i] = (int16_t)(near[i] / 4);
	room_make(7, 0.0001);
	room_run(1.0, 4.0);

	/* quiet speech comes up; loud speech behind it stays below the limit */
	for (size_t i = 15 * HZ; i < N; i++)
		mic[i] = (int16_t)(mic[i] > 8000 ? 32000 : mic[i] * 4);
	frames(d, 0, N);
	up = db(out, 9 * HZ, 14 * HZ) - db(mic, 9 * HZ, 14 * HZ);
	for (size_t i = 15 * HZ; i < N; i++) {
		if (abs(out[i]) > most)
			most = abs(out[i]);
	}
	print_message("quiet speech %.1f dB louder, peak %d\n", up, most);
	assert_true(up > 4.0 && up < 19.0);
	assert_true(most <= 29100);
	mem_deref(d);
}


static void test_high_pass(void **state)
{
	const struct media_room conf = { .high_pass = true };
	struct dsp *d = dsp(&conf);
	(void)state;

	memset(far, 0, sizeof(far));
	sine(mic, HZ, 0, 25.0, HZ, 8000.0);
	frames(d, 0, HZ);
	assert_true(db(out, HZ / 2, HZ) - db(mic, HZ / 2, HZ) < -20.0);
	sine(mic, HZ, 0, 300.0, HZ, 8000.0);
	frames(d, 0, HZ);
	assert_true(fabs(db(out, HZ / 2, HZ) - db(mic, HZ / 2, HZ)) < 0.2);
	mem_deref(d);
}


/* A loudspeaker that rattles: what comes back is cut at a fifth of its peak,
 * and a gain that wanders comes on top */
static void overdriven(void)
{
	static int16_t keep[N];

	memcpy(keep, far, sizeof(keep));
	for (size_t i = 0; i < N; i++) {
		const double x = far[i] * 8.0 *
			(1.0 + 0.4 * sin(2.0 * M_PI * 1.3 * (double)i / HZ));

		far[i] = (int16_t)(x > 2500 ? 2500 : x < -2500 ? -2500 : x);
	}
	room_run(1.0, 8.0);
	memcpy(far, keep, sizeof(far));
}


static double echo_left(const struct media_room *conf, bool *limited)
{
	struct media_room_figures f;
	struct dsp *d = dsp(conf);

	frames(d, 0, N);
	dsp_figures(d, &f);
	*limited = f.limited;
	mem_deref(d);

	return db(mic, 12 * HZ, N) - db(out, 12 * HZ, N);
}


/* Where the canceller cannot cope, or is off, nobody hears himself */
static void test_limiter(void **state)
{
	struct media_room conf = { .echo = true };
	double plain, with, off;
	bool limited;
	(void)state;

	voice_speak(far, N, 1);
	memset(near, 0, sizeof(near));
	room_make(7, 0.9);
	overdriven();
	plain = echo_left(&conf, &limited);
	assert_false(limited);
	conf.limiter = MEDIA_LIMIT_AUTO;
	with = echo_left(&conf, &limited);
	assert_true(limited);
	conf.echo = false;
	off = echo_left(&conf, &limited);
	assert_true(limited);
	print_message("overdriven: the canceller alone %.1f dB, with the "
		      "limiter %.1f, the limiter alone %.1f\n", plain, with,
		      off);
	assert_true(with > plain + 6.0 && off > 9.0);

	/* a room that is none too bad, and no canceller at all */
	room_run(0.0, 8.0);
	off = echo_left(&conf, &limited);
	print_message("the limiter alone %.1f dB\n", off);
	assert_true(limited && off > 14.0);

	/* what the canceller does alone is left to it */
	conf.echo = true;
	(void)echo_left(&conf, &limited);
	assert_false(limited);
}


/* A headset, or turns taken: nothing is turned down */
static void test_limiter_not(void **state)
{
	struct media_room conf = { .limiter = MEDIA_LIMIT_AUTO };
	bool limited;
	(void)state;

	/* both talk whenever they like, and no echo is there */
	voice_speak(far, N, 1);
	voice_speak(near, N, 2);
	room_make(7, 0.0001);
	room_run(1.0, 8.0);
	assert_true(fabs(echo_left(&conf, &limited)) < 0.3);
	assert_false(limited);

	/* a tone on each side, from the same moment on */
	sine(far, N, 0, 1000.0, HZ, 8000.0);
	sine(near, N, 0, 440.0, HZ, 8000.0);
	hush(far, 0, HZ);
	hush(near, 0, HZ);
	room_run(1.0, 8.0);
	assert_true(fabs(echo_left(&conf, &limited)) < 0.3);
	assert_false(limited);

	/* one after the other, two seconds each */
	voice_speak(far, N, 1);
	voice_speak(near, N, 2);
	for (size_t i = 0; i < N; i += 4 * HZ) {
		hush(far, i, i + 2 * HZ);
		hush(near, i + 2 * HZ, i + 4 * HZ);
	}
	room_run(1.0, 8.0);
	assert_true(fabs(echo_left(&conf, &limited)) < 0.3);
	assert_false(limited);

	/* on, whether there is an echo or not: who is louder is heard */
	conf.limiter = MEDIA_LIMIT_ON;
	voice_speak(far, N, 1);
	voice_speak(near, N, 2);
	hush(near, 0, 10 * HZ);
	room_make(7, 0.15);
	room_run(1.0, 8.0);
	{
		struct dsp *d = dsp(&conf);
		double kept;

		frames(d, 0, N);
		kept = db(out, 10 * HZ, N) - db(mic, 10 * HZ, N);
		print_message("in double talk %.1f dB, before %.1f\n", kept,
			      db(out, 5 * HZ, 9 * HZ) -
			      db(mic, 5 * HZ, 9 * HZ));
		assert_true(kept > -4.0);
		assert_true(db(mic, 5 * HZ, 9 * HZ) -
			    db(out, 5 * HZ, 9 * HZ) > 15.0);
		mem_deref(d);
	}
}


/* A canceller of somebody else: it need not be speexdsp's. This one knows how
 * the microphone was made up, and counts what it is asked for */
static struct {
	unsigned starts, stops, blocks;
	size_t frame;
	int16_t far;
} slot;


static void *slot_start(uint32_t rate_hz, size_t frame)
{
	assert_int_equal(rate_hz, HZ);
	slot.frame = frame;
	++slot.starts;

	return &slot;
}


static void slot_stop(void *state)
{
	assert_ptr_equal(state, &slot);
	++slot.stops;
}


static void slot_run(void *state, const int16_t *m, const int16_t *f,
		     int16_t *o)
{
	assert_ptr_equal(state, &slot);
	for (size_t i = 0; i < slot.frame; i++) {
		o[i] = (int16_t)(m[i] / 8);
		slot.far = f[i] ? f[i] : slot.far;
	}
	++slot.blocks;
}


static void test_another_canceller(void **state)
{
	static const struct canceller other = {
		.name = "other", .start = slot_start, .stop = slot_stop,
		.run = slot_run,
	};
	struct media_room conf = { .echo = true };
	struct media_room_figures f;
	struct dsp *d = dsp(&conf);
	(void)state;

	voice_speak(far, N, 1);
	memset(near, 0, sizeof(near));
	room_make(7, 0.5);
	room_run(0.0, 8.0);

	dsp_configure_with(d, &conf, &other);
	assert_int_equal(slot.starts, 1);
	frames(d, 0, 2 * HZ);
	assert_int_equal(slot.blocks, 200);
	assert_int_equal(slot.frame, FRAME);
	assert_true(slot.far != 0);
	dsp_figures(d, &f);
	print_message("another canceller: %.1f dB\n", f.erle_db);
	assert_true(f.erle_db > 10.0);

	/* the same once more goes on; off, and another, ends it */
	dsp_configure_with(d, &conf, &other);
	assert_int_equal(slot.starts, 1);
	dsp_configure(d, &conf);
	assert_int_equal(slot.stops, 1);
	frames(d, 2 * HZ, 3 * HZ);
	assert_int_equal(slot.blocks, 200);
	dsp_configure_with(d, &conf, &other);
	conf.echo = false;
	dsp_configure_with(d, &conf, &other);
	assert_int_equal(slot.starts, 2);
	assert_int_equal(slot.stops, 2);

	/* and what still runs ends with the room */
	conf.echo = true;
	dsp_configure_with(d, &conf, &other);
	mem_deref(d);
	assert_int_equal(slot.stops, 3);
}


static void test_no_canceller(void **state)
{
	struct media_room conf = { .echo = true };
	struct media_room_figures f;
	struct dsp *d;
	(void)state;

	for (unsigned i = 0; i < MEDIA_CANCELLERS; i++) {
		assert_non_null(canceller(i)->name);
		assert_non_null(canceller(i)->summary);
	}
	assert_string_equal(canceller(MEDIA_CANCELLERS)->name, "speex");
	conf.canceller = MEDIA_CANCEL_NONE;
	d = dsp(&conf);
	voice_speak(far, N, 1);
	room_make(7, 0.5);
	room_run(0.0, 8.0);
	frames(d, 0, HZ);
	assert_memory_equal(out, mic, HZ * sizeof(*out));
	dsp_figures(d, &f);
	assert_true(isnan(f.erle_db));
	mem_deref(d);
}


/* A block of another length, a rate without 10 ms: nothing happens */
static void test_odd(void **state)
{
	const struct media_room conf = { .echo = true, .high_pass = true };
	struct dsp *d = NULL;
	(void)state;

	assert_int_equal(dsp_alloc(&d, 11025, &conf), EINVAL);
	assert_int_equal(dsp_alloc(&d, 96000, &conf), EINVAL);
	d = dsp(&conf);
	sine(mic, HZ, 0, 300.0, HZ, 8000.0);
	memcpy(out, mic, sizeof(out));
	dsp_captured(d, out, FRAME - 1, 100000000);
	assert_memory_equal(out, mic, FRAME * sizeof(*out));
	dsp_captured(d, out, FRAME, 100000000);
	mem_deref(d);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_double_talk),
		cmocka_unit_test(test_delay_changes),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_gain),
		cmocka_unit_test(test_high_pass),
		cmocka_unit_test(test_limiter),
		cmocka_unit_test(test_limiter_not),
		cmocka_unit_test(test_another_canceller),
		cmocka_unit_test(test_no_canceller),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
