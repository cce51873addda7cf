/**
 * @file test_bundle.c  Lines that share one port (RFC 8843), as browsers offer
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>
#include "ice.h"
#include "sdp.h"

#define HEAD "v=0\r\no=- 46117 2 IN IP4 198.51.100.9\r\ns=-\r\n" \
	"c=IN IP4 198.51.100.9\r\nt=0 0\r\n"
#define WAY "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n" \
	"a=candidate:1 1 UDP 2130706431 198.51.100.9 5000 typ host\r\n" \
	"a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:" \
	"0F:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F\r\n" \
	"a=setup:actpass\r\na=rtcp-mux\r\n"
#define AUDIO "UDP/TLS/RTP/SAVPF 111 0\r\na=rtpmap:111 opus/48000/2\r\n"
#define VIDEO "UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"
#define LINE "m=audio 4000 UDP/TLS/RTP/SAVPF"
#define REFUSED "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n"

struct side {
	struct nego n;
	struct ability ab;
	struct media_plan plan;
};


static void side_init(struct side *s)
{
	memset(s, 0, sizeof(*s));
	nego_init(&s->n, 1000);
	strcpy(s->n.ice_ufrag, "wxyz1234");
	strcpy(s->n.ice_pwd, "0123456789012345678901234");
	assert_int_equal(0, ability_codecs(&s->ab, "pcmu"));
	assert_int_equal(0, sa_set_str(&s->ab.rtp, "198.51.100.2", 4000));
	s->ab.dir = MEDIA_SENDRECV;
	s->ab.param.ptime_ms = 20;
	s->ab.ice.on = true;
	s->ab.secure.policy = SECURE_PREFER;
	s->ab.secure.dtls = s->ab.secure.sdes = true;
	strcpy(s->ab.secure.print.hash, "sha-256");
	s->ab.secure.print.len = 32;
}


static int take(struct side *s, const char *sdp)
{
	return nego_take(&s->plan, NULL, &s->n, &s->ab, sdp, strlen(sdp));
}


static char *text(struct mbuf *mb)
{
	char *s = NULL;

	assert_int_equal(0, mbuf_strdup(mb, &s, mb->end));
	mem_deref(mb);

	return s;
}


static char *reply(struct side *s)
{
	struct mbuf *mb = NULL;

	assert_int_equal(0, nego_answer(&mb, &s->n, &s->ab));

	return text(mb);
}


static void has(const char *s, const char *what, bool want)
{
	if (!s || !strstr(s, what) == want)
		fail_msg("%s in:\n%s", what, s ? s : "nothing");
}


/* Our line stands in the answer's group, what is refused does not (7.3); all
 * keep their names, and our next offer is of the same group (7.5) */
static void test_browser(void **state)
{
	static const char offer[] = HEAD "a=group:BUNDLE 0 v1\r\n"
		"m=audio 5000 " AUDIO "a=mid:0\r\n" WAY
		"m=video 5000 " VIDEO "a=mid:v1\r\n" WAY;
	struct mbuf *mb = NULL;
	struct side s;
	char *r;
	(void)state;

	side_init(&s);
	assert_int_equal(0, take(&s, offer));
	assert_true(s.plan.ice.on && s.plan.rtcp_mux);
	assert_int_equal(s.plan.secure.keying, MEDIA_KEYS_DTLS);

	r = reply(&s);
	has(r, "t=0 0\r\na=group:BUNDLE 0\r\n" LINE, true);
	has(r, "a=mid:0\r\n" REFUSED "a=mid:v1\r\n", true);
	has(r, "a=rtcp-mux\r\n", true);
	mem_deref(r);

	assert_int_equal(0, nego_offer(&mb, &s.n, &s.ab));
	r = text(mb);
	has(r, "t=0 0\r\na=group:BUNDLE 0\r\n" LINE, true);
	has(r, "a=mid:0\r\n" REFUSED "a=mid:v1\r\n", true);

	/* whose answer may leave the group */
	assert_int_equal(0, nego_result(&s.plan, NULL, &s.n, &s.ab, HEAD
		"m=audio 5000 " AUDIO WAY REFUSED, sizeof(HEAD
		"m=audio 5000 " AUDIO WAY REFUSED) - 1));
	assert_false(s.n.bundled);
	mem_deref(r);
	nego_reset(&s.n);
}


/* What belongs to the way stands at the first line of the group alone, and
 * ours has no port of its own (7.2) */
static void test_bundle_only(void **state)
{
	static const char offer[] = HEAD "a=group:BUNDLE v a\r\n"
		"m=video 5000 " VIDEO "a=mid:v\r\n" WAY
		"m=audio 0 " AUDIO "a=mid:a\r\na=bundle-only\r\n";
	struct side s;
	char *r;
	(void)state;

	side_init(&s);
	assert_int_equal(0, take(&s, offer));
	assert_true(s.plan.ice.on && s.plan.rtcp_mux);
	assert_int_equal(s.plan.ice.candc, 1);
	assert_int_equal(sa_port(&s.plan.rtp), 5000);
	assert_int_equal(s.plan.secure.keying, MEDIA_KEYS_DTLS);

	r = reply(&s);
	has(r, "a=group:BUNDLE a\r\n" REFUSED "a=mid:v\r\n" LINE, true);
	mem_deref(r);
	nego_reset(&s.n);
}


