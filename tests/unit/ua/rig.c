/**
 * @file rig.c  User agents on loopback and their events as lines
 */
#include "rig.h"


struct phone alice = { .name = "alice" }, bob = { .name = "bob" };
char said[UA_ERR];

static struct {
	char text[64 * 1024];
	size_t len;
	size_t mark[2];              /* what await has passed over, by phone */
	const char *want;
	const unsigned *count;
	unsigned least;
	bool timeout;
	struct timer tmr;
} rig;


/* The two are not in step with each other: each has its own mark */
static size_t *mark_of(const char *want)
{
	return &rig.mark[want[0] == 'b'];
}


static bool found(void)
{
	size_t *mark;
	const char *at;

	if (rig.count)
		return *rig.count >= rig.least;
	if (!rig.want)
		return false;

	mark = mark_of(rig.want);
	at = strstr(rig.text + *mark, rig.want);
	if (at)
		*mark = (size_t)(at - rig.text) + strlen(rig.want);

	return at != NULL;
}


static void line(const char *name, const char *text)
{
	const int n = snprintf(rig.text + rig.len,
			       sizeof(rig.text) - rig.len, "%s %s\n", name,
			       text);

	assert_true(n > 0 && (size_t)n < sizeof(rig.text) - rig.len);
	rig.len += (size_t)n;

	if (rig.want &&
	    strstr(rig.text + *mark_of(rig.want), rig.want))
		re_cancel();
}


static void event_handler(const struct event *ev, void *arg)
{
	struct phone *p = arg;
	char buf[512];

	switch (ev->type) {

	case EVENT_CALL_STATE:
		(void)snprintf(buf, sizeof(buf), "call.state %u %s %s %d %s"
			       " %s", ev->call, ev->u.call_state.state,
			       ev->u.call_state.direction,
			       (int)(ev->u.call_state.code == EVENT_NONE ?
				     0 : ev->u.call_state.code),
			       ev->u.call_state.cause, ev->u.call_state.by);
		str_ncpy(p->verdict, ev->u.call_state.text,
			 sizeof(p->verdict));
		str_ncpy(p->reason, ev->u.call_state.reason,
			 sizeof(p->reason));
		break;

	case EVENT_ACCOUNT_STATE:
		(void)snprintf(buf, sizeof(buf), "account.state %u %s %s",
			       ev->account, ev->u.account_state.state,
			       ev->u.account_state.cause);
		(void)snprintf(p->verdict, sizeof(p->verdict), "%s",
			       ev->u.account_state.text);
		break;

	case EVENT_NETWORK_CHANGED:
		(void)snprintf(buf, sizeof(buf), "network.changed %s %d",
			       ev->u.network_changed.cause,
			       (int)ev->u.network_changed.slept_ms);
		break;

	case EVENT_CALL_HOLD:
		(void)snprintf(buf, sizeof(buf), "call.hold %u %s %s %d %s",
			       ev->call,
			       ev->u.call_hold.local ? "local" : "-",
			       ev->u.call_hold.remote ? "remote" : "-",
			       (int)(ev->u.call_hold.code == EVENT_NONE ?
				     0 : ev->u.call_hold.code),
			       ev->u.call_hold.cause);
		break;

	case EVENT_CALL_MEDIA:
		(void)snprintf(buf, sizeof(buf), "call.media %u %s %s",
			       ev->call, ev->u.call_media.codec,
			       ev->u.call_media.direction);
		break;

	case EVENT_CALL_CLIPPED:
		(void)snprintf(buf, sizeof(buf), "call.clipped %u", ev->call);
		break;

	case EVENT_CALL_MOVED:
		(void)snprintf(buf, sizeof(buf), "call.moved %u %.80s %.80s",
			       ev->call, ev->u.call_moved.from,
			       ev->u.call_moved.was);
		break;

	case EVENT_CALL_DTMF:
		(void)snprintf(buf, sizeof(buf), "call.dtmf %u %s %s",
			       ev->call, ev->u.call_dtmf.digit,
			       ev->u.call_dtmf.via);
		break;

	case EVENT_DTMF_DONE:
		(void)snprintf(buf, sizeof(buf), "dtmf.done %u %s %d %d",
			       ev->call, ev->u.dtmf_done.result,
			       (int)ev->u.dtmf_done.sent,
			       (int)ev->u.dtmf_done.lost);
		break;

	case EVENT_PLAY_DONE:
	case EVENT_RECORD_DONE:
		(void)snprintf(buf, sizeof(buf), "%s %u %s",
			       ev->type == EVENT_PLAY_DONE ? "play.done"
							   : "record.done",
			       ev->call, ev->u.file_done.result);
		break;

	case EVENT_CALL_REDIRECT:
		(void)snprintf(buf, sizeof(buf), "call.redirect %u %s %d",
			       ev->call, ev->u.call_redirect.state,
			       (int)(ev->u.call_redirect.code == EVENT_NONE ?
				     0 : ev->u.call_redirect.code));
		break;

	case EVENT_CALL_UPDATE:
		(void)snprintf(buf, sizeof(buf), "call.update %u %s %d %s",
			       ev->call, ev->u.call_update.method,
			       (int)(ev->u.call_update.code == EVENT_NONE ?
				     0 : ev->u.call_update.code),
			       ev->u.call_update.cause);
		break;

	case EVENT_CALL_QUALITY:
		return;

	case EVENT_CALL_LEVEL:
		(void)snprintf(buf, sizeof(buf), "call.level %u %.0f %.0f %d",
			       ev->call, ev->u.call_level.in_dbfs,
			       ev->u.call_level.out_dbfs,
			       (int)ev->u.call_level.out_clipped);
		break;

	case EVENT_CALL_PROGRESS:
		(void)snprintf(buf, sizeof(buf), "call.progress %u %d %s",
			       ev->call, (int)(ev->u.call_progress.code ==
			       EVENT_NONE ? 0 : ev->u.call_progress.code),
			       ev->u.call_progress.sound ? "sound" : "-");
		break;

	case EVENT_CALL_PLACE:
		(void)snprintf(buf, sizeof(buf), "call.place %u %d", ev->call,
			       (int)ev->u.call_place.place);
		break;

	case EVENT_CALL_CONFERENCE:
		(void)snprintf(buf, sizeof(buf),
			       "call.conference %u %s %d %d", ev->call,
			       ev->u.call_conference.state,
			       (int)ev->u.call_conference.conference,
			       (int)ev->u.call_conference.members);
		break;

	default:
		(void)snprintf(buf, sizeof(buf), "%s %u",
			       event_row(ev->type)->name, ev->call);
		break;
	}

	line(p->name, buf);

	if (ev->type == EVENT_CALL_STATE && p->incoming &&
	    0 == strcmp(ev->u.call_state.state, "incoming"))
		p->incoming(p, ua_call(p->ua, ev->call));
}


