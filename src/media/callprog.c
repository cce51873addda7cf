/**
 * @file callprog.c  Dial tone, ringing, busy, congestion, SIT and fax
 *
 * What a gateway or a network plays instead of a status.  Frames of 40 ms,
 * half of it apart, are looked at from 250 to 2200 Hz: a tone is one when
 * nearly all there is lies at one or two places.  Which one it is is told by
 * the cadence, not by the exact pitch, since that differs from country to
 * country (ITU-T E.180 and its supplement): so speech and music, which have no
 * cadence, are not taken for one.  The special information tones are three
 * that rise (E.180 7), a fax calls with 1100 Hz and answers with 2100 (T.30).
 *
 * Pure; media thread.
 */
#include <math.h>
#include <string.h>
#include "callprog.h"
#include "priv.h"


enum {
	HOP       = CALLPROG_FRAME / 2,
	HOP_MS    = 20,
	GLITCH    = 2,           /* frames at an edge are neither            */
	DIAL_MS   = 2600,        /* longer than any ringing                  */
	ALIKE_MS  = 60,          /* two parts of a cadence that are the same */
	CADENCE_MIN_MS = 80, CADENCE_MAX_MS = 1000,
	CONGESTED_MS = 650,      /* a quicker turn is not merely busy        */
	PAUSE_MS  = 1500,        /* between two rings, at least              */
	RING_MS   = 240,
	SIT_MIN_MS = 180, SIT_MAX_MS = 460, SIT_GAP_MS = 60,
	CNG_MIN_MS = 380, CNG_MAX_MS = 640,
	ANS_MS    = 800,
	OVER_MS   = 6000, OTHER_MS = 400,
};

#define LOUD 8.5e3               /* mean square: -48 dBFS                    */
#define PURE 0.9                 /* of a frame's energy                      */
#define SECOND 0.05              /* less is no second tone                   */


/* Energy at 25 Hz times k, in the unit of the frame's own */
static double bin(const double *w, unsigned k)
{
	const double coef = 2.0 * cos(2.0 * M_PI * k / CALLPROG_FRAME);
	double s1 = 0.0, s2 = 0.0;

	for (unsigned i = 0; i < CALLPROG_FRAME; i++) {
		const double s0 = w[i] + coef * s1 - s2;

		s2 = s1;
		s1 = s0;
	}

	return 2.0 * (s1 * s1 + s2 * s2 - coef * s1 * s2) / CALLPROG_FRAME;
}


static bool within(unsigned hz, unsigned lo, unsigned hi)
{
	return hz >= lo && hz <= hi;
}


/* At one place, or two: 3 bins to each side, as wide as the window makes a
 * tone; each bin once */
static double place(const double *p, unsigned a, unsigned b)
{
	double sum = 0.0;

	for (unsigned i = 0; i < CALLPROG_BINS; i++) {
		if (within(i, a > 3 ? a - 3 : 0, a + 3) ||
		    within(i, b > 3 ? b - 3 : 0, b + 3))
			sum += p[i];
	}

	return sum;
}


/* But for one that is known already and what belongs to it */
static unsigned loudest(const double *p, unsigned known)
{
	unsigned at = CALLPROG_BINS;

	for (unsigned i = 0; i < CALLPROG_BINS; i++) {
		if (known < CALLPROG_BINS && i + 2 >= known && i <= known + 2)
			continue;
		if (at == CALLPROG_BINS || p[i] > p[at])
			at = i;
	}

	return at;
}


static unsigned bin_hz(unsigned at)
{
	return (at + CALLPROG_FIRST) * CALLPROG_HZ / CALLPROG_FRAME;
}


static enum callprog_part one_tone(unsigned hz)
{
	if (within(hz, 300, 680))
		return PART_LOW;
	if (within(hz, 875, 1025))
		return PART_SIT1;
	if (within(hz, 1075, 1125))
		return PART_CNG;
	if (within(hz, 1325, 1475))
		return PART_SIT2;
	if (within(hz, 1725, 1850))
		return PART_SIT3;
	if (within(hz, 2075, 2125))
		return PART_ANS;

	return PART_OTHER;
}


static enum callprog_part frame_part(const int16_t *v)
{
	double w[CALLPROG_FRAME], p[CALLPROG_BINS], energy = 0.0, sum = 0.0;
	unsigned a, b;

	for (unsigned i = 0; i < CALLPROG_FRAME; i++) {
		sum += (double)v[i] * v[i];
		w[i] = v[i] * (0.5 - 0.5 * cos(2.0 * M_PI * (i + 0.5) /
					       CALLPROG_FRAME));
		energy += w[i] * w[i];
	}
	if (sum < LOUD * CALLPROG_FRAME)
		return PART_QUIET;

	for (unsigned i = 0; i < CALLPROG_BINS; i++)
		p[i] = bin(w, i + CALLPROG_FIRST);

	a = loudest(p, CALLPROG_BINS);
	if (place(p, a, a) > PURE * energy)
		return one_tone(bin_hz(a));

	b = loudest(p, a);
	if (place(p, a, b) > PURE * energy && p[b] > SECOND * p[a] &&
	    one_tone(bin_hz(a)) == PART_LOW && one_tone(bin_hz(b)) == PART_LOW)
		return PART_LOW;

	return PART_OTHER;
}


/* The cadence ------------------------------------------------------------ */

static unsigned part_ms(const struct callprog *c, unsigned back)
{
	return c->past[CALLPROG_PARTS - 1 - back].frames * HOP_MS;
}


static bool part_is(const struct callprog *c, unsigned back,
		    enum callprog_part part)
{
	return c->past[CALLPROG_PARTS - 1 - back].part == part;
}


