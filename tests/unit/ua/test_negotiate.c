/**
 * @file test_negotiate.c  Offer and answer: the cases of RFC 3264, 4317, 6337
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>
#include "negotiate.h"


#define V4 "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n" \
	"t=0 0\r\n"

struct side {
	struct nego n;
	struct ability ab;
};


static void side_init(struct side *s, const char *codecs)
{
	memset(s, 0, sizeof(*s));
	nego_init(&s->n, 1000);
	assert_int_equal(0, ability_codecs(&s->ab, codecs));
	assert_int_equal(0, sa_set_str(&s->ab.rtp, "198.51.100.2", 4000));
	s->ab.dir = MEDIA_SENDRECV;
	s->ab.param.ptime_ms = 20;
	s->ab.param.complexity = -1;
	s->ab.param.fec = true;
}


static char *text(struct mbuf *mb)
{
	char *s = NULL;

	assert_int_equal(0, mb->pos);
	assert_int_equal(0, mbuf_strdup(mb, &s, mb->end));
	mem_deref(mb);

	return s;
}


static char *offer(struct side *s)
{
	struct mbuf *mb = NULL;

	assert_int_equal(0, nego_offer(&mb, &s->n, &s->ab));

	return text(mb);
}


static int take(struct side *s, struct media_plan *plan, bool *held,
		const char *sdp)
{
	return nego_take(plan, held, &s->n, &s->ab, sdp, strlen(sdp));
}


/* Take an offer that is right and give the answer */
static char *answer(struct side *s, struct media_plan *plan, bool *held,
		    const char *sdp)
{
	struct mbuf *mb = NULL;
	const int code = take(s, plan, held, sdp);

	if (code)
		fail_msg("%d for %s", code, sdp);
	assert_int_equal(0, nego_answer(&mb, &s->n, &s->ab));

	return text(mb);
}


static int result(struct side *s, struct media_plan *plan, bool *held,
		  const char *sdp)
{
	return nego_result(plan, held, &s->n, &s->ab, sdp, strlen(sdp));
}


static void has(const char *sdp, const char *line)
{
	if (!strstr(sdp, line))
		fail_msg("\"%s\" is not in\n%s", line, sdp ? sdp : "");
}


static void hasnt(const char *sdp, const char *line)
{
	if (strstr(sdp, line))
		fail_msg("\"%s\" is in\n%s", line, sdp ? sdp : "");
}


static void codec_is(const struct media_plan *p, const char *name)
{
	assert_non_null(p->codec);
	assert_string_equal(name, p->codec->name);
}


static void offer_whole(void **state)
{
	struct side s;
	char *o;
	(void)state;

	side_init(&s, "opus,pcmu,pcma,l16");
	o = offer(&s);
	assert_string_equal(o,
		"v=0\r\n"
		"o=- 1000 1000 IN IP4 198.51.100.2\r\n"
		"s=-\r\n"
		"c=IN IP4 198.51.100.2\r\n"
		"t=0 0\r\n"
		"m=audio 4000 RTP/AVP 96 0 8 97 98 101 99\r\n"
		"a=rtpmap:96 opus/48000/2\r\n"
		"a=fmtp:96 useinbandfec=1\r\n"
		"a=rtpmap:0 PCMU/8000\r\n"
		"a=rtpmap:8 PCMA/8000\r\n"
		"a=rtpmap:97 L16/16000\r\n"
		"a=rtpmap:98 telephone-event/48000\r\n"
		"a=fmtp:98 0-15\r\n"
		"a=rtpmap:101 telephone-event/8000\r\n"
		"a=fmtp:101 0-15\r\n"
		"a=rtpmap:99 telephone-event/16000\r\n"
		"a=fmtp:99 0-15\r\n"
		"a=ptime:20\r\n"
		"a=sendrecv\r\n"
		"a=rtcp-rsize\r\n"
		"a=rtcp-xr:voip-metrics\r\n");
	mem_deref(o);
	nego_reset(&s.n);

	/* the order is the user's, IPv6 is said as such */
	side_init(&s, "pcma,nonsense,pcmu,pcma");
	assert_int_equal(0, sa_set_str(&s.ab.rtp, "2001:db8::7", 6000));
	s.ab.dir = MEDIA_SENDONLY;
	s.ab.param.ptime_ms = 30;
	o = offer(&s);
	has(o, "o=- 1000 1000 IN IP6 2001:db8::7\r\n");
	has(o, "c=IN IP6 2001:db8::7\r\n");
	has(o, "m=audio 6000 RTP/AVP 8 0 101\r\n");
	has(o, "a=ptime:30\r\na=sendonly\r\n");
	hasnt(o, "48000");
	mem_deref(o);
	nego_reset(&s.n);
}


/* RFC 4317 2.1: audio and video, each refuses what it has not */
static void two_lines(void **state)
{
	struct side s;
	struct media_plan p;
	bool held = true;
	char *a;
	(void)state;

	side_init(&s, "opus,g722,pcma,pcmu");
	a = answer(&s, &p, &held,
		"v=0\r\no=alice 2890844526 2890844526 IN IP4 host.x.org\r\n"
		"s= \r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
		"m=audio 49170 RTP/AVP 0 8 97\r\n"
		"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
		"a=rtpmap:97 iLBC/8000\r\n"
		"m=video 51372 RTP/AVP 31 32\r\n"
		"a=rtpmap:31 H261/90000\r\na=rtpmap:32 MPV/90000\r\n");
	has(a, "m=audio 4000 RTP/AVP 0 8\r\n");   /* the offerer's order */
	has(a, "m=video 0 RTP/AVP 31\r\n");
	hasnt(a, "iLBC");
	hasnt(a, "telephone-event");
	codec_is(&p, "pcmu");
	assert_int_equal(0, p.pt_send);
	assert_int_equal(0, p.pt_recv);
	assert_int_equal(-1, p.te_send);
	assert_int_equal(1, p.also_count);
	assert_int_equal(8, p.also_recv[0]);
	assert_string_equal("pcma", p.also_codec[0]->name);
	assert_int_equal(49170, sa_port(&p.rtp));
	assert_int_equal(49171, sa_port(&p.rtcp));
	assert_int_equal(MEDIA_SENDRECV, p.dir);
	assert_false(held);
	mem_deref(a);
	nego_reset(&s.n);
}


