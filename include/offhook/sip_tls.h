/**
 * @file sip_tls.h  Whom we trust, and who we are, where TLS protects SIP
 *
 * One such object belongs to an account or to the stack.  Connections made
 * with different ones are never shared.  A server is always verified unless
 * that was switched off by name: its chain leads to an authority that is
 * trusted, it is valid today, and it names the domain that was meant (RFC
 * 5922), which is that of the URI and not what the name service made of it.
 * Main thread.
 */
#ifndef OFFHOOK_SIP_TLS_H
#define OFFHOOK_SIP_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct ssl_st;
struct sip_tls;

struct sip_tls_conf {
	bool verify;             /* is the server whom we meant?             */
	const char *ca;          /* trusted: PEM file or a directory of them;
				    NULL, "": those of the system            */
	const char *cert;        /* ours, PEM, with its chain; NULL, "": none */
	const char *key;         /* ours, PEM; NULL, "": it is in cert       */
	const char *pin;         /* SHA-256 of the server's certificate or of
				    its public key, as hex or base64, several
				    with commas; NULL, "": any. With verify:
				    in addition                              */
	const char *min;         /* "1.2" or "1.3"; NULL, "": 1.2            */
	const char *keylog;      /* file the keys of all connections are added
				    to, for who reads packets; NULL, "": no  */
};

/** err: one sentence. @return 0, EINVAL, ENOENT, ENOMEM. Free: mem_deref */
int sip_tls_alloc(struct sip_tls **tp, const struct sip_tls_conf *conf,
		  char *err, size_t errsz);
/** Is nobody verified, neither by an authority nor by a pin? */
bool sip_tls_open(const struct sip_tls *t);
/** Are these pins? err: one sentence. @return 0, EINVAL */
int sip_tls_pin_check(const char *pin, char *err, size_t errsz);

/** Why a server is not believed */
enum sip_cert_flaw {
	SIP_CERT_GOOD,
	SIP_CERT_NAME,           /* for others                               */
	SIP_CERT_EXPIRED,        /* it, or one of those that signed it       */
	SIP_CERT_EARLY,          /* not valid yet                            */
	SIP_CERT_SELF,           /* signed by itself                         */
	SIP_CERT_ISSUER,         /* by nobody that is known                  */
	SIP_CERT_PURPOSE,        /* not meant for servers                    */
	SIP_CERT_PIN,            /* good, but not the one of the pin         */
	SIP_CERT_OTHER,
};
/**
 * What the phone's own connections would say of a server for that domain,
 * after a handshake that looked at nothing. Any thread
 * @param ssl     connected; its context has the authorities that are trusted
 * @param domain  NULL: nothing but the pin counts
 * @param pin     NULL, "": any
 * @param why     "expired since 2026-01-02 10:00 UTC"; "" when it is good
 */
enum sip_cert_flaw sip_cert_judge(struct ssl_st *ssl, const char *domain,
				  const char *pin, char *why, size_t sz);
/** Why a handshake has just failed in this thread: "the peer ..." */
const char *sip_tls_reason(void);

#endif
