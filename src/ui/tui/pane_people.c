/**
 * @file pane_people.c  People: the contacts, and how each can be reached
 *
 * The lamp is what presence and dialog events told last of their address
 * (lamps.h).  Main thread.
 */
#include <stdio.h>
#include "offhook/text.h"
#include "lists.h"
#include "home.h"

struct people_pane {
	struct found found;
	struct rows rows;
};

static const struct key_row people_keys[] = {
	{ "Enter", "screen choose", "call", "Call this one" },
	{ "m", "screen own message", "message", "Write a message" },
	{ "p", "screen own pickup", "pick up", "Take the call that rings at "
	  "this one's phone" },
	{ "w", "screen own watch", "watch", "Watch whether this one can be "
	  "reached" },
	{ "b", "screen own lamp", NULL, "Watch whether this one's phone "
	  "rings or is busy" },
	{ "+", "screen line 'contact add '", "add", "Add a contact" },
	{ "Delete", "screen own remove", NULL, "Remove this contact (asks)" },
	{ "/", "screen search", "find", "Find by a few letters" },
	{ NULL, NULL, NULL, NULL }
};


/* Lamps ------------------------------------------------------------------ */

static enum sign lamp_sign(const struct lamp *l, enum style *st,
			   const char **word)
{
	*st = STYLE_DIM;
	*word = "";
	if (!l)
		return SIGN_DOT;

	if (!strcmp(l->calls, "ringing") || !strcmp(l->calls, "busy")) {
		const bool rings = *l->calls == 'r';

		*st = rings ? STYLE_ALERT : STYLE_WORK;
		*word = rings ? "rings" : "on the phone";
		return SIGN_WORK;
	}
	if (l->activity[0]) {
		*st = STYLE_WORK;
		*word = l->activity;
		return SIGN_WORK;
	}
	if (!strcmp(l->status, "open")) {
		*st = STYLE_OK;
		*word = "can be reached";
		return SIGN_OK;
	}

	*word = l->status[0] ? "cannot be reached" : "";

	/* only its calls are told */
	if (!l->status[0]) {
		if (!l->calls[0])
			return SIGN_DOT;
		*st = STYLE_OK;
		*word = "free";
		return SIGN_OK;
	}

	return SIGN_OFF;
}


enum sign people_lamp(struct tui *t, const char *uri, enum style *st,
		      const char **word)
{
	return lamp_sign(lamps_find(t->ph->lamps, uri, NULL), st, word);
}


unsigned people_version(struct tui *t)
{
	return lamps_version(t->ph->lamps);
}


/* The list ----------------------------------------------------------------- */

static bool fits(size_t i, const char *find, void *arg)
{
	const struct contact_conf *c = contacts_at(arg, i);

	return c && (fuzzy_score(find, c->name) >= 0 ||
		     strcasestr(c->uri, find));
}


static const struct contact_conf *selected(struct tui *t,
					   const struct people_pane *p)
{
	const int64_t i = found_at(&p->found, &p->rows);

	return i < 0 ? NULL : contacts_at(t->ph->contacts, (size_t)i);
}


/* What stands behind the word: with whom they talk, what they say, what we
 * have noted */
static const char *lamp_more(char *buf, size_t sz, const struct lamp *l,
			     const struct contact_conf *c)
{
	char peer[160];

	if (l && l->calls[0] && strcmp(l->calls, "free") && l->peer[0]) {
		(void)snprintf(buf, sz, "with %s",
			       show_uri(peer, sizeof(peer), l->peer));
		return buf;
	}
	if (l && l->note[0])
		return text_escape(buf, sz, l->note, strlen(l->note));

	return c->note;
}


static void draw_row(const struct tui *t, const struct area *a, int y,
		     const struct contact_conf *c)
{
	const int mid = a->w > 70 ? 30 : a->w * 4 / 10;
	const int right = a->w > 70 ? 62 : a->w;
	const struct lamp *l = lamps_find(t->ph->lamps, c->uri, c->account);
	const char *word;
	char buf[300];
	enum style st;
	const enum sign s = lamp_sign(l, &st, &word);
	int x;

	area_text(a, 1, y, st, sign(a->cv, s));
	area_cut(a, 3, y, mid - 4, STYLE_NORMAL, c->name);
	area_cut(a, mid, y, (right < a->w ? right : a->w) - mid - 1,
		 STYLE_INFO, show_uri(buf, sizeof(buf), c->uri));
	if (right < a->w) {
		x = area_cut(a, right, y, a->w - right, st, word);
		x += x > right;
		area_cut(a, x, y, a->w - x, STYLE_DIM,
			 lamp_more(buf, sizeof(buf), l, c));
	}
}


