/**
 * @file test_enum.c  Numbers as addresses: rewriting, records, order
 */
#include "zone.h"


static void test_rewrite(void **state)
{
	static const struct {
		const char *regexp, *text, *want;
	} v[] = {
		/* RFC 6116, and what people write */
		{"!^.*$!sip:info@example.com!", "+4412", "sip:info@example.com"},
		{"!^\\+44(.*)$!sip:\\1@x.org!", "+4412", "sip:12@x.org"},
		{"!(.*)!sip:\\1@x.org!", "+4412", "sip:+4412@x.org"},
		{"/^[+]([0-9]{2})([0-9]+)$/\\2-\\1/", "+4412", "12-44"},
		{"#(\\+44|\\+49)(1.)#\\1 \\2 \\0#", "+4412", "+44 12 +4412"},
		{"!4!x!", "+4412", "x"},
		{"!^(\\+44)?(\\d)!x!", "+4412", NULL},
		{"!^([[:digit:]]|\\+)+$!\\1!", "+4412", "2"},
		{"!^(a|b)*!<\\1>!", "abc", "<b>"},
		{"!(x)?y!<\\1>!", "y", "<>"},
		{"!^AbC$!hit!i", "aBc", "hit"},
		{"!^[a-c]+$!hit!i", "ABC", "hit"},
		{"!^[^0-9]+$!hit!", "abc", "hit"},
		{"!^[]-]$!hit!", "]", "hit"},
		{"!a\\!b!c\\!d!", "a!b", "c!d"},
		{"!^.{3}$!hit!", "abc", "hit"},
		{"!^.{2,}$!hit!", "abc", "hit"},
		{"!^(ab){2}$!hit!", "abab", "hit"},
		{"!^(a*)*$!hit \\1!", "aaa", "hit aaa"},
		{"!^(a|ab)(c|bcd)(d*)$!\\1 \\2 \\3!", "abcd", "a bcd "},
		{"!!all!", "x", "all"},
		{"!a!\\\\!", "a", "\\"},
	};
	char buf[64];
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		const int err = rewrite(buf, sizeof(buf), v[i].regexp,
					v[i].text);

		if (v[i].want ? err || strcmp(buf, v[i].want) : !err)
			fail_msg("%s of %s: %d '%s'", v[i].regexp, v[i].text,
				 err, err ? "" : buf);
	}
}


static void test_rewrite_bad(void **state)
{
	static const struct {
		const char *regexp;
		int err;
	} v[] = {
		{"", EINVAL}, {"!", EINVAL}, {"!a", EINVAL}, {"!a!", EINVAL},
		{"!a!b", EINVAL}, {"!a!b!g", EINVAL}, {"!a!b!ii", EINVAL},
		{"1a1b1", EINVAL}, {"iaibi", EINVAL}, {"\\a\\b\\", EINVAL},
		{"!(!b!", EINVAL}, {"!)!b!", EINVAL}, {"!a)!b!", EINVAL},
		{"![!b!", EINVAL}, {"![z-a]!b!", EINVAL}, {"![[:x:]]!b!", EINVAL},
		{"![[.a.]]!b!", EINVAL}, {"!*!b!", EINVAL}, {"!a**!b!", EINVAL},
		{"!^*!b!", EINVAL}, {"!a{!b!", EINVAL}, {"!a{3,2}!b!", EINVAL},
		{"!a{999}!b!", EINVAL}, {"!(a)\\1!b!", EINVAL},
		{"!(a)!\\2!", EINVAL}, {"!b!x!", ENOENT}, {"!^b!x!", ENOENT},
		{"!a$!0123456789012345678901234567890123456789!", EOVERFLOW},
		/* what would take for ever, or all memory */
		{"!((((a{1,255}){1,255}){1,255}){1,255})!x!", ENOENT},
		{"!^(a?){200}(a?){200}(a?){200}b$!x!", E2BIG},
		{"!^((a|a)*|(a|a)*)*b$!x!", E2BIG},
		{"!((((((((((((((((((a))))))))))))))))))!x!", E2BIG},
	};
	char buf[32], longest[300];
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		const char *text = v[i].err == E2BIG ?
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" :
			v[i].err == EOVERFLOW ? "ba" :
			strstr(v[i].regexp, "255") ? "" : "a";
		const int err = rewrite(buf, sizeof(buf), v[i].regexp, text);

		if (err != v[i].err)
			fail_msg("%s: %d, not %d", v[i].regexp, err,
				 v[i].err);
	}

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(rewrite(buf, sizeof(buf), "!a!b!", longest), EINVAL);
	longest[0] = '!';
	assert_int_equal(rewrite(buf, sizeof(buf), longest, "a"), EOVERFLOW);
}


static struct {
	unsigned done;
	char uri[512];
	struct sip_result res;
	char text[2000];
	struct sip_enum *e;
} got;


