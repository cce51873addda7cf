/**
 * @file presence.c  What others may know of us: presence and our calls
 *
 * Presence is published to the account's server (RFC 3903) and told to who
 * watches us directly; our calls are told as dialog-info (RFC 4235) to who
 * watches those.  Watchers are served only when option watchers says so.
 * What is told is always the whole state.  Main thread.
 */
#include "body.h"
#include "offhook/sip_event.h"
#include "requests.h"


enum {
	WATCHERS_MAX = 64,
	LIFE_S       = 3600,
};

enum package { PACKAGE_PRESENCE, PACKAGE_DIALOG };

/** One account's presence at its server */
struct publication {
	struct le le;                /* ua->publications                     */
	struct ua *ua;
	struct account *acc;
	struct sip_pub *pub;
	bool ending;
};

/** Somebody who watches us */
struct watcher {
	struct le le;                /* ua->watchers                         */
	struct ua *ua;
	enum package package;
	struct sip_notifier *notifier;
	char entity[UA_URI];
	uint32_t version;
	struct timer tmr;
};


/* What is told ------------------------------------------------------------- */

static int presence_print(char **textp, const struct ua *ua,
			  const char *entity)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct pidf p;
	int err;

	if (!mb)
		return ENOMEM;

	memset(&p, 0, sizeof(p));
	p.open = !ua->presence.closed;
	str_ncpy(p.entity, entity, sizeof(p.entity));
	str_ncpy(p.activity, ua->presence.activity, sizeof(p.activity));
	str_ncpy(p.note, ua->presence.note, sizeof(p.note));

	err = pidf_print(mb, &p, "offhook");
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, textp, mb->end);
	}
	mem_deref(mb);

	return err;
}


static const char *dialog_state(const struct call *c)
{
	switch (c->state) {

	case CALL_CALLING:  return "trying";
	case CALL_RINGING:
	case CALL_EARLY:
	case CALL_INCOMING: return "early";
	case CALL_ACTIVE:   return "confirmed";
	default:            return NULL;
	}
}


/* Which one it is, for who may take it (RFC 4235 4.1.1) */
static void dialog_name(struct dialog_entry *e, const struct call *c)
{
	char target[sizeof(e->remote_target)];
	struct sip_dialog_id id;

	if (sip_call_dialog(&id, target, sizeof(target), c->sip) ||
	    strlen(id.ltag) >= sizeof(e->local_tag) ||
	    strlen(id.rtag) >= sizeof(e->remote_tag))
		return;

	str_ncpy(e->callid, id.callid, sizeof(e->callid));
	str_ncpy(e->local_tag, id.ltag, sizeof(e->local_tag));
	str_ncpy(e->remote_tag, id.rtag, sizeof(e->remote_tag));
	str_ncpy(e->remote_target, target, sizeof(e->remote_target));
}


static int dialogs_print(char **textp, struct watcher *w)
{
	struct dialog_info *d = mem_zalloc(sizeof(*d), NULL);
	struct mbuf *mb = mbuf_alloc(1024);
	struct le *le;
	int err;

	if (!d || !mb) {
		err = ENOMEM;
		goto out;
	}

	d->version = w->version++;
	d->full = true;
	str_ncpy(d->entity, w->entity, sizeof(d->entity));

	LIST_FOREACH(&w->ua->calls, le) {
		const struct call *c = le->data;
		const char *state = call_living(c) ? dialog_state(c) : NULL;
		struct dialog_entry *e = &d->v[d->count];

		if (!state || d->count == BODY_DIALOGS)
			continue;

		(void)snprintf(e->id, sizeof(e->id), "%u", c->id);
		e->initiator = c->outgoing;
		dialog_name(e, c);
		str_ncpy(e->state, state, sizeof(e->state));
		str_ncpy(e->local_uri, w->entity, sizeof(e->local_uri));
		str_ncpy(e->remote_uri, c->peer, sizeof(e->remote_uri));
		str_ncpy(e->remote_name, c->name ? c->name : "",
			 sizeof(e->remote_name));
		++d->count;
	}

	err = dialog_info_print(mb, d);
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, textp, mb->end);
	}

 out:
	mem_deref(d);
	mem_deref(mb);

	return err;
}


/* Watchers ----------------------------------------------------------------- */

