/**
 * @file test_identities.c  A table of identities, read and refused
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/compat.h"
#include "offhook/identities.h"


static char err[CONFIG_ERR], path[64];
static struct identities *ids;
static struct account_conf base;


static int setup(void **state)
{
	(void)state;

	return account_parse(&base, "sip:me@example.com:5070;password=all;"
			     "transport=tcp;default", err);
}


static int teardown(void **state)
{
	(void)state;
	ids = mem_deref(ids);
	(void)unlink(path);

	return 0;
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static int load(const char *text, size_t len, const struct account_conf *b)
{
	int fd, e;

	ids = mem_deref(ids);
	snprintf(path, sizeof(path), "/tmp/offhook-ids-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	(void)close(fd);
	e = identities_load(&ids, path, b, err);
	(void)unlink(path);

	return e;
}


static void takes(const char *text)
{
	if (load(text, strlen(text), &base))
		fail_msg("%s", err);
}


static void refuses(const char *text, const char *why)
{
	assert_int_equal(load(text, strlen(text), &base), EINVAL);
	if (!strstr(err, why))
		fail_msg("%s", err);
	assert_null(ids);
}


static void rows(void **state)
{
	struct account_conf ac;
	char buf[128];
	(void)state;

	takes("\xef\xbb\xbf# people\nuser,password,display_name,number,"
	      "auth-user,x-room\r\n"
	      "alice,secret,\"Alice, \"\"A\"\"\",100,,red\r\n\r\n"
	      " bob , , Bob ,101,bob2,blue\n");
	assert_int_equal(identities_count(ids), 2);

	assert_int_equal(identities_account(&ac, ids, 0, err), 0);
	assert_string_equal(ac.aor, "sip:alice@example.com:5070");
	assert_string_equal(ac.password, "secret");
	assert_string_equal(ac.display_name, "Alice, \"A\"");
	assert_string_equal(ac.auth_user, "alice");
	assert_string_equal(ac.transport, "tcp");
	assert_string_equal(ac.name, "alice");
	assert_int_equal(ac.regist, 0);
	assert_false(ac.default_);

	assert_int_equal(identities_account(&ac, ids, 1, err), 0);
	assert_string_equal(ac.aor, "sip:bob@example.com:5070");
	assert_string_equal(ac.password, "all");
	assert_string_equal(ac.auth_user, "bob2");

	assert_int_equal(identities_fill(buf, sizeof(buf), ids, 1,
					 "sip:{number}@{x-room}.h", err), 0);
	assert_string_equal(buf, "sip:101@blue.h");
	assert_int_equal(identities_fill(buf, sizeof(buf), ids, 1, "{none}",
					 err), ENOENT);
	assert_non_null(strstr(err, "{none}"));
	assert_int_equal(identities_fill(buf, 5, ids, 1, "{number}23", err),
			 EOVERFLOW);
	assert_int_equal(identities_fill(buf, sizeof(buf), ids, 0, "a{b",
					 err), 0);
	assert_string_equal(buf, "a{b");
}


static void alone(void **state)
{
	static const char text[] = "uri;password;name\nsip:a@h;x;first\n"
		"\"<sip:b@h;user=phone>\";y;\n";
	struct account_conf ac;
	(void)state;

	assert_int_equal(load(text, strlen(text), NULL), 0);
	assert_int_equal(identities_account(&ac, ids, 0, err), 0);
	assert_string_equal(ac.aor, "sip:a@h");
	assert_string_equal(ac.name, "first");
	assert_int_equal(ac.expires, 3600);
	assert_int_equal(identities_account(&ac, ids, 1, err), 0);
	assert_string_equal(ac.name, "b");

	assert_int_equal(load("user\na\n", 7, NULL), EINVAL);
	assert_non_null(strstr(err, "column uri"));
}


static void wrongs(void **state)
{
	char *big;
	size_t n = 0;
	(void)state;

	refuses("", ":1: the first line names the columns");
	refuses("# nothing\n", "the first line names");
	refuses("user,pasword\na,b\n", ":1: there is no column 'pasword'; "
		"did you mean 'password'?");
	refuses("user,zzzzzzzzzz\na,b\n", "there are user, uri, number");
	refuses("user,user\na,b\n", "twice");
	refuses("password\na\n", "no column user");
	refuses("user,password\n", "no identity");
	refuses("user,password\na,b\nc\n", ":3: there are 1 cells for 2");
	refuses("user,password\na,b,c\n", "more than 2 cells");
	refuses("user\n\"a\n", ":2: a quote is not closed");
	refuses("user\n\"a\"b\n", "the cell must end");
	refuses("user\na b@c\n", "is no user");
	refuses("user,expires\na,soon\n", ":2: expires");
	refuses("uri\nsip:a@h;password=x\n", "columns of their own");
	refuses("user\na\tb\n", "control character");
	assert_int_equal(load("user\na\0b\n", 9, &base), EINVAL);
	assert_non_null(strstr(err, "no text"));

	big = malloc(8 * (IDENTITIES_MAX + 2) + 16);
	assert_non_null(big);
	n = (size_t)sprintf(big, "user\n");
	for (unsigned i = 0; i <= IDENTITIES_MAX; i++)
		n += (size_t)sprintf(big + n, "u%u\n", i);
	assert_int_equal(load(big, n, &base), EFBIG);
	assert_non_null(strstr(err, "more than 100000"));
	free(big);

	assert_int_equal(identities_load(&ids, "/nonexistent", &base, err),
			 ENOENT);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows),
		TEST(alone),
		TEST(wrongs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
