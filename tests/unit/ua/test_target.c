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
	is(&a, "bob:secret@other.org", "sip:bob:secret@other.org");

	/* a telephone number is a user of our server's */
	is(&a, "tel:+49-30-123", "sip:+4930123@example.com;user=phone");
	is(&a, "TEL:112", "sip:112@example.com;user=phone");
	is(&a, "tel:7042;phone-context=example.com",
	   "sip:7042;phone-context=example.com@example.com;user=phone");

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
	isnt(&a, "http://example.com", EPROTONOSUPPORT);
	isnt(&a, "http://bob@example.com", EPROTONOSUPPORT);
	isnt(&a, "https://example.com:5060", EPROTONOSUPPORT);
	isnt(&a, "mailto:bob@example.com", EPROTONOSUPPORT);
	isnt(&a, "foo://bob@example.com", EPROTONOSUPPORT);
	isnt(&a, "foo:bar", EPROTONOSUPPORT);
	isnt(NULL, "http://bob@example.com", EPROTONOSUPPORT);
	isnt(&a, "tel:", EINVAL);
	isnt(&a, "tel:bob", EINVAL);
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


/* A resolver takes 123 for 0.0.0.123 */
static void numbers_are_no_hosts(void **state)
{
	static const char *const v[] = {
		"123", "1234567", "+49 30 1234", "1.2.3", "123:5060",
		"sip:123", "sip:bob@123", "bob@1.2.3", "sip:300.1.1.1",
		"tel:+4930123", "1.2.3.4.5",
	};
	char buf[UA_URI], err[UA_ERR];
	struct account a;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++)
		isnt(NULL, v[i], EINVAL);

	(void)target_complete(buf, sizeof(buf), "123", NULL, err);
	assert_string_equal(err, "There is no account to dial 123 with: add"
			    " one (-a), or call sip:123@HOST.");
	(void)target_complete(buf, sizeof(buf), "sip:bob@123", NULL, err);
	assert_string_equal(err, "123 is no host: give its name or an address"
			    " such as 192.0.2.1.");

	/* an address or a name is one, with an account or without */
	is(NULL, "192.0.2.1", "sip:192.0.2.1");
	is(NULL, "sip:123@192.0.2.1", "sip:123@192.0.2.1");
	is(NULL, "123@3com.example", "sip:123@3com.example");
	account(&a, "example.com", 0);
	isnt(&a, "sip:bob@123", EINVAL);
	is(&a, "123", "sip:123@example.com");
}


/* ENUM: numbers with their country; in a tree of one's own any digits */
static void numbers_to_look_up(void **state)
{
	static const struct {
		const char *domain, *text, *number;
	} v[] = {
		{"e164.arpa", "+49 (30) 12-34", "+49301234"},
		{"e164.arpa", " \"Bob\" <tel:+49-30-1234;ext=5> ", "+49301234"},
		{"e164.arpa", "tel:1234;phone-context=+4930", "+49301234"},
		{"E164.ARPA", "1234", NULL},
		{"e164.arpa", "tel:1234;phone-context=example.com", NULL},
		{"e164.example", "1234", "1234"},
		{"e164.example", "tel:1234", "1234"},
		{"arpa", "1234", "1234"},
		{"e164.example", "*12#", NULL},
		{"e164.example", "bob", NULL},
		{"e164.example", "", NULL},
		{"e164.example", "tel:", NULL},
		{"e164.example", "sip:+4930@x", NULL},
		{"e164.example", "+4930@x", NULL},
		{"e164.example", "192.0.2.1", NULL},
		{"e164.example", "12:5060", NULL},
		{"e164.example", "12345678901234567890123456789012", NULL},
		{"", "+4930", NULL},
	};
	struct config *config = NULL;
	struct ua ua = {0};
	char buf[32];
	(void)state;

	assert_int_equal(config_alloc(&config), 0);
	ua.config = config;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		str_ncpy(config->enum_domain, v[i].domain,
			 sizeof(config->enum_domain));
		if (ua_enum_number(buf, sizeof(buf), &ua, v[i].text) !=
		    !!v[i].number || (v[i].number && strcmp(buf, v[i].number)))
			fail_msg("%s: %s", v[i].text, buf);
	}

	mem_deref(config);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_account),
		cmocka_unit_test(without),
		cmocka_unit_test(wrong),
		cmocka_unit_test(numbers_are_no_hosts),
		cmocka_unit_test(numbers_to_look_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
