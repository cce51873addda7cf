/**
 * @file astray.c  Has the echo gone to where the canceller does not look?
 *
 * A busy machine is late, a device runs dry, and from then on the echo comes
 * some milliseconds later.  What the canceller takes away is then not there,
 * and what it leaves is louder than what was captured; speech of ours never
 * makes it so.  Would it go on it would forget what it knows within a second,
 * and need seconds to learn it again at the other place.  So it rests until
 * that place has been found (align.c) and then goes on as if nothing had been.
 * Meanwhile what is as loud as the echo always was is turned down; whoever
 * speaks up is heard.
 *
 * Pure; media thread.
 */
#include <math.h>
#include "astray.h"


enum {
	LEARNT    = 100,         /* blocks that must have gone well         */
	LEARNT_DOUBT = 50,       /*   when it is likely anyhow              */
	LEARNT_MAX = 300,
	REST_AT   = 6, REST_DOUBT = 2,   /* wrong ones, before it rests     */
	REST_MAX  = 120,         /* then the room is another one            */
	RECOVERS  = 200,
};

#define FAR_LOUD 40000.0         /* mean square: -44 dBFS                   */
#define MIC_LEAST 100.0          /* -70 dBFS                                */
#define RINGS   0.7              /* a room, from block to block             */
#define WELL    0.1              /* so little is left                       */
#define LOUDER  1.2              /* so much is left: of one block           */
#define AS_LOUD 0.75             /*   of some                               */
#define FADED   0.2              /* quieter than the echo: the room rings on */
#define OURS    2.5              /* louder than the echo: we speak          */
#define FAST    0.4
#define SLOW    0.02
#define DOWN    0.97f            /* turned down by: 30 dB                   */
#define ATTACK  0.8f
#define RELEASE 0.2f


bool astray_rests(const struct astray *a)
{
	return a->rests;
}


void astray_found(struct astray *a)
{
	if (a->rests)
		a->recovers = RECOVERS;
	a->rests = a->wrong = 0;
	a->in = a->out = 0.0;
}


/* As loud as the echo would be; 1 */
static double echo_like(const struct astray *a, double mic)
{
	return a->cause > 0.0 ? mic * a->cause / (a->room * a->back) :
		INFINITY;
}


static void learn(struct astray *a, double mic, double left)
{
	if (left > WELL * mic)
		return;

	a->learnt += a->learnt < LEARNT_MAX;
	a->back += SLOW * (mic - a->back);
	a->cause += SLOW * (a->room - a->cause);
}


static void recover(struct astray *a)
{
	--a->recovers;
	if (a->out < WELL * a->in)
		a->recovers = 0;
	/* it never did: it learns from nothing, and is heard */
	else if (!a->recovers)
		a->learnt = 0;
}


void astray_look(struct astray *a, double far, double mic, double left,
		 bool doubt)
{
	double like;
	bool wrong;

	a->room = fmax(far, RINGS * a->room);
	a->down = false;
	if (a->room < FAR_LOUD || mic < MIC_LEAST)
		return;

	like = echo_like(a, mic);
	a->in += FAST * (mic - a->in);
	a->out += FAST * (left - a->out);
	if (a->rests && ++a->rests > REST_MAX)
		astray_found(a);
	if (a->rests || a->recovers) {
		a->down = like < OURS;
		if (!a->rests)
			recover(a);
		return;
	}

	learn(a, mic, left);
	wrong = a->learnt >= (doubt ? LEARNT_DOUBT : LEARNT) &&
		like < OURS && like > FADED &&
		(left > LOUDER * mic || a->out > AS_LOUD * a->in);
	a->down = wrong;
	a->wrong = wrong ? a->wrong + 1 : a->wrong / 2;
	if (a->wrong >= (doubt ? REST_DOUBT : REST_AT))
		a->rests = 1;
}


void astray_hide(struct astray *a, int16_t *v, size_t n)
{
	float want = a->down ? DOWN : 0.0f, step;

	if (!a->down && a->gain < 0.001f) {
		a->gain = 0.0f;
		return;
	}

	want = a->gain + (want - a->gain) * (a->down ? ATTACK : RELEASE);
	/* down before it is heard, up at leisure */
	if (a->down)
		a->gain = want;
	step = (want - a->gain) / (float)n;
	for (size_t i = 0; i < n; i++) {
		a->gain += step;
		v[i] = (int16_t)lrintf((1.0f - a->gain) * (float)v[i]);
	}
	a->gain = want;
}
