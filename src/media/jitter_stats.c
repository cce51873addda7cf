/**
 * @file jitter_stats.c  Where a jitter buffer stands
 *
 * Media thread; pure; part of a jitter buffer (jitter.c).
 */
#include <offhook/compat.h>
#include "jitter_priv.h"


enum { LATELY = 16 };                 /* packets                            */


int64_t jitter_us(const struct jitter *j, int64_t units)
{
	return units * 1000000 / j->conf.clock_hz;
}


int64_t jitter_lag_at(const struct jitter *j, uint64_t now_us, int64_t ts)
{
	return (int64_t)now_us - jitter_us(j, ts) - j->ref;
}


int64_t jitter_lag_for(const struct jitter *j, int64_t extra_us)
{
	const int64_t need = j->t.high + JITTER_SLACK_US + extra_us;
	const int64_t min = j->t.low + 1000LL * j->conf.min_ms;
	const int64_t max = j->t.low + 1000LL * j->conf.max_ms;

	if (need > max)
		return max;

	return need < min ? min : need;
}


int64_t jitter_need(const struct jitter *j)
{
	const int64_t most = jitter_us(j, j->extra);
	int64_t extra = j->extra_us - j->t.high + most;

	/* what was found may be old */
	extra = extra < 0 ? 0 : extra < most ? extra : most;

	return jitter_lag_for(j, extra);
}


void jitter_stats(const struct jitter *j, struct jitter_stats *st)
{
	const int64_t delay = j->lag - j->t.low;
	const int64_t target = jitter_need(j) - j->t.low;

	*st = j->st;
	st->delay_us = j->playing && delay > 0 ? (uint32_t)delay : 0;
	st->target_us = j->known && target > 0 ? (uint32_t)target : 0;
}


void jitter_stats_add(struct jitter_stats *sum,
		      const struct jitter_stats *st)
{
	sum->late          += st->late;
	sum->duplicate     += st->duplicate;
	sum->reordered     += st->reordered;
	sum->refused       += st->refused;
	sum->overflow      += st->overflow;
	sum->recovered     += st->recovered;
	sum->concealed_us  += st->concealed_us;
	sum->grown_us      += st->grown_us;
	sum->shrunk_us     += st->shrunk_us;
	sum->stretched_us  += st->stretched_us;
	sum->compressed_us += st->compressed_us;
	sum->skipped_us    += st->skipped_us;
	sum->resyncs       += st->resyncs;

	if (!st->delay_max_us)
		return;
	if (!sum->delay_max_us || st->delay_min_us < sum->delay_min_us)
		sum->delay_min_us = st->delay_min_us;
	if (st->delay_max_us > sum->delay_max_us)
		sum->delay_max_us = st->delay_max_us;
}


int64_t jitter_spare(const struct jitter *j)
{
	return j->playing && j->pace.known ? j->pace.avail - jitter_need(j) : 0;
}


/* The transit of the quickest packet of the last ones */
static int64_t quickest(const struct jitter *j)
{
	const int64_t us = transits_quickest(&j->t, LATELY);

	return us == INT64_MAX ? j->transit_last : us;
}


int64_t jitter_lead(const struct jitter *j)
{
	return j->pace.avail - quickest(j);
}


uint64_t jitter_behind(const struct jitter *j)
{
	const int64_t us = j->transit_last - quickest(j);

	return us > 0 ? (uint64_t)us : 0;
}


int64_t jitter_spread(const struct jitter *j)
{
	return j->known ? j->t.high - j->t.low : 0;
}


unsigned jitter_count(const struct jitter *j)
{
	return j->q.count;
}
