/**
 * @file test_session_timer.c  RFC 4028, in both roles, in hours of no time
 */
#include "rig.h"


#define KNOWS "Supported: timer\r\n"
#define CAN   "Allow: INVITE, ACK, CANCEL, BYE, UPDATE\r\n"

enum { S = 1000 };


static void advance(unsigned s)
{
	timers_advance((uint64_t)s * S);
	loop_run(4);
}


/* In small steps, so that nothing is sent twice before it is answered */
static const struct sip_msg *due(const char *what, unsigned s)
{
	unsigned i;

	for (i = 0; i < 10 * s && !peer_count(rig.p, what); i++) {
		timers_advance(100);
		loop_run(2);
	}

	return rig_expect(what);
}


/* We call with this; the peer answers with these headers */
static const struct sip_msg *call_up(struct peer_dialog *d,
				     const struct sip_call_ext *ext,
				     const char *headers)
{
	struct sip_call_conf conf = {0};
	const struct sip_msg *inv;

	if (ext)
		conf.ext = *ext;
	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1", headers, "their session\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	peer_dialog_uas(d, rig.p, inv, "t1");

	return inv;
}


/* We are called with these headers, and answer */
static const struct sip_msg *called_up(struct peer_dialog *d,
				       const struct sip_call_ext *ext,
				       const char *headers)
{
	const struct sip_msg *ok;

	rig.ext_set = ext != NULL;
	if (ext)
		rig.ext = *ext;
	rig.auto_answer = true;
	rig_called(d, headers, "their session\r\n");
	ok = rig_expect("200 INVITE");
	peer_dialog_take(d, ok);
	rig_ack(d, 1, NULL);
	rig_wait(&rig.established, 1);

	return ok;
}


static void assert_timer(uint32_t interval, bool ours)
{
	bool who = !ours;

	assert_int_equal(sip_call_timer(rig.c, &who), interval);
	if (interval)
		assert_int_equal(who, ours);
}


static void assert_bye(void)
{
	const struct sip_msg *bye = rig_expect("BYE");
	uint32_t cause;

	assert_int_equal(sip_reason_parse(msg_header(bye, "Reason"), "SIP",
					  &cause, NULL, 0), 0);
	assert_int_equal(cause, 408);
	peer_reply(rig.p, bye, 200, "", "", NULL);
	rig_assert_closed(SIP_CAUSE_TIMEOUT, 0, false);
	rig_wait_idle();
}


/* As caller --------------------------------------------------------------- */

static void test_off(void **state)
{
	const struct sip_call_ext ext = {
		.timer = SIP_EXT_OFF, .session_s = 1800,
	};
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	inv = call_up(&d, &ext, "Session-Expires: 90;refresher=uac\r\n");
	assert_null(strstr(msg_header(inv, "Supported"), "timer"));
	assert_string_equal(msg_header(inv, "Session-Expires"), "");
	assert_timer(0, false);
	advance(3600);
	assert_int_equal(peer_count(rig.p, "BYE"), 0);
	assert_int_equal(peer_count(rig.p, "INVITE"), 0);
}


static void test_not_asked(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *inv;
	(void)state;

	/* known, and not asked for by anybody */
	inv = call_up(&d, NULL, "");
	assert_non_null(strstr(msg_header(inv, "Supported"), "timer"));
	assert_string_equal(msg_header(inv, "Session-Expires"), "");
	assert_timer(0, false);
}


static void test_refresh_update(void **state)
{
	const struct sip_call_ext ext = {.session_s = 1800};
	struct peer_dialog d;
	const struct sip_msg *m;
	unsigned i;
	(void)state;

	m = call_up(&d, &ext, KNOWS CAN "Require: timer\r\n"
		    "Session-Expires: 1800;refresher=uac\r\n");
	assert_string_equal(msg_header(m, "Session-Expires"), "1800");
	assert_string_equal(msg_header(m, "Min-SE"), "");
	assert_string_equal(msg_header(m, "Require"), "");
	assert_timer(1800, true);

	for (i = 0; i < 3; i++) {
		advance(898);
		assert_int_equal(peer_count(rig.p, "UPDATE"), 0);
		m = due("UPDATE", 3);
		assert_string_equal(msg_body(m), "");
		assert_string_equal(msg_header(m, "Session-Expires"),
				    "1800;refresher=uac");
		assert_non_null(strstr(msg_header(m, "Supported"), "timer"));
		peer_reply(rig.p, m, 200, "", KNOWS "Require: timer\r\n"
			   "Session-Expires: 1800;refresher=uac\r\n", NULL);
		loop_run(20);
	}

	/* the user hears nothing of it */
	assert_int_equal(rig.modified + rig.offers + rig.closed, 0);
	assert_timer(1800, true);
}


