/**
 * @file test_event.c  The bus: order, leaving, coming, too many
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/clock.h>
#include <offhook/event.h>
#include <offhook/log.h>


static struct event_bus *bus;

/* who heard which event: "a1 b1 a2" */
static char story[65536];
static size_t story_len;


static void tell(char who, const struct event *ev)
{
	story_len += (size_t)snprintf(story + story_len,
				      sizeof(story) - story_len, "%s%c%u",
				      story_len ? " " : "", who, ev->call);
	assert_true(story_len < sizeof(story));
}


static void hear_h(const struct event *ev, void *arg)
{
	tell(*(const char *)arg, ev);
}


static void publish(enum event_type type, unsigned call)
{
	struct event ev;

	event_init(&ev, type);
	ev.call = call;
	event_publish(bus, &ev);
}


static int setup(void **state)
{
	(void)state;

	story_len = 0;
	story[0] = '\0';
	log_set_level(LOGL_ERROR);

	return event_bus_alloc(&bus);
}


static int teardown(void **state)
{
	(void)state;

	bus = mem_deref(bus);
	log_set_handler(NULL, NULL);

	return 0;
}


static void test_publish(void **state)
{
	struct event_sub *a = NULL, *b = NULL;
	struct event ev;
	(void)state;

	assert_int_equal(event_bus_alloc(NULL), EINVAL);
	assert_int_equal(event_subscribe(&a, NULL, hear_h, "a"), EINVAL);
	assert_int_equal(event_subscribe(&a, bus, NULL, "a"), EINVAL);
	assert_null(a);

	assert_int_equal(event_subscribe(&a, bus, hear_h, "a"), 0);
	assert_int_equal(event_subscribe_type(&b, bus, EVENT_CALL_HOLD,
					      hear_h, "b"), 0);

	event_init(&ev, EVENT_CALL_STATE);
	ev.call = 1;
	event_publish(bus, &ev);
	assert_int_equal(ev.seq, 1);
	assert_in_range(clock_wall_ms() - ev.time, 0, 10000);

	event_init(&ev, EVENT_CALL_HOLD);
	ev.call = 2;
	ev.time = 1234;
	event_publish(bus, &ev);
	assert_int_equal(ev.seq, 2);
	assert_int_equal(ev.time, 1234);

	assert_string_equal(story, "a1 a2 b2");
	mem_deref(a);
	publish(EVENT_CALL_HOLD, 3);
	assert_string_equal(story, "a1 a2 b2 b3");
	mem_deref(b);
	publish(EVENT_CALL_HOLD, 4);
	assert_string_equal(story, "a1 a2 b2 b3");
}


/* Who hears all and who hears one type: in the order they came */
static void test_order_of_subscription(void **state)
{
	struct event_sub *sv[6] = { NULL };
	static const char *const who[] = { "a", "b", "c", "d", "e", "f" };
	(void)state;

	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(event_subscribe_type(&sv[i], bus,
			i % 3 == 1 ? EVENT_TYPES :
			i % 3 == 2 ? EVENT_CALL_HOLD : EVENT_CALL_DTMF,
			hear_h, (void *)who[i]), 0);

	publish(EVENT_CALL_HOLD, 1);
	publish(EVENT_CALL_DTMF, 2);
	publish(EVENT_CALL_STATE, 3);
	assert_string_equal(story, "b1 c1 e1 f1 a2 b2 d2 e2 b3 e3");

	for (unsigned i = 0; i < 6; i++)
		mem_deref(sv[i]);
}


static void test_wanted(void **state)
{
	struct event_sub *a = NULL, *b = NULL;
	(void)state;

	assert_false(event_wanted(bus, EVENT_LOG));
	assert_int_equal(event_subscribe_type(&a, bus, EVENT_LOG, hear_h,
					      "a"), 0);
	assert_true(event_wanted(bus, EVENT_LOG));
	assert_false(event_wanted(bus, EVENT_CALL_STATE));
	assert_int_equal(event_subscribe(&b, bus, hear_h, "b"), 0);
	assert_true(event_wanted(bus, EVENT_CALL_STATE));
	mem_deref(b);
	assert_false(event_wanted(bus, EVENT_CALL_STATE));
	assert_true(event_wanted(bus, EVENT_LOG));
	mem_deref(a);
	assert_false(event_wanted(bus, EVENT_LOG));
	assert_false(event_wanted(bus, EVENT_TYPES));
	assert_false(event_wanted(NULL, EVENT_LOG));
}


