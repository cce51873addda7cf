/**
 * @file test_dtls.c  Handshakes between two ends in memory: lost and forged
 * datagrams, fingerprints that do not fit; and flows that get their keys so
 */
#include <string.h>
#include <unistd.h>
#include "dtls.h"
#include "srtp.h"
#include "rig.h"

enum { QUEUE = 64 };

/** One end, and what is on the way to it */
struct end {
	struct dtls_id *id;
	struct dtls *d;
	struct end *other;
	uint8_t q[QUEUE][2048];
	size_t len[QUEUE];
	unsigned n;
	unsigned sent;
	size_t largest;
	bool (*lose_h)(unsigned no);     /* datagrams it sends              */
};


static void send_h(const uint8_t *p, size_t len, void *arg)
{
	struct end *e = arg;
	struct end *o = e->other;
	const unsigned no = e->sent++;

	assert_true(len <= sizeof(o->q[0]));
	if (len > e->largest)
		e->largest = len;
	if ((e->lose_h && e->lose_h(no)) || o->n == QUEUE)
		return;

	memcpy(o->q[o->n], p, len);
	o->len[o->n++] = len;
}


static void pair(struct end *a, struct end *b)
{
	struct media_print pa, pb;

	memset(a, 0, sizeof(*a));
	memset(b, 0, sizeof(*b));
	a->other = b;
	b->other = a;
	assert_int_equal(dtls_id_alloc(&a->id), 0);
	assert_int_equal(dtls_id_alloc(&b->id), 0);
	dtls_id_print(a->id, &pa);
	dtls_id_print(b->id, &pb);
	assert_memory_not_equal(pa.v, pb.v, 32);
	assert_int_equal(dtls_alloc(&a->d, a->id, true, &pb, send_h, a), 0);
	assert_int_equal(dtls_alloc(&b->d, b->id, false, &pa, send_h, b), 0);
}


static void unpair(struct end *a, struct end *b)
{
	mem_deref(a->d);
	mem_deref(b->d);
	mem_deref(a->id);
	mem_deref(b->id);
}


static bool settled(const struct end *e)
{
	return dtls_state(e->d) == DTLS_DONE || dtls_state(e->d) == DTLS_FAILED;
}


static void deliver(struct end *e)
{
	for (unsigned i = 0; i < e->n; i++)
		dtls_recv(e->d, e->q[i], e->len[i]);
	e->n = 0;
}


/* Until both know, for so many milliseconds of real time at most */
static void run(struct end *a, struct end *b, unsigned ms)
{
	const uint64_t end = clock_us() + 1000ull * ms;

	dtls_start(a->d);
	dtls_start(b->d);
	while (!(settled(a) && settled(b)) && clock_us() < end) {
		if (!a->n && !b->n) {
			(void)usleep(5000);
			dtls_poll(a->d);
			dtls_poll(b->d);
		}
		deliver(a);
		deliver(b);
	}
}


static void same_keys(struct end *a, struct end *b)
{
	uint8_t atx[MEDIA_KEY_MAX], arx[MEDIA_KEY_MAX];
	uint8_t btx[MEDIA_KEY_MAX], brx[MEDIA_KEY_MAX];
	const struct media_suite *sa, *sb;

	assert_int_equal(dtls_keys(a->d, &sa, atx, arx), 0);
	assert_int_equal(dtls_keys(b->d, &sb, btx, brx), 0);
	assert_ptr_equal(sa, sb);
	assert_string_equal(sa->name, "AEAD_AES_256_GCM");
	assert_memory_equal(atx, brx, sa->key_len + sa->salt_len);
	assert_memory_equal(arx, btx, sa->key_len + sa->salt_len);
	assert_memory_not_equal(atx, arx, 16);
}


static void test_handshake(void **state)
{
	struct end a, b;
	(void)state;

	pair(&a, &b);
	run(&a, &b, 10000);
	same_keys(&a, &b);
	assert_true(a.largest <= DTLS_MTU && b.largest <= DTLS_MTU);
	dtls_end(a.d);
	deliver(&b);
	unpair(&a, &b);
}


static bool lose_third(unsigned no)
{
	return no % 3 == 1;
}


static bool lose_first(unsigned no)
{
	return no < 2;
}


/* What gets lost is said again; the last flight too, when it was both over */
static void test_loss(void **state)
{
	static bool (*const ways[])(unsigned) = { lose_third, lose_first };
	(void)state;

	for (unsigned i = 0; i < COUNT(ways); i++) {
		struct end a, b;

		pair(&a, &b);
		a.lose_h = b.lose_h = ways[i];
		run(&a, &b, 20000);
		same_keys(&a, &b);
		unpair(&a, &b);
	}
}


