/**
 * @file lamps.c  Contacts that are watched by themselves (presence, BLF)
 *
 * One wish for each contact and package; a wish whose account is registered
 * has a subscription, which lives on by itself through refreshes, failures
 * and moves of the network. One that was ended for good is asked for again
 * after a time that doubles, or as soon as its account is registered anew.
 * The state of everybody that anybody watches is kept here.  Main thread.
 */
#include <stdio.h>
#include <strings.h>
#include <offhook/random.h>
#include "offhook/clock.h"
#include "offhook/filewatch.h"
#include "offhook/lamps.h"
#include "offhook/text.h"
#include "offhook/timer.h"

#define LOG_MODULE "lamps"
#include "offhook/log.h"

enum {
	WISHES_MAX = 200,        /* of 256 subscriptions in all              */
	KNOWN_MAX  = 512,
	AT_ONCE    = 8,          /* subscriptions begun together             */
	PACE_MS    = 100,        /* ... then a pause                         */
	SOON_MS    = 50,         /* several changes are one                  */
	FIRST_MS   = 60 * 1000,  /* after a refusal; doubles                 */
	LATEST_MS  = 60 * 60 * 1000,
};

struct wish {
	struct le le;            /* in the order of the contacts             */
	char uri[CONFIG_STR];    /* as the contact has it                    */
	char account[64];
	bool lamp;               /* dialog, else presence                    */
	bool wanted;             /* still in the file                        */
	bool ready;              /* its account was registered               */
	unsigned id;             /* subscription, 0: none                    */
	char state[16];          /* of it                                    */
	uint64_t due_ms;         /* without one: not before, clock_ms        */
	uint64_t wait_ms;
};

struct known {
	struct le le;
	struct lamp l;
};

struct lamps {
	struct ua *ua;
	struct contacts *contacts;
	struct event_sub *sub[4];
	struct filewatch *file;  /* of contacts; NULL: has no folder yet     */
	struct list wishes;
	struct list known;       /* the one that changed last comes last     */
	bool watch, full;
	unsigned version;
	struct timer tmr;
};


static void settle_h(void *arg);


static const char *who_of(char *buf, size_t sz, const char *uri)
{
	const char *p = *uri == '<' ? uri + 1 : uri;

	if (!strncasecmp(p, "sip:", 4) || !strncasecmp(p, "tel:", 4))
		p += 4;
	else if (!strncasecmp(p, "sips:", 5))
		p += 5;

	(void)snprintf(buf, sz, "%.*s", (int)strcspn(p, ";?>"), p);

	return buf;
}


/* What is known ------------------------------------------------------------ */

static struct known *known_find(const struct lamps *ls, const char *who)
{
	struct le *le;

	LIST_FOREACH(&ls->known, le) {
		struct known *k = le->data;

		if (!strcasecmp(k->l.who, who))
			return k;
	}

	return NULL;
}


static void known_destructor(void *arg)
{
	struct known *k = arg;

	list_unlink(&k->le);
}


static struct lamp *lamp_of(struct lamps *ls, const char *uri)
{
	char who[sizeof(((struct lamp *)0)->who)];
	struct known *k = known_find(ls, who_of(who, sizeof(who), uri));

	if (!k) {
		if (list_count(&ls->known) >= KNOWN_MAX)
			mem_deref(list_head(&ls->known)->data);

		k = mem_zalloc(sizeof(*k), known_destructor);
		if (!k)
			return NULL;
		memcpy(k->l.who, who, sizeof(who));
	}

	list_unlink(&k->le);
	list_append(&ls->known, &k->le, k);
	++ls->version;

	return &k->l;
}


static void presence_h(const struct event *ev, void *arg)
{
	struct lamp *l = lamp_of(arg, ev->u.presence.who);

	if (!l)
		return;

	(void)snprintf(l->status, sizeof(l->status), "%.15s",
		       ev->u.presence.status);
	(void)snprintf(l->activity, sizeof(l->activity), "%.31s",
		       ev->u.presence.activity);
	memcpy(l->note, ev->u.presence.note, sizeof(l->note));
}


static void dialog_h(const struct event *ev, void *arg)
{
	struct lamp *l = lamp_of(arg, ev->u.dialog.who);

	if (!l)
		return;

	(void)snprintf(l->calls, sizeof(l->calls), "%.11s",
		       ev->u.dialog.state);
	(void)snprintf(l->peer, sizeof(l->peer), "%.159s", ev->u.dialog.peer);
}


/* Nobody tells us any more: what was is not known to be */
static void forget(struct lamps *ls, const char *package, const char *uri)
{
	char who[sizeof(((struct lamp *)0)->who)];
	struct known *k = known_find(ls, who_of(who, sizeof(who), uri));
	const size_t n = strcspn(package, ";");

	if (!k)
		return;

	if (text_caseeq(package, n, "dialog")) {
		k->l.calls[0] = k->l.peer[0] = '\0';
	}
	else if (text_caseeq(package, n, "presence")) {
		k->l.status[0] = k->l.activity[0] = k->l.note[0] = '\0';
	}
	++ls->version;
}