/* Publishes while it hears: 1 makes 2 and 3, 2 makes 4 */
static void echo_h(const struct event *ev, void *arg)
{
	tell(*(const char *)arg, ev);

	if (ev->call == 1) {
		publish(EVENT_CALL_STATE, 2);
		publish(EVENT_CALL_STATE, 3);
	}
	else if (ev->call == 2) {
		publish(EVENT_CALL_STATE, 4);
	}
}


static uint64_t last_seq;


static void seq_h(const struct event *ev, void *arg)
{
	(void)arg;
	assert_int_equal(ev->seq, ++last_seq);
}


static void test_order_is_total(void **state)
{
	struct event_sub *a = NULL, *b = NULL, *c = NULL;
	(void)state;

	last_seq = 0;
	assert_int_equal(event_subscribe(&a, bus, echo_h, "a"), 0);
	assert_int_equal(event_subscribe(&b, bus, hear_h, "b"), 0);
	assert_int_equal(event_subscribe(&c, bus, seq_h, NULL), 0);

	publish(EVENT_CALL_STATE, 1);
	assert_string_equal(story, "a1 b1 a2 b2 a3 b3 a4 b4");
	assert_int_equal(last_seq, 4);

	mem_deref(a);
	mem_deref(b);
	mem_deref(c);
}


static struct event_sub *subs[4];


/* 1: the first leaves, and takes the third with it; 2: one comes */
static void leave_h(const struct event *ev, void *arg)
{
	tell(*(const char *)arg, ev);

	if (ev->call == 1) {
		subs[0] = mem_deref(subs[0]);
		subs[2] = mem_deref(subs[2]);
		publish(EVENT_CALL_STATE, 2);
	}
}


static void join_h(const struct event *ev, void *arg)
{
	tell(*(const char *)arg, ev);

	if (ev->call == 2) {
		assert_int_equal(event_subscribe(&subs[3], bus, hear_h, "d"),
				 0);
		publish(EVENT_CALL_STATE, 3);
	}
}


static void test_leave_and_join_during_dispatch(void **state)
{
	(void)state;

	assert_int_equal(event_subscribe(&subs[0], bus, leave_h, "a"), 0);
	assert_int_equal(event_subscribe(&subs[1], bus, join_h, "b"), 0);
	assert_int_equal(event_subscribe(&subs[2], bus, hear_h, "c"), 0);

	publish(EVENT_CALL_STATE, 1);

	/* who comes during an event hears the next one */
	assert_string_equal(story, "a1 b1 b2 b3 d3");
	publish(EVENT_CALL_STATE, 4);
	assert_string_equal(story, "a1 b1 b2 b3 d3 b4 d4");

	mem_deref(subs[1]);
	mem_deref(subs[3]);
	assert_false(event_wanted(bus, EVENT_CALL_STATE));
}


static void end_h(const struct event *ev, void *arg)
{
	tell(*(const char *)arg, ev);
	bus = mem_deref(bus);
}


static void test_bus_goes_first(void **state)
{
	struct event_sub *a = NULL, *b = NULL;
	struct event ev;
	(void)state;

	assert_int_equal(event_subscribe(&a, bus, hear_h, "a"), 0);
	bus = mem_deref(bus);
	mem_deref(a);

	/* even in the middle of a dispatch */
	a = NULL;
	assert_int_equal(event_bus_alloc(&bus), 0);
	assert_int_equal(event_subscribe(&a, bus, end_h, "a"), 0);
	assert_int_equal(event_subscribe(&b, bus, hear_h, "b"), 0);
	event_init(&ev, EVENT_CALL_STATE);
	ev.call = 5;
	event_publish(bus, &ev);
	assert_null(bus);
	assert_string_equal(story, "a5 b5");
	mem_deref(a);
	mem_deref(b);
	event_publish(NULL, &ev);
}


