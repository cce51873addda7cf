/**
 * @file test_devices.c  Whose microphone, loudspeaker and bell it is now
 */
#include <string.h>
#include "rig.h"


static struct devices *d;
static const struct audio_spec no_spec = { .driver = "auto" };


static void begin(const struct audio_spec *given)
{
	struct audio_spec as = { .driver = "auto" };

	(void)strcpy(as.in, given->in);
	assert_int_equal(0, media_set_audio(bob.media, &as, said,
					    sizeof(said)));
	assert_int_equal(0, media_set_device(bob.media, MEDIA_ROLE_RING, "",
					     said, sizeof(said)));
	assert_int_equal(0, devices_alloc(&d, bob.ua, bob.bus, bob.media,
					  given));
	assert_int_equal(0, media_set_device(bob.media, MEDIA_ROLE_MONITOR,
					     "", said, sizeof(said)));
	(void)fake_device_sets();
	phone_set(&alice, "hold-others", "no");
	phone_set(&bob, "hold-others", "no");
	phone_account(&bob, "sip:desk@127.0.0.1;register=no;name=desk;"
		      "audio-mic=head;audio-speaker=set;audio-ring=bell");
	phone_account(&bob, "sip:door@127.0.0.1;register=no;name=door;"
		      "audio-speaker=box;audio-monitor=coach");
	phone_account(&bob, "sip:plain@127.0.0.1;register=no;name=plain");
}


static int teardown(void **state)
{
	d = mem_deref(d);

	return rig_teardown(state);
}


#define DEVICES_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, teardown)


static void check(const char *mic, const char *speaker, const char *ring)
{
	assert_string_equal(media_device(bob.media, MEDIA_ROLE_MIC), mic);
	assert_string_equal(media_device(bob.media, MEDIA_ROLE_SPEAKER),
			    speaker);
	assert_string_equal(media_device(bob.media, MEDIA_ROLE_RING), ring);
}


/* alice calls that account of bob's: his call number n */
static struct call *rings(const char *user, unsigned n)
{
	char target[96], want[64];

	(void)snprintf(target, sizeof(target), "sip:%s@127.0.0.1:%u", user,
		       sa_port(&bob.addr));
	(void)snprintf(want, sizeof(want), "bob call.state %u incoming", n);
	dial(&alice, target);
	await(want);

	return call_of(&bob, n);
}


static void answer(struct call *c)
{
	char want[64];

	assert_int_equal(0, call_answer(c, said));
	(void)snprintf(want, sizeof(want), "alice call.state %u active",
		       call_id(c));
	await(want);
}


static void hang_up(struct call *c)
{
	char want[64];

	(void)snprintf(want, sizeof(want), "bob call.state %u ended",
		       call_id(c));
	assert_int_equal(0, call_hangup(c, 0, NULL, said));
	await(want);
}


static void taken_and_given_back(void **state)
{
	struct call *c;
	(void)state;

	begin(&no_spec);
	check("", "", "");

	/* there before it is answered, and with one choice */
	c = rings("desk", 1);
	check("head", "set", "bell");
	assert_int_equal(2, fake_device_sets());
	answer(c);
	check("head", "set", "");
	hang_up(c);
	check("", "", "");

	/* what it does not name is as it was */
	c = rings("door", 2);
	check("", "box", "");
	assert_string_equal(media_device(bob.media, MEDIA_ROLE_MONITOR),
			    "coach");
	answer(c);
	hang_up(c);
	check("", "", "");
	assert_string_equal(media_device(bob.media, MEDIA_ROLE_MONITOR), "");

	(void)fake_device_sets();
	c = rings("plain", 3);
	answer(c);
	hang_up(c);
	assert_int_equal(0, fake_device_sets());
}


/* Who talks has them, and nobody who rings meanwhile; on hold nobody talks */
static void two_accounts(void **state)
{
	struct call *desk, *door;
	(void)state;

	begin(&no_spec);
	desk = rings("desk", 1);
	answer(desk);
	door = rings("door", 2);
	check("head", "set", "");
	answer(door);
	check("head", "set", "");

	assert_int_equal(0, call_hold(desk, said));
	await("bob call.hold 1 local");
	check("", "box", "");
	assert_int_equal(0, call_resume(desk, said));
	await("bob call.hold 1 - -");
	check("", "box", "");
	hang_up(door);
	check("head", "set", "");
	hang_up(desk);
	check("", "", "");
}


/* What somebody chooses in mid-call stays, then and after it */
static void chosen_meanwhile(void **state)
{
	struct call *c;
	(void)state;

	begin(&no_spec);
	c = rings("desk", 1);
	answer(c);
	assert_int_equal(0, media_set_device(bob.media, MEDIA_ROLE_SPEAKER,
					     "hand", said, sizeof(said)));
	assert_int_equal(0, call_hold(c, said));
	await("bob call.hold 1 local");
	check("", "hand", "");
	assert_int_equal(0, call_resume(c, said));
	await("bob call.hold 1 - -");
	check("head", "set", "");
	hang_up(c);
	check("", "hand", "");
}


/* --audio portaudio:studio is for this run, whoever calls */
static void named_for_the_run(void **state)
{
	struct audio_spec as = { .driver = "portaudio", .in = "studio" };
	struct call *c;
	(void)state;

	begin(&as);
	c = rings("desk", 1);
	check("studio", "set", "bell");
	answer(c);
	hang_up(c);
	check("studio", "", "");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICES_TEST(taken_and_given_back),
		DEVICES_TEST(two_accounts),
		DEVICES_TEST(chosen_meanwhile),
		DEVICES_TEST(named_for_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
