/**
 * @file test_caller.c  Who calls and how: PAI, RPID, Privacy, Diversion,
 * History-Info, Identity, wishes to be answered
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "priv.h"
#include "offhook/sip_caller.h"


static struct sip_info *decode(const char *headers)
{
	static struct sip_info in;
	static struct sip_msg *msg;
	struct mbuf *mb = mbuf_alloc(1024);

	msg = mem_deref(msg);
	if (!headers) {
		mem_deref(mb);
		return NULL;
	}

	assert_int_equal(mbuf_printf(mb, "INVITE sip:bob@b.example SIP/2.0"
				     "\r\n%s\r\n", headers), 0);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	mem_deref(mb);
	memset(&in, 0, sizeof(in));
	in.msg = msg;

	return &in;
}


static struct sip_caller c;


static bool told(const char *headers)
{
	const bool any = sip_caller_read(&c, decode(headers));

	decode(NULL);

	return any;
}


static void nothing(void **state)
{
	struct sip_caller zero;
	(void)state;

	memset(&zero, 0, sizeof(zero));
	assert_false(told("Subject: x\r\n"));
	assert_memory_equal(&c, &zero, sizeof(c));
	assert_false(told("Privacy: none\r\n"));
	assert_false(told("P-Asserted-Identity: \"open\r\n"));
}


static void asserted(void **state)
{
	(void)state;

	assert_true(told("P-Asserted-Identity: \"Al \\\"x\\\" B\" "
			 "<sip:al@a.example>\r\n"
			 "P-Asserted-Identity: tel:+14155551212\r\n"));
	assert_string_equal(c.asserted.uri, "sip:al@a.example");
	assert_string_equal(c.asserted.name, "Al \"x\" B");
	assert_string_equal(c.asserted_tel, "tel:+14155551212");

	/* both in one, the other way round: sip goes first */
	assert_true(told("P-Asserted-Identity: <tel:+1>, "
			 "<sip:al@a.example>\r\n"));
	assert_string_equal(c.asserted.uri, "sip:al@a.example");
	assert_string_equal(c.asserted_tel, "tel:+1");

	assert_true(told("P-Asserted-Identity: <tel:+1>\r\n"));
	assert_string_equal(c.asserted.uri, "tel:+1");
	assert_string_equal(c.asserted_tel, "");

	assert_true(told("P-Preferred-Identity: Al <sip:al@x>\r\n"));
	assert_string_equal(c.preferred.uri, "sip:al@x");
	assert_string_equal(c.preferred.name, "Al");
	assert_string_equal(c.asserted.uri, "");
}


static void remote(void **state)
{
	(void)state;

	assert_true(told("Remote-Party-ID: <sip:me@x>;party=called\r\n"
			 "Remote-Party-ID: \"Al\" <sip:al@x>;party=calling;"
			 "screen=yes;privacy=full\r\n"));
	assert_string_equal(c.remote.uri, "sip:al@x");
	assert_string_equal(c.remote.name, "Al");
	assert_true(c.remote_screened);
	assert_string_equal(c.privacy, "id");

	assert_true(told("Remote-Party-ID: <sip:al@x>;privacy=off\r\n"));
	assert_false(c.remote_screened);
	assert_string_equal(c.privacy, "");

	assert_true(told("Privacy: Header; User ;id\r\n"));
	assert_string_equal(c.privacy, "header;user;id");
}


static void longer_than_may_be(void **state)
{
	static char text[2000];
	(void)state;

	memset(text, 0, sizeof(text));
	(void)snprintf(text, sizeof(text), "P-Asserted-Identity: <sip:%0900d"
		       "@x>\r\nP-Asserted-Identity: \"%0300d\" <sip:a@x>\r\n",
		       7, 7);
	assert_true(told(text));
	assert_string_equal(c.asserted.uri, "sip:a@x");
	assert_int_equal(strlen(c.asserted.name), sizeof(c.asserted.name) - 1);
}


/* Sent on ----------------------------------------------------------------- */

