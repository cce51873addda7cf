/**
 * @file nack.h  Lost packets asked for once more (RFC 4585 6.2.1)
 *
 * Two halves.  Who hears notes which numbers are missing, says when to ask for
 * them, and how long it takes until what was asked for is here: the jitter
 * buffer has to wait that long, or it is of no use.  Who sends keeps what went
 * out lately as it was on the wire, and sends it again under the same number
 * and source, so that no second stream and no second key is needed.  Both are
 * bounded: a stranger or a broken way cannot make us send much.
 *
 * Pure; media thread.
 */
#ifndef OFFHOOK_MEDIA_NACK_H
#define OFFHOOK_MEDIA_NACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NACK_MOST   = 16,        /* numbers asked for at once               */
	NACK_BYTES  = 16,        /* of a feedback message with one entry    */
	NACK_ROOM   = 12 + 4 * NACK_MOST,
};

/* Who hears -------------------------------------------------------------- */

struct nack {
	bool known;
	uint16_t high;           /* the highest number that came            */
	struct {
		uint16_t seq;
		unsigned asks;
		uint64_t seen_us;        /* when it was missed              */
		uint64_t asked_us;       /* the last time                   */
	} v[NACK_MOST];
	unsigned n;
	double took_us, spread_us;       /* from missing it to having it    */
	bool took_known;
	double missed;           /* share of first questions in vain, lately */
	uint64_t gap_us, gap_before_us;  /* the last two times one was missed */
	unsigned hold_ms;        /* what was said last,                     */
	uint64_t hold_us;        /*   and when it last took as long         */
	uint64_t paid_us;        /* messages are paid for up to then        */
	uint64_t asked, came;    /* packets                                 */
};

void nack_reset(struct nack *k);
/** Such a packet came. @return true: because it was asked for */
bool nack_heard(struct nack *k, uint16_t seq, uint64_t now_us,
		uint32_t rtt_us);
/** What to ask for now, ascending. @return how many, at most NACK_MOST */
unsigned nack_due(struct nack *k, uint64_t now_us, uint32_t rtt_us,
		  uint32_t delay_us, uint16_t seqv[NACK_MOST]);
/** How long the buffer should hold packets of that length so that what is
 *  asked for comes in time; 0: nothing is missed, or it takes too long */
unsigned nack_hold_ms(struct nack *k, uint64_t now_us, uint32_t rtt_us,
		      unsigned packet_ms);

/** A feedback message. @return bytes, 0: no room */
size_t nack_write(uint8_t *p, size_t size, uint32_t ours, uint32_t theirs,
		  const uint16_t *seqv, unsigned n);
/** Read what is behind the sources of one. @return numbers, at most most */
unsigned nack_read(uint16_t *seqv, unsigned most, const uint8_t *p,
		   size_t len);

/* Who sends -------------------------------------------------------------- */

struct again;

/** Free: mem_deref. @return 0, ENOMEM */
int  again_alloc(struct again **ap);
/** It goes out, as it is on the wire */
void again_keep(struct again *a, const uint8_t *p, size_t len);
/** It may be sent again now, and is taken to have been.
 *  @return NULL: it is gone, was sent often enough, or too much is asked */
const uint8_t *again_take(struct again *a, uint16_t seq, size_t *len);

#endif
