/**
 * @file test_nack.c  Lost packets are asked for, and sent again in time
 */
#include "rig.h"


enum { OURS = 0x11223344, THEIRS = 0x55667788 };

static uint8_t wire[100];


static void test_bytes(void **state)
{
	static const uint8_t known[] = {
		0x81, 205, 0, 4, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
		0x88, 0xff, 0xfe, 0x80, 0x03, 0x00, 0x20, 0x00, 0x00
	};
	static const uint16_t seqv[] = { 0xfffe, 0xffff, 0, 14, 0x20 };
	uint16_t back[32];
	uint8_t p[64];
	(void)state;

	assert_int_equal(nack_write(p, sizeof(p), OURS, THEIRS, seqv, 5),
			 sizeof(known));
	assert_memory_equal(p, known, sizeof(known));
	assert_int_equal(nack_read(back, 32, p + 12, 8), 5);
	assert_memory_equal(back, seqv, sizeof(seqv));

	/* no room for what may have to be said, and for what was asked */
	assert_int_equal(nack_write(p, 31, OURS, THEIRS, seqv, 5), 0);
	assert_int_equal(nack_write(p, sizeof(p), OURS, THEIRS, seqv, 0), 0);
	assert_int_equal(nack_read(back, 3, p + 12, 8), 3);
	assert_int_equal(nack_read(back, 32, p + 12, 3), 0);

	/* libre reads it, too */
	struct mbuf *mb = mbuf_alloc(64);
	struct rtcp_msg *msg = NULL;

	assert_int_equal(mbuf_write_mem(mb, known, sizeof(known)), 0);
	mb->pos = 0;
	assert_int_equal(rtcp_decode(&msg, mb), 0);
	assert_int_equal(msg->hdr.pt, RTCP_RTPFB);
	assert_int_equal(msg->hdr.count, RTCP_RTPFB_GNACK);
	assert_int_equal(msg->r.fb.ssrc_media, THEIRS);
	assert_int_equal(msg->r.fb.n, 2);
	assert_int_equal(msg->r.fb.fci.gnackv[0].pid, 0xfffe);
	assert_int_equal(msg->r.fb.fci.gnackv[0].blp, 0x8003);
	mem_deref(msg);
	mem_deref(mb);
}


/* Behind a report and a name where they must be, alone where not; a message
 * about somebody else's packets is none for us */
static void test_compound(void **state)
{
	static const uint16_t seqv[] = { 7, 9 };
	struct source theirs = { .known = true, .ssrc = THEIRS };
	struct report_out o = { .ssrc = OURS, .source = &theirs };
	struct report r, there;
	uint8_t p[256];
	size_t n;
	(void)state;

	report_init(&r, "me", 1);
	report_init(&there, "they", 1);
	for (unsigned i = 0; i < 2; i++) {
		o.reduced = i;
		n = report_nack(&r, p, sizeof(p), &o, seqv, 2);
		assert_int_equal(p[1], i ? 205 : 201);
		assert_int_equal(n, i ? 16 : 8 + 16 + 16);
		assert_int_equal(report_read(&there, p, n, 1, 1, 1, THEIRS,
					     OURS), 0);
		assert_int_equal(there.nackn, 2);
		assert_int_equal(there.nackv[0], 7);
		assert_int_equal(there.nackv[1], 9);
		assert_int_equal(report_read(&there, p, n, 1, 1, 1, 4711,
					     OURS), 0);
		assert_int_equal(there.nackn, 0);
	}

	/* cut short, and without a source */
	p[3] = 1;
	assert_int_equal(report_read(&there, p, 8, 1, 1, 1, THEIRS, OURS),
			 EBADMSG);
	assert_int_equal(there.nackn, 0);
	o.source = NULL;
	assert_int_equal(report_nack(&r, p, sizeof(p), &o, seqv, 2), 0);
}


static void heard(struct nack *k, uint16_t from, uint16_t to, uint64_t ms)
{
	for (uint16_t s = from; s != (uint16_t)(to + 1); s++)
		assert_false(nack_heard(k, s, ms * 1000, 20000));
}


