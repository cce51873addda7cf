/**
 * @file cmd_people.c  Commands about people: messages
 *
 * Main thread; a line waits for the final answer of what it sent.
 */
#include <stdio.h>
#include "priv.h"

enum { SLACK_MS = 15000 };       /* name service, credentials                */


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
			reply_error(x->reply, !strcmp(cause, "timeout") ?
				    "timeout" : !strcmp(cause, "resolve") ?
				    "no-such-host" : "network",
				    "the message is not delivered: %s",
				    ev->u.message_sent.reason);
	}

	cmd_done(x);
}


static void cmd_message(struct cmd *x)
{
	struct ua_message m = {
		.target  = cmd_str(x, "target"),
		.text    = cmd_str(x, "text"),
		.account = cmd_str(x, "account"),
		.report  = cmd_has(x, "report"),
		.call    = (unsigned)cmd_int(x, "call", 0),
	};
	const char *composing = cmd_str(x, "composing");
	char err[UA_ERR] = "";
	unsigned *id;
	int e;

	if (composing)
		m.composing = !strcmp(composing, "on") ? UA_COMPOSING :
			UA_IDLE;
	else if (!m.text || !m.text[0]) {
		(void)cmd_wrong(x, "missing-argument", "what is the message?");
		return;
	}
	if (!m.text)
		m.text = "";

	id = mem_zalloc(sizeof(*id), NULL);
	if (!id) {
		cmd_fail(x, ENOMEM, NULL);
		return;
	}
	x->state = id;

	e = ua_message(id, x->ph->ua, &m, err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	reply_int(x->reply, "id", *id);
	if (composing)
		return;

	cmd_wait(x, (uint64_t)x->ph->config->sip_timeout_ms + SLACK_MS, NULL);
	cmd_wait_events(x, 1u << EVENT_MESSAGE_SENT, sent_handler);
}


static const struct command people_commands[] = {
	{
		.name = "message",
		.args = {
			{ .name = "target", .type = ARG_TARGET,
			  .summary = "whom it is for" },
			{ .name = "text", .type = ARG_REST, .optional = true,
			  .summary = "the text" },
		},
		.options = {
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "send by way of this account" },
			{ .name = "report",
			  .summary = "ask to be told when it has arrived" },
			{ .name = "composing", .type = ARG_CHOICE,
			  .choices = "on,off",
			  .summary = "only tell that you write, or have "
				     "stopped" },
			{ .name = "call", .type = ARG_CALL,
			  .summary = "send it in this call" },
		},
		.summary = "Send a text message",
		.help = "The line is done when the other side, or its server, "
			"has taken it; message.sent tells that too and, with "
			"--report, when it has arrived. Messages that come "
			"are told by message.received.",
		.run = cmd_message,
	},
};

const struct command_group group_people = {
	"people", people_commands, ARRAY_SIZE(people_commands),
};
