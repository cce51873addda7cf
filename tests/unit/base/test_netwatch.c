/**
 * @file test_netwatch.c  What the kernel says of the network, and sleep
 *
 * The machine cannot be put to sleep here: how far its clocks are apart is
 * told by hand.  Addresses change in a network namespace of our own, where
 * that may be made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/netwatch.h>
#include <offhook/timer.h>


static struct netwatch *n;
static struct timer guard;
static unsigned what, times;
static uint64_t slept_ms;


static void told_h(unsigned w, uint64_t ms, void *arg)
{
	(void)arg;
	what |= w;
	slept_ms = ms;
	++times;
	re_cancel();
}


static void guard_h(void *arg)
{
	(void)arg;
	re_cancel();
}


static void loop_run(uint64_t ms)
{
	timer_start(&guard, ms, guard_h, NULL);
	assert_int_equal(re_main(NULL), 0);
	timer_cancel(&guard);
}


static int setup(void **state)
{
	(void)state;
	what = times = 0;
	slept_ms = 0;

	return libre_init() || timers_open() ||
		netwatch_alloc(&n, told_h, NULL);
}


static int teardown(void **state)
{
	(void)state;
	n = mem_deref(n);
	timers_close();
	libre_close();

	return 0;
}


static void sleep_seen(void **state)
{
	(void)state;

	/* from now on the clocks are ours; less than a moment is nothing */
	netwatch_fake_ahead(n, 1000);
	loop_run(600);
	assert_int_equal(times, 0);

	netwatch_fake_ahead(n, 61000);
	loop_run(10000);
	assert_int_equal(times, 1);
	assert_int_equal(what, NETWATCH_RESUME);
	assert_int_equal(slept_ms, 60000);

	/* the clocks stay apart */
	netwatch_fake_ahead(n, 61000);
	loop_run(600);
	assert_int_equal(times, 1);

	/* twice in a moment is once */
	netwatch_fake_ahead(n, 71000);
	netwatch_fake_ahead(n, 91000);
	loop_run(10000);
	assert_int_equal(times, 2);
	assert_int_equal(slept_ms, 30000);
}


/* Nothing is told any more, and nothing leaks */
static void gone(void **state)
{
	(void)state;

	netwatch_fake_ahead(n, 61000);
	n = mem_deref(n);
	loop_run(600);
	assert_int_equal(times, 0);
	assert_int_equal(netwatch_alloc(NULL, told_h, NULL), EINVAL);
	assert_int_equal(netwatch_alloc(&n, NULL, NULL), EINVAL);
}


static void run(const char *cmd)
{
	if (system(cmd))
		fail_msg("%s", cmd);
}


static void addresses(void **state)
{
	(void)state;

	n = mem_deref(n);
	if (unshare(CLONE_NEWNET)) {
		print_message("no network namespace of our own: skipped\n");
		return;
	}
	if (system("ip link set lo up")) {
		print_message("no ip(8): skipped\n");
		return;
	}

	assert_int_equal(netwatch_alloc(&n, told_h, NULL), 0);

	/* a burst is told once */
	run("ip addr add 10.77.0.1/32 dev lo && ip addr add 10.77.0.2/32 "
	    "dev lo");
	loop_run(10000);
	assert_int_equal(times, 1);
	assert_true(what & NETWATCH_ADDRESSES);

	what = 0;
	run("ip route add 10.78.0.0/24 dev lo");
	loop_run(10000);
	assert_int_equal(times, 2);
	assert_int_equal(what, NETWATCH_ROUTES);

	what = 0;
	run("ip addr del 10.77.0.1/32 dev lo");
	loop_run(10000);
	assert_int_equal(times, 3);
	assert_true(what & NETWATCH_ADDRESSES);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sleep_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(gone, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
