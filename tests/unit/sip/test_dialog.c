/**
 * @file test_dialog.c  Dialogs and where their requests go
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "session.h"
#include "../../fake/ident.h"


static struct sip_stack stack;
static struct leg leg;
static struct sip_ident *us;


static int setup(void **state)
{
	(void)state;

	memset(&stack, 0, sizeof(stack));
	memset(&leg, 0, sizeof(leg));
	leg.stack = &stack;
	(void)sa_set_str(&leg.addr, "127.0.0.1", 0);
	(void)sa_set_str(&leg.udp, "127.0.0.1", 5062);
	(void)sa_set_str(&leg.tcp, "127.0.0.1", 5064);

	us = ident_make(.aor = "sip:us@h");

	return hash_alloc(&stack.dialogs, 16);
}


static unsigned dialogs(void)
{
	struct sip_stack_stats st;

	sip_stack_stats(&stack, &st);

	return st.dialogs;
}


static int teardown(void **state)
{
	(void)state;
	assert_int_equal(dialogs(), 0);
	stack.dialogs = mem_deref(stack.dialogs);
	us = mem_deref(us);

	return 0;
}


static struct sip_msg *decode(const char *text)
{
	struct mbuf *mb = mbuf_alloc(strlen(text));
	struct sip_msg *msg = NULL;

	assert_int_equal(mbuf_write_str(mb, text), 0);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	mem_deref(mb);

	msg->tp = SIP_TRANSP_UDP;
	(void)sa_set_str(&msg->src, "192.0.2.9", 40000);

	return msg;
}


static struct sip_msg *invite(const char *headers)
{
	char buf[70000];

	(void)snprintf(buf, sizeof(buf),
		       "INVITE sip:us@127.0.0.1:5062 SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
		       "CSeq: 7 INVITE\r\n%s\r\n", headers);

	return decode(buf);
}


#define USUAL								\
	"From: \"Bob, \\\"B\\\"\" <sip:bob@example.com>;tag=b1\r\n"	\
	"To: <sip:us@127.0.0.1>\r\n"					\
	"Call-ID: cid@x\r\n"
#define CONTACT "Contact: <sip:bob@192.0.2.9:5070>\r\n"


static struct sip_msg *response(const struct dialog *tmpl, const char *to,
				const char *headers)
{
	char buf[8000];

	(void)snprintf(buf, sizeof(buf),
		       "SIP/2.0 200 OK\r\n"
		       "Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK2\r\n"
		       "From: %s;tag=%s\r\n"
		       "To: %s\r\n"
		       "Call-ID: %s\r\n"
		       "CSeq: 1 INVITE\r\n%s\r\n",
		       tmpl->laddr_hdr, tmpl->ltag, to, tmpl->callid,
		       headers);

	return decode(buf);
}


/* A request of the peer's inside d */
static struct sip_msg *request(const struct dialog *d, const char *ltag,
			       const char *from, unsigned cseq)
{
	char buf[2000];

	(void)snprintf(buf, sizeof(buf),
		       "BYE sip:us@127.0.0.1 SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK3\r\n"
		       "From: %s\r\n"
		       "To: <sip:us@127.0.0.1>;tag=%s\r\n"
		       "Call-ID: %s\r\nCSeq: %u BYE\r\n\r\n",
		       from, ltag, d->callid, cseq);

	return decode(buf);
}


static const char *head(struct dialog *d, const char *method, bool contact)
{
	static char buf[4096];
	struct target tg = {.tp = SIP_TRANSP_UDP, .leg = &leg};
	struct mbuf *mb = mbuf_alloc(512);

	assert_int_equal(dialog_head(d, mb, &tg, method, 42, contact), 0);
	assert_true(mb->end < sizeof(buf));
	memcpy(buf, mb->buf, mb->end);
	buf[mb->end] = '\0';
	mem_deref(mb);

	return buf;
}


static void assert_uris(const struct dialog *d, const char *uri,
			const char *hop)
{
	char *u, *h;

	assert_int_equal(dialog_uris(d, &u, &h), 0);
	assert_string_equal(u, uri);
	assert_string_equal(h, hop);
	mem_deref(u);
	mem_deref(h);
}


