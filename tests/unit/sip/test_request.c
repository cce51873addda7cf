/**
 * @file test_request.c  One request to its end: retries, failover, causes
 */
#include "wire.h"
#include "../../fake/ident.h"


static struct peer *p, *p2;

static struct {
	unsigned provs, finals, heads;
	struct sip_result res;
	uint16_t prov_code;
	bool msg;
	uint32_t cseq;
	const char *extra;           /* lines                              */
	struct request *r;
	bool free_on_prov, free_on_final;
	bool in_call;                /* inside request_send                */
} got;


static int head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	const char *method = arg;
	int err;

	++got.heads;
	err = mbuf_printf(mb, "From: <sip:us@here>;tag=f\r\n"
			  "To: <sip:them@there>\r\nCall-ID: the-call\r\n"
			  "CSeq: %u %s\r\nContact: ", ++got.cseq, method);
	if (!err)
		err = leg_contact(mb, tg->leg, tg->tp, "us", false);
	if (!err)
		err = mbuf_printf(mb, "\r\n%s", got.extra ? got.extra : "");

	return err;
}


static void resp_h(bool final, const struct sip_result *res,
		   const struct sip_msg *msg, void *arg)
{
	(void)arg;

	assert_false(got.in_call);

	if (!final) {
		++got.provs;
		got.prov_code = res->code;
		assert_non_null(msg);
		if (got.free_on_prov)
			got.r = mem_deref(got.r);
		return;
	}

	++got.finals;
	got.res = *res;
	got.msg = msg != NULL;
	if (got.free_on_final)
		got.r = mem_deref(got.r);
}


static int setup(void **state)
{
	memset(&got, 0, sizeof(got));

	return wire_setup(state) || peer_alloc(&p) || peer_alloc(&p2);
}


