/**
 * @file test_accounts.c  Accounts from -a: parameters, passwords, masking
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/config.h>
#include <offhook/path.h>


static char err[CONFIG_ERR];
static struct account_conf ac;


static void parse(const char *text)
{
	err[0] = '\0';
	if (account_parse(&ac, text, err))
		fail_msg("%s", err);
}


static void fails(const char *text, const char *message)
{
	struct account_conf before;

	memset(&ac, 0x5a, sizeof(ac));
	before = ac;
	assert_int_equal(account_parse(&ac, text, NULL), EINVAL);
	assert_int_equal(account_parse(&ac, text, err), EINVAL);
	assert_memory_equal(&before, &ac, sizeof(ac));
	assert_string_equal(err, message);
}


static void test_table(void **state)
{
	size_t n;
	const struct account_param *p = account_param_table(&n);
	unsigned secrets = 0;
	(void)state;

	assert_true(n >= 40);

	for (size_t i = 0; i < n; i++) {
		assert_true(p[i].summary && p[i].summary[0]);
		assert_true(p[i].offset + p[i].size <=
			    sizeof(struct account_conf));
		for (const char *c = p[i].name; *c; c++)
			assert_true(islower(*c) || isdigit(*c) || *c == '-');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(p[i].name, p[k].name);
		secrets += p[i].secret;
	}
	assert_int_equal(secrets, 3);
}


static void test_plain(void **state)
{
	(void)state;

	parse("sip:alice@example.com");
	assert_string_equal(ac.aor, "sip:alice@example.com");
	assert_string_equal(ac.auth_user, "alice");
	assert_string_equal(ac.name, "");
	assert_string_equal(ac.password, "");
	assert_string_equal(ac.transport, "");
	assert_int_equal(ac.expires, 3600);
	assert_int_equal(ac.regist, -1);
	assert_false(ac.catch_all);
	assert_string_equal(ac.media_security, "");
	assert_string_equal(ac.reliable, "");
	assert_int_equal(ac.sip_outbound, -1);
	assert_int_equal(ac.callers, CALLERS_ANY);

	parse("sip:alice@example.com;");
	parse("sip:alice@example.com;;expires=60;");
	assert_int_equal(ac.expires, 60);
}


static void test_all_params(void **state)
{
	(void)state;

	parse("<sip:alice@example.com;user=phone>;name=work;"
	      "display-name=Alice%20%22A%22;password=s%3Bec%25ret;"
	      "auth-user=al;registrar=reg.example.com;"
	      "outbound=<sip:proxy.example.com;lr;transport=tcp>;"
	      "transport=TLS;expires=600;register=no;catch-all;"
	      "auto-answer=486;media-security=prefer;codecs=pcmu,opus;"
	      "reliable=required");
	assert_string_equal(ac.aor, "sip:alice@example.com;user=phone");
	assert_string_equal(ac.name, "work");
	assert_string_equal(ac.display_name, "Alice \"A\"");
	assert_string_equal(ac.password, "s;ec%ret");
	assert_string_equal(ac.auth_user, "al");
	assert_string_equal(ac.registrar, "sip:reg.example.com");
	assert_string_equal(ac.outbound,
			    "sip:proxy.example.com;lr;transport=tcp");
	assert_string_equal(ac.transport, "tls");
	assert_int_equal(ac.expires, 600);
	assert_int_equal(ac.regist, 0);
	assert_true(ac.catch_all);
	assert_string_equal(ac.auto_answer, "486");
	assert_string_equal(ac.media_security, "prefer");
	assert_string_equal(ac.codecs, "pcmu,opus");
	assert_string_equal(ac.reliable, "required");

	parse("sip:a@b;default;registrar2=r2;outbound2=<sip:p2;transport=tcp>;"
	      "fallback=home;sip-outbound=no;gruu;nat=off;keepalive=25;"
	      "contact-user=l1;contact-q=0.75;header=X-Y%3A z;require-auth;auth-in-user=in;"
	      "auth-in-password=pw;callers=known;check-origin");
	assert_true(ac.default_);
	assert_string_equal(ac.registrar2, "sip:r2");
	assert_string_equal(ac.outbound2, "sip:p2;transport=tcp");
	assert_string_equal(ac.fallback, "home");
	assert_int_equal(ac.sip_outbound, 0);
	assert_true(ac.gruu);
	assert_string_equal(ac.nat, "off");
	assert_string_equal(ac.keepalive, "25");
	assert_string_equal(ac.contact_user, "l1");
	assert_string_equal(ac.contact_q, "0.75");
	assert_string_equal(ac.header, "X-Y: z");
	assert_true(ac.require_auth);
	assert_string_equal(ac.auth_in_user, "in");
	assert_string_equal(ac.auth_in_password, "pw");
	assert_int_equal(ac.callers, CALLERS_KNOWN);
	assert_true(ac.check_origin);

	parse("sip:a@b;password=p@<ss:w/o=rd?;register=yes");
	assert_string_equal(ac.password, "p@<ss:w/o=rd?");
	assert_int_equal(ac.regist, 1);

	parse("sip:a@b;ha1=0123456789abcdef0123456789ABCDEF;outbound=p");
	assert_string_equal(ac.ha1, "0123456789abcdef0123456789ABCDEF");
	assert_string_equal(ac.outbound, "sip:p");
}


static void test_errors(void **state)
{
	static const char *const bad_q[] = {
		"2", "1.1", "-1", "0.1234", "0,5", ".5", "1.0000", "high",
	};
	(void)state;

	fails("sip:a@b;pasword=secret",
	      "an account has no parameter \"pasword\"; did you mean"
	      " password?");
	fails("sip:a@b;zzzzzz=1",
	      "an account has no parameter \"zzzzzz\"");
	/* near another name, and yet a password may stand in it */
	fails("sip:a@b;password-en=X", "an account has no such parameter; did"
	      " you mean password-env?");
	fails("sip:a@b;passwordenv=X", "an account has no such parameter; did"
	      " you mean password-env?");
	fails("sip:a@b;password:secret", "behind password comes \"=\" and"
	      " then its value");
	fails("sip:a@b;passwords3cr3t", "behind password comes \"=\" and then"
	      " its value");
	fails("sip:a@b;url=c", "an account has no parameter \"url\"");
	fails("sip:a@b;user=phone", "an account has no parameter \"user\"");
	fails("sip:a@b;password", "password needs a value: password=VALUE");
	fails("sip:a@b;password=", "password has no value");
	fails("sip:a@b;catch-all x=1",
	      "catch-all needs a value: catch-all=VALUE");
	fails("sip:a@b;=x",
	      "behind a ; stands a parameter: NAME=VALUE");
	fails("sip:a@b x", "behind the account's address come parameters:"
	      " ;NAME=VALUE");
	fails("sip:a@b;expires=60;expires=70", "expires is given twice");
	fails("sip:a@b;expires=5", "expires must be a whole number from 10 to"
	      " 604800, not \"5\"");
	fails("sip:a@b;transport=sctp", "transport must be udp, tcp or tls,"
	      " not \"sctp\"; did you mean tcp?");
	fails("sip:a@b;password=100%", "in the value of password a % is not"
	      " followed by two hex digits; a % itself is %25");
	fails("sip:a@b;display-name=a%0D%0Ab", "display-name must be UTF-8"
	      " text without control characters");
	fails("sip:a%0d%0ab@b", "auth-user must be UTF-8 text without control"
	      " characters");
	fails("sip:a@b;ha1=secret", "ha1 must be 32 hex digits (MD5) or 64"
	      " (SHA-256)");
	fails("sip:a@b;ha1=01234567890123456789012345678901234567890123456789"
	      "012345678901234567890123456789secret", "ha1 is too long");
	fails("sip:a@b;auto-answer=maybe", "auto-answer must be yes, no or a"
	      " SIP code from 200 to 699");
	fails("sip:a@b;auto-answer=4294967496", "auto-answer must be yes, no"
	      " or a SIP code from 200 to 699");
	fails("sip:a@b;auto-answer=180", "auto-answer must be yes, no or a"
	      " SIP code from 200 to 699");
	fails("sip:a@b;registrar=a b", "registrar must be a host, HOST:PORT"
	      " or a SIP URI, not \"a b\"");
	fails("sip:a@b;codecs=opus,g729", "codecs must be some of opus, g722,"
	      " pcmu, pcma, l16 or gsm, each once, with commas between them, not"
	      " \"g729\"; did you mean g722?");
	fails("sip:a@b;keepalive=1", "keepalive must be auto, off or seconds"
	      " from 5 to 3600");
	fails("sip:a@b;keepalive=often", "keepalive must be auto, off or"
	      " seconds from 5 to 3600");
	for (size_t i = 0; i < sizeof(bad_q) / sizeof(bad_q[0]); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "sip:a@b;contact-q=%s",
			       bad_q[i]);
		fails(text, "contact-q must be from 0.0 to 1.0, with three"
		      " digits behind the point at most");
	}
	fails("sip:a@b;header=nonsense", "header must be NAME: VALUE");
	fails("sip:a@b;header=X:%0d%0aY: 1", "header must be UTF-8 text"
	      " without control characters");
	fails("sip:a@b;outbound2=a b", "outbound2 must be a host, HOST:PORT"
	      " or a SIP URI, not \"a b\"");
	fails("sip:a@b;password=a;ha1=0123456789abcdef0123456789abcdef",
	      "password and ha1 both give the password; keep one of them");
	fails("sip:a@b;password-command=x;password-env=Y",
	      "password-command and password-env both give the password; keep"
	      " one of them");
}


