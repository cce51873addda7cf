/**
 * @file test_rtcp.c  Reports: ours as others read them, others' as we do
 */
#include <string.h>
#include "rig.h"

enum { US = 0x11111111, THEM = 0x22222222 };


static struct report_out out_new(struct source *src)
{
	const struct report_out o = {
		.now_us = 1000000000, .wall_ms = 1700000000000ULL,
		.ssrc = US, .sender = true, .rtp_ts = 4711,
		.packets = 50, .bytes = 8000, .source = src
	};

	return o;
}


static struct source heard(unsigned n, unsigned lost)
{
	struct source s;

	source_init(&s, THEM, 8000, 65000);
	for (unsigned i = 0; i < n; i++) {
		if (i % 10 == 5 && lost) {
			--lost;
			continue;
		}
		source_heard(&s, (uint16_t)(65000 + i), i * 160,
			     1000000 + i * 20000, true);
	}

	return s;
}


static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		(uint32_t)p[2] << 8 | p[3];
}


static void test_sender_report(void **state)
{
	struct source src = heard(1000, 25);
	const struct report_out o = out_new(&src);
	struct report r;
	uint8_t p[256];
	size_t n;
	(void)state;

	report_init(&r, "me", o.now_us);
	n = report_build(&r, p, sizeof(p), &o);

	/* SR with one block, then SDES; whole words, lengths that add up */
	assert_int_equal(p[0], 0x81);
	assert_int_equal(p[1], 200);
	assert_int_equal(u32(p) & 0xffff, 12);
	assert_int_equal(u32(p + 4), US);
	assert_int_equal(u32(p + 8), 1700000000ULL + 2208988800ULL);
	assert_int_equal(u32(p + 16), 4711);
	assert_int_equal(u32(p + 20), 50);
	assert_int_equal(u32(p + 24), 8000);
	assert_int_equal(u32(p + 28), THEM);
	assert_int_equal(u32(p + 32) & 0xffffff, 25);
	assert_int_equal(p[32], 25 * 255 / 1000);
	assert_int_equal(u32(p + 36), 65999);
	assert_int_equal(u32(p + 40), 0);              /* no jitter */
	assert_int_equal(u32(p + 44), 0);              /* no SR yet */
	assert_int_equal(p[53], 202);
	assert_int_equal(n, 52 + 4 + 4 * (u32(p + 52) & 0xffff));
	assert_memory_equal(p + 60, "\1\2me\0", 5);
	assert_int_equal(n % 4, 0);

	/* libre reads it, too */
	struct mbuf *mb = mbuf_alloc(256);
	struct rtcp_msg *msg = NULL;

	assert_int_equal(mbuf_write_mem(mb, p, n), 0);
	mb->pos = 0;
	assert_int_equal(rtcp_decode(&msg, mb), 0);
	assert_int_equal(msg->hdr.pt, RTCP_SR);
	assert_int_equal(msg->r.sr.psent, 50);
	msg = mem_deref(msg);
	assert_int_equal(rtcp_decode(&msg, mb), 0);
	assert_int_equal(msg->hdr.pt, RTCP_SDES);
	mem_deref(msg);
	assert_int_equal(mbuf_get_left(mb), 0);
	mem_deref(mb);
}


static void test_receiver_report_and_bye(void **state)
{
	struct report_out o = out_new(NULL);
	struct report r, other;
	uint8_t p[256];
	size_t n;
	(void)state;

	o.sender = false;
	report_init(&r, "a-rather-long-name-at-some-host.example.com-01234",
		    o.now_us);
	n = report_bye(&r, p, sizeof(p), &o);
	assert_int_equal(p[0], 0x80);
	assert_int_equal(p[1], 201);
	assert_int_equal(n % 4, 0);
	assert_int_equal(p[n - 7], 203);
	assert_int_equal(u32(p + n - 4), US);

	/* the other side takes it for a good-bye, a third party's not */
	report_init(&other, "x", 0);
	assert_int_equal(report_read(&other, p, n, 1, 1, 1, THEM, 0x999), 0);
	assert_false(other.bye);
	assert_int_equal(report_read(&other, p, n, 1, 1, 1, THEM, US), 0);
	assert_true(other.bye);
}


static void test_round_trip(void **state)
{
	struct source src = heard(100, 0);
	struct report a, b;
	struct report_out o = out_new(&src);
	uint64_t now = 5000000000, wall = 1700000000000ULL;
	uint8_t p[256];
	size_t n;
	(void)state;

	report_init(&a, "a", now);
	report_init(&b, "b", now);

	/* A reports; 40 ms later B has it; 2 s later B reports; 60 ms later
	 * that is back, and 7 ms later it is read */
	o.now_us = now;
	o.wall_ms = wall;
	n = report_build(&a, p, sizeof(p), &o);
	assert_int_equal(report_read(&b, p, n, now + 40000, wall + 40,
				     now + 40000, THEM, US), 0);

	source_init(&src, US, 8000, 1);
	o.ssrc = THEM;
	o.now_us = now + 2040000;
	o.wall_ms = wall + 2040 + 123456;        /* B's wall is wrong */
	n = report_build(&b, p, sizeof(p), &o);
	assert_int_equal(report_read(&a, p, n, now + 2100000, wall + 2107,
				     now + 2107000, US, THEM), 0);
	assert_in_range(a.rtt_us, 98000, 102000);
	assert_true(a.remote_known);

	/* A is another source now: its report of before is not its own */
	a.rtt_us = 0;
	source_init(&src, US + 1, 8000, 1);
	n = report_build(&b, p, sizeof(p), &o);
	assert_int_equal(u32(p + 28), US + 1);
	assert_int_equal(u32(p + 44), 0);
	assert_int_equal(u32(p + 48), 0);
	assert_int_equal(report_read(&a, p, n, now + 2100000, wall + 2107,
				     now + 2107000, US + 1, THEM), 0);
	assert_int_equal(a.rtt_us, 0);
}