/* Lines of all kinds stay in their order; the first usable one is taken */
static void many_lines(void **state)
{
	struct side s;
	struct media_plan p;
	char *a;
	const char *at;
	(void)state;

	side_init(&s, "pcmu,pcma");
	a = answer(&s, &p, NULL, V4
		"m=video 5000 RTP/AVP 31\r\n"
		"m=application 5002 UDP/DTLS/SCTP webrtc-datachannel\r\n"
		"m=audio 5004 RTP/SAVP 0\r\n"
		"m=audio 0 RTP/AVP 0\r\n"
		"m=audio 5006 RTP/AVP 18\r\n"
		"m=audio 5008 RTP/AVP 8\r\n"
		"m=audio 5010 RTP/AVP 0\r\n"
		"m=message 5012 TCP/MSRP *\r\n");
	at = strstr(a, "m=");
	assert_non_null(at);
	assert_int_equal(0, strncmp(at,
		"m=video 0 RTP/AVP 31\r\n"
		"m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
		"m=audio 0 RTP/SAVP 0\r\n"
		"m=audio 0 RTP/AVP 0\r\n"
		"m=audio 0 RTP/AVP 18\r\n"
		"m=audio 4000 RTP/AVP 8\r\n"
		"a=rtpmap:8 PCMA/8000\r\n", 170));
	has(a, "m=audio 0 RTP/AVP 0\r\nm=message 0 TCP/MSRP *\r\n");
	codec_is(&p, "pcma");
	assert_int_equal(5008, sa_port(&p.rtp));
	mem_deref(a);

	/* our own re-offer keeps all eight of them */
	s.ab.dir = MEDIA_SENDONLY;
	a = offer(&s);
	has(a, "m=video 0 RTP/AVP 31\r\nm=application 0 ");
	has(a, "m=audio 0 RTP/AVP 18\r\nm=audio 4000 RTP/AVP 0 8 101\r\n");
	has(a, "m=message 0 TCP/MSRP *\r\n");
	mem_deref(a);

	/* and a later offer of the peer may not lose one */
	assert_int_equal(400, take(&s, &p, NULL, V4
				   "m=audio 5008 RTP/AVP 8\r\n"));
	nego_reset(&s.n);
}


static void refused(void **state)
{
	static const struct {
		int code;
		const char *sdp;
	} v[] = {
		{ 488, V4 "m=audio 5000 RTP/AVP 18\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 96\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 101\r\n"
		       "a=rtpmap:101 telephone-event/8000\r\n" },
		{ 488, V4 "m=audio 5000 RTP/SAVP 0\r\n" },
		{ 488, V4 "m=audio 5000 RTP/SAVPF 0\r\n" },
		{ 488, V4 "m=audio 5000 UDP/TLS/RTP/SAVPF 0\r\n" },
		{ 488, V4 "m=audio 5000 udp 0\r\n" },
		{ 488, V4 "m=video 5000 RTP/AVP 0\r\n" },
		{ 488, V4 "m=image 5000 udptl t38\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 0\r\n"
		       "c=IN IP4 phone.example.com\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 0\r\nc=IN IP6 ::1\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 0\r\n"
		       "c=IN IP4 224.2.1.1/127\r\n" },
		{ 488, "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n"
		       "m=audio 5000 RTP/AVP 0\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 0\r\n"      /* contradiction */
		       "a=rtpmap:0 GSM/8000\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 0\r\n"
		       "a=rtpmap:0 PCMU/16000\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 8\r\n"
		       "a=rtpmap:8 PCMU/8000\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 72\r\n"     /* RTCP's */
		       "a=rtpmap:72 PCMU/8000\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 128\r\n"
		       "a=rtpmap:128 PCMU/8000\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 96\r\n"
		       "a=rtpmap:96 opus/8000/2\r\n" },
		{ 488, V4 "m=audio 5000 RTP/AVP 10\r\n" },  /* music */
		{ 400, "" },
		{ 400, "hello" },
		{ 400, V4 "m=audio x RTP/AVP 0\r\n" },
	};
	struct side s;
	struct media_plan p = { .pt_send = 77 };
	bool held = true;
	char *a;
	(void)state;

	side_init(&s, "opus,pcmu,pcma,l16");

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		const int code = take(&s, &p, &held, v[i].sdp);

		if (code != v[i].code)
			fail_msg("%d, not %d: %s", code, v[i].code, v[i].sdp);
		assert_int_equal(77, p.pt_send);
		assert_true(held);
		assert_int_equal(0, s.n.linec);
	}

	/* nothing has stuck */
	a = answer(&s, &p, &held, V4 "m=audio 5000 RTP/AVP 0\r\n");
	codec_is(&p, "pcmu");
	has(a, "o=- 1000 1000 ");
	mem_deref(a);
	nego_reset(&s.n);
}


static void numbers(void **state)
{
	struct side s;
	struct media_plan p;
	char *a, *o;
	(void)state;

	/* the peer's numbers become ours; doubles are taken once */
	side_init(&s, "opus,pcmu,l16");
	a = answer(&s, &p, NULL, V4
		"m=audio 5000 RTP/AVP 111 111 112 97 0 126 100\r\n"
		"a=rtpmap:111 OPUS/48000/2\r\n"
		"a=rtpmap:112 opus/48000/2\r\n"
		"a=rtpmap:97 L16/16000\r\n"
		"a=rtpmap:126 telephone-event/8000\r\n"
		"a=rtpmap:100 telephone-event/48000\r\n");
	has(a, "m=audio 4000 RTP/AVP 111 97 0 126 100\r\n");
	has(a, "a=rtpmap:111 opus/48000/2\r\n");
	has(a, "a=rtpmap:100 telephone-event/48000\r\n");
	has(a, "a=rtpmap:126 telephone-event/8000\r\n");
	assert_int_equal(111, p.pt_send);
	assert_int_equal(111, p.pt_recv);
	assert_int_equal(100, p.te_send);
	assert_int_equal(100, p.te_recv);
	assert_int_equal(48000, p.te_clock_hz);
	assert_int_equal(1, p.te_also_count);
	assert_int_equal(126, p.te_also[0].pt);
	assert_int_equal(8000, p.te_also[0].clock_hz);
	mem_deref(a);

	/* they stay during the call; new ones avoid them */
	o = offer(&s);
	has(o, "m=audio 4000 RTP/AVP 111 0 97 100 126 96\r\n");
	has(o, "a=rtpmap:126 telephone-event/8000\r\n");
	has(o, "a=rtpmap:96 telephone-event/16000\r\n");
	mem_deref(o);

	/* a number never changes its meaning: 97 is L16 to us for ever */
	a = answer(&s, &p, NULL, V4
		"m=audio 5000 RTP/AVP 97 98\r\n"
		"a=rtpmap:97 opus/48000/2\r\n"
		"a=rtpmap:98 L16/16000\r\n");
	has(a, "m=audio 4000 RTP/AVP 111 98\r\n");
	assert_int_equal(97, p.pt_send);
	assert_int_equal(111, p.pt_recv);
	mem_deref(a);
	nego_reset(&s.n);

	/* a static codec under a dynamic number */
	side_init(&s, "pcmu");
	a = answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 96\r\n"
		   "a=rtpmap:96 PCMU/8000/1\r\n");
	has(a, "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000\r\n");
	assert_int_equal(96, p.pt_send);
	assert_int_equal(96, p.pt_recv);
	mem_deref(a);
	nego_reset(&s.n);
}