static void watcher_tell(struct watcher *w)
{
	char *body = NULL;
	int err;

	err = w->package == PACKAGE_PRESENCE ?
		presence_print(&body, w->ua, w->entity) :
		dialogs_print(&body, w);
	if (!err)
		err = sip_notifier_send(w->notifier, false,
					w->package == PACKAGE_PRESENCE ?
					"application/pidf+xml" :
					"application/dialog-info+xml", body);
	if (err && err != ENOTCONN)
		log_debug("a watcher is not told: %s", strerror(err));

	mem_deref(body);
}


static void watchers_tell(struct ua *ua, enum package package)
{
	struct le *le;

	LIST_FOREACH(&ua->watchers, le) {
		struct watcher *w = le->data;

		if (w->package == package)
			watcher_tell(w);
	}
}


static void watcher_destructor(void *arg)
{
	struct watcher *w = arg;

	timer_cancel(&w->tmr);
	list_unlink(&w->le);
	mem_deref(w->notifier);
}


static void refresh_h(void *arg)
{
	watcher_tell(arg);
}


static void gone_h(void *arg)
{
	mem_deref(arg);
}


static void closed_h(const struct sip_result *res, void *arg)
{
	struct watcher *w = arg;
	(void)res;

	timer_start(&w->tmr, 0, gone_h, w);
}


static const struct sip_notifier_h notifier_handlers = {
	refresh_h, closed_h,
};


/* All that changed in one turn is told once */
static void changed_h(void *arg)
{
	watchers_tell(arg, PACKAGE_DIALOG);
}


static void call_state_h(const struct event *ev, void *arg)
{
	struct ua *ua = arg;
	(void)ev;

	if (!list_isempty(&ua->watchers))
		timer_start(&ua->tmr_watchers, 0, changed_h, ua);
}


/* @return false: a package that we do not tell */
static bool package_of(enum package *p, const struct sip_info *in)
{
	char event[64];
	size_t len;

	if (sip_info_header(in, "Event", event, sizeof(event)))
		return false;

	len = strcspn(event, "; \t");
	if (text_caseeq(event, len, "presence"))
		*p = PACKAGE_PRESENCE;
	else if (text_caseeq(event, len, "dialog"))
		*p = PACKAGE_DIALOG;
	else
		return false;

	return true;
}


int presence_subscribe(struct ua *ua, struct call *c, struct sip_rx *rx,
		       const struct sip_info *in)
{
	const struct account *acc = c ? c->acc :
		account_match(ua, in);
	const struct sip_notifier_conf conf = {
		.ident = acc ? acc->ident : NULL, .max_s = LIFE_S,
	};
	enum package package;
	struct watcher *w;

	if (!ua->config->watchers || !package_of(&package, in))
		return 489;
	if (list_count(&ua->watchers) >= WATCHERS_MAX)
		return 503;

	if (!ua->call_sub &&
	    event_subscribe_type(&ua->call_sub, ua->bus, EVENT_CALL_STATE,
				 call_state_h, ua))
		return 500;

	w = mem_zalloc(sizeof(*w), watcher_destructor);
	if (!w)
		return 500;

	w->ua = ua;
	w->package = package;
	utf8_copy(w->entity, sizeof(w->entity), acc ? acc->conf.aor :
		  in->to_uri);
	list_append(&ua->watchers, &w->le, w);

	if (sip_notifier_accept(&w->notifier, rx, &conf, &notifier_handlers,
				w)) {
		/* it has been refused there */
		mem_deref(w);
		return 0;
	}

	watcher_tell(w);

	return 0;
}


/* Publishing --------------------------------------------------------------- */

static void publication_destructor(void *arg)
{
	struct publication *p = arg;

	list_unlink(&p->le);
	mem_deref(p->pub);
	mem_deref(p->acc);
}


