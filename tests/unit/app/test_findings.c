/**
 * @file test_findings.c  Each finding, from what provokes it; and calls that
 * are well
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "offhook/findings.h"

enum { OUT = 1, IN = 0 };

static struct capture *cap;
static struct call_record rec;
static const char *public_peer, *seen;
static struct finding got[FINDINGS_MAX];
static unsigned told;                    /* rows that a test provoked */


static void begin(bool outgoing, bool active, enum sip_cause cause,
		  uint16_t code, const char *reason)
{
	const struct capture_limits lim = { 200, 1 << 20 };

	mem_deref(cap);
	cap = NULL;
	assert_int_equal(capture_alloc(&cap, &lim), 0);
	memset(&rec, 0, sizeof(rec));
	rec.id = 1;
	rec.state = CALL_ENDED;
	rec.outgoing = outgoing;
	rec.was_active = active;
	rec.result.cause = cause;
	rec.result.code = code;
	snprintf(rec.result.reason, sizeof(rec.result.reason), "%s", reason);
	rec.mos = 4.3;
	rec.stats.level_in_dbfs = -20.0;
	if (active) {
		rec.duration_ms = 10000;
		rec.stats_known = rec.media_expected = true;
		rec.stats.packets_sent = rec.stats.packets_received = 500;
	}
	public_peer = "127.0.0.1";
}


static void say(bool tx, const char *first, unsigned cseq, const char *method,
		const char *more, const char *body)
{
	char text[2000];
	struct sa us, peer;

	assert_int_equal(sa_set_str(&us, "127.0.0.1", 5060), 0);
	assert_int_equal(sa_set_str(&peer, public_peer, 5060), 0);
	snprintf(text, sizeof(text), "%s\r\n%s%sCall-ID: x\r\nCSeq: %u %s\r\n"
		 "%s%s\r\n%s", first, strstr(more, "Via:") ? "" :
		 "Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1\r\n",
		 strstr(more, "From:") ? "" :
		 "From: <sip:me@here>;tag=1\r\nTo: <sip:you@there>\r\n",
		 cseq, method, more, *body ?
		 "Content-Type: application/sdp\r\n" : "", body);
	capture_sip(cap, tx, SIP_TRANSP_UDP, &us, &peer, text, strlen(text));
	capture_bind(cap, "x", 1);
}


#define SDP(addr, proto, codecs)					\
	"v=0\r\nc=IN IP4 " addr "\r\nm=audio 4000 " proto " " codecs "\r\n"


static void invite(const char *sdp)
{
	say(true, "INVITE sip:you@there SIP/2.0", 1, "INVITE", "", sdp);
}


static void answer(const char *first, const char *more, const char *sdp)
{
	say(false, first, 1, "INVITE", more, sdp);
}


/* The first finding is this one, and it says that */
static void found(const char *name, const char *what)
{
	char text[4096];
	const size_t n = findings_of(got, FINDINGS_MAX, &rec, cap);
	const struct finding_row *row;

	if (!n || strcmp(got->name, name))
		fail_msg("%s, not %s", n ? got->name : "nothing", name);
	if (!strstr(got->seen, what))
		fail_msg("'%s' has no '%s'", got->seen, what);
	seen = got->seen;

	findings_print(text, sizeof(text), got, n);
	assert_non_null(strstr(text, got->seen));
	assert_non_null(strstr(text, got->advice));
	assert_int_equal(text[strlen(text) - 1], '.');

	for (unsigned i = 0; (row = findings_row(i)); i++) {
		if (!strcmp(row->name, name))
			told |= 1u << i;
	}
}


static void names(void **state)
{
	(void)state;

	begin(OUT, false, SIP_CAUSE_RESOLVE, 0, "no such name: x.example");
	found("name", "x.example");

	begin(OUT, false, SIP_CAUSE_TRANSPORT, 0,
	      "TLS: the certificate has expired");
	found("tls", "expired");
	begin(OUT, false, SIP_CAUSE_TRANSPORT, 0, "Connection refused");
	invite("");
	found("unreachable", "127.0.0.1:5060: Connection refused");

	begin(OUT, false, SIP_CAUSE_TIMEOUT, 0, "no response");
	invite("");
	invite("");
	invite("");
	found("no-response", "3 times");
}


