/**
 * @file selftest.c  A real call over loopback between two user agents
 *
 * Two phones in one process, each with its own bus, configuration, media
 * thread and SIP sockets.  One calls with every codec at once, first over
 * UDP, then over TCP; the other answers, sends back what it hears and records
 * it.  Each call walks through the same stations: speech, digits, hold,
 * resume, hang-up.  Then the recordings are laid over the original.
 *
 * Owned by whoever started it; everything on main.  It never waits: events
 * move it on, and every station has a deadline.
 */
#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include <offhook/compat.h>
#include <offhook/app.h>
#include <offhook/clock.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include <offhook/timer.h>
#include "selftest.h"

#define LOG_MODULE "selftest"
#include <offhook/log.h>


enum {
	SETTLE_MS = 200,         /* from answer to speech: media flows       */
	FLOW_MS   = 600,         /* after resume: packets must come again    */
	CLOSE_MS  = 1000,
	ROUNDS    = 3,
};

static const char digits[] = "0123456789*#ABCD";

static const struct {
	enum sip_transp tp;
	bool device;             /* one codec, heard by whoever listens      */
} rounds[ROUNDS] = {
	{ SIP_TRANSP_UDP, false },
	{ SIP_TRANSP_TCP, false },
	{ SIP_TRANSP_UDP, true },
};


static void case_next(struct selftest_case *c);
static void round_start(void *arg);


/* Ending ---------------------------------------------------------------- */

static void destructor(void *arg)
{
	struct selftest *st = arg;

	timer_cancel(&st->tmr);

	for (unsigned i = 0; i < SELFTEST_CASES; i++) {
		timer_cancel(&st->casev[i].tmr);
		selftest_report_clean(&st->casev[i]);
	}

	selftest_phone_free(&st->caller);
	selftest_phone_free(&st->callee);

	if (st->dir[0])
		(void)rmdir(st->dir);
}


static void done_now(void *arg)
{
	struct selftest *st = arg;

	selftest_report_end(st);
	st->done_h(st->ok, st->arg);
}


static void closed(void *arg)
{
	struct selftest *st = arg;

	if (--st->closing == 0)
		timer_start(&st->tmr, 0, done_now, st);
}


static void finish(struct selftest *st)
{
	if (st->closing)
		return;

	st->closing = 2;
	ua_close(st->caller.ua, CLOSE_MS, closed, st);
	ua_close(st->callee.ua, CLOSE_MS, closed, st);
}


/* One call, station by station ------------------------------------------- */

static struct call *near_call(const struct selftest_case *c)
{
	return ua_call(c->st->caller.ua, c->near_id);
}


static struct call *far_call(const struct selftest_case *c)
{
	return ua_call(c->st->callee.ua, c->far_id);
}


static void case_end(struct selftest_case *c)
{
	struct selftest *st = c->st;

	timer_cancel(&c->tmr);
	c->station = ST_DONE;
	selftest_report_case(c);
	selftest_report_clean(c);
	st->ok = st->ok && c->pass;

	for (unsigned i = 0; i < st->casec; i++) {
		if (st->casev[i].station != ST_DONE)
			return;
	}

	st->round++;
	timer_start(&st->tmr, 0, round_start, st);
}


