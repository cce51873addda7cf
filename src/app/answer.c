/**
 * @file answer.c  Auto-answer and listen
 *
 * A subscriber of the event bus: in the moment a call comes the rule decides
 * whether it is answered, refused or left to the user; an account's own
 * auto-answer goes before the rule, and the wish of a caller who is on the list
 * (option intercom) before both; lines of rules (answer_rules.h) go before all
 * of these.  Calls are known by their numbers.  It
 * counts what it took and says when enough is enough; hanging up what still
 * runs is not its business.  Main thread.
 */
#include "offhook/answer_rules.h"
#include "offhook/text.h"
#include "offhook/timer.h"

#define LOG_MODULE "answer"
#include "offhook/log.h"


enum { BUCKETS = 256 };

struct answer {
	bool (*gate_h)(const struct event *ev, void *arg);
	void *gate_arg;
	struct ua *ua;
	const struct config *config; /* NULL: no options                     */
	struct event_sub *sub;
	struct answer_rule rule;
	struct answer_rules *rules;  /* NULL: none                           */
	struct hash *taken;          /* struct taken, by call                */
	unsigned finished;
	int exit;                    /* first bad ending                     */
	bool over;                   /* calls or until was reached           */
	struct timer tmr_until, tmr_over;
	answer_done_h *done_h;
	void *arg;
};

/** A call that came while the rule was in force */
struct taken {
	struct le le;
	struct answer *a;
	unsigned id;
	const struct answer_rule *line;  /* a line of rules; NULL: the rule  */
	struct answer_rules *rules;      /* ... which it is of               */
	uint16_t code;
	bool answered;
	bool early;                  /* its sound has begun                  */
	bool intercom;               /* the caller asked for it: he hears us */
	struct timer tmr;            /* it rings; or is to be transferred    */
};


static const struct answer_rule *rule_of(const struct taken *t)
{
	return t->line ? t->line : &t->a->rule;
}


static void taken_destructor(void *data)
{
	struct taken *t = data;

	timer_cancel(&t->tmr);
	hash_unlink(&t->le);
	mem_deref(t->rules);
}


static void answer_destructor(void *data)
{
	struct answer *a = data;

	mem_deref(a->sub);
	timer_cancel(&a->tmr_until);
	timer_cancel(&a->tmr_over);
	hash_flush(a->taken);
	mem_deref(a->taken);
	ua_set_judge(a->ua, NULL, NULL);
	mem_deref(a->rules);
}


static void over_handler(void *arg)
{
	struct answer *a = arg;

	timer_cancel(&a->tmr_until);
	a->over = true;

	if (a->done_h)
		a->done_h(a->arg);
}


/* "in-%n.wav" for call 7 is "in-7.wav"; %% is a single one */
static int record_path(char *buf, size_t sz, const char *path, unsigned id)
{
	struct text_buf b = { .max = sz - 1 };
	int err;

	for (; *path; path++) {
		if (path[0] == '%' && path[1] == 'n') {
			text_add(&b, "%u", id);
			++path;
		}
		else {
			if (path[0] == '%' && path[1] == '%')
				++path;
			text_add_mem(&b, path, 1);
		}
	}

	err = b.err;
	if (!err)
		str_ncpy(buf, b.s ? b.s : "", sz);
	text_buf_reset(&b);

	return err;
}


/* What is heard; echo and tone are chosen before any device is asked for */
static void sound_before(struct call *c, const struct answer_rule *r)
{
	char why[UA_ERR] = "";
	int err = 0;

	if (r->sound == ANSWER_ECHO)
		err = call_echo(c, true, why);
	else if (r->sound == ANSWER_TONE)
		err = call_tone(c, r->tone_hz, why);

	if (err)
		log_warn("call %u: %s", call_id(c), why);

	/* nobody asked for this call: it puts no other on hold */
	call_keep_others(c);
}


static void sound_after(struct call *c, const struct answer_rule *r,
			bool early)
{
	char path[sizeof(r->record) + 16], why[UA_ERR];

	if (!early && r->sound == ANSWER_PLAY && call_play(c, r->play, false, why))
		log_warn("call %u: %s", call_id(c), why);

	if (!r->record[0])
		return;

	if (record_path(path, sizeof(path), r->record, call_id(c)))
		log_warn("call %u: not recorded, the path is too long",
			 call_id(c));
	else if (call_record(c, path, why))
		log_warn("call %u: %s", call_id(c), why);
}


static int refuse(struct call *c, const struct taken *t, char *why)
{
	const struct answer_rule *r = rule_of(t);

	if (t->line && r->redirect[0])
		return call_redirect(c, r->redirect, why);

	return call_reject(c, t->code, t->line && r->reason[0] ? r->reason :
			   NULL, why);
}


