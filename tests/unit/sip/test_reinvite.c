/**
 * @file test_reinvite.c  INVITE inside a dialog, both directions
 */
#include "rig.h"


static void modify(const char *offer)
{
	struct mbuf *sdp = offer ? sdp_make(offer) : NULL;

	assert_int_equal(sip_call_modify(rig.c, sdp), 0);
	mem_deref(sdp);
}


/* The peer's -------------------------------------------------------------- */

static void test_in(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok, *again;
	int k;
	(void)state;

	rig_call_up(&d);

	for (k = 0; k < 2; k++) {
		peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
		ok = rig_expect("200 INVITE");
		assert_string_equal(rig.sdp, "their offer\r\n");
		assert_string_equal(msg_body(ok), k ? "our answer 2\r\n" :
				    "our answer 1\r\n");
		assert_string_not_equal(msg_header(ok, "Contact"), "");
		assert_int_equal(pl_strcmp(&ok->to.tag, d.rtag), 0);

		/* until the ACK comes */
		again = rig_expect("200 INVITE");
		assert_memory_equal(again->mb->buf, ok->mb->buf, ok->mb->end);
		peer_request(rig.p, &d, "ACK", "", NULL);
		loop_run(10);
		peer_forget(rig.p);
		rig_expect_none("200 INVITE");
	}

	assert_int_equal(rig.established, 1);
	assert_int_equal(rig.answers, 2);
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
}


static void test_in_refused(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called_up(&d);
	rig.answer_status = 488;
	peer_request(rig.p, &d, "INVITE", "", "nonsense");
	(void)rig_expect("488 INVITE");
	peer_request(rig.p, &d, "ACK", "", NULL);

	/* what was before stands, and the next one may be better */
	assert_true(sip_call_established(rig.c));
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
	rig.answer_status = 0;
	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	(void)rig_expect("200 INVITE");
	peer_request(rig.p, &d, "ACK", "", NULL);
	loop_run(10);
	assert_null(rig.c->ok);
	assert_int_equal(rig.closed, 0);
}


static void test_in_late(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called_up(&d);
	peer_request(rig.p, &d, "INVITE", "", NULL);
	assert_string_equal(msg_body(rig_expect("200 INVITE")),
			    "our offer 1\r\n");

	/* our offer is out: no other may begin */
	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	(void)rig_expect("491 INVITE");
	--d.cseq;

	peer_request(rig.p, &d, "ACK", "", "their answer\r\n");
	rig_wait(&rig.results, 1);
	assert_string_equal(rig.sdp, "their answer\r\n");
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
	assert_int_equal(rig.established, 1);

	/* no offer can be made */
	++d.cseq;
	rig.offer_err = ENOMEM;
	peer_request(rig.p, &d, "INVITE", "", NULL);
	assert_string_not_equal(msg_header(rig_expect("500 INVITE"),
					   "Retry-After"), "");
	assert_true(sip_call_established(rig.c));
}


static void test_in_late_unusable(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called_up(&d);
	rig.result_status = 488;
	peer_request(rig.p, &d, "INVITE", "", NULL);
	(void)rig_expect("200 INVITE");
	peer_request(rig.p, &d, "ACK", "", "nonsense");
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_MEDIA, 0, false);
	rig_wait_idle();
}


static void test_in_too_early(void **state)
{
	struct peer_dialog d;
	struct mbuf *sdp;
	uint32_t first;
	const struct sip_msg *no;
	(void)state;

	rig_called(&d, "", "their session\r\n");
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), 0);
	peer_dialog_take(&d, rig_expect("180 INVITE"));
	first = d.cseq;

	/* the first one is not answered yet */
	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	no = rig_expect("500 INVITE");
	assert_string_not_equal(msg_header(no, "Retry-After"), "");
	assert_in_range(atoi(msg_header(no, "Retry-After")), 0, 10);

	sdp = sdp_make("our session\r\n");
	assert_int_equal(sip_call_answer(rig.c, sdp), 0);
	mem_deref(sdp);
	(void)rig_expect("200 INVITE");
	d.cseq = first;
	peer_request(rig.p, &d, "ACK", "", NULL);
	rig_wait(&rig.established, 1);
}


