/**
 * @file results.c  What each command replies, and how it may fail
 *
 * One row a command, in the order of names: the fields of its reply, lists
 * with those of their rows in brackets, and the tokens of its errors beside
 * those that any line may end with.  The manual and --dump commands read it;
 * tests hold every reply against it.  Const data.
 */
#include <stdio.h>
#include "priv.h"

/* What any line may fail with */
static const char any_line[] =
	"bad-argument bad-line bad-request failed line-too-long "
	"missing-argument no-memory too-many-arguments unknown-command "
	"unknown-option unset-variable";

/* Errors that go together */
enum {
	E_CALL   = 1 << 0,       /* it is about a call                       */
	E_FILE   = 1 << 1,       /* it reads or writes one                   */
	E_TARGET = 1 << 2,       /* it is about somebody                     */
	E_ASK    = 1 << 3,       /* the other side must answer               */
};

static const struct { unsigned bit; const char *tokens; } groups[] = {
	{ E_CALL, "no-call no-such-call wrong-state already not-supported "
	  "call-ended" },
	{ E_FILE, "no-such-file no-access bad-file too-large no-space busy "
	  "too-many-files not-supported" },
	{ E_TARGET, "bad-target no-such-account no-such-contact "
	  "not-supported wrong-state" },
	{ E_ASK, "refused timeout network no-such-host busy" },
};

#define F_CALL	"call state direction peer name account codec security "	\
	"suite fingerprint fingerprint-own media held held-remote "	\
	"muted selected duration-ms recording playing conference mos "	\
	"loss-pct code reason asserted asserted-name "			\
	"privacy diverted-by diverted-reason attest attest-orig "	\
	" attest-dest attest-iat peer-now name-now"
#define F_ACCOUNT "account name aor state default server transport "	\
	"contact expires-ms next-ms outbound code cause text "		\
	"voicemail voicemail-waiting voicemail-new voicemail-old"
#define F_FORM "setups[below-ms count] endings[cause code count] took-ms "

