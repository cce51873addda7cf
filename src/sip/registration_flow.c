/**
 * @file sip/registration_flow.c  One REGISTER after another over one flow
 *
 * Registers, refreshes in time, follows where the answer leads (301, 302,
 * 305, 423, 439), and tries again after a failure: when the server says so,
 * or as RFC 5626 4.5 does.  The state has one setter, which tells the user;
 * nothing of ours may be touched after it, so it always comes last.  Main
 * thread.
 */
#include <assert.h>
#include <offhook/random.h>
#include "registration.h"


enum {
	STEPS_MAX     = 5,          /* answers that lead on, in an attempt */
	BASE_MS       = 30000,      /* RFC 5626 4.5                        */
	BASE_OTHER_MS = 90000,      /* while another flow stands           */
	WAIT_MAX_MS   = 1800000,
	RETRY_MAX_S   = 86400,      /* of Retry-After                      */
	FLAP_MS       = 10000,      /* lost sooner: a failure              */
	KEEP_UDP_MS   = 29000,      /* RFC 5626 4.4: 24 to 29 s            */
	KEEP_CONN_MS  = 120000,     /* 95 to 120 s                         */
};

#define TO(state) (1u << SIP_REG_##state)

static const unsigned moves[SIP_REG_STATES] = {
	[SIP_REG_OFF] = TO(REGISTERING) | TO(UNREGISTERING),
	[SIP_REG_REGISTERING] = TO(REGISTERED) | TO(FAILED) |
		TO(UNREGISTERING) | TO(OFF),
	[SIP_REG_REGISTERED] = TO(REFRESHING) | TO(FAILED) |
		TO(UNREGISTERING) | TO(OFF),
	[SIP_REG_REFRESHING] = TO(REGISTERED) | TO(FAILED) |
		TO(UNREGISTERING) | TO(OFF),
	[SIP_REG_FAILED] = TO(REGISTERING) | TO(FAILED) | TO(UNREGISTERING) |
		TO(OFF),
	[SIP_REG_UNREGISTERING] = TO(REGISTERING) | TO(OFF),
};

static int send_register(struct reg_flow *f);


/* The only setter */
static void state_put(struct reg_flow *f, enum sip_reg_state st)
{
	const struct sip_result *res = &f->result;

	assert(moves[f->state] & 1u << st);

	if (st == SIP_REG_FAILED)
		log_info("register %s: %s -> failed (%u %s), again in %llu s",
			 f->reg->id->aor, sip_reg_state_name(f->state),
			 res->code, res->reason,
			 (unsigned long long)timer_left_ms(&f->tmr) / 1000);
	else
		log_info("register %s: %s -> %s", f->reg->id->aor,
			 sip_reg_state_name(f->state),
			 sip_reg_state_name(st));

	f->state = st;
}


/* The flow may be gone when it returns */
static void state_set(struct reg_flow *f, enum sip_reg_state st)
{
	state_put(f, st);
	reg_tell(f);
}


static void tell_h(void *arg)
{
	reg_tell(arg);
}


/* From inside a function of the user's: he hears of it on the next turn */
static void state_set_later(struct reg_flow *f, enum sip_reg_state st)
{
	state_put(f, st);
	timer_start(&f->tmr, 0, tell_h, f);
}


void reg_flow_halt(struct reg_flow *f)
{
	timer_cancel(&f->tmr);
	f->req = mem_deref(f->req);
	f->keep = mem_deref(f->keep);
}


/* Nothing is known of us any more, nor by us */
static void forget(struct reg_flow *f)
{
	reg_flow_halt(f);
	unlearn(f->reg->id, f->way.flow);
	f->bound[0] = '\0';
	f->bound_until_ms = 0;
	f->list.n = 0;
	f->failures = 0;
	f->again = false;
}


void reg_flow_off(struct reg_flow *f)
{
	forget(f);
	if (f->state != SIP_REG_OFF)
		state_set_later(f, SIP_REG_OFF);
}


/* Attempts ---------------------------------------------------------------- */

/* The registrar says itself which realm is its own */
static int digest_open(struct reg_flow *f)
{
	struct sip_creds *creds = ident_creds(f->reg->id, f->way.hop);

	return creds ? digest_alloc(&f->digest, creds) : 0;
}


/* What an attempt begins with. A refresh goes where the last one was taken,
 * with the nonce that was taken; any other knows what is configured */
