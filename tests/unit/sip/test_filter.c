/**
 * @file test_filter.c  What strangers may send, and who they are
 */
#include "wire.h"
#include "filter.h"
#include "ident.h"
#include "../../fake/ident.h"


static struct sip_guard guard;
static unsigned asked, calls;


static void guard_h(const struct sip_info *in, struct sip_guard *g, void *arg)
{
	(void)in;
	(void)arg;

	++asked;
	*g = guard;
}


static int invite_h(struct sip_call *call, const struct sip_info *in,
		    struct mbuf *offer, void *arg)
{
	(void)call;
	(void)in;
	(void)offer;
	(void)arg;

	++calls;

	return 486;
}


static int setup(void **state)
{
	memset(&guard, 0, sizeof(guard));
	asked = calls = 0;
	stack_h.guard_h = guard_h;
	stack_h.invite_h = invite_h;

	return wire_setup(state);
}


/* "INVITE" with these lines. @return the status, 0 none */
static unsigned status(struct wire *w, const char *more)
{
	char lines[2048];

	(void)snprintf(lines, sizeof(lines), "Contact: <sip:al@127.0.0.1>\r\n"
		       "%s", more);

	return request_status(w, "INVITE sip:us@there.example SIP/2.0", lines,
			      "");
}


static void test_guard(void **state)
{
	struct wire *w;
	(void)state;

	assert_int_equal(wire_alloc(&w, false), 0);
	assert_int_equal(status(w, ""), 486);
	assert_int_equal(calls, 1);
	assert_int_equal(asked, 1);

	guard.status = 403;
	assert_int_equal(status(w, ""), 403);
	assert_int_equal(calls, 1);

	/* what harms nobody is not asked about */
	assert_int_equal(request_status(w, "OPTIONS sip:us@h SIP/2.0", "",
					""), 200);
	assert_int_equal(asked, 2);
	mem_deref(w);
}


static void test_origin(void **state)
{
	struct wire *w;
	(void)state;

	assert_int_equal(wire_alloc(&w, false), 0);
	guard.ident = ident_make(.aor = "sip:us@there.example");
	guard.origin = true;
	assert_int_equal(status(w, ""), 403);

	guard.ident->flowv[0].addr = *wire_addr(w);
	assert_int_equal(status(w, ""), 486);
	mem_deref(guard.ident);

	/* a server that is given as an address is known without asking */
	guard.ident = ident_make(.aor = "sip:us@there.example",
				 .routev = {"sip:127.0.0.1:9"});
	assert_int_equal(status(w, ""), 486);
	mem_deref(guard.ident);
	mem_deref(w);
}


/* The Authorization line that answers the 401 that came. user: whose */
static const char *answer(struct wire *w, const char *method,
			  const char *user, const char *password,
			  const char *only)
{
	static char line[1024];
	struct sip_creds *creds = NULL;
	struct digest *d = NULL;
	struct sip_msg *msg = NULL;
	struct mbuf *mb = mbuf_alloc(2048), *out = mbuf_alloc(512);
	char *text = strdup(wire_text(w)), *p;

	/* as an old phone sees it, that knows one of them only */
	for (p = text; only && (p = strstr(p, "WWW-Authenticate")); p++) {
		if (!strstr(p, only) || strstr(p, only) > strchr(p, '\r'))
			memcpy(p, "Old", 3);
	}

	(void)mbuf_write_str(mb, text);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	assert_int_equal(sip_creds_alloc(&creds, user, password, NULL), 0);
	assert_int_equal(digest_alloc(&d, creds), 0);
	assert_int_equal(digest_challenge(d, msg), 0);
	assert_int_equal(digest_write(d, out, method, "sip:us@there.example",
				      NULL, 0), 0);
	assert_true(out->end < sizeof(line));
	memcpy(line, out->buf, out->end);
	line[out->end] = '\0';

	free(text);
	mem_deref(mb);
	mem_deref(out);
	mem_deref(msg);
	mem_deref(d);
	mem_deref(creds);

	return line;
}


/* In one Call-ID, as an honest caller does */
static unsigned again(struct wire *w, const char *auth)
{
	char lines[1400];

	(void)snprintf(lines, sizeof(lines), "Call-ID: mine\r\n%s", auth);

	return status(w, lines);
}


