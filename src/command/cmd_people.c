/**
 * @file cmd_people.c  Commands about people: messages
 *
 * Main thread; a line waits for the final answer of what it sent.
 */
#include <stdio.h>
#include "priv.h"

enum { SLACK_MS = 15000 };       /* name service, credentials                */


/* Without any answer */
static const char *token_of(enum sip_cause cause)
{
	switch (cause) {

	case SIP_CAUSE_TIMEOUT: return "timeout";
	case SIP_CAUSE_RESOLVE: return "no-such-host";
	default:                return "network";
	}
}


static void sent_handler(struct cmd *x, const struct event *ev)
{
	const unsigned *id = x->state;
	const int64_t code = ev->u.message_sent.code;
	const char *cause = ev->u.message_sent.cause;
	struct call_record rec = { .outgoing = true };

	if (ev->u.message_sent.id != *id)
		return;

	cmd_told(x, ev);
	if (!strcmp(ev->u.message_sent.result, "failed")) {
		rec.result.cause = sip_cause_find(cause);
		rec.result.code = code != EVENT_NONE ? (uint16_t)code : 0;
		reply_set_exit(x->reply, call_record_exit(&rec));

		if (code != EVENT_NONE)
			reply_error(x->reply, "refused", "the message is not "
				    "delivered: %lld %s", (long long)code,
				    ev->u.message_sent.reason);
		else
			reply_error(x->reply, token_of(rec.result.cause),
				    "the message is not delivered: %s",
				    ev->u.message_sent.reason);
	}

	cmd_done(x);
}


/* Whom a line "message TARGET TEXT" is for, as far as it is written. @return
 * false: there is no text yet, or it is another line */
static bool writes_to(char *target, size_t sz, const char *line)
{
	static const char word[] = "message";
	const char *p = line + strspn(line, " \t");
	char quote = '\0';
	size_t n = 0;

	if (strncmp(p, word, sizeof(word) - 1))
		return false;
	p += sizeof(word) - 1;
	if (*p != ' ' && *p != '\t')
		return false;
	p += strspn(p, " \t");

	for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? '\0' : *p;
		else if (n + 1 < sz)
			target[n++] = *p;
		else
			return false;
	}
	target[n] = '\0';

	p += strspn(p, " \t");

	return n && target[0] != '-' && *p && *p != '-';
}


void command_typing(const struct phone *ph, const char *line, bool goes_on)
{
	char target[256];

	if (!ph || !ph->ua || !line || !writes_to(target, sizeof(target),
						  line))
		return;

	if (goes_on)
		(void)ua_typing(ph->ua, target, 0, NULL);
	else
		ua_typing_end(ph->ua, target, 0);
}


static void cmd_message(struct cmd *x)
{
	struct ua_message m = {
		.target  = cmd_str(x, "target"),
		.text    = cmd_str(x, "text"),
		.account = cmd_str(x, "account"),
		.report  = cmd_has(x, "report"),
		.anonymous = cmd_has(x, "anonymous"),
		.call    = (unsigned)cmd_int(x, "call", 0),
	};
	const char *composing = cmd_str(x, "composing");
	char err[UA_ERR] = "";
	unsigned *id;
	int e;

	if (composing && !strcmp(composing, "typing")) {
		e = ua_typing(x->ph->ua, m.target, m.call, m.account);
		if (e)
			cmd_fail(x, e, NULL);
		return;
	}
	if (composing)
		m.composing = !strcmp(composing, "on") ? UA_COMPOSING :
			UA_IDLE;
	else if (!m.text || !m.text[0]) {
		(void)cmd_wrong(x, "missing-argument", "what is the message?");
		return;
	}
	if (!m.text)
		m.text = "";

	id = cmd_state(x, sizeof(*id), NULL);
	if (!id)
		return;

	e = ua_message(id, x->ph->ua, &m, err);
	if (e) {
		cmd_missing(x, e, "no-such-account", err);
		return;
	}

	reply_int(x->reply, "id", *id);
	if (composing)
		return;

	cmd_wait(x, (uint64_t)x->ph->config->sip_timeout_ms + SLACK_MS, NULL);
	cmd_wait_events(x, EVENT_BIT(EVENT_MESSAGE_SENT), sent_handler);
}


/* Subscriptions ------------------------------------------------------------ */

static void sub_handler(struct cmd *x, const struct event *ev)
{
	const unsigned *id = x->state;
	const char *state = ev->u.subscription_state.state;
	const int64_t code = ev->u.subscription_state.code;

	if (ev->u.subscription_state.subscription != *id ||
	    !strcmp(state, "trying"))
		return;

	cmd_told(x, ev);

	/* asked for once, it ends so */
	if (ev->u.subscription_state.cause[0] && code != EVENT_NONE)
		reply_error(x->reply, "refused", "not subscribed: %lld %s",
			    (long long)code,
			    ev->u.subscription_state.reason);
	else if (ev->u.subscription_state.cause[0])
		reply_error(x->reply, "failed", "not subscribed: %s",
			    ev->u.subscription_state.reason);

	cmd_done(x);
}


