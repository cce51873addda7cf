/**
 * @file ear.c  Is a tone, a voice or nothing to be heard?
 *
 * Frames of 20 ms: their loudness, and how much of it is at one frequency
 * (Goertzel's filter).  Cheap, and only while somebody expects something.
 * Media thread.
 */
#include <math.h>
#include "ear.h"
#include "priv.h"

enum { FRAME_MS = 20 };

/* What a person would call silence on a telephone; and as much of a frame at
 * the frequency that nothing else can be in it */
#define LOUD_DBFS (-45.0)
#define TONE_SHARE 0.6


void ear_init(struct ear *e, double hz)
{
	memset(e, 0, sizeof(*e));
	e->hz = hz;
	e->heard.level_dbfs = -96.0;
}


static void frame_begin(struct ear *e)
{
	e->s1 = e->s2 = e->sum = 0.0;
	e->n = 0;
}


static void count(uint32_t *ms, bool is)
{
	*ms = is ? *ms + FRAME_MS : 0;
}


static void frame_end(struct ear *e)
{
	struct stream_heard *h = &e->heard;
	const double full = 32768.0 * 32768.0 / 2.0;
	const double mean = e->sum / e->n;
	const double level = mean > 1e-3 ? 10.0 * log10(mean / full) : -96.0;
	const bool loud = level > LOUD_DBFS;
	double power;

	h->level_dbfs = level;
	h->tone_share = 0.0;

	if (e->hz > 0.0 && e->sum > 0.0) {
		/* a sine alone has all of the frame's energy */
		power = e->s1 * e->s1 + e->s2 * e->s2 -
			e->coef * e->s1 * e->s2;
		h->tone_share = 2.0 * power / (e->sum * e->n);
		if (h->tone_share > 1.0)
			h->tone_share = 1.0;
	}

	count(&h->tone_ms, loud && h->tone_share > TONE_SHARE);
	count(&h->quiet_ms, !loud);
	if (loud)
		h->loud_ms += FRAME_MS;
	h->all_ms += FRAME_MS;

	frame_begin(e);
}


void ear_hear(struct ear *e, const int16_t *v, size_t n, uint32_t rate_hz)
{
	const uint32_t frame = rate_hz / 1000 * FRAME_MS;

	if (e->rate_hz != rate_hz) {
		e->rate_hz = rate_hz;
		e->coef = 2.0 * cos(2.0 * M_PI * e->hz / rate_hz);
		frame_begin(e);
	}

	for (size_t i = 0; i < n; i++) {

		const double x = v[i];
		const double s0 = x + e->coef * e->s1 - e->s2;

		e->s2 = e->s1;
		e->s1 = s0;
		e->sum += x * x;

		if (++e->n >= frame)
			frame_end(e);
	}
}
