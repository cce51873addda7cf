/**
 * @file sip/session.h  Inside INVITE sessions
 *
 * One struct sip_call from the first INVITE to the last transaction.  It has
 * one branch a dialog: a forked INVITE several, until one wins.  Its phase
 * has one setter.  The user holds the only counted reference; a call whose
 * user has let go ends its business on the wire and then frees itself, on a
 * turn of the loop of its own.
 */
#ifndef OFFHOOK_SIP_SESSION_H
#define OFFHOOK_SIP_SESSION_H

#include "priv.h"

enum phase {
	PHASE_CALLING,         /* caller: no final answer yet                */
	PHASE_INCOMING,        /* callee: the INVITE waits for our answer    */
	PHASE_ANSWERED,        /* callee: 2xx is out, its ACK awaited        */
	PHASE_UP,              /* confirmed                                  */
	PHASE_DOWN,            /* over; what is still under way runs out     */
};

/** One dialog of a call */
struct branch {
	struct le le;                   /* call->branches                    */
	struct sip_call *call;
	struct dialog *dlg;
	struct mbuf *early;             /* last SDP of its 1xx               */
	bool ack_due;                   /* a 2xx came, no ACK yet            */
	uint32_t ack_cseq;
	struct mbuf *ack;               /* as sent, for the 2xx again        */
	struct target ack_tg;           /* where to                          */
	struct mbuf *ack_sdp;           /* while ack_query runs              */
	struct target_query *ack_query;
	struct request *bye;
	bool bye_due;                   /* once the ACK is out, or came      */
};

struct sip_call {
	struct le le;                   /* stack->calls or ->lingering       */
	struct sip_stack *stack;        /* NULL: it is gone                  */
	struct sip_call_h h;
	void *arg;
	enum phase phase;
	char *callid;
	struct list branches;
	struct branch *br;              /* the one that counts               */
	struct offer offer;
	struct request *invite;         /* ours under way, first or later    */
	struct target flow;             /* where the first INVITE went       */
	struct sa laddr;
	char *reason;                   /* Reason of our BYE                 */
	struct mbuf *sent;              /* INVITE with our credentials       */

	/* caller */
	struct dialog *tmpl;            /* remote tag unknown                */
	char *hop;                      /* next hop of the first INVITE      */
	char *headers;
	uint32_t ring_ms;
	const struct branch *early_br;  /* whose preview was told last       */
	uint64_t linger_ms;             /* until then late 2xx may come      */

	/* callee, for the first INVITE and later ones */
	struct leg *leg;                /* where it came in                  */
	struct sip_msg *msg;            /* until the ACK                     */
	struct sip_strans *st;          /* until our final response          */
	struct mbuf *prov;              /* last 1xx, sent again each minute  */
	uint16_t prov_code;
	struct mbuf *ok;                /* 2xx as sent, until the ACK        */
	struct sa ok_dst;
	uint32_t ok_cseq;
	uint32_t ok_wait_ms;            /* next retransmission               */
	uint64_t ok_end_ms;

	/* our re-INVITE */
	struct mbuf *mod_offer;         /* wanted or out; NULL: late offer   */
	bool mod_wanted;                /* to be sent when it may            */
	bool mod_out;                   /* invite is one                     */
	unsigned mod_tries;

	bool heard;                     /* caller: a 1xx came                */
	bool tried;                     /* callee: 100 was sent              */

	struct timer tmr_ring;          /* caller: patience; callee: 100 and
					   1xx again                         */
	struct timer tmr_wait;          /* 2xx again; lingering              */
	struct timer tmr_expire;        /* Expires of the INVITE             */
	struct timer tmr_mod;           /* glare; end of a re-INVITE         */
	struct timer tmr_turn;          /* the next turn: report, free       */

	struct sip_result res;          /* to report on the next turn        */
	bool reported;                  /* closed_h was called, or never is  */
	bool finished;                  /* nothing is under way              */
	bool orphan;                    /* its user has let go               */
	bool dead;                      /* to be freed now                   */
};

/* session.c */
int  session_alloc(struct sip_call **cp, struct sip_stack *s, enum phase phase);
void session_phase(struct sip_call *c, enum phase phase);
/** The end, told at once: not from inside a function of the user's. msg:
 *  what ended it, or NULL */
