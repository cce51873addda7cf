/**
 * @file burst.h  How loss is spread: bursts and gaps (RFC 3611 4.7.2)
 *
 * Pure; media thread.
 */
#ifndef OFFHOOK_MEDIA_BURST_H
#define OFFHOOK_MEDIA_BURST_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BURST_GMIN   = 16,       /* so many in a row received end a burst    */
	BURST_WINDOW = 64,       /* a packet has so many others' time to come */
};

/** Between two losses so far, and what was before them */
struct burst {
	bool known;
	uint32_t next;           /* number that is decided next              */
	uint32_t high;           /* highest that came                        */
	uint64_t came, late;     /* bits of next, next + 1 ...               */

	uint64_t good;           /* received in a row up to now              */
	uint64_t seg_n, seg_bad; /* since a loss that may have begun a burst */
	uint64_t burst_n, burst_bad, bursts;
	uint64_t gap_n, gap_bad;

	uint64_t all, lost, discarded;
	uint64_t runs;           /* of losses without anything between       */
	bool in_run;
};

/** A packet came; late: after its turn, so nobody heard it */
void burst_packet(struct burst *b, uint16_t seq, bool late);
/** Another time line begins; what was counted stays */
void burst_restart(struct burst *b);

struct burst_figures {
	double loss_pct, discard_pct;    /* of all packets                   */
	double burst_pct, gap_pct;       /* lost or discarded in them        */
	double burst_packets, gap_packets;   /* long on average, 0 none      */
	/** Losses in a row, against those of independent losses; 1 and more
	 *  (BurstR of ITU-T G.107) */
	double ratio;
};
/** As if the stream ended with what is decided */
void burst_read(struct burst_figures *f, const struct burst *b);

#endif