static void enum_h(const char *uri, const struct sip_result *err,
		   const struct sip_steps *steps, void *arg)
{
	char line[600];
	unsigned i;
	(void)arg;

	++got.done;
	assert_true(!uri == !!err);
	(void)snprintf(got.uri, sizeof(got.uri), "%s", uri ? uri : "");
	if (err)
		got.res = *err;
	for (i = 0; i < steps->n; i++) {
		(void)strncat(got.text, sip_step_print(line, sizeof(line),
						       &steps->v[i]),
			      sizeof(got.text) - strlen(got.text) - 1);
		(void)strncat(got.text, "\n",
			      sizeof(got.text) - strlen(got.text) - 1);
	}
}


static void look_up(const char *number)
{
	got.e = mem_deref(got.e);
	memset(&got, 0, sizeof(got));
	assert_int_equal(sip_enum_find(&got.e, &zone_stack, number,
				       "e164.example", enum_h, NULL), 0);
	assert_int_equal(got.done, 0);
	timers_advance(0);
	timers_advance(RESOLVE_MS);
	assert_int_equal(got.done, 1);
	got.e = mem_deref(got.e);
}


static void test_enum(void **state)
{
	static const struct zone z[] = {
		{"3.2.1.e164.example", NAME_NAPTR,
		 "10 20 u E2U+sip !^\\+(.*)$!sip:\\1@second.org! -", 0},
		{"3.2.1.e164.example", NAME_NAPTR,
		 "10 5 U e2u+pres !^.*$!sip:presence@x.org! -", 0},
		{"3.2.1.e164.example", NAME_NAPTR,
		 "20 1 u E2U+sip !^.*$!sip:third@x.org! -", 0},
		{"3.2.1.e164.example", NAME_NAPTR,
		 "10 10 u E2U+voice:tel+sip !^\\+(.*)$!sip:\\1@first.org! -",
		 0},
		{"4.2.1.e164.example", NAME_NAPTR,
		 "1 1 - E2U+sip - elsewhere.example", 0},
		{"4.2.1.e164.example", NAME_NAPTR,
		 "1 2 u E2U+sip !^9!sip:a@x.org! -", 0},
		{"4.2.1.e164.example", NAME_NAPTR,
		 "1 3 u E2U+sip !^.*$!http://x.org/! -", 0},
		{"4.2.1.e164.example", NAME_NAPTR,
		 "1 4 u E2U+sip !^.*$!sip:a@x.org?Route=b! -", 0},
		{"4.2.1.e164.example", NAME_NAPTR,
		 "1 5 u E2U+sip !(!sip:a@x.org! -", 0},
		{"5.2.1.e164.example", NAME_NAPTR, "FAILED", 0},
		{"6.2.1.e164.example", NAME_NAPTR, "SILENT", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	look_up("+123");
	assert_string_equal(got.uri, "sip:123@first.org");
	assert_non_null(strstr(got.text, "NAPTR 3.2.1.e164.example: 4 records"
			       " (1m)\n"));
	assert_non_null(strstr(got.text, "+123 is sip:123@first.org\n"));
	look_up("123");
	assert_string_equal(got.uri, "sip:123@first.org");
	assert_non_null(strstr(got.text, "known already"));
	assert_int_equal(zone_asked, 1);

	look_up("124");
	assert_string_equal(got.uri, "");
	assert_int_equal(got.res.cause, SIP_CAUSE_NONE);
	assert_string_equal(got.res.reason,
			    "the number +124 is not listed for SIP");
	assert_non_null(strstr(got.text,
			       "a rule that leads to others is not followed\n"
			       "!^9!sip:a@x.org!: does not fit the number\n"
			       "http://x.org/ is no SIP address\n"
			       "sip:a@x.org?Route=b is no SIP address\n"
			       "!(!sip:a@x.org!: malformed\n"));

	look_up("999");
	assert_int_equal(got.res.cause, SIP_CAUSE_NONE);
	look_up("125");
	assert_int_equal(got.res.cause, SIP_CAUSE_RESOLVE);
	assert_int_equal(got.res.err, EIO);
	look_up("126");
	assert_int_equal(got.res.err, ETIMEDOUT);
}


static void test_enum_bad(void **state)
{
	static const char *const v[] = {
		"", "+", "12a", "1-2", "*12", "0123456789012345678901234",
	};
	struct sip_enum *e = NULL;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++)
		assert_int_equal(sip_enum_find(&e, &zone_stack, v[i], "x.org",
					       enum_h, NULL), EINVAL);
	assert_int_equal(sip_enum_find(&e, &zone_stack, "1", "x y", enum_h,
				       NULL), EINVAL);
	assert_int_equal(sip_enum_find(&e, &zone_stack, "1", "", enum_h,
				       NULL), EINVAL);
	assert_null(e);

	/* let go of */
	got.done = 0;
	assert_int_equal(sip_enum_find(&e, &zone_stack, "1", "x.org", enum_h,
				       NULL), 0);
	mem_deref(e);
	timers_advance(RESOLVE_MS);
	assert_int_equal(got.done, 0);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewrite),
		cmocka_unit_test(test_rewrite_bad),
		ZONE_TEST(test_enum),
		ZONE_TEST(test_enum_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
