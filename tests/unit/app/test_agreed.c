/**
 * @file test_agreed.c  Offer and answer, found and compared
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "offhook/agreed.h"

#define HEAD(first, cseq)						\
	first "\r\nCall-ID: one@here\r\nCSeq: " cseq "\r\n"		\
	"Content-Type: application/sdp\r\n\r\n"
#define INVITE(n) HEAD("INVITE sip:bob@x SIP/2.0", n " INVITE")
#define OK(n)     HEAD("SIP/2.0 200 OK", n " INVITE")
#define ACK(n)    HEAD("ACK sip:bob@x SIP/2.0", n " ACK")

static struct capture *cap;
static char all[4000];


static int setup(void **state)
{
	const struct capture_limits lim = { 100, 1 << 20 };
	(void)state;

	return capture_alloc(&cap, &lim);
}


static int teardown(void **state)
{
	(void)state;
	cap = mem_deref(cap);

	return 0;
}


static void put(bool tx, const char *head, const char *body)
{
	static uint64_t now;
	char text[4000];
	struct sa us, bob;

	(void)sa_set_str(&us, "127.0.0.1", 5060);
	(void)sa_set_str(&bob, "127.0.0.1", 5080);
	(void)snprintf(text, sizeof(text), "%s%s", head, body);
	capture_sip_at(cap, now += 1000, tx, SIP_TRANSP_UDP, &us, &bob, text,
		       strlen(text));
	capture_bind(cap, "one@here", 1);
}


static void line_h(const struct agreed_line *l, void *arg)
{
	const size_t used = strlen(all);
	(void)arg;

	(void)snprintf(all + used, sizeof(all) - used, "%u%c%.*s|", l->media,
		       agreed_side_name(l->side)[0], (int)l->len, l->text);
}


static const char *compared(void)
{
	struct agreed a;

	*all = '\0';
	if (agreed_find(&a, cap, 1))
		agreed_compare(&a, line_h, NULL);

	return all;
}


static void test_compare(void **state)
{
	(void)state;

	assert_string_equal(compared(), "");
	put(true, INVITE("1"), "v=0\r\no=- 1\r\nm=audio 4000 RTP/AVP 0 8\r\n"
	    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
	    "a=sendrecv\r\nm=video 4002 RTP/AVP 99\r\n");
	assert_string_equal(compared(), "0ov=0|0oo=- 1|1om=audio 4000 RTP/AVP "
			    "0 8|1oa=rtpmap:0 PCMU/8000|1oa=rtpmap:8 PCMA/8000"
			    "|1oa=ptime:20|1oa=sendrecv|2om=video 4002 RTP/AVP"
			    " 99|");
	put(false, OK("1"), "v=0\r\no=x 9\r\nm=audio 7000 RTP/AVP 0\r\n"
	    "c=IN IP4 1.2.3.4\r\na=rtpmap:0 PCMU/8000\r\na=ptime:30\r\n"
	    "a=sendrecv\r\nm=video 0 RTP/AVP 99\r\n");
	assert_string_equal(compared(), "0bv=0|0oo=- 1|0ao=x 9|"
			    "1om=audio 4000 RTP/AVP 0 8|"
			    "1am=audio 7000 RTP/AVP 0|1ba=rtpmap:0 PCMU/8000|"
			    "1oa=rtpmap:8 PCMA/8000|1oa=ptime:20|1aa=ptime:30|"
			    "1ba=sendrecv|1ac=IN IP4 1.2.3.4|"
			    "2om=video 4002 RTP/AVP 99|"
			    "2am=video 0 RTP/AVP 99|");
}


/* Which two belong together */
static void test_pairs(void **state)
{
	struct agreed a;
	struct text_buf b = { .max = 4000 };
	(void)state;

	/* the 200 says what the 183 said */
	put(true, INVITE("1"), "v=0\r\ns=1\r\n");
	put(false, HEAD("SIP/2.0 183 x", "1 INVITE"), "v=0\r\ns=2\r\n");
	put(false, OK("1"), "v=0\r\ns=2\r\n");
	assert_string_equal(compared(), "0bv=0|0os=1|0as=2|");

	/* theirs, with another offer that nobody has answered behind it */
	put(false, INVITE("7"), "v=0\r\ns=3\r\n");
	put(true, OK("7"), "v=0\r\ns=4\r\n");
	put(true, INVITE("2"), "v=0\r\ns=5\r\n");
	assert_string_equal(compared(), "0bv=0|0os=3|0as=4|");
	assert_true(agreed_find(&a, cap, 1));
	assert_true(!a.offer->tx && a.answer->tx);

	/* the offer is in the 200, its answer in the ACK */
	put(false, OK("2"), "v=0\r\ns=6\r\n");
	put(false, OK("3"), "v=0\r\ns=7\r\n");
	put(true, ACK("3"), "v=0\r\ns=8\r\n");
	assert_string_equal(compared(), "0bv=0|0os=7|0as=8|");

	assert_true(agreed_find(&a, cap, 1));
	agreed_print(&b, &a);
	assert_int_equal(b.err, 0);
	assert_non_null(strstr(b.s, "- offer : theirs, 200 OK of "));
	assert_non_null(strstr(b.s, "+ answer: ours, ACK of "));
	assert_non_null(strstr(b.s, "\n  v=0\n- s=7\n+ s=8\n"));
	text_buf_reset(&b);

	assert_false(agreed_find(&a, cap, 2));
	assert_false(agreed_find(&a, cap, 0));
	assert_false(agreed_find(&a, NULL, 1));
}


/* Whatever a stranger sends */
static void test_odd(void **state)
{
	char body[8000] = "";
	struct agreed a;
	(void)state;

	put(true, INVITE("1"), "m=\r\na=\r\na\r\n\r\n\r\nx");
	for (size_t i = 0; i < 3000; i += 3)
		memcpy(body + i, "m=\n", 4);
	put(false, OK("1"), body);
	assert_true(agreed_find(&a, cap, 1));
	assert_true(strlen(compared()) > 100);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_compare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
