/**
 * @file transform.c  A master key of SRTP at work (RFC 3711, 6188, 7714)
 *
 * Media thread.  OpenSSL does the arithmetic: the ciphers keep their keys and
 * get a new start vector for each packet, and the state of HMAC behind its
 * key is kept and copied, which is what makes it cheap.  What a packet says
 * is believed when its tag is right, and not before: counters, windows and
 * sources are left alone until then, and so are its bytes.
 */
/* SHA-1 by its plain functions: a copy of the state is a few words, where
 * EVP allocates one for each packet */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include "bytes.h"
#include "priv.h"
#include "transform.h"


enum {
	WINDOW     = 1024,       /* packets that may come out of order      */
	SOURCES    = 8,          /* that are remembered                     */
	TAG_CM     = 10,         /* of RTCP, whatever RTP has (RFC 4568)    */
	TAG_AEAD   = 16,
	TAG_MAX    = 20,
	RTCP_HEAD  = 8,
	INDEX      = 4,          /* of RTCP, with its E bit                 */
	IV_MAX     = 16,
	GCM_IV     = 12,
};

#define ENCRYPTED     0x80000000u        /* the E bit                       */
#define RTP_INDEX_MAX ((1ull << 48) - 1)

/* Labels of key derivation (RFC 3711 4.3) */
enum { LABEL_KEY, LABEL_AUTH, LABEL_SALT, LABELS };

/* HMAC behind the first block of each of its two hashes */
struct mac {
	SHA_CTX in, out;
};

/* What protects RTP, or RTCP */
struct keys {
	EVP_CIPHER_CTX *cipher;
	struct mac mac;
	uint8_t salt[IV_MAX];    /* behind it zeros                         */
};

/* Which of the latest numbers have been */
struct window {
	bool any;
	uint64_t high;           /* the highest                             */
	uint64_t seen[WINDOW / 64];      /* number n is bit n % WINDOW      */
};

struct peer {
	uint32_t ssrc;
	struct window rtp, rtcp;
};

struct transform {
	const struct media_suite *suite;
	bool out;
	struct keys rtp, rtcp;
	uint8_t mki[MEDIA_MKI_MAX];
	size_t mki_len;
	struct peer peers[SOURCES];
	unsigned peerc;
	unsigned last;           /* whose RTP was the latest, +1; 0: nobody */
	unsigned next;           /* who is forgotten next                   */
	bool expects;
	uint32_t expect_ssrc;
	uint64_t expect_index;
	uint32_t rtcp_sent;      /* index of the next                       */
};


/* Windows ---------------------------------------------------------------- */

static bool window_fresh(const struct window *w, uint64_t n)
{
	if (!w->any || n > w->high)
		return true;

	return w->high - n < WINDOW &&
		!(w->seen[n % WINDOW / 64] >> n % 64 & 1);
}


static void window_add(struct window *w, uint64_t n)
{
	if (!w->any || (n > w->high && n - w->high >= WINDOW)) {
		memset(w->seen, 0, sizeof(w->seen));
		w->any = true;
		w->high = n;
	}

	while (w->high < n) {
		++w->high;
		w->seen[w->high % WINDOW / 64] &= ~(1ull << w->high % 64);
	}

	w->seen[n % WINDOW / 64] |= 1ull << n % 64;
}


/* The number nearest to high that ends in seq (RFC 3711 3.3.1) */
static uint64_t nearest(uint64_t high, uint16_t seq)
{
	const int16_t ahead = (int16_t)(uint16_t)(seq - (uint16_t)high);

	/* nothing was before the first */
	if (ahead < 0 && high < (uint64_t)-(int64_t)ahead)
		return seq;

	return high + (uint64_t)(int64_t)ahead;
}


static struct peer *peer_find(struct transform *t, uint32_t ssrc)
{
	if (t->last && t->peers[t->last - 1].ssrc == ssrc)
		return &t->peers[t->last - 1];

	for (unsigned i = 0; i < t->peerc; i++) {
		if (t->peers[i].ssrc == ssrc)
			return &t->peers[i];
	}

	return NULL;
}


/* Many would fill the memory, though each of them has the key */
static struct peer *peer_new(struct transform *t, uint32_t ssrc)
{
	struct peer *s;

	if (t->peerc < SOURCES) {
		s = &t->peers[t->peerc++];
	}
	else {
		s = &t->peers[t->next];
		t->next = (t->next + 1) % SOURCES;
	}

