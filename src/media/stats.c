/**
 * @file stats.c  Counting what came, how loud it was, how good it sounds
 *
 * Pure; media thread (media_mos: any).
 */
#include <math.h>
#include "priv.h"


/* A source, after RFC 3550 A.1, A.3 and A.8 ----------------------------- */

void source_init(struct source *s, uint32_t ssrc, uint32_t clock_hz,
		 uint16_t seq)
{
	memset(s, 0, sizeof(*s));

	s->known = true;
	s->ssrc = ssrc;
	s->clock_hz = clock_hz;
	s->base = s->high = seq;
	s->transit_us = INT64_MIN;
}


void source_heard(struct source *s, uint16_t seq, uint32_t ts,
		  uint64_t arrival_us, bool timed)
{
	const int16_t ahead = (int16_t)(seq - (uint16_t)s->high);
	int64_t transit, d;

	if (ahead > 0)
		s->high += (uint32_t)ahead;

	++s->received;

	if (!timed || !s->clock_hz)
		return;

	/* time stamps wrap; a wrap is one difference too large to be one */
	transit = (int64_t)arrival_us -
		(int64_t)ts * 1000000 / (int64_t)s->clock_hz;
	d = s->transit_us == INT64_MIN ? 0 : transit - s->transit_us;
	s->transit_us = transit;

	if (d < 0)
		d = -d;
	if (d > 10000000)
		return;

	s->jitter_us += ((double)d - s->jitter_us) / 16.0;
}


static uint64_t source_expected(const struct source *s)
{
	return s->known ? (uint64_t)(s->high - s->base) + 1 : 0;
}


uint64_t source_lost(const struct source *s)
{
	const uint64_t expected = source_expected(s);

	return expected > s->received ? expected - s->received : 0;
}


uint8_t source_fraction(struct source *s)
{
	const uint64_t expected = source_expected(s) - s->expected_then;
	const uint64_t received = s->received - s->received_then;

	s->expected_then += expected;
	s->received_then += received;

	if (!expected || received >= expected)
		return 0;

	return (uint8_t)((expected - received) * 255 / expected);
}


/* Loudness -------------------------------------------------------------- */

void level_init(struct level *l, uint32_t rate_hz)
{
	memset(l, 0, sizeof(*l));

	l->rate_hz = rate_hz;
	l->dbfs = -96.0;
}


double level_add(struct level *l, const int16_t *v, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (int32_t)v[i] * v[i];

	l->sum += (double)sum;
	l->n += (uint32_t)n;

	if (l->n >= l->rate_hz) {
		/* a sine of full scale is 0 dBFS */
		const double full = 32768.0 * 32768.0 / 2.0;
		const double p = l->sum / l->n / full;

		l->dbfs = p > 2.6e-10 ? 10.0 * log10(p) : -96.0;
		l->sum = 0.0;
		l->n = 0;
	}

	return n ? (double)sum / (double)n : 0.0;
}


/* Quality, after ITU-T G.107 and the figures of G.113 for the codecs ---- */

static void codec_figures(const char *name, double *ie, double *bpl)
{
	*ie = 0.0;
	*bpl = 20.0;

	/* G.711 with concealment is G.113's own figure; the others are put
	 * beside it */
	if (!strncmp(name, "pcm", 3))
		*bpl = 25.1;
	else if (!strcmp(name, "g722"))
		*ie = 4.0;
	else if (!strcmp(name, "gsm"))
		*ie = 20.0;
	else if (!strcmp(name, "opus"))
		*bpl = 25.0;
}


double media_mouth_to_ear_ms(const struct stream_stats *st)
{
	return st->mic_ms + st->packet_ms + st->rtt_us / 2000.0 +
		st->delay_ms + st->speaker_ms;
}


double media_r(const struct codec *codec, double loss_pct, double burst_ratio,
	       double delay_ms)
{
	double ie, bpl, r;

	if (!codec || !(loss_pct >= 0.0) || !(delay_ms >= 0.0))
		return NAN;

	if (loss_pct > 100.0)
		loss_pct = 100.0;
	if (!(burst_ratio >= 1.0))
		burst_ratio = 1.0;

	codec_figures(codec->name, &ie, &bpl);

	r = 93.2 - (ie + (95.0 - ie) * loss_pct /
		    (loss_pct / burst_ratio + bpl));
	r -= 0.024 * delay_ms;
	if (delay_ms > 177.3)
		r -= 0.11 * (delay_ms - 177.3);

	return r < 0.0 ? 0.0 : r;
}


double media_mos_of(double r)
{
	if (!(r == r))
		return 0.0;
	if (r <= 0.0)
		return 1.0;
	if (r >= 100.0)
		return 4.5;

	r = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;

	return r < 1.0 ? 1.0 : r;
}


double media_mos(const struct codec *codec, double loss_pct, double delay_ms)
{
	return media_mos_of(media_r(codec, loss_pct, 1.0, delay_ms));
}
