/**
 * @file media/transform.h  A master key of SRTP at work (RFC 3711)
 *
 * One direction, RTP and RTCP, any number of sources.  Packets are worked on
 * in place and nothing is allocated for them.  A packet that cannot be opened
 * is left as it came, and nothing is remembered of it.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_TRANSFORM_H
#define OFFHOOK_MEDIA_TRANSFORM_H

#include <offhook/media_secure.h>

enum {
	TRANSFORM_ROOM = 20,     /* what a packet may grow by               */
	SESSION_AUTH   = 20,     /* key of HMAC-SHA1                        */
};

/** What a master key is turned into, for RTP or for RTCP */
struct session {
	uint8_t key[32], auth[SESSION_AUTH], salt[14];
};

struct transform;

/** key: suite->key_len bytes, and then the salt. out: seals, else it opens.
 *  Free: mem_deref, which overwrites all keys. @return 0, ENOMEM, ENOSYS */
int  transform_alloc(struct transform **tp, const struct media_suite *suite,
		     const uint8_t *key, bool out);
/** The two steps of that (RFC 3711 4.3); whoever has a session overwrites it.
 *  @return 0, ENOMEM, ENOSYS */
int  transform_derive(struct session *rtp, struct session *rtcp,
		      const struct media_suite *suite, const uint8_t *key);
int  transform_of(struct transform **tp, const struct media_suite *suite,
		  const struct session *rtp, const struct session *rtcp,
		  bool out);
/** What must stand in each packet that is opened; len at most MEDIA_MKI_MAX */
void transform_mki(struct transform *t, const uint8_t *mki, size_t len);

/** Whom it heard last and how far that is: rollover counter and number in
 *  one. @return false: nobody */
bool transform_last(const struct transform *t, uint32_t *ssrc,
		    uint64_t *index);
/** When that source is heard first, it may be that far already */
void transform_expect(struct transform *t, uint32_t ssrc, uint64_t index);

/** @return 0; EPROTO: no RTP, or its number has been used or is used up */
int  transform_seal(struct transform *t, bool rtcp, uint8_t *p, size_t *len);
/** @return 0; EBADMSG: not made with the key; EALREADY: came before, or is
 *  too old to tell; EPROTO: too short, or no RTP */
int  transform_open(struct transform *t, bool rtcp, uint8_t *p, size_t *len);

#endif