static void cmd_subscribe(struct cmd *x)
{
	const struct ua_subscribe prm = {
		.event     = cmd_str(x, "event"),
		.target    = cmd_str(x, "target"),
		.account   = cmd_str(x, "account"),
		.accept    = cmd_str(x, "accept"),
		.expires_s = cmd_has(x, "once") ? 0 :
			(uint32_t)(cmd_ms(x, "expires", 3600000) / 1000),
	};
	char err[UA_ERR] = "";
	unsigned *id;
	int e;

	id = cmd_state(x, sizeof(*id), NULL);
	if (!id)
		return;

	e = ua_subscribe(id, x->ph->ua, &prm, err);
	if (e) {
		cmd_missing(x, e, "no-such-account", err);
		return;
	}

	reply_int(x->reply, "subscription", *id);
	cmd_wait(x, 2 * (uint64_t)x->ph->config->sip_timeout_ms + SLACK_MS,
		 NULL);
	cmd_wait_events(x, EVENT_BIT(EVENT_SUBSCRIPTION_STATE), sub_handler);
}


static void cmd_unsubscribe(struct cmd *x)
{
	char err[UA_ERR] = "";
	int e;

	e = ua_unsubscribe(x->ph->ua, (unsigned)cmd_int(x, "subscription", 0),
			   err);
	if (e)
		cmd_missing(x, e, "no-such-subscription", err);
}


static void cmd_subscriptions(struct cmd *x)
{
	struct ua_subscription s;

	reply_list(x->reply, "subscription");
	for (size_t i = 0; ua_subscription(&s, x->ph->ua, i); i++) {
		reply_row(x->reply, "subscription");
		reply_int(x->reply, "subscription", s.id);
		reply_str(x->reply, "event", s.event);
		reply_str(x->reply, "target", s.target);
		reply_str(x->reply, "state", s.state);
		if (s.next_ms)
			reply_int(x->reply, "next-ms", (int64_t)s.next_ms);
	}
}


static void cmd_publish(struct cmd *x)
{
	char err[UA_ERR] = "";
	int e;

	e = ua_publish(x->ph->ua, cmd_str(x, "account"),
		       cmd_str(x, "status"), cmd_str(x, "note"), err);
	if (e)
		cmd_missing(x, e, "no-such-account", err);
}


static const struct command people_commands[] = {
	{
		.name = "message",
		.args = ARGS(
			{ .name = "target", .type = ARG_TARGET,
			  .summary = "whom it is for" },
			{ .name = "text", .type = ARG_REST, .optional = true,
			  .summary = "the text" }
		),
		.options = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "send by way of this account" },
			{ .name = "report",
			  .summary = "ask to be told when it has arrived" },
			{ .name = "composing", .type = ARG_CHOICE,
			  .choices = "on,off,typing",
			  .summary = "only tell that you write, or have "
				     "stopped; typing: a key was pressed, "
				     "the rest goes by itself" },
			{ .name = "call", .type = ARG_CALL,
			  .summary = "send it in this call" },
			{ .name = "anonymous",
			  .summary = "do not tell the other side who you are" }
		),
		.summary = "Send a text message",
		.help = "The line is done when the other side, or its server, "
			"has taken it; message.sent tells that too and, with "
			"--report, when it has arrived. Messages that come "
			"are told by message.received.",
		.run = cmd_message,
	},
	{
		.name = "subscribe",
		.args = ARGS(
			{ .name = "event", .type = ARG_WORD,
			  .summary = "presence, dialog, message-summary, reg, "
				     "conference, or any other event package" },
			{ .name = "target", .type = ARG_TARGET,
			  .summary = "whom to watch" }
		),
		.options = ARGS(
			{ .name = "expires", .type = ARG_TIME,
			  .summary = "ask for so long at a time, an hour "
				     "without it" },
			{ .name = "once",
			  .summary = "only ask how it is now" },
			{ .name = "accept", .type = ARG_WORD,
			  .summary = "type of the bodies" },
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "by way of this account" }
		),
		.summary = "Watch somebody",
		.help = "The line is done when the other side has agreed. "
			"What it tells comes as it is by subscription.notify, "
			"and as presence, dialog, mwi, registration or "
			"conference where it is understood. The subscription is kept up until "
			"`unsubscribe`.",
		.run = cmd_subscribe,
	},
	{
		.name = "unsubscribe",
		.args = ARGS(
			{ .name = "subscription", .type = ARG_INT, .min = 1,
			  .max = UINT32_MAX, .summary = "its number" }
		),
		.summary = "Watch no longer",
		.help = "`subscriptions` shows the numbers.",
		.run = cmd_unsubscribe,
	},
	{
		.name = "subscriptions",
		.summary = "Show whom we watch",
		.help = "One line each, with its state.",
		.run = cmd_subscriptions,
	},
	{
		.name = "publish",
		.args = ARGS(
			{ .name = "status", .type = ARG_WORD,
			  .summary = "open, closed, away, busy, on-the-phone "
				     "...; off takes it back" }
		),
		.options = ARGS(
			{ .name = "note", .type = ARG_WORD,
			  .summary = "a word to it" },
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "of this account" }
		),
		.summary = "Tell how you can be reached",
		.help = "The account's server is told, and whoever watches "
			"you directly (option watchers); publication.state "
			"says whether the server has taken it.",
		.run = cmd_publish,
	},
};

const struct command_group group_people = {
	"people", people_commands, ARRAY_SIZE(people_commands),
};