static const struct result_row rows[] = {
	{ "account", "account name", E_TARGET | E_FILE,
	  "already bad-account no-such-account timeout", false },
	{ "accounts", "accounts[" F_ACCOUNT "] flows[flow state server "
	  "transport next-ms code cause contact expires-ms outbound] "
	  "bindings[uri expires-ms instance flow ours]", E_TARGET | E_ASK,
	  "", true },
	{ "answer", "call findings[line text]", E_CALL | E_FILE, "", false },
	{ "assert", "*", 0, "assert-failed", false },
	{ "attach", "", 0, "no-phone no-screen not-supported", false },
	{ "auth", "", 0, "no-access", false },
	{ "auto-answer", "", 0, "", false },
	{ "calls", "calls[" F_CALL "] conferences[conference members]", 0, "",
	  false },
	{ "conference", "conference members[conference call peer gain place "
	  "muted held]",
	  E_CALL | E_ASK, "", false },
	{ "config", "directory file options[name value origin changed] "
	  "changes[what name change old new]", E_FILE,
	  "bad-config timeout", false },
	{ "contact", "imported exported", E_FILE,
	  "no-such-contact bad-config already", false },
	{ "contacts", "contacts[name uri account speed presence lamp ring "
	  "note watch lamp-watch status activity says calls peer]", E_FILE,
	  "no-such-contact bad-config", false },
	{ "ctl", "*", E_FILE, "no-phone", false },
	{ "detach", "", 0, "already no-screen not-supported", false },
	{ "device", "mic speaker ring monitor", 0,
	  "no-such-device not-supported bad-audio", false },
	{ "devices", "devices[driver name kind rate-hz channels latency-ms "
	  "default used-for in-use] mic speaker rate-hz latency-ms noise-dbfs "
	  "tone-dbfs loop-db loop-ms clipped mic-alive", 0,
	  "timeout not-supported no-device busy", false },
	{ "dial", "call findings[line text] calls answered failed most-at-once calls-per-s "
	  "setup-min-ms setup-mean-ms setup-p50-ms setup-p95-ms setup-max-ms "
	  "mos-min mos-mean loss-pct " F_FORM, E_TARGET | E_FILE,
	  "calls-failed too-many-calls", true },
	{ "dnd", "", 0, "", false },
	{ "doctor", "checks[area verdict text advice]", E_TARGET,
	  "doctor-failed", false },
	{ "dtmf", "sent code reason", E_CALL | E_ASK, "", false },
	{ "echo", "", E_CALL, "", false },
	{ "events", "first complete", 0, "not-supported", false },
	{ "expect", "digits heard level-dbfs from text", E_CALL,
	  "expect-failed", false },
	{ "explain", "call summary findings[name stage seen usually advice]",
	  E_CALL, "", false },
	{ "fault", "ways[way packets lost reordered duplicated corrupted]", 0,
	  "", false },
	{ "forward", "", E_TARGET, "", false },
	{ "gain", "gain", E_CALL, "", false },
	{ "hangup", "call", E_CALL, "", false },
	{ "help", "", 0, "", false },
	{ "history", "calls[time call direction outcome new peer name account "
	  "code cause duration-ms pdd-ms setup-ms codec mos how] missed "
	  "exported", E_FILE,
	  "no-call", false },
	{ "hold", "", E_CALL | E_ASK, "", false },
	{ "ice", "call ice role pairs[state chosen nominated local-type local "
	  "remote-type remote checks rtt-ms]", E_CALL, "", false },
	{ "identities", "accounts registered failed accounts-per-s "
	  "register-min-ms register-mean-ms register-p50-ms register-p95-ms "
	  "register-max-ms " F_FORM, E_FILE | E_TARGET, "accounts-failed",
	  false },
	{ "if", "so", 0, "no-space", false },
	{ "info", "code reason type body sent", E_CALL | E_ASK | E_FILE, "",
	  false },
	{ "ladder", "messages[number time call note direction transport local "
	  "remote method code reason retransmission description] messages "
	  "file", E_CALL | E_FILE, "", false },
	{ "listen", "listeners[transport address]", E_FILE, "", false },
	{ "log", "levels where missing modules[name level about]", E_FILE, "",
	  false },
	{ "message", "id", E_TARGET | E_CALL | E_ASK | E_FILE, "no-space",
	  false },
	{ "messages", "messages[time direction new peer name state text] "
	  "unread exported", E_FILE, "", false },
	{ "metrics", "", 0, "wrong-state", false },
	{ "mute", "", E_CALL, "", false },
	{ "options", "code reason time-ms user-agent allow accept supported",
	  E_TARGET | E_ASK, "", true },
	{ "outbox", "letters[letter to text written tries]", E_FILE, "",
	  false },
	{ "output", "", 0, "not-supported", false },
	{ "pan", "place", E_CALL, "", false },
	{ "pcap", "file messages packets lost bytes files broken-off", E_FILE,
	  "already wrong-state", false },
	{ "pickup", "call", E_TARGET | E_ASK | E_CALL, "too-many-calls",
	  false },
	{ "play", "", E_CALL | E_FILE, "", false },
	{ "print", "", 0, "", false },
	{ "publish", "", E_TARGET | E_ASK, "", false },
	{ "quit", "", 0, "", false },
	{ "record", "", E_CALL | E_FILE, "", false },
	{ "redial", "call", E_TARGET, "no-call too-many-calls", true },
	{ "redirect", "", E_CALL | E_TARGET, "", false },
	{ "register", "", E_TARGET | E_ASK, "", true },
	{ "reinvite", "findings[line text]", E_CALL | E_FILE | E_ASK, "",
	  false },
	{ "reject", "call", E_CALL, "", false },
	{ "repeat", "", 0, "no-space", false },
	{ "replay", "", E_FILE, "", false },
	{ "report", "file", E_CALL | E_FILE, "", false },
	{ "request", "code reason type body", E_TARGET | E_CALL | E_ASK, "",
	  true },
	{ "resolve", "target uri transport targets[transport address port local "
	  "dead dead-ms] steps[step type name text known ttl-ms] uris[uri]",
	  E_TARGET | E_ASK, "", true },
	{ "resume", "", E_CALL | E_ASK, "", false },
	{ "rules", "rules[rule hits text]", 0, "", false },
	{ "run", "exit-code", 0, "timeout too-many-files "
	  "no-access", false },
	{ "screen", "", 0, "no-screen wrong-state", false },
	{ "sdp", "call offer-by answered lines[in media text]", E_CALL, "",
	  false },
	{ "select", "call", E_CALL, "", false },
	{ "selftest", "notes[text] calls[sip codec pass text setup-ms delay-ms "
	  "level-db gaps gap-ms moved-ms similarity mos digits hold]", E_FILE,
	  "selftest-failed timeout port-taken network wrong-state", false },
	{ "set", "", 0, "", false },
	{ "show", "options[name value]", 0, "", false },
	{ "silence", "", E_CALL, "", false },
	{ "sip-fault", "rule rules[rule fault way kind method code header seen "
	  "done]", 0, "no-such-rule no-space", false },
	{ "sleep", "", 0, "", false },
	{ "source", "", E_FILE, "", false },
	{ "stats", F_CALL " remote rate r-factor jitter-ms delay-ms "
	  "delay-target-ms delay-min-ms delay-max-ms dscp rtt-ms packets-sent "
	  "packets-received packets-lost packets-late packets-duplicate packets-reordered "
	  "packets-discarded packets-recovered packets-asked packets-resent "
	  "bytes-sent bytes-received "
	  "concealed-ms stretched-ms compressed-ms skipped-ms resyncs "
	  "remote-loss-pct remote-jitter-ms burst-pct burst-ms gap-pct gap-ms "
	  "burst-ratio remote-r-factor remote-mos remote-discard-pct "
	  "remote-end-delay-ms level-in-dbfs level-out-dbfs forged replayed "
	  "dtmf-sent dtmf-received network-ms packet-ms mic-ms speaker-ms "
	  "mouth-to-ear-ms noise-dbfs noise-less-db erle-db auto-gain-db", E_CALL, "", false },
	{ "status", "version audio dnd auto-answer finished-calls selected "
	  "ring-tone media-cycles media-missed media-worst-ms "
	  "calls[" F_CALL "] accounts[" F_ACCOUNT "] listeners[transport "
	  "address] forwards[when target after-ms]", 0, "", false },
	{ "stop", "", E_CALL, "", false },
	{ "subscribe", "subscription", E_TARGET | E_ASK, "", false },
	{ "subscriptions", "subscriptions[subscription event target state "
	  "next-ms]", 0, "", false },
	{ "swap", "", E_CALL | E_ASK, "", false },
	{ "tone", "", E_CALL, "", false },
	{ "trace", "", E_FILE, "", false },
	{ "transfer", "call", E_CALL | E_TARGET | E_ASK, "", false },
	{ "unmute", "", E_CALL, "", false },
	{ "unregister", "", E_TARGET | E_ASK, "", false },
	{ "unsubscribe", "", E_TARGET | E_ASK, "no-such-subscription", false },
	{ "update", "findings[line text]", E_CALL | E_FILE | E_ASK, "",
	  false },
	{ "view", "", 0, "no-screen no-such-file", false },
	{ "voicemail", "call", E_TARGET, "no-call too-many-calls", true },
	{ "wait", "*", E_CALL | E_ASK, "no-such-account", false },
};


