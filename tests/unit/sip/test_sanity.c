/**
 * @file test_sanity.c  What the gate lets through, refuses and drops
 */
#include "wire.h"


static struct wire *w;
static unsigned invites, options;


static bool ring;                       /* instead of refusing */
static struct sip_call *ringing;


static void closed_h(const struct sip_result *res, const struct sip_info *in,
		     void *arg)
{
	(void)res;
	(void)in;
	(void)arg;
	ringing = mem_deref(ringing);
}


static int invite_h(struct sip_call *call, const struct sip_info *in,
		    struct mbuf *offer, void *arg)
{
	static const struct sip_call_h h = {.closed_h = closed_h};
	(void)in;
	(void)offer;
	(void)arg;
	++invites;

	if (!ring)
		return 486;

	ringing = mem_ref(call);
	sip_call_attach(call, &h, NULL);

	return sip_call_ring(call, 180, NULL, NULL) ? 500 : 0;
}


static int options_h(const struct sip_info *in, void *arg)
{
	(void)in;
	(void)arg;
	++options;

	return 200;
}


static int setup(void **state)
{
	stack_h.invite_h = invite_h;
	stack_h.options_h = options_h;
	invites = options = 0;

	return wire_setup(state) || wire_alloc(&w, false);
}


static int teardown(void **state)
{
	w = mem_deref(w);

	return wire_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#define OPTIONS "OPTIONS sip:bob@there.example SIP/2.0"
#define INVITE  "INVITE sip:bob@there.example SIP/2.0"
#define CONTACT "Contact: <sip:al@127.0.0.1>\r\n"


struct row {
	const char *start, *more, *body;
	unsigned status;             /* 0: silence */
};


static void rows_run(const struct row *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const char *body = v[i].body ? v[i].body : "";
		unsigned status;

		if (v[i].status) {
			status = request_status(w, v[i].start, v[i].more,
						body);
		}
		else {
			const char *text = request_text(w, v[i].start,
							v[i].more, body);

			wire_forget(w);
			wire_send(w, &udp_addr, text, strlen(text));
			loop_run(QUIET_MS);
			status = (unsigned)atoi(wire_text(w)[0] ?
						wire_text(w) + 8 : "0");
		}

		if (status != v[i].status)
			fail_msg("%s\n%s-> %u, not %u\n%s", v[i].start,
				 v[i].more, status, v[i].status,
				 wire_text(w));

		if (!strncmp(v[i].start, "INVITE", 6)) {
			/* the next one is another call: its own ACK is not
			   what is tested here */
			wire_forget(w);
		}
	}
}


static void test_headers(void **state)
{
	static const struct row v[] = {
		{OPTIONS, "", NULL, 200},

		/* missing */
		{OPTIONS, "From:\r\n", NULL, 400},
		{OPTIONS, "Call-ID:\r\n", NULL, 400},
		{OPTIONS, "Max-Forwards: 0\r\n", NULL, 200},

		/* more than one */
		{OPTIONS, "Call-ID: a\r\ni: b\r\n", NULL, 400},
		{OPTIONS, "To: <sip:a@b>\r\nt: <sip:a@b>\r\n", NULL, 400},
		{OPTIONS, "From: <sip:a@b>;tag=1\r\nFrom: <sip:c@b>;tag=2"
			"\r\n", NULL, 400},
		{OPTIONS, "CSeq: 1 OPTIONS\r\nCSeq: 2 OPTIONS\r\n", NULL, 400},
		{OPTIONS, "Max-Forwards: 7\r\nMax-Forwards: 8\r\n", NULL, 400},
		{OPTIONS, "Content-Length: 0\r\nl: 0\r\n", NULL, 400},
		{OPTIONS, "Content-Type: a/b\r\nc: a/b\r\n", NULL, 400},

		/* libre takes these for From, To and Content-Length */
		{OPTIONS, "p-fkz: <sip:evil@x>;tag=1\r\n", NULL, 400},

		/* numbers */
		{OPTIONS, "CSeq: 2147483647 OPTIONS\r\n", NULL, 200},
		{OPTIONS, "CSeq: 2147483648 OPTIONS\r\n", NULL, 400},
		{OPTIONS, "CSeq: 4294967297 OPTIONS\r\n", NULL, 400},
		{OPTIONS, "CSeq: 36893488147419103232 OPTIONS\r\n", NULL, 400},
		{OPTIONS, "CSeq: 1 INVITE\r\n", NULL, 400},
		{OPTIONS, "CSeq: 1 options\r\n", NULL, 400},
		{OPTIONS, "CSeq: 1 OPTIONS x\r\n", NULL, 400},
		{OPTIONS, "CSeq: x1 OPTIONS\r\n", NULL, 400},
		{OPTIONS, "Max-Forwards: 256\r\n", NULL, 400},
		{OPTIONS, "Max-Forwards: -1\r\n", NULL, 400},
		{OPTIONS, "Max-Forwards: 4294967296\r\n", NULL, 400},

		/* names */
		{OPTIONS, "To: \"Mr. J <sip:a@b>\r\n", NULL, 400},
		{OPTIONS, "To: < sip:a@b >\r\n", NULL, 400},
		{OPTIONS, "From: <sip:a@b:99999>;tag=1\r\n", NULL, 400},
		{OPTIONS, "From: caller<sip:a@b>;tag=1\r\n", NULL, 200},
		{OPTIONS, "From: <tel:+1555>;tag=1\r\n", NULL, 200},
		{OPTIONS, "Call-ID: a b\r\n", NULL, 400},
	};
	(void)state;

	rows_run(v, COUNTOF(v));
}


