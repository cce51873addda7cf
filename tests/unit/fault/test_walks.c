/**
 * @file test_walks.c  Whole calls, with each allocation in turn failing
 *
 * A phone with real media makes a call, plays, records, sends digits, holds
 * and resumes it and hangs up; or is called, gets a re-INVITE and BYE.  The
 * walk is repeated with the first, the second ... call of a function failing
 * until there is none left to fail.  Each time the phone must live, tell each
 * call's end once, leave no request without an answer, finish in time and
 * leak nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/clock.h"
#include "offhook/ua.h"
#include "offhook/timer.h"
#include "fake/fault.h"
#include "fake/plain_peer.h"

enum {
	STEP_MS  = 2,
	STUCK_MS = 6000,             /* a walk: 64*T1 of nothing is in it    */
	WAIT_MS  = 300,              /* for an event that a fault may eat    */
	CLOSE_MS = 1500,
	WALK_MAX = 2000,
};

static struct walk {
	/* what it is made of */
	struct config *conf;
	struct event_bus *bus;
	struct event_sub *sub;
	struct media *media;
	struct ua *ua;
	struct timer tmr, stuck;
	bool dialling;

	/* where it is */
	unsigned station;
	uint64_t since;
	unsigned call;
	bool closed, timeout;

	/* what was told */
	unsigned begun, ended, holds;
	bool active;
	char end[512];
	struct plain_result peer;
} w;


static char record[] = "/tmp/offhook-walks-XXXXXX";


static void event_handler(const struct event *ev, void *arg)
{
	const char *state = ev->u.call_state.state;
	(void)arg;

	if (ev->type == EVENT_CALL_HOLD) {
		++w.holds;
		return;
	}
	if (ev->type != EVENT_CALL_STATE)
		return;

	if (!strcmp(state, "incoming") || !strcmp(state, "calling")) {
		++w.begun;
		w.call = ev->call;
	}
	else if (!strcmp(state, "active")) {
		w.active = true;
	}
	else if (!strcmp(state, "ended")) {
		++w.ended;
		(void)snprintf(w.end, sizeof(w.end), "%s %s",
			       ev->u.call_state.cause, ev->u.call_state.text);
	}
}


static bool over(void)
{
	return w.ended >= w.begun && !ua_call_count(w.ua);
}


static void next(void)
{
	++w.station;
	w.since = clock_ms();
}


static bool waited(void)
{
	return clock_ms() - w.since > WAIT_MS;
}


static void closed(void *arg)
{
	(void)arg;
	w.closed = true;
	re_cancel();
}


/* It dials, holds, resumes, hangs up */
static void dial_step(void)
{
	struct call *c = ua_call(w.ua, w.call);
	const unsigned holds = w.holds;
	char err[UA_ERR];

	if (w.begun && over()) {
		w.station = 9;
		return;
	}

	switch (w.station) {

	case 0:
		if (w.active && c) {
			next();
			(void)call_play(c, OFFHOOK_SOURCE_SOUNDS
					"/ringback.wav", false, err);
			(void)call_record(c, record, err);
			(void)call_dtmf(c, "12", err);
			(void)call_hold(c, err);
		}
		break;

	case 1:
	case 2:
		if (holds < w.station && !waited())
			break;
		next();
		if (c && w.station == 2)
			(void)call_resume(c, err);
		else if (c)
			(void)call_hangup(c, 0, NULL, err);
		break;

	case 3:
		break;
	}
}


/* It answers; the rest is the peer's */
static void answer_step(void)
{
	struct call *c = ua_call(w.ua, w.call);
	char err[UA_ERR];

	if (c && call_state(c) == CALL_INCOMING)
		(void)call_answer(c, err);

	if (plain_peer_done() && over())
		w.station = 9;
	else if (plain_peer_done() && c && call_state(c) == CALL_ACTIVE &&
		 !w.station) {
		/* its BYE has met no memory, and it asks no more */
		next();
		(void)call_hangup(c, 0, NULL, err);
	}
}


