/**
 * @file cmd_load.c  `dial --calls N`, `identities`: many at once, and what
 * became of them
 *
 * Main thread; the line waits until all are done.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/load.h"
#include "priv.h"

enum { BOUND_MS = 24 * 3600 * 1000, FOR_MS = 2000, BAR = 40 };

struct loading {
	struct cmd *x;
	struct load *l;
	struct load_register *reg;
};


static void destructor(void *arg)
{
	struct loading *w = arg;

	mem_deref(w->l);
	mem_deref(w->reg);
}


static void print_histogram(struct reply *r, const struct load_result *res,
			    const char *what)
{
	char bar[BAR + 1];
	unsigned most = 1;

	for (unsigned i = 0; i < LOAD_BUCKETS; i++) {
		if (res->bucket[i] > most)
			most = res->bucket[i];
	}

	reply_text(r, "\n%s", what);
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


static void reply_endings(struct cmd *x, const struct load_result *res,
			  const char *what)
{
	struct reply *r = x->reply;

	reply_list(r, "ending");
	for (unsigned i = 0; i < LOAD_CAUSES && res->cause[i].n; i++) {
		reply_row(r, "ending");
		reply_str(r, "cause", res->cause[i].cause);
		reply_int(r, "code", res->cause[i].code);
		reply_int(r, "count", res->cause[i].n);
	}

	if (!client_json(x->cl)) {
		if (res->answered)
			print_histogram(r, res, what);
		return;
	}

	reply_list(r, "setup");
	for (unsigned i = 0; i < LOAD_BUCKETS; i++) {
		reply_row(r, "setup");
		reply_int(r, "below-ms", load_edge(i));
		reply_int(r, "count", res->bucket[i]);
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

	reply_endings(x, res, "set-up time");
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


/* The file of --identities, or of the argument. base NULL: it says all by
 * itself. *ip NULL: none is asked for. @return 0 or errno, replied */
static int identities_of(struct identities **ip, struct cmd *x,
			 const char *file, const char *account)
{
	const struct account *base = account ?
		ua_account_find(x->ph->ua, account) :
		ua_account_default(x->ph->ua);
	char err[CONFIG_ERR];
	int e;

	*ip = NULL;
	if (!file || cmd_file_check(x, file))
		return file ? EINVAL : 0;

	e = identities_load(ip, file, account_config(base), err);
	if (e && err[0])
		(void)cmd_wrong(x, "bad-file", "%s", err);
	else if (e)
		cmd_fail(x, e, NULL);

	return e;
}


static struct loading *loading_make(struct cmd *x)
{
	struct loading *w = cmd_state(x, sizeof(*w), destructor);

	if (w) {
		w->x = x;
		cmd_wait(x, BOUND_MS, NULL);
	}

	return w;
}


/* Registering ------------------------------------------------------------ */

static void registered_handler(const struct load_result *res, void *arg)
{
	struct loading *w = arg;
	struct cmd *x = w->x;
	struct reply *r = x->reply;

	reply_int(r, "accounts", res->begun);
	reply_int(r, "registered", res->answered);
	reply_int(r, "failed", res->failed);
	reply_int(r, "took-ms", (int64_t)res->took_ms);
	reply_double(r, "accounts-per-s", res->took_ms ? 1000.0 * res->begun /
		     (double)res->took_ms : (double)NAN);
	reply_double(r, "register-min-ms", res->setup_min_ms);
	reply_double(r, "register-mean-ms", res->setup_mean_ms);
	reply_double(r, "register-p50-ms", res->setup_p50_ms);
	reply_double(r, "register-p95-ms", res->setup_p95_ms);
	reply_double(r, "register-max-ms", res->setup_max_ms);
	reply_endings(x, res, "time to register");

	if (res->failed)
		reply_error(r, "accounts-failed", "%u of %u accounts did not "
			    "register", res->failed, res->begun);
	cmd_done(x);
}


void cmd_identities(struct cmd *x)
{
	struct load_register_conf conf = {
		.count = (unsigned)cmd_int(x, "first", 0),
		.rate = cmd_double(x, "rate", 10.0),
		.for_ms = cmd_ms(x, "for", 0),
	};
	struct identities *ids;
	struct loading *w;
	char err[UA_ERR];
	int e;

	if (!(conf.rate > 0.0)) {
		(void)cmd_wrong(x, "bad-argument", "--rate 0 registers "
				"nobody");
		return;
	}
	if (identities_of(&ids, x, cmd_str(x, "file"),
			  cmd_str(x, "account")))
		return;

	conf.ids = ids;
	w = loading_make(x);
	e = !w ? ENOMEM : load_register(&w->reg, x->ph->ua, x->ph->bus, &conf,
					registered_handler, w, err);
	mem_deref(ids);
	if (!w || !e)
		return;

	cmd_fail(x, e, err);
	cmd_done(x);
}


/* Calling ---------------------------------------------------------------- */

void cmd_load(struct cmd *x, const struct ua_dial *prm)
{
	struct load_conf conf = {
		.dial = *prm,
		.calls = (unsigned)cmd_int(x, "calls", 1),
		.rate = cmd_double(x, "rate", 10.0),
		.concurrent = (unsigned)cmd_int(x, "concurrent", 100),
		.for_ms = cmd_ms(x, "for", FOR_MS),
		.play = cmd_str(x, "play"),
	};
	struct identities *ids;
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

	if (identities_of(&ids, x, cmd_str(x, "identities"), prm->account))
		return;

	conf.ids = ids;
	w = loading_make(x);
	e = !w ? ENOMEM : load_start(&w->l, x->ph->ua, x->ph->bus, &conf,
				     done_handler, w, err);
	mem_deref(ids);
	if (!w || !e)
		return;

	if (e == EINVAL || e == EPROTONOSUPPORT)
		(void)cmd_wrong(x, "bad-target", "%s", err);
	else
		cmd_fail(x, e, err);
	cmd_done(x);
}
