/**
 * @file app/doctor_server.c  An account's server, as the doctor sees it
 *
 * Its name, its answer by each transport, its certificates, and whether the
 * account is registered there.  Main thread; what blocks is done by the
 * worker.
 */
#include <stdio.h>
#include <time.h>
#include "offhook/clock.h"
#include "doctor_priv.h"
#include "doctor_tls.h"

enum {
	ANSWER_MS   = 5000,      /* to an OPTIONS                            */
	REGISTER_MS = 15000,
	DAYS_SOON = 14,
	STEPS = 24,              /* of the way to a server                   */
};

/* For the worker, who looks at the first member alone */
struct tls_job {
	struct tls_probe probe;
	struct doctor *d;
};


/* Where it is ------------------------------------------------------------- */

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


/* What the name service was asked, what came, what was chosen */
static void decision_tell(struct doctor *d, const struct sip_steps *steps)
{
	unsigned said = 0, asked = 0;
	char line[700];

	for (unsigned i = 0; i < steps->n; i++)
		asked += steps->v[i].kind == SIP_STEP_ANSWER;

	/* of an address there is nothing to tell */
	for (unsigned i = 0; asked && i < steps->n && said < STEPS; i++) {
		if (steps->v[i].kind == SIP_STEP_RECORD)
			continue;
		++said;
		doctor_tell(d, "dns", DOCTOR_NOTE, "", "%s",
			    sip_step_print(line, sizeof(line),
					   &steps->v[i]));
	}
}


static void locate_handler(const struct sip_result *err,
			   const struct sip_steps *steps, void *arg)
{
	struct doctor *d = arg;
	char host[256], uri[512], first[80] = "";
	unsigned n = 0;

	server_of(doctor_account(d), uri, sizeof(uri), host, sizeof(host), "");

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
	if (steps)
		decision_tell(d, steps);

	d->locate = mem_deref(d->locate);
	if (err || !n)
		d->transport = 3;        /* nothing to be reached */
	doctor_next(d);
}


void doctor_dns(struct doctor *d)
{
	const struct account *a = doctor_account(d);
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
	const char *want = account_config(doctor_account(d))->transport;
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


void doctor_reach(struct doctor *d)
{
	const struct account *a = doctor_account(d);
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


static bool tls_verified(const struct doctor *d)
{
	const int word = account_config(doctor_account(d))->tls_verify;

	return word < 0 ? d->conf.config->tls_verify : word > 0;
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
	const struct account_conf *ac = account_config(doctor_account(d));
	const bool used = !strcmp(ac->transport, "tls");
	const bool verify = tls_verified(d) || t->pin_only;

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


void doctor_tls(struct doctor *d)
{
	const struct account_conf *ac = account_config(doctor_account(d));
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
	j->probe.pin_only = j->probe.pin[0] && !tls_verified(d);
	server_of(doctor_account(d), uri, sizeof(uri), j->probe.name,
		  sizeof(j->probe.name), "");

	if (worker_post(d->worker, tls_probe_run, tls_done, doctor_drop, j)) {
		mem_deref(j);
		doctor_next(d);
	}
}


static void register_look(void *arg)
{
	struct doctor *d = arg;
	const struct account *a = doctor_account(d);
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


void doctor_register(struct doctor *d)
{
	const struct account *a = doctor_account(d);
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