static void test_in_for_ack(void **state)
{
	struct peer_dialog d;
	(void)state;

	/* the ACK is lost, but who sends the next INVITE has had our 2xx */
	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	peer_dialog_take(&d, rig_expect("200 INVITE"));
	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	rig_wait(&rig.established, 1);
	assert_int_equal(rig.answers, 1);
	peer_request(rig.p, &d, "ACK", "", NULL);
	loop_run(10);
	assert_null(rig.c->ok);
	assert_int_equal(rig.closed, 0);
}


static void test_in_never_acked(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_call_up(&d);
	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_TIMEOUT, 0, false);
	rig_wait_idle();
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
		peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
		(void)rig_expect("487 INVITE");
		peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
		if (k)
			rig.closed = 1;
		rig_wait(&rig.closed, 1);
		rig_wait_idle();
		rig.c = mem_deref(rig.c);
		rig.hangup_in = rig.free_in = NOWHERE;
	}
}


static void test_target_refresh(void **state)
{
	struct peer_dialog d;
	struct peer *other;
	char contact[120];
	(void)state;

	assert_int_equal(peer_alloc(&other), 0);
	(void)snprintf(contact, sizeof(contact), "Contact: <%s>\r\n",
		       peer_uri(other));

	/* refused: the old target stays */
	rig_call_up(&d);
	rig.answer_status = 488;
	peer_request(rig.p, &d, "INVITE", contact, "nonsense");
	(void)rig_expect("488 INVITE");
	peer_request(rig.p, &d, "ACK", "", NULL);
	assert_string_equal(rig.c->br->dlg->target, peer_uri(rig.p));

	rig.answer_status = 0;
	peer_request(rig.p, &d, "INVITE", contact, "their offer\r\n");
	(void)rig_expect("200 INVITE");
	peer_request(rig.p, &d, "ACK", "", NULL);
	loop_run(10);

	sip_call_hangup(rig.c, 0, NULL);
	peer_reply(other, peer_wait(other, "BYE", WAIT_MS), 200, "", "",
		   NULL);
	rig_wait_idle();
	mem_deref(other);
}


/* Ours -------------------------------------------------------------------- */

static void test_out(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *ack, *again;
	(void)state;

	rig_called_up(&d);
	modify("our new offer\r\n");
	assert_int_equal(rig.modified, 0);
	inv = rig_expect("INVITE");
	assert_string_equal(msg_body(inv), "our new offer\r\n");
	assert_string_equal(msg_ruri(inv), peer_uri(rig.p));
	assert_string_not_equal(msg_header(inv, "Contact"), "");
	assert_int_equal(pl_strcmp(&inv->to.tag, d.ltag), 0);

	peer_reply(rig.p, inv, 100, "", "", NULL);
	peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
	ack = rig_expect("ACK");
	rig_wait(&rig.modified, 1);
	assert_int_equal(rig.mod.cause, SIP_CAUSE_NONE);
	assert_int_equal(rig.results, 1);
	assert_string_equal(rig.sdp, "their answer\r\n");
	assert_int_equal(ack->cseq.num, inv->cseq.num);

	peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
	again = rig_expect("ACK");
	assert_memory_equal(again->mb->buf, ack->mb->buf, ack->mb->end);
	assert_int_equal(rig.results, 1);
}


static void test_out_late(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	rig_call_up(&d);
	modify(NULL);
	inv = rig_expect("INVITE");
	assert_string_equal(msg_body(inv), "");
	peer_reply(rig.p, inv, 200, "", "", "their offer\r\n");
	assert_string_equal(msg_body(rig_expect("ACK")), "our answer 1\r\n");
	rig_wait(&rig.modified, 1);
	assert_string_equal(rig.sdp, "their offer\r\n");
}


static void test_out_refused(void **state)
{
	static const unsigned codes[] = {488, 500, 403, 606};
	struct peer_dialog d;
	unsigned i;
	(void)state;

	rig_call_up(&d);

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		modify("our new offer\r\n");
		peer_reply(rig.p, rig_expect("INVITE"), codes[i], "", "",
			   NULL);
		(void)rig_expect("ACK");
		rig_wait(&rig.modified, i + 1);
		assert_int_equal(rig.mod.code, codes[i]);
		assert_int_not_equal(rig.mod.cause, SIP_CAUSE_NONE);
		assert_true(sip_call_established(rig.c));
		assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
	}

	assert_int_equal(rig.closed, 0);
}


