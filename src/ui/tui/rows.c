/**
 * @file rows.c  A list that scrolls, with one row selected
 *
 * Only numbers: what the rows are, their pane knows.  Main thread.
 */
#include "pane.h"


void rows_fit(struct rows *r, int count, int height)
{
	r->count = count;
	r->height = height > 0 ? height : 0;

	if (r->cur >= count)
		r->cur = count - 1;
	if (r->cur < 0 && count > 0)
		r->cur = 0;

	if (r->cur >= 0 && r->cur < r->top)
		r->top = r->cur;
	if (r->cur >= r->top + r->height)
		r->top = r->cur - r->height + 1;
	if (r->top > count - r->height)
		r->top = count - r->height;
	if (r->top < 0)
		r->top = 0;
}


bool rows_act(struct rows *r, enum act act)
{
	const int page = r->height > 1 ? r->height - 1 : 1;

	switch (act) {

	case ACT_UP:        r->cur -= 1; break;
	case ACT_DOWN:      r->cur += 1; break;
	case ACT_PAGE_UP:   r->cur -= page; break;
	case ACT_PAGE_DOWN: r->cur += page; break;
	case ACT_TOP:       r->cur = 0; break;
	case ACT_BOTTOM:    r->cur = r->count - 1; break;
	default:            return false;
	}

	if (r->cur >= r->count)
		r->cur = r->count - 1;
	if (r->cur < 0)
		r->cur = r->count ? 0 : -1;

	return true;
}


int rows_at(const struct rows *r, int y)
{
	const int i = r->top + y;

	return y >= 0 && y < r->height && i < r->count ? i : -1;
}


void rows_marks(const struct rows *r, const struct area *a)
{
	if (r->top > 0)
		area_text(a, a->w - 1, 0, STYLE_DIM, sign(a->cv, SIGN_UP));
	if (r->top + r->height < r->count)
		area_text(a, a->w - 1, a->h - 1, STYLE_DIM,
			  sign(a->cv, SIGN_DOWN));
}
