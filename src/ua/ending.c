/**
 * @file ending.c  What the end of a call was: its status, its cause, a sentence
 *
 * The SIP session says what it saw; what only we know (our wish, our answer
 * that nobody confirmed, a peer that fell silent) is put to it here, once, so
 * that events, records, exit codes and the sentence agree.  Pure; main
 * thread.
 */
#include <stdio.h>
#include "priv.h"


enum { WHY_MAX = sizeof(((struct sip_result *)0)->reason) + 16 };


void call_blame(struct call *c, enum sip_cause cause, uint16_t code,
		const char *reason)
{
	memset(&c->why, 0, sizeof(c->why));
	c->why.cause = cause;
	c->why.code = code;
	UTF8_PUT(c->why.reason, reason);
}


/* The status for an end that brought none; 0: nobody has said anything */
static uint16_t usual_code(const struct call *c, enum sip_cause cause)
{
	switch (cause) {

	case SIP_CAUSE_NONE:      return 200;
	case SIP_CAUSE_CANCELLED: return 487;
	case SIP_CAUSE_NO_ANSWER: return c->outgoing ? 487 : 480;
	case SIP_CAUSE_MEDIA:     return 488;
	case SIP_CAUSE_TIMEOUT:   return c->active_ms ? 408 : 0;
	case SIP_CAUSE_TRANSPORT: return c->active_ms ? 503 : 0;
	case SIP_CAUSE_LOCAL:
		return c->active_ms || !c->outgoing ? 500 : 0;

	case SIP_CAUSE_RESOLVE:
	case SIP_CAUSE_AUTH:
	case SIP_CAUSE_STATUS:
	case SIP_CAUSE_PROTOCOL:
		break;
	}

	return 0;
}


/* What the session saw and did not put into words. code: as it is told */
static const char *usual_reason(const struct call *c,
				const struct sip_result *res, uint16_t code)
{
	switch (res->cause) {

	case SIP_CAUSE_MEDIA:
		return res->remote ? sip_phrase(code) :
			c->outgoing ? "the answer describes no sound" :
			"our offer was never answered";

	case SIP_CAUSE_TIMEOUT:
		return c->active_ms && !c->outgoing && !c->acked ?
			"our answer was never confirmed (no ACK)" :
			code ? sip_phrase(code) : "no response";

	case SIP_CAUSE_PROTOCOL:
		return "its answer cannot be used";

	default:
		return res->err ? strerror(res->err) :
			code ? sip_phrase(code) :
			sip_cause_name(res->cause);
	}
}


void ending_complete(const struct call *c, struct sip_result *res)
{
	uint16_t code;

	/* a description that was of no use, and the call went on: forgotten */
	if (c->why.cause != SIP_CAUSE_NONE &&
	    (c->ending || res->cause == SIP_CAUSE_MEDIA)) {
		res->cause = c->why.cause;
		res->code = c->why.code;
		res->remote = false;
		memcpy(res->reason, c->why.reason, sizeof(res->reason));
	}

	/* what was said was yes, and yet there is nothing to hear */
	if (res->cause == SIP_CAUSE_MEDIA && res->code < 300)
		res->code = 0;

	code = res->code ? res->code : usual_code(c, res->cause);
	if (!res->reason[0])
		UTF8_PUT(res->reason, usual_reason(c, res, code));
	res->code = code;
}


/* Sentences --------------------------------------------------------------- */

static void say_seconds(char *buf, size_t sz, uint64_t ms)
{
	if (ms < 1000)
		text_duration_print(buf, sz, ms);
	else
		(void)snprintf(buf, sz, "%llu s",
			       (unsigned long long)((ms + 500) / 1000));
}


/* "486", or "486 On the other line" when its phrase is not the usual one */
static const char *say_code(char *buf, size_t sz,
			    const struct sip_result *res)
{
	char reason[WHY_MAX - 16];

	text_escape(reason, sizeof(reason), res->reason,
		    strlen(res->reason));

	if (!reason[0] || !str_casecmp(reason, sip_phrase(res->code)))
		(void)snprintf(buf, sz, "%u", res->code);
	else
		(void)snprintf(buf, sz, "%u %s", res->code, reason);

	return buf;
}


static const char *say_reason(char *buf, size_t sz,
			      const struct sip_result *res)
{
	text_escape(buf, sz, res->reason, strlen(res->reason));

	return buf;
}


static void say_living(const struct call *c, char *buf, size_t sz)
{
	char t[32];

	switch (c->state) {

	case CALL_ACTIVE:
		say_seconds(t, sizeof(t), call_duration_ms(c));
		(void)snprintf(buf, sz, c->hold ? "On hold, %s." :
			       c->held_remote ? "Held by the other side, %s." :
			       "Talking for %s.", t);
		break;

	case CALL_RINGING:
		(void)snprintf(buf, sz, "It rings.");
		break;

	case CALL_EARLY:
		(void)snprintf(buf, sz, "Not answered yet, there is sound.");
		break;

	case CALL_INCOMING:
		(void)snprintf(buf, sz, "Waits for an answer.");
		break;

	default:
		(void)snprintf(buf, sz, "Calling.");
		break;
	}
}


