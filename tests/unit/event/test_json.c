/**
 * @file test_json.c  Events as JSON: exact, and valid whatever they hold
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/event.h>
#include <offhook/text.h>


static void check(const struct event *ev, const char *want)
{
	char *s = event_json(ev);

	assert_non_null(s);
	assert_string_equal(s, want);
	free(s);
}


/* The same event again, with every field as long as it may be, and with none */
static void test_pack(void **state)
{
	(void)state;

	for (unsigned type = 0; type < EVENT_TYPES; type++) {

		const struct event_row *row = event_row(type);
		struct event ev, again;
		uint8_t p[EVENT_PACKED_MAX];
		size_t len, small, n = 0;
		char *a, *b;

		event_init(&ev, type);
		small = event_pack(&ev, p);
		assert_in_range(small, 1, sizeof(p));
		event_unpack(&again, p, small);
		assert_memory_equal(&ev, &again, sizeof(ev));

		ev.seq = 7;
		ev.time = 1795255200123ULL;
		ev.call = 3;
		ev.account = 2;
		for (; row->fields[n].name; n++) {

			const struct event_field *f = &row->fields[n];
			void *at = (char *)&ev + f->offset;

			if (f->type == EVF_STR)
				memset(at, 'a' + (int)(n % 26), f->size);
			else if (f->type == EVF_INT)
				*(int64_t *)at = -1 - (int64_t)n;
			else if (f->type == EVF_DOUBLE)
				*(double *)at = 0.5 + (double)n;
			else
				*(bool *)at = true;
		}
		assert_true(n < 256);

		len = event_pack(&ev, p);
		assert_in_range(len, small + !!n, sizeof(p));
		memset(&again, 0x55, sizeof(again));
		event_unpack(&again, p, len);
		a = event_json(&ev);
		b = event_json(&again);
		assert_string_equal(a, b);
		free(a);
		free(b);
	}
}


static void test_exact(void **state)
{
	struct event ev;
	(void)state;

	event_init(&ev, EVENT_CALL_STATE);
	ev.seq = 12;
	ev.time = 1795255200123ULL;
	ev.call = 1;
	ev.account = 1;
	(void)strcpy(ev.u.call_state.state, "active");
	(void)strcpy(ev.u.call_state.peer, "sip:bob@example.com");
	ev.u.call_state.code = 200;
	ev.u.call_state.setup_ms = 1500;
	check(&ev, "{\"event\":\"call.state\",\"seq\":12,"
	      "\"time\":\"2026-11-21T10:00:00.123Z\",\"call\":1,"
	      "\"account\":1,\"state\":\"active\","
	      "\"peer\":\"sip:bob@example.com\",\"code\":200,"
	      "\"setup_ms\":1500}");

	event_init(&ev, EVENT_CALL_QUALITY);
	ev.seq = 1;
	ev.call = 2;
	ev.u.call_quality.packets_sent = 50;
	ev.u.call_quality.loss_pct = 0.1;
	ev.u.call_quality.mos = 4.2;
	ev.u.call_quality.delay_ms = 40;
	check(&ev, "{\"event\":\"call.quality\",\"seq\":1,"
	      "\"time\":\"1970-01-01T00:00:00.000Z\",\"call\":2,"
	      "\"packets_sent\":50,\"loss_pct\":0.1,\"delay_ms\":40,"
	      "\"mos\":4.2}");

	event_init(&ev, EVENT_CALL_HOLD);
	ev.u.call_hold.local = true;
	check(&ev, "{\"event\":\"call.hold\",\"seq\":0,"
	      "\"time\":\"1970-01-01T00:00:00.000Z\",\"local\":true,"
	      "\"remote\":false}");

	assert_null(event_json(NULL));
}


static void test_hostile_text(void **state)
{
	struct event ev;
	json_t *json;
	char *s;
	(void)state;

	event_init(&ev, EVENT_LOG);
	(void)strcpy(ev.u.log.text, "a\"b\\c\x1b[2J\n\xff\xc3\xbc\xe2\x82"
		     "\xc2\x9b\xe2\x80\xae\x7f{}");
	s = event_json(&ev);
	assert_non_null(s);

	/* valid, one line, and nothing a terminal would obey */
	assert_true(text_utf8_valid(s, strlen(s)));
	for (const char *p = s; *p; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	assert_non_null(strstr(s, "\\u009b\\u202e\\u007f{}"));

	/* and what a reader gets is what was there */
	json = json_loads(s, 0, NULL);
	assert_non_null(json);
	assert_string_equal(
		json_string_value(json_object_get(json, "text")),
		"a\"b\\c\x1b[2J\n\xef\xbf\xbd\xc3\xbc\xef\xbf\xbd\xef\xbf\xbd"
		"\xc2\x9b\xe2\x80\xae\x7f{}");
	json_decref(json);
	free(s);
}


/* Whatever bytes all fields hold, the line parses */
static void test_random_bytes(void **state)
{
	uint32_t rnd = 1;
	(void)state;

	for (unsigned i = 0; i < 2000; i++) {
		struct event ev;
		json_t *json;
		char *s;

		for (size_t k = 0; k < sizeof(ev); k++) {
			rnd = rnd * 1664525 + 1013904223;
			((unsigned char *)&ev)[k] = (unsigned char)(rnd >> 16);
		}
		ev.type = (enum event_type)(i % EVENT_TYPES);
		if (ev.type == EVENT_CALL_HOLD) {
			ev.u.call_hold.local = i & 16;
			ev.u.call_hold.remote = i & 32;
		}

		s = event_json(&ev);
		assert_non_null(s);
		assert_null(strchr(s, '\n'));
		json = json_loads(s, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json);
		json_decref(json);
		free(s);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
