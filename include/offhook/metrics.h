/**
 * @file metrics.h  Figures of the phone for monitors: OpenMetrics
 *
 * Counts what the events tell, and prints it when it is asked for.  Main
 * thread.
 */
#ifndef OFFHOOK_METRICS_H
#define OFFHOOK_METRICS_H

#include "offhook/event.h"
#include "offhook/media.h"
#include "offhook/text.h"
#include "offhook/ua.h"

struct metrics;

/** Count from now on; all are borrowed, media may be NULL. Free: mem_deref */
int  metrics_alloc(struct metrics **mp, struct ua *ua,
		   const struct media *media, struct event_bus *bus);
/** All figures as OpenMetrics 1.0 text, with its end */
void metrics_print(struct text_buf *b, const struct metrics *m);

/* metrics_serve.c: where monitors find them -------------------------------- */

struct metrics_server;
/**
 * "http:PORT" or "http:ADDR:PORT" (loopback only), "unix:PATH" (HTTP too, mode
 * 0600), "file:PATH" (written anew every 15 s). err: one sentence, UA_ERR
 * bytes. @return 0, EINVAL, EADDRINUSE ... Free: mem_deref
 */
int  metrics_serve(struct metrics_server **sp, const struct metrics *m,
		   const char *where, char *err);

#endif
