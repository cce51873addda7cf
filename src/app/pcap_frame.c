/**
 * @file app/pcap_frame.c  Headers in front of what is captured
 *
 * The phone sees messages and packets, a capture file holds frames: the IP,
 * UDP and TCP headers are made here as they will have been.  Pure.
 */
#include <netinet/in.h>
#include <string.h>
#include "offhook/pcap.h"

enum { UDP = 17, TCP = 6, IP4 = 20, IP6 = 40 };


static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;

	return p + 2;
}


static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v & 0xffff);
}


static uint32_t sum(uint32_t s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n & 1)
		s += (uint32_t)p[n - 1] << 8;

	/* so that it never overflows */
	return (s & 0xffff) + (s >> 16);
}


static unsigned folded(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);

	return (unsigned)(~s & 0xffff);
}


static size_t address(uint8_t buf[16], const struct sa *sa)
{
	if (sa_af(sa) == AF_INET6) {
		memcpy(buf, &sa->u.in6.sin6_addr, 16);
		return 16;
	}

	memcpy(buf, &sa->u.in.sin_addr, 4);

	return 4;
}


/* @return bytes of the IP header; body is what IP carries */
static size_t ip_head(uint8_t *h, const struct sa *src, const struct sa *dst,
		      unsigned proto, size_t body)
{
	memset(h, 0, IP6);

	if (sa_af(src) == AF_INET6) {
		h[0] = 0x60;
		(void)put16(h + 4, (unsigned)body);
		h[6] = (uint8_t)proto;
		h[7] = 64;
		(void)address(h + 8, src);
		(void)address(h + 24, dst);
		return IP6;
	}

	h[0] = 0x45;
	(void)put16(h + 2, (unsigned)(IP4 + body));
	h[6] = 0x40;                     /* do not fragment */
	h[8] = 64;
	h[9] = (uint8_t)proto;
	(void)address(h + 12, src);
	(void)address(h + 16, dst);
	(void)put16(h + 10, folded(sum(0, h, IP4)));

	return IP4;
}


/* Of a UDP or TCP header with what is behind it */
static unsigned checksum(const struct sa *src, const struct sa *dst,
			 unsigned proto, const uint8_t *h, size_t hn,
			 const uint8_t *p, size_t n)
{
	uint8_t a[16];
	uint32_t s = proto + (uint32_t)(hn + n);

	s = sum(s, a, address(a, src));
	s = sum(s, a, address(a, dst));
	s = sum(s, h, hn);
	s = sum(s, p, n);

	return folded(s);
}


size_t pcap_udp_head(uint8_t head[PCAP_HEAD_MAX], const struct sa *src,
		     const struct sa *dst, const uint8_t *p, size_t n)
{
	const size_t ip = ip_head(head, src, dst, UDP, 8 + n);
	uint8_t *h = head + ip;
	unsigned c;

	(void)put16(h, sa_port(src));
	(void)put16(h + 2, sa_port(dst));
	(void)put16(h + 4, (unsigned)(8 + n));
	(void)put16(h + 6, 0);
	c = checksum(src, dst, UDP, h, 8, p, n);
	(void)put16(h + 6, c ? c : 0xffff);

	return ip + 8;
}


size_t pcap_tcp_head(uint8_t head[PCAP_HEAD_MAX], const struct sa *src,
		     const struct sa *dst, uint32_t seq, uint32_t ack,
		     const uint8_t *p, size_t n)
{
	const size_t ip = ip_head(head, src, dst, TCP, 20 + n);
	uint8_t *h = head + ip;

	(void)put16(h, sa_port(src));
	(void)put16(h + 2, sa_port(dst));
	(void)put32(h + 4, seq);
	(void)put32(h + 8, ack);
	h[12] = 0x50;                    /* 20 bytes of header */
	h[13] = 0x18;                    /* PSH, ACK           */
	(void)put16(h + 14, 0xffff);
	(void)put32(h + 16, 0);
	(void)put16(h + 16, checksum(src, dst, TCP, h, 20, p, n));

	return ip + 20;
}


static uint8_t *tag(uint8_t *p, unsigned type, const void *v, size_t n)
{
	p = put16(put16(p, type), (unsigned)((n + 3) & ~(size_t)3));
	memset(p, 0, (n + 3) & ~(size_t)3);
	memcpy(p, v, n);

	return p + ((n + 3) & ~(size_t)3);
}


size_t pcap_sips_head(uint8_t head[PCAP_HEAD_MAX], const struct sa *src,
		      const struct sa *dst)
{
	/* tags of link type 252: dissector, addresses, kind of port, ports */
	const bool v6 = sa_af(src) == AF_INET6;
	uint8_t *p = head, a[16], n[4];
	size_t len;

	p = tag(p, 12, "sip", 3);
	len = address(a, src);
	p = tag(p, v6 ? 22 : 20, a, len);
	len = address(a, dst);
	p = tag(p, v6 ? 23 : 21, a, len);
	(void)put32(n, 2);               /* TCP */
	p = tag(p, 24, n, 4);
	(void)put32(n, sa_port(src));
	p = tag(p, 25, n, 4);
	(void)put32(n, sa_port(dst));
	p = tag(p, 26, n, 4);
	p = tag(p, 0, "", 0);

	return (size_t)(p - head);
}