static void test_wrong_print(void **state)
{
	struct media_print p;
	struct end a, b;
	(void)state;

	pair(&a, &b);
	dtls_id_print(b.id, &p);
	p.v[31] ^= 1;
	mem_deref(a.d);
	assert_int_equal(dtls_alloc(&a.d, a.id, true, &p, send_h, &a), 0);
	run(&a, &b, 10000);
	assert_int_equal(dtls_state(a.d), DTLS_FAILED);
	assert_non_null(strstr(dtls_error(a.d), "certificate"));
	unpair(&a, &b);

	/* none at all fits nobody */
	pair(&a, &b);
	memset(&p, 0, sizeof(p));
	mem_deref(a.d);
	assert_int_equal(dtls_alloc(&a.d, a.id, true, &p, send_h, &a), 0);
	run(&a, &b, 10000);
	assert_int_equal(dtls_state(a.d), DTLS_FAILED);
	unpair(&a, &b);
}


/* Nonsense in between does not hinder it */
static void test_garbage(void **state)
{
	struct end a, b;
	uint32_t rnd = 1;
	uint8_t p[200];
	(void)state;

	pair(&a, &b);
	dtls_start(a.d);
	dtls_start(b.d);
	for (unsigned round = 0; round < 30; round++) {
		for (unsigned i = 0; i < sizeof(p); i++)
			p[i] = (uint8_t)((rnd = rnd * 1664525 + 1013904223)
					 >> 24);
		/* handshake records of a length that fits, with nonsense */
		p[0] = (uint8_t)(20 + round % 4);
		p[1] = 0xfe;
		p[2] = 0xfd;
		p[3] = 0;
		p[4] = 1;
		p[11] = 0;
		p[12] = sizeof(p) - 13;
		dtls_recv(a.d, p, sizeof(p));
		dtls_recv(b.d, p, 13 + round);
		if (!(settled(&a) && settled(&b))) {
			deliver(&a);
			deliver(&b);
		}
	}
	run(&a, &b, 10000);
	same_keys(&a, &b);
	unpair(&a, &b);
}


/* Two ends that begin a call with keys by DTLS */
static struct rig *call(struct dtls_id *id[2], rig_net_h *net_h, bool mux)
{
	struct rig *r = rig_new();
	struct media_print print[2];

	r->net_h = net_h;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(dtls_id_alloc(&id[i]), 0);
		dtls_id_print(id[i], &print[i]);
		rig_flow(r, 1 - i);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct media_plan p = rig_plan("pcmu", 1 - i);

		p.secure.keying = MEDIA_KEYS_DTLS;
		p.secure.active = i == 0;
		p.secure.print = print[1 - i];
		p.rtcp_mux = mux;
		r->ends[i].f->dtls_id = id[i];
		rig_start(r, i, &p);
	}

	return r;
}


static void hang_up(struct rig *r, struct dtls_id *id[2])
{
	rig_free(r);
	mem_deref(id[0]);
	mem_deref(id[1]);
}


static void test_flows(void **state)
{
	struct dtls_id *id[2];
	struct rig *r = call(id, NULL, false);
	struct stream_stats st;
	(void)state;

	rig_run(r, 1000);

	for (unsigned i = 0; i < 2; i++) {
		flow_stats(r->ends[i].f, &st);
		assert_in_range(st.packets_received, 35, 51);
		assert_int_equal(st.forged, 0);
		assert_string_equal(st.suite->name, "AEAD_AES_256_GCM");
		assert_int_equal(rig_posts(r, i, STREAM_SECURED), 1);
		assert_int_equal(rig_posts(r, i, STREAM_INSECURE), 0);
	}
	hang_up(r, id);
}


static const struct shield *reports_shield(const struct rig *r, unsigned i)
{
	return transport_shield(&r->ends[i].f->tp, true);
}


/* Reports on a port of their own have keys of their own (RFC 5764 3), on that
 * of the sound they have the sound's */
static void test_flow_reports(void **state)
{
	(void)state;

	for (unsigned mux = 0; mux < 2; mux++) {
		struct dtls_id *id[2];
		struct rig *r = call(id, NULL, mux);

		rig_run(r, 12000);
		for (unsigned i = 0; i < 2; i++) {
			const struct flow *f = r->ends[i].f;
			struct stream_stats st;

			flow_stats(f, &st);
			assert_true(f->rtcp.remote_count > 0);
			assert_int_equal(st.forged, 0);
			assert_int_equal(rig_posts(r, i, STREAM_SECURED), 1);
			assert_true(shield_ready(reports_shield(r, i)));
			assert_int_equal(reports_shield(r, i) == f->tp.shield,
					 mux);
		}
		hang_up(r, id);
	}
}


