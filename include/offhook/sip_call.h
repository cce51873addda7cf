/**
 * @file sip_call.h  INVITE sessions
 *
 * One struct sip_call from its first INVITE to its last transaction, as
 * caller or as callee.  Rules of sip.h: main thread; handlers are never
 * called from inside; mem_deref inside a handler is safe.
 */
#ifndef OFFHOOK_SIP_CALL_H
#define OFFHOOK_SIP_CALL_H

#include "offhook/sip.h"

/**
 * SDP never stays inside: each of these is called when the offer/answer
 * model (RFC 3264, 6337) needs one or has one.
 */
struct sip_call_h {
	/** Make an offer (late offer, or the session as it stands).
	 *  @return 0 or errno */
	int (*offer_h)(struct mbuf **sdp, void *arg);
	/** The peer offers in mid-call: answer it. @return 0, or the status
	 *  to refuse with (488, 400); what was before stays in force */
	int (*answer_h)(struct mbuf **answer, struct mbuf *offer, void *arg);
	/** The peer answered our offer. early: in a 1xx, a preview that
	 *  another branch may overrule. @return 0, or a status: the answer
	 *  is unusable (the call is then ended; a preview is forgotten) */
	int (*result_h)(struct mbuf *answer, bool early, void *arg);
	/** Caller: a 1xx above 100 (after result_h when it has SDP) */
	void (*progress_h)(const struct sip_info *in, bool sdp, void *arg);
	/** Caller: 2xx came and ACK is out. Callee: ACK came. */
	void (*established_h)(const struct sip_info *in, void *arg);
	/** Our re-INVITE is done; cause NONE: it was accepted */
	void (*modified_h)(const struct sip_result *res, void *arg);
	/** The end, once; nothing is called afterwards. */
	void (*closed_h)(const struct sip_result *res,
			 const struct sip_info *in, void *arg);
	/** A request inside the dialog: INFO, MESSAGE, NOTIFY, REFER,
	 *  SUBSCRIBE ... As request_h of struct sip_stack_h; a usage of the
	 *  dialog that does not exist is 481 */
	int (*request_h)(struct sip_rx *rx, const struct sip_info *in,
			 void *arg);
};

struct sip_call_conf {
	const char *uri;         /* whom                                     */
	struct sip_ident *ident; /* who we are, see sip_reg.h                */
	const char *headers;     /* extra lines with CRLF, or NULL           */
	uint32_t ring_ms;        /* give up (CANCEL) when nobody has answered
				    for so long: cause NO_ANSWER, or TIMEOUT
				    when no response came at all            */
};

/**
 * Call. With offer NULL it is a late offer: the 2xx (or reliable 1xx) brings
 * the offer, answer_h answers it in the ACK. The local address that the
 * offer needs must be known before: see sip_stack_source and
 * sip_target_find. Freeing a call hangs it up silently.
 * @return 0, EINVAL (bad URI, headers), ESHUTDOWN (the stack closes)
 */
int  sip_call_connect(struct sip_call **cp, struct sip_stack *s,
		      const struct sip_call_conf *conf, struct mbuf *offer,
		      const struct sip_call_h *h, void *arg);

/** Callee, in or after invite_h */
void sip_call_attach(struct sip_call *c, const struct sip_call_h *h,
		     void *arg);
/** Whom it is for: our Contact, and whose challenges we answer. Before the
 *  first response that tells a Contact */
void sip_call_set_ident(struct sip_call *c, struct sip_ident *ident);
/** The local address the INVITE came to: media goes there too */
const struct sa *sip_call_laddr(const struct sip_call *c);
/** A provisional response, 101..199, sdp may be NULL; sent again each minute
 *  (13.3.1.1). @return 0, EINVAL, ENOTCONN: not ringing any more; as below.
 *  When the way back is gone closed_h follows too */
int  sip_call_ring(struct sip_call *c, uint16_t code, const char *reason,
		   struct mbuf *sdp);
/** 200; sdp: the answer, or the offer when the INVITE had none */
int  sip_call_answer(struct sip_call *c, struct mbuf *sdp);
/** A final 3xx-6xx; reason NULL: the usual phrase; headers lines or NULL.
 *  closed_h follows on the next turn. */
int  sip_call_reject(struct sip_call *c, uint16_t code, const char *reason,
		     const char *headers);

/**
 * re-INVITE with this offer (NULL: with none, the peer offers). While another
 * one runs, or the peer's does, it is remembered and sent after; 491 waits as
 * RFC 3261 14.1 says. @return 0, ENOTCONN
 */
int  sip_call_modify(struct sip_call *c, struct mbuf *offer);

/**
 * Hang up, whatever the state: CANCEL, a final response (486, or code), or
 * BYE (after the ACK that RFC 3261 15 wants). closed_h follows.
 * reason: a Reason header value, or NULL
 */
void sip_call_hangup(struct sip_call *c, uint16_t code, const char *reason);

/** Any other request inside the dialog (OPTIONS, INFO ...). @return 0, ENOTCONN */
int  sip_call_request(struct sip_req **rp, struct sip_call *c,
		      const char *method, const char *headers,
		      const char *ctype, const char *body,
		      sip_req_h *h, void *arg);

const char *sip_call_id(const struct sip_call *c);       /* Call-ID */
bool sip_call_established(const struct sip_call *c);

#endif
