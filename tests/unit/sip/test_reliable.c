/**
 * @file test_reliable.c  Reliable provisional responses, both roles (RFC 3262)
 */
#include "rig.h"


#define REL(n) "Require: 100rel\r\nRSeq: " #n "\r\n"
#define KNOWS  "Supported: 100rel\r\n"


/* As caller --------------------------------------------------------------- */

static void assert_rack(const struct sip_msg *prack, unsigned rseq,
			const struct sip_msg *inv, const char *tag)
{
	char want[60];

	(void)snprintf(want, sizeof(want), "%u %u INVITE", rseq,
		       inv->cseq.num);
	assert_string_equal(msg_header(prack, "RAck"), want);
	assert_int_equal(pl_strcmp(&prack->to.tag, tag), 0);
	assert_string_equal(msg_ruri(prack), peer_uri(rig.p));
	assert_true(prack->cseq.num > inv->cseq.num);
}


static void test_out(void **state)
{
	const struct sip_msg *inv, *prack, *second, *ack, *bye;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	assert_non_null(strstr(msg_header(inv, "Supported"), "100rel"));
	assert_string_equal(msg_header(inv, "Require"), "");

	peer_reply(rig.p, inv, 183, "t1", REL(10), "their session\r\n");
	prack = rig_expect("PRACK");
	assert_rack(prack, 10, inv, "t1");
	assert_string_equal(msg_body(prack), "");
	rig_wait(&rig.progress, 1);
	assert_true(rig.progress_sdp);
	assert_int_equal(rig.previews, 1);

	/* copies, and what came too early, are not looked at */
	peer_reply(rig.p, inv, 183, "t1", REL(10), "their session\r\n");
	peer_reply(rig.p, inv, 183, "t1", REL(12), NULL);
	peer_reply(rig.p, inv, 183, "t1", REL(9), NULL);
	rig_expect_none("PRACK");
	assert_int_equal(rig.progress, 1);

	/* the PRACK itself is sent again until it is answered */
	peer_reply(rig.p, prack, 200, "", "", NULL);
	peer_reply(rig.p, inv, 180, "t1", REL(11), NULL);
	second = rig_expect("PRACK");
	assert_rack(second, 11, inv, "t1");
	assert_true(second->cseq.num > prack->cseq.num);
	peer_reply(rig.p, second, 481, "", "", NULL);
	rig_wait(&rig.progress, 2);
	assert_int_equal(rig.progress_code, 180);

	/* settled: no other description counts any more */
	peer_reply(rig.p, inv, 183, "t1", "", "another\r\n");
	rig_wait(&rig.progress, 3);
	assert_false(rig.progress_sdp);
	peer_reply(rig.p, inv, 200, "t1", "", "another\r\n");
	ack = rig_expect("ACK");
	assert_int_equal(ack->cseq.num, inv->cseq.num);
	assert_string_equal(msg_body(ack), "");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "their session\r\n");
	assert_int_equal(rig.previews, 1);
	assert_int_equal(rig.results, 1);
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);

	sip_call_hangup(rig.c, 0, NULL);
	bye = rig_expect("BYE");
	assert_true(bye->cseq.num > second->cseq.num);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
}


/* A preview first, the answer for good after it, the 2xx without any */
static void test_out_after_preview(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 183, "t1", "", "hint\r\n");
	rig_wait(&rig.previews, 1);
	peer_reply(rig.p, inv, 183, "t1", REL(1), "their session\r\n");
	rig_wait(&rig.previews, 2);
	assert_string_equal(rig.sdp, "their session\r\n");
	peer_reply(rig.p, rig_expect("PRACK"), 200, "", "", NULL);
	peer_reply(rig.p, inv, 200, "t1", "", NULL);
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "their session\r\n");
}


