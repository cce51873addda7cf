/**
 * @file app/wire.h  Looking at the text of a SIP message
 *
 * For what only shows messages: nothing is believed, nothing is copied, a
 * message that is none has nothing.  Any thread.
 */
#ifndef OFFHOOK_APP_WIRE_H
#define OFFHOOK_APP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A piece of the message, not NUL-terminated */
struct piece {
	const char *p;           /* NULL: there is none                      */
	size_t n;
};

struct wire_start {
	struct piece method;     /* of a request                             */
	struct piece uri;
	uint16_t code;           /* of a response, 0: a request              */
	struct piece reason;
};

/** @return false: it does not begin like SIP */
bool wire_start(struct wire_start *st, const char *p, size_t len);
/** i-th header of that name in its long or short form, with its folds */
struct piece wire_header(const char *p, size_t len, const char *name,
			 unsigned i);
/** What is behind the empty line */
struct piece wire_body(const char *p, size_t len);
/** Its session description: the body, or the part of it that is one (RFC
 *  5621), unless that is coded */
struct piece wire_description(const char *p, size_t len);
bool piece_is(struct piece s, const char *text);         /* any case */
/** First line of a body that begins with that; without the end of the line */
struct piece wire_line(struct piece body, const char *begin, unsigned i);

/** The first audio description of an SDP body */
struct wire_sdp {
	char addr[64];           /* "" none                                  */
	uint16_t port;
	char proto[24];          /* RTP/AVP ...                              */
	char direction[12];
	char codecs[128];        /* names, with blanks between               */
	bool crypto, dtls, ice;
};
/** @return false: it has none */
bool wire_sdp(struct wire_sdp *s, struct piece body);

#endif
