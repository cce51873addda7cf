/**
 * @file test_table.c  The table is whole, and fields read as text
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include <offhook/event.h>
#include <offhook/text.h>


/* Every row has what the manual and JSON need, and stays in its struct */
static void test_rows(void **state)
{
	(void)state;

	for (unsigned i = 0; i < EVENT_TYPES; i++) {
		const struct event_row *row = event_row((enum event_type)i);
		unsigned fields = 0;

		assert_non_null(row);
		assert_non_null(row->name);
		assert_true(row->summary && row->summary[0]);
		assert_non_null(row->fields);
		assert_int_equal(event_type_find(row->name), i);

		for (const struct event_field *f = row->fields; f->name;
		     f++, fields++) {

			assert_true(f->summary && f->summary[0]);
			assert_true(f->offset >= offsetof(struct event, u));
			assert_true(f->offset + f->size <=
				    sizeof(struct event));
			if (f->type == EVF_INT)
				assert_int_equal(f->size, sizeof(int64_t));
			if (f->type == EVF_DOUBLE)
				assert_int_equal(f->size, sizeof(double));
			if (f->type == EVF_BOOL)
				assert_int_equal(f->size, sizeof(bool));

			for (const char *p = f->name; *p; p++)
				assert_true(islower(*p) || *p == '-');

			/* times are whole milliseconds */
			if (strlen(f->name) > 3 &&
			    !strcmp(f->name + strlen(f->name) - 3, "-ms"))
				assert_int_equal(f->type, EVF_INT);

			for (const struct event_field *g = row->fields;
			     g != f; g++)
				assert_string_not_equal(g->name, f->name);
		}
		assert_true(fields > 0);
	}

	assert_null(event_row(EVENT_TYPES));
	assert_int_equal(event_type_find("call.nothing"), EVENT_TYPES);
	assert_int_equal(event_type_find(NULL), EVENT_TYPES);
}


/* A new event has nothing but what must be there */
static void test_init(void **state)
{
	struct event ev;
	char buf[300];
	(void)state;

	for (unsigned i = 0; i < EVENT_TYPES; i++) {
		memset(&ev, 0x5a, sizeof(ev));
		assert_ptr_equal(event_init(&ev, (enum event_type)i), &ev);
		assert_int_equal(ev.type, i);
		assert_int_equal(ev.call, 0);

		for (const struct event_field *f =
			     event_row(ev.type)->fields; f->name; f++)
			assert_int_equal(
				event_field_text(&ev, f->name, buf,
						 sizeof(buf)),
				f->type == EVF_BOOL ? 0 : ENOENT);
	}
}


static void check(const struct event *ev, const char *name, const char *want)
{
	char buf[300];

	assert_int_equal(event_field_text(ev, name, buf, sizeof(buf)), 0);
	assert_string_equal(buf, want);
}


static void test_field_text(void **state)
{
	struct event ev;
	char buf[300] = "old";
	(void)state;

	event_init(&ev, EVENT_CALL_STATE);
	ev.call = 3;
	ev.account = 2;
	ev.seq = 12;
	ev.time = 1795255200123ULL;
	(void)strcpy(ev.u.call_state.state, "ended");
	ev.u.call_state.code = 486;
	ev.u.call_state.duration_ms = 0;

	check(&ev, "event", "call.state");
	check(&ev, "call", "3");
	check(&ev, "account", "2");
	check(&ev, "seq", "12");
	check(&ev, "time", "2026-11-21T10:00:00.123Z");
	check(&ev, "state", "ended");
	check(&ev, "code", "486");
	check(&ev, "duration-ms", "0");

	assert_int_equal(event_field_text(&ev, "setup-ms", buf, 300),
			 ENOENT);
	assert_int_equal(event_field_text(&ev, "duration_ms", buf, 300),
			 ENOENT);
	assert_int_equal(event_field_text(&ev, "codec", buf, 300), ENOENT);
	assert_int_equal(event_field_text(&ev, "state", buf, 5), EOVERFLOW);
	assert_string_equal(buf, "old");

	ev.call = 0;
	assert_int_equal(event_field_text(&ev, "call", buf, 300), ENOENT);

	event_init(&ev, EVENT_CALL_QUALITY);
	ev.u.call_quality.mos = 4.125;
	ev.u.call_quality.loss_pct = 0;
	check(&ev, "mos", "4.125");
	check(&ev, "loss-pct", "0");
	ev.u.call_quality.delay_ms = 40;
	check(&ev, "delay-ms", "40");
	ev.u.call_quality.target_ms = 30;
	check(&ev, "target-ms", "30");
	ev.u.call_quality.compressed_ms = 12;
	check(&ev, "compressed-ms", "12");
	ev.u.call_quality.mos = (double)INFINITY;
	assert_int_equal(event_field_text(&ev, "mos", buf, 300), ENOENT);
	assert_int_equal(event_field_text(&ev, "rtt-ms", buf, 300), ENOENT);
	assert_int_equal(event_field_text(&ev, "jitter-ms", buf, 300),
			 ENOENT);

	event_init(&ev, EVENT_CALL_MEDIA);
	ev.u.call_media.rate_hz = 48000;
	check(&ev, "rate", "48000");

	event_init(&ev, EVENT_CALL_HOLD);
	ev.u.call_hold.remote = true;
	check(&ev, "local", "false");
	check(&ev, "remote", "true");
	assert_int_equal(event_field_text(NULL, "remote", buf, 300), EINVAL);
}


/* A string that fills its field to the last byte is still a string */
static void test_full_field(void **state)
{
	struct event ev;
	char buf[300];
	(void)state;

	event_init(&ev, EVENT_LOG);
	memset(ev.u.log.module, 'm', sizeof(ev.u.log.module));
	memset(ev.u.log.text, 't', sizeof(ev.u.log.text));
	assert_int_equal(event_field_text(&ev, "module", buf, 300), 0);
	assert_int_equal(strlen(buf), EVENT_NAME);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_field_text),
		cmocka_unit_test(test_full_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
