/**
 * @file capture.h  The SIP messages of the last minutes, kept in memory
 *
 * Every message as sent and received, in clear where TLS covers it on the
 * wire, with credentials and keys masked; and notes of what happened to the
 * sound in between.  Bounded in messages and bytes, the oldest go.  It is
 * what `ladder`, the screen, `pcap` and the findings look at.  Main thread.
 */
#ifndef OFFHOOK_CAPTURE_H
#define OFFHOOK_CAPTURE_H

#include "offhook/event.h"
#include "offhook/text.h"
#include "offhook/ua.h"

struct capture;

enum capture_kind {
	CAPTURE_SIP = 0,
	CAPTURE_NOTE,            /* text: one line about the sound           */
};

/** One of them; strings live as long as it does, nothing is escaped */
struct capture_msg {
	uint64_t seq;            /* from 1, never used again                 */
	uint64_t time_us;        /* wall clock, since 1970                   */
	enum capture_kind kind;
	unsigned call;           /* its id, 0: none, or not known            */
	bool tx;                 /* sent by us                               */
	bool again;              /* a retransmission: the same bytes before  */
	enum sip_transp tp;
	struct sa local, peer;   /* a note has none                          */
	uint16_t code;           /* status, 0: a request                     */
	uint32_t cseq;
	bool sdp;                /* has a session description                */
	char method[16];         /* of the request, or what is answered      */
	char reason[48];         /* phrase of a response                     */
	const char *callid;      /* "" none                                  */
	const char *text;        /* NUL-terminated                           */
	size_t len;
};

struct capture_limits {
	size_t messages;         /* 0: keep nothing                          */
	size_t bytes;            /* of all together                          */
};

/** Free: mem_deref */
int  capture_alloc(struct capture **cp, const struct capture_limits *lim);
/** Learn from the events which call a message is of, and what became of its
 *  sound. ua and bus are borrowed until mem_deref. @return 0 or errno */
int  capture_follow(struct capture *c, struct ua *ua, struct event_bus *bus);
/** Keep a message; masked before */
void capture_sip(struct capture *c, bool tx, enum sip_transp tp,
		 const struct sa *local, const struct sa *peer,
		 const char *text, size_t len);
/** The same with its time, for messages read from a file; 0: now */
void capture_sip_at(struct capture *c, uint64_t time_us, bool tx,
		    enum sip_transp tp, const struct sa *local,
		    const struct sa *peer, const char *text, size_t len);
void capture_note(struct capture *c, uint64_t time_us, unsigned call,
		  const char *text);
/** Messages of this Call-ID, earlier and later ones, are of that call */
void capture_bind(struct capture *c, const char *callid, unsigned call);

/** Each message as it is kept, after it was */
struct capture_tap;
typedef void (capture_h)(const struct capture_msg *m, void *arg);
/** mem_deref(tap) ends it, not from inside the handler */
int  capture_listen(struct capture_tap **tp, struct capture *c, capture_h *h,
		    void *arg);

/** The oldest after prev; prev NULL: the oldest of all. NULL: no more */
const struct capture_msg *capture_next(const struct capture *c,
				       const struct capture_msg *prev);
/** The newest before next; next NULL: the newest of all */
const struct capture_msg *capture_prev(const struct capture *c,
				       const struct capture_msg *next);
/** With that seq; NULL: it is gone, or was never */
const struct capture_msg *capture_find(const struct capture *c, uint64_t seq);

struct capture_stats {
	size_t messages, bytes;  /* kept now                                 */
	uint64_t seen, dropped;  /* ever                                     */
};
void capture_stats(const struct capture *c, struct capture_stats *st);

/* What a message says, for whoever shows it ------------------------------ */

/** "INVITE", "200 OK"; never escaped */
void capture_label(char *buf, size_t sz, const struct capture_msg *m);
/** Session description in one line, "" none: "opus g722 pcmu
 *  127.0.0.1:10000 sendrecv" */
void capture_sdp(char *buf, size_t sz, const struct capture_msg *m);
/** i-th header of that name, long or short form; folds become blanks.
 *  @return 0, ENOENT, EOVERFLOW */
int  capture_header(char *buf, size_t sz, const struct capture_msg *m,
		    const char *name, unsigned i);

/* ladder.c: the same as arrows between parties --------------------------- */

/**
 * One line a message, for a terminal or a file: time, arrow, what was said,
 * and what is to be seen in it. call 0: all that is kept.
 * @return lines of messages
 */
unsigned ladder_print(struct text_buf *b, const struct capture *c,
		      unsigned call);
/** The arrow of one message alone, w characters wide at least, no newline:
 *  "|--- INVITE --->|". For screens */
void ladder_arrow(char *buf, size_t sz, const struct capture_msg *m,
		  unsigned w);

#endif
