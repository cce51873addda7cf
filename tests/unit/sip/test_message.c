/**
 * @file test_message.c  Messages decoded at once are what libre makes of them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "message_same.h"
#include "message.h"


#define INVITE "INVITE sip:bob@127.0.0.1:5070;transport=tcp SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/TCP 127.0.0.1:5071;branch=z9hG4bKa1;rport\r\n"
#define FROM "From: <sip:al@host.example>;tag=77\r\n"
#define TO "To: <sip:bob@127.0.0.1>\r\n"
#define ID "Call-ID: 5.0@host\r\n"
#define CSEQ "CSeq: 1 INVITE\r\n"
#define MUST VIA FROM TO ID CSEQ
#define END "Content-Length: 0\r\n\r\n"

/* as they come from phones and servers */
static const char *const ordinary[] = {
	INVITE MUST "Max-Forwards: 70\r\nContact: <sip:al@127.0.0.1:5071>\r\n"
		"Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\n"
		"v=0\r\n",
	INVITE "Via: SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx\r\n"
		FROM TO ID CSEQ END,
	"ACK sip:127.0.0.1 SIP/2.0\r\n" VIA FROM TO ID "CSeq: 1 ACK\r\n" END,
	"OPTIONS sips:user%40x@a.b-c.example SIP/2.0\r\n" MUST END,
	"REGISTER sip:example.org;lr SIP/2.0\r\n" MUST "Expires: 300\r\n"
		"Allow: INVITE, ACK,CANCEL , BYE\r\n"
		"Authorization: Digest username=\"a\", realm=\"x,y\"\r\n"
		"Supported: path, outbound\r\n"
		"User-Agent: a phone/1.0 (of x, y)\r\n" END,
	"SIP/2.0 200 OK\r\n" MUST "Contact: <sip:b@[::1]:5060>;q=0.5, "
		"\"Last, First\" <sip:c@host>\r\n"
		"Record-Route: <sip:p1;lr>,<sip:p2;lr>\r\n" END,
	"SIP/2.0 183 Session Progress\r\n" VIA "Via: SIP/2.0/UDP "
		"proxy.example;branch=z9hG4bK2, SIP/2.0/UDP a:5062;"
		"branch=z9hG4bK3\r\n" FROM TO ID CSEQ "Route: <sip:a>, "
		"<sip:b>\r\n" END,
	"SIP/2.0 486 \r\n" MUST END,
	"BYE sip:h SIP/2.0\r\nv: SIP/2.0/TLS x.invalid;branch=z9hG4bK9;keep"
		"\r\nf: \"Al B.\" <sip:al@h:5090;user=phone>;x=1;tag=ab.c\r\n"
		"t: <sip:+4930@x>;tag=9\r\ni: 9\r\nCSEQ:  123456789 BYE\r\n"
		"l: 0\r\n\r\n",
	"NOTIFY sip:a@b SIP/2.0\r\n" MUST "Event: message-summary\r\n"
		"Subscription-State: active;expires=60\r\n"
		"Date: Mon, 30 Nov 2026 10:00:00 GMT\r\n"
		"c: application/simple-message-summary;charset=utf-8\r\n"
		"X-Odd_Name.1: y\r\n" END,
};


static struct mbuf *buffer(const char *text, size_t n)
{
	struct mbuf *mb = mbuf_alloc(n + 16);

	/* not at its beginning */
	assert_int_equal(mbuf_write_str(mb, "x\r\n"), 0);
	assert_int_equal(mbuf_write_mem(mb, (const uint8_t *)text, n), 0);
	mb->pos = 3;

	return mb;
}


/* @return whether it was plain */
static bool both(const char *text, size_t n)
{
	struct mbuf *mb = buffer(text, n);
	struct sip_msg *ours = NULL, *theirs = NULL;
	const int err = message_plain(&ours, mb);
	const size_t at = mb->pos;
	const char *what;
	int other;

	if (err) {
		assert_int_equal(err, EAGAIN);
		assert_null(ours);
		assert_int_equal(at, 3);
		mem_deref(mb);
		return false;
	}

	mb->pos = 3;
	other = sip_msg_decode(&theirs, mb);
	if (other)
		fail_msg("libre: %d of\n%.*s", other, (int)n, text);
	what = message_differs(ours, theirs);
	if (what)
		fail_msg("another %s in\n%.*s", what, (int)n, text);
	assert_int_equal(at, mb->pos);

	mem_deref(ours);
	mem_deref(theirs);
	mem_deref(mb);

	return true;
}


