/**
 * @file test_red.c  Redundant audio (RFC 2198): bytes, and calls that lose
 */
#include "rig.h"
#include "red.h"


static const uint8_t one[] = { 1, 2, 3 }, two[] = { 9, 8 };


static void test_bytes(void **state)
{
	/* the headers of RFC 2198 section 3: F, type, offset, length */
	static const uint8_t want[] = {
		0x80 | 8, 160 >> 6, (160 << 2 & 0xff) | 0, 3, 0,
		1, 2, 3, 9, 8
	};
	const struct red_block v[2] = {
		{ .pt = 8, .back = 160, .p = one, .len = 3 },
		{ .pt = 0, .p = two, .len = 2 },
	};
	struct red_block got[RED_BLOCKS];
	uint8_t p[64];
	(void)state;

	assert_int_equal(red_write(p, sizeof(p), v, 2), sizeof(want));
	assert_memory_equal(p, want, sizeof(want));

	assert_int_equal(red_read(got, p, sizeof(want)), 2);
	assert_int_equal(got[0].pt, 8);
	assert_int_equal(got[0].back, 160);
	assert_int_equal(got[0].len, 3);
	assert_memory_equal(got[0].p, one, 3);
	assert_int_equal(got[1].pt, 0);
	assert_int_equal(got[1].back, 0);
	assert_int_equal(got[1].len, 2);
	assert_memory_equal(got[1].p, two, 2);

	/* the packet alone */
	assert_int_equal(red_write(p, sizeof(p), v + 1, 1), 3);
	assert_int_equal(red_read(got, p, 3), 1);
	assert_int_equal(got[0].len, 2);
}


static void test_what_cannot_be_said(void **state)
{
	struct red_block v[2] = {
		{ .pt = 0, .back = 160, .p = one, .len = 3 },
		{ .pt = 0, .p = two, .len = 2 },
	};
	uint8_t p[64];
	(void)state;

	assert_int_equal(red_write(p, 9, v, 2), 0);
	assert_int_equal(red_write(p, 10, v, 2), 10);
	v[0].back = RED_BACK_MAX + 1;
	assert_int_equal(red_write(p, sizeof(p), v, 2), 0);
	v[0].back = 160;
	v[0].len = RED_LEN_MAX + 1;
	assert_int_equal(red_write(p, 2000, v, 2), 0);
	assert_int_equal(red_write(p, sizeof(p), v, 0), 0);
}


static void test_malformed(void **state)
{
	struct red_block v[RED_BLOCKS];
	uint8_t p[64];
	(void)state;

	memset(p, 0x80, sizeof(p));
	assert_int_equal(red_read(v, p, 0), 0);
	for (size_t n = 1; n < sizeof(p); n++)
		assert_int_equal(red_read(v, p, n), 0);

	/* a length beyond the end */
	assert_int_equal(red_read(v, (const uint8_t *)"\x80\x02\x80\x05\x00"
				  "abcd", 9), 0);
	assert_int_equal(red_read(v, (const uint8_t *)"\x80\x02\x80\x04\x00"
				  "abcd", 9), 2);
}


/* One in ten, reports come through */
static int64_t lossy(struct rig *r, unsigned from, bool rtcp,
		     const uint8_t *p, size_t len)
{
	(void)from;
	(void)p;
	(void)len;

	return !rtcp && rig_rnd(r) < 0.1 ? -1 : 15000;
}


static struct stream_stats stats(struct rig *r, unsigned no)
{
	struct stream_stats st;

	flow_stats(r->ends[no].f, &st);

	return st;
}


static void lose(struct rig *r, const char *codec, bool red)
{
	for (unsigned i = 0; i < 2; i++) {
		struct media_plan plan = rig_plan(codec, 1 - i);

		if (red)
			plan.red_send = plan.red_recv = 121;
		rig_start(r, i, &plan);
		flow_set_source(r->ends[i].f, SOURCE_TONE, 440);
	}
	r->net_h = lossy;
	rig_run(r, 60000);
}


/* Reports tell of loss, copies go along, and little is left to make up */
static void test_calls_that_lose(void **state)
{
	static const char *const codecs[] = { "pcmu", "g722" };
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct rig *r;
		struct stream_stats st;
		uint64_t bytes;

		if (!codec_find(codecs[i]))
			continue;

		r = rig_call(codecs[i]);
		lose(r, codecs[i], false);
		st = stats(r, 0);
		assert_int_equal(st.recovered, 0);
		assert_true(st.concealed_ms > 4000);
		bytes = st.bytes_sent / st.packets_sent;
		rig_free(r);

		r = rig_call(codecs[i]);
		lose(r, codecs[i], true);
		st = stats(r, 0);

		/* what is lost twice in a row is, and the first seconds are */
		assert_true(st.lost > 200);
		assert_true(st.recovered > st.lost * 3 / 4);
		assert_true(st.concealed_ms < 20 * st.lost / 4);
		assert_true(st.bytes_sent / st.packets_sent > bytes * 3 / 2);
		assert_int_equal(st.duplicate, 0);
		assert_int_equal(st.decode_errors, 0);
		assert_int_equal(st.discarded, 0);
		rig_free(r);
	}
}


