/**
 * @file jitter_priv.h  The inside of a jitter buffer
 *
 * For jitter.c, which has the rules, and jitter_stats.c.
 */
#ifndef OFFHOOK_MEDIA_JITTER_PRIV_H
#define OFFHOOK_MEDIA_JITTER_PRIV_H

#include "jitter.h"
#include "queue.h"
#include "transit.h"

enum {
	JITTER_SLACK_US = 1000,       /* beyond the latest usual arrival    */
};

struct jitter {
	struct jitter_conf conf;
	struct queue q;
	struct node *lent;            /* its payload is with the caller     */
	struct transits t;            /* less ref                           */
	int64_t ref;

	bool known;                   /* a time line exists                 */
	bool begun;                   /* something of it has been played    */
	bool again;                   /* and it begins anew, by our doing   */
	bool playing;                 /* play is a place on it              */
	bool marked;                  /* the newest packet had no sound     */
	int64_t seq_max, ts_max;      /* of the newest                      */
	uint64_t seen;                /* bit n: seq_max - n came            */
	int64_t seq_next;             /* after what was played last         */
	int64_t play;                 /* next unit                          */
	uint32_t dur_last;            /* of the last packet                 */
	uint32_t pending;             /* made up, play did not move         */
	uint32_t extra;               /* units later: is to be here, too    */
	int64_t extra_us;             /* so many of them are, by this after
				    its own time                       */
	bool whole;                   /* gaps are made up whole             */
	unsigned late_run;

	int64_t transit_last;         /* of the newest                      */

	struct pace pace;

	struct {
		bool on;
		uint16_t seq;
		uint32_t ts;
		uint64_t arrival_us;
	} probe;                      /* the last one that was off          */

	int64_t lag;                  /* at the last get                    */
	struct jitter_stats st;
};

/** Units of the RTP clock in us */
int64_t jitter_us(const struct jitter *j, int64_t units);
/** Now less a time stamp: how late what is played now is played */
int64_t jitter_lag_at(const struct jitter *j, uint64_t now_us, int64_t ts);
/** The payload given out last is the caller's no more */
void jitter_lent_back(struct jitter *j);
/** The lag at which all that usually comes has come, and extra_us more */
int64_t jitter_lag_for(const struct jitter *j, int64_t extra_us);
/** The lag to be had */
int64_t jitter_need(const struct jitter *j);

#endif
