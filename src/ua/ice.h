/**
 * @file ua/ice.h  ICE in descriptions (RFC 8839)
 *
 * Pure; main thread.
 */
#ifndef OFFHOOK_UA_ICE_H
#define OFFHOOK_UA_ICE_H

#include "offhook/hostaddr.h"
#include "negotiate.h"

/** Read the value of a=candidate. @return 0, EBADMSG, ENOTSUP: another
 *  component than ours, TCP, a name instead of an address */
int  cand_read(struct media_cand *c, const char *p, size_t len);
/** @return 0, EOVERFLOW */
int  cand_print(char *buf, size_t sz, const struct media_cand *c);
/** Our names of now; ICE_UFRAG_MAX and ICE_PWD_MAX bytes */
void nego_ice_names(const struct nego *n, char *ufrag, char *pwd);
void nego_take_ice(struct media_plan *plan, struct nego *n,
		   const struct ability *ab, const struct desc_media *m,
		   bool lite, bool offer);

/**
 * Addresses for ICE beside the first one, in the order in which they are to be
 * preferred (ice_base.c).  av: what the phone listens on; hv: what the system
 * says of those of IPv6.
 *
 * @return how many are in v
 */
unsigned ice_bases(struct sa *v, unsigned max, const struct sa *first,
		   const struct sa *av, unsigned ac,
		   const struct hostaddr *hv, unsigned hc);

#endif
