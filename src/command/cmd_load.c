/**
 * @file cmd_load.c  `dial --calls N`: many calls, and what became of them
 *
 * Main thread; the line waits until all have ended.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/load.h"
#include "priv.h"

enum { BOUND_MS = 24 * 3600 * 1000, FOR_MS = 2000, BAR = 40 };

struct loading {
	struct cmd *x;
	struct load *l;
};


static void destructor(void *arg)
{
	struct loading *w = arg;

	mem_deref(w->l);
}


static void print_histogram(struct reply *r, const struct load_result *res)
{
	char bar[BAR + 1];
	unsigned most = 1;

	for (unsigned i = 0; i < LOAD_BUCKETS; i++) {
		if (res->bucket[i] > most)
			most = res->bucket[i];
	}

	reply_text(r, "\nset-up time");
	for (unsigned i = 0; i < LOAD_BUCKETS; i++) {

		const unsigned n = (res->bucket[i] * BAR + most - 1) / most;

		memset(bar, '#', n);
		bar[n] = '\0';
		if (res->bucket[i])
			reply_text(r, "%s%6u ms %7u %s", i + 1 <
				   LOAD_BUCKETS ? "<= " : "to ",
				   load_edge(i), res->bucket[i], bar);
	}
}


static void reply_result(struct cmd *x, const struct load_result *res)
{
	struct reply *r = x->reply;

	reply_int(r, "calls", res->begun);
	reply_int(r, "answered", res->answered);
	reply_int(r, "failed", res->failed);
	reply_int(r, "most-at-once", res->peak);
	reply_int(r, "took-ms", (int64_t)res->took_ms);
	reply_double(r, "calls-per-s", res->took_ms ? 1000.0 * res->begun /
		     (double)res->took_ms : (double)NAN);
	reply_double(r, "setup-min-ms", res->setup_min_ms);
	reply_double(r, "setup-mean-ms", res->setup_mean_ms);
	reply_double(r, "setup-p50-ms", res->setup_p50_ms);
	reply_double(r, "setup-p95-ms", res->setup_p95_ms);
	reply_double(r, "setup-max-ms", res->setup_max_ms);
	reply_double(r, "mos-min", res->mos_min);
	reply_double(r, "mos-mean", res->mos_mean);
	reply_double(r, "loss-pct", res->loss_pct);

	reply_list(r, "ending");
	for (unsigned i = 0; i < LOAD_CAUSES && res->cause[i].n; i++) {
		reply_row(r, "ending");
		reply_str(r, "cause", res->cause[i].cause);
		reply_int(r, "code", res->cause[i].code);
		reply_int(r, "count", res->cause[i].n);
	}

	if (!client_json(x->cl)) {
		if (res->answered)
			print_histogram(r, res);
		return;
	}

	reply_list(r, "setup");
	for (unsigned i = 0; i < LOAD_BUCKETS; i++) {
		reply_row(r, "setup");
		reply_int(r, "below-ms", load_edge(i));
		reply_int(r, "count", res->bucket[i]);
	}
}


static void done_handler(const struct load_result *res, void *arg)
{
	struct loading *w = arg;
	struct cmd *x = w->x;

	reply_result(x, res);
	if (res->failed)
		reply_error(x->reply, "calls-failed", "%u of %u calls failed",
			    res->failed, res->begun);
	cmd_done(x);
}


void cmd_load(struct cmd *x, const struct ua_dial *prm)
{
	const struct load_conf conf = {
		.dial = *prm,
		.calls = (unsigned)cmd_int(x, "calls", 1),
		.rate = cmd_double(x, "rate", 10.0),
		.concurrent = (unsigned)cmd_int(x, "concurrent", 100),
		.for_ms = cmd_ms(x, "for", FOR_MS),
		.play = cmd_str(x, "play"),
	};
	struct loading *w;
	char err[UA_ERR];
	int e;

	if (!(conf.rate > 0.0)) {
		(void)cmd_wrong(x, "bad-argument", "--rate 0 makes no call");
		return;
	}

	if (cmd_has(x, "record")) {
		(void)cmd_wrong(x, "bad-argument", "--record is for one call, "
				"not for many");
		return;
	}

	w = mem_zalloc(sizeof(*w), destructor);
	if (!w) {
		cmd_fail(x, ENOMEM, NULL);
		return;
	}

	w->x = x;
	x->state = w;
	cmd_wait(x, BOUND_MS, NULL);

	e = load_start(&w->l, x->ph->ua, x->ph->bus, &conf, done_handler, w,
		       err);
	if (!e)
		return;

	if (e == EINVAL || e == EPROTONOSUPPORT)
		(void)cmd_wrong(x, "bad-target", "%s", err);
	else
		cmd_fail(x, e, err);
	cmd_done(x);
}
