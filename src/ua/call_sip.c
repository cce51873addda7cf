/**
 * @file call_sip.c  What the SIP session asks and tells
 *
 * The session says when the offer/answer model needs a description or has
 * one; what stands in it is settled in negotiate.c, what follows for the
 * sound in call_media.c.  At most one re-INVITE of ours is under way: what
 * the user wants meanwhile goes out after it.  Main thread.
 */
#include "priv.h"
#include "caller.h"
#include "requests.h"


static void reoffer_handler(void *arg)
{
	struct call *c = arg;

	c->mod_busy = false;
	(void)call_reoffer(c);
}


int call_reoffer(struct call *c)
{
	return call_reoffer_by(c, SIP_MODIFY_AUTO, false);
}


int call_reoffer_by(struct call *c, enum sip_modify how, bool bare)
{
	struct mbuf *offer = NULL;
	struct ability ab;
	int err = 0;

	if (!c->stream || !c->sip)
		return ENOTCONN;

	if (c->mod_busy) {
		c->mod_again = true;
		return 0;
	}

	if (!bare) {
		call_ability(c, stream_local(c->stream), &ab);
		err = call_offer(&offer, c, &ab);
	}
	if (!err)
		err = sip_call_modify_by(c->sip, offer, how);
	mem_deref(offer);

	if (!err) {
		c->mod_busy = true;
		c->mod_again = false;
	}

	return err;
}


/* It was let in: all three are together (RFC 3911) */
static void join(struct call *c)
{
	struct call *v[] = { c, ua_call(c->ua, c->joins) };
	char why[UA_ERR];

	if (!c->joins || !call_living(v[1]) || v[1]->state != CALL_ACTIVE)
		return;

	if (ua_conference(NULL, c->ua, v, ARRAY_SIZE(v), why))
		log_warn("call %u does not join call %u: %s", c->id, c->joins,
			 why);
}


void call_answered(struct call *c)
{
	c->active_ms = clock_ms();
	timer_cancel(&c->tmr_ring);
	call_invite_drop(c);

	if (!call_state_set(c, CALL_ACTIVE))
		return;

	/* who listens may have hung up already */
	if (!call_living(c))
		return;

	if (c->insecure) {
		call_secure_failed(c, "its sound could not be encrypted");
		return;
	}

	call_limit(c, c->limit_ms ? c->limit_ms : call_limit_own(c));
	call_media_settle(c);
	ua_quality_start(c->ua);
	ua_level_start(c->ua);
	network_answered(c);
	join(c);
}


/* A late offer of ours, or the session as it stands */
static int offer_handler(struct mbuf **sdp, void *arg)
{
	struct call *c = arg;
	struct ability ab;

	if (!c->stream)
		return ENOTCONN;

	call_ability(c, stream_local(c->stream), &ab);

	return call_offer(sdp, c, &ab);
}


static int answer_handler(struct mbuf **answer, struct mbuf *offer, void *arg)
{
	struct call *c = arg;
	struct media_plan plan;
	struct ability ab;
	bool held = false;
	int code;

	if (!c->stream)
		return 488;
	if (c->refuse_offers)
		return c->refuse_offers;

	call_ability(c, stream_local(c->stream), &ab);

	code = nego_take(&plan, &held, &c->nego, &ab,
			 (const char *)mbuf_buf(offer), mbuf_get_left(offer));
	if (code) {
		log_info("call %u: offer refused (%d)", c->id, code);
		return code;
	}

	if (call_answer_of(answer, c, &ab) ||
	    call_media_apply(c, &plan, held))
		return 500;

	/* An offer of ours that waits for its turn was written before this
	 * answer and is out of date now */
	if (c->mod_busy && !timer_running(&c->tmr_turn))
		timer_start(&c->tmr_turn, 0, reoffer_handler, c);

	return 0;
}


static int result_handler(struct mbuf *answer, bool early, void *arg)
{
	struct call *c = arg;
	struct media_plan plan;
	struct ability ab;
	bool held = false;
	int code, err;

	/* hung up meanwhile: nobody listens any more */
	if (!c->stream)
		return 0;

	call_media_prove(c);
	call_ability(c, stream_local(c->stream), &ab);

	code = nego_result(&plan, &held, &c->nego, &ab,
			   (const char *)mbuf_buf(answer),
			   mbuf_get_left(answer));
	if (code) {
		log_info("call %u: answer unusable (%d)", c->id, code);
		if (!early)
			call_blame(c, SIP_CAUSE_MEDIA, 488, code == 400 ?
				   "the answer is malformed" :
				   call_secure_refusal(&ab));
		return code;
	}

	err = call_media_apply(c, &plan, held);
	if (err && !early)
		call_blame(c, SIP_CAUSE_LOCAL, 500, strerror(err));

	return err ? 500 : 0;
}


