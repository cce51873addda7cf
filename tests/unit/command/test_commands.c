/**
 * @file test_commands.c  Each command: what it asks for, what it refuses
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "json.h"
#include "priv.h"
#include "rig.h"


static void asks(struct rig *r, const char *line, const char *want)
{
	const char *reply = rig_run(r, line);

	if (!strstr(reply, "\"ok\":true"))
		fail_msg("%s: %s", line, reply);
	assert_string_equal(fake_asked(), want);
}


static void refuses(struct rig *r, const char *line, const char *token,
		    const char *text)
{
	const char *reply = rig_run(r, line);
	char want[64];

	snprintf(want, sizeof(want), "\"error\":\"%s\"", token);
	if (!strstr(reply, want) || !strstr(reply, text))
		fail_msg("%s: %s (not %s, %s)", line, reply, token, text);
}


static void test_call(void **state)
{
	struct rig *r = *state;

	asks(r, "d bob@x --account work --timeout 2m", "dial bob@x "
	     "account=work ring=120000 headers=-");
	asks(r, "dial --timeout=90 bob@x", "dial bob@x account=- ring=90000 "
	     "headers=-");
	asks(r, "dial --for 2s bob@x", "call_limit 3 2000");
	/* a person reads that in the event */
	assert_string_equal(r->print, "");
	assert_non_null(strstr(r->replies, "\"call\":3}"));
	asks(r, "dial bob@x --record /tmp/x.wav",
	     "call_record 4 /tmp/x.wav");
	asks(r, "dial bob@x --play /dev/null", "call_play 5 /dev/null 0");
	asks(r, "hangup 5 --code 480 --reason 'a b'",
	     "call_hangup 5 480 a b");
	asks(r, "h --call 4", "call_hangup 4 0 -");
	asks(r, "unmute", "call_mute 5 0");
	asks(r, "play /dev/null --loop", "call_play 5 /dev/null 1");
	asks(r, "stop", "call_stop 5");
	asks(r, "record a.wav", "call_record 5 a.wav");
	asks(r, "record stop", "call_record_stop 5");
	asks(r, "echo off", "call_echo 5 0");
	asks(r, "tone 440.5", "call_tone 5 440.5");

	(void)fake_incoming("sip:q@x");
	asks(r, "reject", "call_reject 6 603 -");
	asks(r, "reject 6 --code 486", "call_reject 6 486 -");
	asks(r, "reject --reason 'not now' --header 'Retry-After: 9'",
	     "call_reject 6 603 not now Retry-After: 9\r\n");
	refuses(r, "reject --header 'Contact: <sip:x@h>'", "bad-argument",
		"made by the phone");
	asks(r, "a", "call_answer 6");
}


/* The line is done when the digits are out */
static void test_dtmf(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial bob@x");
	(void)rig_run(r, "dial eve@x");

	assert_string_equal(rig_run(r, "dtmf 12#,w*ABcd"), "");
	assert_string_equal(fake_asked(), "call_dtmf 2 12#,w*ABcd");

	/* what comes behind waits, whatever happens elsewhere */
	rig_submit(r, "hangup");
	fake_digits_out(1, 1, 0);
	assert_string_equal(rig_pass(r, 500), "");
	assert_string_equal(fake_asked(), "call_dtmf 2 12#,w*ABcd");
	fake_digits_out(2, 8, 0);
	assert_non_null(strstr(rig_pass(r, 0), "\"ok\":true,\"sent\":8}"));
	assert_string_equal(fake_asked(), "call_hangup 2 0 -");

	/* of a call by its number, which ends too early */
	assert_string_equal(rig_run(r, "dtmf 123 1"), "");
	fake_digits_out(1, 2, 1);
	assert_non_null(strstr(rig_pass(r, 0), "\"error\":\"call-ended\""));
	assert_non_null(strstr(r->replies, "2 of 3 digits"));
	assert_non_null(strstr(r->replies, "\"sent\":2"));

	assert_string_equal(rig_run(r, "dtmf 1"), "");
	fake_state(2, CALL_ENDED, 0);
	assert_non_null(strstr(rig_pass(r, 0), "call-ended"));

	/* a long one */
	assert_string_equal(rig_run(r, "dtmf '#' 1 --for 2s"), "");
	assert_string_equal(fake_asked(), "call_dtmf 1 # for 2000");
	fake_digits_out(1, 1, 0);
	assert_non_null(strstr(rig_pass(r, 0), "\"ok\":true"));
	refuses(r, "dtmf '#' 1 --for 11s", "bad-argument", "for");

	/* bounded */
	assert_string_equal(rig_run(r, "dtmf 1 1"), "");
	assert_non_null(strstr(rig_pass(r, 4000), "\"error\":\"timeout\""));

	fake_fail(ENOTSUP, "no digits there");
	refuses(r, "dtmf 1 1", "not-supported", "no digits there");
}


