/**
 * @file test_header.c  Header fields and URIs read and written
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "priv.h"


static struct sip_msg *decode(const char *headers)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg = NULL;

	assert_int_equal(mbuf_printf(mb, "INVITE sip:bob@there.example:5070"
				     ";x=1 SIP/2.0\r\n%s\r\n", headers), 0);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	mem_deref(mb);

	return msg;
}


#define TEXT(s) (&(const struct pl){.p = (s), .l = strlen(s)})


static void test_uri_parts(void **state)
{
	struct suri u;
	struct pl val;
	(void)state;

	assert_int_equal(suri_parse_str(&u, "sip:al:pw@[2001:db8::1]:5062"
					";transport=TCP;lr?Subject=x"), 0);
	assert_true(u.sip && !u.sips && u.v6);
	assert_int_equal(pl_strcmp(&u.user, "al"), 0);
	assert_int_equal(pl_strcmp(&u.host, "2001:db8::1"), 0);
	assert_int_equal(u.port, 5062);
	assert_int_equal(pl_strcmp(&u.params, ";transport=TCP;lr"), 0);
	assert_int_equal(pl_strcmp(&u.headers, "?Subject=x"), 0);
	assert_true(param_find(&u.params, "TRANSPORT", &val));
	assert_int_equal(pl_strcmp(&val, "TCP"), 0);
	assert_true(param_find(&u.params, "lr", &val));
	assert_null(val.p);
	assert_false(param_find(&u.params, "l", NULL));

	assert_int_equal(suri_parse_str(&u, "SIPS:host"), 0);
	assert_true(u.sip && u.sips);
	assert_null(u.user.p);
	assert_int_equal(u.port, 0);

	/* others are known by their scheme only */
	assert_int_equal(suri_parse_str(&u, "tel:+1-555"), 0);
	assert_false(u.sip);

	/* what users of RFC 4475 call a user */
	assert_int_equal(suri_parse_str(&u, "sip:1_unusual.URI~(to-be!sure)&"
					"isn't+it$/crazy?,/;;*@example.com"),
			 0);
	assert_int_equal(pl_strcmp(&u.host, "example.com"), 0);
}


static void test_uri_bad(void **state)
{
	static const char *const bad[] = {
		"", "sip", "sip:", ":bob@x", "1sip:bob@x", "sip:@host",
		"sip:bob@", "sip:bob@ho st", "sip:bob@host;a b",
		"<sip:bob@host>", "sip:bob@host:", "sip:bob@host:0",
		"sip:bob@host:65536", "sip:bob@host:4294967356",
		"sip:bob@host:50x", "sip:2001:db8::10", "sip:b@[::1",
		"sip:b@[]", "sip:b@[::g]", "sip:b@h\"", "sip:b@h\x01",
		"tel:", "sip:b@h/path",
	};
	struct suri u;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(bad); i++) {
		if (suri_parse_str(&u, bad[i]) != EBADMSG)
			fail_msg("taken: %s", bad[i]);
	}
}


