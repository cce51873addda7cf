/**
 * @file test_flow.c  Sound through the engine, by hand
 */
#include <math.h>
#include <string.h>
#include "rig.h"

enum { SECOND = 8000 };

static int16_t v[48000 * 4], w[48000 * 4];
static uint32_t stamp;
static bool marked;


static void test_tone(void **state)
{
	static const char *const codecs[] = { "pcmu", "pcma", "l16", "opus" };
	(void)state;

	for (unsigned i = 0; i < 4; i++) {
		struct rig *r = rig_call(codecs[i]);
		const uint32_t hz = r->ends[1].f->rate_hz;
		size_t n;

		flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
		rig_run(r, 500);
		rig_listen(r, 1, 2);
		rig_run(r, 1000);

		n = rig_heard(r, 1, v, w, COUNT(v));
		assert_in_range(n, hz - hz / 50, hz);
		assert_true(fabs(goertzel(v, n, 440.0, hz) + 10.0) < 1.0);
		assert_true(purity(v, n, 440.0, hz) > 0.98);
		assert_true(goertzel(w, n, 440.0, hz) < -80.0);

		assert_int_equal(rig_posts(r, 0, STREAM_FIRST_PACKET), 1);
		assert_int_equal(rig_posts(r, 1, STREAM_FIRST_PACKET), 1);
		rig_free(r);
	}
}


static void test_echo(void **state)
{
	struct rig *r = rig_call("pcmu");
	size_t n;
	(void)state;

	flow_set_source(r->ends[0].f, SOURCE_TONE, 700.0);
	flow_set_source(r->ends[1].f, SOURCE_ECHO, 0.0);
	rig_run(r, 500);
	rig_listen(r, 0, 2);
	rig_run(r, 1000);

	n = rig_heard(r, 0, v, NULL, COUNT(v));
	assert_true(fabs(goertzel(v, n, 700.0, SECOND) + 10.0) < 1.0);
	assert_true(purity(v, n, 700.0, SECOND) > 0.98);
	rig_free(r);
}


static int64_t lossy(struct rig *r, unsigned from, bool rtcp,
		     const uint8_t *p, size_t len)
{
	(void)p;
	(void)len;

	if (rtcp || from)
		return 0;

	return rig_rnd(r) < 0.1 ? -1 : (int64_t)(rig_rnd(r) * 5000.0);
}


static void test_loss_is_concealed(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct stream_stats st;
	size_t n;
	(void)state;

	r->net_h = lossy;
	flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
	rig_run(r, 500);
	rig_listen(r, 1, 4);
	rig_run(r, 3000);

	n = rig_heard(r, 1, v, NULL, COUNT(v));
	assert_true(purity(v, n, 440.0, SECOND) > 0.9);

	flow_stats(r->ends[1].f, &st);
	assert_in_range(st.lost, 8, 35);
	assert_in_range(st.concealed_ms, 20 * st.lost, 20 * st.lost + 60);
	/* but for those on the way and those lost last */
	assert_in_range(r->ends[0].rtp - st.packets_received - st.lost, 0, 3);
	rig_free(r);
}


/* One packet in twenty-five, never two together */
static int64_t spaced(struct rig *r, unsigned from, bool rtcp,
		      const uint8_t *p, size_t len)
{
	static unsigned n;
	(void)r;
	(void)p;
	(void)len;

	return !rtcp && !from && ++n % 25 == 0 ? -1 : 0;
}


static unsigned decoded;


static int decode_count(struct codec_dec *d, int16_t *x, size_t *n,
			const uint8_t *buf, size_t len)
{
	++decoded;

	return codec_find("pcmu")->decode(d, x, n, buf, len);
}


/* While packets are lost one more is waited for, and the gap is met from
 * both sides */
