/**
 * @file register.c  Accounts register
 *
 * The states are those of the registration (sip_reg.h); here it is decided
 * who registers, and what happens is told as events: each attempt with its
 * cause and the time of the next.  An account that another names as its
 * fallback stands by until that one fails.  Main thread.
 */
#include <stdio.h>
#include "priv.h"
#include "mailbox.h"
#include "requests.h"
#include "account.h"


/* One sentence for a person; "" when there is nothing wrong */
static void say(char *buf, size_t sz, const struct account *a,
		const struct sip_result *res)
{
	char why[sizeof(res->reason)], code[32] = "";

	utf8_copy(why, sizeof(why), res->reason);
	if (res->code)
		(void)snprintf(code, sizeof(code), " (%u)", res->code);

	*buf = '\0';

	switch (res->cause) {

	case SIP_CAUSE_NONE:
	case SIP_CAUSE_CANCELLED:
		break;

	case SIP_CAUSE_AUTH:
		if (res->err == EACCES)
			(void)snprintf(buf, sz, "A password is asked for%s,"
				       " and the account has none%s.", code,
				       account_secret(a) ?
				       " for this server" : "");
		else if (res->err == EAUTH)
			(void)snprintf(buf, sz, "User or password are wrong"
				       "%s.", code);
		else
			(void)snprintf(buf, sz, "Authentication failed%s:"
				       " %s.", code, why);
		break;

	case SIP_CAUSE_TIMEOUT:
		(void)snprintf(buf, sz, "The registrar does not answer.");
		break;

	case SIP_CAUSE_STATUS:
		(void)snprintf(buf, sz, res->code == 403 ?
			       "Not allowed (%u %s): user or password may be"
			       " wrong." : "The registrar refuses: %u %s.",
			       res->code, why);
		break;

	default:
		(void)snprintf(buf, sz, "%s.", why[0] ? why :
			       sip_cause_name(res->cause));
		break;
	}
}


static void publish(const struct account *a, const struct sip_reg_status *st)
{
	const struct sip_result *res = &st->result;
	struct sip_reg_status other;
	struct event ev;

	event_init(&ev, EVENT_ACCOUNT_STATE);
	ev.account = a->id;

	str_ncpy(ev.u.account_state.state, account_state(a),
		 sizeof(ev.u.account_state.state));
	utf8_copy(ev.u.account_state.aor, sizeof(ev.u.account_state.aor),
		  a->conf.aor);
	str_ncpy(ev.u.account_state.server, st->server,
		 sizeof(ev.u.account_state.server));
	if (st->tp != SIP_TRANSP_NONE)
		str_ncpy(ev.u.account_state.transport, transport_name(st->tp),
			 sizeof(ev.u.account_state.transport));
	if (sip_reg_status(&other, a->reg, 1))
		ev.u.account_state.flow = st->flow + 1;
	if (st->next_ms >= 0)
		ev.u.account_state.next_ms = st->next_ms;
	if (res->code) {
		ev.u.account_state.code = res->code;
		utf8_copy(ev.u.account_state.reason,
			  sizeof(ev.u.account_state.reason), res->reason);
	}
	if (res->cause != SIP_CAUSE_NONE) {
		str_ncpy(ev.u.account_state.cause, sip_cause_name(res->cause),
			 sizeof(ev.u.account_state.cause));
		say(ev.u.account_state.text, sizeof(ev.u.account_state.text),
		    a, res);
	}

	event_publish(a->ua->bus, &ev);
}


static void gone_handler(void *arg)
{
	struct ua *ua = arg;
	struct le *le = list_head(&ua->leaving), *k;

	while (le) {
		struct account *a = le->data;

		le = le->next;
		if (sip_reg_state(a->reg) != SIP_REG_OFF)
			continue;

		LIST_FOREACH(&ua->accounts, k) {
			struct account *heir = k->data;

			if (heir->before == a)
				heir->before = mem_deref(heir->before);
		}

		/* a call may hold it for longer */
		list_unlink(&a->le);
		a->reg = mem_deref(a->reg);
		mem_deref(a);
	}

	accounts_settle(ua);
}


