/**
 * @file test_queue.c  Lines in order, and those that wait
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "offhook/timer.h"
#include "rig.h"

#define OK "{\"reply\":null,\"ok\":true"

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in: %s", part, text);
}


static void lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("%s in: %s", part, text);
}


static void test_order(void **state)
{
	struct rig *r = *state;

	assert_string_equal(rig_run(r, "print one"),
			    OK ",\"text\":\"one\"}\n");
	assert_false(client_busy(r->cl));
	assert_int_equal(r->idles, 1);

	/* comments and empty lines say nothing */
	assert_string_equal(rig_run(r, "# print"), "");
	assert_string_equal(rig_run(r, "   "), "");

	assert_string_equal(rig_run(r, "sleep 2"), "");
	rig_submit(r, "print two");
	assert_true(client_busy(r->cl));
	assert_string_equal(rig_pass(r, 1999), "");
	assert_string_equal(rig_pass(r, 1), OK "}\n" OK
			    ",\"text\":\"two\"}\n");
	assert_false(client_busy(r->cl));
}


static void test_failures(void **state)
{
	struct rig *r = *state;

	has(rig_run(r, "-hangup"), "\"error\":\"no-call\"");
	assert_int_equal(r->failed, 0);
	assert_false(client_failed(r->cl));

	has(rig_run(r, "{\"id\":1,\"command\":\"hangup\"}"),
	    "{\"reply\":1,\"ok\":false,\"error\":\"no-call\"");
	assert_int_equal(r->failed, 1);
	assert_true(client_failed(r->cl));

	has(rig_run(r, "hangup"), "\"where\":\"t:1\"");
	assert_int_equal(r->failed, 2);
}


static void test_flush(void **state)
{
	struct rig *r = *state;

	r->flush_on_failure = true;
	(void)rig_run(r, "sleep 1");
	rig_submit(r, "hangup");
	rig_submit(r, "print never");
	has(rig_pass(r, 1000), "no-call");
	lacks(r->replies, "never");
	assert_false(client_busy(r->cl));

	/* it works on */
	has(rig_run(r, "print on"), "on");

	/* and what waits is stopped */
	(void)rig_run(r, "sleep 1");
	client_flush(r->cl);
	assert_int_equal(timers_count(), 0);
	assert_string_equal(rig_pass(r, 2000), "");
}


static void test_limits(void **state)
{
	struct rig *r = *state;
	char *line = malloc(CLIENT_LINE_MAX + 2);

	assert_non_null(line);
	memset(line, 'x', CLIENT_LINE_MAX + 1);
	line[0] = '#';
	assert_int_equal(client_submit(r->cl, line, CLIENT_LINE_MAX, NULL),
			 0);
	assert_int_equal(client_submit(r->cl, line, CLIENT_LINE_MAX + 1,
				       NULL), E2BIG);
	free(line);

	(void)rig_run(r, "sleep 1");
	for (size_t i = 0; i < CLIENT_LINES_MAX; i++)
		rig_submit(r, "#");
	assert_int_equal(client_submit(r->cl, "#", 1, NULL), ENOSPC);
	(void)rig_pass(r, 1000);
	assert_false(client_busy(r->cl));
}


/* True at once, when it comes, or never */
static void test_wait_call(void **state)
{
	struct rig *r = *state;

	has(rig_run(r, "dial sip:bob@x"), "\"call\":1");
	has(rig_run(r, "wait call calling"), "\"state\":\"calling\"");

	assert_string_equal(rig_run(r, "wait call ringing 5s"), "");
	fake_state(1, CALL_RINGING, 180);
	has(rig_pass(r, 0), "\"state\":\"ringing\"");

	/* it has been */
	fake_state(1, CALL_ACTIVE, 200);
	has(rig_run(r, "wait call ringing 5s"), "\"ok\":true");
	has(rig_run(r, "wait call active"), "\"ok\":true");

	assert_string_equal(rig_run(r, "wait call ended"), "");
	fake_state(1, CALL_ENDED, 0);
	has(rig_pass(r, 0), "\"state\":\"ended\"");

	/* an ended call is remembered */
	has(rig_run(r, "wait call active"), "\"ok\":true");
	has(rig_run(r, "wait call early"), "\"error\":\"call-ended\"");
}


