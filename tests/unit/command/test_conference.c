/**
 * @file test_conference.c  conference, gain
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priv.h"
#include "rig.h"


static void refuses(struct rig *r, const char *line, const char *token)
{
	char want[80];
	const char *replies = rig_run(r, line);

	(void)snprintf(want, sizeof(want), "\"error\":\"%s\"", token);
	if (!strstr(replies, want))
		fail_msg("%s: %s", line, replies);
	(void)rig_pass(r, 0);
}


static void asks(struct rig *r, const char *line, const char *asked_for)
{
	if (!strstr(rig_run(r, line), "\"ok\":true"))
		fail_msg("%s: %s", line, r->replies);
	assert_string_equal(fake_asked(), asked_for);
	(void)rig_pass(r, 0);
}


static void three(struct rig *r)
{
	for (unsigned i = 1; i <= 3; i++) {
		(void)rig_run(r, "dial a");
		fake_state(i, CALL_ACTIVE, 0);
	}
	(void)rig_pass(r, 0);
}


static void test_conference(void **state)
{
	struct rig *r = *state;

	three(r);
	assert_non_null(strstr(rig_run(r, "conference"), "\"members\":[]"));
	asks(r, "conference 1 2", "ua_conference 1 2");
	asks(r, "conference 3", "ua_conference 3 1");
	assert_non_null(strstr(rig_run(r, "conference"),
			       "{\"conference\":1,\"call\":3,"));
	assert_non_null(strstr(rig_run(r, "calls"), "\"conference\":1"));

	asks(r, "conference 2 --mute", "call_part 2 0.0 1");
	asks(r, "conference 2 --unmute --gain -6", "call_part 2 -6.0 0");
	asks(r, "conference 3 --leave", "call_conference_leave 3");

	refuses(r, "conference 9", "no-such-call");
	refuses(r, "conference x", "bad-argument");
	refuses(r, "conference --mute", "bad-argument");
	refuses(r, "conference 1 --gain 31", "bad-argument");
}


/* Who is on hold is waited for */
static void test_held(void **state)
{
	struct rig *r = *state;

	three(r);
	fake_hold(1, true, false);
	fake_hold(2, true, false);
	assert_string_equal(rig_run(r, "conference 1 2 3"), "");
	assert_string_equal(fake_asked(), "ua_conference 1 2 3");
	fake_hold(3, false, true);
	fake_hold(1, false, false);
	assert_string_equal(rig_pass(r, 0), "");
	fake_hold(2, false, false);
	assert_non_null(strstr(r->replies, "\"ok\":true"));
	(void)rig_pass(r, 0);

	fake_hold(1, true, false);
	assert_string_equal(rig_run(r, "conference 1 2"), "");
	fake_hold_refused(1, true, 488);
	assert_non_null(strstr(r->replies, "\"error\":\"refused\""));
	(void)rig_pass(r, 0);

	fake_hold(1, true, false);
	assert_string_equal(rig_run(r, "conference 1 2"), "");
	fake_state(1, CALL_ENDED, 0);
	assert_non_null(strstr(r->replies, "\"error\":\"call-ended\""));
	(void)rig_pass(r, 0);
}


static void test_gain(void **state)
{
	struct rig *r = *state;

	refuses(r, "gain mic 3", "no-call");
	three(r);
	asks(r, "gain mic 3.5", "call_gain 3 mic 3.5");
	asks(r, "gain speaker -12 1", "call_gain 1 speaker -12.0");
	assert_non_null(strstr(rig_run(r, "gain speaker"), "\"gain\":-6"));
	refuses(r, "gain mic 31", "bad-argument");
	refuses(r, "gain loud 3", "bad-argument");
	asks(r, "pan left", "call_pan 3 -100");
	asks(r, "pan centre 1", "call_pan 1 0");
	asks(r, "pan right 2", "call_pan 2 100");
	asks(r, "pan -25 2", "call_pan 2 -25");
	assert_non_null(strstr(rig_run(r, "pan"), "\"place\":0"));
	refuses(r, "pan 101", "bad-argument");
	refuses(r, "pan up", "bad-argument");
	asks(r, "silence", "ringer_hush");
	asks(r, "record pause", "call_record_pause 3 1");
	asks(r, "record resume", "call_record_pause 3 0");
}


static void test_device(void **state)
{
	struct rig *r = *state;

	assert_non_null(strstr(rig_run(r, "device"), "\"mic\":\"headset\""));
	asks(r, "device mic default", "media_set_device 0 ");

	/* it must be there */
	assert_string_equal(rig_run(r, "device ring head"), "");
	fake_devices_done(0);
	assert_non_null(strstr(r->replies, "\"ok\":true"));
	assert_string_equal(fake_asked(), "media_set_device 2 head");
	(void)rig_pass(r, 0);

	(void)rig_run(r, "device speaker lamp");
	fake_devices_done(0);
	assert_non_null(strstr(r->replies, "\"error\":\"no-such-device\""));
	(void)rig_pass(r, 0);
	refuses(r, "device lamp x", "bad-argument");
}


static void test_try(void **state)
{
	struct rig *r = *state;

	/* it takes until the microphone has been heard for so long */
	fake_probe(0, true);
	assert_string_equal(rig_run(r, "devices test --tone 440"), "");
	assert_string_equal(fake_asked(), "media_probe 440 -20 0");
	assert_string_equal(rig_pass(r, 250), "");
	rig_submit(r, "devices");
	(void)rig_pass(r, 1000);
	assert_string_equal(fake_asked(), "media_probe_end");
	assert_non_null(strstr(r->print, "hears the loudspeaker"));
	fake_devices_done(0);
	(void)rig_pass(r, 0);

	(void)rig_run(r, "devices test --for 1s --level -30 --mute");
	assert_string_equal(fake_asked(), "media_probe 1000 -30 1");
	timers_advance(100);
	assert_non_null(strstr(r->replies, "\"mic\":\"Headset\""));
	assert_non_null(strstr(r->replies, "\"speaker\":\"Room\""));
	assert_non_null(strstr(r->replies, "\"latency_ms\":22"));
	assert_non_null(strstr(r->replies, "\"loop_db\":-6"));
	assert_non_null(strstr(r->replies, "\"mic_alive\":true"));
	assert_string_equal(fake_asked(), "media_probe_end");
	(void)rig_pass(r, 0);

	fake_probe(0, false);
	(void)rig_run(r, "devices test --for 1s");
	timers_advance(100);
	assert_non_null(strstr(r->print, "there is no microphone"));
	(void)rig_pass(r, 0);
	(void)fake_asked();

	/* no device at all, or one that never comes */
	fake_probe(ENODEV, false);
	(void)rig_run(r, "devices test");
	timers_advance(100);
	assert_non_null(strstr(r->replies, "\"error\":\"no-device\""));
	(void)rig_pass(r, 0);
	fake_probe(EAGAIN, false);
	(void)rig_run(r, "devices test");
	timers_advance(9000);
	assert_string_equal(r->replies, "");
	timers_advance(2000);
	assert_non_null(strstr(r->replies, "\"error\":\"no-device\""));
	(void)rig_pass(r, 0);

	refuses(r, "devices test --tone 50", "bad-argument");
	refuses(r, "devices try", "bad-argument");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_conference, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_held, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_gain, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_try,
						rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_device, rig_setup,
						rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
