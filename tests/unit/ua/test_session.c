/**
 * @file test_session.c  What is negotiated beside media, and what may be done
 * with a session
 */
#include "rig.h"
#include "priv.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"		\
	"c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
#define PLAIN HEAD "m=audio 30000 RTP/AVP 0\r\n"


static int setup(void **state)
{
	const int err = rig_setup(state);

	peer_start();
	carol.answer = PLAIN;

	return err;
}


static int teardown(void **state)
{
	peer_stop();

	return rig_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


/* As dial, with what is said for this call alone */
static void dial_as(const char *target, const struct ua_dial *as)
{
	struct ua_dial prm = *as;

	prm.target = target;
	if (ua_dial(NULL, alice.ua, &prm, said))
		fail_msg("%s", said);
}


static void to_carol(struct phone *p, struct call *c)
{
	(void)p;
	assert_int_equal(0, call_redirect(c, carol.uri, said));
}


/* Redirects ---------------------------------------------------------------- */

static void redirect_followed(void **state)
{
	(void)state;

	bob.incoming = to_carol;
	(void)dial(&alice, bob.uri);
	await("bob call.state 1 ended in 302 status local");
	await("alice call.redirect 1 followed 302");
	await("alice call.state 1 active out 200");
	assert_int_equal(1, carol.offers + carol.established);
}


static void redirect_denied(void **state)
{
	(void)state;

	phone_set(&alice, "redirects", "deny");
	bob.incoming = to_carol;
	(void)dial(&alice, bob.uri);
	await("alice call.state 1 ended out 302 status remote");
	assert_string_equal("Sent elsewhere (302).", alice.verdict);
	assert_int_equal(3, call_record_exit(ua_call_record(alice.ua, 1)));
	assert_int_equal(0, carol.offers);

	/* but for one call */
	dial_as(bob.uri, &(struct ua_dial){.redirects = "follow"});
	await("alice call.redirect 2 followed 302");
	await("alice call.state 2 active out 200");
}


static void redirect_asked(void **state)
{
	(void)state;

	phone_account(&alice, "sip:alice@127.0.0.1;redirects=ask");
	bob.incoming = to_carol;
	(void)dial(&alice, bob.uri);
	await("alice call.redirect 1 asked 302");
	assert_int_equal(0, carol.offers);
	assert_int_equal(0, call_redirect_decide(call_of(&alice, 1), true,
						 said));
	await("alice call.redirect 1 followed 0");
	await("alice call.state 1 active out 200");
	assert_int_equal(ENOTCONN, call_redirect_decide(call_of(&alice, 1),
							true, said));
	assert_string_equal("Call 1 asks for no decision.", said);

	(void)dial(&alice, bob.uri);
	await("alice call.redirect 2 asked 302");
	assert_int_equal(0, call_redirect_decide(call_of(&alice, 2), false,
						 said));
	await("alice call.redirect 2 refused 0");
	await("alice call.state 2 ended out 302 status");
}


static void redirect_wrong(void **state)
{
	(void)state;

	connect_both();
	assert_int_equal(ENOTCONN, call_redirect(call_of(&bob, 1), carol.uri,
						 said));
	assert_int_equal(ENOTCONN, call_redirect(call_of(&alice, 1),
						 carol.uri, said));
}


static void redirect_nowhere(struct phone *p, struct call *c)
{
	(void)p;
	assert_int_equal(EINVAL, call_redirect(c, "sip:", said));
	assert_int_equal(0, call_reject(c, 486, NULL, said));
}


static void redirect_bad_target(void **state)
{
	(void)state;

	bob.incoming = redirect_nowhere;
	(void)dial(&alice, bob.uri);
	await("alice call.state 1 ended out 486");
}


/* Offers and changes ------------------------------------------------------- */

static void late_offer(void **state)
{
	(void)state;

	dial_as(carol.uri, &(struct ua_dial){.late_offer = true});
	await("alice call.media 1 pcmu sendrecv");
	await("alice call.state 1 active out 200");
	await_count(&carol.established, 1);
	assert_int_equal(1, carol.results);
	assert_int_equal(30000, sa_port(&fake_plan(fake_stream(0))->rtp));
}


static void changes(void **state)
{
	struct call *c;
	(void)state;

	connect_both();
	c = call_of(&alice, 1);

	assert_int_equal(0, call_update(c, false, said));
	assert_int_equal(EALREADY, call_update(c, false, said));
	await("alice call.update 1 UPDATE 200 \n");
	assert_int_equal(0, call_update(c, true, said));
	await("alice call.update 1 UPDATE 200 \n");
	assert_int_equal(0, call_reinvite(c, false, said));
	await("alice call.update 1 INVITE 200 \n");
	assert_int_equal(0, call_reinvite(c, true, said));
	await("alice call.update 1 INVITE 200 \n");

	/* a hold is told as a hold only */
	assert_int_equal(0, call_hold(c, said));
	await("alice call.hold 1 local");
	assert_int_equal(4, count_seen("alice call.update"));
}


static void changes_refused(void **state)
{
	struct call *c;
	(void)state;

	(void)dial(&alice, carol.uri);
	await("alice call.state 1 active");
	c = call_of(&alice, 1);
	carol.reoffer_status = 488;
	assert_int_equal(0, call_update(c, false, said));
	await("alice call.update 1 UPDATE 488 status");
	assert_int_equal(0, call_reinvite(c, false, said));
	await("alice call.update 1 INVITE 488 status");
	assert_int_equal(CALL_ACTIVE, call_state(c));
}


static void changes_too_early(void **state)
{
	struct call *c;
	(void)state;

	carol.answer = NULL;
	carol.ring = true;
	(void)dial(&alice, carol.uri);
	await("alice call.state 1 ringing");
	c = call_of(&alice, 1);
	assert_int_equal(ENOTCONN, call_reinvite(c, false, said));
	assert_string_equal("Call 1 is not answered yet.", said);
	assert_int_equal(ENOTCONN, call_update(c, false, said));
	assert_string_equal("Call 1 has agreed on nothing yet that could be"
			    " changed.", said);
}


/* Extensions --------------------------------------------------------------- */

static void reliable(void **state)
{
	(void)state;

	/* required by both, and so kept */
	phone_set(&alice, "reliable", "required");
	phone_set(&bob, "reliable", "required");
	connect_both();
	hangup_both(&alice);

	/* one who has it off is no partner for one who requires it */
	phone_set(&bob, "reliable", "off");
	(void)dial(&alice, bob.uri);
	await("alice call.state 2 ended out 420 status remote");

	phone_set(&alice, "reliable", "off");
	phone_set(&bob, "reliable", "required");
	(void)dial(&alice, bob.uri);
	await("alice call.state 3 ended out 421 status remote");

	/* but for one call */
	dial_as(bob.uri, &(struct ua_dial){.reliable = "supported"});
	await("bob call.state");
	await("alice call.state 4 ringing");
}


static void session_timer(void **state)
{
	bool ours = false;
	(void)state;

	phone_set(&alice, "session-expires", "10m");
	connect_both();
	assert_int_equal(600, sip_call_timer(call_of(&alice, 1)->sip, &ours));
	assert_true(ours);
	assert_int_equal(600, sip_call_timer(call_of(&bob, 1)->sip, &ours));
	assert_false(ours);
	hangup_both(&alice);

	phone_set(&alice, "session-refresher", "them");
	(void)dial(&alice, bob.uri);
	await("bob call.state 2 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 2), said));
	await("alice call.state 2 active");
	assert_int_equal(600, sip_call_timer(call_of(&alice, 2)->sip, &ours));
	assert_false(ours);
	assert_int_equal(0, call_hangup(call_of(&alice, 2), 0, NULL, said));
	await("bob call.state 2 ended");
	await("alice call.state 2 ended");

	phone_set(&bob, "session-timer", "off");
	(void)dial(&alice, bob.uri);
	await("bob call.state 3 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 3), said));
	await("alice call.state 3 active");
	assert_int_equal(0, sip_call_timer(call_of(&alice, 3)->sip, &ours));
}


/* Endings and early media -------------------------------------------------- */

static void elsewhere(void **state)
{
	(void)state;

	peer_call(&bob, PLAIN);
	await("bob call.state 1 incoming");
	sip_call_hangup(carol.call, 0, "SIP;cause=200;text=\"Call completed"
			" elsewhere\"");
	await("bob call.state 1 ended in 487 cancelled remote");
	assert_string_equal("Answered elsewhere.", bob.verdict);
	assert_string_equal("Call completed elsewhere", bob.reason);
	await_count(&carol.closed, 1);
	carol.call = mem_deref(carol.call);

	peer_call(&bob, PLAIN);
	await("bob call.state 2 incoming");
	sip_call_hangup(carol.call, 0, "SIP;cause=487");
	await("bob call.state 2 ended in 487 cancelled remote");
	assert_string_equal("The caller gave up.", bob.verdict);
}


/* 180 after 183: what is heard stays */
static void early_stays(void **state)
{
	(void)state;

	carol.early = PLAIN;
	carol.ring = true;
	carol.answer = NULL;
	(void)dial(&alice, carol.uri);
	await("alice call.state 1 early out 183");
	await_none("alice call.state");
	assert_int_equal(CALL_EARLY, call_state(call_of(&alice, 1)));
	assert_true(call_of(&alice, 1)->started);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(redirect_followed),
		TEST(redirect_denied),
		TEST(redirect_asked),
		TEST(redirect_wrong),
		TEST(redirect_bad_target),
		TEST(late_offer),
		TEST(changes),
		TEST(changes_refused),
		TEST(changes_too_early),
		TEST(reliable),
		TEST(session_timer),
		TEST(elsewhere),
		TEST(early_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
