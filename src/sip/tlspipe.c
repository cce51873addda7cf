/**
 * @file sip/tlspipe.c  One TLS connection without its socket
 *
 * Main thread.  Bytes of the network go in and come out by memory, so that
 * the same code runs over any socket, or none.  The one rule: tlspipe_shake
 * returns 0 only when the peer is whom we meant, whether the handshake was
 * full or a session was resumed; before that nothing is read or written.
 * OpenSSL's callback refuses as early as it can, so that the peer is told; the
 * verdict that counts is taken anew at the end of the handshake.
 */
#include <openssl/err.h>
#include "tls.h"


struct tlspipe {
	struct sip_tls *tls;
	SSL *ssl;
	BIO *in, *out;              /* the SSL's                           */
	char *domain;               /* NULL: we are the server             */
	char *who;
	bool up;
	char why[CERT_TEXT];
	struct tls_refusal refusal; /* "" : none                           */
};


static const char *pin_text(char *buf, size_t sz, const X509 *cert)
{
	if (cert_pin_print(buf, sz, cert))
		(void)snprintf(buf, sz, "unreadable");

	return buf;
}


/* The first one is the reason, the others follow from it */
static void refuse(struct tlspipe *p, const X509 *cert, const char *flaw)
{
	struct tls_refusal *r = &p->refusal;

	if (*p->why)
		return;

	(void)snprintf(r->flaw, sizeof(r->flaw), "%s", flaw);
	if (cert)
		cert_parties(cert, r->subject, sizeof(r->subject), r->issuer,
			     sizeof(r->issuer));

	(void)snprintf(p->why, sizeof(p->why), "the certificate of %.60s is "
		       "refused: %.120s; subject %.50s, issuer %.50s",
		       p->domain, r->flaw, r->subject, r->issuer);
}


/* What is wrong with the certificate at the end of a good chain? */
static int names_check(struct tlspipe *p, const X509 *cert)
{
	char names[120], text[160], key[80];

	if (p->tls->verify && !cert_names(cert, p->domain)) {
		(void)cert_names_print(names, sizeof(names), cert);
		(void)snprintf(text, sizeof(text), "it is for %s", names);
	}
	else if (p->tls->pins.n && !cert_pinned(&p->tls->pins, cert)) {
		(void)snprintf(text, sizeof(text),
			       "neither it nor its key is of tls-pin (its "
			       "key is %s)", pin_text(key, sizeof(key), cert));
	}
	else {
		return 0;
	}

	refuse(p, cert, text);

	return EPROTO;
}


static void flaw_keep(struct tlspipe *p, X509_STORE_CTX *ctx, int verr)
{
	char text[160];

	refuse(p, X509_STORE_CTX_get0_cert(ctx),
	       cert_chain_flaw_print(text, sizeof(text), ctx, verr));
}


/* For each certificate of the chain, and for each flaw */
static int verify_h(int ok, X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tlspipe *p = SSL_get_app_data(ssl);
	const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	const int verr = X509_STORE_CTX_get_error(ctx);
	const int depth = X509_STORE_CTX_get_error_depth(ctx);

	if (!ok && verr == X509_V_ERR_INVALID_PURPOSE && depth == 0 && cert &&
	    cert_for_sip(cert)) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		ok = 1;
	}

	if (!ok) {
		if (!p->tls->verify)
			return 1;
		flaw_keep(p, ctx, verr);
		return 0;
	}

	if (depth == 0 && cert && names_check(p, cert)) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_HOSTNAME_MISMATCH);
		return 0;
	}

	return 1;
}


static int new_session_h(SSL *ssl, SSL_SESSION *session)
{
	const struct tlspipe *p = SSL_get_app_data(ssl);

	/* an unverified one must not be taken for verified later */
	if (p && p->who && p->domain)
		tlssession_keep(p->tls, p->who, session);

	return 0;
}


