/**
 * @file queue.c  One queue of lines per client
 *
 * Lines run in order; one that waits holds back those behind it, without
 * blocking the loop.  A client owns its lines and the command that runs.
 * Main thread.  A long queue gives the loop a turn now and then.
 */
#include <stdio.h>
#include "client.h"

enum {
	TURN_LINES = 64,         /* at once, then others may run             */
	DEPTH_MAX  = 16,         /* files sourced by files                   */
	AHEAD_MAX  = 8,          /* lines looked at for a `quit`             */
};

struct line {
	struct le le;
	char *text;
	size_t len;
	unsigned depth;
	char where[128];
};

/* Always heard: cheap, and what scripts ask for later */
static const event_set types_kept =
	EVENT_BIT(EVENT_ACCOUNT_STATE) | EVENT_BIT(EVENT_CALL_STATE) |
	EVENT_BIT(EVENT_CALL_HOLD) | EVENT_BIT(EVENT_CALL_MEDIA) |
	EVENT_BIT(EVENT_CALL_PEER) |
	EVENT_BIT(EVENT_CALL_DTMF) | EVENT_BIT(EVENT_CALL_TRANSFER) |
	EVENT_BIT(EVENT_CALL_TONE) | EVENT_BIT(EVENT_CALL_UNHEARD) |
	EVENT_BIT(EVENT_CALL_MOVED) | EVENT_BIT(EVENT_CALL_CLIPPED) |
	EVENT_BIT(EVENT_DTMF_DONE) | EVENT_BIT(EVENT_MESSAGE_RECEIVED) |
	EVENT_BIT(EVENT_MESSAGE_SENT) | EVENT_BIT(EVENT_MESSAGE_COMPOSING) |
	EVENT_BIT(EVENT_CALL_INFO) | EVENT_BIT(EVENT_SUBSCRIPTION_STATE) |
	EVENT_BIT(EVENT_PRESENCE) | EVENT_BIT(EVENT_DIALOG) |
	EVENT_BIT(EVENT_MWI) | EVENT_BIT(EVENT_REGISTRATION) |
	EVENT_BIT(EVENT_CONFERENCE) |
	EVENT_BIT(EVENT_CALL_CONFERENCE) | EVENT_BIT(EVENT_CALL_FORKED) |
	EVENT_BIT(EVENT_PUBLICATION_STATE) |
	EVENT_BIT(EVENT_CALL_REDIRECT) | EVENT_BIT(EVENT_CALL_FINDING) |
	EVENT_BIT(EVENT_CALL_UPDATE) |
	EVENT_BIT(EVENT_PLAY_DONE) | EVENT_BIT(EVENT_RECORD_DONE) |
	EVENT_BIT(EVENT_DEVICE_LOST) | EVENT_BIT(EVENT_DEVICE_FOUND) |
	EVENT_BIT(EVENT_NETWORK_CHANGED) | EVENT_BIT(EVENT_TLS_REFUSED) |
	EVENT_BIT(EVENT_SIP_FAULT) | EVENT_BIT(EVENT_RTP_FAULT);


/* Lines ------------------------------------------------------------------ */

static void line_destructor(void *arg)
{
	struct line *l = arg;

	list_unlink(&l->le);
	mem_deref(l->text);
}


static int line_alloc(struct line **lp, const char *text, size_t len,
		      const char *where, unsigned depth)
{
	struct line *l = mem_zalloc(sizeof(*l), line_destructor);

	if (!l)
		return ENOMEM;

	l->text = mem_alloc(len + 1, NULL);
	if (!l->text) {
		mem_deref(l);
		return ENOMEM;
	}

	memcpy(l->text, text, len);
	l->text[len] = '\0';
	l->len = len;
	l->depth = depth;
	snprintf(l->where, sizeof(l->where), "%s", where ? where : "");

	*lp = l;

	return 0;
}


/* Handlers may let go of the client: it lives until the outermost release() */
static void hold(struct client *cl)
{
	mem_ref(cl);
	++cl->holds;
}


static void release(struct client *cl)
{
	--cl->holds;
	mem_deref(cl);
}


/* The owner let go: none of its handlers may be called any more */
static bool orphaned(const struct client *cl)
{
	return mem_nrefs(cl) == cl->holds;
}


/* cl->cur is done: reply, and forget it. The caller holds a reference */
static void finish(struct client *cl)
{
	struct cmd *x = cl->cur;
	const bool failed = !reply_ok(x->reply) && !x->unbound;

	cl->cur = NULL;
	cl->depth = 0;
	reply_end(x->reply, x->waited);

	if (x->command) {
		mem_deref(cl->fresh);
		cl->fresh = mem_ref(x->told);
	}

	if (failed)
		cl->failed = true;

	/* an empty line or a comment has nothing to say */
	if ((x->command || !reply_ok(x->reply)) && cl->h.reply_h)
		cl->h.reply_h(x->reply, failed, cl->arg);

	mem_deref(x);

	if (!orphaned(cl))
		client_listen(cl);
}


