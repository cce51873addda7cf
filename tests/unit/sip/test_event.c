/**
 * @file test_event.c  Subscriptions, notifications, transfers, publications
 */
#include "rig.h"
#include "event.h"
#include "../../fake/ident.h"


/* What the users were told */
static struct {
	unsigned states, notifies, refreshes, closed, pubs;
	struct sip_sub_status st;
	char body[200];
	int notify_status;
	bool free_in_notify;
	struct sip_result end, pub;
	uint64_t pub_next;
} got;

static struct sip_sub *sub;
static struct sip_notifier *notifier;
static struct sip_pub *pub;
static struct sip_ident *us;


static void state_h(const struct sip_sub_status *st, void *arg)
{
	(void)arg;
	got.st = *st;
	++got.states;
}


static int notify_h(const struct sip_info *in, const char *ctype,
		    const char *body, size_t len, void *arg)
{
	(void)in;
	(void)arg;

	/* the peer knows one type only */
	assert_string_equal(ctype, "application/sdp");
	(void)snprintf(got.body, sizeof(got.body), "%.*s", (int)len, body);
	++got.notifies;
	if (got.free_in_notify)
		sub = mem_deref(sub);

	return got.notify_status;
}


static const struct sip_sub_h sub_h = {state_h, notify_h};


static void refresh_h(void *arg)
{
	(void)arg;
	++got.refreshes;
	(void)sip_notifier_send(notifier, false, "text/plain", "again");
}


static void closed_h(const struct sip_result *res, void *arg)
{
	(void)arg;
	got.end = *res;
	++got.closed;
}


static const struct sip_notifier_h notifier_h = {refresh_h, closed_h};


static void pub_h(const struct sip_result *res, uint64_t next_ms, void *arg)
{
	(void)arg;
	got.pub = *res;
	got.pub_next = next_ms;
	++got.pubs;
}


static int setup(void **state)
{
	int err = rig_setup(state);

	memset(&got, 0, sizeof(got));
	if (!err) {
		us = ident_make(.aor = "sip:us@example.com");
		err = sip_stack_able(rig.s, SIP_AB_METHOD, "SUBSCRIBE", true);
	}

	return err;
}


static int teardown(void **state)
{
	sub = mem_deref(sub);
	notifier = mem_deref(notifier);
	pub = mem_deref(pub);
	us = mem_deref(us);

	return rig_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void wait_state(enum sip_sub_state st)
{
	const uint64_t end = clock_ms() + WAIT_MS;

	while ((got.st.state != st || !got.states) && clock_ms() < end)
		loop_run(5);
	assert_int_equal(got.st.state, st);
}


/* We subscribe, the peer has the SUBSCRIBE */
static const struct sip_msg *subscribe(struct peer_dialog *d,
				       const char *event, uint32_t expires_s,
				       bool persist)
{
	const struct sip_sub_conf conf = {
		.ident = us, .uri = peer_uri(rig.p), .event = event,
		.accept = "text/plain", .expires_s = expires_s,
		.persist = persist,
	};
	const struct sip_msg *msg;

	assert_int_equal(sip_sub_alloc(&sub, rig.s, &conf, &sub_h, NULL), 0);
	msg = rig_expect("SUBSCRIBE");
	peer_dialog_uas(d, rig.p, msg, "t1");

	return msg;
}


static void notify(struct peer_dialog *d, const char *event,
		   const char *state, const char *body)
{
	char headers[300];

	(void)snprintf(headers, sizeof(headers), "Event: %s\r\n"
		       "Subscription-State: %s\r\n", event, state);
	peer_request(rig.p, d, "NOTIFY", headers, body);
}


/* ... and it is active */
static const struct sip_msg *subscribed(struct peer_dialog *d, bool persist)
{
	const struct sip_msg *msg = subscribe(d, "presence", 600, persist);

	peer_reply(rig.p, msg, 200, "t1", "Expires: 600\r\n", NULL);
	notify(d, "presence", "active;expires=500", NULL);
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_ACTIVE);

	return msg;
}


/* We subscribe ------------------------------------------------------------- */

