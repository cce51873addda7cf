/**
 * @file ua/requests.h  What serves a request that is no call
 */
#ifndef OFFHOOK_UA_REQUESTS_H
#define OFFHOOK_UA_REQUESTS_H

#include "priv.h"
#include "offhook/sip_rx.h"

/** c: the call whose dialog it came in, NULL: in none. @return 0: it is or
 *  will be answered, or the status to refuse it with */
typedef int (request_service_h)(struct ua *ua, struct call *c,
				struct sip_rx *rx, const struct sip_info *in);

/** The two ways in: request_h of a call and of the stack */
int requests_call(struct sip_rx *rx, const struct sip_info *in, void *arg);
int requests_lone(struct sip_rx *rx, const struct sip_info *in, void *arg);
/** Tell the stack what we serve */
int requests_init(struct ua *ua);

/* info.c */
request_service_h info_request;

/* control.c */
request_service_h control_notify;
/** Tell whether talk and hold are understood; after accounts have changed */
void control_settle(struct ua *ua);

/* message.c */
request_service_h message_request;
void message_flush(struct ua *ua);

/* watch.c */
void watch_flush(struct ua *ua);
/** The network has changed: notifiers are told where we are */
void watch_moved(struct ua *ua);
/** The phone ends */
void watch_close(struct ua *ua);

/* presence.c */
request_service_h presence_subscribe;
void presence_flush(struct ua *ua);
/** The phone ends: what was published is taken back */
void presence_close(struct ua *ua);

/* transfer.c */
request_service_h transfer_request;
void transfer_flush(struct ua *ua);
/** The new call takes the place of an old one (RFC 3891) */
void transfer_take_over(struct call *fresh, struct call *old);

#endif
