/**
 * @file test_ice.c  Two agents in memory, and what lies between them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ice.h"
#include "stun.h"

enum { QUEUE = 256 };

struct msg {
	unsigned to;
	struct sa from;
	bool relayed;            /* as the receiver sees it                 */
	size_t len;
	uint8_t p[600];
};

/** A world of two phones: 0 and 1 */
static struct world {
	struct ice *ice[2];
	struct sa host[2], relay[2];
	bool direct;             /* packets between hosts arrive            */
	unsigned lose;           /* of a hundred, by chance                 */
	uint32_t rnd;
	bool mute[2];            /* what it sends is lost                   */
	bool lite;               /* 1 only answers                          */
	struct msg q[QUEUE];
	unsigned n;
} w;

static unsigned ids[2] = { 0, 1 };


static void send_h(const struct sa *dst, bool relayed, const uint8_t *p,
		   size_t len, void *arg)
{
	const unsigned me = *(const unsigned *)arg;
	const unsigned to = 1 - me;
	const bool to_relay = sa_cmp(dst, &w.relay[to], SA_ALL);
	struct msg *m = &w.q[w.n];

	if (!to_relay && !sa_cmp(dst, &w.host[to], SA_ALL))
		return;
	if (w.mute[me] || ((w.rnd = w.rnd * 1664525 + 1013904223) >> 8) % 100 < w.lose ||
	    w.n == QUEUE || (!relayed && !to_relay && !w.direct))
		return;

	assert_true(len <= sizeof(m->p));
	m->to = to;
	m->from = relayed ? w.relay[me] : w.host[me];
	m->relayed = to_relay;
	m->len = len;
	memcpy(m->p, p, len);
	++w.n;
}


static void cand(struct media_ice *c, enum media_cand_type type,
		 const struct sa *sa)
{
	c->candv[c->candc].type = type;
	c->candv[c->candc].priority = ice_priority(type, 0);
	c->candv[c->candc++].addr = *sa;
}


static void world_roles(bool direct, bool relays, bool first, bool second)
{
	static const char *const names[] = { "frag0", "frag1" };
	static const char *const pwds[] = {
		"password0password0password0", "password1password1password1",
	};

	memset(&w, 0, sizeof(w));
	w.direct = direct;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(sa_set_str(&w.host[i], "192.0.2.1",
					    (uint16_t)(1000 + i)), 0);
		assert_int_equal(sa_set_str(&w.relay[i], "198.51.100.1",
					    (uint16_t)(2000 + i)), 0);
	}

	for (unsigned i = 0; i < 2; i++) {
		struct media_ice c = { .on = true,
			.controlling = i ? second : first };

		strcpy(c.ufrag, names[i]);
		strcpy(c.pwd, pwds[i]);
		strcpy(c.peer_ufrag, names[1 - i]);
		strcpy(c.peer_pwd, pwds[1 - i]);
		cand(&c, CAND_HOST, &w.host[1 - i]);
		if (relays)
			cand(&c, CAND_RELAY, &w.relay[1 - i]);
		assert_int_equal(ice_alloc(&w.ice[i], &c, relays, send_h,
					   &ids[i]), 0);
	}
}


static void world(bool direct, bool relays, bool both_control)
{
	world_roles(direct, relays, true, both_control);
}


static void world_end(void)
{
	mem_deref(w.ice[0]);
	mem_deref(w.ice[1]);
}


static uint64_t run(uint64_t from_us, unsigned ms)
{
	for (unsigned t = 0; t < ms; t += 10) {
		const uint64_t now = from_us + t * 1000ull;
		const unsigned n = w.n;

		for (unsigned i = 0; i < n; i++) {
			const struct msg m = w.q[i];

			assert_true(ice_recv(w.ice[m.to], &m.from, m.relayed,
					     m.p, m.len, now));
		}
		memmove(w.q, w.q + n, (w.n - n) * sizeof(w.q[0]));
		w.n -= n;

		for (unsigned i = 0; i < (w.lite ? 1u : 2u); i++)
			ice_tick(w.ice[i], now);
	}

	return from_us + ms * 1000ull;
}


static void chosen(const struct sa *at0, const struct sa *at1, bool relayed0)
{
	struct sa a, b;
	bool ra, rb;

	assert_int_equal(ice_state(w.ice[0]), ICE_CHOSEN);
	assert_int_equal(ice_state(w.ice[1]), ICE_CHOSEN);
	assert_true(ice_way(w.ice[0], &a, &ra));
	assert_true(ice_way(w.ice[1], &b, &rb));
	assert_true(sa_cmp(&a, at0, SA_ALL));
	assert_true(sa_cmp(&b, at1, SA_ALL));
	assert_int_equal(ra, relayed0);
}


static void test_direct(void **state)
{
	(void)state;

	world(true, false, false);
	(void)run(1000000, 1000);
	chosen(&w.host[1], &w.host[0], false);
	world_end();
}


/* The plain way wins over relays that work too */
static void test_prefers(void **state)
{
	(void)state;

	world(true, true, false);
	(void)run(1000000, 2000);
	chosen(&w.host[1], &w.host[0], false);
	world_end();
}