static void test_too_long(void **state)
{
	char text[1000];
	(void)state;

	(void)strcpy(text, "sip:a@b;password=");
	memset(text + 17, 's', 300);
	text[317] = '\0';
	fails(text, "the value of password is longer than 255 bytes");

	text[17 + 255] = '\0';
	parse(text);
	assert_int_equal(strlen(ac.password), 255);
}


static void test_password_sources(void **state)
{
	char text[128], file[] = "/tmp/offhook-pw-XXXXXX";
	const int fd = mkstemp(file);
	(void)state;

	assert_true(fd >= 0);
	(void)close(fd);

	(void)unsetenv("OFFHOOK_TEST_PW");
	fails("sip:a@b;password-env=OFFHOOK_TEST_PW", "password-env: the"
	      " environment has no variable OFFHOOK_TEST_PW");
	assert_int_equal(setenv("OFFHOOK_TEST_PW", "", 1), 0);
	fails("sip:a@b;password-env=OFFHOOK_TEST_PW",
	      "password-env gives an empty password");
	assert_int_equal(setenv("OFFHOOK_TEST_PW", "from env%20", 1), 0);
	parse("sip:a@b;password-env=OFFHOOK_TEST_PW");
	assert_string_equal(ac.password, "from env%20");
	assert_string_equal(ac.password_env, "OFFHOOK_TEST_PW");

	(void)snprintf(text, sizeof(text), "sip:a@b;password-file=%s", file);
	assert_int_equal(path_write(file, "line one\r\nline two", 18, 0600),
			 0);
	parse(text);
	assert_string_equal(ac.password, "line one");

	assert_int_equal(path_write(file, "\n", 1, 0600), 0);
	fails(text, "password-file gives an empty password");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(account_parse(&ac, text, err), EINVAL);
	assert_non_null(strstr(err, "No such file"));

	/* left to the caller */
	parse("sip:a@b;password-command=pass%20show%20sip");
	assert_string_equal(ac.password_command, "pass show sip");
	assert_string_equal(ac.password, "");
}