/* Many phones know digits at 8000 Hz only, whatever the codec */
static void events(void **state)
{
	struct side s;
	struct media_plan p, q;
	char *o, *a;
	(void)state;

	side_init(&s, "opus");
	o = offer(&s);
	has(o, "m=audio 4000 RTP/AVP 96 97 101\r\n");
	has(o, "a=rtpmap:97 telephone-event/48000\r\n");
	has(o, "a=rtpmap:101 telephone-event/8000\r\n");
	mem_deref(o);

	/* such a phone's answer */
	assert_int_equal(0, result(&s, &p, NULL, V4
		"m=audio 6000 RTP/AVP 96 101\r\n"
		"a=rtpmap:96 opus/48000/2\r\n"
		"a=rtpmap:101 telephone-event/8000\r\n"));
	assert_int_equal(101, p.te_send);
	assert_int_equal(101, p.te_recv);
	assert_int_equal(8000, p.te_clock_hz);
	assert_int_equal(0, p.te_also_count);

	/* one that takes both: sent at the codec's clock, both may come */
	assert_int_equal(0, result(&s, &q, NULL, V4
		"m=audio 6000 RTP/AVP 96 101 97\r\n"
		"a=rtpmap:96 opus/48000/2\r\n"
		"a=rtpmap:101 telephone-event/8000\r\n"
		"a=rtpmap:97 telephone-event/48000\r\n"));
	assert_int_equal(97, q.te_send);
	assert_int_equal(97, q.te_recv);
	assert_int_equal(48000, q.te_clock_hz);
	assert_int_equal(1, q.te_also_count);
	assert_int_equal(101, q.te_also[0].pt);
	assert_int_equal(8000, q.te_also[0].clock_hz);
	assert_false(plan_equal(&p, &q));
	p = q;
	assert_true(plan_equal(&p, &q));
	p.te_also[0].pt = 102;
	assert_false(plan_equal(&p, &q));
	nego_reset(&s.n);

	/* none at the codec's clock: then the common one, wherever it is;
	 * nothing beyond what is known or repeated */
	side_init(&s, "opus");
	a = answer(&s, &p, NULL, V4
		"m=audio 6000 RTP/AVP 111 100 99 98 97\r\n"
		"a=rtpmap:111 opus/48000/2\r\n"
		"a=rtpmap:100 telephone-event/16000\r\n"
		"a=rtpmap:99 telephone-event/8000\r\n"
		"a=rtpmap:98 telephone-event/44100\r\n"
		"a=rtpmap:97 telephone-event/8000\r\n");
	has(a, "m=audio 4000 RTP/AVP 111 100 99\r\n");
	assert_int_equal(99, p.te_send);
	assert_int_equal(99, p.te_recv);
	assert_int_equal(1, p.te_also_count);
	assert_int_equal(100, p.te_also[0].pt);
	mem_deref(a);
	nego_reset(&s.n);
}


static void answers(void **state)
{
	struct side s;
	struct media_plan p;
	bool held;
	(void)state;

	side_init(&s, "opus,pcmu,pcma");
	mem_deref(offer(&s));

	/* other numbers on the other side (RFC 3264 5.1) */
	assert_int_equal(0, result(&s, &p, &held, V4
		"m=audio 6000 RTP/AVP 120 8 99 100\r\n"
		"a=rtpmap:120 opus/48000/2\r\n"
		"a=fmtp:120 useinbandfec=1;maxaveragebitrate=20000\r\n"
		"a=rtpmap:99 telephone-event/8000\r\n"
		"a=rtpmap:100 telephone-event/48000\r\n"));
	codec_is(&p, "opus");
	assert_int_equal(120, p.pt_send);
	assert_int_equal(96, p.pt_recv);
	assert_int_equal(100, p.te_send);
	assert_int_equal(97, p.te_recv);
	assert_int_equal(20000, p.param.bitrate);
	assert_true(p.param.fec);
	assert_int_equal(1, p.also_count);
	assert_int_equal(8, p.also_recv[0]);
	assert_false(held);

	/* only telephone-event/8000, as many do beside opus */
	assert_int_equal(0, result(&s, &p, &held, V4
		"m=audio 6000 RTP/AVP 96 101\r\n"
		"a=rtpmap:96 opus/48000/2\r\n"
		"a=rtpmap:101 telephone-event/8000\r\n"));
	assert_false(p.param.fec);
	assert_int_equal(101, p.te_send);
	assert_int_equal(101, p.te_recv);
	assert_int_equal(8000, p.te_clock_hz);

	/* telephone-event that was not offered */
	assert_int_equal(0, result(&s, &p, &held, V4
		"m=audio 6000 RTP/AVP 0 101\r\n"
		"a=rtpmap:101 telephone-event/16000\r\n"));
	codec_is(&p, "pcmu");
	assert_int_equal(-1, p.te_send);
	assert_int_equal(-1, p.te_recv);

	/* our dynamic number without its rtpmap */
	assert_int_equal(0, result(&s, &p, &held, V4
		"m=audio 6000 RTP/AVP 96\r\n"));
	codec_is(&p, "opus");

	/* more lines than were offered: ours is there */
	assert_int_equal(0, result(&s, &p, &held, V4
		"m=audio 6000 RTP/AVP 8\r\nm=video 7000 RTP/AVP 31\r\n"));
	codec_is(&p, "pcma");

	/* of no use */
	p.pt_send = 55;
	assert_int_equal(488, result(&s, &p, &held, V4));
	assert_int_equal(488, result(&s, &p, &held, V4
		"m=audio 0 RTP/AVP 0\r\n"));
	assert_int_equal(488, result(&s, &p, &held, V4
		"m=audio 6000 RTP/AVP 97\r\n"));
	assert_int_equal(488, result(&s, &p, &held, V4
		"m=audio 6000 RTP/AVP 9\r\n"));
	assert_int_equal(488, result(&s, &p, &held, V4
		"m=audio 6000 RTP/SAVP 0\r\n"));
	assert_int_equal(488, result(&s, &p, &held, V4
		"m=video 6000 RTP/AVP 0\r\n"));
	assert_int_equal(488, result(&s, &p, &held, V4
		"m=audio 6000 RTP/AVP 0\r\nc=IN IP4 a.example.com\r\n"));
	assert_int_equal(400, result(&s, &p, &held, "v=0\r\n"));
	assert_int_equal(55, p.pt_send);

	nego_reset(&s.n);
}


