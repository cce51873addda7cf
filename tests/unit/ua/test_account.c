/**
 * @file test_account.c  Accounts: what is refused, whose call it is, and to
 * whom identity go
 */
#include "rig.h"
#include "priv.h"


static int add(const char *text)
{
	struct account_conf ac;
	char err[CONFIG_ERR];

	if (account_parse(&ac, text, err))
		fail_msg("%s", err);

	said[0] = '\0';

	return ua_account_add(alice.ua, &ac, said);
}


static void adding(void **state)
{
	const struct account *a;
	(void)state;

	assert_null(ua_account_default(alice.ua));
	assert_int_equal(0, add("sip:alice@example.com;register=no"));
	assert_int_equal(0, add("<sip:alice@example.com:5070>;name=work;"
				"outbound=proxy.example.com"));
	assert_int_equal(EEXIST, add("sip:bob@example.org;name=work"));
	assert_string_equal("There is an account work already.", said);

	a = ua_account(alice.ua, 0);
	assert_int_equal(1, account_id(a));
	assert_ptr_equal(a, ua_account_default(alice.ua));
	assert_string_equal("alice@example.com", account_config(a)->name);
	assert_string_equal("off", account_state(a));
	assert_false(account_registers(a));
	assert_ptr_equal(a, ua_account_find(alice.ua, "alice@example.com"));
	assert_ptr_equal(a, ua_account_find(alice.ua,
					    "sip:alice@example.com"));
	a = ua_account(alice.ua, 1);
	assert_ptr_equal(a, ua_account_find(alice.ua, "work"));
	assert_string_equal("sip:proxy.example.com;lr",
			    sip_ident_hop(a->ident, ""));
	assert_int_equal(5070, a->port);
	assert_null(ua_account(alice.ua, 2));
	assert_null(ua_account_find(alice.ua, "home"));
}


/* What cannot be done is refused, not ignored */
static void refused(void **state)
{
	static const struct {
		const char *text, *word;
	} v[] = {
		{ "sip:a@example.com;password-command=pass", "password-env" },
		{ "sip:a@example.com;tls-ca=/no/where",
		  "tls-ca /no/where: No such file" },
		{ "sip:a@example.com;tls-pin=abc", "SHA-256" },
		{ "sip:a@example.com;tls-key=/no/key", "tls-cert is missing" },
		{ "sip:a@example.com;name=x;fallback=x", "itself" },
		{ "sip:a@example.com;require-auth", "auth-in-password" },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		if (!add(v[i].text))
			fail_msg("taken: %s", v[i].text);
		if (!strstr(said, v[i].word))
			fail_msg("%s: %s", v[i].text, said);
	}

	assert_null(ua_account(alice.ua, 0));
}


/* The id of the account that a request with this Request-URI is for */
static unsigned owner(const char *ruri, const char *to)
{
	struct sip_msg msg;
	struct sip_info in;

	memset(&msg, 0, sizeof(msg));
	memset(&in, 0, sizeof(in));
	pl_set_str(&msg.ruri, ruri);
	in.msg = &msg;
	str_ncpy(in.to_uri, to, sizeof(in.to_uri));

	return account_id(account_match(alice.ua, &in));
}


static void owners(void **state)
{
	(void)state;

	assert_int_equal(0, owner("sip:alice@one.example", ""));
	assert_int_equal(0, add("sip:alice@one.example;register=no"));
	assert_int_equal(0, add("sip:alice@two.example;register=no"));
	assert_int_equal(0, add("sip:b%6fb@three.example;register=no;"
				"contact-user=line3"));

	assert_int_equal(0, owner("sip:eve@one.example", ""));
	assert_int_equal(0, owner("sip:one.example", ""));
	assert_int_equal(0, owner("sip:ALICE@one.example", ""));
	assert_int_equal(0, owner("tel:123", ""));
	assert_int_equal(1, owner("sip:alice@x", ""));
	assert_int_equal(2, owner("sip:%61lice@TWO.example", ""));
	assert_int_equal(3, owner("sip:bob@10.0.0.1", ""));

	/* the address we told: To says which of the two */
	assert_int_equal(2, owner("sip:alice@10.0.0.1:5070",
				  "sip:alice@two.example"));
	assert_int_equal(1, owner("sip:alice@10.0.0.1:5070",
				  "sip:alice@one.example"));
	assert_int_equal(3, owner("sip:line3@10.0.0.1", ""));

	assert_int_equal(0, add("sip:any@one.example;register=no;"
				"catch-all=yes"));
	assert_int_equal(4, owner("sip:eve@x", ""));
	assert_int_equal(1, owner("sip:alice@x", ""));
}