static void test_proof(void **state)
{
	const char *auth;
	char kept[1024];
	struct wire *w;
	(void)state;

	assert_int_equal(wire_alloc(&w, false), 0);
	assert_int_equal(sip_creds_alloc(&guard.creds, "al\"i", "secret",
					 NULL), 0);
	guard.realm = "there.example";

	assert_int_equal(again(w, ""), 401);
	assert_non_null(strstr(wire_text(w), "WWW-Authenticate: Digest realm="
			       "\"there.example\", nonce=\""));
	assert_null(strstr(wire_text(w), "stale"));
	/* the strong one first */
	assert_true(strstr(wire_text(w), "algorithm=SHA-256") <
		    strstr(wire_text(w), "algorithm=MD5"));

	auth = answer(w, "INVITE", "al\"i", "secret", NULL);
	assert_non_null(strstr(auth, "algorithm=SHA-256"));
	(void)snprintf(kept, sizeof(kept), "%s", auth);
	assert_int_equal(again(w, auth), 486);
	assert_int_equal(calls, 1);

	/* a copy of it, and its use in another call */
	assert_int_equal(again(w, kept), 401);
	assert_non_null(strstr(wire_text(w), "stale=true"));
	assert_int_equal(status(w, kept), 401);

	assert_int_equal(again(w, ""), 401);
	auth = answer(w, "INVITE", "al\"i", "secret", "MD5");
	assert_non_null(strstr(auth, "algorithm=MD5"));
	assert_int_equal(again(w, auth), 486);

	/* other people */
	assert_int_equal(again(w, ""), 401);
	assert_int_equal(again(w, answer(w, "INVITE", "al\"i", "Secret",
					 NULL)), 401);
	assert_null(strstr(wire_text(w), "stale"));
	assert_int_equal(again(w, answer(w, "INVITE", "ali", "secret", NULL)),
			 401);
	assert_int_equal(again(w, answer(w, "BYE", "al\"i", "secret", NULL)),
			 401);
	assert_int_equal(calls, 2);
	mem_deref(guard.creds);
	mem_deref(w);
}


static void test_old_nonce(void **state)
{
	const struct {
		uint64_t ms;
		enum auth_verdict v;
	} v[] = {
		{1000000, AUTH_GOOD}, {1059000, AUTH_GOOD},
		{1061000, AUTH_STALE}, {999000, AUTH_STALE},
	};
	struct sip_creds *creds = NULL;
	struct nonces n;
	struct sip_msg *msg = NULL;
	struct mbuf *mb;
	char *lines = NULL;
	size_t i;
	(void)state;

	assert_int_equal(sip_creds_alloc(&creds, "al", "pw", NULL), 0);

	for (i = 0; i < COUNTOF(v); i++) {
		struct digest *d = NULL;

		memset(&n, 0, sizeof(n));

		/* the challenge as a response, and the request that answers */
		mb = mbuf_alloc(1024);
		(void)mbuf_write_str(mb, "INVITE sip:b@h SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
			"Call-ID: c\r\n\r\n");
		mb->pos = 0;
		assert_int_equal(sip_msg_decode(&msg, mb), 0);
		assert_int_equal(auth_challenge(&lines, &n, creds, "r", msg,
						false, 1000000), 0);
		mem_deref(msg);
		mem_deref(mb);

		mb = mbuf_alloc(1024);
		(void)mbuf_printf(mb, "SIP/2.0 401 x\r\n"
			"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
			"Call-ID: c\r\nCSeq: 1 INVITE\r\n%s\r\n", lines);
		mb->pos = 0;
		assert_int_equal(sip_msg_decode(&msg, mb), 0);
		assert_int_equal(digest_alloc(&d, creds), 0);
		assert_int_equal(digest_challenge(d, msg), 0);
		mem_deref(msg);
		mem_deref(mb);
		lines = mem_deref(lines);

		mb = mbuf_alloc(1024);
		(void)mbuf_write_str(mb, "INVITE sip:b@h SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\n"
			"Call-ID: c\r\n");
		assert_int_equal(digest_write(d, mb, "INVITE", "sip:b@h",
					      NULL, 0), 0);
		(void)mbuf_write_str(mb, "\r\n");
		mb->pos = 0;
		assert_int_equal(sip_msg_decode(&msg, mb), 0);
		assert_int_equal(auth_check(&n, msg, creds, "r", v[i].ms),
				 v[i].v);
		assert_int_equal(auth_check(&n, msg, creds, "q", v[i].ms),
				 AUTH_NONE);

		/* another phone's key */
		if (v[i].v == AUTH_GOOD) {
			memset(n.key, 7, sizeof(n.key));
			memset(n.usedv, 0, sizeof(n.usedv));
			assert_int_equal(auth_check(&n, msg, creds, "r",
						    v[i].ms), AUTH_STALE);
		}
		mem_deref(msg);
		mem_deref(mb);
		mem_deref(d);
	}

	mem_deref(creds);
}