static void case_fail(struct selftest_case *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void case_fail(struct selftest_case *c, const char *fmt, ...)
{
	struct call *call;
	char err[UA_ERR];
	va_list ap;

	if (c->station == ST_DONE)
		return;

	if (!c->why[0]) {
		va_start(ap, fmt);
		(void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
		va_end(ap);
	}

	call = near_call(c);
	if (call)
		(void)call_hangup(call, 0, NULL, err);

	case_end(c);
}


static void case_late(void *arg)
{
	static const char *const doing[] = {
		[ST_CALLING] = "The call was not answered",
		[ST_SETTLE]  = "The call did not begin",
		[ST_SPEECH]  = "The speech did not end",
		[ST_DIGITS]  = "Not every digit arrived",
		[ST_HOLD]    = "Hold was not heard of",
		[ST_RESUME]  = "Resume was not heard of",
		[ST_FLOW]    = "No sound after resume",
		[ST_HANGUP]  = "The call did not end",
	};
	struct selftest_case *c = arg;

	case_fail(c, "%s in time.", doing[c->station]);
}


static void case_wait(struct selftest_case *c, enum selftest_station to,
		      uint64_t ms)
{
	c->station = to;
	timer_start(&c->tmr, ms, case_late, c);
}


static void speech_start(void *arg)
{
	struct selftest_case *c = arg;
	struct call *call = near_call(c), *far = far_call(c);
	char err[UA_ERR] = "";
	int e;

	if (!call || !far) {
		case_fail(c, "The call ended at once.");
		return;
	}

	case_wait(c, ST_SPEECH, c->st->speech_ms + 5000);

	e = call_record(far, c->far_file, err);
	if (!e)
		e = call_record(call, c->near_file, err);
	if (!e)
		e = call_play(call, c->st->speech, false, err);
	if (e)
		case_fail(c, "%s", err);
}


static void flow_check(void *arg)
{
	struct selftest_case *c = arg;
	struct call *call = near_call(c);
	struct stream_stats now;
	char err[UA_ERR] = "";

	if (!call || call_stats(call, &now)) {
		case_fail(c, "The call ended after resume.");
		return;
	}

	if (now.packets_received < c->flow_from + FLOW_MS / 20 / 2) {
		case_fail(c, "No sound after resume.");
		return;
	}

	/* what routers are to go by must be there when it arrives */
	if (now.dscp >= 0 && now.dscp != c->st->caller.config->rtp_dscp) {
		case_fail(c, "Packets arrive marked with %d, not with %d"
			  " (option rtp-dscp).", now.dscp,
			  (int)c->st->caller.config->rtp_dscp);
		return;
	}

	c->hold_ok = true;
	c->stats = now;
	c->mos = call_mos(call);

	case_wait(c, ST_HANGUP, 5000);
	if (call_hangup(call, 0, NULL, err))
		case_fail(c, "%s", err);
}


static void case_next(struct selftest_case *c)
{
	struct call *call = near_call(c);
	struct stream_stats now;
	char err[UA_ERR] = "";
	int e = 0;

	if (!call && c->station != ST_HANGUP) {
		case_fail(c, "The call ended too early.");
		return;
	}

	switch (c->station) {

	case ST_CALLING:
		c->station = ST_SETTLE;
		timer_start(&c->tmr, SETTLE_MS, speech_start, c);
		break;

	case ST_SPEECH:
		(void)call_record_stop(call, err);
		(void)call_record_stop(far_call(c), err);
		case_wait(c, ST_DIGITS, 15000);
		e = call_dtmf(call, digits, err);
		break;

	case ST_DIGITS:
		c->digits_ok = 0 == strcmp(c->heard, digits);
		if (!c->digits_ok) {
			case_fail(c, "Digits heard: %s, sent: %s.",
				  c->heard, digits);
			return;
		}
		case_wait(c, ST_HOLD, 5000);
		e = call_hold(call, err);
		break;

	case ST_HOLD:
		case_wait(c, ST_RESUME, 5000);
		e = call_resume(call, err);
		break;

	case ST_RESUME:
		e = call_stats(call, &now);
		if (!e)
			c->flow_from = now.packets_received;
		c->station = ST_FLOW;
		timer_start(&c->tmr, FLOW_MS, flow_check, c);
		break;

	case ST_HANGUP:
		case_end(c);
		break;

	default:
		break;
	}

	if (e)
		case_fail(c, "%s", err[0] ? err : strerror(e));
}


/* Events ------------------------------------------------------------------ */

static struct selftest_case *case_find(struct selftest *st, unsigned id,
				       bool far)
{
	for (unsigned i = 0; id && i < st->casec; i++) {
		struct selftest_case *c = &st->casev[i];

		if ((far ? c->far_id : c->near_id) == id)
			return c;
	}

	return NULL;
}


static void caller_event(const struct event *ev, void *arg)
{
	struct selftest *st = arg;
	struct selftest_case *c = case_find(st, ev->call, false);

	if (!c || c->station == ST_DONE)
		return;

	if (ev->type == EVENT_CALL_STATE) {
		const char *state = ev->u.call_state.state;

		if (0 == strcmp(state, "active") &&
		    c->station == ST_CALLING) {
			c->setup_ms = clock_ms() - c->dial_ms;
			case_next(c);
		}
		else if (0 == strcmp(state, "ended")) {
			if (c->station == ST_HANGUP)
				case_next(c);
			else
				case_fail(c, "The call ended: %s",
					  ev->u.call_state.text);
		}
	}
	else if (ev->type == EVENT_PLAY_DONE && c->station == ST_SPEECH) {

		/* the last words are still under way */
		c->station = ST_TAIL;
		timer_start(&c->tmr, 2 * SETTLE_MS, selftest_tail, c);
	}
}


void selftest_tail(void *arg)
{
	struct selftest_case *c = arg;

	c->station = ST_SPEECH;
	case_next(c);
}


static void incoming(struct selftest *st, const struct event *ev)
{
	struct call *call = ua_call(st->callee.ua, ev->call);
	char user[64], err[UA_ERR] = "";

	if (!call || sip_uri_parts(ev->u.call_state.peer, user, sizeof(user),
				   NULL, 0, NULL))
		return;

	for (unsigned i = 0; i < st->casec; i++) {
		struct selftest_case *c = &st->casev[i];

		if (strcmp(user, c->name))
			continue;

		c->far_id = ev->call;
		(void)call_echo(call, true, err);
		if (call_answer(call, err))
			case_fail(c, "%s", err);
		return;
	}
}


static void callee_event(const struct event *ev, void *arg)
{
	struct selftest *st = arg;
	struct selftest_case *c = case_find(st, ev->call, true);

	if (ev->type == EVENT_CALL_STATE) {
		if (0 == strcmp(ev->u.call_state.state, "incoming"))
			incoming(st, ev);
		return;
	}

	if (!c)
		return;

	if (ev->type == EVENT_CALL_DTMF && c->station == ST_DIGITS) {
		const size_t n = strlen(c->heard);

		if (n + 1 < sizeof(c->heard)) {
			c->heard[n] = ev->u.call_dtmf.digit[0];
			c->heard[n + 1] = '\0';
		}
		if (n + 1 >= strlen(digits))
			case_next(c);
	}
	else if (ev->type == EVENT_CALL_HOLD) {
		if (c->station == ST_HOLD && ev->u.call_hold.remote)
			case_next(c);
		else if (c->station == ST_RESUME && !ev->u.call_hold.remote)
			case_next(c);
	}
}


/* Beginning ---------------------------------------------------------------- */

static void case_dial(struct selftest_case *c, uint16_t port,
		      enum sip_transp tp)
{
	struct ua_dial prm = { .account = c->name, .no_hold = true };
	struct selftest *st = c->st;
	char uri[128], err[UA_ERR] = "";

	(void)snprintf(uri, sizeof(uri), "sip:echo@127.0.0.1:%u;transport=%s",
		       port, tp == SIP_TRANSP_UDP ? "udp" : "tcp");

	prm.target = uri;
	c->dial_ms = clock_ms();
	case_wait(c, ST_CALLING, 10000);

	if (ua_dial(&c->near_id, st->caller.ua, &prm, err))
		case_fail(c, "%s", err);
}


static int case_init(struct selftest_case *c, struct selftest *st,
		     const struct codec *codec, enum sip_transp tp,
		     bool device, char *err)
{
	struct account_conf ac;
	char name[32], text[160];
	int e;

	(void)snprintf(name, sizeof(name), "%s-%s", codec->name,
		       device ? "card" : tp == SIP_TRANSP_UDP ? "udp" : "tcp");

	memset(c, 0, sizeof(*c));
	c->st = st;
	c->codec = codec;
	c->tp = tp;
	c->device = device;
	(void)text_copy(c->name, sizeof(c->name), name, strlen(name));

	(void)snprintf(text, sizeof(text), "far-%s.wav", name);
	e = path_join(c->far_file, sizeof(c->far_file), st->dir, text);
	(void)snprintf(text, sizeof(text), "near-%s.wav", name);
	if (!e)
		e = path_join(c->near_file, sizeof(c->near_file), st->dir,
			      text);
	if (e)
		return e;

	(void)snprintf(text, sizeof(text),
		       "sip:%s@127.0.0.1;name=%s;codecs=%s;register=no",
		       name, name, codec->name);
	e = account_parse(&ac, text, err);
	if (e)
		return e;

	return ua_account_add(st->caller.ua, &ac, err);
}


static void round_start(void *arg)
{
	struct selftest *st = arg;
	const struct codec *const *codec = codec_table();
	char err[CONFIG_ERR] = "";
	enum sip_transp tp;
	uint16_t port = 0;
	bool device;

	if (st->round >= ROUNDS ||
	    (rounds[st->round].device && !st->use_device)) {
		finish(st);
		return;
	}

	tp = rounds[st->round].tp;
	device = rounds[st->round].device;
	st->casec = 0;

	if (device && selftest_phone_audio(&st->caller, "auto", err)) {
		st->ok = false;
		selftest_report_text(st, err);
		finish(st);
		return;
	}

	if (!selftest_phone_port(&st->callee, tp, &port)) {
		st->ok = false;
		selftest_report_text(st, "The other side does not listen.");
		finish(st);
		return;
	}

	for (; *codec && st->casec < (device ? 1 : SELFTEST_CASES); codec++) {
		struct selftest_case *c = &st->casev[st->casec];

		if (case_init(c, st, *codec, tp, device, err)) {
			st->ok = false;
			selftest_report_text(st, err);
			continue;
		}
		st->casec++;
	}

	/* an early failure must not end the round before all have begun */
	for (unsigned i = 0; i < st->casec; i++)
		st->casev[i].station = ST_CALLING;
	for (unsigned i = 0; i < st->casec; i++)
		case_dial(&st->casev[i], port, tp);

	if (!st->casec)
		finish(st);
}


int selftest_start(struct selftest **sp, const struct selftest_conf *conf,
		   selftest_line_h *line_h, selftest_done_h *done_h,
		   void *arg)
{
	struct selftest *st;
	char err[CONFIG_ERR] = "";
	int16_t *v = NULL;
	uint32_t rate = 0;
	size_t n = 0;
	int e;

	if (!sp || !conf || !line_h || !done_h)
		return EINVAL;

	st = mem_zalloc(sizeof(*st), destructor);
	if (!st)
		return ENOMEM;

	st->line_h = line_h;
	st->done_h = done_h;
	st->arg = arg;
	st->ok = true;
	st->result_h = conf->result_h;
	st->use_device = conf->use_device;
	st->begin_ms = clock_ms();

	if (conf->speech)
		e = text_copy(st->speech, sizeof(st->speech), conf->speech,
			      strlen(conf->speech));
	else
		e = path_sound(st->speech, sizeof(st->speech), "speech.wav");
	if (e) {
		(void)snprintf(err, sizeof(err), "No speech to play: %s.",
			       strerror(e));
		goto out;
	}

	e = sound_read(&v, &n, &rate, st->speech, err, UA_ERR);
	if (e)
		goto out;
	st->speech_ms = (uint64_t)n * 1000 / rate;
	free(v);

	(void)snprintf(st->dir, sizeof(st->dir), "%s/offhook-selftest-XXXXXX",
		       getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(st->dir)) {
		e = errno;
		(void)snprintf(err, sizeof(err), "%.200s: %s.", st->dir,
			       strerror(e));
		st->dir[0] = '\0';
		goto out;
	}

	e = selftest_phone_alloc(&st->callee, conf, callee_event, st, err);
	if (!e)
		e = selftest_phone_alloc(&st->caller, conf, caller_event, st,
					 err);
	if (e)
		goto out;

	selftest_report_begin(st);
	timer_start(&st->tmr, 0, round_start, st);

 out:
	if (e) {
		selftest_report_text(st, err[0] ? err : strerror(e));
		mem_deref(st);
	}
	else
		*sp = st;

	return e;
}
