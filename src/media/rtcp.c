/**
 * @file rtcp.c  Reports: sender and receiver reports, SDES, BYE; alone, too
 *
 * Pure: bytes, times and counters in and out.  Media thread.  What comes is
 * read by its own lengths, each checked against what is there; a compound
 * that is wrong anywhere is dropped as a whole.
 */
#include <offhook/random.h>
#include "bytes.h"
#include "priv.h"


enum {
	REPORT_BLOCK = 24,
	WHOLE_EACH = 3,           /* of these in reduced size one is whole   */
	INTERVAL_MS = 5000,       /* RFC 3550: the least of two parties      */
};

#define NTP_EPOCH 2208988800ULL   /* seconds from 1900 to 1970 */


static uint8_t *put_header(uint8_t *p, unsigned count, uint8_t type,
			   size_t bytes)
{
	const size_t words = bytes / 4 - 1;

	p[0] = (uint8_t)(0x80 | count);
	p[1] = type;

	return put_u16(p + 2, (uint16_t)words);
}


static uint64_t ntp_time(uint64_t wall_ms)
{
	const uint64_t s = wall_ms / 1000 + NTP_EPOCH, ms = wall_ms % 1000;

	return s << 32 | ((ms << 32) / 1000);
}


/* half to one and a half times, and the factor of RFC 3550 that makes up for
 * what timer reconsideration would skew */
static uint64_t interval_us(bool first)
{
	const uint32_t r = random_u32();
	uint64_t us;

	us = 1000ULL * INTERVAL_MS / (first ? 2 : 1);
	us = us / 2 + (us * r >> 32);

	return us * 100000 / 121828;
}


void report_init(struct report *r, const char *cname, uint64_t now_us)
{
	memset(r, 0, sizeof(*r));

	(void)strncpy(r->cname, cname, sizeof(r->cname) - 1);
	r->first = true;
	r->due_us = now_us + interval_us(true);
}


bool report_due(const struct report *r, uint64_t now_us)
{
	return r->due_us && now_us >= r->due_us;
}


/* Out ------------------------------------------------------------------- */

static uint8_t *put_block(const struct report *r, uint8_t *p,
			  const struct report_out *o)
{
	struct source *s = o->source;
	const uint32_t lsr = r->lsr_ssrc == s->ssrc ? r->lsr : 0;
	const uint8_t fraction = source_fraction(s);
	uint64_t lost = source_lost(s), dlsr = 0;

	if (lost > 0x7fffff)
		lost = 0x7fffff;
	if (lsr)
		dlsr = ((o->now_us - r->lsr_us) << 16) / 1000000;
	if (dlsr > UINT32_MAX)
		dlsr = UINT32_MAX;

	p = put_u32(p, s->ssrc);
	p = put_u32(p, (uint32_t)fraction << 24 | (uint32_t)lost);
	p = put_u32(p, s->high);
	p = put_u32(p, (uint32_t)(s->jitter_us * s->clock_hz / 1000000.0));
	p = put_u32(p, lsr);

	return put_u32(p, (uint32_t)dlsr);
}


static uint8_t *put_report(const struct report *r, uint8_t *p,
			   const struct report_out *o)
{
	const bool heard = o->source && o->source->known;
	const size_t bytes = 8 + (o->sender ? 20 : 0) +
		(heard ? REPORT_BLOCK : 0);

	p = put_header(p, heard, o->sender ? RTCP_SR : RTCP_RR, bytes);
	p = put_u32(p, o->ssrc);

	if (o->sender) {
		const uint64_t ntp = ntp_time(o->wall_ms);

		p = put_u32(p, (uint32_t)(ntp >> 32));
		p = put_u32(p, (uint32_t)ntp);
		p = put_u32(p, o->rtp_ts);
		p = put_u32(p, o->packets);
		p = put_u32(p, o->bytes);
	}

	if (heard)
		p = put_block(r, p, o);

	return p;
}


static uint8_t *put_sdes(const struct report *r, uint8_t *p, uint32_t ssrc)
{
	const size_t len = strlen(r->cname);
	const size_t items = 2 + len + 1;              /* with the end */
	const size_t bytes = 8 + ((items + 3) & ~(size_t)3);
	uint8_t *end = p + bytes;

	p = put_header(p, 1, RTCP_SDES, bytes);
	p = put_u32(p, ssrc);
	*p++ = RTCP_SDES_CNAME;
	*p++ = (uint8_t)len;
	memcpy(p, r->cname, len);
	memset(p + len, 0, (size_t)(end - p) - len);

	return end;
}


size_t report_build(struct report *r, uint8_t *p, size_t size,
		    const struct report_out *o)
{
	uint8_t *at = p;

	if (size < 160)
		return 0;

	/* who we are is told at first, and now and then for who comes late */
	at = put_report(r, at, o);
	if (!o->reduced || r->first || ++r->reduced >= WHOLE_EACH) {
		at = put_sdes(r, at, o->ssrc);
		r->reduced = 0;
	}
	if (o->xr)
		at += xr_write(at, size - (size_t)(at - p), o->ssrc, o->xr);

	r->first = false;
	r->due_us = o->now_us + interval_us(false);

	return (size_t)(at - p);
}


size_t report_nack(const struct report *r, uint8_t *p, size_t size,
		   const struct report_out *o, const uint16_t *seqv,
		   unsigned n)
{
	uint8_t *at = p;

	if (size < 100 + NACK_ROOM || !o->source)
		return 0;

	/* an empty report and a name go before all else, where they must */
	if (!o->reduced) {
		at = put_header(at, 0, RTCP_RR, 8);
		at = put_u32(at, o->ssrc);
		at = put_sdes(r, at, o->ssrc);
	}
	at += nack_write(at, size - (size_t)(at - p), o->ssrc,
			 o->source->ssrc, seqv, n);

	return (size_t)(at - p);
}


