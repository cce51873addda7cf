/**
 * @file test_invite_server.c  A raw peer calls us, right or wrong
 */
#include "rig.h"


static struct mbuf *session(void)
{
	return sdp_make("our session\r\n");
}


static void answer(void)
{
	struct mbuf *sdp = session();

	assert_int_equal(sip_call_answer(rig.c, sdp), 0);
	mem_deref(sdp);
}


static void test_at_once(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok;
	(void)state;

	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	assert_true(rig.invite_sdp);
	assert_string_equal(rig.sdp, "their session\r\n");
	ok = rig_expect("200 INVITE");
	assert_string_equal(msg_body(ok), "our session\r\n");
	assert_string_equal(msg_header(ok, "Allow"), SIP_ALLOW);
	assert_non_null(strstr(msg_header(ok, "Contact"), "<sip:us@127."));
	assert_true(pl_isset(&ok->to.tag));
	assert_false(sip_call_established(rig.c));
	assert_true(sa_cmp(sip_call_laddr(rig.c), &rig.addr, SA_ADDR));

	peer_dialog_take(&d, ok);
	peer_request(rig.p, &d, "ACK", "", NULL);
	rig_wait(&rig.established, 1);
	assert_true(sip_call_established(rig.c));
	assert_null(rig.c->msg);
	assert_null(rig.c->ok);

	/* no 100 was worth sending, and nothing is sent again */
	loop_run(250);
	assert_int_equal(peer_count(rig.p, "100 INVITE"), 0);
	assert_int_equal(peer_count(rig.p, "200 INVITE"), 0);

	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_assert_closed(SIP_CAUSE_NONE, 0, true);
	assert_true(rig.end_info);
	rig_wait_idle();
	assert_int_equal(rig_dialogs(), 0);
	assert_true(list_isempty(&rig.s->lingering));
}


static void test_slow(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ring, *ok;
	struct mbuf *sdp;
	(void)state;

	rig_called(&d, "", "their session\r\n");
	loop_run(120);
	assert_int_equal(peer_count(rig.p, "100 INVITE"), 0);
	assert_false(pl_isset(&rig_expect("100 INVITE")->to.tag));

	assert_int_equal(sip_call_ring(rig.c, 100, NULL, NULL), EINVAL);
	assert_int_equal(sip_call_ring(rig.c, 200, NULL, NULL), EINVAL);
	assert_int_equal(sip_call_ring(rig.c, 180, "a\r\nb", NULL), EINVAL);

	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), 0);
	ring = rig_expect("180 INVITE");
	assert_int_equal(pl_strcmp(&ring->reason, "Ringing"), 0);
	assert_string_equal(msg_body(ring), "");
	assert_string_not_equal(msg_header(ring, "Contact"), "");

	sdp = session();
	assert_int_equal(sip_call_ring(rig.c, 183, "Listen", sdp), 0);
	mem_deref(sdp);
	ring = rig_expect("183 INVITE");
	assert_int_equal(pl_strcmp(&ring->reason, "Listen"), 0);
	assert_string_equal(msg_body(ring), "our session\r\n");

	answer();
	ok = rig_expect("200 INVITE");
	assert_int_equal(pl_cmp(&ok->to.tag, &ring->to.tag), 0);
	assert_int_equal(sip_call_answer(rig.c, NULL), ENOTCONN);
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), ENOTCONN);
	assert_int_equal(sip_call_reject(rig.c, 486, NULL, NULL), ENOTCONN);
}


static void test_lost_ack(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok, *again;
	unsigned i;
	(void)state;

	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	ok = rig_expect("200 INVITE");
	peer_dialog_take(&d, ok);

	for (i = 0; i < 4; i++) {
		again = rig_expect("200 INVITE");
		assert_int_equal(again->mb->end, ok->mb->end);
		assert_memory_equal(again->mb->buf, ok->mb->buf, ok->mb->end);
	}

	/* an ACK of something else is none */
	++d.cseq;
	peer_request(rig.p, &d, "ACK", "", NULL);
	(void)rig_expect("200 INVITE");
	assert_int_equal(rig.established, 0);

	--d.cseq;
	peer_request(rig.p, &d, "ACK", "", NULL);
	rig_wait(&rig.established, 1);
	peer_forget(rig.p);
	peer_request(rig.p, &d, "ACK", "", NULL);
	loop_run(8 * RIG_T1 + 50);
	assert_int_equal(peer_count(rig.p, "200 INVITE"), 0);
	assert_int_equal(rig.established, 1);
}


