/**
 * @file cmd_call.c  Commands that take, change and end calls
 *
 * Each handler is a thin sentence to ua.h: it finds the call, passes typed
 * values on and replies.  What comes of it is told by events.  Main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "priv.h"


/* Which call it is, for programs; people read it in the event */
static void reply_about(struct cmd *x, unsigned id)
{
	reply_int(x->reply, "call", id);
	reply_silent(x->reply);
}


/* Take, refuse, end ------------------------------------------------------ */

struct call *cmd_any_ringing(struct cmd *x)
{
	struct call *c = ua_call(x->ph->ua, client_selected(x->cl));

	if (c && call_state(c) == CALL_INCOMING)
		return c;

	c = NULL;
	while ((c = ua_call_next(x->ph->ua, c))) {
		if (call_state(c) == CALL_INCOMING)
			return c;
	}

	return NULL;
}


/* The call named, else the selected one if it rings, else one that does */
static struct call *ringing_call(struct cmd *x)
{
	struct call *c;

	if (cmd_has(x, "call")) {
		c = cmd_call(x);
		if (c && call_state(c) != CALL_INCOMING) {
			reply_error(x->reply, "wrong-state", "call %u is %s, "
				    "not incoming", call_id(c),
				    call_state_name(call_state(c)));
			return NULL;
		}
		return c;
	}

	c = cmd_any_ringing(x);
	if (!c)
		reply_error(x->reply, "no-call",
			    "there is no incoming call");

	return c;
}


static void cmd_answer(struct cmd *x)
{
	struct call *c = ringing_call(x);
	char err[UA_ERR] = "", *sdp = NULL;
	int e;

	if (!c || cmd_sdp_next(x, c, &sdp))
		return;

	client_select(x->cl, call_id(c));
	reply_about(x, call_id(c));
	e = cmd_has(x, "early") ? call_early(c, err) : call_answer(c, err);
	cmd_fail(x, e, err);
	if (!e)
		cmd_sdp_lint(x, sdp);
	free(sdp);
}


static void cmd_reject(struct cmd *x)
{
	struct text_buf headers = { .max = CMD_HEADERS_MAX };
	struct call *c = ringing_call(x);
	char err[UA_ERR] = "";

	if (!c || cmd_headers(x, &headers))
		goto out;

	reply_about(x, call_id(c));
	cmd_fail(x, call_refuse(c, (uint16_t)cmd_int(x, "code", 603),
				cmd_str(x, "reason"), headers.s, err), err);

 out:
	text_buf_reset(&headers);
}


static void cmd_hangup(struct cmd *x)
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (!c)
		return;

	reply_about(x, call_id(c));
	cmd_fail(x, call_hangup(c, (uint16_t)cmd_int(x, "code", 0),
				cmd_str(x, "reason"), err), err);
}


/* In a call -------------------------------------------------------------- */

typedef int (call_act_h)(struct call *c, char *err);

static void act(struct cmd *x, call_act_h *h)
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (c)
		cmd_fail(x, h(c, err), err);
}


static int mute_on(struct call *c, char *err)
{
	return call_mute(c, true, err);
}


static int mute_off(struct call *c, char *err)
{
	return call_mute(c, false, err);
}


static void cmd_mute(struct cmd *x)
{
	act(x, mute_on);
}


static void cmd_unmute(struct cmd *x)
{
	act(x, mute_off);
}


/* Lists ------------------------------------------------------------------ */

static void cmd_calls(struct cmd *x)
{
	struct call *c = NULL;
	bool any = false;

	reply_list(x->reply, "call");

	while ((c = topic_next_call(x->ph->ua, c))) {
		any = true;
		reply_row(x->reply, "call");
		reply_call(x->reply, c);
		reply_bool(x->reply, "selected",
			   call_id(c) == client_selected(x->cl));
	}

	if (!any)
		reply_text(x->reply, "no calls");
}


static void cmd_select(struct cmd *x)
{
	struct call *c = cmd_call(x);

	if (!c)
		return;

	client_select(x->cl, call_id(c));
	reply_int(x->reply, "call", call_id(c));
}


