/**
 * @file test_replaces.c  Which call is meant, and why one ends
 */
#include "rig.h"


/* Names of dialogs -------------------------------------------------------- */

static void test_parse(void **state)
{
	static const struct {
		const char *value;
		bool target;
		int err;
		const char *callid, *ltag, *rtag;
		bool early;
	} v[] = {
		{"a@b;to-tag=l;from-tag=r", false, 0, "a@b", "l", "r", false},
		{" a ; from-tag=r ;early-only; to-tag=l", false, 0, "a", "l",
		 "r", true},
		{"a;to-tag=0;from-tag=r", false, 0, "a", "", "r", false},
		{"a;local-tag=r;remote-tag=l", true, 0, "a", "l", "r", false},
		{"a;to-tag=l", false, EBADMSG, NULL, NULL, NULL, false},
		{"a;from-tag=l", false, EBADMSG, NULL, NULL, NULL, false},
		{"a", false, EBADMSG, NULL, NULL, NULL, false},
		{"", false, EBADMSG, NULL, NULL, NULL, false},
		{";to-tag=l;from-tag=r", false, EBADMSG, NULL, NULL, NULL,
		 false},
		{"a b;to-tag=l;from-tag=r", false, EBADMSG, NULL, NULL, NULL,
		 false},
		{"a;to-tag=;from-tag=r", false, EBADMSG, NULL, NULL, NULL,
		 false},
		{"a;to-tag=l;from-tag=r", true, EBADMSG, NULL, NULL, NULL,
		 false},
	};
	struct sip_dialog_id id;
	char longer[700];
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		assert_int_equal(sip_dialog_id_parse(&id, v[i].value,
						     v[i].target), v[i].err);
		if (v[i].err)
			continue;
		assert_string_equal(id.callid, v[i].callid);
		assert_string_equal(id.ltag, v[i].ltag);
		assert_string_equal(id.rtag, v[i].rtag);
		assert_int_equal(id.early_only, v[i].early);
	}

	memset(longer, 'x', sizeof(longer));
	strcpy(longer + 600, ";to-tag=l;from-tag=r");
	assert_int_equal(sip_dialog_id_parse(&id, longer, false), EOVERFLOW);
}


static void test_find(void **state)
{
	struct peer_dialog d;
	struct sip_dialog_id id = {.early_only = false};
	char value[700], want[700];
	(void)state;

	rig_call_up(&d);
	(void)snprintf(id.callid, sizeof(id.callid), "%s", d.callid);
	(void)snprintf(id.ltag, sizeof(id.ltag), "%s", d.rtag);
	(void)snprintf(id.rtag, sizeof(id.rtag), "t1");
	assert_ptr_equal(sip_call_find(rig.s, &id), rig.c);

	/* the other way round only when that may be */
	(void)snprintf(id.rtag, sizeof(id.rtag), "%s", d.rtag);
	(void)snprintf(id.ltag, sizeof(id.ltag), "t1");
	assert_null(sip_call_find(rig.s, &id));
	id.either_way = true;
	assert_ptr_equal(sip_call_find(rig.s, &id), rig.c);
	(void)snprintf(id.ltag, sizeof(id.ltag), "t2");
	assert_null(sip_call_find(rig.s, &id));

	/* as others see it */
	assert_int_equal(sip_call_replaces_value(rig.c, value,
						 sizeof(value)), 0);
	(void)snprintf(want, sizeof(want), "%s;to-tag=t1;from-tag=%s",
		       d.callid, d.rtag);
	assert_string_equal(value, want);
	assert_int_equal(sip_call_replaces_value(rig.c, value, 10),
			 EOVERFLOW);
	sip_call_hangup(rig.c, 0, NULL);
	assert_int_equal(sip_call_replaces_value(rig.c, value,
						 sizeof(value)), ENOTCONN);
}


static void test_send(void **state)
{
	struct sip_call_conf conf = {
		.replaces = "a;to-tag=b;from-tag=c", .headers = "X-A: b\r\n",
	};
	struct sip_call *c;
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	assert_string_equal(msg_header(inv, "Replaces"), conf.replaces);
	assert_string_equal(msg_header(inv, "Require"), "replaces");
	assert_string_equal(msg_header(inv, "X-A"), "b");

	conf.uri = peer_uri(rig.p);
	conf.replaces = "a\r\nb";
	assert_int_equal(sip_call_connect(&c, rig.s, &conf, NULL,
					  &(struct sip_call_h){0}, NULL),
			 EINVAL);
}