static void test_intervals(void **state)
{
	struct peer_dialog d;
	uint64_t t0;
	unsigned i;
	(void)state;

	/* T1, then doubled up to T2 (8 T1) */
	rig.s->t1_ms = 40;
	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	(void)rig_expect("200 INVITE");
	t0 = clock_ms();

	for (i = 1; i <= 5; i++) {
		static const unsigned due[] = {0, 1, 3, 7, 15, 23};
		uint64_t at;

		(void)rig_expect("200 INVITE");
		at = clock_ms() - t0;
		assert_in_range(at, due[i] * 40 - 10, due[i] * 40 + 250);
	}
}


static void test_no_ack(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok, *bye;
	uint64_t t0;
	(void)state;

	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	t0 = clock_ms();
	ok = rig_expect("200 INVITE");
	bye = rig_expect("BYE");
	assert_in_range(clock_ms() - t0, 64 * RIG_T1 - 20,
			64 * RIG_T1 + 1000);
	assert_int_equal(pl_cmp(&bye->from.tag, &ok->to.tag), 0);
	assert_string_equal(msg_ruri(bye), peer_uri(rig.p));
	rig_assert_closed(SIP_CAUSE_TIMEOUT, 0, false);
	assert_int_equal(rig.established, 0);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
}


static void test_late_offer(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok;
	(void)state;

	rig.auto_answer = true;
	rig_called(&d, "", NULL);
	assert_false(rig.invite_sdp);
	ok = rig_expect("200 INVITE");
	assert_string_equal(msg_body(ok), "our session\r\n");
	peer_dialog_take(&d, ok);
	peer_request(rig.p, &d, "ACK", "", "their answer\r\n");
	rig_wait(&rig.established, 1);
	assert_int_equal(rig.results, 1);
	assert_string_equal(rig.sdp, "their answer\r\n");
}


static void late_offer_fails(const char *body)
{
	struct peer_dialog d;
	const struct sip_msg *bye;

	rig.auto_answer = true;
	rig.result_status = 488;
	rig_called(&d, "", NULL);
	peer_dialog_take(&d, rig_expect("200 INVITE"));
	peer_request(rig.p, &d, "ACK", "", body);
	bye = rig_expect("BYE");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_MEDIA, 0, false);
	assert_int_equal(rig.established, 0);
	rig_wait_idle();
}


static void test_late_offer_unanswered(void **state)
{
	(void)state;
	late_offer_fails(NULL);
	assert_int_equal(rig.results, 0);
}


static void test_late_offer_unusable(void **state)
{
	(void)state;
	late_offer_fails("nonsense");
	assert_int_equal(rig.results, 1);
}


static void test_cancel(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called(&d, "", "their session\r\n");
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), 0);
	peer_dialog_take(&d, rig_expect("180 INVITE"));
	d.rtag[0] = '\0';
	peer_request(rig.p, &d, "CANCEL", "", NULL);
	(void)rig_expect("200 CANCEL");
	(void)rig_expect("487 INVITE");
	rig_assert_closed(SIP_CAUSE_CANCELLED, 487, true);
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), ENOTCONN);
	rig_wait_idle();
}


static void test_cancel_too_late(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok;
	char branch[64];
	(void)state;

	/* it crossed our 2xx: nothing happens to the call */
	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	ok = rig_expect("200 INVITE");
	peer_request(rig.p, &d, "CANCEL", "", NULL);
	(void)rig_expect("200 CANCEL");
	rig_expect_none("487 INVITE");
	assert_int_equal(rig.closed, 0);

	memcpy(branch, d.branch, sizeof(branch));
	peer_dialog_take(&d, ok);
	peer_request(rig.p, &d, "ACK", "", NULL);
	rig_wait(&rig.established, 1);

	/* and what no INVITE belongs to */
	peer_request(rig.p, &d, "CANCEL", "", NULL);
	(void)rig_expect("481 CANCEL");
}


