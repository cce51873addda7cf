/**
 * @file follow.c  How a tick keeps close behind the packets of a peer
 *
 * Media thread; pure.  A peer whose clock differs from ours is followed, as
 * far as clocks differ.  A peer that follows us in its turn cannot be: each
 * would run ahead of the other for ever, and both calls too fast.  Who comes
 * no nearer by moving is followed himself, and who is led further than any
 * clock would lead him is led by none: they stop, and keep their own time.
 */
#include "follow.h"


enum {
	BAND_US    = 1500,       /* nearer to the margin is near enough     */
	SLEW_NS    = 60000,      /* a tick: 3 ms a second                   */
	START_NS   = 20000000,   /* to get there                            */
	CLOCK_PPM  = 500,        /* no two clocks differ by more            */
	PROOF_NS   = 4000000,    /* so far, ...                             */
	NEARER_US  = 2000,       /* ... and that much must have come of it  */
};

#define LATELY_NS 3000000000ULL  /* clocks make 1.5 ms of it                 */


/* Has what was moved lately, more than clocks ask for, brought us nearer to
 * the packets? */
static bool nearer(struct follow *f, uint64_t now_ns, int64_t lead_us)
{
	const int64_t moved = f->moved_ns - f->mark_ns;
	const int64_t came = moved < 0 ? f->mark_us - lead_us
				       : lead_us - f->mark_us;
	const bool far = moved > PROOF_NS || moved < -PROOF_NS;

	if (!far && now_ns - f->marked_ns < LATELY_NS)
		return true;

	f->marked_ns = now_ns;
	f->mark_ns = f->moved_ns;
	f->mark_us = lead_us;

	return !far || came >= NEARER_US;
}


int64_t follow_step(struct follow *f, uint64_t now_ns, int64_t spare_us,
		    int64_t lead_us)
{
	int64_t step = 0, most;

	if (f->off || !spare_us)
		return 0;
	if (!f->begin_ns)
		f->begin_ns = now_ns;

	if (spare_us > FOLLOW_MARGIN_US + BAND_US)
		step = -SLEW_NS;
	else if (spare_us < FOLLOW_MARGIN_US - BAND_US)
		step = SLEW_NS;

	f->moved_ns += step;
	most = START_NS + (int64_t)((now_ns - f->begin_ns) / 1000000 *
				    CLOCK_PPM);
	f->off = f->moved_ns > most || f->moved_ns < -most ||
		!nearer(f, now_ns, lead_us);

	return step;
}
