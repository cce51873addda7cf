/**
 * @file test_text.c  Numbers, durations, escaping, names, growing strings
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/text.h>


#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))


static void test_u32(void **state)
{
	static const struct {
		const char *s;
		uint32_t max;
		int err;
		uint32_t v;
	} cases[] = {
		{"0", UINT32_MAX, 0, 0},
		{"200", 699, 0, 200},
		{"000200", 699, 0, 200},
		{"700", 699, ERANGE, 0},
		{"4294967295", UINT32_MAX, 0, UINT32_MAX},
		{"4294967296", UINT32_MAX, ERANGE, 0},
		{"4294967496", 699, ERANGE, 0},       /* wraps to 200 */
		{"18446744073709551817", 699, ERANGE, 0},
		{"99999999999999999999999999999", UINT32_MAX, ERANGE, 0},
		{"5", 0, ERANGE, 0},
		{"", 10, EINVAL, 0},
		{"-1", 10, EINVAL, 0},
		{"+1", 10, EINVAL, 0},
		{" 1", 10, EINVAL, 0},
		{"1 ", 10, EINVAL, 0},
		{"0x1", 10, EINVAL, 0},
		{"99x", 10, EINVAL, 0},               /* before its size */
	};
	uint32_t v;
	(void)state;

	for (size_t i = 0; i < ARRAY(cases); i++) {
		v = 77;
		assert_int_equal(text_u32(&v, cases[i].s, strlen(cases[i].s),
					  cases[i].max), cases[i].err);
		assert_int_equal(v, cases[i].err ? 77 : cases[i].v);
	}

	/* exactly len bytes, no NUL needed */
	assert_int_equal(text_u32(&v, "123456", 3, 1000), 0);
	assert_int_equal(v, 123);
	assert_int_equal(text_u32(&v, NULL, 3, 1000), EINVAL);
}


static void test_i64(void **state)
{
	int64_t v = 77;
	(void)state;

	assert_int_equal(text_i64(&v, "-5", -10, 10), 0);
	assert_int_equal(v, -5);
	assert_int_equal(text_i64(&v, "9223372036854775807", INT64_MIN,
				  INT64_MAX), 0);
	assert_true(v == INT64_MAX);

	v = 77;
	assert_int_equal(text_i64(&v, "9223372036854775808", INT64_MIN,
				  INT64_MAX), ERANGE);
	assert_int_equal(text_i64(&v, "92233720368547758070", INT64_MIN,
				  INT64_MAX), ERANGE);
	assert_int_equal(text_i64(&v, "11", -10, 10), ERANGE);
	assert_int_equal(text_i64(&v, "-11", -10, 10), ERANGE);
	assert_int_equal(text_i64(&v, "-", -10, 10), EINVAL);
	assert_int_equal(text_i64(&v, "", -10, 10), EINVAL);
	assert_int_equal(text_i64(&v, "1x", -10, 10), EINVAL);
	assert_int_equal(text_i64(&v, "--1", -10, 10), EINVAL);
	assert_int_equal(text_i64(&v, NULL, -10, 10), EINVAL);
	assert_int_equal(v, 77);
}


static void test_double(void **state)
{
	static const char *const wrong[] = {
		"", ".", "-", "1e3", "0x10", "nan", "inf", "1,5", "1.2.3",
		" 1", "1 ",
	};
	double v = 77;
	(void)state;

	for (size_t i = 0; i < ARRAY(wrong); i++)
		assert_int_equal(text_double(&v, wrong[i], -1e9, 1e9),
				 EINVAL);
	assert_int_equal(text_double(&v, "4.6", 1, 4.5), ERANGE);
	assert_int_equal(text_double(&v, "-0.5", 0, 1), ERANGE);
	assert_true(v == 77);

	assert_int_equal(text_double(&v, "3.8", 1, 4.5), 0);
	assert_true(v == 3.8);
	assert_int_equal(text_double(&v, "-.25", -1, 1), 0);
	assert_true(v == -0.25);
	assert_int_equal(text_double(&v, "7.", -10, 10), 0);
	assert_true(v == 7);
}


