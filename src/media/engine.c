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
	ringer_detach(e);
	monitor_detach(e);
	for (unsigned i = 0; i < COUNT(e->local); i++)
		local_clear(&e->local[i]);
	timer_cancel(&e->tick);
	mem_deref(e->dsp);
	mem_deref(e->dsp_right);
	mem_deref(e->drift);
	mem_deref(e->inbox);
	mem_deref(e->scratch);
	mem_deref(e->impair);
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

/* It speaks, and what it heard is heard at the device and in its recording */
static void flow_turn(struct flow *f, const int16_t *heard,
		      const int16_t *side, const int16_t *others, size_t n,
		      uint64_t now_us)
{
	struct engine *e = f->eng;
	const bool meets = flow_meets(f);

	flow_say(f, heard, meets ? engine_mic(f, n) : NULL,
		 meets ? engine_mic_side(f) : NULL, others, e->said, n);

	if (f->tap)
		tap_write(f->tap, heard, e->said, n, f->rate_hz);
	if (meets)
		engine_mix(f, heard, side, n);

	flow_tend(f, now_us);
}


/* Members speak when all of them have been heard */
static void rooms_turn(struct engine *e, bool with_device, unsigned ms,
		       uint64_t now_us)
{
	for (struct le *le = e->flows.head; le; le = le->next) {
		struct flow *f = le->data;
		const size_t n = f->rate_hz / 1000 * ms;

		if (f->member && flow_bound(f) == with_device)
			flow_turn(f, room_own(f->member),
				  room_own_side(f->member),
				  room_others(f->member, n), n, now_us);
	}
}


/* It hears, and what is beside it where the device can play that. @return
 * the side, NULL: none */
static const int16_t *flow_ears(struct flow *f, size_t n, uint64_t now_us)
{
	struct engine *e = f->eng;
	int16_t *side = engine_has_two(e) && flow_meets(f) ? e->heard_side :
		NULL;

	return flow_hear(f, e->heard, side, n, now_us) ? side : NULL;
}


void engine_cycle(struct engine *e, bool with_device, unsigned ms,
		  uint64_t now_us)
{
	struct le *le;

	assert_media();
	inbox_sync(e->inbox);

	if (with_device)
		engine_capture(e, ms);
	for (le = e->rooms.head; le; le = le->next)
		room_begin(le->data, ms);

	for (le = e->flows.head; le; le = le->next) {
		struct flow *f = le->data;
		const size_t n = f->rate_hz / 1000 * ms;
		const int16_t *side;

		if (flow_bound(f) != with_device)
			continue;

		if (f->tp.shut && atomic_load_explicit(&f->vouched,
						       memory_order_relaxed))
			flow_prove_way(f);
		flow_drain(f, now_us);
		side = flow_ears(f, n, now_us);

		if (f->member)
			room_heard(f->member, e->heard, side, n);
		else
			flow_turn(f, e->heard, side, NULL, n, now_us);
	}

	if (e->rooms.head)
		rooms_turn(e, with_device, ms, now_us);
	if (with_device) {
		monitor_play(e);
		engine_play(e);
	}
}