/* Who sends nothing says so; a third party does not say it for our peer */
static void test_idle(void **state)
{
	struct report_out o = out_new(NULL);
	struct report a, b;
	uint8_t p[256];
	size_t n;
	(void)state;

	report_init(&a, "a", 0);
	report_init(&b, "b", 0);

	n = report_build(&a, p, sizeof(p), &o);
	assert_int_equal(report_read(&b, p, n, 1000, 1, 1, THEM, US), 0);
	assert_int_equal(b.idle_us, 0);

	o.sender = false;
	n = report_build(&a, p, sizeof(p), &o);
	assert_int_equal(report_read(&b, p, n, 2000, 1, 1, THEM, 0x999), 0);
	assert_int_equal(b.idle_us, 0);
	assert_int_equal(report_read(&b, p, n, 3000, 1, 1, THEM, US), 0);
	assert_int_equal(b.idle_us, 3000);
}


static void test_interval(void **state)
{
	struct report r;
	struct report_out o = out_new(NULL);
	uint8_t p[256];
	uint64_t least = UINT64_MAX, most = 0;
	(void)state;

	for (unsigned i = 0; i < 300; i++) {
		report_init(&r, "x", 1000);
		assert_in_range(r.due_us - 1000, 1000000, 3200000);
		(void)report_build(&r, p, sizeof(p), &o);
		if (r.due_us - o.now_us < least)
			least = r.due_us - o.now_us;
		if (r.due_us - o.now_us > most)
			most = r.due_us - o.now_us;
	}

	/* half to one and a half times five seconds, over e - 3/2 */
	assert_in_range(least, 2052000, 2500000);
	assert_in_range(most, 5700000, 6157000);
}


/* Each part alone is understood (RFC 5506) */
static void test_alone(void **state)
{
	struct source src = heard(100, 3);
	const struct report_out o = out_new(&src);
	struct report made, r;
	uint8_t p[256];
	size_t n;
	(void)state;

	report_init(&made, "me", 0);
	n = report_bye(&made, p, sizeof(p), &o);

	report_init(&r, "x", 0);
	assert_int_equal(report_read(&r, p, 52, 1, 1, 1, THEM, 0), 0);
	assert_int_equal(r.remote_lost, 3);
	assert_int_equal(report_read(&r, p + 52, n - 60, 1, 1, 1, THEM, 0), 0);
	assert_false(r.bye);
	assert_int_equal(report_read(&r, p + n - 8, 8, 1, 1, 1, THEM, 0), 0);
	assert_true(r.bye);
	assert_int_equal(r.malformed, 0);
}


/* Where the peer takes that: our name at first, and in each third */
static void test_reduced(void **state)
{
	struct source src = heard(100, 3);
	struct report_out o = out_new(&src);
	struct report made, r;
	uint8_t p[256];
	(void)state;

	o.reduced = true;
	report_init(&made, "me", 0);
	for (unsigned i = 0; i < 10; i++) {
		const size_t n = report_build(&made, p, sizeof(p), &o);

		assert_int_equal(n, i % 3 ? 52 : 52 + 16);
		report_init(&r, "x", 0);
		assert_int_equal(report_read(&r, p, n, 1, 1, 1, THEM, 0), 0);
		assert_true(r.remote_known);
	}
	assert_int_equal(report_bye(&made, p, sizeof(p), &o), 52 + 16 + 8);
}


static void test_malformed(void **state)
{
	struct source src = heard(100, 3);
	const struct report_out o = out_new(&src);
	struct report made, r;
	uint8_t p[256], q[256];
	size_t n;
	(void)state;

	report_init(&made, "me", 0);
	n = report_bye(&made, p, sizeof(p), &o);

	/* every length but the right one */
	for (size_t len = 0; len < n; len++) {
		uint8_t *exact = malloc(len ? len : 1);
		struct report was;

		memcpy(exact, p, len);
		report_init(&r, "x", 0);
		was = r;
		if (report_read(&r, exact, len, 1, 1, 1, THEM, 0)) {
			assert_int_equal(r.malformed, 1);
			r.malformed = 0;
			assert_memory_equal(&r, &was, sizeof(r));
		}
		free(exact);
	}

	/* every bit turned */
	for (size_t i = 0; i < n * 8; i++) {
		memcpy(q, p, n);
		q[i / 8] ^= (uint8_t)(1 << i % 8);
		report_init(&r, "x", 0);
		(void)report_read(&r, q, n, 1, 1, 1, THEM, 0);
	}

	/* what is no kind of report, beside one that is; and nothing */
	report_init(&r, "x", 0);
	memcpy(q, p + n - 8, 8);
	for (unsigned type = 0; type < 256; type++) {
		if (type >= 200 && type <= 207)
			continue;
		q[1] = (uint8_t)type;
		assert_int_equal(report_read(&r, q, 8, 1, 1, 1, THEM, 0),
				 EBADMSG);
	}
	assert_int_equal(report_read(&r, p, 0, 1, 1, 1, THEM, 0), EBADMSG);

	/* too little room: nothing is written */
	assert_int_equal(report_build(&made, q, 100, &o), 0);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sender_report),
		cmocka_unit_test(test_receiver_report_and_bye),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_reduced),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
