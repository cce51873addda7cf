/**
 * @file watch.c  What we watch: subscriptions as the user sees them (RFC 6665)
 *
 * Presence, dialogs (who is on the phone), waiting messages, registrations:
 * any event package; what is understood becomes an event of its own, and
 * every body is told as it came too.  A watch goes on, with new
 * subscriptions when the old one is lost, until the user ends it or the
 * notifier does not want it.  Main thread.
 */
#include "requests.h"
#include "watch.h"


enum { WATCHES_MAX = 256 };


/* Packages we know, and what their bodies are */
static const struct package {
	const char *name, *accept;
} packages[] = {
	{ "presence", "application/pidf+xml" },
	{ "dialog", "application/dialog-info+xml" },
	{ "message-summary", "application/simple-message-summary" },
	{ "reg", "application/reginfo+xml" },
	{ "conference", "application/conference-info+xml" },
};


static const char *accept_of(const char *event)
{
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		const size_t len = strlen(packages[i].name);

		if (0 == strncmp(event, packages[i].name, len) &&
		    (!event[len] || event[len] == ';'))
			return packages[i].accept;
	}

	return "";
}


static void watch_destructor(void *arg)
{
	struct watch *w = arg;

	timer_cancel(&w->tmr);
	list_unlink(&w->le);
	mem_deref(w->reach);
	mem_deref(w->sub);
	mem_deref(w->dialogs);
	mem_deref(w->room);
	mem_deref(w->target);
}


static void gone_h(void *arg)
{
	mem_deref(arg);
}


static void state_tell(const struct watch *w)
{
	const struct sip_sub_status *st = &w->st;
	struct event ev;

	event_init(&ev, EVENT_SUBSCRIPTION_STATE);
	ev.u.subscription_state.subscription = w->id;
	str_ncpy(ev.u.subscription_state.package, w->event,
		 sizeof(ev.u.subscription_state.package));
	utf8_copy(ev.u.subscription_state.target,
		  sizeof(ev.u.subscription_state.target), w->target);
	str_ncpy(ev.u.subscription_state.state,
		 sip_sub_state_name(st->state),
		 sizeof(ev.u.subscription_state.state));
	if (st->res.code)
		ev.u.subscription_state.code = st->res.code;
	utf8_copy(ev.u.subscription_state.reason,
		  sizeof(ev.u.subscription_state.reason),
		  st->reason[0] ? st->reason : st->res.reason);
	if (st->res.cause != SIP_CAUSE_NONE)
		str_ncpy(ev.u.subscription_state.cause,
			 sip_cause_name(st->res.cause),
			 sizeof(ev.u.subscription_state.cause));
	if (st->next_ms)
		ev.u.subscription_state.next_ms = (int64_t)st->next_ms;

	event_publish(w->ua->bus, &ev);
}


static void over(struct watch *w)
{
	w->ended = true;
	timer_start(&w->tmr, 0, gone_h, w);
}


static void state_handler(const struct sip_sub_status *st, void *arg)
{
	struct watch *w = arg;

	w->st = *st;
	state_tell(w);
	if (st->state == SIP_SUB_ENDED)
		over(w);
}


static int notify_handler(const struct sip_info *in, const char *ctype,
			  const char *body, size_t len, void *arg)
{
	(void)in;

	return watch_body(arg, ctype, body, len);
}


static const struct sip_sub_h sub_handlers = {
	state_handler, notify_handler,
};


static void failed(struct watch *w, const struct sip_result *res)
{
	memset(&w->st, 0, sizeof(w->st));
	w->st.state = SIP_SUB_ENDED;
	w->st.res = *res;
	state_tell(w);
	over(w);
}


static void reach_handler(const struct sip_result *err, const char *uri,
			  struct sip_ident *ident, void *arg)
{
	struct watch *w = arg;
	struct sip_sub_conf conf = {
		.ident = ident, .uri = uri, .event = w->event,
		.accept = w->accept[0] ? w->accept : NULL,
		.expires_s = w->expires_s, .persist = w->expires_s != 0,
	};
	struct sip_result res = { .cause = SIP_CAUSE_LOCAL };

	if (err) {
		failed(w, err);
		return;
	}