static void test_refresh_reinvite(void **state)
{
	const struct sip_call_ext ext = {.session_s = 1800};
	struct peer_dialog d;
	const struct sip_msg *m;
	unsigned i;
	(void)state;

	(void)call_up(&d, &ext, KNOWS "Session-Expires: 600;refresher=uac"
		      "\r\n");
	assert_timer(600, true);

	for (i = 1; i < 3; i++) {
		char want[40];

		advance(298);
		m = due("INVITE", 3);
		(void)snprintf(want, sizeof(want), "our offer %u\r\n", i);
		assert_string_equal(msg_body(m), want);
		assert_string_equal(msg_header(m, "Session-Expires"),
				    "600;refresher=uac");
		peer_reply(rig.p, m, 200, "", "Session-Expires: 600;"
			   "refresher=uac\r\n", "their session\r\n");
		(void)rig_expect("ACK");
	}

	assert_int_equal(rig.modified, 0);
	assert_int_equal(rig.offers, 2);
}


/* Nobody answers the refreshes: BYE before it is over */
static void test_refresh_fails(void **state)
{
	const struct sip_call_ext ext = {.session_s = 1800};
	struct peer_dialog d;
	unsigned tries = 0;
	uint64_t t0;
	(void)state;

	(void)call_up(&d, &ext, KNOWS CAN
		      "Session-Expires: 1800;refresher=uac\r\n");

	t0 = clock_ms();
	advance(899);
	while (clock_ms() - t0 < 1767 * S) {
		timers_advance(250);
		loop_run(2);
		if (!peer_count(rig.p, "UPDATE"))
			continue;
		peer_reply(rig.p, rig_expect("UPDATE"), 504, "", "", NULL);
		++tries;
		loop_run(2);
	}

	/* min(32 s, a third) before the end */
	assert_in_range(tries, 5, 60);
	assert_int_equal(peer_count(rig.p, "BYE"), 0);
	loop_run(1100);
	assert_bye();
}


static void test_refresh_ends(void **state)
{
	static const unsigned codes[] = {481, 408};
	const struct sip_call_ext ext = {.session_s = 90};
	struct peer_dialog d;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(codes); i++) {
		rig.closed = rig.established = 0;
		(void)call_up(&d, &ext, KNOWS CAN
			      "Session-Expires: 90;refresher=uac\r\n");
		advance(44);
		peer_reply(rig.p, due("UPDATE", 2), codes[i], "", "",
			   NULL);
		if (codes[i] == 408)
			peer_reply(rig.p, rig_expect("BYE"), 200, "", "",
				   NULL);
		rig_wait(&rig.closed, 1);
		rig_wait_idle();
		rig.c = mem_deref(rig.c);
	}
}


/* No UPDATE after all: the next one is a re-INVITE */
static void test_refresh_other_way(void **state)
{
	const struct sip_call_ext ext = {.session_s = 1800};
	struct peer_dialog d;
	(void)state;

	(void)call_up(&d, &ext, KNOWS CAN
		      "Session-Expires: 1800;refresher=uac\r\n");
	advance(899);
	peer_reply(rig.p, due("UPDATE", 2), 501, "", "", NULL);
	peer_reply(rig.p, rig_expect("INVITE"), 200, "", "Session-Expires: "
		   "1800;refresher=uac\r\n", "their session\r\n");
	(void)rig_expect("ACK");
	assert_timer(1800, true);
	assert_int_equal(rig.modified, 0);
}