static void confirmations(void **state)
{
	(void)state;

	begin(IN, true, SIP_CAUSE_TIMEOUT, 408, "no ACK");
	for (unsigned i = 0; i < 5; i++)
		say(true, "SIP/2.0 200 OK", 1, "INVITE", "", "");
	found("no-ack", "5 times, and no ACK came");

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.result.remote = true;
	rec.duration_ms = 32100;
	invite("");
	for (unsigned i = 0; i < 5; i++)
		answer("SIP/2.0 200 OK", "", "");
	found("cut-after-32s", "32 s");
}


static void descriptions(void **state)
{
	(void)state;

	begin(OUT, false, SIP_CAUSE_STATUS, 488, "Not Acceptable Here");
	invite(SDP("127.0.0.1", "RTP/AVP", "0 8"));
	answer("SIP/2.0 488 Not Acceptable Here",
	       "Warning: 305 x \"Incompatible media format\"\r\n", "");
	found("codec-mismatch", "we have pcmu pcma");
	assert_non_null(strstr(seen, "Incompatible media"));

	begin(IN, false, SIP_CAUSE_MEDIA, 488, "no common codec");
	say(false, "INVITE sip:me@here SIP/2.0", 1, "INVITE", "",
	    SDP("127.0.0.1", "RTP/AVP", "18"));
	found("codec-mismatch", "they have g729");

	begin(OUT, true, SIP_CAUSE_MEDIA, 488,
	      "the other side does not answer the DTLS handshake");
	invite(SDP("127.0.0.1", "RTP/SAVPF", "0"));
	answer("SIP/2.0 200 OK", "", SDP("127.0.0.1", "RTP/SAVPF", "0"));
	found("dtls", "does not answer");

	begin(OUT, false, SIP_CAUSE_STATUS, 488, "Not Acceptable Here");
	invite(SDP("127.0.0.1", "RTP/SAVP", "0"));
	answer("SIP/2.0 488 Not Acceptable Here", "", "");
	found("security-mismatch", "we offered RTP/SAVP");

	begin(IN, false, SIP_CAUSE_MEDIA, 488, "no");
	say(false, "INVITE sip:me@here SIP/2.0", 1, "INVITE", "",
	    SDP("127.0.0.1", "RTP/SAVP", "0"));
	found("security-mismatch", "they speak RTP/SAVP");
}


static void ways(void **state)
{
	(void)state;

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.stats.packets_received = 0;
	invite(SDP("127.0.0.1", "RTP/AVP", "0"));
	answer("SIP/2.0 200 OK", "", SDP("127.0.0.1", "RTP/AVP", "0"));
	found("one-way-audio", "500 packets");

	/* they name an address that only they can reach */
	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.stats.packets_received = 0;
	public_peer = "198.51.100.7";
	invite(SDP("203.0.113.1", "RTP/AVP", "0"));
	answer("SIP/2.0 200 OK", "", SDP("192.168.1.4", "RTP/AVP", "0"));
	found("nat-address", "its sound is at 192.168.1.4");
	assert_string_equal(got[1].name, "one-way-audio");

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.stats.packets_received = 0;
	public_peer = "198.51.100.7";
	invite(SDP("172.20.0.1", "RTP/AVP", "0"));
	answer("SIP/2.0 200 OK", "", SDP("198.51.100.8", "RTP/AVP", "0"));
	found("nat-address", "our sound is at 172.20.0.1");

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.stats.remote_known = true;
	rec.stats.remote_loss_256 = 64;
	found("not-heard", "25 %");

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.stats.lost = 50;
	found("packet-loss", "9.1 %");

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.stats.late = 30;
	rec.stats.jitter_us = 80000;
	found("late-packets", "6.0 %");
	assert_non_null(strstr(seen, "80 ms"));

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.stats.rtt_us = 900000;
	rec.stats.delay_ms = 100;
	found("delay", "550 ms");

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	rec.stats.level_in_dbfs = -80.0;
	found("silence", "-80");
}


