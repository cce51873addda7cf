/**
 * @file replay.c  What was told, to be told again
 *
 * A ring of the last events, packed: most of them nobody asks for, so their
 * lines are made when somebody does, and the last one is made once however
 * many want it.  Statistics and log lines are not kept.  Main thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "offhook/shelf.h"
#include "priv.h"

enum {
	ROWS = 4096,             /* a power of two                           */
	BYTES_MAX = 4 << 20,
};

struct replay {
	struct event_sub *subs[EVENT_TYPES];
	struct replay_row *v;    /* ROWS; no memory before they are used     */
	struct shelf *shelf;     /* what is in them                          */
	uint64_t head, tail;     /* rows put in, rows let go                 */
	size_t bytes;
	/* the line that was made last */
	uint64_t seq;
	char *line;
	size_t len;
};


static char *line_make(const struct event *ev, size_t *len)
{
	char *json = event_json(ev), *line;
	const size_t n = json ? strlen(json) : 0;

	line = json ? realloc(json, n + 2) : NULL;
	if (!line) {
		free(json);
		return NULL;
	}

	memcpy(line + n, "\n", 2);
	*len = n + 1;

	return line;
}


static void drop(struct replay *r)
{
	struct replay_row *row = &r->v[r->tail++ % ROWS];

	r->bytes -= row->len;
	shelf_drop(row->packed);
	memset(row, 0, sizeof(*row));
}


static void event_handler(const struct event *ev, void *arg)
{
	struct replay *r = arg;
	struct replay_row row = {
		.seq = ev->seq, .type = ev->type, .call = ev->call,
	};
	uint8_t packed[EVENT_PACKED_MAX];

	row.len = event_pack(ev, packed);
	row.packed = row.len ? shelf_put(r->shelf, row.len) : NULL;
	if (!row.packed)
		return;
	memcpy(row.packed, packed, row.len);

	while (r->head - r->tail == ROWS ||
	       (r->head > r->tail && r->bytes + row.len > BYTES_MAX))
		drop(r);

	r->v[r->head++ % ROWS] = row;
	r->bytes += row.len;
}


const char *replay_line(struct replay *r, const struct event *ev, size_t *len)
{
	if (!r->line || r->seq != ev->seq) {
		free(r->line);
		r->line = line_make(ev, &r->len);
		r->seq = ev->seq;
	}

	*len = r->len;

	return r->line;
}


void replay_event(struct event *ev, const struct replay_row *row)
{
	event_unpack(ev, row->packed, row->len);
}


const struct replay_row *replay_next(const struct replay *r, size_t *i)
{
	if (r->tail + *i >= r->head)
		return NULL;

	return &r->v[(r->tail + (*i)++) % ROWS];
}


const struct replay_row *replay_first(const struct replay *r, uint64_t from,
				      size_t *i)
{
	size_t low = 0, high = (size_t)(r->head - r->tail);

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (r->v[(r->tail + mid) % ROWS].seq < from)
			low = mid + 1;
		else
			high = mid;
	}

	*i = low;

	return replay_next(r, i);
}


uint64_t replay_oldest(const struct replay *r)
{
	return r->head > r->tail ? r->v[r->tail % ROWS].seq : 0;
}


bool replay_dropped(const struct replay *r)
{
	return r->tail > 0;
}


static void destructor(void *arg)
{
	struct replay *r = arg;

	for (unsigned i = 0; i < EVENT_TYPES; i++)
		mem_deref(r->subs[i]);
	while (r->head > r->tail)
		drop(r);
	mem_deref(r->shelf);
	free(r->v);
	free(r->line);
}


int replay_alloc(struct replay **rp, struct event_bus *bus)
{
	struct replay *r = mem_zalloc(sizeof(*r), destructor);
	int err;

	if (!r)
		return ENOMEM;

	err = shelf_alloc(&r->shelf);
	r->v = calloc(ROWS, sizeof(r->v[0]));
	if (!r->v)
		err = ENOMEM;

	/* nobody wants statistics who does not ask for them */
	for (unsigned i = 0; i < EVENT_TYPES && !err; i++) {
		if (!event_minor((enum event_type)i))
			err = event_subscribe_type(&r->subs[i], bus,
						   (enum event_type)i,
						   event_handler, r);
	}
	if (err)
		mem_deref(r);
	else
		*rp = r;

	return err;
}