static void test_out_late(void **state)
{
	const struct sip_msg *inv, *prack;
	(void)state;

	rig_call(NULL, NULL);
	inv = rig_expect("INVITE");

	/* the first one need not have it in our eyes */
	peer_reply(rig.p, inv, 180, "t1", REL(1), NULL);
	peer_reply(rig.p, rig_expect("PRACK"), 200, "", "", NULL);
	peer_reply(rig.p, inv, 183, "t1", REL(2), "their offer\r\n");
	prack = rig_expect("PRACK");
	assert_string_equal(msg_body(prack), "our answer 1\r\n");
	assert_string_equal(msg_header(prack, "Content-Type"),
			    "application/sdp");
	assert_string_equal(rig.sdp, "their offer\r\n");
	rig_wait(&rig.progress, 2);
	assert_true(rig.progress_sdp);
	peer_reply(rig.p, prack, 200, "", "", NULL);

	peer_reply(rig.p, inv, 200, "t1", "", NULL);
	assert_string_equal(msg_body(rig_expect("ACK")), "");
	rig_wait(&rig.established, 1);
	assert_int_equal(rig.answers, 1);
	assert_int_equal(rig.results + rig.previews, 0);
}


static void test_out_late_unusable(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	rig_call(NULL, NULL);
	rig.answer_status = 488;
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 183, "t1", REL(2), "nonsense");
	assert_string_equal(msg_body(rig_expect("PRACK")), "");
	(void)rig_expect("CANCEL");
	rig_assert_closed(SIP_CAUSE_MEDIA, 183, false);
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	rig_wait_idle();
}


static void test_out_unusable(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", NULL);
	rig.result_status = 488;
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 183, "t1", REL(2), "nonsense");
	(void)rig_expect("PRACK");
	(void)rig_expect("CANCEL");
	rig_assert_closed(SIP_CAUSE_MEDIA, 183, false);
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	rig_wait_idle();
}


/* The branch that answered badly may be beaten by another */
static void test_out_unusable_fork(void **state)
{
	const struct sip_msg *inv, *bye;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	rig_wait(&rig.progress, 1);
	rig.result_status = 488;
	peer_reply(rig.p, inv, 183, "t2", REL(2), "nonsense");
	(void)rig_expect("PRACK");
	rig_wait(&rig.progress, 2);
	assert_false(rig.progress_sdp);
	rig_expect_none("CANCEL");

	rig.result_status = 0;
	peer_reply(rig.p, inv, 200, "t2", "", NULL);
	(void)rig_expect("ACK");
	bye = rig_expect("BYE");
	assert_non_null(strstr(msg_header(bye, "Reason"), "cause=488"));
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_MEDIA, 200, false);
	rig_wait_idle();
}


static void test_out_forks(void **state)
{
	const struct sip_msg *inv, *one, *two, *ack, *bye;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");

	/* each counts its own */
	peer_reply(rig.p, inv, 183, "t1", REL(100), "session one\r\n");
	one = rig_expect("PRACK");
	assert_rack(one, 100, inv, "t1");
	peer_reply(rig.p, inv, 183, "t2", REL(7), "session two\r\n");
	two = rig_expect("PRACK");
	assert_rack(two, 7, inv, "t2");
	assert_int_equal(one->cseq.num, two->cseq.num);
	peer_reply(rig.p, inv, 180, "t1", REL(101), NULL);
	assert_rack(rig_expect("PRACK"), 101, inv, "t1");
	peer_reply(rig.p, inv, 180, "t2", REL(8), NULL);
	assert_rack(rig_expect("PRACK"), 8, inv, "t2");
	rig_wait(&rig.progress, 4);
	assert_string_equal(rig.sdp, "session two\r\n");

	/* who wins is told again, if it was not the last one told */
	peer_reply(rig.p, inv, 200, "t1", "", NULL);
	ack = rig_expect("ACK");
	assert_int_equal(pl_strcmp(&ack->to.tag, "t1"), 0);
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "session one\r\n");

	/* the other one answers too */
	peer_reply(rig.p, inv, 200, "t2", "", NULL);
	ack = rig_expect("ACK");
	assert_int_equal(pl_strcmp(&ack->to.tag, "t2"), 0);
	bye = rig_expect("BYE");
	assert_int_equal(pl_strcmp(&bye->to.tag, "t2"), 0);
	assert_true(bye->cseq.num > inv->cseq.num + 2);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	assert_int_equal(rig.closed, 0);
}


