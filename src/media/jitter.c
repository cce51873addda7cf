/**
 * @file jitter.c  The jitter buffer
 *
 * Media thread; owned by a receiver; pure (see jitter.h).
 *
 * `play` is the next unit to be played.  A packet's transit is its arrival
 * less its time stamp, both in microseconds; the lag is the same for the unit
 * being played: now less its time stamp.  A packet is in time when its transit
 * is at most the lag, so the lag has to be the largest transit that is
 * usual.  The last transits are kept and their maximum (but for what is rare)
 * is what the lag should be: `need`.  Nothing here needs to know how the two
 * clocks differ, and drift is just a slow change of both.
 *
 * The lag grows when a packet is late: what was made up in its place is then
 * an insertion, kept aside in `pending` until it is known whether the packet
 * was late (the delay has grown) or lost (the time line moves on).  It
 * shrinks, and grows ahead of time, by making packets shorter and longer:
 * pace.c says when.
 */
#include <offhook/compat.h>
#include "jitter_priv.h"


enum {
	PACKETS_MAX = 256,
	BYTES_MAX   = 96 * 1024,
	SEQ_JUMP    = 1000,           /* further is another stream          */
	LATE_RUN    = 25,             /* late in a row: our place is wrong  */
	WHOLE_MAX   = 3,              /* packets of a gap bridged at once   */
};

enum {                                /* microseconds                       */
	JUMP_US     = 3000000,
	DEFICIT_US  = JITTER_SLACK_US / 2, /* so much too little: grow      */
	UNHEARD_US  = 200000,         /* nothing for so long: sender pauses */
};

static int64_t us_units(const struct jitter *j, int64_t us)
{
	return us * j->conf.clock_hz / 1000000;
}


/* The payload given out last is the caller's no more */
static void lent_back(struct jitter *j)
{
	queue_recycle(&j->q, j->lent);
	j->lent = NULL;
}


/* The lag --------------------------------------------------------------- */

