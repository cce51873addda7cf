/**
 * @file guard.c  Who may call or write to an account
 *
 * Asked before anything is made of a request from outside: whether it must
 * come from the account's servers, from somebody known, or from somebody who
 * knows a password.  Main thread.
 */
#include "priv.h"
#include "account.h"


/* Its own words, or those we use ourselves */
int guard_make(struct account *a)
{
	const struct account_conf *ac = &a->conf;
	const bool own = ac->auth_in_password[0];

	if (!ac->require_auth)
		return 0;

	return sip_creds_alloc(&a->creds_in, ac->auth_in_user[0] ?
			       ac->auth_in_user : ac->auth_user[0] ?
			       ac->auth_user : a->user,
			       own ? ac->auth_in_password : ac->password,
			       own ? NULL : ac->ha1);
}


static bool is_known(const struct ua *ua, const char *uri)
{
	return ua->known_h && ua->known_h(uri, ua->known_arg);
}


void guard_request(const struct sip_info *in, struct sip_guard *g, void *arg)
{
	const struct ua *ua = arg;
	const struct account *a = account_match(ua, in);
	const uint16_t judged = ua_judge(ua, in);

	if (judged) {
		g->status = judged;
		return;
	}

	/* nobody's: who serves it says so */
	if (!a)
		return;

	g->ident = a->ident;
	g->origin = a->conf.check_origin ||
		a->conf.callers == CALLERS_REGISTRAR;

	if (a->conf.callers == CALLERS_KNOWN && !is_known(ua, in->from_uri))
		g->status = 403;

	g->creds = a->creds_in;
	g->realm = a->host;
}


void ua_set_known(struct ua *ua, bool (*h)(const char *uri, void *arg),
		  void *arg)
{
	if (!ua)
		return;

	ua->known_h = h;
	ua->known_arg = arg;
}
