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
	unsigned via;            /* as the receiver sees it                 */
	size_t len;
	uint8_t p[600];
};

/** A world of two phones: 0 and 1 */
static struct world {
	struct ice *ice[2];
	struct sa host[2], relay[2];
	struct sa more[2][2];    /* other addresses of each                 */
	int cut_af;              /* what this family sends is lost          */
	bool cut_first;          /* so is what comes from, or goes to, host */
	bool direct;             /* packets between hosts arrive            */
	unsigned lose;           /* of a hundred, by chance                 */
	uint32_t rnd;
	bool mute[2];            /* what it sends is lost                   */
	bool lite;               /* 1 only answers                          */
	struct msg q[QUEUE];
	unsigned n;
} w;

static unsigned ids[2] = { 0, 1 };


static unsigned via_of(unsigned to, const struct sa *dst);
static bool cut(unsigned me, unsigned via, const struct sa *dst);


static void send_h(const struct sa *dst, unsigned via, const uint8_t *p,
		   size_t len, void *arg)
{
	const unsigned me = *(const unsigned *)arg;
	const unsigned to = 1 - me;
	const bool to_relay = sa_cmp(dst, &w.relay[to], SA_ALL);
	struct msg *m = &w.q[w.n];

	if (!to_relay && via_of(to, dst) == ICE_VIAS)
		return;
	if (cut(me, via, dst))
		return;
	if (w.mute[me] || ((w.rnd = w.rnd * 1664525 + 1013904223) >> 8) % 100 < w.lose ||
	    w.n == QUEUE || (via != ICE_RELAY && !to_relay && !w.direct))
		return;

	assert_true(len <= sizeof(m->p));
	m->to = to;
	m->from = via == ICE_RELAY ? w.relay[me] :
		via ? w.more[me][via - 1] : w.host[me];
	m->via = to_relay ? ICE_RELAY : via_of(to, dst);
	m->len = len;
	memcpy(m->p, p, len);
	++w.n;
}


/* Which address of to it is; ICE_VIAS: none */
static unsigned via_of(unsigned to, const struct sa *dst)
{
	if (sa_cmp(dst, &w.host[to], SA_ALL))
		return 0;

	for (unsigned i = 0; i < 2; i++) {
		if (sa_cmp(dst, &w.more[to][i], SA_ALL))
			return i + 1;
	}

	return ICE_VIAS;
}


static bool cut(unsigned me, unsigned via, const struct sa *dst)
{
	return (w.cut_af && sa_af(dst) == w.cut_af) ||
		(w.cut_first && (!via || sa_cmp(dst, &w.host[1 - me],
						SA_ALL)));
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

		struct ice_ours ours;

		for (unsigned k = 0; k < ICE_VIAS; k++)
			sa_init(&ours.addrv[k], AF_UNSPEC);
		ours.addrv[0] = w.host[i];
		if (relays)
			ours.addrv[ICE_RELAY] = w.relay[i];

		strcpy(c.ufrag, names[i]);
		strcpy(c.pwd, pwds[i]);
		strcpy(c.peer_ufrag, names[1 - i]);
		strcpy(c.peer_pwd, pwds[1 - i]);
		cand(&c, CAND_HOST, &w.host[1 - i]);
		if (relays)
			cand(&c, CAND_RELAY, &w.relay[1 - i]);
		assert_int_equal(ice_alloc(&w.ice[i], &c, &ours, send_h,
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

			assert_true(ice_recv(w.ice[m.to], &m.from, m.via,
					     m.p, m.len, now));
		}
		memmove(w.q, w.q + n, (w.n - n) * sizeof(w.q[0]));
		w.n -= n;

		for (unsigned i = 0; i < (w.lite ? 1u : 2u); i++)
			ice_tick(w.ice[i], now);
	}

	return from_us + ms * 1000ull;
}


static void chosen(const struct sa *at0, const struct sa *at1, unsigned via0)
{
	struct sa a, b;
	unsigned ra, rb;

	assert_int_equal(ice_state(w.ice[0]), ICE_CHOSEN);
	assert_int_equal(ice_state(w.ice[1]), ICE_CHOSEN);
	assert_true(ice_way(w.ice[0], &a, &ra));
	assert_true(ice_way(w.ice[1], &b, &rb));
	assert_true(sa_cmp(&a, at0, SA_ALL));
	assert_true(sa_cmp(&b, at1, SA_ALL));
	assert_int_equal(ra, via0);
}


static void test_direct(void **state)
{
	(void)state;

	world(true, false, false);
	(void)run(1000000, 1000);
	chosen(&w.host[1], &w.host[0], 0);
	world_end();
}


