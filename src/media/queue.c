/**
 * @file queue.c  Packets that wait, in order of their time stamp
 *
 * Media thread; part of a jitter buffer.  A list searched from its end: most
 * packets belong there, and it is short.
 */
#include <stdlib.h>
#include "queue.h"


enum { SPARES = 4 };


struct node *queue_node(struct queue *q, size_t len)
{
	struct node **np, *n;

	for (np = &q->spare; *np; np = &(*np)->next) {

		if ((*np)->cap < len)
			continue;

		n = *np;
		*np = n->next;
		--q->spares;
		return n;
	}

	len = (len + 63) & ~(size_t)63;
	n = malloc(sizeof(*n) + len);
	if (n)
		n->cap = (uint16_t)len;

	return n;
}


void queue_recycle(struct queue *q, struct node *n)
{
	if (!n)
		return;

	/* the oldest spare goes: sizes follow what comes now */
	if (q->spares >= SPARES) {
		struct node **np = &q->spare;

		while ((*np)->next)
			np = &(*np)->next;
		free(*np);
		*np = NULL;
		--q->spares;
	}

	n->next = q->spare;
	q->spare = n;
	++q->spares;
}


bool queue_link(struct queue *q, struct node *n)
{
	struct node *at = q->tail;

	while (at && at->ts > n->ts)
		at = at->prev;

	if (at && at->ts == n->ts)
		return false;

	n->prev = at;
	n->next = at ? at->next : q->head;

	if (n->prev)
		n->prev->next = n;
	else
		q->head = n;

	if (n->next)
		n->next->prev = n;
	else
		q->tail = n;

	++q->count;
	q->bytes += n->len;

	return true;
}


struct node *queue_pop(struct queue *q)
{
	struct node *n = q->head;

	if (!n)
		return NULL;

	q->head = n->next;
	if (q->head)
		q->head->prev = NULL;
	else
		q->tail = NULL;

	--q->count;
	q->bytes -= n->len;

	return n;
}


void queue_drop(struct queue *q)
{
	queue_recycle(q, queue_pop(q));
}


void queue_clear(struct queue *q)
{
	while (q->head)
		queue_drop(q);
}


void queue_close(struct queue *q)
{
	struct node *n;

	queue_clear(q);

	while ((n = q->spare)) {
		q->spare = n->next;
		free(n);
	}
	q->spares = 0;
}
