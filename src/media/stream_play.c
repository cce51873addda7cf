/**
 * @file stream_play.c  Samples that a stream plays in place of its source
 *
 * Main thread.  They are kept as they were given, because the rate they are
 * to have is the codec's, which may not be known yet and may change; the flow
 * gets a copy at its own rate.
 */
#include "priv.h"


enum {
	PLAY_PAD = 10,           /* a second's part of zeros behind a file   */
};

struct play_job {
	struct stream *s;
	struct play play;
};


/* At another rate; behind n samples lie pad zeros. v has room for made ones
 * and the filter's delay */
static int convert(int16_t *v, size_t n, const int16_t *from,
		   const struct stream *s, uint32_t rate_hz)
{
	const size_t in_n = s->play_n + s->play_hz / PLAY_PAD;
	size_t used = 0, made = 0, delay;
	struct resampler *r = NULL;
	int err;

	err = resampler_alloc(&r, s->play_hz, rate_hz, 8);
	if (err)
		return err;

	delay = resampler_delay(r);
	while (!err && used < in_n && made < n + delay) {
		size_t in = in_n - used, out = n + delay - made;

		err = resampler_run(r, from + used, &in, v + made, &out);
		if (!in && !out)
			break;

		used += in;
		made += out;
	}

	memmove(v, v + delay, n * sizeof(*v));
	mem_deref(r);

	return err;
}


/* What plays, at another rate */
static int play_convert(struct play *p, const struct stream *s)
{
	const size_t n = (size_t)((uint64_t)s->play_n * s->rate_hz /
				  s->play_hz);
	const size_t room = n + s->rate_hz / PLAY_PAD;
	int err;

	if (!n)
		return EINVAL;

	p->v = calloc(room + (s->play_side ? room : 0), sizeof(*p->v));
	if (!p->v)
		return ENOMEM;

	p->n = n;
	err = convert(p->v, n, s->play_v, s, s->rate_hz);
	if (!err && s->play_side) {
		p->side = p->v + room;
		err = convert(p->side, n, s->play_side, s, s->rate_hz);
	}
	if (err) {
		free(p->v);
		p->v = p->side = NULL;
	}

	return err;
}


int play_make(struct play *p, const struct stream *s)
{
	memset(p, 0, sizeof(*p));
	p->loop = s->play_loop;
	p->mix = s->play_mix;
	p->serial = s->play_serial;

	if (s->play_hz == s->rate_hz) {
		const size_t len = s->play_n * sizeof(*p->v);

		p->v = malloc(s->play_side ? 2 * len : len);
		if (!p->v)
			return ENOMEM;

		memcpy(p->v, s->play_v, len);
		if (s->play_side) {
			p->side = p->v + s->play_n;
			memcpy(p->side, s->play_side, len);
		}
		p->n = s->play_n;
		return 0;
	}

	return play_convert(p, s);
}


void play_take_over(struct flow *f, struct play *p)
{
	if (f->play.serial && f->play.serial == p->serial) {

		/* it has come to its end meanwhile */
		if (!f->play.v) {
			free(p->v);
			return;
		}

		/* the codec changed in the middle of it */
		p->pos = (size_t)((uint64_t)f->play.pos * p->n / f->play.n);
		p->played = f->play.played * p->n / f->play.n;
	}

	flow_play(f, p);
}


static void play_h(void *arg)
{
	struct play_job *j = arg;

	flow_play(j->s->flow, &j->play);
}


int stream_play_two(struct stream *s, const int16_t *v, const int16_t *side,
		    size_t n, uint32_t rate_hz, bool loop)
{
	const size_t room = n + rate_hz / PLAY_PAD;
	struct play_job j = { .s = s };
	int err = 0;

	assert_main();

	if (!v || !n || rate_hz < 1000 || rate_hz > 384000)
		return EINVAL;
	if (s->playing)
		return EALREADY;

	free(s->play_v);
	s->play_side = NULL;
	s->play_v = calloc(side ? 2 * room : room, sizeof(*v));
	if (!s->play_v)
		return ENOMEM;

	memcpy(s->play_v, v, n * sizeof(*v));
	if (side) {
		s->play_side = s->play_v + room;
		memcpy(s->play_side, side, n * sizeof(*v));
	}
	s->play_n = n;
	s->play_hz = rate_hz;
	s->play_loop = loop;
	++s->play_serial;

	/* until the codec is known the samples wait here */
	if (s->rate_hz) {
		err = play_make(&j.play, s);
		if (err)
			return err;

		stream_run(s, play_h, &j);
	}

	s->playing = true;

	return 0;
}


int stream_play(struct stream *s, const int16_t *v, size_t n,
		uint32_t rate_hz, bool loop)
{
	return stream_play_two(s, v, NULL, n, rate_hz, loop);
}


static void play_stop_h(void *arg)
{
	struct play_job *j = arg;

	flow_play_stop(j->s->flow);
}


void stream_play_stop(struct stream *s)
{
	struct play_job j = { .s = s };

	assert_main();

	if (!s->playing)
		return;

	s->playing = false;

	if (s->rate_hz) {
		stream_run(s, play_stop_h, &j);
	}
	else {
		const struct post p = {
			.id = s->id, .type = STREAM_PLAY_DONE,
			.serial = s->play_serial,
			.ev = { .type = STREAM_PLAY_DONE, .stopped = true }
		};

		media_post(s->m, &p);
	}
}


void stream_play_mix(struct stream *s, bool mix)
{
	s->play_mix = mix;
}


bool stream_playing(const struct stream *s)
{
	return s->playing;
}
