/**
 * @file test_rules.c  dnd, forward, swap
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


static void refuses(struct rig *r, const char *line, const char *token,
		    const char *text)
{
	char want[80];
	const char *replies = rig_run(r, line);

	(void)snprintf(want, sizeof(want), "\"error\":\"%s\"", token);
	if (!strstr(replies, want) || !strstr(replies, text))
		fail_msg("%s: %s", line, replies);
	(void)rig_pass(r, 0);
}


static void asks(struct rig *r, const char *line, const char *asked_for)
{
	if (!strstr(rig_run(r, line), "\"ok\":true"))
		fail_msg("%s: %s", line, r->replies);
	assert_string_equal(fake_asked(), asked_for);
}


static void test_forward(void **state)
{
	struct rig *r = *state;

	asks(r, "forward always sip:b@h", "forward always sip:b@h 20000");
	asks(r, "forward noanswer b --after 2.5s", "forward noanswer b 2500");
	asks(r, "dnd on", "dnd 1");
	assert_non_null(strstr(rig_run(r, "status"), "\"dnd\":true"));
	assert_non_null(strstr(r->replies, "\"forwards\":[{\"when\":"
			       "\"always\",\"target\":\"sip:b@h\"},{\"when\":"
			       "\"noanswer\",\"target\":\"b\",\"after_ms\":"
			       "2500}]"));
	asks(r, "forward always off", "forward always - 20000");
	asks(r, "forward off", "forward noanswer - 0");
	asks(r, "dnd off", "dnd 0");
	assert_non_null(strstr(rig_run(r, "status"), "\"dnd\":false,"
			       "\"forwards\":[]"));

	refuses(r, "dnd", "missing-argument", "");
	refuses(r, "forward", "missing-argument", "");
	refuses(r, "forward busy", "missing-argument", "or off");
	refuses(r, "forward never x", "bad-argument", "never");
	refuses(r, "forward off x", "bad-argument", "ends all");
	refuses(r, "forward busy x --after 2", "bad-argument", "noanswer");
	fake_fail(EINVAL, "no user in it");
	refuses(r, "forward busy x", "bad-target", "no user in it");
}


/* Two calls: 1 is held, 2 talks */
static void two(struct rig *r)
{
	(void)rig_run(r, "dial a");
	fake_state(1, CALL_ACTIVE, 0);
	(void)rig_run(r, "dial b");
	fake_state(2, CALL_ACTIVE, 0);
	fake_hold(1, true, false);
	(void)rig_pass(r, 0);
}


static void test_swap(void **state)
{
	struct rig *r = *state;

	refuses(r, "swap", "wrong-state", "0 and 0");
	two(r);
	assert_string_equal(rig_run(r, "swap"), "");
	assert_string_equal(fake_asked(), "call_hold 2");
	/* of the other call, and the other side's hold: not what it is about */
	fake_hold(1, true, true);
	assert_string_equal(fake_asked(), "call_hold 2");
	fake_hold(2, true, false);
	assert_string_equal(fake_asked(), "call_resume 1");
	assert_string_equal(rig_pass(r, 0), "");
	fake_hold(1, false, false);
	assert_non_null(strstr(r->replies, "\"ok\":true"));
	assert_int_equal(client_selected(r->cl), 1);
	(void)rig_pass(r, 0);

	/* and back: one refuses to be held, nothing is changed */
	assert_string_equal(rig_run(r, "swap"), "");
	assert_string_equal(fake_asked(), "call_hold 1");
	fake_hold_refused(1, false, 488);
	assert_non_null(strstr(r->replies, "\"error\":\"refused\",\"text\":"
			       "\"call 1 is not put on hold"));
	assert_string_equal(fake_asked(), "call_hold 1");
	(void)rig_pass(r, 0);

	/* the other one refuses to be resumed */
	assert_string_equal(rig_run(r, "swap"), "");
	fake_hold(1, true, false);
	assert_string_equal(fake_asked(), "call_resume 2");
	fake_hold_refused(2, true, 0);
	assert_non_null(strstr(r->replies, "\"error\":\"timeout\",\"text\":"
			       "\"call 2 is not resumed"));
	(void)rig_pass(r, 0);
	refuses(r, "swap", "wrong-state", "0 and 2");
}


static void test_swap_ends(void **state)
{
	struct rig *r = *state;

	/* who was to be held hangs up: the other is taken all the same */
	two(r);
	assert_string_equal(rig_run(r, "swap"), "");
	fake_state(2, CALL_ENDED, 200);
	assert_string_equal(fake_asked(), "call_resume 1");
	assert_string_equal(rig_pass(r, 0), "");
	fake_hold(1, false, false);
	assert_non_null(strstr(r->replies, "\"ok\":true"));
	(void)rig_pass(r, 0);

	(void)rig_run(r, "dial c");
	fake_state(3, CALL_ACTIVE, 0);
	fake_hold(1, true, false);
	(void)rig_pass(r, 0);
	assert_string_equal(rig_run(r, "swap"), "");
	fake_state(1, CALL_ENDED, 200);
	assert_non_null(strstr(r->replies, "\"error\":\"call-ended\""));
	(void)rig_pass(r, 0);

	(void)rig_run(r, "dial d");
	fake_state(4, CALL_ACTIVE, 0);
	fake_hold(3, true, false);
	(void)rig_pass(r, 0);
	assert_string_equal(rig_run(r, "swap"), "");
	assert_string_equal(rig_pass(r, 79999), "");
	assert_non_null(strstr(rig_pass(r, 1), "\"error\":\"timeout\""));
}


#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_forward),
		RIG_TEST(test_swap),
		RIG_TEST(test_swap_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
