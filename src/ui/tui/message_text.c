/**
 * @file message_text.c  A SIP message, and two of them compared, line by line
 *
 * Main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message_text.h"

enum { INDENT = 4 };         /* of what goes on in the next row          */


int lines_split(struct lines *l, const char *text, size_t len)
{
	char *p, *end;
	int cap = 1;

	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < len; i++)
		cap += text[i] == '\n';

	l->text = malloc(len + 1);
	l->v = calloc((size_t)cap, sizeof(*l->v));
	l->len = calloc((size_t)cap, sizeof(*l->len));
	if (!l->text || !l->v || !l->len) {
		lines_free(l);
		return ENOMEM;
	}

	for (size_t i = 0; i < len; i++)
		l->text[i] = text[i] ? text[i] : '?';
	l->text[len] = '\0';

	for (p = l->text, end = p + len; p < end;) {

		char *e = p + strcspn(p, "\n");

		l->v[l->n] = p;
		p = e + (e < end);
		if (e > l->v[l->n] && e[-1] == '\r')
			--e;
		*e = '\0';
		l->len[l->n] = (int)(e - l->v[l->n]);
		++l->n;
	}

	return 0;
}


void lines_free(struct lines *l)
{
	free(l->text);
	free(l->v);
	free(l->len);
	memset(l, 0, sizeof(*l));
}


/* Where the body begins, -1: there is none */
static int body_at(const struct lines *l)
{
	for (int i = 0; i < l->n; i++) {
		if (!l->len[i])
			return i + 1 < l->n ? i + 1 : -1;
	}

	return -1;
}


/* Rows of one line at this width; an empty one is a row, too */
static int put(const struct area *a, int x, int y, enum style st,
	       const char *text, int skip)
{
	const int n = area_wrap_in(a, x, y, a->w - x - 1, INDENT, st, text,
				   skip);

	return n > 0 ? n : 1;
}


/* One line in its colours, without its first rows. @return rows it has */
static int draw_line(const struct area *a, int y, const struct lines *l,
		     int i, int body, int skip)
{
	const char *text = l->v[i], *colon = strchr(text, ':');
	const bool in_body = body >= 0 && i >= body;
	char name[80];
	int n, w;

	/* "m=" lines say what is talked about */
	n = put(a, 1, y, !i || (in_body && text[0] == 'm' && text[1] == '=') ?
		STYLE_BOLD : STYLE_NORMAL, text, skip);
	if (!i || in_body || skip || !colon || *text == ' ' ||
	    *text == '\t' || colon - text >= (ptrdiff_t)sizeof(name))
		return n;

	snprintf(name, sizeof(name), "%.*s", (int)(colon - text), text);
	w = text_columns(name);
	area_paint(a, 1, y, w < a->w - 2 ? w : a->w - 2, STYLE_INFO);

	return n;
}


/* From where the next one begins, and how much of it is above the area */
struct flow {
	int y, skip;
};


static struct flow flow_at(int row, int top)
{
	return row < top ? (struct flow){ 0, top - row } :
		(struct flow){ row - top, 0 };
}


int message_draw(const struct area *a, const struct lines *l, int top)
{
	const int body = body_at(l);
	int row = 0;

	for (int i = 0; i < l->n; i++) {

		const struct flow f = flow_at(row, top);

		row += draw_line(a, f.y, l, i, body, f.skip);
	}

	return row;
}


/* Compared --------------------------------------------------------------- */

static bool same(const struct lines *a, int i, const struct lines *b, int k)
{
	return a->len[i] == b->len[k] &&
		!memcmp(a->v[i], b->v[k], (size_t)a->len[i]);
}


int diff_lines(struct diff_line **vp, const struct lines *a,
	       const struct lines *b)
{
	const int na = a->n < DIFF_LINES ? a->n : DIFF_LINES;
	const int nb = b->n < DIFF_LINES ? b->n : DIFF_LINES;
	const int w = nb + 1;
	struct diff_line *v;
	uint16_t *t;             /* longest common rest from (i, k) on       */
	int i, k, n = 0;

	v = calloc((size_t)(a->n + b->n + 1), sizeof(*v));
	t = calloc((size_t)(na + 1) * (size_t)w, sizeof(*t));
	if (!v || !t) {
		free(v);
		free(t);
		return -1;
	}

	for (i = na; i-- > 0;) {
		for (k = nb; k-- > 0;) {
			const uint16_t down = t[(i + 1) * w + k];
			const uint16_t right = t[i * w + k + 1];

			t[i * w + k] = same(a, i, b, k) ?
				(uint16_t)(t[(i + 1) * w + k + 1] + 1) :
				down > right ? down : right;
		}
	}

	for (i = k = 0; i < a->n || k < b->n;) {

		const bool in = i < na && k < nb;
		struct diff_line *d = &v[n++];

		if (in && same(a, i, b, k))
			*d = (struct diff_line){ ' ', i++, k++ };
		else if (i < a->n && (k >= b->n || !in ||
				      t[(i + 1) * w + k] >= t[i * w + k + 1]))
			*d = (struct diff_line){ '-', i++, -1 };
		else
			*d = (struct diff_line){ '+', -1, k++ };
	}

	free(t);
	*vp = v;

	return n;
}


int diff_draw(const struct area *area, const struct diff_line *v, int n,
	      const struct lines *a, const struct lines *b, int top)
{
	int row = 0;

	for (int i = 0; i < n; i++) {

		const struct diff_line *d = &v[i];
		const enum style st = d->sign == '-' ? STYLE_BAD :
			d->sign == '+' ? STYLE_OK : STYLE_DIM;
		const char mark[2] = { d->sign, '\0' };
		const struct flow f = flow_at(row, top);

		if (!f.skip && f.y < area->h)
			area_text(area, 1, f.y, st, mark);
		row += put(area, 3, f.y, st, d->sign == '+' ? b->v[d->b] :
			   a->v[d->a], f.skip);
	}

	return row;
}
