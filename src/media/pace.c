/**
 * @file pace.c  Is there too much delay or too little, and when to change it
 *
 * Media thread; pure; part of a jitter buffer.
 *
 * Packets are fetched when a block is made, so one that begins `have` units
 * into a block has to be there earlier than it is heard.  Where in a block
 * packets begin repeats in steps of what block and packet have in common, and
 * the latest such place decides: what is put in or left out changes it only
 * when a step is crossed.  Everything is decided on that, so the answer does
 * not depend on which packet of the pattern is looked at.
 *
 * In silence a change is made at once and as large as it has to be.  In
 * speech it is a cycle of the voice at a time, with pauses between, the
 * shorter the more there is to do; at first only where the voice repeats
 * itself well, and where that does not come, where it does so less well.
 */
#include "pace.h"


enum {                                /* microseconds                       */
	RISE_US    = 100,             /* a packet                           */
	HYST_US    = 3000,            /* more than this too much: faster    */
	DEFICIT_US = 500,             /* so much too little: slower         */
	LEAST_US   = 2500,            /* less is not worth a seam           */
	PATIENCE_US = 80000,          /* too little for so long, in speech, */
	CERTAIN_US = 150000,          /*   too much, in any case            */
	SLOWER_US  = 80000,           /* between two changes in speech      */
	FASTER_US  = 150000,
	AT_EASE_US = 400000,
	HASTE_US   = 20000,           /* so much too much: ...              */
	HASTY_US   = 80000,           /* ... sooner, ...                    */
	FAR_US     = 60000,           /* so much: ...                       */
	RUSH_US    = 40000,           /* ... as soon as can be              */
	EASE_US    = 8000,            /* more is too much of any spread     */
};

enum { LIKE_BEST = 88, LIKE_LEAST = 40, LIKE_FALL_US = 10000 };


static uint32_t common(uint32_t a, uint32_t b)
{
	while (b) {
		const uint32_t c = a % b;

		a = b;
		b = c;
	}

	return a ? a : 1;
}


static int64_t units_us(const struct pace *p, uint32_t units)
{
	return (int64_t)units * 1000000 / p->clock_hz;
}


uint32_t pace_grid(const struct pace *p, uint32_t dur)
{
	return common(p->block ? p->block : dur, dur);
}


void pace_forget(struct pace *p)
{
	p->known = false;
	p->since_us = 0;
}


void pace_note(struct pace *p, int64_t lag, uint32_t have, uint32_t dur)
{
	const uint32_t block = p->block ? p->block : dur;
	const uint32_t grid = common(block, dur);
	const int64_t avail = lag + units_us(p, have) -
		units_us(p, block - grid + have % grid);

	p->avail += RISE_US;
	if (!p->known || avail < p->avail)
		p->avail = avail;
	p->known = true;
}


static void want(struct pace *p, enum tempo tempo, uint64_t now_us)
{
	if (tempo != p->wanted || !p->since_us)
		p->since_us = now_us;
	p->wanted = tempo;
}


static unsigned likeness(const struct pace *p, uint64_t now_us)
{
	const uint64_t from = p->since_us > p->done_us ? p->since_us
						       : p->done_us;
	const uint64_t fall = (now_us - from) / LIKE_FALL_US;

	return fall < LIKE_BEST - LIKE_LEAST ? LIKE_BEST - (unsigned)fall
					     : LIKE_LEAST;
}


static void slower(struct pace *p, struct pace_step *s, uint64_t now_us,
		   int64_t lack, uint32_t grid, uint32_t at, bool quiet)
{
	const int64_t grid_us = units_us(p, grid);

	want(p, TEMPO_SLOWER, now_us);

	if (!quiet && (now_us - p->since_us < PATIENCE_US ||
		       now_us - p->done_us < SLOWER_US))
		return;

	/* the step has to be crossed: rather a little too far */
	s->tempo = TEMPO_SLOWER;
	s->room = (uint32_t)((lack + grid_us - 1) / grid_us) * grid - at +
		(uint32_t)((uint64_t)p->clock_hz * LEAST_US / 1000000) + 1;
	s->like_pct = quiet ? 0 : likeness(p, now_us);
}


static void faster(struct pace *p, struct pace_step *s, uint64_t now_us,
		   int64_t excess, uint32_t grid, uint32_t at, bool quiet)
{
	const int64_t steps = excess > 0 ? excess / units_us(p, grid) : 0;
	const uint32_t room = (uint32_t)steps * grid + at;
	const unsigned pause = excess > FAR_US ? RUSH_US :
		excess > HASTE_US ? HASTY_US : FASTER_US;

	if (units_us(p, room) < LEAST_US) {
		p->since_us = 0;
		return;
	}
	want(p, TEMPO_FASTER, now_us);

	/* to play earlier within a block is not urgent */
	if (now_us - p->since_us < CERTAIN_US ||
	    (!quiet && now_us - p->done_us < (steps ? pause : AT_EASE_US)))
		return;

	s->tempo = TEMPO_FASTER;
	s->room = room;
	s->like_pct = quiet ? 0 : likeness(p, now_us);
}


void pace_step(struct pace *p, struct pace_step *s, uint64_t now_us,
	       int64_t need, int64_t spread, uint32_t have, uint32_t dur,
	       bool quiet)
{
	const uint32_t grid = pace_grid(p, dur);
	const int64_t spare = p->avail - need;
	const int64_t ease = spread / 12 < EASE_US ? spread / 12 : EASE_US;

	s->tempo = TEMPO_KEEP;
	s->room = 0;
	s->like_pct = 0;

	if (!p->known || units_us(p, grid) <= 0)
		return;

	if (spare < -DEFICIT_US)
		slower(p, s, now_us, -spare, grid, have % grid, quiet);
	else
		faster(p, s, now_us, spare - HYST_US - ease, grid,
		       have % grid, quiet);
}


void pace_done(struct pace *p, uint64_t now_us)
{
	p->known = false;
	p->done_us = now_us;
}
