/**
 * @file sip/reply.c  Responses: how they look, and the way they go back
 *
 * Main thread.  A refusal keeps no state: the same request again gets the
 * same answer again, with the same tag (RFC 3261 8.2.7), because the tag is
 * made from the request and a key of this run.  A response goes back by the
 * connection its request came by; when that is gone, to where the top Via
 * says that the sender listens (18.2.2; reply_away.c).
 */
#include "conn.h"


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


uint64_t reply_key_of(const struct sip_stack *s, const struct sip_msg *msg,
		      const struct pl *method)
{
	return mix_pl(reply_tag(s, msg), s->tag_key[1], method);
}


/* What tells one request from all others, and is the same when it comes again */
uint64_t reply_key(const struct sip_stack *s, const struct sip_msg *msg)
{
	return reply_key_of(s, msg, &msg->met);
}


uint64_t reply_merge_key(const struct sip_stack *s, const struct sip_msg *msg)
{
	const uint64_t k = s->tag_key[0];
	uint64_t h = s->tag_key[1];

	h = mix_pl(h, k, &msg->callid);
	h = mix_pl(h, k, &msg->from.tag);
	h = mix_pl(h, k, &msg->ruri);
	h = mix_pl(h, k, &msg->met);

	return mix(h, msg->cseq.num + k);
}


/* How it looks --------------------------------------------------------------- */

/* Nearly always of IPv4: libre's way is a long one */
static int addr_write(struct mbuf *mb, const struct sa *sa)
{
	char text[TEXT_IPV4];

	if (sa_af(sa) != AF_INET)
		return mbuf_printf(mb, "%j", sa);

	return mbuf_write_mem(mb, (const uint8_t *)text,
			      text_ipv4(text, sa_in(sa), -1));
}


/* RFC 3581: where it came from, for who cannot know. @return 0 or errno */
static int top_via_write(struct mbuf *mb, const struct sip_msg *msg,
			 const struct pl *val)
{
	const struct sip_via *via = &msg->via;
	bool rport = false;
	struct pl skip;
	int err;

	if (!msg_param_exists(&via->params, "rport", &skip)) {
		rport = true;
		err = mbuf_write_pl_skip(mb, val, &skip);
		if (!err)
			err = mbuf_printf(mb, ";rport=%u",
					  sa_port(&msg->src));
	}
	else {
		err = mbuf_write_pl(mb, val);
	}

	if (!err && (rport || !sa_cmp(&msg->src, &via->addr, SA_ADDR))) {
		err = mbuf_write_str(mb, ";received=");
		if (!err)
			err = addr_write(mb, &msg->src);
	}

	return err;
}


static int line_write(struct mbuf *mb, const struct sip_msg *msg,
		      const struct sip_hdr *h, bool *via, bool rec_route,
		      uint16_t code)
{
	bool tag = false;
	int err;

	switch (h->id) {

	case SIP_HDR_VIA:
	case SIP_HDR_FROM:
	case SIP_HDR_CALL_ID:
	case SIP_HDR_CSEQ:
		break;

	case SIP_HDR_TO:
		tag = !pl_isset(&msg->to.tag) && code > 100;
		break;

	case SIP_HDR_RECORD_ROUTE:
		if (rec_route)
			break;
		return 0;

	/* 8.2.6.1: for who measures the way */
	case SIP_HDR_TIMESTAMP:
		if (code == 100 && text_caseeq(h->name.p, h->name.l,
					       "Timestamp"))
			break;
		return 0;

	default:
		return 0;
	}

	err = mbuf_write_pl(mb, &h->name);
	if (!err)
		err = mbuf_write_str(mb, ": ");
	if (!err && h->id == SIP_HDR_VIA && !*via) {
		*via = true;
		err = top_via_write(mb, msg, &h->val);
	}
	else if (!err) {
		err = mbuf_write_pl(mb, &h->val);
	}
	if (!err && tag)
		err = mbuf_printf(mb, ";tag=%016llx", msg->tag);

	return err ? err : mbuf_write_str(mb, "\r\n");
}


