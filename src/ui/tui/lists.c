/**
 * @file lists.c  What panes that list kept things share
 *
 * Main thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include "lists.h"


bool found_add(struct found *f, uint64_t i)
{
	if (f->n == f->cap) {
		const size_t cap = f->cap ? f->cap * 2 : 256;
		uint64_t *v = realloc(f->v, cap * sizeof(*v));

		if (!v)
			return false;
		f->v = v;
		f->cap = cap;
	}
	f->v[f->n++] = i;

	return true;
}


bool found_begin(struct found *f, uint64_t version)
{
	if (f->valid && f->version == version)
		return false;

	f->valid = true;
	f->version = version;
	f->n = 0;

	return true;
}


void found_update(struct found *f, uint64_t version, size_t count,
		  found_h *h, void *arg)
{
	if (!found_begin(f, version))
		return;

	for (size_t i = 0; i < count; i++) {
		if (f->find[0] && !h(i, f->find, arg))
			continue;
		if (!found_add(f, i))
			break;
	}
}


void found_set(struct found *f, const char *find)
{
	snprintf(f->find, sizeof(f->find), "%s", find);
	f->valid = false;
}


void found_free(struct found *f)
{
	free(f->v);
	memset(f, 0, sizeof(*f));
}


bool found_act(struct found *f, struct rows *r, enum act act,
	       const char *text)
{
	if (act == ACT_FIND) {
		found_set(f, text);
		r->cur = r->top = 0;
		return true;
	}
	if (act == ACT_BACK && f->find[0]) {
		found_set(f, "");
		return true;
	}

	return rows_act(r, act);
}


int64_t found_at(const struct found *f, const struct rows *r)
{
	return r->cur >= 0 && (size_t)r->cur < f->n ?
		(int64_t)f->v[r->cur] : -1;
}


bool rows_click(struct tui *t, const struct pane *p, void *state,
		struct rows *r, int y)
{
	const int i = rows_at(r, y);

	if (i < 0)
		return false;
	if (i == r->cur)
		return p->act(t, state, ACT_CHOOSE, "");
	r->cur = i;

	return true;
}


void found_head(const struct area *a, const char *title, const char *what,
	       size_t shown, const char *find)
{
	int x = area_text(a, 1, 0, STYLE_TITLE, title) + 2;

	x = area_printf(a, x, 0, STYLE_DIM, "%zu %s", shown, what);
	if (find[0]) {
		x = area_text(a, x, 0, STYLE_DIM, " with ");
		area_text(a, x, 0, STYLE_WORK, find);
	}
}
