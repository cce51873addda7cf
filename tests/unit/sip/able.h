/**
 * @file able.h  What a stack says it can do, when nobody adds to it
 */
#ifndef SIP_ABLE_H
#define SIP_ABLE_H

#define SIP_ALLOW "INVITE, ACK, CANCEL, BYE, OPTIONS"
#define SIP_SUPPORTED ""

#endif
