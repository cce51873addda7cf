/**
 * @file app/doctor.c  Is everything well? And what to do where it is not
 *
 * A list of steps; each tells its lines and goes on to the next, at once or
 * when an answer or a bound has come.  Those about an account are gone
 * through once for each of them.  Main thread.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include "offhook/path.h"
#include "doctor_priv.h"

enum { SKEW_S = 30 };

const char *doctor_verdict_name(enum doctor_verdict v)
{
	switch (v) {

	case DOCTOR_NOTE: return "note";
	case DOCTOR_PASS: return "pass";
	case DOCTOR_WARN: return "warn";
	case DOCTOR_FAIL: return "fail";
	}

	return "?";
}


void doctor_tell(struct doctor *d, const char *area, enum doctor_verdict v,
		 const char *advice, const char *fmt, ...)
{
	struct doctor_line l = {
		.area = area, .verdict = v, .advice = advice,
	};
	char text[DOCTOR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	l.text = text;
	d->line_h(&l, d->arg);
}


const struct account *doctor_account(const struct doctor *d)
{
	return ua_account(d->conf.ua, d->acc);
}


/* Configuration, listeners, clock ---------------------------------------------- */

static void check_secret(struct doctor *d, const char *file)
{
	char path[1024];
	struct stat st;

	if (path_join(path, sizeof(path), d->conf.config_dir, file) ||
	    stat(path, &st))
		return;

	if (st.st_mode & 077)
		doctor_tell(d, "config", DOCTOR_WARN, "chmod 600 it", "others may "
		     "read %s, which may have passwords in it", path);
}


static void step_config(struct doctor *d)
{
	char path[1024], err[CONFIG_ERR] = "";
	struct config *c = NULL;
	size_t n = 0;
	int e;

	while (ua_account(d->conf.ua, n))
		++n;

	e = config_alloc(&c);
	if (!e && d->conf.config_dir[0]) {
		e = path_join(path, sizeof(path), d->conf.config_dir,
			      "offhook.conf");
		if (!e)
			e = config_load(c, path, err);
	}
	mem_deref(c);

	if (e)
		doctor_tell(d, "config", DOCTOR_FAIL, "correct that line; `config "
		     "check` looks at it again", "%s", err[0] ? err :
		     strerror(e));
	else
		doctor_tell(d, "config", DOCTOR_PASS, "", "%s, %zu account%s",
		     d->conf.config_dir[0] ? d->conf.config_dir :
		     "no directory", n, n == 1 ? "" : "s");

	check_secret(d, "accounts");
	doctor_next(d);
}


static void step_listen(struct doctor *d)
{
	enum sip_transp tp;
	struct text_buf b = { .max = DOCTOR_TEXT };
	struct sa sa;
	char text[80];

	for (size_t i = 0; ua_listener(d->conf.ua, i, &sa, &tp); i++) {
		(void)re_snprintf(text, sizeof(text), "%s%s:%J",
				  i ? ", " : "", transport_name(tp), &sa);
		text_add(&b, "%s", text);
	}

	if (!b.s)
		doctor_tell(d, "listen", DOCTOR_FAIL, "is there a network?",
		     "it listens nowhere");
	else
		doctor_tell(d, "listen", ua_note(d->conf.ua)[0] ? DOCTOR_WARN :
		     DOCTOR_PASS, ua_note(d->conf.ua)[0] ?
		     "another program has the usual port; that is no harm "
		     "with a registrar" : "", "%s", b.s);

	text_buf_reset(&b);
	doctor_next(d);
}


static void step_clock(struct doctor *d)
{
	struct timex tx = { .modes = 0 };
	const int state = adjtimex(&tx);

	if (state == TIME_ERROR || tx.status & STA_UNSYNC)
		doctor_tell(d, "clock", DOCTOR_WARN, "switch NTP on: timedatectl "
		     "set-ntp true", "nothing keeps this machine's clock "
		     "right");
	else
		doctor_tell(d, "clock", DOCTOR_PASS, "", "kept by NTP, within %ld "
		     "ms", tx.maxerror / 1000);

	doctor_next(d);
}


/* The clock, once more ------------------------------------------------------------ */

static void step_skew(struct doctor *d)
{
	const int64_t s = d->skew_s < 0 ? -d->skew_s : d->skew_s;

	if (d->skew_known)
		doctor_tell(d, "clock", s > SKEW_S ? DOCTOR_WARN : DOCTOR_PASS,
		     s > SKEW_S ? "one of the two is wrong; certificates look "
		     "at it" : "", "%lld s from the server's", (long long)s);

	doctor_next(d);
}


/* The steps ----------------------------------------------------------------------- */

static const struct {
	step_h *h;
	bool account;            /* for each account                         */
} steps[] = {
	{ step_config, false }, { step_listen, false },
	{ step_clock, false },
	{ doctor_dns, true },
	{ doctor_reach, true }, { doctor_reach, true }, { doctor_reach, true },
	{ doctor_tls, true }, { doctor_register, true },
	{ step_skew, false }, { doctor_nat, false }, { doctor_ways, false },
	{ doctor_devices, false },
	{ doctor_selftest, false },
};


static bool account_meant(const struct doctor *d)
{
	const struct account *a = doctor_account(d);

	return a && (!d->conf.account || a == ua_account_find(
			     d->conf.ua, d->conf.account));
}


static bool account_find(struct doctor *d)
{
	while (doctor_account(d) && !account_meant(d))
		++d->acc;

	return doctor_account(d);
}


static unsigned first_of_accounts(void)
{
	unsigned i = 0;

	while (!steps[i].account)
		++i;

	return i;
}


static void run_step(void *arg)
{
	struct doctor *d = arg;

	/* past the last about an account: the next account */
	if (d->of_accounts && (d->step == ARRAY_SIZE(steps) ||
			       !steps[d->step].account)) {
		++d->acc;
		if (account_find(d))
			d->step = first_of_accounts();
		else
			d->of_accounts = false;
	}
	else if (d->step < ARRAY_SIZE(steps) && steps[d->step].account &&
		 !d->of_accounts) {
		d->of_accounts = account_find(d);
		while (!d->of_accounts && steps[d->step].account)
			++d->step;
	}

	if (d->step == ARRAY_SIZE(steps)) {
		d->done_h(d->arg);
		return;
	}

	if (d->of_accounts && d->step == first_of_accounts())
		doctor_tell(d, "account", DOCTOR_NOTE, "", "%s",
		     account_config(doctor_account(d))->aor);

	steps[d->step++].h(d);
}


void doctor_next(struct doctor *d)
{
	timer_start(&d->tmr, 0, run_step, d);
}


static void destructor(void *arg)
{
	struct doctor *d = arg;

	timer_cancel(&d->tmr);
	mem_deref(d->locate);
	mem_deref(d->req);
	mem_deref(d->stun);
	mem_deref(d->helpers);
	mem_deref(d->nat);
	if (d->stream)
		stream_close(d->stream);
	mem_deref(d->selftest);
	mem_deref(d->ident);
	mem_deref(d->worker);
}


int doctor_start(struct doctor **dp, const struct doctor_conf *conf,
		 doctor_line_h *line_h, doctor_done_h *done_h, void *arg)
{
	struct doctor *d = mem_zalloc(sizeof(*d), destructor);
	int err;

	if (!d)
		return ENOMEM;

	d->conf = *conf;
	d->line_h = line_h;
	d->done_h = done_h;
	d->arg = arg;

	err = worker_alloc(&d->worker, "doctor");
	if (err) {
		mem_deref(d);
		return err;
	}

	doctor_next(d);
	*dp = d;

	return 0;
}