static void test_call_wrong(void **state)
{
	struct rig *r = *state;
	char line[4300];

	refuses(r, "dial", "missing-argument", "usage: dial TARGET");
	refuses(r, "dial a b", "too-many-arguments", "'b'");
	refuses(r, "dial ''", "bad-argument", "target is empty");
	refuses(r, "dial a --acount work", "unknown-option",
		"did you mean --account?");
	refuses(r, "dial a --account home", "no-such-account", "home");
	refuses(r, "dial a --timeout soon", "bad-argument",
		"\"--timeout is 'soon'; it takes a time such");
	refuses(r, "dial a --timeout 2h", "bad-argument",
		"\"--timeout is '2h'; it takes a time from 1s to 1h");
	refuses(r, "dial a --timeout", "missing-argument", "--timeout needs");
	refuses(r, "dial a --timeout 1s --timeout 2s", "bad-argument",
		"\"--timeout is given twice");
	refuses(r, "dial a --record ''", "bad-argument",
		"\"--record is empty");
	refuses(r, "dial a --play /nonexistent.wav", "no-such-file",
		"cannot read /nonexistent.wav: No such file");
	refuses(r, "dial a --play /tmp", "bad-file", "directory");
	refuses(r, "dial a --play /dev/zero", "bad-file", "not a sound file");
	refuses(r, "dial a --record /nonexistent/a.wav", "no-such-file",
		"cannot write /nonexistent/a.wav");
	assert_int_equal(r->exit, 2);
	refuses(r, "dial a --header 'Via: x'", "bad-argument", "made by");
	refuses(r, "dial a --header X", "bad-argument",
		"\"--header is written 'Name: value'");
	snprintf(line, sizeof(line), "dial a --header 'X: %04200d'", 0);
	refuses(r, line, "line-too-long", "more than 4096 bytes");
	refuses(r, "dial a --header 'X: a\tb' --header 'Y z: 1'",
		"bad-argument", "Name: value");
	assert_int_equal(ua_call_count(fake_ua()), 0);

	refuses(r, "answer", "no-call", "no incoming call");
	refuses(r, "dtmf 1", "no-call", "there is no call");
	refuses(r, "answer x", "bad-argument", "no call's number");
	refuses(r, "dtmf 1 --digits 2", "bad-argument",
		"\"--digits is given twice");
	refuses(r, "select 0", "bad-argument", "no call's number");
	refuses(r, "reject --code 200", "bad-argument",
		"\"--code is '200'; it takes a number from 300 to 699");
	refuses(r, "dtmf 12x", "bad-argument", "'x' is no key");
	refuses(r, "tone 5", "bad-argument",
		"\"hz is '5'; it takes a number from 20 to 20000");
	refuses(r, "echo offf", "bad-argument",
		"\"state is 'offf'; did you mean 'off'?");
	refuses(r, "echo maybe", "bad-argument", "one of on,off");

	fake_fail(EUSERS, "100 calls are enough");
	refuses(r, "dial a", "too-many-calls", "100 calls");
	assert_int_equal(r->exit, 1);
	fake_fail(EINVAL, "'a' is no target");
	refuses(r, "dial a", "bad-target", "no target");
	fake_fail(EPROTONOSUPPORT, "not spoken");
	refuses(r, "dial a", "bad-target", "not spoken");
	assert_int_equal(r->exit, 2);
	assert_int_equal(r->exit, 2);

	fake_fail(0, "");
	(void)rig_run(r, "dial a");
	refuses(r, "answer 1", "wrong-state", "calling, not incoming");
	fake_fail(ENOTCONN, "call 1 is not active");
	refuses(r, "hold", "wrong-state", "not active");
}