static int attempt_init(struct reg_flow *f, bool refresh)
{
	int err = 0;

	/* the flow is watched on, so that its loss ends our waiting */
	timer_cancel(&f->tmr);
	f->req = mem_deref(f->req);
	f->steps = 0;
	memset(&f->result, 0, sizeof(f->result));

	if (!refresh) {
		f->digest = mem_deref(f->digest);
		f->tg.leg = NULL;
		err = reg_way_home(&f->way);
		if (!err)
			err = digest_open(f);
	}

	return err;
}


static uint64_t backoff_ms(const struct reg_flow *f)
{
	const uint64_t base = reg_other_up(f) ? BASE_OTHER_MS : BASE_MS;
	const unsigned n = f->failures < 16 ? f->failures : 16;
	uint64_t ms = base << n;

	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;

	return ms / 2 + ms / 2 * (random_u16() % 1001u) / 1000u;
}


static void attempt_h(void *arg);


/* A refused password does not get better by itself, but servers do */
static void failed(struct reg_flow *f, const struct sip_result *res)
{
	const bool refused = res->cause == SIP_CAUSE_AUTH ||
		res->code == 403;
	uint64_t ms;

	f->result = *res;

	if (refused && f->failures < 6)
		f->failures = 6;
	else
		++f->failures;

	ms = backoff_ms(f);
	if (res->retry_after_s) {
		const uint64_t s = res->retry_after_s < RETRY_MAX_S ?
			res->retry_after_s : RETRY_MAX_S;

		/* a little later, not all phones at once */
		ms = s * 1000 + s * (random_u16() % 100u);
	}

	timer_start(&f->tmr, ms, attempt_h, f);
	state_set(f, SIP_REG_FAILED);
}


static void failed_here(struct reg_flow *f, enum sip_cause cause, int err,
			const char *text)
{
	struct sip_result res = {.cause = cause, .err = err};

	(void)snprintf(res.reason, sizeof(res.reason), "%s", text);
	failed(f, &res);
}


static void attempt_h(void *arg)
{
	struct reg_flow *f = arg;
	const bool refresh = f->state == SIP_REG_REGISTERED;
	int err;

	if (!f->reg->stack || f->reg->stack->closing)
		return;

	f->goal = GOAL_REGISTER;
	f->again = false;
	f->retold = false;
	state_put(f, refresh ? SIP_REG_REFRESHING : SIP_REG_REGISTERING);

	err = attempt_init(f, refresh);
	if (!err)
		err = send_register(f);

	if (err)
		failed_here(f, SIP_CAUSE_LOCAL, err, strerror(err));
	else
		reg_tell(f);
}


/* The user is never told from inside his call */
void reg_flow_start(struct reg_flow *f)
{
	if (f->state == SIP_REG_REGISTERING || f->state == SIP_REG_REFRESHING)
		return;

	/* who leaves finishes that first, then comes back */
	if (f->state == SIP_REG_UNREGISTERING && f->req) {
		f->again = true;
		return;
	}

	f->failures = 0;
	timer_start(&f->tmr, 0, attempt_h, f);
}


/* Answers ------------------------------------------------------------------ */

static void keep_start(struct reg_flow *f, const struct sip_msg *msg);


/* We are seen under another address than we told: tell that one. Once, lest
 * a NAT that changes its mind each time keeps us busy */
static bool tell_again(struct reg_flow *f)
{
	char now[SIP_URI_MAX];

	if (!f->reg->nat || f->retold ||
	    reg_address(now, sizeof(now), f, &f->tg) || !strcmp(now, f->contact))
		return false;

	f->retold = true;
	str_ncpy(f->bound, f->contact, sizeof(f->bound));
	if (send_register(f))
		return false;

	return true;
}


static void registered(struct reg_flow *f, const struct sip_result *res,
		       const struct sip_msg *msg)
{
	const struct sip_reg *r = f->reg;
	const struct learn_ask ask = {
		.flow = f->way.flow, .nat = r->nat, .gruu = r->gruu,
		.outbound = r->outbound && !f->plain,
	};
	const struct binding_ask mine = {
		.uri = f->contact,
		.instance = r->instance,
		.reg_id = ask.outbound ? f->way.flow + 1 : 0,
		.expires_s = f->asked_s,
	};
	uint64_t ms;
	unsigned i;

	binding_read(&f->list, msg, &mine);
	if (!f->list.expires_s) {
		failed_here(f, SIP_CAUSE_PROTOCOL, EBADMSG,
			    "the registrar has taken us, but for no time");
		return;
	}
	if (!f->list.listed)
		log_info("register %s: our Contact is not in the answer",
			 r->id->aor);

	for (i = 0; digest_realm(f->digest, i); i++)
		learn_realm(r->id, digest_realm(f->digest, i));
	if (learn(r->id, &ask, msg, &f->tg, &f->list))
		log_warn("register %s: no memory for what the registrar says",
			 r->id->aor);

	if (tell_again(f))
		return;

	/* 80 to 90 % of it */
	ms = 1000ULL * f->list.expires_s;
	f->bound_until_ms = clock_ms() + ms;
	timer_start(&f->tmr, ms * (800u + random_u16() % 101u) / 1000u,
		    attempt_h, f);

	str_ncpy(f->bound, f->contact, sizeof(f->bound));
	f->begun_ms = clock_ms();
	f->failures = 0;
	f->result = *res;
	keep_start(f, msg);

	state_set(f, SIP_REG_REGISTERED);
}


