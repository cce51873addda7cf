/**
 * @file adapt.c  What an encoder should do about loss on the way
 *
 * Media thread; pure.  Two answers to what the peer reports.
 *
 * Copies: the loss an encoder is told decides how much it spends on in-band
 * FEC.  It goes up at once and down a level at a time, after some reports that
 * ask for less.  What is told is not the loss itself: measured with speech at
 * 24 and 40 kbit/s and 1 to 20 % lost, a little is most of the help, and above
 * 10 libopus gives up bandwidth that is missed more than the packets are.
 *
 * Bit rate: when much is lost the way may be too narrow, so less is sent, in
 * steps.  When that does not help the loss is of another kind (a radio link),
 * and less would only sound worse: back to what is wanted, for a minute.
 *
 * Copies of whole packets, where the peer takes them (RFC 2198): one behind is
 * enough for losses that come alone, and more for those that come in bursts.
 * With in-band FEC a single copy is enough, if it is farther off: the packet
 * behind a gap mends its end, and what is missed beside that is longer.
 * Measured with 10 % lost in bursts of three, one copy three packets behind is
 * as good as the last three, at half the bits.  On a way that is too narrow
 * copies make it worse; then they are left away for a minute.
 *
 * Packet time: of what goes out at a low bit rate half is headers.  So once
 * less has helped every second step down makes packets longer, too; they become
 * shorter again, one report at a time, once the bit rate is back.  Not before:
 * where loss has other reasons each packet that is lost would be a longer gap.
 */
#include "adapt.h"


enum {
	PACKETS_MIN = 25,        /* a report about less says nothing        */
	CALM_MAX    = 3,         /* reports until a level down              */
	CUTS_MAX    = 4,         /* steps down that should have helped      */
	VAIN_MAX    = 12,        /* reports: a minute                       */
	JUDGE_MAX   = 6,         /* reports that tell if copies do harm     */
	BITRATE_LOW = 24000,     /* less leaves no room for copies          */
	PTIME_STEP  = 20,
};

#define RISE     0.5             /* weight of a report that is worse ...    */
#define FALL     0.25            /* ... or better than the average          */
#define MUCH     0.10            /* share lost: send less                   */
#define LITTLE   0.02            /* send more again                         */
#define HELPED   0.75            /* of the loss is left, at most            */
/* Of packets that follow a lost one: when a third is lost too one copy leaves
 * a third of the gaps, two leave a ninth; when half is, three leave an eighth */
#define BURSTY   0.33
#define DENSE    0.55
/* More than so many times what was lost before there were copies, and beyond
 * chance: they do harm */
#define HARMED   2.0
#define CHANCE   0.03

static const struct {
	double enter, leave;     /* share lost                              */
	int told_pct;
} levels[] = {
	{ 0.0,   0.0,   0 },
	{ 0.004, 0.002, 2 },
	{ 0.04,  0.02,  7 },
	{ 0.15,  0.08, 10 },
};

enum {
	LEVELS = sizeof(levels) / sizeof(levels[0]),
	LEVEL_MANY = 2,          /* more than FEC mends                     */
};


void adapt_want(struct adapt *a, int bitrate)
{
	if (a->wanted == bitrate)
		return;

	a->wanted = a->bitrate = bitrate;
	a->cuts = a->vain = 0;
}


void adapt_in_band(struct adapt *a, bool on)
{
	a->in_band = on;
}


void adapt_packets(struct adapt *a, unsigned wanted_ms, unsigned most_ms)
{
	if (a->ptime_wanted == wanted_ms && a->ptime_most == most_ms)
		return;

	a->ptime_wanted = a->ptime_ms = wanted_ms;
	a->ptime_most = most_ms;
}


static void packets_longer(struct adapt *a)
{
	/* from 10 ms to 20, to 40 ... */
	const unsigned next = a->ptime_ms - a->ptime_ms % PTIME_STEP +
		PTIME_STEP;

	if (a->ptime_wanted && next <= a->ptime_most)
		a->ptime_ms = next;
}