static void timeout_handler(void *arg)
{
	(void)arg;

	rig.timeout = true;
	re_cancel();
}


static void turn_handler(void *arg)
{
	(void)arg;

	if (found())
		re_cancel();
	else
		timer_start(&rig.tmr, 1, turn_handler, NULL);
}


static void run(uint64_t ms)
{
	struct timer end = { 0 };

	rig.timeout = false;
	timer_start(&end, ms, timeout_handler, NULL);
	assert_int_equal(0, re_main(NULL));
	timer_cancel(&end);
}


void await(const char *want)
{
	rig.want = want;
	if (!found()) {
		run(WAIT_MS);
		if (!found())
			fail_msg("\"%s\" has not come; there was:\n%s", want,
				 rig.text);
	}
	rig.want = NULL;
}


void await_count(const unsigned *v, unsigned n)
{
	rig.count = v;
	rig.least = n;
	if (!found()) {
		timer_start(&rig.tmr, 1, turn_handler, NULL);
		run(WAIT_MS);
		timer_cancel(&rig.tmr);
		if (!found())
			fail_msg("%u, not %u; there was:\n%s", *v, n,
				 rig.text);
	}
	rig.count = NULL;
}


void await_none(const char *want)
{
	rig.want = want;
	if (!found())
		run(QUIET_MS);
	if (found())
		fail_msg("\"%s\" came; there was:\n%s", want, rig.text);
	rig.want = NULL;
}


unsigned count_seen(const char *want)
{
	unsigned n = 0;

	for (const char *at = rig.text; (at = strstr(at, want)); at++)
		++n;

	return n;
}