static void test_ordinary(void **state)
{
	(void)state;

	/* but for an address in brackets */
	for (size_t i = 0; i < COUNTOF(ordinary); i++)
		assert_int_equal(both(ordinary[i], strlen(ordinary[i])),
				 i != 1);
}


static void test_every_header(void **state)
{
	static const char *const names[] = {
		"Accept", "Accept-Contact", "Accept-Encoding",
		"Accept-Language", "Accept-Resource-Priority", "Alert-Info",
		"Allow", "Allow-Events", "Answer-Mode", "Authentication-Info",
		"Authorization", "Call-Info", "Contact",
		"Content-Disposition", "Content-Encoding", "Content-Language",
		"Date", "Encryption", "Error-Info", "Event", "Flow-Timer",
		"Hide", "History-Info", "Identity", "Identity-Info",
		"In-Reply-To", "Join", "Max-Breadth", "MIME-Version",
		"Min-Expires", "Min-SE", "Organization",
		"P-Access-Network-Info", "P-Answer-State",
		"P-Asserted-Identity", "P-Associated-URI",
		"P-Called-Party-ID", "P-Charging-Function-Addresses",
		"P-Charging-Vector", "P-DCS-Trace-Party-ID", "P-DCS-OSPS",
		"P-DCS-Billing-Info", "P-DCS-LAES", "P-DCS-Redirect",
		"P-Early-Media", "P-Media-Authorization",
		"P-Preferred-Identity", "P-Profile-Key",
		"P-Refused-URI-List", "P-Served-User", "P-User-Database",
		"P-Visited-Network-ID", "Path", "Permission-Missing",
		"Priority", "Priv-Answer-Mode", "Privacy",
		"Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require",
		"RAck", "Reason", "Record-Route", "Refer-Sub", "Refer-To",
		"Referred-By", "Reject-Contact", "Replaces", "Reply-To",
		"Request-Disposition", "Require", "Resource-Priority",
		"Response-Key", "Retry-After", "Route", "RSeq",
		"Security-Client", "Security-Server", "Security-Verify",
		"Server", "Service-Route", "Session-Expires", "SIP-ETag",
		"SIP-If-Match", "Subject", "Subscription-State", "Supported",
		"Target-Dialog", "Timestamp", "Trigger-Consent",
		"Unsupported", "User-Agent", "Warning", "WWW-Authenticate",
		"X-Not-Known", "a", "b", "c", "d", "e", "g", "h", "j", "k",
		"m", "n", "o", "p", "q", "r", "s", "u", "w", "x", "y", "z",
		"1", "Expires", "Max-Forwards", "A", "M",
	};
	char text[1024];
	(void)state;

	for (size_t i = 0; i < COUNTOF(names); i++) {
		const char *v = !strcmp(names[i], "c") ? "a/b;x=1, 2"
						       : "v1 ,\tv2,\"a,b\"";
		int n = re_snprintf(text, sizeof(text), INVITE MUST
				    "%s: %s\r\n" END, names[i], v);

		if (!both(text, (size_t)n))
			fail_msg("%s", names[i]);
	}
}


