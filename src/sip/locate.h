/**
 * @file sip/locate.h  Inside "where is the server?", RFC 3263
 *
 * Low to high: dns_message (a question and its answer as bytes), dns_query
 * (one question over the wire), dns_host (addresses by the system's way), dns
 * (what the name service said, and for how long), dead (who did not answer
 * lately), locate_order (RFC 2782 and 3403), locate_trail (how it was decided),
 * target (what the URI says), locate_look, locate_addr and locate (from a name
 * to addresses), locate_rewrite and locate_enum (RFC 6116).
 */
#ifndef SIP_LOCATE_PRIV_H
#define SIP_LOCATE_PRIV_H

#include "priv.h"
#include "offhook/sip_locate.h"

enum {
	NAME_LEN       = 256,       /* a name in text, with its NUL          */
	NAME_RECS_MAX  = 32,        /* of one answer                         */
	NAME_SERVERS   = 4,
};
#define NAME_TTL_UNKNOWN UINT32_MAX

/* Names -------------------------------------------------------------------- */

/** What is asked for. HOST: addresses by way of the system (hosts file, mDNS,
 *  whatever nsswitch.conf says); the others by DNS */
enum name_type { NAME_HOST, NAME_A, NAME_AAAA, NAME_SRV, NAME_NAPTR };
const char *name_type_text(enum name_type type);   /* "host", "A", ...       */

enum name_state {
	NAME_FOUND,
	NAME_EMPTY,                 /* the name is there, no such record     */
	NAME_ABSENT,                /* there is no such name                 */
	NAME_SILENT,                /* nobody answered in time               */
	NAME_FAILED,                /* answered, but not with an answer      */
};

struct name_srv {
	uint16_t priority, weight, port;
	char target[NAME_LEN];      /* "": this service is not there, by
				       intent (RFC 2782)                     */
};

struct name_naptr {
	uint16_t order, pref;
	char flags[8];
	char service[64];
	char regexp[256];
	char replace[NAME_LEN];     /* "" none                               */
};

struct name_rec {
	uint32_t ttl_s;             /* or NAME_TTL_UNKNOWN                   */
	union {
		struct sa addr;
		struct name_srv srv;
		struct name_naptr naptr;
	} u;
};

struct name_answer {
	enum name_type type;
	enum name_state state;
	uint32_t ttl_s;             /* how long it may be kept               */
	uint64_t until_ms;          /* clock_ms() when it is forgotten       */
	char why[64];               /* NAME_FAILED: "server failure"         */
	unsigned more;              /* records there was no room for         */
	unsigned n, room;
	struct name_rec v[];
};

/** Without a record, room for NAME_RECS_MAX. Free: mem_deref */
int  name_answer_alloc(struct name_answer **ap, enum name_type type);
/** A new record, zero; NULL: no room, which is counted */
struct name_rec *name_answer_add(struct name_answer *a);

/* dns_message.c: bytes ------------------------------------------------------ */

enum { DNS_QUERY_MAX = 300 };

/** May it be asked for? Letters, digits, - and _, labels of at most 63, at
 *  most 253 in all; a dot at the end is allowed */
bool name_ok(const char *name);
/** Small letters, no dot at the end: the same name is the same text.
 *  @return 0, EINVAL (nothing, or too long) */
int  name_canon(char dst[NAME_LEN], const char *name, size_t len);
/** A question that wants recursion. edns: say that more than 512 bytes may
 *  come. @return its length, 0: not a name_ok() */
size_t name_question_write(uint8_t buf[DNS_QUERY_MAX], uint16_t id,
			   enum name_type type, const char *name, bool edns);

enum name_verdict {
	NAME_V_STRANGE,             /* no answer to this question            */
	NAME_V_CUT,                 /* ask again over TCP                    */
	NAME_V_NO_EDNS,             /* ask again without                     */
	NAME_V_NEXT,                /* this server cannot; why says what     */
	NAME_V_DONE,                /* FOUND, EMPTY or ABSENT                */
};
/** Read what came for such a question into a, which must be new */
enum name_verdict name_answer_read(struct name_answer *a, const uint8_t *buf,
				   size_t len, uint16_t id, const char *name);

/* dns_query.c: one question over the wire ----------------------------------- */

struct name_servers {
	struct sa v[NAME_SERVERS];
	unsigned n;
};
/** "ADDR[:PORT],[V6]:PORT". @return 0, EINVAL; *bad: where */
int  name_servers_parse(struct name_servers *ns, const char *list,
			const char **bad);