void session_closed(struct sip_call *c, const struct sip_result *res,
		    const struct sip_msg *msg);
void session_closed_later(struct sip_call *c, const struct sip_result *res);
/** We end a confirmed call: BYE, then session_closed */
void session_drop(struct sip_call *c, enum sip_cause cause, uint16_t code,
		  const struct sip_msg *msg);
/** After anything has ended: is the call done? */
void session_check(struct sip_call *c);
uint32_t session_t1(const struct sip_call *c);
/** The SDP of a message, NULL: none. Position and end are to be kept */
struct mbuf *session_sdp(const struct sip_msg *msg);
/** Ask the user; the buffer stays as it was. @return status, 0: fine */
int  session_result(struct sip_call *c, struct mbuf *sdp, bool early);
int  session_answer_offer(struct sip_call *c, struct mbuf **answer,
			  struct mbuf *offer);
int  branch_alloc(struct branch **bp, struct sip_call *c, struct dialog *d);
/** A request in the dialog of br */
int  branch_request(struct request **rp, struct branch *br,
		    const char *method, struct mbuf *sdp,
		    request_head_h *head_h, request_resp_h *resp_h);
/** BYE, after the ACK if one is due */
void branch_bye(struct branch *br);
bool session_request(const struct sip_msg *msg, void *arg);

/* invite_client.c */
/** ACK a 2xx; ack_due must be set. sdp: NULL, or our answer */
void branch_ack(struct branch *br, uint32_t cseq, struct mbuf *sdp);
/** An INVITE goes out in mb: its credentials are for the ACK too */
void session_sent(struct sip_call *c, struct mbuf *mb, const struct dialog *d);

/* invite_server.c */
/** Reply within the INVITE transaction of c, or to msg alone (stp NULL) */
int  session_reply(struct sip_call *c, struct sip_strans **stp,
		   struct mbuf **mbp, const struct sip_msg *msg, uint16_t code,
		   const char *reason, const char *headers, struct mbuf *sdp);
/** 2xx to msg, sent again until its ACK */
int  session_accept(struct sip_call *c, struct sip_strans **stp,
		    const struct sip_msg *msg, struct mbuf *sdp);
/** The ACK came (or what proves it) */
void session_acked(struct sip_call *c, const struct sip_msg *msg);
/** 487 to an INVITE that is not answered; nothing otherwise */
void session_terminate(struct sip_call *c);

/* reinvite.c */
void reinvite_recv(struct branch *br, struct leg *leg,
		   const struct sip_msg *msg);
/** Send a re-INVITE that is wanted if it may go now */
void reinvite_try(struct sip_call *c);

/* dialog.c */
/** It is found no more and sends nothing more */
void dialog_end(struct dialog *d);
int  dialog_contact(const struct dialog *d, struct mbuf *mb,
		    const struct leg *leg, enum sip_transp tp);

/* route.c */
/** Copy one token or URI of a message. @return 0, EBADMSG, EOVERFLOW */
int  route_word_dup(char **dst, const struct pl *pl, size_t max);
/** Copy a name-addr; bare: without its parameters (the tag among them) */
int  route_value_dup(char **dst, const struct pl *val, bool bare);
/** A URI as it may stand in a Request-URI, or in a To (19.1.1) */
int  route_uri_strip(char **dst, const struct pl *text, bool to);
bool route_loose(const char *route);
/** The route set: in order as callee, in reverse as caller (12.1) */
int  route_take_set(struct dialog *d, const struct sip_msg *msg);
/** @return true when the peer told another target */
bool route_take_target(struct dialog *d, const struct sip_msg *msg);
/** Keep to the connection the INVITE used, when it leads to the next hop */
void dialog_pin(struct dialog *d, struct leg *leg, enum sip_transp tp,
		const struct sa *peer, bool incoming, bool direct);
/** Where a request to hop may go. @return 0, ENOENT (must be resolved) or
 *  the failure, which res tells */
int  dialog_targets(const struct dialog *d, const char *hop,
		    struct target_list *tl, struct sip_result *res);

#endif
