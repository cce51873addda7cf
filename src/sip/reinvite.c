/**
 * @file reinvite.c  INVITE inside a dialog, both directions
 *
 * RFC 3261 chapter 14.  One INVITE at a time: while ours is under way the
 * peer's is refused with 491, and the other way round.  When ours goes out
 * and what follows when it fails is modify.c's.  Main thread.
 */
#include "session.h"


/* The peer's -------------------------------------------------------------- */

/* @return 0 and our SDP, or the status to refuse with */
static uint16_t respond(struct branch *br, const struct sip_msg *msg,
			struct mbuf **sdp)
{
	struct sip_call *c = br->call;
	struct mbuf *offer = session_sdp(msg);
	const enum offer_means m = offer_recv(&br->offer, BY_INVITE,
					      offer != NULL);
	int status;

	switch (m) {

	case MEANS_OFFER:
		status = session_answer_offer(c, sdp, offer);
		break;

	case MEANS_NOTHING:
		if (br->offer.state != OFFER_OWED)
			return 491;
		status = !c->h.offer_h || c->h.offer_h(sdp, c->arg) || !*sdp ?
			500 : 0;
		break;

	default:
		return offer_status(m);
	}

	if (status)
		offer_cancel(&br->offer);

	return (uint16_t)status;
}


static void refuse_interval(struct branch *br, struct leg *leg,
			    const struct sip_msg *msg, uint32_t min_s)
{
	char line[40];

	(void)snprintf(line, sizeof(line), "Min-SE: %u\r\n", min_s);
	(void)session_reply(br, leg, NULL, NULL, msg, 422, NULL, line, NULL);
}


void reinvite_recv(struct branch *br, struct leg *leg,
		   const struct sip_msg *msg)
{
	struct sip_call *c = br->call;
	struct mbuf *sdp = NULL;
	uint16_t status;
	uint32_t min_s;

	/* 14.2: the first one is not answered yet */
	if (c->phase == PHASE_INCOMING) {
		session_refuse(br, leg, msg, 500);
		return;
	}

	if (c->phase == PHASE_CALLING || c->invite ||
	    (c->ok && br->offer.state == OFFER_LOCAL)) {
		session_refuse(br, leg, msg, 491);
		return;
	}

	/* whoever sends the next INVITE has had our 2xx */
	if (c->ok)
		session_acked(c, msg);

	if (se_too_small(c, msg, &min_s)) {
		refuse_interval(br, leg, msg, min_s);
		return;
	}

	ext_learn(c, msg);
	c->leg = leg;

	status = c->phase == PHASE_UP ? respond(br, msg, &sdp) : 487;
	if (c->phase != PHASE_UP)
		status = 487;

	if (status) {
		session_refuse(br, leg, msg, status);
		goto out;
	}

	dialog_refresh(br->dlg, msg);
	dialog_rename(br->dlg, msg);

	if (session_accept(c, NULL, msg, sdp))
		offer_cancel(&br->offer);
	else
		(void)offer_send(&br->offer, BY_2XX, true);

	session_named(c, msg);

 out:
	mem_deref(sdp);
}


/* Ours -------------------------------------------------------------------- */

/* 2xx: @return false when its SDP is of no use; answer: for the ACK */
static bool agree(struct branch *br, const struct sip_msg *msg,
		  struct mbuf **answer)
{
	struct sip_call *c = br->call;
	struct mbuf *sdp = session_sdp(msg);

	switch (offer_recv(&br->offer, BY_2XX, sdp != NULL)) {

	case MEANS_ANSWER:
		return !session_result(c, sdp, false);

	case MEANS_OFFER:
		if (session_answer_offer(c, answer, sdp))
			return false;
		(void)offer_send(&br->offer, BY_ACK, true);
		return true;

	case MEANS_NOTHING:
		return !br->bad;

	default:
		return false;
	}
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

	/* hung up meanwhile: the peer still gets its ACK, and again when
	 * that was lost */
	if (c->phase != PHASE_UP) {
		c->linger_ms = clock_ms() + 64 * session_t1(c);
		branch_ack(br, msg->cseq.num, NULL);
		return;
	}

	dialog_refresh(br->dlg, msg);
	ext_learn(c, msg);
	se_response(c, msg);

	agreed = agree(br, msg, &answer);
	branch_ack(br, msg->cseq.num, answer);
	mem_deref(answer);

	if (!agreed)
		session_drop(c, SIP_CAUSE_MEDIA, msg->scode, msg);
	else if (c->phase == PHASE_UP)
		modify_done(c, &res);
}


/* A reliable one is due its PRACK, and settles the offer */
static void provisional(struct branch *br, const struct sip_msg *msg)
{
	struct sip_call *c = br->call;
	struct mbuf *sdp = session_sdp(msg), *answer = NULL;
	uint32_t rseq;

	if (c->phase != PHASE_UP || !prack_asked(msg, &rseq) ||
	    !prack_order(br, rseq))
		return;

	switch (offer_recv(&br->offer, BY_1XX_REL, sdp != NULL)) {

	case MEANS_ANSWER:
		br->bad = session_result(c, sdp, false) != 0;
		break;

	case MEANS_OFFER:
		br->bad = session_answer_offer(c, &answer, sdp) != 0;
		if (!br->bad)
			(void)offer_send(&br->offer, BY_PRACK, true);
		break;

	default:
		break;
	}

	prack_send(br, msg, rseq, answer);
	mem_deref(answer);
}


/* It has had its 1xx and nothing more */
static void slow_h(void *arg)
{
	struct sip_call *c = arg;

	if (c->mod.out)
		request_cancel_saying(c->invite, "Reason: SIP;cause=408;"
				      "text=\"No final answer\"\r\n");
}


static void reinvite_resp_h(bool final, const struct sip_result *res,
			    const struct sip_msg *msg, void *arg)
{
	struct branch *br = arg;
	struct sip_call *c = br->call;

	if (!final) {
		if (!timer_running(&c->mod.tmr))
			timer_start(&c->mod.tmr, 64 * session_t1(c), slow_h,
				    c);
		provisional(br, msg);
		return;
	}

	timer_cancel(&c->mod.tmr);
	c->invite = mem_deref(c->invite);

	if (msg && msg->scode < 300) {
		c->mod.out = false;
		accepted(c, msg);
	}
	else {
		modify_refused(c, br, res, msg);
	}

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
		err = ext_write(mb, br->call, false);
	if (!err)
		err = se_write(mb, br->call, false);

	return err;
}


int reinvite_send(struct sip_call *c)
{
	struct branch *br = c->br;
	int err;

	/* 1xx of this one are counted anew */
	br->rseq_set = false;

	(void)offer_send(&br->offer, BY_INVITE, c->mod.offer != NULL);

	err = branch_request(&c->invite, br, "INVITE", c->mod.offer,
			     reinvite_head_h, reinvite_resp_h);
	if (err)
		offer_cancel(&br->offer);
	else
		c->mod.out = true;

	return err;
}
