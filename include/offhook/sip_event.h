/**
 * @file sip_event.h  Subscriptions, notifications, publications, REFER
 *
 * RFC 6665 both ways, RFC 3515 and 4488 on top of it, RFC 3903.  Bodies pass
 * through unread.  A subscription may share the dialog of a call and outlive
 * it (RFC 5057).  Rules of sip.h: main thread; handlers are never called from
 * inside the function whose result they report; mem_deref inside a handler is
 * safe and ends what it frees without a word on the wire.
 */
#ifndef OFFHOOK_SIP_EVENT_H
#define OFFHOOK_SIP_EVENT_H

#include "offhook/sip.h"
#include "offhook/sip_rx.h"

/* We subscribe, or we refer ------------------------------------------------ */

enum sip_sub_state {
	SIP_SUB_TRYING,          /* a request is out, or accepted and silent */
	SIP_SUB_PENDING,         /* the notifier has not decided             */
	SIP_SUB_ACTIVE,
	SIP_SUB_WAITING,         /* to be tried again in next_ms             */
	SIP_SUB_ENDED,           /* for good; nothing is called afterwards   */
};
/** "trying", "pending", ... */
const char *sip_sub_state_name(enum sip_sub_state st);

struct sip_sub;

struct sip_sub_conf {
	struct sip_ident *ident; /* who asks; kept                           */
	const char *uri;         /* whom                                     */
	const char *event;       /* package, with parameters: "presence",
				    "dialog;id=7"                            */
	const char *accept;      /* types, NULL: no Accept header            */
	const char *headers;     /* whole lines with CRLF, or NULL           */
	const char *ctype;       /* with body (a filter), or NULL            */
	const char *body;
	uint32_t expires_s;      /* 0: fetch the state once (RFC 6665 4.4.3) */
	bool persist;            /* begin anew whenever it ends without our
				    wish and trying again makes sense        */
};

/** What is known of it; by value */
struct sip_sub_status {
	enum sip_sub_state state;
	struct sip_result res;   /* why, when waiting or ended               */
	char reason[32];         /* the notifier's: "timeout", "rejected" .. */
	uint64_t next_ms;        /* waiting: until the next try;
				    active: until the refresh                */
	uint32_t expires_s;      /* granted                                  */
};

struct sip_sub_h {
	void (*state_h)(const struct sip_sub_status *st, void *arg);
	/** A NOTIFY; body is not NUL-terminated, NULL: none. @return 0: it is
	 *  accepted, or the status to refuse it with */
	int (*notify_h)(const struct sip_info *in, const char *ctype,
			const char *body, size_t len, void *arg);
};

/** @return 0, EINVAL (bad URI, event, headers), ESHUTDOWN */
int  sip_sub_alloc(struct sip_sub **sp, struct sip_stack *s,
		   const struct sip_sub_conf *conf,
		   const struct sip_sub_h *h, void *arg);
/** Ask for the state now (SUBSCRIBE with the same time again) */
int  sip_sub_refresh(struct sip_sub *sub);
/** Unsubscribe: the end is told when the last NOTIFY came, within 64*T1 */
void sip_sub_end(struct sip_sub *sub);

struct sip_refer_conf {
	struct sip_ident *ident; /* outside of a call                        */
	const char *uri;         /* outside of a call: whom                  */
	struct sip_call *call;   /* inside its dialog, or NULL               */
	const char *refer_to;    /* URI, with its headers (?Replaces=...)    */
	const char *referred_by; /* URI or NULL                              */
	const char *headers;
	bool no_sub;             /* Refer-Sub: false (RFC 4488)              */
};
/**
 * Ask somebody to call. notify_h gets message/sipfrag; the end is told with
 * cause NONE after the last of them, or at once without subscription; a
 * refusal with its status. @return 0, EINVAL, ENOTCONN (call not up)
 */
int  sip_refer(struct sip_sub **sp, struct sip_stack *s,
	       const struct sip_refer_conf *conf,
	       const struct sip_sub_h *h, void *arg);

/** What a Refer-To names */
struct sip_refer_to {
	char uri[512];           /* whom to call, without headers            */
	char method[32];         /* "INVITE" when it does not say            */
	char replaces[600];      /* of the new INVITE, unescaped; "" none    */
};
/** @return 0, EBADMSG, EOVERFLOW */
int  sip_refer_to_parse(struct sip_refer_to *to, const char *value);

/* They subscribe, or they refer -------------------------------------------- */

struct sip_notifier;

struct sip_notifier_h {
	/** They refresh or fetch: notify them of the whole state again */
	void (*refresh_h)(void *arg);
	/** It is over: expired, unsubscribed, unreachable; or it was ended */
	void (*closed_h)(const struct sip_result *res, void *arg);
};

struct sip_notifier_conf {
	struct sip_ident *ident; /* as whom we answer, or NULL               */
	uint16_t code;           /* 200; 202 for a transfer                  */
	uint32_t expires_s;      /* when they do not say; 0: 3600            */
	uint32_t min_s, max_s;   /* shorter is 423, longer is cut; 0: 60 and
				    3600                                     */
};

/**
 * Take a SUBSCRIBE or REFER that came as rx, in a dialog or outside, and
 * answer it. Send the first NOTIFY at once. @return 0; or EBADMSG, ERANGE:
 * it was refused here (400, 423), ENOMEM
 */
int  sip_notifier_accept(struct sip_notifier **np, struct sip_rx *rx,
			 const struct sip_notifier_conf *conf,
			 const struct sip_notifier_h *h, void *arg);
/**
 * Tell the state; a newer one replaces one that could not be sent yet.
 * pending: Subscription-State says so. @return 0, EINVAL, ENOTCONN
 */
int  sip_notifier_send(struct sip_notifier *n, bool pending,
		       const char *ctype, const char *body);
/** The last NOTIFY: terminated with this reason ("noresource", "rejected",
 *  "timeout" ...), body may be NULL; closed_h follows */
void sip_notifier_end(struct sip_notifier *n, const char *reason,
		      const char *ctype, const char *body);
/** Whom it tells, for a list */
const char *sip_notifier_peer(const struct sip_notifier *n);

/* We publish (RFC 3903) ---------------------------------------------------- */

struct sip_pub;

struct sip_pub_conf {
	struct sip_ident *ident;
	const char *uri;         /* NULL: the ident's own                    */
	const char *event;       /* "presence"                               */
	uint32_t expires_s;      /* 0: 3600                                  */
};
/** Each attempt; next_ms: until the refresh or the next try, 0: none */
typedef void (sip_pub_h)(const struct sip_result *res, uint64_t next_ms,
			 void *arg);
/** Nothing is sent before sip_pub_set. @return 0, EINVAL */
int  sip_pub_alloc(struct sip_pub **pp, struct sip_stack *s,
		   const struct sip_pub_conf *conf, sip_pub_h *h, void *arg);
/** Publish this, now and again before it runs out. @return 0, EINVAL */
int  sip_pub_set(struct sip_pub *p, const char *ctype, const char *body);
/** Take it back (Expires: 0); the handler tells when that is done */
void sip_pub_end(struct sip_pub *p);

#endif
