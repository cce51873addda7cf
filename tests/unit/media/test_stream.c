/**
 * @file test_stream.c  The real thing: the media thread, sockets, files
 *
 * Streams call each other over loopback while main runs its loop.  Each test
 * waits for events, never for time; a deadline ends what hangs.
 */
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rig.h"

enum { DEADLINE_MS = 15000 };

struct side {
	struct stream *s;
	unsigned count[STREAM_REMOTE_BYE + 1];
	struct stream_event last[STREAM_REMOTE_BYE + 1];
	char text[256];
	char digits[64];
};

static struct media *m;
static struct side a, b;
static char dir[64];
static unsigned device_events[MEDIA_DEV_BROKEN + 1];
static char device_text[256];

/* what a test waits for */
static bool (*done_h)(void);
static bool late;


static void check(void)
{
	if (done_h && done_h()) {
		done_h = NULL;
		re_cancel();
	}
}


static void event_h(const struct stream_event *ev, void *arg)
{
	struct side *x = arg;

	assert_true(media_thread & THREAD_MAIN);
	++x->count[ev->type];
	x->last[ev->type] = *ev;
	(void)snprintf(x->text, sizeof(x->text), "%s", ev->text);
	if (ev->type == STREAM_DTMF)
		x->digits[strlen(x->digits)] = ev->digit;
	check();
}


static void device_h(const struct media_device_event *ev, void *arg)
{
	(void)arg;

	++device_events[ev->state];
	(void)snprintf(device_text, sizeof(device_text), "%s", ev->text);
	check();
}


static void deadline_h(void *arg)
{
	(void)arg;

	late = true;
	re_cancel();
}


static void poll_h(void *arg)
{
	check();
	if (done_h)
		timer_start(arg, 20, poll_h, arg);
}


/* Run main's loop until h says so */
static void await(bool (*h)(void))
{
	struct timer deadline = { 0 }, poll = { 0 };

	late = false;
	if (h())
		return;

	done_h = h;
	timer_start(&deadline, DEADLINE_MS, deadline_h, NULL);
	timer_start(&poll, 20, poll_h, &poll);
	(void)re_main(NULL);
	timer_cancel(&deadline);
	timer_cancel(&poll);
	done_h = NULL;
	assert_false(late);
}


static int setup(void **state)
{
	const struct media_conf conf = {
		.port_min = 20000, .port_max = 60000, .jitter_max_ms = 200,
		.dscp = 46
	};
	(void)state;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(device_events, 0, sizeof(device_events));

	return media_alloc(&m, &conf, device_h, NULL);
}


static int teardown(void **state)
{
	(void)state;

	stream_close(a.s);
	stream_close(b.s);
	m = mem_deref(m);

	return 0;
}


static void open_both(bool device)
{
	struct stream_conf conf = {
		.device = device, .timeout_ms = 2000, .dtmf_ms = 60,
		.dtmf_pause_ms = 60
	};

	assert_int_equal(sa_set_str(&conf.local, "127.0.0.1", 0), 0);
	assert_int_equal(stream_open(&a.s, m, &conf, event_h, &a), 0);
	assert_int_equal(stream_open(&b.s, m, &conf, event_h, &b), 0);
}


static struct media_plan plan_to(const char *codec, const struct stream *to)
{
	struct media_plan plan = rig_plan(codec, 0);

	plan.rtp = plan.rtcp = *stream_local(to);
	sa_set_port(&plan.rtcp, (uint16_t)(sa_port(&plan.rtp) + 1));

	return plan;
}


static void start_both(const char *codec)
{
	struct media_plan plan = plan_to(codec, b.s);

	assert_int_equal(stream_start(a.s, &plan), 0);
	plan = plan_to(codec, a.s);
	assert_int_equal(stream_start(b.s, &plan), 0);
}


static bool both_flow(void)
{
	return a.count[STREAM_FIRST_PACKET] && b.count[STREAM_FIRST_PACKET];
}


static bool a_played(void)
{
	return a.count[STREAM_PLAY_DONE];
}