static void test_wait_call_fails(void **state)
{
	struct rig *r = *state;

	/* while waiting, with the cause */
	(void)rig_run(r, "dial sip:bob@x");
	assert_string_equal(rig_run(r, "wait call active 20s"), "");
	fake_state(1, CALL_ENDED, 486);
	has(r->replies, "\"error\":\"call-ended\"");
	has(r->replies, "never active: it is over");
	has(r->replies, "\"code\":486,\"reason\":\"Busy Here\","
	    "\"cause\":\"status\"");
	(void)rig_pass(r, 0);

	/* afterwards too */
	has(rig_run(r, "wait call active 20s"), "\"call 1 was never active: "
	    "it is over\"");

	/* too late */
	(void)rig_run(r, "dial sip:carol@x");
	assert_string_equal(rig_run(r, "wait call active 500ms"), "");
	has(rig_pass(r, 500), "call 2 is calling, not active within 500ms");

	/* 30 s when none is said */
	assert_string_equal(rig_run(r, "wait call active"), "");
	assert_string_equal(rig_pass(r, 29999), "");
	has(rig_pass(r, 1), "\"error\":\"timeout\"");

	has(rig_run(r, "wait call actve"), "did you mean 'active'?");
	has(rig_run(r, "wait call"), "missing-argument");
	has(rig_run(r, "wait call active 5s 6s"), "too-many-arguments");
}


static void test_wait_incoming(void **state)
{
	struct rig *r = *state;

	/* no call yet */
	assert_string_equal(rig_run(r, "wait call incoming 10s"), "");
	assert_int_equal(fake_incoming("sip:a@b"), 1);
	has(rig_pass(r, 0), "\"call\":1,\"state\":\"incoming\"");
	assert_int_equal(client_selected(r->cl), 1);
	fake_state(1, CALL_ENDED, 0);

	/* it has been one, until its end was waited for */
	has(rig_run(r, "wait call incoming"), "\"ok\":true");
	has(rig_run(r, "wait call ended"), "\"ok\":true");
	assert_string_equal(rig_run(r, "wait call incoming"), "");
	assert_int_equal(fake_incoming("sip:c@d"), 2);
	has(rig_pass(r, 0), "\"call\":2");
}


static void test_wait_event(void **state)
{
	struct rig *r = *state;

	(void)fake_incoming("sip:a@b");

	assert_string_equal(rig_run(r, "wait call.dtmf digit=5 10s"), "");
	fake_digits(1, "4");
	assert_string_equal(rig_pass(r, 0), "");
	fake_digits(1, "5");
	has(rig_pass(r, 0), "\"event\":\"call.dtmf\",\"call\":1,"
	    "\"digit\":\"5\"}");

	assert_string_equal(rig_run(r, "wait call.state call=1 state=active"),
			    "");
	fake_state(1, CALL_ACTIVE, 200);
	has(rig_pass(r, 0), "\"ok\":true");

	/* each field keeps its type, what is absent is left out */
	has(r->replies, "\"state\":\"active\",\"peer\":\"sip:a@b\","
	    "\"code\":200,\"reason\":\"OK\"}");
	(void)rig_run(r, "wait call.quality");
	fake_quality(1, 1.25);
	has(rig_pass(r, 0), "\"packets_lost\":3,\"loss_pct\":1.25,"
	    "\"jitter_ms\":1,\"mos\":4.0}");
	(void)rig_run(r, "wait call.hold local=true");
	fake_hold(1, true, false);
	has(rig_pass(r, 0), "\"local\":true,\"remote\":false}");

	assert_string_equal(rig_run(r, "wait play.done"), "");
	has(rig_pass(r, 30000), "no such event play.done within 30s");

	/* one that is heard only while somebody waits */
	assert_false(event_wanted(r->ph.bus, EVENT_CALL_QUALITY));
	(void)rig_run(r, "wait call.quality 1");
	assert_true(event_wanted(r->ph.bus, EVENT_CALL_QUALITY));
	(void)rig_pass(r, 1000);
	assert_false(event_wanted(r->ph.bus, EVENT_CALL_QUALITY));

	has(rig_run(r, "wait call.dtfm"), "did you mean 'call.dtmf'?");
	has(rig_run(r, "wait call.dtmf digt=5"), "did you mean 'digit'?");
	has(rig_run(r, "wait call.dtmf five"), "no field=value and no time");
	assert_int_equal(r->exit, 2);
}


