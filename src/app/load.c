/**
 * @file app/load.c  Many calls, one after the other and side by side
 *
 * A timer begins calls at the rate that is asked for, as long as there are
 * not too many at once; events tell what becomes of them.  Calls of others
 * are not looked at.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "offhook/clock.h"
#include "offhook/load.h"
#include "offhook/timer.h"

enum { TICK_MS = 10, BURST = 50 };

static const unsigned edges[LOAD_BUCKETS] = {
	10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000,
};

struct load {
	struct ua *ua;
	struct load_conf conf;
	char *target, *account, *headers, *play;
	struct event_sub *sub;
	struct timer tmr;
	uint64_t begin_ms, end_ms;
	unsigned first, last;            /* ids of ours, in a row or not     */
	uint8_t *mine;                   /* 1 by id less first               */
	size_t mine_size;
	unsigned living, ended;
	float *setup;                    /* of the answered                  */
	double mos_sum;
	unsigned mos_n;
	uint64_t lost, received;
	struct load_result res;
	load_done_h *done_h;
	void *arg;
};


unsigned load_edge(unsigned i)
{
	return edges[i < LOAD_BUCKETS ? i : LOAD_BUCKETS - 1];
}


/* Which calls are ours? Ids only grow */
static uint8_t *own(struct load *l, unsigned id, bool make)
{
	const size_t at = l->first ? id - l->first : 0;

	if (!l->first && make)
		l->first = id;
	if (!l->first || id < l->first)
		return NULL;

	if (at >= l->mine_size) {

		const size_t size = at * 2 + 256;
		uint8_t *v = make ? mem_zalloc(size, NULL) : NULL;

		if (!v)
			return NULL;
		if (l->mine)
			memcpy(v, l->mine, l->mine_size);
		mem_deref(l->mine);
		l->mine = v;
		l->mine_size = size;
	}

	return &l->mine[at];
}


/* Counting -------------------------------------------------------------------- */

static void count_cause(struct load *l, const struct event *ev)
{
	struct load_cause *c = l->res.cause;
	const uint16_t code = ev->u.call_state.code == EVENT_NONE ? 0 :
		(uint16_t)ev->u.call_state.code;
	unsigned i = 0;

	while (i + 1 < LOAD_CAUSES && c[i].n &&
	       (c[i].code != code || strcmp(c[i].cause,
					    ev->u.call_state.cause)))
		++i;

	if (!c[i].n) {
		snprintf(c[i].cause, sizeof(c[i].cause), "%.31s",
			 ev->u.call_state.cause);
		c[i].code = code;
	}
	++c[i].n;
}


static void count_end(struct load *l, const struct event *ev)
{
	const struct call_record *r = ua_call_record(l->ua, ev->call);

	--l->living;
	++l->ended;
	count_cause(l, ev);

	if (!r || !r->was_active || r->result.cause != SIP_CAUSE_NONE) {
		++l->res.failed;
		return;
	}

	if (!r->stats_known)
		return;

	l->lost += r->stats.lost;
	l->received += r->stats.packets_received;
	if (r->mos > 0.0) {
		l->mos_sum += r->mos;
		++l->mos_n;
		if (!(l->res.mos_min <= r->mos))
			l->res.mos_min = r->mos;
	}
}


static void count_answer(struct load *l, const struct event *ev)
{
	struct call *c = ua_call(l->ua, ev->call);
	const double ms = ev->u.call_state.setup_ms == EVENT_NONE ? 0.0 :
		(double)ev->u.call_state.setup_ms;
	char err[UA_ERR];
	unsigned i = 0;

	l->setup[l->res.answered++] = (float)ms;
	while (i + 1 < LOAD_BUCKETS && ms > edges[i])
		++i;
	++l->res.bucket[i];

	call_limit(c, l->conf.for_ms);
	if (l->play)
		(void)call_play(c, l->play, false, err);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct load *l = arg;
	const uint8_t *mine = own(l, ev->call, false);
	const char *state = ev->u.call_state.state;

	if (!mine || !*mine)
		return;

	if (!strcmp(state, "active"))
		count_answer(l, ev);
	else if (!strcmp(state, "ended"))
		count_end(l, ev);
}


static int by_size(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}


