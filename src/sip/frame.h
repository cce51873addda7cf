/**
 * @file sip/frame.h  Where one message of a connection ends and the next begins
 */
#ifndef OFFHOOK_SIP_FRAME_H
#define OFFHOOK_SIP_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
	FRAME_HEAD_MAX = 65536,     /* start line and headers                 */
	FRAME_BODY_MAX = 65536,
};

enum frame_kind {
	FRAME_MORE,                 /* not all of it is there yet             */
	FRAME_BLANK,                /* an empty line: a keep-alive            */
	FRAME_MESSAGE,
	FRAME_BAD,                  /* nobody knows where the next one begins */
};

/** What stands first. Zero it before the first byte of a message */
struct frame {
	enum frame_kind kind;
	size_t len;                 /* bytes it takes; BAD: that a refusal may
				       be made of, 0: none                    */
	size_t head;                /* of these, what is not body             */
	size_t seen;                /* looked at already; grows               */
	bool lf;
	bool line;                  /* the start line was looked at           */
	const char *why;            /* BAD: what is wrong                     */
};

/**
 * Look at len bytes from the first of a message on. They may be more at the
 * next call, never others. RFC 3261 7.4.2, 18.3
 */
void frame_look(struct frame *f, const char *p, size_t len);

#endif
