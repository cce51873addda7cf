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
 * shrinks, and grows ahead of time, in quiet stretches.
 */
#include <offhook/compat.h>
#include "jitter.h"


enum {
	PACKETS_MAX = 256,
	BYTES_MAX   = 96 * 1024,
	NODES_FREE  = 4,              /* kept for reuse                     */
	TRANSITS    = 512,            /* remembered: 10 s of 20 ms packets  */
	RARE        = TRANSITS / 128, /* so many of them may be late        */
	SEQ_JUMP    = 1000,           /* further is another stream          */
	LATE_RUN    = 25,             /* late in a row: our place is wrong  */
};

enum {                                /* microseconds                       */
	SLACK_US    = 1000,           /* beyond the latest usual arrival    */
	JUMP_US     = 3000000,
	OUTLIER_US  = 10000,
	HYST_US     = 3000,           /* more than this too much: shrink    */
	DEFICIT_US  = 2000,           /* less than this: grow               */
	HASTE_US    = 60000,          /* too much by so: also in speech     */
	WINDOW_US   = 1000000,        /* how long it must have been so      */
	UNHEARD_US  = 200000,         /* nothing for so long: sender pauses */
};

struct node {
	struct node *prev, *next;
	int64_t seq, ts;              /* extended                           */
	uint32_t dur;
	uint16_t len, cap;
	uint8_t pt;
	uint8_t data[];
};

struct jitter {
	struct jitter_conf conf;
	struct node *head, *tail;     /* by ts                              */
	struct node *spare;           /* free nodes                         */
	struct node *lent;            /* its payload is with the caller     */
	unsigned count, spares;
	size_t bytes;

	bool known;                   /* a time line exists                 */
	bool playing;                 /* play is a place on it              */
	bool marked;                  /* the newest packet had no sound     */
	bool merging;                 /* the next one is merged into        */
	int64_t seq_max, ts_max;      /* of the newest                      */
	uint64_t seen;                /* bit n: seq_max - n came            */
	int64_t seq_next;             /* after what was played last         */
	int64_t play;                 /* next unit                          */
	uint32_t dur_last;            /* of the last packet                 */
	uint32_t pending;             /* made up, play did not move         */
	uint32_t extra;               /* wanted beyond need                 */
	unsigned late_run;

	int32_t transit[TRANSITS];    /* less ref                           */
	unsigned transits, transit_pos, transit_new;
	int64_t ref, transit_last;
	int64_t low, high;            /* smallest, largest usual transit    */

	uint64_t window_us;           /* begin of the window                */
	int64_t spare_min, spare_max; /* lag less need in this window       */
	int64_t surplus;              /* sure of the last window            */
	int64_t deficit;
	uint64_t merged_us;           /* when delay was taken from speech   */

	struct {
		bool on;
		uint16_t seq;
		uint32_t ts;
		uint64_t arrival_us;
	} probe;                      /* the last one that was off          */

	int64_t lag;                  /* at the last get                    */
	struct jitter_stats st;
};


static int64_t units_us(const struct jitter *j, int64_t units)
{
	return units * 1000000 / j->conf.clock_hz;
}


static int64_t us_units(const struct jitter *j, int64_t us)
{
	return us * j->conf.clock_hz / 1000000;
}


/* Nodes: in order of time stamp --------------------------------------- */

static struct node *node_alloc(struct jitter *j, size_t len)
{
	struct node **np, *n;

	for (np = &j->spare; *np; np = &(*np)->next) {

		if ((*np)->cap < len)
			continue;

		n = *np;
		*np = n->next;
		--j->spares;
		return n;
	}

	len = (len + 63) & ~(size_t)63;
	n = malloc(sizeof(*n) + len);
	if (n)
		n->cap = (uint16_t)len;

	return n;
}


static void node_free(struct jitter *j, struct node *n)
{
	if (!n)
		return;

	if (j->spares >= NODES_FREE) {
		/* the oldest spare goes: sizes follow what comes now */
		struct node **np = &j->spare;

		while ((*np)->next)
			np = &(*np)->next;
		free(*np);
		*np = NULL;
		--j->spares;
	}

	n->next = j->spare;
	j->spare = n;
	++j->spares;
}