/* Whose challenges are answered is for the identity: see sip-ident */
static void identity(void **state)
{
	struct sip_ident *id = NULL;
	const struct account *a;
	struct sa lo;
	(void)state;

	assert_int_equal(0, sa_set_str(&lo, "127.0.0.1", 0));
	assert_int_equal(0, add("sip:carl@example.com;password=secret;"
				"register=no;outbound=proxy.example.com"));
	a = ua_account(alice.ua, 0);
	assert_int_equal(0, ua_ident(&id, alice.ua, a, NULL));
	assert_string_equal("sip:carl@example.com", sip_ident_aor(id));
	assert_string_equal("sip:proxy.example.com;lr",
			    sip_ident_hop(id, "sip:bob@example.org"));
	mem_deref(id);

	assert_int_equal(0, ua_ident(&id, alice.ua, NULL, &lo));
	assert_non_null(strstr(sip_ident_aor(id), "@127.0.0.1"));
	assert_string_equal("sip:bob@example.org",
			    sip_ident_hop(id, "sip:bob@example.org"));
	mem_deref(id);

	assert_int_equal(EINVAL, ua_ident(&id, alice.ua, NULL, NULL));
}


/* Which one is taken when none is named */
static void chosen(void **state)
{
	(void)state;

	assert_int_equal(0, add("sip:a@x;name=a;register=no"));
	assert_int_equal(0, add("sip:b@x;name=b;register=no"));
	assert_int_equal(1, account_id(ua_account_default(alice.ua)));
	assert_int_equal(0, add("sip:c@x;name=c;register=no;default"));
	assert_int_equal(3, account_id(ua_account_default(alice.ua)));
	assert_int_equal(0, ua_account_use(alice.ua,
					   ua_account_find(alice.ua, "b")));
	assert_int_equal(2, account_id(ua_account_default(alice.ua)));
	assert_int_equal(0, ua_account_remove(alice.ua,
				ua_account_find(alice.ua, "b"), said));
	assert_null(ua_account_find(alice.ua, "b"));
	assert_int_equal(3, account_id(ua_account_default(alice.ua)));
	assert_int_equal(EINVAL, ua_account_remove(alice.ua, NULL, said));
	assert_int_equal(EINVAL, ua_account_use(alice.ua, NULL));
}


static void anonymous(void **state)
{
	char uri[128], want[128];
	struct sa sa;
	(void)state;

	setenv("USER", "al<i>ce \xff", 1);
	assert_int_equal(0, account_anonymous(uri, sizeof(uri), alice.ua,
					      &alice.addr));
	(void)re_snprintf(want, sizeof(want), sa_port(&alice.addr) == 5060 ?
			  "sip:alice@127.0.0.1" : "sip:alice@%J",
			  &alice.addr);
	assert_string_equal(want, uri);

	setenv("USER", "***", 1);
	assert_int_equal(0, sa_set_str(&sa, "2001:db8::1", 0));
	assert_int_equal(0, account_anonymous(uri, sizeof(uri), alice.ua,
					      &sa));
	assert_string_equal("sip:offhook@[2001:db8::1]", uri);
	assert_int_equal(EOVERFLOW, account_anonymous(uri, 20, alice.ua,
						      &sa));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(adding),
		RIG_TEST(refused),
		RIG_TEST(owners),
		RIG_TEST(identity),
		RIG_TEST(chosen),
		RIG_TEST(anonymous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
