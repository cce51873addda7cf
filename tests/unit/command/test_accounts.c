/**
 * @file test_accounts.c  Commands about accounts, and waiting for them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/path.h"
#include "json.h"
#include "priv.h"
#include "rig.h"


static void says(struct rig *r, const char *line, const char *want)
{
	const char *reply = rig_run(r, line);

	if (!strstr(reply, want))
		fail_msg("%s: %s (not %s)", line, reply, want);
}


static void asks(struct rig *r, const char *line, const char *want)
{
	says(r, line, "\"ok\":true");
	assert_string_equal(fake_asked(), want);
}


static void test_list(void **state)
{
	struct rig *r = *state;

	says(r, "accounts", "\"accounts\":[{\"account\":1,\"name\":\"work\","
	     "\"aor\":\"sip:me@example.com\",\"state\":\"off\","
	     "\"default\":true}]}");

	fake_account_state(1, "registered", 200);
	says(r, "accounts", "\"state\":\"registered\",\"default\":true,"
	     "\"server\":\"192.0.2.1:5060\",\"transport\":\"udp\","
	     "\"contact\":\"sip:me@192.0.2.2\","
	     "\"expires_ms\":60000,\"next_ms\":1000,\"code\":200}]}");
	says(r, "accounts work", "\"bindings\":[{\"uri\":\"sip:me@192.0.2.2\","
	     "\"expires_ms\":60000,\"instance\":\"urn:x\",\"flow\":1,"
	     "\"ours\":true}]");
	says(r, "accounts home", "no-such-account");
}


static void test_change(void **state)
{
	struct rig *r = *state;

	asks(r, "account add 'sip:al@home.example;name=home;expires=90'",
	     "account_add sip:al@home.example");
	assert_non_null(strstr(r->replies, "\"account\":2,\"name\":\"home\""));
	says(r, "account add 'sip:al@home.example;name=home'", "\"already\"");
	says(r, "account add 'sip:al@x;pasword=secret'", "\"bad-account\"");
	assert_null(strstr(r->replies, "secret"));
	says(r, "account add sip:al@x expires=5", "\"too-many-arguments\"");

	asks(r, "account set home expires=120 register=no",
	     "account_change home expires=120");
	says(r, "account set home", "\"missing-argument\"");
	says(r, "account set home expires", "NAME=VALUE");
	says(r, "account set home expires=1", "\"bad-argument\"");
	says(r, "account set nobody expires=60", "\"no-such-account\"");

	asks(r, "account use home", "account_use home");
	says(r, "account use home work", "\"too-many-arguments\"");
	asks(r, "account remove home", "account_remove home");
	says(r, "account remove home", "\"no-such-account\"");
	says(r, "account lose home", "\"bad-argument\"");
	says(r, "account", "\"missing-argument\"");
}


static void file_is(const char *path, const char *want)
{
	char *text = NULL;
	size_t len;

	assert_int_equal(path_read(&text, &len, path, 65536), 0);
	assert_string_equal(text, want);
	free(text);
}


static void test_save(void **state)
{
	char dir[] = "/tmp/offhook-cmd-XXXXXX", path[64];
	struct rig *r = *state;

	says(r, "account add 'sip:a@x;name=a' --save", "\"no-such-file\"");
	asks(r, "account remove a", "account_remove a");

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/accounts", dir);
	snprintf(r->ph.config_dir, sizeof(r->ph.config_dir), "%s", dir);

	asks(r, "account add 'sip:a@x;name=a;default' --save",
	     "account_add sip:a@x");
	asks(r, "account add 'sip:b@x;name=b' --save", "account_add sip:b@x");
	asks(r, "account set b expires=60 --save",
	     "account_change b expires=60");
	file_is(path, "[a]\nuri = sip:a@x\ndefault = yes\n\n"
		"[b]\nuri = sip:b@x\nexpires = 60\n");

	/* one alone is the default */
	asks(r, "account use b --save", "account_use b");
	file_is(path, "[a]\nuri = sip:a@x\n\n"
		"[b]\nuri = sip:b@x\nexpires = 60\ndefault = yes\n");
	says(r, "account use work --save", "it has no account work");

	asks(r, "account remove a --save", "account_remove a");
	file_is(path, "[b]\nuri = sip:b@x\nexpires = 60\ndefault = yes\n");

	/* done, but not written: both are said */
	assert_int_equal(path_write(path, "nonsense\n", 9, 0600), 0);
	says(r, "account remove b --save", "removed, but not in the file");
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/.lock", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}


