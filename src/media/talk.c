/**
 * @file talk.c  Somebody talks into a microphone that is muted
 *
 * Media thread; pure.  A voice is loud against what is always there, comes
 * again and again with the pitch of a human being (autocorrelation, 70 to
 * 400 Hz) and in syllables.  A fan is not periodic, a hum and a tone know no
 * syllables, a beep is far too pure, and keys are no pitch.  A second has to
 * pass, so the end of the word that the button cut off counts for nothing.
 */
#include <math.h>
#include <string.h>
#include "talk.h"


enum {
	FRAME_MS = 20,
	LAG_MIN  = 20,           /* 400 Hz                                  */
	LAG_MAX  = 114,          /* 70 Hz                                   */
	PURE_MIN = 4, PURE_MAX = 14,  /* 2000 to 570 Hz: no voice is there  */
	VOICED   = 16,           /* frames of the last 64                   */
	SYLLABLES = 2,
	SETTLE   = 50,           /* frames before anything is said          */
	END_MS   = 5000,
};

#define LOUD      10700.0        /* mean square: -50 dBFS                   */
#define ABOVE     8.0            /* 9 dB                                    */
#define RISE      1.012          /* a frame: 2.6 dB a second                */
#define FALL      0.3
#define DIP       0.25           /* 6 dB                                    */
#define ECHO_MOST 0.125          /* comes back: 9 dB less than is played    */
#define ECHO_DIES 0.9            /* a frame: 23 dB a second                 */
#define PITCH     0.6            /* of what a pure pitch would give         */
#define PURE      0.97
#define POLE      0.94           /* 80 Hz and down goes                     */


void talk_init(struct talk *t)
{
	memset(t, 0, sizeof(*t));
	t->floor = LOUD / ABOVE;
	t->low = true;
}


/* How alike it is to itself so many samples before, -1 to 1 */
static double alike(const float *v, unsigned lag)
{
	double xy = 0.0, xx = 1.0, yy = 1.0;

	for (unsigned i = LAG_MAX; i < TALK_SPAN; i++) {
		xy += (double)v[i] * v[i - lag];
		xx += (double)v[i] * v[i];
		yy += (double)v[i - lag] * v[i - lag];
	}

	return xy / sqrt(xx * yy);
}


static bool is_voice(const float *v)
{
	for (unsigned lag = PURE_MIN; lag <= PURE_MAX; lag++) {
		if (alike(v, lag) > PURE)
			return false;
	}
	for (unsigned lag = LAG_MIN; lag <= LAG_MAX; lag++) {
		if (alike(v, lag) > PITCH)
			return true;
	}

	return false;
}


static unsigned ones(uint64_t bits)
{
	return (unsigned)__builtin_popcountll(bits);
}


/* Of the newest frame */
static double power_of(const struct talk *t)
{
	double sum = 0.0;

	for (unsigned i = TALK_SPAN - TALK_FRAME; i < TALK_SPAN; i++)
		sum += (double)t->v[i] * t->v[i];

	return sum / TALK_FRAME;
}


static enum talk_step spell(struct talk *t, bool voiced)
{
	t->quiet_ms = voiced ? 0 : t->quiet_ms + FRAME_MS;

	if (!t->talks && t->frames >= SETTLE && ones(t->voiced) >= VOICED &&
	    ones(t->begun) >= SYLLABLES) {
		t->talks = true;
		return TALK_BEGINS;
	}
	if (t->talks && t->quiet_ms >= END_MS) {
		t->talks = false;
		return TALK_ENDS;
	}

	return TALK_SAME;
}


static enum talk_step frame(struct talk *t)
{
	const double power = power_of(t);
	const double played = t->played_n ? t->played / (double)t->played_n
					  : 0.0;
	bool voiced, begins;

	t->echo = fmax(played, t->echo * ECHO_DIES);
	t->floor = power < t->floor ? t->floor + FALL * (power - t->floor)
				    : t->floor * RISE + 1.0;

	voiced = power > LOUD && power > ABOVE * t->floor &&
		power > ECHO_MOST * t->echo && is_voice(t->v);

	/* one that only dies away goes down, and never up again */
	t->bottom = fmin(t->bottom, power);
	if (!t->low && power < DIP * t->top) {
		t->low = true;
		t->bottom = power;
	}
	begins = voiced && t->low && t->bottom < DIP * power;
	if (begins) {
		t->low = false;
		t->top = power;
	}
	t->top = fmax(t->top, power);

	t->voiced = t->voiced << 1 | voiced;
	t->begun = t->begun << 1 | begins;
	if (t->frames < SETTLE)
		++t->frames;

	return spell(t, voiced);
}


/* @return true: a frame is full */
static bool put(struct talk *t, int16_t x)
{
	double in;

	t->sum += x;
	if (++t->summed < t->step)
		return false;

	in = (double)t->sum / t->step;
	t->out = in - t->in + POLE * t->out;
	t->in = in;
	t->sum = 0;
	t->summed = 0;
	t->v[TALK_FRAME + t->n] = (float)t->out;

	return ++t->n == TALK_FRAME;
}


enum talk_step talk_hear(struct talk *t, const int16_t *mic,
			 const int16_t *heard, size_t n, uint32_t rate_hz)
{
	enum talk_step told = TALK_SAME, step;

	if (t->rate_hz != rate_hz) {
		const bool talks = t->talks;

		talk_init(t);
		t->talks = talks;
		t->rate_hz = rate_hz;
		t->step = rate_hz < 16000 ? 1 : rate_hz / 8000;
	}

	for (size_t i = 0; i < n; i++) {
		t->played += (double)heard[i] * heard[i];
		++t->played_n;

		if (!put(t, mic[i]))
			continue;

		/* at most one of them says something: it takes seconds */
		step = frame(t);
		if (step != TALK_SAME)
			told = step;
		memmove(t->v, t->v + TALK_FRAME,
			TALK_FRAME * sizeof(*t->v));
		t->n = 0;
		t->played = 0.0;
		t->played_n = 0;
	}

	return told;
}