size_t report_bye(struct report *r, uint8_t *p, size_t size,
		  const struct report_out *o)
{
	struct report_out whole = *o;
	uint8_t *at = p;

	if (size < 168)
		return 0;

	whole.reduced = false;
	at += report_build(r, at, size - 8, &whole);
	at = put_header(at, 1, RTCP_BYE, 8);
	at = put_u32(at, o->ssrc);

	return (size_t)(at - p);
}


/* In -------------------------------------------------------------------- */

/* One part of a compound; body begins after its first word */
struct part {
	unsigned count;
	uint8_t type;
	const uint8_t *body;
	size_t len;
};


static int part_read(struct part *part, const uint8_t **pp, const uint8_t *end)
{
	const uint8_t *p = *pp;
	size_t bytes;

	if (end - p < 4 || p[0] >> 6 != 2)
		return EBADMSG;

	bytes = 4 + 4 * (size_t)get_u16(p + 2);
	if (bytes > (size_t)(end - p))
		return EBADMSG;

	part->count = p[0] & 0x1f;
	part->type = p[1];
	part->body = p + 4;
	part->len = bytes - 4;

	if (p[0] & 0x20) {
		const size_t pad = p[bytes - 1];

		if (!pad || pad > part->len)
			return EBADMSG;
		part->len -= pad;
	}

	*pp = p + bytes;

	return 0;
}


static void read_block(struct report *r, const uint8_t *p,
		       uint64_t arrival_us, uint64_t wall_ms, uint64_t now_us)
{
	const uint32_t lost = get_u32(p + 4) & 0xffffff;
	const uint32_t lsr = get_u32(p + 16), dlsr = get_u32(p + 20);

	r->remote_known = true;
	++r->remote_count;
	r->remote_fraction = p[4];
	r->remote_lost = lost & 0x800000 ? 0 : lost;   /* duplicates: < 0 */
	r->remote_jitter = get_u32(p + 12);

	if (lsr) {
		/* when it came, on the wall clock that lsr is from */
		const uint64_t ms = wall_ms - (now_us - arrival_us) / 1000;
		const uint32_t a = (uint32_t)(ntp_time(ms) >> 16);
		const uint32_t rtt = a - lsr - dlsr;

		/* a little below zero is rounding, far off is nonsense */
		if (rtt < 60u << 16)
			r->rtt_us = (uint32_t)(((uint64_t)rtt * 1000000) >>
					       16);
		else if (rtt > UINT32_MAX - (1u << 13))
			r->rtt_us = 0;

		if (!r->rtt_us)
			r->rtt_us = 1;
	}
}


static int read_part(struct report *r, const struct part *part,
		     uint64_t arrival_us, uint64_t wall_ms, uint64_t now_us,
		     uint32_t our_ssrc, uint32_t ssrc)
{
	const uint8_t *p = part->body;
	size_t head = 4;

	switch (part->type) {

	case RTCP_SR:
		head = 24;
		/*@fallthrough@*/
	case RTCP_RR:
		if (part->len < head + part->count * REPORT_BLOCK)
			return EBADMSG;

		if (ssrc && get_u32(p) != ssrc) {
			/* of somebody else behind the same address */
		}
		else if (part->type == RTCP_SR) {
			r->lsr = get_u32(p + 4) << 16 | get_u32(p + 8) >> 16;
			r->lsr_us = arrival_us;
			r->lsr_ssrc = get_u32(p);
		}
		else {
			r->idle_us = arrival_us;
		}

		for (unsigned i = 0; i < part->count; i++) {
			const uint8_t *b = p + head + i * REPORT_BLOCK;

			if (get_u32(b) == our_ssrc)
				read_block(r, b, arrival_us, wall_ms, now_us);
		}
		break;

	case RTCP_BYE:
		if (part->len < part->count * 4)
			return EBADMSG;

		for (unsigned i = 0; i < part->count; i++) {
			if (!ssrc || get_u32(p + 4 * i) == ssrc)
				r->bye = true;
		}
		break;

	case RTCP_XR:
		return xr_read(&r->xr, &r->xr_known, part->body, part->len,
			       our_ssrc);

	case RTCP_RTPFB:
		if (part->len < 8)
			return EBADMSG;
		if (part->count == RTCP_RTPFB_GNACK &&
		    get_u32(p + 4) == our_ssrc)
			r->nackn += nack_read(r->nackv + r->nackn,
					      COUNT(r->nackv) - r->nackn,
					      p + 8, part->len - 8);
		break;

	default:
		break;
	}

	return 0;
}


int report_read(struct report *r, const uint8_t *p, size_t len,
		uint64_t arrival_us, uint64_t wall_ms, uint64_t now_us,
		uint32_t our_ssrc, uint32_t ssrc)
{
	const uint8_t *end = p + len, *at = p;
	struct report was = *r;
	struct part part;
	bool first = true;
	int err = 0;

	r->nackn = was.nackn = 0;

	while (at < end) {

		err = part_read(&part, &at, end);
		if (err)
			break;

		/* in reduced size any may come alone (RFC 5506), but noise
		 * does not look like one of those there are */
		if (part.type < RTCP_SR || part.type > RTCP_XR) {
			err = EBADMSG;
			break;
		}
		first = false;

		err = read_part(r, &part, arrival_us, wall_ms, now_us,
				our_ssrc, ssrc);
		if (err)
			break;
	}

	if (!err && first)
		err = EBADMSG;

	if (err) {
		*r = was;
		++r->malformed;
	}

	return err;
}