static void test_out_199(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	assert_non_null(strstr(msg_header(inv, "Supported"), "199"));
	peer_reply(rig.p, inv, 183, "t1", "", "one\r\n");
	peer_reply(rig.p, inv, 183, "t2", "", "two\r\n");
	rig_wait(&rig.progress, 2);
	assert_int_equal(list_count(&rig.c->branches), 2);
	peer_reply(rig.p, inv, 199, "t2", "", NULL);
	rig_wait(&rig.progress, 3);
	assert_int_equal(rig.progress_code, 199);
	assert_int_equal(list_count(&rig.c->branches), 1);
	peer_reply(rig.p, inv, 200, "t1", "", "one\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "one\r\n");
}


static void test_out_modes(void **state)
{
	struct sip_call_conf conf = {.ext = {.rel100 = SIP_EXT_OFF}};
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	assert_null(strstr(msg_header(inv, "Supported"), "100rel"));
	assert_non_null(strstr(msg_header(inv, "Supported"), "timer"));
	peer_reply(rig.p, inv, 421, "t1", "Require: 100rel\r\n", NULL);
	(void)rig_expect("ACK");
	rig_assert_closed(SIP_CAUSE_STATUS, 421, true);
	rig_wait_idle();
	rig.c = mem_deref(rig.c);

	rig.closed = 0;
	conf.ext.rel100 = SIP_EXT_REQUIRED;
	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	assert_string_equal(msg_header(inv, "Require"), "100rel");
	peer_reply(rig.p, inv, 420, "t1", "Unsupported: 100rel\r\n", NULL);
	(void)rig_expect("ACK");
	rig_assert_closed(SIP_CAUSE_STATUS, 420, true);
	rig_wait_idle();
}


static void test_out_hangup_inside(void **state)
{
	static const enum where v[] = {IN_RESULT, IN_PROGRESS};
	const struct sip_msg *inv;
	unsigned i, k;
	(void)state;

	for (i = 0; i < 2 * COUNTOF(v); i++) {
		rig_again();
		k = i / 2;
		rig.closed = 0;
		rig_call("our session\r\n", NULL);
		inv = rig_expect("INVITE");
		if (i & 1)
			rig.free_in = v[k];
		else
			rig.hangup_in = v[k];
		peer_reply(rig.p, inv, 183, "t1", REL(1), "session\r\n");
		(void)rig_expect("PRACK");
		(void)rig_expect("CANCEL");
		peer_reply(rig.p, inv, 487, "t1", "", NULL);
		if (i & 1)
			rig.closed = 1;
		rig_wait(&rig.closed, 1);
		rig_wait_idle();
		rig.hangup_in = rig.free_in = NOWHERE;
		rig.c = mem_deref(rig.c);
	}
}


/* The peer answers while our PRACK is under way, and while it is lost */
static void test_out_answered_first(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", REL(1), NULL);
	(void)rig_expect("PRACK");
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "their session\r\n");
}


/* 1xx to a re-INVITE are counted anew and settle it */
static void test_out_reinvite(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *prack;
	struct mbuf *sdp;
	(void)state;

	rig_call_up(&d);
	sdp = sdp_make("our new offer\r\n");
	assert_int_equal(sip_call_modify(rig.c, sdp), 0);
	mem_deref(sdp);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 183, "", REL(55), "their answer\r\n");
	prack = rig_expect("PRACK");
	assert_string_not_equal(msg_header(prack, "RAck"), "");
	peer_reply(rig.p, prack, 200, "", "", NULL);
	assert_string_equal(rig.sdp, "their answer\r\n");
	peer_reply(rig.p, inv, 200, "", "", NULL);
	(void)rig_expect("ACK");
	rig_wait(&rig.modified, 1);
	assert_int_equal(rig.mod.cause, SIP_CAUSE_NONE);
	assert_true(sip_call_established(rig.c));
}


/* As callee --------------------------------------------------------------- */

static void ring(uint16_t code, const char *text)
{
	struct mbuf *sdp = text ? sdp_make(text) : NULL;

	assert_int_equal(sip_call_ring(rig.c, code, NULL, sdp), 0);
	mem_deref(sdp);
}


