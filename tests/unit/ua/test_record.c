/**
 * @file test_record.c  Exit codes and sentences: how a call ended
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "priv.h"


static void exit_codes(void **state)
{
	static const struct {
		enum sip_cause cause;
		uint16_t code;
		int code_exit;
	} v[] = {
		{ SIP_CAUSE_STATUS, 486, 4 }, { SIP_CAUSE_STATUS, 600, 4 },
		{ SIP_CAUSE_STATUS, 408, 5 }, { SIP_CAUSE_STATUS, 480, 5 },
		{ SIP_CAUSE_STATUS, 487, 5 }, { SIP_CAUSE_NO_ANSWER, 0, 5 },
		{ SIP_CAUSE_CANCELLED, 487, 5 }, { SIP_CAUSE_CANCELLED, 0, 5 },
		{ SIP_CAUSE_STATUS, 401, 6 }, { SIP_CAUSE_STATUS, 403, 6 },
		{ SIP_CAUSE_STATUS, 407, 6 }, { SIP_CAUSE_AUTH, 401, 6 },
		{ SIP_CAUSE_AUTH, 0, 6 },
		{ SIP_CAUSE_STATUS, 404, 7 }, { SIP_CAUSE_STATUS, 410, 7 },
		{ SIP_CAUSE_STATUS, 604, 7 }, { SIP_CAUSE_RESOLVE, 0, 7 },
		{ SIP_CAUSE_STATUS, 488, 8 }, { SIP_CAUSE_STATUS, 606, 8 },
		{ SIP_CAUSE_MEDIA, 0, 8 }, { SIP_CAUSE_MEDIA, 200, 8 },
		{ SIP_CAUSE_TRANSPORT, 0, 9 }, { SIP_CAUSE_TIMEOUT, 0, 9 },
		{ SIP_CAUSE_LOCAL, 0, 9 },
		{ SIP_CAUSE_STATUS, 302, 3 }, { SIP_CAUSE_STATUS, 400, 3 },
		{ SIP_CAUSE_STATUS, 500, 3 }, { SIP_CAUSE_STATUS, 503, 3 },
		{ SIP_CAUSE_STATUS, 603, 3 }, { SIP_CAUSE_PROTOCOL, 0, 3 },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		const struct call_record r = {
			.result = { .cause = v[i].cause, .code = v[i].code },
		};

		if (v[i].code_exit != call_record_exit(&r))
			fail_msg("%s %u: %d", sip_cause_name(v[i].cause),
				 v[i].code, call_record_exit(&r));
	}
}


static void exit_of_answered(void **state)
{
	struct call_record r = { .was_active = true };
	(void)state;

	assert_int_equal(0, call_record_exit(&r));
	r.media_expected = true;
	assert_int_equal(8, call_record_exit(&r));
	r.stats.packets_received = 1;
	assert_int_equal(0, call_record_exit(&r));
	r.result.cause = SIP_CAUSE_TIMEOUT;
	assert_int_equal(9, call_record_exit(&r));
	r.result.cause = SIP_CAUSE_CANCELLED;
	assert_int_equal(0, call_record_exit(&r));
}


/* Each end in one sentence that says what happened once */
static void sentences(void **state)
{
	static const struct {
		struct sip_result res;
		bool incoming;
		uint64_t active, end;
		uint16_t code;       /* as it is told */
		const char *text;
	} v[] = {
		{ { .cause = SIP_CAUSE_STATUS, .code = 486, .remote = true,
		    .reason = "Busy Here" }, false, 0, 5000, 486,
		  "Busy (486)." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 486, .remote = true,
		    .reason = "On the other line" }, false, 0, 5000, 486,
		  "Busy (486 On the other line)." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 486 }, true, 0, 5000,
		  486, "Refused with 486." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 404 }, false, 0, 5000,
		  404, "Not found (404)." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 603,
		    .reason = "\x1b[2Jno %s\n" }, false, 0, 5000, 603,
		  "Declined (603 ?[2Jno %s?)." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 503,
		    .reason = "Later" }, false, 0, 5000, 503,
		  "Refused (503 Later)." },
		{ { .cause = SIP_CAUSE_MEDIA, .code = 488, .remote = true,
		    .reason = "No" }, false, 0, 5000, 488,
		  "No common codec (488 No)." },
		{ { .cause = SIP_CAUSE_MEDIA, .code = 200 }, false, 0, 5000,
		  488, "No common media: the answer describes no sound." },
		{ { .cause = SIP_CAUSE_MEDIA }, true, 0, 5000, 488,
		  "No common media: our offer was never answered." },
		{ { .cause = SIP_CAUSE_MEDIA, .code = 200 }, false, 2000,
		  14000, 488,
		  "Broken off after 12 s: the answer describes no sound." },
		{ { .cause = SIP_CAUSE_NO_ANSWER }, false, 0, 31000, 487,
		  "Nobody answered for 30 s." },
		{ { .cause = SIP_CAUSE_NO_ANSWER }, true, 0, 31000, 480,
		  "Nobody answered for 30 s." },
		{ { .cause = SIP_CAUSE_TIMEOUT }, false, 0, 33000, 0,
		  "No response for 32 s." },
		{ { .cause = SIP_CAUSE_TIMEOUT }, false, 0, 1300, 0,
		  "No response for 300ms." },
		{ { .cause = SIP_CAUSE_TRANSPORT, .err = ECONNREFUSED },
		  false, 0, 5000, 0, "Not reachable: Connection refused." },
		{ { .cause = SIP_CAUSE_RESOLVE, .reason = "no such name" },
		  false, 0, 5000, 0,
		  "No address found: no such name." },
		{ { .cause = SIP_CAUSE_CANCELLED, .remote = true }, true, 0,
		  5000, 487, "The caller gave up." },
		{ { .cause = SIP_CAUSE_CANCELLED }, false, 0, 5000, 487,
		  "Cancelled." },
		{ { .cause = SIP_CAUSE_LOCAL, .reason = "no free port" },
		  false, 0, 5000, 0,
		  "The call cannot be made: no free port." },
		{ { .cause = SIP_CAUSE_LOCAL, .reason = "no free port" },
		  true, 0, 5000, 500,
		  "The call cannot be answered: no free port." },
		{ { .cause = SIP_CAUSE_PROTOCOL, .code = 200 }, false, 0,
		  5000, 200, "The other side broke the rules: its answer"
		  " cannot be used." },
		{ { .cause = SIP_CAUSE_NONE }, false, 2000, 14000, 200,
		  "Hung up after 12 s." },
		{ { .cause = SIP_CAUSE_NONE, .remote = true }, false, 2000,
		  14600, 200, "The other side hung up after 12 s." },
		{ { .cause = SIP_CAUSE_TIMEOUT }, false, 2000, 14000, 408,
		  "Broken off after 12 s: Request Timeout." },
		{ { .cause = SIP_CAUSE_TIMEOUT }, true, 2000, 34000, 408,
		  "Broken off after 32 s: our answer was never confirmed"
		  " (no ACK)." },
		{ { .cause = SIP_CAUSE_TRANSPORT, .err = ECONNRESET }, false,
		  2000, 14000, 503,
		  "Broken off after 12 s: Connection reset by peer." },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		char text[256];
		struct call c = {
			.state = CALL_ENDED, .result = v[i].res,
			.outgoing = !v[i].incoming, .begin_ms = 1000,
			.active_ms = v[i].active, .end_ms = v[i].end,
		};

		ending_complete(&c, &c.result);
		call_verdict(&c, text, sizeof(text));
		assert_string_equal(v[i].text, text);
		assert_int_equal(v[i].code, c.result.code);
		assert_true(c.result.reason[0]);
	}
}


