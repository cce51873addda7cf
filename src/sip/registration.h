/**
 * @file sip/registration.h  Inside registrations
 *
 * binding (what a registrar says it holds), learn (what its answer teaches
 * the identity), flow (a way to the server that is kept open), registration
 * (flows of one address-of-record, and their user), registration_flow (one
 * REGISTER after another over one of them), registration_way (where it
 * goes), registration_write (its lines).
 */
#ifndef OFFHOOK_SIP_REGISTRATION_H
#define OFFHOOK_SIP_REGISTRATION_H

#include "ident.h"

/* binding.c ---------------------------------------------------------------- */

enum { BINDINGS_MAX = 16, EXPIRES_MAX = 604800 };

/** What we asked for */
struct binding_ask {
	const char *uri;            /* of our Contact                         */
	const char *instance;       /* urn, NULL: none told                   */
	unsigned reg_id;            /* 0: none told                           */
	uint32_t expires_s;
};

/** What the registrar holds now */
struct binding_list {
	bool listed;                /* ours is among them                     */
	uint32_t expires_s;         /* of ours; not listed: our best guess    */
	char gruu[SIP_URI_MAX];     /* of ours, "" none                       */
	char temp_gruu[SIP_URI_MAX];
	unsigned n;                 /* in v                                   */
	unsigned more;              /* there was no room for                  */
	struct sip_binding v[BINDINGS_MAX];
};
void binding_read(struct binding_list *l, const struct sip_msg *msg,
		  const struct binding_ask *ask);

/* learn.c ------------------------------------------------------------------ */

struct learn_ask {
	unsigned flow;
	bool nat;                   /* how the server sees us counts          */
	bool gruu;
	bool outbound;              /* we asked for it                        */
};

/** What a 2xx to our REGISTER teaches. tg: where it went. @return 0, ENOMEM
 *  (some of it is not known then) */
int  learn(struct sip_ident *id, const struct learn_ask *ask,
	   const struct sip_msg *msg, const struct target *tg,
	   const struct binding_list *list);
/** A realm that a registrar of ours has asked for */
void learn_realm(struct sip_ident *id, const char *realm);
/** Nothing learnt of this flow is in force any more */
void unlearn(struct sip_ident *id, unsigned flow);

/* flow.c, flow_stun.c ------------------------------------------------------ */

/** A way to a server that is kept open and watched */
struct flow;

enum flow_ping {
	FLOW_WATCH,                 /* nothing is sent                        */
	FLOW_CRLF,                  /* CRLF CRLF now and then                 */
	FLOW_PING,                  /* RFC 5626: an answer must come          */
};
/** It is gone, or we are seen elsewhere (EADDRNOTAVAIL). Called once, never
 *  from inside a function; nothing is sent any more */
typedef void (flow_lost_h)(int err, void *arg);

/**
 * The flow that msg, a response, came by.
 *
 * @param interval_ms Of the pings, on the average 90 % of it
 * @return 0, ENOTCONN (it is gone already), ENOMEM. Free: mem_deref
 */
int  flow_keep(struct flow **fp, struct leg *l, const struct sip_msg *msg,
	       enum flow_ping ping, uint32_t interval_ms, flow_lost_h *h,
	       void *arg);

/** A STUN binding request (RFC 5389), one at a time */
struct stun_ping;
/** err: no answer (ETIMEDOUT), or a refusal (EPROTO); else seen is our
 *  address as the answer says */
typedef void (stun_ping_h)(int err, const struct sa *seen, void *arg);
/** t1_ms: until it is sent again; the double next time. Free: mem_deref */
int  stun_ping_send(struct stun_ping **pp, struct leg *l,
		    const struct sa *dst, uint32_t t1_ms, stun_ping_h *h,
		    void *arg);

/* registration.c ----------------------------------------------------------- */

enum reg_goal {
	GOAL_REGISTER,
	GOAL_REMOVE,                /* our binding                            */
	GOAL_REMOVE_ALL,
	GOAL_FETCH,                 /* ask only                               */
};

/** What every REGISTER of a flow has in common */
struct reg_way {
	const struct sip_ident *id;
	unsigned flow;
	char callid[33], tag[17];
	uint32_t cseq;
	char *uri;                  /* Request-URI                            */
	char *hop;                  /* URI of the next hop                    */
	bool proxied;               /* hop is a Route                         */
	bool moved;                 /* by a redirection                       */
};
int  reg_way_init(struct reg_way *w, const struct sip_ident *id,
		  unsigned flow);
/** Uri and hop as configured, after a redirection */
int  reg_way_home(struct reg_way *w);
/** Follow a 301, 302 or 305. @return 0, ELOOP, EBADMSG */
int  reg_way_follow(struct reg_way *w, const struct sip_msg *msg);
void reg_way_reset(struct reg_way *w);

struct reg_flow {
	struct sip_reg *reg;
	struct reg_way way;
	enum sip_reg_state state;   /* set by its one setter                  */
	enum reg_goal goal;
	struct request *req;
	struct digest *digest;
	struct timer tmr;           /* next attempt                           */
	struct target tg;           /* of the last request; leg NULL: none    */
	char contact[SIP_URI_MAX];  /* as last told                           */
	char bound[SIP_URI_MAX];    /* as the registrar has it, "" not        */
	uint64_t bound_until_ms;
	uint64_t begun_ms;          /* of the registration in force           */
	uint32_t asked_s;           /* may have been raised by 423            */
	unsigned steps;             /* answers that led on, in this attempt   */
	unsigned failures;          /* one after another                      */
	uint64_t seen_conn;         /* TLS: whose address Contact told first  */
	bool again;                 /* register once it has unregistered      */
	bool plain;                 /* the first hop knows no outbound (439)  */
	bool retold;                /* Contact was corrected since the last
				       refresh                                */
	struct sip_result result;
	struct binding_list list;
	struct flow *keep;
};

struct sip_reg {
	struct le le;               /* stack->regs                            */
	struct sip_stack *stack;    /* NULL: it is gone                       */
	struct sip_ident *id;
	char *instance;
	char q[8];                  /* "" none                                */
	uint32_t expires_s, keepalive_s;
	enum sip_reg_keep keep;
	bool outbound, gruu, nat;
	struct reg_flow flowv[SIP_FLOWS];
	unsigned flowc;
	sip_reg_h *h;
	void *arg;
};

/** Is another flow of it registered? */
bool reg_other_up(const struct reg_flow *f);
/** Tell the user how f stands; it may be gone afterwards */
void reg_tell(struct reg_flow *f);

/* registration_write.c ----------------------------------------------------- */

/** Route, From, To, Call-ID, CSeq */
int  reg_way_head(struct reg_way *w, struct mbuf *mb);
/** Where we are reached by this way, as we know it now: a URI */
int  reg_address(char *buf, size_t sz, const struct reg_flow *f,
		 const struct target *tg);
request_head_h reg_head_h;      /* arg: struct reg_flow                   */

/* registration_flow.c ------------------------------------------------------ */

void reg_flow_start(struct reg_flow *f);
void reg_flow_stop(struct reg_flow *f, bool all);
/** Nothing runs any more; the state stays */
void reg_flow_halt(struct reg_flow *f);
void reg_flow_off(struct reg_flow *f);
/** As sip_reg_moved */
bool reg_flow_moved(struct reg_flow *f, bool must);

/* stack.c: the stack goes now */
void registration_stack_gone(struct sip_stack *s);

#endif
