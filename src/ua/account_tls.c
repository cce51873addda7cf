/**
 * @file account_tls.c  Whom we trust over TLS, and who we are there
 *
 * The options say it for everybody, an account's own parameters for that
 * account; what an account does not say is as the options say.  Files are read
 * here, once, so that what is wrong with them is told at the start.  Main
 * thread.
 */
#include "priv.h"
#include "account.h"


static const char *either(const char *own, const char *usual)
{
	return own && own[0] ? own : usual;
}


static bool says_nothing(const struct account_conf *ac)
{
	return !ac || (ac->tls_verify < 0 && !ac->tls_ca[0] &&
		       !ac->tls_cert[0] && !ac->tls_key[0] && !ac->tls_pin[0]);
}


static bool all_usual(const struct config *c)
{
	return c->tls_verify && !c->tls_ca[0] && !c->tls_cert[0] &&
		!c->tls_key[0] && !c->tls_pin[0] && !c->tls_keylog[0] &&
		!strcmp(c->tls_min, "1.2");
}


int account_tls(struct sip_tls **tp, const struct config *c,
		const struct account_conf *ac, char *err)
{
	struct sip_tls_conf conf = {
		.verify = c->tls_verify,
		.ca     = c->tls_ca,
		.cert   = c->tls_cert,
		.key    = c->tls_key,
		.pin    = c->tls_pin,
		.min    = c->tls_min,
		.keylog = c->tls_keylog,
	};
	int e;

	*tp = NULL;

	/* the stack makes the usual one when it is needed */
	if (says_nothing(ac) && (ac || all_usual(c)))
		return 0;

	if (ac) {
		if (ac->tls_verify >= 0)
			conf.verify = ac->tls_verify;
		conf.ca = either(ac->tls_ca, conf.ca);
		conf.pin = either(ac->tls_pin, conf.pin);

		/* a key belongs to its certificate */
		if (ac->tls_cert[0] || ac->tls_key[0]) {
			conf.cert = ac->tls_cert;
			conf.key = ac->tls_key;
		}
	}

	e = sip_tls_alloc(tp, &conf, err, UA_ERR);
	if (!e && sip_tls_open(*tp))
		log_warn("%s%s: over TLS nobody is verified (tls-verify=no): "
			 "whoever is on the way can listen",
			 ac ? "account " : "", ac ? ac->name : "options");

	return e;
}


void account_tls_refused(const struct sip_refusal *r, void *arg)
{
	const struct ua *ua = arg;
	struct event ev;

	event_init(&ev, EVENT_TLS_REFUSED);
	UTF8_PUT(ev.u.tls_refused.domain, r->domain);
	(void)re_snprintf(ev.u.tls_refused.server,
			  sizeof(ev.u.tls_refused.server), "%J", &r->addr);
	UTF8_PUT(ev.u.tls_refused.subject, r->subject);
	UTF8_PUT(ev.u.tls_refused.issuer, r->issuer);
	UTF8_PUT(ev.u.tls_refused.text, r->flaw);
	event_publish(ua->bus, &ev);
}
