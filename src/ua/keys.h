/**
 * @file ua/keys.h  Keys and fingerprints in descriptions
 *
 * The attributes crypto (RFC 4568), fingerprint (RFC 8122) and setup (RFC
 * 4145), read and written; and what of them both sides can do.  Pure: the
 * keys of ours are given.  Main thread.
 */
#ifndef OFFHOOK_UA_KEYS_H
#define OFFHOOK_UA_KEYS_H

#include "negotiate.h"

/** One a=crypto line */
struct crypto_line {
	uint32_t tag;
	const struct media_suite *suite;
	uint8_t key[MEDIA_KEY_MAX];
	uint8_t mki[MEDIA_MKI_MAX];
	uint8_t mki_len;         /* 0: none                                 */
};

/** Read the value of a=crypto. @return 0, EBADMSG (malformed), ENOTSUP: a
 *  suite, several keys or a parameter that we do not speak */
int crypto_read(struct crypto_line *c, const char *p, size_t len);
/** Write it, with the key that protects what we send. @return 0, EOVERFLOW */
int crypto_print(char *buf, size_t sz, uint32_t tag,
		 const struct media_suite *suite, const uint8_t *key);

/** Read the value of a=fingerprint. @return 0, EBADMSG, ENOTSUP: a hash that
 *  we do not trust */
int print_read(struct media_print *print, const char *p, size_t len);
int print_print(char *buf, size_t sz, const struct media_print *print);

/** Is it a protocol of an m= line that needs keys; and those of DTLS? */
bool proto_secure(const struct pl *proto, bool *dtls);
/** Those with feedback (RFC 4585, 5124): they end in F */
bool proto_feedback(const struct pl *proto);
/** RTP/AVP, RTP/AVPF and their protected kin */
bool proto_known(const struct pl *proto);

/** The peer's keys into the plan and into the answer that we owe.
 *  @return false: the line cannot be used as it is, or may not */
bool nego_take_keys(struct media_plan *plan, struct nego *n,
		    const struct ability *ab, const struct desc_media *m,
		    bool offer);

#endif