/* Wishes ------------------------------------------------------------------- */

static void wish_destructor(void *arg)
{
	struct wish *w = arg;

	list_unlink(&w->le);
}


static struct wish *wish_find(const struct lamps *ls, const char *uri,
			      const char *account, bool lamp)
{
	struct le *le;

	LIST_FOREACH(&ls->wishes, le) {
		struct wish *w = le->data;

		if (w->lamp == lamp && !strcmp(w->uri, uri) &&
		    !strcmp(w->account, account))
			return w;
	}

	return NULL;
}


static void wish_put(struct lamps *ls, const struct contact_conf *c,
		     bool lamp)
{
	struct wish *w = wish_find(ls, c->uri, c->account, lamp);

	if (!w) {
		if (list_count(&ls->wishes) >= WISHES_MAX) {
			if (!ls->full)
				log_warn("no more than %d contacts can be"
					 " watched: the others are not",
					 WISHES_MAX);
			ls->full = true;
			return;
		}

		w = mem_zalloc(sizeof(*w), wish_destructor);
		if (!w)
			return;

		memcpy(w->uri, c->uri, sizeof(w->uri));
		memcpy(w->account, c->account, sizeof(w->account));
		w->lamp = lamp;
		list_append(&ls->wishes, &w->le, w);
	}

	w->wanted = true;
}


static void wish_end(struct lamps *ls, struct wish *w)
{
	const unsigned id = w->id;
	char why[UA_ERR];

	/* what is told of it now is no failure of ours */
	w->id = 0;
	w->state[0] = '\0';
	if (id)
		(void)ua_unsubscribe(ls->ua, id, why);
}


enum way { WAY_NONE, WAY_LATER, WAY_READY };

/* Is there somebody who may ask? */
static enum way way_of(const struct lamps *ls, const struct wish *w)
{
	const struct account *a = w->account[0] ?
		ua_account_find(ls->ua, w->account) :
		ua_account_default(ls->ua);
	const char *state;

	/* person to person */
	if (!a)
		return w->account[0] || ua_account(ls->ua, 0) ? WAY_NONE :
			WAY_READY;

	if (!account_registers(a))
		return account_sent_off(a) ? WAY_NONE : WAY_READY;

	state = account_state(a);
	if (!strcmp(state, "registered") || !strcmp(state, "refreshing"))
		return WAY_READY;

	return !strcmp(state, "off") || !strcmp(state, "unregistering") ?
		WAY_NONE : WAY_LATER;
}


static void wish_begin(struct lamps *ls, struct wish *w, uint64_t now)
{
	const struct ua_subscribe prm = {
		.event = w->lamp ? "dialog" : "presence",
		.target = w->uri, .account = w->account,
		.expires_s = 3600,
	};
	char why[UA_ERR] = "";

	if (!ua_subscribe(&w->id, ls->ua, &prm, why)) {
		(void)snprintf(w->state, sizeof(w->state), "trying");
		return;
	}

	log_info("%s is not watched: %s", w->uri, why);
	w->due_ms = now + LATEST_MS;
}


static void take_contacts(struct lamps *ls)
{
	const size_t n = contacts_count(ls->contacts);
	struct le *le;

	LIST_FOREACH(&ls->wishes, le)
		((struct wish *)le->data)->wanted = false;

	for (size_t i = 0; i < n; i++) {
		const struct contact_conf *c = contacts_at(ls->contacts, i);

		if (c->presence)
			wish_put(ls, c, false);
		if (c->lamp)
			wish_put(ls, c, true);
	}
}


static void file_handler(void *arg)
{
	lamps_settle(arg);
}


/* Others write it too. Its folder may come with the first contact */
static void file_follow(struct lamps *ls)
{
	const char *path = contacts_path(ls->contacts);
	int err;

	if (ls->file || !path)
		return;

	err = filewatch_alloc(&ls->file, path, file_handler, ls);
	if (err && err != ENOENT)
		log_info("what others write into %s is not seen at once: %s",
			 path, strerror(err));
}