static void test_uri_check(void **state)
{
	static const struct {
		const char *in, *out;
		int err;
	} v[] = {
		{"sip:bob@example.com",     "sip:bob@example.com",     0},
		{" bob@example.com ",       "sip:bob@example.com",     0},
		{"<sip:bob@example.com;x>", "sip:bob@example.com;x",   0},
		{"localhost:5070",          "sip:localhost:5070",      0},
		{"127.0.0.1:5070",          "sip:127.0.0.1:5070",      0},
		{"bob:secret@host",         "sip:bob:secret@host",     0},
		{"sip:b%20b@host",          "sip:b%20b@host",          0},
		{"sips:bob@example.com", "sips:bob@example.com", 0},
		{"tel:+15551",           NULL, EPROTONOSUPPORT},
		{"http://x",             NULL, EPROTONOSUPPORT},
		{"",                     NULL, EINVAL},
		{"bob@",                 NULL, EINVAL},
		{"bob@x y",              NULL, EINVAL},
		{"b\xc3\xb6" "b@host",   NULL, EINVAL},
		{"b%2@host",             NULL, EINVAL},
		{"bob@host?Route=x",     NULL, EINVAL},
		{"sip:bob@host:99999",   NULL, EINVAL},
	};
	char buf[SIP_URI_MAX], err[256], small[8], *big;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		int e;

		*err = '\0';
		e = sip_uri_check(buf, sizeof(buf), v[i].in, err,
				  sizeof(err));
		if (e != v[i].err)
			fail_msg("%s: %d %s", v[i].in, e, err);
		if (e)
			assert_true(*err && !strchr(err, '\n'));
		else
			assert_string_equal(buf, v[i].out);
	}

	assert_int_equal(sip_uri_check(small, sizeof(small), "bob@host", err,
				       sizeof(err)), EINVAL);

	big = malloc(3000);
	memset(big, 'a', 2999);
	big[2999] = '\0';
	assert_int_equal(sip_uri_check(buf, sizeof(buf), big, err,
				       sizeof(err)), EINVAL);
	free(big);

	/* what is quoted from a user cannot control a terminal */
	assert_int_equal(sip_uri_check(buf, sizeof(buf), "bob\x1b[2J@x y",
				       err, sizeof(err)), EINVAL);
	assert_null(strchr(err, 0x1b));
}


static void test_uri_user_host(void **state)
{
	char user[16], host[16];
	uint16_t port = 1;
	(void)state;

	assert_int_equal(sip_uri_parts("sip:bob@[::1]:5070", user,
				       sizeof(user), host, sizeof(host),
				       &port), 0);
	assert_string_equal(user, "bob");
	assert_string_equal(host, "::1");
	assert_int_equal(port, 5070);

	assert_int_equal(sip_uri_parts("sip:host", user, sizeof(user), NULL,
				       0, NULL), 0);
	assert_string_equal(user, "");

	assert_int_equal(sip_uri_parts("sip:a-user-too-long-for-it@h", user,
				       sizeof(user), NULL, 0, NULL), EINVAL);
	assert_int_equal(sip_uri_parts("tel:1", NULL, 0, NULL, 0, NULL),
			 EINVAL);
}


static void test_addr(void **state)
{
	static const char *const bad[] = {
		"", "\"Mr. J <sip:j@x>", "\"J\" sip:j@x", "<sip:j@x",
		"< sip:j@x>", "<sip:j@x >", "<>", "<sip:a@x> junk",
		"<sip:a@x>;p=\"open", "sip:a@x?Route=b", "sip:a@x, sip:b@x",
		"a \"b\" <sip:c@d>", "sip:a b@x", "\"a\\\"",
	};
	struct addr_parts a;
	size_t i;
	(void)state;

	assert_int_equal(addr_parse(&a, TEXT("\"A \\\" <b>\" <sip:a@x;u>;tag=1"
					   ";q=\"a;>\"")), 0);
	assert_int_equal(pl_strcmp(&a.name, "A \\\" <b>"), 0);
	assert_int_equal(pl_strcmp(&a.uri, "sip:a@x;u"), 0);
	assert_int_equal(pl_strcmp(&a.params, ";tag=1;q=\"a;>\""), 0);

	assert_int_equal(addr_parse(&a, TEXT("caller<sip:c@x>;tag=323")), 0);
	assert_int_equal(pl_strcmp(&a.name, "caller"), 0);

	assert_int_equal(addr_parse(&a, TEXT("\r\n sip:c@x;tag=9 ; b")), 0);
	assert_int_equal(pl_strcmp(&a.uri, "sip:c@x"), 0);
	assert_int_equal(pl_strcmp(&a.params, ";tag=9 ; b"), 0);

	assert_int_equal(addr_parse(&a, TEXT("Bell, A <sip:b@x>")), 0);
	assert_int_equal(pl_strcmp(&a.name, "Bell, A"), 0);

	for (i = 0; i < COUNTOF(bad); i++) {
		if (addr_parse(&a, TEXT(bad[i])) != EBADMSG)
			fail_msg("taken: %s", bad[i]);
	}
}