static void test_loss_is_bridged(void **state)
{
	static const struct {
		const char *name;
		double purity;
	} v_codec[] = { { "pcmu", 0.998 }, { "g722", 0.98 }, { "l16", 0.998 } };
	(void)state;

	for (unsigned i = 0; i < 3; i++) {
		const struct codec *c = codec_find(v_codec[i].name);
		struct stream_stats st, last;
		struct codec counting;
		struct rig *r;
		size_t n;

		if (!c)
			continue;
		r = rig_call(c->name);
		r->net_h = spaced;
		flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);

		if (!strcmp(c->name, "pcmu")) {
			struct media_plan plan = rig_plan("pcmu", 0);

			counting = *c;
			counting.decode = decode_count;
			plan.codec = &counting;
			rig_start(r, 1, &plan);
		}

		decoded = 0;
		rig_run(r, 12000);
		flow_stats(r->ends[1].f, &st);
		assert_in_range(st.delay_target_ms, 21, 30);
		assert_in_range(st.delay_ms, 20, 45);

		rig_listen(r, 1, 4);
		rig_run(r, 3000);
		n = rig_heard(r, 1, v, NULL, COUNT(v));
		assert_true(purity(v, n, 440.0, c->rate_hz) >
			    v_codec[i].purity);
		flow_stats(r->ends[1].f, &last);
		assert_in_range(last.lost - st.lost, 5, 7);
		assert_int_equal(last.concealed_ms - st.concealed_ms,
				 20 * (last.lost - st.lost));
		assert_int_equal(last.decode_errors, 0);

		/* what was looked at before its turn is not decoded again */
		if (decoded)
			assert_in_range(last.packets_received - decoded, 0, 3);

		/* the delay is given back in a pause when all is well again */
		r->net_h = NULL;
		flow_set_source(r->ends[0].f, SOURCE_SILENCE, 0.0);
		rig_run(r, 30000);
		flow_stats(r->ends[1].f, &st);
		assert_in_range(st.delay_ms, 1, 22);
		rig_free(r);
	}
}


static int64_t reordered(struct rig *r, unsigned from, bool rtcp,
			 const uint8_t *p, size_t len)
{
	(void)from;
	(void)rtcp;
	(void)p;
	(void)len;

	return rig_rnd(r) < 0.1 ? 30000 : 0;
}


static void test_reordered(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct stream_stats st;
	size_t n;
	(void)state;

	r->net_h = reordered;
	flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
	rig_run(r, 8000);
	rig_listen(r, 1, 4);
	rig_run(r, 3000);

	n = rig_heard(r, 1, v, NULL, COUNT(v));
	assert_true(purity(v, n, 440.0, SECOND) > 0.95);
	flow_stats(r->ends[1].f, &st);
	assert_true(st.reordered > 10);
	assert_int_equal(st.lost, 0);
	rig_free(r);
}


static void test_drift(void **state)
{
	(void)state;

	for (int other = 0; other < 2; other++)
		for (int sign = -1; sign <= 1; sign += 2) {
			struct pump p;
			struct rig *r = pumped(&p, sign * 200.0);
			struct stream_stats st;
			size_t n;

			/* one flow alone is followed; two cannot be */
			if (other) {
				struct media_plan plan = rig_plan("pcmu", 0);

				(void)rig_flow(r, RIG_FLOWS);
				rig_start(r, 1, &plan);
				r->ends[1].f->plan.dir = MEDIA_INACTIVE;
			}

			pump_run(&p, 2000);
			rig_listen(r, 0, 130);
			pump_run(&p, 120000);

			flow_stats(r->ends[0].f, &st);
			assert_int_equal(st.lost + st.late, 0);
			assert_true(st.concealed_ms <= (other ? 40 : 0));
			assert_true(st.delay_ms < (other ? 45 : 12));

			while ((n = rig_heard(r, 0, v, NULL, 4 * SECOND)) ==
			       4 * SECOND)
				assert_true(purity(v, n, 440.0, SECOND) >
					    (other ? 0.9 : 0.98));
			pump_end(&p);
		}
}


static void test_delay_is_small(void **state)
{
	(void)state;

	/* whatever the phase of the packets is to the first tick */
	for (unsigned phase = 0; phase < 20; phase += 3) {
		struct pump p;
		struct rig *r = pumped(&p, 0.0);
		struct stream_stats st;

		p.due_us += phase * 1000.0;
		pump_run(&p, 3000);
		flow_stats(r->ends[0].f, &st);
		assert_in_range(st.delay_ms, 1, 8);
		assert_int_equal(st.concealed_ms, 0);
		pump_end(&p);
	}
}


