/**
 * @file ua/sdp_own.h  A session description that the user has written
 */
#ifndef OFFHOOK_UA_SDP_OWN_H
#define OFFHOOK_UA_SDP_OWN_H

#include "offhook/ua_sdp.h"

/** As it goes out: words filled in, lines ended. @return 0, ENOMEM */
int sdp_own_offer(struct mbuf **mbp, const char *text, const struct sa *rtp);

/** Say in the log what is wrong with that of a call */
void sdp_own_warn(unsigned call, const char *text);

#endif