int reply_make(struct mbuf **mbp, const struct sip_stack *s,
	       const struct sip_msg *msg, bool rec_route, uint16_t code,
	       const char *reason, const struct mbuf *rest)
{
	struct mbuf *mb = mbuf_alloc(1024 + rest->end);
	bool via = false;
	struct le *le;
	int err;

	if (!mb)
		return ENOMEM;

	err = mbuf_printf(mb, "SIP/2.0 %u ", code);
	if (!err)
		err = mbuf_write_str(mb, reason);
	if (!err)
		err = mbuf_write_str(mb, "\r\n");

	for (le = msg->hdrl.head; le && !err; le = le->next)
		err = line_write(mb, msg, le->data, &via, rec_route, code);

	if (!err)
		err = mbuf_write_str(mb, "Server: ");
	if (!err)
		err = mbuf_write_str(mb, s->user_agent);
	if (!err)
		err = mbuf_write_str(mb, "\r\n");
	if (!err)
		err = mbuf_write_mem(mb, rest->buf, rest->end);

	mb->pos = 0;

	if (err)
		mem_deref(mb);
	else
		*mbp = mb;

	return err;
}


/* The way back --------------------------------------------------------------- */

/* 18.2.2. A maddr has been looked at by the gate: it names the sender */
void reply_way(struct target *way, struct leg *l, const struct sip_msg *msg)
{
	const uint16_t port = sa_port(&msg->via.addr);
	struct pl val;

	target_back(way, l, msg);

	if (msg->tp == SIP_TRANSP_UDP &&
	    !msg_param_exists(&msg->via.params, "rport", &val))
		return;

	sa_set_port(&way->dst, port ? port : sip_transp_port(msg->tp, 0));
}


int reply_transmit(struct target *way, struct mbuf *mb)
{
	const int err = target_send(way, mb);

	return err == ENOTCONN ? reply_away(way, mb) : err;
}


int reply_again(struct leg *l, const struct sip_msg *msg, struct mbuf *mb)
{
	struct target way;

	reply_way(&way, l, msg);
	mb->pos = 0;

	return reply_transmit(&way, mb);
}


/* Without a transaction -------------------------------------------------------- */

/* hdrs, ctype, body: NULL: none */
static int reply_plain(struct leg *l, const struct sip_msg *msg,
		       uint16_t code, const char *reason, const char *hdrs,
		       const char *ctype, struct mbuf *body)
{
	const size_t len = ctype && body ? mbuf_get_left(body) : 0;
	struct mbuf *rest, *mb = NULL;
	int err = 0;

	if (!pl_strcmp(&msg->met, "ACK"))
		return 0;

	rest = mbuf_alloc(256 + len);
	if (!rest)
		return ENOMEM;

	if (hdrs)
		err = mbuf_write_str(rest, hdrs);
	if (!err && len)
		err = mbuf_printf(rest, "Content-Type: %s\r\n", ctype);
	if (!err)
		err = mbuf_printf(rest, "Content-Length: %zu\r\n\r\n", len);
	if (!err && len)
		err = mbuf_write_mem(rest, mbuf_buf(body), len);
	if (!err)
		err = reply_make(&mb, l->stack, msg, false, code,
				 reason ? reason : sip_phrase(code), rest);
	if (!err)
		err = reply_again(l, msg, mb);

	mem_deref(rest);
	mem_deref(mb);

	return err;
}


int stack_reply_body(struct leg *l, const struct sip_msg *msg,
		     uint16_t code, const char *reason, const char *hdrs,
		     const char *ctype, struct mbuf *body)
{
	reply_tag_set(l->stack, (struct sip_msg *)msg);

	return reply_plain(l, msg, code, reason, hdrs, ctype, body);
}


int stack_reply(struct leg *l, const struct sip_msg *msg, uint16_t code,
		const char *reason, const char *hdrs)
{
	return stack_reply_body(l, msg, code, reason, hdrs, NULL, NULL);
}


int stack_reply_tagged(struct leg *l, const struct sip_msg *msg,
		       uint16_t code)
{
	return reply_plain(l, msg, code, NULL, NULL, NULL, NULL);
}
