/**
 * @file test_conference.c  Several calls together, gain, levels, music
 */
#include <math.h>
#include <string.h>
#include <unistd.h>
#include "rig.h"


/* Streams of alice come first and third: she called twice */
static struct stream *of_alice(unsigned id)
{
	return fake_stream(2 * (size_t)(id - 1));
}


/* Calls 1 and 2 to bob; hold-others has put the first on hold */
static void two(void)
{
	connect_both();
	assert_int_equal(2, dial(&alice, bob.uri));
	await("bob call.state 2 incoming in");
	assert_int_equal(0, call_answer(call_of(&bob, 2), said));
	await("alice call.state 2 active out");
	if (!call_held(call_of(&alice, 1)))
		await("alice call.hold 1 local");
}


static void joined_and_left(void **state)
{
	struct call *cv[2];
	unsigned no = 0;
	(void)state;

	phone_set(&bob, "hold-others", "no");
	two();
	cv[0] = call_of(&alice, 1);
	cv[1] = call_of(&alice, 2);
	assert_int_equal(EINVAL, ua_conference(&no, alice.ua, cv, 1, said));
	assert_int_equal(0, call_conference(cv[0]));

	assert_int_equal(0, ua_conference(&no, alice.ua, cv, 2, said));
	assert_int_equal(1, no);
	await("alice call.conference 1 joined 1 2");
	await("alice call.conference 2 joined 1 2");
	/* the first is taken from hold, and that does not hold the second */
	await("alice call.hold 1 - -");
	await_none("alice call.hold 2");
	assert_false(call_held(cv[1]));
	assert_int_equal(1, fake_conference(of_alice(1)));
	assert_int_equal(1, fake_conference(of_alice(2)));

	/* on hold it keeps its place and hears nothing */
	assert_int_equal(0, call_hold(cv[0], said));
	assert_int_equal(0, fake_conference(of_alice(1)));
	assert_int_equal(1, call_conference(cv[0]));
	await("alice call.hold 1 local");
	assert_int_equal(0, call_resume(cv[0], said));
	await("alice call.hold 1 - -");
	assert_int_equal(1, fake_conference(of_alice(1)));

	assert_int_equal(0, call_part(cv[0], -6.0, false, said));
	assert_true(fabs(fake_part(of_alice(1)) + 6.0) < 0.01);
	assert_int_equal(0, call_part(cv[0], -6.0, true, said));
	assert_true(fake_part(of_alice(1)) < -60.0);
	assert_int_equal(EINVAL, call_part(cv[0], 31.0, false, said));

	/* the last one is not left alone in it */
	assert_int_equal(0, call_conference_leave(cv[0], said));
	await("alice call.conference 1 left 1 1");
	await("alice call.conference 2 left 1 0");
	assert_int_equal(0, call_conference(cv[1]));
	assert_int_equal(0, fake_conference(of_alice(2)));
	assert_int_equal(EALREADY, call_conference_leave(cv[0], said));
	assert_int_equal(ENOTCONN, call_part(cv[0], 0.0, true, said));
}


static void ends_with_the_call(void **state)
{
	struct call *cv[2];
	(void)state;

	phone_set(&bob, "hold-others", "no");
	two();
	cv[0] = call_of(&alice, 1);
	cv[1] = call_of(&alice, 2);
	assert_int_equal(0, ua_conference(NULL, alice.ua, cv, 2, said));
	await("alice call.hold 1 - -");
	assert_int_equal(0, call_hangup(call_of(&bob, 1), 0, NULL, said));
	await("alice call.conference 1 left 1 1");
	await("alice call.conference 2 left 1 0");
	await("alice call.state 1 ended");
	assert_int_equal(0, call_conference(call_of(&alice, 2)));
}


static void not_answered(void **state)
{
	struct call *cv[2];
	(void)state;

	connect_both();
	assert_int_equal(2, dial(&alice, bob.uri));
	cv[0] = call_of(&alice, 1);
	cv[1] = call_of(&alice, 2);
	assert_int_equal(ENOTCONN, ua_conference(NULL, alice.ua, cv, 2,
						 said));
	assert_string_equal("Call 2 is not answered yet.", said);
	assert_int_equal(0, call_conference(cv[0]));
}