/* Each pair can be looked at, the best first */
static void test_ways(void **state)
{
	struct media_ways m;
	unsigned picked = 0;
	(void)state;

	world(false, true, false);
	ice_ways(w.ice[0], &m);
	assert_string_equal(m.state, "checking");
	assert_true(m.controlling);
	assert_int_equal(m.pairc, 4);
	for (unsigned i = 0; i < m.pairc; i++) {
		assert_string_equal(m.pairv[i].state, "waiting");
		assert_false(m.pairv[i].chosen || m.pairv[i].nominated);
		assert_int_equal(m.pairv[i].checks, 0);
	}
	assert_int_equal(m.pairv[0].local_type, CAND_HOST);
	assert_int_equal(m.pairv[0].remote_type, CAND_HOST);
	assert_true(sa_cmp(&m.pairv[0].remote, &w.host[1], SA_ALL));
	assert_int_equal(m.pairv[3].local_type, CAND_RELAY);
	assert_int_equal(m.pairv[3].remote_type, CAND_RELAY);

	(void)run(1000000, 20000);
	ice_ways(w.ice[0], &m);
	assert_string_equal(m.state, "chosen");
	assert_string_equal(m.pairv[0].state, "failed");
	assert_true(m.pairv[0].checks > 3);
	assert_int_equal(m.pairv[0].rtt_us, 0);
	for (unsigned i = 0; i < m.pairc; i++) {
		if (!m.pairv[i].chosen)
			continue;
		++picked;
		assert_string_equal(m.pairv[i].state, "works");
		assert_true(m.pairv[i].nominated);
		assert_true(m.pairv[i].checks > 0);
		assert_true(m.pairv[i].local_type == CAND_RELAY ||
			    m.pairv[i].remote_type == CAND_RELAY);
	}
	assert_int_equal(picked, 1);
	world_end();
}


static void test_relay(void **state)
{
	struct sa a;
	bool relayed;
	(void)state;

	world(false, true, false);
	(void)run(1000000, 6000);
	assert_int_equal(ice_state(w.ice[0]), ICE_CHOSEN);
	assert_int_equal(ice_state(w.ice[1]), ICE_CHOSEN);
	assert_true(ice_way(w.ice[0], &a, &relayed));
	assert_true(relayed || sa_cmp(&a, &w.relay[1], SA_ALL));
	world_end();
}


static void test_loss(void **state)
{
	(void)state;

	for (unsigned i = 0; i < 20; i++) {
		world(true, false, false);
		w.lose = 40;
		w.rnd = i;
		(void)run(1000000, 20000);
		chosen(&w.host[1], &w.host[0], false);
		world_end();
	}
}


/* Both believe that they control: one gives in */
static void test_conflict(void **state)
{
	(void)state;

	world(true, false, true);
	(void)run(1000000, 3000);
	chosen(&w.host[1], &w.host[0], false);
	world_end();
}


/* Both believe that they are controlled: one takes it on */
static void test_conflict_controlled(void **state)
{
	(void)state;

	world_roles(true, false, false, false);
	(void)run(1000000, 3000);
	chosen(&w.host[1], &w.host[0], false);
	world_end();
}


/* A lite agent looks for nothing and answers */
static void test_lite(void **state)
{
	struct sa a;
	bool relayed;
	(void)state;

	world(true, false, false);
	w.lite = true;
	(void)run(1000000, 2000);
	assert_int_equal(ice_state(w.ice[0]), ICE_CHOSEN);
	assert_true(ice_way(w.ice[0], &a, &relayed));
	assert_true(sa_cmp(&a, &w.host[1], SA_ALL));
	world_end();
}


/* Another address of ours is known to the peer, which hears us from there,
 * before anybody has told of it */
static void test_moved(void **state)
{
	uint64_t now;
	(void)state;

	world(true, false, false);
	now = run(1000000, 1000);
	chosen(&w.host[1], &w.host[0], false);
	sa_set_port(&w.host[0], 3000);
	ice_moved(w.ice[0]);
	assert_false(ice_knows(w.ice[1], &w.host[0]));
	(void)run(now, 1000);
	assert_true(ice_knows(w.ice[1], &w.host[0]));
	world_end();
}


static void test_nothing(void **state)
{
	struct sa a;
	bool relayed;
	(void)state;

	world(false, false, false);
	(void)run(1000000, 40000);
	assert_int_equal(ice_state(w.ice[0]), ICE_FAILED);
	assert_false(ice_way(w.ice[0], &a, &relayed));
	world_end();
}


/* RFC 7675: who does not answer for half a minute gets nothing any more */
static void test_consent(void **state)
{
	uint64_t now;
	struct sa a;
	bool relayed;
	(void)state;

	world(true, false, false);
	now = run(1000000, 60000);
	chosen(&w.host[1], &w.host[0], false);
	w.mute[1] = true;
	now = run(now, 20000);
	assert_int_equal(ice_state(w.ice[0]), ICE_CHOSEN);
	now = run(now, 20000);
	assert_int_equal(ice_state(w.ice[0]), ICE_LOST);
	assert_false(ice_way(w.ice[0], &a, &relayed));
	world_end();
}


/* Without the password nobody is answered or believed */
static void test_stranger(void **state)
{
	struct stun_out o;
	struct sa evil;
	(void)state;

	world(false, false, false);
	assert_int_equal(sa_set_str(&evil, "203.0.113.9", 9), 0);
	stunmsg_begin(&o, SM_BINDING, SC_REQUEST, NULL);
	stunmsg_attr(&o, SA_USERNAME, "frag0:frag1", 11);
	stunmsg_u32(&o, SA_PRIORITY, 1);
	stunmsg_u64(&o, SA_CONTROLLED, 1);
	assert_int_equal(stunmsg_end(&o, (const uint8_t *)"wrong", 5, true),
			 0);
	assert_true(ice_recv(w.ice[0], &evil, false, o.p, o.len, 1000000));
	assert_int_equal(w.n, 0);
	assert_false(ice_knows(w.ice[0], &evil));
	assert_false(ice_recv(w.ice[0], &evil, false, o.p, o.len - 1,
			      1000000));
	world_end();
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_prefers),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_conflict_controlled),
		cmocka_unit_test(test_lite),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
