/**
 * @file shelf.c  Memory for what is kept for a while
 */
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include "offhook/compat.h"
#include "offhook/shelf.h"


enum {
	BOARD = 256 << 10,       /* bytes; what is not used costs nothing   */
	ALIGN = alignof(max_align_t),
};

/** Pages that are filled from their begin to their end */
struct board {
	struct le le;
	struct shelf *shelf;
	size_t size, used;
	size_t count;            /* that lie there                          */
	alignas(max_align_t) uint8_t p[];
};

struct shelf {
	struct list boards;      /* the last one is being filled            */
	size_t size;
};

/** In front of each */
struct tag {
	alignas(max_align_t) struct board *board;
};


static void board_free(struct board *b)
{
	b->shelf->size -= b->size;
	list_unlink(&b->le);
	(void)munmap(b, b->size);
}


static void destructor(void *arg)
{
	struct shelf *s = arg;

	while (s->boards.head)
		board_free(s->boards.head->data);
}


int shelf_alloc(struct shelf **sp)
{
	*sp = mem_zalloc(sizeof(**sp), destructor);

	return *sp ? 0 : ENOMEM;
}


static struct board *board_new(struct shelf *s, size_t least)
{
	const size_t need = sizeof(struct board) + least;
	const size_t size = need > BOARD ? need : BOARD;
	struct board *b = list_ledata(list_tail(&s->boards));

	/* nothing lies there, but it is too small */
	if (b && !b->count)
		board_free(b);

	b = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		return NULL;

	b->shelf = s;
	b->size = size;
	s->size += size;
	list_append(&s->boards, &b->le, b);

	return b;
}


void *shelf_put(struct shelf *s, size_t n)
{
	struct board *b = list_ledata(list_tail(&s->boards));
	struct tag *t;
	size_t need;

	if (n > SIZE_MAX / 2)
		return NULL;

	need = sizeof(*t) + (n + ALIGN - 1) / ALIGN * ALIGN;
	if (!b || b->size - sizeof(*b) - b->used < need)
		b = board_new(s, need);
	if (!b)
		return NULL;

	t = (void *)(b->p + b->used);
	t->board = b;
	b->used += need;
	++b->count;

	return memset(t + 1, 0, n);
}


void shelf_drop(void *p)
{
	struct board *b = p ? ((struct tag *)p)[-1].board : NULL;

	if (!b || --b->count)
		return;

	/* the one that is being filled is filled anew */
	if (b->le.next)
		board_free(b);
	else
		b->used = 0;
}


size_t shelf_size(const struct shelf *s)
{
	return s ? s->size : 0;
}
