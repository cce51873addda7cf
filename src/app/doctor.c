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
#include <time.h>
#include "offhook/clock.h"
#include "offhook/path.h"
#include "doctor_priv.h"
#include "doctor_tls.h"

enum {
	ANSWER_MS   = 5000,      /* to an OPTIONS                            */
	REGISTER_MS = 15000,
	SKEW_S = 30,
	DAYS_SOON = 14,
};

/* For the worker, who looks at the first member alone */
struct tls_job {
	struct tls_probe probe;
	struct doctor *d;
};


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


static const struct account *account_now(const struct doctor *d)
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


/* An account: name, server by each transport, certificates, registration -------- */

/* Whom an account's requests go to */
static void server_of(const struct account *a, char *uri, size_t sz,
		      char *host, size_t hostsz, const char *transport)
{
	const struct account_conf *ac = account_config(a);
	const char *s = ac->outbound[0] ? ac->outbound :
		ac->registrar[0] ? ac->registrar : ac->aor;
	uint16_t port = 0;

	if (sip_uri_parts(s, NULL, 0, host, hostsz, &port))
		host[0] = '\0';

	if (port)
		snprintf(uri, sz, "sip:%s%s%s:%u%s%s", strchr(host, ':') ?
			 "[" : "", host, strchr(host, ':') ? "]" : "", port,
			 *transport ? ";transport=" : "", transport);
	else
		snprintf(uri, sz, "sip:%s%s%s%s%s", strchr(host, ':') ?
			 "[" : "", host, strchr(host, ':') ? "]" : "",
			 *transport ? ";transport=" : "", transport);
}


static void locate_handler(const struct sip_result *err,
			   const struct sip_steps *steps, void *arg)
{
	struct doctor *d = arg;
	char host[256], uri[512], first[80] = "";
	unsigned n = 0;

	server_of(account_now(d), uri, sizeof(uri), host, sizeof(host), "");

	for (unsigned i = 0; steps && i < steps->n; i++) {

		const struct sip_step *st = &steps->v[i];

		if (st->kind != SIP_STEP_TARGET)
			continue;
		if (!n++)
			(void)re_snprintf(first, sizeof(first), "%s %J",
					  transport_name(st->tp), &st->addr);
		if (!sa_isset(&d->tls_addr, SA_ADDR)) {
			d->from = st->local;
			d->tls_addr = st->addr;
			if (st->tp != SIP_TRANSP_TLS)
				sa_set_port(&d->tls_addr,
					    sa_port(&st->addr) == SIP_PORT ?
					    SIP_PORT_TLS :
					    sa_port(&st->addr));
		}
	}

	if (err || !n)
		doctor_tell(d, "dns", DOCTOR_FAIL, "check the spelling; `resolve` "
		     "shows every step; is a name server reachable?",
		     "%s: %s", host, err ? err->reason : "no address");
	else
		doctor_tell(d, "dns", DOCTOR_PASS, "", "%s: %u target%s, first %s",
		     host, n, n == 1 ? "" : "s", first);

	d->locate = mem_deref(d->locate);
	if (err || !n)
		d->transport = 3;        /* nothing to be reached */
	doctor_next(d);
}


static void step_dns(struct doctor *d)
{
	const struct account *a = account_now(d);
	char uri[512], host[256];
	const struct sip_locate_conf conf = { .uri = uri, .fresh = true };

	sa_init(&d->tls_addr, AF_UNSPEC);
	d->ident = mem_deref(d->ident);
	d->transport = 0;
	d->answered = false;
	server_of(a, uri, sizeof(uri), host, sizeof(host),
		  account_config(a)->transport);

	if (sip_locate(&d->locate, ua_sip(d->conf.ua), &conf, locate_handler,
		       d)) {
		doctor_tell(d, "dns", DOCTOR_FAIL, "check the account's address",
		     "%s cannot be looked for", host);
		d->transport = 3;
		doctor_next(d);
	}
}


static const char *const transports[] = { "udp", "tcp", "tls" };


static const char *transport_upper(const char *area)
{
	return !strcmp(area, "tcp") ? "TCP" : "TLS";
}


/* What our address looks like from there */
static void seen_as(struct doctor *d, const struct sip_info *in)
{
	char via[400], *rec, *rport, addr[80] = "";

	if (sip_info_header(in, "Via", via, sizeof(via)))
		return;

	rec = strstr(via, "received=");
	rport = strstr(via, "rport=");
	if (!rec)
		return;

	snprintf(addr, sizeof(addr), "%.*s", (int)strcspn(rec + 9, ";, "),
		 rec + 9);
	if (strncmp(strchr(via, ' ') ? strchr(via, ' ') + 1 : via, addr,
		    strlen(addr)))
		doctor_tell(d, "nat", DOCTOR_NOTE, "", "this server sees us as %s%s%.*s",
		     addr, rport ? ":" : "", rport ?
		     (int)strcspn(rport + 6, ";, ") : 0, rport ? rport + 6 :
		     "");
}


