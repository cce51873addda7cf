/**
 * @file media/rtp.h  Packets, their sockets, what is counted of them
 *
 * Included by priv.h, behind what it needs.  Media thread, but for what says
 * otherwise.
 */
#ifndef OFFHOOK_MEDIA_RTP_H
#define OFFHOOK_MEDIA_RTP_H

#include "nack.h"

/* RTP and its sockets (transport.c) ------------------------------------- */

enum {
	RTP_HEADER   = 12,
	PACKET_MAX   = 1600,
	PACKETS_TICK = 64,       /* read from one socket in one step        */
};

struct rtp {
	const uint8_t *payload;  /* without padding                         */
	size_t len;
	uint32_t ts, ssrc;
	uint16_t seq;
	uint8_t pt;
	bool marker;
};

/** @return 0 or EBADMSG; points into p */
int  rtp_read(struct rtp *h, const uint8_t *p, size_t len);
/** The fixed header; payload is not looked at */
void rtp_write(uint8_t p[RTP_HEADER], const struct rtp *h);
/** RTCP on the port of RTP (RFC 5761)? */
bool rtp_is_rtcp(const uint8_t *p, size_t len);

struct packet {
	uint8_t *p;              /* may be worked on in place                */
	size_t len;
	const struct sa *from;
	uint64_t arrival_us;
	uint8_t mark;            /* its DSCP + 1 as it came, 0: not known    */
};

/** Room to receive into, shared by all sockets of an engine */
struct inbox;
int  inbox_alloc(struct inbox **ip);
/** Begin of a step: how far the wall clock is from ours */
void inbox_sync(struct inbox *in);

typedef int (transport_send_h)(bool rtcp, const struct sa *dst,
			       const uint8_t *p, size_t len, void *arg);

struct transport {
	int rtp, rtcp;           /* sockets, -1: none                       */
	struct sa local;         /* of RTP                                  */
	struct sa peer;          /* negotiated                              */
	struct sa peer_rtcp;     /* unset: RTCP is not sent                 */
	bool mux;
	bool proven;             /* there is somebody at peer who wants it  */
	bool shut;               /* nothing goes out: that is not known     */
	bool fixed;              /* nobody but whom we were told of         */
	struct sa from;          /* latched: what we hear and speak to      */
	bool latched;
	unsigned changes;        /* of it, in mid-stream                    */
	uint32_t ssrc;           /* heard from there                        */
	uint64_t heard_us;       /* last time                               */
	uint64_t foreign;        /* discarded: from somewhere else          */
	unsigned told;
	struct shield *shield;   /* NULL: plain (srtp.h)                    */
	struct shield *shield_rtcp;  /* RTCP's own, NULL: the same          */
	struct sniff *const *sniff;  /* the engine's, NULL: none            */
	struct impair *const *impair;    /* the same                        */
	struct held in, out;     /* on their way (impair.h)                 */
	impair_h *fault_h;       /* what is done to them, NULL: untold      */
	void *fault_arg;
	void *last;              /* that came out of in                     */
	struct shake *shake;     /* how it gets its keys, NULL: it has them */
	struct shake *shake_rtcp;    /* how shield_rtcp does                */
	struct nat *nat;         /* NULL: no servers and no ICE             */
	struct again *again;     /* what went out lately; NULL: nobody asks
				    for it (nack.h)                         */
	transport_send_h *send_h;  /* tests: in place of the sockets        */
	void *send_arg;
};

/** Bind an even port and the odd one above it. Any thread.
 *  @return 0, EADDRINUSE, EMFILE ... */
int  transport_open(struct transport *t, const struct sa *local,
		    uint16_t port_min, uint16_t port_max);
void transport_close(struct transport *t);
/** Time stamps stay switched on in the kernel while this is open. To switch
 *  them on or off it patches its own code and stops every processor for that:
 *  not twice a call.  @return a descriptor to close, -1 */
int  stamps_keep(void);
/** How what it sends is marked */
void transport_mark(const struct transport *t, unsigned dscp);
/** Take what waits. @return packets, valid until the next call */
unsigned transport_recv(const struct transport *t, bool rtcp,
			struct inbox *in, struct packet **pv);
int  transport_send(struct transport *t, bool rtcp, const uint8_t *p,
		    size_t len);
/** Once more what went out under that number. @return 0, ENOENT: it is not kept
 *  any more, or was asked for too often; errno */
int  transport_send_again(struct transport *t, uint16_t seq);
/** From the port of RTP, or RTCP's own, and as it is */
int  transport_send_raw(struct transport *t, bool rtcp, const struct sa *dst,
			const uint8_t *p, size_t len);
/** What protects those packets; NULL: nothing */
struct shield *transport_shield(const struct transport *t, bool rtcp);

/** Onto the wire, as it is. @return 0 or errno */
int  transport_put(const struct transport *t, bool rtcp, const struct sa *dst,
		   const uint8_t *p, size_t len);