static void test_missing(void **state)
{
	static const char *const names[] = {
		"\r\nFrom:", "\r\nTo:", "\r\nCall-ID:", "\r\nCSeq:",
		"\r\nVia:",
	};
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(names); i++) {
		const bool via = !strcmp(names[i], "\r\nVia:");
		char text[2000], *line;

		(void)snprintf(text, sizeof(text), "%s",
			       request_text(w, OPTIONS, "", ""));
		line = strstr(text, names[i]);
		memmove(line, strchr(line + 2, '\r'),
			strlen(strchr(line + 2, '\r')) + 1);

		wire_forget(w);
		wire_send(w, &udp_addr, text, strlen(text));
		if (via) {
			loop_run(QUIET_MS);
			assert_string_equal(wire_text(w), "");
		}
		else {
			assert_non_null(wire_wait(w, "SIP/2.0 400 Missing "));
		}
	}
}


static void test_request_line(void **state)
{
	static const struct row v[] = {
		{"OPTIONS sip:2001:db8::10 SIP/2.0", "", NULL, 400},
		{"OPTIONS sip:[2001:db8::10]:5070 SIP/2.0", "", NULL, 200},
		{"OPTIONS sip:a@b:70000 SIP/2.0", "", NULL, 400},
		{"OPTIONS <sip:a@b> SIP/2.0", "", NULL, 400},
		{"OPTIONS sip:a@b?Route=x SIP/2.0", "", NULL, 400},
		{"OPTIONS nobody:knows SIP/2.0", "", NULL, 416},
		{"OPTIONS tel:+1555 SIP/2.0", "", NULL, 416},
		/* over UDP */
		{"OPTIONS sips:a@b SIP/2.0", "", NULL, 480},
		{"OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", "", NULL,
			416},

		/* libre does not decode these at all */
		{"OPTIONS sip:a@b; lr SIP/2.0", "", NULL, 400},
		{"OPTIONS  sip:a@b  SIP/2.0", "", NULL, 400},
		{"OPTIONS sip:a@b SIP/2.0 ", "", NULL, 400},
		{"OPTIONS sip:a@b SIP/7.0", "", NULL, 505},
		{"OPTIONS sip:a@b sip/3.0", "", NULL, 505},
		{"OPTIONS sip:a@b", "", NULL, 400},
		{"ACK sip:a@b SIP/7.0", "", NULL, 0},
		{"SIP/7.0 200 OK", "", NULL, 0},
	};
	(void)state;

	rows_run(v, COUNTOF(v));
}