/* Advice fits who we are */
static void passwords(void **state)
{
	static const struct {
		uint16_t code;
		int err;
		const char *reason;
		bool account, creds;
		const char *text;
	} v[] = {
		{ 403, 0, "Forbidden", false, false, "Not allowed (403)." },
		{ 403, 0, "Go away", true, false, "Not allowed (403 Go"
		  " away)." },
		{ 403, 0, "Forbidden", true, true, "Not allowed (403): user"
		  " or password of account work may be wrong." },
		{ 401, EACCES, "credentials are needed", false, false,
		  "A user and a password are asked for (401): call with an"
		  " account." },
		{ 407, EACCES, "credentials are needed", true, false,
		  "A password is asked for (407), and account work has"
		  " none." },
		{ 407, EACCES, "credentials are needed", true, true,
		  "A password is asked for (407), and that of account work"
		  " is for another server." },
		{ 401, EAUTH, "the credentials were refused", true, true,
		  "User or password of account work are wrong (401)." },
		{ 401, ELOOP, "challenged again and again", true, true,
		  "Authentication failed (401): challenged again and"
		  " again." },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		char text[256];
		struct account acc = {
			.conf.name = "work",
			.conf.password = {v[i].creds ? 'x' : '\0'},
		};
		struct call c = {
			.state = CALL_ENDED, .outgoing = true,
			.acc = v[i].account ? &acc : NULL,
			.result = {
				.cause = SIP_CAUSE_AUTH, .code = v[i].code,
				.err = v[i].err, .remote = true,
			},
		};

		str_ncpy(c.result.reason, v[i].reason,
			 sizeof(c.result.reason));
		ending_complete(&c, &c.result);
		call_verdict(&c, text, sizeof(text));
		assert_string_equal(v[i].text, text);
		assert_int_equal(v[i].code, c.result.code);
	}
}


