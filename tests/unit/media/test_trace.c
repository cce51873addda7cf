/**
 * @file test_trace.c  Playout over networks as they are, beside an oracle
 *
 * Each trace is a minute of delays of one kind of network, made up here or
 * recorded in a call (traces/).  The oracle knows
 * all of them beforehand, and plays with the one fixed delay at which three
 * packets in a thousand that come at all are late.  Who does not know what will
 * come may not make up much more than that, and may not be much later.
 */
#include <math.h>
#include <stdio.h>
#include "jitter_sim.h"


enum {
	MINUTE = 3000,           /* packets                                 */
	GRID_MS = 20,            /* what is asked for at once               */
	DELAY_MAX_MS = 400,
};

static int64_t last_due;


/* A queue keeps the order */
static int64_t in_order(unsigned i, double ms)
{
	int64_t due = (int64_t)i * 20 * MS + (int64_t)(ms * MS);

	if (due < last_due)
		due = last_due;
	last_due = due;

	return due - (int64_t)i * 20 * MS;
}


static double exponential(double mean)
{
	return -mean * log(1.0 - sim_rnd());
}


static int64_t steady(unsigned i)
{
	return in_order(i, sim_rnd());
}


/* Others use the air: now and then nothing gets through for a while */
static int64_t wifi(unsigned i)
{
	static double busy_until;
	double ms = 2 + exponential(3);

	if (!i)
		busy_until = 0;
	if (sim_rnd() < 1 / 75.0)
		busy_until = i * 20.0 + 40 + 80 * sim_rnd();
	if (i * 20.0 + ms < busy_until)
		ms = busy_until - i * 20.0;

	return in_order(i, ms);
}


/* Somebody uploads: the queue fills, overflows, and drains */
static int64_t uplink(unsigned i)
{
	const unsigned at = i % 500;
	const double full = 160;
	double ms = 5 + exponential(2);

	if (at >= 200 && at < 350)
		ms += fmin(full, (at - 200) * 1.6);
	else if (at >= 350 && at < 400)
		ms += full - (at - 350) * full / 50;

	if (at >= 300 && at < 350 && sim_rnd() < 0.08)
		return -1;

	return in_order(i, ms);
}


/* Slots of 40 ms, and a cell that is left every twelve seconds */
static int64_t cellular(unsigned i)
{
	const double t = i * 20.0;
	double ms = 60 + 20 * sim_rnd() + exponential(8);

	ms = ceil((t + ms) / 40) * 40 - t;
	if (i % 600 >= 590)
		ms += (600 - i % 600) * 20.0;
	if (sim_rnd() < 0.01)
		return -1;

	return in_order(i, ms);
}


static int64_t reordered(unsigned i)
{
	(void)i;

	return (int64_t)((sim_rnd() < 0.03 ? 35 : 2 * sim_rnd()) * MS);
}


static int64_t lossy(unsigned i)
{
	return sim_rnd() < 0.05 ? -1 : in_order(i, 20 * sim_rnd());
}


static int64_t recording[MINUTE];


static int64_t recorded(unsigned i)
{
	return recording[i];
}


static const struct trace {
	delay_h *h;
	double ppm;
	double twice;            /* share that comes twice                  */
	unsigned max_ms;         /* the buffer may, 0: DELAY_MAX_MS         */
	const char *file;        /* of recorded                             */
} traces[] = {
	{ steady,    0,    0 },
	{ steady,    200,  0 },
	{ steady,    -200, 0 },
	{ wifi,      0,    0 },
	{ uplink,    0,    0 },
	{ cellular,  0,    0 },
	{ reordered, 0,    0 },
	{ steady,    0,    0.1 },
	{ lossy,     0,    0 },
	{ recorded,  0,    0,   0, "uplink" },
	{ recorded,  0,    0, 600, "slow" },
	{ recorded,  0,    0,   0, "busy" },
};


static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}


static int by_arrival(const void *a, const void *b, void *arg)
{
	const struct sim *s = arg;
	const unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	if (s->arrival[x] != s->arrival[y])
		return s->arrival[x] < s->arrival[y] ? -1 : 1;

	return x < y ? -1 : x > y;
}


struct figures {
	double delay_ms;         /* mean, beyond the quickest packet        */
	double made_up;          /* share of the time                       */
	double lost;             /* share that never came                   */
	double oracle_ms;
	unsigned changes;        /* of the delay, in speech                 */
};

static struct figures play(const struct trace *t, bool talks, unsigned seed)
{
	static int64_t transit[MINUTE];
	struct sim *s = sim_new(t->max_ms ? t->max_ms : DELAY_MAX_MS);
	struct figures f = { 0 };
	struct jitter_stats st;
	unsigned came = 0;

	last_due = 0;
	s->ppm = t->ppm;
	while (seed--)
		(void)sim_rnd();

	for (unsigned i = 0; i < MINUTE; i++) {
		const int64_t d = t->h(i);

		if (d < 0)
			continue;
		transit[came++] = d;
		s->arrival[i] = sim_sent_us(s, i) + (uint64_t)d;
		s->order[s->sent++] = i;
		if (sim_rnd() < t->twice)
			s->order[s->sent++] = i;
	}
	qsort_r(s->order, s->sent, sizeof(*s->order), by_arrival, s);

	for (unsigned i = 0; i < MINUTE; i++) {

		/* a pause each four seconds, unless somebody talks on */
		s->quiet = !talks && i % 200 >= 170;
		sim_tick(s);
		f.delay_ms += sim_stats(s).delay_us / 1000.0 / MINUTE;
	}

	st = sim_stats(s);
	qsort(transit, came, sizeof(*transit), by_value);
	f.oracle_ms = (double)(transit[came * 997 / 1000] - transit[0]) / MS;
	f.lost = 1.0 - (double)came / MINUTE;
	f.made_up = (double)st.concealed_us / MS / 20 / MINUTE;
	f.changes = s->shorter + s->longer;

	/* what has been counted adds up */
	assert_true(st.stretched_us <= st.grown_us);
	assert_true(st.compressed_us + st.skipped_us <= st.shrunk_us);
	assert_int_equal(st.resyncs, 0);
	if (t->twice > 0)
		assert_true(st.duplicate > 200);
	sim_free(s);

	return f;
}


static void recording_read(const char *name)
{
	char path[512], line[128];
	unsigned n = 0;
	FILE *f;

	assert_in_range(snprintf(path, sizeof(path), "%s/%s.txt", TRACES,
				 name), 1, sizeof(path) - 1);
	f = fopen(path, "r");
	assert_non_null(f);
	while (n < MINUTE && fgets(line, sizeof(line), f)) {
		if (line[0] != '#')
			recording[n++] = line[0] == '-' ? -1 :
				(int64_t)(strtod(line, NULL) * MS);
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(n, MINUTE);
}


static void test_traces(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		const struct trace *t = &traces[i];

		if (t->file)
			recording_read(t->file);
		for (unsigned k = 0; k < (t->file ? 2 : 6); k++) {
			const struct figures f = play(t, k % 2, k * 1000);

			print_message("%zu %s: %.0f ms (oracle %.0f), made up "
				      "%.4f, lost %.4f, %u changes\n", i,
				      t->file ? t->file : "", f.delay_ms,
				      f.oracle_ms, f.made_up, f.lost,
				      f.changes);
			assert_true(f.delay_ms <= f.oracle_ms + GRID_MS);
			assert_true(f.made_up <= f.lost + 0.018);
			assert_true(f.changes <= 70);
		}
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
