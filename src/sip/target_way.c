/**
 * @file sip/target_way.c  The way of a message: a socket, or a connection
 *
 * Main thread, no state.  A connection that is gone is made again when the
 * address is one that the peer listens on; the other end of one that the peer
 * had made is not.
 */
#include "conn.h"


int target_domain(char *buf, size_t sz, const char *hop)
{
	struct suri u;

	if (!hop || suri_parse_str(&u, hop) || !u.sip)
		return EINVAL;

	return text_copy(buf, sz, u.host.p, u.host.l) ? EINVAL : 0;
}


int target_open(struct target *tg, struct sip_tls *tls, const char *domain)
{
	struct conn_want want = {
		.tp = tg->tp, .dst = tg->dst, .tls = tls, .domain = domain,
	};
	struct conn *c;
	int err;

	if (!tg->leg)
		return ENETUNREACH;
	if (tg->tp == SIP_TRANSP_UDP)
		return tg->leg->dgram ? 0 : EPROTONOSUPPORT;

	if (tg->flow) {
		if (conn_find(tg->leg->stack, tg->flow))
			return 0;
		if (tg->flow_only)
			return ENOTCONN;
	}

	/* the peer must be able to reach us again */
	if (tg->tp == SIP_TRANSP_TLS) {
		err = leg_serve_tls(tg->leg);
		if (err)
			return err;
	}

	err = conn_get(&c, tg->leg, &want);
	if (!err)
		tg->flow = c->id;

	return err;
}


int target_send(const struct target *tg, struct mbuf *mb)
{
	struct leg *l = tg->leg;
	struct conn *c;

	if (!l)
		return ENETUNREACH;

	if (tg->tp == SIP_TRANSP_UDP) {
		trace_wire(l, true, tg->tp, &l->udp, &tg->dst,
			      mbuf_buf(mb), mbuf_get_left(mb));
		return dgram_send(l->dgram, &tg->dst, mbuf_buf(mb),
				  mbuf_get_left(mb));
	}

	c = conn_find(l->stack, tg->flow);

	return c ? conn_send(c, mb) : ENOTCONN;
}


void target_back(struct target *tg, struct leg *l, const struct sip_msg *msg)
{
	const struct conn *c = msg->tp == SIP_TRANSP_UDP ? NULL : msg->sock;

	memset(tg, 0, sizeof(*tg));
	tg->tp = msg->tp;
	tg->tp_named = true;
	tg->dst = msg->src;
	tg->leg = l;
	tg->flow = c ? c->id : 0;
	tg->flow_only = msg->tp != SIP_TRANSP_UDP && (!c || c->incoming);
}
