/**
 * @file portmap_msg.c  Messages of PCP and NAT-PMP, read and written
 *
 * Both share a port and tell each other apart by the first byte.  Every
 * length is checked before what it covers is read; options of PCP that we did
 * not ask for are passed over.  Pure functions.
 */
#include <netinet/in.h>
#include "portmap_msg.h"


enum {
	UDP          = 17,
	ANSWER       = 0x80,     /* R bit, or what NAT-PMP adds             */
	PCP_HEAD     = 24,
	PCP_MAP      = 36,
	OP_ANNOUNCE  = 0,        /* of PCP                                  */
	OP_MAP       = 1,
	OP_ADDRESS   = 0,        /* of NAT-PMP                              */
	OP_MAP_UDP   = 1,
};


static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}


static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}


static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}


static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}


/* Sixteen bytes for either family (RFC 6887 5) */
static void put_addr(uint8_t p[16], const struct sa *sa, int af)
{
	memset(p, 0, 16);

	if (sa_af(sa) == AF_INET6) {
		sa_in6(sa, p);
	}
	else if (af == AF_INET) {
		p[10] = p[11] = 0xff;
		if (sa_af(sa) == AF_INET)
			put32(p + 12, sa_in(sa));
	}
}


static void get_addr(struct sa *sa, const uint8_t p[16], uint16_t port)
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };

	if (!memcmp(p, v4, sizeof(v4)))
		sa_set_in(sa, get32(p + 12), port);
	else
		sa_set_in6(sa, p, port);
}


/* Reading ---------------------------------------------------------------- */

static int pcp_read(struct portmap_answer *a, const uint8_t *p, size_t len)
{
	/* to who asked in another version */
	if (p[3] == 1) {
		a->kind = PORTMAP_MAP;
		a->result = 1;
		return 0;
	}
	if (len < PCP_HEAD || len & 3)
		return EBADMSG;

	a->result = p[3];
	a->lifetime = get32(p + 4);
	a->epoch = get32(p + 8);

	switch (p[1] & 0x7f) {

	case OP_ANNOUNCE:
		a->kind = PORTMAP_ANNOUNCE;
		return 0;

	case OP_MAP:
		a->kind = PORTMAP_MAP;
		break;

	default:
		return EBADMSG;
	}

	if (len < PCP_HEAD + PCP_MAP || p[PCP_HEAD + 12] != UDP)
		return EBADMSG;

	p += PCP_HEAD;
	memcpy(a->nonce, p, PCP_NONCE);
	a->internal = (uint16_t)get16(p + 16);
	a->external = (uint16_t)get16(p + 18);
	get_addr(&a->addr, p + 20, a->external);

	return 0;
}


static int pmp_read(struct portmap_answer *a, const uint8_t *p, size_t len)
{
	if (len < 8)
		return EBADMSG;

	a->result = get16(p + 2);
	a->epoch = get32(p + 4);

	switch (p[1] & 0x7f) {

	case OP_ADDRESS:
		a->kind = PORTMAP_ADDRESS;
		if (!a->result && len < 12)
			return EBADMSG;
		if (!a->result)
			sa_set_in(&a->addr, get32(p + 8), 0);
		return 0;

	case OP_MAP_UDP:
		a->kind = PORTMAP_MAP;
		if (len >= 16) {
			a->internal = (uint16_t)get16(p + 8);
			a->external = (uint16_t)get16(p + 10);
			a->lifetime = get32(p + 12);
			return 0;
		}
		/* an error may be short */
		return a->result ? 0 : EBADMSG;

	default:
		return EBADMSG;
	}
}


int portmap_read(struct portmap_answer *a, const uint8_t *p, size_t len)
{
	memset(a, 0, sizeof(*a));
	sa_init(&a->addr, AF_UNSPEC);

	if (len < 4 || len > PORTMAP_MAX || !(p[1] & ANSWER))
		return EBADMSG;

	a->version = p[0];

	/* who knows another version says so in its own way; enough is known */
	if (a->version != PMP_VERSION && a->version != PCP_VERSION) {
		a->kind = PORTMAP_MAP;
		a->result = p[3];
		return p[3] == 1 ? 0 : EBADMSG;
	}

	return a->version == PCP_VERSION ? pcp_read(a, p, len) :
		pmp_read(a, p, len);
}


int portmap_result(unsigned version, unsigned result)
{
	static const int pcp[] = {
		0, EPROTONOSUPPORT, EACCES, EPROTO, EPROTONOSUPPORT,
		EPROTONOSUPPORT, EPROTO, ENETDOWN, ENOSPC, EPROTONOSUPPORT,
		EDQUOT, EADDRNOTAVAIL, EADDRNOTAVAIL, ENOSPC,
	};
	static const int pmp[] = {
		0, EPROTONOSUPPORT, EACCES, ENETDOWN, ENOSPC, EPROTONOSUPPORT,
	};

	if (version == PMP_VERSION)
		return result < ARRAY_SIZE(pmp) ? pmp[result] : EPROTO;

	return result < ARRAY_SIZE(pcp) ? pcp[result] : EPROTO;
}


bool portmap_restarted(uint32_t before, uint32_t epoch, uint64_t passed_s)
{
	uint64_t server;

	if (epoch < before)
		return before - epoch > 1;

	server = epoch - before;

	return passed_s + 2 < server - server / 16 ||
		server + 2 < passed_s - passed_s / 16;
}


/* Writing ---------------------------------------------------------------- */

size_t pcp_write_map(uint8_t p[PORTMAP_OUT], const struct sa *local,
		     const struct sa *wish, const uint8_t nonce[PCP_NONCE],
		     uint32_t lifetime)
{
	uint8_t *m = p + PCP_HEAD;

	memset(p, 0, PORTMAP_OUT);
	p[0] = PCP_VERSION;
	p[1] = OP_MAP;
	put32(p + 4, lifetime);
	put_addr(p + 8, local, sa_af(local));

	memcpy(m, nonce, PCP_NONCE);
	m[12] = UDP;
	put16(m + 16, sa_port(local));
	put16(m + 18, sa_port(wish));
	put_addr(m + 20, wish, sa_af(local));

	return PCP_HEAD + PCP_MAP;
}


size_t pmp_write_map(uint8_t p[PORTMAP_OUT], uint16_t internal,
		     uint16_t external, uint32_t lifetime)
{
	memset(p, 0, 12);
	p[0] = PMP_VERSION;
	p[1] = OP_MAP_UDP;
	put16(p + 4, internal);
	put16(p + 6, lifetime ? external : 0);
	put32(p + 8, lifetime);

	return 12;
}


size_t pmp_write_address(uint8_t p[PORTMAP_OUT])
{
	p[0] = PMP_VERSION;
	p[1] = OP_ADDRESS;

	return 2;
}
