/**
 * @file test_invite_client.c  We call a raw peer that answers right or wrong
 */
#include "rig.h"
#include "../../fake/ident.h"


static void test_plain(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *ack, *again, *bye;
	char first[2000];
	(void)state;

	rig_call("our session\r\n", NULL);
	assert_string_equal(sip_call_id(rig.c), rig.c->callid);

	inv = rig_expect("INVITE");
	assert_string_equal(msg_ruri(inv), peer_uri(rig.p));
	assert_string_equal(msg_body(inv), "our session\r\n");
	assert_string_equal(msg_header(inv, "Content-Type"),
			    "application/sdp");
	assert_string_equal(msg_header(inv, "Allow"), SIP_ALLOW);
	assert_string_equal(msg_header(inv, "Call-ID"), sip_call_id(rig.c));
	assert_non_null(strstr(msg_header(inv, "From"),
			       "<sip:us@example.com>;tag="));
	assert_non_null(strstr(msg_header(inv, "Contact"), "<sip:us@127."));
	assert_null(strstr(msg_header(inv, "To"), "tag="));

	peer_reply(rig.p, inv, 100, "", "", NULL);
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	rig_wait(&rig.progress, 1);
	assert_int_equal(rig.progress_code, 180);
	assert_false(rig.progress_sdp);
	assert_int_equal(rig.progress, 1);
	assert_false(sip_call_established(rig.c));

	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	ack = rig_expect("ACK");
	rig_wait(&rig.established, 1);
	assert_true(sip_call_established(rig.c));
	assert_int_equal(rig.results, 1);
	assert_string_equal(rig.sdp, "their session\r\n");

	assert_string_equal(msg_ruri(ack), peer_uri(rig.p));
	assert_int_equal(ack->cseq.num, inv->cseq.num);
	assert_int_equal(pl_strcmp(&ack->to.tag, "t1"), 0);
	assert_int_equal(pl_cmp(&ack->from.tag, &inv->from.tag), 0);
	assert_int_not_equal(pl_cmp(&ack->via.branch, &inv->via.branch), 0);
	assert_string_equal(msg_body(ack), "");
	(void)re_snprintf(first, sizeof(first), "%b", ack->mb->buf,
			  ack->mb->end);

	/* lost on its way: the 2xx again, the ACK again, byte for byte */
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	again = rig_expect("ACK");
	assert_int_equal(again->mb->end, strlen(first));
	assert_memory_equal(again->mb->buf, first, strlen(first));
	assert_int_equal(rig.established, 1);
	assert_int_equal(rig.results, 1);

	sip_call_hangup(rig.c, 0, NULL);
	assert_int_equal(rig.closed, 0);
	rig_assert_closed(SIP_CAUSE_NONE, 0, false);
	bye = rig_expect("BYE");
	assert_true(bye->cseq.num > inv->cseq.num);
	assert_string_equal(msg_ruri(bye), peer_uri(rig.p));
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();

	/* the 2xx was on a long way: 64*T1 after the first one is not over */
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	(void)rig_expect("ACK");
	rig_expect_none("BYE");

	peer_dialog_uas(&d, rig.p, inv, "t1");
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
}


static void test_forgets_after_64t1(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *bye;
	(void)state;

	rig_call_up(&d);
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_assert_closed(SIP_CAUSE_NONE, 0, true);
	assert_true(rig.end_info);
	rig_wait_idle();
	assert_int_equal(list_count(&rig.s->lingering), 1);
	assert_int_equal(rig_dialogs(), 2);

	loop_run(64 * RIG_T1 + 50);
	assert_int_equal(list_count(&rig.s->lingering), 0);
	assert_int_equal(rig_dialogs(), 0);

	peer_request(rig.p, &d, "BYE", "", NULL);
	bye = rig_expect("481 BYE");
	assert_non_null(bye);
}


