/**
 * @file test_jitter.c  The jitter buffer against networks of every kind
 */
#include "jitter_sim.h"


/* - --------------------------------------------------------------------- */

static void test_clean(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	sim_run(s, 2000, NULL);

	/* from the first tick on, without a packet of delay */
	for (unsigned i = 0; i < s->ticks; i++)
		assert_int_equal(s->heard[i], (int)i);

	assert_int_equal(sim_stats(s).concealed_us, 0);
	assert_in_range(sim_stats(s).delay_us, 9 * MS, 11 * MS);
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
		s->arrival[i] = sim_sent_us(s, i);
		s->order[s->sent++] = i;
	}
	for (unsigned i = 0; i < 400; i++)
		sim_tick(s);

	/* what follows a loss is heard when it would have been without */
	for (unsigned i = 0; i < 400; i++)
		assert_int_equal(s->heard[i],
				 lose_some(i) < 0 ? LOST : (int)i);

	assert_int_equal(sim_stats(s).concealed_us, 5 * 20 * MS);
	assert_int_equal(sim_stats(s).grown_us, 0);
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

	sim_run(s, 400, one_late);

	assert_int_equal(s->heard[99], 99);
	assert_int_equal(s->heard[100], LOST);
	for (unsigned i = 101; i < 128; i++)
		assert_int_equal(s->heard[i], (int)i - 1);   /* none missing */

	/* one in two seconds is no reason to stay late: what was gained is
	 * given back, and none is missing there either */
	for (unsigned i = 128; i < 400; i++)
		assert_in_range(s->heard[i], i - 1, i);
	assert_int_equal(s->heard[399], 399);
	assert_int_equal(sim_stats(s).compressed_us, 20 * MS);

	assert_int_equal(sim_stats(s).grown_us, 20 * MS);
	assert_int_equal(sim_stats(s).late, 0);
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
	sim_run(s, 2000, swapped);

	/* once it knows them, late-comers are played in their place */
	assert_int_equal(sim_count(s, 400, LOST), 0);
	for (unsigned i = 401; i < s->ticks; i++)
		assert_int_equal(s->heard[i], s->heard[i - 1] + 1);
	assert_true(sim_stats(s).reordered > 30);
	sim_free(s);
}


static void test_duplicates(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	for (unsigned i = 0; i < 100; i++) {
		const uint64_t at = sim_sent_us(s, i);

		sim_put(s, i, at);
		sim_put(s, i, at);
		sim_tick(s);
		sim_put(s, i, at + 15 * MS);      /* once more, when played */
		assert_int_equal(s->heard[i], (int)i);
	}
	assert_int_equal(sim_stats(s).duplicate, 200);
	assert_int_equal(sim_stats(s).late, 0);
	sim_free(s);
}


static int64_t queue_last;
static unsigned queue_ms;

/* 0..queue_ms, order kept */
static int64_t queued(unsigned i)
{
	int64_t due = i * 20 * MS +
		(int64_t)(sim_rnd() * queue_ms * MS);

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
		sim_run(s, 3000, queued);

		/* adapted after three seconds; whole from then on */
		assert_int_equal(sim_count(s, 150, LOST), 0);
		assert_int_equal(sim_count(s, 150, SILENCE), 0);
		assert_int_equal(sim_stats(s).late, 0);
		assert_true(sim_stats(s).delay_us <= (width[k] + 24) * MS);
		assert_int_equal(s->shorter, 0);
		sim_free(s);
	}
}


static int64_t stormy_start(unsigned i)
{
	return i < 500 ? (int64_t)(sim_rnd() * 80 * MS) : 0;
}


static void test_shrinks(void **state)
{
	(void)state;

	for (unsigned quiet = 0; quiet < 2; quiet++) {
		struct sim *s = sim_new(300);

		s->quiet = quiet;
		sim_run(s, 500, stormy_start);
		assert_true(sim_stats(s).delay_us > 60 * MS);

		/* two seconds of calm, and it is back, in speech too */
		sim_run(s, 100, stormy_start);
		assert_in_range(sim_stats(s).delay_us, 5 * MS, 31 * MS);
		assert_true(s->shorter >= 4);
		assert_true(sim_stats(s).compressed_us >= 40 * MS);

		/* and stays there, whole */
		s->shorter = s->longer = 0;
		sim_run(s, 1000, stormy_start);
		assert_true(s->shorter + s->longer <= 2);
		assert_int_equal(sim_count(s, 600, LOST), 0);
		assert_int_equal(sim_count(s, 600, SILENCE), 0);
		sim_free(s);
	}
}


/* It began to send before it could: all of the first 160 ms at once */
static int64_t late_start(unsigned i)
{
	const int64_t at = i * 20 * MS, b = 160 * MS;

	return at < b ? b - at : 0;
}


