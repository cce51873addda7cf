/**
 * @file cmd_history.c  What the phone keeps: calls that were, messages
 *
 * And the rows of the commands about contacts.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>
#include "offhook/clock.h"
#include "offhook/path.h"
#include "kept.h"

enum { SHOWN = 20, EXPORT_MAX = 64 << 20 };


/* Local time for people; programs get the field `time` too */
static void when_print(char *buf, size_t sz, uint64_t ms)
{
	const time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (!localtime_r(&t, &tm) ||
	    !strftime(buf, sz, "%Y-%m-%d %H:%M:%S", &tm))
		buf[0] = '\0';
}


static void reply_when(struct cmd *x, uint64_t ms)
{
	char text[CLOCK_ISO8601_SIZE];

	if (x->request || client_json(x->cl))
		clock_iso8601(text, ms);
	else
		when_print(text, sizeof(text), ms);
	reply_str(x->reply, "time", text);
}


/* History ------------------------------------------------------------------ */

static void reply_history(struct cmd *x, const struct history_call *c)
{
	struct reply *r = x->reply;

	reply_row(r, "call");
	reply_when(x, c->time_ms);
	reply_str(r, "direction", c->outgoing ? "out" : "in");
	reply_str(r, "outcome", c->outcome);
	reply_bool(r, "new", c->unseen);
	reply_str(r, "peer", c->peer);
	reply_str(r, "name", c->name);
	reply_str(r, "account", c->account);
	if (c->code)
		reply_int(r, "code", c->code);
	reply_str(r, "cause", c->cause);
	if (c->duration_ms)
		reply_int(r, "duration-ms", (int64_t)c->duration_ms);
	if (c->pdd_ms != EVENT_NONE)
		reply_int(r, "pdd-ms", c->pdd_ms);
	if (c->setup_ms != EVENT_NONE)
		reply_int(r, "setup-ms", c->setup_ms);
	if (c->codec[0])
		reply_str(r, "codec", c->codec);
	reply_double(r, "mos", c->mos);
	reply_str(r, "how", c->text);
}


static bool wanted(const struct cmd *x, const struct history_call *c)
{
	const char *search = cmd_str(x, "search");

	if (cmd_has(x, "missed") && strcmp(c->outcome, "missed"))
		return false;
	if (cmd_has(x, "new") && !c->unseen)
		return false;

	return !search || history_score(c, search) >= 0;
}


/* A field of a table that any spreadsheet reads (RFC 4180) */
static void csv_add(struct text_buf *b, const char *s)
{
	/* one that would begin a formula there is told to be text */
	text_add(b, "\"%s", *s && strchr("=+-@", *s) ? "'" : "");
	for (; *s; s++) {
		if (*s == '"')
			text_add(b, "\"");
		text_add_mem(b, s, 1);
	}
	text_add(b, "\",");
}


static void csv_took(struct text_buf *b, int64_t ms)
{
	text_add(b, ",");
	if (ms != EVENT_NONE)
		text_add(b, "%lld", (long long)ms);
}


static void csv_row(struct text_buf *b, const struct history_call *c)
{
	char when[CLOCK_ISO8601_SIZE];

	text_add(b, "%s,%s,", clock_iso8601(when, c->time_ms),
		 c->outgoing ? "out" : "in");
	csv_add(b, c->outcome);
	csv_add(b, c->peer);
	csv_add(b, c->name);
	csv_add(b, c->account);
	text_add(b, "%u,%llu,", c->code, (unsigned long long)c->duration_ms);
	csv_add(b, c->codec);
	if (isfinite(c->mos))
		text_add(b, "%.2f", c->mos);
	csv_took(b, c->pdd_ms);
	csv_took(b, c->setup_ms);
	text_add(b, "\r\n");
}


static void history_export(struct cmd *x, const char *file)
{
	struct history *h = x->ph->history;
	struct text_buf b = { .max = EXPORT_MAX };
	const size_t n = history_count(h);
	struct history_call c;
	char err[CONFIG_ERR];
	int64_t rows = 0;
	int e;

	text_add(&b, "time,direction,outcome,peer,name,account,code,"
		 "duration_ms,codec,mos,pdd_ms,setup_ms\r\n");
	for (size_t i = n; i > 0; i--) {
		if (!history_at(&c, h, i - 1) || !wanted(x, &c))
			continue;
		csv_row(&b, &c);
		++rows;
	}

	e = b.err ? b.err : path_write(file, b.s, b.len, 0600);
	text_buf_reset(&b);

	if (e) {
		snprintf(err, sizeof(err), "%.300s: %s", file, strerror(e));
		cmd_fail(x, e, err);
		return;
	}

	reply_int(x->reply, "exported", rows);
}