static void test_early_media(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");

	peer_reply(rig.p, inv, 183, "t1", "", "preview\r\n");
	rig_wait(&rig.progress, 1);
	assert_true(rig.progress_sdp);
	assert_int_equal(rig.previews, 1);
	assert_string_equal(rig.sdp, "preview\r\n");

	/* the same once more is told, but not as a new description */
	peer_reply(rig.p, inv, 183, "t1", "", "preview\r\n");
	rig_wait(&rig.progress, 2);
	assert_int_equal(rig.previews, 1);

	/* another branch, then the first again */
	peer_reply(rig.p, inv, 183, "t2", "", "preview two\r\n");
	rig_wait(&rig.progress, 3);
	peer_reply(rig.p, inv, 183, "t1", "", "preview\r\n");
	rig_wait(&rig.progress, 4);
	assert_int_equal(rig.previews, 3);
	assert_string_equal(rig.sdp, "preview\r\n");

	/* a 2xx without one means what this branch said before */
	peer_reply(rig.p, inv, 200, "t2", "", NULL);
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	assert_int_equal(rig.results, 1);
	assert_string_equal(rig.sdp, "preview two\r\n");
}


static void test_preview_refused(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	rig.result_status = 488;
	peer_reply(rig.p, inv, 183, "t1", "", "preview\r\n");
	rig_wait(&rig.progress, 1);
	assert_false(rig.progress_sdp);

	rig.result_status = 0;
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "their session\r\n");
}


/* ACK and BYE of what cannot be used */
static void expect_media_end(const char *body)
{
	const struct sip_msg *ack = rig_expect("ACK");
	const struct sip_msg *bye = rig_expect("BYE");

	assert_string_equal(msg_body(ack), body);
	assert_true(bye->cseq.num > ack->cseq.num);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_MEDIA, 200, false);
	assert_int_equal(rig.established, 0);
	rig_wait_idle();
}


static void test_no_answer_in_2xx(void **state)
{
	(void)state;

	rig_call("our session\r\n", NULL);
	peer_reply(rig.p, rig_expect("INVITE"), 200, "t1", "", NULL);
	expect_media_end("");
}


static void test_wrong_type_in_2xx(void **state)
{
	(void)state;

	rig_call("our session\r\n", NULL);
	peer_reply(rig.p, rig_expect("INVITE"), 200, "t1",
		   "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
		   NULL);
	expect_media_end("");
	assert_int_equal(rig.results, 0);
}


static void test_unusable_answer(void **state)
{
	(void)state;

	rig_call("our session\r\n", NULL);
	rig.result_status = 488;
	peer_reply(rig.p, rig_expect("INVITE"), 200, "t1", "", "nonsense");
	expect_media_end("");
}


static void test_late_offer(void **state)
{
	const struct sip_msg *inv, *ack;
	(void)state;

	rig_call(NULL, NULL);
	inv = rig_expect("INVITE");
	assert_string_equal(msg_body(inv), "");
	assert_string_equal(msg_header(inv, "Content-Type"), "");

	/* an offer in an unreliable 1xx is none */
	peer_reply(rig.p, inv, 183, "t1", "", "their offer\r\n");
	rig_wait(&rig.progress, 1);
	assert_false(rig.progress_sdp);

	peer_reply(rig.p, inv, 200, "t1", "", "their offer\r\n");
	ack = rig_expect("ACK");
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "their offer\r\n");
	assert_string_equal(msg_body(ack), "our answer 1\r\n");
	assert_string_equal(msg_header(ack, "Content-Type"),
			    "application/sdp");
	assert_int_equal(rig.results + rig.previews, 0);

	peer_reply(rig.p, inv, 200, "t1", "", "their offer\r\n");
	ack = rig_expect("ACK");
	assert_string_equal(msg_body(ack), "our answer 1\r\n");
	assert_int_equal(rig.answers, 1);
}


static void test_late_offer_unusable(void **state)
{
	(void)state;

	rig_call(NULL, NULL);
	rig.answer_status = 488;
	peer_reply(rig.p, rig_expect("INVITE"), 200, "t1", "", "nonsense");
	expect_media_end("");
}


