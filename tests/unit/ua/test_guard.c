/**
 * @file test_guard.c  Who may call an account
 */
#include "rig.h"
#include "priv.h"


/* alice's account, with these parameters; bob's, who knows "pw" */
static void accounts(const char *params)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "sip:alice@127.0.0.1;register=no;"
		       "%s", params);
	phone_account(&alice, text);
	phone_account(&bob, "sip:bob@127.0.0.1;register=no;password=pw");
}


static void bob_dials(const char *want)
{
	char uri[128];

	(void)re_snprintf(uri, sizeof(uri), "sip:alice@%J", &alice.addr);
	(void)dial(&bob, uri);
	await(want);
}


static void anybody(void **state)
{
	(void)state;

	accounts("callers=any");
	bob_dials("alice call.state 1 incoming");
}


static void proof(void **state)
{
	(void)state;

	accounts("require-auth;auth-in-user=bob;auth-in-password=pw");
	bob_dials("alice call.state 1 incoming");
	assert_int_equal(0, call_answer(call_of(&alice, 1), said));
	await("bob call.state 1 active");

	/* what is in the dialog has passed already */
	assert_int_equal(0, call_hold(call_of(&bob, 1), said));
	await("alice call.hold 1");
	hangup_both(&alice);
}


static void no_proof(void **state)
{
	(void)state;

	accounts("require-auth;auth-in-user=bob;auth-in-password=other");
	bob_dials("bob call.state 1 ended out 401");
	assert_int_equal(0, count_seen("incoming"));
}


/* The usual: he gives what we give our own server */
static void own_password(void **state)
{
	(void)state;

	accounts("require-auth;auth-user=bob;password=pw");
	bob_dials("alice call.state 1 incoming");
}


static void origin(void **state)
{
	(void)state;

	accounts("check-origin");
	bob_dials("bob call.state 1 ended out 403");
	assert_int_equal(0, count_seen("incoming"));
}


static void by_registrar(void **state)
{
	(void)state;

	accounts("callers=registrar;outbound=127.0.0.1:9");
	bob_dials("alice call.state 1 incoming");
}


static bool known_h(const char *uri, void *arg)
{
	return !strcmp(uri, arg);
}


static void known(void **state)
{
	(void)state;

	accounts("callers=known");
	bob_dials("bob call.state 1 ended out 403");
	ua_set_known(alice.ua, known_h, (void *)"sip:eve@127.0.0.1");
	bob_dials("bob call.state 2 ended out 403");
	ua_set_known(alice.ua, known_h, (void *)"sip:bob@127.0.0.1");
	bob_dials("alice call.state 1 incoming");
	ua_set_known(NULL, NULL, NULL);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(anybody),
		RIG_TEST(proof),
		RIG_TEST(no_proof),
		RIG_TEST(own_password),
		RIG_TEST(origin),
		RIG_TEST(by_registrar),
		RIG_TEST(known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