static void test_late_start(void **state)
{
	struct sim *s = sim_new(300);
	(void)state;

	/* within the first second, before much is said */
	s->quiet = true;
	sim_run(s, 50, late_start);
	assert_true(sim_stats(s).delay_us < 20 * MS);

	/* one that is late again and again is believed */
	sim_free(s);
	s = sim_new(300);
	queue_ms = 100;
	queue_last = 0;
	sim_run(s, 400, queued);
	assert_true(sim_stats(s).delay_us > 60 * MS);
	sim_free(s);
}


/* Blocks are asked for at another time than before: the newest in time for it
 * comes next, and nothing is repaired that is not broken */
static void test_begin_again(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	sim_run(s, 10, NULL);
	s->tick_us += 14 * MS;
	jitter_begin_again(s->j);
	sim_run(s, 300, NULL);

	assert_true(sim_stats(s).delay_us < 20 * MS);
	for (unsigned i = 11; i < 300; i++)
		assert_int_equal(s->heard[i], s->heard[i - 1] + 1);
	assert_int_equal(sim_stats(s).concealed_us, 0);
	assert_int_equal(sim_stats(s).compressed_us, 0);
	assert_int_equal(jitter_lead(s->j), 4 * MS);
	assert_int_equal(jitter_behind(s->j), 0);
	sim_free(s);
}


static int64_t calm(unsigned i)
{
	(void)i;

	return 0;
}


/* Somebody sets other limits while it runs; and what it has been is kept */
static void test_limits_live(void **state)
{
	struct sim *s = sim_new(200);
	struct jitter_stats st;
	(void)state;

	s->quiet = true;
	sim_run(s, 500, stormy_start);
	st = sim_stats(s);
	assert_true(st.delay_max_us >= st.delay_us);
	assert_true(st.delay_min_us <= st.delay_us);

	/* it may not be quick any more */
	jitter_limit(s->j, 80, 200);
	sim_run(s, 500, calm);
	st = sim_stats(s);
	assert_in_range(st.delay_us, 75000, 110000);
	assert_true(st.delay_max_us >= 75000);

	/* and then not slow */
	jitter_limit(s->j, 0, 30);
	sim_run(s, 500, calm);
	st = sim_stats(s);
	assert_true(st.delay_us <= 30000);
	assert_true(st.delay_max_us >= 75000);
	assert_true(st.delay_min_us <= 30000);

	sim_free(s);
}


static int64_t noise_2ms(unsigned i)
{
	(void)i;

	return (int64_t)(sim_rnd() * 2 * MS);
}


static void test_drift(void **state)
{
	(void)state;

	for (int sign = -1; sign <= 1; sign += 2) {
		struct sim *s = sim_new(200);

		s->ppm = sign * 200.0;
		s->quiet = true;
		sim_run(s, 30000, noise_2ms);     /* ten minutes: 120 ms */

		/* 120 ms of drift, ten at a time: nothing is lost for it */
		assert_in_range(s->shorter + s->longer, 9, 16);
		assert_true(sim_count(s, 0, LOST) <= 1);
		assert_true(sim_stats(s).delay_us < 45 * MS);
		assert_int_equal(sim_stats(s).late, 0);
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
	sim_run(s, 1000, stall);

	/* bounded delay, then back to where it was */
	assert_true(sim_stats(s).delay_us <= 30 * MS);
	assert_in_range(s->heard[998], 997, 998);
	assert_int_equal(sim_count(s, 280, LOST) + sim_count(s, 280, SILENCE), 0);
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
	sim_run(s, 600, moved_path);

	assert_int_equal(sim_count(s, 300, LOST), 0);
	assert_int_equal(sim_count(s, 300, SILENCE), 0);
	for (unsigned i = 301; i < 600; i++)
		assert_int_equal(s->heard[i], s->heard[i - 1] + 1);
	sim_free(s);
}


static void test_pause_is_not_loss(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	for (unsigned i = 0; i < 50; i++) {
		sim_put(s, i, sim_sent_us(s, i));
		sim_tick(s);
	}

	/* the sender is silent for a second: numbers go on, time too */
	for (unsigned i = 50; i < 100; i++)
		sim_tick(s);
	assert_int_equal(s->heard[99], SILENCE);

	s->seq = (uint16_t)(s->seq - 50);
	for (unsigned i = 100; i < 200; i++) {
		sim_put(s, i, sim_sent_us(s, i));
		sim_tick(s);
		assert_int_equal(s->heard[i], (int)i);
	}
	assert_int_equal(sim_stats(s).concealed_us, 0);
	assert_int_equal(sim_stats(s).grown_us, 0);
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
			sim_put(s, i, sim_sent_us(s, i));
		sim_tick(s);
		assert_int_equal(s->heard[i], i >= 50 && i < 60 ? SILENCE
				 : (int)i);
	}
	assert_int_equal(sim_stats(s).concealed_us, 0);
	sim_free(s);
}


