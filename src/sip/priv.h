/**
 * @file sip/priv.h  Inside the SIP module
 *
 * Layers, low to high: header (reading and writing header fields), stack
 * (a leg for each local address), sanity (the gate), target
 * (URI to addresses), digest, request (one request to its final answer), uas
 * (what comes in, RFC 3261 8.2), dialog, offer (who owes whom an answer),
 * invite_client, invite_server, session.
 */
#ifndef OFFHOOK_SIP_PRIV_H
#define OFFHOOK_SIP_PRIV_H

#include "offhook/sip.h"
#include "offhook/sip_call.h"
#include "offhook/sip_rx.h"
#include "offhook/timer.h"
#include "offhook/worker.h"
#include "offhook/clock.h"
#include "offhook/text.h"

#define LOG_MODULE "sip"
#include "offhook/log.h"

enum {
	SIP_URI_MAX    = 1024,      /* longest URI we keep                    */
	SIP_ROUTES_MAX = 32,        /* longest route set                      */
	SIP_T1_MS      = 500,
	SIP_T2_MS      = 4000,
	SIP_T4_MS      = 5000,
	SIP_BRANCHES   = 16,        /* early dialogs we keep of one INVITE    */
};

#define SIP_ACCEPT "application/sdp"    /* of INVITE                         */
#define SIP_PARTS  "multipart/mixed"    /* with SDP among its parts          */

#define COUNTOF(a) (sizeof(a) / sizeof((a)[0]))

/* uri.c ------------------------------------------------------------------- */

/** A URI in parts; slices of its text. libre's own decoder takes what it can
 *  find anywhere in the text, this one takes the whole text or nothing */
struct suri {
	struct pl scheme;
	struct pl user;             /* without the password; unset: none      */
	struct pl host;             /* IPv6 without its brackets              */
	struct pl params;           /* from the first ';'; unset: none        */
	struct pl headers;          /* from the '?'; unset: none              */
	uint16_t port;              /* 0: none                                */
	bool sip;                   /* sip or sips; of others only scheme set */
	bool sips;
	bool v6;                    /* host was in brackets                   */
};
/** @return 0, EBADMSG */
int  suri_parse(struct suri *u, const struct pl *text);
int  suri_parse_str(struct suri *u, const char *text);
/** The same resource (19.1.4)? Headers behind a '?' are not looked at */
bool suri_equal(const struct suri *a, const struct suri *b);
/** The same user part, escapes considered? */
bool suri_user_equal(const struct pl *a, const struct pl *b);
/** ";name=value" or ";name" (val unset) among parameters, without case */
bool param_find(const struct pl *params, const char *name, struct pl *val);

/* header.c --------------------------------------------------------------- */

/** Is it the header of that name, in full or (compact: not 0) as one letter? */
bool header_is(const struct sip_hdr *hdr, const char *name, char compact);
/** The header with this id whose NAME is right too (libre compares a hash
 *  only); NULL when absent. compact: its one-letter form or 0 */
const struct sip_hdr *header_find(const struct sip_msg *msg,
				  enum sip_hdrid id, const char *name,
				  char compact);
const struct sip_hdr *header_find_name(const struct sip_msg *msg,
				       const char *name);
unsigned header_count(const struct sip_msg *msg, enum sip_hdrid id,
		      const char *name, char compact);
/** Call h for each comma-separated value of all headers of that name */
typedef bool (header_value_h)(const struct pl *val, void *arg);
bool header_values(const struct sip_msg *msg, const char *name, char compact,
		   header_value_h *h, void *arg);
/** Is token among the values (without case)? */
bool header_has(const struct sip_msg *msg, const char *name, char compact,
		const char *token);
/** Checked number of a header, *out untouched on failure.
 *  @return 0, ENOENT, EBADMSG */
int  header_u32(const struct sip_msg *msg, const char *name, uint32_t max,
		uint32_t *out);
/** First Contact URI, without brackets and header parameters.
 *  @return 0, ENOENT, EBADMSG */
int  header_contact(const struct sip_msg *msg, struct pl *uri);

