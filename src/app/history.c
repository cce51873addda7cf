/**
 * @file history.c  Calls that have ended, as JSON lines
 *
 * A subscriber of call.state: it remembers when a call began and writes one
 * line when it has ended.  Nothing is read before somebody asks, so a phone
 * that only calls starts as fast as before.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "json.h"
#include "offhook/app.h"
#include "offhook/clock.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "seen.h"
#include "store.h"
#include "line.h"

enum { BUCKETS = 256, SHORT = 256 };

/** A call that lives: when it began, and how long things took */
struct living {
	struct le he;
	unsigned id;
	uint64_t time_ms, begun_ms;      /* on the wall, and of clock_ms()   */
	int64_t pdd_ms, setup_ms;        /* EVENT_NONE: not yet              */
};

/** One line; its strings are behind it */
struct entry {
	struct history_call c;
};

struct history {
	const struct ua *ua;
	const struct config *config;
	struct event_sub *sub;
	struct store *store;
	struct seen *seen;
	struct hash *living;
	struct entry **v;        /* oldest first                             */
	size_t n, cap;
	unsigned version;
	char last[SHORT];
};


/* Entries ------------------------------------------------------------------ */

static void entries_drop(struct history *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mem_deref(h->v[i]);

	h->n -= n;
	if (h->n)
		memmove(h->v, h->v + n, h->n * sizeof(h->v[0]));
}


static int64_t took(const json_t *o, const char *name)
{
	return json_object_get(o, name) ? line_int(o, name) : EVENT_NONE;
}


static struct entry *entry_alloc(json_t *o)
{
	static const char *const names[] = {
		"outcome", "peer", "name", "account", "codec", "cause",
		"text",
	};
	const char *s[ARRAY_SIZE(names)], **to[ARRAY_SIZE(names)];
	size_t len[ARRAY_SIZE(names)], size = sizeof(struct entry);
	struct entry *e;
	char *p;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		s[i] = line_str(o, names[i]);
		len[i] = strlen(s[i]) + 1;
		size += len[i];
	}

	e = mem_zalloc(size, NULL);
	if (!e)
		return NULL;

	to[0] = &e->c.outcome;
	to[1] = &e->c.peer;
	to[2] = &e->c.name;
	to[3] = &e->c.account;
	to[4] = &e->c.codec;
	to[5] = &e->c.cause;
	to[6] = &e->c.text;

	p = (char *)(e + 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		memcpy(p, s[i], len[i]);
		*to[i] = p;
		p += len[i];
	}

	e->c.time_ms = line_time(o);
	e->c.outgoing = !strcmp(line_str(o, "direction"), "out");
	e->c.code = (unsigned)line_int(o, "code");
	e->c.duration_ms = (uint64_t)line_int(o, "duration_ms");
	e->c.pdd_ms = took(o, "pdd_ms");
	e->c.setup_ms = took(o, "setup_ms");
	e->c.mos = json_is_number(json_object_get(o, "mos")) ?
		json_number_value(json_object_get(o, "mos")) : (double)NAN;

	return e;
}


static bool room_make(struct history *h)
{
	const size_t max = (size_t)h->config->history_max;
	struct entry **v;
	size_t cap;

	/* let go of many at once: it moves all the others */
	if (h->n > max + max / 8 + 16)
		entries_drop(h, h->n - max);

	if (h->n < h->cap)
		return true;

	cap = h->cap ? 2 * h->cap : 64;
	v = realloc(h->v, cap * sizeof(*v));
	if (!v)
		return false;

	h->v = v;
	h->cap = cap;

	return true;
}


static void line_handler(const char *line, size_t len, void *arg)
{
	struct history *h = arg;
	json_t *o = json_loadb(line, len, 0, NULL);
	struct entry *e = NULL;

	if (json_is_object(o) && *line_str(o, "peer") && room_make(h))
		e = entry_alloc(o);
	json_decref(o);

	if (!e)
		return;

	h->v[h->n++] = e;
	++h->version;
}


static void reset_handler(void *arg)
{
	struct history *h = arg;

	entries_drop(h, h->n);
	++h->version;
}


/* Calls -------------------------------------------------------------------- */

static struct living *living_find(const struct history *h, unsigned id)
{
	struct le *le = list_head(hash_list(h->living, id));

	for (; le; le = le->next) {
		struct living *l = le->data;

		if (l->id == id)
			return l;
	}

	return NULL;
}


static void living_destructor(void *arg)
{
	struct living *l = arg;

	hash_unlink(&l->he);
}


