/**
 * @file sip.h  The SIP user layer: our transaction users on libre's
 * transactions
 *
 * libre parses messages, runs transactions and moves bytes; everything a
 * user agent adds (where to send, digest, dialogs, INVITE sessions, the
 * offer/answer state) is here.  This module knows SIP, no sound and no user.
 * All functions and handlers: main thread.  No handler is called from inside
 * the function whose result it reports, and no object is freed inside its
 * own handler: mem_deref there is safe, memory lives until the next turn.
 */
#ifndef OFFHOOK_SIP_H
#define OFFHOOK_SIP_H

#include "offhook/compat.h"

struct sip_stack;
struct sip_call;
struct sip_creds;
struct sip_rx;               /* see sip_rx.h                                */
struct sip_ident;            /* who we are, see sip_reg.h                */

/** "udp", "tcp", "tls", as users write it; "" another */
static inline const char *transport_name(enum sip_transp tp)
{
	return tp == SIP_TRANSP_UDP ? "udp" : tp == SIP_TRANSP_TCP ? "tcp" :
		tp == SIP_TRANSP_TLS ? "tls" : "";
}

/* Why something failed -------------------------------------------------- */

enum sip_cause {
	SIP_CAUSE_NONE = 0,      /* a normal end                             */
	SIP_CAUSE_RESOLVE,       /* the name does not resolve                */
	SIP_CAUSE_TRANSPORT,     /* refused, unreachable, connection lost    */
	SIP_CAUSE_TIMEOUT,       /* no response of any kind                  */
	SIP_CAUSE_AUTH,          /* credentials refused, missing or unusable */
	SIP_CAUSE_STATUS,        /* a final response says so                 */
	SIP_CAUSE_CANCELLED,     /* by us, or by the caller                  */
	SIP_CAUSE_NO_ANSWER,     /* it rang for too long                     */
	SIP_CAUSE_MEDIA,         /* no common codec, unusable SDP            */
	SIP_CAUSE_PROTOCOL,      /* the peer broke the rules beyond repair   */
	SIP_CAUSE_LOCAL,         /* we cannot: no memory, no transport       */
};
/** "resolve", "transport", ...: the stable token of JSON and scripts */
const char *sip_cause_name(enum sip_cause cause);
/** SIP_CAUSE_NONE when there is none of that name */
enum sip_cause sip_cause_find(const char *name);

/** How a request or a call ended, or a provisional response; by value */
struct sip_result {
	enum sip_cause cause;
	uint16_t code;           /* SIP status, 0 when none came             */
	char reason[320];        /* reason phrase, or what is wrong          */
	int err;                 /* errno behind it, 0                       */
	bool remote;             /* the peer did it (BYE, CANCEL, response)  */
	uint32_t retry_after_s;  /* 0: none                                  */
};

/** What a message says, strings valid during the handler only, unescaped */
struct sip_info {
	const struct sip_msg *msg;       /* for sip_info_header              */
	char method[32];
	char from_uri[256], from_name[128];
	char to_uri[256];
	char ruri_user[128], ruri_host[128];
	char contact[256];               /* URI, "" none                     */
	char callid[256];
	char user_agent[128];
	struct sa src;
	enum sip_transp tp;
	uint16_t code;                   /* responses                        */
	char reason[128];
};
/** First header of that name (any form); @return 0, ENOENT, EOVERFLOW */
int sip_info_header(const struct sip_info *in, const char *name,
		    char *buf, size_t sz);

/** Is its Request-URI a sips: one? */
bool sip_info_sips(const struct sip_info *in);
/** A Warning line with CRLF (RFC 3261 20.43); text without quotes. @return
 *  false: it does not fit, buf is "" */
bool sip_warning(char *buf, size_t sz, uint16_t code, const char *text);

/* The stack ------------------------------------------------------------- */

struct sip_listen_addr {
	struct sa addr;          /* address; port 0: 5060 (TLS 5061), or a
				    free one                                 */
	bool udp, tcp, tls;
};

