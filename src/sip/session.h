/**
 * @file sip/session.h  Inside INVITE sessions
 *
 * One struct sip_call from the first INVITE to the last transaction.  It has
 * one branch a dialog: a forked INVITE several, until one wins; each has an
 * offer/answer state of its own.  Its phase has one setter.  The user holds
 * the only counted reference; a call whose user has let go ends its business
 * on the wire and then frees itself, on a turn of the loop of its own.
 *
 * session.c is its life, branch.c its dialogs, inside.c what comes in them and
 * BYE; invite_client.c, ack.c, prack.c and redirect.c are ours as caller,
 * invite_server.c, accept.c and reliable.c as callee; modify.c, reinvite.c,
 * update.c and session_timer.c what happens later; extension.c what is
 * negotiated, reason.c and replaces.c two headers with their rules.
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
	struct offer offer;
	struct mbuf *remote;            /* the peer's last description while
					   early                             */
	bool remote_offer;              /* ... which was an offer            */
	bool bad;                       /* what was agreed is of no use      */
	bool rseq_set;                  /* a reliable 1xx came ...           */
	uint32_t rseq;                  /* ... this one last                 */
	struct list pracks;             /* ours under way                    */
	bool ack_due;                   /* a 2xx came, no ACK yet            */
	uint32_t ack_cseq;
	struct mbuf *ack;               /* as sent, for the 2xx again        */
	struct target ack_tg;           /* where to                          */
	struct mbuf *ack_sdp;           /* while ack_query runs              */
	struct target_query *ack_query;
	struct request *bye;
	bool bye_due;                   /* once the ACK is out, or came      */
};

/** What the user wants changed, and what is under way for it (modify.c) */
struct modify {
	struct mbuf *offer;             /* wanted or out; NULL: none         */
	bool wanted;                    /* to be sent when it may            */
	bool refresh;                   /* the session timer wants one       */
	bool out;                       /* call->invite is a re-INVITE       */
	bool own;                       /* the one out is a refresh          */
	enum sip_modify how;
	unsigned tries;
	struct timer tmr;               /* glare; end of a re-INVITE         */
};

/** RFC 4028, once agreed (session_timer.c) */
struct session_timer {
	bool on;
	bool ours;                      /* we refresh                        */
	uint32_t interval_s;
	uint32_t min_s;                 /* largest Min-SE we were told       */
	uint64_t end_ms;                /* when BYE is due                   */
	struct timer tmr;
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
	const struct branch *told_br;   /* whose description was told last   */
	struct request *invite;         /* ours under way, first or later    */
	struct request *update;         /* ours under way ...                */
	struct branch *update_br;       /* ... in this dialog                */
	struct target flow;             /* where the first INVITE went       */
	struct sa laddr;
	struct sip_call_ext ext;
	char *reason;                   /* Reason of our BYE or CANCEL       */
	char *ended;                    /* Reason of theirs                  */
	struct mbuf *sent;              /* INVITE with our credentials       */

	/* caller */
	struct dialog *tmpl;            /* remote tag unknown                */
	struct offer tmpl_offer;        /* after the INVITE                  */
	struct mbuf *sdp;               /* of the first INVITE; NULL: late   */
	char *hop;                      /* next hop of the first INVITE      */
	char *headers;
	char *extra;                    /* of a redirect                     */
	enum sip_redirect redirection;
	struct redirect *redirect;      /* NULL: none was told               */
	uint32_t ring_ms;
	uint64_t linger_ms;             /* until then late 2xx may come      */
	unsigned retries;               /* after 422                         */

	/* callee, for the first INVITE and later ones */
	struct leg *leg;                /* where it came in                  */
	struct sip_msg *msg;            /* until the ACK                     */
	struct strans *st;          /* until our final response          */
	struct mbuf *prov;              /* last 1xx, sent again each minute  */
	uint16_t prov_code;
	struct reliable *rel;           /* NULL: no reliable 1xx             */
	struct mbuf *answer;            /* for a 2xx that has to wait        */
	bool answer_due;
	struct mbuf *ok;                /* 2xx as sent, until the ACK        */
	uint32_t ok_cseq;
	uint32_t ok_wait_ms;            /* next retransmission               */
	uint64_t ok_end_ms;
	char *say;                      /* lines for our final answer        */
	struct sip_call *replaces;      /* during invite_h only              */
	struct sip_call *joins;         /* the same                          */

	struct modify mod;
	struct session_timer se;

	bool heard;                     /* caller: a 1xx came                */
	bool tried;                     /* callee: 100 was sent              */
	bool ext_set;                   /* callee: by the user               */
	bool peer_update;               /* the peer's Allow has it           */
	bool peer_100rel;               /* it supports ...                   */
	bool need_100rel;               /* ... or requires it                */
	bool peer_199;                  /* RFC 6228                          */
	bool peer_from_change;          /* RFC 4916                          */
	bool peer_timer;

