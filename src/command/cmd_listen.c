/**
 * @file cmd_listen.c  Commands that take calls by rule
 *
 * They only fill an answer rule; app/answer.c acts on it.  Main thread.
 */
#include <stdio.h>
#include "offhook/answer_rules.h"
#include "priv.h"

enum { RING_MS = 20000 };        /* forward noanswer, when nothing is said   */


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
		reply_str(r, "transport", transport_name(tp));
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


/* Files that lines of rules name. @return 0 or errno, replied */
static int rules_check(struct cmd *x, const struct answer_rules *r)
{
	const struct answer_rule *act;
	int err = 0;

	for (size_t i = 0; !err && (act = answer_rules_act(r, i)); i++) {
		if (act->play[0])
			err = cmd_play_check(x, act->play);
		if (!err && act->record[0])
			err = cmd_record_check(x, act->record, true);
	}

	return err;
}


/* --rule, then --rules. *rp NULL: there are none. @return 0 or errno,
 * replied */
static int rules_of(struct cmd *x, struct answer_rules **rp)
{
	const char *file = cmd_str(x, "rules");
	struct answer_rules *r = NULL;
	const struct bound *v;
	char err[UA_ERR] = "";
	int e = 0;

	*rp = NULL;
	if (!file && !cmd_has(x, "rule"))
		return 0;

	e = answer_rules_alloc(&r);
	for (size_t i = 0; !e && (v = cmd_value(x, "rule", i)); i++)
		e = answer_rules_line(r, v->s, strlen(v->s), err);
	if (!e && file)
		e = answer_rules_file(r, file, err);

	if (e && err[0])
		(void)cmd_wrong(x, "bad-argument", "%s", err);
	else if (e)
		cmd_fail(x, e, NULL);
	if (!e)
		e = rules_check(x, r);

	if (e)
		mem_deref(r);
	else
		*rp = r;

	return e;
}


static void cmd_listen(struct cmd *x)
{
	struct answer_rule rule = {
		.on = true,
		.after_ms = cmd_ms(x, "after", 0),
		.early = cmd_has(x, "early"),
		.for_ms = cmd_ms(x, "for", 0),
		.until_ms = cmd_ms(x, "until", 0),
		.calls = (unsigned)cmd_int(x, "calls", 0),
	};
	const char *record = cmd_str(x, "record");
	struct answer_rules *rules;

	if (code_of(x, cmd_value(x, "answer", 0), &rule.code) ||
	    sound_of(x, &rule) ||
	    (record && cmd_record_check(x, record, true)) ||
	    rules_of(x, &rules))
		return;

	if (record)
		snprintf(rule.record, sizeof(rule.record), "%s", record);

	answer_set(x->ph->answer, &rule);
	answer_set_rules(x->ph->answer, rules);
	mem_deref(rules);
	reply_listeners(x->reply, x->ph->ua);
}