static void test_when_to_ask(void **state)
{
	struct nack k = { 0 };
	uint16_t v[NACK_MOST];
	(void)state;

	heard(&k, 65530, 65533, 1000);
	assert_int_equal(nack_due(&k, 1000000, 20000, 60000, v), 0);
	heard(&k, 2, 2, 1020);
	assert_int_equal(nack_due(&k, 1020000, 20000, 60000, v), 4);
	assert_int_equal(v[0], 65534);
	assert_int_equal(v[3], 1);
	assert_int_equal(nack_due(&k, 1030000, 20000, 60000, v), 0);

	/* one was only overtaken, another one is the answer */
	assert_false(nack_heard(&k, 65534, 1022000, 20000));
	assert_true(nack_heard(&k, 65535, 1045000, 20000));
	assert_false(nack_heard(&k, 65535, 1045000, 20000));
	assert_int_equal(k.came, 1);

	/* the others once more, if that can be of use */
	assert_int_equal(nack_due(&k, 1085000, 20000, 60000, v), 0);
	assert_int_equal(nack_due(&k, 1085000, 20000, 100000, v), 2);
	assert_int_equal(v[0], 0);
	assert_int_equal(nack_due(&k, 1160000, 20000, 400000, v), 0);
	assert_int_equal(k.asked, 4);

	/* a jump is no loss, and a long way is too long */
	heard(&k, 500, 500, 2000);
	assert_int_equal(nack_due(&k, 2000000, 20000, 60000, v), 0);
	heard(&k, 502, 502, 2020);
	assert_int_equal(nack_due(&k, 2020000, 151000, 60000, v), 0);
	assert_int_equal(nack_due(&k, 2020000, 150000, 60000, v), 1);
}


/* However much is lost, so many messages go out and no more */
static void test_messages(void **state)
{
	struct nack k = { 0 };
	uint16_t v[NACK_MOST];
	unsigned messages = 0;
	(void)state;

	for (unsigned i = 0; i < 1000; i++) {
		if (i % 2)
			(void)nack_heard(&k, (uint16_t)i, i * 20000, 1000);
		messages += nack_due(&k, i * 20000, 1000, 60000, v) > 0;
	}
	assert_in_range(messages, 190, 210);
}


static void test_hold(void **state)
{
	struct nack k = { 0 }, far;
	uint16_t v[NACK_MOST];
	(void)state;

	/* one alone is not worth it */
	heard(&k, 1, 1, 1000);
	heard(&k, 3, 3, 1040);
	assert_int_equal(nack_hold_ms(&k, 1040000, 20000, 20), 0);
	heard(&k, 5, 5, 1080);
	far = k;
	assert_int_equal(nack_hold_ms(&k, 1080000, 20000, 20), 90);

	/* nor when the peer is far */
	assert_int_equal(nack_hold_ms(&far, 1080000, 130000, 20), 0);

	/* what an answer takes is learnt */
	assert_int_equal(nack_due(&k, 1080000, 20000, 60000, v), 2);
	assert_true(nack_heard(&k, 2, 1105000, 20000));
	for (uint16_t s = 6; s < 90; s += 2) {
		const uint64_t at = 1100000 + s * 100000;

		assert_false(nack_heard(&k, (uint16_t)(s + 1), at, 20000));
		assert_int_equal(nack_due(&k, at, 20000, 60000, v), 1);
		assert_true(nack_heard(&k, s, at + 30000, 20000));

		/* the first was slow, and that is believed for five seconds */
		assert_in_range(nack_hold_ms(&k, at + 30000, 20000, 20),
				at < 6700000 ? 170 : 60,
				at < 7300000 ? 180 : 60);
	}
	assert_int_equal(nack_hold_ms(&k, 10100000, 20000, 20), 60);
	assert_int_equal(nack_hold_ms(&k, 30000000, 20000, 20), 0);

	/* answers that take now long, now not: as long as is bearable; and
	 * where all take longer it is not tried */
	for (unsigned i = 0; i < 2; i++) {
		for (uint16_t s = 90; s < 150; s += 2) {
			const uint16_t no = (uint16_t)(s + 60 * i);
			const uint64_t at = 20000000 + no * 100000;

			assert_false(nack_heard(&k, (uint16_t)(no + 1), at,
						20000));
			assert_int_equal(nack_due(&k, at, 20000, 60000, v),
					 1);
			assert_true(nack_heard(&k, no, at + 1000 *
					       (i || s % 4 ? 220 : 50),
					       20000));
		}
		assert_int_equal(nack_hold_ms(&k, 35000000 + 6000000 * i,
					      20000, 20), i ? 0 : 180);
	}
}


static void keep(struct again *a, uint16_t seq, size_t len)
{
	wire[2] = (uint8_t)(seq >> 8);
	wire[3] = (uint8_t)seq;
	wire[4] = (uint8_t)len;
	again_keep(a, wire, len);
}


