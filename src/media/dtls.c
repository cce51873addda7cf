/**
 * @file dtls.c  Keys for SRTP by a DTLS handshake (RFC 5764, 6347)
 *
 * OpenSSL speaks DTLS; between it and the world there is a BIO of our own
 * that keeps datagrams whole: each write is one, each read is the one that
 * has just come.  So OpenSSL never holds more than one of theirs, and what a
 * stranger sends cannot pile up.
 */
#include <openssl/err.h>
#include <openssl/srtp.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "dtls_priv.h"


enum {
	AGAIN_FIRST_US = 200000, /* before it is said again; doubles        */
	AGAIN_MAX_US   = 3000000,
};

#define LABEL "EXTRACTOR-dtls_srtp"

struct dtls {
	SSL *ssl;
	struct media_print print;        /* who it must be                  */
	bool active;
	enum dtls_state state;
	const struct media_suite *suite;
	uint8_t tx[MEDIA_KEY_MAX], rx[MEDIA_KEY_MAX];
	const uint8_t *in;               /* the datagram that came          */
	size_t in_len;
	dtls_send_h *send_h;
	void *arg;
	char why[DTLS_ERR];
};


/* Datagrams -------------------------------------------------------------- */

static int bio_write(BIO *b, const char *p, int len)
{
	struct dtls *d = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (len > 0)
		d->send_h((const uint8_t *)p, (size_t)len, d->arg);

	return len;
}


static int bio_read(BIO *b, char *p, int len)
{
	struct dtls *d = BIO_get_data(b);
	size_t n = d->in_len;

	BIO_clear_retry_flags(b);

	if (!d->in) {
		BIO_set_retry_read(b);
		return -1;
	}

	if (n > (size_t)len)
		n = (size_t)len;
	memcpy(p, d->in, n);
	d->in = NULL;
	d->in_len = 0;

	return (int)n;
}


static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;

	switch (cmd) {

	case BIO_CTRL_FLUSH:
		return 1;

	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return DTLS_MTU;

	default:
		return 0;
	}
}


static int bio_create(BIO *b)
{
	BIO_set_init(b, 1);

	return 1;
}


BIO_METHOD *dtls_bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() |
				     BIO_TYPE_SOURCE_SINK, "datagrams");

	if (m && (!BIO_meth_set_write(m, bio_write) ||
		  !BIO_meth_set_read(m, bio_read) ||
		  !BIO_meth_set_ctrl(m, bio_ctrl) ||
		  !BIO_meth_set_create(m, bio_create))) {
		BIO_meth_free(m);
		m = NULL;
	}

	return m;
}


/* Time until the next retransmission, after one of us us */
static unsigned again_h(SSL *ssl, unsigned us)
{
	(void)ssl;

	return !us ? AGAIN_FIRST_US : us > AGAIN_MAX_US / 2 ? AGAIN_MAX_US :
		2 * us;
}


/* The association -------------------------------------------------------- */

static void destructor(void *arg)
{
	struct dtls *d = arg;

	SSL_free(d->ssl);
	explicit_bzero(d->tx, sizeof(d->tx));
	explicit_bzero(d->rx, sizeof(d->rx));
}


int dtls_alloc(struct dtls **dp, struct dtls_id *id, bool active,
	       const struct media_print *print, dtls_send_h *h, void *arg)
{
	struct dtls *d = mem_zalloc(sizeof(*d), destructor);
	BIO *bio;

	if (!d)
		return ENOMEM;

	d->print = *print;
	d->active = active;
	d->send_h = h;
	d->arg = arg;
	d->ssl = SSL_new(id->ctx);
	bio = BIO_new(id->method);

	if (!d->ssl || !bio) {
		BIO_free(bio);
		mem_deref(d);
		return ENOMEM;
	}

	BIO_set_data(bio, d);
	SSL_set_bio(d->ssl, bio, bio);
	(void)SSL_set_mtu(d->ssl, DTLS_MTU);
	DTLS_set_timer_cb(d->ssl, again_h);

	if (active)
		SSL_set_connect_state(d->ssl);
	else
		SSL_set_accept_state(d->ssl);

	*dp = d;

	return 0;
}


static void failed(struct dtls *d, const char *why)
{
	if (d->state == DTLS_FAILED)
		return;

	d->state = DTLS_FAILED;
	str_ncpy(d->why, why, sizeof(d->why));
}


static bool right_print(struct dtls *d)
{
	X509 *x = SSL_get1_peer_certificate(d->ssl);
	struct media_print p;
	bool ok;

	ok = x && d->print.len && dtls_print_of(&p, d->print.hash, x) &&
		p.len == d->print.len &&
		!CRYPTO_memcmp(p.v, d->print.v, p.len);
	X509_free(x);

	return ok;
}


