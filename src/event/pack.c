/**
 * @file pack.c  An event in as few bytes as it has values
 *
 * For whoever keeps many of them: an event has room for the longest text of
 * each field, and most of its fields are empty.  Native byte order: it never
 * leaves the process.  Main thread.
 */
#include <string.h>
#include <offhook/event.h>
#include "priv.h"


struct head {
	uint64_t seq, time;
	unsigned call, account;
	enum event_type type;
};


/* a byte for its number, one that ends a text: never more fields than bytes */
_Static_assert(sizeof(struct head) <= EVENT_PACKED_MAX -
	       2 * sizeof(((struct event *)0)->u), "a head has its room");


static size_t put(uint8_t *to, size_t n, const void *p, size_t len)
{
	memcpy(to + n, p, len);

	return n + len;
}


size_t event_pack(const struct event *ev, void *to)
{
	const struct event_row *row = ev ? event_row(ev->type) : NULL;
	uint8_t *buf = to;
	struct event_value v;
	size_t n;

	if (!row)
		return 0;

	n = put(buf, 0, &(struct head){
		.seq = ev->seq, .time = ev->time, .call = ev->call,
		.account = ev->account, .type = ev->type,
	}, sizeof(struct head));

	for (size_t i = 0; row->fields[i].name; i++) {

		const struct event_field *f = &row->fields[i];

		if (!event_value(&v, ev, f))
			continue;

		buf[n++] = (uint8_t)i;

		switch (f->type) {

		case EVF_STR:
			n = put(buf, n, v.str, v.len);
			buf[n++] = '\0';
			break;

		case EVF_INT:    n = put(buf, n, &v.i, sizeof(v.i)); break;
		case EVF_DOUBLE: n = put(buf, n, &v.d, sizeof(v.d)); break;
		case EVF_BOOL:   n = put(buf, n, &v.b, sizeof(v.b)); break;
		}
	}

	return n;
}


void event_unpack(struct event *ev, const void *packed, size_t len)
{
	const uint8_t *p = packed, *end = p + len;
	const struct event_row *row;
	struct head head;

	memcpy(&head, p, sizeof(head));
	p += sizeof(head);

	event_init(ev, head.type);
	ev->seq = head.seq;
	ev->time = head.time;
	ev->call = head.call;
	ev->account = head.account;
	row = event_row(head.type);

	while (p < end) {

		const struct event_field *f = &row->fields[*p++];
		const size_t n = f->type == EVF_STR ?
			strlen((const char *)p) + 1 : f->size;

		/* a text that filled its room has no end there either */
		memcpy((uint8_t *)ev + f->offset, p, n < f->size ? n : f->size);
		p += n;
	}
}