static void step(void *arg)
{
	(void)arg;

	if (w.dialling)
		dial_step();
	else
		answer_step();

	if (w.station == 9)
		ua_close(w.ua, CLOSE_MS, closed, NULL);
	else
		timer_start(&w.tmr, STEP_MS, step, NULL);
}


static void stuck(void *arg)
{
	(void)arg;
	w.timeout = true;
	re_cancel();
}


/* @return 0, or what was refused */
static int begin(uint16_t peer)
{
	const struct media_conf mc = {
		.port_min = 20000, .port_max = 30000, .jitter_max_ms = 200,
		.pipe_rate_hz = 16000, .latency_ms = 40,
	};
	struct sip_listen_addr la = { .udp = true };
	struct ua_conf uc = { .addrv = &la, .addrc = 1 };
	struct audio_spec spec;
	char err[UA_ERR] = "", target[64];
	int e;

	(void)sa_set_str(&la.addr, "127.0.0.1", 0);

	e = config_alloc(&w.conf);
	if (!e)
		e = config_set(w.conf, "sip-timeout", "500ms", err);
	if (!e)
		e = config_set(w.conf, "codecs", "pcmu,pcma", err);
	if (!e)
		e = event_bus_alloc(&w.bus);
	if (!e)
		e = event_subscribe(&w.sub, w.bus, event_handler, NULL);
	if (!e)
		e = media_alloc(&w.media, &mc, NULL, NULL);
	if (!e)
		e = audio_spec_parse(&spec, "tone:440", err, sizeof(err));
	if (!e)
		e = media_set_audio(w.media, &spec, err, sizeof(err));
	if (e)
		return e;

	uc.config = w.conf;
	uc.bus = w.bus;
	uc.media = w.media;
	e = ua_alloc(&w.ua, &uc, err);
	if (e || !w.dialling)
		return e;

	(void)snprintf(target, sizeof(target), "sip:peer@127.0.0.1:%u", peer);
	e = ua_dial(&w.call, w.ua, &(struct ua_dial){ .target = target }, err);
	if (!e && !w.call)
		fail_msg("a call without a number");

	return e;
}


static void end(void)
{
	timer_cancel(&w.tmr);
	timer_cancel(&w.stuck);
	w.ua = mem_deref(w.ua);
	w.media = mem_deref(w.media);
	w.sub = mem_deref(w.sub);
	w.bus = mem_deref(w.bus);
	w.conf = mem_deref(w.conf);
}


int __lsan_do_recoverable_leak_check(void) __attribute__((weak));


static void leaks_check(const char *name, unsigned n)
{
	if (__lsan_do_recoverable_leak_check &&
	    __lsan_do_recoverable_leak_check())
		fail_msg("%s %u: leaks", name, n);
}


/* What a fault may not do, whatever it hits */
static void verdict(const char *name, unsigned n, int err)
{
	const struct plain_result *p = &w.peer;

	if (w.timeout)
		fail_msg("%s %u: stuck at %u: begun %u, ended %u (%s), peer "
			 "%u %u %u", name, n, w.station, w.begun, w.ended,
			 w.end, p->invite, p->reinvite, p->bye);
	if (w.begun != w.ended)
		fail_msg("%s %u: %u calls, %u ends", name, n, w.begun,
			 w.ended);
	if (err || w.dialling)
		return;

	if (!p->invite || (p->invite >= 300 && p->invite != 500 &&
			   p->invite != 486 && p->invite != 480))
		fail_msg("%s %u: INVITE was answered with %u (%s)", name, n,
			 p->invite, w.end);
	if (p->invite < 300 && (!p->reinvite || !p->bye))
		fail_msg("%s %u: re-INVITE %u, BYE %u (%s)", name, n,
			 p->reinvite, p->bye, w.end);
}


/* @return false: there was no n-th call */
static bool walk(bool dialling, const char *name, unsigned n,
		 enum fault_from from)
{
	enum sip_transp tp;
	struct sa sa;
	uint16_t port = 0;
	bool reached;
	int err;

	memset(&w, 0, sizeof(w));
	w.dialling = dialling;
	if (dialling)
		port = plain_peer_listen();

	if (name)
		fault_set(name, n, from);

