/**
 * @file outbox.c  Messages that could not be delivered, sent again
 *
 * A subscriber of message.sent: what failed because nobody was there is kept,
 * in a file too, and tried again when there is reason to think that it may
 * go: the account is registered (again), the person writes to us or is seen,
 * or some time has passed, longer each time.  After a week it is given up.
 * Main thread.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>
#include "offhook/app.h"
#include "offhook/clock.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "line.h"

#define LOG_MODULE "outbox"
#include "offhook/log.h"

enum {
	LETTERS_MAX = 100,           /* the oldest is given up               */
	FILE_MAX_B  = 1024 * 1024,
	FIRST_MS    = 30 * 1000,
	LATEST_MS   = 30 * 60 * 1000,
	SOON_MS     = 500,           /* after a reason to try: others too    */
};

static const uint64_t life_ms = 7 * 24 * 3600 * 1000ULL;

struct letter {
	struct le le;
	char *to, *text, *account;   /* account: its name, "" by rule        */
	uint64_t time;               /* when it was written                  */
	uint64_t due_ms;             /* clock_ms                             */
	unsigned tries;
	unsigned known;              /* its number in this run, 0: none yet  */
	unsigned id;                 /* the same while under way, else 0     */
};

struct outbox {
	struct ua *ua;
	struct event_bus *bus;
	struct event_sub *sub[4];
	struct list letters;         /* oldest first                         */
	char path[1024];             /* "" : nothing is kept beyond this run */
	int lock;                    /* the file is ours, -1: it is not      */
	struct timer tmr;
};


static void letter_destructor(void *arg)
{
	struct letter *l = arg;

	list_unlink(&l->le);
	mem_deref(l->to);
	mem_deref(l->text);
	mem_deref(l->account);
}


static struct letter *letter_add(struct outbox *o, const char *to,
				 const char *text, const char *account,
				 uint64_t time)
{
	struct letter *l = mem_zalloc(sizeof(*l), letter_destructor);

	if (!l)
		return NULL;

	if (str_dup(&l->to, to) || str_dup(&l->text, text) ||
	    str_dup(&l->account, account))
		return mem_deref(l);

	l->time = time;
	list_append(&o->letters, &l->le, l);

	return l;
}


/* The file ------------------------------------------------------------------ */

static void load(struct outbox *o)
{
	char *text = NULL;
	size_t len = 0;
	int err;

	err = path_read(&text, &len, o->path, FILE_MAX_B);
	if (err) {
		if (err != ENOENT)
			log_warn("%s cannot be read: %s", o->path,
				 strerror(err));
		return;
	}

	for (char *p = text, *nl; (nl = strchr(p, '\n')); p = nl + 1) {
		json_t *j = json_loadb(p, (size_t)(nl - p), 0, NULL);
		const char *to = line_str(j, "to"), *what = line_str(j,
								     "text");

		if (to[0] && what[0] &&
		    list_count(&o->letters) < LETTERS_MAX)
			(void)letter_add(o, to, what, line_str(j, "account"),
					 (uint64_t)line_int(j, "time_ms"));
		json_decref(j);
	}

	free(text);
}


/* One phone keeps what waits in the file, or two would send it twice and each
 * would write over what the other keeps. Whoever has it not keeps its own in
 * memory, and takes the file when the other has left */
static int take_file(struct outbox *o, bool make)
{
	char path[1040], dir[1024];
	int err;

	if (!o->path[0] || o->lock >= 0)
		return 0;

	snprintf(path, sizeof(path), "%s.lock", o->path);
	snprintf(dir, sizeof(dir), "%.*s",
		 (int)(strrchr(path, '/') - path), path);
	err = make ? path_mkdirs(dir) : 0;
	if (err)
		return err;

	o->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		       0600);
	if (o->lock < 0)
		return errno;

	if (flock(o->lock, LOCK_EX | LOCK_NB)) {
		err = errno;
		close(o->lock);
		o->lock = -1;
		return err;
	}

	load(o);

	return 0;
}


static void save(struct outbox *o)
{
	struct text_buf b = { .max = FILE_MAX_B };
	struct le *le;
	int err;

	if (!o->path[0])
		return;

	err = take_file(o, list_count(&o->letters) > 0);
	if (err == EWOULDBLOCK)
		return;

	LIST_FOREACH(&o->letters, le) {
		const struct letter *l = le->data;
		json_t *j = json_object();
		char *s;

		line_set(j, "to", l->to);
		line_set(j, "text", l->text);
		line_set(j, "account", l->account);
		(void)json_object_set_new(j, "time_ms",
					  json_integer((json_int_t)l->time));
		s = json_dumps(j, JSON_COMPACT);
		if (s)
			text_add(&b, "%s\n", s);
		free(s);
		json_decref(j);
	}

	err = err ? err : b.err;
	if (o->lock < 0 && !b.len)
		err = 0;
	else if (!err && !b.len)
		err = unlink(o->path) && errno != ENOENT ? errno : 0;
	else if (!err)
		err = path_write(o->path, b.s, b.len, 0600);
	text_buf_reset(&b);

	if (err)
		log_warn("messages that wait are not kept in %s: %s", o->path,
			 strerror(err));
}


