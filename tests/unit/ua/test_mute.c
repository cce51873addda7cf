/**
 * @file test_mute.c  Muted and talking: it is said to who talks
 */
#include <string.h>
#include "rig.h"


static const struct stream_event talks = {
	.type = STREAM_TALK, .talks = true, .text = "",
};
static const struct stream_event pauses = {
	.type = STREAM_TALK, .talks = false, .text = "",
};


static void said_once(void **state)
{
	struct call *a;
	(void)state;

	connect_both();
	a = call_of(&alice, 1);
	assert_false(fake_talk(fake_stream(0)));
	assert_false(call_talks_unheard(a));

	assert_int_equal(0, call_mute(a, true, said));
	assert_true(fake_talk(fake_stream(0)));
	fake_event(fake_stream(0), &talks);
	await("alice call.unheard 1");
	assert_true(call_talks_unheard(a));
	fake_event(fake_stream(0), &pauses);
	assert_false(call_talks_unheard(a));
	fake_event(fake_stream(0), &talks);
	await("alice call.unheard 1");

	/* the screen need not say it any more, and one that was under way
	 * from the media thread is too late */
	assert_int_equal(0, call_mute(a, false, said));
	assert_false(fake_talk(fake_stream(0)));
	assert_false(call_talks_unheard(a));
	fake_event(fake_stream(0), &talks);
	assert_false(call_talks_unheard(a));
	assert_int_equal(2, count_seen("alice call.unheard"));
}


/* Nobody talks to who is on hold, nor does a file */
static void only_to_the_microphone(void **state)
{
	struct call *a;
	(void)state;

	connect_both();
	a = call_of(&alice, 1);
	assert_int_equal(0, call_mute(a, true, said));
	assert_int_equal(0, call_hold(a, said));
	assert_false(fake_talk(fake_stream(0)));
	await("alice call.hold 1 local");
	assert_int_equal(0, call_resume(a, said));
	await("alice call.hold 1 - -");
	assert_true(fake_talk(fake_stream(0)));
	assert_int_equal(0, call_echo(a, true, said));
	assert_false(fake_talk(fake_stream(0)));
	assert_int_equal(0, call_stop(a, said));
	assert_true(fake_talk(fake_stream(0)));
}


static void turned_off(void **state)
{
	(void)state;

	phone_set(&alice, "mute-warning", "no");
	connect_both();
	assert_int_equal(0, call_mute(call_of(&alice, 1), true, said));
	assert_true(fake_muted(fake_stream(0)));
	assert_false(fake_talk(fake_stream(0)));
}


/* One call is muted, another is not: who talks is heard there */
static void heard_by_another(void **state)
{
	struct call *one, *two;
	(void)state;

	phone_set(&alice, "hold-others", "no");
	bob.incoming = NULL;
	connect_both();
	one = call_of(&alice, 1);
	dial(&alice, bob.uri);
	await("bob call.state 2 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 2), said));
	await("alice call.state 2 active");
	two = call_of(&alice, 2);

	assert_int_equal(0, call_mute(one, true, said));
	fake_event(fake_stream(0), &talks);
	assert_false(call_talks_unheard(one));
	assert_int_equal(0, count_seen("alice call.unheard"));

	assert_int_equal(0, call_mute(two, true, said));
	fake_event(fake_stream(0), &talks);
	assert_true(call_talks_unheard(one));
	await("alice call.unheard 1");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(said_once),
		RIG_TEST(only_to_the_microphone),
		RIG_TEST(turned_off),
		RIG_TEST(heard_by_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
