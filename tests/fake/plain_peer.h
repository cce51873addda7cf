/**
 * @file plain_peer.h  A SIP peer on a thread of its own, without libre
 *
 * It allocates nothing and shares nothing with what it tests, so faults do
 * not meet it.  UDP on loopback; it sends what is not answered again, a few
 * times, soon.  It speaks just enough: one call, one re-INVITE, BYE.
 */
#ifndef FAKE_PLAIN_PEER_H
#define FAKE_PLAIN_PEER_H

#include <stdbool.h>
#include <stdint.h>

/** What came of each of its requests: the final status, 0: none came */
struct plain_result {
	unsigned invite, reinvite, bye;
	unsigned invited;        /* INVITEs it was sent, without copies      */
	bool answered;           /* its 200 to one has gone out              */
	bool over;               /* and CANCEL or BYE came                   */
};

/** Wait to be called and answer. @return the port, 0: it cannot */
uint16_t plain_peer_listen(void);
/** Call that port: INVITE, a re-INVITE (hold), BYE */
uint16_t plain_peer_call(uint16_t port);
/** It has made its call, or given up */
bool plain_peer_done(void);
/** End it */
void plain_peer_stop(struct plain_result *r);

#endif
