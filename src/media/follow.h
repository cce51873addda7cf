/**
 * @file follow.h  How a tick keeps close behind the packets of a peer
 *
 * Pure.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_FOLLOW_H
#define OFFHOOK_MEDIA_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FOLLOW_MARGIN_US = 4000,     /* the tick comes so long after a packet */
};

struct follow {
	uint64_t begin_ns;           /* 0: it has not begun                  */
	int64_t moved_ns;            /* in all                               */
	uint64_t marked_ns;          /* when it was looked last, and ...     */
	int64_t mark_ns, mark_us;    /* ... moved and lead then              */
	bool off;                    /* it led nowhere: our clock counts     */
};

/**
 * A tick is over. spare_us: how much earlier it could have been for the
 * packets that come, 0: not known; lead_us: how long before it they are here,
 * whatever is wanted of that.
 * @return ns by which the next one is to be later, < 0: sooner
 */
int64_t follow_step(struct follow *f, uint64_t now_ns, int64_t spare_us,
		    int64_t lead_us);

#endif
