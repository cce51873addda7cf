/**
 * @file test_print.c  Events as lines for people
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/event.h>


static struct event ev;


static void check(const char *want)
{
	char buf[512];

	event_print(&ev, buf, sizeof(buf));
	assert_string_equal(buf, want);
}


static void test_call(void **state)
{
	(void)state;

	event_init(&ev, EVENT_CALL_STATE);
	ev.call = 1;
	(void)strcpy(ev.u.call_state.state, "active");
	(void)strcpy(ev.u.call_state.peer, "sip:bob@example.com");
	check("call 1 active, sip:bob@example.com");

	(void)strcpy(ev.u.call_state.name, "Bob");
	check("call 1 active, Bob sip:bob@example.com");

	(void)strcpy(ev.u.call_state.state, "ended");
	ev.u.call_state.code = 486;
	(void)strcpy(ev.u.call_state.reason, "Busy\x1bHere");
	ev.u.call_state.duration_ms = 61999;
	check("call 1 ended, Bob sip:bob@example.com, 486 Busy?Here after"
	      " 61s");

	/* the sentence says all of it */
	(void)strcpy(ev.u.call_state.text, "They are busy (486).");
	check("call 1 ended, Bob sip:bob@example.com: They are busy (486).");

	event_init(&ev, EVENT_CALL_HOLD);
	ev.call = 2;
	check("call 2 off hold");
	ev.u.call_hold.local = true;
	check("call 2 on hold");
	ev.u.call_hold.remote = true;
	check("call 2 on hold, and held by the other side");
	ev.u.call_hold.local = false;
	check("call 2 held by the other side");
	ev.u.call_hold.remote = false;
	(void)strcpy(ev.u.call_hold.cause, "status");
	ev.u.call_hold.code = 488;
	check("call 2 off hold as before: the change was refused (488)");
	ev.u.call_hold.local = true;
	ev.u.call_hold.code = EVENT_NONE;
	(void)strcpy(ev.u.call_hold.cause, "transport");
	check("call 2 on hold as before: the change was refused (transport)");

	event_init(&ev, EVENT_CALL_REDIRECT);
	ev.call = 1;
	(void)strcpy(ev.u.call_redirect.state, "asked");
	(void)strcpy(ev.u.call_redirect.target, "sip:b@example.com");
	check("call 1 redirect asked: sip:b@example.com");
	ev.u.call_redirect.code = 302;
	(void)strcpy(ev.u.call_redirect.reason, "Moved Temporarily");
	check("call 1 redirect asked: sip:b@example.com, 302 Moved"
	      " Temporarily");

	event_init(&ev, EVENT_CALL_UPDATE);
	ev.call = 1;
	(void)strcpy(ev.u.call_update.method, "UPDATE");
	ev.u.call_update.code = 200;
	(void)strcpy(ev.u.call_update.reason, "OK");
	check("call 1 UPDATE agreed, 200");
	ev.u.call_update.code = 488;
	(void)strcpy(ev.u.call_update.reason, "Not Acceptable Here");
	(void)strcpy(ev.u.call_update.cause, "status");
	check("call 1 UPDATE failed, 488 Not Acceptable Here");
	ev.u.call_update.code = EVENT_NONE;
	(void)strcpy(ev.u.call_update.reason, "no answer");
	check("call 1 UPDATE failed, no answer");

	event_init(&ev, EVENT_CALL_DTMF);
	ev.call = 1;
	(void)strcpy(ev.u.call_dtmf.digit, "#");
	check("call 1 digit #");

	event_init(&ev, EVENT_DTMF_DONE);
	ev.call = 1;
	ev.u.dtmf_done.sent = 4;
	ev.u.dtmf_done.lost = 0;
	check("call 1 digits: 4 sent");
	ev.u.dtmf_done.sent = 1;
	ev.u.dtmf_done.lost = 3;
	check("call 1 digits: 1 sent, 3 lost: the call ended before");
}


