/**
 * @file sip_fault.h  SIP messages that go wrong, on purpose
 *
 * For testing the other side, and ourselves.  A list of rules stands between
 * the sockets and the transactions: each message that goes or comes is held
 * against all of them, in order.  What is by chance comes from a seed, so a
 * run can be had again.  Keep-alives and STUN pass.  Main thread.
 */
#ifndef OFFHOOK_SIP_FAULT_H
#define OFFHOOK_SIP_FAULT_H

#include "offhook/sip.h"

enum sip_fault_kind {
	SIP_FAULT_DROP,          /* it never was                             */
	SIP_FAULT_DELAY,         /* later by `by_ms`                         */
	SIP_FAULT_DUPLICATE,     /* once more, `by_ms` later                 */
	SIP_FAULT_REORDER,       /* behind the next one of that way, or
				    `by_ms` later if none comes              */
	SIP_FAULT_MANGLE,        /* header `name` gets `value`, or noise     */
	SIP_FAULT_REMOVE,        /* every header `name` is taken out         */
	SIP_FAULT_ADD,           /* one more header, `name: value`           */
	SIP_FAULT_CORRUPT,       /* `bytes` bytes of it are other ones       */
	SIP_FAULT_KINDS
};
/** "drop" ...; NULL: no such */
const char *sip_fault_name(enum sip_fault_kind kind);
/** SIP_FAULT_KINDS: there is none of that name */
enum sip_fault_kind sip_fault_find(const char *name);

enum {
	SIP_FAULT_RULES  = 64,
	SIP_FAULT_BY_MS  = 60000,        /* the longest                      */
	SIP_FAULT_METHOD = 32,
	SIP_FAULT_FIELD  = 64,
	SIP_FAULT_VALUE  = 512,
	SIP_FAULT_BYTES  = 64,
};

/** Name of a "header" that is the first line of the message */
#define SIP_FAULT_START_LINE "start-line"

struct sip_fault {
	enum sip_fault_kind kind;
	/* which messages */
	bool in, out;
	bool requests, responses;        /* neither: both                    */
	char method[SIP_FAULT_METHOD];   /* "" any; of a response: CSeq's    */
	uint16_t code_min, code_max;     /* 0: any; else responses only      */
	/* which of these */
	unsigned nth;                    /* that one only, from 1; 0: any    */
	unsigned every;                  /* each so-manieth; 0: any          */
	double chance_pct;               /* 0 to 100                         */
	unsigned times;                  /* at most so often; 0: no end      */
	/* what becomes of them */
	uint32_t by_ms;
	char name[SIP_FAULT_FIELD];      /* of a header, in its long form    */
	char value[SIP_FAULT_VALUE];     /* MANGLE: "" noise                 */
	unsigned bytes;
};

/** What has been done to one message; valid during the call */
struct sip_fault_done {
	enum sip_fault_kind kind;
	unsigned rule;                   /* its number                       */
	bool tx;
	const char *method;              /* "" not to be told                */
	uint16_t code;                   /* 0: a request                     */
	const char *callid;
	enum sip_transp tp;
	struct sa peer;
	const char *name;                /* the header meant, ""             */
};
typedef void (sip_fault_h)(const struct sip_fault_done *d, void *arg);

/** How a rule stands */
struct sip_fault_status {
	unsigned number;
	struct sip_fault fault;
	uint64_t seen, done;             /* messages meant; messages changed */
};

/**
 * One more rule, behind all others.
 * @param seed    0: the chances go on as they are
 * @param number  it is removed by, from 1; may be NULL
 * @return 0, EINVAL, ENOSPC (SIP_FAULT_RULES), ENOMEM
 */
int  sip_fault_add(struct sip_stack *s, const struct sip_fault *f,
		   uint64_t seed, unsigned *number);
/** number 0: all; what is held back goes on at once. @return 0, ENOENT */
int  sip_fault_remove(struct sip_stack *s, unsigned number);
/** @return false: there are not so many */
bool sip_fault_at(struct sip_fault_status *st, const struct sip_stack *s,
		  size_t i);
/** Who is told of each. h NULL: nobody. @return 0, ENOMEM */
int  sip_fault_listen(struct sip_stack *s, sip_fault_h *h, void *arg);

#endif
