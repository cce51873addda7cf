/**
 * @file sip/message_value.h  Inside: what stands in a plainly written header
 *
 * For message.c, which knows lines and names of headers.  Main thread, no
 * state; what is found points into the text.
 */
#ifndef OFFHOOK_SIP_MESSAGE_VALUE_H
#define OFFHOOK_SIP_MESSAGE_VALUE_H

#include "priv.h"

/** Where a character may stand */
enum { HOST = 1, USER = 2, PARAM = 4, TOKEN = 8, DIGIT = 16, ALPHA = 32 };

extern const uint8_t value_kinds[256];


static inline bool is(char c, uint8_t kind)
{
	return value_kinds[(uint8_t)c] & kind;
}


/** @return behind the characters of that kind */
static inline const char *span(const char *p, const char *end,
			       uint8_t kind)
{
	while (p < end && is(*p, kind))
		++p;

	return p;
}


static inline void piece(struct pl *pl, const char *p, const char *end)
{
	pl->p = p;
	pl->l = (size_t)(end - p);
}


/** At most nine digits: they fit */
static inline uint32_t number(const char *p, const char *end)
{
	uint32_t n = 0;

	while (p < end)
		n = 10 * n + (uint32_t)(*p++ - '0');

	return n;
}


/** `sip:user@host:port;params`, where all but the host may be missing.
 *  @return false: not plain */
bool value_uri(struct uri *u, const char *p, const char *end);
/** What libre keeps of a header beside the list. @return false: not plain */
bool value_keep(struct sip_msg *m, enum sip_hdrid id, const struct pl *val);

#endif
