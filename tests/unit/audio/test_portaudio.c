/**
 * @file test_portaudio.c  Choosing, opening, losing a sound card
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/clock.h>
#include "fake_pa.h"
#include "priv.h"


static const struct audio_driver *const d = &audio_portaudio;
static struct audio_dev *dev;
static struct audio_info info;
static char err[256];


static int set_up(void **state)
{
	(void)state;
	fake_pa_reset();
	dev = NULL;

	return 0;
}


/* whatever happened, all that was taken has been given back */
static int tear_down(void **state)
{
	(void)state;
	if (dev)
		d->close(dev);
	dev = NULL;
	d->rest();

	return fake_pa.initialised || fake_pa.opened != fake_pa.closed;
}


static int open_named(const char *in, const char *out, uint32_t rate_hz)
{
	struct audio_param prm = { .rate_hz = rate_hz, .wake_fd = -1 };

	(void)snprintf(prm.in, sizeof(prm.in), "%s", in);
	(void)snprintf(prm.out, sizeof(prm.out), "%s", out);
	err[0] = '\0';

	return d->open(&dev, &info, &prm, err, sizeof(err));
}


static void two_cards(void)
{
	fake_pa_add("HDA Intel PCH: ALC257 Analog (hw:0,0)", 2, 2, 0);
	fake_pa_add("Headset USB: Audio (hw:1,0)", 1, 2, 0);
	fake_pa_add("HDMI 0", 0, 8, 0);
	fake_pa_add("Headset", 1, 2, 0);
	fake_pa.def_in = fake_pa.def_out = 0;
}


static void test_defaults(void **state)
{
	(void)state;
	two_cards();
	assert_int_equal(0, open_named("", "", 48000));

	assert_int_equal(0, fake_pa_stream(true)->device);
	assert_int_equal(0, fake_pa_stream(false)->device);
	assert_int_equal(480, fake_pa_stream(true)->frames);
	assert_true(fake_pa_stream(true)->latency > 0.039);
	assert_int_equal(48000, info.rate_hz);
	assert_true(info.has_in);
	assert_true(info.has_out);
	assert_int_equal(41, info.in_latency_ms);
	assert_int_equal(63, info.out_latency_ms);
	assert_string_equal("HDA Intel PCH: ALC257 Analog (hw:0,0)",
			    info.in_name);
	assert_true(d->alive(dev));
	assert_true(d->clock);
	assert_true(d->blocks);
}


static void by_name(const char *in, const char *out, int in_dev, int out_dev)
{
	assert_int_equal(0, open_named(in, out, 16000));
	assert_int_equal(in_dev, fake_pa_stream(true)->device);
	assert_int_equal(out_dev, fake_pa_stream(false)->device);
	assert_int_equal(160, fake_pa_stream(false)->frames);
	d->close(dev);
	dev = NULL;
}


static void test_names(void **state)
{
	(void)state;
	two_cards();
	by_name("usb", "USB", 1, 1);
	by_name("headset", "headset", 3, 3);     /* the whole name first */
	by_name("alc257", "hdmi", 0, 2);
	by_name("hdmi", "hdmi", 0, 2);           /* it has no microphone */

	assert_int_equal(ENODEV, open_named("nosuch\n", "", 48000));
	assert_string_equal("no sound device is called 'nosuch?'; 'devices' "
			    "lists those there are", err);
	assert_int_equal(ENODEV, open_named("", "nosuch", 48000));
	assert_null(dev);
}


static void test_no_device(void **state)
{
	(void)state;
	assert_int_equal(ENODEV, open_named("", "", 48000));
	assert_string_equal("no sound device (ALSA, OSS: none)", err);
	assert_int_equal(ENODEV, open_named("usb", "usb", 48000));
	assert_string_equal("no sound device (ALSA, OSS: none)", err);

	fake_pa.init_err = paInternalError;
	assert_int_equal(ENODEV, open_named("", "", 48000));
	assert_non_null(strstr(err, "PortAudio does not start"));
	assert_int_equal(EINVAL, open_named("", "", 1000));
	assert_null(dev);
}


static void test_rates(void **state)
{
	(void)state;

	/* what is wanted cannot be had: the device's own */
	fake_pa_add("jack", 1, 1, 44100);
	fake_pa.def_in = fake_pa.def_out = 0;
	assert_int_equal(0, open_named("", "", 48000));
	assert_int_equal(44100, info.rate_hz);
	assert_int_equal(441, fake_pa_stream(true)->frames);
	d->close(dev);
	dev = NULL;

	/* one of them takes any rate, the other only its own: both alike */
	fake_pa_add("any", 1, 1, 0);
	fake_pa.def_in = 1;
	assert_int_equal(0, open_named("", "", 16000));
	assert_int_equal(44100, info.rate_hz);
	assert_int_equal(44100, fake_pa_stream(true)->rate);
	assert_int_equal(44100, fake_pa_stream(false)->rate);
	d->close(dev);
	dev = NULL;

	/* no rate in common */
	fake_pa_add("odd", 1, 0, 16000);
	fake_pa.def_in = 2;
	assert_int_equal(EIO, open_named("", "", 48000));
	assert_non_null(strstr(err, "cannot open the sound device"));
	assert_null(dev);
}


