/**
 * @file test_capture.c  Messages kept, told apart, drawn
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "offhook/capture.h"

#define INVITE								\
	"INVITE sip:bob@127.0.0.1:5080 SIP/2.0\r\n"			\
	"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"		\
	"i: one@here\r\n"						\
	"CSeq: 7 INVITE\r\n"						\
	"Subject: folded\r\n over two lines\r\n"			\
	"c: application/sdp\r\n"					\
	"\r\n"								\
	"v=0\r\n"							\
	"c=IN IP4 10.0.0.1\r\n"						\
	"m=audio 4000 RTP/SAVP 96 0 101\r\n"				\
	"c=IN IP4 10.0.0.2\r\n"						\
	"a=rtpmap:96 opus/48000/2\r\n"					\
	"a=rtpmap:101 telephone-event/8000\r\n"				\
	"a=crypto:1 AES inline:xxx\r\n"					\
	"a=sendonly\r\n"						\
	"m=video 9 RTP/AVP 99\r\n"					\
	"a=inactive\r\n"
#define BUSY								\
	"SIP/2.0 486 Busy \x1b[31mHere\r\n"				\
	"Call-ID: one@here\r\n"						\
	"CSeq: 7 INVITE\r\n"						\
	"\r\n"
#define OPTIONS								\
	"OPTIONS sip:x SIP/2.0\r\nCall-ID: two@here\r\n"		\
	"CSeq: 1 OPTIONS\r\n\r\n"

static struct sa us, bob, carol;


static struct capture *make(size_t messages, size_t bytes)
{
	const struct capture_limits lim = { messages, bytes };
	struct capture *c = NULL;

	assert_int_equal(capture_alloc(&c, &lim), 0);
	(void)sa_set_str(&us, "127.0.0.1", 5060);
	(void)sa_set_str(&bob, "127.0.0.1", 5080);
	(void)sa_set_str(&carol, "127.0.0.1", 5090);

	return c;
}


static void put(struct capture *c, uint64_t t, bool tx, const struct sa *peer,
		const char *text)
{
	capture_sip_at(c, t, tx, SIP_TRANSP_UDP, &us, peer, text,
		       strlen(text));
}


static void reads(void **state)
{
	struct capture *c = make(10, 1 << 20);
	const struct capture_msg *m;
	char text[400];
	(void)state;

	put(c, 1000, true, &bob, INVITE);
	m = capture_next(c, NULL);
	assert_non_null(m);
	assert_int_equal(m->seq, 1);
	assert_string_equal(m->method, "INVITE");
	assert_string_equal(m->callid, "one@here");
	assert_int_equal(m->cseq, 7);
	assert_int_equal(m->code, 0);
	assert_true(m->sdp && m->tx && !m->again);

	capture_sdp(text, sizeof(text), m);
	assert_string_equal(text, "opus pcmu 10.0.0.2:4000 sendonly sdes");
	assert_int_equal(capture_header(text, sizeof(text), m, "subject", 0),
			 0);
	assert_string_equal(text, "folded over two lines");
	assert_int_equal(capture_header(text, sizeof(text), m, "Subject", 1),
			 ENOENT);
	assert_int_equal(capture_header(text, 4, m, "Subject", 0), EOVERFLOW);

	put(c, 2000, false, &bob, BUSY);
	m = capture_next(c, m);
	assert_int_equal(m->code, 486);
	assert_string_equal(m->method, "INVITE");
	assert_false(m->sdp);
	assert_null(capture_next(c, m));
	assert_ptr_equal(capture_prev(c, NULL), m);
	assert_ptr_equal(capture_find(c, 2), m);
	assert_null(capture_find(c, 3));

	mem_deref(c);
}


#define HEAD(type) "INVITE sip:a@b SIP/2.0\r\nCall-ID: two@here\r\n" \
	"CSeq: 1 INVITE\r\nContent-Type: " type "\r\n\r\n"
#define SDP "v=0\r\nc=IN IP4 10.0.0.9\r\nm=audio 4100 RTP/AVP 8\r\n"
#define PART "--x\r\nContent-Type: application/sdp\r\n\r\n" SDP
#define ISUP "--x\r\nContent-Type: application/isup\r\n\r\n" SDP

/* One description among several parts, however it is wrapped */
static void parts(void **state)
{
	static const struct {
		const char *text;
		bool found;
	} v[] = {
		{ HEAD("application/sdp;charset=utf-8") SDP, true },
		{ HEAD("APPLICATION/SDP") SDP, true },
		{ HEAD("application/sdpx") SDP, false },
		{ HEAD("multipart/mixed;boundary=x") ISUP PART "--x--", true },
		{ HEAD("Multipart/Mixed ; a=b; Boundary=\"x\" ;c") "before\r\n"
		  PART ISUP, true },
		{ HEAD("multipart/mixed;boundary=x") ISUP "--x--", false },
		{ HEAD("multipart/mixed;boundary=y") PART, false },
		{ HEAD("multipart/mixed") PART, false },
		{ HEAD("multipart/mixed;boundary=") PART, false },
		{ HEAD("multipart/mixed;boundary=x") "--x\r\n"
		  "Content-Type: application/sdp\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n" SDP, false },
		{ HEAD("multipart/mixed;boundary=z") "--z\r\nContent-Type: "
		  "multipart/alternative;boundary=x\r\n\r\n" PART "--x--\r\n"
		  "--z--", true },
		{ HEAD("multipart/mixed;boundary=x") "--x", false },
		{ HEAD("multipart/mixed;boundary=x") "--x\r\n--x\r\n--x--\r\n",
		  false },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct capture *c = make(10, 1 << 20);
		const struct capture_msg *m;
		char text[100];

		put(c, 1000, true, &bob, v[i].text);
		m = capture_next(c, NULL);
		assert_int_equal(m->sdp, v[i].found);
		capture_sdp(text, sizeof(text), m);
		assert_string_equal(text, v[i].found ? "pcma 10.0.0.9:4100 sendrecv" :
				    "");
		mem_deref(c);
	}
}


