/**
 * @file test_tls.c  Two ends of TLS without a network between them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/x509v3.h>
#include "tls.h"
#include "certs.h"


enum { HOUR = 3600 };

static char dir[] = "/tmp/offhook-tls-XXXXXX";
static char ca_file[80], other_file[80], cert_file[80], key_file[80];
static X509 *ca;
static EVP_PKEY *ca_key;
static char why[CERT_TEXT];
static bool resumed;


static char *path(char buf[80], const char *name)
{
	(void)snprintf(buf, 80, "%s/%s", dir, name);

	return buf;
}


static int setup(void **state)
{
	const struct cert_want root = {.cn = "Test Root"};
	const struct cert_want other = {.cn = "Other Root"};
	EVP_PKEY *key;
	X509 *cert;
	(void)state;

	assert_non_null(mkdtemp(dir));
	ca = cert_new(&ca_key, &root, NULL, NULL);
	cert_save(path(ca_file, "ca.pem"), ca);

	cert = cert_new(&key, &other, NULL, NULL);
	cert_save(path(other_file, "other.pem"), cert);
	X509_free(cert);
	EVP_PKEY_free(key);

	path(cert_file, "cert.pem");
	path(key_file, "key.pem");

	return 0;
}


static int teardown(void **state)
{
	char cmd[128];
	(void)state;

	X509_free(ca);
	EVP_PKEY_free(ca_key);
	(void)snprintf(cmd, sizeof(cmd), "rm -r %s", dir);

	return system(cmd) != 0;
}


/* A server that shows such a certificate, signed by our authority */
static struct sip_tls *server(const struct cert_want *want)
{
	const struct sip_tls_conf conf = {
		.verify = true, .cert = cert_file, .key = key_file,
	};
	struct sip_tls *t = NULL;
	EVP_PKEY *key;
	X509 *cert;
	char err[256];

	cert = cert_new(&key, want, ca, ca_key);
	cert_save(cert_file, cert);
	key_save(key_file, key);
	X509_free(cert);
	EVP_PKEY_free(key);

	if (sip_tls_alloc(&t, &conf, err, sizeof(err)) ||
	    tls_serve(t, NULL, err, sizeof(err)))
		fail_msg("%s", err);

	return t;
}


static struct sip_tls *client(const struct sip_tls_conf *conf)
{
	struct sip_tls *t = NULL;
	char err[256];

	if (sip_tls_alloc(&t, conf, err, sizeof(err)))
		fail_msg("%s", err);

	return t;
}


static bool carry(struct tlspipe *from, struct tlspipe *to)
{
	const uint8_t *p;
	const size_t n = tlspipe_out(from, &p);

	if (n)
		assert_int_equal(tlspipe_feed(to, p, n), 0);
	tlspipe_out_done(from);

	return n != 0;
}


/* Shake hands, and say something both ways. @return how the client sees it */
static int meet(struct sip_tls *c, struct sip_tls *s, const char *domain)
{
	struct tlspipe *a = NULL, *b = NULL;
	uint8_t buf[64];
	int ea = EAGAIN, eb = EAGAIN, err;
	size_t n;

	assert_int_equal(tlspipe_alloc(&a, c, domain, domain), 0);
	assert_int_equal(tlspipe_alloc(&b, s, NULL, NULL), 0);

	/* before that nothing goes either way */
	assert_int_equal(tlspipe_write(a, (const uint8_t *)"x", 1), ENOTCONN);
	assert_int_equal(tlspipe_read(a, buf, sizeof(buf), &n), EAGAIN);

	for (unsigned i = 0; i < 20 && (ea == EAGAIN || eb == EAGAIN); i++) {
		if (ea == EAGAIN)
			ea = tlspipe_shake(a);
		(void)carry(a, b);
		if (eb == EAGAIN)
			eb = tlspipe_shake(b);
		(void)carry(b, a);
	}

	(void)snprintf(why, sizeof(why), "%s", tlspipe_why(a));
	resumed = false;

	if (!ea) {
		assert_int_equal(eb, 0);
		assert_int_equal(tlspipe_write(b, (const uint8_t *)"hello",
					       5), 0);
		(void)carry(b, a);
		err = tlspipe_read(a, buf, sizeof(buf), &n);
		assert_int_equal(err, 0);
		assert_int_equal(n, 5);
		assert_memory_equal(buf, "hello", 5);
		resumed = tlspipe_resumed(a);
		assert_true(tlspipe_names(a, domain));

		/* tickets of TLS 1.3 come with it; then it is over */
		tlspipe_shut(b);
		(void)carry(b, a);
		assert_int_equal(tlspipe_read(a, buf, sizeof(buf), &n),
				 ENOTCONN);
	}
	else {
		assert_int_equal(ea, EPROTO);
		assert_true(*why);
		/* and never later */
		assert_int_equal(tlspipe_shake(a), EPROTO);
		assert_int_equal(tlspipe_write(a, (const uint8_t *)"x", 1),
				 ENOTCONN);
	}

	mem_deref(a);
	mem_deref(b);

	return ea;
}


