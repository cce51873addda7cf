/**
 * @file sip_rx.h  A request that came in, and its answer
 *
 * INFO, MESSAGE, NOTIFY, PUBLISH, REFER, SUBSCRIBE and methods we have never
 * heard of reach the user as a struct sip_rx: outside of dialogs by
 * request_h of the stack, inside a call by request_h of the call.  It is
 * counted: mem_ref to answer later, mem_deref when done.  It answers by
 * itself with 500 when nobody does: when its last holder lets go, and before
 * the peer's patience ends.  Rules of sip.h: main thread.
 */
#ifndef OFFHOOK_SIP_RX_H
#define OFFHOOK_SIP_RX_H

#include "offhook/sip.h"

/** What it says; valid as long as the request is held */
const struct sip_info *sip_rx_info(struct sip_rx *rx);
/** Its body, not NUL-terminated; NULL: none */
const char *sip_rx_body(const struct sip_rx *rx, size_t *len);
/** Is the body of this type ("message", "sipfrag")? subtype NULL: any */
bool sip_rx_ctype(const struct sip_rx *rx, const char *type,
		  const char *subtype);
/** Inside a dialog, or asking for one? */
bool sip_rx_in_dialog(const struct sip_rx *rx);

/**
 * Answer, in a handler or later. 1xx may come before; a final status ends
 * it. A 2xx that makes or refreshes a dialog (SUBSCRIBE, REFER, UPDATE) gets
 * Contact and Record-Route by itself; 405 gets Allow, 415 Accept, 489
 * Allow-Events, unless headers has them.
 *
 * @param reason  NULL: the usual phrase
 * @param headers Whole lines with CRLF, or NULL
 * @param ctype   NULL: no body
 * @return 0, EINVAL, EALREADY (answered), ENOTCONN (the stack is gone)
 */
int  sip_rx_reply(struct sip_rx *rx, uint16_t code, const char *reason,
		  const char *headers, const char *ctype, const char *body);
/** Has the final answer gone out? */
bool sip_rx_answered(const struct sip_rx *rx);

/* What we can do, as Allow, Accept, Supported and Allow-Events tell --------- */

enum sip_ability {
	SIP_AB_METHOD,           /* Allow                                    */
	SIP_AB_TYPE,             /* Accept, but for that of INVITE           */
	SIP_AB_OPTION,           /* Supported; what Require may name         */
	SIP_AB_EVENT,            /* Allow-Events                             */
	SIP_AB_INFO,             /* Recv-Info: packages of INFO (RFC 6086)   */
	SIP_AB_KINDS
};
/** Tell that we can do this, or no longer. @return 0, EINVAL (no token),
 *  EOVERFLOW (too many) */
int  sip_stack_able(struct sip_stack *s, enum sip_ability what,
		    const char *token, bool able);
bool sip_stack_is_able(const struct sip_stack *s, enum sip_ability what,
		       const char *token);

#endif
