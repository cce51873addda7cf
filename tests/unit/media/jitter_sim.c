/**
 * @file jitter_sim.c  A sender, a network and a player around a jitter buffer
 */
#include "jitter_sim.h"


static uint32_t rnd_state;


double sim_rnd(void)
{
	rnd_state = rnd_state * 1664525 + 1013904223;

	return (rnd_state >> 8) / 16777216.0;
}


struct sim *sim_new(unsigned max_ms)
{
	const struct jitter_conf conf = { CLOCK, 0, max_ms };
	struct sim *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(jitter_alloc(&s->j, &conf), 0);
	jitter_set_block(s->j, DUR);
	s->start_us = 1000 * MS;
	s->tick_us = s->start_us + 10 * MS;     /* phase 10 ms */
	s->seq = 65500;                         /* wraps soon  */
	s->ts = 0xfffffe00;
	rnd_state = 12345;

	return s;
}


void sim_free(struct sim *s)
{
	mem_deref(s->j);
	free(s);
}


uint64_t sim_sent_us(const struct sim *s, unsigned i)
{
	return s->start_us + (uint64_t)(i * 20.0 * MS / (1 + s->ppm / 1e6));
}


void sim_put(struct sim *s, unsigned i, uint64_t at)
{
	const uint32_t no = i;

	(void)jitter_put(s->j, at, (uint16_t)(s->seq + i), s->ts + i * DUR,
			 DUR, 0, (const uint8_t *)&no, sizeof(no));
}


/* As a player does that finds a cycle of 10 ms in any packet */
static uint32_t retime(struct sim *s, const struct jitter_frame *f)
{
	const uint32_t n = f->pace.room < DUR / 2 ? f->pace.room : DUR / 2;

	switch (f->pace.tempo) {

	case TEMPO_FASTER:
		++s->shorter;
		jitter_retimed(s->j, s->tick_us, -(int32_t)n);
		return f->dur - n;

	case TEMPO_SLOWER:
		++s->longer;
		jitter_retimed(s->j, s->tick_us, (int32_t)n);
		return f->dur + n;

	default:
		return f->dur - f->skip;
	}
}


void sim_tick(struct sim *s)
{
	unsigned have = s->left < DUR ? s->left : DUR;
	int heard = SILENCE;

	while (s->next < s->sent) {
		const unsigned i = s->order[s->next];

		if (s->arrival[i] > s->tick_us)
			break;
		sim_put(s, i, s->arrival[i]);
		++s->next;
	}

	while (have < DUR) {
		struct jitter_frame f;
		uint32_t no;

		switch (jitter_get(s->j, s->tick_us, DUR - have, s->quiet,
				   &f)) {

		case JITTER_PACKET:
			memcpy(&no, f.payload, sizeof(no));
			heard = (int)no;
			have += retime(s, &f);
			break;

		case JITTER_LOST:
			if (heard < 0)
				heard = LOST;
			have += f.dur;
			break;

		case JITTER_SILENCE:
			have += f.dur;
			break;
		}
	}

	s->left = have - DUR;
	s->heard[s->ticks++] = heard;
	s->tick_us += 20 * MS;
}


static int by_arrival(const void *a, const void *b, void *arg)
{
	const struct sim *s = arg;
	const unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	if (s->arrival[x] != s->arrival[y])
		return s->arrival[x] < s->arrival[y] ? -1 : 1;

	return x < y ? -1 : x > y;
}


void sim_run(struct sim *s, unsigned packets, delay_h *h)
{
	const unsigned first = s->sent;
	unsigned n = s->next;

	for (unsigned i = first; i < first + packets; i++) {
		const int64_t d = h ? h(i) : 0;

		if (d < 0)
			continue;
		s->arrival[i] = sim_sent_us(s, i) + (uint64_t)d;
		s->order[n++] = i;
	}
	s->sent = n;
	qsort_r(s->order + s->next, n - s->next, sizeof(*s->order),
		by_arrival, s);

	for (unsigned i = 0; i < packets; i++)
		sim_tick(s);

	/* numbers of packets, not of arrivals, from here on */
	assert_true(s->sent <= first + packets);
}


unsigned sim_count(const struct sim *s, unsigned from, int what)
{
	unsigned n = 0;

	for (unsigned i = from; i < s->ticks - 15; i++)
		n += s->heard[i] == what;

	return n;
}


struct jitter_stats sim_stats(const struct sim *s)
{
	struct jitter_stats st;

	jitter_stats(s->j, &st);

	return st;
}
