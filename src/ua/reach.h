/**
 * @file ua/reach.h  Whom a request goes to, and as whom
 */
#ifndef OFFHOOK_UA_REACH_H
#define OFFHOOK_UA_REACH_H

#include "priv.h"

struct reach;
/** err: the failure, then ident is NULL. The strings live as long as it */
typedef void (reach_h)(const struct sip_result *err, const char *uri,
		       struct sip_ident *ident, void *arg);
/** target as the user typed it; account: name or NULL, the default one.
 *  mem_deref cancels. err: one sentence. @return 0 or errno */
int  reach_find(struct reach **rp, struct ua *ua, const char *target,
		const char *account, reach_h *h, void *arg, char *err);
const char *reach_uri(const struct reach *r);

#endif
