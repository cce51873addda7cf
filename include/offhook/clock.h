/**
 * @file clock.h  Time
 *
 * Two clocks: the monotonic one that everything is scheduled and measured by,
 * and the wall clock that is only ever shown.  Tests may stop the monotonic
 * clock and move it by hand.  Any thread.
 */
#ifndef OFFHOOK_CLOCK_H
#define OFFHOOK_CLOCK_H

#include <stdint.h>
#include <stddef.h>

#define CLOCK_ISO8601_SIZE 25   /* "2026-11-21T10:00:00.123Z" and its NUL */

uint64_t clock_ns(void);        /* monotonic, ns since some point          */
uint64_t clock_us(void);
uint64_t clock_ms(void);
uint64_t clock_wall_ms(void);   /* ms since 1970-01-01 UTC                 */
uint64_t clock_wall_us(void);

/** Print a wall time as ISO 8601 in UTC with milliseconds. @return buf */
const char *clock_iso8601(char buf[CLOCK_ISO8601_SIZE], uint64_t wall_ms);

/* tests, before any thread starts: a clock that stands still until moved */
void clock_fake_start(uint64_t ns);
void clock_fake_set(uint64_t ns);
void clock_fake_stop(void);
uint64_t clock_fake_now(void);  /* 0 when the clock is real */

#endif