static void test_new_time_line(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	for (unsigned i = 0; i < 100; i++) {
		sim_put(s, i, sim_sent_us(s, i));
		sim_tick(s);
	}

	/* one stray is refused and harms nothing */
	assert_int_equal(jitter_put(s->j, sim_sent_us(s, 100), 4711, 999999999,
				    DUR, 0, (const uint8_t *)"stray", 5),
			 JITTER_SUSPECT);
	for (unsigned i = 100; i < 200; i++) {
		sim_put(s, i, sim_sent_us(s, i));
		sim_tick(s);
		assert_int_equal(s->heard[i], (int)i);
	}

	/* a sender that begins anew is followed from its second packet on */
	s->seq = (uint16_t)(s->seq + 30000);
	s->ts += 77777777;
	for (unsigned i = 200; i < 300; i++) {
		sim_put(s, i, sim_sent_us(s, i));
		sim_tick(s);
		if (i > 200)
			assert_int_equal(s->heard[i], (int)i);
	}
	assert_int_equal(sim_stats(s).resyncs, 1);
	sim_free(s);
}


static void test_fec(void **state)
{
	struct sim *s = sim_new(200);
	struct jitter_frame f;
	uint32_t no;
	(void)state;

	jitter_set_extra(s->j, DUR, 100, false);
	s->quiet = true;
	sim_run(s, 200, NULL);
	s->tick_us += 20 * MS;

	/* number 200 and 201 are lost, 202 is there when 201 is made up */
	sim_put(s, 202, sim_sent_us(s, 202));
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
	sim_put(s, 203, sim_sent_us(s, 203));
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

	sim_run(s, 200, zigzag);
	jitter_set_extra(s->j, 2 * DUR, 100, false);
	for (unsigned i = s->next; i < 200; i++)
		sim_put(s, s->order[i], s->arrival[s->order[i]]);

	while (no != 199) {
		assert_int_equal(jitter_get(s->j, s->tick_us, DUR, false, &f),
				 JITTER_PACKET);
		memcpy(&no, f.payload, sizeof(no));
		s->tick_us += 20 * MS;
	}

	sim_put(s, 201, sim_sent_us(s, 201));
	assert_int_equal(jitter_get(s->j, s->tick_us, DUR, false, &f),
			 JITTER_LOST);
	assert_non_null(f.payload);
	memcpy(&no, f.payload, sizeof(no));
	assert_int_equal(no, 201);
	sim_free(s);
}


/* A gap of a few packets is bridged as one, when nothing of it will come any
 * more and what is behind it is here; a longer one at its end */
static void test_whole_gap(void **state)
{
	static const struct {
		unsigned lost;
		bool whole;
		unsigned first;          /* packets in the first answer     */
		bool shown;              /* with what is behind it          */
	} v[] = {
		{ 2, false, 1, false }, { 2, true, 2, true },
		{ 3, true, 3, true },   { 4, true, 1, false },
		{ 1, true, 1, true },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sim *s = sim_new(400);
		const unsigned next = 200 + v[i].lost;
		struct jitter_frame f;
		unsigned left = v[i].lost;

		jitter_set_extra(s->j, v[i].lost * DUR, 100, v[i].whole);
		s->quiet = true;
		sim_run(s, 200, NULL);
		for (unsigned k = next; k < next + 10; k++)
			sim_put(s, k, sim_sent_us(s, k));
		while (jitter_get(s->j, s->tick_us, DUR, false, &f) ==
		       JITTER_PACKET)
			s->tick_us += 20 * MS;

		assert_int_equal(f.dur, v[i].first * DUR);
		assert_int_equal(!!f.payload, v[i].shown);
		for (left -= v[i].first; left; left -= f.dur / DUR) {
			s->tick_us += 20 * MS;
			assert_int_equal(jitter_get(s->j, s->tick_us, DUR,
						    false, &f), JITTER_LOST);
		}
		assert_non_null(f.payload);
		s->tick_us += 20 * MS;
		assert_int_equal(jitter_get(s->j, s->tick_us, DUR, false, &f),
				 JITTER_PACKET);
		assert_true(f.shown);
		sim_free(s);
	}
}


/* What is made up for the first packet that is missed, while what is behind
 * it is not here yet, is the delay it takes to have that: the packet itself is
 * made up with it, nothing has to be made longer, and so it goes on */