static void test_media(void **state)
{
	(void)state;

	event_init(&ev, EVENT_CALL_MEDIA);
	ev.call = 1;
	(void)strcpy(ev.u.call_media.codec, "opus");
	check("call 1 media: opus");
	ev.u.call_media.rate_hz = 48000;
	ev.u.call_media.ptime_ms = 20;
	(void)strcpy(ev.u.call_media.direction, "sendrecv");
	(void)strcpy(ev.u.call_media.security, "none");
	(void)strcpy(ev.u.call_media.local, "10.0.0.1:4000");
	(void)strcpy(ev.u.call_media.remote, "10.0.0.2:4002");
	check("call 1 media: opus 48000 Hz 20 ms, sendrecv, security none,"
	      " 10.0.0.1:4000 to 10.0.0.2:4002");

	event_init(&ev, EVENT_CALL_QUALITY);
	ev.call = 1;
	check("call 1 quality");
	ev.u.call_quality.packets_received = 50;
	ev.u.call_quality.loss_pct = 1.25;
	ev.u.call_quality.mos = 4.06;
	ev.u.call_quality.jitter_ms = 3;
	check("call 1 quality, 50 packets received, loss 1.2 %, jitter 3 ms,"
	      " MOS 4.1");
}


static void test_others(void **state)
{
	char small[8];
	(void)state;

	event_init(&ev, EVENT_ACCOUNT_STATE);
	ev.account = 1;
	(void)strcpy(ev.u.account_state.state, "failed");
	(void)strcpy(ev.u.account_state.aor, "sip:a@b");
	(void)strcpy(ev.u.account_state.cause, "wrong password");
	check("account 1 failed, sip:a@b: wrong password");
	(void)strcpy(ev.u.account_state.text, "Nobody answers.");
	ev.u.account_state.next_ms = 44001;
	ev.u.account_state.flow = 2;
	check("account 1 failed, sip:a@b, way 2: Nobody answers. Again in"
	      " 45s.");
	ev.u.account_state.cause[0] = ev.u.account_state.text[0] = '\0';
	(void)strcpy(ev.u.account_state.state, "registered");
	check("account 1 registered, sip:a@b, way 2");

	event_init(&ev, EVENT_PLAY_DONE);
	ev.call = 1;
	(void)strcpy(ev.u.file_done.file, "hello.wav");
	(void)strcpy(ev.u.file_done.result, "done");
	check("call 1 playing hello.wav: done");
	ev.type = EVENT_RECORD_DONE;
	(void)strcpy(ev.u.file_done.result, "error");
	(void)strcpy(ev.u.file_done.text, "the disk is full");
	check("call 1 recording hello.wav: error, the disk is full");

	event_init(&ev, EVENT_CALL_UNHEARD);
	ev.call = 3;
	check("call 3 is muted, and you are talking: `unmute` lets them hear"
	      " you");

	event_init(&ev, EVENT_CALL_CLIPPED);
	ev.call = 3;
	check("call 3: your microphone is too loud, what they hear is cut: turn"
	      " it down, or `gain mic -6`");

	event_init(&ev, EVENT_CALL_MOVED);
	ev.call = 3;
	(void)strcpy(ev.u.call_moved.from, "198.51.100.7:4000");
	(void)strcpy(ev.u.call_moved.was, "192.0.2.1:10018");
	check("call 3: its sound comes from 198.51.100.7:4000 now, not from"
	      " 192.0.2.1:10018");

	event_init(&ev, EVENT_DEVICE_LOST);
	(void)strcpy(ev.u.device.role, "mic");
	(void)strcpy(ev.u.device.device, "USB");
	(void)strcpy(ev.u.device.text, "unplugged");
	check("mic USB lost: unplugged");
	ev.type = EVENT_DEVICE_FOUND;
	ev.u.device.text[0] = '\0';
	check("mic USB found");

	event_init(&ev, EVENT_LOG);
	(void)strcpy(ev.u.log.level, "warn");
	(void)strcpy(ev.u.log.module, "sip");
	(void)strcpy(ev.u.log.text, "odd");
	check("warn: sip: odd");

	event_print(&ev, small, sizeof(small));
	assert_string_equal(small, "warn...");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_media),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
