/**
 * @file jitter_get.c  What a jitter buffer gives out
 *
 * Media thread; pure; part of a jitter buffer (jitter.c has the rules).
 */
#include <offhook/compat.h>
#include "jitter_priv.h"


enum {
	WHOLE_MAX   = 3,              /* packets of a gap bridged at once   */
};

enum {                                /* microseconds                       */
	DEFICIT_US  = JITTER_SLACK_US / 2, /* so much too little: grow      */
	UNHEARD_US  = 200000,         /* nothing for so long: sender pauses */
};


static int64_t us_units(const struct jitter *j, int64_t us)
{
	return us * j->conf.clock_hz / 1000000;
}


/* We changed the lag by us */
static void lag_moved(struct jitter *j, int64_t us)
{
	pace_forget(&j->pace);

	if (us > 0)
		j->st.grown_us += (uint64_t)us;
	else
		j->st.shrunk_us += (uint64_t)-us;
}


/* Did all numbers from a up to, not including, b come? */
static bool seq_complete(const struct jitter *j, int64_t a, int64_t b)
{
	for (; a < b; a++) {
		const int64_t back = j->seq_max - a;

		if (back >= 64 || back < 0 || !(j->seen >> back & 1))
			return false;
	}

	return true;
}


static enum jitter_get give_silence(struct jitter_frame *f, uint32_t want)
{
	f->dur = want;

	return JITTER_SILENCE;
}


static enum jitter_get give_lost(struct jitter_frame *f, uint32_t dur,
				 struct node *next)
{
	f->dur = dur;

	if (next) {
		next->shown = true;
		f->payload = next->data;
		f->len = next->len;
		f->pt = next->pt;
	}

	return JITTER_LOST;
}


/* Nothing is waiting: late, lost, or the sender pauses */
static enum jitter_get get_nothing(struct jitter *j, uint32_t want,
				   struct jitter_frame *f)
{
	int64_t limit = 1000LL * j->conf.max_ms;

	if (limit < UNHEARD_US)
		limit = UNHEARD_US;

	if (j->marked || jitter_us(j, j->pending) >= limit) {
		j->playing = false;
		j->pending = 0;
		return give_silence(f, want);
	}

	j->pending += want;

	return give_lost(f, want, NULL);
}


/* Between spurts: begin with the head when its time has come */
static bool spurt_begin(struct jitter *j, uint64_t now_us, uint32_t want)
{
	const int64_t max = 1000LL * j->conf.max_ms;
	int64_t quickest, lag;

	if (!j->q.head)
		return false;

	/* when the pause ended on another path, what we knew is void */
	quickest = transits_quickest(&j->t, j->q.count);
	if (quickest != INT64_MAX && quickest > j->t.low + max)
		transits_keep(&j->t, j->q.count);

	while (jitter_lag_at(j, now_us, j->q.head->ts) >
	       j->t.low + max + jitter_us(j, want)) {
		if (!j->q.head->next)
			break;
		queue_drop(&j->q);
		++j->st.overflow;
	}

	/* what came before anybody listened would be delay for ever */
	while (!j->begun && j->q.head->next &&
	       jitter_lag_at(j, now_us, j->q.head->next->ts) >= jitter_need(j)) {
		if (j->again)
			j->st.skipped_us += (uint64_t)
				jitter_us(j, j->q.head->dur);
		else
			++j->st.overflow;
		queue_drop(&j->q);
	}

	lag = jitter_lag_at(j, now_us, j->q.head->ts);
	if (lag < jitter_need(j))
		return false;

	j->playing = j->begun = true;
	j->again = false;
	j->play = j->q.head->ts;
	j->seq_next = j->q.head->seq;
	j->pending = 0;
	pace_forget(&j->pace);

	return true;
}


/* How much it delays, the least and the most so far */
static void delay_note(struct jitter *j)
{
	const int64_t delay = j->lag - j->t.low;
	const uint32_t us = delay > 0 ? (uint32_t)delay : 0;
	struct jitter_stats *st = &j->st;

	if (!st->delay_max_us || us < st->delay_min_us)
		st->delay_min_us = us;
	if (us > st->delay_max_us)
		st->delay_max_us = us;
}


/* There is a hole before the head */
static enum jitter_get get_bridge(struct jitter *j, uint32_t want,
				  struct jitter_frame *f)
{
	const int64_t gap = j->q.head->ts - j->play;
	uint32_t dur = j->dur_last ? j->dur_last : want;

	if (dur > gap || (j->whole && gap <= WHOLE_MAX * (int64_t)dur))
		dur = (uint32_t)gap;

	j->play += dur;
	j->st.concealed_us += (uint64_t)jitter_us(j, dur);

	return give_lost(f, dur, dur == gap ? j->q.head : NULL);
}