/* Done when the other side has agreed, and not before */
static void test_hold(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial a");
	(void)rig_run(r, "dial b");
	fake_state(1, CALL_ACTIVE, 200);
	fake_state(2, CALL_ACTIVE, 200);

	assert_string_equal(rig_run(r, "hold 1"), "");
	assert_string_equal(fake_asked(), "call_hold 1");
	fake_hold(2, true, false);
	assert_string_equal(rig_pass(r, 0), "");
	/* they hold us, ours is still to be answered */
	fake_hold(1, false, true);
	assert_string_equal(rig_pass(r, 0), "");
	fake_hold(1, true, true);
	assert_string_equal(rig_pass(r, 0),
			    "{\"reply\":null,\"ok\":true}\n");

	/* who waits for it, as one did when `hold` did not wait, has it; a
	 * second time it is the next one that counts */
	(void)rig_run(r, "# nothing");
	assert_non_null(strstr(rig_run(r, "wait call.hold local=true"),
			       "\"call\":1,\"local\":true,"
			       "\"remote\":true}"));
	assert_string_equal(rig_run(r, "wait call.hold local=true 1s"), "");
	(void)rig_pass(r, 1000);

	assert_string_equal(rig_run(r, "resume 1"), "");
	assert_string_equal(fake_asked(), "call_resume 1");
	fake_hold(1, false, false);
	assert_non_null(strstr(rig_pass(r, 0), "\"ok\":true"));
}


static void test_hold_then_quit(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial a");
	fake_state(1, CALL_ACTIVE, 200);

	/* it comes in its turn when the peer answers */
	assert_string_equal(rig_run(r, "hold"), "");
	rig_submit(r, "quit 7");
	fake_hold(1, true, false);
	(void)rig_pass(r, 0);
	assert_int_equal(r->quit, 7);

	/* who is silent holds it up for a short time only */
	r->quit = -2;
	assert_string_equal(rig_run(r, "resume"), "");
	assert_true(client_yields(r->cl));
	assert_string_equal(rig_pass(r, 10000), "");
	rig_submit(r, "# no more");
	rig_submit(r, " ");
	rig_submit(r, "quit 8");
	assert_false(client_yields(r->cl));
	assert_string_equal(rig_pass(r, 3999), "");
	assert_non_null(strstr(rig_pass(r, 1), "\"text\":\"call 1 is not "
			       "resumed: no answer\""));
	assert_int_equal(r->quit, 8);

	/* the same as a request */
	r->quit = -2;
	assert_string_equal(rig_run(r, "reinvite"), "");
	rig_submit(r, "{\"command\":\"quit\",\"args\":{\"code\":9}}");
	(void)rig_pass(r, 4000);
	assert_int_equal(r->quit, 9);

	/* and of lines that were all there before it began */
	r->quit = -2;
	rig_submit(r, "sleep 1");
	rig_submit(r, "update");
	rig_submit(r, "quit 10");
	for (int i = 0; i < 20; i++)
		rig_submit(r, "# no more");
	(void)rig_pass(r, 1000);
	(void)rig_pass(r, 3999);
	assert_int_equal(r->quit, -2);
	(void)rig_pass(r, 1);
	assert_int_equal(r->quit, 10);

	/* not by what is no `quit`, nor where the wait is the point */
	r->quit = -2;
	assert_string_equal(rig_run(r, "hold"), "");
	rig_submit(r, "print quit");
	rig_submit(r, "quit");
	assert_string_equal(rig_pass(r, 39999), "");
	(void)rig_pass(r, 1);
	assert_int_equal(r->quit, -1);

	r->quit = -2;
	assert_string_equal(rig_run(r, "sleep 10"), "");
	assert_false(client_yields(r->cl));
	rig_submit(r, "quit");
	(void)rig_pass(r, 9999);
	assert_int_equal(r->quit, -2);
	(void)rig_pass(r, 1);
	assert_int_equal(r->quit, -1);
}


