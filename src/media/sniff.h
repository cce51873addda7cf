/**
 * @file media/sniff.h  Packets as they are sent and received, for a capture
 *
 * The media thread writes them into a ring, main empties it; nobody waits.
 */
#ifndef OFFHOOK_MEDIA_SNIFF_H
#define OFFHOOK_MEDIA_SNIFF_H

#include <offhook/media.h>

struct sniff;

/** Either thread; clear: before protection is put on, after it is off */
int  sniff_alloc(struct sniff **sp, bool clear);         /* free: mem_deref */

/* main */

/** Hand over what waits. @return packets */
unsigned sniff_drain(struct sniff *s, media_packet_h *h, void *arg);
/** That found the ring full */
uint64_t sniff_lost(const struct sniff *s);

#endif
