/**
 * @file fake_ua.c  A phone without network or sound
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include "offhook/ua_sdp.h"
#include "offhook/answer_rules.h"
#include "offhook/load.h"
#include "offhook/text.h"
#include "fake_ua.h"

enum { CALLS = 16 };

struct call {
	unsigned id;
	enum call_state state;
	unsigned seen;
	bool outgoing, held, muted;
	char peer[128];
	bool ending;
	struct sip_result result;
	struct media_plan plan;
	const struct sip_caller *caller;
	const char *security, *suite;
};

static const struct codec codec_fake = { .name = "pcmu", .rate_hz = 8000 };

static struct {
	struct event_bus *bus;
	struct call calls[CALLS];
	struct call_record records[CALLS];
	unsigned n;
	struct answer_rule rule;
	struct answer_rules *rules;
	struct sip_fault fault;
	int err;
	char err_text[64];
	char asked[512];

	sip_req_h *req_h;
	void *req_arg;
	media_list_h *list_h;
	media_list_done_h *list_done_h;
	void *list_arg;
	selftest_line_h *test_line_h;
	selftest_done_h *test_done_h;
	selftest_result_h *test_result_h;
	void *test_arg;
} fake;


void asked(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake.asked, sizeof(fake.asked), fmt, ap);
	va_end(ap);
}


/* dnd, forward */
static struct {
	bool dnd;
	char target[FORWARD_KINDS][80];
	uint64_t after_ms;
} rules;


void fake_reset(struct event_bus *bus)
{
	memset(&rules, 0, sizeof(rules));
	fake_accounts_reset(bus);
	mem_deref(fake.rules);
	memset(&fake, 0, sizeof(fake));
	fake.bus = bus;
}


struct ua *fake_ua(void)
{
	return (struct ua *)&fake;
}


struct media *fake_media(void)
{
	return (struct media *)&fake;
}


struct answer *fake_answer(void)
{
	return (struct answer *)&fake;
}


const char *fake_asked(void)
{
	return fake.asked;
}


void fake_fail(int err, const char *text)
{
	fake.err = err;
	snprintf(fake.err_text, sizeof(fake.err_text), "%s", text);
}


static struct call *call_at(unsigned id)
{
	return id && id <= fake.n ? &fake.calls[id - 1] : NULL;
}


static struct call *call_new(const char *peer, bool outgoing)
{
	struct call *c = &fake.calls[fake.n++];

	c->id = fake.n;
	c->outgoing = outgoing;
	snprintf(c->peer, sizeof(c->peer), "%s", peer);

	return c;
}


void fake_state(unsigned id, enum call_state st, unsigned code)
{
	struct call *c = call_at(id);
	struct call_record *r = &fake.records[id - 1];
	struct event ev;

	c->state = st;
	c->seen |= 1u << st;
	c->result.code = (uint16_t)code;
	c->result.cause = code >= 300 ? SIP_CAUSE_STATUS : SIP_CAUSE_NONE;
	snprintf(c->result.reason, sizeof(c->result.reason), "%s",
		 code == 486 ? "Busy Here" : code ? "OK" : "");
	if (st == CALL_ACTIVE)
		c->plan.codec = &codec_fake;

	if (st == CALL_ENDED) {
		r->id = id;
		r->outgoing = c->outgoing;
		r->was_active = c->seen & 1u << CALL_ACTIVE;
		r->seen = c->seen;
		r->result = c->result;
		r->mos = 3.2;
		snprintf(r->text, sizeof(r->text), "it is over.");
		r->state = CALL_ENDED;
		r->stats_known = r->was_active;
		r->stats.packets_received = 150;
		r->stats.packets_sent = 151;
		r->stats.bytes_received = 24000;
		r->stats.dtmf_sent = 4;
		r->loss_pct = 0.5;
		r->dir = MEDIA_SENDRECV;
		if (c->plan.codec)
			snprintf(r->codec, sizeof(r->codec), "%s",
				 c->plan.codec->name);
		(void)sa_set_str(&r->stats.remote, "192.0.2.9", 4000);
		(void)text_copy(r->peer, sizeof(r->peer), c->peer,
				strlen(c->peer));
	}

	event_init(&ev, EVENT_CALL_STATE);
	ev.call = id;
	snprintf(ev.u.call_state.state, EVENT_NAME, "%s",
		 call_state_name(st));
	snprintf(ev.u.call_state.peer, EVENT_TEXT, "%s", c->peer);
	if (code)
		ev.u.call_state.code = code;
	snprintf(ev.u.call_state.reason, EVENT_TEXT, "%.255s",
		 c->result.reason);
	if (st == CALL_ENDED)
		snprintf(ev.u.call_state.text, EVENT_TEXT, "it is over");
	event_publish(fake.bus, &ev);
}


