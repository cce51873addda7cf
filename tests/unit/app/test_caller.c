/**
 * @file test_caller.c  Who calls us, and who we say we are
 */
#include "rig.h"
#include "offhook/app.h"
#include "priv.h"
#include "caller.h"


static void calls_with(const char *headers)
{
	const struct ua_dial prm = {
		.target = bob.uri, .headers = headers,
	};

	if (ua_dial(NULL, alice.ua, &prm, said))
		fail_msg("%s", said);
}


/* Believed from servers --------------------------------------------------- */

static const char asserted[] = "P-Asserted-Identity: <sip:boss@x>\r\n"
	"Diversion: <sip:d@x>;reason=user-busy\r\n";


static void asserted_by_server(void **state)
{
	const struct sip_caller *t;
	struct call *c;
	(void)state;

	phone_account(&bob, "sip:bob@127.0.0.1;register=no;catch-all;"
		      "outbound=127.0.0.1:9");
	calls_with(asserted);
	await("bob call.state 1 incoming");
	c = call_of(&bob, 1);
	t = call_caller(c);
	assert_non_null(t);
	assert_string_equal(t->asserted.uri, "sip:boss@x");
	assert_string_equal(call_identity(c), "sip:boss@x");
	assert_true(call_vouched(c));
	assert_int_equal(t->divertc, 1);
	assert_non_null(strstr(c->caller->earlier, "Diversion: <sip:d@x>"));
}


static void asserted_by_stranger(void **state)
{
	const struct sip_caller *t;
	struct call *c;
	(void)state;

	phone_account(&bob, "sip:bob@127.0.0.1;register=no;catch-all");
	calls_with(asserted);
	await("bob call.state 1 incoming");
	c = call_of(&bob, 1);
	t = call_caller(c);
	assert_string_equal(t->asserted.uri, "");
	assert_string_equal(call_identity(c), call_peer(c));
	assert_false(call_vouched(c));

	/* what is no claim of identity stays */
	assert_int_equal(t->divertc, 1);
}


static void nothing_told(void **state)
{
	struct sip_auto_answer a;
	(void)state;

	calls_with("Subject: x\r\n");
	await("bob call.state 1 incoming");
	assert_null(call_caller(call_of(&bob, 1)));
	assert_non_null(call_source(call_of(&bob, 1)));
	call_answer_wish(&a, call_of(&bob, 1));
	assert_false(a.wanted);
	assert_null(call_source(call_of(&alice, 1)));
}


/* Lists ------------------------------------------------------------------- */

static bool known_h(const char *uri, void *arg)
{
	(void)arg;

	return !strncmp(uri, "sip:al@", 7);
}


static void listed(void **state)
{
	const struct call *c;
	(void)state;

	phone_account(&alice, "sip:al@office.example;register=no");
	calls_with(NULL);
	await("bob call.state 1 incoming");
	c = call_of(&bob, 1);

	assert_false(caller_listed(c, ""));
	assert_false(caller_listed(c, " , "));
	assert_true(caller_listed(c, "al@office.example"));
	assert_true(caller_listed(c, "sip:AL@Office.example"));
	assert_true(caller_listed(c, "eve@x,*@office.example"));
	assert_true(caller_listed(c, "a*@*.example"));
	assert_true(caller_listed(c, "*"));
	assert_true(caller_listed(c, "office.example"));
	assert_false(caller_listed(c, "fice.example"));
	assert_false(caller_listed(c, "*@office.exampl"));
	assert_false(caller_listed(c, "l@office.example"));
	assert_true(caller_listed(c, "192.0.2.1 127.0.0.1"));
	assert_false(caller_listed(c, "192.0.2.1"));
	assert_false(caller_listed(c, "known"));
	ua_set_known(bob.ua, known_h, NULL);
	assert_true(caller_listed(c, "known"));
	assert_false(caller_listed(NULL, "*"));
}


/* Nobody vouches for a From that comes to an account from anywhere */
static void listed_stranger(void **state)
{
	const struct call *c;
	(void)state;

	phone_account(&bob, "sip:bob@127.0.0.1;register=no;catch-all");
	ua_set_known(bob.ua, known_h, NULL);
	phone_account(&alice, "sip:al@office.example;register=no");
	calls_with(NULL);
	await("bob call.state 1 incoming");
	c = call_of(&bob, 1);
	assert_false(caller_listed(c, "al@office.example,*,known"));
	assert_true(caller_listed(c, "127.0.0.1"));
}