static void test_late_offer_missing(void **state)
{
	(void)state;

	rig_call(NULL, NULL);
	peer_reply(rig.p, rig_expect("INVITE"), 200, "t1", "", NULL);
	expect_media_end("");
}


static void test_fork(void **state)
{
	const struct sip_msg *inv, *ack, *bye;
	char text[2000];
	unsigned i;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	peer_reply(rig.p, inv, 183, "t2", "", "preview\r\n");
	rig_wait(&rig.progress, 2);
	assert_int_equal(list_count(&rig.c->branches), 2);

	/* the first 2xx wins */
	peer_reply(rig.p, inv, 200, "t2", "", "session two\r\n");
	ack = rig_expect("ACK");
	assert_int_equal(pl_strcmp(&ack->to.tag, "t2"), 0);
	rig_wait(&rig.established, 1);
	assert_string_equal(rig.sdp, "session two\r\n");

	/* the others get ACK and BYE: one known before, one new */
	for (i = 0; i < 2; i++) {
		const char *tag = i ? "t3" : "t1";

		peer_reply(rig.p, inv, 200, tag, "", "session\r\n");
		ack = rig_expect("ACK");
		bye = rig_expect("BYE");
		assert_int_equal(pl_strcmp(&ack->to.tag, tag), 0);
		assert_int_equal(pl_strcmp(&bye->to.tag, tag), 0);
		assert_int_equal(ack->cseq.num, inv->cseq.num);
		(void)re_snprintf(text, sizeof(text), "%b", ack->mb->buf,
				  ack->mb->end);

		/* again: only the ACK */
		peer_reply(rig.p, inv, 200, tag, "", "session\r\n");
		ack = rig_expect("ACK");
		assert_memory_equal(ack->mb->buf, text, strlen(text));
		peer_reply(rig.p, bye, 200, "", "", NULL);
		rig_expect_none("BYE");
	}

	/* the user is told, once for each; nothing changes */
	assert_int_equal(rig.forked, 2);
	assert_int_equal(rig.results, 1);
	assert_int_equal(rig.established, 1);
	assert_int_equal(rig.closed, 0);
	assert_true(sip_call_established(rig.c));

	sip_call_hangup(rig.c, 0, NULL);
	bye = rig_expect("BYE");
	assert_int_equal(pl_strcmp(&bye->to.tag, "t2"), 0);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();

	/* one more answers when the call is over and its user gone */
	rig.c = mem_deref(rig.c);
	loop_run(20);
	peer_reply(rig.p, inv, 200, "t4", "", "session\r\n");
	ack = rig_expect("ACK");
	bye = rig_expect("BYE");
	assert_int_equal(pl_strcmp(&bye->to.tag, "t4"), 0);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
}


static void test_many_branches(void **state)
{
	const struct sip_msg *inv, *ack;
	char tag[16];
	unsigned i;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");

	for (i = 0; i < SIP_BRANCHES + 4; i++) {
		(void)snprintf(tag, sizeof(tag), "t%u", i);
		peer_reply(rig.p, inv, 180, tag, "", NULL);
	}
	rig_wait(&rig.progress, SIP_BRANCHES + 4);
	assert_int_equal(list_count(&rig.c->branches), SIP_BRANCHES);

	/* one there was no room for wins all the same */
	peer_reply(rig.p, inv, 200, tag, "", "session\r\n");
	ack = rig_expect("ACK");
	assert_int_equal(pl_strcmp(&ack->to.tag, tag), 0);
	rig_wait(&rig.established, 1);
	assert_int_equal(list_count(&rig.c->branches), SIP_BRANCHES);
}


static void test_old_peer(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv, *ack;
	(void)state;

	/* RFC 2543: no tag, no Contact */
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "", "X-Contact: none\r\n", NULL);
	peer_reply(rig.p, inv, 200, "", "X-Contact: none\r\n",
		   "their session\r\n");
	ack = rig_expect("ACK");
	assert_string_equal(msg_ruri(ack), peer_uri(rig.p));
	assert_string_equal(msg_header(ack, "To"), msg_header(inv, "To"));
	rig_wait(&rig.established, 1);

	peer_dialog_uas(&d, rig.p, inv, "");
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_assert_closed(SIP_CAUSE_NONE, 0, true);
}


