/**
 * @file ua_sdp.h  A session description that somebody has written
 *
 * For who wants to see what the other side makes of it.  The words {address},
 * {family} (IP4, IP6), {port} and {rtcp-port} stand for where sound is received
 * in that call.  Pure; any thread.
 */
#ifndef OFFHOOK_UA_SDP_H_PUBLIC
#define OFFHOOK_UA_SDP_H_PUBLIC

#include <stddef.h>

enum { UA_SDP_MAX = 32768, UA_SDP_FINDINGS = 32 };

/** line: from 1; 0: it is about all of it. text: one sentence */
typedef void (ua_sdp_lint_h)(unsigned line, const char *text, void *arg);

/** Tell what breaks RFC 8866 or cannot be meant, at most UA_SDP_FINDINGS of
 *  it. @return how many were told */
unsigned ua_sdp_lint(const char *text, size_t len, ua_sdp_lint_h *h,
		     void *arg);

#endif
