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

	case EVENT_ACCOUNT_STATE:
		account_news(ns, ev);
		break;

	case EVENT_CALL_STATE:
		call_news(ns, t, ev);
		break;

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

	case EVENT_CALL_HOLD:
	case EVENT_CALL_TRANSFER:
	case EVENT_CALL_REDIRECT:
	case EVENT_CALL_UPDATE:
	case EVENT_CALL_CONFERENCE:
	case EVENT_CALL_INFO:
	case EVENT_MESSAGE_SENT:
	case EVENT_PRESENCE:
	case EVENT_MWI:
	case EVENT_PUBLICATION_STATE:
	case EVENT_PLAY_DONE:
	case EVENT_RECORD_DONE:
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