static bool alike(unsigned a, unsigned b)
{
	return (a > b ? a - b : b - a) <= ALIKE_MS;
}


/* Tone and silence in turns, each like the one before it (or, in some
 * countries, the one before that): the last of three has just ended */
static const char *cadence(const struct callprog *c)
{
	unsigned turn;

	for (unsigned i = 0; i < 6; i++) {
		if (!part_is(c, i, i % 2 ? PART_LOW : PART_QUIET))
			return NULL;
		if (i && !within(part_ms(c, i), CADENCE_MIN_MS,
				 CADENCE_MAX_MS))
			return NULL;
	}

	turn = part_ms(c, 2) + part_ms(c, 3);
	if (alike(part_ms(c, 1), part_ms(c, 3)) &&
	    alike(part_ms(c, 3), part_ms(c, 5)) &&
	    alike(part_ms(c, 2), part_ms(c, 4)))
		return turn < CONGESTED_MS ? "congestion" : "busy";

	/* 400 on, 350 off, 225 on, 525 off */
	if (part_is(c, 7, PART_LOW) && alike(part_ms(c, 1), part_ms(c, 5)) &&
	    alike(part_ms(c, 3), part_ms(c, 7)) &&
	    alike(part_ms(c, 2), part_ms(c, 6)))
		return "congestion";

	return NULL;
}


static bool is_sit(const struct callprog *c)
{
	static const enum callprog_part want[] = {
		PART_SIT3, PART_SIT2, PART_SIT1
	};
	unsigned back = 0;

	/* the last one may still go on */
	for (unsigned i = 0; i < COUNT(want); i++, back++) {
		if (i && !part_is(c, back, want[i]) &&
		    part_ms(c, back) <= SIT_GAP_MS)
			++back;
		if (back >= CALLPROG_PARTS || !part_is(c, back, want[i]) ||
		    !within(part_ms(c, back), SIT_MIN_MS, SIT_MAX_MS))
			return false;
	}

	return true;
}


/* A busy tone has ended: the silence behind it is no pause between rings */
static bool fell_silent(const struct callprog *c)
{
	return c->told && strcmp(c->told, "ringback") &&
		part_is(c, 2, PART_QUIET) && part_ms(c, 2) < PAUSE_MS;
}


static const char *judge(const struct callprog *c)
{
	const unsigned now = part_ms(c, 0);

	if (part_is(c, 0, PART_LOW))
		return now >= DIAL_MS ? "dial" : NULL;
	if (part_is(c, 0, PART_SIT3))
		return is_sit(c) ? "sit" : NULL;
	if (part_is(c, 0, PART_ANS))
		return now >= ANS_MS ? "fax" : NULL;
	if (!part_is(c, 0, PART_QUIET))
		return NULL;

	if (part_is(c, 1, PART_CNG) && within(part_ms(c, 1), CNG_MIN_MS,
					      CNG_MAX_MS))
		return "fax";
	if (part_is(c, 1, PART_LOW) && part_ms(c, 1) >= RING_MS &&
	    part_ms(c, 1) < DIAL_MS && now >= PAUSE_MS && !fell_silent(c))
		return "ringback";

	return cadence(c);
}


static void part_begin(struct callprog *c, enum callprog_part part,
		       unsigned frames)
{
	memmove(c->past, c->past + 1, sizeof(c->past) - sizeof(c->past[0]));
	c->past[CALLPROG_PARTS - 1].part = part;
	c->past[CALLPROG_PARTS - 1].frames = frames;
}


/* What lasts no longer than an edge does belongs to what was before it */
static void frame_take(struct callprog *c, enum callprog_part part)
{
	unsigned *frames = &c->past[CALLPROG_PARTS - 1].frames;

	if (part_is(c, 0, part)) {
		*frames += 1 + c->strange;
		c->strange = 0;
		return;
	}

	if (part != c->other) {
		*frames += c->strange;
		c->strange = 0;
	}
	c->other = part;
	if (++c->strange < GLITCH)
		return;

	part_begin(c, part, c->strange);
	c->strange = 0;
}


static const char *frame_end(struct callprog *c)
{
	const char *tone;

	frame_take(c, frame_part(c->v));
	memmove(c->v, c->v + HOP, HOP * sizeof(*c->v));
	c->n = HOP;

	/* it is over when something else is heard for long, or nothing is */
	if (part_is(c, 0, PART_QUIET) && part_ms(c, 0) > OVER_MS) {
		c->told = NULL;
		c->past[CALLPROG_PARTS - 2].part = PART_OTHER;
	}
	else if (part_is(c, 0, PART_OTHER) && part_ms(c, 0) > OTHER_MS) {
		c->told = NULL;
	}

	tone = judge(c);
	if (!tone || (c->told && !strcmp(tone, c->told)))
		return NULL;

	c->told = tone;

	return tone;
}


const char *callprog_put(struct callprog *c, const int16_t *v, size_t n,
			 uint32_t rate_hz)
{
	const char *tone = NULL;

	if (c->rate_hz != rate_hz) {
		memset(c, 0, sizeof(*c));
		c->rate_hz = rate_hz;
		c->step = rate_hz / CALLPROG_HZ ? rate_hz / CALLPROG_HZ : 1;
	}

	for (size_t i = 0; i < n; i++) {
		c->acc += v[i];
		if (++c->acc_n < c->step)
			continue;

		c->v[c->n++] = (int16_t)(c->acc / (int32_t)c->step);
		c->acc = 0;
		c->acc_n = 0;
		if (c->n >= CALLPROG_FRAME) {
			const char *t = frame_end(c);

			tone = t ? t : tone;
		}
	}

	return tone;
}
