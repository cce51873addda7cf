/**
 * @file test_value.c  Values by type: limits, words, messages
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>
#include "priv.h"


struct values {
	bool flag;
	int tristate;
	int64_t number;
	int64_t time;
	char choice[16];
	char list[32];
	int64_t ports[2];
	int index;
	char addrs[40];
	char text[8];
};

#define ROW(t, f) .name = #f, .type = t,				\
		.offset = offsetof(struct values, f),			\
		.size = sizeof(((struct values *)0)->f)

static const struct option flag = {ROW(OPT_BOOL, flag)};
static const struct option tristate = {ROW(OPT_BOOL, tristate)};
static const struct option number = {ROW(OPT_INT, number), .min = -5,
	.max = 100, .unit = "Hz"};
static const struct option timing = {ROW(OPT_TIME, time), .min = 20,
	.max = 5000};
static const struct option ptime = {ROW(OPT_TIME, time), .min = 10,
	.max = 60, .choices = "10ms,20ms,60ms"};
static const struct option choice = {ROW(OPT_CHOICE, choice),
	.choices = "stereo,mixed"};
static const struct option list = {ROW(OPT_LIST, list),
	.choices = "opus,pcmu,pcma"};
static const struct option ports = {ROW(OPT_PORTS, ports)};
static const struct option index_ = {ROW(OPT_ENUM, index),
	.choices = "off,prefer,require"};
static const struct option addrs = {ROW(OPT_ADDRS, addrs), .max = 3};
static const struct option text = {ROW(OPT_STRING, text)};

static struct values v;
static char err[CONFIG_ERR];


static void right(const struct option *o, const char *value, const char *get)
{
	char buf[64];

	assert_int_equal(conf_value_set(o, &v, value, err), 0);
	assert_int_equal(conf_value_get(o, &v, buf, sizeof(buf)), 0);
	assert_string_equal(buf, get);
}


static void wrong(const struct option *o, const char *value, int code,
		  const char *message)
{
	const struct values before = v;

	assert_int_equal(conf_value_set(o, &v, value, NULL), code);
	assert_int_equal(conf_value_set(o, &v, value, err), code);
	assert_memory_equal(&before, &v, sizeof(v));
	if (message)
		assert_string_equal(err, message);
}


static void test_bool(void **state)
{
	(void)state;

	right(&flag, "yes", "yes");
	right(&flag, "OFF", "no");
	right(&flag, "1", "yes");
	right(&flag, "false", "no");
	right(&flag, "on", "yes");
	wrong(&flag, "2", EINVAL, "flag must be yes or no, not \"2\"");
	wrong(&flag, "", EINVAL, "flag must be yes or no, not \"\"");

	v.tristate = -1;
	right(&tristate, "yes", "yes");
	assert_int_equal(v.tristate, 1);
	right(&tristate, "no", "no");
	assert_int_equal(v.tristate, 0);
}


static void test_number(void **state)
{
	(void)state;

	right(&number, "-5", "-5");
	right(&number, "100", "100");
	wrong(&number, "101", ERANGE, "number must be a whole number from -5"
	      " to 100 Hz, not \"101\"");
	wrong(&number, "1.5", EINVAL, NULL);
	wrong(&number, "18446744073709551616", ERANGE, NULL);
	wrong(&number, "1\x1b[2J", EINVAL, "number must be a whole number"
	      " from -5 to 100 Hz, not \"1?[2J\"");
}


static void test_time(void **state)
{
	(void)state;

	right(&timing, "20ms", "20ms");
	right(&timing, "5", "5s");
	assert_int_equal(v.time, 5000);
	wrong(&timing, "19ms", ERANGE, "time must be a time from 20ms to 5s,"
	      " not \"19ms\"");
	wrong(&timing, "6", ERANGE, NULL);
	wrong(&timing, "2 weeks", EINVAL, NULL);

	right(&ptime, "0.02", "20ms");
	wrong(&ptime, "30ms", ERANGE, "time must be 10ms, 20ms or 60ms, not"
	      " \"30ms\"");
	wrong(&ptime, "20", ERANGE, NULL);
}


static void test_words(void **state)
{
	(void)state;

	right(&choice, "Mixed", "mixed");
	wrong(&choice, "mixd", EINVAL, "choice must be stereo or mixed, not"
	      " \"mixd\"; did you mean mixed?");
	wrong(&choice, "", EINVAL, NULL);
	wrong(&choice, "stereo,mixed", EINVAL, NULL);

	right(&index_, "require", "require");
	assert_int_equal(v.index, 2);
	right(&index_, "off", "off");
	wrong(&index_, "zzz", EINVAL, "index must be off, prefer or require,"
	      " not \"zzz\"");
	v.index = 7;
	assert_int_equal(conf_value_get(&index_, &v, err, 10), EINVAL);

	right(&list, "PCMU , opus", "pcmu,opus");
	right(&list, "opus,pcmu,pcma", "opus,pcmu,pcma");
	wrong(&list, "opus,pcmu,opus", EINVAL, "list names opus twice");
	wrong(&list, "opus,ops", EINVAL, "list must be some of opus, pcmu or"
	      " pcma, each once, with commas between them, not \"ops\"; did"
	      " you mean opus?");
	wrong(&list, "", EINVAL, NULL);
	wrong(&list, "opus,", EINVAL, NULL);
	wrong(&list, ",opus", EINVAL, NULL);
	wrong(&list, "opus pcmu", EINVAL, NULL);
	wrong(&list, "opus,,pcmu", EINVAL, NULL);
	wrong(&list, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r", EINVAL, NULL);
	wrong(&list, "thisisaverylongwordthatnocodeceverhadasaname", EINVAL,
	      NULL);
}


static void test_ports(void **state)
{
	static const char *const bad[] = {
		"", "10000", "10000-", "-10001", "10000-10001-10002",
		"10000:10001", "a-b", " 10000-10001", "10000-65536",
	};
	(void)state;

	right(&ports, "10000-10001", "10000-10001");
	assert_int_equal(v.ports[0], 10000);
	assert_int_equal(v.ports[1], 10001);
	right(&ports, "1024-65535", "1024-65535");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		wrong(&ports, bad[i], EINVAL, NULL);

	wrong(&ports, "10001-10010", ERANGE, "ports must be MIN-MAX, from an"
	      " even port of at least 1024 to a greater one of at most 65535,"
	      " not \"10001-10010\"");
	wrong(&ports, "10000-10000", ERANGE, NULL);
	wrong(&ports, "10002-10000", ERANGE, NULL);
	wrong(&ports, "1022-2000", ERANGE, NULL);
}


static void test_addrs(void **state)
{
	(void)state;

	right(&addrs, "", "");
	right(&addrs, "192.0.2.1", "192.0.2.1");
	right(&addrs, " 192.0.2.1:53, [::1]:5353 ::1",
	      "192.0.2.1:53,[::1]:5353,::1");

	wrong(&addrs, "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4", EINVAL, NULL);
	wrong(&addrs, "1.1.1.1:0", EINVAL, NULL);
	wrong(&addrs, "[1.1.1]", EINVAL, NULL);
	wrong(&addrs, "1111:2222:3333:4444:5555:6666:7777:8888,1.1.1.1",
	      EOVERFLOW, NULL);
	wrong(&addrs, "dns.example", EINVAL, "addrs must be at most 3"
	      " addresses, each with :PORT or without, IPv6 in brackets,"
	      " with commas between them, not \"dns.example\"");
	assert_string_equal(v.addrs, "192.0.2.1:53,[::1]:5353,::1");
}


static void test_text(void **state)
{
	(void)state;

	right(&text, "1234567", "1234567");
	right(&text, "J\xc3\xbcrg", "J\xc3\xbcrg");
	right(&text, "", "");
	wrong(&text, "12345678", ERANGE, NULL);
	wrong(&text, "a\r\nb", EINVAL, "text must be UTF-8 text without"
	      " control characters");
	wrong(&text, "\xff", EINVAL, NULL);
	wrong(&text, "\xe2\x80\xae", EINVAL, NULL);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_addrs),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