static void pub_handler(const struct sip_result *res, uint64_t next_ms,
			void *arg)
{
	struct publication *p = arg;
	struct event ev;
	const bool ok = res->cause == SIP_CAUSE_NONE;

	event_init(&ev, EVENT_PUBLICATION_STATE);
	ev.account = p->acc->id;
	str_ncpy(ev.u.publication_state.aor, p->acc->conf.aor,
		 sizeof(ev.u.publication_state.aor));
	str_ncpy(ev.u.publication_state.state, !ok ? "failed" :
		 p->ending ? "off" : "published",
		 sizeof(ev.u.publication_state.state));
	if (res->code)
		ev.u.publication_state.code = res->code;
	utf8_copy(ev.u.publication_state.reason,
		  sizeof(ev.u.publication_state.reason), res->reason);
	if (!ok)
		str_ncpy(ev.u.publication_state.cause,
			 sip_cause_name(res->cause),
			 sizeof(ev.u.publication_state.cause));
	if (next_ms)
		ev.u.publication_state.next_ms = (int64_t)next_ms;
	event_publish(p->ua->bus, &ev);

	if (p->ending)
		mem_deref(p);
}


static struct publication *publication_of(const struct ua *ua,
					  const struct account *acc)
{
	struct le *le;

	LIST_FOREACH(&ua->publications, le) {
		struct publication *p = le->data;

		if (p->acc == acc && !p->ending)
			return p;
	}

	return NULL;
}


static int publication_new(struct publication **pp, struct ua *ua,
			   struct account *acc)
{
	const struct sip_pub_conf conf = {
		.ident = acc->ident, .event = "presence",
	};
	struct publication *p;
	int err;

	p = mem_zalloc(sizeof(*p), publication_destructor);
	if (!p)
		return ENOMEM;

	p->ua = ua;
	p->acc = mem_ref(acc);
	list_append(&ua->publications, &p->le, p);

	err = sip_pub_alloc(&p->pub, ua->sip, &conf, pub_handler, p);
	if (err)
		mem_deref(p);
	else
		*pp = p;

	return err;
}


static int publish(struct ua *ua, struct account *acc)
{
	struct publication *p = publication_of(ua, acc);
	char *body = NULL;
	int err = 0;

	if (!p)
		err = publication_new(&p, ua, acc);
	if (!err)
		err = presence_print(&body, ua, acc->conf.aor);
	if (!err)
		err = sip_pub_set(p->pub, "application/pidf+xml", body);
	mem_deref(body);

	return err;
}


static bool word_ok(const char *s)
{
	return *s && strlen(s) < 32 &&
		strspn(s, "abcdefghijklmnopqrstuvwxyz-") == strlen(s);
}


int ua_publish(struct ua *ua, const char *account, const char *status,
	       const char *note, char *err)
{
	const struct account *acc;
	struct publication *p;
	bool off;
	int e;

	if (!ua || !status || !err)
		return EINVAL;
	err[0] = '\0';

	e = ua_account_named(&acc, ua, account, err);
	if (e)
		return e;
	if (!acc && !ua->config->watchers)
		return call_error(err, ENOENT, "Presence is published for an"
				  " account, and there is none.");
	if (!word_ok(status))
		return call_error(err, EINVAL, "A status is open, closed or"
				  " a word like away, busy, on-the-phone.");

	off = !strcmp(status, "off");
	ua->presence.closed = off || !strcmp(status, "closed");
	str_ncpy(ua->presence.activity, off || !strcmp(status, "open") ||
		 ua->presence.closed ? "" : status,
		 sizeof(ua->presence.activity));
	utf8_copy(ua->presence.note, sizeof(ua->presence.note),
		  note ? note : "");
	watchers_tell(ua, PACKAGE_PRESENCE);

	if (!acc)
		return 0;

	if (off) {
		p = publication_of(ua, acc);
		if (p) {
			p->ending = true;
			sip_pub_end(p->pub);
		}
		return 0;
	}

	e = publish(ua, (struct account *)acc);

	return e ? call_error(err, e, "Presence is not published: %s.",
			      strerror(e)) : 0;
}


/* Taken back at the end, as far as there is time for it */
void presence_close(struct ua *ua)
{
	struct le *le;

	LIST_FOREACH(&ua->publications, le) {
		struct publication *p = le->data;

		p->ending = true;
		sip_pub_end(p->pub);
	}

	LIST_FOREACH(&ua->watchers, le) {
		struct watcher *w = le->data;

		sip_notifier_end(w->notifier, "noresource", NULL, NULL);
	}
}


void presence_flush(struct ua *ua)
{
	timer_cancel(&ua->tmr_watchers);
	ua->call_sub = mem_deref(ua->call_sub);
	list_flush(&ua->publications);
	list_flush(&ua->watchers);
}
