/**
 * @file test_digest.c  Digest: the RFCs' own examples, challenge lists, nonces
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <ctype.h>
#include <cmocka.h>
#include "priv.h"
#include "digest.h"


static void test_vectors(void **state)
{
	/* RFC 2617 3.5 and RFC 7616 3.9.1 */
	static const struct {
		enum digest_algo algo;
		const char *password, *realm, *nonce, *cnonce, *response;
	} v[] = {
		{DIGEST_MD5, "Circle Of Life", "testrealm@host.com",
		 "dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b",
		 "6629fae49393a05397450978507c4ef1"},
		{DIGEST_MD5, "Circle of Life", "http-auth@example.org",
		 "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		 "8ca523f5e9506fed4657c9700eebdbec"},
		{DIGEST_SHA256, "Circle of Life", "http-auth@example.org",
		 "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		 "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5"
		 "856cb6c1"},
	};
	char out[DIGEST_HEX_SIZE];
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		const struct digest_input in = {
			.algo = v[i].algo, .user = "Mufasa",
			.password = v[i].password, .realm = v[i].realm,
			.nonce = v[i].nonce, .cnonce = v[i].cnonce,
			.qop = "auth", .nc = 1, .method = "GET",
			.uri = "/dir/index.html",
		};

		assert_int_equal(digest_response(out, &in), 0);
		assert_string_equal(out, v[i].response);
	}
}


/* RFC 7616 3.9.2: the password is "Secret, or not?", the user not ASCII */
static void test_userhash(void **state)
{
	char out[DIGEST_HEX_SIZE];
	(void)state;

	assert_int_equal(digest_userhash(out, DIGEST_SHA512_256,
					 "J\xc3\xa4s\xc3\xb8n Doe",
					 "api@example.org"), 0);
	assert_string_equal(out, "793263caabb707a56211940d90411ea4a575adeccb"
			    "7e360aeb624ed06ece9b0b");
}


static void hash(char *out, enum digest_algo algo, const char *text)
{
	char *colon, copy[512];

	/* H(user ":" realm) is H of any text with a colon in it */
	(void)snprintf(copy, sizeof(copy), "%s", text);
	colon = strchr(copy, ':');
	*colon = '\0';
	assert_int_equal(digest_userhash(out, algo, copy, colon + 1), 0);
}


/* -sess, auth-int and no qop, step by step as RFC 7616 3.4 writes them */
static void test_forms(void **state)
{
	struct digest_input in = {
		.algo = DIGEST_SHA256, .user = "u", .password = "p",
		.realm = "r", .nonce = "n", .cnonce = "c", .nc = 0x1f,
		.method = "INVITE", .uri = "sip:x", .body = "body:text",
		.bodylen = 9,
	};
	char ha1[DIGEST_HEX_SIZE], ha2[DIGEST_HEX_SIZE], hb[DIGEST_HEX_SIZE];
	char text[512], want[DIGEST_HEX_SIZE], out[DIGEST_HEX_SIZE];
	(void)state;

	hash(ha1, DIGEST_SHA256, "u:r:p");
	hash(ha2, DIGEST_SHA256, "INVITE:sip:x");
	hash(hb, DIGEST_SHA256, "body:text");

	(void)snprintf(text, sizeof(text), "%s:n:%s", ha1, ha2);
	hash(want, DIGEST_SHA256, text);
	assert_int_equal(digest_response(out, &in), 0);
	assert_string_equal(out, want);

	/* an HA1 in place of the password, in any case */
	in.ha1 = ha1;
	in.password = NULL;
	ha1[0] = (char)toupper((unsigned char)ha1[0]);
	assert_int_equal(digest_response(out, &in), 0);
	assert_string_equal(out, want);
	in.ha1 = NULL;
	in.password = "p";
	hash(ha1, DIGEST_SHA256, "u:r:p");

	in.qop = "auth-int";
	(void)snprintf(text, sizeof(text), "INVITE:sip:x:%s", hb);
	hash(ha2, DIGEST_SHA256, text);
	(void)snprintf(text, sizeof(text), "%s:n:0000001f:c:auth-int:%s",
		       ha1, ha2);
	hash(want, DIGEST_SHA256, text);
	assert_int_equal(digest_response(out, &in), 0);
	assert_string_equal(out, want);

	in.sess = true;
	in.qop = "auth";
	(void)snprintf(text, sizeof(text), "%s:n:c", ha1);
	hash(ha1, DIGEST_SHA256, text);
	hash(ha2, DIGEST_SHA256, "INVITE:sip:x");
	(void)snprintf(text, sizeof(text), "%s:n:0000001f:c:auth:%s", ha1,
		       ha2);
	hash(want, DIGEST_SHA256, text);
	assert_int_equal(digest_response(out, &in), 0);
	assert_string_equal(out, want);
}