	err = begin(port);
	if (!err && !dialling) {
		assert_true(ua_listener(w.ua, 0, &sa, &tp));
		port = plain_peer_call(sa_port(&sa));
	}
	assert_true(port || err);

	if (!err) {
		timer_start(&w.tmr, STEP_MS, step, NULL);
		timer_start(&w.stuck, STUCK_MS, stuck, NULL);
		(void)re_main(NULL);
	}

	reached = fault_clear();
	if (port)
		plain_peer_stop(&w.peer);
	end();

	if (err && !reached)
		fail_msg("without a fault: %s", strerror(err));
	verdict(name ? name : "none", n, err);
	leaks_check(name ? name : "none", n);

	return reached;
}


static void walks(bool dialling, const char *name, enum fault_from from)
{
	const char *only = getenv("FAULT_ONLY");
	unsigned n = only ? (unsigned)atoi(only) : 1;

	for (; n < WALK_MAX; n++) {
		if (getenv("FAULT_TELL"))
			fprintf(stderr, "%s %u\n", name, n);
		if (!walk(dialling, name, n, from) || only)
			break;
	}

	assert_in_range(n, only ? 1 : 2, WALK_MAX - 1);
	print_message("%s: %u calls of it\n", name, n - 1);
}


static void test_none(void **state)
{
	const bool *dialling = *state;

	(void)walk(*dialling, NULL, 0, FAULT_OURS);
	assert_int_equal(w.begun, 1);
	assert_true(w.active);
	assert_memory_equal(w.end, "none", 4);
	assert_true(*dialling ? w.holds == 2 && w.peer.answered && w.peer.over
			      : w.peer.invite == 200 &&
			      w.peer.reinvite == 200 && w.peer.bye == 200);
}


static volatile uintptr_t hidden;


static __attribute__((noinline)) void leak(void)
{
	hidden = ~(uintptr_t)malloc(100);
}


static __attribute__((noinline)) void stack_scrub(void)
{
	volatile char v[4096];

	for (size_t i = 0; i < sizeof(v); i++)
		v[i] = 0;
}


/* What the walks stand on; its report below is as it should be */
static void test_leak_is_seen(void **state)
{
	(void)state;

	if (!__lsan_do_recoverable_leak_check)
		skip();

	leak();
	stack_scrub();
	assert_true(__lsan_do_recoverable_leak_check());
	free((void *)~hidden);
	assert_false(__lsan_do_recoverable_leak_check());
}


static int rig_open(void **state)
{
	const int fd = mkstemp(record);

	if (fd < 0)
		return -1;
	(void)close(fd);

	(void)state;

	return libre_init() || timers_open();
}


static int rig_close(void **state)
{
	(void)state;
	timers_close();
	libre_close();
	(void)unlink(record);

	return 0;
}


static bool calls = true, called = false;

#define FAULT_TEST(how, name, from)					\
	static void test_##how##_##name##_##from(void **state)		\
	{								\
		(void)state;						\
		walks(how, #name, FAULT_##from);			\
	}

#define FAULT_TESTS(X)							\
	X(calls, mem_zalloc, OURS)					\
	X(calls, malloc, OURS)						\
	X(calls, calloc, OURS)						\
	X(calls, stream_open, OURS)					\
	X(calls, socket, ALL)						\
	X(calls, mem_alloc, ALL)					\
	X(calls, mbuf_resize, ALL)					\
	X(called, mem_zalloc, OURS)					\
	X(called, stream_open, OURS)					\
	X(called, socket, ALL)						\
	X(called, mem_alloc, ALL)					\
	X(called, mbuf_resize, ALL)

FAULT_TESTS(FAULT_TEST)

#define ROW(how, name, from)						\
	cmocka_unit_test(test_##how##_##name##_##from),


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_none, &calls),
		cmocka_unit_test_prestate(test_none, &called),
		cmocka_unit_test(test_leak_is_seen),
		FAULT_TESTS(ROW)
	};

	if (getenv("FAULT_FILTER"))
		cmocka_set_test_filter(getenv("FAULT_FILTER"));

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