static void test_play(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct play play = { .n = SECOND, .serial = 7 };
	size_t n;
	(void)state;

	play.v = malloc(SECOND * sizeof(*play.v));
	sine(play.v, SECOND, 0, 1000.0, SECOND, 8000.0);
	rig_run(r, 200);
	flow_play(r->ends[0].f, &play);
	rig_run(r, 100);
	rig_listen(r, 1, 4);
	rig_run(r, 2000);

	n = rig_heard(r, 1, v, NULL, COUNT(v));
	assert_true(purity(v, SECOND * 8 / 10, 1000.0, SECOND) > 0.98);
	assert_true(goertzel(v + n - SECOND / 2, SECOND / 2, 1000.0, SECOND)
		    < -80.0);
	assert_int_equal(rig_posts(r, 0, STREAM_PLAY_DONE), 1);
	for (unsigned i = 0; i < r->post_count; i++) {
		if (r->posts[i].type != STREAM_PLAY_DONE)
			continue;
		assert_int_equal(r->posts[i].serial, 7);
		assert_int_equal(r->posts[i].ev.duration_ms, 1000);
		assert_false(r->posts[i].ev.stopped);
	}

	/* in a loop until it is stopped */
	play.v = malloc(SECOND * sizeof(*play.v));
	sine(play.v, SECOND, 0, 1000.0, SECOND, 8000.0);
	play.loop = true;
	flow_play(r->ends[0].f, &play);
	rig_run(r, 5000);
	assert_int_equal(rig_posts(r, 0, STREAM_PLAY_DONE), 1);
	flow_play_stop(r->ends[0].f);
	assert_int_equal(rig_posts(r, 0, STREAM_PLAY_DONE), 2);
	assert_true(r->posts[r->post_count - 1].ev.stopped);
	rig_free(r);
}


static void test_mute(void **state)
{
	struct rig *r = rig_call("pcmu");
	uint64_t rtp;
	size_t n;
	(void)state;

	flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
	rig_run(r, 500);
	r->ends[0].f->muted = true;
	rtp = r->ends[0].rtp;
	rig_run(r, 200);
	rig_listen(r, 1, 2);
	rig_run(r, 1000);

	/* silence is sent, and nothing else is heard of us */
	assert_in_range(r->ends[0].rtp - rtp, 59, 61);
	n = rig_heard(r, 1, v, NULL, COUNT(v));
	for (size_t i = 0; i < n; i++)
		assert_in_range(v[i] + 16, 0, 32);
	rig_free(r);
}


/* A device -------------------------------------------------------------- */

struct audio_dev {
	uint32_t rate_hz;
	size_t at;
	int16_t out[48000 * 4];
	size_t n;
};


static size_t dev_read(struct audio_dev *d, int16_t *x, size_t n)
{
	sine(x, n, d->at, 2000.0, d->rate_hz, 6000.0);
	d->at += n;

	return n;
}


static size_t dev_write(struct audio_dev *d, const int16_t *x, size_t n)
{
	if (d->n + n > COUNT(d->out))
		return 0;

	memcpy(d->out + d->n, x, n * sizeof(*x));
	d->n += n;

	return n;
}


static void test_device(void **state)
{
	static const struct audio_driver drv = {
		.name = "fake", .read = dev_read, .write = dev_write
	};
	static const uint32_t rates[] = { 8000, 16000, 44100, 48000 };
	static struct audio_dev dev;
	(void)state;

	for (unsigned k = 0; k < 4; k++) {
		const struct audio_info info = {
			.rate_hz = rates[k], .has_in = true, .has_out = true
		};
		struct rig *r = rig_new();
		struct media_plan plan;
		size_t n;

		memset(&dev, 0, sizeof(dev));
		dev.rate_hz = rates[k];

		/* 0 and 1 meet the device; 2 and 3 are the far ends */
		for (unsigned i = 0; i < 4; i++)
			(void)rig_flow(r, i ^ 2);
		for (unsigned i = 0; i < 4; i++) {
			plan = rig_plan(i & 1 ? "l16" : "pcmu", i ^ 2);
			rig_start(r, i, &plan);
		}
		flow_set_source(r->ends[2].f, SOURCE_TONE, 500.0);
		flow_set_source(r->ends[3].f, SOURCE_TONE, 900.0);
		assert_int_equal(engine_attach(r->e, &drv, &dev, &info, -1),
				 0);

		rig_run(r, 500);
		rig_listen(r, 2, 2);
		rig_listen(r, 3, 2);
		dev.n = 0;
		rig_run(r, 1000);

		/* the speaker has both voices, each at its level */
		assert_in_range(dev.n, rates[k] - rates[k] / 50, rates[k]);
		assert_true(fabs(goertzel(dev.out, dev.n, 500.0, rates[k]) +
				 10.0) < 1.0);
		assert_true(fabs(goertzel(dev.out, dev.n, 900.0, rates[k]) +
				 10.0) < 1.0);

		/* the microphone is heard by both */
		for (unsigned i = 2; i < 4; i++) {
			const uint32_t hz = r->ends[i].f->rate_hz;

			n = rig_heard(r, i, v, NULL, COUNT(v));
			assert_true(goertzel(v, n, 2000.0, hz) > -17.0);
			assert_true(purity(v, n, 2000.0, hz) > 0.97);
		}

		/* without it calls go on */
		engine_detach(r->e);
		rig_run(r, 300);
		n = rig_heard(r, 2, v, NULL, COUNT(v));
		assert_true(goertzel(v + n - 800, 800, 2000.0, SECOND) <
			    -60.0);
		rig_free(r);
	}
}


