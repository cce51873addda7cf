/**
 * @file agreed.h  What was offered in a call, and what was answered to it
 *
 * From the messages that are kept (capture.h): credentials and keys are masked
 * there.  Nothing is escaped.  Main thread.
 */
#ifndef OFFHOOK_AGREED_H
#define OFFHOOK_AGREED_H

#include "offhook/capture.h"

enum { AGREED_LINES = 256 };     /* of a description; others are not seen  */

/** The last offer of a call that was answered and its answer; of one that
 *  never was, its last offer */
struct agreed {
	const struct capture_msg *offer;
	const struct capture_msg *answer;       /* NULL: none, or not kept  */
};
/** @return false: no message with a description is kept of it */
bool agreed_find(struct agreed *a, const struct capture *c, unsigned call);

enum agreed_side { AGREED_BOTH, AGREED_OFFER, AGREED_ANSWER };
const char *agreed_side_name(enum agreed_side side);     /* "both" ...      */

struct agreed_line {
	enum agreed_side side;   /* where it stands                          */
	unsigned media;          /* 0: the session; 1: the first m= line ... */
	const char *text;        /* without its end, not NUL-terminated      */
	size_t len;
};
typedef void (agreed_h)(const struct agreed_line *line, void *arg);

/**
 * Compare them, m= line by m= line as RFC 3264 pairs them. What only one has
 * is told where the other one has its like; without an answer all is only
 * offered.
 */
void agreed_compare(const struct agreed *a, agreed_h *h, void *arg);

/** The same for people: one line each, "  " both, "- " offered alone, "+ "
 *  answered alone; what they are comes first */
void agreed_print(struct text_buf *b, const struct agreed *a);

#endif