static void signalling(void **state)
{
	char date[80];
	(void)state;

	begin(OUT, false, SIP_CAUSE_AUTH, 401, "Unauthorized");
	invite("");
	answer("SIP/2.0 401 Unauthorized", "", "");
	say(true, "INVITE sip:you@there SIP/2.0", 2, "INVITE", "", "");
	say(false, "SIP/2.0 401 Unauthorized", 2, "INVITE", "", "");
	found("auth", "2 times");

	begin(OUT, true, SIP_CAUSE_TIMEOUT, 408, "Session timer expired");
	found("session-timer", "after 10 s");

	/* a box that puts its own address into our Via */
	begin(OUT, false, SIP_CAUSE_STATUS, 400, "Bad Request");
	invite("");
	answer("SIP/2.0 400 Bad Request", "Via: SIP/2.0/UDP "
	       "203.0.113.9:1024;branch=z9hG4bK1\r\n", "");
	found("alg", "our Via 'SIP/2.0/UDP 10.0.0.5:5060' came back as "
	      "'SIP/2.0/UDP 203.0.113.9:1024'");

	begin(OUT, false, SIP_CAUSE_STATUS, 400, "Bad Request");
	invite("");
	invite("");
	invite("");
	answer("SIP/2.0 400 Bad Request", "", "");
	answer("SIP/2.0 400 Bad Request", "", "");
	found("retransmissions", "2 messages again, and 1");

	begin(OUT, false, SIP_CAUSE_STATUS, 400, "Bad Request");
	invite("");
	snprintf(date, sizeof(date), "Date: Sat, 13 Nov 2010 23:29:00 "
		 "GMT\r\n");
	answer("SIP/2.0 400 Bad Request", date, "");
	found("clock", "behind of ours");
}


static void codes(void **state)
{
	static const struct { unsigned code; const char *name; } v[] = {
		{ 403, "forbidden" }, { 404, "not-found" },
		{ 480, "not-available" }, { 482, "loop" },
		{ 483, "too-many-hops" }, { 500, "server-error" },
		{ 503, "overload" }, { 504, "gateway-timeout" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {

		char first[64], code[16];

		begin(OUT, false, SIP_CAUSE_STATUS, (uint16_t)v[i].code,
		      "No");
		invite("");
		snprintf(first, sizeof(first), "SIP/2.0 %u No", v[i].code);
		answer(first, "Server: FreeThing 1.0\r\n", "");
		snprintf(code, sizeof(code), "%u", v[i].code);
		found(v[i].name, code);
		assert_non_null(strstr(seen, "FreeThing"));
	}
}


/* A call that is well, or ended as somebody wished, is left alone */
static void wells(void **state)
{
	(void)state;

	begin(OUT, true, SIP_CAUSE_NONE, 200, "OK");
	invite(SDP("127.0.0.1", "RTP/AVP", "0"));
	answer("SIP/2.0 200 OK", "", SDP("127.0.0.1", "RTP/AVP", "0"));
	assert_false(findings_wanted(&rec));
	assert_int_equal(findings_of(got, FINDINGS_MAX, &rec, cap), 0);
	assert_int_equal(findings_of(got, FINDINGS_MAX, &rec, NULL), 0);

	rec.mos = 2.5;
	assert_true(findings_wanted(&rec));
	rec.mos = 4.0;
	rec.stats.packets_received = 0;
	assert_true(findings_wanted(&rec));

	begin(OUT, false, SIP_CAUSE_STATUS, 486, "Busy Here");
	assert_false(findings_wanted(&rec));
	begin(OUT, false, SIP_CAUSE_CANCELLED, 487, "");
	assert_false(findings_wanted(&rec));
	begin(OUT, false, SIP_CAUSE_STATUS, 404, "Not Found");
	assert_true(findings_wanted(&rec));
	begin(OUT, false, SIP_CAUSE_TIMEOUT, 0, "");
	assert_true(findings_wanted(&rec));
}


/* Last: no row is without something that provokes it */
static void all(void **state)
{
	const struct finding_row *row;
	(void)state;

	for (unsigned i = 0; (row = findings_row(i)); i++) {
		if (!(told & 1u << i))
			fail_msg("nothing provokes %s", row->name);
		assert_true(row->stage[0] && row->usually[0] &&
			    row->advice[0]);
	}

	cap = mem_deref(cap);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(confirmations),
		cmocka_unit_test(descriptions),
		cmocka_unit_test(ways),
		cmocka_unit_test(signalling),
		cmocka_unit_test(codes),
		cmocka_unit_test(wells),
		cmocka_unit_test(all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
