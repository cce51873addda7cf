/**
 * @file certs.h  Certificates for tests, made in memory
 */
#ifndef TESTS_CERTS_H
#define TESTS_CERTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

struct cert_want {
	const char *cn;          /* NULL: no common name                     */
	const char *names;       /* subjectAltName as openssl writes it; NULL */
	const char *uses;        /* extendedKeyUsage; NULL: none             */
	long from_s, to_s;       /* from now; both 0: a day around it        */
};

/** issuer, ikey NULL: signed by itself, an authority. Free both */
X509 *cert_new(EVP_PKEY **keyp, const struct cert_want *want, X509 *issuer,
	       EVP_PKEY *ikey);
/** Write PEM files: certificate, and key if path is not NULL */
void cert_save(const char *path, const X509 *cert);
void key_save(const char *path, const EVP_PKEY *key);

#endif
