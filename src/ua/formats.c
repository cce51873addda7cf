/**
 * @file formats.c  Payload types: what a number means, on both sides
 *
 * The numbers of the peer are used for what we send, ours for what we
 * receive, and we take the peer's for ours whenever they are free.  A number
 * never changes its meaning during a call (RFC 3264 8.3.2).  Pure functions.
 */
#include <strings.h>
#include "offhook/text.h"
#include "negotiate.h"


enum {
	PTIME_MOST_MS = 60,      /* longer packets are missed too much      */
	TE_USUAL = 101,          /* the number everyone knows it by         */
	CODE_CODEC = 0x01,
	CODE_TE = 0x40,
	CODE_RED = 0x60,
};


/* Index in codec_table() */
static unsigned codec_index(const struct codec *c)
{
	const struct codec *const *table = codec_table();

	for (unsigned i = 0; table[i]; i++) {
		if (table[i] == c)
			return i;
	}

	return NEGO_NONE;
}


/* telephone-event goes by clock: the first codec that has it stands for it */
static unsigned clock_index(uint32_t clock_hz)
{
	const struct codec *const *table = codec_table();

	for (unsigned i = 0; table[i]; i++) {
		if (table[i]->clock_hz == clock_hz)
			return i;
	}

	return NEGO_NONE;
}


/*
 * The number under which we receive a codec or telephone-event: the one
 * wished for if it is free or means that already, else the one we have, else
 * the usual one, else any that is free.
 */
static uint8_t number_for(struct nego *n, uint8_t code, uint8_t *have,
			  unsigned wish, unsigned usual)
{
	unsigned num = NEGO_NONE;

	if (wish < 128 && (!n->meaning[wish] || n->meaning[wish] == code))
		num = wish;
	else if (*have != NEGO_NONE)
		return *have;
	else if (usual < 128 && !n->meaning[usual])
		num = usual;

	for (unsigned i = 96; i < 128 && num == NEGO_NONE; i++) {
		if (!n->meaning[i])
			num = i;
	}

	if (num != NEGO_NONE) {
		n->meaning[num] = code;
		*have = (uint8_t)num;
	}

	return (uint8_t)num;
}


uint8_t nego_codec_number(struct nego *n, const struct codec *c,
			  unsigned wish)
{
	const unsigned i = codec_index(c);

	if (i >= COUNT_OF(n->codec_num))
		return NEGO_NONE;

	return number_for(n, (uint8_t)(CODE_CODEC + i), &n->codec_num[i],
			  wish, c->pt >= 0 ? (unsigned)c->pt : NEGO_NONE);
}


uint8_t nego_te_number(struct nego *n, uint32_t clock_hz, unsigned wish)
{
	const unsigned i = clock_index(clock_hz);

	if (i >= COUNT_OF(n->te_num))
		return NEGO_NONE;

	return number_for(n, (uint8_t)(CODE_TE + i), &n->te_num[i], wish,
			  clock_hz == TE_COMMON_HZ ? TE_USUAL : NEGO_NONE);
}


/*
 * What a format of the peer means. A static number whose rtpmap says
 * something else is ambiguous and not used; but G722/16000 is an old mistake
 * that everyone knows (RFC 3551 4.5.2).
 */
static const struct codec *format_codec(const struct desc_format *f)
{
	const struct codec *fixed = codec_find_pt(f->pt), *c;
	char name[32];

	/* 72 to 76 are RTCP's (RFC 3551 6) */
	if (f->pt < 0 || (f->pt >= 72 && f->pt <= 76))
		return NULL;
	if (!pl_isset(&f->name))
		return fixed;
	if (text_copy(name, sizeof(name), f->name.p, f->name.l))
		return NULL;

	c = codec_find_sdp(name, f->clock_hz, f->channels);
	if (!fixed)
		return c;

	if (fixed->pt == 9 && f->clock_hz == 16000 &&
	    0 == strcasecmp(name, fixed->sdp_name))
		return fixed;

	return c == fixed ? fixed : NULL;
}