static void test_callee(void **state)
{
	struct sip_msg *msg = invite(USUAL CONTACT
		"Record-Route: <sip:p1.example.com;lr>,"
		" <sip:p2.example.com;lr>;x=y\r\n"
		"Record-Route: <sip:p3.example.com;lr>\r\n");
	struct dialog *d;
	char want[1000];
	(void)state;

	msg->tag = 0x0123;
	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), 0);
	assert_int_equal(dialogs(), 1);
	assert_string_equal(d->ltag, "0000000000000123");
	assert_string_equal(d->rtag, "b1");
	assert_string_equal(d->user, "us");
	assert_int_equal(d->rseq, 7);
	assert_int_equal(d->routec, 3);
	assert_uris(d, "sip:bob@192.0.2.9:5070", "sip:p1.example.com;lr");

	(void)snprintf(want, sizeof(want),
		       "Route: <sip:p1.example.com;lr>\r\n"
		       "Route: <sip:p2.example.com;lr>;x=y\r\n"
		       "Route: <sip:p3.example.com;lr>\r\n"
		       "From: <sip:us@127.0.0.1>;tag=%s\r\n"
		       "To: \"Bob, \\\"B\\\"\" <sip:bob@example.com>;tag=b1\r\n"
		       "Call-ID: cid@x\r\n"
		       "CSeq: 42 BYE\r\n", d->ltag);
	assert_string_equal(head(d, "BYE", false), want);
	assert_non_null(strstr(head(d, "INVITE", true),
			       "\r\nContact: <sip:us@127.0.0.1:5062>\r\n"));

	mem_deref(d);
	mem_deref(msg);
}


static void test_callee_refuses(void **state)
{
	static const struct {
		const char *headers;
		int err;
	} bad[] = {
		{USUAL, EBADMSG},
		{USUAL "Contact: *\r\n", EBADMSG},
		{USUAL "Contact: <sip:bob@192.0.2.9\r\n", EBADMSG},
		{USUAL "Contact: <sip:b\r\n ob@192.0.2.9>\r\n", EBADMSG},
		{USUAL CONTACT "Record-Route: <sip:p1\r\n", EBADMSG},
		/* no Call-ID */
		{"From: <sip:bob@example.com>;tag=b1\r\n"
		 "To: <sip:us@127.0.0.1>\r\n" CONTACT, EBADMSG},
	};
	struct dialog *d = NULL;
	char big[60000];
	struct sip_msg *msg;
	size_t i, n;
	(void)state;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		msg = invite(bad[i].headers);
		assert_int_equal(dialog_alloc_uas(&d, &leg, msg), bad[i].err);
		assert_null(d);
		mem_deref(msg);
	}

	/* too many routes */
	n = (size_t)snprintf(big, sizeof(big), USUAL CONTACT);
	for (i = 0; i < SIP_ROUTES_MAX + 1; i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n,
				      "Record-Route: <sip:p%zu;lr>\r\n", i);
	msg = invite(big);
	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), EOVERFLOW);
	mem_deref(msg);

	/* long Call-ID, Contact, tag */
	n = (size_t)snprintf(big, sizeof(big), USUAL CONTACT "Call-ID: ");
	memset(big + n, 'c', 600);
	(void)snprintf(big + n + 600, 100, "\r\n");
	msg = invite(big);
	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), EOVERFLOW);
	mem_deref(msg);

	n = (size_t)snprintf(big, sizeof(big), USUAL "Contact: <sip:");
	memset(big + n, 'c', SIP_URI_MAX);
	(void)snprintf(big + n + SIP_URI_MAX, 100, "@h>\r\n");
	msg = invite(big);
	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), EBADMSG);
	mem_deref(msg);
}


static void test_folding(void **state)
{
	struct sip_msg *msg = invite(
		"From: \"Bob\r\n of\tthe\" <sip:bob@example.com>\r\n ;tag=b1\r\n"
		"To: <sip:us@127.0.0.1>\r\n"
		"Call-ID: c\r\n" CONTACT
		"Record-Route: <sip:p1;lr>\r\n ;a=b,\r\n <sip:p2;lr>\r\n");
	struct dialog *d;
	const char *h, *p;
	(void)state;

	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), 0);
	assert_string_equal(d->rtag, "b1");
	assert_int_equal(d->routec, 2);

	h = head(d, "BYE", false);
	assert_non_null(strstr(h, "To: \"Bob   of the\" "
			       "<sip:bob@example.com>;tag=b1\r\n"));
	for (p = strstr(h, "\r\n"); p && p[2]; p = strstr(p + 2, "\r\n"))
		assert_true(p[2] > ' ');

	mem_deref(d);
	mem_deref(msg);
}