static void pipe_destructor(void *arg)
{
	struct tlspipe *p = arg;

	/* a network that broke off is no reason to doubt the session, which
	   OpenSSL would not resume any more (RFC 5246 7.2.1) */
	if (p->up && !*p->why)
		SSL_set_shutdown(p->ssl, SSL_SENT_SHUTDOWN |
				 SSL_RECEIVED_SHUTDOWN);
	SSL_free(p->ssl);
	ERR_clear_error();
	mem_deref(p->tls);
	mem_deref(p->domain);
	mem_deref(p->who);
}


static int client_begin(struct tlspipe *p, const char *domain,
			const char *who)
{
	SSL_SESSION *session;
	struct sa sa;
	int err;

	err = str_dup(&p->domain, domain);
	if (!err)
		err = str_dup(&p->who, who);
	if (err)
		return err;

	SSL_set_verify(p->ssl, SSL_VERIFY_PEER, verify_h);
	SSL_CTX_sess_set_new_cb(p->tls->client, new_session_h);

	/* RFC 6066 3: names only */
	if (sa_set_str(&sa, domain, 0) &&
	    !SSL_set_tlsext_host_name(p->ssl, domain))
		return EINVAL;

	session = tlssession_find(p->tls, who);
	if (session) {
		(void)SSL_set_session(p->ssl, session);
		SSL_SESSION_free(session);
	}

	SSL_set_connect_state(p->ssl);

	return 0;
}


int tlspipe_alloc(struct tlspipe **pp, struct sip_tls *t, const char *domain,
		  const char *who)
{
	struct tlspipe *p;
	int err = 0;

	if (!pp || !t || (domain && (!who || !*domain)) ||
	    (!domain && !t->server))
		return EINVAL;

	p = mem_zalloc(sizeof(*p), pipe_destructor);
	if (!p)
		return ENOMEM;

	p->tls = mem_ref(t);
	p->ssl = SSL_new(domain ? t->client : t->server);
	p->in = BIO_new(BIO_s_mem());
	p->out = BIO_new(BIO_s_mem());
	if (!p->ssl || !p->in || !p->out) {
		BIO_free(p->in);
		BIO_free(p->out);
		err = ENOMEM;
		goto out;
	}

	SSL_set_bio(p->ssl, p->in, p->out);
	(void)SSL_set_app_data(p->ssl, p);

	if (domain)
		err = client_begin(p, domain, who);
	else
		SSL_set_accept_state(p->ssl);

 out:
	ERR_clear_error();
	if (err)
		mem_deref(p);
	else
		*pp = p;

	return err;
}


int tlspipe_feed(struct tlspipe *p, const uint8_t *buf, size_t len)
{
	size_t n = 0;

	return BIO_write_ex(p->in, buf, len, &n) && n == len ? 0 : ENOMEM;
}


/* What the other side complains of, and what its bytes look like */
const char *tls_reason_text(unsigned long e)
{
	static const struct {
		int reason;
		const char *text;
	} v[] = {
		{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
		 "the peer wants to see a certificate of ours (tls-cert)"},
		{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
		 "the peer refuses our certificate"},
		{SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
		 "the peer refuses our certificate: of no use to it"},
		{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
		 "the peer refuses our certificate: expired"},
		{SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
		 "the peer refuses our certificate: revoked"},
		{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
		 "the peer refuses the certificate"},
		{SSL_R_TLSV1_ALERT_UNKNOWN_CA,
		 "the peer does not know who issued our certificate"},
		{SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
		 "the peer refuses the TLS handshake (it may want a "
		 "certificate of ours)"},
		{SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS"},
		{SSL_R_HTTP_REQUEST, "the peer does not speak TLS"},
		{SSL_R_UNSUPPORTED_PROTOCOL,
		 "the peer speaks no version of TLS that we take"},
		{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
		 "the peer takes no version of TLS that we speak"},
		{SSL_R_NO_SHARED_CIPHER, "no cipher is common to both"},
	};
	const int reason = ERR_GET_REASON(e);
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		if (ERR_GET_LIB(e) == ERR_LIB_SSL && v[i].reason == reason)
			return v[i].text;
	}

	return NULL;
}


