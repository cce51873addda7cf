/**
 * @file srtp.c  The packets of a flow, protected (RFC 3711, 7714)
 *
 * Media thread.  libsrtp2 does the transforms and not libre, whose state one
 * forged packet moves for good.  A context of the peer's is made again only
 * when its key is another one; the old one lives on for what is under way.
 * Whether a peer's packet counter begins anew with a new key is told one way
 * by RFC 3711 (it does not) and done the other way by many, so the first
 * packet that opens decides.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <srtp2/srtp.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "priv.h"
#include "srtp.h"


enum {
	OVERLAP_US  = 5000000,   /* the old key is taken so long            */
	WINDOW      = 1024,      /* packets that may come out of order      */
	SOURCES     = 8,         /* of the peer's, remembered               */
	KEY_BYTES   = MEDIA_KEY_MAX,
};

/* Contexts that may open what comes, in the order they are tried */
enum { RX_NOW, RX_ROLLED, RX_OLD, RX_COUNT };

/* Keys that wait for the library */
struct pending {
	const struct media_suite *suite;
	uint8_t tx[KEY_BYTES], rx[KEY_BYTES], mki[MEDIA_MKI_MAX];
	size_t mki_len;
};

struct shield {
	struct pending pending;
	const struct media_suite *suite;
	uint8_t tx_key[KEY_BYTES], rx_key[KEY_BYTES];
	uint8_t mki[MEDIA_MKI_MAX];
	size_t mki_len;
	srtp_t tx;
	srtp_t rx[RX_COUNT];
	bool rx_mki[RX_COUNT];
	uint64_t old_until_us;
	uint32_t sources[SOURCES];       /* that have opened, host order    */
	unsigned sourcec, source_at;
	uint16_t tx_last;                /* number of our last packet       */
	bool tx_used, tx_rolled;
	struct shield_stats stats;
};


static void pending_clear(struct pending *p)
{
	explicit_bzero(p->tx, sizeof(p->tx));
	explicit_bzero(p->rx, sizeof(p->rx));
	explicit_bzero(p->mki, sizeof(p->mki));
	p->mki_len = 0;
	p->suite = NULL;
}


/* The library ------------------------------------------------------------ */

/* loaded by one thread, looked at by another */
static atomic_int library = EAGAIN;

static void library_start(void)
{
	atomic_store(&library, srtp_init() == srtp_err_status_ok ? 0 : ENOSYS);
}


int shield_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, library_start);

	return atomic_load(&library);
}


static int policy_set(srtp_policy_t *p, const struct media_suite *suite)
{
	typedef void (set_h)(srtp_crypto_policy_t *p);
	static set_h *const rtp[MEDIA_SUITES] = {
		srtp_crypto_policy_set_aes_gcm_256_16_auth,
		srtp_crypto_policy_set_aes_gcm_128_16_auth,
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
		srtp_crypto_policy_set_rtp_default,
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
	};
	/* the short tag is RTP's alone (RFC 4568 6.2.2) */
	static set_h *const rtcp[MEDIA_SUITES] = {
		srtp_crypto_policy_set_aes_gcm_256_16_auth,
		srtp_crypto_policy_set_aes_gcm_128_16_auth,
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		srtp_crypto_policy_set_rtp_default,
		srtp_crypto_policy_set_rtp_default,
	};
	const size_t i = (size_t)(suite - media_suite_table());

	if (i >= MEDIA_SUITES)
		return ENOSYS;

	rtp[i](&p->rtp);
	rtcp[i](&p->rtcp);

	return 0;
}


static size_t key_bytes(const struct media_suite *suite)
{
	return (size_t)suite->key_len + suite->salt_len;
}


