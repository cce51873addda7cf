/**
 * @file test_composing.c  Who is writing a message, in fake time (RFC 3994)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "body.h"
#include "message.h"

/* composing.c runs alone: what it sends ends here */
static char sent[512];
static char heard[512];
static struct config config;
static struct ua ua;
static struct event_sub *sub;


int ua_message(unsigned *idp, struct ua *u, const struct ua_message *prm,
	       char *err)
{
	char line[128];
	(void)idp;
	(void)u;
	(void)err;

	assert_string_equal(prm->text, "");
	(void)snprintf(line, sizeof(line), "%s%s:%u;", prm->target,
		       prm->composing == UA_COMPOSING ? "+" : "-", prm->call);
	strcat(sent, line);

	return 0;
}


static void told_h(const struct event *ev, void *arg)
{
	char line[320];
	(void)arg;

	(void)snprintf(line, sizeof(line), "%s%s;",
		       ev->u.message_composing.from,
		       ev->u.message_composing.active ? "+" : "-");
	strcat(heard, line);
}


static int setup(void **state)
{
	(void)state;

	memset(&ua, 0, sizeof(ua));
	memset(&config, 0, sizeof(config));
	sent[0] = heard[0] = '\0';
	config.message_composing = true;
	ua.config = &config;

	assert_int_equal(libre_init(), 0);
	clock_fake_start(1000000000000ULL);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(event_bus_alloc(&ua.bus), 0);

	return event_subscribe_type(&sub, ua.bus, EVENT_MESSAGE_COMPOSING,
				    told_h, NULL);
}


static int teardown(void **state)
{
	(void)state;

	composing_flush(&ua);
	assert_int_equal(timers_count(), 0);
	sub = mem_deref(sub);
	ua.bus = mem_deref(ua.bus);
	timers_close();
	clock_fake_stop();
	libre_close();

	return 0;
}


static void assert_sent(const char *what)
{
	assert_string_equal(sent, what);
	sent[0] = '\0';
}


static void assert_heard(const char *what)
{
	assert_string_equal(heard, what);
	heard[0] = '\0';
}


static void key(const char *target)
{
	assert_int_equal(ua_typing(&ua, target, 0, NULL), 0);
}


static void test_told_once(void **state)
{
	(void)state;

	key("bob");
	assert_sent("bob+:0;");
	for (int i = 0; i < 10; i++) {
		timers_advance(5000);
		key("bob");
	}
	assert_sent("");

	/* it would run out: once more */
	timers_advance(10000);
	assert_sent("bob+:0;");

	/* no key any more */
	timers_advance(4000);
	assert_sent("");
	timers_advance(1000);
	assert_sent("bob-:0;");
	timers_advance(600000);
	assert_sent("");

	key("bob");
	assert_sent("bob+:0;");
}


static void test_sent(void **state)
{
	(void)state;

	key("bob");
	key("carol");
	assert_int_equal(ua_typing(&ua, NULL, 7, NULL), 0);
	assert_sent("bob+:0;carol+:0;+:7;");

	/* the message itself says it */
	composing_sent(&ua, "bob", 0);
	composing_sent(&ua, NULL, 7);
	composing_sent(&ua, "nobody", 0);
	assert_sent("");
	timers_advance(15000);
	assert_sent("carol-:0;");

	/* given up */
	key("bob");
	ua_typing_end(&ua, "bob", 0);
	ua_typing_end(&ua, "bob", 0);
	assert_sent("bob+:0;bob-:0;");
}


static void test_bounds(void **state)
{
	char name[16];
	(void)state;

	assert_int_equal(ua_typing(&ua, "", 0, NULL), EINVAL);
	assert_int_equal(ua_typing(&ua, NULL, 0, NULL), EINVAL);

	config.message_composing = false;
	key("bob");
	assert_sent("");
	config.message_composing = true;

	for (int i = 0; i < 16; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		key(name);
	}
	assert_int_equal(ua_typing(&ua, "one more", 0, NULL), EAGAIN);

	/* whoever does not understand is remembered, up to a bound */
	assert_false(composing_unwanted(&ua, "sip:a@b"));
	composing_refused(&ua, "sip:a@b");
	composing_refused(&ua, "sip:a@b");
	assert_true(composing_unwanted(&ua, "sip:a@b"));
	for (int i = 0; i < 64; i++) {
		(void)snprintf(name, sizeof(name), "sip:%d", i);
		composing_refused(&ua, name);
	}
	assert_false(composing_unwanted(&ua, "sip:a@b"));
	assert_true(composing_unwanted(&ua, "sip:63"));
}


static void take(const char *from, bool active, uint32_t refresh_s)
{
	const struct composing cp = {
		.active = active, .refresh_s = refresh_s,
	};

	composing_take(&ua, NULL, from, &cp);
}


static void test_theirs(void **state)
{
	(void)state;

	take("a", true, 60);
	take("b", true, 0);
	assert_heard("a+;b+;");

	/* kept up: it is no news */
	timers_advance(50000);
	take("a", true, 60);
	assert_heard("");
	timers_advance(60000);
	assert_heard("a-;");
	timers_advance(10000);
	assert_heard("b-;");

	/* told, or the message is here */
	take("a", true, 60);
	take("a", false, 0);
	take("b", true, 60);
	composing_done(&ua, "b");
	composing_done(&ua, "b");
	assert_heard("a+;a-;b+;b-;");
	timers_advance(600000);
	assert_heard("");

	/* nobody is believed for ever */
	take("a", true, UINT32_MAX);
	timers_advance(3600000);
	assert_heard("a+;a-;");
}


static void test_many(void **state)
{
	char name[16];
	(void)state;

	for (int i = 0; i < 64; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		take(name, true, 60);
		heard[0] = '\0';
	}
	take("more", true, 60);
	assert_heard("0-;more+;");
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_told_once), T(test_sent), T(test_bounds),
		T(test_theirs), T(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
