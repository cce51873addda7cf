/**
 * @file inside.c  Requests in the dialogs of a call, and BYE
 *
 * What comes in is put in order (RFC 3261 12.2.2) and given to who serves it;
 * what is nobody's here is the user's.  BYE goes out when it may: not before
 * the ACK, in either direction (chapter 15).  Main thread.
 */
#include "session.h"


static int bye_head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct branch *br = arg;
	int err;

	err = dialog_head(br->dlg, mb, tg, "BYE", ++br->dlg->lseq, false);
	if (!err && br->call->reason)
		err = mbuf_printf(mb, "Reason: %s\r\n", br->call->reason);

	return err;
}


/* Whatever the answer, the session was over when BYE was sent (15.1.1) */
static void bye_resp_h(bool final, const struct sip_result *res,
		       const struct sip_msg *msg, void *arg)
{
	struct branch *br = arg;
	(void)res;
	(void)msg;

	if (!final)
		return;

	br->bye = mem_deref(br->bye);
	session_check(br->call);
}


void branch_bye(struct branch *br)
{
	struct sip_call *c = br->call;
	int err;

	if (br->bye)
		return;

	br->bye_due = br->ack_due || (c->ok && br == c->br);
	if (br->bye_due)
		return;

	err = branch_request(&br->bye, br, "BYE", NULL, bye_head_h,
			     bye_resp_h);
	if (err)
		log_info("call: no BYE: %s", strerror(err));
}


static void bye_recv(struct branch *br, struct leg *leg,
		     const struct sip_msg *msg)
{
	struct sip_call *c = br->call;
	struct sip_result res = {.remote = true};

	/* 15: a callee has no way to leave an early dialog but its answer */
	if (c->phase == PHASE_CALLING && !br->ack && !br->ack_due) {
		(void)stack_reply(leg, msg, 481, NULL, NULL);
		return;
	}

	(void)keep_reply(leg, msg, 200);

	br->bye_due = false;

	if (br != c->br) {
		session_check(c);
		return;
	}

	if (c->phase == PHASE_INCOMING) {
		res.cause = SIP_CAUSE_CANCELLED;
		res.code = 487;
	}

	session_terminate(c, 487);
	c->ok = mem_deref(c->ok);
	c->msg = mem_deref(c->msg);
	timer_cancel(&c->tmr_wait);

	/* an answer of ours, but not a re-INVITE, is over: its 2xx may be on
	 * the way and must have its ACK */
	if (!c->mod.out)
		timer_cancel(&c->mod.tmr);

	if (session_down(c))
		session_check(c);
	else
		session_closed(c, &res, msg);
}


/* Inside a dialog it asks after the dialog, not after room for a new call */
static void options_recv(struct leg *leg, const struct sip_msg *msg)
{
	char *lines = NULL;

	(void)ability_lines(&lines, leg->stack, AB_ALLOW | AB_ACCEPT |
			    AB_SUPPORTED | AB_EVENTS);
	(void)stack_reply(leg, msg, 200, NULL, lines);
	mem_deref(lines);
}


/* The user's: INFO, REFER ... */
static int other_h(struct sip_rx *rx, const struct sip_info *in, void *arg)
{
	struct sip_call *c = arg;

	if (!in)
		return 500;

	return c->h.request_h ? c->h.request_h(rx, in, c->arg) : 405;
}


/* uas.c has seen to methods and bodies */
bool session_request(const struct sip_msg *msg, void *arg)
{
	struct branch *br = arg;
	struct sip_call *c = br->call;
	struct leg *leg = stack_leg_msg(c->stack, msg);

	if (!leg)
		return false;

	if (!pl_strcmp(&msg->met, "ACK")) {
		if (c->ok && br == c->br && msg->cseq.num == c->ok_cseq)
			session_acked(c, msg);
		return true;
	}

	if (dialog_check_seq(br->dlg, msg))
		(void)stack_reply(leg, msg, 500, "CSeq Out Of Order", NULL);
	else if (!pl_strcmp(&msg->met, "BYE"))
		bye_recv(br, leg, msg);
	else if (session_down(c) || (c->br && br != c->br))
		return false;
	else if (!pl_strcmp(&msg->met, "INVITE"))
		reinvite_recv(br, leg, msg);
	else if (!pl_strcmp(&msg->met, "PRACK"))
		prack_recv(br, leg, msg);
	else if (!pl_strcmp(&msg->met, "UPDATE"))
		update_recv(br, leg, msg);
	else if (!pl_strcmp(&msg->met, "OPTIONS"))
		options_recv(leg, msg);
	else
		rx_dispatch(leg, msg, other_h, c);

	return true;
}
