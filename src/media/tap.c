/**
 * @file tap.c  What is heard and said, towards a recording
 *
 * Media thread.  Samples go into a ring that main empties; a main thread that
 * is stuck costs samples, which are counted, never time.  When the flow
 * changes its rate in mid-call the file keeps the one it has.
 */
#include <stdatomic.h>
#include "priv.h"


enum {
	ROOM = BLOCK_MAX + 64,
	QUALITY = 5,
	BEEP_MS = 160,
	BEEP_HZ = 1400,
};

#define BEEP_DBFS (-24.0)


static int resamplers(struct tap *t, uint32_t rate_hz)
{
	int err;

	if (t->from_hz == rate_hz)
		return 0;

	tap_release(t);

	err = resampler_alloc(&t->in, rate_hz, t->rate_hz, QUALITY);
	if (!err)
		err = resampler_alloc(&t->out, rate_hz, t->rate_hz, QUALITY);
	if (!err)
		t->from_hz = rate_hz;

	return err;
}


/* @return frames made, the same of both */
static size_t convert(struct tap *t, int16_t *a, int16_t *b,
		      const int16_t *in, const int16_t *out, size_t n,
		      uint32_t rate_hz)
{
	size_t used_in = n, used_out = n, na = ROOM, nb = ROOM;

	if (resamplers(t, rate_hz) ||
	    resampler_run(t->in, in, &used_in, a, &na) ||
	    resampler_run(t->out, out, &used_out, b, &nb))
		return 0;

	return na < nb ? na : nb;
}


void tap_write(struct tap *t, const int16_t *in, const int16_t *out,
	       size_t n, uint32_t rate_hz)
{
	int16_t a[ROOM], b[ROOM], frames[2 * ROOM];
	const int16_t *v = frames;
	size_t samples = n;

	assert_media();

	if (t->paused)
		return;

	if (rate_hz != t->rate_hz) {
		n = convert(t, a, b, in, out, n, rate_hz);
		in = a;
		out = b;
		samples = n;
	}

	switch (t->layout) {

	case RECORD_STEREO:
		for (size_t i = 0; i < n; i++) {
			frames[2 * i] = out[i];
			frames[2 * i + 1] = in[i];
		}
		samples = 2 * n;
		break;

	case RECORD_MIXED:
		memcpy(frames, in, n * sizeof(*in));
		mixer_add(frames, out, n);
		break;

	case RECORD_THEM:
		v = in;
		break;

	case RECORD_YOU:
		v = out;
		break;
	}

	/* whole blocks only, or the two sides would change places */
	if (ring_space(t->ring) < samples)
		atomic_fetch_add(&t->dropped, n);
	else
		(void)ring_write(t->ring, v, samples);
}


/* Who is recorded is told so, again and again: a short beep that both hear */
bool beep_take(struct flow *f, int16_t *v, size_t n)
{
	struct beep *b = &f->beep;
	const size_t every = (size_t)b->every_ms * (f->rate_hz / 1000);
	const size_t length = (size_t)f->rate_hz * BEEP_MS / 1000;

	b->sounds = false;
	if (!every || !f->tap || f->tap->paused) {
		b->at = 0;
		return false;
	}

	if (!b->at)
		tone_init(&b->tone, BEEP_HZ, f->rate_hz);
	if (b->at < length) {
		tone_fill(&b->tone, v, n, BEEP_DBFS);
		b->sounds = true;
	}
	b->at = b->at + n >= every ? 0 : b->at + n;

	return b->sounds;
}


void tap_release(struct tap *t)
{
	t->in = mem_deref(t->in);
	t->out = mem_deref(t->out);
	t->from_hz = 0;
}