static void test_peer_refreshes(void **state)
{
	const struct sip_call_ext ext = {
		.session_s = 1800, .refresher = SIP_REFRESHER_PEER,
	};
	struct peer_dialog d;
	const struct sip_msg *m;
	unsigned i;
	(void)state;

	m = call_up(&d, &ext, KNOWS "Session-Expires: 1800;refresher=uas\r\n");
	assert_string_equal(msg_header(m, "Session-Expires"),
			    "1800;refresher=uas");
	assert_timer(1800, false);

	for (i = 0; i < 3; i++) {
		advance(1700);
		if (i & 1)
			peer_request(rig.p, &d, "INVITE", KNOWS
				     "Session-Expires: 1800;refresher=uac"
				     "\r\n", "their offer\r\n");
		else
			peer_request(rig.p, &d, "UPDATE", KNOWS
				     "Session-Expires: 1800;refresher=uac"
				     "\r\n", NULL);
		m = rig_expect(i & 1 ? "200 INVITE" : "200 UPDATE");
		assert_string_equal(msg_header(m, "Session-Expires"),
				    "1800;refresher=uac");
		assert_string_equal(msg_header(m, "Require"), "timer");
		if (i & 1)
			rig_ack(&d, d.cseq, NULL);
		loop_run(10);
		assert_timer(1800, false);
	}

	advance(1766);
	assert_int_equal(peer_count(rig.p, "BYE"), 0);
	advance(3);
	assert_bye();
}


/* A third of a short one is less than 32 s */
static void test_short(void **state)
{
	const struct sip_call_ext ext = {.session_s = 90};
	struct peer_dialog d;
	(void)state;

	(void)call_up(&d, &ext, KNOWS "Session-Expires: 90;refresher=uas\r\n");
	advance(59);
	assert_int_equal(peer_count(rig.p, "BYE"), 0);
	advance(2);
	assert_bye();
}


static void test_unknown_to_peer(void **state)
{
	struct sip_call_ext ext = {.session_s = 1800};
	struct peer_dialog d;
	const struct sip_msg *m;
	(void)state;

	/* asked for, and the peer says nothing */
	(void)call_up(&d, &ext, "");
	assert_timer(0, false);
	rig.c = mem_deref(rig.c);
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);

	/* required: we refresh whatever the peer thinks */
	rig.established = 0;
	ext.timer = SIP_EXT_REQUIRED;
	ext.session_s = 0;
	m = call_up(&d, &ext, CAN);
	assert_string_equal(msg_header(m, "Require"), "timer");
	assert_string_equal(msg_header(m, "Session-Expires"), "1800");
	assert_timer(1800, true);
	advance(899);
	peer_reply(rig.p, due("UPDATE", 2), 200, "", "", NULL);
	loop_run(10);
	assert_timer(1800, true);
}


/* 422: the INVITE again with a longer one */
static void test_too_small(void **state)
{
	struct sip_call_conf conf = {.ext = {.session_s = 120}};
	const struct sip_msg *inv, *again;
	unsigned i;
	(void)state;

	rig_call("our session\r\n", &conf);
	inv = rig_expect("INVITE");
	assert_string_equal(msg_header(inv, "Session-Expires"), "120");
	peer_reply(rig.p, inv, 422, "t1", "Min-SE: 300\r\n", NULL);
	(void)rig_expect("ACK");
	again = rig_expect("INVITE");
	assert_string_equal(msg_header(again, "Session-Expires"), "300");
	assert_string_equal(msg_header(again, "Min-SE"), "300");
	assert_string_equal(msg_body(again), "our session\r\n");
	assert_string_equal(msg_header(again, "Call-ID"),
			    msg_header(inv, "Call-ID"));
	assert_string_equal(msg_header(again, "From"),
			    msg_header(inv, "From"));
	assert_true(again->cseq.num > inv->cseq.num);

	/* again and again: at last it is told */
	for (i = 0; i < 4; i++) {
		peer_reply(rig.p, again, 422, "t1", "Min-SE: 400\r\n", NULL);
		(void)rig_expect("ACK");
		if (i < 3)
			again = rig_expect("INVITE");
	}
	rig_assert_closed(SIP_CAUSE_STATUS, 422, true);
	rig_wait_idle();
	rig.c = mem_deref(rig.c);

	/* without a number there is nothing to do better */
	rig.closed = 0;
	rig_call("our session\r\n", &conf);
	peer_reply(rig.p, rig_expect("INVITE"), 422, "t1", "", NULL);
	(void)rig_expect("ACK");
	rig_assert_closed(SIP_CAUSE_STATUS, 422, true);
	rig_wait_idle();
}