static void directions(void **state)
{
	static const struct {
		const char *line;
		enum media_dir want, dir;
		const char *answer;
		bool held;
	} v[] = {
		{ "", MEDIA_SENDRECV, MEDIA_SENDRECV, "sendrecv", false },
		{ "a=sendrecv\r\n", MEDIA_SENDRECV, MEDIA_SENDRECV,
		  "sendrecv", false },
		{ "a=sendonly\r\n", MEDIA_SENDRECV, MEDIA_RECVONLY,
		  "recvonly", true },
		{ "a=recvonly\r\n", MEDIA_SENDRECV, MEDIA_SENDONLY,
		  "sendonly", false },
		{ "a=inactive\r\n", MEDIA_SENDRECV, MEDIA_INACTIVE,
		  "inactive", true },
		{ "a=sendrecv\r\n", MEDIA_SENDONLY, MEDIA_SENDONLY,
		  "sendonly", false },
		{ "a=sendonly\r\n", MEDIA_SENDONLY, MEDIA_INACTIVE,
		  "inactive", true },
		{ "a=recvonly\r\n", MEDIA_SENDONLY, MEDIA_SENDONLY,
		  "sendonly", false },
		{ "c=IN IP4 0.0.0.0\r\n", MEDIA_SENDRECV, MEDIA_RECVONLY,
		  "recvonly", true },
		{ "c=IN IP4 0.0.0.0\r\na=inactive\r\n", MEDIA_SENDRECV,
		  MEDIA_INACTIVE, "inactive", true },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		struct media_plan p;
		struct side s;
		char sdp[512], line[32];
		bool held = !v[i].held;
		char *a;

		side_init(&s, "pcmu");
		s.ab.dir = v[i].want;
		(void)snprintf(sdp, sizeof(sdp), V4
			       "m=audio 5000 RTP/AVP 0\r\n%s", v[i].line);
		(void)snprintf(line, sizeof(line), "a=%s\r\n", v[i].answer);

		a = answer(&s, &p, &held, sdp);
		assert_int_equal(v[i].dir, p.dir);
		assert_int_equal(v[i].held, held);
		has(a, line);
		mem_deref(a);
		nego_reset(&s.n);

		/* the same in an answer to us */
		side_init(&s, "pcmu");
		s.ab.dir = v[i].want;
		mem_deref(offer(&s));
		held = !v[i].held;
		assert_int_equal(0, result(&s, &p, &held, sdp));
		assert_int_equal(v[i].dir, p.dir);
		assert_int_equal(v[i].held, held);
		nego_reset(&s.n);
	}
}


static void old_hold_address(void **state)
{
	struct side s;
	struct media_plan p;
	bool held = false;
	(void)state;

	side_init(&s, "pcmu");
	assert_int_equal(0, take(&s, &p, &held, V4
		"m=audio 5000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"));
	assert_true(held);
	assert_int_equal(AF_UNSPEC, sa_af(&p.rtcp));
	nego_reset(&s.n);

	side_init(&s, "pcmu");
	assert_int_equal(0, sa_set_str(&s.ab.rtp, "::1", 4000));
	assert_int_equal(0, take(&s, &p, &held,
		"v=0\r\no=- 1 1 IN IP6 ::1\r\nc=IN IP6 ::\r\n"
		"m=audio 5000 RTP/AVP 0\r\n"));
	assert_true(held);
	nego_reset(&s.n);
}


/* ... and how we say it so: in offers, of IPv4, where no ICE tells otherwise */
static void old_hold_said(void **state)
{
	struct side s;
	struct media_plan p;
	bool held;
	char *o;
	(void)state;

	side_init(&s, "pcmu");
	mem_deref(offer(&s));
	s.ab.dir = MEDIA_SENDONLY;
	s.ab.nowhere = true;
	o = offer(&s);
	has(o, "o=- 1000 1001 IN IP4 198.51.100.2\r\n");
	has(o, "c=IN IP4 0.0.0.0\r\n");
	has(o, "m=audio 4000 ");
	has(o, "a=sendonly\r\n");
	mem_deref(o);

	/* an answer says where we are: they may have to be heard */
	o = answer(&s, &p, &held, V4 "m=audio 6000 RTP/AVP 0\r\n");
	has(o, "c=IN IP4 198.51.100.2\r\n");
	has(o, "a=sendonly\r\n");
	mem_deref(o);

	s.ab.ice.on = true;
	o = offer(&s);
	has(o, "c=IN IP4 198.51.100.2\r\n");
	mem_deref(o);
	nego_reset(&s.n);

	side_init(&s, "pcmu");
	s.ab.nowhere = true;
	assert_int_equal(0, sa_set_str(&s.ab.rtp, "2001:db8::7", 6000));
	o = offer(&s);
	has(o, "c=IN IP6 2001:db8::7\r\n");
	mem_deref(o);
	nego_reset(&s.n);
}


static void families(void **state)
{
	static const char both[] = "v=0\r\no=- 1 1 IN IP6 ::1\r\n"
		"m=audio 5000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"
		"m=audio 5002 RTP/AVP 8\r\nc=IN IP4 192.0.2.1\r\n";
	struct side s;
	struct media_plan p;
	char *a;
	(void)state;

	side_init(&s, "pcmu,pcma");
	a = answer(&s, &p, NULL, both);
	has(a, "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 8\r\n");
	assert_int_equal(AF_INET, sa_af(&p.rtp));
	mem_deref(a);
	nego_reset(&s.n);

	side_init(&s, "pcmu,pcma");
	assert_int_equal(0, sa_set_str(&s.ab.rtp, "2001:db8::9", 4000));
	a = answer(&s, &p, NULL, both);
	has(a, "c=IN IP6 2001:db8::9\r\n");
	has(a, "m=audio 4000 RTP/AVP 0\r\n");
	has(a, "m=audio 0 RTP/AVP 8\r\n");
	assert_int_equal(AF_INET6, sa_af(&p.rtp));
	mem_deref(a);
	nego_reset(&s.n);
}


