/**
 * @file shelf.h  Memory for what is kept for a while
 *
 * What is kept of calls - messages, events - is put between what comes and
 * goes with each of them.  From the common heap it would leave a piece of
 * itself in every page that a burst of calls had used, and none of them could
 * be given back.  A shelf has pages of its own: they are given back when what
 * lies in them has been let go, which is soon where the oldest goes first.
 * One thread.
 */
#ifndef OFFHOOK_SHELF_H
#define OFFHOOK_SHELF_H

#include <stddef.h>

struct shelf;

/** @return 0, ENOMEM. Free: mem_deref, what lies there too */
int   shelf_alloc(struct shelf **sp);
/** n bytes of zero, aligned for anything. @return NULL: no memory */
void *shelf_put(struct shelf *s, size_t n);
/** Let it go. NULL is nothing */
void  shelf_drop(void *p);
/** Bytes of memory in pages of its own */
size_t shelf_size(const struct shelf *s);

#endif
