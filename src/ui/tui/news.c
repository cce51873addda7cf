/**
 * @file news.c  What happened, in words
 *
 * Events become sentences for a person, the newest first, NEWS_MAX of them.
 * Names in them are those of strangers and are escaped here.  Main thread.
 */
#include <stdio.h>
#include "offhook/text.h"
#include "tui.h"

struct newses {
	struct news v[NEWS_MAX];
	size_t n;                /* ever                                     */
};


static void put(struct newses *ns, const struct event *ev, enum style st,
		enum sign sg, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void put(struct newses *ns, const struct event *ev, enum style st,
		enum sign sg, const char *fmt, ...)
{
	struct news *n = &ns->v[ns->n++ % NEWS_MAX];
	char text[2 * NEWS_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	n->time = ev->time;
	n->style = st;
	n->sign = sg;
	n->call = ev->call;
	text_escape(n->text, sizeof(n->text), text, strlen(text));
}


static void account_news(struct newses *ns, const struct event *ev)
{
	const char *state = ev->u.account_state.state;
	const char *text = ev->u.account_state.text[0] ?
		ev->u.account_state.text : ev->u.account_state.cause;
	const int64_t ms = ev->u.account_state.next_ms;
	char aor[EVENT_TEXT], again[64] = "", t[32];

	show_uri(aor, sizeof(aor), ev->u.account_state.aor);

	if (!strcmp(state, "registered")) {
		put(ns, ev, STYLE_OK, SIGN_OK, "%s registered%s%s", aor,
		    ev->u.account_state.server[0] ? " at " : "",
		    ev->u.account_state.server);
	}
	else if (!strcmp(state, "failed")) {
		if (ms != EVENT_NONE) {
			text_duration_print(t, sizeof(t), (uint64_t)
					    (ms + 999) / 1000 * 1000);
			snprintf(again, sizeof(again), " Again in %s.", t);
		}
		put(ns, ev, STYLE_BAD, SIGN_BAD, "%s not registered: %s%s",
		    aor, text, again);
	}
	else if (!strcmp(state, "off")) {
		put(ns, ev, STYLE_DIM, SIGN_OFF, "%s no longer registered",
		    aor);
	}
}


static void call_news(struct newses *ns, const struct tui *t,
		      const struct event *ev)
{
	const char *state = ev->u.call_state.state;
	const bool out = !strcmp(ev->u.call_state.direction, "out");
	const enum sign dir = out ? SIGN_OUT : SIGN_IN;
	const int64_t took = ev->u.call_state.duration_ms;
	char w[EVENT_TEXT];

	tui_who(t, w, sizeof(w), ev->u.call_state.peer,
		ev->u.call_state.name);

	if (!strcmp(state, "incoming")) {
		put(ns, ev, STYLE_ALERT, dir, "%s calls", w);
	}
	else if (!strcmp(state, "calling")) {
		put(ns, ev, STYLE_WORK, dir, "calling %s", w);
	}
	else if (!strcmp(state, "ringing")) {
		put(ns, ev, STYLE_WORK, dir, "it rings at %s", w);
	}
	else if (!strcmp(state, "active")) {
		put(ns, ev, STYLE_OK, dir, "in a call with %s", w);
	}
	else if (!strcmp(state, "ended") && took > 0) {
		put(ns, ev, STYLE_NORMAL, dir, "%s: %s", w,
		    ev->u.call_state.text);
	}
	else if (!strcmp(state, "ended")) {
		const bool missed = !out &&
			strcmp(ev->u.call_state.by, "local");

		put(ns, ev, missed ? STYLE_BAD : STYLE_NORMAL,
		    missed ? SIGN_BAD : dir, "%s%s: %s", w,
		    missed ? " (missed)" : "", ev->u.call_state.text);
	}
}


/* Who is on the other side of the call of an event */
static const char *peer_of(const struct tui *t, const struct event *ev,
			   char *buf, size_t sz)
{
	const struct call *c = ua_call(t->ph->ua, ev->call);

	if (c)
		return tui_peer(t, buf, sz, c);
	snprintf(buf, sz, "call %u", ev->call);

	return buf;
}


static void hold_news(struct newses *ns, const struct tui *t,
		      const struct event *ev)
{
	const bool us = ev->u.call_hold.local, them = ev->u.call_hold.remote;
	char w[EVENT_TEXT];

	peer_of(t, ev, w, sizeof(w));
	if (ev->u.call_hold.cause[0])
		put(ns, ev, STYLE_WORK, SIGN_HOLD, "%s refuses the change: "
		    "the call stays %s", w, us ? "on hold" : "as it was");
	else if (us && them)
		put(ns, ev, STYLE_NORMAL, SIGN_HOLD, "%s is on hold, and "
		    "holds you", w);
	else if (us)
		put(ns, ev, STYLE_NORMAL, SIGN_HOLD, "%s is on hold", w);
	else if (them)
		put(ns, ev, STYLE_WORK, SIGN_HOLD, "%s has put you on hold",
		    w);
	else
		put(ns, ev, STYLE_NORMAL, SIGN_DOT, "%s is off hold", w);
}


static void transfer_news(struct newses *ns, const struct tui *t,
			  const struct event *ev)
{
	const char *state = ev->u.call_transfer.state;
	const bool theirs = !strcmp(ev->u.call_transfer.by, "remote");
	const bool failed = !strcmp(state, "failed");
	char w[EVENT_TEXT], to[EVENT_TEXT];

	peer_of(t, ev, w, sizeof(w));
	tui_who(t, to, sizeof(to), ev->u.call_transfer.target, "");
	if (theirs && !strcmp(state, "asked"))
		put(ns, ev, STYLE_ALERT, SIGN_OUT, "%s asks you to call %s: "
		    "`transfer --accept` or `--refuse`", w, to);
	else
		put(ns, ev, failed ? STYLE_BAD : STYLE_NORMAL, failed ?
		    SIGN_BAD : SIGN_OUT, "%s %s %s: %s%s%s", w, theirs ?
		    "sends you to" : "goes to", to, state,
		    failed && ev->u.call_transfer.reason[0] ? ", " : "",
		    failed ? ev->u.call_transfer.reason : "");
}


static void sent_news(struct newses *ns, const struct tui *t,
		      const struct event *ev)
{
	const char *result = ev->u.message_sent.result;
	const bool failed = !strcmp(result, "failed");
	char w[EVENT_TEXT];

	if (!strcmp(result, "stored")) {
		put(ns, ev, STYLE_WORK, SIGN_WORK, "message to %s waits, and "
		    "is sent again later", tui_who(
			    t, w, sizeof(w), ev->u.message_sent.to, ""));
		return;
	}

	put(ns, ev, failed ? STYLE_BAD : STYLE_DIM, failed ? SIGN_BAD :
	    SIGN_OUT, "message to %s %s%s%s", tui_who(
		    t, w, sizeof(w), ev->u.message_sent.to, ""), result,
	    failed && ev->u.message_sent.reason[0] ? ": " : "",
	    failed ? ev->u.message_sent.reason : "");
}


static void people_news(struct newses *ns, const struct tui *t,
			const struct event *ev)
{
	const bool presence = ev->type == EVENT_PRESENCE;
	const bool open = presence && !strcmp(ev->u.presence.status, "open");
	const char *state = ev->u.dialog.state;
	char w[EVENT_TEXT], by[EVENT_TEXT] = "";

	tui_who(t, w, sizeof(w), presence ? ev->u.presence.who :
		ev->u.dialog.who, "");

	if (presence) {
		put(ns, ev, STYLE_DIM, open ? SIGN_OK : SIGN_OFF,
		    "%s %s%s%s", w, ev->u.presence.activity[0] ? "is" :
		    open ? "can be reached" : "cannot be reached",
		    ev->u.presence.activity[0] ? " " : "",
		    ev->u.presence.activity);
		return;
	}

	/* that somebody is free again is no news */
	if (strcmp(state, "ringing"))
		return;
	if (ev->u.dialog.peer[0])
		tui_who(t, by, sizeof(by), ev->u.dialog.peer, "");
	put(ns, ev, STYLE_WORK, SIGN_WORK, "the phone of %s rings%s%s: p in "
	    "People takes the call", w, by[0] ? ", called by " : "", by);
}


static void mail_news(struct newses *ns, const struct event *ev)
{
	const int64_t n = ev->u.mwi.fresh;
	char w[EVENT_TEXT];

	show_uri(w, sizeof(w), ev->u.mwi.who);
	if (!ev->u.mwi.waiting)
		put(ns, ev, STYLE_DIM, SIGN_OFF, "no voice messages for %s",
		    w);
	else if (n == EVENT_NONE || n < 1)
		put(ns, ev, STYLE_WORK, SIGN_IN, "voice messages for %s: v "
		    "calls the mailbox", w);
	else
		put(ns, ev, STYLE_WORK, SIGN_IN, "%lld new voice message%s "
		    "for %s: v calls the mailbox", (long long)n,
		    n == 1 ? "" : "s", w);
}


static void file_news(struct newses *ns, const struct event *ev)
{
	const bool bad = !strcmp(ev->u.file_done.result, "error");
	const char *base = strrchr(ev->u.file_done.file, '/');

	put(ns, ev, bad ? STYLE_BAD : STYLE_DIM, bad ? SIGN_BAD :
	    SIGN_RECORD, "%s %s%s%s%s", base ? base + 1 :
	    ev->u.file_done.file, ev->type == EVENT_PLAY_DONE ?
	    "was played" : "is recorded", bad ? " until it failed" : "",
	    ev->u.file_done.text[0] ? ": " : "", ev->u.file_done.text);
}


static void conference_news(struct newses *ns, const struct tui *t,
			    const struct event *ev)
{
	const bool left = !strcmp(ev->u.call_conference.state, "left");
	const long long n = (long long)ev->u.call_conference.members;
	char w[EVENT_TEXT];

	put(ns, ev, STYLE_NORMAL, SIGN_DOT, "%s %s the conference; %lld %s "
	    "in it", peer_of(t, ev, w, sizeof(w)), left ? "has left" :
	    "is in", n, n == 1 ? "call is" : "calls are");
}


static void plain(struct newses *ns, const struct event *ev, enum style st,
		  enum sign sg)
{
	char line[1024];

	event_print(ev, line, sizeof(line));
	if (line[0])
		put(ns, ev, st, sg, "%s", line);
}


bool newses_event(struct newses *ns, const struct tui *t,
		  const struct event *ev)
{
	const size_t n = ns->n;
	char w[EVENT_TEXT];

	switch (ev->type) {

	case EVENT_ACCOUNT_STATE:   account_news(ns, ev); break;
	case EVENT_CALL_STATE:      call_news(ns, t, ev); break;
	case EVENT_CALL_HOLD:       hold_news(ns, t, ev); break;
	case EVENT_CALL_TRANSFER:   transfer_news(ns, t, ev); break;
	case EVENT_CALL_CONFERENCE: conference_news(ns, t, ev); break;
	case EVENT_MESSAGE_SENT:    sent_news(ns, t, ev); break;
	case EVENT_PRESENCE:
	case EVENT_DIALOG:          people_news(ns, t, ev); break;
	case EVENT_MWI:             mail_news(ns, ev); break;
	case EVENT_PLAY_DONE:
	case EVENT_RECORD_DONE:     file_news(ns, ev); break;

	case EVENT_MESSAGE_RECEIVED:
		put(ns, ev, STYLE_INFO, SIGN_IN, "%s: %s",
		    tui_who(t, w, sizeof(w), ev->u.message_received.from,
			    ev->u.message_received.name),
		    ev->u.message_received.text);
		break;

	case EVENT_LOG:
		if (!strcmp(ev->u.log.level, "error") ||
		    !strcmp(ev->u.log.level, "warn"))
			put(ns, ev, ev->u.log.level[0] == 'e' ? STYLE_BAD :
			    STYLE_WORK, SIGN_DOT, "%s", ev->u.log.text);
		break;

	case EVENT_DEVICE_LOST:
		put(ns, ev, STYLE_BAD, SIGN_BAD, "%s", ev->u.device.text);
		break;

	case EVENT_CALL_UNHEARD:
		put(ns, ev, STYLE_ALERT, SIGN_BAD, "you are muted and "
		    "talking: %s does not hear you, `unmute` ends that",
		    peer_of(t, ev, w, sizeof(w)));
		break;

	case EVENT_CALL_CLIPPED:
		put(ns, ev, STYLE_ALERT, SIGN_BAD, "your microphone is too"
		    " loud: what %s hears is cut, `gain mic -6` turns it"
		    " down", peer_of(t, ev, w, sizeof(w)));
		break;

	case EVENT_CALL_MOVED:
		put(ns, ev, STYLE_ALERT, SIGN_BAD, "the sound of %s comes from"
		    " %s now, not from %s", peer_of(t, ev, w, sizeof(w)),
		    ev->u.call_moved.from, ev->u.call_moved.was);
		break;

	case EVENT_CALL_FINDING:
		put(ns, ev, STYLE_WORK, SIGN_DOT, "%s: %s", peer_of(
			t, ev, w, sizeof(w)), ev->u.call_finding.text);
		break;

	case EVENT_CALL_REDIRECT:
	case EVENT_CALL_UPDATE:
	case EVENT_CALL_FORKED:
	case EVENT_CALL_INFO:
	case EVENT_PUBLICATION_STATE:
	case EVENT_DEVICE_FOUND:
	case EVENT_NETWORK_CHANGED:
	case EVENT_TLS_REFUSED:
	case EVENT_SIP_FAULT:
		plain(ns, ev, STYLE_NORMAL, SIGN_DOT);
		break;

	/* each second, each key, each word: seen elsewhere */
	default:
		break;
	}

	return ns->n > n;
}


const struct news *newses_at(const struct newses *ns, size_t i)
{
	if (i >= ns->n || i >= NEWS_MAX)
		return NULL;

	return &ns->v[(ns->n - 1 - i) % NEWS_MAX];
}


int newses_alloc(struct newses **np)
{
	*np = mem_zalloc(sizeof(**np), NULL);

	return *np ? 0 : ENOMEM;
}
