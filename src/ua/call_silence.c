/**
 * @file call_silence.c  The peer is not heard: is it still there?
 *
 * Silence alone ends no call: it may be a mute button, a hold nobody told us
 * of, a route that heals.  It is said once, and the peer is asked by SIP
 * (OPTIONS in the dialog) as long as it lasts.  When there is no answer to
 * that either, or the dialog is not known any more, the call is over.  Before
 * the ACK of our answer nobody is asked: its own time limit (64*T1, about as
 * long as the first silence) says that the caller has gone.  Main thread.
 */
#include "priv.h"


enum { PROBE_MIN_MS = 1000 };


static void probe(void *arg);


static bool is_gone(const struct sip_result *res)
{
	return res->cause == SIP_CAUSE_TIMEOUT ||
		res->cause == SIP_CAUSE_TRANSPORT ||
		res->code == 481 || res->code == 408;
}


static uint64_t pause_ms(const struct call *c)
{
	const int64_t ms = c->ua->config->rtp_timeout_ms;

	return ms > PROBE_MIN_MS ? (uint64_t)ms : PROBE_MIN_MS;
}


static void probe_handler(const struct sip_result *res,
			  const struct sip_info *in, void *arg)
{
	struct call *c = arg;
	char why[UA_ERR];
	(void)in;

	c->probe = mem_deref(c->probe);

	if (!call_living(c) || !c->silent_told)
		return;

	if (!is_gone(res)) {
		timer_start(&c->tmr_probe, pause_ms(c), probe, c);
		return;
	}

	log_warn("call %u: the other side is gone", c->id);
	call_blame(c, SIP_CAUSE_TIMEOUT, 408,
		   "the other side is gone: neither sound nor an answer");
	(void)call_hangup(c, 0, NULL, why);
}


static void probe(void *arg)
{
	struct call *c = arg;

	if (!call_living(c) || c->probe)
		return;

	if (!c->outgoing && !c->acked) {
		timer_start(&c->tmr_probe, pause_ms(c), probe, c);
		return;
	}

	if (sip_call_request(&c->probe, c->sip, "OPTIONS", NULL, NULL, NULL,
			     probe_handler, c))
		timer_start(&c->tmr_probe, pause_ms(c), probe, c);
}


void call_silence(struct call *c, bool silent)
{
	if (silent == c->silent_told)
		return;

	c->silent_told = silent;

	if (!silent) {
		timer_cancel(&c->tmr_probe);
		c->probe = mem_deref(c->probe);
		log_info("call %u: heard again", c->id);
		return;
	}

	log_warn("call %u: nothing heard for %u s", c->id,
		 (unsigned)(c->ua->config->rtp_timeout_ms / 1000));
	probe(c);
}