static void test_subscribe(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	msg = subscribe(&d, "presence", 600, false);
	assert_string_equal(msg_header(msg, "Event"), "presence");
	assert_string_equal(msg_header(msg, "Expires"), "600");
	assert_string_equal(msg_header(msg, "Accept"), "text/plain");
	assert_true(*msg_header(msg, "Contact"));

	peer_reply(rig.p, msg, 200, "t1", "Expires: 300\r\n", NULL);
	notify(&d, "presence", "pending;expires=300", NULL);
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_PENDING);
	assert_int_equal(got.notifies, 0);

	notify(&d, "presence", "active;expires=299", "here");
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_ACTIVE);
	assert_string_equal(got.body, "here");
	assert_int_equal(got.st.expires_s, 299);
	/* a tenth of it is kept for another try */
	assert_in_range(got.st.next_ms, 268000, 269200);

	/* what is not ours */
	notify(&d, "dialog", "active", "x");
	rig_expect("481 NOTIFY");
	peer_request(rig.p, &d, "NOTIFY", "Event: presence\r\n", NULL);
	rig_expect("400 NOTIFY");
	got.notify_status = 415;
	notify(&d, "presence", "active", "x");
	rig_expect("415 NOTIFY");
	got.notify_status = 0;

	/* our end */
	sip_sub_end(sub);
	msg = rig_expect("SUBSCRIBE");
	assert_string_equal(msg_header(msg, "Expires"), "0");
	peer_reply(rig.p, msg, 200, "", "Expires: 0\r\n", NULL);
	notify(&d, "presence", "terminated;reason=timeout", "bye");
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_ENDED);
	assert_int_equal(got.st.res.cause, SIP_CAUSE_NONE);
	assert_string_equal(got.body, "bye");
	assert_int_equal(rig_dialogs(), 0);
}


static void test_notify_first(void **state)
{
	struct peer_dialog d, other;
	const struct sip_msg *msg;
	(void)state;

	msg = subscribe(&d, "presence", 600, false);
	notify(&d, "presence", "active;expires=600", "early");
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_ACTIVE);

	/* another branch of a fork is not wanted */
	peer_dialog_uas(&other, rig.p, msg, "t2");
	notify(&other, "presence", "active;expires=600", "other");
	rig_expect("481 NOTIFY");

	peer_reply(rig.p, msg, 200, "t1", "Expires: 600\r\n", NULL);
	notify(&d, "presence", "active;expires=600", "second");
	rig_expect("200 NOTIFY");
	rig_wait(&got.notifies, 2);
	assert_string_equal(got.body, "second");
}


static void test_refresh(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	unsigned long cseq;
	unsigned n;
	(void)state;

	msg = subscribe(&d, "presence", 2, false);
	cseq = msg->cseq.num;
	peer_reply(rig.p, msg, 200, "t1", "Expires: 2\r\n", NULL);
	notify(&d, "presence", "active;expires=2", NULL);
	rig_expect("200 NOTIFY");

	msg = rig_expect("SUBSCRIBE");
	assert_int_equal(msg->cseq.num, cseq + 1);
	assert_int_equal(pl_strcmp(&msg->to.tag, "t1"), 0);
	assert_string_equal(msg_header(msg, "Expires"), "2");
	n = got.states;
	peer_reply(rig.p, msg, 200, "", "Expires: 600\r\n", NULL);
	rig_wait(&got.states, n + 1);
	assert_int_equal(got.st.state, SIP_SUB_ACTIVE);
	assert_int_equal(got.st.expires_s, 600);

	/* at our wish too; the notifier has forgotten us: from the start */
	assert_int_equal(sip_sub_refresh(sub), 0);
	msg = rig_expect("SUBSCRIBE");
	peer_reply(rig.p, msg, 481, "", "", NULL);
	wait_state(SIP_SUB_ENDED);
	assert_int_equal(got.st.res.code, 481);
}


