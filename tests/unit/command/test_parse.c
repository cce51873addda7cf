/**
 * @file test_parse.c  Lines into words
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "priv.h"


static int var_h(const char *name, char *buf, size_t sz, void *arg)
{
	(void)arg;

	if (!strcmp(name, "A"))
		snprintf(buf, sz, "one two");
	else if (!strcmp(name, "EMPTY"))
		buf[0] = '\0';
	else if (!strcmp(name, "call.code"))
		snprintf(buf, sz, "486");
	else if (!strcmp(name, "call.duration-ms"))
		snprintf(buf, sz, "1500");
	else if (!strcmp(name, "BIG")) {
		memset(buf, 'x', sz - 1);
		buf[sz - 1] = '\0';
	}
	else
		return ENOENT;

	return 0;
}


/* Words in < >, or the token of the error */
static const char *words_len(const char *line, size_t len)
{
	static char out[4096];
	const char *token = "";
	char err[UA_ERR] = "";
	struct words *w = NULL;

	if (words_parse(&w, line, len, var_h, NULL, &token, err)) {
		assert_true(err[0]);
		return token;
	}

	out[0] = '\0';
	for (size_t i = 0; i < w->n; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out),
			 "<%s>", w->v[i]);
	mem_deref(w);

	return out;
}


static const char *words(const char *line)
{
	return words_len(line, strlen(line));
}


static void test_words(void **state)
{
	(void)state;

	assert_string_equal(words(""), "");
	assert_string_equal(words(" \t\r\n"), "");
	assert_string_equal(words("dial  sip:a@b\tx"),
			    "<dial><sip:a@b><x>");
	assert_string_equal(words("a;b|c&d*?~`e`"), "<a;b|c&d*?~`e`>");
	assert_string_equal(words("a 'b c' d"), "<a><b c><d>");
	assert_string_equal(words("a'b c'd"), "<ab cd>");
	assert_string_equal(words("''"), "<>");
	assert_string_equal(words("\"\" x"), "<><x>");
	assert_string_equal(words("'$A \\n'"), "<$A \\n>");
	assert_string_equal(words("\"a\\\"b\\\\c\\$A\\n\""),
			    "<a\"b\\c$A\\n>");
	assert_string_equal(words("a\\ b \\# \\'"), "<a b><#><'>");
	assert_string_equal(words("gr\xc3\xbc\xc3\x9f" "e"),
			    "<gr\xc3\xbc\xc3\x9f" "e>");
}


static void test_comments(void **state)
{
	(void)state;

	assert_string_equal(words("# all"), "");
	assert_string_equal(words("  # all"), "");
	assert_string_equal(words("dtmf 1 # rest 'of"), "<dtmf><1>");
	assert_string_equal(words("dtmf 1234#"), "<dtmf><1234#>");
	assert_string_equal(words("dtmf '#'"), "<dtmf><#>");
	assert_string_equal(words("dtmf \"#\"1"), "<dtmf><#1>");
}


static void test_variables(void **state)
{
	(void)state;

	/* no splitting */
	assert_string_equal(words("print $A"), "<print><one two>");
	assert_string_equal(words("x${A}y \"$A!\""), "<xone twoy><one two!>");
	assert_string_equal(words("a $EMPTY b"), "<a><><b>");
	assert_string_equal(words("$call.code ${call.duration-ms}ms"),
			    "<486><1500ms>");
	assert_string_equal(words("$call.duration-ms"), "<1500>");
	assert_string_equal(words("ended: $call.code."), "<ended:><486.>");
	assert_string_equal(words("$call.duration-ms-"), "<1500->");
	/* a dollar that names nothing stays */
	assert_string_equal(words("5$ $ $1"), "<5$><$><$1>");

	assert_string_equal(words("$NONE"), "unset-variable");
	assert_string_equal(words("${NONE}"), "unset-variable");
	assert_string_equal(words("$A.wav"), "unset-variable");
	assert_string_equal(words("\"$NONE\""), "unset-variable");
	assert_string_equal(words("${A"), "bad-line");
	assert_string_equal(words("${}"), "bad-line");
	assert_string_equal(words("${A B}"), "bad-line");
}


static void test_wrong(void **state)
{
	char line[CLIENT_LINE_MAX + 1];
	(void)state;

	assert_string_equal(words("a 'b"), "bad-line");
	assert_string_equal(words("a \"b"), "bad-line");
	assert_string_equal(words("a \"b\\\""), "bad-line");
	assert_string_equal(words("a \\"), "bad-line");
	assert_string_equal(words_len("a\0b", 3), "bad-line");

	/* 256 words and no more */
	for (size_t i = 0; i < 512; i++)
		line[i] = i % 2 ? ' ' : 'w';
	line[512] = '\0';
	assert_int_equal(strlen(words(line)), 256 * 3);
	strcat(line, "w");
	assert_string_equal(words(line), "line-too-long");

	/* variables do not make it grow without end */
	line[0] = '\0';
	for (size_t i = 0; i < 12; i++)
		strcat(line, "$BIG");
	assert_string_equal(words(line), "line-too-long");
}


static void test_unbound(void **state)
{
	static const struct { const char *in, *out; bool unbound; } v[] = {
		{ "-dial x", "dial x", true },
		{ "- dial x", " dial x", true },
		{ "  -x", "x", true },
		{ "dial -x", "dial -x", false },
		{ "", "", false },
		{ "-", "", true },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {

		const char *line = v[i].in;
		size_t len = strlen(line);

		assert_int_equal(line_unbound(&line, &len), v[i].unbound);
		assert_int_equal(len, strlen(v[i].out));
		assert_memory_equal(line, v[i].out, len);
	}
}


/* What is joined comes apart as it was */
static void test_join(void **state)
{
	char *const argv[] = {
		"dial", "sip:a b@c;x=1", "it's", "", "$HOME", "a\"b\\",
		"#", "{\"id\":1}", "--header", "X: y", "caf\xc3\xa9",
		"x\ty", "~*?",
	};
	char buf[512], want[512] = "", small[8];
	(void)state;

	assert_int_equal(command_join(buf, sizeof(buf), ARRAY_SIZE(argv),
				      argv), 0);
	for (size_t i = 0; i < ARRAY_SIZE(argv); i++)
		snprintf(want + strlen(want), sizeof(want) - strlen(want),
			 "<%s>", argv[i]);
	assert_string_equal(words(buf), want);

	assert_int_equal(command_join(small, sizeof(small),
				      ARRAY_SIZE(argv), argv), E2BIG);
	assert_int_equal(command_join(small, sizeof(small), 0, argv), 0);
	assert_string_equal(small, "");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_unbound),
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
