/**
 * @file quality.c  How the calls sound, once a second
 *
 * A timer runs while a call is active.  Figures are asked for only when
 * somebody listens, and those of several calls come through the door at once;
 * many calls have their turns spread over the second (rota.c).  Main thread.
 */
#include <math.h>
#include "vq.h"


enum { QUALITY_MS = 1000 };


double stats_loss_pct(const struct stream_stats *st)
{
	const uint64_t n = st->packets_received + st->lost;

	return n ? 100.0 * (double)st->lost / (double)n : NAN;
}


double stats_unheard_pct(const struct stream_stats *st)
{
	const uint64_t n = st->packets_received + st->lost;

	return n ? 100.0 * (double)(st->lost + st->late) / (double)n : NAN;
}


double stats_r(const struct stream_stats *st, const struct codec *codec,
	       double unheard_pct)
{
	return media_r(codec, unheard_pct, st->burst_ratio,
		       st->delay_ms + st->speaker_ms +
		       st->rtt_us / 2000.0);
}


static void look(struct call *c, const struct stream_stats *st)
{
	const uint64_t received = st->packets_received - c->q_received;
	const uint64_t lost = st->lost > c->q_lost ? st->lost - c->q_lost : 0;
	const uint64_t late = st->late > c->q_late ? st->late - c->q_late : 0;
	struct event ev;

	c->q_received = st->packets_received;
	c->q_lost = st->lost;
	c->q_late = st->late;

	call_event(&ev, EVENT_CALL_QUALITY, c);
	ev.u.call_quality.packets_sent = (int64_t)st->packets_sent;
	ev.u.call_quality.packets_received = (int64_t)st->packets_received;
	ev.u.call_quality.packets_lost = (int64_t)st->lost;

	if (st->packets_received) {
		ev.u.call_quality.jitter_ms = (st->jitter_us + 500) / 1000;
		ev.u.call_quality.delay_ms = st->delay_ms;
		ev.u.call_quality.target_ms = st->delay_target_ms;
		ev.u.call_quality.late = (int64_t)st->late;
		ev.u.call_quality.discarded = (int64_t)st->discarded;
		ev.u.call_quality.recovered = (int64_t)st->recovered;
		ev.u.call_quality.concealed_ms = (int64_t)st->concealed_ms;
		ev.u.call_quality.stretched_ms = (int64_t)st->stretched_ms;
		ev.u.call_quality.compressed_ms =
			(int64_t)st->compressed_ms;
	}
	if (st->rtt_us)
		ev.u.call_quality.rtt_ms = (st->rtt_us + 500) / 1000;
	if (st->rtt_us)
		ev.u.call_quality.network_ms = (st->rtt_us + 1000) / 2000;
	if (st->device) {
		ev.u.call_quality.mic_ms = st->mic_ms;
		ev.u.call_quality.speaker_ms = st->speaker_ms;
	}
	if (st->packets_received)
		ev.u.call_quality.mouth_to_ear_ms =
			(int64_t)media_mouth_to_ear_ms(st);

	if (received + lost) {
		const double all = (double)(received + lost);
		const double r = stats_r(st, c->plan.codec,
					 100.0 * (double)(lost + late) / all);
		const double mos = media_mos_of(r);

		ev.u.call_quality.loss_pct = 100.0 * (double)lost / all;
		if (mos > 0) {
			ev.u.call_quality.mos = mos;
			ev.u.call_quality.r_factor = r;
		}
	}
	if (st->xr_known && st->xr_mos_cq > 0.0)
		ev.u.call_quality.remote_mos = st->xr_mos_cq;

	if (event_wanted(c->ua->bus, EVENT_CALL_QUALITY))
		event_publish(c->ua->bus, &ev);
	if (call_living(c))
		vq_look(c, ev.u.call_quality.mos, st);
}


static bool has_quality(const struct call *c)
{
	return c->state == CALL_ACTIVE && c->stream && c->started;
}


static size_t count(const struct ua *ua)
{
	struct le *le;
	size_t n = 0;

	LIST_FOREACH(&ua->calls, le)
		n += has_quality(le->data);

	return n;
}


/* Those whose turn it is. @return how many */
static size_t collect(const struct ua *ua, struct call **callv,
		      struct stream **streamv, size_t max)
{
	struct le *le;
	size_t n = 0;

	LIST_FOREACH(&ua->calls, le) {
		struct call *c = le->data;

		if (!has_quality(c) || n >= max ||
		    !rota_has(&ua->rota_quality, c->id))
			continue;
		callv[n] = c;
		streamv[n++] = c->stream;
	}

	return n;
}


static void ask(struct ua *ua, size_t max)
{
	struct stream_stats *stv = mem_alloc(max * sizeof(*stv), NULL);
	struct stream **streamv = mem_alloc(max * sizeof(*streamv), NULL);
	struct call **callv = mem_alloc(max * sizeof(*callv), NULL);
	size_t n;

	if (!stv || !streamv || !callv)
		goto out;

	n = collect(ua, callv, streamv, max);
	media_stats(ua->media, streamv, stv, n);

	/* who listens may end calls; they go on a later turn */
	for (size_t i = 0; i < n; i++) {
		if (has_quality(callv[i]))
			look(callv[i], &stv[i]);
	}

 out:
	mem_deref(stv);
	mem_deref(streamv);
	mem_deref(callv);
}


/* Is any of them reported to somebody? */
static bool reported(const struct ua *ua)
{
	struct le *le;

	LIST_FOREACH(&ua->calls, le) {
		if (vq_wanted(le->data))
			return true;
	}

	return false;
}


static void quality_handler(void *arg)
{
	struct ua *ua = arg;
	const bool wanted = event_wanted(ua->bus, EVENT_CALL_QUALITY) ||
		reported(ua);
	const size_t n = count(ua);

	if (!n || !wanted)
		memset(&ua->rota_quality, 0, sizeof(ua->rota_quality));
	if (!n)
		return;

	timer_start(&ua->tmr_quality, wanted ?
		    rota_turn(&ua->rota_quality, n, QUALITY_MS) : QUALITY_MS,
		    quality_handler, ua);

	if (wanted)
		ask(ua, n);
}


void ua_quality_start(struct ua *ua)
{
	if (!timer_running(&ua->tmr_quality))
		timer_start(&ua->tmr_quality, QUALITY_MS, quality_handler,
			    ua);
}