/* The same bytes the same way; not those of the other side */
static void again(void **state)
{
	struct capture *c = make(10, 1 << 20);
	const struct capture_msg *m;
	(void)state;

	put(c, 1, true, &bob, INVITE);
	put(c, 2, true, &bob, INVITE);
	put(c, 3, false, &bob, INVITE);
	put(c, 4, true, &carol, OPTIONS);

	m = capture_next(c, NULL);
	assert_false(m->again);
	m = capture_next(c, m);
	assert_true(m->again);
	m = capture_next(c, m);
	assert_false(m->again);
	m = capture_next(c, m);
	assert_false(m->again);

	mem_deref(c);
}


static void calls(void **state)
{
	struct capture *c = make(10, 1 << 20);
	const struct capture_msg *m;
	(void)state;

	put(c, 1, true, &bob, INVITE);
	put(c, 2, true, &carol, OPTIONS);
	capture_bind(c, "one@here", 3);
	capture_bind(c, "nobody@here", 4);
	put(c, 3, false, &bob, BUSY);

	m = capture_next(c, NULL);
	assert_int_equal(m->call, 3);
	m = capture_next(c, m);
	assert_int_equal(m->call, 0);
	m = capture_next(c, m);
	assert_int_equal(m->call, 3);

	mem_deref(c);
}


/* Neither more messages nor more bytes than that; the oldest go */
static void bounded(void **state)
{
	struct capture *c = make(3, 1 << 20);
	struct capture_stats st;
	(void)state;

	for (unsigned i = 0; i < 100; i++) {
		char text[200];

		snprintf(text, sizeof(text), "OPTIONS sip:x SIP/2.0\r\n"
			 "Call-ID: %u@x\r\nCSeq: %u OPTIONS\r\n\r\n", i, i);
		put(c, i + 1, true, &bob, text);
	}
	capture_stats(c, &st);
	assert_int_equal(st.messages, 3);
	assert_int_equal(st.seen, 100);
	assert_int_equal(st.dropped, 97);
	assert_int_equal(capture_next(c, NULL)->seq, 98);
	mem_deref(c);

	c = make(1000, 20000);
	for (unsigned i = 0; i < 100; i++)
		put(c, i + 1, true, &bob, INVITE);
	capture_stats(c, &st);
	assert_true(st.bytes <= 20000 && st.messages > 5 &&
		    st.messages < 100);
	mem_deref(c);

	/* one that is larger than all */
	c = make(1000, 200);
	put(c, 1, true, &bob, INVITE);
	capture_stats(c, &st);
	assert_int_equal(st.messages, 0);
	assert_int_equal(st.bytes, 0);
	mem_deref(c);
}