static void test_strict_router(void **state)
{
	struct sip_msg *msg = invite(USUAL CONTACT
		"Record-Route: <sip:p1.example.com;method=INVITE;a=b?x=y>\r\n"
		"Record-Route: <sip:p2.example.com;lr>\r\n");
	struct dialog *d;
	(void)state;

	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), 0);
	assert_uris(d, "sip:p1.example.com;a=b",
		    "sip:p1.example.com;method=INVITE;a=b?x=y");
	assert_ptr_equal(strstr(head(d, "BYE", false),
				"Route: <sip:p2.example.com;lr>\r\n"
				"Route: <sip:bob@192.0.2.9:5070>\r\nFrom:"),
			 head(d, "BYE", false));

	mem_deref(d);
	mem_deref(msg);
}


static void test_strict_alone(void **state)
{
	/* "lr" as part of another name or value is no lr */
	struct sip_msg *msg = invite(USUAL CONTACT
		"Record-Route: <sip:lr@p1.example.com;lrx;x=lr>\r\n");
	struct dialog *d;
	(void)state;

	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), 0);
	assert_uris(d, "sip:lr@p1.example.com;lrx;x=lr",
		    "sip:lr@p1.example.com;lrx;x=lr");
	assert_ptr_equal(strstr(head(d, "BYE", false),
				"Route: <sip:bob@192.0.2.9:5070>\r\nFrom:"),
			 head(d, "BYE", false));

	mem_deref(d);
	mem_deref(msg);
}


static void test_caller(void **state)
{
	struct dialog *tmpl, *a, *b;
	struct sip_msg *m1, *m2, *req;
	struct sip_ident *id;
	(void)state;

	id = ident_make(.aor = "sip:us@example.com", .name = "Us \"x\"",
			.routev = {"sip:proxy.example.com"});
	assert_int_equal(dialog_alloc_uac(&tmpl, &stack,
		"sip:bob@192.0.2.9:5070;transport=tcp;user=phone?Subject=x",
		id), 0);
	mem_deref(id);
	assert_uris(tmpl, "sip:bob@192.0.2.9:5070;transport=tcp;user=phone",
		    "sip:proxy.example.com;lr");
	assert_non_null(strstr(head(tmpl, "INVITE", true),
		"Route: <sip:proxy.example.com;lr>\r\n"
		"From: \"Us \\\"x\\\"\" <sip:us@example.com>;tag="));
	assert_non_null(strstr(head(tmpl, "INVITE", true),
		"\r\nTo: <sip:bob@192.0.2.9:5070;user=phone>\r\n"));
	assert_non_null(strstr(head(tmpl, "INVITE", true),
			       "Contact: <sip:us@127.0.0.1:5062>\r\n"));

	m1 = response(tmpl, "<sip:bob@192.0.2.9>;tag=t1", CONTACT
		      "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n");
	m2 = response(tmpl, "<sip:bob@192.0.2.9>;tag=t2", "");

	assert_null(dialog_find(&stack, m1));
	assert_ptr_equal(dialog_find_template(&stack, m1), tmpl);

	assert_int_equal(dialog_fork(&a, tmpl, m1), 0);
	assert_int_equal(dialog_fork(&b, tmpl, m2), 0);
	assert_ptr_equal(dialog_find(&stack, m1), a);
	assert_ptr_equal(dialog_find(&stack, m2), b);
	assert_ptr_equal(dialog_find_template(&stack, m1), tmpl);

	/* in reverse; and the outbound proxy of the user is out of it */
	assert_uris(a, "sip:bob@192.0.2.9:5070", "sip:p1;lr");
	assert_int_equal(a->routec, 2);
	assert_string_equal(a->routev[1], "<sip:p2;lr>");

	/* no Contact: reached where it was called */
	assert_uris(b, "sip:bob@192.0.2.9:5070;transport=tcp;user=phone",
		    "sip:bob@192.0.2.9:5070;transport=tcp;user=phone");

	/* requests of the peer's: by its tag, and none for the template */
	req = request(a, a->ltag, "<sip:bob@192.0.2.9>;tag=t1", 5);
	assert_ptr_equal(dialog_find(&stack, req), a);
	mem_deref(req);
	req = request(a, a->ltag, "<sip:bob@192.0.2.9>;tag=t3", 5);
	assert_null(dialog_find(&stack, req));
	mem_deref(req);
	req = request(a, a->ltag, "<sip:bob@192.0.2.9>", 5);
	assert_null(dialog_find(&stack, req));
	mem_deref(req);

	mem_deref(m1);
	mem_deref(m2);
	mem_deref(a);
	mem_deref(b);
	mem_deref(tmpl);
}