static void test_duration(void **state)
{
	static const struct {
		const char *s;
		int err;
		uint64_t ms;
	} cases[] = {
		{"10", 0, 10000},
		{"10s", 0, 10000},
		{"0", 0, 0},
		{"500ms", 0, 500},
		{"2m", 0, 120000},
		{"1h", 0, 3600000},
		{"0.5", 0, 500},
		{"1.25s", 0, 1250},
		{".5", 0, 500},
		{"0.0005", 0, 1},
		{"1.5h", 0, 5400000},
		{"0.33333333333333333333333333333m", 0, 20000},
		{"1000h", 0, 3600000000},
		{"1000.001h", ERANGE, 0},
		{"1001h", ERANGE, 0},
		{"3600001", ERANGE, 0},
		{"99999999999999999999999999", ERANGE, 0},
		{"18446744073709551616ms", ERANGE, 0},
		{"", EINVAL, 0},
		{"s", EINVAL, 0},
		{".", EINVAL, 0},
		{"1.s", EINVAL, 0},
		{"-1", EINVAL, 0},
		{"1 s", EINVAL, 0},
		{"1S", EINVAL, 0},
		{"1d", EINVAL, 0},
		{"1ms ", EINVAL, 0},
		{"1m30s", EINVAL, 0},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY(cases); i++) {
		uint64_t ms = 77;

		assert_int_equal(text_duration(&ms, cases[i].s),
				 cases[i].err);
		assert_int_equal(ms, cases[i].err ? 77 : cases[i].ms);
	}
	assert_int_equal(text_duration(NULL, "1"), EINVAL);
}


