/**
 * @file test_keep.c  Requests that come again after their call is over
 */
#include "rig.h"


static size_t text_make(char *buf, size_t sz, const struct peer_dialog *d,
			const char *method, unsigned cseq, const char *branch)
{
	/* an offer, so that the ACK owes nothing */
	const char *body = !strcmp(method, "INVITE") ? "offer" : "";

	return (size_t)re_snprintf(buf, sz, "%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP %J;branch=z9hG4bK%s;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <%s>;tag=%s\r\nTo: <%s>%s%s\r\n"
		"Call-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:p@127.0.0.1>\r\n"
		"Content-Type: application/sdp\r\n"
		"Content-Length: %zu\r\n\r\n%s", method, d->target,
		peer_addr(rig.p), branch, d->local, d->ltag, d->remote,
		*d->rtag ? ";tag=" : "", d->rtag, d->callid, cseq, method,
		strlen(body), body);
}


static void test_bye_again(void **state)
{
	struct peer_dialog d;
	char text[1500];
	size_t len, i;
	(void)state;

	rig_called_up(&d);
	len = text_make(text, sizeof(text), &d, "BYE", d.cseq + 1, "bye");

	for (i = 0; i < 3; i++) {
		peer_send(rig.p, &rig.addr, text, len);
		(void)rig_expect("200 BYE");
	}
	rig_assert_closed(SIP_CAUSE_NONE, 0, true);

	/* another one is another one */
	len = text_make(text, sizeof(text), &d, "BYE", d.cseq + 2, "other");
	peer_send(rig.p, &rig.addr, text, len);
	(void)rig_expect("481 BYE");
	peer_send(rig.p, &rig.addr, text, len);
	(void)rig_expect("481 BYE");
}


/* Copies of an INVITE that is answered, and what only looks like one */
static void test_invite_again(void **state)
{
	struct peer_dialog d;
	char text[1500], ack[1500];
	size_t len;
	(void)state;

	rig.auto_answer = true;
	peer_dialog_uac(&d, rig.p, &rig.addr);
	len = text_make(text, sizeof(text), &d, "INVITE", 7, "inv");
	peer_send(rig.p, &rig.addr, text, len);
	peer_dialog_take(&d, rig_expect("200 INVITE"));

	/* before the ACK it is the same transaction */
	peer_send(rig.p, &rig.addr, text, len);
	loop_run(QUIET_MS);
	assert_int_equal(peer_count(rig.p, "482 INVITE"), 0);

	peer_send(rig.p, &rig.addr, ack, text_make(ack, sizeof(ack), &d,
						   "ACK", 7, "ack"));
	rig_wait(&rig.established, 1);

	/* afterwards, too (RFC 6026); one on another way is told so */
	peer_send(rig.p, &rig.addr, text, len);
	loop_run(QUIET_MS);
	assert_int_equal(peer_count(rig.p, "482 INVITE"), 0);
	d.rtag[0] = '\0';
	len = text_make(text, sizeof(text), &d, "INVITE", 7, "merged");
	peer_send(rig.p, &rig.addr, text, len);
	(void)rig_expect("482 INVITE");
	assert_int_equal(rig.invites, 1);

	/* another call of a peer whose branches are all alike */
	rig.invite_status = 486;
	(void)snprintf(d.callid, sizeof(d.callid), "another");
	len = text_make(text, sizeof(text), &d, "INVITE", 7, "inv");
	peer_send(rig.p, &rig.addr, text, len);
	(void)rig_expect("486 INVITE");
	assert_int_equal(rig.invites, 2);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_bye_again),
		RIG_TEST(test_invite_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