static uint32_t format_te(const struct desc_format *f)
{
	return f->pt >= 0 && pl_isset(&f->name) && f->channels <= 1 &&
		text_caseeq(f->name.p, f->name.l, "telephone-event")
			? f->clock_hz : 0;
}


static bool able(const struct ability *ab, const struct codec *c)
{
	for (unsigned i = 0; c && i < ab->codecc; i++) {
		if (ab->codecv[i] == c)
			return true;
	}

	return false;
}


/* The peer's fmtp on top of our wishes. @return false: cannot be spoken */
static bool take_fmtp(struct codec_param *prm, const struct codec *c,
		      const struct ability *ab, const struct desc_format *f)
{
	char fmtp[512];

	*prm = ab->param;
	if (!c->fmtp_parse)
		return true;

	/* longer than anything sensible: as if there were none */
	if (!pl_isset(&f->fmtp) ||
	    text_copy(fmtp, sizeof(fmtp), f->fmtp.p, f->fmtp.l))
		return !c->fmtp_parse(prm, NULL);

	return !c->fmtp_parse(prm, fmtp);
}


/* What we send: the packet time the peer asks for, within its limit */
static unsigned take_ptime(const struct codec *c, const struct ability *ab,
			   const struct desc_media *m)
{
	unsigned want = m->ptime_ms >= 10 ? m->ptime_ms : ab->param.ptime_ms;

	if (m->maxptime_ms >= 10 && want > m->maxptime_ms)
		want = m->maxptime_ms;

	return codec_ptime(c, want);
}


/* How long packets may become: only where the codec can send less, and the
 * peer has not said otherwise */
static unsigned take_ptime_max(const struct codec *c,
			       const struct desc_media *m)
{
	const unsigned most = m->maxptime_ms >= 10 ? m->maxptime_ms
						   : PTIME_MOST_MS;

	if (!c->tune)
		return 0;

	return codec_ptime(c, most < PTIME_MOST_MS ? most : PTIME_MOST_MS);
}


/*
 * The codecs of a line that we speak, each once, in the line's order; the
 * first becomes the plan's. The line's numbers are what the peer wants to
 * receive. @return false: none
 */
bool nego_take_codecs(struct media_plan *plan, struct nego *n,
		      const struct ability *ab, const struct desc_media *m,
		      bool offer)
{
	plan->codec = NULL;
	plan->also_count = 0;
	n->answer_codecc = 0;

	for (unsigned i = 0; i < m->fmtc; i++) {
		const struct desc_format *f = &m->fmtv[i];
		const struct codec *c = format_codec(f);
		struct codec_param prm;
		bool have = false;
		uint8_t num;

		/* an answer may leave out what our offer has said */
		if (!offer && !c && f->pt >= 0 && !pl_isset(&f->name)) {
			const unsigned code = n->meaning[f->pt];

			if (code >= CODE_CODEC && code < CODE_TE)
				c = codec_table()[code - CODE_CODEC];
		}

		for (unsigned k = 0; k < n->answer_codecc; k++)
			have = have || n->answer_codec[k] == c;

		if (have || !able(ab, c) || !take_fmtp(&prm, c, ab, f))
			continue;

		num = nego_codec_number(n, c, offer ? (unsigned)f->pt
						    : NEGO_NONE);
		if (num == NEGO_NONE)
			continue;

		n->answer_codec[n->answer_codecc] = c;
		n->answer_num[n->answer_codecc++] = num;

		if (!plan->codec) {
			plan->codec = c;
			plan->param = prm;
			plan->param.ptime_ms = take_ptime(c, ab, m);
			plan->param.ptime_max_ms = take_ptime_max(c, m);
			plan->pt_send = (uint8_t)f->pt;
			plan->pt_recv = num;
		}
		else if (plan->also_count < COUNT_OF(plan->also_recv)) {
			plan->also_recv[plan->also_count] = num;
			plan->also_codec[plan->also_count++] = c;
		}
	}

	return plan->codec != NULL;
}


/* The codec's own clock is best, then the one that everybody knows */
static unsigned event_rank(uint32_t clock_hz, const struct codec *c)
{
	return clock_hz == c->clock_hz ? 2 : clock_hz == TE_COMMON_HZ ? 1 : 0;
}