static void says(const char *words)
{
	if (!strstr(why, words))
		fail_msg("'%s' does not say '%s'", why, words);
}


static void verdicts(void **state)
{
	static const struct {
		struct cert_want want;
		const char *domain;
		bool known;              /* the authority                   */
		const char *words;       /* NULL: it is taken               */
	} v[] = {
		{{.cn = "x", .names = "DNS:sip.test"}, "sip.test", true,
			NULL},
		{{.cn = "x", .names = "DNS:sip.test"}, "SIP.test", true,
			NULL},
		{{.cn = "x", .names = "IP:127.0.0.1"}, "127.0.0.1", true,
			NULL},
		{{.cn = "x", .names = "DNS:sip.test"}, "other.test", true,
			"it is for sip.test"},
		{{.cn = "x", .names = "DNS:sip.test"}, "sip.test", false,
			"unknown issuer: CN=Test Root"},
		{{.cn = "x", .names = "DNS:sip.test", .from_s = -2 * HOUR,
			.to_s = -HOUR}, "sip.test", true, "expired since 20"},
		{{.cn = "x", .names = "DNS:sip.test", .from_s = HOUR,
			.to_s = 2 * HOUR}, "sip.test", true,
			"not valid before 20"},
		{{.cn = "x", .names = "DNS:sip.test", .uses = "clientAuth"},
			"sip.test", true, "not meant for servers"},
		{{.cn = "x", .names = "DNS:sip.test",
			.uses = "clientAuth,1.3.6.1.5.5.7.3.20"},
			"sip.test", true, NULL},
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(v); i++) {
		const struct sip_tls_conf conf = {
			.verify = true,
			.ca = v[i].known ? ca_file : other_file,
		};
		struct sip_tls *s = server(&v[i].want), *c = client(&conf);
		const int err = meet(c, s, v[i].domain);

		if (err != (v[i].words ? EPROTO : 0))
			fail_msg("%zu: %d %s", i, err, why);
		if (v[i].words) {
			says(v[i].words);
			says("subject CN=x, issuer CN=Test Root");
		}

		mem_deref(s);
		mem_deref(c);
	}
}


/* A second time it is shorter, and judged all the same */
static void resumption(void **state)
{
	const struct cert_want want = {.cn = "x", .names = "DNS:sip.test"};
	struct sip_tls_conf conf = {.verify = true, .ca = ca_file};
	struct sip_tls *s = server(&want), *c = client(&conf);
	(void)state;

	assert_int_equal(meet(c, s, "sip.test"), 0);
	assert_false(resumed);
	assert_int_equal(meet(c, s, "sip.test"), 0);
	assert_true(resumed);

	/* nothing of it is kept by the server */
	assert_int_equal(SSL_CTX_sess_number(s->server), 0);

	/* another name is another one */
	assert_int_equal(meet(c, s, "other.test"), EPROTO);
	says("it is for sip.test");

	/* a pin that has come since does not fit what was resumed */
	c->pins.n = 1;
	assert_int_equal(meet(c, s, "sip.test"), EPROTO);
	says("neither it nor its key");

	mem_deref(s);
	mem_deref(c);
}


