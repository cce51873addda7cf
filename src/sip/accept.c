/**
 * @file accept.c  Our replies in a call, and every 2xx of ours to its ACK
 *
 * A 2xx to INVITE belongs to no transaction: it is sent again from T1 to T2
 * until its ACK comes, on every transport, and after 64*T1 the call ends with
 * BYE.  The request is held until then and no longer; it is the largest thing
 * a call has.  RFC 3261 chapters 13.3.1.4 and 14.2.  Main thread.
 */
#include <offhook/random.h>
#include "session.h"


int session_reply(struct branch *br, struct leg *leg,
		  struct strans **stp, struct mbuf **mbp,
		  const struct sip_msg *msg, uint16_t code,
		  const char *reason, const char *headers, struct mbuf *sdp)
{
	const bool dialog = code > 100 && code < 300 &&
		pl_strcmp(&msg->met, "PRACK");
	struct mbuf *mb;
	int err = 0;

	mb = mbuf_alloc(256 + (sdp ? mbuf_get_left(sdp) : 0));
	if (!mb)
		return ENOMEM;

	if (dialog) {
		err = dialog_contact(br->dlg, mb, leg, msg->tp);
		if (!err)
			err = ext_write(mb, br->call, false);
	}
	if (!err && headers)
		err = mbuf_write_str(mb, headers);
	if (!err)
		err = header_sdp(mb, sdp);

	if (!err)
		err = strans_reply(stp, mbp, leg, msg, dialog, code,
				   reason ? reason : sip_phrase(code), mb);

	mem_deref(mb);

	return err;
}


void session_refuse(struct branch *br, struct leg *leg,
		    const struct sip_msg *msg, uint16_t code)
{
	char line[40] = "";

	if (code == 500)
		(void)snprintf(line, sizeof(line), "Retry-After: %u\r\n",
			       random_u32() % 11);

	(void)session_reply(br, leg, NULL, NULL, msg, code, NULL, line, NULL);
}


static void ok_forget(struct sip_call *c)
{
	timer_cancel(&c->tmr_wait);
	c->ok = mem_deref(c->ok);
	c->msg = mem_deref(c->msg);
}


static void ok_lost(struct sip_call *c)
{
	const struct sip_result res = {.cause = SIP_CAUSE_TIMEOUT};

	ok_forget(c);
	reason_default(c, 408, "No ACK");
	branch_bye(c->br);

	if (session_down(c))
		session_check(c);
	else
		session_closed(c, &res, NULL);
}


static void ok_again_h(void *arg)
{
	struct sip_call *c = arg;
	const uint32_t t2 = SIP_T2_MS / SIP_T1_MS * session_t1(c);
	const uint64_t now = clock_ms();
	uint64_t left;

	if (now >= c->ok_end_ms) {
		ok_lost(c);
		return;
	}

	(void)reply_again(c->leg, c->msg, c->ok);

	c->ok_wait_ms = c->ok_wait_ms < t2 / 2 ? 2 * c->ok_wait_ms : t2;
	left = c->ok_end_ms - now;
	timer_start(&c->tmr_wait, c->ok_wait_ms < left ? c->ok_wait_ms : left,
		    ok_again_h, c);
}


int session_accept(struct sip_call *c, struct strans **stp,
		   const struct sip_msg *msg, struct mbuf *sdp)
{
	const bool first = c->phase == PHASE_INCOMING;
	struct mbuf *ok = NULL;
	char se[160], *lines = NULL;
	int err;

	err = se_accept(c, msg, se, sizeof(se));
	if (!err)
		err = re_sdprintf(&lines, "%s%s", se,
				  first && c->say ? c->say : "");
	if (!err)
		err = session_reply(c->br, c->leg, stp, &ok, msg, 200, "OK",
				    lines, sdp);
	mem_deref(lines);
	if (err)
		return err;

	if (c->msg != msg) {
		mem_deref(c->msg);
		c->msg = mem_ref((void *)msg);
	}

	mem_deref(c->ok);
	c->ok = ok;
	c->ok_cseq = msg->cseq.num;
	c->ok_wait_ms = session_t1(c);
	c->ok_end_ms = clock_ms() + 64 * session_t1(c);
	timer_start(&c->tmr_wait, c->ok_wait_ms, ok_again_h, c);

	return 0;
}


void session_acked(struct sip_call *c, const struct sip_msg *msg)
{
	/* what proves that our 2xx has come may be another request */
	const bool ack = !pl_strcmp(&msg->met, "ACK");
	struct mbuf *sdp = ack ? session_sdp(msg) : NULL;

	ok_forget(c);

	if (session_down(c)) {
		if (c->br->bye_due)
			branch_bye(c->br);
		session_check(c);
		return;
	}

	/* the answer to an offer of our 2xx */
	switch (offer_recv(&c->br->offer, BY_ACK, sdp != NULL)) {

	case MEANS_ANSWER:
		if (!session_result(c, sdp, false))
			break;
		/*@fallthrough@*/
	case MEANS_MISSING:
		session_drop(c, SIP_CAUSE_MEDIA, 0, msg);
		return;

	default:
		break;
	}

	if (c->phase == PHASE_ANSWERED) {
		session_phase(c, PHASE_UP);
		reliable_done(c);

		if (c->h.established_h) {
			struct sip_info in;

			sip_info_fill(&in, msg);
			c->h.established_h(&in, c->arg);
		}
	}

	modify_try(c);
}
