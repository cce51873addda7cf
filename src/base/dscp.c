/**
 * @file dscp.c  How packets are marked for routers (RFC 2474)
 *
 * Any thread; no state.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <offhook/dscp.h>


void dscp_set(int fd, int af, unsigned dscp)
{
	/* the two bits below are those of congestion (RFC 3168) */
	const int v = (int)(dscp << 2);

	(void)setsockopt(fd, af == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
			 af == AF_INET6 ? IPV6_TCLASS : IP_TOS, &v, sizeof(v));
}
