/**
 * @file vq_body.c  A voice quality report as it is written (RFC 6035 4.6)
 *
 * What is not known is left out, and never said to be zero.  Pure functions.
 */
#include <stdio.h>
#include "vq.h"


enum { GMIN = 16 };              /* of RFC 3611, as the media engine counts */

struct out {
	struct mbuf *mb;
	int err;
};


static void put(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);

	if (n < 0 || (size_t)n >= sizeof(buf))
		o->err = EOVERFLOW;
	if (!o->err)
		o->err = mbuf_write_mem(o->mb, (uint8_t *)buf, (size_t)n);
}


/* What others chose must not begin a line of its own */
static void put_text(struct out *o, const char *text)
{
	for (; *text && !o->err; text++) {
		const unsigned char c = (unsigned char)*text;

		o->err = mbuf_write_u8(o->mb, c < ' ' || c == 0x7f ? '?' : c);
	}
}


static void put_id(struct out *o, const char *name, const char *uri)
{
	put(o, "%s:<", name);
	put_text(o, uri);
	put(o, ">\r\n");
}


static void put_addr(struct out *o, const char *name, const struct sa *sa,
		     uint32_t ssrc)
{
	char addr[64];

	if (sa_ntop(sa, addr, sizeof(addr)))
		str_ncpy(addr, "0.0.0.0", sizeof(addr));
	put(o, "%s:IP=%s PORT=%u SSRC=0x%08x\r\n", name, addr, sa_port(sa),
	    ssrc);
}


static void put_kind(struct out *o, const struct vq_report *r)
{
	static const char *const severity[] = {
		[VQ_CLEAR] = "Clear", [VQ_WARNING] = "Warning",
		[VQ_CRITICAL] = "Critical",
	};

	switch (r->kind) {

	case VQ_END:
		put(o, "VQSessionReport: CallTerm\r\n");
		break;

	case VQ_ASKED:
		put(o, "VQSessionReport\r\n");
		break;

	case VQ_INTERVAL:
		put(o, "VQIntervalReport\r\n");
		break;

	case VQ_ALERT:
		put(o, "VQAlertReport: Type=MOSCQ Severity=%s Dir=local\r\n",
		    severity[r->severity]);
		break;
	}
}


static void put_session(struct out *o, const struct vq_report *r)
{
	put(o, "CallID:");
	put_text(o, r->callid);
	put(o, "\r\n");
	put_id(o, "LocalID", r->local);
	put_id(o, "RemoteID", r->remote);
	put_id(o, "OrigID", r->outgoing ? r->local : r->remote);
	put_addr(o, "LocalAddr", &r->laddr, r->ssrc);
	put_addr(o, "RemoteAddr", &r->st->remote, r->st->ssrc_remote);
	put(o, "LocalGroup:");
	put_text(o, r->agent);
	put(o, "\r\nRemoteGroup:unknown\r\n");
}


static void put_times(struct out *o, const struct vq_report *r)
{
	char begin[CLOCK_ISO8601_SIZE], end[CLOCK_ISO8601_SIZE];

	(void)clock_iso8601(begin, r->begin_ms);
	(void)clock_iso8601(end, r->end_ms);
	put(o, "Timestamps:START=%s STOP=%s\r\n", begin, end);
}


static void put_codec(struct out *o, const struct vq_report *r, uint8_t pt,
		      bool ours)
{
	const struct media_plan *p = r->plan;
	const unsigned ms = p->param.ptime_ms ? p->param.ptime_ms : 20;

	/* PLC=3: as good as it gets; SSUP: what goes out in silence is ours to
	 * say, and what comes in is not */
	put(o, "SessionDesc:PT=%u PD=%s SR=%u FD=%u FPP=1 PPS=%u PLC=3%s\r\n",
	    pt, p->codec->sdp_name, p->codec->clock_hz, ms, 1000 / ms,
	    !ours ? "" : p->cn_send || p->param.dtx ? " SSUP=on" :
	    " SSUP=off");
}


static void put_burst(struct out *o, double burst_pct, uint32_t burst_ms,
		      double gap_pct, uint32_t gap_ms)
{
	put(o, "BurstGapLoss:BLD=%.1f BD=%u GLD=%.1f GD=%u GMIN=%u\r\n",
	    burst_pct, burst_ms, gap_pct, gap_ms, GMIN);
}