/* What we blame goes before what the session saw */
static void blame(void **state)
{
	struct call c = { .active_ms = 1, .outgoing = true, .ending = true };
	struct sip_result res = { .cause = SIP_CAUSE_NONE, .remote = true };
	(void)state;

	call_blame(&c, SIP_CAUSE_TIMEOUT, 408, "gone");
	ending_complete(&c, &res);
	assert_int_equal(SIP_CAUSE_TIMEOUT, res.cause);
	assert_int_equal(408, res.code);
	assert_string_equal("gone", res.reason);
	assert_false(res.remote);

	/* an answer of no use, but the other side hung up much later */
	c.ending = false;
	call_blame(&c, SIP_CAUSE_MEDIA, 488, "the answer is malformed");
	memset(&res, 0, sizeof(res));
	res.remote = true;
	ending_complete(&c, &res);
	assert_int_equal(SIP_CAUSE_NONE, res.cause);
	assert_int_equal(200, res.code);

	memset(&res, 0, sizeof(res));
	res.cause = SIP_CAUSE_MEDIA;
	ending_complete(&c, &res);
	assert_int_equal(488, res.code);
	assert_string_equal("the answer is malformed", res.reason);
}


static void causes(void **state)
{
	struct call_record r = { .was_active = true, .media_expected = true };
	(void)state;

	assert_string_equal("no-media", call_record_cause(&r));
	r.result.cause = SIP_CAUSE_TIMEOUT;
	assert_string_equal("timeout", call_record_cause(&r));
	r.result.cause = SIP_CAUSE_NONE;
	r.stats.packets_received = 1;
	assert_string_equal("none", call_record_cause(&r));
	assert_string_equal("", call_record_cause(NULL));
}


static void names(void **state)
{
	char buf[8];
	(void)state;

	/* whole characters only, and always UTF-8 */
	utf8_copy(buf, sizeof(buf), "abc\xc3\xbc");
	assert_string_equal("abc\xc3\xbc", buf);
	utf8_copy(buf, sizeof(buf), "abcdef\xc3\xbc");
	assert_string_equal("abcdef", buf);
	utf8_copy(buf, sizeof(buf), "a\xff\xc3z");
	assert_string_equal("a??z", buf);
	utf8_copy(buf, sizeof(buf), "0123456789");
	assert_string_equal("0123456", buf);
	utf8_copy(buf, 1, "x");
	assert_string_equal("", buf);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes),
		cmocka_unit_test(exit_of_answered),
		cmocka_unit_test(sentences),
		cmocka_unit_test(passwords),
		cmocka_unit_test(blame),
		cmocka_unit_test(causes),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
