/**
 * @file media/ice.h  Finding a way that carries packets (RFC 8445, 7675)
 *
 * One component, since reports share the port of sound.  Pure but for chance:
 * messages go by a handler, time is an argument.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_ICE_H
#define OFFHOOK_MEDIA_ICE_H

#include <offhook/media_nat.h>

struct ice;

/** What we send from: the number of one of our addresses, the one that the call
 *  would use without ICE first; or our relay */
enum { ICE_RELAY = MEDIA_BASES, ICE_VIAS };

/** Which of them there are, as the peer sees their family; unset: there is no
 *  such */
struct ice_ours {
	struct sa addrv[ICE_VIAS];
};

typedef void (ice_send_h)(const struct sa *dst, unsigned via,
			  const uint8_t *p, size_t len, void *arg);

enum ice_state {
	ICE_CHECKING,
	ICE_CONNECTED,           /* some way works                          */
	ICE_CHOSEN,              /* both have agreed on it                  */
	ICE_FAILED,              /* none does                               */
	ICE_LOST,                /* the peer does not consent any more      */
};

/** Pairs are what can reach each other: of one family, and both or neither of
 *  the link alone (RFC 8445 6.1.2.2). @return 0, ENOMEM */
int  ice_alloc(struct ice **ip, const struct media_ice *conf,
	       const struct ice_ours *ours, ice_send_h *h, void *arg);
/** A STUN message that came on a way of the media. @return false: not ours */
bool ice_recv(struct ice *ice, const struct sa *from, unsigned via,
	      const uint8_t *p, size_t len, uint64_t now_us);
/** Each 20 ms while it checks, each 500 ms later */
void ice_tick(struct ice *ice, uint64_t now_us);
/** We have another address: the chosen way is checked from there at once, so
 *  that the peer learns it before it is told */
void ice_moved(struct ice *ice);
enum ice_state ice_state(const struct ice *ice);
/** All pairs, the best first; of what is ours viav has the number, the address
 *  is left to the caller */
void ice_ways(const struct ice *ice, struct media_ways *w,
	      unsigned viav[MEDIA_PAIRS]);
/** Where to send now. @return false: nowhere yet */
bool ice_way(const struct ice *ice, struct sa *dst, unsigned *via);
/** Has a check from or to there succeeded? */
bool ice_knows(const struct ice *ice, const struct sa *from);
/** Peers that the relay must let through; NULL ends it */
const struct sa *ice_remote(const struct ice *ice, unsigned i);

/** local: how many of that type are better */
uint32_t ice_priority(enum media_cand_type type, unsigned local);

#endif