static void diversion(void **state)
{
	(void)state;

	assert_true(told("Diversion: \"Bob\" <sip:bob@x>;reason=user-busy;"
			 "counter=1;privacy=off\r\n"
			 "Diversion: <sip:al@x>;reason=\"no-answer\", "
			 "<sip:c@x>\r\n"));
	assert_int_equal(c.divertc, 3);
	assert_string_equal(c.divertv[0].by.uri, "sip:bob@x");
	assert_string_equal(c.divertv[0].by.name, "Bob");
	assert_string_equal(c.divertv[0].reason, "user-busy");
	assert_string_equal(c.divertv[1].reason, "no-answer");
	assert_string_equal(c.divertv[2].by.uri, "sip:c@x");
	assert_string_equal(c.divertv[2].reason, "");

	/* not more than there is room for */
	assert_true(told("Diversion: <sip:1@x>,<sip:2@x>,<sip:3@x>,<sip:4@x>,"
			 "<sip:5@x>,<sip:6@x>\r\n"));
	assert_int_equal(c.divertc, SIP_DIVERTERS);
	assert_string_equal(c.divertv[3].by.uri, "sip:4@x");
}


static void history(void **state)
{
	(void)state;

	/* RFC 7044 appendix B.1, shortened: bob was busy, then office moved */
	assert_true(told(
		"History-Info: <sip:bob@x?Reason=SIP%3Bcause%3D486%3Btext%3D"
		"%22Busy%20Here%22>;index=1\r\n"
		"History-Info: <sip:office@x?Reason=SIP%3Bcause%3D302>;"
		"index=1.1;mp=1,<sip:home@y>;index=1.1.1;rc=1.1\r\n"));
	assert_int_equal(c.divertc, 2);
	assert_string_equal(c.divertv[0].by.uri, "sip:office@x");
	assert_string_equal(c.divertv[0].reason, "unconditional");
	assert_string_equal(c.divertv[1].by.uri, "sip:bob@x");
	assert_string_equal(c.divertv[1].reason, "user-busy");

	/* RFC 4458: the next one says why */
	assert_true(told("History-Info: <sip:bob@x>;index=1, "
			 "<sip:vm@x;cause=408>;index=1.1\r\n"));
	assert_int_equal(c.divertc, 1);
	assert_string_equal(c.divertv[0].by.uri, "sip:bob@x");
	assert_string_equal(c.divertv[0].reason, "no-answer");

	/* one that wants to be private */
	assert_true(told("History-Info: <sip:bob@x?Privacy=history&Reason="
			 "SIP%3Bcause%3D480>;index=1\r\n"));
	assert_string_equal(c.divertv[0].by.uri,
			    "sip:anonymous@anonymous.invalid");

	/* Diversion says it better */
	assert_true(told("History-Info: <sip:bob@x?Reason=SIP%3Bcause%3D480>;"
			 "index=1\r\nDiversion: <sip:al@x>\r\n"));
	assert_int_equal(c.divertc, 1);
	assert_string_equal(c.divertv[0].by.uri, "sip:al@x");

	/* nobody has left anything */
	assert_false(told("History-Info: <sip:bob@x>;index=1\r\n"));
	assert_false(told("History-Info: <sip:bob@x?Reason=%zz>;index=1"
			  "\r\n"));
}


