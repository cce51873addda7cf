/**
 * @file ua/watch.h  Inside what we watch
 */
#ifndef OFFHOOK_UA_WATCH_H
#define OFFHOOK_UA_WATCH_H

#include "offhook/sip_event.h"
#include "body.h"
#include "priv.h"
#include "reach.h"

enum { WATCH_TYPE = 128 };

struct watch {
	struct le le;                /* ua->watches                          */
	struct ua *ua;
	unsigned id;
	char event[64];              /* with its parameters                  */
	char accept[WATCH_TYPE];
	char *target;                /* URI                                  */
	uint32_t expires_s;
	struct reach *reach;
	struct sip_sub *sub;
	struct sip_sub_status st;
	struct dialog_info *dialogs; /* what is known, NULL: none            */
	struct conf_info *room;      /* the same                             */
	uint64_t asked_ms;           /* for the whole state, 0: never        */
	struct timer tmr;
	bool ended;
};

/** What a NOTIFY says, as events. @return 0, or the status to refuse it */
int  watch_body(struct watch *w, const char *ctype, const char *body,
		size_t len);

/** The dialogs that a phone has, as it told us last; NULL: it is not watched */
const struct dialog_info *watch_dialogs(const struct ua *ua, const char *uri);

#endif
