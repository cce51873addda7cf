/**
 * @file trend.c  How each call went lately: quality, loudness, digits
 *
 * Fed by events and by the ticks of a visible meter; as many calls as there
 * are, forgotten with the call.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "tui.h"

enum { TRENDS_MAX = 32 };

struct trends {
	struct trend v[TRENDS_MAX];
};


static struct trend *trend_of(const struct trends *ts, unsigned call)
{
	for (size_t i = 0; call && i < TRENDS_MAX; i++) {
		if (ts->v[i].call == call)
			return (struct trend *)&ts->v[i];
	}

	return NULL;
}


/* A new one takes a free place, else the place of the oldest call */
static struct trend *trend_make(struct trends *ts, unsigned call)
{
	struct trend *tr = trend_of(ts, call);

	if (tr)
		return tr;

	tr = &ts->v[0];
	for (size_t i = 1; i < TRENDS_MAX; i++) {
		if (ts->v[i].call < tr->call)
			tr = &ts->v[i];
	}

	memset(tr, 0, sizeof(*tr));
	tr->call = call;
	tr->mos = tr->loss_pct = NAN;
	tr->jitter_ms = tr->delay_ms = tr->rtt_ms = EVENT_NONE;
	tr->device_ms = EVENT_NONE;

	return tr;
}


static int64_t known(int64_t ms)
{
	return ms != EVENT_NONE ? ms : 0;
}


static void quality(struct trend *tr, const struct event *ev)
{
	const double mos = ev->u.call_quality.mos;
	const double loss = ev->u.call_quality.loss_pct;
	const int64_t jitter = ev->u.call_quality.jitter_ms;
	const unsigned i = tr->n++ % TREND_S;

	tr->q[i].mos10 = mos > 0 ? (uint8_t)(mos * 10 + 0.5) : 0;
	tr->q[i].loss_pct = loss > 0 ? (uint8_t)(loss + 0.99) : 0;
	tr->q[i].jitter_ms = jitter > 0 ? (uint16_t)(jitter < 9999 ? jitter :
						     9999) : 0;
	tr->last_ms = ev->time;
	tr->cut = tr->cut_now;
	tr->cut_now = 0;
	tr->mos = mos;
	tr->loss_pct = loss;
	tr->jitter_ms = jitter;
	tr->delay_ms = ev->u.call_quality.delay_ms;
	tr->rtt_ms = ev->u.call_quality.rtt_ms;
	tr->device_ms = ev->u.call_quality.mic_ms == EVENT_NONE &&
		ev->u.call_quality.speaker_ms == EVENT_NONE ? EVENT_NONE :
		known(ev->u.call_quality.mic_ms) +
		known(ev->u.call_quality.speaker_ms);
}


static void digit(char *v, size_t sz, char c)
{
	const size_t n = strlen(v);

	if (n + 1 >= sz) {
		memmove(v, v + 1, n);
		v[n - 1] = c;
		return;
	}
	v[n] = c;
	v[n + 1] = '\0';
}


void trends_digits_out(struct trends *ts, unsigned call, const char *digits)
{
	struct trend *tr = trend_make(ts, call);

	for (; *digits; digits++)
		digit(tr->digits_out, sizeof(tr->digits_out), *digits);
}


void trends_event(struct trends *ts, const struct event *ev)
{
	struct trend *tr;

	switch (ev->type) {

	case EVENT_CALL_QUALITY:
		quality(trend_make(ts, ev->call), ev);
		break;

	case EVENT_CALL_DTMF:
		tr = trend_make(ts, ev->call);
		digit(tr->digits_in, sizeof(tr->digits_in),
		      ev->u.call_dtmf.digit[0]);
		break;

	case EVENT_CALL_MEDIA:
		tr = trend_make(ts, ev->call);
		snprintf(tr->local, sizeof(tr->local), "%.79s",
			 ev->u.call_media.local);
		snprintf(tr->remote, sizeof(tr->remote), "%.79s",
			 ev->u.call_media.remote);
		snprintf(tr->path, sizeof(tr->path), "%.23s",
			 ev->u.call_media.path);
		break;

	case EVENT_CALL_STATE:
		tr = trend_of(ts, ev->call);
		if (tr && !strcmp(ev->u.call_state.state, "ended"))
			memset(tr, 0, sizeof(*tr));
		break;

	default:
		break;
	}
}


static int8_t level(double dbfs)
{
	return (int8_t)(isfinite(dbfs) ? dbfs < -96 ? -96 : dbfs > 0 ? 0 :
			dbfs : -96);
}


void trends_levels(struct trends *ts, struct call *c)
{
	struct stream_level l;
	struct trend *tr;
	unsigned i;

	if (call_state(c) != CALL_ACTIVE || call_level(c, &l))
		return;

	tr = trend_make(ts, call_id(c));
	i = tr->levels++ % TREND_LEVELS;
	tr->cut_now += l.out_clipped;
	tr->in[i] = level(l.in_dbfs);
	tr->out[i] = level(l.out_dbfs);
}


const struct trend *trends_find(const struct trends *ts, unsigned call)
{
	return trend_of(ts, call);
}


int trends_alloc(struct trends **tp)
{
	*tp = mem_zalloc(sizeof(**tp), NULL);

	return *tp ? 0 : ENOMEM;
}