static void test_length(void **state)
{
	static const struct row v[] = {
		{OPTIONS, "Content-Type: a/b\r\n", "12345", 200},
		{OPTIONS, "", "12345", 400},           /* no type */
		{OPTIONS, "Content-Length: 6\r\n", "12345", 400},
		{OPTIONS, "Content-Length: -1\r\n", "", 400},
		{OPTIONS, "Content-Length: 0x1\r\n", "12345", 400},
		{OPTIONS, "Content-Length: 4294967297\r\n", "1", 400},
		/* what is too long is cut: nothing left, no type needed */
		{OPTIONS, "Content-Length: 0\r\n", "12345", 200},
	};
	(void)state;

	rows_run(v, COUNTOF(v));
}


static void test_invite(void **state)
{
	static const struct row v[] = {
		{INVITE, "", NULL, 400},
		{INVITE, "Contact: *\r\n", NULL, 400},
		{INVITE, "Contact: <sip:a@b>\r\n" CONTACT, NULL, 400},
		{INVITE, "Contact: <sip:a@b>, <sip:c@b>\r\n", NULL, 400},
		{INVITE, "Contact: \"Joe <sip:a@b>\r\n", NULL, 400},
		{INVITE, "Contact: sip:a@b?x=y\r\n", NULL, 400},
		{INVITE, "Contact: <tel:1>\r\n", NULL, 400},
	};
	(void)state;

	rows_run(v, COUNTOF(v));
	assert_int_equal(invites, 0);

	wire_forget(w);
	{
		const char *text = request_text(w, INVITE, CONTACT, "");

		wire_send(w, &udp_addr, text, strlen(text));
	}
	assert_non_null(wire_wait(w, "SIP/2.0 486 "));
	assert_int_equal(invites, 1);
}


static void test_via(void **state)
{
	char via[6][200];
	struct row v[6] = {{0}};
	const struct sa *a = wire_addr(w);
	size_t i;
	(void)state;

	(void)re_snprintf(via[0], 200, "Via: SIP/2.0/UDP %J;rport;"
			  "maddr=192.0.2.1;branch=z9hG4bKm0\r\n", a);
	v[0].status = 400;
	(void)re_snprintf(via[1], 200, "Via: SIP/2.0/UDP %J;maddr=127.0.0.1;"
			  "branch=z9hG4bKm1\r\n", a);
	v[1].status = 200;
	(void)re_snprintf(via[2], 200, "Via: SIP/2.0/UDP 127.0.0.1:%u"
			  ";branch=z9hG4bKm2;maddr=host.example;rport\r\n",
			  sa_port(a));
	v[2].status = 400;
	(void)re_snprintf(via[3], 200, "Via: SIP/2.0/UDP 192.0.2.1:99999"
			  ";rport;branch=z9hG4bKm3\r\n");
	v[3].status = 400;
	(void)re_snprintf(via[4], 200, "Via: SIP/2.0/UDP %J;rport;;,;,,\r\n",
			  a);
	v[4].status = 400;
	/* an RFC 2543 peer */
	(void)re_snprintf(via[5], 200, "Via: SIP/2.0/UDP %J\r\n", a);
	v[5].status = 200;

	for (i = 0; i < COUNTOF(v); i++) {
		v[i].start = OPTIONS;
		v[i].more = via[i];
	}

	rows_run(v, COUNTOF(v));
}


/* RFC 2543: no branch (of its own), no tag, no Contact; CANCEL and ACK are
 * matched */
static void test_elder(void **state)
{
	char via[120];
	const char *text;
	(void)state;

	(void)re_snprintf(via, sizeof(via), "Via: SIP/2.0/UDP %J, SIP/2.0/UDP "
			  "b;branch=old\r\nFrom: <sip:al@127.0.0.1>\r\n"
			  "Call-ID: elder\r\n", wire_addr(w));

	ring = true;
	text = request_text(w, INVITE, via, "");
	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "SIP/2.0 180 "));
	assert_int_equal(invites, 1);

	/* again: the same transaction */
	wire_forget(w);
	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "SIP/2.0 180 "));
	assert_int_equal(invites, 1);
	ring = false;

	wire_forget(w);
	text = request_text(w, "CANCEL sip:bob@there.example SIP/2.0", via,
			    "");
	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "SIP/2.0 200 "));
	assert_non_null(wire_wait(w, "SIP/2.0 487 "));

	/* after its ACK the answer is sent no more */
	text = request_text(w, "ACK sip:bob@there.example SIP/2.0", via, "");
	wire_send(w, &udp_addr, text, strlen(text));
	loop_run(50);
	wire_forget(w);
	loop_run(600);
	assert_string_equal(wire_text(w), "");
}


