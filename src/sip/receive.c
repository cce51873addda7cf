/**
 * @file sip/receive.c  From bytes to messages, and to whom they are for
 *
 * Main thread, no state.  What cannot be decoded is refused as far as its
 * pieces tell where to answer (salvage.c): RFC 3261 wants a 400 or 505, on
 * connections as well.  A request goes through the gate (sanity.c), then to
 * its transaction, then to whoever serves it; a response to its transaction.
 */
#include "fault.h"
#include "message.h"


enum { KEEPALIVE_MAX = 4 };         /* bytes of an empty datagram          */


/* The refusal of what is no message, back to where it came from */
static void refuse(struct leg *l, struct conn *c, const struct sa *src,
		   const char *text, size_t len)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sa dst;

	if (!mb)
		return;

	if (!salvage(mb, &dst, text, len, src)) {
		++l->stack->stats.discarded;
	}
	else {
		++l->stack->stats.refused;
		if (c) {
			(void)conn_send(c, mb);
		}
		else {
			trace_wire(l, true, SIP_TRANSP_UDP, &l->udp, &dst,
				      mb->buf, mb->end);
			(void)dgram_send(l->dgram, &dst, mb->buf, mb->end);
		}
	}

	mem_deref(mb);
}


/* Where SDP alone is wanted, it may stand among other parts */
static void unpack(struct sip_msg *msg)
{
	if (method_sdp(&msg->cseq.met))
		(void)multipart_sdp(&msg->ctyp, msg->mb);
}


static void deliver(struct leg *l, struct sip_msg *msg)
{
	if (msg->req) {
		if (sanity_request(msg, l) || strans_request(l, msg))
			return;

		unpack(msg);
		(void)uas_request(msg, l);
	}
	else if (!sanity_response(msg, l)) {
		unpack(msg);
		uas_response(msg, l);
	}
}


/* @return 0, ENOMEM, or EBADMSG: it is no message; mb is as it was, but for
 *  what was mended */
static int decode(struct sip_msg **msgp, struct mbuf *mb)
{
	const size_t pos = mb->pos;
	int err;

	if (!salvage_plausible((const char *)mbuf_buf(mb),
			       mbuf_get_left(mb)))
		return EBADMSG;

	salvage_elder(mb);

	err = message_decode(msgp, mb);
	if (err)
		mb->pos = pos;

	return !err || err == ENOMEM ? err : EBADMSG;
}


void receive_dgram_now(struct leg *l, const struct sa *src, struct mbuf *mb)
{
	struct sip_msg *msg;
	int err;

	trace_wire(l, false, SIP_TRANSP_UDP, &l->udp, src, mbuf_buf(mb),
		      mbuf_get_left(mb));

	/* without memory it is as if lost on the way */
	err = decode(&msg, mb);
	if (err == EBADMSG)
		refuse(l, NULL, src, (const char *)mbuf_buf(mb),
		       mbuf_get_left(mb));
	if (err)
		return;

	msg->src = *src;
	msg->dst = l->udp;
	msg->tp = SIP_TRANSP_UDP;

	deliver(l, msg);
	mem_deref(msg);
}


void receive_dgram(struct leg *l, const struct sa *src, struct mbuf *mb)
{
	const size_t len = mbuf_get_left(mb);

	if (len > KEEPALIVE_MAX && !flow_stun(l, src, mbuf_buf(mb), len) &&
	    !fault_receive(l, NULL, src, mb))
		receive_dgram_now(l, src, mb);
}


void receive_broken(struct leg *l, struct conn *c, const char *text,
		    size_t len)
{
	trace_wire(l, false, c->tp, &c->laddr, &c->peer,
		      (const uint8_t *)text, len);
	refuse(l, c, &c->peer, text, len);
}


void receive_stream_now(struct leg *l, struct conn *c, struct mbuf *mb,
			size_t head)
{
	const size_t body = mbuf_get_left(mb) - head;
	struct sip_msg *msg;
	int err;

	trace_wire(l, false, c->tp, &c->laddr, &c->peer, mbuf_buf(mb),
		   mbuf_get_left(mb));

	err = decode(&msg, mb);
	if (err == EBADMSG)
		refuse(l, c, &c->peer, (const char *)mbuf_buf(mb),
		       mbuf_get_left(mb));
	else if (err)
		conn_end(c, err, NULL);      /* it will not come again */
	if (err)
		return;

	/* we and libre must agree on where the body begins */
	if (mbuf_get_left(mb) != body) {
		++l->stack->stats.discarded;
		mem_deref(msg);
		conn_end(c, EBADMSG, "a message without a clear end");
		return;
	}

	msg->src = c->peer;
	msg->dst = c->laddr;
	msg->tp = c->tp;
	msg->sock = mem_ref(c);

	deliver(l, msg);
	mem_deref(msg);
}


void receive_stream(struct leg *l, struct conn *c, struct mbuf *mb,
		    size_t head)
{
	if (!fault_receive(l, c, &c->peer, mb))
		receive_stream_now(l, c, mb, head);
}