static void test_caller_refuses(void **state)
{
	struct dialog *d = NULL;
	char big[SIP_URI_MAX + 20];
	(void)state;

	assert_int_equal(dialog_alloc_uac(&d, &stack, "bob", us), EINVAL);
	assert_int_equal(dialog_alloc_uac(&d, &stack, "sip:bob@h", NULL),
			 EINVAL);
	assert_int_equal(dialog_alloc_uac(&d, &stack, "sip:b\r\nX: y@h", us),
			 EINVAL);

	memset(big, 'a', sizeof(big));
	memcpy(big, "sip:", 4);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(dialog_alloc_uac(&d, &stack, big, us), EOVERFLOW);
	assert_null(d);
}


static void test_no_tags(void **state)
{
	struct sip_msg *msg = invite("From: <sip:bob@example.com>\r\n"
				     "To: <sip:us@127.0.0.1>\r\n"
				     "Call-ID: c\r\n" CONTACT);
	struct sip_msg *req;
	struct dialog *d;
	(void)state;

	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), 0);
	assert_non_null(strstr(head(d, "BYE", false),
			       "\r\nTo: <sip:bob@example.com>\r\n"));

	req = request(d, d->ltag, "<sip:bob@example.com>", 8);
	assert_ptr_equal(dialog_find(&stack, req), d);
	mem_deref(req);

	req = request(d, d->ltag, "<sip:bob@example.com>;tag=new", 8);
	assert_null(dialog_find(&stack, req));
	mem_deref(req);

	mem_deref(d);
	mem_deref(msg);
}


static void test_order(void **state)
{
	struct sip_msg *msg = invite(USUAL CONTACT);
	static const struct { unsigned cseq; int err; } seq[] = {
		{6, EPROTO}, {7, 0}, {8, 0}, {8, 0}, {7, EPROTO}, {100, 0},
		{99, EPROTO}, {4294967295u, 0}, {101, EPROTO},
	};
	struct dialog *d;
	size_t i;
	(void)state;

	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), 0);

	for (i = 0; i < sizeof(seq) / sizeof(seq[0]); i++) {
		struct sip_msg *req = request(d, d->ltag, "<sip:b@h>;tag=b1",
					      seq[i].cseq);

		assert_int_equal(dialog_check_seq(d, req), seq[i].err);
		mem_deref(req);
	}

	mem_deref(d);
	mem_deref(msg);
}


static void test_refresh(void **state)
{
	struct sip_msg *msg = invite(USUAL CONTACT), *m;
	struct dialog *d;
	(void)state;

	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), 0);
	d->flow.leg = &leg;

	/* the same, a bad one and none leave everything as it was */
	dialog_refresh(d, msg);
	m = invite(USUAL "Contact: <sip:bob@192.0.2.10\r\n");
	dialog_refresh(d, m);
	mem_deref(m);
	m = invite(USUAL);
	dialog_refresh(d, m);
	mem_deref(m);
	assert_string_equal(d->target, "sip:bob@192.0.2.9:5070");
	assert_ptr_equal(d->flow.leg, &leg);

	m = invite(USUAL "m: Bob <sip:bob@192.0.2.10>;expires=3\r\n");
	dialog_refresh(d, m);
	mem_deref(m);
	assert_string_equal(d->target, "sip:bob@192.0.2.10");
	assert_null(d->flow.leg);

	mem_deref(d);
	mem_deref(msg);
}