static void packet_time(void **state)
{
	static const struct {
		const char *lines;
		unsigned ms;
	} v[] = {
		{ "", 20 },
		{ "a=ptime:30\r\n", 30 },
		{ "a=ptime:10\r\n", 10 },
		{ "a=ptime:35\r\n", 30 },
		{ "a=ptime:40\r\na=maxptime:20\r\n", 20 },
		{ "a=maxptime:10\r\n", 10 },
		{ "a=maxptime:150\r\n", 20 },
		{ "a=ptime:0\r\n", 20 },
		{ "a=ptime:5\r\n", 20 },
		{ "a=ptime:4294967306\r\n", 20 },
		{ "a=maxptime:0\r\n", 20 },
	};
	struct side s;
	struct media_plan p;
	char *a;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		char sdp[512], line[32];

		side_init(&s, "pcmu");
		(void)snprintf(sdp, sizeof(sdp), V4
			       "m=audio 5000 RTP/AVP 0\r\n%s", v[i].lines);
		(void)snprintf(line, sizeof(line), "a=ptime:%u\r\n", v[i].ms);
		a = answer(&s, &p, NULL, sdp);
		if (v[i].ms != p.param.ptime_ms)
			fail_msg("%u for %s", p.param.ptime_ms, v[i].lines);
		has(a, line);
		mem_deref(a);
		nego_reset(&s.n);
	}

	/* opus has no 30 ms */
	side_init(&s, "opus");
	a = answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 96\r\n"
		   "a=rtpmap:96 opus/48000/2\r\na=ptime:30\r\n");
	assert_int_equal(20, p.param.ptime_ms);
	mem_deref(a);
	nego_reset(&s.n);
}


static void g722(void **state)
{
	struct side s;
	struct media_plan p;
	char *a;
	(void)state;

	if (!codec_find("g722"))
		skip();

	/* the clock says 8000 whatever the rate is; 16000 is an old mistake */
	for (unsigned i = 0; i < 3; i++) {
		static const char *const maps[] = {
			"", "a=rtpmap:9 G722/8000\r\n",
			"a=rtpmap:9 g722/16000\r\n",
		};
		char sdp[512];

		side_init(&s, "g722,pcmu");
		(void)snprintf(sdp, sizeof(sdp), V4
			       "m=audio 5000 RTP/AVP 9 101\r\n%s"
			       "a=rtpmap:101 telephone-event/8000\r\n",
			       maps[i]);
		a = answer(&s, &p, NULL, sdp);
		has(a, "a=rtpmap:9 G722/8000\r\n");
		codec_is(&p, "g722");
		assert_int_equal(101, p.te_send);
		mem_deref(a);
		nego_reset(&s.n);
	}

	side_init(&s, "g722");
	assert_int_equal(488, take(&s, &p, NULL, V4
		"m=audio 5000 RTP/AVP 96\r\na=rtpmap:96 G722/16000\r\n"));
	nego_reset(&s.n);
}


/* GSM makes no packets of 10 ms, whoever asks */
static void gsm(void **state)
{
	struct side s;
	struct media_plan p;
	char *a;
	(void)state;

	if (!codec_find("gsm"))
		skip();

	side_init(&s, "opus,pcmu,gsm");
	a = answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 3 101\r\n"
		   "a=rtpmap:101 telephone-event/8000\r\na=ptime:10\r\n");
	has(a, "a=rtpmap:3 GSM/8000\r\n");
	codec_is(&p, "gsm");
	assert_int_equal(3, p.pt_send);
	assert_int_equal(3, p.pt_recv);
	assert_int_equal(20, p.param.ptime_ms);
	assert_int_equal(101, p.te_send);
	mem_deref(a);
	nego_reset(&s.n);
}


static void stereo_l16(void **state)
{
	struct side s;
	struct media_plan p;
	(void)state;

	side_init(&s, "l16");
	assert_int_equal(488, take(&s, &p, NULL, V4
		"m=audio 5000 RTP/AVP 96 97 11\r\n"
		"a=rtpmap:96 L16/16000/2\r\na=rtpmap:97 L16/44100\r\n"));
	assert_int_equal(0, take(&s, &p, NULL, V4
		"m=audio 5000 RTP/AVP 96\r\na=rtpmap:96 L16/16000/1\r\n"));
	codec_is(&p, "l16");
	nego_reset(&s.n);
}


/* A description without lines, or with refused ones only, asks for nothing
 * and gets it (RFC 3264 6, RFC 3725 4.4) */
static void nothing(void **state)
{
	struct side s;
	struct media_plan p;
	bool held = true;
	char *a, *o;
	(void)state;

	side_init(&s, "pcmu");
	a = answer(&s, &p, &held, V4);
	assert_null(p.codec);
	assert_false(held);
	hasnt(a, "m=");
	mem_deref(a);

	/* later there is a line */
	a = answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 0\r\n");
	codec_is(&p, "pcmu");
	has(a, "o=- 1000 1001 ");
	mem_deref(a);

	/* and it is taken away */
	a = answer(&s, &p, NULL, V4 "m=audio 0 RTP/AVP 0\r\n");
	assert_null(p.codec);
	has(a, "m=audio 0 RTP/AVP 0\r\n");
	has(a, "o=- 1000 1002 ");
	mem_deref(a);

	/* our own offer takes the slot again */
	o = offer(&s);
	has(o, "m=audio 4000 RTP/AVP 0 101\r\n");
	mem_deref(o);
	nego_reset(&s.n);

	/* no audio line at all: a new one */
	side_init(&s, "pcmu");
	a = answer(&s, &p, NULL, V4 "m=video 0 RTP/AVP 31\r\n");
	assert_null(p.codec);
	mem_deref(a);
	o = offer(&s);
	has(o, "m=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0 101\r\n");
	mem_deref(o);
	nego_reset(&s.n);
}


