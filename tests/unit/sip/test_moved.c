/**
 * @file test_moved.c  A stack whose machine gets other addresses
 *
 * In a network namespace of our own, where one may be made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <sched.h>
#include <stdlib.h>
#include <cmocka.h>
#include "priv.h"


static struct sip_stack *s;
static bool able;


static int setup(void **state)
{
	(void)state;

	able = !unshare(CLONE_NEWNET) && !system("ip link set lo up");
	if (!able)
		print_message("no network namespace of our own: skipped\n");

	return libre_init() || timers_open();
}


static int teardown(void **state)
{
	(void)state;
	s = mem_deref(s);
	timers_close();
	libre_close();

	return 0;
}


static void addr(const char *verb, const char *ip)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "ip addr %s %s/32 dev lo", verb, ip);
	if (system(cmd))
		fail_msg("%s", cmd);
}


static void stack_start(const char *ip)
{
	const struct sip_stack_h h = {.trace_h = NULL};
	struct sip_listen_addr la = {.udp = true, .tcp = true};
	const struct sip_stack_conf conf = {.addrv = &la, .addrc = 1};
	char err[256];

	assert_int_equal(sa_set_str(&la.addr, ip, 0), 0);
	if (sip_stack_alloc(&s, &conf, &h, NULL, err, sizeof(err)))
		fail_msg("%s", err);
}


static bool has(const char *text)
{
	struct sa sa;

	assert_int_equal(sa_set_str(&sa, text, 0), 0);

	return sip_stack_has(s, &sa);
}


static unsigned listeners(void)
{
	enum sip_transp tp;
	struct sa sa;
	unsigned n = 0;

	while (sip_stack_listener(s, n, &sa, &tp))
		++n;

	return n;
}


static unsigned files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		++n;
	(void)closedir(d);

	return n;
}


static void moved(const char *added, const char *removed)
{
	struct sip_moved m;

	assert_int_equal(sip_stack_moved(s, false, &m), 0);
	assert_string_equal(m.added, added);
	assert_string_equal(m.removed, removed);
}


static void come_and_go(void **state)
{
	struct sa dst;
	(void)state;

	if (!able)
		return;

	stack_start("0.0.0.0");
	assert_int_equal(listeners(), 2);
	moved("", "");

	addr("add", "10.66.0.1");
	moved("10.66.0.1", "");
	assert_true(has("10.66.0.1"));
	assert_int_equal(listeners(), 4);

	/* gone, it is chosen no more */
	addr("add", "10.66.0.2");
	addr("del", "10.66.0.1");
	moved("10.66.0.2", "10.66.0.1");
	assert_false(has("10.66.0.1"));
	assert_int_equal(listeners(), 4);
	assert_int_equal(sa_set_str(&dst, "10.66.0.1", 5060), 0);
	assert_null(stack_leg(s, &dst, SIP_TRANSP_UDP));

	/* and comes back as it was */
	addr("add", "10.66.0.1");
	moved("10.66.0.1", "");
	assert_non_null(stack_leg(s, &dst, SIP_TRANSP_UDP));
	assert_int_equal(listeners(), 6);
}


/* Of many networks that were visited little is kept */
static void many(void **state)
{
	unsigned i, before, kept;
	char ip[32];
	(void)state;

	if (!able)
		return;

	stack_start("0.0.0.0");
	before = files();

	for (i = 1; i <= 40; i++) {
		(void)snprintf(ip, sizeof(ip), "10.66.1.%u", i);
		addr("add", ip);
		moved(ip, "");
		addr("del", ip);
		moved("", ip);
	}

	kept = files() - before;
	assert_in_range(kept, 2 * 16, 2 * 17);

	/* one whose sockets were given up listens again */
	addr("add", "10.66.1.1");
	moved("10.66.1.1", "");
	assert_int_equal(listeners(), 4);
	assert_true(has("10.66.1.1"));
}


/* Who names an address gets that one, whatever else there is */
static void named(void **state)
{
	(void)state;

	if (!able)
		return;

	stack_start("127.0.0.1");
	addr("add", "10.66.2.1");
	moved("", "");
	assert_false(has("10.66.2.1"));
	assert_int_equal(listeners(), 2);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(come_and_go),
		TEST(many),
		TEST(named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
