/**
 * @file test_peer.c  What a peer may do: move, change, pause, go, send anything
 */
#include <string.h>
#include "rig.h"

enum { SECOND = 8000 };

static int16_t v[48000 * 4];


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
	assert_int_equal(rig_posts(r, 0, STREAM_MOVED), 1);

	pump_end(&p);
}


static const struct stream_event *moved(const struct rig *r)
{
	for (unsigned i = r->post_count; i; i--) {
		if (r->posts[i - 1].type == STREAM_MOVED)
			return &r->posts[i - 1].ev;
	}

	return NULL;
}


/* The peer's host has another address now, and nobody told us */
static void test_other_network(void **state)
{
	struct pump p;
	struct rig *r = pumped(&p, 0.0);
	struct flow *f = r->ends[0].f;
	struct sa there;
	struct stream_stats st;
	(void)state;

	assert_int_equal(sa_set_str(&there, "198.51.100.7", 4000), 0);
	pump_run(&p, 500);
	assert_int_equal(rig_posts(r, 0, STREAM_MOVED), 0);

	/* a stranger is not heard, however long the peer is silent */
	p.from = there;
	p.ssrc ^= 1;
	pump_run(&p, 10000);
	flow_stats(f, &st);
	assert_int_equal(st.foreign, 500);
	assert_int_equal(st.moves, 0);
	p.ssrc ^= 1;
	p.from = rig_addr(9);
	pump_run(&p, 500);

	/* nor is the peer's source from elsewhere while it is heard here */
	p.from = there;
	pump_run(&p, 20);
	flow_stats(f, &st);
	assert_int_equal(st.foreign, 501);

	/* once it is not, it has moved, and that is told */
	pump_run(&p, 1100);
	flow_stats(f, &st);
	assert_true(sa_cmp(&st.remote, &there, SA_ALL));
	assert_int_equal(st.moves, 1);
	assert_int_equal(rig_posts(r, 0, STREAM_MOVED), 1);
	assert_true(sa_cmp(&moved(r)->from, &there, SA_ALL));
	assert_int_equal(sa_port(&moved(r)->was), 10018);
	pump_end(&p);
}


/* Without symmetric RTP: the host that was named, and to the address */
static void test_fixed(void **state)
{
	struct pump p;
	struct rig *r = pumped(&p, 0.0);
	struct flow *f = r->ends[0].f;
	const struct sa named = rig_addr(9);
	struct stream_stats st;
	uint64_t then;
	(void)state;

	f->tp.fixed = true;
	assert_int_equal(sa_set_str(&p.from, "198.51.100.7", 4000), 0);
	pump_run(&p, 5000);
	flow_stats(f, &st);
	assert_int_equal(st.packets_received, 0);
	assert_int_equal(st.foreign, 250);

	/* from another port of it: heard, but not sent to */
	p.from = named;
	sa_set_port(&p.from, 20000);
	pump_run(&p, 100);
	flow_stats(f, &st);
	assert_in_range(st.packets_received, 4, 6);
	assert_true(sa_cmp(&r->ends[0].dst, &named, SA_ALL));

	then = st.packets_received;
	f->tp.fixed = false;
	pump_run(&p, 100);
	flow_stats(f, &st);
	assert_int_equal(st.packets_received, then + 5);
	assert_int_equal(sa_port(&r->ends[0].dst), 20000);
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

	assert_int_equal(rig_posts(r, 0, STREAM_MOVED), 0);

	/* until it does: who was named comes first */
	p.from = rig_addr(9);
	pump_run(&p, 100);
	assert_int_equal(rig_posts(r, 0, STREAM_MOVED), 1);
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


/* The same source begins anew, and so does its time */
static void test_restart(void **state)
{
	struct pump p;
	struct rig *r = pumped(&p, 0.0);
	struct stream_stats st;
	size_t n;
	(void)state;

	pump_run(&p, 1000);
	p.seq = 7;
	p.ts = 0x10203040;
	pump_run(&p, 500);
	rig_listen(r, 0, 2);
	pump_run(&p, 1000);

	n = rig_heard(r, 0, v, NULL, COUNT(v));
	assert_true(purity(v, n, 440.0, SECOND) > 0.98);
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.ssrc_changes, 0);
	assert_int_equal(st.lost, 0);
	assert_in_range(st.discarded, 0, 2);
	pump_end(&p);
}


/* Two sources at once, from one place: whom we hear stays */
static void test_two_sources(void **state)
{
	struct pump p, q;
	struct rig *r = pumped(&p, 0.0);
	struct stream_stats st;
	size_t n;
	(void)state;

	pump_open(&q, r, 0, "pcmu", 0.0);
	q.ssrc = 0x33333333;
	q.seq = 1;
	pump_run(&p, 1000);
	rig_listen(r, 0, 3);
	for (unsigned i = 0; i < 100; i++) {
		pump_run(&p, 20);
		pump_send(&q, clock_us());
	}

	n = rig_heard(r, 0, v, NULL, COUNT(v));
	assert_true(purity(v, n, 440.0, SECOND) > 0.98);
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.ssrc_changes, 0);
	assert_int_equal(st.ssrc_remote, p.ssrc);
	assert_int_equal(st.discarded, 100);
	mem_deref(q.enc);
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


