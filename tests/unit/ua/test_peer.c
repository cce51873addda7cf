/**
 * @file test_peer.c  A user agent and a peer that does what it likes
 */
#include "rig.h"
#include "fake/ident.h"


#define HEAD "v=0\r\no=carol 1 1 IN IP4 127.0.0.1\r\ns=-\r\n" \
	"c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
#define PLAIN HEAD "m=audio 30000 RTP/AVP 0\r\n"


static int setup(void **state)
{
	const int err = rig_setup(state);

	if (!err)
		peer_start();

	return err;
}


#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)


static void answer_at_once(struct phone *p, struct call *c)
{
	(void)p;
	assert_int_equal(0, call_answer(c, said));
}


/* 183 with SDP: sound before the answer; 180 after it takes nothing away */
static void early_media(void **state)
{
	struct call *a;
	struct stream *s;
	struct mbuf *mb;
	(void)state;

	carol.early = PLAIN;
	carol.ring = true;
	dial(&alice, carol.uri);
	a = call_of(&alice, 1);
	assert_int_equal(0, call_play(a, "/dev/null", false, said));
	await("alice call.media 1 pcmu sendrecv");
	await("alice call.state 1 early out 183");

	/* a 180 after it takes no sound away */
	await_none("alice call.state 1 ringing");

	s = fake_stream(0);
	assert_int_equal(1, fake_starts(s));
	assert_int_equal(30000, sa_port(&fake_plan(s)->rtp));
	assert_false(call_was_active(a));

	/* a file waits for somebody to hear it; digits do not */
	assert_int_equal(EALREADY, call_play(a, "/dev/null", false, said));
	assert_int_equal(ENOTSUP, call_dtmf(a, "1", said));
	assert_non_null(strstr(said, "takes no digits"));

	/* the 2xx repeats the answer: nothing is started twice */
	mb = mbuf_alloc(512);
	assert_int_equal(0, mbuf_write_str(mb, PLAIN));
	mb->pos = 0;
	assert_int_equal(0, sip_call_answer(carol.call, mb));
	mem_deref(mb);
	await("alice call.state 1 active out 200");
	assert_int_equal(1, fake_starts(s));
	fake_play_end(s);
	await("alice play.done 1 done");

	sip_call_hangup(carol.call, 0, NULL);
	await("alice call.state 1 ended out 200 none remote");
}


/* What is early may end: the answer brings something else */
static void early_changes(void **state)
{
	(void)state;

	carol.early = PLAIN;
	carol.answer = HEAD "m=audio 30002 RTP/AVP 8 101\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n";
	dial(&alice, carol.uri);
	await("alice call.media 1 pcma recvonly");
	await("alice call.state 1 active out 200");
	assert_int_equal(30002, sa_port(&fake_plan(fake_stream(0))->rtp));
	assert_true(call_held_remote(call_of(&alice, 1)));
}


static void unusable_answer(void **state)
{
	static const char *const answers[] = {
		"hello", HEAD, HEAD "m=audio 0 RTP/AVP 0\r\n",
		HEAD "m=audio 30000 RTP/AVP 18\r\n",
		HEAD "m=audio 30000 RTP/SAVP 0\r\n",
	};
	const char *const malformed = "the answer is malformed";
	const char *const useless = "the answer has nothing we can use";
	(void)state;

	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		char want[320];

		carol.answer = answers[i];
		(void)snprintf(want, sizeof(want),
			       "alice call.state %u ended out 488 media local",
			       i + 1);
		dial(&alice, carol.uri);
		await(want);
		assert_string_equal(i ? useless : malformed, alice.reason);
		(void)snprintf(want, sizeof(want), "No common media: %s.",
			       alice.reason);
		assert_string_equal(want, alice.verdict);
		assert_int_equal(SIP_CAUSE_MEDIA,
			ua_call_record(alice.ua, i + 1)->result.cause);
		assert_int_equal(8, call_record_exit(
			ua_call_record(alice.ua, i + 1)));
		assert_false(ua_call_record(alice.ua, i + 1)->was_active);
		await_count(&carol.closed, i + 1);   /* it got its BYE */
		carol.call = mem_deref(carol.call);
	}
}


/* The INVITE has no offer: ours is in the 200, the answer in the ACK */
static void late_offer_in(void **state)
{
	struct call *b;
	(void)state;

	carol.answer = HEAD "m=audio 30000 RTP/AVP 8\r\n";
	peer_call(&bob, NULL);
	await("bob call.state 1 incoming in");
	b = call_of(&bob, 1);
	assert_string_equal("Carol ?", call_peer_name(b));
	assert_string_equal(carol.uri, call_peer(b));

	assert_int_equal(0, call_answer(b, said));
	await("bob call.state 1 active in 200");
	await("bob call.media 1 pcma sendrecv");
	assert_non_null(strstr(carol.sdp, "m=audio "));
	assert_non_null(strstr(carol.sdp, " RTP/AVP 0 8 101\r\n"));
	assert_int_equal(30000, sa_port(&call_plan(b)->rtp));
}