/* Nothing wrong with an ACK is ever told */
static void test_ack(void **state)
{
	static const struct row v[] = {
		{"ACK sip:a@b SIP/2.0", "CSeq: 1 INVITE\r\n", NULL, 0},
		{"ACK nobody:knows SIP/2.0", "", NULL, 0},
		{"ACK sip:a@b SIP/2.0", "", NULL, 0},
	};
	(void)state;

	rows_run(v, COUNTOF(v));
}


static void test_reply_lines(void **state)
{
	const char *text;
	(void)state;

	/* what libre cannot read is still answered by the rules */
	assert_int_equal(request_status(
		w, "OPTIONS sip:a@b SIP/7.0",
		"v: SIP/2.0/UDP 192.0.2.7:9;rport;branch=z9hG4bKq , SIP/2.0/"
		"UDP two;branch=z9hG4bKr\r\nVia: SIP/2.0/UDP three\r\n"
		"To: <sip:a@b>\r\nCall-ID: keep-me\r\n", ""), 505);

	text = wire_text(w);
	assert_non_null(strstr(text, "branch=z9hG4bKq ;received=127.0.0.1, "
			       "SIP/2.0/UDP two;branch=z9hG4bKr\r\n"
			       "Via: SIP/2.0/UDP three\r\n"));
	assert_non_null(strstr(text, "\r\nTo: <sip:a@b>;tag="));
	assert_non_null(strstr(text, "\r\nCall-ID: keep-me\r\n"));
	assert_non_null(strstr(text, "\r\nCSeq: 1 OPTIONS\r\n"));
}


/* The same request again gets the same tag again, another one another */
static void test_tags(void **state)
{
	char first[2000];
	const char *text = request_text(w, OPTIONS, "Require: x\r\n", "");
	(void)state;

	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "\r\n\r\n"));
	(void)snprintf(first, sizeof(first), "%s", wire_text(w));
	assert_non_null(strstr(first, "SIP/2.0 420 "));

	wire_forget(w);
	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "\r\n\r\n"));
	assert_string_equal(wire_text(w), first);

	wire_forget(w);
	text = request_text(w, OPTIONS, "Require: x\r\n", "");
	wire_send(w, &udp_addr, text, strlen(text));
	assert_non_null(wire_wait(w, "\r\n\r\n"));
	assert_int_not_equal(strncmp(strstr(wire_text(w), "\r\nTo:"),
				     strstr(first, "\r\nTo:"), 50), 0);
}


static void test_responses_dropped(void **state)
{
	static const char *const v[] = {
		"SIP/2.0 4294967496 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1"
		"\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK1"
		"\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n"
		"Call-ID: x\r\nCSeq: 1 INVITE\r\n\r\n",
		"SIP/2.0 200 OK\r\n\r\n",
		"SIP/2.0 200\r\n\r\n",
		"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
	};
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++)
		wire_send(w, &udp_addr, v[i], strlen(v[i]));

	/* a request behind them is served, so they have been seen */
	assert_int_equal(request_status(w, OPTIONS, "", ""), 200);
	assert_null(strstr(wire_text(w) + 1, "SIP/2.0 4"));
	assert_true(stack->stats.discarded >= 2);
}


/* TCP ---------------------------------------------------------------------- */

static void tcp_start(struct wire **t)
{
	assert_int_equal(wire_alloc(t, true), 0);
}


static void test_tcp_framing(void **state)
{
	struct wire *t;
	const char *text;
	char two[4000];
	size_t i, n;
	(void)state;

	tcp_start(&t);

	/* one octet at a time */
	text = request_text(t, OPTIONS, "", "");
	for (i = 0; text[i]; i++) {
		wire_send(t, NULL, text + i, 1);
		if (i % 40 == 0)
			loop_run(1);
	}
	assert_non_null(wire_wait(t, "SIP/2.0 200 "));

	/* two in one segment, and a ping between */
	wire_forget(t);
	n = (size_t)snprintf(two, sizeof(two), "%s\r\n\r\n",
			     request_text(t, OPTIONS, "Call-ID: one\r\n",
					  ""));
	(void)snprintf(two + n, sizeof(two) - n, "%s",
		       request_text(t, OPTIONS, "Call-ID: two\r\n", ""));
	wire_send(t, NULL, two, strlen(two));
	assert_non_null(wire_wait(t, "Call-ID: two"));
	assert_non_null(strstr(wire_text(t), "Call-ID: one"));

	mem_deref(t);
}


