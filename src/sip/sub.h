/**
 * @file sip/sub.h  Inside a subscription of ours
 */
#ifndef OFFHOOK_SIP_SUB_H
#define OFFHOOK_SIP_SUB_H

#include "event.h"

enum {
	EXPIRES_MAX_S  = 7 * 24 * 3600,
	REFER_LIFE_S   = 3600,      /* when the first NOTIFY does not say  */
	REFRESH_MIN_S  = 1,
};

struct sip_sub {
	struct le le;               /* stack->subs                         */
	struct sip_stack *stack;    /* NULL: it is gone                    */
	struct sip_ident *ident;
	struct sip_sub_h h;
	void *arg;
	char *uri, *event, *accept, *headers, *ctype, *body;
	uint32_t expires_s;         /* wanted                              */
	uint32_t granted_s;
	bool persist, refer;

	struct dialog *tmpl;        /* until the dialog is known           */
	struct usage use;           /* in the dialog                       */
	struct request *req;
	struct timer tmr;           /* NOTIFY awaited; refresh; retry      */
	struct timer tmr_turn;
	unsigned tries;             /* that failed in a row                */
	unsigned retries;           /* with other numbers, in one go       */
	uint64_t begun_ms;

	enum sip_sub_state state;
	struct sip_result res;
	char reason[32];
	uint64_t due_ms;            /* of tmr                              */
	bool told;                  /* state was told                      */
	bool notified;              /* at least once since it began        */
	bool leaving;               /* we want the end                     */
};

/* subscription.c */
int  sub_new(struct sip_sub **sp, struct sip_stack *s,
	     const struct sip_sub_h *h, void *arg);
/** src may be NULL */
int  sub_dup(char **dst, const char *src);
/** From the start, with a template dialog */
void sub_begin(struct sip_sub *sub);
/** Send our request in the dialog, or with the template */
void sub_subscribe(struct sip_sub *sub);
/** The only setter; told on a turn of its own. res NULL: nothing to say */
void sub_state_set(struct sip_sub *sub, enum sip_sub_state state,
		   const struct sip_result *res);
/** The one timer */
void sub_wait(struct sip_sub *sub, uint64_t ms, timer_h *h);
/** Before it runs out, ask again */
void sub_refresh_plan(struct sip_sub *sub);
/** It ended without our wish: again, or for good */
void sub_lost(struct sip_sub *sub, const struct sip_result *res,
	      bool may_retry, bool at_once);
void sub_finish(struct sip_sub *sub, const struct sip_result *res);

/* sub_notify.c */
int  sub_notify_h(struct sip_rx *rx, const struct sip_info *in, void *arg);
bool sub_template_request_h(const struct sip_msg *msg, void *arg);

#endif