static void say_talked(const struct call *c, char *buf, size_t sz)
{
	const struct sip_result *res = &c->result;
	char t[32], why[WHY_MAX];
	uint64_t ms;

	/* talked for whole seconds, as the event counts them */
	ms = call_duration_ms(c);
	say_seconds(t, sizeof(t), ms < 1000 ? ms : ms / 1000 * 1000);

	if (res->cause != SIP_CAUSE_NONE && res->cause != SIP_CAUSE_CANCELLED)
		(void)snprintf(buf, sz, "Broken off after %s: %s.", t,
			       say_reason(why, sizeof(why), res));
	else if (c->media_expected && !c->last.packets_received)
		(void)snprintf(buf, sz, "Ended after %s, but nothing was ever"
			       " received: no media.", t);
	else
		(void)snprintf(buf, sz, "%s after %s.", res->remote ?
			       "The other side hung up" : "Hung up", t);
}


/* Whose password, and what may be wrong with it */
static void say_auth(const struct call *c, char *buf, size_t sz)
{
	const struct sip_result *res = &c->result;
	const char *name = c->acc ? c->acc->conf.name : "";
	const bool creds = account_secret(c->acc);
	char why[WHY_MAX], code[32] = "";

	if (res->code)
		(void)snprintf(code, sizeof(code), " (%u)", res->code);

	if (res->code == 403)
		(void)snprintf(buf, sz, creds ? "Not allowed (%s): user or"
			       " password of account %s may be wrong." :
			       "Not allowed (%s).",
			       say_code(why, sizeof(why), res), name);
	else if (res->err == EACCES && !c->acc)
		(void)snprintf(buf, sz, "A user and a password are asked"
			       " for%s: call with an account.", code);
	else if (res->err == EACCES)
		(void)snprintf(buf, sz, creds ? "A password is asked for%s,"
			       " and that of account %s is for another"
			       " server." : "A password is asked for%s, and"
			       " account %s has none.", code, name);
	else if (res->err == EAUTH)
		(void)snprintf(buf, sz, "User or password of account %s are"
			       " wrong%s.", name, code);
	else
		(void)snprintf(buf, sz, "Authentication failed%s: %s.", code,
			       say_reason(why, sizeof(why), res));
}


static void say_status(const struct call *c, char *buf, size_t sz)
{
	static const struct {
		uint16_t code;
		const char *text;
	} v[] = {
		{ 404, "Not found" },       { 408, "No answer" },
		{ 410, "Not found any more" },
		{ 480, "Not available" },   { 486, "Busy" },
		{ 487, "Cancelled" },       { 488, "No common codec" },
		{ 600, "Busy everywhere" }, { 603, "Declined" },
		{ 604, "Not found anywhere" },
		{ 606, "No common codec" },
	};
	const struct sip_result *res = &c->result;
	const char *what = c->outgoing && res->code >= 300 &&
		res->code < 400 ? "Sent elsewhere" : "Refused";
	char why[WHY_MAX];

	/* what we have said ourselves is no news in words */
	for (size_t i = 0; i < COUNT_OF(v) && c->outgoing; i++) {
		if (v[i].code == res->code)
			what = v[i].text;
	}

	(void)snprintf(buf, sz, c->outgoing ? "%s (%s)." : "%s with %s.",
		       what, say_code(why, sizeof(why), res));
}


void call_verdict(const struct call *c, char *buf, size_t sz)
{
	const struct sip_result *res;
	char why[WHY_MAX], t[32];

	if (!buf || !sz)
		return;

	buf[0] = '\0';
	if (!c)
		return;

	if (call_state(c) != CALL_ENDED) {
		say_living(c, buf, sz);
		return;
	}

	if (c->active_ms) {
		say_talked(c, buf, sz);
		return;
	}

	res = &c->result;
	say_reason(why, sizeof(why), res);

	switch (res->cause) {

	case SIP_CAUSE_RESOLVE:
		(void)snprintf(buf, sz, "No address found: %s.", why);
		break;

	case SIP_CAUSE_TRANSPORT:
		(void)snprintf(buf, sz, "Not reachable: %s.", why);
		break;

	case SIP_CAUSE_TIMEOUT:
		say_seconds(t, sizeof(t), c->end_ms - c->begin_ms);
		(void)snprintf(buf, sz, "No response for %s.", t);
		break;

	case SIP_CAUSE_AUTH:
		say_auth(c, buf, sz);
		break;

	case SIP_CAUSE_NO_ANSWER:
		say_seconds(t, sizeof(t), c->end_ms - c->begin_ms);
		(void)snprintf(buf, sz, "Nobody answered for %s.", t);
		break;

	case SIP_CAUSE_MEDIA:
		if (res->remote)
			say_status(c, buf, sz);
		else
			(void)snprintf(buf, sz, "No common media: %s.", why);
		break;

	case SIP_CAUSE_CANCELLED:
	case SIP_CAUSE_NONE:
		(void)snprintf(buf, sz, c->outgoing || !res->remote ?
			       "Cancelled." : session_elsewhere(c) ?
			       "Answered elsewhere." : "The caller gave up.");
		break;

	case SIP_CAUSE_PROTOCOL:
		(void)snprintf(buf, sz, "The other side broke the rules: %s.",
			       why);
		break;

	case SIP_CAUSE_LOCAL:
		(void)snprintf(buf, sz, "The call cannot be %s: %s.",
			       c->outgoing ? "made" : "answered", why);
		break;

	case SIP_CAUSE_STATUS:
		say_status(c, buf, sz);
		break;
	}
}