static void test_idle(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct media_plan none = { .te_send = -1, .te_recv = -1 };
	(void)state;

	rig_run(r, 100);
	assert_int_equal(timers_count(), 1);

	/* no stream, no wake-up */
	rig_start(r, 0, &none);
	rig_start(r, 1, &none);
	assert_int_equal(timers_count(), 0);
	rig_free(r);
}


static void test_stall(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct stream_stats st;
	uint64_t sent;
	size_t n;
	(void)state;

	flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
	rig_run(r, 1000);
	sent = r->ends[0].rtp;
	rig_listen(r, 1, 3);

	/* the machine does not come to us for 200 ms: all is made up for */
	clock_fake_set(clock_ns() + 200000000);
	rig_run(r, 800);
	assert_in_range(r->ends[0].rtp - sent, 49, 51);
	n = rig_heard(r, 1, v, NULL, COUNT(v));
	assert_in_range(n, SECOND - 320, SECOND + 160);
	flow_stats(r->ends[1].f, &st);
	assert_int_equal(st.lost + st.late, 0);

	/* nor for a minute: that is over, and nothing comes in a burst */
	sent = r->ends[0].rtp;
	clock_fake_set(clock_ns() + 60000000000);
	rig_run(r, 1000);
	assert_in_range(r->ends[0].rtp - sent, 49, 52);
	rig_free(r);
}


static int64_t stamps(struct rig *r, unsigned from, bool rtcp,
		      const uint8_t *p, size_t len)
{
	(void)r;
	(void)len;

	if (!rtcp && !from) {
		stamp = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 |
			(uint32_t)p[6] << 8 | p[7];
		marked = p[1] & 0x80;
	}

	return 0;
}


/* Time in which nothing was sent is told as such: a pause, not packets that
 * come late */
static void test_pause(void **state)
{
	struct rig *r = rig_call("pcmu");
	uint32_t before;
	(void)state;

	r->net_h = stamps;
	flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
	rig_run(r, 100);
	before = stamp;
	assert_false(marked);

	send_pause(r->ends[0].f, 7000);
	rig_run(r, 20);
	assert_int_equal(stamp - before, 160 + 56);
	assert_true(marked);

	rig_run(r, 20);
	assert_int_equal(stamp - before, 320 + 56);
	assert_false(marked);
	rig_free(r);
}


static void test_packet_times(void **state)
{
	static const unsigned ptime[] = { 10, 30, 40, 60 };
	(void)state;

	for (unsigned i = 0; i < 4; i++) {
		struct rig *r = rig_new();
		struct media_plan a = rig_plan("pcmu", 1);
		struct media_plan b = rig_plan("pcmu", 0);
		struct stream_stats st;
		size_t n;

		a.param.ptime_ms = ptime[i];
		(void)rig_flow(r, 1);
		(void)rig_flow(r, 0);
		rig_start(r, 0, &a);
		rig_start(r, 1, &b);
		flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
		rig_run(r, 1000);
		rig_listen(r, 1, 3);
		rig_run(r, 2000);
		n = rig_heard(r, 1, v, NULL, COUNT(v));
		assert_true(purity(v, n, 440.0, SECOND) > 0.98);
		flow_stats(r->ends[1].f, &st);
		assert_int_equal(st.lost + st.late, 0);
		assert_in_range(r->ends[0].rtp, 3000 / ptime[i] - 2,
				3000 / ptime[i] + 1);
		rig_free(r);
	}
}


