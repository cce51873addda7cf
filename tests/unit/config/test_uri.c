/**
 * @file test_uri.c  Addresses of accounts and servers
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>
#include "priv.h"


static char err[CONFIG_ERR];


static void aor(const char *text, const char *want, const char *want_user,
		const char *want_rest)
{
	char uri[CONFIG_STR], user[128];
	const char *rest = NULL;

	assert_int_equal(conf_aor_parse(uri, sizeof(uri), user, sizeof(user),
					&rest, text, err), 0);
	assert_string_equal(uri, want);
	assert_string_equal(user, want_user);
	assert_string_equal(rest, want_rest);
}


static void test_aor(void **state)
{
	(void)state;

	aor("sip:alice@example.com", "sip:alice@example.com", "alice", "");
	aor("SIP:Alice@Example.com:5070;password=p@ss;x",
	    "sip:Alice@Example.com:5070", "Alice", ";password=p@ss;x");
	aor(" sips:a@10.0.0.1 ;transport=tls", "sips:a@10.0.0.1", "a",
	    ";transport=tls");
	aor("sip:a@[2001:db8::1]:5060;x", "sip:a@[2001:db8::1]:5060", "a",
	    ";x");
	aor("<sip:alice@example.com;user=phone>;password=x",
	    "sip:alice@example.com;user=phone", "alice", ";password=x");
	aor("<sip:a@b> ;x", "sip:a@b", "a", ";x");
	aor("sip:+1;ext=2@example.com;expires=60", "sip:+1;ext=2@example.com",
	    "+1;ext=2", ";expires=60");
	aor("sip:j%C3%BCrgen%40x@b", "sip:j%C3%BCrgen%40x@b",
	    "j\xc3\xbcrgen@x", "");
}


static void aor_fails(const char *text, const char *part)
{
	char uri[CONFIG_STR] = "old", user[128] = "old";
	const char *rest = NULL;

	assert_int_equal(conf_aor_parse(uri, sizeof(uri), user, sizeof(user),
					&rest, text, err), EINVAL);
	assert_non_null(strstr(err, part));
	assert_null(rest);

	/* a password is never repeated */
	assert_null(strstr(err, "secret"));
}


static void test_aor_errors(void **state)
{
	char big[600];
	(void)state;

	aor_fails("", "begins with sip:");
	aor_fails("alice@example.com;password=secret",
		  "\"alice@example.com\" is not the address of an account");
	aor_fails("tel:+123", "\"tel\" is not");
	aor_fails("alice:secret@example.com", "\"alice\" is not");
	aor_fails("sip:example.com", "no user part");
	aor_fails("sip:example.com;password=secret@x", "no user part");
	aor_fails("sip:@example.com", "is empty");
	aor_fails("sip:alice:secret@example.com", "does not belong in the"
		  " address");
	aor_fails("sip:al ice@example.com", "no user part");
	aor_fails("sip:al\xc3\xbc@example.com", "as %XX");
	aor_fails("sip:a%zz@b", "two hex digits");
	aor_fails("sip:a%00@b", "two hex digits");
	aor_fails("sip:a@", "host name");
	aor_fails("sip:a@;x", "host name");
	aor_fails("sip:a@-b", "host name");
	aor_fails("sip:a@.b", "host name");
	aor_fails("sip:a@b.", "host name");
	aor_fails("sip:a@[::1", "host name");
	aor_fails("sip:a@[zz]", "host name");
	aor_fails("sip:a@b:0", "1 to 65535");
	aor_fails("sip:a@b:", "1 to 65535");
	aor_fails("sip:a@b:65536", "1 to 65535");
	aor_fails("sip:a@b:4294967301", "1 to 65535");
	aor_fails("sip:a@b?Subject=x", "parameters");
	aor_fails("sip:a@b/c", "parameters");
	aor_fails("<sip:a@b", "the > is missing");
	aor_fails("<sip:a@b;x\r\ny>", "the > is missing");
	aor_fails("<sip:a@b;x y>", "the > is missing");
	aor_fails("<sip:a@b?x=y>", "the > is missing");

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memcpy(big, "sip:", 4);
	memcpy(big + 300, "@b", 3);
	aor_fails(big, "too long");
}


static void server(const char *value, const char *want)
{
	char uri[64];

	assert_int_equal(conf_server_parse(uri, sizeof(uri), "outbound",
					   value, err), 0);
	assert_string_equal(uri, want);
}


static void server_fails(const char *value)
{
	char uri[64] = "old";

	assert_int_equal(conf_server_parse(uri, sizeof(uri), "outbound",
					   value, err), EINVAL);
	assert_string_equal(uri, "old");
	assert_memory_equal(err, "outbound must be a host, HOST:PORT or a SIP"
			    " URI, not \"", 54);
}


static void test_server(void **state)
{
	static const char *const wrong[] = {
		"", "<", ">", "sip:", "a b", "a,b", "http://x", "sip:a:b@c",
		"<sip:x", "sip:x>", "<sip:x>y", "x:0", "x:99999", "[::1",
		"x;a\"b", "x?y", "sip:@x", "x\r\ny",
		"a-name-that-does-not-fit-the-field-that-it-is-going-into-now",
	};
	char buf[64] = "proxy";
	(void)state;

	server("proxy.example.com", "sip:proxy.example.com");
	server("10.0.0.1:5080", "sip:10.0.0.1:5080");
	server("[::1]:5080", "sip:[::1]:5080");
	server("SIP:p;lr", "sip:p;lr");
	server("<sip:p;lr;transport=tcp>", "sip:p;lr;transport=tcp");
	server(" <p;lr> ", "sip:p;lr");
	server("sips:edge@p:5061", "sips:edge@p:5061");

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		server_fails(wrong[i]);

	/* into where it came from */
	assert_int_equal(conf_server_parse(buf, sizeof(buf), "outbound", buf,
					   err), 0);
	assert_string_equal(buf, "sip:proxy");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aor),
		cmocka_unit_test(test_aor_errors),
		cmocka_unit_test(test_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
