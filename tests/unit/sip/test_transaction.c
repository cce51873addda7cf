/**
 * @file test_transaction.c  Client transactions over UDP, and failover
 *
 * T1 is short here: a transaction's whole time, 64 of it, is a second.
 */
#include "wire.h"
#include "request.h"


enum { T1 = 16, WHOLE = 64 * T1 };

static struct peer *p, *p2;

static struct {
	unsigned provs, finals, heads;
	struct sip_result res;
	bool msg;
	uint32_t cseq;
	struct request *r;
} got;


static int head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	(void)tg;
	++got.heads;

	return mbuf_printf(mb, "Route: <sip:one;lr>\r\nRoute: <sip:two;lr>\r\n"
			   "From: <sip:us@here>;tag=f\r\n"
			   "To: <sip:them@there>\r\nCall-ID: the-call\r\n"
			   "CSeq: %u %s\r\n", ++got.cseq, (const char *)arg);
}


static void resp_h(bool final, const struct sip_result *res,
		   const struct sip_msg *msg, void *arg)
{
	(void)arg;

	if (!final) {
		++got.provs;
		return;
	}

	++got.finals;
	got.res = *res;
	got.msg = msg != NULL;
}


static int setup(void **state)
{
	memset(&got, 0, sizeof(got));

	if (wire_setup(state) || peer_alloc(&p) || peer_alloc(&p2))
		return -1;

	stack->trans_t1_ms = T1;

	return 0;
}


