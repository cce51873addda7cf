/**
 * @file test_session.c  redirect, update, reinvite, and dial's options for it
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


static void test_dial(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial a --late-offer --reliable required "
		      "--session-timer off --redirects ask");
	assert_string_equal(fake_asked(), "dial a account=- ring=0 headers=- "
			    "late reliable=required timer=off redirects=ask");
	refuses(r, "dial a --reliable maybe", "bad-argument", "supported");
}


static void test_redirect(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial a");
	assert_non_null(strstr(rig_run(r, "redirect sip:b@h"), "\"ok\":true"));
	assert_string_equal(fake_asked(), "call_redirect 1 sip:b@h");
	(void)rig_run(r, "redirect --follow");
	assert_string_equal(fake_asked(), "call_redirect_decide 1 1");
	(void)rig_run(r, "redirect --refuse --call 1");
	assert_string_equal(fake_asked(), "call_redirect_decide 1 0");

	refuses(r, "redirect", "missing-argument", "--follow");
	refuses(r, "redirect x --follow", "missing-argument", "--follow");
	refuses(r, "redirect --refuse --follow", "missing-argument", "");
	refuses(r, "redirect x --call 7", "no-such-call", "7");
	fake_fail(EINVAL, "no user in it");
	refuses(r, "redirect x", "bad-target", "no user in it");
	fake_fail(ENOTCONN, "call 1 asks for no decision");
	refuses(r, "redirect --follow", "wrong-state", "no decision");
}


static void test_update(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial a");
	(void)rig_run(r, "dial b");
	fake_state(1, CALL_ACTIVE, 200);
	fake_state(2, CALL_ACTIVE, 200);

	/* done when the other side of this one has agreed */
	assert_string_equal(rig_run(r, "update 1"), "");
	assert_string_equal(fake_asked(), "call_update 1 0");
	fake_update(2, 200, "");
	assert_string_equal(rig_pass(r, 0), "");
	fake_update(1, 200, "");
	assert_string_equal(rig_pass(r, 0),
			    "{\"reply\":null,\"ok\":true}\n");

	assert_string_equal(rig_run(r, "update --bare 1"), "");
	assert_string_equal(fake_asked(), "call_update 1 1");
	fake_update(1, 488, "status");
	assert_non_null(strstr(r->replies, "\"error\":\"refused\",\"text\":"
			       "\"call 1: the other side refuses UPDATE (488 "
			       "Not Acceptable Here)\""));
	(void)rig_pass(r, 0);

	assert_string_equal(rig_run(r, "reinvite --late-offer 1"), "");
	assert_string_equal(fake_asked(), "call_reinvite 1 1");
	fake_update(1, 0, "timeout");
	assert_non_null(strstr(r->replies, "\"error\":\"timeout\",\"text\":"
			       "\"call 1: no answer to INVITE (timeout)\""));
	(void)rig_pass(r, 0);

	/* nothing is heard of it at all */
	assert_string_equal(rig_run(r, "reinvite"), "");
	assert_string_equal(rig_pass(r, 39999), "");
	assert_non_null(strstr(rig_pass(r, 1), "\"error\":\"timeout\""));

	assert_string_equal(rig_run(r, "reinvite 1"), "");
	fake_state(1, CALL_ENDED, 0);
	assert_non_null(strstr(r->replies, "\"error\":\"call-ended\""));
	(void)rig_pass(r, 0);

	fake_fail(ENOTSUP, "The other side takes no UPDATE");
	refuses(r, "update 2", "not-supported", "takes no UPDATE");
}


#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_dial),
		RIG_TEST(test_redirect),
		RIG_TEST(test_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