static void answer(const char *text)
{
	struct mbuf *sdp = text ? sdp_make(text) : NULL;

	assert_int_equal(sip_call_answer(rig.c, sdp), 0);
	mem_deref(sdp);
}


static uint32_t rseq_of(const struct sip_msg *msg)
{
	assert_string_equal(msg_header(msg, "Require"), "100rel");

	return (uint32_t)atoi(msg_header(msg, "RSeq"));
}


static void prack(struct peer_dialog *d, uint32_t rseq, const char *body)
{
	char rack[60];

	(void)snprintf(rack, sizeof(rack), "RAck: %u 1 INVITE\r\n", rseq);
	peer_request(rig.p, d, "PRACK", rack, body);
}


static void test_in(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a, *b, *ok;
	uint64_t t0, t;
	uint32_t rseq;
	(void)state;

	rig_called(&d, KNOWS, "their session\r\n");

	/* what has no description need not be reliable */
	ring(180, NULL);
	a = rig_expect("180 INVITE");
	assert_string_equal(msg_header(a, "RSeq"), "");
	peer_dialog_take(&d, a);

	ring(183, "our session\r\n");
	a = rig_expect("183 INVITE");
	t0 = clock_ms();
	rseq = rseq_of(a);
	assert_in_range(rseq, 1, 0x7fffffff);
	assert_string_equal(msg_body(a), "our session\r\n");
	assert_string_not_equal(msg_header(a, "Contact"), "");

	/* again after T1, then twice as long */
	b = rig_expect("183 INVITE");
	assert_memory_equal(a->mb->buf, b->mb->buf, a->mb->end);
	(void)rig_expect("183 INVITE");
	(void)rig_expect("183 INVITE");
	t = clock_ms() - t0;
	assert_in_range(t, 7 * RIG_T1 - 20, 7 * RIG_T1 + 150);

	prack(&d, rseq, NULL);
	ok = rig_expect("200 PRACK");
	assert_string_equal(msg_body(ok), "");
	peer_forget(rig.p);
	rig_expect_none("183 INVITE");

	/* it is not out any more */
	prack(&d, rseq, NULL);
	(void)rig_expect("481 PRACK");

	answer("ignored\r\n");
	ok = rig_expect("200 INVITE");
	assert_string_equal(msg_body(ok), "");
	rig_ack(&d, 1, NULL);
	rig_wait(&rig.established, 1);
	assert_int_equal(rig.results + rig.previews, 0);
}


static void test_in_holds_2xx(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a;
	struct mbuf *sdp = sdp_make("our session\r\n");
	(void)state;

	rig_called(&d, KNOWS, "their session\r\n");
	ring(183, "our session\r\n");
	a = rig_expect("183 INVITE");
	peer_dialog_take(&d, a);

	answer("our session\r\n");
	assert_int_equal(sip_call_answer(rig.c, sdp), EALREADY);
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), ENOTCONN);
	mem_deref(sdp);
	rig_expect_none("200 INVITE");

	prack(&d, rseq_of(a), NULL);
	(void)rig_expect("200 PRACK");
	assert_string_equal(msg_body(rig_expect("200 INVITE")), "");
	rig_ack(&d, 1, NULL);
	rig_wait(&rig.established, 1);
}


/* Without a description in it the 2xx may overtake, and PRACK is served */
static void test_in_2xx_first(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a;
	(void)state;

	rig_called(&d, "Require: 100rel\r\n", "their session\r\n");
	ring(180, NULL);
	a = rig_expect("180 INVITE");
	peer_dialog_take(&d, a);
	answer("our session\r\n");
	assert_string_equal(msg_body(rig_expect("200 INVITE")),
			    "our session\r\n");
	peer_forget(rig.p);
	loop_run(4 * RIG_T1);
	assert_int_equal(peer_count(rig.p, "180 INVITE"), 0);
	prack(&d, rseq_of(a), NULL);
	(void)rig_expect("200 PRACK");
	rig_ack(&d, 1, NULL);
	rig_wait(&rig.established, 1);
}