static void test_cancel_waits(void **state)
{
	const struct sip_msg *inv, *cancel;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	sip_call_hangup(rig.c, 0, NULL);
	assert_int_equal(rig.closed, 0);
	rig_assert_closed(SIP_CAUSE_CANCELLED, 0, false);
	rig_expect_none("CANCEL");

	peer_reply(rig.p, inv, 100, "", "", NULL);
	cancel = rig_expect("CANCEL");
	assert_int_equal(cancel->cseq.num, inv->cseq.num);
	assert_int_equal(pl_cmp(&cancel->via.branch, &inv->via.branch), 0);
	peer_reply(rig.p, cancel, 200, "t1", "", NULL);
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	(void)rig_expect("ACK");
	rig_wait_idle();
	assert_int_equal(rig.progress, 0);
}


static void test_cancel_crosses_2xx(void **state)
{
	const struct sip_msg *inv, *cancel, *bye;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	rig_wait(&rig.progress, 1);
	sip_call_hangup(rig.c, 0, NULL);
	cancel = rig_expect("CANCEL");

	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	peer_reply(rig.p, cancel, 200, "t1", "", NULL);
	(void)rig_expect("ACK");
	bye = rig_expect("BYE");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
	assert_int_equal(rig.end.cause, SIP_CAUSE_CANCELLED);
	assert_int_equal(rig.established + rig.results, 0);
}


static void test_ring_time(void **state)
{
	const struct sip_call_conf conf = {.ring_ms = 60};
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");

	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	rig_assert_closed(SIP_CAUSE_NO_ANSWER, 0, false);
	(void)rig_expect("CANCEL");
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	rig_wait_idle();
}


/* Nothing comes at all: the user is told in time, a late answer is undone */
static void test_silence(void **state)
{
	const struct sip_call_conf conf = {.ring_ms = 60};
	const struct sip_msg *inv, *bye;
	(void)state;

	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	rig_assert_closed(SIP_CAUSE_TIMEOUT, 0, false);

	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	(void)rig_expect("ACK");
	bye = rig_expect("BYE");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
	assert_int_equal(rig.established + rig.results, 0);
}


static void stack_closed_h(void *arg)
{
	(void)arg;
	rig.stack_closed = true;
}


static bool stack_closed(void *arg)
{
	(void)arg;

	return rig.stack_closed;
}


/* A peer that was never heard of keeps the end waiting for T1 and no longer */
static void test_close_unheard(void **state)
{
	const uint64_t begin = clock_ms();
	(void)state;

	rig.s->t1_ms = 200;
	rig_call("our session\r\n", NULL);
	(void)rig_expect("INVITE");
	sip_stack_close(rig.s, WAIT_MS, stack_closed_h, NULL);
	assert_true(loop_until(stack_closed, NULL, WAIT_MS));
	assert_in_range(clock_ms() - begin, 190, 1000);
	rig_assert_closed(SIP_CAUSE_CANCELLED, 0, false);
}


/* One that speaks up in that time is told, and waited for */
static void test_close_heard(void **state)
{
	const struct sip_msg *inv, *cancel;
	(void)state;

	rig.s->t1_ms = 200;
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	sip_stack_close(rig.s, WAIT_MS, stack_closed_h, NULL);
	peer_reply(rig.p, inv, 100, "", "", NULL);
	cancel = rig_expect("CANCEL");
	peer_reply(rig.p, cancel, 200, "t1", "", NULL);
	assert_false(loop_until(stack_closed, NULL, 400));

	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	(void)rig_expect("ACK");
	assert_true(loop_until(stack_closed, NULL, 1000));
}