struct sip_stack_conf {
	const char *user_agent;
	const struct sip_listen_addr *addrv;  /* none: every usable address  */
	size_t addrc;
	uint32_t timeout_ms;     /* a transaction, at most 64*T1             */
	uint32_t t1_ms;          /* T1, 0: 500                               */
	uint32_t resolve_ms;     /* name resolution                          */
	const char *dns_servers; /* ADDR[:PORT],...; NULL, "": the system's  */
	const char *hosts;       /* NAME=ADDR,...: asked of nobody; or NULL  */
	uint32_t max_sessions;   /* INVITE sessions at once, 0: no limit     */
	uint8_t dscp;            /* of what is sent                          */
	struct sip_tls *tls;     /* sip_tls.h; NULL: all that is usual       */
};

/** What a request from outside must show; by value, all it points to is
 *  borrowed for the moment */
struct sip_guard {
	struct sip_ident *ident; /* whom it is for                           */
	bool origin;             /* it must come from a server of his: 403   */
	uint16_t status;         /* refuse it with that, 0: do not           */
	struct sip_creds *creds; /* its sender must know them: 401           */
	const char *realm;       /* ... for this realm                       */
};

/** A server's certificate that was refused; strings valid during the call */
struct sip_refusal {
	const char *domain;      /* who was meant                            */
	struct sa addr;          /* who was called                           */
	const char *subject, *issuer;
	const char *flaw;        /* what is wrong                            */
};

struct sip_stack_h {
	/**
	 * An INVITE outside any dialog passed all checks of RFC 3261 8.2.
	 * offer is its SDP, NULL when it has none; it is ours, valid now.
	 * Take the call with sip_call_attach and mem_ref, and reply with
	 * sip_call_ring/answer/reject at once or later; or return a final
	 * status (404, 486, 488, 503 ...), which is sent. A call nobody
	 * holds is refused. @return 0 when taken
	 */
	int (*invite_h)(struct sip_call *call, const struct sip_info *in,
			struct mbuf *offer, void *arg);
	/** Would an INVITE like this be taken? Status for OPTIONS */
	int (*options_h)(const struct sip_info *in, void *arg);
	/** SDP that tells our abilities, for the 200 to OPTIONS; may be NULL */
	int (*ability_h)(struct mbuf **sdp, const struct sa *laddr, void *arg);
	/** Every message as sent and received, credentials masked; may be NULL.
	 *  text is not NUL-terminated */
	void (*trace_h)(bool tx, enum sip_transp tp, const struct sa *local,
			const struct sa *peer, const char *text, size_t len,
			void *arg);
	/**
	 * A request outside of any dialog that is no INVITE, BYE or OPTIONS:
	 * MESSAGE, NOTIFY, PUBLISH, REFER, SUBSCRIBE, and what nobody knows.
	 * @return 0 when taken (answer it with sip_rx_reply now or later), or
	 * the status to answer with; 405: not ours, then 405 or 501 is sent.
	 * NULL: nothing is ours. Tell the methods with sip_stack_able
	 */
	int (*request_h)(struct sip_rx *rx, const struct sip_info *in,
			 void *arg);
	/**
	 * Before any of that, for INVITE, MESSAGE, SUBSCRIBE, REFER and
	 * PUBLISH outside of dialogs: what must it show? g is zero: nothing.
	 * NULL: nobody asks
	 */
	void (*guard_h)(const struct sip_info *in, struct sip_guard *g,
			void *arg);
	/** Beside the failure of what was to be sent. NULL: nobody asks */
	void (*refused_h)(const struct sip_refusal *r, void *arg);
};

/**
 * Listen. err gets one sentence (256 bytes): which address and port, what is
 * wrong. A port named in conf that is taken fails; one not named moves to a
 * free one, which stack_note tells. @return 0, EADDRINUSE, EADDRNOTAVAIL ...
 */
int  sip_stack_alloc(struct sip_stack **sp, const struct sip_stack_conf *conf,
		     const struct sip_stack_h *h, void *arg,
		     char *err, size_t errsz);
/** One line to tell the user about the listeners, "" when all is usual */
const char *sip_stack_note(const struct sip_stack *s);
/** End: hang-ups are sent; done when nothing is pending or after ms. The
 *  stack is freed with mem_deref after done was called. */
void sip_stack_close(struct sip_stack *s, uint32_t ms,
		     void (*done)(void *arg), void *arg);

/** Is anybody reading the trace? Masking each message costs; default: yes */
void sip_stack_set_trace(struct sip_stack *s, bool on);