bool seen(const char *want)
{
	return strstr(rig.text + *mark_of(want), want) != NULL;
}


static void phone_start(struct phone *p)
{
	const struct media_conf mc = { .port_min = 20000 };
	struct sip_listen_addr la = { .udp = true, .tcp = true };
	struct ua_conf uc = {
		.config = p->conf, .bus = p->bus, .addrv = &la, .addrc = 1,
	};
	enum sip_transp tp;
	char err[UA_ERR];

	assert_int_equal(0, sa_set_str(&la.addr, "127.0.0.1", 0));
	assert_int_equal(0, media_alloc(&p->media, &mc, NULL, NULL));
	uc.media = p->media;

	if (ua_alloc(&p->ua, &uc, err))
		fail_msg("%s", err);

	assert_true(ua_listener(p->ua, 0, &p->addr, &tp));
	(void)re_snprintf(p->uri, sizeof(p->uri), "sip:%J", &p->addr);
}


void phone_restart(struct phone *p)
{
	p->ua = mem_deref(p->ua);
	p->media = mem_deref(p->media);
	phone_start(p);
}


void phone_set(struct phone *p, const char *name, const char *value)
{
	char err[CONFIG_ERR];

	if (config_set(p->conf, name, value, err))
		fail_msg("%s", err);
}


void phone_account(struct phone *p, const char *text)
{
	struct account_conf ac;
	char err[CONFIG_ERR];

	if (account_parse(&ac, text, err) || ua_account_add(p->ua, &ac, err))
		fail_msg("%s", err);
}


static void phone_open(struct phone *p)
{
	assert_int_equal(0, config_alloc(&p->conf));
	assert_int_equal(0, event_bus_alloc(&p->bus));
	assert_int_equal(0, event_subscribe_type(&p->sub, p->bus,
						 EVENT_CALL_STATE,
						 event_handler, p));
	mem_deref(p->sub);
	assert_int_equal(0, event_subscribe(&p->sub, p->bus, event_handler,
					    p));
	phone_set(p, "codecs", "pcmu,pcma");
	phone_set(p, "sip-timeout", "800ms");
	p->incoming = NULL;
	phone_start(p);
}


void phone_stop(struct phone *p)
{
	p->ua = mem_deref(p->ua);
	p->media = mem_deref(p->media);
	p->sub = mem_deref(p->sub);
	p->bus = mem_deref(p->bus);
	p->conf = mem_deref(p->conf);
}


int rig_setup(void **state)
{
	(void)state;

	assert_int_equal(0, libre_init());
	assert_int_equal(0, timers_open());

	memset(&rig, 0, sizeof(rig));
	phone_open(&alice);
	phone_open(&bob);
	(void)fake_doors();
	fake_digits_stuck(false);

	return 0;
}


int rig_teardown(void **state)
{
	(void)state;

	peer_stop();
	phone_stop(&alice);
	phone_stop(&bob);
	timers_close();
	tmr_debug();
	libre_close();

	return fake_stream_count() ? -1 : 0;
}


unsigned dial(struct phone *p, const char *target)
{
	const struct ua_dial prm = { .target = target };
	unsigned id = 0;

	if (ua_dial(&id, p->ua, &prm, said))
		fail_msg("%s", said);
	assert_true(id > 0);

	return id;
}


struct call *call_of(struct phone *p, unsigned id)
{
	struct call *c = ua_call(p->ua, id);

	if (!c)
		fail_msg("%s has no call %u; there was:\n%s", p->name, id,
			 rig.text);

	return c;
}


void connect_both(void)
{
	const unsigned id = dial(&alice, bob.uri);

	await("bob call.state 1 incoming in");
	assert_int_equal(1, id);
	assert_int_equal(0, call_answer(call_of(&bob, 1), said));
	await("alice call.state 1 active out");
}


void hangup_both(struct phone *p)
{
	assert_int_equal(0, call_hangup(call_of(p, 1), 0, NULL, said));
	await(p == &alice ? "bob call.state 1 ended" :
	      "alice call.state 1 ended");
	if (!ua_call_record(p->ua, 1))
		await(p == &alice ? "alice call.state 1 ended" :
		      "bob call.state 1 ended");
	assert_int_equal(0, fake_stream_count());
}