static void date_of(struct doctor *d, const struct sip_info *in)
{
	char date[64];
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (d->skew_known || sip_info_header(in, "Date", date, sizeof(date)) ||
	    !strptime(date, "%a, %d %b %Y %H:%M:%S", &tm))
		return;

	d->skew_known = true;
	d->skew_s = (int64_t)timegm(&tm) - (int64_t)(clock_wall_ms() / 1000);
}


static void options_handler(const struct sip_result *res,
			    const struct sip_info *in, void *arg)
{
	struct doctor *d = arg;
	const char *area = transports[d->transport];
	const char *want = account_config(account_now(d))->transport;
	const bool wanted = !strcmp(want[0] ? want : "udp", area);
	const double ms = (double)(clock_us() - d->sent_us) / 1000.0;

	if (in) {
		d->answered = true;
		doctor_tell(d, area, DOCTOR_PASS, "", "answered in %.0f ms: %u %s%s%s",
		     ms, res->code, res->reason, in->user_agent[0] ?
		     ", from " : "", in->user_agent);
		seen_as(d, in);
		date_of(d, in);
		if (d->udp_silent && strcmp(want, area)) {
			d->udp_silent = false;
			doctor_tell(d, "ports", DOCTOR_WARN, strcmp(area, "tcp") ?
				    "account parameter transport=tls" :
				    "account parameter transport=tcp",
				    "UDP to this server is blocked on the"
				    " way, %s passes", transport_upper(area));
		}
	}
	else {
		doctor_tell(d, area, wanted ? DOCTOR_FAIL : DOCTOR_NOTE,
			    !wanted ? "" : strstr(res->reason, "TLS:") ||
			    strstr(res->reason, "certificate") ?
			    "see what is said of its certificate" :
			    "a firewall, or a server that does not speak this:"
			    " take a transport that passes here (account"
			    " parameter transport)", "%s",
			    res->cause == SIP_CAUSE_TIMEOUT ?
			    "no answer" : res->reason);
	}

	if (!in && !d->transport && res->cause == SIP_CAUSE_TIMEOUT)
		d->udp_silent = true;
	d->req = mem_deref(d->req);
	++d->transport;
	doctor_next(d);
}


static void step_reach(struct doctor *d)
{
	const struct account *a = account_now(d);
	char uri[512], host[256];
	struct sip_req_conf conf = {
		.method = "OPTIONS", .uri = uri, .timeout_ms = ANSWER_MS,
	};
	int err = 0;

	if (d->transport >= ARRAY_SIZE(transports)) {
		doctor_next(d);
		return;
	}
	if (!d->transport)
		d->udp_silent = false;

	server_of(a, uri, sizeof(uri), host, sizeof(host),
		  transports[d->transport]);
	d->sent_us = clock_us();

	/* nobody in particular: an account's own way is not what is asked */
	if (!d->ident)
		err = ua_ident(&d->ident, d->conf.ua, NULL, &d->from);
	conf.ident = d->ident;
	if (!err)
		err = sip_req_send(&d->req, ua_sip(d->conf.ua), &conf,
				   options_handler, d);
	if (err) {
		doctor_tell(d, transports[d->transport], DOCTOR_NOTE, "", "it is not "
		     "spoken here: %s", strerror(err));
		++d->transport;
		doctor_next(d);
	}
}


/* What to do about it */
static const char *tls_advice(const struct tls_probe *t)
{
	switch (t->flaw) {

	case SIP_CERT_NAME:
		return "the name in the account must be the one in the "
			"certificate";
	case SIP_CERT_EXPIRED:
		return "who runs the server must renew it; is this machine's "
			"clock right?";
	case SIP_CERT_EARLY:
		return "is this machine's clock right? The certificate is of "
			"a later time";
	case SIP_CERT_SELF:
		return "if the server is yours, give its certificate as "
			"tls-ca";
	case SIP_CERT_ISSUER:
		return t->count == 1 ? "for an authority of your own give "
			"tls-ca; else the server leaves out the certificate "
			"in between, which who runs it must add" :
			"for an authority of your own give tls-ca";
	case SIP_CERT_PURPOSE:
		return "who runs the server must get one for servers";
	case SIP_CERT_PIN:
		return "if the server has a new key and you know it, change "
			"tls-pin; else somebody is in between";
	case SIP_CERT_GOOD:
	case SIP_CERT_OTHER:
		break;
	}

	if (t->err)
		return strstr(t->why, "does not speak TLS") ?
			"check the port: TLS has 5061" : "TLS 1.2 or 1.3 "
			"must be allowed on both sides";

	return "who runs the server must get another one";
}