/* Each telephone-event of the line that we know, one a clock; the best of
 * them is what we send with, all may come */
void nego_take_events(struct media_plan *plan, struct nego *n,
		      const struct desc_media *m, bool offer)
{
	uint32_t best = 0;

	plan->te_send = plan->te_recv = -1;
	plan->te_clock_hz = 0;
	plan->te_also_count = 0;
	n->answer_tec = 0;

	for (unsigned i = 0; i < m->fmtc; i++) {
		const struct desc_format *f = &m->fmtv[i];
		const uint32_t hz = format_te(f);
		const unsigned k = hz ? clock_index(hz) : NEGO_NONE;
		bool have = n->answer_tec == NEGO_CLOCKS;
		uint8_t num;

		for (unsigned j = 0; j < n->answer_tec; j++)
			have = have || n->answer_te_hz[j] == hz;

		/* an answer may only take what was offered */
		if (have || k >= COUNT_OF(n->te_num) ||
		    (!offer && n->te_num[k] == NEGO_NONE))
			continue;

		num = nego_te_number(n, hz, offer ? (unsigned)f->pt
						  : NEGO_NONE);
		if (num == NEGO_NONE)
			continue;

		n->answer_te[n->answer_tec] = num;
		n->answer_te_hz[n->answer_tec++] = hz;

		if (!best || event_rank(hz, plan->codec) >
		    event_rank(best, plan->codec)) {
			best = hz;
			plan->te_send = f->pt;
		}
	}

	for (unsigned i = 0; i < n->answer_tec; i++) {
		const struct media_events e = {
			.pt = n->answer_te[i], .clock_hz = n->answer_te_hz[i]
		};

		if (e.clock_hz == best) {
			plan->te_recv = e.pt;
			plan->te_clock_hz = best;
		}
		else {
			plan->te_also[plan->te_also_count++] = e;
		}
	}
}


unsigned nego_red_of(const struct codec *c)
{
	if (c->clock_hz == NARROW_HZ && c->sdp_channels <= 1)
		return 0;

	return c->clock_hz == 48000 && c->sdp_channels == 2 ? 1 : NEGO_NONE;
}


uint8_t nego_red_number(struct nego *n, unsigned red, unsigned wish)
{
	return number_for(n, (uint8_t)(CODE_RED + red), &n->red_num[red], wish,
			  NEGO_NONE);
}


static bool format_is(const struct desc_format *f, const char *name,
		      uint32_t clock_hz, unsigned channels)
{
	return pl_isset(&f->name) && f->clock_hz == clock_hz &&
		(f->channels ? f->channels : 1) == channels &&
		text_caseeq(f->name.p, f->name.l, name);
}


/* Comfort noise is for narrow band: Opus has its own */
void nego_take_extras(struct media_plan *plan, struct nego *n,
		      const struct ability *ab, const struct desc_media *m,
		      bool offer)
{
	const struct codec *c = plan->codec;
	const unsigned red = ab->red ? nego_red_of(c) : NEGO_NONE;

	plan->red_send = plan->red_recv = plan->cn_send = plan->cn_recv = 0;
	n->answer_red = n->answer_cn = 0;

	for (unsigned i = 0; i < m->fmtc; i++) {
		const struct desc_format *f = &m->fmtv[i];

		if (f->pt <= 0)
			continue;

		if (red != NEGO_NONE && !plan->red_send &&
		    format_is(f, "red", c->clock_hz, c->sdp_channels) &&
		    (offer || n->red_num[red] != NEGO_NONE)) {
			const uint8_t num = nego_red_number(n, red, offer ?
				(unsigned)f->pt : NEGO_NONE);

			if (num == NEGO_NONE)
				continue;
			plan->red_send = (uint8_t)f->pt;
			plan->red_recv = n->answer_red = num;
		}

		if (ab->cn && c->rate_hz == NARROW_HZ &&
		    (f->pt == PT_CN ? !pl_isset(&f->name) ||
		     format_is(f, "CN", NARROW_HZ, 1) : false))
			plan->cn_send = plan->cn_recv = n->answer_cn = PT_CN;
	}
}