static void late_offer_unusable(void **state)
{
	(void)state;

	carol.answer = HEAD "m=audio 30000 RTP/AVP 18\r\n";
	peer_call(&bob, NULL);
	bob.incoming = answer_at_once;
	await("bob call.state 1 ended in 488 media local");
	assert_non_null(strstr(bob.verdict, "nothing we can use"));
	assert_int_equal(8, call_record_exit(ua_call_record(bob.ua, 1)));
}


/* Offers in mid-call: with SDP, without it, of no use */
static void reoffers(void **state)
{
	struct stream *s;
	struct mbuf *mb;
	(void)state;

	bob.incoming = answer_at_once;
	peer_call(&bob, PLAIN);
	await("bob call.media 1 pcmu sendrecv");
	await_count(&carol.established, 1);
	s = fake_stream(0);

	/* another address, another codec */
	mb = mbuf_alloc(512);
	assert_int_equal(0, mbuf_write_str(mb, HEAD
		"m=audio 31000 RTP/AVP 8\r\nc=IN IP4 127.0.0.2\r\n"));
	mb->pos = 0;
	assert_int_equal(0, sip_call_modify(carol.call, mb));
	mem_deref(mb);
	await("bob call.media 1 pcma sendrecv");
	assert_int_equal(31000, sa_port(&fake_plan(s)->rtp));

	/* old-style hold */
	mb = mbuf_alloc(512);
	assert_int_equal(0, mbuf_write_str(mb, HEAD
		"m=audio 31000 RTP/AVP 8\r\nc=IN IP4 0.0.0.0\r\n"));
	mb->pos = 0;
	assert_int_equal(0, sip_call_modify(carol.call, mb));
	mem_deref(mb);
	await("bob call.hold 1 - remote");
	assert_int_equal(MEDIA_RECVONLY, fake_plan(s)->dir);

	/* the line is taken away, the call rests */
	mb = mbuf_alloc(512);
	assert_int_equal(0, mbuf_write_str(mb, HEAD
		"m=audio 0 RTP/AVP 8\r\n"));
	mb->pos = 0;
	assert_int_equal(0, sip_call_modify(carol.call, mb));
	mem_deref(mb);
	await("bob call.media 1 pcma inactive");
	assert_int_equal(CALL_ACTIVE, call_state(call_of(&bob, 1)));

	/* none of ours: refused, and all stays */
	await_count(&carol.results, 4);
	mb = mbuf_alloc(512);
	assert_int_equal(0, mbuf_write_str(mb, HEAD
		"m=audio 31000 RTP/AVP 18\r\n"));
	mb->pos = 0;
	assert_int_equal(0, sip_call_modify(carol.call, mb));
	mem_deref(mb);
	await_none("bob call.media");
	assert_int_equal(CALL_ACTIVE, call_state(call_of(&bob, 1)));

	/* she asks for our offer: the whole of it */
	carol.answer = PLAIN;
	assert_int_equal(0, sip_call_modify(carol.call, NULL));
	await("bob call.media 1 pcmu sendrecv");
	assert_non_null(strstr(carol.sdp, " RTP/AVP 0 8 101\r\n"));
}


static void hold_refused(void **state)
{
	struct call *a;
	(void)state;

	carol.answer = PLAIN;
	dial(&alice, carol.uri);
	await("alice call.state 1 active");
	a = call_of(&alice, 1);

	carol.reoffer_status = 488;
	assert_int_equal(0, call_hold(a, said));
	assert_int_equal(SOURCE_SILENCE, fake_source(fake_stream(0)));
	await("alice call.hold 1 - - 488 status");
	assert_false(call_held(a));
	assert_int_equal(SOURCE_DEVICE, fake_source(fake_stream(0)));

	carol.reoffer_status = 0;
	carol.answer = HEAD "m=audio 30000 RTP/AVP 0\r\na=recvonly\r\n";
	assert_int_equal(0, call_hold(a, said));
	await("alice call.hold 1 local - 0 \n");
	assert_non_null(strstr(carol.sdp, "a=sendonly\r\n"));

	/* resume refused: held as before */
	carol.reoffer_status = 488;
	assert_int_equal(0, call_resume(a, said));
	await("alice call.hold 1 local - 488 status");
	assert_true(call_held(a));
	assert_int_equal(SOURCE_SILENCE, fake_source(fake_stream(0)));
}


/* Nothing is heard: as long as the peer is there the call goes on */
static void silence(void **state)
{
	const struct stream_event quiet = { .type = STREAM_TIMEOUT };
	const struct stream_event back = { .type = STREAM_RESUMED };
	(void)state;

	alice.conf->rtp_timeout_ms = 10;
	carol.answer = PLAIN;
	dial(&alice, carol.uri);
	await("alice call.state 1 active");
	fake_event(fake_stream(0), &quiet);
	await_none("alice call.state 1 ended");
	fake_event(fake_stream(0), &back);

	/* without her */
	carol.call = mem_deref(carol.call);
	await("alice call.state 1 ended");
	dial(&alice, carol.uri);
	await("alice call.state 2 active");
	peer_stop();
	fake_event(fake_stream(0), &quiet);
	await("alice call.state 2 ended out 408 timeout local");
	assert_int_equal(9, call_record_exit(ua_call_record(alice.ua, 2)));
	assert_int_equal(0, strncmp("Broken off after ", alice.verdict, 17));
	assert_non_null(strstr(alice.verdict, ": the other side is gone"));
	assert_int_equal(0, strncmp("the other side is gone", alice.reason,
				    22));
}


