/**
 * @file test_jitter.c  The jitter buffer against networks of every kind
 *
 * A simulated sender makes a packet each 20 ms whose payload is its number, a
 * network loses and delays them, a player asks for a block at each tick.  The
 * record of answers says what was heard when.
 */
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

static uint32_t rnd_state;


static double rnd(void)
{
	rnd_state = rnd_state * 1664525 + 1013904223;

	return (rnd_state >> 8) / 16777216.0;
}


static struct sim *sim_new(unsigned max_ms)
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


static void sim_free(struct sim *s)
{
	mem_deref(s->j);
	free(s);
}


static uint64_t sent_us(const struct sim *s, unsigned i)
{
	return s->start_us + (uint64_t)(i * 20.0 * MS / (1 + s->ppm / 1e6));
}


static void put(struct sim *s, unsigned i, uint64_t at)
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


/* Deliver what arrives until the tick, then take one block */
static void tick(struct sim *s)
{
	unsigned have = s->left < DUR ? s->left : DUR;
	int heard = SILENCE;

	while (s->next < s->sent) {
		const unsigned i = s->order[s->next];

		if (s->arrival[i] > s->tick_us)
			break;
		put(s, i, s->arrival[i]);
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


typedef int64_t (delay_h)(unsigned i);  /* us, < 0: lost */

static void run(struct sim *s, unsigned packets, delay_h *h)
{
	const unsigned first = s->sent;
	unsigned n = s->next;

	for (unsigned i = first; i < first + packets; i++) {
		const int64_t d = h ? h(i) : 0;

		if (d < 0)
			continue;
		s->arrival[i] = sent_us(s, i) + (uint64_t)d;
		s->order[n++] = i;
	}
	s->sent = n;
	qsort_r(s->order + s->next, n - s->next, sizeof(*s->order),
		by_arrival, s);

	for (unsigned i = 0; i < packets; i++)
		tick(s);

	/* numbers of packets, not of arrivals, from here on */
	assert_true(s->sent <= first + packets);
}


/* In the ticks from there on, but for the last, where the sender had ended */
static unsigned count(const struct sim *s, unsigned from, int what)
{
	unsigned n = 0;

	for (unsigned i = from; i < s->ticks - 15; i++)
		n += s->heard[i] == what;

	return n;
}


static struct jitter_stats stats(const struct sim *s)
{
	struct jitter_stats st;

	jitter_stats(s->j, &st);

	return st;
}


/* - --------------------------------------------------------------------- */

static void test_clean(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	run(s, 2000, NULL);

	/* from the first tick on, without a packet of delay */
	for (unsigned i = 0; i < s->ticks; i++)
		assert_int_equal(s->heard[i], (int)i);

	assert_int_equal(stats(s).concealed_us, 0);
	assert_in_range(stats(s).delay_us, 9 * MS, 11 * MS);
	sim_free(s);
}


static int64_t lose_some(unsigned i)
{
	return i == 100 || (i >= 200 && i < 203) || i == 300 ? -1 : 0;
}


static void test_loss_keeps_time(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	for (unsigned i = 0; i < 400; i++) {
		if (lose_some(i) < 0)
			continue;
		s->arrival[i] = sent_us(s, i);
		s->order[s->sent++] = i;
	}
	for (unsigned i = 0; i < 400; i++)
		tick(s);

	/* what follows a loss is heard when it would have been without */
	for (unsigned i = 0; i < 400; i++)
		assert_int_equal(s->heard[i],
				 lose_some(i) < 0 ? LOST : (int)i);

	assert_int_equal(stats(s).concealed_us, 5 * 20 * MS);
	assert_int_equal(stats(s).grown_us, 0);
	sim_free(s);
}


static int64_t one_late(unsigned i)
{
	return i == 100 ? 15 * MS : 0;
}


static void test_late_grows_once(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	run(s, 400, one_late);

	assert_int_equal(s->heard[99], 99);
	assert_int_equal(s->heard[100], LOST);
	for (unsigned i = 101; i < 128; i++)
		assert_int_equal(s->heard[i], (int)i - 1);   /* none missing */

	/* one in two seconds is no reason to stay late: what was gained is
	 * given back, and none is missing there either */
	for (unsigned i = 128; i < 400; i++)
		assert_in_range(s->heard[i], i - 1, i);
	assert_int_equal(s->heard[399], 399);
	assert_int_equal(stats(s).compressed_us, 20 * MS);

	assert_int_equal(stats(s).grown_us, 20 * MS);
	assert_int_equal(stats(s).late, 0);
	sim_free(s);
}


static int64_t swapped(unsigned i)
{
	return i % 50 == 49 ? 25 * MS : 0;
}


static void test_reorder(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	s->quiet = true;                /* may adapt when it likes */
	run(s, 2000, swapped);

	/* once it knows them, late-comers are played in their place */
	assert_int_equal(count(s, 400, LOST), 0);
	for (unsigned i = 401; i < s->ticks; i++)
		assert_int_equal(s->heard[i], s->heard[i - 1] + 1);
	assert_true(stats(s).reordered > 30);
	sim_free(s);
}


static void test_duplicates(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	for (unsigned i = 0; i < 100; i++) {
		const uint64_t at = sent_us(s, i);

		put(s, i, at);
		put(s, i, at);
		tick(s);
		put(s, i, at + 15 * MS);      /* once more, when played */
		assert_int_equal(s->heard[i], (int)i);
	}
	assert_int_equal(stats(s).duplicate, 200);
	assert_int_equal(stats(s).late, 0);
	sim_free(s);
}


static int64_t queue_last;
static unsigned queue_ms;

/* 0..queue_ms, order kept */
static int64_t queued(unsigned i)
{
	int64_t due = i * 20 * MS + (int64_t)(rnd() * queue_ms * MS);

	if (due < queue_last)
		due = queue_last;
	queue_last = due;

	return due - i * 20 * MS;
}


static void test_jitter(void **state)
{
	static const unsigned width[] = { 20, 50, 100 };
	(void)state;

	for (unsigned k = 0; k < 3; k++) {
		struct sim *s = sim_new(300);

		queue_ms = width[k];
		queue_last = 0;
		run(s, 3000, queued);

		/* adapted after three seconds; whole from then on */
		assert_int_equal(count(s, 150, LOST), 0);
		assert_int_equal(count(s, 150, SILENCE), 0);
		assert_int_equal(stats(s).late, 0);
		assert_true(stats(s).delay_us <= (width[k] + 24) * MS);
		assert_int_equal(s->shorter, 0);
		sim_free(s);
	}
}


static int64_t stormy_start(unsigned i)
{
	return i < 500 ? (int64_t)(rnd() * 80 * MS) : 0;
}


static void test_shrinks(void **state)
{
	(void)state;

	for (unsigned quiet = 0; quiet < 2; quiet++) {
		struct sim *s = sim_new(300);

		s->quiet = quiet;
		run(s, 500, stormy_start);
		assert_true(stats(s).delay_us > 60 * MS);

		/* two seconds of calm, and it is back, in speech too */
		run(s, 100, stormy_start);
		assert_in_range(stats(s).delay_us, 5 * MS, 31 * MS);
		assert_true(s->shorter >= 4);
		assert_true(stats(s).compressed_us >= 40 * MS);

		/* and stays there, whole */
		s->shorter = s->longer = 0;
		run(s, 1000, stormy_start);
		assert_true(s->shorter + s->longer <= 2);
		assert_int_equal(count(s, 600, LOST), 0);
		assert_int_equal(count(s, 600, SILENCE), 0);
		sim_free(s);
	}
}


static int64_t noise_2ms(unsigned i)
{
	(void)i;

	return (int64_t)(rnd() * 2 * MS);
}


static void test_drift(void **state)
{
	(void)state;

	for (int sign = -1; sign <= 1; sign += 2) {
		struct sim *s = sim_new(200);

		s->ppm = sign * 200.0;
		s->quiet = true;
		run(s, 30000, noise_2ms);     /* ten minutes: 120 ms */

		/* 120 ms of drift, ten at a time: nothing is lost for it */
		assert_in_range(s->shorter + s->longer, 9, 16);
		assert_true(count(s, 0, LOST) <= 1);
		assert_true(stats(s).delay_us < 45 * MS);
		assert_int_equal(stats(s).late, 0);
		sim_free(s);
	}
}


static int64_t stall(unsigned i)
{
	/* 300..800 ms of the fifth second come together at the end */
	const int64_t at = i * 20 * MS, a = 5000 * MS, b = a + 500 * MS;

	return at >= a && at < b ? b - at : 0;
}


static void test_stall(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	s->quiet = true;
	run(s, 1000, stall);

	/* bounded delay, then back to where it was */
	assert_true(stats(s).delay_us <= 30 * MS);
	assert_in_range(s->heard[998], 997, 998);
	assert_int_equal(count(s, 280, LOST) + count(s, 280, SILENCE), 0);
	sim_free(s);
}


static int64_t moved_path(unsigned i)
{
	return i < 200 ? 0 : 450 * MS;
}


static void test_path_moves(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	/* 450 ms longer, more than the buffer may ever wait */
	run(s, 600, moved_path);

	assert_int_equal(count(s, 300, LOST), 0);
	assert_int_equal(count(s, 300, SILENCE), 0);
	for (unsigned i = 301; i < 600; i++)
		assert_int_equal(s->heard[i], s->heard[i - 1] + 1);
	sim_free(s);
}


static void test_pause_is_not_loss(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	for (unsigned i = 0; i < 50; i++) {
		put(s, i, sent_us(s, i));
		tick(s);
	}

	/* the sender is silent for a second: numbers go on, time too */
	for (unsigned i = 50; i < 100; i++)
		tick(s);
	assert_int_equal(s->heard[99], SILENCE);

	s->seq = (uint16_t)(s->seq - 50);
	for (unsigned i = 100; i < 200; i++) {
		put(s, i, sent_us(s, i));
		tick(s);
		assert_int_equal(s->heard[i], (int)i);
	}
	assert_int_equal(stats(s).concealed_us, 0);
	assert_int_equal(stats(s).grown_us, 0);
	sim_free(s);
}


static void test_events_are_not_loss(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	for (unsigned i = 0; i < 200; i++) {
		if (i >= 50 && i < 60)
			assert_true(jitter_mark(s->j,
						(uint16_t)(s->seq + i)));
		else
			put(s, i, sent_us(s, i));
		tick(s);
		assert_int_equal(s->heard[i], i >= 50 && i < 60 ? SILENCE
				 : (int)i);
	}
	assert_int_equal(stats(s).concealed_us, 0);
	sim_free(s);
}


static void test_new_time_line(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	for (unsigned i = 0; i < 100; i++) {
		put(s, i, sent_us(s, i));
		tick(s);
	}

	/* one stray is refused and harms nothing */
	assert_int_equal(jitter_put(s->j, sent_us(s, 100), 4711, 999999999,
				    DUR, 0, (const uint8_t *)"stray", 5),
			 JITTER_SUSPECT);
	for (unsigned i = 100; i < 200; i++) {
		put(s, i, sent_us(s, i));
		tick(s);
		assert_int_equal(s->heard[i], (int)i);
	}

	/* a sender that begins anew is followed from its second packet on */
	s->seq = (uint16_t)(s->seq + 30000);
	s->ts += 77777777;
	for (unsigned i = 200; i < 300; i++) {
		put(s, i, sent_us(s, i));
		tick(s);
		if (i > 200)
			assert_int_equal(s->heard[i], (int)i);
	}
	assert_int_equal(stats(s).resyncs, 1);
	sim_free(s);
}


static void test_fec(void **state)
{
	struct sim *s = sim_new(200);
	struct jitter_frame f;
	uint32_t no;
	(void)state;

	jitter_set_extra(s->j, DUR);
	s->quiet = true;
	run(s, 200, NULL);
	s->tick_us += 20 * MS;

	/* number 200 and 201 are lost, 202 is there when 201 is made up */
	put(s, 202, sent_us(s, 202));
	while (jitter_get(s->j, s->tick_us, DUR, false, &f) == JITTER_PACKET)
		;
	assert_int_equal(f.dur, DUR);
	assert_null(f.payload);

	assert_int_equal(jitter_get(s->j, s->tick_us + 20 * MS, DUR, false,
				    &f), JITTER_LOST);
	assert_non_null(f.payload);
	memcpy(&no, f.payload, sizeof(no));
	assert_int_equal(no, 202);

	/* the same again in its turn, and then another */
	put(s, 203, sent_us(s, 203));
	for (unsigned i = 202; i < 204; i++) {
		assert_int_equal(jitter_get(s->j, s->tick_us + (i - 200) *
					    20 * MS, DUR, false, &f),
				 JITTER_PACKET);
		memcpy(&no, f.payload, sizeof(no));
		assert_int_equal(no, i);
		assert_int_equal(f.shown, i == 202);
	}
	sim_free(s);
}


static int64_t zigzag(unsigned i)
{
	return i == 200 ? -1 : i % 2 ? 0 : 25 * MS;
}


/* More delay is wanted than there is yet: what is there is used at once */
static void test_fec_before_growth(void **state)
{
	struct sim *s = sim_new(200);
	struct jitter_frame f;
	uint32_t no = 0;
	(void)state;

	run(s, 200, zigzag);
	jitter_set_extra(s->j, 2 * DUR);
	for (unsigned i = s->next; i < 200; i++)
		put(s, s->order[i], s->arrival[s->order[i]]);

	while (no != 199) {
		assert_int_equal(jitter_get(s->j, s->tick_us, DUR, false, &f),
				 JITTER_PACKET);
		memcpy(&no, f.payload, sizeof(no));
		s->tick_us += 20 * MS;
	}

	put(s, 201, sent_us(s, 201));
	assert_int_equal(jitter_get(s->j, s->tick_us, DUR, false, &f),
			 JITTER_LOST);
	assert_non_null(f.payload);
	memcpy(&no, f.payload, sizeof(no));
	assert_int_equal(no, 201);
	sim_free(s);
}


static void test_backlog(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	/* half a second came before anybody listened */
	s->tick_us += 500 * MS;
	run(s, 300, NULL);
	assert_true(stats(s).delay_us < 25 * MS);
	assert_int_equal(s->heard[0], 25);
	for (unsigned i = 1; i < 270; i++)
		assert_int_equal(s->heard[i], s->heard[i - 1] + 1);
	sim_free(s);
}


static void test_odd_sizes(void **state)
{
	const struct jitter_conf conf = { 48000, 0, 200 };
	struct jitter *j = NULL;
	uint64_t now = 5000 * MS;
	uint32_t played = 0, lost = 0;
	(void)state;

	/* 30 ms packets into 20 ms blocks */
	assert_int_equal(jitter_alloc(&j, &conf), 0);
	for (unsigned t = 0, i = 0; t < 60000; t += 20) {
		uint32_t have = 0;

		for (; i * 30 <= t; i++)
			(void)jitter_put(j, now + i * 30 * MS, (uint16_t)i,
					 i * 1440, 1440, 0,
					 (const uint8_t *)"x", 1);

		static uint32_t left;

		if (!t)
			left = 0;
		have = left < 960 ? left : 960;
		left -= have;
		while (have < 960) {
			struct jitter_frame f;
			const enum jitter_get g = jitter_get(j, now +
				(t + 5) * MS, 960 - have, false, &f);

			if (g == JITTER_PACKET)
				played += f.dur;
			else if (g == JITTER_LOST)
				lost += f.dur;
			have += f.dur;
			if (have > 960) {
				left = have - 960;
				have = 960;
			}
		}
	}

	/* one stretch to find its place, nothing after that */
	assert_true(lost <= 2 * 960);
	assert_true(played >= 59 * 48000);
	mem_deref(j);
}


static void test_bounds(void **state)
{
	struct sim *s = sim_new(200);
	uint8_t big[2000] = { 0 };
	struct jitter_frame f;
	(void)state;

	assert_int_equal(jitter_put(s->j, 1, 1, 1, 0, 0, big, 10),
			 JITTER_REFUSED);
	assert_int_equal(jitter_put(s->j, 1, 1, 1, DUR, 0, big, 0),
			 JITTER_REFUSED);
	assert_int_equal(jitter_put(s->j, 1, 1, 1, CLOCK, 0, big, 10),
			 JITTER_REFUSED);

	/* a flood of large packets is bounded in number and bytes */
	for (unsigned i = 0; i < 5000; i++)
		(void)jitter_put(s->j, 1000 * MS, (uint16_t)i, i * DUR, DUR,
				 0, big, sizeof(big));
	assert_true(jitter_count(s->j) <= 256);
	assert_true(jitter_count(s->j) * sizeof(big) <= 96 * 1024);

	/* and what is asked for is always answered */
	for (unsigned i = 0; i < 1000; i++) {
		(void)jitter_get(s->j, (1000 + 20 * i) * MS, DUR, false, &f);
		assert_true(f.dur > 0);
	}
	sim_free(s);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_loss_keeps_time),
		cmocka_unit_test(test_late_grows_once),
		cmocka_unit_test(test_reorder),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_shrinks),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_path_moves),
		cmocka_unit_test(test_pause_is_not_loss),
		cmocka_unit_test(test_events_are_not_loss),
		cmocka_unit_test(test_new_time_line),
		cmocka_unit_test(test_fec),
		cmocka_unit_test(test_fec_before_growth),
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_odd_sizes),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