/* Headers ----------------------------------------------------------------- */

static void words(void **state)
{
	const struct account *acc;
	char *lines, want[200];
	struct call *c;
	(void)state;

	phone_account(&alice, "sip:al@office.example;register=no;name=work;"
		      "display-name=Al");
	acc = ua_account(alice.ua, 0);
	(void)dial(&alice, bob.uri);
	c = call_of(&alice, 1);

	assert_int_equal(0, extra_expand(&lines, "X: {user} {host} {aor} "
		"{name} {account} {call} {target}{} {{user}} {\"a\":1} {A}",
		acc, c, said));
	(void)snprintf(want, sizeof(want), "X: al office.example "
		       "sip:al@office.example Al work 1 %s{} {al} {\"a\":1} "
		       "{A}", call_peer(c));
	assert_string_equal(lines, want);
	mem_deref(lines);

	assert_int_equal(0, extra_expand(&lines, "{uuid}", acc, c, said));
	assert_int_equal(36, strlen(lines));
	mem_deref(lines);
	assert_int_equal(0, extra_expand(&lines, "{time}", acc, c, said));
	assert_non_null(strstr(lines, "T"));
	mem_deref(lines);

	assert_int_equal(EINVAL, extra_expand(&lines, "{usr}", acc, c, said));
	assert_string_equal("A header has no word {usr}; did you mean "
			    "{user}?", said);
	assert_int_equal(EINVAL, extra_expand(&lines, "{qqqqqqqqqqqqqq}",
					      acc, c, said));
	assert_int_equal(0, extra_expand(&lines, "", acc, c, said));
	assert_null(lines);

	/* without an account words about it are empty */
	assert_int_equal(0, extra_expand(&lines, "[{user}]", NULL, c, said));
	assert_string_equal(lines, "[]");
	mem_deref(lines);
}


static void split(void **state)
{
	char *plain, *wordy;
	(void)state;

	assert_int_equal(0, extra_split(&plain, &wordy, "X-A: 1 | X-B: {user}"
					" | X-C: a|b |  | ", said));
	assert_string_equal(plain, "X-A: 1\r\nX-C: a|b\r\n");
	assert_string_equal(wordy, "X-B: {user}\r\n");
	mem_deref(plain);
	mem_deref(wordy);
	assert_int_equal(0, extra_split(&plain, &wordy, "", said));
	assert_null(plain);
	assert_null(wordy);
}


static void identity_wrong(void **state)
{
	struct ua_dial prm = { .target = bob.uri, .pai = "\"open" };
	(void)state;

	assert_int_equal(EINVAL, ua_dial(NULL, alice.ua, &prm, said));
	assert_non_null(strstr(said, "P-Asserted-Identity is an address"));
	prm.pai = "<sip:a@b>\r\nX: y";
	assert_int_equal(EINVAL, ua_dial(NULL, alice.ua, &prm, said));

	/* its number is free again */
	prm.pai = "\"A \\\"b\\\"\" <sip:a@b>";
	prm.anonymous = true;
	assert_int_equal(0, ua_dial(NULL, alice.ua, &prm, said));
	assert_string_equal(call_of(&alice, 1)->headers,
			    "P-Asserted-Identity: \"A \\\"b\\\"\" <sip:a@b>"
			    "\r\nPrivacy: id\r\n");
	await("bob call.state 1 incoming");
	assert_string_equal(call_peer(call_of(&bob, 1)),
			    "sip:anonymous@anonymous.invalid");
	assert_string_equal(call_caller(call_of(&bob, 1))->privacy, "id");
}


/* In the dialog we stay who we said we are */
static void anonymous_to_the_end(void **state)
{
	const struct ua_dial prm = { .target = bob.uri, .anonymous = true };
	(void)state;

	assert_int_equal(0, ua_dial(NULL, alice.ua, &prm, said));
	await("bob call.state 1 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 1), said));
	await("alice call.state 1 active");
	assert_int_equal(0, call_hold(call_of(&bob, 1), said));
	await("alice call.hold 1 - remote");
	assert_int_equal(0, call_hold(call_of(&alice, 1), said));
	await("bob call.hold 1 local remote");
	hangup_both(&bob);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(asserted_by_server),
		RIG_TEST(asserted_by_stranger),
		RIG_TEST(nothing_told),
		RIG_TEST(listed),
		RIG_TEST(listed_stranger),
		RIG_TEST(words),
		RIG_TEST(split),
		RIG_TEST(identity_wrong),
		RIG_TEST(anonymous_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
