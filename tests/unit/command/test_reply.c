/**
 * @file test_reply.c  Replies as text and as JSON
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "priv.h"


static int setup(void **state)
{
	struct reply *r = NULL;

	assert_int_equal(reply_alloc(&r, "s:3"), 0);
	*state = r;

	return 0;
}


static int teardown(void **state)
{
	mem_deref(*state);

	return 0;
}


static void assert_json(const struct reply *r, const char *want)
{
	char *json = reply_json(r);

	assert_string_equal(json, want);
	free(json);
}


static void assert_print(const struct reply *r, const char *want)
{
	char *text = reply_print(r);

	assert_string_equal(text, want);
	free(text);
}


static void test_empty(void **state)
{
	struct reply *r = *state;

	assert_true(reply_ok(r));
	assert_int_equal(reply_exit(r), 0);
	assert_string_equal(reply_where(r), "s:3");
	assert_json(r, "{\"reply\":null,\"ok\":true}");
	assert_print(r, "");
}


static void test_values(void **state)
{
	struct reply *r = *state;

	reply_set_id(r, "7");
	reply_int(r, "call", 1);
	reply_str(r, "peer-name", "B\xc3\xb6" "b \"x\"");
	reply_double(r, "loss-pct", 1.23456);
	reply_double(r, "unknown", (double)NAN);
	reply_double(r, "jitter-ms", 1.5004);
	reply_bool(r, "held", true);
	reply_int(r, "big", INT64_MAX);

	assert_json(r, "{\"reply\":7,\"ok\":true,\"call\":1,\"peer_name\":"
		    "\"B\xc3\xb6" "b \\\"x\\\"\",\"loss_pct\":1.235,"
		    "\"jitter_ms\":2,\"held\":true,\"big\":9223372036854775807}");
	assert_print(r, "call      1\n"
		     "peer-name B\xc3\xb6" "b \"x\"\n"
		     "loss-pct  1.235\n"
		     "jitter-ms 1.5\n"
		     "held      yes\n"
		     "big       9223372036854775807\n");
}


static void test_rows(void **state)
{
	struct reply *r = *state;

	reply_str(r, "version", "1");
	reply_list(r, "call");
	reply_row(r, "call");
	reply_int(r, "call", 1);
	reply_str(r, "peer", "sip:a");
	reply_row(r, "call");
	reply_int(r, "call", 12);
	reply_str(r, "peer", "sip:bob");
	reply_bool(r, "held", false);
	reply_list(r, "account");

	assert_json(r, "{\"reply\":null,\"ok\":true,\"version\":\"1\","
		    "\"calls\":[{\"call\":1,\"peer\":\"sip:a\"},"
		    "{\"call\":12,\"peer\":\"sip:bob\",\"held\":false}],"
		    "\"accounts\":[]}");
	assert_print(r, "version 1\n"
		     "\n"
		     "call  peer     held\n"
		     "   1  sip:a\n"
		     "  12  sip:bob  no\n");
}


static void test_text(void **state)
{
	struct reply *r = *state;

	reply_text(r, "%s", "one\ntwo");
	reply_text(r, "%d", 3);

	assert_json(r, "{\"reply\":null,\"ok\":true,"
		    "\"text\":\"one\\ntwo\\n3\"}");
	assert_print(r, "one\ntwo\n3\n");
}


static void test_long_text(void **state)
{
	struct reply *r = *state;
	char text[5001];
	char *print;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	reply_text(r, "%s", text);

	print = reply_print(r);
	assert_int_equal(strlen(print), 5001);
	assert_memory_equal(print, text, 5000);
	free(print);
}


static void test_error(void **state)
{
	struct reply *r = *state;

	reply_set_id(r, "\"a\"");
	reply_error(r, "no-call", "there is no %s", "call");
	reply_error(r, "second", "is not told");
	reply_int(r, "code", 486);

	assert_false(reply_ok(r));
	assert_string_equal(reply_token(r), "no-call");
	assert_string_equal(reply_error_text(r), "there is no call");
	assert_int_equal(reply_exit(r), 1);
	assert_json(r, "{\"reply\":\"a\",\"ok\":false,\"error\":\"no-call\","
		    "\"text\":\"there is no call\",\"where\":\"s:3\","
		    "\"code\":486}");

	reply_usage(r);
	assert_int_equal(reply_exit(r), 2);
	reply_set_exit(r, 7);
	assert_int_equal(reply_exit(r), 7);
}


/* What others say in whole sentences stands in a line that goes on */
static void test_sentence(void **state)
{
	struct reply *r = *state;

	reply_error(r, "busy", "%s", "Call 1 is held already.");
	assert_string_equal(reply_error_text(r), "Call 1 is held already");
}


/* What strangers say reaches neither the terminal nor JSON as it is */
static void test_hostile(void **state)
{
	struct reply *r = *state;
	char *print;

	reply_str(r, "peer", "\033[31mred\xff\n\xe2\x80\xae");
	reply_text(r, "%s", "a\033]0;x\007\xc3");

	print = reply_print(r);
	assert_null(strchr(print, '\033'));
	assert_null(strchr(print, '\xff'));
	assert_null(strchr(print, '\xc3'));
	assert_non_null(strstr(print, "red"));
	free(print);

	print = reply_json(r);
	assert_true(text_utf8_valid(print, strlen(print)));
	assert_null(strchr(print, '\033'));
	assert_null(strchr(print, '\n'));
	/* as events tell it, and nothing that turns a line around */
	assert_non_null(strstr(print, "red\xef\xbf\xbd\\n\\u202"));
	assert_null(strstr(print, "\xe2\x80\xae"));
	free(print);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_text, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sentence, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