static void test_failures(void **state)
{
	static const struct {
		unsigned code;
		enum sip_cause cause;
	} v[] = {
		{302, SIP_CAUSE_STATUS}, {400, SIP_CAUSE_STATUS},
		{401, SIP_CAUSE_AUTH},   {403, SIP_CAUSE_AUTH},
		{404, SIP_CAUSE_STATUS}, {407, SIP_CAUSE_AUTH},
		{408, SIP_CAUSE_STATUS}, {480, SIP_CAUSE_STATUS},
		{486, SIP_CAUSE_STATUS}, {487, SIP_CAUSE_STATUS},
		{488, SIP_CAUSE_MEDIA},  {491, SIP_CAUSE_STATUS},
		{503, SIP_CAUSE_STATUS}, {603, SIP_CAUSE_STATUS},
		{606, SIP_CAUSE_MEDIA},
	};
	size_t i;
	(void)state;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rig_again();
		rig.closed = 0;
		rig_call("our session\r\n", NULL);
		peer_reply(rig.p, rig_expect("INVITE"), v[i].code, "t1",
			   "Retry-After: 7\r\n", NULL);
		(void)rig_expect("ACK");
		rig_assert_closed(v[i].cause, (uint16_t)v[i].code, true);
		if (v[i].cause != SIP_CAUSE_AUTH)
			assert_string_equal(rig.end.reason, "Peer says so");
		assert_true(rig.end_info);
		rig_wait_idle();
		assert_int_equal(list_count(&rig.s->lingering), 0);
		rig.c = mem_deref(rig.c);
	}
}


static void test_strict_router(void **state)
{
	const struct sip_msg *inv, *ack, *bye;
	char rr[300], strict[100];
	(void)state;

	/* the peer plays the router, and what is behind it */
	(void)snprintf(strict, sizeof(strict), "%s;strict", peer_uri(rig.p));
	(void)snprintf(rr, sizeof(rr), "Record-Route: <sip:far@192.0.2.1;lr>,"
		       " <%s>\r\nContact: <sip:them@192.0.2.2>\r\n", strict);

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1", rr, "their session\r\n");
	ack = rig_expect("ACK");
	assert_string_equal(msg_ruri(ack), strict);
	assert_string_equal(msg_header(ack, "Route"),
			    "<sip:far@192.0.2.1;lr>");
	assert_int_equal(sip_msg_hdr_count(ack, SIP_HDR_ROUTE), 2);

	sip_call_hangup(rig.c, 0, NULL);
	bye = rig_expect("BYE");
	assert_string_equal(msg_ruri(bye), strict);
	assert_int_equal(sip_msg_hdr_count(bye, SIP_HDR_ROUTE), 2);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
}


static void test_loose_router(void **state)
{
	const struct sip_msg *inv, *ack, *bye;
	char rr[300], route[100];
	(void)state;

	(void)snprintf(route, sizeof(route), "<%s;lr>", peer_uri(rig.p));
	(void)snprintf(rr, sizeof(rr), "Record-Route: %s\r\n"
		       "Contact: <sip:them@192.0.2.2>\r\n", route);

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1", rr, "their session\r\n");
	ack = rig_expect("ACK");
	assert_string_equal(msg_ruri(ack), "sip:them@192.0.2.2");
	assert_string_equal(msg_header(ack, "Route"), route);

	sip_call_hangup(rig.c, 0, "SIP;cause=200;text=\"bye\"");
	bye = rig_expect("BYE");
	assert_string_equal(msg_ruri(bye), "sip:them@192.0.2.2");
	assert_string_equal(msg_header(bye, "Reason"),
			    "SIP;cause=200;text=\"bye\"");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
}


static void test_contact_name(void **state)
{
	char contact[100];
	const struct sip_msg *inv, *bye;
	(void)state;

	/* the target must be resolved before the ACK can go */
	(void)snprintf(contact, sizeof(contact),
		       "Contact: <sip:them@localhost:%u>\r\n",
		       sa_port(peer_addr(rig.p)));
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1", contact, "their session\r\n");
	rig_wait(&rig.established, 1);
	sip_call_hangup(rig.c, 0, NULL);
	assert_int_equal(peer_count(rig.p, "BYE"), 0);
	(void)rig_expect("ACK");
	bye = rig_expect("BYE");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_wait_idle();
}