static void test_one_way(void **state)
{
	int16_t v[480], got[480];
	(void)state;

	/* somebody else has the microphone: better half than nothing */
	two_cards();
	fake_pa.devices[1].open_err = paDeviceUnavailable;
	assert_int_equal(0, open_named("usb", "hdmi", 48000));
	assert_false(info.has_in);
	assert_true(info.has_out);
	assert_string_equal("none", info.in_name);

	/* playback is the clock and captures silence */
	memset(v, 1, sizeof(v));
	fake_pa_run(false, NULL, v, 480);
	assert_int_equal(480, d->in_fill(dev));
	assert_int_equal(480, d->read(dev, got, 480));
	assert_int_equal(0, got[0]);
	d->close(dev);
	dev = NULL;

	/* only a microphone: what is to be played is dropped */
	assert_int_equal(0, open_named("headset", "usb", 48000));
	assert_true(info.has_in);
	assert_false(info.has_out);
	assert_int_equal(480, d->write(dev, v, 480));
	assert_int_equal(0, d->out_fill(dev));
	d->close(dev);
	dev = NULL;

	/* neither */
	assert_int_equal(EIO, open_named("usb", "usb", 48000));
	assert_string_equal("cannot open the sound device 'Headset USB: "
			    "Audio (hw:1,0)' to record: Device unavailable",
			    err);

	/* opens but does not start */
	fake_pa.devices[2].start_err = paUnanticipatedHostError;
	assert_int_equal(EIO, open_named("headset", "hdmi", 48000));
	assert_string_equal("cannot open the sound device 'HDMI 0' to play: "
			    "host says no", err);
	assert_null(dev);
}


static void test_samples(void **state)
{
	int16_t in[480], v[480], got[480];
	size_t n = 0;
	(void)state;

	two_cards();
	assert_int_equal(0, open_named("", "", 48000));

	/* what came before anybody listened is dropped, but for a block */
	for (int i = 0; i < 480; i++)
		in[i] = 1;
	fake_pa_run(true, in, NULL, 480);
	for (int i = 0; i < 480; i++)
		in[i] = 2;
	fake_pa_run(true, in, NULL, 480);
	assert_int_equal(960, d->in_fill(dev));
	assert_int_equal(480, d->read(dev, v, 480));
	assert_int_equal(2, v[0]);
	assert_int_equal(0, d->read(dev, v, 480));

	/* the loudspeaker takes 100 ms and no more */
	for (int i = 0; i < 480; i++)
		v[i] = 3;
	while (d->write(dev, v, 480) == 480)
		n += 480;
	assert_int_equal(4800, n);
	assert_int_equal(4800, d->out_fill(dev));
	assert_int_equal(0, d->write(dev, v, 480));
	fake_pa_run(false, NULL, got, 480);
	assert_memory_equal(v, got, sizeof(v));
	assert_int_equal(4320, d->out_fill(dev));
}


static void two_play(int16_t *got)
{
	int16_t v[480], side[480];

	/* all on the left, after 25 ms in hand of both alike */
	for (int i = 0; i < 480; i++)
		v[i] = side[i] = 100;
	for (int k = 0; k < 3; k++)
		assert_int_equal(480, d->write(dev, v, 480));
	assert_int_equal(480, d->write_two(dev, v, side, 480));
	assert_int_equal(4 * 480, d->out_fill(dev));
	for (int k = 0; k < 4; k++)
		fake_pa_run(false, NULL, got, 480);
	assert_int_equal(0, d->out_fill(dev));
}


static void test_two_channels(void **state)
{
	struct audio_param prm = {
		.rate_hz = 48000, .wake_fd = -1, .channels = 2
	};
	int16_t v[480], got[960];
	size_t n = 0;
	(void)state;

	two_cards();
	assert_int_equal(0, d->open(&dev, &info, &prm, err, sizeof(err)));
	assert_int_equal(2, info.channels);
	assert_int_equal(1, fake_pa_stream(true)->channels);
	assert_int_equal(2, fake_pa_stream(false)->channels);
	two_play(got);
	for (int i = 0; i < 480; i++) {
		assert_int_equal(200, got[2 * i]);
		assert_int_equal(0, got[2 * i + 1]);
	}

	/* nothing is there: so many samples of one channel are missing */
	fake_pa_run(false, NULL, got, 480);
	assert_int_equal(480, d->missed(dev));
	for (int i = 0; i < 960; i++)
		assert_int_equal(0, got[i]);

	/* 100 ms and no more */
	memset(v, 0, sizeof(v));
	while (d->write_two(dev, v, v, 480) == 480)
		n += 480;
	assert_int_equal(4800, n);
	d->close(dev);
	dev = NULL;

	/* a card of one channel, and one that only says it has two */
	for (int k = 0; k < 2; k++) {
		fake_pa.devices[0].out = 1 + k;
		fake_pa.devices[0].mono = true;
		fake_pa.def_out = 0;
		assert_int_equal(0, d->open(&dev, &info, &prm, err,
					    sizeof(err)));
		assert_true(info.has_in && info.has_out);
		assert_int_equal(1, info.channels);
		two_play(got);
		assert_int_equal(100, got[1]);
		d->close(dev);
		dev = NULL;
	}
}