static bool is_up(const struct account *a)
{
	const enum sip_reg_state st = sip_reg_state(a->reg);

	return st == SIP_REG_REGISTERED || st == SIP_REG_REFRESHING;
}


/* Strangers are those who are no registrar of ours: without one nobody is */
static void strangers_limit(struct ua *ua)
{
	bool any = false;
	struct le *le;

	LIST_FOREACH(&ua->accounts, le)
		any = any || is_up(le->data);

	(void)sip_stack_limit(ua->sip, any ?
			      (unsigned)ua->config->stranger_limit : 0);
}


static void reg_handler(const struct sip_reg_status *st, void *arg)
{
	struct account *a = arg;
	const enum sip_reg_state all = sip_reg_state(a->reg);
	struct ua *ua = a->ua;

	if (all == SIP_REG_FAILED)
		a->failed = true;
	else if (all == SIP_REG_REGISTERED || all == SIP_REG_OFF)
		a->failed = false;

	a->result = st->result;
	strangers_limit(ua);
	publish(a, st);

	if (all == SIP_REG_OFF && !list_isempty(&ua->leaving))
		timer_start(&ua->tmr_leaving, 0, gone_handler, ua);
	else
		accounts_settle(ua);
}


/* What its configuration says, whatever its user has wished since */
static bool meant(const struct account *a)
{
	const struct account_conf *ac = &a->conf;

	return ac->regist >= 0 ? ac->regist :
		account_secret(a) || ac->registrar[0];
}


static bool wants(const struct account *a)
{
	return a->wish != WISH_NONE ? a->wish == WISH_ON : meant(a);
}


static const struct account *fallback_of(const struct account *a)
{
	return a->conf.fallback[0] ?
		ua_account_find(a->ua, a->conf.fallback) : NULL;
}


enum duty { DUTY_OWN, DUTY_STAND_BY, DUTY_SERVE, DUTY_AS_IT_IS };

/*
 * Is it a fallback, and needed? While the first one tries again nobody knows,
 * and what is stays.
 */
static enum duty duty_of(const struct account *a)
{
	enum duty duty = DUTY_OWN;
	struct le *le;

	if (a->wish == WISH_ON)
		return DUTY_OWN;

	LIST_FOREACH(&a->ua->accounts, le) {
		const struct account *first = le->data;

		if (first == a || fallback_of(first) != a)
			continue;

		if (first->failed)
			return DUTY_SERVE;
		duty = is_up(first) || !wants(first) ||
			duty == DUTY_STAND_BY ? DUTY_STAND_BY :
			DUTY_AS_IT_IS;
	}

	return duty;
}


static bool ought(const struct account *a)
{
	const enum duty duty = duty_of(a);

	return wants(a) && (duty == DUTY_OWN || duty == DUTY_SERVE);
}


static int reg_make(struct account *a)
{
	const struct account_conf *ac = &a->conf;
	struct sip_reg_conf conf = {
		.ident = a->ident,
		.expires_s = (uint32_t)ac->expires,
		.outbound = ac->sip_outbound >= 0 ? ac->sip_outbound :
			ac->outbound2[0],
		.gruu = ac->gruu,
		.nat = strcmp(ac->nat, "off"),
		.q = ac->contact_q,
	};
	char instance[64];
	uint32_t s;
	int err;

	if (a->reg)
		return 0;

	if (conf.outbound || conf.gruu) {
		err = instance_get(instance, sizeof(instance));
		if (err)
			return err;
		conf.instance = instance;
	}

	if (!strcmp(ac->keepalive, "off")) {
		conf.keep = SIP_REG_KEEP_OFF;
	}
	else if (!text_u32(&s, ac->keepalive, strlen(ac->keepalive), 3600)) {
		conf.keep = SIP_REG_KEEP_ON;
		conf.keepalive_s = s;
	}

	return sip_reg_alloc(&a->reg, a->ua->sip, &conf, reg_handler, a);
}


