/**
 * @file suite.c  The transforms of SRTP that we speak, and other values
 *
 * Any thread; const data.
 */
#include <offhook/media_nat.h>
#include <offhook/media_secure.h>
#include <offhook/text.h>


static const struct media_suite suites[MEDIA_SUITES] = {
	{ .name = "AEAD_AES_256_GCM", .dtls = "SRTP_AEAD_AES_256_GCM",
	  .profile = 8, .key_len = 32, .salt_len = 12, .tag_len = 16,
	  .aead = true },
	{ .name = "AEAD_AES_128_GCM", .dtls = "SRTP_AEAD_AES_128_GCM",
	  .profile = 7, .key_len = 16, .salt_len = 12, .tag_len = 16,
	  .aead = true },
	{ .name = "AES_256_CM_HMAC_SHA1_80", .key_len = 32, .salt_len = 14,
	  .tag_len = 10 },
	{ .name = "AES_256_CM_HMAC_SHA1_32", .key_len = 32, .salt_len = 14,
	  .tag_len = 4 },
	{ .name = "AES_192_CM_HMAC_SHA1_80", .key_len = 24, .salt_len = 14,
	  .tag_len = 10, .quiet = true },
	{ .name = "AES_192_CM_HMAC_SHA1_32", .key_len = 24, .salt_len = 14,
	  .tag_len = 4, .quiet = true },
	{ .name = "AES_CM_128_HMAC_SHA1_80", .dtls = "SRTP_AES128_CM_SHA1_80",
	  .profile = 1, .key_len = 16, .salt_len = 14, .tag_len = 10 },
	{ .name = "AES_CM_128_HMAC_SHA1_32", .dtls = "SRTP_AES128_CM_SHA1_32",
	  .profile = 2, .key_len = 16, .salt_len = 14, .tag_len = 4 },
};


const struct media_suite *media_suite_table(void)
{
	return suites;
}


const struct media_suite *media_suite_find(const char *name, size_t len)
{
	for (size_t i = 0; name && i < MEDIA_SUITES; i++) {
		if (text_caseeq(name, len, suites[i].name))
			return &suites[i];
	}

	return NULL;
}


static bool print_equal(const struct media_print *a,
			const struct media_print *b)
{
	return a->len == b->len && !strcmp(a->hash, b->hash) &&
		!memcmp(a->v, b->v, a->len);
}


bool media_secure_equal(const struct media_secure *a,
			const struct media_secure *b)
{
	if (a->keying != b->keying)
		return false;

	switch (a->keying) {

	case MEDIA_KEYS_SDES:
		return a->suite == b->suite &&
			!memcmp(a->tx, b->tx, sizeof(a->tx)) &&
			!memcmp(a->rx, b->rx, sizeof(a->rx)) &&
			a->rx_mki_len == b->rx_mki_len &&
			!memcmp(a->rx_mki, b->rx_mki, a->rx_mki_len);

	case MEDIA_KEYS_DTLS:
		return a->active == b->active &&
			print_equal(&a->print, &b->print);

	case MEDIA_KEYS_NONE:
		break;
	}

	return true;
}


const char *media_cand_name(enum media_cand_type type)
{
	static const char *const names[] = {
		[CAND_HOST] = "host", [CAND_SRFLX] = "srflx",
		[CAND_PRFLX] = "prflx", [CAND_RELAY] = "relay",
	};

	return names[type];
}


bool media_ice_equal(const struct media_ice *a, const struct media_ice *b)
{
	return a->on == b->on && (!a->on || (!strcmp(a->ufrag, b->ufrag) &&
		!strcmp(a->pwd, b->pwd) &&
		!strcmp(a->peer_ufrag, b->peer_ufrag) &&
		!strcmp(a->peer_pwd, b->peer_pwd)));
}