static void test_contact_unresolvable(void **state)
{
	const struct sip_msg *inv, *ack;
	(void)state;

	/* rather where the INVITE went than nowhere */
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1",
		   "Contact: <sip:them@nowhere.invalid>\r\n",
		   "their session\r\n");
	ack = rig_expect("ACK");
	assert_string_equal(msg_ruri(ack), "sip:them@nowhere.invalid");

	sip_call_hangup(rig.c, 0, NULL);
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	rig_wait_idle();
}


static void test_bye_early(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	rig_wait(&rig.progress, 1);
	peer_dialog_uas(&d, rig.p, inv, "t1");

	/* a callee must not; the call goes on */
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("481 BYE");
	/* nor may it ask for a change before it has answered */
	peer_request(rig.p, &d, "INVITE", "", "their offer\r\n");
	(void)rig_expect("491 INVITE");
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	(void)rig_expect("200 OPTIONS");

	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	rig_wait(&rig.established, 1);
}


static void test_crossing_byes(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *bye;
	(void)state;

	rig_call_up(&d);
	sip_call_hangup(rig.c, 0, NULL);
	bye = rig_expect("BYE");
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	peer_reply(rig.p, bye, 481, "", "", NULL);
	rig_wait_idle();
	assert_false(rig.end.remote);
}


static void test_hangup_inside(void **state)
{
	static const enum where v[] = {
		IN_PROGRESS, IN_RESULT, IN_ESTABLISHED,
	};
	size_t i, k;
	(void)state;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		for (k = 0; k < 2; k++) {
			const struct sip_msg *inv, *bye;

			rig_again();
			rig.closed = rig.progress = rig.established = 0;
			rig.hangup_in = k ? NOWHERE : v[i];
			rig.free_in = k ? v[i] : NOWHERE;
			rig_call("our session\r\n", NULL);
			inv = rig_expect("INVITE");

			if (v[i] == IN_PROGRESS) {
				peer_reply(rig.p, inv, 180, "t1", "", NULL);
				(void)rig_expect("CANCEL");
				peer_reply(rig.p, inv, 487, "t1", "", NULL);
				(void)rig_expect("ACK");
			}
			else {
				const struct sip_msg *ack;

				peer_reply(rig.p, inv, 200, "t1", "",
					   "their session\r\n");
				ack = rig_expect("ACK");
				bye = rig_expect("BYE");
				assert_true(bye->cseq.num > ack->cseq.num);
				peer_reply(rig.p, bye, 200, "", "", NULL);
			}

			if (!k)
				rig_wait(&rig.closed, 1);
			else
				rig.closed = 1;
			rig_wait_idle();
			rig.c = mem_deref(rig.c);
			rig.hangup_in = rig.free_in = NOWHERE;
		}
	}
}


static void test_free_in_closed(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig.free_in = IN_CLOSED;
	rig_call_up(&d);
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_wait_idle();
	assert_null(rig.c);

	rig.closed = 0;
	rig_call("our session\r\n", NULL);
	peer_reply(rig.p, rig_expect("INVITE"), 486, "t1", "", NULL);
	rig_assert_closed(SIP_CAUSE_STATUS, 486, true);
	rig_wait_idle();
	assert_null(rig.c);
}


static void test_free_while_up(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *bye;
	(void)state;

	rig_call_up(&d);
	rig.c = mem_deref(rig.c);
	bye = rig_expect("BYE");
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig.closed = 1;
	rig_wait_idle();
}