/* On the first event: a flood of states, with two others among them */
static void flood_h(const struct event *ev, void *arg)
{
	const unsigned *n = arg;

	if (ev->call != 1)
		return;

	publish(EVENT_CALL_QUALITY, 2);
	publish(EVENT_CALL_QUALITY, 3);
	for (unsigned i = 0; i < *n; i++)
		publish(EVENT_CALL_STATE, 4);
	publish(EVENT_CALL_QUALITY, 5);
	publish(EVENT_CALL_HOLD, 6);
}


static unsigned count[8];


static void count_h(const struct event *ev, void *arg)
{
	(void)arg;
	assert_int_equal(ev->seq, ++last_seq);    /* no gaps at all */
	++count[ev->call];
}


static void flood(unsigned n, unsigned two, unsigned three, unsigned four,
		  unsigned five, unsigned six)
{
	struct event_sub *a = NULL, *b = NULL;

	memset(count, 0, sizeof(count));
	last_seq = 0;
	assert_int_equal(event_subscribe(&a, bus, flood_h, &n), 0);
	assert_int_equal(event_subscribe(&b, bus, count_h, NULL), 0);
	publish(EVENT_CALL_STATE, 1);
	assert_int_equal(count[1], 1);
	assert_int_equal(count[2], two);
	assert_int_equal(count[3], three);
	assert_int_equal(count[4], four);
	assert_int_equal(count[5], five);
	assert_int_equal(count[6], six);
	mem_deref(a);
	mem_deref(b);
}


static void test_too_many(void **state)
{
	(void)state;

	/* room for all */
	flood(1020, 1, 1, 1020, 1, 1);
	(void)teardown(NULL);
	(void)setup(NULL);

	/* the oldest quality gives way, then the next, then the new one */
	flood(1022, 0, 0, 1022, 1, 1);
	(void)teardown(NULL);
	(void)setup(NULL);
	flood(1023, 0, 0, 1023, 0, 1);
	(void)teardown(NULL);
	(void)setup(NULL);
	flood(1500, 0, 0, 1500, 0, 1);
	(void)teardown(NULL);
	(void)setup(NULL);

	/* without end: there is an end */
	flood(5000, 0, 0, 4096, 0, 0);
}


static unsigned logged;


static void log_to_bus_h(enum log_level level, const char *module,
			 const char *text, void *arg)
{
	(void)level;
	(void)module;
	(void)text;
	(void)arg;

	++logged;
	publish(EVENT_LOG, 9);
}


static void log_back_h(const struct event *ev, void *arg)
{
	tell(*(const char *)arg, ev);
	log_write(LOGL_ERROR, "test", "cannot pass on a line of the log");
}


/* A listener to the log that logs must not keep itself busy for ever */
static void test_log_does_not_feed_itself(void **state)
{
	struct event_sub *a = NULL;
	(void)state;

	logged = 0;
	assert_int_equal(log_open("/dev/null"), 0);
	log_set_handler(log_to_bus_h, NULL);
	assert_int_equal(event_subscribe(&a, bus, log_back_h, "a"), 0);

	/* a log line: one event, and what its listener logs is none */
	log_write(LOGL_ERROR, "test", "first");
	assert_string_equal(story, "a9");

	/* another event: its listener's line is one, and that is all */
	publish(EVENT_CALL_STATE, 1);
	assert_string_equal(story, "a9 a1 a9");

	mem_deref(a);
	log_close();
}


int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_publish), T(test_order_of_subscription),
		T(test_wanted),
		T(test_order_is_total),
		T(test_leave_and_join_during_dispatch),
		T(test_bus_goes_first),
		T(test_too_many),
		T(test_log_does_not_feed_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
