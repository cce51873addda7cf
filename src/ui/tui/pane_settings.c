/**
 * @file pane_settings.c  Settings: the table of options, changed in place
 *
 * Every option with its value; Enter opens a line with `set` and the value.
 * What a change means is said below.  Main thread.
 */
#include <stdio.h>
#include "offhook/config.h"
#include "offhook/text.h"
#include "lists.h"

struct settings_pane {
	struct found found;
	struct rows rows;
};

static const struct key_row settings_keys[] = {
	{ "Enter", "screen choose", "change", "Change this one" },
	{ "u", "screen own default", "default", "Back to what it is without "
	  "your wish" },
	{ "w", "screen own save", "save", "Keep this one: into offhook.conf" },
	{ "/", "screen search", "find", "Show only options with "
	  "a text" },
	{ NULL, NULL, NULL, NULL }
};


static bool fits(size_t i, const char *find, void *arg)
{
	size_t n;
	const struct option *o = &option_table(&n)[i];
	(void)arg;

	return strcasestr(o->name, find) || strcasestr(o->summary, find);
}


/* As a user would write it; "" when it cannot be read */
static void value_of(const struct tui *t, const struct option *o, char *buf,
		     size_t sz)
{
	if (config_get(t->ph->config, o->name, buf, sz))
		buf[0] = '\0';
}


static void draw_detail(struct tui *t, const struct area *a,
			const struct option *o)
{
	char range[200] = "", text[1024];
	int x;

	area_rule(a, 0, 0, a->w, STYLE_RULE);
	x = area_text(a, 1, 1, STYLE_BOLD, o->name) + 2;
	if (o->choices)
		snprintf(range, sizeof(range), "%s of %.150s", o->type ==
			 OPT_LIST ? "some" : "one", o->choices);
	else if (o->unit || o->min || o->max)
		snprintf(range, sizeof(range), "%lld to %lld%s%s",
			 (long long)o->min, (long long)o->max,
			 o->unit ? " " : "", o->unit ? o->unit : "");
	x = area_text(a, x, 1, STYLE_DIM, range) + (range[0] ? 2 : 0);
	x = area_printf(a, x, 1, STYLE_DIM, "default: %s", o->def && *o->def ?
			o->def : "nothing") + 2;
	if (o->restart)
		area_text(a, x, 1, STYLE_WORK, "from the next start on");
	snprintf(text, sizeof(text), "%s%s%s", o->summary, o->more ? ". " :
		 "", o->more ? o->more : "");
	area_wrap(a, 1, 2, a->w - 2, STYLE_NORMAL, text, 0);
	(void)t;
}


static void settings_draw(struct tui *t, void *state, const struct area *a)
{
	struct settings_pane *p = state;
	const int below = a->h >= 16 ? 7 : a->h >= 10 ? 4 : 0;
	const struct area list = area_sub(a, 0, 1, a->w, a->h - 1 - below);
	const int mid = a->w > 60 ? 26 : a->w * 4 / 10;
	size_t n;
	const struct option *v = option_table(&n);
	char value[CONFIG_STR];

	found_update(&p->found, 1, n, fits, NULL);
	rows_fit(&p->rows, (int)p->found.n, list.h);
	found_head(a, "SETTINGS", p->found.n == 1 ? "option" : "options",
		   p->found.n, p->found.find);
	if (!p->found.n)
		area_text(&list, 1, 0, STYLE_DIM, "No option fits. Esc shows "
			  "all.");

	for (int y = 0; y < list.h; y++) {

		const int i = rows_at(&p->rows, y);
		const struct option *o = i < 0 ? NULL : &v[p->found.v[i]];
		bool mine;
		int x;

		if (!o)
			break;
		value_of(t, o, value, sizeof(value));
		mine = o->def && strcmp(value, o->def);
		area_cut(&list, 1, y, mid - 2, STYLE_NORMAL, o->name);
		x = area_cut(&list, mid, y, list.w > 90 ? 24 : list.w - mid -
			     1, mine ? STYLE_BOLD : STYLE_DIM,
			     value[0] ? value : "-");
		if (list.w > 90 && x < mid + 26)
			area_cut(&list, mid + 26, y, list.w - mid - 27,
				 STYLE_DIM, o->summary);
		if (i == p->rows.cur)
			area_paint(&list, 0, y, list.w, STYLE_SELECTED);
	}
	rows_marks(&p->rows, &list);

	if (below && p->rows.cur >= 0 && (size_t)p->rows.cur < p->found.n) {
		const struct area low = area_sub(a, 0, a->h - below, a->w,
						 below);

		draw_detail(t, &low, &v[p->found.v[p->rows.cur]]);
	}
}


static bool settings_act(struct tui *t, void *state, enum act act,
			 const char *text)
{
	struct settings_pane *p = state;
	const struct option *o;
	char value[CONFIG_STR], word[CONFIG_STR * 2], line[CONFIG_STR * 2 + 80];
	size_t n;
	int64_t i;

	if (found_act(&p->found, &p->rows, act, text))
		return true;

	i = found_at(&p->found, &p->rows);
	if (i < 0 || (act != ACT_CHOOSE && act != ACT_USER))
		return false;

	o = &option_table(&n)[i];
	if (act == ACT_USER && !strcmp(text, "save")) {
		tui_submit(t, "config save %s", o->name);
		return true;
	}
	if (act == ACT_USER) {
		tui_submit(t, "set %s %s", o->name, tui_quote(
			o->def ? o->def : "", word, sizeof(word)));
		return true;
	}

	value_of(t, o, value, sizeof(value));
	snprintf(line, sizeof(line), "set %s %s", o->name,
		 value[strcspn(value, " \t'\"\\#$")] ?
		 tui_quote(value, word, sizeof(word)) : value);
	tui_line(t, line);

	return true;
}


static bool settings_click(struct tui *t, void *state, int x, int y)
{
	struct settings_pane *p = state;
	(void)x;

	return rows_click(t, &pane_settings, state, &p->rows, y - 1);
}


static void settings_close(struct tui *t, void *state)
{
	struct settings_pane *p = state;
	(void)t;

	found_free(&p->found);
}


const struct pane pane_settings = {
	.name = "settings", .title = "Settings",
	.summary = "every option, and its value",
	.min_w = 34, .min_h = 3,
	.state = sizeof(struct settings_pane),
	.keys = settings_keys,
	.help = "Bold is what differs from the default. A change holds until "
		"the phone ends; w keeps it in offhook.conf.",
	.draw = settings_draw,
	.act = settings_act,
	.click = settings_click,
	.close = settings_close,
};
