/**
 * @file follow.c  How a tick keeps close behind the packets of a peer
 *
 * Media thread; pure.  A peer whose clock differs from ours is followed, as
 * far as clocks differ.  A peer that follows us in its turn cannot be: each
 * would run ahead of the other for ever, and both calls too fast.  Who is led
 * further than any clock would lead him stops, and keeps his own time.
 */
#include "follow.h"


enum {
	BAND_US    = 1500,       /* nearer to the margin is near enough     */
	SLEW_NS    = 60000,      /* a tick: 3 ms a second                   */
	START_NS   = 20000000,   /* to get there                            */
	CLOCK_PPM  = 500,        /* no two clocks differ by more            */
};


int64_t follow_step(struct follow *f, uint64_t now_ns, int64_t spare_us)
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
	f->off = f->moved_ns > most || f->moved_ns < -most;

	return step;
}
