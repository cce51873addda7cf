/**
 * @file zone.h  A stack without sockets and a name service made of text
 *
 * Time stands still until it is moved; nothing leaves the process.  The stack
 * listens, in name only, on 127.0.0.1 and ::1.  A zone is an array of records
 * as text; what is not in it does not exist.
 */
#ifndef SIP_ZONE_H
#define SIP_ZONE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "locate.h"

enum { RESOLVE_MS = 3000 };

struct zone {
	const char *name;
	enum name_type type;
	/** "10 60 5060 host" (SRV; host "-": none), "10 50 s SIP+D2U - name"
	 *  (NAPTR: order, preference, flags, service, regexp, replacement), an
	 *  address; "SILENT", "FAILED", "EMPTY" instead of one */
	const char *data;
	uint32_t ttl_s;              /* 0: 60                            */
};

extern struct sip_stack zone_stack;
extern struct leg zone_leg4, zone_leg6;
extern const struct zone *zone;      /* ends with a NULL name            */
extern uint32_t zone_rand;           /* what comes next, if not by chance */
extern bool zone_chance;
extern unsigned zone_asked;          /* questions so far                 */
extern char zone_log[2000];          /* "SRV _sip._udp.example\n" ...    */

int  zone_setup(void **state);
int  zone_teardown(void **state);
#define ZONE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, zone_setup, zone_teardown)

/** Was this asked for, so often? "SRV _sip._udp.example" */
unsigned zone_count(const char *line);

#endif
