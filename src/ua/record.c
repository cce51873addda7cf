/**
 * @file record.c  How a call ended: the sentence, the figures, the exit code
 *
 * The call itself is gone a turn after its end; what `wait`, $call.x and exit
 * codes need later stands here, for the last 64 calls.  Main thread.
 */
#include <math.h>
#include "priv.h"


void record_keep(struct call *c)
{
	struct ua *ua = c->ua;
	struct call_record *r = &c->rec;

	r->id = c->id;
	r->outgoing = c->outgoing;
	r->was_active = c->active_ms != 0;
	r->result = c->result;
	r->duration_ms = call_duration_ms(c);
	r->seen = c->seen | 1u << CALL_ENDED;
	utf8_copy(r->peer, sizeof(r->peer), c->peer);
	if (c->plan.codec)
		utf8_copy(r->codec, sizeof(r->codec), c->plan.codec->name);

	ua->recordv[ua->recordc++ % UA_RECORDS] = *r;
}


const struct call_record *ua_call_record(const struct ua *ua, unsigned id)
{
	if (!ua || !id)
		return NULL;

	for (unsigned i = 1; i <= UA_RECORDS && i <= ua->recordc; i++) {
		const struct call_record *r =
			&ua->recordv[(ua->recordc - i) % UA_RECORDS];

		if (r->id == id)
			return r;
	}

	return NULL;
}


enum {
	EXIT_OK = 0, EXIT_REJECTED = 3, EXIT_BUSY = 4, EXIT_NO_ANSWER = 5,
	EXIT_AUTH = 6, EXIT_NOT_FOUND = 7, EXIT_NO_MEDIA = 8, EXIT_NETWORK = 9,
};


static int exit_of_code(uint16_t code)
{
	switch (code) {

	case 486: case 600:                     return EXIT_BUSY;
	case 408: case 480: case 487:           return EXIT_NO_ANSWER;
	case 401: case 403: case 407:           return EXIT_AUTH;
	case 404: case 410: case 604:           return EXIT_NOT_FOUND;
	case 488: case 606:                     return EXIT_NO_MEDIA;
	default:                                return EXIT_REJECTED;
	}
}


int call_record_exit(const struct call_record *r)
{
	if (!r)
		return EXIT_NETWORK;

	switch (r->result.cause) {

	case SIP_CAUSE_RESOLVE:   return EXIT_NOT_FOUND;
	case SIP_CAUSE_TRANSPORT:
	case SIP_CAUSE_TIMEOUT:   return EXIT_NETWORK;
	case SIP_CAUSE_AUTH:      return EXIT_AUTH;
	case SIP_CAUSE_NO_ANSWER: return EXIT_NO_ANSWER;
	case SIP_CAUSE_MEDIA:     return EXIT_NO_MEDIA;
	case SIP_CAUSE_STATUS:    return exit_of_code(r->result.code);
	case SIP_CAUSE_PROTOCOL:  return EXIT_REJECTED;
	case SIP_CAUSE_LOCAL:     return r->result.code ?
			exit_of_code(r->result.code) : EXIT_NETWORK;

	case SIP_CAUSE_NONE:
	case SIP_CAUSE_CANCELLED:
		break;
	}

	if (!r->was_active)
		return EXIT_NO_ANSWER;

	return r->media_expected && !r->packets_received ? EXIT_NO_MEDIA
							 : EXIT_OK;
}


static void say_seconds(char *buf, size_t sz, uint64_t ms)
{
	if (ms < 1000)
		text_duration_print(buf, sz, ms);
	else
		(void)snprintf(buf, sz, "%llu s",
			       (unsigned long long)((ms + 500) / 1000));
}