static int teardown(void **state)
{
	got.r = mem_deref(got.r);
	p = mem_deref(p);
	p2 = mem_deref(p2);

	return wire_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void start_conf(struct request_conf *conf, const char *method)
{
	conf->method = method;
	conf->uri = "sip:them@there";
	if (!conf->hop)
		conf->hop = peer_uri(p);

	got.in_call = true;
	assert_int_equal(request_send(&got.r, stack, conf, head_h, resp_h,
				      (void *)method), 0);
	got.in_call = false;
}


static void start(const char *method)
{
	struct request_conf conf = {0};

	start_conf(&conf, method);
}


static const struct sip_msg *expect(struct peer *peer, const char *what)
{
	const struct sip_msg *msg = peer_wait(peer, what, WAIT_MS);

	assert_non_null(msg);

	return msg;
}


static bool is_final(void *arg)
{
	(void)arg;

	return got.finals > 0;
}


static bool is_prov(void *arg)
{
	(void)arg;

	return got.provs > 0;
}


static void assert_end(enum sip_cause cause, uint16_t code)
{
	assert_true(loop_until(is_final, NULL, WAIT_MS));
	assert_string_equal(sip_cause_name(got.res.cause),
			    sip_cause_name(cause));
	assert_int_equal(got.res.code, code);
	loop_run(5);
	assert_int_equal(got.finals, 1);
	assert_true(list_isempty(&stack->reqs));
}


static void test_plain(void **state)
{
	struct request_conf conf = {.ctype = "text/plain"};
	const struct sip_msg *req;
	const struct target *tg;
	struct mbuf *body = mbuf_alloc(16);
	(void)state;

	(void)mbuf_write_str(body, "xxhello");
	body->pos = 2;
	conf.body = body;
	start_conf(&conf, "OPTIONS");
	mem_deref(body);

	req = expect(p, "OPTIONS");
	assert_string_equal(msg_ruri(req), "sip:them@there");
	assert_string_equal(msg_header(req, "Max-Forwards"), "70");
	assert_string_equal(msg_header(req, "User-Agent"), "test");
	assert_string_equal(msg_header(req, "Content-Type"), "text/plain");
	assert_string_equal(msg_header(req, "Content-Length"), "5");
	assert_string_equal(msg_body(req), "hello");
	assert_non_null(strstr(msg_header(req, "Via"), ";rport"));

	tg = request_target(got.r);
	assert_non_null(tg);
	assert_true(sa_cmp(&tg->dst, peer_addr(p), SA_ALL));

	peer_reply(p, req, 100, "", "", NULL);
	peer_reply(p, req, 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_string_equal(got.res.reason, "Peer says so");
	assert_true(got.msg && got.res.remote);
	assert_int_equal(got.provs, 1);
	assert_int_equal(got.prov_code, 100);
}


static void test_status(void **state)
{
	(void)state;

	start("OPTIONS");
	peer_reply(p, expect(p, "OPTIONS"), 480, "t",
		   "Retry-After: 17 (soon)\r\n", NULL);
	assert_end(SIP_CAUSE_STATUS, 480);
	assert_int_equal(got.res.retry_after_s, 17);
}


static struct digest *digest_new(const char *password)
{
	struct sip_creds *creds = NULL;
	struct digest *d = NULL;

	assert_int_equal(sip_creds_alloc(&creds, "us", password, NULL), 0);
	assert_int_equal(digest_alloc(&d, creds), 0);
	mem_deref(creds);

	return d;
}


#define CHALLENGE(nonce) "WWW-Authenticate: Digest realm=\"r\", " \
	"qop=\"auth\", nonce=\"" nonce "\"\r\n"


static void test_digest(void **state)
{
	struct request_conf conf = {.digest = digest_new("pw")};
	const struct sip_msg *first, *second;
	char branch[64];
	(void)state;

	start_conf(&conf, "INVITE");
	first = expect(p, "INVITE");
	(void)pl_strcpy(&first->via.branch, branch, sizeof(branch));
	peer_reply(p, first, 401, "t", CHALLENGE("n1"), NULL);
	(void)expect(p, "ACK");

	second = expect(p, "INVITE");
	assert_int_not_equal(pl_strcmp(&second->via.branch, branch), 0);
	assert_int_equal(second->cseq.num, first->cseq.num + 1);
	assert_string_equal(msg_header(second, "Call-ID"), "the-call");
	assert_non_null(strstr(msg_header(second, "Authorization"),
			       "nonce=\"n1\""));
	peer_reply(p, second, 180, "t", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	peer_reply(p, second, 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_int_equal(got.provs, 1);
	mem_deref(conf.digest);
}


static void test_digest_refused(void **state)
{
	struct request_conf conf = {.digest = digest_new("wrong")};
	(void)state;

	start_conf(&conf, "OPTIONS");
	peer_reply(p, expect(p, "OPTIONS"), 401, "t", CHALLENGE("n1"), NULL);
	peer_reply(p, expect(p, "OPTIONS"), 401, "t", CHALLENGE("n2"), NULL);
	assert_end(SIP_CAUSE_AUTH, 401);
	assert_int_equal(got.res.err, EAUTH);
	assert_int_equal(peer_count(p, "OPTIONS"), 0);
	mem_deref(conf.digest);
}


static void test_digest_loop(void **state)
{
	struct request_conf conf = {.digest = digest_new("pw")};
	unsigned i;
	(void)state;

	/* a server that finds every nonce too old */
	start_conf(&conf, "OPTIONS");
	for (i = 0; i < 5; i++)
		peer_reply(p, expect(p, "OPTIONS"), 401, "t",
			   "WWW-Authenticate: Digest realm=\"r\", "
			   "nonce=\"n\", stale=true\r\n", NULL);
	assert_end(SIP_CAUSE_AUTH, 401);
	assert_int_equal(got.res.err, ELOOP);
	assert_int_equal(got.heads, 5);
	mem_deref(conf.digest);
}


static void test_digest_none(void **state)
{
	struct request_conf conf = {.digest = digest_new("pw")};
	(void)state;

	start_conf(&conf, "OPTIONS");
	peer_reply(p, expect(p, "OPTIONS"), 407, "t",
		   "Proxy-Authenticate: Basic realm=\"r\"\r\n", NULL);
	assert_end(SIP_CAUSE_AUTH, 407);
	assert_int_equal(got.res.err, ENOTSUP);
	mem_deref(conf.digest);
	got.r = mem_deref(got.r);

	memset(&got, 0, sizeof(got));
	start("OPTIONS");
	peer_reply(p, expect(p, "OPTIONS"), 401, "t", CHALLENGE("n"), NULL);
	assert_end(SIP_CAUSE_AUTH, 401);
	assert_int_equal(got.res.err, EACCES);
}


static void target_set(struct target_list *tl, unsigned i,
		       enum sip_transp tp, const struct sa *dst)
{
	tl->v[i].tp = tp;
	tl->v[i].dst = *dst;
	tl->v[i].leg = list_ledata(stack->legl.head);
	tl->n = i + 1;
}


static void test_failover(void **state)
{
	struct target_list tl = {.n = 0};
	struct request_conf conf = {.targets = &tl};
	struct sa closed = *peer_addr(p);
	(void)state;

	/* a TCP port nobody listens on, then one that is busy, then one */
	target_set(&tl, 0, SIP_TRANSP_TCP, &closed);
	target_set(&tl, 1, SIP_TRANSP_UDP, peer_addr(p2));
	target_set(&tl, 2, SIP_TRANSP_UDP, peer_addr(p));
	start_conf(&conf, "INVITE");

	peer_reply(p2, expect(p2, "INVITE"), 503, "t", "", NULL);
	peer_reply(p, expect(p, "INVITE"), 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_true(sa_cmp(&request_target(got.r)->dst, peer_addr(p),
			   SA_ALL));
	assert_int_equal(got.provs, 0);
}


static void test_transport(void **state)
{
	struct target_list tl = {.n = 0};
	struct request_conf conf = {.targets = &tl};
	(void)state;

	target_set(&tl, 0, SIP_TRANSP_TCP, peer_addr(p));
	start_conf(&conf, "OPTIONS");
	assert_end(SIP_CAUSE_TRANSPORT, 0);
	assert_int_equal(got.res.err, ECONNREFUSED);
	assert_true(*got.res.reason);
	assert_false(got.msg || got.res.remote);
}


static void test_503_last(void **state)
{
	(void)state;

	start("OPTIONS");
	peer_reply(p, expect(p, "OPTIONS"), 503, "t", "", NULL);
	assert_end(SIP_CAUSE_STATUS, 503);
}


static void test_timeout(void **state)
{
	struct request_conf conf = {.timeout_ms = 60};
	(void)state;

	start_conf(&conf, "OPTIONS");
	(void)expect(p, "OPTIONS");
	assert_end(SIP_CAUSE_TIMEOUT, 0);
	assert_int_equal(got.res.err, ETIMEDOUT);
}


/* Once it rings, an INVITE has all the time its user gives it */
static void test_invite_rings_on(void **state)
{
	struct request_conf conf = {.timeout_ms = 60};
	const struct sip_msg *req;
	(void)state;

	start_conf(&conf, "INVITE");
	req = expect(p, "INVITE");
	peer_reply(p, req, 180, "t", "", NULL);
	loop_run(120);
	assert_int_equal(got.finals, 0);
	peer_reply(p, req, 486, "t", "", NULL);
	(void)expect(p, "ACK");
	assert_end(SIP_CAUSE_STATUS, 486);
}


static void test_resolve(void **state)
{
	struct request_conf conf = {.hop = "sip:them@[::1]"};
	(void)state;

	start_conf(&conf, "OPTIONS");
	assert_null(request_target(got.r));
	assert_end(SIP_CAUSE_TRANSPORT, 0);
	got.r = mem_deref(got.r);

	memset(&got, 0, sizeof(got));
	conf.hop = "sips:them@127.0.0.1;transport=udp";
	start_conf(&conf, "OPTIONS");
	assert_end(SIP_CAUSE_LOCAL, 0);
}


static void test_cancel_early(void **state)
{
	const struct sip_msg *req;
	(void)state;

	/* before any 1xx there is nothing to cancel yet */
	start("INVITE");
	req = expect(p, "INVITE");
	request_cancel(got.r);
	request_cancel(got.r);
	loop_run(QUIET_MS);
	assert_int_equal(peer_count(p, "CANCEL"), 0);

	peer_reply(p, req, 180, "t", "", NULL);
	peer_reply(p, expect(p, "CANCEL"), 200, "t", "", NULL);
	peer_reply(p, req, 487, "t", "", NULL);
	(void)expect(p, "ACK");
	assert_end(SIP_CAUSE_CANCELLED, 487);
	assert_int_equal(peer_count(p, "CANCEL"), 0);
}


static void test_cancel_races(void **state)
{
	const struct sip_msg *req;
	(void)state;

	/* it was answered meanwhile: that is told */
	start("INVITE");
	req = expect(p, "INVITE");
	peer_reply(p, req, 180, "t", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	request_cancel(got.r);
	(void)expect(p, "CANCEL");
	peer_reply(p, req, 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
}


/* Cancelled, it neither tries again nor elsewhere */
static void test_cancel_no_retry(void **state)
{
	struct target_list tl = {.n = 0};
	struct request_conf conf = {.targets = &tl,
				    .digest = digest_new("pw")};
	const struct sip_msg *req;
	(void)state;

	target_set(&tl, 0, SIP_TRANSP_UDP, peer_addr(p));
	target_set(&tl, 1, SIP_TRANSP_UDP, peer_addr(p2));
	start_conf(&conf, "INVITE");
	req = expect(p, "INVITE");
	peer_reply(p, req, 100, "", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	request_cancel(got.r);
	(void)expect(p, "CANCEL");
	peer_reply(p, req, 401, "t", CHALLENGE("n"), NULL);
	assert_end(SIP_CAUSE_STATUS, 401);
	assert_int_equal(peer_count(p, "INVITE"), 0);
	assert_int_equal(peer_count(p2, "INVITE"), 0);
	mem_deref(conf.digest);
}


static void test_freed(void **state)
{
	const struct sip_msg *req;
	(void)state;

	/* letting go of an INVITE cancels it, and nothing is told */
	start("INVITE");
	req = expect(p, "INVITE");
	peer_reply(p, req, 100, "", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	got.r = mem_deref(got.r);
	(void)expect(p, "CANCEL");
	peer_reply(p, req, 487, "t", "", NULL);
	(void)expect(p, "ACK");
	assert_int_equal(got.finals, 0);

	/* inside its handlers */
	got.provs = 0;
	got.free_on_prov = true;
	start("INVITE");
	req = expect(p, "INVITE");
	peer_reply(p, req, 180, "t", "", NULL);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));
	assert_null(got.r);
	(void)expect(p, "CANCEL");
	peer_reply(p, req, 487, "t", "", NULL);
	(void)expect(p, "ACK");
	assert_int_equal(got.finals, 0);

	got.free_on_final = true;
	start("OPTIONS");
	peer_reply(p, expect(p, "OPTIONS"), 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_null(got.r);
}


static void forge(const struct sip_msg *req, const char *more,
		  const char *callid, uint32_t cseq, unsigned code)
{
	char text[1200];

	(void)re_snprintf(text, sizeof(text), "SIP/2.0 %u x\r\n"
			  "Via: %r\r\n%sFrom: <sip:us@here>;tag=f\r\n"
			  "To: <sip:them@there>;tag=x\r\nCall-ID: %s\r\n"
			  "CSeq: %u INVITE\r\nContent-Length: 0\r\n\r\n",
			  code, &req->via.val, more, callid, cseq);
	peer_send(p, &req->src, text, strlen(text));
}


/* What does not fit is not an answer */
static void test_forged(void **state)
{
	const struct sip_msg *req;
	(void)state;

	start("INVITE");
	req = expect(p, "INVITE");
	forge(req, "", "thx-call", req->cseq.num, 180);
	forge(req, "", "the-call", req->cseq.num + 1, 180);
	forge(req, "Via: SIP/2.0/UDP a;branch=z9hG4bKa\r\n", "the-call",
	      req->cseq.num, 180);
	forge(req, "Call-ID: the-call\r\n", "the-call", req->cseq.num, 180);
	loop_run(QUIET_MS);
	assert_int_equal(got.provs, 0);
	assert_int_equal(stack->stats.discarded, 4);

	forge(req, "", "the-call", req->cseq.num, 180);
	assert_true(loop_until(is_prov, NULL, WAIT_MS));

	forge(req, "", "thx-call", req->cseq.num, 200);
	assert_end(SIP_CAUSE_PROTOCOL, 0);
}


/* Too large for UDP: TCP first, and back when that is refused */
static void test_large(void **state)
{
	char line[1300];
	struct wire *t;
	char uri[80];
	struct request_conf conf = {.hop = uri};
	const struct sip_msg *req;
	(void)state;

	memset(line, 'x', sizeof(line));
	memcpy(line, "X-Long: ", 8);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	got.extra = line;

	/* the peer has no TCP */
	conf.hop = NULL;
	start_conf(&conf, "OPTIONS");
	req = expect(p, "OPTIONS");
	assert_int_equal(got.heads, 3);
	assert_non_null(strstr(msg_header(req, "Via"), "SIP/2.0/UDP"));
	assert_null(strstr(msg_header(req, "Contact"), "tcp"));
	peer_reply(p, req, 200, "t", "", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	got.r = mem_deref(got.r);

	/* this one has */
	memset(&got, 0, sizeof(got));
	got.extra = line;
	assert_int_equal(wire_listen(&t), 0);
	(void)re_snprintf(uri, sizeof(uri), "sip:%J", wire_addr(t));
	conf.hop = uri;
	start_conf(&conf, "OPTIONS");
	assert_non_null(wire_wait(t, "\r\n\r\n"));
	assert_non_null(strstr(wire_text(t), "Via: SIP/2.0/TCP "));
	assert_non_null(strstr(wire_text(t), ";transport=tcp>"));
	got.r = mem_deref(got.r);
	mem_deref(t);

	/* who asks for UDP gets UDP */
	memset(&got, 0, sizeof(got));
	got.extra = line;
	conf.hop = NULL;
	conf.transport = "udp";
	start_conf(&conf, "OPTIONS");
	(void)expect(p, "OPTIONS");
	assert_int_equal(got.heads, 1);
}


static void test_stack_gone(void **state)
{
	(void)state;

	start("INVITE");
	(void)expect(p, "INVITE");
	stack = mem_deref(stack);
	loop_run(QUIET_MS);
	assert_int_equal(got.finals, 0);
	request_cancel(got.r);
}


/* The public face ---------------------------------------------------------- */

static struct {
	unsigned n;
	struct sip_result res;
	char agent[128];
} pub;


static void req_h(const struct sip_result *res, const struct sip_info *in,
		  void *arg)
{
	(void)arg;
	++pub.n;
	++got.finals;
	got.res = pub.res = *res;
	if (in)
		(void)snprintf(pub.agent, sizeof(pub.agent), "%s",
			       in->user_agent);
}


static void test_public(void **state)
{
	char route[80];
	struct sip_req_conf conf = {
		.method = "OPTIONS", .uri = "sip:bob@there.example",
		.headers = "X-One: 1\r\n",
	};
	struct sip_creds *creds = NULL;
	const struct sip_msg *req;
	struct sip_req *q = NULL;
	(void)state;

	(void)re_snprintf(route, sizeof(route), "sip:%J", peer_addr(p));
	assert_int_equal(sip_creds_alloc(&creds, "al", "pw", NULL), 0);
	conf.ident = ident_make(.aor = "sip:al@here.example",
				.name = "Al \"X\"", .routev = {route},
				.headers = "X-Mine: 2\r\n", .creds = creds);
	assert_int_equal(sip_req_send(&q, stack, &conf, req_h, NULL), 0);

	req = expect(p, "OPTIONS");
	assert_string_equal(msg_ruri(req), "sip:bob@there.example");
	assert_string_equal(msg_header(req, "To"), "<sip:bob@there.example>");
	assert_non_null(strstr(msg_header(req, "From"),
			       "\"Al \\\"X\\\"\" <sip:al@here.example>;tag="));
	assert_non_null(strstr(msg_header(req, "Route"), ";lr>"));
	assert_non_null(strstr(msg_header(req, "Contact"), "<sip:al@127."));
	assert_string_equal(msg_header(req, "X-One"), "1");
	assert_string_equal(msg_header(req, "X-Mine"), "2");
	peer_reply(p, req, 407, "t", "Proxy-Authenticate: Digest realm=\"r\","
		   " nonce=\"n\"\r\n", NULL);

	req = expect(p, "OPTIONS");
	assert_non_null(strstr(msg_header(req, "Proxy-Authorization"),
			       "username=\"al\""));
	peer_reply(p, req, 200, "t", "Server: theirs\r\n", NULL);
	assert_end(SIP_CAUSE_NONE, 200);
	assert_string_equal(pub.agent, "theirs");
	mem_deref(q);
	mem_deref(conf.ident);
	mem_deref(creds);
}


static void test_public_bad(void **state)
{
	struct sip_ident *us = ident_make(.aor = "sip:c@d");
	const struct sip_req_conf v[] = {
		{.method = "INVITE", .uri = "sip:a@b", .ident = us},
		{.method = "A B", .uri = "sip:a@b", .ident = us},
		{.method = "", .uri = "sip:a@b", .ident = us},
		{.method = "INFO", .uri = "sip:a b", .ident = us},
		{.method = "INFO", .uri = "sip:a@b"},
		{.method = "INFO", .uri = "sip:a@b", .ident = us,
		 .headers = "X: 1\r\n\r\nINVITE"},
		{.method = "INFO", .uri = "sip:a@b", .ident = us,
		 .ctype = "a/b\r\nX: y", .body = "b"},
	};
	struct sip_req *q = NULL;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		if (sip_req_send(&q, stack, &v[i], req_h, NULL) != EINVAL)
			fail_msg("taken: %zu", i);
	}
	assert_null(q);
	mem_deref(us);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain),
		TEST(test_status),
		TEST(test_digest),
		TEST(test_digest_refused),
		TEST(test_digest_loop),
		TEST(test_digest_none),
		TEST(test_failover),
		TEST(test_transport),
		TEST(test_503_last),
		TEST(test_timeout),
		TEST(test_invite_rings_on),
		TEST(test_resolve),
		TEST(test_cancel_early),
		TEST(test_cancel_races),
		TEST(test_cancel_no_retry),
		TEST(test_freed),
		TEST(test_forged),
		TEST(test_large),
		TEST(test_stack_gone),
		TEST(test_public),
		TEST(test_public_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
