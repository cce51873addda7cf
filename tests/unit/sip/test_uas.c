/**
 * @file test_uas.c  Requests outside of dialogs, in the order of RFC 3261 8.2
 */
#include "wire.h"


static struct wire *w;

static struct {
	unsigned invites;
	bool offer;
	char user[128];
	int options;             /* status to give                       */
	bool ability;
} seen;


static int invite_h(struct sip_call *call, const struct sip_info *in,
		    struct mbuf *offer, void *arg)
{
	(void)call;
	(void)arg;
	++seen.invites;
	seen.offer = offer != NULL;
	(void)snprintf(seen.user, sizeof(seen.user), "%s", in->ruri_user);

	return 486;
}


static int options_h(const struct sip_info *in, void *arg)
{
	(void)in;
	(void)arg;

	return seen.options;
}


static int ability_h(struct mbuf **sdp, const struct sa *laddr, void *arg)
{
	struct mbuf *mb;
	(void)arg;

	if (!seen.ability)
		return ENOENT;

	mb = mbuf_alloc(64);
	(void)mbuf_printf(mb, "c=IN IP4 %j\r\n", laddr);
	mb->pos = 0;
	*sdp = mb;

	return 0;
}


static int setup(void **state)
{
	memset(&seen, 0, sizeof(seen));
	seen.options = 200;
	stack_h.invite_h = invite_h;
	stack_h.options_h = options_h;
	stack_h.ability_h = ability_h;

	return wire_setup(state) || wire_alloc(&w, false);
}


static int teardown(void **state)
{
	w = mem_deref(w);

	return wire_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#define INVITE  "INVITE sip:bob@there.example SIP/2.0"
#define OPTIONS "OPTIONS sip:bob@there.example SIP/2.0"
#define CONTACT "Contact: <sip:al@127.0.0.1>\r\n"
#define SDP     "Content-Type: application/sdp\r\n"
#define PARTS   "Content-Type: multipart/mixed; boundary=\"x\"\r\n"


static void assert_line(const char *line)
{
	if (!strstr(wire_text(w), line))
		fail_msg("no '%s' in\n%s", line, wire_text(w));
}


/* An INVITE to its final answer; the 100 before it does not count */
static unsigned invite(const char *more, const char *body)
{
	const char *text = request_text(w, INVITE, more, body), *p;

	wire_forget(w);
	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "\r\n\r\n"));

	p = wire_text(w);
	if (!strncmp(p, "SIP/2.0 100", 11)) {
		assert_non_null(wire_wait(w, "SIP/2.0 4"));
		p = strstr(p, "SIP/2.0 4");
	}

	return (unsigned)atoi(p + 8);
}


static void test_options(void **state)
{
	(void)state;

	assert_int_equal(request_status(w, OPTIONS, "", ""), 200);
	assert_line("\r\nAllow: " SIP_ALLOW "\r\n");
	assert_line("\r\nAccept: application/sdp, multipart/mixed\r\n");
	assert_line("\r\nAccept-Encoding: identity\r\n");
	assert_line("\r\nSupported: " SIP_SUPPORTED "\r\n");
	assert_line("\r\nServer: test\r\n");
	assert_line("\r\nContent-Length: 0\r\n\r\n");

	seen.ability = true;
	assert_int_equal(request_status(w, OPTIONS, "", ""), 200);
	assert_line("\r\nContent-Type: application/sdp\r\n"
		    "Content-Length: 20\r\n\r\nc=IN IP4 127.0.0.1\r\n");

	/* what an INVITE would get */
	seen.options = 486;
	assert_int_equal(request_status(w, OPTIONS, "", ""), 486);
	assert_line("\r\nAllow: " SIP_ALLOW "\r\n");
	assert_line("\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(seen.invites, 0);
}


static void test_methods(void **state)
{
	static const char *const known[] = {
		"REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER",
		"MESSAGE", "INFO",
	};
	char start[80];
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(known); i++) {
		(void)snprintf(start, sizeof(start), "%s sip:bob@there "
			       "SIP/2.0", known[i]);
		assert_int_equal(request_status(w, start, "", ""), 405);
		assert_line("\r\nAllow: " SIP_ALLOW "\r\n");
	}

	assert_int_equal(request_status(w, "NEW!METHOD sip:b@h SIP/2.0", "",
					""), 501);
	assert_line("\r\nAllow: " SIP_ALLOW "\r\n");
	assert_int_equal(request_status(w, "RE%47IST%45R sip:b@h SIP/2.0", "",
					""), 501);
	/* methods know upper and lower case */
	assert_int_equal(request_status(w, "options sip:b@h SIP/2.0", "", ""),
			 501);

	assert_int_equal(request_status(w, "BYE sip:b@h SIP/2.0", "", ""),
			 481);
	assert_int_equal(request_status(w, "PRACK sip:b@h SIP/2.0", "", ""),
			 481);
	assert_int_equal(request_status(w, "UPDATE sip:b@h SIP/2.0", "", ""),
			 481);
	assert_int_equal(request_status(w, "CANCEL sip:b@h SIP/2.0", "", ""),
			 481);
}


static void test_no_dialog(void **state)
{
	static const char *const methods[] = {
		"INVITE", "BYE", "OPTIONS",
	};
	char start[80];
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(methods); i++) {
		(void)snprintf(start, sizeof(start), "%s sip:b@h SIP/2.0",
			       methods[i]);
		assert_int_equal(request_status(
			w, start, CONTACT "To: <sip:b@h>;tag=gone\r\n", ""),
			481);
	}

	assert_int_equal(seen.invites, 0);
}


