/**
 * @file transform.c  A master key of SRTP at work (RFC 3711, 6188, 7714)
 *
 * Media thread.  The arithmetic is cipher.c's.  What a packet says is believed
 * when its tag is right, and not before: counters, windows and sources are
 * left alone until then, and so are its bytes.
 */
#include <openssl/crypto.h>
#include "bytes.h"
#include "cipher.h"
#include "priv.h"
#include "transform.h"


enum {
	WINDOW     = 1024,       /* packets that may come out of order      */
	SOURCES    = 8,          /* that are remembered                     */
	TAG_CM     = 10,         /* of RTCP, whatever RTP has (RFC 4568)    */
	RTCP_HEAD  = 8,
	INDEX      = 4,          /* of RTCP, with its E bit                 */
};

#define ENCRYPTED     0x80000000u        /* the E bit                       */
#define RTP_INDEX_MAX ((1ull << 48) - 1)

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


/* The transform ---------------------------------------------------------- */

static void destructor(void *arg)
{
	struct transform *t = arg;

	keys_end(&t->rtp);
	keys_end(&t->rtcp);
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
	if (!keys_set(&t->rtp, suite, out, rtp) ||
	    !keys_set(&t->rtcp, suite, out, rtcp)) {
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