static void test_register(void **state)
{
	struct rig *r = *state;

	/* none asks for it by itself */
	says(r, "register", "\"wrong-state\"");
	says(r, "unregister", "\"wrong-state\"");
	asks(r, "register work", "register work");
	asks(r, "register", "register work");
	asks(r, "unregister work", "unregister work 0");
	says(r, "unregister", "\"wrong-state\"");
	asks(r, "register", "register work");
	asks(r, "unregister --all", "unregister work 1");
	assert_true(command_lasting(command_find("register")));
	assert_false(command_lasting(command_find("unregister")));
}


static void test_wait(void **state)
{
	struct rig *r = *state;

	says(r, "wait registered", "\"wrong-state\"");
	says(r, "wait registered home", "\"no-such-account\"");
	says(r, "wait registered work x 5s", "\"too-many-arguments\"");
	says(r, "wait registerd", "did you mean 'registered'?");

	/* true at once */
	fake_account_state(1, "registered", 200);
	says(r, "wait registered", "\"ok\":true,\"account\":1");
	fake_account_state(1, "refreshing", 200);
	says(r, "wait registered work 5s", "\"ok\":true");

	/* when it comes */
	fake_account_state(1, "registering", 0);
	assert_string_equal(rig_run(r, "wait registered 5s"), "");
	fake_account_state(1, "registered", 200);
	assert_non_null(strstr(rig_pass(r, 0), "\"ok\":true"));

	/* failed, with the cause; and too late */
	fake_account_state(1, "registering", 0);
	assert_string_equal(rig_run(r, "wait registered"), "");
	fake_account_state(1, "failed", 403);
	assert_non_null(strstr(rig_pass(r, 0), "\"error\":\"refused\""));
	says(r, "wait registered", "\"error\":\"refused\"");
	fake_account_state(1, "failed", 0);
	says(r, "wait registered", "\"error\":\"timeout\"");

	fake_account_state(1, "registering", 0);
	assert_string_equal(rig_run(r, "wait registered 2s"), "");
	assert_string_equal(rig_pass(r, 1000), "");
	assert_non_null(strstr(rig_pass(r, 1000), "within 2s"));
}


/* All of them, or the one that is named */
static void test_wait_all(void **state)
{
	struct rig *r = *state;

	asks(r, "account add 'sip:b@x;name=b'", "account_add sip:b@x");
	fake_account_state(1, "registered", 200);
	fake_account_state(2, "registering", 0);
	says(r, "wait registered work", "\"ok\":true");
	assert_string_equal(rig_run(r, "wait registered 5s"), "");
	fake_account_state(2, "registered", 200);
	assert_non_null(strstr(rig_pass(r, 0), "\"ok\":true"));
	fake_account_state(1, "failed", 500);
	says(r, "wait registered", "account work is not registered");
	says(r, "wait registered b", "\"ok\":true");
}


static void test_fetch(void **state)
{
	struct rig *r = *state;

	assert_string_equal(rig_run(r, "accounts --fetch"), "");
	assert_string_equal(fake_asked(), "fetch sip:me@example.com");
	fake_fetch_done(200);
	assert_non_null(strstr(rig_pass(r, 0), "\"bindings\":[{\"uri\":"
			       "\"sip:a@h1\",\"expires_ms\":5000,\"ours\":"
			       "false},{\"uri\":\"sip:a@h2\""));
	assert_string_equal(rig_run(r, "accounts work --fetch"), "");
	fake_fetch_done(404);
	assert_non_null(strstr(rig_pass(r, 0), "\"refused\""));
	assert_int_equal(r->exit, 7);
	assert_string_equal(rig_run(r, "accounts work --fetch"), "");
	fake_fetch_done(0);
	assert_non_null(strstr(rig_pass(r, 0), "\"timeout\""));
	assert_int_equal(r->exit, 9);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list),
		TEST(test_change),
		TEST(test_save),
		TEST(test_register),
		TEST(test_wait),
		TEST(test_wait_all),
		TEST(test_fetch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
