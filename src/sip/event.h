/**
 * @file sip/event.h  Inside subscriptions, notifications and publications
 */
#ifndef OFFHOOK_SIP_PRIV_EVENT_H
#define OFFHOOK_SIP_PRIV_EVENT_H

#include <ctype.h>
#include "ident.h"
#include "session.h"
#include "offhook/sip_event.h"

enum {
	EVENT_PACKAGE_MAX = 64,
	EVENT_ID_MAX      = 64,
	EVENT_RETRIES_MAX = 3,       /* 423 and the like, in one go          */
};

/** An Event header; slices */
struct event_type {
	struct pl package;
	struct pl id;                /* unset: none                          */
};
/** @return false: absent, or no such thing */
bool event_parse(struct event_type *ev, const struct sip_msg *msg);
bool event_parse_text(struct event_type *ev, const struct pl *text);

void sub_stack_gone(struct sip_stack *s);
void notifier_stack_gone(struct sip_stack *s);
void pub_stack_gone(struct sip_stack *s);

/* usage.c ----------------------------------------------------------------- */

/** As sip_rx_h, of the requests that belong to the usage */
typedef int (usage_h)(struct sip_rx *rx, const struct sip_info *in, void *arg);

struct usage {
	struct le le;                /* dialog->usages                       */
	struct dialog *dlg;          /* NULL: not begun, or ended            */
	const char *method;          /* that comes in: "NOTIFY", "SUBSCRIBE" */
	char package[EVENT_PACKAGE_MAX], id[EVENT_ID_MAX];
	usage_h *h;
	void *arg;
};
/** @return 0, EINVAL, EOVERFLOW */
int  usage_begin(struct usage *u, struct dialog *d, const char *method,
		 const struct event_type *ev, usage_h *h, void *arg);
void usage_end(struct usage *u);

/** Seconds until the next try: doubled with each, with chance, at most
 *  30 min (RFC 5626 4.5 has the shape); told: Retry-After, 0 none */
uint32_t event_backoff_s(unsigned tries, uint32_t told);

#endif
