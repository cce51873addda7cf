/**
 * @file home.h  The parts of the home page
 *
 * Each paints itself into an area and tells how many rows it took.  Main
 * thread.
 */
#ifndef OFFHOOK_TUI_HOME_H
#define OFFHOOK_TUI_HOME_H

#include "lists.h"

/** What the columns remember between paints */
struct home_side {
	struct found people;     /* contacts worth a row, the best first     */
	unsigned unread;
	uint64_t unread_version;
};

/** ACCOUNTS with their state, or how one is reached without: at most so many
 *  rows below the title. @return row below */
int  home_accounts(struct tui *t, const struct area *a, int y, bool title,
		   int most);
/** Is there one that somebody should know about? */
bool home_accounts_bad(const struct tui *t);
void home_people(struct tui *t, struct home_side *s, const struct area *a);
void home_messages(struct tui *t, struct home_side *s,
		   const struct area *a);
void home_news(const struct tui *t, const struct area *a);

/* pane_people.c: how somebody can be reached, as was told last */
enum sign people_lamp(struct tui *t, const char *uri, enum style *st,
		      const char **word);
/** Changes with every lamp */
unsigned people_version(struct tui *t);

#endif