/** A name-addr or addr-spec as From, To, Contact and Route hold it */
struct addr_parts {
	struct pl name;             /* display name, without quotes; or unset */
	struct pl uri;              /* without brackets                       */
	struct pl params;           /* of the header, from the first ';'      */
};
/** One value, the whole of it. @return 0, EBADMSG */
int  addr_parse(struct addr_parts *a, const struct pl *val);
/** The end of a message: its description behind the headers that tell of it,
 *  or (NULL) that there is none */
int  header_sdp(struct mbuf *mb, struct mbuf *sdp);
/** Whole lines "Name: value", each with its CRLF, none of them empty */
bool header_lines_ok(const char *lines);
void sip_info_fill(struct sip_info *in, const struct sip_msg *msg);
void sip_result_status(struct sip_result *res, const struct sip_msg *msg);
/** Print a name-addr; the display name is quoted and escaped */
int  header_print_addr(struct mbuf *mb, const char *name, const char *uri);
/** True when text may stand in a header line (no CR, LF, NUL, controls) */
bool header_text_ok(const char *text);

/* stack.c ---------------------------------------------------------------- */

struct dgram;
struct listener;
struct conn;
struct sip_tls;

/** One local address and what listens there */
struct leg {
	struct le le;
	struct sip_stack *stack;
	struct sa addr;             /* address; port of the first transport   */
	struct sa udp, tcp, tls;    /* unset: not listening                   */
	struct dgram *dgram;
	struct listener *tcp_ls, *tls_ls;
	bool found;                 /* by ourselves, not named by the user    */
	bool gone;                  /* the machine has this address no more   */
};

struct sip_stack {
	struct list legl;           /* struct leg                             */
	struct hash *dialogs;       /* struct dialog by Call-ID + local tag   */
	struct list calls;          /* struct sip_call with work to do        */
	struct list lingering;      /* ended ones, kept for late 2xx only     */
	struct list reqs;           /* struct request                         */
	struct list rxs;            /* struct sip_rx, held by somebody        */
	struct list queries;        /* struct target_query                    */
	struct list races;          /* struct target_race                     */
	struct list aways;          /* responses that look for their way      */
	struct list subs;           /* struct sip_sub, and their like         */
	struct list notifiers;
	struct list pubs;
	struct list regs;           /* struct sip_reg                         */
	struct filter *filter;      /* NULL until needed                      */
	struct faults *faults;      /* the same                               */
	struct sip_stack_h h;
	bool untraced;              /* nobody reads what trace_h gets         */
	void *arg;
	struct names *names;        /* what the name service said            */
	struct deads *deads;        /* who did not answer lately             */
	struct transactions *trans; /* of our requests                       */
	struct stranss *stranss;    /* of the peers'                         */
	struct conns *conns;
	struct list pings;          /* struct stun_ping                      */
	struct sip_tls *tls;        /* of who has none of his own; NULL until
				       needed                                */
	char *user_agent;
	struct ability *ability;    /* what we can do                         */
	uint32_t timeout_ms;
	uint32_t resolve_ms;
	uint8_t dscp;
	uint32_t max_sessions;
	uint32_t t1_ms;             /* T1 of INVITE sessions, 0: SIP_T1_MS;
				       tests shorten it                       */
	uint32_t trans_t1_ms;       /* T1 of requests' transactions, likewise */
	uint64_t tag_key[2];        /* of our tags in stateless replies       */
	struct keep *keep;          /* NULL until needed                      */
	struct sip_stack_stats stats;
	char note[512];
	struct sip_listen_addr *listenv; /* as the user named them            */
	size_t listenc;
	uint16_t port;              /* where no other was named               */
	struct timer close_tmr;
	uint64_t close_due_ms;
	void (*close_h)(void *arg);
	void *close_arg;
	bool closing;
};

/** The leg whose address a packet to dst leaves from; NULL: unreachable */
struct leg *stack_leg(const struct sip_stack *s, const struct sa *dst,
		      enum sip_transp tp);
/** The leg that received msg */
struct leg *stack_leg_msg(const struct sip_stack *s,
			  const struct sip_msg *msg);
const struct sa *leg_laddr(const struct leg *l, enum sip_transp tp);
/** "<sip:user@addr:port;transport=tcp>" for a Contact header; secure: sips */
int  leg_contact(struct mbuf *mb, const struct leg *l, enum sip_transp tp,
		 const char *user, bool secure);