/* Trying --------------------------------------------------------------------- */

static void tell(struct outbox *o, const struct letter *l, unsigned id,
		 const char *result, const char *reason)
{
	struct event ev;

	event_init(&ev, EVENT_MESSAGE_SENT);
	ev.u.message_sent.id = id;
	str_ncpy(ev.u.message_sent.to, l->to, sizeof(ev.u.message_sent.to));
	str_ncpy(ev.u.message_sent.result, result,
		 sizeof(ev.u.message_sent.result));
	str_ncpy(ev.u.message_sent.reason, reason,
		 sizeof(ev.u.message_sent.reason));
	str_ncpy(ev.u.message_sent.text, l->text,
		 sizeof(ev.u.message_sent.text));
	event_publish(o->bus, &ev);
}


static void schedule(struct outbox *o);


static void give_up(struct outbox *o, struct letter *l, const char *reason)
{
	log_warn("a message to %s is given up: %s", l->to, reason);
	tell(o, l, l->known, "failed", reason);
	mem_deref(l);
}


static void try_one(struct outbox *o, struct letter *l)
{
	const struct ua_message prm = {
		.target = l->to, .text = l->text, .again = true,
		.id = l->known,
		.account = ua_account_find(o->ua, l->account) ? l->account :
			NULL,
	};
	char why[UA_ERR];

	++l->tries;
	if (ua_message(&l->id, o->ua, &prm, why)) {
		l->id = 0;
		log_info("a message to %s waits: %s", l->to, why);
	}
	else {
		l->known = l->id;
	}
}


static uint64_t wait_ms(unsigned tries)
{
	uint64_t ms = FIRST_MS;

	while (tries-- && ms < LATEST_MS)
		ms *= 2;

	return ms < LATEST_MS ? ms : LATEST_MS;
}


static void due_handler(void *arg)
{
	struct outbox *o = arg;
	const uint64_t now = clock_ms(), wall = clock_wall_ms();
	struct le *le = list_head(&o->letters);
	bool gone = false;

	while (le) {
		struct letter *l = le->data;

		le = le->next;
		if (l->id)
			continue;

		if (wall > l->time && wall - l->time > life_ms) {
			give_up(o, l, "nobody took it for a week");
			gone = true;
			continue;
		}
		if (l->due_ms > now)
			continue;

		l->due_ms = now + wait_ms(l->tries);
		try_one(o, l);
	}

	if (gone)
		save(o);
	schedule(o);
}


static void schedule(struct outbox *o)
{
	const uint64_t now = clock_ms();
	uint64_t first = UINT64_MAX;
	struct le *le;

	LIST_FOREACH(&o->letters, le) {
		const struct letter *l = le->data;

		if (!l->id && l->due_ms < first)
			first = l->due_ms;
	}

	if (first == UINT64_MAX)
		timer_cancel(&o->tmr);
	else
		timer_start(&o->tmr, first > now ? first - now : 0,
			    due_handler, o);
}


/* There is reason to try. to: a URI, NULL: any; account: NULL: any */
static void hurry(struct outbox *o, const char *to, const char *account)
{
	const uint64_t soon = clock_ms() + SOON_MS;
	struct le *le;
	bool any = false;

	LIST_FOREACH(&o->letters, le) {
		struct letter *l = le->data;

		if (l->id || (to && strcmp(to, l->to)) ||
		    (account && l->account[0] && strcmp(account, l->account)))
			continue;
		if (l->due_ms > soon)
			l->due_ms = soon;
		any = true;
	}

	if (any)
		schedule(o);
}


/* Events ---------------------------------------------------------------------- */

static struct letter *letter_of(const struct outbox *o, unsigned id)
{
	struct le *le;

	LIST_FOREACH(&o->letters, le) {
		struct letter *l = le->data;

		if (id && l->id == id)
			return l;
	}

	return NULL;
}


/* Nobody was there; a refusal is an answer */
static bool may_go_later(const struct event *ev)
{
	const char *cause = ev->u.message_sent.cause;
	const int64_t code = ev->u.message_sent.code;

	if (!strcmp(cause, "timeout") || !strcmp(cause, "transport") ||
	    !strcmp(cause, "resolve"))
		return true;

	return code == 408 || code == 480 || code == 430 || code == 503 ||
		code == 504;
}


