/**
 * @file test_ua.c  Two user agents call each other
 */
#include "rig.h"


static void call_and_hangup(void **state)
{
	unsigned prints;
	struct call *a, *b;
	const struct call_record *r;
	const struct media_plan *p;
	char text[256];
	(void)state;

	assert_int_equal(0, ua_call_count(alice.ua));
	assert_int_equal(1, dial(&alice, bob.uri));
	a = call_of(&alice, 1);
	assert_int_equal(CALL_CALLING, call_state(a));
	assert_true(call_outgoing(a));
	assert_string_equal(bob.uri, call_peer(a));
	assert_string_equal("", call_peer_name(a));
	assert_null(call_account(a));
	call_verdict(a, text, sizeof(text));
	assert_string_equal("Calling.", text);

	await("alice call.state 1 calling out 0");
	await("bob call.state 1 incoming in");
	b = call_of(&bob, 1);
	assert_false(call_outgoing(b));
	assert_int_equal(0, strncmp(call_peer(b), "sip:", 4));
	assert_null(call_plan(b)->codec);
	assert_int_equal(1, fake_stream_count());
	await("alice call.state 1 ringing out 180");

	/* two doors: open and start; and no certificate for who has none */
	(void)fake_doors();
	prints = fake_prints();
	assert_true(prints > 0);
	assert_int_equal(0, call_answer(b, said));
	assert_int_equal(2, fake_doors());
	assert_int_equal(prints, fake_prints());
	assert_int_equal(CALL_ACTIVE, call_state(b));
	assert_int_equal(EALREADY, call_answer(b, said));
	assert_string_equal("Call 1 is answered already.", said);

	await("alice call.media 1 pcmu sendrecv");
	await("alice call.state 1 active out 200");
	assert_true(call_was_active(a));
	assert_int_equal(1, ua_call_count(alice.ua));
	assert_int_equal(2, fake_stream_count());

	/* each sends to where the other listens */
	p = call_plan(a);
	assert_true(sa_cmp(&p->rtp, stream_local(fake_stream(1)), SA_ALL));
	p = call_plan(b);
	assert_true(sa_cmp(&p->rtp, stream_local(fake_stream(0)), SA_ALL));
	assert_int_equal(MEDIA_SENDRECV, p->dir);
	assert_int_equal(101, p->te_send);

	assert_int_equal(EALREADY, call_answer(a, said));
	assert_int_equal(0, call_hangup(a, 0, NULL, said));
	assert_int_equal(1, fake_stream_count());  /* silent at once */
	assert_int_equal(CALL_ENDED, call_state(a));
	assert_int_equal(200, call_result(a)->code);
	call_verdict(a, text, sizeof(text));
	assert_int_equal(0, strncmp(text, "Hung up after ", 14));
	assert_int_equal(0, call_hangup(a, 0, NULL, said));
	assert_int_equal(ENOTCONN, call_mute(a, true, said));
	await("alice call.state 1 ended out 200 none local");
	assert_int_equal(0, ua_call_count(alice.ua));
	assert_int_equal(0, strncmp(alice.verdict, "Hung up after ", 14));
	await("bob call.state 1 ended in 200 none remote");
	assert_string_equal("OK", bob.reason);
	assert_int_equal(0, fake_stream_count());

	r = ua_call_record(alice.ua, 1);
	assert_non_null(r);
	assert_true(r->outgoing && r->was_active);
	assert_int_equal(0, call_record_exit(r));
	assert_true(r->stats_known);
	assert_int_equal(100, r->stats.packets_received);
	assert_int_equal(MEDIA_SENDRECV, r->dir);
	assert_int_equal(CALL_ENDED, r->state);
	assert_string_equal("pcmu", r->codec);
	assert_true(r->seen == (1u << CALL_CALLING | 1u << CALL_RINGING |
				1u << CALL_ACTIVE | 1u << CALL_ENDED));
	assert_false(r->result.remote);
	assert_true(ua_call_record(bob.ua, 1)->result.remote);
	assert_null(ua_call_record(alice.ua, 2));
}


static void other_side_hangs_up(void **state)
{
	(void)state;

	connect_both();
	hangup_both(&bob);
	assert_int_equal(0, call_record_exit(ua_call_record(alice.ua, 1)));

	/* numbers go on */
	assert_int_equal(2, dial(&alice, bob.uri));
}


/* The struct is gone a turn after its end was told */
static void freed_after_the_end(void **state)
{
	(void)state;

	connect_both();
	hangup_both(&alice);
	await_none("nothing");
	assert_null(ua_call(alice.ua, 1));
	assert_null(ua_call(bob.ua, 1));
	assert_null(ua_call_next(alice.ua, NULL));
	assert_non_null(ua_call_record(alice.ua, 1));
}


