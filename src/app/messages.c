/**
 * @file messages.c  Text messages, received and sent, as JSON lines
 *
 * A subscriber of message.received and message.sent.  A message of ours may
 * be told of twice, sent and then delivered: a second line with the same id
 * says so.  What was read is kept for each peer as a time.  Main thread.
 */
#include <stdio.h>
#include "offhook/app.h"
#include "offhook/clock.h"
#include "offhook/random.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "line.h"
#include "seen.h"
#include "store.h"

enum { ID_SIZE = 48 };

struct entry {
	struct message_record r;
	char id[ID_SIZE];        /* of ours: told of again                   */
	char state[16];
	char *reason;
};

struct messages {
	const struct config *config;
	struct ua *ua;           /* NULL: nobody is told what was seen       */
	struct event_sub *in, *out;
	struct store *store;
	struct seen *seen;
	struct entry **v;        /* oldest first                             */
	size_t n, cap;
	unsigned version;
	char run[32];            /* tells this run's ids from another's      */
};


static void entry_destructor(void *arg)
{
	struct entry *e = arg;

	mem_deref(e->reason);
}


static void entries_drop(struct messages *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mem_deref(m->v[i]);

	m->n -= n;
	if (m->n)
		memmove(m->v, m->v + n, m->n * sizeof(m->v[0]));
}


static struct entry *entry_alloc(const json_t *o)
{
	const char *peer = line_str(o, "peer"), *name = line_str(o, "name");
	const char *text = line_str(o, "text"), *type = line_str(o, "type");
	const size_t np = strlen(peer) + 1, nn = strlen(name) + 1;
	const size_t nt = strlen(text) + 1, ny = strlen(type) + 1;
	struct entry *e;
	char *p;

	e = mem_zalloc(sizeof(*e) + np + nn + nt + ny, entry_destructor);
	if (!e)
		return NULL;

	p = (char *)(e + 1);
	e->r.peer = memcpy(p, peer, np);
	e->r.name = memcpy(p + np, name, nn);
	e->r.text = memcpy(p + np + nn, text, nt);
	e->r.type = memcpy(p + np + nn + nt, type, ny);
	e->r.time_ms = line_time(o);
	e->r.outgoing = !strcmp(line_str(o, "direction"), "out");
	snprintf(e->id, sizeof(e->id), "%s", line_str(o, "id"));

	return e;
}


static void entry_state(struct entry *e, const json_t *o)
{
	const char *reason = line_str(o, "reason");

	snprintf(e->state, sizeof(e->state), "%s", line_str(o, "state"));
	e->reason = mem_deref(e->reason);
	if (*reason)
		(void)str_dup(&e->reason, reason);
}


static bool room_make(struct messages *m)
{
	const size_t max = (size_t)m->config->messages_max;
	struct entry **v;
	size_t cap;

	if (m->n > max + max / 8 + 16)
		entries_drop(m, m->n - max);

	if (m->n < m->cap)
		return true;

	cap = m->cap ? 2 * m->cap : 64;
	v = realloc(m->v, cap * sizeof(*v));
	if (!v)
		return false;

	m->v = v;
	m->cap = cap;

	return true;
}


/* The one a line tells more of: it is among the last ones */
static struct entry *entry_find(const struct messages *m, const char *id)
{
	for (size_t i = m->n; *id && i > 0; i--) {
		if (!strcmp(m->v[i - 1]->id, id))
			return m->v[i - 1];
	}

	return NULL;
}


static void line_handler(const char *line, size_t len, void *arg)
{
	struct messages *m = arg;
	json_t *o = json_loadb(line, len, 0, NULL);
	struct entry *e;

	if (!json_is_object(o))
		goto out;

	e = entry_find(m, line_str(o, "id"));
	if (!e && *line_str(o, "peer") && room_make(m)) {
		e = entry_alloc(o);
		if (e)
			m->v[m->n++] = e;
	}
	if (e) {
		entry_state(e, o);
		++m->version;
	}

 out:
	json_decref(o);
}


static void reset_handler(void *arg)
{
	struct messages *m = arg;

	entries_drop(m, m->n);
	++m->version;
}


/* Events ------------------------------------------------------------------- */

static void put(struct messages *m, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	if (text)
		text = text_json_safe(text);
	if (text)
		store_add(m->store, text);
	free(text);
	++m->version;
}


