/**
 * @file random.h  Numbers that nobody can guess
 */
#ifndef OFFHOOK_RANDOM_H
#define OFFHOOK_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/** Any thread, but not a sound callback; never fails, waits only while a
 *  machine that has just been switched on has none. What was given is not
 *  kept. */
void random_fill(void *p, size_t n);
uint16_t random_u16(void);
uint32_t random_u32(void);
uint64_t random_u64(void);

/** libre draws from OpenSSL for each message it reads, whose generator takes
 *  most of a millisecond to begin: on a thread of its own, while main does
 *  other things. Once; main thread. */
void random_begin(void);
/** Waits for that thread, two seconds at most; before libre_close */
void random_end(void);

#endif
