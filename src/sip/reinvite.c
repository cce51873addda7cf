/**
 * @file reinvite.c  INVITE inside a dialog, both directions
 *
 * RFC 3261 chapter 14.  One INVITE at a time: while ours is under way the
 * peer's is refused with 491, and the other way round; who has met such a
 * refusal waits a random time that depends on whose Call-ID it is.  When a
 * re-INVITE fails the session stays as it was, except that 481, 408 and
 * silence end it.  What the user wants changed meanwhile is remembered, the
 * last wish only.  Main thread.
 */
#include "session.h"


enum { TRIES_MAX = 10 };      /* of one wish, each answered 491 */


/* A span of steps of 10 ms, in proportion to T1 */
static uint64_t random_wait(const struct sip_call *c, unsigned from,
			    unsigned to)
{
	const unsigned steps = from + rand_u32() % (to - from + 1);

	return 10ULL * steps * session_t1(c) / SIP_T1_MS;
}


/* The peer's -------------------------------------------------------------- */

static void refuse(struct sip_call *c, const struct sip_msg *msg,
		   uint16_t code)
{
	char line[40] = "";

	if (code == 500)
		(void)snprintf(line, sizeof(line), "Retry-After: %u\r\n",
			       rand_u32() % 11);

	(void)session_reply(c, NULL, NULL, msg, code, NULL, line, NULL);
}


/* @return 0 and our SDP, or the status to refuse with */
static uint16_t respond(struct sip_call *c, const struct sip_msg *msg,
			struct mbuf **sdp)
{
	struct mbuf *offer = session_sdp(msg);
	int status;

	if (!offer) {
		if (!c->h.offer_h || c->h.offer_h(sdp, c->arg) || !*sdp)
			return 500;

		return offer_step(&c->offer, OFFER_EV_SEND_OFFER) ? 491 : 0;
	}

	if (offer_step(&c->offer, OFFER_EV_RECV_OFFER))
		return 491;

	status = session_answer_offer(c, sdp, offer);
	if (status)
		(void)offer_step(&c->offer, OFFER_EV_CANCEL);

	return (uint16_t)status;
}


void reinvite_recv(struct branch *br, struct leg *leg,
		   const struct sip_msg *msg)
{
	struct sip_call *c = br->call;
	struct mbuf *sdp = NULL;
	uint16_t status;

	if (!c->leg)
		c->leg = leg;

	/* 14.2: the first one is not answered yet */
	if (c->phase == PHASE_INCOMING) {
		refuse(c, msg, 500);
		return;
	}

	if (c->phase == PHASE_CALLING || c->invite ||
	    (c->ok && c->offer.state == OFFER_LOCAL)) {
		refuse(c, msg, 491);
		return;
	}

	/* whoever sends the next INVITE has had our 2xx */
	if (c->ok)
		session_acked(c, msg);

	c->leg = leg;

	status = c->phase == PHASE_UP ? respond(c, msg, &sdp) : 487;
	if (c->phase != PHASE_UP)
		status = 487;

	if (status) {
		refuse(c, msg, status);
		goto out;
	}

	dialog_refresh(br->dlg, msg);

	if (session_accept(c, NULL, msg, sdp)) {
		(void)offer_step(&c->offer, OFFER_EV_CANCEL);
		goto out;
	}

	if (c->offer.state == OFFER_REMOTE)
		(void)offer_step(&c->offer, OFFER_EV_SEND_ANSWER);

 out:
	mem_deref(sdp);
}


/* Ours -------------------------------------------------------------------- */

static void try_h(void *arg)
{
	reinvite_try(arg);
}


static void told(struct sip_call *c, const struct sip_result *res)
{
	c->mod_tries = 0;
	if (!c->mod_wanted)
		c->mod_offer = mem_deref(c->mod_offer);

	if (c->h.modified_h)
		c->h.modified_h(res, c->arg);

	reinvite_try(c);
}


/* 2xx: @return false when its SDP is of no use; answer: for the ACK */
static bool agree(struct sip_call *c, const struct sip_msg *msg,
		  struct mbuf **answer)
{
	struct mbuf *sdp = session_sdp(msg);

	if (!sdp)
		return false;

	if (c->offer.state == OFFER_LOCAL)
		return !offer_step(&c->offer, OFFER_EV_RECV_ANSWER) &&
			!session_result(c, sdp, false);

	return !offer_step(&c->offer, OFFER_EV_RECV_OFFER) &&
		!session_answer_offer(c, answer, sdp) &&
		!offer_step(&c->offer, OFFER_EV_SEND_ANSWER);
}


