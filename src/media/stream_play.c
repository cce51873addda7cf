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


/* What plays, at another rate; behind it lie pad zeros. *vp: free() */
static int play_convert(int16_t **vp, size_t *np, const struct stream *s,
			uint32_t rate_hz)
{
	const size_t in_n = s->play_n + s->play_hz / PLAY_PAD;
	const size_t n = (size_t)((uint64_t)s->play_n * rate_hz / s->play_hz);
	size_t used = 0, made = 0, delay;
	struct resampler *r = NULL;
	int16_t *v = NULL;
	int err;

	if (!n)
		return EINVAL;

	err = resampler_alloc(&r, s->play_hz, rate_hz, 8);
	if (err)
		return err;

	delay = resampler_delay(r);
	v = calloc(n + delay, sizeof(*v));
	if (!v) {
		err = ENOMEM;
		goto out;
	}

	while (used < in_n && made < n + delay) {
		size_t in = in_n - used, out = n + delay - made;

		err = resampler_run(r, s->play_v + used, &in, v + made, &out);
		if (err)
			goto out;
		if (!in && !out)
			break;

		used += in;
		made += out;
	}

	memmove(v, v + delay, n * sizeof(*v));

 out:
	mem_deref(r);
	if (err) {
		free(v);
	}
	else {
		*vp = v;
		*np = n;
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
		p->v = malloc(s->play_n * sizeof(*p->v));
		if (!p->v)
			return ENOMEM;

		memcpy(p->v, s->play_v, s->play_n * sizeof(*p->v));
		p->n = s->play_n;
		return 0;
	}

	return play_convert(&p->v, &p->n, s, s->rate_hz);
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


int stream_play(struct stream *s, const int16_t *v, size_t n,
		uint32_t rate_hz, bool loop)
{
	struct play_job j = { .s = s };
	int err = 0;

	assert_main();

	if (!v || !n || rate_hz < 1000 || rate_hz > 384000)
		return EINVAL;
	if (s->playing)
		return EALREADY;

	free(s->play_v);
	s->play_v = calloc(n + rate_hz / PLAY_PAD, sizeof(*v));
	if (!s->play_v)
		return ENOMEM;

	memcpy(s->play_v, v, n * sizeof(*v));
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