/* Packets become longer and shorter while the sound goes on */
static void test_packet_time_changes(void **state)
{
	static const unsigned ptime[] = { 40, 60, 20, 10, 40 };
	struct rig *r = rig_call("opus");
	struct stream_stats st;
	uint64_t concealed;
	(void)state;

	flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
	rig_listen(r, 1, 4);
	rig_run(r, 1000);
	flow_stats(r->ends[1].f, &st);
	concealed = st.concealed_ms;

	for (unsigned i = 0; i < 5; i++) {
		const uint64_t sent = r->ends[0].rtp;
		size_t n;

		send_ptime(&r->ends[0].f->tx, ptime[i]);
		rig_run(r, 1000);
		(void)rig_heard(r, 1, NULL, NULL, COUNT(v));
		rig_run(r, 2000);
		n = rig_heard(r, 1, v, NULL, COUNT(v));
		assert_true(purity(v, n, 440.0, 48000) > 0.98);
		assert_in_range(r->ends[0].rtp - sent, 3000 / ptime[i] - 4,
				3000 / ptime[i] + 3);
	}
	flow_stats(r->ends[1].f, &st);
	assert_int_equal(st.lost + st.late + st.discarded, 0);

	/* each longer one is waited for once */
	assert_true(st.concealed_ms - concealed <= 100);
	rig_free(r);
}


/* The codec is another one in mid-call; what comes late is still the old */
static void test_codec_changes(void **state)
{
	static const char *const codecs[] = { "pcmu", "opus", "l16", "pcma",
					      "opus", "pcmu" };
	struct rig *r = rig_call(codecs[0]);
	(void)state;

	rig_listen(r, 1, 3);
	for (unsigned i = 0; i < 6; i++) {
		size_t n;

		for (unsigned k = 0; k < 2; k++) {
			const struct media_plan plan =
				rig_plan(codecs[i], 1 - k);

			rig_start(r, k, &plan);
			rig_run(r, 30);
		}
		flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
		rig_run(r, 1000);
		(void)rig_heard(r, 1, NULL, NULL, COUNT(v));
		rig_run(r, 1000);

		/* the tap stays at the first one's rate */
		n = rig_heard(r, 1, v, NULL, COUNT(v));
		assert_true(n > SECOND * 9 / 10);
		assert_true(purity(v, n, 440.0, SECOND) > 0.98);
	}
	rig_free(r);
}


/* Packets in their order, up to so much too late */
static void uneven_run(struct pump *p, unsigned ms, unsigned width_ms)
{
	double at = p->due_us;
	bool drawn = false;

	while (ms--) {
		for (;;) {
			if (!drawn)
				at = fmax(at, p->due_us + 1000.0 * width_ms *
					  rig_rnd(p->r));
			drawn = true;
			if (at > (double)clock_us() + 1000.0)
				break;
			pump_send(p, (uint64_t)at);
			p->due_us += p->step_us;
			drawn = false;
		}
		rig_run(p->r, 1);
	}
}


/* Turns are brief while packets come unevenly, but with one flow alone, whose
 * turns are where they need to be; what is said goes out as before */
static void test_brief_turns(void **state)
{
	(void)state;

	for (unsigned flows = 1; flows <= 2; flows++) {
		struct pump p;
		struct rig *r = pumped(&p, 0.0);
		struct rig_end *end = &r->ends[flows - 1];
		const struct media_plan plan = rig_plan("pcmu", 9);
		uint64_t sent;
		struct rtp h, last;

		if (flows == 2) {
			(void)rig_flow(r, RIG_FLOWS);
			rig_start(r, 1, &plan);
		}
		uneven_run(&p, 1000, 0);
		assert_int_equal(r->e->tick_ms, 20);
		sent = end->rtp;
		assert_int_equal(rtp_read(&h, end->last, end->last_len), 0);

		uneven_run(&p, 3000, 60);
		assert_int_equal(r->e->tick_ms, flows == 2 ? 10 : 20);
		uneven_run(&p, 5000, 0);
		assert_int_equal(r->e->tick_ms, 20);

		assert_in_range(end->rtp - sent, 398, 402);
		assert_int_equal(rtp_read(&last, end->last,
					  end->last_len), 0);
		if (flows == 2)
			assert_int_equal(last.ts - h.ts, 160 *
					 (uint16_t)(last.seq - h.seq));
		pump_end(&p);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tone),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_loss_is_concealed),
		cmocka_unit_test(test_loss_is_bridged),
		cmocka_unit_test(test_reordered),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_delay_is_small),
		cmocka_unit_test(test_play),
		cmocka_unit_test(test_mute),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_packet_times),
		cmocka_unit_test(test_packet_time_changes),
		cmocka_unit_test(test_codec_changes),
		cmocka_unit_test(test_brief_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
