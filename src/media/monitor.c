/**
 * @file monitor.c  A second loudspeaker that hears the calls as well
 *
 * Media thread.  A device of main's, on loan like the others, for a colleague
 * who listens or a trainer.  It gets what the loudspeaker gets of the calls,
 * without the phone's own tones, and on demand what our microphone says into
 * them.  The engine moves by another clock than it: so it has a drift of its
 * own, and a rate.  It never holds the calls up: what it cannot take is gone.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "drift.h"
#include "priv.h"


enum {
	WATCH_MS = 50,
	PAUSE_US = 500000,       /* nothing was played for so long: what is
				    known of its clock is void              */
};


static void watch_h(void *arg)
{
	struct engine *e = arg;
	struct monitor *m = &e->monitor;
	const struct post p = { .type = POST_MONITOR_LOST };

	if (m->drv->alive(m->dev)) {
		timer_start(&m->timer, WATCH_MS, watch_h, e);
		return;
	}

	monitor_detach(e);
	e->post_h(&p, e->post_arg);
}


int monitor_attach(struct engine *e, const struct audio_driver *drv,
		   struct audio_dev *dev, const struct audio_info *info)
{
	struct monitor *m = &e->monitor;

	assert_media();
	monitor_detach(e);

	if (!info->has_out || info->rate_hz < 8000 ||
	    info->rate_hz > CODEC_RATE_MAX_HZ)
		return EINVAL;

	m->drv = drv;
	m->dev = dev;
	m->rate_hz = info->rate_hz;
	timer_start(&m->timer, WATCH_MS, watch_h, e);

	return 0;
}


void monitor_detach(struct engine *e)
{
	struct monitor *m = &e->monitor;

	assert_media();
	timer_cancel(&m->timer);
	m->drift = mem_deref(m->drift);
	m->edge = mem_deref(m->edge);
	m->drv = NULL;
	m->dev = NULL;
}


/* Does our microphone go into any call now? */
static bool we_speak(const struct engine *e)
{
	for (struct le *le = e->flows.head; le; le = le->next) {
		const struct flow *f = le->data;

		if (flow_meets(f) && !f->muted && f->source == SOURCE_DEVICE &&
		    flow_speaks(f))
			return true;
	}

	return false;
}


/* To its rate. @return samples in v, which has room for max */
static size_t convert(struct engine *e, int16_t *v, size_t n, size_t max)
{
	struct monitor *m = &e->monitor;
	size_t k;

	if (e->info.rate_hz == m->rate_hz)
		return n;

	if (!edge_fits(m->edge, e->info.rate_hz, m->rate_hz)) {
		m->edge = mem_deref(m->edge);
		if (edge_alloc(&m->edge, e->info.rate_hz, m->rate_hz))
			return 0;
	}

	edge_push(m->edge, v, n);
	k = edge_ready(m->edge);
	k = k < max ? k : max;
	edge_pull(m->edge, v, k);

	return k;
}


/* As its own clock has it; without one it takes what it gets */
static size_t follow(struct engine *e, const int16_t *v, size_t n,
		     int16_t *out, int16_t *side, size_t max)
{
	struct monitor *m = &e->monitor;
	const uint64_t now = clock_us();
	bool two;

	if (now > m->played_us + PAUSE_US)
		m->drift = mem_deref(m->drift);
	m->played_us = now;
	if (!m->drift && drift_alloc(&m->drift, m->rate_hz,
				     m->drv->missed != NULL))
		return 0;

	return drift_play(m->drift, m->drv->out_fill(m->dev), m->drv->missed ?
			  m->drv->missed(m->dev) : 0, v, NULL, n, out, side,
			  max, &two);
}


void monitor_play(struct engine *e)
{
	struct monitor *m = &e->monitor;
	int16_t v[BLOCK_MAX + 64], out[BLOCK_MAX + 64], side[BLOCK_MAX + 64];
	const int16_t *play = v;
	size_t n = e->mic_n;

	if (!m->dev)
		return;

	memcpy(v, e->spk, n * sizeof(*v));
	if (m->both && we_speak(e))
		mixer_add(v, e->mic, n);

	n = convert(e, v, n, COUNT(v));
	if (m->drv->clock) {
		n = follow(e, v, n, out, side, COUNT(out));
		play = out;
	}
	if (n)
		(void)m->drv->write(m->dev, play, n);
}
