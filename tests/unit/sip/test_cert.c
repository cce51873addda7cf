/**
 * @file test_cert.c  What a certificate says: names of RFC 5922, pins, words
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/x509v3.h>
#include "priv.h"
#include "cert.h"
#include "certs.h"


static bool named(const char *cn, const char *names, const char *domain)
{
	const struct cert_want want = {.cn = cn, .names = names};
	EVP_PKEY *key;
	X509 *cert = cert_new(&key, &want, NULL, NULL);
	const bool is = cert_names(cert, domain);

	X509_free(cert);
	EVP_PKEY_free(key);

	return is;
}


/* RFC 5922 7.1 and 7.2 */
static void names(void **state)
{
	static const struct {
		const char *cn, *names, *domain;
		bool is;
	} v[] = {
		{"x", "DNS:example.com", "example.com", true},
		{"x", "DNS:Example.COM", "example.com", true},
		{"x", "DNS:example.com", "example.com.", true},
		{"x", "DNS:example.com", "sip.example.com", false},
		{"x", "DNS:sip.example.com", "example.com", false},
		{"x", "DNS:a.test,DNS:b.test", "b.test", true},

		/* no wildcards, whatever the web does */
		{"x", "DNS:*.example.com", "sip.example.com", false},
		{"x", "URI:sip:*.example.com", "sip.example.com", false},

		/* a SIP domain is a URI without a user */
		{"x", "URI:sip:example.com", "example.com", true},
		{"x", "URI:sip:example.com,DNS:other.test", "other.test",
			false},
		{"x", "URI:sip:bob@example.com", "example.com", false},
		{"x", "URI:sip:bob@example.com,DNS:example.com",
			"example.com", true},
		{"x", "URI:sips:example.com", "example.com", false},
		{"x", "URI:http://example.com", "example.com", false},
		{"x", "email:bob@example.com", "example.com", false},

		/* the common name counts only where there is nothing else */
		{"example.com", NULL, "example.com", true},
		{"example.com", "DNS:other.test", "example.com", false},
		{"example.com", "email:bob@x", "example.com", false},
		{"*.example.com", NULL, "sip.example.com", false},
		{NULL, NULL, "example.com", false},

		/* numbers */
		{"x", "IP:192.0.2.1", "192.0.2.1", true},
		{"x", "IP:192.0.2.1", "192.0.2.2", false},
		{"x", "IP:2001:db8::1", "2001:db8:0::1", true},
		{"x", "DNS:example.com,IP:192.0.2.1", "192.0.2.1", true},
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(v); i++) {
		if (named(v[i].cn, v[i].names, v[i].domain) != v[i].is)
			fail_msg("CN %s, %s: %s", v[i].cn, v[i].names,
				 v[i].domain);
	}
}


/* "example.com\0.evil.test" is not example.com */
static void hidden_nul(void **state)
{
	static const char evil[] = "example.com\0.evil.test";
	const struct cert_want want = {.cn = "x"};
	EVP_PKEY *key;
	X509 *cert = cert_new(&key, &want, NULL, NULL);
	GENERAL_NAMES *list = GENERAL_NAMES_new();
	GENERAL_NAME *gn = GENERAL_NAME_new();
	ASN1_IA5STRING *str = ASN1_IA5STRING_new();
	char buf[120];
	(void)state;

	assert_true(ASN1_STRING_set(str, evil, sizeof(evil) - 1));
	GENERAL_NAME_set0_value(gn, GEN_DNS, str);
	sk_GENERAL_NAME_push(list, gn);
	assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, list,
					   0, 0), 1);
	GENERAL_NAMES_free(list);

	assert_false(cert_names(cert, "example.com"));
	assert_null(strchr(cert_names_print(buf, sizeof(buf), cert), '\n'));
	assert_non_null(strstr(buf, "evil.test"));

	X509_free(cert);
	EVP_PKEY_free(key);
}


