/**
 * @file test_update.c  UPDATE, both directions, before and after the answer
 */
#include "rig.h"


#define REL(n) "Require: 100rel\r\nRSeq: " #n "\r\n"
#define CAN    "Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE\r\n"


static int modify(const char *offer, enum sip_modify how)
{
	struct mbuf *sdp = offer ? sdp_make(offer) : NULL;
	const int err = sip_call_modify_by(rig.c, sdp, how);

	mem_deref(sdp);

	return err;
}


/* We call; the peer has answered, with these headers */
static void call_up(struct peer_dialog *d, const char *headers)
{
	const struct sip_msg *inv;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1", headers, "their session\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	peer_dialog_uas(d, rig.p, inv, "t1");
}


/* We call; a reliable 183 has settled the first offer */
static const struct sip_msg *call_early(struct peer_dialog *d)
{
	const struct sip_msg *inv;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 183, "t1", REL(1) CAN, "their session\r\n");
	peer_reply(rig.p, rig_expect("PRACK"), 200, "", "", NULL);
	rig_wait(&rig.progress, 1);
	peer_dialog_uas(d, rig.p, inv, "t1");

	return inv;
}


/* We are called; our reliable 183 is PRACKed */
static void called_early(struct peer_dialog *d)
{
	const struct sip_msg *m;
	struct mbuf *sdp = sdp_make("our session\r\n");
	char rack[60];

	rig_called(d, "Supported: 100rel\r\n" CAN, "their session\r\n");
	assert_int_equal(sip_call_ring(rig.c, 183, NULL, sdp), 0);
	mem_deref(sdp);
	m = rig_expect("183 INVITE");
	peer_dialog_take(d, m);
	(void)snprintf(rack, sizeof(rack), "RAck: %s 1 INVITE\r\n",
		       msg_header(m, "RSeq"));
	peer_request(rig.p, d, "PRACK", rack, NULL);
	(void)rig_expect("200 PRACK");
}


/* Theirs ------------------------------------------------------------------ */

static void test_in(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok;
	(void)state;

	rig_called_up(&d);
	peer_request(rig.p, &d, "UPDATE", "", "their offer\r\n");
	ok = rig_expect("200 UPDATE");
	assert_string_equal(msg_body(ok), "our answer 1\r\n");
	assert_string_equal(rig.sdp, "their offer\r\n");
	assert_string_not_equal(msg_header(ok, "Contact"), "");
	assert_string_equal(msg_header(ok, "Allow"), SIP_ALLOW);
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);

	/* without one it changes nothing but the target */
	peer_request(rig.p, &d, "UPDATE", "Contact: <sip:there@127.0.0.1:9>"
		     "\r\n", NULL);
	assert_string_equal(msg_body(rig_expect("200 UPDATE")), "");
	assert_int_equal(rig.answers, 1);
	assert_string_equal(rig.c->br->dlg->target, "sip:there@127.0.0.1:9");

	rig.answer_status = 488;
	peer_request(rig.p, &d, "UPDATE", "", "nonsense");
	(void)rig_expect("488 UPDATE");
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
	peer_request(rig.p, &d, "UPDATE", "Content-Type: text/plain\r\n"
		     "Content-Length: 2\r\n\r\nhi", NULL);
	(void)rig_expect("415 UPDATE");
	assert_true(sip_call_established(rig.c));
	assert_int_equal(rig.modified + rig.closed, 0);
}


static void test_in_early_caller(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *ack;
	(void)state;

	inv = call_early(&d);
	peer_request(rig.p, &d, "UPDATE", "", "their second\r\n");
	assert_string_equal(msg_body(rig_expect("200 UPDATE")),
			    "our answer 1\r\n");
	assert_string_equal(rig.sdp, "their second\r\n");

	/* the 2xx brings nothing new */
	peer_reply(rig.p, inv, 200, "t1", "", NULL);
	ack = rig_expect("ACK");
	assert_string_equal(msg_body(ack), "");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "their second\r\n");
	assert_int_equal(rig.results, 0);
}


