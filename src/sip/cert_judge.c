/**
 * @file sip/cert_judge.c  A server's certificates, looked at beside the calls
 *
 * What a connection of ours would refuse is told by the same words, after a
 * handshake that verified nothing.  Nobody is trusted because of what is found
 * here.  Touches nothing but its arguments: for any thread.
 */
#include <stdio.h>
#include <openssl/err.h>
#include "tls.h"


/* The first flaw that was met */
struct flaw {
	enum sip_cert_flaw kind;
	char *why;
	size_t sz;
};


static enum sip_cert_flaw kind_of(int verr)
{
	switch (verr) {

	case X509_V_ERR_CERT_HAS_EXPIRED:
		return SIP_CERT_EXPIRED;

	case X509_V_ERR_CERT_NOT_YET_VALID:
		return SIP_CERT_EARLY;

	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return SIP_CERT_SELF;

	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return SIP_CERT_ISSUER;

	case X509_V_ERR_INVALID_PURPOSE:
		return SIP_CERT_PURPOSE;

	default:
		return SIP_CERT_OTHER;
	}
}


/* As in tlspipe.c, but it goes on: who is believed is not decided here */
static int verify_h(int ok, X509_STORE_CTX *ctx)
{
	struct flaw *f = X509_STORE_CTX_get_app_data(ctx);
	const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	const int verr = X509_STORE_CTX_get_error(ctx);

	if (ok || f->kind != SIP_CERT_GOOD)
		return 1;
	if (verr == X509_V_ERR_INVALID_PURPOSE && cert &&
	    X509_STORE_CTX_get_error_depth(ctx) == 0 && cert_for_sip(cert))
		return 1;

	f->kind = kind_of(verr);
	(void)cert_chain_flaw_print(f->why, f->sz, ctx, verr);

	return 1;
}


/* @return false: it could not be looked at */
static bool chain_look(struct flaw *f, SSL *ssl, X509 *leaf)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool done = false;

	if (ctx && X509_STORE_CTX_init(
		    ctx, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), leaf,
		    SSL_get_peer_cert_chain(ssl)) == 1 &&
	    X509_STORE_CTX_set_default(ctx, "ssl_server") == 1) {

		X509_VERIFY_PARAM_set_auth_level(
			X509_STORE_CTX_get0_param(ctx),
			SSL_get_security_level(ssl));
		X509_STORE_CTX_set_app_data(ctx, f);
		X509_STORE_CTX_set_verify_cb(ctx, verify_h);
		done = X509_verify_cert(ctx) == 1;
	}

	X509_STORE_CTX_free(ctx);
	ERR_clear_error();

	return done;
}


static void names_look(struct flaw *f, const X509 *leaf, const char *domain,
		       const char *pin)
{
	struct cert_pins pins;
	char names[CERT_TEXT / 2];

	if (domain && !cert_names(leaf, domain)) {
		f->kind = SIP_CERT_NAME;
		(void)snprintf(f->why, f->sz, "it is for %s",
			       cert_names_print(names, sizeof(names), leaf));
	}
	else if (pin && *pin && !cert_pins_parse(&pins, pin) &&
		 !cert_pinned(&pins, leaf)) {
		f->kind = SIP_CERT_PIN;
		(void)snprintf(f->why, f->sz, "neither it nor its key is of "
			       "tls-pin");
	}
}


enum sip_cert_flaw sip_cert_judge(struct ssl_st *ssl, const char *domain,
				  const char *pin, char *why, size_t sz)
{
	struct flaw f = {.kind = SIP_CERT_GOOD, .why = why, .sz = sz};
	X509 *leaf = SSL_get1_peer_certificate(ssl);

	why[0] = '\0';

	if (!leaf || (domain && !chain_look(&f, ssl, leaf) && !why[0])) {
		f.kind = SIP_CERT_OTHER;
		(void)snprintf(why, sz, leaf ? "it cannot be read" :
			       "no certificate is shown");
	}
	if (f.kind == SIP_CERT_GOOD)
		names_look(&f, leaf, domain, pin);

	X509_free(leaf);

	return f.kind;
}


const char *sip_tls_reason(void)
{
	const unsigned long e = ERR_peek_error();
	const char *text = tls_reason_text(e);

	if (!text && e)
		text = ERR_reason_error_string(e);

	return text ? text : "the peer broke off";
}