static void act(struct taken *t)
{
	const struct answer_rule *r = rule_of(t);
	struct call *c = ua_call(t->a->ua, t->id);
	char why[UA_ERR];
	int err;

	if (!c || call_state(c) != CALL_INCOMING)
		return;

	if (t->code != 200) {
		err = refuse(c, t, why);
	}
	else if (t->intercom) {
		t->answered = true;
		err = call_answer(c, why);
	}
	else {
		t->answered = true;
		if (!t->early)
			sound_before(c, r);
		call_refuse_offers(c, r->reinvite_code);
		err = call_answer(c, why);
		if (!err) {
			if (r->for_ms)
				call_limit(c, r->for_ms);
			sound_after(c, r, t->early);
		}
	}

	if (err)
		log_warn("%s", why);
}


/* What would be heard after the answer is heard now */
static void early(struct taken *t, struct call *c)
{
	const struct answer_rule *r = rule_of(t);
	char why[UA_ERR];

	sound_before(c, r);
	if (r->sound == ANSWER_PLAY && call_play(c, r->play, false, why))
		log_warn("call %u: %s", call_id(c), why);
	if (call_early(c, why))
		log_warn("%s", why);
	else
		t->early = true;
}


static void ring_handler(void *arg)
{
	act(arg);
}


static void transfer_handler(void *arg)
{
	struct taken *t = arg;
	struct call *c = ua_call(t->a->ua, t->id);
	char why[UA_ERR];

	if (c && call_transfer(c, rule_of(t)->transfer, why))
		log_warn("call %u: %s", t->id, why);
}


/* What a line says is done once it is answered */
static void active(struct taken *t)
{
	const struct answer_rule *r = rule_of(t);
	struct call *c = ua_call(t->a->ua, t->id);
	char why[UA_ERR];

	if (!c || !t->line)
		return;

	if (r->dtmf[0] && call_dtmf(c, r->dtmf, why))
		log_warn("call %u: %s", t->id, why);
	if (r->transfer[0])
		timer_start(&t->tmr, r->transfer_ms, transfer_handler, t);
}


/* Lines of rules ------------------------------------------------------------- */

static int call_header_h(const char *name, char *buf, size_t sz, void *arg)
{
	return call_invite_header(arg, name, buf, sz);
}


static const struct answer_rule *line_for(struct answer *a, struct call *c)
{
	const struct answer_subject s = {
		.method = "INVITE", .from = call_peer(c), .to = call_to(c),
		.ruri = call_ruri(c), .header_h = call_header_h, .arg = c,
	};

	return answer_on(a) ? answer_rules_find(a->rules, &s) : NULL;
}


static int request_header_h(const char *name, char *buf, size_t sz, void *arg)
{
	return sip_info_header(arg, name, buf, sz);
}


/* A request that is no call */
static uint16_t judge(const struct sip_info *in, void *arg)
{
	struct answer *a = arg;
	const struct answer_rule *r;
	char ruri[300];
	struct answer_subject s = {
		.method = in->method, .from = in->from_uri, .to = in->to_uri,
		.ruri = ruri, .header_h = request_header_h, .arg = (void *)in,
	};

	(void)re_snprintf(ruri, sizeof(ruri), "sip:%s%s%s", in->ruri_user,
			  in->ruri_user[0] ? "@" : "", in->ruri_host);
	r = answer_on(a) ? answer_rules_find(a->rules, &s) : NULL;

	return r && r->code >= 300 ? r->code : 0;
}


/* 0: it is left to the user */
static uint16_t code_for(const struct answer *a, const struct call *c)
{
	const struct account *acc = call_account(c);
	const char *own = acc ? account_config(acc)->auto_answer : "";
	uint32_t code;

	if (0 == str_casecmp(own, "no"))
		return 0;
	if (0 == str_casecmp(own, "yes"))
		return 200;
	if (own[0] && !text_u32(&code, own, strlen(own), 699))
		return (uint16_t)code;

	return a->rule.on && !a->over ? a->rule.code : 0;
}


/* Is it for us to grant what the caller wishes? */
static bool granted(const struct answer *a, const struct call *c)
{
	const struct account *acc = call_account(c);
	const char *list = acc ? account_config(acc)->intercom : "";

	if (!list[0])
		list = a->config ? a->config->intercom : "";

	return caller_listed(c, list);
}


/*
 * The caller's wish (RFC 5373). @return the status of the call, 0: as the
 * rule says; after_ms is how long it rings before that
 */
static uint16_t wished(const struct answer *a, const struct call *c,
		       uint16_t rule, uint64_t *after_ms)
{
	struct sip_auto_answer wish;

	call_answer_wish(&wish, c);

	/* 4.3.2: what must be done and is not granted is refused */
	if (wish.manual)
		return wish.required && rule == 200 ? 403 : 0;
	if (!wish.wanted)
		return 0;
	if (!granted(a, c)) {
		log_info("call %u: its wish to be answered at once is not"
			 " granted", call_id(c));
		return wish.required ? 403 : 0;
	}

	*after_ms = wish.after_ms;

	return 200;
}


static uint64_t after_for(const struct answer *a, const struct call *c)
{
	const struct account *acc = call_account(c);
	const int64_t own = acc ? account_config(acc)->answer_after_ms : 0;

	return own > 0 ? (uint64_t)own : a->rule.on ? a->rule.after_ms : 0;
}


