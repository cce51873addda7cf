/**
 * @file fake_account.c  Accounts that register when the test says so
 */
#include <stdio.h>
#include "fake_ua.h"

enum { ACCOUNTS = 4 };

struct account {
	unsigned id;
	struct account_conf conf;
	const char *state;
	struct sip_result result;
	bool registers, sent_off;
};

static struct {
	struct event_bus *bus;
	struct account v[ACCOUNTS];
	size_t n;
	unsigned next, chosen;
	sip_reg_fetch_h *fetch_h;
	void *fetch_arg;
} fake;


static struct account *account_new(const char *name, const char *aor)
{
	struct account *a = &fake.v[fake.n++];

	memset(a, 0, sizeof(*a));
	a->id = ++fake.next;
	a->state = "off";
	snprintf(a->conf.name, sizeof(a->conf.name), "%s", name);
	snprintf(a->conf.aor, sizeof(a->conf.aor), "%s", aor);

	return a;
}


void fake_accounts_reset(struct event_bus *bus)
{
	memset(&fake, 0, sizeof(fake));
	fake.bus = bus;
	(void)account_new("work", "sip:me@example.com");
}


void fake_account_state(unsigned id, const char *state, unsigned code)
{
	struct event ev;

	for (size_t i = 0; i < fake.n; i++) {
		struct account *a = &fake.v[i];

		if (a->id != id)
			continue;
		a->state = state;
		a->registers = true;
		memset(&a->result, 0, sizeof(a->result));
		a->result.code = (uint16_t)code;
		a->result.cause = code >= 300 ? SIP_CAUSE_STATUS :
			code ? SIP_CAUSE_NONE : SIP_CAUSE_TIMEOUT;
		snprintf(a->result.reason, sizeof(a->result.reason), "%s",
			 code ? "so they say" : "no answer");
	}

	event_init(&ev, EVENT_ACCOUNT_STATE);
	ev.account = id;
	snprintf(ev.u.account_state.state, sizeof(ev.u.account_state.state),
		 "%s", state);
	event_publish(fake.bus, &ev);
}


const struct account *ua_account(const struct ua *ua, size_t i)
{
	(void)ua;

	return i < fake.n ? &fake.v[i] : NULL;
}


const struct account *ua_account_next(const struct ua *ua,
				      const struct account *prev)
{
	return ua_account(ua, prev ? (size_t)(prev - fake.v) + 1 : 0);
}


const struct account *ua_account_id(const struct ua *ua, unsigned id)
{
	const struct account *a = NULL;

	while (id && (a = ua_account_next(ua, a))) {
		if (account_id(a) == id)
			return a;
	}

	return NULL;
}


const struct account *ua_account_find(const struct ua *ua, const char *name)
{
	(void)ua;

	for (size_t i = 0; i < fake.n; i++) {
		if (!strcmp(fake.v[i].conf.name, name))
			return &fake.v[i];
	}

	return NULL;
}


const struct account *ua_account_default(const struct ua *ua)
{
	(void)ua;

	for (size_t i = 0; i < fake.n; i++) {
		if (fake.v[i].id == fake.chosen)
			return &fake.v[i];
	}

	return fake.n ? &fake.v[0] : NULL;
}


unsigned account_id(const struct account *a)
{
	return a->id;
}


const struct account_conf *account_config(const struct account *a)
{
	return &a->conf;
}


const char *account_state(const struct account *a)
{
	return a->state;
}


bool account_registers(const struct account *a)
{
	return a->registers;
}


bool account_sent_off(const struct account *a)
{
	return a && a->sent_off;
}


bool account_registration(struct sip_reg_status *st, const struct account *a,
			  unsigned flow)
{
	if (flow > 0 || !a->registers)
		return false;

	memset(st, 0, sizeof(*st));
	st->state = SIP_REG_REGISTERED;
	st->next_ms = 1000;
	st->expires_s = 60;
	st->result = a->result;
	snprintf(st->server, sizeof(st->server), "192.0.2.1:5060");
	snprintf(st->contact, sizeof(st->contact), "sip:me@192.0.2.2");

	return true;
}


