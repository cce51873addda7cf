/**
 * @file media/srtp.h  The packets of a flow, protected (RFC 3711, 7714)
 *
 * A shield stands between a flow and its sockets.  It is closed until it has
 * keys: nothing goes out and nothing comes in.  A packet that is forged,
 * replayed or cut is counted and dropped and changes nothing else.  Media
 * thread.
 */
#ifndef OFFHOOK_MEDIA_SRTP_H
#define OFFHOOK_MEDIA_SRTP_H

#include <offhook/media_secure.h>

enum {
	SHIELD_ROOM = 64,        /* what a packet may grow by               */
};

struct shield;

struct shield_stats {
	uint64_t forged;         /* not made with the key                   */
	uint64_t replayed;       /* came before, or is too old to tell      */
	uint64_t malformed;      /* too short, no RTP                       */
};

/** Closed. @return 0, ENOMEM */
int  shield_alloc(struct shield **sp);
/**
 * Keys for both directions, suite->key_len + salt_len bytes each. What stays
 * the same goes on as it was, its rollover counters too. A new key of the
 * peer is taken beside the old one for a moment, since what it protected is
 * still on the way, and whether its counters began anew or not.
 *
 * mki, mki_len: what stands in the peer's packets, 0: nothing.
 *
 * @return 0, ENOMEM, ENOSYS (this system's OpenSSL does not know the suite)
 */
int  shield_key(struct shield *s, const struct media_suite *suite,
		const uint8_t *tx, const uint8_t *rx,
		const uint8_t *mki, size_t mki_len, uint64_t now_us);
bool shield_ready(const struct shield *s);
const struct media_suite *shield_suite(const struct shield *s);
/** Has so much been sent with our key that a new one must not repeat it?
 *  Then, with a new key, a new source has to be begun (RFC 3711 3.3.1) */
bool shield_rolled(const struct shield *s);

/** In place, SHIELD_ROOM behind. @return 0, ENOTCONN (closed), EPROTO */
int  shield_seal(struct shield *s, bool rtcp, uint8_t *p, size_t *len);
/** In place. @return 0, ENOTCONN, EBADMSG (dropped and counted) */
int  shield_open(struct shield *s, bool rtcp, uint8_t *p, size_t *len,
		 uint64_t now_us);
void shield_stats(const struct shield *s, struct shield_stats *st);

#endif
