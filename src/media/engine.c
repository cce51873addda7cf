/**
 * @file engine.c  The cycle
 *
 * Media thread; owned by struct media.  engine_cycle is the whole of it: what
 * the microphone gave, each flow's turn, what the speaker gets.  Two things
 * drive it: a device with a clock of its own, every 10 ms, for the flows that
 * meet it; and one tick for all other flows and for devices without a clock,
 * once a packet time.  With nothing to drive the tick stands still.
 *
 * Nothing here waits, and nothing is freed in the middle of a cycle.
 */
#include "priv.h"


enum {
	CATCH_UP = 5,             /* ticks made up for after a stall */
};


static void destructor(void *arg)
{
	struct engine *e = arg;

	timer_cancel(&e->tick);
	engine_detach(e);
	list_clear(&e->flows);
	mem_deref(e->inbox);
	mem_deref(e->scratch);
}


int engine_alloc(struct engine **ep, engine_post_h *h, void *arg)
{
	struct engine *e;
	int err;

	e = mem_zalloc(sizeof(*e), destructor);
	if (!e)
		return ENOMEM;

	e->post_h = h;
	e->post_arg = arg;
	e->wake_fd = -1;

	err = inbox_alloc(&e->inbox);
	if (err)
		goto out;

	e->scratch = mem_alloc(sizeof(*e->scratch), NULL);
	if (!e->scratch)
		err = ENOMEM;

 out:
	if (err)
		mem_deref(e);
	else
		*ep = e;

	return err;
}


/* The cycle ----------------------------------------------------------------------- */

void engine_cycle(struct engine *e, bool with_device, unsigned ms,
		  uint64_t now_us)
{
	struct le *le = e->flows.head;

	assert_media();
	inbox_sync(e->inbox);

	if (with_device)
		engine_capture(e, ms);

	while (le) {
		struct flow *f = le->data;
		const size_t n = f->rate_hz / 1000 * ms;

		le = le->next;
		if (flow_bound(f) != with_device)
			continue;

		flow_drain(f, now_us);
		flow_hear(f, e->heard, n, now_us);
		flow_say(f, e->heard, with_device ? engine_mic(f, n) : NULL,
			 e->said, n);

		if (f->tap)
			tap_write(f->tap, e->heard, e->said, n, f->rate_hz);
		if (with_device)
			engine_mix(f, e->heard, n);

		flow_tend(f, now_us);
	}

	if (with_device)
		engine_play(e);
}


/* The tick ------------------------------------------------------------------------- */

static void tick_h(void *arg)
{
	struct engine *e = arg;
	const uint64_t step = 1000000ULL * e->tick_ms;
	unsigned turns = 0;
	uint64_t now;

	do {
		now = clock_ns();

		engine_cycle(e, false, e->tick_ms, now / 1000);
		if (e->bound && !engine_clocked(e))
			engine_cycle(e, true, e->tick_ms, now / 1000);

		e->tick_ns += step;

	} while (e->tick_ns <= now && ++turns < CATCH_UP);

	/* the machine slept: the time that is lost is lost */
	if (e->tick_ns <= now)
		e->tick_ns = now + step;

	timer_start_ns(&e->tick, e->tick_ns, tick_h, e);
}


/* 20 ms suits whole packets; 10 ms whatever else there is */
void engine_retime(struct engine *e)
{
	unsigned ms = 0;
	uint64_t next;

	assert_media();
	e->bound = false;

	for (struct le *le = e->flows.head; le; le = le->next) {
		const struct flow *f = le->data;

		if (flow_bound(f)) {
			e->bound = true;
			if (engine_clocked(e))
				continue;
		}

		if (!ms)
			ms = 20;
		if (f->tx.ptime_ms % 20)
			ms = 10;
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
