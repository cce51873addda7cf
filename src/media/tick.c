/**
 * @file tick.c  What drives the flows that meet no device with a clock
 *
 * Media thread.  One timer for all of them, however many; it stands while
 * there is none, so that an idle phone is never woken.
 *
 * With one flow alone the tick is put just behind the arrival of its packets,
 * and kept there: what would be half a packet time of delay on average is a
 * few milliseconds, and a sender whose clock differs from ours is followed
 * instead of repaired.  With several flows there is no such place, and a turn
 * of 20 ms is up to as much of delay where packets come unevenly: what the
 * latest of them take is rounded up to whole turns.  So turns are of 10 ms
 * while that is so, unless there are so many calls that it is their cost that
 * counts.
 *
 * A tick is only ever put off, and what is sent next says by its time stamp
 * for how long: to the peer it is a pause, not packets that come at another
 * time than they did, which would look like jitter for seconds.
 */
#include "priv.h"


enum {
	LATE_NS = 10000000,      /* half a packet time: it is heard of       */
	CATCH_UP_NS = 250000000, /* made up for after a stall               */
	NEAR_NS = 2000000,       /* further behind: near enough             */
	SECOND_PACKETS = 4,      /* when the peer may have gone before us   */
	UNEVEN_MOST = 32,        /* flows, for whose sake turns are brief   */
};


/* It meets no device with a clock */
static bool tick_drives(const struct engine *e, const struct flow *f)
{
	return !flow_bound(f) || !engine_clocked(e);
}


/* The only flow the tick drives, when it is one that hears */
static struct flow *only_flow(const struct engine *e)
{
	struct flow *f = e->tick_flows == 1 ? e->tick_flow : NULL;

	return f && f->plan.dir & MEDIA_RECVONLY && f->rx.jitter ? f : NULL;
}


/* For so long nothing was said by anybody the tick drives */
static void flows_pause(const struct engine *e, uint64_t ns)
{
	for (struct le *le = e->flows.head; le; le = le->next) {
		struct flow *f = le->data;

		if (tick_drives(e, f))
			send_pause(f, ns / 1000);
	}
}


/* Of two of our kind it is one that moves, or both would for nothing */
static bool aligns_first(const struct flow *f)
{
	return f->tx.ssrc < f->rx.source.ssrc;
}


/* Once, and early: before there is much to hear */
static bool align_due(const struct flow *f)
{
	const struct source *s = &f->rx.source;

	return !f->aligned && s->known &&
		s->received >= (aligns_first(f) ? 1 : SECOND_PACKETS);
}


/* @return the next tick behind the packets, not before next_ns */
static uint64_t tick_align(struct flow *f, uint64_t next_ns, uint64_t step)
{
	const uint64_t came_ns = 1000 *
		(f->rx.last_us - jitter_behind(f->rx.jitter));
	const uint64_t behind = (next_ns - came_ns) % step;
	const uint64_t margin = 1000 * FOLLOW_MARGIN_US;
	const uint64_t most = aligns_first(f) ? margin + NEAR_NS
					      : step - margin + NEAR_NS;
	const uint64_t off = (margin + step - behind) % step;

	f->aligned = true;
	if (!off || (behind > margin && behind < most))
		return next_ns;

	send_pause(f, off / 1000);
	jitter_begin_again(f->rx.jitter);

	return next_ns + off;
}


/* @return when the next tick is due, after one at e->tick_ns */
static uint64_t tick_next(struct engine *e, uint64_t now_ns, uint64_t step)
{
	const uint64_t next = e->tick_ns + step;
	struct flow *f = only_flow(e);

	if (!f || next <= now_ns)
		return next;

	if (align_due(f))
		return tick_align(f, next, step);

	return next + (uint64_t)follow_step(&f->follow, now_ns,
					    jitter_spare(f->rx.jitter),
					    jitter_lead(f->rx.jitter));
}


/* How late it is; main reads it without the door */
static void engine_count(struct engine *e, uint64_t late_ns)
{
	struct cycles *c = &e->cycles;

	atomic_fetch_add_explicit(&c->n, 1, memory_order_relaxed);
	if (late_ns >= LATE_NS)
		atomic_fetch_add_explicit(&c->late, 1, memory_order_relaxed);
	if (late_ns > atomic_load_explicit(&c->most_ns, memory_order_relaxed))
		atomic_store_explicit(&c->most_ns, late_ns,
				      memory_order_relaxed);
}


