/**
 * @file composing.c  Who is writing a message: isComposing (RFC 3994)
 *
 * Ours: active with the first key, told again while keys come, idle when none
 * has come for a while, silently over when the message is sent.  Who does not
 * understand it is not told again.  Theirs: active until told otherwise, until
 * the message comes, or until nothing is heard for as long as they said.  Main
 * thread.
 */
#include "body.h"
#include "message.h"

enum {
	TYPINGS_MAX = 16,            /* we write to so many at once          */
	TYPISTS_MAX = 64,
	DEAF_MAX    = 64,
	IDLE_MS     = 15 * 1000,     /* RFC 3994 3.2                         */
	AGAIN_MS    = 60 * 1000,     /* we say that it holds for 90 s        */
	THEIRS_S    = 120,           /* when they do not say                 */
	THEIRS_MAX_S = 3600,
};

/** We write to somebody */
struct typing {
	struct le le;                /* ua->typings                          */
	struct ua *ua;
	char *target, *account;      /* as the user typed it; account: ""    */
	unsigned call;
	struct timer idle, again;
};

/** Somebody writes to us */
struct typist {
	struct le le;                /* ua->typists                          */
	struct ua *ua;
	char *from;
	unsigned call;
	struct timer tmr;
};

/** Somebody who does not understand it */
struct deaf {
	struct le le;                /* ua->deaf                             */
	char *uri;
};


/* We write ------------------------------------------------------------------ */

static void typing_destructor(void *arg)
{
	struct typing *t = arg;

	timer_cancel(&t->idle);
	timer_cancel(&t->again);
	list_unlink(&t->le);
	mem_deref(t->target);
	mem_deref(t->account);
}


static void typing_tell(const struct typing *t, bool active)
{
	const struct ua_message m = {
		.target = t->target, .account = t->account, .call = t->call,
		.text = "", .composing = active ? UA_COMPOSING : UA_IDLE,
	};
	char why[UA_ERR] = "";

	if (ua_message(NULL, t->ua, &m, why))
		log_debug("that we write is not told: %s", why);
}


static void again_h(void *arg)
{
	struct typing *t = arg;

	typing_tell(t, true);
	timer_start(&t->again, AGAIN_MS, again_h, t);
}


static void idle_h(void *arg)
{
	typing_tell(arg, false);
	mem_deref(arg);
}


static struct typing *typing_find(const struct ua *ua, const char *target,
				  unsigned call)
{
	struct le *le;

	LIST_FOREACH(&ua->typings, le) {
		struct typing *t = le->data;

		if (call ? t->call == call :
		    !t->call && !strcmp(t->target, target))
			return t;
	}

	return NULL;
}


int ua_typing(struct ua *ua, const char *target, unsigned call,
	      const char *account)
{
	struct typing *t;

	if (!ua || (!call && (!target || !*target)))
		return EINVAL;
	if (!ua->config->message_composing || ua->closing)
		return 0;

	t = typing_find(ua, target, call);
	if (!t) {
		if (list_count(&ua->typings) >= TYPINGS_MAX)
			return EAGAIN;

		t = mem_zalloc(sizeof(*t), typing_destructor);
		if (!t)
			return ENOMEM;

		t->ua = ua;
		t->call = call;
		list_append(&ua->typings, &t->le, t);
		if (str_dup(&t->target, target ? target : "") ||
		    str_dup(&t->account, account ? account : "")) {
			mem_deref(t);
			return ENOMEM;
		}
		again_h(t);
	}

	timer_start(&t->idle, IDLE_MS, idle_h, t);

	return 0;
}


void ua_typing_end(struct ua *ua, const char *target, unsigned call)
{
	struct typing *t = ua && (call || target) ?
		typing_find(ua, target, call) : NULL;

	if (t)
		idle_h(t);
}


void composing_sent(struct ua *ua, const char *target, unsigned call)
{
	if (call || target)
		mem_deref(typing_find(ua, target, call));
}


/* Who is deaf to it ---------------------------------------------------------- */

static void deaf_destructor(void *arg)
{
	struct deaf *d = arg;

	list_unlink(&d->le);
	mem_deref(d->uri);
}


bool composing_unwanted(const struct ua *ua, const char *uri)
{
	struct le *le;

	LIST_FOREACH(&ua->deaf, le) {
		const struct deaf *d = le->data;

		if (!strcmp(d->uri, uri))
			return true;
	}

	return false;
}


void composing_refused(struct ua *ua, const char *uri)
{
	struct deaf *d;

	if (composing_unwanted(ua, uri))
		return;
	if (list_count(&ua->deaf) >= DEAF_MAX)
		mem_deref(list_head(&ua->deaf)->data);

	d = mem_zalloc(sizeof(*d), deaf_destructor);
	if (!d)
		return;
	if (str_dup(&d->uri, uri))
		mem_deref(d);
	else
		list_append(&ua->deaf, &d->le, d);
}


/* They write ----------------------------------------------------------------- */

static void typist_destructor(void *arg)
{
	struct typist *t = arg;

	timer_cancel(&t->tmr);
	list_unlink(&t->le);
	mem_deref(t->from);
}


static void typist_tell(const struct ua *ua, unsigned call, const char *from,
			bool active)
{
	struct event ev;

	event_init(&ev, EVENT_MESSAGE_COMPOSING);
	ev.call = call;
	utf8_copy(ev.u.message_composing.from,
		  sizeof(ev.u.message_composing.from), from);
	ev.u.message_composing.active = active;
	event_publish(ua->bus, &ev);
}


static struct typist *typist_find(const struct ua *ua, const char *from)
{
	struct le *le;

	LIST_FOREACH(&ua->typists, le) {
		struct typist *t = le->data;

		if (!strcmp(t->from, from))
			return t;
	}

	return NULL;
}


static void silent_h(void *arg)
{
	struct typist *t = arg;

	typist_tell(t->ua, t->call, t->from, false);
	mem_deref(t);
}


void composing_take(struct ua *ua, const struct call *c, const char *from,
		    const struct composing *cp)
{
	struct typist *t = typist_find(ua, from);
	const uint32_t s = !cp->refresh_s ? THEIRS_S :
		cp->refresh_s < THEIRS_MAX_S ? cp->refresh_s : THEIRS_MAX_S;

	if (!cp->active) {
		mem_deref(t);
		typist_tell(ua, c ? c->id : 0, from, false);
		return;
	}

	if (t) {
		timer_start(&t->tmr, 1000ULL * s, silent_h, t);
		return;
	}

	while (list_count(&ua->typists) >= TYPISTS_MAX)
		silent_h(list_head(&ua->typists)->data);

	t = mem_zalloc(sizeof(*t), typist_destructor);
	if (!t)
		return;

	t->ua = ua;
	t->call = c ? c->id : 0;
	list_append(&ua->typists, &t->le, t);
	if (str_dup(&t->from, from)) {
		mem_deref(t);
		return;
	}

	timer_start(&t->tmr, 1000ULL * s, silent_h, t);
	typist_tell(ua, t->call, from, true);
}


void composing_done(struct ua *ua, const char *from)
{
	struct typist *t = typist_find(ua, from);

	if (t)
		silent_h(t);
}


void composing_flush(struct ua *ua)
{
	list_flush(&ua->typings);
	list_flush(&ua->typists);
	list_flush(&ua->deaf);
}