static void test_expect(void **state)
{
	struct rig *r = *state;

	(void)fake_incoming("sip:a@b");
	fake_digits(1, "12");

	/* what came before counts, once */
	has(rig_run(r, "expect dtmf 1"), "\"digits\":\"1\"");
	assert_string_equal(rig_run(r, "expect dtmf 23# within 10s"), "");
	fake_digits(1, "3");
	assert_string_equal(rig_pass(r, 0), "");
	fake_digits(1, "#A");
	has(rig_pass(r, 0), "\"digits\":\"23#\"");
	has(rig_run(r, "expect dtmf a"), "\"digits\":\"A\"");

	/* a wrong one fails at once */
	assert_string_equal(rig_run(r, "expect dtmf 99"), "");
	fake_digits(1, "98");
	has(r->replies, "\"error\":\"expect-failed\",\"text\":\"digits are "
	    "98, not 99, after 0s\"");
	(void)rig_pass(r, 0);
	has(rig_run(r, "expect dtmf 98"), "\"ok\":true");

	assert_string_equal(rig_run(r, "expect dtmf 1 within 2s"), "");
	has(rig_pass(r, 2000), "digits are '', not 1, within 2s");

	assert_string_equal(rig_run(r, "expect dtmf 1"), "");
	fake_state(1, CALL_ENDED, 0);
	has(r->replies, "call 1 ended; digits are ''");
	(void)rig_pass(r, 0);
	has(rig_run(r, "expect dtmf 1"), "call 1 has ended");

	has(rig_run(r, "expect dtmf 1 within"), "bad-argument");
	has(rig_run(r, "expect dtmf 1,2"), "bad-argument");
	has(rig_run(r, "expect tone 1"), "bad-argument");
	has(rig_run(r, "expect tone loud"), "bad-argument");
}


static void test_assert(void **state)
{
	static const struct { const char *line; bool good; } v[] = {
		{ "assert state = active", true },
		{ "assert state != active", false },
		{ "assert codec=pcmu", true },
		{ "assert mos > 3.8", true },
		{ "assert mos>4.25", false },
		{ "assert mos >= 4.25", true },
		{ "assert loss <= 1%", true },
		{ "assert loss < 1", false },
		{ "assert jitter < 2ms", true },
		{ "assert delay == 40", true },
		{ "assert delay < 0.03s", false },
		{ "assert duration >= 2", true },
		{ "assert packets-received > 98", true },
		{ "assert packets-received != 99", false },
		{ "assert code = 200", true },
		{ "assert rtt < 100", false },
	};
	struct rig *r = *state;

	has(rig_run(r, "assert mos > 1"), "no call to ask");

	(void)fake_incoming("sip:a@b");
	has(rig_run(r, "assert mos > 1"), "mos is not known");
	fake_state(1, CALL_ACTIVE, 200);

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {

		const char *reply = rig_run(r, v[i].line);

		if (!strstr(reply, v[i].good ? "\"ok\":true" :
			    "\"error\":\"assert-failed\""))
			fail_msg("%s: %s", v[i].line, reply);
	}

	has(rig_run(r, "assert mos > 4.5"), "mos is 4.25, not > 4.5");
	has(rig_run(r, "assert mso > 4"), "did you mean 'mos'?");
	has(rig_run(r, "assert mos"), "bad-argument");
	has(rig_run(r, "assert mos > "), "bad-argument");
	has(rig_run(r, "assert mos > good"), "mos is a number");
	has(rig_run(r, "assert codec > pcmu"), "compare it with =");

	/* after the end, of the record */
	fake_state(1, CALL_ENDED, 0);
	has(rig_run(r, "assert mos < 3.3"), "\"ok\":true");
	has(rig_run(r, "assert state = ended"), "\"ok\":true");
	has(rig_run(r, "assert packets-received = 150"), "\"ok\":true");
	has(rig_run(r, "assert packets-lost = 0"), "\"ok\":true");
	has(rig_run(r, "assert direction = sendrecv"), "\"ok\":true");
}


