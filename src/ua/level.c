/**
 * @file level.c  How loud the calls are, while somebody listens
 *
 * A timer of its own beside that of the quality: it runs while a call is
 * active and asks the engine only when an event is wanted, so that the
 * engine measures only then.  Many calls have their turns (rota.c).  Main
 * thread.
 */
#include "priv.h"

enum { OFF_MS = 1000 };


static bool has_level(const struct call *c)
{
	return c->state == CALL_ACTIVE && c->stream && c->started;
}


static void publish(const struct call *c, const struct stream_level *l,
		    const struct media_room_figures *room)
{
	struct event ev;

	call_event(&ev, EVENT_CALL_LEVEL, c);
	ev.u.call_level.in_dbfs = l->in_dbfs;
	ev.u.call_level.in_peak_dbfs = l->in_peak_dbfs;
	ev.u.call_level.out_dbfs = l->out_dbfs;
	ev.u.call_level.out_peak_dbfs = l->out_peak_dbfs;
	ev.u.call_level.in_clipped = l->in_clipped;
	ev.u.call_level.out_clipped = l->out_clipped;
	ev.u.call_level.erle_db = room->erle_db;
	ev.u.call_level.noise_dbfs = room->noise_dbfs;
	ev.u.call_level.noise_less_db = room->noise_less_db;
	event_publish(c->ua->bus, &ev);
}


static void ask(struct ua *ua, size_t max)
{
	struct stream_level *lv = mem_alloc(max * sizeof(*lv), NULL);
	struct stream **sv = mem_alloc(max * sizeof(*sv), NULL);
	struct call **cv = mem_alloc(max * sizeof(*cv), NULL);
	struct media_room_figures room;
	struct le *le;
	size_t n = 0;

	if (!lv || !sv || !cv)
		goto out;

	LIST_FOREACH(&ua->calls, le) {
		struct call *c = le->data;

		if (!has_level(c) || n >= max ||
		    !rota_has(&ua->rota_level, c->id))
			continue;
		cv[n] = c;
		sv[n++] = c->stream;
	}

	media_levels(ua->media, sv, lv, n);
	media_room_look(ua->media, &room);

	/* who listens may end calls; they go on a later turn */
	for (size_t i = 0; i < n; i++) {
		if (lv[i].known && has_level(cv[i]))
			publish(cv[i], &lv[i], &room);
	}

 out:
	mem_deref(lv);
	mem_deref(sv);
	mem_deref(cv);
}


static void level_handler(void *arg)
{
	struct ua *ua = arg;
	const int64_t ms = ua->config->level_interval_ms;
	const bool wanted = ms && event_wanted(ua->bus, EVENT_CALL_LEVEL);
	struct le *le;
	size_t n = 0;

	LIST_FOREACH(&ua->calls, le)
		n += has_level(le->data);
	if (!n || !wanted)
		memset(&ua->rota_level, 0, sizeof(ua->rota_level));
	if (!n)
		return;

	/* who begins to listen, or switches them on, does not wait for long */
	timer_start(&ua->tmr_level, wanted ?
		    rota_turn(&ua->rota_level, n, (uint64_t)ms) :
		    (uint64_t)(ms ? ms : OFF_MS), level_handler, ua);

	if (wanted)
		ask(ua, n);
}


void ua_level_start(struct ua *ua)
{
	const int64_t ms = ua->config->level_interval_ms;

	if (!timer_running(&ua->tmr_level))
		timer_start(&ua->tmr_level, (uint64_t)(ms ? ms : OFF_MS),
			    level_handler, ua);
}
