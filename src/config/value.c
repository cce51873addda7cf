/**
 * @file value.c  One value, read and written by its type
 *
 * Main thread; no state.  Serves the rows of both tables.  A value is checked
 * whole before anything is stored, and every refusal says what is wrong and
 * what would be right.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include "priv.h"


enum {
	WORDS_MAX = 64,
	WORD_SIZE = 32,
	PORT_LOWEST = 1024,
	PORT_HIGHEST = 65535,
};

struct words {
	char v[WORDS_MAX][WORD_SIZE];
	size_t n;
};


int conf_error(char *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		(void)vsnprintf(err, CONFIG_ERR, fmt, ap);
		va_end(ap);
	}

	return code;
}


int conf_lock(int *fdp, const char *path, char *err)
{
	return path_lock(fdp, path) ?
		conf_error(err, EBUSY, "another phone is writing beside "
			   "%.200s just now; try again", path) : 0;
}


/* "a, b,c" into words without blanks. @return 0, EINVAL (empty), EOVERFLOW */
static int words_split(struct words *w, const char *list)
{
	const char *p = list;

	for (w->n = 0; w->n < WORDS_MAX; p++) {
		size_t len;

		p += strspn(p, " \t");
		len = strcspn(p, ", \t");
		if (!len)
			return EINVAL;

		if (text_copy(w->v[w->n++], WORD_SIZE, p, len))
			return EOVERFLOW;

		p += len;
		p += strspn(p, " \t");
		if (!*p)
			return 0;
		if (*p != ',')
			return EINVAL;
	}

	return EOVERFLOW;
}


static const char *words_name(size_t i, const void *arg)
{
	const struct words *w = arg;

	return i < w->n ? w->v[i] : NULL;
}


static bool words_find(size_t *index, const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->n; i++) {
		if (text_caseeq(word, strlen(word), w->v[i])) {
			*index = i;
			return true;
		}
	}

	return false;
}


/* "a, b or c" */
static void words_print(const struct words *w, char *buf, size_t sz)
{
	struct text_buf b = {.max = sz ? sz - 1 : 0};

	for (size_t i = 0; i < w->n; i++)
		text_add(&b, "%s%s", !i ? "" : i + 1 < w->n ? ", " : " or ",
			 w->v[i]);

	(void)snprintf(buf, sz, "%s", b.s ? b.s : "");
	text_buf_reset(&b);
}


void conf_value_describe(const struct option *o, char *buf, size_t sz)
{
	char choices[320] = "", from[32], to[32];
	struct words w;

	if (o->choices && !words_split(&w, o->choices))
		words_print(&w, choices, sizeof(choices));

	switch (o->type) {

	case OPT_BOOL:
		(void)snprintf(buf, sz, "yes or no");
		break;

	case OPT_INT:
		(void)snprintf(buf, sz, "a whole number from %lld to %lld%s%s",
			       (long long)o->min, (long long)o->max,
			       o->unit ? " " : "", o->unit ? o->unit : "");
		break;

	case OPT_TIME:
		if (choices[0]) {
			(void)snprintf(buf, sz, "%s", choices);
			break;
		}
		text_duration_print(from, sizeof(from), (uint64_t)o->min);
		text_duration_print(to, sizeof(to), (uint64_t)o->max);
		(void)snprintf(buf, sz, "a time from %s to %s", from, to);
		break;

	case OPT_CHOICE:
	case OPT_ENUM:
		(void)snprintf(buf, sz, "%s", choices);
		break;

	case OPT_LIST:
		(void)snprintf(buf, sz, "some of %s, each once, with commas"
			       " between them", choices);
		break;

	case OPT_PORTS:
		(void)snprintf(buf, sz, "MIN-MAX, from an even port of at"
			       " least %d to a greater one of at most %d",
			       PORT_LOWEST, PORT_HIGHEST);
		break;

	case OPT_ADDRS:
		(void)snprintf(buf, sz, "at most %lld addresses, each with"
			       " :PORT or without, IPv6 in brackets, with"
			       " commas between them", (long long)o->max);
		break;

	case OPT_STRING:
		(void)snprintf(buf, sz, "one line of text, at most %zu bytes",
			       o->size - 1);
		break;
	}
}


