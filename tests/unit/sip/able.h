/**
 * @file able.h  What a stack says it can do, when nobody adds to it
 */
#ifndef SIP_ABLE_H
#define SIP_ABLE_H

#define SIP_ALLOW "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE"
#define SIP_SUPPORTED "100rel, 199, timer"

#endif