/* RFC 5764 4.2: client key, server key, client salt, server salt */
static bool take_keys(struct dtls *d)
{
	const SRTP_PROTECTION_PROFILE *prof =
		SSL_get_selected_srtp_profile(d->ssl);
	uint8_t m[2 * MEDIA_KEY_MAX], *client, *server;
	size_t key, salt;

	for (unsigned i = 0; prof && i < MEDIA_SUITES; i++) {
		const struct media_suite *s = &media_suite_table()[i];

		if (s->dtls && s->profile == prof->id)
			d->suite = s;
	}
	if (!d->suite)
		return false;

	key = d->suite->key_len;
	salt = d->suite->salt_len;
	if (SSL_export_keying_material(d->ssl, m, 2 * (key + salt), LABEL,
				       strlen(LABEL), NULL, 0, 0) != 1)
		return false;

	client = d->active ? d->tx : d->rx;
	server = d->active ? d->rx : d->tx;
	memcpy(client, m, key);
	memcpy(server, m + key, key);
	memcpy(client + key, m + 2 * key, salt);
	memcpy(server + key, m + 2 * key + salt, salt);
	explicit_bzero(m, sizeof(m));

	return true;
}


static void done(struct dtls *d)
{
	if (!right_print(d))
		failed(d, "its certificate is not the one that its"
		       " description tells");
	else if (!take_keys(d))
		failed(d, "no way to encrypt is known to both sides");
	else
		d->state = DTLS_DONE;
}


static void shake(struct dtls *d)
{
	const int r = SSL_do_handshake(d->ssl);
	unsigned long code;
	char text[DTLS_ERR];

	if (r == 1) {
		done(d);
		return;
	}

	switch (SSL_get_error(d->ssl, r)) {

	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;

	default:
		code = ERR_peek_last_error();
		(void)snprintf(text, sizeof(text), "the DTLS handshake"
			       " failed: %s", code ?
			       ERR_reason_error_string(code) : "closed");
		failed(d, text);
		break;
	}

	ERR_clear_error();
}


void dtls_start(struct dtls *d)
{
	if (d->state != DTLS_WAITING)
		return;

	d->state = DTLS_SHAKING;
	if (d->active)
		shake(d);
}


void dtls_recv(struct dtls *d, const uint8_t *p, size_t len)
{
	uint8_t buf[64];

	if (d->state == DTLS_FAILED || d->state == DTLS_WAITING)
		return;

	d->in = p;
	d->in_len = len;

	if (d->state == DTLS_SHAKING) {
		/* one datagram may hold several records */
		shake(d);
	}
	else {
		/* what is said again is answered again; data is not ours */
		for (unsigned i = 0; i < 8 && SSL_read(d->ssl, buf,
						       sizeof(buf)) > 0; i++)
			;
		ERR_clear_error();
	}

	d->in = NULL;
	d->in_len = 0;
}


void dtls_poll(struct dtls *d)
{
	if (d->state != DTLS_SHAKING)
		return;

	if (DTLSv1_handle_timeout(d->ssl) < 0)
		failed(d, "the other side does not complete the DTLS"
		       " handshake");
	ERR_clear_error();
}


void dtls_end(struct dtls *d)
{
	if (d->state == DTLS_DONE) {
		(void)SSL_shutdown(d->ssl);
		ERR_clear_error();
	}
}


enum dtls_state dtls_state(const struct dtls *d)
{
	return d->state;
}


bool dtls_untouched(const struct dtls *d)
{
	const OSSL_HANDSHAKE_STATE st = SSL_get_state(d->ssl);

	return d->state == DTLS_WAITING ||
		(d->state == DTLS_SHAKING &&
		 (st == TLS_ST_BEFORE || st == TLS_ST_CW_CLNT_HELLO));
}


const char *dtls_error(const struct dtls *d)
{
	return d->why;
}


const struct media_suite *dtls_suite(const struct dtls *d)
{
	return d->state == DTLS_DONE ? d->suite : NULL;
}


int dtls_keys(const struct dtls *d, const struct media_suite **suite,
	      uint8_t *tx, uint8_t *rx)
{
	if (d->state != DTLS_DONE)
		return ENOTCONN;

	*suite = d->suite;
	memcpy(tx, d->tx, MEDIA_KEY_MAX);
	memcpy(rx, d->rx, MEDIA_KEY_MAX);

	return 0;
}
