/**
 * @file dtls_priv.h  What dtls.c and dtls_id.c share
 */
#ifndef OFFHOOK_MEDIA_DTLS_PRIV_H
#define OFFHOOK_MEDIA_DTLS_PRIV_H

#include <openssl/ssl.h>
#include "dtls.h"

struct dtls_id {
	SSL_CTX *ctx;
	BIO_METHOD *method;      /* between OpenSSL and our datagrams       */
	struct media_print print;
};

BIO_METHOD *dtls_bio_method(void);
/** @return false: no such hash */
bool dtls_print_of(struct media_print *print, const char *hash,
		   const X509 *x);

#endif
