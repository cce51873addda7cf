/**
 * @file app/findings_priv.h  Inside findings: what is known of a call
 */
#ifndef OFFHOOK_APP_FINDINGS_PRIV_H
#define OFFHOOK_APP_FINDINGS_PRIV_H

#include "offhook/findings.h"
#include "wire.h"

struct facts {
	const struct call_record *r;
	unsigned tx_again, rx_again;
	unsigned ok_again;       /* our 200 to INVITE, sent again            */
	unsigned requests, responses;    /* sent; came                       */
	unsigned challenges;
	bool ack_came;
	bool expired;            /* a BYE says that the session timer did it */
	struct sa peer;          /* where signalling went                    */
	struct wire_sdp ours, theirs;
	bool ours_known, theirs_known;
	const struct capture_msg *invite;        /* the last one we sent     */
	const struct capture_msg *final;         /* last final answer to it  */
	char server[128];        /* User-Agent, Server of the other side     */
	char warning[160];
	char altered[160];       /* what came back otherwise than it went    */
	int64_t skew_s;          /* their Date less ours, 0 not known        */
};

/** From the record and the messages; c may hold those of other calls */
void facts_take(struct facts *f, const struct call_record *r,
		const struct capture *c);
/** Nobody reaches it from elsewhere (RFC 1918, 6598, 3927) */
bool facts_is_private(const char *addr);
/** Neither that nor loopback */
bool facts_is_public(const struct sa *sa);

#endif
