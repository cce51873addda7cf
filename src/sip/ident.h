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
	IDENT_PUBLIC_MAX = 8,       /* local addresses seen from outside      */
};

/** One of our addresses as the registrar's side of a NAT sees it */
struct ident_public {
	enum sip_transp tp;
	struct sa local, seen;
};

struct sip_ident {
	char *aor;
	char *name;                 /* NULL: none                             */
	char *hopv[SIP_FLOWS];      /* outbound proxies: URIs with ;lr        */
	unsigned hopc;
	char *transport;            /* NULL: by the URI                       */
	char *user;                 /* of Contact, "" none                    */
	char *server;               /* URI, NULL: none                        */
	char *headers;              /* NULL: none                             */
	struct sip_creds *creds;

	/* learnt */
	unsigned flow;              /* the proxy in use                       */
	struct ident_public publicv[IDENT_PUBLIC_MAX];
	unsigned publicc;
	char *gruu;                 /* public one, NULL: none                 */
	bool ob;                    /* requests reach us by the same flow     */
};

/** Append the preloaded route set, name-addrs, to v. @return 0, ENOMEM */
int  ident_routes(const struct sip_ident *id, char *v[], unsigned *n,
		  unsigned max);
/** Credentials for whoever is at hop, a URI; NULL: none, or a stranger */
struct sip_creds *ident_creds(const struct sip_ident *id, const char *hop);
/** The same as the state of a dialog or a request; *dp NULL: none */
int  ident_digest(struct digest **dp, const struct sip_ident *id,
		  const char *hop);
/** "udp" ..., NULL: by the URI of the hop */
const char *ident_transport(const struct sip_ident *id);
/** The template of a dialog with uri, with a digest when it needs one */
int  ident_dialog(struct dialog **dp, struct sip_stack *s,
		  struct sip_ident *id, const char *uri);
/** A dialog that a peer began is for us: our Contact, and who may challenge */
void ident_apply(struct sip_ident *id, struct dialog *d);
/** The name-addr of a Contact, for a request or reply by this way */
int  ident_contact(struct mbuf *mb, const struct sip_ident *id,
		   const struct leg *l, enum sip_transp tp);

#endif
