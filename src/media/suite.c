/**
 * @file suite.c  The transforms of SRTP that we speak, and other values
 *
 * Any thread; const data.
 */
#include <offhook/media_nat.h>
#include <offhook/media_secure.h>
#include <offhook/text.h>


static const struct media_suite suites[MEDIA_SUITES] = {
	{ "AEAD_AES_256_GCM",        "SRTP_AEAD_AES_256_GCM",   8, 32, 12 },
	{ "AEAD_AES_128_GCM",        "SRTP_AEAD_AES_128_GCM",   7, 16, 12 },
	{ "AES_256_CM_HMAC_SHA1_80", NULL,                      0, 32, 14 },
	{ "AES_256_CM_HMAC_SHA1_32", NULL,                      0, 32, 14 },
	{ "AES_CM_128_HMAC_SHA1_80", "SRTP_AES128_CM_SHA1_80",  1, 16, 14 },
	{ "AES_CM_128_HMAC_SHA1_32", "SRTP_AES128_CM_SHA1_32",  2, 16, 14 },
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
