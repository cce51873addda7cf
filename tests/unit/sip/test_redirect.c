/**
 * @file test_redirect.c  3xx followed, asked about, refused; and CANCEL
 */
#include "rig.h"
#include "../../fake/ident.h"


/* A peer of a redirect beside the first one */
static struct peer *others[3];


static int setup(void **state)
{
	const int err = rig_setup(state);
	size_t i;

	for (i = 0; i < COUNTOF(others); i++)
		assert_int_equal(peer_alloc(&others[i]), 0);

	return err;
}


static int teardown(void **state)
{
	size_t i;

	for (i = 0; i < COUNTOF(others); i++)
		others[i] = mem_deref(others[i]);

	return rig_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static const struct sip_msg *call(enum sip_redirect how)
{
	const struct sip_call_conf conf = {
		.redirect = how, .headers = "X-Mine: yes\r\n",
	};

	rig_call("our session\r\n", &conf);

	return rig_expect("INVITE");
}


static const struct sip_msg *expect_at(unsigned i, const char *what)
{
	const struct sip_msg *msg = peer_wait(others[i], what, WAIT_MS);

	assert_non_null(msg);

	return msg;
}


static void redirect(const struct sip_msg *inv, unsigned code,
		     const char *contacts)
{
	peer_reply(rig.p, inv, code, "t1", contacts, NULL);
	(void)rig_expect("ACK");
}


static void test_deny(void **state)
{
	char contact[100];
	(void)state;

	(void)snprintf(contact, sizeof(contact), "Contact: <%s>\r\n",
		       peer_uri(others[0]));
	redirect(call(SIP_REDIRECT_DENY), 302, contact);
	rig_assert_closed(SIP_CAUSE_STATUS, 302, true);
	assert_true(rig.end_info);
	assert_int_equal(rig.redirects, 0);
	rig_wait_idle();
	assert_int_equal(peer_count(others[0], "INVITE"), 0);
}


static void test_follow(void **state)
{
	const struct sip_msg *inv, *two, *bye;
	char contact[300];
	(void)state;

	inv = call(SIP_REDIRECT_FOLLOW);
	(void)snprintf(contact, sizeof(contact), "Contact: <%s;method=BYE>;"
		       "expires=60\r\n", peer_uri(others[0]));
	redirect(inv, 302, contact);

	two = expect_at(0, "INVITE");
	assert_int_equal(rig.redirects, 1);
	assert_string_equal(rig.redirect, peer_uri(others[0]));
	assert_string_equal(msg_ruri(two), peer_uri(others[0]));
	assert_string_equal(msg_header(two, "Call-ID"),
			    msg_header(inv, "Call-ID"));
	assert_string_equal(msg_header(two, "From"), msg_header(inv, "From"));
	assert_string_equal(msg_header(two, "To"), msg_header(inv, "To"));
	assert_string_equal(msg_header(two, "X-Mine"), "yes");
	assert_string_equal(msg_body(two), "our session\r\n");
	assert_true(two->cseq.num > inv->cseq.num);
	assert_int_equal(rig.closed, 0);

	peer_reply(others[0], two, 180, "t2", "", NULL);
	peer_reply(others[0], two, 200, "t2", "", "their session\r\n");
	(void)expect_at(0, "ACK");
	rig_wait(&rig.established, 1);
	sip_call_hangup(rig.c, 0, NULL);
	bye = expect_at(0, "BYE");
	peer_reply(others[0], bye, 200, "", "", NULL);
	rig_wait_idle();
}


/* By q, each once; what fails makes way for the next */
static void test_order(void **state)
{
	const struct sip_msg *inv;
	char contacts[600];
	(void)state;

	inv = call(SIP_REDIRECT_FOLLOW);
	(void)snprintf(contacts, sizeof(contacts),
		       "Contact: <%s>;q=0.2, <%s>;q=0.7\r\n"
		       "Contact: <%s>;q=0.55, <%s>;q=1.0\r\n"
		       "Contact: <tel:+4930>, <http://h/>, *\r\n"
		       "Contact: <sip:late@127.0.0.1:9>;expires=0\r\n",
		       peer_uri(others[0]), peer_uri(others[1]),
		       peer_uri(others[2]), peer_uri(rig.p));
	redirect(inv, 300, contacts);

	inv = expect_at(1, "INVITE");
	peer_reply(others[1], inv, 486, "x", "", NULL);
	inv = expect_at(2, "INVITE");
	assert_int_equal(peer_count(others[0], "INVITE"), 0);

	/* which names others again, and a new one */
	(void)snprintf(contacts, sizeof(contacts), "Contact: <%s>;q=0.9, "
		       "<%s>;q=0.1\r\n", peer_uri(others[1]),
		       peer_uri(others[0]));
	peer_reply(others[2], inv, 302, "x", contacts, NULL);
	inv = expect_at(0, "INVITE");
	assert_int_equal(rig.closed, 0);
	peer_reply(others[0], inv, 480, "x", "", NULL);

	/* nobody is left; where it began was never tried again */
	rig_assert_closed(SIP_CAUSE_STATUS, 480, true);
	rig_wait_idle();
	assert_int_equal(peer_count(rig.p, "INVITE"), 0);
	assert_int_equal(peer_count(others[1], "INVITE"), 0);
	assert_int_equal(rig.redirects, 3);
}


static void test_global(void **state)
{
	const struct sip_msg *inv;
	char contacts[300];
	(void)state;

	inv = call(SIP_REDIRECT_FOLLOW);
	(void)snprintf(contacts, sizeof(contacts), "Contact: <%s>, <%s>\r\n",
		       peer_uri(others[0]), peer_uri(others[1]));
	redirect(inv, 302, contacts);

	/* a 6xx says that there is no use */
	inv = expect_at(0, "INVITE");
	peer_reply(others[0], inv, 603, "x", "", NULL);
	rig_assert_closed(SIP_CAUSE_STATUS, 603, true);
	rig_wait_idle();
	assert_int_equal(peer_count(others[1], "INVITE"), 0);
}


/* Each answer names a new one, for ever */
static void test_endless(void **state)
{
	const struct sip_msg *inv;
	char contact[100];
	unsigned i;
	(void)state;

	inv = call(SIP_REDIRECT_FOLLOW);

	for (i = 0; i < 30; i++) {
		(void)re_snprintf(contact, sizeof(contact),
				  "Contact: <sip:x%u@%J>\r\n", i,
				  peer_addr(rig.p));
		redirect(inv, 302, contact);
		loop_run(5);
		if (rig.closed)
			break;
		inv = rig_expect("INVITE");
	}

	assert_int_equal(i, 10);
	rig_assert_closed(SIP_CAUSE_STATUS, 302, true);
	rig_wait_idle();
}


static void test_many(void **state)
{
	const struct sip_msg *inv;
	char contacts[3000] = "";
	unsigned i;
	(void)state;

	inv = call(SIP_REDIRECT_FOLLOW);
	for (i = 0; i < 40; i++)
		(void)re_snprintf(contacts + strlen(contacts),
				  sizeof(contacts) - strlen(contacts),
				  "Contact: <sip:x%u@%J>\r\n", i,
				  peer_addr(rig.p));
	redirect(inv, 302, contacts);

	for (i = 0; i < 10; i++) {
		inv = rig_expect("INVITE");
		redirect(inv, 404, "");
	}
	rig_assert_closed(SIP_CAUSE_STATUS, 404, true);
	rig_wait_idle();
}


static void test_nothing_usable(void **state)
{
	(void)state;

	redirect(call(SIP_REDIRECT_FOLLOW), 302, "");
	rig_assert_closed(SIP_CAUSE_STATUS, 302, true);
	rig_wait_idle();
	rig.c = mem_deref(rig.c);

	/* what 380 means stands in its body */
	rig.closed = 0;
	redirect(call(SIP_REDIRECT_FOLLOW), 380,
		 "Contact: <sip:x@127.0.0.1:9>\r\n");
	rig_assert_closed(SIP_CAUSE_STATUS, 380, true);
	assert_int_equal(rig.redirects, 0);
	rig_wait_idle();
}


/* 305: the same request by another way */
static void test_proxy(void **state)
{
	const struct sip_msg *inv, *two;
	char contact[100];
	(void)state;

	inv = call(SIP_REDIRECT_FOLLOW);
	(void)snprintf(contact, sizeof(contact), "Contact: <%s>\r\n",
		       peer_uri(others[0]));
	redirect(inv, 305, contact);
	two = expect_at(0, "INVITE");
	assert_string_equal(msg_ruri(two), peer_uri(rig.p));
	(void)snprintf(contact, sizeof(contact), "<%s;lr>",
		       peer_uri(others[0]));
	assert_string_equal(msg_header(two, "Route"), contact);
	peer_reply(others[0], two, 486, "x", "", NULL);
	rig_assert_closed(SIP_CAUSE_STATUS, 486, true);
	rig_wait_idle();
}


/* Only harmless headers come with a Contact */
static void test_headers(void **state)
{
	const struct sip_msg *inv, *two;
	char contact[600];
	(void)state;

	inv = call(SIP_REDIRECT_FOLLOW);
	(void)snprintf(contact, sizeof(contact), "Contact: <%s?Subject="
		       "hello%%20you&Route=%%3Csip:evil@h%%3E&Replaces=x&"
		       "From=%%22me%%22&priority=urgent&X=1&User-to-User="
		       "a%%0d%%0aEvil:%%20b&body=v%%3D0&Organization"
		       "&Call-Info=%%3Chttp:x%%3E>\r\n", peer_uri(others[0]));
	redirect(inv, 302, contact);
	two = expect_at(0, "INVITE");
	assert_string_equal(msg_ruri(two), peer_uri(others[0]));
	assert_string_equal(msg_header(two, "Subject"), "hello you");
	assert_string_equal(msg_header(two, "Priority"), "urgent");
	assert_string_equal(msg_header(two, "Call-Info"), "<http:x>");
	assert_string_equal(msg_header(two, "User-to-User"), "");
	assert_string_equal(msg_header(two, "Evil"), "");
	assert_string_equal(msg_header(two, "Route"), "");
	assert_string_equal(msg_header(two, "Replaces"), "");
	assert_string_equal(msg_header(two, "X"), "");
	assert_int_equal(sip_msg_hdr_count(two, SIP_HDR_FROM), 1);
	assert_string_equal(msg_body(two), "our session\r\n");
	peer_reply(others[0], two, 486, "x", "", NULL);
	rig_assert_closed(SIP_CAUSE_STATUS, 486, true);
	rig_wait_idle();
}


static void test_ask(void **state)
{
	const struct sip_msg *inv, *two;
	char contacts[300];
	(void)state;

	inv = call(SIP_REDIRECT_ASK);
	assert_int_equal(sip_call_redirect(rig.c, true), ENOTCONN);
	(void)snprintf(contacts, sizeof(contacts), "Contact: <%s>, <%s>;"
		       "q=0.5\r\n", peer_uri(others[0]), peer_uri(others[1]));
	redirect(inv, 302, contacts);
	rig_wait(&rig.redirects, 1);
	assert_string_equal(rig.redirect, peer_uri(others[0]));
	loop_run(50);
	assert_int_equal(peer_count(others[0], "INVITE"), 0);
	assert_int_equal(sip_call_redirect(rig.c, true), 0);
	assert_int_equal(sip_call_redirect(rig.c, true), ENOTCONN);
	two = expect_at(0, "INVITE");

	/* it failed: the next one is asked about too, and declined */
	peer_reply(others[0], two, 404, "x", "", NULL);
	rig_wait(&rig.redirects, 2);
	assert_string_equal(rig.redirect, peer_uri(others[1]));
	assert_int_equal(sip_call_redirect(rig.c, false), 0);
	rig_assert_closed(SIP_CAUSE_STATUS, 404, true);
	rig_wait_idle();
	assert_int_equal(peer_count(others[1], "INVITE"), 0);
}


static void test_ask_inside(void **state)
{
	char contacts[300];
	(void)state;

	rig.redirect_at_once = true;
	(void)snprintf(contacts, sizeof(contacts), "Contact: <%s>\r\n",
		       peer_uri(others[0]));
	redirect(call(SIP_REDIRECT_ASK), 302, contacts);
	peer_reply(others[0], expect_at(0, "INVITE"), 486, "x", "", NULL);
	rig_assert_closed(SIP_CAUSE_STATUS, 486, true);
	rig_wait_idle();
}


/* Nobody decides: the time to ring runs on */
static void test_ask_forgotten(void **state)
{
	const struct sip_call_conf conf = {
		.redirect = SIP_REDIRECT_ASK, .ring_ms = 100,
	};
	char contacts[300];
	(void)state;

	(void)snprintf(contacts, sizeof(contacts), "Contact: <%s>\r\n",
		       peer_uri(others[0]));
	rig_call("our session\r\n", &conf);
	redirect(rig_expect("INVITE"), 302, contacts);
	rig_wait(&rig.redirects, 1);
	rig_wait(&rig.closed, 1);
	assert_int_equal(sip_call_redirect(rig.c, true), ENOTCONN);
	rig_wait_idle();
	assert_int_equal(peer_count(others[0], "INVITE"), 0);
}


static void test_hangup(void **state)
{
	static const enum sip_redirect how[] = {
		SIP_REDIRECT_ASK, SIP_REDIRECT_FOLLOW,
	};
	char contacts[300];
	unsigned i;
	(void)state;

	(void)snprintf(contacts, sizeof(contacts), "Contact: <%s>\r\n",
		       peer_uri(others[0]));

	for (i = 0; i < 4; i++) {
		rig.closed = rig.redirects = 0;
		if (i & 1)
			rig.free_in = IN_REDIRECT;
		else
			rig.hangup_in = IN_REDIRECT;
		redirect(call(how[i / 2]), 302, contacts);
		rig_wait(&rig.redirects, 1);
		if (i & 1)
			rig.closed = 1;
		rig_wait(&rig.closed, 1);
		rig_wait_idle();
		rig.free_in = rig.hangup_in = NOWHERE;
		rig.c = mem_deref(rig.c);
	}

	/* while it is asked about */
	rig.closed = rig.redirects = 0;
	redirect(call(SIP_REDIRECT_ASK), 302, contacts);
	rig_wait(&rig.redirects, 1);
	sip_call_hangup(rig.c, 0, NULL);
	rig_assert_closed(SIP_CAUSE_CANCELLED, 0, false);
	rig_wait_idle();
	assert_int_equal(peer_count(others[0], "INVITE"), 0);
}


/* Credentials do not go where the call was sent to */
static void test_credentials(void **state)
{
	struct sip_creds *creds;
	struct sip_call_conf conf = {.redirect = SIP_REDIRECT_FOLLOW};
	const struct sip_msg *inv;
	char contacts[200], aor[100];
	(void)state;

	/* our server is the first peer's host by name, not by number */
	assert_int_equal(sip_creds_alloc(&creds, "us", "secret", NULL), 0);
	(void)re_snprintf(aor, sizeof(aor), "sip:us@%j", peer_addr(rig.p));
	conf.ident = ident_make(.aor = aor, .creds = creds);
	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	redirect(inv, 407, "Proxy-Authenticate: Digest realm=\"r\", "
		 "nonce=\"n1\", qop=\"auth\"\r\n");
	inv = rig_expect("INVITE");
	assert_string_not_equal(msg_header(inv, "Proxy-Authorization"), "");
	(void)re_snprintf(contacts, sizeof(contacts),
			  "Contact: <sip:x@localhost:%u>\r\n",
			  sa_port(peer_addr(others[0])));
	redirect(inv, 302, contacts);
	inv = expect_at(0, "INVITE");
	assert_string_equal(msg_header(inv, "Proxy-Authorization"), "");
	peer_reply(others[0], inv, 486, "x", "", NULL);
	rig_assert_closed(SIP_CAUSE_STATUS, 486, true);
	rig_wait_idle();
	mem_deref(conf.ident);
	mem_deref(creds);
}


/* The time to ring is the user's, a challenge does not end it */
static void test_ring_after_challenge(void **state)
{
	struct sip_creds *creds;
	struct sip_call_conf conf = {.ring_ms = 150};
	const struct sip_msg *inv;
	char aor[100];
	(void)state;

	assert_int_equal(sip_creds_alloc(&creds, "us", "secret", NULL), 0);
	(void)re_snprintf(aor, sizeof(aor), "sip:us@%j", peer_addr(rig.p));
	conf.ident = ident_make(.aor = aor, .creds = creds);
	rig_call("our session\r\n", &conf);
	redirect(rig_expect("INVITE"), 407, "Proxy-Authenticate: Digest "
		 "realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n");
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	(void)rig_expect("CANCEL");
	rig_assert_closed(SIP_CAUSE_NO_ANSWER, 0, false);
	peer_reply(rig.p, inv, 487, "t1", "", NULL);
	rig_wait_idle();
	mem_deref(conf.ident);
	mem_deref(creds);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deny),
		TEST(test_follow),
		TEST(test_order),
		TEST(test_global),
		TEST(test_endless),
		TEST(test_many),
		TEST(test_nothing_usable),
		TEST(test_proxy),
		TEST(test_headers),
		TEST(test_ask),
		TEST(test_ask_inside),
		TEST(test_ask_forgotten),
		TEST(test_hangup),
		TEST(test_credentials),
		TEST(test_ring_after_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