static void sent_on(void **state)
{
	char *lines = NULL, *earlier = NULL;
	(void)state;

	assert_int_equal(0, sip_diversion_write(&lines, "sip:me@x",
						"sip:vm@x", "user-busy",
						NULL));
	assert_string_equal(lines,
		"Diversion: <sip:me@x>;reason=user-busy\r\n"
		"History-Info: <sip:me@x?Reason=SIP%3Bcause%3D486>;index=1"
		"\r\nHistory-Info: <sip:vm@x>;index=1.1;mp=1\r\n");

	/* what we write is what we read */
	assert_true(told(lines));
	assert_string_equal(c.divertv[0].by.uri, "sip:me@x");
	lines = mem_deref(lines);

	assert_int_equal(0, sip_diversion_lines(&earlier, decode(
		"Diversion: <sip:al@x>;reason=no-answer\r\n"
		"Diversion: \"open\r\n"
		"History-Info: <sip:al@x?Reason=SIP%3Bcause%3D408>;index=1,"
		"<sip:me@x>;index=1.2\r\n")));
	decode(NULL);
	assert_int_equal(0, sip_diversion_write(&lines, "sip:me@x",
						"sip:vm@x", "no-answer",
						earlier));
	assert_string_equal(lines,
		"Diversion: <sip:me@x>;reason=no-answer\r\n"
		"Diversion: <sip:al@x>;reason=no-answer\r\n"
		"History-Info: <sip:al@x?Reason=SIP%3Bcause%3D408>;index=1"
		"\r\nHistory-Info: <sip:me@x>;index=1.2\r\n"
		"History-Info: <sip:me@x?Reason=SIP%3Bcause%3D408>;"
		"index=1.2.1\r\n"
		"History-Info: <sip:vm@x>;index=1.2.1.1;mp=1.2.1\r\n");
	mem_deref(lines);
	mem_deref(earlier);

	assert_int_equal(0, sip_diversion_lines(&earlier,
						decode("To: <sip:a@b>\r\n")));
	decode(NULL);
	assert_null(earlier);
}


/* PASSporT ---------------------------------------------------------------- */

/* {"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://c.example"} */
#define HEAD "eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiIsInR5cCI6InBhc3Nwb3J0"\
	"IiwieDV1IjoiaHR0cHM6Ly9jLmV4YW1wbGUifQ"


static size_t encode64(char *dst, const char *text)
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *p = (const uint8_t *)text;
	const size_t len = strlen(text);
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		acc = acc << 8 | p[i];
		for (bits += 8; bits >= 6; bits -= 6)
			dst[n++] = abc[acc >> (bits - 6) & 63];
	}
	if (bits)
		dst[n++] = abc[acc << (6 - bits) & 63];
	dst[n] = '\0';

	return n;
}


static struct sip_passport passport(const char *claims)
{
	static char value[20000];
	struct sip_passport p;
	size_t n;

	n = (size_t)snprintf(value, sizeof(value), "%s.", HEAD);
	n += encode64(value + n, claims);
	n += (size_t)snprintf(value + n, sizeof(value) - n, ".c2ln;info="
			      "<https://c.example/x.pem>;alg=ES256");
	(void)sip_passport_parse(&p, value, n);

	return p;
}


static void identity(void **state)
{
	struct sip_passport p;
	(void)state;

	p = passport("{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155551213\","
		     "\"1\"]},\"iat\":1471375418,\"orig\":{\"tn\":"
		     "\"12155551212\"},\"origid\":\"123e4567\"}");
	assert_true(p.there && p.readable);
	assert_string_equal(p.attest, "A");
	assert_string_equal(p.type, "shaken");
	assert_string_equal(p.orig, "12155551212");
	assert_string_equal(p.dest, "12155551213");
	assert_string_equal(p.origid, "123e4567");
	assert_string_equal(p.info, "https://c.example/x.pem");
	assert_int_equal(p.iat_s, 1471375418);

	/* spaces, what we do not know, a fraction, URIs, nothing of attest */
	p = passport(" { \"x\" : [ 1, {\"y\":[null,true,\"]\"]}, -2.5e3 ] ,"
		     "\"iat\" : 14.5, \"orig\":{\"uri\":\"sip:a\\\"@x\"},"
		     "\"dest\":{\"uri\":[\"sip:b@x\"]}} ");
	assert_true(p.readable);
	assert_string_equal(p.attest, "");
	assert_string_equal(p.orig, "sip:a\"@x");
	assert_string_equal(p.dest, "sip:b@x");
	assert_int_equal(p.iat_s, 14);
}


