/**
 * @file test_invite_flow.c  Which way the messages of a call take
 */
#include "rig.h"
#include "../../fake/ident.h"


/* An INVITE by a connection: what we send in the dialog goes back by it */
static void test_in_by_tcp(void **state)
{
	struct peer_dialog d;
	struct peer *p;
	const struct sip_msg *m;
	(void)state;

	assert_int_equal(peer_alloc_tcp(&p, &rig.tcp), 0);
	rig_peer(p);
	peer_dialog_uac(&d, rig.p, &rig.tcp);
	rig.auto_answer = true;
	rig_invite(&d, "Contact: <sip:them@192.0.2.99:5060;transport=tcp>\r\n",
		   "their session\r\n");
	m = rig_expect("200 INVITE");
	assert_non_null(strstr(msg_header(m, "Contact"), ";transport=tcp>"));

	/* a reliable way, but the 2xx is end to end */
	(void)rig_expect("200 INVITE");
	peer_dialog_take(&d, m);
	peer_request(rig.p, &d, "ACK", "", NULL);
	rig_wait(&rig.established, 1);

	sip_call_hangup(rig.c, 0, NULL);
	m = rig_expect("BYE");
	assert_string_equal(msg_ruri(m),
			    "sip:them@192.0.2.99:5060;transport=tcp");
	peer_reply(rig.p, m, 200, "", "", NULL);
	rig_wait_idle();
}


/* ... and when that is gone, to where the peer says it listens */
static void test_in_by_tcp_lost(void **state)
{
	struct peer_dialog d;
	struct peer *p, *listens;
	const struct sip_msg *m;
	char contact[120];
	(void)state;

	assert_int_equal(peer_alloc_tcp(&listens, NULL), 0);
	assert_int_equal(peer_alloc_tcp(&p, &rig.tcp), 0);
	rig_peer(p);
	(void)snprintf(contact, sizeof(contact), "Contact: <%s>\r\n",
		       peer_uri(listens));
	peer_dialog_uac(&d, rig.p, &rig.tcp);
	rig.auto_answer = true;
	rig_invite(&d, contact, "their session\r\n");
	peer_dialog_take(&d, rig_expect("200 INVITE"));
	peer_request(rig.p, &d, "ACK", "", NULL);
	rig_wait(&rig.established, 1);

	peer_drop(rig.p);
	loop_run(20);
	sip_call_hangup(rig.c, 0, NULL);
	m = peer_wait(listens, "BYE", WAIT_MS);
	assert_non_null(m);
	peer_reply(listens, m, 200, "", "", NULL);
	rig_wait_idle();
	mem_deref(listens);
}


static void test_out_by_tcp(void **state)
{
	struct peer_dialog d;
	struct peer *p;
	const struct sip_msg *inv, *m;
	char contact[120];
	(void)state;

	/* the Contact does not say tcp: one connection does for all */
	assert_int_equal(peer_alloc_tcp(&p, NULL), 0);
	rig_peer(p);
	(void)snprintf(contact, sizeof(contact),
		       "Contact: <sip:them@127.0.0.1:%u>\r\n",
		       sa_port(peer_addr(rig.p)));
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1", contact, "their session\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);

	peer_reply(rig.p, inv, 200, "t1", contact, "their session\r\n");
	(void)rig_expect("ACK");

	peer_dialog_uas(&d, rig.p, inv, "t1");
	peer_request(rig.p, &d, "INVITE", contact, "their offer\r\n");
	(void)rig_expect("200 INVITE");
	peer_request(rig.p, &d, "ACK", "", NULL);

	sip_call_hangup(rig.c, 0, NULL);
	m = rig_expect("BYE");
	peer_reply(rig.p, m, 200, "", "", NULL);
	rig_wait_idle();
	assert_int_equal(peer_accepted(rig.p), 1);
}


static void test_nobody_there(void **state)
{
	struct sip_call_conf conf = {0};
	char uri[80];
	(void)state;

	/* UDP: silence */
	rig.s->timeout_ms = 100;
	rig_call("our session\r\n", NULL);
	(void)rig_expect("INVITE");
	rig_assert_closed(SIP_CAUSE_TIMEOUT, 0, false);
	rig_wait_idle();
	rig.c = mem_deref(rig.c);

	/* TCP: refused. Nobody listens on a port that was just given up */
	rig.closed = 0;
	(void)snprintf(uri, sizeof(uri), "sip:x@127.0.0.1:%u;transport=tcp",
		       sa_port(peer_addr(rig.p)));
	conf.uri = uri;
	rig_call("our session\r\n", &conf);
	rig_assert_closed(SIP_CAUSE_TRANSPORT, 0, false);
	assert_int_not_equal(rig.end.err, 0);
	rig_wait_idle();
	rig.c = mem_deref(rig.c);

	/* no such name */
	rig.closed = 0;
	conf.uri = "sip:x@nowhere.invalid";
	rig_call("our session\r\n", &conf);
	assert_int_equal(rig.closed, 0);
	rig_assert_closed(SIP_CAUSE_RESOLVE, 0, false);
	rig_wait_idle();
	rig.c = mem_deref(rig.c);

	/* hung up before the name was known */
	rig.closed = 0;
	rig_call("our session\r\n", &conf);
	sip_call_hangup(rig.c, 0, NULL);
	rig_assert_closed(SIP_CAUSE_CANCELLED, 0, false);
	rig_wait_idle();
}


