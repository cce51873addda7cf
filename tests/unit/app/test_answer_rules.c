/**
 * @file test_answer_rules.c  Lines of rules: what they take, and which holds
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/answer_rules.h"


static struct answer_rules *rules;
static char err[UA_ERR];


static int setup(void **state)
{
	(void)state;

	return answer_rules_alloc(&rules);
}


static int teardown(void **state)
{
	(void)state;
	rules = mem_deref(rules);

	return 0;
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void takes(const char *line)
{
	if (answer_rules_line(rules, line, strlen(line), err))
		fail_msg("%s: %s", line, err);
}


static void refuses(const char *line, const char *text)
{
	const size_t n = answer_rules_count(rules);

	if (!answer_rules_line(rules, line, strlen(line), err))
		fail_msg("%s is taken", line);
	if (!strstr(err, text))
		fail_msg("%s: %s", line, err);
	assert_int_equal(answer_rules_count(rules), n);
}


static int header_h(const char *name, char *buf, size_t sz, void *arg)
{
	(void)arg;
	if (strcasecmp(name, "X-Test"))
		return ENOENT;
	str_ncpy(buf, "hello world", sz);

	return 0;
}


static const struct answer_rule *find(const char *method, const char *from,
				      const char *to)
{
	const struct answer_subject s = {
		.method = method, .from = from, .to = to,
		.ruri = "sip:600@10.0.0.1", .header_h = header_h,
	};

	return answer_rules_find(rules, &s);
}


static const struct answer_rule *call(void)
{
	return find("INVITE", "sip:bob@example.com", "sip:me@here");
}


static void actions(void **state)
{
	const struct answer_rule *r;
	(void)state;

	takes("from=bob then code=486 reason='Not now, \"dear\"'");
	r = call();
	assert_int_equal(r->code, 486);
	assert_string_equal(r->reason, "Not now, \"dear\"");

	takes("from=x then redirect=sip:carol@example.com");
	r = find("INVITE", "sip:x@h", "");
	assert_int_equal(r->code, 302);
	assert_string_equal(r->redirect, "sip:carol@example.com");

	takes("from=y then after=2s early tone=440 record=%n.wav dtmf=12# "
	      "for=10s refuse-reinvite transfer=sip:z@h "
	      "transfer-after=500ms");
	r = find("INVITE", "sip:y@h", "");
	assert_int_equal(r->code, 200);
	assert_int_equal(r->after_ms, 2000);
	assert_true(r->early);
	assert_int_equal(r->sound, ANSWER_TONE);
	assert_true(r->tone_hz > 439.9 && r->tone_hz < 440.1);
	assert_string_equal(r->record, "%n.wav");
	assert_string_equal(r->dtmf, "12#");
	assert_int_equal(r->for_ms, 10000);
	assert_int_equal(r->reinvite_code, 488);
	assert_string_equal(r->transfer, "sip:z@h");
	assert_int_equal(r->transfer_ms, 500);

	takes("from=q then ring");
	assert_true(find("INVITE", "sip:q@h", "")->ring);
	takes("from=r then play=/dev/null refuse-reinvite=606");
	assert_int_equal(find("INVITE", "sip:r@h", "")->reinvite_code, 606);
	takes("echo");
	assert_int_equal(find("INVITE", "sip:any@h", "")->sound, ANSWER_ECHO);
	takes("");
	takes("  # a comment");
	takes("answer # and another");
}


static void matchers(void **state)
{
	(void)state;

	takes("from=sip:*@example.org then code=401");
	takes("from=*@EXAMPLE.com to=sales* then code=402");
	takes("to=600 header='X-Test: *WORLD' header=X-None then code=403");
	takes("header='x-test: hello*' then code=404");
	assert_int_equal(call()->code, 404);
	assert_int_equal(find("INVITE", "sip:a@example.org", "")->code, 401);
	assert_int_equal(find("INVITE", "sip:a@example.com",
			      "sip:sales1@x")->code, 402);
	/* of requests only those that name them */
	assert_null(find("MESSAGE", "sip:a@example.org", ""));
	takes("method=message from=a then code=405");
	assert_int_equal(find("MESSAGE", "sip:a@example.org", "")->code, 405);
	assert_null(find("OPTIONS", "sip:a@example.org", ""));
}