static int64_t lag_at(const struct jitter *j, uint64_t now_us, int64_t ts)
{
	return (int64_t)now_us - jitter_us(j, ts) - j->ref;
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


/* Life ------------------------------------------------------------------ */

static void destructor(void *arg)
{
	struct jitter *j = arg;

	lent_back(j);
	queue_close(&j->q);
}


int jitter_alloc(struct jitter **jp, const struct jitter_conf *conf)
{
	struct jitter *j;

	if (!jp || !conf || !conf->clock_hz)
		return EINVAL;

	j = mem_zalloc(sizeof(*j), destructor);
	if (!j)
		return ENOMEM;

	j->conf = *conf;
	j->pace.clock_hz = conf->clock_hz;
	*jp = j;

	return 0;
}


void jitter_reset(struct jitter *j, uint32_t clock_hz)
{
	lent_back(j);
	queue_clear(&j->q);

	if (clock_hz && clock_hz != j->conf.clock_hz) {
		j->conf.clock_hz = j->pace.clock_hz = clock_hz;
		j->pace.block = 0;
	}

	j->known = j->begun = j->playing = j->marked = false;
	j->pending = 0;
	j->late_run = 0;
	j->probe.on = false;
	transits_forget(&j->t);
	pace_forget(&j->pace);
}


void jitter_begin_again(struct jitter *j)
{
	j->again = j->begun;
	j->begun = j->playing = false;
	j->pending = 0;
	pace_forget(&j->pace);
}


void jitter_limit(struct jitter *j, unsigned min_ms, unsigned max_ms)
{
	j->conf.min_ms = min_ms;
	j->conf.max_ms = max_ms;
}


void jitter_set_extra(struct jitter *j, uint32_t units, bool whole)
{
	j->extra = units;
	j->whole = whole;
}


void jitter_set_block(struct jitter *j, uint32_t units)
{
	if (j->pace.block == units)
		return;

	j->pace.block = units;
	pace_forget(&j->pace);
}


/* In -------------------------------------------------------------------- */

static void line_begin(struct jitter *j, uint64_t arrival_us, uint16_t seq,
		       uint32_t ts)
{
	j->known = true;
	j->seq_max = seq;
	j->seen = 0;
	j->ts_max = ts;
	j->ref = (int64_t)arrival_us - jitter_us(j, ts);
	j->transit_last = 0;
	j->seq_next = j->seq_max;
}


/* Off the time line. @return whether it and the one before agree on another */
static bool line_moved(struct jitter *j, uint64_t arrival_us, uint16_t seq,
		       uint32_t ts)
{
	const uint16_t ahead = (uint16_t)(seq - j->probe.seq);
	int64_t skew = (int64_t)(arrival_us - j->probe.arrival_us) -
		jitter_us(j, (int32_t)(ts - j->probe.ts));
	const bool agree = j->probe.on && ahead > 0 && ahead < 4 &&
		skew < JUMP_US / 3 && skew > -JUMP_US / 3;

	j->probe.on = true;
	j->probe.seq = seq;
	j->probe.ts = ts;
	j->probe.arrival_us = arrival_us;

	return agree;
}


/* Enter a number among those that came. @return false: it had come before */
static bool seq_note(struct jitter *j, int64_t seq)
{
	const int64_t back = j->seq_max - seq;

	if (back < 0) {
		j->seen = -back < 64 ? j->seen << -back : 0;
		j->seen |= 1;
		j->seq_max = seq;
		return true;
	}

	/* too old to know: it is late in any case */
	if (back >= 64)
		return true;

	if (j->seen >> back & 1)
		return false;

	/* the very first number is entered here, too */
	if (back)
		++j->st.reordered;
	j->seen |= 1ULL << back;

	return true;
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


/* Into the queue, with limits */
static bool enter(struct jitter *j, int64_t seq, int64_t ts, uint32_t dur,
		  uint8_t pt, const uint8_t *payload, size_t len)
{
	struct node *n;

	while (j->q.count >= PACKETS_MAX ||
	       (j->q.count && j->q.bytes + len > BYTES_MAX)) {
		queue_drop(&j->q);
		++j->st.overflow;
	}

	n = queue_node(&j->q, len);
	if (!n)
		return false;

	n->seq = seq;
	n->ts = ts;
	n->dur = dur;
	n->pt = pt;
	n->shown = false;
	n->len = (uint16_t)len;
	memcpy(n->data, payload, len);

	if (!queue_link(&j->q, n)) {
		queue_recycle(&j->q, n);
		return false;
	}

	return true;
}


enum jitter_put jitter_put(struct jitter *j, uint64_t arrival_us,
			   uint16_t seq, uint32_t ts, uint32_t dur,
			   uint8_t pt, const uint8_t *payload, size_t len)
{
	enum jitter_put taken = JITTER_TAKEN;
	int64_t xseq, xts, transit;

	if (!dur || !len || len > 2048 || dur > j->conf.clock_hz / 2) {
		++j->st.refused;
		return JITTER_REFUSED;
	}

	if (!j->known)
		line_begin(j, arrival_us, seq, ts);

 again:
	xseq = j->seq_max + (int16_t)(seq - (uint16_t)j->seq_max);
	xts = j->ts_max + (int32_t)(ts - (uint32_t)j->ts_max);
	transit = lag_at(j, arrival_us, xts);

	if (xseq > j->seq_max + SEQ_JUMP || xseq < j->seq_max - SEQ_JUMP ||
	    transit - j->transit_last > JUMP_US ||
	    transit - j->transit_last < -JUMP_US) {

		if (!line_moved(j, arrival_us, seq, ts))
			return JITTER_SUSPECT;

		jitter_reset(j, 0);
		++j->st.resyncs;
		line_begin(j, arrival_us, seq, ts);
		taken = JITTER_RESTARTED;
		goto again;
	}
	j->probe.on = false;

	if (xseq >= j->seq_max) {
		j->transit_last = transit;
		j->ts_max = xts;
		j->marked = false;
	}

	if (!seq_note(j, xseq)) {
		++j->st.duplicate;
		return JITTER_DUPLICATE;
	}

	transits_add(&j->t, transit, arrival_us, jitter_us(j, dur));
	j->dur_last = dur;

	if (j->playing && xts + dur <= j->play) {

		++j->st.late;
		if (++j->late_run < LATE_RUN)
			return JITTER_LATE;

		/* the sender's time line has moved, by less than a jump */
		jitter_reset(j, 0);
		++j->st.resyncs;
		line_begin(j, arrival_us, seq, ts);
		taken = JITTER_RESTARTED;
		goto again;
	}
	j->late_run = 0;

	if (!enter(j, xseq, xts, dur, pt, payload, len)) {
		++j->st.refused;
		return JITTER_REFUSED;
	}

	return taken;
}


bool jitter_fill(struct jitter *j, uint16_t seq, uint32_t ts, uint32_t dur,
		 uint8_t pt, const uint8_t *payload, size_t len)
{
	int64_t xseq, xts, back;

	if (!j->known || !dur || !len || len > 2048)
		return false;

	xseq = j->seq_max + (int16_t)(seq - (uint16_t)j->seq_max);
	xts = j->ts_max + (int32_t)(ts - (uint32_t)j->ts_max);
	back = j->seq_max - xseq;

	/* it came, or nobody knows any more; its turn is over */
	if (back >= 64 || back < -SEQ_JUMP ||
	    xts > j->ts_max + SEQ_JUMP * (int64_t)dur ||
	    (back >= 0 && j->seen >> back & 1) ||
	    (j->playing && xts + dur <= j->play))
		return false;

	if (!enter(j, xseq, xts, dur, pt, payload, len))
		return false;

	if (seq_note(j, xseq) && back > 0)
		--j->st.reordered;
	++j->st.recovered;

	return true;
}


bool jitter_mark(struct jitter *j, uint16_t seq)
{
	int64_t xseq;

	if (!j->known)
		return true;

	xseq = j->seq_max + (int16_t)(seq - (uint16_t)j->seq_max);
	if (xseq > j->seq_max + SEQ_JUMP || xseq < j->seq_max - SEQ_JUMP)
		return true;

	if (xseq > j->seq_max)
		j->marked = true;

	return seq_note(j, xseq);
}


/* Out ------------------------------------------------------------------- */

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

	while (lag_at(j, now_us, j->q.head->ts) >
	       j->t.low + max + jitter_us(j, want)) {
		if (!j->q.head->next)
			break;
		queue_drop(&j->q);
		++j->st.overflow;
	}

	/* what came before anybody listened would be delay for ever */
	while (!j->begun && j->q.head->next &&
	       lag_at(j, now_us, j->q.head->next->ts) >= jitter_need(j)) {
		if (j->again)
			j->st.skipped_us += (uint64_t)
				jitter_us(j, j->q.head->dur);
		else
			++j->st.overflow;
		queue_drop(&j->q);
	}

	lag = lag_at(j, now_us, j->q.head->ts);
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
	const int64_t lag = lag_at(j, now_us, j->play);

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


enum jitter_get jitter_get(struct jitter *j, uint64_t now_us, uint32_t want,
			   bool quiet, struct jitter_frame *f)
{
	int64_t gap, over;

	memset(f, 0, sizeof(*f));
	lent_back(j);

	if (!j->known)
		return give_silence(f, want);

	if (!j->playing && !spurt_begin(j, now_us, want))
		return give_silence(f, want);

	/* what has been waited for longer than we may is left out */
	over = lag_at(j, now_us, j->play) - j->t.low -
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

	if (gap > 0 && lag_at(j, now_us, j->play) <
	    jitter_lag_for(j, 0) - DEFICIT_US) {
		/* it may still come, and the lag should grow anyway */
		j->pending += want;
		return give_lost(f, want, NULL);
	}

	if (gap > 0 && j->pending) {
		/* lost, and its time has been filled already */
		const uint32_t use = gap < j->pending ? (uint32_t)gap
						      : j->pending;

		j->play += use;
		j->pending -= use;
		j->st.concealed_us += (uint64_t)jitter_us(j, use);
		gap -= use;
	}

	if (gap > 0)
		return get_bridge(j, want, f);

	if (j->pending) {
		/* late, not lost: what we believed about the lag is void */
		const int64_t us = jitter_us(j, j->pending);

		j->st.concealed_us += (uint64_t)us;
		lag_moved(j, us);
		j->pending = 0;
	}

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