/* An INVITE with Replaces ------------------------------------------------- */

static struct sip_call *seen;

static int look_h(struct sip_call *call, const struct sip_info *in,
		  struct mbuf *offer, void *arg)
{
	(void)in;
	(void)offer;
	(void)arg;
	++rig.invites;
	seen = sip_call_replaces(call);

	return 404;
}


/* The peer's INVITE with this header; what it gets */
static const struct sip_msg *invite(const char *headers, const char *what)
{
	struct peer_dialog d;

	peer_dialog_uac(&d, rig.p, &rig.addr);
	peer_request(rig.p, &d, "INVITE", headers, "their session\r\n");

	return rig_expect(what);
}


static void test_in(void **state)
{
	struct peer_dialog d;
	char line[800], two[1700];
	(void)state;

	rig_call_up(&d);
	rig.s->h.invite_h = look_h;
	(void)snprintf(line, sizeof(line), "Replaces: %s;to-tag=%s;"
		       "from-tag=%s\r\n", d.callid, d.rtag, d.ltag);

	/* nobody here knows what it means */
	seen = rig.c;
	(void)snprintf(two, sizeof(two), "Require: replaces\r\n%s", line);
	(void)invite(two, "420 INVITE");
	(void)invite(line, "404 INVITE");
	assert_null(seen);

	assert_int_equal(sip_stack_able(rig.s, SIP_AB_OPTION, "replaces",
					true), 0);
	(void)invite(two, "404 INVITE");
	assert_ptr_equal(seen, rig.c);
	rig.invites = 0;

	(void)snprintf(two, sizeof(two), "%s%s", line, line);
	(void)invite(two, "400 INVITE");
	(void)snprintf(two, sizeof(two), "%sJoin: a;to-tag=b;from-tag=c\r\n",
		       line);
	(void)invite(two, "400 INVITE");
	(void)invite("Replaces: nonsense\r\n", "400 INVITE");
	(void)invite("Replaces: a;to-tag=b;from-tag=c\r\n", "481 INVITE");
	line[strlen(line) - 2] = '\0';
	(void)snprintf(two, sizeof(two), "%s;early-only\r\n", line);
	(void)invite(two, "486 INVITE");

	/* it is over, and was not long ago */
	(void)snprintf(two, sizeof(two), "%s\r\n", line);
	sip_call_hangup(rig.c, 0, NULL);
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	(void)invite(two, "603 INVITE");
	assert_int_equal(rig.invites, 0);
	assert_int_equal(rig.s->stats.sessions, 0);
}


static void test_in_early(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	char line[800];
	(void)state;

	assert_int_equal(sip_stack_able(rig.s, SIP_AB_OPTION, "replaces",
					true), 0);

	/* we are calling: it is ours to give */
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	rig_wait(&rig.progress, 1);
	peer_dialog_uas(&d, rig.p, inv, "t1");
	(void)snprintf(line, sizeof(line), "Replaces: %s;to-tag=%s;"
		       "from-tag=%s;early-only\r\n", d.callid, d.rtag,
		       d.ltag);
	rig.s->h.invite_h = look_h;
	(void)invite(line, "404 INVITE");
	assert_ptr_equal(seen, rig.c);
	rig.c = mem_deref(rig.c);
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	(void)rig_expect("ACK");
}


static void test_in_ringing(void **state)
{
	struct peer_dialog d;
	char line[800];
	(void)state;

	assert_int_equal(sip_stack_able(rig.s, SIP_AB_OPTION, "replaces",
					true), 0);
	rig_called(&d, "", "their session\r\n");
	assert_int_equal(sip_call_ring(rig.c, 180, NULL, NULL), 0);
	peer_dialog_take(&d, rig_expect("180 INVITE"));
	(void)snprintf(line, sizeof(line), "Replaces: %s;to-tag=%s;"
		       "from-tag=%s\r\n", d.callid, d.rtag, d.ltag);
	(void)invite(line, "481 INVITE");
	assert_int_equal(rig.invites, 1);
}


