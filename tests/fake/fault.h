/**
 * @file fault.h  Make the n-th call of a function fail
 *
 * The functions are those of fault.c, by name: libre's allocators and
 * mbuf_resize, socket, and, wrapped by the linker (meson.build beside the
 * test says which), the C library's allocators and stream_open.  One fault
 * at a time; calls of all threads are counted but for those that are exempt.
 */
#ifndef FAKE_FAULT_H
#define FAKE_FAULT_H

#include <stdbool.h>

enum fault_from {
	FAULT_OURS,      /* calls from the program under test only           */
	FAULT_ALL,       /* and those libraries make among themselves        */
};

/** From now on the n-th call (1: the next) of name fails; it alone */
void fault_set(const char *name, unsigned n, enum fault_from from);
/** No more faults. @return true: the n-th call was reached */
bool fault_clear(void);
/** What this thread calls is not counted: it is a tool of the test's */
void fault_exempt(bool on);

#endif
