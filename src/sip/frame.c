/**
 * @file sip/frame.c  Where one message of a connection ends and the next begins
 *
 * Pure functions.  Headers end where libre's decoder ends them, byte for
 * byte: whoever reads a stream in two ways lets others hide one message in
 * another.  Each byte is looked at once, however slowly they come.
 */
#include "priv.h"
#include "frame.h"


enum { LINE_MAX_SIP = 8192 };


static void bad(struct frame *f, size_t len, const char *why)
{
	f->kind = FRAME_BAD;
	f->len = len;
	f->why = why;
}


/* Digits with blanks around, once. @return what is wrong, NULL: nothing */
static const char *length_take(size_t *body, bool *told, const char *p,
			       const char *end)
{
	uint32_t n;

	while (p < end && (*p == ' ' || *p == '\t'))
		++p;
	while (p < end && strchr(" \t\r\n", end[-1]))
		--end;

	if (*told)
		return "Repeated Content-Length";
	if (text_u32(&n, p, (size_t)(end - p), FRAME_BODY_MAX))
		return "Bad Content-Length";

	*told = true;
	*body = n;

	return NULL;
}


/* @return behind the line and what it is folded into */
static const char *line_end(const char *p, const char *end)
{
	do {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return end;
		++p;
	} while (p < end && (*p == ' ' || *p == '\t'));

	return p;
}


static const char *head_read(const char *p, const char *end, size_t *body)
{
	const char *why = NULL;
	bool told = false;

	for (p = line_end(p, end); p < end && !why; ) {
		const char *line = p, *next = line_end(p, end), *colon, *q;
		size_t n;

		p = next;
		if ((*line | 0x20) != 'c' && (*line | 0x20) != 'l')
			continue;

		colon = memchr(line, ':', (size_t)(next - line));
		if (!colon)
			continue;

		for (q = colon; q > line && (q[-1] == ' ' || q[-1] == '\t'); )
			--q;
		n = (size_t)(q - line);

		if (text_caseeq(line, n, "Content-Length") ||
		    text_caseeq(line, n, "l"))
			why = length_take(body, &told, colon + 1, next);
	}

	if (!why && !told)
		why = "Missing Content-Length";

	return why;
}


/* A start line has the name of the protocol in it, whatever else is wrong */
static bool line_ok(const char *p, size_t len)
{
	return len <= LINE_MAX_SIP && *p > ' ' && *p < 0x7f &&
		memmem(p, len, "SIP/", 4);
}


static bool head_find(struct frame *f, const char *p, size_t len)
{
	if (len > FRAME_HEAD_MAX)
		len = FRAME_HEAD_MAX;

	while (f->seen < len) {
		const char *nl = memchr(p + f->seen, '\n', len - f->seen);
		size_t n = nl ? (size_t)(nl - p) : len, i = n;

		/* does anything stand between it and the one before? */
		while (i > f->seen && p[i - 1] == '\r')
			--i;
		if (i > f->seen)
			f->lf = false;
		f->seen = n;
		if (!nl)
			break;
		f->seen = ++n;

		/* a stranger who speaks something else is told soon */
		if (!f->line) {
			f->line = true;
			if (!line_ok(p, n)) {
				bad(f, 0, "no SIP message");
				return false;
			}
		}

		/* the line that ends here is empty, and so the last one */
		if (f->lf) {
			f->head = n;
			return true;
		}
		f->lf = true;
	}

	if (len >= FRAME_HEAD_MAX)
		bad(f, 0, "headers without an end");

	return false;
}


void frame_look(struct frame *f, const char *p, size_t len)
{
	const char *why;
	size_t body = 0;

	f->kind = FRAME_MORE;

	if (!f->seen) {
		if (len && *p == '\r' && len < 2)
			return;

		if (len >= 2 && p[0] == '\r' && p[1] == '\n') {
			f->kind = FRAME_BLANK;
			f->len = 2;
			return;
		}
	}

	if (!f->head) {
		if (!head_find(f, p, len))
			return;

		why = head_read(p, p + f->head, &body);
		if (why) {
			bad(f, f->head, why);
			return;
		}

		f->len = f->head + body;
	}

	if (len >= f->len)
		f->kind = FRAME_MESSAGE;
}