static void test_hold_refused(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial a");
	fake_state(1, CALL_ACTIVE, 200);

	assert_string_equal(rig_run(r, "hold"), "");
	fake_hold_refused(1, false, 488);
	assert_non_null(strstr(r->replies, "\"error\":\"refused\","
			       "\"text\":\"call 1 is not put on hold: the "
			       "other side refuses (488 Not Acceptable "
			       "Here)\""));
	(void)rig_pass(r, 0);

	assert_string_equal(rig_run(r, "resume"), "");
	fake_hold_refused(1, true, 0);
	assert_non_null(strstr(r->replies, "\"error\":\"timeout\","
			       "\"text\":\"call 1 is not resumed: no "
			       "answer"));
	(void)rig_pass(r, 0);

	/* nothing is heard of it at all */
	assert_string_equal(rig_run(r, "hold"), "");
	assert_string_equal(rig_pass(r, 39999), "");
	assert_non_null(strstr(rig_pass(r, 1), "\"error\":\"timeout\""));

	assert_string_equal(rig_run(r, "hold"), "");
	fake_state(1, CALL_ENDED, 0);
	assert_non_null(strstr(r->replies, "\"error\":\"call-ended\""));
	assert_int_equal(r->failed, 4);
	(void)rig_pass(r, 0);
}


static void test_unknown(void **state)
{
	struct rig *r = *state;

	refuses(r, "dail x", "unknown-command", "did you mean 'dial'?");
	refuses(r, "xyzzyplugh", "unknown-command", "see 'help'");
	refuses(r, "'dial x'", "unknown-command", "dial x");
	refuses(r, "''", "unknown-command", "''");
	refuses(r, "di\033al", "unknown-command", "di?al");
	assert_int_equal(r->exit, 2);
}


static void test_listen(void **state)
{
	struct rig *r = *state;

	asks(r, "listen", "answer on=1 code=200 after=0 for=0 calls=0 "
	     "until=0 sound=0 record=");
	assert_non_null(strstr(r->replies, "\"listeners\":[{\"transport\":"
			       "\"udp\",\"address\":\"127.0.0.1:5060\"}]"));
	asks(r, "listen --after 1s --for 2s --calls 3 --until 4s --echo "
	     "--record r%n.wav", "answer on=1 code=200 after=1000 for=2000 "
	     "calls=3 until=4000 sound=1 record=r%n.wav");
	asks(r, "listen --answer 486 --tone 440", "answer on=1 code=486 "
	     "after=0 for=0 calls=0 until=0 sound=3 record=");
	asks(r, "auto-answer on", "answer on=1 code=200 after=0 for=0 "
	     "calls=0 until=0 sound=0 record=");
	asks(r, "auto-answer 480", "answer on=1 code=480 after=0 for=0 "
	     "calls=0 until=0 sound=0 record=");
	asks(r, "auto-answer off", "answer on=0 code=200 after=0 for=0 "
	     "calls=0 until=0 sound=0 record=");

	refuses(r, "listen --echo --tone 440", "bad-argument", "exclude");
	refuses(r, "listen --answer 250", "bad-argument",
		"\"--answer is '250'; 200 answers");
	refuses(r, "auto-answer 250", "bad-argument",
		"\"rule is '250'; 200 answers");
	refuses(r, "listen --play /nonexistent", "no-such-file", "No such");
	refuses(r, "listen --play /dev/zero", "bad-file", "not a sound file");
	refuses(r, "listen --record /nonexistent/%n.wav", "no-such-file",
		"cannot write /nonexistent/0.wav");
	/* a folder for each call cannot be looked at yet */
	assert_non_null(strstr(rig_run(r, "listen --record /nonexistent%n/a"),
			       "\"ok\":true"));
	refuses(r, "listen --calls 0", "bad-argument", "from 1");
	refuses(r, "listen x", "too-many-arguments", "'x'");
	refuses(r, "auto-answer yes", "bad-argument", "on,off or a number");
}