static bool collect_h(const struct pl *val, void *arg)
{
	char *s = arg;

	(void)re_snprintf(s + strlen(s), 200 - strlen(s), "[%r]", val);

	return false;
}


static void test_values(void **state)
{
	struct sip_msg *msg;
	char s[200] = "";
	(void)state;

	/* commas in quotes and brackets separate nothing */
	msg = decode("m: \"a, b\" <sip:x,y@h> ,, <sip:z@h>;p=1\r\n"
		     "Contact: <sip:last@h>\r\n"
		     "Require: 100rel,\r\n timer\r\n"
		     "require:\r\n"
		     "Unknown-One: a, b\r\n");

	assert_false(header_values(msg, "Contact", 'm', collect_h, s));
	assert_string_equal(s, "[\"a, b\" <sip:x,y@h>][<sip:z@h>;p=1]"
			    "[<sip:last@h>]");

	assert_true(header_has(msg, "Require", 0, "TIMER"));
	assert_true(header_has(msg, "Require", 0, "100rel"));
	assert_false(header_has(msg, "Require", 0, "100"));
	assert_true(header_has(msg, "Unknown-One", 0, "b"));
	assert_int_equal(header_count(msg, SIP_HDR_CONTACT, "Contact", 'm'),
			 2);

	mem_deref(msg);
}


static void test_names_compared(void **state)
{
	struct sip_msg *msg;
	(void)state;

	/* libre's table takes the first for From */
	msg = decode("p-fkz: <sip:evil@x>;tag=1\r\n"
		     "Content-Transfer-Encoding: 100rel\r\n");

	assert_non_null(sip_msg_hdr(msg, SIP_HDR_FROM));
	assert_null(header_find(msg, SIP_HDR_FROM, "From", 'f'));
	assert_int_equal(header_count(msg, SIP_HDR_FROM, "From", 'f'), 0);
	assert_non_null(sip_msg_hdr(msg, SIP_HDR_SUPPORTED));
	assert_false(header_has(msg, "Supported", 'k', "100rel"));
	assert_null(header_find_name(msg, "From"));
	assert_non_null(header_find_name(msg, "P-FKZ"));

	mem_deref(msg);
}


static void test_numbers(void **state)
{
	static const struct {
		const char *val;
		int err;
		uint32_t n;
	} v[] = {
		{"120", 0, 120}, {"18 (in a meeting)", 0, 18},
		{"5;duration=7", 0, 5}, {"", EBADMSG, 0}, {"-1", EBADMSG, 0},
		{"+1", EBADMSG, 0}, {"4294967296", EBADMSG, 0},
		{"12x", EBADMSG, 0}, {"1001", EBADMSG, 0},
	};
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		char line[80];
		struct sip_msg *msg;
		uint32_t n = 77;

		(void)snprintf(line, sizeof(line), "Retry-After: %s\r\n",
			       v[i].val);
		msg = decode(line);
		assert_int_equal(header_u32(msg, "Retry-After", 1000, &n),
				 v[i].err);
		assert_int_equal(n, v[i].err ? 77 : v[i].n);
		mem_deref(msg);
	}

	{
		struct sip_msg *msg = decode("To: <sip:a@b>\r\n");
		uint32_t n;

		assert_int_equal(header_u32(msg, "Expires", 9, &n), ENOENT);
		mem_deref(msg);
	}
}


static void test_contact(void **state)
{
	static const struct {
		const char *line, *uri;
		int err;
	} v[] = {
		{"Contact: \"J\" <sip:j@h;ob>;expires=3\r\n", "sip:j@h;ob", 0},
		{"m: sip:j@h;expires=3\r\n", "sip:j@h", 0},
		{"Contact: *\r\n", NULL, EBADMSG},
		{"Contact: <sip:j@h\r\n", NULL, EBADMSG},
		{"X: 1\r\n", NULL, ENOENT},
	};
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		struct sip_msg *msg = decode(v[i].line);
		struct pl uri;

		assert_int_equal(header_contact(msg, &uri), v[i].err);
		if (v[i].uri)
			assert_int_equal(pl_strcmp(&uri, v[i].uri), 0);
		mem_deref(msg);
	}
}