static void pins_read(void **state)
{
	static const char hex[] = "00112233445566778899aabbccddeeff"
		"00112233445566778899AABBCCDDEEFF";
	static const char b64[] = "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd"
		"7v8=";
	char text[1024];
	struct cert_pins p;
	(void)state;

	assert_int_equal(cert_pins_parse(&p, hex), 0);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.v[0][1], 0x11);
	assert_int_equal(p.v[0][31], 0xff);

	(void)snprintf(text, sizeof(text), "sha256//%s, SHA256:%s", b64, hex);
	assert_int_equal(cert_pins_parse(&p, text), 0);
	assert_int_equal(p.n, 2);
	assert_memory_equal(p.v[0], p.v[1], CERT_PIN);

	assert_int_equal(cert_pins_parse(&p, "00:11"), EINVAL);
	assert_int_equal(cert_pins_parse(&p, ""), EINVAL);
	assert_int_equal(cert_pins_parse(&p, "sha256:"), EINVAL);
	(void)snprintf(text, sizeof(text), "%s,", hex);
	assert_int_equal(cert_pins_parse(&p, text), EINVAL);
	(void)snprintf(text, sizeof(text), "%s0", hex);
	assert_int_equal(cert_pins_parse(&p, text), EINVAL);

	/* more than there is room for */
	*text = '\0';
	for (unsigned i = 0; i <= CERT_PINS; i++)
		(void)snprintf(text + strlen(text), sizeof(text) -
			       strlen(text), "%s%s", i ? "," : "", hex);
	assert_int_equal(cert_pins_parse(&p, text), EINVAL);
}


static void pinned(void **state)
{
	const struct cert_want want = {.cn = "x"};
	uint8_t whole[CERT_PIN];
	struct cert_pins p = {.n = 1};
	char text[80], none[65];
	EVP_PKEY *key;
	X509 *cert = cert_new(&key, &want, NULL, NULL);
	unsigned n = CERT_PIN;
	(void)state;

	/* what is printed is what is read */
	assert_int_equal(cert_pin_print(text, sizeof(text), cert), 0);
	assert_int_equal(cert_pins_parse(&p, text), 0);
	assert_true(cert_pinned(&p, cert));

	/* the whole certificate */
	assert_int_equal(X509_digest(cert, EVP_sha256(), whole, &n), 1);
	memcpy(p.v[0], whole, CERT_PIN);
	assert_true(cert_pinned(&p, cert));
	p.v[0][0] ^= 1;
	assert_false(cert_pinned(&p, cert));

	/* any of them */
	memset(none, '0', sizeof(none) - 1);
	none[sizeof(none) - 1] = '\0';
	assert_int_equal(cert_pins_parse(&p, none), 0);
	assert_false(cert_pinned(&p, cert));
	memcpy(p.v[p.n++], whole, CERT_PIN);
	assert_true(cert_pinned(&p, cert));

	X509_free(cert);
	EVP_PKEY_free(key);
}


static void words(void **state)
{
	const struct cert_want want = {
		.cn = "Bob \x1b[31m", .names = "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e",
		.from_s = -7200, .to_s = -3600,
	};
	char buf[200], subject[80], issuer[80];
	EVP_PKEY *key;
	X509 *cert = cert_new(&key, &want, NULL, NULL);
	(void)state;

	assert_string_equal(cert_names_print(buf, sizeof(buf), cert),
			    "a, b, c, d and 1 more");
	cert_flaw_print(buf, sizeof(buf), cert, X509_V_ERR_CERT_HAS_EXPIRED);
	assert_memory_equal(buf, "expired since 20", 16);
	assert_non_null(strstr(buf, " UTC"));
	assert_string_equal(cert_flaw_print(
		buf, sizeof(buf), cert,
		X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT), "self-signed");

	/* safe for terminals */
	cert_parties(cert, subject, sizeof(subject), issuer, sizeof(issuer));
	assert_memory_equal(subject, "CN=Bob ", 7);
	assert_null(strchr(subject, 0x1b));
	assert_string_equal(subject, issuer);

	X509_free(cert);
	EVP_PKEY_free(key);
}


/* RFC 5924 */
static void for_sip(void **state)
{
	static const struct {
		const char *uses;
		bool is;
	} v[] = {
		{NULL, false},
		{"serverAuth", false},
		{"1.3.6.1.5.5.7.3.20", true},
		{"clientAuth,1.3.6.1.5.5.7.3.20", true},
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(v); i++) {
		const struct cert_want want = {.cn = "x", .uses = v[i].uses};
		EVP_PKEY *key;
		X509 *cert = cert_new(&key, &want, NULL, NULL);

		assert_int_equal(cert_for_sip(cert), v[i].is);
		X509_free(cert);
		EVP_PKEY_free(key);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(hidden_nul),
		cmocka_unit_test(pins_read),
		cmocka_unit_test(pinned),
		cmocka_unit_test(words),
		cmocka_unit_test(for_sip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
