/**
 * @file media_nat.h  How the packets of a stream find through NATs
 *
 * Values only: servers that help (STUN, TURN), what was gathered with them,
 * and the candidates of ICE (RFC 8445), ours and the peer's.
 */
#ifndef OFFHOOK_MEDIA_NAT_H
#define OFFHOOK_MEDIA_NAT_H

#include "offhook/compat.h"
#include "offhook/portmap.h"

enum {
	ICE_UFRAG_MAX = 64,      /* with the end; RFC 8445 allows 256        */
	ICE_PWD_MAX   = 128,
	ICE_CANDS     = 16,      /* of one side                              */
	MEDIA_BASES   = 6,       /* addresses of this machine that ICE uses  */
	MEDIA_SERVERS = 4,       /* of one kind, after the first             */
};

enum media_relay { RELAY_NONE, RELAY_UDP, RELAY_TCP, RELAY_TLS };

/** One that is asked when those before it fail */
struct media_server {
	struct sa addr;
	enum media_relay relay;  /* TURN                                     */
	char host[256];
};

/** Who helps. Addresses are found out before */
struct media_nat {
	bool ice;
	struct sa stun;          /* unset: none                              */
	enum media_relay relay;
	struct sa turn;
	char turn_host[256];     /* name in its certificate                  */
	char turn_user[128], turn_password[128];
	bool tls_verify;
	char tls_ca[256];        /* "" the system's                          */
	struct media_server stunv[MEDIA_SERVERS], turnv[MEDIA_SERVERS];
	unsigned stunc, turnc;
	enum portmap_how portmap;        /* ask the router for ports ...     */
	struct sa gateway;               /* ... this one                     */
	struct sa basev[MEDIA_BASES - 1];        /* for ICE, beside the
						    stream's own, the better
						    ones first               */
	unsigned basec;
};

enum media_cand_type { CAND_HOST, CAND_SRFLX, CAND_PRFLX, CAND_RELAY };
const char *media_cand_name(enum media_cand_type type);

struct media_cand {
	enum media_cand_type type;
	uint32_t priority;
	struct sa addr;
	struct sa base;          /* raddr; unset: none                       */
	unsigned path;           /* which of our addresses it is of: others
				    of its type and path are as likely to
				    work (RFC 8445 5.1.1.3)                  */
};

/** What gathering has brought */
struct media_gathered {
	struct sa mapped;        /* as a server sees us, unset: not known    */
	struct sa mapped_rtcp;   /* reports; unset: the port after it        */
	int map_err;             /* the router maps no port: why, 0: it does,
				    or was not asked                         */
	struct media_cand candv[ICE_CANDS];
	unsigned candc;
};

/** ICE of a session as negotiated */
struct media_ice {
	bool on;
	bool controlling;
	char ufrag[ICE_UFRAG_MAX], pwd[ICE_PWD_MAX];          /* ours        */
	char peer_ufrag[ICE_UFRAG_MAX], peer_pwd[ICE_PWD_MAX];
	struct media_cand candv[ICE_CANDS];                   /* the peer's  */
	unsigned candc;
};

/** A way that ICE looks at (RFC 8445 6.1.2): one of ours and one of theirs */
struct media_pair {
	const char *state;       /* waiting, checking, works, failed         */
	enum media_cand_type local_type;         /* host or relay: what we
						    send from                */
	enum media_cand_type remote_type;
	struct sa local, remote;
	bool nominated;          /* the controlling side wants it            */
	bool chosen;             /* sound goes there                         */
	unsigned checks;         /* asked so often                           */
	uint32_t rtt_us;         /* of the last that was answered, 0: none   */
};

enum { MEDIA_PAIRS = 100 };      /* RFC 8445 6.1.2.5 */

/** All of them, the best first */
struct media_ways {
	const char *state;       /* checking, connected: some way works,
				    chosen, failed: none does, lost: the peer
				    does not consent any more                */
	bool controlling;
	struct media_pair pairv[MEDIA_PAIRS];
	unsigned pairc;
};

bool media_ice_equal(const struct media_ice *a, const struct media_ice *b);

#endif