static void test_out_ends(void **state)
{
	struct peer_dialog d;
	int k;
	(void)state;

	for (k = 0; k < 2; k++) {
		rig_again();
		rig.closed = rig.established = 0;
		rig_call_up(&d);
		modify("our new offer\r\n");
		peer_reply(rig.p, rig_expect("INVITE"), k ? 408 : 481, "", "",
			   NULL);
		(void)rig_expect("ACK");
		if (k) {
			peer_reply(rig.p, rig_expect("BYE"), 200, "", "",
				   NULL);
			rig_assert_closed(SIP_CAUSE_TIMEOUT, 408, false);
		}
		else {
			rig_assert_closed(SIP_CAUSE_STATUS, 481, true);
			rig_expect_none("BYE");
		}
		assert_int_equal(rig.modified, 0);
		rig_wait_idle();
		rig.c = mem_deref(rig.c);
	}
}


static void test_out_unusable(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_call_up(&d);
	rig.result_status = 488;
	modify("our new offer\r\n");
	peer_reply(rig.p, rig_expect("INVITE"), 200, "", "", "nonsense");
	(void)rig_expect("ACK");
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_MEDIA, 200, false);
	assert_int_equal(rig.modified, 0);
	rig_wait_idle();
}


static void test_out_again(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	/* only the last wish counts while one is under way */
	rig_call_up(&d);
	modify("wish 1\r\n");
	inv = rig_expect("INVITE");
	modify("wish 2\r\n");
	modify("wish 3\r\n");
	rig_expect_none("INVITE");

	peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
	inv = rig_expect("INVITE");
	assert_string_equal(msg_body(inv), "wish 3\r\n");
	assert_int_equal(peer_count(rig.p, "ACK"), 1);
	peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
	rig_wait(&rig.modified, 2);
	rig_expect_none("INVITE");
}


static void test_out_before_ack(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	peer_dialog_take(&d, rig_expect("200 INVITE"));
	modify("our new offer\r\n");
	rig_expect_none("INVITE");
	peer_request(rig.p, &d, "ACK", "", NULL);
	(void)rig_expect("INVITE");
}


/* How long after a 491 it comes again, in units of 10 ms when T1 is 500 */
static void assert_glare(unsigned from, unsigned to)
{
	const struct sip_msg *inv = NULL;
	unsigned i;

	rig.s->t1_ms = 100;

	for (i = 0; i < 3; i++) {
		uint64_t t0, t;

		modify("our new offer\r\n");
		inv = rig_expect("INVITE");
		t0 = clock_ms();
		peer_reply(rig.p, inv, 491, "", "", NULL);
		(void)rig_expect("ACK");
		inv = rig_expect("INVITE");
		t = clock_ms() - t0;
		assert_in_range(t, 10 * from * 100 / 500,
				10 * to * 100 / 500 + 50);
		assert_string_equal(msg_body(inv), "our new offer\r\n");
		if (i == 2)
			break;
		peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
		(void)rig_expect("ACK");
		rig_wait(&rig.modified, i + 1);
	}

	/* again and again: then it is told */
	rig.s->t1_ms = 5;
	for (i = 1; i < 10; i++) {
		peer_reply(rig.p, inv, 491, "", "", NULL);
		if (i < 9)
			inv = rig_expect("INVITE");
	}
	rig_wait(&rig.modified, 3);
	assert_int_equal(rig.mod.code, 491);
	assert_true(sip_call_established(rig.c));
}


static void test_glare_caller(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_call_up(&d);
	assert_glare(210, 400);
}


static void test_glare_callee(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called_up(&d);
	assert_glare(0, 200);
}


static void test_glare_both(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	/* both refuse; then the peer, who owns the Call-ID not, goes first */
	rig_call_up(&d);
	modify("our new offer\r\n");
	inv = rig_expect("INVITE");
	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	(void)rig_expect("491 INVITE");
	peer_request(rig.p, &d, "ACK", "", NULL);
	peer_reply(rig.p, inv, 491, "", "", NULL);
	(void)rig_expect("ACK");

	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	(void)rig_expect("200 INVITE");
	peer_request(rig.p, &d, "ACK", "", NULL);
	assert_int_equal(rig.answers, 1);

	inv = rig_expect("INVITE");
	assert_string_equal(msg_body(inv), "our new offer\r\n");
	peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
	rig_wait(&rig.modified, 1);
	assert_int_equal(rig.mod.cause, SIP_CAUSE_NONE);
}


