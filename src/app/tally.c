/**
 * @file app/tally.c  How long things took, and how they ended
 *
 * Main thread; no state of its own.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "tally.h"

static const unsigned edges[LOAD_BUCKETS] = {
	10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000,
};


unsigned load_edge(unsigned i)
{
	return edges[i < LOAD_BUCKETS ? i : LOAD_BUCKETS - 1];
}


void *by_id(struct by_id *t, unsigned id, bool make)
{
	size_t at;

	if (!t->first && make)
		t->first = id;
	if (!t->first || id < t->first)
		return NULL;

	at = id - t->first;
	if (at >= t->size) {

		const size_t size = at * 2 + 256;
		void *v = make ? mem_zalloc(size * t->each, NULL) : NULL;

		if (!v)
			return NULL;
		if (t->v)
			memcpy(v, t->v, t->size * t->each);
		mem_deref(t->v);
		t->v = v;
		t->size = size;
	}

	return (uint8_t *)t->v + at * t->each;
}


int tally_init(struct tally *t, unsigned size)
{
	t->v = malloc(size * sizeof(*t->v));
	t->size = size;
	t->n = 0;

	return t->v ? 0 : ENOMEM;
}


void tally_reset(struct tally *t)
{
	free(t->v);
	t->v = NULL;
	t->n = t->size = 0;
}


void tally_time(struct tally *t, struct load_result *res, double ms)
{
	unsigned i = 0;

	if (t->n == t->size)
		return;

	t->v[t->n++] = (float)ms;
	while (i + 1 < LOAD_BUCKETS && ms > edges[i])
		++i;
	++res->bucket[i];
}


void tally_cause(struct load_result *res, const char *cause, uint16_t code)
{
	struct load_cause *c = res->cause;
	unsigned i = 0;

	while (i + 1 < LOAD_CAUSES && c[i].n &&
	       (c[i].code != code || strcmp(c[i].cause, cause)))
		++i;

	if (!c[i].n) {
		snprintf(c[i].cause, sizeof(c[i].cause), "%.31s", cause);
		c[i].code = code;
	}
	++c[i].n;
}


static int by_size(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}


void tally_settle(struct load_result *res, const struct tally *t)
{
	const unsigned n = t->n;
	double sum = 0.0;
	float *v;

	res->setup_min_ms = res->setup_mean_ms = res->setup_p50_ms =
		res->setup_p95_ms = res->setup_max_ms = NAN;

	v = n ? malloc(n * sizeof(*v)) : NULL;
	if (!v)
		return;

	memcpy(v, t->v, n * sizeof(*v));
	qsort(v, n, sizeof(*v), by_size);
	for (unsigned i = 0; i < n; i++)
		sum += (double)v[i];

	res->setup_min_ms = (double)v[0];
	res->setup_mean_ms = sum / n;
	res->setup_p50_ms = (double)v[(n - 1) / 2];
	res->setup_p95_ms = (double)v[(n - 1) * 95 / 100];
	res->setup_max_ms = (double)v[n - 1];
	free(v);
}