/** Those of resolv.conf */
void name_servers_system(struct name_servers *ns);

struct name_query;
/** Once, never from inside. a is the handler's */
typedef void (name_query_h)(struct name_answer *a, void *arg);
/** Ask one server after the other until one answers, ms at most */
int  name_query_start(struct name_query **qp, const struct name_servers *ns,
		      enum name_type type, const char *name, uint32_t ms,
		      name_query_h *h, void *arg);

/* dns_host.c: addresses by the system's way ----------------------------------- */

struct hosts;                                /* its threads */
struct host_query;
int  hosts_alloc(struct hosts **hp);         /* free: mem_deref */
int  host_query_start(struct host_query **qp, struct hosts *hs,
		      const char *name, uint32_t ms, name_query_h *h,
		      void *arg);

/* dns_fixed.c: names whose addresses the user has said ----------------------- */

struct name_fixed;
/** "NAME=ADDR,NAME=ADDR"; *fp NULL: none. @return 0, EINVAL (*bad: where),
 *  ENOMEM */
int  name_fixed_parse(struct name_fixed **fp, const char *list,
		      const char **bad);
/** Is the question about one of them? name: in small letters */
bool name_fixed_has(const struct name_fixed *f, enum name_type type,
		    const char *name);
void name_fixed_answer(struct name_answer *a, const struct name_fixed *f,
		       const char *name);

/* dns.c: what the name service said ----------------------------------------- */

struct names;
struct name_ask;
/** Once, never from inside. a lives while the handler runs, or mem_ref it */
typedef void (name_h)(struct name_answer *a, void *arg);

/** servers: asked for everything; none: the system's way */
int  names_alloc(struct names **np, const struct name_servers *servers);
/** Were servers given? Then addresses are asked for as A and AAAA */
bool names_by_dns(const struct names *n);
/** What is known and still good; NULL: must be asked for */
struct name_answer *names_known(struct names *n, enum name_type type,
				const char *name);
/** Ask, wait at most ms. The same question asked twice is one.
 *  mem_deref cancels. @return 0, ENOMEM, EAGAIN (too many under way) */
int  names_ask(struct name_ask **ap, struct names *n, enum name_type type,
	       const char *name, uint32_t ms, name_h *h, void *arg);
/** Forget what is known (resolve --fresh) */
void names_forget(struct names *n);
/** Random numbers for the choice by weight */
uint32_t names_rand(struct names *n);

/**
 * Tests: this takes the place of the name service. It fills in a, as a server
 * would have answered; false: no answer ever comes.
 */
typedef bool (name_script_h)(struct name_answer *a, const char *name,
			     void *arg);
typedef uint32_t (name_rand_h)(void *arg);
void names_script(struct names *n, name_script_h *h, name_rand_h *randh,
		  void *arg);

/* dead.c: who did not answer lately ----------------------------------------- */

struct deads;
int  deads_alloc(struct deads **dp);         /* free: mem_deref */
/** It failed. peace_s: for how long it asked to be left alone, 0: for as long
 *  as failures last. why: a few words */
void dead_mark(struct deads *ds, enum sip_transp tp, const struct sa *dst,
	       uint32_t peace_s, const char *why);
/** Forget them all: another network, others that are reached */
void deads_forget(struct deads *ds);
void dead_clear(struct deads *ds, enum sip_transp tp, const struct sa *dst);
/** left_s, why: may be NULL, untouched when it is not */
bool dead_is(struct deads *ds, enum sip_transp tp, const struct sa *dst,
	     uint32_t *left_s, const char **why);
/** Dead ones go behind, else the order stays */
void dead_sort(struct deads *ds, struct target_list *tl);

/* locate_order.c ------------------------------------------------------------ */

/** The order to try them in, as indices: by priority, within it by chance and
 *  weight (RFC 2782) */
typedef uint32_t (order_rand_h)(void *arg);
void order_srv(unsigned *order, const struct name_rec *v, unsigned n,
	       order_rand_h *randh, void *arg);

/** Which transport is this service for? "SIP+D2U" ... @return false: none
 *  that we know */
bool order_naptr_service(enum sip_transp *tp, const char *service);
/** Indices of terminal SRV records whose service usable_h takes, all of the
 *  lowest order above `above` (-1: any) that has one, by preference.
 *  @return how many */
