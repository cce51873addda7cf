/**
 * @file rig.h  User agents on loopback, their events as lines, and a peer
 *
 * Two user agents, alice and bob, each with a bus of its own; every event
 * becomes a line ("bob call.state 1 active in") that a test can wait for.
 * carol is a bare SIP stack that does with SDP what the test says.
 */
#ifndef UA_RIG_H
#define UA_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>
#include "offhook/app.h"
#include "offhook/sip_call.h"
#include "offhook/timer.h"
#include "fake/media.h"

enum { WAIT_MS = 5000, QUIET_MS = 150 };

struct phone {
	const char *name;
	struct config *conf;
	struct event_bus *bus;
	struct event_sub *sub;
	struct media *media;
	struct ua *ua;
	struct sa addr;              /* UDP                              */
	char uri[64];                /* sip:127.0.0.1:PORT               */
	char verdict[EVENT_WHY];           /* of the last call that ended      */
	char reason[256];            /* of the last call.state           */
	/** What it does when a call comes, in that moment; NULL: nothing */
	void (*incoming)(struct phone *p, struct call *c);
};

/** A bare SIP stack on loopback with at most one call */
struct peer {
	struct sip_stack *sip;
	struct sa addr;
	char uri[64];
	struct sip_call *call;
	const char *early;           /* SDP of a 183, NULL: none         */
	const char *answer;          /* SDP; NULL: it does not answer    */
	bool ring;
	int reoffer_status;          /* for a re-INVITE, 0: answer       */
	char sdp[2048];              /* last description received        */
	unsigned offers, results, established, closed;
	unsigned outcomes;           /* calls established, or refused    */
	uint16_t outcome;            /* the code of the last             */
	bool up;
};

extern struct phone alice, bob;
extern struct peer carol;

int  rig_setup(void **state);
int  rig_teardown(void **state);
#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

/** Change a phone's configuration and start it anew */
void phone_restart(struct phone *p);
void phone_set(struct phone *p, const char *name, const char *value);
void phone_account(struct phone *p, const char *text);
void phone_stop(struct phone *p);

/** Run the loop until such a line has come since the last await (or is the
 *  next to come); lines before it are passed over */
void await(const char *line);
/** Run the loop until *v >= n */
void await_count(const unsigned *v, unsigned n);
/** Nothing like it comes for a while */
void await_none(const char *line);
/** How often anything like it has come at all */
unsigned count_seen(const char *want);
/** It has come since the last await */
bool seen(const char *line);

/** Dial, and the number of the call */
unsigned dial(struct phone *p, const char *target);
struct call *call_of(struct phone *p, unsigned id);
/** alice calls bob, both are active: 1 and 1 */
void connect_both(void);
/** Both have ended, and every stream is closed */
void hangup_both(struct phone *p);
/** What call_x(..., err) says */
extern char said[UA_ERR];

/* peer.c */
void peer_start(void);
void peer_stop(void);
/** Calls p, with this offer (NULL: late) */
void peer_call(struct phone *p, const char *offer);

#endif