	res.err = sip_sub_alloc(&w->sub, w->ua->sip, &conf, &sub_handlers, w);
	if (res.err) {
		str_ncpy(res.reason, res.err == EINVAL ?
			 "the event or the type is no token" :
			 strerror(res.err), sizeof(res.reason));
		failed(w, &res);
	}
}


int ua_subscribe(unsigned *idp, struct ua *ua, const struct ua_subscribe *prm,
		 char *err)
{
	struct watch *w;
	int e;

	if (!idp || !ua || !prm || !prm->event || !prm->target || !err)
		return EINVAL;
	err[0] = '\0';

	if (strlen(prm->event) >= sizeof(w->event) ||
	    (prm->accept && strlen(prm->accept) >= sizeof(w->accept)))
		return call_error(err, EINVAL, "The event or type is too "
				  "long.");
	if (list_count(&ua->watches) >= WATCHES_MAX)
		return call_error(err, EAGAIN, "There are %u subscriptions "
				  "already.", WATCHES_MAX);

	w = mem_zalloc(sizeof(*w), watch_destructor);
	if (!w)
		return call_error(err, ENOMEM, "Out of memory.");

	w->ua = ua;
	w->expires_s = prm->expires_s;
	str_ncpy(w->event, prm->event, sizeof(w->event));
	str_ncpy(w->accept, prm->accept && prm->accept[0] ? prm->accept :
		 accept_of(w->event), sizeof(w->accept));
	list_append(&ua->watches, &w->le, w);

	e = reach_find(&w->reach, ua, prm->target, prm->account,
		       reach_handler, w, err);
	if (!e)
		e = str_dup(&w->target, reach_uri(w->reach));
	if (e) {
		mem_deref(w);
		return e;
	}

	w->id = ++ua->next_watch;
	*idp = w->id;

	return 0;
}


static struct watch *watch_find(const struct ua *ua, unsigned id)
{
	struct le *le;

	LIST_FOREACH(&ua->watches, le) {
		struct watch *w = le->data;

		if (w->id == id && !w->ended)
			return w;
	}

	return NULL;
}


int ua_unsubscribe(struct ua *ua, unsigned id, char *err)
{
	struct watch *w = watch_find(ua, id);

	if (!w)
		return call_error(err, ENOENT, "There is no subscription %u.",
				  id);

	if (w->sub) {
		sip_sub_end(w->sub);
	}
	else {
		const struct sip_result res = { .cause = SIP_CAUSE_CANCELLED };

		w->reach = mem_deref(w->reach);
		failed(w, &res);
	}

	return 0;
}


int ua_resubscribe(struct ua *ua, unsigned id)
{
	struct watch *w = watch_find(ua, id);

	if (!w)
		return ENOENT;

	return w->sub ? sip_sub_refresh(w->sub) : 0;
}


/* Our Contact is another one now: each notifier is told by a refresh, which
 * is what moves the target of a dialog (RFC 6665 4.4.1) */
void watch_moved(struct ua *ua)
{
	struct le *le;

	LIST_FOREACH(&ua->watches, le) {
		struct watch *w = le->data;

		if (w->sub && !w->ended)
			(void)sip_sub_refresh(w->sub);
	}
}


/* Nobody need tell us any more; there is no waiting for it */
void watch_close(struct ua *ua)
{
	struct le *le;

	LIST_FOREACH(&ua->watches, le) {
		struct watch *w = le->data;

		if (w->sub && !w->ended)
			sip_sub_end(w->sub);
	}
}


const struct dialog_info *watch_dialogs(const struct ua *ua, const char *uri)
{
	struct le *le;

	LIST_FOREACH(&ua->watches, le) {
		const struct watch *w = le->data;

		if (!w->ended && w->st.state == SIP_SUB_ACTIVE &&
		    w->dialogs && !strcmp(w->target, uri))
			return w->dialogs;
	}

	return NULL;
}


bool ua_subscription(struct ua_subscription *s, const struct ua *ua, size_t i)
{
	struct le *le = list_head(&ua->watches);
	const struct watch *w;

	while (le && i--)
		le = le->next;
	if (!le)
		return false;

	w = le->data;
	memset(s, 0, sizeof(*s));
	s->id = w->id;
	s->event = w->event;
	s->target = w->target;
	s->state = sip_sub_state_name(w->st.state);
	s->next_ms = w->st.next_ms;

	return true;
}


void watch_flush(struct ua *ua)
{
	list_flush(&ua->watches);
}
