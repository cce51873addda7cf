/**
 * @file call_session.c  What is negotiated beside the media of a call
 *
 * How much of 100rel, session timers and redirects a call has: the user says
 * it for one call, the account for its calls, the options for all.  And what
 * the user may do with the session itself: change or refresh it by a method
 * of choice, send a call elsewhere, follow one that is sent elsewhere.  Main
 * thread.
 */
#include <stdio.h>
#include "priv.h"
#include "caller.h"


/* The index of the first of these words that is given, else dflt */
static int choose(const char *const words[], const char *a, const char *b,
		  int dflt)
{
	const char *const said = a && a[0] ? a : b && b[0] ? b : "";

	for (int i = 0; words[i]; i++) {
		if (!str_casecmp(words[i], said))
			return i;
	}

	return dflt;
}


static enum sip_ext extension(int policy)
{
	switch (policy) {

	case EXTENSION_OFF:      return SIP_EXT_OFF;
	case EXTENSION_REQUIRED: return SIP_EXT_REQUIRED;
	default:                 return SIP_EXT_SUPPORTED;
	}
}


void session_ext(struct sip_call_ext *ext, const struct ua *ua,
		 const struct account *acc, const struct ua_dial *prm)
{
	static const char *const words[] = {
		"off", "supported", "required", NULL,
	};
	static const enum sip_refresher who[] = {
		[REFRESHER_EITHER] = SIP_REFRESHER_ANY,
		[REFRESHER_US]     = SIP_REFRESHER_US,
		[REFRESHER_THEM]   = SIP_REFRESHER_PEER,
	};
	const struct config *conf = ua->config;

	memset(ext, 0, sizeof(*ext));
	ext->rel100 = extension(choose(words, prm ? prm->reliable : NULL,
				       acc ? acc->conf.reliable : NULL,
				       conf->reliable));
	ext->timer = extension(choose(words, prm ? prm->session_timer : NULL,
				      acc ? acc->conf.session_timer : NULL,
				      conf->session_timer));
	ext->session_s = (uint32_t)(conf->session_expires_ms / 1000);

	if ((unsigned)conf->session_refresher < ARRAY_SIZE(who))
		ext->refresher = who[conf->session_refresher];
}


enum sip_redirect session_redirects(const struct ua *ua,
				    const struct account *acc,
				    const struct ua_dial *prm)
{
	static const char *const words[] = {"follow", "ask", "deny", NULL};
	static const enum sip_redirect how[] = {
		[REDIRECTS_FOLLOW] = SIP_REDIRECT_FOLLOW,
		[REDIRECTS_ASK]    = SIP_REDIRECT_ASK,
		[REDIRECTS_DENY]   = SIP_REDIRECT_DENY,
	};
	const int i = choose(words, prm ? prm->redirects : NULL,
			     acc ? acc->conf.redirects : NULL,
			     ua->config->redirects);

	return (unsigned)i < ARRAY_SIZE(how) ? how[i] : SIP_REDIRECT_DENY;
}


/* Redirects ---------------------------------------------------------------- */

static void redirect_tell(const struct call *c, const char *state,
			  uint16_t code, const char *reason)
{
	struct event ev;

	event_init(&ev, EVENT_CALL_REDIRECT);
	ev.call = c->id;
	ev.account = c->acc ? c->acc->id : 0;
	utf8_copy(ev.u.call_redirect.state, sizeof(ev.u.call_redirect.state),
		  state);
	utf8_copy(ev.u.call_redirect.target,
		  sizeof(ev.u.call_redirect.target),
		  c->redirect ? c->redirect : "");
	if (code)
		ev.u.call_redirect.code = code;
	utf8_copy(ev.u.call_redirect.reason,
		  sizeof(ev.u.call_redirect.reason), reason);

	event_publish(c->ua->bus, &ev);
}


void session_redirect_handler(const char *uri, const struct sip_info *in,
			      void *arg)
{
	struct call *c = arg;

	if (!call_living(c))
		return;

	c->redirect = mem_deref(c->redirect);
	(void)utf8_dup(&c->redirect, uri, UA_URI);

	log_info("call %u: sent elsewhere (%u)", c->id, in ? in->code : 0);
	redirect_tell(c, c->redirects == SIP_REDIRECT_ASK ? "asked" :
		      "followed", in ? in->code : 0, in ? in->reason : "");
}


int call_redirect_decide(struct call *c, bool follow, char *err)
{
	if (!call_living(c))
		return call_gone(c, err);
	if (!c->redirect || sip_call_redirect(c->sip, follow))
		return call_error(err, ENOTCONN, "Call %u asks for no"
				  " decision.", c->id);

	redirect_tell(c, follow ? "followed" : "refused", 0, "");

	return 0;
}