static void test_variables(void **state)
{
	struct rig *r = *state;

	has(rig_run(r, "print $call.code"), "unset-variable");

	(void)rig_run(r, "dial sip:bob@x");
	fake_state(1, CALL_RINGING, 180);
	has(rig_run(r, "print $call.code $call.state $call.call"),
	    "\"180 ringing 1\"");
	fake_state(1, CALL_ACTIVE, 200);
	has(rig_run(r, "print ${call.state.code} $call.mos $call.codec"),
	    "\"200 4.25 pcmu\"");
	fake_state(1, CALL_ENDED, 486);
	has(rig_run(r, "print $call.code $call.reason"),
	    "\"486 Busy Here\"");

	/* another call, another story */
	(void)rig_run(r, "dial sip:carol@x");
	has(rig_run(r, "print $call.code"), "unset-variable");
	has(rig_run(r, "print $call.peer"), "sip:carol@x");

	assert_int_equal(setenv("OFFHOOK_T", "v w", 1), 0);
	has(rig_run(r, "print $OFFHOOK_T"), "\"v w\"");
	assert_int_equal(unsetenv("OFFHOOK_T"), 0);
	has(rig_run(r, "print $OFFHOOK_T"), "unset-variable");
}


static void test_selected(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial sip:a@x");
	fake_state(1, CALL_ACTIVE, 200);
	(void)fake_incoming("sip:b@x");

	/* the one we dialled stays selected */
	assert_int_equal(client_selected(r->cl), 1);
	(void)rig_run(r, "mute");
	assert_string_equal(fake_asked(), "call_mute 1 1");

	/* answering means the one that rings, and selects it */
	(void)rig_run(r, "answer");
	assert_string_equal(fake_asked(), "call_answer 2");
	fake_state(2, CALL_ACTIVE, 200);
	assert_int_equal(client_selected(r->cl), 2);

	(void)rig_run(r, "select 1");
	assert_int_equal(client_selected(r->cl), 1);
	(void)rig_run(r, "hangup 2");
	assert_string_equal(fake_asked(), "call_hangup 2 0 -");

	/* one that is as good as over is no call any more */
	fake_ending(1);
	lacks(rig_run(r, "calls"), "\"call\":1");
	has(r->replies, "\"call\":2");
	lacks(rig_run(r, "status"), "\"call\":1,");

	/* what is left is meant */
	fake_state(1, CALL_ENDED, 0);
	assert_int_equal(client_selected(r->cl), 2);
	assert_int_equal(client_first_call(r->cl), 1);

	/* the one in conversation before one that is held or rings */
	assert_int_equal(fake_incoming("sip:c@x"), 3);
	assert_int_equal(fake_incoming("sip:d@x"), 4);
	fake_state(4, CALL_ACTIVE, 200);
	fake_hold(2, true, false);
	(void)rig_run(r, "select 3");
	fake_state(3, CALL_ENDED, 0);
	assert_int_equal(client_selected(r->cl), 4);
	fake_state(4, CALL_ENDED, 0);
	assert_int_equal(client_selected(r->cl), 2);

	has(rig_run(r, "hold 1"), "\"no-such-call\",\"text\":\"call 1 has "
	    "ended\"");
	has(rig_run(r, "hold 9"), "there is no call 9");
}


