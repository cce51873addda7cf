/**
 * @file pace.h  Is there too much delay or too little, and when to change it
 *
 * Part of a jitter buffer.  Pure; media thread.  Lengths are in units of the
 * RTP clock, times in microseconds.
 */
#ifndef OFFHOOK_MEDIA_PACE_H
#define OFFHOOK_MEDIA_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum tempo {
	TEMPO_KEEP,
	TEMPO_FASTER,            /* leave some out                          */
	TEMPO_SLOWER,            /* put some in                             */
};

struct pace {
	uint32_t clock_hz;
	uint32_t block;          /* units asked for at a time, 0: not known */
	bool known;
	int64_t avail;           /* least lag lately at which a packet still
				    comes in time for its block             */
	uint64_t since_us;       /* when a change was first wanted, 0: none */
	enum tempo wanted;       /* and which                               */
	uint64_t done_us;        /* the last change                         */
};

/** What is to be done at a packet */
struct pace_step {
	enum tempo tempo;
	uint32_t room;           /* units: leave out at most so many, or put
				    in so many                              */
	unsigned like_pct;       /* how alike the two sides of a seam are to
				    be, 0: no matter                        */
};

/** The places in a block where packets of so many units begin repeat in steps
 *  of that */
uint32_t pace_grid(const struct pace *p, uint32_t dur);

/** Nothing is known of the place we play at */
void pace_forget(struct pace *p);

/**
 * A packet of dur units is played, have units into the block: lag is now less
 * its time stamp.
 */
void pace_note(struct pace *p, int64_t lag, uint32_t have, uint32_t dur);

/**
 * Should the delay be changed at this packet?  need: the lag to be had;
 * spread: of the transits; quiet: nobody would hear it.
 */
void pace_step(struct pace *p, struct pace_step *s, uint64_t now_us,
	       int64_t need, int64_t spread, uint32_t have, uint32_t dur,
	       bool quiet);

/** It was changed so */
void pace_done(struct pace *p, uint64_t now_us);

#endif
