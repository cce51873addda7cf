/**
 * @file flow_stats.c  The figures of a flow, as main sees them
 *
 * Media thread; a copy by value goes through the door.
 */
#include "priv.h"


void flow_stats(const struct flow *f, struct stream_stats *st)
{
	const struct receiver *r = &f->rx;
	const struct sender *s = &f->tx;
	struct jitter_stats js = { 0 };
	struct burst_figures b;
	double packet_ms;

	memset(st, 0, sizeof(*st));
	if (r->jitter)
		jitter_stats(r->jitter, &js);

	st->packets_sent = s->packets;
	st->bytes_sent = s->bytes;
	st->packets_received = r->packets;
	st->bytes_received = r->bytes;
	st->lost = r->lost_before + source_lost(&r->source);
	jitter_stats_add(&js, &r->past);
	st->late = js.late;
	st->duplicate = js.duplicate;
	st->reordered = js.reordered;
	st->concealed_ms = js.concealed_us / 1000;
	st->recovered = js.recovered;
	st->resent = s->again;
	st->asked = r->nack ? r->nack->asked : 0;
	st->stretched_ms = js.stretched_us / 1000;
	st->compressed_ms = js.compressed_us / 1000;
	st->skipped_ms = js.skipped_us / 1000;
	st->resyncs = js.resyncs;
	st->discarded = r->discarded + js.refused + js.overflow +
		f->tp.foreign;
	st->foreign = f->tp.foreign;
	st->moves = f->tp.changes;
	st->decode_errors = r->decode_errors;
	st->jitter_us = (uint32_t)r->source.jitter_us;
	st->delay_ms = js.delay_us / 1000;
	st->delay_target_ms = js.target_us / 1000;
	st->delay_min_ms = js.delay_min_us / 1000;
	st->delay_max_ms = (js.delay_max_us + 999) / 1000;
	st->dscp = r->mark - 1;
	st->rtt_us = f->rtcp.rtt_us;
	st->remote_known = f->rtcp.remote_known;
	st->remote_lost = f->rtcp.remote_lost;
	st->remote_loss_256 = f->rtcp.remote_fraction;
	if (f->plan.codec)
		st->remote_jitter_us = (uint32_t)
			((uint64_t)f->rtcp.remote_jitter * 1000000 /
			 f->plan.codec->clock_hz);
	st->send_bitrate = f->adapt.bitrate;
	st->send_loss_pct = f->adapt.loss_pct;
	st->first_packet_ms = r->first_us / 1000;
	st->last_packet_ms = r->last_us / 1000;
	st->ssrc_remote = r->source.ssrc;
	st->ssrc_changes = r->ssrc_changes;
	st->remote = f->tp.latched ? f->tp.from : f->tp.peer;
	st->level_in_dbfs = r->level.dbfs;
	st->level_out_dbfs = s->level.dbfs;
	st->dtmf_sent = s->dtmf.sent;
	st->dtmf_received = r->dtmf.received;
	burst_read(&b, &r->burst);
	packet_ms = r->clock_hz ? 1000.0 * r->dur / r->clock_hz : 0.0;
	st->burst_pct = b.burst_pct;
	st->gap_pct = b.gap_pct;
	st->burst_ms = (uint32_t)(b.burst_packets * packet_ms);
	st->gap_ms = (uint32_t)(b.gap_packets * packet_ms);
	st->burst_ratio = b.ratio;
	st->xr_known = f->rtcp.xr_known;
	st->xr_r = f->rtcp.xr.r;
	st->xr_mos_lq = f->rtcp.xr.mos_lq;
	st->xr_mos_cq = f->rtcp.xr.mos_cq;
	st->xr_loss_pct = f->rtcp.xr.loss_pct;
	st->xr_discard_pct = f->rtcp.xr.discard_pct;
	st->xr_burst_pct = f->rtcp.xr.burst_pct;
	st->xr_gap_pct = f->rtcp.xr.gap_pct;
	st->xr_burst_ms = (uint32_t)f->rtcp.xr.burst_ms;
	st->xr_gap_ms = (uint32_t)f->rtcp.xr.gap_ms;
	st->xr_end_delay_ms = (uint32_t)f->rtcp.xr.end_delay_ms;
	flow_secure_stats(f, st);
	st->packet_ms = (uint32_t)(packet_ms + 0.5);
	st->device = f->eng && flow_meets(f);
	if (st->device)
		engine_delays(f->eng, &st->mic_ms, &st->speaker_ms);
}