void stack_closing_check(struct sip_stack *s);   /* after each thing ended */
/** A leg without transports, linked to the stack */
int  leg_alloc(struct leg **lp, struct sip_stack *s, const struct sa *addr);
/** Listen on UDP, TCP or TLS; port 0: any. @return 0 or errno */
int  leg_listen(struct leg *l, enum sip_transp tp, uint16_t port);
/** Where TLS is spoken a peer must be able to reach us by it: listen, on any
 *  port, unless that is so already. @return 0 or errno */
int  leg_serve_tls(struct leg *l);
/** The stack's own, made now with all that is usual if there is none. err:
 *  one sentence, may be NULL */
int  stack_tls(struct sip_stack *s, char *err, size_t errsz);

/* listen.c: all legs of a configuration; err gets one sentence */
int  listen_open(struct sip_stack *s, const struct sip_stack_conf *conf,
		 char *err, size_t errsz);
/** The machine's addresses may have changed: legs for those that are new, the
 *  others are marked. h: each one, now here or gone. @return 0 or errno */
typedef void (listen_moved_h)(const struct sa *addr, bool here, void *arg);
int  listen_again(struct sip_stack *s, listen_moved_h *h, void *arg);

static inline uint32_t stack_t1(const struct sip_stack *s)
{
	return s && s->t1_ms ? s->t1_ms : SIP_T1_MS;
}

static inline uint32_t stack_trans_t1(const struct sip_stack *s)
{
	return s && s->trans_t1_ms ? s->trans_t1_ms : SIP_T1_MS;
}

/* ability.c --------------------------------------------------------------- */

int  ability_alloc(struct sip_stack *s);     /* with what is always there    */
/** Header lines; kinds: a bit for each, 1u << SIP_AB_METHOD ... */
int  ability_write(struct mbuf *mb, const struct sip_stack *s,
		   unsigned kinds);
/** Supported, without those named in drop, a list that ends with NULL */
int  ability_write_options(struct mbuf *mb, const struct sip_stack *s,
			   const char *const *drop);
/** Is there anything of that kind? */
bool ability_any(const struct sip_stack *s, enum sip_ability what);
int  ability_lines(char **lines, const struct sip_stack *s, unsigned kinds);
bool ability_has(const struct sip_stack *s, enum sip_ability what,
		 const struct pl *token);
enum {
	AB_ALLOW     = 1u << SIP_AB_METHOD,
	AB_ACCEPT    = 1u << SIP_AB_TYPE,
	AB_SUPPORTED = 1u << SIP_AB_OPTION,
	AB_EVENTS    = 1u << SIP_AB_EVENT,
	AB_INFO      = 1u << SIP_AB_INFO,
};

/* rx.c -------------------------------------------------------------------- */

/** @return 0: taken, answered now or later; or the status to answer with.
 *  405 and 501: not mine, whichever is right is sent */
typedef int (sip_rx_h)(struct sip_rx *rx, const struct sip_info *in,
		       void *arg);
/** Make a request known to who serves it, and see that it is answered. For
 *  a dialog's request_h, once its CSeq was checked */
void rx_dispatch(struct leg *l, const struct sip_msg *msg, sip_rx_h *h,
		 void *arg);
const struct sip_msg *rx_msg(const struct sip_rx *rx);
struct leg *rx_leg(const struct sip_rx *rx);     /* NULL: the stack is gone */
void rx_stack_gone(struct sip_stack *s);

/* reply.c ----------------------------------------------------------------- */

/** A stateless reply; reason NULL: the usual phrase; hdrs: whole lines or
 *  NULL. A retransmitted request gets the same tag again */
int  stack_reply(struct leg *l, const struct sip_msg *msg, uint16_t code,
		 const char *reason, const char *hdrs);
/** The same with a body; ctype NULL: none */
int  stack_reply_body(struct leg *l, const struct sip_msg *msg,
		      uint16_t code, const char *reason, const char *hdrs,
		      const char *ctype, struct mbuf *body);