static void test_too_small_later(void **state)
{
	const struct sip_call_ext ext = {.session_s = 120};
	struct peer_dialog d;
	const struct sip_msg *m;
	(void)state;

	(void)call_up(&d, &ext, KNOWS CAN
		      "Session-Expires: 120;refresher=uac\r\n");
	advance(59);
	peer_reply(rig.p, due("UPDATE", 2), 422, "", "Min-SE: 500\r\n",
		   NULL);
	m = rig_expect("UPDATE");
	assert_string_equal(msg_header(m, "Session-Expires"),
			    "500;refresher=uac");
	assert_string_equal(msg_header(m, "Min-SE"), "500");
	peer_reply(rig.p, m, 200, "", "Session-Expires: 500;refresher=uac"
		   "\r\n", NULL);
	loop_run(10);
	assert_timer(500, true);
}


/* As callee --------------------------------------------------------------- */

static void test_in(void **state)
{
	static const struct {
		struct sip_call_ext ext;
		const char *headers;     /* of the INVITE               */
		const char *expires;     /* of our 2xx                  */
		const char *require;
		uint32_t interval;
		bool ours;
	} v[] = {
		/* the table of RFC 4028, chapter 9 */
		{{0}, "Session-Expires: 1800\r\n",
		 "1800;refresher=uas", "", 1800, true},
		{{0}, KNOWS "Session-Expires: 1800\r\n",
		 "1800;refresher=uac", "timer", 1800, false},
		{{0}, KNOWS "Session-Expires: 1800;refresher=uas\r\n",
		 "1800;refresher=uas", "timer", 1800, true},
		{{0}, KNOWS "x: 1800;refresher=uac\r\n",
		 "1800;refresher=uac", "timer", 1800, false},
		{{.refresher = SIP_REFRESHER_US},
		 KNOWS "Session-Expires: 1800\r\n",
		 "1800;refresher=uas", "timer", 1800, true},
		/* required, and so known */
		{{0}, "Require: timer\r\nSession-Expires: 90\r\n",
		 "90;refresher=uac", "timer", 90, false},
		/* nobody asks */
		{{0}, KNOWS, "", "", 0, false},
		{{0}, "", "", "", 0, false},
		/* we ask */
		{{.session_s = 600}, KNOWS,
		 "600;refresher=uac", "timer", 600, false},
		{{.session_s = 600}, "", "", "", 0, false},
		{{.timer = SIP_EXT_REQUIRED}, "",
		 "1800;refresher=uas", "", 1800, true},
		/* shorter, but not too short for anybody */
		{{.session_s = 600}, KNOWS "Session-Expires: 1800\r\n",
		 "600;refresher=uac", "timer", 600, false},
		{{.session_s = 600}, KNOWS "Session-Expires: 1800\r\n"
		 "Min-SE: 900\r\n", "900;refresher=uac", "timer", 900,
		 false},
		/* off */
		{{.timer = SIP_EXT_OFF}, KNOWS "Session-Expires: 1800\r\n",
		 "", "", 0, false},
		/* no number is no interval */
		{{0}, KNOWS "Session-Expires: 4294967296\r\n", "", "", 0,
		 false},
		/* a proxy's, too small, and who cannot ask again */
		{{0}, "Session-Expires: 60\r\n", "90;refresher=uas", "", 90,
		 true},
	};
	struct peer_dialog d;
	const struct sip_msg *ok;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		rig.established = 0;
		ok = called_up(&d, &v[i].ext, v[i].headers);
		assert_string_equal(msg_header(ok, "Session-Expires"),
				    v[i].expires);
		assert_string_equal(msg_header(ok, "Require"),
				    v[i].require);
		assert_timer(v[i].interval, v[i].ours);
		rig.c = mem_deref(rig.c);
		peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	}
}


static void test_in_too_small(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *no;
	(void)state;

	/* seen to without the user */
	rig_called(&d, KNOWS "Session-Expires: 60\r\n", "their session\r\n");
	no = rig_expect("422 INVITE");
	assert_string_equal(msg_header(no, "Min-SE"), "90");
	rig_wait(&rig.closed, 1);
	rig.c = mem_deref(rig.c);

	rig.ext_set = true;
	rig.ext.min_session_s = 1000;
	rig_called(&d, KNOWS "Session-Expires: 900\r\n", "their session\r\n");
	no = rig_expect("422 INVITE");
	assert_string_equal(msg_header(no, "Min-SE"), "1000");

	rig.ext.timer = SIP_EXT_OFF;
	rig_called(&d, "Require: timer\r\nSession-Expires: 900\r\n",
		   "their session\r\n");
	no = rig_expect("420 INVITE");
	assert_string_equal(msg_header(no, "Unsupported"), "timer");

	/* in mid-call too */
	memset(&rig.ext, 0, sizeof(rig.ext));
	(void)called_up(&d, NULL, KNOWS "Session-Expires: 900\r\n");
	peer_request(rig.p, &d, "UPDATE", KNOWS "Session-Expires: 89\r\n",
		     NULL);
	assert_string_equal(msg_header(rig_expect("422 UPDATE"), "Min-SE"),
			    "90");
	peer_request(rig.p, &d, "INVITE", KNOWS "Session-Expires: 89\r\n",
		     "their offer\r\n");
	assert_string_equal(msg_header(rig_expect("422 INVITE"), "Min-SE"),
			    "90");
	assert_int_equal(rig.answers, 0);
	assert_timer(900, false);
}