/* Another branch was told in between: back to what the winner had said */
static void test_in_early_forks(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	inv = call_early(&d);
	peer_request(rig.p, &d, "UPDATE", "", "their second\r\n");
	(void)rig_expect("200 UPDATE");
	peer_reply(rig.p, inv, 183, "t2", "", "another\r\n");
	rig_wait(&rig.progress, 2);
	assert_string_equal(rig.sdp, "another\r\n");
	peer_reply(rig.p, inv, 200, "t1", "", NULL);
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "their second\r\n");
}


static void test_in_early_glare(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	/* our offer is not answered yet */
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 183, "t1", REL(1), NULL);
	peer_reply(rig.p, rig_expect("PRACK"), 200, "", "", NULL);
	peer_dialog_uas(&d, rig.p, inv, "t1");
	peer_request(rig.p, &d, "UPDATE", "", "their offer\r\n");
	(void)rig_expect("491 UPDATE");

	/* without an offer nothing meets */
	peer_request(rig.p, &d, "UPDATE", "", NULL);
	(void)rig_expect("200 UPDATE");
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
}


static void test_in_early_callee(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *no;
	(void)state;

	/* their first offer is not answered yet */
	rig_called(&d, "", "their session\r\n");
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), 0);
	peer_dialog_take(&d, rig_expect("180 INVITE"));
	peer_request(rig.p, &d, "UPDATE", "", "their offer\r\n");
	no = rig_expect("500 UPDATE");
	assert_string_not_equal(msg_header(no, "Retry-After"), "");
	assert_in_range(atoi(msg_header(no, "Retry-After")), 0, 10);
	rig.c = mem_deref(rig.c);
	(void)rig_expect("486 INVITE");

	/* now it is */
	called_early(&d);
	peer_request(rig.p, &d, "UPDATE", "", "their second\r\n");
	assert_string_equal(msg_body(rig_expect("200 UPDATE")),
			    "our answer 1\r\n");
	assert_int_equal(sip_call_answer(rig.c, NULL), 0);
	assert_string_equal(msg_body(rig_expect("200 INVITE")), "");
	rig_ack(&d, 1, NULL);
	rig_wait(&rig.established, 1);
}


static void test_in_unacked(void **state)
{
	struct peer_dialog d;
	(void)state;

	/* our offer is in the 2xx: its answer comes first */
	rig.auto_answer = true;
	rig_called(&d, "", NULL);
	peer_dialog_take(&d, rig_expect("200 INVITE"));
	peer_request(rig.p, &d, "UPDATE", "", "their offer\r\n");
	(void)rig_expect("491 UPDATE");
	rig_ack(&d, 1, "their answer\r\n");
	rig_wait(&rig.established, 1);
	peer_request(rig.p, &d, "UPDATE", "", "their offer\r\n");
	(void)rig_expect("200 UPDATE");
}


static void test_in_hangup_inside(void **state)
{
	struct peer_dialog d;
	int k;
	(void)state;

	for (k = 0; k < 2; k++) {
		rig_again();
		rig.closed = rig.established = 0;
		rig_called_up(&d);
		if (k)
			rig.free_in = IN_ANSWER;
		else
			rig.hangup_in = IN_ANSWER;
		peer_request(rig.p, &d, "UPDATE", "", "their offer\r\n");
		(void)rig_expect("481 UPDATE");
		peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
		if (k)
			rig.closed = 1;
		rig_wait(&rig.closed, 1);
		rig_wait_idle();
		rig.hangup_in = rig.free_in = NOWHERE;
		rig.c = mem_deref(rig.c);
	}
}


/* Ours -------------------------------------------------------------------- */

