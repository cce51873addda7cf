/**
 * @file sip_peer.h  A raw SIP peer, in the same loop as what it tests
 *
 * It does nothing by itself: the test tells it what to send, right or wrong,
 * and waits for what came.  No transactions, so it can forget, repeat and
 * reorder as it is told.  cmocka's asserts are for the test, not for handlers.
 */
#ifndef FAKE_SIP_PEER_H
#define FAKE_SIP_PEER_H

#include "offhook/compat.h"

struct peer;

/** One side of a dialog as the peer sees it */
struct peer_dialog {
	char callid[256];
	char local[256], ltag[64];       /* URI and tag                */
	char remote[256], rtag[64];
	char target[256];                /* of the other side          */
	char route[512];                 /* whole Route lines, or ""   */
	uint32_t cseq;
	struct sa dst;
	char branch[64];                 /* of the last request        */
};

/** 127.0.0.1, a free port, UDP */
int  peer_alloc(struct peer **pp);
/** The same on TCP: dst NULL waits for one connection, else it makes one */
int  peer_alloc_tcp(struct peer **pp, const struct sa *dst);
/** Close the connection, but go on listening */
void peer_drop(struct peer *p);
/** Connections accepted so far */
unsigned peer_accepted(const struct peer *p);
const struct sa *peer_addr(const struct peer *p);
/** "sip:peer@127.0.0.1:port" */
const char *peer_uri(const struct peer *p);

/** Run the loop until cond is true. @return its last value */
bool loop_until(bool (*cond)(void *arg), void *arg, unsigned ms);
void loop_run(unsigned ms);
/** A fake clock goes on while the loop runs, between the jumps of a test */
void loop_moves_clock(bool moves);

/**
 * Wait for a message: "INVITE", or "200 BYE" for a response to BYE. Others
 * stay queued. The message belongs to the peer and lives until it is freed.
 * @return NULL when none came in time
 */
const struct sip_msg *peer_wait(struct peer *p, const char *what,
				unsigned ms);
/** How many such messages are queued, not waited for */
unsigned peer_count(const struct peer *p, const char *what);
void peer_forget(struct peer *p);        /* what is queued */
/** What came and was no message: keep-alives, STUN. The last one, and how
 *  many there were; NULL: none */
const uint8_t *peer_raw(const struct peer *p, size_t *len, unsigned *n);
/** Replies tell in Via that requests come from there; NULL: say nothing */
void peer_see(struct peer *p, const struct sa *addr);

void peer_send(struct peer *p, const struct sa *dst, const char *text,
	       size_t len);

/** Reply as it should be, but for the details given. tag: "" none;
 *  headers: whole lines or ""; body: SDP or NULL */
void peer_reply(struct peer *p, const struct sip_msg *req, unsigned code,
		const char *tag, const char *headers, const char *body);

/** The peer's side after it answered req with tag */
void peer_dialog_uas(struct peer_dialog *d, const struct peer *p,
		     const struct sip_msg *req, const char *tag);
/** The peer will call dst */
void peer_dialog_uac(struct peer_dialog *d, const struct peer *p,
		     const struct sa *dst);
/** Take tag and target of a response */
void peer_dialog_take(struct peer_dialog *d, const struct sip_msg *resp);

/** A request with a new branch and, but for ACK and CANCEL, a new CSeq.
 *  CANCEL uses the branch of the last request */
void peer_request(struct peer *p, struct peer_dialog *d, const char *method,
		  const char *headers, const char *body);

/** Value of a header, "" when it is not there */
const char *msg_header(const struct sip_msg *msg, const char *name);
/** Body as a string, "" none */
const char *msg_body(const struct sip_msg *msg);
/** The request line's URI */
const char *msg_ruri(const struct sip_msg *msg);

#endif
