/**
 * @file test_text_mask.c  No credential survives, and nothing else changes
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/text.h>


static void check(const char *in, const char *want)
{
	char buf[1024];
	const size_t len = strlen(in);

	assert_true(len + 2 < sizeof(buf));
	memcpy(buf, in, len);
	buf[len] = '\x01';              /* not a terminated string */
	text_mask(buf, len);
	assert_int_equal(buf[len], '\x01');
	buf[len] = '\0';
	assert_string_equal(buf, want);
}


static void test_sip(void **state)
{
	(void)state;

	check("Authorization: Digest username=\"alice\", realm=\"a,b\","
	      " nonce=\"n\", uri=\"sip:x\", response=\"6629fae4\","
	      " cnonce=\"c\"\r\nResponse: none\r\n",
	      "Authorization: Digest username=\"alice\", realm=\"a,b\","
	      " nonce=\"n\", uri=\"sip:x\", response=\"xxxxxxxx\","
	      " cnonce=\"c\"\r\nResponse: none\r\n");

	check("Proxy-Authorization: Digest RESPONSE = abc123 , qop=auth\r\n"
	      "To: x\r\n",
	      "Proxy-Authorization: Digest RESPONSE = xxxxxx , qop=auth\r\n"
	      "To: x\r\n");

	check("Authentication-Info: rspauth=\"0123\",nc=1",
	      "Authentication-Info: rspauth=\"xxxx\",nc=1");

	/* an escaped quote does not end it; a missing one ends at the line */
	check("response=\"a\\\"b\", c=d", "response=\"xxxx\", c=d");
	check("response=\"abc\r\nTo: bob", "response=\"xxx\r\nTo: bob");

	check("Authorization: Basic YWxpY2U6cHc=\r\nTo: x",
	      "Authorization: Basic xxxxxxxxxxxx\r\nTo: x");
	check("authorization:bearer abc.def\r\n",
	      "authorization:bearer xxxxxxx\r\n");

	/* blanks, tabs and folds where a header may have them */
	check("Authorization : Basic ab\r\nTo: x",
	      "Authorization : Basic xx\r\nTo: x");
	check("Authorization:\r\n Basic ab\r\nTo: x",
	      "Authorization:\r\n Basic xx\r\nTo: x");
	check("Authorization: Basic\tab\r\n", "Authorization: Basic\txx\r\n");
	check("Proxy-Authorization:\tBearer\r\n\tab\r\n",
	      "Proxy-Authorization:\tBearer\r\n\txx\r\n");
	check("Authorization: Digest a=b, response=\r\n \"ab\", c=d\r\n",
	      "Authorization: Digest a=b, response=\r\n \"xx\", c=d\r\n");
	check("Authorization: Basic\r\nTo: x", "Authorization: Basic\r\nTo: x");

	check("INVITE sip:alice:secret@example.com;x=y SIP/2.0",
	      "INVITE sip:alice:xxxxxx@example.com;x=y SIP/2.0");
	check("To: <sips:a:b@c>", "To: <sips:a:x@c>");
}


static void test_sdp(void **state)
{
	(void)state;

	check("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCsp|2^20"
	      "|1:4\r\na=x",
	      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxxxxxxxxxxx|2^20"
	      "|1:4\r\na=x");
	check("a=crypto:1 S inline:AAAA;inline:BBBB\r\n",
	      "a=crypto:1 S inline:xxxx;inline:xxxx\r\n");
	check("a=ice-ufrag:abcd\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n",
	      "a=ice-ufrag:abcd\r\na=ice-pwd:xxxxxxxxxxxxxxxxxxxxxx\r\n");
}


static void test_commands(void **state)
{
	(void)state;

	check("account add sip:a@b;password=se,cr\"et --x",
	      "account add sip:a@b;password=xxxxx\"et --x");
	check("account add sip:a@b;auth-in-password=secret;gruu",
	      "account add sip:a@b;auth-in-password=xxxxxx;gruu");
	check("account add 'sip:a@b;password=my secret;transport=tls' x",
	      "account add 'sip:a@b;password=xxxxxxxxx;transport=tls' x");
	check("account add \"sip:a@b;password=my secret\" --use",
	      "account add \"sip:a@b;password=xxxxxxxxx\" --use");
	check("account add sip:a@b;password=my\\ secret;transport=tls",
	      "account add sip:a@b;password=xxxxxxxxxx;transport=tls");
	check("sip:a@b;HA1=0123abcd", "sip:a@b;HA1=xxxxxxxx");
	check("password='a b' rest", "password='xxx' rest");

	/* lines of the accounts file */
	check("password = my #secret\nuri = x",
	      "password = xxxxxxxxxx\nuri = x");
	check("password = \"my secret\" # c\n",
	      "password = \"xxxxxxxxx\" # c\n");

	/* requests in JSON */
	check("{\"args\":{\"password\":\"p\\\"q\",\"x\":\"y\"}}",
	      "{\"args\":{\"password\":\"xxxx\",\"x\":\"y\"}}");
	check("{\"command\":\"account add sip:a@b;password=s t\",\"id\":1}",
	      "{\"command\":\"account add sip:a@b;password=xxx\",\"id\":1}");
}


static void test_harmless(void **state)
{
	static const char *const same[] = {
		"",
		"password",
		"password=",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9",
		"sip:10.0.0.1:5060",
		"sip:[2001:db8::1]:5060;transport=tcp foo@bar",
		"sip:host:5060 user@host",
		"sip:alice@example.com:5060",
		"password-env=SIP_PW;password-file=/x",
		"my-response=1, response-time=2, xresponse=3",
		"the response to it",
		"ice-pwdx:abc",
		"Authorization: Digest username=\"a\"",
		"authorization:",
		"authorization: basic",
		"offline:abc",
		"sip:",
		"sips:a:",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		check(same[i], same[i]);
}


/* Whatever it is given, it stays within its bounds and keeps the length */
static void test_random(void **state)
{
	static const char *const words[] = {
		"password", "response", "ha1", "=", ":", " ", "\"", "'", ";",
		"\\", "\r\n", "inline:", "sip:", "sips:", "@", "<", ">",
		"authorization:", "basic ", "|", ",", "abc", "\xff", "ice-pwd",
	};
	uint32_t rnd = 1;
	(void)state;

	for (int i = 0; i < 20000; i++) {
		char buf[128];
		size_t len = 0;

		for (;;) {
			const char *w;

			rnd = rnd * 1664525 + 1013904223;
			w = words[(rnd >> 8) %
				  (sizeof(words) / sizeof(words[0]))];
			if (len + strlen(w) > 60)
				break;
			memcpy(buf + len, w, strlen(w));
			len += strlen(w);
		}

		memset(buf + len, '#', sizeof(buf) - len);
		text_mask(buf, len);
		for (size_t k = len; k < sizeof(buf); k++)
			assert_int_equal(buf[k], '#');
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sip),
		cmocka_unit_test(test_sdp),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
