/**
 * @file record.c  Calls that have ended, and the exit codes they stand for
 *
 * The call itself is gone a turn after its end; what `wait`, $call.x and exit
 * codes need later stands here, for the last 64 calls.  Main thread.
 */
#include <math.h>
#include "priv.h"


static void take(struct call_record *r, struct call *c)
{
	memset(r, 0, sizeof(*r));

	r->id = c->id;
	r->state = call_state(c);
	r->outgoing = c->outgoing;
	r->was_active = c->active_ms != 0;
	r->result = c->result;
	r->duration_ms = call_duration_ms(c);
	r->seen = c->seen;
	UTF8_PUT(r->peer, c->peer);
	if (c->plan.codec)
		UTF8_PUT(r->codec, c->plan.codec->name);
	UTF8_PUT(r->security, call_security(c));
	UTF8_PUT(r->suite, call_suite(c));
	r->dir = c->plan.dir;

	r->mos = r->r_factor = r->loss_pct = NAN;
	r->media_expected = c->media_expected;
	r->limited = c->limited;
	r->stats_known = !call_stats(c, &r->stats);
	if (r->stats_known)
		r->loss_pct = stats_loss_pct(&r->stats);
	if (r->stats.packets_received) {
		r->r_factor = stats_r(&r->stats, c->plan.codec,
				      stats_unheard_pct(&r->stats));
		r->mos = media_mos_of(r->r_factor);
	}

	call_verdict(c, r->text, sizeof(r->text));
}


void record_keep(struct call *c)
{
	struct ua *ua = c->ua;
	struct call_record *r = &ua->recordv[ua->recordc++ % UA_RECORDS];

	take(r, c);
	r->seen |= 1u << CALL_ENDED;
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


/* Answered, and nothing of what was to come ever came */
static bool is_silent(const struct call_record *r)
{
	return r->was_active && r->media_expected &&
		!r->stats.packets_received;
}


const char *call_record_cause(const struct call_record *r)
{
	if (!r)
		return "";

	/* a normal end of a call in which there was nothing to hear */
	if (is_silent(r) && (r->result.cause == SIP_CAUSE_NONE ||
				 r->result.cause == SIP_CAUSE_CANCELLED))
		return "no-media";
	if (r->limited && r->result.cause == SIP_CAUSE_NONE)
		return "limit";

	return sip_cause_name(r->result.cause);
}


bool ua_call_snapshot(struct call_record *r, const struct ua *ua,
		      unsigned id)
{
	const struct call_record *kept;
	struct call *c = ua_call(ua, id);

	if (c) {
		take(r, c);
		return true;
	}

	kept = ua_call_record(ua, id);
	if (kept)
		*r = *kept;

	return kept != NULL;
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
	case SIP_CAUSE_LOCAL:     return EXIT_NETWORK;

	case SIP_CAUSE_NONE:
	case SIP_CAUSE_CANCELLED:
		break;
	}

	if (!r->was_active)
		return EXIT_NO_ANSWER;

	return is_silent(r) ? EXIT_NO_MEDIA : EXIT_OK;
}