static void begin(struct account *a)
{
	const int err = reg_make(a);

	if (err)
		log_warn("account %s: cannot register: %s", a->conf.name,
			 strerror(err));
	else
		sip_reg_start(a->reg);
}


static void settle_handler(void *arg)
{
	struct ua *ua = arg;
	struct le *le;

	LIST_FOREACH(&ua->accounts, le) {
		struct account *a = le->data;
		const bool off = sip_reg_state(a->reg) == SIP_REG_OFF;

		if (a->before)
			continue;

		if (off && ought(a)) {
			begin(a);
		}
		else if (!off && duty_of(a) == DUTY_STAND_BY) {
			log_info("account %s: no longer needed",
				 a->conf.name);
			sip_reg_stop(a->reg, false);
		}
	}

	mailbox_settle(ua);
	control_settle(ua);
}


/* On a turn of its own: all accounts of a file count, in any order */
void accounts_settle(struct ua *ua)
{
	if (!ua->closing)
		timer_start(&ua->tmr_settle, 0, settle_handler, ua);
}


void account_leave(struct account *a)
{
	struct ua *ua = a->ua;

	mailbox_leave(a);
	list_unlink(&a->le);
	list_append(&ua->leaving, &a->le, a);

	sip_reg_stop(a->reg, false);
	if (sip_reg_state(a->reg) == SIP_REG_OFF)
		timer_start(&ua->tmr_leaving, 0, gone_handler, ua);
}


void accounts_close(struct ua *ua)
{
	struct le *le;

	timer_cancel(&ua->tmr_settle);

	LIST_FOREACH(&ua->accounts, le) {
		struct account *a = le->data;

		sip_reg_stop(a->reg, false);
	}
}


void accounts_flush(struct ua *ua)
{
	timer_cancel(&ua->tmr_settle);
	timer_cancel(&ua->tmr_leaving);
	list_flush(&ua->accounts);
	list_flush(&ua->leaving);
}


const struct account *account_serving(const struct account *a)
{
	const struct account *b;

	if (!a || !a->failed)
		return a;

	b = fallback_of(a);

	return b && is_up(b) ? b : a;
}


/* What a user may ask ------------------------------------------------------ */

int ua_register(struct ua *ua, const struct account *acc, char *err)
{
	struct account *a = (struct account *)acc;
	int e;

	if (!ua || !a || !err)
		return EINVAL;

	if (ua->closing)
		return call_error(err, ESHUTDOWN, "The phone is closing.");

	e = reg_make(a);
	if (e)
		return call_error(err, e, "Account %s cannot register: %s.",
				  a->conf.name, strerror(e));

	a->wish = WISH_ON;
	if (!a->before)
		sip_reg_start(a->reg);

	return 0;
}


int ua_unregister(struct ua *ua, const struct account *acc, bool all,
		  char *err)
{
	struct account *a = (struct account *)acc;
	int e = 0;

	if (!ua || !a || !err)
		return EINVAL;

	a->wish = WISH_OFF;
	a->failed = false;

	if (all)
		e = reg_make(a);
	if (e)
		return call_error(err, e, "Account %s cannot unregister: %s.",
				  a->conf.name, strerror(e));

	sip_reg_stop(a->reg, all);
	accounts_settle(ua);

	return 0;
}


bool account_registers(const struct account *a)
{
	return a && (sip_reg_state(a->reg) != SIP_REG_OFF || ought(a));
}


bool account_sent_off(const struct account *a)
{
	return a && a->wish == WISH_OFF && meant(a);
}


const char *account_state(const struct account *a)
{
	return sip_reg_state_name(sip_reg_state(a ? a->reg : NULL));
}


bool account_registration(struct sip_reg_status *st, const struct account *a,
			  unsigned flow)
{
	return a && sip_reg_status(st, a->reg, flow);
}


const struct sip_binding *account_binding(const struct account *a,
					  unsigned flow, unsigned i)
{
	return a ? sip_reg_binding(a->reg, flow, i) : NULL;
}


const struct sip_result *account_result(const struct account *a)
{
	return a ? &a->result : NULL;
}