static void tick_h(void *arg)
{
	struct engine *e = arg;
	const uint64_t now = clock_ns();
	const unsigned ms = e->tick_ms;
	uint64_t at = now;

	engine_count(e, now > e->tick_ns ? now - e->tick_ns : 0);

	/* a tick that is made up for belongs to its own time: the packets
	 * that have come since were not early */
	if (now - e->tick_ns >= 1000000ULL * ms)
		at = e->tick_ns;

	/* the next one follows when this one's sound is over, even if turns
	 * of another length were chosen in it */
	engine_cycle(e, false, ms, at / 1000);
	if (e->bound && !engine_clocked(e))
		engine_cycle(e, true, ms, at / 1000);

	e->tick_ns = tick_next(e, now, 1000000ULL * ms);

	/* the machine slept, or cannot do what is asked of it: that time is
	 * lost. What is less is made up for, and main may come in between */
	if (e->tick_ns + CATCH_UP_NS < now) {
		flows_pause(e, now - e->tick_ns);
		e->tick_ns = now;
	}

	timer_start_ns(&e->tick, e->tick_ns, tick_h, e);
}


/* What drives this one (struct flow.driven), as it is now */
static uint8_t driven(const struct engine *e, const struct flow *f)
{
	uint8_t is = 0;

	if (!f->started)
		return 0;

	if (flow_bound(f))
		is |= DRIVEN_DEVICE;
	if (tick_drives(e, f)) {
		is |= DRIVEN_TICK;
		if (f->tx.ptime_ms % 20)
			is |= DRIVEN_BRIEF;
		if (f->uneven)
			is |= DRIVEN_UNEVEN;
	}

	return is;
}


static void count(unsigned *n, bool was, bool is)
{
	*n = *n + is - was;
}


/* Of hundreds it is one that changes: the others are not looked at */
static void flow_count(struct engine *e, struct flow *f)
{
	const uint8_t was = f->driven, is = driven(e, f);

	f->driven = is;
	count(&e->bound_flows, was & DRIVEN_DEVICE, is & DRIVEN_DEVICE);
	count(&e->tick_flows, was & DRIVEN_TICK, is & DRIVEN_TICK);
	count(&e->brief_flows, was & DRIVEN_BRIEF, is & DRIVEN_BRIEF);
	count(&e->uneven_flows, was & DRIVEN_UNEVEN, is & DRIVEN_UNEVEN);

	if (is & DRIVEN_TICK)
		e->tick_flow = f;
	else if (e->tick_flow == f)
		e->tick_flow = NULL;
}


static bool uneven(const struct engine *e)
{
	return e->uneven_flows && e->tick_flows > 1 &&
		e->tick_flows <= UNEVEN_MOST;
}


/* 20 ms suits whole packets; 10 ms whatever else there is */
static void retime(struct engine *e)
{
	unsigned ms = !e->tick_flows ? 0
		: e->brief_flows || uneven(e) ? 10 : 20;
	struct le *le = e->flows.head;
	uint64_t next;

	/* the one that is left may be another than the last that came */
	while (e->tick_flows == 1 && !e->tick_flow && le) {
		struct flow *f = le->data;

		if (f->driven & DRIVEN_TICK)
			e->tick_flow = f;
		le = le->next;
	}

	e->bound = e->bound_flows > 0;

	/* a device without a clock plays the phone's own sounds by the tick */
	if (e->dev && (e->local[MEDIA_SPEAKER].v || e->local[MEDIA_RING].v ||
		       e->probe)) {
		e->bound = true;
		if (!ms && !engine_clocked(e))
			ms = 20;
	}

	if (ms == e->tick_ms)
		return;

	next = clock_ns() + 1000000ULL * ms;
	if (!e->tick_ms || next < e->tick_ns)
		e->tick_ns = next;
	e->tick_ms = ms;

	if (ms)
		timer_start_ns(&e->tick, e->tick_ns, tick_h, e);
	else
		timer_cancel(&e->tick);
}


void engine_retime_flow(struct engine *e, struct flow *f)
{
	assert_media();

	flow_count(e, f);
	retime(e);
}


void engine_retime(struct engine *e)
{
	assert_media();

	for (struct le *le = e->flows.head; le; le = le->next)
		flow_count(e, le->data);
	retime(e);
}
