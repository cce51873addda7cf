/**
 * @file dscp.h  How packets are marked for routers (RFC 2474)
 */
#ifndef OFFHOOK_DSCP_H
#define OFFHOOK_DSCP_H

enum { DSCP_MAX = 63 };

/** What is sent from that socket of family af bears this code point; any
 *  thread. A system that refuses is none of anybody's business */
void dscp_set(int fd, int af, unsigned dscp);

#endif