/* Whatever stands there: no good, and no harm */
static void test_malformed(void **state)
{
#define USUAL "username=\"al\", realm=\"r\", nonce=\"n\", uri=\"sip:b@h\", " \
	"response=\"00\""
	static const struct {
		const char *text;
		bool ok;
	} v[] = {
		{"Digest " USUAL, true},
		{"digest " USUAL ", qop=auth, nc=00000001, cnonce=\"x\"",
		 true},
		{"Digest " USUAL ", algorithm=SHA-999", true},
		{"Digest username=al,realm=r,nonce=n,uri=sip:h,response=0",
		 true},
		{"Basic " USUAL, false},
		{"Digest", false},
		{"Digest " USUAL ", realm=\"q\"", false},
		{"Digest " USUAL ", x", false},
		{"Digest " USUAL ", x=\"", false},
		{"Digest realm=\"r\"", false},
		{"", false},
	};
	struct authorization a;
	struct pl pl;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		pl_set_str(&pl, v[i].text);
		if (authorization_parse(&a, &pl) != v[i].ok)
			fail_msg("%s", v[i].text);
	}

	pl_set_str(&pl, "Digest " USUAL ", nc=1, qop=auth");
	assert_true(authorization_parse(&a, &pl));
	assert_int_equal(a.nc, 0);
	pl_set_str(&pl, "Digest " USUAL ", nc=0000000F");
	assert_true(authorization_parse(&a, &pl));
	assert_int_equal(a.nc, 15);
}


static void test_buckets(void **state)
{
	struct buckets *b = mem_zalloc(sizeof(*b), NULL);
	uint64_t now = 1000000;
	struct sa one, two, v6, same64, other64;
	unsigned i;
	(void)state;

	b->key = 12345;
	(void)sa_set_str(&one, "192.0.2.1", 1000);
	(void)sa_set_str(&two, "192.0.2.2", 1000);

	/* a burst, then one a second at 60 a minute */
	for (i = 0; i < 15; i++)
		assert_int_equal(bucket_take(b, &one, 60, now), BUCKET_FINE);
	assert_int_equal(bucket_take(b, &one, 60, now), BUCKET_FIRST_OVER);
	sa_set_port(&one, 2000);
	assert_int_equal(bucket_take(b, &one, 60, now), BUCKET_OVER);
	assert_int_equal(bucket_take(b, &two, 60, now), BUCKET_FINE);
	now += 999;
	assert_int_equal(bucket_take(b, &one, 60, now), BUCKET_OVER);
	now += 1;
	assert_int_equal(bucket_take(b, &one, 60, now), BUCKET_FINE);
	assert_int_equal(bucket_take(b, &one, 60, now), BUCKET_FIRST_OVER);

	/* no more than the burst is saved up; the clock never goes back */
	now += 3600000;
	for (i = 0; i < 15; i++)
		assert_int_equal(bucket_take(b, &one, 60, now), BUCKET_FINE);
	assert_int_not_equal(bucket_take(b, &one, 60, now - 5000),
			     BUCKET_FINE);

	/* who has a whole /64 is one */
	(void)sa_set_str(&v6, "2001:db8::1", 1);
	(void)sa_set_str(&same64, "2001:db8::2", 1);
	(void)sa_set_str(&other64, "2001:db8:0:1::1", 1);
	for (i = 0; i < 10; i++)
		assert_int_equal(bucket_take(b, &v6, 6, now), BUCKET_FINE);
	assert_int_not_equal(bucket_take(b, &same64, 6, now), BUCKET_FINE);
	assert_int_equal(bucket_take(b, &other64, 6, now), BUCKET_FINE);

	/* a flood of addresses: the table stays what it is */
	for (i = 0; i < 100000; i++) {
		sa_set_in(&two, 0x0a000000 + i, 1);
		(void)bucket_take(b, &two, 60, now);
	}
	mem_deref(b);
}


/* Nobody on this machine is a stranger */
static void test_limit(void **state)
{
	struct wire *w;
	unsigned i;
	(void)state;

	assert_int_equal(sip_stack_limit(NULL, 1), EINVAL);
	assert_int_equal(sip_stack_limit(stack, 1), 0);
	assert_int_equal(wire_alloc(&w, false), 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(status(w, ""), 486);
	mem_deref(w);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, wire_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_guard),
		TEST(test_origin),
		TEST(test_proof),
		cmocka_unit_test(test_old_nonce),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_buckets),
		TEST(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