/* The common refusal: `NAME must be WHAT, not "VALUE"` and a near word */
static int value_error(char *err, int code, const struct option *o,
		       const char *value, const char *near)
{
	char shown[CONF_SHOWN], want[256];

	conf_value_describe(o, want, sizeof(want));
	(void)text_escape(shown, sizeof(shown), value, strlen(value));

	return conf_error(err, code, "%s must be %s, not \"%s\"%s%s%s",
			  o->name, want, shown,
			  near ? "; did you mean " : "", near ? near : "",
			  near ? "?" : "");
}


static int set_bool(const struct option *o, void *p, const char *value,
		    char *err)
{
	static const char *const names[] = {
		"no", "yes", "off", "on", "false", "true", "0", "1",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

		if (!text_caseeq(value, strlen(value), names[i]))
			continue;

		/* in an int there is room for "not said" */
		if (o->size == sizeof(int))
			*(int *)p = i & 1;
		else
			*(bool *)p = i & 1;

		return 0;
	}

	return value_error(err, EINVAL, o, value, NULL);
}


static int set_time(const struct option *o, void *p, const char *value,
		    char *err)
{
	struct words w;
	uint64_t ms, choice;
	int e;

	e = text_duration(&ms, value);
	if (e)
		return value_error(err, e, o, value, NULL);

	if (o->choices && !words_split(&w, o->choices)) {

		for (size_t i = 0; i < w.n; i++) {
			if (!text_duration(&choice, w.v[i]) && choice == ms)
				goto out;
		}

		return value_error(err, ERANGE, o, value, NULL);
	}

	if ((int64_t)ms < o->min || (int64_t)ms > o->max)
		return value_error(err, ERANGE, o, value, NULL);

 out:
	*(int64_t *)p = (int64_t)ms;

	return 0;
}


static int set_choice(const struct option *o, void *p, const char *value,
		      char *err)
{
	struct words w;
	size_t i;

	if (words_split(&w, o->choices) || !words_find(&i, &w, value))
		return value_error(err, EINVAL, o, value,
				   text_nearest(value, words_name, &w));

	if (o->type == OPT_ENUM) {
		*(int *)p = (int)i;
		return 0;
	}

	return text_copy(p, o->size, w.v[i], strlen(w.v[i]));
}


static int set_list(const struct option *o, void *p, const char *value,
		    char *err)
{
	struct words all, some;
	bool seen[WORDS_MAX] = {false};
	struct text_buf b = {.max = o->size - 1};
	size_t k;
	int e;

	if (words_split(&all, o->choices) || words_split(&some, value))
		return value_error(err, EINVAL, o, value, NULL);

	for (size_t i = 0; i < some.n; i++) {

		if (!words_find(&k, &all, some.v[i])) {
			text_buf_reset(&b);
			return value_error(err, EINVAL, o, some.v[i],
					   text_nearest(some.v[i], words_name,
							&all));
		}

		if (seen[k]) {
			text_buf_reset(&b);
			return conf_error(err, EINVAL, "%s names %s twice",
					  o->name, all.v[k]);
		}

		seen[k] = true;
		text_add(&b, "%s%s", i ? "," : "", all.v[k]);
	}

	e = b.err ? b.err : text_copy(p, o->size, b.s, b.len);
	text_buf_reset(&b);

	return e ? value_error(err, e, o, value, NULL) : 0;
}


static int set_ports(const struct option *o, void *p, const char *value,
		     char *err)
{
	const char *dash = strchr(value, '-');
	uint32_t from, to;
	int64_t *ports = p;

	if (!dash ||
	    text_u32(&from, value, (size_t)(dash - value), PORT_HIGHEST) ||
	    text_u32(&to, dash + 1, strlen(dash + 1), PORT_HIGHEST))
		return value_error(err, EINVAL, o, value, NULL);

	/* RTP takes an even port, RTCP the one above */
	if (from < PORT_LOWEST || from % 2 || to <= from)
		return value_error(err, ERANGE, o, value, NULL);

	ports[0] = from;
	ports[1] = to;

	return 0;
}


