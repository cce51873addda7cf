/**
 * @file rt.h  Was something called that must not be in a sound callback?
 *
 * Link with rt.c and the linker arguments of rt_wrap (tests/unit/audio/
 * meson.build): what allocates, locks, waits, writes or logs then goes by
 * here.  Only calls from objects linked into the program are seen.
 */
#ifndef FAKE_RT_H
#define FAKE_RT_H

/** From here to rt_leave this thread is in a callback */
void rt_enter(void);

/**
 * The name of the first function called that is forbidden there, or NULL.
 * One write of 8 bytes is allowed: the wake-up.
 */
const char *rt_leave(void);

/** Wake-ups since rt_enter */
unsigned rt_wakes(void);

#endif
