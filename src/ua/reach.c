/**
 * @file reach.c  Whom a request goes to, and as whom
 *
 * A target is completed as for a call.  With an account we are that account;
 * without one the way there is looked up first, because the address in From
 * must be one that the answer finds back to.  Main thread; the handler is
 * called once, never from inside.
 */
#include "reach.h"


struct reach {
	struct ua *ua;
	char uri[UA_URI];
	struct sip_ident *ident;
	struct sip_target *target;
	struct timer tmr;
	reach_h *h;
	void *arg;
};


static void reach_destructor(void *arg)
{
	struct reach *r = arg;

	timer_cancel(&r->tmr);
	mem_deref(r->target);
	mem_deref(r->ident);
}


static void known_h(void *arg)
{
	struct reach *r = arg;

	r->h(NULL, r->uri, r->ident, r->arg);
}


static void target_h(const struct sip_result *err, const struct sa *laddr,
		     void *arg)
{
	struct sip_result res = { .cause = SIP_CAUSE_LOCAL };
	struct reach *r = arg;

	if (!err) {
		res.err = ua_ident(&r->ident, r->ua, NULL, laddr);
		if (!res.err) {
			known_h(r);
			return;
		}
		str_ncpy(res.reason, strerror(res.err), sizeof(res.reason));
	}

	r->h(err ? err : &res, r->uri, NULL, r->arg);
}


int ua_account_named(const struct account **ap, const struct ua *ua,
		     const char *name, char *err)
{
	if (!name || !name[0]) {
		*ap = ua_account_default(ua);
		return 0;
	}

	*ap = ua_account_find(ua, name);

	return *ap ? 0 : call_error(err, ENOENT, "There is no account %.100s.",
				    name);
}


int reach_find(struct reach **rp, struct ua *ua, const char *target,
	       const char *account, reach_h *h, void *arg, char *err)
{
	const struct account *a = NULL;
	struct ua_lookup l;
	const char *text;
	struct reach *r;
	int e;

	if (!rp || !ua || !target || !h || !err)
		return EINVAL;

	if (ua->closing)
		return call_error(err, ESHUTDOWN, "The phone is closing.");

	text = lookup_text(&l, ua, target);
	e = ua_account_named(&a, ua, account && *account ? account :
			     l.account, err);
	if (e)
		return e;

	r = mem_zalloc(sizeof(*r), reach_destructor);
	if (!r)
		return call_error(err, ENOMEM, "Out of memory.");

	r->ua = ua;
	r->h = h;
	r->arg = arg;

	e = target_uri(r->uri, sizeof(r->uri), ua, text, a, err);
	if (e)
		goto out;

	if (a) {
		r->ident = mem_ref(a->ident);
		timer_start(&r->tmr, 0, known_h, r);
	}
	else {
		e = sip_target_find(&r->target, ua->sip, r->uri, NULL,
				    target_h, r);
		if (e)
			call_error(err, e, "%s cannot be reached: %s.",
				   target, strerror(e));
	}

 out:
	if (e)
		mem_deref(r);
	else
		*rp = r;

	return e;
}


const char *reach_uri(const struct reach *r)
{
	return r->uri;
}
