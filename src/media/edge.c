/**
 * @file edge.c  Where a flow meets a device of another rate
 *
 * Media thread; owned by the flow, made when it first meets such a device.
 * Resampled blocks do not always come out whole, so what waits to be played
 * is kept in a short queue; what is beside it in one of its own, which is made
 * when something first has a side.
 */
#include "priv.h"


enum {
	QUALITY = 3,                  /* voice; a longer filter is delay    */
	QUEUE = 3 * BLOCK_MAX,
};

struct edge {
	struct resampler *in, *out;
	uint32_t flow_hz, dev_hz;
	size_t n;
	size_t side_n;                /* of them may have a side            */
	int16_t *side;                /* as long; NULL: none had one yet    */
	int16_t queue[QUEUE];
};


static void destructor(void *arg)
{
	struct edge *e = arg;

	mem_deref(e->in);
	mem_deref(e->out);
	mem_deref(e->side);
}


int edge_alloc(struct edge **ep, uint32_t flow_hz, uint32_t dev_hz)
{
	struct edge *e;
	int err;

	e = mem_zalloc(sizeof(*e), destructor);
	if (!e)
		return ENOMEM;

	e->flow_hz = flow_hz;
	e->dev_hz = dev_hz;

	err = resampler_alloc(&e->in, dev_hz, flow_hz, QUALITY);
	if (err)
		goto out;

	err = resampler_alloc(&e->out, flow_hz, dev_hz, QUALITY);

 out:
	if (err)
		mem_deref(e);
	else
		*ep = e;

	return err;
}


bool edge_fits(const struct edge *e, uint32_t flow_hz, uint32_t dev_hz)
{
	return e && e->flow_hz == flow_hz && e->dev_hz == dev_hz;
}


size_t edge_in(struct edge *e, int16_t *v, size_t max, const int16_t *mic,
	       size_t n)
{
	size_t used = n, made = max;

	if (resampler_run(e->in, mic, &used, v, &made))
		return 0;

	return made;
}


void edge_push(struct edge *e, const int16_t *v, size_t n)
{
	size_t used = n, made = QUEUE - e->n;

	if (!resampler_run(e->out, v, &used, e->queue + e->n, &made))
		e->n += made;
}


void edge_push_two(struct edge *e, const int16_t *v, const int16_t *side,
		   size_t n)
{
	size_t used = n, made = QUEUE - e->n;
	bool two;

	if (side && !e->side)
		e->side = mem_zalloc(QUEUE * sizeof(*e->side), NULL);
	if (!e->side)
		side = NULL;

	if (resampler_run_two(e->out, v, side, &used, e->queue + e->n,
			      e->side ? e->side + e->n : NULL, &made, &two))
		return;

	if (two)
		e->side_n = e->n + made;
	else if (e->side_n)
		memset(e->side + e->n, 0, made * sizeof(*e->side));
	e->n += made;
}


bool edge_pull_two(struct edge *e, int16_t *spk, int16_t *side, size_t n)
{
	const size_t k = e->n < n ? e->n : n;
	const bool two = e->side_n > 0;

	if (two) {
		memcpy(side, e->side, k * sizeof(*side));
		memset(side + k, 0, (n - k) * sizeof(*side));
		memmove(e->side, e->side + k, (e->n - k) * sizeof(*e->side));
		e->side_n -= e->side_n < k ? e->side_n : k;
	}
	edge_pull(e, spk, n);

	return two;
}


size_t edge_ready(const struct edge *e)
{
	return e->n;
}


void edge_pull(struct edge *e, int16_t *spk, size_t n)
{
	const size_t k = e->n < n ? e->n : n;

	memcpy(spk, e->queue, k * sizeof(*spk));
	memset(spk + k, 0, (n - k) * sizeof(*spk));

	e->n -= k;
	memmove(e->queue, e->queue + k, e->n * sizeof(*e->queue));
}