const struct result_row *result_at(size_t i)
{
	return i < ARRAY_SIZE(rows) ? &rows[i] : NULL;
}


const struct result_row *result_find(const char *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].command, command))
			return &rows[i];
	}

	return NULL;
}


void result_errors(struct text_buf *b, const struct result_row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (row->groups & groups[i].bit)
			text_add(b, "%s%s", b->len ? " " : "",
				 groups[i].tokens);
	}
	if (row->errors[0])
		text_add(b, "%s%s", b->len ? " " : "", row->errors);
}


const char *result_any_line(void)
{
	return any_line;
}


static bool has_word(const char *list, const char *word, size_t n)
{
	const char *p = list;

	while (p && (p = strstr(p, word))) {
		if ((p == list || p[-1] == ' ' || p[-1] == '[') &&
		    (!p[n] || strchr(" []", p[n])))
			return true;
		++p;
	}

	return false;
}


/* The fields of a list in text, or those outside of lists; buf: a copy */
static bool field_ok(const char *fields, const char *kind, const char *name)
{
	char list[80], part[1024];
	const char *at, *end;

	if (!strcmp(fields, "*"))
		return true;

	snprintf(list, sizeof(list), "%ss[", kind);
	at = *kind ? strstr(fields, list) : NULL;
	if (*kind && !at)
		return false;

	if (*kind) {
		at += strlen(list);
		end = strchr(at, ']');
		snprintf(part, sizeof(part), "%.*s", (int)(end - at), at);

		return has_word(part, name, strlen(name));
	}

	/* what stands outside of brackets */
	for (at = fields; *at; at = *end ? end + 1 : end) {

		const size_t n = strcspn(at, "[");
		size_t keep = n;

		while (at[n] && keep && at[keep - 1] != ' ')
			--keep;
		snprintf(part, sizeof(part), "%.*s", (int)keep, at);
		if (has_word(part, name, strlen(name)))
			return true;
		end = at + n + strcspn(at + n, "]");
	}

	return false;
}


bool result_fits(const struct reply *r, const char *command, char *why,
		 size_t sz)
{
	const struct result_row *row = result_find(command);
	struct text_buf b = { .max = 4096 };
	const struct le *le, *ve;
	bool ok = true;

	why[0] = '\0';
	if (!row) {
		snprintf(why, sz, "%s has no row", command);
		return false;
	}

	text_add(&b, "%s", any_line);
	result_errors(&b, row);
	if (!reply_ok(r) && !has_word(b.s, r->token, strlen(r->token))) {
		snprintf(why, sz, "%s fails with %s, which is not told",
			 command, r->token);
		ok = false;
	}
	text_buf_reset(&b);

	LIST_FOREACH(&r->records, le) {
		const struct reply_record *rec = le->data;

		LIST_FOREACH(&rec->values, ve) {
			const struct reply_value *v = ve->data;

			if (field_ok(row->fields, rec->kind, v->name))
				continue;
			snprintf(why, sz, "%s replies %s%s%s, which is not "
				 "told", command, rec->kind, *rec->kind ?
				 "." : "", v->name);
			ok = false;
		}
	}

	return ok;
}
