/**
 * @file test_target.c  From a URI to addresses, with a name service of our own
 *
 * getaddrinfo is replaced in this program: names end as the test wants, and
 * one of them blocks until it is let go.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include "wire.h"
#include "../../fake/ident.h"


static sem_t release;


static struct addrinfo *addr_new(const char *text, struct addrinfo *next)
{
	struct addrinfo *ai = calloc(1, sizeof(*ai) + sizeof(struct sa));
	struct sa *sa = (struct sa *)(ai + 1);

	(void)sa_set_str(sa, text, 0);
	ai->ai_family = sa_af(sa);
	ai->ai_addr = &sa->u.sa;
	ai->ai_addrlen = sa->len;
	ai->ai_next = next;

	return ai;
}


int getaddrinfo(const char *node, const char *service,
		const struct addrinfo *hints, struct addrinfo **res)
{
	/* libre asks for numbers when it opens its sockets */
	if (hints && (hints->ai_flags & AI_NUMERICHOST)) {
		struct sa sa;

		if (sa_set_str(&sa, node, (uint16_t)atoi(service)))
			return EAI_NONAME;

		*res = addr_new(node, NULL);
		(*res)->ai_socktype = hints->ai_socktype;
		(*res)->ai_protocol = hints->ai_protocol;
		sa_set_port((struct sa *)(*res + 1), (uint16_t)atoi(service));
		return 0;
	}

	if (!strcmp(node, "slow.example")) {
		while (sem_wait(&release))
			;
		return EAI_AGAIN;
	}

	if (!strcmp(node, "two.example")) {
		*res = addr_new("127.0.0.9",
				addr_new("::1", addr_new("127.0.0.8", NULL)));
		return 0;
	}

	if (!strcmp(node, "six.example")) {
		*res = addr_new("::1", NULL);
		return 0;
	}

	return EAI_NONAME;
}


void freeaddrinfo(struct addrinfo *ai)
{
	while (ai) {
		struct addrinfo *next = ai->ai_next;

		free(ai);
		ai = next;
	}
}


static struct {
	bool done;
	struct sip_result err;
	struct target_list tl;
	struct sa laddr;
	struct target_query *q;
	bool free_inside;
} got;


static void target_done(const struct sip_result *err,
			const struct target_list *tl, void *arg)
{
	(void)arg;
	assert_false(got.done);
	got.done = true;
	if (err)
		got.err = *err;
	else
		got.tl = *tl;
	if (got.free_inside)
		got.q = mem_deref(got.q);
}


static bool is_done(void *arg)
{
	(void)arg;

	return got.done;
}


static int setup(void **state)
{
	memset(&got, 0, sizeof(got));
	(void)sem_init(&release, 0, 0);

	return wire_setup(state);
}


static int teardown(void **state)
{
	got.q = mem_deref(got.q);

	return wire_teardown(state);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void find(const char *uri, const char *transport)
{
	got.q = mem_deref(got.q);
	memset(&got, 0, sizeof(got));
	assert_int_equal(target_find(&got.q, stack, uri, transport,
				     target_done, NULL), 0);
	/* never from inside */
	assert_false(got.done);
	assert_true(loop_until(is_done, NULL, WAIT_MS));
}


static void assert_target(unsigned i, enum sip_transp tp, const char *addr,
			  uint16_t port)
{
	char buf[64];

	assert_true(i < got.tl.n);
	assert_int_equal(got.tl.v[i].tp, tp);
	(void)re_snprintf(buf, sizeof(buf), "%j", &got.tl.v[i].dst);
	assert_string_equal(buf, addr);
	assert_int_equal(sa_port(&got.tl.v[i].dst), port);
	assert_non_null(got.tl.v[i].leg);
}


static void test_numeric(void **state)
{
	(void)state;

	find("sip:bob@127.0.0.3", NULL);
	assert_int_equal(got.tl.n, 1);
	assert_target(0, SIP_TRANSP_UDP, "127.0.0.3", 5060);
	assert_false(got.tl.v[0].tp_named);

	find("sip:127.0.0.3:5070;transport=TCP", NULL);
	assert_target(0, SIP_TRANSP_TCP, "127.0.0.3", 5070);
	assert_true(got.tl.v[0].tp_named);

	/* the user's word counts more */
	find("sip:127.0.0.3;transport=tcp", "udp");
	assert_target(0, SIP_TRANSP_UDP, "127.0.0.3", 5060);

	find("sip:name.example:5080;maddr=127.0.0.4", NULL);
	assert_target(0, SIP_TRANSP_UDP, "127.0.0.4", 5080);
}


static void test_at_once(void **state)
{
	struct sip_result res;
	struct target_list tl;
	(void)state;

	assert_int_equal(target_numeric(&tl, stack, "sip:127.0.0.1", NULL,
					&res), 0);
	assert_int_equal(tl.n, 1);
	assert_int_equal(target_numeric(&tl, stack, "sip:two.example", NULL,
					&res), ENOENT);
	assert_int_equal(target_numeric(&tl, stack, "sip:[::1]", NULL, &res),
			 ENETUNREACH);
	assert_int_equal(res.cause, SIP_CAUSE_TRANSPORT);
}


static void test_refused(void **state)
{
	static const struct {
		const char *uri, *transport;
		enum sip_cause cause;
	} v[] = {
		{"sips:bob@127.0.0.1;transport=udp", NULL, SIP_CAUSE_LOCAL},
		{"tel:+1", NULL, SIP_CAUSE_LOCAL},
		{"sip:127.0.0.1;transport", NULL, SIP_CAUSE_LOCAL},
		{"sip:127.0.0.1", "sctp", SIP_CAUSE_LOCAL},
		{"nonsense", NULL, SIP_CAUSE_LOCAL},
		{"sip:[::1]", NULL, SIP_CAUSE_TRANSPORT},
		{"sip:six.example", NULL, SIP_CAUSE_TRANSPORT},
		{"sip:none.example", NULL, SIP_CAUSE_RESOLVE},
	};
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		find(v[i].uri, v[i].transport);
		if (got.err.cause != v[i].cause || !*got.err.reason)
			fail_msg("%s: %s '%s'", v[i].uri,
				 sip_cause_name(got.err.cause),
				 got.err.reason);
	}
}


