/**
 * @file burst.c  How loss is spread: bursts and gaps (RFC 3611 4.7.2)
 *
 * A packet is decided when BURST_WINDOW others have had time to overtake it:
 * it came, came too late, or is lost.  Losses with fewer than BURST_GMIN
 * received packets between them are one burst; a loss alone belongs to the
 * gap around it.  Pure; media thread.
 */
#include <string.h>
#include "burst.h"


static void segment_end(struct burst *b)
{
	if (b->seg_bad > 1) {
		b->burst_n += b->seg_n;
		b->burst_bad += b->seg_bad;
		++b->bursts;
	}
	else {
		b->gap_n += b->seg_n;
		b->gap_bad += b->seg_bad;
	}
	b->seg_n = b->seg_bad = 0;
}


static void decide(struct burst *b, bool came, bool late)
{
	++b->all;

	if (came && !late) {
		++b->good;
		b->in_run = false;
		return;
	}

	b->lost += !came;
	b->discarded += came;
	b->runs += !b->in_run;
	b->in_run = true;

	if (b->seg_bad && b->good < BURST_GMIN) {
		b->seg_n += b->good + 1;
		++b->seg_bad;
	}
	else {
		segment_end(b);
		b->gap_n += b->good;
		b->seg_n = b->seg_bad = 1;
	}
	b->good = 0;
}


static void step(struct burst *b)
{
	decide(b, b->came & 1, b->late & 1);
	b->came >>= 1;
	b->late >>= 1;
	++b->next;
}


void burst_packet(struct burst *b, uint16_t seq, bool late)
{
	int32_t at;

	if (!b->known) {
		b->known = true;
		b->next = b->high = seq;
	}

	at = (int16_t)(seq - (uint16_t)b->next);
	if (at < 0) {
		/* decided long ago, or from before we listened */
		return;
	}

	/* what has had its time is decided; the source counts jumps that are
	 * none of loss as another time line */
	while (at >= BURST_WINDOW) {
		step(b);
		--at;
	}

	b->came |= 1ull << at;
	if (late)
		b->late |= 1ull << at;
	if ((int32_t)(b->next + (uint32_t)at - b->high) > 0)
		b->high = b->next + (uint32_t)at;
}


void burst_restart(struct burst *b)
{
	if (!b->known)
		return;

	/* up to the last one that came; behind it nothing is known */
	while ((int32_t)(b->high - b->next) >= 0)
		step(b);

	b->known = false;
	b->came = b->late = 0;
}


static double pct(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}


void burst_read(struct burst_figures *f, const struct burst *b)
{
	struct burst end = *b;
	const uint64_t bad = b->lost + b->discarded;
	double share;

	memset(f, 0, sizeof(*f));
	segment_end(&end);
	end.gap_n += end.good;

	f->loss_pct = pct(b->lost, b->all);
	f->discard_pct = pct(b->discarded, b->all);
	f->burst_pct = pct(end.burst_bad, end.burst_n);
	f->gap_pct = pct(end.gap_bad, end.gap_n);
	if (end.bursts)
		f->burst_packets = (double)end.burst_n / (double)end.bursts;
	f->gap_packets = (double)end.gap_n / (double)(end.bursts + 1);

	share = b->all ? (double)bad / (double)b->all : 0.0;
	f->ratio = b->runs ?
		(double)bad / (double)b->runs * (1.0 - share) : 1.0;
	if (f->ratio < 1.0)
		f->ratio = 1.0;
}
