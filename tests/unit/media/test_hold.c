/**
 * @file test_hold.c  Hold in all its forms, and when somebody is missed
 */
#include <string.h>
#include "rig.h"

enum { SECOND = 8000 };

static int16_t v[48000 * 4];
static bool dumb[RIG_FLOWS], no_reports;


static int64_t cut(struct rig *r, unsigned from, bool rtcp,
		   const uint8_t *p, size_t len)
{
	(void)r;
	(void)p;
	(void)len;

	return (rtcp ? no_reports : dumb[from]) ? -1 : 0;
}


static struct rig *call(void)
{
	struct rig *r = rig_call("pcmu");

	memset(dumb, 0, sizeof(dumb));
	no_reports = false;
	r->net_h = cut;
	flow_set_source(r->ends[0].f, SOURCE_TONE, 700.0);
	flow_set_source(r->ends[1].f, SOURCE_TONE, 440.0);
	rig_run(r, 1000);

	return r;
}


static void test_hold(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct media_plan plan = rig_plan("pcmu", 1);
	struct stream_stats st;
	uint64_t rtp, rtcp;
	uint32_t ts;
	size_t n;
	(void)state;

	rig_run(r, 1000);
	rtp = r->ends[0].rtp;
	ts = r->ends[0].f->tx.ts;

	/* nothing but reports while it is held, and what keeps a NAT open;
	 * time goes on */
	plan.dir = MEDIA_INACTIVE;
	rig_start(r, 0, &plan);
	rtcp = r->ends[0].rtcp;
	rig_run(r, 20000);
	assert_int_equal(r->ends[0].rtp, rtp + 1);
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


/* How loud the other end's tone is heard in the next second */
static double hears(struct rig *r, unsigned no, double hz)
{
	size_t n;

	rig_run(r, 300);
	if (r->ends[no].tap.ring)
		ring_free(r->ends[no].tap.ring);
	rig_listen(r, no, 2);
	rig_run(r, 1000);
	n = rig_heard(r, no, v, NULL, COUNT(v));

	return goertzel(v, n, hz, SECOND);
}


/* What is sent and heard in each direction, and that nobody is missed */
static void test_directions(void **state)
{
	static const struct {
		enum media_dir dir;
		bool sends, hears;
	} forms[] = {
		{ MEDIA_INACTIVE, false, false },
		{ MEDIA_SENDONLY, true, false },
		{ MEDIA_RECVONLY, false, true },
	};
	(void)state;

	for (unsigned i = 0; i < COUNT(forms); i++) {
		struct rig *r = call();
		struct media_plan plan = rig_plan("pcmu", 1);
		struct stream_stats st;
		uint64_t rtp, rtcp;

		plan.dir = forms[i].dir;
		rig_start(r, 0, &plan);
		rig_run(r, 100);
		rtp = r->ends[0].rtp;
		rtcp = r->ends[0].rtcp;

		/* the other goes on speaking, as with music on hold */
		assert_int_equal(hears(r, 0, 440.0) > -20.0, forms[i].hears);
		assert_int_equal(r->ends[0].rtp > rtp, forms[i].sends);

		/* or is silent, and sends no report either */
		dumb[1] = no_reports = true;
		rig_run(r, 60000);
		assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 0);
		assert_true(r->ends[0].rtcp > rtcp + 5);
		flow_stats(r->ends[0].f, &st);
		assert_int_equal(st.lost, 0);

		/* from the resume on it is expected again */
		plan.dir = MEDIA_SENDRECV;
		rig_start(r, 0, &plan);
		rig_run(r, 4900);
		assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 0);
		rig_run(r, 200);
		assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 1);
		dumb[1] = false;
		assert_true(hears(r, 0, 440.0) > -20.0);
		assert_true(hears(r, 1, 700.0) > -20.0);
		assert_int_equal(rig_posts(r, 0, STREAM_RESUMED), 1);
		rig_free(r);
	}
}


/* Held by 0.0.0.0, as in RFC 2543: nothing goes out, what comes is heard, and
 * the peer is still the one it was */
static void test_black_hole(void **state)
{
	struct rig *r = call();
	struct media_plan plan = rig_plan("pcmu", 1);
	const struct sa peer = plan.rtp;
	struct stream_stats st;
	struct pump p;
	uint64_t rtp;
	(void)state;

	assert_int_equal(sa_set_str(&plan.rtp, "0.0.0.0",
				    sa_port(&peer)), 0);
	sa_init(&plan.rtcp, AF_UNSPEC);
	plan.dir = MEDIA_RECVONLY;
	dumb[1] = true;
	rig_run(r, 10);
	rig_start(r, 0, &plan);
	rig_run(r, 100);
	rtp = r->ends[0].rtp;

	/* a stranger does not take its place */
	pump_open(&p, r, 0, "pcmu", 0.0);
	assert_int_equal(sa_set_str(&p.from, "198.51.100.7", 4000), 0);
	for (unsigned i = 0; i < 10; i++)
		pump_send(&p, clock_us());
	mem_deref(p.enc);
	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.foreign, 10);
	assert_true(sa_cmp(&st.remote, &peer, SA_ALL));

	dumb[1] = false;
	assert_true(hears(r, 0, 440.0) > -20.0);
	assert_int_equal(r->ends[0].rtp, rtp);

	dumb[1] = no_reports = true;
	rig_run(r, 60000);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 0);

	plan = rig_plan("pcmu", 1);
	dumb[1] = false;
	rig_start(r, 0, &plan);
	assert_true(hears(r, 0, 440.0) > -20.0);
	assert_true(hears(r, 1, 700.0) > -20.0);
	assert_int_equal(rig_posts(r, 0, STREAM_MOVED), 0);
	rig_free(r);
}


static void test_timeout(void **state)
{
	struct rig *r = call();
	(void)state;

	dumb[1] = true;
	rig_run(r, 4900);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 0);

	/* its reports say that it sends: what it says does not arrive */
	rig_run(r, 200);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 1);
	assert_true(r->ends[1].rtcp > 0);
	rig_run(r, 10000);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 1);

	dumb[1] = false;
	rig_run(r, 100);
	assert_int_equal(rig_posts(r, 0, STREAM_RESUMED), 1);
	assert_int_equal(rig_posts(r, 1, STREAM_TIMEOUT), 0);
	rig_free(r);
}


/* A peer that sends reports only, and says in them that it is silent */
static void test_reports_only(void **state)
{
	struct rig *r = call();
	struct media_plan plan = rig_plan("pcmu", 0);
	(void)state;

	/* longer than from one report to the next */
	r->ends[0].f->timeout_ms = 10000;
	plan.dir = MEDIA_INACTIVE;
	rig_start(r, 1, &plan);
	rig_run(r, 60000);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 0);

	no_reports = true;
	rig_run(r, 10100);
	assert_int_equal(rig_posts(r, 0, STREAM_TIMEOUT), 1);
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_reports_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