static void test_require(void **state)
{
	(void)state;

	assert_int_equal(request_status(
		w, OPTIONS, "Require: one , two\r\nProxy-Require: three\r\n"
		"Require: four\r\n", ""), 420);
	assert_line("\r\nUnsupported: one, two, four\r\n");

	assert_int_equal(invite(CONTACT "Require: 100rel, precondition, "
				"Timer\r\n", ""), 420);
	assert_line("\r\nUnsupported: precondition\r\n");
	assert_int_equal(invite(CONTACT "Require: 100rel\r\n", ""), 486);
	seen.invites = 0;

	assert_int_equal(request_status(w, OPTIONS, "Require:\r\n", ""), 200);

	/* it cannot be required of a CANCEL */
	assert_int_equal(request_status(w, "CANCEL sip:b@h SIP/2.0",
					"Require: one\r\n", ""), 481);

	/* a method comes first */
	assert_int_equal(request_status(w, "MESSAGE sip:b@h SIP/2.0",
					"Require: one\r\n", ""), 405);
	assert_int_equal(seen.invites, 0);
}


static void test_body(void **state)
{
	(void)state;

	assert_int_equal(invite(CONTACT "Content-Type: application/unknown"
				"\r\n", "x"), 415);
	assert_line("\r\nAccept: application/sdp, multipart/mixed\r\n");
	assert_int_equal(invite(CONTACT "Content-Type: multipart/mixed;"
				"boundary=x\r\n", "x"), 415);
	assert_int_equal(invite(CONTACT PARTS, "--x\r\n"
				"Content-Type: application/ISUP\r\n"
				"Content-Disposition: signal;handling="
				"required\r\n\r\n\1\r\n--x\r\n" SDP
				"\r\nv=0\r\n--x--\r\n"), 415);
	assert_int_equal(invite(CONTACT SDP "Content-Encoding: gzip\r\n",
				"x"), 415);
	assert_line("\r\nAccept-Encoding: identity\r\n");
	assert_int_equal(invite(CONTACT SDP "e: identity, br\r\n", "x"), 415);

	assert_int_equal(invite(CONTACT "Accept: text/plain, text/*\r\n",
				""), 406);
	assert_line("\r\nAccept: application/sdp\r\n");
	assert_int_equal(seen.invites, 0);

	/* these are fine */
	assert_int_equal(invite(CONTACT "c: Application/SDP;charset=x\r\n"
				"Content-Encoding: identity\r\n"
				"Accept: text/plain, application/sdp;q=0\r\n",
				"v=0"), 486);
	assert_true(seen.offer);
	assert_int_equal(invite(CONTACT "Accept: application/*\r\n", ""),
			 486);
	assert_false(seen.offer);
	assert_int_equal(invite(CONTACT PARTS, "--x\r\n"
				"Content-Type: application/ISUP\r\n"
				"Content-Disposition: signal;handling="
				"optional\r\n\r\n\1\r\n--x\r\n" SDP
				"\r\nv=0\r\n--x--\r\n"), 486);
	assert_true(seen.offer);
	assert_int_equal(seen.invites, 3);

	/* what may be ignored is */
	assert_int_equal(invite(CONTACT "Content-Type: text/html\r\n"
				"Content-Disposition: render;handling="
				"optional\r\n", "<html>"), 486);
	assert_false(seen.offer);
	assert_int_equal(invite(CONTACT "Content-Type: text/html\r\n"
				"Content-Disposition: session;handling="
				"required\r\n", "<html>"), 415);
	assert_string_equal(seen.user, "bob");
}


static void test_closing(void **state)
{
	(void)state;

	sip_stack_close(stack, 1000, NULL, NULL);
	assert_int_equal(invite(CONTACT SDP, "v=0"), 503);
	assert_int_equal(request_status(w, OPTIONS, "", ""), 503);
	assert_int_equal(seen.invites, 0);
}


static void test_merged(void **state)
{
	const char *text;
	char more[200];
	(void)state;

	/*
	 * The same request again on another way: refused at once the first
	 * time, it left no transaction behind and is refused again
	 */
	assert_int_equal(invite(CONTACT "Call-ID: same\r\nCSeq: 7 INVITE\r\n",
				""), 486);
	(void)snprintf(more, sizeof(more), CONTACT "Call-ID: same\r\n"
		       "CSeq: 7 INVITE\r\n");
	text = request_text(w, INVITE, more, "");
	wire_forget(w);
	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "SIP/2.0 486 "));
	assert_int_equal(seen.invites, 2);

	/* the very same datagram is only answered again */
	wire_forget(w);
	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "SIP/2.0 486 "));
	assert_int_equal(seen.invites, 2);
}


static void test_stray_responses(void **state)
{
	char text[600];
	(void)state;

	(void)re_snprintf(text, sizeof(text), "SIP/2.0 200 OK\r\n"
			  "Via: SIP/2.0/UDP %J;branch=z9hG4bKnone\r\n"
			  "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n"
			  "Call-ID: none\r\nCSeq: 1 INVITE\r\n"
			  "Content-Length: 0\r\n\r\n", &udp_addr);
	wire_send(w, &udp_addr, text, strlen(text));

	assert_int_equal(request_status(w, OPTIONS, "", ""), 200);
	assert_int_equal(stack->stats.discarded, 1);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_options),
		TEST(test_methods),
		TEST(test_no_dialog),
		TEST(test_require),
		TEST(test_body),
		TEST(test_closing),
		TEST(test_merged),
		TEST(test_stray_responses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