static const struct command rows[] = {
	{
		.name = "answer", .alias = "a",
		.args = ARGS(THE_CALL),
		.options = ARGS(
			{ .name = "early",
			  .summary = "let sound through, but do not answer "
				     "yet" },
			THE_DESCRIPTION
		),
		.summary = "Answer a call",
		.help = "Answers the selected call if it rings, else the one "
			"that does, and selects it. With --early the caller "
			"hears you before the call is answered (183), and you "
			"hear him if his phone plays along.",
		.run = cmd_answer,
	},
	{
		.name = "hangup", .alias = "h",
		.args = ARGS(THE_CALL),
		.options = ARGS(
			{ .name = "code", .type = ARG_INT, .min = 300,
			  .max = 699,
			  .summary = "status for a call not yet answered" },
			{ .name = "reason", .type = ARG_WORD,
			  .summary = "Reason header for the other side" }
		),
		.summary = "End a call",
		.help = "Whatever its state: one that rings here is refused "
			"(486, or the code given), one that rings there is "
			"cancelled.",
		.run = cmd_hangup,
	},
	{
		.name = "reject",
		.args = ARGS(THE_CALL),
		.options = ARGS(
			{ .name = "code", .type = ARG_INT, .min = 300,
			  .max = 699,
			  .summary = "status to refuse with, 603 without "
				     "it" },
			{ .name = "reason", .type = ARG_WORD,
			  .summary = "what to say instead of the phrase of "
				     "the status" },
			{ .name = "header", .type = ARG_WORD, .many = true,
			  .summary = "another header for the answer, 'Name: "
				     "value'" }
		),
		.summary = "Refuse a call",
		.help = "Refuses the selected call if it rings, else the one "
			"that does.",
		.run = cmd_reject,
	},
	{
		.name = "hold",
		.args = ARGS(THE_CALL),
		.summary = "Put a call on hold",
		.help = "Until `resume` you hear nothing, and the other side "
			"hears silence, or what `play` plays. The line is "
			"done when the other side has agreed; when it "
			"refuses the line fails and the call goes on as "
			"before.",
		.run = cmd_hold,
	},
	{
		.name = "resume",
		.args = ARGS(THE_CALL),
		.summary = "Take a call from hold",
		.help = "Other calls are put on hold first when option "
			"hold-others is on. The line is done when the other "
			"side has agreed, and fails when it refuses.",
		.run = cmd_resume,
	},
	{
		.name = "swap",
		.summary = "Talk in the call that is held, hold the other",
		.help = "Puts the call you talk in on hold and takes the one "
			"that is held. The line is done when both other sides "
			"have agreed. When the first refuses nothing has "
			"changed; when the second does, both are held.",
		.run = cmd_swap,
	},
	{
		.name = "conference",
		.args = ARGS(
			{ .name = "call", .type = ARG_CALL, .optional = true,
			  .many = true,
			  .summary = "calls by their numbers; none: list" }
		),
		.options = ARGS(
			{ .name = "gain", .type = ARG_DOUBLE,
			  .word = "DB", .min = -60,
			  .max = 30,
			  .summary = "how much louder, in dB, the others hear "
				     "them" },
			{ .name = "mute",
			  .summary = "the others do not hear them" },
			{ .name = "unmute",
			  .summary = "the others hear them again" },
			{ .name = "leave",
			  .summary = "take them out: a call of its own again" }
		),
		.summary = "Put calls together: each hears all others",
		.help = "`conference 1 2 3` lets the other sides of these "
			"calls and us hear each other; `conference 4` takes "
			"one more in. Calls on hold are taken back first: the "
			"line is done when their other sides have agreed. "
			"With an option the calls named stay where they are "
			"and are changed. Codecs and rates may differ. "
			"call.conference tells who came and went; with the "
			"last but one call the conference ends.",
		.run = cmd_conference,
	},
	{
		.name = "transfer",
		.args = ARGS(
			{ .name = "target", .type = ARG_TARGET,
			  .optional = true,
			  .summary = "whom the other side shall call" }
		),
		.options = ARGS(
			{ .name = "to", .type = ARG_CALL,
			  .summary = "hand over to the other side of this "
				     "call, which you have asked before" },
			{ .name = "accept",
			  .summary = "do as the other side asks "
				     "(transfers=ask)" },
			{ .name = "refuse",
			  .summary = "do not" },
			THE_CALL
		),
		.summary = "Hand a call over to somebody else",
		.help = "The other side is asked to call the target; "
			"call.transfer tells how that goes. The line is done "
			"when it is known: when they talk your call is hung "
			"up, when it failed it goes on and the line fails.",
		.run = cmd_transfer,
	},
	{
		.name = "redirect",
		.args = ARGS(
			{ .name = "target", .type = ARG_TARGET,
			  .optional = true,
			  .summary = "where to send the caller" }
		),
		.options = ARGS(
			{ .name = "follow",
			  .summary = "go where our call is sent "
				     "(redirects=ask)" },
			{ .name = "refuse",
			  .summary = "do not: the call ends" },
			THE_CALL
		),
		.summary = "Send a call elsewhere, or decide where ours goes",
		.help = "The selected call if it rings, else the one that "
			"does, is answered with 302 and the target. When a "
			"call of ours is sent elsewhere, call.redirect tells "
			"where; with option redirects=ask it waits for "
			"--follow or --refuse.",
		.run = cmd_redirect,
	},
	{
		.name = "update",
		.args = ARGS(THE_CALL),
		.options = ARGS(
			{ .name = "bare",
			  .summary = "without describing the sound: it only "
				     "asks whether the call is there" },
			THE_SOUND, THE_DESCRIPTION
		),
		.summary = "Agree on the sound anew, by UPDATE",
		.help = "Offers the session as it stands once more, also "
			"before the call is answered, if the other side takes "
			"UPDATE. The line is done when it has agreed and "
			"fails when it refuses; call.update tells it too.",
		.run = cmd_update,
	},
	{
		.name = "reinvite",
		.args = ARGS(THE_CALL),
		.options = ARGS(
			{ .name = "late-offer",
			  .summary = "let the other side describe the sound "
				     "first" },
			THE_SOUND, THE_DESCRIPTION
		),
		.summary = "Agree on the sound anew, by INVITE",
		.help = "Offers the session as it stands once more. The line "
			"is done when the other side has agreed and fails "
			"when it refuses; call.update tells it too. With "
			"--codecs and --direction it is offered so from now "
			"on; refused, all stays as it was.",
		.run = cmd_reinvite,
	},
	{
		.name = "mute",
		.args = ARGS(THE_CALL),
		.summary = "Send silence",
		.help = "The other side hears nothing until `unmute`; what "
			"it says is still heard. Who talks meanwhile is told "
			"so by call.unheard, unless mute-warning is no.",
		.run = cmd_mute,
	},
	{
		.name = "unmute",
		.args = ARGS(THE_CALL),
		.summary = "Send sound again",
		.help = "Ends `mute`.",
		.run = cmd_unmute,
	},
	{
		.name = "dtmf",
		.args = ARGS(
			{ .name = "digits", .type = ARG_DIGITS,
			  .summary = "0-9 * # A-D; '!' is the hook (flash); "
				     "',' waits a second, 'w' half of one" },
			THE_CALL
		),
		.options = ARGS(
			{ .name = "via", .type = ARG_CHOICE,
			  .choices = "rtp,info,inband",
			  .summary = "how: RTP events, INFO requests (option "
				     "dtmf-info), or tones in the sound" },
			{ .name = "for", .type = ARG_TIME,
			  .min = 40, .max = 10000,
			  .summary = "how long each sounds" }
		),
		.summary = "Send telephone keys",
		.help = "By RTP events (RFC 4733), one after the other; "
			"options dtmf-duration and dtmf-pause say how long, "
			"--for how long these sound: some menus want a long #. "
			"The line is done when they are out, so what follows "
			"in a script follows the digits; `dtmf.done` tells "
			"it too, and how many were lost when the call ended "
			"before.",
		.run = cmd_dtmf,
	},
	{
		.name = "pickup",
		.args = ARGS(
			{ .name = "target", .type = ARG_TARGET,
			  .summary = "the phone or extension that rings" }
		),
		.options = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "by way of this account" },
			{ .name = "parked",
			  .summary = "take one that is answered, and was "
				     "parked there" },
			{ .name = "join",
			  .summary = "come into one that is answered, beside "
				     "those who talk" }
		),
		.summary = "Take a call that rings at another phone",
		.help = "The phone is asked which calls it has (event package "
			"dialog) unless it is watched, and the one that rings "
			"is taken from its caller (Replaces). Who parks a call "
			"hands it to a phone or a server with `transfer`; with "
			"--parked it is taken from there. With --join the "
			"phone is asked to let us in (Join; its option joins "
			"says whether it does). The line is done when that is "
			"under way; call.state tells how it goes.",
		.run = cmd_pickup,
	},
	{
		.name = "voicemail",
		.options = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "that of this account" }
		),
		.summary = "Call the mailbox",
		.help = "Of the account with new messages, else of the first "
			"whose mailbox is known: by voicemail= of the "
			"account, or from the server with mwi=yes. Event mwi "
			"and `accounts` tell what waits.",
		.run = cmd_voicemail,
	},
	{
		.name = "calls",
		.summary = "List calls",
		.help = "Those that live, with state, peer and codec.",
		.run = cmd_calls,
	},
	{
		.name = "select",
		.args = ARGS(
			{ .name = "call", .type = ARG_CALL,
			  .summary = "its number, Call-ID or other side" }
		),
		.summary = "Choose the call that commands mean",
		.help = "A command without a call's number means the selected "
			"call. Dialling and answering select.",
		.run = cmd_select,
	},
	{
		.name = "options",
		.args = ARGS(
			{ .name = "target", .type = ARG_TARGET,
			  .summary = "whom to ask: a URI or user@host" }
		),
		.options = ARGS(
			{ .name = "timeout", .type = ARG_TIME,
			  .min = 100, .max = 32000,
			  .summary = "wait so long for the answer" }
		),
		.summary = "Ask what a peer can do, without calling",
		.help = "Sends OPTIONS and tells the answer, its time and "
			"what it says. Fails when it is no 2xx, with the exit "
			"code a call would have.",
		.run = cmd_options,
	},
	{
		.name = "info",
		.args = ARGS(THE_CALL),
		.options = ARGS(
			{ .name = "type", .type = ARG_WORD,
			  .summary = "what the body is" },
			{ .name = "body", .type = ARG_WORD,
			  .summary = "the body" },
			{ .name = "header", .type = ARG_WORD, .many = true,
			  .summary = "another header, 'Name: value'" }
		),
		.summary = "Send an INFO request in a call",
		.help = "The line is done when it was answered; the answer "
			"is shown, and fails the line when it is no 2xx. "
			"What comes is told by call.info.",
		.run = cmd_info,
	},
	{
		.name = "request",
		.args = ARGS(
			{ .name = "method", .type = ARG_WORD,
			  .summary = "in capitals: NOTIFY, PUBLISH, any" },
			{ .name = "target", .type = ARG_TARGET,
			  .optional = true, .summary = "whom to ask" }
		),
		.options = ARGS(
			{ .name = "call", .type = ARG_CALL,
			  .summary = "in this call instead" },
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "by way of this account" },
			{ .name = "type", .type = ARG_WORD,
			  .summary = "what the body is" },
			{ .name = "body", .type = ARG_WORD,
			  .summary = "the body" },
			{ .name = "header", .type = ARG_WORD, .many = true,
			  .summary = "another header, 'Name: value'" },
			{ .name = "anonymous",
			  .summary = "do not tell the other side who you are" },
			{ .name = "about", .type = ARG_CALL,
			  .summary = "it is about this call, though outside "
				     "of it (Target-Dialog)" }
		),
		.summary = "Send any request by hand",
		.help = "Outside of calls or in one, with what headers and "
			"body you like. The line is done when it was "
			"answered; the answer is shown, and fails the line "
			"when it is no 2xx. INVITE, ACK, CANCEL and BYE have "
			"commands of their own.",
		.run = cmd_request,
	},
};

const struct command_group group_calls = {
	"calls", rows, ARRAY_SIZE(rows)
};