/* The queue of OpenSSL's errors becomes one sentence */
static int failed(struct tlspipe *p)
{
	const unsigned long e = ERR_peek_error();
	const char *text = tls_reason_text(e);
	const char *raw = e ? ERR_reason_error_string(e) : NULL;

	if (!*p->why)
		(void)snprintf(p->why, sizeof(p->why), "TLS: %s", text ?
			       text : raw ? raw : "the peer broke off");

	ERR_clear_error();

	return EPROTO;
}


/* Whatever OpenSSL thinks: this is the gate */
static int judge(struct tlspipe *p)
{
	const X509 *cert;
	long verr;

	if (!p->domain)
		return 0;

	cert = SSL_get0_peer_certificate(p->ssl);
	verr = SSL_get_verify_result(p->ssl);

	if (!cert) {
		(void)snprintf(p->why, sizeof(p->why), "TLS: %.60s shows no "
			       "certificate", p->domain);
		return EPROTO;
	}

	if (p->tls->verify && verr != X509_V_OK) {
		char flaw[120];

		refuse(p, cert, cert_flaw_print(flaw, sizeof(flaw), cert,
						(int)verr));
		return EPROTO;
	}

	return names_check(p, cert);
}


int tlspipe_shake(struct tlspipe *p)
{
	int r;

	if (p->up)
		return 0;
	if (*p->why)
		return EPROTO;

	ERR_clear_error();
	r = SSL_do_handshake(p->ssl);
	if (r != 1) {
		if (SSL_get_error(p->ssl, r) == SSL_ERROR_WANT_READ)
			return EAGAIN;
		return failed(p);
	}

	if (judge(p))
		return EPROTO;

	p->up = true;

	return 0;
}


int tlspipe_read(struct tlspipe *p, uint8_t *buf, size_t sz, size_t *n)
{
	int r;

	if (!p->up)
		return EAGAIN;

	ERR_clear_error();
	r = SSL_read_ex(p->ssl, buf, sz, n);
	if (r == 1)
		return 0;

	switch (SSL_get_error(p->ssl, r)) {

	case SSL_ERROR_WANT_READ:
		return EAGAIN;

	case SSL_ERROR_ZERO_RETURN:
		return ENOTCONN;

	default:
		return failed(p);
	}
}


int tlspipe_write(struct tlspipe *p, const uint8_t *buf, size_t len)
{
	size_t n = 0;

	if (!p->up)
		return ENOTCONN;

	ERR_clear_error();

	return SSL_write_ex(p->ssl, buf, len, &n) && n == len ? 0 :
		failed(p);
}


void tlspipe_shut(struct tlspipe *p)
{
	if (p->up)
		(void)SSL_shutdown(p->ssl);
	ERR_clear_error();
}


size_t tlspipe_out(struct tlspipe *p, const uint8_t **buf)
{
	char *data = NULL;
	const long n = BIO_get_mem_data(p->out, &data);

	*buf = (const uint8_t *)data;

	return n > 0 ? (size_t)n : 0;
}


void tlspipe_out_done(struct tlspipe *p)
{
	(void)BIO_reset(p->out);
}


/* The same one, or another that the certificate is for too: then it is known
 *  only when the handshake is over */
bool tlspipe_names(const struct tlspipe *p, const char *domain)
{
	if (!p->domain)
		return false;
	if (!strcasecmp(p->domain, domain))
		return true;

	return p->up && p->tls->verify &&
		cert_names(SSL_get0_peer_certificate(p->ssl), domain);
}


const struct sip_tls *tlspipe_tls(const struct tlspipe *p)
{
	return p->tls;
}


bool tlspipe_resumed(const struct tlspipe *p)
{
	return SSL_session_reused(p->ssl);
}


const struct tls_refusal *tlspipe_refusal(const struct tlspipe *p)
{
	return p->refusal.flaw[0] ? &p->refusal : NULL;
}


const char *tlspipe_domain(const struct tlspipe *p)
{
	return p->domain;
}


const char *tlspipe_why(const struct tlspipe *p)
{
	return p->why;
}


char *tlspipe_print(char *buf, size_t sz, const struct tlspipe *p)
{
	(void)snprintf(buf, sz, "%s, %s", SSL_get_version(p->ssl),
		       SSL_get_cipher_name(p->ssl));

	return buf;
}