static void tls_done(void *arg)
{
	struct tls_job *j = arg;
	struct tls_probe *t = &j->probe;
	struct doctor *d = j->d;
	const struct account_conf *ac = account_config(account_now(d));
	const bool used = !strcmp(ac->transport, "tls");
	const bool verify = ac->tls_verify < 0 ? d->conf.config->tls_verify :
		ac->tls_verify > 0;

	if (t->err && !t->why[0]) {
		/* nothing there: only then bad when it is wanted */
		doctor_tell(d, "certificate", used ? DOCTOR_FAIL : DOCTOR_NOTE, used ?
		     "check the port: TLS has 5061" : "",
		     "no TLS there: %s", strerror(t->err));
	}
	else if (t->why[0]) {
		doctor_tell(d, "certificate", !used ? DOCTOR_NOTE : verify ?
			    DOCTOR_FAIL : DOCTOR_WARN, tls_advice(t),
			    "not good for %s: %s%s", t->name, t->why, verify ?
			    "" : "; it is used all the same (tls-verify)");
	}
	else {
		doctor_tell(d, "certificate", t->days_left < DAYS_SOON ? DOCTOR_WARN :
		     DOCTOR_PASS, t->days_left < DAYS_SOON ?
		     "it must be renewed soon" : "", "good for %s, %s %s",
		     t->name, t->version, t->cipher);
	}

	for (unsigned i = 0; i < t->count; i++)
		doctor_tell(d, "certificate", DOCTOR_NOTE, "", "%u: %s", i + 1,
		     t->chain[i]);

	mem_deref(j);
	doctor_next(d);
}


void doctor_drop(void *arg)
{
	mem_deref(arg);
}


static void step_tls(struct doctor *d)
{
	const struct account_conf *ac = account_config(account_now(d));
	struct tls_job *j;
	char uri[512];

	if (!sa_isset(&d->tls_addr, SA_ADDR)) {
		doctor_next(d);
		return;
	}

	j = mem_zalloc(sizeof(*j), NULL);
	if (!j) {
		doctor_next(d);
		return;
	}

	j->d = d;
	j->probe.addr = d->tls_addr;
	snprintf(j->probe.ca, sizeof(j->probe.ca), "%s", ac->tls_ca[0] ?
		 ac->tls_ca : d->conf.config->tls_ca);
	snprintf(j->probe.pin, sizeof(j->probe.pin), "%s", ac->tls_pin[0] ?
		 ac->tls_pin : d->conf.config->tls_pin);
	server_of(account_now(d), uri, sizeof(uri), j->probe.name,
		  sizeof(j->probe.name), "");

	if (worker_post(d->worker, tls_probe_run, tls_done, doctor_drop, j)) {
		mem_deref(j);
		doctor_next(d);
	}
}


static void register_look(void *arg)
{
	struct doctor *d = arg;
	const struct account *a = account_now(d);
	const char *state = account_state(a);
	const struct sip_result *res = account_result(a);

	if (!strcmp(state, "registering") &&
	    clock_us() - d->sent_us < REGISTER_MS * 1000ull) {
		timer_start(&d->tmr, 100, register_look, d);
		return;
	}

	if (!strcmp(state, "registered") || !strcmp(state, "refreshing"))
		doctor_tell(d, "registration", DOCTOR_PASS, "", "%s is registered",
		     account_config(a)->aor);
	else if (res && res->cause == SIP_CAUSE_AUTH)
		doctor_tell(d, "registration", DOCTOR_FAIL, "type the password anew; "
		     "ask the provider for the name to authenticate with "
		     "(auth-user)", "%s: %u %s", account_config(a)->aor,
		     res->code, res->reason);
	else
		doctor_tell(d, "registration", DOCTOR_FAIL, "see what failed above; "
		     "`ladder all` shows the messages", "%s is %s: %u %s",
		     account_config(a)->aor, state, res ? res->code : 0,
		     res ? res->reason : "");

	doctor_next(d);
}


static void step_register(struct doctor *d)
{
	const struct account *a = account_now(d);
	char err[UA_ERR];

	if (!account_registers(a)) {
		doctor_tell(d, "registration", DOCTOR_NOTE, "", "%s does not "
		     "register", account_config(a)->aor);
		doctor_next(d);
		return;
	}

	d->sent_us = clock_us();
	if (!strcmp(account_state(a), "off") ||
	    !strcmp(account_state(a), "failed"))
		(void)ua_register(d->conf.ua, a, err);
	timer_start(&d->tmr, 100, register_look, d);
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
	{ step_dns, true },
	{ step_reach, true }, { step_reach, true }, { step_reach, true },
	{ step_tls, true }, { step_register, true },
	{ step_skew, false }, { doctor_nat, false }, { doctor_ways, false },
	{ doctor_devices, false },
	{ doctor_selftest, false },
};


static bool account_meant(const struct doctor *d)
{
	const struct account *a = account_now(d);

	return a && (!d->conf.account || a == ua_account_find(
			     d->conf.ua, d->conf.account));
}


static bool account_find(struct doctor *d)
{
	while (account_now(d) && !account_meant(d))
		++d->acc;

	return account_now(d);
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
		     account_config(account_now(d))->aor);

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
