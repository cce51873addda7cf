/**
 * @file test_answer.c  Auto-answer: who is taken, how, and for how long
 */
#include "rig.h"


static struct answer *answer;
static unsigned done;


static void done_handler(void *arg)
{
	(void)arg;

	++done;

	/* it may be freed by whom it tells */
	answer = mem_deref(answer);
}


static int setup(void **state)
{
	int err = rig_setup(state);

	done = 0;
	if (!err)
		err = answer_alloc(&answer, bob.ua, bob.bus, done_handler,
				   NULL);

	return err;
}


static int teardown(void **state)
{
	answer = mem_deref(answer);

	return rig_teardown(state);
}


#define ANSWER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void off(void **state)
{
	struct answer_rule rule = { .on = true };
	(void)state;

	assert_false(answer_on(answer));
	assert_int_equal(200, answer_get(answer)->code);
	dial(&alice, bob.uri);
	await("alice call.state 1 ringing");
	assert_int_equal(CALL_INCOMING, call_state(call_of(&bob, 1)));

	answer_set(answer, &rule);
	assert_true(answer_on(answer));
	assert_int_equal(200, answer_get(answer)->code);
	dial(&alice, bob.uri);
	await("alice call.state 2 active");
	rule.on = false;
	answer_set(answer, &rule);
	dial(&alice, bob.uri);
	await("alice call.state 3 ringing");
}


static void echo_for_a_while(void **state)
{
	const struct answer_rule rule = {
		.on = true, .code = 200, .for_ms = 50, .calls = 2,
		.sound = ANSWER_ECHO,
	};
	(void)state;

	answer_set(answer, &rule);
	dial(&alice, bob.uri);
	await("alice call.state 1 active");
	assert_false(seen("ringing"));
	assert_int_equal(SOURCE_ECHO, fake_source(fake_stream(1)));
	assert_false(fake_device(fake_stream(1)));
	await("bob call.state 1 ended in 200 none");
	assert_true(answer_on(answer));
	assert_int_equal(1, answer_finished(answer));
	assert_int_equal(0, answer_exit(answer));
	assert_int_equal(0, done);
	await("alice call.state 1 ended");
	dial(&alice, bob.uri);
	await_count(&done, 1);
	assert_null(answer);
}


static void tone_after_ringing(void **state)
{
	const struct answer_rule rule = {
		.on = true, .code = 200, .after_ms = 60,
		.sound = ANSWER_TONE, .tone_hz = 440,
	};
	(void)state;

	answer_set(answer, &rule);
	dial(&alice, bob.uri);
	await("alice call.state 1 ringing");
	await("alice call.state 1 active");
	assert_int_equal(SOURCE_TONE, fake_source(fake_stream(1)));
	assert_true(fake_tone_hz(fake_stream(1)) == 440);

	/* who gives up before is finished, and no bad ending */
	dial(&alice, bob.uri);
	await("alice call.state 2 ringing");
	assert_int_equal(0, call_hangup(call_of(&alice, 2), 0, NULL, said));
	await("bob call.state 2 ended");
	assert_int_equal(1, answer_finished(answer));
	assert_int_equal(0, answer_exit(answer));
}


static void play_and_record(void **state)
{
	const struct answer_rule rule = {
		.on = true, .code = 200, .sound = ANSWER_PLAY,
		.play = "/dev/null", .record = "/tmp/100%%-%n.wav",
	};
	(void)state;

	answer_set(answer, &rule);
	dial(&alice, bob.uri);
	await("alice call.state 1 active");
	assert_string_equal("/tmp/100%-1.wav", fake_recording(fake_stream(1)));
	fake_play_end(fake_stream(1));
	await("bob play.done 1 done");
	assert_int_equal(CALL_ACTIVE, call_state(call_of(&bob, 1)));
	assert_int_equal(0, call_hangup(call_of(&alice, 1), 0, NULL, said));
	await("bob record.done 1 done");
}


static void refuse(void **state)
{
	const struct answer_rule rule = { .on = true, .code = 603 };
	(void)state;

	answer_set(answer, &rule);
	dial(&alice, bob.uri);
	await("alice call.state 1 ended out 603");
	assert_int_equal(1, answer_finished(answer));
	assert_int_equal(0, answer_exit(answer));
}


static void for_so_long(void **state)
{
	const struct answer_rule rule = {
		.on = true, .code = 200, .until_ms = 50,
	};
	(void)state;

	answer_set(answer, &rule);
	await_count(&done, 1);
}


/* The first bad ending counts, later good ones do not mend it */
static void bad_ending(void **state)
{
	const struct answer_rule rule = { .on = true, .code = 200 };
	(void)state;

	answer_set(answer, &rule);
	dial(&alice, bob.uri);
	fake_fail_start(ENOMEM);
	await("bob call.state 1 ended");
	assert_int_equal(9, answer_exit(answer));

	dial(&alice, bob.uri);
	await("alice call.state 2 active");
	assert_int_equal(0, call_hangup(call_of(&alice, 2), 0, NULL, said));
	await("bob call.state 2 ended");
	assert_int_equal(2, answer_finished(answer));
	assert_int_equal(9, answer_exit(answer));
}


/* An account's own word goes before the rule */
static void by_account(void **state)
{
	struct answer_rule rule = { .on = false };
	char uri[128];
	(void)state;

	phone_account(&bob, "sip:yes@127.0.0.1;register=no;auto-answer=yes");
	phone_account(&bob, "sip:no@127.0.0.1;register=no;auto-answer=no");
	phone_account(&bob, "sip:busy@127.0.0.1;register=no;auto-answer=486");
	answer_set(answer, &rule);

	(void)re_snprintf(uri, sizeof(uri), "sip:yes@%J", &bob.addr);
	dial(&alice, uri);
	await("alice call.state 1 active");
	(void)re_snprintf(uri, sizeof(uri), "sip:busy@%J", &bob.addr);
	dial(&alice, uri);
	await("alice call.state 2 ended out 486");

	rule.on = true;
	answer_set(answer, &rule);
	(void)re_snprintf(uri, sizeof(uri), "sip:no@%J", &bob.addr);
	dial(&alice, uri);
	await("alice call.state 3 ringing");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		ANSWER_TEST(off),
		ANSWER_TEST(echo_for_a_while),
		ANSWER_TEST(tone_after_ringing),
		ANSWER_TEST(play_and_record),
		ANSWER_TEST(refuse),
		ANSWER_TEST(for_so_long),
		ANSWER_TEST(bad_ending),
		ANSWER_TEST(by_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
