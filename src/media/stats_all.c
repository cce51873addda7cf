/**
 * @file stats_all.c  The figures of many streams at once
 *
 * Main thread: one pass through the door, however many there are.  The media
 * thread fills what main holds ready.  How well it keeps time is read without.
 */
#include "priv.h"


struct all {
	struct stream *const *sv;
	struct stream_stats *stv;
	size_t n;
};


static void stats_h(void *arg)
{
	const struct all *a = arg;

	for (size_t i = 0; i < a->n; i++)
		flow_stats(a->sv[i]->flow, &a->stv[i]);
}


void media_stats(struct media *m, struct stream *const *sv,
		 struct stream_stats *stv, size_t n)
{
	struct all all = { .sv = sv, .stv = stv, .n = n };

	assert_main();

	if (n)
		media_run(m, stats_h, &all);
}


void media_times(const struct media *m, struct media_times *t)
{
	const struct cycles *c = m && m->eng ? &m->eng->cycles : NULL;

	memset(t, 0, sizeof(*t));
	if (!c)
		return;

	t->cycles = atomic_load_explicit(&c->n, memory_order_relaxed);
	t->late = atomic_load_explicit(&c->late, memory_order_relaxed);
	t->most_us = atomic_load_explicit(&c->most_ns,
					  memory_order_relaxed) / 1000;
}
