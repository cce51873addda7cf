/**
 * @file certs.c  Certificates for tests, made in memory
 */
#include <assert.h>
#include <stdio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "certs.h"


static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(ext);
	assert(X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}


X509 *cert_new(EVP_PKEY **keyp, const struct cert_want *want, X509 *issuer,
	       EVP_PKEY *ikey)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	const long day = 24 * 3600;
	static long serial;

	assert(key && cert);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	if (want->cn)
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					   (const uint8_t *)want->cn, -1, -1,
					   0);
	X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) :
			     name);
	X509_gmtime_adj(X509_getm_notBefore(cert),
			want->from_s || want->to_s ? want->from_s : -day);
	X509_gmtime_adj(X509_getm_notAfter(cert),
			want->from_s || want->to_s ? want->to_s : day);
	X509_set_pubkey(cert, key);

	if (!issuer)
		extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
	if (want->names)
		extend(cert, issuer ? issuer : cert, NID_subject_alt_name,
		       want->names);
	if (want->uses)
		extend(cert, issuer ? issuer : cert, NID_ext_key_usage,
		       want->uses);

	assert(X509_sign(cert, ikey ? ikey : key, EVP_sha256()));
	*keyp = key;

	return cert;
}


void cert_save(const char *path, const X509 *cert)
{
	FILE *f = fopen(path, "w");

	assert(f && PEM_write_X509(f, cert));
	fclose(f);
}


void key_save(const char *path, const EVP_PKEY *key)
{
	FILE *f = fopen(path, "w");

	assert(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	fclose(f);
}