static void test_requests(void **state)
{
	struct rig *r = *state;

	has(rig_run(r, "{\"id\":7,\"command\":\"dial\",\"args\":"
		    "{\"target\":\"sip:bob@x\",\"timeout\":5,"
		    "\"header\":[\"X-A: 1\",\"X-B: 2\"]}}"),
	    "{\"reply\":7,\"ok\":true,\"call\":1}");
	assert_string_equal(fake_asked(), "dial sip:bob@x account=- "
			    "ring=5000 headers=X-A: 1\r\nX-B: 2\r\n");

	has(rig_run(r, "  {\"id\":\"x\",\"command\":\"mute\","
		    "\"args\":{\"call\":1}}"), "{\"reply\":\"x\",\"ok\":true}");
	has(rig_run(r, "{\"command\":\"echo\",\"args\":{\"state\":true}}"),
	    "{\"reply\":null,\"ok\":true}");
	assert_string_equal(fake_asked(), "call_echo 1 1");

	has(rig_run(r, "{\"id\":1,\"command\":\"listen\",\"args\":"
		    "{\"echo\":true,\"calls\":2}}"), "{\"reply\":1,\"ok\":true");
	has(fake_asked(), "calls=2");
	has(fake_asked(), "sound=1");

	/* a request waits in the same queue */
	assert_string_equal(rig_run(r, "{\"id\":1,\"command\":\"sleep\","
				    "\"args\":{\"time\":\"1s\"}}"), "");
	rig_submit(r, "{\"id\":2,\"command\":\"calls\"}");
	has(rig_pass(r, 1000), "{\"reply\":1,\"ok\":true}\n{\"reply\":2,");
}


static void test_bad_requests(void **state)
{
	static const char *const v[] = {
		"{", "{\"id\":1,}", "{\"id\":1} x", "{\"id\":1}",
		"{\"id\":1,\"command\":5}", "{\"id\":[1],\"command\":\"calls\"}",
		"{\"id\":1,\"command\":\"calls\",\"args\":[]}",
		"{\"id\":1,\"command\":\"calls\",\"extra\":1}",
		"{\"id\":1,\"id\":2,\"command\":\"calls\"}",
		"{\"id\":1,\"command\":\"ca\\u0000lls\"}",
		"{\"id\":1.5,\"command\":\"calls\"}",
		"{\"command\":\"\xff\"}",
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {

		const char *reply = rig_run(r, v[i]);

		if (!strstr(reply, "\"error\":\"bad-request\""))
			fail_msg("%s: %s", v[i], reply);
	}

	/* it counts as a line does */
	assert_int_equal(r->failed, ARRAY_SIZE(v));
	assert_true(client_failed(r->cl));

	has(rig_run(r, "{\"id\":3,\"command\":\"cals\"}"),
	    "{\"reply\":3,\"ok\":false,\"error\":\"unknown-command\","
	    "\"text\":\"there is no command 'cals'; did you mean 'calls'?");
	has(rig_run(r, "{\"command\":\"dial\",\"args\":{\"traget\":\"a\"}}"),
	    "did you mean target?");
	has(rig_run(r, "{\"command\":\"dial\",\"args\":{\"target\":5}}"),
	    "\"ok\":true");
	has(rig_run(r, "{\"command\":\"dial\",\"args\":{\"target\":true}}"),
	    "target takes a string");
	has(rig_run(r, "{\"command\":\"dial\",\"args\":{}}"),
	    "missing-argument");
	has(rig_run(r, "{\"command\":\"listen\",\"args\":{\"echo\":\"on\"}}"),
	    "echo takes true or false");
	has(rig_run(r, "{\"command\":\"hangup\",\"args\":{\"call\":-1}}"),
	    "no call's number");

	/* names as a request writes them */
	has(rig_run(r, "{\"command\":\"selftest\",\"args\":{\"audio\":"
		    "\"loud\"}}"), "\"audio is 'loud'; it takes one of");
	has(rig_run(r, "{\"command\":\"dial\",\"args\":{\"target\":\"a\","
		    "\"time_out\":1}}"),
	    "\"'dial' has no time_out; did you mean timeout?");
}


static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}