static void test_out_slow(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	/* a 1xx and nothing more is not waited for for ever */
	rig_call_up(&d);
	modify("our new offer\r\n");
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 100, "", "", NULL);
	(void)rig_expect("CANCEL");
	peer_reply(rig.p, inv, 487, "", "", NULL);
	rig_wait(&rig.modified, 1);
	assert_int_not_equal(rig.mod.cause, SIP_CAUSE_NONE);
	assert_true(sip_call_established(rig.c));
}


static void test_out_hangup(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *bye;
	(void)state;

	rig_call_up(&d);
	modify("our new offer\r\n");
	inv = rig_expect("INVITE");
	sip_call_hangup(rig.c, 0, NULL);
	bye = rig_expect("BYE");
	assert_true(bye->cseq.num > inv->cseq.num);

	/* its answer crossed the BYE: it is acknowledged all the same */
	peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
	(void)rig_expect("ACK");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
	assert_int_equal(rig.modified, 0);
	assert_int_equal(rig.results, 1);
}


static void test_out_bye(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	rig_call_up(&d);
	modify("our new offer\r\n");
	inv = rig_expect("INVITE");
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_assert_closed(SIP_CAUSE_NONE, 0, true);
	peer_reply(rig.p, inv, 487, "", "", NULL);
	(void)rig_expect("ACK");
	rig_wait_idle();
	assert_int_equal(rig.modified, 0);
}


/* The peer had answered when it hung up, or has not understood that it did;
 * the user may have let go of the call, or not yet */
static void test_out_bye_accepted(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *ack;
	int k;
	(void)state;

	for (k = 0; k < 2; k++) {
		rig_again();
		rig.results = rig.established = 0;
		rig_call_up(&d);
		modify("our new offer\r\n");
		inv = rig_expect("INVITE");
		rig.free_in = k ? IN_CLOSED : NOWHERE;
		peer_request(rig.p, &d, "BYE", "", NULL);
		(void)rig_expect("200 BYE");
		rig_assert_closed(SIP_CAUSE_NONE, 0, true);

		peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
		ack = rig_expect("ACK");
		assert_int_equal(ack->cseq.num, inv->cseq.num);

		/* it was lost on the way */
		peer_reply(rig.p, inv, 200, "", "", "their answer\r\n");
		ack = rig_expect("ACK");
		assert_int_equal(ack->cseq.num, inv->cseq.num);

		rig_wait_idle();
		rig_expect_none("BYE");
		assert_int_equal(rig.modified, 0);
		assert_int_equal(rig.results, 1);
		rig.c = mem_deref(rig.c);
		rig.free_in = NOWHERE;
		rig.closed = 0;
	}
}


static void test_out_free_inside(void **state)
{
	static const enum where v[] = {IN_RESULT, IN_MODIFIED};
	struct peer_dialog d;
	size_t i;
	(void)state;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rig_again();
		rig.established = 0;
		rig_call_up(&d);
		modify("our new offer\r\n");
		rig.free_in = v[i];
		peer_reply(rig.p, rig_expect("INVITE"), 200, "", "",
			   "their answer\r\n");
		(void)rig_expect("ACK");
		peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
		rig.closed = 1;
		rig_wait_idle();
		rig.free_in = NOWHERE;
		rig.closed = 0;
	}
}


/* Other requests ---------------------------------------------------------- */