static void node_unlink(struct jitter *j, struct node *n)
{
	if (n->prev)
		n->prev->next = n->next;
	else
		j->head = n->next;

	if (n->next)
		n->next->prev = n->prev;
	else
		j->tail = n->prev;

	--j->count;
	j->bytes -= n->len;
}


/* @return false when its place is taken */
static bool node_link(struct jitter *j, struct node *n)
{
	struct node *at = j->tail;

	while (at && at->ts > n->ts)
		at = at->prev;

	if (at && at->ts == n->ts)
		return false;

	n->prev = at;
	n->next = at ? at->next : j->head;

	if (n->prev)
		n->prev->next = n;
	else
		j->head = n;

	if (n->next)
		n->next->prev = n;
	else
		j->tail = n;

	++j->count;
	j->bytes += n->len;

	return true;
}


static void head_drop(struct jitter *j)
{
	struct node *n = j->head;

	node_unlink(j, n);
	node_free(j, n);
}


/* The payload given out last is the caller's no more */
static void lent_back(struct jitter *j)
{
	node_free(j, j->lent);
	j->lent = NULL;
}


/* Arrivals: what they call for ---------------------------------------- */

static void transit_forget(struct jitter *j)
{
	j->transits = j->transit_pos = j->transit_new = 0;
	j->low = j->high = 0;
	j->window_us = 0;
	j->surplus = j->deficit = 0;
}


/* The smallest, and the largest but for what is rare */
static void transit_measure(struct jitter *j)
{
	int32_t top[RARE + 1];
	const unsigned rare = j->transits / 128;
	int32_t low = INT32_MAX;

	for (unsigned i = 0; i <= rare; i++)
		top[i] = INT32_MIN;

	for (unsigned i = 0; i < j->transits; i++) {
		const int32_t t = j->transit[i];
		unsigned k = rare;

		if (t < low)
			low = t;
		if (t <= top[rare])
			continue;

		for (; k && top[k - 1] < t; k--)
			top[k] = top[k - 1];
		top[k] = t;
	}

	j->low = low;
	j->high = top[0];

	/* the few that lie far beyond all others are worth a repair each,
	 * not a longer delay for everything */
	if ((int64_t)top[0] - top[rare] >
	    OUTLIER_US + ((int64_t)top[rare] - low) / 4)
		j->high = top[rare];
}


static void transit_add(struct jitter *j, int64_t transit)
{
	if (transit > INT32_MAX / 2 || transit < INT32_MIN / 2)
		return;

	j->transit[j->transit_pos] = (int32_t)transit;
	j->transit_pos = (j->transit_pos + 1) % TRANSITS;
	if (j->transits < TRANSITS)
		++j->transits;

	if (++j->transit_new >= 16 || j->transits < 16) {
		j->transit_new = 0;
		transit_measure(j);
	}
	else if (transit < j->low) {
		j->low = transit;
	}
}


/* The lag that recent arrivals call for */
static int64_t lag_need(const struct jitter *j)
{
	int64_t need = j->high + SLACK_US + units_us(j, j->extra);
	const int64_t min = j->low + 1000LL * j->conf.min_ms;
	const int64_t max = j->low + 1000LL * j->conf.max_ms;

	if (need < min)
		need = min;

	return need > max ? max : need;
}


static int64_t lag_at(const struct jitter *j, uint64_t now_us, int64_t ts)
{
	return (int64_t)now_us - units_us(j, ts) - j->ref;
}


/* We changed the lag by us: what was measured moves along */
static void lag_moved(struct jitter *j, int64_t us)
{
	j->window_us = 0;
	j->surplus += us;
	j->deficit += us;

	if (us > 0)
		j->st.grown_us += (uint64_t)us;
	else
		j->st.shrunk_us += (uint64_t)-us;
}


/* Over a window: what we surely have too much of, or too little */
static void lag_watch(struct jitter *j, uint64_t now_us, int64_t spare)
{
	if (!j->window_us) {
		j->window_us = now_us;
		j->spare_min = j->spare_max = spare;
	}

	if (spare < j->spare_min)
		j->spare_min = spare;
	if (spare > j->spare_max)
		j->spare_max = spare;

	if (now_us - j->window_us >= WINDOW_US) {
		j->surplus = j->spare_min;
		j->deficit = j->spare_max;
		j->window_us = 0;
	}
}


