/**
 * @file engine_device.c  The device as the engine sees it
 *
 * Media thread.  The inner ends of a device that main has opened and lent to
 * the engine: read what was captured, give each flow its share, sum what the
 * flows heard, write it.  A device with a clock wakes the engine through a
 * descriptor; when it falls silent or says it is gone, the engine lets go of
 * it by itself and tells main.
 */
#include <unistd.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "drift.h"
#include "priv.h"
#include "probe.h"


enum {
	WAKE_MAX   = 10,          /* blocks at one wake-up                  */
	WATCH_MS   = 50,          /* how often it is looked at              */
	DEAD_US    = 1000000,     /* a clock that stands so long is dead    */
};


bool engine_clocked(const struct engine *e)
{
	return e->dev && e->drv->clock;
}


static size_t samples(const struct engine *e, unsigned ms)
{
	return (size_t)e->info.rate_hz * ms / 1000;
}


static void wake_h(int flags, void *arg)
{
	struct engine *e = arg;
	const size_t block = samples(e, AUDIO_BLOCK_MS);
	unsigned turns = 0;
	uint64_t count;
	(void)flags;

	(void)!read(e->wake_fd, &count, sizeof(count));
	if (!e->dev)
		return;

	e->woken_us = clock_us();

	/* without a microphone the driver captures silence */
	while (turns < WAKE_MAX && e->drv->in_fill(e->dev) >= block) {
		engine_cycle(e, true, AUDIO_BLOCK_MS, clock_us());
		++turns;
	}
}


static void watch_h(void *arg)
{
	struct engine *e = arg;

	if (!e->drv->alive(e->dev) ||
	    clock_us() > e->woken_us + DEAD_US) {
		const struct post p = { .type = POST_DEVICE_LOST };

		engine_detach(e);
		e->post_h(&p, e->post_arg);
		return;
	}

	timer_start(&e->watch, WATCH_MS, watch_h, e);
}


int engine_attach(struct engine *e, const struct audio_driver *drv,
		  struct audio_dev *dev, const struct audio_info *info,
		  int wake_fd)
{
	int err;

	assert_media();
	engine_detach(e);

	if (info->rate_hz < 8000 || info->rate_hz > CODEC_RATE_MAX_HZ)
		return EINVAL;

	if (drv->clock && info->has_out) {
		err = drift_alloc(&e->drift, info->rate_hz,
				  drv->missed != NULL);
		if (err)
			return err;
	}

	if (drv->clock) {
		err = compat_fd_listen(&e->wake, wake_fd, FD_READ, wake_h, e);
		if (err) {
			e->drift = mem_deref(e->drift);
			return err;
		}

		e->wake_fd = wake_fd;
		e->woken_us = clock_us();
		timer_start(&e->watch, WATCH_MS, watch_h, e);
	}

	e->drv = drv;
	e->dev = dev;
	e->info = *info;
	e->mic_wait = e->spk_wait = 0.0;
	engine_room(e, &e->room);
	engine_retime(e);

	return 0;
}


void engine_detach(struct engine *e)
{
	assert_media();

	if (e->wake_fd >= 0)
		compat_fd_close(&e->wake);
	timer_cancel(&e->watch);

	e->wake_fd = -1;
	e->drv = NULL;
	e->dev = NULL;
	e->dsp = mem_deref(e->dsp);
	e->dsp_right = mem_deref(e->dsp_right);
	e->drift = mem_deref(e->drift);
	e->mic_two = e->two_told = false;
	engine_retime(e);
}


/* It captures two channels */
static bool two_mics(const struct engine *e)
{
	return e->info.in_channels == 2 && e->drv->read_two;
}


static bool dsp_settle(struct engine *e, struct dsp **dp,
		       const struct media_room *room)
{
	if (*dp)
		dsp_configure(*dp, room);
	else if (dsp_alloc(dp, e->info.rate_hz, room))
		return false;

	return true;
}


/* Each channel for itself: what is left of the echo differs. A level of its
 * own would move what is heard from its place */
static bool room_two(struct engine *e, struct media_room room)
{
	if (room.agc && !e->two_told) {
		e->two_told = true;
		log_info("the microphone has two channels:"
			 " automatic gain is left out for them");
	}
	room.agc = false;

	return dsp_settle(e, &e->dsp, &room) &&
		dsp_settle(e, &e->dsp_right, &room);
}


