/**
 * @file lag.h  How long after what was played its echo is captured
 *
 * Media thread, nothing else: no lock, no allocation but lag_alloc.
 */
#ifndef MEDIA_LAG_H
#define MEDIA_LAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lag;

/** What was seen; of the echo behind the reference, in ms, -100 to 400 */
struct lag_seen {
	double ms;               /* where it is clearest                     */
	double sharp;            /* how clear: its peak above all the rest   */
	double near_ms;          /* the same near where it was expected      */
	double near_sharp;
};

/** It means what was about so long ago when it tells */
enum { LAG_AGE_MS = 600 };

/** @return 0, EINVAL, ENOMEM. Free: mem_deref */
int  lag_alloc(struct lag **lp, uint32_t rate_hz);
/** The reference makes a jump, and so what was before it is given again: so
 *  many blocks of n samples make a whole one */
size_t lag_blocks(const struct lag *l, size_t n);
/** The first of them, then the others to the last */
void lag_again(struct lag *l, const int16_t *ref, size_t n, bool first);
/** What was seen so far counts no more: it may be elsewhere by now */
void lag_fresh(struct lag *l);
/**
 * A block of both. expected_ms: where it was last, NAN: not known.
 * @return whether something was seen: four times a second, eight when often,
 * while there is something to be heard on both sides
 */
bool lag_run(struct lag *l, const int16_t *mic, const int16_t *ref, size_t n,
	     double expected_ms, bool often, struct lag_seen *seen);

#endif