void fake_says(unsigned id, const struct sip_caller *caller,
	       const char *security, const char *suite)
{
	struct call *c = call_at(id);

	c->caller = caller;
	c->security = security;
	c->suite = suite;
}


unsigned fake_incoming(const char *peer)
{
	struct call *c = call_new(peer, false);

	fake_state(c->id, CALL_INCOMING, 0);

	return c->id;
}


void fake_digits(unsigned id, const char *digits)
{
	for (; *digits; digits++) {

		struct event ev;

		event_init(&ev, EVENT_CALL_DTMF);
		ev.call = id;
		ev.u.call_dtmf.digit[0] = *digits;
		event_publish(fake.bus, &ev);
	}
}


void fake_ending(unsigned id)
{
	call_at(id)->ending = true;
}


void fake_quality(unsigned id, double v)
{
	struct event ev;

	event_init(&ev, EVENT_CALL_QUALITY);
	ev.call = id;
	ev.u.call_quality.packets_lost = 3;
	ev.u.call_quality.loss_pct = v;
	ev.u.call_quality.jitter_ms = v;
	ev.u.call_quality.mos = 4.0;
	event_publish(fake.bus, &ev);
}


static void publish_hold(unsigned id, bool local, bool remote, unsigned code,
			 const char *cause)
{
	struct event ev;

	event_init(&ev, EVENT_CALL_HOLD);
	ev.call = id;
	ev.u.call_hold.local = local;
	ev.u.call_hold.remote = remote;
	if (code)
		ev.u.call_hold.code = code;
	snprintf(ev.u.call_hold.cause, EVENT_NAME, "%s", cause);
	event_publish(fake.bus, &ev);
}


void fake_hold(unsigned id, bool local, bool remote)
{
	call_at(id)->held = local;
	publish_hold(id, local, remote, 0, "");
}


void fake_hold_refused(unsigned id, bool local, unsigned code)
{
	call_at(id)->held = local;
	publish_hold(id, local, false, code, code ? "status" : "timeout");
}


void fake_update(unsigned id, unsigned code, const char *cause)
{
	struct event ev;

	event_init(&ev, EVENT_CALL_UPDATE);
	ev.call = id;
	if (code)
		ev.u.call_update.code = code;
	snprintf(ev.u.call_update.cause, EVENT_NAME, "%s", cause);
	event_publish(fake.bus, &ev);
}


/* ua ------------------------------------------------------------------------ */

static int result(char *err)
{
	if (fake.err)
		snprintf(err, UA_ERR, "%s", fake.err_text);

	return fake.err;
}


int ua_dial(unsigned *idp, struct ua *ua, const struct ua_dial *prm,
	    char *err)
{
	int e = result(err);
	struct call *c;
	(void)ua;

	asked("dial %s account=%s ring=%u headers=%s%s%s%s%s%s%s%s",
	      prm->target, prm->account ? prm->account : "-", prm->ring_ms,
	      prm->headers ? prm->headers : "-",
	      prm->late_offer ? " late" : "",
	      prm->reliable ? " reliable=" : "",
	      prm->reliable ? prm->reliable : "",
	      prm->session_timer ? " timer=" : "",
	      prm->session_timer ? prm->session_timer : "",
	      prm->redirects ? " redirects=" : "",
	      prm->redirects ? prm->redirects : "");
	if (e)
		return e;

	c = call_new(prm->target, true);
	fake_state(c->id, CALL_CALLING, 0);
	*idp = c->id;

	return 0;
}


struct call *ua_call(const struct ua *ua, unsigned id)
{
	struct call *c = call_at(id);
	(void)ua;

	return c && c->state != CALL_ENDED ? c : NULL;
}


struct call *ua_call_next(const struct ua *ua, const struct call *prev)
{
	(void)ua;

	for (unsigned i = prev ? prev->id : 0; i < fake.n; i++) {
		if (fake.calls[i].state != CALL_ENDED)
			return &fake.calls[i];
	}