static void get(const char *name, const char *want)
{
	char buf[300] = "old";

	assert_int_equal(account_param_get(&ac, name, buf, sizeof(buf)),
			 want ? 0 : ENOENT);
	assert_string_equal(buf, want ? want : "old");
}


static void test_get(void **state)
{
	size_t n;
	const struct account_param *p = account_param_table(&n);
	char buf[300];
	(void)state;

	parse("sip:a@b;password=secret");
	get("password", "***");
	get("auth-user", "a");
	get("expires", "3600");
	get("catch-all", "no");
	get("media-security", NULL);
	get("register", NULL);
	get("registrar", NULL);
	get("transport", NULL);
	get("ha1", NULL);
	get("nothing", NULL);

	for (size_t i = 0; i < n; i++) {
		if (!account_param_get(&ac, p[i].name, buf, sizeof(buf)))
			assert_null(strstr(buf, "secret"));
	}

	/* a password that was read from somewhere is not a parameter */
	assert_int_equal(setenv("OFFHOOK_TEST_PW", "secret", 1), 0);
	parse("sip:a@b;password-env=OFFHOOK_TEST_PW;register=yes");
	get("password", NULL);
	get("password-env", "OFFHOOK_TEST_PW");
	get("register", "yes");
	assert_int_equal(account_param_get(&ac, "password-env", buf, 4),
			 EOVERFLOW);
}


static void test_set(void **state)
{
	struct account_conf before;
	(void)state;

	parse("sip:a@b;password=old");
	assert_int_equal(account_param_set(&ac, "password", "new", err), 0);
	assert_string_equal(ac.password, "new");
	assert_int_equal(account_param_set(&ac, "register", "yes", err), 0);
	assert_int_equal(ac.regist, 1);

	before = ac;
	assert_int_equal(account_param_set(&ac, "expires", "soon", err),
			 EINVAL);
	assert_int_equal(account_param_set(&ac, "registrar", "x y", err),
			 EINVAL);
	assert_int_equal(account_param_set(&ac, "password-file",
					   "/nonexistent", err), EINVAL);
	assert_int_equal(account_param_set(&ac, "nme", "x", err), EINVAL);
	assert_int_equal(account_param_set(&ac, NULL, "x", err), EINVAL);
	assert_int_equal(account_param_set(&ac, "name", "", err), EINVAL);
	assert_memory_equal(&before, &ac, sizeof(ac));
}


static void mask(const char *in, const char *want)
{
	char buf[200];

	(void)snprintf(buf, sizeof(buf), "%s", in);
	account_mask_arg(buf);
	assert_string_equal(buf, want);
}


static void test_mask_arg(void **state)
{
	(void)state;

	mask("sip:a@b;password=se cret,\"'x;transport=tls",
	     "sip:a@b;password=xxxxxxxxxxx;transport=tls");
	mask("--account=sip:a@b;transport=tls;PassWord=secret",
	     "--account=sip:a@b;transport=tls;PassWord=xxxxxx");
	mask("sip:a@b;ha1=0123;expires=1", "sip:a@b;ha1=xxxx;expires=1");
	mask("sip:a@b;auth-in-password=pw;gruu",
	     "sip:a@b;auth-in-password=xx;gruu");
	mask("sip:a:secret@b", "sip:a:xxxxxx@b");
	mask("sip:a@b;password=", "sip:a@b;password=");
	mask("sip:a@b;password-env=SIP_PW", "sip:a@b;password-env=SIP_PW");
	mask("dial", "dial");
	mask("", "");
	account_mask_arg(NULL);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_all_params),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_password_sources),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_mask_arg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