static void test_options(void **state)
{
	struct rig *r = *state;

	asks(r, "set codecs=pcmu", "media ports=10000-19999");
	assert_string_equal(r->ph.config->codecs, "pcmu");
	asks(r, "set media-ports 20000-20100", "media ports=20000-20100");
	refuses(r, "set codcs pcmu", "unknown-option", "'codecs'");
	refuses(r, "set codecs", "missing-argument", "codecs=VALUE");
	refuses(r, "set codecs=a b", "too-many-arguments", "write");
	refuses(r, "set codecs nonsense", "bad-argument", "nonsense");
	assert_string_equal(r->ph.config->codecs, "pcmu");

	/* one line for both, so that a key can be for both */
	assert_true(r->ph.config->noise_suppress);
	assert_non_null(strstr(rig_run(r, "set noise-suppress toggle"),
			       "noise-suppress is off now"));
	assert_false(r->ph.config->noise_suppress);
	assert_non_null(strstr(rig_run(r, "set noise-suppress=toggle"),
			       "noise-suppress is on now"));
	assert_true(r->ph.config->noise_suppress);
	refuses(r, "set packet-time toggle", "bad-argument", "toggle");

	refuses(r, "show codecs=", "unknown-option", "'codecs='");
	refuses(r, "config show codecs=pcmu", "unknown-option", "'codecs=pcmu'");
	assert_non_null(strstr(rig_run(r, "show codecs"), "\"options\":[{"
			       "\"name\":\"codecs\",\"value\":\"pcmu\"}]"));
	assert_non_null(strstr(rig_run(r, "show"), "\"packet-time\""));
	assert_non_null(strstr(rig_run(r, "config show"),
			       "\"value\":\"pcmu\",\"origin\":\"set\",\"changed\":true"));
}


/* Names of the option stand for rows of the table of cancellers */
static void test_canceller(void **state)
{
	struct rig *r = *state;
	struct media_conf mc;

	phone_media_conf(&mc, r->ph.config);
	assert_int_equal(mc.room.canceller, MEDIA_CANCEL_SPEEX);
	assert_non_null(strstr(rig_run(r, "set echo-canceller none"),
			       "\"ok\":true"));
	phone_media_conf(&mc, r->ph.config);
	assert_int_equal(mc.room.canceller, MEDIA_CANCEL_NONE);
	refuses(r, "set echo-canceller other", "bad-argument", "other");
}


/* In a call the same files are looked at */
static void test_files(void **state)
{
	struct rig *r = *state;

	(void)rig_run(r, "dial sip:bob@x");
	refuses(r, "play /dev/zero", "bad-file", "not a sound file");
	refuses(r, "play /nonexistent", "no-such-file", "cannot read");
	refuses(r, "record /nonexistent/a", "no-such-file", "cannot write");
	asks(r, "record stop", "call_record_stop 1");
}


/* A table of words: in order, each once, each with what it means */
static void test_errors(void **state)
{
	const struct error_row *row, *last = NULL;
	(void)state;

	for (size_t i = 0; (row = error_at(i)); i++) {
		assert_true(row->summary[0]);
		assert_ptr_equal(error_find(row->token), row);
		assert_true(!last || strcmp(last->token, row->token) < 0);
		last = row;
	}

	assert_null(error_find("nothing"));
	for (int err = 1; err < 134; err++)
		assert_non_null(error_find(error_token(err)));
}


static void test_look(void **state)
{
	struct rig *r = *state;

	assert_non_null(strstr(rig_run(r, "calls"), "\"calls\":[],\"text\":"
			       "\"no calls\""));
	refuses(r, "stats", "no-call", "no call");

	(void)rig_run(r, "dial sip:bob@x");
	assert_non_null(strstr(rig_run(r, "stats"), "no media yet"));
	fake_state(1, CALL_ACTIVE, 200);

	assert_non_null(strstr(rig_run(r, "calls"), "\"calls\":[{\"call\":1,"
			       "\"state\":\"active\",\"direction\":\"out\","
			       "\"peer\":\"sip:bob@x\""));
	assert_non_null(strstr(rig_run(r, "stats"),
			       "\"packets_received\":99"));
	assert_non_null(strstr(r->replies, "\"loss_pct\":1.0,"
			       "\"jitter_ms\":2,\"delay_ms\":40,"));
	assert_non_null(strstr(r->replies, "\"mos\":4.25"));
	/* not known is left out */
	assert_null(strstr(r->replies, "rtt_ms"));

	assert_non_null(strstr(rig_run(r, "status"), "\"audio\":\"null\","
			       "\"auto_answer\":\"off\""));
	assert_non_null(strstr(r->replies, "\"listeners\":[{"));
	assert_non_null(strstr(r->replies, "\"accounts\":[{\"account\":1,"
			       "\"name\":\"work\""));
	assert_non_null(strstr(r->replies, "\"calls\":[{"));

	fake_state(1, CALL_ENDED, 0);
	assert_non_null(strstr(rig_run(r, "stats"), "\"state\":\"ended\""));
	assert_non_null(strstr(r->replies, "\"packets_received\":150"));
	assert_non_null(strstr(r->replies, "\"packets_lost\":0"));
	assert_non_null(strstr(r->replies, "\"bytes_received\":24000"));
	assert_non_null(strstr(r->replies, "\"dtmf_sent\":4"));
	assert_non_null(strstr(r->replies,
			       "\"remote\":\"192.0.2.9:4000\""));
	refuses(r, "stats 9", "no-such-call", "no call 9");

	(void)rig_run(r, "trace on");
	assert_string_equal(r->trace, "log");
	(void)rig_run(r, "trace off");
	assert_string_equal(r->trace, "");
	(void)rig_run(r, "trace /tmp/t");
	assert_string_equal(r->trace, "/tmp/t");
}