static void test_out(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *up;
	(void)state;

	call_up(&d, CAN);
	assert_true(sip_call_can_update(rig.c));
	assert_int_equal(modify("our offer\r\n", SIP_MODIFY_UPDATE), 0);
	up = rig_expect("UPDATE");
	assert_string_equal(msg_body(up), "our offer\r\n");
	assert_string_not_equal(msg_header(up, "Contact"), "");
	assert_int_equal(pl_strcmp(&up->to.tag, "t1"), 0);

	/* theirs meets it */
	peer_request(rig.p, &d, "UPDATE", "", "their offer\r\n");
	(void)rig_expect("491 UPDATE");
	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	(void)rig_expect("491 INVITE");
	rig_ack(&d, d.cseq, NULL);

	peer_reply(rig.p, up, 200, "", "", "their answer\r\n");
	rig_wait(&rig.modified, 1);
	assert_int_equal(rig.mod.cause, SIP_CAUSE_NONE);
	assert_string_equal(rig.sdp, "their answer\r\n");
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
	assert_int_equal(peer_count(rig.p, "INVITE"), 0);

	/* without an offer */
	assert_int_equal(modify(NULL, SIP_MODIFY_UPDATE), 0);
	up = rig_expect("UPDATE");
	assert_string_equal(msg_body(up), "");
	peer_reply(rig.p, up, 200, "", "", NULL);
	rig_wait(&rig.modified, 2);

	/* by itself it is a re-INVITE */
	assert_int_equal(modify("our third\r\n", SIP_MODIFY_AUTO), 0);
	peer_reply(rig.p, rig_expect("INVITE"), 200, "", "",
		   "their answer\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.modified, 3);
}


static void test_out_not_allowed(void **state)
{
	struct peer_dialog d;
	(void)state;

	call_up(&d, "Allow: INVITE, ACK, BYE\r\n");
	assert_false(sip_call_can_update(rig.c));
	assert_int_equal(modify("our offer\r\n", SIP_MODIFY_UPDATE), ENOTSUP);

	/* who sends one knows it */
	peer_request(rig.p, &d, "UPDATE", "", NULL);
	(void)rig_expect("200 UPDATE");
	assert_true(sip_call_can_update(rig.c));
}


static void test_out_early_caller(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *up;
	(void)state;

	/* nothing is settled yet */
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	assert_int_equal(modify("our second\r\n", SIP_MODIFY_AUTO), ENOTCONN);
	peer_reply(rig.p, inv, 183, "t1", CAN, "their session\r\n");
	rig_wait(&rig.progress, 1);
	assert_int_equal(modify("our second\r\n", SIP_MODIFY_AUTO), ENOTCONN);
	rig.c = mem_deref(rig.c);
	(void)rig_expect("CANCEL");
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	(void)rig_expect("ACK");

	rig.progress = 0;
	inv = call_early(&d);
	assert_int_equal(modify("our second\r\n", SIP_MODIFY_REINVITE),
			 ENOTCONN);
	assert_int_equal(modify("our second\r\n", SIP_MODIFY_AUTO), 0);
	up = rig_expect("UPDATE");
	assert_string_equal(msg_body(up), "our second\r\n");
	assert_int_equal(pl_strcmp(&up->to.tag, "t1"), 0);
	peer_reply(rig.p, up, 200, "", "", "their second\r\n");
	rig_wait(&rig.modified, 1);
	assert_int_equal(rig.mod.cause, SIP_CAUSE_NONE);
	assert_string_equal(rig.sdp, "their second\r\n");
	assert_int_equal(rig.results, 0);

	peer_reply(rig.p, inv, 200, "t1", "", NULL);
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "their second\r\n");
}


/* The answer to the call does not wait for that to the UPDATE */
static void test_out_early_crossing(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *up;
	(void)state;

	inv = call_early(&d);
	assert_int_equal(modify("our second\r\n", SIP_MODIFY_AUTO), 0);
	up = rig_expect("UPDATE");
	peer_reply(rig.p, inv, 200, "t1", "", NULL);
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	peer_reply(rig.p, up, 200, "", "", "their second\r\n");
	rig_wait(&rig.modified, 1);
	assert_string_equal(rig.sdp, "their second\r\n");
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
}


static void test_out_early_callee(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *up;
	(void)state;

	called_early(&d);
	assert_int_equal(modify("our second\r\n", SIP_MODIFY_AUTO), 0);
	up = rig_expect("UPDATE");

	/* our 2xx waits until it is clear what was agreed */
	assert_int_equal(sip_call_answer(rig.c, NULL), EINVAL);
	rig_expect_none("200 INVITE");
	peer_reply(rig.p, up, 200, "", "", "their second\r\n");
	rig_wait(&rig.modified, 1);
	assert_string_equal(rig.sdp, "their second\r\n");
	assert_int_equal(sip_call_answer(rig.c, NULL), 0);
	(void)rig_expect("200 INVITE");
	rig_ack(&d, 1, NULL);
	rig_wait(&rig.established, 1);
}


