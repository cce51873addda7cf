/**
 * @file test_register.c  Accounts register: who, when, and what is told
 */
#include <unistd.h>
#include "rig.h"
#include "priv.h"
#include "account.h"
#include "offhook/netwatch.h"
#include "offhook/sip_rx.h"


/* A registrar that says what the test wants */
static struct registrar {
	struct sip_stack *sip;
	char uri[64];
	uint16_t code;
	unsigned count, removals;
	char contact[256];
} one, two;


static int request_handler(struct sip_rx *rx, const struct sip_info *in,
			   void *arg)
{
	struct registrar *r = arg;
	char lines[400] = "";

	if (strcmp(in->method, "REGISTER"))
		return 405;

	++r->count;
	r->contact[0] = '\0';
	(void)sip_info_header(in, "Contact", r->contact, sizeof(r->contact));
	if (strstr(r->contact, "expires=0") || !strcmp(r->contact, "*"))
		++r->removals;
	else if (r->code == 200)
		(void)snprintf(lines, sizeof(lines), "Contact: %s\r\n",
			       r->contact);

	return sip_rx_reply(rx, r->code, NULL, lines[0] ? lines : NULL, NULL,
			    NULL);
}


static void registrar_start(struct registrar *r)
{
	const struct sip_stack_h h = { .request_h = request_handler };
	struct sip_listen_addr la = { .udp = true };
	const struct sip_stack_conf conf = {
		.user_agent = "registrar", .addrv = &la, .addrc = 1,
	};
	enum sip_transp tp;
	struct sa sa;
	char err[256];

	memset(r, 0, sizeof(*r));
	r->code = 200;
	assert_int_equal(0, sa_set_str(&la.addr, "127.0.0.1", 0));
	if (sip_stack_alloc(&r->sip, &conf, &h, r, err, sizeof(err)))
		fail_msg("%s", err);
	assert_true(sip_stack_listener(r->sip, 0, &sa, &tp));
	(void)re_snprintf(r->uri, sizeof(r->uri), "sip:%J", &sa);
}


static int setup(void **state)
{
	if (rig_setup(state))
		return -1;

	registrar_start(&one);
	registrar_start(&two);

	return 0;
}


static int teardown(void **state)
{
	one.sip = mem_deref(one.sip);
	two.sip = mem_deref(two.sip);

	return rig_teardown(state);
}


static const struct account *add(const struct registrar *r, const char *name,
				 const char *more)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "sip:%s@example.com;name=%s;"
		       "registrar=%s;%s", name, name, r->uri, more);
	phone_account(&alice, text);

	return ua_account_find(alice.ua, name);
}


static void done_handler(void *arg)
{
	++*(unsigned *)arg;
}


static void by_rule(void **state)
{
	struct sip_reg_status st;
	const struct account *a;
	unsigned done = 0;
	(void)state;

	a = add(&one, "al", "expires=600");
	assert_string_equal("off", account_state(a));
	assert_true(account_registers(a));
	await("alice account.state 1 registering");
	await("alice account.state 1 registered");
	assert_int_equal(1, one.count);
	assert_non_null(strstr(one.contact, "<sip:al@127.0.0.1:"));
	assert_non_null(strstr(one.contact, ";expires=600"));
	assert_string_equal("registered", account_state(a));
	assert_true(account_registration(&st, a, 0));
	assert_in_range(st.next_ms, 470000, 540000);
	assert_false(account_registration(&st, a, 1));
	assert_non_null(account_binding(a, 0, 0));
	assert_int_equal(200, account_result(a)->code);

	/* the end: first they take their leave */
	ua_close(alice.ua, 2000, done_handler, &done);
	await("alice account.state 1 unregistering");
	await("alice account.state 1 off");
	await_count(&done, 1);
	assert_int_equal(1, one.removals);
}


/* After sleep nobody knows whether we are still known */
static void resumed(void **state)
{
	(void)state;

	(void)add(&one, "al", "expires=600");
	await("alice account.state 1 registered");
	netwatch_fake_ahead(alice.ua->netwatch, 0);
	netwatch_fake_ahead(alice.ua->netwatch, 60000);
	await("alice network.changed resume 60000");
	await("alice account.state 1 refreshing");
	await("alice account.state 1 registered");
	assert_int_equal(2, one.count);

	/* who could not register tries at once, not when its time has come */
	one.code = 403;
	netwatch_fake_ahead(alice.ua->netwatch, 120000);
	await("alice account.state 1 failed status");
	one.code = 200;
	netwatch_fake_ahead(alice.ua->netwatch, 180000);
	await("alice account.state 1 registered");
}


