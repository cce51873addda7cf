/**
 * @file ua/transfer.h  Inside transfers
 */
#ifndef OFFHOOK_UA_TRANSFER_H
#define OFFHOOK_UA_TRANSFER_H

#include "priv.h"
#include "offhook/sip_event.h"
#include "body.h"
#include "requests.h"

struct transfer {
	struct le le;                /* ua->transfers                        */
	struct ua *ua;
	unsigned call;               /* that it began in, 0: none            */
	unsigned fresh;              /* transferee: the new call             */
	char *target;                /* URI                                  */
	char *from;                  /* transferee: who asks                 */
	char *headers;               /* transferee: of the new INVITE        */
	struct sip_sub *sub;         /* transferor                           */
	struct sip_notifier *notifier;  /* transferee                        */
	struct event_sub *event_sub;
	struct timer tmr;            /* the user decides; it goes            */
	bool asked;
	bool closed;                 /* nobody hears reports any more        */
	bool decided;                /* the outcome was told                 */
	bool over;
};

#endif