static bool b_recorded(void)
{
	return b.count[STREAM_RECORD_DONE];
}


static char *file_path(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);

	return path;
}


/* - --------------------------------------------------------------------- */

static void play_and_record(const char *codec, uint32_t rate_hz)
{
	static int16_t tone[48000];
	struct stream_stats st;
	char err[256], path[PATH_MAX];
	int16_t *v = NULL;
	uint32_t hz = 0;
	size_t n = 0;

	(void)strcpy(path, file_path("rec.wav"));
	sine(tone, 48000, 0, 1000.0, 48000, 8000.0);
	open_both(false);

	/* all of it before the codec is known: it waits */
	assert_int_equal(stream_play(a.s, tone, 48000, 48000, false), 0);
	assert_int_equal(stream_play(a.s, tone, 48000, 48000, false),
			 EALREADY);
	assert_int_equal(stream_record(b.s, path, RECORD_THEM, err,
				       sizeof(err)), 0);
	assert_true(stream_playing(a.s) && stream_recording(b.s));

	start_both(codec);
	await(a_played);
	assert_false(a.last[STREAM_PLAY_DONE].stopped);
	assert_in_range(a.last[STREAM_PLAY_DONE].duration_ms, 990, 1020);
	assert_false(stream_playing(a.s));

	/* what was played is on its way still */
	a.count[STREAM_PLAY_DONE] = 0;
	assert_int_equal(stream_play(a.s, tone, 9600, 48000, false), 0);
	await(a_played);
	stream_record_stop(b.s);
	assert_false(stream_recording(b.s));
	await(b_recorded);
	assert_int_equal(b.last[STREAM_RECORD_DONE].err, 0);
	assert_true(b.last[STREAM_RECORD_DONE].stopped);

	assert_int_equal(sound_read(&v, &n, &hz, path, err, sizeof(err)), 0);
	assert_int_equal(hz, rate_hz);
	assert_in_range(n, rate_hz, 3 * rate_hz);
	assert_true(purity(v + rate_hz / 5, rate_hz / 2, 1000.0, hz) > 0.97);
	assert_true(fabs(goertzel(v + rate_hz / 5, rate_hz / 2, 1000.0, hz) +
			 12.2) < 1.0);
	free(v);

	assert_int_equal(stream_stats(b.s, &st), 0);
	/* as they were sent */
	assert_int_equal(st.dscp, 46);
	assert_int_equal(st.lost + st.late, 0);
	assert_true(st.packets_received >= 50);
	assert_int_equal(st.ssrc_remote, stream_ssrc(a.s));
	assert_true(sa_cmp(&st.remote, stream_local(a.s), SA_ALL));
	assert_int_equal(a.count[STREAM_FIRST_PACKET], 1);
	assert_int_equal(b.count[STREAM_FIRST_PACKET], 1);

	/* both at once */
	{
		struct stream *const sv[] = { a.s, b.s };
		struct stream_stats stv[2];

		media_stats(m, sv, stv, 2);
		assert_int_equal(stv[0].ssrc_remote, stream_ssrc(b.s));
		assert_int_equal(stv[1].ssrc_remote, stream_ssrc(a.s));
		assert_true(stv[1].packets_received >= st.packets_received);
		media_stats(m, sv, stv, 0);
	}
}


static void test_pcmu(void **state)
{
	(void)state;
	play_and_record("pcmu", 8000);
}


static void test_opus(void **state)
{
	(void)state;
	play_and_record("opus", 48000);
}


static uint64_t a_heard, b_heard;


static uint64_t heard(struct stream *s)
{
	struct stream_stats st;

	return stream_stats(s, &st) ? 0 : st.packets_received;
}


static bool both_go_on(void)
{
	return heard(a.s) > a_heard + 10 && heard(b.s) > b_heard + 10;
}


static unsigned delay(struct stream *s)
{
	struct stream_stats st;

	return stream_stats(s, &st) ? 0 : st.delay_ms;
}


