/**
 * @file test_lines.c  Lines of a file: comments, quotes, sections, errors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priv.h"


static void one(const char *line, enum conf_line_type type, const char *name,
		const char *value)
{
	struct conf_lines l;

	conf_lines_init(&l, line, strlen(line));
	assert_int_equal(conf_lines_next(&l), type);
	assert_int_equal(l.line, 1);
	if (name)
		assert_string_equal(l.name, name);
	if (value)
		assert_string_equal(l.value, value);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_END);
}


static void test_pairs(void **state)
{
	(void)state;

	one("name = value", CONF_LINE_PAIR, "name", "value");
	one("name=value\n", CONF_LINE_PAIR, "name", "value");
	one(" \tname\t=  a b \t\r\n", CONF_LINE_PAIR, "name", "a b");
	one("name =", CONF_LINE_PAIR, "name", "");
	one("name = a=b", CONF_LINE_PAIR, "name", "a=b");
	one("name = sip:a@b;password=x", CONF_LINE_PAIR, "name",
	    "sip:a@b;password=x");

	/* comments */
	one("name = a # b", CONF_LINE_PAIR, "name", "a");
	one("name = a#b", CONF_LINE_PAIR, "name", "a#b");
	one("name = # b", CONF_LINE_PAIR, "name", "");
	one("name =#b", CONF_LINE_PAIR, "name", "#b");

	/* quotes */
	one("name = \" a # b \" # c", CONF_LINE_PAIR, "name", " a # b ");
	one("name = \"a\\\"b\\\\\"", CONF_LINE_PAIR, "name", "a\"b\\");
	one("name = \"\"", CONF_LINE_PAIR, "name", "");
	one("name = a\"b\"", CONF_LINE_PAIR, "name", "a\"b\"");
}


static void test_others(void **state)
{
	(void)state;

	one("\n", CONF_LINE_EMPTY, "", "");
	one("  \t\r\n", CONF_LINE_EMPTY, NULL, NULL);
	one("# name = value", CONF_LINE_EMPTY, "", NULL);
	one("  #", CONF_LINE_EMPTY, NULL, NULL);

	one("[work]", CONF_LINE_SECTION, "work", NULL);
	one("  [ my work ]  # x", CONF_LINE_SECTION, "my work", NULL);
}


static void test_bad(void **state)
{
	char big[2000];
	struct conf_lines l;
	(void)state;

	one("name value", CONF_LINE_BAD, NULL,
	    "a line is `name = value`, and here is no `=`");
	one("= value", CONF_LINE_BAD, NULL,
	    "a line is `name = value`, and here is no name");
	one("[work", CONF_LINE_BAD, NULL,
	    "a section is a name in brackets: [NAME]");
	one("[work] x", CONF_LINE_BAD, NULL, NULL);
	one("[]", CONF_LINE_BAD, NULL, NULL);
	one("[ ]", CONF_LINE_BAD, NULL, NULL);
	one("name = \"a", CONF_LINE_BAD, NULL,
	    "the closing quote is missing");
	one("name = \"a\\\"", CONF_LINE_BAD, NULL,
	    "the closing quote is missing");
	one("name = \"a\" b", CONF_LINE_BAD, NULL,
	    "there is more behind the closing quote");
	one("name = \"a\"#b", CONF_LINE_BAD, NULL, NULL);
	one("name = \"a\\nb\"", CONF_LINE_BAD, NULL,
	    "after a backslash within quotes comes \" or \\");
	one("name = \"a\\", CONF_LINE_BAD, NULL, NULL);
	one("name = \xff", CONF_LINE_BAD, NULL, "this is not UTF-8 text");

	memset(big, 'x', sizeof(big));
	memcpy(big, "n = ", 4);
	conf_lines_init(&l, big, sizeof(big));
	assert_int_equal(conf_lines_next(&l), CONF_LINE_BAD);
	assert_string_equal(l.value, "the value is too long");
	big[4] = '"';
	conf_lines_init(&l, big, sizeof(big));
	assert_int_equal(conf_lines_next(&l), CONF_LINE_BAD);
	assert_string_equal(l.value, "the value is too long");

	/* exactly as long as may be */
	big[4] = 'x';
	conf_lines_init(&l, big, 4 + CONF_VALUE - 1);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_PAIR);
	assert_int_equal(strlen(l.value), CONF_VALUE - 1);

	conf_lines_init(&l, big + 4, 100);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_BAD);
	big[70] = '=';
	conf_lines_init(&l, big + 4, 100);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_BAD);

	conf_lines_init(&l, "a = b\0c", 7);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_BAD);
	assert_string_equal(l.value, "this is not UTF-8 text");
}


static void test_many_lines(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# head\n\na = 1\r\n[s]\nb = 2   # two\nbad";
	struct conf_lines l;
	(void)state;

	conf_lines_init(&l, text, sizeof(text) - 1);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_EMPTY);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_EMPTY);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_PAIR);
	assert_int_equal(l.line, 3);
	assert_string_equal(l.value, "1");
	assert_int_equal(conf_lines_next(&l), CONF_LINE_SECTION);
	assert_string_equal(l.name, "s");
	assert_int_equal(conf_lines_next(&l), CONF_LINE_PAIR);
	assert_string_equal(l.value, "2");
	assert_memory_equal(l.raw + l.comment, "   # two\n", 9);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_BAD);
	assert_int_equal(l.line, 6);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_END);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_END);

	conf_lines_init(&l, "", 0);
	assert_int_equal(conf_lines_next(&l), CONF_LINE_END);
}


/* What is written reads back the same */
static void test_quote(void **state)
{
	static const struct {
		const char *value;
		const char *line;
	} cases[] = {
		{"plain", "plain"},
		{"a b", "a b"},
		{"a#b", "a#b"},
		{"a\"b", "a\"b"},
		{"a\\b", "a\\b"},
		{"", "\"\""},
		{"a #b", "\"a #b\""},
		{"#b", "\"#b\""},
		{" a", "\" a\""},
		{"a ", "\"a \""},
		{"a\t#", "\"a\t#\""},
		{"\"a\"", "\"\\\"a\\\"\""},
		{" \\\" ", "\" \\\\\\\" \""},
	};
	char buf[64], line[80];
	struct conf_lines l;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(conf_lines_quote(buf, sizeof(buf),
						  cases[i].value), 0);
		assert_string_equal(buf, cases[i].line);

		(void)snprintf(line, sizeof(line), "n = %s", buf);
		conf_lines_init(&l, line, strlen(line));
		assert_int_equal(conf_lines_next(&l), CONF_LINE_PAIR);
		assert_string_equal(l.value, cases[i].value);
	}

	assert_int_equal(conf_lines_quote(buf, 4, "abcd"), EOVERFLOW);
	assert_int_equal(conf_lines_quote(buf, 4, " a"), EOVERFLOW);
	assert_int_equal(conf_lines_quote(buf, 5, " a"), 0);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
