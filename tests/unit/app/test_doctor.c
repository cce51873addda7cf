/**
 * @file test_doctor.c  What the doctor says where something here fails: no
 * memory, no thread, a self-test that cannot run; and of each sound device
 *
 * The functions it calls are wrapped by the linker (meson.build), one of them
 * fails at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/doctor.h"
#include "doctor_priv.h"

enum { LINES_MAX = 60, BOUND_MS = 20000 };

static struct {
	const char *name;        /* which of the wrapped fails, NULL: none   */
	unsigned met;
} fault;

static struct {
	struct config *conf;
	struct event_bus *bus;
	struct media *media;
	struct ua *ua;
	struct doctor *d;
	struct timer bound;
	unsigned done, ends;
	char linev[LINES_MAX][600];
	unsigned linec;
} w;

/* What there is to be listed, and what the self-test tells */
static const struct audio_listed *devicev;
static unsigned devicec;
static const struct selftest_result *resultv;
static unsigned resultc;
static bool test_ok;


static bool fails(const char *name)
{
	if (!fault.name || strcmp(fault.name, name))
		return false;

	++fault.met;

	return true;
}


#define WRAP(type, name, params, args)					\
	type __real_##name params;					\
	type __wrap_##name params;					\
	type __wrap_##name params					\
	{								\
		return fails(#name) ? ENOMEM : __real_##name args;	\
	}

WRAP(int, sip_locate, (struct sip_locate **lp, struct sip_stack *s,
		       const struct sip_locate_conf *conf, sip_locate_h *h,
		       void *arg), (lp, s, conf, h, arg))
WRAP(int, sip_req_send, (struct sip_req **rp, struct sip_stack *s,
			 const struct sip_req_conf *conf, sip_req_h *h,
			 void *arg), (rp, s, conf, h, arg))
WRAP(int, sip_helpers_find, (struct sip_helpers **hp, struct sip_stack *s,
			     const struct sip_helpers_conf *conf,
			     sip_helpers_h *h, void *arg),
     (hp, s, conf, h, arg))
WRAP(int, stun_nat_start, (struct stun_nat **np, const struct sa *server,
			   stun_nat_h *h, void *arg), (np, server, h, arg))
WRAP(int, worker_post, (struct worker *x, worker_work_h *work,
			worker_done_h *done, worker_done_h *drop, void *arg),
     (x, work, done, drop, arg))


int __wrap_media_list_devices(struct media *m, media_list_h *h,
			      media_list_done_h *done, void *arg);
int __wrap_media_list_devices(struct media *m, media_list_h *h,
			      media_list_done_h *done, void *arg)
{
	(void)m;

	if (fails("media_list_devices"))
		return ENOMEM;

	for (unsigned i = 0; i < devicec; i++)
		h(&(struct media_listed){ .dev = devicev[i] }, arg);
	done(0, arg);

	return 0;
}


static struct {
	struct selftest_conf conf;
	selftest_line_h *line_h;
	selftest_done_h *done_h;
	void *arg;
	struct timer tmr;
} st;


static void selftest_late(void *arg)
{
	(void)arg;

	for (unsigned i = 0; i < resultc; i++)
		st.conf.result_h(&resultv[i], st.arg);
	if (!test_ok && !resultc)
		st.line_h("The other side does not listen.", st.arg);
	st.done_h(test_ok, st.arg);
}


int __wrap_selftest_start(struct selftest **sp,
			  const struct selftest_conf *conf,
			  selftest_line_h *line_h, selftest_done_h *done_h,
			  void *arg);
int __wrap_selftest_start(struct selftest **sp,
			  const struct selftest_conf *conf,
			  selftest_line_h *line_h, selftest_done_h *done_h,
			  void *arg)
{
	if (fails("selftest_start"))
		return ENOMEM;

	*sp = NULL;
	st.conf = *conf;
	st.line_h = line_h;
	st.done_h = done_h;
	st.arg = arg;
	timer_start(&st.tmr, 0, selftest_late, NULL);

	return 0;
}


/* The visit -------------------------------------------------------------- */

static void line_handler(const struct doctor_line *l, void *arg)
{
	(void)arg;

	assert_true(w.linec < LINES_MAX);
	assert_true(l->verdict == DOCTOR_NOTE || l->verdict == DOCTOR_PASS ||
		    l->advice[0]);
	(void)snprintf(w.linev[w.linec++], sizeof(w.linev[0]),
		       "%s %s: %s -> %s", doctor_verdict_name(l->verdict),
		       l->area, l->text, l->advice);
}


static void done_handler(void *arg)
{
	(void)arg;
	++w.done;
	re_cancel();
}


static void late_handler(void *arg)
{
	(void)arg;
	++w.ends;
	re_cancel();
}


static void visit(const char *faulty, const char *uri, const char *stun,
		  bool quick)
{
	const struct media_conf mc = {
		.port_min = 20000, .port_max = 30000, .jitter_max_ms = 200,
		.pipe_rate_hz = 16000, .latency_ms = 40,
	};
	struct sip_listen_addr la = { .udp = true };
	struct ua_conf uc = { .addrv = &la, .addrc = 1 };
	struct doctor_conf dc = {
		.config_dir = "", .stun = stun, .quick = quick,
		.use_device = true,
	};
	char err[CONFIG_ERR] = "";
	struct account_conf ac;

	memset(&w, 0, sizeof(w));
	fault.name = NULL;
	fault.met = 0;

	assert_int_equal(sa_set_str(&la.addr, "127.0.0.1", 0), 0);
	assert_int_equal(config_alloc(&w.conf), 0);
	assert_int_equal(event_bus_alloc(&w.bus), 0);
	assert_int_equal(media_alloc(&w.media, &mc, NULL, NULL), 0);
	uc.config = w.conf;
	uc.bus = w.bus;
	uc.media = w.media;
	assert_int_equal(ua_alloc(&w.ua, &uc, err), 0);
	if (uri) {
		assert_int_equal(account_parse(&ac, uri, err), 0);
		assert_int_equal(ua_account_add(w.ua, &ac, err), 0);
	}

	dc.ua = w.ua;
	dc.media = w.media;
	dc.config = w.conf;
	fault.name = faulty;
	assert_int_equal(doctor_start(&w.d, &dc, line_handler, done_handler,
				      NULL), 0);
	timer_start(&w.bound, BOUND_MS, late_handler, NULL);
	(void)re_main(NULL);
	fault.name = NULL;

	/* whatever failed: it comes to its end, once */
	assert_int_equal(w.done, 1);
	assert_int_equal(w.ends, 0);
	assert_true(!faulty || fault.met);

	timer_cancel(&w.bound);
	mem_deref(w.d);
	mem_deref(w.ua);
	mem_deref(w.media);
	mem_deref(w.bus);
	mem_deref(w.conf);
}


static unsigned said(const char *text)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w.linec; i++)
		n += strstr(w.linev[i], text) != NULL;

	return n;
}


