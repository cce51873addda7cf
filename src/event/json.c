/**
 * @file json.c  An event as one JSON object
 *
 * Main thread.  Field names are the script's with `_` for `-`.  Strings come
 * from the network, so the output is valid UTF-8 and safe on a terminal
 * whatever they hold: bytes that are not UTF-8 become U+FFFD, and controls
 * are written as escapes.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <offhook/clock.h>
#include <offhook/event.h>
#include <offhook/text.h>
#include "priv.h"


enum {
	NAME_SIZE = 64,
	REAL_DIGITS = 6,
};


static json_t *json_text(const char *p, size_t len)
{
	struct text_buf b = {0};
	json_t *json = NULL;

	text_add_utf8(&b, p, len);
	if (!b.err)
		json = json_string_nocheck(b.s);
	text_buf_reset(&b);

	return json;
}


static int field_add(json_t *obj, const struct event *ev,
		     const struct event_field *f)
{
	char name[NAME_SIZE];
	struct event_value v;
	json_t *json = NULL;

	if (!event_value(&v, ev, f))
		return 0;

	if (text_copy(name, sizeof(name), f->name, strlen(f->name)))
		return -1;

	for (char *p = name; *p; p++) {
		if (*p == '-')
			*p = '_';
	}

	switch (f->type) {

	case EVF_STR:    json = json_text(v.str, v.len); break;
	case EVF_INT:    json = json_integer(v.i);       break;
	case EVF_DOUBLE: json = json_real(v.d);          break;
	case EVF_BOOL:   json = json_boolean(v.b);       break;
	}

	return json_object_set_new_nocheck(obj, name, json);
}


char *event_json(const struct event *ev)
{
	const struct event_row *row = ev ? event_row(ev->type) : NULL;
	char when[CLOCK_ISO8601_SIZE];
	char *text = NULL;
	json_t *obj;
	int err = 0;

	if (!row)
		return NULL;

	obj = json_object();
	if (!obj)
		return NULL;

	err |= json_object_set_new_nocheck(obj, "event",
					   json_string(row->name));
	err |= json_object_set_new_nocheck(obj, "seq",
				json_integer((json_int_t)ev->seq));
	err |= json_object_set_new_nocheck(obj, "time",
			json_string(clock_iso8601(when, ev->time)));
	if (ev->call)
		err |= json_object_set_new_nocheck(obj, "call",
						   json_integer(ev->call));
	if (ev->account)
		err |= json_object_set_new_nocheck(obj, "account",
						json_integer(ev->account));

	for (const struct event_field *f = row->fields; f->name; f++)
		err |= field_add(obj, ev, f);

	if (!err)
		text = json_dumps(obj, JSON_COMPACT |
				  JSON_REAL_PRECISION(REAL_DIGITS));
	json_decref(obj);

	return text ? text_json_safe(text) : NULL;
}
