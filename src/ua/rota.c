/**
 * @file rota.c  Whose turn it is to be looked at
 *
 * Figures of many calls that are told at the same moment keep the loop, and
 * all who listen, busy for that moment: the last one comes late, and so does
 * a message that arrives meanwhile.  Some at a time they cost nobody anything.
 * Main thread.
 */
#include "priv.h"

enum {
	AT_ONCE = 8,             /* calls that are few                       */
	LEAST_MS = 20,           /* from turn to turn                        */
};


uint64_t rota_turn(struct rota *r, size_t n, uint64_t interval_ms)
{
	if (r->turn + 1 < r->turns) {
		++r->turn;
	}
	else {
		const uint64_t most = interval_ms / LEAST_MS;
		const uint64_t want = (n + AT_ONCE - 1) / AT_ONCE;

		r->turn = 0;
		r->turns = (unsigned)(want < most ? want : most);
		if (!r->turns)
			r->turns = 1;
	}

	/* together they are the interval, whatever it divides into */
	return interval_ms * (r->turn + 1) / r->turns -
		interval_ms * r->turn / r->turns;
}


bool rota_has(const struct rota *r, unsigned id)
{
	return r->turns < 2 || id % r->turns == r->turn;
}