static bool both_slow(void)
{
	return delay(a.s) >= 140 && delay(b.s) >= 140;
}


static bool both_quick(void)
{
	return delay(a.s) < 140 && delay(b.s) < 140;
}


/* Somebody sets other limits of the delay in mid-call */
static void test_limits(void **state)
{
	struct media_conf conf = {
		.port_min = 20000, .port_max = 60000, .jitter_max_ms = 400,
		.jitter_min_ms = 150
	};
	struct stream_stats st;
	(void)state;

	open_both(false);
	start_both("pcmu");
	await(both_flow);
	media_configure(m, &conf);
	await(both_slow);

	conf.jitter_min_ms = 0;
	media_configure(m, &conf);
	await(both_quick);
	assert_int_equal(stream_stats(a.s, &st), 0);
	assert_true(st.delay_max_ms >= 140);
	assert_true(st.delay_min_ms < 140);
}


/* Another network: its sound leaves from there, and is awaited there */
static void test_moves(void **state)
{
	struct media_plan plan;
	struct stream_stats st;
	struct sa before, to;
	(void)state;

	open_both(false);
	assert_int_equal(sa_set_str(&to, "127.0.0.2", 0), 0);

	/* also before it has begun */
	assert_int_equal(stream_move(b.s, &to), 0);
	assert_true(sa_cmp(stream_local(b.s), &to, SA_ADDR));
	start_both("pcmu");
	await(both_flow);

	before = *stream_local(a.s);
	assert_int_equal(stream_move(a.s, &to), 0);
	assert_true(sa_cmp(stream_local(a.s), &to, SA_ADDR));
	assert_false(sa_cmp(stream_local(a.s), &before, SA_ALL));
	plan = plan_to("pcmu", a.s);
	assert_int_equal(stream_start(b.s, &plan), 0);
	a_heard = heard(a.s);
	b_heard = heard(b.s);
	await(both_go_on);
	assert_int_equal(stream_stats(b.s, &st), 0);
	assert_true(sa_cmp(&st.remote, stream_local(a.s), SA_ALL));

	/* where nobody may be: it stays */
	before = *stream_local(a.s);
	assert_int_equal(sa_set_str(&to, "192.0.2.1", 0), 0);
	assert_int_equal(stream_move(a.s, &to), EADDRNOTAVAIL);
	assert_true(sa_cmp(stream_local(a.s), &before, SA_ALL));
	assert_int_equal(stream_move(NULL, &to), EINVAL);
}


static bool all_digits(void)
{
	return strlen(b.digits) == 4 && a.count[STREAM_DTMF_SENT];
}


static void test_digits(void **state)
{
	(void)state;

	open_both(false);
	assert_int_equal(stream_dtmf(a.s, "1"), ENOTSUP);   /* not yet */
	start_both("pcma");
	assert_int_equal(stream_dtmf(a.s, "x"), EINVAL);
	assert_int_equal(stream_dtmf(a.s, "12#a"), 0);
	await(all_digits);
	assert_string_equal(b.digits, "12#A");
	assert_in_range(b.last[STREAM_DTMF].duration_ms, 60, 60);
}


static void test_stop_playing(void **state)
{
	static const int16_t v[800];
	(void)state;

	open_both(false);

	/* stopped before it began, and in the middle: both are told */
	assert_int_equal(stream_play(a.s, v, 800, 8000, true), 0);
	stream_play_stop(a.s);
	assert_false(stream_playing(a.s));
	await(a_played);
	assert_true(a.last[STREAM_PLAY_DONE].stopped);

	start_both("pcmu");
	a.count[STREAM_PLAY_DONE] = 0;
	assert_int_equal(stream_play(a.s, v, 800, 8000, true), 0);
	await(both_flow);
	stream_play_stop(a.s);

	/* and the next one may begin at once: the old end is not its own */
	assert_int_equal(stream_play(a.s, v, 800, 8000, true), 0);
	await(a_played);
	assert_true(stream_playing(a.s));
}