static void test_ends_by_itself(void **state)
{
	struct fake_stream *s;
	(void)state;

	two_cards();
	assert_int_equal(0, open_named("", "", 48000));
	s = fake_pa_stream(false);
	assert_true(d->alive(dev));
	s->finished(s->arg);
	assert_false(d->alive(dev));
}


/* no callback any more, and nobody says why */
static void test_stands_still(void **state)
{
	int16_t v[480] = {0};
	(void)state;

	clock_fake_start(1000000000);
	two_cards();
	assert_int_equal(0, open_named("", "", 48000));

	for (int i = 0; i < 200; i++) {          /* 10 s of life */
		clock_fake_set(clock_fake_now() + 50000000);
		fake_pa_run(true, v, NULL, 480);
		fake_pa_run(false, NULL, v, 480);
		(void)d->service(dev, err, sizeof(err));
		assert_true(d->alive(dev));
	}
	for (int i = 0; i < 40; i++) {           /* 2 s of playback only */
		clock_fake_set(clock_fake_now() + 50000000);
		fake_pa_run(false, NULL, v, 480);
		(void)d->service(dev, err, sizeof(err));
		assert_true(d->alive(dev));
	}
	for (int i = 0; i < 40; i++) {           /* 2 s more */
		clock_fake_set(clock_fake_now() + 50000000);
		fake_pa_run(false, NULL, v, 480);
		(void)d->service(dev, err, sizeof(err));
	}
	assert_false(d->alive(dev));
	clock_fake_stop();
}


static char listed[512];

static void on_device(const struct audio_listed *al, void *arg)
{
	const size_t n = strlen(listed);
	(void)arg;

	(void)snprintf(listed + n, sizeof(listed) - n,
		       "%s %u/%u %u Hz %u/%u ms%s%s\n", al->name,
		       al->in_channels, al->out_channels,
		       (unsigned)al->rate_hz, al->in_latency_ms,
		       al->out_latency_ms, al->default_in ? " in" : "",
		       al->default_out ? " out" : "");
}


static void test_list(void **state)
{
	(void)state;

	listed[0] = '\0';
	assert_int_equal(0, d->list(on_device, NULL));
	assert_string_equal("", listed);

	fake_pa_add("Card", 2, 2, 0);
	fake_pa_add("Bad\033name", 0, 2, 0);
	fake_pa.def_in = fake_pa.def_out = 0;
	assert_int_equal(0, d->list(on_device, NULL));
	assert_string_equal("Card 2/2 48000 Hz 9/12 ms in out\n"
			    "Bad?name 0/2 48000 Hz 9/12 ms\n", listed);
	fake_pa.init_err = paInternalError;
	assert_int_equal(ENODEV, d->list(on_device, NULL));
}


#define WITH(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

/* It looks for devices once, and again when it must: a list is asked for, or
 * what is wanted is not among those it knows */
static void test_looks_again(void **state)
{
	unsigned looked;
	(void)state;

	two_cards();
	by_name("usb", "usb", 1, 1);
	looked = fake_pa.inits;
	by_name("alc257", "alc257", 0, 0);
	assert_int_equal(looked, fake_pa.inits);

	fake_pa_add("Bluetooth", 1, 2, 0);
	by_name("bluetooth", "bluetooth", 4, 4);
	assert_int_equal(looked + 1, fake_pa.inits);

	/* but never under a device that is open */
	assert_int_equal(0, open_named("usb", "usb", 16000));
	assert_int_equal(0, d->list(on_device, NULL));
	assert_int_equal(looked + 1, fake_pa.inits);
	d->close(dev);
	dev = NULL;
	assert_int_equal(0, d->list(on_device, NULL));
	assert_int_equal(looked + 2, fake_pa.inits);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_defaults),
		WITH(test_names),
		WITH(test_no_device),
		WITH(test_rates),
		WITH(test_looks_again),
		WITH(test_one_way),
		WITH(test_samples),
		WITH(test_two_channels),
		WITH(test_ends_by_itself),
		WITH(test_stands_still),
		WITH(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