static void test_gap_brings_delay(void **state)
{
	struct sim *s = sim_new(200);
	struct jitter_frame f;
	(void)state;

	for (unsigned i = 0; i < 200; i++) {
		const bool lost = i >= 100 && i % 10 == 0;
		unsigned heard = 0;

		if (i == 100)
			jitter_set_extra(s->j, DUR, 50, true);
		if (!lost)
			sim_put(s, i, sim_sent_us(s, i));
		s->tick_us = sim_sent_us(s, i) + 10 * MS;
		switch (jitter_get(s->j, s->tick_us, DUR, false, &f)) {

		case JITTER_PACKET:
			memcpy(&heard, f.payload, sizeof(heard));
			assert_int_equal(heard, i <= 100 ? i : i - 1);
			assert_int_equal(f.pace.tempo, TEMPO_KEEP);
			break;

		case JITTER_LOST:
			/* blindly once, and then never */
			assert_int_equal(!f.payload, i == 100);
			assert_true(i == 100 || (i - 1) % 10 == 0);
			break;

		default:
			fail();
		}
	}
	assert_int_equal(sim_stats(s).grown_us, 20 * MS);
	assert_int_equal(sim_stats(s).stretched_us, 0);
	sim_free(s);
}


static int64_t wide(unsigned i)
{
	return i % 20 == 7 ? -1 : queued(i);
}


/* As much is waited for what is behind gaps as it takes to have that share of
 * it: a packet more where nothing jitters, nothing where the jitter is wide */
static void test_share_behind_gaps(void **state)
{
	static const struct {
		unsigned width, share, most;
	} v[] = {
		{ 0, 50, 20 }, { 20, 50, 13 }, { 50, 50, 0 }, { 100, 75, 8 },
		{ 50, 75, 14 }, { 50, 100, 20 }, { 100, 100, 20 },
	};
	(void)state;

	for (unsigned k = 0; k < sizeof(v) / sizeof(v[0]); k++) {
		struct sim *s = sim_new(300);
		uint32_t before;

		queue_ms = v[k].width;
		queue_last = 0;
		sim_run(s, 1500, wide);
		before = sim_stats(s).target_us;
		jitter_set_extra(s->j, DUR, v[k].share, true);
		assert_in_range(sim_stats(s).target_us, before +
				(v[k].most ? v[k].most * MS * 2 / 5 : 0),
				before + v[k].most * MS);
		jitter_set_extra(s->j, 0, 0, false);
		assert_int_equal(sim_stats(s).target_us, before);
		sim_free(s);
	}
}


static int64_t came_last;

/* Up to 100 ms, in order, for ten seconds */
static int64_t jitter_ends(unsigned i)
{
	int64_t at = (int64_t)i * 20 * MS;

	if (i >= 50 && i < 550)
		at += (int64_t)(sim_rnd() * 100 * MS);
	if (at < came_last)
		at = came_last;
	came_last = at;

	return at - (int64_t)i * 20 * MS;
}


/* Two seconds after it has gone little is left of the delay it called for,
 * and nothing was skipped to get there */
static void test_jitter_ends(void **state)
{
	(void)state;

	for (unsigned seed = 0; seed < 6; seed++) {
		struct sim *s = sim_new(500);

		for (unsigned i = 0; i < 1000 * seed; i++)
			(void)sim_rnd();
		s->tick_us += 3 * MS * seed;
		came_last = 0;
		sim_run(s, 550, jitter_ends);
		assert_true(sim_stats(s).delay_us > 80 * MS);
		assert_true(sim_stats(s).delay_us < 125 * MS);
		sim_run(s, 100, jitter_ends);
		assert_true(sim_stats(s).delay_us < 35 * MS);
		assert_int_equal(sim_stats(s).skipped_us, 0);
		sim_free(s);
	}
}


static void test_backlog(void **state)
{
	struct sim *s = sim_new(200);
	(void)state;

	/* half a second came before anybody listened */
	s->tick_us += 500 * MS;
	sim_run(s, 300, NULL);
	assert_true(sim_stats(s).delay_us < 25 * MS);
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
		cmocka_unit_test(test_late_start),
		cmocka_unit_test(test_begin_again),
		cmocka_unit_test(test_limits_live),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_path_moves),
		cmocka_unit_test(test_pause_is_not_loss),
		cmocka_unit_test(test_events_are_not_loss),
		cmocka_unit_test(test_new_time_line),
		cmocka_unit_test(test_fec),
		cmocka_unit_test(test_fec_before_growth),
		cmocka_unit_test(test_whole_gap),
		cmocka_unit_test(test_gap_brings_delay),
		cmocka_unit_test(test_share_behind_gaps),
		cmocka_unit_test(test_jitter_ends),
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_odd_sizes),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