/** Requests a minute that an address may send that is not loopback and no
 *  server we register with; what is more is dropped. 0, the default: any
 *  number. @return 0, ENOMEM */
int  sip_stack_limit(struct sip_stack *s, unsigned per_min);

/** Iterate over what we listen on; NULL ends it */
bool sip_stack_listener(const struct sip_stack *s, size_t i, struct sa *addr,
			enum sip_transp *tp);
/** The local address a packet to dst would leave from. @return 0, ENETUNREACH */
int  sip_stack_source(const struct sip_stack *s, const struct sa *dst,
		      struct sa *src);

/* Another network --------------------------------------------------------- */

/** What has changed; by value, blanks between the addresses */
struct sip_moved {
	char added[256], removed[256];
};
/**
 * The machine's addresses or ways may have changed: look. New addresses are
 * listened on (those of a wildcard); what was reached by an address that is
 * gone is looked for anew, and connections from it end. What is known of
 * names and of servers that do not answer is forgotten. asleep: all
 * connections end, whoever was at the other end has given us up.
 * Registrations and calls are not touched: see sip_reg_moved, sip_call_moved.
 * @return 0 or errno
 */
int  sip_stack_moved(struct sip_stack *s, bool asleep, struct sip_moved *m);
/** Do we listen on this address? The port is not looked at */
bool sip_stack_has(const struct sip_stack *s, const struct sa *addr);

struct sip_stack_stats {
	uint64_t refused;        /* requests stopped by the gate             */
	uint64_t discarded;      /* responses and requests dropped           */
	unsigned dialogs, sessions, requests;
};
void sip_stack_stats(const struct sip_stack *s, struct sip_stack_stats *st);

/* Digest credentials of one account ------------------------------------- */

/** @param ha1 hex instead of a password, NULL/"" none. Free: mem_deref */
int  sip_creds_alloc(struct sip_creds **cp, const char *user,
		     const char *password, const char *ha1);

/* One request outside a dialog ------------------------------------------ */

struct sip_req;

struct sip_req_conf {
	const char *method;
	const char *uri;         /* Request-URI and, unless to is given, To  */
	const char *to;          /* URI or NULL                              */
	struct sip_ident *ident; /* who we are                               */
	const char *headers;     /* whole lines with CRLF, or NULL           */
	bool anonymous;          /* From and Contact do not tell who we are
				    (RFC 3323); Privacy is the user's        */
	const char *ctype;       /* with body                                */
	const char *body;
	uint32_t timeout_ms;     /* 0: the stack's                           */
};
/** Called once with the final result; in is NULL without a response */
typedef void (sip_req_h)(const struct sip_result *res,
			 const struct sip_info *in, void *arg);
/** mem_deref abandons it silently. @return 0, EINVAL (bad URI) ... */
int  sip_req_send(struct sip_req **rp, struct sip_stack *s,
		  const struct sip_req_conf *conf, sip_req_h *h, void *arg);

/* Where would it go? ----------------------------------------------------- */

/**
 * Find out where a call to uri would go: resolves the next hop (the proxy of
 * ident, if it has one; ident may be NULL) and gives the local address that
 * media should use. ready is called once, never from inside; err != NULL:
 * the failure (resolve, transport). mem_deref cancels.
 */
struct sip_target;
typedef void (sip_target_h)(const struct sip_result *err,
			    const struct sa *laddr, void *arg);
int  sip_target_find(struct sip_target **tp, struct sip_stack *s,
		     const char *uri, const struct sip_ident *ident,
		     sip_target_h *h, void *arg);

/** Is this a URI we can call? Normalises into buf ("sip:" added to
 *  user@host). err: one sentence. @return 0, EINVAL, EPROTONOSUPPORT (tel,
 *  http ...) */
int  sip_uri_check(char *buf, size_t sz, const char *text,
		   char *err, size_t errsz);
/** user and host of a URI; buffers may be NULL. @return 0, EINVAL */
int  sip_uri_parts(const char *uri, char *user, size_t usersz,
		   char *host, size_t hostsz, uint16_t *port);

/** Usual phrase of a status code, "Unknown" if it has none */
const char *sip_phrase(uint16_t code);

#endif