/**
 * For a capture: call it where a packet is as it is on the wire, and with
 * clear where it is not protected (sniff.c)
 */
void transport_sniff(const struct transport *t, bool clear, bool tx, bool rtcp,
		     const struct sa *peer, const uint8_t *p, size_t len);

/* Whom it hears and speaks to (transport_peer.c) */

/** Where to from now on; forgets whom we heard when that changes */
void transport_aim(struct transport *t, const struct sa *rtp,
		   const struct sa *rtcp, bool mux);
/** After transport_aim: is it known that the peer is there? Once it is it
 *  stays so, until it is another */
void transport_trust(struct transport *t, bool proven);
/** Is it where the negotiation says that packets come from? */
bool transport_names(const struct transport *t, const struct sa *from);
/** A valid packet came from there: is it our peer? Latches */
bool transport_accepts(struct transport *t, const struct sa *from,
		       uint32_t ssrc, uint64_t now_us);
bool transport_accepts_rtcp(const struct transport *t, const struct sa *from);

/** An IP address to be printed */
struct address_text {
	char s[64];
} address_text(const struct sa *sa);

/* Figures (stats.c) ----------------------------------------------------- */

/** What a source of RTP has sent us, after RFC 3550 A.1, A.3, A.8 */
struct source {
	bool known;
	uint32_t ssrc;
	uint32_t clock_hz;
	uint32_t base;           /* first number                            */
	uint32_t high;           /* highest, with wraps                     */
	uint64_t received;       /* without duplicates we know of           */
	uint64_t expected_then, received_then;   /* at the last report      */
	int64_t transit_us;
	double jitter_us;
};

void source_init(struct source *s, uint32_t ssrc, uint32_t clock_hz,
		 uint16_t seq);
/** timed: its time stamp is the time it was sampled (not so for events) */
void source_heard(struct source *s, uint16_t seq, uint32_t ts,
		  uint64_t arrival_us, bool timed);
uint64_t source_lost(const struct source *s);
/** Fraction lost since the last call, of 256 */
uint8_t source_fraction(struct source *s);

/** Loudness of a running second */
struct level {
	double sum;
	uint32_t n;
	uint32_t rate_hz;
	double dbfs;             /* of the last full second                 */
};

void level_init(struct level *l, uint32_t rate_hz);
/** @return mean square of these samples */
double level_add(struct level *l, const int16_t *v, size_t n);

/* RTCP (rtcp.c) --------------------------------------------------------- */

struct report_out {              /* what a report says */
	uint64_t now_us;         /* our clock                               */
	uint64_t wall_ms;
	uint32_t ssrc;
	bool sender;             /* we have sent lately: SR, else RR        */
	uint32_t rtp_ts;         /* at now                                  */
	uint32_t packets, bytes;
	struct source *source;   /* whom we hear, or NULL                   */
	const struct xr_voip *xr;    /* how it sounds, or NULL              */
	bool reduced;            /* the peer takes less than a compound     */
};

struct report {
	char cname[64];
	uint64_t due_us;         /* next report                             */
	bool first;
	unsigned reduced;        /* so many in reduced size since a whole   */
	uint32_t lsr;            /* middle of the last SR's time, 0: none   */
	uint32_t lsr_ssrc;       /* whose it was                            */
	uint64_t lsr_us;         /* when it came                            */
	uint32_t rtt_us;
	bool remote_known;
	uint64_t remote_count;   /* reports on us                           */
	uint32_t remote_lost, remote_jitter, remote_fraction;
	uint64_t idle_us;        /* it said that it sends nothing           */
	bool xr_known;           /* how we sound there                      */
	struct xr_voip xr;
	bool bye;                /* the peer said good-bye                  */
	uint16_t nackv[2 * NACK_MOST];   /* of ours, missed there: in the last
				    packet                                  */
	unsigned nackn;
	uint64_t malformed;
};

void   report_init(struct report *r, const char *cname, uint64_t now_us);
bool   report_due(const struct report *r, uint64_t now_us);
/** @return bytes; schedules the next. In reduced size (RFC 5506) the name is
 *  left out of most */
size_t report_build(struct report *r, uint8_t *p, size_t size,
		    const struct report_out *o);
/** Numbers of theirs that we miss (RFC 4585), between two reports. Alone, or
 *  behind what has to stand before it. @return bytes */
size_t report_nack(const struct report *r, uint8_t *p, size_t size,
		   const struct report_out *o, const uint16_t *seqv,
		   unsigned n);
/** SR or RR, SDES and BYE */
size_t report_bye(struct report *r, uint8_t *p, size_t size,
		  const struct report_out *o);
/** our_ssrc: whose reception we care for; ssrc: of the peer, 0: any.
 *  @return 0 or EBADMSG */
int    report_read(struct report *r, const uint8_t *p, size_t len,
		   uint64_t arrival_us, uint64_t wall_ms, uint64_t now_us,
		   uint32_t our_ssrc, uint32_t ssrc);

#endif
