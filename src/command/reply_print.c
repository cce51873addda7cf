/**
 * @file reply_print.c  A reply for people: values, tables, text
 *
 * Values of the reply itself come one a line, rows of a kind as a table with
 * the names as its head.  Everything is escaped for a terminal here, since
 * names, URIs and reason phrases come from strangers.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "priv.h"

enum { CELL_MAX = 200, COLUMNS_MAX = 24 };

struct column {
	const char *name;
	size_t width;
	bool number;
};

struct table {
	struct column v[COLUMNS_MAX];
	size_t n;
};


/* Characters, not bytes */
static size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;

	return n;
}


static void add_padded(struct text_buf *b, const char *s, size_t width,
		       bool right)
{
	const size_t n = text_width(s);
	const int pad = n < width ? (int)(width - n) : 0;

	if (right)
		text_add(b, "%*s%s", pad, "", s);
	else
		text_add(b, "%s%*s", s, pad, "");
}


static const char *cell(char buf[CELL_MAX], const struct reply_value *v)
{
	switch (v->type) {

	case VAL_STR:
		return text_escape(buf, CELL_MAX, v->s, strlen(v->s));
	case VAL_INT:
		snprintf(buf, CELL_MAX, "%lld", (long long)v->i);
		break;
	case VAL_BOOL:
		snprintf(buf, CELL_MAX, "%s", v->i ? "yes" : "no");
		break;
	case VAL_DOUBLE:
		figure_print(buf, CELL_MAX, v->d);
		break;
	}

	return buf;
}


static void print_values(struct text_buf *b, const struct list *values)
{
	const struct le *le;
	size_t width = 0;

	LIST_FOREACH(values, le) {
		const struct reply_value *v = le->data;

		if (strlen(v->name) > width)
			width = strlen(v->name);
	}

	LIST_FOREACH(values, le) {

		const struct reply_value *v = le->data;
		char buf[CELL_MAX];

		add_padded(b, v->name, width, false);
		text_add(b, " %s\n", cell(buf, v));
	}
}


static struct column *column_get(struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!strcmp(t->v[i].name, name))
			return &t->v[i];
	}

	if (t->n == COLUMNS_MAX)
		return NULL;

	t->v[t->n].name = name;
	t->v[t->n].width = text_width(name);

	return &t->v[t->n++];
}


static void table_measure(struct table *t, const struct reply_record *rec)
{
	const struct le *le;

	LIST_FOREACH(&rec->values, le) {

		const struct reply_value *v = le->data;
		struct column *c = column_get(t, v->name);
		char buf[CELL_MAX];
		size_t w;

		if (!c)
			continue;

		w = text_width(cell(buf, v));
		if (w > c->width)
			c->width = w;
		c->number = v->type == VAL_INT || v->type == VAL_DOUBLE;
	}
}


static const struct reply_value *find(const struct reply_record *rec,
				      const char *name)
{
	const struct le *le;

	LIST_FOREACH(&rec->values, le) {
		const struct reply_value *v = le->data;

		if (!strcmp(v->name, name))
			return v;
	}

	return NULL;
}


static void trim(struct text_buf *b)
{
	while (b->len && b->s[b->len - 1] == ' ')
		b->s[--b->len] = '\0';
}


static void table_row(struct text_buf *b, const struct table *t,
		      const struct reply_record *rec)
{
	for (size_t i = 0; i < t->n; i++) {

		const struct column *c = &t->v[i];
		const struct reply_value *v = rec ? find(rec, c->name) : NULL;
		char buf[CELL_MAX] = "";

		add_padded(b, !rec ? c->name : v ? cell(buf, v) : "",
			   c->width, c->number);
		if (i + 1 < t->n)
			text_add(b, "  ");
	}

	trim(b);
	text_add(b, "\n");
}


/* All rows of the kind that begins at le */
static void print_table(struct text_buf *b, const struct le *le)
{
	const char *kind = ((const struct reply_record *)le->data)->kind;
	struct table t = { .n = 0 };

	for (const struct le *l = le; l; l = l->next) {
		const struct reply_record *rec = l->data;

		if (!strcmp(rec->kind, kind))
			table_measure(&t, rec);
	}

	if (!t.n)
		return;

	if (b->len)
		text_add(b, "\n");
	table_row(b, &t, NULL);

	for (; le; le = le->next) {
		const struct reply_record *rec = le->data;

		if (!rec->head && !strcmp(rec->kind, kind))
			table_row(b, &t, rec);
	}
}


/* Is it the first record of its kind? */
static bool first_of_kind(const struct reply *r, const struct le *le)
{
	const struct reply_record *rec = le->data;

	for (const struct le *l = r->records.head; l != le; l = l->next) {
		const struct reply_record *other = l->data;

		if (!strcmp(other->kind, rec->kind))
			return false;
	}

	return true;
}


static void print_text(struct text_buf *b, const char *s)
{
	while (*s) {

		const size_t n = strcspn(s, "\n");
		const size_t sz = n * 3 + 4;
		char *line = malloc(sz);

		if (!line)
			return;

		text_add(b, "%s\n", text_escape(line, sz, s, n));
		free(line);

		s += n;
		if (*s)
			++s;
	}
}


char *reply_print(const struct reply *r)
{
	struct text_buf b = { .max = 4 << 20 };
	const struct le *le;

	if (!r)
		return NULL;

	/* values and rows; what is meant for people is text */
	for (le = r->silent ? NULL : r->records.head; le; le = le->next) {

		const struct reply_record *rec = le->data;

		if (!rec->kind[0])
			print_values(&b, &rec->values);
		else if (first_of_kind(r, le))
			print_table(&b, le);
	}

	if (r->text.len) {
		if (b.len && r->records.head->next)
			text_add(&b, "\n");
		print_text(&b, r->text.s);
	}

	return b.s ? b.s : strdup("");
}
