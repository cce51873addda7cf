/**
 * @file sip_locate.h  Where is the server? RFC 3263, and RFC 6116 for numbers
 *
 * Requests find their way by themselves; this is for those who want to see
 * how, or to have a telephone number turned into an address first.  The whole
 * decision is told as a list of steps, values to be shown or counted.  All
 * functions and handlers: main thread; no handler is called from inside the
 * function that was given it, none after its object is freed.
 */
#ifndef OFFHOOK_SIP_LOCATE_H
#define OFFHOOK_SIP_LOCATE_H

#include "offhook/sip.h"

/* The decision ------------------------------------------------------------- */

enum sip_step_kind {
	SIP_STEP_NOTE,           /* what was decided, and why                */
	SIP_STEP_ANSWER,         /* a question, and how it was answered      */
	SIP_STEP_RECORD,         /* one record of that answer                */
	SIP_STEP_TARGET,         /* where to try, the first one first        */
};
/** "note", "answer", "record", "target" */
const char *sip_step_kind_name(enum sip_step_kind kind);

struct sip_step {
	enum sip_step_kind kind;
	char type[8];            /* of an answer: "NAPTR", "SRV", "A", "AAAA",
				    "host" (by the system's way)             */
	char name[256];          /* ... what was asked for                   */
	char text[320];          /* for people, without what stands above    */
	bool known;              /* an answer from memory                    */
	bool ttl_known;
	uint32_t ttl_s;          /* how long it may be kept yet              */
	/* of a target */
	enum sip_transp tp;
	struct sa addr;
	struct sa local;         /* where it would be sent from              */
	bool dead;               /* it failed lately: tried last             */
	uint32_t dead_s;         /* ... for so long yet                      */
};

struct sip_steps {
	bool cut;                /* there were more                          */
	unsigned n;
	struct sip_step v[];
};
/** One line, as the log has it. @return buf */
const char *sip_step_print(char *buf, size_t sz, const struct sip_step *st);

struct sip_locate_conf {
	const char *uri;
	const struct sip_ident *ident; /* its first hop is asked for; or NULL */
	const char *transport;   /* "udp", "tcp", "tls" or NULL: as ident and
				    the URI say                              */
	bool fresh;              /* forget what is known first               */
};
struct sip_locate;
/** err NULL: found. steps: valid during the call */
typedef void (sip_locate_h)(const struct sip_result *err,
			    const struct sip_steps *steps, void *arg);
/** Bounded by the stack's resolve_ms. mem_deref cancels.
 *  @return 0, EINVAL, ENOMEM, EAGAIN (too many questions under way) */
int  sip_locate(struct sip_locate **lp, struct sip_stack *s,
		const struct sip_locate_conf *conf, sip_locate_h *h,
		void *arg);

/* Name servers -------------------------------------------------------------- */

/** Is it "ADDR[:PORT]", several with commas, at most four; or empty?
 *  err: one sentence. @return 0, EINVAL */
int  sip_dns_servers_check(const char *list, char *err, size_t errsz);
/** Ask these instead of the system's; "" or NULL: the system's again. What
 *  was known is forgotten. @return 0, EINVAL, ENOMEM */
int  sip_stack_set_dns(struct sip_stack *s, const char *list);

/** Is it "NAME=ADDR", several with commas, at most 32; or empty? err: one
 *  sentence. @return 0, EINVAL, ENOMEM */
int  sip_dns_hosts_check(const char *list, char *err, size_t errsz);
/** These names have these addresses and no other records; nobody is asked for
 *  them. What was known is forgotten. @return 0, EINVAL, ENOMEM */
int  sip_stack_set_hosts(struct sip_stack *s, const char *list);

/* Servers that help through NATs -------------------------------------------- */

enum { SIP_HELPERS = 8 };

/** One STUN or TURN server, where it is to be asked */
struct sip_helper {
	enum sip_transp tp;
	struct sa addr;
	char name[256];          /* what its certificate must be for         */
};

struct sip_helpers_conf {
	bool turn;               /* RFC 5928; else STUN: RFC 8489 8.1        */
	const char *host;        /* a name or an address                     */
	uint16_t port;           /* 0: not given                             */
	enum sip_transp tp;      /* TURN: SIP_TRANSP_NONE: any               */
	int af;                  /* AF_INET, AF_INET6: what is of use        */
};

struct sip_helpers;
/** v: the first one is to be tried first; n 0: why says why */
typedef void (sip_helpers_h)(const struct sip_helper *v, unsigned n,
			     const char *why, void *arg);
/** By NAPTR (TURN), SRV, then addresses; a port that is given, or an address,
 *  leaves out what it says already. Bounded by resolve_ms, and by four
 *  seconds. mem_deref cancels.
 *  @return 0, EINVAL, ENOMEM, EAGAIN (too many questions under way) */
int  sip_helpers_find(struct sip_helpers **hp, struct sip_stack *s,
		      const struct sip_helpers_conf *conf, sip_helpers_h *h,
		      void *arg);

/* ENUM --------------------------------------------------------------------- */

struct sip_enum;
/** uri: where the number is to be called, NULL: err says why not; cause
 *  SIP_CAUSE_NONE: the number is simply not listed */
typedef void (sip_enum_h)(const char *uri, const struct sip_result *err,
			  const struct sip_steps *steps, void *arg);
/**
 * Look a number up under domain ("e164.arpa"). number: at most 24 digits,
 * with or without '+'. mem_deref cancels.
 * @return 0, EINVAL (no number, no domain), ENOMEM, EAGAIN
 */
int  sip_enum_find(struct sip_enum **ep, struct sip_stack *s,
		   const char *number, const char *domain, sip_enum_h *h,
		   void *arg);

#endif