static void test_in_several(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a, *b, *e;
	uint32_t rseq;
	unsigned i;
	(void)state;

	rig_called(&d, "Require: 100rel\r\n", "their session\r\n");
	ring(180, NULL);
	ring(183, "our session\r\n");
	ring(182, NULL);
	a = rig_expect("180 INVITE");
	peer_dialog_take(&d, a);
	rseq = rseq_of(a);
	rig_expect_none("183 INVITE");

	prack(&d, rseq, NULL);
	b = rig_expect("183 INVITE");
	assert_int_equal(rseq_of(b), rseq + 1);
	assert_string_equal(msg_body(b), "our session\r\n");
	prack(&d, rseq + 2, NULL);
	(void)rig_expect("481 PRACK");
	prack(&d, rseq + 1, NULL);
	e = rig_expect("182 INVITE");
	assert_int_equal(rseq_of(e), rseq + 2);

	/* a queue has an end */
	for (i = 0; i < 8; i++)
		ring(180, NULL);
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), ENOBUFS);

	/* what waits is dropped with the answer */
	answer(NULL);
	(void)rig_expect("200 INVITE");
	peer_forget(rig.p);
	prack(&d, rseq + 2, NULL);
	(void)rig_expect("200 PRACK");
	rig_expect_none("180 INVITE");
}


static void test_in_late(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a, *ok;
	(void)state;

	rig_called(&d, KNOWS, NULL);
	ring(183, "our offer\r\n");
	a = rig_expect("183 INVITE");
	assert_string_equal(msg_body(a), "our offer\r\n");
	peer_dialog_take(&d, a);
	answer("our offer\r\n");
	rig_expect_none("200 INVITE");
	prack(&d, rseq_of(a), "their answer\r\n");
	(void)rig_expect("200 PRACK");
	assert_int_equal(rig.previews, 1);
	assert_string_equal(rig.sdp, "their answer\r\n");
	ok = rig_expect("200 INVITE");
	assert_string_equal(msg_body(ok), "");
	rig_ack(&d, 1, NULL);
	rig_wait(&rig.established, 1);
	assert_int_equal(rig.results, 0);
}


/* An unreliable one cannot carry an offer */
static void test_in_late_unreliable(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called(&d, "", NULL);
	ring(183, "our offer\r\n");
	assert_string_equal(msg_body(rig_expect("183 INVITE")), "");
	answer("our offer\r\n");
	assert_string_equal(msg_body(rig_expect("200 INVITE")),
			    "our offer\r\n");
}


static void late_fails(const char *body)
{
	struct peer_dialog d;
	const struct sip_msg *a;

	rig.result_status = 488;
	rig_called(&d, KNOWS, NULL);
	ring(183, "our offer\r\n");
	a = rig_expect("183 INVITE");
	peer_dialog_take(&d, a);
	prack(&d, rseq_of(a), body);
	(void)rig_expect("200 PRACK");
	(void)rig_expect("488 INVITE");
	rig_assert_closed(SIP_CAUSE_MEDIA, 0, false);
	rig_wait_idle();
}


static void test_in_late_unanswered(void **state)
{
	(void)state;
	late_fails(NULL);
	assert_int_equal(rig.previews, 0);
}


static void test_in_late_unusable(void **state)
{
	(void)state;
	late_fails("nonsense");
	assert_int_equal(rig.previews, 1);
}


/* A PRACK may bring an offer of its own, once all is settled */
static void test_in_prack_offer(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a;
	uint32_t rseq;
	(void)state;

	rig_called(&d, KNOWS, "their session\r\n");
	ring(183, "our session\r\n");
	a = rig_expect("183 INVITE");
	peer_dialog_take(&d, a);
	rseq = rseq_of(a);
	prack(&d, rseq, "their second offer\r\n");
	assert_string_equal(msg_body(rig_expect("200 PRACK")),
			    "our answer 1\r\n");
	assert_string_equal(rig.sdp, "their second offer\r\n");

	/* refused: what was before stands */
	ring(180, NULL);
	(void)rig_expect("180 INVITE");
	rig.answer_status = 488;
	prack(&d, rseq + 1, "nonsense");
	(void)rig_expect("488 PRACK");
	assert_int_equal(rig.c->br->offer.state, OFFER_STABLE);
	peer_forget(rig.p);
	rig_expect_none("180 INVITE");

	answer(NULL);
	assert_string_equal(msg_body(rig_expect("200 INVITE")), "");
	assert_int_equal(rig.closed, 0);
}


