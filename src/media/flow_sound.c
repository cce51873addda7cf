/**
 * @file flow_sound.c  What a flow hears and says
 *
 * Media thread: the middle of a cycle, a block of samples at the flow's rate
 * each way, and the file that it plays.
 */
#include "callprog.h"
#include "priv.h"


enum {
	BAND_AFTER_US = 500000,      /* of an event no key is looked for    */
};

#define TONE_DBFS (-10.0)


/* Files ----------------------------------------------------------------- */

static void play_end(struct flow *f, bool stopped)
{
	const struct stream_event ev = {
		.type = STREAM_PLAY_DONE, .stopped = stopped,
		.duration_ms = f->rate_hz ? (unsigned)
			(f->play.played * 1000 / f->rate_hz) : 0
	};

	free(f->play.v);
	f->play.v = f->play.side = NULL;
	flow_post(f, &ev);
}


void flow_play(struct flow *f, const struct play *play)
{
	free(f->play.v);
	f->play = *play;
}


void flow_play_stop(struct flow *f)
{
	if (f->play.v)
		play_end(f, true);
}


/* *side: what is beside them, NULL: nothing. @return samples played */
static size_t play_take(struct flow *f, int16_t *v, const int16_t **side,
			size_t n)
{
	struct play *p = &f->play;
	int16_t *beside = p->side ? f->eng->side : NULL;
	size_t have = 0;

	*side = beside;

	while (p->v && have < n) {
		size_t k = p->n - p->pos;

		if (k > n - have)
			k = n - have;

		memcpy(v + have, p->v + p->pos, k * sizeof(*v));
		if (beside)
			memcpy(beside + have, p->side + p->pos,
			       k * sizeof(*v));
		have += k;
		p->pos += k;
		p->played += k;

		if (p->pos >= p->n) {
			p->pos = 0;
			if (!p->loop)
				play_end(f, false);
		}
	}

	if (beside)
		memset(beside + have, 0, (n - have) * sizeof(*v));

	return have;
}


/* A cycle --------------------------------------------------------------- */

/* A key that came as an event is not told again for what is heard of it */
static void band_listen(struct flow *f, const int16_t *v, size_t n,
			uint64_t now_us)
{
	struct dtmf_digit d[4];
	unsigned count;

	if (f->band.rate_hz != f->rate_hz)
		dtmf_band_begin(&f->band, f->rate_hz);

	count = dtmf_band_put(&f->band, v, n, d, COUNT(d));
	if (f->rx.dtmf.heard_us &&
	    now_us < f->rx.dtmf.heard_us + BAND_AFTER_US)
		return;

	for (unsigned i = 0; i < count; i++) {
		const struct stream_event ev = {
			.type = STREAM_DTMF, .digit = d[i].digit,
			.duration_ms = d[i].duration_ms, .band = true
		};

		flow_post(f, &ev);
	}
}


static void tone_listen(struct flow *f, const int16_t *v, size_t n)
{
	const struct stream_event ev = {
		.type = STREAM_TONE,
		.tone = callprog_put(f->prog, v, n, f->rate_hz)
	};

	if (ev.tone)
		flow_post(f, &ev);
}


bool flow_hear(struct flow *f, int16_t *v, int16_t *side, size_t n,
	       uint64_t now_us)
{
	bool two = false;

	if (f->plan.dir & MEDIA_RECVONLY)
		two = playout_block(&f->rx, v, side, n, now_us);
	else
		memset(v, 0, n * sizeof(*v));

	meter_add(&f->meter_in, v, n, f->rate_hz);
	if (f->ear)
		ear_hear(f->ear, v, n, f->rate_hz);
	if (f->band_wanted)
		band_listen(f, v, n, now_us);
	if (f->prog)
		tone_listen(f, v, n);

	return two;
}


static void source_take(struct flow *f, const int16_t *heard,
			const int16_t *mic, int16_t *v, size_t n)
{
	switch (f->source) {

	case SOURCE_TONE:
		tone_fill(&f->tone, v, n, TONE_DBFS);
		break;

	case SOURCE_ECHO:
		memcpy(v, heard, n * sizeof(*v));
		break;

	case SOURCE_DEVICE:
		if (mic) {
			gain_copy(&f->mic_gain, v, mic, n);
			break;
		}
		/*@fallthrough@*/
	case SOURCE_SILENCE:
		memset(v, 0, n * sizeof(*v));
		break;
	}
}


/* What nobody hears */
static void talk_listen(struct flow *f, const int16_t *mic,
			const int16_t *heard, size_t n)
{
	const enum talk_step step = talk_hear(f->talk, mic, heard, n,
					      f->rate_hz);
	const struct stream_event ev = {
		.type = STREAM_TALK, .talks = step == TALK_BEGINS
	};

	if (step != TALK_SAME)
		flow_post(f, &ev);
}


/* What cannot be as loud as it is */
static void clip_listen(struct flow *f, const int16_t *v, size_t n)
{
	const struct stream_event ev = { .type = STREAM_CLIPPED };

	if (clip_hear(&f->clip, v, n, f->rate_hz))
		flow_post(f, &ev);
}


bool flow_speaks(const struct flow *f)
{
	return f->plan.dir & MEDIA_SENDONLY && !f->tp.shut && flow_keyed(f);
}


/* Beside what is said: of the microphone, of a file, or of both. as_loud: the
 * microphone's volume before this block. @return NULL: there is nothing */
static const int16_t *sides_join(struct flow *f, const int16_t *mic_side,
				 struct gain as_loud, const int16_t *side,
				 size_t n)
{
	int16_t *v = f->eng->said_side;

	if (!mic_side)
		return side;

	gain_copy(&as_loud, v, mic_side, n);
	if (side)
		mixer_add(v, side, n);

	return v;
}


void flow_say(struct flow *f, const int16_t *heard, const int16_t *mic,
	      const int16_t *mic_side, const int16_t *others, int16_t *v,
	      size_t n)
{
	const bool speaks = flow_speaks(f);
	const struct gain as_loud = f->mic_gain;
	int16_t *file = f->play.mix ? f->eng->beep : v;
	const int16_t *side = NULL;
	size_t have = 0;

	/* a file waits while we may not speak */
	if (speaks && f->play.v)
		have = play_take(f, file, &side, n);

	if (have)
		memset(file + have, 0, (n - have) * sizeof(*v));
	if (!have || file != v)
		source_take(f, heard, mic, v, n);
	else
		mic_side = NULL;
	if (!mic || !speaks || f->source != SOURCE_DEVICE)
		mic_side = NULL;
	side = sides_join(f, mic_side, as_loud, side, n);
	if (mic && speaks && f->source == SOURCE_DEVICE && !f->muted &&
	    (!have || file != v))
		clip_listen(f, v, n);
	if (have && file != v)
		mixer_add(v, file, n);

	if (f->muted && f->talk && mic)
		talk_listen(f, mic, heard, n);

	/* muted are we alone: the others of a conference are still heard */
	if (f->muted || !speaks)
		memset(v, 0, n * sizeof(*v));
	if (others && speaks)
		mixer_add(v, others, n);
	if (beep_take(f, f->eng->beep, n) && speaks)
		mixer_add(v, f->eng->beep, n);

	meter_add(&f->meter_out, v, n, f->rate_hz);
	send_block(f, v, f->muted ? NULL : side, n);
}
