/**
 * @file test_accounts_file.c  The accounts file: all of it or nothing
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/config.h>
#include <offhook/log.h>
#include <offhook/path.h>


static char file[64];
static char err[CONFIG_ERR];
static struct account_conf got[4];
static unsigned got_n, stop_at;
static unsigned warned;


static void log_heard(enum log_level level, const char *module,
		      const char *text, void *arg)
{
	(void)module;
	(void)arg;

	assert_int_equal(level, LOGL_WARN);
	assert_non_null(strstr(text, "others may read it"));
	assert_null(strstr(text, "secret"));
	++warned;
}


static int setup(void **state)
{
	int fd;
	(void)state;

	(void)snprintf(file, sizeof(file), "/tmp/offhook-acc-XXXXXX");
	fd = mkstemp(file);
	if (fd < 0)
		return -1;
	(void)close(fd);

	got_n = warned = stop_at = 0;
	log_set_handler(log_heard, NULL);

	return log_open("/dev/null");
}


static int teardown(void **state)
{
	(void)state;

	log_set_handler(NULL, NULL);
	log_close();
	(void)unlink(file);

	return 0;
}


static int account_h(const struct account_conf *ac, void *arg)
{
	assert_ptr_equal(arg, file);
	assert_true(got_n < 4);
	got[got_n++] = *ac;

	return got_n == stop_at ? ECANCELED : 0;
}


static int load(const char *text)
{
	assert_int_equal(path_write(file, text, strlen(text), 0600), 0);

	return accounts_load(file, account_h, file, err);
}


static void test_load(void **state)
{
	(void)state;

	assert_int_equal(load("# my accounts\n"
			      "[work]\n"
			      "transport = tls\n"
			      "uri = sip:alice@example.com;expires=60\n"
			      "password = \"se;cr%et # x\"   # quoted\n"
			      "\n"
			      "[ home ]\n"
			      "uri = <sip:bob@example.org;user=phone>\n"
			      "display-name = Bob B\n"
			      "auth-user = bobby\n"
			      "register = no\n"), 0);
	assert_int_equal(got_n, 2);
	assert_int_equal(warned, 0);

	assert_string_equal(got[0].name, "work");
	assert_string_equal(got[0].aor, "sip:alice@example.com");
	assert_string_equal(got[0].transport, "tls");
	assert_string_equal(got[0].password, "se;cr%et # x");
	assert_string_equal(got[0].auth_user, "alice");
	assert_int_equal(got[0].expires, 60);
	assert_int_equal(got[0].regist, -1);

	assert_string_equal(got[1].name, "home");
	assert_string_equal(got[1].aor, "sip:bob@example.org;user=phone");
	assert_string_equal(got[1].display_name, "Bob B");
	assert_string_equal(got[1].auth_user, "bobby");
	assert_int_equal(got[1].regist, 0);
}


static void test_none(void **state)
{
	(void)state;

	assert_int_equal(accounts_load("/nonexistent/accounts", account_h,
				       file, err), 0);
	assert_int_equal(load(""), 0);
	assert_int_equal(load("# nothing\n"), 0);
	assert_int_equal(got_n, 0);

	assert_int_equal(accounts_load("/", account_h, file, err), EISDIR);
	assert_int_equal(accounts_load(NULL, account_h, file, err), EINVAL);
}


static void test_handler_stops(void **state)
{
	(void)state;

	stop_at = 1;
	assert_int_equal(load("[a]\nuri = sip:a@x\n[b]\nuri = sip:b@x\n"),
			 ECANCELED);
	assert_int_equal(got_n, 1);
}


static void fails(const char *text, const char *message)
{
	assert_int_equal(load(text), EINVAL);
	assert_int_equal(got_n, 0);
	assert_memory_equal(err, file, strlen(file));
	assert_string_equal(err + strlen(file), message);
	assert_null(strstr(err, "secret"));
}


#define GOOD "[ok]\nuri = sip:ok@x\n"

static void test_errors(void **state)
{
	(void)state;

	fails("uri = sip:a@b\n", " line 1: before the parameters of an"
	      " account stands its name: [NAME]");
	fails(GOOD "[a]\npasword = secret\n", " line 4: an account has no"
	      " parameter \"pasword\"; did you mean password?");
	fails(GOOD "[a]\nurl = sip:a@b\n", " line 4: an account has no"
	      " parameter \"url\"; did you mean uri?");
	fails(GOOD "[a]\npassword-en = A\n", " line 4: an account has no such"
	      " parameter; did you mean password-env?");
	fails(GOOD "[a]\npassword = secret\n", " line 3: [a] has no uri; it"
	      " needs a line like uri = sip:alice@example.com");
	fails(GOOD "[a]\nuri = alice\n", " line 4: \"alice\" is not the"
	      " address of an account; it begins with sip: or sips:, as in"
	      " sip:alice@example.com");
	fails(GOOD "[a]\nuri = sip:a@b\nexpires = x\n", " line 5: expires must"
	      " be a whole number from 10 to 604800, not \"x\"");
	fails(GOOD "[a]\nuri = sip:a@b\nuri = sip:c@d\n", " line 5: uri was"
	      " already set in line 4");
	fails(GOOD "[a]\nexpires = 60\nuri = sip:a@b;expires=70\n", " line 4:"
	      " expires is given in the uri too");
	fails(GOOD "[a]\nuri = sip:a@b;name=c\n", " line 4: name is given"
	      " twice");
	fails(GOOD "[a]\nname = c\nuri = sip:a@b\n", " line 4: the name of an"
	      " account is that of its section: [NAME]");
	fails(GOOD "[ok]\nuri = sip:a@b\n", " line 3: [ok] was already begun"
	      " in line 1");
	fails(GOOD "[a\n", " line 3: a section is a name in brackets: [NAME]");
	fails(GOOD "[a]\nuri = sip:a@b\npassword = \"secret\n", " line 5: the"
	      " closing quote is missing");
	fails(GOOD "[a\x1b]\nuri = sip:a@b\n", " line 3: [a?] is not a name");
	fails(GOOD "[a]\nuri = sip:a@b\npassword = secret\nha1 = 0123456789ab"
	      "cdef0123456789abcdef\n", " line 6: password and ha1 both give"
	      " the password; keep one of them");
}


static void test_readable_by_others(void **state)
{
	(void)state;

	assert_int_equal(load("[a]\nuri = sip:a@b\npassword = secret\n"), 0);
	assert_int_equal(warned, 0);

	got_n = 0;
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(accounts_load(file, account_h, file, err), 0);
	assert_int_equal(got_n, 1);
	assert_int_equal(warned, 1);

	/* without a password in it there is nothing to hide */
	got_n = 0;
	assert_int_equal(load("[a]\nuri = sip:a@b\n"), 0);
	assert_int_equal(warned, 1);
}


int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_load),
		T(test_none),
		T(test_handler_stops),
		T(test_errors),
		T(test_readable_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