/* Life ----------------------------------------------------------------- */

static void destructor(void *arg)
{
	struct jitter *j = arg;
	struct node *n;

	lent_back(j);
	while (j->head)
		head_drop(j);

	while ((n = j->spare)) {
		j->spare = n->next;
		free(n);
	}
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
	*jp = j;

	return 0;
}


void jitter_reset(struct jitter *j, uint32_t clock_hz)
{
	lent_back(j);
	while (j->head)
		head_drop(j);

	if (clock_hz)
		j->conf.clock_hz = clock_hz;

	j->known = j->playing = j->marked = j->merging = false;
	j->pending = 0;
	j->late_run = 0;
	j->probe.on = false;
	transit_forget(j);
}


void jitter_set_extra(struct jitter *j, uint32_t units)
{
	j->extra = units;
}


/* In ------------------------------------------------------------------- */

static void line_begin(struct jitter *j, uint64_t arrival_us, uint16_t seq,
		       uint32_t ts)
{
	j->known = true;
	j->seq_max = seq;
	j->seen = 0;
	j->ts_max = ts;
	j->ref = (int64_t)arrival_us - units_us(j, ts);
	j->transit_last = 0;
	j->seq_next = j->seq_max;
}


/* Off the time line. @return whether it and the one before agree on another */
static bool line_moved(struct jitter *j, uint64_t arrival_us, uint16_t seq,
		       uint32_t ts)
{
	const uint16_t ahead = (uint16_t)(seq - j->probe.seq);
	int64_t skew = (int64_t)(arrival_us - j->probe.arrival_us) -
		units_us(j, (int32_t)(ts - j->probe.ts));
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


enum jitter_put jitter_put(struct jitter *j, uint64_t arrival_us,
			   uint16_t seq, uint32_t ts, uint32_t dur,
			   uint8_t pt, const uint8_t *payload, size_t len)
{
	enum jitter_put taken = JITTER_TAKEN;
	int64_t xseq, xts, transit;
	struct node *n;

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

	transit_add(j, transit);
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

	while (j->count >= PACKETS_MAX ||
	       (j->count && j->bytes + len > BYTES_MAX)) {
		head_drop(j);
		++j->st.overflow;
	}

	n = node_alloc(j, len);
	if (!n) {
		++j->st.refused;
		return JITTER_REFUSED;
	}

	n->seq = xseq;
	n->ts = xts;
	n->dur = dur;
	n->pt = pt;
	n->len = (uint16_t)len;
	memcpy(n->data, payload, len);

	if (!node_link(j, n)) {
		node_free(j, n);
		++j->st.refused;
		return JITTER_REFUSED;
	}

	return taken;
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


/* Out ------------------------------------------------------------------ */

static enum jitter_get give_silence(struct jitter_frame *f, uint32_t want)
{
	f->dur = want;

	return JITTER_SILENCE;
}


static enum jitter_get give_lost(struct jitter_frame *f, uint32_t dur,
				 const struct node *next)
{
	f->dur = dur;

	if (next) {
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

	if (j->marked || units_us(j, j->pending) >= limit) {
		j->playing = false;
		j->pending = 0;
		return give_silence(f, want);
	}

	j->pending += want;

	return give_lost(f, want, NULL);
}


/* Between spurts: begin with the head when its time has come */
static bool spurt_begin(struct jitter *j, uint64_t now_us)
{
	const int64_t max = 1000LL * j->conf.max_ms;
	int64_t quickest = INT64_MAX, lag;

	if (!j->head)
		return false;

	/* when the pause ended on another path, what we knew is void */
	for (unsigned i = 0; i < j->count && i < j->transits; i++) {
		const int64_t t = j->transit[(j->transit_pos + TRANSITS - 1 -
					      i) % TRANSITS];

		if (t < quickest)
			quickest = t;
	}
	if (quickest != INT64_MAX && quickest > j->low + max) {
		const unsigned n = j->count;
		int32_t keep[PACKETS_MAX];
		unsigned k = 0;

		for (; k < n && k < j->transits; k++)
			keep[k] = j->transit[(j->transit_pos + TRANSITS - 1 -
					      k) % TRANSITS];
		transit_forget(j);
		while (k--)
			transit_add(j, keep[k]);
		transit_measure(j);
	}

	while (lag_at(j, now_us, j->head->ts) > j->low + max) {
		if (!j->head->next)
			break;
		head_drop(j);
		++j->st.overflow;
	}

	lag = lag_at(j, now_us, j->head->ts);
	if (lag < lag_need(j))
		return false;

	j->playing = true;
	j->play = j->head->ts;
	j->seq_next = j->head->seq;
	j->pending = 0;
	j->window_us = 0;
	j->surplus = j->deficit = 0;

	return true;
}


/* There is a hole before the head */
static enum jitter_get get_bridge(struct jitter *j, uint32_t want,
				  struct jitter_frame *f)
{
	const int64_t gap = j->head->ts - j->play;
	uint32_t dur = j->dur_last ? j->dur_last : want;

	if (dur > gap)
		dur = (uint32_t)gap;

	j->play += dur;
	j->st.concealed_us += (uint64_t)units_us(j, dur);

	return give_lost(f, dur, dur == gap ? j->head : NULL);
}


static enum jitter_get get_packet(struct jitter *j, uint64_t now_us,
				  uint32_t want, bool quiet,
				  struct jitter_frame *f)
{
	struct node *n = j->head;
	const struct node *next = n->next;
	const int64_t us = units_us(j, n->dur);

	j->lag = lag_at(j, now_us, j->play);
	lag_watch(j, now_us, j->lag - lag_need(j));

	if (j->deficit < -DEFICIT_US && quiet) {
		lag_moved(j, units_us(j, want));
		return give_lost(f, want, NULL);
	}

	f->skip = (uint32_t)(j->play - n->ts);

	if (j->surplus >= us + HYST_US && !f->skip && !j->merging &&
	    next && next->ts == n->ts + n->dur &&
	    (quiet || (j->surplus >= us + HASTE_US &&
		       now_us - j->merged_us >= WINDOW_US / 2))) {

		f->merge = true;
		j->merged_us = now_us;
		lag_moved(j, -us);
	}
	j->merging = f->merge;

	j->play = n->ts + n->dur;
	j->seq_next = n->seq + 1;

	f->payload = n->data;
	f->len = n->len;
	f->dur = n->dur;
	f->pt = n->pt;

	node_unlink(j, n);
	j->lent = n;

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

	if (!j->playing && !spurt_begin(j, now_us))
		return give_silence(f, want);

	/* what has been waited for longer than we may is left out */
	over = lag_at(j, now_us, j->play) - j->low -
		1000LL * j->conf.max_ms - units_us(j, want);
	if (j->head && over > 0) {
		j->play += us_units(j, over);
		lag_moved(j, -over);
	}

	while (j->head && j->head->ts + j->head->dur <= j->play) {
		head_drop(j);
		++j->st.overflow;
	}

	if (!j->head)
		return get_nothing(j, want, f);

	gap = j->head->ts - j->play;

	if (gap > 0 && seq_complete(j, j->seq_next, j->head->seq)) {

		/* the sender was silent: begin again, at the right time */
		j->playing = false;
		if (!spurt_begin(j, now_us))
			return give_silence(f, want);
		gap = 0;
	}

	if (gap > 0 && lag_at(j, now_us, j->play) <
	    lag_need(j) - DEFICIT_US) {
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
		j->st.concealed_us += (uint64_t)units_us(j, use);
		gap -= use;
	}

	if (gap > 0)
		return get_bridge(j, want, f);

	if (j->pending) {
		/* late, not lost: what we believed about the lag is void */
		const int64_t us = units_us(j, j->pending);

		j->st.concealed_us += (uint64_t)us;
		lag_moved(j, us);
		j->surplus = j->deficit = 0;
		j->pending = 0;
	}

	return get_packet(j, now_us, want, quiet, f);
}


void jitter_stats(const struct jitter *j, struct jitter_stats *st)
{
	const int64_t delay = j->lag - j->low, target = lag_need(j) - j->low;

	*st = j->st;
	st->delay_us = j->playing && delay > 0 ? (uint32_t)delay : 0;
	st->target_us = j->known && target > 0 ? (uint32_t)target : 0;
}


unsigned jitter_count(const struct jitter *j)
{
	return j->count;
}