static void packets_shorter(struct adapt *a)
{
	if (a->ptime_ms <= a->ptime_wanted)
		return;

	a->ptime_ms = a->ptime_ms >= a->ptime_wanted + PTIME_STEP
		? a->ptime_ms - PTIME_STEP : a->ptime_wanted;
}


static void expect(struct adapt *a)
{
	while (a->level + 1 < LEVELS && a->loss >= levels[a->level + 1].enter) {
		++a->level;
		a->calm = 0;
	}

	if (a->loss >= levels[a->level].leave)
		a->calm = 0;
	else if (++a->calm >= CALM_MAX) {
		--a->level;
		a->calm = 0;
	}

	a->loss_pct = levels[a->level].told_pct;
}


static void bitrate_less(struct adapt *a)
{
	const int low = a->wanted < BITRATE_LOW ? a->wanted : BITRATE_LOW;

	bool helped;

	/* the average takes some reports to know how much it is */
	if (!a->cuts || a->loss > a->cut_loss)
		a->cut_loss = a->loss;
	helped = a->loss <= HELPED * a->cut_loss;

	if (!helped && a->cuts >= CUTS_MAX) {
		a->bitrate = a->wanted;
		a->ptime_ms = a->ptime_wanted;
		a->cuts = 0;
		a->vain = VAIN_MAX;
		return;
	}

	if (++a->cuts % 2 == 0 && helped)
		packets_longer(a);
	a->bitrate -= (int)(a->bitrate * a->loss / 2);
	if (a->bitrate < low)
		a->bitrate = low;
}


static void bitrate_more(struct adapt *a)
{
	a->bitrate += a->bitrate / 10;
	if (a->bitrate >= a->wanted) {
		a->bitrate = a->wanted;
		a->cuts = 0;
		packets_shorter(a);
	}
}


/* Is more lost since there are copies? Later on it has other reasons */
static void copies_judge(struct adapt *a, double loss)
{
	if (!a->copied) {
		a->copy_loss = loss > a->loss ? loss : a->loss;
		if (a->refrain)
			--a->refrain;
	}
	else if (++a->copied <= JUDGE_MAX &&
		 a->loss > HARMED * a->copy_loss + CHANCE) {
		a->refrain = VAIN_MAX;
	}

	if (!(a->in_band ? adapt_distance(a) : adapt_copies(a)))
		a->copied = 0;
	else if (!a->copied)
		a->copied = 1;
}


bool adapt_report(struct adapt *a, unsigned lost_256, uint64_t sent)
{
	const int bitrate = a->bitrate, loss_pct = a->loss_pct;
	const unsigned ptime_ms = a->ptime_ms;
	const double loss = lost_256 / 256.0;

	if (sent < a->sent_then + PACKETS_MIN)
		return false;
	a->sent_then = sent;

	a->loss += (loss - a->loss) * (loss > a->loss ? RISE : FALL);

	expect(a);
	copies_judge(a, loss);

	if (a->vain)
		--a->vain;
	else if (a->loss > MUCH)
		bitrate_less(a);
	else if (a->loss < LITTLE)
		bitrate_more(a);

	return a->bitrate != bitrate || a->loss_pct != loss_pct ||
		a->ptime_ms != ptime_ms;
}


void adapt_burst(struct adapt *a, double burst_pct)
{
	a->dense = burst_pct / 100.0;
}


unsigned adapt_copies(const struct adapt *a)
{
	if (!a->level || a->refrain)
		return 0;

	return a->dense >= DENSE ? 3 : a->dense >= BURSTY ? 2 : 1;
}


unsigned adapt_distance(const struct adapt *a)
{
	const unsigned copies = adapt_copies(a);

	/* a little, singly: FEC is all it needs */
	return copies == 1 && a->level < LEVEL_MANY ? 0 : copies ? copies + 1
								 : 0;
}