/** The tag that all replies to it get, made from the request itself */
void reply_tag_set(const struct sip_stack *s, struct sip_msg *msg);

/** With the tag that msg has already */
int  stack_reply_tagged(struct leg *l, const struct sip_msg *msg,
			uint16_t code);

/** A hash of what tells one request from all others */
uint64_t reply_key(const struct sip_stack *s, const struct sip_msg *msg);
/** ... as if it had another method */
uint64_t reply_key_of(const struct sip_stack *s, const struct sip_msg *msg,
		      const struct pl *method);
/** What is the same whichever way it came, RFC 3261 8.2.2.2 */
uint64_t reply_merge_key(const struct sip_stack *s,
			 const struct sip_msg *msg);
/** The whole response. rest: what follows the usual lines, Content-Length
 *  among it, all of the buffer */
int  reply_make(struct mbuf **mbp, const struct sip_stack *s,
		const struct sip_msg *msg, bool rec_route, uint16_t code,
		const char *reason, const struct mbuf *rest);
struct target;
/** Where responses to msg go */
void reply_way(struct target *way, struct leg *l, const struct sip_msg *msg);
/** Send by it; a connection that is gone is made again where that may be */
int  reply_transmit(struct target *way, struct mbuf *mb);
/** reply_away.c: by another connection, now or soon. @return 0, ENOTCONN:
 *  there is no way, ENOMEM */
int  reply_away(const struct target *way, struct mbuf *mb);
void reply_stack_gone(struct sip_stack *s);
/** Send a response to msg, once more, as it was */
int  reply_again(struct leg *l, const struct sip_msg *msg, struct mbuf *mb);

/* strans.c: server transactions --------------------------------------------- */

/** mem_deref before the final response: the request is forgotten */
struct strans;
struct stranss;
/** Its INVITE was cancelled, 200 to the CANCEL msg is out */
typedef void (strans_cancel_h)(const struct sip_msg *msg, void *arg);
int  stranss_alloc(struct stranss **tp);         /* free: mem_deref           */
void strans_stack_gone(struct sip_stack *s);
/** Responses whose address is gone leave from where we are now */
void strans_moved(struct sip_stack *s);
int  strans_alloc(struct strans **stp, struct leg *l,
		  const struct sip_msg *msg, strans_cancel_h *h, void *arg);
/**
 * Reply. After a final response, and on failure, *stp is NULL and the stack
 * repeats it as long as it has to. stp or *stp NULL: a transaction is made.
 * mbp: the whole response, or NULL. rest: as reply_make. @return 0 or errno
 */
int  strans_reply(struct strans **stp, struct mbuf **mbp, struct leg *l,
		  const struct sip_msg *msg, bool rec_route, uint16_t code,
		  const char *reason, const struct mbuf *rest);
/** The same with a response that was made before */
int  strans_send(struct strans **stp, uint16_t code, struct mbuf *mb);
/** What came. @return true: it is done with */
bool strans_request(struct leg *l, const struct sip_msg *msg);

/* keep.c ------------------------------------------------------------------ */

/** Answer for good, without a transaction: all that is kept is that it was.
 *  Not for INVITE, and only where the answer needs no headers of its own */
int  keep_reply(struct leg *l, const struct sip_msg *msg, uint16_t code);
/** Answer a request again that was answered so. @return false: it was not */
bool keep_repeat(struct leg *l, const struct sip_msg *msg);
/* dgram.c ------------------------------------------------------------------- */

/** got: with the port. @return 0 or errno. Free: mem_deref */
int  dgram_open(struct dgram **dp, struct leg *l, const struct sa *addr,
		struct sa *got);
int  dgram_send(struct dgram *d, const struct sa *dst, const uint8_t *p,
		size_t len);

/* receive.c ----------------------------------------------------------------- */

void receive_dgram(struct leg *l, const struct sa *src, struct mbuf *mb);
/** A message of a connection, its body behind head bytes */
void receive_stream(struct leg *l, struct conn *c, struct mbuf *mb,
		    size_t head);
/** The head of a message of which nobody knows where it ends */
void receive_broken(struct leg *l, struct conn *c, const char *text,
		    size_t len);