static void accepted(struct sip_call *c, const struct sip_msg *msg)
{
	const struct sip_result res = {
		.cause = SIP_CAUSE_NONE, .code = msg->scode,
	};
	struct branch *br = c->br;
	struct mbuf *answer = NULL;
	bool agreed;

	br->ack_due = true;

	/* hung up meanwhile: the peer still gets its ACK */
	if (c->phase != PHASE_UP) {
		branch_ack(br, msg->cseq.num, NULL);
		return;
	}

	dialog_refresh(br->dlg, msg);

	agreed = agree(c, msg, &answer);
	branch_ack(br, msg->cseq.num, answer);
	mem_deref(answer);

	if (!agreed)
		session_drop(c, SIP_CAUSE_MEDIA, msg->scode, msg);
	else if (c->phase == PHASE_UP)
		told(c, &res);
}


static void refused(struct sip_call *c, const struct sip_result *res,
		    const struct sip_msg *msg)
{
	const uint16_t code = msg ? msg->scode : 0;

	(void)offer_step(&c->offer, OFFER_EV_CANCEL);

	if (c->phase != PHASE_UP)
		return;

	/* 14.1: the dialog is gone, or the peer is */
	if (code == 481) {
		struct sip_result r = *res;

		r.cause = SIP_CAUSE_STATUS;
		r.remote = true;
		session_closed(c, &r, msg);
		return;
	}

	if (code == 408 || (!msg && res->cause == SIP_CAUSE_TIMEOUT)) {
		session_drop(c, SIP_CAUSE_TIMEOUT, code, msg);
		return;
	}

	if (code == 491 && ++c->mod_tries < TRIES_MAX) {
		c->mod_wanted = true;
		timer_start(&c->tmr_mod, c->tmpl ? random_wait(c, 210, 400) :
			    random_wait(c, 0, 200), try_h, c);
		return;
	}

	told(c, res);
}


/* It has had its 1xx and nothing more */
static void slow_h(void *arg)
{
	struct sip_call *c = arg;

	if (c->mod_out)
		request_cancel(c->invite);
}


static void reinvite_resp_h(bool final, const struct sip_result *res,
			    const struct sip_msg *msg, void *arg)
{
	struct branch *br = arg;
	struct sip_call *c = br->call;

	if (!final) {
		if (!timer_running(&c->tmr_mod))
			timer_start(&c->tmr_mod, 64 * session_t1(c), slow_h, c);
		return;
	}

	timer_cancel(&c->tmr_mod);
	c->invite = mem_deref(c->invite);
	c->mod_out = false;

	if (msg && msg->scode < 300)
		accepted(c, msg);
	else
		refused(c, res, msg);

	session_check(c);
}


static int reinvite_head_h(struct mbuf *mb, const struct target *tg,
			   void *arg)
{
	struct branch *br = arg;
	int err;

	session_sent(br->call, mb, br->dlg);

	err = dialog_head(br->dlg, mb, tg, "INVITE", ++br->dlg->lseq, true);
	if (!err)
		err = ability_write(mb, br->dlg->stack, AB_ALLOW);

	return err;
}


void reinvite_try(struct sip_call *c)
{
	struct branch *br = c->br;
	int err;

	if (!c->mod_wanted || c->phase != PHASE_UP || c->invite || c->ok ||
	    br->ack_due || timer_running(&c->tmr_mod) ||
	    c->offer.state != OFFER_STABLE)
		return;

	c->mod_wanted = false;
	if (c->mod_offer)
		(void)offer_step(&c->offer, OFFER_EV_SEND_OFFER);

	err = branch_request(&c->invite, br, "INVITE", c->mod_offer,
			     reinvite_head_h, reinvite_resp_h);
	if (err) {
		const struct sip_result res = {
			.cause = SIP_CAUSE_LOCAL, .err = err,
		};

		(void)offer_step(&c->offer, OFFER_EV_CANCEL);
		told(c, &res);
		return;
	}

	c->mod_out = true;
}


int sip_call_modify(struct sip_call *c, struct mbuf *offer)
{
	if (!c)
		return EINVAL;
	if (c->phase != PHASE_UP && c->phase != PHASE_ANSWERED)
		return ENOTCONN;

	mem_deref(c->mod_offer);
	c->mod_offer = mem_ref(offer);
	c->mod_wanted = true;

	/* on the next turn: no handler is called from inside */
	if (!timer_running(&c->tmr_mod))
		timer_start(&c->tmr_mod, 0, try_h, c);

	return 0;
}
