/**
 * @file test_dialplan.c  Numbers as they are dialled and as they are meant
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/contact.h>


static struct dialplan *plan(const char *text)
{
	struct dialplan *d = NULL;
	char err[CONFIG_ERR] = "";

	if (dialplan_parse(&d, "f", text, strlen(text), err))
		fail_msg("%s: %s", text, err);

	return d;
}


static void test_apply(void **state)
{
	struct dialplan *d = plan(
		"# comment\n"
		"0([1-9][0-9]*) = +49\\1\n"
		"00([0-9]+)     = +\\1  # abroad\n"
		"9[0-9]+        = strip 1\n"
		"[1-8][0-9]{5,} = prefix +4930 account work\n"
		"8([0-9])([0-9]) = 7\\2\\1\\0\n"
		"555            = strip 3\n"
		"[1-8]          = keep\n"
		"[*]([0-9]{2}){1,30}(0|1?)+ = strip 1\n"
		"[*][]*+]+[0-9]{2} = keep\n");
	static const struct {
		const char *number, *want, *account;
		unsigned line;
	} t[] = {
		{ "030", "+4930", "", 2 },
		{ "0044", "+44", "", 3 },
		{ "9112", "112", "", 4 },
		{ "123456", "+4930123456", "work", 5 },
		{ "812", "721812", "", 6 },
		{ "7", "7", "", 8 },
		{ "*123401", "123401", "", 9 },
		{ "**+12", "**+12", "", 10 },
		{ "555", NULL, NULL, 0 },        /* nothing would be left   */
		{ "00", NULL, NULL, 0 },
		{ "+49", NULL, NULL, 0 },
		{ "", NULL, NULL, 0 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

		const char *account = "?";
		unsigned line = 0;
		char buf[80];
		const bool fits = dialplan_apply(d, t[i].number, buf,
						 sizeof(buf), &account,
						 &line);

		assert_int_equal(fits, t[i].want != NULL);
		if (!fits)
			continue;
		assert_string_equal(buf, t[i].want);
		assert_string_equal(account, t[i].account);
		assert_int_equal(line, t[i].line);
	}

	dialplan_free(d);
}


static void test_bounds(void **state)
{
	struct dialplan *d = plan("[0-9]+ = prefix 1234567890\n");
	const char *account;
	char number[80], buf[32];
	unsigned line;
	(void)state;

	memset(number, '1', sizeof(number));
	number[79] = '\0';
	assert_false(dialplan_apply(d, number, buf, sizeof(buf), &account,
				    &line));
	number[63] = '\0';
	assert_false(dialplan_apply(d, number, buf, sizeof(buf), &account,
				    &line));
	number[20] = '\0';
	assert_true(dialplan_apply(d, number, buf, sizeof(buf), &account,
				   &line));
	assert_false(dialplan_apply(NULL, number, buf, sizeof(buf), &account,
				    &line));
	dialplan_free(d);
}


static void test_wrong(void **state)
{
	static const struct { const char *text, *why; } t[] = {
		{ "0 =\n", "nothing behind" },
		{ "0 = frob\n", "strip N" },
		{ "0 = strip\n", "how many" },
		{ "0 = strip 65\n", "how many" },
		{ "0 = prefix x\n", "digits" },
		{ "0 = account\n", "name" },
		{ "0 = 1 2\n", "strip N" },
		{ "0 = strip 1 5\n", "another one" },
		{ "a\n", "`=`" },
		{ "0( = 1\n", "pattern" },
		{ "[0-9 = 1\n", "pattern" },
		{ "0([1-9]++++++++++++++++++++++++++++++[0-9]*) = 1\n",
		  "too often" },
		{ "((((((((((((1+)+)+)+)+)+)+)+)+)+)+)+) = 1\n",
		  "too often" },
		{ "(0{99}){99} = 1\n", "too often" },
		{ "0{2001} = 1\n", "too often" },
		{ "0%++++???????+++++ = 1\n", "too often" },
		{ "([0-9]+)* = 1\n", "too often" },
		{ "((1{2,}0)|5)+ = 1\n", "too often" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct dialplan *d = NULL;
		char err[CONFIG_ERR] = "";

		if (!dialplan_parse(&d, "f", t[i].text, strlen(t[i].text),
				    err) || !strstr(err, t[i].why) ||
		    strncmp(err, "f:1: ", 5) || d)
			fail_msg("%s: %s", t[i].text, err);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