static unsigned sent[2];
static bool deaf;


static int64_t count_sent(struct rig *r, unsigned from, bool rtcp,
			  const uint8_t *p, size_t len)
{
	(void)r;
	(void)p;
	(void)len;

	if (from == 0)
		++sent[rtcp];

	return from == 1 && deaf ? -1 : 0;
}


/* A call whose first end does not know yet that the other is there */
static struct rig *unproven_call(enum media_dir dir)
{
	struct media_plan a = rig_plan("pcmu", 1), b = rig_plan("pcmu", 0);
	struct rig *r = rig_new();

	memset(sent, 0, sizeof(sent));
	r->net_h = count_sent;
	(void)rig_flow(r, 1);
	(void)rig_flow(r, 0);
	a.unproven = true;
	b.dir = dir;
	rig_start(r, 0, &a);
	rig_start(r, 1, &b);

	return r;
}


/* Whom nobody has confirmed gets nothing, neither sound nor reports, until
 * something comes from that very place */
static void test_unproven(void **state)
{
	struct rig *r = unproven_call(MEDIA_SENDRECV);
	struct media_plan plan = rig_plan("pcmu", 1);
	struct flow *f = r->ends[0].f;
	struct play play = {
		.v = calloc(4000, sizeof(int16_t)), .n = 4000, .serial = 7
	};
	struct sa there = rig_addr(1), elsewhere = rig_addr(2);
	(void)state;

	deaf = true;
	plan.unproven = true;
	flow_play(f, &play);
	rig_run(r, 8000);
	assert_int_equal(0, sent[0]);
	assert_int_equal(0, sent[1]);
	assert_int_equal(0, f->tx.packets);
	/* a file waits: nothing of it is lost; and nobody is missed yet */
	assert_int_equal(0, f->play.pos);
	assert_int_equal(0, rig_posts(r, 0, STREAM_TIMEOUT));

	/* somebody else speaks */
	flow_prove(f, &elsewhere);
	rig_run(r, 100);
	assert_int_equal(0, sent[0]);

	/* the plan again, as it was */
	rig_start(r, 0, &plan);
	rig_run(r, 100);
	assert_int_equal(0, sent[0]);

	/* it is there */
	flow_prove(f, &there);
	rig_run(r, 400);
	assert_in_range(sent[0], 19, 21);
	assert_int_equal(1, sent[1]);
	assert_in_range(f->play.pos, 3000, 3400);
	rig_start(r, 0, &plan);
	rig_run(r, 100);
	assert_in_range(sent[0], 24, 26);

	/* another place: not proven again; confirmed by a plan */
	sa_set_port(&plan.rtp, 9999);
	rig_start(r, 0, &plan);
	sent[0] = 0;
	rig_run(r, 100);
	assert_int_equal(0, sent[0]);
	plan.unproven = false;
	rig_start(r, 0, &plan);
	rig_run(r, 100);
	assert_in_range(sent[0], 4, 6);

	/* from now on it is */
	rig_run(r, 4800);
	assert_int_equal(0, rig_posts(r, 0, STREAM_TIMEOUT));
	rig_run(r, 200);
	assert_int_equal(1, rig_posts(r, 0, STREAM_TIMEOUT));

	rig_free(r);
}


/* A packet that can be heard, or a report, is the proof */
static void test_proven_by_packets(void **state)
{
	(void)state;

	for (unsigned round = 0; round < 2; round++) {
		struct rig *r = unproven_call(round ? MEDIA_RECVONLY :
					      MEDIA_SENDRECV);

		deaf = false;
		rig_run(r, round ? 6000 : 200);
		assert_true(sent[0] >= 8);
		assert_true(sent[0] < (round ? 280u : 11u));
		rig_free(r);
	}
}


