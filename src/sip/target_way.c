/**
 * @file sip/target_way.c  The way of a message: a socket, or a connection
 *
 * Main thread, no state.  A connection that is gone is made again when the
 * address is one that the peer listens on; the other end of one that the peer
 * had made is not.
 */
#include <strings.h>
#include "fault.h"


int target_domain(char *buf, size_t sz, const char *hop)
{
	struct suri u;

	if (!hop || suri_parse_str(&u, hop) || !u.sip)
		return EINVAL;

	return text_copy(buf, sz, u.host.p, u.host.l) ? EINVAL : 0;
}


int target_hop(char **dst, const char *uri, const char *hop)
{
	if (!strncasecmp(uri, "sips:", 5) && !strncasecmp(hop, "sip:", 4))
		return re_sdprintf(dst, "sips:%s", hop + 4);

	return str_dup(dst, hop);
}


static bool is_sips(const struct pl *uri)
{
	struct suri u;

	return !suri_parse(&u, uri) && u.sips;
}


/* Only the first one is looked at */
static bool route_h(const struct pl *val, void *arg)
{
	struct addr_parts a;

	*(bool *)arg = !addr_parse(&a, val) && is_sips(&a.uri);

	return true;
}


/*
 * 12.1.1: the Request-URI says so, or the proxy that stays on the way, or,
 * when there is none, the peer's own address.
 */
bool target_secure(const struct sip_msg *msg)
{
	bool sips = false;
	struct pl uri;

	if (msg->tp != SIP_TRANSP_TLS)
		return false;
	if (is_sips(&msg->ruri))
		return true;
	if (header_values(msg, "Record-Route", 0, route_h, &sips))
		return sips;

	return !header_contact(msg, &uri) && is_sips(&uri);
}


int target_open(struct target *tg, struct sip_tls *tls, const char *domain)
{
	struct conn_want want = {
		.tp = tg->tp, .dst = tg->dst, .tls = tls, .domain = domain,
	};
	struct conn *c;
	int err;

	if (!tg->leg || tg->leg->gone)
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


int target_put(const struct target *tg, struct mbuf *mb)
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


int target_send(const struct target *tg, struct mbuf *mb)
{
	/* what a fault has taken is as if lost on the way */
	return fault_send(tg, mb) ? 0 : target_put(tg, mb);
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
