/**
 * @file test_flow.c  Calls through the engine, by hand
 */
#include <math.h>
#include <string.h>
#include "rig.h"

enum { SECOND = 8000 };

static int16_t v[48000 * 4], w[48000 * 4];


/* Two flows that talk to each other */
static struct rig *call(const char *codec)
{
	struct rig *r = rig_new();
	struct media_plan a = rig_plan(codec, 1), b = rig_plan(codec, 0);

	(void)rig_flow(r, 1);
	(void)rig_flow(r, 0);
	rig_start(r, 0, &a);
	rig_start(r, 1, &b);

	return r;
}


static void test_tone(void **state)
{
	static const char *const codecs[] = { "pcmu", "pcma", "l16", "opus" };
	(void)state;

	for (unsigned i = 0; i < 4; i++) {
		struct rig *r = call(codecs[i]);
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
	struct rig *r = call("pcmu");
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
	struct rig *r = call("pcmu");
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
	struct rig *r = call("pcmu");
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


/* Packets that no flow of ours made: a tone from a clock of its own */
struct pump {
	struct rig *r;
	unsigned to;
	const struct codec *codec;
	struct codec_enc *enc;
	uint8_t pt;
	uint16_t seq;
	uint32_t ts, ssrc;
	double due_us, step_us;
	size_t at;
	struct sa from;
};


static void pump_open(struct pump *p, struct rig *r, unsigned to,
		      const char *codec, double ppm)
{
	const struct codec_param prm = { .ptime_ms = 20 };

	memset(p, 0, sizeof(*p));
	p->r = r;
	p->to = to;
	p->codec = codec_find(codec);
	assert_int_equal(p->codec->enc_alloc(&p->enc, p->codec, &prm), 0);
	p->pt = (uint8_t)p->codec->pt;
	p->ssrc = 0xabcdef01;
	p->seq = 65530;
	p->ts = 0xfffff000;
	p->step_us = 20000.0 / (1.0 + ppm * 1e-6);
	p->due_us = (double)clock_us() + 500.0;
	p->from = rig_addr(9);
}


static void pump_send(struct pump *p, uint64_t at_us)
{
	const size_t n = p->codec->rate_hz / 50;
	const struct rtp h = {
		.pt = p->pt, .seq = p->seq, .ts = p->ts, .ssrc = p->ssrc
	};
	uint8_t b[1600];
	size_t len = sizeof(b) - RTP_HEADER;
	const struct packet pkt = {
		.p = b, .from = &p->from, .arrival_us = at_us
	};
	struct packet q = pkt;

	sine(v, n, p->at, 440.0, p->codec->rate_hz, 10000.0);
	assert_int_equal(p->codec->encode(p->enc, b + RTP_HEADER, &len, v, n),
			 0);
	rtp_write(b, &h);
	q.len = RTP_HEADER + len;
	flow_packet(p->r->ends[p->to].f, &q);

	p->at += n;
	++p->seq;
	p->ts += p->codec->clock_hz / 50;
}


static void pump_run(struct pump *p, unsigned ms)
{
	while (ms--) {
		while (p->due_us <= (double)clock_us() + 1000.0) {
			pump_send(p, (uint64_t)p->due_us);
			p->due_us += p->step_us;
		}
		rig_run(p->r, 1);
	}
}


static struct rig *pumped(struct pump *p, double ppm)
{
	struct rig *r = rig_new();
	struct media_plan plan = rig_plan("pcmu", 9);

	(void)rig_flow(r, RIG_FLOWS);
	rig_start(r, 0, &plan);
	pump_open(p, r, 0, "pcmu", ppm);

	return r;
}


static void pump_end(struct pump *p)
{
	mem_deref(p->enc);
	rig_free(p->r);
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


static void test_sources(void **state)
{
	struct pump p;
	struct rig *r = pumped(&p, 0.0);
	struct flow *f = r->ends[0].f;
	struct sa other;
	struct stream_stats st;
	uint64_t then;
	(void)state;

	pump_run(&p, 500);
	flow_stats(f, &st);
	then = st.packets_received;
	assert_true(sa_cmp(&st.remote, &p.from, SA_ALL));

	/* another host is not heard */
	assert_int_equal(sa_set_str(&other, "198.51.100.7", 4000), 0);
	p.from = other;
	pump_run(&p, 100);
	flow_stats(f, &st);
	assert_int_equal(st.packets_received, then);
	assert_int_equal(st.discarded, 5);

	/* nor is a stranger on the same host while ours speaks */
	p.from = rig_addr(9);
	pump_run(&p, 100);
	sa_set_port(&p.from, 20000);
	p.ssrc ^= 1;
	pump_run(&p, 20);
	flow_stats(f, &st);
	assert_int_equal(st.discarded, 6);
	p.ssrc ^= 1;

	/* but the same one on another port is, and is sent to */
	pump_run(&p, 100);
	flow_stats(f, &st);
	assert_int_equal(sa_port(&st.remote), 20000);

	pump_end(&p);
}


static void test_first_is_a_stranger(void **state)
{
	struct pump p;
	struct rig *r = pumped(&p, 0.0);
	struct stream_stats st;
	(void)state;

	/* a NAT: nothing comes from where it was to come */
	assert_int_equal(sa_set_str(&p.from, "198.51.100.7", 4000), 0);
	pump_run(&p, 100);
	flow_stats(r->ends[0].f, &st);
	assert_true(sa_cmp(&st.remote, &p.from, SA_ALL));

	/* until it does: who was named comes first */
	p.from = rig_addr(9);
	pump_run(&p, 100);
	flow_stats(r->ends[0].f, &st);
	assert_true(sa_cmp(&st.remote, &p.from, SA_ALL));
	pump_end(&p);
}


static void test_ssrc_change(void **state)
{
	struct pump p;
	struct rig *r = pumped(&p, 0.0);
	struct stream_stats st;
	size_t n;
	(void)state;

	pump_run(&p, 1000);

	/* one stray packet changes nothing */
	p.ssrc = 1;
	pump_send(&p, clock_us());
	p.ssrc = 0xabcdef01;
	pump_run(&p, 200);
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.ssrc_changes, 0);

	p.ssrc = 0x22222222;
	p.seq = 100;
	p.ts = 5;
	pump_run(&p, 500);
	rig_listen(r, 0, 2);
	pump_run(&p, 1000);
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.ssrc_changes, 1);
	assert_int_equal(st.ssrc_remote, 0x22222222);
	n = rig_heard(r, 0, v, NULL, COUNT(v));
	assert_true(purity(v, n, 440.0, SECOND) > 0.98);
	pump_end(&p);
}


static void test_other_codec(void **state)
{
	struct pump p;
	struct rig *r = rig_new();
	struct media_plan plan = rig_plan("pcmu", 9);
	struct stream_stats st;
	size_t n;
	(void)state;

	plan.also_recv[0] = 8;
	plan.also_codec[0] = codec_find("pcma");
	plan.also_recv[1] = 97;
	plan.also_codec[1] = codec_find("l16");
	plan.also_count = 2;
	(void)rig_flow(r, RIG_FLOWS);
	rig_start(r, 0, &plan);

	/* the peer may use what we answered with, at any time, whatever its
	 * rate is */
	for (unsigned i = 0; i < 2; i++) {
		pump_open(&p, r, 0, i ? "l16" : "pcma", 0.0);
		if (i)
			p.pt = 97;
		p.ssrc += i;
		pump_run(&p, 500);
		r->ends[0].f->tap = NULL;
		if (r->ends[0].tap.ring)
			ring_free(r->ends[0].tap.ring);
		rig_listen(r, 0, 2);
		pump_run(&p, 1000);
		n = rig_heard(r, 0, v, NULL, COUNT(v));
		assert_in_range(n, SECOND - 200, SECOND);
		assert_true(purity(v, n, 440.0, SECOND) > 0.98);
		mem_deref(p.enc);
	}

	/* what was not agreed on is not played; one went for the SSRC */
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.discarded, 1);
	pump_open(&p, r, 0, "pcma", 0.0);
	p.pt = 3;
	pump_run(&p, 100);
	flow_stats(r->ends[0].f, &st);
	assert_in_range(st.discarded, 5, 7);
	pump_end(&p);
}