/* Digits ---------------------------------------------------------------- */

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
	struct rig *r = rig_call(codec);
	static const char text[] = "1234567890*#ABCD55500";

	r->net_h = net;
	rig_run(r, 200);
	assert_int_equal(dtmf_tx_add(&r->ends[0].f->tx.dtmf, text), 0);
	rig_run(r, 5000);

	assert_string_equal(rig_digits(r, 1), text);
	assert_int_equal(rig_posts(r, 0, STREAM_DTMF_SENT), 1);
	/* the next one need not wait */
	assert_int_equal(r->ends[0].f->tx.dtmf.pause_ms, 0);
	for (unsigned i = 0; i < r->post_count; i++) {
		if (r->posts[i].type == STREAM_DTMF_SENT)
			assert_int_equal(r->posts[i].ev.count, strlen(text));
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


/* A peer that sends digits at another clock than its sound's */
static void test_digits_other_clock(void **state)
{
	struct rig *r = rig_call("opus");
	struct media_plan plan = rig_plan("opus", 1);
	(void)state;

	plan.te_clock_hz = 8000;
	rig_start(r, 0, &plan);

	plan = rig_plan("opus", 0);
	plan.te_recv = 97;
	plan.te_also[plan.te_also_count++] = (struct media_events){
		.pt = 101, .clock_hz = 8000
	};
	rig_start(r, 1, &plan);

	rig_run(r, 200);
	assert_int_equal(dtmf_tx_add(&r->ends[0].f->tx.dtmf, "12"), 0);
	rig_run(r, 1000);
	assert_string_equal(rig_digits(r, 1), "12");

	/* and one at the sound's */
	r->ends[0].f->tx.te_pt = 97;
	r->ends[0].f->tx.dtmf.clock_hz = 48000;
	assert_int_equal(dtmf_tx_add(&r->ends[0].f->tx.dtmf, "3"), 0);
	rig_run(r, 1000);
	assert_string_equal(rig_digits(r, 1), "123");
	for (unsigned i = 0; i < r->post_count; i++) {
		if (r->posts[i].type == STREAM_DTMF)
			assert_int_equal(r->posts[i].ev.duration_ms, 100);
	}
	rig_free(r);
}


static void test_digits_lost(void **state)
{
	(void)state;

	digits("pcmu", digits_lossy, false);
	digits("opus", digits_lossy, false);
	digits("pcmu", digits_no_end, false);
	digits("opus", digits_no_end, false);
}


/* Reports --------------------------------------------------------------- */

static int64_t far(struct rig *r, unsigned from, bool rtcp,
		   const uint8_t *p, size_t len)
{
	(void)p;
	(void)len;

	return !rtcp && !from && rig_rnd(r) < 0.2 ? -1 : 30000;
}


static void test_reports(void **state)
{
	struct rig *r = rig_call("pcmu");
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


/* What the peer reports changes what is sent, and for it alone */
static void test_reports_change_the_encoder(void **state)
{
	struct rig *r = rig_call("opus");
	struct media_plan plan;
	struct stream_stats st;
	const struct codec_enc *enc;
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		plan = rig_plan("opus", !i);
		plan.param.fec = true;
		plan.param.bitrate = 40000;
		rig_start(r, i, &plan);
	}
	flow_set_source(r->ends[0].f, SOURCE_TONE, 440.0);
	r->net_h = far;
	rig_run(r, 30000);

	flow_stats(r->ends[0].f, &st);
	assert_in_range(st.send_loss_pct, 5, 10);
	assert_in_range(st.send_bitrate, 24000, 40000);
	flow_stats(r->ends[1].f, &st);
	assert_int_equal(st.send_loss_pct, 0);
	assert_int_equal(st.send_bitrate, 40000);

	/* a hold is no reason to forget it, nor for another encoder */
	enc = r->ends[0].f->tx.enc;
	plan = r->ends[0].f->plan;
	plan.dir = MEDIA_INACTIVE;
	rig_start(r, 0, &plan);
	rig_run(r, 20000);
	plan.dir = MEDIA_SENDRECV;
	rig_start(r, 0, &plan);
	assert_ptr_equal(r->ends[0].f->tx.enc, enc);
	flow_stats(r->ends[0].f, &st);
	assert_in_range(st.send_loss_pct, 5, 10);

	/* but when nothing is lost any more it is over */
	r->net_h = NULL;
	rig_run(r, 150000);
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.send_loss_pct, 0);
	assert_int_equal(st.send_bitrate, 40000);
	rig_free(r);
}


static void test_bye(void **state)
{
	struct rig *r = rig_call("pcmu");
	(void)state;

	rig_run(r, 1000);
	flow_close(r->ends[0].f);
	rig_run(r, 500);
	assert_int_equal(rig_posts(r, 1, STREAM_REMOTE_BYE), 1);
	rig_free(r);
}


static void test_garbage(void **state)
{
	struct rig *r = rig_call("opus");
	struct sa from = rig_addr(1);
	uint8_t b[200];
	struct stream_stats st;
	(void)state;

	rig_run(r, 500);
	for (unsigned i = 0; i < 20000; i++) {
		const size_t len = (size_t)(rig_rnd(r) * sizeof(b));
		struct packet p = {
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


/* Good-bye says who has been heard of, and nobody else (RFC 3550 6.3.7) */
static void test_bye_sent(void **state)
{
	(void)state;

	for (unsigned ms = 0; ms <= 100; ms += 100) {

		struct media_plan plan = rig_plan("pcmu", 1);
		struct rig *r = rig_new();
		unsigned before;

		memset(sent, 0, sizeof(sent));
		r->net_h = count_sent;
		(void)rig_flow(r, 1);
		rig_start(r, 0, &plan);
		rig_run(r, ms);
		assert_int_equal(ms > 0, sent[0] > 0);
		before = sent[1];
		flow_close(r->ends[0].f);
		assert_int_equal(sent[1] - before, ms > 0);
		rig_free(r);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_first_is_a_stranger),
		cmocka_unit_test(test_other_network),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_ssrc_change),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_two_sources),
		cmocka_unit_test(test_other_codec),
		cmocka_unit_test(test_unproven),
		cmocka_unit_test(test_proven_by_packets),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_digits_other_clock),
		cmocka_unit_test(test_digits_lost),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_reports_change_the_encoder),
		cmocka_unit_test(test_bye),
		cmocka_unit_test(test_bye_sent),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
