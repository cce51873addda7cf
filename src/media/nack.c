/**
 * @file nack.c  Lost packets asked for once more (RFC 4585 6.2.1)
 *
 * Pure; media thread.
 */
#include <math.h>
#include <offhook/compat.h>
#include "bytes.h"
#include "nack.h"


enum {
	HEAD      = 12,          /* with both sources                       */

	RTT_MAX_US   = 150000,   /* a voice that waits longer is no talk    */
	HOLD_MAX_MS  = 180,
	HOLD_STEP_MS = 10,
	HOLD_KEPT_US = 5000000,  /* before it is less again                 */
	TWICE_MAX_MS = 140,
	TURNS_US     = 40000,    /* until both threads have looked, untried */
	KEPT_US      = 300000,   /* what is missing longer is lost          */
	ASKS_MAX     = 2,
	CALM_US      = 10000000, /* without loss: no need to wait           */
	MESSAGE_US   = 100000,   /* ten messages a second,                  */
	BURST_US     = 500000,   /*   five at once                          */

	AGAIN        = 32,       /* packets kept                            */
	AGAIN_BYTES  = 800,      /*   of so many bytes at most              */
	TIMES_MAX    = 2,        /* each is sent again                      */
	CREDIT_MAX   = 24,       /* half packets: so many may be sent again */
};

#define MISSED_MUCH 0.1          /* share of first questions in vain        */


/* Who hears -------------------------------------------------------------- */

void nack_reset(struct nack *k)
{
	k->known = false;
	k->n = 0;
}


static void entry_drop(struct nack *k, unsigned i)
{
	memmove(&k->v[i], &k->v[i + 1], (k->n - i - 1) * sizeof(k->v[0]));
	--k->n;
}


/* As a sender learns how long an answer takes (RFC 6298) */
static void took_learn(struct nack *k, double us)
{
	if (!k->took_known) {
		k->took_known = true;
		k->took_us = us;
		k->spread_us = us / 4;
		return;
	}

	k->spread_us += (fabs(us - k->took_us) - k->spread_us) / 4;
	k->took_us += (us - k->took_us) / 8;
}


/* Was the first question answered? */
static void first_learn(struct nack *k, bool came)
{
	k->missed += ((came ? 0.0 : 1.0) - k->missed) / 16;
}


/* By then an answer would be here */
static double overdue_us(const struct nack *k, uint32_t rtt_us)
{
	return k->took_known ? k->took_us + 2 * k->spread_us
			     : rtt_us + (double)TURNS_US;
}


static void gap_note(struct nack *k, uint16_t seq, uint64_t now_us)
{
	const uint16_t missing = (uint16_t)(seq - k->high - 1);

	k->gap_before_us = k->gap_us;
	k->gap_us = now_us;

	/* a silence, another time line, or far too much */
	if (missing > NACK_MOST) {
		k->n = 0;
		return;
	}

	while (k->n + missing > NACK_MOST)
		entry_drop(k, 0);

	for (uint16_t i = 1; i <= missing; i++) {
		k->v[k->n].seq = (uint16_t)(k->high + i);
		k->v[k->n].asks = 0;
		k->v[k->n].seen_us = now_us;
		k->v[k->n++].asked_us = 0;
	}
}


bool nack_heard(struct nack *k, uint16_t seq, uint64_t now_us,
		uint32_t rtt_us)
{
	const int16_t ahead = (int16_t)(seq - k->high);

	if (!k->known) {
		k->known = true;
		k->high = seq;
		return false;
	}

	if (ahead > 0) {
		if (ahead > 1)
			gap_note(k, seq, now_us);
		k->high = seq;
		return false;
	}

	for (unsigned i = 0; i < k->n; i++) {
		bool again;

		if (k->v[i].seq != seq)
			continue;

		/* sooner than anybody could answer: it was only overtaken */
		again = k->v[i].asks &&
			now_us - k->v[i].asked_us >= rtt_us / 2;
		if (again) {
			++k->came;
			if (k->v[i].asks == 1) {
				took_learn(k, (double)(now_us -
						       k->v[i].seen_us));
				first_learn(k, true);
			}
		}
		entry_drop(k, i);

		return again;
	}

	return false;
}


unsigned nack_due(struct nack *k, uint64_t now_us, uint32_t rtt_us,
		  uint32_t delay_us, uint16_t seqv[NACK_MOST])
{
	unsigned n = 0;

	/* no report has told yet how far it is */
	if (!rtt_us)
		rtt_us = k->took_known ? (uint32_t)k->took_us : RTT_MAX_US;

	for (unsigned i = 0; i < k->n;) {
		if (now_us - k->v[i].seen_us <= KEPT_US) {
			++i;
			continue;
		}
		if (k->v[i].asks == 1)
			first_learn(k, false);
		entry_drop(k, i);
	}

	/* as much as reports may take: ten messages a second, and no two in a
	 * moment unless there were none for a while */
	if (!k->n || rtt_us > RTT_MAX_US || k->paid_us > now_us + BURST_US)
		return 0;

	for (unsigned i = 0; i < k->n; i++) {
		const uint64_t age = now_us - k->v[i].seen_us;

		/* once more when an answer is overdue, and still of use */
		if (k->v[i].asks &&
		    (k->v[i].asks >= ASKS_MAX ||
		     (double)(now_us - k->v[i].asked_us) <
		     overdue_us(k, rtt_us) ||
		     age + rtt_us > delay_us))
			continue;

		if (k->v[i].asks)
			first_learn(k, false);
		else
			++k->asked;
		++k->v[i].asks;
		k->v[i].asked_us = now_us;
		seqv[n++] = k->v[i].seq;
	}

	if (n)
		k->paid_us = (k->paid_us > now_us ? k->paid_us : now_us) +
			MESSAGE_US;

	return n;
}


