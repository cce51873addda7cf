/**
 * @file invite_server.c  We are called: the first INVITE and every 2xx of ours
 *
 * An INVITE that is answered at once gets its 2xx and nothing else; otherwise
 * 100 follows after 200 ms, so that the caller stops sending it again.  A 2xx
 * belongs to no transaction: it is sent again from T1 to T2 until its ACK
 * comes, on every transport, and after 64*T1 the call ends with BYE.  The
 * request is held until then and no longer; it is the largest thing a call
 * has.  RFC 3261 chapters 9.2, 13.3, 14.2, 15.1.2.  Main thread.
 */
#include "session.h"


enum {
	TRYING_MS      = 200,      /* 17.2.1 */
	REFRESH_T1     = 120,      /* 13.3.1.1: a minute, in T1      */
	EXPIRES_MAX    = 86400,
	RETRY_BUSY_S   = 5,
};


static void refresh_h(void *arg);


/* Replies ----------------------------------------------------------------- */

int session_reply(struct sip_call *c, struct sip_strans **stp,
		  struct mbuf **mbp, const struct sip_msg *msg, uint16_t code,
		  const char *reason, const char *headers, struct mbuf *sdp)
{
	const bool dialog = code > 100 && code < 300;
	struct leg *leg = c->leg;
	struct mbuf *mb;
	int err = 0;

	mb = mbuf_alloc(256 + (sdp ? mbuf_get_left(sdp) : 0));
	if (!mb)
		return ENOMEM;

	if (dialog)
		err = dialog_contact(c->br->dlg, mb, leg, msg->tp);
	if (!err && dialog)
		err = ability_write(mb, leg->stack, AB_ALLOW);
	if (!err && headers)
		err = mbuf_write_str(mb, headers);
	if (!err && sdp)
		err = mbuf_printf(mb, "Content-Type: " SIP_ACCEPT "\r\n"
				  "Content-Length: %zu\r\n\r\n%b",
				  mbuf_get_left(sdp),
				  mbuf_buf(sdp), mbuf_get_left(sdp));
	else if (!err)
		err = mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");

	if (!err)
		err = sip_treplyf(stp, mbp, leg->sip, msg, dialog, code,
				  reason ? reason : sip_phrase(code),
				  "%b", mb->buf, mb->end);

	mem_deref(mb);

	return err;
}


static void reply_addr(struct sa *dst, const struct sip_msg *msg)
{
	struct pl pl;

	sip_reply_addr(dst, msg,
		       !msg_param_exists(&msg->via.params, "rport", &pl));
}


/* Before there is a call to speak of. headers: lines or "" */
static void refuse(struct leg *leg, const struct sip_msg *msg, uint16_t code,
		   const char *headers)
{
	(void)stack_reply(leg, msg, code, sip_phrase(code), headers);
}


/* 2xx and its ACK --------------------------------------------------------- */

static void ok_forget(struct sip_call *c)
{
	timer_cancel(&c->tmr_wait);
	keep_slim(c->msg, c->ok);
	c->ok = mem_deref(c->ok);
	c->msg = mem_deref(c->msg);
}


static void ok_lost(struct sip_call *c)
{
	const struct sip_result res = {.cause = SIP_CAUSE_TIMEOUT};

	ok_forget(c);
	branch_bye(c->br);

	if (c->phase == PHASE_DOWN)
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

	c->ok->pos = 0;
	(void)sip_send(c->leg->sip, c->msg->sock, c->msg->tp, &c->ok_dst,
		       c->ok);

	c->ok_wait_ms = c->ok_wait_ms < t2 / 2 ? 2 * c->ok_wait_ms : t2;
	left = c->ok_end_ms - now;
	timer_start(&c->tmr_wait, c->ok_wait_ms < left ? c->ok_wait_ms : left,
		    ok_again_h, c);
}


int session_accept(struct sip_call *c, struct sip_strans **stp,
		   const struct sip_msg *msg, struct mbuf *sdp)
{
	struct mbuf *ok = NULL;
	int err;

	err = session_reply(c, stp, &ok, msg, 200, "OK", NULL, sdp);
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
	reply_addr(&c->ok_dst, msg);
	timer_start(&c->tmr_wait, c->ok_wait_ms, ok_again_h, c);

	return 0;
}