/* An offer in a PRACK while the first one waits for its answer */
static void test_in_prack_offer_early(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a;
	(void)state;

	rig_called(&d, "Require: 100rel\r\n", "their session\r\n");
	ring(180, NULL);
	a = rig_expect("180 INVITE");
	peer_dialog_take(&d, a);
	prack(&d, rseq_of(a), "too early\r\n");
	assert_string_not_equal(msg_header(rig_expect("500 PRACK"),
					   "Retry-After"), "");
	assert_int_equal(rig.answers, 0);
	answer("our session\r\n");
	assert_string_equal(msg_body(rig_expect("200 INVITE")),
			    "our session\r\n");
}


static void test_in_wrong_prack(void **state)
{
	static const char *const racks[] = {
		"", "RAck: 1\r\n", "RAck: x 1 INVITE\r\n",
		"RAck: 1 1\r\n", "RAck: 4294967297 1 INVITE\r\n",
		"RAck: 1 1 UPDATE\r\n", "RAck: 1 1 INVITE x\r\n",
	};
	struct peer_dialog d, e;
	const struct sip_msg *a;
	char rack[60];
	size_t i;
	(void)state;

	rig_called(&d, KNOWS, "their session\r\n");
	ring(183, "our session\r\n");
	a = rig_expect("183 INVITE");
	peer_dialog_take(&d, a);

	for (i = 0; i < COUNTOF(racks); i++) {
		peer_request(rig.p, &d, "PRACK", racks[i], NULL);
		(void)rig_expect("400 PRACK");
	}

	/* of another INVITE, of another dialog */
	(void)snprintf(rack, sizeof(rack), "RAck: %u 2 INVITE\r\n",
		       rseq_of(a));
	peer_request(rig.p, &d, "PRACK", rack, NULL);
	(void)rig_expect("481 PRACK");
	e = d;
	(void)strcpy(e.ltag, "other");
	prack(&e, rseq_of(a), NULL);
	(void)rig_expect("481 PRACK");

	/* it still waits for its own */
	(void)rig_expect("183 INVITE");
	prack(&d, rseq_of(a), NULL);
	(void)rig_expect("200 PRACK");
}


static void test_in_lost(void **state)
{
	struct peer_dialog d;
	uint64_t t0;
	(void)state;

	rig_called(&d, KNOWS, "their session\r\n");
	t0 = clock_ms();
	ring(183, "our session\r\n");
	(void)rig_expect("504 INVITE");
	assert_in_range(clock_ms() - t0, 64 * RIG_T1 - 20,
			64 * RIG_T1 + 1000);
	/* T1, 3 T1, 7 T1 ... 63 T1 */
	assert_int_equal(peer_count(rig.p, "183 INVITE"), 7);
	rig_assert_closed(SIP_CAUSE_TIMEOUT, 0, false);
	rig_wait_idle();
}


static void test_in_modes(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *no;
	(void)state;

	rig.ext_set = true;
	rig.ext.rel100 = SIP_EXT_OFF;
	rig_called(&d, "Require: 100rel\r\n", "their session\r\n");
	no = rig_expect("420 INVITE");
	assert_string_equal(msg_header(no, "Unsupported"), "100rel");

	/* off, and not asked for */
	rig_called(&d, KNOWS, "their session\r\n");
	ring(183, "our session\r\n");
	no = rig_expect("183 INVITE");
	assert_string_equal(msg_header(no, "RSeq"), "");
	assert_null(strstr(msg_header(no, "Supported"), "100rel"));
	rig.c = mem_deref(rig.c);
	(void)rig_expect("486 INVITE");

	rig.ext.rel100 = SIP_EXT_REQUIRED;
	rig_called(&d, "", "their session\r\n");
	no = rig_expect("421 INVITE");
	assert_string_equal(msg_header(no, "Require"), "100rel");
	rig_called(&d, KNOWS, "their session\r\n");
	ring(180, NULL);
	(void)rseq_of(rig_expect("180 INVITE"));
}