static void versions(void **state)
{
	static const char plain[] = V4 "m=audio 5000 RTP/AVP 0\r\n";
	struct side s;
	struct media_plan p;
	char *one, *two;
	(void)state;

	side_init(&s, "pcmu");
	one = offer(&s);
	has(one, "o=- 1000 1000 ");

	/* the same again is the same to the byte */
	two = offer(&s);
	assert_string_equal(one, two);
	mem_deref(two);

	s.ab.dir = MEDIA_SENDONLY;
	two = offer(&s);
	has(two, "o=- 1000 1001 ");
	mem_deref(two);

	s.ab.dir = MEDIA_SENDRECV;
	two = offer(&s);
	has(two, "o=- 1000 1002 ");
	mem_deref(two);
	mem_deref(one);
	nego_reset(&s.n);

	/* across digits */
	side_init(&s, "pcmu");
	s.n.id = s.n.version = 9;
	one = answer(&s, &p, NULL, plain);
	has(one, "o=- 9 9 ");
	two = answer(&s, &p, NULL, plain);
	assert_string_equal(one, two);
	mem_deref(two);
	s.ab.dir = MEDIA_SENDONLY;
	two = answer(&s, &p, NULL, plain);
	has(two, "o=- 9 10 ");
	has(two, "a=sendonly\r\n");
	mem_deref(one);
	mem_deref(two);
	nego_reset(&s.n);
}


static void rtcp(void **state)
{
	struct side s;
	struct media_plan p;
	char *a, *o;
	(void)state;

	side_init(&s, "pcmu");
	a = answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 0\r\n"
		   "a=rtcp:6001 IN IP4 192.0.2.77\r\n");
	assert_int_equal(6001, sa_port(&p.rtcp));
	hasnt(a, "rtcp");
	assert_false(p.rtcp_mux || p.rtcp_rsize);
	mem_deref(a);

	/* another family than the media's: none we could reach */
	mem_deref(answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 0\r\n"
			 "a=rtcp:6001 IN IP6 ::1\r\n"));
	assert_int_equal(AF_UNSPEC, sa_af(&p.rtcp));

	mem_deref(answer(&s, &p, NULL, V4 "m=audio 65535 RTP/AVP 0\r\n"));
	assert_int_equal(AF_UNSPEC, sa_af(&p.rtcp));

	a = answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 0\r\n"
		   "a=rtcp:6001\r\na=rtcp-mux\r\na=rtcp-rsize\r\n");
	has(a, "a=rtcp-mux\r\na=rtcp-rsize\r\n");
	assert_true(p.rtcp_mux && p.rtcp_rsize);
	assert_int_equal(5000, sa_port(&p.rtcp));
	mem_deref(a);

	/* it stays in later offers until the peer leaves it */
	o = offer(&s);
	has(o, "a=rtcp-mux\r\n");
	mem_deref(o);
	assert_int_equal(0, result(&s, &p, NULL, V4
				   "m=audio 5000 RTP/AVP 0\r\n"));
	assert_false(p.rtcp_mux);
	o = offer(&s);
	hasnt(o, "rtcp-mux");
	mem_deref(o);
	nego_reset(&s.n);
}


static void feedback_profile(void **state)
{
	struct side s;
	struct media_plan p;
	char *a;
	(void)state;

	side_init(&s, "pcmu");
	a = answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVPF 0\r\n"
		   "a=rtcp-fb:* nack\r\n");
	has(a, "m=audio 4000 RTP/AVPF 0\r\n");
	has(a, "a=rtcp-fb:* nack\r\n");
	assert_true(p.nack);
	codec_is(&p, "pcmu");
	mem_deref(a);
	a = offer(&s);
	has(a, "m=audio 4000 RTP/AVPF 0 101\r\n");
	has(a, "a=rtcp-fb:* nack\r\n");
	mem_deref(a);
	nego_reset(&s.n);
}


/* What is lost is asked for where both want that, of the codec that is spoken,
 * and where the profile knows of it */
static void feedback(void **state)
{
	static const struct {
		const char *lines, *answer;
	} v[] = {
		{ "RTP/AVPF 0 8\r\na=rtcp-fb:0 nack\r\n",
		  "a=rtcp-fb:0 nack\r\n" },
		{ "RTP/AVPF 0 8\r\na=rtcp-fb:8 nack\r\n", NULL },
		{ "RTP/AVPF 0 8\r\na=rtcp-fb:* nack pli\r\n", NULL },
		{ "RTP/AVPF 0 8\r\na=rtcp-fb:300 nack\r\na=rtcp-fb:\r\n",
		  NULL },
		{ "RTP/AVPF 0 8\r\na=rtcp-fb:* ack rpsi\r\n", NULL },
		{ "RTP/AVP 0 8\r\na=rtcp-fb:* nack\r\n", NULL },
	};
	struct side s;
	struct media_plan p;
	char *a;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		char sdp[300];

		side_init(&s, "pcmu,pcma");
		(void)snprintf(sdp, sizeof(sdp), V4 "m=audio 5000 %s",
			       v[i].lines);
		a = answer(&s, &p, NULL, sdp);
		assert_int_equal(p.nack, v[i].answer != NULL);
		if (v[i].answer)
			has(a, v[i].answer);
		else
			hasnt(a, "rtcp-fb");
		mem_deref(a);
		nego_reset(&s.n);
	}

	/* we offer it when we are told to; who answers without does without */
	side_init(&s, "pcmu");
	a = offer(&s);
	hasnt(a, "AVPF");
	hasnt(a, "rtcp-fb");
	mem_deref(a);
	nego_reset(&s.n);

	side_init(&s, "pcmu");
	s.ab.nack = true;
	a = offer(&s);
	has(a, "m=audio 4000 RTP/AVPF 0 101\r\n");
	has(a, "a=rtcp-fb:* nack\r\n");
	mem_deref(a);
	assert_int_equal(0, result(&s, &p, NULL, V4
		"m=audio 5000 RTP/AVPF 0\r\na=rtcp-fb:0 nack\r\n"));
	assert_true(p.nack);
	assert_int_equal(0, result(&s, &p, NULL, V4
				   "m=audio 5000 RTP/AVPF 0\r\n"));
	assert_false(p.nack);
	assert_int_equal(0, result(&s, &p, NULL, V4
		"m=audio 5000 RTP/AVP 0\r\na=rtcp-fb:* nack\r\n"));
	assert_false(p.nack);
	nego_reset(&s.n);

	side_init(&s, "pcmu");
	s.ab.nack = true;
	s.ab.secure.policy = SECURE_REQUIRE;
	s.ab.secure.sdes = true;
	a = offer(&s);
	has(a, "m=audio 4000 RTP/SAVPF 0 101\r\n");
	mem_deref(a);
	nego_reset(&s.n);
}