/* Whom the caller called; what a stranger wrote must stay inside its <> */
static const char *diverted_from(const struct call *c)
{
	const char *uri = c->acc ? c->acc->conf.aor : c->called;

	return uri && uri[0] && !strpbrk(uri, "<>\" \t") ? uri :
		"sip:anonymous@anonymous.invalid";
}


int call_divert(struct call *c, const char *target, const char *reason,
		char *err)
{
	struct text_buf lines = { .max = 16384 };
	char uri[UA_URI], *told = NULL;
	struct ua_lookup l;
	int e;

	if (!call_living(c))
		return call_gone(c, err);
	if (c->outgoing || c->state != CALL_INCOMING)
		return call_error(err, ENOTCONN, "Call %u does not wait for an"
				  " answer.", c->id);

	e = target_complete(uri, sizeof(uri), lookup_text(&l, c->ua, target),
			    c->acc, err);
	if (e)
		return e;

	text_add(&lines, "Contact: <%s>\r\n", uri);
	e = sip_diversion_write(&told, diverted_from(c), uri,
				reason ? reason : "deflection",
				c->caller ? c->caller->earlier : NULL);
	if (!e)
		text_add(&lines, "%s", told);
	mem_deref(told);

	if (!e)
		e = lines.err;
	if (!e)
		e = sip_call_reject(c->sip, 302, NULL, lines.s);
	text_buf_reset(&lines);
	if (e)
		return call_error(err, e, "Call %u cannot be sent elsewhere:"
				  " %s.", c->id, strerror(e));

	call_ending(c, SIP_CAUSE_STATUS, 302, NULL);

	return 0;
}


int call_redirect(struct call *c, const char *target, char *err)
{
	return call_divert(c, target, NULL, err);
}


/* Changes ------------------------------------------------------------------ */

static int change(struct call *c, enum sip_modify how, bool bare, char *err)
{
	int e;

	if (!call_living(c))
		return call_gone(c, err);
	if (!c->sip || (how == SIP_MODIFY_REINVITE &&
			c->state != CALL_ACTIVE))
		return call_error(err, ENOTCONN, "Call %u is not answered"
				  " yet.", c->id);
	if (c->mod_busy)
		return call_error(err, EALREADY, "Call %u is being changed"
				  " already.", c->id);

	e = how == SIP_MODIFY_UPDATE && !sip_call_can_update(c->sip) ?
		ENOTSUP : call_reoffer_by(c, how, bare);

	switch (e) {

	case 0:
		c->mod_told = how == SIP_MODIFY_UPDATE ? "UPDATE" : "INVITE";
		return 0;

	case ENOTSUP:
		return call_error(err, e, "The other side of call %u takes no"
				  " UPDATE.", c->id);

	case ENOTCONN:
		return call_error(err, e, "Call %u has agreed on nothing yet"
				  " that could be changed.", c->id);

	default:
		return call_error(err, e, "Call %u cannot be changed: %s.",
				  c->id, strerror(e));
	}
}


/* What was wished for it is not offered: nothing changes */
static int change_wished(struct call *c, enum sip_modify how, bool bare,
			 char *err)
{
	const int e = change(c, how, bare, err);

	if (e && c)
		call_wish_settle(c, false);

	return e;
}


int call_update(struct call *c, bool bare, char *err)
{
	return change_wished(c, SIP_MODIFY_UPDATE, bare, err);
}


int call_reinvite(struct call *c, bool late, char *err)
{
	return change_wished(c, SIP_MODIFY_REINVITE, late, err);
}


void session_modified(struct call *c, const struct sip_result *res)
{
	struct event ev;

	if (!c->mod_told)
		return;

	event_init(&ev, EVENT_CALL_UPDATE);
	ev.call = c->id;
	utf8_copy(ev.u.call_update.method, sizeof(ev.u.call_update.method),
		  c->mod_told);
	if (res->code)
		ev.u.call_update.code = res->code;
	utf8_copy(ev.u.call_update.reason, sizeof(ev.u.call_update.reason),
		  res->reason[0] || !res->err ? res->reason :
		  strerror(res->err));
	if (res->cause != SIP_CAUSE_NONE)
		utf8_copy(ev.u.call_update.cause,
			  sizeof(ev.u.call_update.cause),
			  sip_cause_name(res->cause));

	c->mod_told = NULL;
	event_publish(c->ua->bus, &ev);
}


/* Endings ------------------------------------------------------------------ */

/* RFC 3326: the caller gave up because somebody else took the call */
bool session_elsewhere(const struct call *c)
{
	uint32_t cause;

	return !c->outgoing && c->sip &&
		!sip_reason_parse(sip_call_reason(c->sip), "SIP", &cause,
				  NULL, 0) && cause == 200;
}