	return NULL;
}


unsigned ua_call_count(const struct ua *ua)
{
	const struct call *c = NULL;
	unsigned n = 0;

	while ((c = ua_call_next(ua, c)))
		++n;

	return n;
}


const struct call_record *ua_call_record(const struct ua *ua, unsigned id)
{
	(void)ua;

	return id && id <= fake.n && fake.records[id - 1].id ?
		&fake.records[id - 1] : NULL;
}


bool ua_call_snapshot(struct call_record *r, const struct ua *ua, unsigned id)
{
	struct call *c = ua_call(ua, id);
	const struct call_record *kept = ua_call_record(ua, id);

	if (!c && kept)
		*r = *kept;
	if (!c)
		return kept != NULL;

	memset(r, 0, sizeof(*r));
	r->id = id;
	r->state = c->state;
	r->outgoing = c->outgoing;
	r->was_active = call_was_active(c);
	r->result = c->result;
	r->duration_ms = call_duration_ms(c);
	snprintf(r->peer, sizeof(r->peer), "%s", c->peer);
	if (c->plan.codec)
		snprintf(r->codec, sizeof(r->codec), "%s",
			 c->plan.codec->name);
	r->dir = c->plan.dir;
	r->stats_known = !call_stats(c, &r->stats);
	r->mos = call_mos(c);
	r->loss_pct = 1.0;

	return true;
}


int call_record_exit(const struct call_record *r)
{
	return r->result.code == 404 ? 7 : r->result.code ? 3 : 9;
}


bool ua_listener(const struct ua *ua, size_t i, struct sa *addr,
		 enum sip_transp *tp)
{
	(void)ua;
	*tp = SIP_TRANSP_UDP;

	return i == 0 && !sa_set_str(addr, "127.0.0.1", 5060);
}


struct sip_stack *ua_sip(struct ua *ua)
{
	return (struct sip_stack *)ua;
}


/* call ---------------------------------------------------------------------- */

const char *call_state_name(enum call_state st)
{
	static const char *const names[] = {
		"idle", "calling", "ringing", "early", "incoming", "active",
		"ended",
	};

	return st < CALL_STATES ? names[st] : "?";
}


enum call_state call_state_find(const char *name)
{
	unsigned i;

	for (i = 0; i < CALL_STATES; i++) {
		if (!strcmp(name, call_state_name((enum call_state)i)))
			break;
	}

	return (enum call_state)i;
}