static void test_others(void **state)
{
	struct peer_dialog d, e;
	const struct sip_msg *r;
	(void)state;

	rig_call_up(&d);
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	r = rig_expect("200 OPTIONS");
	assert_string_equal(msg_header(r, "Allow"), SIP_ALLOW);
	assert_string_equal(msg_header(r, "Accept"),
			    SIP_ACCEPT ", " SIP_PARTS);
	peer_request(rig.p, &d, "INFO", "", NULL);
	assert_string_equal(msg_header(rig_expect("405 INFO"), "Allow"),
			    SIP_ALLOW);
	peer_request(rig.p, &d, "PUBLISH", "", NULL);
	(void)rig_expect("405 PUBLISH");
	peer_request(rig.p, &d, "DANCE", "", NULL);
	(void)rig_expect("501 DANCE");

	peer_request(rig.p, &d, "INVITE", "Require: moon, sun\r\n",
		     "their offer\r\n");
	assert_string_equal(msg_header(rig_expect("420 INVITE"),
				       "Unsupported"), "moon, sun");
	peer_request(rig.p, &d, "INVITE", "Content-Type: text/plain\r\n"
		     "Content-Length: 2\r\n\r\nhi", NULL);
	assert_string_equal(msg_header(rig_expect("415 INVITE"), "Accept"),
			    SIP_ACCEPT ", " SIP_PARTS);

	/* out of order */
	d.cseq -= 50;
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	(void)rig_expect("500 OPTIONS");
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("500 BYE");
	d.cseq += 50;

	/* another's tag, another's Call-ID */
	e = d;
	(void)strcpy(e.ltag, "other");
	peer_request(rig.p, &e, "BYE", "", NULL);
	(void)rig_expect("481 BYE");
	e = d;
	(void)strcpy(e.callid, "other");
	peer_request(rig.p, &e, "BYE", "", NULL);
	(void)rig_expect("481 BYE");

	assert_true(sip_call_established(rig.c));
	assert_int_equal(rig.closed, 0);
}


static unsigned answered;
static uint16_t answered_code;

static void answered_h(const struct sip_result *res,
		       const struct sip_info *in, void *arg)
{
	(void)in;
	(void)arg;

	++answered;
	answered_code = res->code;
}


static void test_request(void **state)
{
	struct peer_dialog d;
	struct sip_req *req = NULL;
	const struct sip_msg *m, *bye;
	(void)state;

	answered = 0;
	rig_called_up(&d);
	assert_int_equal(sip_call_request(&req, rig.c, "BYE", NULL, NULL,
					  NULL, answered_h, NULL), EINVAL);
	assert_int_equal(sip_call_request(&req, rig.c, "IN FO", NULL, NULL,
					  NULL, answered_h, NULL), EINVAL);
	assert_int_equal(sip_call_request(&req, rig.c, "INFO", "bad", NULL,
					  NULL, answered_h, NULL), EINVAL);
	assert_int_equal(sip_call_request(&req, rig.c, "INFO", "X-A: b\r\n",
					  "text/plain", "hello",
					  answered_h, NULL), 0);
	m = rig_expect("INFO");
	assert_string_equal(msg_body(m), "hello");
	assert_string_equal(msg_header(m, "X-A"), "b");
	assert_string_equal(msg_header(m, "Content-Type"), "text/plain");
	assert_int_equal(pl_strcmp(&m->to.tag, d.ltag), 0);
	peer_reply(rig.p, m, 405, "", "", NULL);
	rig_wait(&answered, 1);
	assert_int_equal(answered_code, 405);
	mem_deref(req);

	/* the call ends while one is under way: its user holds on to it */
	assert_int_equal(sip_call_request(&req, rig.c, "OPTIONS", NULL, NULL,
					  NULL, answered_h, NULL), 0);
	m = rig_expect("OPTIONS");
	sip_call_hangup(rig.c, 0, NULL);
	bye = rig_expect("BYE");
	assert_int_equal(bye->cseq.num, m->cseq.num + 1);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait(&rig.closed, 1);
	rig.c = mem_deref(rig.c);
	peer_reply(rig.p, m, 200, "", "", NULL);
	rig_wait(&answered, 2);
	rig_wait_idle();
	mem_deref(req);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_in),
		RIG_TEST(test_in_refused),
		RIG_TEST(test_in_late),
		RIG_TEST(test_in_late_unusable),
		RIG_TEST(test_in_too_early),
		RIG_TEST(test_in_for_ack),
		RIG_TEST(test_in_never_acked),
		RIG_TEST(test_in_hangup_inside),
		RIG_TEST(test_target_refresh),
		RIG_TEST(test_out),
		RIG_TEST(test_out_late),
		RIG_TEST(test_out_refused),
		RIG_TEST(test_out_ends),
		RIG_TEST(test_out_unusable),
		RIG_TEST(test_out_again),
		RIG_TEST(test_out_before_ack),
		RIG_FAKE_TEST(test_glare_caller),
		RIG_FAKE_TEST(test_glare_callee),
		RIG_TEST(test_glare_both),
		RIG_TEST(test_out_slow),
		RIG_TEST(test_out_hangup),
		RIG_TEST(test_out_bye),
		RIG_TEST(test_out_bye_accepted),
		RIG_TEST(test_out_free_inside),
		RIG_TEST(test_others),
		RIG_TEST(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
