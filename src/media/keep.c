/**
 * @file keep.c  A NAT forgets who says nothing (RFC 6263)
 *
 * Media thread.  On hold and in silence an empty packet goes out now and
 * then, of a payload type that stands for nothing, so that whoever gets it
 * drops it.  Where reports share the port of sound they do that already, and
 * with ICE its checks do.
 */
#include "nat.h"
#include "priv.h"


enum {
	KEEP_US = 15000000,      /* 4.7: every 15 seconds                   */
	PT_NONE = 127,
};


/* A number that has no meaning in this call; -1: all have one */
static int free_type(const struct flow *f)
{
	for (int pt = PT_NONE; pt > 95; pt--) {
		if (pt != f->tx.pt && pt != f->tx.te_pt &&
		    !receive_knows(&f->rx, (uint8_t)pt))
			return pt;
	}

	return -1;
}


void flow_keep_open(struct flow *f, uint64_t now_us)
{
	struct sender *s = &f->tx;
	uint8_t p[RTP_HEADER];
	struct rtp h = { .ts = s->ts, .ssrc = s->ssrc };
	int pt;

	if (s->packets != f->keep_packets || !f->keep_us) {
		f->keep_packets = s->packets;
		f->keep_us = now_us;
		return;
	}

	if (now_us < f->keep_us + KEEP_US || f->tp.shut || f->tp.mux ||
	    !flow_keyed(f) || nat_rules(f->tp.nat))
		return;

	f->keep_us = now_us;
	pt = free_type(f);
	if (pt < 0)
		return;

	h.pt = (uint8_t)pt;
	h.seq = s->seq++;
	rtp_write(p, &h);
	(void)transport_send(&f->tp, false, p, sizeof(p));
}
