/**
 * @file media/impair.h  A bad network, on purpose
 *
 * Media thread but where it says otherwise.
 */
#ifndef OFFHOOK_MEDIA_IMPAIR_H
#define OFFHOOK_MEDIA_IMPAIR_H

#include <offhook/media.h>
#include <offhook/timer.h>

enum { IMPAIR_IN = 0, IMPAIR_OUT = 1 };

/** What all flows go through; made on main, lent to the engine */
struct impair {
	struct media_fault fault[2];
	bool on[2];
	bool bad[2];             /* inside of a burst of losses              */
	uint64_t rng;            /* never 0                                  */
	struct media_fault_count count[2];
	uint64_t tell_us;        /* whose allowance is used up by now        */
	unsigned untold;         /* since the last one that was told         */
};

/** One thing that was done to one packet */
struct fault_done {
	const char *fault;       /* drop, reorder, duplicate, corrupt        */
	bool out, rtcp;
	int seq;                 /* of RTP, -1: none                         */
	unsigned untold;         /* faults before it that were not told      */
	struct sa remote;
};
typedef void (impair_h)(const struct fault_done *d, void *arg);

/** What becomes of one packet */
struct fate {
	unsigned copies;         /* 0: it is lost                            */
	uint64_t delay_us[2];    /* of each copy                             */
	bool reordered, corrupt;
};

/** Any thread; pure but for imp */
void impair_init(struct impair *imp, uint64_t seed);
void impair_fate(struct impair *imp, unsigned dir, struct fate *fate);
/** One bit in it flips */
void impair_corrupt(struct impair *imp, uint8_t *p, size_t len);

/** May another one be told now? So many a second and no more; the others are
 *  counted in imp->untold */
bool impair_tells(struct impair *imp, uint64_t now_us);

/** Packets of one flow on their way, in the order they are due */
struct held {
	struct list list;
	struct timer tmr;        /* outgoing ones                            */
};

struct transport;
struct packet;

/** It goes out later, or not at all. @return false: send it now */
bool impair_send(struct transport *t, bool rtcp, const struct sa *dst,
		 const uint8_t *p, size_t len);
/** It has come: hold it. @return false: it is to be heard now */
bool impair_hold(struct transport *t, bool rtcp, const struct packet *pk);
/** The next that is due by now, valid until the next call; NULL: none */
struct packet *impair_due(struct transport *t, bool rtcp, uint64_t now_us);
/** Either thread: forget what is on its way */
void impair_flush(struct transport *t);

#endif
