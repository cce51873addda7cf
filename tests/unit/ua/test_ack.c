/**
 * @file test_ack.c  A caller that never sends its ACK
 *
 * A bare socket: it sends what the test says and keeps silent otherwise.
 */
#include "rig.h"
#include "../../../src/sip/priv.h"


static struct udp_sock *sock;
static struct sa here;
static unsigned answers;         /* 200 that came */
static unsigned probes;          /* OPTIONS that came */
static char to_tag[128];


static void recv_handler(const struct sa *src, struct mbuf *mb, void *arg)
{
	struct pl tag;
	(void)src;
	(void)arg;

	if (!re_regex((char *)mbuf_buf(mb), mbuf_get_left(mb),
		      "OPTIONS sip:"))
		++probes;

	if (re_regex((char *)mbuf_buf(mb), mbuf_get_left(mb),
		     "SIP/2.0 200 OK"))
		return;

	if (!re_regex((char *)mbuf_buf(mb), mbuf_get_left(mb),
		      "\r\nTo: [^;]+;tag=[^\r;]+", NULL, &tag))
		(void)pl_strcpy(&tag, to_tag, sizeof(to_tag));
	++answers;
}


static int setup(void **state)
{
	int err = rig_setup(state);

	answers = probes = 0;
	to_tag[0] = '\0';
	if (!err)
		err = sa_set_str(&here, "127.0.0.1", 0);
	if (!err)
		err = udp_listen(&sock, &here, recv_handler, NULL);
	if (!err)
		err = udp_local_get(sock, &here);

	return err;
}


static int teardown(void **state)
{
	sock = mem_deref(sock);

	return rig_teardown(state);
}


#define ACK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void send_request(const char *method, const char *body)
{
	struct mbuf *mb = mbuf_alloc(1024);
	const char *tag = strcmp(method, "INVITE") ? to_tag : "";

	assert_non_null(mb);
	assert_int_equal(0, mbuf_printf(mb, "%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP %J;branch=z9hG4bK%s\r\n"
		"Max-Forwards: 70\r\n"
		"From: <sip:x@%J>;tag=x\r\n"
		"To: <%s>%s%s\r\n"
		"Call-ID: never-acked\r\n"
		"CSeq: 1 %s\r\n"
		"Contact: <sip:x@%J>\r\n"
		"%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, bob.uri, &here, method, &here, bob.uri,
		tag[0] ? ";tag=" : "", tag, method, &here,
		body[0] ? "Content-Type: application/sdp\r\n" : "",
		strlen(body), body));
	mb->pos = 0;
	assert_int_equal(0, udp_send(sock, &bob.addr, mb));
	mem_deref(mb);
}


static void invite(void)
{
	send_request("INVITE", "v=0\r\no=x 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
		     "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		     "m=audio 30000 RTP/AVP 0\r\n");
}


static void answer_at_once(struct phone *p, struct call *c)
{
	(void)p;
	assert_int_equal(0, call_answer(c, said));
}


/* After 64*T1 it ends, and is told what happened */
static void never(void **state)
{
	const struct call_record *r;
	(void)state;

	ua_sip(bob.ua)->t1_ms = 5;
	bob.incoming = answer_at_once;
	invite();
	await("bob call.state 1 active in 200");
	await("bob call.state 1 ended in 408 timeout local");
	assert_true(answers > 2);

	assert_string_equal("our answer was never confirmed (no ACK)",
			    bob.reason);
	assert_non_null(strstr(bob.verdict, ": our answer was never"));
	r = ua_call_record(bob.ua, 1);
	assert_int_equal(9, call_record_exit(r));
	assert_string_equal("timeout", call_record_cause(r));
}


/* Until the ACK nobody knows whether the caller is who is named as the place
 * for our sound: none goes there */
static void unproven(void **state)
{
	struct stream *s;
	(void)state;

	bob.incoming = answer_at_once;
	invite();
	await("bob call.state 1 active in 200");
	s = fake_stream(0);
	assert_int_equal(30000, sa_port(&fake_plan(s)->rtp));
	assert_true(fake_plan(s)->unproven);
	await_count(&answers, 1);
	assert_true(fake_plan(s)->unproven);

	/* nor is it proven by what changes meanwhile */
	assert_int_equal(0, call_mute(call_of(&bob, 1), true, said));
	assert_true(fake_plan(s)->unproven);

	send_request("ACK", "");
	await_none("bob call.state 1 ended");
	assert_false(fake_plan(s)->unproven);
	assert_int_equal(1, fake_starts(s));
}


/* Who is not heard is asked whether he is there, but not before his ACK */
static void silence(void **state)
{
	const struct stream_event quiet = { .type = STREAM_TIMEOUT };
	(void)state;

	bob.conf->rtp_timeout_ms = 10;
	bob.incoming = answer_at_once;
	invite();
	await("bob call.state 1 active in 200");
	await_count(&answers, 1);
	fake_event(fake_stream(0), &quiet);
	await_none("bob call.state 1 ended");
	assert_int_equal(0, probes);

	send_request("ACK", "");
	await_count(&probes, 1);
}


/* Whom we call has answered: so he is there */
static void caller(void **state)
{
	(void)state;

	bob.incoming = answer_at_once;
	dial(&alice, bob.uri);
	await("alice call.state 1 active out");
	assert_false(fake_plan(fake_stream(0))->unproven);
	assert_int_equal(1, fake_starts(fake_stream(0)));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		ACK_TEST(never),
		ACK_TEST(unproven),
		ACK_TEST(silence),
		ACK_TEST(caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