void engine_room(struct engine *e, const struct media_room *room)
{
	const bool any = room->echo || room->noise || room->agc ||
		room->high_pass || room->limiter;

	e->room = *room;

	/* a file, a tone is what it is; only a microphone is in a room */
	if (!any || !engine_clocked(e) || !e->info.has_in) {
		e->dsp = mem_deref(e->dsp);
		e->dsp_right = mem_deref(e->dsp_right);
		return;
	}

	if (two_mics(e) ? room_two(e, *room) : dsp_settle(e, &e->dsp, room))
		return;

	e->dsp = mem_deref(e->dsp);
	e->dsp_right = mem_deref(e->dsp_right);
	log_info("the microphone goes as it is: %u Hz", e->info.rate_hz);
}


/* The steps of a cycle -------------------------------------------------- */

/* Samples between what was mixed last and what was captured last: those that
 * wait to be played, or have been captured since, and the device's own */
static size_t way(const struct engine *e)
{
	return e->drv->out_fill(e->dev) + e->drv->in_fill(e->dev) +
		samples(e, e->info.in_latency_ms + e->info.out_latency_ms);
}


/* As a listener has it: over about half a second. The block that is taken now
 * is not waited for, it is in the packet's time */
static void average(double *v, size_t fill, size_t block)
{
	const double now = fill > block ? (double)(fill - block) : 0.0;

	*v += (now - *v) / 50.0;
}


void engine_delays(const struct engine *e, uint32_t *mic_ms,
		   uint32_t *speaker_ms)
{
	const double per_ms = e->info.rate_hz / 1000.0;

	*mic_ms = e->info.in_latency_ms + (uint32_t)(e->mic_wait / per_ms);
	*speaker_ms = e->info.out_latency_ms +
		(uint32_t)(e->spk_wait / per_ms);
}


/* What has the sound of its room, of one or both channels */
static void room_hear(struct engine *e, struct dsp *d, int16_t *v)
{
	if (!d)
		return;

	if (e->drv->missed)
		dsp_missed(d, e->drv->missed(e->dev));
	dsp_captured(d, v, e->mic_n, way(e));
}


/* Left and right into their mean and the side. Two that are the same are one:
 * a microphone of one channel that has been made two */
static void mics_join(struct engine *e)
{
	int differ = 0;

	for (size_t i = 0; i < e->mic_n; i++) {
		const int l = e->mic[i], r = e->mic_side[i];

		e->mic[i] = (int16_t)((l + r) / 2);
		e->mic_side[i] = (int16_t)((l - r) / 2);
		differ |= e->mic_side[i];
	}

	e->mic_two = differ != 0;
}


static void capture_two(struct engine *e)
{
	const size_t n = e->drv->read_two(e->dev, e->mic, e->mic_side,
					  e->mic_n);

	memset(e->mic + n, 0, (e->mic_n - n) * sizeof(*e->mic));
	memset(e->mic_side + n, 0, (e->mic_n - n) * sizeof(*e->mic));
	if (e->probe)
		probe_hear(e->probe, e->mic, e->mic_n, e->info.rate_hz);
	room_hear(e, e->dsp, e->mic);
	room_hear(e, e->dsp_right, e->mic_side);
	mics_join(e);
}


void engine_capture(struct engine *e, unsigned ms)
{
	size_t n = 0;

	e->mic_n = samples(e, ms);
	if (e->drv->clock)
		average(&e->mic_wait, e->drv->in_fill(e->dev), e->mic_n);

	memset(e->spk, 0, e->mic_n * sizeof(*e->spk));
	e->two = false;
	if (two_mics(e)) {
		capture_two(e);
		return;
	}

	if (e->info.has_in || e->drv->clock)
		n = e->drv->read(e->dev, e->mic, e->mic_n);

	memset(e->mic + n, 0, (e->mic_n - n) * sizeof(*e->mic));
	if (e->probe)
		probe_hear(e->probe, e->mic, e->mic_n, e->info.rate_hz);
	room_hear(e, e->dsp, e->mic);
}


static struct edge *flow_edge(struct flow *f)
{
	struct engine *e = f->eng;

