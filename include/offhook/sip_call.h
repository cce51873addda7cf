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
	/** The peer answered our offer. early: the call itself is not
	 *  answered yet, so this is a preview that another branch may
	 *  overrule. @return 0, or a status: the answer is unusable (the
	 *  call is then ended; a mere preview is forgotten) */
	int (*result_h)(struct mbuf *answer, bool early, void *arg);
	/** Caller: a 1xx above 100 (after result_h when it has SDP) */
	void (*progress_h)(const struct sip_info *in, bool sdp, void *arg);
	/** Caller: 2xx came and ACK is out. Callee: ACK came. */
	void (*established_h)(const struct sip_info *in, void *arg);
	/** Callee: a PRACK came: whoever called has heard from us; may be
	 *  NULL */
	void (*pracked_h)(void *arg);
	/** Our re-INVITE or UPDATE is done; cause NONE: it was accepted */
	void (*modified_h)(const struct sip_result *res, void *arg);
	/** The end, once; nothing is called afterwards. err of an INVITE is
	 *  EAFNOSUPPORT when nobody was reached by this family, and there are
	 *  servers by the other one: with an offer of that it may be tried */
	void (*closed_h)(const struct sip_result *res,
			 const struct sip_info *in, void *arg);
	/** A request inside the dialog: INFO, MESSAGE, NOTIFY, REFER,
	 *  SUBSCRIBE ... As request_h of struct sip_stack_h; a usage of the
	 *  dialog that does not exist is 481 */
	int (*request_h)(struct sip_rx *rx, const struct sip_info *in,
			 void *arg);
	/** Caller: a 3xx names uri, which is tried next (FOLLOW), or is if
	 *  sip_call_redirect says so within ring_ms (ASK) */
	void (*redirect_h)(const char *uri, const struct sip_info *in,
			   void *arg);
	/** Caller: somebody else has answered as well, and is hung up (RFC
	 *  3261 13.2.2.4); may be NULL */
	void (*forked_h)(const struct sip_info *in, void *arg);
	/** An INVITE or UPDATE of the peer in mid-call was accepted: its From
	 *  and what a server asserts may name another person than before
	 *  (RFC 4916); may be NULL */
	void (*peer_h)(const struct sip_info *in, void *arg);
};

/** How much of an extension: if the peer knows it, not at all, or else no
 *  call */
enum sip_ext {
	SIP_EXT_SUPPORTED = 0, SIP_EXT_OFF, SIP_EXT_REQUIRED,
};

/** What is negotiated in a call beside its media */
struct sip_call_ext {
	/** Reliable provisional responses (RFC 3262). As callee: SUPPORTED
	 *  sends those with SDP reliably, and all if the caller insists */
	enum sip_ext rel100;
	/** The session timer (RFC 4028). As callee REQUIRED means that we
	 *  refresh by ourselves when the caller knows no timer */
	enum sip_ext timer;
	uint32_t session_s;      /* interval to ask for; 0: none (REQUIRED:
				    1800), but the peer's is accepted        */
	uint32_t min_session_s;  /* accept none below; 0: 90                 */
	enum sip_refresher {
		SIP_REFRESHER_ANY = 0, SIP_REFRESHER_US, SIP_REFRESHER_PEER,
	} refresher;             /* whom we would like to refresh            */
};

/** What to do with a 3xx */
enum sip_redirect {
	SIP_REDIRECT_DENY = 0, SIP_REDIRECT_FOLLOW, SIP_REDIRECT_ASK,
};