/** flow_stun.c. @return true: it was STUN, and is served */
bool flow_stun(struct leg *l, const struct sa *src, const uint8_t *m,
	       size_t len);

/* multipart.c --------------------------------------------------------------- */

/**
 * Narrow a body of several parts to its SDP, and its type with it.
 * @return 0, ENOENT: it has none or is no such body, ENOTSUP: a part says
 * that it must be understood, and is not; nothing has changed then
 */
int  multipart_sdp(struct msg_ctype *ctyp, struct mbuf *mb);

/* salvage.c --------------------------------------------------------------- */

/** May this be a message? Its first line is looked at, no more */
bool salvage_plausible(const char *text, size_t len);
/** The refusal of a datagram that libre cannot decode, into mb, and where it
 *  goes. @return its status, 0: nothing to answer */
uint16_t salvage(struct mbuf *mb, struct sa *dst, const char *text,
		 size_t len, const struct sa *src);
/** A request from a peer that knows RFC 2543 only, whose Via has no branch:
 *  give it one that its CANCEL and ACK will get too, and a Contact */
void salvage_elder(struct mbuf *mb);

/* sanity.c, trace.c, uas.c ------------------------------------------------ */

/** What came; arg: the leg. @return true: it is done with */
bool sanity_request(const struct sip_msg *msg, void *arg);
bool sanity_response(const struct sip_msg *msg, void *arg);
bool sanity_response_ok(const struct sip_msg *msg);
/** Is SDP the one body of that method? ACK too */
bool method_sdp(const struct pl *met);
bool uas_request(const struct sip_msg *msg, void *arg);
void uas_response(const struct sip_msg *msg, void *arg);
/** As sent (tx) or received, for whoever reads the trace */
void trace_wire(struct leg *l, bool tx, enum sip_transp tp,
		   const struct sa *local, const struct sa *peer,
		   const uint8_t *text, size_t len);
/** filter.c: a request outside of dialogs. @return true: it is answered, or
 *  dropped */
bool filter_request(struct leg *l, const struct sip_msg *msg);
/** 405 or, for a method nobody has heard of, 501 */
uint16_t uas_method_status(const struct pl *met);

/* target.c ---------------------------------------------------------------- */

/** Where a request may go, in order of preference */
struct target {
	enum sip_transp tp;
	bool tp_named;              /* the URI or the user chose it           */
	struct sa dst;
	struct leg *leg;
	uint64_t flow;              /* the connection, 0: none yet            */
	bool flow_only;             /* nobody listens at dst: no other would
				       do                                     */
};
enum { TARGETS_MAX = 16 };
struct target_list {
	struct target v[TARGETS_MAX];
	unsigned n;
};
struct target_query;
typedef void (target_h)(const struct sip_result *err,
			const struct target_list *tl, void *arg);
/**
 * Find the servers of the next hop URI (RFC 3263), those first that are worth
 * trying first. transport: forced, or NULL. The handler is called once, never
 * from inside; numeric addresses ask nobody. mem_deref cancels.
 */
int  target_find(struct target_query **qp, struct sip_stack *s,
		 const char *hop_uri, const char *transport, target_h *h,
		 void *arg);
/** The same at once, when nobody need be asked: a numeric host, or all of it
 *  is known. @return 0, ENOENT (needs a query), or the failure in res */
int  target_numeric(struct target_list *tl, struct sip_stack *s,
		    const char *hop_uri, const char *transport,
		    struct sip_result *res);
void target_stack_gone(struct sip_stack *s);

/* target_race.c ------------------------------------------------------------ */

struct target_race;
/** The list in the order to use; what had to be connected to is */
typedef void (target_race_h)(const struct target_list *tl, void *arg);
/**
 * When the first two are one server by IPv6 and by IPv4, over connections, see
 * which is there first. tls, domain: as target_open. The handler is called
 * once, never from inside; mem_deref cancels. @return 0; ENOENT: there is
 * nothing to find out, tl is to be used as it is; ENOMEM
 */
int  target_race(struct target_race **rp, struct sip_stack *s,
		 const struct target_list *tl, struct sip_tls *tls,
		 const char *domain, target_race_h *h, void *arg);
void target_races_gone(struct sip_stack *s);