/* `quit` hangs up anyway: it need not wait until a peer that is silent has
 * been asked for the last time */
static void hurry(struct client *cl)
{
	struct le *le;

	for (le = cl->lines.head; le; le = le->next) {

		const struct line *l = le->data;
		struct cmd *x = NULL;
		bool quit, nothing;

		if (cmd_alloc(&x, cl, NULL))
			return;

		quit = cmd_take(x, l->text, l->len) &&
			!strcmp(x->command->name, "quit");
		nothing = !x->command && reply_ok(x->reply);
		mem_deref(x);

		if (quit)
			cmd_hurry(cl->cur);
		if (!nothing)
			return;
	}
}


/* The line that waits is one that need not be waited for */
static bool yields(const struct client *cl)
{
	return cl->cur && cl->cur->waiting && cl->cur->yields;
}


static void run_line(struct client *cl, struct line *l)
{
	struct cmd *x = NULL;

	if (cmd_alloc(&x, cl, l->where)) {
		cl->failed = true;
		return;
	}

	cl->cur = mem_ref(x);
	cl->depth = l->depth;

	cmd_run(x, l->text, l->len);

	/* flushed meanwhile, by `quit` or its like, else done or waiting */
	if (!orphaned(cl) && cl->cur == x && !x->waiting)
		finish(cl);
	else if (yields(cl))
		hurry(cl);

	mem_deref(x);
}


static void turn(void *arg);


static void run(struct client *cl)
{
	unsigned n = 0;

	if (cl->running)
		return;

	hold(cl);
	cl->running = true;

	while (!cl->cur && cl->lines.head && !orphaned(cl)) {

		struct line *l = cl->lines.head->data;

		if (n++ == TURN_LINES) {
			timer_start(&cl->turn, 0, turn, cl);
			break;
		}

		list_unlink(&l->le);
		--cl->count;
		run_line(cl, l);
		mem_deref(l);
	}

	cl->running = false;

	if (!orphaned(cl) && !client_busy(cl) && cl->h.idle_h)
		cl->h.idle_h(cl->arg);

	release(cl);
}


static void turn(void *arg)
{
	run(arg);
}


void client_command_done(struct client *cl)
{
	/* done before its handler returned: run_line() sees it */
	if (cl->running || !cl->cur)
		return;

	hold(cl);
	finish(cl);
	if (!orphaned(cl))
		timer_start(&cl->turn, 0, turn, cl);
	release(cl);
}


int client_submit(struct client *cl, const char *line, size_t len,
		  const char *where)
{
	struct line *l;
	int err;

	if (len > CLIENT_LINE_MAX)
		return E2BIG;
	if (cl->count >= CLIENT_LINES_MAX)
		return ENOSPC;

	err = line_alloc(&l, line, len, where, 0);
	if (err)
		return err;

	list_append(&cl->lines, &l->le, l);
	++cl->count;

	if (client_yields(cl))
		hurry(cl);
	else if (!timer_running(&cl->turn))
		run(cl);

	return 0;
}


void client_refuse(struct client *cl, const char *where, const char *token,
		   const char *text)
{
	struct reply *r;

	cl->failed = true;

	if (reply_alloc(&r, where))
		return;

	reply_error(r, token, "%s", text);
	reply_usage(r);

	hold(cl);
	if (cl->h.reply_h)
		cl->h.reply_h(r, true, cl->arg);
	release(cl);
	mem_deref(r);
}


/* where NULL: they are lines of that file */
static int insert(struct client *cl, const char *text, size_t len,
		  const char *file, const char *where, unsigned depth,
		  char *err)
{
	const char *p = text + text_bom(text, len), *end = text + len;
	struct list fresh = LIST_INIT;
	unsigned n = 0;
	int e = 0;

	while (p < end && !e) {

		const char *nl = memchr(p, '\n', end - p);
		const size_t n_line = (nl ? nl : end) - p;
		char here[128];
		struct line *l;

		snprintf(here, sizeof(here), "%.100s:%u", file, ++n);
		if (where)
			snprintf(here, sizeof(here), "%s", where);

		if (n_line > CLIENT_LINE_MAX) {
			snprintf(err, UA_ERR, "%.100s: the line is longer "
				 "than %d bytes", here, CLIENT_LINE_MAX);
			e = E2BIG;
		}
		else if (cl->count + n > CLIENT_LINES_MAX) {
			snprintf(err, UA_ERR, "%.100s: more than %d lines "
				 "wait", file, CLIENT_LINES_MAX);
			e = ENOSPC;
		}
		else {
			e = line_alloc(&l, p, n_line, here, depth);
			if (!e)
				list_append(&fresh, &l->le, l);
		}

		p = nl ? nl + 1 : end;
	}

	if (e) {
		if (e == ENOMEM)
			snprintf(err, UA_ERR, "out of memory");
		list_flush(&fresh);
		return e;
	}

	while (fresh.tail) {
		struct line *l = fresh.tail->data;

		list_unlink(&l->le);
		list_prepend(&cl->lines, &l->le, l);
		++cl->count;
	}

	return 0;
}


