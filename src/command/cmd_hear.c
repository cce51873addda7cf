/**
 * @file cmd_hear.c  `expect tone`, `expect speech`, `expect silence`
 * (and a tone by its name: `expect tone busy`)
 *
 * The media thread listens; we ask it ten times a second what it has heard,
 * until that is enough or the bound is reached.  Main thread.
 */
#include <stdio.h>
#include "priv.h"

enum {
	ASK_MS    = 100,
	TONE_MS   = 200,         /* without a break                          */
	SPEECH_MS = 300,         /* all together                             */
	SILENT_MS = 1000,        /* without a break                          */
};

struct hearing {
	struct cmd *x;
	enum hear_what what;
	double hz;
	char name[16];           /* of a tone of the network,                */
	char other[16];          /* and the one that was heard instead       */
	unsigned call;
	uint64_t bound_ms;
	bool begun;
	struct stream_heard heard;
	struct timer tmr;
};


static const char *names[] = { "tone", "speech", "silence", "tone" };


static void destructor(void *arg)
{
	struct hearing *w = arg;

	timer_cancel(&w->tmr);
	if (w->begun && w->what == HEAR_NAMED)
		(void)call_tones(ua_call(w->x->ph->ua, w->call), false);
	else if (w->begun)
		(void)call_listen(ua_call(w->x->ph->ua, w->call), false, 0.0);
}


/* What was heard, in words: it stands in errors */
static const char *seen(const struct hearing *w, char *buf, size_t sz)
{
	const struct stream_heard *h = &w->heard;

	if (!w->begun)
		snprintf(buf, sz, "there was no sound yet");
	else if (w->what == HEAR_NAMED)
		snprintf(buf, sz, "%s%s was heard", *w->other ? w->other :
			 "no tone", *w->other ? " tone" : "");
	else if (!h->loud_ms)
		snprintf(buf, sz, "it was silent for %.1f s",
			 h->all_ms / 1000.0);
	else if (w->what == HEAR_TONE)
		snprintf(buf, sz, "of %.1f s of sound, now at %.0f dBFS, %.0f "
			 "%% was at %g Hz", h->loud_ms / 1000.0,
			 h->level_dbfs, 100.0 * h->tone_share, w->hz);
	else
		snprintf(buf, sz, "there were %.1f s of sound in %.1f s, now "
			 "at %.0f dBFS", h->loud_ms / 1000.0,
			 h->all_ms / 1000.0, h->level_dbfs);

	return buf;
}


static void wanted(const struct hearing *w, char *buf, size_t sz)
{
	if (w->what == HEAR_TONE)
		snprintf(buf, sz, "a tone of %g Hz", w->hz);
	else if (w->what == HEAR_NAMED)
		snprintf(buf, sz, "%s tone", w->name);
	else
		snprintf(buf, sz, "%s", names[w->what]);
}


static bool enough(const struct hearing *w)
{
	const struct stream_heard *h = &w->heard;

	switch (w->what) {

	case HEAR_TONE:    return h->tone_ms >= TONE_MS;
	case HEAR_SPEECH:  return h->loud_ms >= SPEECH_MS;
	case HEAR_SILENCE: return h->quiet_ms >= SILENT_MS;
	case HEAR_NAMED:   break;
	}

	return false;
}


/* It is told once, and may have been before the line came */
static void ask_named(struct hearing *w, struct call *c)
{
	if (!w->begun)
		w->begun = !call_tones(c, true);
	snprintf(w->other, sizeof(w->other), "%s", call_tone_heard(c));
	if (strcmp(w->other, w->name))
		return;

	reply_str(w->x->reply, "heard", w->name);
	cmd_done(w->x);
}


static void ask(void *arg)
{
	struct hearing *w = arg;
	struct call *c = ua_call(w->x->ph->ua, w->call);

	timer_start(&w->tmr, ASK_MS, ask, w);
	if (w->what == HEAR_NAMED) {
		ask_named(w, c);
		return;
	}

	/* media may come later than the line */
	if (!w->begun) {
		w->begun = call_state(c) == CALL_ACTIVE &&
			!call_listen(c, true, w->hz);
		return;
	}

	if (call_heard(c, &w->heard) || !enough(w))
		return;

	reply_str(w->x->reply, "heard", names[w->what]);
	reply_double(w->x->reply, "level-dbfs", w->heard.level_dbfs);
	cmd_done(w->x);
}


static void late(struct cmd *x)
{
	struct hearing *w = x->state;
	char what[64], text[160], t[32];

	wanted(w, what, sizeof(what));
	text_duration_print(t, sizeof(t), w->bound_ms);
	reply_error(x->reply, "expect-failed", "expected %s within %s, but "
		    "%s", what, t, seen(w, text, sizeof(text)));
}


static void event_handler(struct cmd *x, const struct event *ev)
{
	struct hearing *w = x->state;
	char what[64], text[160];

	if (ev->call != w->call || strcmp(ev->u.call_state.state, "ended"))
		return;

	wanted(w, what, sizeof(what));
	reply_error(x->reply, "expect-failed", "expected %s, but call %u "
		    "ended; %s", what, ev->call, seen(w, text, sizeof(text)));
	cmd_done(x);
}


static void hear(struct cmd *x, enum hear_what what, double hz,
		 const char *name, uint64_t bound_ms)
{
	struct call *c = cmd_call(x);
	struct hearing *w;

	if (!c)
		return;

	w = cmd_state(x, sizeof(*w), destructor);
	if (!w)
		return;

	w->x = x;
	w->what = what;
	w->hz = hz;
	w->call = call_id(c);
	w->bound_ms = bound_ms;
	snprintf(w->name, sizeof(w->name), "%s", name);

	cmd_wait(x, bound_ms, late);
	cmd_wait_events(x, EVENT_BIT(EVENT_CALL_STATE), event_handler);
	ask(w);
}


void cmd_hear(struct cmd *x, enum hear_what what, double hz,
	      uint64_t bound_ms)
{
	hear(x, what, hz, "", bound_ms);
}


bool cmd_hear_named(struct cmd *x, const char *name, uint64_t bound_ms)
{
	static const char *const tones[] = {
		"dial", "ringback", "busy", "congestion", "sit", "fax"
	};

	for (size_t i = 0; i < ARRAY_SIZE(tones); i++) {
		if (strcmp(name, tones[i]))
			continue;
		hear(x, HEAR_NAMED, 0.0, name, bound_ms);
		return true;
	}

	return false;
}