void session_acked(struct sip_call *c, const struct sip_msg *msg)
{
	struct mbuf *sdp = session_sdp(msg);

	ok_forget(c);

	if (c->phase == PHASE_DOWN) {
		if (c->br->bye_due)
			branch_bye(c->br);
		session_check(c);
		return;
	}

	/* the answer to an offer of our 2xx */
	if (c->offer.state == OFFER_LOCAL) {
		if (!sdp || offer_step(&c->offer, OFFER_EV_RECV_ANSWER) ||
		    session_result(c, sdp, false)) {
			session_drop(c, SIP_CAUSE_MEDIA, 0, msg);
			return;
		}
	}

	if (c->phase == PHASE_ANSWERED) {
		session_phase(c, PHASE_UP);

		if (c->h.established_h) {
			struct sip_info in;

			sip_info_fill(&in, msg);
			c->h.established_h(&in, c->arg);
		}
	}

	reinvite_try(c);
}


/* While it rings ---------------------------------------------------------- */

void session_terminate(struct sip_call *c)
{
	timer_cancel(&c->tmr_ring);
	timer_cancel(&c->tmr_expire);

	if (!c->st)
		return;

	(void)session_reply(c, &c->st, NULL, c->msg, 487, NULL, NULL, NULL);
	c->st = mem_deref(c->st);
	c->prov = mem_deref(c->prov);
	c->msg = mem_deref(c->msg);
}


/* libre has sent 200 to the CANCEL */
static void cancel_h(void *arg)
{
	struct sip_call *c = arg;
	const struct sip_result res = {
		.cause = SIP_CAUSE_CANCELLED, .code = 487, .remote = true,
	};

	session_terminate(c);
	session_closed(c, &res, NULL);
}


static void expire_h(void *arg)
{
	cancel_h(arg);
}


/* The way back is gone, and the transaction with it */
static int reply_failed(struct sip_call *c, int err)
{
	struct sip_result res = {.cause = SIP_CAUSE_TRANSPORT, .err = err};

	if (!c->st) {
		(void)text_copy(res.reason, sizeof(res.reason),
				strerror(err), strlen(strerror(err)));
		session_closed_later(c, &res);
	}

	return err;
}


static void refresh_start(struct sip_call *c)
{
	timer_start(&c->tmr_ring, REFRESH_T1 * session_t1(c), refresh_h, c);
}


static void refresh_h(void *arg)
{
	struct sip_call *c = arg;
	struct sa dst;
	int err;

	reply_addr(&dst, c->msg);
	c->prov->pos = 0;

	err = sip_strans_reply(&c->st, c->leg->sip, c->msg, &dst,
			       c->prov_code, c->prov);
	if (err)
		(void)reply_failed(c, err);
	else
		refresh_start(c);
}


static void trying_h(void *arg)
{
	struct sip_call *c = arg;
	const int err = session_reply(c, &c->st, NULL, c->msg, 100, NULL, NULL,
				      NULL);

	c->tried = true;

	if (err)
		(void)reply_failed(c, err);
}


int sip_call_ring(struct sip_call *c, uint16_t code, const char *reason,
		  struct mbuf *sdp)
{
	struct mbuf *prov = NULL;
	int err;

	if (!c || code < 101 || code > 199 ||
	    (reason && !header_text_ok(reason)))
		return EINVAL;
	if (c->phase != PHASE_INCOMING)
		return ENOTCONN;

	err = session_reply(c, &c->st, &prov, c->msg, code, reason, NULL, sdp);
	if (err)
		return reply_failed(c, err);

	mem_deref(c->prov);
	c->prov = prov;
	c->prov_code = code;
	refresh_start(c);

	return 0;
}


int sip_call_answer(struct sip_call *c, struct mbuf *sdp)
{
	int err;

	if (!c || !sdp)
		return EINVAL;
	if (c->phase != PHASE_INCOMING)
		return ENOTCONN;

	err = session_accept(c, &c->st, c->msg, sdp);
	if (err)
		return reply_failed(c, err);

	timer_cancel(&c->tmr_ring);
	timer_cancel(&c->tmr_expire);
	c->prov = mem_deref(c->prov);

	(void)offer_step(&c->offer, c->offer.state == OFFER_REMOTE ?
			 OFFER_EV_SEND_ANSWER : OFFER_EV_SEND_OFFER);
	session_phase(c, PHASE_ANSWERED);

	return 0;
}