static void pins(void **state)
{
	const struct cert_want want = {.cn = "x", .names = "DNS:sip.test"};
	struct sip_tls_conf conf = {.verify = false};
	struct sip_tls *s = server(&want), *c;
	char pin[80], err[256];
	X509 *cert = NULL;
	(void)state;

	/* nobody is asked: the user wanted that, and can be told */
	c = client(&conf);
	assert_true(sip_tls_open(c));
	assert_int_equal(meet(c, s, "whoever.test"), 0);
	mem_deref(c);

	cert = X509_dup(SSL_CTX_get0_certificate(s->server));
	assert_int_equal(cert_pin_print(pin, sizeof(pin), cert), 0);
	X509_free(cert);

	/* the pin alone */
	conf.pin = pin;
	c = client(&conf);
	assert_false(sip_tls_open(c));
	assert_int_equal(meet(c, s, "whoever.test"), 0);
	mem_deref(c);

	/* with the rest of it */
	conf.verify = true;
	conf.ca = ca_file;
	c = client(&conf);
	assert_int_equal(meet(c, s, "sip.test"), 0);
	assert_int_equal(meet(c, s, "whoever.test"), EPROTO);
	mem_deref(c);

	conf.pin = "sha256:00000000000000000000000000000000"
		"00000000000000000000000000000000";
	conf.verify = false;
	c = client(&conf);
	assert_int_equal(meet(c, s, "sip.test"), EPROTO);
	says(pin);
	mem_deref(c);

	conf.pin = "abc";
	assert_int_equal(sip_tls_alloc(&c, &conf, err, sizeof(err)), EINVAL);
	assert_non_null(strstr(err, "tls-pin abc"));

	mem_deref(s);
}


/* One made for this run names our addresses, and tells its pin */
static void own(void **state)
{
	struct sip_tls_conf conf = {.verify = true};
	struct sip_tls *s = client(&conf), *c;
	char err[256];
	(void)state;

	assert_int_equal(tls_serve(s, "IP:127.0.0.1", err, sizeof(err)), 0);
	assert_memory_equal(s->pin, "sha256//", 8);

	c = client(&conf);
	assert_int_equal(meet(c, s, "127.0.0.1"), EPROTO);
	says("self-signed");
	mem_deref(c);

	conf.verify = false;
	conf.pin = s->pin;
	c = client(&conf);
	assert_int_equal(meet(c, s, "127.0.0.1"), 0);
	mem_deref(c);
	mem_deref(s);
}


/* What is configured wrongly is told at once, with the name of the option */
static void wrong_files(void **state)
{
	char empty[80], err[256];
	const struct {
		struct sip_tls_conf conf;
		int e;
		const char *words;
	} v[] = {
		{{.ca = "/no/such"}, ENOENT, "tls-ca /no/such: No such"},
		{{.ca = empty}, EINVAL, "no certificate in PEM form"},
		{{.ca = dir}, 0, NULL},
		{{.cert = "/no/such"}, ENOENT, "tls-cert /no/such: No such"},
		{{.cert = empty}, EINVAL, "no certificate in PEM form"},
		{{.cert = ca_file}, EINVAL, "no private key in PEM form"},
		{{.cert = ca_file, .key = key_file}, EINVAL,
			"is not the key of tls-cert"},
		{{.key = key_file}, EINVAL, "tls-cert is missing"},
		{{.min = "1.1"}, EINVAL, "it is 1.2 or 1.3"},
		{{.keylog = "/no/such/file"}, ENOENT, "tls-keylog"},
	};
	const struct cert_want want = {.cn = "x"};
	FILE *f = fopen(path(empty, "empty.pem"), "w");
	(void)state;

	assert_non_null(f);
	fclose(f);
	mem_deref(server(&want));

	for (size_t i = 0; i < COUNTOF(v); i++) {
		struct sip_tls *t = NULL;
		const int e = sip_tls_alloc(&t, &v[i].conf, err,
					    sizeof(err));

		if (e != v[i].e || (e && !strstr(err, v[i].words)))
			fail_msg("%zu: %d %s", i, e, err);
		mem_deref(t);
	}
}


static void keylog(void **state)
{
	const struct cert_want want = {.cn = "x", .names = "DNS:sip.test"};
	char file[80], line[512] = "", err[256];
	const struct sip_tls_conf conf = {
		.verify = true, .ca = ca_file, .keylog = path(file, "keys"),
	};
	struct sip_tls *s = server(&want), *c = client(&conf);
	struct stat st;
	FILE *f;
	(void)state;

	assert_int_equal(meet(c, s, "sip.test"), 0);
	mem_deref(c);
	mem_deref(s);

	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	f = fopen(file, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	assert_true(!strncmp(line, "CLIENT_", 7) || !strncmp(line, "SERVER_",
							     7));

	/* one that others may read is not written to */
	assert_int_equal(chmod(file, 0644), 0);
	c = NULL;
	assert_int_equal(sip_tls_alloc(&c, &conf, err, sizeof(err)), EPERM);
	assert_non_null(strstr(err, "others may read it"));
	assert_null(c);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(resumption),
		cmocka_unit_test(pins),
		cmocka_unit_test(own),
		cmocka_unit_test(wrong_files),
		cmocka_unit_test(keylog),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
