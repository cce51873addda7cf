/**
 * @file sip_reg.h  Who we are to the network
 *
 * An identity is what requests of one account have in common: the address in
 * From, the way out, the credentials and who may ask for them, and how we are
 * reached again (Contact).  It is counted and shared by calls, requests and
 * the registration, which adds what it learns from the registrar; a call
 * keeps its identity when the account is changed or removed.  Rules of sip.h:
 * main thread.
 */
#ifndef OFFHOOK_SIP_REG_H
#define OFFHOOK_SIP_REG_H

#include "offhook/sip.h"
#include "offhook/sip_tls.h"

enum { SIP_FLOWS = 2 };          /* ways to the registrar at once            */

struct sip_ident_conf {
	const char *aor;         /* our address-of-record, a URI             */
	const char *name;        /* display name; NULL, "": none             */
	const char *routev[SIP_FLOWS]; /* outbound proxies, URIs; NULL, "":
					  none. More than one: flows of RFC
					  5626, the first is preferred       */
	const char *transport;   /* "udp", "tcp" ...; NULL, "": by the URI   */
	const char *user;        /* of our Contact; NULL: that of the AOR    */
	const char *serverv[SIP_FLOWS]; /* registrars, host or URI, whose
				    challenges are answered too              */
	const char *headers;     /* whole lines with CRLF for every INVITE and
				    request outside a dialog; NULL, "": none */
	struct sip_creds *creds; /* NULL: challenges are not answered        */
	struct sip_tls *tls;     /* NULL: as the stack does, sip_tls.h       */
};

/** @return 0, EINVAL (a URI, name or header that cannot stand in a message),
 *  ENOMEM. Free: mem_deref */
int  sip_ident_alloc(struct sip_ident **ip,
		     const struct sip_ident_conf *conf);
const char *sip_ident_aor(const struct sip_ident *id);
/** Is this request for us? 0: no; else the larger the surer */
unsigned sip_ident_match(const struct sip_ident *id,
			 const struct sip_info *in);
/** URI of the first hop of a request to uri: ours or, without one, uri */
const char *sip_ident_hop(const struct sip_ident *id, const char *uri);

/* Registration ------------------------------------------------------------ */

/** One way to reach an address-of-record, as its registrar holds it */
struct sip_binding {
	char uri[256];           /* "": longer than that                     */
	uint32_t expires_s;
	char instance[80];       /* "urn:uuid:...", "" none                  */
	uint32_t reg_id;         /* 0: none                                  */
	bool ours;
};

enum sip_reg_state {
	SIP_REG_OFF = 0,
	SIP_REG_REGISTERING,
	SIP_REG_REGISTERED,
	SIP_REG_REFRESHING,
	SIP_REG_FAILED,          /* tried again, or not: see next_ms         */
	SIP_REG_UNREGISTERING,
	SIP_REG_STATES
};
const char *sip_reg_state_name(enum sip_reg_state st);   /* "registering" */

enum sip_reg_keep {
	SIP_REG_KEEP_AUTO = 0,   /* what the server wants, else if there is
				    a NAT                                    */
	SIP_REG_KEEP_OFF,
	SIP_REG_KEEP_ON,         /* each keepalive_s                         */
};

struct sip_reg_conf {
	struct sip_ident *ident; /* its servers and proxies; kept            */
	uint32_t expires_s;      /* asked for; 0: 3600                       */
	const char *instance;    /* "urn:uuid:...", for the next two         */
	bool outbound;           /* RFC 5626, if the server knows it         */
	bool gruu;               /* RFC 5627: be reached by one              */
	bool nat;                /* Contact as the server sees us            */
	const char *q;           /* of Contact, "0.0" to "1.0"; NULL, "": none */
	enum sip_reg_keep keep;
	uint32_t keepalive_s;
};

/** How one flow stands; by value */
struct sip_reg_status {
	unsigned flow;           /* from 0                                   */
	enum sip_reg_state state;
	struct sip_result result;/* of the last attempt                      */
	int64_t next_ms;         /* until the next one; -1: there is none    */
	uint32_t expires_s;      /* granted, 0: not registered               */
	bool outbound;           /* the server keeps to RFC 5626             */
	char server[80];         /* address and port, "" not yet             */
	enum sip_transp tp;      /* and how                                  */
	char contact[256];       /* as told to the registrar                 */
};

struct sip_reg;
/** A flow has changed its state, or an attempt its outcome. mem_deref of the
 *  registration is allowed inside */
typedef void (sip_reg_h)(const struct sip_reg_status *st, void *arg);

/**
 * A registration, off so far; with as many flows as its identity has proxies
 * or servers. What the registrar tells about us goes into the identity.
 * Failed attempts are repeated as RFC 5626 4.5 says. mem_deref forgets it
 * without a word to the registrar.
 * @return 0, EINVAL, ENOMEM
 */
int  sip_reg_alloc(struct sip_reg **rp, struct sip_stack *s,
		   const struct sip_reg_conf *conf, sip_reg_h *h, void *arg);
/** Register, now: also to refresh, or to try again before its time */
void sip_reg_start(struct sip_reg *r);
/** Take our bindings away; all: those of everybody for this address */
void sip_reg_stop(struct sip_reg *r, bool all);
/** Give up without a word: OFF */
void sip_reg_abandon(struct sip_reg *r);
/** Register again at once if its server is reached from another address than
 *  before, or failed last, or in any case: must. @return true: it does */
bool sip_reg_moved(struct sip_reg *r, bool must);
/** The best of its flows */
enum sip_reg_state sip_reg_state(const struct sip_reg *r);
/** @return false: there is no such flow */
bool sip_reg_status(struct sip_reg_status *st, const struct sip_reg *r,
		    unsigned flow);
/** What the last answer listed; NULL ends it */
const struct sip_binding *sip_reg_binding(const struct sip_reg *r,
					  unsigned flow, unsigned i);

/** The bindings, v NULL and res the reason when they cannot be had */
typedef void (sip_reg_fetch_h)(const struct sip_result *res,
			       const struct sip_binding *v, unsigned n,
			       void *arg);
struct sip_reg_query;
/** Ask the registrar, without changing anything. Free: mem_deref */
int  sip_reg_fetch(struct sip_reg_query **qp, struct sip_stack *s,
		   struct sip_ident *ident, sip_reg_fetch_h *h, void *arg);

#endif
