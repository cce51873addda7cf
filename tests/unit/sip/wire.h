/**
 * @file wire.h  Bytes in, bytes out: raw sockets beside a stack
 *
 * What goes out is what the test wrote, right or wrong; what comes in is kept
 * as text.  A stack of its own for each test, on loopback and a free port.
 */
#ifndef SIP_WIRE_H
#define SIP_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "priv.h"
#include "../../fake/sip_peer.h"
#include "able.h"

enum {
	WAIT_MS  = 3000,             /* for what must come              */
	QUIET_MS = 150,              /* for what must not               */
};

extern struct sip_stack *stack;
extern struct sip_stack_h stack_h;   /* set before wire_setup, or NULLs */
extern struct sa udp_addr, tcp_addr; /* where it listens                */

int  wire_setup(void **state);
int  wire_teardown(void **state);
#define WIRE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, wire_setup, wire_teardown)

struct wire;

/** A UDP socket, or a TCP connection to the stack */
int  wire_alloc(struct wire **wp, bool tcp);
/** A TCP listener; everything that comes on its connections is one text */
int  wire_listen(struct wire **wp);
const struct sa *wire_addr(const struct wire *w);
void wire_send(struct wire *w, const struct sa *dst, const char *text,
	       size_t len);
/** Wait until text has come, in all that was received. @return all of it,
 *  NULL when it did not come */
const char *wire_wait(struct wire *w, const char *text);
/** All that has come until now */
const char *wire_text(const struct wire *w);
void wire_forget(struct wire *w);
/** TCP: the stack has closed it */
bool wire_closed(struct wire *w);

/** As printf, "%s" of a request: with Via to w and the usual lines. Lines
 *  given in more stand first; what they name is left out of the usual */
const char *request_text(const struct wire *w, const char *start,
			 const char *more, const char *body);
/** Send it over UDP. @return status of the answer, 0 none came */
unsigned request_status(struct wire *w, const char *start, const char *more,
			const char *body);

#endif