/* target_way.c ------------------------------------------------------------- */

/** Whom a certificate must name to be taken for this next hop: the host of
 *  the URI, whatever it resolves to (RFC 5922 7.4). @return 0, EINVAL */
int  target_domain(char *buf, size_t sz, const char *hop);
/**
 * Find the connection for tg, or begin to make one, and write down which. tls
 * NULL: the stack's; domain: TLS only. @return 0; ENOTCONN: only the one that
 * is gone would do; or errno
 */
int  target_open(struct target *tg, struct sip_tls *tls, const char *domain);
/** Send by it; it must be open. @return 0, ENOTCONN ... */
int  target_send(const struct target *tg, struct mbuf *mb);
/** A request to uri goes to hop: with TLS all the way for sips:, whatever the
 *  hop says (RFC 3261 8.1.2). @return 0, ENOMEM. Free: mem_deref */
int  target_hop(char **dst, const char *uri, const char *hop);
/** Does the peer of this request want TLS all the way (12.1.1)? */
bool target_secure(const struct sip_msg *msg);
/** The way that msg came */
void target_back(struct target *tg, struct leg *l,
		 const struct sip_msg *msg);

/* digest.c ---------------------------------------------------------------- */

/** What one dialog or request learnt from challenges: realm, nonce, count */
struct digest;
int  digest_alloc(struct digest **dp, struct sip_creds *creds);
/**
 * Take the challenges of a 401/407. @return 0: try again; EAUTH: refused
 * (the same credentials again, not stale); ENOTSUP: nothing we can answer;
 * EACCES: no credentials
 */
int  digest_challenge(struct digest *d, const struct sip_msg *msg);
/** Answer 401 for these realms only; n 0: for any. The strings are kept */
void digest_limit(struct digest *d, char *const realmv[], unsigned n);
/** The i-th realm that was answered in a 401, NULL: there is none */
const char *digest_realm(const struct digest *d, unsigned i);
/** Write the (Proxy-)Authorization lines for a request; none: nothing */
int  digest_write(struct digest *d, struct mbuf *mb, const char *method,
		  const char *uri, const char *body, size_t bodylen);
/** The server took what digest_write wrote: a new nonce is no refusal. The
 *  nonce it names for the next time is taken */
void digest_accepted(struct digest *d, const struct sip_msg *msg);

/* request.c --------------------------------------------------------------- */

/** One request to its final answer, with digest, deadline and failover */
struct request;

struct request_conf {
	const char *method;
	const char *uri;            /* Request-URI                            */
	const char *hop;            /* URI of the next hop (first route or
				       uri), resolved; ignored with targets   */
	const char *transport;      /* forced, or NULL                        */
	const struct target_list *targets; /* known already, or NULL          */
	struct digest *digest;      /* NULL: challenges end the request       */
	struct sip_tls *tls;        /* for TLS; NULL: the stack's             */
	const char *domain;         /* whom TLS must find; NULL: by the hop   */
	bool one_family;            /* its body names an address of ours: not
				       to a server of the other family, err
				       is EAFNOSUPPORT instead                */
	const char *ctype;
	struct mbuf *body;          /* NULL: none; pos..end                   */
	uint32_t timeout_ms;        /* whole, with retries; INVITE: until the
				       first provisional                      */
};

/**
 * Write the lines Route, From, To, Call-ID, CSeq (a new number at every
 * call), Contact ...; Via, Max-Forwards, credentials, User-Agent, body and
 * its headers are request.c's.
 */
typedef int (request_head_h)(struct mbuf *mb, const struct target *tg,
			     void *arg);
/** Each provisional (final false) and once the end. msg NULL: none came */
typedef void (request_resp_h)(bool final, const struct sip_result *res,
			      const struct sip_msg *msg, void *arg);

/** mem_deref: INVITE is cancelled, others are abandoned; no call follows */
int  request_send(struct request **rp, struct sip_stack *s,
		  const struct request_conf *conf, request_head_h *head_h,
		  request_resp_h *resp_h, void *arg);
/** CANCEL an INVITE (at once or after the first provisional); the final
 *  answer, 487 or another, still arrives; bounded by 64*T1 */