static void heard(struct call *c, const struct sip_info *in)
{
	c->result.code = in->code;
	UTF8_PUT(c->result.reason, in->reason);
}


/*
 * 180 rings; a description makes it early, and what is early stays so: a 180
 * after it, from this branch or another, takes no sound away. Others (181,
 * 182, 183 without one) change nothing.
 */
static void progress_handler(const struct sip_info *in, bool sdp, void *arg)
{
	struct call *c = arg;

	if (c->ending || c->state == CALL_ACTIVE)
		return;

	heard(c, in);
	caller_named(c, in);
	if (!call_living(c))
		return;
	c->rung = c->rung || in->code == 180;

	if (sdp && c->started)
		(void)call_state_set(c, CALL_EARLY);
	else if (in->code == 180 && !(c->state == CALL_EARLY && c->started))
		(void)call_state_set(c, CALL_RINGING);
	else if (in->code == 183 && c->started)
		(void)call_state_set(c, CALL_EARLY);
	else
		log_info("call %u: %u", c->id, in->code);

	/* who listens may have hung up already */
	if (!call_living(c))
		return;

	(void)call_tones_settle(c);
	call_event_progress(c, in);
}


static void pracked_handler(void *arg)
{
	call_media_prove(arg);
}


static void established_handler(const struct sip_info *in, void *arg)
{
	struct sip_auto_answer mode;
	struct call *c = arg;

	c->acked = !c->outgoing;
	call_media_prove(c);

	if (!c->outgoing && !c->ending)
		caller_tell(c);
	if (!c->outgoing || c->ending || c->state == CALL_ACTIVE)
		return;

	heard(c, in);
	caller_named(c, in);
	if (!call_living(c))
		return;
	sip_auto_answer_read(&mode, in);
	if (mode.by_mode)
		c->answered_by = mode.wanted ? "auto" : "manual";
	call_answered(c);
}


static void modified_handler(const struct sip_result *res, void *arg)
{
	struct call *c = arg;

	if (!c->mod_busy)
		return;

	c->mod_busy = false;
	network_told(c, res);
	if (!c->mod_again || res->cause != SIP_CAUSE_NONE)
		call_wish_settle(c, res->cause == SIP_CAUSE_NONE);

	if (c->ending)
		return;

	session_modified(c, res);
	if (!call_living(c))
		return;

	if (res->cause == SIP_CAUSE_NONE) {
		if (c->mod_again && !call_reoffer(c))
			return;
		call_media_settle(c);
		call_media_hold_tell(c, c->held_remote);
		return;
	}

	/* what was before stays in force (RFC 3261 14.1) */
	c->mod_again = false;
	if (c->hold == c->hold_told) {
		log_info("call %u: our offer was refused (%u %s)", c->id,
			 res->code, sip_cause_name(res->cause));
		return;
	}

	log_warn("call %u: %s was refused (%u %s)", c->id,
		 c->hold ? "hold" : "resume", res->code,
		 sip_cause_name(res->cause));
	c->hold = c->hold_told;
	call_media_settle(c);
	call_event_hold(c, res);
}


static void peer_handler(const struct sip_info *in, void *arg)
{
	struct call *c = arg;

	if (!c->ending)
		caller_named(c, in);
}


static void forked_handler(const struct sip_info *in, void *arg)
{
	call_event_forked(arg, in);
}


static void closed_handler(const struct sip_result *res,
			   const struct sip_info *in, void *arg)
{
	struct call *c = arg;
	struct sip_result r = *res;
	(void)in;

	UTF8_PUT(r.reason, res->reason);

	/* hung up by us: whatever became of our BYE */
	if (c->active_ms && c->ending && !r.remote)
		memset(&r, 0, sizeof(r));

	if (r.cause == SIP_CAUSE_CANCELLED && session_elsewhere(c))
		utf8_copy(r.reason, sizeof(r.reason),
			  "Call completed elsewhere");

	call_finish(c, &r);
}


const struct sip_call_h call_sip_handlers = {
	.offer_h       = offer_handler,
	.answer_h      = answer_handler,
	.result_h      = result_handler,
	.progress_h    = progress_handler,
	.established_h = established_handler,
	.pracked_h     = pracked_handler,
	.peer_h        = peer_handler,
	.modified_h    = modified_handler,
	.closed_h      = closed_handler,
	.request_h     = requests_call,
	.redirect_h    = session_redirect_handler,
	.forked_h      = forked_handler,
};
