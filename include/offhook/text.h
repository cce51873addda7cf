/**
 * @file text.h  Numbers, durations, escaping: text from outside made safe
 *
 * Numbers on the wire never wrap here: each function states its limits and
 * fails beyond them.  No function needs a NUL-terminated source unless it
 * takes a plain `const char *` without a length.  Any thread.
 */
#ifndef OFFHOOK_TEXT_H
#define OFFHOOK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_IPV4 = 22 };      /* the longest with a port, and the NUL */

/**
 * An IPv4 address (in host order) as text, "192.0.2.1"; with ":5060" behind it
 * unless port is negative. buf: TEXT_IPV4 bytes.
 * @return how long it is
 */
size_t text_ipv4(char *buf, uint32_t addr, int32_t port);

/**
 * Decimal digits only (no sign, no space), at least one, value <= max.
 * @return 0, EINVAL (not a number), ERANGE (too large)
 */
int text_u32(uint32_t *out, const char *p, size_t len, uint32_t max);
int text_i64(int64_t *out, const char *s, int64_t min, int64_t max);
int text_double(double *out, const char *s, double min, double max);

/**
 * A duration as users write it: `10`, `10s`, `500ms`, `2m`, `1h`; no unit is
 * seconds; a fraction is allowed (`0.5`). At most 1000 hours.
 */
int  text_duration(uint64_t *ms, const char *s);
/** The shortest way to write it back: "500ms", "20s", "2m" */
void text_duration_print(char *buf, size_t sz, uint64_t ms);

/**
 * Copy for a terminal or log: control characters, bidirectional overrides
 * and bytes that are not UTF-8 become '?', length bounded (cut on a character
 * boundary, "..." appended).  Always NUL-terminates when sz > 0. @return dst
 */
char *text_escape(char *dst, size_t sz, const char *src, size_t len);
bool  text_utf8_valid(const char *p, size_t len);
/** Bytes of a byte order mark at the start of a text: 3 or 0 */
size_t text_bom(const char *p, size_t len);
/** One character. @return bytes it takes, 0: not UTF-8 (or nothing left) */
size_t text_utf8_decode(uint32_t *cp, const char *p, size_t len);
/** What text_escape would not show: controls and bidirectional overrides */
bool  text_is_unsafe(uint32_t cp);

/** Copy len bytes and terminate. @return 0, EOVERFLOW, EINVAL (a NUL) */
int  text_copy(char *dst, size_t sz, const char *src, size_t len);
bool text_caseeq(const char *p, size_t len, const char *s);
/** A qvalue (RFC 3261 25.1): 0 to 1, at most three digits behind the point */
bool text_is_qvalue(const char *s);
/** Is s like pat, where `*` is anything? Without case */
bool text_glob(const char *pat, const char *s);

/**
 * "ADDR", "ADDR:PORT", "[V6]:PORT" and a bare IPv6 address, taken apart; the
 * colons of the last begin no port. *port is 0 when none is given.
 * @return 0, EINVAL; whether addr is one, its reader finds out
 */
int  text_addr(char *addr, size_t sz, uint16_t *port, const char *p,
	       size_t len);

/**
 * Percent-decode into dst, which may be src; untouched on failure.
 * @return 0, EINVAL (bad escape, %00), EOVERFLOW
 */
int  text_unescape_percent(char *dst, size_t sz, const char *src, size_t len);

/** A telephone number as people write it: separators are left out, a + may
 *  lead. @return false: it is none, or too long for buf */
bool text_number(char *buf, size_t sz, const char *s);

/**
 * Edit distance (Damerau) whatever the case, for "did you mean"; what lies
 * beyond 64 characters is not looked at
 */
unsigned text_distance(const char *a, const char *b);

/** The name nearest to word, or NULL when none is near enough */
typedef const char *(text_name_h)(size_t i, const void *arg); /* NULL: end */
const char *text_nearest(const char *word, text_name_h *name_h,
			 const void *arg);

/**
 * Overwrite the credentials in a SIP message or a command line in place:
 * values of response=, password=, ha1= and a=crypto keys become 'x', so the
 * length does not change.  For logs and traces.
 */
void text_mask(char *p, size_t len);

/**
 * A string that grows, bounded. Zero it before first use; after the first
 * failure nothing more is added and text_buf_err tells.
 */
struct text_buf {
	char *s;       /* NUL-terminated, owned; NULL when nothing was added */
	size_t len;    /* without the NUL                                    */
	size_t cap;    /* allocated                                          */
	size_t max;    /* never longer than this; 0: 1 MiB                   */
	int err;       /* first failure, or 0                                */
};

void text_add(struct text_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void text_add_mem(struct text_buf *b, const char *p, size_t len);
/** Bytes that are not UTF-8 become U+FFFD, so it can go into JSON */
void text_add_utf8(struct text_buf *b, const char *p, size_t len);
/** A JSON string, quotes and all: bytes that are not UTF-8 become U+FFFD, what
 *  is unsafe on a terminal is escaped */
void text_add_json(struct text_buf *b, const char *p, size_t len);
void text_buf_reset(struct text_buf *b);      /* free and zero */

/**
 * JSON as a library wrote it, with what is unsafe on a terminal escaped as
 * \uXXXX, which JSON allows. Takes json, a malloc'd string of valid UTF-8.
 * @return malloc'd, or NULL: ENOMEM
 */
char *text_json_safe(char *json);

#endif