	memset(s, 0, sizeof(*s));
	s->ssrc = ssrc;

	return s;
}


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


/* Of two pieces, one behind the other */
static void mac_make(const struct mac *m, uint8_t tag[TAG_MAX],
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
static void iv_make(uint8_t iv[IV_MAX], const struct keys *k, bool aead,
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


static int cm_run(const struct keys *k, const uint8_t *iv, uint8_t *p,
		  size_t len)
{
	int n;

	if (EVP_EncryptInit_ex(k->cipher, NULL, NULL, NULL, iv) != 1)
		return EPROTO;

	return !len || EVP_EncryptUpdate(k->cipher, p, &n, p, (int)len) == 1 ?
		0 : EPROTO;
}


/* What is only authenticated comes in two pieces; the tag is put to, or
 * compared with, tag */
static int gcm_run(const struct keys *k, bool out, const uint8_t *iv,
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


static bool keys_set(struct keys *k, const struct transform *t,
		     const struct session *v)
{
	const struct media_suite *s = t->suite;
	const EVP_CIPHER *cipher = !s->aead ? counter_mode(s) :
		s->key_len == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();

	memcpy(k->salt, v->salt, sizeof(v->salt));
	mac_key(&k->mac, v->auth);

	k->cipher = EVP_CIPHER_CTX_new();

	return k->cipher && EVP_CipherInit_ex(k->cipher, cipher, NULL, v->key,
					      NULL, t->out || !s->aead) == 1;
}


static void destructor(void *arg)
{
	struct transform *t = arg;

	/* these overwrite what they held */
	EVP_CIPHER_CTX_free(t->rtp.cipher);
	EVP_CIPHER_CTX_free(t->rtcp.cipher);
	OPENSSL_cleanse(&t->rtp, sizeof(t->rtp));
	OPENSSL_cleanse(&t->rtcp, sizeof(t->rtcp));
}


int transform_of(struct transform **tp, const struct media_suite *suite,
		 const struct session *rtp, const struct session *rtcp,
		 bool out)
{
	struct transform *t = mem_zalloc(sizeof(*t), destructor);

	if (!t)
		return ENOMEM;

	t->suite = suite;
	t->out = out;
	if (!keys_set(&t->rtp, t, rtp) || !keys_set(&t->rtcp, t, rtcp)) {
		ERR_clear_error();
		mem_deref(t);
		return ENOSYS;
	}

	*tp = t;

	return 0;
}


int transform_alloc(struct transform **tp, const struct media_suite *suite,
		    const uint8_t *key, bool out)
{
	struct session v[2];
	int err = transform_derive(&v[0], &v[1], suite, key);

	if (!err)
		err = transform_of(tp, suite, &v[0], &v[1], out);
	OPENSSL_cleanse(v, sizeof(v));

	return err;
}


void transform_mki(struct transform *t, const uint8_t *mki, size_t len)
{
	memcpy(t->mki, mki, len);
	t->mki_len = len;
}


bool transform_last(const struct transform *t, uint32_t *ssrc, uint64_t *index)
{
	const struct peer *s = t->last ? &t->peers[t->last - 1] : NULL;

	if (!s)
		return false;

	*ssrc = s->ssrc;
	*index = s->rtp.high;

	return true;
}


void transform_expect(struct transform *t, uint32_t ssrc, uint64_t index)
{
	t->expects = true;
	t->expect_ssrc = ssrc;
	t->expect_index = index;
}


/* RTP -------------------------------------------------------------------- */

/* Up to the payload, 0: it is no RTP */
static size_t rtp_head(const uint8_t *p, size_t len)
{
	size_t n;

	if (len < RTP_HEADER || p[0] >> 6 != 2)
		return 0;

	n = RTP_HEADER + 4 * (size_t)(p[0] & 0x0f);
	if (p[0] & 0x10) {
		if (len < n + 4)
			return 0;
		n += 4 + 4 * (size_t)get_u16(p + n + 2);
	}

	return n <= len ? n : 0;
}


static int rtp_seal(struct transform *t, uint8_t *p, size_t *len)
{
	const struct media_suite *suite = t->suite;
	const size_t head = rtp_head(p, *len);
	const uint32_t ssrc = head ? get_u32(p + 8) : 0;
	uint8_t iv[IV_MAX], roc[4], tag[TAG_MAX];
	struct peer *s = peer_find(t, ssrc);
	uint64_t index;
	int err;

	if (!head)
		return EPROTO;

	index = s && s->rtp.any ? nearest(s->rtp.high, get_u16(p + 2)) :
		get_u16(p + 2);
	if (index > RTP_INDEX_MAX || (s && !window_fresh(&s->rtp, index)))
		return EPROTO;

	iv_make(iv, &t->rtp, suite->aead, ssrc, index);
	if (suite->aead) {
		err = gcm_run(&t->rtp, true, iv, p, head, NULL, 0, p + head,
			      p + head, *len - head, tag);
	}
	else {
		err = cm_run(&t->rtp, iv, p + head, *len - head);
		put_u32(roc, (uint32_t)(index >> 16));
		mac_make(&t->rtp.mac, tag, p, *len, roc, sizeof(roc));
	}
	if (err)
		return EPROTO;

	memcpy(p + *len, tag, suite->tag_len);
	*len += suite->tag_len;

	if (!s)
		s = peer_new(t, ssrc);
	window_add(&s->rtp, index);
	t->last = (unsigned)(s - t->peers) + 1;

	return 0;
}


/* Is that its number? n: bytes without tag and MKI. Then it is opened */
static int rtp_try(struct transform *t, uint64_t index, uint8_t *p,
		   size_t head, size_t n)
{
	const struct media_suite *suite = t->suite;
	uint8_t iv[IV_MAX], roc[4], tag[TAG_MAX], plain[PACKET_MAX];
	int err;

	iv_make(iv, &t->rtp, suite->aead, get_u32(p + 8), index);

	if (suite->aead) {
		err = gcm_run(&t->rtp, false, iv, p, head, NULL, 0, plain,
			      p + head, n - head, p + n);
		if (!err)
			memcpy(p + head, plain, n - head);
		return err;
	}

	put_u32(roc, (uint32_t)(index >> 16));
	mac_make(&t->rtp.mac, tag, p, n, roc, sizeof(roc));
	if (CRYPTO_memcmp(tag, p + n + t->mki_len, suite->tag_len))
		return EBADMSG;

	return cm_run(&t->rtp, iv, p + head, n - head);
}


/*
 * A source that was not heard yet: its counter has not turned over, or is as
 * far as the one whose key this one follows.  Or it began near the end of its
 * numbers, and turned over before we listened.
 */
static int rtp_first(const struct transform *t, uint32_t ssrc, uint16_t seq,
		     uint64_t v[3])
{
	unsigned n = 0;

	v[n++] = seq;
	if (t->expects && t->expect_ssrc == ssrc &&
	    nearest(t->expect_index, seq) != seq)
		v[n++] = nearest(t->expect_index, seq);
	if (v[n - 1] != (1u << 16 | seq))
		v[n++] = 1u << 16 | seq;

	return (int)n;
}


static int open_rtp(struct transform *t, uint8_t *p, size_t *len)
{
	const size_t trailer = t->suite->tag_len + t->mki_len;
	const size_t n = *len > trailer ? *len - trailer : 0;
	const size_t head = rtp_head(p, n);
	uint64_t index[3];
	struct peer *s;
	int err, count = 1;

	if (!head)
		return EPROTO;

	s = peer_find(t, get_u32(p + 8));
	if (s && s->rtp.any)
		index[0] = nearest(s->rtp.high, get_u16(p + 2));
	else
		count = rtp_first(t, get_u32(p + 8), get_u16(p + 2), index);

	if (index[0] > RTP_INDEX_MAX || (s && !window_fresh(&s->rtp, index[0])))
		return EALREADY;

	err = EBADMSG;
	for (int i = 0; err && i < count; i++) {
		err = rtp_try(t, index[i], p, head, n);
		if (!err)
			index[0] = index[i];
	}
	if (err)
		return err;

	if (!s)
		s = peer_new(t, get_u32(p + 8));
	window_add(&s->rtp, index[0]);
	t->last = (unsigned)(s - t->peers) + 1;
	*len = n;

	return 0;
}


/* RTCP ------------------------------------------------------------------- */

static int rtcp_seal(struct transform *t, uint8_t *p, size_t *len)
{
	const struct media_suite *suite = t->suite;
	uint8_t iv[IV_MAX], tag[TAG_MAX], word[INDEX];
	const size_t n = *len;
	int err;

	if (n < RTCP_HEAD || t->rtcp_sent & ENCRYPTED)
		return EPROTO;

	put_u32(word, ENCRYPTED | t->rtcp_sent);
	iv_make(iv, &t->rtcp, suite->aead, get_u32(p + 4), t->rtcp_sent);

	if (suite->aead) {
		err = gcm_run(&t->rtcp, true, iv, p, RTCP_HEAD, word, INDEX,
			      p + RTCP_HEAD, p + RTCP_HEAD, n - RTCP_HEAD,
			      p + n);
		memcpy(p + n + TAG_AEAD, word, INDEX);
		*len = n + TAG_AEAD + INDEX;
	}
	else {
		err = cm_run(&t->rtcp, iv, p + RTCP_HEAD, n - RTCP_HEAD);
		memcpy(p + n, word, INDEX);
		mac_make(&t->rtcp.mac, tag, p, n + INDEX, NULL, 0);
		memcpy(p + n + INDEX, tag, TAG_CM);
		*len = n + INDEX + TAG_CM;
	}
	++t->rtcp_sent;

	return err ? EPROTO : 0;
}


/* n: bytes without index, MKI and tag; word: the index. Then it is opened */
static int rtcp_try(struct transform *t, uint8_t *p, size_t n,
		    const uint8_t *word)
{
	const bool encrypted = get_u32(word) & ENCRYPTED;
	const size_t head = encrypted ? RTCP_HEAD : n;
	uint8_t iv[IV_MAX], tag[TAG_MAX], plain[PACKET_MAX];
	int err;

	iv_make(iv, &t->rtcp, t->suite->aead, get_u32(p + 4),
		get_u32(word) & ~ENCRYPTED);

	if (t->suite->aead) {
		err = gcm_run(&t->rtcp, false, iv, p, head, word, INDEX, plain,
			      p + head, n - head, p + n);
		if (!err)
			memcpy(p + head, plain, n - head);
		return err;
	}

	mac_make(&t->rtcp.mac, tag, p, n + INDEX, NULL, 0);
	if (CRYPTO_memcmp(tag, p + n + INDEX + t->mki_len, TAG_CM))
		return EBADMSG;

	return cm_run(&t->rtcp, iv, p + head, n - head);
}


static int open_rtcp(struct transform *t, uint8_t *p, size_t *len)
{
	const bool aead = t->suite->aead;
	const size_t tag = aead ? TAG_AEAD : TAG_CM;
	const size_t trailer = tag + INDEX + t->mki_len;
	const uint8_t *word;
	struct peer *s;
	uint32_t index;
	size_t n;
	int err;

	if (*len < RTCP_HEAD + trailer || p[0] >> 6 != 2)
		return EPROTO;

	n = *len - trailer;
	word = p + n + (aead ? tag : 0);
	index = get_u32(word) & ~ENCRYPTED;

	s = peer_find(t, get_u32(p + 4));
	if (s && !window_fresh(&s->rtcp, index))
		return EALREADY;

	err = rtcp_try(t, p, n, word);
	if (err)
		return err;

	if (!s)
		s = peer_new(t, get_u32(p + 4));
	window_add(&s->rtcp, index);
	*len = n;

	return 0;
}


/* Both ------------------------------------------------------------------- */

int transform_seal(struct transform *t, bool rtcp, uint8_t *p, size_t *len)
{
	if (*len > PACKET_MAX)
		return EPROTO;

	return rtcp ? rtcp_seal(t, p, len) : rtp_seal(t, p, len);
}


/* Where the MKI stands: behind the tag of an AEAD and its index (RFC 7714
 * 8.3, 9.3), before that of HMAC (RFC 3711 3.1, 3.4) */
static bool mki_right(const struct transform *t, bool rtcp, const uint8_t *p,
		      size_t len)
{
	const size_t behind = t->mki_len + (t->suite->aead ? 0 :
		rtcp ? TAG_CM : t->suite->tag_len);

	return len >= behind &&
		!memcmp(p + len - behind, t->mki, t->mki_len);
}


int transform_open(struct transform *t, bool rtcp, uint8_t *p, size_t *len)
{
	if (*len > PACKET_MAX)
		return EPROTO;
	if (t->mki_len && !mki_right(t, rtcp, p, *len))
		return EBADMSG;

	return rtcp ? open_rtcp(t, p, len) : open_rtp(t, p, len);
}
