/**
 * @file media_secure.h  How the packets of a stream are protected (SRTP)
 *
 * Values only: which transform, and how both sides come to have its keys.
 * What is negotiated is ua's, what is done with it is the media thread's.
 * Keys are in here: whoever copies one overwrites the copy (explicit_bzero),
 * and nothing of it is ever printed.
 */
#ifndef OFFHOOK_MEDIA_SECURE_H
#define OFFHOOK_MEDIA_SECURE_H

#include <stddef.h>
#include <stdint.h>
#include "offhook/compat.h"

enum {
	MEDIA_SUITES  = 8,
	MEDIA_KEY_MAX = 46,      /* master key and salt, one behind the other */
	MEDIA_MKI_MAX = 16,
	MEDIA_PRINT_MAX = 64,    /* of a certificate: SHA-512                */
};

/** A transform of SRTP */
struct media_suite {
	const char *name;        /* as in a=crypto (RFC 4568, 6188, 7714)    */
	const char *dtls;        /* OpenSSL's name of the protection profile,
				    NULL: DTLS has none for it               */
	uint16_t profile;        /* its number there (RFC 5764, 7714)        */
	uint8_t key_len, salt_len;
	uint8_t tag_len;         /* of RTP                                   */
	bool aead;               /* GCM, else counter mode and HMAC-SHA1     */
	bool quiet;              /* taken when offered, and not offered: few
				    know it, and descriptions grow           */
};

/** All that we speak, the strongest first: MEDIA_SUITES rows */
const struct media_suite *media_suite_table(void);
/** By its name in a=crypto, in any case of letters; NULL: not spoken */
const struct media_suite *media_suite_find(const char *name, size_t len);

enum media_keying {
	MEDIA_KEYS_NONE,         /* plain RTP                                */
	MEDIA_KEYS_SDES,         /* keys stand in the descriptions           */
	MEDIA_KEYS_DTLS,         /* agreed on between the phones (RFC 5764)  */
};

/** Fingerprint of a certificate (RFC 8122) */
struct media_print {
	char hash[12];           /* sha-256 ..., small letters               */
	uint8_t v[MEDIA_PRINT_MAX];
	uint8_t len;             /* 0: none                                  */
};

struct media_secure {
	enum media_keying keying;

	/* SDES: what protects packets of ours, and of theirs */
	const struct media_suite *suite;
	uint8_t tx[MEDIA_KEY_MAX], rx[MEDIA_KEY_MAX];
	uint8_t rx_mki[MEDIA_MKI_MAX];  /* stands in their packets           */
	uint8_t rx_mki_len;

	/* DTLS */
	bool active;             /* we begin the handshake                   */
	struct media_print print;       /* who the peer must turn out to be  */
};

bool media_secure_equal(const struct media_secure *a,
			const struct media_secure *b);

#endif