/* Of the one we call, so that they are his to ask for */
static struct sip_ident *ident_creds_make(const char *password)
{
	struct sip_creds *creds = NULL;
	struct sip_ident *id;

	assert_int_equal(sip_creds_alloc(&creds, "us", password, NULL), 0);
	id = ident_make(.aor = "sip:us@example.com", .serverv = {"127.0.0.1"},
			.creds = creds);
	mem_deref(creds);

	return id;
}


static void test_credentials(void **state)
{
	struct sip_call_conf conf = {0};
	const struct sip_msg *inv, *ack, *m;
	char auth[1000];
	uint32_t cseq;
	(void)state;

	conf.ident = ident_creds_make("secret");
	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	cseq = inv->cseq.num;
	peer_reply(rig.p, inv, 180, "t0", "", NULL);
	peer_reply(rig.p, inv, 407, "t0", "Proxy-Authenticate: Digest "
		   "realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n", NULL);
	ack = rig_expect("ACK");
	assert_int_equal(ack->cseq.num, cseq);

	inv = rig_expect("INVITE");
	assert_int_equal(inv->cseq.num, cseq + 1);
	assert_true(list_isempty(&rig.c->branches));
	(void)snprintf(auth, sizeof(auth), "%s",
		       msg_header(inv, "Proxy-Authorization"));
	assert_non_null(strstr(auth, "nonce=\"n1\""));

	/* the ACK repeats them as they were */
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	ack = rig_expect("ACK");
	assert_int_equal(ack->cseq.num, cseq + 1);
	assert_string_equal(msg_header(ack, "Proxy-Authorization"), auth);
	rig_wait(&rig.established, 1);

	/* other requests have their own, from the start */
	sip_call_hangup(rig.c, 0, NULL);
	m = rig_expect("BYE");
	assert_non_null(strstr(msg_header(m, "Proxy-Authorization"),
			       "nc=00000002"));
	assert_int_equal(m->cseq.num, cseq + 2);
	peer_reply(rig.p, m, 200, "", "", NULL);
	rig_wait_idle();
	mem_deref(conf.ident);
}


/* Nobody but the server the call went to may ask for them */
static void test_strange_credentials(void **state)
{
	static const struct {
		const char *headers;
		bool given;
	} v[] = {
		{"", true},
		{"Contact: <sip:them@192.0.2.1>\r\n", false},
		{"Contact: <sip:them@127.0.0.1:9>\r\n", true},
		{"Contact: <sip:them@192.0.2.1>\r\n"
		 "Record-Route: <sip:127.0.0.1:9;lr>\r\n", true},
		{"Record-Route: <sip:192.0.2.1;lr>\r\n", false},
		{"Record-Route: <sip:proxy.example.com;lr>\r\n", false},
	};
	struct sip_call_conf conf = {0};
	const struct sip_msg *inv;
	size_t i;
	(void)state;

	conf.ident = ident_creds_make("secret");

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rig.established = 0;
		rig_call("our session\r\n", &conf);
		inv = rig_expect("INVITE");
		peer_reply(rig.p, inv, 180, "t1", "Contact: <sip:a@b>\r\n",
			   NULL);
		peer_reply(rig.p, inv, 200, "t1", v[i].headers,
			   "their session\r\n");
		rig_wait(&rig.established, 1);
		assert_int_equal(rig.c->br->dlg->digest != NULL, v[i].given);
		rig.c = mem_deref(rig.c);
	}

	mem_deref(conf.ident);
}


static void test_refused_credentials(void **state)
{
	struct sip_call_conf conf = {0};
	const struct sip_msg *inv;
	int i;
	(void)state;

	conf.ident = ident_creds_make("wrong");
	rig_call("our session\r\n", &conf);
	for (i = 0; i < 2; i++) {
		inv = rig_expect("INVITE");
		peer_reply(rig.p, inv, 401, "t0", "WWW-Authenticate: Digest "
			   "realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n",
			   NULL);
		(void)rig_expect("ACK");
	}
	rig_assert_closed(SIP_CAUSE_AUTH, 401, true);
	rig_wait_idle();
	mem_deref(conf.ident);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_in_by_tcp),
		RIG_TEST(test_in_by_tcp_lost),
		RIG_TEST(test_out_by_tcp),
		RIG_TEST(test_nobody_there),
		RIG_TEST(test_credentials),
		RIG_TEST(test_strange_credentials),
		RIG_TEST(test_refused_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
