/**
 * @file transit.c  How late packets come, lately
 *
 * Media thread; pure; part of a jitter buffer.  The largest transit of the
 * last seconds is what the buffer has to wait for, but for what is rare: one
 * or two stalls in ten seconds are worth a repair each, not a longer delay
 * for everything.
 *
 * Ten seconds is long when the jitter has gone.  So it is asked how likely it
 * is that none of the last packets was as late as some before, if nothing had
 * changed: with one in ten late, fifty in a row that are not leave no doubt;
 * with a stall in each five seconds they mean nothing.  Only what is beyond
 * doubt is forgotten, and if that proves rash, we look longer the next time.
 *
 * Who begins to send is often late with the first packets, and not again:
 * a socket, a route, a thread had to be made.  So the beginning is forgotten
 * much sooner.
 */
#include <stdlib.h>
#include <string.h>
#include "transit.h"


enum {
	RARE       = 2,           /* so many may lie far off                */
	OUTLIER_US = 10000,       /* this far                               */
	MEASURE    = 16,          /* packets between two looks at them all  */
	CHANGE_US  = 8000,        /* of the range that is worth a look      */
	LAST_LEAST = 25,          /* packets that may tell a new time ...   */
	LAST_MOST  = 200,         /* ... when looked for long               */
	DOUBT      = 6,           /* late ones expected and missed          */
	RASH       = 250,         /* packets: five seconds                  */
	WARY_MAX   = 3,
	CALM       = 1500,        /* packets without regret: less wary      */
	START      = 5,           /* the first packets ...                  */
	STARTED    = 8,           /* ... when so many others came, ...      */
	START_MOST = 32,          /* ... and before there are so many       */
};


void transits_forget(struct transits *t)
{
	memset(t, 0, sizeof(*t));
}


/* The smallest, and the largest but for what is rare */
static void measure(struct transits *t)
{
	const unsigned few = t->count / 128;
	const unsigned rare = few < RARE ? few : RARE;
	int32_t top[RARE + 1], low = INT32_MAX;

	for (unsigned i = 0; i <= rare; i++)
		top[i] = INT32_MIN;

	for (unsigned i = 0; i < t->count; i++) {
		const int32_t v = t->v[i];
		unsigned k = rare;

		if (v < low)
			low = v;
		if (v <= top[rare])
			continue;

		for (; k && top[k - 1] < v; k--)
			top[k] = top[k - 1];
		top[k] = v;
	}

	t->low = low;
	t->high = top[0];
	t->fresh = 0;

	if ((int64_t)top[0] - top[rare] >
	    OUTLIER_US + ((int64_t)top[rare] - low) / 4)
		t->high = top[rare];
}


static void enter(struct transits *t, int32_t v)
{
	t->v[t->pos] = v;
	t->pos = (t->pos + 1) % TRANSITS;
	if (t->count < TRANSITS)
		++t->count;
}


/* The i-th last one */
static int32_t recent(const struct transits *t, unsigned i)
{
	return t->v[(t->pos + TRANSITS - 1 - i) % TRANSITS];
}


/* Is it plain that the n last ones are of another kind than those before? */
static bool differ(const struct transits *t, unsigned n)
{
	int32_t low = INT32_MAX, high = INT32_MIN;
	const int64_t quarter = (t->high - t->low) / 4;
	const int64_t far = quarter > CHANGE_US ? quarter : CHANGE_US;
	unsigned above = 0, below = 0, before = t->count - n;

	for (unsigned i = 0; i < n; i++) {
		const int32_t v = recent(t, i);

		if (v < low)
			low = v;
		if (v > high)
			high = v;
	}

	if (t->high - high < far && low - t->low < far)
		return false;

	for (unsigned i = n; i < t->count; i++) {
		above += recent(t, i) > high + far / 2;
		below += recent(t, i) < low - far / 2;
	}

	return n * above >= DOUBT * before || n * below >= DOUBT * before;
}


/* Were the first packets later than all that have come since? */
static void forget_start(struct transits *t)
{
	int32_t high = INT32_MIN;
	unsigned n = 0;

	for (; n < STARTED; n++) {
		if (recent(t, n) > high)
			high = recent(t, n);
	}

	/* as many more as are no later than these */
	while (n < t->count && recent(t, n) <= high + OUTLIER_US)
		++n;

	if (n < t->count && t->count - n <= START)
		transits_keep(t, n);
}


static void forget_past(struct transits *t)
{
	if (t->wary && t->since > CALM) {
		--t->wary;
		t->since = RASH;
	}

	/* there is nothing that could have changed */
	if (t->high - t->low < CHANGE_US)
		return;

	for (unsigned n = LAST_LEAST << t->wary;
	     n <= LAST_MOST && 2 * n <= t->count; n *= 2) {

		const int64_t high = t->high;

		if (!differ(t, n))
			continue;

		transits_keep(t, n);
		if (high - t->high >= CHANGE_US) {
			t->since = 0;
			t->regret = t->high + (high - t->high) / 2;
		}
		return;
	}
}


static void regret(struct transits *t, int32_t transit)
{
	if (t->since >= RASH || transit <= t->regret)
		return;

	t->since = RASH;
	if (t->wary < WARY_MAX)
		++t->wary;
}


void transits_add(struct transits *t, int64_t transit, uint64_t arrival_us,
		  int64_t dur_us)
{
	/*
	 * What piled up behind a late packet and came with it was not late
	 * for reasons of its own: a stall counts once, however long it was.
	 */
	const bool follows = transit < t->last &&
		(int64_t)(arrival_us - t->last_us) < dur_us / 4;

	t->last = transit;
	t->last_us = arrival_us;

	if (follows || transit > INT32_MAX / 2 || transit < INT32_MIN / 2)
		return;

	enter(t, (int32_t)transit);
	regret(t, (int32_t)transit);
	++t->since;

	if (++t->heard <= START_MOST && t->count > STARTED)
		forget_start(t);

	if (++t->fresh >= MEASURE || t->count < MEASURE ||
	    transit > t->high) {
		measure(t);
		if (t->count >= 2 * LAST_LEAST)
			forget_past(t);
	}
	else if (transit < t->low)
		t->low = transit;
}


int64_t transits_quickest(const struct transits *t, unsigned n)
{
	int64_t quickest = INT64_MAX;

	for (unsigned i = 0; i < n && i < t->count; i++) {
		if (recent(t, i) < quickest)
			quickest = recent(t, i);
	}

	return quickest;
}


static int by_value(const void *a, const void *b)
{
	const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return x < y ? -1 : x > y;
}


int64_t transits_share(const struct transits *t, unsigned pct)
{
	int32_t v[TRANSITS];

	if (!t->count || pct >= 100)
		return t->high;

	memcpy(v, t->v, t->count * sizeof(*v));
	qsort(v, t->count, sizeof(*v), by_value);

	return v[(size_t)t->count * pct / 100];
}


void transits_keep(struct transits *t, unsigned n)
{
	int32_t v[TRANSITS];

	if (n > t->count)
		n = t->count;
	for (unsigned i = 0; i < n; i++)
		v[i] = recent(t, i);

	t->count = t->pos = 0;
	while (n)
		enter(t, v[--n]);

	if (t->count)
		measure(t);
}
