/**
 * @file test_accounts_save.c  Writing the accounts file: what is the user's
 * stays
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
#include <offhook/path.h>


static char dir[64], file[128];
static char err[CONFIG_ERR];


static int setup(void **state)
{
	(void)state;

	(void)snprintf(dir, sizeof(dir), "/tmp/offhook-save-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/accounts", dir);

	return 0;
}


static int teardown(void **state)
{
	char sub[160];
	(void)state;

	(void)unlink(file);
	(void)snprintf(sub, sizeof(sub), "%s/deep/accounts", dir);
	(void)unlink(sub);
	(void)snprintf(sub, sizeof(sub), "%s/deep/.lock", dir);
	(void)unlink(sub);
	(void)snprintf(sub, sizeof(sub), "%s/deep", dir);
	(void)rmdir(sub);
	(void)snprintf(sub, sizeof(sub), "%s/.lock", dir);
	(void)unlink(sub);

	return rmdir(dir);
}


static void put(const char *text)
{
	assert_int_equal(path_write(file, text, strlen(text), 0600), 0);
}


static void holds(const char *want)
{
	char *text = NULL;
	size_t len;

	assert_int_equal(path_read(&text, &len, file, 65536), 0);
	assert_string_equal(text, want);
	free(text);
}


static void save(const char *spec)
{
	struct account_conf ac;

	if (account_parse(&ac, spec, err) || accounts_save(file, &ac, err))
		fail_msg("%s", err);
}


static int keep_h(const struct account_conf *ac, void *arg)
{
	*(struct account_conf *)arg = *ac;

	return 0;
}


/* Everything an account may say is read back as it was */
static void test_round(void **state)
{
	struct account_conf ac, back;
	struct stat st;
	size_t n;
	const struct account_param *prm = account_param_table(&n);
	(void)state;

	assert_int_equal(account_parse(&ac,
		"<sip:alice@example.com;user=phone>;name=work;"
		"display-name=Alice%20%22A%22%20%23;password=%20s%3Bec%22ret;"
		"auth-user=al;registrar=reg.example.com;registrar2=r2;"
		"outbound=<sip:proxy.example.com;lr;transport=tcp>;"
		"outbound2=p2;transport=tls;expires=600;register=no;catch-all;"
		"auto-answer=486;media-security=prefer;codecs=pcmu,opus;"
		"reliable=required;default;fallback=home;sip-outbound=no;gruu;"
		"nat=off;keepalive=30;contact-user=line1;contact-q=0.5;header=X-Y: z;"
		"require-auth;auth-in-user=in;auth-in-password=pw;"
		"callers=registrar;check-origin", err), 0);
	assert_int_equal(accounts_save(file, &ac, err), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	memset(&back, 0, sizeof(back));
	if (accounts_load(file, keep_h, &back, err))
		fail_msg("%s", err);
	for (size_t i = 0; i < n; i++) {
		const char *a = (char *)&ac + prm[i].offset;
		const char *b = (char *)&back + prm[i].offset;

		if (prm[i].size > 8 ? strcmp(a, b) :
		    memcmp(a, b, prm[i].size))
			fail_msg("%s", prm[i].name);
	}
	assert_string_equal(ac.aor, back.aor);
}


static void test_new(void **state)
{
	(void)state;

	save("sip:alice@example.com;name=a;password=secret");
	holds("[a]\nuri = sip:alice@example.com\npassword = secret\n");

	/* the end of the last line may be missing */
	put("# mine\n[b]\nuri = sip:b@x");
	save("sip:alice@example.com;name=a");
	holds("# mine\n[b]\nuri = sip:b@x\n\n"
	      "[a]\nuri = sip:alice@example.com\n");

	/* a password that comes from elsewhere stays there */
	put("");
	assert_int_equal(setenv("OFFHOOK_TEST_PW", "secret", 1), 0);
	save("sip:alice@example.com;name=a;password-env=OFFHOOK_TEST_PW");
	holds("[a]\nuri = sip:alice@example.com\n"
	      "password-env = OFFHOOK_TEST_PW\n");
}


static void test_changed(void **state)
{
	(void)state;

	put("# who we are\n\n"
	    "# at work\n"
	    "[ work ]   # yes\n"
	    "uri = sip:alice@example.com   # us\n"
	    "  password =   \"secret\"   # shh\n"
	    "\n"
	    "# how long\n"
	    "expires = 60 # a minute\n"
	    "register = no\n"
	    "\n"
	    "# at home\n"
	    "[home]\n"
	    "uri = sip:alice@home\n");

	/* only what has changed is touched; what is new comes last */
	save("sip:alice@example.com;name=work;password=secret;expires=90;"
	     "transport=tcp");
	holds("# who we are\n\n"
	      "# at work\n"
	      "[ work ]   # yes\n"
	      "uri = sip:alice@example.com   # us\n"
	      "  password =   \"secret\"   # shh\n"
	      "\n"
	      "# how long\n"
	      "expires = 90 # a minute\n"
	      "transport = tcp\n"
	      "\n"
	      "# at home\n"
	      "[home]\n"
	      "uri = sip:alice@home\n");

	/* parameters inside the address get lines of their own */
	put("[work]\nuri = sip:alice@example.com;expires=70;transport=udp\n");
	save("sip:alice@example.com;name=work;expires=70;transport=tcp");
	holds("[work]\nuri = sip:alice@example.com\ntransport = tcp\n"
	      "expires = 70\n");
}


static void test_forget(void **state)
{
	(void)state;

	put("# all\n\n# a\n# of mine\n[a]\nuri = sip:a@x\n\n# inside\n\n"
	    "# b\n[b]\nuri = sip:b@x\n");
	assert_int_equal(accounts_forget(file, "c", err), ENOENT);
	assert_non_null(strstr(err, "no account c"));
	assert_int_equal(accounts_forget(file, "a", err), 0);
	holds("# all\n\n# b\n[b]\nuri = sip:b@x\n");
	assert_int_equal(accounts_forget(file, "b", err), 0);
	holds("# all\n\n");
	assert_int_equal(accounts_forget(file, "b", err), ENOENT);
}


/* A file that is wrong is not made right by us */
static void test_refused(void **state)
{
	struct account_conf ac;
	char deep[160];
	(void)state;

	assert_int_equal(account_parse(&ac, "sip:a@x;name=a", err), 0);
	put("[a]\nnonsense\n");
	assert_int_equal(accounts_save(file, &ac, err), EINVAL);
	assert_non_null(strstr(err, "line 2"));
	assert_int_equal(accounts_forget(file, "a", err), EINVAL);
	holds("[a]\nnonsense\n");

	ac.name[0] = '\0';
	assert_int_equal(accounts_save(file, &ac, err), EINVAL);
	(void)snprintf(ac.name, sizeof(ac.name), "a]b");
	assert_int_equal(accounts_save(file, &ac, err), EINVAL);

	/* the directory is made */
	(void)snprintf(deep, sizeof(deep), "%s/deep/accounts", dir);
	(void)snprintf(ac.name, sizeof(ac.name), "a");
	assert_int_equal(accounts_save(deep, &ac, err), 0);
	assert_int_equal(accounts_save("/proc/none/accounts", &ac, err),
			 ENOENT);
	assert_non_null(strstr(err, "cannot write"));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
