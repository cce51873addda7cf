/**
 * @file sip/cert.h  What a certificate says
 */
#ifndef OFFHOOK_SIP_CERT_H
#define OFFHOOK_SIP_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum {
	CERT_PIN   = 32,            /* bytes of a pin: SHA-256               */
	CERT_PINS  = 8,
	CERT_TEXT  = 352,           /* a sentence                            */
};

struct cert_pins {
	uint8_t v[CERT_PINS][CERT_PIN];
	unsigned n;
};
/** "HEX" or "BASE64", each perhaps behind "sha256:" or "sha256//", several
 *  with commas. @return 0, EINVAL */
int  cert_pins_parse(struct cert_pins *p, const char *text);
/** SHA-256 of the public key with its algorithm (SubjectPublicKeyInfo) */
int  cert_pin(uint8_t pin[CERT_PIN], const X509 *cert);
/** "sha256//BASE64" */
int  cert_pin_print(char *buf, size_t sz, const X509 *cert);
/** Is it, or its key, one of these? */
bool cert_pinned(const struct cert_pins *p, const X509 *cert);

/** Is it for this domain (RFC 5922 7.1, 7.2), or numeric address? */
bool cert_names(const X509 *cert, const char *domain);
/** May it be used for SIP by RFC 5924, whatever else it is not for? */
bool cert_for_sip(const X509 *cert);
/** The names it is for: "a, b", or "no name at all". @return buf */
char *cert_names_print(char *buf, size_t sz, const X509 *cert);
/** err: X509_V_ERR_...; cert: the one that it is about, not always the first
 *  of the chain. "expired since 2026-01-02 10:00 UTC". @return buf */
char *cert_flaw_print(char *buf, size_t sz, const X509 *cert, int err);
/** The same of what a verification stands at. @return buf */
char *cert_chain_flaw_print(char *buf, size_t sz, X509_STORE_CTX *ctx,
			    int err);
/** Subject and issuer, safe for terminals */
void cert_parties(const X509 *cert, char *subject, size_t subjectsz,
		  char *issuer, size_t issuersz);

/** A key and a certificate signed with it, good for a year from now (a day
 *  before, for clocks that are late). names: "IP:127.0.0.1,DNS:a", or NULL */
int  cert_make(X509 **certp, EVP_PKEY **keyp, const char *cn,
	       const char *names);

#endif