/* register=no, and no server at all: quiet */
static void not_at_all(void **state)
{
	(void)state;

	(void)add(&one, "al", "register=no");
	phone_account(&alice, "sip:bo@127.0.0.1");
	await_none("account.state");
	assert_int_equal(0, one.count);
	assert_false(account_registers(ua_account(alice.ua, 0)));
}


static void refused(void **state)
{
	static const struct {
		uint16_t code;
		const char *line, *text;
	} v[] = {
		{ 403, "failed status", "Not allowed (403 Forbidden): user or"
		  " password may be wrong." },
		{ 500, "failed status", "The registrar refuses: 500 Server"
		  " Internal Error." },
	};
	const struct account *a;
	struct sip_reg_status st;
	char want[80];
	(void)state;

	one.code = 403;
	a = add(&one, "al", "");

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		one.code = v[i].code;
		if (i)
			assert_int_equal(0, ua_register(alice.ua, a, said));
		(void)snprintf(want, sizeof(want), "alice account.state 1 %s",
			       v[i].line);
		await(want);
		assert_string_equal(v[i].text, alice.verdict);
		assert_int_equal(v[i].code, account_result(a)->code);
		assert_true(account_registration(&st, a, 0));
		assert_true(st.next_ms > 29000);
	}

	one.code = 200;
	assert_int_equal(0, ua_register(alice.ua, a, said));
	await("alice account.state 1 registered");
	assert_string_equal("", alice.verdict);
}


/* A second registrar at the same time */
static void both(void **state)
{
	char more[128];
	const struct account *a;
	(void)state;

	(void)snprintf(more, sizeof(more), "registrar2=%s", two.uri);
	two.code = 500;
	a = add(&one, "al", more);
	await("alice account.state 1 registered");
	await_count(&two.count, 1);
	await("status");
	assert_string_equal("registered", account_state(a));
	assert_int_equal(1, one.count);
}


static void fallback(void **state)
{
	const struct account *first, *second;
	(void)state;

	/* named before it is there */
	one.code = 503;
	second = add(&two, "second", "");
	first = add(&one, "first", "fallback=second");
	assert_true(ua_account_use(alice.ua, first) == 0);
	assert_false(account_registers(second));
	await("alice account.state 2 failed");
	await("alice account.state 1 registered");
	assert_int_equal(1, two.count);
	assert_ptr_equal(second, ua_account_default(alice.ua));

	/* while the first tries again nothing changes; once it is back the
	   second steps aside */
	assert_int_equal(0, ua_register(alice.ua, first, said));
	await("alice account.state 2 failed");
	assert_string_equal("registered", account_state(second));
	one.code = 200;
	assert_int_equal(0, ua_register(alice.ua, first, said));
	await("alice account.state 2 registered");
	await("alice account.state 1 off");
	assert_int_equal(1, two.removals);
	assert_ptr_equal(first, ua_account_default(alice.ua));
}


static void unregister(void **state)
{
	const struct account *a;
	(void)state;

	a = add(&one, "al", "");
	await("alice account.state 1 registered");
	assert_int_equal(0, ua_unregister(alice.ua, a, false, said));
	await("alice account.state 1 off");
	assert_int_equal(1, one.removals);
	assert_non_null(strstr(one.contact, "expires=0"));

	/* it stays off, but everybody's bindings may be taken away */
	await_none("registering");
	assert_int_equal(0, ua_unregister(alice.ua, a, true, said));
	await("alice account.state 1 off");
	assert_string_equal("*", one.contact);

	assert_int_equal(0, ua_register(alice.ua, a, said));
	await("alice account.state 1 registered");
}


static void removed(void **state)
{
	const struct account *a;
	(void)state;

	a = add(&one, "al", "");
	await("alice account.state 1 registered");
	assert_int_equal(0, ua_account_remove(alice.ua, a, said));
	assert_null(ua_account(alice.ua, 0));
	await("alice account.state 1 unregistering");
	await("alice account.state 1 off");
	assert_int_equal(1, one.removals);

	/* its name is free, its number is not used again */
	a = add(&one, "al", "");
	assert_int_equal(2, account_id(a));
	await("alice account.state 2 registered");
}


