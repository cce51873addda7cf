/**
 * @file sip/trace.c  Every message as sent and received
 *
 * Main thread.  Called before anything else looks at a message, and in clear
 * where TLS covers it on the wire.  Credentials are covered on a copy; nothing
 * is kept.
 */
#include "priv.h"


enum { TRACE_MAX = 65536 };


void trace_wire(struct leg *l, bool tx, enum sip_transp tp,
		   const struct sa *local, const struct sa *peer,
		   const uint8_t *text, size_t len)
{
	struct sip_stack *s = l->stack;
	char *copy;

	/* nor keep-alives */
	if (!s->h.trace_h || s->untraced || len <= 4)
		return;

	if (len > TRACE_MAX)
		len = TRACE_MAX;

	copy = mem_alloc(len + 1, NULL);
	if (!copy)
		return;

	memcpy(copy, text, len);
	copy[len] = '\0';
	text_mask(copy, len);

	s->h.trace_h(tx, tp, local, peer, copy, len, s->arg);

	mem_deref(copy);
}


void sip_stack_set_trace(struct sip_stack *s, bool on)
{
	if (s)
		s->untraced = !on;
}
