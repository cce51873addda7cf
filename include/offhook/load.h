/**
 * @file load.h  Many calls, one after the other and side by side
 *
 * A modest load for testing the other side, with the figures of all calls.
 * Main thread.
 */
#ifndef OFFHOOK_LOAD_H
#define OFFHOOK_LOAD_H

#include "offhook/identities.h"
#include "offhook/ua.h"

struct load_conf {
	struct ua_dial dial;     /* each of them; what it points to is kept  */
	unsigned calls;          /* all together                             */
	double rate;             /* calls begun a second                     */
	unsigned concurrent;     /* at most so many at once                  */
	uint64_t for_ms;         /* hang up so long after the answer         */
	const char *play;        /* file for each, NULL: none                */
	const struct identities *ids;    /* who calls, in turn, with {COLUMN}
				    in the target; NULL: dial.account. Kept  */
};

enum { LOAD_BUCKETS = 10, LOAD_CAUSES = 16 };

struct load_result {
	unsigned begun, answered, failed, peak;
	uint64_t took_ms;
	/* set-up time of those that were answered */
	double setup_min_ms, setup_mean_ms, setup_p50_ms, setup_p95_ms,
		setup_max_ms;
	unsigned bucket[LOAD_BUCKETS];   /* beyond the last edge: the last   */
	double mos_min, mos_mean;        /* NAN: no sound                    */
	double loss_pct;                 /* of all packets                   */
	struct load_cause {
		char cause[32];
		uint16_t code;
		unsigned n;
	} cause[LOAD_CAUSES];            /* n 0: end                         */
};
/** Upper edge of a bucket in ms */
unsigned load_edge(unsigned i);

struct load;
typedef void (load_done_h)(const struct load_result *res, void *arg);
/**
 * done once, never from inside. mem_deref starts no more calls, and hangs
 * those up that go on. err: UA_ERR bytes. @return 0 or errno
 */
int  load_start(struct load **lp, struct ua *ua, struct event_bus *bus,
		const struct load_conf *conf, load_done_h *done_h, void *arg,
		char *err);
/* Registering ---------------------------------------------------------------- */

enum { LOAD_REGISTER_MAX = 10000 };      /* accounts at once                 */

struct load_register_conf {
	const struct identities *ids;    /* kept                             */
	unsigned count;                  /* the first so many                */
	double rate;                     /* begun a second, and taken off    */
	uint64_t for_ms;         /* leave again so long after the last one has
				    its answer; 0: those that succeeded stay */
};

struct load_register;
/**
 * Each becomes an account that registers; one that fails goes again. done
 * once, never from inside: answered are those that registered, setup_ms how
 * long that took. mem_deref stops it; accounts stay. err: UA_ERR bytes.
 * @return 0 or errno
 */
int  load_register(struct load_register **lp, struct ua *ua,
		   struct event_bus *bus,
		   const struct load_register_conf *conf,
		   load_done_h *done_h, void *arg, char *err);

/** How it stands */
void load_result(struct load_result *res, const struct load *l);

#endif
