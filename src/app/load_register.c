/**
 * @file app/load_register.c  Many accounts that register
 *
 * A timer begins them at the rate that is asked for; events tell what becomes
 * of each.  Accounts are known by their ids, which only grow; others may come
 * in between.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/timer.h"
#include "tally.h"

enum { TICK_MS = 10, BURST = 50 };

enum phase { BEGINNING, WAITING, STAYING, LEAVING, OVER };

/* An account */
struct one {
	uint64_t began_ms;               /* 0: it has its answer             */
	bool ours;                       /* and it is there                  */
	bool failed;                     /* ... but not for long             */
};

struct load_register {
	struct ua *ua;
	struct load_register_conf conf;
	struct event_sub *sub;
	struct timer tmr, tmr_failed;
	enum phase phase;
	struct by_id accounts;           /* struct one                       */
	unsigned settled, left;
	uint64_t begin_ms, phase_ms, end_ms;
	struct tally times;
	struct load_result res;
	load_done_h *done_h;
	void *arg;
};


static void finish(struct load_register *l)
{
	struct load_result res;

	l->phase = OVER;
	tally_settle(&l->res, &l->times);
	l->res.took_ms = l->end_ms - l->begin_ms;
	l->res.mos_min = l->res.mos_mean = l->res.loss_pct = NAN;
	res = l->res;
	l->done_h(&res, l->arg);
}


static void tick(void *arg);


static void phase_set(struct load_register *l, enum phase phase,
		      uint64_t ms)
{
	l->phase = phase;
	l->phase_ms = clock_ms();
	timer_start(&l->tmr, ms, tick, l);
}


/* NULL: it is not ours, or there is no memory */
static struct one *one_of(struct load_register *l, unsigned id, bool make)
{
	struct one *o = by_id(&l->accounts, id, make);

	return o && (make || o->ours) ? o : NULL;
}


/* One of ours that is there still, failed: that is not to be. NULL: no more */
static const struct account *find_ours(struct load_register *l, bool failed)
{
	const struct account *a = NULL;

	while ((a = ua_account_next(l->ua, a))) {

		const struct one *o = one_of(l, account_id(a), false);

		if (o && (o->failed || !failed))
			break;
	}

	return a;
}


static void leave(struct load_register *l, const struct account *a)
{
	char why[UA_ERR];

	one_of(l, account_id(a), false)->ours = false;
	(void)ua_account_remove(l->ua, a, why);
}


static void failed_handler(void *arg)
{
	struct load_register *l = arg;
	const struct account *a;

	while ((a = find_ours(l, true)))
		leave(l, a);
}


/* Every one has its answer */
static void all_settled(struct load_register *l)
{
	if (l->phase != WAITING || l->settled < l->res.begun)
		return;

	l->end_ms = clock_ms();
	phase_set(l, l->conf.for_ms ? STAYING : OVER, l->conf.for_ms);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct load_register *l = arg;
	const char *state = ev->u.account_state.state;
	const bool good = !strcmp(state, "registered");
	const int64_t code = ev->u.account_state.code;
	struct one *o = one_of(l, ev->account, false);

	if (!o || !o->began_ms || (!good && strcmp(state, "failed")))
		return;

	if (good) {
		++l->res.answered;
		tally_time(&l->times, &l->res, (double)(clock_ms() -
							o->began_ms));
	}
	else {
		++l->res.failed;
		o->failed = true;
		timer_start(&l->tmr_failed, 0, failed_handler, l);
	}
	tally_cause(&l->res, good ? "none" : ev->u.account_state.cause,
		    code == EVENT_NONE ? 0 : (uint16_t)code);
	o->began_ms = 0;
	++l->settled;
	all_settled(l);
}


static void failed_at_once(struct load_register *l)
{
	++l->res.failed;
	++l->settled;
	tally_cause(&l->res, "local", 0);
}


static void begin_one(struct load_register *l)
{
	char err[CONFIG_ERR], why[UA_ERR];
	const struct account *a = NULL;
	struct account_conf ac;
	struct one *o = NULL;
	int e;

	e = identities_account(&ac, l->conf.ids, l->res.begun++, err);
	if (!e)
		e = ua_account_add(l->ua, &ac, why);
	if (!e)
		a = ua_account_find(l->ua, ac.name);
	explicit_bzero(&ac, sizeof(ac));

	if (a)
		o = one_of(l, account_id(a), true);
	if (o) {
		o->ours = true;
		o->began_ms = clock_ms();
	}
	if (o && !ua_register(l->ua, a, why))
		return;

	if (o)
		leave(l, a);
	failed_at_once(l);
}


/* How many are due by now, less those that are done */
static unsigned due(const struct load_register *l, unsigned done,
		    unsigned all)
{
	const double s = (double)(clock_ms() - l->phase_ms) / 1000.0;
	const double n = s * l->conf.rate + 1.0 - done;
	const double most = n > BURST ? BURST : n < 0.0 ? 0.0 : n;

	return done + (unsigned)most > all ? all - done : (unsigned)most;
}


static void tick(void *arg)
{
	struct load_register *l = arg;
	const struct account *a;
	unsigned n;

	switch (l->phase) {

	case BEGINNING:
		for (n = due(l, l->res.begun, l->conf.count); n; n--)
			begin_one(l);
		if (l->res.begun < l->conf.count) {
			timer_start(&l->tmr, TICK_MS, tick, l);
			break;
		}
		l->phase = WAITING;
		all_settled(l);
		break;

	case WAITING:
		break;

	case STAYING:
		phase_set(l, LEAVING, 0);
		break;

	case LEAVING:
		n = due(l, l->left, l->res.begun);
		for (; n && (a = find_ours(l, false)); n--) {
			leave(l, a);
			++l->left;
		}
		if (find_ours(l, false))
			timer_start(&l->tmr, TICK_MS, tick, l);
		else
			finish(l);
		break;

	case OVER:
		finish(l);
		break;
	}
}


static void destructor(void *arg)
{
	struct load_register *l = arg;

	timer_cancel(&l->tmr);
	timer_cancel(&l->tmr_failed);
	mem_deref(l->sub);
	mem_deref((void *)l->conf.ids);
	mem_deref(l->accounts.v);
	tally_reset(&l->times);
}


int load_register(struct load_register **lp, struct ua *ua,
		  struct event_bus *bus,
		  const struct load_register_conf *conf,
		  load_done_h *done_h, void *arg, char *err)
{
	struct load_register *l = mem_zalloc(sizeof(*l), destructor);
	int e;

	err[0] = '\0';
	if (!l)
		return ENOMEM;

	l->ua = ua;
	l->conf = *conf;
	l->accounts.each = sizeof(struct one);
	mem_ref((void *)conf->ids);
	l->done_h = done_h;
	l->arg = arg;

	if (!l->conf.count || l->conf.count > identities_count(conf->ids))
		l->conf.count = (unsigned)identities_count(conf->ids);
	if (l->conf.count > LOAD_REGISTER_MAX) {
		snprintf(err, UA_ERR, "at most %d register at once, and there "
			 "are %u; --first N takes fewer", LOAD_REGISTER_MAX,
			 l->conf.count);
		mem_deref(l);
		return EFBIG;
	}

	e = tally_init(&l->times, l->conf.count);
	if (!e)
		e = event_subscribe_type(&l->sub, bus, EVENT_ACCOUNT_STATE,
					 event_handler, l);
	if (e) {
		mem_deref(l);
		return e;
	}

	l->begin_ms = clock_ms();
	phase_set(l, BEGINNING, 0);
	*lp = l;

	return 0;
}