static void people_draw(struct tui *t, void *state, const struct area *a)
{
	struct people_pane *p = state;
	struct contacts *cs = t->ph->contacts;
	const struct area list = area_sub(a, 0, 1, a->w, a->h - 1);

	if (!cs) {
		area_text(a, 1, 0, STYLE_DIM, "There is no file of contacts.");
		return;
	}

	found_update(&p->found, contacts_version(cs), contacts_count(cs), fits,
		     cs);
	rows_fit(&p->rows, (int)p->found.n, list.h);
	found_head(a, "PEOPLE", p->found.n == 1 ? "contact" : "contacts",
		  p->found.n, p->found.find);
	if (*contacts_error(cs))
		area_right(a, a->w - 1, 0, STYLE_BAD, contacts_error(cs));

	if (!p->found.n)
		area_text(&list, 1, 0, STYLE_DIM, p->found.find[0] ?
			  "Nobody fits. Esc shows all." :
			  "No contacts yet: + adds one.");

	for (int y = 0; y < list.h; y++) {

		const int i = rows_at(&p->rows, y);
		const struct contact_conf *c = i < 0 ? NULL :
			contacts_at(cs, (size_t)p->found.v[i]);

		if (!c)
			break;
		draw_row(t, &list, y, c);
		if (i == p->rows.cur)
			area_paint(&list, 0, y, list.w, STYLE_SELECTED);
	}
	rows_marks(&p->rows, &list);
}


static bool people_own(struct tui *t, const struct contact_conf *c,
		       const char *what)
{
	char line[400], word[300];

	tui_quote(c->name, word, sizeof(word));
	if (!strcmp(what, "message")) {
		tui_write(t, c->name, c->name);
		return true;
	}
	if (!strcmp(what, "remove"))
		snprintf(line, sizeof(line), "contact remove %s", word);
	else if (strcmp(what, "watch") && strcmp(what, "lamp") &&
		 strcmp(what, "pickup"))
		return false;

	if (!strcmp(what, "watch") || !strcmp(what, "lamp")) {
		const bool lamp = *what == 'l';

		tui_say(t, STYLE_NORMAL, "From now on you see whether "
			"%s %s.", c->name, lamp ? "is on the phone" :
			"can be reached");
		tui_submit(t, "subscribe %s %s", lamp ? "dialog" : "presence",
			   word);
	}
	else if (!strcmp(what, "pickup")) {
		tui_submit(t, "pickup %s", word);
	}
	else {
		tui_line(t, line);
	}

	return true;
}


static bool people_act(struct tui *t, void *state, enum act act,
		       const char *text)
{
	struct people_pane *p = state;
	const struct contact_conf *c;
	char word[300];

	if (found_act(&p->found, &p->rows, act, text))
		return true;

	c = selected(t, p);
	if (!c)
		return false;
	if (act == ACT_USER)
		return people_own(t, c, text);
	if (act != ACT_CHOOSE)
		return false;

	tui_submit(t, "dial %s", tui_quote(c->name, word, sizeof(word)));

	return true;
}


static bool people_click(struct tui *t, void *state, int x, int y)
{
	struct people_pane *p = state;
	(void)x;

	return rows_click(t, &pane_people, state, &p->rows, y - 1);
}


static void people_close(struct tui *t, void *state)
{
	struct people_pane *p = state;
	(void)t;

	found_free(&p->found);
}


const struct pane pane_people = {
	.name = "people", .title = "People",
	.summary = "contacts, and whether they can be reached",
	.min_w = 30, .min_h = 2,
	.state = sizeof(struct people_pane),
	.keys = people_keys,
	.help = "Contacts come from the file `contacts`. The lamp in front "
		"tells how somebody can be reached, once he is watched: by w "
		"his presence, by b whether his phone rings or is busy; p "
		"takes the call that rings there. Contacts added with "
		"--presence or --lamp are watched by themselves, as long as "
		"their account is registered.",
	.draw = people_draw,
	.act = people_act,
	.click = people_click,
	.close = people_close,
};
