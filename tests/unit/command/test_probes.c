/**
 * @file test_probes.c  What testers use: sip-fault, rules of listen, identities
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/answer_rules.h"
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


static void says(struct rig *r, const char *line, const char *text)
{
	if (!strstr(rig_run(r, line), text))
		fail_msg("%s: %s", line, r->replies);
}


static void asks(struct rig *r, const char *line, const char *asked_for)
{
	says(r, line, "\"ok\":true");
	assert_string_equal(fake_asked(), asked_for);
}


static void test_fault(void **state)
{
	struct rig *r = *state;

	says(r, "sip-fault", "\"rules\":[]");
	asks(r, "sip-fault drop", "fault drop in=0 out=1 req=0 resp=0 method="
	     " code=0-0 nth=0 every=0 chance=100 times=0 by=0 name= value= "
	     "bytes=1 seed=0");
	says(r, "sip-fault delay --by 2s --code 4xx --way both --seed 9",
	     "\"rule\":1");
	assert_string_equal(fake_asked(), "fault delay in=1 out=1 req=0 "
			    "resp=0 method= code=400-499 nth=0 every=0 "
			    "chance=100 times=0 by=2000 name= value= bytes=1 "
			    "seed=9");
	asks(r, "sip-fault reorder --way in --method bye --kind request "
	     "--nth 3 --times 4", "fault reorder in=1 out=0 req=1 resp=0 "
	     "method=BYE code=0-0 nth=3 every=0 chance=100 times=4 by=500 "
	     "name= value= bytes=1 seed=0");
	asks(r, "sip-fault mangle --header Via --every 2 --chance 12.5 --code "
	     "180-183 --kind response", "fault mangle in=0 out=1 req=0 "
	     "resp=1 method= code=180-183 nth=0 every=2 chance=12.5 times=0 "
	     "by=0 name=Via value= bytes=1 seed=0");
	says(r, "sip-fault", "\"rules\":[{\"rule\":1,\"fault\":\"mangle\","
	     "\"way\":\"out\",\"kind\":\"response\",\"code\":\"180-183\","
	     "\"header\":\"Via\",\"seen\":7,\"done\":3}]");
	says(r, "sip-fault off", "\"rules\":[{");
	refuses(r, "sip-fault off 2", "no-such-rule", "no rule 2");

	refuses(r, "sip-fault lose", "bad-argument", "what is 'lose'");
	refuses(r, "sip-fault drop --code 1xx9", "bad-argument", "4xx");
	refuses(r, "sip-fault drop --code 7xx", "bad-argument", "4xx");
	refuses(r, "sip-fault drop --code 200-", "bad-argument", "4xx");
	refuses(r, "sip-fault remove --header X --value y", "bad-argument",
		"--value");
	refuses(r, "sip-fault duplicate --by 2m", "bad-argument", "1m");
	refuses(r, "sip-fault drop --kind request --code 200",
		"bad-argument", "no --code");
	fake_fail(EINVAL, "");
	refuses(r, "sip-fault add --header X --value y", "bad-argument",
		"no header can have");
	fake_fail(ENOSPC, "");
	refuses(r, "sip-fault drop", "no-space", "64 rules");
	fake_fail(ENOMEM, "");
	refuses(r, "sip-fault drop", "no-memory", "");
}


static void test_rules(void **state)
{
	struct rig *r = *state;

	says(r, "rules", "\"rules\":[]");
	says(r, "listen --rule 'from=bob then code=486' --rule echo",
	     "\"ok\":true");
	assert_int_equal(answer_rules_count(answer_get_rules(NULL)), 2);
	says(r, "rules", "\"rules\":[{\"rule\":1,\"hits\":0,\"text\":\"from="
	     "bob then code=486\"},{\"rule\":2,\"hits\":0,\"text\":\"echo\"}]");
	/* what is wrong changes nothing */
	refuses(r, "listen --rule 'frm=x then echo'", "bad-argument",
		"did you mean 'from'?");
	refuses(r, "listen --rules /nonexistent", "no-such-file", "");
	refuses(r, "listen --rule play=/dev/zero", "bad-file", "");
	refuses(r, "listen --rule record=/nonexistent/%n.wav",
		"no-such-file", "cannot write");
	assert_int_equal(answer_rules_count(answer_get_rules(NULL)), 2);
	/* without rules there are none any more */
	says(r, "listen", "\"ok\":true");
	assert_null(answer_get_rules(NULL));
	says(r, "listen --rule echo", "\"ok\":true");
	says(r, "rules --off", "\"ok\":true");
	assert_null(answer_get_rules(NULL));
}


static void test_help(void **state)
{
	const struct answer_word *w;
	char *text = command_help(command_find("listen"));
	(void)state;

	assert_non_null(text);
	assert_null(strchr(text, '@') ? strstr(text, "@matchers") : NULL);
	for (size_t i = 0; (w = answer_matcher(i)); i++)
		assert_non_null(strstr(text, w->name));
	for (size_t i = 0; (w = answer_action(i)); i++)
		assert_non_null(strstr(text, w->name));
	free(text);
}


static void test_identities(void **state)
{
	struct rig *r = *state;
	char path[] = "/tmp/offhook-many-XXXXXX", line[200];
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "uri,number\nsip:a@h,1\nsip:b@h,2\n", 31),
			 31);
	(void)close(fd);

	snprintf(line, sizeof(line), "identities %s --rate 5 --for 2s "
		 "--first 1", path);
	assert_string_equal(rig_run(r, line), "");
	assert_string_equal(fake_asked(), "register 2 of 1 at 5 for 2000");
	client_flush(r->cl);

	fake_fail(EFBIG, "at most 10000");
	snprintf(line, sizeof(line), "identities %s", path);
	refuses(r, line, "too-large", "at most 10000");
	fake_fail(0, "");
	snprintf(line, sizeof(line), "identities %s --rate 0", path);
	refuses(r, line, "bad-argument", "nobody");
	refuses(r, "identities /nonexistent", "no-such-file", "");
	refuses(r, "identities", "missing-argument", "");
	snprintf(line, sizeof(line), "dial {number}@h --identities %s", path);
	refuses(r, line, "missing-argument", "--calls");

	assert_int_equal(truncate(path, 13), 0);
	snprintf(line, sizeof(line), "identities %s", path);
	refuses(r, line, "bad-file", ":2: there are 1 cells for 2");
	(void)unlink(path);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fault, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_rules, rig_setup,
						rig_teardown),
		cmocka_unit_test(test_help),
		cmocka_unit_test_setup_teardown(test_identities, rig_setup,
						rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
