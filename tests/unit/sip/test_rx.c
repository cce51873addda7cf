/**
 * @file test_rx.c  Requests that are neither INVITE nor BYE
 */
#include "rig.h"
#include "../../fake/ident.h"


static unsigned told;
static struct sip_rx *held;
static char seen[2000];


static int keep_h(struct sip_rx *rx, const struct sip_info *in)
{
	size_t len;
	const char *body = sip_rx_body(rx, &len);

	(void)snprintf(seen, sizeof(seen), "%s %s '%.*s'", in->method,
		       in->from_uri, (int)len, body ? body : "");
	++told;
	mem_deref(held);
	held = mem_ref(rx);

	return 0;
}


static int status;

static int status_h(struct sip_rx *rx, const struct sip_info *in)
{
	(void)rx;
	(void)in;
	++told;

	return status;
}


static int setup(void **state)
{
	told = 0;
	held = NULL;

	return rig_setup(state);
}


static int teardown(void **state)
{
	held = mem_deref(held);

	return rig_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void ask(struct peer_dialog *d, const char *method,
		const char *headers, const char *body)
{
	peer_dialog_uac(d, rig.p, &rig.addr);
	peer_request(rig.p, d, method, headers, body);
}


/* The same bytes once more: a retransmission */
static void again(struct peer_dialog *d, const char *method)
{
	char text[1000];

	(void)re_snprintf(text, sizeof(text), "%s %s SIP/2.0\r\n"
			  "Via: SIP/2.0/UDP %J;branch=%s;rport\r\n"
			  "From: <%s>;tag=%s\r\nTo: <%s>\r\nCall-ID: %s\r\n"
			  "CSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
			  method, d->target, peer_addr(rig.p), d->branch,
			  d->local, d->ltag, d->remote, d->callid, d->cseq,
			  method);
	peer_send(rig.p, &d->dst, text, strlen(text));
}


static void test_later(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok;
	(void)state;

	rig.lone_h = keep_h;
	ask(&d, "MESSAGE", "", "hello");
	rig_wait(&told, 1);
	assert_string_equal(strchr(seen, '\''), "'hello'");
	assert_true(sip_rx_ctype(held, "application", "sdp"));
	assert_true(sip_rx_ctype(held, "Application", NULL));
	assert_false(sip_rx_ctype(held, "text", NULL));
	assert_false(sip_rx_in_dialog(held));

	/* while it waits copies are swallowed */
	again(&d, "MESSAGE");
	rig_expect_none("200 MESSAGE");
	assert_int_equal(told, 1);

	assert_int_equal(sip_rx_reply(held, 99, NULL, NULL, NULL, NULL),
			 EINVAL);
	assert_int_equal(sip_rx_reply(held, 200, "a\r\nb", NULL, NULL, NULL),
			 EINVAL);
	assert_int_equal(sip_rx_reply(held, 200, NULL, "bad", NULL, NULL),
			 EINVAL);
	assert_int_equal(sip_rx_reply(held, 200, NULL, NULL, NULL, "b"),
			 EINVAL);
	assert_int_equal(sip_rx_reply(held, 200, "Fine", "X-A: b\r\n",
				      "text/plain", "thanks"), 0);
	assert_true(sip_rx_answered(held));
	assert_int_equal(sip_rx_reply(held, 200, NULL, NULL, NULL, NULL),
			 EALREADY);

	ok = rig_expect("200 MESSAGE");
	assert_int_equal(pl_strcmp(&ok->reason, "Fine"), 0);
	assert_string_equal(msg_header(ok, "X-A"), "b");
	assert_string_equal(msg_header(ok, "Contact"), "");
	assert_string_equal(msg_body(ok), "thanks");
	assert_true(pl_isset(&ok->to.tag));

	again(&d, "MESSAGE");
	assert_memory_equal(rig_expect("200 MESSAGE")->mb->buf, ok->mb->buf,
			    ok->mb->end);
	assert_int_equal(told, 1);
}


static int at_once_h(struct sip_rx *rx, const struct sip_info *in)
{
	(void)in;
	++told;

	return sip_rx_reply(rx, 200, NULL, NULL, NULL, NULL) ? 500 : 0;
}


static void test_at_once(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok;
	(void)state;

	rig.lone_h = at_once_h;
	ask(&d, "MESSAGE", "", NULL);
	ok = rig_expect("200 MESSAGE");
	again(&d, "MESSAGE");
	assert_memory_equal(rig_expect("200 MESSAGE")->mb->buf, ok->mb->buf,
			    ok->mb->end);
	assert_int_equal(told, 1);
	assert_true(list_isempty(&rig.s->rxs));
}


static void test_status(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *no;
	(void)state;

	rig.lone_h = status_h;
	status = 200;
	ask(&d, "MESSAGE", "", NULL);
	(void)rig_expect("200 MESSAGE");

	status = 489;
	assert_int_equal(sip_stack_able(rig.s, SIP_AB_EVENT, "presence",
					true), 0);
	ask(&d, "SUBSCRIBE", "", NULL);
	no = rig_expect("489 SUBSCRIBE");
	assert_string_equal(msg_header(no, "Allow-Events"), "presence");

	status = 415;
	assert_int_equal(sip_stack_able(rig.s, SIP_AB_TYPE, "text/plain",
					true), 0);
	ask(&d, "MESSAGE", "", NULL);
	no = rig_expect("415 MESSAGE");
	assert_string_equal(msg_header(no, "Accept"),
			    "application/sdp, multipart/mixed, text/plain");

	/* whichever of both is right */
	status = 501;
	ask(&d, "PUBLISH", "", NULL);
	no = rig_expect("405 PUBLISH");
	assert_string_equal(msg_header(no, "Allow"), SIP_ALLOW);
	status = 405;
	ask(&d, "DANCE", "", NULL);
	no = rig_expect("501 DANCE");
	assert_string_equal(msg_header(no, "Allow"), SIP_ALLOW);

	/* no status at all */
	status = 99;
	ask(&d, "MESSAGE", "", NULL);
	(void)rig_expect("500 MESSAGE");

	/* a method is told when somebody says so */
	assert_int_equal(sip_stack_able(rig.s, SIP_AB_METHOD, "MESSAGE",
					true), 0);
	ask(&d, "OPTIONS", "", NULL);
	assert_string_equal(msg_header(rig_expect("200 OPTIONS"), "Allow"),
			    SIP_ALLOW ", MESSAGE");
	assert_int_equal(told, 6);
}


static void test_forgotten(void **state)
{
	struct peer_dialog d;
	(void)state;

	/* nobody keeps it */
	rig.lone_h = status_h;
	status = 0;
	ask(&d, "MESSAGE", "", NULL);
	(void)rig_expect("500 MESSAGE");

	/* let go without an answer */
	rig.lone_h = keep_h;
	ask(&d, "MESSAGE", "", NULL);
	rig_wait(&told, 2);
	held = mem_deref(held);
	(void)rig_expect("500 MESSAGE");

	/* kept, and never answered: 100 after a while, 500 in time */
	ask(&d, "MESSAGE", "", NULL);
	(void)rig_expect("100 MESSAGE");
	assert_false(sip_rx_answered(held));
	(void)rig_expect("500 MESSAGE");
	assert_true(sip_rx_answered(held));
	assert_int_equal(sip_rx_reply(held, 200, NULL, NULL, NULL, NULL),
			 EALREADY);
}


static void test_stack_gone(void **state)
{
	struct peer_dialog d;
	(void)state;

	/* the teardown frees the stack while it is held */
	rig.lone_h = keep_h;
	ask(&d, "MESSAGE", "", NULL);
	rig_wait(&told, 1);
	rx_stack_gone(rig.s);
	assert_int_equal(sip_rx_reply(held, 200, NULL, NULL, NULL, NULL),
			 ENOTCONN);
	assert_string_equal(sip_rx_info(held)->method, "MESSAGE");
}


/* One more was told, or refused */
static bool served(void *arg)
{
	return told > *(unsigned *)arg || peer_count(rig.p, "503 MESSAGE");
}


static void test_many(void **state)
{
	struct sip_rx *v[300] = {NULL};
	struct peer_dialog d;
	unsigned i, n;
	(void)state;

	rig.lone_h = keep_h;

	for (i = n = 0; n == i; i++) {
		assert_true(i < COUNTOF(v));
		ask(&d, "MESSAGE", "", NULL);
		assert_true(loop_until(served, &i, WAIT_MS));
		if (told > i) {
			n = i + 1;
			v[i] = mem_ref(held);
		}
	}

	assert_int_equal(told, 256);
	assert_string_not_equal(msg_header(rig_expect("503 MESSAGE"),
					   "Retry-After"), "");

	for (i = 0; i < COUNTOF(v); i++)
		mem_deref(v[i]);
}


/* A 2xx that makes a dialog says where we are, and by which way */
static void test_makes_dialog(void **state)
{
	struct peer_dialog d;
	const struct sip_msg *ok;
	struct dialog *dlg;
	char rr[200];
	(void)state;

	rig.lone_h = keep_h;
	(void)snprintf(rr, sizeof(rr), "Event: presence\r\n"
		       "Record-Route: <%s;lr>\r\n", peer_uri(rig.p));
	ask(&d, "SUBSCRIBE", rr, NULL);
	rig_wait(&told, 1);
	assert_int_equal(dialog_alloc_uas(&dlg, rx_leg(held), rx_msg(held)),
			 0);
	assert_int_equal(sip_rx_reply(held, 200, NULL, "Expires: 60\r\n",
				      NULL, NULL), 0);
	ok = rig_expect("200 SUBSCRIBE");
	assert_int_equal(pl_strcmp(&ok->to.tag, dlg->ltag), 0);
	assert_non_null(strstr(msg_header(ok, "Contact"), "<sip:us@127."));
	assert_non_null(strstr(msg_header(ok, "Record-Route"),
			       peer_uri(rig.p)));
	mem_deref(dlg);

	/* its own Contact stands alone */
	ask(&d, "SUBSCRIBE", "", NULL);
	rig_wait(&told, 2);
	assert_int_equal(sip_rx_reply(held, 200, NULL,
				      "Contact: <sip:me@h>\r\n", NULL, NULL),
			 0);
	ok = rig_expect("200 SUBSCRIBE");
	assert_int_equal(sip_msg_hdr_count(ok, SIP_HDR_CONTACT), 1);
	assert_string_equal(msg_header(ok, "Contact"), "<sip:me@h>");
}


static void test_checks(void **state)
{
	struct peer_dialog d;
	(void)state;

	/* what comes before the handler */
	rig.lone_h = keep_h;
	ask(&d, "MESSAGE", "Require: moon\r\n", NULL);
	assert_string_equal(msg_header(rig_expect("420 MESSAGE"),
				       "Unsupported"), "moon");
	ask(&d, "MESSAGE", "Content-Encoding: gzip\r\n", "x");
	(void)rig_expect("415 MESSAGE");
	peer_dialog_uac(&d, rig.p, &rig.addr);
	(void)strcpy(d.rtag, "gone");
	peer_request(rig.p, &d, "INFO", "", NULL);
	(void)rig_expect("481 INFO");
	ask(&d, "PRACK", "", NULL);
	(void)rig_expect("481 PRACK");
	rig.s->closing = true;
	ask(&d, "MESSAGE", "", NULL);
	(void)rig_expect("503 MESSAGE");
	rig.s->closing = false;
	assert_int_equal(told, 0);

	/* what may be required */
	assert_int_equal(sip_stack_able(rig.s, SIP_AB_OPTION, "moon", true),
			 0);
	ask(&d, "MESSAGE", "Require: Moon\r\n", NULL);
	rig_wait(&told, 1);
}


static void test_inside(void **state)
{
	static const char *const v[] = {
		"INFO", "MESSAGE", "NOTIFY", "REFER", "SUBSCRIBE", "DANCE",
	};
	struct peer_dialog d;
	char what[40];
	unsigned i;
	(void)state;

	rig_called_up(&d);
	d.cseq += 50;
	rig.inside_h = keep_h;

	for (i = 0; i < COUNTOF(v); i++) {
		peer_request(rig.p, &d, v[i], "", "x");
		rig_wait(&told, i + 1);
		assert_true(sip_rx_in_dialog(held));
		assert_string_equal(strchr(seen, '\''), "'x'");
		assert_int_equal(sip_rx_reply(held, 202, NULL, NULL, NULL,
					      NULL), 0);
		(void)snprintf(what, sizeof(what), "202 %s", v[i]);
		(void)rig_expect(what);
	}

	/* out of order it comes to nobody */
	d.cseq -= 20;
	peer_request(rig.p, &d, "INFO", "", NULL);
	(void)rig_expect("500 INFO");
	d.cseq += 20;

	rig.inside_h = status_h;
	status = 481;
	peer_request(rig.p, &d, "NOTIFY", "", NULL);
	(void)rig_expect("481 NOTIFY");

	/* the call ends while one waits */
	rig.inside_h = keep_h;
	peer_request(rig.p, &d, "INFO", "", NULL);
	rig_wait(&told, i + 2);
	peer_request(rig.p, &d, "BYE", "", NULL);
	(void)rig_expect("200 BYE");
	rig_wait_idle();
	rig.c = mem_deref(rig.c);
	assert_int_equal(sip_rx_reply(held, 200, NULL, NULL, NULL, NULL), 0);
	(void)rig_expect("200 INFO");
}


static int free_h(struct sip_rx *rx, const struct sip_info *in)
{
	(void)rx;
	(void)in;
	++told;
	rig.c = mem_deref(rig.c);

	return 200;
}


static void test_free_inside(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_called_up(&d);
	rig.inside_h = free_h;
	peer_request(rig.p, &d, "INFO", "", NULL);
	(void)rig_expect("200 INFO");
	peer_reply(rig.p, rig_expect("BYE"), 200, "", "", NULL);
	rig.closed = 1;
	rig_wait_idle();
}


/* A NOTIFY may come before the response to its SUBSCRIBE, from many */
static struct dialog *forks[4];
static unsigned forkc;

static bool template_h(const struct sip_msg *msg, void *arg)
{
	struct leg *l = stack_leg_msg(rig.s, msg);

	if (dialog_fork_request(&forks[forkc], arg, l, msg))
		return false;

	++forkc;
	(void)stack_reply(l, msg, 200, NULL, NULL);

	return true;
}


static void test_template(void **state)
{
	struct sip_ident *us = ident_make(.aor = "sip:us@h");
	struct dialog *tmpl;
	struct peer_dialog d;
	struct pl pl;
	unsigned i;
	(void)state;

	forkc = 0;
	assert_int_equal(dialog_alloc_uac(&tmpl, rig.s, peer_uri(rig.p), us),
			 0);
	mem_deref(us);
	peer_dialog_uac(&d, rig.p, &rig.addr);
	(void)strcpy(d.callid, tmpl->callid);
	(void)strcpy(d.rtag, tmpl->ltag);

	/* nobody has asked for it */
	peer_request(rig.p, &d, "NOTIFY", "", NULL);
	(void)rig_expect("481 NOTIFY");

	tmpl->request_h = template_h;
	tmpl->arg = tmpl;

	for (i = 0; i < 2; i++) {
		(void)snprintf(d.ltag, sizeof(d.ltag), "fork%u", i);
		peer_request(rig.p, &d, "NOTIFY", i ? "" :
			     "Record-Route: <sip:a@h1;lr>, <sip:b@h2;lr>\r\n",
			     NULL);
		(void)rig_expect("200 NOTIFY");
		assert_int_equal(forkc, i + 1);
		assert_string_equal(forks[i]->rtag, d.ltag);
		assert_string_equal(forks[i]->target, peer_uri(rig.p));
		pl_set_str(&pl, forks[i]->raddr_hdr);
		assert_int_equal(re_regex(pl.p, pl.l, "peer@"), 0);
	}

	assert_int_equal(forks[0]->routec, 2);
	assert_string_equal(forks[0]->routev[0], "<sip:a@h1;lr>");

	for (i = 0; i < forkc; i++) {
		dialog_end(forks[i]);
		mem_deref(forks[i]);
	}
	dialog_end(tmpl);
	mem_deref(tmpl);
}


static void test_able(void **state)
{
	char *lines = NULL;
	unsigned i;
	int err = 0;
	(void)state;

	assert_true(sip_stack_is_able(rig.s, SIP_AB_METHOD, "INVITE"));
	assert_false(sip_stack_is_able(rig.s, SIP_AB_METHOD, "invite"));
	assert_false(sip_stack_is_able(rig.s, SIP_AB_METHOD, "INV"));
	assert_int_equal(sip_stack_able(rig.s, SIP_AB_METHOD, "a b", true),
			 EINVAL);
	assert_int_equal(sip_stack_able(rig.s, SIP_AB_METHOD, "", true),
			 EINVAL);
	assert_int_equal(sip_stack_able(rig.s, SIP_AB_KINDS, "a", true),
			 EINVAL);

	/* first, last and in between */
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "a", true);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "b", true);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "b", true);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "c", true);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "d", true);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "a", false);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "C", false);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "x", false);
	assert_int_equal(ability_lines(&lines, rig.s, AB_EVENTS), 0);
	assert_string_equal(lines, "Allow-Events: b, d\r\n");
	lines = mem_deref(lines);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "d", false);
	(void)sip_stack_able(rig.s, SIP_AB_EVENT, "b", false);
	assert_int_equal(ability_lines(&lines, rig.s, AB_EVENTS |
				       AB_ALLOW), 0);
	assert_string_equal(lines, "Allow: " SIP_ALLOW "\r\n");
	mem_deref(lines);

	for (i = 0; i < 200 && !err; i++) {
		char token[20];

		(void)snprintf(token, sizeof(token), "t%u", i);
		err = sip_stack_able(rig.s, SIP_AB_EVENT, token, true);
	}
	assert_int_equal(err, EOVERFLOW);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_later),
		TEST(test_at_once),
		TEST(test_status),
		TEST(test_forgotten),
		TEST(test_stack_gone),
		TEST(test_many),
		TEST(test_makes_dialog),
		TEST(test_checks),
		TEST(test_inside),
		TEST(test_free_inside),
		TEST(test_template),
		TEST(test_able),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
