/**
 * @file watch_body.c  What a NOTIFY says, as events
 *
 * Every body is told as it came (subscription.notify); presence, dialogs,
 * waiting messages, registrations and conferences are told in words of their
 * own as well.  Main thread.
 */
#include "offhook/clock.h"
#include "watch.h"
#include "mailbox.h"

enum { ASK_MS = 5000 };


static void raw_tell(const struct watch *w, const char *ctype,
		     const char *body, size_t len)
{
	struct event ev;
	char *whole;

	event_init(&ev, EVENT_SUBSCRIPTION_NOTIFY);
	ev.u.subscription_notify.subscription = w->id;
	str_ncpy(ev.u.subscription_notify.package, w->event,
		 sizeof(ev.u.subscription_notify.package));
	utf8_copy(ev.u.subscription_notify.type,
		  sizeof(ev.u.subscription_notify.type), ctype);

	whole = mem_zalloc(len + 1, NULL);
	if (whole) {
		memcpy(whole, body, len);
		utf8_copy(ev.u.subscription_notify.body,
			  sizeof(ev.u.subscription_notify.body), whole);
		mem_deref(whole);
	}
	ev.u.subscription_notify.cut =
		len >= sizeof(ev.u.subscription_notify.body);

	event_publish(w->ua->bus, &ev);
}


static int presence_take(const struct watch *w, const char *body, size_t len)
{
	struct event ev;
	struct pidf p;
	int err = pidf_parse(&p, body, len);

	if (err)
		return err;

	event_init(&ev, EVENT_PRESENCE);
	utf8_copy(ev.u.presence.who, sizeof(ev.u.presence.who), w->target);
	str_ncpy(ev.u.presence.status, p.open ? "open" : "closed",
		 sizeof(ev.u.presence.status));
	utf8_copy(ev.u.presence.activity, sizeof(ev.u.presence.activity),
		  p.activity);
	utf8_copy(ev.u.presence.note, sizeof(ev.u.presence.note), p.note);
	utf8_copy(ev.u.presence.contact, sizeof(ev.u.presence.contact),
		  p.contact);
	event_publish(w->ua->bus, &ev);

	return 0;
}


static int mwi_take(const struct watch *w, const char *body, size_t len)
{
	struct account *own = NULL;
	struct mwi_summary m;
	struct le *le;
	int err = mwi_parse(&m, body, len);

	if (err)
		return err;

	LIST_FOREACH(&w->ua->accounts, le) {
		struct account *a = le->data;

		if (a->mwi_watch == w->id)
			own = a;
	}

	mailbox_told(w->ua, own, w->target, &m);

	return 0;
}


/* One word for all of them: a lamp has three states */
static const char *lamp(const struct dialog_info *d, unsigned *which)
{
	const char *state = "free";

	for (unsigned i = 0; i < d->count; i++) {
		const char *st = d->v[i].state;

		if (!strcmp(st, "confirmed")) {
			*which = i;
			return "busy";
		}
		if (strcmp(st, "terminated")) {
			*which = i;
			state = "ringing";
		}
	}

	return state;
}


/* A version is missing: the whole state again (RFC 4235 4.3, RFC 4575 4.4);
 * now and then, for there are servers that never send it */
static void whole_ask(struct watch *w)
{
	const uint64_t now = clock_ms();

	if (w->asked_ms && now - w->asked_ms < ASK_MS)
		return;

	w->asked_ms = now;
	(void)sip_sub_refresh(w->sub);
}


