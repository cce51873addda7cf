/**
 * @file test_redial.c  A call that is made again, and one that may not last
 */
#include "rig.h"
#include "priv.h"


static unsigned refused;


static void busy(struct phone *p, struct call *c)
{
	(void)p;
	++refused;
	assert_int_equal(0, call_reject(c, refused < 3 ? 486 : 603, NULL,
					said));
}


static void busy_once(struct phone *p, struct call *c)
{
	(void)p;
	if (!refused++)
		assert_int_equal(0, call_reject(c, 486, NULL, said));
	else
		assert_int_equal(0, call_answer(c, said));
}


static void ring_once(struct phone *p, struct call *c)
{
	(void)p;
	if (refused++)
		assert_int_equal(0, call_answer(c, said));
}


static void dial_again(unsigned times, const char *on, uint32_t ring_ms)
{
	const struct ua_dial prm = {
		.target = bob.uri, .redial = times, .redial_ms = 20,
		.redial_on = on, .ring_ms = ring_ms,
	};

	refused = 0;
	if (ua_dial(NULL, alice.ua, &prm, said))
		fail_msg("%s", said);
}


static void until_answered(void **state)
{
	(void)state;

	bob.incoming = busy_once;
	dial_again(3, NULL, 0);
	await("alice call.state 1 calling out 486");
	await("alice call.state 1 active out 200");
	assert_int_equal(2, refused);
	assert_int_equal(0, call_hangup(call_of(&alice, 1), 0, NULL, said));
	await("bob call.state 2 ended in 200");
}


static struct nego secrets[2];


static void busy_watching(struct phone *p, struct call *c)
{
	secrets[refused ? 1 : 0] = call_of(&alice, 1)->nego;
	busy_once(p, c);
}


/* Each attempt has keys and a password of its own, and none is empty */
static void secrets_anew(void **state)
{
	static const uint8_t zero[MEDIA_KEY_MAX];
	(void)state;

	phone_set(&alice, "sdes", "always");
	bob.incoming = busy_watching;
	dial_again(1, NULL, 0);
	await("alice call.state 1 active out 200");

	for (size_t i = 0; i < COUNT_OF(secrets); i++) {
		assert_memory_not_equal(secrets[i].key[0], zero, 16);
		assert_int_equal(26, strlen(secrets[i].ice_pwd));
		assert_int_equal(8, strlen(secrets[i].ice_ufrag));
	}
	assert_memory_not_equal(secrets[0].key[0], secrets[1].key[0], 16);
	assert_string_not_equal(secrets[0].ice_pwd, secrets[1].ice_pwd);
}


/* What rang counts as well, and the call rings anew */
static void after_ringing(void **state)
{
	(void)state;

	bob.incoming = ring_once;
	dial_again(1, "no-answer", 100);
	await("alice call.state 1 ringing");
	await("alice call.state 1 calling out");
	await("bob call.state 1 ended in 487");
	await("alice call.state 1 active out 200");
	assert_int_equal(0, call_hangup(call_of(&alice, 1), 0, NULL, said));
	await("bob call.state 2 ended in 200");
}


/* Only for the reasons given, and not for ever */
static void not_for_ever(void **state)
{
	(void)state;

	bob.incoming = busy;
	dial_again(5, NULL, 0);
	await("alice call.state 1 ended out 603");
	assert_int_equal(3, refused);

	dial_again(1, "486", 0);
	await("alice call.state 2 ended out 486 status remote");
	assert_int_equal(2, refused);

	dial_again(5, "5xx,no-answer", 0);
	await("alice call.state 3 ended out 486");
	assert_int_equal(1, refused);
}


/* Hung up while it waits: that is the end */
static void given_up(void **state)
{
	const struct ua_dial prm = {
		.target = bob.uri, .redial = 5, .redial_ms = 60000,
	};
	(void)state;

	refused = 0;
	bob.incoming = busy;
	assert_int_equal(0, ua_dial(NULL, alice.ua, &prm, said));
	await("alice call.state 1 calling out 486");
	assert_int_equal(0, call_hangup(call_of(&alice, 1), 0, NULL, said));
	await("alice call.state 1 ended out 487 cancelled local");
	assert_int_equal(1, refused);
	assert_int_equal(0, ua_call_count(alice.ua));
}


static void wrong(void **state)
{
	struct ua_dial prm = { .target = bob.uri, .redial = 101 };
	(void)state;

	assert_int_equal(EINVAL, ua_dial(NULL, alice.ua, &prm, said));
	prm.redial = 1;
	prm.redial_on = "busy,7xx";
	assert_int_equal(EINVAL, ua_dial(NULL, alice.ua, &prm, said));
	assert_non_null(strstr(said, "7xx"));
	prm.redial_on = "200";
	assert_int_equal(EINVAL, ua_dial(NULL, alice.ua, &prm, said));
}


static void limit(void **state)
{
	(void)state;

	phone_set(&alice, "call-limit", "100ms");
	connect_both();
	await("alice call.state 1 ended out 200 limit local");
}


static void limit_of_account(void **state)
{
	(void)state;

	phone_account(&bob, "sip:bob@127.0.0.1;register=no;catch-all;"
		      "call-limit=80ms");
	connect_both();
	await("bob call.state 1 ended in 200 limit local");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(until_answered),
		RIG_TEST(secrets_anew),
		RIG_TEST(after_ringing),
		RIG_TEST(not_for_ever),
		RIG_TEST(given_up),
		RIG_TEST(wrong),
		RIG_TEST(limit),
		RIG_TEST(limit_of_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