const struct sip_binding *account_binding(const struct account *a,
					  unsigned flow, unsigned i)
{
	static const struct sip_binding b = {
		.uri = "sip:me@192.0.2.2", .expires_s = 60, .ours = true,
		.instance = "urn:x", .reg_id = 1,
	};

	return a->registers && !flow && !i ? &b : NULL;
}


const struct sip_result *account_result(const struct account *a)
{
	return &a->result;
}


int ua_account_add(struct ua *ua, const struct account_conf *ac, char *err)
{
	struct account *a;
	(void)ua;

	if (ua_account_find(ua, ac->name)) {
		snprintf(err, UA_ERR, "There is one already.");
		return EEXIST;
	}
	if (fake.n == ACCOUNTS)
		return ENOMEM;

	a = account_new(ac->name, ac->aor);
	a->conf = *ac;
	asked("account_add %s", ac->aor);

	return 0;
}


int ua_account_change(struct ua *ua, const struct account *acc,
		      const struct account_conf *ac, char *err)
{
	(void)ua;
	(void)err;

	((struct account *)acc)->conf = *ac;
	asked("account_change %s expires=%d", ac->name, (int)ac->expires);

	return 0;
}


int ua_account_remove(struct ua *ua, const struct account *a, char *err)
{
	const size_t i = (size_t)(a - fake.v);
	(void)ua;
	(void)err;

	asked("account_remove %s", a->conf.name);
	memmove(&fake.v[i], &fake.v[i + 1],
		(fake.n - i - 1) * sizeof(fake.v[0]));
	--fake.n;

	return 0;
}


int ua_account_use(struct ua *ua, const struct account *a)
{
	(void)ua;

	fake.chosen = a->id;
	asked("account_use %s", a->conf.name);

	return 0;
}


int ua_register(struct ua *ua, const struct account *a, char *err)
{
	(void)ua;
	(void)err;

	((struct account *)a)->registers = true;
	((struct account *)a)->sent_off = false;
	asked("register %s", a->conf.name);

	return 0;
}


int ua_unregister(struct ua *ua, const struct account *a, bool all, char *err)
{
	(void)ua;
	(void)err;

	((struct account *)a)->registers = false;
	((struct account *)a)->sent_off = true;
	asked("unregister %s %d", a->conf.name, all);

	return 0;
}


/* It is nothing but its address */
int ua_ident(struct sip_ident **ip, const struct ua *ua,
	     const struct account *a, const struct sa *laddr)
{
	char *aor = NULL;
	int err;
	(void)ua;

	err = a ? str_dup(&aor, account_config(a)->aor) :
		re_sdprintf(&aor, "sip:offhook@%j", laddr);
	*ip = (struct sip_ident *)(void *)aor;

	return err;
}


const char *sip_reg_state_name(enum sip_reg_state st)
{
	return st == SIP_REG_REGISTERED ? "registered" : "off";
}


int sip_reg_fetch(struct sip_reg_query **qp, struct sip_stack *s,
		  struct sip_ident *ident, sip_reg_fetch_h *h, void *arg)
{
	(void)s;

	*qp = mem_zalloc(8, NULL);
	fake.fetch_h = h;
	fake.fetch_arg = arg;
	asked("fetch %s", (const char *)ident);

	return *qp ? 0 : ENOMEM;
}


void fake_fetch_done(unsigned code)
{
	const struct sip_binding v[2] = {
		{ .uri = "sip:a@h1", .expires_s = 5 },
		{ .uri = "sip:a@h2", .expires_s = 6 },
	};
	const struct sip_result res = {
		.code = (uint16_t)code, .reason = "so they say",
		.cause = code >= 300 ? SIP_CAUSE_STATUS : code ?
			SIP_CAUSE_NONE : SIP_CAUSE_TIMEOUT,
	};

	fake.fetch_h(&res, code == 200 ? v : NULL, code == 200 ? 2 : 0,
		     fake.fetch_arg);
}