/* The new one begins when the old one has left: both are one to a registrar
 * that knows us by our Contact */
static void changed(void **state)
{
	struct account_conf ac;
	const struct account *a;
	char err[CONFIG_ERR];
	(void)state;

	a = add(&one, "al", "");
	(void)add(&one, "bo", "register=no");
	await("alice account.state 1 registered");

	ac = *account_config(a);
	assert_int_equal(0, account_param_set(&ac, "registrar", two.uri,
					      err));
	assert_int_equal(0, account_param_set(&ac, "name", "x", err));
	assert_int_equal(EINVAL, ua_account_change(alice.ua, a, &ac, said));
	assert_int_equal(0, account_param_set(&ac, "name", "al", err));
	assert_int_equal(0, account_param_set(&ac, "expires", "77", err));
	assert_int_equal(0, ua_account_change(alice.ua, a, &ac, said));

	a = ua_account(alice.ua, 0);
	assert_int_equal(1, account_id(a));
	assert_int_equal(77, account_config(a)->expires);
	assert_null(ua_account(alice.ua, 2));

	/* register at once waits its turn */
	assert_int_equal(0, ua_register(alice.ua, a, said));
	await("alice account.state 1 off");
	assert_int_equal(1, one.removals);
	assert_int_equal(0, two.count);
	await("alice account.state 1 registered");
	assert_non_null(strstr(two.contact, ";expires=77"));
	assert_int_equal(2, one.count);
}


/* A call goes on when its account is gone */
static void removed_in_call(void **state)
{
	const struct account *a;
	(void)state;

	a = add(&one, "al", "");
	await("alice account.state 1 registered");
	(void)dial(&alice, bob.uri);
	await("bob call.state 1 incoming");
	assert_int_equal(0, call_answer(call_of(&bob, 1), said));
	await("alice call.state 1 active");

	assert_int_equal(0, ua_account_remove(alice.ua, a, said));
	await("alice account.state 1 off");
	await_none("ended");
	assert_int_equal(1, account_id(call_account(call_of(&alice, 1))));
	hangup_both(&bob);
}


static void instance(void **state)
{
	char dir[] = "/tmp/offhook-inst-XXXXXX", path[128];
	char first[64], second[64];
	(void)state;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(0, setenv("XDG_STATE_HOME", dir, 1));

	assert_int_equal(EOVERFLOW, instance_get(first, 40));
	assert_int_equal(0, instance_get(first, sizeof(first)));
	assert_int_equal(0, strncmp(first, "urn:uuid:", 9));
	assert_int_equal(45, strlen(first));
	assert_int_equal('4', first[23]);
	assert_int_equal(0, instance_get(second, sizeof(second)));
	assert_string_equal(first, second);

	/* what is not one is made anew */
	(void)snprintf(path, sizeof(path), "%s/offhook/instance", dir);
	assert_int_equal(0, truncate(path, 20));
	assert_int_equal(0, instance_get(second, sizeof(second)));
	assert_string_not_equal(first, second);
	assert_int_equal(45, strlen(second));

	assert_int_equal(0, unlink(path));
	(void)snprintf(path, sizeof(path), "%s/offhook", dir);
	assert_int_equal(0, rmdir(path));
	assert_int_equal(0, rmdir(dir));

	/* nowhere to keep it: for this run */
	assert_int_equal(0, setenv("XDG_STATE_HOME", "/proc/none", 1));
	assert_int_equal(0, instance_get(first, sizeof(first)));
	assert_int_equal(45, strlen(first));
	assert_int_equal(0, unsetenv("XDG_STATE_HOME"));
}


static void bad_use(void **state)
{
	(void)state;

	assert_int_equal(EINVAL, ua_register(alice.ua, NULL, said));
	assert_int_equal(EINVAL, ua_unregister(alice.ua, NULL, true, said));
	assert_string_equal("off", account_state(NULL));
	assert_false(account_registers(NULL));
	assert_null(account_binding(NULL, 0, 0));
	assert_null(account_result(NULL));
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_rule),
		TEST(resumed),
		TEST(not_at_all),
		TEST(refused),
		TEST(both),
		TEST(fallback),
		TEST(unregister),
		TEST(removed),
		TEST(changed),
		TEST(removed_in_call),
		TEST(instance),
		TEST(bad_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
