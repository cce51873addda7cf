/**
 * @file cmd_dial.c  The command that makes calls: one, or many
 *
 * What is asked for beside the target goes to ua_dial(), or to the call it
 * made; a load of calls is cmd_load.c's.  Main thread.
 */
#include "priv.h"


/* What was asked for beside the call; @return 0, else it is hung up */
static int dial_extras(struct cmd *x, struct call *c)
{
	const char *play = cmd_str(x, "play"), *record = cmd_str(x, "record");
	char err[UA_ERR] = "";
	int e = 0;

	if (!c)
		return 0;

	if (cmd_has(x, "for"))
		call_limit(c, cmd_ms(x, "for", 0));

	if (play)
		e = call_play(c, play, false, err);
	if (!e && record)
		e = call_record(c, record, err);

	if (e) {
		cmd_fail(x, e, err);
		(void)call_hangup(c, 0, NULL, err);
	}

	return e;
}


static void cmd_dial(struct cmd *x)
{
	struct text_buf headers = { .max = CMD_HEADERS_MAX };
	struct ua_dial prm = {
		.target = cmd_str(x, "target"),
		.account = cmd_str(x, "account"),
		.ring_ms = (uint32_t)cmd_ms(x, "timeout", 0),
		.late_offer = cmd_has(x, "late-offer"),
		.reliable = cmd_str(x, "reliable"),
		.session_timer = cmd_str(x, "session-timer"),
		.redirects = cmd_str(x, "redirects"),
		.words = true,
		.redial = (unsigned)cmd_int(x, "redial", 0),
		.redial_ms = (uint32_t)cmd_ms(x, "redial-after", 0),
		.redial_on = cmd_str(x, "redial-on"),
		.anonymous = cmd_has(x, "anonymous"),
		.codecs = cmd_str(x, "codecs"),
		.direction = cmd_str(x, "direction"),
		.intercom = cmd_has(x, "intercom"),
		.pai = cmd_str(x, "pai"),
	};
	const char *play = cmd_str(x, "play"), *record = cmd_str(x, "record");
	char err[UA_ERR] = "", *sdp = NULL;
	unsigned id = 0;
	int e;

	if (cmd_sdp_read(x, &sdp) || (play && cmd_play_check(x, play)) ||
	    (record && cmd_record_check(x, record, false)) ||
	    cmd_headers(x, &headers))
		goto out;

	prm.headers = headers.s;
	prm.sdp = sdp;

	if (cmd_has(x, "calls")) {
		cmd_load(x, &prm);
		goto out;
	}
	if (cmd_has(x, "identities")) {
		(void)cmd_wrong(x, "missing-argument", "--identities needs "
				"--calls: how many?");
		goto out;
	}

	e = ua_dial(&id, x->ph->ua, &prm, err);
	if (e == EINVAL || e == EPROTONOSUPPORT || e == ENOENT)
		(void)cmd_wrong(x, e == ENOENT ? "no-such-account" :
				"bad-target", "%s", err);
	else
		cmd_fail(x, e, err);
	if (e)
		goto out;

	client_dialled(x->cl, id);
	/* for programs; people read it in the event */
	reply_int(x->reply, "call", id);
	reply_silent(x->reply);
	cmd_sdp_lint(x, sdp);
	(void)dial_extras(x, ua_call(x->ph->ua, id));

 out:
	free(sdp);
	text_buf_reset(&headers);
}


static const struct command rows[] = {
	{
		.name = "dial", .alias = "d",
		.args = ARGS(
			{ .name = "target", .type = ARG_TARGET,
			  .summary = "whom: a URI, user@host, a contact, a "
				     "number, or a host" }
		),
		.options = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "call as this account" },
			{ .name = "play", .type = ARG_FILE,
			  .summary = "play this sound file once media "
				     "flows" },
			{ .name = "record", .type = ARG_FILE,
			  .summary = "record the call into this WAV file" },
			{ .name = "for", .type = ARG_TIME,
			  .summary = "hang up this long after the answer" },
			{ .name = "timeout", .type = ARG_TIME,
			  .min = 1000, .max = 3600000,
			  .summary = "give up when it rings longer" },
			{ .name = "header", .type = ARG_WORD, .many = true,
			  .summary = "another header for the INVITE, 'Name: "
				     "value'" },
			{ .name = "late-offer",
			  .summary = "let the other side describe the sound "
				     "first" },
			THE_DESCRIPTION,
			{ .name = "reliable", .type = ARG_CHOICE,
			  .choices = "off,supported,required",
			  .summary = "as option reliable, for this call" },
			{ .name = "session-timer", .type = ARG_CHOICE,
			  .choices = "off,supported,required",
			  .summary = "as option session-timer, for this "
				     "call" },
			{ .name = "redirects", .type = ARG_CHOICE,
			  .choices = "follow,ask,deny",
			  .summary = "as option redirects, for this call" },
			THE_SOUND,
			{ .name = "redial", .type = ARG_INT, .min = 0,
			  .max = 100,
			  .summary = "call so often again when it fails" },
			{ .name = "redial-after", .type = ARG_TIME,
			  .min = 100, .max = 3600000,
			  .summary = "wait so long before, 5s without it" },
			{ .name = "redial-on", .type = ARG_WORD,
			  .summary = "only for these reasons: busy, "
				     "no-answer, network, a status as 480, "
				     "5xx; without it the first three; free: "
				     "busy, then as soon as the other phone "
				     "tells that it is free" },
			{ .name = "anonymous",
			  .summary = "do not tell the other side who you "
				     "are" },
			{ .name = "pai", .type = ARG_WORD,
			  .summary = "call as this address, where the server "
				     "takes our word (P-Asserted-Identity)" },
			{ .name = "intercom",
			  .summary = "ask the other phone to answer by "
				     "itself" },
			{ .name = "calls", .type = ARG_INT, .min = 1,
			  .max = 1000000,
			  .summary = "make so many calls, and tell what "
				     "became of them" },
			{ .name = "rate", .type = ARG_DOUBLE, .min = 0,
			  .max = 1000,
			  .summary = "... so many a second, 10 without" },
			{ .name = "concurrent", .type = ARG_INT, .min = 1,
			  .max = 10000,
			  .summary = "... at most so many at once, 100 "
				     "without" },
			{ .name = "identities", .type = ARG_FILE,
			  .summary = "... each as another of this table "
				     "(see identities)" }
		),
		.summary = "Call a person",
		.help = "Starts a call and returns at once with its number; "
			"in a script `wait call active` waits for the answer. "
			"As a command of the shell it runs to the end of the "
			"call and exits with its cause: 0 answered and ended "
			"normally, 3 rejected, 4 busy, 5 no answer, 6 "
			"authentication failed, 7 not found, 8 no media, 9 "
			"network failure. With --calls the line ends when all "
			"calls have, with their set-up times, endings and "
			"quality; each is hung up --for after its answer, 2 s "
			"without. With --identities each call comes from "
			"the next line of a CSV file, and {number} or another "
			"column in TARGET is filled in from it. In --header {user}, {target}, "
			"{time} and the other words of account parameter "
			"`header` are filled in.",
		.lasting = true,
		.run = cmd_dial,
	},
};

const struct command_group group_dialling = {
	"calls", rows, ARRAY_SIZE(rows)
};