static json_t *begin(const struct event *ev, const char *direction)
{
	char when[CLOCK_ISO8601_SIZE];
	json_t *o = json_object();

	line_set(o, "time", clock_iso8601(when, ev->time));
	line_set(o, "direction", direction);

	return o;
}


static void received(const struct event *ev, void *arg)
{
	struct messages *m = arg;
	json_t *o;

	if (!m->config->messages_max || !ev->u.message_received.from[0])
		return;

	o = begin(ev, "in");
	line_set(o, "peer", ev->u.message_received.from);
	line_set(o, "name", ev->u.message_received.name);
	line_set(o, "type", ev->u.message_received.type);
	line_set(o, "text", ev->u.message_received.text);
	put(m, o);
}


static void sent(const struct event *ev, void *arg)
{
	const char *result = ev->u.message_sent.result;
	struct messages *m = arg;
	char id[ID_SIZE];
	json_t *o;

	if (!m->config->messages_max || !ev->u.message_sent.to[0])
		return;

	o = begin(ev, "out");
	snprintf(id, sizeof(id), "%s-%lld", m->run,
		 (long long)ev->u.message_sent.id);
	line_set(o, "id", id);
	line_set(o, "peer", ev->u.message_sent.to);
	line_set(o, "text", ev->u.message_sent.text);
	line_set(o, "state", result);
	if (!strcmp(result, "failed"))
		line_set(o, "reason", ev->u.message_sent.reason);
	put(m, o);
}


/* Outside ------------------------------------------------------------------ */

static void destructor(void *arg)
{
	struct messages *m = arg;

	mem_deref(m->in);
	mem_deref(m->out);
	entries_drop(m, m->n);
	free(m->v);
	mem_deref(m->store);
	mem_deref(m->seen);
}


int messages_alloc(struct messages **mp, struct event_bus *bus,
		   const struct config *config, const char *dir)
{
	char path[1024], seen[1024];
	struct messages *m;
	int err = 0;

	if (!mp || !bus || !config)
		return EINVAL;

	m = mem_zalloc(sizeof(*m), destructor);
	if (!m)
		return ENOMEM;

	m->config = config;
	snprintf(m->run, sizeof(m->run), "%llx-%x",
		 (unsigned long long)clock_wall_ms(), (unsigned)random_u32());

	if (dir) {
		err = path_join(path, sizeof(path), dir, "messages");
		if (!err)
			err = path_join(seen, sizeof(seen), dir,
					"messages.seen");
	}
	if (!err)
		err = store_alloc(&m->store, dir ? path : NULL,
				  (size_t)config->messages_max,
				  reset_handler, line_handler, m);
	if (!err)
		err = seen_alloc(&m->seen, dir ? seen : NULL);
	if (!err)
		err = event_subscribe_type(&m->in, bus,
					   EVENT_MESSAGE_RECEIVED, received,
					   m);
	if (!err)
		err = event_subscribe_type(&m->out, bus, EVENT_MESSAGE_SENT,
					   sent, m);
	if (err)
		mem_deref(m);
	else
		*mp = m;

	return err;
}


size_t messages_count(struct messages *m)
{
	if (!m)
		return 0;

	store_refresh(m->store);

	return m->n;
}


static bool unread(struct messages *m, const struct message_record *r)
{
	return !r->outgoing && r->time_ms > seen_get(m->seen, "") &&
		r->time_ms > seen_get(m->seen, r->peer);
}


bool messages_at(struct message_record *r, struct messages *m, size_t i)
{
	if (!m || i >= m->n)
		return false;

	*r = m->v[i]->r;
	r->state = m->v[i]->state;
	r->reason = m->v[i]->reason ? m->v[i]->reason : "";
	r->unread = unread(m, r);

	return true;
}


unsigned messages_unread(struct messages *m, const char *peer)
{
	const size_t n = messages_count(m);
	unsigned count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct message_record *r = &m->v[i]->r;

		count += (!peer || !strcmp(peer, r->peer)) && unread(m, r);
	}

	return count;
}


void messages_set_ua(struct messages *m, struct ua *ua)
{
	if (m)
		m->ua = ua;
}


void messages_seen(struct messages *m, const char *peer)
{
	if (!messages_unread(m, peer))
		return;

	/* "" : everybody */
	seen_set(m->seen, peer ? peer : "", clock_wall_ms());
	++m->version;
	ua_message_displayed(m->ua, peer);
}


int messages_clear(struct messages *m)
{
	return m ? store_clear(m->store) : EINVAL;
}


unsigned messages_version(const struct messages *m)
{
	return m ? m->version : 0;
}