static void hold_and_resume(void **state)
{
	struct stream *sa, *sb;
	struct call *a, *b;
	(void)state;

	connect_both();
	a = call_of(&alice, 1);
	b = call_of(&bob, 1);
	sa = fake_stream(0);
	sb = fake_stream(1);

	assert_int_equal(EALREADY, call_resume(a, said));
	assert_string_equal("Call 1 is not held.", said);

	assert_int_equal(0, call_hold(a, said));
	assert_int_equal(SOURCE_SILENCE, fake_source(sa));  /* at once */
	assert_true(call_held(a));
	assert_int_equal(EALREADY, call_hold(a, said));

	await("bob call.media 1 pcmu recvonly");
	await("bob call.hold 1 - remote");
	await("alice call.hold 1 local -");
	assert_int_equal(MEDIA_SENDONLY, fake_plan(sa)->dir);
	assert_int_equal(MEDIA_RECVONLY, fake_plan(sb)->dir);
	assert_int_equal(SOURCE_DEVICE, fake_source(sb));
	assert_true(call_held_remote(b) && !call_held(b));

	/* both */
	assert_int_equal(0, call_hold(b, said));
	await("bob call.hold 1 local remote");
	if (!call_held_remote(a))
		await("alice call.hold 1 local remote");
	assert_int_equal(MEDIA_INACTIVE, fake_plan(sa)->dir);
	assert_int_equal(MEDIA_INACTIVE, fake_plan(sb)->dir);

	/* alice resumes: bob still holds (RFC 6337 5.3) */
	assert_int_equal(0, call_resume(a, said));
	assert_int_equal(SOURCE_SILENCE, fake_source(sa));
	await("alice call.hold 1 - remote");
	assert_int_equal(MEDIA_RECVONLY, fake_plan(sa)->dir);
	assert_int_equal(MEDIA_SENDONLY, fake_plan(sb)->dir);
	assert_int_equal(SOURCE_DEVICE, fake_source(sa));
	assert_int_equal(SOURCE_SILENCE, fake_source(sb));

	assert_int_equal(0, call_resume(b, said));
	await("bob call.hold 1 - -");
	if (call_held_remote(a))
		await("alice call.hold 1 - -");
	assert_int_equal(MEDIA_SENDRECV, fake_plan(sa)->dir);
	assert_int_equal(MEDIA_SENDRECV, fake_plan(sb)->dir);
	assert_int_equal(SOURCE_DEVICE, fake_source(sb));

	hangup_both(&alice);
}


/* The user changes his mind faster than the peer answers */
static void hold_in_haste(void **state)
{
	struct call *a;
	(void)state;

	connect_both();
	a = call_of(&alice, 1);
	assert_int_equal(0, call_hold(a, said));
	assert_int_equal(0, call_resume(a, said));
	assert_int_equal(0, call_hold(a, said));
	await("alice call.hold 1 local -");
	assert_int_equal(MEDIA_SENDONLY, fake_plan(fake_stream(0))->dir);

	assert_int_equal(0, call_resume(a, said));
	assert_int_equal(0, call_hold(a, said));
	assert_int_equal(0, call_resume(a, said));
	await("alice call.hold 1 - -");
	await("bob call.hold 1 - -");
	assert_int_equal(MEDIA_SENDRECV, fake_plan(fake_stream(0))->dir);
	assert_int_equal(MEDIA_SENDRECV, fake_plan(fake_stream(1))->dir);
}


/* Both press hold at the same moment: 491 and a second try */
static void glare(void **state)
{
	(void)state;

	connect_both();
	await_none("nothing");
	assert_int_equal(0, call_hold(call_of(&alice, 1), said));
	assert_int_equal(0, call_hold(call_of(&bob, 1), said));
	await("bob call.hold 1 local");
	if (!call_held_remote(call_of(&bob, 1)))
		await("bob call.hold 1 local remote");
	await("alice call.hold 1 local remote");
	assert_int_equal(MEDIA_INACTIVE, fake_plan(fake_stream(0))->dir);
	assert_int_equal(MEDIA_INACTIVE, fake_plan(fake_stream(1))->dir);
	hangup_both(&alice);
}