static void test_refused(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	msg = subscribe(&d, "presence", 60, true);
	peer_reply(rig.p, msg, 423, "t1", "Min-Expires: 120\r\n", NULL);
	msg = rig_expect("SUBSCRIBE");
	assert_string_equal(msg_header(msg, "Expires"), "120");
	peer_reply(rig.p, msg, 500, "t1", "Retry-After: 77\r\n", NULL);
	wait_state(SIP_SUB_WAITING);
	assert_int_equal(got.st.res.code, 500);
	assert_in_range(got.st.next_ms, 76000, 77000);

	/* at once when we want, and then for good */
	assert_int_equal(sip_sub_refresh(sub), 0);
	msg = rig_expect("SUBSCRIBE");
	peer_reply(rig.p, msg, 489, "t1", "", NULL);
	wait_state(SIP_SUB_ENDED);
	assert_int_equal(got.st.res.code, 489);
	assert_int_equal(rig_dialogs(), 0);
}


static void test_silent_notifier(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	msg = subscribe(&d, "presence", 600, false);
	peer_reply(rig.p, msg, 202, "t1", "Expires: 600\r\n", NULL);
	wait_state(SIP_SUB_ENDED);
	assert_int_equal(got.st.res.cause, SIP_CAUSE_TIMEOUT);
}


static void test_terminated(void **state)
{
	struct peer_dialog d;
	(void)state;

	subscribed(&d, true);
	notify(&d, "presence", "terminated;reason=probation;retry-after=99",
	       NULL);
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_WAITING);
	assert_string_equal(got.st.reason, "probation");
	assert_in_range(got.st.next_ms, 98000, 99000);
	sub = mem_deref(sub);

	subscribed(&d, true);
	notify(&d, "presence", "terminated;reason=noresource", NULL);
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_ENDED);
	assert_string_equal(got.st.reason, "noresource");
}


static void test_freed_inside(void **state)
{
	struct peer_dialog d;
	(void)state;

	subscribed(&d, false);
	got.free_in_notify = true;
	notify(&d, "presence", "terminated;reason=timeout", "last");
	rig_expect("200 NOTIFY");
	assert_null(sub);
	assert_int_equal(rig_dialogs(), 0);
}


static void test_fetch(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	msg = subscribe(&d, "presence", 0, true);
	assert_string_equal(msg_header(msg, "Expires"), "0");
	peer_reply(rig.p, msg, 200, "t1", "Expires: 0\r\n", NULL);
	notify(&d, "presence", "terminated;reason=timeout", "now");
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_ENDED);
	assert_int_equal(got.st.res.cause, SIP_CAUSE_NONE);
	assert_string_equal(got.body, "now");
}


/* We refer ----------------------------------------------------------------- */

static void refer(struct sip_call *call, bool no_sub)
{
	const struct sip_refer_conf conf = {
		.ident = us, .uri = peer_uri(rig.p), .call = call,
		.refer_to = "sip:carol@example.org",
		.referred_by = "sip:us@example.com", .no_sub = no_sub,
	};

	assert_int_equal(sip_refer(&sub, rig.s, &conf, &sub_h, NULL), 0);
}


static void test_refer_in_call(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	rig_call_up(&d);
	refer(rig.c, false);
	msg = rig_expect("REFER");
	assert_string_equal(msg_header(msg, "Refer-To"),
			    "<sip:carol@example.org>");
	assert_string_equal(msg_header(msg, "Referred-By"),
			    "<sip:us@example.com>");
	peer_reply(rig.p, msg, 202, "", "", NULL);

	notify(&d, "refer", "active;expires=60", "SIP/2.0 100 Trying");
	rig_expect("200 NOTIFY");
	assert_string_equal(got.body, "SIP/2.0 100 Trying");

	/* the call ends, its subscription does not */
	peer_request(rig.p, &d, "BYE", "", NULL);
	rig_expect("200 BYE");
	rig_wait(&rig.closed, 1);
	rig.c = mem_deref(rig.c);

	notify(&d, "refer", "terminated;reason=noresource",
	       "SIP/2.0 200 OK");
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_ENDED);
	assert_int_equal(got.st.res.cause, SIP_CAUSE_NONE);
	assert_string_equal(got.body, "SIP/2.0 200 OK");
	notify(&d, "refer", "active", "x");
	rig_expect("481 NOTIFY");
}


