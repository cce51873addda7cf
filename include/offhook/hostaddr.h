/**
 * @file hostaddr.h  What the system says of this machine's addresses
 *
 * IPv4 addresses are all alike; of those of IPv6 some are about to go, and
 * some are made so that nobody is known again by them.  Any thread.
 */
#ifndef OFFHOOK_HOSTADDR_H
#define OFFHOOK_HOSTADDR_H

#include "offhook/compat.h"

struct hostaddr {
	struct sa addr;          /* no port                                  */
	unsigned index;          /* of its interface                         */
	bool temporary;          /* RFC 8981                                 */
	bool deprecated;         /* not for anything new (RFC 4862 5.5.4)    */
	bool tentative;          /* nobody knows yet whether it is ours      */
};

/** All of IPv6, at most max. @return how many; 0 where the system does not
 *  tell */
unsigned hostaddr_read(struct hostaddr *v, unsigned max);
/** One line of /proc/net/if_inet6. @return 0, EBADMSG */
int hostaddr_line(struct hostaddr *a, const char *line);

/** Its interface, so that what is sent from an address leaves by it, whatever
 *  other way there is. @return 0: not known, or loopback */
unsigned hostaddr_interface(const struct sa *addr);

#endif