static void test_info(void **state)
{
	struct sip_info in;
	struct sip_msg *msg;
	char buf[20];
	(void)state;

	msg = decode("f: \"Al \\\"X\\\"\" <sip:al@here.example>;tag=1\r\n"
		     "To: sip:bob@there.example\r\n"
		     "Call-ID: abc@x\r\n"
		     "Contact: <sip:al@10.0.0.1>\r\n"
		     "s: a\r\n  folded one\r\n"
		     "User-Agent: theirs/1\r\n");
	sip_info_fill(&in, msg);

	assert_string_equal(in.method, "INVITE");
	assert_string_equal(in.from_uri, "sip:al@here.example");
	assert_string_equal(in.from_name, "Al \"X\"");
	assert_string_equal(in.to_uri, "sip:bob@there.example");
	assert_string_equal(in.ruri_user, "bob");
	assert_string_equal(in.ruri_host, "there.example");
	assert_string_equal(in.contact, "sip:al@10.0.0.1");
	assert_string_equal(in.callid, "abc@x");
	assert_string_equal(in.user_agent, "theirs/1");

	assert_int_equal(sip_info_header(&in, "Subject", buf, sizeof(buf)),
			 0);
	assert_string_equal(buf, "a folded one");
	assert_int_equal(sip_info_header(&in, "Subject", buf, 5), EOVERFLOW);
	assert_int_equal(sip_info_header(&in, "Expires", buf, sizeof(buf)),
			 ENOENT);

	mem_deref(msg);
}


static char *print_addr(const char *name, const char *uri, int *err)
{
	struct mbuf *mb = mbuf_alloc(64);
	char *s = NULL;

	*err = header_print_addr(mb, name, uri);
	mb->pos = 0;
	if (!*err)
		assert_int_equal(mbuf_strdup(mb, &s, mb->end), 0);
	mem_deref(mb);

	return s;
}


static void test_print(void **state)
{
	char *s;
	int err;
	(void)state;

	s = print_addr("A \"q\" \\", "sip:a@b", &err);
	assert_string_equal(s, "\"A \\\"q\\\" \\\\\" <sip:a@b>");
	mem_deref(s);

	s = print_addr(NULL, "sip:a@b", &err);
	assert_string_equal(s, "<sip:a@b>");
	mem_deref(s);

	(void)print_addr("a\r\nX: y", "sip:a@b", &err);
	assert_int_equal(err, EINVAL);
	(void)print_addr(NULL, "sip:a@b>\r\nX: y", &err);
	assert_int_equal(err, EINVAL);
	(void)print_addr(NULL, "sip:a@b>;x", &err);
	assert_int_equal(err, EINVAL);

	assert_true(header_lines_ok(""));
	assert_true(header_lines_ok("A: b\r\nX-C:\r\n"));
	assert_false(header_lines_ok("A: b"));
	assert_false(header_lines_ok("A: b\n"));
	assert_false(header_lines_ok("A: b\r\n\r\n"));
	assert_false(header_lines_ok("A b\r\n"));
	assert_false(header_lines_ok(": b\r\n"));
	assert_false(header_lines_ok("A: \x01\r\n"));
	assert_false(header_lines_ok("A: b\r\n c\r\n"));
}


static void test_phrases(void **state)
{
	(void)state;

	assert_string_equal(sip_phrase(100), "Trying");
	assert_string_equal(sip_phrase(486), "Busy Here");
	assert_string_equal(sip_phrase(608), "Rejected");
	assert_string_equal(sip_phrase(499), "Unknown");
	assert_string_equal(sip_cause_name(SIP_CAUSE_NO_ANSWER), "no-answer");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uri_parts),
		cmocka_unit_test(test_uri_bad),
		cmocka_unit_test(test_uri_check),
		cmocka_unit_test(test_uri_user_host),
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_names_compared),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_contact),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_phrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