static void test_refer_alone(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	refer(NULL, false);
	msg = rig_expect("REFER");
	peer_dialog_uas(&d, rig.p, msg, "t1");
	peer_reply(rig.p, msg, 202, "t1", "", NULL);
	notify(&d, "refer;id=7", "terminated;reason=noresource",
	       "SIP/2.0 603 Decline");
	rig_expect("200 NOTIFY");
	wait_state(SIP_SUB_ENDED);
	sub = mem_deref(sub);

	/* without subscription */
	memset(&got, 0, sizeof(got));
	refer(NULL, true);
	msg = rig_expect("REFER");
	assert_string_equal(msg_header(msg, "Refer-Sub"), "false");
	peer_reply(rig.p, msg, 200, "t1", "Refer-Sub: false\r\n", NULL);
	wait_state(SIP_SUB_ENDED);
	assert_int_equal(got.st.res.cause, SIP_CAUSE_NONE);
	sub = mem_deref(sub);

	/* refused */
	memset(&got, 0, sizeof(got));
	refer(NULL, false);
	msg = rig_expect("REFER");
	peer_reply(rig.p, msg, 603, "t1", "", NULL);
	wait_state(SIP_SUB_ENDED);
	assert_int_equal(got.st.res.code, 603);
}


/* They subscribe ----------------------------------------------------------- */

static int accept_h(struct sip_rx *rx, const struct sip_info *in)
{
	const struct sip_notifier_conf conf = {.ident = us};
	(void)in;

	if (sip_notifier_accept(&notifier, rx, &conf, &notifier_h, NULL))
		return 0;
	assert_int_equal(sip_notifier_send(notifier, true, "text/plain",
					   "first"), 0);

	return 0;
}


static void ask(struct peer_dialog *d, const char *headers)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "Event: presence\r\n%s", headers);
	peer_request(rig.p, d, "SUBSCRIBE", text, NULL);
}


static const struct sip_msg *told(const char *state, const char *body)
{
	const struct sip_msg *msg = rig_expect("NOTIFY");
	const char *st = msg_header(msg, "Subscription-State");

	assert_memory_equal(st, state, strlen(state));
	assert_string_equal(msg_body(msg), body);
	assert_string_equal(msg_header(msg, "Event"), "presence");

	return msg;
}


static void test_notifier(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	rig.lone_h = accept_h;
	peer_dialog_uac(&d, rig.p, &rig.addr);

	/* too short, and bad */
	ask(&d, "Expires: 5\r\n");
	msg = rig_expect("423 SUBSCRIBE");
	assert_string_equal(msg_header(msg, "Min-Expires"), "60");
	ask(&d, "Expires: soon\r\n");
	rig_expect("400 SUBSCRIBE");
	assert_null(notifier);

	ask(&d, "Expires: 100000\r\n");
	msg = rig_expect("200 SUBSCRIBE");
	assert_string_equal(msg_header(msg, "Expires"), "3600");
	assert_true(*msg_header(msg, "Contact"));
	peer_dialog_take(&d, msg);

	/* one at a time, and then the newest */
	msg = told("pending;expires=3600", "first");
	assert_int_equal(sip_notifier_send(notifier, false, "text/plain",
					   "lost"), 0);
	assert_int_equal(sip_notifier_send(notifier, false, "text/plain",
					   "newest"), 0);
	peer_reply(rig.p, msg, 200, "", "", NULL);
	msg = told("active;expires=", "newest");
	peer_reply(rig.p, msg, 200, "", "", NULL);

	/* they refresh */
	ask(&d, "Expires: 300\r\n");
	msg = rig_expect("200 SUBSCRIBE");
	assert_string_equal(msg_header(msg, "Expires"), "300");
	msg = told("active;expires=300", "again");
	peer_reply(rig.p, msg, 200, "", "", NULL);
	assert_int_equal(got.refreshes, 1);

	/* they end it */
	ask(&d, "Expires: 0\r\n");
	rig_expect("200 SUBSCRIBE");
	msg = told("terminated;reason=timeout", "");
	peer_reply(rig.p, msg, 200, "", "", NULL);
	rig_wait(&got.closed, 1);
	assert_int_equal(got.end.cause, SIP_CAUSE_NONE);
	assert_int_equal(sip_notifier_send(notifier, false, NULL, NULL),
			 ENOTCONN);
	assert_int_equal(rig_dialogs(), 0);
}


