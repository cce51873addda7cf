/**
 * @file test_target.c  What the user typed as a URI
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "priv.h"


static void account(struct account *a, const char *host, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	str_ncpy(a->user, "alice", sizeof(a->user));
	str_ncpy(a->host, host, sizeof(a->host));
	a->port = port;
}


static void is(const struct account *a, const char *text, const char *uri)
{
	char buf[UA_URI], err[UA_ERR] = "";

	if (target_complete(buf, sizeof(buf), text, a, err))
		fail_msg("%s: %s", text, err);
	assert_string_equal(uri, buf);
}


static void isnt(const struct account *a, const char *text, int e)
{
	char buf[UA_URI], err[UA_ERR] = "";

	assert_int_equal(e, target_complete(buf, sizeof(buf), text, a, err));
	assert_true(err[0] != '\0');
}


static void with_account(void **state)
{
	struct account a;
	(void)state;

	account(&a, "example.com", 0);
	is(&a, "sip:bob@other.org;transport=tcp",
	   "sip:bob@other.org;transport=tcp");
	is(&a, " bob@other.org ", "sip:bob@other.org");
	is(&a, "\"Bob\" <sip:bob@other.org>", "sip:bob@other.org");
	is(&a, "<bob@other.org>", "sip:bob@other.org");
	is(&a, "bob", "sip:bob@example.com");
	is(&a, "*43#", "sip:*43%23@example.com");
	is(&a, "1234", "sip:1234@example.com");
	is(&a, "+49 (30) 123-456/7", "sip:+49301234567@example.com");
	is(&a, "bob smith", "sip:bob%20smith@example.com");
	is(&a, "M\xc3\xbcller", "sip:M%C3%BCller@example.com");
	is(&a, "100%", "sip:100%25@example.com");
	is(&a, "192.0.2.1", "sip:192.0.2.1");
	is(&a, "192.0.2.1:5070", "sip:192.0.2.1:5070");
	is(&a, "[2001:db8::1]:5070", "sip:[2001:db8::1]:5070");
	is(&a, "2001:db8::1", "sip:[2001:db8::1]");
	is(&a, "pbx.example.org:5070", "sip:pbx.example.org:5070");

	account(&a, "127.0.0.1", 5070);
	is(&a, "bob", "sip:bob@127.0.0.1:5070");
	account(&a, "2001:db8::5", 5070);
	is(&a, "bob", "sip:bob@[2001:db8::5]:5070");
	account(&a, "[2001:db8::5]", 0);
	is(&a, "bob", "sip:bob@[2001:db8::5]");
}


static void without(void **state)
{
	(void)state;

	is(NULL, "pbx.example.com", "sip:pbx.example.com");
	is(NULL, "localhost", "sip:localhost");
	is(NULL, "localhost:5070", "sip:localhost:5070");
	is(NULL, "127.0.0.1:5070", "sip:127.0.0.1:5070");
	is(NULL, "bob@127.0.0.1:5070", "sip:bob@127.0.0.1:5070");
}


static void wrong(void **state)
{
	char text[UA_URI + 10];
	struct account a;
	(void)state;

	account(&a, "example.com", 0);
	isnt(&a, "", EINVAL);
	isnt(&a, "   ", EINVAL);
	isnt(&a, "<>", EINVAL);
	isnt(&a, "sips:bob@example.com", EPROTONOSUPPORT);
	isnt(&a, "tel:+4930123", EPROTONOSUPPORT);
	isnt(&a, "http://example.com", EPROTONOSUPPORT);
	isnt(&a, "sip:", EINVAL);
	isnt(&a, "sip:bob@", EINVAL);
	isnt(&a, "sip:bob@exam ple.com", EINVAL);
	isnt(&a, "bob@example.com:99999", EINVAL);
	isnt(NULL, "two words", EINVAL);

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	isnt(&a, text, EINVAL);

	/* room for it, but not when it is escaped */
	memset(text, ' ', sizeof(text));
	text[0] = text[400] = 'x';
	text[401] = '\0';
	isnt(&a, text, EOVERFLOW);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_account),
		cmocka_unit_test(without),
		cmocka_unit_test(wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
