/**
 * @file hostaddr.c  What the system says of this machine's addresses
 */
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include "offhook/hostaddr.h"


enum {
	FLAG_TEMPORARY  = 0x01,
	FLAG_DEPRECATED = 0x20,
	FLAG_TENTATIVE  = 0x40,
	ADDR_CHARS      = 32,
};


/* address, interface, length of the prefix, scope, flags, name: in hex */
int hostaddr_line(struct hostaddr *a, const char *line)
{
	unsigned byte, index, prefix, scope, flags;
	char hex[ADDR_CHARS + 1];
	uint8_t in6[16];
	int n;

	if (sscanf(line, "%32[0-9a-fA-F] %8x %2x %2x %8x%n", hex, &index,
		   &prefix, &scope, &flags, &n) != 5 ||
	    strlen(hex) != ADDR_CHARS)
		return EBADMSG;

	for (unsigned i = 0; i < sizeof(in6); i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return EBADMSG;
		in6[i] = (uint8_t)byte;
	}

	memset(a, 0, sizeof(*a));
	sa_set_in6(&a->addr, in6, 0);
	a->index = index;
	a->temporary = flags & FLAG_TEMPORARY;
	a->deprecated = flags & FLAG_DEPRECATED;
	a->tentative = flags & FLAG_TENTATIVE;

	return 0;
}


unsigned hostaddr_read(struct hostaddr *v, unsigned max)
{
	FILE *f = fopen("/proc/net/if_inet6", "re");
	char line[128];
	unsigned n = 0;

	if (!f)
		return 0;

	while (n < max && fgets(line, sizeof(line), f)) {
		if (!hostaddr_line(&v[n], line))
			++n;
	}
	(void)fclose(f);

	return n;
}


static bool same(const struct sockaddr *a, const struct sa *sa)
{
	struct sa b;

	return a && (a->sa_family == AF_INET || a->sa_family == AF_INET6) &&
		!sa_set_sa(&b, a) && sa_cmp(&b, sa, SA_ADDR);
}


unsigned hostaddr_interface(const struct sa *addr)
{
	struct ifaddrs *all, *i;
	unsigned index = 0;

	if (getifaddrs(&all))
		return 0;

	for (i = all; i && !index; i = i->ifa_next) {
		if (!(i->ifa_flags & IFF_LOOPBACK) && same(i->ifa_addr, addr))
			index = if_nametoindex(i->ifa_name);
	}
	freeifaddrs(all);

	return index;
}