static void test_notifier_lost(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	rig.lone_h = accept_h;
	peer_dialog_uac(&d, rig.p, &rig.addr);
	ask(&d, "");
	peer_dialog_take(&d, rig_expect("200 SUBSCRIBE"));
	msg = told("pending", "first");
	peer_reply(rig.p, msg, 481, "", "", NULL);
	rig_wait(&got.closed, 1);
	assert_int_equal(got.end.code, 481);
	assert_int_equal(rig_dialogs(), 0);
}


static void test_notifier_end(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	rig.lone_h = accept_h;
	peer_dialog_uac(&d, rig.p, &rig.addr);
	ask(&d, "Expires: 0\r\n");
	peer_dialog_take(&d, rig_expect("200 SUBSCRIBE"));

	/* a fetch is told once */
	msg = told("terminated;reason=timeout", "first");
	peer_reply(rig.p, msg, 200, "", "", NULL);
	rig_wait(&got.closed, 1);
	notifier = mem_deref(notifier);

	memset(&got, 0, sizeof(got));
	peer_dialog_uac(&d, rig.p, &rig.addr);
	ask(&d, "");
	peer_dialog_take(&d, rig_expect("200 SUBSCRIBE"));
	msg = told("pending", "first");
	sip_notifier_end(notifier, "rejected", NULL, NULL);
	peer_reply(rig.p, msg, 200, "", "", NULL);
	msg = told("terminated;reason=rejected", "");
	peer_reply(rig.p, msg, 200, "", "", NULL);
	rig_wait(&got.closed, 1);
}


/* They refer in a call */
static int referred_h(struct sip_rx *rx, const struct sip_info *in)
{
	const struct sip_notifier_conf conf = {.ident = us};
	(void)in;

	assert_int_equal(sip_notifier_accept(&notifier, rx, &conf,
					     &notifier_h, NULL), 0);
	assert_int_equal(sip_notifier_send(notifier, false,
					   "message/sipfrag",
					   "SIP/2.0 100 Trying"), 0);

	return 0;
}


static void test_referred(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *msg;
	(void)state;

	rig.inside_h = referred_h;
	rig_called_up(&d);
	peer_request(rig.p, &d, "REFER", "Refer-To: <sip:c@h>\r\n", NULL);
	rig_expect("202 REFER");
	msg = rig_expect("NOTIFY");
	assert_string_equal(msg_header(msg, "Event"), "refer");
	assert_string_equal(msg_body(msg), "SIP/2.0 100 Trying");
	peer_reply(rig.p, msg, 200, "", "", NULL);

	peer_request(rig.p, &d, "BYE", "", NULL);
	rig_expect("200 BYE");
	rig_wait(&rig.closed, 1);
	rig.c = mem_deref(rig.c);

	sip_notifier_end(notifier, "noresource", "message/sipfrag",
			 "SIP/2.0 200 OK");
	msg = rig_expect("NOTIFY");
	assert_string_equal(msg_body(msg), "SIP/2.0 200 OK");
	peer_reply(rig.p, msg, 200, "", "", NULL);
	rig_wait(&got.closed, 1);
	rig_wait_idle();
	assert_int_equal(rig_dialogs(), 0);
}


/* We publish --------------------------------------------------------------- */

static void publish(void)
{
	char uri[100];
	const struct sip_pub_conf conf = {
		.ident = us, .uri = uri, .event = "presence",
		.expires_s = 60,
	};

	(void)snprintf(uri, sizeof(uri), "%s", peer_uri(rig.p));
	assert_int_equal(sip_pub_alloc(&pub, rig.s, &conf, pub_h, NULL), 0);
	assert_int_equal(sip_pub_set(pub, "text/plain", "open"), 0);
}