#define TEXT(s) (&(const struct pl){.p = (s), .l = strlen(s)})


static void test_parse(void **state)
{
	struct challenge v[8];
	(void)state;

	/* a quoted comma, an unknown scheme, two of ours in one value */
	assert_int_equal(challenge_parse(v, 8, TEXT(
		"Basic realm=\"a, b\", Nobody x==, "
		"Digest realm=\"one, two\" , nonce=\"n\\\"1\", "
		"qop=\"auth-int , auth\",algorithm=SHA-256-sess,stale=TRUE,"
		"digest Nonce=\"n2\", REALM=\"r2\",userhash=true, "
		"opaque=\"\", junk=\"a=b,c\"")), 2);
	assert_int_equal(pl_strcmp(&v[0].realm, "one, two"), 0);
	assert_int_equal(pl_strcmp(&v[0].nonce, "n\\\"1"), 0);
	assert_true(v[0].algo == DIGEST_SHA256 && v[0].sess && v[0].stale);
	assert_true(v[0].qop_auth && v[0].qop_int);
	assert_int_equal(pl_strcmp(&v[1].realm, "r2"), 0);
	assert_true(v[1].algo == DIGEST_MD5 && !v[1].sess && !v[1].qop_told);
	assert_true(v[1].userhash && v[1].opaque.p && !v[1].opaque.l);

	/* what cannot be answered */
	assert_int_equal(challenge_parse(v, 8, TEXT(
		"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1")), 0);
	assert_int_equal(challenge_parse(v, 8, TEXT(
		"Digest realm=\"r\", nonce=\"n\", qop=\"token\"")), 0);
	assert_int_equal(challenge_parse(v, 8, TEXT("Digest nonce=\"n\"")), 0);
	assert_int_equal(challenge_parse(v, 8, TEXT("Digest realm=\"n\"")), 0);

	/* what is broken */
	assert_int_equal(challenge_parse(v, 8, TEXT("")), 0);
	assert_int_equal(challenge_parse(v, 8, TEXT("Digest")), 0);
	assert_int_equal(challenge_parse(v, 8, TEXT(
		"Digest realm=\"r\", nonce=\"open")), 0);
	assert_int_equal(challenge_parse(v, 8, TEXT(
		"Digest realm=\"r\", nonce=\"a\", nonce=\"b\"")), 0);
	assert_int_equal(challenge_parse(v, 8, TEXT(
		"Digest realm=\"r\r\nX: y\", nonce=\"a\"")), 0);
	assert_int_equal(challenge_parse(v, 8, TEXT(
		"Digest realm=a\"b, nonce=\"a\"")), 0);

	/* no more than there is room for */
	assert_int_equal(challenge_parse(v, 1, TEXT(
		"Digest realm=\"a\", nonce=\"1\", "
		"Digest realm=\"b\", nonce=\"1\"")), 1);
}


static struct sip_msg *response(unsigned code, const char *headers)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg = NULL;

	(void)mbuf_printf(mb, "SIP/2.0 %u x\r\nCSeq: 1 INVITE\r\n%s\r\n",
			  code, headers);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	mem_deref(mb);

	return msg;
}


static int challenge(struct digest *d, const char *headers)
{
	struct sip_msg *msg = response(401, headers);
	int err = digest_challenge(d, msg);

	mem_deref(msg);

	return err;
}


static void accepted(struct digest *d, const char *headers)
{
	struct sip_msg *msg = response(200, headers);

	digest_accepted(d, msg);
	mem_deref(msg);
}


/* What would be sent now; lives until the next call */
static const char *lines(struct digest *d)
{
	static char buf[4096];
	struct mbuf *mb = mbuf_alloc(64);

	assert_int_equal(digest_write(d, mb, "INVITE", "sip:b@h", "v=0", 3),
			 0);
	assert_true(mb->end < sizeof(buf));
	memcpy(buf, mb->buf, mb->end);
	buf[mb->end] = '\0';
	mem_deref(mb);

	return buf;
}


static struct digest *digest_new(const char *password, const char *ha1)
{
	struct sip_creds *creds = NULL;
	struct digest *d = NULL;

