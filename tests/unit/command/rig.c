/**
 * @file rig.c  A client on a fake phone, whose replies are kept
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "offhook/clock.h"
#include "offhook/timer.h"
#include "priv.h"
#include "rig.h"


static void reply_handler(const struct reply *r, bool failed, void *arg)
{
	struct rig *rig = arg;
	char *json = reply_json(r), *print;
	const size_t n = strlen(rig->replies);
	char why[256];

	assert_non_null(json);
	if (!reply_ok(r) && !error_find(reply_token(r)))
		fail_msg("%s is in no table", reply_token(r));
	if (r->command && !result_fits(r, r->command, why, sizeof(why)))
		fail_msg("%s: %s", reply_line(r), why);
	snprintf(rig->replies + n, sizeof(rig->replies) - n, "%s\n", json);
	free(json);

	print = reply_print(r);
	snprintf(rig->print, sizeof(rig->print), "%s", print);
	free(print);

	rig->failed += failed;
	rig->exit = reply_exit(r);

	if (failed && rig->flush_on_failure)
		client_flush(rig->cl);
}


static void line_handler(const char *line, void *arg)
{
	struct rig *rig = arg;

	snprintf(rig->lines, sizeof(rig->lines), "%s", line);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct rig *rig = arg;
	(void)ev;

	++rig->events;
}


static void idle_handler(void *arg)
{
	struct rig *rig = arg;

	++rig->idles;
}


static void quit_handler(int code, void *arg)
{
	struct rig *rig = arg;

	rig->quit = code;
	client_flush(rig->cl);
}


static int trace_handler(const char *path, void *arg)
{
	struct rig *rig = arg;

	snprintf(rig->trace, sizeof(rig->trace), "%s", path ? path : "log");

	return 0;
}


int rig_setup(void **state)
{
	static const struct client_h h = {
		reply_handler, line_handler, event_handler, idle_handler,
	};
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	clock_fake_start(1000000000);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(event_bus_alloc(&r->ph.bus), 0);
	assert_int_equal(config_alloc(&r->ph.config), 0);
	fake_reset(r->ph.bus);

	r->quit = -2;
	r->ph.ua = fake_ua();
	r->ph.media = fake_media();
	r->ph.answer = fake_answer();
	r->ph.quit_h = quit_handler;
	r->ph.trace_h = trace_handler;
	r->ph.arg = r;
	snprintf(r->ph.audio.driver, sizeof(r->ph.audio.driver), "null");

	assert_int_equal(client_alloc(&r->cl, &r->ph, &h, r), 0);
	*state = r;

	return 0;
}


int rig_teardown(void **state)
{
	struct rig *r = *state;

	mem_deref(r->cl);
	mem_deref(r->ph.config);
	mem_deref(r->ph.bus);
	assert_int_equal(timers_count(), 0);
	timers_close();
	clock_fake_stop();
	free(r);

	return 0;
}


void rig_submit(struct rig *r, const char *line)
{
	assert_int_equal(client_submit(r->cl, line, strlen(line), "t:1"), 0);
}


const char *rig_run(struct rig *r, const char *line)
{
	r->replies[0] = '\0';
	rig_submit(r, line);

	return r->replies;
}


const char *rig_pass(struct rig *r, uint64_t ms)
{
	if (ms)
		r->replies[0] = '\0';
	timers_advance(ms);

	return r->replies;
}