static int set_addrs(const struct option *o, void *p, const char *value,
		     char *err)
{
	struct text_buf b = {.max = o->size - 1};
	const char *s = value + strspn(value, ", \t");
	int64_t n = 0;
	int e = 0;

	for (; *s && !e; s += strspn(s, ", \t")) {
		const size_t len = strcspn(s, ", \t");
		struct in6_addr in6;
		char addr[INET6_ADDRSTRLEN];
		uint16_t port;

		if (++n > o->max ||
		    text_addr(addr, sizeof(addr), &port, s, len) ||
		    (inet_pton(AF_INET, addr, &in6) != 1 &&
		     inet_pton(AF_INET6, addr, &in6) != 1))
			e = EINVAL;
		else
			text_add(&b, "%s%.*s", n > 1 ? "," : "", (int)len, s);
		s += len;
	}

	if (!e)
		e = b.err ? b.err : text_copy(p, o->size, b.s ? b.s : "",
					      b.len);
	text_buf_reset(&b);

	return e ? value_error(err, e, o, value, NULL) : 0;
}


static int set_string(const struct option *o, void *p, const char *value,
		      char *err)
{
	const size_t len = strlen(value);
	size_t left = len;
	uint32_t cp;

	if (len >= o->size)
		return value_error(err, ERANGE, o, value, NULL);

	/* many of these end up in a header: a line break would forge one */
	for (const char *s = value; left;) {
		const size_t n = text_utf8_decode(&cp, s, left);

		if (!n || text_is_unsafe(cp))
			return conf_error(err, EINVAL, "%s must be UTF-8 text"
					  " without control characters",
					  o->name);
		s += n;
		left -= n;
	}

	return text_copy(p, o->size, value, len);
}


int conf_value_set(const struct option *o, void *base, const char *value,
		   char *err)
{
	void *p = (char *)base + o->offset;
	int e;

	switch (o->type) {

	case OPT_BOOL:
		return set_bool(o, p, value, err);

	case OPT_INT:
		e = text_i64(p, value, o->min, o->max);
		return e ? value_error(err, e, o, value, NULL) : 0;

	case OPT_TIME:
		return set_time(o, p, value, err);

	case OPT_CHOICE:
	case OPT_ENUM:
		return set_choice(o, p, value, err);

	case OPT_LIST:
		return set_list(o, p, value, err);

	case OPT_PORTS:
		return set_ports(o, p, value, err);

	case OPT_ADDRS:
		return set_addrs(o, p, value, err);

	case OPT_STRING:
		return set_string(o, p, value, err);
	}

	return EINVAL;
}


int conf_value_get(const struct option *o, const void *base,
		   char *buf, size_t sz)
{
	const void *p = (const char *)base + o->offset;
	const int64_t *v = p;
	char num[64] = "";
	struct words w;
	const char *text = num;
	bool on;

	switch (o->type) {

	case OPT_BOOL:
		on = o->size == sizeof(int) ? *(const int *)p > 0
			: *(const bool *)p;
		text = on ? "yes" : "no";
		break;

	case OPT_INT:
		(void)snprintf(num, sizeof(num), "%lld", (long long)*v);
		break;

	case OPT_TIME:
		text_duration_print(num, sizeof(num), (uint64_t)*v);
		break;

	case OPT_PORTS:
		(void)snprintf(num, sizeof(num), "%lld-%lld",
			       (long long)v[0], (long long)v[1]);
		break;

	case OPT_ENUM:
		if (words_split(&w, o->choices))
			return EINVAL;
		text = words_name((size_t)*(const int *)p, &w);
		if (!text)
			return EINVAL;
		break;

	case OPT_CHOICE:
	case OPT_LIST:
	case OPT_ADDRS:
	case OPT_STRING:
		text = p;
		break;
	}

	return text_copy(buf, sz, text, strlen(text));
}
