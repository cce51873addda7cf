/**
 * @file queue.h  Packets that wait, in order of their time stamp
 *
 * Part of a jitter buffer; bounded in number and bytes by its owner.  A few
 * nodes that are done with are kept, so that a steady stream allocates
 * nothing.
 */
#ifndef OFFHOOK_MEDIA_QUEUE_H
#define OFFHOOK_MEDIA_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node {
	struct node *prev, *next;
	int64_t seq, ts;         /* extended                                */
	uint32_t dur;
	uint16_t len, cap;
	uint8_t pt;
	bool shown;              /* its payload has been given out          */
	uint8_t data[];
};

struct queue {
	struct node *head, *tail;
	struct node *spare;      /* done with, for reuse                    */
	unsigned count, spares;
	size_t bytes;
};

/** @return a node with room for len bytes, or NULL */
struct node *queue_node(struct queue *q, size_t len);
/** @return false when a packet of that time stamp waits already */
bool queue_link(struct queue *q, struct node *n);
/** Take out the head, for queue_recycle */
struct node *queue_pop(struct queue *q);
void queue_recycle(struct queue *q, struct node *n);    /* NULL is fine */
void queue_drop(struct queue *q);                       /* the head     */
void queue_clear(struct queue *q);
/** Free everything, the spare ones too */
void queue_close(struct queue *q);

#endif