static void test_duration_print(void **state)
{
	static const struct {
		uint64_t ms;
		const char *s;
	} cases[] = {
		{0, "0s"}, {500, "500ms"}, {1500, "1500ms"}, {20000, "20s"},
		{90000, "90s"}, {120000, "2m"}, {3600000, "1h"},
		{5400000, "90m"}, {3600000000, "1000h"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY(cases); i++) {
		char buf[32];
		uint64_t ms;

		text_duration_print(buf, sizeof(buf), cases[i].ms);
		assert_string_equal(buf, cases[i].s);
		assert_int_equal(text_duration(&ms, buf), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}


static void test_utf8(void **state)
{
	static const char *const right[] = {
		"", "a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x93\x9e",
		"\xef\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf",
	};
	static const char *const wrong[] = {
		"\x80", "\xff", "\xc3", "\xc3(", "\xc0\x80", "\xc1\xbf",
		"\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xe2\x82", "\xf0\x9f\x93", "a\xfe",
		"\xf0\x80\x80\x80",
	};
	uint32_t cp = 0;
	(void)state;

	for (size_t i = 0; i < ARRAY(right); i++)
		assert_true(text_utf8_valid(right[i], strlen(right[i])));
	for (size_t i = 0; i < ARRAY(wrong); i++)
		assert_false(text_utf8_valid(wrong[i], strlen(wrong[i])));

	assert_int_equal(text_bom("\xef\xbb\xbf", 3), 3);
	assert_int_equal(text_bom("\xef\xbb\xbf", 2), 0);
	assert_int_equal(text_bom("a\xef\xbb\xbf", 4), 0);

	assert_int_equal(text_utf8_decode(&cp, "\xe2\x82\xac", 3), 3);
	assert_int_equal(cp, 0x20ac);
	assert_int_equal(text_utf8_decode(&cp, "\xf0\x9f\x93\x9e", 4), 4);
	assert_int_equal(cp, 0x1f4de);
	assert_int_equal(text_utf8_decode(&cp, "", 0), 0);
}


static void check_escape(size_t sz, const char *src, size_t len,
			 const char *want)
{
	char buf[64];

	memset(buf, 'Z', sizeof(buf));
	assert_ptr_equal(text_escape(buf, sz, src, len), buf);
	assert_string_equal(buf, want);
	assert_int_equal(buf[sz], 'Z');
	assert_true(strlen(want) < sz);
}


static void test_escape(void **state)
{
	char c = 'Z';
	(void)state;

	check_escape(32, "plain", 5, "plain");
	check_escape(32, "J\xc3\xbcrgen \xf0\x9f\x93\x9e", 12,
		     "J\xc3\xbcrgen \xf0\x9f\x93\x9e");
	check_escape(32, "a\x1b[31mb\r\n\t\x7f", 11, "a?[31mb????");
	check_escape(32, "nul\0x", 5, "nul?x");

	/* C1, both as a character and as a stray byte */
	check_escape(32, "\xc2\x9b" "31m", 5, "?31m");
	check_escape(32, "\x9b" "31m", 4, "?31m");

	/* every bidirectional control */
	check_escape(32, "\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad"
		     "\xe2\x80\xae", 15, "?????");
	check_escape(32, "\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
		     12, "????");
	check_escape(32, "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", 8, "???");
	check_escape(32, "\xe2\x80\xa8\xe2\x80\xa9", 6, "??");

	/* broken UTF-8: one mark a byte */
	check_escape(32, "\xe2\x82" "a\xff", 4, "??a?");

	/* cut where a character ends */
	check_escape(8, "1234567", 7, "1234567");
	check_escape(8, "12345678", 8, "1234...");
	check_escape(8, "123\xc3\xbc" "56789", 10, "123...");
	check_escape(8, "12\xc3\xbc" "56789", 9, "12\xc3\xbc...");
	check_escape(4, "12345", 5, "...");
	check_escape(3, "12345", 5, "..");
	check_escape(1, "12345", 5, "");
	check_escape(1, "", 0, "");

	assert_ptr_equal(text_escape(&c, 0, "x", 1), &c);
	assert_int_equal(c, 'Z');
}


static void test_copy(void **state)
{
	char buf[6] = "old";
	(void)state;

	assert_int_equal(text_copy(buf, sizeof(buf), "123456", 6), EOVERFLOW);
	assert_string_equal(buf, "old");
	assert_int_equal(text_copy(buf, sizeof(buf), "a\0b", 3), EINVAL);
	assert_string_equal(buf, "old");
	assert_int_equal(text_copy(buf, sizeof(buf), "123456", 5), 0);
	assert_string_equal(buf, "12345");
	assert_int_equal(text_copy(buf, sizeof(buf), NULL, 0), 0);
	assert_string_equal(buf, "");
	assert_int_equal(text_copy(buf, 0, "", 0), EOVERFLOW);
}


static void test_addr(void **state)
{
	static const struct {
		const char *text, *addr;
		uint16_t port;
	} v[] = {
		{"192.0.2.1", "192.0.2.1", 0},
		{"192.0.2.1:53", "192.0.2.1", 53},
		{"2001:db8::1", "2001:db8::1", 0},
		{"[2001:db8::1]", "2001:db8::1", 0},
		{"[2001:db8::1]:65535", "2001:db8::1", 65535},
		{"host:1", "host", 1},
		{"", NULL, 0}, {":", NULL, 0}, {":53", NULL, 0},
		{"1.2.3.4:", NULL, 0}, {"1.2.3.4:0", NULL, 0},
		{"1.2.3.4:65536", NULL, 0}, {"1.2.3.4:4294967349", NULL, 0},
		{"1.2.3.4:+5", NULL, 0}, {"[]", NULL, 0}, {"[]:5", NULL, 0},
		{"]", NULL, 0}, {"[1]x", NULL, 0}, {"x[1]", NULL, 0},
		{"[1]5", NULL, 0}, {"a-name-too-long-for-it", NULL, 0},
	};
	char addr[20];
	uint16_t port;
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const int err = text_addr(addr, sizeof(addr), &port,
					  v[i].text, strlen(v[i].text));

		if (v[i].addr ? err || strcmp(addr, v[i].addr) ||
		    port != v[i].port : err != EINVAL)
			fail_msg("%s: %d", v[i].text, err);
	}

	/* no more than it is told */
	assert_int_equal(text_addr(addr, sizeof(addr), &port, "1.2.3.4:567",
				   9), 0);
	assert_int_equal(port, 5);
}


static void test_qvalue(void **state)
{
	static const char *const good[] = {
		"0", "1", "0.", "1.", "0.5", "0.123", "1.0", "1.000"
	};
	static const char *const bad[] = {
		"", "2", "0.1234", "1.001", "1.5", ".5", "05", "0,5", "-0.1",
		"0.5 ", "0.5;x"
	};
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_qvalue(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_qvalue(bad[i]));
}


static void test_caseeq(void **state)
{
	(void)state;

	assert_true(text_caseeq("Opus/48000", 4, "oPUS"));
	assert_true(text_caseeq("", 0, ""));
	assert_false(text_caseeq("opus", 4, "opu"));
	assert_false(text_caseeq("opu", 3, "opus"));
	assert_false(text_caseeq("", 0, "o"));
	assert_false(text_caseeq("[", 1, "{"));        /* not letters */
	assert_false(text_caseeq("a\0b", 3, "a"));
}


static void test_ipv4(void **state)
{
	static const struct {
		uint32_t addr;
		int32_t port;
		const char *text;
	} v[] = {
		{0, -1, "0.0.0.0"},
		{0x7f000001, 0, "127.0.0.1:0"},
		{0xc0a80a64, 5060, "192.168.10.100:5060"},
		{0xffffffff, 65535, "255.255.255.255:65535"},
		{0x01090a63, -1, "1.9.10.99"},
	};
	char buf[TEXT_IPV4];
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(text_ipv4(buf, v[i].addr, v[i].port),
				 strlen(v[i].text));
		assert_string_equal(buf, v[i].text);
	}
}


static void test_unescape_percent(void **state)
{
	char buf[8] = "old";
	(void)state;

	assert_int_equal(text_unescape_percent(buf, 8, "a%3Bb%3b", 8), 0);
	assert_string_equal(buf, "a;b;");
	assert_int_equal(text_unescape_percent(buf, 8, "%C3%BC", 6), 0);
	assert_string_equal(buf, "\xc3\xbc");

	assert_int_equal(text_unescape_percent(buf, 8, "%", 1), EINVAL);
	assert_int_equal(text_unescape_percent(buf, 8, "a%4", 3), EINVAL);
	assert_int_equal(text_unescape_percent(buf, 8, "%41", 2), EINVAL);
	assert_int_equal(text_unescape_percent(buf, 8, "%4g", 3), EINVAL);
	assert_int_equal(text_unescape_percent(buf, 8, "a%00", 4), EINVAL);
	assert_int_equal(text_unescape_percent(buf, 8, "12345678", 8),
			 EOVERFLOW);
	assert_string_equal(buf, "\xc3\xbc");

	/* eight places hold seven characters, however they are written */
	assert_int_equal(text_unescape_percent(buf, 8, "%41%41%41%41%41%41"
					       "%41", 21), 0);
	assert_string_equal(buf, "AAAAAAA");

	/* in place */
	(void)strcpy(buf, "%41%42");
	assert_int_equal(text_unescape_percent(buf, 8, buf, 6), 0);
	assert_string_equal(buf, "AB");
}


static void test_distance(void **state)
{
	char a[200], b[200];
	(void)state;

	assert_int_equal(text_distance("", ""), 0);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("abc", ""), 3);
	assert_int_equal(text_distance("codecs", "codecs"), 0);
	assert_int_equal(text_distance("codecs", "CODECS"), 0);
	assert_int_equal(text_distance("codecs", "codec"), 1);
	assert_int_equal(text_distance("codecs", "cdoecs"), 1);  /* swapped */
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	assert_int_equal(text_distance("ca", "abc"), 3);

	/* bounded */
	memset(a, 'a', sizeof(a) - 1);
	memset(b, 'b', sizeof(b) - 1);
	a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
	assert_int_equal(text_distance(a, b), 64);
}


