/**
 * @file lamps.h  How others can be reached: what presence and dialog events
 * told last
 *
 * Contacts with `presence` or `lamp` are watched by themselves, for as long as
 * the account they are called by is registered. What is known is kept here,
 * whoever has asked for it. Main thread.
 */
#ifndef OFFHOOK_LAMPS_H
#define OFFHOOK_LAMPS_H

#include "offhook/app.h"

/** What is known of somebody, by value; "" : not known */
struct lamp {
	char who[160];           /* address without scheme and parameters    */
	char status[16];         /* presence: open, closed                   */
	char activity[32];       /* away, on-the-phone ...                   */
	char note[EVENT_TEXT];   /* as it came: escape it                    */
	char calls[12];          /* free, ringing, busy                      */
	char peer[160];          /* whom a call of theirs is with            */
};

struct lamps;
/** watch: contacts are watched by themselves; without it only what others
 *  watch is kept. Free before ua and contacts: mem_deref */
int  lamps_alloc(struct lamps **lp, struct ua *ua, struct event_bus *bus,
		 struct contacts *contacts, bool watch);
/** The contacts may have changed: look, soon */
void lamps_settle(struct lamps *ls);
/** NULL: nothing is known. Valid until the next turn of the loop */
const struct lamp *lamps_find(const struct lamps *ls, const char *uri,
			      const char *account);
/** Is it watched by itself, and how does that stand: "waiting" (no account),
 *  or a state of subscription.state; "" : not watched. lamp: whether it is on
 *  the phone, else presence */
const char *lamps_watch(const struct lamps *ls,
			const struct contact_conf *c, bool lamp);
/** Changes whenever there is something new to show */
unsigned lamps_version(const struct lamps *ls);

#endif
