/**
 * @file redial.c  A call of ours that was not answered is made again
 *
 * When the user has asked for it, and only for the reasons he has named: the
 * other side is busy, nobody answers, the network fails, or a status.  It is
 * the same call all the while, with the same number; what it learnt of the
 * last attempt is forgotten.  Main thread.
 */
#include "priv.h"

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
					  "? It is busy, no-answer, network,"
					  " a status as 480, or 5xx.",
					  (int)(n < 40 ? n : 40), p);
		p += n;
		p += *p == ',';
	}

	c->redial.left = prm->redial;
	c->redial.after_ms = prm->redial_ms ? prm->redial_ms : 5000;

	return str_dup(&c->redial.on, on);
}


static void again_h(void *arg)
{
	struct call *c = arg;

	c->begin_ms = clock_ms();
	c->redial.waits = false;
	if (c->number[0])
		number_start(c);
	else
		call_start(c);
}


bool redial_try(struct call *c, const struct sip_result *res)
{
	bool fits = false;

	if (!c->redial.left || c->active_ms || c->ending || c->ua->closing)
		return false;

	for (const char *p = c->redial.on; *p && !fits; ) {
		const size_t n = strcspn(p, ",");

		fits = word_fits(p, n, res);
		p += n;
		p += *p == ',';
	}
	if (!fits)
		return false;

	--c->redial.left;
	c->redial.waits = true;
	log_info("call %u: %u %s; again in %u s", c->id, res->code,
		 sip_cause_name(res->cause), c->redial.after_ms / 1000);

	/* nothing of this attempt is left over */
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

	c->result = *res;
	UTF8_PUT(c->result.reason, res->reason);
	call_state_again(c);
	memset(&c->result, 0, sizeof(c->result));

	/* who listens may have hung up already */
	if (call_living(c))
		timer_start(&c->tmr_turn, c->redial.after_ms, again_h, c);

	return true;
}