static void living_add(struct history *h, const struct event *ev)
{
	struct living *l = mem_zalloc(sizeof(*l), living_destructor);

	if (!l)
		return;

	l->id = ev->call;
	l->time_ms = ev->time;
	l->begun_ms = clock_ms();
	l->pdd_ms = l->setup_ms = EVENT_NONE;
	hash_append(h->living, l->id, &l->he, l);
}


static const char *account_name(const struct history *h, unsigned id)
{
	const struct account *a = ua_account_id(h->ua, id);

	return a ? account_config(a)->name : "";
}


/* What a person would say became of it */
static const char *outcome(const struct event *ev, const char *cause)
{
	const bool out = !strcmp(ev->u.call_state.direction, "out");
	const bool local = !strcmp(ev->u.call_state.by, "local");
	const int64_t code = ev->u.call_state.code;

	if (ev->u.call_state.duration_ms > 0)
		return "answered";

	if (!out) {
		if (local && code >= 300 && code < 400)
			return "forwarded";
		/* Reason said that another of our phones took it */
		if (!strcmp(ev->u.call_state.reason,
			    "Call completed elsewhere"))
			return "answered";
		return local && !strcmp(cause, "status") ? "refused" :
			"missed";
	}

	if (code == 486 || code == 600)
		return "busy";
	if (!strcmp(cause, "cancelled"))
		return "cancelled";
	if (!strcmp(cause, "no-answer") || code == 408 || code == 480 ||
	    code == 487)
		return "no-answer";

	return !strcmp(cause, "status") || !strcmp(cause, "auth") ?
		"refused" : "failed";
}


static void str_add(struct text_buf *b, const char *name, const char *s)
{
	text_add_mem(b, b->len ? "," : "{", 1);
	text_add_json(b, name, strlen(name));
	text_add_mem(b, ":", 1);
	text_add_json(b, s, strlen(s));
}


static void int_add(struct text_buf *b, const char *name, int64_t v)
{
	char s[24];
	const int n = snprintf(s, sizeof(s), "%lld", (long long)v);

	text_add_mem(b, ",", 1);
	text_add_json(b, name, strlen(name));
	text_add_mem(b, ":", 1);
	text_add_mem(b, s, (size_t)n);
}


static void took_add(struct text_buf *b, const char *name, int64_t ms)
{
	if (ms != EVENT_NONE)
		int_add(b, name, ms);
}


/* Written, not built: one for each call. l: NULL: it ended as it began */
static char *line_make(const struct history *h, const struct event *ev,
		       const struct living *l)
{
	const struct call_record *r = ua_call_record(h->ua, ev->call);
	const int64_t ms = ev->u.call_state.duration_ms;
	char when[CLOCK_ISO8601_SIZE];
	struct text_buf b = { 0 };

	str_add(&b, "time", clock_iso8601(when, l ? l->time_ms : ev->time));
	str_add(&b, "direction", ev->u.call_state.direction);
	str_add(&b, "outcome", outcome(ev, ev->u.call_state.cause));
	str_add(&b, "peer", ev->u.call_state.peer);
	str_add(&b, "name", ev->u.call_state.name);
	str_add(&b, "account", account_name(h, ev->account));
	str_add(&b, "cause", ev->u.call_state.cause);
	str_add(&b, "text", ev->u.call_state.text);
	if (ev->u.call_state.code > 0)
		int_add(&b, "code", ev->u.call_state.code);
	if (ms > 0)
		int_add(&b, "duration_ms", ms);
	if (l) {
		took_add(&b, "pdd_ms", l->pdd_ms);
		took_add(&b, "setup_ms", l->setup_ms);
	}
	if (r && r->codec[0])
		str_add(&b, "codec", r->codec);
	if (r && r->stats_known && isfinite(r->mos) && r->mos > 0.0) {
		const long mos = lround(r->mos * 100.0);

		text_add(&b, ",\"mos\":%ld.%02ld", mos / 100, mos % 100);
	}
	text_add_mem(&b, "}", 1);

	if (b.err)
		text_buf_reset(&b);

	return b.s;
}


/* How long until it rang, and until somebody answered (RFC 6076) */
static void living_note(struct living *l, const struct event *ev)
{
	const char *state = ev->u.call_state.state;

	if (l->pdd_ms == EVENT_NONE &&
	    !strcmp(ev->u.call_state.direction, "out") &&
	    (!strcmp(state, "ringing") || !strcmp(state, "early")))
		l->pdd_ms = (int64_t)(clock_ms() - l->begun_ms);
	if (!strcmp(state, "active"))
		l->setup_ms = ev->u.call_state.setup_ms;
}


