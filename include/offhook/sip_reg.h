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

enum { SIP_FLOWS = 2 };          /* ways to the registrar at once            */

struct sip_ident_conf {
	const char *aor;         /* our address-of-record, a URI             */
	const char *name;        /* display name; NULL, "": none             */
	const char *routev[SIP_FLOWS]; /* outbound proxies, URIs; NULL, "":
					  none. More than one: flows of RFC
					  5626, the first is preferred       */
	const char *transport;   /* "udp", "tcp" ...; NULL, "": by the URI   */
	const char *user;        /* of our Contact; NULL: that of the AOR    */
	const char *server;      /* registrar, host or URI, whose challenges
				    are answered too; NULL, "": none         */
	const char *headers;     /* whole lines with CRLF for every INVITE and
				    request outside a dialog; NULL, "": none */
	struct sip_creds *creds; /* NULL: challenges are not answered        */
};

/** @return 0, EINVAL (a URI, name or header that cannot stand in a message),
 *  ENOMEM. Free: mem_deref */
int  sip_ident_alloc(struct sip_ident **ip,
		     const struct sip_ident_conf *conf);
const char *sip_ident_aor(const struct sip_ident *id);
/** URI of the first hop of a request to uri: ours or, without one, uri */
const char *sip_ident_hop(const struct sip_ident *id, const char *uri);

#endif