static void tells(const char *text)
{
	if (said(text))
		return;

	for (unsigned i = 0; i < w.linec; i++)
		print_message("  %s\n", w.linev[i]);
	fail_msg("nothing says '%s'", text);
}


/* A port that nobody listens on, or that somebody keeps silent on */
static uint16_t port_of(int fd)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);

	return ntohs(sin.sin_port);
}


/* Rows ------------------------------------------------------------------- */

static const char account[] = "sip:me@127.0.0.1:9;register=no";


static void not_looked_for(void **state)
{
	(void)state;

	visit("sip_locate", account, NULL, true);
	tells("fail dns: 127.0.0.1 cannot be looked for -> check the "
	      "account's address");
	tells("note registration: sip:me@127.0.0.1:9 does not register");
	/* what is nowhere is not asked */
	assert_int_equal(said(" udp: ") + said(" tcp: ") + said(" tls: "), 0);
}


static void not_spoken(void **state)
{
	(void)state;

	visit("sip_req_send", account, NULL, true);
	assert_int_equal(fault.met, 3);
	tells("note udp: it is not spoken here: Cannot allocate memory");
	tells("note tcp: it is not spoken here: ");
	tells("note tls: it is not spoken here: ");
	tells("pass dns: 127.0.0.1: 1 target");
}