/* The peer's next offer moves our line elsewhere, or its sound */
static void later_offers(void **state)
{
	struct side s;
	struct media_plan p;
	char *a;
	(void)state;

	side_init(&s, "pcmu,pcma");
	mem_deref(answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 0\r\n"));

	a = answer(&s, &p, NULL, V4 "m=audio 0 RTP/AVP 0\r\n"
		   "m=audio 7000 RTP/AVP 8\r\n");
	has(a, "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 8\r\n");
	codec_is(&p, "pcma");
	mem_deref(a);

	/* the second line is ours now, though the first would do again */
	a = answer(&s, &p, NULL, V4 "m=audio 5000 RTP/AVP 0\r\n"
		   "m=audio 7000 RTP/AVP 8\r\n");
	has(a, "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 8\r\n");
	mem_deref(a);

	/* one we cannot take leaves everything as it was */
	assert_int_equal(488, take(&s, &p, NULL, V4
		"m=audio 5000 RTP/AVP 18\r\nm=audio 7000 RTP/AVP 18\r\n"));
	a = offer(&s);
	has(a, "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n");
	mem_deref(a);
	nego_reset(&s.n);
}


/* Two of us agree whatever the codecs */
static void both_ours(void **state)
{
	static const char *const lists[] = {
		"opus,g722,pcmu,pcma,l16", "pcma,opus", "l16", "pcmu",
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		for (size_t k = 0; k < COUNT_OF(lists); k++) {
			struct side a, b;
			struct media_plan pa, pb;
			struct mbuf *mb = NULL;
			char *o;
			int code;

			side_init(&a, lists[i]);
			side_init(&b, lists[k]);
			o = offer(&a);
			code = take(&b, &pb, NULL, o);
			mem_deref(o);

			if (!code) {
				assert_int_equal(0, nego_answer(&mb, &b.n,
								&b.ab));
				o = text(mb);
				assert_int_equal(0, result(&a, &pa, NULL, o));
				mem_deref(o);
				assert_ptr_equal(pa.codec, pb.codec);
				assert_int_equal(pa.pt_send, pb.pt_recv);
				assert_int_equal(pa.pt_recv, pb.pt_send);
				assert_int_equal(pa.te_send, pb.te_recv);
				assert_int_equal(pa.te_recv, pb.te_send);
				assert_true(pa.te_send >= 0);
				assert_int_equal(pa.te_clock_hz,
						 pa.codec->clock_hz);
				assert_true(plan_equal(&pa, &pa));
			}
			else {
				assert_int_equal(488, code);
				assert_null(strstr(lists[i], lists[k]));
				assert_null(strstr(lists[k], lists[i]));
			}

			nego_reset(&a.n);
			nego_reset(&b.n);
		}
	}
}


static void equal(void **state)
{
	struct side s;
	struct media_plan p, q;
	(void)state;

	side_init(&s, "pcmu,pcma");
	assert_int_equal(0, take(&s, &p, NULL, V4
				 "m=audio 5000 RTP/AVP 0 8\r\n"));
	q = p;
	assert_true(plan_equal(&p, &q));
	q.dir = MEDIA_SENDONLY;
	assert_false(plan_equal(&p, &q));
	q = p;
	sa_set_port(&q.rtp, 5002);
	assert_false(plan_equal(&p, &q));
	q = p;
	q.param.ptime_ms = 30;
	assert_false(plan_equal(&p, &q));
	q = p;
	q.also_recv[0] = 9;
	assert_false(plan_equal(&p, &q));
	nego_reset(&s.n);
}


/* Whatever comes: a status or an answer that we can read ourselves */
static void mutations(void **state)
{
	static const char good[] = V4
		"m=video 5002 RTP/AVP 31\r\n"
		"m=audio 5000 RTP/AVP 111 9 0 8 101 102\r\n"
		"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
		"a=rtpmap:102 telephone-event/48000\r\na=sendonly\r\n"
		"a=rtcp:5001\r\na=rtcp-mux\r\nc=IN IP4 192.0.2.9\r\n";
	static const char odd[] = "\r\n =:/\0\xff" "019vomca";
	const size_t len = sizeof(good) - 1;
	uint32_t seed = 7;
	unsigned taken = 0;
	(void)state;

	for (unsigned round = 0; round < 20000; round++) {
		struct media_plan p;
		struct mbuf *mb = NULL;
		struct side s;
		char *sdp = malloc(len);
		int code;

		memcpy(sdp, good, len);
		for (unsigned k = 0; k < 1 + round % 3; k++) {
			seed = seed * 1664525 + 1013904223;
			sdp[(seed >> 8) % len] = odd[(seed >> 4) %
						     (sizeof(odd) - 1)];
		}

		side_init(&s, "opus,pcmu,pcma,l16");
		code = nego_take(&p, NULL, &s.n, &s.ab, sdp, len);
		if (!code) {
			struct desc *d = NULL;

			++taken;
			assert_int_equal(0, nego_answer(&mb, &s.n, &s.ab));
			assert_int_equal(0, desc_read(&d, (char *)mb->buf,
						      mb->end));
			assert_int_equal(d->mediac, s.n.linec);
			mem_deref(d);
			mem_deref(mb);
			mb = NULL;
			assert_int_equal(0, nego_offer(&mb, &s.n, &s.ab));
		}
		else {
			assert_true(code == 400 || code == 488);
		}

		mem_deref(mb);
		nego_reset(&s.n);
		free(sdp);
	}

	assert_true(taken > 1000);
}


static void extras_agreed(void **state)
{
	struct side a, b;
	struct media_plan pa, pb;
	char *o, *w;
	(void)state;

	side_init(&a, "opus,pcmu,pcma");
	side_init(&b, "pcmu,pcma");
	a.ab.red = a.ab.cn = b.ab.red = b.ab.cn = true;

	/* behind all else, where nobody takes them for a codec */
	o = offer(&a);
	has(o, "m=audio 4000 RTP/AVP 96 0 8 97 101 13 99 98\r\n");
	has(o, "a=rtpmap:13 CN/8000\r\n");
	has(o, "a=rtpmap:99 red/8000\r\na=fmtp:99 0/0\r\n");
	has(o, "a=rtpmap:98 red/48000/2\r\na=fmtp:98 96/96\r\n");

	w = answer(&b, &pb, NULL, o);
	codec_is(&pb, "pcmu");
	assert_int_equal(pb.red_send, 99);
	assert_int_equal(pb.red_recv, 99);
	assert_int_equal(pb.cn_send, 13);
	assert_int_equal(pb.cn_recv, 13);
	has(w, "a=rtpmap:99 red/8000\r\n");
	hasnt(w, "red/48000");
	has(w, "a=rtpmap:13 CN/8000\r\n");

	assert_int_equal(result(&a, &pa, NULL, w), 0);
	assert_int_equal(pa.red_send, 99);
	assert_int_equal(pa.red_recv, 99);
	assert_int_equal(pa.cn_send, 13);
	assert_true(plan_equal(&pa, &pa));
	pb = pa;
	pb.red_send = 0;
	assert_false(plan_equal(&pa, &pb));

	mem_deref(o);
	mem_deref(w);
	nego_reset(&a.n);
	nego_reset(&b.n);
}


/* Opus has one of its own, with its clock and its channels, as browsers do */
static void extras_opus(void **state)
{
	static const char *const others[] = {
		"red/48000", "red/48000/1", "red/8000", "red/8000/2",
		"red/16000/2", "blue/48000/2",
	};
	struct side a, b;
	struct media_plan pa, pb;
	char *o, *w;
	(void)state;

	side_init(&a, "opus");
	side_init(&b, "opus,pcmu");
	a.ab.red = b.ab.red = true;

	o = offer(&a);
	has(o, "red/48000/2\r\n");
	hasnt(o, "red/8000");
	w = answer(&b, &pb, NULL, o);
	codec_is(&pb, "opus");
	has(w, "red/48000/2\r\n");
	assert_int_equal(result(&a, &pa, NULL, w), 0);
	assert_int_not_equal(pa.red_send, 0);
	assert_int_equal(pa.red_send, pb.red_recv);
	assert_int_equal(pa.red_recv, pb.red_send);
	mem_deref(o);
	mem_deref(w);
	nego_reset(&a.n);
	nego_reset(&b.n);

	/* a number of the peer's; it stays it in what we offer later */
	side_init(&b, "opus,pcmu");
	b.ab.red = true;
	w = answer(&b, &pb, NULL, V4 "m=audio 5000 RTP/AVP 111 63 0\r\n"
		   "a=rtpmap:111 opus/48000/2\r\n"
		   "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n");
	has(w, "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n");
	assert_int_equal(pb.red_send, 63);
	assert_int_equal(pb.red_recv, 63);
	mem_deref(w);
	o = offer(&b);
	has(o, "a=rtpmap:63 red/48000/2\r\n");
	mem_deref(o);
	nego_reset(&b.n);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char text[512];

		side_init(&b, "opus");
		b.ab.red = true;
		snprintf(text, sizeof(text), "%sm=audio 5000 RTP/AVP 111 63"
			 "\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 %s"
			 "\r\n", V4, others[i]);
		w = answer(&b, &pb, NULL, text);
		assert_int_equal(pb.red_send, 0);
		assert_int_equal(pb.red_recv, 0);
		hasnt(w, others[i]);
		mem_deref(w);
		nego_reset(&b.n);
	}
}