/* It needs no room of its own */
static void test_in_full(void **state)
{
	struct peer_dialog d;
	char line[800];
	(void)state;

	assert_int_equal(sip_stack_able(rig.s, SIP_AB_OPTION, "replaces",
					true), 0);
	rig.s->max_sessions = 1;
	rig_call_up(&d);
	rig.s->h.invite_h = look_h;
	(void)invite("", "486 INVITE");
	(void)snprintf(line, sizeof(line), "Replaces: %s;to-tag=%s;"
		       "from-tag=%s\r\n", d.callid, d.rtag, d.ltag);
	(void)invite(line, "404 INVITE");
}


/* Reason ------------------------------------------------------------------ */

static void test_reason_parse(void **state)
{
	static const char value[] = "Q.850 ;cause=16;text=\"a \\\"b\\\", c\","
		" SIP;cause=200;text=\"Call completed elsewhere\","
		"X;cause=x, Y";
	uint32_t cause;
	char text[64], little[5];
	(void)state;

	assert_int_equal(sip_reason_parse(value, "SIP", &cause, text,
					  sizeof(text)), 0);
	assert_int_equal(cause, 200);
	assert_string_equal(text, "Call completed elsewhere");
	assert_int_equal(sip_reason_parse(value, "q.850", &cause, text,
					  sizeof(text)), 0);
	assert_int_equal(cause, 16);
	assert_string_equal(text, "a \"b\", c");
	assert_int_equal(sip_reason_parse(value, "SIP", &cause, little,
					  sizeof(little)), 0);
	assert_string_equal(little, "Call");
	assert_int_equal(sip_reason_parse(value, "X", &cause, NULL, 0),
			 EBADMSG);
	assert_int_equal(sip_reason_parse(value, "Y", &cause, text,
					  sizeof(text)), 0);
	assert_int_equal(cause, 0);
	assert_string_equal(text, "");
	assert_int_equal(sip_reason_parse(value, "Z", &cause, NULL, 0),
			 ENOENT);
	assert_int_equal(sip_reason_parse("", "SIP", &cause, NULL, 0),
			 ENOENT);
}


static void test_reason_bye(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *bye;
	(void)state;

	rig_call_up(&d);
	peer_request(rig.p, &d, "BYE", "Reason: SIP;cause=200;text=\"x\"\r\n",
		     NULL);
	rig_assert_closed(SIP_CAUSE_NONE, 0, true);
	assert_string_equal(sip_call_reason(rig.c),
			    "SIP;cause=200;text=\"x\"");
	rig_wait_idle();
	rig.c = mem_deref(rig.c);

	rig.closed = rig.established = 0;
	rig_call_up(&d);
	assert_string_equal(sip_call_reason(rig.c), "");
	sip_call_hangup(rig.c, 0, "Q.850;cause=16");
	bye = rig_expect("BYE");
	assert_string_equal(msg_header(bye, "Reason"), "Q.850;cause=16");
	peer_reply(rig.p, bye, 200, "", "", NULL);
}


static void test_reason_cancel_in(void **state)
{
	static const struct {
		const char *line, *reason;
	} v[] = {
		{"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n",
		 "SIP;cause=200;text=\"Call completed elsewhere\""},
		{"reason :  Q.850;cause=16  \r\n", "Q.850;cause=16"},
		{"X-Reason: none\r\nReasons: none\r\n", ""},
		{"", ""},
	};
	struct peer_dialog d;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		rig_again();
		rig.closed = 0;
		rig_called(&d, "", "their session\r\n");
		peer_request(rig.p, &d, "CANCEL", v[i].line, NULL);
		(void)rig_expect("200 CANCEL");
		(void)rig_expect("487 INVITE");
		rig_assert_closed(SIP_CAUSE_CANCELLED, 487, true);
		assert_string_equal(sip_call_reason(rig.c), v[i].reason);
		rig_wait_idle();
		rig.c = mem_deref(rig.c);
	}
}


static void cancel_out(bool late)
{
	const struct sip_msg *inv, *cancel;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	if (!late) {
		peer_reply(rig.p, inv, 180, "t1", "", NULL);
		rig_wait(&rig.progress, 1);
	}
	sip_call_hangup(rig.c, 0, "SIP;cause=200");
	if (late)
		peer_reply(rig.p, inv, 100, "", "", NULL);
	cancel = rig_expect("CANCEL");
	assert_string_equal(msg_header(cancel, "Reason"), "SIP;cause=200");
	assert_int_equal(cancel->cseq.num, inv->cseq.num);
	assert_int_equal(pl_cmp(&cancel->via.branch, &inv->via.branch), 0);
	assert_string_equal(msg_ruri(cancel), msg_ruri(inv));
	assert_string_equal(msg_header(cancel, "To"), msg_header(inv, "To"));
	peer_reply(rig.p, cancel, 200, "t1", "", NULL);
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	(void)rig_expect("ACK");
	rig_assert_closed(SIP_CAUSE_CANCELLED, 0, false);
	rig_wait_idle();
}


