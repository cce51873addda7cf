/**
 * @file xr.h  Extended reports: the block of VoIP metrics (RFC 3611 4.7)
 *
 * Media thread.
 */
#ifndef OFFHOOK_MEDIA_XR_H
#define OFFHOOK_MEDIA_XR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XR_BYTES = 8 + 36 };

/** Figures that are not known are 0 */
struct xr_voip {
	uint32_t ssrc;           /* whose packets they are of                */
	double loss_pct, discard_pct, burst_pct, gap_pct;
	double burst_ms, gap_ms;
	double rtt_ms, end_delay_ms;
	double signal_dbm;
	uint8_t gmin;
	double r, mos_lq, mos_cq;
	double buffer_ms, buffer_max_ms, buffer_limit_ms;
};

/** One packet of RTCP. @return bytes, 0: no room */
size_t xr_write(uint8_t *p, size_t size, uint32_t ssrc,
		const struct xr_voip *v);
/**
 * The body of such a packet, behind its first word. found: v holds figures of
 * packets of our_ssrc; else it is untouched. @return 0, EBADMSG
 */
int  xr_read(struct xr_voip *v, bool *found, const uint8_t *p, size_t len,
	     uint32_t our_ssrc);

#endif
