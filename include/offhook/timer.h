/**
 * @file timer.h  Timers of one loop thread
 *
 * libre's own timers walk a list on every start and, in 1.1.0, follow the
 * wall clock.  Ours are a heap on the monotonic clock with one timerfd a
 * thread: starting allocates nothing and cannot fail, cancelling costs
 * O(log n), a clock step changes nothing, and a thread with no timer running
 * is not woken (once at most, by what was cancelled last).
 *
 * A struct timer lives inside its owner and is zero before first use; the
 * owner's destructor cancels it.  All calls on the thread that opened the
 * timers; a handler may start and cancel any timer, its own included.
 */
#ifndef OFFHOOK_TIMER_H
#define OFFHOOK_TIMER_H

#include <stdbool.h>
#include <stdint.h>

typedef void (timer_h)(void *arg);

struct timers;

struct timer {
	uint64_t due_ns;       /* on clock_ns()                          */
	uint64_t seq;          /* order among those due at the same time */
	timer_h *h;            /* called once                            */
	void *arg;             /* its argument                           */
	struct timers *owner;  /* the thread's heap, NULL: stopped       */
	struct timer *child;   /* place in the heap: first child,        */
	struct timer *next;    /*   next sibling,                        */
	struct timer *prev;    /*   previous sibling or parent           */
};

/**
 * Open the timers of the calling thread, after its libre loop exists.
 * With a fake clock no timerfd is made: tests call timers_advance().
 * @return 0 or errno
 */
int  timers_open(void);
void timers_close(void);

/** (Re)start; fires once after delay_ms (0: on the next turn of the loop) */
void timer_start(struct timer *t, uint64_t delay_ms, timer_h *h, void *arg);
void timer_start_ns(struct timer *t, uint64_t due_ns, timer_h *h, void *arg);
void timer_cancel(struct timer *t);
bool timer_running(const struct timer *t);
uint64_t timer_left_ms(const struct timer *t);   /* 0 when stopped */

/** Tests: move the fake clock, firing what falls due, in order */
void timers_advance(uint64_t ms);
/** Number of timers running on this thread */
unsigned timers_count(void);

#endif
