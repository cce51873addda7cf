/**
 * @file fuzz_event.c  Events whose strings come from the network, as JSON
 *
 * Whatever a peer puts into names and reasons, the line is one line of valid
 * JSON.
 */
#include <errno.h>
#include <jansson.h>
#include "fuzz.h"
#include "offhook/event.h"


static void fill(struct event *ev, struct bytes *b)
{
	const struct event_field *f = event_row(ev->type)->fields;

	for (; f->name; f++) {
		void *p = (uint8_t *)ev + f->offset;

		if (f->type == EVF_STR) {
			char *s = take_text(b, take(b, 1) % f->size);

			memcpy(p, s, strlen(s) + 1);
			free(s);
		}
		else if (f->type == EVF_INT) {
			*(int64_t *)p = (int32_t)take(b, 4);
		}
		else if (f->type == EVF_DOUBLE) {
			uint64_t bits = (uint64_t)take(b, 4) << 32 |
					take(b, 4);

			memcpy(p, &bits, sizeof(bits));
		}
		else {
			*(bool *)p = take(b, 1) & 1;
		}
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	struct event ev;
	char text[512], *json;
	json_error_t err;
	json_t *o;

	event_init(&ev, (enum event_type)(take(&b, 1) % EVENT_TYPES));
	ev.seq = take(&b, 4);
	ev.time = 1700000000000 + take(&b, 4);
	ev.call = take(&b, 4);
	fill(&ev, &b);

	json = event_json(&ev);
	must(json && !strchr(json, '\n'));
	o = json_loads(json, JSON_REJECT_DUPLICATES, &err);
	must(json_is_object(o));
	must(json_is_string(json_object_get(o, "event")));
	json_decref(o);
	free(json);

	event_print(&ev, text, sizeof(text));
	must(strlen(text) < sizeof(text));
	for (const char *p = text; *p; p++)
		must((unsigned char)*p >= ' ');

	return 0;
}