/* Its sound comes from elsewhere, and ours is cut: whoever watches is told */
static void moved(void **state)
{
	const struct stream_event loud = { .type = STREAM_CLIPPED };
	struct stream_event ev = { .type = STREAM_MOVED };
	(void)state;

	assert_int_equal(0, sa_set_str(&ev.from, "198.51.100.7", 4000));
	assert_int_equal(0, sa_set_str(&ev.was, "192.0.2.1", 10018));
	carol.answer = PLAIN;
	dial(&alice, carol.uri);
	await("alice call.state 1 active");
	fake_event(fake_stream(0), &loud);
	await("alice call.clipped 1");
	fake_event(fake_stream(0), &ev);
	await("alice call.moved 1 198.51.100.7:4000 192.0.2.1:10018");
}


/* On hold nothing is to be heard */
static void silence_on_hold(void **state)
{
	const struct stream_event quiet = { .type = STREAM_TIMEOUT };
	(void)state;

	carol.answer = HEAD "m=audio 30000 RTP/AVP 0\r\na=recvonly\r\n";
	dial(&alice, carol.uri);
	await("alice call.state 1 active");
	peer_stop();
	fake_event(fake_stream(0), &quiet);
	await_none("alice call.state 1 ended");
}


static unsigned replies;
static char body[2048];
static uint16_t code;


static void reply_handler(const struct sip_result *res,
			  const struct sip_info *in, void *arg)
{
	(void)arg;

	++replies;
	code = res->code;
	body[0] = '\0';
	if (in)
		(void)re_snprintf(body, sizeof(body), "%b",
				  mbuf_buf(in->msg->mb),
				  mbuf_get_left(in->msg->mb));
}


static void options(void **state)
{
	struct sip_req_conf conf = {
		.method = "OPTIONS", .uri = bob.uri,
		.ident = ident_make(.aor = carol.uri),
	};
	struct sip_req *req = NULL;
	char uri[128];
	(void)state;

	replies = 0;
	assert_int_equal(0, sip_req_send(&req, carol.sip, &conf,
					 reply_handler, NULL));
	await_count(&replies, 1);
	assert_int_equal(200, code);
	assert_non_null(strstr(body, "m=audio 0 RTP/AVP 0 8 101\r\n"));
	mem_deref(req);
	req = NULL;

	phone_account(&bob, "sip:bob@127.0.0.1;register=no");
	(void)re_snprintf(uri, sizeof(uri), "sip:eve@%J", &bob.addr);
	conf.uri = uri;
	assert_int_equal(0, sip_req_send(&req, carol.sip, &conf,
					 reply_handler, NULL));
	await_count(&replies, 2);
	assert_int_equal(404, code);
	mem_deref(req);
	mem_deref(conf.ident);
}


/* Offers of every kind: an answer or a status, and never a crash */
static void strange_offers(void **state)
{
	static const struct {
		const char *sdp;
		uint16_t code;
	} v[] = {
		{ "", 200 },            /* no body: a late offer */
		{ "x", 400 },
		{ HEAD, 200 },
		{ HEAD "m=audio 0 RTP/AVP 0\r\n", 200 },
		{ HEAD "m=video 4000 RTP/AVP 31\r\nm=audio 4002 RTP/AVP 0\r\n",
		  200 },
		{ HEAD "m=audio 4002 RTP/SAVP 0\r\n", 488 },
		{ HEAD "m=audio 4002 RTP/AVP 0\r\nc=IN IP6 ::1\r\n", 488 },
		{ HEAD "m=audio 4002 RTP/AVP 0\r\nc=IN IP4 x.example\r\n",
		  488 },
	};
	(void)state;

	bob.incoming = answer_at_once;

	for (unsigned i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		carol.answer = PLAIN;
		peer_call(&bob, v[i].sdp[0] ? v[i].sdp : NULL);
		await_count(&carol.outcomes, i + 1);
		assert_int_equal(v[i].code, carol.outcome);
		carol.call = mem_deref(carol.call);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(early_media),
		PEER_TEST(early_changes),
		PEER_TEST(unusable_answer),
		PEER_TEST(late_offer_in),
		PEER_TEST(late_offer_unusable),
		PEER_TEST(reoffers),
		PEER_TEST(hold_refused),
		PEER_TEST(silence),
		PEER_TEST(moved),
		PEER_TEST(silence_on_hold),
		PEER_TEST(options),
		PEER_TEST(strange_offers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
