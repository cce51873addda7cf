/**
 * @file test_resolve.c  resolve: what it asks for and how it tells it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "priv.h"
#include "rig.h"
#include "fake_locate.h"


static void has(const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("'%s' is not in %s", want, text);
}


static void test_found(void **state)
{
	struct rig *r = *state;

	assert_string_equal(rig_run(r, "resolve sip:bob@x"), "");
	assert_string_equal(fake_locate_asked(), "locate sip:bob@x over -");
	fake_locate_done(true);

	has(r->replies, "\"ok\":true,\"uri\":\"sip:bob@x\"");
	has(r->replies, "\"steps\":[{\"step\":\"note\",\"text\":\"the URI\"},"
	    "{\"step\":\"answer\",\"type\":\"SRV\",\"name\":\"_sip._udp.x\","
	    "\"text\":\"1 record\",\"known\":true,\"ttl_ms\":60000},"
	    "{\"step\":\"record\",\"text\":\"a \\u001B[31m record\"}]");
	has(r->replies, "\"targets\":[{\"transport\":\"tls\","
	    "\"address\":\"2001:db8::1\",\"port\":5060,"
	    "\"local\":\"2001:db8::2\",\"dead\":false},"
	    "{\"transport\":\"udp\",\"address\":\"192.0.2.1\",\"port\":5060,"
	    "\"local\":\"192.0.2.2\",\"dead\":true,\"dead_ms\":17000}]");

	/* people read lines, and no escapes of a stranger's */
	assert_string_equal(r->print, "note: the URI\nanswer: 1 record\n"
			    "record: a ?[31m record\ntarget: \ntarget: \n");
	assert_int_equal(r->exit, 0);
	(void)rig_pass(r, 0);

	(void)rig_run(r, "resolve sip:bob@x --transport tcp --fresh");
	assert_string_equal(fake_locate_asked(),
			    "locate sip:bob@x over tcp fresh");
	fake_locate_done(true);
	(void)rig_pass(r, 0);
}


static void test_failed(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "resolve sip:bob@x");
	fake_locate_done(false);
	has(r->replies, "\"ok\":false,\"error\":\"no-such-host\","
	    "\"text\":\"there is no such name\"");
	has(r->replies, "\"step\":\"answer\"");
	has(r->replies, "\"targets\":[]");
	assert_int_not_equal(r->exit, 0);
	has(r->print, "answer: 1 record\n");
	(void)rig_pass(r, 0);

	has(rig_run(r, "resolve bob"), "\"error\":\"bad-target\"");
	has(rig_run(r, "resolve sip:bob@x --transport x"),
	    "\"error\":\"bad-argument\"");
	has(rig_run(r, "resolve"), "\"error\":\"missing-argument\"");
	has(rig_run(r, "resolve sip:bob@x --account none"),
	    "\"error\":\"no-such-account\"");
}


static void test_number(void **state)
{
	struct rig *r = *state;
	char err[CONFIG_ERR];

	assert_int_equal(config_set(r->ph.config, "enum-domain", "e164.arpa",
				    err), 0);

	(void)rig_run(r, "resolve sip:+4930@x");
	assert_string_equal(fake_locate_asked(), "enum sip:+4930@x in 'e164.arpa'");
	fake_enum_done("sip:bob@y");
	assert_string_equal(fake_locate_asked(), "locate sip:bob@y over -");
	fake_locate_done(true);
	has(r->replies, "\"uri\":\"sip:bob@y\"");
	has(r->replies, "\"text\":\"the number\"");
	has(r->replies, "\"text\":\"the URI\"");
	(void)rig_pass(r, 0);
}


/* What stops it while it waits leaves nothing behind */
static void test_stopped(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "resolve sip:bob@x");
	assert_true(client_busy(r->cl));
	client_flush(r->cl);
	assert_false(client_busy(r->cl));
}


#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)


int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_found), T(test_failed), T(test_number),
		T(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