/* "486 Busy Here", "Connection refused", "" */
static const char *say_result(char *buf, size_t sz,
			      const struct sip_result *res)
{
	char reason[128];

	text_escape(reason, sizeof(reason), res->reason,
		    strlen(res->reason));

	if (res->code)
		(void)snprintf(buf, sz, "%u %s", res->code,
			       reason[0] ? reason : sip_phrase(res->code));
	else
		str_ncpy(buf, reason[0] ? reason :
			 res->err ? strerror(res->err) : "no reason given",
			 sz);

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
	const struct call_record *r = &c->rec;
	char t[32], why[192];
	uint64_t ms;

	/* talked for whole seconds, as the event counts them */
	ms = call_duration_ms(c);
	say_seconds(t, sizeof(t), ms < 1000 ? ms : ms / 1000 * 1000);

	if (res->cause != SIP_CAUSE_NONE && res->cause != SIP_CAUSE_CANCELLED)
		(void)snprintf(buf, sz, "Broken off after %s: %s.", t,
			       say_result(why, sizeof(why), res));
	else if (r->media_expected && !r->packets_received)
		(void)snprintf(buf, sz, "Ended after %s, but nothing was ever"
			       " received: no media.", t);
	else
		(void)snprintf(buf, sz, "%s after %s.", res->remote ?
			       "The other side hung up" : "Hung up", t);
}


static void say_status(const struct sip_result *res, char *buf, size_t sz)
{
	const char *what;
	char why[192];

	switch (exit_of_code(res->code)) {

	case EXIT_BUSY:      what = "Busy"; break;
	case EXIT_NO_ANSWER: what = "No answer"; break;
	case EXIT_AUTH:      what = "Not allowed"; break;
	case EXIT_NOT_FOUND: what = "Not found"; break;
	case EXIT_NO_MEDIA:  what = "No common codec"; break;
	default:             what = "Refused"; break;
	}

	if (res->code == 603)
		what = "Declined";

	(void)snprintf(buf, sz, "%s (%s).", what,
		       say_result(why, sizeof(why), res));
}


void call_verdict(const struct call *c, char *buf, size_t sz)
{
	const struct sip_result *res;
	char why[192], t[32];

	if (!buf || !sz)
		return;

	buf[0] = '\0';
	if (!c)
		return;

	if (c->state != CALL_ENDED) {
		say_living(c, buf, sz);
		return;
	}

	res = &c->result;
	say_result(why, sizeof(why), res);

	if (c->active_ms) {
		say_talked(c, buf, sz);
		return;
	}

	switch (res->cause) {

	case SIP_CAUSE_RESOLVE:
		(void)snprintf(buf, sz, "The name cannot be resolved: %s.",
			       why);
		break;

	case SIP_CAUSE_TRANSPORT:
		(void)snprintf(buf, sz, "Not reachable: %s.", why);
		break;

	case SIP_CAUSE_TIMEOUT:
		say_seconds(t, sizeof(t), c->end_ms - c->begin_ms);
		(void)snprintf(buf, sz, "No response for %s.", t);
		break;

	case SIP_CAUSE_AUTH:
		(void)snprintf(buf, sz, "Authentication failed (%s): check"
			       " user and password.", why);
		break;

	case SIP_CAUSE_NO_ANSWER:
		say_seconds(t, sizeof(t), c->end_ms - c->begin_ms);
		(void)snprintf(buf, sz, "Nobody answered for %s.", t);
		break;

	case SIP_CAUSE_MEDIA:
		(void)snprintf(buf, sz, "No common media (%s).", why);
		break;

	case SIP_CAUSE_CANCELLED:
	case SIP_CAUSE_NONE:
		(void)snprintf(buf, sz, c->outgoing || !res->remote ?
			       "Cancelled." : "The caller gave up.");
		break;

	case SIP_CAUSE_PROTOCOL:
		(void)snprintf(buf, sz, "The other side broke the rules"
			       " (%s).", why);
		break;

	case SIP_CAUSE_LOCAL:
		(void)snprintf(buf, sz, "The call cannot be made: %s.", why);
		break;

	case SIP_CAUSE_STATUS:
		say_status(res, buf, sz);
		break;
	}
}