static void identity_bad(void **state)
{
	static const char *const bad[] = {
		"", "{", "{}x", "[]", "{\"attest\"", "{\"attest\":\"A\"",
		"{\"attest\":A}", "{\"orig\":{\"tn\":[\"1\"}}",
		"{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", "{\"a\":\"\\",
		"{\"iat\":\"x\"}", "{\"a\":1,}",
	};
	static const char *const values[] = {
		"", ";", ".", "..", "..c2ln;info=<x>", "a.b", "a.!.c",
		"a.Zm9v.c",
	};
	struct sip_passport p;
	static char longer[6000];
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = passport(bad[i]);
		assert_true(p.there);
		if (p.readable && strcmp(bad[i], "{}x"))
			fail_msg("%s", bad[i]);
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(EBADMSG, sip_passport_parse(
			&p, values[i], strlen(values[i])));
		assert_true(p.there && !p.readable);
	}

	/* longer than any token */
	memset(longer, 'a', sizeof(longer) - 1);
	memcpy(longer, "{\"attest\":\"", 11);
	p = passport(longer);
	assert_false(p.readable);
	assert_string_equal(p.attest, "");
}


static void identity_in_a_call(void **state)
{
	static char text[1000];
	char *p = text + sprintf(text, "Identity: %s.", HEAD);
	(void)state;

	p += encode64(p, "{\"attest\":\"B\",\"orig\":{\"tn\":\"1\"}}");
	strcpy(p, ".c2ln;info=<x>\r\n");
	assert_true(told(text));
	assert_string_equal(c.passport.attest, "B");

	assert_true(told("Identity: ..sig;info=<x>;ppt=\"shaken\"\r\n"));
	assert_true(c.passport.there && !c.passport.readable);
	assert_string_equal(c.passport.type, "shaken");
}


/* Wishes ------------------------------------------------------------------ */

static void wishes(void **state)
{
	static const struct {
		const char *headers;
		bool wanted, manual, required;
		uint32_t after_ms;
	} v[] = {
		{"Subject: x\r\n", false, false, false, 0},
		{"Answer-Mode: Auto\r\n", true, false, false, 0},
		{"Answer-Mode: auto;require\r\n", true, false, true, 0},
		{"Priv-Answer-Mode: Auto ; require\r\n", true, false, true, 0},
		{"Answer-Mode: Manual;require\r\n", false, true, true, 0},
		{"Answer-Mode: Automatic\r\n", false, false, false, 0},
		{"Answer-Mode: \r\n", false, false, false, 0},
		{"Call-Info: <sip:x>;answer-after=3\r\n", true, false, false,
		 3000},
		{"Call-Info: <sip:x>;purpose=icon, <sip:x>;answer-after=0"
		 "\r\n", true, false, false, 0},
		{"Call-Info: <sip:x>;answer-after=99999\r\n", false, false,
		 false, 0},
		{"Call-Info: <sip:x;answer-after=1>\r\n", false, false, false,
		 0},
		{"Alert-Info: <http://x>;info=alert-autoanswer;delay=2\r\n",
		 true, false, false, 2000},
		{"Alert-Info: Auto Answer\r\n", true, false, false, 0},
		{"Alert-Info: <http://x>;info=RingAnswer\r\n", true, false,
		 false, 0},
		{"Alert-Info: <urn:alert:source:internal>\r\n", false, false,
		 false, 0},
		{"Alert-Info: <http://x>;answer-after=1\r\n", true, false,
		 false, 1000},
		/* who asks for a person gets one */
		{"Answer-Mode: Manual\r\nAlert-Info: Auto Answer\r\n", false,
		 true, false, 0},
	};
	struct sip_auto_answer a;
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		sip_auto_answer_read(&a, decode(v[i].headers));
		if (a.wanted != v[i].wanted || a.manual != v[i].manual ||
		    a.required != v[i].required ||
		    a.after_ms != v[i].after_ms)
			fail_msg("%s", v[i].headers);
	}
	decode(NULL);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(asserted),
		cmocka_unit_test(remote),
		cmocka_unit_test(longer_than_may_be),
		cmocka_unit_test(diversion),
		cmocka_unit_test(history),
		cmocka_unit_test(sent_on),
		cmocka_unit_test(identity),
		cmocka_unit_test(identity_bad),
		cmocka_unit_test(identity_in_a_call),
		cmocka_unit_test(wishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
