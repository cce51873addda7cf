/**
 * @file lines.c  `name = value` lines
 *
 * Main thread.  The reader of both files: it borrows the text, copies one
 * line at a time out of it and never fails as a whole; a line it cannot read
 * comes back as bad, with a reason.
 *
 * A comment begins with `#` at the start of a line or after a blank.  A value
 * that needs one, or blanks at its ends, stands in double quotes, in which
 * backslash takes away the meaning of a quote or a backslash.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <offhook/text.h>
#include "priv.h"


static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}


void conf_lines_init(struct conf_lines *l, const char *text, size_t len)
{
	memset(l, 0, sizeof(*l));

	l->p = text + text_bom(text, len);
	l->end = text + len;
}


static enum conf_line_type bad(struct conf_lines *l, const char *why)
{
	(void)snprintf(l->value, sizeof(l->value), "%s", why);

	return CONF_LINE_BAD;
}


static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		++p;

	return p;
}


/* Only blanks and a comment may follow. @return whether that is so */
static bool line_ends(struct conf_lines *l, const char *p, const char *end)
{
	const char *next = skip_blank(p, end);

	l->comment = (size_t)(p - l->raw);

	return next == end || (*next == '#' && next > p);
}


static enum conf_line_type quoted_read(struct conf_lines *l, const char *p,
				       const char *end)
{
	size_t n = 0;

	for (++p; p < end && *p != '"'; p++) {

		if (*p == '\\') {
			if (++p == end || (*p != '"' && *p != '\\'))
				return bad(l, "after a backslash within quotes"
					   " comes \" or \\");
		}

		if (n + 1 >= sizeof(l->value))
			return bad(l, "the value is too long");

		l->value[n++] = *p;
	}

	l->value[n] = '\0';

	if (p == end)
		return bad(l, "the closing quote is missing");

	if (!line_ends(l, p + 1, end))
		return bad(l, "there is more behind the closing quote");

	return CONF_LINE_PAIR;
}


static enum conf_line_type plain_read(struct conf_lines *l, const char *p,
				      const char *end)
{
	const char *stop = p;

	/* up to a comment, then back over the blanks before it */
	while (stop < end && !(*stop == '#' && is_blank(stop[-1])))
		++stop;
	while (stop > p && is_blank(stop[-1]))
		--stop;

	if (text_copy(l->value, sizeof(l->value), p, (size_t)(stop - p)))
		return bad(l, "the value is too long");

	l->comment = (size_t)(stop - l->raw);

	return CONF_LINE_PAIR;
}


static enum conf_line_type section_read(struct conf_lines *l, const char *p,
					const char *end)
{
	const char *close = memchr(p, ']', (size_t)(end - p));

	if (!close || !line_ends(l, close + 1, end))
		return bad(l, "a section is a name in brackets: [NAME]");

	p = skip_blank(p, close);
	while (close > p && is_blank(close[-1]))
		--close;

	if (close == p || text_copy(l->name, sizeof(l->name), p,
				    (size_t)(close - p)))
		return bad(l, "the name of a section has 1 to 63 bytes");

	return CONF_LINE_SECTION;
}


static enum conf_line_type line_read(struct conf_lines *l)
{
	const char *end = l->raw + l->raw_len;
	const char *p = skip_blank(l->raw, end);
	const char *sign, *stop;

	if (p == end || *p == '#')
		return CONF_LINE_EMPTY;

	if (memchr(p, '\0', (size_t)(end - p)) ||
	    !text_utf8_valid(p, (size_t)(end - p)))
		return bad(l, "this is not UTF-8 text");

	if (*p == '[' && !l->plain)
		return section_read(l, p + 1, end);

	sign = memchr(p, '=', (size_t)(end - p));
	if (!sign)
		return bad(l, "a line is `name = value`, and here is no `=`");

	stop = sign;
	while (stop > p && is_blank(stop[-1]))
		--stop;

	if (stop == p || text_copy(l->name, sizeof(l->name), p,
				   (size_t)(stop - p)))
		return bad(l, "a line is `name = value`, and here is no name");

	p = skip_blank(sign + 1, end);
	if (p < end && *p == '"')
		return quoted_read(l, p, end);

	return plain_read(l, p, end);
}


enum conf_line_type conf_lines_next(struct conf_lines *l)
{
	const char *nl;

	l->name[0] = l->value[0] = '\0';

	if (l->p >= l->end)
		return CONF_LINE_END;

	nl = memchr(l->p, '\n', (size_t)(l->end - l->p));

	l->raw = l->p;
	l->raw_len = (size_t)((nl ? nl : l->end) - l->p);
	l->p = nl ? nl + 1 : l->end;
	++l->line;

	if (l->raw_len && l->raw[l->raw_len - 1] == '\r')
		--l->raw_len;

	l->comment = l->raw_len;

	return line_read(l);
}


int conf_lines_quote(char *buf, size_t sz, const char *value)
{
	const size_t len = strlen(value);
	struct text_buf b = {.max = sz ? sz - 1 : 0};
	int err;

	if (len && value[0] != '"' && value[0] != '#' && !is_blank(value[0]) &&
	    !is_blank(value[len - 1]) && !strstr(value, " #") &&
	    !strstr(value, "\t#"))
		return text_copy(buf, sz, value, len);

	text_add(&b, "\"");
	for (const char *p = value; *p; p++)
		text_add(&b, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	text_add(&b, "\"");

	err = b.err ? b.err : text_copy(buf, sz, b.s, b.len);
	text_buf_reset(&b);

	return err;
}