typedef bool (order_usable_h)(enum sip_transp tp, void *arg);
unsigned order_naptr(unsigned *order, const struct name_rec *v, unsigned n,
		     int above, order_usable_h *usableh, void *arg);

/* target.c: what the URI says ----------------------------------------------- */

struct way {
	char host[NAME_LEN];        /* where to: maddr, or the host          */
	struct sa addr;             /* the same as a number, port set; or
				       unset                                 */
	uint16_t port;              /* 0: not given                          */
	enum sip_transp tp;         /* given, or the usual one               */
	bool tp_named;              /* by the URI, the user or sips:         */
	bool secure;                /* sips:                                 */
};
/** @return 0, or errno with res */
int  way_parse(struct way *w, const char *uri, const char *transport,
	       struct sip_result *res);
/** Append an address if one of our legs reaches it. tp is kept when named;
 *  else what that leg speaks */
bool way_target_add(struct target_list *tl, const struct sip_stack *s,
		    enum sip_transp tp, bool named, const struct sa *addr,
		    uint16_t port);
/** Does any leg speak it? */
bool way_speaks(const struct sip_stack *s, enum sip_transp tp);
uint16_t way_port(enum sip_transp tp);       /* the usual one            */
/** Fill in res. @return err */
int  way_fail(struct sip_result *res, enum sip_cause cause, int err,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int  way_unreachable(struct sip_result *res, const struct way *w);

/* locate_trail.c: how it was decided ---------------------------------------- */

struct trail;
/** What a trail is told may be NULL everywhere: nobody reads it */
int  trail_alloc(struct trail **tp);
const struct sip_steps *trail_steps(const struct trail *t);
void trail_note(struct trail *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** A question and its answer, each record a step */
void trail_answer(struct trail *t, const char *name,
		  const struct name_answer *a, bool known);
void trail_targets(struct trail *t, struct sip_stack *s,
		   const struct target_list *tl);
void trail_log(const struct trail *t);

/* locate_look.c: several questions at a time --------------------------------- */

struct look {
	struct looks *all;
	enum name_type type;
	char name[NAME_LEN];
	unsigned group;             /* the user's; 0 is waited for most      */
	struct name_ask *ask;       /* under way                             */
	struct name_answer *answer; /* NULL: not waited for                  */
	bool known;
};

/** Zero before first use; a user's struct holds it */
struct looks {
	struct sip_stack *stack;
	struct look *v;
	unsigned n, room, pending;
	bool grace;                 /* with one answer the rest may be short */
	struct timer tmr;
	void (*h)(void *arg);       /* all have answered, or it is enough    */
	void *arg;
};
int  looks_alloc(struct looks *ls, struct sip_stack *s, unsigned room);
void looks_add(struct looks *ls, enum name_type type, unsigned group,
	       const char *name);
/** ask false: only what is known. h is called later if anything is pending
 *  afterwards, else not at all. @return 0, EAGAIN, ENOMEM */
int  looks_start(struct looks *ls, bool ask, uint32_t ms,
		 void (*h)(void *arg), void *arg);
void looks_tell(const struct looks *ls, struct trail *t);
void looks_reset(struct looks *ls);

/* locate_addr.c: the addresses of machines ----------------------------------- */

struct hop {
	enum sip_transp tp;
	bool named;                 /* tp cannot be another                  */
	char host[NAME_LEN];
	uint16_t port;
};
enum { HOPS_MAX = 16 };
struct hops {
	struct hop v[HOPS_MAX];
	unsigned n;
};
void hop_add(struct hops *hs, enum sip_transp tp, bool named,
	     const char *host, uint16_t port);
/** Questions for their addresses, group: the index of the hop */
int  hops_ask(const struct hops *hs, struct looks *ls, struct sip_stack *s);
/** What came of it; no target: res says why */
void hops_take(const struct hops *hs, const struct looks *ls,
	       const struct way *w, struct target_list *tl,
	       struct sip_result *res);
/** A name that no DNS server knows anything of */
bool hop_is_local(const char *host);

/* locate_rewrite.c ------------------------------------------------------------ */

/**
 * Apply "!ERE!replacement!" (RFC 3402) to text. @return 0, ENOENT (does not
 * fit), EINVAL (malformed), E2BIG (too much work), EOVERFLOW, ENOMEM
 */
int  rewrite(char *dst, size_t sz, const char *regexp, const char *text);

#endif
