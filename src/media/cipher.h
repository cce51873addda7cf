/**
 * @file media/cipher.h  The arithmetic of SRTP (RFC 3711, 6188, 7714)
 *
 * Session keys from a master key, the two kinds of cipher and HMAC-SHA1, with
 * OpenSSL.  Which packet is believed, and which number it has, is not looked
 * at here: see transform.c.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_CIPHER_H
#define OFFHOOK_MEDIA_CIPHER_H

#include <openssl/evp.h>
#include <openssl/sha.h>
#include "transform.h"

enum {
	TAG_AEAD   = 16,
	TAG_MAX    = 20,
	IV_MAX     = 16,
};

/** HMAC behind the first block of each of its two hashes */
struct mac {
	SHA_CTX in, out;
};

/** What protects RTP, or RTCP */
struct keys {
	EVP_CIPHER_CTX *cipher;
	struct mac mac;
	uint8_t salt[IV_MAX];    /* behind it zeros                         */
};

/** Ready for packets. out: it seals. @return false: this library does not know
 *  the cipher, or no memory */
bool keys_set(struct keys *k, const struct media_suite *suite, bool out,
	      const struct session *v);
/** All that it held is overwritten */
void keys_end(struct keys *k);

/** HMAC-SHA1 of two pieces, one behind the other; more_len may be 0 */
void mac_make(const struct mac *m, uint8_t tag[TAG_MAX],
	      const uint8_t *p, size_t len,
	      const uint8_t *more, size_t more_len);

/** Where a packet's key stream begins */
void iv_make(uint8_t iv[IV_MAX], const struct keys *k, bool aead,
	     uint32_t ssrc, uint64_t index);
/** AES in counter mode, in place, to seal as well as to open. @return 0,
 *  EPROTO */
int  cm_run(const struct keys *k, const uint8_t *iv, uint8_t *p, size_t len);
/** AES-GCM of p, put to to. What is only authenticated comes in two pieces;
 *  the tag is put to (out), or compared with, tag. @return 0, EBADMSG */
int  gcm_run(const struct keys *k, bool out, const uint8_t *iv,
	     const uint8_t *head, size_t head_len,
	     const uint8_t *more, size_t more_len,
	     uint8_t *to, const uint8_t *p, size_t len, uint8_t *tag);

#endif
