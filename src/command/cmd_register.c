/**
 * @file cmd_register.c  Accounts register, and lines wait for it
 *
 * What becomes of it is told by account.state; `wait registered` holds the
 * lines behind it until then.  Main thread.
 */
#include <stdio.h>
#include "priv.h"
#include "account.h"

enum { FETCH_MS = 60000 };

/* What a line waits for */
struct registering {
	char name[64];                   /* "" all that should be            */
	uint64_t bound_ms;
};

struct fetch {
	struct cmd *x;
	struct sip_ident *ident;
	struct sip_reg_query *query;
	char contact[256];               /* ours, "" not registered          */
};


typedef bool (account_h)(const struct account *a);

/* Each account that is meant, NULL ends it */
static const struct account *next_account(const struct cmd *x,
					  const char *name, account_h *is,
					  size_t *i)
{
	const struct account *a;

	if (name)
		return (*i)++ ? NULL : ua_account_find(x->ph->ua, name);

	while ((a = ua_account(x->ph->ua, (*i)++))) {
		if (is(a))
			break;
	}

	return a;
}


static void none_registers(struct cmd *x)
{
	reply_error(x->reply, "wrong-state", "no account registers: one needs"
		    " a registrar or a password");
}


/* @return how many were asked, -1: it failed, and that is told */
static int register_each(struct cmd *x, const char *name, account_h *is)
{
	const struct account *a;
	char err[UA_ERR] = "";
	size_t i = 0;
	int n = 0;

	while ((a = next_account(x, name, is, &i))) {

		int e = ua_register(x->ph->ua, a, err);

		if (e) {
			cmd_fail(x, e, err);
			return -1;
		}
		++n;
	}

	return n;
}


void cmd_register(struct cmd *x)
{
	const char *name = cmd_str(x, "account");
	int n = register_each(x, name, account_registers);

	/* who was taken off comes back by name, or when all were */
	if (!n)
		n = register_each(x, NULL, account_sent_off);
	if (!n)
		none_registers(x);
}


void cmd_unregister(struct cmd *x)
{
	const char *name = cmd_str(x, "account");
	const bool all = cmd_has(x, "all");
	const struct account *a;
	char err[UA_ERR] = "";
	size_t i = 0, n = 0;

	while ((a = next_account(x, name, account_registers, &i))) {

		int e = ua_unregister(x->ph->ua, a, all, err);

		if (e) {
			cmd_fail(x, e, err);
			return;
		}
		++n;
	}

	if (!n)
		none_registers(x);
}


/* wait registered ---------------------------------------------------------- */

static bool is_state(const struct account *a, const char *one,
		     const char *two)
{
	const char *state = account_state(a);

	return !strcmp(state, one) || (two && !strcmp(state, two));
}


static void fail(struct cmd *x, const struct account *a)
{
	const struct sip_result *res = account_result(a);

	reply_int(x->reply, "account", account_id(a));
	if (res->code)
		reply_int(x->reply, "code", res->code);
	reply_str(x->reply, "cause", sip_cause_name(res->cause));
	reply_error(x->reply, result_token(res), "account %s is not"
		    " registered: %s%s%s", account_config(a)->name,
		    res->reason, res->code ? ", " : "",
		    res->code ? "see 'accounts'" : "");
}


/* @return true: the line is done, well or not */
static bool settled(struct cmd *x, const char *name)
{
	const struct account *a, *last = NULL;
	size_t i = 0, n = 0;
	bool all = true;

	while ((a = next_account(x, name, account_registers, &i))) {

		if (is_state(a, "failed", NULL)) {
			fail(x, a);
			return true;
		}

		all = all && is_state(a, "registered", "refreshing");
		last = a;
		++n;
	}

	if (!n) {
		none_registers(x);
		return true;
	}

	if (all && n == 1)
		reply_int(x->reply, "account", account_id(last));

	return all;
}


static void registered_event(struct cmd *x, const struct event *ev)
{
	const struct registering *w = x->state;
	(void)ev;

	if (settled(x, w->name[0] ? w->name : NULL))
		cmd_done(x);
}


static void registered_late(struct cmd *x)
{
	const struct registering *w = x->state;
	char t[32];

	text_duration_print(t, sizeof(t), w->bound_ms);
	reply_error(x->reply, "timeout", "not registered within %s", t);
}


void cmd_wait_registered(struct cmd *x, const char *name, uint64_t bound_ms)
{
	struct registering *w;
	char show[80];

	if (name && !ua_account_find(x->ph->ua, name)) {
		(void)cmd_wrong(x, "no-such-account", "there is no account"
				" '%s'; see 'accounts'",
				text_escape(show, sizeof(show), name,
					    strlen(name)));
		return;
	}

	if (settled(x, name))
		return;

	w = cmd_state(x, sizeof(*w), NULL);
	if (!w)
		return;

	w->bound_ms = bound_ms;
	snprintf(w->name, sizeof(w->name), "%s", name ? name : "");

	cmd_wait(x, bound_ms, registered_late);
	cmd_wait_events(x, EVENT_BIT(EVENT_ACCOUNT_STATE), registered_event);
}


/* accounts --fetch --------------------------------------------------------- */

static void fetch_destructor(void *arg)
{
	struct fetch *f = arg;

	mem_deref(f->query);
	mem_deref(f->ident);
}


static void fetch_handler(const struct sip_result *res,
			  const struct sip_binding *v, unsigned n, void *arg)
{
	struct fetch *f = arg;
	struct cmd *x = f->x;

	if (v || (res->code >= 200 && res->code < 300)) {
		reply_list(x->reply, "binding");
		for (unsigned i = 0; i < n; i++) {
			struct sip_binding b = v[i];

			b.ours = f->contact[0] && !strcmp(b.uri, f->contact);
			reply_binding(x->reply, &b);
		}
		if (!n)
			reply_text(x->reply, "no bindings");
	}
	else {
		const struct call_record rec = {
			.outgoing = true, .result = *res,
		};

		reply_set_exit(x->reply, call_record_exit(&rec));
		reply_error(x->reply, result_token(res), "the registrar does"
			    " not tell: %u %s", res->code, res->reason);
	}

	cmd_done(x);
}


void cmd_fetch(struct cmd *x)
{
	const char *name = cmd_str(x, "account");
	const struct account *a = name ? ua_account_find(x->ph->ua, name) :
		ua_account_default(x->ph->ua);
	struct sip_reg_status st;
	struct fetch *f;
	int e;

	if (!a) {
		none_registers(x);
		return;
	}

	f = cmd_state(x, sizeof(*f), fetch_destructor);
	if (!f)
		return;

	f->x = x;
	if (account_registration(&st, a, 0))
		snprintf(f->contact, sizeof(f->contact), "%s", st.contact);

	e = ua_ident(&f->ident, x->ph->ua, a, NULL);
	if (!e)
		e = sip_reg_fetch(&f->query, ua_sip(x->ph->ua), f->ident,
				  fetch_handler, f);
	if (e)
		cmd_fail(x, e, NULL);
	else
		cmd_wait(x, FETCH_MS, NULL);
}
