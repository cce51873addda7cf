/**
 * @file update.c  UPDATE, both directions (RFC 3311)
 *
 * It changes a session, or only our Contact and the session timer, without
 * touching the state of an INVITE, so it may go before the answer: in an
 * early dialog whose first offer a reliable 1xx has settled.  When ours goes
 * out and what follows when it fails is modify.c's.  Main thread.
 */
#include "session.h"


/* @return 0 and our SDP, or the status to refuse with */
static uint16_t respond(struct branch *br, struct mbuf *offer,
			struct mbuf **answer)
{
	struct sip_call *c = br->call;
	const enum offer_means m = offer_recv(&br->offer, BY_UPDATE,
					      offer != NULL);
	int status;

	if (m != MEANS_OFFER)
		return offer_status(m);

	status = session_answer_offer(c, answer, offer);
	if (status) {
		offer_cancel(&br->offer);
		return (uint16_t)status;
	}

	if (c->phase != PHASE_UP)
		branch_remote(br, offer, true);

	return 0;
}


void update_recv(struct branch *br, struct leg *leg,
		 const struct sip_msg *msg)
{
	struct sip_call *c = br->call;
	struct mbuf *answer = NULL;
	char lines[160];
	uint16_t status;
	uint32_t min_s;
	int err;

	if (se_too_small(c, msg, &min_s)) {
		(void)snprintf(lines, sizeof(lines), "Min-SE: %u\r\n", min_s);
		(void)session_reply(br, leg, NULL, NULL, msg, 422, NULL,
				    lines, NULL);
		return;
	}

	c->peer_update = true;
	ext_learn(c, msg);

	status = respond(br, session_sdp(msg), &answer);
	if (session_down(c))
		status = 481;

	if (status) {
		session_refuse(br, leg, msg, status);
		goto out;
	}

	dialog_refresh(br->dlg, msg);
	dialog_rename(br->dlg, msg);

	*lines = '\0';
	if (c->phase == PHASE_UP || c->phase == PHASE_ANSWERED)
		(void)se_accept(c, msg, lines, sizeof(lines));

	err = session_reply(br, leg, NULL, NULL, msg, 200, NULL, lines,
			    answer);
	if (answer && err)
		offer_cancel(&br->offer);
	else if (answer)
		(void)offer_send(&br->offer, BY_UPDATE_2XX, true);

	modify_try(c);
	session_named(c, msg);

 out:
	mem_deref(answer);
}


static void accepted(struct branch *br, const struct sip_msg *msg)
{
	const struct sip_result res = {
		.cause = SIP_CAUSE_NONE, .code = msg->scode,
	};
	struct sip_call *c = br->call;
	struct mbuf *sdp = session_sdp(msg);
	const bool early = c->phase != PHASE_UP;
	bool useless;

	if (session_down(c))
		return;

	dialog_refresh(br->dlg, msg);
	ext_learn(c, msg);
	if (!early)
		se_response(c, msg);

	switch (offer_recv(&br->offer, BY_UPDATE_2XX, sdp != NULL)) {

	case MEANS_ANSWER:
		if (early)
			branch_remote(br, sdp, false);
		useless = session_result(c, sdp, early) != 0;
		break;

	case MEANS_MISSING:
		useless = true;
		break;

	default:
		useless = false;
		break;
	}

	if (useless)
		session_drop(c, SIP_CAUSE_MEDIA, msg->scode, msg);
	else if (!session_down(c))
		modify_done(c, &res);
}


static void update_resp_h(bool final, const struct sip_result *res,
			  const struct sip_msg *msg, void *arg)
{
	struct branch *br = arg;
	struct sip_call *c = br->call;

	if (!final)
		return;

	c->update = mem_deref(c->update);
	c->update_br = NULL;

	if (msg && msg->scode < 300)
		accepted(br, msg);
	else
		modify_refused(c, br, res, msg);

	session_check(c);
}


static int update_head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct branch *br = arg;
	int err;

	err = dialog_head(br->dlg, mb, tg, "UPDATE", ++br->dlg->lseq, true);
	if (!err)
		err = ext_write(mb, br->call, false);
	if (!err)
		err = se_write(mb, br->call, false);

	return err;
}


int update_send(struct branch *br)
{
	struct sip_call *c = br->call;
	int err;

	if (c->mod.offer)
		(void)offer_send(&br->offer, BY_UPDATE, true);

	err = branch_request(&c->update, br, "UPDATE", c->mod.offer,
			     update_head_h, update_resp_h);
	if (!err)
		c->update_br = br;
	else if (c->mod.offer)
		offer_cancel(&br->offer);

	return err;
}
