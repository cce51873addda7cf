/**
 * @file app/tally.h  Inside loads: what is ours, how long things took and how
 * they ended
 */
#ifndef OFFHOOK_APP_TALLY_H
#define OFFHOOK_APP_TALLY_H

#include "offhook/load.h"

/** Times of those that succeeded; room for as many as there will be */
struct tally {
	float *v;
	unsigned n, size;
};

/** What is known of each id of ours; ids only grow, and the first one that is
 *  made is the first there is */
struct by_id {
	unsigned first;          /* 0: there is none                        */
	size_t each, size;       /* bytes of one, how many have room        */
	void *v;                 /* owned: mem_deref                        */
};

/** The place of an id, zeroed when new. @return NULL: it is not there, or
 *  (make) there is no memory */
void *by_id(struct by_id *t, unsigned id, bool make);

/** @return 0, ENOMEM; free: tally_reset */
int  tally_init(struct tally *t, unsigned size);
void tally_reset(struct tally *t);
/** One more, into the histogram too */
void tally_time(struct tally *t, struct load_result *res, double ms);
void tally_cause(struct load_result *res, const char *cause, uint16_t code);
/** Least, mean, most and the rest of what was counted so far */
void tally_settle(struct load_result *res, const struct tally *t);

#endif