static void test_bye_early(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called(&d, "", "their session\r\n");
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), 0);
	peer_dialog_take(&d, rig_expect("180 INVITE"));
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	(void)rig_expect("487 INVITE");
	rig_assert_closed(SIP_CAUSE_CANCELLED, 487, true);
	rig_wait_idle();
}


static void test_reject(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *no;
	(void)state;

	rig_called(&d, "", "their session\r\n");
	assert_int_equal(sip_call_reject(rig.c, 200, NULL, NULL), EINVAL);
	assert_int_equal(sip_call_reject(rig.c, 700, NULL, NULL), EINVAL);
	assert_int_equal(sip_call_reject(rig.c, 486, "a\r\n", NULL), EINVAL);
	assert_int_equal(sip_call_reject(rig.c, 486, NULL, "a\r\n\r\n"),
			 EINVAL);
	assert_int_equal(sip_call_reject(rig.c, 302, "Over There",
					 "Contact: <sip:there@h>\r\n"), 0);
	assert_int_equal(rig.closed, 0);
	no = rig_expect("302 INVITE");
	assert_int_equal(pl_strcmp(&no->reason, "Over There"), 0);
	assert_string_equal(msg_header(no, "Contact"), "<sip:there@h>");
	rig_assert_closed(SIP_CAUSE_STATUS, 302, false);
	assert_string_equal(rig.end.reason, "Over There");
	rig_wait_idle();
}


static void test_not_taken(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig.invite_status = 404;
	rig_called(&d, "", "their session\r\n");
	(void)rig_expect("404 INVITE");

	/* nobody keeps it */
	rig.invite_status = 0;
	rig.free_in = IN_INVITE;
	rig_called(&d, "", "their session\r\n");
	(void)rig_expect("486 INVITE");

	loop_run(20);
	assert_int_equal(rig.closed, 0);
	assert_true(list_isempty(&rig.s->calls));
	assert_true(list_isempty(&rig.s->lingering));
	assert_int_equal(rig.s->stats.sessions, 0);
	assert_int_equal(rig_dialogs(), 0);
}


static void test_hangup_ringing(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *no;
	(void)state;

	rig_called(&d, "", "their session\r\n");
	sip_call_hangup(rig.c, 603, "SIP;cause=603");
	no = rig_expect("603 INVITE");
	assert_string_equal(msg_header(no, "Reason"), "SIP;cause=603");
	rig_assert_closed(SIP_CAUSE_STATUS, 603, false);
	rig_wait_idle();
}


static void test_freed_ringing(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called(&d, "", "their session\r\n");
	rig.c = mem_deref(rig.c);
	(void)rig_expect("486 INVITE");
	rig.closed = 1;
	rig_wait_idle();
}


static void test_expires(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called(&d, "Expires: 1\r\n", "their session\r\n");
	loop_run(800);
	assert_int_equal(rig.closed, 0);
	(void)rig_expect("487 INVITE");
	rig_assert_closed(SIP_CAUSE_CANCELLED, 487, true);
	rig_wait_idle();
}


static void test_expires_answered(void **state)
{
	struct peer_dialog d;
	(void)state;

	/* 0: at once, but what is answered at once is in time */
	rig.auto_answer = true;
	rig_called(&d, "Expires: 0\r\n", "their session\r\n");
	(void)rig_expect("200 INVITE");
	rig_expect_none("487 INVITE");

	/* what is no number is ignored */
	rig.auto_answer = false;
	rig.c = mem_deref(rig.c);
	rig_called(&d, "Expires: 4294967296\r\n", "their session\r\n");
	rig_expect_none("487 INVITE");
}


static void test_limit(void **state)
{
	struct peer_dialog a, b;
	const struct sip_msg *no;
	(void)state;

	rig.s->max_sessions = 1;
	rig_called(&a, "", "their session\r\n");
	peer_dialog_uac(&b, rig.p, &rig.addr);
	peer_request(rig.p, &b, "INVITE", "", "their session\r\n");
	no = rig_expect("486 INVITE");
	assert_string_not_equal(msg_header(no, "Retry-After"), "");
	assert_int_equal(rig.invites, 1);

	sip_call_hangup(rig.c, 0, NULL);
	rig_wait_idle();
	rig.c = mem_deref(rig.c);
	rig_called(&b, "", "their session\r\n");
	assert_int_equal(rig.invites, 2);
}