/* ssrc 0: any */
static int context(srtp_t *cp, const struct media_suite *suite,
		   const uint8_t *key, const uint8_t *mki, size_t mki_len,
		   bool out, uint32_t ssrc)
{
	uint8_t k[KEY_BYTES], id[MEDIA_MKI_MAX];
	srtp_master_key_t mk = { .key = k, .mki_id = id };
	srtp_master_key_t *keys = &mk;
	srtp_policy_t p;
	srtp_err_status_t e;
	int err;

	memset(&p, 0, sizeof(p));
	err = policy_set(&p, suite);
	if (err)
		return err;

	memcpy(k, key, key_bytes(suite));
	p.window_size = WINDOW;
	p.ssrc.type = ssrc ? ssrc_specific :
		out ? ssrc_any_outbound : ssrc_any_inbound;
	p.ssrc.value = ssrc;

	if (mki_len) {
		memcpy(id, mki, mki_len);
		mk.mki_size = (unsigned)mki_len;
		p.keys = &keys;
		p.num_master_keys = 1;
	}
	else {
		p.key = k;
	}

	e = srtp_create(cp, &p);
	explicit_bzero(k, sizeof(k));

	return e == srtp_err_status_ok ? 0 :
		e == srtp_err_status_alloc_fail ? ENOMEM : ENOSYS;
}


static srtp_t drop(srtp_t c)
{
	if (c)
		(void)srtp_dealloc(c);

	return NULL;
}


/* The shield ------------------------------------------------------------- */

