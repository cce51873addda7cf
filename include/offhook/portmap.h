/**
 * @file portmap.h  A port of ours on the router: PCP (RFC 6887), NAT-PMP (6886)
 *
 * A router that speaks one of them passes packets that come to a port of its
 * own on to us, for as long as we ask it to.  One struct portmap is one UDP
 * port: asked for, renewed at half its time, given back when it is freed.
 * Only the router is believed.  On the thread of its loop.
 */
#ifndef OFFHOOK_PORTMAP_H
#define OFFHOOK_PORTMAP_H

#include "offhook/compat.h"

enum portmap_how {
	PORTMAP_OFF = 0,
	PORTMAP_AUTO,            /* PCP; NAT-PMP with who does not know it   */
	PORTMAP_PCP,
	PORTMAP_NATPMP,
};

struct portmap;
/**
 * external: where it is reached from outside, unset: err says why it is not
 * (any more). Told again when that changes; never from inside portmap_alloc.
 * mem_deref inside is safe
 */
typedef void (portmap_h)(int err, const struct sa *external, void *arg);

/**
 * local: address and port of ours; gw: the router, port 0: 5351; wish: a port
 * outside that would be nice to have, 0: local's.
 * @return 0, EINVAL, ENOMEM, ENETUNREACH ... Free: mem_deref
 */
int  portmap_alloc(struct portmap **pp, const struct sa *local,
		   const struct sa *gw, enum portmap_how how, uint16_t wish,
		   portmap_h *h, void *arg);
/** "the router does not answer" ... for an err of the handler's */
const char *portmap_error(int err);

/** The router that packets from local leave by. Any thread.
 *  @return 0, ENETUNREACH: there is none, or errno */
int  portmap_gateway(struct sa *gw, const struct sa *local);

#endif