static void test_source(void **state)
{
	char dir[] = "/tmp/offhook-test-XXXXXX", path[64], line[128];
	struct rig *r = *state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(line, sizeof(line), "source %s", path);

	/* its lines come before those that wait */
	write_file(path, "print a\n\n# no\nprint b");
	(void)rig_run(r, "sleep 1");
	rig_submit(r, line);
	rig_submit(r, "print c");
	assert_string_equal(rig_pass(r, 1000), OK "}\n" OK "}\n"
			    OK ",\"text\":\"a\"}\n" OK ",\"text\":\"b\"}\n"
			    OK ",\"text\":\"c\"}\n");

	/* some editors mark the beginning */
	write_file(path, "\xef\xbb\xbfprint a\n");
	has(rig_run(r, line), OK ",\"text\":\"a\"}\n");

	/* errors say which line */
	write_file(path, "print a\nhangup\n");
	has(rig_run(r, line), "/s:2\"");

	/* itself, again and again */
	r->flush_on_failure = true;
	write_file(path, line);
	has(rig_run(r, line), "16 deep");
	assert_false(client_busy(r->cl));

	assert_int_equal(remove(path), 0);
	has(rig_run(r, line), "\"error\":\"no-such-file\"");
	has(rig_run(r, "source /tmp"), "\"error\":\"bad-file\"");
	assert_int_equal(remove(dir), 0);
}


static void test_quit(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "sleep 1");
	rig_submit(r, "quit 7");
	rig_submit(r, "print never");
	lacks(rig_pass(r, 1000), "never");
	assert_int_equal(r->quit, 7);

	(void)rig_run(r, "quit");
	assert_int_equal(r->quit, -1);
	has(rig_run(r, "quit 256"), "a number from 0 to 255");
}


static void last_words(const struct reply *reply, bool failed, void *arg)
{
	struct client **cl = arg;
	(void)reply;
	(void)failed;

	*cl = mem_deref(*cl);
}


/* The owner may let go from inside a handler */
static void test_owner_leaves(void **state)
{
	static const struct client_h h = { .reply_h = last_words };
	struct rig *r = *state;
	struct client *cl = NULL;

	assert_int_equal(client_alloc(&cl, &r->ph, &h, &cl), 0);
	assert_int_equal(client_submit(cl, "print x", 7, NULL), 0);
	assert_null(cl);

	assert_int_equal(client_alloc(&cl, &r->ph, &h, &cl), 0);
	assert_int_equal(client_submit(cl, "sleep 1", 7, NULL), 0);
	assert_int_equal(client_submit(cl, "print x", 7, NULL), 0);
	timers_advance(1000);
	assert_null(cl);
}


static void test_events(void **state)
{
	struct rig *r = *state;

	(void)fake_incoming("sip:a@b");
	assert_int_equal(r->events, 0);
	client_events(r->cl, EVENT_BIT(EVENT_CALL_STATE));
	fake_state(1, CALL_ACTIVE, 200);
	fake_digits(1, "1");
	assert_int_equal(r->events, 1);
	client_events(r->cl, 0);
	fake_state(1, CALL_ENDED, 200);
	assert_int_equal(r->events, 1);
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_order), T(test_failures), T(test_flush),
		T(test_limits), T(test_wait_call), T(test_wait_call_fails),
		T(test_wait_incoming), T(test_wait_event), T(test_expect),
		T(test_assert), T(test_variables), T(test_selected),
		T(test_requests), T(test_bad_requests), T(test_source),
		T(test_quit), T(test_owner_leaves), T(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