static void test_request(void **state)
{
	struct rig *r = *state;

	assert_string_equal(rig_run(r, "options sip:bob@x"), "");
	assert_string_equal(fake_asked(),
			    "OPTIONS sip:bob@x from sip:me@example.com");
	fake_request_done(200);
	assert_non_null(strstr(r->replies, "\"ok\":true,\"code\":200"));
	assert_non_null(strstr(r->replies, "\"allow\":\"INVITE, BYE\""));
	assert_non_null(strstr(r->replies, "\"user_agent\":\"fake\""));
	(void)rig_pass(r, 0);

	(void)rig_run(r, "options sip:bob@x");
	fake_request_done(404);
	assert_non_null(strstr(r->replies, "\"error\":\"refused\","
			       "\"text\":\"the answer is 404"));
	assert_int_equal(r->exit, 7);
	assert_string_equal(r->print, "");
	(void)rig_pass(r, 0);

	(void)rig_run(r, "options sip:bob@x");
	fake_request_done(0);
	assert_non_null(strstr(r->replies, "\"error\":\"timeout\""));
	assert_int_equal(r->exit, 9);
	/* a person reads the error alone */
	assert_string_equal(r->print, "");
	(void)rig_pass(r, 0);

	refuses(r, "options bob", "bad-target", "no URI");
	refuses(r, "options http://x", "bad-target", "not spoken");
	assert_int_equal(r->exit, 2);
}


static void test_slow(void **state)
{
	struct rig *r = *state;

	assert_string_equal(rig_run(r, "devices"), "");
	fake_devices_done(0);
	assert_non_null(strstr(r->replies, "\"devices\":[{\"driver\":"
			       "\"portaudio\",\"name\":\"Headset\",\"kind\":"
			       "\"both\",\"rate_hz\":48000,\"channels\":2,"
			       "\"latency_ms\":12,\"default\":true,"
			       "\"used_for\":\"mic,ring\",\"in_use\":true}]"));
	(void)rig_pass(r, 0);

	/* the list comes when nobody waits any more */
	assert_string_equal(rig_run(r, "devices"), "");
	client_flush(r->cl);
	fake_devices_done(0);

	(void)rig_run(r, "devices");
	fake_devices_done(EIO);
	assert_non_null(strstr(r->replies, "\"ok\":false"));
	(void)rig_pass(r, 0);

	assert_string_equal(rig_run(r, "selftest"), "");
	assert_string_equal(fake_asked(), "selftest device=0 json=0");
	fake_selftest_done(true);
	assert_string_equal(r->lines, "pcmu: good");
	assert_non_null(strstr(r->replies, "\"ok\":true"));
	(void)rig_pass(r, 0);

	client_set_json(r->cl, true);
	(void)rig_run(r, "selftest --audio auto");
	assert_string_equal(fake_asked(), "selftest device=1 json=1");
	fake_selftest_done(false);
	assert_string_equal(r->replies, "{\"reply\":null,\"ok\":false,"
			    "\"error\":\"selftest-failed\",\"text\":"
			    "\"1 of 1 calls failed\",\"where\":\"t:1\","
			    "\"calls\":[{\"sip\":\"udp\",\"codec\":\"pcmu\","
			    "\"pass\":false,\"text\":\"Not every digit was "
			    "right.\",\"setup_ms\":7,\"delay_ms\":42,"
			    "\"level_db\":-0.25,\"gaps\":0,"
			    "\"similarity\":0.5,\"mos\":4.2,"
			    "\"digits\":true,\"hold\":false}],"
			    "\"notes\":[{\"text\":\"pcmu: good\"}]}\n");
	assert_int_equal(r->exit, 1);
	(void)rig_pass(r, 0);

	/* it cannot begin: told once */
	r->lines[0] = '\0';
	fake_fail(ENOENT, "No speech to play.");
	refuses(r, "selftest", "no-such-file", "\"No speech to play\"");
	assert_string_equal(r->lines, "");
}