static void settle_h(void *arg)
{
	struct lamps *ls = arg;
	const uint64_t now = clock_ms();
	uint64_t next = 0;       /* nothing is due                           */
	unsigned begun = 0;
	struct le *le;

	file_follow(ls);
	take_contacts(ls);

	le = list_head(&ls->wishes);
	while (le) {
		struct wish *w = le->data;
		const enum way way = way_of(ls, w);
		const bool anew = way == WAY_READY && !w->ready;

		le = le->next;

		if (!w->wanted) {
			wish_end(ls, w);
			mem_deref(w);
			continue;
		}

		w->ready = way == WAY_READY;
		if (way == WAY_NONE && w->id)
			wish_end(ls, w);
		if (anew) {
			w->due_ms = w->wait_ms = 0;
			if (w->id && strcmp(w->state, "active"))
				(void)ua_resubscribe(ls->ua, w->id);
		}
		if (!w->ready || w->id)
			continue;

		if (w->due_ms <= now && begun == AT_ONCE) {
			next = PACE_MS;
			continue;
		}
		if (w->due_ms <= now) {
			++begun;
			wish_begin(ls, w, now);
		}
		if (!w->id && (!next || w->due_ms - now < next))
			next = w->due_ms - now;
	}

	if (next)
		timer_start(&ls->tmr, next, settle_h, ls);
}


/* What is told ------------------------------------------------------------- */

static void subscription_h(const struct event *ev, void *arg)
{
	const char *state = ev->u.subscription_state.state;
	struct lamps *ls = arg;
	struct le *le;

	if (!strcmp(state, "ended") || !strcmp(state, "waiting"))
		forget(ls, ev->u.subscription_state.package,
		       ev->u.subscription_state.target);

	LIST_FOREACH(&ls->wishes, le) {
		struct wish *w = le->data;

		if (!w->id ||
		    w->id != (unsigned)ev->u.subscription_state.subscription)
			continue;

		(void)snprintf(w->state, sizeof(w->state), "%.15s", state);
		++ls->version;

		if (!strcmp(state, "active"))
			w->wait_ms = 0;
		if (strcmp(state, "ended"))
			return;

		/* it was not to end: not at once again, and not all at once */
		w->id = 0;
		w->wait_ms = !w->wait_ms ? FIRST_MS :
			w->wait_ms > LATEST_MS / 2 ? LATEST_MS :
			2 * w->wait_ms;
		w->due_ms = clock_ms() + w->wait_ms / 2 +
			random_u32() % (w->wait_ms / 2);
		timer_start(&ls->tmr, SOON_MS, settle_h, ls);
		return;
	}
}


static void account_h(const struct event *ev, void *arg)
{
	(void)ev;

	lamps_settle(arg);
}


/* Functions of lamps.h ----------------------------------------------------- */

static void lamps_destructor(void *arg)
{
	struct lamps *ls = arg;

	timer_cancel(&ls->tmr);
	mem_deref(ls->file);
	for (size_t i = 0; i < ARRAY_SIZE(ls->sub); i++)
		mem_deref(ls->sub[i]);
	list_flush(&ls->wishes);
	list_flush(&ls->known);
}


int lamps_alloc(struct lamps **lp, struct ua *ua, struct event_bus *bus,
		struct contacts *contacts, bool watch)
{
	struct lamps *ls;
	int err;

	if (!lp || !ua || !bus || !contacts)
		return EINVAL;

	ls = mem_zalloc(sizeof(*ls), lamps_destructor);
	if (!ls)
		return ENOMEM;

	ls->ua = ua;
	ls->contacts = contacts;
	ls->watch = watch;

	err = event_subscribe_type(&ls->sub[0], bus, EVENT_PRESENCE,
				   presence_h, ls);
	if (!err)
		err = event_subscribe_type(&ls->sub[1], bus, EVENT_DIALOG,
					   dialog_h, ls);
	if (!err)
		err = event_subscribe_type(&ls->sub[2], bus,
					   EVENT_SUBSCRIPTION_STATE,
					   subscription_h, ls);
	if (!err && watch)
		err = event_subscribe_type(&ls->sub[3], bus,
					   EVENT_ACCOUNT_STATE, account_h,
					   ls);
	if (err) {
		mem_deref(ls);
		return err;
	}

	lamps_settle(ls);
	*lp = ls;

	return 0;
}


void lamps_settle(struct lamps *ls)
{
	if (ls && ls->watch)
		timer_start(&ls->tmr, SOON_MS, settle_h, ls);
}


const struct lamp *lamps_find(const struct lamps *ls, const char *uri,
			      const char *account)
{
	const struct account *a;
	char who[sizeof(((struct lamp *)0)->who)], full[512], why[UA_ERR];
	const struct known *k;

	if (!ls || !uri || !list_head(&ls->known))
		return NULL;

	a = account && *account ? ua_account_find(ls->ua, account) :
		ua_account_default(ls->ua);
	if (ua_target(full, sizeof(full), ls->ua, uri, a, why))
		return NULL;

	k = known_find(ls, who_of(who, sizeof(who), full));

	return k ? &k->l : NULL;
}


const char *lamps_watch(const struct lamps *ls, const struct contact_conf *c,
			bool lamp)
{
	const struct wish *w = ls && c ?
		wish_find(ls, c->uri, c->account, lamp) : NULL;

	return !w ? "" : w->state[0] ? w->state : "waiting";
}


unsigned lamps_version(const struct lamps *ls)
{
	return ls ? ls->version : 0;
}
