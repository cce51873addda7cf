/**
 * @file cipher.c  The arithmetic of SRTP (RFC 3711, 6188, 7714)
 *
 * Media thread.  OpenSSL does it: the ciphers keep their keys and get a new
 * start vector for each packet, and the state of HMAC behind its key is kept
 * and copied, which is what makes it cheap.
 */
/* SHA-1 by its plain functions: a copy of the state is a few words, where
 * EVP allocates one for each packet */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/err.h>
#include "bytes.h"
#include "cipher.h"
#include "priv.h"


/* Labels of key derivation (RFC 3711 4.3) */
enum { LABEL_KEY, LABEL_AUTH, LABEL_SALT, LABELS };


/* HMAC-SHA1 -------------------------------------------------------------- */

static void mac_key(struct mac *m, const uint8_t key[SESSION_AUTH])
{
	uint8_t pad[SHA_CBLOCK];

	memset(pad, 0x36, sizeof(pad));
	for (unsigned i = 0; i < SESSION_AUTH; i++)
		pad[i] ^= key[i];
	(void)SHA1_Init(&m->in);
	(void)SHA1_Update(&m->in, pad, sizeof(pad));

	for (unsigned i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	(void)SHA1_Init(&m->out);
	(void)SHA1_Update(&m->out, pad, sizeof(pad));

	OPENSSL_cleanse(pad, sizeof(pad));
}


void mac_make(const struct mac *m, uint8_t tag[TAG_MAX],
	      const uint8_t *p, size_t len,
	      const uint8_t *more, size_t more_len)
{
	SHA_CTX c = m->in;

	(void)SHA1_Update(&c, p, len);
	if (more_len)
		(void)SHA1_Update(&c, more, more_len);
	(void)SHA1_Final(tag, &c);

	c = m->out;
	(void)SHA1_Update(&c, tag, SHA_DIGEST_LENGTH);
	(void)SHA1_Final(tag, &c);
}


/* Ciphers ---------------------------------------------------------------- */

/* Where a packet's key stream begins: of AES-CM (RFC 3711 4.1.1), of GCM
 * (RFC 7714 8.1, 9.1); two bytes are left out in front of the latter */
void iv_make(uint8_t iv[IV_MAX], const struct keys *k, bool aead,
	     uint32_t ssrc, uint64_t index)
{
	uint8_t v[IV_MAX] = { 0 };
	const unsigned at = aead ? 2 : 4;

	put_u32(v + at, ssrc);
	put_u16(v + at + 4, (uint16_t)(index >> 32));
	put_u32(v + at + 6, (uint32_t)index);

	for (unsigned i = 0; i < IV_MAX; i++)
		iv[i] = v[i] ^ k->salt[i];
}


int cm_run(const struct keys *k, const uint8_t *iv, uint8_t *p, size_t len)
{
	int n;

	if (EVP_EncryptInit_ex(k->cipher, NULL, NULL, NULL, iv) != 1)
		return EPROTO;

	return !len || EVP_EncryptUpdate(k->cipher, p, &n, p, (int)len) == 1 ?
		0 : EPROTO;
}


int gcm_run(const struct keys *k, bool out, const uint8_t *iv,
	    const uint8_t *head, size_t head_len,
	    const uint8_t *more, size_t more_len,
	    uint8_t *to, const uint8_t *p, size_t len, uint8_t *tag)
{
	EVP_CIPHER_CTX *c = k->cipher;
	uint8_t none[1];
	int n;

	if (EVP_CipherInit_ex(c, NULL, NULL, NULL, iv, -1) != 1 ||
	    (!out && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG,
					 TAG_AEAD, tag) != 1) ||
	    EVP_CipherUpdate(c, NULL, &n, head, (int)head_len) != 1 ||
	    (more_len &&
	     EVP_CipherUpdate(c, NULL, &n, more, (int)more_len) != 1) ||
	    (len && EVP_CipherUpdate(c, to, &n, p, (int)len) != 1) ||
	    EVP_CipherFinal_ex(c, none, &n) != 1 ||
	    (out && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG,
					TAG_AEAD, tag) != 1)) {
		/* TLS on this thread looks whether it is empty */
		ERR_clear_error();
		return EBADMSG;
	}

	return 0;
}


/* Keys ------------------------------------------------------------------- */

static const EVP_CIPHER *counter_mode(const struct media_suite *suite)
{
	return suite->key_len == 32 ? EVP_aes_256_ctr() :
		suite->key_len == 24 ? EVP_aes_192_ctr() : EVP_aes_128_ctr();
}


/* RFC 3711 4.3.1, with the key derivation rate 0 */
static bool derive(EVP_CIPHER_CTX *prf, uint8_t *v, size_t len,
		   const uint8_t *salt, size_t salt_len, unsigned label)
{
	uint8_t iv[IV_MAX] = { 0 };
	int n;

	memcpy(iv, salt, salt_len);
	iv[7] ^= (uint8_t)label;
	memset(v, 0, len);

	return EVP_EncryptInit_ex(prf, NULL, NULL, NULL, iv) == 1 &&
		EVP_EncryptUpdate(prf, v, &n, v, (int)len) == 1;
}


static bool session_make(struct session *v, const struct media_suite *suite,
			 EVP_CIPHER_CTX *prf, const uint8_t *salt,
			 unsigned first)
{
	memset(v, 0, sizeof(*v));

	return derive(prf, v->key, suite->key_len, salt, suite->salt_len,
		      first + LABEL_KEY) &&
		derive(prf, v->auth, sizeof(v->auth), salt, suite->salt_len,
		       first + LABEL_AUTH) &&
		derive(prf, v->salt, suite->salt_len, salt, suite->salt_len,
		       first + LABEL_SALT);
}


int transform_derive(struct session *rtp, struct session *rtcp,
		     const struct media_suite *suite, const uint8_t *key)
{
	const uint8_t *salt = key + suite->key_len;
	EVP_CIPHER_CTX *prf = EVP_CIPHER_CTX_new();
	int err = 0;

	if (!prf)
		return ENOMEM;

	if (EVP_EncryptInit_ex(prf, counter_mode(suite), NULL, key, NULL) != 1
	    || !session_make(rtp, suite, prf, salt, 0)
	    || !session_make(rtcp, suite, prf, salt, LABELS)) {
		ERR_clear_error();
		err = ENOSYS;
	}
	EVP_CIPHER_CTX_free(prf);

	return err;
}


bool keys_set(struct keys *k, const struct media_suite *suite, bool out,
	      const struct session *v)
{
	const EVP_CIPHER *cipher = !suite->aead ? counter_mode(suite) :
		suite->key_len == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();

	memcpy(k->salt, v->salt, sizeof(v->salt));
	mac_key(&k->mac, v->auth);

	k->cipher = EVP_CIPHER_CTX_new();
	if (k->cipher && EVP_CipherInit_ex(k->cipher, cipher, NULL, v->key,
					   NULL, out || !suite->aead) == 1)
		return true;

	ERR_clear_error();

	return false;
}


void keys_end(struct keys *k)
{
	/* this overwrites what it held */
	EVP_CIPHER_CTX_free(k->cipher);
	OPENSSL_cleanse(k, sizeof(*k));
}