static void test_hold(void **state)
{
	struct rig *r = call("pcmu");
	struct media_plan plan = rig_plan("pcmu", 1);
	struct stream_stats st;
	uint64_t rtp, rtcp;
	uint32_t ts;
	size_t n;
	(void)state;

	rig_run(r, 1000);
	rtp = r->ends[0].rtp;
	ts = r->ends[0].f->tx.ts;

	/* nothing but reports while it is held; time goes on */
	plan.dir = MEDIA_INACTIVE;
	rig_start(r, 0, &plan);
	rtcp = r->ends[0].rtcp;
	rig_run(r, 20000);
	assert_int_equal(r->ends[0].rtp, rtp);
	assert_true(r->ends[0].rtcp > rtcp);
	assert_int_equal(r->ends[0].f->tx.ts - ts, 20 * SECOND);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 0);

	/* and it is as before when it is taken back */
	plan.dir = MEDIA_SENDRECV;
	rig_start(r, 0, &plan);
	flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
	rig_run(r, 300);
	rig_listen(r, 1, 2);
	rig_run(r, 1000);
	n = rig_heard(r, 1, v, NULL, COUNT(v));
	assert_true(purity(v, n, 440.0, SECOND) > 0.98);

	/* what the other sent meanwhile was not listened to, not lost */
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.lost, 0);
	assert_true(st.packets_received < 200);
	rig_free(r);
}


static void test_timeout(void **state)
{
	struct rig *r = call("pcmu");
	struct media_plan plan = rig_plan("pcmu", 0);
	(void)state;

	rig_run(r, 1000);
	plan.dir = MEDIA_INACTIVE;
	rig_start(r, 1, &plan);
	rig_run(r, 4900);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 0);
	rig_run(r, 200);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 1);
	rig_run(r, 10000);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 1);

	plan.dir = MEDIA_SENDRECV;
	rig_start(r, 1, &plan);
	rig_run(r, 100);
	assert_int_equal(rig_posts(r, 0, STREAM_RESUMED), 1);
	assert_int_equal(rig_posts(r, 1, STREAM_TIMEOUT), 0);
	rig_free(r);
}


