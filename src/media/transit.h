/**
 * @file transit.h  How late packets come, lately
 *
 * A transit is arrival less time stamp, in microseconds on any base.  The
 * last ones are kept; from them follows the range that is usual.  When that has
 * plainly changed, what was before is forgotten.  Pure.
 */
#ifndef OFFHOOK_MEDIA_TRANSIT_H
#define OFFHOOK_MEDIA_TRANSIT_H

#include <stdbool.h>
#include <stdint.h>

enum { TRANSITS = 512 };         /* remembered: 10 s of 20 ms packets */

struct transits {
	int32_t v[TRANSITS];
	unsigned count, pos, fresh;
	int64_t low, high;       /* smallest, largest usual one             */
	int64_t last;            /* of the last to arrive,                  */
	uint64_t last_us;        /*   and when it did                       */
	unsigned heard;          /* packets in all                          */
	unsigned since;          /* packets since some were forgotten       */
	int64_t regret;          /* when so late a one comes soon after,
				    that was rash                           */
	unsigned wary;           /* the more, the longer we watch before    */
};

void transits_forget(struct transits *t);
/** dur_us: length of the packet */
void transits_add(struct transits *t, int64_t transit, uint64_t arrival_us,
		  int64_t dur_us);
/** The smallest of the n last ones; INT64_MAX: none */
int64_t transits_quickest(const struct transits *t, unsigned n);
/** So many per cent were no later */
int64_t transits_share(const struct transits *t, unsigned pct);
/** Forget all but the n last ones */
void transits_keep(struct transits *t, unsigned n);

#endif
