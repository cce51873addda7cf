/**
 * @file dtls_id.c  Who we are to others in this run
 *
 * Any thread.  A P-256 key and a certificate for it, made anew each time:
 * nobody keeps them, and what one run has said tells nothing of the next.
 * The certificate names nobody.
 */
#include <openssl/err.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <offhook/random.h>
#include "dtls_priv.h"


enum { DAY_S = 86400, VALID_DAYS = 30 };

#define CIPHERS "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"	   \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"	   \
	"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"			   \
	"DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256"


static void id_destructor(void *arg)
{
	struct dtls_id *id = arg;

	SSL_CTX_free(id->ctx);
	BIO_meth_free(id->method);
}


static X509 *certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name;
	uint8_t serial[8];
	BIGNUM *bn = NULL;
	bool ok = false;

	if (!x)
		goto out;

	random_fill(serial, sizeof(serial));
	serial[0] &= 0x7f;
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	name = X509_get_subject_name(x);

	/* clocks of two phones need not agree */
	ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) &&
		X509_set_version(x, 2) &&
		X509_gmtime_adj(X509_getm_notBefore(x), -DAY_S) &&
		X509_gmtime_adj(X509_getm_notAfter(x), DAY_S * VALID_DAYS) &&
		X509_set_pubkey(x, key) &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					   (const uint8_t *)"phone", -1, -1,
					   0) &&
		X509_set_issuer_name(x, name) &&
		X509_sign(x, key, EVP_sha256()) > 0;

 out:
	BN_free(bn);
	if (!ok) {
		X509_free(x);
		x = NULL;
	}

	return x;
}


bool dtls_print_of(struct media_print *print, const char *hash,
		   const X509 *x)
{
	uint8_t v[EVP_MAX_MD_SIZE];
	char name[sizeof(print->hash)];
	const EVP_MD *md;
	size_t n = 0;
	unsigned len = 0;

	/* OpenSSL writes sha-256 without the dash */
	for (const char *p = hash; *p && n + 1 < sizeof(name); p++) {
		if (*p != '-')
			name[n++] = *p;
	}
	name[n] = '\0';
	md = EVP_get_digestbyname(name);

	memset(print, 0, sizeof(*print));
	if (!md || X509_digest(x, md, v, &len) != 1 ||
	    len > sizeof(print->v))
		return false;

	str_ncpy(print->hash, hash, sizeof(print->hash));
	memcpy(print->v, v, len);
	print->len = (uint8_t)len;

	return true;
}


/* Whom it is from, its fingerprint says later */
static int verify_h(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;

	return 1;
}


static bool context(struct dtls_id *id, EVP_PKEY *key, X509 *x)
{
	/* all that SRTP knows there, as the table of suites has it */
	char profiles[256] = "";

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		const char *name = media_suite_table()[i].dtls;

		if (!name)
			continue;
		if (profiles[0])
			(void)strcat(profiles, ":");
		(void)strcat(profiles, name);
	}

	id->ctx = SSL_CTX_new(DTLS_method());
	if (!id->ctx)
		return false;

	SSL_CTX_set_verify(id->ctx, SSL_VERIFY_PEER |
			   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify_h);
	SSL_CTX_set_verify_depth(id->ctx, 0);
	(void)SSL_CTX_set_options(id->ctx, SSL_OP_NO_QUERY_MTU |
				  SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_mode(id->ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(id->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(id->ctx, 1);

	return SSL_CTX_set_min_proto_version(id->ctx, DTLS1_2_VERSION) == 1 &&
		SSL_CTX_set_cipher_list(id->ctx, CIPHERS) == 1 &&
		SSL_CTX_use_certificate(id->ctx, x) == 1 &&
		SSL_CTX_use_PrivateKey(id->ctx, key) == 1 &&
		SSL_CTX_set_tlsext_use_srtp(id->ctx, profiles) == 0;
}


int dtls_id_alloc(struct dtls_id **idp)
{
	struct dtls_id *id = mem_zalloc(sizeof(*id), id_destructor);
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	int err = EPROTO;

	if (!id)
		return ENOMEM;

	id->method = dtls_bio_method();
	key = EVP_EC_gen("P-256");
	if (key)
		x = certificate(key);

	if (id->method && x && context(id, key, x) &&
	    dtls_print_of(&id->print, "sha-256", x))
		err = 0;

	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();

	if (err)
		mem_deref(id);
	else
		*idp = id;

	return err;
}


void dtls_id_print(const struct dtls_id *id, struct media_print *print)
{
	*print = id->print;
}