static void extras_not_agreed(void **state)
{
	struct side a, b;
	struct media_plan p;
	char *o, *w;
	(void)state;

	/* not wanted: not offered, and refused */
	side_init(&a, "pcmu");
	side_init(&b, "pcmu");
	o = offer(&a);
	hasnt(o, "red/8000");
	hasnt(o, "CN/8000");
	mem_deref(o);

	a.ab.red = a.ab.cn = true;
	o = offer(&a);
	w = answer(&b, &p, NULL, o);
	hasnt(w, "red/8000");
	hasnt(w, " 13");
	assert_int_equal(p.red_send, 0);
	assert_int_equal(p.cn_send, 0);
	assert_int_equal(result(&a, &p, NULL, w), 0);
	assert_int_equal(p.red_send, 0);
	assert_int_equal(p.red_recv, 0);
	assert_int_equal(p.cn_send, 0);
	mem_deref(o);
	mem_deref(w);
	nego_reset(&a.n);
	nego_reset(&b.n);

	/* for Opus neither is of use; CN under a number that is another's,
	 * and red at another clock, are not ours */
	side_init(&b, "opus,pcmu");
	b.ab.red = b.ab.cn = true;
	w = answer(&b, &p, NULL, V4 "m=audio 5000 RTP/AVP 96 13 121\r\n"
		   "a=rtpmap:96 opus/48000/2\r\na=rtpmap:121 red/8000\r\n");
	assert_int_equal(p.red_send, 0);
	assert_int_equal(p.cn_send, 0);
	mem_deref(w);
	nego_reset(&b.n);

	side_init(&b, "pcmu");
	b.ab.red = b.ab.cn = true;
	w = answer(&b, &p, NULL, V4 "m=audio 5000 RTP/AVP 0 13 121\r\n"
		   "a=rtpmap:13 CN/16000\r\na=rtpmap:121 red/48000\r\n");
	assert_int_equal(p.red_send, 0);
	assert_int_equal(p.cn_send, 0);
	mem_deref(w);
	nego_reset(&b.n);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offer_whole),
		cmocka_unit_test(two_lines),
		cmocka_unit_test(many_lines),
		cmocka_unit_test(refused),
		cmocka_unit_test(numbers),
		cmocka_unit_test(events),
		cmocka_unit_test(answers),
		cmocka_unit_test(directions),
		cmocka_unit_test(old_hold_address),
		cmocka_unit_test(old_hold_said),
		cmocka_unit_test(families),
		cmocka_unit_test(packet_time),
		cmocka_unit_test(g722),
		cmocka_unit_test(gsm),
		cmocka_unit_test(stereo_l16),
		cmocka_unit_test(nothing),
		cmocka_unit_test(versions),
		cmocka_unit_test(rtcp),
		cmocka_unit_test(feedback_profile),
		cmocka_unit_test(feedback),
		cmocka_unit_test(later_offers),
		cmocka_unit_test(both_ours),
		cmocka_unit_test(equal),
		cmocka_unit_test(mutations),
		cmocka_unit_test(extras_agreed),
		cmocka_unit_test(extras_opus),
		cmocka_unit_test(extras_not_agreed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