static void test_bad_use(void **state)
{
	struct sip_ident *us = ident_make(.aor = "sip:us@h");
	const struct sip_call_conf v[] = {
		{.uri = "peer", .ident = us},
		{.uri = "sip:peer@h"},
		{.uri = "sip:peer@h", .ident = us,
		 .headers = "X: y\r\n\r\nbody"},
		{.uri = "sip:peer@h", .ident = us, .headers = "X: y"},
	};
	const struct sip_call_h h = {.offer_h = NULL};
	size_t i;
	(void)state;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_int_equal(sip_call_connect(&rig.c, rig.s, &v[i], NULL,
						  &h, NULL), EINVAL);
	mem_deref(us);

	assert_null(rig.c);
	assert_true(list_isempty(&rig.s->calls));
	assert_int_equal(rig.s->stats.sessions, 0);

	rig_call("our session\r\n", NULL);
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), ENOTCONN);
	assert_int_equal(sip_call_reject(rig.c, 486, NULL, NULL), ENOTCONN);
	assert_int_equal(sip_call_modify(rig.c, NULL), ENOTCONN);
}


static void test_headers(void **state)
{
	const struct sip_call_conf conf = {
		.headers = "X-One: 1\r\nX-Two: 2\r\n",
		.ident = ident_make(.aor = "sip:us@example.com",
				    .name = "Us & \"them\"",
				    .headers = "X-Mine: 3\r\n"),
	};
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	assert_string_equal(msg_header(inv, "X-One"), "1");
	assert_string_equal(msg_header(inv, "X-Two"), "2");
	assert_string_equal(msg_header(inv, "X-Mine"), "3");
	mem_deref(conf.ident);
	assert_non_null(strstr(msg_header(inv, "From"),
			       "\"Us & \\\"them\\\"\" <sip:us@example.com>"));
}


static void test_stack_gone(void **state)
{
	struct peer_dialog d;
	struct sip_call *up;
	(void)state;

	/* one that is up, one that lingers, one that rings */
	rig_call_up(&d);
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_wait(&rig.closed, 1);
	rig.c = mem_deref(rig.c);
	rig.established = 0;
	rig_call_up(&d);
	up = rig.c;
	rig_call("our session\r\n", NULL);
	peer_reply(rig.p, rig_expect("INVITE"), 180, "t1", "", NULL);
	rig_wait(&rig.progress, 3);

	session_stack_gone(rig.s);
	assert_true(list_isempty(&rig.s->calls));
	assert_true(list_isempty(&rig.s->lingering));
	assert_int_equal(rig_dialogs(), 0);
	sip_call_hangup(up, 0, NULL);
	assert_int_equal(sip_call_modify(up, NULL), ENOTCONN);
	mem_deref(up);
	loop_run(20);
	assert_int_equal(rig.closed, 1);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_plain),
		RIG_TEST(test_forgets_after_64t1),
		RIG_TEST(test_early_media),
		RIG_TEST(test_preview_refused),
		RIG_TEST(test_no_answer_in_2xx),
		RIG_TEST(test_wrong_type_in_2xx),
		RIG_TEST(test_unusable_answer),
		RIG_TEST(test_late_offer),
		RIG_TEST(test_late_offer_unusable),
		RIG_TEST(test_late_offer_missing),
		RIG_TEST(test_fork),
		RIG_TEST(test_many_branches),
		RIG_TEST(test_old_peer),
		RIG_TEST(test_cancel_waits),
		RIG_TEST(test_cancel_crosses_2xx),
		RIG_TEST(test_ring_time),
		RIG_TEST(test_silence),
		RIG_TEST(test_close_unheard),
		RIG_TEST(test_close_heard),
		RIG_TEST(test_failures),
		RIG_TEST(test_strict_router),
		RIG_TEST(test_loose_router),
		RIG_TEST(test_contact_name),
		RIG_TEST(test_contact_unresolvable),
		RIG_TEST(test_bye_early),
		RIG_TEST(test_crossing_byes),
		RIG_TEST(test_hangup_inside),
		RIG_TEST(test_free_in_closed),
		RIG_TEST(test_free_while_up),
		RIG_TEST(test_bad_use),
		RIG_TEST(test_headers),
		RIG_TEST(test_stack_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
