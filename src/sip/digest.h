/**
 * @file sip/digest.h  Inside digest authentication (RFC 2617, 7616, 8760)
 */
#ifndef OFFHOOK_SIP_DIGEST_H
#define OFFHOOK_SIP_DIGEST_H

#include "priv.h"

/** Weak to strong */
enum digest_algo {
	DIGEST_UNKNOWN,
	DIGEST_MD5,
	DIGEST_SHA256,
	DIGEST_SHA512_256,
};

/** One challenge we could answer; slices of the header */
struct challenge {
	struct pl realm, nonce, opaque, algorithm;
	enum digest_algo algo;
	bool sess;
	bool stale;
	bool userhash;
	bool qop_told, qop_auth, qop_int;
};

/** The Digest challenges of one header value. @return how many */
unsigned challenge_parse(struct challenge *v, unsigned max,
			 const struct pl *val);

/** What a client answers; slices of the header, escapes as they stand */
struct authorization {
	struct pl user, realm, nonce, uri, response, cnonce, qop;
	enum digest_algo algo;      /* UNKNOWN: none we know                  */
	bool sess;
	uint32_t nc;                /* 0: none, or nonsense                   */
};
/** @return false: not Digest, or malformed */
bool authorization_parse(struct authorization *a, const struct pl *val);
/** nextnonce of an Authentication-Info (RFC 7615). @return false: none */
bool challenge_nextnonce(struct pl *nonce, const struct pl *val);

enum { DIGEST_HEX_SIZE = 65 };

/** What goes into a response; strings as they stand in the header */
struct digest_input {
	enum digest_algo algo;
	bool sess;
	const char *user, *password;
	const char *ha1;            /* hex of H(user:realm:password), or NULL */
	const char *realm, *nonce, *cnonce;
	const char *qop;            /* "auth", "auth-int" or NULL             */
	uint32_t nc;
	const char *method, *uri;
	const char *body;           /* for auth-int                           */
	size_t bodylen;
};
/** @return 0, ENOTSUP: the system lacks the hash */
int digest_response(char out[DIGEST_HEX_SIZE], const struct digest_input *in);
/** An HA1 fits the algorithm it was made with only */
bool creds_fit(const struct sip_creds *cr, enum digest_algo algo);
const char *creds_user(const struct sip_creds *cr);
/** User, password and HA1 */
void creds_fill(struct digest_input *in, const struct sip_creds *cr);
/** userhash of RFC 7616 3.4.4 */
int digest_userhash(char out[DIGEST_HEX_SIZE], enum digest_algo algo,
		    const char *user, const char *realm);

#endif
