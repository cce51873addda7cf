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
	r.packets_received = 1;
	assert_int_equal(0, call_record_exit(&r));
	r.result.cause = SIP_CAUSE_TIMEOUT;
	assert_int_equal(9, call_record_exit(&r));
	r.result.cause = SIP_CAUSE_CANCELLED;
	assert_int_equal(0, call_record_exit(&r));
}


static void sentences(void **state)
{
	static const struct {
		struct sip_result res;
		bool incoming;
		uint64_t active, end;
		const char *text;
	} v[] = {
		{ { .cause = SIP_CAUSE_STATUS, .code = 486,
		    .reason = "Busy Here" }, false, 0, 5000,
		  "Busy (486 Busy Here)." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 404 }, false, 0, 5000,
		  "Not found (404 Not Found)." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 603,
		    .reason = "\x1b[2Jno %s\n" }, false, 0, 5000,
		  "Declined (603 ?[2Jno %s?)." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 503,
		    .reason = "Later" }, false, 0, 5000,
		  "Refused (503 Later)." },
		{ { .cause = SIP_CAUSE_STATUS, .code = 488,
		    .reason = "No" }, false, 0, 5000,
		  "No common codec (488 No)." },
		{ { .cause = SIP_CAUSE_NO_ANSWER }, false, 0, 31000,
		  "Nobody answered for 30 s." },
		{ { .cause = SIP_CAUSE_TIMEOUT }, false, 0, 33000,
		  "No response for 32 s." },
		{ { .cause = SIP_CAUSE_TIMEOUT }, false, 0, 1300,
		  "No response for 300ms." },
		{ { .cause = SIP_CAUSE_TRANSPORT, .err = ECONNREFUSED },
		  false, 0, 5000, "Not reachable: Connection refused." },
		{ { .cause = SIP_CAUSE_RESOLVE, .reason = "no such name" },
		  false, 0, 5000,
		  "The name cannot be resolved: no such name." },
		{ { .cause = SIP_CAUSE_AUTH, .code = 401,
		    .reason = "Unauthorized" }, false, 0, 5000,
		  "Authentication failed (401 Unauthorized): check user and"
		  " password." },
		{ { .cause = SIP_CAUSE_CANCELLED, .remote = true }, true, 0,
		  5000, "The caller gave up." },
		{ { .cause = SIP_CAUSE_CANCELLED }, false, 0, 5000,
		  "Cancelled." },
		{ { .cause = SIP_CAUSE_LOCAL, .reason = "no free port" },
		  false, 0, 5000,
		  "The call cannot be made: no free port." },
		{ { .cause = SIP_CAUSE_MEDIA }, false, 0, 5000,
		  "No common media (no reason given)." },
		{ { .cause = SIP_CAUSE_PROTOCOL, .reason = "odd" }, false, 0,
		  5000, "The other side broke the rules (odd)." },
		{ { .cause = SIP_CAUSE_NONE }, false, 2000, 14000,
		  "Hung up after 12 s." },
		{ { .cause = SIP_CAUSE_NONE, .remote = true }, false, 2000,
		  14600, "The other side hung up after 12 s." },
		{ { .cause = SIP_CAUSE_TIMEOUT }, false, 2000, 14000,
		  "Broken off after 12 s: no reason given." },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		char text[256];
		struct call c = {
			.state = CALL_ENDED, .result = v[i].res,
			.outgoing = !v[i].incoming, .begin_ms = 1000,
			.active_ms = v[i].active, .end_ms = v[i].end,
		};

		call_verdict(&c, text, sizeof(text));
		assert_string_equal(v[i].text, text);
	}
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
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