static void test_reason_cancel_out(void **state)
{
	(void)state;
	cancel_out(false);
	assert_int_equal(peer_count(rig.p, "CANCEL"), 0);
}


static void test_reason_cancel_out_late(void **state)
{
	(void)state;
	cancel_out(true);
}


static void test_reason_cancel_out_tcp(void **state)
{
	struct peer *p;
	(void)state;

	assert_int_equal(peer_alloc_tcp(&p, NULL), 0);
	rig_peer(p);
	cancel_out(false);
}


/* Nobody answers the INVITE after its CANCEL: 64*T1, and it is over */
static void test_cancel_bound(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	rig_wait(&rig.progress, 1);
	sip_call_hangup(rig.c, 0, NULL);
	peer_reply(rig.p, rig_expect("CANCEL"), 200, "t1", "", NULL);
	rig_assert_closed(SIP_CAUSE_CANCELLED, 0, false);
	timers_advance(31000);
	loop_run(20);
	assert_int_equal(list_count(&rig.s->calls), 1);
	timers_advance(1500);
	rig_wait_idle();
	assert_true(list_isempty(&rig.s->reqs));

	/* an answer after that finds nobody */
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	loop_run(20);
}


/* A 2xx that tells no usable way gets its ACK and BYE all the same -------- */

static void test_stray_2xx(void **state)
{
	static const char *const v[] = {
		"Contact: <tel:+4930>\r\n",
		"Contact: <sip:>\r\n",
		"Contact: <sip:them@host:99999>\r\n",
		"Record-Route: <http://x/>\r\n",
		"Record-Route: nonsense nonsense\r\n",
	};
	char rr[4000] = "";
	const struct sip_msg *inv, *ack, *bye;
	unsigned i, k;
	(void)state;

	for (i = 0; i <= SIP_ROUTES_MAX; i++)
		(void)snprintf(rr + strlen(rr), sizeof(rr) - strlen(rr),
			       "Record-Route: <sip:p%u;lr>\r\n", i);

	for (i = 0; i < 2 * (COUNTOF(v) + 1); i++) {
		k = i / 2;
		rig.closed = rig.progress = 0;
		rig_call("our session\r\n", NULL);
		inv = rig_expect("INVITE");

		/* with an early dialog before it, and without */
		if (i & 1) {
			peer_reply(rig.p, inv, 180, "t1", "", NULL);
			rig_wait(&rig.progress, 1);
		}
		peer_reply(rig.p, inv, 200, "t1", k < COUNTOF(v) ? v[k] : rr,
			   "their session\r\n");
		ack = rig_expect("ACK");
		assert_string_equal(msg_ruri(ack), peer_uri(rig.p));
		assert_int_equal(ack->cseq.num, inv->cseq.num);
		assert_int_equal(pl_strcmp(&ack->to.tag, "t1"), 0);
		bye = rig_expect("BYE");
		assert_int_equal(pl_strcmp(&bye->to.tag, "t1"), 0);
		peer_reply(rig.p, bye, 200, "", "", NULL);
		rig_assert_closed(SIP_CAUSE_PROTOCOL, 200, false);
		assert_int_equal(rig.established, 0);
		rig_wait_idle();
		rig.c = mem_deref(rig.c);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_parse),
		RIG_TEST(test_find),
		RIG_TEST(test_send),
		RIG_TEST(test_in),
		RIG_TEST(test_in_early),
		RIG_TEST(test_in_ringing),
		RIG_TEST(test_in_full),
		RIG_TEST(test_reason_parse),
		RIG_TEST(test_reason_bye),
		RIG_TEST(test_reason_cancel_in),
		RIG_TEST(test_reason_cancel_out),
		RIG_TEST(test_reason_cancel_out_late),
		RIG_TEST(test_reason_cancel_out_tcp),
		RIG_FAKE_TEST(test_cancel_bound),
		RIG_TEST(test_stray_2xx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
