/**
 * @file app/load.c  Many calls, one after the other and side by side
 *
 * A timer begins calls at the rate that is asked for, as long as there are
 * not too many at once; events tell what becomes of them.  Calls of others
 * are not looked at.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/timer.h"
#include "tally.h"

enum { TICK_MS = 10, BURST = 50 };

struct load {
	struct ua *ua;
	struct load_conf conf;
	char *target, *account, *headers, *play;
	struct event_sub *sub;
	struct timer tmr;
	uint64_t begin_ms, end_ms;
	struct by_id mine;               /* uint32_t of a call: 0 not ours,
					    else the identity + 1            */
	unsigned last;                   /* id of ours                       */
	unsigned living, ended;
	struct tally setup;              /* of the answered                  */
	uint16_t *uses;                  /* calls of each identity           */
	double mos_sum;
	unsigned mos_n;
	uint64_t lost, received;
	struct load_result res;
	load_done_h *done_h;
	void *arg;
};


/* Identities -------------------------------------------------------------- */

/* The account of a row: its name, and that there is one. @return 0 or errno */
static int identity_take(struct load *l, uint32_t row, struct ua_dial *dial,
			 char target[512], char name[64])
{
	char err[CONFIG_ERR], why[UA_ERR];
	struct account_conf ac;
	int e;

	e = identities_account(&ac, l->conf.ids, row, err);
	if (!e)
		e = identities_fill(target, 512, l->conf.ids, row, l->target,
				    err);

	/* one that is there already is used, and stays */
	if (!e && !l->uses[row] && !ua_account_find(l->ua, ac.name)) {
		e = ua_account_add(l->ua, &ac, why);
		if (!e)
			l->uses[row] = 1;
	}
	else if (!e && l->uses[row]) {
		++l->uses[row];
	}

	memcpy(name, ac.name, sizeof(ac.name));
	explicit_bzero(&ac, sizeof(ac));
	dial->account = name;
	dial->target = target;

	return e;
}


/* A call of that row is over; after the last one its account goes */
static void identity_leave(struct load *l, uint32_t row)
{
	char err[CONFIG_ERR], why[UA_ERR];
	const struct account *a;
	struct account_conf ac;

	if (!l->conf.ids || !l->uses[row] || --l->uses[row] ||
	    identities_account(&ac, l->conf.ids, row, err))
		return;

	a = ua_account_find(l->ua, ac.name);
	if (a)
		(void)ua_account_remove(l->ua, a, why);
	explicit_bzero(&ac, sizeof(ac));
}


/* Counting ---------------------------------------------------------------- */

static void count_end(struct load *l, const struct event *ev)
{
	const struct call_record *r = ua_call_record(l->ua, ev->call);
	const int64_t code = ev->u.call_state.code;

	--l->living;
	++l->ended;
	tally_cause(&l->res, ev->u.call_state.cause, code == EVENT_NONE ? 0 :
		    (uint16_t)code);

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

	++l->res.answered;
	tally_time(&l->setup, &l->res, ms);

	call_limit(c, l->conf.for_ms);
	if (l->play)
		(void)call_play(c, l->play, false, err);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct load *l = arg;
	const uint32_t *mine = by_id(&l->mine, ev->call, false);
	const char *state = ev->u.call_state.state;

	if (!mine || !*mine)
		return;

	if (!strcmp(state, "active")) {
		count_answer(l, ev);
	}
	else if (!strcmp(state, "ended")) {
		count_end(l, ev);
		identity_leave(l, *mine - 1);
	}
}


void load_result(struct load_result *res, const struct load *l)
{
	*res = l->res;
	res->took_ms = (l->end_ms ? l->end_ms : clock_ms()) - l->begin_ms;
	res->mos_mean = l->mos_n ? l->mos_sum / l->mos_n : (double)NAN;
	res->loss_pct = l->lost + l->received ? 100.0 * (double)l->lost /
		(double)(l->lost + l->received) : (double)NAN;
	tally_settle(res, &l->setup);
}


/* Calling ----------------------------------------------------------------- */

/* @return false: no more now */
static bool begin_one(struct load *l)
{
	struct ua_dial dial = l->conf.dial;
	char target[512], name[64];
	unsigned id = 0;
	uint32_t *mine, row = 0;
	int e = 0;

	if (l->conf.ids) {
		row = (uint32_t)(l->res.begun %
				 identities_count(l->conf.ids));
		e = identity_take(l, row, &dial, target, name);
	}

	++l->res.begun;
	if (!e) {
		char err[UA_ERR];

		e = ua_dial(&id, l->ua, &dial, err);
		if (e && l->conf.ids)
			identity_leave(l, row);
	}
	if (e) {
		++l->ended;
		++l->res.failed;
		tally_cause(&l->res, "local", 0);
		return false;
	}

	mine = by_id(&l->mine, id, true);
	if (mine)
		*mine = row + 1;
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

	for (unsigned id = l->mine.first; l->living && id && id <= l->last;
	     id++) {

		const uint32_t *mine = by_id(&l->mine, id, false);
		struct call *c = mine && *mine ? ua_call(l->ua, id) : NULL;

		if (!c)
			continue;
		(void)call_hangup(c, 0, NULL, err);
		identity_leave(l, *mine - 1);
	}

	mem_deref(l->mine.v);
	mem_deref(l->uses);
	mem_deref((void *)l->conf.ids);
	tally_reset(&l->setup);
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
	char uri[512], first[512] = "", why[CONFIG_ERR] = "";
	int e;

	err[0] = '\0';
	if (!l)
		return ENOMEM;

	l->ua = ua;
	l->conf = *conf;
	l->mine.each = sizeof(uint32_t);
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
	mem_ref((void *)conf->ids);
	if (!e)
		e = tally_init(&l->setup, conf->calls);
	if (!e && conf->ids) {
		l->uses = mem_zalloc(identities_count(conf->ids) *
				     sizeof(*l->uses), NULL);
		e = l->uses ? identities_fill(first, sizeof(first), conf->ids,
					      0, l->target, why) : ENOMEM;
		snprintf(err, UA_ERR, "%.*s", UA_ERR - 1, why);
		if (e == ENOENT)
			e = EINVAL;
	}
	l->conf.dial.target = l->target;
	l->conf.dial.account = l->account;
	l->conf.dial.headers = l->headers;
	l->conf.dial.no_hold = true;

	/* a wrong target is told once, not by each call */
	if (!e)
		e = ua_target(uri, sizeof(uri), ua, conf->ids ? first :
			      l->target, conf->dial.
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
