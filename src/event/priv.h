/**
 * @file event/priv.h  What the files of this module share
 */
#ifndef OFFHOOK_EVENT_PRIV_H
#define OFFHOOK_EVENT_PRIV_H

#include <offhook/event.h>

/** The value of one field, borrowed from its event */
struct event_value {
	const char *str;   /* EVF_STR, len bytes */
	size_t len;
	int64_t i;
	double d;
	bool b;
};

/** @return false when the field is absent in this event */
bool event_value(struct event_value *v, const struct event *ev,
		 const struct event_field *f);

#endif
