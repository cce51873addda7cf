/**
 * @file sip/caller.h  Between the files that read who calls
 */
#ifndef OFFHOOK_SIP_CALLER_PRIV_H
#define OFFHOOK_SIP_CALLER_PRIV_H

#include "offhook/sip_caller.h"

/** One value; params: of the header, may be NULL. @return 0, EBADMSG,
 *  EOVERFLOW; p->uri is "" then */
int  party_take(struct sip_party *p, const struct pl *val, struct pl *params);

/* diversion.c */
void diversion_read(struct sip_caller *c, const struct sip_msg *msg);

#endif