/* An answer that says how to ask. @return true: it was asked so */
static bool led_on(struct reg_flow *f, const struct sip_msg *msg)
{
	uint32_t s;
	int err;

	if (++f->steps > STEPS_MAX)
		return false;

	switch (msg->scode) {

	case 301:
	case 302:
	case 305:
		if (reg_way_follow(&f->way, msg))
			return false;

		/* sent there by our own registrar, so it is ours too */
		f->tg.leg = NULL;
		f->digest = mem_deref(f->digest);
		if (f->reg->id->creds &&
		    digest_alloc(&f->digest, f->reg->id->creds))
			return false;
		break;

	case 423:
		if (header_u32(msg, "Min-Expires", EXPIRES_MAX, &s) ||
		    s <= f->asked_s)
			return false;
		f->asked_s = s;
		break;

	case 439:
		if (!f->reg->outbound || f->plain)
			return false;
		f->plain = true;
		log_info("register %s: the first hop knows no outbound",
			 f->reg->id->aor);
		break;

	default:
		return false;
	}

	err = send_register(f);
	if (err)
		log_info("register %s: %s", f->reg->id->aor, strerror(err));

	return !err;
}


/* Whatever the registrar said: we do not come back */
static void removed(struct reg_flow *f, const struct sip_result *res)
{
	const bool again = f->again;

	forget(f);
	f->result = *res;

	/* the user has changed his mind meanwhile */
	if (again)
		attempt_h(f);
	else
		state_set(f, SIP_REG_OFF);
}


static void register_resp_h(bool final, const struct sip_result *res,
			    const struct sip_msg *msg, void *arg)
{
	struct reg_flow *f = arg;

	if (!final)
		return;

	f->req = mem_deref(f->req);

	if (f->state == SIP_REG_UNREGISTERING) {
		removed(f, res);
		return;
	}

	if (msg && msg->scode < 300)
		registered(f, res, msg);
	else if (!msg || res->cause == SIP_CAUSE_AUTH || !led_on(f, msg))
		failed(f, res);
}


static int send_register(struct reg_flow *f)
{
	const struct sip_reg *r = f->reg;
	struct request_conf conf = {
		.method    = "REGISTER",
		.uri       = f->way.uri,
		.hop       = f->way.hop,
		.transport = f->way.moved ? NULL : r->id->transport,
		.digest    = f->digest,
		.tls       = r->id->tls,
	};
	struct target_list tl = {.n = 0};

	/* the same way as before, as long as it leads anywhere */
	if (f->tg.leg) {
		tl.v[0] = f->tg;
		tl.v[0].leg = stack_leg(r->stack, &f->tg.dst, f->tg.tp);
		tl.n = tl.v[0].leg ? 1 : 0;
	}
	if (tl.n)
		conf.targets = &tl;

	return request_send(&f->req, r->stack, &conf, reg_head_h,
			    register_resp_h, f);
}


/* The flow ----------------------------------------------------------------- */

/*
 * RFC 5626 4.3 wants a new registration at once, and its waiting time after
 * the first that fails.  A flow that is lost as soon as it stands counts as
 * failed.
 */
