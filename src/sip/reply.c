/**
 * @file sip/reply.c  Stateless replies
 *
 * Main thread.  A refusal keeps no state: the same request again gets the
 * same answer again, with the same tag (RFC 3261 8.2.7), because the tag is
 * made from the request and a key of this run.
 */
#include "priv.h"


static uint64_t mix(uint64_t h, uint64_t k)
{
	h ^= k;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 29;
	h *= 0xc4ceb9fe1a85ec53ULL;

	return h ^ (h >> 32);
}


static uint64_t mix_pl(uint64_t h, uint64_t key, const struct pl *pl)
{
	const char *p = pl->p;
	size_t l = pl->p ? pl->l : 0;

	h = mix(h, l + key);

	while (l) {
		const size_t n = l < 8 ? l : 8;
		uint64_t w = 0;

		memcpy(&w, p, n);
		h = mix(h, w + key);
		p += n;
		l -= n;
	}

	return h;
}


static uint64_t reply_tag(const struct sip_stack *s,
			  const struct sip_msg *msg)
{
	const uint64_t k = s->tag_key[1];
	uint64_t h = s->tag_key[0];

	h = mix_pl(h, k, &msg->via.branch);
	h = mix_pl(h, k, &msg->via.sentby);
	h = mix_pl(h, k, &msg->callid);
	h = mix_pl(h, k, &msg->from.tag);

	return mix(h, s->tag_key[0]);
}


void reply_tag_set(const struct sip_stack *s, struct sip_msg *msg)
{
	msg->tag = reply_tag(s, msg);
}


/* What tells a request from all others, and is the same when it comes again */
uint64_t reply_key(const struct sip_stack *s, const struct sip_msg *msg)
{
	return mix_pl(reply_tag(s, msg), s->tag_key[1], &msg->met);
}


int stack_reply_body(struct leg *l, const struct sip_msg *msg,
		     uint16_t code, const char *reason, const char *hdrs,
		     const char *ctype, struct mbuf *body)
{
	if (!reason)
		reason = sip_phrase(code);
	if (!hdrs)
		hdrs = "";

	reply_tag_set(l->stack, (struct sip_msg *)msg);

	if (ctype && body)
		return sip_replyf(l->sip, msg, code, reason,
				  "%sContent-Type: %s\r\n"
				  "Content-Length: %zu\r\n\r\n%b",
				  hdrs, ctype, mbuf_get_left(body),
				  mbuf_buf(body), mbuf_get_left(body));

	return sip_replyf(l->sip, msg, code, reason,
			  "%sContent-Length: 0\r\n\r\n", hdrs);
}


int stack_reply(struct leg *l, const struct sip_msg *msg, uint16_t code,
		const char *reason, const char *hdrs)
{
	return stack_reply_body(l, msg, code, reason, hdrs, NULL, NULL);
}