static void destructor(void *arg)
{
	struct shield *s = arg;

	(void)drop(s->tx);
	for (unsigned i = 0; i < RX_COUNT; i++)
		(void)drop(s->rx[i]);

	pending_clear(&s->pending);
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


static int tx_set(struct shield *s, const struct media_suite *suite,
		  const uint8_t *key)
{
	srtp_t c;
	int err;

	if (s->tx && s->suite == suite &&
	    !memcmp(s->tx_key, key, key_bytes(suite)))
		return 0;

	err = context(&c, suite, key, NULL, 0, true, 0);
	if (err)
		return err;

	(void)drop(s->tx);
	s->tx = c;
	s->tx_used = s->tx_rolled = false;
	memcpy(s->tx_key, key, key_bytes(suite));

	return 0;
}


/* The rollover counter of whom we heard last; 0 as well when nobody was */
static uint32_t roc_now(const struct shield *s, uint32_t *ssrc)
{
	uint32_t roc = 0;

	if (!s->rx[RX_NOW] || !s->sourcec)
		return 0;

	*ssrc = s->sources[s->source_at];
	if (srtp_get_stream_roc(s->rx[RX_NOW], *ssrc, &roc))
		return 0;

	return roc;
}


static int rx_set(struct shield *s, const struct media_suite *suite,
		  const uint8_t *key, const uint8_t *mki, size_t mki_len,
		  uint64_t now_us)
{
	uint32_t ssrc = 0, roc = 0;
	srtp_t c, rolled = NULL;
	int err;

	if (s->rx[RX_NOW] && s->suite == suite && s->mki_len == mki_len &&
	    !memcmp(s->rx_key, key, key_bytes(suite)) &&
	    !(mki_len && memcmp(s->mki, mki, mki_len)))
		return 0;

	err = context(&c, suite, key, mki, mki_len, false, 0);
	if (err)
		return err;

	roc = roc_now(s, &ssrc);
	if (roc && !context(&rolled, suite, key, mki, mki_len, false, ssrc) &&
	    srtp_set_stream_roc(rolled, ssrc, roc))
		rolled = drop(rolled);

	(void)drop(s->rx[RX_OLD]);
	(void)drop(s->rx[RX_ROLLED]);
	s->rx[RX_OLD] = s->rx[RX_NOW];
	s->rx_mki[RX_OLD] = s->rx_mki[RX_NOW];
	s->rx[RX_NOW] = c;
	s->rx[RX_ROLLED] = rolled;
	s->rx_mki[RX_NOW] = s->rx_mki[RX_ROLLED] = mki_len > 0;
	s->old_until_us = now_us + OVERLAP_US;
	s->sourcec = s->source_at = 0;
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

	err = atomic_load(&library);
	if (err == EAGAIN) {
		struct pending *p = &s->pending;

		p->suite = suite;
		memcpy(p->tx, tx, key_bytes(suite));
		memcpy(p->rx, rx, key_bytes(suite));
		if (mki_len)
			memcpy(p->mki, mki, mki_len);
		p->mki_len = mki_len;
		return 0;
	}
	if (err)
		return err;

	err = rx_set(s, suite, rx, mki, mki_len, now_us);
	if (!err)
		err = tx_set(s, suite, tx);
	if (!err)
		s->suite = suite;

	return err;
}


int shield_poll(struct shield *s, uint64_t now_us)
{
	struct pending *p = &s->pending;
	int err;

	if (!p->suite || atomic_load(&library) == EAGAIN)
		return 0;

	err = shield_key(s, p->suite, p->tx, p->rx, p->mki, p->mki_len,
			 now_us);
	pending_clear(p);

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
	int n = (int)*len;
	srtp_err_status_t e;

	if (!s->suite)
		return ENOTCONN;

	if (!rtcp) {
		const uint16_t seq = (uint16_t)(p[2] << 8 | p[3]);

		s->tx_rolled = s->tx_rolled ||
			(s->tx_used && seq < s->tx_last);
		s->tx_used = true;
		s->tx_last = seq;
	}

	e = rtcp ? srtp_protect_rtcp(s->tx, p, &n) :
		srtp_protect(s->tx, p, &n);
	if (e)
		return EPROTO;

	*len = (size_t)n;

	return 0;
}


/* Many sources would fill the memory, though each has the key */
static void source_note(struct shield *s, srtp_t c, uint32_t ssrc)
{
	if (s->sourcec && s->sources[s->source_at] == ssrc)
		return;

	for (unsigned i = 0; i < s->sourcec; i++) {
		if (s->sources[i] == ssrc) {
			s->source_at = i;
			return;
		}
	}

	if (s->sourcec < SOURCES) {
		s->source_at = s->sourcec++;
	}
	else {
		s->source_at = (s->source_at + 1) % SOURCES;
		(void)srtp_remove_stream(c, htonl(s->sources[s->source_at]));
	}

	s->sources[s->source_at] = ssrc;
}


/* One of the contexts of the new key has opened: it is the one */
static void rx_settle(struct shield *s, unsigned at)
{
	if (at == RX_ROLLED) {
		(void)drop(s->rx[RX_NOW]);
		s->rx[RX_NOW] = s->rx[RX_ROLLED];
		s->rx[RX_ROLLED] = NULL;
	}
	else if (at == RX_NOW) {
		s->rx[RX_ROLLED] = drop(s->rx[RX_ROLLED]);
	}
}


static srtp_err_status_t open_with(struct shield *s, unsigned at, bool rtcp,
				   uint8_t *p, int *n)
{
	return rtcp ? srtp_unprotect_rtcp_mki(s->rx[at], p, n, s->rx_mki[at]) :
		srtp_unprotect_mki(s->rx[at], p, n, s->rx_mki[at]);
}


static void count(struct shield *s, srtp_err_status_t e)
{
	switch (e) {

	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		++s->stats.replayed;
		break;

	case srtp_err_status_bad_param:
	case srtp_err_status_parse_err:
		++s->stats.malformed;
		break;

	default:
		++s->stats.forged;
		break;
	}
}


static uint32_t ssrc_of(const uint8_t *p, bool rtcp)
{
	p += rtcp ? 4 : 8;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		(uint32_t)p[2] << 8 | p[3];
}


int shield_open(struct shield *s, bool rtcp, uint8_t *p, size_t *len,
		uint64_t now_us)
{
	srtp_err_status_t first = srtp_err_status_auth_fail, e;
	uint8_t copy[PACKET_MAX];
	bool several;

	if (!s->suite)
		return ENOTCONN;

	if (*len < (rtcp ? 8u : RTP_HEADER) || *len > sizeof(copy) ||
	    p[0] >> 6 != 2) {
		++s->stats.malformed;
		return EBADMSG;
	}

	if (s->rx[RX_OLD] && now_us > s->old_until_us)
		s->rx[RX_OLD] = drop(s->rx[RX_OLD]);

	/* a failure may leave the packet in pieces */
	several = s->rx[RX_OLD] || s->rx[RX_ROLLED];
	if (several)
		memcpy(copy, p, *len);

	for (unsigned i = 0; i < RX_COUNT; i++) {
		int n = (int)*len;

		if (!s->rx[i])
			continue;
		if (i)
			memcpy(p, copy, *len);

		e = open_with(s, i, rtcp, p, &n);
		if (!e) {
			*len = (size_t)n;
			rx_settle(s, i);
			if (i != RX_OLD && !rtcp)
				source_note(s, s->rx[RX_NOW], ssrc_of(p, rtcp));
			return 0;
		}
		if (i == RX_NOW)
			first = e;
	}

	count(s, first);

	return EBADMSG;
}