/* Every row is whole, and names do not clash */
/* What it replies, and how it may fail, in words that there are */
static void told(const char *name)
{
	const struct result_row *row = result_find(name);
	struct text_buf b = { .max = 4096 };
	char *p, *word;

	if (!row)
		fail_msg("nobody knows what %s replies", name);

	text_add(&b, "%s", result_any_line());
	result_errors(&b, row);
	for (p = b.s; (word = strsep(&p, " ")); ) {
		if (!error_find(word))
			fail_msg("%s: there is no error '%s'", name, word);
	}
	text_buf_reset(&b);
}


static void test_results(void **state)
{
	const struct result_row *row, *last = NULL;
	struct reply *r;
	char why[256];
	(void)state;

	for (size_t i = 0; (row = result_at(i)); i++) {
		if (!command_find(row->command))
			fail_msg("there is no command %s", row->command);
		assert_true(!last || strcmp(last->command, row->command) < 0);
		last = row;
	}

	/* what it is not to let through */
	assert_int_equal(reply_alloc(&r, ""), 0);
	assert_true(result_fits(r, "calls", why, sizeof(why)));
	assert_false(result_fits(r, "nothing", why, sizeof(why)));
	reply_row(r, "call");
	reply_int(r, "call", 1);
	assert_true(result_fits(r, "calls", why, sizeof(why)));
	assert_false(result_fits(r, "rules", why, sizeof(why)));
	reply_int(r, "oops", 1);
	assert_false(result_fits(r, "calls", why, sizeof(why)));
	assert_non_null(strstr(why, "call.oops"));
	mem_deref(r);

	assert_int_equal(reply_alloc(&r, ""), 0);
	reply_int(r, "id", 1);
	assert_true(result_fits(r, "message", why, sizeof(why)));
	assert_false(result_fits(r, "calls", why, sizeof(why)));
	reply_error(r, "no-space", "x");
	assert_true(result_fits(r, "message", why, sizeof(why)));
	assert_false(result_fits(r, "mute", why, sizeof(why)));
	mem_deref(r);
}


static void test_table(void **state)
{
	const struct command *c;
	size_t n = 0;
	(void)state;

	for (; (c = command_at(n)); n++) {

		char *help = command_help(c);

		assert_ptr_equal(command_find(command_name(c)), c);
		told(command_name(c));
		if (command_alias(c)[0])
			assert_ptr_equal(command_find(command_alias(c)), c);
		assert_true(command_summary(c)[0]);
		assert_true(command_group(c)[0]);
		assert_non_null(strstr(help, command_summary(c)));

		/* lines of a terminal */
		for (const char *p = help; *p; p += strcspn(p, "\n") + 1) {
			if (strcspn(p, "\n") > 80)
				fail_msg("%s: %.*s", command_name(c),
					 (int)strcspn(p, "\n"), p);
		}
		free(help);
	}

	assert_true(n > 30);
	assert_null(command_find("nothing"));
	assert_null(command_find(""));
}


static int any_var(const char *name, char *buf, size_t sz, void *arg)
{
	(void)name;
	(void)arg;
	snprintf(buf, sz, "x");

	return 0;
}


/* As if it had been typed, but for running it: whom and what it names need
 * not be there */
