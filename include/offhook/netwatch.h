/**
 * @file netwatch.h  The machine's addresses and ways change, or it was asleep
 *
 * The kernel says so by itself (rtnetlink; a timer that is cancelled when the
 * clock is set, as it is after sleep), so nothing is asked and nobody is woken
 * while all stays as it is.  What comes in a burst is told once.  Main thread.
 */
#ifndef OFFHOOK_NETWATCH_H
#define OFFHOOK_NETWATCH_H

#include <stdint.h>

enum netwatch_what {
	NETWATCH_ADDRESSES = 1,  /* one has come or gone                     */
	NETWATCH_ROUTES    = 2,
	NETWATCH_RESUME    = 4,  /* the machine was asleep                   */
};

struct netwatch;
/** what: bits; slept_ms: RESUME, else 0. Something may have changed: who is
 *  told looks for himself */
typedef void (netwatch_h)(unsigned what, uint64_t slept_ms, void *arg);

/** @return 0 or errno: without rtnetlink, ... Free: mem_deref */
int  netwatch_alloc(struct netwatch **np, netwatch_h *h, void *arg);

/** Tests: what CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC, in ms; looked at
 *  at once */
void netwatch_fake_ahead(struct netwatch *n, uint64_t ahead_ms);

#endif