void request_cancel(struct request *r);
/** The same with more headers in the CANCEL: whole lines, or NULL */
void request_cancel_saying(struct request *r, const char *lines);
/** Our address is gone, but it may be moved: it does not fail for that */
void request_adrift(struct request *r);
/** What is left of it (its CANCEL) goes from where we are now. @return 0,
 *  ENOTCONN (nothing is under way), ENETUNREACH ... */
int  request_moved(struct request *r);
/** While the stack closes: how long it is worth waiting for, UINT64_MAX: to
 *  its end */
uint64_t request_pending_until(const struct request *r);
/** Where it went; NULL before it was sent */
const struct target *request_target(const struct request *r);
void request_stack_gone(struct sip_stack *s);

/* transaction.c ------------------------------------------------------------ */

/** Client transactions. Free: mem_deref */
struct transactions;
int  transactions_alloc(struct transactions **tp);
/** @return false: there is none for it, or it is a 2xx whose dialog must be
 *  asked */
bool trans_response(struct leg *l, const struct sip_msg *msg);
/** The network says that nothing is at dst: whoever waits for the first sign
 *  of life from there by UDP need wait no longer (RFC 3261 18.4) */
void trans_dst_failed(struct leg *l, const struct sa *dst, int err);

/* standalone.c: the public face of a request, outside dialogs or inside. The
 * body of conf is kept, head_arg (an object) too until the request is freed */
int  sip_req_alloc(struct sip_req **rp, struct sip_stack *s,
		   const struct request_conf *conf, request_head_h *head_h,
		   void *head_arg, sip_req_h *h, void *arg);

/* dialog.c ---------------------------------------------------------------- */

/** RFC 3261 12. Owned by its user (a session, a branch); hashed while alive */
struct dialog {
	struct le he;
	struct sip_stack *stack;
	char *callid, *ltag, *rtag;    /* rtag NULL: not yet known            */
	char *laddr_hdr, *raddr_hdr;   /* From/To values without the tag      */
	char *target;                  /* remote target URI                   */
	char *routev[SIP_ROUTES_MAX];  /* whole name-addrs, in sending order  */
	unsigned routec;
	uint32_t lseq, rseq;
	bool rseq_set;
	struct target flow;            /* where the peer is reached; leg NULL:
					  not known, resolve                  */
	bool flow_pinned;              /* connection of the INVITE: use it    */
	bool secure;                   /* our Contact is sips: (12.1)         */
	bool sips;                     /* TLS wherever we send (12.1)         */
	bool moved;                    /* the peer does not know it yet       */
	char *domain;                  /* as whom the other end of its TLS has
					  proved itself, or NULL              */
	char *user;                    /* of our Contact, without an ident    */
	struct sip_ident *ident;       /* NULL: nobody's                      */
	bool hidden;                   /* ... who is not to be told           */
	struct digest *digest;
	struct list usages;            /* beside the session: struct usage    */
	/** Requests in this dialog; true when consumed */
	bool (*request_h)(const struct sip_msg *msg, void *arg);
	void *arg;
};

int  dialog_alloc_uac(struct dialog **dp, struct sip_stack *s,
		      const char *uri, struct sip_ident *ident);
/** From and Contact do not tell who we are (RFC 3323 4.1); before anything is
 *  sent. @return 0, ENOMEM */
int  dialog_hide(struct dialog *d);
/** A branch of a forked INVITE: same Call-ID and local tag, own remote */
int  dialog_fork(struct dialog **dp, const struct dialog *tmpl,
		 const struct sip_msg *resp);
/** The same for a request that came before any response (a NOTIFY before the
 *  2xx to its SUBSCRIBE): remote tag, routes and target are the request's */
int  dialog_fork_request(struct dialog **dp, const struct dialog *tmpl,
			 struct leg *leg, const struct sip_msg *req);
int  dialog_alloc_uas(struct dialog **dp, struct leg *leg,
		      const struct sip_msg *msg);
/** Take remote tag, target and route set from a response (2xx fixes them) */
int  dialog_update(struct dialog *d, const struct sip_msg *msg, bool final);
bool dialog_match(const struct dialog *d, const struct sip_msg *msg);
struct dialog *dialog_find(struct sip_stack *s, const struct sip_msg *msg);
/** The template (remote tag unknown) that msg may make a dialog of. Requests
 *  reach its request_h when it has one and no dialog fits */