static void test_out_early_callee_waits(void **state)
{
	struct peer_dialog d;
	struct mbuf *sdp;
	const struct sip_msg *up;
	(void)state;

	called_early(&d);
	assert_int_equal(modify("our second\r\n", SIP_MODIFY_AUTO), 0);
	up = rig_expect("UPDATE");
	sdp = sdp_make("our second\r\n");
	assert_int_equal(sip_call_answer(rig.c, sdp), 0);
	mem_deref(sdp);
	rig_expect_none("200 INVITE");

	/* refused: what was before stands, and the call is answered */
	peer_reply(rig.p, up, 488, "", "", NULL);
	rig_wait(&rig.modified, 1);
	assert_int_equal(rig.mod.code, 488);
	assert_string_equal(msg_body(rig_expect("200 INVITE")), "");
	rig_ack(&d, 1, NULL);
	rig_wait(&rig.established, 1);
}


static void test_out_refused(void **state)
{
	static const unsigned codes[] = {488, 500, 504, 606};
	struct peer_dialog d;
	unsigned i;
	(void)state;

	call_up(&d, CAN);

	for (i = 0; i < COUNTOF(codes); i++) {
		assert_int_equal(modify("offer\r\n", SIP_MODIFY_UPDATE), 0);
		peer_reply(rig.p, rig_expect("UPDATE"), codes[i], "", "",
			   NULL);
		rig_wait(&rig.modified, i + 1);
		assert_int_equal(rig.mod.code, codes[i]);
		assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
		assert_true(sip_call_established(rig.c));
	}

	/* an answer that is none ends it */
	assert_int_equal(modify("offer\r\n", SIP_MODIFY_UPDATE), 0);
	peer_reply(rig.p, rig_expect("UPDATE"), 200, "", "", NULL);
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_MEDIA, 200, false);
	rig_wait_idle();
}


static void test_out_ends(void **state)
{
	struct peer_dialog d;
	int k;
	(void)state;

	for (k = 0; k < 2; k++) {
		rig.closed = rig.established = 0;
		call_up(&d, CAN);
		assert_int_equal(modify("offer\r\n", SIP_MODIFY_UPDATE), 0);
		peer_reply(rig.p, rig_expect("UPDATE"), k ? 408 : 481, "",
			   "", NULL);
		if (k) {
			peer_reply(rig.p, rig_expect("BYE"), 200, "", "",
				   NULL);
			rig_assert_closed(SIP_CAUSE_TIMEOUT, 408, false);
		}
		else {
			rig_assert_closed(SIP_CAUSE_STATUS, 481, true);
			rig_expect_none("BYE");
		}
		rig_wait_idle();
		rig.c = mem_deref(rig.c);
	}
}


/* It is refused for now: 491 by chance, 500 when the peer says so */
static void test_out_again(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *up;
	uint64_t t0;
	(void)state;

	call_up(&d, CAN);
	assert_int_equal(modify("our offer\r\n", SIP_MODIFY_UPDATE), 0);
	peer_reply(rig.p, rig_expect("UPDATE"), 491, "", "", NULL);
	t0 = clock_ms();
	up = rig_expect("UPDATE");
	assert_in_range(clock_ms() - t0 + 2, 2100 * RIG_T1 / 500,
			4000 * RIG_T1 / 500 + 150);
	assert_string_equal(msg_body(up), "our offer\r\n");

	peer_reply(rig.p, up, 500, "", "Retry-After: 1\r\n", NULL);
	t0 = clock_ms();
	up = rig_expect("UPDATE");
	assert_in_range(clock_ms() - t0 + 5, 1000, 1200);
	assert_int_equal(rig.modified, 0);

	/* too long to wait for */
	peer_reply(rig.p, up, 500, "", "Retry-After: 11\r\n", NULL);
	rig_wait(&rig.modified, 1);
	assert_int_equal(rig.mod.code, 500);
}


static void test_out_bye(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *up;
	(void)state;

	call_up(&d, CAN);
	assert_int_equal(modify("our offer\r\n", SIP_MODIFY_UPDATE), 0);
	up = rig_expect("UPDATE");
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_assert_closed(SIP_CAUSE_NONE, 0, true);
	peer_reply(rig.p, up, 481, "", "", NULL);
	rig_wait_idle();
	assert_int_equal(rig.modified, 0);
}


