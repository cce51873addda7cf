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
 * pace.c says when.  What comes in is here, what goes out in jitter_get.c.
 */
#include <offhook/compat.h>
#include "jitter_priv.h"


enum {
	PACKETS_MAX = 256,
	BYTES_MAX   = 96 * 1024,
	SEQ_JUMP    = 1000,           /* further is another stream          */
	LATE_RUN    = 25,             /* late in a row: our place is wrong  */
};

enum {                                /* microseconds                       */
	JUMP_US     = 3000000,
};

/* The payload given out last is the caller's no more */
void jitter_lent_back(struct jitter *j)
{
	queue_recycle(&j->q, j->lent);
	j->lent = NULL;
}


/* Life ------------------------------------------------------------------ */

static void destructor(void *arg)
{
	struct jitter *j = arg;

	jitter_lent_back(j);
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
	jitter_lent_back(j);
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


void jitter_set_extra(struct jitter *j, uint32_t units, unsigned share,
		      bool whole)
{
	j->extra = units;
	j->extra_us = units ? transits_share(&j->t, share) : 0;
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
	transit = jitter_lag_at(j, arrival_us, xts);

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