struct dialog *dialog_find_template(struct sip_stack *s,
				    const struct sip_msg *msg);
/** CSeq order (12.2.2): @return 0, EPROTO (500 must be sent) */
int  dialog_check_seq(struct dialog *d, const struct sip_msg *msg);
/** Refresh the remote target from a Contact (target refresh requests) */
void dialog_refresh(struct dialog *d, const struct sip_msg *msg);
/** Write Route, From, To, Call-ID, CSeq, Contact; strict routers handled */
int  dialog_head(struct dialog *d, struct mbuf *mb, const struct target *tg,
		 const char *method, uint32_t cseq, bool contact);
/** Whom TLS must find at this next hop; NULL: whom the hop says. A proxy that
 *  names itself by its address has proved another name */
const char *dialog_domain(const struct dialog *d, const char *hop);
/** Request-URI and next hop for a request in the dialog (12.2.1.1) */
int  dialog_uris(const struct dialog *d, char **uri, char **hop);

/* usage.c ----------------------------------------------------------------- */

/** A request that belongs to a subscription in this dialog. @return false:
 *  to none */
bool usage_request(struct leg *l, struct dialog *d,
		   const struct sip_msg *msg);
/** stack.c: the stack goes away now; as session_stack_gone */
void event_stack_gone(struct sip_stack *s);

/* offer.c ------------------------------------------------------------------ */

/** Who owes whom an answer (RFC 3264, 6337) */
enum offer_state {
	OFFER_NONE,            /* no session yet, nothing outstanding         */
	OFFER_ASKED,           /* our INVITE had none: the peer is to offer   */
	OFFER_OWED,            /* the peer's INVITE had none: we are          */
	OFFER_LOCAL,           /* our offer is out                            */
	OFFER_REMOTE,          /* the peer's offer waits for our answer       */
	OFFER_STABLE,          /* agreed                                      */
};
/** What may carry a description */
enum offer_by {
	BY_INVITE, BY_1XX, BY_1XX_REL, BY_2XX, BY_ACK,
	BY_PRACK, BY_PRACK_2XX, BY_UPDATE, BY_UPDATE_2XX,
};
struct offer {
	enum offer_state state;
	enum offer_by by;      /* LOCAL, REMOTE: what brought the offer       */
	bool agreed;           /* there was an agreement before               */
};
enum offer_means {
	MEANS_NOTHING,         /* no description, or one that is ignored      */
	MEANS_OFFER,
	MEANS_ANSWER,
	MEANS_PREVIEW,         /* the answer, most likely; another follows    */
	MEANS_MISSING,         /* one had to be there                         */
	MEANS_GLARE,           /* an offer that meets another                 */
	MEANS_EARLY,           /* an offer before the last one was answered   */
};
/**
 * A message comes, or goes; sdp: with a description. The state moves with
 * offers and answers, and with an INVITE that asks for an offer.
 */
enum offer_means offer_recv(struct offer *o, enum offer_by by, bool sdp);
enum offer_means offer_send(struct offer *o, enum offer_by by, bool sdp);
/** What was begun last came to nothing */
void offer_cancel(struct offer *o);
/** Is something outstanding? */
bool offer_open(const struct offer *o);
/** How a request is refused whose description means this; 0: it is not */
uint16_t offer_status(enum offer_means m);
const char *offer_state_name(enum offer_state st);

/* session.c, invite_client.c, invite_server.c: see session.h ------------- */

/** uas.c: an INVITE outside a dialog that passed the checks */
void invite_server_request(struct leg *leg, const struct sip_msg *msg);
/** uas.c: a 2xx to INVITE that no transaction took (fork, retransmission).
 *  @return true when it belonged to one of ours */
bool invite_client_response(struct leg *leg, const struct sip_msg *msg);
/** stack.c: the stack goes away now. Calls send nothing more and call no
 *  handler; what their users hold stays valid until they free it */
bool session_pending(const struct sip_call *c);
void session_stack_gone(struct sip_stack *s);

#endif