static enum jitter_get get_packet(struct jitter *j, uint64_t now_us,
				  uint32_t want, bool quiet,
				  struct jitter_frame *f)
{
	struct node *n = j->q.head;
	const struct node *next = n->next;
	const uint32_t have = want < j->pace.block ? j->pace.block - want : 0;
	const int64_t lag = jitter_lag_at(j, now_us, j->play);

	f->skip = (uint32_t)(j->play - n->ts);
	f->more = next && next->ts == n->ts + n->dur;

	if (want) {
		j->lag = lag + jitter_us(j, have);
		delay_note(j);
		pace_note(&j->pace, lag, have, n->dur);
	}

	if (want && !f->skip)
		pace_step(&j->pace, &f->pace, now_us, jitter_need(j),
			  j->t.high - j->t.low, have, n->dur, quiet);

	j->play = n->ts + n->dur;
	j->seq_next = n->seq + 1;

	f->payload = n->data;
	f->len = n->len;
	f->dur = n->dur;
	f->pt = n->pt;
	f->shown = n->shown;

	j->lent = queue_pop(&j->q);

	return JITTER_PACKET;
}


/*
 * So much was made up for what turned out to be lost, and is left out now.  But
 * where packets should be held longer, to have what is behind a gap, it has
 * brought just that: only as much is left out as can be, and the rest of the
 * gap is made up once more, better.
 */
static uint32_t pending_spend(struct jitter *j, uint64_t now_us, int64_t gap)
{
	const uint32_t most = gap < j->pending ? (uint32_t)gap : j->pending;
	const int64_t grid_us = jitter_us(j, pace_grid(&j->pace, j->dur_last));
	const int64_t lack = jitter_need(j) + jitter_us(j, most) -
		jitter_lag_at(j, now_us, j->play);
	int64_t keep;

	if (!j->extra || lack <= DEFICIT_US || grid_us <= 0)
		return most;

	keep = us_units(j, (lack + grid_us - 1) / grid_us * grid_us);

	return keep < most ? most - (uint32_t)keep : 0;
}


enum jitter_get jitter_get(struct jitter *j, uint64_t now_us, uint32_t want,
			   bool quiet, struct jitter_frame *f)
{
	int64_t gap, over;

	memset(f, 0, sizeof(*f));
	jitter_lent_back(j);

	if (!j->known)
		return give_silence(f, want);

	if (!j->playing && !spurt_begin(j, now_us, want))
		return give_silence(f, want);

	/* what has been waited for longer than we may is left out */
	over = jitter_lag_at(j, now_us, j->play) - j->t.low -
		1000LL * j->conf.max_ms - jitter_us(j, want);
	if (j->q.head && over > 0) {
		j->play += us_units(j, over);
		j->st.skipped_us += (uint64_t)over;
		lag_moved(j, -over);
	}

	while (j->q.head && j->q.head->ts + j->q.head->dur <= j->play) {
		queue_drop(&j->q);
		++j->st.overflow;
	}

	if (!j->q.head)
		return get_nothing(j, want, f);

	gap = j->q.head->ts - j->play;

	if (gap > 0 && seq_complete(j, j->seq_next, j->q.head->seq)) {

		/* the sender was silent: begin again, at the right time */
		j->playing = false;
		if (!spurt_begin(j, now_us, want))
			return give_silence(f, want);
		gap = 0;
	}

	if (gap > 0 && jitter_lag_at(j, now_us, j->play) <
	    jitter_lag_for(j, 0) - DEFICIT_US) {
		/* it may still come, and the lag should grow anyway */
		j->pending += want;
		return give_lost(f, want, NULL);
	}

	if (gap > 0 && j->pending) {
		/* lost, and its time has been filled already */
		const uint32_t use = pending_spend(j, now_us, gap);

		j->play += use;
		j->pending -= use;
		j->st.concealed_us += (uint64_t)jitter_us(j, use);
		gap -= use;
	}

	if (j->pending) {
		/* late, not lost, or kept: the delay has grown, and what we
		 * believed about it is void */
		const int64_t us = jitter_us(j, j->pending);

		j->st.concealed_us += (uint64_t)us;
		lag_moved(j, us);
		j->pending = 0;
	}

	if (gap > 0)
		return get_bridge(j, want, f);

	return get_packet(j, now_us, want, quiet, f);
}


void jitter_retimed(struct jitter *j, uint64_t now_us, int32_t units)
{
	const int64_t us = jitter_us(j, units);

	pace_done(&j->pace, now_us);

	if (us > 0) {
		j->st.stretched_us += (uint64_t)us;
		j->st.grown_us += (uint64_t)us;
	}
	else {
		j->st.compressed_us += (uint64_t)-us;
		j->st.shrunk_us += (uint64_t)-us;
	}
}