/* A length nobody can trust: nothing behind it is read as a message */
static void test_tcp_smuggling(void **state)
{
	static const char *const lengths[] = {
		"4294967297", "-1", "0\r\nContent-Length: 5", "1x", "",
		"18446744073709551616",
	};
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(lengths); i++) {
		char text[4000], line[80];
		struct wire *t;
		size_t n;

		tcp_start(&t);
		(void)snprintf(line, sizeof(line), "Content-Length: %s\r\n",
			       lengths[i]);
		n = (size_t)snprintf(text, sizeof(text), "%s",
				     request_text(t, OPTIONS, line, "x"));
		(void)snprintf(text + n, sizeof(text) - n, "%s",
			       request_text(t, OPTIONS,
					    "Call-ID: smuggled\r\n", ""));
		wire_send(t, NULL, text, strlen(text));

		assert_true(wire_closed(t));
		if (!strstr(wire_text(t), "SIP/2.0 400 "))
			fail_msg("length '%s': %s", lengths[i], wire_text(t));
		assert_null(strstr(wire_text(t), "smuggled"));
		assert_int_equal(options, 0);

		mem_deref(t);
	}
}


static void test_tcp_poisoned(void **state)
{
	const char *text;
	struct wire *t;
	(void)state;

	tcp_start(&t);
	text = request_text(t, OPTIONS, "Content-Length: -5\r\n", "");
	wire_send(t, NULL, text, strlen(text));
	text = request_text(t, OPTIONS, "Call-ID: later\r\n", "");
	wire_send(t, NULL, text, strlen(text));

	assert_true(wire_closed(t));
	assert_null(strstr(wire_text(t), "later"));
	assert_int_equal(options, 0);
	mem_deref(t);

	/* others are not concerned */
	tcp_start(&t);
	text = request_text(t, OPTIONS, "", "");
	wire_send(t, NULL, text, strlen(text));
	assert_non_null(wire_wait(t, "SIP/2.0 200 "));
	mem_deref(t);
}


/* What waits in the kernel when the connection is given up is not read on */
static void test_tcp_behind(void **state)
{
	enum { CHUNK = 8192 };       /* libre reads so much at once      */
	char text[CHUNK + 2000];
	struct wire *t;
	size_t n;
	(void)state;

	tcp_start(&t);
	n = (size_t)snprintf(text, sizeof(text), "%s",
			     request_text(t, OPTIONS,
					  "Content-Length: -5\r\n", ""));
	for (; n < CHUNK; n++)
		text[n] = n % 2 ? '\n' : '\r';
	(void)snprintf(text + n, sizeof(text) - n, "%s",
		       request_text(t, OPTIONS, "Call-ID: behind\r\n", ""));
	wire_send(t, NULL, text, strlen(text));

	assert_true(wire_closed(t));
	assert_int_equal(options, 0);
	mem_deref(t);
}


static void test_tcp_no_length(void **state)
{
	static const char text[] = OPTIONS "\r\n"
		"Via: SIP/2.0/TCP a;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1"
		"\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";
	struct wire *t;
	(void)state;

	tcp_start(&t);
	wire_send(t, NULL, text, strlen(text));
	assert_true(wire_closed(t));
	assert_null(strstr(wire_text(t), "200"));
	mem_deref(t);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_headers),
		TEST(test_missing),
		TEST(test_request_line),
		TEST(test_length),
		TEST(test_invite),
		TEST(test_via),
		TEST(test_elder),
		TEST(test_ack),
		TEST(test_reply_lines),
		TEST(test_tags),
		TEST(test_responses_dropped),
		TEST(test_tcp_framing),
		TEST(test_tcp_smuggling),
		TEST(test_tcp_poisoned),
		TEST(test_tcp_behind),
		TEST(test_tcp_no_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