static void test_not_plain(void **state)
{
	static const char *const v[] = {
		"", "\r\n", INVITE, INVITE MUST, INVITE MUST "Content-Length: 0\r\n\r",
		"INVITE  sip:b@h SIP/2.0\r\n" MUST END,
		"INVITE sip:b@h  SIP/2.0\r\n" MUST END,
		"INVITE sip:b@h SIP/2.0 \r\n" MUST END,
		"INVITE sip:b@h SIP/2.0\n" MUST END,
		"INVITE sip:b@h SIP/2.1\r\n" MUST END,
		"INVITE\tsip:b@h SIP/2.0\r\n" MUST END,
		"SIP/2.0 099 x\r\n" MUST END, "SIP/2.0 2000 x\r\n" MUST END,
		"SIP/1.0 200 x\r\n" MUST END,
		INVITE VIA TO FROM FROM ID CSEQ END,
		INVITE VIA TO TO FROM ID CSEQ END,
		INVITE MUST CSEQ END,
		INVITE MUST "Subject: a\r\n b\r\n" END,
		INVITE MUST "Subject : a\r\n" END,
		INVITE MUST "Subject:\r\n" END,
		INVITE MUST "Subject: a\rb\r\n" END,
		INVITE MUST "Subject: a\n" END,
		INVITE MUST "Subject\r\n" END,
		INVITE MUST ": a\r\n" END,
		INVITE MUST "Allow: a,\r\n" END,
		INVITE MUST "Allow: a,,b\r\n" END,
		INVITE MUST "Allow: , a\r\n" END,
		INVITE FROM TO ID CSEQ "Via: SIP/2.0/TCP h\r\n" END,
		INVITE FROM TO ID CSEQ "Via: SIP/2.0/TCP h;x\r\n" END,
		INVITE FROM TO ID CSEQ "Via: SIP / 2.0 / TCP h;branch=1\r\n"
			END,
		INVITE FROM TO ID CSEQ "Via: SIP/2.0/SCTP h;branch=1\r\n" END,
		INVITE FROM TO ID CSEQ "Via: SIP/2.0/UDP h:99999999;"
			"branch=1\r\n" END,
		INVITE FROM TO ID CSEQ "Via: SIP/2.0/UDP h;branch=\r\n" END,
		INVITE VIA TO ID CSEQ "From: sip:al@h;tag=1\r\n" END,
		INVITE VIA TO ID CSEQ "From: <sip:al:pw@h>;tag=1\r\n" END,
		INVITE VIA TO ID CSEQ "From: <sip:al@h?a=b>;tag=1\r\n" END,
		INVITE VIA TO ID CSEQ "From: \"a\\\"b\" <sip:al@h>;tag=1\r\n"
			END,
		INVITE VIA TO ID CSEQ "From: <sip:al@h>;x=\";tag=2\";tag=1"
			"\r\n" END,
		INVITE VIA TO ID CSEQ "From: <sip:al@h> ;tag=1\r\n" END,
		INVITE VIA TO ID CSEQ "From: <sip:al@h>; tag=1\r\n" END,
		INVITE VIA TO FROM ID "CSeq: 4294967297 INVITE\r\n" END,
		INVITE VIA TO FROM ID "CSeq: x INVITE\r\n" END,
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(v); i++) {
		if (both(v[i], strlen(v[i])))
			fail_msg("plain: %s", v[i]);
	}
}


static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;

	return *seed >> 8;
}


/* Bytes that mean something, put anywhere: whatever is still plain means to
 * us what it means to libre */
static void test_damaged(void **state)
{
	static const char bytes[] =
		" \t\r\n:;,<>\"@?=/\\[]()%.-0159aStTZ\0\x80\xff";
	uint32_t seed = 7;
	unsigned plain = 0;
	(void)state;

	for (unsigned i = 0; i < 20000; i++) {
		const char *from = ordinary[next(&seed) % COUNTOF(ordinary)];
		size_t n = strlen(from);
		char text[1024];

		assert_true(n < sizeof(text) - 8);
		memcpy(text, from, n);
		for (unsigned k = next(&seed) % 3; k < 3; k++) {
			const size_t at = next(&seed) % n;
			const char c = bytes[next(&seed) % sizeof(bytes)];

			switch (next(&seed) % 3) {

			case 0:
				text[at] = c;
				break;

			case 1:
				memmove(text + at + 1, text + at, n++ - at);
				text[at] = c;
				break;

			case 2:
				memmove(text + at, text + at + 1, --n - at);
				break;
			}
		}
		plain += both(text, n);
	}

	/* else nothing was compared */
	assert_true(plain > 1000);
}


/* What is not plain is decoded all the same */
static void test_either(void **state)
{
	static const char *const v[] = {
		INVITE MUST END,
		INVITE MUST "Subject: a\r\n b\r\n" END,
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(v); i++) {
		struct mbuf *mb = buffer(v[i], strlen(v[i]));
		struct sip_msg *msg = NULL;

		assert_int_equal(message_decode(&msg, mb), 0);
		mem_deref(mb);
		assert_int_equal(pl_strcmp(&msg->from.tag, "77"), 0);
		mem_deref(msg);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_every_header),
		cmocka_unit_test(test_not_plain),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
