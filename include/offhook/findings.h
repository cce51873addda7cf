/**
 * @file findings.h  Why a call failed, or was poor: in plain words
 *
 * A const table of what is known to go wrong with calls; each row looks at
 * the record of a call and at the messages that are kept of it.  Main thread.
 */
#ifndef OFFHOOK_FINDINGS_H
#define OFFHOOK_FINDINGS_H

#include "offhook/capture.h"

/** What was found in one call; the pointers are to const data */
struct finding {
	const char *name;        /* "one-way-audio": stable                  */
	const char *stage;       /* where it went wrong                      */
	const char *usually;     /* what that usually means                  */
	const char *advice;      /* what to try                              */
	char seen[400];          /* what was seen                            */
};

enum { FINDINGS_MAX = 6 };

/**
 * The most telling first. c may be NULL: then the record alone is looked at.
 * Pure. @return how many, 0: nothing is wrong, or nothing is known of it
 */
size_t findings_of(struct finding *v, size_t max, const struct call_record *r,
		   const struct capture *c);
/** Is it a call that should be explained: it failed, or was poor? */
bool findings_wanted(const struct call_record *r);
/** It ended as calls do, but after the time that is given to an ACK: is it the
 *  first finding that it was cut, it is to be told */
bool findings_doubted(const struct call_record *r);
#define FINDING_CUT "cut-after-32s"
/** One paragraph; "" without findings */
void findings_print(char *buf, size_t sz, const struct finding *v, size_t n);

/** The table, for help and tests; NULL ends it */
const struct finding_row {
	const char *name;
	const char *stage, *usually, *advice;
} *findings_row(size_t i);

/* Told by the event call.finding ------------------------------------------ */

struct findings;
/** After each call that failed or was poor. All are borrowed, c may be NULL.
 *  Free: mem_deref */
int  findings_start(struct findings **fp, struct ua *ua, struct event_bus *bus,
		    const struct capture *c);

#endif
