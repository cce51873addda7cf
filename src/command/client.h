/**
 * @file command/client.h  Inside a client: queue.c runs its lines, topic.c
 * keeps what they talk about
 */
#ifndef OFFHOOK_COMMAND_CLIENT_H
#define OFFHOOK_COMMAND_CLIENT_H

#include "priv.h"

struct client {
	struct phone *ph;
	struct client_h h;
	void *arg;
	struct list lines;
	size_t count;
	struct cmd *cur;         /* runs or waits                            */
	unsigned depth;          /* of its line                              */
	uint32_t holds;          /* references of our own                    */
	struct timer turn;
	bool running, failed, json;

	struct event_sub *subs[EVENT_TYPES];
	event_set types;         /* event_h's                                */
	unsigned events_call;    /* only of this call, 0: of all             */
	struct event *last[EVENT_TYPES];   /* about the call, lazily made    */
	struct event *fresh;     /* made the line before done                */

	unsigned about, first;
	bool over;
	char digits[DIGITS_MAX + 1];
	uint64_t message;        /* seq of the last that was expected        */
};

/* topic.c */

/** A new call is what a client without a living one talks about */
void topic_follow(struct client *cl, const struct event *ev);
/** Remember it, for `$call.code` and `expect dtmf` */
void topic_keep(struct client *cl, const struct event *ev);

#endif