/* How long answers take, as it looks now */
static unsigned hold_now(const struct nack *k, uint32_t rtt_us,
			 unsigned packet_ms)
{
	double us, twice;

	us = k->took_known ? k->took_us + 4 * k->spread_us
			   : rtt_us + (double)TURNS_US;
	us += 1000.0 * packet_ms;

	/* where questions and answers are lost, too, there is time for a
	 * second one if that is not much */
	twice = us + overdue_us(k, rtt_us) + 1000.0 * packet_ms;
	if (k->missed > MISSED_MUCH && twice <= 1000.0 * TWICE_MAX_MS)
		us = twice;

	/* most of the answers are worth it even where the slowest are not */
	if (us > 1000.0 * HOLD_MAX_MS && k->took_known &&
	    k->took_us + 1000.0 * packet_ms <= 1000.0 * HOLD_MAX_MS)
		us = 1000.0 * HOLD_MAX_MS - 1;

	return us > 1000.0 * HOLD_MAX_MS ? 0 : (unsigned)(us / 1000.0) + 1;
}


unsigned nack_hold_ms(struct nack *k, uint64_t now_us, uint32_t rtt_us,
		      unsigned packet_ms)
{
	unsigned ms;

	/* one in ten seconds is not worth a delay */
	if (!k->gap_before_us || now_us - k->gap_before_us > CALM_US ||
	    rtt_us > RTT_MAX_US) {
		k->hold_ms = 0;
		return 0;
	}

	/* each change of delay is heard: it is not for a few milliseconds, and
	 * does not go down and up again with each quick and slow answer */
	ms = hold_now(k, rtt_us, packet_ms);
	ms = (ms + HOLD_STEP_MS - 1) / HOLD_STEP_MS * HOLD_STEP_MS;
	if (ms >= k->hold_ms || now_us - k->hold_us > HOLD_KEPT_US) {
		k->hold_ms = ms;
		k->hold_us = now_us;
	}

	return k->hold_ms;
}


size_t nack_write(uint8_t *p, size_t size, uint32_t ours, uint32_t theirs,
		  const uint16_t *seqv, unsigned n)
{
	uint8_t *at = p + HEAD;

	if (!n || n > NACK_MOST || size < HEAD + 4 * (size_t)n)
		return 0;

	for (unsigned i = 0; i < n;) {
		const uint16_t first = seqv[i++];
		uint16_t more = 0;

		while (i < n && (uint16_t)(seqv[i] - first) - 1u < 16)
			more |= (uint16_t)(1u << ((uint16_t)(seqv[i++] -
							     first) - 1));
		at = put_u16(at, first);
		at = put_u16(at, more);
	}

	p[0] = 0x80 | RTCP_RTPFB_GNACK;
	p[1] = RTCP_RTPFB;
	(void)put_u16(p + 2, (uint16_t)((at - p) / 4 - 1));
	(void)put_u32(p + 4, ours);
	(void)put_u32(p + 8, theirs);

	return (size_t)(at - p);
}


unsigned nack_read(uint16_t *seqv, unsigned most, const uint8_t *p,
		   size_t len)
{
	unsigned n = 0;

	for (; len >= 4; p += 4, len -= 4) {
		const uint16_t first = get_u16(p), more = get_u16(p + 2);

		if (n < most)
			seqv[n++] = first;
		for (unsigned i = 0; i < 16; i++) {
			if (more >> i & 1 && n < most)
				seqv[n++] = (uint16_t)(first + i + 1);
		}
	}

	return n;
}


/* Who sends -------------------------------------------------------------- */

struct again {
	struct {
		uint16_t seq;
		uint16_t len;    /* 0: none                                 */
		unsigned times;
		uint8_t p[AGAIN_BYTES];
	} v[AGAIN];
	unsigned credit;         /* two for each that may be sent again     */
};


int again_alloc(struct again **ap)
{
	struct again *a = mem_zalloc(sizeof(*a), NULL);

	if (!a)
		return ENOMEM;

	a->credit = CREDIT_MAX;
	*ap = a;

	return 0;
}


void again_keep(struct again *a, const uint8_t *p, size_t len)
{
	const uint16_t seq = get_u16(p + 2);
	const unsigned i = seq % AGAIN;

	if (a->credit < CREDIT_MAX)
		++a->credit;

	a->v[i].seq = seq;
	a->v[i].times = 0;
	a->v[i].len = len <= AGAIN_BYTES ? (uint16_t)len : 0;
	memcpy(a->v[i].p, p, a->v[i].len);
}


const uint8_t *again_take(struct again *a, uint16_t seq, size_t *len)
{
	const unsigned i = seq % AGAIN;

	if (a->v[i].seq != seq || !a->v[i].len ||
	    a->v[i].times >= TIMES_MAX || a->credit < 2)
		return NULL;

	++a->v[i].times;
	a->credit -= 2;
	*len = a->v[i].len;

	return a->v[i].p;
}
