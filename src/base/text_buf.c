/**
 * @file text_buf.c  A string that grows, bounded
 *
 * Any thread, one at a time for each buffer, which owns its memory.  After
 * the first failure nothing is added any more, so a caller writes a whole
 * page and looks at err once.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <offhook/text.h>


enum {
	MAX_DEFAULT = 1 << 20,
	CAP_FIRST = 128,
};


/* Room for n more and the NUL */
static int text_buf_reserve(struct text_buf *b, size_t n)
{
	const size_t max = b->max ? b->max : MAX_DEFAULT;
	size_t cap = b->cap ? b->cap : CAP_FIRST;
	char *s;

	if (b->err)
		return b->err;

	if (n > max || b->len > max - n)
		return b->err = EOVERFLOW;

	while (cap <= b->len + n)
		cap *= 2;

	if (cap == b->cap)
		return 0;

	s = realloc(b->s, cap);
	if (!s)
		return b->err = ENOMEM;

	b->s = s;
	b->cap = cap;

	return 0;
}


void text_add(struct text_buf *b, const char *fmt, ...)
{
	const size_t room = b->err || !b->s ? 0 : b->cap - b->len;
	const size_t max = b->max ? b->max : MAX_DEFAULT;
	va_list ap;
	int n;

	/* into what is there already: it fits nearly always */
	va_start(ap, fmt);
	n = vsnprintf(room ? b->s + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room && b->len + (size_t)n <= max) {
		b->len += (size_t)n;
		return;
	}
	if (room)
		b->s[b->len] = '\0';

	if (n < 0) {
		if (!b->err)
			b->err = EINVAL;
		return;
	}

	if (text_buf_reserve(b, (size_t)n))
		return;

	va_start(ap, fmt);
	(void)vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);

	b->len += (size_t)n;
}


void text_add_mem(struct text_buf *b, const char *p, size_t len)
{
	if (text_buf_reserve(b, len))
		return;

	if (len)
		memcpy(b->s + b->len, p, len);
	b->len += len;
	b->s[b->len] = '\0';
}


void text_add_utf8(struct text_buf *b, const char *p, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd";

	while (len) {
		size_t good = 0, n;
		uint32_t cp;

		while ((n = text_utf8_decode(&cp, p + good, len - good)))
			good += n;

		text_add_mem(b, p, good);
		p += good;
		len -= good;

		if (len) {
			text_add_mem(b, replacement, 3);
			++p;
			--len;
		}
	}

	text_add_mem(b, "", 0);      /* at least an empty string */
}


static void json_escape(struct text_buf *b, uint32_t cp)
{
	char s[8];

	if (cp == '"' || cp == '\\')
		(void)snprintf(s, sizeof(s), "\\%c", (char)cp);
	else
		(void)snprintf(s, sizeof(s), "\\u%04x", (unsigned)cp & 0xffff);

	text_add_mem(b, s, strlen(s));
}


void text_add_json(struct text_buf *b, const char *p, size_t len)
{
	const char *from = p;

	text_add_mem(b, "\"", 1);

	while (len) {
		uint32_t cp = 0xfffd;
		size_t n, step;

		if (*p >= ' ' && *p < 0x7f && *p != '"' && *p != '\\') {
			++p;
			--len;
			continue;
		}

		n = text_utf8_decode(&cp, p, len);
		step = n ? n : 1;

		if (!n || cp == '"' || cp == '\\' || text_is_unsafe(cp)) {
			text_add_mem(b, from, (size_t)(p - from));
			json_escape(b, n ? cp : 0xfffd);
			from = p + step;
		}

		p += step;
		len -= step;
	}

	text_add_mem(b, from, (size_t)(p - from));
	text_add_mem(b, "\"", 1);
}


char *text_json_safe(char *json)
{
	struct text_buf b = {.max = SIZE_MAX / 8};
	const char *p = json, *from = json;
	size_t left = strlen(json);

	while (left) {
		uint32_t cp = 0;
		const size_t n = text_utf8_decode(&cp, p, left);
		const size_t step = n ? n : 1;

		if (cp >= 0x7f && text_is_unsafe(cp)) {
			text_add_mem(&b, from, (size_t)(p - from));
			json_escape(&b, cp);
			from = p + step;
		}

		p += step;
		left -= step;
	}

	/* nearly always there was nothing to do */
	if (from == json)
		return json;

	text_add_mem(&b, from, (size_t)(p - from));
	free(json);

	if (b.err)
		text_buf_reset(&b);

	return b.s;
}


void text_buf_reset(struct text_buf *b)
{
	free(b->s);
	memset(b, 0, sizeof(*b));
}