#define ACT(fn)								\
	int fn(struct call *c, char *err)				\
	{								\
		asked(#fn " %u", c->id);				\
		return result(err);					\
	}

ACT(call_answer)
ACT(call_stop)
ACT(call_record_stop)


static int want_hold(struct call *c, bool hold, char *err)
{
	asked(hold ? "call_hold %u" : "call_resume %u", c->id);
	c->held = hold;

	return result(err);
}


int call_hold(struct call *c, char *err)
{
	return want_hold(c, true, err);
}


int call_resume(struct call *c, char *err)
{
	return want_hold(c, false, err);
}


int call_refuse(struct call *c, uint16_t code, const char *reason,
		const char *headers, char *err)
{
	asked("call_reject %u %u %s%s%s", c->id, code, reason ? reason : "-",
	      headers ? " " : "", headers ? headers : "");

	return result(err);
}


int call_hangup(struct call *c, uint16_t code, const char *reason, char *err)
{
	asked("call_hangup %u %u %s", c->id, code, reason ? reason : "-");

	return result(err);
}


bool ringer_hush(struct ringer *r)
{
	(void)r;
	asked("ringer_hush");

	return true;
}


int call_mute(struct call *c, bool mute, char *err)
{
	asked("call_mute %u %d", c->id, mute);

	return result(err);
}


void fake_digits_out(unsigned id, unsigned sent, unsigned lost)
{
	struct event ev;

	event_init(&ev, EVENT_DTMF_DONE);
	ev.call = id;
	ev.u.dtmf_done.sent = sent;
	ev.u.dtmf_done.lost = lost;
	event_publish(fake.bus, &ev);
}


uint64_t call_dtmf_ms(const struct call *c)
{
	(void)c;

	return 1000;
}


int call_dtmf(struct call *c, const char *digits, char *err)
{
	asked("call_dtmf %u %s", c->id, digits);

	return result(err);
}


int call_dtmf_via(struct call *c, const char *digits, bool band, unsigned ms,
		  char *err)
{
	if (ms) {
		asked("call_dtmf %u %s for %u", c->id, digits, ms);
		return result(err);
	}
	if (!band)
		return call_dtmf(c, digits, err);

	asked("call_dtmf %u %s inband", c->id, digits);

	return result(err);
}


int ua_sound_load(struct ua *ua, const char *file, char *err)
{
	(void)ua;

	if (strcmp(file, "/dev/zero"))
		return 0;

	snprintf(err, UA_ERR, "%s is not a sound file", file);

	return EINVAL;
}


int call_play(struct call *c, const char *file, bool loop, char *err)
{
	asked("call_play %u %s %d", c->id, file, loop);

	return result(err);
}


int call_play_as(struct call *c, const char *file, bool loop, bool queue,
		 bool mix, char *err)
{
	asked("call_play %u %s %d%s%s", c->id, file, loop,
	      queue ? " queue" : "", mix ? " mix" : "");

	return result(err);
}


int call_record_pause(struct call *c, bool pause, char *err)
{
	asked("call_record_pause %u %d", c->id, pause);

	return result(err);
}


int call_record(struct call *c, const char *file, char *err)
{
	asked("call_record %u %s", c->id, file);

	return result(err);
}


int call_echo(struct call *c, bool on, char *err)
{
	asked("call_echo %u %d", c->id, on);

	return result(err);
}


int call_tone(struct call *c, double hz, char *err)
{
	asked("call_tone %u %.1f", c->id, hz);

	return result(err);
}


int ua_ask(struct ua_ask **ap, struct ua *ua, const struct ua_ask_prm *prm,
	   ua_ask_h *h, void *arg, char *err)
{
	(void)ap;
	(void)ua;
	(void)h;
	(void)arg;
	asked("ua_ask %s %s %u", prm->method, prm->target ? prm->target : "-",
	      prm->call);

	return result(err);
}


int call_dtmf_info(struct ua_ask **ap, struct call *c, const char *digits,
		   unsigned ms, ua_ask_h *h, void *arg, char *err)
{
	(void)ap;
	(void)ms;
	(void)h;
	(void)arg;
	asked("call_dtmf_info %u %s", c->id, digits);

	return result(err);
}


int ua_subscribe(unsigned *idp, struct ua *ua, const struct ua_subscribe *prm,
		 char *err)
{
	(void)ua;
	asked("ua_subscribe %s %s %u", prm->event, prm->target,
	      prm->expires_s);
	*idp = 1;

	return result(err);
}


int ua_unsubscribe(struct ua *ua, unsigned id, char *err)
{
	(void)ua;
	asked("ua_unsubscribe %u", id);

	return result(err);
}


bool ua_subscription(struct ua_subscription *s, const struct ua *ua, size_t i)
{
	(void)s;
	(void)ua;
	(void)i;

	return false;
}


int ua_publish(struct ua *ua, const char *account, const char *status,
	       const char *note, char *err)
{
	(void)ua;
	(void)account;
	asked("ua_publish %s %s", status, note ? note : "");

	return result(err);
}


int ua_message(unsigned *idp, struct ua *ua, const struct ua_message *prm,
	       char *err)
{
	(void)ua;
	asked("ua_message %s %s", prm->target, prm->text);
	*idp = 1;

	return result(err);
}


int call_transfer(struct call *c, const char *target, char *err)
{
	asked("call_transfer %u %s", c->id, target);

	return result(err);
}


int call_transfer_to(struct call *c, struct call *other, char *err)
{
	asked("call_transfer_to %u %u", c->id, other->id);

	return result(err);
}


int call_update(struct call *c, bool bare, char *err)
{
	asked("call_update %u %d", c->id, bare);

	return result(err);
}


int call_reinvite(struct call *c, bool late, char *err)
{
	asked("call_reinvite %u %d", c->id, late);

	return result(err);
}


int call_redirect(struct call *c, const char *target, char *err)
{
	asked("call_redirect %u %s", c->id, target);

	return result(err);
}


int call_redirect_decide(struct call *c, bool follow, char *err)
{
	asked("call_redirect_decide %u %d", c->id, follow);

	return result(err);
}


int ua_transfer_decide(struct ua *ua, unsigned call, bool accept, char *err)
{
	(void)ua;
	asked("ua_transfer_decide %u %d", call, accept);

	return result(err);
}


void call_limit(struct call *c, uint64_t ms)
{
	asked("call_limit %u %llu", c->id, (unsigned long long)ms);
}


unsigned call_id(const struct call *c)
{
	return c->id;
}


enum call_state call_state(const struct call *c)
{
	return c->ending ? CALL_ENDED : c->state;
}


bool call_outgoing(const struct call *c)
{
	return c->outgoing;
}


const struct account *call_account(const struct call *c)
{
	(void)c;

	return NULL;
}


const char *call_sip_id(const struct call *c)
{
	return c ? "call@fake" : "";
}


const char *call_peer(const struct call *c)
{
	return c->peer;
}


unsigned ua_sdp_lint(const char *text, size_t len, ua_sdp_lint_h *h,
		     void *arg)
{
	(void)text;
	(void)len;
	(void)h;
	(void)arg;

	return 0;
}


const struct sip_party *call_peer_now(const struct call *c)
{
	(void)c;

	return NULL;
}


const char *call_peer_name(const struct call *c)
{
	(void)c;

	return "";
}


const struct sip_caller *call_caller(const struct call *c)
{
	return c->caller;
}


bool call_held(const struct call *c)
{
	return c->held;
}


bool call_held_remote(const struct call *c)
{
	(void)c;

	return false;
}


bool call_recording(const struct call *c)
{
	(void)c;

	return false;
}


bool call_playing(const struct call *c)
{
	(void)c;

	return false;
}


bool call_talks_unheard(const struct call *c)
{
	(void)c;

	return false;
}


bool call_muted(const struct call *c)
{
	return c->muted;
}


uint64_t call_duration_ms(const struct call *c)
{
	return c->state == CALL_ACTIVE ? 2500 : 0;
}


const struct sip_result *call_result(const struct call *c)
{
	return &c->result;
}


bool call_was_active(const struct call *c)
{
	return c->seen & 1u << CALL_ACTIVE;
}


unsigned call_seen(const struct call *c)
{
	return c->seen;
}


const char *call_security(const struct call *c)
{
	return !call_plan(c) ? "" : c->security && *c->security ?
		c->security : "none";
}


const char *call_suite(const struct call *c)
{
	return c->suite ? c->suite : "";
}


bool call_prints(const struct call *c, char *theirs, char *ours)
{
	(void)c;
	theirs[0] = ours[0] = '\0';

	return false;
}


const struct media_plan *call_plan(const struct call *c)
{
	return c->plan.codec ? &c->plan : NULL;
}


int call_report(struct call *c, char *err)
{
	(void)c;
	(void)err;

	return 0;
}


const char *media_cand_name(enum media_cand_type type)
{
	return type == CAND_RELAY ? "relay" : "host";
}


int call_ways(const struct call *c, struct media_ways *w)
{
	(void)c;
	(void)w;

	return ENOENT;
}


int call_stats(struct call *c, struct stream_stats *st)
{
	if (!c->plan.codec)
		return ENOTCONN;

	memset(st, 0, sizeof(*st));
	st->packets_received = 99;
	st->lost = 1;
	st->jitter_us = 1500;
	st->delay_ms = 40;

	return 0;
}


int call_level(struct call *c, struct stream_level *l)
{
	l->in_dbfs = l->out_dbfs = -20;

	return c->state == CALL_ACTIVE ? 0 : ENOTCONN;
}


double call_mos(struct call *c)
{
	return c->plan.codec ? 4.25 : 0.0;
}


/* The rest ------------------------------------------------------------------- */

void answer_set(struct answer *a, const struct answer_rule *rule)
{
	(void)a;
	fake.rule = *rule;
	asked("answer on=%d code=%u after=%llu for=%llu calls=%u "
	      "until=%llu sound=%d record=%s", rule->on, rule->code,
	      (unsigned long long)rule->after_ms,
	      (unsigned long long)rule->for_ms, rule->calls,
	      (unsigned long long)rule->until_ms, rule->sound,
	      rule->record);
}


const char *ringer_tone(const struct ringer *r)
{
	(void)r;

	return "";
}


const char *ringer_sound(const struct ringer *r, bool room)
{
	(void)r;
	(void)room;

	return "";
}


bool answer_on(const struct answer *a)
{
	return answer_get(a)->on;
}


const struct answer_rule *answer_get(const struct answer *a)
{
	(void)a;

	return &fake.rule;
}


unsigned answer_finished(const struct answer *a)
{
	(void)a;

	return 0;
}


static int file_check(const struct audio_spec *as, char *err, size_t errsz)
{
	if (strncmp(as->out, "/nonexistent", 12))
		return 0;

	snprintf(err, errsz, "cannot write %s: it says so", as->out);

	return ENOENT;
}


const struct audio_driver *audio_driver_find(const char *name)
{
	static const struct audio_driver file = {
		.name = "file", .check = file_check,
	};

	return strcmp(name, "file") ? NULL : &file;
}


static char tone_heard[16];


int call_tones(struct call *c, bool on)
{
	if (c)
		asked("call_tones %d", on);
	if (!on)
		tone_heard[0] = '\0';

	return 0;
}


const char *call_tone_heard(const struct call *c)
{
	return c ? tone_heard : "";
}


void fake_tone_heard(const char *tone)
{
	snprintf(tone_heard, sizeof(tone_heard), "%s", tone);
}


int call_listen(struct call *c, bool on, double hz)
{
	(void)on;
	(void)hz;

	return c ? 0 : ENOTCONN;
}


int call_heard(struct call *c, struct stream_heard *h)
{
	memset(h, 0, sizeof(*h));

	return c ? 0 : ENOTCONN;
}


/* It has a test of its own, with the real thing */
int doctor_start(struct doctor **dp, const struct doctor_conf *conf,
		 doctor_line_h *line_h, doctor_done_h *done_h, void *arg)
{
	static const struct doctor_line lines[] = {
		{ "dns", DOCTOR_PASS, "found", "" },
		{ "udp", DOCTOR_FAIL, "no answer", "try tcp" },
	};
	(void)dp;

	line_h(&lines[0], arg);
	if (!conf->quick)
		line_h(&lines[1], arg);
	done_h(arg);

	return 0;
}


const char *doctor_verdict_name(enum doctor_verdict v)
{
	return v == DOCTOR_FAIL ? "fail" : "pass";
}


void sip_stack_stats(const struct sip_stack *s, struct sip_stack_stats *st)
{
	(void)s;
	memset(st, 0, sizeof(*st));
}


/* The same */
int load_start(struct load **lp, struct ua *u, struct event_bus *bus,
	       const struct load_conf *conf, load_done_h *done_h, void *arg,
	       char *err)
{
	const struct load_result res = {
		.begun = conf->calls, .answered = conf->calls,
		.bucket = { conf->calls },
	};
	(void)lp;
	(void)u;
	(void)bus;
	(void)err;

	done_h(&res, arg);

	return 0;
}


int load_register(struct load_register **lp, struct ua *ua,
		  struct event_bus *bus,
		  const struct load_register_conf *conf,
		  load_done_h *done_h, void *arg, char *err)
{
	(void)lp;
	(void)ua;
	(void)bus;
	(void)done_h;
	(void)arg;
	asked("register %zu of %u at %g for %llu",
	      identities_count(conf->ids), conf->count, conf->rate,
	      (unsigned long long)conf->for_ms);
	snprintf(err, UA_ERR, "%s", fake.err_text);

	return fake.err;
}


void answer_set_rules(struct answer *a, struct answer_rules *r)
{
	(void)a;
	mem_ref(r);
	mem_deref(fake.rules);
	fake.rules = r;
}


struct answer_rules *answer_get_rules(const struct answer *a)
{
	(void)a;

	return fake.rules;
}


static const char *const fault_names[] = {
	"drop", "delay", "duplicate", "reorder", "mangle", "remove", "add",
	"corrupt",
};


const char *sip_fault_name(enum sip_fault_kind kind)
{
	return kind < SIP_FAULT_KINDS ? fault_names[kind] : NULL;
}


enum sip_fault_kind sip_fault_find(const char *name)
{
	unsigned i = 0;

	while (i < SIP_FAULT_KINDS && strcmp(fault_names[i], name))
		++i;

	return (enum sip_fault_kind)i;
}


int ua_fault(struct ua *ua, const struct sip_fault *f, uint64_t seed,
	     unsigned *number)
{
	(void)ua;
	asked("fault %s in=%d out=%d req=%d resp=%d method=%s code=%u-%u "
	      "nth=%u every=%u chance=%g times=%u by=%u name=%s value=%s "
	      "bytes=%u seed=%llu", fault_names[f->kind], f->in, f->out,
	      f->requests, f->responses, f->method, f->code_min, f->code_max,
	      f->nth, f->every, f->chance_pct, f->times, f->by_ms, f->name,
	      f->value, f->bytes, (unsigned long long)seed);
	fake.fault = *f;
	*number = 1;

	return fake.err;
}


int sip_fault_remove(struct sip_stack *s, unsigned number)
{
	(void)s;

	return number > 1 ? ENOENT : 0;
}


bool sip_fault_at(struct sip_fault_status *st, const struct sip_stack *s,
		  size_t i)
{
	(void)s;
	st->number = 1;
	st->fault = fake.fault;
	st->seen = 7;
	st->done = 3;

	return !i && (fake.fault.in || fake.fault.out);
}


int sip_uri_check(char *buf, size_t sz, const char *text, char *err,
		  size_t errsz)
{
	(void)errsz;
	snprintf(buf, sz, "%s", text);
	err[0] = '\0';

	return 0;
}


unsigned load_edge(unsigned i)
{
	return 10 * (i + 1);
}


int media_impair(struct media *m, const struct media_fault *in,
		 const struct media_fault *out, uint64_t seed)
{
	(void)m;
	(void)in;
	(void)out;
	(void)seed;

	return 0;
}


void media_impaired(struct media *m, struct media_fault_count count[2])
{
	(void)m;
	memset(count, 0, 2 * sizeof(*count));
}


int media_sniff(struct media *m, bool clear, media_packet_h *h, void *arg)
{
	(void)m;
	(void)clear;
	(void)h;
	(void)arg;

	return 0;
}


uint64_t media_sniff_lost(const struct media *m)
{
	(void)m;

	return 0;
}


void media_configure(struct media *m, const struct media_conf *conf)
{
	(void)m;
	asked("media ports=%u-%u", conf->port_min, conf->port_max);
}


const char *media_dir_name(enum media_dir dir)
{
	return dir == MEDIA_SENDRECV ? "sendrecv" : "inactive";
}


int media_list_devices(struct media *m, media_list_h *h,
		       media_list_done_h *done, void *arg)
{
	(void)m;
	fake.list_h = h;
	fake.list_done_h = done;
	fake.list_arg = arg;

	return 0;
}


int media_set_device(struct media *m, enum media_role role, const char *name,
		     char *err, size_t errsz)
{
	(void)m;
	asked("media_set_device %d %s", role, name);
	if (fake.err)
		snprintf(err, errsz, "%s", fake.err_text);

	return fake.err;
}


const char *media_device(const struct media *m, enum media_role role)
{
	(void)m;

	return role == MEDIA_ROLE_MIC ? "headset" : "";
}


void fake_devices_done(int err)
{
	static const struct media_listed headset = {
		.driver = "portaudio",
		.dev = {
			.name = "Headset", .in_channels = 1, .out_channels = 2,
			.rate_hz = 48000, .in_latency_ms = 8,
			.out_latency_ms = 12, .default_in = true,
		},
		.mic = true, .ring = true, .open = true,
	};

	if (!err)
		fake.list_h(&headset, fake.list_arg);
	fake.list_done_h(err, fake.list_arg);
}


int selftest_start(struct selftest **sp, const struct selftest_conf *conf,
		   selftest_line_h *line_h, selftest_done_h *done_h,
		   void *arg)
{
	*sp = mem_zalloc(8, NULL);
	fake.test_line_h = line_h;
	fake.test_done_h = done_h;
	fake.test_result_h = conf->result_h;
	fake.test_arg = arg;
	asked("selftest device=%d json=%d", conf->use_device,
	      conf->result_h != NULL);
	if (fake.err) {
		*sp = mem_deref(*sp);
		line_h(fake.err_text, arg);
	}

	return fake.err;
}


void fake_selftest_done(bool ok)
{
	const struct selftest_result res = {
		.sip = "udp", .codec = "pcmu", .setup_ms = 7,
		.delay_ms = 42.4, .level_db = -0.25, .gap_ms = NAN, .moved_ms = NAN,
		.similarity = 0.5, .mos = 4.2, .digits = true, .pass = ok,
		.text = ok ? "" : "Not every digit was right.",
	};

	if (fake.test_result_h)
		fake.test_result_h(&res, fake.test_arg);
	fake.test_line_h("pcmu: good", fake.test_arg);
	fake.test_done_h(ok, fake.test_arg);
}


const char *call_record_cause(const struct call_record *r)
{
	return sip_cause_name(r->result.cause);
}


enum sip_cause sip_cause_find(const char *name)
{
	return strcmp(name, "none") ? SIP_CAUSE_STATUS : SIP_CAUSE_NONE;
}


const char *sip_cause_name(enum sip_cause cause)
{
	return cause == SIP_CAUSE_STATUS ? "status" :
		cause == SIP_CAUSE_TIMEOUT ? "timeout" : "none";
}


const char *sip_phrase(uint16_t code)
{
	return code == 488 ? "Not Acceptable Here" : "?";
}


int ua_target(char *uri, size_t sz, const struct ua *ua, const char *text,
	      const struct account *acc, char *err)
{
	(void)ua;
	(void)acc;

	if (!strncmp(text, "http:", 5)) {
		snprintf(err, UA_ERR, "http: is not spoken here");
		return EPROTONOSUPPORT;
	}
	if (strncmp(text, "sip:", 4)) {
		snprintf(err, UA_ERR, "'%s' is no URI", text);
		return EINVAL;
	}

	snprintf(uri, sz, "%s", text);

	return 0;
}


int sip_uri_parts(const char *uri, char *user, size_t usersz, char *host,
		  size_t hostsz, uint16_t *port)
{
	(void)uri;
	(void)host;
	(void)hostsz;
	(void)port;
	snprintf(user, usersz, "me");

	return 0;
}


int sip_info_header(const struct sip_info *in, const char *name, char *buf,
		    size_t sz)
{
	(void)in;

	if (strcmp(name, "Allow"))
		return ENOENT;

	snprintf(buf, sz, "INVITE, BYE");

	return 0;
}


int sip_target_find(struct sip_target **tp, struct sip_stack *s,
		    const char *uri, const struct sip_ident *ident,
		    sip_target_h *h, void *arg)
{
	struct sa laddr;
	(void)s;
	(void)uri;
	(void)ident;

	*tp = mem_zalloc(8, NULL);
	if (!*tp || sa_set_str(&laddr, "127.0.0.1", 5060))
		return ENOMEM;
	h(NULL, &laddr, arg);

	return 0;
}


int sip_req_send(struct sip_req **rp, struct sip_stack *s,
		 const struct sip_req_conf *conf, sip_req_h *h, void *arg)
{
	(void)s;
	*rp = mem_zalloc(8, NULL);
	fake.req_h = h;
	fake.req_arg = arg;
	asked("%s %s from %s", conf->method, conf->uri,
	      (const char *)conf->ident);

	return *rp ? 0 : ENOMEM;
}


void fake_request_done(unsigned code)
{
	const struct sip_result res = {
		.code = (uint16_t)code,
		.cause = code ? SIP_CAUSE_STATUS : SIP_CAUSE_TIMEOUT,
	};
	static const struct sip_info in = { .user_agent = "fake" };

	fake.req_h(&res, code ? &in : NULL, fake.req_arg);
}


/* forward ---------------------------------------------------------------- */

void forward_set_dnd(struct forward *f, bool on)
{
	(void)f;
	rules.dnd = on;
	asked("dnd %d", on);
}


bool forward_dnd(const struct forward *f)
{
	(void)f;

	return rules.dnd;
}


static const char *const kinds[] = { "always", "busy", "noanswer" };


const char *forward_name(enum forward_kind kind)
{
	return kinds[kind];
}


enum forward_kind forward_find(const char *name)
{
	unsigned i = 0;

	while (i < FORWARD_KINDS && strcmp(kinds[i], name))
		++i;

	return (enum forward_kind)i;
}


int forward_set(struct forward *f, enum forward_kind kind,
		const char *target, uint64_t after_ms, char *err)
{
	(void)f;
	asked("forward %s %s %u", kinds[kind], target ? target : "-",
	      (unsigned)after_ms);
	snprintf(rules.target[kind], sizeof(rules.target[kind]), "%s",
		 target ? target : "");
	rules.after_ms = after_ms;

	return result(err);
}


const char *forward_target(const struct forward *f, enum forward_kind kind)
{
	(void)f;

	return rules.target[kind];
}


uint64_t forward_after_ms(const struct forward *f)
{
	(void)f;

	return rules.after_ms;
}
