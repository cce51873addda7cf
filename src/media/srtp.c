/**
 * @file srtp.c  The packets of a flow, protected (RFC 3711, 7714)
 *
 * Media thread.  The transforms themselves are transform.c's, one a key and
 * direction.  A peer's is made again only when its key is another one; the
 * old one lives on for what is under way.  Whether a peer's packet counter
 * begins anew with a new key is told one way by RFC 3711 (it does not) and
 * done the other way by many, so the first packet that opens decides.
 */
#include "bytes.h"
#include "priv.h"
#include "srtp.h"
#include "transform.h"


enum {
	OVERLAP_US  = 5000000,   /* the old key is taken so long            */
	KEY_BYTES   = MEDIA_KEY_MAX,
};

struct shield {
	const struct media_suite *suite;
	uint8_t tx_key[KEY_BYTES], rx_key[KEY_BYTES];
	uint8_t mki[MEDIA_MKI_MAX];
	size_t mki_len;
	struct transform *tx, *rx;
	struct transform *old;           /* of the key before               */
	uint64_t old_until_us;
	uint16_t tx_last;                /* number of our last packet       */
	bool tx_used, tx_rolled;
	struct shield_stats stats;
};


static size_t key_bytes(const struct media_suite *suite)
{
	return (size_t)suite->key_len + suite->salt_len;
}


static void destructor(void *arg)
{
	struct shield *s = arg;

	mem_deref(s->tx);
	mem_deref(s->rx);
	mem_deref(s->old);
	explicit_bzero(s->tx_key, sizeof(s->tx_key));
	explicit_bzero(s->rx_key, sizeof(s->rx_key));
}


int shield_alloc(struct shield **sp)
{
	struct shield *s = mem_zalloc(sizeof(*s), destructor);
	if (!s)
		return ENOMEM;

	*sp = s;

	return 0;
}


/* Keys ------------------------------------------------------------------- */

static int tx_set(struct shield *s, const struct media_suite *suite,
		  const uint8_t *key)
{
	struct transform *t;
	int err;

	if (s->tx && s->suite == suite &&
	    !memcmp(s->tx_key, key, key_bytes(suite)))
		return 0;

	err = transform_alloc(&t, suite, key, true);
	if (err)
		return err;

	mem_deref(s->tx);
	s->tx = t;
	s->tx_used = s->tx_rolled = false;
	memcpy(s->tx_key, key, key_bytes(suite));

	return 0;
}


static int rx_set(struct shield *s, const struct media_suite *suite,
		  const uint8_t *key, const uint8_t *mki, size_t mki_len,
		  uint64_t now_us)
{
	struct transform *t;
	uint64_t index;
	uint32_t ssrc;
	int err;

	if (s->rx && s->suite == suite && s->mki_len == mki_len &&
	    !memcmp(s->rx_key, key, key_bytes(suite)) &&
	    !(mki_len && memcmp(s->mki, mki, mki_len)))
		return 0;

	err = transform_alloc(&t, suite, key, false);
	if (err)
		return err;

	if (mki_len)
		transform_mki(t, mki, mki_len);
	if (s->rx && transform_last(s->rx, &ssrc, &index))
		transform_expect(t, ssrc, index);

	mem_deref(s->old);
	s->old = s->rx;
	s->old_until_us = now_us + OVERLAP_US;
	s->rx = t;
	memcpy(s->rx_key, key, key_bytes(suite));
	s->mki_len = mki_len;
	if (mki_len)
		memcpy(s->mki, mki, mki_len);

	return 0;
}


int shield_key(struct shield *s, const struct media_suite *suite,
	       const uint8_t *tx, const uint8_t *rx,
	       const uint8_t *mki, size_t mki_len, uint64_t now_us)
{
	int err;

	if (!suite || mki_len > MEDIA_MKI_MAX)
		return EINVAL;

	err = rx_set(s, suite, rx, mki, mki_len, now_us);
	if (!err)
		err = tx_set(s, suite, tx);
	if (!err)
		s->suite = suite;

	return err;
}


bool shield_ready(const struct shield *s)
{
	return s->suite != NULL;
}


const struct media_suite *shield_suite(const struct shield *s)
{
	return s->suite;
}


bool shield_rolled(const struct shield *s)
{
	return s->tx_rolled;
}


void shield_stats(const struct shield *s, struct shield_stats *st)
{
	*st = s->stats;
}


/* Packets ---------------------------------------------------------------- */

int shield_seal(struct shield *s, bool rtcp, uint8_t *p, size_t *len)
{
	int err;

	if (!s->suite)
		return ENOTCONN;

	err = transform_seal(s->tx, rtcp, p, len);
	if (!err && !rtcp) {
		const uint16_t seq = get_u16(p + 2);

		s->tx_rolled = s->tx_rolled ||
			(s->tx_used && seq < s->tx_last);
		s->tx_used = true;
		s->tx_last = seq;
	}

	return err;
}


static void count(struct shield *s, int err)
{
	switch (err) {

	case EALREADY:
		++s->stats.replayed;
		break;

	case EPROTO:
		++s->stats.malformed;
		break;

	default:
		++s->stats.forged;
		break;
	}
}


int shield_open(struct shield *s, bool rtcp, uint8_t *p, size_t *len,
		uint64_t now_us)
{
	int err;

	if (!s->suite)
		return ENOTCONN;

	if (s->old && now_us > s->old_until_us)
		s->old = mem_deref(s->old);

	err = transform_open(s->rx, rtcp, p, len);
	if (!err || (s->old && !transform_open(s->old, rtcp, p, len)))
		return 0;

	count(s, err);

	return EBADMSG;
}