/* The plain way wins over relays that work too */
static void test_prefers(void **state)
{
	(void)state;

	world(true, true, false);
	(void)run(1000000, 2000);
	chosen(&w.host[1], &w.host[0], 0);
	world_end();
}


/* Each pair can be looked at, the best first */
static void test_ways(void **state)
{
	unsigned viav[MEDIA_PAIRS];
	struct media_ways m;
	unsigned picked = 0;
	(void)state;

	world(false, true, false);
	ice_ways(w.ice[0], &m, viav);
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
	ice_ways(w.ice[0], &m, viav);
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
	unsigned via;
	(void)state;

	world(false, true, false);
	(void)run(1000000, 6000);
	assert_int_equal(ice_state(w.ice[0]), ICE_CHOSEN);
	assert_int_equal(ice_state(w.ice[1]), ICE_CHOSEN);
	assert_true(ice_way(w.ice[0], &a, &via));
	assert_true(via == ICE_RELAY || sa_cmp(&a, &w.relay[1], SA_ALL));
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
		chosen(&w.host[1], &w.host[0], 0);
		world_end();
	}
}


/* Both believe that they control: one gives in */
static void test_conflict(void **state)
{
	(void)state;

	world(true, false, true);
	(void)run(1000000, 3000);
	chosen(&w.host[1], &w.host[0], 0);
	world_end();
}


/* Both believe that they are controlled: one takes it on */
static void test_conflict_controlled(void **state)
{
	(void)state;

	world_roles(true, false, false, false);
	(void)run(1000000, 3000);
	chosen(&w.host[1], &w.host[0], 0);
	world_end();
}


/* A lite agent looks for nothing and answers */
static void test_lite(void **state)
{
	struct sa a;
	unsigned via;
	(void)state;

	world(true, false, false);
	w.lite = true;
	(void)run(1000000, 2000);
	assert_int_equal(ice_state(w.ice[0]), ICE_CHOSEN);
	assert_true(ice_way(w.ice[0], &a, &via));
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
	chosen(&w.host[1], &w.host[0], 0);
	sa_set_port(&w.host[0], 3000);
	ice_moved(w.ice[0]);
	assert_false(ice_knows(w.ice[1], &w.host[0]));
	(void)run(now, 1000);
	assert_true(ice_knows(w.ice[1], &w.host[0]));
	world_end();
}


/* Two phones with two more addresses each; those that are NULL are left out */
static void world_more(const char *host, const char *one, const char *two)
{
	const char *const v[] = { host, one, two };

	memset(&w, 0, sizeof(w));
	w.direct = true;
	for (unsigned i = 0; i < 2; i++) {
		struct sa *sa[] = { &w.host[i], &w.more[i][0], &w.more[i][1] };

		sa_init(&w.relay[i], AF_UNSPEC);
		for (unsigned k = 0; k < 3; k++) {
			sa_init(sa[k], AF_UNSPEC);
			if (v[k])
				assert_int_equal(sa_set_str(sa[k], v[k],
					(uint16_t)(1000 + 10 * k + i)), 0);
		}
	}

	for (unsigned i = 0; i < 2; i++) {
		const struct sa *all[] = { &w.host[1 - i], &w.more[1 - i][0],
			&w.more[1 - i][1] };
		struct media_ice c = { .on = true, .controlling = !i };
		struct ice_ours ours;

		for (unsigned k = 0; k < ICE_VIAS; k++)
			sa_init(&ours.addrv[k], AF_UNSPEC);
		ours.addrv[0] = w.host[i];
		ours.addrv[1] = w.more[i][0];
		ours.addrv[2] = w.more[i][1];
		strcpy(c.ufrag, i ? "frag1" : "frag0");
		strcpy(c.peer_ufrag, i ? "frag0" : "frag1");
		strcpy(c.pwd, i ? "password1" : "password0");
		strcpy(c.peer_pwd, i ? "password0" : "password1");
		for (unsigned k = 0; k < 3; k++) {
			if (!v[k])
				continue;
			c.candv[c.candc].priority = ice_priority(CAND_HOST, k);
			c.candv[c.candc++].addr = *all[k];
		}
		assert_int_equal(ice_alloc(&w.ice[i], &c, &ours, send_h,
					   &ids[i]), 0);
	}
}


static void chosen_from(unsigned via)
{
	for (unsigned i = 0; i < 2; i++) {
		struct sa a;
		unsigned v;

		assert_int_equal(ice_state(w.ice[i]), ICE_CHOSEN);
		assert_true(ice_way(w.ice[i], &a, &v));
		assert_int_equal(v, via);
		assert_int_equal(via_of(1 - i, &a), via);
	}
}