static int teardown(void **state)
{
	got.r = mem_deref(got.r);
	p = mem_deref(p);
	p2 = mem_deref(p2);

	return wire_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void start(const char *method, const struct target_list *tl)
{
	struct request_conf conf = {
		.method = method, .uri = "sip:them@there",
		.hop = peer_uri(p), .targets = tl,
	};

	assert_int_equal(request_send(&got.r, stack, &conf, head_h, resp_h,
				      (void *)method), 0);
}


static const struct sip_msg *expect(struct peer *peer, const char *what)
{
	const struct sip_msg *msg = peer_wait(peer, what, WAIT_MS);

	assert_non_null(msg);

	return msg;
}


static bool is_final(void *arg)
{
	(void)arg;

	return got.finals > 0;
}


static bool is_prov(void *arg)
{
	(void)arg;

	return got.provs > 0;
}


static void assert_end(enum sip_cause cause, uint16_t code)
{
	assert_true(loop_until(is_final, NULL, WAIT_MS));
	assert_string_equal(sip_cause_name(got.res.cause),
			    sip_cause_name(cause));
	assert_int_equal(got.res.code, code);
	loop_run(5);
	assert_int_equal(got.finals, 1);
	assert_true(list_isempty(&stack->reqs));
}


static void again(void)
{
	got.r = mem_deref(got.r);
	memset(&got, 0, sizeof(got));
	peer_forget(p);
	peer_forget(p2);
}


static bool same_branch(const struct sip_msg *a, const struct sip_msg *b)
{
	return !pl_cmp(&a->via.branch, &b->via.branch);
}


/* 17.1.1.2: the INVITE again after T1, 2*T1 ... until 64*T1 */
static void test_invite_again(void **state)
{
	const struct sip_msg *first;
	uint64_t start_ms = clock_ms();
	(void)state;

	start("INVITE", NULL);
	first = expect(p, "INVITE");
	assert_true(same_branch(first, expect(p, "INVITE")));
	assert_end(SIP_CAUSE_TIMEOUT, 0);
	assert_in_range(clock_ms() - start_ms, WHOLE - 5, 2 * WHOLE);
	assert_int_equal(peer_count(p, "INVITE"), 7 - 2);
	assert_non_null(strstr(got.res.reason, "no answer (127.0.0.1:"));

	/* and no more */
	peer_forget(p);
	loop_run(QUIET_MS);
	assert_int_equal(peer_count(p, "INVITE"), 0);
}


/* A provisional response is enough to stop it */
static void test_invite_heard(void **state)
{
	const struct sip_msg *req;
	(void)state;

	start("INVITE", NULL);
	req = expect(p, "INVITE");
	peer_reply(p, req, 100, "", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	peer_forget(p);
	loop_run(20 * T1);
	assert_int_equal(peer_count(p, "INVITE"), 0);
	peer_reply(p, req, 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_true(got.msg);
}


/* 17.1.1.3: every copy of a refusal is acknowledged, for 64*T1 */
static void test_ack(void **state)
{
	const struct sip_msg *req, *ack;
	unsigned i;
	(void)state;

	start("INVITE", NULL);
	req = expect(p, "INVITE");
	for (i = 0; i < 3; i++) {
		peer_reply(p, req, 486, "t", "", NULL);
		ack = expect(p, "ACK");
		assert_true(same_branch(req, ack));
		assert_string_equal(msg_ruri(ack), "sip:them@there");
		assert_string_equal(msg_header(ack, "To"),
				    "<sip:them@there>;tag=t");
		assert_string_equal(msg_header(ack, "From"),
				    "<sip:us@here>;tag=f");
		assert_string_equal(msg_header(ack, "Call-ID"), "the-call");
		assert_string_equal(msg_header(ack, "CSeq"), "1 ACK");
		assert_string_equal(msg_header(ack, "Max-Forwards"), "70");
		assert_string_equal(msg_header(ack, "Route"),
				    "<sip:one;lr>");
	}
	assert_end(SIP_CAUSE_STATUS, 486);

	/* what comes after it does not change it */
	peer_reply(p, req, 180, "t", "", NULL);
	peer_reply(p, req, 404, "t", "", NULL);
	(void)expect(p, "ACK");

	loop_run(WHOLE + 20);
	peer_reply(p, req, 486, "t", "", NULL);
	loop_run(QUIET_MS);
	assert_int_equal(peer_count(p, "ACK"), 0);
	assert_int_equal(got.finals, 1);
}


/* Other methods: T1, 2*T1 ... T2 at most; nothing is kept behind the end */
static void test_other_again(void **state)
{
	const struct sip_msg *req;
	uint64_t discarded;
	(void)state;

	start("OPTIONS", NULL);
	req = expect(p, "OPTIONS");
	assert_true(same_branch(req, expect(p, "OPTIONS")));
	(void)expect(p, "OPTIONS");

	peer_reply(p, req, 100, "", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	peer_reply(p, req, 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);

	discarded = stack->stats.discarded;
	peer_reply(p, req, 200, "t", "", NULL);
	loop_run(QUIET_MS);
	assert_int_equal(got.finals, 1);
	assert_int_equal(stack->stats.discarded, discarded + 1);

	again();
	start("OPTIONS", NULL);
	assert_end(SIP_CAUSE_TIMEOUT, 0);
	assert_int_equal(peer_count(p, "OPTIONS"), 7);
}


/* Given up before anything was heard: silence at once */
static void test_given_up(void **state)
{
	const struct sip_msg *req, *cancel;
	unsigned n;
	(void)state;

	start("INVITE", NULL);
	req = expect(p, "INVITE");
	(void)expect(p, "INVITE");
	got.r = mem_deref(got.r);
	peer_forget(p);
	loop_run(20 * T1);
	assert_int_equal(peer_count(p, "INVITE"), 0);
	assert_int_equal(peer_count(p, "CANCEL"), 0);

	/* it rings after all */
	peer_reply(p, req, 180, "t", "", NULL);
	cancel = expect(p, "CANCEL");
	assert_true(same_branch(req, cancel));
	assert_string_equal(msg_ruri(cancel), "sip:them@there");
	assert_string_equal(msg_header(cancel, "To"), "<sip:them@there>");
	assert_string_equal(msg_header(cancel, "CSeq"), "1 CANCEL");
	assert_string_equal(msg_header(cancel, "Route"), "<sip:one;lr>");
	peer_reply(p, req, 487, "t", "", NULL);
	(void)expect(p, "ACK");

	/* the CANCEL has no answer yet: it comes again, and ends */
	n = 1;
	while (peer_wait(p, "CANCEL", 20 * T1))
		++n;
	assert_in_range(n, 2, 10);
	assert_int_equal(got.finals, 0);

	/* the same while its end is awaited */
	again();
	start("INVITE", NULL);
	(void)expect(p, "INVITE");
	request_cancel(got.r);
	peer_forget(p);
	loop_run(20 * T1);
	assert_int_equal(peer_count(p, "INVITE"), 0);
	assert_end(SIP_CAUSE_CANCELLED, 0);

	/* another method is just forgotten */
	again();
	start("OPTIONS", NULL);
	req = expect(p, "OPTIONS");
	got.r = mem_deref(got.r);
	peer_forget(p);
	loop_run(10 * T1);
	assert_int_equal(peer_count(p, "OPTIONS"), 0);
}


/* An answer to what was let go of is its dialog's; here there is none */
static void test_given_up_answered(void **state)
{
	const struct sip_msg *req;
	uint64_t discarded;
	(void)state;

	start("INVITE", NULL);
	req = expect(p, "INVITE");
	got.r = mem_deref(got.r);
	discarded = stack->stats.discarded;
	peer_reply(p, req, 200, "t", "", NULL);
	loop_run(QUIET_MS);
	assert_int_equal(stack->stats.discarded, discarded + 1);
	peer_reply(p, req, 180, "t", "", NULL);
	loop_run(QUIET_MS);
	assert_int_equal(peer_count(p, "CANCEL"), 0);
}


static void test_stack_gone(void **state)
{
	(void)state;

	start("INVITE", NULL);
	(void)expect(p, "INVITE");
	stack = mem_deref(stack);
	peer_forget(p);
	loop_run(20 * T1);
	assert_int_equal(peer_count(p, "INVITE"), 0);
	assert_int_equal(got.finals, 0);
}


/* Failover ------------------------------------------------------------------- */

static struct target_list two(enum sip_transp tp)
{
	struct target_list tl = {.n = 2};

	tl.v[0].tp = tp;
	tl.v[0].dst = *peer_addr(p);
	tl.v[0].leg = list_ledata(stack->legl.head);
	tl.v[1].tp = SIP_TRANSP_UDP;
	tl.v[1].dst = *peer_addr(p2);
	tl.v[1].leg = tl.v[0].leg;

	return tl;
}


static bool dead(struct peer *peer, enum sip_transp tp)
{
	return dead_is(stack->deads, tp, peer_addr(peer), NULL, NULL);
}


/* Silence: the next one after its share, in a transaction of its own */
static void test_next_silent(void **state)
{
	const struct target_list tl = two(SIP_TRANSP_UDP);
	const struct sip_msg *first, *second;
	uint64_t start_ms = clock_ms();
	(void)state;

	start("INVITE", &tl);
	first = expect(p, "INVITE");
	second = expect(p2, "INVITE");
	assert_in_range(clock_ms() - start_ms, 10 * T1 - 5, 30 * T1);
	assert_false(same_branch(first, second));
	assert_int_equal(second->cseq.num, first->cseq.num + 1);
	assert_true(dead(p, SIP_TRANSP_UDP));
	peer_reply(p2, second, 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_false(dead(p2, SIP_TRANSP_UDP));

	/* the first one has it too: it is told that it is over */
	peer_reply(p, first, 180, "t", "", NULL);
	(void)expect(p, "CANCEL");

	/* and it is alive, which the next answer to us shows */
	again();
	start("OPTIONS", NULL);
	peer_reply(p, expect(p, "OPTIONS"), 404, "t", "", NULL);
	assert_end(SIP_CAUSE_STATUS, 404);
	assert_false(dead(p, SIP_TRANSP_UDP));
}


static void test_next_refused(void **state)
{
	const struct target_list tl = two(SIP_TRANSP_TCP);
	(void)state;

	start("OPTIONS", &tl);
	peer_reply(p2, expect(p2, "OPTIONS"), 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_true(dead(p, SIP_TRANSP_TCP));
	assert_false(dead(p, SIP_TRANSP_UDP));
}


static void test_next_busy(void **state)
{
	const struct target_list tl = two(SIP_TRANSP_UDP);
	uint32_t left;
	(void)state;

	/* "not now": elsewhere, and it is no sign of death */
	start("INVITE", &tl);
	peer_reply(p, expect(p, "INVITE"), 100, "", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	again();

	start("INVITE", &tl);
	peer_reply(p, expect(p, "INVITE"), 503, "t", "", NULL);
	(void)expect(p, "ACK");
	peer_reply(p2, expect(p2, "INVITE"), 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_false(dead(p, SIP_TRANSP_UDP));

	/* "not for 40 s": for nobody */
	again();
	start("OPTIONS", &tl);
	peer_reply(p, expect(p, "OPTIONS"), 503, "t", "Retry-After: 40\r\n",
		   NULL);
	peer_reply(p2, expect(p2, "OPTIONS"), 503, "t", "Retry-After: 50\r\n",
		   NULL);
	assert_end(SIP_CAUSE_STATUS, 503);
	assert_int_equal(got.res.retry_after_s, 50);
	assert_true(dead_is(stack->deads, SIP_TRANSP_UDP, peer_addr(p), &left,
			    NULL));
	assert_int_equal(left, 40);
}


/* What a proxy says first does not bind; what has rung does */
static void test_no_next(void **state)
{
	const struct target_list tl = two(SIP_TRANSP_UDP);
	const struct sip_msg *req;
	(void)state;

	start("INVITE", &tl);
	req = expect(p, "INVITE");
	peer_reply(p, req, 100, "", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	loop_run(20 * T1);
	assert_int_equal(peer_count(p2, "INVITE"), 0);
	peer_reply(p, req, 503, "t", "", NULL);
	req = expect(p2, "INVITE");
	peer_reply(p2, req, 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);

	again();
	start("INVITE", &tl);
	req = expect(p, "INVITE");
	peer_reply(p, req, 180, "t", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	peer_reply(p, req, 503, "t", "", NULL);
	assert_end(SIP_CAUSE_STATUS, 503);
	assert_int_equal(peer_count(p2, "INVITE"), 0);

	/* any other answer is the answer */
	again();
	start("INVITE", &tl);
	peer_reply(p, expect(p, "INVITE"), 500, "t", "", NULL);
	assert_end(SIP_CAUSE_STATUS, 500);
	assert_int_equal(peer_count(p2, "INVITE"), 0);
}


static void test_none_left(void **state)
{
	const struct target_list tl = two(SIP_TRANSP_UDP);
	(void)state;

	start("OPTIONS", &tl);
	assert_end(SIP_CAUSE_TIMEOUT, 0);
	assert_non_null(strstr(got.res.reason, "no answer ("));
	assert_non_null(strstr(got.res.reason, ", UDP, the last of 2)"));
	assert_true(dead(p, SIP_TRANSP_UDP));
	assert_true(dead(p2, SIP_TRANSP_UDP));
}


/* A deadline too short to prove anything does not make anybody dead */
static void test_short(void **state)
{
	struct request_conf conf = {
		.method = "OPTIONS", .uri = "sip:them@there",
		.hop = peer_uri(p), .timeout_ms = T1,
	};
	(void)state;

	assert_int_equal(request_send(&got.r, stack, &conf, head_h, resp_h,
				      "OPTIONS"), 0);
	assert_end(SIP_CAUSE_TIMEOUT, 0);
	assert_false(dead(p, SIP_TRANSP_UDP));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_invite_again),
		TEST(test_invite_heard),
		TEST(test_ack),
		TEST(test_other_again),
		TEST(test_given_up),
		TEST(test_given_up_answered),
		TEST(test_stack_gone),
		TEST(test_next_silent),
		TEST(test_next_refused),
		TEST(test_next_busy),
		TEST(test_no_next),
		TEST(test_none_left),
		TEST(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
