/**
 * @file base/portmap_msg.h  Messages of PCP and NAT-PMP, read and written
 *
 * Pure; any thread.
 */
#ifndef OFFHOOK_BASE_PORTMAP_MSG_H
#define OFFHOOK_BASE_PORTMAP_MSG_H

#include <offhook/compat.h>

enum {
	PCP_VERSION  = 2,
	PMP_VERSION  = 0,
	PORTMAP_PORT = 5351,
	PORTMAP_HEARD = 5350,    /* where a router tells that it has restarted */
	PCP_NONCE    = 12,
	PORTMAP_MAX  = 1100,     /* longest message (RFC 6887 7)             */
	PORTMAP_OUT  = 60,       /* longest that we send                     */
};

enum portmap_kind {
	PORTMAP_ANNOUNCE,        /* the router is there, or again            */
	PORTMAP_ADDRESS,         /* NAT-PMP: its outer address               */
	PORTMAP_MAP,
};

/** What came */
struct portmap_answer {
	unsigned version;
	enum portmap_kind kind;
	unsigned result;         /* 0: success                               */
	uint32_t lifetime;       /* s; of an error: how long it will last    */
	uint32_t epoch;          /* s since the router forgot everything     */
	uint8_t nonce[PCP_NONCE];        /* PCP                              */
	uint16_t internal;       /* of ours                                  */
	uint16_t external;
	struct sa addr;          /* outside; unset: not told                 */
};

/** @return 0, EBADMSG: no answer, or not about UDP */
int  portmap_read(struct portmap_answer *a, const uint8_t *p, size_t len);
/** errno of a result that is not 0 */
int  portmap_result(unsigned version, unsigned result);
/** Has the router forgotten what it knew (RFC 6887 8.5)? spans in s */
bool portmap_restarted(uint32_t epoch_before, uint32_t epoch,
		       uint64_t passed_s);

/** A mapping of this port; lifetime 0: away with it. @return length */
size_t pcp_write_map(uint8_t p[PORTMAP_OUT], const struct sa *local,
		     const struct sa *wish, const uint8_t nonce[PCP_NONCE],
		     uint32_t lifetime);
size_t pmp_write_map(uint8_t p[PORTMAP_OUT], uint16_t internal,
		     uint16_t external, uint32_t lifetime);
size_t pmp_write_address(uint8_t p[PORTMAP_OUT]);

#endif