	if (!edge_fits(f->edge, f->rate_hz, e->info.rate_hz)) {
		f->edge = mem_deref(f->edge);
		if (edge_alloc(&f->edge, f->rate_hz, e->info.rate_hz))
			log_debug("no memory to resample");
	}

	return f->edge;
}


const int16_t *engine_mic(struct flow *f, size_t n)
{
	struct engine *e = f->eng;
	struct edge *edge;
	size_t k;

	if (f->rate_hz == e->info.rate_hz)
		return e->mic;

	edge = flow_edge(f);
	if (!edge)
		return NULL;

	k = edge_in(edge, e->edge, n, e->mic, e->mic_n);
	memset(e->edge + k, 0, (n - k) * sizeof(*e->edge));

	return e->edge;
}


const int16_t *engine_mic_side(const struct flow *f)
{
	const struct engine *e = f->eng;

	return e->mic_two && f->tx.param.stereo &&
		f->rate_hz == e->info.rate_hz ? e->mic_side : NULL;
}


bool engine_has_two(const struct engine *e)
{
	return e->dev && e->info.channels == 2 && e->drv->write_two;
}


/* To what is to be played; side NULL: it is in the middle */
static void speaker_add(struct engine *e, const int16_t *v,
			const int16_t *side)
{
	const size_t n = e->mic_n;

	mixer_add(e->spk, v, n);
	if (!side)
		return;

	if (e->two) {
		mixer_add(e->spk_side, side, n);
		return;
	}

	memcpy(e->spk_side, side, n * sizeof(*side));
	e->two = true;
}


/* Where it has its place: v is moved, room is for what is beside it. @return
 * that, NULL: it is in the middle */
static const int16_t *flow_place(struct flow *f, int16_t *v,
				 const int16_t *side, int16_t *room)
{
	if (pan_centred(&f->pan) || !engine_has_two(f->eng))
		return side;

	pan_run(&f->pan, v, room, side != NULL, f->eng->mic_n);

	return room;
}


void engine_mix(struct flow *f, const int16_t *heard, const int16_t *side,
		size_t n)
{
	struct engine *e = f->eng;
	struct gain gain = f->spk_gain;
	struct edge *edge;

	gain_copy(&f->spk_gain, e->loud, heard, n);
	if (side) {
		gain_copy(&gain, e->loud_side, side, n);
		side = e->loud_side;
	}
	if (f->beep.sounds)
		mixer_add(e->loud, e->beep, n);

	if (f->rate_hz == e->info.rate_hz) {
		speaker_add(e, e->loud, flow_place(f, e->loud, side,
						   e->loud_side));
		return;
	}

	edge = flow_edge(f);
	if (!edge)
		return;

	edge_push_two(edge, e->loud, side, n);
	side = edge_pull_two(edge, e->edge, e->edge_side, e->mic_n) ?
		e->edge_side : NULL;
	speaker_add(e, e->edge, flow_place(f, e->edge, side, e->edge_side));
}


void engine_play(struct engine *e)
{
	size_t n = e->mic_n;
	const int16_t *v = e->spk, *side = e->two ? e->spk_side : NULL;
	bool two;

	if (!e->info.has_out)
		return;

	local_mix(e, MEDIA_SPEAKER, e->spk, n, e->info.rate_hz);
	if (!e->ringer.dev)
		local_mix(e, MEDIA_RING, e->spk, n, e->info.rate_hz);
	if (e->probe)
		probe_say(e->probe, e->spk, n);

	if (e->drift) {
		const size_t fill = e->drv->out_fill(e->dev);

		average(&e->spk_wait, fill, 0);
		n = drift_play(e->drift, fill, e->drv->missed ?
			       e->drv->missed(e->dev) : 0, v, side, n, e->loud,
			       e->loud_side, COUNT(e->loud), &two);
		v = e->loud;
		side = two ? e->loud_side : NULL;
		if (!n)
			return;
	}

	if (side)
		n = e->drv->write_two(e->dev, v, side, n);
	else
		n = e->drv->write(e->dev, v, n);
	/* the microphone hears both, and so their mean */
	if (e->dsp)
		dsp_played(e->dsp, v, n);
	if (e->dsp_right)
		dsp_played(e->dsp_right, v, n);
}
