/**
 * @file lists.c  What panes that list kept things share
 *
 * Main thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include "lists.h"


static bool found_add(struct found *f, int i)
{
	if (f->n == f->cap) {
		const size_t cap = f->cap ? f->cap * 2 : 256;
		int *v = realloc(f->v, cap * sizeof(*v));

		if (!v)
			return false;
		f->v = v;
		f->cap = cap;
	}
	f->v[f->n++] = i;

	return true;
}


void found_update(struct found *f, uint64_t version, size_t count,
		  found_h *h, void *arg)
{
	if (f->valid && f->version == version)
		return;

	f->valid = true;
	f->version = version;
	f->n = 0;

	for (size_t i = 0; i < count; i++) {
		if (f->find[0] && !h(i, f->find, arg))
			continue;
		if (!found_add(f, (int)i))
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
