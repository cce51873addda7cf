/**
 * @file test_keep.c  What keeps a NAT open while nobody speaks (RFC 6263)
 */
#include "rig.h"


/* On hold it is empty, and of a type that means nothing */
static int64_t look_h(struct rig *r, unsigned from, bool rtcp,
		      const uint8_t *p, size_t len)
{
	struct rtp h;
	(void)from;

	if (!rtcp && r->ends[0].f->plan.dir == MEDIA_INACTIVE) {
		assert_int_equal(rtp_read(&h, p, len), 0);
		assert_int_equal(h.len, 0);
		assert_int_equal(h.pt, 127);
	}

	return -1;
}


static uint64_t sent(enum media_dir dir, bool mux, unsigned s)
{
	struct rig *r = rig_new();
	struct media_plan p = rig_plan("pcmu", 1);
	uint64_t n;

	rig_flow(r, 1);
	rig_flow(r, RIG_FLOWS);
	r->net_h = look_h;
	p.dir = dir;
	p.rtcp_mux = mux;
	rig_start(r, 0, &p);
	rig_run(r, 1000 * s);
	n = r->ends[0].rtp;
	rig_free(r);

	return n;
}


static void test_hold(void **state)
{
	(void)state;

	assert_in_range(sent(MEDIA_INACTIVE, false, 50), 3, 4);
	assert_in_range(sent(MEDIA_RECVONLY, false, 50), 3, 4);
	assert_int_equal(sent(MEDIA_INACTIVE, false, 10), 0);
}


/* Reports on the same port do it */
static void test_mux(void **state)
{
	(void)state;

	assert_int_equal(sent(MEDIA_INACTIVE, true, 50), 0);
}


/* Who speaks need not */
static void test_speech(void **state)
{
	(void)state;

	assert_in_range(sent(MEDIA_SENDRECV, false, 40), 1995, 2001);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_mux),
		cmocka_unit_test(test_speech),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