static void test_again(void **state)
{
	struct again *a = NULL;
	const uint8_t *p;
	unsigned sent = 0;
	size_t len;
	(void)state;

	assert_int_equal(again_alloc(&a), 0);
	assert_null(again_take(a, 0, &len));

	for (uint16_t s = 0; s < 40; s++)
		keep(a, s, 50 + s);
	assert_null(again_take(a, 7, &len));           /* too old */
	assert_null(again_take(a, 40, &len));
	p = again_take(a, 30, &len);
	assert_non_null(p);
	assert_int_equal(len, 80);
	assert_int_equal(p[4], 80);
	assert_non_null(again_take(a, 30, &len));
	assert_null(again_take(a, 30, &len));          /* twice is enough */

	/* who asks for everything gets half, however often he asks */
	for (uint16_t s = 40; s < 1040; s++) {
		keep(a, s, 60);
		for (uint16_t i = 0; i < 20; i++)
			sent += again_take(a, (uint16_t)(s - i), &len) != NULL;
	}
	assert_in_range(sent, 450, 530);
	mem_deref(a);
}


/* One in ten of everything, both ways */
static int64_t lossy(struct rig *r, unsigned from, bool rtcp,
		     const uint8_t *p, size_t len)
{
	(void)from;
	(void)rtcp;
	(void)p;
	(void)len;

	return rig_rnd(r) < 0.1 ? -1 : 10000;
}


/* Behind a report or alone, in plain and protected: what is lost comes in
 * time, once it has been seen how long that takes; and when nothing is lost
 * any more nothing is waited for */
static void test_calls_that_lose(void **state)
{
	static const char *const codecs[] = { "pcmu", "opus" };
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		struct rig *r = rig_call(codecs[i]);
		struct stream_stats st[2], last;

		for (unsigned k = 0; k < 2; k++) {
			struct media_plan plan = rig_plan(codecs[i], 1 - k);

			plan.nack = true;
			plan.rtcp_rsize = i;
			if (i) {
				plan.secure.keying = MEDIA_KEYS_SDES;
				plan.secure.suite = &media_suite_table()[0];
				memset(plan.secure.tx, 1 + (int)k,
				       sizeof(plan.secure.tx));
				memset(plan.secure.rx, 2 - (int)k,
				       sizeof(plan.secure.rx));
			}
			rig_start(r, k, &plan);
			flow_set_source(r->ends[k].f, SOURCE_TONE, 440);
		}
		r->net_h = lossy;
		rig_run(r, 10000);
		flow_stats(r->ends[0].f, &st[0]);
		rig_run(r, 40000);
		flow_stats(r->ends[0].f, &st[1]);

		/* some of the questions and of the answers are lost as well */
		assert_in_range(st[1].asked - st[0].asked, 130, 280);
		assert_true(st[1].recovered - st[0].recovered >
			    (st[1].asked - st[0].asked) * 8 / 10);
		assert_true(st[1].lost - st[0].lost <
			    (st[1].asked - st[0].asked) * 2 / 10);
		assert_true(st[1].concealed_ms - st[0].concealed_ms <
			    20 * (st[1].asked - st[0].asked) / 4);
		assert_in_range(st[1].delay_ms, 40, 140);
		assert_in_range(st[1].resent, 100, 600);
		assert_int_equal(st[1].replayed, 0);
		assert_int_equal(st[1].forged, 0);
		assert_int_equal(st[1].discarded, 0);
		assert_int_equal(st[1].decode_errors, 0);

		r->net_h = NULL;
		flow_set_source(r->ends[1].f, SOURCE_SILENCE, 0.0);
		rig_run(r, 30000);
		flow_stats(r->ends[0].f, &last);
		assert_in_range(last.delay_ms, 1, 25);
		assert_true(last.asked - st[1].asked < 20);
		rig_free(r);
	}
}


/* Who has not agreed to it neither asks nor sends again */
static void test_not_agreed(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct stream_stats st;
	struct media_plan plan = rig_plan("pcmu", 1);
	(void)state;

	plan.nack = true;
	rig_start(r, 0, &plan);
	flow_set_source(r->ends[0].f, SOURCE_TONE, 440);
	flow_set_source(r->ends[1].f, SOURCE_TONE, 440);
	r->net_h = lossy;
	rig_run(r, 10000);
	flow_stats(r->ends[0].f, &st);
	assert_true(st.asked > 20);
	assert_int_equal(st.recovered, 0);
	assert_int_equal(st.resent, 0);
	flow_stats(r->ends[1].f, &st);
	assert_int_equal(st.asked, 0);
	assert_int_equal(st.resent, 0);

	/* it comes and goes in mid-call */
	plan.nack = false;
	rig_start(r, 0, &plan);
	rig_run(r, 1000);
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.asked, 0);
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_compound),
		cmocka_unit_test(test_when_to_ask),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_calls_that_lose),
		cmocka_unit_test(test_not_agreed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
