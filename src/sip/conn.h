/**
 * @file sip/conn.h  Connections: TCP and TLS
 *
 * A connection is found by its peer, or by its number, which is never used
 * again; whoever wants to know when it is gone watches it.  No handler is
 * called from inside a function of this file.  Low to high: frame (messages
 * in a stream), tlspipe (TLS without a socket), sock (sockets), conn,
 * conn_listen (those that others make), flow (the way of a message).
 */
#ifndef OFFHOOK_SIP_CONN_H
#define OFFHOOK_SIP_CONN_H

#include "tls.h"
#include "frame.h"

enum { CONN_WHY = CERT_TEXT };

enum conn_state {
	CONN_OPENING,               /* TCP                                    */
	CONN_SHAKING,               /* TLS                                    */
	CONN_UP,
	CONN_GONE,                  /* found by nobody any more               */
};

struct conn {
	struct le le, pe, ie;       /* conns->all, ->peers, ->ids             */
	struct leg *leg;            /* NULL: the stack is gone                */
	uint64_t id;
	enum sip_transp tp;
	enum conn_state state;
	bool incoming;
	struct sa laddr, peer;
	int fd;                     /* -1: closed                             */
	struct compat_fd fdw;
	int fd_flags;               /* what it is watched for                 */
	struct tlspipe *pipe;       /* TLS                                    */
	struct mbuf *in;            /* pos..end: not yet a whole message      */
	struct frame frame;         /* of what is at pos                      */
	struct mbuf *out;           /* what the socket did not take yet       */
	struct list queue;          /* messages until it is up                */
	size_t queued;              /* their bytes                            */
	struct list watches;
	struct timer tmr;           /* what must have happened by then        */
	struct timer turn;          /* the watches are told                   */
	unsigned blanks;            /* empty lines in a row                   */
	bool pinged;                /* our ping waits for its pong            */
	bool lingers;               /* gone, but the peer may read yet        */
	int err;                    /* why it is gone                         */
	char why[CONN_WHY];         /* the same, a sentence; "": strerror     */
};

/** Told once when the connection is gone, unless it was taken away before */
struct conn_watch {
	struct le le;
	void (*h)(int err, const char *why, void *arg);
	void *arg;
};

/** What a connection is made for. tls, domain: TLS only */
struct conn_want {
	enum sip_transp tp;
	struct sa dst;
	struct sip_tls *tls;        /* NULL: the stack's                      */
	const char *domain;         /* whom the certificate must name         */
};

/* conn.c */
int  conns_alloc(struct conns **cp);
void conns_stack_gone(struct sip_stack *s);
/** One that is there, or one that is being made now. @return 0 or errno */
int  conn_get(struct conn **cp, struct leg *l, const struct conn_want *want);
/** NULL: gone */
struct conn *conn_find(const struct sip_stack *s, uint64_t id);
/** Take over a socket that was accepted; it is closed on failure */
int  conn_accepted(struct leg *l, enum sip_transp tp, int fd,
		   const struct sa *peer);
/** Send a message, when it is up if it is not yet. mb: pos..end, not kept.
 *  @return 0, ENOTCONN, ENOBUFS (and it is gone) ... */
int  conn_send(struct conn *c, struct mbuf *mb);
enum conn_blank {
	CONN_PONG,                  /* "\r\n"                                 */
	CONN_TOUCH,                 /* "\r\n\r\n", and no answer need come   */
	CONN_PING,                  /* the same, and pinged until it comes    */
};
int  conn_blank(struct conn *c, enum conn_blank what);
void conn_watch(struct conn *c, struct conn_watch *w,
		void (*h)(int err, const char *why, void *arg), void *arg);
void conn_unwatch(struct conn_watch *w);
/** It is gone from now on; watches are told on the next turn. why: NULL,
 *  "": the words for err */
void conn_end(struct conn *c, int err, const char *why);
unsigned conns_count(const struct sip_stack *s);
/** End all of a leg that is gone; all: every one. why: a sentence */
void conns_end(struct sip_stack *s, bool all, int err, const char *why);

/* between conn.c and conn_io.c */
enum conn_wait_for {
	CONN_WAIT_OPEN,
	CONN_WAIT_FIRST,            /* message of a peer who came             */
	CONN_WAIT_HALF,             /* the rest of a message                  */
	CONN_WAIT_IDLE,
};
void conn_wait(struct conn *c, enum conn_wait_for what);
void conn_gone(struct conn *c, int err, const char *why, bool linger);
void conn_lingered(struct conn *c);
void conn_up(struct conn *c);
/** What the socket is watched for */
int  conn_listen(struct conn *c, int flags);
/** What is still to go out goes if the socket takes it; nobody waits */
void conn_last_words(struct conn *c);

/* sock.c */
/** Connect from laddr. @return 0 or errno; under way or done */
int  sock_connect(int *fdp, const struct sa *laddr, const struct sa *dst,
		  unsigned dscp);
/** Listen; a port that another program has is refused even where the system
 *  would share it. got: with the port. @return 0 or errno */
int  sock_listen(int *fdp, const struct sa *laddr, struct sa *got);
/** What every connection of ours is set to */
void sock_tune(int fd);
int  sock_local(int fd, struct sa *sa);

/* conn_listen.c */
struct listener;
int  listener_open(struct listener **lp, struct leg *l, enum sip_transp tp,
		   const struct sa *addr, struct sa *got);

#endif
