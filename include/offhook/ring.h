/**
 * @file ring.h  A ring of samples between two threads
 *
 * One writer, one reader, no lock: two free-running counters, release on the
 * write, acquire on the read.  What does not fit is refused and counted.
 */
#ifndef OFFHOOK_RING_H
#define OFFHOOK_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring;

/**
 * @param min  room for at least so many samples (rounded up to a power of 2)
 * @return 0, EINVAL, ENOMEM
 */
int  ring_alloc(struct ring **rp, size_t min);
void ring_free(struct ring *r);          /* when neither side uses it */

/* writer */
size_t ring_write(struct ring *r, const int16_t *v, size_t n); /* written  */
size_t ring_space(const struct ring *r);
/* reader */
size_t ring_read(struct ring *r, int16_t *v, size_t n);        /* read     */
size_t ring_drop(struct ring *r, size_t n);                    /* skipped  */
size_t ring_fill(const struct ring *r);
/* any */
size_t ring_size(const struct ring *r);
uint64_t ring_refused(const struct ring *r);   /* samples that did not fit */

#endif