int client_insert(struct client *cl, const char *text, size_t len,
		  const char *file, char *err)
{
	if (cl->depth >= DEPTH_MAX) {
		snprintf(err, UA_ERR, "files source each other more than %d "
			 "deep", DEPTH_MAX);
		return ELOOP;
	}

	return insert(cl, text, len, file, NULL, cl->depth + 1, err);
}


int client_insert_at(struct client *cl, const char *text, size_t len,
		     const char *where, char *err)
{
	return insert(cl, text, len, where, where, cl->depth, err);
}


void client_flush(struct client *cl)
{
	if (!cl)
		return;

	list_flush(&cl->lines);
	cl->count = 0;
	timer_cancel(&cl->turn);
	cl->cur = mem_deref(cl->cur);
	client_listen(cl);
}


bool client_yields(const struct client *cl)
{
	return cl && yields(cl) && cl->count <= AHEAD_MAX;
}


bool client_busy(const struct client *cl)
{
	return cl && (cl->cur || cl->lines.head);
}


size_t client_waiting(const struct client *cl)
{
	return cl ? cl->count : 0;
}


bool client_failed(const struct client *cl)
{
	return cl && cl->failed;
}


void client_line(struct client *cl, const char *line)
{
	if (cl->h.line_h)
		cl->h.line_h(line, cl->arg);
}


struct phone *client_phone(struct client *cl)
{
	return cl->ph;
}


/* Events ----------------------------------------------------------------- */

static void event_handler(const struct event *ev, void *arg)
{
	struct client *cl = arg;
	const event_set bit = EVENT_BIT(ev->type);

	topic_follow(cl, ev);
	if (bit & types_kept)
		topic_keep(cl, ev);

	hold(cl);

	if ((bit & cl->types) && cl->h.event_h &&
	    (!cl->events_call || !ev->call || ev->call == cl->events_call))
		cl->h.event_h(ev, cl->arg);

	if (!orphaned(cl) && cl->cur && (bit & cl->cur->types) &&
	    cl->cur->event_h)
		cl->cur->event_h(cl->cur, ev);

	release(cl);
}


void client_listen(struct client *cl)
{
	const event_set want = types_kept | cl->types |
		(cl->cur ? cl->cur->types : 0);

	for (unsigned i = 0; i < EVENT_TYPES; i++) {

		if (!(want & EVENT_BIT(i)))
			cl->subs[i] = mem_deref(cl->subs[i]);
		else if (!cl->subs[i])
			(void)event_subscribe_type(&cl->subs[i], cl->ph->bus,
						   (enum event_type)i,
						   event_handler, cl);
	}
}


void client_events(struct client *cl, event_set types)
{
	cl->types = types;
	client_listen(cl);
}


bool client_hears(const struct client *cl)
{
	return cl && cl->types;
}


void client_set_json(struct client *cl, bool json)
{
	cl->json = json;
}


bool client_json(const struct client *cl)
{
	return cl->json;
}


/* The client ------------------------------------------------------------- */

static void client_destructor(void *arg)
{
	struct client *cl = arg;

	timer_cancel(&cl->turn);
	list_flush(&cl->lines);
	mem_deref(cl->cur);
	mem_deref(cl->fresh);

	for (unsigned i = 0; i < EVENT_TYPES; i++) {
		mem_deref(cl->subs[i]);
		mem_deref(cl->last[i]);
	}
}


int client_alloc(struct client **cp, struct phone *ph,
		 const struct client_h *h, void *arg)
{
	struct client *cl;

	if (!cp || !ph || !ph->bus)
		return EINVAL;

	cl = mem_zalloc(sizeof(*cl), client_destructor);
	if (!cl)
		return ENOMEM;

	cl->ph = ph;
	if (h)
		cl->h = *h;
	cl->arg = arg;

	client_listen(cl);

	*cp = cl;

	return 0;
}