int sip_call_reject(struct sip_call *c, uint16_t code, const char *reason,
		    const char *headers)
{
	struct sip_result res = {.cause = SIP_CAUSE_STATUS, .code = code};
	const char *phrase = reason ? reason : sip_phrase(code);
	int err;

	if (!c || code < 300 || code > 699 ||
	    (reason && !header_text_ok(reason)) ||
	    (headers && !header_lines_ok(headers)))
		return EINVAL;
	if (c->phase != PHASE_INCOMING)
		return ENOTCONN;

	(void)text_copy(res.reason, sizeof(res.reason), phrase,
			strlen(phrase));

	/*
	 * As long as nothing was sent no state is owed (RFC 3261 8.2.7): a
	 * refusal that libre repeats for 32 s to a stranger who never sends
	 * an ACK is his lever against us.
	 */
	if (!c->prov && !c->tried) {
		c->st = mem_deref(c->st);
		if (reason || headers)
			err = stack_reply(c->leg, c->msg, code, phrase,
					  headers);
		else
			err = keep_reply(c->leg, c->msg, code);
	}
	else {
		err = session_reply(c, &c->st, NULL, c->msg, code, phrase,
				    headers, NULL);
	}
	if (err)
		return reply_failed(c, err);

	c->prov = mem_deref(c->prov);
	c->msg = mem_deref(c->msg);
	session_closed_later(c, &res);

	return 0;
}


/* The first INVITE -------------------------------------------------------- */

void invite_server_request(struct leg *leg, const struct sip_msg *msg)
{
	struct sip_stack *s = leg->stack;
	const struct sa *laddr = leg_laddr(leg, msg->tp);
	struct mbuf *offer = session_sdp(msg);
	struct sip_call *c = NULL;
	struct dialog *d = NULL;
	struct sip_info in;
	uint32_t expires;
	char busy[40];
	int err, status = 0;

	if (s->max_sessions && s->stats.sessions >= s->max_sessions) {
		(void)snprintf(busy, sizeof(busy), "Retry-After: %u\r\n",
			       RETRY_BUSY_S);
		refuse(leg, msg, 486, busy);
		return;
	}

	err = dialog_alloc_uas(&d, leg, msg);
	if (err) {
		refuse(leg, msg, err == ENOMEM ? 500 : 400, NULL);
		return;
	}

	err = session_alloc(&c, s, PHASE_INCOMING);
	if (err)
		goto out;

	c->leg = leg;
	c->callid = mem_ref(d->callid);
	if (laddr)
		c->laddr = *laddr;

	err = branch_alloc(&c->br, c, d);
	if (err)
		goto out;
	d = NULL;

	err = sip_strans_alloc(&c->st, leg->sip, msg, cancel_h, c);
	if (err)
		goto out;

	c->msg = mem_ref((void *)msg);

	if (offer)
		(void)offer_step(&c->offer, OFFER_EV_RECV_OFFER);

	if (s->h.invite_h) {
		const size_t pos = msg->mb->pos, end = msg->mb->end;

		sip_info_fill(&in, msg);
		status = s->h.invite_h(c, &in, offer, s->arg);
		msg->mb->pos = pos;
		msg->mb->end = end;
	}
	else {
		status = 480;
	}

	if (status) {
		if (status < 300 || status > 699)
			status = 500;

		/* not taken: nobody to tell */
		memset(&c->h, 0, sizeof(c->h));
		(void)sip_call_reject(c, (uint16_t)status, NULL, NULL);
	}

	/* taken, and perhaps answered already */
	if (c->phase == PHASE_INCOMING) {

		if (!c->prov)
			timer_start(&c->tmr_ring, TRYING_MS, trying_h, c);

		if (!header_u32(msg, "Expires", EXPIRES_MAX, &expires))
			timer_start(&c->tmr_expire, 1000ULL * expires,
				    expire_h, c);
	}

	/* its user holds it now; if nobody does, it ends here */
	mem_deref(c);

	return;

 out:
	mem_deref(d);
	if (c) {
		c->dead = true;
		--s->stats.sessions;
		mem_deref(c);
	}
	refuse(leg, msg, 500, NULL);
}
