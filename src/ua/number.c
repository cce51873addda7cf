/**
 * @file number.c  A call to a telephone number that may be a SIP address
 *
 * ENUM, RFC 6116: with option enum-domain the number is looked up before it
 * is called.  What is found takes the place of the target; else the call goes
 * to the account's domain, as it would have without.  The call is told of
 * already and is ended like any other.  Main thread.
 */
#include "offhook/sip_locate.h"
#include "priv.h"


static bool has_fallback(const struct call *c)
{
	return 0 != strncmp(c->peer, "tel:", 4);
}


/* No address by that number: as if nobody had looked */
static void fall_back(struct call *c, const struct sip_result *why)
{
	struct sip_result res = *why;

	if (has_fallback(c)) {
		log_info("call %u: %s", c->id, why->reason);
		call_start(c);
		return;
	}

	if (res.cause == SIP_CAUSE_NONE)
		res.cause = SIP_CAUSE_RESOLVE;
	call_finish(c, &res);
}


static void enum_handler(const char *uri, const struct sip_result *err,
			 const struct sip_steps *steps, void *arg)
{
	char checked[UA_URI], why[UA_ERR];
	struct call *c = arg;
	char *peer = NULL;
	(void)steps;

	c->enm = mem_deref(c->enm);

	if (c->finished || c->ending)
		return;

	if (!uri) {
		fall_back(c, err);
		return;
	}

	if (sip_uri_check(checked, sizeof(checked), uri, why, sizeof(why)) ||
	    target_spoken(c->ua, checked, why) ||
	    utf8_dup(&peer, checked, UA_URI)) {

		struct sip_result res = {
			.cause = SIP_CAUSE_RESOLVE, .err = EINVAL,
		};

		(void)snprintf(res.reason, sizeof(res.reason), "%.120s", why);
		fall_back(c, &res);
		return;
	}

	log_info("call %u: %s is %s", c->id, c->number, peer);
	mem_deref(c->peer);
	c->peer = peer;
	call_start(c);
}


int number_target(char *uri, size_t sz, char *number, size_t numsz,
		  const struct ua *ua, const char *text,
		  const struct account *acc, char *err)
{
	const int e = target_uri(uri, sz, ua, text, acc, err);

	if (!ua_enum_number(number, numsz, ua, text)) {
		number[0] = '\0';
		return e;
	}

	/* nobody to dial it with: it is listed, or it cannot be called */
	if (e && !acc && snprintf(uri, sz, "tel:%s", number) < (int)sz) {
		err[0] = '\0';
		return 0;
	}

	return e;
}


void number_start(struct call *c)
{
	int err;

	err = sip_enum_find(&c->enm, c->ua->sip, c->number,
			    c->ua->config->enum_domain, enum_handler, c);
	if (err) {
		struct sip_result res = {
			.cause = SIP_CAUSE_RESOLVE, .err = err,
		};

		(void)snprintf(res.reason, sizeof(res.reason), "%s cannot be "
			       "looked up in %.64s: %s", c->number,
			       c->ua->config->enum_domain, strerror(err));
		if (has_fallback(c))
			call_start(c);
		else
			call_fail(c, res.cause, err, res.reason);
	}
}
