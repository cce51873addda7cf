/**
 * @file test_hostaddr.c  What the system says of addresses
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/hostaddr.h>


static void test_line(void **state)
{
	struct hostaddr a;
	struct sa sa;
	(void)state;

	assert_int_equal(0, sa_set_str(&sa, "2001:db8::12:3", 0));
	assert_int_equal(0, hostaddr_line(&a,
		"20010db8000000000000000000120003 0c 40 00 61     eth0\n"));
	assert_true(sa_cmp(&a.addr, &sa, SA_ADDR));
	assert_int_equal(a.index, 12);
	assert_true(a.temporary && a.deprecated && a.tentative);
	assert_int_equal(0, hostaddr_line(&a,
		"fe800000000000000000000000000001 02 40 20 80 a b\n"));
	assert_int_equal(a.index, 2);
	assert_false(a.temporary || a.deprecated || a.tentative);
}


static void test_strange(void **state)
{
	static const char *const v[] = {
		"", "\n", "fe80", "fe80 02 40 20 80 eth0",
		"fe80000000000000000000000000000 02 40 20 80 eth0",
		"fe8000000000000000000000000000g1 02 40 20 80 eth0",
		"fe800000000000000000000000000001 02 40 20",
		"fe800000000000000000000000000001 xx 40 20 80 eth0",
	};
	struct hostaddr a;
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_int_equal(EBADMSG, hostaddr_line(&a, v[i]));
}


/* Here and now: whatever there is, it does not end it */
static void test_system(void **state)
{
	struct hostaddr v[4];
	struct sa sa;
	(void)state;

	assert_true(hostaddr_read(v, 4) <= 4);
	assert_int_equal(0, hostaddr_read(v, 0));
	assert_int_equal(0, sa_set_str(&sa, "127.0.0.1", 0));
	assert_int_equal(0, hostaddr_interface(&sa));
	assert_int_equal(0, sa_set_str(&sa, "192.0.2.77", 0));
	assert_int_equal(0, hostaddr_interface(&sa));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_strange),
		cmocka_unit_test(test_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