/* No group comes of what is none */
static void test_none(void **state)
{
	static const struct {
		const char *sdp;
		int code;
		bool mid;
	} v[] = {
		/* names, but no group, or another kind of one */
		{ HEAD "m=audio 5000 RTP/AVP 0\r\na=mid:a\r\na=rtcp-mux\r\n",
		  0, true },
		{ HEAD "a=group:LS a\r\nm=audio 5000 RTP/AVP 0\r\na=mid:a\r\n"
		  "a=rtcp-mux\r\n", 0, true },
		/* a group of others, of nobody, of lines without names */
		{ HEAD "a=group:BUNDLE b c\r\nm=audio 5000 RTP/AVP 0\r\n"
		  "a=mid:a\r\na=rtcp-mux\r\n", 0, true },
		{ HEAD "a=group:BUNDLE\r\nm=audio 5000 RTP/AVP 0\r\n"
		  "a=rtcp-mux\r\n", 0, false },
		{ HEAD "a=group:BUNDLE a\r\nm=audio 5000 RTP/AVP 0\r\n"
		  "a=rtcp-mux\r\n", 0, false },
		/* reports want a port of their own (9.3) */
		{ HEAD "a=group:BUNDLE a\r\nm=audio 5000 RTP/AVP 0\r\n"
		  "a=mid:a\r\n", 0, true },
		/* a name that is none */
		{ HEAD "a=group:BUNDLE a\r\nm=audio 5000 RTP/AVP 0\r\n"
		  "a=mid:a b\r\na=rtcp-mux\r\n", 0, false },
		/* port 0 is a refusal for who is in no group ... */
		{ HEAD "m=audio 0 RTP/AVP 0\r\na=mid:a\r\na=bundle-only\r\n"
		  "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n",
		  488, false },
		/* ... and for who does not say that it is none */
		{ HEAD "a=group:BUNDLE v a\r\nm=video 5000 RTP/AVP 96\r\n"
		  "a=mid:v\r\na=rtcp-mux\r\nm=audio 0 RTP/AVP 0\r\na=mid:a"
		  "\r\n", 488, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		struct side s;
		char *r;
		int code;

		side_init(&s);
		code = take(&s, v[i].sdp);
		if (code != v[i].code)
			fail_msg("%zu: %d for %s", i, code, v[i].sdp);
		if (!code) {
			r = reply(&s);
			has(r, "a=group", false);
			has(r, "a=mid:a\r\n", v[i].mid);
			mem_deref(r);
		}
		nego_reset(&s.n);
	}
}


/* Offered: our line is alone in a group, and out of it when the answer is */
static void test_offered(void **state)
{
	static const char with[] = HEAD "a=group:BUNDLE 0\r\nm=audio 5000 "
		AUDIO "a=mid:0\r\n" WAY;
	static const char without[] = HEAD "m=audio 5000 " AUDIO WAY;
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		const char *answer = i ? without : with;
		struct mbuf *mb = NULL;
		struct side s;
		char *r;

		side_init(&s);
		s.ab.secure.policy = SECURE_REQUIRE;
		s.ab.secure.sdes = false;
		s.ab.nack = s.ab.bundle = true;
		assert_int_equal(0, nego_offer(&mb, &s.n, &s.ab));
		r = text(mb);
		has(r, "t=0 0\r\na=group:BUNDLE 0\r\n" LINE, true);
		has(r, "a=mid:0\r\n", true);
		has(r, "a=rtcp-mux\r\n", true);
		has(r, "a=ice-ufrag:", true);
		has(r, "a=fingerprint:", true);
		has(r, "a=crypto", false);
		mem_deref(r);

		assert_int_equal(0, nego_result(&s.plan, NULL, &s.n, &s.ab,
						answer, strlen(answer)));
		assert_int_equal(s.plan.secure.keying, MEDIA_KEYS_DTLS);
		assert_true(s.plan.ice.on && s.plan.rtcp_mux);
		assert_int_equal(0, nego_offer(&mb, &s.n, &s.ab));
		r = text(mb);
		has(r, "a=group:BUNDLE 0\r\n", !i);
		has(r, "a=mid:0\r\n", true);
		mem_deref(r);
		nego_reset(&s.n);
	}
}


/* Before the group, after it: the number of the description tells */
static void test_version(void **state)
{
	static const char alone[] = HEAD "m=audio 5000 RTP/AVP 0\r\na=mid:a"
		"\r\na=rtcp-mux\r\n";
	static const char group[] = HEAD "a=group:BUNDLE a\r\n"
		"m=audio 5000 RTP/AVP 0\r\na=mid:a\r\na=rtcp-mux\r\n";
	struct side s;
	(void)state;

	side_init(&s);
	assert_int_equal(0, take(&s, alone));
	mem_deref(reply(&s));
	assert_int_equal(s.n.version, 1000);
	assert_int_equal(0, take(&s, group));
	mem_deref(reply(&s));
	assert_int_equal(s.n.version, 1001);
	assert_int_equal(0, take(&s, group));
	mem_deref(reply(&s));
	assert_int_equal(s.n.version, 1001);
	nego_reset(&s.n);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_browser),
		cmocka_unit_test(test_bundle_only),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_offered),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
