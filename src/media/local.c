/**
 * @file local.c  Sounds of the phone itself: ringing, ringback, tones
 *
 * The engine's half (media thread) mixes samples into what the loudspeaker
 * gets, or keeps the ringer's own device filled; main's half copies them and
 * hands them over.  A sound ends by itself when it was to be heard a number
 * of times, and main is told, so that the device is let go of.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "priv.h"


enum {
	FILL_MS = 60,            /* in hand at the ringer's device          */
	LOOK_MS = 20,
};


void local_clear(struct local *l)
{
	free(l->v);
	l->edge = mem_deref(l->edge);
	l->v = NULL;
	l->n = l->pos = 0;
}


/* n samples at its own rate; silence behind its end */
static void take(struct local *l, int16_t *v, size_t n)
{
	size_t have = 0;

	while (have < n && l->v) {
		size_t k = l->n - l->pos;

		if (k > n - have)
			k = n - have;
		memcpy(v + have, l->v + l->pos, k * sizeof(*v));
		have += k;
		l->pos += k;

		if (l->pos < l->n)
			continue;
		l->pos = 0;
		if (l->times && !--l->times) {
			free(l->v);
			l->v = NULL;
		}
	}

	memset(v + have, 0, (n - have) * sizeof(*v));
}


void local_mix(struct engine *e, enum media_out out, int16_t *spk, size_t n,
	       uint32_t rate_hz)
{
	struct local *l = &e->local[out];
	struct post p = { .type = POST_SOUND_DONE };
	int16_t v[BLOCK_MAX];
	const size_t k = n * l->rate_hz / rate_hz;

	if (!l->v)
		return;

	if (l->rate_hz == rate_hz) {
		take(l, v, n);
	}
	else {
		if (!edge_fits(l->edge, l->rate_hz, rate_hz)) {
			l->edge = mem_deref(l->edge);
			if (edge_alloc(&l->edge, l->rate_hz, rate_hz))
				return;
		}
		take(l, v, k);
		edge_push(l->edge, v, k);
		edge_pull(l->edge, v, n);
	}

	mixer_add(spk, v, n);

	if (!l->v) {
		p.serial = l->serial;
		local_clear(l);
		e->post_h(&p, e->post_arg);
	}
}


/* The ringer's own device ------------------------------------------------ */

static void ring_h(void *arg)
{
	struct engine *e = arg;
	struct ringer *r = &e->ringer;
	const size_t n = (size_t)r->rate_hz * AUDIO_BLOCK_MS / 1000;
	int16_t v[BLOCK_MAX];

	if (!r->drv->alive(r->dev)) {
		const struct post p = { .type = POST_RINGER_LOST };

		ringer_detach(e);
		e->post_h(&p, e->post_arg);
		return;
	}

	while (r->drv->out_fill(r->dev) < (size_t)r->rate_hz * FILL_MS / 1000) {
		memset(v, 0, n * sizeof(*v));
		local_mix(e, MEDIA_RING, v, n, r->rate_hz);
		if (r->drv->write(r->dev, v, n) < n)
			break;
		/* without a clock of its own it takes what it is given */
		if (!r->drv->clock)
			break;
	}

	timer_start(&r->timer, r->drv->clock ? LOOK_MS : AUDIO_BLOCK_MS,
		    ring_h, e);
}


int ringer_attach(struct engine *e, const struct audio_driver *drv,
		  struct audio_dev *dev, const struct audio_info *info)
{
	assert_media();
	ringer_detach(e);

	if (info->rate_hz < 8000 || info->rate_hz > CODEC_RATE_MAX_HZ)
		return EINVAL;

	e->ringer.drv = drv;
	e->ringer.dev = dev;
	e->ringer.rate_hz = info->rate_hz;
	timer_start(&e->ringer.timer, 0, ring_h, e);

	return 0;
}


void ringer_detach(struct engine *e)
{
	assert_media();
	timer_cancel(&e->ringer.timer);
	e->ringer.dev = NULL;
	e->ringer.drv = NULL;
}


/* Main's half ------------------------------------------------------------ */

struct job {
	struct media *m;
	enum media_out out;
	struct local local;
};


static void sound_h(void *arg)
{
	struct job *j = arg;
	struct engine *e = j->m->eng;

	local_clear(&e->local[j->out]);
	e->local[j->out] = j->local;
	engine_retime(e);
}


int media_sound(struct media *m, enum media_out out, const int16_t *v,
		size_t n, uint32_t rate_hz, unsigned times)
{
	struct job j = { .m = m, .out = out };

	assert_main();

	if (!v || !n || rate_hz < 8000 || rate_hz > CODEC_RATE_MAX_HZ ||
	    rate_hz % 100)
		return EINVAL;

	j.local.v = malloc(n * sizeof(*v));
	if (!j.local.v)
		return ENOMEM;
	memcpy(j.local.v, v, n * sizeof(*v));
	j.local.n = n;
	j.local.rate_hz = rate_hz;
	j.local.times = times;
	j.local.serial = ++m->sound_serial;

	m->sounds[out] = j.local.serial;
	media_run(m, sound_h, &j);
	media_look(m);

	return 0;
}


void media_hush(struct media *m, enum media_out out)
{
	struct job j = { .m = m, .out = out };

	assert_main();

	if (!m->sounds[out])
		return;

	m->sounds[out] = 0;
	media_run(m, sound_h, &j);
	media_look(m);
}


void local_done(struct media *m, unsigned serial)
{
	for (unsigned i = 0; i < COUNT(m->sounds); i++) {
		if (m->sounds[i] == serial)
			m->sounds[i] = 0;
	}

	media_look(m);
}
