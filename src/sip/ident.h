/**
 * @file sip/ident.h  Inside an identity
 *
 * What the user configured and what the registration has learnt.  Only
 * registrations write the second part.
 */
#ifndef OFFHOOK_SIP_IDENT_H
#define OFFHOOK_SIP_IDENT_H

#include "priv.h"
#include "offhook/sip_reg.h"

enum {
	IDENT_ROUTES_MAX  = 8,
	IDENT_ALIASES_MAX = 8,
	IDENT_REALMS_MAX  = 2,
};

/** One way to the network */
struct ident_flow {
	char *hop;                  /* outbound proxy: URI with ;lr; or NULL  */
	char *server;               /* registrar's URI, NULL: none            */

	/* learnt */
	char *routev[IDENT_ROUTES_MAX]; /* Service-Route, name-addrs          */
	unsigned routec;
	char *service;              /* URI of the first of them, or NULL      */
	enum sip_transp tp;
	struct sa addr;             /* who took our registration; or unset    */
	struct sa local, seen;      /* our address, and as the server sees it */
	bool ob;                    /* requests reach us by this flow         */
};

struct sip_ident {
	char *aor;
	char *name;                 /* NULL: none                             */
	char *transport;            /* NULL: by the URI                       */
	char *user;                 /* of Contact, "" none                    */
	char *headers;              /* NULL: none                             */
	struct sip_creds *creds;
	struct ident_flow flowv[SIP_FLOWS];
	unsigned flowc;             /* at least 1                             */
	struct sip_tls *tls;        /* NULL: as the stack                     */

	/* learnt */
	unsigned flow;              /* the one in use                         */
	char *gruu, *temp_gruu;     /* NULL: none                             */
	char *aliasv[IDENT_ALIASES_MAX]; /* P-Associated-URI: we are these too */
	unsigned aliasc;
	char *realmv[IDENT_REALMS_MAX]; /* our registrars' own                */
	unsigned realmc;
};

/** Append the preloaded route set, name-addrs, to v. @return 0, ENOMEM */
int  ident_routes(const struct sip_ident *id, char *v[], unsigned *n,
		  unsigned max);
/** Credentials for whoever is at hop, a URI; NULL: none, or a stranger */
struct sip_creds *ident_creds(const struct sip_ident *id, const char *hop);
/** The same as the state of a dialog or a request; *dp NULL: none. Once a
 *  registrar has told its realm, 401 is answered for no other */
int  ident_digest(struct digest **dp, const struct sip_ident *id,
		  const char *hop);
/** "udp" ..., NULL: by the URI of the hop */
const char *ident_transport(const struct sip_ident *id);
/** Whom it trusts; NULL: as the stack does */
struct sip_tls *ident_tls(const struct sip_ident *id);
/** The template of a dialog with uri, with a digest when it needs one */
int  ident_dialog(struct dialog **dp, struct sip_stack *s,
		  struct sip_ident *id, const char *uri);
/** A dialog that a peer began is for us: our Contact, and who may challenge */
void ident_apply(struct sip_ident *id, struct dialog *d);
/** Our address by this way, as a flow's server sees it: a URI, sips: if
 *  secure */
int  ident_address(struct mbuf *mb, const struct sip_ident *id, unsigned flow,
		   const struct leg *l, enum sip_transp tp, bool secure);
/** The name-addr of a Contact, for a request or reply by this way */
int  ident_contact(struct mbuf *mb, const struct sip_ident *id,
		   const struct leg *l, enum sip_transp tp, bool secure);
/** The same without a word of who we are (RFC 3323 4.1.1.3) */
int  ident_contact_hidden(struct mbuf *mb, const struct sip_ident *id,
			  const struct leg *l, enum sip_transp tp,
			  bool secure);
/** Is this one of the servers that we registered with, or that were given as
 *  addresses? */
bool ident_serves(const struct sip_ident *id, const struct sa *addr);

#endif