static void gains(void **state)
{
	struct call *c;
	(void)state;

	phone_set(&alice, "mic-gain", "3");
	phone_set(&alice, "speaker-gain", "-4");
	connect_both();
	c = call_of(&alice, 1);
	assert_true(fabs(fake_gain(of_alice(1), true) - 3.0) < 0.01);
	assert_true(fabs(fake_gain(of_alice(1), false) + 4.0) < 0.01);

	assert_int_equal(0, call_gain(c, true, -10.0, said));
	assert_true(fabs(fake_gain(of_alice(1), true) + 10.0) < 0.01);
	assert_true(fabs(fake_gain(of_alice(1), false) + 4.0) < 0.01);
	assert_true(fabs(call_gain_db(c, false) + 4.0) < 0.01);
	assert_int_equal(EINVAL, call_gain(c, false, -61.0, said));
	assert_string_equal("A gain has -60 to 30 dB.", said);

	/* nothing is asked twice */
	(void)fake_doors();
	assert_int_equal(0, call_gain(c, true, -10.0, said));
	assert_int_equal(0, fake_doors());
	hangup_both(&alice);
}


static void places(void **state)
{
	struct call *c;
	(void)state;

	connect_both();
	c = call_of(&alice, 1);
	assert_int_equal(0, call_pan(c, -40, said));
	await("alice call.place 1 -40");
	assert_int_equal(-40, fake_place(of_alice(1)));
	assert_int_equal(-40, call_place(c));
	assert_int_equal(EINVAL, call_pan(c, 101, said));
	assert_string_equal("A place is from -100 (left) to 100 (right).",
			    said);

	/* nothing is asked or told twice */
	(void)fake_doors();
	assert_int_equal(0, call_pan(c, -40, said));
	assert_int_equal(0, fake_doors());
	assert_int_equal(0, call_pan(c, 0, said));
	await("alice call.place 1 0");
	hangup_both(&alice);
}


/* Side by side, but who was put somewhere stays there */
static void spread(void **state)
{
	struct call *cv[2];
	(void)state;

	phone_set(&bob, "hold-others", "no");
	phone_set(&alice, "conference-spread", "yes");
	two();
	cv[0] = call_of(&alice, 1);
	cv[1] = call_of(&alice, 2);
	assert_int_equal(0, ua_conference(NULL, alice.ua, cv, 2, said));
	await("alice call.place 1 -50");
	await("alice call.place 2 50");
	assert_int_equal(-50, fake_place(of_alice(1)));
	assert_int_equal(50, fake_place(of_alice(2)));

	assert_int_equal(0, call_conference_leave(cv[0], said));
	await("alice call.place 1 0");
	await("alice call.place 2 0");

	assert_int_equal(0, call_pan(cv[1], -100, said));
	assert_int_equal(0, ua_conference(NULL, alice.ua, cv, 2, said));
	await("alice call.place 2 -100");
	await("alice call.conference 2 joined 1 2");
	assert_int_equal(0, call_place(cv[0]));
	assert_int_equal(-100, call_place(cv[1]));
}


/* Told while somebody listens */
static void levels(void **state)
{
	(void)state;

	phone_set(&alice, "level-interval", "20ms");
	connect_both();
	await("alice call.level 1 -20 -30 3");
	await("alice call.level 1 -20 -30 3");
	assert_int_equal(0, call_mute(call_of(&alice, 1), true, said));
	await("alice call.level 1 -20 -120 3");
	hangup_both(&alice);
}