static void lost_h(int err, void *arg)
{
	struct reg_flow *f = arg;
	struct ident_flow *idf = &f->reg->id->flowv[f->way.flow];
	const bool seen = sa_isset(&idf->seen, SA_ADDR);
	struct sip_result *res = &f->result;

	f->keep = mem_deref(f->keep);
	log_info("register %s: flow lost: %s", f->reg->id->aor,
		 strerror(err));

	if (f->state != SIP_REG_REGISTERED && f->state != SIP_REG_REFRESHING)
		return;

	/* the server may close what it does not need, and can call us; not
	   over TLS, where our certificate may be nothing to it */
	if (!idf->ob && !seen && idf->tp != SIP_TRANSP_TLS)
		return;

	reg_flow_halt(f);
	sa_init(&idf->seen, AF_UNSPEC);

	memset(res, 0, sizeof(*res));
	res->cause = SIP_CAUSE_TRANSPORT;
	res->err = err;
	(void)snprintf(res->reason, sizeof(res->reason), "%s",
		       err == EADDRNOTAVAIL ?
		       "the way from the server has changed" :
		       err == ETIMEDOUT ?
		       "the server no longer answers on this way" :
		       strerror(err));

	if (clock_ms() - f->begun_ms < FLAP_MS) {
		const struct sip_result copy = *res;

		failed(f, &copy);
		return;
	}

	timer_start(&f->tmr, 0, attempt_h, f);
	state_set(f, SIP_REG_FAILED);
}


static void keep_start(struct reg_flow *f, const struct sip_msg *msg)
{
	const struct sip_reg *r = f->reg;
	const struct ident_flow *idf = &r->id->flowv[f->way.flow];
	const bool udp = msg->tp == SIP_TRANSP_UDP;
	const bool nat = sa_isset(&idf->seen, SA_ADDR);
	enum flow_ping ping = idf->ob ? FLOW_PING : nat ? FLOW_CRLF :
		FLOW_WATCH;
	uint32_t ms = udp ? KEEP_UDP_MS : KEEP_CONN_MS, s;
	int err;

	if (idf->ob && !header_u32(msg, "Flow-Timer", 86400, &s) && s)
		ms = 1000 * s;

	if (r->keep == SIP_REG_KEEP_OFF)
		ping = FLOW_WATCH;
	if (r->keep == SIP_REG_KEEP_ON && r->keepalive_s) {
		ms = 1000 * r->keepalive_s;
		if (ping == FLOW_WATCH)
			ping = FLOW_CRLF;
	}

	f->keep = mem_deref(f->keep);
	err = flow_keep(&f->keep, f->tg.leg, msg, ping, ms, lost_h, f);
	if (err)
		log_info("register %s: the flow is not watched: %s",
			 r->id->aor, strerror(err));
}


/* Another network ----------------------------------------------------------- */

static bool elsewhere(const struct reg_flow *f)
{
	const struct target *tg = &f->tg;

	return tg->leg && (tg->leg->gone ||
			   stack_leg(f->reg->stack, &tg->dst, tg->tp) !=
			   tg->leg);
}


bool reg_flow_moved(struct reg_flow *f, bool must)
{
	struct ident_flow *idf = &f->reg->id->flowv[f->way.flow];
	int err;

	if (f->state == SIP_REG_OFF || f->state == SIP_REG_UNREGISTERING ||
	    !(must || f->state == SIP_REG_FAILED || elsewhere(f)))
		return false;

	log_info("register %s: the network has changed", f->reg->id->aor);

	/* nothing that was learnt on the old way holds on the new one */
	f->keep = mem_deref(f->keep);
	sa_init(&idf->seen, AF_UNSPEC);
	f->tg.leg = NULL;
	f->failures = 0;

	if (f->state == SIP_REG_REGISTERED || f->state == SIP_REG_FAILED) {
		timer_start(&f->tmr, 0, attempt_h, f);
		return true;
	}

	/* what is under way went from where we are no more */
	f->req = mem_deref(f->req);
	f->steps = 0;
	f->retold = false;
	err = send_register(f);
	if (err)
		timer_start(&f->tmr, 0, tell_h, f);

	return true;
}


/* The end ------------------------------------------------------------------ */

void reg_flow_stop(struct reg_flow *f, bool all)
{
	const bool asked = f->state == SIP_REG_REGISTERING && f->req;
	const bool bound = asked || f->bound_until_ms > clock_ms();

	f->again = false;
	if (f->state == SIP_REG_UNREGISTERING && !all)
		return;

	reg_flow_halt(f);
	f->steps = 0;
	f->goal = all ? GOAL_REMOVE_ALL : GOAL_REMOVE;

	/* nothing to take away */
	if (!all && !bound) {
		reg_flow_off(f);
		return;
	}

	if (!f->digest)
		(void)digest_open(f);

	/* at once: the stack may be about to close */
	if (send_register(f))
		reg_flow_off(f);
	else if (f->state != SIP_REG_UNREGISTERING)
		state_set_later(f, SIP_REG_UNREGISTERING);
}