static void test_hangup_before_ack(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *bye;
	(void)state;

	/* the BYE waits */
	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	peer_dialog_take(&d, rig_expect("200 INVITE"));
	sip_call_hangup(rig.c, 0, NULL);
	rig_assert_closed(SIP_CAUSE_NONE, 0, false);
	rig_expect_none("BYE");
	assert_true(peer_count(rig.p, "200 INVITE") > 0);

	peer_request(rig.p, &d, "ACK", "", NULL);
	bye = rig_expect("BYE");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
	assert_int_equal(rig.established, 0);
}


static void test_hangup_never_acked(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *bye;
	(void)state;

	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	sip_call_hangup(rig.c, 0, NULL);
	rig_assert_closed(SIP_CAUSE_NONE, 0, false);
	bye = rig_expect("BYE");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
}


static void test_bye_before_ack(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig.auto_answer = true;
	rig_called(&d, "", "their session\r\n");
	peer_dialog_take(&d, rig_expect("200 INVITE"));
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_assert_closed(SIP_CAUSE_NONE, 0, true);
	rig_wait_idle();
	peer_forget(rig.p);
	rig_expect_none("200 INVITE");
}


static void test_again(void **state)
{
	struct peer_dialog d;
	struct mbuf *mb = mbuf_alloc(1024);
	(void)state;

	/* the INVITE comes again and again: one call */
	rig_called(&d, "", "their session\r\n");
	(void)mbuf_printf(mb, "INVITE %s SIP/2.0\r\n"
			  "Via: SIP/2.0/UDP %J;branch=%s;rport\r\n"
			  "From: <%s>;tag=%s\r\nTo: <%s>\r\nCall-ID: %s\r\n"
			  "CSeq: %u INVITE\r\nContact: <%s>\r\n\r\n",
			  d.target, peer_addr(rig.p), d.branch, d.local,
			  d.ltag, d.remote, d.callid, d.cseq, d.local);
	peer_send(rig.p, &d.dst, (char *)mb->buf, mb->end);
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), 0);
	(void)rig_expect("180 INVITE");
	peer_send(rig.p, &d.dst, (char *)mb->buf, mb->end);
	(void)rig_expect("180 INVITE");
	mem_deref(mb);
	assert_int_equal(rig.invites, 1);

	/* by another way: merged */
	--d.cseq;
	peer_request(rig.p, &d, "INVITE", "", "their session\r\n");
	(void)rig_expect("482 INVITE");
	assert_int_equal(rig.invites, 1);
}


static void test_bad(void **state)
{
	struct peer_dialog d;
	char rr[4000] = "";
	unsigned i;
	(void)state;

	peer_dialog_uac(&d, rig.p, &rig.addr);
	peer_request(rig.p, &d, "INVITE", "X-Contact: none\r\n", NULL);
	(void)rig_expect("400 INVITE");

	for (i = 0; i <= SIP_ROUTES_MAX; i++)
		(void)snprintf(rr + strlen(rr), sizeof(rr) - strlen(rr),
			       "Record-Route: <sip:p%u;lr>\r\n", i);
	peer_request(rig.p, &d, "INVITE", rr, NULL);
	(void)rig_expect("400 INVITE");
	assert_int_equal(rig.invites, 0);
	assert_int_equal(rig_dialogs(), 0);
}


static void test_routes(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok, *bye;
	char rr[300];
	(void)state;

	(void)snprintf(rr, sizeof(rr), "Record-Route: <%s;lr>, "
		       "<sip:far@192.0.2.1;lr>\r\n"
		       "Contact: <sip:them@192.0.2.2>\r\n",
		       peer_uri(rig.p));
	rig.auto_answer = true;
	rig_called(&d, rr, "their session\r\n");
	ok = rig_expect("200 INVITE");
	assert_string_not_equal(msg_header(ok, "Record-Route"), "");
	peer_dialog_take(&d, ok);
	peer_request(rig.p, &d, "ACK", "", NULL);
	rig_wait(&rig.established, 1);

	sip_call_hangup(rig.c, 0, NULL);
	bye = rig_expect("BYE");
	assert_string_equal(msg_ruri(bye), "sip:them@192.0.2.2");
	assert_int_equal(sip_msg_hdr_count(bye, SIP_HDR_ROUTE), 2);
	assert_int_equal(pl_strcmp(&bye->to.tag, d.ltag), 0);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
}