static void test_publish(void **state)
{
	const struct sip_msg *msg;
	(void)state;

	publish();
	msg = rig_expect("PUBLISH");
	assert_string_equal(msg_header(msg, "Event"), "presence");
	assert_string_equal(msg_header(msg, "Expires"), "60");
	assert_string_equal(msg_header(msg, "SIP-If-Match"), "");
	assert_string_equal(msg_body(msg), "open");
	peer_reply(rig.p, msg, 423, "t", "Min-Expires: 90\r\n", NULL);
	msg = rig_expect("PUBLISH");
	assert_string_equal(msg_header(msg, "Expires"), "90");
	assert_string_equal(msg_body(msg), "open");
	peer_reply(rig.p, msg, 200, "t", "SIP-ETag: one\r\nExpires: 80\r\n",
		   NULL);
	rig_wait(&got.pubs, 1);
	assert_int_equal(got.pub_next, 72000);

	/* another state, and the server has lost the first */
	assert_int_equal(sip_pub_set(pub, "text/plain", "closed"), 0);
	msg = rig_expect("PUBLISH");
	assert_string_equal(msg_header(msg, "SIP-If-Match"), "one");
	assert_string_equal(msg_body(msg), "closed");
	peer_reply(rig.p, msg, 412, "t", "", NULL);
	msg = rig_expect("PUBLISH");
	assert_string_equal(msg_header(msg, "SIP-If-Match"), "");
	assert_string_equal(msg_body(msg), "closed");

	/* meanwhile the end is wanted */
	sip_pub_end(pub);
	peer_reply(rig.p, msg, 200, "t", "SIP-ETag: two\r\n", NULL);
	msg = rig_expect("PUBLISH");
	assert_string_equal(msg_header(msg, "SIP-If-Match"), "two");
	assert_string_equal(msg_header(msg, "Expires"), "0");
	assert_string_equal(msg_body(msg), "");
	peer_reply(rig.p, msg, 200, "t", "", NULL);
	rig_wait(&got.pubs, 2);
	assert_int_equal(got.pub.cause, SIP_CAUSE_NONE);
}


static void test_publish_refused(void **state)
{
	const struct sip_msg *msg;
	(void)state;

	publish();
	msg = rig_expect("PUBLISH");
	peer_reply(rig.p, msg, 503, "t", "Retry-After: 1700\r\n", NULL);
	rig_wait(&got.pubs, 1);
	assert_int_equal(got.pub.code, 503);
	assert_int_equal(got.pub_next, 1700000);

	assert_int_equal(sip_pub_set(pub, "text/plain", "open"), 0);
	msg = rig_expect("PUBLISH");
	peer_reply(rig.p, msg, 489, "t", "", NULL);
	rig_wait(&got.pubs, 2);
	assert_int_equal(got.pub.code, 489);
	assert_int_equal(got.pub_next, 0);
}


/* Numbers ------------------------------------------------------------------ */

static void test_backoff(void **state)
{
	unsigned i;
	(void)state;

	for (i = 0; i < 100; i++) {
		assert_in_range(event_backoff_s(0, 0), 15, 30);
		assert_in_range(event_backoff_s(2, 0), 60, 120);
		assert_in_range(event_backoff_s(40, 0), 900, 1800);
		assert_int_equal(event_backoff_s(0, 5000), 5000);
	}
}


static void test_bad_conf(void **state)
{
	struct sip_sub_conf c = {.ident = us, .uri = "sip:a@b",
				 .event = "presence"};
	struct sip_refer_conf r = {.ident = us, .uri = "sip:a@b",
				   .refer_to = "sip:c@d>\r\nX: y"};
	(void)state;

	c.event = "pre sence";
	assert_int_equal(sip_sub_alloc(&sub, rig.s, &c, &sub_h, NULL),
			 EINVAL);
	c.event = "presence";
	c.uri = "nowhere";
	assert_int_equal(sip_sub_alloc(&sub, rig.s, &c, &sub_h, NULL),
			 EINVAL);
	c.uri = "sip:a@b";
	c.headers = "no colon";
	assert_int_equal(sip_sub_alloc(&sub, rig.s, &c, &sub_h, NULL),
			 EINVAL);
	assert_int_equal(sip_refer(&sub, rig.s, &r, &sub_h, NULL), EINVAL);
	assert_null(sub);
}


int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_subscribe),
		TEST(test_notify_first),
		TEST(test_refresh),
		TEST(test_refused),
		TEST(test_silent_notifier),
		TEST(test_terminated),
		TEST(test_freed_inside),
		TEST(test_fetch),
		TEST(test_refer_in_call),
		TEST(test_refer_alone),
		TEST(test_notifier),
		TEST(test_notifier_lost),
		TEST(test_notifier_end),
		TEST(test_referred),
		TEST(test_publish),
		TEST(test_publish_refused),
		TEST(test_backoff),
		TEST(test_bad_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