/* All works: the first of each. The first does not: the next */
static void test_several(void **state)
{
	(void)state;

	world_more("192.0.2.1", "198.51.100.7", NULL);
	(void)run(1000000, 2000);
	chosen_from(0);
	world_end();

	world_more("192.0.2.1", "198.51.100.7", NULL);
	w.cut_first = true;
	(void)run(1000000, 4000);
	chosen_from(1);
	world_end();
}


/* A broken IPv6 holds IPv4 up for less than half a second (RFC 8421) */
static void test_broken_family(void **state)
{
	(void)state;

	world_more("2001:db8::1", "192.0.2.1", "2001:db8:1::1");
	w.cut_af = AF_INET6;
	(void)run(1000000, 900);
	chosen_from(1);
	world_end();
}


/* Families are not mixed, nor what only the link knows with the rest */
static void test_pairs(void **state)
{
	unsigned viav[MEDIA_PAIRS];
	struct media_ways m;
	(void)state;

	world_more("2001:db8::1", "192.0.2.1", "fe80::1");
	ice_ways(w.ice[0], &m, viav);
	assert_int_equal(m.pairc, 3);
	for (unsigned i = 0; i < m.pairc; i++) {
		assert_int_equal(via_of(1, &m.pairv[i].remote), viav[i]);
		assert_int_equal(viav[i], i);
	}
	world_end();
}


/* More than there is room for: the best stay, and those that are asked */
static void test_too_many(void **state)
{
	struct media_ice c = { .on = true, .controlling = true,
		.candc = ICE_CANDS };
	unsigned viav[MEDIA_PAIRS], relayed = 0;
	struct ice_ours ours;
	struct media_ways m;
	struct ice *ice;
	(void)state;

	memset(&w, 0, sizeof(w));
	for (unsigned k = 0; k < ICE_VIAS; k++)
		assert_int_equal(sa_set_str(&ours.addrv[k], "192.0.2.1",
					    (uint16_t)(100 + k)), 0);
	strcpy(c.ufrag, "frag0");
	strcpy(c.peer_ufrag, "frag1");
	strcpy(c.pwd, "password0");
	strcpy(c.peer_pwd, "password1");

	/* the worst of theirs come first */
	for (unsigned i = 0; i < ICE_CANDS; i++) {
		c.candv[i].priority = ice_priority(CAND_HOST, ICE_CANDS - i);
		assert_int_equal(sa_set_str(&c.candv[i].addr, "192.0.2.9",
					    (uint16_t)(200 + i)), 0);
	}
	assert_int_equal(ice_alloc(&ice, &c, &ours, send_h, &ids[0]), 0);
	assert_true(ICE_CANDS * ICE_VIAS > MEDIA_PAIRS);
	ice_ways(ice, &m, viav);
	assert_int_equal(m.pairc, MEDIA_PAIRS);
	assert_int_equal(sa_port(&m.pairv[0].remote), 200 + ICE_CANDS - 1);
	for (unsigned i = 0; i < m.pairc; i++)
		relayed += viav[i] == ICE_RELAY;
	assert_int_equal(relayed, MEDIA_PAIRS - ICE_CANDS * MEDIA_BASES);
	assert_int_equal(sa_port(&m.pairv[MEDIA_PAIRS - 1].remote), 200 +
			 ICE_CANDS - relayed);
	mem_deref(ice);
}


static void test_nothing(void **state)
{
	struct sa a;
	unsigned via;
	(void)state;

	world(false, false, false);
	(void)run(1000000, 40000);
	assert_int_equal(ice_state(w.ice[0]), ICE_FAILED);
	assert_false(ice_way(w.ice[0], &a, &via));
	world_end();
}


/* RFC 7675: who does not answer for half a minute gets nothing any more */
static void test_consent(void **state)
{
	uint64_t now;
	struct sa a;
	unsigned via;
	(void)state;

	world(true, false, false);
	now = run(1000000, 60000);
	chosen(&w.host[1], &w.host[0], 0);
	w.mute[1] = true;
	now = run(now, 20000);
	assert_int_equal(ice_state(w.ice[0]), ICE_CHOSEN);
	now = run(now, 20000);
	assert_int_equal(ice_state(w.ice[0]), ICE_LOST);
	assert_false(ice_way(w.ice[0], &a, &via));
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
	assert_true(ice_recv(w.ice[0], &evil, 0, o.p, o.len, 1000000));
	assert_int_equal(w.n, 0);
	assert_false(ice_knows(w.ice[0], &evil));
	assert_false(ice_recv(w.ice[0], &evil, 0, o.p, o.len - 1,
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
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_broken_family),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
