/**
 * @file sip/tls.h  TLS as bytes in and bytes out
 *
 * tls.c: contexts, what is common to connections.  tlspipe.c: one connection
 * without its socket.
 */
#ifndef OFFHOOK_SIP_TLS_PRIV_H
#define OFFHOOK_SIP_TLS_PRIV_H

#include <openssl/ssl.h>
#include "priv.h"
#include "cert.h"
#include "offhook/sip_tls.h"

struct sip_tls {
	SSL_CTX *client;
	SSL_CTX *server;            /* NULL until we listen                   */
	char *cert, *key;           /* files, NULL: none                      */
	bool verify;
	int min;                    /* TLS1_2_VERSION ...                     */
	struct cert_pins pins;
	int keylog_fd;              /* -1: none                               */
	struct list sessions;       /* to resume, the last used last          */
	char pin[80];               /* of the certificate we made, or ""      */
};

/** Make ready to take connections: with our certificate, or one made now.
 *  names: as cert_make. err: one sentence */
int  tls_serve(struct sip_tls *t, const char *names, char *err, size_t errsz);

/** A session to go on with, or NULL; mine to keep. who: whom it was with */
SSL_SESSION *tlssession_find(struct sip_tls *t, const char *who);
void tlssession_keep(struct sip_tls *t, const char *who, SSL_SESSION *s);

/* tlspipe.c ------------------------------------------------------------------ */

struct tlspipe;

/** An error of OpenSSL's in plain words, NULL: not one that is known */
const char *tls_reason_text(unsigned long e);

/** domain: whom we expect, NULL: we are the server. who: for resumption.
 *  Free: mem_deref */
int  tlspipe_alloc(struct tlspipe **pp, struct sip_tls *t,
		   const char *domain, const char *who);
/** What came from the network. @return 0, ENOMEM */
int  tlspipe_feed(struct tlspipe *p, const uint8_t *buf, size_t len);
/** Go on with the handshake. @return 0: both sides are who they should be;
 *  EAGAIN: more is needed; EPROTO: it failed, tlspipe_why says why */
int  tlspipe_shake(struct tlspipe *p);
/** What the peer says in clear. @return 0, EAGAIN, ENOTCONN: it has said
 *  that this is all, EPROTO */
int  tlspipe_read(struct tlspipe *p, uint8_t *buf, size_t sz, size_t *n);
int  tlspipe_write(struct tlspipe *p, const uint8_t *buf, size_t len);
/** Say that this is all */
void tlspipe_shut(struct tlspipe *p);
/** What is to go to the network, valid until the next call; then tell how
 *  much was taken: all of it */
size_t tlspipe_out(struct tlspipe *p, const uint8_t **buf);
void tlspipe_out_done(struct tlspipe *p);
/** Does the peer's certificate name this domain too? */
bool tlspipe_names(const struct tlspipe *p, const char *domain);
const struct sip_tls *tlspipe_tls(const struct tlspipe *p);
bool tlspipe_resumed(const struct tlspipe *p);
/** A certificate that was refused */
struct tls_refusal {
	char subject[160], issuer[160];
	char flaw[160];
};
/** NULL: it was not that */
const struct tls_refusal *tlspipe_refusal(const struct tlspipe *p);
/** Whom we expect, NULL: we are the server */
const char *tlspipe_domain(const struct tlspipe *p);
/** One sentence, "" when nothing is wrong */
const char *tlspipe_why(const struct tlspipe *p);
/** "TLSv1.3, TLS_AES_256_GCM_SHA384". @return buf */
char *tlspipe_print(char *buf, size_t sz, const struct tlspipe *p);

#endif