/* The mean opinion has one digit behind its point */
static void put_quality(struct out *o, double r_lq, double r_cq,
			double mos_lq, double mos_cq)
{
	if (!(mos_lq > 0.0) && !(mos_cq > 0.0) && !(r_cq > 0.0))
		return;

	put(o, "QualityEst:");
	if (r_lq > 0.0)
		put(o, "RLQ=%.0f ", r_lq);
	if (r_cq > 0.0)
		put(o, "RCQ=%.0f ", r_cq);
	if (mos_lq > 0.0)
		put(o, "MOSLQ=%.1f ", mos_lq);
	if (mos_cq > 0.0)
		put(o, "MOSCQ=%.1f ", mos_cq);
	put(o, "QoEEstAlg=G.107\r\n");
}


/* What we hear */
static void put_local(struct out *o, const struct vq_report *r)
{
	const struct stream_stats *st = r->st;
	const double all = (double)(st->packets_received + st->lost);
	const unsigned ms = r->plan->param.ptime_ms;
	double lq, cq, unheard;

	put(o, "LocalMetrics:\r\n");
	put_times(o, r);
	put_codec(o, r, r->plan->pt_recv, true);
	if (!st->packets_received)
		return;

	unheard = 100.0 * (double)(st->lost + st->late) / all;
	lq = media_r(r->plan->codec, unheard, st->burst_ratio, 0.0);
	cq = stats_r(st, r->plan->codec, unheard);

	put(o, "JitterBuffer:JBA=3 JBR=0 JBN=%u JBM=%u JBX=%u\r\n",
	    st->delay_target_ms, r->buffer_max_ms, r->buffer_max_ms);
	put(o, "PacketLoss:NLR=%.1f JDR=%.1f\r\n",
	    100.0 * (double)st->lost / all, 100.0 * (double)st->late / all);
	/* how loss is spread is known of the whole call only */
	if (r->kind != VQ_INTERVAL)
		put_burst(o, st->burst_pct, st->burst_ms, st->gap_pct,
			  st->gap_ms);
	put(o, "Delay:");
	if (st->rtt_us)
		put(o, "RTD=%u ", (st->rtt_us + 500) / 1000);
	put(o, "ESD=%u ", st->delay_ms + ms);
	if (st->rtt_us)
		put(o, "SOWD=%u ", st->rtt_us / 2000 + st->delay_ms + ms);
	put(o, "IAJ=%u\r\n", (st->jitter_us + 500) / 1000);
	put(o, "Signal:SL=%.0f\r\n", st->level_in_dbfs + 3.0);
	put_quality(o, lq, cq, media_mos_of(lq), media_mos_of(cq));
}


/* What they hear, as far as they have told */
static void put_remote(struct out *o, const struct vq_report *r)
{
	const struct stream_stats *st = r->st;

	if (!st->remote_known && !st->xr_known)
		return;

	put(o, "RemoteMetrics:\r\n");
	put_times(o, r);
	put_codec(o, r, r->plan->pt_send, false);

	if (st->xr_known) {
		put(o, "PacketLoss:NLR=%.1f JDR=%.1f\r\n", st->xr_loss_pct,
		    st->xr_discard_pct);
		put_burst(o, st->xr_burst_pct, st->xr_burst_ms,
			  st->xr_gap_pct, st->xr_gap_ms);
	}
	else if (st->packets_sent) {
		put(o, "PacketLoss:NLR=%.1f\r\n", 100.0 *
		    (double)st->remote_lost / (double)st->packets_sent);
	}

	put(o, "Delay:");
	if (st->rtt_us)
		put(o, "RTD=%u ", (st->rtt_us + 500) / 1000);
	if (st->xr_known)
		put(o, "ESD=%u ", st->xr_end_delay_ms);
	put(o, "IAJ=%u\r\n", (st->remote_jitter_us + 500) / 1000);
	if (st->xr_known)
		put_quality(o, 0.0, st->xr_r, st->xr_mos_lq, st->xr_mos_cq);
}


int vq_print(struct mbuf *mb, const struct vq_report *r)
{
	struct out o = { .mb = mb };

	put_kind(&o, r);
	put_session(&o, r);
	put_local(&o, r);
	put_remote(&o, r);

	if (r->local_tag[0] && r->remote_tag[0]) {
		const bool out = r->outgoing;

		put(&o, "DialogID:");
		put_text(&o, r->callid);
		put(&o, ";to-tag=");
		put_text(&o, out ? r->remote_tag : r->local_tag);
		put(&o, ";from-tag=");
		put_text(&o, out ? r->local_tag : r->remote_tag);
		put(&o, "\r\n");
	}

	return o.err;
}
