/**
 * @file line.c  Fields of a JSON line of ours, read with care
 */
#include <stdio.h>
#include <time.h>
#include "offhook/text.h"
#include "line.h"


const char *line_str(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}


int64_t line_int(const json_t *o, const char *name)
{
	const json_int_t i = json_integer_value(json_object_get(o, name));

	return i > 0 ? (int64_t)i : 0;
}


/* As clock_iso8601() writes it */
uint64_t line_time(const json_t *o)
{
	struct tm tm = { 0 };
	unsigned ms = 0;
	time_t t;

	if (sscanf(line_str(o, "time"), "%4d-%2d-%2dT%2d:%2d:%2d.%3uZ",
		   &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec, &ms) < 6)
		return 0;

	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	t = timegm(&tm);

	return t > 0 ? (uint64_t)t * 1000 + ms : 0;
}


void line_set(json_t *o, const char *name, const char *s)
{
	struct text_buf b = { 0 };

	text_add_utf8(&b, s, strlen(s));
	if (!b.err)
		json_object_set_new(o, name, json_string(b.s ? b.s : ""));
	text_buf_reset(&b);
}
