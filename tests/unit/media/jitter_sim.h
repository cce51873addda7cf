/**
 * @file jitter_sim.h  A sender, a network and a player around a jitter buffer
 *
 * A simulated sender makes a packet each 20 ms whose payload is its number, a
 * network loses and delays them, a player asks for a block at each tick.  The
 * record of answers says what was heard when.
 */
#ifndef TEST_JITTER_SIM_H
#define TEST_JITTER_SIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include "jitter.h"

enum {
	PACKETS = 60000,
	CLOCK = 8000,
	MS = 1000,
	DUR = 160,               /* 20 ms */
	LOST = -1, SILENCE = -2, PART = -3,
};

struct sim {
	struct jitter *j;
	/* the sender */
	uint64_t start_us;
	uint16_t seq;
	uint32_t ts;
	double ppm;              /* the sender's clock is so much fast */
	/* the player */
	uint64_t tick_us;
	bool quiet;
	unsigned sent;
	uint64_t arrival[PACKETS];   /* 0: never */
	unsigned order[PACKETS];     /* by arrival */
	unsigned next;
	/* what was heard, per tick */
	int heard[PACKETS];
	unsigned ticks;
	uint32_t left;           /* units decoded and not heard yet */
	unsigned shorter, longer;
};

typedef int64_t (delay_h)(unsigned i);       /* us, < 0: lost */

struct sim *sim_new(unsigned max_ms);
void sim_free(struct sim *s);
double sim_rnd(void);                        /* 0..1 */
uint64_t sim_sent_us(const struct sim *s, unsigned i);
/** Packet i comes now */
void sim_put(struct sim *s, unsigned i, uint64_t at);
/** Deliver what has come by now, then take one block */
void sim_tick(struct sim *s);
/** So many packets more, delayed so, and as many ticks */
void sim_run(struct sim *s, unsigned packets, delay_h *h);
/** In the ticks from there on, but for the last, where the sender had ended */
unsigned sim_count(const struct sim *s, unsigned from, int what);
struct jitter_stats sim_stats(const struct sim *s);

#endif