static void helpers_not_looked_for(void **state)
{
	(void)state;

	visit("sip_helpers_find", NULL, "stun.example", true);
	tells("warn nat: the STUN server stun.example cannot be looked for: "
	      "Cannot allocate memory -> check its name");
	visit("stun_nat_start", NULL, "127.0.0.1:9", true);
	tells("warn nat: STUN cannot be tried: Cannot allocate memory -> is "
	      "there a network?");
}


/* Nobody is left who could try TCP */
static void no_worker(void **state)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char stun[32];
	(void)state;

	(void)snprintf(stun, sizeof(stun), "127.0.0.1:%u", port_of(fd));
	visit("worker_post", account, stun, true);
	tells("warn nat: no answer by STUN -> UDP may be blocked, or the STUN "
	      "server is away: try another");
	(void)close(fd);
}


static void devices(void **state)
{
	static const struct audio_listed two[] = {
		{ .name = "headset", .in_channels = 1, .out_channels = 2,
		  .default_in = true },
		{ .name = "monitor", .out_channels = 2 },
	};
	(void)state;

	devicev = two;
	devicec = 2;
	visit(NULL, NULL, NULL, true);
	tells("pass sound: 1 microphone and 2 loudspeakers, as a rule "
	      "headset");

	devicev = two + 1;
	devicec = 1;
	visit(NULL, NULL, NULL, true);
	tells("warn sound: no microphone -> plug a headset in");

	devicev = &(struct audio_listed){ .name = "m", .in_channels = 1 };
	visit(NULL, NULL, NULL, true);
	tells("warn sound: no loudspeaker -> plug a headset in");

	devicec = 0;
	visit(NULL, NULL, NULL, true);
	tells("warn sound: no sound device -> ");
	visit("media_list_devices", NULL, NULL, true);
	tells("warn sound: no sound device -> ");
}


static void self_test(void **state)
{
	static const struct selftest_result v[] = {
		{ .sip = "udp", .codec = "pcmu", .pass = true },
		{ .sip = "udp", .codec = "opus", .text = "2 gaps" },
		{ .sip = "card", .codec = "pcmu", .pass = true,
		  .delay_ms = 120.0 },
		{ .sip = "card", .codec = "pcmu", .pass = true,
		  .delay_ms = 450.0 },
	};
	(void)state;

	visit("selftest_start", NULL, NULL, false);
	tells("warn codecs: no self-test: Cannot allocate memory -> see "
	      "`selftest`");

	resultc = 0;
	test_ok = false;
	visit(NULL, NULL, NULL, false);
	tells("note codecs: The other side does not listen.");
	tells("fail codecs: the self-test failed -> see `selftest`");

	resultv = v;
	resultc = 4;
	visit(NULL, NULL, NULL, false);
	tells("fail codecs: opus: 2 gaps -> report this");
	tells("pass loop-back: through the sound card and back in 120 ms");
	tells("warn loop-back: through the sound card and back in 450 ms -> "
	      "lower option audio-latency");
	assert_int_equal(said("fail codecs"), 1);

	resultc = 1;
	test_ok = true;
	visit(NULL, NULL, NULL, false);
	tells("pass codecs: 1 call to oneself, each codec carries speech");
}


static int rig_open(void **state)
{
	(void)state;

	return libre_init() || timers_open();
}


static int rig_close(void **state)
{
	(void)state;
	timers_close();
	libre_close();

	return 0;
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_looked_for),
		cmocka_unit_test(not_spoken),
		cmocka_unit_test(helpers_not_looked_for),
		cmocka_unit_test(no_worker),
		cmocka_unit_test(devices),
		cmocka_unit_test(self_test),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