void load_result(struct load_result *res, const struct load *l)
{
	const unsigned n = l->res.answered;
	double sum = 0.0;
	float *v;

	*res = l->res;
	res->took_ms = (l->end_ms ? l->end_ms : clock_ms()) - l->begin_ms;
	res->mos_mean = l->mos_n ? l->mos_sum / l->mos_n : (double)NAN;
	res->loss_pct = l->lost + l->received ? 100.0 * (double)l->lost /
		(double)(l->lost + l->received) : (double)NAN;
	res->setup_min_ms = res->setup_mean_ms = res->setup_p50_ms =
		res->setup_p95_ms = res->setup_max_ms = NAN;

	v = n ? mem_alloc(n * sizeof(*v), NULL) : NULL;
	if (!v)
		return;

	memcpy(v, l->setup, n * sizeof(*v));
	qsort(v, n, sizeof(*v), by_size);
	for (unsigned i = 0; i < n; i++)
		sum += (double)v[i];

	res->setup_min_ms = (double)v[0];
	res->setup_mean_ms = sum / n;
	res->setup_p50_ms = (double)v[(n - 1) / 2];
	res->setup_p95_ms = (double)v[(n - 1) * 95 / 100];
	res->setup_max_ms = (double)v[n - 1];
	mem_deref(v);
}


/* Calling ---------------------------------------------------------------------- */

/* @return false: no more now */
static bool begin_one(struct load *l)
{
	char err[UA_ERR];
	unsigned id = 0;
	uint8_t *mine;

	++l->res.begun;
	if (ua_dial(&id, l->ua, &l->conf.dial, err)) {
		++l->ended;
		++l->res.failed;
		return false;
	}

	mine = own(l, id, true);
	if (mine)
		*mine = 1;
	l->last = id;
	if (++l->living > l->res.peak)
		l->res.peak = l->living;

	return true;
}


static void tick(void *arg)
{
	struct load *l = arg;
	const double s = (double)(clock_ms() - l->begin_ms) / 1000.0;
	const double due = s * l->conf.rate + 1.0;

	if (l->ended >= l->conf.calls) {
		struct load_result res;

		l->end_ms = clock_ms();
		load_result(&res, l);
		l->done_h(&res, l->arg);
		return;
	}

	timer_start(&l->tmr, TICK_MS, tick, l);

	/* who is late does not make up for it all at once */
	for (unsigned n = 0; n < BURST && l->res.begun < l->conf.calls &&
	     l->living < l->conf.concurrent && l->res.begun < due; n++) {
		if (!begin_one(l))
			break;
	}
}


static void destructor(void *arg)
{
	struct load *l = arg;
	char err[UA_ERR];

	timer_cancel(&l->tmr);
	mem_deref(l->sub);

	for (unsigned id = l->first; l->living && id && id <= l->last; id++) {

		const uint8_t *mine = own(l, id, false);
		struct call *c = mine && *mine ? ua_call(l->ua, id) : NULL;

		if (c)
			(void)call_hangup(c, 0, NULL, err);
	}

	mem_deref(l->mine);
	mem_deref(l->setup);
	mem_deref(l->target);
	mem_deref(l->account);
	mem_deref(l->headers);
	mem_deref(l->play);
}


static int copy(char **p, const char *s)
{
	return s ? str_dup(p, s) : 0;
}


int load_start(struct load **lp, struct ua *ua, struct event_bus *bus,
	       const struct load_conf *conf, load_done_h *done_h, void *arg,
	       char *err)
{
	struct load *l = mem_zalloc(sizeof(*l), destructor);
	char uri[512];
	int e;

	err[0] = '\0';
	if (!l)
		return ENOMEM;

	l->ua = ua;
	l->conf = *conf;
	l->done_h = done_h;
	l->arg = arg;
	l->res.mos_min = NAN;

	e = copy(&l->target, conf->dial.target);
	if (!e)
		e = copy(&l->account, conf->dial.account);
	if (!e)
		e = copy(&l->headers, conf->dial.headers);
	if (!e)
		e = copy(&l->play, conf->play);
	l->setup = mem_alloc(conf->calls * sizeof(*l->setup), NULL);
	if (!e && !l->setup)
		e = ENOMEM;
	l->conf.dial.target = l->target;
	l->conf.dial.account = l->account;
	l->conf.dial.headers = l->headers;
	l->conf.dial.no_hold = true;

	/* a wrong target is told once, not by each call */
	if (!e)
		e = ua_target(uri, sizeof(uri), ua, l->target, conf->dial.
			      account ? ua_account_find(ua, conf->dial.account)
			      : ua_account_default(ua), err);
	if (!e)
		e = event_subscribe_type(&l->sub, bus, EVENT_CALL_STATE,
					 event_handler, l);
	if (e) {
		mem_deref(l);
		return e;
	}

	l->begin_ms = clock_ms();
	timer_start(&l->tmr, 0, tick, l);
	*lp = l;

	return 0;
}