static void test_in_cancel(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called(&d, KNOWS, "their session\r\n");
	ring(183, "our session\r\n");
	(void)rig_expect("183 INVITE");
	peer_request(rig.p, &d, "CANCEL", "", NULL);
	(void)rig_expect("200 CANCEL");
	(void)rig_expect("487 INVITE");
	rig_assert_closed(SIP_CAUSE_CANCELLED, 487, true);
	rig_wait_idle();
	peer_forget(rig.p);
	rig_expect_none("183 INVITE");
}


static void test_in_reject(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called(&d, KNOWS, "their session\r\n");
	ring(183, "our session\r\n");
	(void)rig_expect("183 INVITE");
	assert_int_equal(sip_call_reject(rig.c, 486, NULL, NULL), 0);
	(void)rig_expect("486 INVITE");
	rig_assert_closed(SIP_CAUSE_STATUS, 486, false);
	rig_wait_idle();
}


static void test_in_free_inside(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a;
	int k;
	(void)state;

	for (k = 0; k < 2; k++) {
		rig_again();
		rig.closed = 0;
		rig_called(&d, KNOWS, NULL);
		ring(183, "our offer\r\n");
		a = rig_expect("183 INVITE");
		peer_dialog_take(&d, a);
		if (k)
			rig.free_in = IN_RESULT;
		else
			rig.hangup_in = IN_RESULT;
		prack(&d, rseq_of(a), "their answer\r\n");
		(void)rig_expect("200 PRACK");
		(void)rig_expect("486 INVITE");
		if (k)
			rig.closed = 1;
		rig_wait(&rig.closed, 1);
		rig_wait_idle();
		rig.hangup_in = rig.free_in = NOWHERE;
		rig.c = mem_deref(rig.c);
	}
}


static void test_in_minute(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *a, *b;
	uint32_t rseq;
	(void)state;

	/* what proxies hear each minute (120 T1) is a new one */
	rig.s->t1_ms = 3;
	rig_called(&d, KNOWS, "their session\r\n");
	ring(183, "our session\r\n");
	a = rig_expect("183 INVITE");
	peer_dialog_take(&d, a);
	rseq = rseq_of(a);
	prack(&d, rseq, NULL);
	(void)rig_expect("200 PRACK");
	peer_forget(rig.p);
	b = rig_expect("183 INVITE");
	assert_int_equal(rseq_of(b), rseq + 1);
	assert_string_equal(msg_body(b), "");
	prack(&d, rseq + 1, NULL);
	(void)rig_expect("200 PRACK");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_out),
		RIG_TEST(test_out_after_preview),
		RIG_TEST(test_out_late),
		RIG_TEST(test_out_late_unusable),
		RIG_TEST(test_out_unusable),
		RIG_TEST(test_out_unusable_fork),
		RIG_TEST(test_out_forks),
		RIG_TEST(test_out_199),
		RIG_TEST(test_out_modes),
		RIG_TEST(test_out_hangup_inside),
		RIG_TEST(test_out_answered_first),
		RIG_TEST(test_out_reinvite),
		RIG_TEST(test_in),
		RIG_TEST(test_in_holds_2xx),
		RIG_TEST(test_in_2xx_first),
		RIG_TEST(test_in_several),
		RIG_TEST(test_in_late),
		RIG_TEST(test_in_late_unreliable),
		RIG_TEST(test_in_late_unanswered),
		RIG_TEST(test_in_late_unusable),
		RIG_TEST(test_in_prack_offer),
		RIG_TEST(test_in_prack_offer_early),
		RIG_TEST(test_in_wrong_prack),
		RIG_TEST(test_in_lost),
		RIG_TEST(test_in_modes),
		RIG_TEST(test_in_cancel),
		RIG_TEST(test_in_reject),
		RIG_TEST(test_in_free_inside),
		RIG_TEST(test_in_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