	assert_int_equal(sip_creds_alloc(&creds, "al\"ice", password, ha1),
			 0);
	assert_int_equal(digest_alloc(&d, creds), 0);
	mem_deref(creds);

	return d;
}


static void test_choice(void **state)
{
	struct digest *d = digest_new("p", NULL);
	const char *s;
	(void)state;

	assert_string_equal(lines(d), "");

	/* the strongest of one realm, and one of each realm */
	assert_int_equal(challenge(d,
		"WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", "
		"algorithm=MD5, qop=\"auth\"\r\n"
		"WWW-Authenticate: Digest realm=\"a\", nonce=\"2\", "
		"algorithm=SHA-512-256, qop=\"auth,auth-int\", opaque=\"o\""
		"\r\n"
		"WWW-Authenticate: Digest realm=\"a\", nonce=\"3\", "
		"algorithm=SHA-256\r\n"
		"Proxy-Authenticate: Digest realm=\"a\", nonce=\"4\"\r\n"),
		0);
	s = lines(d);
	assert_non_null(strstr(s, "Authorization: Digest username="
			       "\"al\\\"ice\", realm=\"a\", nonce=\"2\", "
			       "uri=\"sip:b@h\", response=\""));
	assert_non_null(strstr(s, ", algorithm=SHA-512-256, cnonce=\""));
	assert_non_null(strstr(s, ", qop=auth, nc=00000001, opaque=\"o\"\r\n"));
	assert_non_null(strstr(s, "Proxy-Authorization: Digest username="
			       "\"al\\\"ice\", realm=\"a\", nonce=\"4\""));
	assert_null(strstr(s, "nonce=\"1\""));
	assert_null(strstr(s, "nonce=\"3\""));

	/* the count goes up, the client's nonce stays */
	assert_non_null(strstr(lines(d), "nc=00000002"));

	mem_deref(d);
}


static void test_nonces(void **state)
{
	struct digest *d = digest_new("p", NULL);
	(void)state;

#define CH(nonce, more) "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", "\
	"nonce=\"" nonce "\"" more "\r\n"

	assert_int_equal(challenge(d, CH("1", "")), 0);

	/* asked again before anything was sent: still a question */
	assert_int_equal(challenge(d, CH("1", "")), 0);
	(void)lines(d);

	/* refused: the same nonce, or another one */
	assert_int_equal(challenge(d, CH("1", "")), EAUTH);
	assert_int_equal(challenge(d, CH("2", "")), EAUTH);

	/* only too old */
	assert_int_equal(challenge(d, CH("3", ", stale=true")), 0);
	assert_non_null(strstr(lines(d), "nonce=\"3\""));
	assert_non_null(strstr(lines(d), "nc=00000002"));

	/* it was taken once: a new one without stale is tried, but once */
	accepted(d, "");
	assert_int_equal(challenge(d, CH("3", "")), EAUTH);
	assert_int_equal(challenge(d, CH("4", "")), 0);
	assert_non_null(strstr(lines(d), "nonce=\"4\""));
	assert_int_equal(challenge(d, CH("5", "")), EAUTH);

	mem_deref(d);
}


/* RFC 7615: the server names the nonce of the next request */
static void test_next_nonce(void **state)
{
	struct digest *d = digest_new("p", NULL);
	(void)state;

	assert_int_equal(challenge(d, CH("1", "")), 0);

	/* not of a request without credentials */
	accepted(d, "Authentication-Info: nextnonce=\"x\"\r\n");
	assert_non_null(strstr(lines(d), "nonce=\"1\""));
	assert_non_null(strstr(lines(d), "nc=00000002"));

	accepted(d, "Proxy-Authentication-Info: nextnonce=\"x\"\r\n"
		 "Authentication-Info: qop=auth, rspauth=\"a,b\", nextnonce"
		 "=\"2\", nc=00000002\r\n");
	assert_non_null(strstr(lines(d), "nonce=\"2\""));
	assert_non_null(strstr(lines(d), "nc=00000002"));

	/* the same again: the count goes on; nonsense: nothing changes */
	accepted(d, "Authentication-Info: nextnonce=\"2\"\r\n");
	assert_non_null(strstr(lines(d), "nc=00000003"));
	accepted(d, "Authentication-Info: nextnonce=\"\"\r\n"
		 "Authentication-Info: nextnonce\r\n"
		 "Authentication-Info: nextnonce=\"a\" nextnonce=\"b\"\r\n"
		 "Authentication-Info: nextnonce=\"a\", nextnonce=\"b\"\r\n");
	assert_non_null(strstr(lines(d), "nonce=\"2\""));

	/* of two realms: nobody can say whose */
	assert_int_equal(challenge(d, "WWW-Authenticate: Digest realm=\"s\","
				   " nonce=\"7\"\r\n"), 0);
	(void)lines(d);
	accepted(d, "Authentication-Info: nextnonce=\"9\"\r\n");
	assert_null(strstr(lines(d), "nonce=\"9\""));

	mem_deref(d);
}


