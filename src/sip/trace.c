/**
 * @file sip/trace.c  Every message as sent and received
 *
 * Main thread.  libre calls this before anything else looks at a message.
 * Credentials are covered on a copy; nothing is kept.
 */
#include "priv.h"


enum { TRACE_MAX = 65536 };


static void trace_h(bool tx, enum sip_transp tp, const struct sa *src,
		    const struct sa *dst, const uint8_t *pkt, size_t len,
		    void *arg)
{
	struct leg *l = arg;
	struct sip_stack *s = l->stack;
	char *copy;

	if (!tx)
		reason_note(s, (const char *)pkt, len);

	if (!tx && tp == SIP_TRANSP_UDP) {

		if (!l->gate && gate_is_prime(l, (const char *)pkt, len))
			return;

		gate_decoded(l->gate);
	}

	/* nor keep-alives */
	if (!s->h.trace_h || s->untraced || len <= 4)
		return;

	if (len > TRACE_MAX)
		len = TRACE_MAX;

	copy = mem_alloc(len + 1, NULL);
	if (!copy)
		return;

	memcpy(copy, pkt, len);
	copy[len] = '\0';
	text_mask(copy, len);

	s->h.trace_h(tx, tp, tx ? src : dst, tx ? dst : src, copy, len,
		     s->arg);

	mem_deref(copy);
}


void sip_stack_set_trace(struct sip_stack *s, bool on)
{
	if (s)
		s->untraced = !on;
}


int trace_listen(struct leg *l)
{
	sip_set_trace_handler(l->sip, trace_h);

	return 0;
}
