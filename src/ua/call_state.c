/**
 * @file call_state.c  The states of a call and the one way between them
 *
 * idle -> calling -> ringing <-> early -> active, each step may be skipped;
 * idle -> incoming -> early -> active; any state may end.  Hold is a pair of
 * separate fields.  Whoever moves a call comes through call_state_set, which
 * writes the line in the log and publishes.  Main thread.
 */
#include "priv.h"


#define TO(st) (1u << (st))

static const struct {
	const char *name;
	unsigned next;
} states[CALL_STATES] = {
	[CALL_IDLE]     = { "idle",
		TO(CALL_CALLING) | TO(CALL_INCOMING) | TO(CALL_ENDED) },
	[CALL_CALLING]  = { "calling",
		TO(CALL_RINGING) | TO(CALL_EARLY) | TO(CALL_ACTIVE) |
		TO(CALL_ENDED) },
	[CALL_RINGING]  = { "ringing",
		TO(CALL_EARLY) | TO(CALL_ACTIVE) | TO(CALL_ENDED) },
	[CALL_EARLY]    = { "early",
		TO(CALL_RINGING) | TO(CALL_ACTIVE) | TO(CALL_ENDED) },
	[CALL_INCOMING] = { "incoming",
		TO(CALL_EARLY) | TO(CALL_ACTIVE) | TO(CALL_ENDED) },
	[CALL_ACTIVE]   = { "active", TO(CALL_ENDED) },
	[CALL_ENDED]    = { "ended", 0 },
};


const char *call_state_name(enum call_state st)
{
	return (unsigned)st < CALL_STATES ? states[st].name : "?";
}


enum call_state call_state_find(const char *name)
{
	for (unsigned i = 0; name && i < CALL_STATES; i++) {
		if (0 == strcmp(states[i].name, name))
			return (enum call_state)i;
	}

	return CALL_STATES;
}


bool call_state_allowed(enum call_state from, enum call_state to)
{
	return (unsigned)from < CALL_STATES && (unsigned)to < CALL_STATES &&
		(states[from].next & TO(to));
}


bool call_state_set(struct call *c, enum call_state to)
{
	const enum call_state from = c->state;

	if (from == to || !call_state_allowed(from, to)) {
		if (from != to)
			log_debug("call %u: %s -> %s is not allowed", c->id,
				  call_state_name(from), call_state_name(to));
		return false;
	}

	c->state = to;
	c->seen |= TO(to);

	if (c->result.code)
		log_info("call %u: %s -> %s (%u)", c->id,
			 call_state_name(from), call_state_name(to),
			 c->result.code);
	else
		log_info("call %u: %s -> %s", c->id, call_state_name(from),
			 call_state_name(to));

	call_event_state(c);

	return true;
}


void call_state_again(struct call *c)
{
	log_info("call %u: %s -> calling, once more", c->id,
		 call_state_name(c->state));
	c->state = CALL_CALLING;
	call_event_state(c);
}
