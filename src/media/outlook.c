/**
 * @file outlook.c  What is lost lately, and what it is worth to wait for
 *
 * Media thread; part of a receiver.  What is behind a gap tells much of what
 * was in it: in-band FEC, or sound to go back from.  So it should be here when
 * the gap is played, which is worth some delay while packets are lost, and
 * only then.
 *
 * How much: where nothing jitters it is there a packet later and not before,
 * and a packet it is.  Where the jitter is wide the buffer holds packets for
 * so long that most of those behind a gap are here without more: with 50 ms,
 * spread evenly, six in ten, with 100 eight.  A packet more of delay would
 * bring the few others, at the price of what brings all of them where nothing
 * jitters.  So it is waited until a certain share of them is here.  What a
 * gap is bridged with from both sides is worth less than what restores it: of
 * that more should come, and of whole copies all.
 */
#include "outlook.h"


enum {
	LOOK_US = 1000000,        /* how often loss is looked at            */
	AT_ONCE = 2,              /* losses since: do not wait for that     */
};

/* share lost, averaged over some five seconds, that is worth delay: two
 * packets in that time; and that is not */
#define LOSS_ON  0.005
#define LOSS_OFF 0.001
#define RUN_LONG 1.6              /* packets in a row, on average        */

/* per cent of the packets behind gaps that should be here */
enum { SHARE_BRIDGE = 50, SHARE_OWN = 75, SHARE_COPY = 100 };


/* How many are lost in a row, lately? */
static void runs_look(struct receiver *r, uint64_t lost)
{
	if (r->runs && lost > r->lost_then)
		r->run += 0.2 * ((double)(lost - r->lost_then) / r->runs -
				 r->run);
	else
		r->run *= 0.95;
	r->runs = 0;
}


/* Copies are waited for till the farthest has come. Without any, gaps of more
 * than a packet are bridged from both sides, when what is behind them is here;
 * a codec that makes up by itself goes on from the past alone */
static void extra_set(struct receiver *r)
{
	const bool own = r->cur && r->cur->codec->conceal;
	const bool copies = r->reach > r->dur;
	const uint32_t units = copies ? r->reach :
		r->nack || own || r->run < RUN_LONG ? r->dur : 2 * r->dur;

	jitter_set_extra(r->jitter, units, r->reach ? SHARE_COPY :
			 own ? SHARE_OWN : SHARE_BRIDGE,
			 !copies && !r->nack);
}


void outlook_look(struct receiver *r, uint64_t now_us)
{
	const uint64_t lost = r->lost_before + source_lost(&r->source);
	const uint64_t all = lost + r->packets;

	if (now_us - r->look_us < LOOK_US) {
		if (lost >= r->lost_then + AT_ONCE && !r->waits) {
			r->waits = true;
			extra_set(r);
		}
		return;
	}
	r->look_us = now_us;

	runs_look(r, lost);

	r->loss = 0.8 * r->loss;
	if (all > r->all_then && lost > r->lost_then)
		r->loss += 0.2 * (double)(lost - r->lost_then) /
			(double)(all - r->all_then);
	r->lost_then = lost;
	r->all_then = all;

	if (r->loss > LOSS_ON) {
		r->waits = true;
		extra_set(r);
	}
	else if (r->loss < LOSS_OFF) {
		r->waits = false;
		jitter_set_extra(r->jitter, 0, 0, false);
	}
}