static int64_t no_reports(struct rig *r, unsigned from, bool rtcp,
			  const uint8_t *p, size_t len)
{
	(void)r;
	(void)from;
	(void)p;
	(void)len;

	return rtcp ? -1 : 0;
}


/* Their port is deaf: the call goes on, and nothing goes out in plain */
static void test_flow_no_reports(void **state)
{
	struct dtls_id *id[2];
	struct rig *r = call(id, no_reports, false);
	(void)state;

	rig_run(r, 20000);
	for (unsigned i = 0; i < 2; i++) {
		const struct flow *f = r->ends[i].f;
		struct stream_stats st;

		flow_stats(f, &st);
		assert_true(st.packets_received > 900);
		assert_int_equal(f->rtcp.remote_count, 0);
		assert_false(shield_ready(reports_shield(r, i)));
		assert_int_equal(rig_posts(r, i, STREAM_SECURED), 1);
		assert_int_equal(rig_posts(r, i, STREAM_INSECURE), 0);
	}
	hang_up(r, id);
}


/* Only what is sent to the other end arrives there */
static int64_t to_peer(struct rig *r, unsigned from, bool rtcp,
		       const uint8_t *p, size_t len)
{
	const struct sa peer = rig_addr(1 - from);
	(void)p;
	(void)len;

	return rtcp || sa_cmp(&r->ends[from].dst, &peer, SA_ALL) ? 0 : -1;
}


/* What an association that is gone left on the way, or a stranger sends,
 * before ours has begun: it is still begun with who was named */
static void test_flow_left_over(void **state)
{
	static const uint8_t type[] = { 21, 20, 23, 22 };
	(void)state;

	for (unsigned k = 0; k < 2 * sizeof(type); k++) {
		struct rig *r = rig_new();
		struct media_print print[2];
		struct dtls_id *id[2];
		struct sa other = rig_addr(5);
		uint8_t b[60] = { type[k / 2], 0xfe, 0xfd, 0, k < 2, [12] = 47 };
		struct packet p = {
			.p = b, .len = sizeof(b), .from = &other,
			.arrival_us = clock_us()
		};

		r->net_h = to_peer;
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(dtls_id_alloc(&id[i]), 0);
			dtls_id_print(id[i], &print[i]);
			rig_flow(r, 1 - i);
		}
		for (unsigned i = 0; i < 2; i++) {
			struct media_plan plan = rig_plan("pcmu", 1 - i);

			plan.secure.keying = MEDIA_KEYS_DTLS;
			plan.secure.active = i == 0;
			plan.secure.print = print[1 - i];
			r->ends[i].f->dtls_id = id[i];
			rig_start(r, i, &plan);

			/* the one that begins, or the one that waits */
			if (i == k % 2)
				flow_packet(r->ends[i].f, &p);
		}
		rig_run(r, 1000);

		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(rig_posts(r, i, STREAM_SECURED), 1);
		rig_free(r);
		mem_deref(id[0]);
		mem_deref(id[1]);
	}
}


/* Somebody else's certificate: never a packet, and it is told */
static void test_flow_stranger(void **state)
{
	struct rig *r = rig_new();
	struct dtls_id *id[2];
	struct stream_stats st;
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(dtls_id_alloc(&id[i]), 0);
		rig_flow(r, 1 - i);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct media_plan p = rig_plan("pcmu", 1 - i);

		p.secure.keying = MEDIA_KEYS_DTLS;
		p.secure.active = i == 0;
		dtls_id_print(id[i], &p.secure.print);   /* its own         */
		r->ends[i].f->dtls_id = id[i];
		rig_start(r, i, &p);
	}
	rig_run(r, 2000);

	for (unsigned i = 0; i < 2; i++) {
		flow_stats(r->ends[i].f, &st);
		assert_int_equal(st.packets_received, 0);
		assert_int_equal(st.packets_sent, 0);
		assert_int_equal(rig_posts(r, i, STREAM_SECURED), 0);
	}
	assert_true(rig_posts(r, 0, STREAM_INSECURE) +
		    rig_posts(r, 1, STREAM_INSECURE) > 0);
	rig_free(r);
	mem_deref(id[0]);
	mem_deref(id[1]);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_wrong_print),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_flows),
		cmocka_unit_test(test_flow_reports),
		cmocka_unit_test(test_flow_no_reports),
		cmocka_unit_test(test_flow_left_over),
		cmocka_unit_test(test_flow_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
