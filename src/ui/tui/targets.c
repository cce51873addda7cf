/**
 * @file targets.c  Whom one may call, by what is typed of it
 *
 * Contacts that fit best, then people one has talked to, then what one has
 * dialled before; each address once.  Main thread.
 */
#include <stdio.h>
#include "offhook/contact.h"
#include "offhook/text.h"
#include "tui.h"

enum { CONTACTS_MAX = 8, TARGETS_MAX = 14, HISTORY_LOOK = 500 };

struct offers {
	complete_h *h;
	void *arg;
	size_t n;
	char seen[TARGETS_MAX][200];
};


static void offer(struct offers *o, const char *text, const char *about)
{
	if (o->n == TARGETS_MAX || !*text || strlen(text) >= 200)
		return;

	for (size_t i = 0; i < o->n; i++) {
		if (!strcasecmp(o->seen[i], text))
			return;
	}

	snprintf(o->seen[o->n++], sizeof(o->seen[0]), "%s", text);
	o->h(text, about, o->arg);
}


/* As a word of a line */
static const char *word_of(char *buf, size_t sz, const char *s)
{
	if (s[strcspn(s, " '\"\\$#<>;")])
		return tui_quote(s, buf, sz);

	snprintf(buf, sz, "%s", s);

	return buf;
}


static void offer_contacts(const struct phone *ph, const char *typed,
			   struct offers *o)
{
	const struct contact_conf *v[CONTACTS_MAX];
	char word[200], about[CONFIG_STR + 32];
	size_t n;

	if (!ph->contacts)
		return;

	n = contacts_search(ph->contacts, typed, v, CONTACTS_MAX);
	for (size_t i = 0; i < n; i++) {
		snprintf(about, sizeof(about), "%s   contact", v[i]->uri);
		offer(o, word_of(word, sizeof(word), v[i]->name), about);
	}
}


/* Whoever has called or was called, newest first */
static void offer_history(const struct phone *ph, const char *typed,
			  struct offers *o)
{
	struct history_call c;
	char word[200], about[300], name[128];

	for (size_t i = 0; ph->history && i < HISTORY_LOOK &&
	     o->n < TARGETS_MAX && history_at(&c, ph->history, i); i++) {

		if (!strcasestr(c.peer, typed) && !strcasestr(c.name, typed))
			continue;

		text_escape(name, sizeof(name), c.name, strlen(c.name));
		snprintf(about, sizeof(about), "%s%shistory, %s", name,
			 *name ? "   " : "", c.outcome);
		offer(o, word_of(word, sizeof(word), c.peer), about);
	}
}


/* The target of "dial X ...". @return false: the line dialled nobody */
static bool dialled(char *buf, size_t sz, const char *line)
{
	size_t n;

	if (!strncmp(line, "dial ", 5))
		line += 5;
	else if (!strncmp(line, "d ", 2))
		line += 2;
	else
		return false;

	line += strspn(line, " ");
	n = strcspn(line, " ");
	if (!n || *line == '-' || *line == '\'' || *line == '"')
		return false;
	snprintf(buf, sz, "%.*s", (int)n, line);

	return true;
}


void targets_offer(const struct phone *ph, const struct line *l,
		   const char *typed, complete_h *h, void *h_arg)
{
	struct offers o = { .h = h, .arg = h_arg };
	char who[200];
	const char *line;

	offer_contacts(ph, typed, &o);
	offer_history(ph, typed, &o);

	for (size_t i = 0; (line = line_kept(l, i)); i++) {
		if (dialled(who, sizeof(who), line) && strcasestr(who, typed))
			offer(&o, who, "dialled before");
	}
}