/* RFC 3261 22.3: of those we call none gets a digest for a realm of his */
static void test_limit(void **state)
{
	struct digest *d = digest_new("p", NULL);
	char *realm = NULL;
	(void)state;

	assert_null(digest_realm(NULL, 0));
	assert_null(digest_realm(d, 0));
	assert_int_equal(str_dup(&realm, "ours"), 0);
	digest_limit(d, &realm, 1);
	mem_deref(realm);

	assert_int_equal(challenge(d, CH("1", "")), ENOTSUP);
	assert_int_equal(challenge(d, "WWW-Authenticate: Digest realm=\"ours\""
				   ", nonce=\"2\"\r\n" CH("1", "")), 0);
	assert_non_null(strstr(lines(d), "realm=\"ours\""));
	assert_null(strstr(lines(d), "realm=\"r\""));

	/* a proxy on the way has been chosen by us */
	assert_int_equal(challenge(d, "Proxy-Authenticate: Digest realm=\"p\""
				   ", nonce=\"3\"\r\n"), 0);
	assert_non_null(strstr(lines(d), "realm=\"p\""));

	/* only one that was taken is a registrar's */
	assert_null(digest_realm(d, 0));
	accepted(d, "");
	assert_string_equal(digest_realm(d, 0), "ours");
	assert_null(digest_realm(d, 1));
	mem_deref(d);
}


static void test_unanswerable(void **state)
{
	struct digest *d = digest_new("p", NULL), *none = NULL;
	(void)state;

	assert_int_equal(challenge(d, "X: y\r\n"), ENOTSUP);
	assert_int_equal(challenge(d, "WWW-Authenticate: Basic realm=\"r\""
				   "\r\n"), ENOTSUP);
	mem_deref(d);

	/* an MD5 HA1 answers MD5 only */
	d = digest_new(NULL, "0123456789abcdef0123456789ABCDEF");
	assert_int_equal(challenge(d, CH("1", ", algorithm=SHA-256")),
			 ENOTSUP);
	assert_int_equal(challenge(d, CH("1", ", algorithm=SHA-256")
				   CH("2", ", algorithm=MD5-sess")), 0);
	assert_non_null(strstr(lines(d), "algorithm=MD5-sess"));
	mem_deref(d);

	assert_int_equal(digest_alloc(&none, NULL), 0);
	assert_int_equal(challenge(none, CH("1", "")), EACCES);
	assert_string_equal(lines(none), "");
	mem_deref(none);
}


static void test_userhash_sent(void **state)
{
	struct digest *d = digest_new("p", NULL);
	char hex[DIGEST_HEX_SIZE];
	const char *s;
	(void)state;

	assert_int_equal(challenge(d, CH("1", ", algorithm=SHA-256, "
					 "userhash=true")), 0);
	assert_int_equal(digest_userhash(hex, DIGEST_SHA256, "al\"ice", "r"),
			 0);
	s = lines(d);
	assert_non_null(strstr(s, hex));
	assert_non_null(strstr(s, ", userhash=true\r\n"));
	assert_null(strstr(s, "ice"));
	mem_deref(d);
}


static void test_creds(void **state)
{
	struct sip_creds *c = NULL;
	(void)state;

	assert_int_equal(sip_creds_alloc(&c, "u", NULL, NULL), EINVAL);
	assert_int_equal(sip_creds_alloc(&c, "u", "p", "xyz"), EINVAL);
	assert_int_equal(sip_creds_alloc(&c, "u\r\n", "p", ""), EINVAL);
	assert_null(c);
	assert_int_equal(sip_creds_alloc(&c, "u", "p", ""), 0);
	mem_deref(c);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_userhash),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_next_nonce),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_unanswerable),
		cmocka_unit_test(test_userhash_sent),
		cmocka_unit_test(test_creds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