static void cmd_history(struct cmd *x)
{
	struct history *h = x->ph->history;
	const size_t limit = (size_t)cmd_int(x, "limit", SHOWN);
	const char *file = cmd_str(x, "export");
	struct history_call c;
	size_t n, shown = 0;

	if (cmd_has(x, "clear")) {
		cmd_fail(x, history_clear(h), NULL);
		return;
	}
	if (file) {
		history_export(x, file);
		return;
	}

	n = history_count(h);
	reply_int(x->reply, "missed", history_missed(h));
	reply_list(x->reply, "call");
	for (size_t i = 0; i < n && shown < limit; i++) {
		if (!history_at(&c, h, i) || !wanted(x, &c))
			continue;
		reply_history(x, &c);
		++shown;
	}

	if (!shown)
		reply_text(x->reply, "no calls");
	else if (!cmd_has(x, "keep-new"))
		history_seen(h);
}


static void cmd_redial(struct cmd *x)
{
	const char *last = history_last_dialled(x->ph->history);
	struct ua_dial prm = {
		.target = last, .account = cmd_str(x, "account"),
	};
	char err[UA_ERR] = "";
	unsigned id = 0;
	int e;

	if (!*last) {
		reply_error(x->reply, "no-call", "nobody was called yet");
		return;
	}

	e = ua_dial(&id, x->ph->ua, &prm, err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	client_dialled(x->cl, id);
	reply_silent(x->reply);
	reply_int(x->reply, "call", id);
}


/* Messages ----------------------------------------------------------------- */

static void reply_message(struct cmd *x, const struct message_record *m)
{
	struct reply *r = x->reply;

	reply_row(r, "message");
	reply_when(x, m->time_ms);
	reply_str(r, "direction", m->outgoing ? "out" : "in");
	reply_bool(r, "new", m->unread);
	reply_str(r, "peer", m->peer);
	reply_str(r, "name", m->name);
	if (m->outgoing)
		reply_str(r, "state", m->state);
	reply_str(r, "text", m->text);
}


static bool message_wanted(const struct cmd *x,
			   const struct message_record *m)
{
	const char *search = cmd_str(x, "search");

	if (cmd_has(x, "new") && !m->unread)
		return false;

	return !search || fuzzy_score(search, m->peer) >= 0 ||
		fuzzy_score(search, m->name) >= 0 ||
		strcasestr(m->text, search);
}


static void cmd_messages(struct cmd *x)
{
	struct messages *ms = x->ph->messages;
	const size_t limit = (size_t)cmd_int(x, "limit", SHOWN);
	struct message_record m;
	size_t n, from, found = 0;

	if (cmd_has(x, "clear")) {
		cmd_fail(x, messages_clear(ms), NULL);
		return;
	}

	n = messages_count(ms);
	reply_int(x->reply, "unread", messages_unread(ms, NULL));

	/* the last ones, in their order */
	for (from = n; from > 0 && found < limit; from--) {
		if (messages_at(&m, ms, from - 1) && message_wanted(x, &m))
			++found;
	}

	reply_list(x->reply, "message");
	for (size_t i = from; i < n; i++) {
		if (messages_at(&m, ms, i) && message_wanted(x, &m))
			reply_message(x, &m);
	}

	if (!found)
		reply_text(x->reply, "no messages");
	else if (!cmd_has(x, "keep-new"))
		messages_seen(ms, NULL);
}


static void cmd_outbox(struct cmd *x)
{
	struct outbox *o = x->ph->outbox;
	struct outbox_letter l;

	if (cmd_has(x, "clear")) {
		outbox_clear(o);
		return;
	}
	if (cmd_has(x, "send"))
		outbox_send(o);

	reply_list(x->reply, "letter");
	for (size_t i = 0; outbox_at(&l, o, i); i++) {
		char when[CLOCK_ISO8601_SIZE];

		(void)clock_iso8601(when, l.time);
		reply_row(x->reply, "letter");
		reply_str(x->reply, "to", l.to);
		reply_str(x->reply, "text", l.text);
		reply_str(x->reply, "written", when);
		reply_int(x->reply, "tries", l.tries);
	}

	if (!outbox_count(o))
		reply_text(x->reply, "no message waits");
}


/* Rows --------------------------------------------------------------------- */

#define LIMIT								\
	{ .name = "limit", .type = ARG_INT, .min = 1, .max = 100000,	\
	  .summary = "show so many, 20 without it" }

#define KEEP_NEW							\
	{ .name = "keep-new",						\
	  .summary = "looking does not make them seen" }

static const struct command kept_commands[] = {
	{
		.name = "contacts",
		.args = ARGS(
			{ .name = "search", .type = ARG_REST,
			  .optional = true,
			  .summary = "a part of a name, address or note" }
		),
		.summary = "Show contacts",
		.help = "Without a word all of them, in the order of the "
			"file; else those that fit, the best first: the "
			"letters may be apart, case and accents do not "
			"matter. A contact's name can be dialled. Those with "
			"presence or lamp are watched by themselves while "
			"their account is registered: watch and lamp-watch "
			"say how that stands; status, activity, says and "
			"calls (free, ringing, busy) what was told last.",
		.alone = true,
		.run = cmd_contacts,
	},
	{
		.name = "contact",
		.args = ARGS(
			{ .name = "what", .type = ARG_CHOICE,
			  .choices = "add,remove,import,export",
			  .summary = "what to do" },
			{ .name = "name", .type = ARG_WORD, .optional = true,
			  .summary = "its name; of import and export a file "
				     "of vCards" },
			{ .name = "uri", .type = ARG_WORD, .optional = true,
			  .summary = "whom to call: an address or a number" }
		),
		.options = ARGS(
			{ .name = "account", .type = ARG_WORD,
			  .summary = "call by way of this account" },
			{ .name = "speed", .type = ARG_INT, .min = 0,
			  .max = 99, .summary = "key for speed dialling" },
			{ .name = "presence",
			  .summary = "watch whether it can be reached" },
			{ .name = "lamp",
			  .summary = "watch whether it is on the phone" },
			{ .name = "ring", .type = ARG_FILE,
			  .summary = "sound file its calls ring with" },
			{ .name = "note", .type = ARG_WORD,
			  .summary = "whatever there is to say" }
		),
		.summary = "Add, change or remove a contact, or bring many in "
			   "and out",
		.help = "`contact add NAME ADDRESS` also changes one; the "
			"file keeps its comments and order. `contact import "
			"FILE` takes vCards of any version: each number and "
			"address becomes a contact, one of the same name is "
			"replaced. `contact export FILE` writes them as "
			"vCards.",
		.alone = true,
		.run = cmd_contact,
	},
	{
		.name = "history",
		.args = ARGS(
			{ .name = "search", .type = ARG_REST,
			  .optional = true,
			  .summary = "a part of a name, address or outcome" }
		),
		.options = ARGS(
			{ .name = "missed", .summary = "only missed calls" },
			{ .name = "new",
			  .summary = "only missed ones not yet looked at" },
			LIMIT, KEEP_NEW,
			{ .name = "export", .type = ARG_FILE,
			  .summary = "write all that fit into a file, as "
				     "comma-separated values" },
			{ .name = "clear", .summary = "forget all calls" }
		),
		.summary = "Show the calls that were",
		.help = "The last one first, with how each ended, and how "
			"long it took until it rang (pdd) and was answered "
			"(setup); what is shown counts as seen. Option history-max says how "
			"many are kept; as JSON lines they are in the state "
			"directory.",
		.alone = true,
		.run = cmd_history,
	},
	{
		.name = "redial",
		.options = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "call by way of this account" }
		),
		.summary = "Call again whom you called last",
		.help = "The last call of yours in the history, answered or "
			"not.",
		.run = cmd_redial,
	},
	{
		.name = "messages",
		.args = ARGS(
			{ .name = "search", .type = ARG_REST,
			  .optional = true,
			  .summary = "a part of a name, address or text" }
		),
		.options = ARGS(
			{ .name = "new", .summary = "only unread ones" },
			LIMIT, KEEP_NEW,
			{ .name = "clear", .summary = "forget all messages" }
		),
		.summary = "Show text messages",
		.help = "Received and sent, the last ones in their order; "
			"what is shown counts as read. `message` sends one. "
			"Option messages-max says how many are kept.",
		.alone = true,
		.run = cmd_messages,
	},
	{
		.name = "outbox",
		.options = ARGS(
			{ .name = "send", .summary = "try them all now" },
			{ .name = "clear", .summary = "give them all up" }
		),
		.summary = "Messages that could not be delivered yet",
		.help = "A message that nobody took is kept and sent again: "
			"when the account is registered, when the person "
			"writes or is seen, and after some time, for a week. "
			"message.sent says stored, and later sent.",
		.run = cmd_outbox,
	},
};

const struct command_group group_kept = {
	"contacts and history", kept_commands, ARRAY_SIZE(kept_commands),
};
