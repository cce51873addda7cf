/**
 * @file test_turn.c  A relay's client and a server in memory (RFC 8656)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/clock.h>
#include "stun.h"
#include "turn.h"

#define SECOND_US 1000000ull
#define USER "alice"
#define PASSWORD "open sesame"
#define REALM "example.com"

/** What it has said last, and what it is told */
static struct {
	struct turn *t;
	unsigned sent;
	uint8_t p[2048];
	size_t len;
	struct stun_in m;
	const char *nonce;
} w;


static void out_h(const uint8_t *p, size_t len, void *arg)
{
	(void)arg;

	assert_true(len <= sizeof(w.p));
	memcpy(w.p, p, len);
	w.len = len;
	++w.sent;
}


static void data_h(const struct sa *peer, uint8_t *p, size_t len, void *arg)
{
	(void)peer;
	(void)p;
	(void)len;
	(void)arg;
}


/* The one request that must have come */
static void asks(unsigned method)
{
	assert_int_equal(w.sent, 1);
	w.sent = 0;
	assert_int_equal(0, stunmsg_read(&w.m, w.p, w.len));
	assert_int_equal(w.m.cls, SC_REQUEST);
	assert_int_equal(w.m.method, method);
}


static void end(struct stun_out *o)
{
	const struct pl realm = PL(REALM);
	uint8_t key[16];

	assert_int_equal(0, stunmsg_long_key(key, USER, &realm, PASSWORD));
	assert_int_equal(0, stunmsg_end(o, key, sizeof(key), true));
	turn_recv(w.t, o->p, o->len);
}


static void answer(unsigned error)
{
	struct stun_out o;
	struct sa sa;

	stunmsg_begin(&o, w.m.method, error ? SC_ERROR : SC_SUCCESS, w.m.tid);
	if (error)
		stunmsg_error(&o, error, "no");
	if (error == 401 || error == 438) {
		stunmsg_attr(&o, SA_REALM, REALM, strlen(REALM));
		stunmsg_attr(&o, SA_NONCE, w.nonce, strlen(w.nonce));
	}
	if (!error && w.m.method == SM_ALLOCATE) {
		assert_int_equal(0, sa_set_str(&sa, "198.51.100.1", 50000));
		stunmsg_addr(&o, SA_RELAYED, &sa);
		stunmsg_addr(&o, SA_XOR_MAPPED, &sa);
	}
	if (!error && w.m.method != SM_CHANNEL)
		stunmsg_u32(&o, SA_LIFETIME, w.m.lifetime);
	end(&o);
}


static void begin(void)
{
	static struct media_nat conf;

	memset(&conf, 0, sizeof(conf));
	conf.relay = RELAY_UDP;
	assert_int_equal(0, sa_set_str(&conf.turn, "203.0.113.1", 3478));
	strcpy(conf.turn_user, USER);
	strcpy(conf.turn_password, PASSWORD);
	memset(&w, 0, sizeof(w));
	w.nonce = "first";
	assert_int_equal(0, turn_alloc(&w.t, &conf, out_h, data_h, NULL));
	asks(SM_ALLOCATE);
	assert_false(w.m.user.l);
	answer(401);
	asks(SM_ALLOCATE);
	assert_int_equal(0, pl_strcmp(&w.m.user, USER));
	assert_int_equal(turn_state(w.t), EAGAIN);
}


static void granted(void)
{
	answer(0);
	assert_int_equal(w.sent, 0);
	assert_int_equal(turn_state(w.t), 0);
}


static void failed(const char *why)
{
	assert_int_equal(w.sent, 0);
	assert_true(turn_state(w.t) && turn_state(w.t) != EAGAIN);
	assert_string_equal(turn_error(w.t), why);
	w.t = mem_deref(w.t);
}


/* 437: what is left over from before is given back, once */
static void test_left_over(void **state)
{
	static const unsigned said[] = { 0, 437, 441 };
	(void)state;

	for (unsigned i = 0; i < 3; i++) {
		begin();
		answer(437);
		asks(SM_REFRESH);
		assert_true(w.m.has_lifetime && !w.m.lifetime);
		assert_int_equal(turn_state(w.t), EAGAIN);
		answer(said[i]);
		asks(SM_ALLOCATE);
		assert_int_equal(turn_state(w.t), EAGAIN);
		if (i == 2) {
			answer(437);
			failed("the TURN server has a relay for this port"
			       " already (437)");
		}
		else {
			granted();
			w.t = mem_deref(w.t);
		}
	}
}


/* Errors are told in words */
static void test_refused(void **state)
{
	static const struct {
		unsigned error;
		const char *why;
	} v[] = {
		{ 403, "the TURN server forbids it (403)" },
		{ 441, "the TURN server has this port for somebody else"
		       " (441)" },
		{ 486, "the TURN server gives this account no more relays"
		       " (486)" },
		{ 508, "the TURN server has no room for another relay (508)" },
		{ 500, "the TURN server refuses (500)" },
		{ 401, "the TURN server does not take the name and password"
		       " (401)" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		begin();
		answer(v[i].error);
		failed(v[i].why);
	}
}


/* 438: what was a nonce is none any more, in the middle of it all */
static void test_stale(void **state)
{
	(void)state;

	begin();
	granted();
	turn_check(w.t);
	asks(SM_REFRESH);
	assert_true(w.m.lifetime > 0);
	w.nonce = "second";
	answer(438);
	asks(SM_REFRESH);
	assert_int_equal(0, pl_strcmp(&w.m.nonce, "second"));
	assert_int_equal(turn_state(w.t), EAGAIN);
	granted();
	w.t = mem_deref(w.t);
}


/* An allocation is refreshed before it ends, a permission each four minutes;
 * who has forgotten us says so (437), and it is known at once */
static void test_refresh(void **state)
{
	const uint64_t now = clock_us();
	struct sa peer;
	(void)state;

	begin();
	granted();
	assert_int_equal(0, sa_set_str(&peer, "192.0.2.1", 4000));
	assert_int_equal(ENOTCONN, turn_send(w.t, &peer, w.p, 10));
	assert_int_equal(0, turn_permit(w.t, &peer));
	asks(SM_CHANNEL);
	answer(0);
	assert_int_equal(0, turn_permit(w.t, &peer));
	assert_int_equal(0, w.sent);

	turn_tick(w.t, now + 230 * SECOND_US);
	assert_int_equal(0, w.sent);
	turn_tick(w.t, now + 300 * SECOND_US);
	asks(SM_CHANNEL);
	answer(0);
	turn_tick(w.t, now + 600 * SECOND_US);
	assert_true(w.sent >= 1 && w.sent <= 2);
	assert_int_equal(0, turn_send(w.t, &peer, w.p, 10));
	w.t = mem_deref(w.t);

	begin();
	granted();
	turn_tick(w.t, now + 530 * SECOND_US);
	assert_int_equal(0, w.sent);
	turn_tick(w.t, now + 600 * SECOND_US);
	asks(SM_REFRESH);
	assert_int_equal(w.m.lifetime, 600);
	answer(437);
	failed("the TURN server has forgotten us (437)");
}


/* It is asked again, and then no more */
static void test_dead(void **state)
{
	uint64_t now = clock_us();
	(void)state;

	begin();
	w.sent = 0;
	for (unsigned i = 0; i < 600 && turn_state(w.t) == EAGAIN; i++)
		turn_tick(w.t, now += SECOND_US / 4);
	assert_int_equal(w.sent, 6);
	w.sent = 0;
	failed("the TURN server does not answer");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_over),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
