/**
 * @file test_sdp_own.c  A description that somebody has written
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "priv.h"
#include "sdp_own.h"


#define HEAD "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 1.2.3.4\nt=0 0\n"
#define AUDIO "m=audio {port} RTP/AVP 0\n"

static struct {
	unsigned n, line;
	char all[4000];
} got;


static void told_h(unsigned line, const char *text, void *arg)
{
	const size_t used = strlen(got.all);
	(void)arg;

	got.line = line;
	++got.n;
	(void)snprintf(got.all + used, sizeof(got.all) - used, "%u %s\n",
		       line, text);
}


static unsigned look(const char *text)
{
	unsigned n;

	memset(&got, 0, sizeof(got));
	n = ua_sdp_lint(text, strlen(text), told_h, NULL);
	assert_int_equal(n, got.n);

	return n;
}


static void test_good(void **state)
{
	static const char *const good[] = {
		HEAD AUDIO,
		HEAD AUDIO "a=rtpmap:0 PCMU/8000\na=sendonly\n",
		"v=0\r\no=- 1 1 IN IP6 ::1\r\ns=x y\r\nt=0 0\r\na=group:x\r\n"
		"m=audio {port} RTP/SAVP 96 0\r\nc=IN {family} {address}\r\n"
		"a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
		HEAD AUDIO "m=video 0 RTP/AVP 99\n",
		HEAD AUDIO "m=message 9 TCP/MSRP *\n",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (look(good[i]))
			fail_msg("%zu: %s", i, got.all);
	}
}


static void test_bad(void **state)
{
	static const struct { const char *text, *say; } v[] = {
		{ "", "0 there is nothing in it" },
		{ HEAD AUDIO "\na=sendrecv\n", "7 an empty line" },
		{ "v=1\n" HEAD AUDIO, "1 the version is 0" },
		{ HEAD "v=0\n" AUDIO, "6 v= belongs before t=" },
		{ HEAD AUDIO "t=0 0\n", "7 t= belongs before the first m=" },
		{ HEAD AUDIO "x=1\n", "7 no line begins with x=" },
		{ HEAD AUDIO " a=sendrecv\n", "7 a line is a letter" },
		{ HEAD AUDIO "a= sendrecv\n", "7 no blank may follow a=" },
		{ HEAD "m=audio {port}\n", "6 m= has a kind" },
		{ HEAD "m=audio x RTP/AVP 0\n", "6 the port of m= is no" },
		{ HEAD "m=audio 70000 RTP/AVP 0\n", "6 the port of m= is fr" },
		{ HEAD "m=audio {port} RTP/AVP 0 pcmu\n", "6 formats of RTP" },
		{ HEAD "m=audio {port} RTP/AVP 0 0\n", "6 payload type 0 st" },
		{ HEAD "m=audio {port} RTP/AVP 96\n", "6 payload type 96 has" },
		{ HEAD AUDIO "a=rtpmap:8 PCMA/8000\n", "7 payload type 8 is n" },
		{ HEAD AUDIO "a=rtpmap:0 PCMU\n", "7 a=rtpmap names a codec" },
		{ HEAD AUDIO "a=rtpmap:900 PCMU/8000\n", "7 a=rtpmap begins" },
		{ HEAD "a=rtpmap:0 PCMU/8000\n" AUDIO, "6 a=rtpmap belongs" },
		{ HEAD AUDIO "a=sendonly\na=recvonly\n", "8 a second direct" },
		{ HEAD AUDIO "a=crypto:1 x\n", "7 a=crypto belongs" },
		{ HEAD "m=audio {port} RTP/SAVP 0\n", "6 it is to be encr" },
		{ HEAD AUDIO "c=IN IP6 1.2.3.4\n", "7 1.2.3.4 is no address" },
		{ HEAD AUDIO "c=somewhere\n", "7 c= is as in" },
		{ HEAD "m=audio 4000 RTP/AVP 0\n", "0 {port} is not in it" },
		{ HEAD AUDIO "a=x:{host}\n", "0 the words to fill in" },
		{ HEAD, "0 no m= line" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		(void)look(v[i].text);
		if (!strstr(got.all, v[i].say))
			fail_msg("%zu: %s, not %s", i, got.all, v[i].say);
	}
}


/* A bound on what is told, whatever it is */
static void test_much(void **state)
{
	char text[UA_SDP_MAX + 2];
	(void)state;

	memset(text, 'x', sizeof(text));
	assert_int_equal(ua_sdp_lint(text, sizeof(text), told_h, NULL), 1);
	for (size_t i = 0; i < UA_SDP_MAX; i += 2)
		memcpy(text + i, "x\n", 2);
	memset(&got, 0, sizeof(got));
	assert_int_equal(ua_sdp_lint(text, UA_SDP_MAX, told_h, NULL),
			 UA_SDP_FINDINGS);
	assert_int_equal(got.n, UA_SDP_FINDINGS);
	memset(text, '{', UA_SDP_MAX);
	(void)ua_sdp_lint(text, UA_SDP_MAX, told_h, NULL);
	memset(text, '\0', UA_SDP_MAX);
	(void)ua_sdp_lint(text, UA_SDP_MAX, NULL, NULL);
}


static void test_fill(void **state)
{
	struct mbuf *mb = NULL;
	struct sa rtp;
	(void)state;

	assert_int_equal(sa_set_str(&rtp, "::1", 4000), 0);
	assert_int_equal(sdp_own_offer(&mb, "m={port}\na={x", &rtp), 0);
	assert_memory_equal(mbuf_buf(mb), "m=4000\r\na={x\r\n", 14);
	assert_int_equal(mbuf_get_left(mb), 14);
	mem_deref(mb);
	assert_int_equal(sdp_own_offer(&mb, "c={family} {address}/"
				       "{rtcp-port}\n", &rtp), 0);
	assert_memory_equal(mbuf_buf(mb), "c=IP6 ::1/4001\r\n", 16);
	mem_deref(mb);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