static const char *name_h(size_t i, const void *arg)
{
	return ((const char *const *)arg)[i];
}


static void test_nearest(void **state)
{
	static const char *const names[] = {
		"codecs", "packet-time", "jitter-max", "jitter-min", "hold",
		"h", NULL
	};
	char longest[300];
	(void)state;

	assert_string_equal(text_nearest("codec", name_h, names), "codecs");
	assert_string_equal(text_nearest("Codecs", name_h, names), "codecs");
	assert_string_equal(text_nearest("pakcet-tiem", name_h, names),
			    "packet-time");
	assert_string_equal(text_nearest("jitter", name_h, names),
			    "jitter-max");
	assert_string_equal(text_nearest("jitter-mon", name_h, names),
			    "jitter-min");
	assert_null(text_nearest("zebra", name_h, names));
	assert_null(text_nearest("x", name_h, names));    /* all of it wrong */
	assert_null(text_nearest("", name_h, names));
	assert_null(text_nearest(NULL, name_h, names));

	memset(longest, 'c', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(text_nearest(longest, name_h, names));
}


static void test_buf(void **state)
{
	struct text_buf b = {0};
	char big[300];
	(void)state;

	text_add(&b, "%s %d", "x", 7);
	assert_string_equal(b.s, "x 7");
	memset(big, 'y', sizeof(big));
	text_add_mem(&b, big, sizeof(big));
	assert_int_equal(b.len, 303);
	assert_int_equal(strlen(b.s), 303);
	assert_int_equal(b.err, 0);
	text_buf_reset(&b);
	assert_null(b.s);
	assert_int_equal(b.len, 0);

	/* the limit is exact, and after a failure nothing is added */
	b.max = 5;
	text_add(&b, "12345");
	assert_int_equal(b.err, 0);
	text_add(&b, "6");
	assert_int_equal(b.err, EOVERFLOW);
	text_add_mem(&b, "", 0);
	text_add(&b, "%s", "");
	assert_string_equal(b.s, "12345");
	text_buf_reset(&b);

	b.max = SIZE_MAX;
	text_add_mem(&b, "a", 1);
	text_add_mem(&b, "a", SIZE_MAX);
	assert_int_equal(b.err, EOVERFLOW);
	text_buf_reset(&b);
}


static void test_add_utf8(void **state)
{
	struct text_buf b = {0};
	(void)state;

	text_add_utf8(&b, "", 0);
	assert_string_equal(b.s, "");

	text_add_utf8(&b, "a\xff\xfe" "b\xc3\xbc\xe2\x82", 8);
	assert_string_equal(b.s, "a\xef\xbf\xbd\xef\xbf\xbd" "b\xc3\xbc"
			    "\xef\xbf\xbd\xef\xbf\xbd");
	assert_true(text_utf8_valid(b.s, b.len));
	text_buf_reset(&b);
}


static void test_json_string(void **state)
{
	struct text_buf b = { 0 };
	(void)state;

	text_add_json(&b, "", 0);
	text_add_mem(&b, ",", 1);
	text_add_json(&b, "a\"b\\c/\n\x1b\x7f\xc2\x9b\xe2\x80\xae\xc3\xbc"
		      "\xf0\x9f\x98\x80\xff.\xc3", 23);
	assert_int_equal(b.err, 0);
	assert_string_equal(b.s, "\"\",\"a\\\"b\\\\c/\\u000a\\u001b\\u007f"
			    "\\u009b\\u202e\xc3\xbc\xf0\x9f\x98\x80"
			    "\\ufffd.\\ufffd\"");
	text_buf_reset(&b);
}


static void test_json_safe(void **state)
{
	char *plain = strdup("{\"a\":\"J\xc3\xbcrgen \\u001b\"}"), *s;
	(void)state;

	/* nothing to do: the same memory comes back */
	assert_ptr_equal(text_json_safe(plain), plain);
	free(plain);

	s = text_json_safe(strdup("[\"\xc2\x9b\",\"x\x7f\xe2\x80\xaey\"]"));
	assert_string_equal(s, "[\"\\u009b\",\"x\\u007f\\u202ey\"]");
	free(s);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u32),
		cmocka_unit_test(test_i64),
		cmocka_unit_test(test_double),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_duration_print),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_qvalue),
		cmocka_unit_test(test_caseeq),
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_unescape_percent),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_add_utf8),
		cmocka_unit_test(test_json_string),
		cmocka_unit_test(test_json_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
