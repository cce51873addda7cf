/**
 * @file jitter.h  Packets and time in, what to play out
 *
 * Pure: no clock, no socket, no codec.  Positions and lengths are in units
 * of the RTP clock, times in microseconds on any one clock.  The place of a
 * packet on the time line is its time stamp, so what is lost never moves what
 * follows.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_JITTER_H
#define OFFHOOK_MEDIA_JITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "pace.h"

struct jitter;

struct jitter_conf {
	uint32_t clock_hz;
	unsigned min_ms, max_ms;     /* of delay beyond the quickest packet  */
};

enum jitter_put {
	JITTER_TAKEN,                /* queued                               */
	JITTER_RESTARTED,            /* queued, first of a new time line     */
	JITTER_LATE,                 /* after its turn                       */
	JITTER_DUPLICATE,
	JITTER_SUSPECT,              /* off the time line; two in a row are
					a new one                            */
	JITTER_REFUSED,              /* makes no sense, or no memory         */
};

enum jitter_get {
	JITTER_PACKET,               /* decode it                            */
	JITTER_LOST,                 /* make up dur units                    */
	JITTER_SILENCE,              /* nothing is due: dur units of nothing */
};

/** What is to be played; payload is valid until the next call */
struct jitter_frame {
	const uint8_t *payload;      /* LOST: the packet just behind the gap
					(its FEC, or to meet it) or NULL     */
	size_t len;
	uint32_t dur;                /* units                                */
	uint32_t skip;               /* PACKET: units at the start that have
					been made up already                 */
	uint8_t pt;
	bool shown;                  /* PACKET: was given behind the gap just
					before                               */
	struct pace_step pace;       /* PACKET: make it shorter or longer    */
	bool more;                   /* PACKET: what follows it is here      */
};

struct jitter_stats {
	uint64_t late, duplicate, reordered, refused, overflow;
	uint64_t recovered;          /* by jitter_fill                       */
	uint64_t concealed_us;       /* made up                              */
	uint64_t grown_us, shrunk_us;  /* delay gained and dropped           */
	uint64_t stretched_us, compressed_us; /* of these: unheard           */
	uint64_t skipped_us;         /* of these: dropped, it was too much   */
	uint32_t resyncs;
	uint32_t delay_us;           /* of the quickest packet, now          */
	uint32_t target_us;          /* what recent arrivals call for        */
	uint32_t delay_min_us, delay_max_us;  /* least and most so far;
						 max 0: nothing has played  */
};

int  jitter_alloc(struct jitter **jp, const struct jitter_conf *conf);
/** Forget everything heard but the counters; clock_hz 0: as it was */
void jitter_reset(struct jitter *j, uint32_t clock_hz);
/** Blocks are asked for at other times from now on: play the newest that is
 *  in time for them, as at the very first */
void jitter_begin_again(struct jitter *j);
/** Other limits from now on; what waits too long then is left out */
void jitter_limit(struct jitter *j, unsigned min_ms, unsigned max_ms);
/** Wait for what is so many units later: so long that this share (%) of it is
 *  here; as it comes lately, so to be told again now and then. whole: nothing
 *  of a gap comes later, so it may be made up at once */
void jitter_set_extra(struct jitter *j, uint32_t units, unsigned share,
		      bool whole);

/** Blocks of so many units will be asked for */
void jitter_set_block(struct jitter *j, uint32_t units);

/** A packet of dur units (> 0) came */
enum jitter_put jitter_put(struct jitter *j, uint64_t arrival_us,
			   uint16_t seq, uint32_t ts, uint32_t dur,
			   uint8_t pt, const uint8_t *payload, size_t len);
/** A later packet brought this one once more (RFC 2198): taken when it has
 *  not come and its turn has not. @return whether it was */
bool jitter_fill(struct jitter *j, uint16_t seq, uint32_t ts, uint32_t dur,
		 uint8_t pt, const uint8_t *payload, size_t len);
/** A packet without sound (an event, comfort noise) took this number.
 *  @return false: it had come before */
bool jitter_mark(struct jitter *j, uint16_t seq);

/**
 * What to play now; want units are wanted, dur tells how many that is. Ask
 * until there is enough. want 0: what follows the last one, which had more
 * set. quiet: what was played last is next to silence, so
 * the delay may be changed unheard.
 */
enum jitter_get jitter_get(struct jitter *j, uint64_t now_us, uint32_t want,
			   bool quiet, struct jitter_frame *f);

/** A packet was made longer by so many units, or shorter (< 0) */
void jitter_retimed(struct jitter *j, uint64_t now_us, int32_t units);

/** Counters only */
void jitter_stats_add(struct jitter_stats *sum,
		      const struct jitter_stats *st);
void jitter_stats(const struct jitter *j, struct jitter_stats *st);
/** How much earlier (us) everything could be asked for; 0: not known */
int64_t jitter_spare(const struct jitter *j);
/** How long (us) the quickest are here before they are asked for, when
 *  jitter_spare is known */
int64_t jitter_lead(const struct jitter *j);
/** By how much (us) the newest came later than the quickest lately */
uint64_t jitter_behind(const struct jitter *j);
/** Between the quickest and the latest usual packet, us */
int64_t jitter_spread(const struct jitter *j);
unsigned jitter_count(const struct jitter *j);     /* packets waiting */

#endif
