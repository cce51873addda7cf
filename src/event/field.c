/**
 * @file event/field.c  The fields of an event by their names
 *
 * What table.c says of them is all that is known here.  Any thread.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <offhook/clock.h>
#include <offhook/text.h>
#include <offhook/event.h>
#include "priv.h"


struct event *event_init(struct event *ev, enum event_type type)
{
	const struct event_row *row = event_row(type);

	memset(ev, 0, sizeof(*ev));
	ev->type = type;

	for (const struct event_field *f = row ? row->fields : NULL;
	     f && f->name; f++) {

		char *p = (char *)ev + f->offset;

		if (f->type == EVF_INT)
			*(int64_t *)(void *)p = EVENT_NONE;
		else if (f->type == EVF_DOUBLE)
			*(double *)(void *)p = (double)NAN;
	}

	return ev;
}


bool event_value(struct event_value *v, const struct event *ev,
		 const struct event_field *f)
{
	const void *p = (const char *)ev + f->offset;

	memset(v, 0, sizeof(*v));

	switch (f->type) {

	case EVF_STR:
		v->str = p;
		v->len = strnlen(p, f->size);
		return v->len > 0;

	case EVF_INT:
		v->i = *(const int64_t *)p;
		return v->i != EVENT_NONE;

	case EVF_DOUBLE:
		v->d = *(const double *)p;
		return isfinite(v->d);

	case EVF_BOOL:
		/* whatever byte stands there */
		v->b = *(const unsigned char *)p != 0;
		return true;
	}

	return false;
}


static int value_print(const struct event_value *v, enum event_field_type type,
		       char *buf, size_t sz)
{
	char num[48];
	char *comma;

	switch (type) {

	case EVF_STR:
		return text_copy(buf, sz, v->str, v->len);

	case EVF_INT:
		(void)snprintf(num, sizeof(num), "%lld", (long long)v->i);
		break;

	case EVF_DOUBLE:
		(void)snprintf(num, sizeof(num), "%.6g", v->d);
		comma = strchr(num, ',');     /* some locales */
		if (comma)
			*comma = '.';
		break;

	case EVF_BOOL:
		(void)snprintf(num, sizeof(num), "%s",
			       v->b ? "true" : "false");
		break;
	}

	return text_copy(buf, sz, num, strlen(num));
}


int event_field_text(const struct event *ev, const char *name,
		     char *buf, size_t sz)
{
	const struct event_row *row = ev ? event_row(ev->type) : NULL;
	struct event_value v = {0};
	char iso[CLOCK_ISO8601_SIZE];

	if (!row || !name || !buf)
		return EINVAL;

	/* what every event has */
	if (!strcmp(name, "event"))
		return text_copy(buf, sz, row->name, strlen(row->name));

	if (!strcmp(name, "time")) {
		(void)clock_iso8601(iso, ev->time);
		return text_copy(buf, sz, iso, strlen(iso));
	}

	if (!strcmp(name, "seq"))
		v.i = (int64_t)ev->seq;
	else if (!strcmp(name, "call"))
		v.i = ev->call;
	else if (!strcmp(name, "account"))
		v.i = ev->account;

	if (v.i)
		return value_print(&v, EVF_INT, buf, sz);

	for (const struct event_field *f = row->fields; f->name; f++) {

		if (strcmp(name, f->name))
			continue;

		if (!event_value(&v, ev, f))
			return ENOENT;

		return value_print(&v, f->type, buf, sz);
	}

	return ENOENT;
}