static void test_in_refresher(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *m;
	(void)state;

	(void)called_up(&d, NULL, KNOWS CAN
			"Session-Expires: 1800;refresher=uas\r\n");
	advance(899);
	m = due("UPDATE", 2);
	assert_string_equal(msg_header(m, "Session-Expires"),
			    "1800;refresher=uac");
	peer_reply(rig.p, m, 200, "", KNOWS
		   "Session-Expires: 1800;refresher=uac\r\n", NULL);
	loop_run(10);
	assert_timer(1800, true);

	/* a change of ours refreshes as well, and keeps the roles */
	advance(800);
	assert_int_equal(sip_call_modify(rig.c, NULL), 0);
	m = rig_expect("INVITE");
	assert_string_equal(msg_header(m, "Session-Expires"),
			    "1800;refresher=uac");
	peer_reply(rig.p, m, 200, "", KNOWS
		   "Session-Expires: 1800;refresher=uac\r\n",
		   "their offer\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.modified, 1);
	advance(898);
	assert_int_equal(peer_count(rig.p, "UPDATE"), 0);
	m = due("UPDATE", 3);

	/* the roles may be exchanged */
	peer_reply(rig.p, m, 200, "", KNOWS
		   "Session-Expires: 1200;refresher=uas\r\n", NULL);
	loop_run(10);
	assert_timer(1200, false);

	/* a re-INVITE of theirs that does not speak of it changes nothing */
	peer_request(rig.p, &d, "INVITE", KNOWS, "their offer\r\n");
	m = rig_expect("200 INVITE");
	assert_string_equal(msg_header(m, "Session-Expires"),
			    "1200;refresher=uac");
	rig_ack(&d, d.cseq, NULL);
	loop_run(20);
	assert_null(rig.c->ok);
	advance(1167);
	assert_int_equal(peer_count(rig.p, "BYE"), 0);
	advance(3);
	assert_bye();
}


/* The refresh waits for what is under way, and is not forgotten */
static void test_refresh_waits(void **state)
{
	const struct sip_call_ext ext = {.session_s = 1800};
	struct peer_dialog d;
	const struct sip_msg *inv, *m;
	(void)state;

	(void)call_up(&d, &ext, KNOWS CAN
		      "Session-Expires: 1800;refresher=uac\r\n");
	advance(899);
	assert_int_equal(sip_call_modify(rig.c, NULL), 0);
	inv = rig_expect("INVITE");
	advance(2);
	assert_int_equal(peer_count(rig.p, "UPDATE"), 0);
	peer_reply(rig.p, inv, 488, "", "", NULL);
	m = rig_expect("UPDATE");
	assert_string_equal(msg_header(m, "Session-Expires"),
			    "1800;refresher=uac");
	rig_wait(&rig.modified, 1);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_FAKE_TEST(test_off),
		RIG_FAKE_TEST(test_not_asked),
		RIG_FAKE_TEST(test_refresh_update),
		RIG_FAKE_TEST(test_refresh_reinvite),
		RIG_FAKE_TEST(test_refresh_fails),
		RIG_FAKE_TEST(test_refresh_ends),
		RIG_FAKE_TEST(test_refresh_other_way),
		RIG_FAKE_TEST(test_peer_refreshes),
		RIG_FAKE_TEST(test_short),
		RIG_FAKE_TEST(test_unknown_to_peer),
		RIG_FAKE_TEST(test_too_small),
		RIG_FAKE_TEST(test_too_small_later),
		RIG_FAKE_TEST(test_in),
		RIG_FAKE_TEST(test_in_too_small),
		RIG_FAKE_TEST(test_in_refresher),
		RIG_FAKE_TEST(test_refresh_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
