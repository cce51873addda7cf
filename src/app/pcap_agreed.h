/**
 * @file pcap_agreed.h  The descriptions by which the packets of now are read
 *
 * A dissector knows what sound a packet carries from the SDP before it.  A
 * file that begins in mid-call has none of its own: these messages go to its
 * head.  Main thread.
 */
#ifndef OFFHOOK_APP_PCAP_AGREED_H
#define OFFHOOK_APP_PCAP_AGREED_H

#include "offhook/capture.h"

struct agreed;

/** Free: mem_deref */
int  agreed_alloc(struct agreed **ap);
/** The last description each way of each call that goes on: kept as a copy,
 *  within limits, until a later one takes its place or the call ends */
void agreed_note(struct agreed *a, const struct capture_msg *m);
/**
 * Those of them that are no more than max bytes together, the latest before
 * others, in the order of time.
 * @return how many are in v, which is theirs: valid until the next call
 */
size_t agreed_list(struct agreed *a, const struct capture_msg *const **v,
		   size_t max);

#endif
