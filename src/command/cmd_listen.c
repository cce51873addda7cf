/**
 * @file cmd_listen.c  Commands that take calls by rule
 *
 * They only fill an answer rule; app/answer.c acts on it.  Main thread.
 */
#include <stdio.h>
#include "priv.h"


void reply_listeners(struct reply *r, const struct ua *ua)
{
	enum sip_transp tp;
	struct sa addr;

	reply_list(r, "listener");

	for (size_t i = 0; ua_listener(ua, i, &addr, &tp); i++) {

		char text[80];

		if (re_snprintf(text, sizeof(text), "%J", &addr) < 0)
			continue;
		reply_row(r, "listener");
		reply_str(r, "transport", tp == SIP_TRANSP_TCP ? "tcp" :
			  "udp");
		reply_str(r, "address", text);
	}
}


/* A status to answer with: v NULL is 200. @return 0, EINVAL */
static int code_of(struct cmd *x, const struct bound *v, uint16_t *code)
{
	char name[80];

	*code = v ? (uint16_t)v->i : 200;
	if (*code == 200 || *code >= 300)
		return 0;

	return cmd_wrong(x, "bad-argument", "%s is '%s'; 200 answers, 300 to "
			 "699 refuse", bound_name(x, v, name, sizeof(name)),
			 v->s);
}


static int sound_of(struct cmd *x, struct answer_rule *rule)
{
	const char *play = cmd_str(x, "play");
	const int n = cmd_has(x, "echo") + cmd_has(x, "tone") + !!play;

	if (n > 1)
		return cmd_wrong(x, "bad-argument", "--echo, --play and "
				 "--tone exclude each other");

	if (cmd_has(x, "echo")) {
		rule->sound = ANSWER_ECHO;
	}
	else if (cmd_has(x, "tone")) {
		rule->sound = ANSWER_TONE;
		rule->tone_hz = cmd_double(x, "tone", 0.0);
	}
	else if (play) {
		int err = cmd_play_check(x, play);

		if (err)
			return err;
		rule->sound = ANSWER_PLAY;
		snprintf(rule->play, sizeof(rule->play), "%s", play);
	}

	return 0;
}


static void cmd_listen(struct cmd *x)
{
	struct answer_rule rule = {
		.on = true,
		.after_ms = cmd_ms(x, "after", 0),
		.for_ms = cmd_ms(x, "for", 0),
		.until_ms = cmd_ms(x, "until", 0),
		.calls = (unsigned)cmd_int(x, "calls", 0),
	};
	const char *record = cmd_str(x, "record");

	if (code_of(x, cmd_value(x, "answer", 0), &rule.code) ||
	    sound_of(x, &rule) ||
	    (record && cmd_record_check(x, record, true)))
		return;

	if (record)
		snprintf(rule.record, sizeof(rule.record), "%s", record);

	answer_set(x->ph->answer, &rule);
	reply_listeners(x->reply, x->ph->ua);
}


static void cmd_auto_answer(struct cmd *x)
{
	const struct bound *v = cmd_value(x, "rule", 0);
	struct answer_rule rule = { .code = 200 };

	rule.on = strcmp(v->s, "off") != 0;

	if (v->number && code_of(x, v, &rule.code))
		return;

	answer_set(x->ph->answer, &rule);
}


static const struct command rows[] = {
	{
		.name = "listen",
		.options = {
			{ .name = "answer", .type = ARG_INT, .min = 200,
			  .max = 699,
			  .summary = "200 answers (the usual), 300 to 699 "
				     "refuse" },
			{ .name = "after", .type = ARG_TIME,
			  .summary = "ring so long first" },
			{ .name = "for", .type = ARG_TIME,
			  .min = 1, .max = 3600000000,
			  .summary = "hang up each call this long after its "
				     "answer" },
			{ .name = "calls", .type = ARG_INT, .min = 1,
			  .max = 1000000000,
			  .summary = "end after so many finished calls" },
			{ .name = "until", .type = ARG_TIME,
			  .min = 1, .max = 3600000000,
			  .summary = "end after so long" },
			{ .name = "echo", .type = ARG_NONE,
			  .summary = "send back what is heard" },
			{ .name = "play", .type = ARG_FILE,
			  .summary = "play this sound file to each caller" },
			{ .name = "tone", .type = ARG_DOUBLE, .min = 20,
			  .max = 20000,
			  .summary = "send a tone of so many Hz" },
			{ .name = "record", .type = ARG_FILE,
			  .summary = "record into this WAV file; %n in it is "
				     "the call's number" },
		},
		.summary = "Answer calls by rule, without a screen",
		.help = "Takes every call as the options say, until --calls, "
			"--until, `quit` or a signal. In a script it returns "
			"at once and stays in force after the last line.",
		.lasting = true,
		.run = cmd_listen,
	},
	{
		.name = "auto-answer",
		.args = {
			{ .name = "rule", .type = ARG_CHOICE,
			  .choices = "on,off", .min = 200, .max = 699,
			  .summary = "on: answer every call; a number: send "
				     "that status" },
		},
		.summary = "Answer or refuse every call",
		.help = "Sets the rule of the option --auto-answer while the "
			"phone runs. `off` rings again.",
		.run = cmd_auto_answer,
	},
};

const struct command_group group_listening = {
	"listening", rows, ARRAY_SIZE(rows)
};
