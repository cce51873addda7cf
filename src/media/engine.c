/**
 * @file engine.c  The cycle
 *
 * Media thread; owned by struct media.  engine_cycle is the whole of it: what
 * the microphone gave, each flow's turn, what the speaker gets.  Two things
 * drive it: a device with a clock of its own, every 10 ms, for the flows that
 * meet it; and the tick (tick.c), once a packet time, for all other flows and
 * for devices without a clock.
 *
 * Nothing here waits, and nothing is freed in the middle of a cycle.
 */
#include "priv.h"


static void destructor(void *arg)
{
	struct engine *e = arg;

	list_clear(&e->flows);
	engine_detach(e);
	timer_cancel(&e->tick);
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


/* The cycle ------------------------------------------------------------- */

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