static void test_hangup_inside(void **state)
{
	struct peer_dialog d;
	int k;
	(void)state;

	for (k = 0; k < 2; k++) {
		const struct sip_msg *bye;

		rig_again();
		rig.closed = rig.established = 0;
		rig.hangup_in = k ? NOWHERE : IN_ESTABLISHED;
		rig.free_in = k ? IN_ESTABLISHED : NOWHERE;
		rig_called_up(&d);
		bye = rig_expect("BYE");
		peer_reply(rig.p, bye, 200, "", "", NULL);
		if (k)
			rig.closed = 1;
		rig_wait(&rig.closed, 1);
		rig_wait_idle();
		rig.c = mem_deref(rig.c);
	}

	/* answered and hung up in one breath */
	rig_again();
	rig.closed = 0;
	rig.free_in = NOWHERE;
	rig.hangup_in = IN_INVITE;
	rig_called(&d, "", "their session\r\n");
	peer_dialog_take(&d, rig_expect("200 INVITE"));
	peer_request(rig.p, &d, "ACK", "", NULL);
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	rig_wait_idle();
}


static void test_refresh(void **state)
{
	struct peer_dialog d;
	struct mbuf *sdp = session();
	const struct sip_msg *a, *b;
	(void)state;

	/* proxies want to hear something each minute: 120 T1 here */
	rig.s->t1_ms = 2;
	rig_called(&d, "", "their session\r\n");
	assert_int_equal(sip_call_ring(rig.c, 183, NULL, sdp), 0);
	mem_deref(sdp);
	a = rig_expect("183 INVITE");
	b = rig_expect("183 INVITE");
	assert_memory_equal(a->mb->buf, b->mb->buf, a->mb->end);
	(void)rig_expect("183 INVITE");

	answer();
	(void)rig_expect("200 INVITE");
	peer_forget(rig.p);
	loop_run(300);
	assert_int_equal(peer_count(rig.p, "183 INVITE"), 0);
}


static void test_closing(void **state)
{
	struct peer_dialog d, e;
	const struct sip_msg *bye;
	(void)state;

	rig_called_up(&d);
	sip_stack_close(rig.s, 2000, NULL, NULL);
	peer_dialog_uac(&e, rig.p, &rig.addr);
	peer_request(rig.p, &e, "INVITE", "", "their session\r\n");
	(void)rig_expect("503 INVITE");
	bye = rig_expect("BYE");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_NONE, 0, false);
	rig_wait_idle();
	rig.s->closing = false;      /* for the teardown */
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_at_once),
		RIG_TEST(test_slow),
		RIG_TEST(test_lost_ack),
		RIG_TEST(test_intervals),
		RIG_TEST(test_no_ack),
		RIG_TEST(test_late_offer),
		RIG_TEST(test_late_offer_unanswered),
		RIG_TEST(test_late_offer_unusable),
		RIG_TEST(test_cancel),
		RIG_TEST(test_cancel_too_late),
		RIG_TEST(test_bye_early),
		RIG_TEST(test_reject),
		RIG_TEST(test_not_taken),
		RIG_TEST(test_hangup_ringing),
		RIG_TEST(test_freed_ringing),
		RIG_TEST(test_expires),
		RIG_TEST(test_expires_answered),
		RIG_TEST(test_limit),
		RIG_TEST(test_hangup_before_ack),
		RIG_TEST(test_hangup_never_acked),
		RIG_TEST(test_bye_before_ack),
		RIG_TEST(test_again),
		RIG_TEST(test_bad),
		RIG_TEST(test_routes),
		RIG_TEST(test_hangup_inside),
		RIG_TEST(test_refresh),
		RIG_TEST(test_closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
