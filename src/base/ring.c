/**
 * @file ring.c  A ring of samples between two threads
 *
 * One thread writes, one reads; either may be the sound callback, so nothing
 * here allocates, locks, logs or calls the system after ring_alloc.  Each
 * counter is stored by one side only and runs freely; the place in the buffer
 * is its low bits.  Never call a writer's function from the reader's thread.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <offhook/ring.h>


enum {
	CACHE_LINE = 64,
	RING_MAX = 1 << 28,   /* samples */
};

struct ring {
	/* each side's counter on a cache line of its own */
	_Alignas(CACHE_LINE) atomic_size_t head;   /* written, by the writer */
	atomic_uint_least64_t refused;             /* by the writer          */
	_Alignas(CACHE_LINE) atomic_size_t tail;   /* read, by the reader    */
	_Alignas(CACHE_LINE) size_t size;          /* a power of two         */
	int16_t v[];
};


int ring_alloc(struct ring **rp, size_t min)
{
	struct ring *r;
	size_t size = 1, bytes;
	void *mem;

	if (!rp || !min || min > RING_MAX)
		return EINVAL;

	while (size < min)
		size *= 2;

	bytes = sizeof(*r) + size * sizeof(r->v[0]);
	if (posix_memalign(&mem, CACHE_LINE, bytes))
		return ENOMEM;

	/* touch every page now: a page fault is too slow for the callback */
	memset(mem, 0, bytes);

	r = mem;
	r->size = size;

	*rp = r;

	return 0;
}


void ring_free(struct ring *r)
{
	free(r);
}


size_t ring_write(struct ring *r, const int16_t *v, size_t n)
{
	const size_t head = atomic_load_explicit(&r->head,
						 memory_order_relaxed);
	const size_t at = head & (r->size - 1);
	const size_t space = ring_space(r);
	size_t first;

	if (n > space) {
		atomic_fetch_add_explicit(&r->refused, n - space,
					  memory_order_relaxed);
		n = space;
	}

	first = n < r->size - at ? n : r->size - at;
	memcpy(&r->v[at], v, first * sizeof(*v));
	memcpy(&r->v[0], v + first, (n - first) * sizeof(*v));

	atomic_store_explicit(&r->head, head + n, memory_order_release);

	return n;
}


size_t ring_space(const struct ring *r)
{
	const size_t head = atomic_load_explicit(&r->head,
						 memory_order_relaxed);
	const size_t tail = atomic_load_explicit(&r->tail,
						 memory_order_acquire);

	return r->size - (head - tail);
}


size_t ring_read(struct ring *r, int16_t *v, size_t n)
{
	const size_t tail = atomic_load_explicit(&r->tail,
						 memory_order_relaxed);
	const size_t at = tail & (r->size - 1);
	const size_t fill = ring_fill(r);
	size_t first;

	if (n > fill)
		n = fill;

	first = n < r->size - at ? n : r->size - at;
	memcpy(v, &r->v[at], first * sizeof(*v));
	memcpy(v + first, &r->v[0], (n - first) * sizeof(*v));

	atomic_store_explicit(&r->tail, tail + n, memory_order_release);

	return n;
}


size_t ring_drop(struct ring *r, size_t n)
{
	const size_t tail = atomic_load_explicit(&r->tail,
						 memory_order_relaxed);
	const size_t fill = ring_fill(r);

	if (n > fill)
		n = fill;

	atomic_store_explicit(&r->tail, tail + n, memory_order_release);

	return n;
}


size_t ring_fill(const struct ring *r)
{
	const size_t tail = atomic_load_explicit(&r->tail,
						 memory_order_relaxed);
	const size_t head = atomic_load_explicit(&r->head,
						 memory_order_acquire);

	return head - tail;
}


size_t ring_size(const struct ring *r)
{
	return r->size;
}


uint64_t ring_refused(const struct ring *r)
{
	return atomic_load_explicit(&r->refused, memory_order_relaxed);
}