static void assert_pin(const char *headers, enum sip_transp tp, bool pinned)
{
	struct sip_msg *msg = invite(headers);
	struct dialog *d;

	msg->tp = tp;
	assert_int_equal(dialog_alloc_uas(&d, &leg, msg), 0);
	assert_int_equal(d->flow_pinned, pinned);
	if (pinned) {
		assert_ptr_equal(d->flow.leg, &leg);
		assert_true(sa_cmp(&d->flow.dst, &msg->src, SA_ALL));
	}

	mem_deref(d);
	mem_deref(msg);
}


static void test_pin(void **state)
{
	struct sip_msg *m;
	struct dialog *tmpl, *d;
	struct target way = {0};
	(void)state;

	/* the INVITE came by a connection from 192.0.2.9 */
	assert_pin(USUAL CONTACT, SIP_TRANSP_UDP, false);
	assert_pin(USUAL CONTACT, SIP_TRANSP_TCP, true);
	assert_pin(USUAL "Contact: <sip:bob@10.0.0.1;transport=tcp>\r\n",
		   SIP_TRANSP_TCP, true);
	assert_pin(USUAL "Contact: <sip:bob@10.0.0.1;transport=udp>\r\n",
		   SIP_TRANSP_TCP, false);
	/* through someone: the connection is his, not the caller's */
	assert_pin(USUAL "Contact: <sip:bob@10.0.0.1>\r\n"
		   "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK9\r\n",
		   SIP_TRANSP_TCP, false);
	assert_pin(USUAL "Contact: <sip:bob@10.0.0.1>\r\n"
		   "Record-Route: <sip:192.0.2.9;lr>\r\n"
		   "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK9\r\n",
		   SIP_TRANSP_TCP, true);
	assert_pin(USUAL "Contact: <sip:bob@10.0.0.1>\r\n"
		   "Record-Route: <sip:192.0.2.8;lr>\r\n",
		   SIP_TRANSP_TCP, false);

	/* we called 192.0.2.9:5070 over TCP */
	assert_int_equal(dialog_alloc_uac(&tmpl, &stack,
		"sip:bob@192.0.2.9:5070;transport=tcp", us), 0);
	m = response(tmpl, "<sip:bob@192.0.2.9>;tag=t1", CONTACT);
	assert_int_equal(dialog_fork(&d, tmpl, m), 0);
	way.tp = SIP_TRANSP_TCP;
	way.leg = &leg;
	(void)sa_set_str(&way.dst, "192.0.2.9", 5070);
	dialog_pin(d, &way, false, false);
	assert_true(d->flow_pinned);
	sa_set_port(&way.dst, 5071);
	dialog_pin(d, &way, false, false);
	assert_false(d->flow_pinned);

	mem_deref(m);
	mem_deref(d);
	mem_deref(tmpl);
}


static void test_update(void **state)
{
	struct dialog *tmpl, *d;
	struct sip_msg *m;
	(void)state;

	assert_int_equal(dialog_alloc_uac(&tmpl, &stack, "sip:bob@h", us),
			 0);
	m = response(tmpl, "<sip:bob@h>;tag=t1",
		     "Record-Route: <sip:early;lr>\r\n");
	assert_int_equal(dialog_fork(&d, tmpl, m), 0);
	assert_int_equal(d->routec, 1);
	mem_deref(m);

	/* a bare 1xx changes nothing, the 2xx decides */
	m = response(tmpl, "<sip:bob@h>;tag=t1", "");
	assert_int_equal(dialog_update(d, m, false), 0);
	assert_int_equal(d->routec, 1);
	assert_int_equal(dialog_update(d, m, true), 0);
	assert_int_equal(d->routec, 0);
	mem_deref(m);

	m = response(tmpl, "<sip:bob@h>;tag=t1", CONTACT
		     "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n");
	assert_int_equal(dialog_update(d, m, true), 0);
	assert_uris(d, "sip:bob@192.0.2.9:5070", "sip:p1;lr");
	mem_deref(m);

	mem_deref(d);
	mem_deref(tmpl);
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_callee),
		T(test_callee_refuses),
		T(test_folding),
		T(test_strict_router),
		T(test_strict_alone),
		T(test_caller),
		T(test_caller_refuses),
		T(test_no_tags),
		T(test_order),
		T(test_refresh),
		T(test_pin),
		T(test_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
