/**
 * @file xr.c  Extended reports: the block of VoIP metrics (RFC 3611 4.7)
 *
 * Pure: bytes and figures in and out.  Media thread.  A report that is wrong
 * in any block is dropped as a whole, by its caller.
 */
#include "bytes.h"
#include "priv.h"
#include "xr.h"


enum {
	BLOCK_VOIP  = 7,
	VOIP_WORDS  = 8,         /* behind the first one                     */
	UNAVAILABLE = 127,
};


static uint8_t *put_ms(uint8_t *p, double v)
{
	const uint32_t n = v <= 0.0 ? 0 : v >= 65535.0 ? 65535 :
		(uint32_t)(v + 0.5);

	return put_u16(p, (uint16_t)n);
}


/* per cent as a fraction of 256 */
static uint8_t share(double pct)
{
	const double v = pct * 256.0 / 100.0;

	return v <= 0.0 ? 0 : v >= 255.0 ? 255 : (uint8_t)(v + 0.5);
}


static uint8_t level(double db)
{
	return db <= -126.0 || !(db < 0.0) ? (db < 0.0 ? (uint8_t)-126 : 0) :
		(uint8_t)(int8_t)(db - 0.5);
}


size_t xr_write(uint8_t *p, size_t size, uint32_t ssrc,
		const struct xr_voip *v)
{
	uint8_t *at = p;

	if (size < XR_BYTES)
		return 0;

	*at++ = 0x80;
	*at++ = RTCP_XR;
	*at++ = 0;
	*at++ = XR_BYTES / 4 - 1;
	at = put_u32(at, ssrc);

	*at++ = BLOCK_VOIP;
	*at++ = 0;
	*at++ = 0;
	*at++ = VOIP_WORDS;
	at = put_u32(at, v->ssrc);

	*at++ = share(v->loss_pct);
	*at++ = share(v->discard_pct);
	*at++ = share(v->burst_pct);
	*at++ = share(v->gap_pct);
	at = put_ms(at, v->burst_ms);
	at = put_ms(at, v->gap_ms);
	at = put_ms(at, v->rtt_ms);
	at = put_ms(at, v->end_delay_ms);
	*at++ = level(v->signal_dbm);
	*at++ = UNAVAILABLE;             /* noise level                      */
	*at++ = UNAVAILABLE;             /* residual echo return loss        */
	*at++ = v->gmin;
	*at++ = v->r > 0.0 ? (uint8_t)(v->r + 0.5) : UNAVAILABLE;
	*at++ = UNAVAILABLE;             /* R of another network             */
	*at++ = v->mos_lq > 0.0 ? (uint8_t)(v->mos_lq * 10.0 + 0.5) :
		UNAVAILABLE;
	*at++ = v->mos_cq > 0.0 ? (uint8_t)(v->mos_cq * 10.0 + 0.5) :
		UNAVAILABLE;
	*at++ = 0xb0;                    /* enhanced PLC, adaptive buffer    */
	*at++ = 0;
	at = put_ms(at, v->buffer_ms);
	at = put_ms(at, v->buffer_max_ms);
	at = put_ms(at, v->buffer_limit_ms);

	return (size_t)(at - p);
}


static double known(uint8_t v, double scale)
{
	return v == UNAVAILABLE ? 0.0 : v * scale;
}


static void read_voip(struct xr_voip *v, const uint8_t *p)
{
	memset(v, 0, sizeof(*v));
	v->ssrc = get_u32(p);
	v->loss_pct = p[4] * 100.0 / 256.0;
	v->discard_pct = p[5] * 100.0 / 256.0;
	v->burst_pct = p[6] * 100.0 / 256.0;
	v->gap_pct = p[7] * 100.0 / 256.0;
	v->burst_ms = get_u16(p + 8);
	v->gap_ms = get_u16(p + 10);
	v->rtt_ms = get_u16(p + 12);
	v->end_delay_ms = get_u16(p + 14);
	v->signal_dbm = (int8_t)p[16];
	v->gmin = p[19];
	v->r = known(p[20], 1.0);
	v->mos_lq = known(p[22], 0.1);
	v->mos_cq = known(p[23], 0.1);
	v->buffer_ms = get_u16(p + 26);
	v->buffer_max_ms = get_u16(p + 28);
	v->buffer_limit_ms = get_u16(p + 30);

	/* figures that none of these can have are none */
	if (v->r > 100.0)
		v->r = 0.0;
	if (v->mos_lq > 5.0)
		v->mos_lq = 0.0;
	if (v->mos_cq > 5.0)
		v->mos_cq = 0.0;
}


int xr_read(struct xr_voip *v, bool *found, const uint8_t *p, size_t len,
	    uint32_t our_ssrc)
{
	const uint8_t *end = p + len;

	if (len < 4)
		return EBADMSG;

	for (p += 4; p < end;) {

		size_t bytes;

		if (end - p < 4)
			return EBADMSG;
		bytes = 4 + 4 * (size_t)get_u16(p + 2);
		if (bytes > (size_t)(end - p))
			return EBADMSG;

		if (p[0] == BLOCK_VOIP) {
			if (bytes != 4 + 4 * VOIP_WORDS)
				return EBADMSG;
			if (get_u32(p + 4) == our_ssrc) {
				read_voip(v, p + 4);
				*found = true;
			}
		}
		p += bytes;
	}

	return 0;
}