static void incoming(struct answer *a, unsigned id)
{
	struct call *c = ua_call(a->ua, id);
	const struct answer_rule *line;
	uint64_t after_ms;
	uint16_t code, wish = 0;
	struct taken *t;

	/* do-not-disturb or a forward has taken it already */
	if (!c || call_state(c) != CALL_INCOMING)
		return;

	line = line_for(a, c);
	code = line ? line->code : code_for(a, c);
	after_ms = line ? line->after_ms : after_for(a, c);
	if (!line)
		wish = wished(a, c, code, &after_ms);
	if (wish)
		code = wish;
	if (!code)
		return;

	t = mem_zalloc(sizeof(*t), taken_destructor);
	if (!t)
		return;

	t->a = a;
	t->id = id;
	t->code = code;
	t->line = line;
	t->rules = line ? mem_ref(a->rules) : NULL;
	t->intercom = wish == 200 && !a->rule.on;
	hash_append(a->taken, id, &t->le, t);

	if (line && line->ring) {
		(void)call_ring(c);
	}
	else if (after_ms) {
		if (a->rule.on && rule_of(t)->early && (line || code == 200))
			early(t, c);
		else
			(void)call_ring(c);
		timer_start(&t->tmr, after_ms, ring_handler, t);
	}
	else {
		act(t);
	}
}


static struct taken *taken_find(const struct answer *a, unsigned id)
{
	struct le *le;

	LIST_FOREACH(hash_list(a->taken, id), le) {
		struct taken *t = le->data;

		if (t->id == id)
			return t;
	}

	return NULL;
}


static void ended(struct answer *a, unsigned id)
{
	struct taken *t = taken_find(a, id);

	if (!t)
		return;

	++a->finished;
	if (t->answered && !a->exit)
		a->exit = call_record_exit(ua_call_record(a->ua, id));
	mem_deref(t);

	/* not from inside the event: who hears of the end may free us */
	if (a->rule.on && a->rule.calls && a->finished >= a->rule.calls &&
	    !a->over) {
		a->over = true;
		timer_start(&a->tmr_over, 0, over_handler, a);
	}
}


static void event_handler(const struct event *ev, void *arg)
{
	struct answer *a = arg;
	struct taken *t;

	switch (call_state_find(ev->u.call_state.state)) {

	case CALL_INCOMING:
		if (!a->gate_h || !a->gate_h(ev, a->gate_arg))
			incoming(a, ev->call);
		break;

	case CALL_ACTIVE:
		t = taken_find(a, ev->call);
		if (t)
			active(t);
		break;

	case CALL_ENDED:
		ended(a, ev->call);
		break;

	default:
		break;
	}
}


void answer_set_gate(struct answer *a,
		     bool (*h)(const struct event *ev, void *arg), void *arg)
{
	if (!a)
		return;

	a->gate_h = h;
	a->gate_arg = arg;
}


void answer_consider(struct answer *a, unsigned call)
{
	if (a)
		incoming(a, call);
}


int answer_alloc(struct answer **ap, struct ua *ua, struct event_bus *bus,
		 answer_done_h *done_h, void *arg)
{
	struct answer *a;
	int err;

	if (!ap || !ua || !bus)
		return EINVAL;

	a = mem_zalloc(sizeof(*a), answer_destructor);
	if (!a)
		return ENOMEM;

	a->ua = ua;
	a->done_h = done_h;
	a->arg = arg;
	a->rule.code = 200;

	err = hash_alloc(&a->taken, BUCKETS);
	if (!err)
		err = event_subscribe_type(&a->sub, bus, EVENT_CALL_STATE,
					   event_handler, a);
	if (err)
		mem_deref(a);
	else
		*ap = a;

	return err;
}


void answer_set_config(struct answer *a, const struct config *config)
{
	if (a)
		a->config = config;
}


void answer_set(struct answer *a, const struct answer_rule *rule)
{
	if (!a || !rule)
		return;

	a->rule = *rule;
	if (!a->rule.code)
		a->rule.code = 200;

	timer_cancel(&a->tmr_until);
	timer_cancel(&a->tmr_over);
	a->over = false;

	if (!rule->on)
		return;

	a->finished = 0;
	a->exit = 0;
	if (rule->until_ms)
		timer_start(&a->tmr_until, rule->until_ms, over_handler, a);
}


void answer_set_rules(struct answer *a, struct answer_rules *r)
{
	if (!a)
		return;

	mem_ref(r);
	mem_deref(a->rules);
	a->rules = r;
	ua_set_judge(a->ua, r ? judge : NULL, a);
}


struct answer_rules *answer_get_rules(const struct answer *a)
{
	return a ? a->rules : NULL;
}


const struct answer_rule *answer_get(const struct answer *a)
{
	return a ? &a->rule : NULL;
}


bool answer_on(const struct answer *a)
{
	return a && a->rule.on && !a->over;
}


int answer_exit(const struct answer *a)
{
	return a ? a->exit : 0;
}


unsigned answer_finished(const struct answer *a)
{
	return a ? a->finished : 0;
}