static const char *account_name(const struct outbox *o, unsigned id)
{
	const struct account *a = ua_account_id(o->ua, id);

	return a ? account_config(a)->name : "";
}


static void keep(struct outbox *o, const struct event *ev)
{
	struct letter *l;

	/* longer than an event can tell */
	if (!ev->u.message_sent.text[0] || ev->call ||
	    strlen(ev->u.message_sent.text) + 8 >=
	    sizeof(ev->u.message_sent.text))
		return;

	while (list_count(&o->letters) >= LETTERS_MAX)
		give_up(o, list_head(&o->letters)->data,
			"too many messages wait");

	l = letter_add(o, ev->u.message_sent.to, ev->u.message_sent.text,
		       account_name(o, ev->account), clock_wall_ms());
	if (!l)
		return;

	l->known = (unsigned)ev->u.message_sent.id;
	l->due_ms = clock_ms() + wait_ms(0);
	log_info("a message to %s waits to be sent again", l->to);
	tell(o, l, l->known, "stored", "it is sent again later");
	save(o);
	schedule(o);
}


static void sent(struct outbox *o, const struct event *ev)
{
	const char *result = ev->u.message_sent.result;
	struct letter *l = letter_of(o, (unsigned)ev->u.message_sent.id);
	const bool failed = !strcmp(result, "failed");

	if (!l) {
		if (failed && may_go_later(ev))
			keep(o, ev);
		return;
	}

	if (!strcmp(result, "stored")) {
		l->id = 0;
		schedule(o);
		return;
	}

	/* sent, or refused for good, which the event says */
	mem_deref(l);
	save(o);
	schedule(o);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct outbox *o = arg;

	switch (ev->type) {

	case EVENT_MESSAGE_SENT:
		sent(o, ev);
		break;

	case EVENT_MESSAGE_RECEIVED:
		hurry(o, ev->u.message_received.from, NULL);
		break;

	case EVENT_PRESENCE:
		if (!strcmp(ev->u.presence.status, "open"))
			hurry(o, ev->u.presence.who, NULL);
		break;

	case EVENT_ACCOUNT_STATE:
		if (!strcmp(ev->u.account_state.state, "registered"))
			hurry(o, NULL, account_name(o, ev->account));
		break;

	default:
		break;
	}
}


static void outbox_destructor(void *arg)
{
	struct outbox *o = arg;

	for (size_t i = 0; i < ARRAY_SIZE(o->sub); i++)
		mem_deref(o->sub[i]);
	timer_cancel(&o->tmr);
	list_flush(&o->letters);
	if (o->lock >= 0)
		close(o->lock);
}


int outbox_alloc(struct outbox **op, struct ua *ua, struct event_bus *bus,
		 const char *dir)
{
	static const enum event_type types[] = {
		EVENT_MESSAGE_SENT, EVENT_MESSAGE_RECEIVED, EVENT_PRESENCE,
		EVENT_ACCOUNT_STATE,
	};
	struct outbox *o;
	struct le *le;
	int err = 0;

	if (!op || !ua || !bus)
		return EINVAL;

	o = mem_zalloc(sizeof(*o), outbox_destructor);
	if (!o)
		return ENOMEM;

	o->ua = ua;
	o->bus = bus;
	o->lock = -1;
	if (dir)
		err = path_join(o->path, sizeof(o->path), dir, "outbox");

	_Static_assert(ARRAY_SIZE(types) == ARRAY_SIZE(o->sub), "each one");
	for (size_t i = 0; i < ARRAY_SIZE(types) && !err; i++)
		err = event_subscribe_type(&o->sub[i], bus, types[i],
					   event_handler, o);
	if (err) {
		mem_deref(o);
		return err;
	}

	/* what waited when the phone ended last */
	if (take_file(o, false) == EWOULDBLOCK)
		log_info("another phone keeps the messages that wait");
	LIST_FOREACH(&o->letters, le) {
		struct letter *l = le->data;

		l->due_ms = clock_ms() + FIRST_MS / 10;
	}
	schedule(o);
	*op = o;

	return 0;
}


size_t outbox_count(const struct outbox *o)
{
	return o ? list_count(&o->letters) : 0;
}


bool outbox_at(struct outbox_letter *l, const struct outbox *o, size_t i)
{
	struct le *le = o ? list_head(&o->letters) : NULL;
	const struct letter *x;

	while (le && i--)
		le = le->next;
	if (!le)
		return false;

	x = le->data;
	l->to = x->to;
	l->text = x->text;
	l->account = x->account;
	l->time = x->time;
	l->tries = x->tries;

	return true;
}


void outbox_send(struct outbox *o)
{
	if (o)
		hurry(o, NULL, NULL);
}


void outbox_clear(struct outbox *o)
{
	if (!o)
		return;

	list_flush(&o->letters);
	timer_cancel(&o->tmr);
	save(o);
}
