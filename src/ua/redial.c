/**
 * @file redial.c  A call of ours that was not answered is made again
 *
 * When the user has asked for it, and only for the reasons he has named: the
 * other side is busy, nobody answers, the network fails, or a status.  It is
 * the same call all the while, with the same number; what it learnt of the
 * last attempt is forgotten.  Main thread.
 */
#include "priv.h"
#include "redial.h"

enum { ATTEMPTS_MAX = 100 };


static const char default_on[] = "busy,no-answer,network";


static bool is_busy(const struct sip_result *res)
{
	return res->cause == SIP_CAUSE_STATUS &&
		(res->code == 486 || res->code == 600);
}


static bool is_no_answer(const struct sip_result *res)
{
	return res->cause == SIP_CAUSE_NO_ANSWER ||
		(res->cause == SIP_CAUSE_STATUS &&
		 (res->code == 408 || res->code == 480));
}


static bool is_network(const struct sip_result *res)
{
	switch (res->cause) {

	case SIP_CAUSE_TRANSPORT:
	case SIP_CAUSE_TIMEOUT:
	case SIP_CAUSE_RESOLVE: return true;
	default:
		return res->cause == SIP_CAUSE_STATUS && res->code == 503;
	}
}


/* One word of the list; res NULL: could there be such a one? */
static bool word_fits(const char *p, size_t len, const struct sip_result *res)
{
	uint32_t code;

	if (text_caseeq(p, len, "busy"))
		return !res || is_busy(res);
	/* he is watched, and called when his last call is over */
	if (text_caseeq(p, len, "free"))
		return !res || is_busy(res);
	if (text_caseeq(p, len, "no-answer"))
		return !res || is_no_answer(res);
	if (text_caseeq(p, len, "network"))
		return !res || is_network(res);

	/* 5xx */
	if (len == 3 && p[0] >= '3' && p[0] <= '6' &&
	    text_caseeq(p + 1, 2, "xx"))
		return !res || (res->cause == SIP_CAUSE_STATUS &&
				res->code / 100 == p[0] - '0');

	if (text_u32(&code, p, len, 699) || code < 300)
		return false;

	return !res || (res->cause == SIP_CAUSE_STATUS && res->code == code);
}


int redial_set(struct call *c, const struct ua_dial *prm, char *err)
{
	const char *on = prm->redial_on ? prm->redial_on : default_on;

	if (!prm->redial)
		return 0;

	if (prm->redial > ATTEMPTS_MAX)
		return call_error(err, EINVAL, "A call is made at most %u"
				  " times again.", ATTEMPTS_MAX);

	for (const char *p = on; *p; ) {
		const size_t n = strcspn(p, ",");

		if (!word_fits(p, n, NULL))
			return call_error(err, EINVAL, "Call again on \"%.*s\""
					  "? It is busy, free, no-answer,"
					  " network, a status as 480, or"
					  " 5xx.",
					  (int)(n < 40 ? n : 40), p);
		p += n;
		p += *p == ',';
	}

	c->redial.left = prm->redial;
	c->redial.after_ms = prm->redial_ms ? prm->redial_ms : 5000;

	return str_dup(&c->redial.on, on);
}


void redial_now(struct call *c)
{
	c->begin_ms = clock_ms();
	c->redial.waits = false;
	if (c->number[0])
		number_start(c);
	else
		call_start(c);
}


static void again_h(void *arg)
{
	redial_now(arg);
}


/* Nothing of this attempt is left over */
static void begin_anew(struct call *c)
{
	c->target = mem_deref(c->target);
	c->enm = mem_deref(c->enm);
	c->probe = mem_deref(c->probe);
	c->sip = mem_deref(c->sip);
	c->redirect = mem_deref(c->redirect);
	if (c->stream) {
		stream_close(c->stream);
		c->stream = NULL;
	}
	nego_reset(&c->nego);
	call_nego_begin(c);
	memset(&c->plan, 0, sizeof(c->plan));
	memset(&c->next, 0, sizeof(c->next));
	c->started = c->rung = c->flows = false;
	c->mod_busy = c->mod_again = false;
	c->recv_from_ms = 0;
}


static void start_h(void *arg)
{
	call_start(arg);
}


/* Nobody is told: it is one attempt for who makes it. Once, for which servers
 * are dead is known by now */
static bool other_family(struct call *c, const struct sip_result *res)
{
	if (res->err != EAFNOSUPPORT || !c->outgoing || c->active_ms ||
	    c->ending || c->ua->closing || c->turned)
		return false;

	log_info("call %u: %s; by the other family of addresses", c->id,
		 res->reason);
	c->turned = true;
	begin_anew(c);
	timer_start(&c->tmr_turn, 0, start_h, c);

	return true;
}


/* Who knows no profile with feedback (RTP/AVPF) is offered the one that
 * everybody knows; nobody is told */
static bool without_feedback(struct call *c, const struct sip_result *res)
{
	struct ability ab;

	if (!res->remote ||
	    (res->code != 488 && res->code != 606 && res->code != 415) ||
	    !c->outgoing || c->active_ms || c->ending || c->ua->closing ||
	    c->late || c->sdp_own || c->plain)
		return false;

	(void)ua_ability(&ab, c->ua, c->acc);
	if (!ab.nack || ab.bundle)
		return false;

	log_info("call %u: %u; once more without feedback (RTP/AVP)", c->id,
		 res->code);
	c->plain = true;
	begin_anew(c);
	timer_start(&c->tmr_turn, 0, start_h, c);

	return true;
}


bool redial_try(struct call *c, const struct sip_result *res)
{
	bool fits = false, free_ = false;

	if (other_family(c, res) || without_feedback(c, res))
		return true;
	if (!c->redial.left || c->active_ms || c->ending || c->ua->closing)
		return false;

	for (const char *p = c->redial.on; *p && !fits; ) {
		const size_t n = strcspn(p, ",");

		fits = word_fits(p, n, res);
		free_ = fits && text_caseeq(p, n, "free");
		p += n;
		p += *p == ',';
	}
	if (!fits)
		return false;

	--c->redial.left;
	c->redial.waits = true;
	c->turned = false;
	begin_anew(c);
	free_ = free_ && !redial_vigil(c);
	if (free_)
		log_info("call %u: %u %s; again when the other side is free",
			 c->id, res->code, sip_cause_name(res->cause));
	else
		log_info("call %u: %u %s; again in %u s", c->id, res->code,
			 sip_cause_name(res->cause),
			 c->redial.after_ms / 1000);

	c->result = *res;
	UTF8_PUT(c->result.reason, res->reason);
	call_state_again(c);
	memset(&c->result, 0, sizeof(c->result));

	/* who listens may have hung up already */
	if (call_living(c) && !free_)
		timer_start(&c->tmr_turn, c->redial.after_ms, again_h, c);

	return true;
}