static void example_right(struct rig *r, const struct command *c,
			  const struct example *e)
{
	const char *token = "";
	char err[UA_ERR] = "";
	struct words *w = NULL;
	struct cmd *x;

	if (words_parse(&w, e->line, strlen(e->line), any_var, NULL, &token,
			err))
		fail_msg("'%s': %s", e->line, err);
	assert_true(w->n > 0);
	assert_ptr_equal(command_find(w->v[0]), c);

	assert_int_equal(cmd_alloc(&x, r->cl, NULL), 0);
	x->command = c;
	if (bind_words(x, w, 1) && strncmp(x->reply->token, "no-such-", 8))
		fail_msg("'%s': %s: %s", e->line, x->reply->token,
			 x->reply->error);
	assert_true(e->about[0] && strlen(e->about) < 70);
	assert_true(strlen(e->line) < 76);
	mem_deref(x);
	mem_deref(w);
}


/* Each command has one, help shows it, and it is right */
static void test_examples(void **state)
{
	struct rig *r = *state;
	const struct command *c;

	for (size_t n = 0; (c = command_at(n)); n++) {

		const struct example *e = example_next(command_name(c), NULL);
		char *help = command_help(c);

		if (!e)
			fail_msg("'%s' has no example", command_name(c));
		for (; e; e = example_next(command_name(c), e)) {
			assert_non_null(strstr(help, e->line));
			example_right(r, c, e);
		}
		free(help);
	}
}


static void test_dump(void **state)
{
	static const char *const what[] = {
		"commands", "options", "accounts", "events", "figures",
		"errors",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {

		char *text = command_dump(what[i]);
		json_t *v = text ? json_loads(text, 0, NULL) : NULL;
		size_t k;
		json_t *o;

		assert_non_null(v);
		assert_true(json_array_size(v) > 3);
		json_array_foreach(v, k, o) {
			assert_non_null(json_object_get(o, "name"));
			assert_true(json_string_length(
				json_object_get(o, "summary")) > 0);
			assert_true(!json_object_get(o, "type") ||
				    json_string_length(
				json_object_get(o, "type")) > 0);
		}
		json_decref(v);
		free(text);
	}

	assert_null(command_dump("nothing"));
}


static void test_help(void **state)
{
	struct rig *r = *state;
	const struct figure *f;

	/* lists in a help text are those of the tables */
	(void)rig_run(r, "help wait");
	for (unsigned i = 0; i < EVENT_TYPES; i++)
		assert_non_null(strstr(r->replies, event_row(i)->name));
	(void)rig_run(r, "help assert");
	for (size_t i = 0; (f = figure_at(i)); i++)
		assert_non_null(strstr(r->replies, f->name));
	assert_null(strchr(r->replies, '@'));

	assert_non_null(strstr(rig_run(r, "help"), "Call a person"));
	assert_non_null(strstr(rig_run(r, "help dial"), "--timeout T"));
	refuses(r, "help dail", "unknown-command", "'dial'");
}


static void selects(struct rig *r, const char *line, unsigned id)
{
	const char *reply = rig_run(r, line);

	if (!strstr(reply, "\"ok\":true"))
		fail_msg("%s: %s", line, reply);
	assert_int_equal(client_selected(r->cl), id);
}


/* By number, Call-ID or the other side, if that is in one call only */
static void test_which_call(void **state)
{
	struct rig *r = *state;

	(void)fake_incoming("sip:alice@one.example");
	(void)fake_incoming("sip:1002@one.example");
	(void)fake_incoming("sip:bob@one.example;x=y");
	(void)fake_incoming("sip:bob@two.example");

	selects(r, "select 1002", 2);
	refuses(r, "select ALICE", "bad-argument",
		"no call's number, Call-ID or");
	selects(r, "select alice", 1);
	selects(r, "select SIP:bob@two.example", 4);
	refuses(r, "select bob", "bad-argument", "there are 2 calls with");
	refuses(r, "select 1003", "no-such-call", "there is no call 1003");

	/* a number that is a call's is that call, though it is over */
	(void)fake_incoming("sip:1@one.example");
	fake_state(1, CALL_ENDED, 200);
	refuses(r, "select 1", "no-such-call", "call 1 has ended");

	selects(r, "select call@fake", 2);
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_call), T(test_dtmf), T(test_call_wrong), T(test_hold),
		T(test_hold_refused), T(test_unknown),
		T(test_hold_then_quit),
		T(test_listen), T(test_options), T(test_canceller),
		T(test_look),
		T(test_request), T(test_files), T(test_errors),
		T(test_slow), T(test_table), T(test_results), T(test_dump),
		T(test_examples), T(test_help),
		T(test_which_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