static void test_codec_changes_while_playing(void **state)
{
	static int16_t tone[16000];
	struct media_plan plan;
	(void)state;

	open_both(false);
	start_both("pcmu");
	sine(tone, 16000, 0, 500.0, 16000, 8000.0);
	assert_int_equal(stream_play(a.s, tone, 16000, 16000, false), 0);
	await(both_flow);
	plan = plan_to("opus", b.s);
	assert_int_equal(stream_start(a.s, &plan), 0);
	plan = plan_to("opus", a.s);
	assert_int_equal(stream_start(b.s, &plan), 0);
	await(a_played);
	assert_in_range(a.last[STREAM_PLAY_DONE].duration_ms, 980, 1021);
}


static bool b_timed_out(void)
{
	return b.count[STREAM_REMOTE_BYE] && b.count[STREAM_TIMEOUT];
}


static void test_peer_goes(void **state)
{
	(void)state;

	open_both(false);
	start_both("pcmu");
	await(both_flow);
	stream_close(a.s);
	a.s = NULL;
	await(b_timed_out);
	assert_int_equal(b.count[STREAM_TIMEOUT], 1);
}


static void test_disk_full(void **state)
{
	struct rlimit was, now;
	char err[256];
	int16_t *v = NULL;
	uint32_t hz = 0;
	size_t n = 0;
	int e;
	(void)state;

	open_both(false);
	start_both("l16");
	await(both_flow);

	assert_int_equal(stream_record(b.s, "/nonexistent/x.wav",
				       RECORD_STEREO, err, sizeof(err)),
			 ENOENT);
	assert_true(err[0]);

	assert_int_equal(stream_record(b.s, file_path("full.wav"),
				       RECORD_STEREO, err, sizeof(err)), 0);

	/* the disk takes no more than this */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	now = was;
	now.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	await(b_recorded);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);

	assert_int_not_equal(b.last[STREAM_RECORD_DONE].err, 0);
	assert_non_null(strstr(b.text, "early"));
	assert_false(stream_recording(b.s));

	/* what fitted can be played, and its length was told */
	assert_int_equal(sound_read(&v, &n, &hz, file_path("full.wav"), err,
				    sizeof(err)), 0);
	free(v);
	assert_int_equal(hz, 16000);
	assert_in_range(n, 2000, 8192 / 4);
	assert_int_equal(b.last[STREAM_RECORD_DONE].duration_ms,
			 n * 1000 / hz);

	/* not even the header: said at once, and nothing is left */
	b.count[STREAM_RECORD_DONE] = 0;
	now.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	e = stream_record(b.s, file_path("none.wav"), RECORD_STEREO, err,
			  sizeof(err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_not_equal(e, 0);
	assert_int_equal(access(file_path("none.wav"), F_OK), -1);

	/* not one sample */
	now.rlim_cur = 44;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	assert_int_equal(stream_record(b.s, file_path("none.wav"),
				       RECORD_STEREO, err, sizeof(err)), 0);
	await(b_recorded);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(b.count[STREAM_RECORD_DONE], 1);
	assert_int_not_equal(b.last[STREAM_RECORD_DONE].err, 0);
	assert_int_equal(access(file_path("none.wav"), F_OK), -1);

	/* the call goes on */
	b.count[STREAM_RECORD_DONE] = 0;
	assert_int_equal(stream_record(b.s, file_path("again.wav"),
				       RECORD_MIXED, err, sizeof(err)), 0);
	stream_record_stop(b.s);
	await(b_recorded);
	assert_int_equal(b.last[STREAM_RECORD_DONE].err, 0);
}


static bool device_open(void)
{
	return device_events[MEDIA_DEV_OPEN];
}


static void test_file_device(void **state)
{
	static int16_t tone[16000];
	struct sound_file *f = NULL;
	struct audio_spec spec;
	char err[256], text[256];
	int16_t *v = NULL;
	uint32_t hz;
	size_t n;
	(void)state;

	sine(tone, 16000, 0, 800.0, 16000, 8000.0);
	assert_int_equal(sound_open_write(&f, file_path("in.wav"), 16000, 1,
					  err, sizeof(err)), 0);
	assert_int_equal(sound_write(f, tone, 16000), 0);
	mem_deref(f);

	(void)snprintf(text, sizeof(text), "file:%s/in.wav,%s/out.wav", dir,
		       dir);
	assert_int_equal(audio_spec_parse(&spec, text, err, sizeof(err)), 0);
	assert_int_equal(media_set_audio(m, &spec, err, sizeof(err)), 0);

	/* a meets the device, b echoes: what is read is written again */
	open_both(true);
	assert_int_equal(stream_set_source(b.s, SOURCE_ECHO, 0.0), 0);
	start_both("pcmu");
	await(device_open);
	assert_int_equal(stream_record(b.s, file_path("b.wav"), RECORD_THEM,
				       err, sizeof(err)), 0);
	assert_int_equal(stream_play(b.s, tone, 16000, 16000, true), 0);
	assert_int_equal(stream_play(a.s, tone, 16000, 16000, false), 0);
	await(a_played);
	stream_close(a.s);
	a.s = NULL;

	/* null again: the file is closed and whole */
	assert_int_equal(audio_spec_parse(&spec, "null", err, sizeof(err)),
			 0);
	assert_int_equal(media_set_audio(m, &spec, err, sizeof(err)), 0);
	assert_int_equal(sound_read(&v, &n, &hz, file_path("out.wav"), err,
				    sizeof(err)), 0);
	assert_int_equal(hz, 8000);
	assert_true(n > 4000);
	assert_true(goertzel(v + n / 4, n / 2, 800.0, hz) > -14.0);
	free(v);

	/* a file that is none is refused at once, in words */
	assert_int_equal(audio_spec_parse(&spec, "file:/nonexistent.wav", err,
					  sizeof(err)), 0);
	err[0] = '\0';
	assert_int_equal(media_set_audio(m, &spec, err, sizeof(err)), ENOENT);
	assert_true(err[0]);
}


static unsigned door_count;


static void door_fn(void *arg)
{
	assert_true(media_thread == THREAD_MEDIA);
	door_count += *(unsigned *)arg;
}


static void test_door(void **state)
{
	unsigned one = 1;
	(void)state;

	door_count = 0;
	for (unsigned i = 0; i < 2000; i++)
		media_run(m, door_fn, &one);
	assert_int_equal(door_count, 2000);
}


static void test_many(void **state)
{
	enum { N = 40 };
	static struct side x[N];
	struct stream_conf conf = { .timeout_ms = 2000 };
	struct stream_stats st;
	(void)state;

	/* opened, started, closed in any order, some of them never started */
	memset(x, 0, sizeof(x));
	assert_int_equal(sa_set_str(&conf.local, "127.0.0.1", 0), 0);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(stream_open(&x[i].s, m, &conf, event_h,
					     &x[i]), 0);
		assert_int_equal(stream_set_source(x[i].s, SOURCE_TONE,
						   300.0 + i), 0);
		stream_mute(x[i].s, i & 1);
	}
	for (unsigned i = 0; i < N; i += 2) {
		struct media_plan plan = plan_to("pcmu", x[(i + 2) % N].s);

		assert_int_equal(stream_start(x[i].s, &plan), 0);
	}
	open_both(false);
	start_both("pcmu");
	await(both_flow);

	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(stream_stats(x[i].s, &st), 0);
		if (i & 1)
			assert_int_equal(st.packets_sent, 0);
		stream_close(x[i].s);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pcmu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_opus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_digits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_playing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_codec_changes_while_playing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_peer_goes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_disk_full, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_file_device, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_door, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};
	char cmd[128];
	int err;

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)strcpy(dir, "/tmp/offhook-media-XXXXXX");
	if (!mkdtemp(dir) || libre_init() || timers_open())
		return 1;

	err = cmocka_run_group_tests(tests, NULL, NULL);

	timers_close();
	libre_close();
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	(void)!system(cmd);

	return err;
}