static void test_names(void **state)
{
	(void)state;

	/* in the order given, without the family we do not listen on */
	find("sip:bob@two.example:5099", NULL);
	assert_int_equal(got.tl.n, 2);
	assert_target(0, SIP_TRANSP_UDP, "127.0.0.9", 5099);
	assert_target(1, SIP_TRANSP_UDP, "127.0.0.8", 5099);
}


static void test_slow(void **state)
{
	(void)state;

	find("sip:bob@slow.example", NULL);
	assert_int_equal(got.err.cause, SIP_CAUSE_RESOLVE);
	assert_int_equal(got.err.err, ETIMEDOUT);

	/* the late answer goes nowhere; the next name is served */
	(void)sem_post(&release);
	find("sip:bob@two.example", NULL);
	assert_int_equal(got.tl.n, 2);
}


static void test_cancelled(void **state)
{
	(void)state;

	assert_int_equal(target_find(&got.q, stack, "sip:two.example", NULL,
				     target_done, NULL), 0);
	got.q = mem_deref(got.q);
	assert_int_equal(target_find(&got.q, stack, "sip:127.0.0.1", NULL,
				     target_done, NULL), 0);
	got.q = mem_deref(got.q);
	loop_run(QUIET_MS);
	assert_false(got.done);

	got.free_inside = true;
	assert_int_equal(target_find(&got.q, stack, "sip:two.example", NULL,
				     target_done, NULL), 0);
	assert_true(loop_until(is_done, NULL, WAIT_MS));
	assert_null(got.q);
}


/* The stack goes while a name is looked up */
static void test_stack_gone(void **state)
{
	(void)state;

	assert_int_equal(target_find(&got.q, stack, "sip:slow.example", NULL,
				     target_done, NULL), 0);
	loop_run(5);
	(void)sem_post(&release);
	stack = mem_deref(stack);
	loop_run(QUIET_MS);
	assert_false(got.done);
}


static void found(const struct sip_result *err, const struct sa *laddr,
		  void *arg)
{
	(void)arg;
	got.done = true;
	if (err)
		got.err = *err;
	else
		got.laddr = *laddr;
}


static void test_public(void **state)
{
	struct sip_ident *us = ident_make(.aor = "sip:us@none.example",
					  .routev = {"sip:127.0.0.5"});
	struct sip_target *t = NULL;
	struct sa lo;
	(void)state;

	(void)sa_set_str(&lo, "127.0.0.1", 0);

	assert_int_equal(sip_target_find(&t, stack, "sip:none.example", us,
					 found, NULL), 0);
	assert_true(loop_until(is_done, NULL, WAIT_MS));
	assert_true(sa_cmp(&got.laddr, &lo, SA_ADDR));
	t = mem_deref(t);

	got.done = false;
	assert_int_equal(sip_target_find(&t, stack, "sip:none.example", NULL,
					 found, NULL), 0);
	assert_true(loop_until(is_done, NULL, WAIT_MS));
	assert_int_equal(got.err.cause, SIP_CAUSE_RESOLVE);
	mem_deref(t);
	mem_deref(us);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_numeric),
		TEST(test_at_once),
		TEST(test_refused),
		TEST(test_names),
		TEST(test_slow),
		TEST(test_cancelled),
		TEST(test_stack_gone),
		TEST(test_public),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