	struct timer tmr_ring;          /* caller: patience; callee: 100 and
					   1xx again                         */
	struct timer tmr_wait;          /* 2xx again; lingering              */
	struct timer tmr_expire;        /* Expires of the INVITE             */
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
/** We end it, in any phase: CANCEL, a refusal or BYE, then session_closed.
 *  code: of the peer, for the result */
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
/** Tell what an accepted request of the peer says of who it is */
void session_named(struct sip_call *c, const struct sip_msg *msg);
/** Is this call over for whoever counts? */
static inline bool session_down(const struct sip_call *c)
{
	return c->phase == PHASE_DOWN;
}

/* branch.c */
int  branch_alloc(struct branch **bp, struct sip_call *c, struct dialog *d);
struct branch *branch_find(const struct sip_call *c,
			   const struct sip_msg *msg);
/** The branch of a response, made when it is new. NULL: no room, no memory,
 *  or it makes no dialog */
struct branch *branch_get(struct sip_call *c, const struct sip_msg *msg,
			  bool final);
/** For a 2xx that says nothing usable of where its sender is */
struct branch *branch_stray(struct sip_call *c, const struct sip_msg *msg);
/** Its early dialog is over */
void branch_forget(struct branch *br);
/** Keep the peer's description. offer: it was one */
void branch_remote(struct branch *br, struct mbuf *sdp, bool offer);
/** A request in the dialog of br */
int  branch_request(struct request **rp, struct branch *br,
		    const char *method, struct mbuf *sdp,
		    request_head_h *head_h, request_resp_h *resp_h);
int  branch_request_arg(struct request **rp, struct branch *br,
			const char *method, struct mbuf *sdp,
			request_head_h *head_h, request_resp_h *resp_h,
			void *arg);

/* inside.c */
bool session_request(const struct sip_msg *msg, void *arg);
/** BYE, after the ACK if one is due */
void branch_bye(struct branch *br);

/* invite_client.c */
/** Send the first INVITE, or try again with what has changed */
int  invite_start(struct sip_call *c);
/** It is given up, though nothing final has come */
void invite_cancel(struct sip_call *c);

/* ack.c */
/** ACK a 2xx; ack_due must be set. sdp: NULL, or our answer */
void branch_ack(struct branch *br, uint32_t cseq, struct mbuf *sdp);
int  branch_ack_again(struct branch *br);
/** An INVITE goes out in mb: its credentials are for the ACK too */
void session_sent(struct sip_call *c, struct mbuf *mb, const struct dialog *d);
/** Only the credentials are of use yet */
void session_sent_shrink(struct sip_call *c);

/* prack.c */
/** Is it reliable, and which one? */
bool prack_asked(const struct sip_msg *msg, uint32_t *rseq);
/** Is it the next one? What is not must not be looked at */
bool prack_order(struct branch *br, uint32_t rseq);
void prack_send(struct branch *br, const struct sip_msg *msg, uint32_t rseq,
		struct mbuf *sdp);

/* redirect.c */
/** A failure of the INVITE: @return true when another target is tried, or
 *  the user is asked about one */
bool redirect_failure(struct sip_call *c, const struct sip_result *res,
		      const struct sip_msg *msg);

/* invite_server.c */
/** Refuse an INVITE that is not answered; nothing otherwise */
void session_terminate(struct sip_call *c, uint16_t code);
/** Send a 2xx that had to wait, if it may go now */
void answer_try(struct sip_call *c);
/** The way back is gone, and the transaction with it. @return err */
int  reply_failed(struct sip_call *c, int err);
/** The 1xx goes out again each minute, as prov stands */
void refresh_start(struct sip_call *c);

/* accept.c */
/** Reply within the INVITE transaction of the call, or to msg alone (stp
 *  NULL), in the dialog of br. headers: lines or NULL */
int  session_reply(struct branch *br, struct leg *leg,
		   struct strans **stp, struct mbuf **mbp,
		   const struct sip_msg *msg, uint16_t code,
		   const char *reason, const char *headers, struct mbuf *sdp);
/** Refuse a request in the dialog; 500 says when to try again */
void session_refuse(struct branch *br, struct leg *leg,
		    const struct sip_msg *msg, uint16_t code);
/** Where a response to msg goes */
/** 2xx to msg, sent again until its ACK */
int  session_accept(struct sip_call *c, struct strans **stp,
		    const struct sip_msg *msg, struct mbuf *sdp);
/** The ACK came (or what proves it) */
void session_acked(struct sip_call *c, const struct sip_msg *msg);

/* reliable.c */
/** Must, or should, this 1xx be reliable? */
bool reliable_wanted(const struct sip_call *c, bool sdp);
int  reliable_send(struct sip_call *c, uint16_t code, const char *reason,
		   struct mbuf *sdp);
/** Must a 2xx wait for a PRACK? */
bool reliable_holds(const struct sip_call *c);
/** What waits for its turn is not sent any more */
void reliable_drop(struct sip_call *c);
void reliable_stop(struct sip_call *c);
void reliable_done(struct sip_call *c);
void prack_recv(struct branch *br, struct leg *leg,
		const struct sip_msg *msg);

/* modify.c */
/** Send what is wanted if it may go now */
void modify_try(struct sip_call *c);
/** Ours, a re-INVITE or UPDATE, was accepted; not: with this result */
void modify_done(struct sip_call *c, const struct sip_result *res);
void modify_refused(struct sip_call *c, struct branch *br,
		    const struct sip_result *res, const struct sip_msg *msg);
void modify_stop(struct sip_call *c);

/* reinvite.c */
void reinvite_recv(struct branch *br, struct leg *leg,
		   const struct sip_msg *msg);
int  reinvite_send(struct sip_call *c);

/* update.c */
void update_recv(struct branch *br, struct leg *leg,
		 const struct sip_msg *msg);
int  update_send(struct branch *br);

/* extension.c */
/** What a message of the peer's says of its abilities */
void ext_learn(struct sip_call *c, const struct sip_msg *msg);
/** May we send 1xx reliably? */
bool ext_rel100(const struct sip_call *c);
/** Allow, Supported and, in our first INVITE, Require */
int  ext_write(struct mbuf *mb, const struct sip_call *c, bool first);
/** Does the INVITE agree with what the user wants? @return 0, or the status
 *  to refuse with and, if not NULL, its lines */
uint16_t ext_check(const struct sip_call *c, const struct sip_msg *msg,
		   char **lines);

/* session_timer.c */
/** Session-Expires and Min-SE of an INVITE or UPDATE of ours */
int  se_write(struct mbuf *mb, const struct sip_call *c, bool first);
/** A 2xx to it came */
void se_response(struct sip_call *c, const struct sip_msg *msg);
/** Is the interval in an INVITE or UPDATE of theirs too small? */
bool se_too_small(const struct sip_call *c, const struct sip_msg *msg,
		  uint32_t *min_s);
/** Settle it for our 2xx to msg, into lines; the timer starts */
int  se_accept(struct sip_call *c, const struct sip_msg *msg, char *lines,
	       size_t sz);
/** 422 came. @return false: nothing can be done about it */
bool se_raise(struct sip_call *c, const struct sip_msg *msg);
/** A refresh failed, but the session stands */
void se_failed(struct sip_call *c);
void se_stop(struct sip_call *c);

/* replaces.c */
/** What an INVITE wants to replace. @return 0, or the status to refuse with */
uint16_t replaces_check(struct sip_call **cp, struct sip_stack *s,
			const struct sip_msg *msg);
/** The same of Join (RFC 3911 4) */
uint16_t join_check(struct sip_call **cp, struct sip_stack *s,
		    const struct sip_msg *msg);

/* reason.c */
/** The Reason of a message, into dst; NULL: none */
void reason_take(char **dst, const struct sip_msg *msg);
/** The Reason of our BYE when the user has given none */
void reason_default(struct sip_call *c, uint16_t code, const char *text);

/* dialog.c */
/** It is found no more and sends nothing more */
void dialog_end(struct dialog *d);
/** A branch with nothing but its tag: target and hop are the template's */
int  dialog_fork_bare(struct dialog **dp, const struct dialog *tmpl,
		      const struct sip_msg *resp);
/** Make one like that of it */
void dialog_bare(struct dialog *d, const struct dialog *tmpl);
/** So have we. @return 0, EALREADY, EACCES (hidden), ENOMEM */
int  dialog_rename_us(struct dialog *d);
/** The peer has another name now, and is told it back (RFC 4916 4.4) */
void dialog_rename(struct dialog *d, const struct sip_msg *msg);
/** Do its target and routes lead anywhere? */
bool dialog_usable(const struct dialog *d);
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
void route_clear(struct dialog *d);
/** The route set: in order as callee, in reverse as caller (12.1) */
int  route_take_set(struct dialog *d, const struct sip_msg *msg);
/** @return 0: the peer told another target; EALREADY: the same; or errno */
int  route_take_target(struct dialog *d, const struct sip_msg *msg);
/** Keep to the connection the INVITE used, when it leads to the next hop */
void dialog_pin(struct dialog *d, const struct target *way, bool incoming,
		bool direct);
/** Where a request to hop may go. @return 0, ENOENT (must be resolved) or
 *  the failure, which res tells */
int  dialog_targets(const struct dialog *d, const char *hop,
		    struct target_list *tl, struct sip_result *res);

#endif
