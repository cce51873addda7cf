/**
 * @file app/doctor_tls.c  A server's certificates, in plain words
 *
 * Runs on a worker and touches nothing but its argument.  Nobody is trusted
 * because of what is seen here: the phone's own connections verify by
 * themselves; this looks at a chain that may well be bad.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "doctor_tls.h"

enum { BOUND_MS = 6000, TCP_MS = 4000 };


/* @return false: too late */
static bool wait_for(int fd, short what, uint64_t end_ms)
{
	struct pollfd p = { .fd = fd, .events = what };
	const uint64_t now = clock_ms();

	return now < end_ms && poll(&p, 1, (int)(end_ms - now)) == 1;
}


static int tcp_open(int *fdp, const struct sa *sa, uint64_t end_ms)
{
	socklen_t len = sizeof(int);
	int fd, err = 0;

	fd = socket(sa_af(sa), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;

	if (connect(fd, &sa->u.sa, sa->len) && errno != EINPROGRESS)
		err = errno;
	else if (!wait_for(fd, POLLOUT, end_ms))
		err = ETIMEDOUT;
	else
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);

	if (err)
		close(fd);
	else
		*fdp = fd;

	return err;
}


int tcp_probe(const struct sa *sa)
{
	int fd = -1;
	const int err = tcp_open(&fd, sa, clock_ms() + TCP_MS);

	if (!err)
		close(fd);

	return err;
}


static int handshake(SSL *ssl, int fd, uint64_t end_ms)
{
	for (;;) {
		const int n = SSL_connect(ssl);

		if (n == 1)
			return 0;

		switch (SSL_get_error(ssl, n)) {

		case SSL_ERROR_WANT_READ:
			if (!wait_for(fd, POLLIN, end_ms))
				return ETIMEDOUT;
			break;
		case SSL_ERROR_WANT_WRITE:
			if (!wait_for(fd, POLLOUT, end_ms))
				return ETIMEDOUT;
			break;
		default:
			return EPROTO;
		}
	}
}


static void name_of(char *buf, size_t sz, X509_NAME *name)
{
	char cn[128] = "";

	if (X509_NAME_get_text_by_NID(name, NID_commonName, cn,
				      sizeof(cn)) <= 0)
		(void)X509_NAME_oneline(name, cn, sizeof(cn));

	text_escape(buf, sz, cn, strlen(cn));
}


/* From now; negative: it is over */
static int until(const ASN1_TIME *when, int *days)
{
	int seconds = 0;

	*days = 0;
	(void)ASN1_TIME_diff(days, &seconds, NULL, when);

	return *days ? *days : seconds;
}


static void describe(struct tls_probe *t, X509 *x)
{
	char subject[100], issuer[100], time[80];
	int days, early;

	if (t->count == CHAIN_MAX)
		return;

	name_of(subject, sizeof(subject), X509_get_subject_name(x));
	name_of(issuer, sizeof(issuer), X509_get_issuer_name(x));

	if (until(X509_get0_notBefore(x), &early) > 0)
		snprintf(time, sizeof(time), "good only from %d day%s on",
			 early, early == 1 ? "" : "s");
	else if (until(X509_get0_notAfter(x), &days) < 0 && !days)
		snprintf(time, sizeof(time), "expired today");
	else if (days < 0)
		snprintf(time, sizeof(time), "expired %d day%s ago", -days,
			 days == -1 ? "" : "s");
	else
		snprintf(time, sizeof(time), "good for %d more day%s", days,
			 days == 1 ? "" : "s");

	if (!t->count)
		(void)until(X509_get0_notAfter(x), &t->days_left);
	snprintf(t->chain[t->count++], CHAIN_TEXT, "%s, signed by %s, %s",
		 subject, issuer, time);
}


static void judge(struct tls_probe *t, SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

	snprintf(t->version, sizeof(t->version), "%s", SSL_get_version(ssl));
	snprintf(t->cipher, sizeof(t->cipher), "%s", SSL_get_cipher(ssl));

	for (int i = 0; chain && i < sk_X509_num(chain); i++)
		describe(t, sk_X509_value(chain, i));

	t->flaw = sip_cert_judge(ssl, t->pin_only ? NULL : t->name, t->pin,
				 t->why, sizeof(t->why));
}


void tls_probe_run(void *arg)
{
	const uint64_t end_ms = clock_ms() + BOUND_MS;
	struct tls_probe *t = arg;
	SSL_CTX *ctx = NULL;
	SSL *ssl = NULL;
	int fd = -1;

	t->err = tcp_open(&fd, &t->addr, end_ms);
	if (t->err)
		return;

	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx)
		ssl = SSL_new(ctx);
	if (!ssl) {
		t->err = ENOMEM;
		goto out;
	}

	(void)SSL_set_min_proto_version(ssl, TLS1_2_VERSION);

	if (t->ca[0]) {
		if (SSL_CTX_load_verify_file(ctx, t->ca) != 1)
			(void)SSL_CTX_load_verify_dir(ctx, t->ca);
	}
	else {
		(void)SSL_CTX_set_default_verify_paths(ctx);
	}

	ERR_clear_error();
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	(void)SSL_set_tlsext_host_name(ssl, t->name);
	if (SSL_set_fd(ssl, fd) != 1)
		t->err = EPROTO;
	else
		t->err = handshake(ssl, fd, end_ms);

	if (!t->err)
		judge(t, ssl);
	else if (t->err == EPROTO)
		snprintf(t->why, sizeof(t->why), "%s", sip_tls_reason());

 out:
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	close(fd);
}