static void music_on_hold(void **state)
{
	char file[] = "/tmp/offhook-music-XXXXXX";
	struct call *c;
	bool loop;
	int fd = mkstemp(file);
	(void)state;

	assert_true(fd >= 0);
	close(fd);
	phone_set(&alice, "hold-music", file);
	connect_both();
	c = call_of(&alice, 1);
	assert_false(fake_playing(of_alice(1), &loop));

	assert_int_equal(0, call_hold(c, said));
	assert_true(fake_playing(of_alice(1), &loop) && loop);
	await("alice call.hold 1 local -");
	assert_int_equal(0, call_resume(c, said));
	await("alice call.hold 1 - -");
	assert_false(fake_playing(of_alice(1), &loop));

	/* what the user plays comes first, and music comes back behind it */
	assert_int_equal(0, call_hold(c, said));
	await("alice call.hold 1 local -");
	assert_int_equal(0, call_play(c, file, false, said));
	assert_true(fake_playing(of_alice(1), &loop) && !loop);
	fake_play_end(of_alice(1));
	await("alice play.done");
	assert_true(fake_playing(of_alice(1), &loop) && loop);
	await_none("alice play.done");
	hangup_both(&alice);
	assert_int_equal(1, count_seen("alice play.done"));
	(void)unlink(file);
}


static void one_behind_the_other(void **state)
{
	char file[] = "/tmp/offhook-queue-XXXXXX";
	struct call *c;
	bool loop;
	const int fd = mkstemp(file);
	(void)state;

	assert_true(fd >= 0);
	close(fd);
	connect_both();
	c = call_of(&alice, 1);
	assert_int_equal(ENOENT, call_play_as(c, "/nowhere/x", false, true,
					      false, said));
	assert_int_equal(0, call_play_as(c, file, false, true, false, said));
	assert_int_equal(0, call_play_as(c, file, true, true, true, said));
	assert_int_equal(EALREADY, call_play_as(c, file, true, false, false,
						said));
	assert_true(fake_playing(of_alice(1), &loop) && !loop);
	fake_play_end(of_alice(1));
	await("alice play.done 1 done");
	assert_true(fake_playing(of_alice(1), &loop) && loop);

	/* stop means all of them */
	assert_int_equal(0, call_play_as(c, file, false, true, false, said));
	assert_int_equal(0, call_stop(c, said));
	await("alice play.done 1 stopped");
	await_none("alice play.done");
	assert_false(fake_playing(of_alice(1), &loop));
	hangup_both(&alice);
	(void)unlink(file);
}


static void recordings(void **state)
{
	char dir[] = "/tmp/offhook-notes-XXXXXX", name[128], note[160];
	char text[2048] = "";
	struct call *c;
	FILE *f;
	(void)state;

	assert_non_null(mkdtemp(dir));
	phone_set(&alice, "record-notes", "yes");
	phone_set(&alice, "record-beep", "15s");
	connect_both();
	c = call_of(&alice, 1);
	assert_int_equal(ENOTCONN, call_record_pause(c, true, said));

	(void)snprintf(name, sizeof(name), "%s/%%n-%%p-%%x%%%%.wav", dir);
	assert_int_equal(0, call_record(c, name, said));
	(void)snprintf(name, sizeof(name), "%s/1-127.0.0.1_%u-%%x%%.wav", dir,
		       sa_port(&bob.addr));
	assert_string_equal(name, fake_recording(of_alice(1)));
	assert_int_equal(0, call_record_pause(c, true, said));
	assert_int_equal(0, call_record_pause(c, false, said));
	assert_int_equal(0, call_record_stop(c, said));
	await("alice record.done 1 stopped");

	(void)snprintf(note, sizeof(note), "%s.json", name);
	f = fopen(note, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(text, "\"direction\": \"out\""));
	assert_non_null(strstr(text, "\"codec\": \"pcmu\""));
	assert_non_null(strstr(text, "\"packets_received\": 100"));
	assert_non_null(strstr(text, bob.uri));
	hangup_both(&alice);
	(void)unlink(note);
	(void)rmdir(dir);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(joined_and_left),
		RIG_TEST(ends_with_the_call),
		RIG_TEST(not_answered),
		RIG_TEST(gains),
		RIG_TEST(places),
		RIG_TEST(spread),
		RIG_TEST(levels),
		RIG_TEST(music_on_hold),
		RIG_TEST(one_behind_the_other),
		RIG_TEST(recordings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
