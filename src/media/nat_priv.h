/**
 * @file nat_priv.h  What nat.c, nat_base.c, nat_server.c and nat_gather.c share
 *
 * One struct nat for a flow, touched by the media thread only.
 */
#ifndef OFFHOOK_MEDIA_NAT_INNER_H
#define OFFHOOK_MEDIA_NAT_INNER_H

#include "ice.h"
#include "nat.h"
#include "priv.h"
#include "stun.h"
#include "turn.h"

/** A port of ours on the router: 0 sound, 1 reports */
struct map {
	struct nat *n;
	struct portmap *p;       /* NULL: not asked for                     */
	struct sa out;
	int err;                 /* EAGAIN: no answer yet                   */
};

/** An address of this machine, and what the STUN server says of it */
struct base {
	struct nat *n;
	struct transport tp;     /* its socket; not used by the first, which is
				    the flow's own                          */
	struct compat_fd watch;
	struct stun_out ask;     /* of the STUN server                      */
	unsigned tries;          /* 0: nothing is asked                     */
	uint64_t due_us, keep_us;
	struct sa mapped;
};

struct nat {
	struct flow *f;
	struct media_nat conf;
	struct media_conf mc;
	struct timer tmr;
	struct compat_fd watch;
	bool watched;
	uint64_t begin_us;
	bool told;               /* gathering is over                       */

	struct base basev[MEDIA_BASES];
	uint64_t mapped_us;      /* the first of them was told, 0: none yet */
	unsigned stun_next;      /* of conf.stunv                           */

	struct turn *turn;
	unsigned turn_base;      /* what it is asked from                   */
	bool turn_told, turn_checked;
	bool moved;              /* the socket is another one since         */
	unsigned turn_next, redirects;
	uint64_t turn_us;        /* begun                                   */
	uint64_t more_us;        /* what changing servers takes             */

	struct map maps[2];

	struct media_ice agreed;
	struct ice *ice;
	enum ice_state ice_told;
	struct sa way;           /* told of                                 */
	unsigned way_via;
};

/* nat.c */
/** A packet that came to that address of ours. @return false: it is sound */
bool nat_packet_at(struct nat *n, unsigned base, struct packet *p);
/** What a struct turn sends to its server, and what came by it */
void nat_relay_out(const uint8_t *p, size_t len, void *arg);
void nat_relayed_h(const struct sa *peer, uint8_t *p, size_t len, void *arg);
/** The engine reads the socket from now on, or nobody */
void nat_unwatch(struct nat *n);
/** Tell main: a stream_event_type */
void nat_post(struct nat *n, int type, const char *text, bool relayed);

/* nat_base.c */
void nat_bases_init(struct nat *n);
/** Those of the configuration, and no others */
void nat_bases_open(struct nat *n);
void nat_bases_close(struct nat *n);
/** Unset: there is none of that number */
const struct sa *nat_base_local(const struct nat *n, unsigned no);
/** The next of that family behind one, -1: the first. @return -1: none */
int  nat_base_of(const struct nat *n, int af, int behind);
/** @return 0 or errno */
int  nat_base_send(struct nat *n, unsigned no, const struct sa *dst,
		   const uint8_t *p, size_t len);

/* nat_server.c */
/** Ask the STUN server where each of our addresses is seen */
void nat_ask(struct nat *n, uint64_t now_us);
/** Is the answer to one of them still awaited? */
bool nat_asks(const struct nat *n, uint64_t now_us);
void nat_ask_tick(struct nat *n, uint64_t now_us);
/** @return true: it was the answer to that */
bool nat_answered(struct nat *n, unsigned base, const uint8_t *p, size_t len);
/** The relay from the start, or only whether it still knows us */
void nat_relay_again(struct nat *n);
/** Has it failed? Then the next one is asked, or it is told once */
void nat_relay_look(struct nat *n, uint64_t now_us);

/* nat_gather.c */
void nat_maps_begin(struct nat *n);
/** Post STREAM_GATHERED when all have answered, or had their time */
void nat_gather_look(struct nat *n, uint64_t now_us);

#endif
