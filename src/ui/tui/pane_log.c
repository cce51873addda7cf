/**
 * @file pane_log.c  The log: what the phone says about its own work
 *
 * The last LOG_KEEP lines of whatever level the log has (-v, -vv); a filter
 * hides the quieter ones, `/` looks for a text.  Main thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/log.h"
#include "offhook/text.h"
#include "lists.h"

enum { LOG_KEEP = 500, LOG_TEXT = 200 };

struct log_line {
	uint64_t time;
	enum log_level level;
	char module[12];
	char text[LOG_TEXT];
};

struct log_pane {
	struct log_line v[LOG_KEEP];
	unsigned n;              /* ever                                     */
	enum log_level level;    /* most that is shown                       */
	bool level_set;
	struct found found;      /* place in v of each row                   */
	struct rows rows;
	bool up;                 /* not at the end: new lines do not scroll  */
};

static const struct key_row log_keys[] = {
	{ "f", "screen own level", "level", "Show more levels, or fewer" },
	{ "/", "screen search", "find", "Show only lines with a "
	  "text" },
	{ NULL, NULL, NULL, NULL }
};


static enum log_level level_find(const char *name)
{
	for (enum log_level l = LOGL_ERROR; l < LOGL_DEBUG; l++) {
		if (!strcmp(log_level_name(l), name))
			return l;
	}

	return LOGL_DEBUG;
}


static void log_event(struct tui *t, void *state, const struct event *ev)
{
	struct log_pane *p = state;
	struct log_line *l;
	(void)t;

	if (ev->type != EVENT_LOG || !p)
		return;

	l = &p->v[p->n++ % LOG_KEEP];
	l->time = ev->time;
	l->level = level_find(ev->u.log.level);
	snprintf(l->module, sizeof(l->module), "%.11s", ev->u.log.module);
	text_escape(l->text, sizeof(l->text), ev->u.log.text,
		    strlen(ev->u.log.text));
}


static bool wanted(const struct log_pane *p, const struct log_line *l)
{
	return l->level <= p->level &&
		(!p->found.find[0] || strcasestr(l->text, p->found.find) ||
		 strcasestr(l->module, p->found.find));
}


static enum style level_style(enum log_level l)
{
	return l == LOGL_ERROR ? STYLE_BAD : l == LOGL_WARN ? STYLE_WORK :
		l == LOGL_INFO ? STYLE_NORMAL : STYLE_DIM;
}


static void log_draw(struct tui *t, void *state, const struct area *a)
{
	struct log_pane *p = state;
	const unsigned have = p->n < LOG_KEEP ? p->n : LOG_KEEP;
	const struct area list = area_sub(a, 0, 1, a->w, a->h - 1);
	int x;
	(void)t;

	if (!p->level_set)
		p->level = LOGL_DEBUG;
	p->level_set = true;

	for (unsigned i = found_begin(&p->found, p->n) ? have : 0; i > 0;
	     i--) {
		const unsigned k = (p->n - i) % LOG_KEEP;

		if (wanted(p, &p->v[k]) && !found_add(&p->found, k))
			break;
	}

	if (!p->up)
		p->rows.cur = (int)p->found.n - 1;
	rows_fit(&p->rows, (int)p->found.n, list.h);

	x = area_text(a, 1, 0, STYLE_TITLE, "LOG") + 2;
	x = area_printf(a, x, 0, STYLE_DIM, "%s and above", log_level_name(
		p->level)) + 2;
	if (p->found.find[0])
		area_printf(a, x, 0, STYLE_WORK, "with '%s'", p->found.find);
	if (!p->found.n)
		area_text(&list, 1, 0, STYLE_DIM, p->found.find[0] ?
			  "No line fits. Esc shows all." :
			  "Nothing has been said. -v and -vv tell more.");

	for (int y = 0; y < list.h; y++) {

		const int i = rows_at(&p->rows, y);
		const struct log_line *l;
		char clock[16];

		if (i < 0)
			break;
		l = &p->v[p->found.v[i]];
		show_clock(clock, sizeof(clock), l->time, true);
		x = area_text(&list, 1, y, STYLE_DIM, clock) + 1;
		x = area_cut(&list, x, y, 8, STYLE_DIM, l->module);
		x = x > 17 ? x : 17;
		area_cut(&list, x + 1, y, list.w - x - 2,
			 level_style(l->level), l->text);
		if (p->up && i == p->rows.cur)
			area_paint(&list, 0, y, list.w, STYLE_SELECTED);
	}
	rows_marks(&p->rows, &list);
}


static bool log_act(struct tui *t, void *state, enum act act,
		    const char *text)
{
	struct log_pane *p = state;

	(void)t;

	if (act == ACT_USER) {
		p->level = p->level == LOGL_DEBUG ? LOGL_ERROR :
			(enum log_level)(p->level + 1);
		p->found.valid = p->up = false;
		return true;
	}
	if (!found_act(&p->found, &p->rows, act, text))
		return false;
	p->up = act != ACT_FIND && act != ACT_BACK &&
		p->rows.cur < p->rows.count - 1;

	return true;
}


static void log_end(struct tui *t, void *state)
{
	struct log_pane *p = state;
	(void)t;

	found_free(&p->found);
}


const struct pane pane_log = {
	.name = "log", .title = "Log",
	.summary = "what the phone says about its own work",
	.min_w = 30, .min_h = 2,
	.state = sizeof(struct log_pane),
	.keys = log_keys,
	.help = "The last lines of the log, which is also written to a file "
		"(--log, else `log` in the folder of state). -v and -vv "
		"make the phone say more.",
	.draw = log_draw,
	.act = log_act,
	.event = log_event,
	.close = log_end,
};
