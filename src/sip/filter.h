/**
 * @file sip/filter.h  Inside the filter for what strangers send
 *
 * bucket (how much an address may send), digest_server (who are you?),
 * filter (both, and the account's own wishes).
 */
#ifndef OFFHOOK_SIP_FILTER_H
#define OFFHOOK_SIP_FILTER_H

#include "priv.h"
#include "digest.h"

enum { BUCKETS = 256, NONCES_KEPT = 64, NONCE_KEY_LEN = 32 };

/* bucket.c ----------------------------------------------------------------- */

/** What one address may still send; addresses that share a place push each
 *  other out, so the table never grows */
struct bucket {
	struct sa addr;             /* unset: free                            */
	uint64_t at_ms;             /* when it was last looked at             */
	uint64_t milli;             /* thousandths of a request               */
	bool told;                  /* that it is too much                    */
};

struct buckets {
	struct bucket v[BUCKETS];
	uint64_t key;               /* of the places: nobody can choose his   */
};

enum bucket_verdict { BUCKET_FINE, BUCKET_FIRST_OVER, BUCKET_OVER };
/** Take one request of an address out. per_min: how many it may send; a burst
 *  of a quarter of that at least 10 */
enum bucket_verdict bucket_take(struct buckets *b, const struct sa *addr,
				unsigned per_min, uint64_t now_ms);

/* digest_server.c ---------------------------------------------------------- */

/** Nonces are made from a key and the time, so nothing is kept of those who
 *  only ask; of those used the last ones are, against copies */
struct nonces {
	uint8_t key[NONCE_KEY_LEN];
	bool made;
	uint64_t usedv[NONCES_KEPT];
	unsigned usedc;
};

enum auth_verdict {
	AUTH_GOOD,
	AUTH_NONE,                  /* nothing for this realm                 */
	AUTH_STALE,                 /* right, but the nonce is too old        */
	AUTH_WRONG,
};
enum auth_verdict auth_check(struct nonces *n, const struct sip_msg *msg,
			     const struct sip_creds *creds,
			     const char *realm, uint64_t now_ms);
/** WWW-Authenticate lines, the strongest algorithm first (RFC 8760) */
int  auth_challenge(char **lines, struct nonces *n,
		    const struct sip_creds *creds, const char *realm,
		    const struct sip_msg *msg, bool stale, uint64_t now_ms);

/* filter.c ----------------------------------------------------------------- */

struct filter {
	struct buckets buckets;
	struct nonces nonces;
	unsigned per_min;           /* 0: no limit                            */
};

/** The identity that this address is a server of, NULL: a stranger's */
const struct sip_ident *filter_ident(const struct sip_stack *s,
				     const struct sa *addr);
/** Does anybody of ours register with it? */
bool filter_server(const struct sip_stack *s, const struct sa *addr);

#endif