static void tapped(const struct capture_msg *m, void *arg)
{
	char *heard = arg;

	snprintf(heard + strlen(heard), 100, "%s %u;", m->method, m->code);
}


static void taps(void **state)
{
	struct capture *c = make(2, 1 << 20);
	struct capture_tap *t = NULL;
	char heard[400] = "";
	(void)state;

	assert_int_equal(capture_listen(&t, c, tapped, heard), 0);
	put(c, 1, true, &bob, INVITE);
	put(c, 2, false, &bob, BUSY);
	mem_deref(t);
	put(c, 3, false, &bob, BUSY);
	assert_string_equal(heard, "INVITE 0;INVITE 486;");

	mem_deref(c);
}


/* What is no SIP is kept as it is, and nothing is read from it */
static void garbage(void **state)
{
	static const char *const texts[] = {
		"", "\r\n\r\n", "SIP/2.0", "SIP/2.0 9999 x\r\n\r\n",
		"SIP/2.0 200\r\nCSeq", "INVITE\r\nCSeq: 1 INVITE\r\n\r\n",
		"A b SIP/2.0\r\nCSeq: 99999999999 \r\nCall-ID:\r\n\r\n",
		"A b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n"
		"m=audio \r\n",
		"A b SIP/2.0\nc: application/sdp\n\nm=audio 1 RTP/AVP 0 0 0\n"
		"a=rtpmap:\na=rtpmap:0\nc=IN IP",
	};
	struct capture *c = make(100, 1 << 20);
	const struct capture_msg *m = NULL;
	struct text_buf b = { 0 };
	char text[400];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		put(c, i + 1, i & 1, &bob, texts[i]);

	while ((m = capture_next(c, m))) {
		capture_label(text, sizeof(text), m);
		capture_sdp(text, sizeof(text), m);
		(void)capture_header(text, sizeof(text), m, "Via", 0);
	}
	assert_int_equal(ladder_print(&b, c, 0), ARRAY_SIZE(texts));

	text_buf_reset(&b);
	mem_deref(c);
}


static void ladder(void **state)
{
	struct capture *c = make(100, 1 << 20);
	struct text_buf b = { 0 };
	char arrow[64];
	(void)state;

	assert_int_equal(ladder_print(&b, c, 0), 0);

	put(c, 1000000, true, &bob, INVITE);
	put(c, 1500000, true, &bob, INVITE);
	put(c, 2000000, true, &carol, OPTIONS);
	put(c, 3000000, false, &bob, BUSY);
	capture_note(c, 4000000, 1, "key 5 received");
	capture_bind(c, "one@here", 1);

	assert_int_equal(ladder_print(&b, c, 0), 5);
	assert_non_null(strstr(b.s, "127.0.0.1:5060"));
	assert_non_null(strstr(b.s, "127.0.0.1:5090"));
	assert_non_null(strstr(b.s, "00:00:01.000     0.000  |"
			       "---------- INVITE ---------->|"));
	assert_non_null(strstr(b.s, "00:00:01.500     0.500  |"
			       ".......... INVITE ..........>|"));
	assert_non_null(strstr(b.s, "|-----------------------------+"
			       "---------- OPTIONS --------->|"));
	assert_non_null(strstr(b.s, "|<--- 486 Busy ?[31mHere -----|"));
	assert_non_null(strstr(b.s, "opus pcmu 10.0.0.2:4000 sendonly sdes"));
	assert_non_null(strstr(b.s, "key 5 received"));
	assert_null(strchr(b.s, '\x1b'));
	text_buf_reset(&b);

	/* one call alone */
	assert_int_equal(ladder_print(&b, c, 1), 4);
	assert_null(strstr(b.s, "OPTIONS"));
	assert_null(strstr(b.s, "5090"));
	text_buf_reset(&b);

	ladder_arrow(arrow, sizeof(arrow), capture_next(c, NULL), 20);
	assert_string_equal(arrow, "|----- INVITE ---->|");

	mem_deref(c);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads), cmocka_unit_test(parts),
		cmocka_unit_test(again),
		cmocka_unit_test(calls),
		cmocka_unit_test(bounded),
		cmocka_unit_test(taps),
		cmocka_unit_test(garbage),
		cmocka_unit_test(ladder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
