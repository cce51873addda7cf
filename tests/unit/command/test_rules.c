/**
 * @file test_rules.c  dnd, forward
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


#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