/* Losses come two and three at a time; reports come through */
static bool in_run[2];

static int64_t bursty(struct rig *r, unsigned from, bool rtcp,
		      const uint8_t *p, size_t len)
{
	(void)p;
	(void)len;

	if (rtcp)
		return 15000;
	in_run[from] = rig_rnd(r) < (in_run[from] ? 0.5 : 0.02);

	return in_run[from] ? -1 : 15000;
}


/* A call through that, as the plan's copy says. @return what one end heard */
static struct stream_stats through_bursts(const struct media_plan *like,
					  unsigned ms)
{
	struct rig *r = rig_call(like->codec->name);
	struct stream_stats st;

	for (unsigned i = 0; i < 2; i++) {
		struct media_plan plan = rig_plan(like->codec->name, 1 - i);

		plan.red_send = plan.red_recv = like->red_send;
		plan.xr = like->xr;
		plan.param.fec = like->param.fec;
		rig_start(r, i, &plan);
		flow_set_source(r->ends[i].f, SOURCE_TONE, 440);
	}
	in_run[0] = in_run[1] = false;
	r->net_h = bursty;
	rig_run(r, ms);
	st = stats(r, 0);
	assert_int_equal(st.decode_errors, 0);
	assert_int_equal(st.discarded, 0);
	rig_free(r);

	return st;
}


/* Who hears of bursts sends more copies, and they are waited for */
static void test_bursts(void **state)
{
	struct stream_stats st[2];
	(void)state;

	for (unsigned xr = 0; xr < 2; xr++) {
		struct media_plan like = rig_plan("pcmu", 0);

		like.red_send = 121;
		like.xr = xr;
		st[xr] = through_bursts(&like, 120000);
		assert_in_range(st[xr].lost, 150, 500);
	}

	/* runs of two, on average: one copy brings the last of each, three
	 * bring seven of eight; the first reports take their time */
	assert_true(st[0].recovered < st[0].lost * 55 / 100);
	assert_true(st[1].recovered > st[1].lost * 62 / 100);
	assert_true(st[1].bytes_sent > st[0].bytes_sent * 3 / 2);
}


/* Opus: what its own copies do not mend comes along from farther back */
static void test_opus(void **state)
{
	struct stream_stats st[2];
	(void)state;

	for (unsigned red = 0; red < 2; red++) {
		struct media_plan like = rig_plan("opus", 0);

		like.param.fec = like.xr = true;
		like.red_send = red ? 121 : 0;
		st[red] = through_bursts(&like, 60000);
		assert_in_range(st[red].lost, 60, 300);
	}

	assert_int_equal(st[0].recovered, 0);
	assert_true(st[1].recovered > st[1].lost / 2);
	assert_true(st[1].concealed_ms < st[0].concealed_ms / 2);

	/* one copy, not three */
	assert_true(st[1].bytes_sent < 5 * st[0].bytes_sent / 2);
}


/* While nothing is missed nothing is sent twice */
static void test_none_without_loss(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct stream_stats st;
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		struct media_plan plan = rig_plan("pcmu", 1 - i);

		plan.red_send = plan.red_recv = 121;
		rig_start(r, i, &plan);
	}
	rig_run(r, 20000);
	st = stats(r, 0);
	assert_true(st.packets_sent > 990);
	assert_int_equal(st.bytes_sent, 160 * st.packets_sent);
	rig_free(r);
}


/* Silence is told, not sent, and heard as noise */
static void test_comfort_noise(void **state)
{
	struct rig *r = rig_call("pcmu");
	struct stream_stats st;
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		struct media_plan plan = rig_plan("pcmu", 1 - i);

		plan.cn_send = plan.cn_recv = 13;
		rig_start(r, i, &plan);
		flow_set_source(r->ends[i].f, SOURCE_SILENCE, 0);
	}
	rig_run(r, 10000);
	st = stats(r, 1);
	assert_in_range(st.packets_received, 20, 60);
	assert_int_equal(st.lost, 0);
	assert_int_equal(st.concealed_ms, 0);
	assert_int_equal(st.discarded, 0);
	assert_int_equal(rig_posts(r, 1, STREAM_TIMEOUT), 0);

	/* and speech comes through from its begin */
	flow_set_source(r->ends[0].f, SOURCE_TONE, 440);
	rig_run(r, 2000);
	st = stats(r, 1);
	assert_true(st.packets_received > 110);
	assert_true(st.level_in_dbfs > -12);
	assert_int_equal(st.concealed_ms, 0);
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_what_cannot_be_said),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_calls_that_lose),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_opus),
		cmocka_unit_test(test_none_without_loss),
		cmocka_unit_test(test_comfort_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