struct sip_call_conf {
	const char *uri;         /* whom                                     */
	struct sip_ident *ident; /* who we are, see sip_reg.h                */
	const char *headers;     /* extra lines with CRLF, or NULL           */
	bool anonymous;          /* From and Contact do not tell who we are
				    (RFC 3323); Privacy is the user's        */
	uint32_t ring_ms;        /* give up (CANCEL) when nobody has answered
				    for so long: cause NO_ANSWER, or TIMEOUT
				    when no response came at all            */
	struct sip_call_ext ext;
	enum sip_redirect redirect;
	const char *replaces;    /* value of Replaces (RFC 3891), or NULL:
				    see sip_call_replaces_value              */
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
/**
 * Callee, in invite_h: what is to be negotiated; without it zeros. @return 0,
 * or the status that invite_h must return: the INVITE requires what is off,
 * or lacks what is required (420, 421), or its session interval is too small
 * (422). The headers for it are sent with it.
 */
int  sip_call_setup(struct sip_call *c, const struct sip_call_ext *ext);
/** The local address the INVITE came to: media goes there too */
const struct sa *sip_call_laddr(const struct sip_call *c);
/** A provisional response, 101..199, sdp may be NULL; sent again each minute
 *  (13.3.1.1). Reliable ones go out one after the other, as each is PRACKed;
 *  in them sdp is the answer for good, or an offer when the INVITE had none
 *  (result_h brings the answer; an unreliable one cannot carry it and drops
 *  it). @return 0, EINVAL, ENOTCONN: not ringing any more; as below; ENOBUFS:
 *  too many wait. When the way back is gone closed_h follows too */
int  sip_call_ring(struct sip_call *c, uint16_t code, const char *reason,
		   struct mbuf *sdp);
/** 200; sdp: the answer, or the offer when the INVITE had none; ignored (or
 *  NULL) when a reliable 1xx had it. It waits until 1xx with SDP are PRACKed
 *  (RFC 3262 3). @return 0, EINVAL, ENOTCONN, EALREADY */
int  sip_call_answer(struct sip_call *c, struct mbuf *sdp);
/** Callee, in or after invite_h: whole lines with CRLF for our final answer,
 *  whatever it will be; also for a status that invite_h returns. @return 0,
 *  EINVAL, ENOTCONN, ENOMEM */
int  sip_call_say(struct sip_call *c, const char *lines);
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

enum sip_modify {
	SIP_MODIFY_AUTO = 0,     /* re-INVITE; before the answer UPDATE      */
	SIP_MODIFY_REINVITE,
	SIP_MODIFY_UPDATE,       /* RFC 3311; also before the answer, once a
				    reliable 1xx has settled the first offer */
};
/** The same, by a method of choice; an UPDATE without an offer only refreshes
 *  our Contact. @return 0, ENOTCONN (no such dialog yet), ENOTSUP: the peer
 *  does not allow UPDATE */
int  sip_call_modify_by(struct sip_call *c, struct mbuf *offer,
			enum sip_modify how);
/** Callee, answered: who we are is our From from now on, in place of the
 *  address that was called (RFC 4916); the next request tells it. @return 0,
 *  ENOTSUP: the peer does not understand that; EALREADY: it is the same;
 *  EACCES: who we are is not to be told; ENOTCONN, ENOMEM */
int  sip_call_rename(struct sip_call *c);
/** Does the peer allow UPDATE? */
bool sip_call_can_update(const struct sip_call *c);

/**
 * Must the peer of this call be told of another address of ours, after
 * sip_stack_moved? laddr: ours so far; on return the one that the peer is
 * reached from now, unset: not known yet. The next request goes from there.
 */
bool sip_call_moved(struct sip_call *c, struct sa *laddr);

/**
 * Caller without a final answer, which would go to an address that is ours no
 * more: the INVITE is cancelled from where we are now and sent anew, with this
 * offer (NULL: none). @return 0, ENOTCONN: there is no such INVITE, or errno
 */
int  sip_call_again(struct sip_call *c, struct mbuf *offer);

/** Caller, after redirect_h with ASK: go there, or end with the 3xx.
 *  @return 0, ENOTCONN: nothing is being asked */
int  sip_call_redirect(struct sip_call *c, bool follow);

/**
 * Hang up, whatever the state: CANCEL, a final response (486, or code), or
 * BYE (after the ACK that RFC 3261 15 wants). closed_h follows.
 * reason: a Reason header value (RFC 3326), or NULL
 */
void sip_call_hangup(struct sip_call *c, uint16_t code, const char *reason);

/** Any other request inside the dialog (OPTIONS, INFO ...), also while it is
 *  early. UPDATE may carry no SDP here. @return 0, ENOTCONN */
int  sip_call_request(struct sip_req **rp, struct sip_call *c,
		      const char *method, const char *headers,
		      const char *ctype, const char *body,
		      sip_req_h *h, void *arg);

const char *sip_call_id(const struct sip_call *c);       /* Call-ID */
bool sip_call_established(const struct sip_call *c);
/** Reason of the peer's BYE, CANCEL or refusal as it came, "" none; from
 *  closed_h on */
const char *sip_call_reason(const struct sip_call *c);
/** The session timer as agreed: interval in s, 0: none. ours: we refresh */
uint32_t sip_call_timer(const struct sip_call *c, bool *ours);

/* Reason (RFC 3326) ------------------------------------------------------ */

/** The value of this protocol ("SIP", "Q.850") in a Reason header: cause and
 *  text (may be NULL). @return 0, ENOENT, EBADMSG */
int  sip_reason_parse(const char *value, const char *protocol,
		      uint32_t *cause, char *text, size_t sz);

/* Which call is meant ------------------------------------------------------ */

/** A dialog as a header names it: tags as that side has them */
struct sip_dialog_id {
	char callid[256];
	char ltag[256], rtag[256];       /* ours, the peer's                 */
	bool early_only;
	bool either_way;                 /* the tags may be exchanged        */
};
/** Read Replaces (RFC 3891), Join (3911) or Target-Dialog (4538). @return 0,
 *  EBADMSG, EOVERFLOW */
int  sip_dialog_id_parse(struct sip_dialog_id *id, const char *value,
			 bool target_dialog);
/** The call with this dialog, also one that has just ended; NULL: none */
struct sip_call *sip_call_find(struct sip_stack *s,
			       const struct sip_dialog_id *id);
/** A Replaces value that names this call to others (for Refer-To, escaped by
 *  who puts it into a URI). @return 0, ENOTCONN, EOVERFLOW */
int  sip_call_replaces_value(const struct sip_call *c, char *buf, size_t sz);
/** Its dialog, and the URI the peer is reached at; one that is early too.
 *  @return 0, ENOTCONN, EOVERFLOW */
int  sip_call_dialog(struct sip_dialog_id *id, char *target, size_t sz,
		     const struct sip_call *c);
/** In invite_h: the call that the new one is to replace; NULL: none. Who
 *  accepts the new one hangs up the old one */
struct sip_call *sip_call_replaces(const struct sip_call *c);
/** In invite_h: the call that the new one wants to join (RFC 3911) */
struct sip_call *sip_call_joins(const struct sip_call *c);

#endif