static void cmd_rules(struct cmd *x)
{
	struct answer_rules *r = answer_get_rules(x->ph->answer);
	const char *text;
	uint64_t hits;

	if (cmd_has(x, "off")) {
		answer_set_rules(x->ph->answer, NULL);
		return;
	}

	reply_list(x->reply, "rule");
	for (size_t i = 0; answer_rules_at(r, i, &text, &hits); i++) {
		reply_row(x->reply, "rule");
		reply_int(x->reply, "rule", (int64_t)i + 1);
		reply_int(x->reply, "hits", (int64_t)hits);
		reply_str(x->reply, "text", text);
	}
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


static void cmd_dnd(struct cmd *x)
{
	forward_set_dnd(x->ph->forward, !strcmp(cmd_str(x, "rule"), "on"));
}


static void forward_off(struct forward *f)
{
	char err[UA_ERR];

	for (unsigned i = 0; i < FORWARD_KINDS; i++)
		(void)forward_set(f, (enum forward_kind)i, NULL, 0, err);
}


static void cmd_forward(struct cmd *x)
{
	const enum forward_kind kind = forward_find(cmd_str(x, "when"));
	const char *target = cmd_str(x, "target");
	char err[UA_ERR] = "";
	int e;

	if (kind == FORWARD_KINDS && !target && !cmd_has(x, "after")) {
		forward_off(x->ph->forward);
		return;
	}

	if (kind == FORWARD_KINDS) {
		(void)cmd_wrong(x, "bad-argument", "off ends all forwards, "
				"and takes neither target nor --after");
		return;
	}
	if (!target) {
		(void)cmd_wrong(x, "missing-argument", "where to? Give a "
				"target, or off");
		return;
	}
	if (cmd_has(x, "after") && kind != FORWARD_NOANSWER) {
		(void)cmd_wrong(x, "bad-argument", "--after is for noanswer: "
				"the others do not ring");
		return;
	}

	if (!strcmp(target, "off"))
		target = NULL;

	e = forward_set(x->ph->forward, kind, target,
			cmd_ms(x, "after", RING_MS), err);
	if (e == EINVAL || e == EPROTONOSUPPORT)
		(void)cmd_wrong(x, "bad-target", "%s", err);
	else
		cmd_fail(x, e, err);
}


void reply_forwards(struct reply *r, const struct forward *f)
{
	reply_bool(r, "dnd", forward_dnd(f));

	reply_list(r, "forward");

	for (unsigned i = 0; i < FORWARD_KINDS; i++) {

		const enum forward_kind kind = (enum forward_kind)i;

		if (!forward_target(f, kind)[0])
			continue;

		reply_row(r, "forward");
		reply_str(r, "when", forward_name(kind));
		reply_str(r, "target", forward_target(f, kind));
		if (kind == FORWARD_NOANSWER)
			reply_int(r, "after-ms",
				  (int64_t)forward_after_ms(f));
	}
}


static const struct command rows[] = {
	{
		.name = "listen",
		.options = ARGS(
			{ .name = "answer", .type = ARG_INT, .min = 200,
			  .max = 699,
			  .summary = "200 answers (the usual), 300 to 699 "
				     "refuse" },
			{ .name = "after", .type = ARG_TIME,
			  .summary = "ring so long first" },
			{ .name = "early",
			  .summary = "let the sound begin meanwhile (183)" },
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
			{ .name = "tone", .type = ARG_DOUBLE,
			  .word = "HZ", .min = 20,
			  .max = 20000,
			  .summary = "send a tone of so many Hz" },
			{ .name = "record", .type = ARG_FILE,
			  .summary = "record into this WAV file; %n in it is "
				     "the call's number" },
			{ .name = "rule", .type = ARG_WORD, .many = true,
			  .summary = "calls that are taken otherwise: "
				     "'MATCHER... then ACTION...'" },
			{ .name = "rules", .type = ARG_FILE,
			  .summary = "a file with a rule a line" }
		),
		.summary = "Answer calls by rule, without a screen",
		.help = "Takes every call as the options say, until --calls, "
			"--until, `quit` or a signal. In a script it returns "
			"at once and stays in force after the last line. "
			"With rules the first one all of whose matchers hold "
			"decides, as in --rule 'from=*@example.com nth=3 then "
			"code=486', --rule 'to=echo then echo for=10s'; where "
			"none does, the options do. Matchers are @matchers@. "
			"Actions are @actions@. Option max-calls says how many "
			"calls there may be at once.",
		.lasting = true,
		.run = cmd_listen,
	},
	{
		.name = "rules",
		.options = ARGS(
			{ .name = "off", .type = ARG_NONE,
			  .summary = "none of them is in force any more" }
		),
		.summary = "List the rules of listen, and their hits",
		.help = "How many calls, and other requests, each rule has "
			"decided about.",
		.run = cmd_rules,
	},
	{
		.name = "auto-answer",
		.args = ARGS(
			{ .name = "rule", .type = ARG_CHOICE,
			  .choices = "on,off", .min = 200, .max = 699,
			  .summary = "on: answer every call; a number: send "
				     "that status" }
		),
		.summary = "Answer or refuse every call",
		.help = "Sets the rule of the option --auto-answer while the "
			"phone runs. `off` rings again.",
		.run = cmd_auto_answer,
	},
	{
		.name = "dnd",
		.args = ARGS(
			{ .name = "rule", .type = ARG_CHOICE,
			  .choices = "on,off",
			  .summary = "on: no call gets through" }
		),
		.summary = "Do not disturb",
		.help = "Every call that comes is refused with the status of "
			"option dnd-code, before auto-answer sees it. `status` "
			"shows it.",
		.run = cmd_dnd,
	},
	{
		.name = "forward",
		.args = ARGS(
			{ .name = "when", .type = ARG_CHOICE,
			  .choices = "always,busy,noanswer,off",
			  .summary = "busy: another call is answered; off: "
				     "end all forwards" },
			{ .name = "target", .type = ARG_TARGET,
			  .optional = true,
			  .summary = "where callers are sent, or off" }
		),
		.options = ARGS(
			{ .name = "after", .type = ARG_TIME,
			  .min = 100, .max = 3600000,
			  .summary = "noanswer: ring so long first, 20s "
				     "without it" }
		),
		.summary = "Send callers elsewhere",
		.help = "They are answered with 302, the target, and why "
			"(Diversion, RFC 5806). `always` goes before `dnd`, "
			"that before the others, all before auto-answer. "
			"`status` shows what is in force.",
		.run = cmd_forward,
	},
};

const struct command_group group_listening = {
	"listening", rows, ARRAY_SIZE(rows)
};