static void test_play(void **state)
{
	struct rig *r = call("pcmu");
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
	struct rig *r = call("pcmu");
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


/* Digits ------------------------------------------------------------------- */

static int64_t digits_lossy(struct rig *r, unsigned from, bool rtcp,
			    const uint8_t *p, size_t len)
{
	(void)from;
	(void)len;

	if (!rtcp && (p[1] & 0x7f) == 101)
		return rig_rnd(r) < 0.4 ? -1 : (int64_t)(rig_rnd(r) * 30e3);

	return 0;
}


static int64_t digits_no_end(struct rig *r, unsigned from, bool rtcp,
			     const uint8_t *p, size_t len)
{
	(void)r;
	(void)from;

	return !rtcp && (p[1] & 0x7f) == 101 && len >= 14 && p[13] & 0x80
		? -1 : 0;
}


static void digits(const char *codec, rig_net_h *net, bool exact)
{
	struct rig *r = call(codec);
	static const char text[] = "1234567890*#ABCD55500";

	r->net_h = net;
	rig_run(r, 200);
	assert_int_equal(dtmf_tx_add(&r->ends[0].f->tx.dtmf, text), 0);
	rig_run(r, 5000);

	assert_string_equal(rig_digits(r, 1), text);
	assert_int_equal(rig_posts(r, 0, STREAM_DTMF_SENT), 1);
	for (unsigned i = 0; i < r->post_count; i++) {
		if (r->posts[i].type == STREAM_DTMF)
			assert_in_range(r->posts[i].ev.duration_ms,
					exact ? 100 : 20, 100);
	}
	rig_free(r);
}


static void test_digits(void **state)
{
	(void)state;

	digits("pcmu", NULL, true);
	digits("opus", NULL, true);
}


static void test_digits_lost(void **state)
{
	(void)state;

	digits("pcmu", digits_lossy, false);
	digits("opus", digits_lossy, false);
	digits("pcmu", digits_no_end, false);
	digits("opus", digits_no_end, false);
}


/* Reports -------------------------------------------------------------------- */

static int64_t far(struct rig *r, unsigned from, bool rtcp,
		   const uint8_t *p, size_t len)
{
	(void)p;
	(void)len;

	return !rtcp && !from && rig_rnd(r) < 0.2 ? -1 : 30000;
}


static void test_reports(void **state)
{
	struct rig *r = call("pcmu");
	struct stream_stats st;
	(void)state;

	r->net_h = far;
	rig_run(r, 30000);

	/* both are told; loss is seen from the other side */
	flow_stats(r->ends[0].f, &st);
	assert_true(st.remote_known);
	assert_in_range(st.remote_lost, 200, 400);
	assert_in_range(st.remote_loss_256, 25, 80);
	flow_stats(r->ends[1].f, &st);
	assert_true(st.remote_known);
	assert_int_equal(st.remote_lost, 0);
	assert_in_range(r->ends[0].rtcp, 3, 12);
	rig_free(r);
}


static void test_bye(void **state)
{
	struct rig *r = call("pcmu");
	(void)state;

	rig_run(r, 1000);
	flow_close(r->ends[0].f);
	rig_run(r, 500);
	assert_int_equal(rig_posts(r, 1, STREAM_REMOTE_BYE), 1);
	rig_free(r);
}


/* A device -------------------------------------------------------------------- */

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
	struct rig *r = call("pcmu");
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


static void test_garbage(void **state)
{
	struct rig *r = call("opus");
	struct sa from = rig_addr(1);
	uint8_t b[200];
	struct stream_stats st;
	(void)state;

	rig_run(r, 500);
	for (unsigned i = 0; i < 20000; i++) {
		const size_t len = (size_t)(rig_rnd(r) * sizeof(b));
		const struct packet p = {
			.p = b, .len = len, .from = &from,
			.arrival_us = clock_us()
		};

		for (size_t k = 0; k < len; k++)
			b[k] = (uint8_t)(rig_rnd(r) * 256);
		/* mostly right, so that it gets far */
		if (i & 1 && len > 12) {
			const struct rtp h = {
				.pt = i & 2 ? 96 : 101, .seq = (uint16_t)i,
				.ts = i * 960, .ssrc = 0x5555
			};

			rtp_write(b, &h);
		}
		flow_packet(r->ends[0].f, &p);
		if (i % 16 == 0)
			rig_run(r, 20);
		r->post_count = 0;
	}

	flow_stats(r->ends[0].f, &st);
	assert_true(st.discarded > 1000);
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tone),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_loss_is_concealed),
		cmocka_unit_test(test_reordered),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_delay_is_small),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_first_is_a_stranger),
		cmocka_unit_test(test_ssrc_change),
		cmocka_unit_test(test_other_codec),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_play),
		cmocka_unit_test(test_mute),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_digits_lost),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_bye),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_packet_times),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
