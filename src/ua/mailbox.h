/**
 * @file ua/mailbox.h  Voice mail of an account (RFC 3842)
 */
#ifndef OFFHOOK_UA_MAILBOX_H
#define OFFHOOK_UA_MAILBOX_H

#include "priv.h"
#include "offhook/sip_rx.h"
#include "body.h"

/** Who wants to know and can ask subscribes; after anything has changed */
void mailbox_settle(struct ua *ua);
/** It leaves: its subscription ends */
void mailbox_leave(struct account *a);
/** A summary came, by subscription or not: kept and told */
void mailbox_told(struct ua *ua, struct account *a, const char *who,
		  const struct mwi_summary *m);
/** One that nobody subscribed to. @return 0 or the status to answer with */
int  mailbox_notify(struct ua *ua, const struct account *a,
		    struct sip_rx *rx, const struct sip_info *in);

#endif
