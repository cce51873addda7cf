/**
 * @file app/seen.h  What its owner has looked at already
 *
 * A small file of names and times, written whole.  Main thread.
 */
#ifndef OFFHOOK_APP_SEEN_H
#define OFFHOOK_APP_SEEN_H

#include <stdint.h>

struct seen;

/** path NULL: in memory only. Free: mem_deref */
int  seen_alloc(struct seen **sp, const char *path);
/** Wall clock in ms up to which it was seen, 0: never */
uint64_t seen_get(struct seen *s, const char *key);
void seen_set(struct seen *s, const char *key, uint64_t ms);

#endif
