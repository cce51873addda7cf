/**
 * @file sip/request.h  Inside a request: request.c, request_try.c, transaction.c
 *
 * request.c is its life and what answers mean, request_try.c where it goes
 * and where next, transaction.c how it gets there.
 */
#ifndef SIP_REQUEST_PRIV_H
#define SIP_REQUEST_PRIV_H

#include "locate.h"

struct request {
	struct le le;               /* stack->reqs                           */
	struct sip_stack *stack;    /* NULL: gone                            */
	struct target_list tl;
	unsigned ti;                /* the one in use                        */
	struct target_query *query;
	struct target_race *race;
	struct trans *tx;           /* under way                             */
	struct sip_tls *tls;        /* NULL: the stack's                     */
	struct mbuf *mb;            /* as sent, without its first lines      */
	size_t callid_pos, callid_len;
	uint32_t cseq;
	struct digest *digest;
	struct mbuf *body;
	struct timer tmr;           /* no answer yet; or the turn it ends in */
	uint64_t due_ms;
	uint64_t sent_ms;           /* this try                              */
	uint32_t timeout_ms;
	struct sip_result res;      /* to tell on the next turn              */
	request_head_h *head_h;
	request_resp_h *resp_h;     /* NULL: it is over                      */
	void *arg;
	unsigned tries;             /* with credentials                      */
	unsigned failed;            /* addresses that were of no use         */
	bool invite;
	bool sent;
	bool prov;                  /* INVITE: a 1xx came                    */
	bool rang;                  /* INVITE: more than 100 came            */
	bool heard;                 /* this address is alive                 */
	bool cancelled;
	bool one_family;
	const char *ctype;          /* NULL: no body                         */
	const char *uri;
	const char *domain;         /* whom TLS must find there              */
	char method[];              /* and, behind it, uri, domain and ctype */
};

/* request.c */
void request_end(struct request *r, const struct sip_result *res,
		 const struct sip_msg *msg);
/** On the next turn */
void request_end_later(struct request *r, enum sip_cause cause, int err,
		       const char *text);
/** msg NULL: err says what happened, and why, if it is not NULL, better */
void request_response_h(int err, const char *why, const struct sip_msg *msg,
			void *arg);

/* request_try.c */
/** Send to the address in use, or the next one that takes it */
void request_try(struct request *r);
/** It said 503; peace_s: and that it wants to be left alone for so long.
 *  @return true: the next address has it */
bool request_busy(struct request *r, uint32_t peace_s);
/** The address in use has answered */
void request_alive(struct request *r);
/** The transaction failed. why: NULL, or a sentence for err */
void request_failed(struct request *r, int err, const char *why);
/** Nobody waits for its answer any more */
void request_drop(struct request *r);

/* transaction.c: client transactions ---------------------------------------- */

struct trans;
typedef void (trans_h)(int err, const char *why, const struct sip_msg *msg,
		       void *arg);

/**
 * Send a request to tg, which is open (target_open); rest: all behind the Via.
 * h is called for each provisional response and once more: for the final one,
 * or with an error and no message. Before that last call *tp becomes NULL.
 * INVITE: the ACK of a refusal is sent. @return 0 or errno
 */
int  trans_send(struct trans **tp, const struct target *tg,
		const char *method, const char *uri, const struct mbuf *rest,
		trans_h *h, void *arg);
/** CANCEL an INVITE, now or at its first provisional response, with these
 *  lines more (NULL: none); it is not sent again meanwhile. h goes on. Bounded
 *  by 64*T1 */
void trans_cancel(struct trans *t, const char *lines);
/** Our address is gone: it is sent no more, and does not end with its
 *  connection */
void trans_adrift(struct trans *t);
/** What is left of it goes this way, which is open */
void trans_move(struct trans *t, const struct target *tg);
/** Let go: no h any more, nothing is sent again, an INVITE is cancelled.
 *  @return NULL */
struct trans *trans_drop(struct trans *t);

#endif