static void digits(void **state)
{
	struct call *a;
	(void)state;

	assert_int_equal(1, dial(&alice, bob.uri));
	a = call_of(&alice, 1);
	assert_int_equal(ENOTCONN, call_dtmf(a, "1", said));
	assert_string_equal("Call 1 has no media yet.", said);
	await("bob call.state 1 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 1), said));
	await("alice call.state 1 active");

	assert_int_equal(EINVAL, call_dtmf(a, "12x", said));
	assert_non_null(strstr(said, "'x' is not a digit"));
	assert_int_equal(EINVAL, call_dtmf(a, "", said));
	assert_int_equal(0, call_dtmf(a, "1#", said));
	assert_int_equal(0, call_dtmf(call_of(&bob, 1), "d", said));
	await("bob call.dtmf 1 1 rtp");
	await("bob call.dtmf 1 # rtp");
	if (!seen("alice call.dtmf 1 d rtp"))
		await("alice call.dtmf 1 d rtp");
}


/* Each batch ends with one event, which tells what went out */
static void digits_done(void **state)
{
	struct stream_stats st = { .packets_received = 1 };
	struct stream_event ev = { .type = STREAM_DTMF_SENT };
	struct call *a;
	(void)state;

	connect_both();
	a = call_of(&alice, 1);
	assert_int_equal(0, call_dtmf_ms(a));
	assert_int_equal(0, call_dtmf(a, "1w2W,#", said));
	assert_true(call_dtmf_ms(a) > 2000);
	await("alice dtmf.done 1 done 3 0");
	assert_int_equal(0, call_dtmf_ms(a));

	/* two at once are one; what was on its way does not count */
	fake_digits_stuck(true);
	assert_int_equal(0, call_dtmf(a, "12", said));
	assert_int_equal(0, call_dtmf(a, "34", said));
	ev.count = 8;
	fake_event(fake_stream(0), &ev);
	await_none("alice dtmf.done");
	ev.count = 10;
	fake_event(fake_stream(0), &ev);
	await("alice dtmf.done 1 done 4 0");

	/* the end comes before them, and says so */
	assert_int_equal(0, call_dtmf(a, "5,678", said));
	st.dtmf_sent = 3 + 4 + 1;
	fake_stats(fake_stream(0), &st);
	assert_int_equal(0, call_hangup(call_of(&bob, 1), 0, NULL, said));
	await("alice dtmf.done 1 lost 1 3");
	await("alice call.state 1 ended");
}


static void reject_busy(struct phone *p, struct call *c)
{
	(void)p;
	assert_int_equal(0, call_reject(c, 0, NULL, said));
	assert_int_equal(ENOTCONN, call_reject(c, 0, NULL, said));
	assert_int_equal(ENOTCONN, call_answer(c, said));
}


static void reject_declined(struct phone *p, struct call *c)
{
	(void)p;
	assert_int_equal(EINVAL, call_reject(c, 200, NULL, said));
	assert_int_equal(EINVAL, call_reject(c, 603, "a\nb", said));
	assert_int_equal(0, call_hangup(c, 603, "No thanks", said));
}


static void refusals(void **state)
{
	const struct call_record *r;
	(void)state;

	bob.incoming = reject_busy;
	dial(&alice, bob.uri);
	await("bob call.state 1 ended in 486 status local");
	assert_string_equal("Refused with 486.", bob.verdict);
	await("alice call.state 1 ended out 486 status remote");
	assert_string_equal("Busy (486).", alice.verdict);
	assert_false(seen("ringing"));
	r = ua_call_record(alice.ua, 1);
	assert_int_equal(4, call_record_exit(r));
	assert_false(r->was_active);

	bob.incoming = reject_declined;
	dial(&alice, bob.uri);
	await("alice call.state 2 ended out 603 status");
	r = ua_call_record(alice.ua, 2);
	assert_int_equal(3, call_record_exit(r));
	assert_string_equal("No thanks", r->result.reason);
	assert_string_equal("Declined (603 No thanks).", alice.verdict);
}


static void answer_at_once(struct phone *p, struct call *c)
{
	(void)p;
	assert_int_equal(0, call_answer(c, said));
}


/* Answered in the moment it comes: nothing rings */
static void no_ringing(void **state)
{
	(void)state;

	bob.incoming = answer_at_once;
	dial(&alice, bob.uri);
	await("alice call.state 1 active out 200");
	assert_int_equal(0, call_seen(call_of(&alice, 1)) &
			 1u << CALL_RINGING);
	assert_int_equal(0, call_seen(call_of(&bob, 1)) & 1u << CALL_EARLY);
}


static void cancel(void **state)
{
	(void)state;

	dial(&alice, bob.uri);
	await("alice call.state 1 ringing");
	assert_int_equal(0, call_hangup(call_of(&alice, 1), 0, NULL, said));
	await("alice call.state 1 ended out");
	assert_int_equal(5, call_record_exit(ua_call_record(alice.ua, 1)));
	await("bob call.state 1 ended in 487 cancelled remote");
	assert_string_equal("The caller gave up.", bob.verdict);
	assert_string_equal("Cancelled.", alice.verdict);
	assert_int_equal(0, fake_stream_count());

	/* before anything was sent */
	dial(&alice, bob.uri);
	assert_int_equal(0, call_hangup(call_of(&alice, 2), 0, NULL, said));
	await("alice call.state 2 ended out 487 cancelled local");
	assert_int_equal(0, fake_stream_count());
}


static void nobody_answers(void **state)
{
	struct ua_dial prm = { .target = bob.uri, .ring_ms = 100 };
	unsigned id;
	(void)state;

	assert_int_equal(0, ua_dial(&id, alice.ua, &prm, said));
	await("alice call.state 1 ringing");
	await("alice call.state 1 ended out 487 no-answer local");
	assert_int_equal(SIP_CAUSE_NO_ANSWER,
			 ua_call_record(alice.ua, 1)->result.cause);
	assert_int_equal(5, call_record_exit(ua_call_record(alice.ua, 1)));
	assert_int_equal(0, strncmp(alice.verdict, "Nobody answered for ", 20));

	/* the callee's patience */
	bob.conf->ring_timeout_ms = 100;
	dial(&alice, bob.uri);
	await("bob call.state 2 ended in 480 no-answer local");
	await("alice call.state 2 ended out 480 status remote");
	assert_int_equal(5, call_record_exit(ua_call_record(alice.ua, 2)));
}


static void whose_call(void **state)
{
	char uri[128];
	(void)state;

	phone_account(&bob, "sip:bob@127.0.0.1;register=no");
	phone_account(&bob, "sip:office@127.0.0.1;register=no;codecs=pcma");

	(void)re_snprintf(uri, sizeof(uri), "sip:b%%6fb@%J", &bob.addr);
	dial(&alice, uri);
	await("bob call.state 1 incoming");
	assert_int_equal(1, account_id(call_account(call_of(&bob, 1))));
	await("alice call.state 1 ringing");

	/* each account has its own codecs */
	(void)re_snprintf(uri, sizeof(uri), "sip:office@%J", &bob.addr);
	bob.incoming = answer_at_once;
	dial(&alice, uri);
	await("alice call.media 2 pcma sendrecv");
	assert_int_equal(2, account_id(call_account(call_of(&bob, 2))));

	(void)re_snprintf(uri, sizeof(uri), "sip:eve@%J", &bob.addr);
	dial(&alice, uri);
	await("alice call.state 3 ended out 404 status");
	assert_int_equal(7, call_record_exit(ua_call_record(alice.ua, 3)));
	assert_false(seen("bob call.state 3"));

	phone_account(&bob, "sip:all@127.0.0.1;register=no;catch-all=yes");
	dial(&alice, uri);
	await("alice call.state 4 active");
	assert_int_equal(3, account_id(call_account(call_of(&bob, 3))));
}


static void no_common_codec(void **state)
{
	const struct call_record *r;
	(void)state;

	phone_set(&bob, "codecs", "l16");
	dial(&alice, bob.uri);
	await("alice call.state 1 ended out 488");
	r = ua_call_record(alice.ua, 1);
	assert_int_equal(8, call_record_exit(r));
	assert_null(ua_call_record(bob.ua, 1));
	assert_null(ua_call(bob.ua, 1));
	assert_int_equal(0, ua_call_count(bob.ua));

	/* its number was not used up */
	phone_set(&bob, "codecs", "pcma");
	dial(&alice, bob.uri);
	await("bob call.state 1 incoming");
}


static void too_many(void **state)
{
	struct ua_dial prm = { .target = bob.uri };
	(void)state;

	phone_set(&alice, "max-calls", "2");
	phone_set(&bob, "max-calls", "1");
	connect_both();
	dial(&alice, bob.uri);
	assert_int_equal(EUSERS, ua_dial(NULL, alice.ua, &prm, said));
	assert_string_equal("There are 2 calls already (option max-calls).",
			    said);
	await("alice call.state 2 ended out 486");
	assert_null(ua_call(bob.ua, 2));
	hangup_both(&alice);
	dial(&alice, bob.uri);
	await("bob call.state 2 incoming");
}


static void wrong_targets(void **state)
{
	struct ua_dial prm = { .target = "" };
	(void)state;

	assert_int_equal(EINVAL, ua_dial(NULL, alice.ua, &prm, said));
	prm.target = "sip:bob;transport=x@example.com;x;Transport=SCTP;y";
	assert_int_equal(EPROTONOSUPPORT,
			 ua_dial(NULL, alice.ua, &prm, said));
	assert_string_equal("Transport SCTP is not spoken here, only udp,"
			    " tcp, tls.", said);
	prm.target = "sip:bob@example.com;transport=sctp";
	assert_int_equal(EPROTONOSUPPORT,
			 ua_dial(NULL, alice.ua, &prm, said));
	prm.target = "123";
	assert_int_equal(EINVAL, ua_dial(NULL, alice.ua, &prm, said));
	prm.target = bob.uri;
	prm.account = "work";
	assert_int_equal(ENOENT, ua_dial(NULL, alice.ua, &prm, said));
	assert_string_equal("There is no account work.", said);
	assert_int_equal(0, ua_call_count(alice.ua));
}


static void network(void **state)
{
	struct udp_sock *us = NULL;
	struct sa sa;
	char uri[128];
	(void)state;

	/* nobody says anything */
	assert_int_equal(0, sa_set_str(&sa, "127.0.0.1", 0));
	assert_int_equal(0, udp_listen(&us, &sa, NULL, NULL));
	assert_int_equal(0, udp_local_get(us, &sa));
	(void)re_snprintf(uri, sizeof(uri), "sip:x@%J", &sa);
	dial(&alice, uri);
	await("alice call.state 1 ended out 0 timeout local");
	assert_int_equal(9, call_record_exit(ua_call_record(alice.ua, 1)));
	assert_int_equal(0, strncmp(alice.verdict, "No response for ", 16));

	/* nobody listens on TCP */
	(void)re_snprintf(uri, sizeof(uri), "sip:x@%J;transport=tcp", &sa);
	dial(&alice, uri);
	await("alice call.state 2 ended out 0 transport local");
	assert_int_equal(9, call_record_exit(ua_call_record(alice.ua, 2)));
	mem_deref(us);
}


static void over_tcp(void **state)
{
	char uri[128];
	(void)state;

	(void)re_snprintf(uri, sizeof(uri), "%s;transport=tcp", bob.uri);
	bob.incoming = answer_at_once;
	dial(&alice, uri);
	await("alice call.state 1 active");
	assert_int_equal(0, call_hold(call_of(&alice, 1), said));
	await("bob call.hold 1 - remote");
	hangup_both(&bob);
}


static void no_port(void **state)
{
	(void)state;

	fake_fail_open(EADDRINUSE);
	dial(&alice, bob.uri);
	assert_int_equal(CALL_ENDED, call_state(call_of(&alice, 1)));
	await("alice call.state 1 ended out 0 local local");
	assert_int_equal(9, call_record_exit(ua_call_record(alice.ua, 1)));
	assert_string_equal("no free port in media-ports",
			    ua_call_record(alice.ua, 1)->result.reason);

	dial(&alice, bob.uri);
	await("bob call.state 1 incoming");
	fake_fail_open(EADDRINUSE);
	assert_int_equal(EADDRINUSE, call_answer(call_of(&bob, 1), said));
	assert_non_null(strstr(said, "no free port"));
	await("alice call.state 2 ended out 500");

	/* media fails only after the 200 is out */
	dial(&alice, bob.uri);
	await("bob call.state 2 incoming");
	fake_fail_start(ENOMEM);
	assert_int_equal(ENOMEM, call_answer(call_of(&bob, 2), said));
	await("bob call.state 2 ended in 500 local local");
	assert_int_equal(0, strncmp(bob.verdict, "The call cannot be answered:",
				    28));
	await("alice call.state 3 ended out 200 none remote");
	assert_int_equal(0, fake_stream_count());
}


static void oneself(void **state)
{
	(void)state;

	alice.incoming = answer_at_once;
	assert_int_equal(1, dial(&alice, alice.uri));
	await("alice call.state 1 active out");
	assert_int_equal(2, ua_call_count(alice.ua));
	assert_int_equal(2, call_id(ua_call_next(alice.ua,
						 call_of(&alice, 1))));
	assert_int_equal(0, call_hangup(call_of(&alice, 1), 0, NULL, said));
	await("alice call.state 2 ended");
}


static void sources(void **state)
{
	struct call *b;
	struct stream *s;
	(void)state;

	dial(&alice, bob.uri);
	await("bob call.state 1 incoming");
	b = call_of(&bob, 1);

	/* who calls has the device ready when it is answered */
	assert_int_equal(8000, fake_expected_hz(fake_stream(0)));
	assert_null(fake_stream(1));

	/* before the answer it is remembered, and no device is asked for */
	assert_int_equal(0, call_echo(b, true, said));
	assert_int_equal(0, call_mute(b, true, said));
	assert_int_equal(EALREADY, call_mute(b, true, said));
	(void)fake_doors();
	assert_int_equal(0, call_answer(b, said));
	assert_int_equal(4, fake_doors());
	s = fake_stream(1);
	assert_false(fake_device(s));
	assert_int_equal(SOURCE_ECHO, fake_source(s));
	assert_true(fake_muted(s));

	assert_int_equal(0, call_mute(b, false, said));
	assert_false(fake_muted(s));
	assert_int_equal(EINVAL, call_tone(b, 5, said));
	assert_int_equal(0, call_tone(b, 440, said));
	assert_int_equal(SOURCE_TONE, fake_source(s));
	assert_true(fake_tone_hz(s) == 440);
	assert_int_equal(0, call_tone(b, 880, said));
	assert_true(fake_tone_hz(s) == 880);

	/* what is chosen on hold is heard after it */
	await("alice call.state 1 active");
	assert_int_equal(0, call_hold(b, said));
	assert_int_equal(SOURCE_SILENCE, fake_source(s));
	assert_int_equal(0, call_echo(b, true, said));
	assert_int_equal(SOURCE_SILENCE, fake_source(s));
	await("bob call.hold 1 local -");
	assert_int_equal(0, call_resume(b, said));
	await("bob call.hold 1 - -");
	assert_int_equal(SOURCE_ECHO, fake_source(s));
	assert_int_equal(0, call_stop(b, said));
	assert_int_equal(SOURCE_DEVICE, fake_source(s));
}


static void files(void **state)
{
	struct call *a;
	struct stream *s;
	(void)state;

	dial(&alice, bob.uri);
	a = call_of(&alice, 1);
	assert_int_equal(ENOENT, call_play(a, "/nowhere/x.wav", false, said));
	assert_int_equal(0, call_play(a, "/dev/null", false, said));
	assert_int_equal(EALREADY, call_play(a, "/dev/null", false, said));
	assert_int_equal(0, call_record(a, "/tmp/x.wav", said));
	s = fake_stream(0);
	assert_null(fake_recording(s));

	await("bob call.state 1 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 1), said));
	await("alice call.state 1 active");
	assert_string_equal("/tmp/x.wav", fake_recording(s));
	fake_play_end(s);
	await("alice play.done 1 done");

	/* stop and the next at once, as a script does it */
	assert_int_equal(0, call_play(a, "/dev/null", true, said));
	assert_int_equal(0, call_stop(a, said));
	assert_int_equal(0, call_play(a, "/dev/null", true, said));
	await("alice play.done 1 stopped");
	assert_int_equal(EALREADY, call_play(a, "/dev/null", false, said));

	assert_int_equal(0, call_record_stop(a, said));
	assert_int_equal(ENOTCONN, call_record_stop(a, said));
	assert_int_equal(0, call_record(a, "/tmp/y.wav", said));
	await("alice record.done 1 stopped");
	assert_string_equal("/tmp/y.wav", fake_recording(s));
	assert_int_equal(0, call_record_stop(a, said));
	await("alice record.done 1 stopped");
	assert_int_equal(ENOENT, call_record(a, "/nowhere/x.wav", said));
	assert_int_equal(0, call_record(a, "/tmp/z.wav", said));

	/* what runs at the end is told before it */
	assert_int_equal(0, call_hangup(a, 0, NULL, said));
	await("alice play.done 1 stopped");
	await("alice record.done 1 done");
	await("alice call.state 1 ended");

	/* what never began */
	dial(&alice, bob.uri);
	assert_int_equal(0, call_play(call_of(&alice, 2), "/dev/null", false,
				      said));
	assert_int_equal(0, call_record(call_of(&alice, 2), "/nowhere/x",
					said));
	await("bob call.state 2 incoming");
	assert_int_equal(0, call_reject(call_of(&bob, 2), 486, NULL, said));
	await("alice play.done 2 error");
	await("alice record.done 2 error");
	await("alice call.state 2 ended");

	/* a recording that cannot begin */
	dial(&alice, bob.uri);
	assert_int_equal(0, call_record(call_of(&alice, 3), "/nowhere/x",
					said));
	await("bob call.state 3 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 3), said));
	await("alice record.done 3 error");
	await("alice call.state 3 active");
}


/* The disk is full: one event says so, and the call goes on */
static void disk_full(void **state)
{
	const struct stream_event full = {
		.type = STREAM_RECORD_DONE, .err = ENOSPC,
		.text = "the recording ended early", .duration_ms = 100,
	};
	struct call *a;
	(void)state;

	connect_both();
	a = call_of(&alice, 1);
	assert_int_equal(0, call_record(a, "/tmp/x.wav", said));
	fake_event(fake_stream(0), &full);
	await("alice record.done 1 error");
	assert_int_equal(CALL_ACTIVE, call_state(a));
	assert_int_equal(ENOTCONN, call_record_stop(a, said));
	assert_int_equal(0, call_hangup(a, 0, NULL, said));
	await("alice call.state 1 ended");
	assert_int_equal(1, count_seen("record.done"));
}


static void others_on_hold(void **state)
{
	struct ua_dial prm = { .target = bob.uri, .no_hold = true };
	struct call *b;
	unsigned id;
	(void)state;

	connect_both();
	bob.incoming = answer_at_once;

	/* a second call: the first one is held, at alice's and at bob's */
	dial(&alice, bob.uri);
	assert_true(call_held(call_of(&alice, 1)));
	await("alice call.state 2 active");
	assert_true(call_held(call_of(&bob, 1)));
	assert_false(call_held(call_of(&alice, 2)));
	await("alice call.hold 1 local remote");

	/* back to the first */
	assert_int_equal(0, call_resume(call_of(&alice, 1), said));
	assert_true(call_held(call_of(&alice, 2)));

	/* machines hold nobody and are not held */
	ua_set_device(bob.ua, false);
	assert_int_equal(0, ua_dial(&id, alice.ua, &prm, said));
	assert_false(call_held(call_of(&alice, 1)));
	await("alice call.state 3 active");
	b = call_of(&bob, 3);
	assert_false(call_held(b));
	phone_set(&alice, "hold-others", "no");
	dial(&alice, bob.uri);
	assert_false(call_held(call_of(&alice, 1)));
}


static void machine(struct phone *p, struct call *c)
{
	(void)p;
	call_keep_others(c);
	assert_int_equal(0, call_echo(c, true, said));
	assert_int_equal(0, call_answer(c, said));
}


static void machines_hold_nobody(void **state)
{
	(void)state;

	connect_both();
	bob.incoming = machine;
	ua_set_device(alice.ua, false);
	dial(&alice, bob.uri);
	await("alice call.state 2 active");
	assert_false(call_held(call_of(&bob, 1)));
	assert_false(call_held(call_of(&alice, 1)));

	/* nor is it held when bob takes another call himself */
	bob.incoming = answer_at_once;
	dial(&alice, bob.uri);
	await("alice call.state 3 active");
	assert_true(call_held(call_of(&bob, 1)));
	assert_false(call_held(call_of(&bob, 2)));
}


static unsigned figures;


static void quality_handler(const struct event *ev, void *arg)
{
	(void)arg;

	assert_int_equal(1, ev->call);
	assert_int_equal(100, ev->u.call_quality.packets_received);
	++figures;
}


static void count_handler(const struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;

	++figures;
}


static void quality(void **state)
{
	struct event_sub *sub = NULL;
	struct stream_stats st = {
		.packets_received = 100, .lost = 25, .jitter_us = 1500,
		.delay_ms = 40,
	};
	(void)state;

	connect_both();
	fake_stats(fake_stream(0), &st);

	figures = 0;
	alice.sub = mem_deref(alice.sub);
	(void)fake_doors();
	assert_int_equal(0, event_subscribe_type(&sub, alice.bus,
						 EVENT_CALL_QUALITY,
						 quality_handler, NULL));
	await_count(&figures, 1);
	mem_deref(sub);

	assert_true(call_mos(call_of(&alice, 1)) > 0);
	assert_int_equal(0, call_hangup(call_of(&alice, 1), 0, NULL, said));
	await("bob call.state 1 ended");
	assert_true(ua_call_record(alice.ua, 1)->loss_pct == 20.0);
	assert_int_equal(1500,
			 ua_call_record(alice.ua, 1)->stats.jitter_us);
}


static void quality_of_many(void **state)
{
	struct event_sub *sub = NULL;
	(void)state;

	ua_set_device(alice.ua, false);
	ua_set_device(bob.ua, false);
	bob.incoming = answer_at_once;
	for (unsigned i = 1; i <= 3; i++) {
		char want[64];

		(void)snprintf(want, sizeof(want),
			       "alice call.state %u active", i);
		dial(&alice, bob.uri);
		await(want);
	}

	/* however many there are, the door opens once; the last ACK is in */
	await_none("nothing");
	alice.sub = mem_deref(alice.sub);
	bob.sub = mem_deref(bob.sub);
	figures = 0;
	assert_int_equal(0, event_subscribe_type(&sub, alice.bus,
						 EVENT_CALL_QUALITY,
						 count_handler, NULL));
	(void)fake_doors();
	await_count(&figures, 3);
	assert_int_equal(1, fake_doors());
	mem_deref(sub);
}


/* From hang-up on the last figures stay, whoever looks and when */
static void figures_stay(void **state)
{
	struct stream_stats st = {
		.packets_received = 100, .lost = 25, .bytes_sent = 7,
		.dtmf_sent = 4, .delay_ms = 40,
	};
	struct call_record r;
	struct call *a;
	(void)state;

	assert_false(ua_call_snapshot(&r, alice.ua, 1));
	dial(&alice, bob.uri);
	a = call_of(&alice, 1);
	assert_true(ua_call_snapshot(&r, alice.ua, 1));
	assert_int_equal(CALL_CALLING, r.state);
	assert_false(r.stats_known);
	await("bob call.state 1 incoming in");
	assert_int_equal(0, call_answer(call_of(&bob, 1), said));
	await("alice call.state 1 active out");
	assert_int_equal(0, sa_set_str(&st.remote, "192.0.2.9", 4000));
	fake_stats(fake_stream(0), &st);

	for (unsigned i = 0; i < 3; i++) {
		memset(&r, 0, sizeof(r));
		assert_true(ua_call_snapshot(&r, alice.ua, 1));
		assert_true(r.stats_known);
		assert_memory_equal(&st, &r.stats, sizeof(st));
		assert_string_equal("pcmu", r.codec);
		assert_int_equal(MEDIA_SENDRECV, r.dir);
		assert_true(r.loss_pct == 20.0);
		assert_true(r.mos > 1.0);
		assert_int_equal(200, r.result.code);
		assert_int_equal(i ? CALL_ENDED : CALL_ACTIVE, r.state);

		if (i == 0) {
			assert_int_equal(0, call_hangup(a, 0, NULL, said));
			assert_non_null(ua_call(alice.ua, 1));
			assert_true(call_mos(a) > 1.0);
		}
		else if (i == 1) {
			await("alice call.state 1 ended");
			await_none("nothing");
			assert_null(ua_call(alice.ua, 1));
		}
	}
}


static void limit(void **state)
{
	(void)state;

	dial(&alice, bob.uri);
	call_limit(call_of(&alice, 1), 50);
	await("bob call.state 1 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 1), said));
	await("alice call.state 1 active");
	await("alice call.state 1 ended out 200 none local");
	assert_true(ua_call_record(alice.ua, 1)->duration_ms >= 45);

	dial(&alice, bob.uri);
	await("bob call.state 2 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 2), said));
	await("alice call.state 2 active");
	call_limit(call_of(&alice, 2), 1);
	await("alice call.state 2 ended");
}


static unsigned closed;


static void close_handler(void *arg)
{
	(void)arg;
	++closed;
}


static void closing(void **state)
{
	struct ua_dial prm = { .target = bob.uri };
	(void)state;

	connect_both();
	dial(&alice, bob.uri);
	await("alice call.state 2 ringing");

	closed = 0;
	ua_close(alice.ua, 2000, close_handler, NULL);
	assert_int_equal(ESHUTDOWN, ua_dial(NULL, alice.ua, &prm, said));
	await("bob call.state 1 ended");
	await_count(&closed, 1);
	assert_int_equal(0, ua_call_count(alice.ua));
	assert_non_null(ua_call_record(alice.ua, 1));
	assert_non_null(ua_call_record(alice.ua, 2));
	if (!ua_call_record(bob.ua, 2))
		await("bob call.state 2 ended in 487");
}


/* 64 of the last calls are remembered */
static void records(void **state)
{
	(void)state;

	bob.incoming = reject_busy;
	for (unsigned i = 1; i <= 70; i++) {
		char want[64];

		(void)snprintf(want, sizeof(want), "alice call.state %u ended",
			       i);
		assert_int_equal(i, dial(&alice, bob.uri));
		await(want);
	}
	assert_null(ua_call_record(alice.ua, 6));
	assert_non_null(ua_call_record(alice.ua, 7));
	assert_int_equal(4, call_record_exit(ua_call_record(alice.ua, 70)));
}


/* A call that is answered, but nothing comes */
static void nothing_received(void **state)
{
	const struct stream_stats st = { .packets_sent = 50 };
	const struct stream_event ev = { .type = STREAM_FIRST_PACKET };
	(void)state;

	connect_both();
	fake_event(fake_stream(0), &ev);
	fake_stats(fake_stream(0), &st);
	call_limit(call_of(&alice, 1), 1100);
	await("alice call.state 1 ended out 200 no-media local");
	assert_true(ua_call_record(alice.ua, 1)->media_expected);
	assert_string_equal("no-media",
			    call_record_cause(ua_call_record(alice.ua, 1)));
	assert_int_equal(8, call_record_exit(ua_call_record(alice.ua, 1)));
	assert_non_null(strstr(alice.verdict, "nothing was ever received"));

	/* too short to tell, and somebody on hold expects nothing */
	assert_int_equal(0, call_record_exit(ua_call_record(bob.ua, 1)));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(call_and_hangup),
		RIG_TEST(other_side_hangs_up),
		RIG_TEST(freed_after_the_end),
		RIG_TEST(hold_and_resume),
		RIG_TEST(hold_in_haste),
		RIG_TEST(glare),
		RIG_TEST(digits),
		RIG_TEST(digits_done),
		RIG_TEST(refusals),
		RIG_TEST(no_ringing),
		RIG_TEST(cancel),
		RIG_TEST(nobody_answers),
		RIG_TEST(whose_call),
		RIG_TEST(no_common_codec),
		RIG_TEST(too_many),
		RIG_TEST(wrong_targets),
		RIG_TEST(network),
		RIG_TEST(over_tcp),
		RIG_TEST(no_port),
		RIG_TEST(oneself),
		RIG_TEST(sources),
		RIG_TEST(files),
		RIG_TEST(disk_full),
		RIG_TEST(others_on_hold),
		RIG_TEST(machines_hold_nobody),
		RIG_TEST(quality),
		RIG_TEST(quality_of_many),
		RIG_TEST(figures_stay),
		RIG_TEST(limit),
		RIG_TEST(closing),
		RIG_TEST(records),
		RIG_TEST(nothing_received),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