static void test_out_free_inside(void **state)
{
	static const enum where v[] = {IN_RESULT, IN_MODIFIED};
	struct peer_dialog d;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		rig.established = 0;
		call_up(&d, CAN);
		assert_int_equal(modify("offer\r\n", SIP_MODIFY_UPDATE), 0);
		rig.free_in = v[i];
		peer_reply(rig.p, rig_expect("UPDATE"), 200, "", "",
			   "their answer\r\n");
		peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
		rig.closed = 1;
		rig_wait_idle();
		rig.free_in = NOWHERE;
		rig.closed = 0;
	}
}


/* Freed while an early UPDATE of ours is under way */
static void test_out_early_freed(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	inv = call_early(&d);
	assert_int_equal(modify("our second\r\n", SIP_MODIFY_AUTO), 0);
	(void)rig_expect("UPDATE");
	rig.c = mem_deref(rig.c);
	(void)rig_expect("CANCEL");
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	(void)rig_expect("ACK");
	rig.closed = 1;
	rig_wait_idle();
}


/* Requests of the user's: in early dialogs, with large bodies */
static unsigned answered;

static void answered_h(const struct sip_result *res,
		       const struct sip_info *in, void *arg)
{
	(void)in;
	(void)arg;
	answered += res->code == 200;
}


static void test_request(void **state)
{
	struct peer_dialog d;
	struct sip_req *req = NULL;
	const struct sip_msg *m;
	(void)state;

	answered = 0;
	(void)call_early(&d);
	assert_int_equal(sip_call_request(&req, rig.c, "PRACK", NULL, NULL,
					  NULL, answered_h, NULL), EINVAL);
	assert_int_equal(sip_call_request(&req, rig.c, "UPDATE", NULL,
					  "application/sdp", "v=0",
					  answered_h, NULL), EINVAL);
	assert_int_equal(sip_call_request(&req, rig.c, "INFO", NULL,
					  "text/plain", "early", answered_h,
					  NULL), 0);
	m = rig_expect("INFO");
	assert_int_equal(pl_strcmp(&m->to.tag, "t1"), 0);
	assert_string_equal(msg_body(m), "early");
	peer_reply(rig.p, m, 200, "", "", NULL);
	rig_wait(&answered, 1);
	mem_deref(req);
}


static void test_request_large(void **state)
{
	static const char *const v[] = {"INFO", "MESSAGE", "REFER", "UPDATE"};
	struct sip_call_conf conf = {0};
	const struct sip_msg *inv, *m;
	struct sip_req *req = NULL;
	struct peer *p;
	char *body = mem_zalloc(60001, NULL);
	size_t i;
	(void)state;

	answered = 0;
	memset(body, 'x', 60000);
	assert_int_equal(peer_alloc_tcp(&p, NULL), 0);
	rig_peer(p);
	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);

	for (i = 0; i < COUNTOF(v); i++) {
		assert_int_equal(sip_call_request(
			&req, rig.c, v[i], NULL, "text/plain", body,
			answered_h, NULL), 0);
		m = rig_expect(v[i]);
		assert_int_equal(mbuf_get_left(m->mb), 60000);
		assert_memory_equal(mbuf_buf(m->mb), body, 60000);
		peer_reply(rig.p, m, 200, "", "", NULL);
		rig_wait(&answered, (unsigned)i + 1);
		req = mem_deref(req);
	}

	mem_deref(body);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_in),
		RIG_TEST(test_in_early_caller),
		RIG_TEST(test_in_early_forks),
		RIG_TEST(test_in_early_glare),
		RIG_TEST(test_in_early_callee),
		RIG_TEST(test_in_unacked),
		RIG_TEST(test_in_hangup_inside),
		RIG_TEST(test_out),
		RIG_TEST(test_out_not_allowed),
		RIG_TEST(test_out_early_caller),
		RIG_TEST(test_out_early_crossing),
		RIG_TEST(test_out_early_callee),
		RIG_TEST(test_out_early_callee_waits),
		RIG_TEST(test_out_refused),
		RIG_TEST(test_out_ends),
		RIG_TEST(test_out_again),
		RIG_TEST(test_out_bye),
		RIG_TEST(test_out_free_inside),
		RIG_TEST(test_out_early_freed),
		RIG_TEST(test_request),
		RIG_TEST(test_request_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
