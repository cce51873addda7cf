/**
 * @file schedule.c  Times of the week as users write them
 *
 * "22:00-07:00", "Sat,Sun", "Mon-Fri 18:00-08:00, Sat, Sun": parts with commas
 * between them, each days, a span of the day, or both.  A span that ends
 * before it begins goes on into the next day, and belongs to the day it began
 * on.  Pure.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <offhook/compat.h>
#include <offhook/text.h>
#include "priv.h"

enum { DAY_MIN = 24 * 60, ALL_DAYS = 0x7f };

/** One part */
struct span {
	unsigned days;               /* bit a day, Sunday first              */
	unsigned from, to;           /* minutes of the day; equal: all of it */
};


static const char *const day_names[] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
};


static const char *skip(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		++p;

	return p;
}


/* @return the day, -1: none */
static int day_read(const char **pp, const char *end)
{
	for (unsigned i = 0; i < 7; i++) {
		if (end - *pp >= 3 && !strncasecmp(*pp, day_names[i], 3) &&
		    (end - *pp == 3 || !isalpha((unsigned char)(*pp)[3]))) {
			*pp += 3;
			return (int)i;
		}
	}

	return -1;
}


/* "7:00" or "22". @return false: none */
static bool time_read(unsigned *min, const char **pp, const char *end)
{
	const char *p = *pp;
	unsigned v[2] = { 0, 0 };

	for (unsigned k = 0; k < 2; k++) {
		unsigned n = 0;

		while (p < end && isdigit((unsigned char)*p) && n < 2) {
			v[k] = 10 * v[k] + (unsigned)(*p++ - '0');
			++n;
		}
		if (!n)
			return false;
		if (k || p >= end || *p != ':')
			break;
		++p;
	}

	if (v[0] > 24 || v[1] > 59 || (v[0] == 24 && v[1]))
		return false;

	*min = 60 * v[0] + v[1];
	*pp = p;

	return true;
}


static bool part_read(struct span *s, const char *p, const char *end)
{
	int a, b;

	s->days = ALL_DAYS;
	s->from = s->to = 0;

	p = skip(p, end);
	a = day_read(&p, end);
	if (a >= 0) {
		s->days = 1u << a;
		if (p < end && *p == '-') {
			++p;
			b = day_read(&p, end);
			if (b < 0)
				return false;
			for (; a != b; a = (a + 1) % 7)
				s->days |= 1u << a;
			s->days |= 1u << b;
		}
		p = skip(p, end);
		if (p == end)
			return true;
	}

	if (!time_read(&s->from, &p, end))
		return false;
	p = skip(p, end);
	if (p >= end || *p++ != '-')
		return false;
	p = skip(p, end);
	if (!time_read(&s->to, &p, end) || skip(p, end) != end)
		return false;

	return s->from < DAY_MIN;
}


static bool within(const struct span *s, unsigned day, unsigned min)
{
	const unsigned before = (day + 6) % 7;

	if (s->from == s->to)
		return s->days & 1u << day;
	if (s->from < s->to)
		return (s->days & 1u << day) && min >= s->from && min < s->to;

	return ((s->days & 1u << day) && min >= s->from) ||
		((s->days & 1u << before) && min < s->to);
}


static int parts(const char *text, unsigned day, unsigned min, bool *in)
{
	*in = false;

	for (const char *p = text; *p; ) {
		const char *end = p + strcspn(p, ",");
		struct span s;

		if (!part_read(&s, p, end))
			return EINVAL;
		*in = *in || within(&s, day, min);
		p = end + (*end == ',');
	}

	return 0;
}


int schedule_check(const char *text, char *err)
{
	char shown[CONF_SHOWN];
	bool in;

	if (!parts(text, 0, 0, &in))
		return 0;

	(void)text_escape(shown, sizeof(shown), text, strlen(text));

	return conf_error(err, EINVAL, "\"%s\" is no schedule: it is days, "
			  "times, or both, as in \"Mon-Fri 22:00-07:00, Sat,"
			  " Sun\"", shown);
}


bool schedule_on(const char *text, const struct tm *now)
{
	bool in;

	return text && text[0] && now &&
		!parts(text, (unsigned)now->tm_wday % 7,
		       (unsigned)(60 * now->tm_hour + now->tm_min), &in) && in;
}