static void counts(void **state)
{
	const char *text;
	uint64_t hits;
	(void)state;

	takes("nth=2 then code=482");
	takes("from=bob every=3 then code=483");
	takes("code=480");
	/* the second rule sees those that the first one leaves */
	assert_int_equal(call()->code, 480);
	assert_int_equal(call()->code, 482);
	assert_int_equal(call()->code, 480);
	assert_int_equal(call()->code, 483);
	assert_int_equal(call()->code, 480);
	assert_int_equal(find("INVITE", "sip:other@x", "")->code, 480);
	assert_int_equal(call()->code, 480);
	assert_int_equal(call()->code, 483);

	assert_true(answer_rules_at(rules, 0, &text, &hits));
	assert_string_equal(text, "nth=2 then code=482");
	assert_int_equal(hits, 1);
	assert_true(answer_rules_at(rules, 1, &text, &hits));
	assert_int_equal(hits, 2);
	assert_true(answer_rules_at(rules, 2, &text, &hits));
	assert_int_equal(hits, 5);
	assert_false(answer_rules_at(rules, 3, &text, &hits));
	assert_int_equal(answer_rules_act(rules, 2)->code, 480);
	assert_null(answer_rules_act(rules, 3));
}


static void wrongs(void **state)
{
	char line[ANSWER_LINE_MAX + 40];
	(void)state;

	refuses("frm=x then echo", "did you mean 'from'?");
	refuses("from=x then ech", "did you mean 'echo'?");
	refuses("from=x then", "what is to be done?");
	refuses("from=x", "there is no action 'from'");
	refuses("then then echo", "twice");
	refuses("from then echo", "from=PATTERN is missing");
	refuses("from= then echo", "is missing");
	refuses("code=200", "300 to 699");
	refuses("code=abc", "300 to 699");
	refuses("code=700", "300 to 699");
	refuses("answer=1", "takes no value");
	refuses("reason=x", "needs a code=");
	refuses("early", "needs an after=");
	refuses("echo tone=400", "exclude each other");
	refuses("tone=5", "20 to 20000");
	refuses("play=/nonexistent", "cannot be read");
	refuses("after=soon", "no time");
	refuses("for=0", "no time");
	refuses("for=2h", "up to an hour");
	refuses("dtmf=xyz", "keys are");
	refuses("code=486 echo", "has no sound");
	refuses("code=486 for=1s", "has no sound");
	refuses("redirect=http://x", "http");
	refuses("transfer-after=1s", "needs a transfer=");
	refuses("nth=0 then echo", "begins at 1");
	refuses("nth=1 every=2 then echo", "said once");
	refuses("method=OPTIONS then echo", "only code=");
	refuses("method=A:B then code=400", "no method");
	refuses("header='a b: c' then echo", "write: header=");
	refuses("header=':c' then echo", "write: header=");
	refuses("reason='x code=486", "not closed");
	refuses("code=486 reason=\"a\001b\"", "control character");
	assert_int_equal(answer_rules_line(rules, "\0echo", 5, err), EINVAL);
	assert_non_null(strstr(err, "control character"));
	snprintf(line, sizeof(line), "code=486 reason=%0200d", 0);
	refuses(line, "1 to 127 bytes");
	snprintf(line, sizeof(line), "code=486 reason=%02000d", 0);
	refuses(line, "too long");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	refuses(line, "longer than");
	refuses("from=a from=a from=a from=a from=a from=a from=a from=a "
		"from=a then echo", "at most 8");
}


static void files(void **state)
{
	char path[] = "/tmp/offhook-rules-XXXXXX";
	static const char good[] = "\xef\xbb\xbf# rules\r\n\r\n"
		"from=a then code=486\r\necho\n";
	const int fd = mkstemp(path);
	(void)state;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, good, strlen(good)), strlen(good));
	assert_int_equal(answer_rules_file(rules, path, err), 0);
	assert_int_equal(answer_rules_count(rules), 2);
	assert_int_equal(write(fd, "nonsense\n", 9), 9);
	assert_int_equal(answer_rules_file(rules, path, err), EINVAL);
	assert_non_null(strstr(err, ":5: there is no action 'nonsense'"));
	(void)close(fd);
	(void)unlink(path);
	assert_int_equal(answer_rules_file(rules, path, err), ENOENT);

	while (answer_rules_count(rules) < ANSWER_RULES_MAX)
		takes("echo");
	assert_int_equal(answer_rules_line(rules, "echo", 4, err), ENOSPC);
}


static void words(void **state)
{
	const struct answer_word *w;
	size_t n = 0;
	(void)state;

	for (size_t i = 0; (w = answer_matcher(i)); i++, n++)
		assert_true(*w->name && *w->value && *w->summary);
	for (size_t i = 0; (w = answer_action(i)); i++, n++)
		assert_true(*w->name && *w->summary);
	assert_int_equal(n, 22);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(actions),
		TEST(matchers),
		TEST(counts),
		TEST(wrongs),
		TEST(files),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