static void event_handler(const struct event *ev, void *arg)
{
	struct history *h = arg;
	struct living *l = living_find(h, ev->call);
	char *line;

	if (!l && strcmp(ev->u.call_state.state, "ended"))
		living_add(h, ev);
	else if (l)
		living_note(l, ev);

	if (strcmp(ev->u.call_state.state, "ended"))
		return;

	if (h->config->history_max > 0 && ev->u.call_state.peer[0]) {
		line = line_make(h, ev, l);
		if (line)
			store_add(h->store, line);
		free(line);
		++h->version;

		if (!strcmp(ev->u.call_state.direction, "out"))
			snprintf(h->last, sizeof(h->last), "%s",
				 ev->u.call_state.peer);
	}

	mem_deref(l);
}


/* Outside ------------------------------------------------------------------ */

static void destructor(void *arg)
{
	struct history *h = arg;

	mem_deref(h->sub);
	entries_drop(h, h->n);
	free(h->v);
	hash_flush(h->living);
	mem_deref(h->living);
	mem_deref(h->store);
	mem_deref(h->seen);
}


int history_alloc(struct history **hp, const struct ua *ua,
		  struct event_bus *bus, const struct config *config,
		  const char *dir)
{
	char path[1024], seen[1024];
	struct history *h;
	int err = 0;

	if (!hp || !bus || !config)
		return EINVAL;

	h = mem_zalloc(sizeof(*h), destructor);
	if (!h)
		return ENOMEM;

	h->ua = ua;
	h->config = config;

	if (dir) {
		err = path_join(path, sizeof(path), dir, "history");
		if (!err)
			err = path_join(seen, sizeof(seen), dir,
					"history.seen");
	}
	if (!err)
		err = store_alloc(&h->store, dir ? path : NULL,
				  (size_t)config->history_max, reset_handler,
				  line_handler, h);
	if (!err)
		err = seen_alloc(&h->seen, dir ? seen : NULL);
	if (!err)
		err = hash_alloc(&h->living, BUCKETS);
	if (!err)
		err = event_subscribe_type(&h->sub, bus, EVENT_CALL_STATE,
					   event_handler, h);
	if (err)
		mem_deref(h);
	else
		*hp = h;

	return err;
}


size_t history_count(struct history *h)
{
	if (!h)
		return 0;

	store_refresh(h->store);

	return h->n < (size_t)h->config->history_max ? h->n :
		(size_t)h->config->history_max;
}


static bool unseen(struct history *h, const struct history_call *c)
{
	return !c->outgoing && !strcmp(c->outcome, "missed") &&
		c->time_ms > seen_get(h->seen, "history");
}


bool history_at(struct history_call *c, struct history *h, size_t i)
{
	if (!h || i >= h->n)
		return false;

	*c = h->v[h->n - 1 - i]->c;
	c->unseen = unseen(h, c);

	return true;
}


unsigned history_missed(struct history *h)
{
	const size_t n = history_count(h);
	unsigned missed = 0;

	for (size_t i = 0; i < n; i++)
		missed += unseen(h, &h->v[h->n - 1 - i]->c);

	return missed;
}


void history_seen(struct history *h)
{
	if (!history_missed(h))
		return;

	seen_set(h->seen, "history", clock_wall_ms());
	++h->version;
}


int history_clear(struct history *h)
{
	if (!h)
		return EINVAL;

	h->last[0] = '\0';

	return store_clear(h->store);
}


int history_score(const struct history_call *c, const char *search)
{
	const char *const in[] = {
		c->name, c->peer, c->outcome, c->account, c->text,
	};
	int best = -1;

	for (size_t i = 0; i < ARRAY_SIZE(in); i++) {

		const int score = fuzzy_score(search, in[i]);

		if (score > best)
			best = score;
	}

	return best;
}


unsigned history_version(const struct history *h)
{
	return h ? h->version : 0;
}


const char *history_last_dialled(struct history *h)
{
	if (!h)
		return "";

	for (size_t i = 0, n = h->last[0] ? 0 : history_count(h); i < n;
	     i++) {
		const struct history_call *c = &h->v[h->n - 1 - i]->c;

		if (c->outgoing) {
			snprintf(h->last, sizeof(h->last), "%s", c->peer);
			break;
		}
	}

	return h->last;
}