static int dialog_take(struct watch *w, const char *body, size_t len)
{
	struct dialog_info *news;
	unsigned which = BODY_DIALOGS;
	struct event ev;
	int err = dialog_info_parse(&news, body, len);

	if (err)
		return err;

	if (!w->dialogs)
		w->dialogs = mem_zalloc(sizeof(*w->dialogs), NULL);
	err = w->dialogs ? dialog_info_merge(w->dialogs, news) : ENOMEM;
	mem_deref(news);

	if (err == ENOENT)
		whole_ask(w);
	if (err)
		return err == EALREADY || err == ENOENT ? 0 : err;

	event_init(&ev, EVENT_DIALOG);
	utf8_copy(ev.u.dialog.who, sizeof(ev.u.dialog.who), w->target);
	str_ncpy(ev.u.dialog.state, lamp(w->dialogs, &which),
		 sizeof(ev.u.dialog.state));
	ev.u.dialog.count = w->dialogs->count;
	if (which < w->dialogs->count) {
		const struct dialog_entry *e = &w->dialogs->v[which];

		utf8_copy(ev.u.dialog.peer, sizeof(ev.u.dialog.peer),
			  e->remote_uri);
		str_ncpy(ev.u.dialog.direction, e->initiator ? "out" : "in",
			 sizeof(ev.u.dialog.direction));
	}
	event_publish(w->ua->bus, &ev);

	return 0;
}


static int reg_take(const struct watch *w, const char *body, size_t len)
{
	struct reginfo *r;
	struct event ev;
	int err = reginfo_parse(&r, body, len);

	if (err)
		return err;

	for (unsigned i = 0; i < r->count; i++) {
		const struct reginfo_contact *c = &r->v[i];

		event_init(&ev, EVENT_REGISTRATION);
		utf8_copy(ev.u.registration.aor,
			  sizeof(ev.u.registration.aor), r->aor[0] ? r->aor :
			  w->target);
		utf8_copy(ev.u.registration.contact,
			  sizeof(ev.u.registration.contact), c->uri);
		utf8_copy(ev.u.registration.state,
			  sizeof(ev.u.registration.state), c->state);
		utf8_copy(ev.u.registration.why,
			  sizeof(ev.u.registration.why), c->event);
		if (c->expires_s)
			ev.u.registration.expires_s = c->expires_s;
		event_publish(w->ua->bus, &ev);
	}

	mem_deref(r);

	return 0;
}


static void member_tell(const struct conf_member *m, void *arg)
{
	const struct watch *w = arg;
	struct event ev;

	event_init(&ev, EVENT_CONFERENCE);
	utf8_copy(ev.u.conference.room, sizeof(ev.u.conference.room),
		  w->target);
	utf8_copy(ev.u.conference.subject, sizeof(ev.u.conference.subject),
		  w->room->subject);
	utf8_copy(ev.u.conference.who, sizeof(ev.u.conference.who), m->uri);
	utf8_copy(ev.u.conference.name, sizeof(ev.u.conference.name),
		  m->name);
	utf8_copy(ev.u.conference.state, sizeof(ev.u.conference.state),
		  m->state);
	ev.u.conference.count = w->room->count;
	event_publish(w->ua->bus, &ev);
}


static int conference_take(struct watch *w, const char *body, size_t len)
{
	struct conf_info *news;
	int err = conf_info_parse(&news, body, len);

	if (err)
		return err;

	if (!w->room)
		w->room = mem_zalloc(sizeof(*w->room), NULL);
	err = w->room ? conf_info_merge(w->room, news, member_tell, w) :
		ENOMEM;
	mem_deref(news);

	if (err == ENOENT)
		whole_ask(w);

	return err == EALREADY || err == ENOENT ? 0 : err;
}


static bool is_type(const char *ctype, const char *type)
{
	const size_t len = strlen(type);

	return 0 == strncasecmp(ctype, type, len) &&
		!strchr("+-.", ctype[len] ? ctype[len] : ' ');
}


int watch_body(struct watch *w, const char *ctype, const char *body,
	       size_t len)
{
	int err = 0;

	raw_tell(w, ctype, body, len);

	if (is_type(ctype, "application/pidf+xml"))
		err = presence_take(w, body, len);
	else if (is_type(ctype, "application/dialog-info+xml"))
		err = dialog_take(w, body, len);
	else if (is_type(ctype, "application/simple-message-summary"))
		err = mwi_take(w, body, len);
	else if (is_type(ctype, "application/reginfo+xml"))
		err = reg_take(w, body, len);
	else if (is_type(ctype, "application/conference-info+xml"))
		err = conference_take(w, body, len);

	return err == ENOMEM ? 500 : err ? 400 : 0;
}
